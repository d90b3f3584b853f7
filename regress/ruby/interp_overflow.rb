# Runaway recursion of every kind ends in SystemStackError, and the program goes on (expected output: what CRuby says of each).
def try(name)
  yield
  puts "#{name}: ok"
rescue SystemStackError => e
  puts "#{name}: #{e.class} #{e.message}"
end
def r1 = r1
def r2(x) = [x].each { |y| r2(y) }
def r3(*a, **k, &b) = r3(*a, **k, &b)
def r4 = send(:r4)
def r5 = instance_eval { r5 }
class MM; def method_missing(n, *a) = other(n); end
class TS; def to_s = "#{self}"; def inspect = [self].inspect; def ==(o) = [self] == [o]; def hash = [self].hash; def <=>(o) = [self] <=> [o]; def to_str = "" + self; def coerce(o) = 1 + self; end
class EN; include Enumerable; def each = map { 1 }; end
try(:method) { r1 }
try(:block) { r2(1) }
try(:splat) { r3(1, k: 2) { } }
try(:send) { r4 }
try(:ie) { r5 }
try(:mm) { MM.new.foo }
try(:to_s) { TS.new.to_s }
try(:inspect) { TS.new.inspect }
try(:eq) { TS.new == TS.new }
try(:hash) { TS.new.hash }
try(:cmp) { [TS.new, TS.new].sort }
try(:coerce) { 1 + TS.new }
try(:enum) { EN.new.each }
pr = proc { pr.call }
try(:proc) { pr.call }
l = lambda { |x| l.(x) }
try(:lambda) { l.(1) }
try(:define_method) { Class.new { define_method(:q) { q } }.new.q }
try(:new) { Class.new { def initialize = self.class.new }.new }
try(:fiber) { Fiber.new { r1 }.resume }
try(:fiber_block) { Fiber.new { r2(1) }.resume }
try(:thread) { t = Thread.new { Thread.current.report_on_exception = false; r2(1) }; t.join }
a = []; 10.times { a = [a] }
deep = []; 20_000.times { deep = [deep] }
try(:eval) { s = "(" * 5 + "1" + ")" * 5; eval(s) }
def ev = eval("ev")
try(:rec_eval) { ev }
def ens; ens; ensure; 1 + 1; end
try(:ensure) { ens }
def resc; resc; rescue SystemStackError; :r; end
try(:rescue) { resc }
try(:sort_by) { x = ->(n) { [1].sort_by { x.(n) } }; x.(1) }
try(:gsub) { x = ->(s) { s.gsub(/a/) { x.(s) } }; x.("a") }
try(:hash_default) { h = Hash.new { |hh, k| hh[k + 1] }; h[1] }
try(:comparable) { Class.new { include Comparable; def <=>(o) = clamp(self, self) ? 1 : 0 }.new.clamp(1, 2) rescue raise }
try(:method_obj) { m = nil; define_singleton_method(:mo) { m.call }; m = method(:mo); m.call }
try(:to_proc) { o = Object.new; def o.to_proc = method(:zz).to_proc; def o.zz(x) = [x].map(&self); [1].map(&o) }
try(:catch) { x = -> { catch(:a) { x.() } }; x.() }
try(:inject) { x = -> { [1, 2].inject { x.() } }; x.() }
puts "done"
