# Data structures and algorithms: heap, linked list with Enumerable, LRU cache, graph search, matrices, sudoku, life, sorts.
class MinHeap
  def initialize(&by) = (@items = []; @by = by || :itself.to_proc)
  def push(x)
    @items << x
    i = @items.size - 1
    while i > 0 && less(i, parent = (i - 1) / 2)
      swap(i, parent)
      i = parent
    end
    self
  end
  alias << push
  def pop
    return if @items.empty?
    swap(0, -1)
    top = @items.pop
    i = 0
    loop do
      child = [2 * i + 1, 2 * i + 2].select { _1 < @items.size }.min_by { @by.(@items[_1]) }
      break if child.nil? || !less(child, i)
      swap(i, child)
      i = child
    end
    top
  end
  def empty? = @items.empty?
  def size = @items.size
  private
  def less(a, b) = (@by.(@items[a]) <=> @by.(@items[b])) == -1
  def swap(a, b) = (@items[a], @items[b] = @items[b], @items[a])
end
h = MinHeap.new
[5, 3, 8, 1, 9, 2, 7].each { h << _1 }
p Array.new(h.size) { h.pop }, h.pop

class List
  include Enumerable
  Node = Data.define(:value, :rest)
  def self.[](*values) = new(values.reverse.inject(nil) { |rest, v| Node.new(v, rest) })
  def initialize(head) = @head = head
  def each
    return enum_for(__method__) { count } unless block_given?
    node = @head
    while node
      yield node.value
      node = node.rest
    end
    self
  end
  def cons(x) = List.new(Node.new(x, @head))
end
l = List[3, 1, 2].cons(0)
p l.to_a, l.sort, l.map { _1 * 2 }, l.each.next, l.include?(2), l.each_with_index.to_a, l.inject(:+), l.each_cons(2).to_a
p l.min_by { -_1 }, l.sum, l.reverse_each.to_a, l.first, l.first(2), l.entries, l.each.size, l.zip(l.drop(1)), l.to_set
p List::Node.new(1, nil), List::Node.new(value: 1, rest: 2).with(rest: 3).to_h

class LRU
  def initialize(limit) = (@limit = limit; @h = {})
  def [](k) = @h.key?(k) ? @h[k] = @h.delete(k) : nil
  def []=(k, v)
    @h.delete(k)
    @h[k] = v
    @h.shift if @h.size > @limit
  end
  def keys = @h.keys
end
c = LRU.new(2)
c[:a] = 1; c[:b] = 2; c[:a]; c[:c] = 3
p c.keys, c[:b], c[:a]

GRAPH = {a: {b: 7, c: 9, f: 14}, b: {a: 7, c: 10, d: 15}, c: {a: 9, b: 10, d: 11, f: 2}, d: {b: 15, c: 11, e: 6},
         e: {d: 6, f: 9}, f: {a: 14, c: 2, e: 9}}
def dijkstra(graph, from)
  distance = Hash.new(Float::INFINITY).merge(from => 0)
  previous = {}
  queue = MinHeap.new(&:last) << [from, 0]
  until queue.empty?
    node, d = queue.pop
    next if d > distance[node]
    graph[node].each do |to, w|
      next unless d + w < distance[to]
      distance[to], previous[to] = d + w, node
      queue << [to, d + w]
    end
  end
  [distance, previous]
end
distance, previous = dijkstra(GRAPH, :a)
p distance.sort.to_h
path = [:e]
path.unshift(previous[path.first]) while previous[path.first]
p path

def bfs(graph, from)
  seen, queue, order = {from => true}, [from], []
  while (n = queue.shift)
    order << n
    graph[n].each_key { |m| next if seen[m]; seen[m] = true; queue.push m }
  end
  order
end
p bfs(GRAPH, :a)

Matrix2 = Struct.new(:a, :b, :c, :d) do
  def *(o) = Matrix2.new(a * o.a + b * o.c, a * o.b + b * o.d, c * o.a + d * o.c, c * o.b + d * o.d)
  def **(n) = n.zero? ? Matrix2.new(1, 0, 0, 1) : n.odd? ? self * self**(n - 1) : (self * self)**(n / 2)
