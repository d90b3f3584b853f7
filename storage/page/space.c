/*
 * space.c - extents: taking, filling, giving up.
 *
 * E1: data extents are logged when they are taken, and each page or run when it is opened; redo of these comes before
 *     all other redo, so that recovery itself never puts a table page where a data page will be.
 * E2: meta extents are not logged: their pages count only if the directory of a complete checkpoint refers to them, and
 *     at open that is how `used` is found.  A page given up stays taken until a checkpoint that began later is complete
 *     (two epochs, flipped at each checkpoint's start).
 * E3: a dead extent (given up, logged) is free only after a checkpoint whose redo point lies after that record; one of a
 *     bulk commit that did not happen only when nobody reads there any more (bulk.c B5).
 * E4: an extent in use has its disk space allocated.  Data takes only what leaves reserve_wanted() extents free, so that
 *     a checkpoint finds places for the table and the directory also on a full disk.
 *
 * E5: `live` counts the bytes of records that words lead to, by commits and moves after they are installed.  It is a hint: a
 *     death in between makes it wrong, and redo only adds to it; after a crash the compactor counts again in its idle time.
 *     Nothing is given up for its sake.
 * E6: an extent that the compactor has chosen is no one's to fill: it is not the current one of its class, and none of its
 *     pages is open.  So no record comes to it, and one that no word leads to stays so.
 * E7: a hole is punched while the extent is marked HOLE_MAKING: nobody fills it up and uses it in between.
 *
 * Everything here is guarded by the EXTENT latch.  It is held over log appends from credit, never over I/O or waits: the
 * file grows outside of it.
 */
#include "storage/page/space.h"

#include <linux/falloc.h>

#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"

static inline Extent *extent_of(uint32_t e)
{
    return &the_store->extents[e];
}

static inline void extent_changed(uint32_t e)
{
    __atomic_store_n(&the_store->extent_dirty[e / EXTENTS_PER_PAGE], 1, __ATOMIC_RELEASE);
}

static inline void latch(void)
{
    latch_acquire(&the_store->shared->extent_latch, LATCH_EXCLUSIVE);
}

static inline void unlatch(void)
{
    latch_release(&the_store->shared->extent_latch);
}

/* E4: extents that a checkpoint may need at most for pages it writes afresh. */
static uint32_t reserve_wanted(void)
{
    StoreShared *s = the_store->shared;
    uint64_t pages = MIN((uint64_t)s->frames, atomic_load(&s->table_pages));
    pages += s->directory_pages[STREAM_TABLE] + s->extents / EXTENTS_PER_PAGE + 8;
    pages += atomic_load(&s->catalogue_bytes) / PAGE_PAYLOAD / 16;
    return (uint32_t)(pages / EXTENT_PAGES) + 2;
}

/* ---- growing the file ------------------------------------------------------------------------------------ */

static bool out_of_space(void)
{
    return errno == ENOSPC || errno == EDQUOT;
}

/* Gives one holed extent its disk space again.  1, 0 when there is none, -1 when the disk is full. */
static int fill_hole(void)
{
    StoreShared *s = the_store->shared;
    uint32_t holed = 0;

    latch();
    for (uint32_t e = 1; e < s->extents && holed == 0; e++)
        if (extent_of(e)->kind == EXTENT_FREE && extent_of(e)->holed == HOLE_MADE)
            holed = e;
    unlatch();
    if (holed == 0)
        return 0;
    if (io.fallocate(the_store->pages_fd, 0, (off_t)(holed * EXTENT_BYTES), EXTENT_BYTES) != 0) {
        if (out_of_space())
            return -1;
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not allocate space in \"" BASE_PAGES "\": %s", errno_text()));
    }
    latch();
    if (extent_of(holed)->kind == EXTENT_FREE && extent_of(holed)->holed == HOLE_MADE) {
        extent_of(holed)->holed = HOLE_NONE;
        s->free_extents++;
        s->free_hint = MIN(s->free_hint, holed);
    }
    unlatch();
    return 1;
}

