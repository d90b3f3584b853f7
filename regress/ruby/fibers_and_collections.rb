# Fibers that die, whose stacks are used again, while collections come in between.
def deep(n, o)
  return Fiber.yield(o) if n == 0
  a = "text #{n}"
  b = [a, o]
  r = deep(n - 1, b)
  [r, a.size]
end

def shallow(n)
  x = y = z = nil
  x = "s" * 3 if n > 5
  Fiber.yield x
  y = [x] if n > 2
  z = y.to_s
  GC.start
  z
end

sum = 0
30.times do |i|
  f = Fiber.new { deep(20, Object.new) }
  sum += f.resume.size
  f.resume
  GC.start if i % 3 == 0
  g = Fiber.new { shallow(i) }
  sum += g.resume.to_s.size
  GC.start if i % 4 == 0
  sum += g.resume.size
end
p sum

def gen(n)
  Enumerator.new { |y| n.times { |i| y << "item #{i}"; [i, "z" * 20] } }
end
es = Array.new(20) { |k| gen(50 + k) }
out = []
40.times { |i| es.each { |e| out << e.next.size }; GC.start if i % 10 == 0 }
p out.sum
f = Fiber.new { |a| b = "B"; c = Fiber.yield(a + "1"); d = "#{c}#{b}"; Fiber.yield d; d * 2 }
p f.resume("s"), f.resume("t"), f.resume, f.alive?
e = [1, 2, 3].each
p e.next, e.peek, e.next, e.next, (e.next rescue $!.class)
