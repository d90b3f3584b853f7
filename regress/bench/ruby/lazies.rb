# Lazy enumerators and external enumeration.
sum = 0
500.times do |k|
  sum += (1..Float::INFINITY).lazy.map { |x| x * 2 }.select { |x| x % 3 == 0 }.reject { |x| x % 4 == k % 4 }.first(100).sum
  sum += (1..1000).lazy.take_while { |x| x < 500 }.map { |x| x + 1 }.to_a.size
  sum += (1..200).lazy.flat_map { |x| [x, -x] }.with_index.map { |x, i| x * i }.first(150).sum
end
squares = Enumerator.new do |y|
  n = 0
  loop { y << (n += 1) * n }
end
600.times { sum += squares.take(100).sum + squares.lazy.select(&:even?).first(20).last }
e = squares.each
100_000.times { sum += e.next & 3 }
names = %w[a b c].each_with_index
5000.times do
  names.rewind
  loop { sum += names.next[1] }
end
raise "wrong: #{sum}" unless sum == 225509500
