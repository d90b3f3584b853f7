/*
 * wal_testlib.h - a log of its own in a temporary folder, with shared memory and a control "file", for tests.
 */
#ifndef LODE_WAL_TESTLIB_H
#define LODE_WAL_TESTLIB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/lib.h"
#include "storage/wal/wal_private.h"

/* What the control file would hold; lives in shared memory so that a killed child's writes to it stay. */
typedef struct TestControl {
    uint64_t incarnation;
    Lsn incarnation_start;
    Lsn redo;
    Lsn must_reach;
    bool end_known;
    /* a place for what children acknowledge */
    _Atomic uint64_t acknowledged[64];
    _Atomic uint64_t total;
    _Atomic uint32_t flag;
} TestControl;

typedef struct TestLog {
    char directory[256];
    WalConfig config;
    TestControl *control;
    void *shared;
    size_t shared_size;
    Wal *wal;
    WalRecovery recovery;
} TestLog;

/* What a scan found: payloads of kind TEST_KIND are a number each, repeated. */
#define TEST_KIND ((WalKind)WAL_VOID)
#define SEEN_MAX  200000

typedef struct Seen {
    uint64_t count;
    uint64_t value[SEEN_MAX];
    uint64_t sequence[SEEN_MAX];
    Lsn lsn[SEEN_MAX], end[SEEN_MAX];
    uint32_t length[SEEN_MAX];
} Seen;

static Seen seen;

static inline void test_control_set(void *ptr, uint64_t incarnation, Lsn start)
{
    TestControl *control = ptr;

    control->incarnation = incarnation;
    control->incarnation_start = start;
    control->must_reach = start;
}

static inline void test_see(const WalRecord *record, void *context)
{
    Seen *s = context;
    const uint64_t *words = record->payload;

    assert_true(s->count < SEEN_MAX);
    for (uint32_t i = 1; i < record->length / 8; i++)
        assert_true(words[i] == words[0]);
    s->value[s->count] = record->length >= 8 ? words[0] : 0;
    s->sequence[s->count] = record->sequence;
    s->lsn[s->count] = record->lsn;
    s->end[s->count] = record->end;
    s->length[s->count] = record->length;
    s->count++;
}

static inline void test_map_shared(TestLog *log)
{
    log->shared_size = wal_shared_size(&log->config);
    log->shared = mmap(NULL, log->shared_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(log->shared != MAP_FAILED);
}

/* Opens and recovers; what the log holds is in `seen`.  Raises what recovery raises. */
static inline void test_log_recover(TestLog *log)
{
    test_map_shared(log);
    log->wal = wal_open(memctx_top(), &log->config, log->shared);
    memset(&log->recovery, 0, sizeof(log->recovery));
    log->recovery.redo = log->control->redo;
    log->recovery.must_reach = log->control->must_reach;
    log->recovery.end_known = log->control->end_known;
    log->recovery.incarnation = log->control->incarnation;
    seen.count = 0;
    wal_recover(log->wal, &log->recovery, test_see, &seen);
}

static inline void test_log_open(TestLog *log)
{
    test_log_recover(log);
    wal_start_incarnation(log->wal, &log->recovery, log->recovery.last_sequence);
}

static inline void test_log_create_sized(TestLog *log, uint32_t segment_size)
{
    const char *base = getenv("TMPDIR");

    mutation_init();
    memset(log, 0, sizeof(*log));
    snprintf(log->directory, sizeof(log->directory), "%s/lode-wal-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(log->directory));
    log->control = mmap(NULL, sizeof(TestControl), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(log->control != MAP_FAILED);
    log->config = (WalConfig){.directory = log->directory,
                              .segment_size = segment_size,
                              .ring_size = 256 << 10,
                              .sync_method = WAL_SYNC_OPEN_DATASYNC,
                              .direct_io = true,
                              .solo = true,
                              .store_id = 0x1234567890abcdefull,
                              .segments_ahead = 2,
                              .control_set_incarnation = test_control_set,
                              .control = log->control};
    wal_create(&log->config);
    log->control->redo = wal_first_position(log->config.segment_size);
    log->control->must_reach = log->control->redo;
}

static inline void test_log_create(TestLog *log)
{
    test_log_create_sized(log, 1 << 20);
}

/* As after a crash: shared memory is gone, files stay. */
static inline void test_log_forget(TestLog *log)
{
    if (log->wal != NULL)
        wal_close(log->wal);
    log->wal = NULL;
    munmap(log->shared, log->shared_size);
}

static inline void test_log_destroy(TestLog *log)
{
    char command[400];

    munmap(log->control, sizeof(TestControl));
    snprintf(command, sizeof(command), "rm -rf '%s'", log->directory);
    assert_int_equal(system(command), 0);
}

/* One commit whose payload is `value`, words times.  Returns its place. */
static inline WalPlace test_commit(Wal *wal, uint64_t value, uint32_t words)
{
    WalCredit credit = {0};
    WalPlace place;

    wal_credit_take(wal, &credit, 1, words * 8, 0);
    START_CRIT();
    place = wal_place_commit(wal, &credit, words * 8);
    for (uint32_t i = 0; i < words; i++)
        wal_copy(wal, &place, i * 8, &value, 8);
    wal_finish(wal, &place, TEST_KIND, 0);
    END_CRIT();
    wal_credit_return(wal, &credit);
    return place;
}

/* Runs fn in a child; returns its wait status. */
static inline pid_t test_fork(TestLog *log, void (*fn)(TestLog *log, int arg), int arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        lib_after_fork("test child");
        fn(log, arg);
        _exit(0);
    }
    return pid;
}

static inline int test_wait(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

#endif
