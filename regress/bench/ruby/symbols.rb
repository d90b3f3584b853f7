# Symbols: comparison, case over symbols, to_proc, conversion, as hash values.
OPERATIONS = %i[add sub mul noop add neg].freeze
def run(op, acc, x)
  case op
  when :add then acc + x
  when :sub then acc - x
  when :mul then acc * x & 0xffff
  when :neg then -acc
  when :noop then acc
  end
end

acc = 1
i = 0
while i < 2_500_000
  acc = run(OPERATIONS[i % 6], acc, i & 15)
  i += 1
end
names = %w[alpha beta gamma delta]
same = 0
600_000.times { |k| same += 1 if names[k & 3].to_sym == :gamma }
length = 0
10_000.times { length += names.map(&:to_sym).map(&:length).sum + names.map(&:upcase).size }
text = 0
500_000.times { |k| text += OPERATIONS[k % 6].to_s.size }
sorted = 0
20_000.times { sorted += OPERATIONS.sort.first == :add ? 1 : 0 }
got = [acc, same, length, text, sorted]
raise "wrong: #{got}" unless got == [38390, 150000, 230000, 1583333, 20000]
