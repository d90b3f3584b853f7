# Metaprogramming: define_method, method_missing, send, respond_to?, instance_variable_get, instance_exec.
class Ghost
  %w[red green blue].each_with_index do |name, i|
    define_method(name) { |n| n + i }
  end

  def method_missing(name, *args)
    return args.size + 1 if name == :anything
    super
  end

  def respond_to_missing?(name, all = false) = name == :anything || super

  def plain(n) = n
  def options(a, b: 2, **rest) = a + b + rest.size
  def many(*list) = list.size
end

g = Ghost.new
g.instance_variable_set(:@secret, 5)
sum = 0
names = %i[red green blue plain]
600_000.times { |i| sum += g.blue(i & 3) + g.green(1) }
600_000.times { |i| sum += g.send(names[i & 3], 1) }
300_000.times { sum += g.anything(1, 2) }
250_000.times { sum += 1 if g.respond_to?(:plain) && !g.respond_to?(:nothing) }
250_000.times { sum += g.instance_variable_get(:@secret) }
250_000.times { sum += g.instance_exec(2) { |n| @secret + n } }
250_000.times { sum += g.options(1, b: 3) + g.options(1) + g.many(1, 2) }
args = [1, 2, 3]
250_000.times { sum += g.many(*args) + g.public_send(:plain, 1) }
m = g.method(:plain)
250_000.times { sum += m.call(2) }
raise "wrong: #{sum}" unless sum == 12250000
