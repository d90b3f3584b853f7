/*
 * words.c - the object table's words as committers see them.
 *
 * A word is a location and a control word: sequence and lock.  Who commits an ordinary write set locks its words by the lock
 * bit, for the length of a critical section.  A bulk commit changes more words than there may be pages of the table in the
 * cache, so it prepares them one by one, ahead of its decision: from then on they lead to records without a sequence in its
 * extents (bulk.c B3).  Therefore:
 *
 * U1: a word that leads into an extent of an undecided bulk commit is locked by that commit.  Whoever changes a location or
 *     relies on it holds the lock bit and has looked at the extent after he got it.
 * U2: a word's sequence is the greater of that in its control word and, in a bulk commit's extent, the extent's.
 * U3: who looks without the lock bit reads the location first: if that is of a bulk commit, its extent tells; if someone has
 *     swung it to another place since, the control word read after it is locked or has that one's sequence.
 * U4: a bulk commit that neither has a session nor will happen (it could not reach its words to undo them) locks nothing:
 *     whoever waits for such a word leads it back.
 */
#include "storage/txn/words.h"

#include "lib/error.h"
#include "lib/io.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/space.h"

TableEntry *word_pin(Oid oid, uint32_t *frame)
{
    static uint64_t last = UINT64_MAX; /* neighbours share a page; a pinned page stays where it is */
    static uint32_t last_frame;
    StoreShared *s = the_store->shared;
    uint64_t logical = TABLE_PAGE(OID_INDEX(oid));
    if (logical != last || cache_pinned() == 0) {
        uint64_t pages = atomic_load(&s->table_pages);
        while (pages <= logical && !atomic_compare_exchange_weak(&s->table_pages, &pages, logical + 1))
            ;
        last = UINT64_MAX;
        last_frame = cache_pin(TABLE_KEY | logical);
        last = logical;
        if (cache_pinned() > s->frames / 2)
            ereport(ERROR, ERR_LIMIT_EXCEEDED,
                    errmsg("the commit touches too many pages of the object table for the page cache"),
                    errhint("Raise page_cache_size, or commit in smaller steps."));
    }
    *frame = last_frame;
    return (TableEntry *)(frame_page(last_frame) + PAGE_HEADER) + TABLE_SLOT(OID_INDEX(oid));
}

WordState word_look(const TableEntry *word)
{
    WordState state = { .location = atomic_load(&word->location) & LOCATION_MASK }; /* U3 */
    uint64_t c = atomic_load(&word->control);
    state.sequence = CONTROL_SEQUENCE(c);
    state.locked = (c & CONTROL_LOCKED) && CONTROL_LOCKER(c) != the_store->slot;
    if (state.location == 0)
        return state;
    PageNo page = LOCATION_PAGE(state.location);
    if (space_bulk_undecided(page, 0) && !MUTATION(PREPARED_LOCKED))
        state.locked = state.prepared = true; /* U1 */
    state.sequence = MAX(state.sequence, space_bulk_sequence(page)); /* U2; after U1: it may be decided in between */
    return state;
}

static void nap(unsigned spins)
{
    io.sleep_ns(spins < 10 ? 20 * NSEC_PER_USEC : NSEC_PER_MSEC);
}

void word_lock(TableEntry *word)
{
    for (unsigned spins = 0;; spins++) {
        START_CRIT();
        uint64_t c = atomic_load(&word->control);
        if (!(c & CONTROL_LOCKED) &&
            atomic_compare_exchange_strong(&word->control, &c, CONTROL_LOCK(c, the_store->slot)))
            return;
        END_CRIT();
        nap(spins);
    }
}

void word_unlock(TableEntry *word)
{
    atomic_store(&word->control, CONTROL_SEQUENCE(atomic_load(&word->control)));
    END_CRIT();
}

/* ---- words that a bulk commit has prepared ------------------------------------------------------------------------------ */

static Location previous_of(Location location, uint64_t index)
{
    RecordHeader h;
    cache_copy(LOCATION_PAGE(location), LOCATION_OFFSET(location), &h, sizeof(h));
    if (OID_INDEX(RECORD_OID(&h)) != index)
        page_damaged(LOCATION_PAGE(location), "a word leads to another object's record");
    return RECORD_PREVIOUS(&h);
}

Location word_settled_location(uint64_t index)
{
    for (;;) {
        Location location = cache_table_location(index) & LOCATION_MASK;
        if (location == 0 || !space_bulk_undecided(LOCATION_PAGE(location), 0) || MUTATION(PREPARED_ALIVE))
            return location;
        Location previous = previous_of(location, index);
        if ((cache_table_location(index) & LOCATION_MASK) == location)
            return previous;
    }
}

bool word_restore(TableEntry *word, uint32_t frame, uint64_t index)
{
    Location prepared = atomic_load(&word->location) & LOCATION_MASK;
    Location previous = previous_of(prepared, index);
    word_lock(word);
    if ((atomic_load(&word->location) & LOCATION_MASK) == prepared) {
        atomic_store(&word->location, previous);
        cache_dirty(frame);
    }
    word_unlock(word);
    return previous != 0;
}

/* U4 */
static bool is_orphan(Location location)
{
    uint64_t bulk = the_store->extents[LOCATION_PAGE(location) / EXTENT_PAGES].bulk;
    for (uint32_t i = 0; i < the_store->shared->slots; i++)
        if (atomic_load(&the_store->slots[i].bulk) == bulk)
            return false;
    return true;
}

WordState word_wait(Oid oid)
{
    uint32_t frame;
    TableEntry *word = word_pin(oid, &frame);
    WordState state = word_look(word);
    for (unsigned spins = 0; state.locked; spins++) {
        nap(spins);
        state = word_look(word);
        if (!state.prepared || !is_orphan(state.location))
            continue;
        WordState again = word_look(word); /* it may have been decided, and its slot left, in between */
        if (again.prepared && again.location == state.location)
            word_restore(word, frame, OID_INDEX(oid));
    }
    return state;
}
