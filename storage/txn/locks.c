/*
 * locks.c - object locks: read and write locks that sessions ask for, hold across transactions and commits honour.
 *
 * A lock is a row {oid, slot, mode} of a shared table, in the chain of its oid's hash.  Many may hold a read lock, one a
 * write lock and then nobody else any.  There is no queue: a lock is granted or denied at once; who wants to wait asks again.
 * While it waits its slot says for which object, so that whoever asks next finds a circle of waiters.
 *
 * Q1: rows and chains change under the LOCKS latch; `version` is odd meanwhile.  Commits read without the latch: they take
 *     an answer only if the version was even and the same before and after, and are given up after some attempts (then the
 *     commit meets "busy" and tries again).
 * Q2: a committer locks its words of the object table and then asks this table; who is granted a lock enters it here and
 *     then waits until the word is free.  So one of the two sees the other: either the commit is refused, or it was
 *     first and the new holder is told that the object has changed since its snapshot.
 * Q3: locks are of the slot, not of the transaction.  They end with it: by the session itself, or by the reaper.
 *     A restart ends all sessions, so the table is never saved.
 */
#include "storage/txn/locks.h"

#include <sched.h>

#include "lib/error.h"
#include "lib/hashtab.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/txn/words.h"

#define LOCK_HEADS 4096u
#define READ_ATTEMPTS 1000

typedef struct LockRow {
    _Atomic uint64_t oid;
    _Atomic uint32_t next; /* row + 1 in the chain, or in the list of free ones */
    _Atomic uint16_t slot;
    _Atomic uint16_t mode;
} LockRow;
_Static_assert(sizeof(LockRow) == 16, "four rows a cache line");

struct LockTable {
    Latch latch;
    _Atomic uint64_t version; /* Q1 */
    _Atomic uint32_t held;
    uint32_t rows_max;
    uint32_t used, free; /* rows ever used; row + 1 of the first free one */
    _Atomic uint32_t heads[LOCK_HEADS];
    LockRow rows[];
};

size_t locks_size(void)
{
    return sizeof(LockTable) + (size_t)conf.max_locks * sizeof(LockRow);
}

void locks_init(void)
{
    LockTable *t = the_store->locks;
    latch_init(&t->latch, LATCH_LOCKS);
    t->rows_max = (uint32_t)conf.max_locks;
}

bool locks_any(void)
{
    return atomic_load(&the_store->locks->held) != 0;
}

static _Atomic uint32_t *head_of(Oid oid)
{
    return &the_store->locks->heads[hash_u64(oid) % LOCK_HEADS];
}

/* ---- under the latch --------------------------------------------------------------------------------------------- */

static void change_begin(void)
{
    latch_acquire(&the_store->locks->latch, LATCH_EXCLUSIVE);
    atomic_fetch_add(&the_store->locks->version, 1);
}

static void change_end(void)
{
    atomic_fetch_add(&the_store->locks->version, 1);
    latch_release(&the_store->locks->latch);
}

/* The row of `slot` for the object; with slot -1 the first of another session that keeps us from `mode`. */
static LockRow *find(Oid oid, int slot, LockMode mode)
{
    LockTable *t = the_store->locks;
    for (uint32_t i = atomic_load(head_of(oid)); i != 0; i = atomic_load(&t->rows[i - 1].next)) {
        LockRow *row = &t->rows[i - 1];
        if (atomic_load(&row->oid) != oid)
            continue;
        if (slot >= 0 ? atomic_load(&row->slot) == slot :
                        atomic_load(&row->slot) != the_store->slot &&
                            (mode == OBJECT_LOCK_WRITE || atomic_load(&row->mode) == OBJECT_LOCK_WRITE))
            return row;
    }
    return NULL;
}

static bool add(Oid oid, LockMode mode)
{
    LockTable *t = the_store->locks;
    LockRow *row;
    if (t->free != 0) {
        row = &t->rows[t->free - 1];
        t->free = atomic_load(&row->next);
    } else if (t->used < t->rows_max) {
        row = &t->rows[t->used++];
    } else {
        return false;
    }
    atomic_store(&row->oid, oid);
    atomic_store(&row->slot, (uint16_t)the_store->slot);
    atomic_store(&row->mode, (uint16_t)mode);
    atomic_store(&row->next, atomic_load(head_of(oid)));
    atomic_store(head_of(oid), (uint32_t)(row - t->rows) + 1);
    atomic_fetch_add(&t->held, 1);
    atomic_fetch_add(&the_store->me->locks, 1);
    return true;
}

static void take_out(LockRow *row)
{
    LockTable *t = the_store->locks;
    uint32_t number = (uint32_t)(row - t->rows) + 1;
    _Atomic uint32_t *link = head_of(atomic_load(&row->oid));
    while (atomic_load(link) != number)
        link = &t->rows[atomic_load(link) - 1].next;
    atomic_store(link, atomic_load(&row->next));
    atomic_fetch_sub(&the_store->slots[atomic_load(&row->slot)].locks, 1);
    atomic_fetch_sub(&t->held, 1);
    atomic_store(&row->oid, OID_NONE);
    atomic_store(&row->next, t->free);
    t->free = number;
}

