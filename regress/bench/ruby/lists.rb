# Linked lists: built, reversed, mapped, merged, dropped; garbage of many sizes.
class Cell
  attr_accessor :value, :rest
  def initialize(value, rest)
    @value = value
    @rest = rest
  end
end

def build(n)
  list = nil
  n.times { |i| list = Cell.new(i, list) }
  list
end

def reverse(list)
  out = nil
  while list
    list.rest, out, list = out, list, list.rest
  end
  out
end

def total(list)
  sum = 0
  while list
    sum += list.value
    list = list.rest
  end
  sum
end

sum = 0
150.times { sum += total(reverse(build(5000))) }
chain = build(60_000)
garbage = nil
250_000.times { |i| garbage = [i, [i, "text #{i}"], { i => nil }] }
pairs = nil
400_000.times { |i| pairs = [i, i & 1023 == 0 ? nil : pairs] }
depth = 0
while pairs
  depth += 1
  pairs = pairs[1]
end
got = [sum, total(chain), depth, garbage.size]
raise "wrong: #{got}" unless got == [1874625000, 1799970000, 640, 3]
