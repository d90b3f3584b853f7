/*
 * wal_damage_test.c - damage is told from the log's end: a flipped byte is found and named, a torn tail ends the
 * log, and what another incarnation left behind is never read.
 */
#include "regress/unit/wal_testlib.h"

#include <fcntl.h>

static char *segment_path(TestLog *log, Lsn lsn)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/%016" PRIX64 ".wal", log->directory,
             lsn & ~((Lsn)log->config.segment_size - 1));
    return path;
}

static void raw_read(TestLog *log, Lsn at, void *out, size_t n)
{
    int fd = open(segment_path(log, at), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, out, n, (off_t)(at & (log->config.segment_size - 1))), n);
    close(fd);
}

static void raw_write(TestLog *log, Lsn at, const void *bytes, size_t n)
{
    int fd = open(segment_path(log, at), O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, n, (off_t)(at & (log->config.segment_size - 1))), n);
    close(fd);
}

static void small_log(TestLog *log)
{
    test_log_create_sized(log, 64 << 10);
    log->config.direct_io = false;
    log->config.sync_method = WAL_SYNC_FDATASYNC;
}

/* Recovers; returns whether damage was reported (its message in `message`). */
static bool damage_reported(TestLog *log, char *message, size_t size)
{
    volatile bool reported = false;

    log->wal = NULL;
    TRY()
    {
        test_log_recover(log);
    }
    CATCH(err)
    {
        assert_int_equal(err->code, ERR_CORRUPT_WAL);
        assert_true(strlen(err->hint) > 20);
        snprintf(message, size, "%s", err->message);
        reported = true;
    }
    END_TRY();
    test_log_forget(log);
    return reported;
}

/*
 * One byte flipped, anywhere: in all batches but the last it is reported with file and block; in the last, unconfirmed
 * one it ends the log before it, unless it hit bytes that nobody reads.
 */
static void a_flipped_byte_is_found_and_named(void **state)
{
    TestLog log;
    Lsn first, confirmed, end;
    char message[1024], expected[300];
    unsigned reported = 0, ended = 0;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    first = log.control->incarnation_start;
    for (uint64_t i = 1; i <= 6; i++) {
        test_commit(log.wal, i, 200);
        test_commit(log.wal, i, (uint32_t)i * 77);
        wal_flush(log.wal, wal_insert_position(log.wal));
    }
    confirmed = atomic_load(&log.wal->shared->marked);
    end = wal_durable_position(log.wal);
    test_log_forget(&log);
    assert_true(end > confirmed);

    for (Lsn at = first; at < end; at += 7) {
        uint8_t byte, flipped;

        raw_read(&log, at, &byte, 1);
        flipped = byte ^ (uint8_t)(1 << (at / 7 % 8));
        raw_write(&log, at, &flipped, 1);
        if (at < confirmed) {
            if (!damage_reported(&log, message, sizeof(message)))
                fail_msg("flipped byte at %" PRIX64 " was not reported", at);
            reported++;
            snprintf(expected, sizeof(expected), "\"%s\"", segment_path(&log, at));
            assert_non_null(strstr(message, expected));
            assert_non_null(strstr(message, "block"));
        } else {
            test_log_recover(&log);
            assert_int_equal(log.recovery.end, confirmed);
            assert_int_equal(seen.count, 10);
            test_log_forget(&log);
            ended++;
        }
        raw_write(&log, at, &byte, 1);
    }
    assert_true(reported > 1000 && ended > 100);
    test_log_recover(&log);
    assert_int_equal(seen.count, 12);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* The block that is named is the one that holds the bad record's start. */
static void the_bad_block_is_named(void **state)
{
    TestLog log;
    Lsn at;
    uint8_t byte;
    char message[1024], expected[64];
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 8; i++) {
        at = test_commit(log.wal, i, 20).start;
        wal_flush(log.wal, wal_insert_position(log.wal));
        if (i == 5)
            log.control->acknowledged[0] = at;
    }
    test_log_forget(&log);
    at = log.control->acknowledged[0];
    raw_read(&log, at + 40, &byte, 1);
    byte ^= 4;
    raw_write(&log, at + 40, &byte, 1);
    assert_true(damage_reported(&log, message, sizeof(message)));
    snprintf(expected, sizeof(expected), "block %" PRIu64 " ", (at & (log.config.segment_size - 1)) / WAL_BLOCK);
    assert_non_null(strstr(message, expected));
    test_log_destroy(&log);
}

