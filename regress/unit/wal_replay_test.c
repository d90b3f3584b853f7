/*
 * wal_replay_test.c - power cuts: whatever unsynced writes are dropped, torn or reordered, the log keeps what was
 * acknowledged, and goes on.
 *
 * LODE_SEEDS says how many cuts are tried (100 by itself).
 */
#include "regress/unit/wal_testlib.h"

#include "regress/unit/replay.h"

#define APPENDERS 3
#define COMMITS   250

/* What the control file holds here, on disk. */
typedef struct DiskControl {
    uint64_t incarnation;
    Lsn redo, must_reach;
    uint64_t before[APPENDERS + 1]; /* acknowledged of each before the redo point was taken: they need not be found */
    uint32_t sum;
} DiskControl;

static volatile bool stop_writer;

static void write_control(TestLog *log, DiskControl *control)
{
    char path[300];

    control->sum = crc32c(0, control, offsetof(DiskControl, sum));
    snprintf(path, sizeof(path), "%s/control", log->directory);
    io_write_file_atomic(path, control, sizeof(*control), 0600);
}

static bool read_control(const char *directory, DiskControl *control)
{
    char path[300];
    FILE *f;
    bool whole;

    snprintf(path, sizeof(path), "%s/control", directory);
    f = fopen(path, "r");
    if (f == NULL)
        return false;
    whole = fread(control, sizeof(*control), 1, f) == 1 &&
            control->sum == crc32c(0, control, offsetof(DiskControl, sum));
    fclose(f);
    assert_true(whole); /* a rename is all or nothing */
    return true;
}

static void set_incarnation_on_disk(void *ptr, uint64_t incarnation, Lsn start)
{
    TestLog *log = ptr;
    DiskControl control = {.incarnation = incarnation, .redo = log->control->redo, .must_reach = start};

    for (unsigned i = 0; i <= APPENDERS; i++)
        control.before[i] = log->control->acknowledged[16 + i];
    log->control->incarnation = incarnation;
    log->control->must_reach = start;
    write_control(log, &control);
}

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_writer = true;
}

static void run_writer(TestLog *log, int arg)
{
    (void)arg;
    log_set_fd(open("/dev/null", O_WRONLY)); /* that it uses pwrite is known here */
    signal(SIGTERM, on_term);
    wal_writer_main(log->wal, &stop_writer);
}

static void append_some(TestLog *log, unsigned who, int commits)
{
    for (int i = 0; i < commits; i++) {
        uint64_t n = atomic_load(&log->control->acknowledged[who]) + 1;
        WalPlace place =
            test_commit(log->wal, ((uint64_t)who << 40) + n, 1 + (uint32_t)random_below(i % 40 == 0 ? 4000 : 200));

        wal_flush(log->wal, place.end);
        atomic_store(&log->control->acknowledged[who], n);
        replay_mark(who, n);
    }
}

static void run_appender(TestLog *log, int arg)
{
    random_seed((uint64_t)arg + 77);
    append_some(log, (unsigned)arg, COMMITS);
    atomic_fetch_add(&log->control->flag, 1);
}

/* A checkpoint, as far as the log sees of it: what was acknowledged by now needs no redo any more. */
static void checkpoint(TestLog *log)
{
    DiskControl control = {.incarnation = log->control->incarnation};

    for (unsigned i = 0; i <= APPENDERS; i++) {
        control.before[i] = atomic_load(&log->control->acknowledged[i]);
        log->control->acknowledged[16 + i] = control.before[i];
    }
    control.redo = control.must_reach = wal_durable_position(log->wal);
    write_control(log, &control);
    log->control->redo = control.redo;
    wal_recycle(log->wal, control.redo);
}

/* Dies between write and flush: its batch is in the kernel's cache only, where the next recovery finds it. */
static void run_unflushed(TestLog *log, int arg)
{
    (void)arg;
    stop_arm(STOP_WAL_UNSYNCED, STOP_KILL, 1, false, 0);
    append_some(log, APPENDERS, 1);
}

