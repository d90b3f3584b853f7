/*
 * store_sessions_test.c - several sessions on one store: the first committer wins, snapshots stand still, nothing is lost,
 * names meet, the change ring tells, a dead session is cleaned up.
 */
#include "store_testlib.h"

#include "lib/stop.h"

#define SESSIONS 6

typedef struct Shared {
    _Atomic uint64_t done[SESSIONS];
    _Atomic uint32_t step, flag;
    uint32_t ids[2][200];
} Shared;

static Shared *shared;

static void reach(uint32_t step)
{
    atomic_store(&shared->step, step);
}

static void await(uint32_t step)
{
    while (atomic_load(&shared->step) < step)
        usleep(200);
}

static void setup(void)
{
    test_create();
    memset(shared, 0, sizeof(*shared));
    store_open(test_dir, STORE_POSTMASTER);
}

static void teardown(void)
{
    store_close(store_current(), true);
    test_remove();
}

/* Runs fn in children 0..n-1 and waits for all. */
static void run_sessions(void (*fn)(int), int n)
{
    pid_t pids[SESSIONS];
    for (int i = 0; i < n; i++)
        pids[i] = test_start_session_number(fn, i);
    for (int i = 0; i < n; i++)
        assert_int_equal(test_wait_for(pids[i]), 0);
}

/* ---- isolation ------------------------------------------------------------------------------------------------- */

static void conflict_steps(int who)
{
    if (who == 0) {
        assert_int_equal(test_commit(1, 10, 20, true, DURABILITY_DURABLE), COMMIT_OK);
        assert_int_equal(test_commit(2, 20, 20, true, DURABILITY_DURABLE), COMMIT_OK);
        reach(1);
        await(2); /* the other has its snapshot */
        assert_int_equal(test_commit(1, 11, 20, false, DURABILITY_DURABLE), COMMIT_OK);
        reach(3);
        await(4);
        store_begin();
        assert_int_equal(test_value(1), 12);
        assert_int_equal(test_value(2), 22);
        return;
    }
    await(1);
    store_begin();
    assert_int_equal(test_value(1), 10);
    reach(2);
    await(3);
    assert_int_equal(test_value(1), 10); /* the snapshot stands still */
    store_commit_begin();
    test_put(2, 99, 20, false);
    test_put(1, 99, 20, false);
    CommitResult result = store_commit_finish(DURABILITY_DURABLE);
    assert_int_equal(result.status, COMMIT_CONFLICT);
    assert_int_equal(result.nconflicts, 1);
    assert_int_equal(result.conflicts[0].oid, 1);
    assert_int_equal(result.conflicts[0].kind, CONFLICT_WRITE_WRITE);
    assert_true(result.conflicts[0].winner_pid != 0 && result.conflicts[0].winner_pid != getpid());
    assert_int_equal(test_value(2), 20); /* nothing happened */
    store_begin();
    assert_int_equal(test_value(1), 11);
    assert_int_equal(test_value(2), 20);
    store_commit_begin();
    test_put(1, 12, 20, false);
    test_put(2, 22, 20, false);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    reach(4);
}

static void the_first_committer_wins(void **state)
{
    (void)state;
    setup();
    run_sessions(conflict_steps, 2);
    teardown();
}

#define INCREMENTS 150

static void count_up(int who)
{
    for (int i = 0; i < INCREMENTS;) {
        store_begin();
        uint64_t value = test_value(1);
        uint64_t total = 0;
        for (int j = 0; j < SESSIONS; j++)
            total += test_value(10 + (Oid)j);
        assert_int_equal(value, total); /* no half of a commit is ever seen */
        store_commit_begin();
        test_put(1, value + 1, 30, false);
        test_put(10 + (Oid)who, test_value(10 + (Oid)who) + 1, 50, false);
        if (store_commit_finish(DURABILITY_ASYNC).status == COMMIT_OK)
            i++;
    }
    store_wait_durable(wal_insert_position(the_store->wal));
    atomic_fetch_add(&shared->done[0], 1);
}