/* The last batch torn at each 512 bytes, or with any sectors missing: the log ends before it and goes on. */
static void a_torn_tail_ends_the_log(void **state)
{
    TestLog log;
    uint8_t before[5 * WAL_BLOCK], after[5 * WAL_BLOCK];
    Lsn start, end;
    unsigned sectors;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 5; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 100).end);
    start = wal_durable_position(log.wal);
    raw_read(&log, start, before, sizeof(before));
    for (uint64_t i = 6; i <= 9; i++)
        test_commit(log.wal, i, 400);
    wal_flush(log.wal, wal_insert_position(log.wal));
    end = wal_durable_position(log.wal);
    test_log_forget(&log);
    assert_true(end - start > 3 * WAL_BLOCK && end - start <= sizeof(after));
    raw_read(&log, start, after, sizeof(after));
    sectors = (unsigned)(end - start) / 512;

    for (unsigned cut = 0; cut < sectors; cut++) {
        TestControl saved = *log.control;

        raw_write(&log, start, after, cut * 512);
        raw_write(&log, start + cut * 512, before + cut * 512, sizeof(before) - cut * 512);
        test_log_open(&log);
        assert_int_equal(seen.count, 5);
        assert_int_equal(log.recovery.end, start);
        wal_flush(log.wal, test_commit(log.wal, 1000 + cut, 50).end);
        test_log_forget(&log);
        test_log_recover(&log); /* and what the dead incarnation left behind is not taken for ours */
        assert_int_equal(seen.count, 6);
        assert_int_equal(seen.value[5], 1000 + cut);
        test_log_forget(&log);
        saved.incarnation = log.control->incarnation; /* numbers are never given twice */
        *log.control = saved;
    }
    for (unsigned round = 0; round < 200; round++) {
        uint8_t mixed[sizeof(before)];

        memcpy(mixed, before, sizeof(mixed));
        for (unsigned s = 0; s < sectors; s++) {
            if (random_below(8) != 0)
                memcpy(mixed + s * 512, after + s * 512, 512);
        }
        raw_write(&log, start, mixed, sizeof(mixed));
        test_log_recover(&log);
        assert_int_equal(seen.count, memcmp(mixed, after, sectors * 512) == 0 ? 9 : 5);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/*
 * A dead incarnation's torn batch whose first block was lost and whose others arrived: the successor writes over the
 * first; the rest, standing exactly where the successor's log ends, are never read.
 */
static void a_dead_incarnations_leavings_are_not_read(void **state)
{
    TestLog log;
    uint8_t zeros[WAL_BLOCK] = {0};
    Lsn start;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    wal_flush(log.wal, test_commit(log.wal, 1, 10).end);
    start = wal_durable_position(log.wal);
    /* Many records, so that one of them begins at nearly every position the successor may end at. */
    for (uint64_t i = 0; i < 800; i++)
        test_commit(log.wal, 666, 0);
    wal_flush(log.wal, wal_insert_position(log.wal));
    test_log_forget(&log);
    raw_write(&log, start, zeros, sizeof(zeros));

    for (int round = 0; round < 5; round++) { /* each incarnation ends where the next leavings begin */
        test_log_open(&log);
        assert_int_equal(seen.count, 1 + round);
        for (uint64_t i = 0; i < seen.count; i++)
            assert_true(seen.value[i] != 666);
        wal_flush(log.wal, test_commit(log.wal, 2, 10).end);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/*
 * Several batches in flight at the cut: a later one arrived, an earlier one did not.  That is no damage (nothing beyond
 * was acknowledged), and the later one is not read, not even when the successor's log ends right before it.
 */
static void batches_behind_a_lost_one_are_not_read(void **state)
{
    TestLog log;
    uint8_t zeros[WAL_BLOCK] = {0};
    WalBatch batches[4];
    Lsn start;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    wal_flush(log.wal, test_commit(log.wal, 1, 10).end);
    start = wal_durable_position(log.wal);
    assert_true(wal_write_try(log.wal));
    for (int i = 0; i < 4; i++) {
        test_commit(log.wal, 666, 10);
        assert_true(wal_batch_form(log.wal, &batches[i]));
        wal_batch_write(log.wal, &batches[i]);
    }
    wal_write_release(log.wal);
    test_log_forget(&log);
    raw_write(&log, start, zeros, sizeof(zeros));

    for (int round = 0; round < 3; round++) {
        test_log_open(&log); /* writes one block */
        assert_int_equal(seen.count, 1 + round);
        for (uint64_t i = 0; i < seen.count; i++)
            assert_true(seen.value[i] != 666);
        test_log_forget(&log);
        test_log_recover(&log);
        assert_int_equal(seen.count, 1 + round);
        test_log_forget(&log);
        test_log_open(&log);
        wal_flush(log.wal, test_commit(log.wal, 2, 10).end);
        test_log_forget(&log);
    }
    test_log_destroy(&log);
}

/* A segment missing from the middle is damage, not the end. */
static void a_missing_segment_is_damage(void **state)
{
    TestLog log;
    char message[1024];
    Lsn first;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    first = log.control->redo;
    for (uint64_t i = 1; i <= 40; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 1000).end);
    test_log_forget(&log);
    assert_int_equal(unlink(segment_path(&log, first + 2 * log.config.segment_size)), 0);
    assert_true(damage_reported(&log, message, sizeof(message)));
    test_log_destroy(&log);
}

/* A stray file with a segment's name, far away or at the end of all positions, keeps no recovery busy. */
static void a_stray_segment_is_no_harm(void **state)
{
    TestLog log;
    char path[400];
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 3; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 100).end);
    test_log_forget(&log);
    for (int i = 0; i < 3; i++) {
        static const char *const NAMES[] = {"FFFFFFFFFFFF0000", "0000100000000000", "00000000deadbeef"};
        int fd;

        snprintf(path, sizeof(path), "%s/%s.wal", log.directory, NAMES[i]);
        fd = open(path, O_WRONLY | O_CREAT, 0600);
        assert_int_equal(ftruncate(fd, i == 0 ? 65536 : 100), 0);
        close(fd);
    }
    test_log_open(&log);
    assert_int_equal(seen.count, 3);
    test_log_forget(&log);
    test_log_destroy(&log);
}

