/*
 * collect.c - collecting: objects that nothing reaches and no session holds are taken out of the object table.
 *
 * What takes their space back is cleaning (clean.c): their records are garbage then.  A collection, one phase after the other:
 *
 *   ROOTS    S is the newest published sequence, the bits are clear; then the epoch is raised: who comes from here on has
 *            its view at S or later and need not vote.  Roots: the objects below OID_FIRST_USER, the numbered classes
 *   TRACE    all that they reach is seen: a bit for each index (`seen`), another for those looked at (`traced`)
 *   VOTES    every session that was there before has told what it holds, which is seen too; or has ended
 *   PUBLISH  F is the newest sequence handed out; wait until it is published
 *   NEWER    every version with a sequence between S and F is traced
 *   LAST     what all these reach is seen.  Then, under the SLOTS latch, the gate is set to GATE_DECIDED
 *   SWEEP    condemned is what has a version of S or before and is not seen: listed in the log, then the decision is logged and
 *            durable, then the words are emptied.  In one go
 *
 * A version's references are followed in all of an object's versions from the newest to the one that S sees.
 *
 * V1: no extent is given up while a collection is under way (one process does both, one after the other), so each link from a
 *     newer version to the one that S sees leads somewhere.
 * V2: what a session can come to lies in C, what is seen in the end, or was made after S.  For: (a) a session that came after
 *     the epoch was raised, and one that has voted, has its view at S or later from then on; (b) what it held when it voted is
 *     in C; (c) what it reads in an object of C at a view up to F is in C, because that version was traced; (d) what it reads
 *     in a version after F was put there by a session that had voted, from what that one could come to: by induction over
 *     the sequence it is in C, or new.  A commit that was handed its sequence before the last vote was in is F or older.
 * V3: who comes to an object without a reference (scans of a class, numbers that were kept, locks of others) asks the gate: before
 *     the decision that is a vote for it, after it the condemned are gone for him.  The decision is taken under the latch that
 *     such a vote holds, and only when nothing is seen that was not traced.
 * V4: all condemned objects go, or none: garbage refers to garbage.  The decision's record follows theirs in the log, the lower
 *     bound stays before them all until the last word is empty, and no word is on disk before the decision is durable.
 * V5: an emptied word keeps its sequence and gets the generation of the next object of the index.  A word swings only under its
 *     lock and while it still leads to what was condemned; were it not so, V2 would be wrong: PANIC, and redo.
 * V6: nothing here is needed after a crash.  No session lives on, and a sweep was decided or never was.
 *
 * Shared: the bits, set by votes, too; StoreShared.collect_*.  The rest is the process's own.
 */
#include "storage/compact/collect.h"

#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/compact/reuse.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/words.h"

#define STACK_MAX 65536
#define FLUSH_EVERY 32 /* records of condemned objects: others wait for a moment's writing only (bulk.c B4) */

/* As of conf.compactor_cost_limit: a page of the table looked at, a record's page read from the disk, so many references. */
enum { COST_LOOK = 1, COST_READ = 5, TRACED_FOR_ONE = 64 };

typedef enum { COLLECT_ROOTS, COLLECT_TRACE, COLLECT_VOTES, COLLECT_PUBLISH, COLLECT_NEWER, COLLECT_LAST } Phase;

static struct {
    bool active;
    Phase phase;
    uint64_t request;  /* requests up to this one are served by it */
    uint64_t epoch;
    uint64_t indexes;  /* that have bits */
    Sequence snapshot; /* S */
    Sequence newest;   /* F */
    uint64_t page;     /* of the table: NEWER */
    uint32_t classes;  /* numbered classes that are seen */
    uint64_t word;     /* of the bits: where the look for untraced ones goes on */
    bool found;        /* it met one since it began */
    uint64_t *stack;   /* indexes seen and not traced, as many as there is room for */
    uint32_t depth;
    int64_t waiting_since;
    int64_t began;
    uint64_t references; /* followed, and not yet counted as cost */
    int64_t cost;
    MemoryContext *context;
    StoreRecord record;
    TableEntry *entries; /* a copy of a page of the table */
} run;

/* ---- bits ------------------------------------------------------------------------------------------------------------ */

static inline bool bit_set(_Atomic uint64_t *bits, uint64_t i)
{
    uint64_t bit = UINT64_C(1) << (i % 64);
    return atomic_load_explicit(&bits[i / 64], memory_order_relaxed) & bit ? true :
           (atomic_fetch_or(&bits[i / 64], bit) & bit) != 0;
}

