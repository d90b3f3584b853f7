# What a backtrace says of each kind of frame: methods, singleton methods, blocks, built-ins, class bodies, eval.
def lines(error)
  error.backtrace.take_while { |l| !l.include?("eval:") && !l.include?("Kernel.eval") }.map { |l| l[/[^\/]*\z/] }
end

def plain(x)
  raise ArgumentError, "bad"
end

class Bar
  def self.through
    yield
  end

  def inner
    [1].each { |x| Bar.through { plain(x) } }
  end

  define_method(:dynamic) { |q| q.boom }

  class << self
    def meta = raise("meta")
  end

  def method_missing(name, *args)
    name == :ghost ? raise("ghost") : super
  end

  def respond_to_missing?(*) = true

  begin
    raise "in body"
  rescue => e
    puts lines2 = e.backtrace[0][/[^\/]*\z/]
  end
end

module Deep
  module Er
    def self.call = [[1]].map { |(a)| [a].map { |b| Integer("x") } }
  end
end

o = Object.new
def o.alone = raise("alone")

tests = {
  blocks: -> { Bar.new.inner },
  dynamic: -> { Bar.new.dynamic(3) },
  arity: -> { plain },
  meta: -> { Bar.meta },
  ghost: -> { Bar.new.ghost },
  super_missing: -> { Bar.new.other },
  alone: -> { o.alone },
  deep: -> { Deep::Er.call },
  eval: -> { eval("raise 'ev'", nil, "some.rb", 7) },
  instance_eval: -> { Bar.new.instance_eval { raise "ie" } },
  sort: -> { [3, 1].sort_by { |x| x.nope } },
  send: -> { Bar.send(:meta) },
  call: -> { proc { raise "p" }.call },
  lambda_arity: -> { ->(x) {}.call },
  times: -> { 1.times { raise "t" } },
  first: -> { [].first(1, 2, 3) },
  hash: -> { { a: 1 }.each { |k, v| v.foo } },
  fiber: -> { Fiber.new { raise "f" }.resume },
  anonymous: -> { Class.new { def go = raise("anon") }.new.go },
}
tests.each do |name, code|
  code.call
rescue => e
  puts "#{name}: #{e.class}: #{e.message.sub(/0x\h+/, "0x")}"
  puts lines(e).map { |l| "  " + l }
end

def where = caller_locations(1, 1)[0]
w = where
p w.lineno, w.path == __FILE__, w.label, w.base_label
p caller(0)[0][/:\d+:.*/]
def who = caller(1, 1)[0][/in .*/]
p who
p [1].map { who }
class Bar
  def whom = who
  p who
end
begin
  begin
    raise "first"
  rescue
    raise TypeError, "second"
  end
rescue => e
  puts e.full_message(highlight: false).lines.grep_v(/eval/).map { |l| l.sub(/[^\t ]*\//, "") }
end
puts RuntimeError.new("multi\nline").full_message(highlight: true).inspect
