/*
 * wal.c - the log's handle: opening, a new incarnation, closing, numbers.
 *
 * The handle is made before the first fork and inherited; all that processes share is in WalShared and the
 * ring behind it.  What a process has of its own are open segments.  Nothing here is process-global: several
 * logs can be open at a time (tests, repair, replicas).
 */
#include "storage/wal/wal_private.h"

#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/stop.h"

static void check_config(const WalConfig *config)
{
    if (!IS_POWER_OF_2(config->segment_size) || config->segment_size < WAL_MIN_SEGMENT ||
        config->segment_size > WAL_MAX_SEGMENT)
        ereport(ERROR, ERR_CONFIG, errmsg("wal_segment_size must be a power of two from 64kB to 1GB, not %u",
                                          config->segment_size));
    if (!IS_POWER_OF_2(config->ring_size) || config->ring_size < WAL_MIN_RING)
        ereport(ERROR, ERR_CONFIG,
                errmsg("wal_buffers must be a power of two of at least 256kB, not %u", config->ring_size));
}

size_t wal_shared_size(const WalConfig *config)
{
    check_config(config);
    return WAL_SHARED_BYTES + (size_t)config->ring_size;
}

Wal *wal_open(MemoryContext *context, const WalConfig *config, void *shared)
{
    Wal *wal;

    check_config(config);
    Assert((uintptr_t)shared % WAL_BLOCK == 0);
    wal = mem_new(context, Wal);
    wal->config = *config;
    if (wal->config.segments_ahead < 2)
        wal->config.segments_ahead = 2;
    if (wal->config.reserve == 0)
        wal->config.reserve = config->segment_size / 4;
    wal->directory = mem_strdup(context, config->directory);
    wal->config.directory = wal->directory;
    wal->shared = shared;
    wal->ring = (uint8_t *)shared + WAL_SHARED_BYTES;
    wal->shared->ring_size = config->ring_size;
    wal->shared->segment_size = config->segment_size;
    latch_init(&wal->shared->write_latch, LATCH_WAL_WRITE);
    latch_init(&wal->shared->segment_latch, LATCH_WAL_SEGMENTS);
    wal->bell = eventfd(0, EFD_CLOEXEC);
    if (wal->bell < 0)
        ereport(ERROR, ERR_SYSTEM, errmsg("could not make an eventfd: %s", errno_text()));
    return wal;
}

void wal_close(Wal *wal)
{
    wal_segments_close(wal);
    if (wal->bell >= 0)
        close(wal->bell);
    wal->bell = -1;
    mem_free(wal->directory);
    mem_free(wal);
}

void wal_start_incarnation(Wal *wal, const WalRecovery *recovery, uint64_t last_sequence)
{
    WalShared *shared = wal->shared;
    Lsn start = recovery->end;
    WalIncarnationStart body = {.previous = recovery->incarnation, .start = start};

    Assert(start != LSN_NONE && start % WAL_BLOCK == 0); /* W3 */
    Assert(shared->incarnation == 0);
    wal_segments_survey(wal, start);

    /* The number must be durable before a byte is written under it: it is never given twice. */
    if (wal->config.control_set_incarnation != NULL && !MUTATION(WAL_INCARNATION_FIRST))
        wal->config.control_set_incarnation(wal->config.control, recovery->incarnation + 1, start);
    STOP_POINT(WAL_INCARNATION_SET);

    shared->incarnation = recovery->incarnation + 1;
    shared->place.sequence = last_sequence;
    shared->place.insert = start;
    atomic_store(&shared->taken, start);
    atomic_store(&shared->durable, start);
    atomic_store(&shared->released, start);
    atomic_store(&shared->wanted, start);
    wal_flush(wal, wal_append(wal, WAL_INCARNATION, 0, &body, sizeof(body), WAL_CREDIT_RESERVE));
    if (MUTATION(WAL_INCARNATION_FIRST))
        wal->config.control_set_incarnation(wal->config.control, recovery->incarnation + 1, start);
}

uint64_t wal_incarnation(const Wal *wal)
{
    return wal->shared->incarnation;
}

uint64_t wal_distance(Lsn from, Lsn to)
{
    return to > from ? to - from : 0;
}

