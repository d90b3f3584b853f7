/*
 * replay.h - power cuts without a power switch: records what a program does to its files, and makes afterwards, from
 * the record, a folder as a disk might have shown it after a cut at any moment.
 *
 *     replay_start("/tmp/store");         before any fork; takes the place of the plain I/O table
 *     ... the program; replay_mark(n) when it has acknowledged n ...
 *     replay_stop();
 *     for each seed: replay_cut(random point, "/tmp/after", seed); recover there; check against replay_marks
 *
 * What a cut may do: writes that no completed sync covers are dropped, arrive whole, or arrive in any of their 512-byte
 * sectors, each independently of the others (so also in another order than issued).  A write to a file opened O_DSYNC or
 * O_SYNC is safe once it has returned; it does not make others safe.  fsync and fdatasync make safe the writes to that
 * file that had returned when the sync was issued.  Creations, renames and removals reach the disk in their order, up to
 * any point not before the newest completed sync of a folder (as on ext4 and xfs).
 *
 * The record is in shared memory, so several processes may be recorded; each operation has an event when it is issued and
 * one when it has returned.  Only what lies under the root is recorded.  Header only: each test is one file.
 */
#ifndef LODE_REPLAY_H
#define LODE_REPLAY_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/io.h"

#define REPLAY_ARENA   ((size_t)3 << 30) /* reserved, not used up */
#define REPLAY_EVENTS  2000000u
#define REPLAY_MARKS   64
#define REPLAY_FDS     4096
#define REPLAY_SECTOR  512u

typedef enum ReplayOp {
    REPLAY_NOTHING,
    REPLAY_CREATE, /* name -> new file */
    REPLAY_MKDIR,
    REPLAY_RENAME,
    REPLAY_UNLINK,
    REPLAY_WRITE,
    REPLAY_PUNCH, /* zeros */
    REPLAY_EXTEND,
    REPLAY_TRUNCATE,
    REPLAY_SYNC,     /* of a file */
    REPLAY_SYNC_DIR, /* of a folder: all names */
    REPLAY_MARK,
    REPLAY_DONE, /* the operation of event `refers` has returned well */
} ReplayOp;

typedef struct ReplayEvent {
    uint32_t op;
    uint32_t refers;
    uint32_t who;    /* MARK */
    bool direct_sync; /* WRITE: the descriptor was O_DSYNC or O_SYNC */
    uint64_t file;   /* inode number */
    uint64_t off, len; /* MARK: off = value */
    uint64_t data, data2; /* offsets in the arena: bytes, or names relative to the root */
} ReplayEvent;

typedef struct ReplayShared {
    _Atomic uint64_t used;
    _Atomic uint32_t count;
    _Atomic uint32_t on;
    ReplayEvent event[REPLAY_EVENTS];
} ReplayShared;

static ReplayShared *replay_shared;
static char replay_root[512];
static uint32_t replay_begin;
static bool replay_recording;
static uint32_t replay_settled; /* events before this were looked at by replay_settle() */
static IoTable replay_under;
static struct {
    uint64_t file; /* 0: not ours */
    bool folder, direct_sync;
} replay_fd[REPLAY_FDS];

/* What the marks said at the last cut: the highest value of each `who` marked before it. */
static uint64_t replay_marks[REPLAY_MARKS];

/* ---- recording ------------------------------------------------------------------------------------- */

static inline uint64_t replay_keep(const void *bytes, size_t n)
{
    uint64_t at = atomic_fetch_add(&replay_shared->used, (n + 15) & ~(size_t)15);

    if (at + n > REPLAY_ARENA) {
        fprintf(stderr, "replay.h: the record is full\n");
        abort();
    }
    memcpy((char *)replay_shared + at, bytes, n);
    return at;
}

static inline uint32_t replay_note(ReplayEvent event)
{
    uint32_t i = atomic_fetch_add(&replay_shared->count, 1);

    if (i >= REPLAY_EVENTS) {
        fprintf(stderr, "replay.h: too many events\n");
        abort();
    }
    replay_shared->event[i] = event;
    return i;
}

