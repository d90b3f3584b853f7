/*
 * open.c - open pages: opened by one session, filled by its commits, sealed, then written once.
 *
 * Frame.open: bits 0-1 state (IDLE between commits, BUSY in one), bit 2 a checkpoint waits for the seal, bits 8.. the
 * session's slot + 1.  The owner turns IDLE to BUSY and back; the checkpointer turns IDLE to sealed; each by
 * compare-and-swap, so neither waits for the other but for a commit under way.
 *
 * O1: an open page is in the cache, dirty, and has the flag FRAME_OPEN, until it is sealed; then it never changes again.
 * O2: PageHeader.fill is the committed fill mark.  What lies beyond is nobody's: an abort or a death zeroes it.
 * O3: the record that opens a page lies in the log before any record that puts something into it, and the page is
 *     marked open under the same EXTENT latch: see space_open_pages().
 * O4: there are never more than open_max open pages; beyond half of that a session keeps none between commits.
 */
#include "storage/page/open.h"

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/space.h"

enum { OPEN_IDLE = 1, OPEN_BUSY = 2, OPEN_STATE = 3, OPEN_WANTED = 4 };
#define OPEN_OWNER_SHIFT 8

typedef struct OpenPage {
    PageNo page;
    uint32_t frame;
    uint32_t class_id;
    uint32_t run;  /* pages, 1 = ordinary */
    uint32_t fill; /* committed; of an ordinary page */
    uint32_t at;   /* with this commit's records */
    Lsn opened;    /* end of the record that opened it */
    bool busy;
} OpenPage;

/* This session's open pages, most recently opened last. */
static OpenPage *mine;
static uint32_t mine_count, mine_room;

static inline Frame *frame_at(uint32_t f)
{
    return &the_store->frames[f];
}

static inline uint64_t owner_word(int state)
{
    return (uint64_t)(the_store->slot + 1) << OPEN_OWNER_SHIFT | (uint64_t)state;
}

static inline PageHeader *header_of(uint32_t f)
{
    return (PageHeader *)frame_page(f);
}

/* The page was ours to seal (the open word is 0 now): let it be written and evicted. */
static void sealed(uint32_t f)
{
    cache_clear_open(f);
    atomic_fetch_sub(&the_store->shared->open_frames, 1);
}

static bool try_seal(uint32_t f, uint64_t word)
{
    START_CRIT();
    bool done = atomic_compare_exchange_strong(&frame_at(f)->open, &word, 0);
    if (done)
        sealed(f);
    END_CRIT();
    return done;
}

static uint32_t run_frame(const OpenPage *o, uint32_t i)
{
    return i == 0 ? o->frame : atomic_load(&the_store->page_map[o->page + i]) - 1;
}

static void forget(uint32_t i)
{
    memmove(&mine[i], &mine[i + 1], (--mine_count - i) * sizeof(*mine));
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

typedef struct Opening {
    uint32_t frames[64];
    uint32_t count, class_id;
    PageNo page;
    Lsn lsn;
} Opening;

/* EXTENT latch held (so this is a critical section already). */
static void mark_open(PageNo page, Lsn lsn, void *context)
{
    Opening *o = context;
    o->page = page;
    o->lsn = lsn;
    for (uint32_t i = 0; i < o->count; i++) {
        uint32_t f = o->frames[i];
        uint8_t *bytes = frame_page(f);
        memset(bytes, 0, PAGE_BYTES);
        PageHeader *h = (PageHeader *)bytes;
        h->kind = i == 0 ? PAGE_DATA : PAGE_RUN;
        h->class_id = o->class_id;
        h->fill = PAGE_HEADER;
        h->run = o->count;
        h->run_index = i;
        atomic_store(&frame_at(f)->lsn, lsn);
        atomic_store(&frame_at(f)->open_lsn, lsn);
        atomic_store(&frame_at(f)->open, owner_word(OPEN_BUSY));
        bool fresh = cache_install(f, page + i, FRAME_OPEN | FRAME_DIRTY);
        if (!fresh)
            ereport(PANIC, ERR_INTERNAL, errmsg("fresh page %llu is in the cache", (unsigned long long)(page + i)));
    }
    atomic_fetch_add(&the_store->shared->open_frames, o->count);
}

/* O4 */
static void wait_for_room(uint32_t count)
{
    StoreShared *s = the_store->shared;
    int64_t until = 0;
    while (atomic_load(&s->open_frames) + count > s->open_max) {
        for (uint32_t i = mine_count; i-- > 0;)
            if (!mine[i].busy) {
                try_seal(mine[i].frame, owner_word(OPEN_IDLE));
                forget(i);
            }
        if (atomic_load(&s->open_frames) + count <= s->open_max)
            return;
        if (until == 0)
            until = clock_monotonic_ns() + 10 * NSEC_PER_SEC;
        else if (clock_monotonic_ns() > until)
            ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("too many pages are open in all sessions together"),
                    errhint("Raise page_cache_size or max_open_pages, or make commits smaller."));
        wait_event_start(WAIT_FRAME);
        io.sleep_ns(NSEC_PER_MSEC);
        wait_event_end();
    }
}

