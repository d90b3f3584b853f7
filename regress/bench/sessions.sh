# sessions.sh: what a user of sessions sees: commits a second, time to the first result, memory of an idle session,
# objects faulted in a second.  Figures of storage alone are in the C programs beside; ratios are within this run.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
server_start
now() { date +%s%N; }
line() { printf '%-52s %12s %s\n' "$1" "$2" "$3"; }

fallocate -l 4M raw
# raw_rate COMMAND...: the same disk, one 4 KiB O_DSYNC overwrite after the other, a second
raw_rate() {
    LC_ALL=C "$@" dd if=/dev/zero of=raw bs=4k count=1000 oflag=direct,dsync conv=notrunc 2>&1 |
        awk '/copied/ {for (i = 1; i <= NF; i++) if ($i == "s,") print 1000 / $(i - 1)}'
}

cat >commit.rb <<'RUBY'
n = ARGV[0].to_i
box = Maglev[:boxes][ARGV[1].to_i]
n.times { |i| box[0] = i; Maglev.commit }
RUBY
lode -e 'Maglev[:boxes] = Array.new(16) { [0] }; Maglev.commit' || exit 1
# commits WHAT COMMAND...: one small object a commit, by 1, 4 and 16 sessions; COMMAND is put before each client
commits() {
    local what=$1 sessions each s t0 t1 raw
    shift
    raw=$(raw_rate "$@")
    line 'raw 4 KiB O_DIRECT|O_DSYNC overwrites' "$(printf %.0f "$raw")" /s
    for sessions in 1 4 16; do
        each=$((8000 / sessions + 1000)) # starting the sessions is part of it: long enough to make it small
        t0=$(now)
        for ((s = 0; s < sessions; s++)); do "$@" lode commit.rb $each $s & done
        wait
        t1=$(now)
        awk -v n=$((each * sessions)) -v t=$((t1 - t0)) -v raw="$raw" -v s=$sessions -v what="$what" 'BEGIN {
            r = n * 1e9 / t; printf "%-52s %12.0f /s  (%.2f of raw)\n", what " commits, " s " sessions", r, r / raw }'
    done
}
commits durable
server_stop
lodectl -D "$LODE_STORE" start -c durability=async >/dev/null || exit 1
commits asynchronous
server_stop
# A process that wakes behind a busy one may wait a tick: the same where nothing is in the way.
if chrt -f 1 true 2>/dev/null; then
    chrt -f 1 lodectl -D "$LODE_STORE" start >/dev/null || exit 1
    commits 'at chrt -f 1: durable' chrt -f 1
    server_stop
else
    echo "(no commits at chrt -f 1: not permitted here)"
fi
server_start

# A crowd: nobody starves.  Each commits for as long as the others, from the same moment on.
cat >crowd.rb <<'RUBY'
me, start = ARGV[0].to_i, ARGV[1].to_f
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
box, times = Maglev[:crowd][me], []
sleep([start - now, 0].max)
while (t = now) < start + 2
  box[0] += 1
  Maglev.commit
  times << ((now - t) * 1e6).round
end
puts times
RUBY
server_stop
lodectl -D "$LODE_STORE" start -c max_sessions=220 >/dev/null || exit 1
lode -e 'Maglev[:crowd] = Array.new(200) { [0] }; Maglev.commit' || exit 1
start=$(lode -e 'puts Process.clock_gettime(Process::CLOCK_MONOTONIC) + 10')
for ((s = 0; s < 200; s++)); do lode crowd.rb $s "$start" >"crowd.$s" & done
wait
wc -l crowd.[0-9]* | awk '$2 != "total" { print $1 }' | sort -n >crowd.counts
cat crowd.[0-9]* | sort -n | awk 'NR == FNR { n[FNR] = $1; next } { v[FNR] = $1 } END {
    m = FNR; c = NR - FNR
    printf "%-52s %12.0f /s  (least by one session %d, most %d)\n", "200 sessions at once, durable commits", m / 2, n[1], n[c]
    printf "%-52s %12.2f ms  (99%%: %.2f, 99.9%%: %.2f, longest: %.2f ms)\n", "of them, a commit takes, median", v[int((m + 1) / 2)] / 1e3,
        v[int(m * .99)] / 1e3, v[int(m * .999)] / 1e3, v[m] / 1e3 }' crowd.counts -
server_stop
server_start

read -r median p95 end < <("$LODE_BUILD/regress/tools/latency" "$LODE_STORE" 200)
awk -v m="$median" -v p="$p95" -v e="$end" 'BEGIN {
    printf "%-52s %12.2f ms  (95%%: %.2f ms)\n", "connect to first result, median", m / 1e3, p / 1e3
    printf "%-52s %12.2f ms\n", "connect to the end, median", e / 1e3 }'
t0=$(now)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do lode -e '1' >/dev/null; done
t1=$(now)
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/true >/dev/null; done
t2=$(now)
awk -v a=$((t1 - t0)) -v b=$((t2 - t1)) 'BEGIN { printf "%-52s %12.2f ms  (starting /bin/true: %.2f ms)\n", "lode -e 1, from exec to exit", a / 20e6, b / 20e6 }'

session_open idle
session idle '1' >/dev/null
pid=$(session idle 'Process.pid')
pid=${pid#=> }
line 'private memory of an idle session (USS)' "$(awk '/^Private/ {s += $2} END {print s}' "/proc/$pid/smaps_rollup")" kB
session_close idle

cat >objects.rb <<'RUBY'
Maglev.persistent { class Point; attr_reader :x, :y, :name; def initialize(x, y, name) = (@x = x; @y = y; @name = name); end }
Maglev[:points] = Array.new(100) { |i| Array.new(1000) { |k| Point.new(i, k, nil) } }
Maglev.commit
RUBY
lode objects.rb || exit 1
cat >fault.rb <<'RUBY'
lists = Maglev[:points].to_a
sum = 0
t0 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
lists.each { |l| l.each { |p| sum += p.x } }
t1 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
lists.each { |l| l.each { |p| sum += p.x } }
t2 = Process.clock_gettime(Process::CLOCK_MONOTONIC)
printf "%-52s %12.0f /s  (touched again: %.0f /s)\n", "objects faulted in from a warm cache", 100_000 / (t1 - t0), 100_000 / (t2 - t1)
RUBY
lode fault.rb
lode fault.rb
server_stop
