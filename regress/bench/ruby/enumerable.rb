# Chains of Enumerable: map, select, inject, each_slice, zip, group_by, flat_map, over arrays, ranges and hashes.
list = (1..2000).to_a
sum = 0
110.times do
  sum += list.map { |x| x * 2 }.select { |x| x % 3 == 0 }.reject(&:odd?).inject(:+)
  sum += list.each_slice(7).map(&:sum).max + list.each_cons(3).count { |a, b, c| (a + b + c) % 5 == 0 }
  sum += list.inject { |a, b| a > b ? a : b } + list.reduce(0) { |a, b| a + b }
  sum += list.zip(list).map { |a, b| a * b }.sum + list.partition(&:even?).map(&:size).sum
  sum += list.flat_map { |x| [x, x] }.each_with_object([]) { |x, out| out << x if x % 10 == 0 }.size
  sum += list.group_by { |x| x % 11 }.transform_values(&:size).values.max + list.tally.size
  sum += list.each_with_index.map { |x, i| x - i }.sum + list.take_while { |x| x < 1500 }.size
  sum += (1..2000).map { |x| x & 7 }.uniq.size + (1..2000).sum { |x| x } + (1..2000).to_a.size
  sum += (1..2000).each_with_index.sum { |x, i| x - i } + (1..2000).inject(:+) + list.min_by { |x| -x }
  sum += list.any? { |x| x > 1999 } ? 1 : 0
  sum += list.find { |x| x > 1900 } + list.find_index(1500) + list.count(&:even?) + list.minmax.sum
  sum += list.to_h { |x| [x, x] }.select { |k, v| k + v > 100 }.map { |k, v| k - v }.size + list.each_entry.first(3).sum
end
raise "wrong: #{sum}" unless sum == 294364560160
