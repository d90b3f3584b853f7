# Sorting: integers, strings, by block, by key, minima, and a quick sort written in Ruby.
seed = 7
random = -> { seed = (seed * 16_807) % 2_147_483_647 }
numbers = Array.new(40_000) { random.call }
words = numbers.map { |x| x.to_s(36) }

def quick(list)
  return list if list.size <= 1
  pivot = list[list.size / 2]
  left = []
  middle = []
  right = []
  list.each do |x|
    if x < pivot
      left << x
    elsif x == pivot
      middle << x
    else
      right << x
    end
  end
  quick(left) + middle + quick(right)
end

sorted = nil
5.times { sorted = numbers.sort }
raise "wrong order" unless quick(numbers) == sorted
got = [sorted[100], words.sort[100], numbers.sort { |x, y| y <=> x }[100], words.sort_by { |w| [w.size, w] }[100],
       numbers.sort_by { |x| x & 0xffff }[100] & 0xffff, numbers.min, words.max, numbers.max_by { |x| x % 1000 } % 1000,
       words.group_by(&:size).map { |k, v| [k, v.size] }.sort.last, sorted.bsearch { |x| x >= 1_000_000 }]
raise "wrong: #{got}" unless got == [4513219, "12rne6", 2142299556, "2oqf7", 157, 2451, "zzrcn", 999, [6, 38853], 1009987]
