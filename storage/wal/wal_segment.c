/*
 * wal_segment.c - the files of the log: made, found, opened, recycled.
 *
 * A segment is a file of fixed size named by the position of its first byte.  It is written full of zeros and
 * synced, under another name, before it gets its own, and the folder is synced before prepared_end passes over
 * it: what lies below prepared_end needs no allocation and no metadata to be written.  A segment whose log
 * is no longer needed is renamed to be the next one ahead; its old bytes can't be mistaken (wal_record.c).
 *
 * Locks: the segment latch, held over I/O.  prepared_end and oldest change only under it.
 * A crash in here leaves "segment.new" (removed at the next start) or a prepared segment more.
 */
#include "storage/wal/wal_private.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/stop.h"

#define SEGMENT_NAME_LENGTH 20 /* 16 hex digits and ".wal" */
#define ZERO_CHUNK          (1u << 20)

void wal_segment_path(const Wal *wal, Lsn start, char *out, size_t size)
{
    snprintf(out, size, "%s/%016" PRIX64 ".wal", wal->directory, start);
}

static void new_segment_path(const char *directory, char *out, size_t size)
{
    snprintf(out, size, "%s/segment.new", directory);
}

/* Writes a zeroed segment under a passing name and moves it to `path`.  The folder is not synced yet. */
static void make_segment(const char *directory, const char *path, uint32_t size)
{
    char temporary[4096];
    volatile int fd = -1;
    uint8_t *volatile zeros = NULL;

    new_segment_path(directory, temporary, sizeof(temporary));
    TRY()
    {
        fd = io_open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        /* Asks for the room at once; a file system that can't is served by the writes below. */
        if (io.fallocate(fd, 0, 0, size) != 0 && errno == ENOSPC)
            ereport(ERROR, ERR_DISK_FULL, errmsg("no space for a segment of the log, \"%s\"", temporary),
                    errhint("Free space on the disk of the store; nothing was committed."));
        zeros = mem_zalloc(memctx_current(), MIN(size, ZERO_CHUNK));
        for (uint32_t at = 0; at < size; at += ZERO_CHUNK)
            io_write_at(fd, temporary, zeros, MIN(size - at, ZERO_CHUNK), at);
        io_sync_file(fd, temporary);
        io.close(fd);
        fd = -1;
        mem_free(zeros);
        zeros = NULL;
        STOP_POINT(WAL_SEGMENT_MADE);
        if (io.rename(temporary, path) != 0)
            ereport(ERROR, error_code_of_errno(errno),
                    errmsg("could not rename \"%s\" to \"%s\": %s", temporary, path, errno_text()));
    }
    CATCH(err)
    {
        if (fd >= 0)
            io.close(fd);
        mem_free(zeros);
        io.unlink(temporary);
        rethrow();
    }
    END_TRY();
}

Lsn wal_first_position(uint32_t segment_size)
{
    return segment_size; /* so that 0 stays "no position" */
}

void wal_create(const WalConfig *config)
{
    char path[4096];
    Lsn start = wal_first_position(config->segment_size);

    io_make_directory(config->directory, 0700);
    for (uint32_t i = 0; i < MAX(config->segments_ahead, 2u); i++, start += config->segment_size) {
        snprintf(path, sizeof(path), "%s/%016" PRIX64 ".wal", config->directory, start);
        make_segment(config->directory, path, config->segment_size);
    }
    io_sync_directory(config->directory);
}

/* Makes sure that segments reach to `upto`.  Raises ERR_DISK_FULL, ERR_IO; what was made before stays. */
void wal_segments_prepare(Wal *wal, Lsn upto)
{
    WalShared *shared = wal->shared;
    char path[4096];

    if (atomic_load(&shared->prepared_end) >= upto)
        return;
    latch_acquire(&shared->segment_latch, LATCH_EXCLUSIVE);
    for (;;) {
        Lsn end = atomic_load(&shared->prepared_end);

        if (end >= upto)
            break;
        wal_segment_path(wal, end, path, sizeof(path));
        make_segment(wal->directory, path, wal->config.segment_size);
        if (!MUTATION(WAL_FOLDER_SYNC))
            io_sync_directory(wal->directory);
        atomic_store(&shared->prepared_end, end + wal->config.segment_size);
        atomic_fetch_add_explicit(&shared->segments_made, 1, memory_order_relaxed);
    }
    latch_release(&shared->segment_latch);
}

