/*
 * recovery.c - redo: from the last checkpoint's redo point to the end of the log.
 *
 * Two passes over the log.  The first knows only space and names: which extents and pages data has, so that recovery
 * itself puts no table page where a data page will be (space.c E1).  The second puts images where they were and makes the
 * words of the object table lead to them.
 *
 * D1: a page whose opening lies after the redo point is built from nothing, whatever the disk holds.  Every other page is
 *     whole on disk and is only checked.
 * D2: a word takes every record whose sequence is at least its own, in log order.
 * D3: all of it can be done again from the start: a crash in recovery changes nothing that the last checkpoint refers to.
 * D4: it uses no state but the store's (no session's, no process's): a standby will run it record by record.
 */
#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/bulk.h"
#include "storage/txn/txn.h"

#include "lib/hashtab.h"

/* A page opened after the redo point. */
typedef struct FreshPage {
    uint64_t page; /* key */
    uint32_t class_id, run, run_index;
    bool built; /* something was put there: from now on what we have counts */
} FreshPage;

/* Entries of a bulk commit not yet decided. */
typedef struct Ahead {
    uint64_t bulk; /* key */
    CommitEntry *entries;
    uint64_t count, room;
    uint32_t crc;
} Ahead;

typedef struct Recovery {
    MemoryContext *context;
    HashTab *fresh, *ahead;
    HashTab *swept; /* numbers of the sweeps that were decided */
    int pass;
    uint64_t commits;
    Sequence last;
} Recovery;

static NORETURN void malformed(const WalRecord *record)
{
    ereport(ERROR, ERR_CORRUPT_WAL,
            errmsg("the log's record at %llu (%s) is malformed", (unsigned long long)record->lsn,
                   wal_kind_name(record->kind)),
            errhint("Restore the store from a backup."));
}

static const void *payload_of(const WalRecord *record, size_t least)
{
    if (record->length < least)
        malformed(record);
    return record->payload;
}

/* ---- first pass: space, names, limits --------------------------------------------------------------------------- */

static void redo_extent_take(const WalRecord *record, Recovery *r)
{
    const ExtentTakeRecord *take = payload_of(record, sizeof(*take));
    (void)r;
    space_redo_take(take);
    if (take->bulk != 0 && take->bulk >= atomic_load(&the_store->shared->next_bulk))
        atomic_store(&the_store->shared->next_bulk, take->bulk + 1);
}

static void redo_extent_free(const WalRecord *record, Recovery *r)
{
    (void)r;
    space_redo_free(payload_of(record, sizeof(ExtentFreeRecord)));
}

static void redo_page_open(const WalRecord *record, Recovery *r)
{
    const PageOpenRecord *open = payload_of(record, sizeof(*open));
    if (open->page >= the_store->shared->max_pages || open->page < EXTENT_PAGES || open->count == 0 ||
        open->page % EXTENT_PAGES + open->count > EXTENT_PAGES)
        malformed(record);
    space_redo_open(open);
    for (uint32_t i = 0; i < open->count; i++) {
        uint64_t page = open->page + i;
        FreshPage *f = hashtab_enter(r->fresh, &page, NULL);
        f->class_id = open->class_id;
        f->run = open->count;
        f->run_index = i;
    }
}

static void redo_counter(const WalRecord *record, Recovery *r)
{
    (void)r;
    counter_redo(payload_of(record, sizeof(CounterRecord)));
}

static void redo_oid_limit(const WalRecord *record, Recovery *r)
{
    const OidLimitRecord *limit = payload_of(record, sizeof(*limit));
    (void)r;
    StoreShared *s = the_store->shared;
    if (limit->limit > s->oid_limit)
        s->oid_next = s->oid_limit = limit->limit;
}

static void redo_name(const WalRecord *record, Recovery *r)
{
    (void)r;
    catalogue_redo(record->payload, record->length);
}

static void redo_swept(const WalRecord *record, Recovery *r)
{
    const SweptRecord *swept = payload_of(record, sizeof(*swept));
    hashtab_enter(r->swept, &swept->number, NULL);
}

/* ---- second pass: pages and words -------------------------------------------------------------------------------------- */