static inline void replay_done(uint32_t event)
{
    replay_note((ReplayEvent){.op = REPLAY_DONE, .refers = event});
}

/* The path below the root, or NULL. */
static inline const char *replay_name(const char *path)
{
    size_t n = strlen(replay_root);

    if (strncmp(path, replay_root, n) != 0)
        return NULL;
    if (path[n] == 0)
        return ".";
    return path[n] == '/' ? path + n + 1 : NULL;
}

static inline uint64_t replay_keep_name(const char *name)
{
    return replay_keep(name, strlen(name) + 1);
}

/* "Nothing yet" in the file table is inode 0; ours are noted from their opening on. */
static inline bool replay_ours(int fd)
{
    return fd >= 0 && fd < REPLAY_FDS && replay_fd[fd].file != 0;
}

static inline int replay_open(const char *path, int flags, mode_t mode)
{
    const char *name = replay_name(path);
    struct stat st;
    bool existed = name != NULL && stat(path, &st) == 0;
    int fd = replay_under.open(path, flags, mode);

    if (fd < 0 || fd >= REPLAY_FDS)
        return fd;
    replay_fd[fd].file = 0;
    if (name == NULL || fstat(fd, &st) != 0)
        return fd;
    replay_fd[fd].file = st.st_ino;
    replay_fd[fd].folder = S_ISDIR(st.st_mode);
    replay_fd[fd].direct_sync = (flags & O_DSYNC) != 0; /* O_SYNC includes O_DSYNC's bit */
    if (!existed && (flags & O_CREAT))
        replay_done(replay_note(
            (ReplayEvent){.op = REPLAY_CREATE, .file = st.st_ino, .data = replay_keep_name(name)}));
    else if (flags & O_TRUNC)
        replay_done(replay_note((ReplayEvent){.op = REPLAY_TRUNCATE, .file = st.st_ino}));
    return fd;
}

static inline int replay_close(int fd)
{
    if (fd >= 0 && fd < REPLAY_FDS)
        replay_fd[fd].file = 0;
    return replay_under.close(fd);
}

static inline ssize_t replay_pwrite(int fd, const void *bytes, size_t n, off_t off)
{
    uint32_t event;
    ssize_t result;

    if (!replay_ours(fd))
        return replay_under.pwrite(fd, bytes, n, off);
    event = replay_note((ReplayEvent){.op = REPLAY_WRITE,
                                      .file = replay_fd[fd].file,
                                      .direct_sync = replay_fd[fd].direct_sync,
                                      .off = (uint64_t)off,
                                      .len = n,
                                      .data = replay_keep(bytes, n)});
    result = replay_under.pwrite(fd, bytes, n, off);
    if (result == (ssize_t)n)
        replay_done(event);
    return result;
}

static inline ssize_t replay_pwritev2(int fd, const struct iovec *iov, int count, off_t off, int flags)
{
    ssize_t total = 0;

    if (!replay_ours(fd))
        return replay_under.pwritev2(fd, iov, count, off, flags);
    for (int i = 0; i < count; i++) {
        bool direct_sync = replay_fd[fd].direct_sync;
        ssize_t n;

        replay_fd[fd].direct_sync |= (flags & (RWF_DSYNC | RWF_SYNC)) != 0;
        n = replay_pwrite(fd, iov[i].iov_base, iov[i].iov_len, off + total);
        replay_fd[fd].direct_sync = direct_sync;
        if (n < 0)
            return total > 0 ? total : n;
        total += n;
        if (n < (ssize_t)iov[i].iov_len)
            break;
    }
    return total;
}

static inline int replay_sync_with(int fd, int (*sync_fd)(int))
{
    uint32_t event;
    int result;

    if (!replay_ours(fd))
        return sync_fd(fd);
    event = replay_note(
        (ReplayEvent){.op = replay_fd[fd].folder ? REPLAY_SYNC_DIR : REPLAY_SYNC, .file = replay_fd[fd].file});
    result = sync_fd(fd);
    if (result == 0)
        replay_done(event);
    return result;
}

