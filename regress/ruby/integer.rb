# Integer.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
B = 2**64
N = -(3**50)
nums = [0, 1, -1, 7, -7, 255, 2**31, 2**61, 2**62 - 1, 2**62, -2**62, -2**62 - 1, 2**63, B, N, 10**30, 1.5, -2.5, 3r/4]
nums.each do |a|
  nums.each do |b|
    t("#{a} + #{b}") { a + b }
    t("#{a} - #{b}") { a - b }
    t("#{a} * #{b}") { a * b }
    t("#{a} / #{b}") { a / b }
    t("#{a} % #{b}") { a % b }
    t("#{a} divmod #{b}") { a.divmod(b) }
    t("#{a} remainder #{b}") { a.remainder(b) }
    t("#{a} <=> #{b}") { [a <=> b, a == b, a < b, a >= b, a.eql?(b), a.equal?(a)] }
    t("#{a} fdiv #{b}") { a.fdiv(b) } unless b == 255
  end
end
ints = [0, 1, -1, 6, -6, 255, 2**61, 2**62, -2**62 - 1, B, N, 10**30]
ints.each do |a|
  ints.each do |b|
    t("#{a} bits #{b}") { [a & b, a | b, a ^ b, a.gcd(b), a.lcm(b), a.gcdlcm(b)] }
    t("#{a} allbits #{b}") { [a.allbits?(b), a.anybits?(b), a.nobits?(b)] }
  end
  t("#{a} unary") { [-a, ~a, a.abs, a.succ, a.pred, a.odd?, a.even?, a.zero?, a.bit_length, a.to_f, a.to_s(2), a.to_s(36), a.inspect, a.integer?, a.ord] }
  [-70, -3, 0, 1, 5, 64, 100].each { |n| t("#{a} << #{n}") { [a << n, a >> n, a[n]] } }
  [-25, -3, -2, -1, 0, 1].each do |d|
    t("#{a} round #{d}") { [a.round(d), a.floor(d), a.ceil(d), a.truncate(d), a.round(d, half: :even), a.round(d, half: :down)] }
  end
  t("#{a} digits") { a.digits }
  t("#{a} digits 7") { a.digits(7) }
end
[[2, 10], [2, 100], [-2, 3], [2, -2], [0, 0], [10, 20], [7, 0], [-1, 10**20], [2, 0.5], [-8, 1.0 / 3], [4, 1r / 2], [2**70, 2], [0, -1], [3, 40]].each do |a, b|
  t("#{a} ** #{b}") { a**b }
end
t { 3.pow(200, 7) }
t { 3.pow(200, -7) }
t { (2**80).pow(3**20, 10**9 + 7) }
t { 3.pow(-1, 7) }
t { 3.pow(2, 1.5) }
t { 15.round(-1) }
t { 25.round(-1, half: :even) }
t { 25.round(-1, half: :up) }
t { 25.round(-1, half: :down) }
t { 25.round(-1, half: "even") }
t { 25.round(-1, half: nil) }
t { 25.round(1, half: :bad) }
t { 0b11110000[4, 4] }
t { 0b11110000[4..5] }
t { 0b11110000[4..] }
t { 0b11110000[..3] }
t { 10.coerce(3) }
t { 10.coerce(3.5) }
t { 10.coerce("3") }
t { 10.coerce(nil) }
t { 65.chr }
t { 200.chr }
t { 233.chr("UTF-8") }
t { 0x3042.chr(Encoding::UTF_8) }
t { 256.chr }
t { 10.ceildiv(3) }
t { -10.ceildiv(3) }
t { 5.clamp(1, 3) }
t { 5.between?(1, 10) }
t { Integer.sqrt(10**40) }
t { Integer.sqrt(-1) }
t { Integer.try_convert("1") }
t { Integer.try_convert(1.5) }
t { Integer("12") }
t { Integer("0x1f", 16) }
t { Integer("0b11") }
t { Integer("0o17") }
t { Integer("017") }
t { Integer("1_000") }
t { Integer("1__000") }
t { Integer(" 42 ") }
t { Integer("4 2") }
t { Integer("") }
t { Integer(nil) }
t { Integer("zz", 36) }
t { Integer("9", 8) }
t { Integer("abc", exception: false) }
t { Integer(nil, exception: false) }
t { Integer(3.99) }
t { Integer(Float::NAN) }
t { Integer([1]) }
t { Integer("123456789012345678901234567890") }
t { "0x1A".to_i(16) }
t { "12abc".to_i }
t { "z".to_i(36) }
t { "0b101".to_i(0) }
t { "1_2_3".to_i }
t { "-  5".to_i }
t { " -5".to_i }
t { "1e5".to_i }
t { "777".oct }
t { "0x1F".hex }
t { "-0b11".oct }
t { 1.upto(4).to_a }
t { 4.downto(1).to_a }
t { 3.times.to_a }
t { 5.times.size }
t { 1.upto(5).size }
t { a = []; 1.upto(3) { |x| a << x }; a }
t { a = []; 1.upto(2.5) { |x| a << x }; a }
t { a = []; 1.step(10, 3) { |x| a << x }; a }
t { a = []; 10.step(1, -3) { |x| a << x }; a }
t { a = []; 1.0.step(2.0, 0.5) { |x| a << x }; a }
t { a = []; 1.step(by: 2, to: 7) { |x| a << x }; a }
t { 1.step(10, 0) { break } }
t { 1.upto("a") {} }
t { 12345.6789.to_i }
t { 1.next }
t { 3.7 % 1 }
t { 10.numerator }
t { 10.denominator }
t { 10.rationalize }
t { 3.to_c }
t { 1.dup }
t { 1.frozen? }
t { 1.hash == 1.hash }
t { B.hash == (2**64).hash }
t { {2**64 => 1}[2**64] }
t { {1 => :a, 1.0 => :b} }
t { 3.zero? }
t { 3.positive? }
t { -3.negative? }
t { 0.nonzero? }
t { 3.nonzero? }
t { 1.foo }
t { Integer.new }
t { Integer.allocate }
t { 1 <=> "a" }
t { 1 == "a" }
t { [3, 1, 2].max }
t { 100.digits.sum }
t { 2**62 == 4611686018427387904 }
t { 4611686018427387903 + 1 }
t { -4611686018427387904 - 1 }
t { 4611686018427387904 - 1 }
t { (4611686018427387904 - 1).class }
t { 3037000500 * 3037000500 }
t { 9223372036854775807 }
t { -9223372036854775808 }
t { 1000000000000000000000 / 3 }
t { -7 / 2 }
t { -7 % 3 }
t { 6.lcm(4.0) }
t { 1 & nil }
t { 1 | "a" }
t { 1 + "2" }
t { 1 * nil }
t { 1 - [] }
t { 1 / "a" }
t { 1 % nil }
t { 1 ** nil }
t { 1.fdiv(nil) }
t { 1.divmod(nil) }