void wal_stats(const Wal *wal, WalStats *out)
{
    const WalShared *shared = wal->shared;

    *out = (WalStats){
        .insert = wal_insert_position(wal),
        .durable = atomic_load(&shared->durable),
        .prepared_end = atomic_load(&shared->prepared_end),
        .incarnation = shared->incarnation,
        .last_sequence = wal_last_sequence(wal),
        .batches = atomic_load(&shared->batches),
        .bytes_written = atomic_load(&shared->bytes_written),
        .filler_bytes = atomic_load(&shared->filler_bytes),
        .self_writes = atomic_load(&shared->self_writes),
        .writer_writes = atomic_load(&shared->writer_writes),
        .flush_sleeps = atomic_load(&shared->flush_sleeps),
        .ring_waits = atomic_load(&shared->ring_waits),
        .segments_made = atomic_load(&shared->segments_made),
        .segments_recycled = atomic_load(&shared->segments_recycled),
        .segments_removed = atomic_load(&shared->segments_removed),
        .direct_io = wal->config.direct_io && !atomic_load(&shared->direct_refused),
        .uring = atomic_load(&shared->uring) != 0,
        .sync_method = wal->config.sync_method,
    };
}

/* ---- sync methods ------------------------------------------------------------------------------------ */

static const char *const SYNC_NAMES[] = {
    [WAL_SYNC_OPEN_DATASYNC] = "open_datasync",
    [WAL_SYNC_FDATASYNC] = "fdatasync",
    [WAL_SYNC_FSYNC] = "fsync",
    [WAL_SYNC_OPEN_SYNC] = "open_sync",
};

const char *wal_sync_method_name(WalSyncMethod method)
{
    return (unsigned)method < COUNT_OF(SYNC_NAMES) ? SYNC_NAMES[method] : "?";
}

bool wal_sync_method_parse(const char *name, WalSyncMethod *out)
{
    for (unsigned i = 0; i < COUNT_OF(SYNC_NAMES); i++) {
        if (strcmp(name, SYNC_NAMES[i]) == 0) {
            *out = (WalSyncMethod)i;
            return true;
        }
    }
    return false;
}

#define MEASURE_BYTES  (64 * WAL_BLOCK)
#define MEASURE_WRITES 40

/* Nanoseconds for MEASURE_WRITES durable overwrites of one block, or -1. */
static int64_t measure_one(const char *path, WalSyncMethod method, bool direct_io, void *block)
{
    int flags = O_WRONLY | (method == WAL_SYNC_OPEN_DATASYNC ? O_DSYNC : method == WAL_SYNC_OPEN_SYNC ? O_SYNC : 0);
    int fd = direct_io ? io.open(path, flags | O_DIRECT, 0) : -1;
    int64_t start;

    if (fd < 0)
        fd = io.open(path, flags, 0);
    if (fd < 0)
        return -1;
    start = clock_monotonic_ns();
    for (unsigned i = 0; i < MEASURE_WRITES; i++) {
        bool ok = io.pwrite(fd, block, WAL_BLOCK, (off_t)(i * WAL_BLOCK % MEASURE_BYTES)) == WAL_BLOCK;

        if (ok && method == WAL_SYNC_FDATASYNC)
            ok = io.fdatasync(fd) == 0;
        else if (ok && method == WAL_SYNC_FSYNC)
            ok = io.fsync(fd) == 0;
        if (!ok) {
            io.close(fd);
            return -1;
        }
    }
    io.close(fd);
    return clock_monotonic_ns() - start;
}

WalSyncMethod wal_sync_method_measure(const char *directory, bool direct_io)
{
    MemoryContext *context = memctx_create(memctx_current(), "sync method");
    uint8_t *memory = mem_zalloc(context, MEASURE_BYTES + WAL_BLOCK);
    uint8_t *block = (uint8_t *)ALIGN_UP((uintptr_t)memory, WAL_BLOCK);
    char *path = mem_printf(context, "%s/sync.test", directory);
    WalSyncMethod best = WAL_SYNC_OPEN_DATASYNC;
    volatile int fd = -1;
    int64_t least = INT64_MAX;

    TRY()
    {
        fd = io_open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        io_write_at(fd, path, block, MEASURE_BYTES, 0);
        io_sync_file(fd, path);
        io.close(fd);
        fd = -1;
    }
    CATCH(err)
    {
        if (fd >= 0)
            io.close(fd);
        io.unlink(path);
        memctx_delete(context);
        rethrow();
    }
    END_TRY();
    for (unsigned method = 0; method < COUNT_OF(SYNC_NAMES); method++) {
        int64_t ns = measure_one(path, (WalSyncMethod)method, direct_io, block);

        /* Later methods must be clearly better: the first can have several writes in flight. */
        if (ns >= 0 && (least == INT64_MAX || ns < least - least / 3)) {
            least = ns;
            best = (WalSyncMethod)method;
        }
    }
    io.unlink(path);
    memctx_delete(context);
    return best;
}
