/*
 * wal_crash_test.c - killed anywhere, the log keeps every acknowledged commit, whole, in order.
 */
#include "regress/unit/wal_testlib.h"

#define APPENDERS 4

static volatile bool stop_writer;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_writer = true;
}

static void run_writer(TestLog *log, int arg)
{
    (void)arg;
    signal(SIGTERM, on_term);
    wal_writer_main(log->wal, &stop_writer);
}

/* Commits value after value, (arg << 40) + n, noting each as acknowledged once durable. */
static void run_appender(TestLog *log, int arg)
{
    int commits = arg >> 8;

    arg &= 0xff;
    random_seed((uint64_t)getpid());
    for (int i = 0; i < commits; i++) {
        uint64_t n = atomic_load(&log->control->acknowledged[arg]) + 1;
        WalPlace place = test_commit(log->wal, ((uint64_t)arg << 40) + n, 1 + (uint32_t)random_below(300));

        wal_flush(log->wal, place.end);
        atomic_store(&log->control->acknowledged[arg], n);
        if (random_below(20) == 0)
            wal_append(log->wal, WAL_FILLER, 0, NULL, 0, 0);
    }
}

/*
 * Checks `seen`: sequences rise by one in log order, each appender's values rise by one from `from`, and reach at least what was
 * acknowledged; at most one more (it may have become durable without its owner's knowing).
 */
static void check_seen(TestLog *log, const uint64_t *from, uint64_t first_sequence)
{
    uint64_t last[64];

    memcpy(last, from, sizeof(last));
    for (uint64_t i = 0; i < seen.count; i++) {
        unsigned who = (unsigned)(seen.value[i] >> 40);
        uint64_t n = seen.value[i] & ((UINT64_C(1) << 40) - 1);

        assert_true(who < 64);
        if (seen.sequence[i] != first_sequence + i)
            fail_msg("sequence %" PRIu64 " at place %" PRIu64, seen.sequence[i], first_sequence + i);
        assert_int_equal(n, last[who] + 1);
        last[who] = n;
    }
    for (unsigned who = 0; who < 64; who++) {
        uint64_t acknowledged = atomic_load(&log->control->acknowledged[who]);

        if (last[who] < acknowledged || last[who] > acknowledged + 1)
            fail_msg("appender %u: found %" PRIu64 ", acknowledged %" PRIu64, who, last[who], acknowledged);
        atomic_store(&log->control->acknowledged[who], last[who]);
    }
}

static StopEvent EVENTS[] = {STOP_WAL_CREDIT_TAKEN, STOP_WAL_FLUSH,        STOP_WAL_BATCH_FORMED, STOP_WAL_WRITE_PART,
                             STOP_WAL_UNSYNCED,     STOP_WAL_WRITTEN,      STOP_WAL_SEGMENT_MADE, STOP_WAL_RECYCLE,
                             STOP_WAL_REDO,         STOP_WAL_INCARNATION_SET};

/* Opens, commits, recycles now and then: the child that is killed somewhere within. */
static void run_life(TestLog *log, int arg)
{
    test_log_open(log);
    stop_arm(EVENTS[arg & 0xff], STOP_KILL, 1 + (uint64_t)(arg >> 8), false, 0);
    for (int round = 0; round < 6; round++) {
        Lsn redo = wal_durable_position(log->wal);

        run_appender(log, 40 << 8);
        log->control->redo = redo;
        wal_recycle(log->wal, redo);
    }
}

/* For events within recovery: armed before it. */
static void run_recovery(TestLog *log, int arg)
{
    stop_arm(EVENTS[arg & 0xff], STOP_KILL, 1 + (uint64_t)(arg >> 8), false, 0);
    test_log_open(log);
}

/* Killed at the n-th pass of each event of the log, over and over on one log, none acknowledged is lost. */
static void killed_at_each_stop_event_nothing_is_lost(void **state)
{
    TestLog log;
    uint64_t from[64];
    unsigned kills = 0;
    (void)state;

    test_log_create_sized(&log, 64 << 10);
    for (int pass = 0; pass < 6; pass++) {
        for (unsigned event = 0; event < COUNT_OF(EVENTS); event++) {
            bool in_recovery = EVENTS[event] == STOP_WAL_REDO || EVENTS[event] == STOP_WAL_INCARNATION_SET;
            int arg = (int)event | (in_recovery ? pass % 2 : pass * 3) << 8;
            int status = test_wait(test_fork(&log, in_recovery ? run_recovery : run_life, arg));

            if (!WIFSIGNALED(status) && status != 0)
                fail_msg("child ended with status %x at %s", (unsigned)status, stop_name(EVENTS[event]));
            kills += WIFSIGNALED(status);
            stop_disarm_all(); /* what is armed is shared with us */

            /* The redo point may have moved on: what stands before it needs no check now. */
            test_log_recover(&log);
            for (unsigned who = 0; who < 64; who++)
                from[who] = atomic_load(&log.control->acknowledged[who]);
            if (seen.count > 0) {
                from[0] = (seen.value[0] & ((UINT64_C(1) << 40) - 1)) - 1;
                check_seen(&log, from, seen.sequence[0]);
            }
            test_log_forget(&log);
        }
    }
    assert_true(kills >= 35);
    test_log_destroy(&log);
}

/* Several appenders and a WAL writer; all are killed at a random moment; again and again. */
static void crowds_killed_at_random_lose_nothing(void **state)
{
    TestLog log;
    uint64_t from[64] = {0}, total = 0;
    (void)state;

    test_log_create(&log);
    log.config.solo = false;
    for (int round = 0; round < 12; round++) {
        pid_t pids[APPENDERS + 1];
        uint64_t sequence;
        WalStats stats;

        test_log_open(&log);
        sequence = log.recovery.last_sequence + 1;
        if (round > 0)
            assert_int_equal(log.recovery.last_sequence, total);
        memset(from, 0, sizeof(from));
        for (unsigned who = 0; who < 64; who++)
            from[who] = atomic_load(&log.control->acknowledged[who]);
        log.control->redo = log.control->must_reach = wal_durable_position(log.wal);
        pids[APPENDERS] = test_fork(&log, run_writer, 0);
        for (int i = 0; i < APPENDERS; i++)
            pids[i] = test_fork(&log, run_appender, i | 100000 << 8);
        do
            wal_stats(log.wal, &stats);
        while (round == 0 && stats.writer_writes == 0 && usleep(1000) == 0);
        usleep((useconds_t)(5000 + random_below(60000)));
        for (int i = APPENDERS; i >= 0; i--)
            kill(pids[i], SIGKILL);
        for (int i = 0; i <= APPENDERS; i++)
            test_wait(pids[i]);
        test_log_forget(&log);

        test_log_recover(&log);
        check_seen(&log, from, sequence);
        total = log.recovery.last_sequence; /* 0: killed before it had appended anything behind the redo point */
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_each_stop_event_nothing_is_lost),
        cmocka_unit_test(crowds_killed_at_random_lose_nothing),
    };

    lib_init("wal_crash_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