/* Makes the file longer by `least` to `most` extents; false when the disk is full. */
static bool lengthen(uint32_t least, uint32_t most)
{
    StoreShared *s = the_store->shared;
    uint32_t end = s->extents;

    if (end + least > s->max_extents)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the store has reached max_store_size"),
                errhint("Raise max_store_size in lodestone.conf and restart."));
    most = MIN(most, s->max_extents - end);
    for (;;) {
        if (io.fallocate(the_store->pages_fd, 0, (off_t)(end * EXTENT_BYTES), (off_t)(most * EXTENT_BYTES)) == 0)
            break;
        if (!out_of_space())
            ereport(ERROR, error_code_of_errno(errno),
                    errmsg("could not extend \"" BASE_PAGES "\": %s", errno_text()));
        if (most == least)
            return false;
        most = least;
    }
    latch();
    for (uint32_t e = s->extents; e < end + most; e++) { /* another may have been here meanwhile */
        *extent_of(e) = (Extent){ .kind = EXTENT_FREE };
        extent_changed(e);
        s->extents = e + 1;
        s->free_extents++;
        s->kind_count[EXTENT_FREE]++;
    }
    unlatch();
    return true;
}

/* Allocates disk space for more extents: holed ones first, then at the file's end.  False = disk full. */
static bool grow(void)
{
    int filled = fill_hole();
    if (filled != 0)
        return filled > 0;
    return lengthen(1, MAX(1u, MIN(the_store->shared->extents / 8, 64u)));
}

static NORETURN void disk_full(void)
{
    ereport(ERROR, ERR_DISK_FULL, errmsg("no disk space left for new pages of the store"),
            errdetail("Nothing was changed; reading goes on."),
            errhint("Make room on the file system of \"%s\".", the_store->dir));
}

void space_extend(uint32_t count)
{
    if (!lengthen(count, count))
        disk_full();
}

void space_reserve(uint32_t extents)
{
    /* A look without the latch may be stale: space_open_pages looks again. */
    while (the_store->shared->free_extents < extents + reserve_wanted()) {
        STOP_POINT(SPACE_GROW);
        if (!grow())
            disk_full();
    }
}

/* ---- taking extents (latch held) ----------------------------------------------------------------------------- */

static void set_kind(uint32_t e, ExtentKind kind)
{
    StoreShared *s = the_store->shared;
    Extent *x = extent_of(e);
    s->kind_count[x->kind]--;
    s->kind_count[kind]++;
    x->kind = (uint8_t)kind;
    extent_changed(e);
}

static void make_free(uint32_t e)
{
    StoreShared *s = the_store->shared;
    set_kind(e, EXTENT_FREE);
    Extent *x = extent_of(e);
    x->used = x->pending[0] = x->pending[1] = 0;
    x->bulk = x->dead_lsn = 0;
    x->class_id = 0;
    atomic_store(&x->sequence, 0);
    atomic_store(&x->live, 0);
    s->free_extents++;
    s->free_hint = MIN(s->free_hint, e);
}

/* The first of `count` neighbouring free extents, 0 if there are none. */
static uint32_t find_free(uint32_t count)
{
    StoreShared *s = the_store->shared;
    uint32_t run = 0;
    bool first = true;
    for (uint32_t e = MAX(s->free_hint, 1u); e < s->extents; e++) {
        Extent *x = extent_of(e);
        if (x->kind == EXTENT_FREE && !x->holed) {
            if (first)
                s->free_hint = e;
            first = false;
            if (++run == count)
                return e - count + 1;
        } else {
            run = 0;
        }
    }
    return 0;
}

static void take(uint32_t e, uint32_t count, ExtentKind kind, uint32_t class_id, uint64_t bulk)
{
    for (uint32_t i = e; i < e + count; i++) {
        Extent *x = extent_of(i);
        set_kind(i, kind);
        x->used = 0;
        x->pending[0] = x->pending[1] = 0;
        x->class_id = class_id;
        x->bulk = bulk;
        x->holed = HOLE_NONE;
        x->cleaning = CLEAN_NOT;
        x->held = 0;
        atomic_store(&x->live, 0);
        atomic_store(&x->sequence, 0);
    }
    the_store->shared->free_extents -= count;
}

