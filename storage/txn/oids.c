/*
 * oids.c - object ids: runs of indexes for sessions, logged ahead.
 *
 * N1: an index is handed out only below oid_limit, and a raise of the limit lies in the log before any commit that can
 *     use it.  After a crash indexes start at the limit: those handed out and never committed are lost, not reused.
 * N2: a run is of indexes side by side and of one generation: those never used have generation 0, those of collected objects
 *     come from compact/reuse.c.
 */
#include "lib/error.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/txn/txn.h"

#define OID_RUN 256
#define OID_STEP 65536

static void take_run(SessionSlot *me)
{
    StoreShared *s = the_store->shared;
    /* Logging needs credit, and credit may wait: have it before the latch.  A look without it is only a guess. */
    store_credit(1, sizeof(OidLimitRecord), 0);
    latch_acquire(&s->oids_latch, LATCH_EXCLUSIVE);
    if (s->oid_free_count > 0) {
        s->oid_free_count--;
        me->oid_next = s->oid_free[s->oid_free_count][0];
        me->oid_end = s->oid_free[s->oid_free_count][1];
    } else {
        if (s->oid_next + OID_RUN > s->oid_limit) {
            OidLimitRecord record = { s->oid_limit + OID_STEP };
            if (!MUTATION(OID_LIMIT_LOGGED))
                wal_append_credited(the_store->wal, &me->credit, WAL_OID_LIMIT, 0, &record, sizeof(record));
            STOP_POINT(OID_LIMIT_LOGGED);
            s->oid_limit = record.limit;
        }
        me->oid_next = s->oid_next;
        me->oid_end = s->oid_next += OID_RUN;
    }
    latch_release(&s->oids_latch);
    store_credit_return();
}

Oid store_oid_alloc(void)
{
    SessionSlot *me = the_store->me;
    if (me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    if (me->oid_next == me->oid_end)
        take_run(me);
    if (TABLE_PAGE(OID_INDEX(me->oid_end)) >= the_store->shared->table_pages_max)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the object table has reached its limit"),
                errhint("Raise max_store_size in lodestone.conf and restart."));
    return me->oid_next++;
}

/* Under the latch.  False: the list is full, the run is lost until a collection comes by it after the next start. */
static bool add_free_run(Oid first, Oid end)
{
    StoreShared *s = the_store->shared;
    if (s->oid_free_count == COUNT_OF(s->oid_free))
        return false;
    s->oid_free[s->oid_free_count][0] = first;
    s->oid_free[s->oid_free_count][1] = end;
    s->oid_free_count++;
    return true;
}

bool oids_offer(Oid first, Oid end)
{
    StoreShared *s = the_store->shared;
    latch_acquire(&s->oids_latch, LATCH_EXCLUSIVE);
    bool room = add_free_run(first, end);
    latch_release(&s->oids_latch);
    return room;
}

uint32_t oids_offered(void)
{
    StoreShared *s = the_store->shared;
    latch_acquire(&s->oids_latch, LATCH_SHARED);
    uint32_t n = s->oid_free_count;
    latch_release(&s->oids_latch);
    return n;
}

void oids_give_back(SessionSlot *slot)
{
    StoreShared *s = the_store->shared;
    if (slot->oid_next == slot->oid_end)
        return;
    latch_acquire(&s->oids_latch, LATCH_EXCLUSIVE);
    if (slot->oid_end == s->oid_next)
        s->oid_next = slot->oid_next;
    else
        add_free_run(slot->oid_next, slot->oid_end);
    slot->oid_next = slot->oid_end = 0;
    latch_release(&s->oids_latch);
}
