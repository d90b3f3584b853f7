# an element of a small Array
# mutation: write:ARRAY
# prints: [Object, Object]
def age = 50.times { Object.new } # collections: what was made before is old

array = [nil, nil]
age
100.times { |i| array[i % 2] = Object.new; Object.new }
p array.map(&:class)
