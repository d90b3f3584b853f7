/* lib_io_test.c: whole file operations under every fault, atomic files, the notation of faults, recorders, random. */
#include "regress/unit/unit.h"

static char *directory;

static char *path_to(const char *name)
{
    return mem_printf(memctx_top(), "%s/%s", directory, name);
}

static void write_pattern(const char *path, size_t n)
{
    unsigned char *p = mem_alloc(memctx_top(), n);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)(i * 7);
    int fd = io_open_file(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    io_write_at(fd, path, p, n, 0);
    io_sync_data(fd, path);
    io.close(fd);
    mem_free(p);
}

static void short_operations_are_carried_on(void **state)
{
    (void)state;
    char *path = path_to("short");
    io_faults_enable();
    io_fault_set(IO_OP_pwrite, 1, false, IO_FAULT_SHORT, 0, "short");
    io_fault_set(IO_OP_pwrite, 2, false, IO_FAULT_ERRNO, EINTR, "short");
    write_pattern(path, 100000);
    assert_int_equal(io_faults_struck(), 2);
    io_fault_set(IO_OP_pread, 1, true, IO_FAULT_SHORT, 0, NULL);
    size_t n;
    unsigned char *p = (unsigned char *)io_read_file(memctx_top(), path, &n);
    assert_int_equal(n, 100000);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p[i], (unsigned char)(i * 7));
    io_faults_disable();
    assert_true(io_is_plain());
}

static void every_failure_is_an_error_that_names_the_file(void **state)
{
    (void)state;
    char *path = path_to("named");
    static const struct {
        const char *fault;
        ErrorCode code;
    } cases[] = {
        {"open:1:EACCES", ERR_NO_PERMISSION}, {"pwrite:1:ENOSPC", ERR_DISK_FULL}, {"fdatasync:1:EIO", ERR_IO},
        {"pwrite:1:torn", ERR_IO},            {"pwrite:1:EDQUOT:named", ERR_DISK_FULL},
    };
    for (volatile size_t i = 0; i < COUNT_OF(cases); i++) {
        char message[256];
        assert_true(io_fault_parse(cases[i].fault, message, sizeof message));
        EXPECT_ERROR(cases[i].code, write_pattern(path, 5000));
        assert_non_null(strstr(unit_message, path));
        io_faults_disable();
    }
    write_pattern(path, 5000);
}

static void faults_match_path_and_count(void **state)
{
    (void)state;
    io_faults_enable();
    io_fault_set(IO_OP_pwrite, 2, true, IO_FAULT_ERRNO, EIO, "alpha");
    write_pattern(path_to("beta"), 10);
    write_pattern(path_to("beta"), 10);
    write_pattern(path_to("alpha"), 10);
    EXPECT_ERROR(ERR_IO, write_pattern(path_to("alpha"), 10));
    EXPECT_ERROR(ERR_IO, write_pattern(path_to("alpha"), 10));
    io_faults_disable();
}

static void wrong_notation_is_refused(void **state)
{
    (void)state;
    char message[256];
    assert_false(io_fault_parse("pwrote:1:EIO", message, sizeof message));
    assert_string_equal(message, "unknown operation \"pwrote\"");
    assert_false(io_fault_parse("pwrite:0:EIO", message, sizeof message));
    assert_false(io_fault_parse("pwrite:1:EWHAT", message, sizeof message));
    assert_false(io_fault_parse("pwrite", message, sizeof message));
    io_faults_disable();
}

static void an_atomic_file_is_the_old_or_the_new(void **state)
{
    (void)state;
    char *path = path_to("atomic");
    io_write_file_atomic(path, "old", 3, 0600);
    volatile bool passed = false;
    for (volatile uint64_t n = 1; !passed; n++) {
        static const IoOp ops[] = {IO_OP_open, IO_OP_pwrite, IO_OP_fsync, IO_OP_rename};
        volatile int failed = 0;
        for (volatile size_t op = 0; op < COUNT_OF(ops); op++) {
            io_write_file_atomic(path, "old", 3, 0600);
            io_faults_enable();
            io_fault_set(ops[op], n, false, IO_FAULT_ERRNO, EIO, NULL);
            TRY()
            {
                io_write_file_atomic(path, "newer", 5, 0600);
            }
            CATCH(err)
            {
                failed++;
            }
            END_TRY();
            io_faults_disable();
            size_t len;
            char *text = io_read_file(memctx_top(), path, &len);
            assert_true(strcmp(text, "old") == 0 || strcmp(text, "newer") == 0);
        }
        passed = failed == 0;
    }
    assert_int_equal(resource_depth(), 0);
}

