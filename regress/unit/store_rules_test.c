/*
 * store_rules_test.c - rules that only an interleaving, or a look at what reaches the disk, can show broken.
 */
#include "store_testlib.h"

#include "lib/stop.h"
#include "storage/control.h"
#include "storage/page/format.h"
#include "storage/page/space.h"

static void setup(StoreMode mode)
{
    test_create();
    test_open(mode);
}

static void put_many(Oid first, int n, uint64_t value, uint32_t bytes)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(test_commit(first + (Oid)i, value, bytes, true, DURABILITY_ASYNC), COMMIT_OK);
}

/* ---- readers against eviction --------------------------------------------------------------------------------- */

static void read_one(void)
{
    store_record_init(&test_record, memctx_top()); /* a small buffer: a long body takes more than one copy */
    if (test_value(5) != 55)
        _exit(7);
}

static void a_reader_overtaken_by_eviction_begins_again(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    assert_int_equal(test_commit(5, 55, 3000, true, DURABILITY_DURABLE), COMMIT_OK);
    put_many(1000, 300, 1, 12000); /* 3.6 MB, through 1 MB of cache */
    store_checkpoint_now();
    /* Paused at its first copy (the header and some of the body), then at a later one (the rest). */
    for (uint64_t nth = 1; nth <= 2; nth++) {
        stop_arm(STOP_PAGE_COPY, STOP_PAUSE, nth, false, 0);
        pid_t pid = test_start_session(read_one);
        assert_true(stop_wait_paused(STOP_PAGE_COPY, UNIT_PATIENCE_MS));
        for (Oid i = 0; i < 300; i++)
            assert_int_equal(test_value(1000 + i), 1);
        stop_release(STOP_PAGE_COPY);
        assert_int_equal(test_wait_for(pid), 0);
    }
    test_close(true);
    test_remove();
}

/* ---- what reaches the disk, and when ---------------------------------------------------------------------------- */

static struct {
    bool on, unsynced;
    uint32_t period;    /* counts writes of the control file */
    uint8_t *data;      /* page -> data was written there */
    uint8_t *referred;  /* page -> the checkpoint in force refers to it */
    uint64_t newest[PAGE_CATALOGUE + 1][4096]; /* kind, logical number -> where it was last written */
    uint64_t pages, early, again, unsafe;
} seen;

static void look(const IoEvent *ev, void *arg)
{
    (void)arg;
    if (!seen.on || ev->path == NULL)
        return;
    if (strstr(ev->path, "base/pages") != NULL) {
        if (ev->op == IO_OP_fdatasync)
            seen.unsynced = false;
        if (ev->op != IO_OP_pwrite || ev->len != PAGE_BYTES)
            return;
        uint64_t page = (uint64_t)ev->off / PAGE_BYTES;
        const PageHeader *h = ev->data;
        seen.unsynced = true;
        seen.pages++;
        seen.early += h->lsn > wal_durable_position(the_store->wal);
        seen.again += seen.data[page] || seen.referred[page];
        if (h->kind == PAGE_DATA || h->kind == PAGE_RUN)
            seen.data[page] = 1;
        else
            seen.newest[h->kind][(h->logical >> 32) * 512 + (h->logical & 0xfff)] = page;
    } else if (strstr(ev->path, "/control") != NULL && ev->op == IO_OP_pwrite) {
        seen.unsafe += seen.unsynced;
        seen.period++;
        memset(seen.referred, 0, (size_t)(conf.max_store_size / PAGE_BYTES));
        for (size_t kind = 0; kind < COUNT_OF(seen.newest); kind++)
            for (size_t i = 0; i < COUNT_OF(seen.newest[0]); i++)
                seen.referred[seen.newest[kind][i]] = seen.newest[kind][i] != 0;
    }
}

