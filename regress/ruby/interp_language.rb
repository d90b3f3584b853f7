class Par
  def self.inherited(k) = (@subs ||= []) << k.name
  def self.subs = @subs
  def self.method_added(m) = (@added ||= []) << m
  def self.added = @added
  def a = 1
  private
  def pa = 2
  public def pb = 3
  protected
  def pc = 4
  private attr_reader :zed
  X = 10
  @@cv = 5
  def self.cv = @@cv
  public def cvset(v) = @@cv = v
  class << self
    Y = 20
    def y = Y
    attr_accessor :conf
    private def hid = 1
  end
end
class Chi < Par
  def a = super + 10
  def x = X
  alias old_a a
  def a = old_a + 100
end
p Par.subs, Par.added, Chi.new.a, Chi.new.x, Par.cv, Chi.new.cvset(6), Par.cv, Par.y
Par.conf = 3
p Par.conf, Chi.conf
begin; Par.hid; rescue NoMethodError => e; puts e.message; end
begin; Par.new.pa; rescue NoMethodError => e; puts e.message; end
p Par.private_instance_methods(false).sort, Par.protected_instance_methods(false)
K = Class.new(Par) do
  def kk = :kk
  define_method(:kd) { self.class.name }
  X2 = 5
end
p K.new.kk, K.new.kd, K.superclass, K.name, X2
M = Module.new do
  def mm = :mm
  def self.included(b) = b.extend(self::ClassM)
  self::ClassM = Module.new { def cm = :cm }
end
class K; include M; end
p K.cm, K.new.mm, K.ancestors.take(3)
S = Struct.new(:a, :b) do
  def sum = a + b
  def to_s = "S(#{a})"
end
p S.new(1, 2).sum, "#{S.new(1, 2)}", S.new(3, 4)
s = S.new(1, 2)
case s
in [a, b] then p [a, b]
end
case {name: "Bob", age: 5, extra: {k: [1, 2, {z: 3}]}}
in {name: String => n, age: Integer => ag, extra: {k: [*, {z:}]}} if ag > 3
  p n, ag, z
end
r = case 5
in 0..3 then :low
in 4.. then :high
end
p r
x = [1, [2, 3, 4], {k: 1}]
if x in [Integer => q, [_, *rest], {k:}]
  p q, rest, k
end
begin
  case 7
  in 1 | 2 then 1
  end
rescue NoMatchingPatternError => e
  p e.message
end
v = 5
case 5
in ^v then puts "pinned"
end
case [1,2,3,42,5]
in [*, 40..50 => found, *post] then p found, post
end
in_h = {a: 1}
p((in_h in {a: Integer}), (in_h in {b: 1}))
def flip = (1..20).select { |i| true if (i % 5 == 0)..(i % 3 == 0) }
p flip
n = 0
r = [1, 2, 3].each do |i|
  n += 1
  redo if n == 2
end
p n
def ens_override
  begin
    return 1
  ensure
    return 2
  end
end
p ens_override
def ens_break
  while true
    begin
      break 5
    ensure
      puts "eb"
    end
  end
end
p ens_break
def nest
  yield
ensure
  [1].each { |x| puts "n#{x}" }
end
p nest { next 3 }
p [[1, 2], [3, 4]].each_with_object([]) { |(a, b), acc| acc << a * b }
puts [1, 2, 3].each_with_index.to_a.inspect
a = *1..3, *[4, 5]
p a
b, *c = *"x"
p b, c
def kwd(a, b = a * 2, *c, d:, e: d + 1, **f) = [a, b, c, d, e, f]
p kwd(1, d: 4), kwd(1, 2, 3, d: 4, e: 5, g: 6)
h = {d: 1, z: 2}
p kwd(0, **h, y: 3)
def blk(&b) = b
p blk.nil?, blk {}.lambda?
p %w[a b].each_with_index.map { |s, i| s * i }
l = ->(a, b = 2, *c, k: 1, &d) do [a, b, c, k] end
p l.(1), l[1, 3, 4, k: 9]
p [1, 2, 3].then { |a, *b| [a, b] }
p((1..3).reduce { |s, i| s + i }, (1..3).each_slice(2).map(&:sum))
str = +"abc"
str << "d" << "e"
p str, str.frozen?
puts <<~A + <<-B
  indented #{1 + 1}
    more
A
  raw
  B
p "a#{1}b" "c", 'x' 'y', ?a, :"a b", %i[a b], %q(it's), %Q(#{1})
p __method__.inspect, [__LINE__]
$, = nil
p 1.+(2), 5.fdiv(2), 7.divmod(-2), -7 / 2, 2**100, 10.pow(3, 7)
p 1 <=> 2, 1 == 1.0, 1.eql?(1.0), 1.equal?(1), 0.1 + 0.2, 1e20.to_i, 3.7 % 1
p 5.clamp(1, 3), 5.between?(1, 10), 10.digits, 255.to_s(16), "ff".hex
ObjectSpace.each_object(Class).first.class.then { p _1 }
o = Object.new
class << o
  def hi = "hi"
  attr_accessor :w
  Z = 1
end
o.w = 5
p o.hi, o.w, o.singleton_methods.sort, o.singleton_class.const_get(:Z)
d = o.clone
p d.hi, (o.dup.hi rescue "no")
f = o.freeze
begin; f.w = 1; rescue FrozenError => e; puts e.message.sub(/0x\h+/, ""); end
p f.frozen?, f.clone.frozen?, f.clone(freeze: false).frozen?
module Util
  module_function
  def helper(x) = x + 1
end
p Util.helper(1)
class Nm
  def respond_to_missing?(m, priv = false) = m.to_s.start_with?("dyn_")
  def method_missing(m, *a, **k, &b)
    return [m, a, k, b&.call] if m.to_s.start_with?("dyn_")
    super
  end
end
p Nm.new.dyn_x(1, k: 2) { 3 }, Nm.new.respond_to?(:dyn_q), Nm.new.method(:dyn_z).call
begin; Nm.new.other; rescue NoMethodError => e; puts e.message; end
p defined?(@@a), defined?(Par), defined?(Par.y), defined?(String.new), defined?(3 + 3), defined?(nil), defined?(self), defined?(@foo = 1)
p [1, 2, 3, 4].partition(&:even?), %w[x y z].zip(1..3), [3, 1, 2].max_by { |x| -x }
p [1, nil, 2].compact.sum { |x| x * 2 }, [[1, :a], [2, :b]].to_h { |a, b| [b, a] }
i = 10
i -= 1 while i > 5
p i
p (i > 3 and i < 10), (not i.nil?)
puts [nil, true, false].map { |x| x.to_s.empty? ? "e" : x.to_s }.join(",")
a = [1, 2, 3]
a => [first, *]
p first
x ||= 5; y = nil; y &&= 1; z = nil
z ||= begin 3 end
p x, y, z
h = Hash.new { |hh, k| hh[k] = k * 2 }
h[1] += 1
p h, h[5]
@iv ||= []
@iv << 1
p @iv
A1, B1 = 1, 2
p A1 + B1
obj = Struct.new(:v).new(1)
obj.v += 5
obj&.v -= 1
nil&.foo
p obj.v
p [1,2,3].sum.then { it + 1 }
def endless = 42
p endless
p(->(x) { x }.curry, :a.to_proc.call("b")) rescue puts "err #{$!.message}"
puts "%05.2f|%-5s|%+d|%x|%o|%e|%s" % [3.14159, "ab", 5, 255, 8, 12345.678, :sym]
p "abc".then { |s| s.tr("a-c", "A-C") }
at_exit { puts "at_exit" }
