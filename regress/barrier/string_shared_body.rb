# the hidden owner of bytes that two Strings share
# mutation: remember:STRING
# prints: 20780
def age = 50.times { Object.new } # collections: what was made before is old

strings = Array.new(40) { |i| "x" * (500 + i) }
age
strings.each { |s| s.dup; Object.new }
p strings.sum(&:size)
