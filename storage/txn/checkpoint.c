/*
 * checkpoint.c - checkpoints: everything older than the redo point stands in the pages, durably, and the control file
 * says so.
 *
 * L1: the insert position is read before the lower bounds; the redo point is the least of all. Whoever publishes a bound
 *     later takes his place in the log later still.  So a bound that is published late, with a position read before the
 *     last checkpoint's redo point, does not move that point back: redo points only grow.
 * L2: after the redo point is fixed, the EXTENT latch is taken once: page openings logged before are then marked, and
 *     are sealed here; every other page is built from nothing by redo.
 * L3: what describes the store (table places, extent map, catalogue) is captured after the dirty pages are written, each
 *     under the latch of its writers; and the log is durable to beyond the capture before the control file is written, so
 *     that nothing captured is unknown to the log.
 * L4: order: pages, directory, one fdatasync, control file, and only then recycling of log and places.
 *
 * CHECKPOINT latch: held from start to end, over I/O.  A failed checkpoint leaves the old one in force; all that it wrote
 * went to fresh places.
 */
#include <limits.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/open.h"
#include "storage/page/space.h"
#include "storage/page/writer.h"
#include "storage/txn/txn.h"

static uint64_t stream_pages(Stream stream)
{
    StoreShared *s = the_store->shared;
    switch (stream) {
    case STREAM_TABLE:
        return atomic_load(&s->table_pages);
    case STREAM_EXTENTS:
        return (s->extents + EXTENTS_PER_PAGE - 1) / EXTENTS_PER_PAGE;
    default:
        return (s->catalogue_saved + PAGE_PAYLOAD - 1) / PAGE_PAYLOAD;
    }
}

