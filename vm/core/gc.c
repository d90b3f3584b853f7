/* gc.c -- the GC module: what programs may ask of the collector */
#include "vm/core/core_private.h"
#include "vm/core.h"
#include "vm/core/text.h"
#include "lib/base.h"
#include <math.h>

static Value stress = V_FALSE; /* as it was set: an Integer counts as true */

static bool option(int argc, const Value *argv, const char *name, bool otherwise)
{
    if (!argc || !is_hash(argv[argc - 1]))
        return otherwise;
    Value v = hash_get(argv[argc - 1], sym_intern(name));
    return is_undef(v) ? otherwise : truthy(v);
}

static Value gc_start(Value self, int argc, const Value *argv)
{
    (void)self;
    if (option(argc, argv, "full_mark", true))
        heap_collect();
    else
        heap_collect_young();
    objectspace_run_finalizers();
    return V_NIL;
}

static Value gc_enable(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    bool was = heap_disabled;
    heap_disabled = false;
    return bool_value(was);
}

static Value gc_disable(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    bool was = heap_disabled;
    heap_disabled = true;
    return bool_value(was);
}

static Value gc_count(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return uint_value(heap_collections());
}

static Value gc_stress(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return stress;
}

static Value gc_set_stress(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    stress = is_fixnum(argv[0]) || is_nil(argv[0]) ? argv[0] : bool_value(truthy(argv[0]));
    heap_set_modes(truthy(stress) ? "stress" : "");
    heap_modes_start();
    return argv[0];
}

static Value gc_total_time(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return uint_value(heap_pause_ns());
}

typedef struct StatRow {
    const char *name;
    uint64_t value;
} StatRow;

/* One figure by its Symbol, or all into a Hash: what stat and stat_heap share. */
static Value figures(Value wanted, const StatRow *rows, size_t n)
{
    if (is_symbol(wanted)) {
        for (size_t i = 0; i < n; i++)
            if (!strcmp(rows[i].name, sym_text(wanted)))
                return uint_value(rows[i].value);
        raise_error(klass.ArgumentError, "unknown key: %s", sym_text(wanted));
    }
    Value hash = is_nil(wanted) ? hash_new() : wanted;
    for (size_t i = 0; i < n; i++)
        hash_set(hash, sym_intern(rows[i].name), uint_value(rows[i].value));
    return hash;
}

static Value hash_or_symbol(Value v)
{
    if (!is_nil(v) && !is_hash(v) && !is_symbol(v))
        raise_error(klass.TypeError, "non-hash or symbol given");
    return v;
}

/* CRuby's keys, then our own.  What CRuby calls slots are cells; nothing is unprotected by a write barrier but the types that do
 * not log their stores, and those are visited by each collection. */
static Value gc_stat(Value self, int argc, const Value *argv)
{
    (void)self;
    Value wanted = hash_or_symbol(argc ? argv[0] : V_NIL);
    GcStats s;
    heap_stats(&s);
    const StatRow rows[] = {
        {"count", s.count},
        {"time", s.time_ns / 1000000},
        {"marking_time", (s.time_ns - MIN(s.time_ns, s.sweep_ns)) / 1000000},
        {"sweeping_time", s.sweep_ns / 1000000},
        {"heap_allocated_pages", s.pages},
        {"heap_empty_pages", s.unused_pages},
        {"heap_allocatable_slots", 0}, /* pages are added as they are needed */
        {"heap_available_slots", s.cells},
        {"heap_live_slots", s.live},
        {"heap_free_slots", s.cells - MIN(s.cells, s.live)},
        {"heap_final_slots", objectspace_finalizers_due()},
        {"heap_marked_slots", s.marked},
        {"heap_eden_pages", s.pages},
        {"total_allocated_pages", s.pages_taken},
        {"total_freed_pages", s.pages_given},
        {"total_allocated_objects", s.freed + s.live},
        {"total_freed_objects", s.freed},
        {"malloc_increase_bytes", s.since},
        {"malloc_increase_bytes_limit", s.nursery},
        {"minor_gc_count", s.minor},
        {"major_gc_count", s.major},
        {"compact_count", s.compactions},
        {"read_barrier_faults", 0}, /* compaction is one pause: nothing is read meanwhile */
        {"total_moved_objects", s.moved},
        {"remembered_wb_unprotected_objects", s.always},
        {"remembered_wb_unprotected_objects_limit", UINT32_MAX},
        {"old_objects", s.marked},
        {"old_objects_limit", UINT32_MAX}, /* bytes decide, not their number */
        {"oldmalloc_increase_bytes", s.grown},
        {"oldmalloc_increase_bytes_limit", s.grown_limit},
        {"heap_boot_pages", s.boot_pages},
        {"heap_free_bytes", s.free_bytes},
        {"heap_pinned_pages", s.pinned_pages},
        {"heap_pinned_free_bytes", s.pinned_free_bytes},
        {"malloc_bytes", s.malloc_bytes},
        {"total_allocated_bytes", s.allocated},
        {"remembered_objects", s.remembered},
        {"longest_pause_ns", s.longest_ns},
        {"compaction_time_ns", s.compact_ns},
    };
    return figures(wanted, rows, COUNT_OF(rows));
}

