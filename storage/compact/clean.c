/*
 * clean.c - cleaning: what lives in the emptiest extents is copied elsewhere, then the extents are given up.
 *
 * A round, one extent after the other:
 *
 *   CHOOSE  the emptiest extents that nobody fills (E6), when there is garbage enough
 *   COUNT   after a crash, when nothing is worth choosing: what lives in some extents is counted (space.c E5)
 *   MOVE    page by page: a record is alive when its object's word leads to it, and is moved then (move.c)
 *   END     wait 1: every view that had begun before the last move has ended
 *   LEAVE   scans pass over the extents from here on; F is the newest sequence handed out; wait until it is published
 *   GRACE   wait 2: every view that had begun before that has ended
 *   FREE    the extents are given up: logged, free after a checkpoint (E3)
 *
 * N1: after MOVE no word leads into a chosen extent, and none will: records come to no chosen extent, and an object's word
 *     never goes back to an older place, but that from which a bulk commit has prepared it; so what stands there counts as
 *     alive (words.c), and is not moved meanwhile.  An extent in which a move was refused is walked again.
 * N2: a commit links its versions to where the words led when it read them, under its view: after wait 1 no new link into
 *     the extents can be made, and every link into them is of a version whose sequence is F or less.
 * N3: after wait 2 every snapshot is F or newer.  It stops at the newest version that it sees, whose sequence is at least that
 *     of any with a link into the extents, and follows no link of that one: so links into them may dangle.
 * N4: who looks into an extent without a word or a link, does so in a scan, under a view.  A scan that began after the last
 *     move finds the copies elsewhere; one that walks the extent itself took it up before LEAVE: wait 2 is for it too.
 * N5: nothing here is needed after a crash: moves are redone, an extent not given up is as good as any and is chosen again.
 *
 * The state is the process's own; there is one compactor (in a server a process, --solo the session).
 */
#include "storage/compact/clean.h"

#include <stdlib.h>

#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/compact/collect.h"
#include "storage/compact/move.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/words.h"

#define ROUND_MAX 256                  /* extents of one round */
#define ROUND_LIVE (8 * EXTENT_PAYLOAD) /* bytes to be copied in one round, about */
#define COUNT_TOGETHER 16              /* extents */
#define WORTH_CLEANING(live) ((live) <= EXTENT_PAYLOAD / 4 * 3)

/* Cost units, as of conf.compactor_cost_limit: a page looked at, read from the disk, filled with copies. */
enum { COST_LOOK = 1, COST_READ = 5, COST_COPY = 20 };

typedef enum { CLEAN_CHOOSE, CLEAN_COUNT, CLEAN_MOVE, CLEAN_END, CLEAN_LEAVE, CLEAN_GRACE, CLEAN_FREE } Phase;

typedef struct Chosen {
    uint32_t extent;
    int32_t live;
} Chosen;

static struct {
    bool started;
    Phase phase;
    Chosen chosen[ROUND_MAX];
    uint32_t count;
    uint32_t at;      /* MOVE: index into chosen */
    uint32_t page;    /* MOVE, COUNT: of that extent */
    uint32_t counted; /* COUNT: extents before are counted */
    int32_t live;     /* COUNT: of that extent so far */
    bool immovable, again; /* MOVE: of that extent */
    uint64_t epoch;   /* END, GRACE: views of a lower one are waited for */
    Sequence newest;  /* LEAVE: F */
    int64_t cost;
    uint8_t *bytes;   /* one page */
    uint8_t *image;   /* one record */
} clean;

/* ---- the life of the state -------------------------------------------------------------------------------------- */

static void forget_round(void)
{
    for (uint32_t i = 0; i < clean.count; i++)
        space_clean_end(clean.chosen[i].extent);
    clean.count = clean.at = clean.page = 0;
    clean.immovable = clean.again = false;
    clean.phase = CLEAN_CHOOSE;
}

void clean_start(void)
{
    if (clean.started)
        return;
    memset(&clean, 0, sizeof(clean));
    clean.bytes = mem_alloc(the_store->context, PAGE_BYTES);
    clean.image = mem_alloc(the_store->context, move_longest());
    move_start();
    clean.counted = 1;
    clean.started = true;
}

void clean_stop(void)
{
    if (!clean.started)
        return;
    forget_round();
    move_stop();
    mem_free(clean.bytes);
    mem_free(clean.image);
    clean.started = false;
}

void clean_forget(void)
{
    clean.started = false;
}

