/*
 * store_compact_test.c - the compactor: the file stays bounded, whoever reads meanwhile reads right, and nothing is given up
 * that a word, a chain or a scan may still lead to.  Rounds are made step by step in this process, so every interleaving is
 * made on purpose.  Deaths are store_crash_test's and store_replay_test's business.
 */
#include "store_testlib.h"

#include "store_others.h"

#include "lib/stop.h"
#include "storage/compact/clean.h"

#define BODY 3000

static void setup(void)
{
    test_create();
    conf.compactor = true;
    test_open(STORE_POSTMASTER);
    for (int i = 0; i < 4; i++)
        store_intern_class(1000 + (Oid)i);
    assert_int_equal(test_commit(901, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK); /* snapshots are not 0 */
}

static void teardown(void)
{
    stop_disarm_all();
    test_close(true);
    test_remove();
}

/* ---- rounds --------------------------------------------------------------------------------------------------- */

static StoreStats stats(void)
{
    StoreStats s;
    store_stats(&s);
    return s;
}

/* As far as it goes without anyone's doing: our own view moves on each time. */
static CompactStatus work(void)
{
    CompactStatus status = COMPACT_WORKED;
    for (int i = 0, waits = 0; i < 100000 && status != COMPACT_NOTHING && waits < 4; i++) {
        store_begin();
        status = store_compact_step();
        waits = status == COMPACT_WAITS ? waits + 1 : 0;
    }
    assert_int_not_equal(status, COMPACT_WORKED);
    return status;
}

static void put_range(Oid first, int n, uint64_t value, uint32_t bytes, bool is_new)
{
    for (int i = 0; i < n; i += 10) {
        store_begin();
        store_commit_begin();
        for (int k = i; k < MIN(i + 10, n); k++)
            test_put(first + (Oid)k, value, bytes, is_new);
        assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
    }
}

static void check_range(Oid first, int n, uint64_t value)
{
    for (int i = 0; i < n; i++)
        if (test_value(first + (Oid)i) != value)
            fail_msg("object %d has value %lld, not %llu", i, (long long)test_value(first + (Oid)i), (unsigned long long)value);
}

/* All space that was given up is used again: whoever still looks there sees something else. */
static void reuse_space(void)
{
    store_checkpoint_now();
    store_checkpoint_now();
    put_range(20000, 1200, 9, BODY, false);
    store_checkpoint_now();
}

/* Unclean: as after a crash at a moment when all commits are durable. */
static void reopen(bool clean)
{
    store_begin();
    assert_int_equal(test_commit(900, 1, 10, false, DURABILITY_DURABLE), COMMIT_OK);
    test_close(clean);
    test_open(STORE_POSTMASTER);
    store_verify();
}

/* ---- bounded --------------------------------------------------------------------------------------------------------- */

static void an_endless_load_of_updates_keeps_the_file_bounded(void **state)
{
    (void)state;
    setup();
    put_range(1000, 300, 0, BODY, true); /* 1 MB */
    for (uint64_t round = 1; round <= 60; round++) {
        put_range(1000, 300, round, BODY, false);
        if (round % 2 == 0)
            store_checkpoint_now();
        work();
    }
    store_verify();
    check_range(1000, 300, 60);
    StoreStats s = stats();
    assert_true(s.extents_cleaned > 20);
    if (s.store_bytes > 16 * (uint64_t)MB)
        fail_msg("1 MB of objects take %llu bytes", (unsigned long long)s.store_bytes);
    reopen(true);
    check_range(1000, 300, 60);
    reopen(false);
    check_range(1000, 300, 60);
    teardown();
}

static void space_that_is_not_needed_goes_back_to_the_file_system(void **state)
{
    (void)state;
    setup();
    put_range(1000, 6000, 0, BODY, true); /* 18 MB */
    for (uint64_t round = 1; round <= 2; round++)
        put_range(1000, 6000, round, 10, false);
    assert_int_equal(work(), COMPACT_NOTHING);
    store_checkpoint_now();
    store_checkpoint_now();
    char path[600];
    struct stat st;
    snprintf(path, sizeof(path), "%s/base/pages", test_dir);
    assert_int_equal(stat(path, &st), 0);
    StoreStats s = stats();
    assert_true(s.extents_holed > 8);
    if ((uint64_t)st.st_blocks * 512 + s.extents_holed * 1024 * 1024 > (uint64_t)st.st_size + 64 * 1024)
        fail_msg("%llu blocks of %llu bytes, with %llu holes", (unsigned long long)st.st_blocks,
                 (unsigned long long)st.st_size, (unsigned long long)s.extents_holed);
    check_range(1000, 6000, 2);
    put_range(1000, 3000, 3, BODY, false); /* holes are filled again */
    check_range(1000, 3000, 3);
    reopen(true);
    teardown();
}

/* What lives is moved, and the counts say so; nothing is moved when there is little garbage. */
static void the_emptiest_extents_are_chosen_and_full_ones_left_alone(void **state)
{
    (void)state;
    setup();
    put_range(1000, 1600, 1, BODY, true); /* 5 extents */
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_int_equal(stats().objects_moved, 0);
    for (Oid oid = 1000; oid < 2300; oid += 2) /* half of each extent but the last */
        put_range(oid, 1, 2, 50, false);
    assert_int_equal(work(), COMPACT_NOTHING);
    StoreStats s = stats();
    assert_true(s.objects_moved > 300);
    assert_true(s.extents_cleaned >= 3);
    uint64_t live = 0;
    for (Oid oid = 1000; oid < 2600; oid++) {
        assert_int_equal(test_value(oid), oid < 2300 && oid % 2 == 0 ? 2 : 1);
        live += oid < 2300 && oid % 2 == 0 ? 120 : BODY + 64;
    }
    assert_true(s.live_bytes > live * 9 / 10 && s.live_bytes < live * 11 / 10);
    reopen(false);
    /* After a crash what lives is counted again. */
    the_store->extents[stats().extents_total - 1].live += 12345;
    assert_int_equal(work(), COMPACT_NOTHING);
    s = stats();
    assert_true(s.live_bytes > live * 9 / 10 && s.live_bytes < live * 11 / 10);
    teardown();
}

/* ---- whoever reads meanwhile ----------------------------------------------------------------------------------------- */

static void read_old_values(void)
{
    stand();
    for (Oid oid = 1000; oid < 1600; oid++)
        if (test_value(oid) != 1)
            _exit(5);
}

static void an_old_snapshot_keeps_what_it_can_read(void **state)
{
    (void)state;
    setup();
    put_range(1000, 600, 1, BODY, true);
    Other reader = start_other(read_old_values);
    await(&reader);
    put_range(1000, 600, 2, BODY, false);
    put_range(1000, 600, 3, BODY, false);
    assert_int_equal(work(), COMPACT_WAITS);
    assert_int_equal(stats().extents_cleaned, 0);
    reuse_space();
    last_step(&reader);
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_true(stats().extents_cleaned >= 3);
    reuse_space();
    check_range(1000, 600, 3);
    store_verify();
    teardown();
}

static void update_first(void)
{
    if (test_commit(1000, 2, 20, false, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
}

static void read_first(void)
{
    stand();
    if (test_value(1000) != 1)
        _exit(5);
}

/* One commit has linked its version to a place, which is left then; a reader that began before it was published follows. */
static void a_chain_made_late_is_followed_to_its_end(void **state)
{
    (void)state;
    setup();
    put_range(1000, 1000, 1, BODY, true);
    put_range(1001, 999, 2, 20, false); /* only the first lives on in its extent */
    stop_arm(STOP_COMMIT_SECURED, STOP_PAUSE, 1, false, 0);
    Other writer = start_other(update_first);
    assert_true(stop_wait_paused(STOP_COMMIT_SECURED, UNIT_PATIENCE_MS));
    assert_int_equal(work(), COMPACT_WAITS);
    assert_true(stats().objects_moved > 0);
    Other reader = start_other(read_first);
    await(&reader);
    stop_release(STOP_COMMIT_SECURED);
    assert_int_equal(end_of(&writer), 0);
    work();
    reuse_space();
    last_step(&reader);
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_true(stats().extents_cleaned > 0);
    assert_int_equal(test_value(1000), 2);
    store_verify();
    teardown();
}

static void fork_and_end(void)
{
    int slot = store_session_reserve_clone();
    pid_t pid = fork();
    if (pid == 0) {
        lib_after_fork("clone");
        store_session_adopt(slot);
        store_record_init(&test_record, test_context);
        read_old_values();
        store_session_detach();
        _exit(0);
    }
    store_session_detach(); /* the clone's view is as old as ours was */
    int status;
    if (waitpid(pid, &status, 0) != pid || status != 0)
        _exit(6);
    store_session_attach();
}

static void the_clone_of_a_fork_is_waited_for(void **state)
{
    (void)state;
    setup();
    put_range(1000, 600, 1, BODY, true);
    Other reader = start_other(fork_and_end);
    await(&reader);
    put_range(1000, 600, 2, BODY, false);
    assert_int_equal(work(), COMPACT_WAITS);
    assert_int_equal(stats().extents_cleaned, 0);
    reuse_space();
    last_step(&reader);
    teardown();
}

/* ---- whoever writes meanwhile -------------------------------------------------------------------------------------- */

static void compact(void)
{
    store_end();
    for (int i = 0; i < 100000 && store_compact_step() == COMPACT_WORKED; i++)
        ;
    clean_stop();
}

static void an_object_changed_meanwhile_is_not_moved(void **state)
{
    (void)state;
    setup();
    put_range(1000, 1000, 1, BODY, true);
    put_range(1001, 999, 2, 20, false);
    stop_arm(STOP_MOVE_SECURED, STOP_PAUSE, 1, false, 0);
    Other compactor = start_other(compact);
    assert_true(stop_wait_paused(STOP_MOVE_SECURED, UNIT_PATIENCE_MS));
    put_range(1000, 1000, 3, 30, false);
    stop_release(STOP_MOVE_SECURED);
    assert_int_equal(end_of(&compactor), 0);
    check_range(1000, 1000, 3);
    assert_true(stats().moves_refused > 0);
    store_verify();
    reopen(false);
    check_range(1000, 1000, 3);
    teardown();
}

static void commit_twice(void)
{
    if (test_commit(5000, 1, 50, true, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
    stand();
    store_begin();
    stand();
    if (test_commit(5001, 1, 50, true, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
    stand();
}

static void an_extent_with_an_open_page_is_left_alone(void **state)
{
    (void)state;
    setup();
    Other writer = start_other(commit_twice); /* its page stays open */
    await(&writer);
    put_range(1000, 1000, 1, BODY, true);
    put_range(1000, 1000, 2, BODY, false);
    for (int i = 0; i < 2; i++) {
        work();
        let_go(&writer); /* its view moves on; then it commits into its page */
        await(&writer);
    }
    work();
    last_step(&writer);
    reuse_space();
    store_begin();
    assert_int_equal(test_value(5000), 1);
    assert_int_equal(test_value(5001), 1);
    store_verify();
    teardown();
}

static void a_dead_extents_pages_are_not_cached_when_it_is_used_again(void **state)
{
    (void)state;
    setup();
    put_range(1000, 700, 1, BODY, true);
    PageNo page = LOCATION_PAGE(cache_table_location(1000)) / EXTENT_PAGES * EXTENT_PAGES;
    put_range(1000, 700, 2, BODY, false);
    assert_int_equal(work(), COMPACT_NOTHING);
    PageHeader h;
    cache_copy(page, 0, &h, sizeof(h));
    assert_true(stats().extents_dead > 0);
    store_checkpoint_now();
    store_checkpoint_now();
    assert_int_equal(the_store->extents[page / EXTENT_PAGES].kind, EXTENT_FREE);
    assert_int_equal(atomic_load(&the_store->page_map[page]), 0);
    reuse_space();
    check_range(1000, 700, 2);
    teardown();
}

/* ---- scans ----------------------------------------------------------------------------------------------------------- */

static void put_instance(Oid oid, uint64_t value, bool is_new)
{
    static uint8_t bytes[BODY];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)hash_u64(oid + i);
    StorePut put = { .oid = oid, .class_id = 1 + oid % 2, .format = 1, .is_new = is_new, .nslots = 1, .slots = &value,
                     .nbytes = value == 2 ? 8 : sizeof(bytes), .bytes = bytes };
    store_commit_begin();
    store_commit_put(&put);
    assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
}

#define INSTANCES 1200
static uint8_t met[INSTANCES];

static void scan_on(StoreScan *scan, int rounds)
{
    Oid oids[600];
    size_t n;
    while (rounds-- > 0 && (n = store_scan_next(scan, oids, COUNT_OF(oids))) > 0)
        for (size_t i = 0; i < n; i++)
            met[oids[i] - 1000]++;
}

static void check_met(int least, int most)
{
    for (Oid i = 0; i < INSTANCES; i++)
        if (i % 2 == 1 && (met[i] < least || met[i] > most))
            fail_msg("instance %d was listed %d times", (int)i, met[i]);
    memset(met, 0, sizeof(met));
}

static void a_scan_lists_each_object_once_wherever_it_stands(void **state)
{
    (void)state;
    static const uint32_t classes[] = { 2 };
    setup();
    for (Oid i = 0; i < INSTANCES; i++)
        put_instance(1000 + i, 1, true);
    for (Oid i = 0; i < INSTANCES; i++)
        if (i % 4 != 1)
            put_instance(1000 + i, 2, false);
    Other reader = start_other(read_first); /* keeps both places of all that is moved */
    await(&reader);
    store_begin();
    StoreScan *scan = store_scan_begin(classes, 1, test_context);
    scan_on(scan, 1);
    for (CompactStatus status = COMPACT_WORKED; status == COMPACT_WORKED;)
        status = store_compact_step();
    assert_true(stats().objects_moved > 50);
    scan_on(scan, 1000);
    store_scan_end(scan);
    check_met(1, 1);
    scan = store_scan_begin(classes, 1, test_context);
    scan_on(scan, 1000);
    store_scan_end(scan);
    check_met(1, 1);
    kill(reader.pid, SIGKILL);
    end_of(&reader);
    store_session_cleanup(store_session_slot_of(reader.pid));
    work();
    assert_true(stats().extents_cleaned > 0);
    reuse_space();
    store_begin();
    scan = store_scan_begin(classes, 1, test_context);
    scan_on(scan, 1000);
    store_scan_end(scan);
    check_met(1, 1);
    reopen(true);
    teardown();
}

/* ---- bulk commits ------------------------------------------------------------------------------------------------------- */

static void see_no_bulk(void)
{
    stand();
    for (Oid oid = 6000; oid < 7000; oid++)
        if (test_value(oid) != UINT64_MAX)
            _exit(5);
}

static void bulk(Oid first, int n, uint64_t value, uint32_t bytes)
{
    store_begin();
    store_commit_begin();
    for (int i = 0; i < n; i++)
        test_put(first + (Oid)i, value, bytes, value == 1);
    uint64_t before = stats().bulk_commits;
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    assert_int_equal(stats().bulk_commits, before + 1);
}

static void what_bulk_commits_leave_is_cleaned(void **state)
{
    (void)state;
    setup();
    Other reader = start_other(see_no_bulk);
    await(&reader);
    bulk(6000, 1000, 1, BODY); /* 3 extents */
    put_range(6000, 700, 2, 20, false);
    put_range(6750, 250, 2, 20, false);
    assert_int_equal(work(), COMPACT_WAITS);
    assert_true(stats().objects_moved >= 50);
    last_step(&reader);
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_true(stats().extents_cleaned >= 2);
    reuse_space();
    store_begin();
    check_range(6000, 700, 2);
    check_range(6700, 50, 1);
    check_range(6750, 250, 2);
    reopen(false);
    check_range(6700, 50, 1);
    teardown();
}

/* A record longer than an extent can't be moved; its extents stay, all of them, until it is replaced. */
static void a_long_record_keeps_its_extents(void **state)
{
    (void)state;
    setup();
    uint32_t bytes = 3 * 1024 * 1024 + 5000;
    store_begin();
    store_commit_begin();
    for (int i = 0; i < 100; i++)
        test_put(6000 + (Oid)i, 1, BODY, true);
    test_put(7000, 1, bytes, true);
    for (int i = 100; i < 200; i++)
        test_put(6000 + (Oid)i, 1, BODY, true);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    put_range(6000, 200, 2, 20, false);
    reopen(false); /* what lives is counted anew */
    assert_int_equal(work(), COMPACT_NOTHING);
    reuse_space();
    store_begin();
    assert_int_equal(test_value(7000), 1);
    store_verify();
    StoreStats s = stats();
    uint64_t kept = s.extents_bulk;
    assert_true(kept >= 4);
    bulk(7000, 1, 2, bytes);
    bulk(7000, 1, 3, 100000);
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_true(stats().extents_bulk <= 2);
    store_checkpoint_now();
    assert_int_equal(test_value(7000), 3);
    reopen(true);
    teardown();
}

/* ---- recovery ------------------------------------------------------------------------------------------------------------ */

static void begin_bulk(void)
{
    store_commit_begin();
    for (int i = 0; i < 400; i++)
        test_put(30000 + (Oid)i, 1, BODY, true);
    store_commit_finish(DURABILITY_DURABLE);
}

/* A bulk commit under way holds the redo point back: what was given up after it began is read again by a recovery. */
static void what_recovery_may_read_is_not_used_again(void **state)
{
    (void)state;
    setup();
    put_range(1000, 600, 1, BODY, true);
    store_checkpoint_now();
    put_range(1000, 600, 2, BODY, false);
    put_range(1600, 30, 2, BODY, false);
    stop_arm(STOP_BULK_PAGE, STOP_PAUSE, 1, false, 0);
    Other other = start_other(begin_bulk);
    assert_true(stop_wait_paused(STOP_BULK_PAGE, UNIT_PATIENCE_MS));
    put_range(1000, 630, 3, BODY, false); /* begins in pages that are open now */
    put_range(1000, 630, 4, BODY, false);
    /* The other's view began before the moves: it is let go on to the end of its view without ending its commit. */
    store_begin();
    for (uint32_t i = 0; i < the_store->shared->slots; i++)
        if (atomic_load(&the_store->slots[i].pid) == other.pid)
            atomic_store(&the_store->slots[i].view_epoch, UINT64_MAX);
    assert_int_equal(work(), COMPACT_NOTHING);
    assert_true(stats().extents_cleaned >= 4);
    store_checkpoint_now(); /* frees nothing of them, so it makes no holes of them either */
    store_checkpoint_now();
    assert_true(stats().extents_dead >= 4);
    store_begin();
    assert_int_equal(test_commit(900, 2, 10, false, DURABILITY_DURABLE), COMMIT_OK);
    kill(other.pid, SIGKILL);
    end_of(&other);
    stop_disarm_all();
    reopen(false);
    check_range(1000, 630, 4);
    assert_int_equal(stats().extents_dead, 0);
    teardown();
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endless_load_of_updates_keeps_the_file_bounded),
        cmocka_unit_test(space_that_is_not_needed_goes_back_to_the_file_system),
        cmocka_unit_test(the_emptiest_extents_are_chosen_and_full_ones_left_alone),
        cmocka_unit_test(an_old_snapshot_keeps_what_it_can_read),
        cmocka_unit_test(a_chain_made_late_is_followed_to_its_end),
        cmocka_unit_test(the_clone_of_a_fork_is_waited_for),
        cmocka_unit_test(an_object_changed_meanwhile_is_not_moved),
        cmocka_unit_test(an_extent_with_an_open_page_is_left_alone),
        cmocka_unit_test(a_dead_extents_pages_are_not_cached_when_it_is_used_again),
        cmocka_unit_test(a_scan_lists_each_object_once_wherever_it_stands),
        cmocka_unit_test(what_bulk_commits_leave_is_cleaned),
        cmocka_unit_test(a_long_record_keeps_its_extents),
        cmocka_unit_test(what_recovery_may_read_is_not_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
