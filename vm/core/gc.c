/* gc.c -- the GC module: what programs may ask of the collector */
#include "vm/core/core_private.h"
#include "vm/core.h"
#include <math.h>

static bool stress;

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
    return bool_value(stress);
}

static Value gc_set_stress(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    stress = truthy(argv[0]);
    heap_set_modes(stress ? "stress" : "");
    heap_modes_start();
    return argv[0];
}

static Value gc_total_time(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return uint_value(heap_pause_ns());
}

static Value gc_stat(Value self, int argc, const Value *argv)
{
    (void)self;
    GcStats s;
    heap_stats(&s);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"count", s.count},
        {"time", s.time_ns / 1000000},
        {"heap_allocated_pages", s.pages},
        {"heap_boot_pages", s.boot_pages},
        {"heap_live_slots", s.live},
        {"total_allocated_objects", s.freed + s.live},
        {"total_freed_objects", s.freed},
        {"total_allocated_bytes", s.allocated},
        {"malloc_increase_bytes", s.malloc_bytes},
        {"minor_gc_count", s.minor},
        {"major_gc_count", s.major},
        {"compact_count", s.compactions},
        {"total_moved_objects", s.moved},
        {"remembered_objects", s.remembered},
        {"heap_free_bytes", s.free_bytes},
        {"longest_pause_ns", s.longest_ns},
    };
    if (argc && is_symbol(argv[0])) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (!strcmp(rows[i].name, sym_text(argv[0])))
                return uint_value(rows[i].value);
        raise_error(klass.ArgumentError, "unknown key: %s", sym_text(argv[0]));
    }
    if (argc && !is_nil(argv[0]) && !is_hash(argv[0]))
        raise_error(klass.TypeError, "non-hash or symbol given");
    Value hash = argc && is_hash(argv[0]) ? argv[0] : hash_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        hash_set(hash, sym_intern(rows[i].name), uint_value(rows[i].value));
    return hash;
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
    if (argc && !is_nil(argv[0])) {
        if (!is_hash(argv[0]))
            raise_error(klass.ArgumentError, "ArgumentError");
        if (!is_undef(hash_get(argv[0], sym_intern("implementation"))))
            raise_error(klass.ArgumentError, "Attempting to set read-only key \"Implementation\"");
    }
    Value hash = hash_new();
    hash_set(hash, sym_intern("implementation"), str_new_c("generational, incremental, compacting"));
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

/* ---- the last collection ---- */

static Value gc_latest_gc_info(Value self, int argc, const Value *argv)
{
    (void)self;
    HeapLast last = heap_last();
    const struct {
        const char *name;
        Value value;
    } rows[] = {
        {"major_by", last.grown ? sym_intern("oldmalloc") : last.whole ? sym_intern("force") : V_NIL},
        {"need_major_by", V_NIL},
        {"gc_by", sym_intern(last.asked ? "method" : "newobj")},
        {"have_finalizer", V_FALSE},
        {"immediate_sweep", bool_value(last.whole && !last.grown)},
        {"state", sym_intern("none")},
    };
    if (argc && is_symbol(argv[0])) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (!strcmp(rows[i].name, sym_text(argv[0])))
                return rows[i].value;
        raise_error(klass.ArgumentError, "unknown key: %s", sym_text(argv[0]));
    }
    if (argc && !is_nil(argv[0]) && !is_hash(argv[0]))
        raise_error(klass.TypeError, "non-hash or symbol given");
    Value hash = argc && is_hash(argv[0]) ? argv[0] : hash_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        hash_set(hash, sym_intern(rows[i].name), rows[i].value);
    return hash;
}

static void add_boot_write(const char *type, uint64_t pages, void *arg)
{
    hash_set(*(Value *)arg, sym_intern(type), uint_value(pages));
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
    {"latest_gc_info", gc_latest_gc_info, 0, 1, 0},
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