bool clean_is_idle(void)
{
    return !clean.started || clean.phase == CLEAN_CHOOSE;
}

/* ---- reading ------------------------------------------------------------------------------------------------------ */

/*
 * A page of an extent that nobody fills: it does not change, so when it is in no frame it is whole on disk, and is read past
 * the cache, which has better uses.
 */
static void read_page(PageNo page, uint8_t *out)
{
    clean.cost += COST_LOOK;
    if (atomic_load(&the_store->page_map[page]) != 0) {
        cache_copy(page, 0, out, PAGE_BYTES);
        return;
    }
    uint8_t *scratch = page_scratch();
    clean.cost += COST_READ;
    page_read(page, scratch);
    memcpy(out, scratch, PAGE_BYTES);
}

/* The whole record at `from`, whose page stands in clean.bytes. */
static const void *whole_record(Location from, uint32_t bytes)
{
    const uint8_t *first = clean.bytes + LOCATION_OFFSET(from);
    if (RECORD_PAGES(bytes) == 1)
        return first;
    memcpy(clean.image, first, PAGE_PAYLOAD);
    for (uint32_t done = PAGE_PAYLOAD, i = 1; done < bytes; done += PAGE_PAYLOAD, i++)
        cache_copy(LOCATION_PAGE(from) + i, PAGE_HEADER, clean.image + done, MIN(bytes - done, (uint32_t)PAGE_PAYLOAD));
    return clean.image;
}

static bool is_alive(Oid oid, Location location)
{
    return word_settled_location(OID_INDEX(oid)) == location;
}

/* Does the page belong to a record that is alive and begins in an extent before?  Only bulk commits have such. */
static bool continues_alive(PageNo page, const PageHeader *h)
{
    if (h->kind != PAGE_RUN || h->run_index <= page % EXTENT_PAGES)
        return false;
    const Extent *here = &the_store->extents[page / EXTENT_PAGES];
    const Extent *first = &the_store->extents[(page - h->run_index) / EXTENT_PAGES];
    if (first->kind != EXTENT_BULK || first->bulk != here->bulk)
        return false; /* it was dead, and is given up already */
    RecordHeader r;
    cache_copy(page - h->run_index, PAGE_HEADER, &r, sizeof(r));
    return is_alive(RECORD_OID(&r), LOCATION_MAKE(page - h->run_index, PAGE_HEADER));
}

/*
 * Calls `fn` for each record that begins in the page and that its object's word leads to; true when the page is the
 * continuation of such a record from an extent before.
 */
static bool walk_page(PageNo page, void (*fn)(Location, const RecordHeader *, uint32_t))
{
    const PageHeader *h = (const PageHeader *)clean.bytes;
    read_page(page, clean.bytes);
    if (h->kind != PAGE_DATA)
        return continues_alive(page, h);
    uint32_t end = MIN(h->fill, (uint32_t)PAGE_BYTES);
    for (uint32_t at = PAGE_HEADER; at + sizeof(RecordHeader) <= end;) {
        const RecordHeader *r = (const RecordHeader *)(clean.bytes + at);
        uint32_t bytes = RECORD_BYTES(r->length);
        if (r->length > STORE_MAX_BODY + 64 || (at + bytes > end && at != PAGE_HEADER))
            page_damaged(page, "a record in it can't be that long");
        if (is_alive(RECORD_OID(r), LOCATION_MAKE(page, at)))
            fn(LOCATION_MAKE(page, at), r, bytes);
        at += bytes;
    }
    return false;
}

/* ---- COUNT ---------------------------------------------------------------------------------------------------------- */

/* As space_live_add() counts. */
static void count_record(Location location, UNUSED const RecordHeader *header, uint32_t bytes)
{
    uint32_t pages = RECORD_PAGES(bytes), left = (uint32_t)(EXTENT_PAGES - LOCATION_PAGE(location) % EXTENT_PAGES);
    clean.live += (int32_t)(pages == 1 ? bytes : MIN(pages, left) * PAGE_PAYLOAD);
}

static bool holds_data(uint32_t e)
{
    const Extent *x = &the_store->extents[e];
    return x->kind == EXTENT_MIXED || x->kind == EXTENT_CLASS ||
           (x->kind == EXTENT_BULK && atomic_load(&the_store->extents[e].sequence) != 0);
}

