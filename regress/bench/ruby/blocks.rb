# Block calls: times, each, upto, step, a method of our own that yields, procs called and passed on.
def twice
  yield 1
  yield 2
end

def pass(&block)
  twice(&block)
end

sum = 0
1_500_000.times { |i| sum += i }
1.upto(1_500_000) { |i| sum -= 1 if i.odd? }
0.step(3_000_000, 3) { |i| sum += i & 1 }
500_000.times { twice { |x| sum += x } }
300_000.times { pass { |x| sum += x } }
add = ->(a, b) { a + b }
800_000.times { |i| sum = add.call(sum, i & 3) }
list = (1..1000).to_a
700.times { list.each { |x| sum += x } }
500.times { list.each_with_index { |x, i| sum += x - i } }
n = 0
loop do
  n += 1
  break if n == 800_000
end
raise "wrong: #{sum}" unless sum == 1125353450000
