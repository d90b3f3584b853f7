/*
 * store_damage_test.c - damage is found and named, never returned as data; a full disk and failing calls abort what they
 * hit and nothing else.
 */
#include "store_testlib.h"

#include "storage/control.h"
#include "storage/page/format.h"

static void path_of(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s/%s", test_dir, name);
}

static void flip(const char *name, off_t at)
{
    char path[700];
    uint8_t byte;
    path_of(path, sizeof(path), name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1u << random_below(8));
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    fsync(fd);
    close(fd);
}

/* Opens, reads all, closes; the error's code, or -1.  Values must be right when there is no error. */
static int read_everything(int objects)
{
    volatile int code = -1;
    TRY()
    {
        test_open(STORE_SOLO);
        for (int i = 0; i < objects; i++)
            if (test_value(1 + (Oid)i) != (uint64_t)i)
                fail_msg("object %d is wrong and no one noticed", i);
        store_verify();
    }
    CATCH(err)
    {
        code = (int)err->code;
        memcpy(unit_message, err->message, sizeof(unit_message));
    }
    END_TRY();
    if (store_current() != NULL)
        test_close(false);
    return code;
}

static void fill(int objects)
{
    test_open(STORE_SOLO);
    store_intern_encoding("UTF-8");
    for (int i = 0; i < objects;) {
        store_commit_begin();
        for (int j = 0; j < 10; j++, i++)
            test_put(1 + (Oid)i, (uint64_t)i, 500 + (uint32_t)i * 10, true);
        assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
        store_intern_symbol(&i, sizeof(i), 1);
    }
    test_close(true);
}

static void a_flipped_byte_in_a_page_is_named(void **state)
{
    (void)state;
    enum { OBJECTS = 200 };
    test_create();
    fill(OBJECTS);
    struct stat st;
    char path[700];
    path_of(path, sizeof(path), BASE_PAGES);
    assert_int_equal(stat(path, &st), 0);
    uint64_t pages = (uint64_t)st.st_size / PAGE_BYTES;
    uint8_t *page = aligned_alloc(4096, PAGE_BYTES);
    int fd = open(path, O_RDONLY);
    int kinds[16] = { 0 };
    char saved[1500];
    snprintf(saved, sizeof(saved), "cp -a '%s' '%s.saved'", test_dir, test_dir);
    assert_int_equal(system(saved), 0);
    int tried = 0;
    for (uint64_t p = EXTENT_PAGES; p < pages && tried < 120; p++) {
        assert_int_equal(pread(fd, page, PAGE_BYTES, (off_t)(p * PAGE_BYTES)), PAGE_BYTES);
        PageHeader *h = (PageHeader *)page;
        if (h->version != FORMAT_VERSION || h->kind > PAGE_CATALOGUE || h->kind == PAGE_NONE)
            continue;
        tried++;
        kinds[h->kind]++;
        off_t at = (off_t)(p * PAGE_BYTES + random_below(PAGE_BYTES));
        flip(BASE_PAGES, at);
        int code = read_everything(OBJECTS);
        /* A page that nothing refers to any more may go unnoticed; read_everything() has seen to it that all is right. */
        if (code != -1) {
            if (code != ERR_CORRUPT_PAGE)
                fail_msg("page %llu: %s", (unsigned long long)p, unit_message);
            char number[32];
            snprintf(number, sizeof(number), "page %llu ", (unsigned long long)p);
            assert_non_null(strstr(unit_message, number));
            assert_non_null(strstr(unit_message, BASE_PAGES));
        } else {
            assert_true(h->kind != PAGE_DATA && h->kind != PAGE_RUN);
        }
        char restore[1500];
        snprintf(restore, sizeof(restore), "cp -a '%s.saved/.' '%s/'", test_dir, test_dir);
        assert_int_equal(system(restore), 0);
    }
    close(fd);
    free(page);
    assert_true(kinds[PAGE_DATA] > 5 && kinds[PAGE_TABLE] > 0 && kinds[PAGE_ROOT] > 0 && kinds[PAGE_EXTENTS] > 0 &&
                kinds[PAGE_CATALOGUE] > 0 && kinds[PAGE_DIRECTORY] > 0);
    snprintf(saved, sizeof(saved), "%s.saved", test_dir);
    unit_remove(saved);
    test_remove();
}

