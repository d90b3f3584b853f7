/*
 * store.c - a store as a whole: creating, opening, closing; statistics.
 *
 * A store is a directory:  control, base/pages, wal/, store.lock, and what the backend keeps there (lodestone.conf, ...).
 *
 * O1: a store exists from the moment its control file is renamed into place; before that store_create() may begin again.
 * O2: one opening at a time: flock on store.lock, inherited by children, gone with the last of them.
 * O3: the process that opens makes shared memory and recovers before anyone else is there.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/compact/clean.h"
#include "storage/compact/collect.h"
#include "storage/compact/compactor.h"
#include "storage/control.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/open.h"
#include "storage/page/space.h"
#include "storage/shmem.h"
#include "storage/state.h"
#include "storage/txn/locks.h"
#include "storage/txn/txn.h"

struct Store *the_store;
static struct Store the_one; /* a process has at most one */

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static void path_in(char *out, size_t size, const char *dir, const char *name)
{
    if ((size_t)snprintf(out, size, "%s/%s", dir, name) >= size)
        ereport(ERROR, ERR_INVALID_ARGUMENT, errmsg("the store's path is too long"));
}

#define PATH_ROOM 2300

bool store_exists(const char *dir)
{
    char path[PATH_ROOM];
    struct stat st;
    if ((size_t)snprintf(path, sizeof(path), "%s/control", dir) >= sizeof(path))
        return false;
    return io.stat(path, &st) == 0;
}

/* O2.  The open descriptor. */
static int take_lock(const char *dir)
{
    char path[PATH_ROOM];
    path_in(path, sizeof(path), dir, "store.lock");
    int fd = io_open_file(path, O_RDWR | O_CREAT, 0600);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int err = errno;
        io.close(fd);
        if (err == EWOULDBLOCK)
            ereport(ERROR, ERR_STORE_IN_USE, errmsg("the store \"%s\" is in use by another process", dir),
                    errhint("Connect to its server, or stop it first: lodectl -D %s stop", dir));
        errno = err;
        ereport(ERROR, ERR_SYSTEM, errmsg("could not lock \"%s\": %s", path, errno_text()));
    }
    return fd;
}

/* ---- creating ------------------------------------------------------------------------------------------------------- */

/* What an interrupted creation, or the backend, may have left is no obstacle; anything else is. */
static void check_empty(const char *dir)
{
    static const char *const allowed[] = { ".", "..", "lodestone.conf", "store.lock", "control.new", "base", "wal",
                                           "lodestone.pid", "lodestone.lock", "lodestone.sock", "log", "lodestone.log" };
    DIR *d = opendir(dir);
    if (d == NULL)
        ereport(ERROR, error_code_of_errno(errno), errmsg("could not read directory \"%s\": %s", dir, errno_text()));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        bool ok = false;
        for (size_t i = 0; i < COUNT_OF(allowed); i++)
            ok = ok || strcmp(e->d_name, allowed[i]) == 0;
        if (ok || strncmp(e->d_name, "lodestone.", 10) == 0)
            continue;
        char name[256];
        snprintf(name, sizeof(name), "%s", e->d_name);
        closedir(d);
        ereport(ERROR, ERR_FILE_EXISTS,
                errmsg("\"%s\" is not empty and not a store: it has \"%s\" in it", dir, name),
                errhint("Choose another directory."));
    }
    closedir(d);
}

void (*store_left_lying)(void);

static void wal_configure(WalConfig *config, const char *dir, uint32_t segment_size, uint64_t id, bool solo)
{
    static char path[PATH_ROOM];
    path_in(path, sizeof(path), dir, "wal");
    uint32_t ring = 256 * 1024;
    while (ring < conf.wal_buffers && ring < (1u << 30))
        ring *= 2;
    *config = (WalConfig){
        .directory = path,
        .segment_size = segment_size,
        .ring_size = ring,
        .sync_method = (WalSyncMethod)conf.wal_sync_method,
        .direct_io = conf.direct_io,
        .solo = solo,
        .left_lying = store_left_lying,
        .store_id = id,
        .segments_ahead = 2,
    };
}

