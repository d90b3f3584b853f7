/*
 * wal_writer.c - the WAL writer: the process that writes the log for crowds.
 *
 * It makes its own io_uring after the fork (a ring belongs to the process that made it), probes what it needs,
 * and keeps several batches in flight: a new one is formed as soon as someone wants what the ones in flight do
 * not hold.  The disk may complete them in any order; `durable` moves over the completed ones from the front only.
 * Without io_uring, or when tests stand in front of the I/O table, or when the sync method needs a call of its own
 * after the write, or at real-time priority (README, Sync), it writes one batch at a time through the table; what it does is
 * in the log.
 *
 * When idle it writes what asynchronous commits left, prepares segments, and closes a busy spell with one small
 * batch whose mark confirms the last one: after that, damage to any committed byte is told from the log's end.
 *
 * Holding the right to write is a critical section; killed in between batches, it is simply started again.
 */
#include "storage/wal/wal_private.h"

#include <liburing.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/futex.h"
#include "lib/log.h"
#include "lib/stop.h"

#define LONG_SLEEP_MS  1000
#define RING_ENTRIES   128
#define PIECES_MAX     48  /* pieces of all batches in flight; a batch beyond goes the synchronous way */
#define SLICE_NS       100000 /* we run for microseconds at a time: ask to be let in soon */
#define WRITER_NICE    (-10)

typedef struct Flight {
    WalBatch batch;
    unsigned pieces_left;
} Flight;

typedef struct WalWriter {
    Wal *wal;
    bool uring;
    bool bell_armed;
    struct io_uring ring;
    uint64_t bell_count; /* where the eventfd's value is read to */
    Flight flight[WAL_MAX_IN_FLIGHT];
    unsigned first, count; /* batches in flight, oldest at `first` */
    Lsn confirm_start, confirm_end; /* the newest confirming batch */
} WalWriter;

/* Each piece in flight: which flight, where, how much; index is the request's user data. */
typedef struct Piece {
    bool used;
    unsigned flight;
    Lsn at;
    uint32_t length;
} Piece;

#define USER_BELL UINT64_MAX

/* ---- the bell -------------------------------------------------------------------------------------- */

void wal_bell_ring(Wal *wal)
{
    uint64_t one = 1;

    if (atomic_exchange(&wal->shared->writer_asleep, WAL_WRITER_AWAKE) != WAL_WRITER_AWAKE) {
        ssize_t n = write(wal->bell, &one, sizeof(one));

        (void)n; /* fails only when the counter is full: it is ringing, then */
    }
}

void wal_writer_wake(Wal *wal)
{
    uint64_t one = 1;
    ssize_t n = write(wal->bell, &one, sizeof(one));

    (void)n;
}

static bool work_waits(const WalShared *shared)
{
    return atomic_load(&shared->wanted) > atomic_load(&shared->taken);
}

/* ---- through the table, one batch at a time ------------------------------------------------------------ */

static void write_one(WalWriter *writer)
{
    Wal *wal = writer->wal;
    WalBatch batch;

    if (!wal_write_try(wal))
        return; /* a committer writes; it rings when it is done */
    START_CRIT();
    if (wal_batch_form(wal, &batch)) {
        wal_batch_write(wal, &batch);
        STOP_POINT(WAL_UNSYNCED);
        wal_batch_sync(wal, &batch);
        wal_batch_done(wal, &batch, &batch);
        atomic_fetch_add_explicit(&wal->shared->writer_writes, 1, memory_order_relaxed);
    }
    END_CRIT();
    wal_write_release(wal);
}

static void sleep_plain(WalWriter *writer, int timeout_ms)
{
    struct pollfd bell = {.fd = writer->wal->bell, .events = POLLIN};

    if (poll(&bell, 1, timeout_ms) > 0) {
        ssize_t n = read(writer->wal->bell, &writer->bell_count, sizeof(writer->bell_count));

        (void)n;
    }
}

/* ---- through io_uring, several in flight ------------------------------------------------------------- */

static Piece pieces[PIECES_MAX];

static struct io_uring_sqe *next_request(WalWriter *writer)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&writer->ring);

    if (sqe == NULL) {
        io_uring_submit(&writer->ring);
        sqe = io_uring_get_sqe(&writer->ring);
    }
    return sqe; /* RING_ENTRIES exceeds all we ever have under way */
}

