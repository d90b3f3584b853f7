/*
 * bulk.c - bulk commits.
 *
 * Their records fill extents of their own.  Each page is logged whole when it is full, ahead of the decision, and is an
 * ordinary sealed page from then on: it may be written and evicted.  Nothing refers to it until the commit record is in
 * the log; if that never comes, the extents are given up (by the session, the reaper, or recovery).
 *
 * B1: the lower bound published before the first page is logged stays until the commit has ended, so that the redo point
 *     stays before the first of its records.
 * B2: records of a bulk commit have sequence 0, which means: the extent's.  The extent's is set at Install, before any
 *     word leads a reader to a record in it.  One extent belongs to one bulk commit.
 * B3: all words are prepared before Decide: they get their locations, and keep their sequences.  A reader who meets a record
 *     whose extent has no sequence goes on to the version before, so nothing has happened yet; a committer takes such a word
 *     for locked (words.c U1).  When the extents get their sequence all of it has happened at once, and words have that
 *     sequence too (U2).  So Decide and Install need neither locks nor pages, however many objects there are.
 * B4: a bulk commit never has more than THROTTLE_PAGES in the log unflushed: others wait for a moment's writing only.
 * B5: a prepared record links to exactly where its word led to: whoever undoes the commit leads each word back there, before
 *     the extents are given up: the session by its list, the reaper and recovery by looking at every word.  The compactor takes
 *     the version there for alive meanwhile (clean.c).  Readers may have read a word before that and its record after:
 *     the extents are free only when all views have ended that began before the words were led back (space.c E3).
 * B6: what says whose an extent is, and the prepared record, are in the log before the word is on disk: recovery can read both.
 */
#include "storage/txn/bulk.h"

#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/space.h"
#include "storage/txn/words.h"

#define THROTTLE_PAGES 32

static MemoryContext *bulk_context;

void bulk_start(Bulk *bulk, MemoryContext *context)
{
    SessionSlot *me = the_store->me;
    memset(bulk, 0, sizeof(*bulk));
    bulk->frame = NO_FRAME;
    bulk_context = context;
    bulk->number = atomic_fetch_add(&the_store->shared->next_bulk, 1);
    if (!MUTATION(LOWER_BOUND))
        atomic_store(&me->lower_bound, wal_insert_position(the_store->wal)); /* B1 */
    atomic_store(&me->bulk, bulk->number);
}

/* `count` pages side by side, from what is left or from fresh extents. */
static PageNo take_pages(Bulk *bulk, uint32_t count)
{
    if (bulk->end - bulk->next < count) {
        uint32_t extents = (count + EXTENT_PAGES - 1) / EXTENT_PAGES;
        uint32_t first;
        if (bulk->extent_count + extents > bulk->extent_room) {
            uint32_t room = (bulk->extent_count + extents) * 2;
            bulk->extents = mem_realloc(bulk_context, bulk->extents, room * sizeof(uint32_t));
            bulk->extent_room = room;
        }
        for (unsigned tries = 0;; tries++) {
            space_reserve(extents);
            store_credit(1, sizeof(ExtentTakeRecord), 0);
            first = space_take_bulk(extents, bulk->number);
            if (first != 0)
                break;
            if (extents > 1 || tries > 8)
                space_extend(extents);
        }
        for (uint32_t i = 0; i < extents; i++)
            bulk->extents[bulk->extent_count++] = first + i;
        bulk->next = (PageNo)first * EXTENT_PAGES;
        bulk->end = bulk->next + extents * EXTENT_PAGES;
    }
    PageNo page = bulk->next;
    bulk->next += count;
    return page;
}

static void start_page(Bulk *bulk, PageNo page, PageKind kind, uint32_t run, uint32_t index)
{
    bulk->frame = cache_claim();
    bulk->page = page;
    bulk->at = PAGE_HEADER;
    uint8_t *bytes = frame_page(bulk->frame);
    memset(bytes, 0, PAGE_BYTES);
    PageHeader *h = (PageHeader *)bytes;
    h->kind = (uint16_t)kind;
    h->run = run;
    h->run_index = index;
}

/* Logs the page that is being filled and lets it go. */
static void log_page(Bulk *bulk)
{
    uint8_t *bytes = frame_page(bulk->frame);
    BulkPageRecord record = { bulk->number, bulk->page, bulk->at, 0 };
    ((PageHeader *)bytes)->fill = bulk->at;
    store_credit(1, sizeof(record) + bulk->at, 0);
    space_open_bulk(bulk->page, bulk->number);
    START_CRIT();
    WalPlace place = wal_place(the_store->wal, &the_store->me->credit, (uint32_t)sizeof(record) + bulk->at);
    wal_copy(the_store->wal, &place, 0, &record, sizeof(record));
    wal_copy(the_store->wal, &place, sizeof(record), bytes, bulk->at);
    wal_finish(the_store->wal, &place, WAL_BULK_PAGE, 0);
    END_CRIT();
    STOP_POINT(BULK_PAGE);
    bulk->logged = place.end;
    atomic_store(&the_store->frames[bulk->frame].lsn, place.end);
    bool fresh = cache_install(bulk->frame, bulk->page, FRAME_DIRTY);
    if (!fresh)
        ereport(PANIC, ERR_INTERNAL, errmsg("fresh page %llu is in the cache", (unsigned long long)bulk->page));
    bulk->frame = NO_FRAME;
    if (++bulk->unflushed >= THROTTLE_PAGES) { /* B4 */
        bulk->unflushed = 0;
        wal_flush(the_store->wal, bulk->logged);
    }
}

