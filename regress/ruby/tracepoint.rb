# TracePoint: the events of one program, what each tells, filters by target, line and thread, nesting.
class Account
  def deposit(sum)
    total = twice(sum) do |x|
      x.to_s
    end
    total.itself
  end
  alias put deposit

  def twice(n)
    yield n
    return yield(n.abs)
  end

  def guarded
    raise ArgumentError, "no"
  rescue ArgumentError
    :saved
  end

  define_method(:made) { |a| a }

  def self.open = new
end

def collect(*events, **options)
  log = []
  trace = TracePoint.new(*events) { |t| log << yield(t) if t.path == __FILE__ }
  trace.enable(**options)
  begin
    program
  ensure
    trace.disable
  end
  log.compact.each { |row| puts row.inspect }
end

def program
  a = Account.new
  a.put(-3)
  a.guarded
  a.made(4)
  i = 0
  while i < 2
    i = i.succ
  end
  Object.class_eval <<~RUBY, __FILE__, 100
    class Inner
      def x = 1
    end
  RUBY
  class << a
    attr_reader :b
  end
  catch(:done) { throw :done, [1,
                               2] }
end

puts "lines"
collect(:line) { |t| t.lineno }
puts "calls"
collect(:call, :return) do |t|
  [t.event, t.lineno, t.method_id, t.callee_id, t.defined_class, t.self.class, *(t.return_value if t.event == :return)]
end
puts "blocks"
collect(:b_call, :b_return) { |t| [t.event, t.lineno, t.parameters, *(t.return_value if t.event == :b_return)] }
puts "classes"
collect(:class, :end) { |t| [t.event, t.lineno, t.path == __FILE__, t.self.inspect[0, 8]] }
puts "exceptions"
collect(:raise) { |t| [t.event, t.lineno, t.raised_exception, t.method_id] }
collect(:rescue) { |t| [t.event, t.raised_exception, t.method_id] }
puts "native"
collect(:c_call) { |t| %i[to_s succ catch throw].include?(t.method_id) ? [t.method_id, t.defined_class] : nil }

puts "targets"
seen = []
by_target = TracePoint.new(:call, :line, :b_call) { |t| seen << [t.event, t.lineno] }
by_target.enable(target: Account.instance_method(:deposit)) { program }
p seen
seen.clear
by_target.enable(target: Account.instance_method(:twice), target_line: 12) { program }
p seen
[{target: 3}, {target_line: 3}, {target: proc {}, target_line: 1}].each do |options|
  by_target.enable(**options) {}
rescue ArgumentError => e
  puts e.message
end

puts "nesting"
order = []
outer = TracePoint.new(:b_call) { order << :outer }
inner = TracePoint.new(:b_call) { order << :inner }
target = -> {}
outer.enable { inner.enable(target: target) { target.call } }
p order
p outer.enable, outer.enable, outer.enabled?, outer.inspect, outer.disable, outer.disable, outer.inspect
begin
  outer.lineno
rescue RuntimeError => e
  puts e.message
end

puts "inside"
reentered = []
t = TracePoint.new(:call) do |tp|
  reentered << tp.method_id
  next if tp.method_id == :b_method
  TracePoint.allow_reentry { b_method }
end
def a_method = 1
def b_method = 2
t.enable { a_method }
p reentered
names = []
TracePoint.new(:return) { |tp| names << tp.binding.local_variables }.enable do
  def secretive(x) = (y = x; y)
  secretive(1)
end
p names
source = nil
TracePoint.new(:script_compiled) { |tp| source = tp.eval_script }.enable { eval("1 +\n1") }
p source
begin
  TracePoint.new(:line) { raise "from the hook" }.enable { x = 1 }
rescue => e
  puts e.message
end
begin
  TracePoint.new(:nothing) {}
rescue ArgumentError => e
  puts e.message
end
def failing = raise("left")
ends = []
TracePoint.new(:return) { |tp| ends << [tp.method_id, tp.return_value] }.enable { failing rescue 0 }
p ends
def aliased = __callee__
alias other_name aliased
p aliased, other_name
