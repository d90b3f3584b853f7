# Trees that work the collector: binary trees made and dropped, a search tree that lives on.
class Tree
  attr_reader :left, :right
  def initialize(left, right)
    @left = left
    @right = right
  end

  def self.build(depth)
    depth == 0 ? new(nil, nil) : new(build(depth - 1), build(depth - 1))
  end

  def count = @left ? 1 + @left.count + @right.count : 1
end

class Search
  Node = Struct.new(:key, :left, :right)
  attr_reader :size

  def initialize
    @root = nil
    @size = 0
  end

  def add(key)
    unless @root
      @root = Node.new(key)
      return @size += 1
    end
    at = @root
    while at.key != key
      side = key < at.key ? at.left : at.right
      unless side
        node = Node.new(key)
        key < at.key ? at.left = node : at.right = node
        @size += 1
        return
      end
      at = side
    end
  end

  def height(at = @root) = at ? 1 + [height(at.left), height(at.right)].max : 0
end

kept = Tree.build(16)
total = 0
4.step(12, 2) do |depth|
  (1 << 16 - depth).times { total += Tree.build(depth).count }
end
search = Search.new
x = 1
50_000.times { search.add(x = x * 16_807 % 2_147_483_647) }
got = [kept.count, total, search.size, search.height]
raise "wrong: #{got}" unless got == [131071, 649904, 50000, 39]
