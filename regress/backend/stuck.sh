# A session that stays in a critical section beyond critical_timeout is killed and the server recovers; a session killed in the
# middle of a commit leaves all of it or nothing.
. "$LODE_TOP/regress/backend/lib.bash"

"$LODE" -e 'Maglev::PERSISTENT_ROOT[:n] = 1; Maglev.commit_transaction' || fail "first commit"
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
# in the middle of a commit; with the latch held under which names get their numbers; with that of the extents
for event in COMMIT_LOGGED NAME_LOG PAGE_OPENED; do
    LODE_STOP=$event:1:pause "$LODECTL" -D "$LODE_STORE" start -c critical_timeout=1s >/dev/null || fail "start for $event"
    server=$(server_pid)
    rm -f other
    "$LODE" -e 'puts 1; $stdout.flush; sleep' >other 2>other.err &
    other=$!
    until_true test -s other
    "$LODE" -e 'Maglev::PERSISTENT_ROOT[ARGV[0].to_sym] = Maglev::PERSISTENT_ROOT[:n] = 2; Maglev.commit_transaction' $event 2>err
    is 137 $? "the status of the client whose session was stuck at $event"
    wait $other
    is 1 $? "the status of another client"
    has "$(cat other.err)" "restarts because another process died" "what another client says"
    until_true "$LODE" -e 1
    is 1 "$(status_of restarts)" "restarts after $event"
    is "$server" "$(server_pid)" "the server's process"
    n=$("$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]')
    [ "$n" = 1 ] || [ "$n" = 2 ] || fail "a commit cut off at $event: $n"
    "$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
done

# killed at each step of a commit, with another session waiting
for event in COMMIT_SECURE COMMIT_SECURED COMMIT_DECIDE COMMIT_LOCKED COMMIT_PLACED COMMIT_LOGGED COMMIT_STAMPED COMMIT_INSTALL \
    COMMIT_INSTALLED COMMIT_FLUSH COMMIT_DURABLE; do
    LODE_STOP=$event:1:kill "$LODECTL" -D "$LODE_STORE" start >/dev/null || fail "start for $event"
    "$LODE" -e 'Maglev::PERSISTENT_ROOT[:a] = Maglev::PERSISTENT_ROOT[:b] = ARGV[0]; Maglev.commit_transaction; puts "acknowledged"' $event >out 2>err
    is 137 $? "the status of a client killed at $event"
    [ -s out ] && fail "acknowledged though killed at $event"
    until_true "$LODE" -e 1
    pair=$("$LODE" -e 'a, b = Maglev::PERSISTENT_ROOT[:a], Maglev::PERSISTENT_ROOT[:b]; puts a == b ? "whole" : "torn #{a} #{b}"') ||
        fail "reading after $event"
    is whole "$pair" "the commit killed at $event"
    "$LODE" -e 'Maglev::PERSISTENT_ROOT[:n] += 1; Maglev.commit_transaction' || fail "commit after $event"
    "$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail "stop after $event"
    has "$("$LODECTL" -D "$LODE_STORE" verify)" "all well" "verify after $event"
done
is $((n + 11)) "$("$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]')" "commits after the kills"
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
exit 0
