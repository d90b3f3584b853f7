/*
 * wal_basic_test.c - the log keeps what was flushed, in order, and nothing else.
 */
#include "regress/unit/wal_testlib.h"

/* What is flushed is found again, in log order, with the sequences given; sizes from nothing to a quarter ring. */
static void flushed_records_are_found_in_order(void **state)
{
    TestLog log;
    Lsn last = 0;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 3000; i++) {
        WalPlace place = test_commit(log.wal, i, i % 500 == 0 ? 8192 : (uint32_t)(i % 97));

        assert_int_equal(place.sequence, i);
        assert_true(place.start >= last);
        last = place.end;
        if (i % 7 == 0)
            wal_flush(log.wal, last);
    }
    wal_flush(log.wal, last);
    assert_true(wal_is_durable(log.wal, last));
    test_log_forget(&log);

    for (int round = 0; round < 2; round++) { /* twice: recovery changes nothing that it reads */
        test_log_recover(&log);
        assert_int_equal(seen.count, 3000);
        for (uint64_t i = 1; i <= 3000; i++) {
            assert_int_equal(seen.sequence[i - 1], i);
            assert_int_equal(seen.length[i - 1], (i % 500 == 0 ? 8192 : i % 97) * 8);
            if (i % 97 != 0 || i % 500 == 0)
                assert_int_equal(seen.value[i - 1], i);
        }
        assert_int_equal(log.recovery.last_sequence, 3000);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/* What was never flushed is gone, and the next incarnation's records come right behind. */
static void unflushed_records_vanish(void **state)
{
    TestLog log;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 10; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 10).end);
    for (uint64_t i = 11; i <= 20; i++)
        test_commit(log.wal, i, 10);
    test_log_forget(&log);

    test_log_open(&log);
    assert_int_equal(seen.count, 10);
    assert_int_equal(test_commit(log.wal, 100, 10).sequence, 11);
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);

    test_log_recover(&log);
    assert_int_equal(seen.count, 11);
    assert_int_equal(seen.value[10], 100);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* A scan may begin at any record that was durable. */
static void redo_may_start_at_any_record(void **state)
{
    TestLog log;
    Lsn ends[50];
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (uint64_t i = 0; i < 50; i++) {
        ends[i] = test_commit(log.wal, i, 30).end;
        if (i % 11 == 10)
            wal_flush(log.wal, ends[i]);
    }
    wal_flush(log.wal, ends[49]);
    test_log_forget(&log);
    for (uint64_t i = 0; i < 50; i++) {
        log.control->redo = ends[i];
        test_log_recover(&log);
        assert_int_equal(seen.count, 49 - i);
        if (i < 49)
            assert_int_equal(seen.value[0], i + 1);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/* Segments are recycled up to the redo point, the log goes round and round, old bytes never read as new. */
static void segments_are_recycled(void **state)
{
    TestLog log;
    WalStats stats;
    uint64_t count = 0;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 100; i++)
            wal_flush(log.wal, test_commit(log.wal, ++count, 1000).end);
        log.control->redo = log.control->must_reach = wal_durable_position(log.wal);
        wal_recycle(log.wal, log.control->redo);
    }
    wal_stats(log.wal, &stats);
    assert_true(stats.segments_recycled > 3);
    for (int i = 0; i < 5; i++)
        test_commit(log.wal, ++count, 1000);
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);
    test_log_open(&log);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.value[4], count);
    assert_int_equal(log.recovery.last_sequence, count);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* Half the log lies before the redo point, half behind: recycling keeps the latter. */
static void segments_are_kept_from_the_redo_point_on(void **state)
{
    TestLog log;
    (void)state;

    test_log_create_sized(&log, 64 << 10);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 200; i++) {
        wal_flush(log.wal, test_commit(log.wal, i, 500).end);
        if (i == 100)
            log.control->redo = wal_durable_position(log.wal);
    }
    assert_true(wal_recycle(log.wal, log.control->redo) > 5);
    assert_int_equal(wal_recycle(log.wal, log.control->redo), 0);
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 100);
    assert_int_equal(seen.value[0], 101);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/*
 * A recycled segment's old records stand exactly where the log would go on (batches of two blocks, segments of an even
 * number of blocks), and are not read.
 */
