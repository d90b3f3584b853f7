/*
 * cache.c - the page cache: frames in shared memory, optimistic reads, clock sweep, writing back.
 *
 * K1: a reader copies, then looks whether the frame's version and state stayed the same; else it begins again.  So
 *     readers write nothing shared (but for the usage bits, now and then) and hold nothing that could be left behind.
 * K2: a frame's state changes only by compare-and-swap of its word; LOADING and WRITING name their owner in the same
 *     word, so that the reaper can undo what a dead session had begun.  Loading is therefore no critical section.
 * K3: whoever maps a key (compare-and-swap of the map's entry from 0) loads the page; all others wait for it.
 * K4: a page's writer clears DIRTY, copies, reads the LSN after the copy, clears lock bits in the copy, flushes the log
 *     to that LSN, and only then writes.  Changers change first and set DIRTY after.
 * K5: an open page is never written or evicted; a pinned one is never evicted.
 * K6: an object-table page is written to a fresh place each time; the place it had is given up (space.c).
 *
 * No latch is held here; space.c's EXTENT latch is taken inside cache_write().
 */
#include "storage/page/cache.h"

#include <sched.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/space.h"
#include "storage/page/writer.h"

#define CLAIM_TIMEOUT_NS (10 * NSEC_PER_SEC)

static inline Frame *frame_of(uint32_t f)
{
    return &the_store->frames[f];
}

static inline uint64_t my_owner(void)
{
    return (uint64_t)(the_store->slot + 1) << FRAME_OWNER_SHIFT;
}

static inline _Atomic uint32_t *map_entry(PageKey key)
{
    return KEY_IS_TABLE(key) ? &the_store->table[KEY_LOGICAL(key)].frame : &the_store->page_map[key];
}

/* ---- the disk ---------------------------------------------------------------------------------------- */

uint8_t *page_scratch(void)
{
    static _Alignas(4096) uint8_t buffer[PAGE_BYTES];
    return buffer;
}

NORETURN void page_damaged(PageNo place, const char *what)
{
    view_check();
    ereport(ERROR, ERR_CORRUPT_PAGE,
            errmsg("page %llu of \"%s/" BASE_PAGES "\" (byte %llu and on) is damaged: %s", (unsigned long long)place,
                   the_store->dir, (unsigned long long)place * PAGE_BYTES, what),
            errhint("Restore the store from a backup; the disk may be failing."));
}

void page_read(PageNo place, void *page)
{
    wait_event_start(WAIT_PAGE_READ);
    size_t n = io_read_at(the_store->pages_fd, BASE_PAGES, page, PAGE_BYTES, (off_t)(place * PAGE_BYTES));
    wait_event_end();
    atomic_fetch_add_explicit(&the_store->shared->stat_page_reads, 1, memory_order_relaxed);
    if (n != PAGE_BYTES)
        page_damaged(place, "it lies beyond the end of the file");
    const char *wrong = page_examine(page, place, the_store->id);
    if (wrong != NULL)
        page_damaged(place, wrong);
}

/* ---- writing back ---------------------------------------------------------------------------------------- */

/* The frame is no longer ours to write. */
static void writing_ended(uint32_t f, bool written)
{
    if (!written)
        atomic_fetch_or(&frame_of(f)->word, FRAME_DIRTY);
    atomic_fetch_and(&frame_of(f)->word, ~(FRAME_WRITING | FRAME_OWNER));
}

/* A PageWritten (writer.h). */
static void page_written(uint32_t f, PageNo place, bool written)
{
    PageKey key = atomic_load_explicit(&frame_of(f)->key, memory_order_relaxed);

    if (KEY_IS_TABLE(key) && place != atomic_load(&the_store->table[KEY_LOGICAL(key)].place)) {
        if (written)
            space_set_place(STREAM_TABLE, KEY_LOGICAL(key), place);
        else
            space_give_up(place);
    }
    writing_ended(f, written);
}

