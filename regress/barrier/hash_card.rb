# an entry of a Hash with cards
# mutation: card:HASH
# prints: 200
def age = 50.times { Object.new } # collections: what was made before is old

hash = {}
1000.times { |i| hash[i] = nil }
age
200.times { |i| hash[i * 5] = Object.new; Object.new }
p hash.values.compact.size
