# heap_map.sh: the picture of the heap before and after compaction, as PNG and SVG, by option and by method.
. "$LODE_TOP/regress/lib.sh"
cd "$LODE_TEST_DIR" || exit 1
cat >fragments.rb <<'RUBY'
def fragments
  kept = Array.new(60_000) { |i| "string #{i}" }
  random = Random.new(7)
  kept.reject! { random.rand(10) != 0 }
end
KEPT = fragments
RUBY
prints '' lode --solo --heap-map=map.png fragments.rb
same 'PNG signature' '89504e470d0a1a0a' "$(od -An -tx1 -N8 map.png | tr -d ' \n')"
prints '' lode --solo --heap-map map.svg fragments.rb
figure() { sed -n "s/.*>$2: \([0-9.]*\).*/\1/p" map.svg | sed -n "$1p"; }
[ "$(figure 1 PAGES)" -gt $(($(figure 2 PAGES) * 3)) ] || die "pages: $(figure 1 PAGES) before, $(figure 2 PAGES) after"
same 'nothing moved before' 0 "$(figure 1 MOVED)"
[ "$(figure 2 MOVED)" -gt 3000 ] || die "moved: $(figure 2 MOVED)"
kilobytes() { sed -n 's/.*>LIVE: \([0-9]*\) KB.*/\1/p' map.svg | sed -n "$1p"; }
[ "$(kilobytes 1)" -gt 0 ] || die 'nothing lives'
same 'the same objects live' "$(kilobytes 1)" "$(kilobytes 2)"
grep -q '^</svg>$' map.svg || die 'the SVG has no end'
prints '[true, "format must be :png or :svg", :io]' lode --solo -e '
require "stringio"
io = StringIO.new
png = GC.heap_map(io).string.b.start_with?("\x89PNG".b)
message = begin; GC.heap_map(io, format: :gif); rescue ArgumentError => e; e.message; end
p [png, message, File.open("io.svg", "w") { |f| GC.heap_map(f) } && File.read("io.svg").start_with?("<svg") ? :io : nil]'
exits 1 lode --solo --heap-map=/nonexistent/x.png -e 1
contains 'where it can not go' 'No such file or directory' "$err"