static void no_update_is_lost_and_no_half_is_seen(void **state)
{
    (void)state;
    setup();
    store_session_attach();
    store_begin();
    store_commit_begin();
    test_put(1, 0, 10, true);
    for (int j = 0; j < SESSIONS; j++)
        test_put(10 + (Oid)j, 0, 10, true);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    store_session_detach();

    /* With checkpoints all the while. */
    pid_t pids[SESSIONS];
    for (int i = 0; i < SESSIONS; i++)
        pids[i] = test_start_session_number(count_up, i);
    while (atomic_load(&shared->done[0]) < SESSIONS && waitpid(-1, NULL, WNOHANG | WNOWAIT) >= 0) {
        store_checkpoint_now();
        usleep(3000);
        int status;
        pid_t dead = waitpid(-1, &status, WNOHANG);
        if (dead > 0)
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    for (int i = 0; i < SESSIONS; i++)
        waitpid(pids[i], NULL, 0);
    assert_int_equal(atomic_load(&shared->done[0]), SESSIONS);
    for (int round = 0; round < 2; round++) {
        store_session_attach();
        store_begin();
        assert_int_equal(test_value(1), SESSIONS * INCREMENTS);
        assert_int_equal(store_verify(), SESSIONS + 1);
        store_session_detach();
        store_close(store_current(), round == 1);
        store_open(test_dir, STORE_POSTMASTER);
    }
    teardown();
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

static void intern_in_opposite_order(int who)
{
    for (int i = 0; i < 200; i++) {
        char name[32];
        int number = who == 0 ? i : 199 - i;
        int n = snprintf(name, sizeof(name), "name%d", number);
        shared->ids[who][number] = store_intern_symbol(name, (size_t)n, 1);
        store_intern_shape(0, 1, shared->ids[who][number]);
        if (i == 100) {
            atomic_fetch_add(&shared->flag, 1);
            while (atomic_load(&shared->flag) < 2)
                usleep(100);
        }
    }
    assert_int_equal(test_commit(1 + (Oid)who, 1, 1, true, DURABILITY_DURABLE), COMMIT_OK);
}

static void two_sessions_name_the_same_things_in_opposite_order(void **state)
{
    (void)state;
    setup();
    run_sessions(intern_in_opposite_order, 2);
    assert_memory_equal(shared->ids[0], shared->ids[1], sizeof(shared->ids[0]));
    assert_int_equal(store_symbol_count(), 200);
    assert_int_equal(store_shape_count(), 200);
    store_close(store_current(), false);
    store_open(test_dir, STORE_POSTMASTER);
    for (int i = 0; i < 200; i++) {
        char name[32];
        int n = snprintf(name, sizeof(name), "name%d", i);
        assert_int_equal(store_find_symbol(name, (size_t)n, 1), shared->ids[0][i]);
    }
    teardown();
}

/* ---- oids -------------------------------------------------------------------------------------------------------------- */

static void take_oids(int who)
{
    (void)who;
    for (int i = 0; i < 1000; i++) {
        Oid oid = store_oid_alloc();
        store_commit_begin();
        test_put(oid, oid, 4, true);
        assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
        assert_true(test_value(oid) == oid);
    }
    store_wait_durable(wal_insert_position(the_store->wal));
}

static void no_oid_is_given_twice_also_after_a_crash(void **state)
{
    (void)state;
    setup();
    for (int round = 0; round < 3; round++) {
        run_sessions(take_oids, 3); /* is_new and a sequence beyond the snapshot would be a conflict */
        store_close(store_current(), false);
        store_open(test_dir, STORE_POSTMASTER);
        store_session_attach();
        assert_int_equal(store_verify(), (round + 1) * 3000);
        store_session_detach();
    }
    teardown();
}

/* ---- change ring ----------------------------------------------------------------------------------------------------------- */

static void read_changes(int who)
{
    if (who == 0) {
        await(1);
        for (uint64_t i = 0; i < 3; i++)
            assert_int_equal(test_commit(1 + i, 1, 1, true, DURABILITY_ASYNC), COMMIT_OK);
        Oid fresh = store_oid_alloc();
        assert_int_equal(test_commit(fresh, 1, 1, true, DURABILITY_ASYNC), COMMIT_OK);
        reach(2);
        await(3);
        for (uint64_t i = 0; i < 5000; i++)
            assert_int_equal(test_commit(1 + i % 3, i, 1, false, DURABILITY_ASYNC), COMMIT_OK);
        reach(4);
        return;
    }
    store_changes_reset();
    reach(1);
    await(2);
    store_begin();
    Oid oids[2];
    size_t n, total = 0;
    uint64_t seen = 0;
    while (store_changes_next(oids, 2, &n) == CHANGES_SOME)
        for (size_t i = 0; i < n; i++, total++) {
            assert_true(oids[i] >= 1 && oids[i] <= 3); /* the fresh one is nobody's yet */
            seen |= UINT64_C(1) << oids[i];
        }
    assert_int_equal(seen, 0xe);
    assert_int_equal(total, 3);
    assert_int_equal(store_changes_next(oids, 2, &n), CHANGES_END);
    reach(3);
    await(4);
    store_begin();
    assert_int_equal(store_changes_next(oids, 2, &n), CHANGES_OVERRUN); /* 64 KB: 4096 entries */
    assert_int_equal(store_changes_next(oids, 2, &n), CHANGES_END);
}

static void the_change_ring_lists_what_others_changed_or_says_that_it_can_not(void **state)
{
    (void)state;
    setup();
    pid_t reader = test_start_session_number(read_changes, 1);
    pid_t writer = test_start_session_number(read_changes, 0);
    assert_int_equal(test_wait_for(reader), 0);
    assert_int_equal(test_wait_for(writer), 0);
    teardown();
}

static void change_a_lot(int who)
{
    for (uint64_t i = 0; i < 400; i++)
        for (;;) {
            store_begin();
            store_commit_begin();
            test_put(100 + (Oid)who, i, 10, i == 0);
            if (store_commit_finish(DURABILITY_ASYNC).status == COMMIT_OK)
                break;
        }
    atomic_fetch_add(&shared->done[0], 1);
}

/* What a session remembers and is never told to forget must be what it would read. */
static void never_stale(int who)
{
    (void)who;
    uint64_t known[4] = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };
    store_changes_reset();
    for (int i = 0; i < 4; i++)
        known[i] = test_value(100 + (Oid)i);
    while (atomic_load(&shared->done[0]) < 4) {
        store_begin();
        Oid oids[16];
        size_t n;
        ChangesStatus status;
        while ((status = store_changes_next(oids, 16, &n)) != CHANGES_END) {
            if (status == CHANGES_OVERRUN)
                for (int i = 0; i < 4; i++)
                    known[i] = test_value(100 + (Oid)i);
            for (size_t i = 0; i < n; i++)
                known[oids[i] - 100] = test_value(oids[i]);
        }
        for (int i = 0; i < 4; i++)
            assert_int_equal(known[i], test_value(100 + (Oid)i));
    }
}

static void a_session_that_follows_the_ring_is_never_stale(void **state)
{
    (void)state;
    setup();
    pid_t pids[5];
    pids[4] = test_start_session_number(never_stale, 4);
    for (int i = 0; i < 4; i++)
        pids[i] = test_start_session_number(change_a_lot, i);
    for (int i = 0; i < 5; i++)
        assert_int_equal(test_wait_for(pids[i]), 0);
    teardown();
}

/* ---- death -------------------------------------------------------------------------------------------------------------------- */

static void die_at(int event)
{
    stop_arm((StopEvent)event, STOP_KILL, 1, false, 0);
    store_commit_begin();
    for (int i = 0; i < 30; i++)
        test_put(200 + (Oid)i, 1, event == STOP_BULK_PAGE ? 9000 : 300, true);
    store_commit_finish(DURABILITY_DURABLE);
    for (Oid i = 1000; i < 3000; i++)
        test_commit(i, 1, 5000, true, DURABILITY_ASYNC);
    store_fetch(1000, &test_record);
    _exit(9);
}

static void a_session_dead_outside_critical_sections_leaves_nothing_behind(void **state)
{
    (void)state;
    static const StopEvent events[] = { STOP_COMMIT_SECURE, STOP_COMMIT_SECURED, STOP_BULK_PAGE, STOP_PAGE_READ,
                                        STOP_PAGE_WRITE, STOP_PAGE_EVICT, STOP_SESSION_ATTACHED, STOP_COMMIT_FLUSH,
                                        STOP_COMMIT_DURABLE };
    setup();
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        if (events[i] == STOP_SESSION_ATTACHED)
            stop_arm(STOP_SESSION_ATTACHED, STOP_KILL, 1, false, 0);
        pid_t pid = test_start_session_number(die_at, (int)events[i]);
        assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
        stop_disarm_all();
        assert_false(store_process_was_critical(pid));
        int slot = store_session_slot_of(pid);
        assert_true(slot >= 0);
        store_session_cleanup(slot);
        for (uint32_t f = 0; f < the_store->shared->frames; f++) {
            uint64_t w = atomic_load(&the_store->frames[f].word);
            assert_int_equal(w & (FRAME_PINS | FRAME_WRITING | FRAME_OPEN), 0);
            assert_true((w & FRAME_STATE) != FRAME_LOADING);
        }
        assert_int_equal(atomic_load(&the_store->shared->open_frames), 0);
        /* Life goes on, for all that was in its hands. */
        store_session_attach();
        store_begin();
        for (Oid oid = 200; oid < 230; oid++) {
            store_begin();
            assert_int_equal(test_commit(oid, 7, 300, false, DURABILITY_DURABLE), COMMIT_OK);
        }
        store_verify();
        store_session_detach();
        store_checkpoint_now();
    }
    teardown();
}