/* For data: only what leaves the reserve (E4). */
static uint32_t find_for_data(uint32_t count)
{
    return the_store->shared->free_extents < count + reserve_wanted() ? 0 : find_free(count);
}

/* ---- data pages ---------------------------------------------------------------------------------------------------- */

bool space_class_is_large(uint32_t class_id)
{
    if (class_id == 0 || class_id >= CLASS_SPACES)
        return false;
    ClassSpace *c = &the_store->classes[class_id];
    return c->own || atomic_load_explicit(&c->bytes, memory_order_relaxed) >= EXTENT_BYTES;
}

void space_class_note(uint32_t class_id, size_t bytes)
{
    if (class_id < CLASS_SPACES)
        atomic_fetch_add_explicit(&the_store->classes[class_id].bytes, bytes, memory_order_relaxed);
}

/* The lowest bit of `count` clear neighbours in `used`; -1 if there are none. */
static int find_gap(uint64_t used, uint32_t count)
{
    uint64_t gap = ~used;
    for (uint32_t i = 1; i < count && gap != 0; i++)
        gap &= gap >> 1;
    if (gap == 0)
        return -1;
    int at = __builtin_ctzll(gap);
    return at + (int)count <= EXTENT_PAGES ? at : -1;
}

bool space_open_pages(uint32_t class_id, uint32_t count, void (*mark)(PageNo, Lsn, void *), void *context)
{
    StoreShared *s = the_store->shared;
    bool own = space_class_is_large(class_id);
    uint32_t *current = own ? &the_store->classes[class_id].extent : &s->mixed_extent;

    latch();
    PageOpenRecord record = { .count = count, .class_id = class_id };
    int at = *current != 0 ? find_gap(extent_of(*current)->used, count) : -1;
    if (at < 0) {
        uint32_t e = find_for_data(1);
        if (e == 0) {
            unlatch();
            return false;
        }
        record.extent_kind = own ? EXTENT_CLASS : EXTENT_MIXED;
        record.extent_class = own ? class_id : 0;
        take(e, 1, (ExtentKind)record.extent_kind, record.extent_class, 0);
        *current = e;
        if (own)
            the_store->classes[class_id].own = 1;
        at = 0;
    }
    Extent *x = extent_of(*current);
    record.page = (PageNo)*current * EXTENT_PAGES + (unsigned)at;
    Lsn lsn = wal_append_credited(the_store->wal, &the_store->me->credit, WAL_PAGE_OPEN, 0, &record, sizeof(record));
    STOP_POINT(PAGE_OPENED);
    x->used |= (~UINT64_C(0) >> (EXTENT_PAGES - count)) << at; /* count may be all 64 */
    extent_changed(*current);
    mark(record.page, lsn, context);
    unlatch();
    return true;
}

/* ---- bulk ------------------------------------------------------------------------------------------------------------ */

uint32_t space_take_bulk(uint32_t count, uint64_t bulk)
{
    latch();
    uint32_t e = find_for_data(count);
    if (e != 0) {
        ExtentTakeRecord record = { e, count, 0, EXTENT_BULK, bulk };
        wal_append_credited(the_store->wal, &the_store->me->credit, WAL_EXTENT_TAKE, 0, &record, sizeof(record));
        take(e, count, EXTENT_BULK, 0, bulk);
    }
    unlatch();
    return e;
}

void space_open_bulk(PageNo page, uint64_t bulk)
{
    uint32_t e = (uint32_t)(page / EXTENT_PAGES);
    latch();
    Extent *x = extent_of(e);
    if (x->kind == EXTENT_BULK && x->bulk == bulk) { /* in redo it may have been given up since */
        x->used |= UINT64_C(1) << (page % EXTENT_PAGES);
        extent_changed(e);
    }
    unlatch();
}

