/* statistics.c -- figures of the store, its sessions and this session, for the program to read
 *
 * Those of the store are the ones that `lodectl status` prints (include/storage/statistics.def), under the same names.
 */
#include "private.h"
#include "lib/config.h"

enum { SESSIONS_SHOWN = 1024 };

static Value session_id(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return session.attached ? int_fix(store_session_slot() + 1) : V_NIL;
}

static size_t all_sessions(SessionInfo *out)
{
    return session.attached ? store_sessions(out, SESSIONS_SHOWN) : 0;
}

static Value session_count(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    SessionInfo info[SESSIONS_SHOWN];
    return uint_value(all_sessions(info));
}

/* Maglev.__sessions: [[id, pid, snapshot, commits, conflicts, microseconds of the view, bytes pinned, locks]] */
static Value sessions(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    SessionInfo info[SESSIONS_SHOWN];
    size_t n = all_sessions(info);
    Value list = ary_new(n);
    for (size_t i = 0; i < n; i++) {
        const SessionInfo *s = &info[i];
        Value row[] = {int_fix(s->slot + 1),      int_fix(s->pid),           uint_value(s->snapshot),     uint_value(s->commits),
                       uint_value(s->conflicts), uint_value(s->view_age_us), uint_value(s->pinned_bytes), int_fix(s->locks)};
        ary_push(list, ary_new_from(sizeof row / sizeof *row, row));
    }
    return list;
}

/* "wal.batches" is wal_batches */
static void add_figure(Value figures, const char *field, uint64_t n)
{
    char name[64];
    size_t i = 0;
    for (; field[i] && i < sizeof name - 1; i++)
        name[i] = field[i] == '.' ? '_' : field[i];
    name[i] = '\0';
    hash_set(figures, sym_intern(name), uint_value(n));
}

static Value store_statistics(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (!session.attached)
        raise_error(klass.RuntimeError, "this session has no store");
    StoreStats s = {0};
    store_stats(&s);
    Value figures = hash_new();
#define FIGURE(field) add_figure(figures, #field, s.field);
#include "storage/statistics.def"
#undef FIGURE
    return figures;
}

/* Maglev.__heap: [bytes in use, limit] */
static Value heap(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    GcStats s;
    heap_stats(&s);
    return ary_new_from(2, (Value[]){int_fix((int64_t)(s.pages * 65536 + s.malloc_bytes)), int_fix(conf.heap_limit)});
}

/* What this session has read and written since it began. */
static Value statistics(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value h = hash_new();
    hash_set(h, sym_intern("objects_in_memory"), uint_value(oidmap_count()));
    hash_set(h, sym_intern("chunks_read"), uint_value(vector_stats.chunks_read));
    hash_set(h, sym_intern("chunks_written"), uint_value(vector_stats.chunks_written));
    return h;
}

static const Builtin methods[] = {
    {"session_id", session_id, 0, 0, 0},
    {"session_count", session_count, 0, 0, 0},
    {"statistics", statistics, 0, 0, 0},
    {"__sessions", sessions, 0, 0, BI_HIDDEN},
    {"__store_statistics", store_statistics, 0, 0, BI_HIDDEN},
    {"__heap", heap, 0, 0, BI_HIDDEN},
};

void statistics_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