/* K4.  We hold WRITING.  False: there is no place for it. */
static bool send_copy(uint32_t f)
{
    Frame *frame = frame_of(f);
    PageKey key = atomic_load_explicit(&frame->key, memory_order_relaxed);
    uint8_t *copy = page_writer_buffer();

    memcpy(copy, frame_page(f), PAGE_BYTES);
    atomic_thread_fence(memory_order_acquire);
    Lsn lsn = atomic_load(&frame->lsn);
    ((PageHeader *)copy)->lsn = lsn;
    if (KEY_IS_TABLE(key)) {
        TableEntry *entry = (TableEntry *)(copy + PAGE_HEADER);
        if (!MUTATION(LOCK_BITS_CLEARED))
            for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
                uint64_t c = atomic_load_explicit(&entry[i].control, memory_order_relaxed);
                if (c & CONTROL_LOCKED)
                    atomic_store_explicit(&entry[i].control, CONTROL_SEQUENCE(c), memory_order_relaxed);
            }
    }
    if (!the_store->recovering && !MUTATION(LOG_BEFORE_PAGE))
        wal_flush(the_store->wal, lsn);
    STOP_POINT(PAGE_WRITE);
    PageNo place = key;
    if (KEY_IS_TABLE(key)) {
        place = atomic_load(&the_store->table[KEY_LOGICAL(key)].place);
        if (place == 0 || !MUTATION(WRITE_ONCE_PLACE))
            place = space_take_meta();
        if (place == 0)
            return false;
    }
    page_writer_send(copy, place, page_written, f);
    return true;
}

bool cache_write(uint32_t f)
{
    Frame *frame = frame_of(f);
    uint64_t w = atomic_load(&frame->word);
    do {
        if ((w & FRAME_STATE) != FRAME_VALID || !(w & FRAME_DIRTY))
            return true;
        if (w & (FRAME_WRITING | FRAME_OPEN))
            return false;
    } while (!atomic_compare_exchange_weak(&frame->word, &w,
                                           (w & ~(FRAME_DIRTY | FRAME_OWNER)) | FRAME_WRITING | my_owner()));
    volatile bool sent = false;
    TRY()
    {
        sent = send_copy(f);
    }
    CATCH(err)
    {
        writing_ended(f, false);
        rethrow();
    }
    END_TRY();
    if (!sent)
        writing_ended(f, false);
    return sent;
}

static void nap(void)
{
    io.sleep_ns(100 * NSEC_PER_USEC);
}

void cache_write_all(void)
{
    for (uint32_t f = 0; f < the_store->shared->frames; f++) {
        Frame *frame = frame_of(f);
        int64_t until = 0;
        for (;;) {
            uint64_t w = atomic_load(&frame->word);
            if ((w & FRAME_STATE) != FRAME_VALID || (w & FRAME_OPEN))
                break;
            if (w & FRAME_WRITING) { /* another's write must have ended as well */
                nap();
                continue;
            }
            if (!(w & FRAME_DIRTY) || cache_write(f))
                break;
            if (until == 0)
                until = clock_monotonic_ns() + CLAIM_TIMEOUT_NS;
            else if (clock_monotonic_ns() > until)
                ereport(ERROR, ERR_DISK_FULL, errmsg("no disk space for pages of the object table"),
                        errhint("Make room on the file system of \"%s\".", the_store->dir));
            nap();
        }
    }
    page_writer_settle();
}

/* ---- claiming a frame ---------------------------------------------------------------------------------- */

static bool try_claim(uint32_t f, unsigned pass)
{
    Frame *frame = frame_of(f);
    uint64_t w = atomic_load(&frame->word);
    uint64_t version = ((w & FRAME_VERSION) + (UINT64_C(1) << FRAME_VERSION_SHIFT)) & FRAME_VERSION;

    if ((w & FRAME_STATE) == FRAME_FREE)
        return atomic_compare_exchange_strong(&frame->word, &w, version | FRAME_LOADING | my_owner());
    if ((w & FRAME_STATE) != FRAME_VALID || (w & (FRAME_PINS | FRAME_OPEN | FRAME_WRITING)))
        return false;
    if (w & FRAME_USAGE) {
        atomic_compare_exchange_strong(&frame->word, &w, w - (UINT64_C(1) << FRAME_USAGE_SHIFT));
        return false;
    }
    if (w & FRAME_DIRTY) {
        /* First those whose log is durable already: writing the log for one page is dear. */
        Lsn lsn = atomic_load_explicit(&frame->lsn, memory_order_relaxed);
        if (pass < 2 && !the_store->recovering && !wal_is_durable(the_store->wal, lsn))
            return false;
        if (!cache_write(f))
            return false;
        atomic_fetch_add_explicit(&the_store->shared->stat_evictions_dirty, 1, memory_order_relaxed);
        w = atomic_load(&frame->word);
        if ((w & FRAME_STATE) != FRAME_VALID ||
            (w & (FRAME_PINS | FRAME_OPEN | FRAME_WRITING | FRAME_DIRTY | FRAME_USAGE)))
            return false;
        version = ((w & FRAME_VERSION) + (UINT64_C(1) << FRAME_VERSION_SHIFT)) & FRAME_VERSION;
    }
    STOP_POINT(PAGE_EVICT);
    if (!atomic_compare_exchange_strong(&frame->word, &w, version | FRAME_LOADING | my_owner()))
        return false;
    uint32_t mapped = f + 1;
    atomic_compare_exchange_strong(map_entry(atomic_load(&frame->key)), &mapped, 0);
    atomic_fetch_add_explicit(&the_store->shared->stat_evictions, 1, memory_order_relaxed);
    return true;
}