static Value class_figures(unsigned size_class, Value wanted)
{
    HeapClassStats s;
    heap_class_stats(size_class, &s);
    const StatRow rows[] = {
        {"slot_size", s.cell_size},
        {"heap_live_slots", s.live},
        {"heap_free_slots", s.cells - s.live},
        {"heap_final_slots", 0},
        {"heap_eden_pages", s.pages},
        {"heap_eden_slots", s.cells},
        {"total_allocated_pages", s.pages_taken},
        {"force_major_gc_count", 0},
        {"force_incremental_marking_finish_count", 0},
        {"total_allocated_objects", s.live + s.freed},
        {"total_freed_objects", s.freed},
    };
    return figures(wanted, rows, COUNT_OF(rows));
}

/* By size class: GC.stat_heap, (number), (number, key or hash), (nil, hash). */
static Value gc_stat_heap(Value self, int argc, const Value *argv)
{
    (void)self;
    Value which = argc ? argv[0] : V_NIL, wanted = argc > 1 ? argv[1] : V_NIL;
    if (is_fixnum(which)) {
        if (fix_int(which) < 0 || fix_int(which) >= HEAP_CLASSES)
            raise_error(klass.ArgumentError, "size pool index out of range");
        return class_figures((unsigned)fix_int(which), hash_or_symbol(wanted));
    }
    if (!is_nil(which))
        raise_error(klass.TypeError, "heap_name must be nil or an Integer");
    if (!is_nil(wanted) && !is_hash(wanted))
        raise_error(klass.TypeError, "non-hash given");
    Value all = is_nil(wanted) ? hash_new() : wanted;
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        Value key = int_fix(c), row = hash_get(all, key);
        hash_set(all, key, class_figures(c, is_undef(row) || !is_hash(row) ? V_NIL : row));
    }
    return all;
}

static Value gc_measure(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(heap_measure_time);
}

static Value gc_set_measure(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    heap_measure_time = truthy(argv[0]);
    return argv[0];
}

static Value gc_config(Value self, int argc, const Value *argv)
{
    (void)self;
    Value allow = sym_intern("rgengc_allow_full_mark"), name = sym_intern("implementation");
    if (argc && !is_nil(argv[0])) {
        if (!is_hash(argv[0]))
            raise_error(klass.ArgumentError, "ArgumentError");
        if (!is_undef(hash_get(argv[0], name)))
            raise_error(klass.ArgumentError, "Attempting to set read-only key \"Implementation\"");
        Value allowed = hash_get(argv[0], allow);
        if (!is_undef(allowed))
            heap_allow_whole = truthy(allowed);
    }
    Value hash = hash_new();
    hash_set(hash, allow, bool_value(heap_allow_whole));
    hash_set(hash, name, str_new_c("lodestone"));
    return hash;
}

/* ---- compaction ---- */

static const char *const type_names[] = {
#define TYPE(name, layout) "T_" #name,
#include "vm/types.def"
#undef TYPE
};

