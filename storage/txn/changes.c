/*
 * changes.c - the change ring: which objects others have changed since a session last looked.
 *
 * An entry's place is its position modulo the ring; its tag is position + 1, stored last.  A reader at `cursor` knows by
 * the tag alone whether the entry is there, is still being written, or has been overrun.
 *
 * H1: a commit takes its positions and writes its entries before it is published.  So at a snapshot every commit that it
 *     includes has all its entries below the head that is read after the snapshot was taken.
 * H2: positions are taken in no particular order of sequences: entries of commits that the snapshot does not include may
 *     stand in between, or be still being written.  The cursor never moves past those; what lies beyond them is listed all
 *     the same, and again the next time.
 * H3: a committer notes in its slot a position that its entries are not before, until it is published.  Who begins anew
 *     takes the least of the head and those notes as its cursor, and its snapshot after that: a commit not included in the
 *     snapshot was not published when the notes were read, so its entries are not before the cursor.
 */
#include "lib/error.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/txn/txn.h"

static struct {
    uint64_t cursor; /* all before it was listed */
    uint64_t at;     /* next to look at in this round */
    uint64_t end;    /* of this round */
    bool running, stuck;
} reader;

static inline Change *change_at(uint64_t position)
{
    return &the_store->changes[position % the_store->shared->change_slots];
}

static void put(uint64_t position, Oid oid, Sequence sequence)
{
    Change *c = change_at(position);
    atomic_store_explicit(&c->tag, 0, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&c->oid, oid, memory_order_relaxed);
    atomic_store_explicit(&c->sequence, sequence, memory_order_relaxed);
    atomic_store_explicit(&c->tag, position + 1, memory_order_release);
}

void changes_append(const Oid *oids, size_t n, Sequence sequence)
{
    StoreShared *s = the_store->shared;
    if (n == 0)
        return;
    atomic_store(&the_store->me->change_bound, atomic_load(&s->change_head) + 1); /* H3 */
    if (n > s->change_slots / 4) {
        put(atomic_fetch_add(&s->change_head, 1), OID_NONE, sequence);
        return;
    }
    uint64_t position = atomic_fetch_add(&s->change_head, n);
    for (size_t i = 0; i < n; i++)
        put(position + i, oids[i], sequence);
}

void changes_published(void)
{
    atomic_store(&the_store->me->change_bound, 0);
}

/* H3 */
void changes_start(void)
{
    StoreShared *s = the_store->shared;
    uint64_t cursor = atomic_load(&s->change_head);
    for (uint32_t i = 0; i < s->slots; i++) {
        uint64_t bound = atomic_load(&the_store->slots[i].change_bound);
        if (bound != 0 && bound - 1 < cursor)
            cursor = bound - 1;
    }
    reader.cursor = reader.at = reader.end = cursor;
    reader.running = reader.stuck = false;
}

static ChangesStatus begin_anew(void)
{
    changes_start();
    if (atomic_load(&the_store->me->snapshot) != 0)
        store_begin(); /* H3 */
    return CHANGES_OVERRUN;
}

void store_changes_reset(void)
{
    begin_anew();
}

ChangesStatus store_changes_next(Oid *oids, size_t max, size_t *count)
{
    StoreShared *s = the_store->shared;
    Sequence snapshot = store_snapshot_seq();
    *count = 0;
    if (!reader.running) {
        reader.at = reader.cursor;
        reader.end = atomic_load(&s->change_head);
        reader.running = true;
        reader.stuck = false;
    }
    while (*count < max && reader.at < reader.end) {
        if (atomic_load(&s->change_head) - reader.at > s->change_slots)
            return begin_anew();
        Change *c = change_at(reader.at);
        uint64_t tag = atomic_load_explicit(&c->tag, memory_order_acquire);
        Oid oid = atomic_load_explicit(&c->oid, memory_order_relaxed);
        Sequence sequence = atomic_load_explicit(&c->sequence, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        if (tag > reader.at + 1 || atomic_load_explicit(&c->tag, memory_order_relaxed) != tag)
            return begin_anew();
        if (tag != reader.at + 1 || sequence > snapshot) { /* H2 */
            reader.stuck = true;
            reader.at++;
            continue;
        }
        if (oid == OID_NONE)
            return begin_anew();
        oids[(*count)++] = oid;
        reader.at++;
        if (!reader.stuck)
            reader.cursor = reader.at;
    }
    if (*count > 0)
        return CHANGES_SOME;
    reader.running = false;
    return CHANGES_END;
}
