# Binary trees: one of a million nodes that lives, many that are made and dropped.
class Node
  attr_reader :left, :right
  def initialize(left, right)
    @left = left
    @right = right
  end
  def check = @left ? 1 + @left.check + @right.check : 1
end
def build(depth) = depth == 0 ? Node.new(nil, nil) : Node.new(build(depth - 1), build(depth - 1))
kept = build(19)
sum = 0
4.step(16, 4) { |d| (1 << 18 - d).times { sum += build(d).check } }
raise "wrong" unless kept.check == (1 << 20) - 1
