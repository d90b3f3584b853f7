# captured locals of methods that have returned
# mutation: write:ENV
# prints: 1
def age = 50.times { Object.new } # collections: what was made before is old

def setter
  x = nil
  ->(v) { x = v; -> { x } }
end
setters = Array.new(100) { setter }
age
setters.each { |set| set.call(Object.new); Object.new }
p setters[7].call(1).call
