# kill -9 of each process: a session outside a critical section dies alone; any other death is a recovery; service goes on
# under the same server process, and what was committed is there.
. "$LODE_TOP/regress/backend/lib.bash"

"$LODE" -e 'Maglev::PERSISTENT_ROOT[:n] = 0; Maglev.commit_transaction' || fail "first commit"
server=$(server_pid)

# two sessions; one is killed; the other goes on; its slot is cleaned
"$LODE" -e 'puts $$; $stdout.flush; sleep' >victim 2>/dev/null &
"$LODE" -e 'puts $$; $stdout.flush; sleep 0.01 until File.exist?("go"); Maglev::PERSISTENT_ROOT[:other] = 1; Maglev.commit_transaction; puts "done"' >other &
other=$!
until_true test -s victim
until_true test -s other
kill -9 "$(cat victim)"
cleaned() { [ "$(status_of sessions_cleaned_up)" -ge 1 ]; }
until_true cleaned
touch go
wait $other
is 0 $? "the other session's status"
has "$(cat other)" "done" "the other session's output"
is "0" "$(status_of restarts)" "restarts after the death of a session"
is 1 "$("$LODE" -e 'p Maglev::PERSISTENT_ROOT[:other]')" "the other session's commit"

# the auxiliary processes
ready() { [ "$(status_of state)" = ready ]; }
for name in wal-writer checkpointer compactor reaper; do
    "$LODE" -e 'Maglev::PERSISTENT_ROOT[:n] += 1; Maglev.commit_transaction' || fail "commit before the kill of $name"
    rm -f out err
    "$LODE" -e 'puts $$; $stdout.flush; sleep' >out 2>err &
    client=$!
    until_true test -s out
    pid=$(status_of ${name}_pid)
    kill -9 "$pid"
    wait $client
    is 1 $? "a client's status after the kill of $name"
    has "$(cat err)" "restarts because another process died" "what the client says"
    until_true gone "$(cat out)"
    until_true ready
    [ "$(status_of ${name}_pid)" != "$pid" ] || fail "$name should be another process"
    is "$server" "$(server_pid)" "the server's process after the kill of $name"
done
is 4 "$("$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]')" "commits before the kills"

# clients that come while the server restarts only wait: it stands still from the death that it has not seen
writer=$(status_of wal-writer_pid)
kill -STOP "$server"
kill -9 "$writer"
"$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]' >out 2>err &
client=$!
waits() { [ "$(grep -c " $LODE_STORE/lodestone.sock$" /proc/net/unix)" -ge 2 ]; }
until_true waits
kill -CONT "$server"
wait $client
is "0 4" "$? $(cat out)" "a client during the restart: $(cat err)"

# a forked session is watched as well
rm -f out err
"$LODE" -e 'pid = fork { sleep }; puts pid; $stdout.flush; Process.wait(pid); puts $?.termsig' >out &
client=$!
until_true test -s out
before=$(status_of sessions_cleaned_up)
kill -9 "$(head -n 1 out)"
wait $client
is 9 "$(tail -n 1 out)" "the forked session's end"
cleaned() { [ "$(status_of sessions_cleaned_up)" -gt "$before" ]; }
until_true cleaned
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
has "$("$LODECTL" -D "$LODE_STORE" verify)" "all well" "verify"
exit 0
