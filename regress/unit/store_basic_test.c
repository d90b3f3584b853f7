/*
 * store_basic_test.c - one session: what is committed is there, in this opening and the next; names; limits.
 */
#include "store_testlib.h"

#include "lib/stop.h"

static void committed_objects_are_read_back_and_survive(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    Oid oid = store_oid_alloc();
    assert_true(oid >= OID_FIRST_USER);
    assert_int_equal(test_value(oid), UINT64_MAX);
    assert_int_equal(test_commit(oid, 42, 100, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_value(oid), 42);
    assert_int_equal(test_commit(oid, 43, 10, false, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_value(oid), 43);
    assert_int_equal(store_verify(), 1);
    test_close(true);
    test_open(STORE_SOLO);
    assert_int_equal(test_value(oid), 43);
    assert_true(store_oid_alloc() > oid);
    test_close(false); /* as a crash does */
    test_open(STORE_SOLO);
    assert_int_equal(test_value(oid), 43);
    test_close(true);
    test_remove();
}

static void without_a_checkpoint_the_log_brings_all_back(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    Oid oids[300];
    for (int i = 0; i < 300; i++) {
        oids[i] = store_oid_alloc();
        assert_int_equal(test_commit(oids[i], (uint64_t)i, (uint32_t)i * 7, true, DURABILITY_ASYNC), COMMIT_OK);
    }
    for (int i = 0; i < 300; i += 3)
        assert_int_equal(test_commit(oids[i], (uint64_t)i + 1000, 5, false, DURABILITY_ASYNC), COMMIT_OK);
    store_wait_durable(wal_insert_position(the_store->wal));
    for (int round = 0; round < 3; round++) { /* recovery, and recovery of what was recovered */
        test_close(false);
        test_open(STORE_SOLO);
        for (int i = 0; i < 300; i++)
            assert_int_equal(test_value(oids[i]), i % 3 == 0 ? i + 1000 : i);
        assert_int_equal(store_verify(), 300);
    }
    test_close(true);
    test_remove();
}

static void bodies_of_every_size_come_back(void **state)
{
    (void)state;
    static const uint32_t sizes[] = { 0, 1, 7, 8, 511, 512, 4000, 16200, 16248, 16249, 16300, 16320, 16400, 32000, 32640,
                                      50000, 100000, 300000, 3000000 };
    test_create();
    test_open(STORE_SOLO);
    Oid oids[COUNT_OF(sizes)];
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        oids[i] = store_oid_alloc();
        assert_int_equal(test_commit(oids[i], i, sizes[i], true, DURABILITY_DURABLE), COMMIT_OK);
    }
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(sizes); i++) {
            assert_int_equal(test_value(oids[i]), i);
            assert_int_equal(test_record.nbytes, sizes[i]);
        }
        assert_int_equal(store_verify(), COUNT_OF(sizes));
        test_close(round == 1);
        test_open(STORE_SOLO);
    }
    test_close(true);
    test_remove();
}

static void long_bytes_that_pack_are_packed_and_slots_may_be_many(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    Oid oid = store_oid_alloc();
    uint64_t slots[1000];
    char *text = malloc(20000);
    for (int i = 0; i < 1000; i++)
        slots[i] = SLOT_FROM_OID(7000 + i);
    for (int i = 0; i < 20000; i++)
        text[i] = "lodestone "[i % 10];
    store_commit_begin();
    store_commit_put(&(StorePut){ .oid = oid, .class_id = 77777, .shape = 88888, .format = 255, .flags = 15,
                                  .is_new = true, .nslots = 1000, .nbytes = 20000, .slots = slots, .bytes = text });
    Oid other = store_oid_alloc();
    store_commit_put(&(StorePut){ .oid = other, .nslots = 254, .slots = slots, .is_new = true });
    Oid third = store_oid_alloc();
    store_commit_put(&(StorePut){ .oid = third, .nslots = 255, .slots = slots, .is_new = true });
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    assert_true(store_fetch(oid, &test_record));
    assert_int_equal(test_record.class_id, 77777);
    assert_int_equal(test_record.shape, 88888);
    assert_int_equal(test_record.format, 255);
    assert_int_equal(test_record.flags, 15);
    assert_int_equal(test_record.nslots, 1000);
    assert_memory_equal(test_record.slots, slots, sizeof(slots));
    assert_int_equal(test_record.nbytes, 20000);
    assert_memory_equal(test_record.bytes, text, 20000);
    assert_true(store_fetch(other, &test_record));
    assert_int_equal(test_record.nslots, 254);
    assert_memory_equal(test_record.slots, slots, 254 * 8);
    assert_true(store_fetch(third, &test_record));
    assert_int_equal(test_record.nslots, 255);
    free(text);
    test_close(true);
    test_remove();
}