/*
 * Makes one segment if fewer than segments_ahead are empty; for those with time on their hands.  A full disk is
 * no error here: who needs the space will say so.  Returns whether one more is wanted.
 */
bool wal_segments_prepare_soon(Wal *wal)
{
    WalShared *shared = wal->shared;
    Lsn end = atomic_load(&shared->prepared_end);
    Lsn goal = wal_insert_position(wal) + (Lsn)wal->config.segments_ahead * wal->config.segment_size;
    volatile bool made = false;

    if (end >= goal)
        return false;
    TRY()
    {
        wal_segments_prepare(wal, end + 1);
        made = true;
    }
    CATCH(err)
    {
        ereport(DEBUG1, err->code, errmsg("no log segment made ahead: %s", err->message));
    }
    END_TRY();
    return made && end + wal->config.segment_size < goal;
}

unsigned wal_recycle(Wal *wal, Lsn redo)
{
    WalShared *shared = wal->shared;
    uint32_t size = wal->config.segment_size;
    Lsn keep = wal_segment_start(wal, MUTATION(WAL_RECYCLE) ? atomic_load(&shared->durable) : redo);
    char from[4096], to[4096];
    unsigned given_up = 0;
    Lsn new_end;

    Assert(redo <= atomic_load(&shared->durable));
    latch_acquire(&shared->segment_latch, LATCH_EXCLUSIVE);
    new_end = atomic_load(&shared->prepared_end);
    for (Lsn start = atomic_load(&shared->oldest); start < keep; start += size, given_up++) {
        Lsn goal = wal_insert_position(wal) + (Lsn)wal->config.segments_ahead * size;

        wal_segment_path(wal, start, from, sizeof(from));
        STOP_POINT(WAL_RECYCLE);
        if (new_end < goal) {
            wal_segment_path(wal, new_end, to, sizeof(to));
            if (io.rename(from, to) != 0)
                ereport(ERROR, error_code_of_errno(errno),
                        errmsg("could not rename \"%s\" to \"%s\": %s", from, to, errno_text()));
            new_end += size;
            atomic_fetch_add_explicit(&shared->segments_recycled, 1, memory_order_relaxed);
        } else {
            if (io.unlink(from) != 0 && errno != ENOENT)
                ereport(ERROR, error_code_of_errno(errno),
                        errmsg("could not remove \"%s\": %s", from, errno_text()));
            atomic_fetch_add_explicit(&shared->segments_removed, 1, memory_order_relaxed);
        }
        atomic_store(&shared->oldest, start + size);
    }
    if (given_up > 0) {
        if (!MUTATION(WAL_FOLDER_SYNC))
            io_sync_directory(wal->directory);
        atomic_store(&shared->prepared_end, new_end); /* only now may credit rest on them */
    }
    latch_release(&shared->segment_latch);
    return given_up;
}

/* ---- finding ------------------------------------------------------------------------------------- */

static bool parse_segment_name(const char *name, Lsn *start)
{
    char *end;

    if (strlen(name) != SEGMENT_NAME_LENGTH || strcmp(name + 16, ".wal") != 0 ||
        strspn(name, "0123456789ABCDEF") != 16)
        return false;
    *start = strtoull(name, &end, 16);
    return end == name + 16 && *start != 0;
}

/*
 * Which segments are there?  Sets oldest, and prepared_end to where the unbroken row that holds `from` ends;
 * removes what lies beyond it and the remains of a crash.  Call when the end of the log is known.
 */
void wal_segments_survey(Wal *wal, Lsn from)
{
    WalShared *shared = wal->shared;
    uint32_t size = wal->config.segment_size;
    Lsn oldest = wal_segment_start(wal, from), end = oldest, start;
    char path[4096];
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    while (wal_segment_path(wal, end, path, sizeof(path)), io.stat(path, &st) == 0 && st.st_size == size)
        end += size;
    while (oldest > size && (wal_segment_path(wal, oldest - size, path, sizeof(path)), io.stat(path, &st) == 0))
        oldest -= size;

    dir = opendir(wal->directory);
    if (dir == NULL)
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not read folder \"%s\": %s", wal->directory, errno_text()));
    while ((entry = readdir(dir)) != NULL) {
        bool segment = parse_segment_name(entry->d_name, &start);

        if ((segment && (start >= end || start < oldest)) || strcmp(entry->d_name, "segment.new") == 0) {
            if (snprintf(path, sizeof(path), "%s/%s", wal->directory, entry->d_name) < (int)sizeof(path))
                io.unlink(path);
        }
    }
    closedir(dir);
    io_sync_directory(wal->directory);
    atomic_store(&shared->oldest, oldest);
    atomic_store(&shared->prepared_end, end);
}

