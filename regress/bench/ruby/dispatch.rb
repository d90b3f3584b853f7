# Polymorphic dispatch: one call site, several classes; super; attribute readers.
class Shape
  attr_reader :name
  def initialize(name) = @name = name
  def area = 0
  def describe(k) = area * k + name.size
end

class Square < Shape
  def initialize(side)
    super("square")
    @side = side
  end
  def area = @side * @side
end

class Box < Shape
  def initialize(w, h)
    super("box")
    @w = w
    @h = h
  end
  def area = @w * @h
end

class Circle < Shape
  def initialize(r)
    super("circle")
    @r = r
  end
  def area = 3 * @r * @r
end

class Ring < Circle
  def area = super - 3
end

shapes = [Square.new(3), Box.new(2, 5), Circle.new(4), Ring.new(2), Box.new(1, 1)]
total = 0
i = 0
while i < 2_500_000
  total += shapes[i % 5].describe(i & 7)
  i += 1
end
raise "wrong: #{total}" unless total == 146750000
