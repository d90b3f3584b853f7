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

# One after another until it is enough: a killed one is followed by a fresh one, with a log of its own.
history_session() { # mode level session
    local turn=0
    until [ -e enough ]; do
        lode "$worker" "$1" "$2" enough $(($3 * 1000 + turn)) "log.$3.$turn" 2>>"errors.$3" && break
        turn=$((turn + 1))
        sleep 0.05
    done
}

# kill -9 of a session's process of the server every so often: most die alone, some take all along into a recovery.
history_killer() {
    local child
    until [ -e enough ]; do
        sleep 0.$((RANDOM % 3 + 2))
        for child in $(children_of "$(server_pid 2>/dev/null)" 2>/dev/null | tr ' ' '\n' | shuf); do
            [ "$(cat "/proc/$child/comm" 2>/dev/null)" = lode-session ] && kill -9 "$child" 2>/dev/null && break
        done
    done
}

history_final() { lode "$worker" final "$1" log.* >final.log; } # mode

history_commits() { cat log.* 2>/dev/null | grep -c '^ok'; }

# A crash may take what was read and not yet on disk; who only read has then an acknowledged transaction that rests on it.
history_sure_reads() {
    grep -q '^durable_reads = on' "$LODE_STORE/lodestone.conf" && return
    server_stop fast
    echo 'durable_reads = on' >>"$LODE_STORE/lodestone.conf"
    server_start
}

# For as long as is asked, and until there are as many commits as prove something, however long that takes.
history_run() { # mode level seconds sessions kills?
    rm -f log.* errors.* final.log enough
    [ -z "$5" ] || history_sure_reads
    wait_for lode "$worker" setup
    local pids= s
    for ((s = 1; s <= $4; s++)); do
        number=$((number + 1))
        history_session "$1" "$2" $number &
        pids="$pids $!"
    done
    [ -n "$5" ] && history_killer &
    pids="$pids $!"
    sleep "$3"
    until [ "$(history_commits)" -gt $(($3 * 20)) ] && { [ -z "$5" ] || ls log.*.1 >/dev/null 2>&1; }; do sleep 0.2; done
    touch enough
    for s in $pids; do wait "$s"; done
    wait_for history_final "$1"
    [ "$1" != list ] || grep -q '^final r' final.log || die "nothing was read at the end"
    out=$("$LODE_BUILD/regress/tools/history" "$2" log.* final.log) || die "$1, $2, $4 sessions: $out"
    [ -n "$5" ] || [ -z "$(cat errors.* | sanitized)" ] || die "$1, $2: a session failed: $(cat errors.* | head -n 5)"
    echo "$1 $2 $4 sessions, $(ls log.*.0 | wc -l) began and $(ls log.*.[1-9]* 2>/dev/null | wc -l) began again: $out"
}
