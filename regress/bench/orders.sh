# orders.sh: the same work here and elsewhere: an "order" (an Order, five Lines, strings: 7 objects and 11 strings) in a durable commit;
# reading orders back as objects; transfers as pgbench's TPC-B; beside PostgreSQL (pg gem, pgbench), SQLite (sqlite3 gem, WAL,
# synchronous=FULL) and PStore, whichever is installed.  Each figure is the median of rounds that are interleaved, and is
# also given as a ratio to raw durable 4 KiB writes of the same disk in the same round.  A conflict aborts and retries.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
rounds=${LODE_ROUNDS:-3} seconds=${LODE_SECONDS:-1}
ruby=${LODE_BENCH_RUBY:-ruby}
have_gem() { command -v "$ruby" >/dev/null && "$ruby" -r"$1" -e 1 2>/dev/null; }
pgbin=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)" 2>/dev/null)
median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : 0 }'; }
line() { printf '%-58s %10.0f /s%s\n' "$1" "$2" "${3:+  ($3)}"; }

cat >rate.rb <<'RUBY'
SECONDS = ENV.fetch("SECONDS_A_ROUND").to_f
def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
def rate
  n, t = 0, now
  yield(n += 1) while now - t < SECONDS
  puts (n / (now - t)).round
end
RUBY
cat >model.rb <<'RUBY'
class Line; attr_reader :sku, :quantity, :price; def initialize(s, q, p) = (@sku = s; @quantity = q; @price = p); end
class Order; attr_reader :id, :customer, :lines; def initialize(i, c, l) = (@id = i; @customer = c; @lines = l); end
def order(n) = Order.new(n, "customer number #{n}", Array.new(5) { |k| Line.new("sku-#{k}-#{n}", "#{k + 1} pieces", 995 + k) })
RUBY

# ---- here ----
lodectl -D "$LODE_STORE" init >/dev/null || exit 1
server_start
export SECONDS_A_ROUND=$seconds
lode -e 'Maglev.persistent { load "./model.rb" }
Maglev[:orders] = Array.new(64) { Array.new(100) }
Maglev[:read] = Array.new(2000) { |i| order(i) }
Maglev[:accounts] = Array.new(100_000) { [0] }; Maglev[:tellers] = Array.new(320) { [0] }; Maglev[:branches] = Array.new(32) { [0] }
Maglev[:history] = Array.new(64) { Array.new(100) }
Maglev.commit' || exit 1
cat >lode_write.rb <<'RUBY'
load "./rate.rb"
Maglev.durability = ARGV[1].to_sym
list = Maglev[:orders][ARGV[0].to_i]
rate { |n| list[n % 100] = order(n); Maglev.commit }
RUBY
cat >lode_read.rb <<'RUBY'
load "./rate.rb"
n, bad = 0, 0
t = now
Maglev[:read].each { |o| n += 1; bad += 1 unless o.lines.sum(&:price) == 4985 && o.customer.size > 10 && o.lines[4].sku.size > 5 }
raise "bad" if bad > 0
puts (n / (now - t)).round
RUBY
cat >lode_tpcb.rb <<'RUBY'
load "./rate.rb"
me, sessions = ARGV.map(&:to_i)
accounts, tellers, branches, history = Maglev[:accounts], Maglev[:tellers], Maglev[:branches], Maglev[:history][me]
random = Random.new(me)
rate do |n|
  delta = random.rand(-5000..5000)
  a, t = random.rand(100_000), random.rand(10 * sessions)
  Maglev.transaction do
    accounts[a][0] += delta
    tellers[t][0] += delta
    branches[t / 10][0] += delta
    history[n % 100] = [t, t / 10, a, delta, n]
  end
end
RUBY
raw() {
    fallocate -l 4M raw && LC_ALL=C dd if=/dev/zero of=raw bs=4k count=300 oflag=direct,dsync conv=notrunc 2>&1 |
        awk '/copied/ { for (i = 1; i <= NF; i++) if ($i == "s,") printf "%.0f\n", 300 / $(i - 1) }'
}
together() { # sessions command...: the sum of their rates
    local n=$1 i
    shift
    for ((i = 0; i < n; i++)); do "$@" $i "${after[@]}" & done | awk '{ s += $1 } END { print s }'
}

# ---- elsewhere ----
if have_gem sqlite3; then
    cat >sqlite.rb <<'RUBY'
require "sqlite3"
load "./rate.rb"
load "./model.rb"
db = SQLite3::Database.new("orders.sqlite")
db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
  CREATE TABLE IF NOT EXISTS orders(id INTEGER PRIMARY KEY, customer TEXT);
  CREATE TABLE IF NOT EXISTS lines(order_id INTEGER, sku TEXT, quantity TEXT, price INTEGER);
  CREATE INDEX IF NOT EXISTS of ON lines(order_id);")
