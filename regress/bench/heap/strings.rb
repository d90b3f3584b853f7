# Strings made and dropped: concatenation, split and join, changes of case, a long one that grows, its lines.
words = Array.new(20_000) { |i| "word#{i * 7919 % 20_011}" }
table = {}
n = 0
40.times do |r|
  words.each { |w| s = w + "-" + r.to_s; n += s.size; table[s] = r if r % 8 == 0 }
end
lines = Array.new(3000) { |i| "field#{i},value #{i * 3},#{"x" * (i % 40)}" }
30.times { lines.each { |l| a = l.split(","); n += a.join(";").upcase.size } }
out = +""
300_000.times { |i| out << "item #{i}: #{i & 255}\n" }
n += out.lines.map(&:chomp).size
raise "wrong: #{n}" unless n == 12_854_210