uint32_t cache_claim(void)
{
    StoreShared *shared = the_store->shared;
    int64_t until = 0;

    for (unsigned pass = 0;; pass++) {
        for (uint32_t i = 0; i < shared->frames * 2; i++) {
            uint32_t f = atomic_fetch_add_explicit(&shared->clock_hand, 1, memory_order_relaxed) % shared->frames;
            if (try_claim(f, pass))
                return f;
        }
        if (pass < 3)
            continue;
        if (until == 0)
            until = clock_monotonic_ns() + CLAIM_TIMEOUT_NS;
        else if (clock_monotonic_ns() > until)
            ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("all frames of the page cache are in use"),
                    errhint("Raise page_cache_size, make commits smaller, or make room on the disk if it is full."));
        wait_event_start(WAIT_FRAME);
        nap();
        wait_event_end();
    }
}

void cache_unclaim(uint32_t f)
{
    Frame *frame = frame_of(f);
    uint64_t w = atomic_load(&frame->word);
    atomic_store(&frame->key, 0);
    atomic_store(&frame->word, (w & FRAME_VERSION) | FRAME_FREE);
}

bool cache_install(uint32_t f, PageKey key, uint64_t flags)
{
    Frame *frame = frame_of(f);
    uint32_t none = 0;
    atomic_store(&frame->key, key);
    if (!atomic_compare_exchange_strong(map_entry(key), &none, f + 1))
        return false;
    uint64_t w = atomic_load(&frame->word);
    atomic_store(&frame->word,
                 (w & FRAME_VERSION) | FRAME_VALID | flags | UINT64_C(1) << FRAME_USAGE_SHIFT);
    return true;
}

/* ---- reading in -------------------------------------------------------------------------------------------- */

static void wait_loaded(uint32_t f, PageKey key)
{
    Frame *frame = frame_of(f);
    for (unsigned spins = 0;; spins++) {
        uint64_t w = atomic_load(&frame->word);
        if ((w & FRAME_STATE) != FRAME_LOADING || atomic_load(&frame->key) != key ||
            atomic_load(map_entry(key)) != f + 1)
            return;
        if (spins < 64)
            sched_yield();
        else
            nap();
    }
}

static void make_empty_table_page(uint8_t *page, uint64_t logical)
{
    memset(page, 0, PAGE_BYTES);
    PageHeader *h = (PageHeader *)page;
    h->kind = PAGE_TABLE;
    h->logical = logical;
    h->fill = PAGE_BYTES;
}

/* K3: the page of `key` is in some frame when this returns (it may be gone again at once). */
static void cache_load(PageKey key)
{
    uint32_t f = cache_claim();
    Frame *frame = frame_of(f);
    uint32_t none = 0;

    atomic_store(&frame->key, key);
    atomic_store(&frame->lsn, 0);
    if (!atomic_compare_exchange_strong(map_entry(key), &none, f + 1)) {
        cache_unclaim(f);
        wait_loaded(none - 1, key);
        return;
    }
    TRY()
    {
        STOP_POINT(PAGE_READ);
        if (KEY_IS_TABLE(key)) {
            uint64_t place = atomic_load(&the_store->table[KEY_LOGICAL(key)].place);
            if (place == 0) {
                make_empty_table_page(frame_page(f), KEY_LOGICAL(key));
            } else {
                page_read(place, frame_page(f));
                const PageHeader *h = (const PageHeader *)frame_page(f);
                if (h->kind != PAGE_TABLE || h->logical != KEY_LOGICAL(key))
                    page_damaged(place, "it is not the page of the object table that belongs there");
            }
        } else {
            page_read(key, frame_page(f));
        }
    }
    CATCH(err)
    {
        atomic_store(map_entry(key), 0);
        cache_unclaim(f);
        rethrow();
    }
    END_TRY();
    atomic_store(&frame->lsn, 0); /* what is on disk has its log on disk */
    uint64_t w = atomic_load(&frame->word);
    atomic_store_explicit(&frame->word, (w & FRAME_VERSION) | FRAME_VALID | UINT64_C(1) << FRAME_USAGE_SHIFT,
                          memory_order_release);
}