static void dies_in_write(void)
{
    io_faults_enable();
    io_fault_set(IO_OP_pwrite, 1, false, IO_FAULT_TEAR_KILL, 0, NULL);
    write_pattern(path_to("torn"), 64 * 512);
}

static void a_torn_write_leaves_whole_sectors(void **state)
{
    (void)state;
    assert_int_equal(unit_child_status(dies_in_write), 128 + SIGKILL);
    size_t n;
    unsigned char *p = (unsigned char *)io_read_file(memctx_top(), path_to("torn"), &n);
    int whole = 0, missing = 0;
    for (size_t s = 0; s + 512 <= n; s += 512) {
        bool is_whole = true, is_zero = true;
        for (size_t i = s; i < s + 512; i++) {
            is_whole &= p[i] == (unsigned char)(i * 7);
            is_zero &= p[i] == 0;
        }
        assert_true(is_whole || is_zero);
        whole += is_whole;
        missing += is_zero;
    }
    assert_true(whole > 0);
    assert_true(missing > 0);
}

static int events[IO_OP_COUNT];
static size_t bytes_seen;

static void record(const IoEvent *ev, void *arg)
{
    assert_ptr_equal(arg, events);
    assert_non_null(ev->path);
    events[ev->op]++;
    if (ev->op == IO_OP_pwrite)
        bytes_seen += (size_t)ev->result;
}

static void recorders_see_what_changes_files(void **state)
{
    (void)state;
    io_faults_enable();
    io_observe(record, events);
    write_pattern(path_to("seen"), 3000);
    io_read_file(memctx_top(), path_to("seen"), NULL);
    io.rename(path_to("seen"), path_to("renamed"));
    io_sync_directory(directory);
    io_faults_disable();
    assert_int_equal(events[IO_OP_open], 1);
    assert_int_equal(events[IO_OP_pwrite], 1);
    assert_int_equal(bytes_seen, 3000);
    assert_int_equal(events[IO_OP_fdatasync], 1);
    assert_int_equal(events[IO_OP_fsync], 1);
    assert_int_equal(events[IO_OP_rename], 1);
    assert_int_equal(events[IO_OP_pread], 0);
}

static void directories_are_made_with_those_above(void **state)
{
    (void)state;
    io_make_directory(path_to("a/b/c"), 0700);
    io_make_directory(path_to("a/b/c"), 0700);
    assert_true(io_file_exists(path_to("a/b/c")));
    io_write_file_atomic(path_to("file"), "x", 1, 0600);
    EXPECT_ERROR(ERR_NO_FILE, io_make_directory(path_to("file/below"), 0700));
    EXPECT_ERROR(ERR_NO_FILE, io_read_file(memctx_top(), path_to("absent"), NULL));
    size_t n;
    io_read_file(memctx_top(), "/proc/self/maps", &n);
    assert_true(n > 100);
}

static void children_draw_other_random_numbers(void **state)
{
    (void)state;
    uint64_t *drawn = unit_shared(4096);
    random_u64();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        drawn[0] = random_u64();
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    assert_true(drawn[0] != random_u64());
    random_seed(5);
    uint64_t first = random_u64();
    random_seed(5);
    assert_true(random_u64() == first);
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++)
        seen[random_below(7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200);
}

int main(void)
{
    unit_start();
    directory = unit_directory();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_operations_are_carried_on),
        cmocka_unit_test(every_failure_is_an_error_that_names_the_file),
        cmocka_unit_test(faults_match_path_and_count),
        cmocka_unit_test(wrong_notation_is_refused),
        cmocka_unit_test(an_atomic_file_is_the_old_or_the_new),
        cmocka_unit_test(a_torn_write_leaves_whole_sectors),
        cmocka_unit_test(recorders_see_what_changes_files),
        cmocka_unit_test(directories_are_made_with_those_above),
        cmocka_unit_test(children_draw_other_random_numbers),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unit_remove(directory);
    return failed;
}
