# Float: text, rounding, arithmetic, conversion.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
fs = [0.0, -0.0, 1.0, -1.5, 2.5, 0.1, 0.30000000000000004, 1e10, 1e15, 1e16, 123456789.123456789, 1e22, 1e23, 1e100, 1.7976931348623157e308, 2.2250738585072014e-308,
      5e-324, 1e-5, 0.0001, 0.001, 1e-10, 100.0, 1234567.0, 9007199254740993.0, 4503599627370496.5, 5.684341886080802e-14, 1.0e-7, 3.14159, 2.675, 1e-300,
      Float::INFINITY, -Float::INFINITY, Float::NAN, Float::EPSILON, 0.5, 1.5, -0.5, -2.5, 12345.678, 1/3.0, 2/3.0, 1e2, 9.95, 1.15, 1.25, 1.005]
fs.each do |f|
  t("to_s") { f }
  t("#{f} to_i") { f.to_i }
  t("#{f} floor") { [f.floor, f.ceil, f.round, f.truncate] }
  [-2, -1, 1, 2, 3, 10, 15, 20].each { |d| t("#{f} digits #{d}") { [f.floor(d), f.ceil(d), f.round(d), f.truncate(d)] } }
  t("#{f} half") { [f.round(half: :even), f.round(half: :down), f.round(half: :up)] }
  t("#{f} half1") { [f.round(1, half: :even), f.round(1, half: :down), f.round(1, half: :up)] }
  t("#{f} preds") { [f.nan?, f.finite?, f.infinite?, f.zero?, f.positive?, f.negative?, f.integer?] }
  t("#{f} next") { [f.next_float, f.prev_float] }
  t("#{f} r") { f.to_r }
  t("#{f} rationalize") { f.rationalize }
  t("#{f} rationalize2") { f.rationalize(0.01) }
  t("#{f} nd") { [f.numerator, f.denominator] }
  t("#{f} abs") { [f.abs, -f, f.arg] }
end
some = [0.0, -0.0, 1.5, -2.5, 1e300, Float::INFINITY, -Float::INFINITY, Float::NAN, 3, -2, 2**70, 1r/3]
some.each do |a|
  some.each do |b|
    next unless a.is_a?(Float) || b.is_a?(Float)
    t("#{a} #{b}") { [a + b, a - b, a * b] }
    t("#{a} / #{b}") { a / b }
    t("#{a} % #{b}") { a % b }
    t("#{a} divmod #{b}") { a.divmod(b) }
    t("#{a} div #{b}") { a.div(b) }
    t("#{a} ** #{b}") { r = a ** b; r.is_a?(Complex) ? [r.real.round(12), r.imaginary.round(12)] : r }
    t("#{a} cmp #{b}") { [a <=> b, a == b, a < b, a > b, a.eql?(b)] }
    t("#{a} quo #{b}") { a.quo(b) }
    t("#{a} modulo #{b}") { [a.modulo(b), a.remainder(b)] }
  end
end
%w[1 1.5 1e3 1_000.5 .5 1. 0x1A 0x1.8p1 abc 1.5abc 1e 1e+ -1.5e-3 +2 1__2 _1 1_ Infinity NaN 1.e5 0b1 1e400 -0 00012 1.2.3 1,5].each do |s|
  t("#{s}.to_f") { s.to_f }
  t("Float(#{s})") { Float(s) }
end
t { Float("") }
t { Float(" 1.5 ") }
t { Float("1.5\0") }
t { Float(nil) }
t { Float("x", exception: false) }
t { Float(nil, exception: false) }
t { Float([]) }
t { Float(1r/3) }
t { Float(2**2000) }
t { 1.5.coerce(2) }
t { 1.5.coerce("2.5") }
t { 1.5 + nil }
t { 1.5 < "a" }
t { 1.5 <=> "a" }
t { 1.5 == nil }
t { Float::MAX.to_i }
t { [Float::DIG, Float::MANT_DIG, Float::MAX, Float::MIN, Float::RADIX, Float::MAX_EXP, Float::MIN_EXP, Float::MAX_10_EXP, Float::MIN_10_EXP] }
t { 0.1 + 0.2 == 0.3 }
t { 1e20.to_i }
t { (2**64).to_f == 2.0**64 }
t { 2**53 + 1 == (2**53 + 1).to_f }
t { 9007199254740993 <=> 9007199254740992.0 }
t { 10.0.to_s }
t { 1e2.inspect }
t { 3.7.divmod(1.2) }
t { -3.7.truncate }
t { 1.23456789012345e+30.round(-20) }
t { 0.5.floor(-1) }
t { 42.0.floor(20) }
t { 1.1.round(400) }
t { 1.1.round(-400) }
t { 2.5.round(half: :foo) }
t { 25.0.round(-1, half: :even) }
t { 1.0.eql?(1) }
t { {1.0 => 1}[1] }
t { 0.0.eql?(-0.0) }
t { 5.0.step(1.0, -1.5).to_a }
t { 1.0.step(2.0, 0.1).to_a }
t { 1.0.step(by: 0.5, to: 2).to_a }
t { [0.1] * 3 }
t { ([0.1] * 10).sum }
t { ([0.1] * 10).inject(:+) }
