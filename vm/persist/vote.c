/* vote.c -- what this session holds, told to a collection of the store (DESIGN-store.md section 7, Collect)
 *
 * A collection takes out of the store what no root reaches, but for what a session holds: its objects in memory, and what
 * these refer to without having read it.  Each session says so once, at a boundary that follows the collection's beginning:
 * it collects its own heap, and then names every oid in it.  From then on it comes only to what it named, to what it reads, and
 * to what it makes; the store's side of the argument is storage/compact/collect.c V2.
 *
 * O1  An oid that a session can come to stands in the oid map, in an unresolved slot of an object or a root, in a vector or in
 *     what long_record.c knows (chunks), in an object's number (an identity that outlived an abort), or in the list of its locks.
 * O2  Nothing else remembers oids across a boundary without asking store_adopt() before it resolves them.
 */
#include "private.h"
#include "vm/object/object_private.h"
#include "vm/vector.h"

static void hold_mapped(Value v, Oid oid, void *unused)
{
    (void)v, (void)unused;
    store_vote_hold(oid);
}

static void hold_slot(Visitor *unused, Slot *s)
{
    (void)unused;
    if (slot_unresolved(*s))
        store_vote_hold(SLOT_OID(s->raw));
}

static void hold_value(Visitor *unused, Value *v)
{
    (void)unused, (void)v; /* an object: in the map if it has an oid */
}

static void no_group(const char *name, void *unused)
{
    (void)name, (void)unused;
}

static void hold_parts(Value v)
{
    const TypeRow *row = heap_type_row(obj_type(v));
    Vector *vector;
    for (unsigned which = 0; (vector = row->vector(obj_ptr(v), which)) != NULL; which++) {
        for (uint32_t i = 0; i < vector->chunks; i++)
            store_vote_hold(vector->oids[i]);
        for (uint32_t i = 0; i < vector->nodes; i++)
            store_vote_hold(vector->node_oids[i]);
    }
}

static void hold_references(Value v, void *visitor)
{
    uint64_t head = obj_head(v);
    heap_visit_references(v, visitor);
    if ((head & OT_VECTOR) && !(head & OF_HOLLOW) && heap_type_row(obj_type(v)) && heap_type_row(obj_type(v))->vector)
        hold_parts(v);
    Side *side = (head & OF_ID) ? side_find(v) : NULL;
    if (side)
        store_vote_hold(side->number);
}

static void hold_locks(void)
{
    enum { SOME = 64 };
    size_t n, room = SOME;
    LockInfo *found = mem_alloc(session.context, room * sizeof(LockInfo));
    while ((n = store_locks(OID_NONE, store_session_slot(), found, room)) == room)
        found = mem_realloc(session.context, found, (room *= 4) * sizeof(LockInfo));
    for (size_t i = 0; i < n; i++)
        store_vote_hold(found[i].oid);
    mem_free(found);
}

void vote_if_asked(void)
{
    if (likely(!store_vote_wanted()) || session.dirty.count || session.fresh.count || session.stale)
        return;
    uint64_t vote = store_vote_begin();
    if (!vote)
        return;
    heap_collect();
    Visitor holder = {.slot = hold_slot, .value = hold_value, .weak = hold_slot};
    oidmap_each(hold_mapped, NULL);
    heap_each_with_internal(hold_references, &holder);
    heap_visit_roots(no_group, NULL, &holder);
    long_each_chunk(store_vote_hold);
    hold_locks();
    store_vote_end(vote);
}