static uint32_t new_frame(PageNo page, PageKind kind, uint32_t class_id, uint32_t run, uint32_t run_index)
{
    cache_drop(page);
    uint32_t f = cache_claim();
    uint8_t *bytes = frame_page(f);
    memset(bytes, 0, PAGE_BYTES);
    PageHeader *h = (PageHeader *)bytes;
    h->kind = (uint16_t)kind;
    h->class_id = class_id;
    h->fill = PAGE_HEADER;
    h->run = run;
    h->run_index = run_index;
    atomic_store(&the_store->frames[f].lsn, 0);
    bool fresh = cache_install(f, page, FRAME_DIRTY);
    Assert(fresh);
    (void)fresh;
    return cache_pin(page);
}

/* D1 */
static uint32_t fresh_frame(FreshPage *fresh)
{
    if (fresh->built || MUTATION(BUILD_FROM_NOTHING))
        return cache_pin(fresh->page);
    fresh->built = true;
    return new_frame(fresh->page, fresh->run_index == 0 ? PAGE_DATA : PAGE_RUN, fresh->class_id, fresh->run,
                     fresh->run_index);
}

/* A record's image, as it was placed: its sequence is not in it. */
typedef struct Image {
    Oid oid;
    Location location;
    Sequence sequence;
    uint32_t length;
} Image;

static void put_image(const WalRecord *record, Recovery *r, const Image *put, const uint8_t *image)
{
    PageNo page = LOCATION_PAGE(put->location);
    uint32_t offset = LOCATION_OFFSET(put->location);
    uint32_t left = put->length;
    bool first = true;

    space_live_add(put->location, put->length, 1); /* what it replaces is not known: rather too much than too little */
    while (left > 0) {
        uint32_t n = MIN(left, PAGE_BYTES - offset);
        FreshPage *fresh = hashtab_find(r->fresh, &page);
        if (fresh != NULL) {
            uint32_t f = fresh_frame(fresh);
            uint8_t *bytes = frame_page(f);
            memcpy(bytes + offset, image, n);
            if (first) {
                RecordHeader *h = (RecordHeader *)(bytes + offset);
                h->sequence_etc |= put->sequence;
            }
            PageHeader *h = (PageHeader *)bytes;
            h->fill = MAX(h->fill, offset + n);
            cache_raise_lsn(f, record->end);
            cache_dirty(f);
            cache_unpin_all();
        } else if (first) {
            RecordHeader h;
            record_header(put->location, put->oid, &h);
            if (RECORD_SEQUENCE(&h) != put->sequence)
                page_damaged(page, "it lacks a record that was committed before the last checkpoint");
        }
        first = false;
        image += n;
        left -= n;
        page++;
        offset = PAGE_HEADER;
    }
}

/* D2 */
static void set_word(const WalRecord *record, Oid oid, Location location, Sequence sequence)
{
    StoreShared *s = the_store->shared;
    uint64_t index = OID_INDEX(oid);
    if (TABLE_PAGE(index) >= s->table_pages_max)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the object table is larger than max_store_size allows"),
                errhint("Raise max_store_size in lodestone.conf."));
    if (atomic_load(&s->table_pages) <= TABLE_PAGE(index))
        atomic_store(&s->table_pages, TABLE_PAGE(index) + 1);
    uint32_t f = cache_pin(TABLE_KEY | TABLE_PAGE(index));
    TableEntry *word = (TableEntry *)(frame_page(f) + PAGE_HEADER) + TABLE_SLOT(index);
    if (sequence >= CONTROL_SEQUENCE(atomic_load(&word->control))) {
        cache_raise_lsn(f, record->end);
        atomic_store(&word->location, location);
        atomic_store(&word->control, sequence);
        cache_dirty(f);
    }
    if (cache_pinned() > 8)
        cache_unpin_all();
}

