# eval, binding, require, autoload, hooks, refinements, ObjectSpace, method objects
def get_b; loc = 1; blk = 2; binding; end
b = get_b
p b.local_variables, b.eval("loc + blk"), b.local_variable_defined?(:nope), b.receiver
b.eval("newv = 10")
p b.eval("newv"), b.local_variable_get(:newv), b.local_variables
b.local_variable_set(:loc, 100)
p b.eval("loc")
x = 5
p eval("x + 1"), eval("y = 3; y + x")
p (eval("y") rescue "no y")
p binding.eval("__FILE__").class, eval("__LINE__"), eval("[__FILE__, __LINE__]", nil, "foo.rb", 77)
begin
  eval("1 +")
rescue SyntaxError => e
  puts e.message.lines.first
end
begin
  eval("raise 'a'", nil, "zz.rb", 5)
rescue => e
  puts e.backtrace[0]
end
class Ev; def initialize; @s = 1; end; def b = binding; end
p Ev.new.b.eval("@s"), Ev.new.instance_eval("@s + 1"), Ev.class_eval("self")
Ev.class_eval <<~R, "gen.rb", 10
  def gen(a) = a * @s
  def err = raise("gen")
R
p Ev.new.gen(4)
begin; Ev.new.err; rescue => e; puts e.backtrace[0]; end
pr = eval("proc { |q| x + q }")
p pr.call(1)
z = 1
add = lambda { z += 1 }
add.(); add.()
p z
counter = Enumerator.produce(1) { |v| v * 2 }
p counter.take(5), counter.lazy.reject(&:odd?).first(3)
def each_pair_thing
  return to_enum(:each_pair_thing) { 3 } unless block_given?
  yield 1, 2
  yield 3, 4
end
e = each_pair_thing
p e.size, e.next, e.next, e.to_a
ee = [1, 2, 3].each_with_index
p ee.next, ee.peek, ee.next
g = (1..3).each_entry
p g.next
ext = [10, 20].each
loop do
  p ext.next
end
p :after
e1 = [1, 2].each
e2 = [3, 4].each
r = []
loop { r << [e1.next, e2.next] }
p r
z = Enumerator::Yielder rescue 0
ch = %w[a b].each.with_index(1).map { |s, i| "#{i}#{s}" }
p ch
p [4, 5].each.with_object([]).to_a
lz = (1..Float::INFINITY).lazy.map { |i| i * 2 }.select { |i| i % 3 == 0 }
p lz.first(2), lz.class
o = Object.new
def o.<=>(other) = 0
o.extend Comparable
p o == Object.new
class Meta
  def self.const_missing(n) = "missing #{n}"
  %w[a b].each { |n| define_method("m_#{n}") { |*args, **kw, &blk| [n, args, kw, blk&.call] } }
end
p Meta::Foo, Meta.new.m_a(1, k: 2) { 3 }
p Meta.instance_methods(false), Meta.instance_method(:m_a).arity, Meta.method_defined?(:m_b)
Meta.send(:remove_method, :m_a)
p Meta.method_defined?(:m_a)
Meta.send(:undef_method, :m_b)
begin; Meta.new.m_b; rescue NoMethodError => e; puts e.message.sub(/0x\h+/, ""); end
class Meta; def to_str = "meta"; def to_ary = [1, 2]; def to_proc = proc { |x| x + 1 }; def coerce(o) = [o, 10]; def to_hash = {a: 1}; def ===(o) = o == 5; def call(*a) = a; end
p "x" + Meta.new, [0] + Meta.new, [1].map(&Meta.new), 5 + Meta.new
case 5
when Meta.new then puts "==="
end
a, b2 = Meta.new
p a, b2
p Meta.new.(1, 2)
def splat_it(*a) = a
def kws(**k) = k
p kws(**Meta.new)
p [[1, [2]], Meta.new].flatten
p "#{Meta.new}".class
m = 5.method(:+)
p m.call(3), m.unbind.bind(7).call(1), m.owner, m.receiver
p [1, 2].method(:map).unbind.inspect rescue p $!.message
um = Array.instance_method(:size)
p um.bind([1, 2, 3]).call
begin; um.bind("x"); rescue TypeError => e; puts e.message; end
p method(:puts).to_proc.lambda?, :upcase.to_proc.call("a"), %w[a b].map(&:upcase)
def ret_multi = [1, 2].each { |x| return x, x + 1 }
p ret_multi
pr = proc { |x, y = 5, *z, k: 1| [x, y, z, k] }
p pr.call([1]), pr.call([1, 2, 3]), pr.call(1, k: 3), pr.call([1, {k: 2}])
def opt_block(a = (return :early; 1)) = a
p opt_block
def dflt(a, b = a + 1, c = b + 1) = [a, b, c]
p dflt(1), dflt(1, 5), dflt(1, 5, 9)
p (proc { |;a| a }).call(1)
def yield_many; yield; yield 1; yield 1, 2; yield [1, 2]; end
yield_many { |*a| p a }
yield_many { |a, b| p [a, b] }
yield_many { |a| p a }
yield_many { |(a, b), c| p [a, b, c] }
p((1..3).each_cons(2).to_a, [[1, 2], [3, 4]].map { |a, b| a + b }, {a: 1}.map { |k, v| [k, v] }, {a: 1}.map { |kv| kv })
p [[1, 2]].each { |a, | p a }
h = {a: 1, b: 2}
p h.each_with_index.map { |(k, v), i| [k, v, i] }, h.inject(0) { |s, (k, v)| s + v }, h.min_by { |k, v| -v }
p h.any? { |k, v| v > 1 }, h.find { |k, v| v == 2 }, h.sort_by { |k, v| -v }, h.each_with_object([]) { |(k, v), acc| acc << k }, h.group_by { |k, v| v.odd? }, h.partition { |k, v| v > 1 }, h.sum { |k, v| v }
p $PROGRAM_NAME.class, __FILE__ == $0
p Signal.list["INT"], Signal.signame(15)
p __callee__.inspect
def mycallee = __callee__
ObjectSpace.garbage_collect
p GC.count > 0
p Integer.instance_method(:+).inspect
def self.smeth = 1
p [1, 2, 3].each_slice(2).include?([3]), [3, 4].each.next
private def tpriv = 1
p tpriv, self.tpriv
begin; Object.new.tpriv; rescue NoMethodError => e; puts e.message; end
$stdout.flush

# The first line may be any number, also 0, which backtraces leave out.
eval("p __LINE__\np __LINE__", binding, "zero", 0)
eval("p __LINE__\np __LINE__", binding, "minus", -3)
begin
  eval("raise 'at zero'", TOPLEVEL_BINDING, "zero", 0)
rescue => e
  puts e.backtrace[0]
end
