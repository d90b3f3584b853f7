# an instance variable in the cell, and one beyond it
# mutation: write:OBJECT
# prints: Object Object
def age = 50.times { Object.new } # collections: what was made before is old

class Node
  attr_accessor :next, *("a".."m").map(&:to_sym)
end
node = Node.new
age
100.times { node.next = Object.new; Object.new }
100.times { node.m = Object.new; Object.new }
p node.next.class, node.m.class
