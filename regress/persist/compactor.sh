# A server's store does not grow with what is written to it: replaced versions are given up, whoever holds an old view reads
# right, and the store verifies, after a crash too.
. "$LODE_TOP/regress/lib.sh"
prints '' lode -e 'Maglev[:all] = Array.new(200) { |i| "#{i}:0:" + Random.bytes(5000) }; Maglev.commit'
printf 'compactor = on\ncheckpoint_wal_size = 1MB\ncompactor_cost_limit = 10000\n' >>"$LODE_STORE/lodestone.conf"
lodectl -D "$LODE_STORE" reload >/dev/null
number() { lodectl -D "$LODE_STORE" status | sed -n "s/^ *$1[ :=]*//p"; }
clean() { [ $(($(number extents_total) - $(number extents_free) - $(number extents_dead))) -le 8 ]; }

cat >update.rb <<'RUBY'
5.times do |k|
  Maglev[:all].each_with_index { |s, i| s.replace("#{i}:#{ARGV[0]}:" + Random.bytes(5000)) }
  Maglev.commit
end
RUBY
session_open old
said '=> [100, true]' old 'a = Maglev[:all]; [a.first(100).count { |s| s.b[/:(\d+):/, 1] == "0" }, a.size == 200]'
for i in 1 2; do lode update.rb "$i" || die "update $i"; done
said '=> 100' old 'Maglev[:all].last(100).count { |s| s.b[/:(\d+):/, 1] == "0" }'
session_close old

for i in 3 4 5 6 7 8 9 10; do
    lode update.rb "$i" || die "update $i"
    wait_for clean
done
bytes=$(number store_bytes)
[ "$bytes" -lt 40000000 ] || die "50 MB were written, 1 MB lives, the store has $bytes bytes: $(lodectl -D "$LODE_STORE" status)"
prints '[200, 1]' lode -e 'p [Maglev[:all].size, Maglev[:all].map { |s| s.b[/:(\d+):/, 1] }.uniq.size]'
kill_everything
prints '["10"]' lode -e 'p Maglev[:all].map { |s| s.b[/:(\d+):/, 1] }.uniq'
server_stop
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"

# A process that has the store alone does it itself.
prints '' lode --solo -e '30.times { |k| Maglev[:all].each_with_index { |s, i| s.replace("#{i}:x#{k}:" + Random.bytes(5000)) }; Maglev.commit }'
prints '["x29"]' lode --solo -e 'p Maglev[:all].map { |s| s.b[/:(\w+):/, 1] }.uniq'
bytes=$(stat -c %s "$LODE_STORE/base/pages")
[ "$bytes" -lt 40000000 ] || die "30 MB more were written alone, the store has $bytes bytes"
contains verify objects "$(lodectl -D "$LODE_STORE" verify 2>&1)"
