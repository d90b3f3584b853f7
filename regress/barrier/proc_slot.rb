# an instance variable of a Proc, whose slots are its references
# mutation: write:PROC
# prints: 1
def age = 50.times { Object.new } # collections: what was made before is old

block = proc { 1 }
block.instance_variable_set(:@a, 1)
age
100.times { block.instance_variable_set(:@a, Object.new); Object.new }
p block.call