/* Of the last compaction, by type: objects looked at and moved. */
static Value gc_latest_compact_info(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value info = hash_new(), considered = hash_new(), moved = hash_new();
    for (int t = 1; t < T_COUNT; t++) {
        uint64_t looked_at, of_them;
        heap_compaction_last((ObjectType)t, &looked_at, &of_them);
        if (looked_at)
            hash_set(considered, sym_intern(type_names[t]), uint_value(looked_at));
        if (of_them)
            hash_set(moved, sym_intern(type_names[t]), uint_value(of_them));
    }
    hash_set(info, sym_intern("considered"), considered);
    hash_set(info, sym_intern("moved"), moved);
    return info;
}

/* GC.compact(order: :two_finger | :sliding) */
static Value gc_compact(Value self, int argc, const Value *argv)
{
    HeapCompaction how = HEAP_COMPACT_TWO_FINGER;
    Value order = argc && is_hash(argv[0]) ? hash_get(argv[0], sym_intern("order")) : V_UNDEF;
    if (order == sym_intern("sliding"))
        how = HEAP_COMPACT_SLIDING;
    else if (!is_undef(order) && order != sym_intern("two_finger"))
        raise_error(klass.ArgumentError, "unknown order %V: :two_finger or :sliding", order);
    heap_compact(how);
    objectspace_run_finalizers();
    return gc_latest_compact_info(self, 0, NULL);
}

static Value gc_verify_compaction_references(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv; /* toward:, double_heap:, expand_heap: are hints; it always moves all there and back */
    heap_verify_moves();
    objectspace_run_finalizers();
    return gc_latest_compact_info(self, 0, NULL);
}

static Value gc_auto_compact(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(heap_auto_compact);
}

static Value gc_set_auto_compact(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    heap_auto_compact = truthy(argv[0]);
    return argv[0];
}

static Value gc_verify_internal_consistency(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    heap_check_references();
    return V_NIL;
}

/* Process.warmup: codes of strings are computed, the rest is the heap's. */
static void warm_string(Value v, void *arg)
{
    (void)arg;
    if (is_string(v) && !(obj_head(v) & OF_HOLLOW))
        str_coderange(v);
}

static Value gc_warm_up(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    heap_warm_up();
    heap_each_object(warm_string, NULL);
    objectspace_run_finalizers();
    return V_TRUE;
}

/* ---- the last collection ---- */

enum { INFO_KEYS = 8 };
typedef struct Info {
    const char *name[INFO_KEYS];
    Value value[INFO_KEYS];
} Info;

/* Only Symbols, true, false, nil and small Integers. */
static Info info_of(HeapLast last)
{
    return (Info){
        {"major_by", "gc_by", "have_finalizer", "immediate_sweep", "weak_references_count", "retained_weak_references_count",
         "need_major_by", "state"},
        {last.grown ? sym_intern("oldmalloc") : last.whole ? sym_intern("force") : V_NIL,
         sym_intern(last.asked ? "method" : "newobj"), bool_value(objectspace_finalizers_due() != 0),
         bool_value(last.whole && !last.grown)},
    };
}

static Value gc_latest_gc_info(Value self, int argc, const Value *argv)
{
    (void)self;
    static const char *const states[] = {"none", "marking", "sweeping"};
    Value wanted = hash_or_symbol(argc ? argv[0] : V_NIL);
    HeapState state = heap_state();
    Info info = info_of(heap_last());
    GcStats s;
    heap_stats(&s);
    info.value[4] = uint_value(s.weak);
    info.value[5] = uint_value(s.weak_kept);
    info.value[6] = heap_whole_wanted() ? sym_intern("oldmalloc") : V_NIL;
    info.value[7] = sym_intern(states[state]);
    if (is_symbol(wanted)) {
        for (size_t i = 0; i < INFO_KEYS; i++)
            if (!strcmp(info.name[i], sym_text(wanted)))
                return info.value[i];
        raise_error(klass.ArgumentError, "unknown key: %s", sym_text(wanted));
    }
    Value hash = is_nil(wanted) ? hash_new() : wanted;
    for (size_t i = 0; i < INFO_KEYS; i++)
        hash_set(hash, sym_intern(info.name[i]), info.value[i]);
    return hash;
}

