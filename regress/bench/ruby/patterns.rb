# Pattern matching: arrays, hashes, find patterns, guards, deconstruction of objects.
class Node
  attr_reader :kind, :left, :right
  def initialize(kind, left, right = nil)
    @kind, @left, @right = kind, left, right
  end
  def deconstruct = [@kind, @left, @right]
  def deconstruct_keys(_keys) = { kind: @kind, left: @left, right: @right }
end

def value(node)
  case node
  in Integer then node
  in [:add, l, r] then value(l) + value(r)
  in [:mul, l, r] then value(l) * value(r)
  in [:neg, x] then -value(x)
  end
end

def simplify(node)
  case node
  in Node[:add, l, 0] then simplify(l)
  in Node[:mul, l, 1] then simplify(l)
  in { kind: :num, left: Integer => n } if n >= 0 then n
  in Node then -1
  in Integer | nil then node.to_i
  end
end

tree = [:add, [:mul, 3, [:neg, 2]], [:add, [:neg, [:neg, 4]], [:mul, 5, 6]]]
sum = 0
80_000.times { sum += value(tree) }
nodes = [Node.new(:add, Node.new(:num, 7), 0), Node.new(:mul, 5, 1), Node.new(:num, -4), nil]
300_000.times { |i| sum += simplify(nodes[i & 3]) }
records = [{ name: "ann", role: { admin: true } }, { name: "bob", age: 7 }, { status: "down", code: 500 }]
300_000.times do |i|
  case records[i % 3]
  in { name: String => name, role: { admin: true } } then sum += name.size
  in { name:, age: 5.. => age } then sum += age
  in { status: "ok" | "down", code: Integer => code } then sum += code
  end
end
60_000.times do |i|
  case [1, i, :x, 42, 5]
  in [*, Symbol, Integer => n, *] then sum += n
  end
end
raise "wrong: #{sum}" unless sum == 56585000
