# Linked structures: doubly linked lists, pairs as structs and as arrays, chains of small hashes; each is dropped after a while.
class Cell
  attr_accessor :value, :next, :prev
  def initialize(v, n) = (@value = v; @next = n; @prev = nil)
end
Pair = Struct.new(:key, :rest)
lists = Array.new(50)
sum = 0
400.times do |r|
  head = nil
  6000.times { |i| c = Cell.new(i, head); head.prev = c if head; head = c }
  lists[r % 50] = head
end
lists.each { |l| while l; sum += l.value; l = l.next; end }
pairs = nil
700_000.times { |i| pairs = Pair.new(i, i % 100_000 == 0 ? nil : pairs) }
arr = nil
700_000.times { |i| arr = [i, i % 100_000 == 0 ? nil : arr] }
h = nil
150_000.times { |i| h = { id: i, up: (i % 1000 == 0 ? nil : h) } }
raise "wrong #{sum}" unless sum == 50 * 6000 * 5999 / 2