static inline int replay_fsync(int fd)
{
    return replay_sync_with(fd, replay_under.fsync);
}

static inline int replay_fdatasync(int fd)
{
    return replay_sync_with(fd, replay_under.fdatasync);
}

static inline int replay_fallocate(int fd, int mode, off_t off, off_t len)
{
    uint32_t event = 0;
    int result;

    if (replay_ours(fd))
        event = replay_note((ReplayEvent){.op = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) ? REPLAY_PUNCH
                                                : (mode & FALLOC_FL_KEEP_SIZE)                          ? REPLAY_NOTHING
                                                                                                        : REPLAY_EXTEND,
                                          .file = replay_fd[fd].file,
                                          .off = (uint64_t)off,
                                          .len = (uint64_t)len});
    result = replay_under.fallocate(fd, mode, off, len);
    if (replay_ours(fd) && result == 0)
        replay_done(event);
    return result;
}

static inline int replay_ftruncate(int fd, off_t len)
{
    uint32_t event = 0;
    int result;

    if (replay_ours(fd))
        event = replay_note(
            (ReplayEvent){.op = REPLAY_TRUNCATE, .file = replay_fd[fd].file, .len = (uint64_t)len});
    result = replay_under.ftruncate(fd, len);
    if (replay_ours(fd) && result == 0)
        replay_done(event);
    return result;
}

/* A change of names is noted before it is made; one that was not made is taken back. */
static inline void replay_end_name(uint32_t event, bool made)
{
    if (made)
        replay_done(event);
    else
        replay_shared->event[event].op = REPLAY_NOTHING;
}

static inline int replay_unlink(const char *path)
{
    const char *name = replay_name(path);
    uint32_t event = name == NULL ? 0 : replay_note((ReplayEvent){.op = REPLAY_UNLINK, .data = replay_keep_name(name)});
    int result = replay_under.unlink(path);

    if (name != NULL)
        replay_end_name(event, result == 0);
    return result;
}

static inline int replay_rename(const char *from, const char *to)
{
    const char *old = replay_name(from), *new = replay_name(to);
    bool ours = old != NULL && new != NULL;
    uint32_t event = !ours ? 0
                           : replay_note((ReplayEvent){.op = REPLAY_RENAME,
                                                       .data = replay_keep_name(old),
                                                       .data2 = replay_keep_name(new)});
    int result = replay_under.rename(from, to);

    if (ours)
        replay_end_name(event, result == 0);
    return result;
}

static inline int replay_mkdir(const char *path, mode_t mode)
{
    const char *name = replay_name(path);
    int result = replay_under.mkdir(path, mode);

    if (name != NULL && result == 0)
        replay_done(replay_note((ReplayEvent){.op = REPLAY_MKDIR, .data = replay_keep_name(name)}));
    return result;
}

/* What is there already, as durable as can be. */
static inline void replay_adopt(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char path[1024];
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            replay_done(replay_note((ReplayEvent){.op = REPLAY_MKDIR, .data = replay_keep_name(replay_name(path))}));
            replay_adopt(path);
        } else if (S_ISREG(st.st_mode)) {
            int fd = open(path, O_RDONLY);
            uint64_t at = atomic_fetch_add(&replay_shared->used, ((uint64_t)st.st_size + 15) & ~UINT64_C(15));

            if (fd < 0 || pread(fd, (char *)replay_shared + at, (size_t)st.st_size, 0) != st.st_size)
                abort();
            close(fd);
            replay_note((ReplayEvent){
                .op = REPLAY_CREATE, .file = st.st_ino, .data = replay_keep_name(replay_name(path))});
            replay_done(replay_note((ReplayEvent){.op = REPLAY_WRITE,
                                                  .file = st.st_ino,
                                                  .direct_sync = true,
                                                  .len = (uint64_t)st.st_size,
                                                  .data = at}));
        }
    }
    closedir(dir);
}