/* The frame that holds `key` now, valid; *word is what its word was. */
static inline uint32_t find_frame(PageKey key, uint64_t *word)
{
    for (;;) {
        uint32_t f = atomic_load_explicit(map_entry(key), memory_order_acquire);
        if (unlikely(f == 0)) {
            cache_load(key);
            continue;
        }
        Frame *frame = frame_of(f - 1);
        uint64_t w = atomic_load_explicit(&frame->word, memory_order_acquire);
        if (unlikely((w & FRAME_STATE) != FRAME_VALID)) {
            wait_loaded(f - 1, key);
            continue;
        }
        if (unlikely(atomic_load_explicit(&frame->key, memory_order_acquire) != key))
            continue;
        *word = w;
        return f - 1;
    }
}

/* K1's second half. */
static inline bool still_valid(uint32_t f, uint64_t before)
{
    atomic_thread_fence(memory_order_acquire);
    uint64_t w = atomic_load_explicit(&frame_of(f)->word, memory_order_relaxed);
    return ((w ^ before) & (FRAME_VERSION | FRAME_STATE)) == 0 || MUTATION(READ_VALIDATE);
}

static inline void touch(uint32_t f, uint64_t w)
{
    /* Lost races are harmless: it is only a hint for the clock. */
    if (unlikely((w & FRAME_USAGE) != FRAME_USAGE))
        atomic_compare_exchange_strong(&frame_of(f)->word, &w, w + (UINT64_C(1) << FRAME_USAGE_SHIFT));
}

/* While other sessions evict: the copied bytes may be torn, but then they are thrown away. */
__attribute__((no_sanitize("thread"))) void cache_copy(PageKey key, uint32_t offset, void *to, size_t n)
{
    Assert(offset + n <= PAGE_BYTES);
    for (;;) {
        uint64_t w;
        uint32_t f = find_frame(key, &w);
        STOP_POINT(PAGE_COPY);
        memcpy(to, frame_page(f) + offset, n);
        if (likely(still_valid(f, w))) {
            touch(f, w);
            return;
        }
    }
}

__attribute__((no_sanitize("thread"))) size_t cache_copy_record(PageNo page, uint32_t offset, RecordHeader *header,
                                                                void *body, size_t room)
{
    Assert(offset + sizeof(*header) <= PAGE_BYTES);
    for (;;) {
        uint64_t w;
        uint32_t f = find_frame(page, &w);
        STOP_POINT(PAGE_COPY);
        const uint8_t *at = frame_page(f) + offset;
        memcpy(header, at, sizeof(*header));
        size_t n = MIN(room, PAGE_BYTES - offset - sizeof(*header));
        n = MIN(n, (size_t)header->length);
        memcpy(body, at + sizeof(*header), n);
        if (likely(still_valid(f, w))) {
            touch(f, w);
            return n;
        }
    }
}

uint64_t cache_table_location(uint64_t index)
{
    uint64_t logical = TABLE_PAGE(index);
    if (logical >= atomic_load_explicit(&the_store->shared->table_pages, memory_order_acquire))
        return 0;
    for (;;) {
        uint64_t w;
        uint32_t f = find_frame(TABLE_KEY | logical, &w);
        TableEntry *entry = (TableEntry *)(frame_page(f) + PAGE_HEADER) + TABLE_SLOT(index);
        uint64_t location = atomic_load_explicit(&entry->location, memory_order_acquire);
        if (likely(still_valid(f, w))) {
            touch(f, w);
            return location;
        }
    }
}

/* ---- pins ------------------------------------------------------------------------------------------------------ */

/* The frames this session pins: what the shared bits say, quick to walk. */
static uint32_t *my_pin_list;
static uint32_t my_pins, my_pin_room;

static uint64_t *pin_bits_of(int slot)
{
    return the_store->pin_bits + (size_t)slot * the_store->pin_words;
}

