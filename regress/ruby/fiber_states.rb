# Fibers: resume, yield, transfer, raise and kill in every state; storage; locals; abandoned fibers.
def try
  p yield
rescue Exception => e
  puts "#{e.class}: #{e.message}"
end

f = Fiber.new { |x| Fiber.yield(x + 1); :end }
try { f.resume(1) }
try { f.transfer }
try { f.resume }
try { f.resume }
try { f.alive? }
try { Fiber.yield }
try { Fiber.current.resume }
g = nil
g = Fiber.new { g.resume }
try { g.resume }
outer = Fiber.new { inner = Fiber.new { outer.resume }; inner.resume }
try { outer.resume }
outer = Fiber.new { inner = Fiber.new { outer.transfer }; inner.resume }
try { outer.resume }

puts "transfer"
log = []
a = b = nil
main = Fiber.current
a = Fiber.new { log << :a1; b.transfer; log << :a2; :a_ends }
b = Fiber.new { log << :b1; a.transfer; log << :never }
try { a.transfer }
p log
c = Fiber.new { main.transfer(:back); :again }
try { c.transfer }
try { c.resume }
try { c.transfer }
try { c.transfer }
d = Fiber.new { Fiber.yield }
try { d.transfer }

puts "raise"
r = Fiber.new do
  Fiber.yield 1
rescue => e
  [e.class, e.message, e.cause]
end
try { r.raise("early") }
r.resume
try { r.raise(ArgumentError, "inside", cause: IOError.new("why")) }
try { r.raise("late") }
r = Fiber.new { Fiber.yield }
r.resume
try { r.raise(TypeError, "through") }
try { r.alive? }
nested = Fiber.new { inner = Fiber.new { Fiber.yield :deep }; inner.resume; Fiber.yield :mid; inner.resume }
nested.resume
try { nested.raise(KeyError, "x") }

puts "kill"
log = []
k = Fiber.new do
  Fiber.yield
rescue Exception
  log << :rescued
ensure
  log << :ensured
end
k.resume
p k.kill.equal?(k), k.alive?, log
p Fiber.new {}.kill.alive?
k = Fiber.new { Fiber.current.kill; log << :no }
p k.resume, k.alive?, log

puts "storage"
Fiber[:a] = 1
p Fiber.new { [Fiber[:a], Fiber[:a] = 2, Fiber[:a], Fiber["a"]] }.resume, Fiber[:a]
p Fiber.new(storage: {x: 1}) { Fiber.current.storage }.resume, Fiber.new(storage: nil) { Fiber[:a] }.resume
try { Fiber.new(storage: 3) {} }
try { Fiber.new(storage: {"x" => 1}) {} }
try { Fiber.new(storage: {}.freeze) {} }
try { Fiber[3] }
p Fiber.new(blocking: true) { [Fiber.blocking?, Fiber.current.blocking?] }.resume, Fiber.new { Fiber.blocking? }.resume
Thread.current[:local] = 1
p Fiber.new { [Thread.current[:local], Thread.current[:local] = 2] }.resume, Thread.current[:local], Thread.current.keys
p Fiber.new {}.inspect[/\(\w+\)/], Fiber.new { Fiber.current.inspect[/\(\w+\)/] }.resume

puts "abandoned"
count = 0
2000.times do |i|
  e = Enumerator.new { |y| y << i; y << 0 }
  count += e.next
  x = Fiber.new { Fiber.yield([i] * 100); count += 1 }
  x.resume
end
GC.start
p count
many = (1..500).map { |i| Fiber.new { Fiber.yield(i); -i } }
p many.sum(&:resume), many.sum(&:resume), many.any?(&:alive?)
