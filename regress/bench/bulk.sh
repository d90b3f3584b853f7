# bulk.sh: how long others wait while one session commits a million objects, new ones and then all of them changed, with a page
# cache of 16 MB: the latencies of a durable commit of one small object, made every millisecond, alone and beside it.
# LODE_BULK: how many thousand objects (1000).
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
thousands=${LODE_BULK:-1000}
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
echo 'page_cache_size = 16MB' >>"$LODE_STORE/lodestone.conf"
server_start
lode -e 'Maglev.persistent { class Point; attr_accessor :x; def initialize(x) = @x = x; end }
Maglev[:box] = [0]; Maglev.commit' || exit 1
cat >other.rb <<'RUBY'
box = Maglev[:box]
limit = ARGV[0].to_i
times = []
until limit > 0 ? times.size == limit : File.exist?("done")
  t = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  box[0] += 1
  Maglev.commit
  times << Process.clock_gettime(Process::CLOCK_MONOTONIC) - t
  sleep 0.001
end
times.sort!
printf "%8.1f ms  (median %.2f ms, longest %.1f ms, of %d)\n", times[times.size * 99 / 100] * 1000,
       times[times.size / 2] * 1000, times[-1] * 1000, times.size
RUBY
beside() { # name program
    rm -f done
    lode other.rb 0 >times &
    local other=$! t0 t1
    t0=$(date +%s%N)
    lode -e "$2" || exit 1
    t1=$(date +%s%N)
    touch done
    wait $other || exit 1
    printf 'bulk: %d thousand objects %-8s %5.1f s, 99th percentile of others %s\n' "$thousands" "$1" \
        "$(awk -v ns=$((t1 - t0)) 'BEGIN { print ns / 1e9 }')" "$(cat times)"
}
printf 'bulk: commits of one small object, alone, 99th percentile %s\n' "$(lode other.rb 1000)"
beside made "Maglev[:bulk] = Array.new($thousands) { |i| Array.new(1000) { |k| Point.new(i * 1000 + k) } }; Maglev.commit"
beside changed 'Maglev[:bulk].each { |l| l.each { |q| q.x += 1 } }; Maglev.commit'
server_stop
