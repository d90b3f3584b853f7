# The postmaster dies by kill -9: everyone else exits, and the next start finds its way past what is left behind.
. "$LODE_TOP/regress/backend/lib.bash"

"$LODECTL" -D "$LODE_STORE" init >/dev/null && "$LODECTL" -D "$LODE_STORE" start >/dev/null || fail "start"
for round in 1 2; do
    pid=$(server_pid)
    rm -f out err
    "$LODE" -e 'puts $$; $stdout.flush; puts fork { sleep }; $stdout.flush; sleep' >out 2>err &
    client=$!
    two() { [ "$(wc -l <out)" = 2 ]; }
    until_true two
    others="$(cat out) $(status_of wal-writer_pid) $(status_of checkpointer_pid) $(status_of compactor_pid) $(status_of reaper_pid)"
    kill -9 "$pid"
    for p in $others; do until_true gone "$p"; done
    wait $client
    is 1 $? "the client's status"
    has "$(cat err)" "ended the connection" "what the client says"
    [ -S "$LODE_STORE/lodestone.sock" ] || fail "a stale socket should be there"
    is "$pid" "$(server_pid)" "the stale pid file"
    is "state=stopped" "$("$LODECTL" -D "$LODE_STORE" status)" "status with a stale pid file"
    # lode starts a server by itself, lodectl by request
    if [ $round = 1 ]; then
        is 3 "$("$LODE" -e 'p 1+2')" "lode after the crash"
    else
        gives 0 "$LODECTL" -D "$LODE_STORE" start >/dev/null
    fi
    [ "$pid" != "$(server_pid)" ] || fail "another server is running now"
done
# a pid file whose number has gone to another program: no signal for that one
"$LODECTL" -D "$LODE_STORE" stop >/dev/null
sleep 600 &
other=$!
printf '%s\n1\n%s\n%s/lodestone.sock\nready\n0\n' $other "$LODE_STORE" "$LODE_STORE" >"$LODE_STORE/lodestone.pid"
is "state=stopped" "$("$LODECTL" -D "$LODE_STORE" status)" "status with another program's number"
for mode in smart fast immediate; do one_line "$LODECTL" -D "$LODE_STORE" stop -m $mode >/dev/null; done
kill -0 $other || fail "another program was signalled"
is 3 "$("$LODE" -e 'p 1+2')" "lode with another program's number in the pid file"
kill $other
# a pid file with nonsense
"$LODECTL" -D "$LODE_STORE" stop >/dev/null
echo "nonsense" >"$LODE_STORE/lodestone.pid"
is 3 "$("$LODE" -e 'p 1+2')" "lode with a damaged pid file"
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
exit 0