static void record_workload(TestLog *log, WalSyncMethod method)
{
    pid_t writer, pids[APPENDERS];

    /* Two lives, of different methods: what the first wrote and did not flush, the second does not flush either. */
    log->config.sync_method = WAL_SYNC_FDATASYNC;
    log->config.control_set_incarnation = set_incarnation_on_disk;
    log->config.control = log;
    test_log_open(log);
    append_some(log, APPENDERS, 30);
    for (uint64_t i = 0; i < 20; i++)
        test_commit(log->wal, 999ull << 40, 100);
    assert_true(WIFSIGNALED(test_wait(test_fork(log, run_unflushed, 0))));
    replay_settle();
    stop_disarm_all();
    test_log_forget(log);
    log->config.sync_method = method;
    test_log_open(log);
    atomic_fetch_add(&log->control->acknowledged[APPENDERS], seen.value[seen.count - 1] >> 40 == APPENDERS);

    writer = test_fork(log, run_writer, 0);
    for (int i = 0; i < APPENDERS; i++)
        pids[i] = test_fork(log, run_appender, i);
    while (atomic_load(&log->control->flag) < APPENDERS) {
        usleep(20000);
        checkpoint(log);
    }
    for (int i = 0; i < APPENDERS; i++)
        assert_int_equal(test_wait(pids[i]), 0);
    kill(writer, SIGTERM);
    assert_int_equal(test_wait(writer), 0);
    test_log_forget(log);
    atomic_store(&log->control->flag, 0);
}

/* The folder after a cut: recovers it twice, the second time after an append by a new incarnation. */
static void check_cut(TestLog *original, const char *target)
{
    TestLog log = *original;
    DiskControl control;
    TestControl memory = {0};
    uint64_t last[64] = {0}, sequence = 0;

    log.control = &memory;
    log.config.directory = target;
    log.config.solo = true;
    log.config.control_set_incarnation = test_control_set;
    log.config.control = &memory;
    if (!read_control(target, &control)) {
        for (unsigned who = 0; who <= APPENDERS; who++)
            assert_int_equal(replay_marks[who], 0);
        return; /* cut before the store was complete */
    }
    memory.incarnation = control.incarnation;
    memory.redo = control.redo;
    memory.must_reach = control.must_reach;
    test_log_recover(&log);
    for (uint64_t i = 0; i < seen.count; i++) {
        unsigned who = (unsigned)(seen.value[i] >> 40);
        uint64_t n = seen.value[i] & ((UINT64_C(1) << 40) - 1);

        assert_true(sequence == 0 || seen.sequence[i] == sequence + 1);
        sequence = seen.sequence[i];
        if (who == 999)
            continue; /* asked for by no one: may be there or not */
        assert_true(who <= APPENDERS);
        assert_true(last[who] == 0 ? n <= control.before[who] + 2 : n == last[who] + 1);
        last[who] = n;
    }
    for (unsigned who = 0; who <= APPENDERS; who++) {
        if (last[who] == 0)
            last[who] = control.before[who] + 1; /* at most one was durable and not yet acknowledged */
        if (last[who] < replay_marks[who])
            fail_msg("appender %u: found %" PRIu64 ", acknowledged %" PRIu64, who, last[who], replay_marks[who]);
    }
    sequence = seen.count;
    wal_start_incarnation(log.wal, &log.recovery, log.recovery.last_sequence);
    wal_flush(log.wal, test_commit(log.wal, 5, 10).end);
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, sequence + 1);
    test_log_forget(&log);
}

static void power_cuts_lose_nothing(WalSyncMethod method)
{
    const char *base = getenv("TMPDIR");
    uint64_t count = replay_seeds();
    char root[256], target[300], command[400];
    TestLog log;

    mutation_init();
    snprintf(root, sizeof(root), "%s/lode-replay-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(root));
    snprintf(target, sizeof(target), "%s.cut", root);
    memset(&log, 0, sizeof(log));
    snprintf(log.directory, sizeof(log.directory), "%s", root);
    log.control = mmap(NULL, sizeof(TestControl), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    log.config = (WalConfig){.directory = log.directory,
                             .segment_size = 256 << 10,
                             .ring_size = 256 << 10,
                             .store_id = 99,
                             .segments_ahead = 2};
    replay_start(root);
    wal_create(&log.config);
    log.control->redo = log.control->must_reach = wal_first_position(log.config.segment_size);
    record_workload(&log, method);
    replay_stop();
    for (uint64_t seed = 0; seed < count; seed++) {
        uint32_t cut = (uint32_t)((seed * 2654435761u) % (replay_events() + 1));

        replay_cut(cut, target, seed);
        check_cut(&log, target);
    }
    replay_free();
    munmap(log.control, sizeof(TestControl));
    snprintf(command, sizeof(command), "rm -rf '%s' '%s'", root, target);
    assert_int_equal(system(command), 0);
}

static void power_cuts_lose_nothing_with_o_dsync(void **state)
{
    (void)state;
    power_cuts_lose_nothing(WAL_SYNC_OPEN_DATASYNC);
}

static void power_cuts_lose_nothing_with_fdatasync(void **state)
{
    (void)state;
    power_cuts_lose_nothing(WAL_SYNC_FDATASYNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_lose_nothing_with_o_dsync),
        cmocka_unit_test(power_cuts_lose_nothing_with_fdatasync),
    };

    lib_init("wal_replay_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