/* How many instances of class 7 a scan lists; -1: it is refused. */
static int scan_instances(void)
{
    static Oid oids[1024];
    volatile int total = 0;
    TRY()
    {
        StoreScan *scan = store_scan_begin((uint32_t[]){ 7 }, 1, test_context);
        for (size_t got; (got = store_scan_next(scan, oids, 1024)) > 0;)
            total += (int)got;
        store_scan_end(scan);
    }
    CATCH(err)
    {
        assert_int_equal(err->code, ERR_CORRUPT_PAGE);
        memcpy(unit_message, err->message, sizeof(unit_message));
        total = -1;
    }
    END_TRY();
    return total;
}

/* Those of ordinary commits and of a bulk commit, which read differently; pages that a bulk commit never filled hold
 * what the disk has had there. */
static void a_scan_names_a_damaged_page_and_lists_all_otherwise(void **state)
{
    (void)state;
    enum { OBJECTS = 6000 };
    test_create();
    test_open(STORE_SOLO);
    for (uint32_t i = 1; i <= 7; i++)
        assert_int_equal(store_intern_class(OID_FIRST_USER + i), i);
    uint64_t body[40] = { 0 };
    store_commit_begin();
    for (int i = 0; i < OBJECTS; i++)
        store_commit_put(&(StorePut){ .oid = 1000 + (Oid)i, .class_id = 7, .is_new = true, .nslots = 40, .slots = body });
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    StoreStats stats;
    store_stats(&stats);
    assert_int_equal(stats.bulk_commits, 1);
    test_close(true);
    char path[700];
    path_of(path, sizeof(path), BASE_PAGES);
    int fd = open(path, O_RDWR);
    uint8_t *page = aligned_alloc(4096, PAGE_BYTES);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    off_t data = 0, unfilled = 0; /* one of its last pages, and the one behind the last */
    for (off_t at = EXTENT_PAGES * PAGE_BYTES; at < st.st_size; at += PAGE_BYTES) {
        assert_int_equal(pread(fd, page, PAGE_BYTES, at), PAGE_BYTES);
        const PageHeader *h = (const PageHeader *)page;
        if (h->kind == PAGE_DATA && h->fill > PAGE_BYTES / 2)
            data = at, unfilled = at + 2 * PAGE_BYTES;
    }
    assert_true(data != 0 && (unfilled / PAGE_BYTES) % EXTENT_PAGES > 1);
    memset(page, 0x5a, PAGE_BYTES);
    assert_int_equal(pwrite(fd, page, PAGE_BYTES, unfilled), PAGE_BYTES);
    test_open(STORE_SOLO);
    store_begin();
    assert_int_equal(scan_instances(), OBJECTS);
    test_close(true);
    flip(BASE_PAGES, data + PAGE_BYTES / 3);
    test_open(STORE_SOLO);
    store_begin();
    assert_int_equal(scan_instances(), -1);
    char number[32];
    snprintf(number, sizeof(number), "page %llu ", (unsigned long long)data / PAGE_BYTES);
    assert_non_null(strstr(unit_message, number));
    test_close(false);
    close(fd);
    free(page);
    test_remove();
}

static void every_flipped_byte_of_the_control_file_is_named(void **state)
{
    (void)state;
    test_create();
    fill(10);
    Control control;
    char path[700];
    path_of(path, sizeof(path), "control");
    for (int slot = 0; slot < 2; slot++)
        for (unsigned at = 0; at < sizeof(Control); at += 1 + (unsigned)random_below(5)) {
            uint8_t byte, was;
            int fd = open(path, O_RDWR);
            off_t offset = slot * CONTROL_SLOT_OFFSET + (off_t)at;
            assert_int_equal(pread(fd, &was, 1, offset), 1);
            byte = was ^ 0x10;
            assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
            EXPECT_ERROR(ERR_CORRUPT_CONTROL, control_read(test_dir, &control));
            char number[32];
            snprintf(number, sizeof(number), "slot %d ", slot);
            assert_non_null(strstr(unit_message, number));
            assert_int_equal(pwrite(fd, &was, 1, offset), 1);
            close(fd);
        }
    control_read(test_dir, &control);
    /* Another version is told from damage. */
    for (int slot = 0; slot < 2; slot++) {
        uint32_t version = FORMAT_VERSION + 1;
        int fd = open(path, O_RDWR);
        assert_int_equal(pwrite(fd, &version, 4, slot * CONTROL_SLOT_OFFSET + 4), 4);
        close(fd);
    }
    EXPECT_ERROR(ERR_STORE_VERSION, control_read(test_dir, &control));
    test_remove();
}