/* E3.  Latch held. */
static void make_dead(uint32_t e)
{
    Extent *x = extent_of(e);
    set_kind(e, EXTENT_DEAD);
    atomic_store(&x->live, 0);
    x->used = ~UINT64_C(0);
    x->pending[the_store->shared->epoch & 1] = ~UINT64_C(0);
}

static void log_dead(uint32_t e)
{
    Extent *x = extent_of(e);
    store_credit(1, sizeof(ExtentFreeRecord), WAL_CREDIT_RESERVE);
    ExtentFreeRecord record = { e, 1, x->bulk };
    latch();
    x->dead_lsn = wal_append_credited(the_store->wal, &the_store->me->credit, WAL_EXTENT_FREE, 0, &record,
                                      sizeof(record));
    make_dead(e);
    unlatch();
}

void space_drop_bulk(uint64_t bulk)
{
    StoreShared *s = the_store->shared;
    for (uint32_t e = 1; e < s->extents; e++) {
        Extent *x = extent_of(e);
        if (x->kind == EXTENT_BULK && x->bulk == bulk && atomic_load(&x->sequence) == 0)
            log_dead(e);
    }
    store_credit_return();
}

void space_commit_bulk(const uint32_t *extents, uint32_t count, Sequence sequence)
{
    for (uint32_t i = 0; i < count; i++) {
        atomic_store(&extent_of(extents[i])->sequence, sequence);
        extent_changed(extents[i]);
    }
}

/* ---- places for pages that are written copy-on-write --------------------------------------------------------------- */

/* Latch held. */
static PageNo take_page_of(uint32_t e)
{
    Extent *x = extent_of(e);
    int at = x->kind == EXTENT_META ? find_gap(x->used, 1) : -1;
    if (at < 0)
        return 0;
    x->used |= UINT64_C(1) << at;
    if (the_store->shared->meta_free > 0)
        the_store->shared->meta_free--;
    return (PageNo)e * EXTENT_PAGES + (unsigned)at;
}

static PageNo try_take_meta(void)
{
    StoreShared *s = the_store->shared;
    PageNo page = s->meta_extent != 0 ? take_page_of(s->meta_extent) : 0;
    if (page == 0 && s->meta_free > 0) {
        for (uint32_t e = 1; e < s->extents && page == 0; e++) {
            page = take_page_of(e);
            if (page != 0)
                s->meta_extent = e;
        }
        if (page == 0)
            s->meta_free = 0;
    }
    if (page == 0) {
        uint32_t e = find_free(1);
        if (e != 0) {
            take(e, 1, EXTENT_META, 0, 0); /* E2: not logged */
            s->meta_extent = e;
            s->meta_free += EXTENT_PAGES;
            page = take_page_of(e);
        }
    }
    return page;
}

PageNo space_take_meta(void)
{
    for (;;) {
        latch();
        PageNo page = try_take_meta();
        unlatch();
        if (page != 0)
            return page;
        if (!grow())
            return 0;
    }
}

static void give_up_locked(PageNo place)
{
    StoreShared *s = the_store->shared;
    Extent *x = extent_of((uint32_t)(place / EXTENT_PAGES));
    uint64_t bit = UINT64_C(1) << (place % EXTENT_PAGES);
    if (MUTATION(META_REUSE)) {
        x->used &= ~bit;
        s->meta_free++;
        return;
    }
    x->pending[s->epoch & 1] |= bit;
    s->meta_pending++;
}

void space_give_up(PageNo place)
{
    latch();
    give_up_locked(place);
    unlatch();
}

void space_set_place(Stream stream, uint64_t logical, PageNo place)
{
    latch();
    PageNo old;
    if (stream == STREAM_TABLE) {
        old = atomic_exchange(&the_store->table[logical].place, place);
    } else {
        old = the_store->place[stream][logical];
        the_store->place[stream][logical] = place;
    }
    __atomic_store_n(&the_store->directory_dirty[stream][logical / DIRECTORY_ENTRIES], 1, __ATOMIC_RELEASE);
    if (old != 0)
        give_up_locked(old);
    unlatch();
}

