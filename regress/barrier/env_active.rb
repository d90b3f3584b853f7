# a local that a block has captured, of a method that still runs
# mutation: always:ENV
# prints: Object
def age = 50.times { Object.new } # collections: what was made before is old

def work
  x = nil
  reader = proc { x }
  age
  100.times { x = Object.new; Object.new }
  reader.call
end
p work.class