/* The next page that the extent counts, from clean.page on; false when there is none. */
static bool next_page(uint32_t e, PageNo *page)
{
    uint64_t used = the_store->extents[e].used;
    while (clean.page < EXTENT_PAGES && !(used >> clean.page & 1))
        clean.page++;
    *page = (PageNo)e * EXTENT_PAGES + clean.page++;
    return clean.page <= EXTENT_PAGES;
}

static void count_some(void)
{
    PageNo page;
    uint32_t e = clean.counted;
    if (holds_data(e) && next_page(e, &page)) {
        if (walk_page(page, count_record))
            clean.live += PAGE_PAYLOAD;
        return;
    }
    if (holds_data(e))
        space_live_set(e, clean.live);
    clean.live = 0;
    clean.page = 0;
    clean.counted++;
    if (clean.counted >= the_store->shared->extents)
        the_store->shared->live_unknown = 0;
    if (clean.counted % COUNT_TOGETHER == 0 || !the_store->shared->live_unknown)
        clean.phase = CLEAN_CHOOSE;
}

/* ---- CHOOSE --------------------------------------------------------------------------------------------------------- */

static int compare_live(const void *a, const void *b)
{
    const Chosen *x = a, *y = b;
    return x->live != y->live ? (x->live < y->live ? -1 : 1) : x->extent < y->extent ? -1 : 1;
}

uint32_t clean_garbage(void)
{
    uint64_t room = 0, live_sum = 0;
    for (uint32_t e = 1; e < the_store->shared->extents; e++) {
        int32_t live;
        if (space_cleanable(e, &live)) {
            room += (uint64_t)EXTENT_PAYLOAD;
            live_sum += (uint64_t)live;
        }
    }
    return room == 0 ? 0 : (uint32_t)(100 - live_sum * 100 / room);
}

/* The emptiest come first; empty ones always, others when there is garbage enough.  False: nothing is worth it. */
static bool choose(void)
{
    uint32_t extents = the_store->shared->extents, found = 0;
    int64_t live_sum = 0;
    bool enough = clean_garbage() >= (uint64_t)conf.compactor_threshold;
    Chosen *all = mem_alloc_array(the_store->context, extents, sizeof(Chosen));
    for (uint32_t e = 1; e < extents; e++)
        if (space_cleanable(e, &all[found].live)) {
            all[found].extent = e;
            found += all[found].live == 0 || (enough && WORTH_CLEANING(all[found].live));
        }
    qsort(all, found, sizeof(*all), compare_live);
    for (uint32_t i = 0; i < found && clean.count < ROUND_MAX && live_sum < ROUND_LIVE; i++)
        if (space_clean_choose(all[i].extent)) {
            clean.chosen[clean.count++] = all[i];
            live_sum += all[i].live;
        }
    mem_free(all);
    clean.at = clean.page = 0;
    if (clean.count == 0)
        return false;
    clean.phase = CLEAN_MOVE;
    STOP_POINT(CLEAN_CHOSEN);
    return true;
}

/* ---- MOVE ------------------------------------------------------------------------------------------------------------- */

static void run_moves(void)
{
    if (move_run() > 0)
        clean.again = true;
}

static void move_record(Location from, const RecordHeader *header, uint32_t bytes)
{
    if (bytes > move_longest()) {
        clean.immovable = true;
        return;
    }
    const void *image = whole_record(from, bytes);
    Sequence sequence = MUTATION(MOVE_SEQUENCE) ? MAX(RECORD_SEQUENCE(header), (Sequence)1) : record_sequence(from, header);
    clean.cost += COST_COPY * RECORD_PAGES(bytes) * bytes / PAGE_BYTES + 1;
    while (!move_add(from, image, bytes, sequence))
        run_moves();
}

/* The extent stays: what can't be moved keeps it. */
static void drop_chosen(uint32_t i)
{
    space_clean_hold(clean.chosen[i].extent);
    clean.chosen[i] = clean.chosen[--clean.count];
}

static void move_some(void)
{
    PageNo page;
    if (clean.at == clean.count) {
        clean.epoch = atomic_fetch_add(&the_store->shared->view_epoch, 1) + 1;
        clean.phase = CLEAN_END;
        STOP_POINT(CLEAN_MOVED);
        return;
    }
    if (!clean.immovable && next_page(clean.chosen[clean.at].extent, &page)) {
        clean.immovable = walk_page(page, move_record) || clean.immovable;
        return;
    }
    run_moves(); /* N1: what was refused is told apart by extent */
    clean.page = 0;
    if (clean.immovable)
        drop_chosen(clean.at);
    else if (!clean.again)
        clean.at++;
    clean.immovable = clean.again = false;
}

