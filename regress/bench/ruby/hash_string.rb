# Hashes with string, symbol and array keys.
words = Array.new(2000) { |i| "key#{i * 7919 % 2003}" }
counts = Hash.new(0)
300.times { words.each { |w| counts[w] += 1 } }
symbols = %i[alpha beta gamma delta epsilon zeta eta theta]
table = {}
symbols.each_with_index { |s, i| table[s] = i }
sum = 0
i = 0
while i < 1_500_000
  sum += table[symbols[i & 7]]
  i += 1
end
small = 0
400_000.times { |k| h = { a: k, b: 2, c: 3 }; small += h[:a] + h[:c] - h.size }
grid = {}
250.times { |r| 250.times { |c| grid[[r, c]] = r * c } }
near = 0
249.times { |r| 249.times { |c| near += grid[[r + 1, c]] - grid[[r, c + 1]] } }
merged = 0
6000.times { |k| merged += table.merge(k => 1, alpha: 2).sum { |_, v| v } }
built = "text"
found = 0
300_000.times { |k| found += 1 if counts.key?("key#{k & 4095}") }
got = [counts.size, sum, small, near, merged, found, built]
raise "wrong: #{got}" unless got == [2000, 5250000, 79999800000, 0, 186000, 146989, "text"]