Location bulk_place(Bulk *bulk, const void *image, uint32_t bytes)
{
    uint32_t pages = RECORD_PAGES(bytes);
    if (pages == 1) {
        if (bulk->frame != NO_FRAME && bulk->at + bytes > PAGE_BYTES)
            log_page(bulk);
        if (bulk->frame == NO_FRAME)
            start_page(bulk, take_pages(bulk, 1), PAGE_DATA, 1, 0);
        memcpy(frame_page(bulk->frame) + bulk->at, image, bytes);
        Location location = LOCATION_MAKE(bulk->page, bulk->at);
        bulk->at += bytes;
        return location;
    }
    if (bulk->frame != NO_FRAME)
        log_page(bulk);
    PageNo first = take_pages(bulk, pages);
    for (uint32_t i = 0; i < pages; i++) {
        uint32_t n = MIN(bytes - i * PAGE_PAYLOAD, (uint32_t)PAGE_PAYLOAD);
        start_page(bulk, first + i, i == 0 ? PAGE_DATA : PAGE_RUN, pages, i);
        memcpy(frame_page(bulk->frame) + PAGE_HEADER, (const uint8_t *)image + (size_t)i * PAGE_PAYLOAD, n);
        bulk->at = PAGE_HEADER + n;
        log_page(bulk);
    }
    return LOCATION_MAKE(first, PAGE_HEADER);
}

void bulk_finish_pages(Bulk *bulk)
{
    if (bulk->frame != NO_FRAME)
        log_page(bulk);
}

uint32_t bulk_log_entries(Bulk *bulk, const CommitEntry *entries, uint32_t n, uint32_t crc)
{
    BulkEntriesRecord record = { bulk->number, n, 0 };
    uint32_t bytes = n * (uint32_t)sizeof(CommitEntry);
    store_credit(1, sizeof(record) + bytes, 0);
    START_CRIT();
    WalPlace place = wal_place(the_store->wal, &the_store->me->credit, (uint32_t)sizeof(record) + bytes);
    wal_copy(the_store->wal, &place, 0, &record, sizeof(record));
    wal_copy(the_store->wal, &place, sizeof(record), entries, bytes);
    wal_finish(the_store->wal, &place, WAL_BULK_ENTRIES, 0);
    END_CRIT();
    STOP_POINT(BULK_ENTRIES);
    bulk->logged = place.end;
    wal_flush(the_store->wal, place.end); /* B4 */
    return crc32c(crc, entries, bytes);
}

void bulk_done(Bulk *bulk)
{
    atomic_store(&the_store->me->bulk, 0);
    bulk->number = 0;
}

/* B5 */
static void drop_extents(uint64_t number, bool known)
{
    StoreShared *s = the_store->shared;
    if (known)
        atomic_store(&s->undone_epoch, atomic_fetch_add(&s->view_epoch, 1) + 1);
    space_drop_bulk(number);
}

void bulk_abort(Bulk *bulk, bool words_clear)
{
    if (bulk->frame != NO_FRAME)
        cache_unclaim(bulk->frame);
    bulk->frame = NO_FRAME;
    if (words_clear)
        drop_extents(bulk->number, bulk->known_words);
    bulk_done(bulk);
    atomic_store(&the_store->me->lower_bound, 0);
}

static bool is_prepared(const TableEntry *word, uint64_t number)
{
    Location location = atomic_load(&word->location) & LOCATION_MASK;
    return location != 0 && space_bulk_undecided(LOCATION_PAGE(location), number);
}

/* Leads all words back that lead into undecided extents of that bulk commit (0: any).  True: some lead somewhere now. */
static bool restore_words(uint64_t number)
{
    TableEntry *copy = mem_alloc(the_store->context, PAGE_PAYLOAD);
    bool known = false;
    for (uint64_t logical = 0; logical < atomic_load(&the_store->shared->table_pages); logical++) {
        cache_copy(TABLE_KEY | logical, PAGE_HEADER, copy, TABLE_ENTRIES * sizeof(TableEntry));
        bool any = false;
        for (uint32_t i = 0; i < TABLE_ENTRIES && !any; i++)
            any = is_prepared(&copy[i], number);
        if (!any)
            continue;
        uint32_t frame = cache_pin(TABLE_KEY | logical);
        TableEntry *words = (TableEntry *)(frame_page(frame) + PAGE_HEADER);
        for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
            if (is_prepared(&words[i], number))
                known = word_restore(&words[i], frame, logical * TABLE_ENTRIES + i) || known;
        cache_unpin_all();
    }
    mem_free(copy);
    return known;
}

void bulk_undo_of_dead(uint64_t number)
{
    drop_extents(number, restore_words(number));
}

void bulk_undo_undecided(void)
{
    restore_words(0);
    space_drop_undecided();
}