uint32_t space_flip_epoch(void)
{
    latch();
    uint32_t epoch = the_store->shared->epoch++;
    unlatch();
    return epoch;
}

/* Latch held.  The disk space of a free extent is to go back: from here on nobody takes it. */
static void begin_hole(uint32_t e)
{
    extent_of(e)->holed = HOLE_MAKING;
    the_store->shared->free_extents--;
}

/* E7.  A file system that can't make holes: the space stays ours. */
static void make_hole(uint32_t e)
{
    StoreShared *s = the_store->shared;
    bool made = io.fallocate(the_store->pages_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(e * EXTENT_BYTES),
                             EXTENT_BYTES) == 0;
    latch();
    extent_of(e)->holed = made ? HOLE_MADE : HOLE_NONE;
    if (!made) {
        s->free_extents++;
        s->free_hint = MIN(s->free_hint, e);
    }
    unlatch();
}

/* It was a bulk commit's that did not happen. */
static bool is_undone(const Extent *x)
{
    return x->kind == EXTENT_DEAD && x->bulk != 0 && atomic_load(&((Extent *)x)->sequence) == 0;
}

/* Latch held.  Bits given up before the epoch's flip are clear; what became of the extent is for the caller to see. */
static void settle_pending(uint32_t e, uint32_t epoch, Lsn redo, bool undone_read)
{
    StoreShared *s = the_store->shared;
    Extent *x = extent_of(e);
    uint64_t gone = x->pending[epoch & 1];
    x->pending[epoch & 1] = 0;
    /* E3: another's lower bound may hold the redo point back, so the epoch alone does not tell. */
    bool rests = x->dead_lsn > redo || (undone_read && is_undone(x) && !MUTATION(UNDONE_RESTS));
    if (x->kind == EXTENT_DEAD && rests && !MUTATION(DEAD_REUSE)) {
        x->pending[s->epoch & 1] |= gone;
        return;
    }
    x->used &= ~gone;
    if (x->kind == EXTENT_META) {
        unsigned n = (unsigned)__builtin_popcountll(gone);
        s->meta_pending -= MIN(s->meta_pending, (uint64_t)n);
        s->meta_free += n;
    }
}

static bool is_empty(uint32_t e, ExtentKind kind)
{
    const Extent *x = extent_of(e);
    return x->kind == kind && x->used == 0 && (x->pending[0] | x->pending[1]) == 0;
}

void space_epoch_done(uint32_t epoch, Lsn redo, bool undone_read)
{
    StoreShared *s = the_store->shared;
    uint32_t extents = s->extents;

    latch();
    for (uint32_t e = 1; e < extents; e++)
        if (extent_of(e)->pending[epoch & 1] != 0)
            settle_pending(e, epoch, redo, undone_read);
    unlatch();
    /* Nobody takes a dead extent, so what is cached of it can go without the latch. */
    for (uint32_t e = 1; e < extents; e++)
        for (unsigned i = 0; is_empty(e, EXTENT_DEAD) && i < EXTENT_PAGES && !MUTATION(DEAD_DROPPED); i++)
            cache_drop((PageNo)e * EXTENT_PAGES + i);
    latch();
    uint32_t keep = reserve_wanted() + MIN(s->extents / 16, 64u);
    for (uint32_t e = 1; e < extents; e++) {
        if (!is_empty(e, EXTENT_DEAD) && (!is_empty(e, EXTENT_META) || e == s->meta_extent))
            continue;
        if (extent_of(e)->kind == EXTENT_META)
            s->meta_free -= MIN(s->meta_free, (uint32_t)EXTENT_PAGES);
        make_free(e);
    }
    /* More than a reserve: give disk space back, from the end. */
    for (uint32_t e = extents; e-- > 1 && s->free_extents > keep;)
        if (extent_of(e)->kind == EXTENT_FREE && extent_of(e)->holed == HOLE_NONE)
            begin_hole(e);
    unlatch();
    STOP_POINT(SPACE_FREED);
    for (uint32_t e = 1; e < extents; e++)
        if (extent_of(e)->holed == HOLE_MAKING)
            make_hole(e);
}