static void arm_bell(WalWriter *writer)
{
    struct io_uring_sqe *sqe;

    if (writer->bell_armed)
        return;
    sqe = next_request(writer);
    io_uring_prep_read(sqe, writer->wal->bell, &writer->bell_count, sizeof(writer->bell_count), 0);
    sqe->user_data = USER_BELL;
    writer->bell_armed = true;
}

static unsigned pieces_of(const Wal *wal, const WalBatch *batch)
{
    unsigned n = 0;

    for (Lsn at = batch->start; at < batch->end; at += wal_batch_piece(wal, at, batch->end))
        n++;
    return n;
}

static unsigned pieces_free(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < PIECES_MAX; i++)
        n += !pieces[i].used;
    return n;
}

static void queue_piece(WalWriter *writer, unsigned flight, Lsn at, uint32_t length)
{
    Wal *wal = writer->wal;
    Lsn segment = wal_segment_start(wal, at);
    unsigned index = 0;
    struct io_uring_sqe *sqe;

    while (pieces[index].used)
        index++;
    pieces[index] = (Piece){.used = true, .flight = flight, .at = at, .length = length};
    sqe = next_request(writer);
    io_uring_prep_write(sqe, wal_segment_open(wal, segment), wal_ring_at(wal, at), length, at - segment);
    sqe->user_data = index;
    io_uring_submit(&writer->ring); /* now: the descriptor may be closed for another segment's */
}

/* Forms a batch and sends it on its way.  The latch is held. */
static bool launch(WalWriter *writer)
{
    Wal *wal = writer->wal;
    unsigned index = (writer->first + writer->count) % WAL_MAX_IN_FLIGHT;
    Flight *flight = &writer->flight[index];

    /* A batch has at most a piece for each segment it crosses, and one more at the ring's end. */
    if (pieces_free() < wal->shared->ring_size / wal->config.segment_size + 3)
        return false;
    if (!wal_batch_form(wal, &flight->batch))
        return false;
    flight->pieces_left = pieces_of(wal, &flight->batch);
    writer->count++;
    for (Lsn at = flight->batch.start; at < flight->batch.end;) {
        uint64_t n = wal_batch_piece(wal, at, flight->batch.end);

        queue_piece(writer, index, at, (uint32_t)n);
        at += n;
    }
    STOP_POINT(WAL_LAUNCHED);
    atomic_fetch_add_explicit(&wal->shared->writer_writes, 1, memory_order_relaxed);
    return true;
}

/* Moves the durable position over all completed batches at the front. */
static void retire(WalWriter *writer)
{
    unsigned n = 0;
    WalBatch first, last;

    while (n < writer->count && (writer->flight[(writer->first + n) % WAL_MAX_IN_FLIGHT].pieces_left == 0 || MUTATION(WAL_EARLIER_WRITES)))
        n++;
    if (n == 0)
        return;
    first = writer->flight[writer->first].batch;
    last = writer->flight[(writer->first + n - 1) % WAL_MAX_IN_FLIGHT].batch;
    writer->first = (writer->first + n) % WAL_MAX_IN_FLIGHT;
    writer->count -= n;
    wal_batch_done(writer->wal, &first, &last);
}

static void completed(WalWriter *writer, struct io_uring_cqe *cqe)
{
    Piece piece;

    if (cqe->user_data == USER_BELL) {
        writer->bell_armed = false;
        return;
    }
    piece = pieces[cqe->user_data];
    pieces[cqe->user_data].used = false;
    if (cqe->res == -EINTR || cqe->res == -EAGAIN) {
        queue_piece(writer, piece.flight, piece.at, piece.length); /* nothing was attempted */
        return;
    }
    if (cqe->res <= 0 || cqe->res % 512 != 0)
        wal_write_failed(writer->wal, piece.at, cqe->res < 0 ? -cqe->res : EIO);
    if ((uint32_t)cqe->res < piece.length) {
        queue_piece(writer, piece.flight, piece.at + (uint32_t)cqe->res, piece.length - (uint32_t)cqe->res);
        return;
    }
    writer->flight[piece.flight].pieces_left--;
}