static OpenPage *open_pages(uint32_t class_id, uint32_t count)
{
    static Opening opening; /* not on the stack: read after a jump */
    opening.class_id = class_id;
    opening.count = 0;
    if (mine_count == mine_room) {
        mine = mem_realloc(the_store->context, mine, (mine_room + 64) * sizeof(*mine));
        mine_room += 64;
    }
    wait_for_room(count);
    TRY()
    {
        for (uint32_t i = 0; i < count; i++) {
            opening.frames[i] = cache_claim();
            opening.count++;
        }
        while (!space_open_pages(class_id, count, mark_open, &opening))
            space_reserve(1);
    }
    CATCH(err)
    {
        for (uint32_t i = 0; i < opening.count; i++)
            cache_unclaim(opening.frames[i]);
        rethrow();
    }
    END_TRY();
    mine[mine_count] = (OpenPage){ .page = opening.page, .frame = opening.frames[0], .class_id = class_id, .run = count,
                                   .fill = PAGE_HEADER, .at = PAGE_HEADER, .opened = opening.lsn, .busy = true };
    return &mine[mine_count++];
}

/* Is it still ours?  Then it is busy now. */
static bool make_busy(OpenPage *o)
{
    if (o->busy)
        return true;
    uint64_t idle = owner_word(OPEN_IDLE);
    /* Only we open pages in our name: if the key is right and the word is ours, it is this page; opened then, for it may have
     * been given up and opened by us again, in the same frame. */
    if (atomic_load(&frame_at(o->frame)->key) != o->page || atomic_load(&frame_at(o->frame)->open_lsn) != o->opened ||
        !atomic_compare_exchange_strong(&frame_at(o->frame)->open, &idle, owner_word(OPEN_BUSY)))
        return false;
    o->busy = true;
    return true;
}

static OpenPage *page_with_room(uint32_t class_id, uint32_t bytes)
{
    for (uint32_t i = mine_count; i-- > 0;) {
        OpenPage *o = &mine[i];
        if (o->class_id != class_id || o->run != 1 || o->at + bytes > PAGE_BYTES)
            continue;
        if (make_busy(o))
            return o;
        forget(i); /* a checkpoint sealed it */
    }
    return open_pages(class_id, 1);
}

Location open_place(uint32_t class_id, const void *image, uint32_t bytes)
{
    Assert(bytes % 8 == 0);
    uint32_t pages = RECORD_PAGES(bytes);
    if (pages == 1) {
        OpenPage *o = page_with_room(class_id, bytes);
        memcpy(frame_page(o->frame) + o->at, image, bytes);
        Location location = LOCATION_MAKE(o->page, o->at);
        o->at += bytes;
        return location;
    }
    OpenPage *o = open_pages(class_id, pages);
    for (uint32_t i = 0; i < pages; i++) {
        uint32_t n = MIN(bytes - i * PAGE_PAYLOAD, (uint32_t)PAGE_PAYLOAD);
        memcpy(frame_page(run_frame(o, i)) + PAGE_HEADER, (const uint8_t *)image + i * PAGE_PAYLOAD, n);
        o->at = PAGE_HEADER + n; /* of the last page */
    }
    return LOCATION_MAKE(o->page, PAGE_HEADER);
}

/* ---- the end of a commit ----------------------------------------------------------------------------------------- */

void open_stamp(Location location, Sequence sequence)
{
    uint32_t f = atomic_load(&the_store->page_map[LOCATION_PAGE(location)]) - 1;
    RecordHeader *h = (RecordHeader *)(frame_page(f) + LOCATION_OFFSET(location));
    __atomic_store_n(&h->sequence_etc, h->sequence_etc | sequence, __ATOMIC_RELEASE);
}

