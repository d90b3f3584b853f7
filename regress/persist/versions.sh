# Another version of a class takes its instances over, in every session, lazily and written anew in steps; abort undoes it.
# become swaps two objects for all who refer to them.  Attributes and constants of the session's own.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e '
Maglev.persistent do
  class Person
    attr_accessor :name
    attr_transient :cache
    def initialize(name) = @name = name
    def shown = "old #{@name}"
  end
  module Firm; class Part < Person; end; end
end
Maglev[:people] = Array.new(25) { |i| Person.new("p#{i}") }
Maglev[:firm] = Firm::Part.new("part")
Maglev.commit'
session_open a
session_open b
said '=> "old p3"' a 'Maglev[:people][3].shown'
said '=> "old p0"' b 'Maglev[:people][0].shown'
define='Maglev.persistent { class Person; attr_accessor :name, :age; def shown = "new #{@name} #{@age.inspect}"; end }'
# abort
said '=> "new p3 nil"' a "OLD = Person; Person.maglev_redefine { $define }; Maglev[:people][3].shown"
said '=> [["old p3", "old p4"], true]' a 'Maglev.abort; [Maglev[:people][3, 2].map(&:shown), Person.equal?(OLD)]'
# what is no new version
said '=> [ArgumentError, true]' a 'begin; Person.maglev_redefine { }; rescue ArgumentError => e; end; [e.class, Person.equal?(OLD)]'
session a 'Maglev.abort' >/dev/null
# lazily
said '=> "new p4 nil"' a "Person.maglev_redefine { $define }; Maglev[:people][4].shown"
said '=> true' a 'Maglev.commit'
said '=> ["old p0", "old p5"]' b 'Maglev[:people].values_at(0, 5).map(&:shown)'
said '=> ["new p0 nil", "new p5 nil", true, 2]' b 'Maglev.abort; [*Maglev[:people].values_at(0, 5).map(&:shown), Maglev[:people].all?(Person), Person.class_history.size]'
said '=> true' b 'Maglev[:people][5].age = 5; Maglev.commit'
prints '["new p5 5", "new p6 nil", true]' lode -e 'p [*Maglev[:people][5, 2].map(&:shown), Maglev[:people].all? { |o| o.instance_of?(Person) }]'
said '=> ["old part", "part"]' b '[Maglev[:firm].shown, Maglev[:firm].name]'
# in steps
said '=> [24, 1]' b '[Maglev.count_instances(Person.class_history[0], subclasses: false), Maglev.count_instances(Person)]'
said '=> 24' b 'Maglev.migrate_instances(Person.class_history[0], chunk: 10) { |o| o.age ||= 0 }'
said '=> [0, 25, "new p24 0"]' b '[Maglev.count_instances(Person.class_history[0], subclasses: false), Maglev.count_instances(Person), Maglev[:people][24].shown]'
kill_everything
session_close a
session_close b
prints '[25, true, 5]' lode -e 'p [Maglev.count_instances(Person), Maglev[:people].all?(Person), Maglev[:people][5].age]'
prints '[:refused, [25, "third"], 3]' lode -e '
define = -> { Maglev.persistent { class Person; attr_accessor :name, :age; def shown = "third"; end } }
Maglev[:x] = 1
refused = begin; Person.maglev_redefine(commit: true, &define); rescue Maglev::MaglevException; :refused; end
Maglev.abort
Person.maglev_redefine(commit: true, &define)
p [refused, [Maglev.count_instances(Person), Maglev[:people][0].shown], Person.class_history.size]'

# become
prints '' lode -e '
Maglev.persistent { class Left; attr_accessor :l; end; class Right; attr_accessor :r, :s, :t, :u, :v, :w; end }
l = Left.new; l.l = 1
r = Right.new; r.r = r; r.w = [2]
Maglev.persistent { def r.only = :r }
Maglev[:l] = l; Maglev[:ls] = [l]; Maglev[:r] = r; Maglev[:texts] = ["a", "b"]
Maglev.commit
l.become(r)
Maglev[:texts][0].become(Maglev[:texts][1])
Maglev.commit'
prints '[[Right, true, [2], :r], [Left, 1, []], ["b", "a"], true]' lode -e '
l, r = Maglev[:l], Maglev[:r]
p [[l.class, l.r.equal?(r), l.w, l.only], [r.class, r.l, r.singleton_methods], Maglev[:texts], Maglev[:ls][0].equal?(l)]'
prints '[ArgumentError, ArgumentError, ArgumentError, FrozenError]' lode -e '
p [[1, 2], ["s", Object.new], [proc {}, proc {}], [Object.new.freeze, Object.new]].map { |a, b| begin; a.become(b); rescue => e; e.class; end }'

