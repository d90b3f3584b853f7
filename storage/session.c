/*
 * session.c - session slots: taking, leaving, cleaning up after the dead.
 *
 * A slot holds all that a session has in shared memory and that someone else must be able to give back.
 *
 * I1: a slot's critical word is counted by lib/error.h: latches held and critical sections.  Zero means: this process may
 *     die and the reaper puts right what it had (frames it loads or writes, pins, open pages, extents of a bulk commit,
 *     oids, log credit, snapshot).
 * I2: whatever of that changes together with a shared counter changes inside a critical section.
 */
#include <unistd.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/open.h"
#include "storage/state.h"
#include "storage/txn/bulk.h"
#include "storage/txn/locks.h"
#include "storage/txn/txn.h"

/* ---- taking a slot --------------------------------------------------------------------------------------------- */

/* `clone`: the slot gets this one's view (limits.c Z3), or NULL. */
static int take_slot(uint32_t from, uint32_t to, const SessionSlot *clone)
{
    StoreShared *s = the_store->shared;
    int taken = -1;
    latch_acquire(&s->slots_latch, LATCH_EXCLUSIVE);
    for (uint32_t i = from; i < to && taken < 0; i++) {
        SessionSlot *slot = &the_store->slots[i];
        if (atomic_load(&slot->state) != SLOT_FREE)
            continue;
        memset(slot, 0, sizeof(*slot));
        atomic_store(&slot->pid, (int32_t)getpid());
        /* Before any snapshot: whatever it will read is there at the collection's (collect.c V2).  A child holds what its
         * parent holds. */
        atomic_store(&slot->voted, clone != NULL ? atomic_load(&clone->voted) : atomic_load(&s->collect_epoch));
        if (clone != NULL) {
            atomic_store(&slot->view_epoch, atomic_load(&clone->view_epoch));
            atomic_store(&slot->snapshot, atomic_load(&clone->snapshot));
        }
        atomic_store(&slot->state, SLOT_TAKEN);
        taken = (int)i;
    }
    latch_release(&s->slots_latch);
    return taken;
}

static void become(int slot)
{
    the_store->slot = slot;
    the_store->me = &the_store->slots[slot];
    crit_word_set(&the_store->me->critical);
    wait_event_word_set(&the_store->me->wait_event);
    open_forget();
    cache_forget_pins();
    changes_start();
}

/* After a fork the parent's slot is in our handle: it is not ours. */
bool slot_is_mine(void)
{
    if (the_store->slot >= 0 && atomic_load(&the_store->me->pid) != (int32_t)getpid()) {
        the_store->slot = -1;
        the_store->me = NULL;
        store_commit_abort();
        crit_word_set(NULL);
        wait_event_word_set(NULL);
    }
    return the_store->slot >= 0;
}

int store_session_attach(void)
{
    if (the_store == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("no store is open"));
    if (slot_is_mine())
        ereport(ERROR, ERR_INTERNAL, errmsg("this process is a session already"));
    int slot = take_slot(0, the_store->shared->sessions_max, NULL);
    if (slot < 0)
        ereport(ERROR, ERR_TOO_MANY_SESSIONS,
                errmsg("all %u sessions of the store are in use", the_store->shared->sessions_max),
                errhint("Raise max_sessions in lodestone.conf and restart."));
    become(slot);
    STOP_POINT(SESSION_ATTACHED);
    return slot;
}

int slot_attach_auxiliary(void)
{
    int slot = take_slot(the_store->shared->sessions_max, the_store->shared->slots, NULL);
    if (slot < 0)
        ereport(ERROR, ERR_TOO_MANY_SESSIONS, errmsg("too many auxiliary processes"));
    become(slot);
    return slot;
}

static void free_slot(SessionSlot *slot)
{
    StoreShared *s = the_store->shared;
    s->gone_commits += atomic_exchange(&slot->commits, 0);
    s->gone_conflicts += atomic_exchange(&slot->conflicts, 0);
    s->gone_aborts += atomic_exchange(&slot->aborts, 0);
    s->gone_fetched += atomic_exchange(&slot->fetched, 0);
    s->gone_walked += atomic_exchange(&slot->walked, 0);
    atomic_store(&slot->snapshot, 0);
    atomic_store(&slot->lower_bound, 0);
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->state, SLOT_FREE);
}

void slot_detach(void)
{
    if (!slot_is_mine())
        return;
    SessionSlot *me = the_store->me;
    store_commit_abort();
    open_seal_mine();
    cache_unpin_all();
    store_credit_return();
    oids_give_back(me);
    locks_drop(the_store->slot);
    crit_word_set(NULL);
    wait_event_word_set(NULL);
    the_store->slot = -1;
    the_store->me = NULL;
    free_slot(me);
}

void store_session_detach(void)
{
    if (the_store != NULL)
        slot_detach();
}

int store_session_slot(void)
{
    return the_store == NULL ? -1 : the_store->slot;
}

/* ---- Kernel#fork ------------------------------------------------------------------------------------------------- */

