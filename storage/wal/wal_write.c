/*
 * wal_write.c - from the ring to the disk: batches, the right to write, and who waits for whom.
 *
 * A batch is everything placed so far, closed by a filler and a mark so that it ends with a block.  No block is
 * ever in two writes (W7), so a torn write can hurt only its own batch.  The mark says up to where the log was
 * durable when the batch was formed: at recovery it tells damage from the end of the log.
 *
 * The right to write is a latch that is only ever tried.  A committer that finds it free, with nobody
 * asleep, writes its own batch and has its answer with the least possible delay.  Else it puts down what it wants
 * and sleeps, and the WAL writer takes the whole crowd in one batch.  No wake-up is lost:
 *   - a sleeper raises `wanted` and then tries the latch again; a writer gives up the latch and then looks
 *     at `wanted`; one of the two sees the other (both are sequentially consistent);
 *   - sleepers wait on `done`, read before `durable` was, so a batch completed in between wakes them at once;
 *   - and should the WAL writer have died, sleepers look again every few milliseconds.
 *
 * Errors: a failed write or flush is a PANIC.  What the disk holds then is unknown (the kernel may even have
 * dropped the pages and forgotten the error), so only a recovery that reads it anew can go on.
 */
#include "storage/wal/wal_private.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/futex.h"
#include "lib/stop.h"

#define SLEEP_NS        (10 * NSEC_PER_MSEC) /* then look whether anyone still works for us */
#define SOLO_SLEEP_NS   (1 * NSEC_PER_MSEC)
#define SPIN_BEFORE_YIELD 200

/* ---- futex with a mask: a batch wakes those who may be in it, not the whole crowd ------------------- */

static uint32_t batch_bit(uint32_t number)
{
    return UINT32_C(1) << (number & 31);
}

static void sleep_on_done(WalShared *shared, uint32_t seen, int64_t deadline_ns, uint32_t mask)
{
    struct timespec until = {.tv_sec = deadline_ns / NSEC_PER_SEC, .tv_nsec = deadline_ns % NSEC_PER_SEC};

    wait_event_start(WAIT_WAL_FLUSH);
    syscall(SYS_futex, &shared->done, FUTEX_WAIT_BITSET, seen, &until, NULL, mask);
    wait_event_end();
}

static void wake_done(WalShared *shared, uint32_t mask)
{
    syscall(SYS_futex, &shared->done, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, mask);
}

static bool writer_lives(const Wal *wal)
{
    return !wal->config.solo && atomic_load_explicit(&wal->shared->writer_pid, memory_order_relaxed) != 0;
}

/* ---- batches ------------------------------------------------------------------------------------- */

bool wal_write_try(Wal *wal)
{
    return latch_try_acquire(&wal->shared->write_latch, LATCH_EXCLUSIVE);
}

uint32_t wal_write_owner(const Wal *wal)
{
    const Latch *latch = &wal->shared->write_latch;

    return atomic_load(&latch->state) == 0 ? 0 : atomic_load(&latch->owner);
}

void wal_raise_wanted(Wal *wal, Lsn lsn)
{
    WalShared *shared = wal->shared;
    uint64_t old = atomic_load(&shared->wanted);

    while (old < lsn && !atomic_compare_exchange_weak(&shared->wanted, &old, lsn))
        ;
}

/* After the release: whoever went to sleep meanwhile is handed to the WAL writer. */
void wal_write_release(Wal *wal)
{
    WalShared *shared = wal->shared;

    latch_release(&shared->write_latch);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load(&shared->wanted) <= atomic_load(&shared->taken))
        return;
    if (writer_lives(wal))
        wal_bell_ring(wal);
    else
        wake_done(shared, UINT32_MAX);
}

