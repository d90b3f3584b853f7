# lib.bash: histories of many sessions under random aborts, limits of time and kills, and their judgement.

history_init() {
    lodectl -D "$LODE_STORE" init >/dev/null || die "init"
    cat >>"$LODE_STORE/lodestone.conf" <<'CONF'
page_cache_size = 2MB
change_ring_size = 64kB
checkpoint_timeout = 500ms
wal_segment_size = 1MB
CONF
    server_start
    worker=$LODE_TOP/regress/history/worker.rb
    number=0
}

# One after another until the time is over: a killed one is followed by a fresh one, with a log of its own.
history_session() { # mode level seconds session
    local end=$(($(date +%s%N) + $3 * 1000000000)) turn=0 left
    while left=$((end - $(date +%s%N))) && [ $left -gt 200000000 ]; do
        lode "$worker" "$1" "$2" "$((left / 1000000000)).$(printf %03d $((left / 1000000 % 1000)))" $(($4 * 1000 + turn)) "log.$4.$turn" 2>>"errors.$4" && break
        turn=$((turn + 1))
        sleep 0.05
    done
}

# kill -9 of a session's process of the server every so often: most die alone, some take all along into a recovery.
history_killer() { # seconds
    local end=$(($(date +%s) + $1)) child
    while [ "$(date +%s)" -lt $end ]; do
        sleep 0.$((RANDOM % 3 + 2))
        for child in $(children_of "$(server_pid 2>/dev/null)" 2>/dev/null | tr ' ' '\n' | shuf); do
            [ "$(cat "/proc/$child/comm" 2>/dev/null)" = lode-session ] && kill -9 "$child" 2>/dev/null && break
        done
    done
}

history_run() { # mode level seconds sessions kills?
    rm -f log.* errors.* final.log
    wait_for lode "$worker" setup
    local pids= s
    for ((s = 1; s <= $4; s++)); do
        number=$((number + 1))
        history_session "$1" "$2" "$3" $number &
        pids="$pids $!"
    done
    [ -n "$5" ] && history_killer "$3"
    for s in $pids; do wait "$s"; done
    wait_for lode "$worker" final "$1" log.*
    lode "$worker" final "$1" log.* >final.log || die "final read"
    out=$("$LODE_BUILD/regress/tools/history" "$2" log.* final.log) || die "$1, $2, $4 sessions: $out"
    [ -n "$5" ] || [ -z "$(cat errors.* | sanitized)" ] || die "$1, $2: a session failed: $(cat errors.* | head -n 5)"
    echo "$1 $2 $4 sessions, $(ls log.*.0 | wc -l) began and $(ls log.*.[1-9]* 2>/dev/null | wc -l) began again: $out"
    [ -z "$5" ] || ls log.*.1 >/dev/null 2>&1 || die "no session was killed"
    [ "$(grep -c '^ok' log.* | awk -F: '{n += $2} END {print n}')" -gt $(($3 * 20)) ] || die "$1, $2: too few commits to prove anything: $(cat errors.* | head -n 5)"
}
