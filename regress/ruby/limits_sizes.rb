# Sizes and counts that nobody has: a Ruby error or the right answer, and soon.
def try(label)
  result = begin
    yield
  rescue Exception => e
    e.class
  end
  puts "#{label}: #{result}"
end

beyond = 2**70

try("format width") { format("%99999999999d", 1) }
try("format precision") { format("%.99999999999f", 1.0) }
try("format width of -2**31") { format("%-2147483648d", 1) }
try("format argument") { format("%1000000000$d", 1) }
try("format star") { format("%*d", beyond, 1) }
try("Array.new") { Array.new(beyond) }
try("Array#*") { [1] * beyond }
try("Array#[]=") { [][beyond] = 1 }
try("Array#first") { [].first(beyond) }
try("Array#insert") { [].insert(beyond, 1) }
try("Array#product") { (1..1000).to_a.product(*[(1..1000).to_a] * 10) }
try("Array#combination size") { (1..100).to_a.combination(50).size }
try("Array#pack") { [1].pack("C99999999999999999999") }
try("String#*") { "xx" * beyond }
try("String#ljust beyond") { "a".ljust(beyond) }
try("String#[]") { "abc"[beyond, beyond] }
try("shift left") { 1 << beyond }
try("shift left, beyond memory") { 1 << 2**66 }
try("shift right") { [1 >> beyond, -1 >> beyond, 1 << -beyond, beyond >> 2**66].inspect }
try("zero shifted") { 0 << beyond }
try("bit") { [1[beyond], -1[beyond]].inspect }
try("pow of one") { [1**beyond, (-1)**beyond, 0**beyond].inspect }
try("pow of pow") { (2**64)**(2**64) }
try("pow with modulus") { 3.pow(2**100, 2**90 + 1) }
try("negative pow with modulus") { 3.pow(-1, 7) }
try("to_s") { (2**100_000).to_s(2).size }
try("digits") { (10**5000).digits.size }
try("Integer()") { Integer("9" * 10_000).to_s.size }
try("Float()") { Float("1" * 100_000) }
try("rand") { rand(2**10_000).class }
try("round") { 1.round(-beyond) }
try("floor") { 12345.floor(-beyond) }
try("float round") { 1.5.round(2**31) }
try("steps") { 1.step(beyond, 2**69).to_a.size }
try("range size") { (1..beyond).size }
try("range first") { (1..beyond).first(2).inspect }
try("range step") { (1..beyond).step(2**69).to_a.size }
try("repeats in a pattern") { Regexp.new("a{100001}") }
try("groups in a pattern") { Regexp.new("(" * 100_000 + ")" * 100_000) }
try("classes in a pattern") { Regexp.new("[" * 100_000 + "a" + "]" * 100_000) }
try("branches") { Regexp.new((["a"] * 10_000).join("|")).match?("b") }
try("symbol") { ("a" * 1_000_000).to_sym.size }
try("many arguments") { [].push(*(1..1_000_000)).size }
try("many wrong arguments") { Array.send(:new, *(1..1_000_000)) }
try("many values in a Struct") { Struct.new(:a).new(*(1..1_000_000)) }
try("Comparable") { 1.clamp(-beyond, beyond) }