static uint32_t power_of_two(int64_t n)
{
    uint32_t p = 65536;
    while (p < n && p < (1u << 30))
        p *= 2;
    return p;
}

static void remove_segments(const char *dir)
{
    char path[PATH_ROOM + 300];
    snprintf(path, sizeof(path), "%s/wal", dir);
    DIR *d = opendir(path);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (e->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/wal/%s", dir, e->d_name);
            io.unlink(path);
        }
    closedir(d);
}

static void create_files(const char *dir, const StoreCreateOptions *opts)
{
    char path[PATH_ROOM];
    Control control = { 0 };
    WalConfig wal;

    remove_segments(dir); /* of an interrupted creation */
    path_in(path, sizeof(path), dir, "base");
    io_make_directory(path, 0700);
    path_in(path, sizeof(path), dir, BASE_PAGES);
    int fd = io_open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    io_sync_file(fd, path);
    io.close(fd);
    path_in(path, sizeof(path), dir, "base");
    io_sync_directory(path);

    io.random(&control.store_id, sizeof(control.store_id));
    io.random(&control.hash_seed, sizeof(control.hash_seed));
    control.wal_segment_size = opts != NULL && opts->wal_segment_size != 0 ? opts->wal_segment_size :
                                                                             power_of_two(conf.wal_segment_size);
    control.redo = control.must_reach = wal_first_position(control.wal_segment_size);
    control.oid_limit = OID_FIRST_USER;
    control.created = (uint64_t)(clock_realtime_ns() / NSEC_PER_SEC);
    control.clean = 1;
    wal_configure(&wal, dir, control.wal_segment_size, control.store_id, true);
    wal_create(&wal);
    STOP_POINT(STORE_CREATE);
    control_create(dir, &control); /* O1 */
}

void store_create(const char *dir, const StoreCreateOptions *opts)
{
    io_make_directory(dir, 0700);
    int lock = take_lock(dir);
    TRY()
    {
        if (store_exists(dir))
            ereport(ERROR, ERR_FILE_EXISTS, errmsg("there is a store in \"%s\" already", dir));
        check_empty(dir);
        create_files(dir, opts);
    }
    CATCH(err)
    {
        io.close(lock);
        rethrow();
    }
    END_TRY();
    io.close(lock);
}

/* ---- shared memory --------------------------------------------------------------------------------------------------------- */

static uint64_t max_pages(void)
{
    return MIN(ALIGN_DOWN((uint64_t)conf.max_store_size / PAGE_BYTES, EXTENT_PAGES), MAX_PAGES);
}

/* An object is at least a header and its word: so many can be in the largest store. */
static uint64_t max_table_pages(void)
{
    uint64_t pages = max_pages() * (PAGE_BYTES / 64) / TABLE_ENTRIES + 65;
    return MIN(pages, DIRECTORY_ENTRIES * (ROOT_ENTRIES - 400));
}

static uint32_t slot_count(void)
{
    return (uint32_t)MIN(conf.max_sessions, MAX_SLOTS - AUXILIARY_SLOTS) + AUXILIARY_SLOTS;
}