static uint64_t place_of(Stream stream, uint64_t logical)
{
    return stream == STREAM_TABLE ? atomic_load(&the_store->table[logical].place) : the_store->place[stream][logical];
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static uint8_t *new_page(PageKind kind, uint64_t logical)
{
    uint8_t *page = page_writer_buffer();
    memset(page, 0, PAGE_BYTES);
    PageHeader *h = (PageHeader *)page;
    h->kind = (uint16_t)kind;
    h->logical = logical;
    h->fill = PAGE_BYTES;
    return page;
}

/* A place may be noted before its page is there: if that fails, so does the checkpoint, and all is written again. */
static void send_ended(UNUSED uint32_t tag, UNUSED PageNo place, UNUSED bool written)
{
}

static void send(PageNo place, uint8_t *page)
{
    page_writer_send(page, place, send_ended, 0);
}

static PageNo fresh_place(void)
{
    PageNo place = space_take_meta();
    if (place == 0)
        ereport(ERROR, ERR_DISK_FULL, errmsg("no disk space for a checkpoint"),
                errhint("Make room on the file system of \"%s\".", the_store->dir));
    return place;
}

static void write_catalogue(void)
{
    StoreShared *s = the_store->shared;
    /* L3: under the latch, so that what was logged before the redo point has been added. */
    latch_acquire(&s->intern_latch, LATCH_SHARED);
    uint64_t bytes = s->catalogue_bytes;
    latch_release(&s->intern_latch);
    for (uint64_t i = s->catalogue_saved / PAGE_PAYLOAD; i * PAGE_PAYLOAD < bytes; i++) {
        if (s->catalogue_saved == bytes)
            break;
        PageNo place = fresh_place();
        uint8_t *page = new_page(PAGE_CATALOGUE, i);
        uint64_t from = i * PAGE_PAYLOAD;
        memcpy(page + PAGE_HEADER, the_store->catalogue + from, MIN(bytes - from, (uint64_t)PAGE_PAYLOAD));
        send(place, page);
        space_set_place(STREAM_CATALOGUE, i, place);
    }
    s->catalogue_saved = bytes;
}

/* Returns how many pages of the map there are now.  More may come while we write, these very pages' places taken from a
 * file that must grow for them: the directory leads to those that were written, the log knows the rest. */
static uint64_t write_extents(void)
{
    uint64_t pages = stream_pages(STREAM_EXTENTS);
    for (uint64_t i = 0; i < pages; i++) {
        if (!__atomic_exchange_n(&the_store->extent_dirty[i], 0, __ATOMIC_ACQ_REL) &&
            the_store->place[STREAM_EXTENTS][i] != 0)
            continue;
        PageNo place = fresh_place();
        uint8_t *page = new_page(PAGE_EXTENTS, i);
        space_store(i, (StoredExtent *)(page + PAGE_HEADER));
        send(place, page);
        space_set_place(STREAM_EXTENTS, i, place);
    }
    return pages;
}

static void write_directory_page(Stream stream, uint64_t d, uint64_t pages)
{
    PageNo place = fresh_place();
    uint8_t *page = new_page(PAGE_DIRECTORY, (uint64_t)stream << 32 | d);
    uint64_t *out = (uint64_t *)(page + PAGE_HEADER);
    for (uint64_t i = 0; i < DIRECTORY_ENTRIES && d * DIRECTORY_ENTRIES + i < pages; i++)
        out[i] = place_of(stream, d * DIRECTORY_ENTRIES + i);
    send(place, page);
    PageNo old = the_store->directory[stream][d];
    the_store->directory[stream][d] = place;
    if (old != 0)
        space_give_up(old);
}

/* Returns the root's page. */
static PageNo write_directory(uint64_t extent_pages)
{
    StoreShared *s = the_store->shared;
    uint64_t pages[STREAM_COUNT], total = 0;

    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        pages[stream] = stream == STREAM_EXTENTS ? extent_pages : stream_pages((Stream)stream);
        uint64_t n = (pages[stream] + DIRECTORY_ENTRIES - 1) / DIRECTORY_ENTRIES;
        for (uint64_t d = 0; d < n; d++)
            if (__atomic_exchange_n(&the_store->directory_dirty[stream][d], 0, __ATOMIC_ACQ_REL) ||
                the_store->directory[stream][d] == 0)
                write_directory_page((Stream)stream, d, pages[stream]);
        s->directory_pages[stream] = n;
        total += n;
    }
    if (total > ROOT_ENTRIES)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the object table has outgrown its directory"));
    PageNo place = fresh_place();
    uint8_t *page = new_page(PAGE_ROOT, 0);
    DirectoryRoot *root = (DirectoryRoot *)(page + PAGE_HEADER);
    uint64_t at = 0;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        root->pages[stream] = pages[stream];
        for (uint64_t d = 0; d < s->directory_pages[stream]; d++)
            root->places[at++] = the_store->directory[stream][d];
    }
    root->catalogue_bytes = s->catalogue_saved;
    counters_save(root->counters);
    root->extents = MIN((uint64_t)s->extents, pages[STREAM_EXTENTS] * EXTENTS_PER_PAGE);
    send(place, page);
    return place;
}

/* After a failure: what was taken for written may not be. */
static void mark_all_dirty(uint64_t catalogue_saved)
{
    StoreShared *s = the_store->shared;
    s->catalogue_saved = catalogue_saved;
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        uint64_t pages = stream_pages((Stream)stream);
        memset(the_store->directory_dirty[stream], 1, pages / DIRECTORY_ENTRIES + 1);
    }
    memset(the_store->extent_dirty, 1, stream_pages(STREAM_EXTENTS));
}

static Lsn find_redo_point(Sequence *sequence)
{
    StoreShared *s = the_store->shared;
    Lsn redo = wal_insert_position(the_store->wal); /* L1: first */
    *sequence = wal_last_sequence(the_store->wal);
    for (uint32_t i = 0; i < s->slots; i++) {
        Lsn bound = atomic_load(&the_store->slots[i].lower_bound);
        if (bound != 0 && bound < redo)
            redo = bound;
    }
    return MAX(redo, s->control.redo);
}

