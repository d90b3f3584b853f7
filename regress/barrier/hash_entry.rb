# a value and a key of a small Hash
# mutation: write:HASH
# prints: 20
def age = 50.times { Object.new } # collections: what was made before is old

hash = {}
age
100.times { |i| hash[i % 8] = Object.new; Object.new }
hash = {}
age
20.times { hash[Object.new] = 1; Object.new }
p hash.size
