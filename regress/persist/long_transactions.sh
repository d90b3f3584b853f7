# A transaction that stays open is visible (lodectl status --sessions), logged, then ended by limits in time and bytes; its session
# is told by TransactionTimeout at its next read or commit, and goes on after abort.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:big] = "x" * 1000; Maglev[:other] = [1]; Maglev.commit'
printf 'transaction_warn_size = 4kB\n' >>"$LODE_STORE/lodestone.conf"
lodectl -D "$LODE_STORE" reload >/dev/null
session_open idle
session_open busy
said '=> [1]' idle 'Maglev[:other]'
said '=> true' idle 'Maglev::System.read_lock(Maglev[:other])'
pinned() { # session, column
    lodectl -D "$LODE_STORE" status --sessions --json | lode --solo --store "$LODE_TEST_DIR/json" -e "puts \$stdin.read[/\"session\": $1,[^}]*\"$2\": \"?(\w+)/, 1]"
}
idle=$(session idle 'Maglev::System.session_id') busy=$(session busy 'Maglev::System.session_id')
idle=${idle#=> } busy=${busy#=> }
said '=> 20' busy '20.times { Maglev[:big].replace(Random.bytes(2001)); Maglev.commit }'
[ "$(pinned $idle pinned_bytes)" -gt 4096 ] || die "what the idle session pins: $(lodectl -D "$LODE_STORE" status --sessions)"
[ "$(pinned $busy pinned_bytes)" -lt 4096 ] || die "what the busy session pins: $(lodectl -D "$LODE_STORE" status --sessions)"
same 'its lock' 1 "$(pinned $idle locks)"
contains 'the table' pinned_bytes "$(lodectl -D "$LODE_STORE" status --sessions)"
wait_for grep -q "session $idle (pid [0-9]*) has its transaction open" "$LODE_STORE/log/lodestone.log"
# ended by bytes
printf 'transaction_max_size = 8kB\n' >>"$LODE_STORE/lodestone.conf"
lodectl -D "$LODE_STORE" reload >/dev/null
wait_for grep -q "ended the transaction of session $idle " "$LODE_STORE/log/lodestone.log"
same 'its state' timed_out "$(pinned $idle state)"
said '=> [Maglev::TransactionTimeout, true]' idle 'begin; Maglev[:big].size; rescue => e; [e.class, e.message.include?("transaction_max_size")]; end'
said '=> Maglev::TransactionTimeout' idle 'Maglev[:mine] = 1; begin; Maglev.commit; rescue => e; e.class; end'
said '=> [1001, 1, true]' idle 'Maglev.abort; Maglev[:mine] = 1; [Maglev[:big].size - 1000, Maglev[:mine], Maglev.commit]'
# ended by time
printf 'transaction_timeout = 300ms\n' >>"$LODE_STORE/lodestone.conf"
lodectl -D "$LODE_STORE" reload >/dev/null
wait_for eval "[ \"\$(pinned $busy state)\" = timed_out ]"
said '=> Maglev::TransactionTimeout' busy 'begin; Maglev.commit; rescue Maglev::MaglevException => e; e.class; end'
said '=> true' busy 'begin; Maglev.abort; Maglev.commit; rescue Maglev::TransactionTimeout; retry; end'
session_close idle
session_close busy
server_stop
# a process that has the store alone ends its own
prints '[[Maglev::TransactionTimeout, true], [Maglev::TransactionTimeout, true], true]' lode --solo -e '
limit = ->(e) { [e.class, e.message.include?("transaction_timeout")] }
sleep 0.4
committed = begin; Maglev[:solo] = 1; Maglev.commit; rescue => e; limit[e]; end
Maglev.abort
sleep 0.4
read = begin; Maglev[:big].size; rescue => e; limit[e]; end
Maglev.abort
done = begin
  Maglev[:solo] = 1
  Maglev.commit
rescue Maglev::TransactionTimeout
  Maglev.abort
  retry
end
p [committed, read, done]'
