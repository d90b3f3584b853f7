# kill -9 of the postmaster, the WAL writer, the checkpointer, the reaper or a session, at random moments under a load of
# 8 sessions: every acknowledged commit is there, none is there in part.  LODE_KILLS: how many (40; 2000 with LODE_WORLD).
# timeout: 3000
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/crash/load.bash"
kills=${LODE_KILLS:-$([ -n "$LODE_WORLD" ] && echo 2000 || echo 40)}
RANDOM=${LODE_SEED:-$(date +%N | sed 's/^0*//')}
echo "seed ${LODE_SEED:-$RANDOM}"
load_init 8
targets=(postmaster wal-writer checkpointer reaper lode-session)
for ((k = 1; k <= kills; k++)); do
    lode -e '' || die "the server does not start before kill $k"
    load_start 20
    sleep "0.$((RANDOM % 4 + 1))$((RANDOM % 10))"
    target=${targets[RANDOM % 5]}
    pid=$(server_pid) victim=
    if [ "$target" = postmaster ]; then
        victim=$pid
    else
        for c in $(children_of "$pid"); do
            [ "$(cat "/proc/$c/comm" 2>/dev/null)" = "$target" ] && victim=$c && break
        done
    fi
    [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null
    sleep 0.1
    # Then everything, so that the load ends; every fourth time the load runs on where it can.
    if [ "$target" = lode-session ] && [ $((k % 4)) -ne 0 ]; then
        [ "$(server_pid)" = "$pid" ] || die "kill $k of a session outside a critical section took the server along"
    fi
    kill_everything
    load_wait
    load_check "kill $k ($target)"
    echo "kill $k: $target"
done
