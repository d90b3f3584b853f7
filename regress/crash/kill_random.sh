# kill -9 of the postmaster, the auxiliary processes and sessions, at random moments under a load of 8 sessions, also
# during the recovery that follows: every acknowledged commit is there, none is there in part, and a session that dies
# outside a critical section takes no other along.  LODE_KILLS: how many (200; 4000 with LODE_WORLD).
# timeout: 3000
. "$LODE_TOP/regress/lib.sh"
. "$LODE_TOP/regress/crash/load.bash"
kills=${LODE_KILLS:-$([ -n "$LODE_WORLD" ] && echo 4000 || echo 200)}
RANDOM=${LODE_SEED:-$(date +%N | sed 's/^0*//')}
echo "seed ${LODE_SEED:-$RANDOM}"
load_init 8
export LOAD_COLLECTS=1
targets=(postmaster wal-writer checkpointer compactor reaper lode-session)
log=$LODE_STORE/log/lodestone.log
done=0
declare -A count

# child NAME: a random child of the server of that name, or nothing
child() {
    local c all=()
    for c in $(children_of "$(server_pid)"); do
        [ "$(cat "/proc/$c/comm" 2>/dev/null)" = "$1" ] && all+=("$c")
    done
    [ ${#all[@]} -gt 0 ] && echo "${all[RANDOM % ${#all[@]}]}"
}

# strike NAME: kills one; false if there is none
strike() {
    local victim
    if [ "$1" = postmaster ]; then
        server_lives && victim=$(server_pid)
    else
        victim=$(child "$1")
    fi
    [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null || return 1
    done=$((done + 1))
    count[$1]=$((${count[$1]:-0} + 1))
}

live() { # how many of the load's programs still run
    local p n=0
    for p in $load_pids; do kill -0 "$p" 2>/dev/null && n=$((n + 1)); done
    echo $n
}
critical_deaths() { grep -c 'inside a critical section' "$log"; }

anew=100
while [ $done -lt "$kills" ]; do
    if [ $done -ge $anew ]; then # nobody cleans this store: it grows by 25 MB a kill
        [ -f "$LODE_STORE/lodestone.pid" ] && kill_everything
        lodectl -D "$LODE_STORE" verify >verified 2>&1 || die "$done kills: $(cat verified)"
        rm -rf "$LODE_STORE"
        load_init 8
        anew=$((done + 100))
    fi
    load_start 600
    load_commits 5
    sleep "0.$((RANDOM % 20 + 10))"
    what= victims=0
    for ((s = RANDOM % 3; s > 0; s--)); do
        deaths=$(critical_deaths)
        strike lode-session || break
        what="$what lode-session" victims=$((victims + 1))
        sleep 0.05
        if [ "$(live)" -lt $((workers - victims)) ]; then # of all that began: who was killed before may end only now
            # the log has the reason, if not yet, then soon; and the others are on their way out
            for ((i = 0; i < patience * 20 && $(critical_deaths) == deaths; i++)); do sleep 0.05; done
            [ "$(critical_deaths)" -gt "$deaths" ] ||
                die "kill $done: a session outside a critical section took others along: $(cat error.*)"
            break
        fi
        [ "$(critical_deaths)" -eq "$deaths" ] || break
    done
    target=${targets[RANDOM % ${#targets[@]}]}
    strike "$target" && what="$what $target"
    # While the next postmaster, or the same one anew, recovers
    for ((s = RANDOM % 2; s > 0; s--)); do
        sleep "0.0$((RANDOM % 9 + 1))"
        strike postmaster && what="$what postmaster"
        timeout 30 lode -e '' 2>/dev/null
    done
    [ -f "$LODE_STORE/lodestone.pid" ] && kill_everything
    load_wait
    load_check "$done kills, the last:$what"
    echo "$done kills:$what"
done
for target in "${targets[@]}"; do
    [ "${count[$target]:-0}" -gt 0 ] || [ "$kills" -lt 200 ] || die "no $target was killed"
done
