/*
 * store_writer_test.c - the checkpointer's writes: many at once through io_uring, one by one where that can't be had, and
 * failing ones.
 */
#include "store_testlib.h"

#include <sys/resource.h>

static volatile bool stop;
static struct rlimit unlimited;

static void on_term(int signo)
{
    (void)signo;
    stop = true;
    store_checkpointer_wake();
}

static void on_usr1(int signo)
{
    (void)signo;
    setrlimit(RLIMIT_FSIZE, &unlimited);
}

/* A checkpointer; `limit`: its writes beyond that byte of a file fail until it gets USR1; 0: none does. */
static pid_t start_checkpointer(bool plain, rlim_t limit)
{
    fflush(NULL);
    unit_gate_make();
    pid_t pid = fork();
    if (pid != 0) {
        unit_gate_wait();
        return pid;
    }
    lib_after_fork("checkpointer");
    unit_limit_time();
    signal(SIGTERM, on_term);
    signal(SIGUSR1, on_usr1);
    signal(SIGXFSZ, SIG_IGN);
    unit_gate_open();
    if (!plain)
        io_faults_enable();
    getrlimit(RLIMIT_FSIZE, &unlimited);
    if (limit != 0)
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ limit, unlimited.rlim_max });
    store_checkpointer_main(&stop);
    _exit(0);
}

static void end_checkpointer(pid_t pid)
{
    int status;
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool wait_for_checkpoint(uint64_t beyond, int64_t ms)
{
    int64_t until = clock_monotonic_ns() + ms * NSEC_PER_MSEC;
    while (atomic_load(&the_store->shared->checkpoints) <= beyond && clock_monotonic_ns() < until) {
        store_checkpoint_request();
        io.sleep_ns(NSEC_PER_MSEC);
    }
    return atomic_load(&the_store->shared->checkpoints) > beyond;
}

#define OBJECTS 250

static void put_all(uint64_t value, bool is_new)
{
    for (Oid i = 0; i < OBJECTS; i++) {
        store_begin();
        assert_int_equal(test_commit(1 + i * 700, value, 3000, is_new, DURABILITY_ASYNC), COMMIT_OK);
    }
}

static void check_all(uint64_t value)
{
    store_begin();
    for (Oid i = 0; i < OBJECTS; i++)
        assert_int_equal(test_value(1 + i * 700), value);
    store_verify();
}

static void begin(void)
{
    test_create();
    test_open(STORE_POSTMASTER);
    put_all(1, true);
}

/* What a checkpoint wrote is what a recovery finds. */
static void end(uint64_t value)
{
    check_all(value);
    store_wait_durable(wal_insert_position(the_store->wal)); /* no WAL writer here: the last commits may be in memory only */
    test_close(false);
    test_open(STORE_POSTMASTER);
    check_all(value);
    test_close(true);
    test_remove();
}

static void checkpoints_by(bool plain)
{
    begin();
    pid_t pid = start_checkpointer(plain, 0);
    for (uint64_t round = 2; round < 8; round++) {
        uint64_t checkpoints = atomic_load(&the_store->shared->checkpoints);
        put_all(round, false);
        assert_true(wait_for_checkpoint(checkpoints, UNIT_PATIENCE_MS));
    }
    assert_int_equal(atomic_load(&the_store->shared->checkpointer_uring), plain);
    end_checkpointer(pid);
    end(7);
}

static void checkpoints_write_many_pages_at_once(void **state)
{
    (void)state;
    checkpoints_by(true);
}

static void checkpoints_write_through_the_table_when_something_stands_in_front_of_it(void **state)
{
    (void)state;
    checkpoints_by(false);
}

static void a_failed_write_fails_the_checkpoint_and_nothing_is_lost(void **state)
{
    (void)state;
    begin();
    uint64_t checkpoints = atomic_load(&the_store->shared->checkpoints);
    pid_t pid = start_checkpointer(true, EXTENT_BYTES);
    put_all(2, false);
    assert_false(wait_for_checkpoint(checkpoints, 300)); /* tries all the time */
    check_all(2);
    kill(pid, SIGUSR1);
    assert_true(wait_for_checkpoint(checkpoints, UNIT_PATIENCE_MS));
    end_checkpointer(pid);
    end(2);
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoints_write_many_pages_at_once),
        cmocka_unit_test(checkpoints_write_through_the_table_when_something_stands_in_front_of_it),
        cmocka_unit_test(a_failed_write_fails_the_checkpoint_and_nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
