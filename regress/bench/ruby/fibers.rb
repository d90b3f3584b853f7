# Fibers: many switches of a few, a few switches of many, generators.
numbers = Fiber.new do
  i = 0
  loop { Fiber.yield(i += 1) }
end
sum = 0
800_000.times { sum += numbers.resume & 3 }
echo = Fiber.new { |x| loop { x = Fiber.yield(x + 1) } }
500_000.times { |i| sum += echo.resume(i) & 1 }
10_000.times do |k|
  f = Fiber.new { |a| b = Fiber.yield(a + k); a + b }
  sum += f.resume(1) + f.resume(2)
end
ring = Array.new(50) { |i| Fiber.new { |x| loop { x = Fiber.yield(x + i) } } }
3000.times { ring.each { |f| sum += f.resume(1) } }
raise "wrong: #{sum}" unless sum == 55310000
