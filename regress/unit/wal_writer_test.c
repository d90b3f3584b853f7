/*
 * wal_writer_test.c - many processes, one log: sequence order is log order, crowds are served by the WAL writer,
 * and its death between two batches hurts no one.
 */
#include "regress/unit/unit.h"
#include "regress/unit/wal_testlib.h"

#include <liburing.h>
#include <sched.h>

static volatile bool stop_writer;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_writer = true;
}

static Wal *writers_log;

static void on_term_wake(int signal_number)
{
    on_term(signal_number);
    wal_writer_wake(writers_log);
}

typedef enum { WRITER_ITSELF, WRITER_PLAIN, WRITER_REAL_TIME } WriterKind;

static void run_writer(TestLog *log, int kind)
{
    if (kind == WRITER_PLAIN)
        io_faults_enable(); /* the table is not plain any more: it writes with pwrite */
    if (kind == WRITER_REAL_TIME)
        assert_int_equal(sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}), 0);
    writers_log = log->wal;
    signal(SIGTERM, on_term_wake);
    wal_writer_main(log->wal, &stop_writer);
}

/* Once it returns, the writer is at work, and ends at SIGTERM. */
static pid_t start_writer(TestLog *log, WriterKind kind)
{
    pid_t pid = test_fork(log, run_writer, (int)kind);

    while (atomic_load(&log->wal->shared->writer_pid) != (uint32_t)pid) {
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
        usleep(1000);
    }
    return pid;
}

static void wait_until_idle(TestLog *log)
{
    while (atomic_load(&log->wal->shared->writer_asleep) != WAL_WRITER_LONG_SLEEP) /* it has nothing left to do */
        usleep(1000);
}

/* Containers often do without. */
static bool io_uring_is_here(void)
{
    struct io_uring ring;

    if (io_uring_queue_init(2, &ring, 0) != 0)
        return false;
    io_uring_queue_exit(&ring);
    return true;
}

#define COMMITS 400

static void run_appender(TestLog *log, int arg)
{
    random_seed((uint64_t)arg + 1);
    for (uint64_t i = 1; i <= COMMITS; i++) {
        WalPlace place =
            test_commit(log->wal, ((uint64_t)arg << 40) + i, (uint32_t)random_below(i % 50 == 0 ? 6000 : 60) + 1);

        if (i % 3 != 0)
            wal_flush(log->wal, place.end);
        else if (i % 2 != 0)
            wal_flush_group(log->wal, place.end, 300);
        else
            wal_flush_soon(log->wal, place.end);
    }
    wal_flush(log->wal, wal_insert_position(log->wal));
}

static void check_crowd(unsigned appenders)
{
    uint64_t last[64] = {0};

    assert_int_equal(seen.count, appenders * COMMITS);
    for (uint64_t i = 0; i < seen.count; i++) {
        unsigned who = (unsigned)(seen.value[i] >> 40);

        assert_int_equal(seen.sequence[i], i + 1); /* sequence order is log order, without gaps */
        assert_int_equal(seen.value[i] & ((UINT64_C(1) << 40) - 1), last[who] + 1);
        last[who]++;
    }
}

static void crowd(bool with_writer, WriterKind kind, WalSyncMethod method)
{
    TestLog log;
    pid_t writer = 0, pids[6];
    WalStats stats;

    test_log_create(&log);
    log.config.solo = !with_writer;
    log.config.sync_method = method;
    test_log_open(&log);
    if (with_writer)
        writer = start_writer(&log, kind);
    for (int i = 0; i < 6; i++)
        pids[i] = test_fork(&log, run_appender, i);
    for (int i = 0; i < 6; i++)
        assert_int_equal(test_wait(pids[i]), 0);
    do /* the writer may have been slow: the batch that confirms the last one is its own */
        wal_stats(log.wal, &stats);
    while (with_writer && stats.writer_writes == 0 && usleep(1000) == 0);
    assert_int_equal(atomic_load(&log.wal->shared->credit) & WAL_CREDIT_MASK, 0);
    if (with_writer) {
        assert_int_equal(stats.uring, kind == WRITER_ITSELF && method == WAL_SYNC_OPEN_DATASYNC && io_uring_is_here());
        kill(writer, SIGTERM);
        assert_int_equal(test_wait(writer), 0);
    }
    assert_true(stats.batches < 6 * COMMITS);
    assert_true(wal_durable_position(log.wal) == wal_insert_position(log.wal));
    test_log_forget(&log);
    test_log_recover(&log);
    check_crowd(6);
    test_log_forget(&log);
    test_log_destroy(&log);
}

