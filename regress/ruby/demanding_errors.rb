# status: 3
# Exceptions, ensure order, retry, catch/throw, custom errors, full_message, backtraces
class AppError < StandardError
  attr_reader :code
  def initialize(msg = "app failed", code: 500) = (super(msg); @code = code)
  def detailed_message(highlight: false, **kw) = "#{super} [code #{code}]#{kw.any? ? kw.inspect : ""}"
end
class NotFound < AppError
  def initialize(what) = super("#{what} not found", code: 404)
end
def log = @log ||= []
def work(n)
  log << "start #{n}"
  yield n
rescue NotFound, KeyError => e
  log << "rescued #{e.class}: #{e.message}"
  :rescued
rescue => e
  log << "other #{e.message}"
  raise AppError, "wrapped"
else
  log << "else"
  :ok
ensure
  log << "ensure #{n}"
end
p work(1) { 5 }, work(2) { raise NotFound, "page" }, work(3) { {a: 1}.fetch(:b) }
begin
  work(4) { Integer("x") }
rescue => e
  p e.message, e.cause.class, e.cause.message, e.code, e.full_message(highlight: false).lines.grep(/AppError|Argument/).map { _1.sub(/^.*?\.rb:/, "F:") }, e.detailed_message, e.inspect
end
puts log
tries = 0
r = begin
  tries += 1
  raise IOError, "flaky #{tries}" if tries < 3
  "done after #{tries}"
rescue IOError => e
  retry if tries < 3
end
p r
def ret_ensure
  return 1
ensure
  puts "in ensure"
end
def ret_override
  return 1
ensure
  return 2
end
def nested
  [1, 2, 3].each do |i|
    begin
      next if i == 1
      break i * 10 if i == 2
    ensure
      print "e#{i} "
    end
  end
end
p ret_ensure, ret_override, nested
p catch(:done) { 10.times { |i| 10.times { |j| throw :done, [i, j] if i * j == 42 } }; :never }, catch { |t| throw t, 7 }, (throw :nope rescue [$!.class, $!.message]), catch(:a) { catch(:b) { throw :a, 1 }; 2 }
def deep(n) = n.zero? ? raise("bottom") : deep(n - 1)
begin deep(3); rescue; p $!.backtrace.first(5).map { _1[/:(\d+:in .*)/, 1] }, $!.backtrace_locations.first(5).map { [_1.lineno, _1.label, _1.base_label] } end
begin
  raise "a"
rescue
  begin
    raise "b"
  rescue
    begin
      raise "c", cause: nil
    rescue
      p $!.cause, $!.message
    end
    p $!.cause.message
  end
