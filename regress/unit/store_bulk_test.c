/*
 * store_bulk_test.c - bulk commits: all or nothing whoever dies when, and nobody sees, overtakes or gives up what belongs to one
 * that is under way or was undone (bulk.c B3, B5; words.c).
 */
#include "store_testlib.h"

#include <signal.h>

#include "lib/stop.h"
#include "storage/compact/clean.h"

static void setup(StoreMode mode)
{
    test_create();
    test_open(mode);
}

static void teardown(void)
{
    stop_disarm_all();
    test_close(true);
    test_remove();
}

/* The paused session dies; true: it could die alone, and was cleaned up. */
static bool kill_paused(pid_t pid)
{
    int slot = store_session_slot_of(pid);
    bool critical = store_session_critical_word(slot) != 0;
    kill(pid, SIGKILL);
    assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
    stop_disarm_all();
    if (!critical)
        store_session_cleanup(slot);
    return !critical;
}

/* ---- new objects ------------------------------------------------------------------------------------------------- */

enum { UNKNOWN = 2500 }; /* objects: several pages of the object table */

static void commit_unknown_in_bulk(void)
{
    store_commit_begin();
    Oid first = store_oid_alloc();
    test_put(first, 8, 900, true);
    for (int i = 1; i < UNKNOWN; i++)
        test_put(store_oid_alloc(), 8, 900, true);
    test_put(1, first, 10, false);
    if (store_commit_finish(DURABILITY_DURABLE).status != COMMIT_OK)
        _exit(5);
}

/* All of it or nothing is there: object 1 says where it begins. */
static void all_or_nothing(void)
{
    uint64_t objects = store_verify();
    uint64_t first = test_value(1);
    assert_int_equal(objects, first == 1 ? 1 : 1 + UNKNOWN);
    if (first != 1)
        for (Oid oid = first; oid < first + 200; oid++)
            assert_int_equal(test_value(oid), 8);
}

static void a_bulk_commit_of_new_objects_happens_as_one(void **state)
{
    (void)state;
    static const StopEvent events[] = { STOP_BULK_PAGE, STOP_BULK_PREPARED, STOP_COMMIT_SECURED, STOP_COMMIT_LOCKED,
                                        STOP_COMMIT_LOGGED, STOP_COMMIT_STAMPED, STOP_COMMIT_INSTALLED };
    for (size_t i = 0; i < COUNT_OF(events); i++)
        for (int recovers = 0; recovers < 2; recovers++) {
            setup(STORE_POSTMASTER);
            assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
            stop_arm(events[i], STOP_PAUSE, 1, false, 0);
            pid_t pid = test_start_session(commit_unknown_in_bulk);
            assert_true(stop_wait_paused(events[i], UNIT_PATIENCE_MS));
            store_begin();
            assert_int_equal(test_value(1), 1); /* not published */
            store_checkpoint_request();
            if (events[i] == STOP_BULK_PREPARED)
                store_checkpoint_now(); /* with prepared words on disk */
            int slot = store_session_slot_of(pid);
            bool critical = store_session_critical_word(slot) != 0;
            kill(pid, SIGKILL);
            assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
            stop_disarm_all();
            if (!critical && !recovers) {
                store_session_cleanup(slot);
                store_begin();
                all_or_nothing();
                store_checkpoint_now();
                store_checkpoint_now();
                assert_int_equal(test_commit(2, 2, 900, true, DURABILITY_DURABLE), COMMIT_OK);
                assert_int_equal(store_verify(), 2);
                test_close(true);
            } else {
                test_close(false);
            }
            test_open(STORE_POSTMASTER);
            if (critical || recovers)
                all_or_nothing();
            test_close(true);
            test_remove();
        }
}

static void an_undone_bulk_commit_leaves_no_words(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    for (int i = 0; i < 3; i++) {
        stop_arm(i == 0 ? STOP_BULK_PREPARED : STOP_COMMIT_SECURED, STOP_ERROR, 1, false, 0);
        EXPECT_ERROR(ERR_INJECTED, commit_unknown_in_bulk());
        stop_disarm_all();
        assert_int_equal(store_verify(), 1);
        store_checkpoint_now();
    }
    store_begin();
    commit_unknown_in_bulk();
    store_begin();
    all_or_nothing();
    test_close(true);
    test_remove();
}

