/* shared.c -- what sessions share beside their transactions: object locks, counters; and what a commit waits for
 *
 * The Ruby half, with the waiting, is vm/core/shared.rb.
 */
#include "private.h"
#include "lib/config.h"
#include "lib/error.h"
#include "vm/object/class_private.h"

static Value check_attached(Value v)
{
    if (!session.attached)
        raise_error(klass.RuntimeError, "this session has no store");
    return v;
}

/* ---- locks ---- */

static Oid oid_to_lock(Value v)
{
    check_attached(v);
    if (is_immediate(v))
        raise_error(klass.ArgumentError, "%V can't be locked: it is no object of the store", v);
    Oid oid = builtin_oid(v);
    return oid ? oid : obj_identity_number(v); /* a commit to come uses this number */
}

static Value lock_error(Value object, Value kind, const LockAnswer *a)
{
    bool circle = a->status == LOCK_DEADLOCK;
    Value exc = exception_new(klass.LockError, "%T is locked for %s by session %d (pid %d)%s", obj_any_to_s(object),
                              a->held == OBJECT_LOCK_WRITE ? "writing" : "reading", a->holder + 1, a->holder_pid,
                              circle ? ", which waits for this one: a deadlock" : "");
    ivar_set(exc, sym_intern("@object"), object);
    ivar_set(exc, sym_intern("@kind"), kind);
    ivar_set(exc, sym_intern("@session"), int_fix(a->holder + 1));
    ivar_set(exc, sym_intern("@pid"), int_fix(a->holder_pid));
    ivar_set(exc, sym_intern("@deadlock"), bool_value(circle));
    return exc;
}

/* __lock(object, :read or :write, waiting): true, :changed, or the LockError; raises it at once for a deadlock. */
static Value maglev_lock(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    bool write = argv[1] == sym_intern("write");
    LockAnswer a = store_lock(oid_to_lock(argv[0]), write ? OBJECT_LOCK_WRITE : OBJECT_LOCK_READ, truthy(argv[2]));
    if (a.status == LOCK_GRANTED)
        return a.changed && session.level > 0 ? sym_intern("changed") : V_TRUE;
    Value exc = lock_error(argv[0], argv[1], &a);
    if (a.status == LOCK_DEADLOCK)
        vm_raise(exc);
    return exc;
}

static Value maglev_lock_wait_over(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    store_lock_wait_over();
    return self;
}

static Value maglev_unlock(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return bool_value(store_unlock(oid_to_lock(argv[0])));
}

static Value maglev_unlock_all(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    check_attached(self);
    store_unlock_all();
    return self;
}

static void locks_free(void *found)
{
    mem_free(found);
}

/* __locks(object or nil, own): Array of [object, kind, session, pid] */
static Value maglev_locks(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    check_attached(V_NIL);
    Oid oid = is_nil(argv[0]) ? OID_NONE : oid_to_lock(argv[0]);
    int slot = truthy(argv[1]) ? store_session_slot() : -1;
    size_t n, room = 64;
    LockInfo *found = mem_alloc(session.context, room * sizeof(LockInfo));
    while ((n = store_locks(oid, slot, found, room)) == room)
        found = mem_realloc(session.context, found, (room *= 4) * sizeof(LockInfo));
    resource_push(locks_free, found);
    Value list = ary_new(n);
    for (size_t i = 0; i < n; i++) {
        LockInfo *l = &found[i];
        /* an object that its session has not committed yet is nobody else's to see */
        Value there = oidmap_object(l->oid);
        Value object = !is_undef(there) || !store_adopt(l->oid) ? (is_undef(there) ? V_NIL : there) : persist_resolve(l->oid);
        Value row[] = {is_nil(object) && !is_nil(argv[0]) ? argv[0] : object,
                       sym_intern(l->mode == OBJECT_LOCK_WRITE ? "write" : "read"), int_fix(l->slot + 1), int_fix(l->pid)};
        ary_push(list, ary_new_from(4, row));
    }
    resource_release(found);
    return list;
}

/* ---- counters ---- */

static unsigned counter_number(Value v)
{
    check_attached(v);
    return (unsigned)value_int_range(v, 1, STORE_COUNTERS, "number of a shared counter") - 1;
}

static Value maglev_counter(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return int_value(store_counter(counter_number(argv[0])));
}

static Value maglev_counter_set(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    unsigned i = counter_number(argv[0]);
    return int_value(store_counter_set(i, value_int(argv[1]), (Durability)conf.durability));
}

static Value maglev_counter_add(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    unsigned i = counter_number(argv[0]);
    return int_value(store_counter_add(i, value_int(argv[1]), (Durability)conf.durability));
}

/* ---- durability ---- */

/* The position in the log that makes this session's last commit durable. */
static Value maglev_last_lsn(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    check_attached(self);
    return uint_value(session.last_lsn);
}

static Value maglev_wait_durable(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_attached(self);
    store_wait_durable((Lsn)value_int(argv[0]));
    return V_TRUE;
}

static Value maglev_is_durable(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_attached(self);
    return bool_value(store_is_durable((Lsn)value_int(argv[0])));
}

static const Builtin methods[] = {
    {"__lock", maglev_lock, 3, 3, BI_HIDDEN},
    {"__lock_wait_over", maglev_lock_wait_over, 0, 0, BI_HIDDEN},
    {"__unlock", maglev_unlock, 1, 1, BI_HIDDEN},
    {"__unlock_all", maglev_unlock_all, 0, 0, BI_HIDDEN},
    {"__locks", maglev_locks, 2, 2, BI_HIDDEN},
    {"__counter", maglev_counter, 1, 1, BI_HIDDEN},
    {"__counter_set", maglev_counter_set, 2, 2, BI_HIDDEN},
    {"__counter_add", maglev_counter_add, 2, 2, BI_HIDDEN},
    {"__last_lsn", maglev_last_lsn, 0, 0, BI_HIDDEN},
    {"__wait_durable", maglev_wait_durable, 1, 1, BI_HIDDEN},
    {"__durable?", maglev_is_durable, 1, 1, BI_HIDDEN},
};

void shared_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
