# compaction.sh: a heap of which nine of ten objects died is mostly holes; GC.compact closes them and gives the pages back, and
# no program can tell: object_ids, contents, keys of hashes by identity.  What C functions hold stays where it was.
. "$LODE_TOP/regress/lib.sh"
cat >fragment.rb <<'RUBY'
require "objspace"

def fragment(keep, random)
  all = Array.new(900_000) { |i| [i, Object.new] }
  all.each { |pair| keep << pair if random.rand(10) == 0 }
  nil
end

def holes # share of the cells that are free, in pages without pins
  s = GC.stat
  pages = s[:heap_allocated_pages] - s[:heap_boot_pages] - s[:heap_pinned_pages]
  ((s[:heap_free_bytes] - s[:heap_pinned_free_bytes]) * 100).fdiv(pages * 65_536)
end

# sort! has called its block, and so a C function holds the Array.  (The fiber has its stack before there is anything to compact:
# one that was used before may hold more.)
def holder = Fiber.new { Fiber.yield.sort! { Fiber.yield } }.tap(&:resume)

def addresses(objects) = objects.map { |o| ObjectSpace.dump(o)[/"address":"(\w+)"/, 1] }

[:two_finger, :sliding].each do |order|
  keep = []
  holders = Array.new(3) { holder }
  Thread.new { fragment(keep, Random.new(1)) }.join # on stacks that are gone afterwards: nothing stays pinned by chance
  GC.start
  ids = keep.map(&:object_id)
  index = {}.compare_by_identity
  keep.each { |pair| index[pair] = pair[0] }
  weak = ObjectSpace::WeakMap.new
  keep.each { |pair| weak[pair] = pair[1] }
  pinned = [keep[1000], keep[40_000], keep[80_000]]
  pinned.zip(holders) { |pair, fiber| fiber.resume(pair) }
  some = Array.new(800) { |i| keep[i * 100 + 1] }
  pinned_at, some_at = addresses(pinned), addresses(some)
  before, pages = holes, GC.stat(:heap_allocated_pages)
  info = GC.compact(order:)
  after, left = holes, GC.stat(:heap_allocated_pages)
  p [order, before > 80, after < 5, left * 3 < pages, info[:moved][:T_ARRAY] > 10_000]
  p [ids == keep.map(&:object_id), keep.all? { |pair| index[pair] == pair[0] && weak[pair].equal?(pair[1]) }]
  p keep.each_cons(2).all? { |a, b| a[0] < b[0] }
  moved = addresses(some).zip(some_at).count { |now, was| now != was }
  p [addresses(pinned) == pinned_at, moved > 600]
  holders.each { |fiber| fiber.resume(0) }
end
GC.verify_compaction_references
p GC.latest_compact_info.keys, GC.latest_gc_info(:gc_by)
GC.auto_compact = true
p GC.auto_compact
begin
  GC.compact(order: :upwards)
rescue ArgumentError => e
  puts e.message
end
RUBY
prints '[:two_finger, true, true, true, true]
[true, true]
true
[true, true]
[:sliding, true, true, true, true]
[true, true]
true
[true, true]
[:considered, :moved]
:method
true
unknown order :upwards: :two_finger or :sliding' lode --solo fragment.rb
