# Sudoku: the cell with fewest candidates first, over arrays and ranges.
PEERS = Array.new(81) do |i|
  r, c = i.divmod(9)
  (0...81).select { |j| j != i && (j / 9 == r || j % 9 == c || (j / 27 == r / 3 && j % 9 / 3 == c / 3)) }
end

def candidates(grid, i)
  used = 0
  PEERS[i].each { |j| used |= 1 << grid[j] }
  (1..9).reject { |d| used[d] == 1 }
end

def solve(grid, stats)
  best = nil
  options = nil
  grid.each_with_index do |v, i|
    next unless v == 0
    c = candidates(grid, i)
    return nil if c.empty?
    if options.nil? || c.size < options.size
      best = i
      options = c
      break if c.size == 1
    end
  end
  return grid unless best
  options.each do |d|
    stats[:tries] += 1
    copy = grid.dup
    copy[best] = d
    done = solve(copy, stats)
    return done if done
  end
  nil
end

stats = { tries: 0 }
puzzles = %w[
  52...6.........7.13...........4..8..6......5...........418.........3..2...87.....
  4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......
  53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79
]
results = puzzles.map { |p| solve(p.chars.map(&:to_i), stats).join }
raise "wrong: #{results} #{stats}" unless results == ["527316489896542731314987562172453896689271354453698217941825673765134928238769145", "417369825632158947958724316825437169791586432346912758289643571573291684164875293", "534678912672195348198342567859761423426853791713924856961537284287419635345286179"] && stats[:tries] == 2645
