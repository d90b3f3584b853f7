# Building strings: appending, interpolation, join, repetition, comparison, characters and bytes.
out = +""
400_000.times { |i| out << "line " << i.to_s << "\n" }
parts = []
200_000.times { |i| parts << "#{i}:#{i & 7};" }
joined = parts.join(",")
palindromes = 0
100_000.times { |i| s = i.to_s; palindromes += 1 if s == s.reverse }
upper = 0
60_000.times { |i| upper += "Word#{i}".upcase.downcase.capitalize.size }
bytes = 0
joined.each_byte { |b| bytes += b }
chars = 0
out[0, 100_000].each_char { |c| chars += 1 if c == "1" }
padded = 0
100_000.times { |i| padded += i.to_s.rjust(8, "0").ljust(10).center(12).strip.size }
caesar = "the quick brown fox".dup
6000.times { caesar = caesar.each_char.map { |c| c == " " ? c : ((c.ord - 96) % 26 + 97).chr }.join }
got = [out.size, joined.hash == joined.dup.hash, palindromes, upper, bytes, chars, padded, caesar]
raise "wrong: #{got}" unless got == [4688890, true, 1099, 528890, 99366676, 4122, 800000, "nby kocwe vliqh zir"]
