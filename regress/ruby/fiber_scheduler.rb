# Fiber schedulers: sleep, queues, mutexes, conditions, joins, pipes and processes of non-blocking fibers wait in their
# scheduler's hooks (expected output: CRuby 3.1, WebAssembly has neither threads nor pipes)
class Loop
  attr_reader :log
  def initialize
    @ready, @sleeping, @reading, @writing, @log, @blocked = [], {}, {}, {}, [], 0
    @lock, @wake_r, @wake_w, @woken = Thread::Mutex.new, *IO.pipe, []
  end

  def fiber(&block)
    @log << :fiber
    Fiber.new(blocking: false, &block).tap(&:resume)
  end

  def kernel_sleep(duration = nil)
    @log << :kernel_sleep
    block(:sleep, duration)
    true
  end

  def block(blocker, timeout = nil)
    @log << [:block, blocker.class, timeout ? :limit : nil] unless blocker == :sleep
    @sleeping[Fiber.current] = now + timeout if timeout
    @blocked += 1 unless timeout
    Fiber.yield
  ensure
    @sleeping.delete(Fiber.current)
  end

  def unblock(blocker, fiber)
    @log << [:unblock, blocker.class]
    @lock.synchronize { @woken << fiber }
    @wake_w << "."
  end

  def io_wait(io, events, timeout)
    @log << [:io_wait, events]
    @reading[io] = Fiber.current if events & IO::READABLE != 0
    @writing[io] = Fiber.current if events & IO::WRITABLE != 0
    Fiber.yield
    events
  end

  def process_wait(pid, flags)
    @log << :process_wait
    Thread.new { Process::Status.wait(pid, flags) }.value
  end

  def fiber_interrupt(fiber, error) = fiber.raise(error)
  def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  def run
    until @sleeping.empty? && @reading.empty? && @writing.empty? && @blocked == 0
      limit = @sleeping.values.min
      r, w, = IO.select(@reading.keys + [@wake_r], @writing.keys, [], limit && [limit - now, 0].max)
      if r&.delete(@wake_r)
        @wake_r.read_nonblock(100)
        woken = @lock.synchronize { @woken.slice!(0..) }
        woken.each do |f|
          @blocked -= 1 unless @sleeping[f]
          f.resume(true) if f.alive?
        end
      end
      r&.each { |io| @reading.delete(io).resume }
      w&.each { |io| @writing.delete(io).resume }
      due = @sleeping.select { |_, at| at <= now }.keys
      due.sort_by { |f| @sleeping[f] }.each { |f| @sleeping.delete(f); f.resume(false) }
    end
  end

  def close = (@log << :close; run)
end

def with(scheduler = Loop.new)
  Thread.new do
    Fiber.set_scheduler(scheduler)
    yield
  end.join
  scheduler.log.uniq.map(&:inspect).sort.each { |hook| puts "  #{hook}" }
end

begin; Fiber.schedule { }; rescue RuntimeError; p $!; end
begin; Fiber.set_scheduler(Object.new); rescue ArgumentError; p $!; end
p Fiber.scheduler, Fiber.current_scheduler

puts "sleep"
with do
  p Fiber.scheduler.class, Fiber.current_scheduler
  Fiber.schedule { p Fiber.current_scheduler.class, Fiber.current.blocking?; sleep 1; puts "second" }
  Fiber.schedule { sleep 0.01; puts "first" }
  puts "main"
end

puts "queue"
with do
  q = Queue.new
  Fiber.schedule { 3.times { p q.pop } }
  Fiber.schedule { 3.times { |i| q << i; sleep 0.001 } }
  Fiber.schedule { s = SizedQueue.new(1); Fiber.schedule { s << 1; s << 2; puts "pushed" }; p s.pop, s.pop }
end

puts "mutex and condition"
with do
  m, c = Mutex.new, ConditionVariable.new
  Fiber.schedule { m.synchronize { sleep 0.01; puts "one" } }
  Fiber.schedule { m.synchronize { puts "two" } }
  waits = false
  Fiber.schedule { m.synchronize { waits = true; c.wait(m); puts "signalled" } }
  Fiber.schedule { sleep 0.001 until waits; m.synchronize { c.signal } }
end

puts "pipe"
with do
  r, w = IO.pipe
  Fiber.schedule { p r.gets, r.read.size }
  Fiber.schedule { w.puts "hello"; w.write("x" * 200_000); w.close }
end

puts "thread"
with do
  Fiber.schedule { p Thread.new { sleep 0.01; :value }.value }
  Fiber.schedule { puts "meanwhile" }
end

puts "process"
with do
  Fiber.schedule { system("exit 3"); p $?.exitstatus }
end

puts "nested"
with do
  Fiber.schedule do
    puts "a"
    Fiber.schedule { puts "b"; sleep 0.01; puts "d" }
    puts "c"
  end
  Fiber.schedule { begin; raise "inside"; rescue => e; p e; end }
end
p Fiber.scheduler