static inline bool bit_is(_Atomic uint64_t *bits, uint64_t i)
{
    return atomic_load(&bits[i / 64]) >> (i % 64) & 1;
}

static void see(uint64_t index)
{
    if (index == 0 || index >= run.indexes || bit_set(the_store->seen, index))
        return;
    if (run.depth < STACK_MAX)
        run.stack[run.depth++] = index;
}

/* ---- the table ------------------------------------------------------------------------------------------------------- */

static void copy_table_page(uint64_t logical)
{
    run.cost += COST_LOOK;
    cache_copy(TABLE_KEY | logical, PAGE_HEADER, run.entries, TABLE_ENTRIES * sizeof(TableEntry));
}

/* A locked word is being installed, by one who can come to the object or has made it: then it may have no sequence yet. */
static bool is_condemned(uint64_t index, WordState word)
{
    return index >= OID_FIRST_USER && index < run.indexes && word.location != 0 && !word.locked && word.sequence != 0 &&
           word.sequence <= run.snapshot && !bit_is(the_store->seen, index);
}

uint64_t collected_word(Oid oid)
{
    uint64_t next = OID_GENERATION(oid) + 1;
    return next < OID_GENERATIONS ? WORD_WAITS_FOR(next) : 0;
}

/* ---- tracing --------------------------------------------------------------------------------------------------------- */

/* What the object's versions refer to, down to the one that S sees. */
static void trace(uint64_t index)
{
    if (index < run.indexes)
        bit_set(the_store->traced, index);
    for (Location at = cache_table_location(index) & LOCATION_MASK; at != 0;) {
        RecordHeader h;
        run.cost += atomic_load(&the_store->page_map[LOCATION_PAGE(at)]) == 0 ? COST_READ : 0;
        record_header_of(at, index, &h);
        Sequence sequence = record_sequence(at, &h);
        if (sequence == 0) { /* a bulk commit has not decided: what it refers to its session holds (bulk.c B3) */
            at = RECORD_PREVIOUS(&h);
            continue;
        }
        record_slots(at, &h, &run.record);
        run.references += 4 + run.record.nslots;
        for (uint32_t i = 0; i < run.record.nslots; i++)
            if (SLOT_IS_REFERENCE(run.record.slots[i]))
                see(OID_INDEX(SLOT_OID(run.record.slots[i])));
        if (RECORD_CLASS(&h) != 0)
            see(OID_INDEX(store_class_oid(RECORD_CLASS(&h))));
        if (sequence <= run.snapshot || MUTATION(COLLECT_VERSIONS))
            return;
        at = RECORD_PREVIOUS(&h);
    }
}

/* False: all that is seen was traced, as far as this process looked. */
static bool trace_one(void)
{
    if (run.depth > 0) {
        trace(run.stack[--run.depth]);
        return true;
    }
    for (uint64_t words = (run.indexes + 63) / 64; run.word < words; run.word++) {
        uint64_t untraced = atomic_load(&the_store->seen[run.word]) & ~atomic_load(&the_store->traced[run.word]);
        run.cost += run.word % 4096 == 0;
        if (untraced != 0) {
            run.found = true;
            trace(run.word * 64 + (unsigned)__builtin_ctzll(untraced));
            return true;
        }
    }
    run.word = 0;
    bool again = run.found;
    run.found = false;
    return again;
}

static void see_classes(void)
{
    for (uint32_t n = store_class_count(); run.classes < n;)
        see(OID_INDEX(store_class_oid(++run.classes)));
}

/* ---- the phases ------------------------------------------------------------------------------------------------------ */

static void begin(void)
{
    StoreShared *s = the_store->shared;
    memset(&run, 0, sizeof(run));
    run.context = memctx_create(the_store->context, "collection");
    run.active = true;
    run.began = clock_monotonic_ns();
    run.request = atomic_load(&s->collect_asked);
    run.snapshot = atomic_load(&s->published);
    run.indexes = atomic_load(&s->table_pages) * TABLE_ENTRIES; /* after S: all that it sees has a bit */
    run.stack = mem_alloc_array(run.context, STACK_MAX, sizeof(uint64_t));
    run.entries = mem_alloc(run.context, PAGE_PAYLOAD);
    store_record_init(&run.record, run.context);
    memset((void *)the_store->seen, 0, (run.indexes / 64 + 1) * sizeof(uint64_t));
    memset((void *)the_store->traced, 0, (run.indexes / 64 + 1) * sizeof(uint64_t));
    atomic_store(&s->collect_indexes, run.indexes);
    latch_acquire(&s->slots_latch, LATCH_EXCLUSIVE);
    atomic_store(&s->collect_snapshot, run.snapshot);
    atomic_store(&s->collect_gate, GATE_MARKING);
    run.epoch = atomic_fetch_add(&s->collect_epoch, 1) + 1; /* V2a: after S was taken */
    latch_release(&s->slots_latch);
    STOP_POINT(COLLECT_BEGUN);
}