static void reserve_shared(const WalConfig *wal)
{
    uint64_t pages = max_pages(), table = max_table_pages(), extents = pages / EXTENT_PAGES;
    uint64_t frames = (uint64_t)conf.page_cache_size / PAGE_BYTES;

    shmem_reserve("store", SHMEM_DENSE, sizeof(StoreShared));
    shmem_reserve("slots", SHMEM_DENSE, slot_count() * sizeof(SessionSlot));
    shmem_reserve("pins", SHMEM_DENSE, slot_count() * ((frames + 63) / 64) * 8);
    shmem_reserve("frames", SHMEM_DENSE, frames * sizeof(Frame));
    shmem_reserve("wal", SHMEM_DENSE, wal_shared_size(wal));
    shmem_reserve("changes", SHMEM_DENSE, (size_t)conf.change_ring_size);
    shmem_reserve("pages", SHMEM_DENSE, frames * PAGE_BYTES);
    shmem_reserve("locks", SHMEM_SPARSE, locks_size());
    shmem_reserve("page map", SHMEM_SPARSE, pages * sizeof(uint32_t));
    shmem_reserve("table", SHMEM_SPARSE, table * sizeof(TablePlace));
    shmem_reserve("extents", SHMEM_SPARSE, extents * sizeof(Extent));
    shmem_reserve("extent dirty", SHMEM_SPARSE, extents / EXTENTS_PER_PAGE + 1);
    shmem_reserve("classes", SHMEM_SPARSE, CLASS_SPACES * sizeof(ClassSpace));
    shmem_reserve("extent places", SHMEM_SPARSE, (extents / EXTENTS_PER_PAGE + 1) * 8);
    shmem_reserve("catalogue places", SHMEM_SPARSE, CATALOGUE_PAGES * 8);
    shmem_reserve("directory 0", SHMEM_SPARSE, (table / DIRECTORY_ENTRIES + 1) * 9);
    shmem_reserve("directory 1", SHMEM_SPARSE, (extents / EXTENTS_PER_PAGE / DIRECTORY_ENTRIES + 1) * 9);
    shmem_reserve("directory 2", SHMEM_SPARSE, (CATALOGUE_PAGES / DIRECTORY_ENTRIES + 1) * 9);
    shmem_reserve("seen", SHMEM_SPARSE, (table * TABLE_ENTRIES / 64 + 1) * sizeof(uint64_t));
    shmem_reserve("traced", SHMEM_SPARSE, (table * TABLE_ENTRIES / 64 + 1) * sizeof(uint64_t));
    shmem_reserve("catalogue", SHMEM_SPARSE, CATALOGUE_PAGES * PAGE_PAYLOAD + PAGE_PAYLOAD);
    shmem_reserve("name heads", SHMEM_SPARSE, NAME_HEADS * sizeof(uint32_t));
    shmem_reserve("symbols", SHMEM_SPARSE, NAME_IDS(NAME_SYMBOL) * sizeof(uint32_t));
    shmem_reserve("shapes", SHMEM_SPARSE, NAME_IDS(NAME_SHAPE) * sizeof(uint32_t));
    shmem_reserve("class names", SHMEM_SPARSE, NAME_IDS(NAME_CLASS) * sizeof(uint32_t));
    shmem_reserve("encodings", SHMEM_SPARSE, NAME_IDS(NAME_ENCODING) * sizeof(uint32_t));
}