# the session's own: attributes stay out of commits, survive abort; constants have a value in each session
session_open a
session_open b
said '=> [1, true, false]' a 'Maglev.persistent { class Person; attr_transient :cache; end; class Words < String; attr_transient :cache; end }; Maglev[:w] = Words.new("w"); Maglev.commit; o = Maglev[:people][0]; o.cache = 1; Maglev[:w].cache = 2; [o.cache, o.instance_variables == [:@name, :@age, :@cache], Maglev.needs_commit]'
said '=> [1, 2, "changed"]' a 'Maglev[:w].instance_variable_set(:@kept, "changed"); Maglev.commit; Maglev.abort; GC.start; [Maglev[:people][0].cache, Maglev[:w].cache, Maglev[:w].instance_variable_get(:@kept)]'
said '=> [nil, nil, [:@kept]]' b 'Maglev.abort; [Maglev[:people][0].cache, Maglev[:w].cache, Maglev[:w].instance_variables]'
said '=> [1, 2, "p0!"]' b 'Maglev[:people][0].name << "!"; Maglev[:w] << "!"; Maglev[:people][0].cache = 1; Maglev[:w].cache = 2; Maglev.commit; [Maglev[:people][0].cache, Maglev[:w].cache, Maglev[:people][0].name]'
said '=> [1, 2, "p0!", "w!"]' a 'Maglev.abort; [Maglev[:people][0].cache, Maglev[:w].cache, Maglev[:people][0].name, Maglev[:w]]'
# ... by whatever name and way the variable is reached: in methods, by reflection, of classes that include a module, of a
# class itself, in sites that ran before it was declared
prints '[false, ["raw", "raw", true, [:@raw, :@list]], [1, [2]], "module", nil, [:@kept]]' lode -e '
Maglev.persistent do
  module Noted; attr_transient :note; end
  class Odd
    include Noted
    attr_transient :@raw, :list
    class << self; attr_transient :registry; end
    attr_accessor :kept
    def raw = @raw
    def raw=(value)
      @raw = value
    end
    def list = @list ||= [1]
  end
end
Odd.registry = 3
o = Maglev[:odd] = Odd.new
Maglev.commit
before = o.raw
o.raw = "raw"
o.list
o.note = "module"
dirty = Maglev.needs_commit
names = o.instance_variables - [:@note]
copy = Marshal.load(Marshal.dump(o))
o.kept = 1
Maglev.commit
o.list << 2
Maglev.abort
got = [o.raw, o.instance_variable_get(:@raw), o.instance_variable_defined?(:@raw), names]
p [dirty, got, [o.kept, o.list.drop(1)], o.note, o.dup.remove_instance_variable(:@raw) && copy.raw, copy.tap { it.kept = 2 }.instance_variables]'
prints '[nil, nil, [1], nil, false, [:@kept, :@list]]' lode -e '
o = Maglev[:odd]
p [Odd.registry, o.raw, o.list, o.note, Maglev.needs_commit, o.instance_variables]'
prints '[nil, nil, 5, 6, 5, 6, false, nil]' lode -e '
Maglev.persistent { class Late; def a = @a; def a=(x); @a = x; end; attr_accessor :b; end }
late = Array.new(3) { Late.new }
late.each { |o| o.a; o.b }
Late.new.tap { |o| o.a = o.b = 1 }
Maglev[:late] = late
Maglev.persistent { class Late; attr_transient :@a, :@b; end }
Maglev.commit
o = late[1]
before = [o.a, o.b]
o.a = 5
o.b = 6
p [*before, o.a, o.b, o.instance_variable_get(:@a), o.instance_variable_get(:@b), Maglev.needs_commit, late[0].a]'
said '=> true' a 'Maglev.persistent { Firm.transient_const_set(:PID) { Process.pid } }; Maglev.commit; Firm::PID == Process.pid && Firm::PID.equal?(Firm::PID)'
said '=> true' b 'Maglev.abort; Firm::PID == Process.pid'
said '=> [NameError, ArgumentError]' b '[-> { Firm.transient_const_set(:pid) { } }, -> { Firm.transient_const_set(:Pid) }].map { |l| begin; l.call; rescue => e; e.class; end }'
session_close a
session_close b

# An instance with methods or modules of its own keeps them, and is one of the newest version all the same.
prints '' lode -e '
Maglev.persistent do
  class Lone; attr_accessor :name; def shown = "old #{@name}"; def self.kind = :old; end
  module Extra; def extra = "extra #{shown}"; end
  Coin = Struct.new(:x, :y)
  a = Lone.new.tap { it.name = "a" }
  def a.only = "only #{shown}"
  b = Lone.new.tap { it.name = "b" }.extend(Extra)
  c = Coin.new(1, 2)
  def c.both = [x, y]
  Maglev[:lone] = [a, b, c]
end
Maglev.commit'
cat >lone.rb <<'RUBY'
def look
  a, b, c = Maglev[:lone]
  [a.only, b.extra, c.both, [a, b].all?(Lone), a.singleton_class.superclass.equal?(Lone), a.singleton_class.kind, c.instance_of?(Coin)]
end
$redefine = -> do
  Lone.maglev_redefine { Maglev.persistent { class Lone; attr_accessor :name; def shown = "new #{@name}"; def self.kind = :new; end } }
  Coin.maglev_redefine { Maglev.persistent { Coin = Struct.new(:x, :y) } }
end
RUBY
old='["only old a", "extra old b", [1, 2], true, true, :old, true]'
new='["only new a", "extra new b", [1, 2], true, true, :new, true]'
session_open b
said "=> $old" b 'load "./lone.rb"; look'
prints "$old
$new
$old
$new" lode -e 'load "./lone.rb"
p look
$redefine.()
p look
Maglev.abort
p look
$redefine.()
p look
Maglev.commit'
said "=> [$new, false]" b 'Maglev.abort; [look, Maglev.needs_commit]'
session_close b
prints "$new
true" lode -e 'load "./lone.rb"
p look
Maglev[:lone].each { |o| o.instance_variable_set(:@changed, 1) }
p Maglev.commit'
prints "$new" lode -e 'load "./lone.rb"; p look'
