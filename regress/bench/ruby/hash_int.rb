# Hashes with integer keys: counting, a memo, deletion, iteration.
counts = Hash.new(0)
x = 1
1_000_000.times do
  x = (x * 75 + 74) % 65_537
  counts[x & 4095] += 1
end
memo = {}
fib = ->(n) { memo[n] ||= n < 2 ? n : fib.(n - 1) + fib.(n - 2) }
big = fib.(80)
table = {}
i = 0
while i < 400_000
  table[i * 7] = i
  i += 1
end
hits = 0
i = 0
while i < 1_500_000
  hits += 1 if table[i]
  i += 1
end
sum = 0
table.each { |k, v| sum += k - v }
table.delete_if { |k, _| k.odd? }
100_000.times { |k| table.delete(k) }
got = [counts.size, counts[17], big, hits, sum, table.size, table.keys.first]
raise "wrong: #{got}" unless got == [4096, 244, 23416728348467685, 214286, 479998800000, 192857, 100002]
