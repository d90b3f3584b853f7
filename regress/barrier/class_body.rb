# what a class refers to itself: its instance variables, the modules above it
# mutation: always:CLASS
# prints: true
def age = 50.times { Object.new } # collections: what was made before is old

class Row; end
Row.instance_variable_set(:@a, 1)
age
60.times { Row.instance_variable_set(:@a, Object.new); Object.new }
60.times { Row.include(Module.new); Object.new }
p Row.ancestors.size > 60
