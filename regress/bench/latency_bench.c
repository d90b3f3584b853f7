/*
 * latency_bench.c - how long a session that is alone waits for a durable commit, beside a raw durable write of as many bytes.
 *
 * The two take turns in one process, pair by pair, so whatever else the machine does hits both alike; medians of many pairs.
 * The raw write goes as the log's do by default: O_DIRECT and O_DSYNC, over blocks that were written before.  "As many bytes"
 * is what the commit added to the log, whole blocks.  Once more at real-time priority, where that is allowed.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "regress/bench/bench.h"
#include "storage/state.h"

#define PAIRS     1500
#define RAW_BYTES (8u << 20)
#define BLOCK     4096u

/* What one commit changes. */
typedef struct Load {
    const char *name;
    int objects;
    uint32_t bytes; /* of each */
} Load;

static const Load LOADS[] = {
    {"one object of 50 bytes", 1, 50},
    {"an order: 18 of 60 bytes", 18, 60},
    {"8 objects of 4 KB", 8, 4000},
};

static int64_t raw_times[PAIRS], commit_times[PAIRS];

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double median(int64_t *times)
{
    qsort(times, PAIRS, sizeof(*times), compare);
    return (double)times[PAIRS / 2] / 1000.0;
}

/* The bytes differ each time: what can't be compressed is written as it is. */
static void commit(const Load *load, uint64_t n)
{
    static uint8_t body[4096];

    for (uint32_t i = 0; i < load->bytes; i += 8)
        memcpy(body + i, &(uint64_t){hash_u64(n * 1000 + i)}, 8);
    store_commit_begin();
    for (int i = 0; i < load->objects; i++) {
        StorePut p = {.oid = 1000 + (Oid)i, .nbytes = load->bytes, .bytes = body};

        store_commit_put(&p);
    }
    store_commit_finish(DURABILITY_DURABLE);
}

static int64_t raw_write(int fd, const void *block, size_t bytes, uint64_t n)
{
    int64_t start = clock_monotonic_ns();
    uint64_t places = RAW_BYTES / bytes;

    if (pwrite(fd, block, bytes, (off_t)(n % places * bytes)) != (ssize_t)bytes)
        exit(1);
    return clock_monotonic_ns() - start;
}

static int raw_open(void *block)
{
    char path[300];
    int fd, flags = O_RDWR | O_CREAT | O_DSYNC;

    snprintf(path, sizeof(path), "%s/raw.test", bench_directory);
    fd = open(path, flags | O_DIRECT, 0600);
    if (fd < 0)
        fd = open(path, flags, 0600);
    for (uint32_t at = 0; at < RAW_BYTES; at += 1u << 20) {
        if (pwrite(fd, block, 1u << 20, at) != 1 << 20)
            exit(1);
    }
    return fd;
}

static void compare_latency(const Load *load, const char *priority, int fd, const void *block)
{
    uint64_t bytes = 0, n = 0;

    for (; n < 50; n++) { /* warm; and how many blocks one takes */
        Lsn before = wal_insert_position(the_store->wal);

        commit(load, n);
        bytes = ALIGN_UP(wal_distance(before, wal_insert_position(the_store->wal)), BLOCK);
        raw_write(fd, block, bytes, n);
    }
    for (int i = 0; i < PAIRS; i++, n++) {
        int64_t start = clock_monotonic_ns();

        commit(load, n);
        commit_times[i] = clock_monotonic_ns() - start;
        raw_times[i] = raw_write(fd, block, bytes, n);
    }
    double raw = median(raw_times), durable = median(commit_times);
    printf("latency: %-26s %-10s raw write of %5" PRIu64 " bytes %7.1f us, durable commit %7.1f us, %5.2f of raw\n",
           load->name, priority, bytes, raw, durable, durable / raw);
}

static void all_loads(const char *priority, int fd, const void *block)
{
    for (size_t i = 0; i < COUNT_OF(LOADS); i++)
        compare_latency(&LOADS[i], priority, fd, block);
}

int main(int argc, char **argv)
{
    struct sched_param first = {.sched_priority = 1};
    pid_t aux[2];
    void *block;
    int fd;

    lib_init("latency_bench");
    conf.log_level = LOG_LEVEL_WARNING;
    bench_begin(argc, argv);
    if (posix_memalign(&block, BLOCK, 1u << 20) != 0)
        return 1;
    memset(block, 1, 1u << 20);
    fd = raw_open(block);
    bench_store_open();
    aux[0] = bench_start(store_wal_writer_main);
    aux[1] = bench_start(store_checkpointer_main);
    store_session_attach();
    store_begin();
    all_loads("normal", fd, block);
    if (sched_setscheduler(0, SCHED_FIFO, &first) == 0)
        all_loads("real-time", fd, block);
    else
        printf("latency: real-time priority is not allowed here\n");
    store_session_detach();
    close(fd);
    free(block);
    for (int i = 0; i < 2; i++)
        bench_end(aux[i]);
    store_close(store_current(), true);
    return bench_finish();
}
