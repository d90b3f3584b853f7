# numerics: matrices of rationals, complex FFT, bignum, primes, continued fractions
class Mat
  include Enumerable
  attr_reader :rows
  def self.[](*r) = new(r)
  def self.id(n) = new(Array.new(n) { |i| Array.new(n) { |j| i == j ? 1r : 0r } })
  def initialize(r) = @rows = r.map { |x| x.map(&:to_r).freeze }.freeze
  def each(&) = rows.flatten.each(&)
  def coerce(o) = [Mat.new(rows.map { |r| r.map { o } }), self]
  def *(o) = o.is_a?(Mat) ? Mat.new(rows.map { |r| o.rows.transpose.map { |c| r.zip(c).sum { _1 * _2 } } }) : Mat.new(rows.map { |r| r.map { _1 * o } })
  def **(n) = n.zero? ? Mat.id(rows.size) : n.even? ? (self * self)**(n / 2) : self * self**(n - 1)
  def det
    m = rows.map(&:dup)
    d = 1r
    m.size.times do |i|
      piv = (i...m.size).find { !m[_1][i].zero? } or return 0r
      (m[i], m[piv] = m[piv], m[i]; d = -d) if piv != i
      d *= m[i][i]
      (i + 1...m.size).each { |j| f = m[j][i] / m[i][i]; m[j] = m[j].zip(m[i]).map { |a, b| a - f * b } }
    end
    d
  end
  def ==(o) = o.is_a?(Mat) && rows == o.rows
  def to_s = rows.map { |r| r.map { |x| x.denominator == 1 ? x.numerator.to_s : x.to_s }.join(" ") }.join("\n")
  def inspect = "Mat#{rows.map { |r| r.map { _1.denominator == 1 ? _1.to_i : _1 } }}"
end
h = Mat.new((1..5).map { |i| (1..5).map { |j| Rational(1, i + j - 1) } })
puts h, h.det, h.det.denominator, (Mat[[1, 1], [1, 0]]**200).rows[0][1].to_i, h.sum, h.max, h.sort.first(3).inspect
p Mat[[2, 1], [1, 3]] * Mat[[1, 0], [0, 1/2r]], Mat[[1, 2], [3, 4]] == Mat[[1.0, 2], [3, 4]], h.minmax, h.first(2), h.each_slice(5).map(&:sum), h.include?(1/9r)
def fft(a, inv = 1)
  return a if a.size == 1
  e, o = a.each_slice(2).to_a.transpose.map { fft(_1, inv) }
  half = a.size / 2
  (0...half).each_with_object(Array.new(a.size)) { |k, r| t = Complex.polar(1, -2 * Math::PI * inv * k / a.size) * o[k]; r[k], r[k + half] = e[k] + t, e[k] - t }
