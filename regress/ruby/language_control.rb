# control flow
def ens(a)
  a << 1
  return a.size
ensure
  a << 2
end
x = []
p ens(x), x
def nested
  r = []
  [1,2,3].each do |i|
    begin
      next if i == 1
      r << i
      break if i == 2
    ensure
      r << :e
    end
  end
  r
end
p nested
i = 0
r = while i < 10
  i += 1
  begin
    next if i.odd?
    break i * 100 if i > 6
  ensure
    i += 0
  end
end
p r
def retry_it
  n = 0
  begin
    n += 1
    raise ArgumentError, "x" if n < 3
    n
  rescue ArgumentError
    retry
  end
end
p retry_it
def multi
  yield 1, 2, [3, [4, 5]]
end
multi { |a, b, (c, (d, e))| p [a,b,c,d,e] }
multi { |a, *r| p a, r }
def opt(a, b = a + 1, *c, d, k: b, o: k + 1, **kw, &blk)
  [a,b,c,d,k,o,kw,blk&.call]
end
p opt(1, 2)
p opt(1, 2, 3)
p opt(1, 2, 3, 4, k: 9, z: 1) { 7 }
p opt(*[1,2,3], **{o: 5})
a, (b, *c), d = 1, [2, 3, 4], 5
p [a,b,c,d]
*a, b = [1,2,3]
p a, b
a, b = b, a
p a, b
h = {a: 1}
h[:b] ||= 5
h[:a] += 10
p h
s = Struct.new(:x, :y)
o = s.new(1, nil)
o.y ||= 7
o.x += 1
p o.x, o.y
n = nil
p n&.foo
n&.foo = 5
case 5
when 1..3 then p :low
when Integer, String then p :int
else p :none
end
case
when i > 100 then p 1
when i > 1 then p 2
end
p((1 if false))
p [*1..3, *[4], 5]
p({a: 1, **{b: 2}, "c" => 3})
def kws(**o) = o
p kws(a: 1, "b": 2)
begin
  raise "boom"
rescue => e
  p e.message, $!.equal?(e)
end
p $!
x = begin
  Integer("z")
rescue ArgumentError, TypeError => e
  :bad
else
  :good
ensure
  p :ens
end
p x
y = (Integer("q") rescue 42)
p y
def bl(&b) = b
p bl { |x| x * 2 }.call(4)
l = ->(a, b = 2) { return a + b; 9 }
p l[1], l.(1, 5)
p (1..10).select { _1.even? }.map { it * 2 }
p [[1, 2], [3, 4]].map { |a, b| a + b }
p [[1, 2], [3, 4]].each_with_index.map { |(a, b), i| a + b + i } rescue p $!
for q, w in [[1,2],[3,4]]
  p q + w
end
p q
p __method__.inspect
def mm; __method__; end
p mm
p defined?(zork), defined?(p), defined?(String), defined?(@a), defined?(a), defined?(yield), defined?(super)
$g = 5
alias $h $g
p $h
def dflt(a, b = (return 7; 1)) = a
p dflt(1), dflt(1, 2)
puts "#{1}#{"a"}#{:b} #{nil}|"
p :"a#{1}", %w[a b], %i[a b]
p 10.times.map { |i| i if (i==3)..(i==5) }.compact rescue p $!
p [1,2,3].sum { |x| next 5 if x == 2; x }
z = [1,2,3].each { |x| break x * 10 if x == 2 }
p z
p 5.then { |x| x + 1 }
def rec(n) = n == 0 ? 0 : 1 + rec(n - 1)
p rec(100)
p (catch(:done) do 10.times { |i| throw :done, i if i == 3 }; :never end)
v = if false then 1 end
p v
p (not true)
p 1 <=> 2, 5 % 3, 2 ** 10, -7 / 2, 1_000
puts [1, [2, [nil, 3]]].flatten.inspect
def f_opt_block(x, &) = g_block(x, &)
def g_block(x) = yield(x)
p f_opt_block(3) { |y| y + 1 }
def fw(...) = opt(...)
p fw(1, 2, k: 3)
def rest_fw(*) = opt(*)
p rest_fw(1, 2)
def kw_fw(**) = kws(**)
p kw_fw(a: 1)