static void attach_shared(Store *store)
{
    uint64_t pages = max_pages(), table = max_table_pages(), extents = pages / EXTENT_PAGES;
    uint32_t frames = (uint32_t)((uint64_t)conf.page_cache_size / PAGE_BYTES);
    StoreShared *s = shmem_attach("store");

    store->shared = s;
    store->slots = shmem_attach("slots");
    store->pin_bits = shmem_attach("pins");
    store->pin_words = (frames + 63) / 64;
    store->frames = shmem_attach("frames");
    store->frame_bytes = shmem_attach("pages");
    store->changes = shmem_attach("changes");
    store->locks = shmem_attach("locks");
    store->page_map = shmem_attach("page map");
    store->table = shmem_attach("table");
    store->extents = shmem_attach("extents");
    store->extent_dirty = shmem_attach("extent dirty");
    store->classes = shmem_attach("classes");
    store->place[STREAM_EXTENTS] = shmem_attach("extent places");
    store->place[STREAM_CATALOGUE] = shmem_attach("catalogue places");
    store->directory[STREAM_TABLE] = shmem_attach("directory 0");
    store->directory[STREAM_EXTENTS] = shmem_attach("directory 1");
    store->directory[STREAM_CATALOGUE] = shmem_attach("directory 2");
    store->directory_dirty[STREAM_TABLE] = (uint8_t *)(store->directory[0] + table / DIRECTORY_ENTRIES + 1);
    store->directory_dirty[STREAM_EXTENTS] =
        (uint8_t *)(store->directory[1] + extents / EXTENTS_PER_PAGE / DIRECTORY_ENTRIES + 1);
    store->directory_dirty[STREAM_CATALOGUE] =
        (uint8_t *)(store->directory[2] + CATALOGUE_PAGES / DIRECTORY_ENTRIES + 1);
    store->seen = shmem_attach("seen");
    store->traced = shmem_attach("traced");
    store->catalogue = shmem_attach("catalogue");
    store->name_heads = shmem_attach("name heads");
    store->names[NAME_SYMBOL] = shmem_attach("symbols");
    store->names[NAME_SHAPE] = shmem_attach("shapes");
    store->names[NAME_CLASS] = shmem_attach("class names");
    store->names[NAME_ENCODING] = shmem_attach("encodings");

    s->slots = slot_count();
    s->sessions_max = s->slots - AUXILIARY_SLOTS;
    s->frames = frames;
    s->max_pages = pages;
    s->max_extents = (uint32_t)extents;
    s->table_pages_max = table;
    s->change_slots = (uint64_t)conf.change_ring_size / sizeof(Change);
    s->open_max = (uint32_t)MIN(conf.max_open_pages, (int64_t)frames / 2);
    s->open_quota = MAX(1u, MIN(8u, s->open_max / 2 / s->sessions_max));
    s->run_limit = MIN(16u, MAX(2u, s->open_max / 8));
    latch_init(&s->slots_latch, LATCH_SLOTS);
    latch_init(&s->oids_latch, LATCH_OIDS);
    latch_init(&s->intern_latch, LATCH_INTERN);
    latch_init(&s->extent_latch, LATCH_EXTENT);
    latch_init(&s->checkpoint_latch, LATCH_CHECKPOINT);
    latch_init(&s->counters_latch, LATCH_COUNTERS);
}

static void set_bulk_limits(Store *store)
{
    StoreShared *s = store->shared;
    uint64_t most = wal_max_payload(store->wal);
    uint64_t wanted = conf.bulk_commit_size != 0 ? (uint64_t)conf.bulk_commit_size :
                                                   (uint64_t)conf.page_cache_size / 16;
    s->bulk_limit = MIN(MAX(wanted, (uint64_t)PAGE_BYTES * 2), most);
    /* A credit charges 8 KiB for each record beside its bytes; half the ring is the most that one commit may want. */
    s->bulk_opens = (uint32_t)MIN((most * 2 - s->bulk_limit) / (8192 + 64), (uint64_t)s->open_max / 4);
}

/* ---- opening ------------------------------------------------------------------------------------------------------------------- */

static void open_files(Store *store)
{
    char path[PATH_ROOM];
    path_in(path, sizeof(path), store->dir, BASE_PAGES);
    store->pages_fd = -1;
    if (conf.direct_io)
        store->pages_fd = io.open(path, O_RDWR | O_DIRECT, 0);
    store->direct_io = store->pages_fd >= 0;
    if (store->pages_fd < 0) {
        store->pages_fd = io_open_file(path, O_RDWR, 0);
        if (conf.direct_io)
            log_message(WARNING, "the file system of \"%s\" refuses O_DIRECT: pages go through the kernel's cache", path);
    }
    store->control_fd = control_open(store->dir);
}

static void control_set_incarnation(void *context, uint64_t incarnation, Lsn start)
{
    Store *store = context;
    Control control = store->shared->control;
    control.incarnation = incarnation;
    control.must_reach = start;
    control.clean = 0;
    control_write(store->control_fd, store->dir, &control);
    store->shared->control = control;
}