static void see_roots(void)
{
    for (uint64_t logical = 0; logical <= TABLE_PAGE(OID_FIRST_USER) && logical * TABLE_ENTRIES < run.indexes; logical++) {
        copy_table_page(logical);
        for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
            if (logical * TABLE_ENTRIES + i < OID_FIRST_USER && word_look(&run.entries[i]).location != 0)
                see(logical * TABLE_ENTRIES + i);
    }
    see_classes();
}

static void open_gate(void)
{
    latch_acquire(&the_store->shared->slots_latch, LATCH_EXCLUSIVE);
    atomic_store(&the_store->shared->collect_gate, GATE_OPEN);
    latch_release(&the_store->shared->slots_latch);
}

static void finish(bool done)
{
    StoreShared *s = the_store->shared;
    open_gate();
    if (!done) {
        atomic_store(&s->collect_failed, run.request);
        atomic_fetch_add(&s->stat_collect_given_up, 1);
    }
    atomic_store(&s->collect_waits_for, 0);
    atomic_store(&s->collect_served, run.request);
    memctx_delete(run.context);
    memset(&run, 0, sizeof(run));
}

static bool all_have_voted(void)
{
    StoreShared *s = the_store->shared;
    int32_t waits_for = 0;
    latch_acquire(&s->slots_latch, LATCH_SHARED);
    for (uint32_t i = 0; i < s->sessions_max && waits_for == 0; i++)
        if (atomic_load(&the_store->slots[i].state) != SLOT_FREE && atomic_load(&the_store->slots[i].voted) < run.epoch)
            waits_for = (int32_t)i + 1;
    latch_release(&s->slots_latch);
    atomic_store(&s->collect_waits_for, waits_for);
    return waits_for == 0 || MUTATION(COLLECT_VOTES);
}

static CompactStatus votes(void)
{
    StoreShared *s = the_store->shared;
    int64_t now = clock_monotonic_ns();
    if (all_have_voted()) {
        run.newest = wal_last_sequence(the_store->wal);
        run.phase = COLLECT_PUBLISH;
        STOP_POINT(COLLECT_VOTED);
        return COMPACT_WORKED;
    }
    if (run.waiting_since == 0)
        run.waiting_since = now;
    if (conf.collect_timeout == 0 || now - run.waiting_since < conf.collect_timeout * NSEC_PER_MSEC)
        return COMPACT_WAITS;
    int32_t i = atomic_load(&s->collect_waits_for) - 1;
    log_message(WARNING, "gave up a collection: session %d (pid %d) has come to no boundary of a transaction for %lld s", i + 1,
                atomic_load(&the_store->slots[MAX(i, 0)].pid), (long long)conf.collect_timeout / 1000);
    finish(false);
    return COMPACT_NOTHING;
}

static void trace_newer(void)
{
    if (run.page >= atomic_load(&the_store->shared->table_pages) || MUTATION(COLLECT_NEWER)) {
        run.phase = COLLECT_LAST;
        return;
    }
    copy_table_page(run.page);
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
        WordState word = word_look(&run.entries[i]);
        if (word.sequence > run.snapshot || word.prepared) { /* prepared: the version before may be by another bulk commit */
            uint64_t index = run.page * TABLE_ENTRIES + i;
            if (index < run.indexes)
                bit_set(the_store->seen, index);
            trace(index); /* perhaps again: it may have been traced before these versions were there */
        }
    }
    run.page++;
}

/* V3.  False: something was seen meanwhile that is not traced. */
static bool decide(void)
{
    StoreShared *s = the_store->shared;
    bool all = true;
    latch_acquire(&s->slots_latch, LATCH_EXCLUSIVE);
    for (uint64_t w = 0; w <= run.indexes / 64 && all; w++)
        all = (atomic_load(&the_store->seen[w]) & ~atomic_load(&the_store->traced[w])) == 0;
    all = all && store_class_count() == run.classes;
    if (all)
        atomic_store(&s->collect_gate, GATE_DECIDED);
    latch_release(&s->slots_latch);
    return all;
}

