# Control flow: blocks, procs, lambdas, break, next, redo-like loops, ensure order, catch, fibers, enumerators, pattern matching.
def numbers
  return to_enum(__method__) unless block_given?
  yield 1
  yield 2
  yield 3
  :end
end
p numbers { |n| break n * 10 if n == 2 }, numbers { |n| next }, numbers.map { |n| next 0 if n == 2; n }
def finder(list) = list.each { |x| return x if yield(x) } && nil
p finder([1, 4, 9]) { _1 > 3 }, finder([1]) { it > 3 }
def ensures(log)
  log << :start
  [1, 2].each do |x|
    begin
      log << x
      return :returned if x == 2
    ensure
      log << :"ensure#{x}"
    end
  end
ensure
  log << :outer
end
log = []
p ensures(log), log
def nested
  yield
rescue ArgumentError => e
  "rescued #{e.message}"
else
  "fine"
ensure
  print "ensure "
end
p nested { raise ArgumentError, "a" }, nested { 1 }
begin
  nested { raise "not mine" }
rescue => e
  p e.message
end
def lambda_return = (l = -> { return 1 }; l.call; 2)
def proc_return = (pr = proc { return 1 }; pr.call; 2)
p lambda_return, proc_return
pr = proc { |a, (b, *c), d = 4, *e, f:, g: 7, **h| [a, b, c, d, e, f, g, h] }
p pr.call(1, [2, 3, 4], f: 6), pr.call([1, [2]], 9, 8, f: 0, z: 1), proc { |a, b| [a, b] }.call([1, 2, 3]), proc { |a,| a }.call([7, 8])
begin
  proc { return 1 }.call
rescue LocalJumpError => e
  p e.class
end if false
def blk(&b) = b
begin
  blk { |x| break x }.call(1)
rescue LocalJumpError => e
  puts e.message, e.reason.inspect
end
i = 0
i += 1 until i >= 5
p i, (begin; i -= 1; end while i > 0).inspect, i
r = while true do break :value end
p r, loop { break }, (1..Float::INFINITY).each { |n| break n if n * n > 50 }
result = [1, 2, 3, 4].each_with_index.select { |x, ix| ix.odd? }.map(&:first)
p result
tries = 0
begin
  tries += 1
  raise IOError, "flaky" if tries < 3
  p tries
rescue IOError
  retry
end
e = [10, 20, 30].each
p e.next, e.peek, e.next, e.next, (begin; e.next; rescue StopIteration => s; s.result; end)
e.rewind
p e.next
fib = Enumerator.new { |y| a, b = 0, 1; loop { y << a; a, b = b, a + b } }
p fib.take(10), fib.lazy.select(&:even?).map { _1 * 2 }.reject { _1 % 3 == 0 }.first(4), fib.each_with_index.first(2), fib.each_slice(3).first(2)
f = Fiber.new { |x| y = Fiber.yield(x + 1); z = Fiber.yield(y * 2); z.to_s }
p f.resume(1), f.resume(10), f.resume(:z), f.alive?
begin
  f.resume
rescue FiberError => e
  puts e.message
end
gen = Fiber.new { 3.times { |n| Fiber.yield n }; raise "inside" }
3.times { gen.resume }
p (begin; gen.resume; rescue => e; e.message; end)
ee = Enumerator.produce(1) { |x| raise StopIteration if x > 20; x * 3 }
p ee.to_a, Enumerator::Chain.new([1], [2, 3]).to_a, ([1].each + [2]).to_a, [4, 5].each.with_index(1).to_a, %w[a b].each_with_object([]).to_a.size
p (1..3).each_entry.with_object(:o).to_a, [1, 2, 3].cycle.take(7), (1..10).step(3).to_a, 1.step(10, 4).to_a, 10.downto(7).to_a, 1.0.step(2.0, 0.5).to_a

def match(x)
  case x
  in Integer | Float => n if n > 100 then "big #{n}"
  in Integer => n then "int #{n}"
  in [] then "empty"
  in [Integer => a, *rest] then "ints #{a} #{rest}"
  in [String => s, {k: [_, v]}] then "deep #{s} #{v}"
  in {type: :circle, r:} then "circle #{r}"
  in {type: :rect, w:, h:, **nil} then "rect #{w * h}"
  in {name: /^A/ => name, **rest} then "A-name #{name} #{rest}"
  in [*, :needle, *post] then "found, then #{post}"
  in nil then "nil"
  in LIMIT then "limit"
  in "a".."f" then "letter"
  in Point[x:, y:] then "point #{x},#{y}"
  else "other"
  end
end
LIMIT = :limit
Point = Struct.new(:x, :y)
[5, 500, 2.5e3, [], [1, 2, 3], ["s", {k: [0, 9]}], {type: :circle, r: 2}, {type: :rect, w: 2, h: 3}, {type: :rect, w: 1, h: 1, z: 1},
 {name: "Ann", age: 3}, ["x", :needle, 1, 2], nil, :limit, "c", Point.new(1, 2), Object].each { |x| puts match(x) }
config = {db: {user: "admin", ports: [5432, 5433]}}
config => {db: {user:, ports: [first_port, *]}}
p user, first_port, (config in {db: {user: String}}), (5 in String)
begin
  config => {db: {password:}}
rescue NoMatchingPatternKeyError => e
  puts e.message, e.key.inspect
end
begin
  case 5
  in String then 1
  end
rescue NoMatchingPatternError => e
  puts e.message
end
case [1, [2, 3]]
in [a, [b, *c]]
  p a, b, c
end
val = 5
case 5
in ^val then p :pinned
end
case {n: 1}
in {n: 0..} => whole unless false then p whole
end
a, (b, *c), d = 1, [2, 3, 4], 5
p a, b, c, d
*init, last = [1, 2, 3]
p init, last
h = {a: 1, **{b: 2}, c: 3}
x, y = h.values_at(:a, :c)
p h, x, y, h => {a:}
def opts(a, *r, k: 1, **o, &b) = [a, r, k, o, b&.call]
p opts(1), opts(1, 2, k: 3, z: 4) { 5 }, opts(*[1, 2], **{k: 9}), opts({k: 1}), opts(0, "k" => 1)
def fwd(...) = opts(...)
p fwd(1, 2, k: 3) { 4 }
def anon(*, **, &) = opts(*, **, &)
p anon(1, 2, k: 8) { 6 }
p [[1, [2, 3]], [4, [5, 6]]].map { |a, (b, c)| a + b + c }, {a: 1}.map { |k, v| [k, v] }, [[1, 2]].each_with_index.map { |(a, b), i| a + b + i }
puts [1, 2, 3].sum.then { _1 + 1 }, 5.tap { |x| print x, " " }.succ, (true && nil).inspect, (false || :or), (not true), (1 if false).inspect
puts (1..10) === 5, (1...10).size, ("a".."e").to_a.join, (1..).first(2).inspect, (..5).include?(3), 5.between?(1, 10), 5.clamp(..3)
$counter = 0
at_exit { puts "exit 1, counter #{$counter}" }
at_exit { puts "exit 2"; $counter += 1 }
BEGIN { puts "begin block" }
puts __LINE__, __FILE__, [__method__].inspect
x = if false then 1 end
p x, (x ||= 5), (x &&= x + 1), x
s = +"a"
s += "b"
s = (s.foo rescue $!.class.name)
p s, ([1, 2, 3] in [Integer, *]), "str" "cat", ?a, %w[a #{1}], %W[a #{1}], %i[a b], :"quoted sym", %q(a'b), /re#{1}x/i