/* `root` must be as in the paths that the program uses, and exist or be made later; what is there counts as durable, before
 * event replay_first(). */
static inline void replay_start(const char *root)
{
    snprintf(replay_root, sizeof(replay_root), "%s", root);
    replay_shared = mmap(NULL, REPLAY_ARENA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (replay_shared == MAP_FAILED)
        abort();
    atomic_store(&replay_shared->used, sizeof(ReplayShared));
    replay_adopt(root);
    replay_done(replay_note((ReplayEvent){.op = REPLAY_SYNC_DIR}));
    replay_begin = atomic_load(&replay_shared->count);
    memset(replay_fd, 0, sizeof(replay_fd));
    replay_recording = true;
    replay_settled = 0;
    replay_under = io;
    io.open = replay_open;
    io.close = replay_close;
    io.pwrite = replay_pwrite;
    io.pwritev2 = replay_pwritev2;
    io.fsync = replay_fsync;
    io.fdatasync = replay_fdatasync;
    io.fallocate = replay_fallocate;
    io.ftruncate = replay_ftruncate;
    io.unlink = replay_unlink;
    io.rename = replay_rename;
    io.mkdir = replay_mkdir;
}

static inline void replay_stop(void)
{
    io = replay_under;
    replay_recording = false;
}

static inline uint32_t replay_events(void)
{
    uint32_t n = atomic_load(&replay_shared->count);

    return n < REPLAY_EVENTS ? n : REPLAY_EVENTS;
}

/* The path of the file with this inode number under `folder`; false when there is none. */
static inline bool replay_path_of(const char *folder, uint64_t file, char *path, size_t size)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool found = false;

    while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
        struct stat st;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(path, size, "%s/%s", folder, entry->d_name) >= (int)size || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            char inner[1024];

            found = replay_path_of(path, file, inner, sizeof(inner));
            if (found)
                snprintf(path, size, "%s", inner);
        } else {
            found = st.st_ino == file;
        }
    }
    if (dir != NULL)
        closedir(dir);
    return found;
}

/* Files that were created and not noted. */
static inline void replay_adopt_unknown(const char *folder, uint32_t count)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char path[1024];
        struct stat st;
        bool known = false;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode))
            replay_adopt_unknown(path, count);
        for (uint32_t i = 0; i < count && !known; i++)
            known = replay_shared->event[i].op == REPLAY_CREATE && replay_shared->event[i].file == st.st_ino;
        if (S_ISREG(st.st_mode) && !known)
            replay_done(replay_note((ReplayEvent){
                .op = REPLAY_CREATE, .file = st.st_ino, .data = replay_keep_name(replay_name(path))}));
    }
    if (dir != NULL)
        closedir(dir);
}

/*
 * Call when recorded processes have been killed: a write that they had issued and whose return nobody noted may have
 * happened or not, and who goes on with the files sees which.  What is in the file now is noted as written.
 */
static inline void replay_settle(void)
{
    uint32_t count = replay_events();
    uint32_t *done = calloc(count + 1, sizeof(uint32_t));

    for (uint32_t i = 0; i < count; i++) {
        if (replay_shared->event[i].op == REPLAY_DONE)
            done[replay_shared->event[i].refers] = i;
    }
    for (uint32_t i = replay_settled; i < count; i++) {
        ReplayEvent *event = &replay_shared->event[i];
        char path[1024];
        int fd;

        if (!done[i] && (event->op == REPLAY_UNLINK || event->op == REPLAY_RENAME) &&
            snprintf(path, sizeof(path), "%s/%s", replay_root, (const char *)replay_shared + event->data) > 0 &&
            access(path, F_OK) == 0)
            event->op = REPLAY_NOTHING;
        if (done[i] || (event->op != REPLAY_WRITE && event->op != REPLAY_PUNCH) ||
            !replay_path_of(replay_root, event->file, path, sizeof(path)) || (fd = open(path, O_RDONLY)) < 0)
            continue;
        uint64_t at = atomic_fetch_add(&replay_shared->used, (event->len + 15) & ~UINT64_C(15));
        ssize_t n = pread(fd, (char *)replay_shared + at, event->len, (off_t)event->off);

        close(fd);
        if (n > 0)
            replay_done(replay_note((ReplayEvent){.op = REPLAY_WRITE,
                                                  .file = event->file,
                                                  .off = event->off,
                                                  .len = (uint64_t)n,
                                                  .data = at}));
    }
    replay_adopt_unknown(replay_root, count);
    replay_settled = count;
    free(done);
}