static void pages_are_written_once_after_their_log_and_synced_before_control(void **state)
{
    (void)state;
    test_create();
    seen.data = calloc((size_t)(conf.max_store_size / PAGE_BYTES), 1);
    seen.referred = calloc((size_t)(conf.max_store_size / PAGE_BYTES), 1);
    io_faults_enable();
    io_observe(look, NULL);
    test_open(STORE_SOLO);
    seen.on = true;
    for (uint64_t i = 0; i < 6000; i++) {
        Oid oid = 1 + hash_u64(i) % 60000; /* 59 pages of the table, in a cache of 64 */
        store_begin();
        assert_int_equal(test_commit(oid, i, 200, false, DURABILITY_ASYNC), COMMIT_OK);
        if (i % 1000 == 999)
            store_checkpoint_now();
    }
    test_close(true);
    seen.on = false;
    io_faults_disable();
    assert_true(seen.pages > 500);
    assert_true(seen.period > 5);
    assert_int_equal(seen.early, 0);
    assert_int_equal(seen.again, 0);
    assert_int_equal(seen.unsafe, 0);
    free(seen.data);
    free(seen.referred);
    test_open(STORE_SOLO);
    store_verify();
    test_close(true);
    test_remove();
}

/* ---- aborts ---------------------------------------------------------------------------------------------------------- */

/* Every record below the fill mark is committed, nothing stands above. */
static void check_open_pages(void)
{
    for (uint32_t f = 0; f < the_store->shared->frames; f++) {
        uint64_t w = atomic_load(&the_store->frames[f].word);
        const PageHeader *h = (const PageHeader *)frame_page(f);
        if ((w & FRAME_STATE) != FRAME_VALID || h->kind != PAGE_DATA || h->run != 1)
            continue;
        uint32_t at = PAGE_HEADER;
        while (at < h->fill) {
            const RecordHeader *r = (const RecordHeader *)(frame_page(f) + at);
            assert_true(RECORD_SEQUENCE(r) != 0);
            at += RECORD_BYTES(r->length);
        }
        assert_int_equal(at, h->fill);
        for (; at < PAGE_BYTES; at++)
            assert_int_equal(frame_page(f)[at], 0);
    }
}

static void an_abort_moves_the_fill_mark_back(void **state)
{
    (void)state;
    setup(STORE_SOLO);
    for (uint64_t i = 0; i < 40; i++) {
        stop_arm(STOP_COMMIT_SECURED, STOP_ERROR, 1, false, 0);
        store_commit_begin();
        test_put(2, i, 700, false);
        test_put(3, i, 20000, false);
        EXPECT_ERROR(ERR_INJECTED, store_commit_finish(DURABILITY_DURABLE));
        stop_disarm_all();
        check_open_pages();
        store_begin();
        assert_int_equal(test_commit(1, i, 300, i == 0, DURABILITY_ASYNC), COMMIT_OK);
        check_open_pages();
    }
    assert_int_equal(test_value(2), UINT64_MAX);
    assert_int_equal(test_value(1), 39);
    assert_int_equal(cache_pinned(), 0);
    test_close(true);
    test_remove();
}

/* ---- commits against commits ----------------------------------------------------------------------------------------- */

static void commit_two(void)
{
    store_commit_begin();
    test_put(1, 9, 30, false);
    test_put(2, 9, 30, false);
    if (store_commit_finish(DURABILITY_DURABLE).status != COMMIT_CONFLICT)
        _exit(5);
    store_begin();
    if (test_value(1) != 11 || test_value(2) != 20)
        _exit(6);
}