/* ---- SWEEP ----------------------------------------------------------------------------------------------------------- */

typedef struct Condemned {
    Oid oid;
    Sequence sequence;
    Location location;
} Condemned;

typedef struct Sweep {
    Condemned *all; /* by index */
    uint64_t count, room, bytes;
    Lsn end; /* of the decision */
} Sweep;

/* From credit. */
static Lsn append(WalKind kind, const void *payload, uint32_t bytes)
{
    START_CRIT();
    Lsn end = wal_append_credited(the_store->wal, &the_store->me->credit, kind, 0, payload, bytes);
    END_CRIT();
    return end;
}

/* The condemned of run.entries. */
static void condemn_page(Sweep *sweep, uint64_t logical)
{
    if (sweep->room - sweep->count < TABLE_ENTRIES) {
        sweep->room = (sweep->count + TABLE_ENTRIES) * 2;
        sweep->all = mem_realloc(run.context, sweep->all, sweep->room * sizeof(Condemned));
    }
    for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
        WordState word = word_look(&run.entries[i]);
        RecordHeader h;
        if (!is_condemned(logical * TABLE_ENTRIES + i, word))
            continue;
        record_header_of(word.location, logical * TABLE_ENTRIES + i, &h);
        sweep->all[sweep->count++] = (Condemned){ RECORD_OID(&h), word.sequence, word.location };
        sweep->bytes += RECORD_BYTES(h.length);
        space_live_add(word.location, RECORD_BYTES(h.length), -1);
    }
}

/* V4: all that is condemned stands in the log. */
static void list_condemned(Sweep *sweep, uint64_t number)
{
    CondemnedRecord *record = mem_alloc(run.context, sizeof(*record) + TABLE_ENTRIES * sizeof(CondemnedEntry));
    CondemnedEntry *list = (CondemnedEntry *)(record + 1);
    unsigned records = 0;
    for (uint64_t logical = 0; logical * TABLE_ENTRIES < run.indexes; logical++) {
        uint64_t from = sweep->count;
        copy_table_page(logical);
        condemn_page(sweep, logical);
        uint32_t n = (uint32_t)(sweep->count - from);
        if (n == 0)
            continue;
        *record = (CondemnedRecord){ .number = number, .entries = n };
        for (uint32_t i = 0; i < n; i++)
            list[i] = (CondemnedEntry){ sweep->all[from + i].oid, sweep->all[from + i].sequence };
        uint32_t bytes = (uint32_t)(sizeof(*record) + n * sizeof(CondemnedEntry));
        store_credit(1, bytes, 0);
        Lsn end = append(WAL_CONDEMNED, record, bytes);
        STOP_POINT(COLLECT_CONDEMNED);
        if (++records % FLUSH_EVERY == 0)
            wal_flush(the_store->wal, end);
    }
}

/* V5 */
static void empty_word(const Condemned *condemned, TableEntry *word)
{
    uint64_t c = atomic_load(&word->control);
    if ((c & CONTROL_LOCKED) || !atomic_compare_exchange_strong(&word->control, &c, CONTROL_LOCK(c, the_store->slot)) ||
        (atomic_load(&word->location) & LOCATION_MASK) != condemned->location || CONTROL_SEQUENCE(c) > condemned->sequence)
        ereport(PANIC, ERR_INTERNAL, errmsg("object %llu was condemned and changes", (unsigned long long)condemned->oid));
    atomic_store(&word->location, collected_word(condemned->oid));
    atomic_store(&word->control, condemned->sequence);
}

/* The words of the table's page that the from-th is in; returns the first of the next page. */
static uint64_t empty_words(const Sweep *sweep, uint64_t from)
{
    uint64_t logical = TABLE_PAGE(OID_INDEX(sweep->all[from].oid)), i = from;
    uint32_t frame = cache_pin(TABLE_KEY | logical);
    TableEntry *words = (TableEntry *)(frame_page(frame) + PAGE_HEADER);
    START_CRIT();
    cache_raise_lsn(frame, sweep->end);
    for (; i < sweep->count && TABLE_PAGE(OID_INDEX(sweep->all[i].oid)) == logical; i++) {
        empty_word(&sweep->all[i], &words[TABLE_SLOT(OID_INDEX(sweep->all[i].oid))]);
        STOP_POINT(COLLECT_SWEEP);
    }
    cache_dirty(frame);
    END_CRIT();
    cache_unpin_all();
    return i;
}

