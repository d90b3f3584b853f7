# Green threads: Thread, Mutex, ConditionVariable, Queue, Monitor (expected output: CRuby 3.1, these have not changed)
t = Thread.new(1, 2) { |a, b| a + b }
p t.value, t.alive?, t.status
m = Mutex.new
c = 0
ts = 5.times.map { Thread.new { 1000.times { m.synchronize { c += 1 } } } }
ts.each(&:join)
p c
q = Queue.new
prod = Thread.new { 5.times { |i| q << i; sleep 0.01 }; q << nil }
r = []
while (x = q.pop)
  r << x
end
p r
t = Thread.new { raise "oops" }
t.report_on_exception = false
begin; t.join; rescue => e; p e.message; end
t = Thread.new { begin; sleep; ensure; puts "killed"; end }
Thread.pass until t.stop?
p t.status
t.kill; t.join
p t.alive?
t = Thread.new { loop { } }
sleep 0.05
t.kill
p t.join.equal?(t)
sq = SizedQueue.new(1)
a = Thread.new { 3.times { |i| sq << i }; :ok }
p 3.times.map { sq.pop }, a.value
Thread.current[:x] = 1
p Thread.current[:x], Thread.new { Thread.current[:x] }.value
cv = ConditionVariable.new
ready = false
w = Thread.new { m.synchronize { cv.wait(m) until ready; :woke } }
m.synchronize { ready = true; cv.signal }
p w.value
th = Thread.new { Thread.stop; 5 }
Thread.pass until th.stop?
th.run
p th.value
th = Thread.new { begin; sleep; rescue => e; e.message; end }
Thread.pass until th.stop?
th.raise "hey"
p th.value
begin
  Queue.new.pop
rescue Exception => e
  p e.class, e.message.lines.first
end
begin; m.lock; m.lock; rescue ThreadError => e; p e.message; end
p Thread.list.size, Thread.main == Thread.current
p q.pop(timeout: 0.01)
e = [1,2,3].each
th = Thread.new { e.next }
p th.value
mo = Monitor.new
p mo.synchronize { mo.synchronize { 7 } }
p (Thread.new { throw :x } .tap { |z| z.report_on_exception = false }.join rescue $!.message)
