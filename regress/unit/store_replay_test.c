/*
 * store_replay_test.c - power cuts on a whole store: sessions, checkpointer and WAL writer at work, a cache of 1 MB, a
 * checkpoint every 50 ms; then the record is cut anywhere and replayed with unsynced writes dropped, torn at 512
 * bytes and reordered.  After each recovery every acknowledged commit is there whole, no other is there in part, and all
 * pages and words agree (store_verify).
 * What must be found is store_model.h's business.
 *
 * LODE_SEEDS: how many cuts (100 by itself).  Every tenth recovery is itself recorded and cut.
 */
#include "regress/unit/store_model.h"

#include "regress/unit/replay.h"

#define LIVES 3

static void acknowledged(unsigned who, uint64_t n)
{
    replay_mark(who, n);
}

static void be_quiet(void)
{
    log_set_fd(open("/dev/null", O_WRONLY)); /* that io_uring is not used, and of lives before: known here */
}

static void quiet_wal_writer(unsigned arg)
{
    be_quiet();
    wal_writer(arg);
}

static void quiet_compactor(unsigned arg)
{
    be_quiet();
    compactor(arg);
}

/* Some lives of a server: the first ones end by kill -9 of all its processes, the last when all is done. */
static void record_workload(const char *dir)
{
    replay_start(dir);
    store_create(dir, NULL);
    for (int life = 0; life < LIVES; life++) {
        pid_t aux[3], sessions[SESSIONS];
        bool last = life == LIVES - 1;

        store_open(dir, STORE_POSTMASTER);
        aux[0] = start(checkpointer, 0);
        aux[1] = start(quiet_wal_writer, 0);
        aux[2] = start(quiet_compactor, 0);
        session_commits = last ? 80 : 100000;
        for (unsigned who = 0; who < SESSIONS; who++)
            sessions[who] = start(session, who);
        if (!last) {
            usleep((useconds_t)(40000 + random_below(80000)));
            for (unsigned who = 0; who < SESSIONS; who++)
                kill(sessions[who], SIGKILL);
            for (int i = 0; i < 3; i++)
                kill(aux[i], SIGKILL);
            for (unsigned who = 0; who < SESSIONS; who++)
                waitpid(sessions[who], NULL, 0);
            for (int i = 0; i < 3; i++)
                waitpid(aux[i], NULL, 0);
            replay_settle();
        } else {
            for (unsigned who = 0; who < SESSIONS; who++)
                finish(sessions[who]);
            for (int i = 0; i < 3; i++) {
                kill(aux[i], SIGTERM);
                finish(aux[i]);
            }
        }
        store_close(store_current(), false);
    }
    replay_stop();
}

/* In a child: one cut's folder.  Once in a while the recovery is recorded, cut, and recovered again. */
static void check_cut(const char *dir, uint64_t seed)
{
    bool nested = seed % 10 == 7;
    char again[600];

    if (!store_exists(dir)) {
        for (unsigned who = 0; who < SESSIONS; who++)
            assert_int_equal(marks[who], 0);
        store_create(dir, NULL); /* an interrupted creation can be begun again */
        recover_and_check(dir, false);
        return;
    }
    if (nested) {
        uint32_t first, count;

        snprintf(again, sizeof(again), "%s.again", dir);
        replay_start(dir);
        store_open(dir, STORE_SOLO);
        store_close(store_current(), false);
        replay_stop();
        first = replay_first();
        count = replay_events() - first;
        for (uint64_t i = 0; i < 4; i++) {
            uint64_t kept[SESSIONS];

            memcpy(kept, marks, sizeof(marks));
            replay_cut(first + (uint32_t)(mix(seed, i, 5) % (count + 1)), again, seed * 10 + i);
            recover_and_check(again, false);
            memcpy(marks, kept, sizeof(marks));
        }
    } else {
        recover_and_check(dir, false);
    }
}

static void power_cuts(WalSyncMethod method)
{
    const char *one = getenv("LODE_SEED");
    uint64_t count = replay_seeds() / 2;
    char *base = unit_directory(), dir[600], cut[600];

    configure();
    mutation_init();
    conf.wal_sync_method = method;
    snprintf(dir, sizeof(dir), "%s/store", base);
    snprintf(cut, sizeof(cut), "%s/cut", base);
    record_workload(dir);
    for (uint64_t seed = one != NULL ? strtoull(one, NULL, 10) : 0; seed < count; seed++) {
        uint32_t at = (uint32_t)(mix(seed, 1, 2) % (replay_events() + 1));
        int status;
        pid_t pid;

        if (seed % 10 == 9)
            at = replay_events() - (uint32_t)(seed / 10); /* also near the end, where all is at its largest */
        replay_cut(at, cut, seed);
        for (unsigned who = 0; who < SESSIONS; who++)
            marks[who] = replay_marks[who];
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            lib_after_fork("recovery");
            setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check ends this child, not its test */
            check_cut(cut, seed);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0) {
            if (getenv("LODE_KEEP") != NULL)
                fail_msg("seed %llu (event %u): status %x; kept in %s", (unsigned long long)seed, at,
                         (unsigned)status, cut);
            unit_remove(base);
            fail_msg("seed %llu (event %u): status %x", (unsigned long long)seed, at, (unsigned)status);
        }
    }
    replay_free();
    unit_remove(base);
}

static void power_cuts_lose_nothing_with_o_dsync(void **state)
{
    (void)state;
    power_cuts(WAL_SYNC_OPEN_DATASYNC);
}

static void power_cuts_lose_nothing_with_fdatasync(void **state)
{
    (void)state;
    power_cuts(WAL_SYNC_FDATASYNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_lose_nothing_with_o_dsync),
        cmocka_unit_test(power_cuts_lose_nothing_with_fdatasync),
    };

    unit_start();
    alarm(0); /* how long depends on the seeds; the runner has the limit */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