/* ---- objects that others know --------------------------------------------------------------------------------------- */

enum { KNOWN = 60 }; /* more pages of the object table than may be pinned here at once, half of 64 */

static Oid known(int i)
{
    return 70000 + (Oid)i * 1020;
}

static void make_known(uint32_t bytes)
{
    for (int i = 0; i < KNOWN; i += 6) {
        store_begin();
        store_commit_begin();
        for (int k = i; k < i + 6; k++)
            test_put(known(k), 1, bytes, true);
        assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    }
    store_begin();
}

static CommitResult change_known(int from, int to, uint64_t value, uint32_t bytes)
{
    store_commit_begin();
    for (int i = from; i < to; i++)
        test_put(known(i), value, bytes, false);
    return store_commit_finish(DURABILITY_DURABLE);
}

static void change_all(void)
{
    if (change_known(0, KNOWN, 2, 900).status != COMMIT_OK)
        _exit(5);
}

static uint64_t value_of_all(void)
{
    uint64_t value = test_value(known(0));
    for (int i = 1; i < KNOWN; i++)
        assert_int_equal(test_value(known(i)), value);
    return value;
}

static void an_update_of_more_pages_than_the_cache_has_is_one_commit(void **state)
{
    (void)state;
    setup(STORE_SOLO);
    make_known(900);
    for (uint64_t value = 2; value < 6; value++) {
        StoreStats before, after;
        store_stats(&before);
        assert_int_equal(change_known(0, KNOWN, value, 900).status, COMMIT_OK);
        store_stats(&after);
        assert_int_equal(after.bulk_commits, before.bulk_commits + 1);
        assert_int_equal(value_of_all(), value);
        store_verify();
    }
    assert_int_equal(test_commit(known(3), 9, 20, false, DURABILITY_DURABLE), COMMIT_OK);
    test_close(false);
    test_open(STORE_SOLO);
    store_verify();
    for (int i = 0; i < KNOWN; i++)
        assert_int_equal(test_value(known(i)), i == 3 ? 9 : 5);
    teardown();
}

static void an_update_happens_as_one_at_every_stop_event(void **state)
{
    (void)state;
    static const StopEvent events[] = { STOP_BULK_PAGE, STOP_BULK_PREPARED, STOP_COMMIT_SECURED, STOP_COMMIT_DECIDE,
                                        STOP_COMMIT_LOCKED, STOP_COMMIT_LOGGED, STOP_COMMIT_STAMPED,
                                        STOP_COMMIT_INSTALLED };
    for (size_t i = 0; i < COUNT_OF(events); i++)
        for (int recovers = 0; recovers < 2; recovers++) {
            setup(STORE_POSTMASTER);
            make_known(900);
            stop_arm(events[i], STOP_PAUSE, 1, false, 0);
            pid_t pid = test_start_session(change_all);
            assert_true(stop_wait_paused(events[i], UNIT_PATIENCE_MS));
            store_begin();
            assert_int_equal(value_of_all(), 1); /* not published */
            store_checkpoint_now();              /* with prepared words on disk */
            if (recovers) {
                kill(pid, SIGKILL);
                assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
                stop_disarm_all();
            }
            bool alone = !recovers && kill_paused(pid);
            if (alone) {
                store_begin();
                assert_int_equal(value_of_all(), 1);
                store_verify();
            }
            test_close(false);
            test_open(STORE_POSTMASTER);
            store_verify();
            uint64_t value = value_of_all();
            assert_true(value == 1 || (value == 2 && !alone && events[i] >= STOP_COMMIT_LOGGED));
            assert_int_equal(change_known(0, KNOWN, 3, 900).status, COMMIT_OK);
            assert_int_equal(value_of_all(), 3);
            store_verify();
            teardown();
        }
}

/* ---- those who meet prepared words ------------------------------------------------------------------------------------ */

