# Object locks: granted or denied at once with the holder's name, or waited for; commits honour them; they outlive
# transactions and end with their session, kill -9 included; a circle of waiters is found.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:a] = ["a"]; Maglev[:b] = ["b"]; Maglev[:n] = RCCounter.new; Maglev.commit'
session_open a
session_open b
session_open c
S='Maglev::System'
a=$(session a "$S.session_id") b=$(session b "$S.session_id")
a=${a#=> } b=${b#=> }
# many readers, or one writer
said '=> true' a "$S.read_lock(Maglev[:a])"
said '=> true' b "$S.read_lock(Maglev[:a])"
said "=> [[:write, $b, false], Array]" a "begin; $S.write_lock(Maglev[:a]); rescue LockError => e; [[e.kind, e.session, e.deadlock?], e.object.class]; end"
said '=> true' b "$S.remove_lock(Maglev[:a])"
said '=> true' a "$S.write_lock(Maglev[:a])"
said '=> true' b "begin; $S.read_lock(Maglev[:a]); rescue LockError => e; e.message.include?('is locked for writing by session $a (pid'); end"
said "=> [{kind: :write, session: $a, pid: true}]" b "$S.lock_holders(Maglev[:a]).map { |h| h.merge(pid: h[:pid] > 0) }"
said '=> [:write, nil, {read: [], write: [["a"]]}]' a "[$S.lock_kind(Maglev[:a]), $S.lock_kind(Maglev[:b]), $S.session_locks]"
said '=> false' b "$S.remove_lock(Maglev[:a])"
said "!! ArgumentError: 1 can't be locked: it is no object of the store" a "$S.write_lock(1)"
# they survive commit and abort, and commits of others honour them
said '=> [true, :write]' a "Maglev.abort; [Maglev.commit, $S.lock_kind(Maglev[:a])]"
said "=> [:write_lock, $a, [\"a\"]]" b 'Maglev[:a] << 1; begin; Maglev.commit; rescue Maglev::CommitFailedException => e; c = e.transaction_conflicts[0]; Maglev.abort; [c[:kind], c[:session], Maglev[:a]]; end'
said '=> true' a 'Maglev[:a] << 2; Maglev.commit'
said '=> true' a "$S.commit_and_release_locks"
said '=> true' b 'Maglev.abort; Maglev[:a] << 3; Maglev.commit'
# a read lock keeps others from changing, a lock on what has changed says so
said '=> :changed' a "$S.read_lock(Maglev[:a])"
said '=> ["a", 2, 3]' a 'Maglev.abort; Maglev[:a]'
said '=> :read_lock' b 'Maglev[:a] << 4; begin; Maglev.commit; rescue Maglev::CommitFailedException => e; Maglev.abort; e.transaction_conflicts[0][:kind]; end'
said '=> true' a "$S.remove_locks_for_session"
said '=> [true, true]' b "[$S.write_lock(Maglev[:n]), Maglev[:n].increment && Maglev.commit]"
said '=> [:write_lock]' a 'Maglev.abort; Maglev[:n].increment; begin; Maglev.commit; rescue Maglev::CommitFailedException => e; Maglev.abort; e.transaction_conflicts.map { |c| c[:kind] }; end'
said '=> true' b "$S.remove_locks_for_session"
# waiting: granted when the holder lets go, refused when time is up, a deadlock is told to one of the two
said '=> [true, true]' a "[$S.write_lock(Maglev[:a]), $S.write_lock(Maglev[:a])]"
said '=> LockError' b "begin; $S.write_lock(Maglev[:a], wait: 0.05); rescue LockError => e; e.class; end"
said '=> true' b "$S.write_lock(Maglev[:b])"
session_send a "begin; $S.write_lock(Maglev[:b], wait: true); :won; rescue LockError => e; $S.remove_lock(Maglev[:a]); e.deadlock?; end"
session_send b "begin; $S.write_lock(Maglev[:a], wait: 60); :won; rescue LockError => e; $S.remove_lock(Maglev[:b]); e.deadlock?; end"
same 'one waits on, the other is told' '=> :won => true' "$( (session_read a; session_read b) | sort | paste -sd ' ')"
session a "$S.remove_locks_for_session" >/dev/null
session b "$S.remove_locks_for_session" >/dev/null
said '=> true' a "$S.write_lock(Maglev[:b])"
# the end of a session, by itself or by kill -9, frees its locks
said '=> :write' a "$S.lock_kind(Maglev[:b])"
said '=> LockError' b "begin; $S.write_lock(Maglev[:b]); rescue LockError => e; e.class; end"
kill -9 "$(session a 'Process.pid' | sed 's/=> //')"
wait_for eval "[[ \$(session b \"begin; $S.write_lock(Maglev[:b]); rescue LockError => e; e.class; end\") == '=> true' ]]"
session_close b
said '=> [true, true]' c "Maglev.abort; [$S.write_lock(Maglev[:a], wait: 10), $S.write_lock(Maglev[:b], wait: 10)]"
session_close c
