# idle.sh: many sessions at once that only wait: how long until all are open, and the private memory of each.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
sessions=${IDLE_SESSIONS:-500}
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
echo "max_sessions = $((sessions + 10))" >>"$LODE_STORE/lodestone.conf"
server_start
mkfifo gate
exec 9<>gate
: >opened

from=$(date +%s%N)
for ((i = 0; i < sessions; i++)); do
    lode -e 'puts Process.pid; $stdout.flush; $stdin.read(1)' <&9 >>opened 2>>errors &
done
until [ "$(wc -l <opened)" -ge "$sessions" ]; do
    sleep 0.02
    [ $(($(date +%s%N) - from)) -lt 120000000000 ] || die "$(wc -l <opened) of $sessions opened; $(head -3 errors)"
done
to=$(date +%s%N)
awk -v n="$sessions" -v t=$((to - from)) 'BEGIN { printf "%-52s %12.2f s  (%.1f ms each)\n", n " idle sessions opened", t / 1e9, t / 1e6 / n }'
while read -r pid; do awk '/^Private/ {s += $2} END {print s}' "/proc/$pid/smaps_rollup"; done <opened | sort -n |
    awk '{ at[NR] = $1; sum += $1 } END { printf "%-52s %12d kB  (largest %d kB, in all %d MB)\n", "private memory (USS), median", at[int((NR + 1) / 2)], at[NR], sum / 1024 }'
printf '%*s' "$sessions" '' >&9
wait
server_stop
