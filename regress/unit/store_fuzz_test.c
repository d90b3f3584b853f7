/*
 * store_fuzz_test.c - lies with good checksums: bytes of log records, pages and control slots are changed and their
 * checksums made right again, so that what checks content is all that stands between them and the program.  The store may
 * refuse with an error or go on; it may not crash, hang, or leave an assertion broken.
 *
 * LODE_FUZZ: how many lies (150 by itself, 5,000 with LODE_WORLD); LODE_SEED: where to begin.
 */
#include "store_testlib.h"

#include "storage/control.h"
#include "storage/wal/wal_private.h"

typedef struct Place {
    Lsn lsn;
    uint32_t length;
} Place;

static Place records[4000];
static unsigned record_count;
static char template_dir[600], lie_dir[600];

static void fill_store(void)
{
    test_create();
    conf.checkpoint_wal_size = 1 * GB;
    test_open(STORE_SOLO);
    for (uint64_t n = 1; n <= 60; n++) {
        char name[40];

        store_commit_begin();
        for (Oid oid = 100; oid < 105; oid++)
            test_put(oid + n % 7 * 5, n, (uint32_t)(n * 37 % 900), false);
        if (n % 20 == 0)
            test_put(90 + n / 20, n, 50000, false); /* more than a page; */
        if (n % 29 == 0)
            test_put(80, n, 200000, false); /* and more than an ordinary commit */
        test_put(store_oid_alloc(), n, 20, true);
        store_commit_finish(DURABILITY_DURABLE);
        snprintf(name, sizeof(name), "name%d", (int)n);
        store_intern_symbol(name, strlen(name), store_intern_encoding("UTF-8"));
        if (n == 25)
            store_checkpoint_now();
    }
    test_close(false);
}

static void note_record(const WalRecord *record, void *context)
{
    (void)context;
    if (record_count < COUNT_OF(records))
        records[record_count++] = (Place){record->lsn, record->length};
}

/* Where the records of the log stand. */
static void find_records(Control *control)
{
    char wal_dir[700];
    WalConfig config = {.directory = wal_dir,
                        .segment_size = control->wal_segment_size,
                        .ring_size = 256 << 10,
                        .solo = true,
                        .store_id = control->store_id};
    WalRecovery recovery = {.redo = control->redo, .incarnation = control->incarnation};
    void *shared = unit_shared(wal_shared_size(&config));
    Wal *wal;

    snprintf(wal_dir, sizeof(wal_dir), "%s/wal", template_dir);
    wal = wal_open(memctx_top(), &config, shared);
    wal_recover(wal, &recovery, note_record, NULL);
    wal_close(wal);
    munmap(shared, wal_shared_size(&config));
}

/* A word that is likely to be taken for something else. */
static uint64_t interesting(uint64_t old)
{
    static const uint64_t WORDS[] = {0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, UINT64_MAX, UINT64_MAX / 2,
                                     1ull << 32, 1ull << 40, 64, 16384, 16383};

    switch (random_below(5)) {
    case 0:
        return WORDS[random_below(COUNT_OF(WORDS))];
    case 1:
        return old + random_below(9) - 4;
    case 2:
        return old ^ (UINT64_C(1) << random_below(64));
    case 3:
        return random_u64() >> random_below(64);
    default:
        return old * 2;
    }
}

static void lie_in(uint8_t *bytes, size_t n)
{
    for (uint64_t i = 1 + random_below(3); i > 0 && n > 0; i--) {
        size_t width = (size_t)1 << random_below(4), at = random_below(n);
        uint64_t word = 0;

        at = at / width * width;
        width = MIN(width, n - at);
        memcpy(&word, bytes + at, width);
        word = interesting(word);
        memcpy(bytes + at, &word, width);
    }
}

static int open_in(const char *name)
{
    char path[700];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", lie_dir, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    return fd;
}

static void lie_in_log(const Control *control)
{
    Place place = records[random_below(record_count)];
    char name[64];
    Lsn segment = place.lsn & ~((Lsn)control->wal_segment_size - 1);
    uint64_t whole = wal_record_bytes(place.length);
    uint8_t *bytes = malloc(whole);
    WalHeader *header = (WalHeader *)bytes;
    int fd;

    snprintf(name, sizeof(name), "wal/%016" PRIX64 ".wal", segment);
    fd = open_in(name);
    if (pread(fd, bytes, whole, (off_t)(place.lsn - segment)) == (ssize_t)whole) { /* else it crosses segments */
        if (random_below(8) == 0)
            header->kind = (uint16_t)(random_below(40));
        else if (random_below(8) == 0)
            header->sequence = interesting(header->sequence);
        else /* mostly near the start: what counts is there */
            lie_in(bytes + sizeof(*header), random_below(2) ? MIN(place.length, 96u) : place.length);
        header->checksum = wal_record_checksum(control->store_id, place.lsn, header, header->length, header + 1,
                                               whole - sizeof(*header), NULL, 0);
        assert_int_equal(pwrite(fd, bytes, whole, (off_t)(place.lsn - segment)), whole);
    }
    close(fd);
    free(bytes);
}