/* Does the holder `slot` wait, through others perhaps, for something that we hold? */
static bool waits_for_us(int slot, unsigned depth)
{
    Oid oid = atomic_load(&the_store->slots[slot].waits_for);
    if (oid == OID_NONE || depth > the_store->shared->sessions_max)
        return false;
    LockMode mode = (LockMode)atomic_load(&the_store->slots[slot].waits_mode);
    LockTable *t = the_store->locks;
    for (uint32_t i = atomic_load(head_of(oid)); i != 0; i = atomic_load(&t->rows[i - 1].next)) {
        LockRow *row = &t->rows[i - 1];
        int other = atomic_load(&row->slot);
        if (atomic_load(&row->oid) != oid || other == slot ||
            (mode == OBJECT_LOCK_READ && atomic_load(&row->mode) == OBJECT_LOCK_READ))
            continue;
        if (other == the_store->slot || waits_for_us(other, depth + 1))
            return true;
    }
    return false;
}

/* ---- the face ------------------------------------------------------------------------------------------------------ */

static SessionSlot *my_slot(void)
{
    if (the_store == NULL || the_store->me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    return the_store->me;
}

/* Q2: waits for a commit of the object that is under way; the sequence of the newest version. */
static Sequence settled_sequence(Oid oid)
{
    uint32_t frame;
    Sequence sequence = MUTATION(LOCK_SETTLES) ? word_look(word_pin(oid, &frame)).sequence : word_wait(oid).sequence;
    cache_unpin_all();
    publish_wait(sequence);
    return sequence;
}

LockAnswer store_lock(Oid oid, LockMode mode, bool waiting)
{
    SessionSlot *me = my_slot();
    LockAnswer answer = { .status = LOCK_DENIED, .holder = -1 };
    bool full = false;
    change_begin();
    LockRow *mine = find(oid, the_store->slot, mode), *against = find(oid, -1, mode);
    if (mine != NULL && atomic_load(&mine->mode) >= mode) {
        answer.status = LOCK_GRANTED;
    } else if (against != NULL) {
        answer.holder = atomic_load(&against->slot);
        answer.holder_pid = atomic_load(&the_store->slots[answer.holder].pid);
        answer.held = (LockMode)atomic_load(&against->mode);
        if (waiting && waits_for_us(answer.holder, 0))
            answer.status = LOCK_DEADLOCK;
        atomic_store(&me->waits_mode, (uint32_t)mode);
        atomic_store(&me->waits_for, waiting && answer.status == LOCK_DENIED ? oid : OID_NONE);
    } else if (mine != NULL) {
        atomic_store(&mine->mode, (uint16_t)mode);
        answer.status = LOCK_GRANTED;
    } else {
        full = !add(oid, mode);
        answer.status = LOCK_GRANTED;
    }
    if (answer.status == LOCK_GRANTED)
        atomic_store(&me->waits_for, OID_NONE);
    change_end();
    if (full)
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("all %lld object locks are in use", (long long)conf.max_locks),
                errhint("Raise max_locks in lodestone.conf and restart."));
    if (answer.status == LOCK_GRANTED)
        answer.changed = settled_sequence(oid) > store_snapshot_seq();
    return answer;
}

void store_lock_wait_over(void)
{
    atomic_store(&my_slot()->waits_for, OID_NONE);
}

bool store_unlock(Oid oid)
{
    my_slot();
    change_begin();
    LockRow *mine = find(oid, the_store->slot, OBJECT_LOCK_READ);
    if (mine != NULL)
        take_out(mine);
    change_end();
    return mine != NULL;
}

void locks_drop(int slot)
{
    LockTable *t = the_store->locks;
    atomic_store(&the_store->slots[slot].waits_for, OID_NONE);
    if (atomic_load(&the_store->slots[slot].locks) == 0)
        return;
    change_begin();
    for (uint32_t i = 0; i < t->used; i++)
        if (atomic_load(&t->rows[i].oid) != OID_NONE && atomic_load(&t->rows[i].slot) == slot)
            take_out(&t->rows[i]);
    change_end();
}

void store_unlock_all(void)
{
    my_slot();
    locks_drop(the_store->slot);
}

size_t store_locks(Oid oid, int slot, LockInfo *out, size_t max)
{
    LockTable *t = the_store->locks;
    size_t n = 0;
    latch_acquire(&t->latch, LATCH_SHARED);
    for (uint32_t i = 0; i < t->used && n < max; i++) {
        LockRow *row = &t->rows[i];
        Oid of = atomic_load(&row->oid);
        int holder = atomic_load(&row->slot);
        if (of != OID_NONE && (oid == OID_NONE || oid == of) && (slot < 0 || slot == holder))
            out[n++] = (LockInfo){ of, (LockMode)atomic_load(&row->mode), holder,
                                   atomic_load(&the_store->slots[holder].pid) };
    }
    latch_release(&t->latch);
    return n;
}

/* ---- for commits (Q1, Q2) ---------------------------------------------------------------------------------------------- */

LockMode locks_against(Oid oid, int *holder)
{
    LockTable *t = the_store->locks;
    for (unsigned attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        uint64_t version = atomic_load(&t->version);
        LockMode mode = OBJECT_LOCK_NONE;
        unsigned steps = 0;
        for (uint32_t i = atomic_load(head_of(oid)); i != 0 && i <= t->rows_max && steps <= t->rows_max; steps++) {
            LockRow *row = &t->rows[i - 1];
            int slot = atomic_load(&row->slot);
            if (atomic_load(&row->oid) == oid && slot != the_store->slot) {
                mode = (LockMode)atomic_load(&row->mode);
                *holder = slot;
                break;
            }
            i = atomic_load(&row->next);
        }
        if (version % 2 == 0 && atomic_load(&t->version) == version)
            return mode;
        sched_yield();
    }
    *holder = -1;
    return OBJECT_LOCK_UNKNOWN;
}
