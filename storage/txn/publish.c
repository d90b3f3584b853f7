/*
 * publish.c - commit sequences become visible, in order and without gaps; snapshots.
 *
 * T1: `published` is the newest sequence such that it and all before it are installed.  A committer marks its own in
 *     done[] and moves `published` on as far as marks reach; whoever is last to fill a gap moves it for all.
 * T2: a snapshot is in the session's slot before it counts: stored, then `published` read again, until both agree.  So
 *     whoever computes the oldest snapshot sees it, or a newer one will be taken.
 */
#include <sched.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/txn/txn.h"

_Static_assert(DONE_SLOTS > 2 * MAX_SLOTS / 2 && IS_POWER_OF_2(DONE_SLOTS), "every session can have one in done[]");

static inline Done *done_of(Sequence sequence)
{
    return &the_store->shared->done[sequence % DONE_SLOTS];
}

void publish_installed(Sequence sequence)
{
    StoreShared *s = the_store->shared;
    Done *mine = done_of(sequence);
    atomic_store(&mine->slot, the_store->slot);
    atomic_store(&mine->pid, the_store->me != NULL ? atomic_load(&the_store->me->pid) : 0);
    atomic_store(&mine->sequence, sequence);
    if (MUTATION(PUBLISH_ORDER)) {
        atomic_store(&s->published, sequence);
        return;
    }
    uint64_t published = atomic_load(&s->published);
    while (atomic_load(&done_of(published + 1)->sequence) == published + 1)
        if (atomic_compare_exchange_strong(&s->published, &published, published + 1))
            published++;
}

void publish_wait(Sequence sequence)
{
    StoreShared *s = the_store->shared;
    for (unsigned spins = 0; atomic_load(&s->published) < sequence; spins++) {
        wait_event_start(WAIT_COMMIT_PUBLISH);
        if (spins < 100)
            sched_yield();
        else
            io.sleep_ns(100 * NSEC_PER_USEC);
        wait_event_end();
    }
}

bool publish_who(Sequence sequence, int *slot, int32_t *pid)
{
    Done *d = done_of(sequence);
    *slot = atomic_load(&d->slot);
    *pid = atomic_load(&d->pid);
    return atomic_load(&d->sequence) == sequence;
}

Sequence publish_oldest_snapshot(void)
{
    StoreShared *s = the_store->shared;
    Sequence oldest = atomic_load(&s->published);
    for (uint32_t i = 0; i < s->slots; i++) {
        Sequence snapshot = atomic_load(&the_store->slots[i].snapshot);
        if (snapshot != 0 && snapshot - 1 < oldest)
            oldest = snapshot - 1;
    }
    return oldest;
}

/* ---- snapshots: the slot holds the sequence + 1, so that 0 can mean none ----------------------------------- */

static SessionSlot *my_slot(void)
{
    if (the_store == NULL || the_store->me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    return the_store->me;
}

/* Every commit that the snapshot includes ends before this position of the log: it had its place when it was published. */
static Lsn snapshot_lsn;

Sequence store_begin(void)
{
    SessionSlot *me = my_slot();
    StoreShared *s = the_store->shared;
    Sequence published = atomic_load(&s->published), again;
    view_started(me);
    for (;;) {
        atomic_store(&me->snapshot, published + 1);
        again = atomic_load(&s->published);
        if (again == published) {
            snapshot_lsn = wal_insert_position(the_store->wal);
            return published;
        }
        published = again;
    }
}

Sequence store_snapshot_seq(void)
{
    if (the_store == NULL || the_store->me == NULL)
        return 0;
    Sequence snapshot = atomic_load_explicit(&the_store->me->snapshot, memory_order_relaxed);
    return snapshot == 0 ? 0 : snapshot - 1;
}

bool store_snapshot_held(void)
{
    return the_store != NULL && the_store->me != NULL && atomic_load(&the_store->me->snapshot) != 0;
}

void store_wait_snapshot_durable(void)
{
    wal_flush(the_store->wal, snapshot_lsn);
}

void store_end(void)
{
    if (the_store != NULL && the_store->me != NULL)
        atomic_store(&the_store->me->snapshot, 0);
}

Sequence store_published_seq(void)
{
    return atomic_load(&the_store->shared->published);
}