/* Forgets the record. */
static inline void replay_free(void)
{
    munmap(replay_shared, REPLAY_ARENA);
    replay_shared = NULL;
}

/* `who` has acknowledged `value`: what a cut after this must not take back. */
static inline void replay_mark(unsigned who, uint64_t value)
{
    if (replay_shared != NULL && replay_recording)
        replay_note((ReplayEvent){.op = REPLAY_MARK, .who = who, .off = value});
}

/* The first event that is not of what was there before. */
static inline uint32_t replay_first(void)
{
    return replay_begin;
}

/* How many cuts to try: $LODE_SEEDS, else 3,000 with LODE_WORLD (make check-crash), else 100. */
static inline uint64_t replay_seeds(void)
{
    const char *seeds = getenv("LODE_SEEDS"), *world = getenv("LODE_WORLD");

    return seeds != NULL ? strtoull(seeds, NULL, 10) : world != NULL && *world ? 3000 : 100;
}

/* ---- cutting --------------------------------------------------------------------------------------- */

typedef struct ReplayFile {
    uint64_t file; /* inode number at this time; 0 once another file took it over */
    char *content; /* grown as needed, zero-filled */
    uint64_t size, capacity;
    uint32_t *writes; /* events that change it, in order */
    uint32_t nwrites, room;
} ReplayFile;

typedef struct ReplayName {
    char name[256];
    int file; /* index, -1: folder */
} ReplayName;

typedef struct ReplayDisk {
    ReplayFile *files;
    int nfiles;
    ReplayName *names;
    int nnames;
} ReplayDisk;

static uint64_t replay_random_state;

static inline uint64_t replay_random(uint64_t below)
{
    /* splitmix64: the same cut for the same seed, whatever the program drew meanwhile */
    uint64_t z = (replay_random_state += 0x9e3779b97f4a7c15ull);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (z ^ (z >> 31)) % below;
}

static inline const void *replay_at(uint64_t offset)
{
    return (const char *)replay_shared + offset;
}

static inline ReplayName *replay_find_name(ReplayDisk *disk, const char *name)
{
    for (int i = 0; i < disk->nnames; i++) {
        if (strcmp(disk->names[i].name, name) == 0)
            return &disk->names[i];
    }
    return NULL;
}

static inline void replay_set_name(ReplayDisk *disk, const char *name, int file)
{
    ReplayName *entry = replay_find_name(disk, name);

    if (entry == NULL) {
        if (disk->nnames % 64 == 0)
            disk->names = realloc(disk->names, sizeof(ReplayName) * (size_t)(disk->nnames + 64));
        entry = &disk->names[disk->nnames++];
        snprintf(entry->name, sizeof(entry->name), "%s", name);
    }
    entry->file = file;
}

static inline void replay_drop_name(ReplayDisk *disk, const char *name)
{
    ReplayName *entry = replay_find_name(disk, name);

    if (entry != NULL)
        *entry = disk->names[--disk->nnames];
}

static inline int replay_find_file(ReplayDisk *disk, uint64_t file)
{
    for (int i = disk->nfiles - 1; i >= 0; i--) {
        if (disk->files[i].file == file)
            return i;
    }
    return -1;
}