end
x = [1, 2, 3, 4, 0, 0, 0, 0].map { Complex(_1) }
f = fft(x)
p f.map { |c| c.rect.map { _1.round(6) } }, fft(f, -1).map { (_1.real / 8).round(9) }, f.sum { _1.abs2 }.round(6)
p (1..40).inject(:*), 2**521 - 1, (2**127 - 1).to_s(36), (10**50).to_s.size, -(3**100) / 7**20, -(3**100) % 7**20, (3**100).divmod(-(7**20)), (2**200).fdiv(3**100), (2**1000).to_f, (2**1100).to_f, (10**25).digits.sum, (2**100) & (2**90 - 1 + 2**99), (2**100) | 1, -(2**100) ^ 5, -(2**100) >> 3, 1 << 100 >> 98, (2**64).hash == (2**64).hash, 2**64 == 2.0**64, (2**64).eql?(2.0**64), 2**53 + 1 <=> 2.0**53, (2**64).coerce(1.5), Integer.sqrt(2**101), (2**80).pow(3**50, 10**9 + 7), (-2**80).abs, (2**70)[70], (2**70).even?, 123456789**5, 10**18 * 10**18, (10**36).to_s, 99999999999 * 99999999999, -99999999999 * 99999999999 - 1, (1 << 62), (1 << 62) - 1, -(1 << 62), -(1 << 62) - 1, 4611686018427387904 - 1, 4611686018427387903 + 1, 3037000500 * 3037000500, (2**62) / -1, (2**100) / (2**50), (2**100).remainder(-3), 7.lcm(2**70), (2**90).gcd(6**40), "123456789012345678901234567890".to_i + 1, Integer("0x" + "f" * 30, 16), "%x" % (2**100 - 1), "%d" % 1e30, 1e30.to_i, (1e30.to_i).to_f == 1e30, 10**400 > 1e308, (10**400 > Float::INFINITY), -(10**400) < -Float::INFINITY, (10**400).to_f, (2**64).ceil(-5), (2**64).round(-19), (2**64).floor(-3), (2**64).succ.pred, (2**64).size, (2**64).bit_length
def cf(r, n = 12) = Enumerator.produce(r) { |y| f = y - y.floor; f.zero? ? raise(StopIteration) : 1 / f }.lazy.map(&:floor).first(n)
p cf(649/200r), cf(Math::E.rationalize(1e-12.to_r)), cf(Rational(355, 113)), 3.7.rationalize(1/10r), 0.333.to_r, Rational("2/4"), Rational(1.5), Rational("1.2e2"), (Rational(1, 0) rescue $!.message), 1/3r <=> 0.333, 3r == 3, 3r.eql?(3), 7/2r.round, (7/2r).round, (5/2r).round(half: :even), (-7/2r).truncate, (-7/2r).floor, (22/7r).round(3), (22/7r).to_f, 1r / 3 + 2, 1.0 + 1r, 2**(1/2r), 4r**2, (1/2r)**-3, (2r**0.5), 8**(1/3r), 1.quo(3), 1.0.quo(3), 6.quo(3), Rational(7, 3).divmod(1/2r), (1/3r).inspect, (1/3r).to_s, 0.5.to_r, -0.5.rationalize
c = 3+4i
p c, c.abs, c.arg, c.conj, c * c, c / (1 - 2i), c**2, c**-1, c**0.5, c == 3+4i, c.rect, c.polar, Complex.polar(1, Math::PI / 2).real.round(10), Complex("1@2").real.round(5), Complex(1, 0) == 1, (c <=> 1), (Complex(1, 0) <=> 2), c.to_s, (c.to_i rescue $!.message), Complex(3, 0).to_i, 1i**2, Complex(1.0, -0.0), Complex(0, Float::NAN), Complex("i"), Complex("3.5-2.1e3i"), (Complex("abc") rescue $!.message), -c, c - 1, 1 - c, 2.0 * c, c.fdiv(2), c.quo(2), c.finite?, c.real?, 5.real?, 5.imaginary, Complex(1/2r, 3), Complex(1, 2).hash == Complex(1, 2).hash, Math.sqrt(-1) rescue p $!.class, $!.message
p 10.pow(20, 7), 5.ceildiv(2), -5.ceildiv(2), 17.pred, 6.bit_length, 10.0.next_float, 1.0.prev_float, 0.1.next_float, 1e308 * 10, -1.0 / 0, (0 / 0.0).nan?, (1 / 0 rescue $!.message), (1 % 0 rescue $!.message), 1.0 % 0 , 5.fdiv(0), 1.0.to_i, (Float::NAN.to_i rescue $!.message), (Float::INFINITY.to_i rescue $!.message), 3.zero?, 0.0.zero?, 3.positive?, -0.0.negative?, 1 <=> "a", (1 < "a" rescue $!.message), (1 + nil rescue $!.message), (1 + "1" rescue $!.message), ([1] + nil rescue $!.message), (nil + 1 rescue $!.message), Integer === 2**70, 1.integer?, 1.0.finite?, 1.0.eql?(1), 1.equal?(1), 1 === 1.0, 1.hash == 1.0.hash, 3.7.floor, -3.7.floor, -3.2.ceil, -3.5.round, 3.5.round, 4.5.round, 1234567.891.round(-3), 0.1 + 0.2 == 0.3, (0.1 + 0.2).round(15), 1.23e-5.floor(6), 100.clamp(..50), 5.clamp(7, 9), 5.clamp(1.., ) , 1.step(2, 0.5).to_a, Float::DIG, Float::EPSILON, Float::MAX, Float::MIN, Integer::MAX rescue p $!.class
sieve = ->(n) { (2..n).each_with_object([true] * (n + 1)) { |i, s| (i * i).step(n, i) { s[_1] = false } if s[i] }.each_index.select { |i| i > 1 && i } }
s = [true] * 101
2.upto(10) { |i| (i * i).step(100, i) { |j| s[j] = false } if s[i] }
p (2..100).select { s[_1] }, Comparable.instance_methods.sort