static void release(Store *store)
{
    if (store->slot >= 0) {
        crit_word_set(NULL);
        wait_event_word_set(NULL);
    }
    store->slot = -1;
    store->me = NULL;
    if (store->has_wal)
        wal_close(store->wal);
    store->has_wal = false;
    int *fds[] = { &store->pages_fd, &store->control_fd, &store->lock_fd };
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        if (*fds[i] >= 0)
            io.close(*fds[i]);
        *fds[i] = -1;
    }
    open_forget();
    cache_forget_pins();
    clean_forget();
    collect_forget();
    store_commit_abort();
    the_store = NULL;
    shmem_destroy();
    commit_forget();
    memctx_delete(store->context);
    store->context = NULL;
}

static void open_locked(Store *store, StoreMode mode)
{
    Control control;
    WalConfig wal;

    control_read(store->dir, &control);
    store->id = control.store_id;
    store->hash_seed = control.hash_seed;
    wal_configure(&wal, store->dir, control.wal_segment_size, control.store_id, mode == STORE_SOLO);
    wal.control_set_incarnation = control_set_incarnation;
    wal.control = store;
    reserve_shared(&wal);
    shmem_create();
    attach_shared(store);
    open_files(store);
    store->wal = wal_open(store->context, &wal, shmem_attach("wal"));
    store->has_wal = true;
    locks_init();
    set_bulk_limits(store);
    slot_attach_auxiliary();
    checkpoint_load(&control);
    recovery_run(); /* O3 */
    slot_detach();
}

Store *store_open(const char *dir, StoreMode mode)
{
    Store *store = &the_one;
    if (the_store != NULL)
        ereport(ERROR, ERR_INTERNAL, errmsg("this process has a store open already"));
    mutation_init();
    memset(store, 0, sizeof(*store));
    if ((size_t)snprintf(store->dir, sizeof(store->dir), "%s", dir) >= sizeof(store->dir))
        ereport(ERROR, ERR_INVALID_ARGUMENT, errmsg("the store's path is too long"));
    store->mode = mode;
    store->chores = mode == STORE_SOLO ? compactor_alone : NULL;
    store->opener = (int32_t)getpid();
    store->slot = -1;
    store->pages_fd = store->control_fd = store->lock_fd = -1;
    if (!store_exists(dir))
        ereport(ERROR, ERR_NOT_A_STORE, errmsg("there is no store in \"%s\"", dir),
                errhint("Create one with: lodectl -D %s init", dir));
    store->context = memctx_create(NULL, "store");
    the_store = store;
    TRY()
    {
        store->lock_fd = take_lock(dir);
        open_locked(store, mode);
    }
    CATCH(err)
    {
        release(store);
        rethrow();
    }
    END_TRY();
    return store;
}

void store_close(Store *store, bool clean)
{
    if (the_store != store || store == NULL)
        return;
    if (store->opener == (int32_t)getpid() && clean) {
        slot_detach();
        slot_attach_auxiliary();
        TRY()
        {
            checkpoint_run(true);
        }
        CATCH(err)
        {
            release(store);
            rethrow();
        }
        END_TRY();
        slot_detach();
    } else if (store->opener != (int32_t)getpid()) {
        slot_detach();
    }
    release(store);
}

void store_forget(Store *store)
{
    if (the_store == store && store != NULL) {
        store->slot = -1; /* an inherited slot is the parent's */
        store->me = NULL;
        crit_word_set(NULL);
        wait_event_word_set(NULL);
        release(store);
    }
}

void store_flush_left(void)
{
    if (the_store != NULL && the_store->mode == STORE_SOLO && the_store->opener == (int32_t)getpid())
        wal_flush(the_store->wal, wal_insert_position(the_store->wal));
}

Store *store_current(void)
{
    return the_store;
}

const char *store_directory(const Store *store)
{
    return store->dir;
}

uint64_t store_id(const Store *store)
{
    return store->id;
}

