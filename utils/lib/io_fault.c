/*
 * io_fault.c: fault injection and observation, a wrapper around whatever table was in place when it was enabled.
 *
 * Counters and faults are this process's; children inherit copies.  Paths of descriptors are remembered from open, for
 * matching faults and for recorders.  Nothing here is in the way unless a test asked for it.
 */
#include "lib/error.h"
#include "lib/io.h"
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FAULTS_MAX 32
#define FDS_MAX    4096
#define SECTOR     ((size_t)512)

typedef struct Fault {
    bool used;
    bool sticky;
    IoOp op;
    uint64_t left; /* matching calls until it strikes */
    IoFaultKind kind;
    int err;
    char path_part[128];
} Fault;

static IoTable under;
static bool enabled;
static Fault faults[FAULTS_MAX];
static uint64_t counts[IO_OP_COUNT];
static uint64_t struck;
static char *fd_paths[FDS_MAX];
static void (*observer)(const IoEvent *, void *);
static void *observer_arg;

static const struct {
    const char *name;
    bool changes;
} ops[] = {
#define IO_OP(name, changes) {#name, changes},
#include "utils/lib/io_ops.def"
#undef IO_OP
};

static const char *path_of(int fd)
{
    return fd >= 0 && fd < FDS_MAX ? fd_paths[fd] : NULL;
}

/* Counts the call; returns the fault that strikes it, or NULL.  DELAY and KILL are dealt with here. */
static const Fault *strike(IoOp op, const char *path)
{
    static Fault now;
    bool strikes = false;
    counts[op]++;
    for (int i = 0; i < FAULTS_MAX; i++) {
        Fault *f = &faults[i];
        if (!f->used || f->op != op)
            continue;
        if (f->path_part[0] && (path == NULL || strstr(path, f->path_part) == NULL))
            continue;
        if (f->left > 1) {
            f->left--;
            continue;
        }
        if (strikes)
            continue; /* one a call: the other stays due for the next */
        now = *f;
        strikes = true;
        if (!f->sticky)
            f->used = false;
    }
    if (!strikes)
        return NULL;
    struck++;
    if (now.kind == IO_FAULT_KILL)
        raise(SIGKILL);
    if (now.kind == IO_FAULT_DELAY) {
        under.sleep_ns((int64_t)now.err * NSEC_PER_MSEC);
        return NULL;
    }
    return &now;
}

static void observe(IoEvent ev)
{
    if (observer && ev.result >= 0 && ops[ev.op].changes)
        observer(&ev, observer_arg);
}

/* Operations without a length know only one way to fail. */
static bool fails(IoOp op, const char *path)
{
    const Fault *f = strike(op, path);
    if (f == NULL)
        return false;
    errno = f->kind == IO_FAULT_ERRNO ? f->err : EIO;
    return true;
}

static int fault_open(const char *path, int flags, mode_t mode)
{
    if (fails(IO_OP_open, path))
        return -1;
    int fd = under.open(path, flags, mode);
    if (fd >= 0 && fd < FDS_MAX) {
        free(fd_paths[fd]);
        fd_paths[fd] = strdup(path);
    }
    if (flags & (O_CREAT | O_TRUNC))
        observe((IoEvent){.op = IO_OP_open, .fd = fd, .path = path, .mode = flags, .result = fd});
    return fd;
}

static int fault_close(int fd)
{
    if (fd >= 0 && fd < FDS_MAX) {
        free(fd_paths[fd]);
        fd_paths[fd] = NULL;
    }
    return under.close(fd);
}

static size_t half(size_t n)
{
    return n >= 2 * SECTOR ? ALIGN_DOWN(n / 2, SECTOR) : n / 2;
}

static ssize_t fault_pread(int fd, void *buf, size_t n, off_t off)
{
    const Fault *f = strike(IO_OP_pread, path_of(fd));
    if (f && f->kind == IO_FAULT_SHORT) {
        n = n > 1 ? half(n) : n;
    } else if (f) {
        errno = f->kind == IO_FAULT_ERRNO ? f->err : EIO;
        return -1;
    }
    return under.pread(fd, buf, n, off);
}

/* Some of the sectors reach the disk, others don't; direct I/O needs aligned memory, so go sector by sector. */
static void tear(int fd, const void *buf, size_t n, off_t off)
{
    void *sector;
    if (posix_memalign(&sector, 4096, SECTOR) != 0)
        return;
    for (size_t at = 0; at < n; at += SECTOR) {
        size_t part = MIN(SECTOR, n - at);
        if (random_u64() & 1)
            continue;
        memcpy(sector, (const char *)buf + at, part);
        if (under.pwrite(fd, sector, part, off + (off_t)at) < 0)
            break;
    }
    free(sector);
}

