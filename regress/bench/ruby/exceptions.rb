# Exceptions: raised and rescued near and far, ensure, retry, catch and throw.
class Refused < StandardError
  def initialize(n)
    super("refused #{n}")
  end
end

def deep(n)
  raise ArgumentError, "bottom" if n == 0
  deep(n - 1)
end

def guarded(log)
  yield
ensure
  log[0] += 1
end

log = [0]
caught = 0
240_000.times do |i|
  begin
    raise Refused.new(i) if i % 3 == 0
    caught += 1
  rescue Refused => e
    caught += e.message.size
  end
end
50_000.times do
  begin
    deep(10)
  rescue ArgumentError
    caught += 1
  end
end
600_000.times { |i| guarded(log) { i } }
50_000.times do
  tries = 0
  begin
    tries += 1
    Integer("x") if tries < 2
  rescue ArgumentError
    retry
  end
  caught += tries
end
300_000.times { |i| caught += catch(:done) { throw :done, i & 1 if i.even?; 1 } }
got = [caught, log[0]]
raise "wrong: #{got}" unless got == [1542960, 600000]