static void lie_in_page(const Control *control)
{
    static uint8_t page[PAGE_BYTES];
    int fd = open_in("base/pages");
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    for (int tries = 0; tries < 1000; tries++) {
        PageNo place = random_below((uint64_t)st.st_size / PAGE_BYTES);
        PageHeader *header = (PageHeader *)page;

        if (pread(fd, page, PAGE_BYTES, (off_t)(place * PAGE_BYTES)) != PAGE_BYTES || header->kind == PAGE_NONE)
            continue;
        lie_in(page + 24, random_below(2) ? 200 : random_below(3) ? MIN(MAX(header->fill, 64u), (uint32_t)PAGE_BYTES) - 24 : PAGE_PAYLOAD);
        page_finish(page, place, control->store_id);
        assert_int_equal(pwrite(fd, page, PAGE_BYTES, (off_t)(place * PAGE_BYTES)), PAGE_BYTES);
        break;
    }
    close(fd);
}

static void lie_in_control(void)
{
    int fd = open_in("control");
    off_t at = random_below(2) ? 4096 : 0;
    Control control;

    if (pread(fd, &control, sizeof(control), at) == sizeof(control)) {
        lie_in((uint8_t *)&control + 40, 128 - 40);
        control.crc = crc32c(0, (uint8_t *)&control + 4, sizeof(control) - 4);
        assert_int_equal(pwrite(fd, &control, sizeof(control), at), sizeof(control));
    }
    close(fd);
}

/* In a child: whatever comes, an error or not. */
static void use_store(void)
{
    unit_limit_time();
    setrlimit(RLIMIT_AS, &(struct rlimit){(rlim_t)8 << 30, (rlim_t)8 << 30});
    TRY()
    {
        StoreRecord record;
        MemoryContext *context = memctx_create(NULL, "fuzz");

        store_record_init(&record, context);
        store_open(lie_dir, STORE_SOLO);
        store_session_attach();
        store_begin();
        for (Oid oid = 80; oid < 140; oid++) {
            TRY()
            {
                store_fetch(oid, &record);
            }
            CATCH(err)
            {
                assert_true(err->message[0] != 0);
            }
            END_TRY();
        }
        TRY()
        {
            store_verify();
        }
        CATCH(err)
        {
            assert_true(err->message[0] != 0);
        }
        END_TRY();
        for (uint64_t n = 0; n < 5; n++) {
            store_commit_begin();
            test_put(100 + n, n, 500, false);
            store_commit_finish(DURABILITY_DURABLE);
            store_begin();
        }
        store_checkpoint_now();
        store_close(store_current(), true);
    }
    CATCH(err)
    {
        if (getenv("LODE_LOUD"))
            dprintf(1, "%s\n", err->message);
    }
    END_TRY();
}

static void lies_with_good_checksums_do_no_harm(void **state)
{
    const char *many = getenv("LODE_FUZZ"), *world = getenv("LODE_WORLD"), *one = getenv("LODE_SEED");
    uint64_t count = many ? strtoull(many, NULL, 10) : world && *world ? 5000 : 150;
    uint64_t first = one ? strtoull(one, NULL, 10) : 0, bad = 0;
    Control control;
    char command[2000];
    (void)state;

    fill_store();
    snprintf(template_dir, sizeof(template_dir), "%s", test_dir);
    snprintf(lie_dir, sizeof(lie_dir), "%s.lie", test_dir);
    control_read(template_dir, &control);
    find_records(&control);
    assert_true(record_count > 50);
    for (uint64_t seed = first; seed < first + count; seed++) {
        int status;

        random_seed(seed + 1);
        snprintf(command, sizeof(command), "rm -rf '%s' && cp -r --sparse=always '%s' '%s'", lie_dir, template_dir, lie_dir);
        assert_int_equal(system(command), 0);
        switch (random_below(8)) {
        case 0:
            lie_in_control();
            break;
        case 1:
        case 2:
        case 3:
            lie_in_page(&control);
            break;
        default:
            lie_in_log(&control);
            break;
        }
        status = getenv("LODE_INLINE") ? (use_store(), 0) : unit_child_status(use_store);
        if (status != 0 && status != 1) { /* 1: FATAL, with its message */
            print_message("seed %llu: status %d\n", (unsigned long long)seed, status);
            if (++bad >= 10)
                break;
        }
    }
    unit_remove(lie_dir);
    test_remove();
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_with_good_checksums_do_no_harm),
    };

    unit_start();
    alarm(0); /* how long depends on the count; the runner has the limit */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
