# N queens: with arrays of flags, and with bits.
def solve(row, n, columns, up, down)
  return 1 if row == n
  found = 0
  n.times do |c|
    next if columns[c] || up[row + c] || down[row - c + n]
    columns[c] = up[row + c] = down[row - c + n] = true
    found += solve(row + 1, n, columns, up, down)
    columns[c] = up[row + c] = down[row - c + n] = false
  end
  found
end

def bits(all, columns, left, right)
  return 1 if columns == all
  count = 0
  free = all & ~(columns | left | right)
  while free != 0
    bit = free & -free
    free ^= bit
    count += bits(all, columns | bit, (left | bit) << 1, (right | bit) >> 1)
  end
  count
end

got = [solve(0, 10, [], [], []), bits((1 << 9) - 1, 0, 0, 0), bits((1 << 12) - 1, 0, 0, 0)]
raise "wrong: #{got}" unless got == [724, 352, 14200]