static int in_status(CommitResult result, Oid met)
{
    if (result.status == COMMIT_OK)
        return 10;
    for (uint32_t i = 0; i < result.nconflicts; i++)
        if (result.conflicts[i].oid == met)
            return 11;
    return 12;
}

static void write_one(void)
{
    unit_gate_open(); /* each has its view by now */
    store_commit_begin();
    test_put(known(50), 9, 20, false);
    _exit(in_status(store_commit_finish(DURABILITY_DURABLE), known(50)));
}

static void write_many(void)
{
    unit_gate_open();
    _exit(in_status(change_known(0, KNOWN, 9, 900), known(50)));
}

static void read_and_write(void)
{
    static Oid read[1];
    unit_gate_open();
    read[0] = known(50);
    assert_int_equal(test_value(known(50)), 1);
    store_commit_begin();
    store_commit_reads(read, 1, NULL, 0, 0);
    test_put(500, 9, 20, true);
    _exit(in_status(store_commit_finish(DURABILITY_DURABLE), known(50)));
}

static void lock_one(void)
{
    unit_gate_open();
    LockAnswer answer = store_lock(known(50), OBJECT_LOCK_WRITE, false);
    _exit(answer.status != LOCK_GRANTED ? 12 : answer.changed ? 11 : 10);
}

/* The bulk commit happens, or its session dies: then they succeed. */
static void who_meets_a_prepared_word_waits_for_the_decision(void **state)
{
    (void)state;
    static void (*const others[])(void) = { write_one, write_many, read_and_write, lock_one };
    for (size_t i = 0; i < COUNT_OF(others); i++)
        for (int dies = 0; dies < 2; dies++) {
            setup(STORE_POSTMASTER);
            make_known(900);
            stop_arm(STOP_COMMIT_DECIDE, STOP_PAUSE, 1, false, 0);
            pid_t bulk = test_start_session(change_all);
            assert_true(stop_wait_paused(STOP_COMMIT_DECIDE, UNIT_PATIENCE_MS));
            unit_gate_make();
            pid_t other = test_start_session(others[i]);
            unit_gate_wait();
            usleep(20000);
            assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
            if (dies) {
                /* Decide is in the critical section, but nothing has been done in it yet. */
                kill(bulk, SIGKILL);
                assert_int_equal(test_wait_for(bulk), 128 + SIGKILL);
                int slot = store_session_slot_of(bulk);
                atomic_store(&the_store->slots[slot].critical, 0);
                stop_disarm_all();
                store_session_cleanup(slot);
            } else {
                stop_release(STOP_COMMIT_DECIDE);
                assert_int_equal(test_wait_for(bulk), 0);
            }
            assert_int_equal(test_wait_for(other), dies ? 10 : 11);
            store_begin();
            if (!dies)
                assert_int_equal(value_of_all(), 2);
            store_verify();
            teardown();
        }
}

/* ---- what a reader or the compactor may rest on ------------------------------------------------------------------------- */

static void read_one(void)
{
    _exit(test_value(known(3)) == 1 ? 0 : 7);
}

static void what_an_undone_commit_wrote_rests_while_a_reader_may_be_in_it(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    make_known(900);
    stop_arm(STOP_COMMIT_SECURED, STOP_PAUSE, 1, false, 0);
    pid_t bulk = test_start_session(change_all);
    assert_true(stop_wait_paused(STOP_COMMIT_SECURED, UNIT_PATIENCE_MS));
    stop_arm(STOP_PAGE_COPY, STOP_PAUSE, 1, false, 0); /* he has the word */
    pid_t reader = test_start_session(read_one);
    assert_true(stop_wait_paused(STOP_PAGE_COPY, UNIT_PATIENCE_MS));
    int slot = store_session_slot_of(bulk);
    kill(bulk, SIGKILL);
    assert_int_equal(test_wait_for(bulk), 128 + SIGKILL);
    store_session_cleanup(slot);
    for (int i = 0; i < 3; i++) { /* give up, and use again */
        store_begin();
        store_checkpoint_now();
        store_commit_begin();
        for (Oid oid = 1000; oid < 1300; oid++)
            test_put(oid, (uint64_t)i, 900, i == 0);
        assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    }
    slot = store_session_slot_of(reader);
    stop_release(STOP_PAGE_COPY);
    assert_int_equal(test_wait_for(reader), 0);
    store_session_cleanup(slot);
    store_begin();
    assert_int_equal(value_of_all(), 1);
    store_checkpoint_now();
    store_checkpoint_now();
    StoreStats s;
    store_stats(&s);
    assert_int_equal(s.extents_dead, 0); /* nobody is left */
    store_verify();
    teardown();
}

