# Instance variables: reading, writing, accessors, objects of growing shape.
class Counter
  attr_accessor :step
  attr_reader :value

  def initialize(step)
    @value = 0
    @step = step
    @turns = 0
    @last = nil
  end

  def turn
    @last = @value
    @value += @step
    @turns += 1
    @value - @last
  end
end

c = Counter.new(3)
sum = 0
i = 0
while i < 2_500_000
  sum += c.turn
  c.step = i & 3
  sum += c.value & 1
  sum -= c.step
  i += 1
end
made = 0
500_000.times { |k| made += Counter.new(k).turn & 1 }
raise "wrong: #{[sum, made]}" unless [sum, made] == [1250000, 250000]