static void crowds_share_the_log_through_the_writer(void **state)
{
    (void)state;
    crowd(true, WRITER_ITSELF, WAL_SYNC_OPEN_DATASYNC);
}

/* Batches larger than several segments, through io_uring: no piece goes astray. */
static void run_big_appender(TestLog *log, int arg)
{
    for (uint64_t i = 1; i <= 60; i++) {
        Lsn end = test_commit(log->wal, ((uint64_t)arg << 40) + i, 16000).end;

        if (i % 6 == 0)
            wal_flush(log->wal, end);
    }
    wal_flush(log->wal, wal_insert_position(log->wal));
}

static void batches_over_many_segments_are_whole(void **state)
{
    TestLog log;
    pid_t writer, pids[3];
    uint64_t last[3] = {0};
    (void)state;

    test_log_create_sized(&log, 64 << 10);
    log.config.ring_size = 1 << 20;
    log.config.solo = false;
    test_log_open(&log);
    writer = start_writer(&log, WRITER_ITSELF);
    for (int i = 0; i < 3; i++)
        pids[i] = test_fork(&log, run_big_appender, i);
    for (int i = 0; i < 3; i++)
        assert_int_equal(test_wait(pids[i]), 0);
    kill(writer, SIGTERM);
    assert_int_equal(test_wait(writer), 0);
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 180);
    for (uint64_t i = 0; i < seen.count; i++)
        assert_int_equal(seen.value[i] & ((UINT64_C(1) << 40) - 1), ++last[seen.value[i] >> 40]);
    test_log_forget(&log);
    test_log_destroy(&log);
}

static void crowds_share_the_log_through_pwrite(void **state)
{
    (void)state;
    crowd(true, WRITER_PLAIN, WAL_SYNC_OPEN_DATASYNC);
    crowd(true, WRITER_ITSELF, WAL_SYNC_FDATASYNC);
}

/* Nothing that it has in flight waits for a kernel thread of ordinary priority. */
static void a_writer_at_real_time_priority_writes_itself(void **state)
{
    struct sched_param ordinary = {0}, first = {.sched_priority = 1};
    (void)state;

    if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
        skip(); /* not permitted here */
        return;
    }
    assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &ordinary), 0);
    crowd(true, WRITER_REAL_TIME, WAL_SYNC_OPEN_DATASYNC);
}

static void crowds_share_the_log_without_a_writer(void **state)
{
    (void)state;
    crowd(false, WRITER_ITSELF, WAL_SYNC_OPEN_DATASYNC);
}