/* ---- for the compactor ------------------------------------------------------------------------------------------------- */

/* Its class's, or all small classes', current extent; NULL when it can't be one. */
static uint32_t *current_of(const Extent *x)
{
    if (x->kind == EXTENT_MIXED)
        return &the_store->shared->mixed_extent;
    return x->kind == EXTENT_CLASS && x->class_id < CLASS_SPACES ? &the_store->classes[x->class_id].extent : NULL;
}

bool space_cleanable(uint32_t e, int32_t *live)
{
    const Extent *x = extent_of(e);
    const uint32_t *current = current_of(x);
    Sequence bulk = atomic_load(&extent_of(e)->sequence);
    *live = MIN(MAX(atomic_load(&extent_of(e)->live), 0), EXTENT_PAYLOAD);
    if (x->cleaning != CLEAN_NOT || (x->held != 0 && *live / LIVE_UNIT + 1 >= x->held))
        return false;
    if (x->kind == EXTENT_BULK) /* published: all its words are installed */
        return bulk != 0 && bulk <= atomic_load(&the_store->shared->published);
    return current != NULL && (*current != e || x->used == ~UINT64_C(0));
}

/* A page of it that somebody may still put records into. */
static bool has_open_page(uint32_t e)
{
    for (PageNo page = (PageNo)e * EXTENT_PAGES; page < (PageNo)(e + 1) * EXTENT_PAGES; page++) {
        uint32_t f = atomic_load(&the_store->page_map[page]);
        if (f != 0 && (atomic_load(&the_store->frames[f - 1].word) & FRAME_OPEN) &&
            atomic_load(&the_store->frames[f - 1].key) == page)
            return true;
    }
    return false;
}

bool space_clean_choose(uint32_t e)
{
    Extent *x = extent_of(e);
    int32_t live;
    latch();
    /* Pages are opened under the latch, and only in current extents: none is opened here once it is none. */
    bool can = space_cleanable(e, &live) && (!has_open_page(e) || MUTATION(CLEAN_QUIET));
    if (can) {
        uint32_t *current = current_of(x);
        if (current != NULL && *current == e)
            *current = 0;
        x->cleaning = CLEAN_CHOSEN;
        x->held = 0;
    }
    unlatch();
    return can;
}

static void set_cleaning(uint32_t e, uint8_t cleaning)
{
    latch();
    extent_of(e)->cleaning = cleaning;
    unlatch();
}

void space_clean_end(uint32_t e)
{
    set_cleaning(e, CLEAN_NOT);
}

void space_clean_leave(uint32_t e)
{
    set_cleaning(e, CLEAN_LEFT);
}

void space_clean_hold(uint32_t e)
{
    Extent *x = extent_of(e);
    latch();
    x->held = (uint16_t)(MIN(MAX(atomic_load(&x->live), 0), EXTENT_PAYLOAD) / LIVE_UNIT + 1);
    x->cleaning = CLEAN_NOT;
    unlatch();
}

void space_clean_free(uint32_t e)
{
    log_dead(e);
    store_credit_return();
}

void space_live_add(Location location, uint32_t bytes, int sign)
{
    PageNo page = LOCATION_PAGE(location), end = page + RECORD_PAGES(bytes);
    if (end == page + 1) {
        atomic_fetch_add_explicit(&extent_of((uint32_t)(page / EXTENT_PAGES))->live, sign * (int32_t)bytes,
                                  memory_order_relaxed);
        extent_changed((uint32_t)(page / EXTENT_PAGES));
        return;
    }
    while (page < end) { /* a run's pages are all its own */
        uint32_t e = (uint32_t)(page / EXTENT_PAGES);
        PageNo next = MIN(end, (PageNo)(e + 1) * EXTENT_PAGES);
        atomic_fetch_add_explicit(&extent_of(e)->live, sign * (int32_t)((next - page) * PAGE_PAYLOAD), memory_order_relaxed);
        extent_changed(e);
        page = next;
    }
}

