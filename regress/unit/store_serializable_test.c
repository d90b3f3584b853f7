/*
 * store_serializable_test.c - serializable commits: what was read is validated at the place in the order that the
 * commit got; listed extents too; who only reads never fails and never waits.  Scans of classes.
 */
#include "store_testlib.h"

#include "lib/stop.h"
#include "lib/hashtab.h"


static void setup(void)
{
    test_create();
    store_open(test_dir, STORE_POSTMASTER);
    store_session_attach();
    store_begin();
    for (int i = 0; i < 8; i++)
        store_intern_class(1000 + (Oid)i); /* classes 1 to 8 */
    assert_int_equal(test_commit(1, 10, 20, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_commit(2, 20, 20, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_commit(3, 30, 20, true, DURABILITY_DURABLE), COMMIT_OK);
}

static void teardown(void)
{
    stop_disarm_all();
    store_close(store_current(), true);
    test_remove();
}

/* A commit at the snapshot that the session has: reads one object, writes another. */
static CommitResult read_write(Oid read, Oid written, uint64_t value)
{
    static Oid reads[1];
    reads[0] = read;
    store_commit_begin();
    test_put(written, value, 20, false);
    store_commit_reads(reads, 1, NULL, 0, 0);
    return store_commit_finish(DURABILITY_DURABLE);
}

static void put_of_class(Oid oid, uint32_t class_id, uint32_t nbytes, bool is_new)
{
    static uint8_t bytes[200000];
    StorePut put = { .oid = oid, .class_id = class_id, .format = 1, .is_new = is_new, .nbytes = nbytes, .bytes = bytes };
    for (uint32_t i = 0; i < nbytes; i++)
        bytes[i] = (uint8_t)hash_u64(oid + i);
    store_commit_put(&put);
}

static CommitStatus commit_of_class(Oid oid, uint32_t class_id, uint32_t nbytes, bool is_new)
{
    store_commit_begin();
    put_of_class(oid, class_id, nbytes, is_new);
    return store_commit_finish(DURABILITY_ASYNC).status;
}

/* ---- write skew --------------------------------------------------------------------------------- */

static void skewed(void)
{
    if (read_write(1, 2, 21).status != COMMIT_OK)
        _exit(5);
}

static void what_was_read_and_changed_since_is_a_conflict(void **state)
{
    (void)state;
    setup();
    Sequence mine = store_snapshot_seq();
    assert_int_equal(test_wait_for(test_start_session(skewed)), 0);
    assert_int_equal(store_snapshot_seq(), mine);
    CommitResult result = read_write(2, 1, 11);
    assert_int_equal(result.status, COMMIT_CONFLICT);
    assert_int_equal(result.nconflicts, 1);
    assert_int_equal(result.conflicts[0].kind, CONFLICT_READ_WRITE);
    assert_int_equal(result.conflicts[0].oid, 2);
    assert_true(result.conflicts[0].winner >= 0 && result.conflicts[0].sequence > mine);
    assert_int_equal(test_value(1), 10);
    store_begin();
    assert_int_equal(read_write(2, 1, 11).status, COMMIT_OK);
    teardown();
}

static void without_a_read_set_it_is_a_snapshot_that_reads(void **state)
{
    (void)state;
    setup();
    assert_int_equal(test_wait_for(test_start_session(skewed)), 0);
    assert_int_equal(test_commit(1, 11, 20, false, DURABILITY_DURABLE), COMMIT_OK);
    teardown();
}

/* The other has validated and is in the log, but no word says so yet: only its locks do. */
static void skewed_second(void)
{
    CommitResult result = read_write(2, 1, 11);
    _exit(result.status == COMMIT_CONFLICT && result.conflicts[0].kind == CONFLICT_READ_WRITE ? 0 : 6);
}

static void what_another_is_committing_is_a_conflict(void **state)
{
    (void)state;
    setup();
    Sequence before = store_published_seq();
    stop_arm(STOP_COMMIT_LOGGED, STOP_PAUSE, 1, false, 0);
    pid_t first = test_start_session(skewed);
    assert_true(stop_wait_paused(STOP_COMMIT_LOGGED, UNIT_PATIENCE_MS));
    pid_t second = test_start_session(skewed_second);
    /* It gives up its place, which is published after the first one's. */
    while (atomic_load(&the_store->shared->done[(before + 2) % DONE_SLOTS].sequence) != before + 2)
        usleep(5000);
    assert_int_equal(store_published_seq(), before);
    stop_release(STOP_COMMIT_LOGGED);
    assert_int_equal(test_wait_for(first), 0);
    assert_int_equal(test_wait_for(second), 0);
    store_begin();
    assert_true(store_published_seq() >= before + 2);
    assert_int_equal(test_value(2), 21);
    assert_int_equal(test_value(1), 10);
    store_session_detach();
    store_close(store_current(), false); /* recovery meets the void record */
    store_open(test_dir, STORE_POSTMASTER);
    store_session_attach();
    assert_true(store_begin() >= before + 2);
    assert_int_equal(test_value(2), 21);
    assert_int_equal(test_value(1), 10);
    assert_int_equal(store_verify(), 3);
    teardown();
}

/* Each locks what the other has read, and neither has decided: exactly one may go on. */
static void skewed_other_way(void)
{
    _exit(read_write(2, 1, 11).status == COMMIT_OK ? 0 : 7);
}

static void skewed_loser(void)
{
    _exit(read_write(1, 2, 21).status == COMMIT_OK ? 0 : 7);
}

static void two_that_meet_each_others_locks_come_to_an_end(void **state)
{
    (void)state;
    setup();
    stop_arm(STOP_COMMIT_PLACED, STOP_PAUSE, 1, false, 0);
    pid_t first = test_start_session(skewed_loser);
    assert_true(stop_wait_paused(STOP_COMMIT_PLACED, UNIT_PATIENCE_MS));
    pid_t second = test_start_session(skewed_other_way);
    usleep(50000); /* time to meet the lock; whether or not, one of them is too late */
    stop_release(STOP_COMMIT_PLACED);
    int ends[2] = { test_wait_for(first), test_wait_for(second) };
    assert_true((ends[0] == 0) + (ends[1] == 0) == 1);
    store_begin();
    assert_true((test_value(2) == 21) + (test_value(1) == 11) == 1);
    teardown();
}

/* ---- who only reads ----------------------------------------------------------------------------- */

static void a_reader_neither_fails_nor_waits(void **state)
{
    (void)state;
    setup();
    static Oid reads[] = { 1, 2 };
    assert_int_equal(test_wait_for(test_start_session(skewed)), 0); /* object 2 is newer than our snapshot */
    stop_arm(STOP_COMMIT_LOGGED, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(skewed);                    /* and locked */
    assert_true(stop_wait_paused(STOP_COMMIT_LOGGED, UNIT_PATIENCE_MS));
    assert_int_equal(test_value(2), 20);
    store_commit_begin();
    store_commit_reads(reads, 2, NULL, 0, 0);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    assert_int_equal(test_value(2), 21);
    stop_release(STOP_COMMIT_LOGGED);
    assert_int_equal(test_wait_for(pid), 0);
    teardown();
}

/*
 * The read-only anomaly: 1 and 2 are a person's accounts.  The deposit to 2 is stopped when it is installed and not
 * yet published; a reader that comes now sees neither.  The withdrawal that has read both before it must fail: its
 * place would be after the deposit.
 */
static void deposit(void)
{
    if (read_write(2, 2, 40).status != COMMIT_OK)
        _exit(5);
}

static void withdraw(void)
{
    static Oid reads[] = { 1, 2 };
    store_commit_begin();
    test_put(1, 0, 20, false);
    store_commit_reads(reads, 2, NULL, 0, 0);
    CommitResult result = store_commit_finish(DURABILITY_DURABLE);
    _exit(result.status == COMMIT_CONFLICT && result.conflicts[0].oid == 2 && store_published_seq() >= result.conflicts[0].sequence
              ? 0
              : 6);
}

static void the_reader_in_between_sees_one_order(void **state)
{
    (void)state;
    setup();
    stop_arm(STOP_COMMIT_INSTALLED, STOP_PAUSE, 1, false, 0);
    pid_t first = test_start_session(deposit);
    assert_true(stop_wait_paused(STOP_COMMIT_INSTALLED, UNIT_PATIENCE_MS));
    pid_t second = test_start_session(withdraw);
    usleep(20000); /* time to get where it waits; nothing depends on it */
    store_begin();
    assert_int_equal(test_value(1), 10);
    assert_int_equal(test_value(2), 20);
    stop_release(STOP_COMMIT_INSTALLED);
    assert_int_equal(test_wait_for(first), 0);
    assert_int_equal(test_wait_for(second), 0);
    store_begin();
    assert_int_equal(test_value(1), 10);
    assert_int_equal(test_value(2), 40);
    teardown();
}

/* ---- extents ------------------------------------------------------------------------------------ */

static size_t scan(const uint32_t *classes, size_t n, Oid *out, size_t room)
{
    StoreScan *s = store_scan_begin(classes, n, test_context);
    Oid oids[1024];
    size_t total = 0, got;
    while ((got = store_scan_next(s, oids, 1024)) > 0)
        for (size_t i = 0; i < got; i++) {
            for (size_t j = 0; j < total; j++)
                assert_int_not_equal(out[j], oids[i]);
            assert_true(total < room);
            out[total++] = oids[i];
        }
    store_scan_end(s);
    return total;
}

static void a_scan_lists_each_instance_once_as_the_snapshot_sees_it(void **state)
{
    static Oid out[20000];
    static const uint32_t of_3[] = { 3 }, of_3_and_4[] = { 4, 3 };
    (void)state;
    setup();
    for (Oid oid = 100; oid < 130; oid++)
        assert_int_equal(commit_of_class(oid, 3 + oid % 2, 40, true), COMMIT_OK);
    assert_int_equal(scan(of_3, 1, out, 20000), 15);
    assert_int_equal(scan(of_3_and_4, 2, out, 20000), 30);
    for (int round = 0; round < 3; round++)
        for (Oid oid = 100; oid < 110; oid++)
            assert_int_equal(commit_of_class(oid, 3 + oid % 2, 50, false), COMMIT_OK);
    assert_int_equal(scan(of_3, 1, out, 20000), 15);
    assert_int_equal(commit_of_class(100, 5, 40, false), COMMIT_OK); /* another class now */
    assert_int_equal(scan(of_3, 1, out, 20000), 14);
    assert_int_equal(commit_of_class(300, 3, 150000, true), COMMIT_OK); /* a run of pages */
    assert_int_equal(scan(of_3, 1, out, 20000), 15);
    store_commit_begin();
    for (Oid oid = 1000; oid < 7000; oid++) /* more than an extent: pages of its own; a bulk commit */
        put_of_class(oid, 6, 300, true);
    assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
    static const uint32_t of_6[] = { 6 };
    assert_int_equal(scan(of_6, 1, out, 20000), 6000);
    for (Oid oid = 7000; oid < 7300; oid++)
        assert_int_equal(commit_of_class(oid, 6, 3000, true), COMMIT_OK);
    assert_int_equal(scan(of_6, 1, out, 20000), 6300);
    store_session_detach();
    store_close(store_current(), true);
    store_open(test_dir, STORE_POSTMASTER);
    store_session_attach();
    store_begin();
    assert_int_equal(scan(of_6, 1, out, 20000), 6300);
    assert_int_equal(scan(of_3, 1, out, 20000), 15);
    teardown();
}

static void create_one(void)
{
    if (commit_of_class(500, 3, 40, true) != COMMIT_OK)
        _exit(5);
}

static const uint32_t listed[] = { 3 };

/* Listed class 3 at its snapshot, writes object `written`. */
static CommitResult list_and_write(Oid written)
{
    store_commit_begin();
    test_put(written, 99, 20, false);
    store_commit_reads(NULL, 0, listed, 1, 0);
    return store_commit_finish(DURABILITY_DURABLE);
}

static void list_three(void)
{
    CommitResult result = list_and_write(1);
    _exit(result.status == COMMIT_CONFLICT && result.conflicts[0].kind == CONFLICT_EXTENT && result.conflicts[0].oid == 1002 ? 0 : 6);
}

static void an_instance_that_came_since_is_a_conflict(void **state)
{
    (void)state;
    setup();
    assert_int_equal(test_wait_for(test_start_session(create_one)), 0);
    CommitResult result = list_and_write(1);
    assert_int_equal(result.status, COMMIT_CONFLICT);
    assert_int_equal(result.conflicts[0].kind, CONFLICT_EXTENT);
    store_begin();
    assert_int_equal(list_and_write(1).status, COMMIT_OK);
    /* One that leaves the class, too. */
    Sequence before = store_snapshot_seq();
    assert_int_equal(commit_of_class(500, 4, 40, false), COMMIT_OK);
    assert_true(store_extent_changed(3, before));
    assert_true(store_extent_changed(4, before));
    assert_false(store_extent_changed(5, before));
    /* A change that adds none is no phantom. */
    before = store_snapshot_seq();
    assert_int_equal(commit_of_class(500, 4, 60, false), COMMIT_OK);
    assert_false(store_extent_changed(4, before));
    /* Its own new instances are none either. */
    store_commit_begin();
    put_of_class(501, 3, 40, true);
    store_commit_reads(NULL, 0, listed, 1, 0);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    teardown();
}

static void a_creator_with_a_sequence_and_nothing_installed_is_a_conflict(void **state)
{
    (void)state;
    setup();
    stop_arm(STOP_COMMIT_LOGGED, STOP_PAUSE, 1, false, 0);
    pid_t creator = test_start_session(create_one);
    assert_true(stop_wait_paused(STOP_COMMIT_LOGGED, UNIT_PATIENCE_MS));
    pid_t lister = test_start_session(list_three);
    usleep(30000); /* time to get where it waits; nothing depends on it */
    stop_release(STOP_COMMIT_LOGGED);
    assert_int_equal(test_wait_for(creator), 0);
    assert_int_equal(test_wait_for(lister), 0);
    store_begin();
    assert_int_equal(test_value(1), 10);
    teardown();
}

/* A subclass made since the classes were looked through: the lister can't know that its instances count. */
static void create_of_new_class(void)
{
    if (commit_of_class(600, store_intern_class(2000), 40, true) != COMMIT_OK)
        _exit(5);
}

static void an_instance_of_a_class_made_since_is_a_conflict(void **state)
{
    (void)state;
    setup();
    uint32_t classes = store_class_count();
    assert_int_equal(test_wait_for(test_start_session(create_of_new_class)), 0);
    store_commit_begin();
    test_put(1, 99, 20, false);
    store_commit_reads(NULL, 0, listed, 1, classes + 1);
    CommitResult result = store_commit_finish(DURABILITY_DURABLE);
    assert_int_equal(result.status, COMMIT_CONFLICT);
    assert_int_equal(result.nconflicts, 1);
    assert_int_equal(result.conflicts[0].oid, 2000);
    teardown();
}

/* ---- reading before durability ------------------------------------------------------------------ */

static void commit_slowly(void)
{
    if (test_commit(1, 11, 20, false, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
}

static void what_a_snapshot_includes_can_be_waited_for(void **state)
{
    (void)state;
    setup();
    stop_arm(STOP_COMMIT_FLUSH, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(commit_slowly);
    assert_true(stop_wait_paused(STOP_COMMIT_FLUSH, UNIT_PATIENCE_MS));
    store_begin();
    assert_int_equal(test_value(1), 11); /* read before it is durable */
    Lsn durable = wal_durable_position(the_store->wal);
    store_wait_snapshot_durable();
    assert_true(wal_durable_position(the_store->wal) > durable);
    kill(pid, SIGKILL); /* between its log and its answer: nothing is lost */
    test_wait_for(pid);
    store_session_cleanup(store_session_slot_of(pid));
    store_session_detach();
    store_close(store_current(), false);
    store_open(test_dir, STORE_POSTMASTER);
    store_session_attach();
    store_begin();
    assert_int_equal(test_value(1), 11);
    teardown();
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_read_and_changed_since_is_a_conflict),
        cmocka_unit_test(without_a_read_set_it_is_a_snapshot_that_reads),
        cmocka_unit_test(what_another_is_committing_is_a_conflict),
        cmocka_unit_test(two_that_meet_each_others_locks_come_to_an_end),
        cmocka_unit_test(a_reader_neither_fails_nor_waits),
        cmocka_unit_test(the_reader_in_between_sees_one_order),
        cmocka_unit_test(a_scan_lists_each_instance_once_as_the_snapshot_sees_it),
        cmocka_unit_test(an_instance_that_came_since_is_a_conflict),
        cmocka_unit_test(a_creator_with_a_sequence_and_nothing_installed_is_a_conflict),
        cmocka_unit_test(an_instance_of_a_class_made_since_is_a_conflict),
        cmocka_unit_test(what_a_snapshot_includes_can_be_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
