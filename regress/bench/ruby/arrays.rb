# Arrays of integers: a sieve, matrix multiplication, a queue, slices, in-place changes.
limit = 1_000_000
sieve = Array.new(limit + 1, true)
sieve[0] = sieve[1] = false
i = 2
while i * i <= limit
  if sieve[i]
    j = i * i
    while j <= limit
      sieve[j] = false
      j += i
    end
  end
  i += 1
end
primes = sieve.count(true)

n = 90
a = Array.new(n) { |r| Array.new(n) { |c| r - c } }
b = Array.new(n) { |r| Array.new(n) { |c| r + c } }
product = Array.new(n) do |r|
  row = a[r]
  Array.new(n) do |c|
    sum = 0
    k = 0
    while k < n
      sum += row[k] * b[k][c]
      k += 1
    end
    sum
  end
end
trace = 0
n.times { |k| trace += product[k][k] }

queue = [1]
taken = 0
600_000.times do |k|
  queue.push(k)
  queue << k + 1
  taken += queue.shift
  queue.pop if queue.size > 100
end
parts = 0
list = (0...1000).to_a
8000.times { |k| parts += list[k % 500, 10].first + list[-5..].last + list.reverse[0] }
rotated = list.dup
8000.times { rotated.unshift(rotated.pop) }
merged = 0
600.times { |k| merged += (list & [k, -1]).size + (list | [k]).size + (list - [k]).size }
got = [primes, trace, taken, parts, rotated[0], merged]
raise "wrong: #{got}" unless got == [78498, 0, 179939710001, 17980000, 0, 1200000]