void space_live_set(uint32_t e, int32_t live)
{
    atomic_store(&extent_of(e)->live, live);
    extent_changed(e);
}

/* ---- the map on disk -------------------------------------------------------------------------------------------------- */

void space_store(uint64_t logical, StoredExtent *out)
{
    StoreShared *s = the_store->shared;
    uint64_t from = logical * EXTENTS_PER_PAGE;
    latch();
    for (uint64_t i = 0; i < EXTENTS_PER_PAGE; i++) {
        memset(&out[i], 0, sizeof(out[i]));
        if (from + i >= s->extents)
            continue;
        const Extent *x = extent_of((uint32_t)(from + i));
        out[i].kind = x->kind;
        if (x->kind != EXTENT_META) /* E2 */
            out[i].used = x->used;
        out[i].sequence = atomic_load(&extent_of((uint32_t)(from + i))->sequence);
        out[i].bulk = x->bulk;
        out[i].class_id = x->class_id;
        int32_t live = atomic_load(&extent_of((uint32_t)(from + i))->live);
        out[i].live = (uint16_t)((MIN(MAX(live, 0), EXTENT_PAYLOAD) + LIVE_UNIT - 1) / LIVE_UNIT);
    }
    unlatch();
}

void space_load(uint64_t logical, const StoredExtent *in, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t e = (uint32_t)(logical * EXTENTS_PER_PAGE + i);
        if (e >= the_store->shared->max_extents)
            ereport(ERROR, ERR_STORE_FULL, errmsg("the store is larger than max_store_size"),
                    errhint("Raise max_store_size in lodestone.conf."));
        Extent *x = extent_of(e);
        memset(x, 0, sizeof(*x));
        x->kind = in[i].kind;
        x->used = in[i].used;
        atomic_store(&x->sequence, in[i].sequence);
        x->bulk = in[i].bulk;
        x->class_id = in[i].class_id;
        atomic_store(&x->live, in[i].live * LIVE_UNIT);
        if (x->kind == EXTENT_DEAD)
            x->pending[the_store->shared->epoch & 1] = ~UINT64_C(0);
    }
}

void space_note_extents(uint32_t extents)
{
    StoreShared *s = the_store->shared;
    if (extents > s->max_extents)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the store is larger than max_store_size"),
                errhint("Raise max_store_size in lodestone.conf."));
    if (s->extents == 0) {
        extent_of(0)->kind = EXTENT_NEVER;
        extent_changed(0);
        s->extents = 1;
    }
    while (s->extents < extents) {
        *extent_of(s->extents) = (Extent){ .kind = EXTENT_FREE };
        extent_changed(s->extents++);
    }
}

/* Recomputes all counts from the map. */
void space_settle(void)
{
    StoreShared *s = the_store->shared;
    memset(s->kind_count, 0, sizeof(s->kind_count));
    s->free_extents = s->meta_free = s->mixed_extent = s->meta_extent = 0;
    s->free_hint = 1;
    for (uint32_t e = 0; e < s->extents; e++) {
        Extent *x = extent_of(e);
        s->kind_count[x->kind]++;
        switch (x->kind) {
        case EXTENT_FREE:
            x->holed = HOLE_MADE; /* perhaps: fallocate before use is harmless if not */
            break;
        case EXTENT_META:
            s->meta_free += EXTENT_PAGES - (unsigned)__builtin_popcountll(x->used);
            break;
        case EXTENT_MIXED:
            if (x->used != ~UINT64_C(0))
                s->mixed_extent = e;
            break;
        case EXTENT_CLASS:
            if (x->class_id < CLASS_SPACES) {
                the_store->classes[x->class_id].own = 1;
                if (x->used != ~UINT64_C(0))
                    the_store->classes[x->class_id].extent = e;
            }
            break;
        default:
            break;
        }
    }
}

/* ---- redo -------------------------------------------------------------------------------------------------------------- */