/* The first segment there is that starts at `lsn` or later; LSN_NONE when there is none. */
Lsn wal_segment_next(const Wal *wal, Lsn lsn)
{
    DIR *dir = opendir(wal->directory);
    struct dirent *entry;
    Lsn start, first = LSN_NONE;

    if (dir == NULL)
        return LSN_NONE;
    while ((entry = readdir(dir)) != NULL) {
        if (parse_segment_name(entry->d_name, &start) && start >= lsn && start % wal->config.segment_size == 0 &&
            (first == LSN_NONE || start < first))
            first = start;
    }
    closedir(dir);
    return first;
}

/* ---- opening ------------------------------------------------------------------------------------- */

int wal_segment_open_read(const Wal *wal, Lsn start)
{
    char path[4096];
    int fd;

    wal_segment_path(wal, start, path, sizeof(path));
    fd = io.open(path, O_RDONLY, 0);
    if (fd < 0 && errno != ENOENT)
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not open log segment \"%s\": %s", path, errno_text()));
    return fd;
}

static int sync_flags(WalSyncMethod method)
{
    switch (method) {
    case WAL_SYNC_OPEN_DATASYNC:
        return O_DSYNC;
    case WAL_SYNC_OPEN_SYNC:
        return O_SYNC;
    default:
        return 0;
    }
}

/*
 * The descriptor of the segment at `start`, opened as the sync method wants.  Each process keeps a few open: a
 * position is written once, so an entry can't come to mean a recycled file.
 */
int wal_segment_open(Wal *wal, Lsn start)
{
    WalShared *shared = wal->shared;
    int flags = O_WRONLY | sync_flags(wal->config.sync_method);
    char path[4096];
    WalFile *file;
    int fd = -1;

    for (unsigned i = 0; i < WAL_OPEN_FILES; i++) {
        if (wal->files[i].start == start)
            return wal->files[i].fd;
    }
    wal_segment_path(wal, start, path, sizeof(path));
    if (wal->config.direct_io && !atomic_load_explicit(&shared->direct_refused, memory_order_relaxed)) {
        fd = io.open(path, flags | O_DIRECT, 0);
        if (fd < 0 && errno == EINVAL && atomic_exchange(&shared->direct_refused, 1) == 0)
            ereport(WARNING, ERR_IO,
                    errmsg("the file system of \"%s\" has no direct I/O; the log goes through its cache",
                           wal->directory),
                    errhint("Commits may be slower; they are as durable."));
    }
    if (fd < 0)
        fd = io_open_file(path, flags, 0);

    file = &wal->files[wal->next_file];
    wal->next_file = (wal->next_file + 1) % WAL_OPEN_FILES;
    if (file->start != LSN_NONE)
        io.close(file->fd);
    *file = (WalFile){.start = start, .fd = fd};
    return fd;
}

void wal_segments_close(Wal *wal)
{
    for (unsigned i = 0; i < WAL_OPEN_FILES; i++) {
        if (wal->files[i].start != LSN_NONE)
            io.close(wal->files[i].fd);
        wal->files[i].start = LSN_NONE;
    }
}

/* Makes [from, to) durable whoever wrote it and however: after recovery has believed it. */
void wal_segments_sync(Wal *wal, Lsn from, Lsn to)
{
    for (Lsn start = wal_segment_start(wal, from); start < to; start += wal->config.segment_size) {
        int fd = wal_segment_open_read(wal, start);
        char path[4096];

        wal_segment_path(wal, start, path, sizeof(path));
        if (fd < 0)
            continue;
        TRY()
        {
            io_sync_data(fd, path);
        }
        CATCH(err)
        {
            io.close(fd);
            rethrow();
        }
        END_TRY();
        io.close(fd);
    }
}