static void redo_commit(const WalRecord *record, Recovery *r)
{
    const CommitRecord *commit = payload_of(record, sizeof(*commit));
    const CommitEntry *entries = (const CommitEntry *)(commit + 1);
    uint64_t need = sizeof(*commit) + (uint64_t)commit->entries * sizeof(CommitEntry) +
                    (uint64_t)commit->extents * sizeof(uint32_t);
    if (record->length < need)
        malformed(record);
    const uint8_t *at = (const uint8_t *)(entries + commit->entries);
    if (commit->bulk == 0) {
        for (uint32_t i = 0; i < commit->entries; i++) {
            need += entries[i].length;
            if (record->length < need || entries[i].length < sizeof(RecordHeader))
                malformed(record);
            put_image(record, r, &(Image){ entries[i].oid, entries[i].location, record->sequence, entries[i].length }, at);
            at += entries[i].length;
        }
    } else {
        uint32_t extents[commit->extents + 1];
        memcpy(extents, at, commit->extents * sizeof(uint32_t));
        for (uint32_t i = 0; i < commit->extents; i++)
            if (extents[i] >= the_store->shared->extents)
                malformed(record);
        space_commit_bulk(extents, commit->extents, record->sequence);
        for (uint32_t i = 0; i < commit->extents; i++)
            space_live_set(extents[i], EXTENT_PAYLOAD); /* no less: it is counted one day */
        Ahead *ahead = hashtab_find(r->ahead, &commit->bulk);
        if ((ahead == NULL ? 0 : ahead->count) != commit->ahead || (ahead != NULL && ahead->crc != commit->ahead_crc))
            ereport(ERROR, ERR_CORRUPT_WAL,
                    errmsg("the bulk commit at %llu does not have its entries in the log",
                           (unsigned long long)record->lsn),
                    errhint("Restore the store from a backup."));
        for (uint64_t i = 0; i < commit->ahead; i++)
            set_word(record, ahead->entries[i].oid, ahead->entries[i].location, record->sequence);
        if (ahead != NULL) {
            mem_free(ahead->entries);
            hashtab_remove(r->ahead, &commit->bulk);
        }
    }
    for (uint32_t i = 0; i < commit->entries; i++)
        set_word(record, entries[i].oid, entries[i].location, record->sequence);
    cache_unpin_all();
    r->commits++;
}

/* D2: a move's sequence is the version's own, so it follows that version's commit and is overruled by every later one. */
static void redo_move(const WalRecord *record, Recovery *r)
{
    const MoveRecord *move = payload_of(record, sizeof(*move));
    const MoveEntry *entries = (const MoveEntry *)(move + 1);
    uint64_t need = sizeof(*move) + (uint64_t)move->entries * sizeof(MoveEntry);
    if (record->length < need)
        malformed(record);
    const uint8_t *at = (const uint8_t *)(entries + move->entries);
    for (uint32_t i = 0; i < move->entries; i++) {
        const MoveEntry *m = &entries[i];
        need += m->length;
        if (record->length < need || m->length < sizeof(RecordHeader))
            malformed(record);
        put_image(record, r, &(Image){ m->oid, m->location, m->sequence, m->length }, at);
        at += m->length;
    }
    for (uint32_t i = 0; i < move->entries; i++)
        if (entries[i].sequence != 0)
            set_word(record, entries[i].oid, entries[i].location, entries[i].sequence);
    cache_unpin_all();
}

/* D2: a collected object's word keeps the sequence of its last version; who gets the index next commits with a greater one. */
static void redo_condemned(const WalRecord *record, Recovery *r)
{
    const CondemnedRecord *condemned = payload_of(record, sizeof(*condemned));
    const CondemnedEntry *entries = (const CondemnedEntry *)(condemned + 1);
    if (record->length != sizeof(*condemned) + condemned->entries * sizeof(CondemnedEntry))
        malformed(record);
    if (hashtab_find(r->swept, &condemned->number) == NULL && !MUTATION(SWEEP_DECIDED))
        return;
    for (uint32_t i = 0; i < condemned->entries; i++)
        set_word(record, entries[i].oid, collected_word(entries[i].oid), entries[i].sequence);
    cache_unpin_all();
}

static void redo_bulk_page(const WalRecord *record, Recovery *r)
{
    const BulkPageRecord *bulk = payload_of(record, sizeof(*bulk));
    (void)r;
    if (bulk->fill < PAGE_HEADER || bulk->fill > PAGE_BYTES || record->length != sizeof(*bulk) + bulk->fill)
        malformed(record);
    space_open_bulk(bulk->page, bulk->bulk);
    uint32_t f = new_frame(bulk->page, PAGE_DATA, 0, 1, 0);
    memcpy(frame_page(f), bulk + 1, bulk->fill);
    cache_raise_lsn(f, record->end);
    cache_dirty(f);
    cache_unpin_all();
}