static inline void replay_grow(ReplayFile *file, uint64_t size)
{
    if (size > file->capacity) {
        uint64_t capacity = size + size / 2 + 4096;

        file->content = realloc(file->content, capacity);
        memset(file->content + file->capacity, 0, capacity - file->capacity);
        file->capacity = capacity;
    }
    if (size > file->size)
        file->size = size;
}

static inline void replay_put(ReplayFile *file, const ReplayEvent *event, uint64_t from, uint64_t n)
{
    replay_grow(file, event->off + from + n);
    if (n == 0)
        return;
    if (event->op == REPLAY_WRITE)
        memcpy(file->content + event->off + from, (const char *)replay_at(event->data) + from, n);
    else
        memset(file->content + event->off + from, 0, n);
}

/* Applies one change of a file's content: all of it when safe, else what chance lets through. */
static inline void replay_apply(ReplayFile *file, const ReplayEvent *event, bool safe)
{
    unsigned fate = safe ? 1 : (unsigned)replay_random(3);

    if (fate == 0)
        return;
    switch (event->op) {
    case REPLAY_EXTEND:
        replay_grow(file, event->off + event->len);
        break;
    case REPLAY_TRUNCATE:
        if (event->len < file->size)
            memset(file->content + event->len, 0, file->size - event->len);
        replay_grow(file, event->len);
        file->size = event->len;
        break;
    default:
        if (event->op == REPLAY_PUNCH && event->off + event->len > file->size) {
            if (event->off >= file->size)
                break; /* a hole beyond the end changes nothing */
            replay_put(file, event, 0, file->size - event->off);
        } else if (fate == 1) {
            replay_put(file, event, 0, event->len);
        } else {
            for (uint64_t at = 0; at < event->len; at += REPLAY_SECTOR) {
                if (replay_random(2) == 0)
                    replay_put(file, event, at,
                               event->len - at < REPLAY_SECTOR ? event->len - at : REPLAY_SECTOR);
            }
        }
        break;
    }
}

static inline void replay_write_out(const ReplayDisk *disk, const char *target)
{
    char path[1024];

    snprintf(path, sizeof(path), "rm -rf '%s'", target);
    if (system(path) != 0 || mkdir(target, 0700) != 0)
        abort();
    for (int pass = 0; pass < 2; pass++) { /* folders first */
        for (int i = 0; i < disk->nnames; i++) {
            const ReplayName *name = &disk->names[i];

            snprintf(path, sizeof(path), "%s/%s", target, name->name);
            if (pass == 0 && name->file < 0 && strcmp(name->name, ".") != 0) {
                if (mkdir(path, 0700) != 0 && errno != EEXIST)
                    abort();
            } else if (pass == 1 && name->file >= 0) {
                const ReplayFile *file = &disk->files[name->file];
                int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

                /* Zeros become holes: most of a prepared segment is. */
                if (fd < 0 || ftruncate(fd, (off_t)file->size) != 0)
                    abort();
                for (uint64_t at = 0; at < file->size; at += 4096) {
                    static const char ZEROS[4096];
                    size_t n = file->size - at < 4096 ? file->size - at : 4096;

                    if (memcmp(file->content + at, ZEROS, n) != 0 &&
                        pwrite(fd, file->content + at, n, (off_t)at) != (ssize_t)n)
                        abort();
                }
                close(fd);
            }
        }
    }
}

/*
 * Makes in `target` (emptied first) what a disk may show after a cut at event `cut`; sets replay_marks.  The same
 * seed gives the same.
 */
