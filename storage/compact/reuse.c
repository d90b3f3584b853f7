/*
 * reuse.c - the indexes of collected objects are handed out again: in runs, with the next generation.
 *
 * After a sweep the table is walked once, as far as sessions use up what is offered (oids.c has the list).
 *
 * I1: only after a checkpoint whose redo point lies after the sweep: redo never empties a word that is somebody's again.
 * I2: before a run is offered its words are marked, and lose the sequence of what was collected: nobody takes a new object that
 *     is being installed for that (collect.c).  Neither is logged: a crash takes back the run with those who had it, and marks
 *     that the walks since the store was opened have not come to mean nothing.  A run that a full list does not take is lost
 *     until then.
 * I3: a run lies in one page of the table, has one generation and is not short: it is worth its latch, and new objects that
 *     belong together stay neighbours.
 */
#include "storage/compact/reuse.h"

#include "lib/error.h"
#include "storage/page/cache.h"
#include "storage/txn/txn.h"

#define SHORTEST_RUN 16
#define ENOUGH_RUNS 32 /* in the list: it takes as many more that sessions give back */
#define WORD_OFFERED (UINT64_C(1) << LOCATION_BITS) /* beside the generation */

static struct {
    bool active;
    Lsn swept;
    uint64_t index; /* where the walk goes on */
    uint64_t known; /* marks below are of runs that were offered since the store was opened */
    TableEntry entries[TABLE_ENTRIES];
} reuse;

void reuse_begin(Lsn swept)
{
    reuse.active = true;
    reuse.swept = swept;
    reuse.index = 0;
}

void reuse_forget(void)
{
    memset(&reuse, 0, sizeof(reuse));
}

/* The generation that the index waits for; 0: it is not free. */
static uint64_t free_generation(uint64_t index)
{
    uint64_t word = atomic_load(&reuse.entries[TABLE_SLOT(index)].location);
    if ((word & LOCATION_MASK) != 0 || ((word & WORD_OFFERED) && index < reuse.known))
        return 0;
    return WORD_GENERATION(word);
}

/* I2 */
static void offer(uint64_t from, uint64_t to, uint64_t generation)
{
    uint32_t frame = cache_pin(TABLE_KEY | TABLE_PAGE(from));
    TableEntry *words = (TableEntry *)(frame_page(frame) + PAGE_HEADER);
    for (uint64_t i = from; i < to; i++) {
        atomic_store(&words[TABLE_SLOT(i)].location, WORD_WAITS_FOR(generation) | WORD_OFFERED);
        atomic_store(&words[TABLE_SLOT(i)].control, 0);
    }
    cache_dirty(frame);
    cache_unpin_all();
    oids_offer(generation << OID_INDEX_BITS | from, generation << OID_INDEX_BITS | to);
}

/* From reuse.index to the end of its page, or of the first run in it. */
static void walk_some(void)
{
    uint64_t from = reuse.index, generation = free_generation(from), to = from + 1;
    while (TABLE_SLOT(to) != 0 && free_generation(to) == generation)
        to++;
    if (generation != 0 && to - from >= SHORTEST_RUN)
        offer(from, to, generation);
    reuse.index = to;
    reuse.known = MAX(reuse.known, to);
}

bool reuse_step(void)
{
    StoreShared *s = the_store->shared;
    if (!reuse.active || oids_offered() > ENOUGH_RUNS)
        return false;
    if (atomic_load(&s->redo) < reuse.swept) { /* I1 */
        store_checkpoint_request();
        return false;
    }
    if (TABLE_PAGE(reuse.index) >= atomic_load(&s->table_pages)) {
        reuse.active = false;
        return true;
    }
    cache_copy(TABLE_KEY | TABLE_PAGE(reuse.index), PAGE_HEADER, reuse.entries, sizeof(reuse.entries));
    for (uint64_t page = TABLE_PAGE(reuse.index); TABLE_PAGE(reuse.index) == page && oids_offered() <= ENOUGH_RUNS;)
        walk_some();
    return true;
}