static void redo_bulk_entries(const WalRecord *record, Recovery *r)
{
    const BulkEntriesRecord *bulk = payload_of(record, sizeof(*bulk));
    size_t bytes = bulk->entries * sizeof(CommitEntry);
    if (record->length != sizeof(*bulk) + bytes)
        malformed(record);
    Ahead *ahead = hashtab_enter(r->ahead, &bulk->bulk, NULL);
    if (ahead->count + bulk->entries > ahead->room) {
        uint32_t room = (ahead->count + bulk->entries) * 2;
        ahead->entries = mem_realloc(r->context, ahead->entries, room * sizeof(CommitEntry));
        ahead->room = room;
    }
    memcpy(ahead->entries + ahead->count, bulk + 1, bytes);
    ahead->count += bulk->entries;
    ahead->crc = crc32c(ahead->crc, bulk + 1, bytes);
}

/* ---- dispatch: the rows of records.def, and in which pass each runs --------------------------------------------------------- */

static void wal_redo_nothing(const WalRecord *record, Recovery *r)
{
    (void)record;
    (void)r;
}

static int pass_of(unsigned kind)
{
    return kind == WAL_COMMIT || kind == WAL_MOVE || kind == WAL_CONDEMNED || kind == WAL_BULK_PAGE || kind == WAL_BULK_ENTRIES ? 2 : 1;
}

static void redo(const WalRecord *record, void *context)
{
    static void (*const table[])(const WalRecord *, Recovery *) = {
#define WAL_RECORD(name, number, redo, text) [number] = redo,
#include "storage/wal/records.def"
#undef WAL_RECORD
    };
    Recovery *r = context;
    if (record->kind >= COUNT_OF(table) || table[record->kind] == NULL)
        malformed(record);
    if (pass_of(record->kind) != r->pass)
        return;
    STOP_POINT(RECOVERY_RECORD);
    table[record->kind](record, r);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------- */

/* Pages opened and never used may be opened again; dead extents leave the cache before they can be taken anew. */
static void tidy(Recovery *r)
{
    StoreShared *s = the_store->shared;
    HashIter it = { 0 };
    FreshPage *f;
    while ((f = hashtab_next(r->fresh, &it)) != NULL)
        if (!f->built)
            space_unopen(f->page);
    if (space_any_undecided())
        bulk_undo_undecided();
    for (uint32_t e = 1; e < s->extents; e++)
        if (the_store->extents[e].kind == EXTENT_DEAD)
            for (unsigned i = 0; i < EXTENT_PAGES; i++)
                cache_drop((PageNo)e * EXTENT_PAGES + i);
}

void recovery_run(void)
{
    StoreShared *s = the_store->shared;
    Recovery r = { .context = memctx_create(the_store->context, "recovery") };
    bool was_clean = s->control.clean != 0;
    WalRecovery wal = { .redo = s->control.redo, .must_reach = s->control.must_reach,
                        .end_known = was_clean, .incarnation = s->control.incarnation };
    int64_t start = clock_monotonic_ns();

    r.fresh = hashtab_create(r.context, sizeof(uint64_t), sizeof(FreshPage), HASH_BLOB);
    r.swept = hashtab_create(r.context, sizeof(uint64_t), sizeof(uint64_t), HASH_BLOB);
    r.ahead = hashtab_create(r.context, sizeof(uint64_t), sizeof(Ahead), HASH_BLOB);
    STOP_POINT(RECOVERY_START);
    the_store->recovering = true;
    r.pass = 1;
    wal_recover(the_store->wal, &wal, redo, &r);
    space_settle();
    STOP_POINT(RECOVERY_SPACE);
    r.pass = 2;
    wal.must_reach = wal.end;
    wal.end_known = true;
    wal_recover(the_store->wal, &wal, redo, &r);
    r.last = MAX(s->control.sequence, wal.last_sequence);
    tidy(&r);
    s->live_unknown = !was_clean; /* space.c E5 */
    atomic_store(&s->published, r.last);
    memctx_delete(r.context);
    STOP_POINT(RECOVERY_REDONE);
    /* From here on the log may be written; pages written before need no flush, after it any flush finds it open. */
    wal_start_incarnation(the_store->wal, &wal, r.last);
    the_store->recovering = false;
    STOP_POINT(RECOVERY_INCARNATION);
    if (!was_clean && s->control.root != 0)
        log_message(LOG, "recovered \"%s\": %llu commits redone in %lld ms", the_store->dir,
                    (unsigned long long)r.commits, (long long)((clock_monotonic_ns() - start) / NSEC_PER_MSEC));
    /* After a clean end there was nothing to redo and there is nothing to save. */
    if (wal.records != 0 || s->control.root == 0)
        checkpoint_run(false);
    STOP_POINT(RECOVERY_END);
}
