# 300,000 objects in 200 MB, far more than the page cache: written, and read back by another session; a traversal under
# a small heap limit stays small.
. "$LODE_TOP/regress/lib.sh"
lodectl -D "$LODE_STORE" init >/dev/null || die init
cat >>"$LODE_STORE/lodestone.conf" <<'CONF'
page_cache_size = 16MB
CONF
server_start
cat >write.rb <<'RUBY'
Maglev.persistent { class Item; attr_reader :n, :text, :next; def initialize(n, text, nxt) = (@n = n; @text = text; @next = nxt); end }
lists = Maglev[:lists] = []
random = Random.new(1)
60.times do |i|
  part = Array.new(5_000) { |k| n = i * 5_000 + k; Item.new(n, "item #{n} x" + random.bytes(600), nil) } # not to be compressed
  lists << part
  Maglev.commit
end
RUBY
prints '' lode write.rb
cat >read.rb <<'RUBY'
count = sum = bad = 0
Maglev[:lists].each do |part|
  part.each do |item|
    count += 1
    sum += item.n
    bad += 1 unless item.text.byteindex("item #{item.n} x") == 0 && item.text.bytesize > 600
  end
end
p count, sum, bad
$stderr.puts "peak #{File.read("/proc/self/status")[/^VmHWM:\s+(\d+)/, 1]} kB"
RUBY
server_stop
sed -i 's/^heap_limit.*//' "$LODE_STORE/lodestone.conf"
echo 'heap_limit = 48MB' >>"$LODE_STORE/lodestone.conf"
server_start
prints '300000
44999850000
0' lode read.rb
size=$(du -sm "$LODE_STORE/base" | cut -f 1)
[ "$size" -ge 200 ] || die "the store has only $size MB"
peak=$(sed -n 's/^peak \([0-9]*\) kB/\1/p' stderr)
[ "${LODE_BUILD##*/}" = build-asan ] || # its allocator keeps what was freed
    [ "${peak:-999999}" -lt 65536 ] || die "the session's memory grew to $peak kB"
