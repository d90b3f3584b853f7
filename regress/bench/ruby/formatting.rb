# Formatting: format with many directives, to_s in bases, rounding, inspect.
size = 0
80_000.times do |i|
  size += format("%05d %x %-8s|%+.2f %s", i, i, "ab", i / 7.0, :sym).size
  size += ("%s=%d;" % ["k", i]).size if i % 3 == 0
end
80_000.times { |i| size += i.to_s(2).size + (i * 0.37).round(2).to_s.size }
60_000.times { |i| size += [i, "s", :sym, nil, 1.5].inspect.size + { a: i }.to_a.inspect.size }
raise "wrong: #{size}" unless size == 7050636