static void well_known_oids_need_no_allocation(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    assert_int_equal(store_version(1), 0);
    assert_int_equal(test_commit(1, 5, 8, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_commit(65535, 6, 8, true, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_not_equal(store_version(1), 0);
    test_close(false);
    test_open(STORE_SOLO);
    assert_int_equal(test_value(1), 5);
    assert_int_equal(test_value(65535), 6);
    test_close(true);
    test_remove();
}

static void names_are_dense_found_and_survive(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    EncodingId utf8 = store_intern_encoding("UTF-8"), ascii = store_intern_encoding("US-ASCII");
    assert_int_equal(utf8, 1);
    assert_int_equal(ascii, 2);
    for (uint32_t i = 1; i <= 3000; i++) {
        char name[40];
        int n = snprintf(name, sizeof(name), "symbol_number_%u", i);
        assert_int_equal(store_intern_symbol(name, (size_t)n, utf8), i);
        assert_int_equal(store_intern_symbol(name, (size_t)n, utf8), i);
    }
    assert_int_equal(store_intern_symbol("symbol_number_1", 15, ascii), 3001);
    assert_int_equal(store_find_symbol("nowhere", 7, utf8), 0);
    ClassId class_id = store_intern_class(70001);
    ShapeId a = store_intern_shape(0, class_id, 17), b = store_intern_shape(a, class_id, 18);
    assert_int_equal(store_intern_shape(a, class_id, 18), b);
    /* Names never roll back; a commit after them makes them durable. */
    assert_int_equal(test_commit(1, 1, 0, true, DURABILITY_DURABLE), COMMIT_OK);
    for (int round = 0; round < 3; round++) {
        test_close(round == 1);
        test_open(STORE_SOLO);
        size_t length;
        EncodingId encoding;
        assert_memory_equal(store_symbol(2999, &length, &encoding), "symbol_number_2999", 19);
        assert_int_equal(length, 18);
        assert_int_equal(encoding, utf8);
        store_symbol(3001, &length, &encoding);
        assert_int_equal(encoding, ascii);
        assert_int_equal(store_find_symbol("symbol_number_3000", 18, utf8), 3000);
        assert_string_equal(store_encoding(ascii, NULL), "US-ASCII");
        assert_int_equal(store_class_oid(class_id), 70001);
        ShapeId parent;
        ClassId of;
        SymbolId name;
        assert_true(store_shape(b, &parent, &of, &name));
        assert_int_equal(parent, a);
        assert_int_equal(of, class_id);
        assert_int_equal(name, 18);
        assert_int_equal(store_symbol_count(), 3001);
        assert_null(store_symbol(3002, NULL, NULL));
    }
    test_close(true);
    test_remove();
}

static void wrong_use_is_an_error_and_changes_nothing(void **state)
{
    (void)state;
    test_create();
    EXPECT_ERROR(ERR_FILE_EXISTS, store_create(test_dir, NULL));
    EXPECT_ERROR(ERR_NOT_A_STORE, store_open("/nonexistent/store", STORE_SOLO));
    test_open(STORE_SOLO);
    EXPECT_ERROR(ERR_NO_TRANSACTION, store_commit_put(&(StorePut){ .oid = 1 }));
    store_commit_begin();
    EXPECT_ERROR(ERR_INVALID_ARGUMENT, store_commit_put(&(StorePut){ .oid = 0 }));
    EXPECT_ERROR(ERR_INVALID_ARGUMENT, store_commit_put(&(StorePut){ .oid = UINT64_MAX }));
    test_put(5, 1, 10, true);
    test_put(5, 2, 10, true);
    EXPECT_ERROR(ERR_INVALID_ARGUMENT, store_commit_finish(DURABILITY_DURABLE));
    assert_int_equal(test_value(5), UINT64_MAX);
    assert_int_equal(test_commit(5, 3, 10, true, DURABILITY_DURABLE), COMMIT_OK);
    store_end();
    EXPECT_ERROR(ERR_NO_TRANSACTION, store_fetch(5, &test_record));
    test_close(true);
    test_remove();
}

static void aborted_writes_leave_no_trace(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    for (uint64_t i = 0; i < 50; i++) {
        store_commit_begin();
        test_put(1, i + 500, 3000, false);
        store_commit_abort();
        assert_int_equal(test_commit(2, i, 300, i == 0, DURABILITY_ASYNC), COMMIT_OK);
    }
    assert_int_equal(test_value(1), UINT64_MAX);
    assert_int_equal(test_value(2), 49);
    test_close(true);
    test_remove();
}

static void a_store_larger_than_the_cache_works(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    enum { OBJECTS = 20000 }; /* 20 MB through a cache of 1 MB */
    Oid first = 0;
    for (uint32_t i = 0; i < OBJECTS;) {
        store_commit_begin();
        for (int j = 0; j < 40; j++, i++) {
            Oid oid = store_oid_alloc();
            if (i == 0)
                first = oid;
            test_put(oid, oid, 1000, true);
        }
        assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
    }
    for (uint32_t i = 0; i < OBJECTS; i += 7)
        assert_int_equal(test_value(first + i), first + i);
    for (uint32_t i = 0; i < 500; i++) {
        Oid oid = first + random_below(OBJECTS);
        assert_int_equal(test_commit(oid, test_value(oid), 900, false, DURABILITY_ASYNC), COMMIT_OK);
    }
    assert_int_equal(store_verify(), OBJECTS);
    StoreStats stats;
    store_stats(&stats);
    assert_true(stats.evictions > 1000);
    assert_true(stats.checkpoints > 1);
    store_wait_durable(wal_insert_position(the_store->wal));
    test_close(false);
    test_open(STORE_SOLO);
    assert_int_equal(store_verify(), OBJECTS);
    for (uint32_t i = 0; i < OBJECTS; i += 3)
        assert_int_equal(test_value(first + i), first + i);
    test_close(true);
    test_remove();
}

static void one_commit_larger_than_the_cache_works(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    enum { OBJECTS = 3000 };
    Oid first = 0;
    store_commit_begin();
    for (uint32_t i = 0; i < OBJECTS; i++) {
        Oid oid = store_oid_alloc();
        if (i == 0)
            first = oid;
        test_put(oid, i, i % 100 == 0 ? 40000 : 600, true);
    }
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < OBJECTS; i++)
            assert_int_equal(test_value(first + i), i);
        assert_int_equal(store_verify(), OBJECTS);
        StoreStats stats;
        store_stats(&stats);
        assert_true(stats.extents_bulk > 0);
        test_close(round == 1);
        test_open(STORE_SOLO);
    }
    assert_int_equal(test_commit(first, 9, 50, false, DURABILITY_DURABLE), COMMIT_OK);
    assert_int_equal(test_value(first), 9);
    test_close(true);
    test_remove();
}

static void statistics_can_be_had(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    test_commit(1, 1, 1, true, DURABILITY_DURABLE);
    StoreStats stats;
    store_stats(&stats);
    assert_int_equal(stats.published, 1);
    assert_int_equal(stats.sessions, 1);
    assert_int_equal(stats.commits, 1);
    SessionInfo info[4];
    assert_int_equal(store_sessions(info, 4), 1);
    assert_int_equal(info[0].pid, getpid());
    test_close(true);
    test_remove();
}

static void create_there(void)
{
    store_create(test_dir, NULL);
}

static void a_creation_cut_short_is_no_store_and_can_be_made_again(void **state)
{
    (void)state;
    char *dir = unit_directory();
    snprintf(test_dir, sizeof(test_dir), "%s", dir);
    test_configure();
    stop_arm(STOP_STORE_CREATE, STOP_KILL, 1, false, 0);
    assert_int_equal(unit_child_status(create_there), 128 + SIGKILL);
    stop_disarm_all();
    stop_arm(STOP_WAL_SEGMENT_MADE, STOP_KILL, 2, false, 0);
    assert_int_equal(unit_child_status(create_there), 128 + SIGKILL);
    stop_disarm_all();
    assert_false(store_exists(test_dir));
    EXPECT_ERROR(ERR_NOT_A_STORE, store_open(test_dir, STORE_SOLO));
    store_create(test_dir, NULL);
    assert_true(store_exists(test_dir));
    test_open(STORE_SOLO);
    assert_int_equal(test_commit(1, 1, 1, true, DURABILITY_DURABLE), COMMIT_OK);
    test_close(true);
    /* A folder with someone's things in it is left alone. */
    char path[700];
    snprintf(path, sizeof(path), "%s/control", test_dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/letters.txt", test_dir);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    EXPECT_ERROR(ERR_FILE_EXISTS, store_create(test_dir, NULL));
    test_remove();
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(committed_objects_are_read_back_and_survive),
        cmocka_unit_test(without_a_checkpoint_the_log_brings_all_back),
        cmocka_unit_test(bodies_of_every_size_come_back),
        cmocka_unit_test(long_bytes_that_pack_are_packed_and_slots_may_be_many),
        cmocka_unit_test(well_known_oids_need_no_allocation),
        cmocka_unit_test(names_are_dense_found_and_survive),
        cmocka_unit_test(wrong_use_is_an_error_and_changes_nothing),
        cmocka_unit_test(aborted_writes_leave_no_trace),
        cmocka_unit_test(a_store_larger_than_the_cache_works),
        cmocka_unit_test(one_commit_larger_than_the_cache_works),
        cmocka_unit_test(statistics_can_be_had),
        cmocka_unit_test(a_creation_cut_short_is_no_store_and_can_be_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
