# instance variables in the table beside objects that have no slots
# mutation: write:STRING
# prints: Object
def age = 50.times { Object.new } # collections: what was made before is old

strings = Array.new(100) { |i| "s#{i}".tap { |s| s.instance_variable_set(:@a, 1) } }
age
strings.each { |s| s.instance_variable_set(:@a, Object.new); Object.new }
p strings[7].instance_variable_get(:@a).class
