# Who comes while a server starts, recovers, stops or is restarted gets the answer of the one that serves then, or one line;
# nobody waits for ever, and there is never a second server.
. "$LODE_TOP/regress/backend/lib.bash"
stop=$LODE_BUILD/regress/tools/stop
export LODE_STOP_FILE=$PWD/stops

crash() {
    kill -9 "$(server_pid)"
    until_true gone "$(server_pid)"
    rm -f stops # what paused in the last round
}
# answered FILE STATUS what: "7" with status 0, or one line with another (it may have come so far as to say 7)
answered() {
    [ "$2" = 0 ] && [ "$(cat "$1")" = 7 ] && return
    { [ "$2" = 1 ] || [ "$2" = 143 ]; } && [ "$(wc -l <"$1.err")" = 1 ] && return
    fail "$3: status $2, output $(cat "$1"), $(cat "$1.err")"
}

# a recovery that takes its time, of a server started by lodectl, then of one that nobody launched
"$LODE" -e 'Maglev::PERSISTENT_ROOT[:n] = 7; Maglev.commit_transaction' || fail "first commit"
for how in lodectl foreground; do
    crash
    if [ $how = lodectl ]; then
        LODE_STOP=RECOVERY_START:1:pause "$LODECTL" -D "$LODE_STORE" start -t 120 >first 2>first.err &
    else
        LODE_STOP=RECOVERY_START:1:pause "$LODESTONE" -D "$LODE_STORE" 2>first.err &
    fi
    first=$!
    "$stop" stops wait RECOVERY_START 120000 || fail "no recovery: $(cat first.err)"
    is "state=starting pid=$(server_pid)" "$(echo $("$LODECTL" -D "$LODE_STORE" status))" "status during a recovery"
    server=$(server_pid)
    gives 0 "$LODECTL" -D "$LODE_STORE" reload >/dev/null
    for i in 1 2 3; do
        "$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]' >out$i 2>out$i.err &
        clients[i]=$!
    done
    "$LODECTL" -D "$LODE_STORE" start -t 120 >second 2>second.err &
    second=$!
    sleep 0.2 # time to come; whoever comes later finds a server
    "$stop" stops release RECOVERY_START
    for i in 1 2 3; do
        wait ${clients[i]}
        is "0 7" "$? $(cat out$i)" "a client during a recovery by $how: $(cat out$i.err)"
    done
    wait $second
    is 1 $? "a second start during a recovery by $how"
    has "$(cat second.err)" "already running" "what a second start says"
    [ $how = foreground ] || { wait $first; is 0 $? "the first start: $(cat first.err)"; }
    is "$server" "$(server_pid)" "the server that was starting"
done

# stopped in the middle of its recovery, it is recovered by the next
for mode in smart fast immediate; do
    crash
    LODE_STOP=RECOVERY_START:1:pause "$LODECTL" -D "$LODE_STORE" start -t 120 >first 2>first.err &
    first=$!
    "$stop" stops wait RECOVERY_START 120000 || fail "no recovery: $(cat first.err)"
    gives 0 "$LODECTL" -D "$LODE_STORE" stop -m $mode >/dev/null
    wait $first
    is 1 $? "a start that was stopped"
    is 1 "$(wc -l <first.err)" "what it says: $(cat first.err)"
    is 7 "$("$LODE" -e 'p Maglev::PERSISTENT_ROOT[:n]')" "the store after a stop -m $mode of its recovery"
done

# two starts, and a client, at once
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
for i in 1 2; do
    "$LODECTL" -D "$LODE_STORE" start -t 120 >start$i 2>start$i.err &
    starts[i]=$!
done
is 7 "$("$LODE" -e 'p 7')" "a client beside two starts"
started=0
for i in 1 2; do
    wait ${starts[i]} && started=$((started + 1)) || has "$(cat start$i.err)" "already running" "a start beside another"
done
[ $started -le 1 ] || fail "two servers were started: $(cat start1 start2)"

# a stop that the server has not seen yet when the client connects
for signal in INT TERM QUIT; do
    "$LODE" -e 1 || fail "service before $signal"
    server=$(server_pid)
    kill -STOP "$server"
    kill -$signal "$server"
    "$LODE" -e 'p 7' >out 2>out.err &
    client=$!
    waits() { [ "$(grep -c " $LODE_STORE/lodestone.sock$" /proc/net/unix)" -ge 2 ]; }
    until_true waits
    kill -CONT "$server"
    wait $client
    answered out $? "a client that came with $signal"
    until_true gone "$server"
done

# a session that begins, runs and ends while the server looks after another's end
"$LODE" -e 1 || fail "service"
"$LODE" -e 'puts 1; $stdout.flush; sleep 0.01 until File.exist?("go")' >other &
other=$!
until_true test -s other
"$stop" stops arm SESSION_ATTACHED:1:pause
"$LODE" -e 'puts $$' >out 2>out.err &
client=$!
"$stop" stops wait SESSION_ATTACHED 120000 || fail "no session begins"
"$stop" stops arm POSTMASTER_REAP:1:pause
touch go
"$stop" stops wait POSTMASTER_REAP 120000 || fail "the server sees no end"
"$stop" stops release SESSION_ATTACHED
until_true test -s out
until_true gone "$(cat out)"
"$stop" stops release POSTMASTER_REAP
wait $client
is 0 $? "a session that ended when the server had just looked: $(cat out.err)"
wait $other
is 0 $? "the other one"

# restarts in a row
rm -f enough
for i in 1 2; do
    while [ ! -e enough ]; do
        "$LODE" -e 'p 7' >out$i 2>out$i.err
        answered out$i $? "a client beside restarts"
    done &
    loops[i]=$!
done
for mode in fast smart immediate fast; do
    "$LODECTL" -D "$LODE_STORE" restart -m $mode -t 120 >/dev/null 2>err || has "$(cat err)" "already running" "restart -m $mode"
done
touch enough
for i in 1 2; do
    wait ${loops[i]}
    is 0 $? "clients beside restarts"
done
"$LODECTL" -D "$LODE_STORE" stop >/dev/null || fail stop
has "$("$LODECTL" -D "$LODE_STORE" verify)" "all well" "verify"
exit 0
