# Start and stop in all modes; what each says and how it exits; a second server is refused.
. "$LODE_TOP/regress/backend/lib.bash"

has "$(one_line "$LODECTL" -D "$LODE_STORE" start)" "No such file" "start without a store"
gives 0 "$LODECTL" -D "$LODE_STORE" init >/dev/null
is 700 "$(stat -c %a "$LODE_STORE")" "mode of a new store"
[ -f "$LODE_STORE/lodestone.conf" ] || fail "init leaves a lodestone.conf"
one_line "$LODECTL" -D "$LODE_STORE" init >/dev/null
is "state=stopped" "$("$LODECTL" -D "$LODE_STORE" status)" "status of a stopped store"
gives 3 "$LODECTL" -D "$LODE_STORE" status >/dev/null
has "$(one_line "$LODECTL" -D "$LODE_STORE" stop)" "no server is running" "stop without a server"
has "$(one_line "$LODECTL" -D "$LODE_STORE" reload)" "no server is running" "reload without a server"

gives 0 "$LODECTL" -D "$LODE_STORE" start >/dev/null
pid=$(server_pid)
is "$pid" "$(status_of pid)" "first line of lodestone.pid"
is ready "$(status_of state)" "state"
has "$("$LODECTL" -D "$LODE_STORE" status --json)" '"state": "ready"' "status --json"
has "$(one_line "$LODECTL" -D "$LODE_STORE" start)" "already running" "second start"
err=$(one_line "$LODESTONE" -D "$LODE_STORE")
has "$err" "another server (process $pid) is running" "second postmaster"
kill -0 "$pid" || fail "the first lives on"

gives 0 "$LODECTL" -D "$LODE_STORE" reload >/dev/null
is "$pid" "$(status_of pid)" "process after reload"
gives 0 "$LODECTL" -D "$LODE_STORE" restart >/dev/null
[ "$pid" != "$(server_pid)" ] || fail "restart is another process"

# smart waits for a session that runs
rm -f out err go
"$LODE" -e 'puts 1; $stdout.flush; sleep 0.01 until File.exist?("go"); puts 2' >out &
client=$!
until_true grep -q 1 out
has "$(one_line "$LODECTL" -D "$LODE_STORE" stop -m smart -t 1)" "not stopped in time" "smart with a session"
has "$("$LODE" -e 1 2>&1)" "shutting down" "a new session during smart shutdown"
touch go
wait $client
is 0 $? "the session's status under smart"
is "1 2" "$(echo $(cat out))" "the session's output under smart"
until_true gone "$(server_pid 2>/dev/null || echo 999999)"
[ -e "$LODE_STORE/lodestone.pid" ] && fail "no pid file after a stop"

# fast ends it by SIGTERM, ensure runs, longer than a client's death would give it
gives 0 "$LODECTL" -D "$LODE_STORE" start >/dev/null
rm -f out err
"$LODE" -e 'begin; puts 1; $stdout.flush; sleep; ensure; sleep 2.5; puts "ensured"; end' >out 2>err &
client=$!
until_true grep -q 1 out
gives 0 "$LODECTL" -D "$LODE_STORE" stop -m fast >/dev/null
wait $client
is 143 $? "the session's status under fast"
is "1 ensured" "$(echo $(cat out))" "its ensure under fast"
has "$(cat err)" "shutting down" "what the client says under fast"

# immediate ends all at once
gives 0 "$LODECTL" -D "$LODE_STORE" start >/dev/null
rm -f out err
"$LODE" -e 'puts 1; $stdout.flush; sleep' >out 2>err &
client=$!
until_true grep -q 1 out
worker=$(tr " " "\n" <"/proc/$(server_pid)/task/$(server_pid)/children" | sort -n | tail -n 1)
gives 0 "$LODECTL" -D "$LODE_STORE" stop -m immediate >/dev/null
wait $client
is 1 $? "the client's status under immediate"
has "$(cat err)" "stopped at once" "what the client says under immediate"
until_true gone "$worker"
gives 64 "$LODECTL" -D "$LODE_STORE" stop -m slowly 2>/dev/null

# the foreground program, and its signals
"$LODESTONE" -D "$LODE_STORE" 2>err &
server=$!
until_true grep -q ready err
is $server "$(server_pid)" "the foreground server"
kill -INT $server
wait $server
is 0 $? "status of the foreground server"
gives 0 "$LODECTL" -D "$LODE_STORE" verify >/dev/null
exit 0