static void a_conflict_met_at_the_last_moment_undoes_all(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    assert_int_equal(test_commit(1, 10, 30, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_commit(2, 20, 30, true, DURABILITY_DURABLE), COMMIT_OK);
    stop_arm(STOP_COMMIT_SECURED, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(commit_two);
    assert_true(stop_wait_paused(STOP_COMMIT_SECURED, UNIT_PATIENCE_MS));
    assert_int_equal(test_commit(1, 11, 30, false, DURABILITY_DURABLE), COMMIT_OK);
    stop_release(STOP_COMMIT_SECURED);
    assert_int_equal(test_wait_for(pid), 0);
    store_begin();
    assert_int_equal(test_value(1), 11);
    assert_int_equal(test_value(2), 20);
    test_close(true);
    test_remove();
}

static void commit_first(void)
{
    if (test_commit(3, 1, 10, true, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
}

static void commit_second(void)
{
    if (test_commit(4, 1, 10, true, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
    if (test_value(3) != 1) /* who returns sees all before */
        _exit(6);
}

static void a_sequence_is_published_after_all_before_it(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    Sequence before = store_published_seq();
    stop_arm(STOP_COMMIT_LOGGED, STOP_PAUSE, 1, false, 0);
    pid_t first = test_start_session(commit_first);
    assert_true(stop_wait_paused(STOP_COMMIT_LOGGED, UNIT_PATIENCE_MS));
    pid_t second = test_start_session(commit_second);
    while (atomic_load(&the_store->shared->done[(before + 2) % DONE_SLOTS].sequence) != before + 2)
        usleep(5000);
    usleep(20000);
    assert_int_equal(store_published_seq(), before);
    assert_int_equal(store_begin(), before);
    assert_int_equal(test_value(4), UINT64_MAX);
    stop_release(STOP_COMMIT_LOGGED);
    assert_int_equal(test_wait_for(first), 0);
    assert_int_equal(test_wait_for(second), 0);
    assert_int_equal(store_begin(), before + 2);
    assert_int_equal(test_value(3), 1);
    assert_int_equal(test_value(4), 1);
    test_close(true);
    test_remove();
}

/* ---- checkpoints against commits ----------------------------------------------------------------------------------- */

static void commit_in_bulk(void)
{
    store_commit_begin();
    for (Oid oid = 100; oid < 400; oid++)
        test_put(oid, 8, 900, true);
    if (store_commit_finish(DURABILITY_DURABLE).status != COMMIT_OK)
        _exit(5);
}

static void a_checkpoint_in_mid_commit_loses_nothing(void **state)
{
    (void)state;
    static const StopEvent events[] = { STOP_BULK_PAGE, STOP_BULK_PREPARED, STOP_COMMIT_SECURED, STOP_COMMIT_LOCKED,
                                        STOP_COMMIT_PLACED, STOP_COMMIT_LOGGED, STOP_COMMIT_STAMPED,
                                        STOP_COMMIT_INSTALLED };
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        setup(STORE_POSTMASTER);
        assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
        stop_arm(events[i], STOP_PAUSE, 1, false, 0);
        pid_t pid = test_start_session(commit_in_bulk);
        assert_true(stop_wait_paused(events[i], UNIT_PATIENCE_MS));
        if (events[i] != STOP_COMMIT_PLACED) { /* a hole in the log: no checkpoint can pass it */
            store_checkpoint_now();
            store_checkpoint_now();
        }
        stop_release(events[i]);
        assert_int_equal(test_wait_for(pid), 0); /* acknowledged */
        test_close(false);
        test_open(STORE_POSTMASTER);
        for (Oid oid = 100; oid < 400; oid++)
            assert_int_equal(test_value(oid), 8);
        store_verify();
        test_close(true);
        test_remove();
    }
}

/* ---- dead extents ------------------------------------------------------------------------------------------------- */

static CommitStatus bulk_of(Oid first, uint64_t value)
{
    store_begin();
    store_commit_begin();
    for (Oid oid = first; oid < first + 300; oid++)
        test_put(oid, value, 900, false);
    return store_commit_finish(DURABILITY_DURABLE).status;
}

static void a_dead_extent_rests_while_another_holds_the_redo_point_back(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    stop_arm(STOP_BULK_PAGE, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(commit_in_bulk); /* its lower bound stays */
    assert_true(stop_wait_paused(STOP_BULK_PAGE, UNIT_PATIENCE_MS));
    stop_arm(STOP_COMMIT_SECURED, STOP_ERROR, 1, false, 0);
    EXPECT_ERROR(ERR_INJECTED, bulk_of(1000, 1)); /* its extents die */
    stop_disarm(STOP_COMMIT_SECURED);
    for (int i = 0; i < 4; i++) {
        store_checkpoint_now();
        assert_int_equal(bulk_of(1000 + (Oid)i * 300, 3), COMMIT_OK);
    }
    store_checkpoint_now();
    kill(pid, SIGKILL);
    assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
    stop_disarm_all();
    test_close(false);
    test_open(STORE_POSTMASTER);
    for (Oid oid = 1000; oid < 2200; oid++)
        assert_int_equal(test_value(oid), 3);
    store_verify();
    test_close(true);
    test_remove();
}

static void extents_that_change_hands_are_redone_as_they_were(void **state)
{
    (void)state;
    setup(STORE_SOLO);
    for (uint64_t round = 0; round < 25; round++) {
        /* Table pages are written again and again: their old extents become free and are taken for data. */
        for (int j = 0; j < 3; j++) {
            for (uint64_t i = 0; i < 59; i++) {
                store_begin();
                assert_int_equal(test_commit(1 + i * 1020, round, 100, false, DURABILITY_ASYNC), COMMIT_OK);
            }
            store_checkpoint_now();
        }
        for (uint64_t i = 0; i < 3; i++)
            assert_int_equal(bulk_of(100 + (round * 3 + i) * 300, round), COMMIT_OK);
        test_close(false);
        test_open(STORE_SOLO);
        store_verify();
    }
    for (uint64_t i = 0; i < 75 * 300; i++)
        if ((100 + i) % 1020 != 1)
            assert_int_equal(test_value(100 + i), i / 900);
    test_close(true);
    test_remove();
}

static void commit_some(void)
{
    store_commit_begin();
    for (Oid oid = 100; oid < 400; oid++)
        test_put(oid, 8, 50, true);
    if (store_commit_finish(DURABILITY_DURABLE).status != COMMIT_OK)
        _exit(5);
}

static void checkpoint_now(void)
{
    store_checkpoint_now();
}

static void what_was_locked_when_a_page_was_written_is_free_after_a_crash(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    assert_int_equal(test_commit(1, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_commit(150, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    /* Had the commit begun before the checkpoint, that would wait for its open page. */
    stop_arm(STOP_CHECKPOINT_SEALED, STOP_PAUSE, 1, false, 0);
    pid_t checkpointer = test_start_session(checkpoint_now);
    assert_true(stop_wait_paused(STOP_CHECKPOINT_SEALED, UNIT_PATIENCE_MS));
    stop_arm(STOP_COMMIT_LOCKED, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(commit_some);
    assert_true(stop_wait_paused(STOP_COMMIT_LOCKED, UNIT_PATIENCE_MS));
    stop_release(STOP_CHECKPOINT_SEALED);
    assert_int_equal(test_wait_for(checkpointer), 0);
    kill(pid, SIGKILL);
    assert_int_equal(test_wait_for(pid), 128 + SIGKILL);
    stop_disarm_all();
    assert_true(store_process_was_critical(pid));
    test_close(false);
    test_open(STORE_POSTMASTER);
    store_verify();
    assert_int_equal(test_commit(150, 2, 10, false, DURABILITY_DURABLE), COMMIT_OK);
    test_close(true);
    test_remove();
}

static void commit_small(void)
{
    if (test_commit(7, 70, 100, true, DURABILITY_DURABLE) != COMMIT_OK)
        _exit(5);
}

static void a_checkpoint_waits_for_a_page_in_mid_commit(void **state)
{
    (void)state;
    setup(STORE_POSTMASTER);
    stop_arm(STOP_COMMIT_SECURED, STOP_PAUSE, 1, false, 0);
    pid_t pid = test_start_session(commit_small);
    assert_true(stop_wait_paused(STOP_COMMIT_SECURED, UNIT_PATIENCE_MS));
    stop_arm(STOP_CHECKPOINT_WAITS_FOR_SEAL, STOP_PAUSE, 1, false, 0);
    fflush(NULL);
    pid_t checkpointer = fork();
    if (checkpointer == 0) {
        lib_after_fork("checkpointer");
        store_checkpoint_now();
        _exit(0);
    }
    assert_true(stop_wait_paused(STOP_CHECKPOINT_WAITS_FOR_SEAL, UNIT_PATIENCE_MS));
    stop_release(STOP_CHECKPOINT_WAITS_FOR_SEAL);
    stop_release(STOP_COMMIT_SECURED);
    assert_int_equal(test_wait_for(pid), 0);
    assert_int_equal(test_wait_for(checkpointer), 0);
    /* The commit's record lies after the redo point, its page's opening before: the page must be whole on disk. */
    test_close(false);
    test_open(STORE_POSTMASTER);
    assert_int_equal(test_value(7), 70);
    store_verify();
    test_close(true);
    test_remove();
}

/* ---- the extent map grows by a page while it is captured ---------------------------------------------------------------- */

static bool grown;

static int lengthen_only(int fd, int mode, off_t off, off_t len)
{
    return mode == 0 ? ftruncate(fd, off + len) : 0; /* half a gigabyte that nobody writes */
}

static void grow_the_map(const IoEvent *ev, void *arg)
{
    (void)arg;
    if (!grown && ev->op == IO_OP_pwrite && ev->len == PAGE_BYTES && ev->path != NULL &&
        strstr(ev->path, "base/pages") != NULL && ((const PageHeader *)ev->data)->kind == PAGE_EXTENTS) {
        grown = true;
        space_extend(EXTENTS_PER_PAGE);
    }
}

static void a_checkpoint_that_sees_the_store_grow_can_be_opened(void **state)
{
    (void)state;
    test_create();
    io_faults_enable(); /* before the file is opened: the observer knows its name */
    test_open(STORE_SOLO);
    assert_int_equal(test_commit(7, 70, 100, true, DURABILITY_DURABLE), COMMIT_OK);
    io.fallocate = lengthen_only;
    io_observe(grow_the_map, NULL);
    store_checkpoint_now();
    assert_true(grown);
    io_faults_disable();
    test_close(false);
    test_open(STORE_SOLO);
    assert_int_equal(test_value(7), 70);
    store_verify();
    test_close(true);
    test_open(STORE_SOLO);
    assert_int_equal(test_value(7), 70);
    test_close(true);
    test_remove();
}

/* ---- a slot of the control file that was written by one who died before he flushed it ---------------------------------- */

static struct {
    bool flushed;
    unsigned writes, before;
} opening;

static void look_at_opening(const IoEvent *ev, void *arg)
{
    (void)arg;
    if (ev->path == NULL)
        return;
    if (strstr(ev->path, "/control") != NULL && ev->op == IO_OP_fdatasync)
        opening.flushed = true;
    if (ev->op == IO_OP_pwrite) {
        opening.writes++;
        opening.before += !opening.flushed;
    }
}

static void an_opening_flushes_what_it_stands_on_before_it_writes(void **state)
{
    (void)state;
    setup(STORE_SOLO);
    assert_int_equal(test_commit(200, 1, 300, true, DURABILITY_DURABLE), COMMIT_OK);
    test_close(false);
    io_faults_enable();
    io_observe(look_at_opening, NULL);
    test_open(STORE_SOLO);
    io_faults_disable();
    assert_true(opening.writes > 0);
    assert_int_equal(opening.before, 0);
    assert_int_equal(test_value(200), 1);
    test_close(true);
    test_remove();
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_overtaken_by_eviction_begins_again),
        cmocka_unit_test(pages_are_written_once_after_their_log_and_synced_before_control),
        cmocka_unit_test(an_abort_moves_the_fill_mark_back),
        cmocka_unit_test(a_conflict_met_at_the_last_moment_undoes_all),
        cmocka_unit_test(a_sequence_is_published_after_all_before_it),
        cmocka_unit_test(a_checkpoint_in_mid_commit_loses_nothing),
        cmocka_unit_test(a_dead_extent_rests_while_another_holds_the_redo_point_back),
        cmocka_unit_test(extents_that_change_hands_are_redone_as_they_were),
        cmocka_unit_test(what_was_locked_when_a_page_was_written_is_free_after_a_crash),
        cmocka_unit_test(a_checkpoint_waits_for_a_page_in_mid_commit),
        cmocka_unit_test(a_checkpoint_that_sees_the_store_grow_can_be_opened),
        cmocka_unit_test(an_opening_flushes_what_it_stands_on_before_it_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
