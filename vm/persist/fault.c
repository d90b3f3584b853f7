/* fault.c -- reading objects of the store: references are resolved, hollow objects are refilled
 *
 * Faults read at the session's snapshot; outside a transaction one is held for the length of the
 * fault.  A fault may run inside another one (the class of an object is an object), so each has a record of its own; the
 * stack is tested because ancestry can be deep.
 */
#include "private.h"
#include "lib/error.h"

/* The buffer of the last fault that ended: the next one begins with it.  A fault inside another finds none. */
static struct {
    void *buffer;
    size_t capacity;
} spare;
enum { SPARE_MAX = 64 << 10 };

static void fault_release(void *p)
{
    Fault *f = p;
    if (unlikely(f->own_snapshot))
        store_end();
    if (likely(!spare.buffer && f->record.capacity <= SPARE_MAX)) {
        spare.buffer = f->record.buffer;
        spare.capacity = f->record.capacity;
    } else {
        mem_free(f->record.buffer);
    }
}

void fault_begin(Fault *f)
{
    if (!session.attached)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("the session is not attached to its store any more"));
    f->own_snapshot = !session.has_view && store_snapshot_seq() == 0;
    if (f->own_snapshot)
        store_begin();
    store_record_init(&f->record, session.context);
    f->record.buffer = spare.buffer;
    f->record.capacity = spare.capacity;
    spare.buffer = NULL;
    spare.capacity = 0;
    resource_push(fault_release, f);
}

bool fault_fetch(Fault *f, Oid oid)
{
    return store_fetch(oid, &f->record);
}

void fault_end(Fault *f)
{
    resource_release(f);
}

Value persist_resolve(Oid oid)
{
    Value v = oidmap_object(oid);
    if (!is_undef(v))
        return v;
    if (oid < OID_FIRST_USER && oid >= OID_FIRST_BUILTIN)
        return builtin_object(oid);
    vm_check_stack();
    Fault fault;
    fault_begin(&fault);
    if (!fault_fetch(&fault, oid))
        ereport(ERROR, ERR_NO_OBJECT, errmsg("object %lu is not in the store at this session's snapshot", (unsigned long)oid),
                errhint("Run lodectl verify: a committed object must never refer to one that is missing."));
    v = record_materialize(oid, &fault.record);
    reads_hide(v);
    fault_end(&fault);
    return v;
}

static Value fault_slot(Value owner, Slot *s)
{
    uint64_t word = s->raw;
    Value v = persist_resolve(SLOT_OID(word));
    if (!(obj_head(owner) & OF_HOLLOW) && s->raw == word)
        content_check_slot(owner, s, v);
    if (reads_is_data_table(owner, s))
        reads_hide_table(v);
    /* A safepoint in between may have emptied the owner: then the slot is gone, and the next reader faults again. */
    if (!(obj_head(owner) & OF_HOLLOW) && s->raw == word) {
        heap_remember(owner);
        s->raw = v;
    }
    return v;
}

Value persist_resolve_or_new(Oid oid, Value (*make)(void))
{
    Value v = oidmap_object(oid);
    if (!is_undef(v))
        return v;
    if (store_version(oid))
        return persist_resolve(oid);
    v = make();
    oidmap_add(v, oid);
    obj_ptr(v)->head |= OH_LOG;
    return v;
}

static void refill(Value v)
{
    Oid oid = oidmap_oid(v);
    Fault fault;
    fault_begin(&fault);
    bool found = fault_fetch(&fault, oid);
    if (!(obj_head(v) & OF_HOLLOW)) {
        ; /* refilled by a nested fault */
    } else if (found) {
        if (type_of_format(fault.record.format) != obj_type(v))
            ereport(ERROR, ERR_NO_OBJECT, errmsg("object %lu was given another layout by another session", (unsigned long)oid),
                    errhint("Fetch it again through the root."));
        TRY()
        {
            record_restore(v, &fault.record);
        }
        CATCH(err)
        {
            record_empty(v); /* who asks again starts anew */
            rethrow();
        }
        END_TRY();
    } else if (oid < OID_FIRST_USER) {
        obj_ptr(v)->head &= ~(OH_ATTENTION | OF_HOLLOW); /* a root that was never committed is empty */
        obj_ptr(v)->head |= OH_LOG;
    } else {
        ereport(ERROR, ERR_NO_OBJECT, errmsg("object %lu is not in the store at this session's snapshot", (unsigned long)oid));
    }
    fault_end(&fault);
}

/* ATTENTION was set: v is hollow, or was not read yet in this transaction. */
void persist_refill(Value v)
{
    if (obj_head(v) & OF_HOLLOW)
        refill(v);
    obj_ptr(v)->head &= ~OH_ATTENTION;
    if (reads_active())
        reads_note(oidmap_oid(v));
}

/* LOG was set: the first change since the object was clean, or since a nested transaction began. */
static void note_change(Value v)
{
    if (!(obj_head(v) & OF_OID))
        return;
    nested_note_change(v);
    if (!(obj_head(v) & OF_DIRTY))
        txn_note_dirty(v);
}

static uint64_t oid_of(Value v)
{
    if (obj_head(v) & OF_OID)
        return oidmap_oid(v);
    return session.attached ? builtin_oid(v) : 0;
}

/* object_id of an object without an oid takes one; a later commit uses it. */
static uint64_t take_id(Value v)
{
    Oid known = oidmap_oid(v);
    if (known)
        return known;
    if (!session.attached)
        return 0;
    known = builtin_oid(v);
    return known ? known : store_oid_alloc();
}

Value persist_find(uint64_t number)
{
    if (!session.attached || !session.has_view || number <= OID_FIRST_BUILTIN)
        return V_UNDEF;
    if (number < OID_FIRST_USER)
        return builtin_find((Oid)number);
    Value known = oidmap_object((Oid)number);
    return !is_undef(known) || !store_adopt((Oid)number) ? known : persist_resolve((Oid)number);
}

/* Debug mode hollow: at a safepoint, one clean object loses its body. */
static void hollow_one(void)
{
    static uint64_t n;
    n = n * 6364136223846793005ull + 1442695040888963407ull;
    Value v = oidmap_random(n >> 17);
    if (!is_undef(v) && session.attached && record_can_hollow(v))
        record_empty(v);
}

/* Under memory pressure the collector turns references to clean objects back into oids. */
static uint64_t forget_oid(Value v)
{
    uint64_t head = obj_head(v);
    return session.attached && (head & OF_PERSISTENT) && (head & OH_LOG) && !(head & OF_DIRTY) ? oidmap_oid(v) : 0;
}

void fault_install_hooks(void)
{
    slot_fault_hook = fault_slot;
    obj_refill_hook = persist_refill;
    obj_log_hook = note_change;
    obj_oid_hook = oid_of;
    obj_take_id_hook = take_id;
    heap_hollow_hook = hollow_one;
    heap_forget_hook = forget_oid;
    vector_install_hooks();
}
