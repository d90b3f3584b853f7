# Rational, Complex, Math, Random.
def t(label = nil)
  r = begin
    yield.inspect
  rescue Exception => e
    "#{e.class}: #{e.message}"
  end
  puts label ? "#{label}: #{r}" : r
end
rs = [1r/3, -2r/7, 3r, 0r, 10r**20/3, 5r/2, -5r/2]
os = [1, 0, -3, 2**70, 1r/2, -1r/3, 0.5, 2i, 1+1i]
rs.each do |a|
  os.each do |b|
    t("#{a} #{b}") { [a + b, a - b, a * b] }
    t("#{a} / #{b}") { a / b }
    t("#{a} ** #{b}") { r = a ** b; r.is_a?(Complex) ? [r.real.round(12), r.imaginary.round(12)] : r } unless b.is_a?(Integer) && b.abs > 1000
    t("#{a} cmp #{b}") { [a <=> b, a == b] }
    t("#{b} op #{a}") { [b + a, b - a, b * a] }
    t("#{b} / #{a}") { b / a }
    t("#{a} divmod #{b}") { a.divmod(b) } unless b.is_a?(Complex)
    t("#{a} coerce #{b}") { a.coerce(b) }
    t("#{a} fdiv #{b}") { a.fdiv(b) }
  end
  t("#{a} round") { [a.floor, a.ceil, a.round, a.truncate, a.to_i, a.to_f, a.round(half: :even), a.round(half: :down)] }
  t("#{a} round1") { [a.floor(1), a.ceil(1), a.round(1), a.truncate(1), a.round(-1), a.round(2)] }
  t("#{a} misc") { [a.numerator, a.denominator, a.abs, -a, a.zero?, a.positive?, a.negative?, a.to_s, a.inspect, a.rationalize(1r/10), a.integer?, a.hash == a.dup.hash] }
end
["1/3", "0.75", "1.5/2", "-3/6", "abc", "1/0", "1e3", "2.5e-1/5", " 1/2 ", "1/", "1_000/3"].each do |s|
  t("#{s} to_r") { s.to_r }
  t("Rational(#{s})") { Rational(s) }
end
t { Rational(1, 2) }
t { Rational(0.5) }
t { Rational("1/2", 3) }
t { Rational(nil) }
t { Rational(1, nil) }
t { Rational("x", exception: false) }
t { Rational(1.5, 2) }
t { Rational(1, 0) }
t { 3.to_r }
t { 0.1.to_r }
t { nil.to_r }
t { 1r + nil }
t { 1r < "a" }
t { 3.quo(2) }
t { 6.quo(3) }
t { 3.quo(2.0) }
cs = [1+2i, -1.5+0i, 3i, 0i, 2+0.0i, Complex(1r/2, 3)]
ds = [1, 2.5, 1r/3, 1+1i, -2i, 0]
cs.each do |a|
  ds.each do |b|
    t("#{a} #{b}") { [a + b, a - b, a * b] }
    t("#{a} / #{b}") { a / b }
    t("#{a} ** #{b}") { a ** b } if b.is_a?(Integer)
    t("#{a} == #{b}") { [a == b, a <=> b, b == a] }
    t("#{b} op #{a}") { [b + a, b - a, b * a] }
  end
  t("#{a} parts") { [a.real, a.imaginary, a.rect, a.conj, a.abs2, -a, a.real?, a.to_s, a.inspect, a.finite?, a.infinite?] }
  t("#{a} to_i") { a.to_i }
  t("#{a} to_f") { a.to_f }
  t("#{a} to_r") { a.to_r }
end
["1+2i", "3i", "i", "-i", "1.5-2.5e1i", "1/2+3/4i", "abc", "1+", "2@3", " 1 ", "1+2j", "1e2"].each do |s|
  t("#{s} to_c") { s.to_c }
  t("Complex(#{s})") { Complex(s) }
end
t { Complex(1, 2) }
t { Complex(1.5) }
t { Complex(nil) }
t { Complex("x", exception: false) }
t { Complex.rect(1, 2) }
t { Complex.polar(2, 0) }
t { Complex(3, 4).abs }
t { Complex(3, 4) > 1 }
t { Complex::I * Complex::I }
t { 3.i }
t { 5.real }
t { 5.imaginary }
t { 5.rect }
t { -5.polar }
t { 5.conj }
t { Complex(1, 2).hash == Complex(1, 2).hash }
t { Complex(1, 2).eql?(Complex(1, 2)) }
t { Complex(1, 2.0).eql?(Complex(1, 2)) }
t { Complex(1, -0.0) }
t { Complex(1, Float::NAN) }
t { Complex(1, Float::INFINITY) }
t { Complex("1", "2") }
t { (1+2i).numerator }
t { Math.sqrt(16) }
t { Math.sqrt(-1) }
t { Math.cbrt(27) }
t { Math.hypot(3, 4) }
t { [Math.sin(0), Math.cos(0), Math.tan(0), Math.atan2(1, 1), Math.exp(0), Math.log(1)] }
t { Math.log(0) }
t { Math.log(-1) }
t { Math.log(8, 2) }
t { Math.log(1000, 10) }
t { Math.log2(2**70) }
t { Math.log10(10**25) }
t { Math.log(2**2000) }
t { Math.log("a") }
t { Math.log(nil) }
t { Math.acos(2) }
t { Math.atanh(1) }
t { Math.gamma(5) }
t { Math.gamma(0.5).round(10) }
t { Math.gamma(-1) }
t { Math.lgamma(0.5).map { |x| x.round(10) } }
t { Math.frexp(1234.5) }
t { Math.ldexp(0.6, 3) }
t { Math.erf(1).round(10) }
t { Math.erfc(1).round(10) }
t { Math::PI }
t { Math::E }
t { Math.log1p(0) }
t { Math.expm1(0) }
srand(42)
t { [rand, rand, rand(10), rand(100), rand(1..6), rand(1.0..2.0), rand(2**70), rand(-5), rand(0), rand(1.9)] }
t { r = Random.new(1234); [r.rand, r.rand(10), r.rand(1.5), r.bytes(5), r.seed, r.rand(1..3), r.rand(2**40)] }
t { Random.new(5) == Random.new(5) }
t { Random.new(2**100).rand(1000) }
t { Random.new(-5).rand(1000) }
t { Random.rand(0) }
t { Random.rand(-1) }
t { Random.new(3).rand(nil) }
t { Random.new(3).rand(3..1) }
t { Random.new(3).random_number(10) }
t { srand(5); srand }
t { srand(7); a = [rand(1000), [1, 2, 3, 4, 5].shuffle, [1, 2, 3].sample, [1, 2, 3, 4].sample(2)]; a }
t { [1, 2, 3, 4, 5].shuffle(random: Random.new(1)) }
t { [1, 2, 3, 4, 5].sample(random: Random.new(1)) }
t { Random.new_seed.class }
t { Random.urandom(4).size }
t { Random.bytes(3).encoding }