end
p (Matrix2.new(1, 1, 1, 0)**200).b, (Matrix2.new(1, 1, 1, 0)**10).to_a

rows = [[1, 2, 3], [4, 5, 6]]
p rows.transpose, rows.flatten.each_slice(2).to_a, rows.map(&:sum), rows.transpose.map(&:reverse), rows.flatten.each_with_index.map { |x, i| x * i }
p [1, 2, 3].permutation(2).to_a, [1, 2, 3].combination(2).to_a, [1, 2].product([3, 4]), [3, 1, 2].sort { |a, b| b <=> a }, (1..4).each_cons(2).to_a
p [1, [2, [3, [4]]]].flatten(1), [nil, 1, false].compact, [1, 2, 2, 3, 3].uniq, [1, 2, 3, 4].partition(&:even?), [3, 5, 2].each_with_index.min

def queens(n, row = 0, cols = [], &found)
  return found.(cols.dup) if row == n
  n.times do |c|
    next if cols.each_with_index.any? { |cc, r| cc == c || (cc - c).abs == row - r }
    cols.push(c)
    queens(n, row + 1, cols, &found)
    cols.pop
  end
end
solutions = []
queens(6) { solutions << _1 }
p solutions

PUZZLE = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
def solve(board)
  at = board.index(0) or return board
  r, c = at.divmod(9)
  used = (0...9).flat_map { |i| [board[r * 9 + i], board[i * 9 + c], board[(r / 3 * 3 + i / 3) * 9 + c / 3 * 3 + i % 3]] }
  ((1..9).to_a - used).each do |d|
    board[at] = d
    return board if solve(board)
  end
  board[at] = 0
  nil
end
puts solve(PUZZLE.chars.map(&:to_i)).each_slice(9).map(&:join)

cells = [[1, 0], [2, 1], [0, 2], [1, 2], [2, 2]].to_h { [_1, true] }
4.times do
  counts = Hash.new(0)
  cells.each_key { |x, y| [-1, 0, 1].product([-1, 0, 1]).each { |dx, dy| counts[[x + dx, y + dy]] += 1 unless dx == 0 && dy == 0 } }
  cells = counts.select { |pos, n| n == 3 || (n == 2 && cells[pos]) }.transform_values { true }
end
p cells.keys.sort

def quick(a) = a.size <= 1 ? a : (pivot, *rest = a; l, r = rest.partition { _1 < pivot }; quick(l) + [pivot] + quick(r))
def merge_sort(a)
  return a if a.size < 2
  l, r = a.each_slice((a.size / 2.0).ceil).map { merge_sort(_1) }
  out = []
  out << (l.first <= r.first ? l : r).shift while !l.empty? && !r.empty?
  out + l + r
end
seed = 12345
random = -> { seed = (seed * 1103515245 + 12345) % 2**31 }
data = Array.new(50) { random.() % 100 }
p quick(data) == data.sort, merge_sort(data) == data.sort, data.sort.bsearch { _1 >= 50 }, data.max(3), data.minmax
sieve = (2..60).to_a
sieve.each { |n| sieve.reject! { |m| m > n && (m % n).zero? } }
p sieve
p (1..20).map { |i| i % 15 == 0 ? "FizzBuzz" : i % 5 == 0 ? "Buzz" : i % 3 == 0 ? "Fizz" : i }
p 100.digits, 255.to_s(2), "ff".hex, 10.gcd(4), 10.lcm(4), 2**100, -7 / 2, -7 % 3, 7.fdiv(2), 10.pow(20, 7), 3.7.truncate, 1e20.to_i, Integer.sqrt(99)
memo = Hash.new { |hash, n| hash[n] = n < 2 ? n : hash[n - 1] + hash[n - 2] }
p memo[90]
hanoi = ->(n, a, b, c) { n.zero? ? 0 : hanoi.(n - 1, a, c, b) + 1 + hanoi.(n - 1, c, b, a) }
p hanoi.(10, :a, :b, :c)