static void a_session_dead_inside_is_known_by_its_word(void **state)
{
    (void)state;
    static const StopEvent events[] = { STOP_COMMIT_DECIDE, STOP_COMMIT_LOCKED, STOP_COMMIT_PLACED, STOP_COMMIT_LOGGED,
                                        STOP_COMMIT_INSTALL, STOP_COMMIT_INSTALLED, STOP_PAGE_OPENED };
    setup();
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        pid_t pid = test_start_session_number(die_at, (int)events[i]);
        assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
        stop_disarm_all();
        assert_true(store_process_was_critical(pid));
        EXPECT_ERROR(ERR_INTERNAL, store_session_cleanup(store_session_slot_of(pid)));
        store_close(store_current(), false);
        store_open(test_dir, STORE_POSTMASTER);
        store_session_attach();
        store_begin();
        uint64_t first = test_value(200);
        for (Oid oid = 200; oid < 230; oid++) /* all or nothing */
            assert_int_equal(test_value(oid), first);
        store_verify();
        store_session_detach();
    }
    teardown();
}

/* ---- fork ------------------------------------------------------------------------------------------------------------------------ */

static void the_child_of_fork_is_a_session_of_its_own(void **state)
{
    (void)state;
    setup();
    store_session_attach();
    store_begin();
    assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    int slot = store_session_reserve_clone();
    assert_int_equal(test_commit(1, 2, 10, false, DURABILITY_DURABLE), COMMIT_OK);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        lib_after_fork("child");
        unit_limit_time();
        store_session_adopt(slot);
        bool ok = test_value(1) == 1; /* the snapshot that the parent had */
        ok = ok && test_commit(1, 9, 10, false, DURABILITY_DURABLE) == COMMIT_CONFLICT;
        store_begin();
        ok = ok && test_commit(2, 3, 10, true, DURABILITY_DURABLE) == COMMIT_OK;
        store_session_detach();
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(test_commit(3, 4, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_wait_for(pid), 0);
    store_begin();
    assert_int_equal(test_value(1), 2);
    assert_int_equal(test_value(2), 3);
    assert_int_equal(test_value(3), 4);
    store_session_detach();
    EXPECT_ERROR(ERR_NO_TRANSACTION, store_begin());
    teardown();
}

static void too_many_sessions_are_refused(void **state)
{
    (void)state;
    setup();
    int slots[64];
    int n = 0;
    for (; n < (int)the_store->shared->sessions_max; n++)
        slots[n] = store_session_reserve_clone();
    EXPECT_ERROR(ERR_TOO_MANY_SESSIONS, store_session_attach());
    while (n > 0)
        store_session_release_clone(slots[--n]);
    store_session_attach();
    store_session_detach();
    pid_t pid = fork();
    if (pid == 0) {
        store_forget(store_current());
        bool refused = false;
        TRY()
        {
            store_open(test_dir, STORE_SOLO);
        }
        CATCH(err)
        {
            refused = err->code == ERR_STORE_IN_USE;
        }
        END_TRY();
        _exit(refused ? 0 : 1);
    }
    assert_int_equal(test_wait_for(pid), 0);
    teardown();
}

int main(void)
{
    unit_start();
    shared = unit_shared(sizeof(*shared));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_committer_wins),
        cmocka_unit_test(no_update_is_lost_and_no_half_is_seen),
        cmocka_unit_test(two_sessions_name_the_same_things_in_opposite_order),
        cmocka_unit_test(no_oid_is_given_twice_also_after_a_crash),
        cmocka_unit_test(the_change_ring_lists_what_others_changed_or_says_that_it_can_not),
        cmocka_unit_test(a_session_that_follows_the_ring_is_never_stale),
        cmocka_unit_test(a_session_dead_outside_critical_sections_leaves_nothing_behind),
        cmocka_unit_test(a_session_dead_inside_is_known_by_its_word),
        cmocka_unit_test(the_child_of_fork_is_a_session_of_its_own),
        cmocka_unit_test(too_many_sessions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