end
e = RuntimeError.new("manual"); p e.backtrace, e.message, (raise e, "new msg" rescue [$!.equal?(e), $!.message, e.message]), e.exception.equal?(e), e.exception("x").message, e == RuntimeError.new("manual"), (raise Class.new(StandardError) rescue $!.message =~ /#<Class/), (raise "x", [] rescue $!.class), (raise 5 rescue [$!.class, $!.message]), (raise Object rescue $!.message), (raise StandardError.new("a"), "b", ["bt:1"] rescue [$!.message, $!.backtrace]), (raise ArgumentError rescue $!.message), (raise IOError, nil rescue $!.message), (raise rescue [$!.class, $!.message])
x = begin; Float("zz"); rescue ArgumentError, TypeError then "handled"; end
p x, (Integer([]) rescue $!.message), (Integer(nil) rescue $!.message), ([].fetch(5) rescue $!.message), ({a: 1}.fetch(:b) rescue [$!.message, $!.key, $!.receiver]), (nil.foo rescue $!.message), (Object.new.instance_eval { bar } rescue $!.message.sub(/0x\h+/, "")), (foo(1) rescue $!.message), (self.foo rescue $!.message), (undefined_var rescue [$!.class, $!.name]), (UnknownC rescue [$!.message, $!.name, $!.receiver]), (Math::Nope rescue $!.message), ([1, 2].first("x") rescue $!.message), ([3, "a"].sort rescue $!.message), ([3, nil].max rescue $!.message), (def m1(a, b = 1, *c, d:, e: 2); end; m1 rescue $!.message), (m1(1) rescue $!.message), (m1(1, d: 1, z: 2, y: 3) rescue $!.message), (m1(d: 1) rescue $!.message), (->(a) {}.call rescue $!.message), (->(a:) {}.call(b: 1) rescue $!.message), (proc { |a| a }.call(1, 2)), ("x".send(:nope, 1) rescue $!.message), (5.upcase rescue $!.message), (Class.new.new(1) rescue $!.message), (BasicObject.new.inspect rescue $!.message), (String.new(1) rescue $!.message), ("a" + 1 rescue $!.message), ("a" * -1 rescue $!.message), ([1] * "a" rescue p $!.message), ([1, 2].sum("") rescue $!.message), (:a + 1 rescue $!.message), (1.upto rescue $!.message), (Comparable.new rescue $!.message), (raise "multi\nline" rescue $!.full_message(highlight: false, order: :top).lines.size), (loop { raise StopIteration, "x" }).inspect, ("abc".to_sym.to_proc.call(1) rescue $!.message), (private_methods.include?(:puts)), (Struct.new(:a).new(1, 2) rescue $!.message), (obj = Object.new; def obj.method_missing(n, *a) = n == :ok ? a : super; [obj.ok(1), (obj.bad rescue $!.message.sub(/0x\h+/, ""))]), ([].freeze << 1 rescue $!.message), (A_CONST = 1; Object.send(:remove_const, :A_CONST)), ("%d" % "x" rescue $!.message), (rand(1..) rescue $!.message), ([1,2,3].each_slice(0) rescue $!.message), (Array.new(-1) rescue $!.message), (1.0.to_r.to_s), ("x".center rescue $!.message), (Hash.new(1) { } rescue $!.message), ([].sample(-1) rescue $!.message), ("abc".unpack("@9a") rescue $!.message), (Regexp.new("(") rescue $!.message), (Regexp.new("[b-a]") rescue $!.message), ("\xff" =~ /x/ rescue $!.message), (Process.kill(:NOPE, 0) rescue $!.message), (File.open("/nope/x") rescue [$!.class, $!.message, $!.errno]), (Dir.mkdir("/") rescue $!.class), Errno::ENOENT.new.message, Errno::ENOENT.new("x", "y").message, Errno::ENOENT::Errno, SystemCallError.new(2).class, SystemCallError.new("m", 13).message, SystemCallError === Errno::EPERM.new, (exit 3 rescue 1) rescue p $!.class, $!.status
END { puts "END block"; }
at_exit { puts "at_exit #{$!.inspect}" }
$stderr = Object.new.tap { |o| def o.write(*a) = $stdout.write(*a.map { "E:" + _1.to_s }) }
warn "warned", "twice", uplevel: 0
warn("deprecated thing", category: :deprecated)
def m(...) = warn(...)
m "via m"
begin
  begin; raise "one"; ensure; raise "two"; end
rescue => e
  p [e.message, e.cause&.message]
end
def gen = yield
p (gen { next 5 }), [1, 2, 3].each { |q| break q if q > 1 }, proc { |;a| a = 1; a }.call, (lambda { return 9; 1 }).call, (def lj = proc { return 1 }; lj.call rescue [$!.class, $!.message, $!.reason])
begin; raise Interrupt; rescue Interrupt => e; p e.message, e.signo; end
begin; raise SignalException, "TERM"; rescue SignalException => e; p e.message, e.signo; end
begin; abort; rescue SystemExit => e; p e.status, e.success?, e.message; end
begin; exit(true); rescue SystemExit => e; p e.status; end
begin; def rec(n) = rec(n + 1) + 1; rec(0); rescue SystemStackError => e; p e.class, e.message; end
p __method__.inspect, [__LINE__, __FILE__ == $0, __dir__.class], caller.size, binding.local_variables.size > 5, ObjectSpace.each_object(Class).first.class
raise AppError.new("final", code: 1)
