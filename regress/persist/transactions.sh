# Transactions as the program sees them: what a refused commit tells, and that it stays refused; hooks; modes; Maglev.transaction
# with its retries, isolation and settings; reads that wait for the disk.
. "$LODE_TOP/regress/lib.sh"
stop=$LODE_BUILD/regress/tools/stop
export LODE_STOP_FILE=$PWD/stops
lodectl -D "$LODE_STORE" init >/dev/null || die "init"
server_start
prints '' lode -e '
Maglev.persistent { Object.class_eval "class Account; attr_accessor :n; def initialize = @n = 0; end" }
Maglev[:a] = Account.new
Maglev[:b] = Account.new
Maglev[:log] = []
Maglev.commit'
session_open a
session_open b

# ---- conflicts that explain themselves; the changes stay visible, and no second commit ----
said '=> 1' a 'Maglev[:a].n = 1'
said '=> 2' b 'Maglev.log_conflicts = true; Maglev[:a].n = 2; Maglev[:log] << 2; Maglev[:a].n'
said '=> true' a 'Maglev.commit'
said '=> [:write_write, true, Account, true, true, true]' b 'begin; Maglev.commit; rescue Maglev::CommitFailedException => e; $e = e; c = e.transaction_conflicts[0]; [c[:kind], c[:object].equal?(Maglev[:a]), c[:class], c[:session] != Maglev.session_id, c[:pid] != Process.pid, c[:commit].is_a?(Integer)]; end'
said '=> "commit failed: #<Account N> was changed by another session since this transaction began"' b '$e.message.sub(/\d+/, "N")'
said '=> [2, [2]]' b '[Maglev[:a].n, Maglev[:log]]'
said '!! Maglev::CommitFailedException: an earlier commit of this transaction failed: abort it before you commit again' b 'Maglev.commit'
said '=> [false, {commit_result: :failure, "Write-Write" => [true]}]' b '[Maglev::System.commit_transaction, Maglev::System.transaction_conflicts.transform_values { |v| v.is_a?(Array) ? v.map { |o| o.equal?(Maglev[:a]) } : v }]'
said '=> [1, [], {commit_result: :success}]' b 'Maglev.abort; [Maglev[:a].n, Maglev[:log], Maglev::System.transaction_conflicts]'
grep -q 'commit refused: #<Account [0-9]*> was changed by another session.* the winner is session [0-9]* (process [0-9]*) in commit [0-9]*' "$LODE_STORE/log/lodestone.log" || die "the log says nothing of the conflict: $(tail -n 3 "$LODE_STORE/log/lodestone.log")"
# a table of a class names the class and the part
said '=> nil' a 'Maglev.persistent { class Account; def who = :a; end }; nil'
said '=> nil' b 'Maglev.persistent { class Account; def who = :b; end }; nil'
said '=> true' a 'Maglev.commit'
said '=> [Account, :methods]' b 'begin; Maglev.commit; rescue Maglev::CommitFailedException => e; c = e.transaction_conflicts[0]; [c[:object], c[:part]]; end'
said '=> :a' b 'Maglev.abort; Account.new.who'

# ---- what a commit would write: not what loading boot classes' stored parts does, nor definitions of the session's own ----
prints '' lode -e 'Maglev.persistent { def shared = 1; class Account; include Comparable; end }; Maglev.commit'
prints '[false, 1, false, true, false]' lode -e 'seen = [Maglev.needs_commit, shared]
def own = 1
class Account; def own = 2; end
seen << Maglev.needs_commit
Maglev.persistent { class Account; def theirs = 3; end }
p seen.push(Maglev.needs_commit, (Maglev.abort; Maglev.needs_commit))'

# ---- hooks ----
said '=> nil' a '$seen = []; %i[before_commit after_commit before_abort after_abort].each { |h| Maglev.public_send(h) { $seen << [h, Maglev.needs_commit] } }; nil'
said '=> [[:before_commit, true], [:after_commit, false]]' a 'Maglev[:a].n = 5; Maglev.commit; $seen'
said '=> [[:before_abort, true], [:after_abort, false]]' a '$seen = []; Maglev[:a].n = 6; Maglev.begin_nested_transaction; Maglev.commit; Maglev.abort; $seen'
said '=> [5, true]' a 'h = Maglev.before_commit { raise "no" }; begin; Maglev[:a].n = 7; Maglev.commit; rescue; end; r = Maglev.needs_commit; Maglev.remove_hook(h); Maglev.abort; [Maglev[:a].n, r]'
said '=> [true, 8]' a 'h = Maglev.before_commit { Maglev[:a].n += 1 }; Maglev[:a].n = 7; [Maglev.commit, Maglev.remove_hook(h) && Maglev[:a].n]'

