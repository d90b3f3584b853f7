# Clients that all find no store and no server end up at one and the same.
. "$LODE_TOP/regress/backend/lib.bash"

for i in 1 2 3 4 5 6; do
    "$LODE" -e 'puts Process.ppid' >"out$i" 2>"err$i" &
done
wait
is 1 "$(cat out? | sort -u | wc -l)" "servers started at once: $(cat out? err?)"
is 6 "$(cat out? | wc -l)" "clients served: $(cat err?)"
# and at once again with the server dying among them
kill -9 "$(server_pid)"
for i in 1 2 3 4; do
    "$LODE" -e 'puts Process.ppid' >"out$i" 2>"err$i" &
done
wait
is 1 "$(cat out[1-4] | sort -u | wc -l)" "servers started after the kill: $(cat out? err?)"
# Clients that are connected but not accepted when the server dies: their programs have not begun, the next
# server runs them.  A stopped postmaster accepts nobody; /proc/net/unix shows who waits, one line each beside
# the listener's own.
old=$(server_pid)
kill -STOP "$old"
for i in 1 2 3 4; do
    "$LODE" -e 'puts Process.ppid' >"out$i" 2>"err$i" &
done
all_wait() { [ "$(grep -c " $LODE_STORE/lodestone.sock$" /proc/net/unix)" -ge 5 ]; }
until_true all_wait
kill -9 "$old"
wait
is 1 "$(cat out[1-4] | sort -u | wc -l)" "servers after the death of one that had not accepted: $(cat out? err?)"
is 4 "$(cat out[1-4] | wc -l)" "clients served by the next server: $(cat err?)"
# long paths go beyond a socket's name
long=$LODE_TEST_DIR/$(printf 'd%.0s' $(seq 120))
is 3 "$("$LODE" --store "$long" -e 'p 3')" "a store with a long path"
"$LODECTL" -D "$long" stop >/dev/null || fail "stop of the store with a long path"
exit 0