/* ---- GC::Profiler (gc.rb) ---- */

/* A row of the profile: [flags, time of the processor at the end and in the collection (s), bytes used, bytes and cells in all,
 * objects moved]. */
static Value gc_profile(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value all = ary_new(0);
    for (size_t i = 0, n;; i++) {
        const HeapProfileRow *rows = heap_profile(&n);
        if (i >= n)
            return all;
        HeapProfileRow row = rows[i]; /* a collection may come meanwhile */
        Info info = info_of(row.what);
        Value flags = hash_new();
        for (size_t k = 0; k < 4; k++)
            hash_set(flags, sym_intern(info.name[k]), info.value[k]);
        Value values[] = {flags, float_value((double)row.at_ns / 1e9), float_value((double)row.took_ns / 1e9), uint_value(row.used),
                          uint_value(row.total), uint_value(row.cells), uint_value(row.moved)};
        ary_push(all, ary_new_from(COUNT_OF(values), values));
    }
}

static Value gc_profile_clear(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    heap_profile_clear();
    return V_NIL;
}

static Value gc_profiling(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(heap_profiling);
}

static Value gc_set_profiling(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    heap_profiling = truthy(argv[0]);
    return V_NIL;
}

/* How many pauses of automatic collections took less than so many microseconds and not less than half of that. */
static Value gc_pauses(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    GcStats s;
    heap_stats(&s);
    Value hash = hash_new();
    for (unsigned i = 0; i < HEAP_PAUSES; i++)
        hash_set(hash, i + 1 < HEAP_PAUSES ? uint_value((uint64_t)1 << i) : float_value(INFINITY), uint_value(s.pauses[i]));
    return hash;
}

static void add_boot_write(const char *type, uint64_t pages, void *arg)
{
    hash_set(*(Value *)arg, sym_intern(type), uint_value(pages));
}

/* Pages of the boot heap that this session has written, by type of object; nil without the test mode. */
static Value gc_boot_writes(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value hash = hash_new();
    return heap_guard_each(add_boot_write, &hash) ? hash : V_NIL;
}

static const Builtin singleton_methods[] = {
    {"start", gc_start, 0, -1, BI_KW},
    {"enable", gc_enable, 0, 0, 0},
    {"disable", gc_disable, 0, 0, 0},
    {"count", gc_count, 0, 0, 0},
    {"stat", gc_stat, 0, 1, 0},
    {"stat_heap", gc_stat_heap, 0, 2, 0},
    {"stress", gc_stress, 0, 0, 0},
    {"stress=", gc_set_stress, 1, 1, 0},
    {"total_time", gc_total_time, 0, 0, 0},
    {"measure_total_time", gc_measure, 0, 0, 0},
    {"measure_total_time=", gc_set_measure, 1, 1, 0},
    {"config", gc_config, 0, 1, 0},
    {"pauses", gc_pauses, 0, 0, 0},
    {"boot_writes", gc_boot_writes, 0, 0, 0},
    {"compact", gc_compact, 0, 1, BI_KW},
    {"latest_compact_info", gc_latest_compact_info, 0, 0, 0},
    {"verify_compaction_references", gc_verify_compaction_references, 0, 1, BI_KW},
    {"auto_compact", gc_auto_compact, 0, 0, 0},
    {"auto_compact=", gc_set_auto_compact, 1, 1, 0},
    {"verify_internal_consistency", gc_verify_internal_consistency, 0, 0, 0},
    {"latest_gc_info", gc_latest_gc_info, 0, 1, 0},
    {"__warm_up", gc_warm_up, 0, 0, 0},
    {"__profile", gc_profile, 0, 0, 0},
    {"__profile_clear", gc_profile_clear, 0, 0, 0},
    {"__profiling", gc_profiling, 0, 0, 0},
    {"__profiling=", gc_set_profiling, 1, 1, 0},
};

static const Builtin methods[] = {
    {"garbage_collect", gc_start, 0, -1, BI_KW},
};

void gc_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.GC, singleton_methods);
    ADD_BUILTINS(klass.GC, methods);
    const_set(klass.GC, sym_intern("OPTS"), ary_new(0));
}
