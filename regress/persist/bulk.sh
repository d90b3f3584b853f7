# One commit of very many new objects, then one that changes them all, with a page cache that holds but a part of their object
# table: both succeed, take no more shared memory, the other sessions go on committing meanwhile, and the store is whole.  A
# million with LODE_WORLD=1.  How long the others wait is bench/bulk.sh's question.
. "$LODE_TOP/regress/lib.sh"
if [ -n "${LODE_WORLD:-}" ]; then thousands=1000 cache=16MB; else thousands=150 cache=2MB; fi
lodectl -D "$LODE_STORE" init >/dev/null || die init
echo "page_cache_size = $cache" >>"$LODE_STORE/lodestone.conf"
export LODE_STOP_FILE=$PWD/stops
LODE_STOP=BULK_PAGE:3:pause server_start
prints '' lode -e 'Maglev.persistent { class Point; attr_accessor :x; def initialize(x) = @x = x; end }
Maglev[:counts] = Array.new(2) { [0] }; Maglev.commit'
shared() { awk '/^[0-9a-f]+-/ { s = /memfd/ } s && /^Size/ { n += $2 } END { print n }' "/proc/$(server_pid)/smaps"; }
before=$(shared)
[ "$before" -gt 0 ] || die "no shared memory is seen"

# Others commit while a bulk commit stands in its middle.
stop=$LODE_BUILD/regress/tools/stop
lode -e 'Maglev[:first] = Array.new(20_000) { |i| Point.new(i) }; Maglev.commit' 2>first.err &
bulk=$!
"$stop" stops wait BULK_PAGE 120000 || die "no bulk commit: $(cat first.err)"
prints '20' lode -e '20.times { Maglev[:counts][1][0] += 1; Maglev.commit }; p Maglev[:counts][1][0]'
"$stop" stops release BULK_PAGE
wait $bulk || die "the bulk commit: $(cat first.err)"
prints '20000' lode -e 'p Maglev[:first].size'

# And while it does its work.
cat >other.rb <<'RUBY'
box = Maglev[:counts][0]
commits = 0
until commits > 0 && File.exist?("done")
  box[0] += 1
  Maglev.commit
  commits += 1
  sleep 0.001
end
RUBY
# beside PROGRAM: runs it while another session commits.
beside() {
    rm -f done
    lode other.rb >other.out 2>&1 &
    other=$!
    prints '' lode -e "$1"
    touch done
    wait $other || die "the other session: $(cat other.out)"
    same 'shared memory, kB' "$before" "$(shared)"
}
n=$((thousands * 1000))
sum='p Maglev[:bulk].sum { |l| l.sum(&:x) }'
beside "Maglev[:bulk] = Array.new($thousands) { |i| Array.new(1000) { |k| Point.new(i * 1000 + k) } }
Maglev.commit"
prints "$((n * (n - 1) / 2))" lode -e "$sum"
beside 'Maglev[:bulk].each { |l| l.each { |q| q.x += 1 } }
Maglev.commit'
prints "$((n * (n + 1) / 2))" lode -e "$sum"

# What fails after its words are prepared leaves nothing; objects that a bulk commit made are changed as any others.
prints "[7, 7]" lode -e '
Maglev[:bulk].first.each { |q| q.instance_variable_set(:@x, 7) }
Maglev.commit
p [Maglev[:bulk][0][0].x, Maglev[:bulk][0][999].x]'
kill_everything
server_start
prints "7" lode -e 'p Maglev[:bulk][0][5].x'
server_stop
lodectl -D "$LODE_STORE" verify >verified 2>&1 || die "verify: $(cat verified)"
