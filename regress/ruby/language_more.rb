# evaluation order of targets
class Rec
  def initialize(n) = @n = n
  def x=(v); puts "#{@n}.x=#{v}"; end
  def []=(i, v); puts "#{@n}[#{i}]=#{v}"; end
  def [](i) = (puts "#{@n}[#{i}]"; nil)
  def x = (puts "#{@n}.x"; nil)
end
def r(n) = (puts "recv #{n}"; Rec.new(n))
def v(n) = (puts "val #{n}"; n)
r(1).x, r(2)[v(3)], * = v(4), v(5)
r(1).x ||= v(2)
r(1)[v(1)] ||= v(2)
r(1)&.x = v(3)
r(6)[v(1)], (r(7).x, *r(8).x) = v(2), [1, 2, 3]
# super in various places
class P
  def a(x, y = 2, *z, k: 3, **o, &b) = [x, y, z, k, o, b&.call]
  def b(x) = "P#b(#{x})"
  def c(*) = "P#c"
  def self.s(x) = "P.s #{x}"
end
class C < P
  def a(x, y = 5, *z, k: 6, **o, &b)
    x += 1
    [super, super(), (super(9) { :blk })]
  rescue ArgumentError => e
    [super, e.message, (super(9) { :blk })]
  end
  def b(x) = [1, 2].map { |i| super(i) + super(x) }
  def c(a, *b, **c) = super
  define_method(:d) { |x| [x, method(:b).super_method.call(x)] }
  def self.s(x) = super + "!"
end
p C.new.a(1), C.new.a(1, 2, 3, k: 4, z: 5) { :orig }
p C.new.b(3), C.new.c(1, 2, k: 1), C.new.d(4), C.s(1)
class Z < P
  def b(x)
    l = -> { super(x) }
    m = lambda { |y| super(y) }
    [l.call, m.call(7), (1..2).map { |q| [q].map { super(q) } }]
  end
end
p Z.new.b(5)
module Pre; def b(x) = "Pre(" + super + ")"; end
class P; prepend Pre; end
p Z.new.b(5)[0], P.new.b(1)
# blocks
x = 10
[1, 2].each { |i; x| x = i }
p x
y = [1, 2, 3].each_with_object([]) { |i, acc| acc << i * 2 }
p y
adders = (1..3).map { |i| ->(n) { n + i } }
p adders.map { |a| a.(10) }
w = 0
while w < 3
  w += 1
  z = w * 2 if w == 2
end
p z
def block_rescue
  [1, 0].map do |d|
    10 / d
  rescue ZeroDivisionError
    :inf
  else
    :fine
  ensure
    print "e"
  end
end
p block_rescue
def yielder
  r = yield 1
  "got #{r}"
end
p yielder { |q| next q + 1 }
p (yielder { |q| break q + 5 })
def nest
  [1, 2, 3].each do |i|
    [4, 5].each do |j|
      next if j == 4
      break if i == 2
      return [i, j] if i == 3
    end
  end
end
p nest
def loop_ens
  log = []
  3.times do |i|
    begin
      begin
        next if i == 0
        break if i == 1
      ensure
        log << "in#{i}"
      end
    ensure
      log << "out#{i}"
    end
  end
  log
end
p loop_ens
def ens_order
  log = []
  begin
    begin
      log << 1
      raise "x"
    ensure
      log << 2
    end
  rescue
    log << 3
  ensure
    log << 4
  end
  log
end
p ens_order
def ret_in_loop
  while true
    begin
      return 1
    ensure
      break
    end
  end
  2
end
p ret_in_loop
def retry_ens
  n = 0
  begin
    n += 1
    raise "a" if n < 3
    n
  rescue
    retry
  ensure
    n += 10
  end
end
p retry_ens
# hashes and keywords
a = 1; b = 2
h = {a:, b:, c: 3}
p h
def kws(a:, b: a + 1, **r) = [a, b, r]
p kws(**h), kws(a:, b:)
p kws(a: 1, **{c: 5}, d: 6)
def opt_args(a, (b, c), d = b, *e, f) = [a, b, c, d, e, f]
p opt_args(1, [2, 3], 4), opt_args(1, [2], 3, 4, 5, 6)
def last_hash(a, h = {}) = [a, h]
p last_hash(1, x: 2), last_hash(1, {x: 2})
def anon_block(&) = [1, 2].map(&)
p anon_block { _1 + 1 }
p %w[a b].map(&:upcase), [[1, 2]].to_h { |a, b| [b, a] }
m = 5.method(:+)
p m.call(3), [1, 2].map(&5.method(:+))
p (m >> ->(q) { q * 2 }).call(1)
p :upcase.to_proc.call("x")
add = ->(a, b, c) { a + b + c }
p add.curry[1][2][3], add.curry.(1, 2).(3)
# heredocs and strings
t = <<~A + <<~"B" + <<-'C'
  one #{1 + 1}
    two
A
  three
B
    four #{x}
    C
p t
p "a#{"b#{"c"}"}", 'a\nb', "tab\tq", "\u00e9\x41\101", "#{}"
p "%s and %p" % ["x", "y"], "abc"[1..], "hello"[-3, 2]
# ranges, flip, misc
p (1..), (..5), (1...3).to_a, ("a".."e").step(2).to_a
p [1, 2, 3, 4][1..-2], [*1..3, *"a".."c"]
p((1..20).select { |i| true if (i % 5 == 0)..(i % 3 == 0) })
p((1..20).select { |i| true if (i % 5 == 0)...(i % 5 == 0) })
puts [1, 2, 3].then { |a, *| a }.inspect
i = 5
i -= 1 until i < 2
p i
begin; i += 1; end while i < 4
p i
p [3, 1, 2].max_by { |q| -q }, (1..4).each_cons(2).to_a, (1..6).each_slice(4).to_a
p __method__.inspect, self.to_s, self.class
p Module.nesting
module Aa; module Bb; p Module.nesting; end; end
module Aa::Bb; p Module.nesting; end
p defined?(@@zz), defined?($zz), defined?(Aa::Bb), defined?(Aa::Cc), defined?(String.new), defined?(String.zork)
p [1, [2, [3, [4]]]].flatten(1)
p (true && nil || :x), (false or true), (not false)
p 1.+(2), 5.fdiv(2), 7.divmod(-2), -7 % 3, 2**-1, 10.pow(3, 7)
c = Class.new { attr_accessor :v; def initialize(v) = @v = v; def <=>(o) = v <=> o.v; include Comparable; def coerce(o) = [o, v] }
p c.new(1) < c.new(2), [c.new(3), c.new(1)].min.v, 5 + c.new(2), c.new(1).clamp(c.new(2), c.new(3)).v
p ObjectSpace.respond_to?(:each_object), 5.frozen?, nil.to_a, nil & true
case [1, 2]
when ->(q) { q.size == 3 } then p 3
when Array then p :arr
end
puts (begin Integer("12") rescue 0 end)
p "abc".tr('a-c', 'A-C'), "a,b;c".split(/[,;]/), "x1y22".scan(/\d+/), "foo".sub(/o/) { $&.upcase }
p "2024-01-02".match(/(\d+)-(\d+)/)&.captures, $1, $~.pre_match
p "abc".each_char.with_index.map { |ch, ix| ch * ix }
catch(:x) { 10.times { |q| throw :x if q == 3 }; p :never }
p [1, 2, 3].lazy.map { _1 * 2 }.to_a, 3.times.to_a, 1.step(10, 4).to_a