static void sync_pages(void)
{
    page_writer_settle();
    if (MUTATION(CHECKPOINT_SYNC))
        return;
    /* After a failed flush nobody knows what is on disk: only a recovery can tell. */
    if (io.fdatasync(the_store->pages_fd) != 0)
        ereport(PANIC, ERR_IO, errmsg("could not flush \"%s/" BASE_PAGES "\": %s", the_store->dir, errno_text()));
}

static void checkpoint_locked(bool clean)
{
    StoreShared *s = the_store->shared;
    Wal *wal = the_store->wal;
    Control control = s->control;

    STOP_POINT(CHECKPOINT_START);
    uint32_t epoch = space_flip_epoch();
    control.redo = find_redo_point(&control.sequence);
    latch_acquire(&s->extent_latch, LATCH_EXCLUSIVE); /* L2 */
    latch_release(&s->extent_latch);
    STOP_POINT(CHECKPOINT_REDO_POINT);
    open_seal_before(control.redo);
    STOP_POINT(CHECKPOINT_SEALED);
    if (!MUTATION(CHECKPOINT_ALL))
        cache_write_all();
    STOP_POINT(CHECKPOINT_PAGES);
    write_catalogue();
    uint64_t extent_pages = write_extents();
    PageNo old_root = s->root;
    control.root = write_directory(extent_pages);
    STOP_POINT(CHECKPOINT_DIRECTORY);
    latch_acquire(&s->oids_latch, LATCH_EXCLUSIVE);
    control.oid_limit = clean ? s->oid_next : s->oid_limit;
    latch_release(&s->oids_latch);
    control.bulk = atomic_load(&s->next_bulk);
    control.clean = clean;
    control.incarnation = wal_incarnation(wal);
    wal_flush(wal, wal_insert_position(wal)); /* L3 */
    control.must_reach = wal_durable_position(wal);
    sync_pages();
    STOP_POINT(CHECKPOINT_SYNCED);
    control.checkpoints++;
    control_write(the_store->control_fd, the_store->dir, &control);
    STOP_POINT(CHECKPOINT_CONTROL);
    s->control = control;
    s->root = control.root;
    if (old_root != 0)
        space_give_up(old_root);
    atomic_store(&s->redo, control.redo);
    atomic_fetch_add(&s->checkpoints, 1);
    space_epoch_done(epoch, control.redo, views_begun_before(atomic_load(&s->undone_epoch)));
    wal_recycle(wal, control.redo);
    STOP_POINT(CHECKPOINT_END);
}

/* When the last one was, in this and in any process. */
static int64_t last_time;
static Lsn last_insert;

void checkpoint_run(bool clean)
{
    StoreShared *s = the_store->shared;
    latch_acquire(&s->checkpoint_latch, LATCH_EXCLUSIVE);
    int64_t start = clock_monotonic_ns();
    uint64_t catalogue_saved = s->catalogue_saved;
    atomic_store(&s->asked, 0);
    TRY()
    {
        checkpoint_locked(clean);
    }
    CATCH(err)
    {
        page_writer_abandon();
        mark_all_dirty(catalogue_saved);
        rethrow();
    }
    END_TRY();
    last_time = clock_monotonic_ns();
    last_insert = wal_insert_position(the_store->wal);
    atomic_store(&s->checkpoint_us, (uint64_t)((last_time - start) / NSEC_PER_USEC));
    latch_release(&s->checkpoint_latch);
}

/* ---- when ------------------------------------------------------------------------------------------------------------- */

static bool is_due(bool by_time)
{
    StoreShared *s = the_store->shared;
    Lsn insert = wal_insert_position(the_store->wal);
    if (atomic_load(&s->asked))
        return true;
    if (wal_distance(atomic_load(&s->redo), insert) > (uint64_t)conf.checkpoint_wal_size)
        return true;
    /* Places given up pile up when a small cache evicts table pages over and over. */
    if (s->meta_pending > 1024 + 2 * atomic_load(&s->table_pages))
        return true;
    return by_time && insert != last_insert &&
           clock_monotonic_ns() - last_time > conf.checkpoint_timeout * NSEC_PER_MSEC;
}