static void compact(int steps)
{
    CompactStatus status = COMPACT_WORKED;
    for (int i = 0, waits = 0; i < steps && status != COMPACT_NOTHING && waits < 4; i++) {
        store_begin();
        status = store_compact_step();
        waits = status == COMPACT_WAITS ? waits + 1 : 0;
    }
}

/* Objects among garbage that the compactor would like to have. */
static void make_known_among_garbage(void)
{
    conf.compactor = true;
    conf.compactor_threshold = 5;
    setup(STORE_POSTMASTER);
    for (int i = 0; i < KNOWN; i += 6) {
        for (Oid oid = 1000; oid < 1060; oid++) {
            store_begin();
            assert_int_equal(test_commit(oid, (uint64_t)i, 3000, i == 0, DURABILITY_ASYNC), COMMIT_OK);
        }
        store_begin();
        store_commit_begin();
        for (int k = i; k < i + 6; k++)
            test_put(known(k), 1, 900, true);
        assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    }
    store_begin();
}

static void use_free_space(void)
{
    store_begin();
    store_checkpoint_now();
    store_checkpoint_now();
    for (Oid oid = 2000; oid < 2600; oid++)
        assert_int_equal(test_commit(oid, 1, 3000, true, DURABILITY_ASYNC), COMMIT_OK);
    store_checkpoint_now();
    store_begin();
}

/* The compactor works while a bulk commit is paused at `first`, and again after it has died at `last`. */
static void die_beside_the_compactor(StopEvent first, StopEvent last)
{
    make_known_among_garbage();
    stop_arm(first, STOP_PAUSE, 1, false, 0);
    pid_t bulk = test_start_session(change_all);
    assert_true(stop_wait_paused(first, UNIT_PATIENCE_MS));
    compact(300);
    if (last != first) {
        stop_arm(last, STOP_PAUSE, 1, false, 0);
        stop_release(first);
        assert_true(stop_wait_paused(last, UNIT_PATIENCE_MS));
    }
    assert_true(kill_paused(bulk));
    compact(100000);
    StoreStats s;
    store_stats(&s);
    assert_true(s.extents_cleaned > 0);
    use_free_space();
    assert_int_equal(value_of_all(), 1);
    store_verify();
    test_close(false);
    test_open(STORE_POSTMASTER);
    assert_int_equal(value_of_all(), 1);
    store_verify();
    teardown();
}

static void the_compactor_keeps_what_an_undone_commit_leads_back_to(void **state)
{
    (void)state;
    die_beside_the_compactor(STOP_COMMIT_SECURED, STOP_COMMIT_SECURED);
}

static void what_the_compactor_moves_before_it_is_prepared_is_led_back_to_the_copy(void **state)
{
    (void)state;
    die_beside_the_compactor(STOP_BULK_PAGE, STOP_COMMIT_SECURED);
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bulk_commit_of_new_objects_happens_as_one),
        cmocka_unit_test(an_undone_bulk_commit_leaves_no_words),
        cmocka_unit_test(an_update_of_more_pages_than_the_cache_has_is_one_commit),
        cmocka_unit_test(an_update_happens_as_one_at_every_stop_event),
        cmocka_unit_test(who_meets_a_prepared_word_waits_for_the_decision),
        cmocka_unit_test(what_an_undone_commit_wrote_rests_while_a_reader_may_be_in_it),
        cmocka_unit_test(the_compactor_keeps_what_an_undone_commit_leads_back_to),
        cmocka_unit_test(what_the_compactor_moves_before_it_is_prepared_is_led_back_to_the_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