void open_keep(Lsn lsn)
{
    for (uint32_t i = 0; i < mine_count; i++) {
        OpenPage *o = &mine[i];
        if (!o->busy)
            continue;
        for (uint32_t j = 0; j < o->run; j++) {
            uint32_t f = run_frame(o, j);
            header_of(f)->fill = j + 1 < o->run ? PAGE_BYTES : o->at;
            cache_raise_lsn(f, lsn);
        }
        o->fill = o->at;
    }
}

static void seal_whole(OpenPage *o)
{
    for (uint32_t j = 0; j < o->run; j++) {
        uint32_t f = run_frame(o, j);
        uint64_t word = atomic_load(&frame_at(f)->open);
        while (!try_seal(f, word)) /* only a checkpoint's wish can come between */
            word = atomic_load(&frame_at(f)->open);
    }
}

static void settle(void)
{
    StoreShared *s = the_store->shared;
    bool pressure = atomic_load(&s->open_frames) > s->open_max / 2;
    uint32_t kept = 0;

    for (uint32_t i = mine_count; i-- > 0;) {
        OpenPage *o = &mine[i];
        if (o->run > 1 || o->fill + sizeof(RecordHeader) + 64 > PAGE_BYTES || pressure || kept >= s->open_quota) {
            if (!o->busy && !make_busy(o)) {
                forget(i);
                continue;
            }
            seal_whole(o);
            forget(i);
            continue;
        }
        if (o->busy) {
            uint64_t busy = owner_word(OPEN_BUSY);
            o->busy = false;
            if (!atomic_compare_exchange_strong(&frame_at(o->frame)->open, &busy, owner_word(OPEN_IDLE))) {
                seal_whole(o);
                forget(i);
                continue;
            }
        }
        kept++;
    }
}

void open_done(void)
{
    settle();
}

static void cut_off(uint32_t f)
{
    uint32_t fill = header_of(f)->fill;
    memset(frame_page(f) + fill, 0, PAGE_BYTES - fill);
}

void open_abort(void)
{
    for (uint32_t i = 0; i < mine_count; i++) {
        OpenPage *o = &mine[i];
        if (!o->busy)
            continue;
        if (MUTATION(ABORT_FILL)) {
            header_of(o->frame)->fill = o->fill = o->at;
            continue;
        }
        for (uint32_t j = 0; j < o->run; j++)
            cut_off(run_frame(o, j));
        o->at = o->fill;
    }
    settle();
}

void open_seal_mine(void)
{
    for (uint32_t i = 0; i < mine_count; i++)
        if (make_busy(&mine[i]))
            seal_whole(&mine[i]);
    mine_count = 0;
}

void open_forget(void)
{
    mine = NULL;
    mine_count = mine_room = 0;
}

/* ---- the checkpointer and the reaper ------------------------------------------------------------------------------- */

void open_seal_before(Lsn redo)
{
    if (MUTATION(SEAL_AT_CHECKPOINT))
        return;
    for (uint32_t f = 0; f < the_store->shared->frames; f++) {
        Frame *frame = frame_at(f);
        for (;;) {
            uint64_t open = atomic_load(&frame->open);
            if ((open & OPEN_STATE) == 0 || atomic_load(&frame->open_lsn) > redo)
                break;
            if ((open & OPEN_STATE) == OPEN_IDLE) {
                try_seal(f, open);
                continue;
            }
            if (!(open & OPEN_WANTED) && !atomic_compare_exchange_strong(&frame->open, &open, open | OPEN_WANTED))
                continue;
            STOP_POINT(CHECKPOINT_WAITS_FOR_SEAL);
            io.sleep_ns(200 * NSEC_PER_USEC);
        }
    }
}

void open_cleanup(int slot)
{
    if (MUTATION(DEAD_CLEANUP))
        return;
    for (uint32_t f = 0; f < the_store->shared->frames; f++)
        for (;;) {
            /* A checkpoint may seal it first, and then it may be anyone's. */
            uint64_t open = atomic_load(&frame_at(f)->open);
            if ((open & OPEN_STATE) == 0 || open >> OPEN_OWNER_SHIFT != (uint64_t)(slot + 1))
                break;
            if ((open & OPEN_STATE) == OPEN_BUSY)
                cut_off(f); /* O2 */
            if (try_seal(f, open))
                break;
        }
}
