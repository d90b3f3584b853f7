# Call sites that see several classes, methods that change under them, and each way a cached call may run.
class A
  attr_accessor :x, :missing
  attr_reader :never
  def initialize(x) = @x = x
  def who(n) = [:a, n]
  def plan(a, b = a + 1, *, k: 10, l: k + b) = [a, b, k, l]
  def choices(a, b = 2, c = b + 1, k:, l: c) = [a, b, c, k, l]
  def options(k: 1, l: 2) = [k, l]
end
class B < A
  def who(n) = super.push(:b)
  def up(n = 3) = [n, who(n)]
end
class C < B
  def initialize(x)
    @y = 1
    super
  end
  def who(n) = super(n + 1) << :c
end
P = Struct.new(:x, :never)
objects = [A.new(1), B.new(2), C.new(3), P.new(4, 5)]

def read(o) = [o.x, o.never]
def write(o, v) = (o.x = v)
12.times { |i| print read(objects[i % 4]).inspect, write(objects[i % 4], i), " " }
puts
p objects.map { |o| o.x }, objects[0].missing

def ask(o, n) = o.who(n)
6.times { |i| p ask(objects[i % 3], i) }
class A
  def who(n) = [:new, n]
end
3.times { |i| p ask(objects[i], i) }
def (objects[1]).who(n) = [:single, *super]
2.times { 3.times { |i| p ask(objects[i], i) } }
p objects[1].up, objects[2].up(7)

frozen = A.new(9).freeze
[objects[0], frozen].each do |o|
  write(o, 1)
rescue FrozenError => e
  p e.class, e.receiver.equal?(frozen)
end

def call_plan(o, v) = [o.plan(v), o.plan(v, 5), o.plan(v, k: 3), o.plan(v, 1, 2, l: 4), o.plan(v, l: 1, k: 2)]
2.times { |i| p call_plan(objects[0], i) }
def call_choices(o) = [o.choices(1, k: 5), o.choices(1, 7, k: 5), o.choices(1, 7, 8, l: 0, k: 5), o.options, o.options(l: 5), o.options(l: 1, k: 3)]
2.times { p call_choices(objects[1]) }
def failing(o, n)
  case n
  when 0 then o.choices(1)
  when 1 then o.choices(k: 1)
  when 2 then o.choices(1, k: 1, z: 2)
  when 3 then o.choices(1, 2, 3, 4, k: 1)
  when 4 then o.options(1)
  when 5 then o.who
  when 6 then o.x(1)
  when 7 then o.send(:x=)
  end
rescue ArgumentError => e
  e.message
end
2.times { 8.times { |n| puts failing(objects[0], n) } }

# The caller's window has moved into an Env: arguments are copied.
def captured(o)
  all = []
  keep = -> { all }
  all << o.who(1) << o.plan(1, k: 2) << o.x
  all.each { |v| keep.call << 1 if v == 0 }
  twice { |v, w| all << [v, w] }
  keep.call
end
def twice
  get = proc { 1 }
  yield 1, 2
  yield [3, 4]
  yield get.call
end
2.times { p captured(objects[1]) }

# Procs called from one site.
adders = [->(a) { a + 1 }, proc { |a, b| [a, b] }, proc { |a| a }, :succ.to_proc, 5.method(:+).to_proc, ->(*a) { a }]
2.times { adders.each { |f| p f.call(3) } }
2.times { p adders[1].call([1, 2]), adders[1].call(1, 2, 3), adders[2].call(1, 2), (adders[0].call(1, 2) rescue $!.message) }
def pass(*args, &block) = yield(*args)
2.times { p pass(1, &adders[1]), pass([1, 2], &adders[1]), pass(4, &adders[0]), (pass(1, 2, &adders[0]) rescue $!.message) }

# Sorting by words of one kind, and by anything.
p [3, -1, 2**61, 0, -2**61].sort, [2.5, 0.0, -1e300, 1.0 / 0, -3.5].sort, %w[b abcdefghi a abcdefgh abcdefghij] .sort
p ["a\0", "a", "", "b"].sort, [[2, "b"], [1, "z"], [2, "a"], [1]].sort, [1, 2.5, 2, -1r].sort
p (1..20).sort_by { |i| [i % 3, -i] }, %w[pear fig apple].sort_by(&:size), [3, 1, 2].sort_by { |i| [i.odd? ? 0 : 1, -i] }
p (([3, "a"].sort) rescue $!.message), ([[1, nil], [1, 2]].sort rescue $!.message)

# Hashes keyed by words, small and large, with defaults.
h = Hash.new(7)
20.times { |i| h[i] = i; h[:"s#{i}"] = i }
p h[3], h[:s19], h[:none], h[100], h[3.0], h.size
h.delete(3)
p h[3], h.key?(3), h.size
d = Hash.new { |hash, k| hash[k] = k * 2 }
p d[4], d, { 1 => :a, 1.0 => :b, 2**70 => :c }[2**70]
class Odd < Hash
  def default(k = nil) = k
end
p Odd.new[5], [1, [2, "x"]].hash == [1, [2, "x"]].hash, { [1, "a"] => 2 }[[1, "a"]]

p [1, 2, 3].inject(:+), [1, 2, 3].inject(10, :*), [].inject(:+), [2**62, 2**62].sum, [1, 2.5].sum, [1, 2].inject { |a, b| a - b }, (1..5).inject(:*)
class Integer
  alias plus +
  def +(other) = plus(other).plus(1)
end
p [1, 2, 3].inject(:+), [1, 2, 3].sum
