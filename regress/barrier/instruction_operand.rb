# literals in the operands of instructions, filled in while the other sequences of a unit are made
# mutation: remember:CODE
# prints: ["a7", 1.5e+207, (3/1), 1180591620717411303431]
def age = 50.times { Object.new } # collections: what was made before is old

source = Array.new(40) { |i| "-> { ['a#{i}', 1.5e#{200 + i}, 3r, #{2**70 + i}] }" }.join(",\n")
all = eval("[#{source}]")
age
p all[7].call