/* The fault of a write; true: it has been dealt with, *result is what to return. */
static bool write_fault(const Fault *f, int fd, const void *buf, size_t *n, off_t off, ssize_t *result)
{
    if (f == NULL)
        return false;
    if (f->kind == IO_FAULT_SHORT) {
        *n = *n > 1 ? half(*n) : *n;
        return false;
    }
    if (f->kind == IO_FAULT_TORN || f->kind == IO_FAULT_TEAR_KILL)
        tear(fd, buf, *n, off);
    if (f->kind == IO_FAULT_TEAR_KILL)
        raise(SIGKILL);
    errno = f->kind == IO_FAULT_ERRNO ? f->err : EIO;
    *result = -1;
    return true;
}

static ssize_t fault_pwrite(int fd, const void *buf, size_t n, off_t off)
{
    ssize_t result;
    if (write_fault(strike(IO_OP_pwrite, path_of(fd)), fd, buf, &n, off, &result))
        return result;
    result = under.pwrite(fd, buf, n, off);
    observe((IoEvent){.op = IO_OP_pwrite, .fd = fd, .path = path_of(fd), .data = buf, .len = n, .off = off,
                      .result = result});
    return result;
}

static ssize_t fault_pwritev2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    /* As one write of the joined bytes, so that faults and recorders see what a single write is. */
    size_t n = 0;
    for (int i = 0; i < count; i++)
        n += iov[i].iov_len;
    void *joined;
    if (posix_memalign(&joined, 4096, MAX(n, (size_t)1)) != 0) {
        errno = ENOMEM;
        return -1;
    }
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        memcpy((char *)joined + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    ssize_t result;
    if (!write_fault(strike(IO_OP_pwritev2, path_of(fd)), fd, joined, &n, off, &result)) {
        result = under.pwritev2(fd, &(struct iovec){joined, n}, 1, off, flags);
        observe((IoEvent){.op = IO_OP_pwritev2, .fd = fd, .path = path_of(fd), .data = joined, .len = n, .off = off,
                          .mode = flags, .result = result});
    }
    int err = errno;
    free(joined);
    errno = err;
    return result;
}

