# a weak map, from which the dead are dropped
# mutation: always:WEAKMAP
# prints: true
def age = 50.times { Object.new } # collections: what was made before is old

map = ObjectSpace::WeakMap.new
keys = Array.new(100) { Object.new }
age
100.times { |i| map[keys[i]] = Object.new; Object.new }
age
p map.size < 100