/* A log shorter than the control file knows is damage even when nothing follows it. */
static void a_log_too_short_is_damage(void **state)
{
    TestLog log;
    char message[1024];
    uint8_t zeros[WAL_BLOCK] = {0};
    Lsn last;
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 4; i++) {
        last = wal_durable_position(log.wal);
        wal_flush(log.wal, test_commit(log.wal, i, 10).end);
    }
    log.control->must_reach = wal_durable_position(log.wal);
    test_log_forget(&log);
    raw_write(&log, last, zeros, sizeof(zeros));
    assert_true(damage_reported(&log, message, sizeof(message)));
    log.control->must_reach = last;
    assert_false(damage_reported(&log, message, sizeof(message)));
    assert_int_equal(seen.count, 3);
    test_log_destroy(&log);
}

/* After a clean shutdown nothing behind the end is looked at, but only when the log ends where the control file says. */
static void a_log_whose_end_is_known_is_read_no_further(void **state)
{
    TestLog log;
    char message[1024];
    uint8_t zeros[WAL_BLOCK] = {0};
    Lsn ends[4];
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 0; i < 4; i++) {
        wal_flush(log.wal, test_commit(log.wal, i + 1, 10).end);
        ends[i] = wal_durable_position(log.wal);
    }
    test_log_forget(&log);
    raw_write(&log, ends[1], zeros, sizeof(zeros)); /* the third: the fourth's mark knows of it */
    log.control->must_reach = ends[1];
    assert_true(damage_reported(&log, message, sizeof(message)));
    log.control->end_known = true;
    assert_false(damage_reported(&log, message, sizeof(message)));
    assert_int_equal(seen.count, 2);
    log.control->must_reach = ends[0];
    assert_true(damage_reported(&log, message, sizeof(message)));
    test_log_destroy(&log);
}

/* Another store's log in the same place is not ours. */
static void another_stores_log_is_not_read(void **state)
{
    TestLog log;
    char message[1024];
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 4; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 10).end);
    test_log_forget(&log);
    log.config.store_id++;
    log.control->must_reach = log.control->redo;
    assert_false(damage_reported(&log, message, sizeof(message)));
    assert_int_equal(seen.count, 0);
    test_log_destroy(&log);
}

/* Random bytes in place of the log: an error or an empty log, never a crash. */
static void garbage_is_survived(void **state)
{
    TestLog log;
    char message[1024];
    (void)state;

    small_log(&log);
    test_log_open(&log);
    for (uint64_t i = 1; i <= 30; i++)
        wal_flush(log.wal, test_commit(log.wal, i, 50).end);
    test_log_forget(&log);
    for (int round = 0; round < 300; round++) {
        Lsn at = log.control->redo + random_below(30) * WAL_BLOCK + random_below(40) * 4;
        uint64_t word = random_u64() >> random_below(64);
        uint64_t old;

        raw_read(&log, at, &old, 8);
        raw_write(&log, at, &word, 8);
        damage_reported(&log, message, sizeof(message));
        assert_true(seen.count <= 30);
        raw_write(&log, at, &old, 8);
    }
    test_log_destroy(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_is_found_and_named),
        cmocka_unit_test(the_bad_block_is_named),
        cmocka_unit_test(a_torn_tail_ends_the_log),
        cmocka_unit_test(a_dead_incarnations_leavings_are_not_read),
        cmocka_unit_test(batches_behind_a_lost_one_are_not_read),
        cmocka_unit_test(a_missing_segment_is_damage),
        cmocka_unit_test(a_stray_segment_is_no_harm),
        cmocka_unit_test(a_log_too_short_is_damage),
        cmocka_unit_test(a_log_whose_end_is_known_is_read_no_further),
        cmocka_unit_test(another_stores_log_is_not_read),
        cmocka_unit_test(garbage_is_survived),
    };

    lib_init("wal_damage_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