static void checkpoint_or_warn(void)
{
    TRY()
    {
        checkpoint_run(false);
    }
    CATCH(err)
    {
        /* A full disk passes; the last checkpoint stays good. */
        log_message(WARNING, "checkpoint failed: %s", err->message);
    }
    END_TRY();
}

void checkpoint_if_due(void)
{
    bool alone = the_store->mode == STORE_SOLO, due = is_due(alone);
    if (due && alone)
        checkpoint_or_warn();
    else if (due)
        store_checkpoint_request();
    if (the_store->chores != NULL)
        the_store->chores(due);
}

static void ring(void)
{
    atomic_fetch_add(&the_store->shared->bell, 1);
    futex_wake(&the_store->shared->bell, INT_MAX);
}

void store_checkpoint_request(void)
{
    if (atomic_exchange(&the_store->shared->asked, 1) == 0)
        ring();
}

void store_checkpointer_wake(void)
{
    if (the_store != NULL)
        ring();
}

void store_checkpoint_now(void)
{
    bool attached = !slot_is_mine();
    if (attached)
        slot_attach_auxiliary();
    TRY()
    {
        checkpoint_run(false);
    }
    CATCH(err)
    {
        if (attached)
            slot_detach();
        rethrow();
    }
    END_TRY();
    if (attached)
        slot_detach();
}

void store_checkpointer_main(const volatile bool *stop)
{
    StoreShared *s = the_store->shared;
    slot_is_mine();
    slot_attach_auxiliary();
    atomic_store(&s->checkpointer_uring, page_writer_start());
    last_time = clock_monotonic_ns();
    last_insert = wal_insert_position(the_store->wal);
    int64_t watched = 0;
    while (!*stop) {
        uint32_t heard = atomic_load(&s->bell);
        if (clock_monotonic_ns() - watched > 900 * NSEC_PER_MSEC) {
            views_watch();
            watched = clock_monotonic_ns();
        }
        if (is_due(true)) {
            checkpoint_or_warn();
            if (!is_due(false))
                continue;
            io.sleep_ns(100 * NSEC_PER_MSEC); /* it failed: not at once again */
            continue;
        }
        wait_event_start(WAIT_IDLE);
        futex_wait(&s->bell, heard, MIN(conf.checkpoint_timeout / 2 + 1, (int64_t)1000) * NSEC_PER_MSEC);
        wait_event_end();
    }
    page_writer_stop();
    slot_detach();
}

/* ---- reading it back ------------------------------------------------------------------------------------------------------ */

static void refer(PageNo place, const char *from)
{
    uint32_t e = (uint32_t)(place / EXTENT_PAGES);
    if (place / EXTENT_PAGES == 0 || place / EXTENT_PAGES >= the_store->shared->max_extents)
        ereport(ERROR, ERR_CORRUPT_PAGE, errmsg("%s of \"%s\" refers to page %llu, which can't be", from,
                                                the_store->dir, (unsigned long long)place));
    space_note_extents(e + 1);
    Extent *x = &the_store->extents[e];
    if (x->kind != EXTENT_META && x->kind != EXTENT_FREE)
        ereport(ERROR, ERR_CORRUPT_PAGE,
                errmsg("%s of \"%s\" refers to page %llu, which is a data page", from, the_store->dir,
                       (unsigned long long)place));
    x->kind = EXTENT_META;
    x->used |= UINT64_C(1) << (place % EXTENT_PAGES);
}

static void read_logical(PageNo place, PageKind kind, uint64_t logical, uint8_t *page)
{
    page_read(place, page);
    const PageHeader *h = (const PageHeader *)page;
    if (h->kind != kind || h->logical != logical)
        page_damaged(place, "it is not the page that the directory says");
}

