# Word count: text made, split, counted, sorted, printed.
vocabulary = %w[the of and a to in he have it that for they with as not on she at by this we you do but from or which one would]
seed = 3
text = +""
100_000.times do |i|
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
  text << vocabulary[seed / 65_536 % vocabulary.size]
  text << (i % 12 == 11 ? ".\n" : " ")
end
counts = Hash.new(0)
lines = 0
4.times do
  text.each_line do |line|
    lines += 1
    line.downcase.split(/\W+/).each { |w| counts[w] += 1 }
  end
end
text.split.each { |w| counts[w.delete(".").capitalize.to_sym] += 1 }
longest = counts.keys.grep(String).max_by { |w| [w.size, w] }
top = counts.sort_by { |w, n| [-n, w.to_s] }.first(3).map { |w, n| "#{w}:#{n}" }
letters = text.each_char.tally.size
got = [lines, counts.size, longest, top, letters, text.scan(/\bth\w+/).size]
raise "wrong: #{got}" unless got == [33336, 58, "would", ["he:14256", "she:14136", "and:14120"], 22, 13765]
