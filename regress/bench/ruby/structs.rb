# Struct: members read and written, comparison, hashing, keyword construction, conversion.
Point = Struct.new(:x, :y) do
  def +(other) = Point.new(x + other.x, y + other.y)
  def dist = x * x + y * y
end
Person = Struct.new(:name, :age, keyword_init: true)

step = Point.new(1, 2)
at = Point.new(0, 0)
500_000.times do |i|
  at += step
  at.x -= 1 if i.odd?
end
same = 0
300_000.times { |i| same += 1 if Point.new(i & 3, 1) == Point.new(2, 1) }
seen = {}
150_000.times { |i| seen[Point.new(i % 50, i % 7)] = i }
age = 0
150_000.times { |i| age += Person.new(name: "x", age: i & 15).age }
pairs = 0
150_000.times { |i| a, b = *Point.new(i, 1); pairs += a + b }
got = [at.dist, same, seen.size, age, pairs]
raise "wrong: #{got}" unless got == [1062500000000, 75000, 350, 1125000, 11250075000]
