/*
 * shmem.c - reservations and the two mappings behind them.
 *
 * Why by name and in full: no allocator runs in shared memory after start, so nothing can fragment, leak or fail there
 * later.  Why a read-only alias: a wild store in the VM then hits the session that made it (DESIGN.md section 2).
 *
 * S1: the table of reservations is process-private and complete before shmem_create(); children inherit it.
 * S2: addresses are the same in every process, because mappings are made before the first fork and never after.
 */
#include "storage/shmem.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/config.h"
#include "lib/error.h"
#include "lib/io.h"

#define MAX_RESERVATIONS 32
#define SHMEM_ALIGN 4096
#define HUGE_PAGE ((size_t)2 << 20)

/* Hints only: far from heap, stack and the sanitizers' shadows.  Fixed, so that a debugger sees the same each time. */
#define ADDRESS_DENSE ((void *)0x200000000000)
#define ADDRESS_READONLY ((void *)0x280000000000)
#define ADDRESS_SPARSE ((void *)0x300000000000)

typedef struct Reservation {
    const char *name;
    ShmemKind kind;
    size_t size, offset;
} Reservation;

static struct {
    Reservation table[MAX_RESERVATIONS];
    unsigned count;
    size_t size[2];
    uint8_t *base[2];
    uint8_t *readonly;
    bool created;
} segment;

void shmem_reserve(const char *name, ShmemKind kind, size_t size)
{
    if (segment.created || segment.count == MAX_RESERVATIONS)
        ereport(ERROR, ERR_INTERNAL, errmsg("shared memory \"%s\" was reserved too late", name));
    Reservation *r = &segment.table[segment.count++];
    *r = (Reservation){ name, kind, size, segment.size[kind] };
    segment.size[kind] += ALIGN_UP(size, SHMEM_ALIGN);
}

static void *map_at(void *hint, size_t size, int prot, int flags, int fd)
{
    void *p = mmap(hint, size, prot, flags | MAP_FIXED_NOREPLACE, fd, 0);
    if (p == MAP_FAILED)
        p = mmap(NULL, size, prot, flags, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void map_dense(void)
{
    size_t size = ALIGN_UP(segment.size[SHMEM_DENSE], HUGE_PAGE);
    int fd = memfd_create("lodestone", MFD_CLOEXEC);
    /* All of it now: later a first touch could only die of SIGBUS. */
    if (fd < 0 || fallocate(fd, 0, 0, (off_t)size) != 0) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        errno = err;
        ereport(ERROR, ERR_OUT_OF_SHARED_MEMORY,
                errmsg("could not allocate %zu bytes of shared memory: %s", size, errno_text()),
                errhint("Lower page_cache_size, wal_buffers or max_sessions in lodestone.conf."));
    }
    segment.base[SHMEM_DENSE] = map_at(ADDRESS_DENSE, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
    segment.readonly = map_at(ADDRESS_READONLY, size, PROT_READ, MAP_SHARED, fd);
    close(fd);
    if (segment.base[SHMEM_DENSE] == NULL || segment.readonly == NULL)
        ereport(ERROR, ERR_OUT_OF_SHARED_MEMORY, errmsg("could not map shared memory: %s", errno_text()));
    if (conf.huge_pages != HUGE_PAGES_OFF)
        madvise(segment.base[SHMEM_DENSE], size, MADV_HUGEPAGE); /* advice: all targets hold without */
    segment.size[SHMEM_DENSE] = size;
}

void shmem_create(void)
{
    map_dense();
    size_t size = MAX(segment.size[SHMEM_SPARSE], (size_t)SHMEM_ALIGN);
    segment.size[SHMEM_SPARSE] = size;
    segment.base[SHMEM_SPARSE] =
        map_at(ADDRESS_SPARSE, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (segment.base[SHMEM_SPARSE] == NULL)
        ereport(ERROR, ERR_OUT_OF_SHARED_MEMORY,
                errmsg("could not map %zu bytes of address space: %s", size, errno_text()),
                errhint("Lower max_store_size in lodestone.conf."));
    segment.created = true;
}

void *shmem_attach(const char *name)
{
    for (unsigned i = 0; i < segment.count; i++)
        if (strcmp(segment.table[i].name, name) == 0)
            return segment.base[segment.table[i].kind] + segment.table[i].offset;
    ereport(ERROR, ERR_INTERNAL, errmsg("no shared memory was reserved as \"%s\"", name));
}

const void *shmem_readonly(const void *writable)
{
    return segment.readonly + ((const uint8_t *)writable - segment.base[SHMEM_DENSE]);
}

size_t shmem_size(void)
{
    return segment.size[SHMEM_DENSE];
}

void shmem_destroy(void)
{
    if (segment.base[SHMEM_DENSE] != NULL)
        munmap(segment.base[SHMEM_DENSE], segment.size[SHMEM_DENSE]);
    if (segment.readonly != NULL)
        munmap(segment.readonly, segment.size[SHMEM_DENSE]);
    if (segment.base[SHMEM_SPARSE] != NULL)
        munmap(segment.base[SHMEM_SPARSE], segment.size[SHMEM_SPARSE]);
    memset(&segment, 0, sizeof(segment));
}