/* The WAL writer dies while it writes nothing: committers help themselves, a new one takes over. */
static void a_dead_writer_holds_no_one_up(void **state)
{
    TestLog log;
    pid_t writer, pids[4];
    (void)state;

    test_log_create(&log);
    log.config.solo = false;
    test_log_open(&log);
    writer = start_writer(&log, WRITER_ITSELF);
    wait_until_idle(&log);
    assert_int_equal(wal_write_owner(log.wal), 0);
    kill(writer, SIGKILL);
    test_wait(writer);
    for (int i = 0; i < 4; i++)
        pids[i] = test_fork(&log, run_appender, i);
    usleep(50000); /* they may be done without it */
    writer = start_writer(&log, WRITER_ITSELF);
    for (int i = 0; i < 4; i++)
        assert_int_equal(test_wait(pids[i]), 0);
    kill(writer, SIGTERM);
    assert_int_equal(test_wait(writer), 0);
    test_log_forget(&log);
    test_log_recover(&log);
    check_crowd(4);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* After a quiet moment the last commit's batch is confirmed: damage to it is damage, not the end of the log. */
static void a_quiet_moment_confirms_the_last_batch(void **state)
{
    TestLog log;
    pid_t writer;
    WalPlace place;
    Lsn insert;
    (void)state;

    test_log_create(&log);
    log.config.solo = false;
    test_log_open(&log);
    writer = start_writer(&log, WRITER_ITSELF);
    place = test_commit(log.wal, 1, 10);
    wal_flush(log.wal, place.end);
    while (atomic_load(&log.wal->shared->marked) < place.end)
        usleep(1000);
    wait_until_idle(&log);
    insert = wal_insert_position(log.wal);
    usleep(1500000); /* and then it is quiet: a confirmation needs none of its own */
    assert_int_equal(wal_insert_position(log.wal), insert);
    kill(writer, SIGTERM);
    assert_int_equal(test_wait(writer), 0);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* An asynchronous commit gets to the disk without anyone's asking again. */
static void asynchronous_commits_arrive(void **state)
{
    TestLog log;
    pid_t writer;
    (void)state;

    test_log_create(&log);
    log.config.solo = false;
    test_log_open(&log);
    writer = start_writer(&log, WRITER_ITSELF);
    for (uint64_t i = 1; i <= 5; i++) {
        WalPlace place = test_commit(log.wal, i, 10);

        wal_flush_soon(log.wal, place.end);
        while (!wal_is_durable(log.wal, place.end))
            usleep(1000);
        if (i % 2) /* out of its long sleep, and out of its short one */
            wait_until_idle(&log);
    }
    kill(writer, SIGTERM);
    assert_int_equal(test_wait(writer), 0);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* A failed write of the log ends the process at once (PANIC); what was acknowledged before stays. */
static void run_into_eio(TestLog *log, int arg)
{
    int null = open("/dev/null", O_WRONLY);

    (void)arg;
    dup2(null, 2); /* the panic's message is expected */
    wal_flush(log->wal, test_commit(log->wal, 1, 10).end);
    atomic_store(&log->control->acknowledged[0], 1);
    io_faults_enable();
    io_fault_set(IO_OP_pwrite, 1, false, arg ? IO_FAULT_TORN : IO_FAULT_ERRNO, EIO, NULL);
    wal_flush(log->wal, test_commit(log->wal, 2, 3000).end);
    atomic_store(&log->control->acknowledged[0], 2);
}

static void a_failed_write_is_a_panic(void **state)
{
    TestLog log;
    int status;
    (void)state;

    for (int torn = 0; torn < 2; torn++) {
        test_log_create(&log);
        test_log_open(&log);
        status = test_wait(test_fork(&log, run_into_eio, torn));
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        assert_int_equal(atomic_load(&log.control->acknowledged[0]), 1);
        assert_int_not_equal(wal_write_owner(log.wal), 0); /* the postmaster sees: not alone */
        test_log_forget(&log);
        test_log_recover(&log);
        assert_int_equal(seen.count, 1);
        test_log_forget(&log);
        test_log_destroy(&log);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crowds_share_the_log_through_the_writer),
        cmocka_unit_test(batches_over_many_segments_are_whole),
        cmocka_unit_test(crowds_share_the_log_through_pwrite),
        cmocka_unit_test(a_writer_at_real_time_priority_writes_itself),
        cmocka_unit_test(crowds_share_the_log_without_a_writer),
        cmocka_unit_test(a_dead_writer_holds_no_one_up),
        cmocka_unit_test(a_quiet_moment_confirms_the_last_batch),
        cmocka_unit_test(asynchronous_commits_arrive),
        cmocka_unit_test(a_failed_write_is_a_panic),
    };

    unit_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