/* Takes what has completed; waits for something if nothing has.  timeout_ms < 0: as long as it takes. */
static void reap(WalWriter *writer, int timeout_ms)
{
    struct __kernel_timespec ts = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * NSEC_PER_MSEC};
    struct io_uring_cqe *cqe;

    io_uring_submit(&writer->ring);
    if (io_uring_peek_cqe(&writer->ring, &cqe) != 0) {
        if (timeout_ms < 0)
            io_uring_wait_cqe(&writer->ring, &cqe);
        else if (timeout_ms > 0)
            io_uring_wait_cqe_timeout(&writer->ring, &cqe, &ts);
    }
    while (io_uring_peek_cqe(&writer->ring, &cqe) == 0) {
        completed(writer, cqe);
        io_uring_cqe_seen(&writer->ring, cqe);
    }
    retire(writer);
}

/* Holds the right to write for as long as there is work. */
static void write_spell(WalWriter *writer)
{
    WalShared *shared = writer->wal->shared;

    if (!wal_write_try(writer->wal))
        return;
    START_CRIT();
    do {
        bool room = true;

        while (writer->count < WAL_MAX_IN_FLIGHT && work_waits(shared) && room)
            room = launch(writer);
        if (writer->count == 0)
            break;
        if (writer->count < WAL_MAX_IN_FLIGHT && room) {
            /* Newcomers ring: they can have a batch of their own at once. */
            arm_bell(writer);
            atomic_store(&shared->writer_asleep, WAL_WRITER_SHORT_SLEEP);
            if (work_waits(shared)) {
                atomic_store(&shared->writer_asleep, WAL_WRITER_AWAKE);
                continue;
            }
        }
        reap(writer, -1);
        atomic_store(&shared->writer_asleep, WAL_WRITER_AWAKE);
    } while (writer->count > 0 || work_waits(shared));
    END_CRIT();
    wal_write_release(writer->wal);
}

static bool at_real_time(void)
{
    int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;

    return policy != SCHED_OTHER && policy != SCHED_BATCH && policy != SCHED_IDLE;
}

static bool start_uring(WalWriter *writer)
{
    struct io_uring_params params = {0};
    struct io_uring_probe *probe;
    const char *why = NULL;
    int result;

    if (!io_is_plain())
        why = "the I/O table is not the plain one";
    else if (wal_sync_needed(writer->wal))
        why = "wal_sync_method needs a flush after each write";
    else if (at_real_time())
        why = "at real-time priority others would keep the kernel's workers from completing what is in flight";
    else if (writer->wal->shared->ring_size / writer->wal->config.segment_size + 3 > PIECES_MAX)
        why = "the ring spans too many segments";
    if (why != NULL) {
        log_message(LOG, "WAL writer uses pwrite: %s", why);
        return false;
    }
    result = io_uring_queue_init_params(RING_ENTRIES, &writer->ring, &params);
    if (result < 0) {
        log_message(WARNING, "WAL writer uses pwrite: io_uring can't be had: %s", strerror(-result));
        return false;
    }
    probe = io_uring_get_probe_ring(&writer->ring);
    if (probe == NULL || !io_uring_opcode_supported(probe, IORING_OP_WRITE) ||
        !io_uring_opcode_supported(probe, IORING_OP_READ) || !(params.features & IORING_FEAT_EXT_ARG)) {
        log_message(WARNING, "WAL writer uses pwrite: this kernel's io_uring lacks what it needs");
        if (probe != NULL)
            io_uring_free_probe(probe);
        io_uring_queue_exit(&writer->ring);
        return false;
    }
    io_uring_free_probe(probe);
    return true;
}

/* ---- the process ------------------------------------------------------------------------------------- */

/* A commit's delay is our wake-up: ask for a nice level and a short slice; being refused is no harm. */
static void ask_for_priority(void)
{
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {.size = 48, .policy = SCHED_OTHER, .nice = WRITER_NICE, .runtime = SLICE_NS};
    _Static_assert(sizeof(attr) == 48, "the kernel's sched_attr, first version");

    if (sched_getscheduler(0) != SCHED_OTHER)
        return; /* whoever started us knew better (chrt) */
    if (syscall(SYS_sched_setattr, 0, &attr, 0) == 0)
        return;
    attr.nice = getpriority(PRIO_PROCESS, 0);
    if (syscall(SYS_sched_setattr, 0, &attr, 0) != 0 || attr.nice != WRITER_NICE)
        log_message(DEBUG1, "WAL writer runs at ordinary priority");
}

