# Transactions under fire from within: hooks that raise, throw, change, commit and abort; merges that do; jumps out of blocks;
# forks, threads, fibers, signals and stack overflows in them.  After each the session goes on, with what it should see.
. "$LODE_TOP/regress/lib.sh"
cat >edges.rb <<'RUBY'
M = Maglev
def try(name)
  puts "#{name}: #{yield.inspect}"
rescue Exception => e
  puts "#{name}: !! #{e.class}: #{e.message}"
end
def other(code) = system("lode", "-e", code) || raise("the other session failed")
def with_hook(kind, block)
  hook = M.public_send(kind, &block)
  yield
rescue RuntimeError => e
  e.message
ensure
  M.remove_hook(hook)
end
def box = M[:box]
def in_child
  reader, writer = IO.pipe
  pid = fork do
    writer.write Marshal.dump(yield)
    writer.close
    exit! 0
  end
  writer.close
  result = Marshal.load(reader.read)
  Process.wait(pid)
  result
end
M.persistent do
  class Box; attr_accessor :v; def initialize(v = 0) = @v = v; end
  class Merging
    attr_accessor :v
    def initialize = @v = 0
    merge_conflict do |base, mine|
      case mine.v
      when 13 then raise "in merge"
      when 14 then throw :out, :thrown
      when 17 then box.v = 170
      end
      self.v += mine.v - base.v
      true
    end
  end
end
M[:box], M[:merging] = Box.new, Merging.new
M.commit

try("before_commit raises") { box.v = 1; [with_hook(:before_commit, -> { raise "no" }) { M.commit }, M.needs_commit, M.commit] }
try("before_commit throws") { box.v = 2; [catch(:x) { with_hook(:before_commit, -> { throw :x, :thrown }) { M.commit } }, box.v, M.commit] }
try("before_commit changes") { box.v = 3; with_hook(:before_commit, -> { box.v += 10 }) { M.commit }; M.abort; box.v }
try("before_commit commits") { n = 0; box.v = 4; with_hook(:before_commit, -> { (n += 1) < 3 && M.commit }) { M.commit }; [box.v, n] }
try("before_commit aborts") { box.v = 5; [with_hook(:before_commit, -> { M.abort }) { M.commit }, box.v] }
try("after_commit raises") { box.v = 6; [with_hook(:after_commit, -> { raise "late" }) { M.commit }, M.needs_commit, box.v] }
try("before_abort raises") { box.v = 7; [with_hook(:before_abort, -> { raise "no" }) { M.abort }, box.v, M.abort && box.v] }
try("conflict in a hook") { once = true; with_hook(:before_commit, -> { other("Maglev[:box].v += 100; Maglev.commit") if once; once = false }) { M.transaction { box.v += 1 } }; box.v }

[13, 14, 17].each do |n|
  try("merge #{n}") do
    M.abort
    before = M[:merging].v
    M[:merging].v = n
    other("Maglev[:merging].v += 1; Maglev.commit")
    result = begin
      catch(:out) { M.commit }
    rescue RuntimeError => e
      e.message
    end
    [result, M.transaction_level, M.needs_commit, M.abort && M[:merging].v - before == (result == true ? n - before + 1 : 1), box.v, M.commit]
  end
end

try("16 levels") { 15.times { M.begin_nested_transaction }; box.v = 50; [M.transaction_level, (M.begin_nested_transaction rescue $!.class), 15.times { M.commit }, box.v, M.commit] }
try("throw") { [catch(:done) { M.transaction { box.v = 60; throw :done, 1 } }, box.v, M.transaction_level] }
try("throw through two") { [catch(:done) { M.transaction { box.v = 60; M.transaction { box.v = 61; throw :done, 1 } } }, box.v, M.transaction_level] }
try("break") { [M.transaction { box.v = 62; break 2 }, box.v] }
try("next") { [M.transaction { box.v = 63; next 3 }, box.v] }
try("raise in the inner") { M.transaction { box.v = 70; (M.transaction { box.v = 71; raise "x" } rescue 0); box.v += 5 }; box.v }
try("commit, then raise") { (M.transaction { box.v = 76; M.commit; box.v = 77; raise "x" } rescue 0); box.v }
def endless = endless
try("stack overflow") { begin; M.transaction { box.v = 78; endless }; rescue SystemStackError => e; end; [e.class, box.v] }
try("signal") { trap(:USR1) { raise "signal" }; begin; M.transaction { box.v = 79; Process.kill(:USR1, $$); sleep }; rescue => e; end; [e.message, box.v] }

try("fork") { box.v = 80; [in_child { [(M.commit rescue $!.class), M.abort && M[:child] = 1, M.commit] }, M.commit, box.v, M.abort && M[:child]] }
try("fork in a nested one") { M.begin_nested_transaction; box.v = 81; [in_child { M.abort; M.abort; M[:seen] = box.v; M.commit }, M.commit, M.commit, M.abort && M[:seen]] }
try("exit in the child") { pid = fork { M.abort; M.transaction { box.v = 2000; exit 4 } }; Process.wait(pid); M.abort; [$?.exitstatus, box.v] }

try("threads") { box.v = 0; M.commit; Array.new(5) { Thread.new { 20.times { M.transaction { box.v += 1; Thread.pass } } } }.each(&:join); box.v }
try("a thread killed in one") { q = Queue.new; t = Thread.new { M.transaction { box.v = 1000; q << 1; sleep } }; q.pop; t.kill; t.join; [box.v, M.transaction { box.v += 1 }] }
try("a thread raised in one") { q = Queue.new; t = Thread.new { M.transaction { box.v = 1000; q << 1; sleep } rescue 0 }; q.pop; t.raise "x"; t.join; [box.v, M.transaction { box.v += 1 }] }
try("a fiber left in one") { f = Fiber.new { M.transaction { box.v = 5; Fiber.yield; box.v += 1 } }; f.resume; [(M.commit rescue $!.class), f.resume, box.v] }
try("refused, then good") { M[:io] = $stdout; [(M.commit rescue $!.class), M.root.delete(:io) && M.commit] }
RUBY
prints 'before_commit raises: ["no", true, true]
before_commit throws: [:thrown, 2, true]
before_commit changes: 13
before_commit commits: [4, 3]
before_commit aborts: [true, 4]
after_commit raises: ["late", false, 6]
before_abort raises: ["no", 7, 6]
conflict in a hook: 107
merge 13: ["in merge", 1, false, true, 107, true]
merge 14: [:thrown, 1, false, true, 107, true]
merge 17: [true, 1, false, true, 170, true]
16 levels: [16, Maglev::ImproperOperation, 15, 50, true]
throw: [1, 50, 1]
throw through two: [1, 50, 1]
break: [2, 50]
next: [3, 63]
raise in the inner: 75
commit, then raise: 76
stack overflow: [SystemStackError, 76]
signal: ["signal", 76]
fork: [[Maglev::CommitFailedException, 1, true], true, 80, 1]
fork in a nested one: [true, true, true, 80]
exit in the child: [4, 81]
threads: 100
a thread killed in one: [100, 101]
a thread raised in one: [101, 102]
a fiber left in one: [ThreadError, 6, 6]
refused, then good: [TransactionError, true]' lode edges.rb
