# Permutations: pancake flips over all orders, by counting; Array#permutation and #combination.
def fannkuch(n)
  perm = (0...n).to_a
  count = Array.new(n, 0)
  r = n
  max = checksum = turn = 0
  while true
    while r != 1
      count[r - 1] = r
      r -= 1
    end
    flips = 0
    q = perm.dup
    while (k = q[0]) != 0
      i = 0
      while i < k
        t = q[i]
        q[i] = q[k]
        q[k] = t
        i += 1
        k -= 1
      end
      flips += 1
    end
    max = flips if flips > max
    checksum += turn.even? ? flips : -flips
    while true
      return [checksum, max] if r == n
      first = perm[0]
      i = 0
      while i < r
        perm[i] = perm[i + 1]
        i += 1
      end
      perm[r] = first
      count[r] -= 1
      break if count[r] > 0
      r += 1
    end
    turn += 1
  end
end

ordered = 0
(1..8).to_a.permutation { |a| ordered += 1 if a[0] < a[7] }
sum = 0
(1..21).to_a.combination(5) { |a| sum += a[2] }
got = [fannkuch(9), ordered, sum]
raise "wrong: #{got}" unless got == [[8629, 30], 20160, 223839]