/* The decision, and what it says.  Once it is in the log what is listed goes: an error can only be mended by redo. */
static void carry_out(Sweep *sweep, uint64_t number)
{
    store_credit(1, sizeof(SweptRecord), 0);
    TRY()
    {
        sweep->end = append(WAL_SWEPT, &(SweptRecord){ number, sweep->count }, sizeof(SweptRecord));
        STOP_POINT(COLLECT_LOGGED);
        wal_flush(the_store->wal, sweep->end);
        for (uint64_t i = 0; i < sweep->count;)
            i = empty_words(sweep, i);
    }
    CATCH(err)
    {
        ereport(PANIC, ERR_INTERNAL, errmsg("a sweep that was decided on can't be done: %s", err->message));
    }
    END_TRY();
}

static void sweep_all(void)
{
    StoreShared *s = the_store->shared;
    Sweep sweep = { 0 };
    uint64_t number = wal_insert_position(the_store->wal);
    if (!MUTATION(SWEEP_LOWER_BOUND))
        atomic_store(&the_store->me->lower_bound, number); /* V4 */
    list_condemned(&sweep, number);
    STOP_POINT(COLLECT_LISTED);
    if (sweep.count > 0)
        carry_out(&sweep, number);
    STOP_POINT(COLLECT_SWEPT);
    atomic_store(&the_store->me->lower_bound, 0);
    store_credit_return();
    if (sweep.count > 0)
        reuse_begin(sweep.end);
    atomic_store(&s->collect_freed, sweep.count);
    atomic_store(&s->collect_freed_bytes, sweep.bytes);
    atomic_fetch_add(&s->stat_collections, 1);
    atomic_fetch_add(&s->stat_freed, sweep.count);
    atomic_fetch_add(&s->stat_freed_bytes, sweep.bytes);
}

static void count_kept(void)
{
    uint64_t kept = 0;
    for (uint64_t logical = 0; logical * TABLE_ENTRIES < run.indexes; logical++) {
        copy_table_page(logical);
        for (uint64_t i = 0; i < TABLE_ENTRIES; i++)
            kept += word_look(&run.entries[i]).location != 0;
    }
    atomic_store(&the_store->shared->collect_kept, kept);
}

static void last(void)
{
    StoreShared *s = the_store->shared;
    see_classes();
    if (trace_one() || !decide())
        return;
    STOP_POINT(COLLECT_DECIDED);
    sweep_all();
    count_kept();
    log_message(LOG, "collected %llu objects (%llu bytes) that nothing reached, %llu stay; it took %lld ms",
                (unsigned long long)atomic_load(&s->collect_freed), (unsigned long long)atomic_load(&s->collect_freed_bytes),
                (unsigned long long)atomic_load(&s->collect_kept), (long long)((clock_monotonic_ns() - run.began) / NSEC_PER_MSEC));
    finish(true);
}

/* ---- a stretch of work ------------------------------------------------------------------------------------------------- */

bool collect_wanted(void)
{
    return run.active || atomic_load(&the_store->shared->collect_asked) > atomic_load(&the_store->shared->collect_served);
}

void collect_forget(void)
{
    memset(&run, 0, sizeof(run));
    reuse_forget();
}

static CompactStatus one_step(void)
{
    if (!run.active) {
        begin();
        return COMPACT_WORKED;
    }
    switch (run.phase) {
    case COLLECT_ROOTS:
        see_roots();
        run.phase = COLLECT_TRACE;
        break;
    case COLLECT_TRACE:
        if (!trace_one())
            run.phase = COLLECT_VOTES;
        break;
    case COLLECT_VOTES:
        return votes();
    case COLLECT_PUBLISH:
        if (atomic_load(&the_store->shared->published) < run.newest)
            return COMPACT_WAITS;
        run.phase = COLLECT_NEWER;
        break;
    case COLLECT_NEWER:
        trace_newer();
        break;
    case COLLECT_LAST:
        last();
        return run.active ? COMPACT_WORKED : COMPACT_NOTHING;
    }
    return COMPACT_WORKED;
}

/* Nothing has happened: what the log lists was not decided. */
static void give_up(const char *message)
{
    log_message(WARNING, "gave up a collection: %s", message);
    atomic_store(&the_store->me->lower_bound, 0);
    store_credit_return();
    cache_unpin_all();
    the_store->shared->live_unknown = 1; /* some condemned records were counted as garbage */
    if (run.active)
        finish(false);
}

