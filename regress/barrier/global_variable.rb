# the tables of the interpreter: global variables
# mutation: roots:global variables
# prints: Object
def age = 50.times { Object.new } # collections: what was made before is old

$row = nil
age
100.times { $row = Object.new; Object.new }
p $row.class
