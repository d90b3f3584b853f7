# what inline caches hold: a Regexp that is made once
# mutation: roots:interpreter
# prints: true
def age = 50.times { Object.new } # collections: what was made before is old

def match(i) = /a#{i}/o.match?("a0")
match(0)
age
100.times { |i| match(i); Object.new }
p match(3)