put_order = db.prepare("INSERT OR REPLACE INTO orders VALUES(?, ?)")
put_line = db.prepare("INSERT INTO lines VALUES(?, ?, ?, ?)")
first = db.get_first_value("SELECT COALESCE(MAX(id), 0) FROM orders")
put = ->(o) { put_order.execute(o.id, o.customer); o.lines.each { |l| put_line.execute(o.id, l.sku, l.quantity, l.price) } }
if ARGV[0] == "write"
  rate { |n| db.transaction { put.(order(first + n)) } }
else
  db.transaction { 2000.times { |i| put.(order(first + 1 + i)) } }
  get_order = db.prepare("SELECT id, customer FROM orders WHERE id = ?")
  get_lines = db.prepare("SELECT sku, quantity, price FROM lines WHERE order_id = ?")
  t = now
  2000.times do |i|
    row = get_order.execute(first + 1 + i).next
    o = Order.new(row[0], row[1], get_lines.execute(row[0]).map { |r| Line.new(*r) })
    raise "bad" unless o.lines.sum(&:price) == 4985
  end
  puts (2000 / (now - t)).round
end
RUBY
else
    echo "skipped: SQLite (needs $ruby with the sqlite3 gem; Debian: ruby-sqlite3)"
fi
cat >pstore.rb <<'RUBY'
require "pstore"
load "./rate.rb"
load "./model.rb"
store = PStore.new("orders.pstore", true)
store.ultra_safe = true
rate { |n| store.transaction { store[n % 100] = order(n) } }
RUBY
command -v "$ruby" >/dev/null || echo "skipped: PStore (needs $ruby)"
pg_ready=
if [ -n "$pgbin" ] && [ -x "$pgbin/initdb" ]; then
    as() { if [ "$(id -u)" = 0 ]; then chmod 711 "$LODE_TEST_DIR" "$(dirname "$LODE_TEST_DIR")" && setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
    mkdir -m 777 pg
    if as "$pgbin/initdb" -D "$PWD/pg/data" -A trust -U postgres >pg.log 2>&1 &&
        as "$pgbin/pg_ctl" -D "$PWD/pg/data" -o "-k $PWD/pg -h '' -c max_connections=64" -l "$PWD/pg/log" -w start >>pg.log 2>&1; then
        pg_ready=1
        export PGHOST=$PWD/pg PGUSER=postgres PGDATABASE=postgres
        trap 'as "$pgbin/pg_ctl" -D "$LODE_TEST_DIR/pg/data" -m immediate stop >/dev/null 2>&1' EXIT
        "$pgbin/pgbench" -i -q -s 32 >>pg.log 2>&1
    else
        echo "skipped: PostgreSQL (it does not start: $(tail -n 1 pg.log))"
    fi
else
    echo "skipped: PostgreSQL (Debian: postgresql)"
fi
if [ -n "$pg_ready" ] && have_gem pg; then
    cat >pg.rb <<'RUBY'
require "pg"
load "./rate.rb"
load "./model.rb"
db = PG.connect
db.exec("SET client_min_messages = error; CREATE TABLE IF NOT EXISTS orders(id bigint PRIMARY KEY, customer text);
  CREATE TABLE IF NOT EXISTS lines(order_id bigint, sku text, quantity text, price int)")
db.prepare("o", "INSERT INTO orders VALUES($1, $2)")
db.prepare("l", "INSERT INTO lines VALUES($1, $2, $3, $4)")
first = db.exec("SELECT COALESCE(MAX(id), 0) FROM orders").getvalue(0, 0).to_i
rate do |n|
  o = order(first + n)
  db.transaction do
    db.exec_prepared("o", [o.id, o.customer])
    o.lines.each { |l| db.exec_prepared("l", [o.id, l.sku, l.quantity, l.price]) }
  end
end
RUBY
elif [ -n "$pg_ready" ]; then
    echo "skipped: Ruby + pg (needs $ruby with the pg gem; Debian: ruby-pg)"
fi

for ((r = 0; r < rounds; r++)); do
    raw >>raw.rate
    lode lode_write.rb 0 durable >>lode.1
    [ -f sqlite.rb ] && "$ruby" sqlite.rb write >>sqlite.1
    [ -f pg.rb ] && "$ruby" pg.rb >>pg.1
    command -v "$ruby" >/dev/null && "$ruby" pstore.rb >>pstore.1
    after=(durable) && together 16 lode lode_write.rb >>lode.16
    after=(async) && together 4 lode lode_write.rb >>lode.async
    lode lode_read.rb >warm && lode lode_read.rb >>lode.read # the writers before took pages of the cache
    [ -f sqlite.rb ] && "$ruby" sqlite.rb read >>sqlite.read
    for n in 1 4 16 32; do
        after=("$n") && together "$n" lode lode_tpcb.rb >>"lode.tpcb.$n"
        [ -n "$pg_ready" ] && "$pgbin/pgbench" -n -c "$n" -j 2 -T "${seconds%.*}" 2>/dev/null |
            awk '/^tps/ { printf "%.0f\n", $3 }' >>"pg.tpcb.$n"
    done
done
raw=$(median raw.rate)
of() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.2f of %s", a / b, "'"$3"'" }'; }
line 'raw durable 4 KiB writes' "$raw"
one=$(median lode.1)
line 'orders, 1 session' "$one" "$(of "$one" "$raw" raw)"
for other in sqlite pg pstore; do
    [ -s $other.1 ] && v=$(median $other.1) && line "orders, $other" "$v" "here $(of "$one" "$v" its)"
done
v=$(median lode.16) && line 'orders, 16 sessions' "$v" "$(of "$v" "$raw" raw)"
v=$(median lode.async) && line 'orders, asynchronous, 4 sessions' "$v"
read=$(median lode.read) && line 'orders read back from the page cache' "$read"
[ -s sqlite.read ] && v=$(median sqlite.read) && line 'orders read back, sqlite' "$v" "here $(of "$read" "$v" its)"
for n in 1 4 16 32; do
    v=$(median lode.tpcb.$n) && line "transfers (TPC-B), $n sessions, 100,000 accounts" "$v"
    [ -s pg.tpcb.$n ] && w=$(median pg.tpcb.$n) && line "transfers, pgbench, $n clients, scale 32" "$w" "here $(of "$v" "$w" its)"
done

# How long a clean store takes to open, and how fast a crashed one is recovered.
server_stop
t0=$(date +%s%N)
lode --solo -e 1
t1=$(date +%s%N)
awk -v t=$((t1 - t0)) 'BEGIN { printf "%-58s %10.1f ms\n", "opening a clean store, lode --solo -e 1", t / 1e6 }'
echo 'checkpoint_timeout = 1h
checkpoint_wal_size = 1GB' >>"$LODE_STORE/lodestone.conf"
server_start
lode -e '60.times { |i| Maglev[:bulk] = Array.new(2000) { |k| order(k) }; Maglev.commit }'
kill_everything
wal=$(du -sk "$LODE_STORE/wal" | cut -f 1)
server_start
grep -h recovered "$LODE_STORE/log/lodestone.log" | tail -n 1 |
    awk -v kb="$wal" '{ for (i = 1; i < NF; i++) if ($(i + 1) == "ms") ms = $i } END { if (ms > 0)
        printf "%-58s %10.0f MB/s  (%d MB in %d ms)\n", "recovery", kb / 1024 * 1000 / ms, kb / 1024, ms }'
server_stop
if [ -n "${LODE_WORLD:-}" ]; then # the cost of a store's size, its working set fixed
    sizes=(10 10000)              # thousand objects
    for t in "${sizes[@]}"; do
        export LODE_STORE=$LODE_TEST_DIR/size.$t
        lodectl -D "$LODE_STORE" init >/dev/null
        server_start
        lode -e 'Maglev.persistent { load "./model.rb" }
Maglev[:much] = []
Maglev.commit'
        for ((k = 0; k < t; k += 1000)); do # a thousand or less at a time
            lode -e 'n = ARGV[0].to_i
10.times { Maglev[:much] << Array.new(n / 10) { |k| Array.new(1000) { [k] } }; Maglev.commit }' $((t < 1000 ? t : 1000))
        done
        lode -e 'Maglev[:orders] = Array.new(64) { Array.new(100) }
Maglev[:read] = Array.new(2000) { |i| order(i) }
Maglev.commit'
    done
    for ((r = 0; r < rounds; r++)); do
        for t in "${sizes[@]}"; do
            export LODE_STORE=$LODE_TEST_DIR/size.$t
            lode lode_write.rb 0 durable >>"size.$t.write"
            lode lode_write.rb 0 async >>"size.$t.async"
            lode lode_read.rb >warm && lode lode_read.rb >>"size.$t.read"
        done
    done
    for what in write async read; do
        small=$(median "size.${sizes[0]}.$what") large=$(median "size.${sizes[1]}.$what")
        line "orders, $what, ${sizes[1]} thousand objects" "$large" "$(of "$small" "$large" "the cost with ${sizes[0]} thousand")"
    done
    for t in "${sizes[@]}"; do
        export LODE_STORE=$LODE_TEST_DIR/size.$t
        server_stop
        for ((r = 0; r < rounds; r++)); do
            t0=$(date +%s%N)
            lode --solo -e 1
            echo $(($(date +%s%N) - t0))
        done >size.open
        awk -v ns="$(median size.open)" -v t="$t" 'BEGIN { printf "%-58s %10.1f ms\n", "opening a clean store of " t " thousand objects", ns / 1e6 }'
    done
fi