/* After a busy spell: a batch whose mark says that the last one arrived. */
static bool confirm(WalWriter *writer)
{
    Wal *wal = writer->wal;
    WalShared *shared = wal->shared;
    Lsn insert = wal_insert_position(wal);
    volatile bool appended = false;

    if (atomic_load(&shared->durable) != insert || MUTATION(WAL_CONFIRM))
        return false;
    /* Nothing but our own batch since we looked, and its mark speaks of all before it? */
    if (insert == writer->confirm_end && atomic_load(&shared->marked) == writer->confirm_start)
        return false;
    TRY()
    {
        WalCredit credit = {0};
        WalPlace place;

        wal_credit_take(wal, &credit, 1, 0, 0);
        START_CRIT();
        place = wal_place(wal, &credit, 0);
        wal_finish(wal, &place, WAL_FILLER, 0);
        END_CRIT();
        wal_credit_return(wal, &credit);
        writer->confirm_start = place.start;
        writer->confirm_end = wal_round_up(place.end + WAL_MARK_BYTES, WAL_BLOCK);
        wal_raise_wanted(wal, place.end);
        appended = true;
    }
    CATCH(err)
    {
        ereport(DEBUG1, err->code, errmsg("the end of the log stays unconfirmed: %s", err->message));
    }
    END_TRY();
    return appended;
}

void wal_writer_main(Wal *wal, const volatile bool *stop)
{
    WalShared *shared = wal->shared;
    WalWriter *writer = mem_new(memctx_top(), WalWriter);
    bool was_busy = true;

    writer->wal = wal;
    ask_for_priority();
    memset(pieces, 0, sizeof(pieces));
    writer->uring = start_uring(writer);
    atomic_store(&shared->uring, writer->uring);
    atomic_store(&shared->writer_pid, (uint32_t)getpid());

    while (!*stop) {
        bool busy = false;

        if (work_waits(shared)) {
            Lsn before = atomic_load(&shared->taken);

            if (writer->uring)
                write_spell(writer);
            else
                write_one(writer);
            busy = atomic_load(&shared->taken) != before;
            if (busy && work_waits(shared))
                continue;
        }
        atomic_store(&shared->writer_asleep, busy || was_busy ? WAL_WRITER_SHORT_SLEEP : WAL_WRITER_LONG_SLEEP);
        if (!*stop && (!work_waits(shared) || wal_write_owner(wal) != 0)) {
            Lsn before = wal_insert_position(wal);
            int timeout = busy || was_busy ? WAL_LAZY_FLUSH_MS : LONG_SLEEP_MS;

            wait_event_start(WAIT_IDLE);
            if (writer->uring) {
                arm_bell(writer);
                reap(writer, timeout);
            } else {
                sleep_plain(writer, timeout);
            }
            wait_event_end();
            atomic_store(&shared->writer_asleep, WAL_WRITER_AWAKE);
            if (work_waits(shared)) {
                was_busy = true;
                continue;
            }
            /* A quiet moment: what asynchronous commits left, then the housekeeping. */
            if (wal_insert_position(wal) != atomic_load(&shared->taken)) {
                wal_raise_wanted(wal, wal_insert_position(wal));
                was_busy = true;
                continue;
            }
            was_busy = busy || wal_insert_position(wal) != before;
            if (!was_busy) {
                was_busy = confirm(writer) || wal_segments_prepare_soon(wal);
            }
        }
        atomic_store(&shared->writer_asleep, WAL_WRITER_AWAKE);
    }
    wal_flush(wal, wal_insert_position(wal));
    if (confirm(writer))
        wal_flush(wal, wal_insert_position(wal));
    atomic_store(&shared->writer_pid, 0);
    if (writer->uring)
        io_uring_queue_exit(&writer->ring);
    mem_free(writer);
}