/* Waits until every record in [start, end) is finished: its owner is in a critical section, copying. */
static void wait_finished(Wal *wal, Lsn start, Lsn end)
{
    for (Lsn at = start; at < end;) {
        const WalHeader *header = (const WalHeader *)wal_ring_at(wal, at);
        uint32_t length, spins = 0;

        while ((length = atomic_load_explicit(&header->length, memory_order_acquire)) == 0) {
            if (++spins < SPIN_BEFORE_YIELD)
                __builtin_ia32_pause();
            else if (spins < 10 * SPIN_BEFORE_YIELD)
                sched_yield();
            else
                io.sleep_ns(50 * NSEC_PER_USEC); /* whatever our priority, its owner must get to run */
        }
        at += wal_round_up(length, WAL_ALIGN);
    }
}

/*
 * Closes a batch over all that is placed.  Holder of the latch, in a critical section.  Returns false when
 * there is nothing to write.
 */
bool wal_batch_form(Wal *wal, WalBatch *batch)
{
    WalShared *shared = wal->shared;
    WalMark mark = {0};
    Lsn records_end, mark_start;

    batch->start = atomic_load(&shared->taken);
    if (wal_insert_position(wal) == batch->start)
        return false;
    mark.batch_start = batch->start;
    mark.durable = atomic_load(&shared->durable);
    if (MUTATION(WAL_MARK))
        mark.durable = batch->start;
    records_end = wal_place_batch_end(wal, &batch->end, &mark.last_sequence);
    batch->number = atomic_load_explicit(&shared->formed, memory_order_relaxed) + 1;
    /* The end before the number: a flusher that reads the number knows that the end is at least this batch's. */
    atomic_store(&shared->taken, batch->end);
    atomic_store(&shared->formed, batch->number);
    atomic_store(&shared->marked, mark.durable);

    mark_start = batch->end - WAL_MARK_BYTES;
    if (mark_start > records_end)
        wal_seal_record(wal, records_end, 0, WAL_FILLER, 0,
                        (uint32_t)(mark_start - records_end - sizeof(WalHeader)));
    wal_ring_copy(wal, mark_start + sizeof(WalHeader), &mark, sizeof(mark));
    wal_seal_record(wal, mark_start, 0, WAL_MARK, 0, sizeof(mark));
    STOP_POINT(WAL_BATCH_FORMED);
    if (!MUTATION(WAL_FINISHED))
        wait_finished(wal, batch->start, records_end);

    Assert(batch->end % WAL_BLOCK == 0); /* W3 */
    atomic_fetch_add_explicit(&shared->batches, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&shared->bytes_written, batch->end - batch->start, memory_order_relaxed);
    atomic_fetch_add_explicit(&shared->filler_bytes, batch->end - records_end, memory_order_relaxed);
    return true;
}

/* The next piece of [at, end) that is in one segment file and in one run of the ring. */
uint64_t wal_batch_piece(const Wal *wal, Lsn at, Lsn end)
{
    uint64_t n = MIN(end, wal_segment_start(wal, at) + wal->config.segment_size) - at;

    return MIN(n, wal_ring_run(wal, at));
}

static NORETURN void write_failed(const Wal *wal, Lsn at, const char *what)
{
    char path[4096];

    wal_segment_path(wal, wal_segment_start(wal, at), path, sizeof(path));
    ereport(PANIC, ERR_IO,
            errmsg("could not %s the log, file \"%s\", block %" PRIu64 ": %s", what, path,
                   (at - wal_segment_start(wal, at)) / WAL_BLOCK, errno_text()),
            errdetail("What the disk holds of it is unknown; the store restarts and recovers."));
    __builtin_unreachable();
}

void wal_write_failed(const Wal *wal, Lsn at, int error)
{
    errno = error;
    write_failed(wal, at, "write");
}

/* Writes the batch; returns when the system has taken it. */
void wal_batch_write(Wal *wal, const WalBatch *batch)
{
    Lsn at = batch->start;

    wait_event_start(WAIT_WAL_WRITE);
    while (at < batch->end) {
        Lsn segment = wal_segment_start(wal, at);
        int fd = wal_segment_open(wal, segment);
        ssize_t n = io.pwrite(fd, wal_ring_at(wal, at), wal_batch_piece(wal, at, batch->end),
                              (off_t)(at - segment));

        if (n < 0 && (errno == EINTR || MUTATION(WAL_PANIC)))
            continue;
        if (n <= 0 || n % 512 != 0) {
            if (n >= 0)
                errno = EIO;
            write_failed(wal, at, "write");
        }
        at += (uint64_t)n; /* a short write has done what it says: the rest is not a retry */
        STOP_POINT(WAL_WRITE_PART);
    }
    wait_event_end();
}

