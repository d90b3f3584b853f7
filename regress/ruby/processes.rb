# only: server
# Processes: commands, fork, exec, wait, signals, sleep, select, pipes, descriptors, ENV.
Dir.chdir(ENV["LODE_TEST_DIR"] || ".")
def e
  p yield
rescue SystemCallError, ArgumentError, RuntimeError, TypeError, IOError => x
  puts "#{x.class}: #{x.message}"
end
p `echo a`, $?.exitstatus, $?.class
p system("true"), system("false"), system("exit 7"), $?.exitstatus, system("nonexistent_cmd_x"), system("kill -9 $$")
e { `nonexistent_cmd_x` }
e { system("nonexistent_cmd_x", exception: true) }
e { system("exit 3", exception: true) }
e { exec("nonexistent_cmd_x") }
e { Process.spawn }
r, w = IO.pipe
pid = spawn({"FOO" => "bar", "HOME" => nil}, "echo $FOO-$HOME; echo err >&2", out: w, err: [:child, :out])
w.close
Process.wait pid
p r.read
r, w = IO.pipe
Process.wait spawn("echo hi; pwd", out: w, chdir: "/tmp"); w.close; p r.read
Process.wait spawn("cat", in: "/dev/null", out: "o1"); p File.size("o1")
Process.wait spawn("echo one two", [:out, :err] => ["o2", "w", 0600]); p File.read("o2")
Process.wait spawn(["sh", "argv0"], "-c", "echo $0", out: "o3"); p File.read("o3")
Process.wait spawn("env", unsetenv_others: true, out: "o3"); p File.read("o3").lines.map { |l| l[/\A\w+/] }.sort
IO.popen("cat", "r+") { |io| io.write "abc"; io.close_write; p io.read, io.pid.class }
p $?.success?
p IO.popen(["echo", "a b"]).read, IO.popen({"X"=>"1"}, "echo $X", &:read), IO.popen("exit 5").close, $?.exitstatus
p IO.popen("-") { |io| io ? io.read : (puts "child") }
pid = fork { exit 3 }
p Process.wait2(pid)[1].exitstatus
pid = fork { raise "boom" rescue exit!(9) }
Process.wait(pid); p $?.exitstatus
pid = fork { at_exit { puts "bye" }; $stdout.sync = true; puts "hi" }
Process.wait(pid); p $?.to_i
pid = fork { sleep }
Process.kill(:TERM, pid); Process.wait(pid)
p $?.signaled?, $?.termsig, $?.exitstatus, $?.success?, $?.inspect.sub(/\d+/, "N"), $?.to_s.sub(/\d+/, "N")
e { Process.kill(0, 99999999) }
e { Process.kill(:NOPE, 1) }
p Process.kill(0, $$), Process.pid == $$, Process.ppid.class
came = false
trap("USR1") { puts "usr1"; came = true }
Process.kill("USR1", $$); sleep 0.01 until came
p trap("USR1", "DEFAULT").class, trap("INT", "IGNORE"), trap("INT", "DEFAULT")
old = trap(:TERM) { |s| puts "term #{s}"; came = false }
p old
Process.kill(:TERM, $$); sleep 0.01 while came
p Signal.list["INT"], Signal.signame(9)
begin
  Process.kill(:INT, $$); sleep
rescue Interrupt => x
  p x.class, x.message
end
t = Process.clock_gettime(Process::CLOCK_MONOTONIC)
p sleep(0.05).class, Process.clock_gettime(Process::CLOCK_MONOTONIC) - t > 0.04, Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond).class
e { sleep(-1) }
e { sleep("x") }
r, w = IO.pipe
p IO.select([r], nil, nil, 0.01), IO.select([r], [w], nil, 0)&.map(&:size)
w.write "x"
p IO.select([r])[0].size, r.read_nonblock(5), (r.read_nonblock(5) rescue $!.class), r.read_nonblock(1, exception: false)
w.close
p r.read, r.read(1), r.eof?, (r.read_nonblock(1) rescue $!.class)
r, w = IO.pipe
th = Thread.new { r.gets }
w.puts "from main"
p th.value
r.close
e { w.write("x"); w.flush }
a, b = IO.pipe
if fork
  b.close; p a.read; Process.wait
else
  a.close; b.write "child data"; b.close; exit!
end
p Process.waitall.class
$stdout.flush
d = $stdout.dup; $stdout.reopen("o4", "w"); puts "to file"; system("echo sub"); $stdout.flush; $stdout.reopen(d); p File.read("o4")
p Process.getpgid(0) == Process.getpgrp, Process.uid.class, Process.getrlimit(:NOFILE).size, Process.times.class
p ENV.to_h.class; ENV["SYS_T"] = "1"; p `echo $SYS_T`, ENV.delete("SYS_T"), ENV["SYS_T"]
p Process.last_status.class, Process::Status.instance_methods(false).include?(:exitstatus)
f = File.open("lock", "w"); p f.flock(File::LOCK_EX), File.open("lock") { |g| g.flock(File::LOCK_EX | File::LOCK_NB) }
at_exit { puts "at_exit" }
p ObjectSpace.respond_to?(:each_object), $0 == __FILE__, $PROGRAM_NAME.class
Process.exit(0)
