# Shared counters: outside transactions, exact under concurrent changes, 64 bits that wrap, durable.
. "$LODE_TOP/regress/lib.sh"
S='Maglev::System'
prints '[0, 5, 4, 14, 14, true]' lode -e "p [$S.pcounter(1), $S.set_pcounter(1, 5), $S.decrement_pcounter(1), $S.increment_pcounter(1, 10), (Maglev.abort; $S.pcounter(1)), !Maglev.needs_commit]"
prints '[-9223372036854775808, 9223372036854775807, -1]' lode -e "p [($S.set_pcounter(128, 2**63 - 1); $S.increment_pcounter(128)), $S.decrement_pcounter(128), $S.set_pcounter(128, 2**64 - 1)]"
for number in 0 129; do
    prints RangeError lode -e "begin; $S.pcounter($number); rescue RangeError => e; puts e.class; end"
done
for i in 1 2 3 4; do
    lode -e "50.times { $S.increment_pcounter(2); $S.decrement_pcounter(3, 2) }" &
    pids="$pids $!"
done
for p in $pids; do wait "$p" || die "a counter failed with $?"; done
prints '[200, -400]' lode -e "p [$S.pcounter(2), $S.pcounter(3)]"
kill_everything
prints '[14, 200, -400, -1]' lode -e "p [1, 2, 3, 128].map { |i| $S.pcounter(i) }"
server_stop
prints '[14, 200, -400, -1]' lode -e "p [1, 2, 3, 128].map { |i| $S.pcounter(i) }"
kill_everything
prints '[14, 201]' lode -e "$S.increment_pcounter(2); p [$S.pcounter(1), $S.pcounter(2)]"
