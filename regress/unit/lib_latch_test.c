/* lib_latch_test.c: latches exclude across processes, keep their order, and show in the critical word; stop events. */
#include "regress/unit/unit.h"
#include <pthread.h>
#include <sched.h>

typedef struct Shared {
    Latch latch;
    Latch other;
    uint64_t a, b; /* guarded: always equal */
    _Atomic uint64_t reads, torn;
    _Atomic uint32_t crit;
} Shared;

static Shared *shared;

static void worker(void)
{
    crit_word_set(NULL);
    for (int i = 0; i < 20000; i++) {
        if (i % 4 == 0) {
            latch_acquire(&shared->latch, LATCH_EXCLUSIVE);
            shared->a++;
            if (i % 64 == 0)
                sched_yield();
            shared->b++;
            latch_release(&shared->latch);
        } else {
            latch_acquire(&shared->latch, LATCH_SHARED);
            if (shared->a != shared->b)
                atomic_fetch_add(&shared->torn, 1);
            atomic_fetch_add(&shared->reads, 1);
            latch_release(&shared->latch);
        }
    }
}

static void exclusive_excludes_across_processes(void **state)
{
    (void)state;
    enum { WORKERS = 6 };
    shared = unit_shared(4096);
    latch_init(&shared->latch, LATCH_TEST_OUTER);
    fflush(NULL);
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0) {
            lib_after_fork("worker");
            worker();
            _exit(latch_none_held() && atomic_load(crit_word) == 0 ? 0 : 1);
        }
    for (int i = 0; i < WORKERS; i++) {
        int status;
        wait(&status);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shared->a, WORKERS * 5000);
    assert_int_equal(shared->b, WORKERS * 5000);
    assert_int_equal(atomic_load(&shared->torn), 0);
    assert_int_equal(atomic_load(&shared->reads), WORKERS * 15000);
    assert_int_equal(atomic_load(&shared->latch.state), 0);
}

static void try_acquire_does_not_wait(void **state)
{
    (void)state;
    Latch a;
    latch_init(&a, LATCH_TEST_MANY);
    assert_true(latch_try_acquire(&a, LATCH_SHARED));
    assert_false(latch_held(&a, LATCH_EXCLUSIVE));
    assert_true(latch_held(&a, LATCH_SHARED));
    latch_release(&a);
    assert_true(latch_try_acquire(&a, LATCH_EXCLUSIVE));
    assert_false(latch_try_acquire(&a, LATCH_SHARED));
    assert_false(latch_try_acquire(&a, LATCH_EXCLUSIVE));
    latch_release(&a);
    assert_int_equal(atomic_load(crit_word), 0);
}

static void dies_with_latch(void)
{
    crit_word_set(&shared->crit);
    latch_acquire(&shared->latch, LATCH_EXCLUSIVE);
    raise(SIGKILL);
}

static void dies_asleep(void)
{
    crit_word_set(&shared->crit);
    alarm(1); /* its default ends us, asleep */
    latch_acquire(&shared->latch, LATCH_EXCLUSIVE);
}

static void a_death_with_a_latch_shows_but_not_one_waiting_for_it(void **state)
{
    (void)state;
    shared = unit_shared(4096);
    latch_init(&shared->latch, LATCH_TEST_OUTER);
    assert_int_equal(unit_child_status(dies_with_latch), 128 + SIGKILL);
    assert_int_equal(CRIT_COUNT(atomic_load(&shared->crit)), 1);
    atomic_store(&shared->crit, 0);
    assert_int_equal(unit_child_status(dies_asleep), 128 + SIGALRM);
    assert_int_equal(atomic_load(&shared->crit), 0);
}

#ifdef LODE_DEBUG
static void takes_against_the_order(void)
{
    Latch outer, inner;
    latch_init(&outer, LATCH_TEST_OUTER);
    latch_init(&inner, LATCH_TEST_INNER);
    latch_acquire(&inner, LATCH_SHARED);
    latch_acquire(&outer, LATCH_SHARED);
}

static void takes_a_rank_twice(void)
{
    Latch a, b;
    latch_init(&a, LATCH_TEST_OUTER);
    latch_init(&b, LATCH_TEST_OUTER);
    latch_acquire(&a, LATCH_SHARED);
    latch_acquire(&b, LATCH_SHARED);
}

static void takes_many(void)
{
    Latch a, b;
    latch_init(&a, LATCH_TEST_MANY);
    latch_init(&b, LATCH_TEST_MANY);
    latch_acquire(&a, LATCH_SHARED);
    latch_acquire(&b, LATCH_SHARED);
}

static void the_order_of_ranks_is_checked(void **state)
{
    (void)state;
    assert_int_equal(unit_child_status(takes_against_the_order), 128 + SIGABRT);
    assert_int_equal(unit_child_status(takes_a_rank_twice), 128 + SIGABRT);
    assert_int_equal(unit_child_status(takes_many), 0);
}
#endif

