/*
 * store_power_test.c - the file system dies under a store at work: a small ext4 in a file is shut down by the kernel's own
 * switch (EXT4_IOC_SHUTDOWN without flushing its journal), as a power cut would end it, with real direct I/O, io_uring and
 * the kernel's caches in play.  Then it is mounted again, and the store in it must hold every acknowledged commit.
 *
 * Needs root, mkfs.ext4 and loop devices; without them it is skipped, and says so.  LODE_SEEDS / 20: how many cuts.
 */
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "regress/unit/store_model.h"

#include "regress/unit/replay.h"

#define EXT4_SHUTDOWN    _IOR('X', 125, uint32_t)
#define WITHOUT_FLUSHING 2u

static _Atomic uint64_t *acks; /* in memory that no file system knows */

static void acknowledged(unsigned who, uint64_t n)
{
    atomic_store(&acks[who], n);
}

static char base[300], image[400], mounted[400], store[500];

static bool run(const char *format, ...) PRINTF_LIKE(1, 2);
static bool run(const char *format, ...)
{
    char command[1500];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    return n < (int)sizeof(command) && system(command) == 0;
}

static void cut_power(void)
{
    uint32_t how = WITHOUT_FLUSHING;
    int fd = open(mounted, O_RDONLY | O_DIRECTORY);

    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, EXT4_SHUTDOWN, &how), 0);
    close(fd);
}

static void be_quiet(void)
{
    log_set_fd(open("/dev/null", O_WRONLY)); /* that the disk fails is the test */
}

static void quiet_session(unsigned who)
{
    be_quiet();
    session(who);
}

static void quiet_checkpointer(unsigned arg)
{
    be_quiet();
    checkpointer(arg);
}

static void quiet_wal_writer(unsigned arg)
{
    be_quiet();
    wal_writer(arg);
}

static void quiet_compactor(unsigned arg)
{
    be_quiet();
    compactor(arg);
}

/* The server's life, in a process of its own: dies of the cut, with all its children. */
static void live(unsigned arg)
{
    (void)arg;
    setpgid(0, 0);
    store_open(store, STORE_POSTMASTER);
    session_commits = 1000000;
    start(quiet_checkpointer, 0);
    start(quiet_wal_writer, 0);
    start(quiet_compactor, 0);
    for (unsigned who = 0; who < SESSIONS; who++)
        start(quiet_session, who);
    for (;;)
        pause();
}

static void recover(unsigned arg)
{
    (void)arg;
    setenv("CMOCKA_TEST_ABORT", "1", 1);
    session_commits = 0;
    recover_and_check(store, false);
    for (unsigned who = 0; who < SESSIONS; who++)
        acknowledged(who, marks[who]);
}

static void power_cuts_of_a_real_file_system_lose_nothing(void **state)
{
    uint64_t count = replay_seeds() / 20;
    (void)state;

    snprintf(base, sizeof(base), "%s", unit_directory());
    snprintf(image, sizeof(image), "%s/image", base);
    snprintf(mounted, sizeof(mounted), "%s/mounted", base);
    snprintf(store, sizeof(store), "%s/store", mounted);
    assert_int_equal(mkdir(mounted, 0700), 0);
    /* In a name space of mounts of our own: however this ends, nothing stays mounted. */
    if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 || !run("mount --make-rprivate / 2>/dev/null") ||
        !run("truncate -s 512M '%s' && mkfs.ext4 -q -E lazy_itable_init=1 '%s' 2>/dev/null", image, image) ||
        !run("mount -o loop '%s' '%s' 2>/dev/null", image, mounted)) {
        print_message("skipped: needs root, mkfs.ext4 and a loop device\n");
        unit_remove(base);
        skip();
    }
    configure();
    conf.direct_io = true;
    acks = unit_shared(4096);
    store_create(store, NULL);
    for (uint64_t round = 0; round < count; round++) {
        struct statvfs room;
        uint64_t before;

        assert_int_equal(statvfs(mounted, &room), 0);
        if (room.f_bavail < room.f_blocks / 3) { /* sessions may have outrun the compactor: begin anew */
            assert_true(run("rm -rf '%s'", store));
            store_create(store, NULL);
            for (unsigned who = 0; who < SESSIONS; who++)
                atomic_store(&acks[who], 0);
        }
        before = acks[0] + acks[1] + acks[2];
        pid_t server = start(live, 0), again;
        int status;
        bool good;

        while (acks[0] + acks[1] + acks[2] == before && waitpid(server, &status, WNOHANG) == 0)
            usleep(1000); /* on a busy machine recovery alone may take long */
        usleep((useconds_t)random_below(400000));
        cut_power();
        usleep(20000);
        kill(-server, SIGKILL);
        waitpid(server, &status, 0);
        good = run("umount '%s' 2>/dev/null", mounted);
        for (int tries = 0; !good && tries < UNIT_PATIENCE_MS / 50; tries++) { /* the orphans' descriptors go with them */
            usleep(50000);
            good = run("umount '%s' 2>/dev/null", mounted);
        }
        good = good && run("mount -o loop '%s' '%s'", image, mounted);
        if (!good)
            run("umount -l '%s'", mounted);
        assert_true(good);
        for (unsigned who = 0; who < SESSIONS; who++)
            marks[who] = atomic_load(&acks[who]);
        assert_true(marks[0] + marks[1] + marks[2] > before);
        again = start(recover, 0);
        waitpid(again, &status, 0);
        if (status != 0) {
            run("umount '%s'", mounted);
            if (getenv("LODE_KEEP") == NULL)
                unit_remove(base);
            fail_msg("round %llu: recovery ended with status %x (%s)", (unsigned long long)round, (unsigned)status,
                     image);
        }
    }
    assert_true(run("umount '%s'", mounted));
    unit_remove(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_of_a_real_file_system_lose_nothing),
    };

    unit_start();
    alarm(0); /* how long depends on the seeds; the runner has the limit */
    mutation_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
