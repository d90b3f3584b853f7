/*
 * refuse.c: loaded ahead of the C library (LD_PRELOAD), refuses one call of a kind in each life of a program, another one each
 * time: first the first, then one that is reached in a way no life was refused before, until a life passes whole.
 *
 *     LODE_REFUSE=KIND:FILE[:STEP]     memory   malloc, calloc, realloc and their like: ENOMEM
 *                                      map      mmap: ENOMEM
 *                                      process  fork: EAGAIN
 *
 * A program makes so many calls that the n-th, n = 1, 2, ..., would take days.  What matters is from where they are made:
 * a way is the return addresses of the nearest DEPTH callers, relative to their modules.  FILE keeps the ways that were
 * met, shared by all processes of all lives; crash/refusals.sh makes it and says when a life begins.  With STEP, so
 * many new ways less one pass before the next is refused: a sample.
 *
 * Only programs whose name begins with "lode" are refused anything.  FILE.log gets a line a refusal: process, program,
 * module+address of each caller (for addr2line; no module is the program itself).
 *
 * Oniguruma is refused nothing: in its parser it follows a pointer that it got no memory for (6.9.8), whatever we do.
 *
 * Blocks of memory contexts are cut from slabs: LODE_MEMORY=plain makes each a malloc of its own, to be seen here.
 * Not for sanitizer builds: their runtime stands where this does.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#define DEPTH 7
#define WAYS  (1u << 16)

typedef enum { KIND_NONE, KIND_MEMORY, KIND_MAP, KIND_PROCESS } Kind;

/* The file: crash/refusals.sh makes it, all zero, and clears `struck` before each life. */
typedef struct State {
    _Atomic uint32_t struck;  /* offset 0: this life had its refusal */
    _Atomic uint32_t passed;  /* 4: new ways since the last refusal */
    _Atomic uint64_t refused; /* 8: in all lives */
    _Atomic uint64_t way[WAYS];
} State;
_Static_assert(sizeof(State) == 16 + 8 * WAYS, "crash/refusals.sh knows the offsets");

static Kind wanted;
static State *state;
static unsigned step;
static char log_path[256];
static __thread bool inside; /* the unwinder may allocate */

typedef struct Walk {
    uintptr_t at[DEPTH + 2];
    unsigned n;
} Walk;

static _Unwind_Reason_Code walk_frame(struct _Unwind_Context *context, void *arg)
{
    Walk *w = arg;
    w->at[w->n++] = _Unwind_GetIP(context);
    return w->n < DEPTH + 2 ? _URC_NO_REASON : _URC_END_OF_STACK;
}

static uintptr_t in_module(uintptr_t address, const char **module)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)address, &found) != 0)
        return address;
    *module = found.dlfo_link_map->l_name;
    return address - (uintptr_t)found.dlfo_map_start;
}

/* False: this way was met before, or there is no room for more. */
static bool new_way(const Walk *w)
{
    const char *module = "";
    uint64_t hash = 14695981039346656037u;
    for (unsigned i = 2; i < w->n; i++)
        hash = (hash ^ in_module(w->at[i], &module)) * 1099511628211u;
    hash |= 1;
    for (unsigned probe = 0; probe < 64; probe++) {
        _Atomic uint64_t *slot = &state->way[(hash + probe) % WAYS];
        uint64_t is = 0;
        if (atomic_compare_exchange_strong(slot, &is, hash))
            return true;
        if (is == hash)
            return false;
    }
    return false;
}

static bool is_spared(const Walk *w)
{
    const char *module = "";
    in_module(w->at[2], &module);
    return strstr(module, "/libonig.") != NULL;
}

static void note(const Walk *w)
{
    char line[1024];
    int n = snprintf(line, sizeof line, "%d %s", (int)getpid(), program_invocation_short_name);
    for (unsigned i = 2; i < w->n && n < (int)sizeof line - 100; i++) {
        const char *module = "?";
        uintptr_t at = in_module(w->at[i], &module);
        n += snprintf(line + n, sizeof line - (size_t)n, " %s+0x%lx", *module ? module : "", (unsigned long)at);
    }
    line[n++] = '\n';
    int fd = (int)syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        syscall(SYS_write, fd, line, n);
        syscall(SYS_close, fd);
    }
}

static bool refuses(Kind kind)
{
    if (__builtin_expect(wanted != kind || inside || atomic_load_explicit(&state->struck, memory_order_relaxed), 1))
        return false;
    int err = errno;
    bool yes = false;
    Walk w = {.n = 0};
    inside = true;
    _Unwind_Backtrace(walk_frame, &w);
    if (w.n > 2 && !is_spared(&w) && new_way(&w) && atomic_fetch_add(&state->passed, 1) + 1 >= step &&
        atomic_exchange(&state->struck, 1) == 0) {
        atomic_store(&state->passed, 0);
        atomic_fetch_add(&state->refused, 1);
        note(&w);
        yes = true;
    }
    inside = false;
    errno = err;
    return yes;
}

/* ---- what stands before the C library's ---- */

extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n),
    *__libc_memalign(size_t alignment, size_t n);

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t n)
{
    return refuses(KIND_MEMORY) ? no_memory() : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return refuses(KIND_MEMORY) ? no_memory() : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return refuses(KIND_MEMORY) ? no_memory() : __libc_realloc(p, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
    return refuses(KIND_MEMORY) ? no_memory() : __libc_memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
    void *got = refuses(KIND_MEMORY) ? NULL : __libc_memalign(alignment, n);
    if (got == NULL)
        return ENOMEM;
    *p = got;
    return 0;
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if (refuses(KIND_MAP)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}

pid_t fork(void)
{
    static pid_t (*next)(void);
    if (next == NULL)
        next = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
    if (refuses(KIND_PROCESS)) {
        errno = EAGAIN;
        return -1;
    }
    return next();
}

__attribute__((constructor)) static void refuse_begin(void)
{
    static const char *const names[] = {"", "memory", "map", "process"};
    const char *spec = getenv("LODE_REFUSE");
    char kind[16], path[200];
    if (spec == NULL || strncmp(program_invocation_short_name, "lode", 4) != 0 ||
        sscanf(spec, "%15[^:]:%199[^:]:%u", kind, path, &step) < 2)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *p = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return;
    close(fd);
    state = p;
    snprintf(log_path, sizeof log_path, "%s.log", path);
    for (Kind k = KIND_MEMORY; k <= KIND_PROCESS; k++)
        if (strcmp(kind, names[k]) == 0)
            wanted = k;
}
