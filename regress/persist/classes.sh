# Classes, modules, singleton methods, constants, class variables and procs live in the store; transient ones do not.
. "$LODE_TOP/regress/lib.sh"
cat >define.rb <<'RUBY'
Maglev.persistent do
  module Greeting
    WORD = "hello"
    def greet(name) = "#{WORD}, #{name}"
  end
  class Base
    include Greeting
    @@count = 0
    attr_accessor :name
    def initialize(name) = (@name = name; @@count += 1)
    def self.count = @@count
    class << self
      def build(*names, &block) = names.map { |n| new(n).tap(&block) }
    end
    def <=>(other) = name <=> other.name
    include Comparable
    protected def key = name
    def same_key?(other) = other.key == key
  end
  class Derived < Base
    Inner = Struct.new(:a, :b)
    def greet(name) = super(name) + "!"
    def each_name
      return to_enum(:each_name) unless block_given?
      yield name
      yield name.upcase
    end
  end
end
factor = 3
Maglev[:proc] = proc { |x, *rest, k: 2| [x * factor * k, rest] }
Maglev[:lambda] = ->(x) { factor += x }
d = Derived.new("ann")
def d.special = "only #{name}"
Maglev[:derived] = d
Maglev[:struct] = Derived::Inner.new(1, [2])
Maglev[:list] = Base.build("x", "y") { |b| b.name = b.name * 2 }
Maglev.commit
RUBY
prints '' lode define.rb
mv define.rb gone
cat >use.rb <<'RUBY'
d = Maglev[:derived]
puts d.greet("bob"), Derived::WORD, Base.count, Derived.ancestors.first(3).inspect
p d.each_name.to_a, Maglev[:struct], Maglev[:list].map(&:name), Maglev[:list].max.name
p Maglev[:proc].call(2), Maglev[:proc].(1, 9, k: 5)
p Maglev[:lambda].call(1), Maglev[:lambda].call(1)
p d.singleton_methods, d.same_key?(d)
RUBY
expected='hello, bob!
hello
0
[Derived, Base, Comparable]
["ann", "ANN"]
#<struct Derived::Inner a=1, b=[2]>
["xx", "yy"]
"yy"
[12, []]
[15, [9]]
4
5
[]
true'
prints "$expected" lode use.rb
kill_everything
prints "$expected" lode use.rb

# A transient class can't be committed, and the error leads to it.
exits 0 lode -e '
class Passing; end
begin
  Maglev[:bad] = [1, {k: Passing.new}]
  Maglev.commit
rescue TransactionError => e
  p e.class, e.object.class
end
Maglev.abort
p Maglev[:bad]'
contains "the culprit" "TransactionError" "$out"
contains "abort drops it" "nil" "$out"
# A method added in transient mode is the session's own; in persistent mode everyone's.
prints 'patched' lode -e 'class Base; def patch = "patched"; end; Maglev.commit; puts Maglev[:derived].patch'
prints 'NoMethodError' lode -e 'begin; Maglev[:derived].patch; rescue NoMethodError => e; puts e.class; end'
prints '' lode -e 'Maglev.persistent { class Base; def patch = "for all"; end }; Maglev.commit'
prints 'for all' lode -e 'puts Maglev[:derived].patch'
