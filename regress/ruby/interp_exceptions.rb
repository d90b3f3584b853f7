# fibers, threads-ish, exceptions
f = Fiber.new { |x| y = Fiber.yield(x + 1); z = Fiber.yield(y * 2); :done }
p f.resume(1), f.resume(10), f.alive?, f.resume(0), f.alive?
begin; f.resume; rescue FiberError => e; puts e.message; end
g = Fiber.new { raise "in fiber" }
begin; g.resume; rescue => e; puts e.message; end
e = Enumerator.new { |y| y << 1 << 2; y.yield 3, 4; :ret }
p e.next, e.peek, e.next, e.next
begin; e.next; rescue StopIteration => s; p s.result; end
gen = Enumerator.new { |y| n = 0; loop { y << (n += 1) } }
p gen.take(3), gen.lazy.map { |x| x * 2 }.select(&:even?).first(2)
p gen.next, gen.next
r = [1,2,3].each_with_object([])
p r.size
en = [1,2,3].map
p en.with_index { |x, i| x * i }
1000.times { |i| Fiber.new { Fiber.yield i }.resume }
fs = (1..5).map { |i| Fiber.new { |x| Fiber.yield x + i; i } }
p fs.map { |q| q.resume(10) }
p fs.map(&:resume)
def deep(n) = n == 0 ? 0 : 1 + deep(n - 1)
p deep(1000)
class E1 < StandardError
  def initialize(a, b) = (@a = a; super("e1 #{a} #{b}"))
  attr_reader :a
end
begin; raise E1.new(1, 2); rescue E1 => e; p e.message, e.a; end
begin; raise E1, "x"; rescue ArgumentError => e; p e.message; end
class E2 < StandardError; def message = "custom"; end
def t
  yield
rescue ArgumentError, TypeError => e
  "AT #{e.class}"
rescue *[NameError, ZeroDivisionError] => e
  "NZ #{e.class}"
else
  "else"
ensure
  print "ens "
end
p t { raise TypeError }, t { 1 / 0 }, t { xyz }, t { 1 }
begin; t { raise IOError, "io" }; rescue => e; p e; end
p (raise "a" rescue "b")
def nested
  begin
    begin
      raise "one"
    ensure
      puts "inner ensure"
    end
  rescue => e
    puts "rescued #{e.message}"
    raise "two"
  ensure
    puts "outer ensure"
  end
rescue => e
  p e.message, e.cause.message
end
nested
def flow
  [1, 2, 3].each do |x|
    begin
      next if x == 1
      break x if x == 2
    ensure
      puts "ensure #{x}"
    end
  end
end
p flow
x = catch(:done) do
  10.times { |i| 10.times { |j| throw :done, [i, j] if i * j == 6 } }
  :never
end
p x
p catch { |t| throw t, 7 }
p catch(:a) { catch(:b) { throw :a, 1 }; 2 }
begin; Integer("abc"); rescue => e; p e.message; end
begin; Float("1.x"); rescue => e; p e.message; end
begin; [1, 2].fetch(10); rescue IndexError => e; p e.message; end
begin; {a: 1}.fetch(:b); rescue KeyError => e; p e.message, e.key, e.receiver; end
begin; "x".frozen_thing; rescue NoMethodError => e; p e.message, e.name, e.args; end
begin; CONST = 1; CONST.freeze; "a".freeze << "b"; rescue FrozenError => e; p e.message; end
begin; [1].freeze << 2; rescue => e; p e.message, e.class; end
begin; raise "x"; rescue => e; e2 = e.exception("y"); p e2.message, e2.class, e2.equal?(e); end
p StandardError.new.message, StandardError.new(nil).message, StandardError.new("").inspect, StandardError.new("a\nb").inspect
p RuntimeError.new("a") == RuntimeError.new("a")
begin; raise Interrupt; rescue Interrupt => e; p e.message; end
begin; raise SignalException, "INT"; rescue SignalException => e; p e.message, e.signo; end
begin; exit(2); rescue SystemExit => e; p e.status, e.success?, e.message; end
begin; abort; rescue SystemExit => e; p e.status; end
begin; raise Errno::ENOENT, "file"; rescue SystemCallError => e; p e.message; end
begin; raise "abc".dup, cause: RuntimeError.new("z"); rescue => e; p e.cause; end
begin; raise TypeError.new("t"), "override"; rescue => e; p e.message; end
begin; raise Object; rescue TypeError => e; p e.message; end
begin; raise; rescue RuntimeError => e; p e.message; end
er = (raise "bt" rescue $!)
p er.backtrace.class, er.backtrace_locations.first.lineno
def loc = caller_locations(1, 1).first
l = loc
p l.lineno, l.label, l.base_label, l.path == __FILE__
def cl = caller(0)
p cl.size >= 2, caller.class
p((begin; raise "a"; rescue => e; e; end).detailed_message, RuntimeError.new("").detailed_message)
p [1,2,3].each_entry.to_a rescue p 0
def m_with_ensure_return
  yield
ensure
  puts "cleanup"
end
def caller_ret
  m_with_ensure_return { return 42 }
end
p caller_ret
p [1,2,3].find { |v| break :brk if v == 2 }
i = 0
until i >= 3
  i += 1
  next if i == 2
  puts i
end
begin; i += 1; end while i < 6
p i
for q, w in [[1, 2], [3, 4]] do p q + w end
p q
puts [1, 2, 3].each_cons(2).map { |a, b| a + b }.inspect
p __method__
def dm(...) = other(...)
def other(a, *r, k: 0) = [a, r, k]
p dm(1, 2, k: 3)
o = Object.new
def o.each; yield 1; yield 2; end
o.extend(Enumerable)
p o.map { |x| x * 2 }, o.each_slice(1).to_a, o.to_enum.next
p ObjectSpace.garbage_collect
