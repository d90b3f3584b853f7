class Foo
  X = 1
  @@count = 0
  attr_accessor :a
  def initialize(a = nil, **k) = (@a = a; @@count += 1)
  def self.count = @@count
  class << self
    def make(*args, **kw, &b) = new(*args, **kw, &b)
    attr_accessor :cfg
  end
  def ==(o) = o.is_a?(Foo) && a == o.a
  def [](i) = @a[i]
  def []=(i, v); @a[i] = v; end
  def +(o) = Foo.new(a + o.a)
  def -@ = Foo.new(-a)
  def !; :neg; end
  def call(x) = x * 2
  def to_s = "Foo(#{a})"
  def method_missing(n, *args)
    [:dyn_x, :dyn_y].include?(n) ? [n, args] : super
  end
  def respond_to_missing?(n, p = false) = [:dyn_x, :dyn_y].include?(n) || super
  protected def prot = 1
  private
  def priv = 2
end
f = Foo.make([1,2,3])
p f[0], (f[1] = 9), f.a
f[2] += 5
f[0] ||= 7
p f.a
p (Foo.new(1) + Foo.new(2)).to_s, (-Foo.new(3)).a, (!f), f.(4)
p f.dyn_x(1, 2), f.respond_to?(:dyn_y)
begin; f.zork; rescue NoMethodError => e; puts e.message; end
begin; f.priv; rescue NoMethodError => e; puts e.message; end
begin; f.prot; rescue NoMethodError => e; puts e.message; end
begin; zork; rescue NameError => e; puts e.message; end
begin; Zork; rescue NameError => e; puts e.message; end
begin; nil.foo; rescue NoMethodError => e; puts e.message; end
p Foo.count, Foo::X
Foo.cfg = 5
p Foo.cfg
class Bar < Foo
  def initialize(a) 
    super
    @b = a
  end
  def to_s = "Bar<" + super + ">"
  def self.inherited(k); (@subs ||= []) << k.name; super; end
  def self.subs = @subs
end
class Baz < Bar; end
p Bar.subs, Bar.new(4).to_s, Baz.superclass, Baz.ancestors.first(3)
module M
  def hi = "hi from #{self.class}"
  def self.included(b); b.extend(CM); end
  module CM; def cm = :cm; end
  Y = 2
end
class Foo; include M; end
p Foo.new.hi, Foo.cm, Foo::Y
o = Object.new
def o.single = :s
p o.single, o.singleton_methods
o.instance_eval { @z = 4 }
p o.instance_variable_get(:@z)
Foo.class_eval { def added = :added }
p f.added
p Foo.instance_method(:hi).owner
Foo.define_method(:dm) { |x, y = 2| [self.class, x, y] }
p f.dm(1)
p f.send(:priv), f.public_send(:added)
A = Class.new(Foo) { def q = 5 }
p A.name, A.new.q
p A.instance_methods(false)
class Foo; alias old_hi hi; alias_method :older_hi, :hi; end
p f.old_hi, f.older_hi
class Foo; undef old_hi; end
p f.respond_to?(:old_hi)
module Outer
  V = 1
  module Inner
    def self.v = V
    W = V + 1
  end
end
p Outer::Inner.v, Outer::Inner::W
Outer::NEW = 7
p Outer.constants.sort
Outer::Z ||= 8
p Outer::Z
x = 10
add = lambda { |y| x += y }
add.(5)
p x
def counter
  n = 0
  [-> { n += 1 }, -> { n }]
end
i, g = counter
i.(); i.()
p g.call
def blk; yield 1, 2; end
blk { |a, b = 5, *c| p [a, b, c] }
p [[1, [2, 3]]].map { |a, (b, c)| a + b + c }
compose = ->(f, g) { ->(x) { g.(f.(x)) } }
p compose.(->(x) { x + 1 }, ->(x) { x * 2 }).(3)
p %w[a b].each_with_index.to_a
p (1..3).each_slice(2).to_a, (1..3).inject(:+)
def ret_multi = return 1, 2
p ret_multi
p [3,1,2].sort { |a, b| b <=> a }, [3,1,2].sort_by { -_1 }
p "abc".then { _1.upcase }
p __FILE__.end_with?(".rb")
p [1,2,3].frozen?, "a".frozen?, :a.frozen?
def kwo(a:, b: a * 2) = [a, b]
p kwo(a: 1), kwo(b: 1, a: 5)
h = {a: 1, b: 2}
p kwo(**h)
begin; kwo; rescue ArgumentError => e; puts e.message; end
begin; kwo(a: 1, c: 2); rescue ArgumentError => e; puts e.message; end
begin; f.dm; rescue ArgumentError => e; puts e.message; end
begin; [1].first(1,2); rescue ArgumentError => e; puts e.message; end
a = b = 3
p a + b
v = [1, 2, 3]
first, = v
p first
(a, b), c = [1, 2], 3
p a, b, c
p((a += 1; a))
p [*"a".."e"].join
puts <<~X
  heredoc #{a}
    indented
X
p "a" "b" 'c'
p ?a, 0x1f, 0b11, 1e3, 1r/3, 2i
p :"foo bar", :+, %q(a'b), %Q(a#{1})
printf("%d %s\n", 1, "x") rescue p $!.class
p [1,2] <=> [1,3]
p (begin; 1; ensure; 2; end)
