/*
 * io.h: all file I/O, clock and randomness of the store go through the table `io`, so that tests can fail, shorten,
 * tear, delay and record any operation, and another backend can stand behind it.
 *
 *     ssize_t n = io.pread(fd, buf, len, off);          // results and errno as the system call's
 *
 * Replace it by assignment (io = my_table) before children are forked.  io_uring does not pass through the table:
 * its users ask io_is_plain() and take the table's path when it is false.
 *
 * Fault injection: io_faults_enable() puts a wrapper around the table; io_fault_set arms faults.  From outside, the
 * environment variable LODE_IO_FAULT = "op:nth:kind[:path part][,...]" does both (io_init), for instance
 * "pwrite:3:ENOSPC:base" or "fdatasync:1+:EIO" (+: that one and all after it) or "pwrite:7:torn".
 */
#ifndef LIB_IO_H
#define LIB_IO_H

#include "lib/base.h"
#include "lib/memory.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

typedef enum {
#define IO_OP(name, changes) IO_OP_##name,
#include "utils/lib/io_ops.def"
#undef IO_OP
    IO_OP_COUNT
} IoOp;

typedef struct IoTable {
    int (*open)(const char *path, int flags, mode_t mode); /* O_CLOEXEC is always added */
    int (*close)(int fd);
    ssize_t (*pread)(int fd, void *buf, size_t n, off_t off);
    ssize_t (*pwrite)(int fd, const void *buf, size_t n, off_t off);
    ssize_t (*pwritev2)(int fd, const struct iovec *iov, int count, off_t off, int rwf_flags);
    int (*fsync)(int fd);
    int (*fdatasync)(int fd);
    int (*fallocate)(int fd, int mode, off_t off, off_t len);
    int (*ftruncate)(int fd, off_t len);
    int (*fstat)(int fd, struct stat *st);
    int (*stat)(const char *path, struct stat *st);
    int (*unlink)(const char *path);
    int (*rename)(const char *from, const char *to);
    int (*mkdir)(const char *path, mode_t mode);
    int (*rmdir)(const char *path);
    int64_t (*clock_ns)(clockid_t clock);   /* nanoseconds of CLOCK_MONOTONIC, CLOCK_REALTIME, ... */
    void (*sleep_ns)(int64_t ns);           /* may return early after a signal */
    void (*random)(void *buf, size_t n);    /* from the kernel; ends the process if it can't be had */
} IoTable;

extern IoTable io;

/* The table of plain system calls, to wrap or to restore. */
extern const IoTable io_system_table;

/* Reads LODE_IO_FAULT.  Called by lib_init. */
void io_init(void);
/* No wrapper of any kind is in place: io_uring may be used. */
bool io_is_plain(void);

/* ---- whole operations: go on after short ones and EINTR, raise ERR_IO and its like naming `path` ---- */

int io_open_file(const char *path, int flags, mode_t mode);
/* Reads exactly n bytes, or fewer at the end of file; returns the count. */
size_t io_read_at(int fd, const char *path, void *buf, size_t n, off_t off);
void io_write_at(int fd, const char *path, const void *buf, size_t n, off_t off);
void io_sync_file(int fd, const char *path);
void io_sync_data(int fd, const char *path);
/* Makes names created, renamed or removed in the directory durable. */
void io_sync_directory(const char *path);
/* The directory and those above it; an existing one is fine. */
void io_make_directory(const char *path, mode_t mode);
/* The whole file, NUL-terminated, in ctx; *len may be NULL.  A file that is not there raises ERR_NO_FILE. */
char *io_read_file(MemoryContext *ctx, const char *path, size_t *len);
/* Writes beside, syncs, renames over, syncs the directory: all or nothing, also across a crash. */
void io_write_file_atomic(const char *path, const void *bytes, size_t n, mode_t mode);
bool io_file_exists(const char *path);

/* ---- clock and randomness ---- */

static inline int64_t clock_monotonic_ns(void)
{
    return io.clock_ns(CLOCK_MONOTONIC);
}
static inline int64_t clock_realtime_ns(void)
{
    return io.clock_ns(CLOCK_REALTIME);
}
/* A fast generator (xoshiro256**), seeded from io.random on first use and again after each fork. */
uint64_t random_u64(void);
/* Uniform in [0, n), n > 0. */
uint64_t random_below(uint64_t n);
/* Makes random_u64 repeatable; for tests. */
void random_seed(uint64_t seed);

/* ---- fault injection and observation ---- */

typedef enum {
    IO_FAULT_ERRNO, /* does nothing, fails with err */
    IO_FAULT_SHORT, /* does about half of it (multiple of 512 for n >= 1024), returns that count: no error */
    IO_FAULT_TORN,  /* writes some 512-byte sectors of it, then fails with EIO */
    IO_FAULT_KILL,  /* kill -9 of this process before the operation */
    IO_FAULT_TEAR_KILL, /* writes some 512-byte sectors, then kill -9 */
    IO_FAULT_DELAY, /* sleeps err milliseconds first */
} IoFaultKind;

void io_faults_enable(void);
void io_faults_disable(void); /* back to the table underneath; all faults cleared */
/* Arms one fault: the nth matching call from now (1 = next); sticky: and all later.  path_part (copied; NULL: any)
 * must occur in the file's path. */
void io_fault_set(IoOp op, uint64_t nth, bool sticky, IoFaultKind kind, int err, const char *path_part);
void io_fault_clear(void);
/* Parses the notation of LODE_IO_FAULT; false and a message when it is wrong. */
bool io_fault_parse(const char *text, char *message, size_t message_size);
/* Calls so far while enabled, of one kind of operation. */
uint64_t io_op_count(IoOp op);
/* Faults that have struck. */
uint64_t io_faults_struck(void);

typedef struct IoEvent {
    IoOp op;
    int fd;
    const char *path; /* of fd when known, of the operation; `to` is rename's second path */
    const char *to;
    const void *data; /* pwrite's bytes */
    size_t len;
    off_t off;
    int mode;        /* fallocate's, pwritev2's flags */
    int64_t result;  /* what the call returned */
} IoEvent;

/* With faults enabled: called after each successful operation that changes files or makes changes durable. */
void io_observe(void (*fn)(const IoEvent *ev, void *arg), void *arg);

#endif