static void a_page_read_from_the_wrong_place_is_noticed(void **state)
{
    (void)state;
    test_create();
    fill(100);
    /* A data page over its neighbour: whole, but not the one. */
    char path[700];
    uint8_t *page = aligned_alloc(4096, PAGE_BYTES);
    path_of(path, sizeof(path), BASE_PAGES);
    int fd = open(path, O_RDWR);
    int moved = 0;
    for (uint64_t p = EXTENT_PAGES; p < 20 * EXTENT_PAGES && moved == 0; p++) {
        if (pread(fd, page, PAGE_BYTES, (off_t)(p * PAGE_BYTES)) == PAGE_BYTES &&
            ((PageHeader *)page)->kind == PAGE_DATA) {
            assert_int_equal(pwrite(fd, page, PAGE_BYTES, (off_t)((p + 1) * PAGE_BYTES)), PAGE_BYTES);
            moved = 1;
        }
    }
    close(fd);
    free(page);
    assert_int_equal(moved, 1);
    assert_int_equal(read_everything(100), ERR_CORRUPT_PAGE);
    test_remove();
}

/* ---- full disks, failing calls ---------------------------------------------------------------------------------- */

static void a_full_disk_aborts_the_commit_and_nothing_else(void **state)
{
    (void)state;
    test_create();
    conf.max_store_size = 4 * GB;
    test_open(STORE_SOLO);
    uint64_t good = 0;
    for (; good < 20; good++)
        assert_int_equal(test_commit(1 + good, good, 3000, true, DURABILITY_DURABLE), COMMIT_OK);
    io_faults_enable();
    io_fault_set(IO_OP_fallocate, 1, true, IO_FAULT_ERRNO, ENOSPC, NULL);
    volatile bool full = false;
    volatile uint64_t n = good;
    while (!full && n < 5000) {
        TRY()
        {
            assert_int_equal(test_commit(1 + n, n, 12000, true, DURABILITY_DURABLE), COMMIT_OK);
            n++;
        }
        CATCH(err)
        {
            if (err->code != ERR_DISK_FULL)
                fail_msg("a full disk was reported as: %s", err->message);
            full = true;
        }
        END_TRY();
    }
    assert_true(full);
    store_begin();
    assert_int_equal(test_value(1 + n), UINT64_MAX);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(test_value(1 + i), i); /* readable all the while */
    store_checkpoint_now(); /* E4: the reserve */
    for (int i = 0; i < 5; i++)
        store_checkpoint_now();
    io_faults_disable(); /* there is room again */
    store_begin();
    assert_int_equal(test_commit(1 + n, n, 12000, true, DURABILITY_DURABLE), COMMIT_OK);
    store_verify();
    test_close(false);
    test_open(STORE_SOLO);
    for (uint64_t i = 0; i <= n; i++)
        assert_int_equal(test_value(1 + i), i);
    test_close(true);
    test_remove();
}

static void a_full_disk_aborts_a_bulk_commit(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    assert_int_equal(test_commit(1, 1, 3000, true, DURABILITY_DURABLE), COMMIT_OK);
    io_faults_enable();
    io_fault_set(IO_OP_fallocate, 6, true, IO_FAULT_ERRNO, ENOSPC, NULL);
    store_begin();
    store_commit_begin();
    for (Oid oid = 100; oid < 2100; oid++)
        test_put(oid, oid, 8000, true);
    EXPECT_ERROR(ERR_DISK_FULL, store_commit_finish(DURABILITY_DURABLE));
    assert_int_equal(test_value(100), UINT64_MAX);
    assert_int_equal(test_value(1), 1);
    io_faults_disable();
    store_verify();
    store_checkpoint_now();
    store_checkpoint_now(); /* its extents are free again */
    StoreStats before, after;
    store_stats(&before);
    assert_int_equal(before.extents_bulk, 0);
    store_begin();
    store_commit_begin();
    for (Oid oid = 100; oid < 300; oid++)
        test_put(oid, oid, 8000, true);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    store_stats(&after);
    assert_true(after.extents_bulk > 0);
    assert_true(after.extents_total <= before.extents_total + 3);
    for (Oid oid = 100; oid < 300; oid++)
        assert_int_equal(test_value(oid), oid);
    test_close(false);
    test_open(STORE_SOLO);
    for (Oid oid = 100; oid < 300; oid++)
        assert_int_equal(test_value(oid), oid);
    test_close(true);
    test_remove();
}