/* Does the sync method want a call after the write? */
bool wal_sync_needed(const Wal *wal)
{
    return wal->config.sync_method == WAL_SYNC_FDATASYNC || wal->config.sync_method == WAL_SYNC_FSYNC;
}

void wal_batch_sync(Wal *wal, const WalBatch *batch)
{
    if (!wal_sync_needed(wal) || MUTATION(WAL_SYNC))
        return;
    wait_event_start(WAIT_WAL_SYNC);
    for (Lsn segment = wal_segment_start(wal, batch->start); segment < batch->end;
         segment += wal->config.segment_size) {
        int fd = wal_segment_open(wal, segment);
        int result = wal->config.sync_method == WAL_SYNC_FDATASYNC ? io.fdatasync(fd) : io.fsync(fd);

        if (result != 0)
            write_failed(wal, MAX(segment, batch->start), "flush");
    }
    wait_event_end();
}

/*
 * Batches `first` to `last` are durable, and so is all before them.  Wakes their flushers, then gives the ring
 * back, zeroed (W5): that may take longer than the flushers should wait.
 */
void wal_batch_done(Wal *wal, const WalBatch *first, const WalBatch *last)
{
    WalShared *shared = wal->shared;
    uint32_t mask = 0;

    STOP_POINT(WAL_WRITTEN);
    Assert(first->start == atomic_load(&shared->durable)); /* W4 */
    for (uint32_t number = first->number; number != last->number + 1; number++)
        mask |= batch_bit(number);
    atomic_store(&shared->durable, last->end);
    atomic_store(&shared->done, last->number);
    if (atomic_load(&shared->sleepers) > 0)
        wake_done(shared, mask);
    for (Lsn at = first->start; at < last->end;) {
        uint64_t n = MIN(last->end - at, wal_ring_run(wal, at));

        memset(wal_ring_at(wal, at), 0, n);
        at += n;
    }
    atomic_store(&shared->released, last->end);
}

/* With the latch held: writes one batch of all that is placed.  Gives up the latch. */
static void write_and_release(Wal *wal)
{
    WalBatch batch;

    START_CRIT();
    if (wal_batch_form(wal, &batch)) {
        wal_batch_write(wal, &batch);
        STOP_POINT(WAL_UNSYNCED);
        wal_batch_sync(wal, &batch);
        wal_batch_done(wal, &batch, &batch);
        atomic_fetch_add_explicit(&wal->shared->self_writes, 1, memory_order_relaxed);
    }
    END_CRIT();
    wal_write_release(wal);
}

/* ---- flushing ------------------------------------------------------------------------------------ */

bool wal_is_durable(const Wal *wal, Lsn lsn)
{
    return atomic_load_explicit(&wal->shared->durable, memory_order_acquire) >= lsn;
}

Lsn wal_durable_position(const Wal *wal)
{
    return atomic_load_explicit(&wal->shared->durable, memory_order_acquire);
}

/* Which batches' completion concerns one who wants `lsn`: not those in flight that end before it. */
static uint32_t batches_of_interest(const WalShared *shared, Lsn lsn, uint32_t done)
{
    uint32_t formed = atomic_load(&shared->formed); /* before taken: taken is then the end of it or a later one */
    uint32_t mask = UINT32_MAX;

    if (lsn > atomic_load(&shared->taken)) {
        for (uint32_t number = done + 1; number != formed + 1; number++)
            mask &= ~batch_bit(number);
    }
    return mask;
}

