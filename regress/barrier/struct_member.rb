# a member of a Struct
# mutation: write:STRUCT
# prints: Object
def age = 50.times { Object.new } # collections: what was made before is old

pair = Struct.new(:left, :right).new
age
100.times { pair.right = Object.new; Object.new }
p pair.right.class