static void a_recycled_segments_old_records_are_not_read(void **state)
{
    TestLog log;
    uint64_t count = 0;
    (void)state;

    test_log_create_sized(&log, 64 << 10);
    test_log_open(&log);
    if (wal_durable_position(log.wal) % (2 * WAL_BLOCK) != 0)
        wal_flush(log.wal, test_commit(log.wal, ++count, 10).end);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 9; i++)
            wal_flush(log.wal, test_commit(log.wal, ++count, 600).end);
        assert_int_equal(wal_durable_position(log.wal) % (2 * WAL_BLOCK), 0);
        log.control->redo = log.control->must_reach = wal_durable_position(log.wal);
        wal_recycle(log.wal, log.control->redo);
    }
    wal_flush(log.wal, test_commit(log.wal, ++count, 600).end);
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.value[0], count);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* More log than the ring holds, and nobody flushes: credit waits for room, what is in the ring is never overwritten. */
static void credit_waits_for_the_ring(void **state)
{
    TestLog log;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 400; i++)
        test_commit(log.wal, i, 1000);
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 400);
    test_log_forget(&log);
    test_log_destroy(&log);
}

static void flush_all(TestLog *log, int arg)
{
    (void)arg;
    wal_flush(log->wal, wal_insert_position(log->wal));
}

/* A record that has its place and is not finished holds up the batch, and is whole in it. */
static void a_batch_waits_for_unfinished_records(void **state)
{
    TestLog log;
    WalCredit credit = {0};
    WalPlace place;
    uint64_t word = 4711;
    pid_t flusher;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    wal_credit_take(log.wal, &credit, 1, 8, 0);
    place = wal_place_commit(log.wal, &credit, 8);
    test_commit(log.wal, 2, 10);
    flusher = test_fork(&log, flush_all, 0);
    usleep(50000);
    assert_false(wal_is_durable(log.wal, place.end));
    wal_copy(log.wal, &place, 0, &word, 8);
    wal_finish(log.wal, &place, TEST_KIND, 0);
    assert_int_equal(test_wait(flusher), 0);
    assert_true(wal_is_durable(log.wal, place.end));
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.value[0], 4711);
    test_log_forget(&log);
    test_log_destroy(&log);
}

static TestLog *watched;

static void set_incarnation_watching(void *ptr, uint64_t incarnation, Lsn start)
{
    assert_int_equal(wal_insert_position(watched->wal), 0);
    test_control_set(ptr, incarnation, start);
    atomic_fetch_add(&watched->control->flag, 1);
}

