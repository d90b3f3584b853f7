/*
 * compact_bench.c - what sessions feel of the compactor: the time of durable commits of four objects by two sessions, with
 * and without a compactor beside them, in interleaved rounds; and how long the file of pages gets.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "regress/bench/bench.h"

#define ROUNDS   5
#define ROUND_NS (2 * NSEC_PER_SEC)
#define SESSIONS 2
#define OBJECTS  20000
#define BODY     1000
#define TIMES    200000 /* of one round */

typedef struct Shared {
    _Atomic bool stop;
    _Atomic uint32_t count;
    uint32_t us[TIMES];
} Shared;

static Shared *shared;

static void put(uint64_t i, uint64_t value, bool is_new)
{
    static uint8_t bytes[BODY];
    for (size_t k = 0; k + 8 <= sizeof(bytes); k += 8)
        memcpy(bytes + k, &(uint64_t){hash_u64(i * 31 + value + k)}, 8);
    StorePut p = {.oid = 1000 + i, .is_new = is_new, .nbytes = sizeof(bytes), .bytes = bytes};
    store_commit_put(&p);
}

static void fill(void)
{
    store_session_attach();
    for (uint64_t i = 0; i < OBJECTS;) {
        store_begin();
        store_commit_begin();
        for (int n = 0; n < 20 && i < OBJECTS; n++)
            put(i++, 0, true);
        store_commit_finish(DURABILITY_ASYNC);
    }
    store_session_detach();
}

static void run_session(uint64_t seed)
{
    store_session_attach();
    for (uint64_t n = 1; !atomic_load(&shared->stop); n++) {
        int64_t begin = clock_monotonic_ns();
        store_begin();
        store_commit_begin();
        uint64_t first = hash_u64(seed * 1000003 + n) % (OBJECTS / 4);
        for (uint64_t k = 0; k < 4; k++)
            put(first + k * (OBJECTS / 4), n, false);
        store_commit_finish(DURABILITY_DURABLE); /* a conflict counts as well: it is over */
        uint32_t at = atomic_fetch_add(&shared->count, 1);
        if (at < TIMES)
            shared->us[at] = (uint32_t)((clock_monotonic_ns() - begin) / NSEC_PER_USEC);
    }
    store_session_detach();
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

typedef struct Result {
    uint32_t count, median, high; /* microseconds; high: the 99th of a hundred */
} Result;

static Result one_round(uint64_t seed)
{
    pid_t pids[SESSIONS];
    atomic_store(&shared->stop, false);
    atomic_store(&shared->count, 0);
    fflush(NULL);
    for (uint64_t i = 0; i < SESSIONS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            lib_after_fork("session");
            run_session(seed * SESSIONS + i);
            _exit(0);
        }
    }
    usleep(ROUND_NS / 1000);
    atomic_store(&shared->stop, true);
    for (int i = 0; i < SESSIONS; i++)
        waitpid(pids[i], NULL, 0);
    uint32_t n = MIN(atomic_load(&shared->count), (uint32_t)TIMES);
    qsort(shared->us, n, sizeof(uint32_t), compare);
    return n == 0 ? (Result){0} : (Result){n, shared->us[n / 2], shared->us[(uint64_t)n * 99 / 100]};
}

static Result middle(const Result *rounds)
{
    uint32_t values[3][ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        values[0][i] = rounds[i].count;
        values[1][i] = rounds[i].median;
        values[2][i] = rounds[i].high;
    }
    for (int k = 0; k < 3; k++)
        qsort(values[k], ROUNDS, sizeof(uint32_t), compare);
    return (Result){values[0][ROUNDS / 2], values[1][ROUNDS / 2], values[2][ROUNDS / 2]};
}

int main(int argc, char **argv)
{
    Result off[ROUNDS], on[ROUNDS];
    StoreStats stats;

    lib_init("compact_bench");
    conf.log_level = LOG_LEVEL_WARNING;
    conf.compactor = true;
    bench_begin(argc, argv);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bench_store_open();
    pid_t writer = bench_start(store_wal_writer_main), checkpointer = bench_start(store_checkpointer_main);
    fill();
    for (uint64_t round = 0; round < ROUNDS; round++) {
        off[round] = one_round(2 * round);
        pid_t compactor = bench_start(store_compactor_main);
        on[round] = one_round(2 * round + 1);
        bench_end(compactor);
    }
    store_stats(&stats);
    bench_end(checkpointer);
    bench_end(writer);
    store_close(store_current(), true);
    Result without = middle(off), with = middle(on);
    printf("compactor: off   %7u commits a round, median %6u us, 99 of 100 within %6u us\n", without.count, without.median,
           without.high);
    printf("compactor: on    %7u commits a round, median %6u us, 99 of 100 within %6u us\n", with.count, with.median, with.high);
    printf("compactor: %llu MB live, file of %llu MB; %llu extents given up, %llu objects moved (%llu MB), %llu refused\n",
           (unsigned long long)stats.live_bytes >> 20, (unsigned long long)stats.store_bytes >> 20,
           (unsigned long long)stats.extents_cleaned, (unsigned long long)stats.objects_moved,
           (unsigned long long)stats.bytes_moved >> 20, (unsigned long long)stats.moves_refused);
    return bench_finish();
}
