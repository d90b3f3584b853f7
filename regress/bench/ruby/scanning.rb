# Scanning and substitution: split, scan, gsub, sub, tr, index, start_with?, lines.
text = Array.new(400) { |i| "user#{i}@example#{i % 7}.com, Item-#{i * 37 % 1000}: #{i * i} EUR; the end\n" }.join
fields = 0
25.times { text.each_line { |l| fields += l.split(",").size + l.split(/[;:]/).size + l.split.size } }
mails = 0
50.times { mails += text.scan(/\w+@\w+\.com/).size }
numbers = 0
25.times { text.scan(/Item-(\d+): (\d+)/) { |a, b| numbers += a.to_i + b.to_i } }
hidden = nil
25.times { hidden = text.gsub(/\d+/) { |d| (d.to_i + 1).to_s }.gsub("EUR", "USD").gsub(/([a-z]+)@/, '<\1>') }
changed = 0
60_000.times { |i| changed += "value=#{i}".sub("value", "v").sub(/=\d/, ":").size }
letters = 0
120.times { letters += text.tr("a-y", "b-z").count("b-e") + text.delete("aeiou").size + text.squeeze.size }
found = 0
at = 0
while (at = text.index("Item", at))
  found += 1
  at += 4
end
starts = 0
300_000.times { |i| starts += 1 if "prefix-body".start_with?("prefix") && !"body".end_with?("x") }
got = [fields, mails, numbers, hidden.size, changed, letters, found, starts]
raise "wrong: #{got}" unless got == [110000, 20000, 536375000, 20197, 348890, 4516800, 400, 300000]
