# Maglev.collect_garbage takes out of the store what nothing reaches, and leaves what a root reaches or any session holds:
# objects in memory, references that were not read yet, chunks of big objects, what a fork inherited.
. "$LODE_TOP/regress/lib.sh"
freed() { sed -n 's/^{freed: \([0-9]*\),.*/\1/p' "$1"; }

cat >make.rb <<'RUBY'
class Node
  attr_accessor :name, :to
  def initialize(name, to = nil) = (@name, @to = name, to)
end
RUBY
prints '' lode -Mcommit -e 'Maglev.persistent { load "make.rb" }'

# A ring, a list, a big array, a big hash, a long string, a class and a proc: all of it goes; their twins stay.
cat >fill.rb <<'RUBY'
def things
  ring = Array.new(300) { |i| Node.new(i) }
  ring.each_with_index { |n, i| n.to = ring[i - 1] }
  [ring[0], Array.new(5000) { |i| "item #{i}" }, (0...3000).to_h { |i| [i, Node.new(i)] }, "long " * 60_000,
   {by: {}.compare_by_identity.merge!(ring[1] => :one)}, proc { |x| x + 1 }, 3**200, 1.5r, (1..7), :sym, Time.at(0).utc]
end
def same?(t)
  n, count = t[0], 0
  (n = n.to; count += 1) until count > 0 && n.equal?(t[0])
  [count, t[1].size, t[1][4999], t[2].size, t[2][2999].name, t[3].size, t[3][-5..], t[4][:by].values, t[5].call(1), t[6] == 3**200, t[7],
   t[8], t[9], t[10].to_i] == [300, 5000, "item 4999", 3000, 2999, 300_000, "long ", [:one], 2, true, 3/2r, 1..7, :sym, 0]
end
RUBY
prints '' lode -e 'load "fill.rb"; Maglev[:keep] = things; Maglev[:gone] = things; Maglev.commit'
prints '' lode -e 'Maglev.root.delete(:gone); Maglev.commit'
lode -e 'r = Maglev.collect_garbage; p r' >out || die "collect: $(cat out)"
[ "$(freed out)" -gt 8000 ] || die "freed: $(cat out)"
prints 'true' lode -e 'load "fill.rb"; p same?(Maglev[:keep])'
lode -e 'p Maglev.collect_garbage' >out
[ "$(freed out)" -lt 50 ] || die "freed again: $(cat out)"
server_stop
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"

# A session that holds something.
prints '' lode -e 'load "fill.rb"; Maglev[:held] = things; Maglev[:other] = things; Maglev.commit'
session_open holder
said '=> true' holder 'load "fill.rb"; $t = Maglev[:held]; $o = Maglev[:other][1]; true'
prints '' lode -e 'Maglev.root.delete(:held); Maglev.root.delete(:other); Maglev.commit'
lode -e 'p Maglev.collect_garbage' >out 2>&1 &
collector=$!
said '=> true' holder 'Maglev.abort; 2000.times { Maglev.abort; sleep 0.01 if File.zero?("out") }; true'
wait "$collector" || die "collector: $(cat out)"
[ "$(freed out)" -gt 3000 ] || die "freed: $(cat out)"
said '=> true' holder 'same?($t)'
said '=> ["item 4999", 5000]' holder '[$o[4999], $o.size]'
said '=> true' holder 'Maglev[:back] = [$t, $o]; Maglev.commit; true'
session_close holder
prints '[true, "item 0"]' lode -e 'load "fill.rb"; t, o = Maglev[:back]; p [same?(t), o[0]]'
server_stop
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"

# A child holds what its parent held, and must come to a boundary itself.
cat >fork.rb <<'RUBY'
load "fill.rb"
Maglev[:forked] = things
Maglev.commit
t = Maglev[:forked]
said, says = IO.pipe
pid = fork do
  says.close
  Maglev.abort and sleep 0.01 until said.read_nonblock(1, exception: false) != :wait_readable
  p same?(t)
  Maglev[:forked] = t
  Maglev.commit
end
t = nil
Maglev.root.delete(:forked)
Maglev.commit
Maglev.collect_garbage
says.close
Process.wait(pid)
RUBY
prints 'true' lode fork.rb
prints 'true' lode -e 'load "fill.rb"; p same?(Maglev[:forked])'

# What was collected is found by no number.
prints '[true, RangeError]' lode -W0 -e 'Maglev[:x] = ["x"]; Maglev.commit; id = Maglev[:x].object_id; found = ObjectSpace._id2ref(id) == ["x"]
  Maglev.root.delete(:x); Maglev.commit; Maglev[:y] = id; Maglev.commit; p [found, RangeError]'
prints 'RangeError' lode -W0 -e 'Maglev.collect_garbage; begin; ObjectSpace._id2ref(Maglev[:y]); rescue RangeError => e; p e.class; end'
server_stop
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"

# Who has the store alone; a crash; with uncommitted changes it is refused.
prints 'true' lode --solo -e 'load "fill.rb"; Maglev.root.delete(:back); Maglev.commit; p Maglev.collect_garbage[:freed] > 4000'
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"
contains refused 'commit or abort first' "$(lode -e 'Maglev[:x] = []; Maglev.collect_garbage' 2>&1)"
prints 'true' lode -e 'Maglev[:keep2] = Array.new(2000) { |i| [i] }; Maglev.commit; Maglev.root.delete(:keep2); Maglev.commit; p Maglev.collect_garbage[:freed] > 1500'
kill_everything
prints 'true' lode -e 'load "fill.rb"; p same?(Maglev[:keep])'
server_stop
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"
