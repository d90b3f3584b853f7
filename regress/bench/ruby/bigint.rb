# Big integers: digits of pi, a factorial, powers modulo, Fibonacci numbers, conversion.
def pi_digits(n)
  q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
  digits = []
  while digits.size < n
    if 4 * q + r - t < m * t
      digits << m
      q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) / t - 10 * m
    else
      q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) / (t * x), x + 2
    end
  end
  digits
end

digits = pi_digits(1300)
factorial = (1..4000).inject(:*)
a, b = 0, 1
20_000.times { a, b = b, a + b }
power = 0
300.times { |i| power += (3**200 + i).pow(65_537, 10**40 + 7) & 0xff }
shifted = 0
200_000.times { |i| shifted += ((1 << 100) + i >> 98) + ((i << 70) & (1 << 75) == 0 ? 0 : 1) }
got = [digits.last(3), factorial.to_s.size, a % 1_000_007, power, shifted, (7**2000).to_s.sum]
raise "wrong: #{got}" unless got == [[4, 9, 1], 12674, 32559, 37330, 900000, 23106]