int store_session_reserve_clone(void)
{
    /* Ours holds the same snapshot meanwhile, so none of its versions can go. */
    int slot = take_slot(0, the_store->shared->sessions_max, the_store->me);
    if (slot < 0)
        ereport(ERROR, ERR_TOO_MANY_SESSIONS, errmsg("no session is free for the child of fork"),
                errhint("Raise max_sessions in lodestone.conf and restart."));
    return slot;
}

void store_session_adopt(int slot)
{
    the_store->me = NULL; /* the write set was the parent's: nothing of it is ours in shared memory */
    the_store->slot = -1;
    store_commit_abort();
    SessionSlot *me = &the_store->slots[slot];
    int32_t parent = atomic_load(&me->pid);
    if (parent == 0 || !atomic_compare_exchange_strong(&me->pid, &parent, (int32_t)getpid()))
        ereport(ERROR, ERR_CONNECTION, errmsg("the parent's session is gone, and with it the one it kept for its child"));
    the_store->slot = slot;
    the_store->me = me;
    crit_word_set(&me->critical);
    wait_event_word_set(&me->wait_event);
    open_forget();
    cache_forget_pins();
}

void store_session_release_clone(int slot)
{
    free_slot(&the_store->slots[slot]);
}

/* ---- looking at others ---------------------------------------------------------------------------------------------- */

int store_session_slot_of(int32_t pid)
{
    for (uint32_t i = 0; i < the_store->shared->slots; i++)
        if (atomic_load(&the_store->slots[i].state) != SLOT_FREE && atomic_load(&the_store->slots[i].pid) == pid)
            return (int)i;
    return -1;
}

uint32_t store_session_critical_word(int slot)
{
    return slot >= 0 ? atomic_load(&the_store->slots[slot].critical) : 0;
}

bool store_process_was_critical(int32_t pid)
{
    for (uint32_t i = 0; i < the_store->shared->slots; i++)
        if (atomic_load(&the_store->slots[i].state) != SLOT_FREE && atomic_load(&the_store->slots[i].pid) == pid &&
            store_session_critical_word((int)i) != 0)
            return true;
    return (uint32_t)pid == wal_write_owner(the_store->wal);
}

size_t store_sessions(SessionInfo *out, size_t max)
{
    size_t n = 0;
    uint64_t now = (uint64_t)(clock_monotonic_ns() / NSEC_PER_USEC);
    for (uint32_t i = 0; i < the_store->shared->sessions_max && n < max; i++) {
        SessionSlot *slot = &the_store->slots[i];
        if (atomic_load(&slot->state) == SLOT_FREE)
            continue;
        uint64_t snapshot = atomic_load(&slot->snapshot);
        out[n++] = (SessionInfo){
            .slot = (int)i, .pid = atomic_load(&slot->pid), .snapshot = snapshot == 0 ? 0 : snapshot - 1,
            .commits = slot->commits, .conflicts = slot->conflicts, .critical = atomic_load(&slot->critical) != 0,
            .view_age_us = snapshot == 0 ? 0 : now - MIN(now, atomic_load(&slot->view_since)),
            .pinned_bytes = snapshot == 0 ? 0 : atomic_load(&the_store->shared->superseded) - atomic_load(&slot->view_superseded),
            .locks = atomic_load(&slot->locks), .timed_out = atomic_load(&slot->view_ended) != 0,
        };
    }
    return n;
}

/* ---- the reaper ------------------------------------------------------------------------------------------------------- */

void store_session_cleanup(int slot)
{
    SessionSlot *dead = &the_store->slots[slot];
    if (atomic_load(&dead->state) == SLOT_FREE)
        return;
    if (atomic_load(&dead->critical) != 0)
        ereport(ERROR, ERR_INTERNAL, errmsg("session %d died in a critical section", slot),
                errhint("Shared memory must be made anew."));
    bool attached = !slot_is_mine();
    if (attached)
        slot_attach_auxiliary();
    /* One kept for a child that it did not come to fork. */
    int32_t pid = atomic_load(&dead->pid);
    for (uint32_t i = 0; i < the_store->shared->sessions_max && pid != 0; i++) {
        SessionSlot *clone = &the_store->slots[i];
        int32_t expected = pid;
        if (clone != dead && atomic_compare_exchange_strong(&clone->pid, &expected, 0))
            free_slot(clone);
    }
    STOP_POINT(SESSION_CLEANUP);
    cache_cleanup(slot);
    open_cleanup(slot);
    uint64_t bulk = atomic_load(&dead->bulk);
    if (bulk != 0)
        bulk_undo_of_dead(bulk);
    wal_credit_return(the_store->wal, &dead->credit);
    oids_give_back(dead);
    locks_drop(slot);
    free_slot(dead);
    if (attached)
        slot_detach();
}

/* ---- log credit, noted in the slot ---------------------------------------------------------------------------------------- */

void store_credit_return(void)
{
    if (the_store->me != NULL)
        wal_credit_return(the_store->wal, &the_store->me->credit);
}

void store_credit(unsigned records, size_t bytes, unsigned flags)
{
    store_credit_return();
    wal_credit_take(the_store->wal, &the_store->me->credit, records, bytes, flags);
}