/* Sleeps until a batch that may hold `lsn` completes, or `deadline`.  Returns false when the deadline came. */
static bool sleep_for_others(Wal *wal, Lsn lsn, bool with_writer, int64_t deadline)
{
    WalShared *shared = wal->shared;
    Latch *latch = &shared->write_latch;
    uint32_t done, mask;

    atomic_fetch_add(&shared->sleepers, 1);
    wal_raise_wanted(wal, lsn);
    done = atomic_load(&shared->done);
    mask = with_writer ? batches_of_interest(shared, lsn, done) : UINT32_MAX;
    if (!wal_is_durable(wal, lsn)) {
        /* A committer that writes will see `wanted` when it ends; the WAL writer must be told now. */
        if (with_writer && lsn > atomic_load(&shared->taken) &&
            (atomic_load(&latch->state) == 0 || atomic_load(&latch->owner) == atomic_load(&shared->writer_pid)))
            wal_bell_ring(wal);
        atomic_fetch_add_explicit(&shared->flush_sleeps, 1, memory_order_relaxed);
        sleep_on_done(shared, done, deadline, mask);
    }
    atomic_fetch_sub(&shared->sleepers, 1);
    return clock_monotonic_ns() < deadline;
}

void wal_flush(Wal *wal, Lsn lsn)
{
    bool left_lying = false;

    if (wal_is_durable(wal, lsn))
        return;
    if (lsn > wal_insert_position(wal))
        ereport(ERROR, ERR_INTERNAL,
                errmsg("flush of the log to %" PRIX64 ", which is beyond its end %" PRIX64, lsn,
                       wal_insert_position(wal)));
    STOP_POINT(WAL_FLUSH);
    while (!wal_is_durable(wal, lsn)) {
        bool with_writer = writer_lives(wal);

        /* Crowds are the WAL writer's; but who was left lying too long helps itself. */
        if ((!with_writer || left_lying || atomic_load(&wal->shared->sleepers) == 0) && wal_write_try(wal)) {
            write_and_release(wal);
            left_lying = false;
        } else {
            left_lying = !sleep_for_others(
                wal, lsn, with_writer, clock_monotonic_ns() + (with_writer ? SLEEP_NS : SOLO_SLEEP_NS));
        }
    }
}

void wal_flush_group(Wal *wal, Lsn lsn, unsigned delay_us)
{
    WalShared *shared = wal->shared;
    int64_t deadline = clock_monotonic_ns() + (int64_t)delay_us * NSEC_PER_USEC;

    /* We ask for nothing: who does ask takes us along.  Alone there is no one to wait for. */
    while (!wal->config.solo && !wal_is_durable(wal, lsn) && clock_monotonic_ns() < deadline) {
        uint32_t done = atomic_load(&shared->done);

        if (wal_is_durable(wal, lsn))
            return;
        atomic_fetch_add(&shared->sleepers, 1);
        sleep_on_done(shared, done, deadline, batches_of_interest(shared, lsn, done));
        atomic_fetch_sub(&shared->sleepers, 1);
    }
    wal_flush(wal, lsn);
}

/*
 * Asynchronous commits: the WAL writer looks every few milliseconds while there is work, so it is only rung
 * out of its long sleep.  Alone, we write when a good deal or a good while has gathered; who runs us is told of the rest.
 */
void wal_flush_soon(Wal *wal, Lsn lsn)
{
    WalShared *shared = wal->shared;

    if (wal_is_durable(wal, lsn))
        return;
    if (writer_lives(wal)) {
        if (atomic_load(&shared->writer_asleep) == WAL_WRITER_LONG_SLEEP) {
            wal_raise_wanted(wal, lsn);
            wal_bell_ring(wal);
        }
    } else {
        int64_t now = clock_monotonic_ns();

        if (lsn - wal_durable_position(wal) >= shared->ring_size / 4 ||
            now - wal->last_own_flush >= WAL_LAZY_FLUSH_MS * NSEC_PER_MSEC) {
            wal->last_own_flush = now;
            wal_flush(wal, lsn);
        } else if (wal->config.left_lying != NULL) {
            wal->config.left_lying();
        }
    }
}
