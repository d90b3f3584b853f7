# What else a program written for MagLev calls: mixins done again, profiles, sources, references, the debugger, sessions and figures.
. "$LODE_TOP/regress/lib.sh"
# MagLev's test 23: mixins of transient mode are remembered by name
cat >modules.rb <<'RUBY'
module Mixed1; def one = 1; end
module Mixed2; def two = 2; end
RUBY
cat >define.rb <<'RUBY'
require "./modules"
class T023
  redo_include Mixed1
  redo_extend Mixed2
end
T023.maglev_persistable(true) { |mod| false }
p T023.new.one, T023.two
Maglev.commit_transaction
RUBY
prints '1
2' lode define.rb
prints '[["Mixed1"], ["Mixed2"], false, false]
["Mixed1", "Mixed2"]
[1, 2, [], []]' lode -r ./modules -e '
p [T023.reinclude_store, T023.reextend_store, T023.new.respond_to?(:one), T023.respond_to?(:two)]
p T023.redo_include_and_extend
p [T023.new.one, T023.two, String.reinclude_store, String.reextend_store]'

cat >text.rb <<'RUBY'
class Told
  def self.make(n)
    n.times do |i|
      yield i
    end
  end

  def short = 1
  attr_reader :a
end
RUBY
prints '["  def self.make(n)\n    n.times do |i|\n      yield i\n    end\n  end\n", "text.rb", 2]
["  def short = 1\n", "text.rb", 8]
nil
[nil, "gone.rb", 1]' lode -I . -e '
require "maglev/method_source"
load "text.rb"
[Told.method_source(:make, false), Told.method_source("short"), String.method_source(:upcase)].each { |text, file, line| p text && [text, File.basename(file), line] }
eval("class Told; def gone = 1; end", nil, "gone.rb")
p Told.method_source(:gone)'

cat >tools.rb <<'RUBY'
o = Object.new
holder, pair, name = [o], {k: o}, Struct.new(:it).new(o)
def o.mine = 1
inner = ->(x) { proc { x } }.call(o)
p [holder, pair, name, inner].map { |h| o.find_references_in_memory.any? { |r| r.equal?(h) } }, 1.find_references_in_memory, Object.new.find_references_in_memory.grep(Array).size
R = Maglev::RubyUtils
p R.rb_path2class("::Process::Status"), R.rb_path2class("Object"), (R.rb_path2class("::No::Way") rescue $!.class), (R.rb_path2class("RUBY_VERSION") rescue $!.class)
p R.rb_string_value(nil), R.rb_string_value("x"), (R.rb_string_value(3) rescue $!.class), Maglev::Type.coerce_to(3.7, Integer, :to_int), Maglev::Type.coerce_to_or_nil(:a, Array, :to_ary)
seen = []
Exception.install_debug_block { |e| seen << e.class; Integer("y") rescue 0 }
Integer("x") rescue 1
begin; raise "mine"; rescue; end
Exception.install_debug_block
Float("x") rescue 1
p seen
class Loaded; end
p [Loaded, Comparable, Process::Status].map { |m| ObjectSpace.loaded_classes.include?(m) }, ObjectSpace.loaded_classes(false).include?(Comparable)
class Fixed; __fixed_instvars "@a", :@b; end
p((Fixed.__fixed_instvars("a") rescue $!.message))
require "maglev/ruby_compiler"
p RubyCompiler.new.compile("class Compiled; end; [__FILE__, self.to_s]", "from a string")
%w[maglev/rchash maglev/rccounter maglev/rcqueue maglev/repository maglev/objectlog maglev/orderedcollection maglev/debugger].each { |f| require f }
p (require "maglev/smalltalk_bridge" rescue $!.class) # no StandardError
RUBY
exits 1 lode tools.rb
same "tools" '[true, true, true, true]
[]
0
Process::Status
Object
NameError
TypeError
""
"x"
TypeError
3
nil
[ArgumentError, RuntimeError]
[true, true, true]
false
"'"'"'a'"'"' is not allowed as an instance variable name"
["from a string", "main"]' "$out"
contains "what is not there has a name" "maglev/smalltalk_bridge: there is no Smalltalk (NotImplementedError)" "$err"

# each class has its name at top level and in Lodestone
prints '[true, [Maglev::Counter, Maglev::Map, Maglev::Queue, Maglev::Bag]]
[]' lode -e '
p [Lodestone.equal?(Maglev), [RCCounter, RCHash, RCQueue, RCBag]]
p %i[IdentitySet IdentityHash OrderedCollection ObjectLog ObjectLogEntry DebuggerLogEntry TransactionError LockError].reject { |n| Lodestone.const_get(n, false).equal?(Object.const_get(n)) }'

# a profile names who took the time
cat >profile.rb <<'RUBY'
def spin = (x = 0; x += 1 while x < 100_000)
def work(profile) = (spin while profile.instance_variable_get(:@samples) < 100)
puts Maglev::Gprof.monitor { 1 }.include?("samples, one each 1000 microseconds")
profile = Maglev::Gprof.create(Maglev::Gprof.compute_interval(2))
work(profile) if profile.instance_variable_get(:@samples) > 0
profile.resume_sampling
work(profile)
profile.suspend_sampling
text = profile.stop_and_report
puts text.lines.drop(3)[0][/Object#\w+/], text.include?("Object#work"), text[/-> Object#spin/]
puts text[/one each .*/], (profile.resume_sampling rescue $!.message)
RUBY
prints 'true
Object#spin
true
-> Object#spin
one each 100 microseconds
the profile has ended' lode profile.rb

# a stop in the middle
cat >pause.rb <<'RUBY'
def deep(x)
  pause
  x
end
p deep(5)
nil.pause
p binding.irb
RUBY
out=$(printf 'x += 1\nx * (\n2)\nnope\n' | lode pause.rb 2>err) || die "status $?"
same "what is said on standard error" "paused at pause.rb:2
(lode):4:in 'Object#deep': undefined local variable or method 'nope' for main (NameError)
paused at pause.rb:6" "$(sanitized <err)"
same "what is printed" "=> 6
=> 12
6
nil" "$(sed 's/^.*lode:[0-9]*[*>] //' <<<"$out" | head -4)"

# sessions and figures
session_open a
said '=> 1' a '1' # it is there
prints 'true
true
true' lode -e '
S = Maglev::System
lines = S.session_names.lines
puts lines.size >= 2 && lines.size == S.session_count && lines.any? { |l| l =~ /\Asession number: #{S.session_id}    UserId: \S+    pid: \d+$/ }
names, rows = S._cache_statistics_description, [0, 1, S.my_cache_slot].map { |i| S._cache_statistics(i) }
puts rows.all? { |r| r.size == names.size } && rows[2][0] == "Gem#{S.session_id}" && rows[1][names.index("commits")].is_a?(Integer) &&
     rows[0][names.index("frames")] > 0 && rows[0][names.index("commits")].nil? && S.my_cache_statistics[names.index("view_age_us")] >= 0
before = S.store_statistics[:commits]
Maglev[:x] = 1
Maglev.commit
puts S.store_statistics[:commits] > before && (S._cache_statistics(5000) rescue $!.class) == ArgumentError'
session_close a
shown=$("$LODECTL" -D "$LODE_STORE" status | sed -n 's/^\([a-z_]*\)=.*/\1/p')
for name in $(lode -e 'puts Maglev::System.store_statistics.keys'); do
    contains "a figure of lodectl status" "$name" "$shown"
done