/* ---- the waits, and the end --------------------------------------------------------------------------------------------- */

static bool end_views(void)
{
    if (views_begun_before(clean.epoch) && !MUTATION(CLEAN_FIRST_WAIT))
        return false;
    for (uint32_t i = 0; i < clean.count; i++)
        space_clean_leave(clean.chosen[i].extent);
    clean.newest = wal_last_sequence(the_store->wal);
    clean.phase = CLEAN_LEAVE;
    STOP_POINT(CLEAN_LEFT);
    return true;
}

static bool leave(void)
{
    if (atomic_load(&the_store->shared->published) < clean.newest)
        return false;
    clean.epoch = atomic_fetch_add(&the_store->shared->view_epoch, 1) + 1;
    clean.phase = CLEAN_GRACE;
    return true;
}

static bool grace(void)
{
    if (views_begun_before(clean.epoch) && !MUTATION(CLEAN_SECOND_WAIT))
        return false;
    clean.at = 0;
    clean.phase = CLEAN_FREE;
    return true;
}

static void free_one(void)
{
    StoreShared *s = the_store->shared;
    if (clean.count > 0) {
        STOP_POINT(CLEAN_FREE);
        space_clean_free(clean.chosen[clean.count - 1].extent);
        clean.count--;
        atomic_fetch_add(&s->stat_cleaned, 1);
        STOP_POINT(CLEAN_FREED);
        return;
    }
    clean.phase = CLEAN_CHOOSE;
    /* They are of use only after a checkpoint: not too many should wait for it. */
    if (s->kind_count[EXTENT_DEAD] > 4 + s->extents / 8)
        store_checkpoint_request();
}

/* ---- a stretch of work ------------------------------------------------------------------------------------------------------ */

static CompactStatus one_step(void)
{
    switch (clean.phase) {
    case CLEAN_COUNT:
        count_some();
        return COMPACT_WORKED;
    case CLEAN_CHOOSE:
        if (collect_wanted()) /* it waits for the end of a round */
            return COMPACT_NOTHING;
        if (choose())
            return COMPACT_WORKED;
        clean.phase = the_store->shared->live_unknown ? CLEAN_COUNT : CLEAN_CHOOSE;
        clean.live = 0;
        return clean.phase == CLEAN_COUNT ? COMPACT_WORKED : COMPACT_NOTHING;
    case CLEAN_MOVE:
        move_some();
        return COMPACT_WORKED;
    case CLEAN_END:
        return end_views() ? COMPACT_WORKED : COMPACT_WAITS;
    case CLEAN_LEAVE:
        return leave() ? COMPACT_WORKED : COMPACT_WAITS;
    case CLEAN_GRACE:
        return grace() ? COMPACT_WORKED : COMPACT_WAITS;
    default:
        free_one();
        return COMPACT_WORKED;
    }
}

static void complain(const char *message)
{
    static int64_t last;
    int64_t now = clock_monotonic_ns();
    if (last == 0 || now - last > 60 * NSEC_PER_SEC)
        log_message(WARNING, "the compactor leaves an extent as it is: %s", message);
    last = now;
}

/* An extent that can't be read, or not be copied for want of room, is left alone; those before it can go. */
static void give_up(const char *message)
{
    complain(message);
    if (clean.phase == CLEAN_COUNT) {
        clean.page = EXTENT_PAGES;
    } else if (clean.phase == CLEAN_MOVE && clean.at < clean.count) {
        space_clean_hold(clean.chosen[clean.at].extent);
        for (uint32_t i = clean.at + 1; i < clean.count; i++)
            space_clean_end(clean.chosen[i].extent);
        clean.count = clean.at;
        clean.page = 0;
        clean.immovable = clean.again = false;
        if (clean.count == 0)
            clean.phase = CLEAN_CHOOSE;
    } else {
        forget_round();
    }
}

CompactStatus clean_step(int64_t cost)
{
    CompactStatus volatile status = COMPACT_WORKED;
    clean.cost = 0;
    TRY()
    {
        while (status == COMPACT_WORKED && clean.cost < cost) {
            clean.cost++;
            status = one_step();
        }
    }
    CATCH(err)
    {
        give_up(err->message);
        status = COMPACT_NOTHING;
    }
    END_TRY();
    return status;
}
