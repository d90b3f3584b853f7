# While loops over integers: Collatz, greatest common divisors, a linear congruential generator.
best = 0
longest = 0
n = 1
while n < 40_000
  steps = 0
  k = n
  while k != 1
    k = k.even? ? k / 2 : 3 * k + 1
    steps += 1
  end
  if steps > longest
    longest = steps
    best = n
  end
  n += 1
end
seed = 42
mix = 0
i = 0
until i == 3_000_000
  seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
  mix ^= seed >> 7
  i += 1
end
coprime = 0
a = 1
while a <= 300
  b = 1
  while b <= 300
    x = a
    y = b
    x, y = y, x % y while y > 0
    coprime += 1 if x == 1
    b += 1
  end
  a += 1
end
got = [best, longest, mix, coprime]
raise "wrong: #{got}" unless got == [35655, 323, 16332458, 54795]
