# constants and methods in the tables of a class
# mutation: write:SYMTABLE
# prints: 61 59
def age = 50.times { Object.new } # collections: what was made before is old

class Row; end
Row.const_set(:FIRST, 1)
age
60.times { |i| Row.const_set("C#{i}", Object.new); Object.new }
60.times { |i| Row.define_method("m#{i}") { i }; Object.new }
p Row.constants.size, Row.new.m59
