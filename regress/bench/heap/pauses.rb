# 1 GB that lives, of all kinds: a tree, small hashes, strings in a big Array, a big Hash, pairs.  Then a program at work in
# it: it makes garbage, replaces what lives, and puts and deletes in the big tables.
class Node
  attr_accessor :left, :right, :value
  def initialize(left, right, value)
    @left = left
    @right = right
    @value = value
  end

  def self.build(depth) = depth == 0 ? nil : new(build(depth - 1), build(depth - 1), depth)
end

share = (ARGV[0] || 1024).to_i # megabytes
tree = Node.build((share * 4096).bit_length)
rows = Array.new(share * 900) { |i| { id: i, name: "row #{i}" } }
lines = Array.new(share * 3000) { |i| "line number #{i} of the file" }
table = {}
(share * 1000).times { |i| table["key #{i}"] = [i, i.to_s] }
GC.start
live = GC.stat(:heap_live_slots)
before = GC.pauses
collections = GC.count
x = 1
n = share * 4000
n.times do |i|
  x = x * 16_807 % 2_147_483_647
  lines[x % lines.size] = "another line #{i}"
  rows[i % rows.size] = { id: i, name: "row #{x}" } if i % 4 == 0
  if i % 8 == 0
    table.delete("key #{i / 8}")
    table["new #{i}"] = [x, nil]
  end
  if i % 64 == 0
    node = tree
    12.times { |bit| node = x[bit] == 0 ? node.left : node.right }
    node.left = Node.build(5)
  end
end
pauses = GC.pauses.to_h { |limit, n| [limit, n - before[limit]] }
stat = GC.stat
printf("%-52s %12d MB  (%d objects)\n", "lives", (stat[:heap_allocated_pages] * 65_536 + stat[:malloc_bytes]) >> 20, live)
printf("%-52s %12.1f ms  (%d collections)\n", "longest pause", stat[:longest_pause_ns] / 1e6, stat[:count] - collections)
all = pauses.values.sum
[0.5, 0.9, 0.99, 0.999].each do |share|
  seen = 0
  limit, = pauses.find { |_, n| (seen += n) >= share * all }
  printf("%-52s %12.3f ms\n", "  #{share * 100} % of #{all} took less than", limit / 1e3)
end