uint64_t store_hash_seed(const Store *store)
{
    return store->hash_seed;
}

/* ---- the WAL writer ---------------------------------------------------------------------------------------------------------------- */

void store_wal_writer_main(const volatile bool *stop)
{
    slot_is_mine();
    slot_attach_auxiliary();
    wal_writer_main(the_store->wal, stop);
    slot_detach();
}

void store_wal_writer_wake(void)
{
    if (the_store != NULL)
        wal_writer_wake(the_store->wal);
}

/* ---- statistics ------------------------------------------------------------------------------------------------------------------------ */

static void count_frames(StoreStats *out)
{
    for (uint32_t f = 0; f < the_store->shared->frames; f++) {
        uint64_t w = atomic_load(&the_store->frames[f].word);
        out->frames_dirty += (w & FRAME_DIRTY) != 0;
        out->frames_open += (w & FRAME_OPEN) != 0;
    }
}

void store_stats(StoreStats *out)
{
    StoreShared *s = the_store->shared;
    memset(out, 0, sizeof(*out));
    out->published = atomic_load(&s->published);
    for (uint32_t i = 0; i < s->slots; i++) {
        SessionSlot *slot = &the_store->slots[i];
        out->commits += slot->commits;
        out->conflicts += slot->conflicts;
        out->aborts += slot->aborts;
        out->objects_fetched += slot->fetched;
        out->versions_walked += slot->walked;
        out->sessions += i < s->sessions_max && atomic_load(&slot->state) != SLOT_FREE;
    }
    out->commits += s->gone_commits;
    out->conflicts += s->gone_conflicts;
    out->aborts += s->gone_aborts;
    out->objects_fetched += s->gone_fetched;
    out->versions_walked += s->gone_walked;
    out->bulk_commits = s->stat_bulk_commits;
    out->frames = s->frames;
    out->page_size = PAGE_BYTES;
    count_frames(out);
    out->page_reads = s->stat_page_reads;
    out->page_writes = s->stat_page_writes;
    out->evictions = s->stat_evictions;
    out->evictions_dirty = s->stat_evictions_dirty;
    out->extents_total = s->extents;
    out->extents_free = s->kind_count[EXTENT_FREE];
    out->extents_data = s->kind_count[EXTENT_MIXED] + s->kind_count[EXTENT_CLASS];
    out->extents_meta = s->kind_count[EXTENT_META];
    out->extents_bulk = s->kind_count[EXTENT_BULK];
    out->extents_dead = s->kind_count[EXTENT_DEAD];
    for (uint32_t e = 1; e < s->extents; e++) {
        out->live_bytes += (uint64_t)MAX(atomic_load(&the_store->extents[e].live), 0);
        out->extents_holed += the_store->extents[e].kind == EXTENT_FREE && the_store->extents[e].holed != HOLE_NONE;
    }
    out->objects_moved = s->stat_moved;
    out->bytes_moved = s->stat_moved_bytes;
    out->moves_refused = s->stat_move_refused;
    out->extents_cleaned = s->stat_cleaned;
    out->collections = s->stat_collections;
    out->collections_given_up = s->stat_collect_given_up;
    out->objects_freed = s->stat_freed;
    out->bytes_freed = s->stat_freed_bytes;
    out->store_bytes = s->extents * EXTENT_BYTES;
    out->oids_handed_out = s->oid_next;
    out->ot_pages = s->table_pages;
    out->symbols = store_symbol_count();
    out->shapes = store_shape_count();
    out->classes = store_class_count();
    out->encodings = store_encoding_count();
    out->checkpoints = s->checkpoints;
    out->last_checkpoint_us = s->checkpoint_us;
    out->redo_point = s->redo;
    out->sessions_max = s->sessions_max;
    out->oldest_snapshot = publish_oldest_snapshot();
    out->direct_io = the_store->direct_io;
    wal_stats(the_store->wal, &out->wal);
}