void space_redo_take(const ExtentTakeRecord *record)
{
    space_note_extents(record->extent + record->count);
    for (uint32_t e = record->extent; e < record->extent + record->count; e++) {
        Extent *x = extent_of(e);
        /* The map may be newer than this record: then it knows all this and more. */
        if (x->kind == record->kind && x->bulk == record->bulk && x->class_id == record->class_id)
            continue;
        if (x->kind == EXTENT_META)
            ereport(ERROR, ERR_CORRUPT_WAL,
                    errmsg("the log takes extent %u for data, which the last checkpoint refers to", e));
        if (x->kind != EXTENT_FREE && x->kind != EXTENT_DEAD)
            continue;
        if (x->kind == EXTENT_DEAD && x->bulk == record->bulk && record->bulk != 0)
            continue; /* given up again later on */
        *x = (Extent){ .kind = (uint8_t)record->kind, .class_id = record->class_id, .bulk = record->bulk };
        extent_changed(e);
    }
}

void space_redo_free(const ExtentFreeRecord *record)
{
    space_note_extents(record->extent + record->count);
    for (uint32_t e = record->extent; e < record->extent + record->count; e++) {
        Extent *x = extent_of(e);
        bool data = x->kind == EXTENT_BULK || x->kind == EXTENT_MIXED || x->kind == EXTENT_CLASS;
        if (!data || x->bulk != record->bulk)
            continue; /* the map is newer than this record, or the taking lies before the redo point */
        x->kind = EXTENT_DEAD;
        x->used = ~UINT64_C(0);
        x->pending[the_store->shared->epoch & 1] = ~UINT64_C(0);
        extent_changed(e);
    }
}

void space_redo_open(const PageOpenRecord *record)
{
    uint32_t e = (uint32_t)(record->page / EXTENT_PAGES);
    if (record->extent_kind != 0) {
        ExtentTakeRecord taken = { e, 1, record->extent_class, record->extent_kind, 0 };
        space_redo_take(&taken);
    }
    space_note_extents(e + 1);
    Extent *x = extent_of(e);
    x->used |= (~UINT64_C(0) >> (EXTENT_PAGES - record->count)) << (record->page % EXTENT_PAGES);
    extent_changed(e);
}

void space_unopen(PageNo page)
{
    Extent *x = extent_of((uint32_t)(page / EXTENT_PAGES));
    latch();
    if (x->kind != EXTENT_DEAD) {
        x->used &= ~(UINT64_C(1) << (page % EXTENT_PAGES));
        extent_changed((uint32_t)(page / EXTENT_PAGES));
    }
    unlatch();
}

bool space_bulk_undecided(PageNo page, uint64_t number)
{
    if (page / EXTENT_PAGES >= the_store->shared->extents)
        return false;
    const Extent *x = extent_of((uint32_t)(page / EXTENT_PAGES));
    return (x->kind == EXTENT_BULK || x->kind == EXTENT_DEAD) && x->bulk != 0 && (number == 0 || x->bulk == number) &&
           atomic_load(&x->sequence) == 0;
}

Sequence space_bulk_sequence(PageNo page)
{
    Extent *x = extent_of((uint32_t)(page / EXTENT_PAGES));
    return x->kind == EXTENT_BULK ? atomic_load(&x->sequence) : 0;
}

bool space_is_bulk(PageNo page)
{
    const Extent *x = extent_of((uint32_t)(page / EXTENT_PAGES));
    return (x->kind == EXTENT_BULK || x->kind == EXTENT_DEAD) && x->bulk != 0;
}

bool space_any_undecided(void)
{
    for (uint32_t e = 1; e < the_store->shared->extents; e++)
        if (space_bulk_undecided((PageNo)e * EXTENT_PAGES, 0))
            return true;
    return false;
}

void space_drop_undecided(void)
{
    StoreShared *s = the_store->shared;
    latch();
    for (uint32_t e = 1; e < s->extents; e++)
        if (extent_of(e)->kind == EXTENT_BULK && atomic_load(&extent_of(e)->sequence) == 0)
            make_dead(e);
    unlatch();
}
