/*
 * wal_bench.c - durable commits a second of the log alone, against what the disk does with raw overwrites.
 *
 * Rounds are interleaved and medians taken, so that a noisy neighbour hits all figures alike; what counts are the
 * ratios.  Each session is a process that appends a 300-byte commit and flushes it, over and over.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lib.h"
#include "storage/wal.h"

#define ROUNDS       5
#define ROUND_NS     (300 * NSEC_PER_MSEC)
#define PAYLOAD      300
#define MAX_SESSIONS 16

typedef struct BenchShared {
    uint64_t incarnation;
    _Atomic bool go, stop;
    _Atomic uint64_t commits;
} BenchShared;

static BenchShared *bench;
static volatile bool stop_writer;
static Wal *the_log;

static void set_incarnation(void *control, uint64_t incarnation, Lsn start)
{
    (void)start;
    ((BenchShared *)control)->incarnation = incarnation;
}

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_writer = true;
    wal_writer_wake(the_log);
}

static void commit(Wal *wal, bool durable)
{
    static const char BODY[PAYLOAD];
    WalCredit credit = {0};
    WalPlace place;

    wal_credit_take(wal, &credit, 1, PAYLOAD, 0);
    START_CRIT();
    place = wal_place_commit(wal, &credit, PAYLOAD);
    wal_copy(wal, &place, 0, BODY, PAYLOAD);
    wal_finish(wal, &place, WAL_VOID, 0);
    END_CRIT();
    wal_credit_return(wal, &credit);
    if (durable)
        wal_flush(wal, place.end);
    else
        wal_flush_soon(wal, place.end);
}

static double raw_overwrites(const char *directory)
{
    char path[300];
    void *block;
    int fd, flags = O_RDWR | O_CREAT | O_DSYNC;
    int64_t start, now;
    uint64_t n = 0;

    snprintf(path, sizeof(path), "%s/raw.test", directory);
    if (posix_memalign(&block, 4096, 4096) != 0)
        exit(1);
    memset(block, 1, 4096);
    fd = open(path, flags | O_DIRECT, 0600);
    if (fd < 0)
        fd = open(path, flags, 0600);
    for (off_t i = 0; i < 256; i++) {
        if (pwrite(fd, block, 4096, i * 4096) != 4096)
            exit(1);
    }
    start = now = clock_monotonic_ns();
    for (; now - start < ROUND_NS; now = clock_monotonic_ns(), n++) {
        if (pwrite(fd, block, 4096, (off_t)(n % 256) * 4096) != 4096)
            exit(1);
    }
    close(fd);
    unlink(path);
    free(block);
    return (double)n * 1e9 / (double)(now - start);
}

static double commits_per_second(Wal *wal, int sessions, bool durable)
{
    pid_t pids[MAX_SESSIONS];
    int64_t start, end;

    atomic_store(&bench->go, false);
    atomic_store(&bench->stop, false);
    atomic_store(&bench->commits, 0);
    fflush(NULL);
    for (int i = 0; i < sessions; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            uint64_t n = 0;

            lib_after_fork("session");
            while (!atomic_load(&bench->go))
                usleep(1000);
            for (; !atomic_load(&bench->stop); n++)
                commit(wal, durable);
            atomic_fetch_add(&bench->commits, n);
            _exit(0);
        }
    }
    usleep(20000);
    start = clock_monotonic_ns();
    atomic_store(&bench->go, true);
    usleep(ROUND_NS / 1000);
    atomic_store(&bench->stop, true);
    end = clock_monotonic_ns();
    for (int i = 0; i < sessions; i++)
        waitpid(pids[i], NULL, 0);
    /* As the checkpointer would: what lies behind becomes room ahead. */
    wal_recycle(wal, wal_durable_position(wal));
    return (double)atomic_load(&bench->commits) * 1e9 / (double)(end - start);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), compare);
    return values[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    static const int SESSIONS[] = {1, 4, 16};
    const char *base = argc > 1 ? argv[1] : getenv("TMPDIR");
    char directory[256], command[300];
    double raw[ROUNDS], durable[3][ROUNDS], async[ROUNDS], first;
    WalConfig config = {.directory = directory,
                        .segment_size = 16 << 20,
                        .ring_size = 4 << 20,
                        .sync_method = WAL_SYNC_OPEN_DATASYNC,
                        .direct_io = true,
                        .segments_ahead = 4,
                        .store_id = 42,
                        .control_set_incarnation = set_incarnation};
    WalRecovery recovery = {0};
    WalStats stats;
    void *shared;
    pid_t writer;

    lib_init("wal_bench");
    snprintf(directory, sizeof(directory), "%s/lode-bench-XXXXXX", base ? base : "/tmp");
    if (mkdtemp(directory) == NULL)
        return 1;
    bench = mmap(NULL, sizeof(*bench), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    config.control = bench;
    wal_create(&config);
    shared = mmap(NULL, wal_shared_size(&config), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    the_log = wal_open(memctx_top(), &config, shared);
    recovery.end = wal_first_position(config.segment_size);
    wal_start_incarnation(the_log, &recovery, 0);
    fflush(NULL);
    writer = fork();
    if (writer == 0) {
        lib_after_fork("WAL writer");
        signal(SIGTERM, on_term);
        wal_writer_main(the_log, &stop_writer);
        _exit(0);
    }
    usleep(50000);
    for (int round = 0; round < ROUNDS; round++) {
        raw[round] = raw_overwrites(directory);
        for (int i = 0; i < 3; i++)
            durable[i][round] = commits_per_second(the_log, SESSIONS[i], true);
        async[round] = commits_per_second(the_log, 1, false);
    }
    wal_stats(the_log, &stats);
    kill(writer, SIGTERM);
    waitpid(writer, NULL, 0);

    first = median(raw);
    printf("log: raw 4 KiB overwrites (direct, dsync)  %9.0f /s   1.00\n", first);
    for (int i = 0; i < 3; i++) {
        double m = median(durable[i]);

        printf("log: durable commits, %2d session%s         %9.0f /s  %5.2f of raw\n", SESSIONS[i],
               SESSIONS[i] == 1 ? " " : "s", m, m / first);
    }
    double m = median(async);
    printf("log: asynchronous commits, 1 session       %9.0f /s  %5.2f of raw\n", m, m / first);
    printf("log: %" PRIu64 " batches, %" PRIu64 " by committers, %" PRIu64 " by the WAL writer (%s), %" PRIu64
           " sleeps, %" PRIu64 " ring waits\n",
           stats.batches, stats.self_writes, stats.writer_writes, stats.uring ? "io_uring" : "pwrite",
           stats.flush_sleeps, stats.ring_waits);
    wal_close(the_log);
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command) == 0 ? 0 : 1;
}