static void load_directory(const DirectoryRoot *root, uint8_t *page)
{
    uint64_t at = 0;
    uint64_t most[STREAM_COUNT] = { the_store->shared->table_pages_max,
                                    the_store->shared->max_extents / EXTENTS_PER_PAGE + 1, CATALOGUE_PAGES };
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        uint64_t pages = root->pages[stream];
        if (pages > most[stream])
            ereport(ERROR, ERR_STORE_FULL, errmsg("the store \"%s\" is larger than max_store_size", the_store->dir),
                    errhint("Raise max_store_size in lodestone.conf."));
        for (uint64_t d = 0; d * DIRECTORY_ENTRIES < pages; d++) {
            PageNo place = root->places[at++];
            the_store->directory[stream][d] = place;
            read_logical(place, PAGE_DIRECTORY, (uint64_t)stream << 32 | d, page);
            const uint64_t *in = (const uint64_t *)(page + PAGE_HEADER);
            for (uint64_t i = 0; i < DIRECTORY_ENTRIES && d * DIRECTORY_ENTRIES + i < pages; i++) {
                if (stream == STREAM_TABLE)
                    atomic_store(&the_store->table[d * DIRECTORY_ENTRIES + i].place, in[i]);
                else
                    the_store->place[stream][d * DIRECTORY_ENTRIES + i] = in[i];
            }
        }
        the_store->shared->directory_pages[stream] = (pages + DIRECTORY_ENTRIES - 1) / DIRECTORY_ENTRIES;
    }
}

void checkpoint_load(const Control *control)
{
    StoreShared *s = the_store->shared;
    uint8_t *page = page_scratch();

    s->control = *control;
    s->root = control->root;
    atomic_store(&s->redo, control->redo);
    s->oid_next = s->oid_limit = MAX(control->oid_limit, (uint64_t)OID_FIRST_USER);
    atomic_store(&s->next_bulk, control->bulk + 1);
    atomic_store(&s->published, control->sequence);
    space_note_extents(1);
    if (control->root == 0)
        return; /* a new store */
    read_logical(control->root, PAGE_ROOT, 0, page);
    DirectoryRoot *root = mem_alloc(the_store->context, PAGE_PAYLOAD);
    memcpy(root, page + PAGE_HEADER, PAGE_PAYLOAD);
    load_directory(root, page);
    counters_load(root->counters);
    space_note_extents((uint32_t)root->extents);
    for (uint64_t i = 0; i < root->pages[STREAM_EXTENTS]; i++) {
        read_logical(the_store->place[STREAM_EXTENTS][i], PAGE_EXTENTS, i, page);
        space_load(i, (const StoredExtent *)(page + PAGE_HEADER),
                   (uint32_t)MIN(root->extents - i * EXTENTS_PER_PAGE, (uint64_t)EXTENTS_PER_PAGE));
    }
    for (uint64_t i = 0; i < root->pages[STREAM_CATALOGUE]; i++) {
        read_logical(the_store->place[STREAM_CATALOGUE][i], PAGE_CATALOGUE, i, page);
        memcpy(the_store->catalogue + i * PAGE_PAYLOAD, page + PAGE_HEADER, PAGE_PAYLOAD);
    }
    /* space.c E2: this is how the pages of meta extents are known. */
    refer(control->root, "the control file");
    for (int stream = 0; stream < STREAM_COUNT; stream++) {
        for (uint64_t d = 0; d < s->directory_pages[stream]; d++)
            refer(the_store->directory[stream][d], "the directory's root");
        for (uint64_t i = 0; i < root->pages[stream]; i++)
            if (place_of((Stream)stream, i) != 0)
                refer(place_of((Stream)stream, i), "the directory");
    }
    /* A meta extent that nothing refers to was free as soon as this checkpoint was complete: the log may take it. */
    for (uint32_t e = 1; e < s->extents; e++)
        if (the_store->extents[e].kind == EXTENT_META && the_store->extents[e].used == 0)
            the_store->extents[e].kind = EXTENT_FREE;
    atomic_store(&s->table_pages, root->pages[STREAM_TABLE]);
    catalogue_settle(root->catalogue_bytes);
    mem_free(root);
}
