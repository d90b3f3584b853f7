/*
 * io.c: the I/O table over the system calls, whole operations on top of it, clock and randomness.  Faults and recording
 * are in io_fault.c, which wraps this table.
 */
#include "lib/io.h"
#include "lib/error.h"
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

static int sys_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags | O_CLOEXEC, mode);
}

static int64_t sys_clock_ns(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static void sys_sleep_ns(int64_t ns)
{
    if (ns <= 0)
        return;
    struct timespec ts = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
    nanosleep(&ts, NULL);
}

static void sys_random(void *buf, size_t n)
{
    for (char *p = buf; n > 0;) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort(); /* no kernel that we run on lacks it; going on with guessable numbers would be worse */
        p += got;
        n -= (size_t)got;
    }
}

static int sys_stat(const char *path, struct stat *st)
{
    return stat(path, st);
}

static int sys_fstat(int fd, struct stat *st)
{
    return fstat(fd, st);
}

const IoTable io_system_table = {
    .open = sys_open,
    .close = close,
    .pread = pread,
    .pwrite = pwrite,
    .pwritev2 = pwritev2,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .fallocate = fallocate,
    .ftruncate = ftruncate,
    .fstat = sys_fstat,
    .stat = sys_stat,
    .unlink = unlink,
    .rename = rename,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .clock_ns = sys_clock_ns,
    .sleep_ns = sys_sleep_ns,
    .random = sys_random,
};

IoTable io = {
    .open = sys_open,
    .close = close,
    .pread = pread,
    .pwrite = pwrite,
    .pwritev2 = pwritev2,
    .fsync = fsync,
    .fdatasync = fdatasync,
    .fallocate = fallocate,
    .ftruncate = ftruncate,
    .fstat = sys_fstat,
    .stat = sys_stat,
    .unlink = unlink,
    .rename = rename,
    .mkdir = mkdir,
    .rmdir = rmdir,
    .clock_ns = sys_clock_ns,
    .sleep_ns = sys_sleep_ns,
    .random = sys_random,
};

bool io_is_plain(void)
{
    return io.pwrite == io_system_table.pwrite && io.pread == io_system_table.pread &&
           io.fdatasync == io_system_table.fdatasync;
}

/* ---- whole operations ---- */

#define RAISE(what) \
    ereport(ERROR, error_code_of_errno(errno), errmsg("could not " what " \"%s\": %s", path, errno_text()))

int io_open_file(const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = io.open(path, flags, mode);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        RAISE("open file");
    return fd;
}

size_t io_read_at(int fd, const char *path, void *buf, size_t n, off_t off)
{
    size_t done = 0;
    while (done < n) {
        ssize_t got = io.pread(fd, (char *)buf + done, n - done, off + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            ereport(ERROR, error_code_of_errno(errno),
                    errmsg("could not read file \"%s\": %s", path, errno_text()),
                    errdetail("Reading %zu bytes at offset %lld.", n, (long long)off));
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return done;
}

void io_write_at(int fd, const char *path, const void *buf, size_t n, off_t off)
{
    size_t done = 0;
    while (done < n) {
        ssize_t put = io.pwrite(fd, (const char *)buf + done, n - done, off + (off_t)done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put == 0)
            errno = ENOSPC;
        if (put <= 0)
            ereport(ERROR, error_code_of_errno(errno),
                    errmsg("could not write file \"%s\": %s", path, errno_text()),
                    errdetail("Writing %zu bytes at offset %lld.", n, (long long)off));
        done += (size_t)put;
    }
}

void io_sync_file(int fd, const char *path)
{
    if (io.fsync(fd) != 0)
        RAISE("sync file");
}

void io_sync_data(int fd, const char *path)
{
    if (io.fdatasync(fd) != 0)
        RAISE("sync file");
}

static void close_fd(void *ptr)
{
    io.close((int)(intptr_t)ptr - 1);
}

void io_sync_directory(const char *path)
{
    int fd = io_open_file(path, O_RDONLY | O_DIRECTORY, 0);
    void *resource = (void *)(intptr_t)(fd + 1);
    resource_push(close_fd, resource);
    io_sync_file(fd, path);
    resource_release(resource);
}

void io_make_directory(const char *path, mode_t mode)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part) {
        errno = ENAMETOOLONG;
        RAISE("create directory");
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != 0)
            continue;
        char c = part[i];
        part[i] = 0;
        if (io.mkdir(part, mode) != 0 && errno != EEXIST) {
            struct stat st;
            int err = errno;
            if (io.stat(part, &st) != 0 || !S_ISDIR(st.st_mode)) { /* EROFS and the like of one that exists are fine */
                errno = err;
                RAISE("create directory");
            }
        }
        part[i] = c;
    }
}

char *io_read_file(MemoryContext *ctx, const char *path, size_t *len)
{
    int fd = io_open_file(path, O_RDONLY, 0);
    void *resource = (void *)(intptr_t)(fd + 1);
    resource_push(close_fd, resource);
    struct stat st;
    if (io.fstat(fd, &st) != 0)
        RAISE("stat file");
    size_t cap = st.st_size > 0 ? (size_t)st.st_size + 1 : 4096; /* files of /proc say 0 */
    char *bytes = mem_alloc(ctx, cap);
    size_t n = 0;
    for (;;) {
        size_t got = io_read_at(fd, path, bytes + n, cap - 1 - n, (off_t)n);
        n += got;
        if (n < cap - 1 || got == 0)
            break;
        cap *= 2;
        bytes = mem_realloc(ctx, bytes, cap);
    }
    bytes[n] = 0;
    resource_release(resource);
    if (len)
        *len = n;
    return bytes;
}

void io_write_file_atomic(const char *path, const void *bytes, size_t n, mode_t mode)
{
    char beside[PATH_MAX], directory[PATH_MAX];
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        errno = ENAMETOOLONG;
        RAISE("write file");
    }
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    if (slash == NULL)
        strcpy(directory, ".");
    else
        slash[slash == directory] = 0;

    int fd = io_open_file(beside, O_WRONLY | O_CREAT | O_TRUNC, mode);
    void *resource = (void *)(intptr_t)(fd + 1);
    resource_push(close_fd, resource);
    io_write_at(fd, beside, bytes, n, 0);
    io_sync_file(fd, beside);
    resource_release(resource);
    if (io.rename(beside, path) != 0)
        RAISE("rename a new file to");
    io_sync_directory(directory);
}

bool io_file_exists(const char *path)
{
    struct stat st;
    return io.stat(path, &st) == 0;
}

/* ---- xoshiro256** (Blackman and Vigna), seeded by splitmix64 or the kernel ---- */

static uint64_t random_state[4];
static bool random_seeded;

static void random_forget(void)
{
    random_seeded = false;
}

__attribute__((constructor)) static void random_watch_forks(void)
{
    pthread_atfork(NULL, NULL, random_forget);
}

static inline uint64_t rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t random_u64(void)
{
    uint64_t *s = random_state;
    if (unlikely(!random_seeded)) {
        io.random(s, sizeof random_state);
        s[0] |= 1; /* never all zero */
        random_seeded = true;
    }
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t random_below(uint64_t n)
{
    Assert(n > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* reject the uneven tail */
    uint64_t x;
    do
        x = random_u64();
    while (x >= limit);
    return x % n;
}

void random_seed(uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9e3779b97f4a7c15);
        uint64_t z = seed;
        z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
        random_state[i] = z ^ z >> 31;
    }
    random_seeded = true;
}