static void futexes_time_out_and_wake(void **state)
{
    (void)state;
    _Atomic uint32_t *word = unit_shared(4096);
    assert_int_equal(futex_wait(word, 1, -1), 0);
    assert_int_equal(futex_wait(word, 0, 5 * NSEC_PER_MSEC), ETIMEDOUT);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        while (atomic_load(word) == 0)
            futex_wait(word, 0, -1);
        _exit(0);
    }
    usleep(20000);
    atomic_store(word, 1);
    futex_wake(word, INT32_MAX);
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* ---- stop events ---- */

static void passes_two_points(void)
{
    STOP_POINT(TEST_ONE);
    STOP_POINT(TEST_TWO);
    STOP_POINT(TEST_TWO);
}

static void stop_events_act_at_the_nth_pass(void **state)
{
    (void)state;
    assert_int_equal(unit_child_status(passes_two_points), 0);
    stop_arm(STOP_TEST_TWO, STOP_KILL, 2, false, 0);
    assert_int_equal(unit_child_status(passes_two_points), 128 + SIGKILL);
    assert_int_equal(unit_child_status(passes_two_points), 0);
    assert_int_equal(stop_passes(STOP_TEST_TWO), 4);
    assert_int_equal(stop_passes(STOP_TEST_ONE), 2); /* not counted while nothing is armed */
    stop_arm(STOP_TEST_TWO, STOP_ERROR, 1, true, 0);
    EXPECT_ERROR(ERR_INJECTED, passes_two_points());
    EXPECT_ERROR(ERR_INJECTED, passes_two_points());
    stop_disarm_all();
    assert_int_equal(atomic_load(&stop_shared->armed), 0);
    passes_two_points();
}

/* A child that stands at the first stop event, and exits with 7 when it is let go. */
static pid_t start_and_pause(void)
{
    stop_arm(STOP_TEST_ONE, STOP_PAUSE, 1, false, 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        passes_two_points();
        _exit(7);
    }
    assert_true(stop_wait_paused(STOP_TEST_ONE, UNIT_PATIENCE_MS));
    return pid;
}

static void paused_processes_go_on_when_released(void **state)
{
    (void)state;
    pid_t pid = start_and_pause();
    int status;
    assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
    stop_release(STOP_TEST_ONE);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void who_died_pausing_pauses_no_more(void **state)
{
    (void)state;
    pid_t pid = start_and_pause();
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    stop_arm(STOP_TEST_ONE, STOP_PAUSE, 1, false, 0);
    assert_false(stop_wait_paused(STOP_TEST_ONE, 0));
    stop_disarm_all();
}

static void stop_notation_is_read(void **state)
{
    (void)state;
    char message[256];
    assert_true(stop_parse("TEST_ONE:3:kill,TEST_TWO:1+:sleep=5", message, sizeof message));
    assert_int_equal(atomic_load(&stop_shared->slot[STOP_TEST_ONE].nth), 3);
    assert_int_equal(atomic_load(&stop_shared->slot[STOP_TEST_ONE].action), STOP_KILL);
    assert_int_equal(stop_shared->slot[STOP_TEST_TWO].sleep_ms, 5);
    stop_disarm_all();
    assert_false(stop_parse("NO_SUCH:1:kill", message, sizeof message));
    assert_string_equal(message, "unknown stop event \"NO_SUCH\"");
    assert_false(stop_parse("TEST_ONE:0:kill", message, sizeof message));
    assert_false(stop_parse("TEST_ONE:1x:kill", message, sizeof message));
    assert_false(stop_parse("TEST_ONE:1:fly", message, sizeof message));
}

static void stop_files_are_shared_between_programs(void **state)
{
    (void)state;
    char *directory = unit_directory();
    char *path = mem_printf(memctx_top(), "%s/stop", directory);
    StopShared *one = stop_map_file(path), *two = stop_map_file(path);
    assert_ptr_not_equal(one, two);
    atomic_store(&one->slot[STOP_TEST_ONE].nth, 9);
    assert_int_equal(atomic_load(&two->slot[STOP_TEST_ONE].nth), 9);
    unit_remove(directory);
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exclusive_excludes_across_processes),
        cmocka_unit_test(try_acquire_does_not_wait),
        cmocka_unit_test(a_death_with_a_latch_shows_but_not_one_waiting_for_it),
#ifdef LODE_DEBUG
        cmocka_unit_test(the_order_of_ranks_is_checked),
#endif
        cmocka_unit_test(futexes_time_out_and_wake),
        cmocka_unit_test(stop_events_act_at_the_nth_pass),
        cmocka_unit_test(paused_processes_go_on_when_released),
        cmocka_unit_test(who_died_pausing_pauses_no_more),
        cmocka_unit_test(stop_notation_is_read),
        cmocka_unit_test(stop_files_are_shared_between_programs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
