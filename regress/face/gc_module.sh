# gc_module.sh: what GC tells and does: its profile, its settings, figures with all of CRuby's keys, automatic compaction while the
# session waits, Process.warmup.
. "$LODE_TOP/regress/lib.sh"
cat >profile.rb <<'RUBY'
p GC::Profiler.enabled?, GC::Profiler.raw_data, GC::Profiler.result, GC::Profiler.total_time
GC.start
p GC::Profiler.raw_data.size
GC::Profiler.enable
GC.start
kept = nil
400_000.times { |i| kept = [i, kept] if i % 8 == 0; "garbage #{i}" }
GC.compact
rows = GC::Profiler.raw_data
p GC::Profiler.enabled?, rows.size > 2, rows.all? { |r| r[:HEAP_USE_SIZE] <= r[:HEAP_TOTAL_SIZE] && r[:GC_TIME] >= 0 }
p rows.first[:GC_FLAGS].slice(:major_by, :gc_by), rows.any? { |r| r[:GC_FLAGS][:gc_by] == :newobj }, rows.first.keys
p rows.each_cons(2).all? { |a, b| a[:GC_INVOKE_TIME] <= b[:GC_INVOKE_TIME] }, rows.last[:MOVED_OBJECTS] > 0
p GC::Profiler.total_time == rows.sum(0.0) { |r| r[:GC_TIME] }
lines = GC::Profiler.result.lines
p lines.size == rows.size + 2, lines[0].match?(/\AGC \d+ invokes\.\n/), lines[2].split.size
require "stringio"
GC::Profiler.report(out = StringIO.new)
p out.string == GC::Profiler.result
p GC::Profiler.clear, GC::Profiler.raw_data, GC::Profiler.disable, GC::Profiler.enabled?
GC.start
p GC::Profiler.raw_data
RUBY
prints 'false
[]
""
0.0
0
true
true
true
{major_by: :force, gc_by: :method}
true
[:GC_FLAGS, :GC_TIME, :GC_INVOKE_TIME, :HEAP_USE_SIZE, :HEAP_TOTAL_SIZE, :HEAP_TOTAL_OBJECTS, :MOVED_OBJECTS, :GC_IS_MARKED]
true
true
true
true
true
6
true
nil
[]
nil
false
[]' lode --solo profile.rb

cat >settings.rb <<'RUBY'
def churn = 600_000.times { |i| @ring ||= []; @ring[i % 200_000] = [i] }
p GC.config, GC.config(rgengc_allow_full_mark: false)
majors = GC.stat(:major_gc_count)
5.times { churn }
p GC.stat(:major_gc_count) == majors, GC.latest_gc_info(:need_major_by)
p GC.config(rgengc_allow_full_mark: true)[:rgengc_allow_full_mark]
5.times { churn }
p GC.stat(:major_gc_count) > majors
begin
  GC.config(implementation: "other")
rescue ArgumentError => e
  puts e.message
end
s = GC.stat
p s[:heap_live_slots] + s[:heap_free_slots] == s[:heap_available_slots], s[:minor_gc_count] + s[:major_gc_count] == s[:count]
p s[:marking_time] + s[:sweeping_time] <= s[:time] + 1, s[:heap_marked_slots] <= s[:heap_live_slots]
classes = GC.stat_heap
p classes.size, classes.each_value.map { |c| c[:slot_size] }.each_cons(2).all? { |a, b| a < b }
p classes.each_value.all? { |c| c[:heap_live_slots] + c[:heap_free_slots] == c[:heap_eden_slots] }
p GC.stat_heap(2, :slot_size), (GC.stat_heap(29) rescue $!), (GC.stat_heap(nil, :slot_size) rescue $!), (GC.stat_heap(0, :x) rescue $!)
p GC.latest_gc_info.keys, GC.pauses.values.sum > 0, GC.verify_internal_consistency
RUBY
prints '{rgengc_allow_full_mark: true, implementation: "lodestone"}
{rgengc_allow_full_mark: false, implementation: "lodestone"}
true
:oldmalloc
true
true
Attempting to set read-only key "Implementation"
true
true
true
true
29
true
true
48
#<ArgumentError: size pool index out of range>
#<TypeError: non-hash given>
#<ArgumentError: unknown key: x>
[:major_by, :gc_by, :have_finalizer, :immediate_sweep, :weak_references_count, :retained_weak_references_count, :need_major_by, :state]
true
nil' lode --solo settings.rb

# Compaction by itself: not in an allocation, but once the session waits, or a transaction ends; not when it would take too long.
cat >auto.rb <<'RUBY'
GC.auto_compact = true
def fragment(keep) = Array.new(120_000) { |i| [i, Object.new] }.each { |pair| keep << pair if pair[0] % 10 == 0 }.clear
keep = []
Thread.new { fragment(keep) }.join
GC.start
before = GC.stat(:compact_count)
200_000.times { |i| "work #{i}" }
p GC.stat(:compact_count) == before
AT_REST
RUBY
cat >then.rb <<'RUBY'
p GC.stat(:compact_count) - before, keep.size, keep.each_with_index.all? { |pair, i| pair[0] == i * 10 }
RUBY
sed 's/^AT_REST/Maglev.abort_transaction/' auto.rb | cat - then.rb >boundary.rb
sed 's/^AT_REST/600.times { GC.stat(:compact_count) == before ? sleep(0.1) : break }/' auto.rb | cat - then.rb >wait.rb
prints 'true
1
12000
true' lode --solo boundary.rb
prints 'true
1
12000
true' lode --solo wait.rb
echo 'compact_pause = 0' >>"$LODE_STORE/lodestone.conf"
prints 'true
0
12000
true' lode --solo boundary.rb

cat >warm.rb <<'RUBY'
keep = []
Thread.new { Array.new(300_000) { |i| [i, "text #{i}"] }.each { |pair| keep << pair if pair[0] % 10 == 0 }.clear }.join
def resident = File.read("/proc/self/statm").split[1].to_i * 4096
GC.start
before, moved = resident, GC.stat(:total_moved_objects)
p Process.warmup, resident < before, GC.stat(:total_moved_objects) > moved, GC.latest_gc_info(:major_by)
p keep.size, keep.all? { |i, s| s == "text #{i}" }
RUBY
prints 'true
true
true
:force
30000
true' lode --solo warm.rb