# ---- modes ----
said '=> [:auto_begin, 1]' a '[Maglev.transaction_mode, Maglev.transaction_level]'
said '=> [0, 8, false]' a 'Maglev.transaction_mode = :manual_begin; Maglev.abort; [Maglev.transaction_level, Maglev[:a].n, Maglev.in_transaction?]'
said '!! Maglev::OutsideOfTransactionException: no transaction is open: call Maglev.begin_transaction' a 'Maglev[:a].n = 9; Maglev.commit'
said '=> [8, 1]' a 'Maglev.begin_transaction; [Maglev[:a].n, Maglev.transaction_level]'
said '=> [true, 0, 9]' a 'Maglev[:a].n = 9; [Maglev.commit, Maglev.transaction_level, Maglev[:a].n]'
said '=> 10' b 'Maglev.abort; Maglev[:a].n = 10; Maglev.commit; Maglev[:a].n'
said '=> [9, 10]' a '[Maglev[:a].n, Maglev.abort && Maglev[:a].n]' # the view stands until it is moved
said '=> [0, 10, 0]' a 'Maglev.transaction_mode = :transactionless; [Maglev.transaction_level, Maglev[:a].n, Maglev[:b].n]'
said '=> 11' a 'Maglev.transaction { Maglev[:a].n += 1 }'
said '=> [0, 11]' a '[Maglev.transaction_level, Maglev[:a].n]'
said '!! ArgumentError: there is no transaction mode :other: it is :auto_begin, :manual_begin or :transactionless' a 'Maglev.transaction_mode = :other'
said '=> 1' a 'Maglev.transaction_mode = :auto_begin; Maglev.transaction_level'

# ---- Maglev.transaction ----
session b 'Maglev.abort' >/dev/null
said '=> 0' b 'Maglev[:b].n'
said '=> 1' a 'Maglev.transaction { Maglev[:b].n += 1 }'
said '=> [12, 2]' b '$runs = 0; [Maglev.transaction { $runs += 1; Maglev[:b].n += 11 }, $runs]'
session a 'Maglev.abort' >/dev/null
session b 'Maglev.abort; Maglev[:b].n' >/dev/null
session a 'Maglev.transaction { Maglev[:b].n += 1 }' >/dev/null
said '=> [:refused, 1]' b '$runs = 0; begin; Maglev.transaction(retries: 0) { $runs += 1; Maglev[:b].n = 0 }; rescue Maglev::CommitFailedException; [:refused, $runs]; end'
said '=> 13' b 'Maglev[:b].n'
# changes from before the block can't be made again by it: the conflict is raised
session b 'Maglev.abort; Maglev[:log] << 1; Maglev[:b].n' >/dev/null
session a 'Maglev.transaction { Maglev[:b].n += 1 }' >/dev/null
said '=> [:refused, 1, []]' b '$runs = 0; begin; Maglev.transaction { $runs += 1; Maglev[:b].n = 0 }; rescue Maglev::CommitFailedException; [:refused, $runs, Maglev[:log]]; end'
said '=> [:serializable, :snapshot]' b '[Maglev.transaction(isolation: :serializable) { Maglev.transaction_isolation }, Maglev.transaction_isolation]'
said '!! Maglev::ImproperOperation: uncommitted changes belong to a snapshot transaction: commit or abort them first' b 'Maglev[:log] << 2; Maglev.transaction(isolation: :serializable) { }'
said '!! ArgumentError: there is no isolation :dirty: it is :snapshot or :serializable' b 'Maglev.abort; Maglev.begin_transaction(isolation: :dirty)'
said '=> [:out, []]' b '[catch(:x) { Maglev.transaction { Maglev[:log] << 3; throw :x, :out } }, Maglev[:log]]'
# threads: a boundary of another waits for the block
said '=> [[1, 2], true]' b 't = nil; order = []; Maglev.transaction { t = Thread.new { Maglev.commit; order << 2 }; Thread.pass; sleep 0.01; order << 1; Maglev[:log] << 4 }; t.join; [order, Maglev[:log] == [4]]'

# ---- reading before durability ----
# Whoever writes the log next, a session or the WAL writer, is held before the log counts as durable.
$stop "$LODE_STOP_FILE" arm WAL_WRITTEN:1:pause || die "arm"
session_send a 'Maglev.transaction { Maglev[:a].n = 77 }'
said '=> true' b 'until (Maglev.abort; Maglev[:a].n) == 77; sleep 0.001; end; true'
said '=> true' b 'Maglev.commit' # only read, and does not wait
session_send b 'Maglev.durable_reads = true; Maglev.abort; Maglev[:a].n; Maglev.commit'
$stop "$LODE_STOP_FILE" wait WAL_WRITTEN || die "nobody writes the log"
IFS= read -r -t 0.3 early <&"${session_out[b]}" && die "a durable read did not wait for the log: $early"
$stop "$LODE_STOP_FILE" release WAL_WRITTEN
[ "$(session_read b)" = "=> true" ] || die "the durable read's end"
[ "$(session_read a)" = "=> 77" ] || die "the slow commit"
session_close a
session_close b