static void a_read_that_fails_is_an_error_and_can_be_tried_again(void **state)
{
    (void)state;
    test_create();
    fill(300);
    test_open(STORE_SOLO);
    io_faults_enable();
    for (uint64_t nth = 1; nth < 30; nth++) {
        io_fault_set(IO_OP_pread, nth, false, nth % 2 != 0 ? IO_FAULT_ERRNO : IO_FAULT_SHORT, EIO, "base");
        volatile int errors = 0;
        for (Oid i = 0; i < 300; i += 5) {
            TRY()
            {
                assert_int_equal(test_value(1 + (i * 37) % 300), (i * 37) % 300);
            }
            CATCH(err)
            {
                assert_int_equal(err->code, ERR_IO);
                errors++;
            }
            END_TRY();
        }
        assert_true(errors <= 1);
        io_fault_clear();
    }
    io_faults_disable();
    for (Oid i = 0; i < 300; i++)
        assert_int_equal(test_value(1 + i), i);
    store_verify();
    test_close(true);
    test_remove();
}

static void a_failed_write_of_a_page_is_tried_again_later(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    uint64_t n = 0;
    for (uint64_t nth = 1; nth < 25; nth++) {
        for (int i = 0; i < 5; i++, n++)
            assert_int_equal(test_commit(1 + n, n, 3000, true, DURABILITY_ASYNC), COMMIT_OK);
        io_faults_enable();
        io_fault_set(IO_OP_pwrite, nth, false, nth % 2 != 0 ? IO_FAULT_ERRNO : IO_FAULT_TORN, EIO, "base");
        TRY()
        {
            store_checkpoint_now();
        }
        CATCH(err)
        {
            assert_int_equal(err->code, ERR_IO);
        }
        END_TRY();
        io_faults_disable();
        for (uint64_t i = 0; i < n; i += 7)
            assert_int_equal(test_value(1 + i), i);
    }
    store_verify();
    store_wait_durable(wal_insert_position(the_store->wal));
    test_close(false);
    test_open(STORE_SOLO);
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(test_value(1 + i), i);
    test_close(true);
    test_remove();
}

static void memory_may_fail_at_any_allocation(void **state)
{
    (void)state;
    test_create();
    test_open(STORE_SOLO);
    assert_int_equal(test_commit(1, 0, 600, true, DURABILITY_ASYNC), COMMIT_OK);
    volatile uint64_t value = 0;
    volatile bool passed = false;
    for (uint64_t nth = 1; nth < 200 && !passed; nth++) {
        TRY()
        {
            store_begin();
            store_commit_begin();
            mem_fail_at(nth, false);
            for (Oid oid = 1; oid < 200; oid++)
                test_put(oid, value + 1, 3000, false);
            store_commit_finish(DURABILITY_ASYNC);
            passed = true;
        }
        CATCH(err)
        {
            mem_fail_at(0, false);
            assert_int_equal(err->code, ERR_OUT_OF_MEMORY);
            store_commit_abort();
        }
        END_TRY();
        mem_fail_at(0, false);
        if (passed)
            value++;
        store_begin();
        assert_int_equal(test_value(1), value); /* nothing happened, or all */
        store_verify();
    }
    assert_true(passed);
    test_close(true);
    test_remove();
}

int main(void)
{
    unit_start();
    random_seed(4711);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_byte_in_a_page_is_named),
        cmocka_unit_test(a_scan_names_a_damaged_page_and_lists_all_otherwise),
        cmocka_unit_test(every_flipped_byte_of_the_control_file_is_named),
        cmocka_unit_test(a_page_read_from_the_wrong_place_is_noticed),
        cmocka_unit_test(a_full_disk_aborts_the_commit_and_nothing_else),
        cmocka_unit_test(a_full_disk_aborts_a_bulk_commit),
        cmocka_unit_test(a_read_that_fails_is_an_error_and_can_be_tried_again),
        cmocka_unit_test(a_failed_write_of_a_page_is_tried_again_later),
        cmocka_unit_test(memory_may_fail_at_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