/* The control file knows an incarnation before a byte is appended under it, and each is a new one. */
static void an_incarnation_is_durable_before_its_first_append(void **state)
{
    TestLog log;
    (void)state;

    test_log_create(&log);
    log.config.control_set_incarnation = set_incarnation_watching;
    watched = &log;
    for (uint64_t i = 1; i <= 3; i++) {
        test_log_open(&log);
        assert_int_equal(atomic_load(&log.control->flag), i);
        assert_int_equal(wal_incarnation(log.wal), i);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/* Every batch ends with a block; bytes of one batch are in no other's blocks. */
static void batches_end_on_block_boundaries(void **state)
{
    TestLog log;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    for (uint32_t words = 0; words < 1024; words += 3) {
        Lsn before = wal_durable_position(log.wal);
        WalPlace place = test_commit(log.wal, words, words);

        assert_int_equal(before % WAL_BLOCK, 0);
        assert_int_equal(place.start, before);
        wal_flush(log.wal, place.end);
        assert_int_equal(wal_durable_position(log.wal), wal_insert_position(log.wal));
        assert_true(wal_durable_position(log.wal) - place.end <= WAL_BATCH_SLACK);
    }
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* More than ring or limits hold is refused with nothing done. */
static void too_much_at_once_is_refused(void **state)
{
    TestLog log;
    volatile bool caught = false;
    WalCredit credit = {0};
    Lsn before;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    before = wal_insert_position(log.wal);
    TRY()
    {
        wal_credit_take(log.wal, &credit, 1, log.config.ring_size, 0);
    }
    CATCH(err)
    {
        assert_int_equal(err->code, ERR_LIMIT_EXCEEDED);
        caught = true;
    }
    END_TRY();
    assert_true(caught);
    assert_int_equal(credit.charge, 0);
    assert_int_equal(wal_insert_position(log.wal), before);
    test_commit(log.wal, 1, (uint32_t)(wal_max_payload(log.wal) / 8));
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* A disk without room for the next segment: credit is refused, what is there stays, room brings it back. */
static void full_disk_refuses_credit_and_recovers(void **state)
{
    TestLog log;
    volatile uint64_t committed = 0;
    volatile bool full = false;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    io_faults_enable();
    io_fault_set(IO_OP_fallocate, 1, true, IO_FAULT_ERRNO, ENOSPC, "segment.new");
    while (!full) {
        TRY()
        {
            wal_flush(log.wal, test_commit(log.wal, committed + 1, 1000).end);
            committed++;
        }
        CATCH(err)
        {
            assert_int_equal(err->code, ERR_DISK_FULL);
            full = true;
        }
        END_TRY();
        assert_true(committed < 1000);
    }
    assert_true(committed > 50);
    /* The reserve for a checkpoint is still there. */
    for (int i = 0; i < 10; i++)
        wal_flush(log.wal, wal_append(log.wal, WAL_FILLER, 0, NULL, 0, WAL_CREDIT_RESERVE));
    io_fault_clear();
    io_faults_disable();
    wal_flush(log.wal, test_commit(log.wal, committed + 1, 1000).end);
    committed++;
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, committed);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* Each sync method's log is read back; names round-trip. */
static void every_sync_method_works(void **state)
{
    static const WalSyncMethod METHODS[] = {WAL_SYNC_OPEN_DATASYNC, WAL_SYNC_FDATASYNC, WAL_SYNC_FSYNC,
                                            WAL_SYNC_OPEN_SYNC};
    TestLog log;
    WalSyncMethod parsed;
    (void)state;

    for (unsigned i = 0; i < COUNT_OF(METHODS); i++) {
        assert_true(wal_sync_method_parse(wal_sync_method_name(METHODS[i]), &parsed));
        assert_int_equal(parsed, METHODS[i]);
        test_log_create(&log);
        log.config.sync_method = METHODS[i];
        log.config.direct_io = i % 2 == 0;
        test_log_open(&log);
        for (uint64_t n = 1; n <= 20; n++)
            wal_flush(log.wal, test_commit(log.wal, n, 100).end);
        test_log_forget(&log);
        test_log_recover(&log);
        assert_int_equal(seen.count, 20);
        test_log_forget(&log);
        test_log_destroy(&log);
    }
    assert_false(wal_sync_method_parse("nonsense", &parsed));
    test_log_create(&log);
    wal_sync_method_measure(log.directory, true);
    test_log_destroy(&log);
}

/* A void record keeps its sequence and says so. */
static void void_records_keep_their_sequence(void **state)
{
    TestLog log;
    WalCredit credit = {0};
    WalPlace place;
    (void)state;

    test_log_create(&log);
    test_log_open(&log);
    wal_credit_take(log.wal, &credit, 2, 800, 0);
    place = wal_place_commit(log.wal, &credit, 800);
    wal_finish_void(log.wal, &place);
    wal_append_credited(log.wal, &credit, TEST_KIND, 7, NULL, 0);
    wal_credit_return(log.wal, &credit);
    assert_int_equal(atomic_load(&log.wal->shared->credit) & WAL_CREDIT_MASK, 0);
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);
    test_log_recover(&log);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.sequence[0], 1);
    assert_int_equal(seen.sequence[1], 0);
    assert_int_equal(log.recovery.last_sequence, 1);
    test_log_forget(&log);
    test_log_destroy(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flushed_records_are_found_in_order),
        cmocka_unit_test(unflushed_records_vanish),
        cmocka_unit_test(redo_may_start_at_any_record),
        cmocka_unit_test(segments_are_recycled),
        cmocka_unit_test(segments_are_kept_from_the_redo_point_on),
        cmocka_unit_test(a_recycled_segments_old_records_are_not_read),
        cmocka_unit_test(credit_waits_for_the_ring),
        cmocka_unit_test(a_batch_waits_for_unfinished_records),
        cmocka_unit_test(an_incarnation_is_durable_before_its_first_append),
        cmocka_unit_test(batches_end_on_block_boundaries),
        cmocka_unit_test(too_much_at_once_is_refused),
        cmocka_unit_test(full_disk_refuses_credit_and_recovers),
        cmocka_unit_test(every_sync_method_works),
        cmocka_unit_test(void_records_keep_their_sequence),
    };

    lib_init("wal_basic_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