static inline void replay_cut(uint32_t cut, const char *target, uint64_t seed)
{
    ReplayDisk disk = {0};
    uint32_t *done = calloc(cut + 1, sizeof(uint32_t)); /* event -> when it returned; 0: not before the cut */
    uint32_t *name_ops = calloc(cut + 1, sizeof(uint32_t));
    uint32_t nnames = 0, names_safe = 0, names_kept;
    int *file_of = calloc(cut + 1, sizeof(int)); /* CREATE -> index of the file it made */

    replay_random_state = seed * 0x2545f4914f6cdd1dull + cut;
    memset(replay_marks, 0, sizeof(replay_marks));
    for (uint32_t i = 0; i < cut; i++) {
        const ReplayEvent *event = &replay_shared->event[i];

        if (event->op == REPLAY_DONE)
            done[event->refers] = i;
    }

    /* Which changes belong to which file, and in which order the names changed. */
    for (uint32_t i = 0; i < cut; i++) {
        const ReplayEvent *event = &replay_shared->event[i];
        int index;

        switch (event->op) {
        case REPLAY_MARK:
            if (event->off > replay_marks[event->who % REPLAY_MARKS])
                replay_marks[event->who % REPLAY_MARKS] = event->off;
            break;
        case REPLAY_CREATE:
            index = replay_find_file(&disk, event->file);
            if (index >= 0)
                disk.files[index].file = 0; /* the number now means another file */
            if (disk.nfiles % 64 == 0)
                disk.files = realloc(disk.files, sizeof(ReplayFile) * (size_t)(disk.nfiles + 64));
            file_of[i] = disk.nfiles;
            disk.files[disk.nfiles++] = (ReplayFile){.file = event->file};
            name_ops[nnames++] = i;
            break;
        case REPLAY_MKDIR:
        case REPLAY_RENAME:
        case REPLAY_UNLINK:
            name_ops[nnames++] = i;
            break;
        case REPLAY_SYNC_DIR:
            if (done[i])
                names_safe = nnames;
            break;
        case REPLAY_WRITE:
        case REPLAY_PUNCH:
        case REPLAY_EXTEND:
        case REPLAY_TRUNCATE:
        case REPLAY_SYNC:
            index = replay_find_file(&disk, event->file);
            if (index >= 0) {
                ReplayFile *file = &disk.files[index];

                if (file->nwrites == file->room) {
                    file->room = file->room * 2 + 64;
                    file->writes = realloc(file->writes, file->room * sizeof(uint32_t));
                }
                file->writes[file->nwrites++] = i;
            }
            break;
        default:
            break;
        }
    }

    /* Contents: a change is safe when a sync of its file was issued after it returned, and itself returned. */
    for (int f = 0; f < disk.nfiles; f++) {
        ReplayFile *file = &disk.files[f];
        uint32_t last_sync = 0;

        for (uint32_t w = 0; w < file->nwrites; w++) {
            if (replay_shared->event[file->writes[w]].op == REPLAY_SYNC && done[file->writes[w]])
                last_sync = file->writes[w];
        }
        for (uint32_t w = 0; w < file->nwrites; w++) {
            uint32_t i = file->writes[w];
            const ReplayEvent *event = &replay_shared->event[i];

            if (event->op != REPLAY_SYNC)
                replay_apply(file, event, done[i] != 0 && (event->direct_sync || done[i] < last_sync));
        }
    }

    /* Names: in order, to any point not before the last folder sync. */
    names_kept = names_safe + (uint32_t)replay_random(nnames - names_safe + 1);
    for (uint32_t n = 0; n < names_kept; n++) {
        const ReplayEvent *event = &replay_shared->event[name_ops[n]];
        const char *name = replay_at(event->data);
        ReplayName *old;

        switch (event->op) {
        case REPLAY_CREATE:
            replay_set_name(&disk, name, file_of[name_ops[n]]);
            break;
        case REPLAY_MKDIR:
            replay_set_name(&disk, name, -1);
            break;
        case REPLAY_UNLINK:
            replay_drop_name(&disk, name);
            break;
        default:
            old = replay_find_name(&disk, name);
            if (old != NULL) {
                int file = old->file;

                replay_drop_name(&disk, name);
                replay_set_name(&disk, replay_at(event->data2), file);
            }
            break;
        }
    }
    replay_write_out(&disk, target);

    for (int f = 0; f < disk.nfiles; f++) {
        free(disk.files[f].content);
        free(disk.files[f].writes);
    }
    free(disk.files);
    free(disk.names);
    free(done);
    free(name_ops);
    free(file_of);
}

#endif
