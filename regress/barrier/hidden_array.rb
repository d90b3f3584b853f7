# an Array that Ruby does not see: the items of a Queue
# mutation: write:ARRAY
# prints: 100
def age = 50.times { Object.new } # collections: what was made before is old

queue = Thread::Queue.new
age
100.times { queue << Object.new; Object.new }
p queue.size
