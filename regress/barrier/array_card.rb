# an element of an Array with cards
# mutation: card:ARRAY
# prints: 200
def age = 50.times { Object.new } # collections: what was made before is old

array = Array.new(2000)
age
200.times { |i| array[i * 9] = Object.new; Object.new }
p array.compact.size