uint32_t cache_pin(PageKey key)
{
    uint64_t *bits = pin_bits_of(the_store->slot);
    if (my_pins == my_pin_room) {
        my_pin_list = mem_realloc(the_store->context, my_pin_list, (my_pin_room + 64) * sizeof(*my_pin_list));
        my_pin_room += 64;
    }
    for (;;) {
        uint64_t w;
        uint32_t f = find_frame(key, &w);
        if (bits[f / 64] >> (f % 64) & 1)
            return f; /* pinned by us, so it can't have changed */
        /* Count and note change together, or not at all (DESIGN.md section 2). */
        START_CRIT();
        bool pinned = (w & FRAME_PINS) != FRAME_PINS &&
                      atomic_compare_exchange_strong(&frame_of(f)->word, &w, w + FRAME_PIN);
        if (pinned)
            bits[f / 64] |= UINT64_C(1) << (f % 64);
        END_CRIT();
        if (pinned) {
            my_pin_list[my_pins++] = f;
            return f;
        }
    }
}

static void unpin(uint64_t *bits, uint32_t f)
{
    START_CRIT();
    bits[f / 64] &= ~(UINT64_C(1) << (f % 64));
    atomic_fetch_sub(&frame_of(f)->word, FRAME_PIN);
    END_CRIT();
}

void cache_unpin_all(void)
{
    while (my_pins > 0)
        unpin(pin_bits_of(the_store->slot), my_pin_list[--my_pins]);
}

void cache_forget_pins(void)
{
    my_pin_list = NULL;
    my_pins = my_pin_room = 0;
}

uint32_t cache_pinned(void)
{
    return my_pins;
}

/* ---- changes -------------------------------------------------------------------------------------------------- */

void cache_dirty(uint32_t f)
{
    if (!(atomic_load(&frame_of(f)->word) & FRAME_DIRTY))
        atomic_fetch_or(&frame_of(f)->word, FRAME_DIRTY);
}

void cache_raise_lsn(uint32_t f, Lsn lsn)
{
    uint64_t now = atomic_load(&frame_of(f)->lsn);
    while (now < lsn && !atomic_compare_exchange_weak(&frame_of(f)->lsn, &now, lsn))
        ;
}

void cache_clear_open(uint32_t f)
{
    atomic_fetch_and(&frame_of(f)->word, ~FRAME_OPEN);
}

void cache_drop(PageNo page)
{
    for (;;) {
        uint32_t f = atomic_load(&the_store->page_map[page]);
        if (f == 0)
            return;
        Frame *frame = frame_of(f - 1);
        uint64_t w = atomic_load(&frame->word);
        if ((w & FRAME_STATE) != FRAME_VALID || atomic_load(&frame->key) != page || (w & FRAME_WRITING)) {
            nap();
            continue;
        }
        Assert(!(w & (FRAME_PINS | FRAME_OPEN)));
        uint64_t version = ((w & FRAME_VERSION) + (UINT64_C(1) << FRAME_VERSION_SHIFT)) & FRAME_VERSION;
        if (atomic_compare_exchange_strong(&frame->word, &w, version | FRAME_LOADING | my_owner())) {
            atomic_store(&the_store->page_map[page], 0);
            cache_unclaim(f - 1);
            return;
        }
    }
}

/* ---- after a death ----------------------------------------------------------------------------------------------- */

void cache_cleanup(int slot)
{
    uint64_t owner = (uint64_t)(slot + 1) << FRAME_OWNER_SHIFT;
    if (MUTATION(DEAD_CLEANUP))
        return;
    for (uint32_t f = 0; f < the_store->shared->frames; f++) {
        Frame *frame = frame_of(f);
        uint64_t w = atomic_load(&frame->word);
        if ((w & FRAME_OWNER) != owner)
            continue;
        if ((w & FRAME_STATE) == FRAME_LOADING) {
            uint32_t mapped = f + 1;
            PageKey key = atomic_load(&frame->key);
            if (key != 0)
                atomic_compare_exchange_strong(map_entry(key), &mapped, 0);
            cache_unclaim(f);
        } else if (w & FRAME_WRITING) {
            atomic_fetch_or(&frame->word, FRAME_DIRTY);
            atomic_fetch_and(&frame->word, ~(FRAME_WRITING | FRAME_OWNER));
        }
    }
    uint64_t *bits = pin_bits_of(slot);
    for (size_t i = 0; i < the_store->pin_words; i++)
        while (bits[i] != 0)
            unpin(bits, (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits[i]));
}
