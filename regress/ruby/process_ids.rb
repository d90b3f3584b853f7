# Process.uid= and its kin, Process::UID, GID and Sys as far as any user may; Process::Waiter and Process::Status.wait;
# big writes into pipes while other threads run (expected output: CRuby 3.1, WebAssembly has no processes)
p Process::UID.rid == Process.uid, Process::UID.eid == Process.euid, Process::GID.rid == Process.gid, Process::GID.eid == Process.egid
p Process::Sys.getuid == Process.uid, Process::Sys.geteuid == Process.euid, Process::Sys.getgid == Process.gid, Process::Sys.getegid == Process.egid
p((Process.euid = Process.uid) == Process.uid, (Process.egid = Process.gid) == Process.gid)
p Process::UID.from_name("root"), Process::GID.from_name("root"), Process::UID.re_exchangeable?, Process::UID.sid_available?
p Process.groups.class, Process.maxgroups
begin; Process.uid = "no such user"; rescue ArgumentError; p $!; end
begin; Process.gid = "no such group"; rescue ArgumentError; p $!; end
begin; Process.euid = nil; rescue TypeError; p $!; end
begin; Process::UID.switch { }; rescue SystemCallError; p $!.class; end
p Process::UID.grant_privilege(Process.euid) == Process.euid, Process::Sys.seteuid(Process.euid)
t = Process.detach(pid = spawn("exit 4"))
p t.class, t.is_a?(Thread), t.pid == pid, t[:pid] == pid, t.value.exitstatus, t.join.equal?(t)
pid = spawn("exit 5")
s = Process::Status.wait(pid)
p s.class, s.pid == pid, s.exitstatus, $?, Process::Status.wait.pid, Process::Status.wait(-1, Process::WNOHANG)&.pid
begin; Process.wait; rescue Errno::ECHILD; p $!.message; end
r, w = IO.pipe
writer = Thread.new { w.write("x" * 1_000_000); w.close; :written }
p r.read.size, writer.value
