/*
 * store_bench.c - the store without Ruby: durable and asynchronous commits a second of one small object, and objects
 * fetched a second from a warm cache, as ratios to raw 4 KiB overwrites of this disk.
 *
 * The processes are those of a server: WAL writer, checkpointer, sessions.  Rounds are interleaved, medians taken.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "regress/bench/bench.h"

#define ROUNDS       5
#define ROUND_NS     (300 * NSEC_PER_MSEC)
#define MAX_SESSIONS 16
#define BODY_SLOTS   6

typedef struct BenchShared {
    _Atomic bool go, stop;
    _Atomic uint32_t ready;
    _Atomic uint64_t done;
} BenchShared;

typedef enum { BENCH_DURABLE, BENCH_ASYNC, BENCH_FETCH } BenchKind;

static BenchShared *bench;

static void put(Oid oid, uint64_t value, bool is_new)
{
    uint64_t slots[BODY_SLOTS] = {value, value * 3, SLOT_FROM_OID(oid + 1), 4, 5, 6};
    StorePut p = {.oid = oid, .is_new = is_new, .nslots = BODY_SLOTS, .slots = slots};

    store_commit_put(&p);
}

static Oid object(uint64_t i)
{
    return OID_FIRST_USER / 2 + i % (OID_FIRST_USER / 2);
}

static void fill(void)
{
    store_session_attach();
    store_begin();
    for (uint64_t i = 0; i < OID_FIRST_USER / 2;) {
        store_commit_begin();
        for (int n = 0; n < 1000 && i < OID_FIRST_USER / 2; n++, i++)
            put(object(i), i, true);
        store_commit_finish(DURABILITY_ASYNC);
    }
    store_session_detach();
}

static void run_session(BenchKind kind, int who)
{
    MemoryContext *context = memctx_create(NULL, "bench");
    StoreRecord record;
    uint64_t n = 0;

    store_record_init(&record, context);
    store_session_attach();
    store_begin();
    atomic_fetch_add(&bench->ready, 1);
    while (!atomic_load(&bench->go))
        usleep(500);
    while (!atomic_load_explicit(&bench->stop, memory_order_relaxed)) {
        if (kind == BENCH_FETCH) {
            for (int i = 0; i < 64; i++, n++) {
                if (!store_fetch(object(n * 7919), &record))
                    exit(1);
            }
        } else {
            store_begin();
            store_commit_begin();
            put((Oid)(1000 + who), n++, false);
            store_commit_finish(kind == BENCH_ASYNC ? DURABILITY_ASYNC : DURABILITY_DURABLE);
        }
    }
    atomic_fetch_add(&bench->done, n);
    store_session_detach();
}

static double per_second(BenchKind kind, int sessions)
{
    pid_t pids[MAX_SESSIONS];
    int64_t begin, end;

    atomic_store(&bench->go, false);
    atomic_store(&bench->stop, false);
    atomic_store(&bench->ready, 0);
    atomic_store(&bench->done, 0);
    fflush(NULL);
    for (int i = 0; i < sessions; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            lib_after_fork("session");
            run_session(kind, i);
            _exit(0);
        }
    }
    while (atomic_load(&bench->ready) < (uint32_t)sessions)
        usleep(1000);
    begin = clock_monotonic_ns();
    atomic_store(&bench->go, true);
    usleep(ROUND_NS / 1000);
    atomic_store(&bench->stop, true);
    end = clock_monotonic_ns();
    for (int i = 0; i < sessions; i++)
        waitpid(pids[i], NULL, 0);
    return (double)atomic_load(&bench->done) * 1e9 / (double)(end - begin);
}

static double raw_overwrites(const char *directory)
{
    char path[300];
    void *block;
    int fd, flags = O_RDWR | O_CREAT | O_DSYNC;
    int64_t begin, now;
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
    begin = now = clock_monotonic_ns();
    for (; now - begin < ROUND_NS; now = clock_monotonic_ns(), n++) {
        if (pwrite(fd, block, 4096, (off_t)(n % 256) * 4096) != 4096)
            exit(1);
    }
    close(fd);
    unlink(path);
    free(block);
    return (double)n * 1e9 / (double)(now - begin);
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
    double raw[ROUNDS], durable[3][ROUNDS], async[ROUNDS], fetch[ROUNDS], first, m;
    pid_t aux[2];

    lib_init("store_bench");
    conf.log_level = LOG_LEVEL_WARNING;
    bench_begin(argc, argv);
    bench = mmap(NULL, sizeof(*bench), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_store_open();
    aux[0] = bench_start(store_wal_writer_main);
    aux[1] = bench_start(store_checkpointer_main);
    fill();
    usleep(50000);
    for (int round = 0; round < ROUNDS; round++) {
        raw[round] = raw_overwrites(bench_directory);
        for (int i = 0; i < 3; i++)
            durable[i][round] = per_second(BENCH_DURABLE, SESSIONS[i]);
        async[round] = per_second(BENCH_ASYNC, 1);
        fetch[round] = per_second(BENCH_FETCH, 1);
    }
    for (int i = 0; i < 2; i++)
        bench_end(aux[i]);
    store_close(store_current(), true);

    first = median(raw);
    printf("store: raw 4 KiB overwrites (direct, dsync)  %9.0f /s   1.00\n", first);
    for (int i = 0; i < 3; i++) {
        m = median(durable[i]);
        printf("store: durable commits, %2d session%s         %9.0f /s  %5.2f of raw\n", SESSIONS[i],
               SESSIONS[i] == 1 ? " " : "s", m, m / first);
    }
    m = median(async);
    printf("store: asynchronous commits, 1 session       %9.0f /s  %5.2f of raw\n", m, m / first);
    m = median(fetch);
    printf("store: objects fetched from a warm cache     %9.0f /s  %5.0f ns each\n", m, 1e9 / m);
    return bench_finish();
}
