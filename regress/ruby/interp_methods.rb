# methods, procs
class A
  def initialize(x) = @x = x
  def plus(y, z = 1, *r, k: 2, **o, &b) = @x + y
  def ==(o) = true
  protected def prot = 1
end
m = A.new(1).method(:plus)
p m.arity, m.parameters, m.name, m.owner, m.receiver.class
p m.unbind.class
p m.unbind.bind(A.new(5)).call(3)
p [1,2].map(&A.new(10).method(:plus))
um = A.instance_method(:plus)
p um.bind_call(A.new(2), 3)
f = proc { |a, b = 2, *c, d, e:, f: 1, **g, &h| }
p f.parameters, f.arity, f.lambda?, f.parameters(lambda: true)
l = lambda { |a, b| a + b }
p l.curry[1][2], l.arity, l.curry.(1).(2)
g = method(:p) << ->(x) { x * 2 }
g.call(4)
h = ->(x) { x + 1 } >> ->(x) { x * 2 }
p h.call(3)
p proc { |x| }.arity, proc { |*x| }.arity, proc { |x, y| }.arity, lambda { |x, y=1| }.arity, proc { || }.arity, proc { }.arity
p proc { |x, y=1| }.arity, proc { |(x, y), z| }.arity, lambda { |k:| }.arity, lambda { |k: 1| }.arity, lambda { |a, k:| }.arity, proc {|a, k:|}.arity
def o1(a, b) end; def o2(a, b=1) end; def o3(*a) end; def o4(a:, b: 1) end; def o5(a, b:) end; def o6(**k) end; def o7(a, **k) end
p %i[o1 o2 o3 o4 o5 o6 o7].map { |x| method(x).arity }
class A
  define_method(:dyn) { |x, y = 2| [self.class, x, y, block_given?] }
  define_method(:dynb) { |&b| b.call(@x) }
end
p A.new(1).dyn(1), A.new(7).dynb { |z| z + 1 }
begin; A.new(1).dyn; rescue ArgumentError => e; p e.message; end
p A.new(3).instance_eval { @x }, A.new(3).instance_exec(4) { |y| @x + y }
A.class_eval { def ce = 99 }
p A.new(1).ce
A.class_eval "def ce2 = 98"
p A.new(1).ce2
p A.new(1).instance_eval("@x + 1")
o = Object.new
o.instance_eval { def sing = 5 }
p o.sing, o.singleton_methods
p o.send(:class), o.public_send(:frozen?), o.__send__(:sing)
begin; A.new(1).public_send(:prot); rescue NoMethodError => e; puts e.message; end
# super
class B < A
  def initialize(x, y = 5) = super(x)
  def plus(y, z = 1, *r, k: 2, **o, &b)
    y += 100
    super
  end
end
p B.new(1).plus(1)
module M; def hi(n = 1) = "M#{n} " + super; end
class P1; def hi(n = 1) = "P#{n}"; end
class P2 < P1; include M; def hi(n = 2) = "P2 " + super; end
puts P2.new.hi
class P2; prepend(Module.new { def hi(*) = "pre " + super }); end
puts P2.new.hi(7)
def fwd(...) = tgt(...)
def tgt(*a, **k, &b) = [a, k, b&.call]
p fwd(1, 2, z: 3) { 4 }
def anon(*, **, &) = tgt(*, **, &)
p anon(1, a: 2) { 3 }
def hh(h) = h
p hh(a: 1), hh({a: 1}), tgt(*[1, 2], **{a: 1})
p tgt(**{}), tgt(*[], **{})
def last_hash(a, b = {}) = [a, b]
p last_hash(1, x: 2), last_hash({x: 1})
def kwonly(a: 1) = a
begin; kwonly({a: 2}); rescue ArgumentError => e; puts e.message; end
begin; kwonly(b: 2); rescue ArgumentError => e; puts e.message; end
begin; kwonly("a" => 2); rescue ArgumentError => e; puts e.message; end
p [[1, {a: 2}]].map { |x, a: 5| [x, a] }
p [[1, 2, 3]].map { |a, *b| b }, [[1, 2]].each_with_index.map { |(a, b), i| a + b + i }
def yielder; yield 1, 2, a: 3; end
yielder { |x, y, a:| p [x, y, a] }
yielder { |*x, **k| p x, k }
yielder { |x| p x }
yielder { |x, (y, z), w| p x, y, z, w }
def y2; yield [1, 2]; end
y2 { |a| p a }
y2 { |a, b| p a, b }
y2 { |a,| p a }
y2 { |a, k: 1| p a, k }
pr = proc { |a, b| [a, b] }
p pr.call(1), pr.call(1, 2, 3), pr.call([1, 2]), pr.(nil), pr.yield([3, 4]), pr === 5
p pr.curry.arity rescue p $!
c = 0
counter = -> { c += 1 }
3.times(&counter) rescue puts $!.message
p c
x = 10
[1].each { |i; x| x = i }
p x
p (proc { next 5; 6 }).call
p [1, 2, 3].inject(:+), [1,2,3].each_slice(2).to_a
z = while true do break "w" end
p z
p (begin; 1; ensure; 2; end)
def multi; return 1, 2; end
p multi
a, (b, *c2), d = 1, [2, 3, 4], 5
p a, b, c2, d
*a, b = 1, 2, 3
p a, b
h = {x: 1}
h => {x:}
p x
p(__LINE__, __FILE__.class, __dir__.class)
at_exit { puts "bye" }
at_exit { puts "bye2" }
p ObjectSpace::WeakMap.new.class
BEGIN { puts "begin!" }
def vis_test; end
p self.to_s, self.class
$g = 5
p $g, defined?($g), defined?($nope)
alias $gg $g
p $gg
p [1, 2, 3].frozen?, "lit".frozen?, :s.frozen?