#define FD_OPERATION(name, parameters, arguments, ...) \
    static int fault_##name parameters \
    { \
        if (fails(IO_OP_##name, path_of(fd))) \
            return -1; \
        int result = under.name arguments; \
        observe((IoEvent){.op = IO_OP_##name, .fd = fd, .path = path_of(fd), .result = result, __VA_ARGS__}); \
        return result; \
    }

FD_OPERATION(fsync, (int fd), (fd), .off = 0)
FD_OPERATION(fdatasync, (int fd), (fd), .off = 0)
FD_OPERATION(fallocate, (int fd, int mode, off_t off, off_t len), (fd, mode, off, len), .mode = mode, .off = off,
             .len = (size_t)len)
FD_OPERATION(ftruncate, (int fd, off_t len), (fd, len), .len = (size_t)len)

#define PATH_OPERATION(name, parameters, arguments, ...) \
    static int fault_##name parameters \
    { \
        if (fails(IO_OP_##name, path)) \
            return -1; \
        int result = under.name arguments; \
        observe((IoEvent){.op = IO_OP_##name, .fd = -1, .path = path, .result = result, __VA_ARGS__}); \
        return result; \
    }

PATH_OPERATION(unlink, (const char *path), (path), .off = 0)
PATH_OPERATION(rmdir, (const char *path), (path), .off = 0)
PATH_OPERATION(mkdir, (const char *path, mode_t mode), (path, mode), .mode = (int)mode)
PATH_OPERATION(rename, (const char *path, const char *to), (path, to), .to = to)

void io_faults_enable(void)
{
    if (enabled)
        return;
    enabled = true;
    under = io;
    io.open = fault_open;
    io.close = fault_close;
    io.pread = fault_pread;
    io.pwrite = fault_pwrite;
    io.pwritev2 = fault_pwritev2;
    io.fsync = fault_fsync;
    io.fdatasync = fault_fdatasync;
    io.fallocate = fault_fallocate;
    io.ftruncate = fault_ftruncate;
    io.unlink = fault_unlink;
    io.rename = fault_rename;
    io.mkdir = fault_mkdir;
    io.rmdir = fault_rmdir;
    memset(counts, 0, sizeof counts);
    struck = 0;
}

void io_faults_disable(void)
{
    if (!enabled)
        return;
    enabled = false;
    io = under;
    io_fault_clear();
    observer = NULL;
}

void io_fault_clear(void)
{
    memset(faults, 0, sizeof faults);
}

void io_observe(void (*fn)(const IoEvent *, void *), void *arg)
{
    observer = fn;
    observer_arg = arg;
}

uint64_t io_op_count(IoOp op)
{
    return counts[op];
}

uint64_t io_faults_struck(void)
{
    return struck;
}

void io_fault_set(IoOp op, uint64_t nth, bool sticky, IoFaultKind kind, int err, const char *path_part)
{
    for (int i = 0; i < FAULTS_MAX; i++) {
        Fault *f = &faults[i];
        if (f->used)
            continue;
        *f = (Fault){.used = true, .sticky = sticky, .op = op, .left = MAX(nth, (uint64_t)1), .kind = kind, .err = err};
        snprintf(f->path_part, sizeof f->path_part, "%s", path_part ? path_part : "");
        return;
    }
    ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("too many I/O faults at one time"));
}

/* ---- the notation: op:nth[+]:kind[:path part] ---- */

static bool parse_kind(const char *text, IoFaultKind *kind, int *err)
{
    static const struct {
        const char *text;
        IoFaultKind kind;
        int err;
    } kinds[] = {
        {"EIO", IO_FAULT_ERRNO, EIO},       {"ENOSPC", IO_FAULT_ERRNO, ENOSPC}, {"EINTR", IO_FAULT_ERRNO, EINTR},
        {"ENOMEM", IO_FAULT_ERRNO, ENOMEM}, {"EACCES", IO_FAULT_ERRNO, EACCES}, {"EMFILE", IO_FAULT_ERRNO, EMFILE},
        {"EDQUOT", IO_FAULT_ERRNO, EDQUOT}, {"EROFS", IO_FAULT_ERRNO, EROFS},   {"EINVAL", IO_FAULT_ERRNO, EINVAL},
        {"short", IO_FAULT_SHORT, 0},       {"torn", IO_FAULT_TORN, 0},         {"kill", IO_FAULT_KILL, 0},
        {"tear_kill", IO_FAULT_TEAR_KILL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(text, kinds[i].text) == 0) {
            *kind = kinds[i].kind;
            *err = kinds[i].err;
            return true;
        }
    if (strncmp(text, "delay=", 6) == 0) {
        *kind = IO_FAULT_DELAY;
        *err = atoi(text + 6);
        return true;
    }
    return false;
}

bool io_fault_parse(const char *text, char *message, size_t size)
{
    char item[256];
    while (*text) {
        size_t len = strcspn(text, ",");
        snprintf(item, sizeof item, "%.*s", (int)MIN(len, sizeof item - 1), text);
        text += len + (text[len] == ',');

        char *save, *end;
        const char *op_text = strtok_r(item, ":", &save);
        const char *nth_text = strtok_r(NULL, ":", &save);
        const char *kind_text = strtok_r(NULL, ":", &save);
        const char *path_part = strtok_r(NULL, "", &save);
        size_t op = 0;
        while (op_text && op < IO_OP_COUNT && strcmp(op_text, ops[op].name) != 0)
            op++;
        if (op_text == NULL || op == IO_OP_COUNT) {
            snprintf(message, size, "unknown operation \"%s\"", op_text ? op_text : "");
            return false;
        }
        uint64_t nth = nth_text ? strtoull(nth_text, &end, 10) : 0;
        bool sticky = nth_text && *end == '+';
        if (nth == 0 || end[sticky] != 0) {
            snprintf(message, size, "wrong count \"%s\": a number from 1, then perhaps +", nth_text ? nth_text : "");
            return false;
        }
        IoFaultKind kind;
        int err;
        if (kind_text == NULL || !parse_kind(kind_text, &kind, &err)) {
            snprintf(message, size, "unknown fault \"%s\"", kind_text ? kind_text : "");
            return false;
        }
        io_faults_enable();
        io_fault_set((IoOp)op, nth, sticky, kind, err, path_part);
    }
    return true;
}

void io_init(void)
{
    const char *text = getenv("LODE_IO_FAULT");
    char message[256];
    if (text && *text && !io_fault_parse(text, message, sizeof message))
        ereport(FATAL, ERR_CONFIG, errmsg("LODE_IO_FAULT: %s", message));
}