CompactStatus collect_step(int64_t cost)
{
    CompactStatus volatile status = COMPACT_WORKED;
    bool volatile own_view = !store_snapshot_held(); /* extents of undone bulk commits rest for it (bulk.c B5) */
    run.cost = 0;
    if (own_view)
        store_begin();
    TRY()
    {
        while (status == COMPACT_WORKED && run.cost < cost) {
            status = one_step();
            run.cost += (run.phase == COLLECT_VOTES) + (int64_t)(run.references / TRACED_FOR_ONE);
            run.references %= TRACED_FOR_ONE;
        }
    }
    CATCH(err)
    {
        give_up(err->message);
        status = COMPACT_NOTHING;
    }
    END_TRY();
    if (own_view)
        store_end();
    return status;
}

/* ---- for sessions ------------------------------------------------------------------------------------------------------ */

static StoreShared *shared_of_session(void)
{
    if (the_store == NULL || the_store->me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    return the_store->shared;
}

uint64_t store_collect_request(void)
{
    uint64_t number = atomic_fetch_add(&shared_of_session()->collect_asked, 1) + 1;
    store_compactor_wake();
    return number;
}

CollectStatus store_collect_status(uint64_t number, CollectResult *out)
{
    StoreShared *s = shared_of_session();
    while (the_store->mode == STORE_SOLO && atomic_load(&s->collect_served) < number)
        if (store_compact_step() != COMPACT_WORKED)
            break;
    int slot = atomic_load(&s->collect_waits_for) - 1;
    *out = (CollectResult){ .kept = atomic_load(&s->collect_kept), .freed = atomic_load(&s->collect_freed),
                            .freed_bytes = atomic_load(&s->collect_freed_bytes), .waits_for = slot,
                            .waits_for_pid = slot < 0 ? 0 : atomic_load(&the_store->slots[slot].pid) };
    if (atomic_load(&s->collect_served) < number)
        return COLLECT_UNDER_WAY;
    return atomic_load(&s->collect_failed) >= number ? COLLECT_GIVEN_UP : COLLECT_DONE;
}

bool store_vote_wanted(void)
{
    SessionSlot *me = the_store != NULL ? the_store->me : NULL;
    return me != NULL && atomic_load_explicit(&the_store->shared->collect_gate, memory_order_relaxed) == GATE_MARKING &&
           atomic_load(&me->voted) < atomic_load(&the_store->shared->collect_epoch);
}

uint64_t store_vote_begin(void)
{
    StoreShared *s = shared_of_session();
    latch_acquire(&s->slots_latch, LATCH_SHARED);
    uint64_t epoch = atomic_load(&s->collect_epoch);
    Sequence snapshot = atomic_load(&s->collect_snapshot);
    latch_release(&s->slots_latch);
    return store_snapshot_held() && store_snapshot_seq() < snapshot && !MUTATION(VOTE_VIEW) ? 0 : epoch;
}

void store_vote_hold(Oid oid)
{
    if (OID_INDEX(oid) < atomic_load_explicit(&the_store->shared->collect_indexes, memory_order_relaxed))
        bit_set(the_store->seen, OID_INDEX(oid));
}

void store_vote_end(uint64_t vote)
{
    atomic_store(&the_store->me->voted, vote);
    store_compactor_wake();
}

/* V3 */
bool collect_may_take(Oid oid, Sequence sequence)
{
    StoreShared *s = the_store->shared;
    bool may = true;
    if (atomic_load(&s->collect_gate) == GATE_OPEN || MUTATION(COLLECT_GATE))
        return true;
    latch_acquire(&s->slots_latch, LATCH_SHARED);
    uint32_t gate = atomic_load(&s->collect_gate);
    if (gate == GATE_MARKING)
        store_vote_hold(oid);
    else if (gate == GATE_DECIDED)
        may = oid < OID_FIRST_USER || OID_INDEX(oid) >= atomic_load(&s->collect_indexes) ||
              sequence > atomic_load(&s->collect_snapshot) || bit_is(the_store->seen, OID_INDEX(oid));
    latch_release(&s->slots_latch);
    return may;
}

bool store_adopt(Oid oid)
{
    RecordHeader h;
    Location location = cache_table_location(OID_INDEX(oid)) & LOCATION_MASK;
    if (location == 0)
        return false;
    record_header_of(location, OID_INDEX(oid), &h);
    if (RECORD_OID(&h) != oid)
        return false; /* it was collected, and its index is another's */
    if (!collect_may_take(oid, record_sequence(location, &h)))
        return false;
    return store_version(oid) != 0;
}
