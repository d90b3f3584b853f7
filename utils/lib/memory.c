/*
 * memory.c: memory contexts.
 *
 * Small blocks (up to SMALL_MAX) are cut from growing slabs, one free list a size class; larger ones come from malloc
 * one by one and hang on a list of their context.  Four classes to each doubling keep waste below a fifth.  Under a
 * sanitizer, and with LODE_MEMORY=plain in the environment, every block is a malloc of its own: for whoever looks for
 * overruns and use after free, or refuses allocations one by one.
 *
 *     slab:  | Slab | Chunk | bytes ... | Chunk | bytes ... | unused
 *     large: | Large | Chunk | bytes ...
 *
 * Invariants.  M1: Chunk.size is the usable size; < small_end means "in a slab of its context"; so small_end never
 * changes once there are blocks.
 * M2: a context's `bytes` is what it holds of malloc, its own struct left out.
 * Not thread-safe: contexts belong to one thread.
 */
#include "lib/memory.h"
#include "lib/error.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define SMALL_MAX      8192
#define CLASS_COUNT    32
#define SLAB_FIRST     ((size_t)4096)
#define SLAB_MOST      ((size_t)256 * 1024)
#define ALLOCATION_MAX ((size_t)1 << 47)

typedef struct Chunk {
    MemoryContext *ctx;
    size_t size;
} Chunk;
_Static_assert(sizeof(Chunk) == 16, "blocks are 16-byte aligned");

typedef struct FreeChunk {
    Chunk head;
    struct FreeChunk *next;
} FreeChunk;

typedef struct Slab {
    struct Slab *next;
    size_t size;
} Slab;

typedef struct Large {
    struct Large *next;
    struct Large *prev;
} Large;

typedef struct OnReset {
    struct OnReset *next;
    void (*fn)(void *);
    void *arg;
} OnReset;

struct MemoryContext {
    const char *name;
    MemoryContext *parent;
    MemoryContext *child; /* first */
    MemoryContext *next;  /* sibling */
    MemoryContext *prev;
    Slab *slabs;
    char *fill;
    char *fill_end;
    size_t slab_size; /* of the next slab */
    Large *large;
    OnReset *on_reset;
    size_t bytes;
    size_t live;
    FreeChunk *free[CLASS_COUNT];
};

#ifdef LODE_SANITIZE
static size_t small_end = 0;
#else
static size_t small_end = SMALL_MAX + 1;
#endif
static MemoryContext top_context = {.name = "top", .slab_size = SLAB_FIRST};
static uint64_t alloc_count;
static uint64_t fail_at;
static bool fail_sticky;

/* Ahead of main: other constructors have no contexts. */
__attribute__((constructor)) static void choose_small_end(void)
{
    const char *how = getenv("LODE_MEMORY");
    if (how && strcmp(how, "plain") == 0)
        small_end = 0;
}

MemoryContext *memctx_top(void)
{
    return &top_context;
}

const char *memctx_name(const MemoryContext *ctx)
{
    return ctx->name;
}

MemoryContext *memctx_parent(const MemoryContext *ctx)
{
    return ctx->parent;
}

/* ---- size classes: 16, 32, ..., 128 and then four to each doubling ---- */

static unsigned class_of(size_t n)
{
    if (n <= 128)
        return n == 0 ? 0 : (unsigned)((n - 1) / 16);
    unsigned log = 63 - (unsigned)__builtin_clzl(n - 1); /* 2^log <= n-1 < 2^(log+1), log >= 7 */
    return 8 + (log - 7) * 4 + (unsigned)(((n - 1) >> (log - 2)) & 3);
}

static size_t class_size(unsigned c)
{
    if (c < 8)
        return (size_t)(c + 1) * 16;
    unsigned log = 7 + (c - 8) / 4;
    return ((size_t)1 << log) + ((size_t)((c - 8) % 4 + 1) << (log - 2));
}

/* ---- failing on purpose ---- */

void mem_fail_at(uint64_t nth, bool sticky)
{
    fail_at = nth == 0 ? 0 : alloc_count + nth;
    fail_sticky = sticky;
}

uint64_t mem_alloc_count(void)
{
    return alloc_count;
}

static bool must_fail(void)
{
    alloc_count++;
    if (likely(fail_at == 0))
        return false;
    return alloc_count == fail_at || (fail_sticky && alloc_count > fail_at);
}

/* ---- allocation ---- */

static void *large_alloc(MemoryContext *ctx, size_t n, bool zero)
{
    size_t total = sizeof(Large) + sizeof(Chunk) + n;
    Large *l = zero ? calloc(1, total) : malloc(total);
    if (l == NULL)
        return NULL;
    l->prev = NULL;
    l->next = ctx->large;
    if (l->next)
        l->next->prev = l;
    ctx->large = l;
    ctx->bytes += total;
    ctx->live++;
    Chunk *c = (Chunk *)(l + 1);
    c->ctx = ctx;
    c->size = n;
    return c + 1;
}

static void *small_alloc(MemoryContext *ctx, size_t n)
{
    unsigned class = class_of(n);
    FreeChunk *f = ctx->free[class];
    if (f) {
        ctx->free[class] = f->next;
        ctx->live++;
        return &f->head + 1;
    }
    size_t size = class_size(class);
    if ((size_t)(ctx->fill_end - ctx->fill) < sizeof(Chunk) + size) {
        size_t want = ctx->slab_size;
        while (want < sizeof(Slab) + sizeof(Chunk) + size)
            want *= 2;
        Slab *s = malloc(want);
        if (s == NULL)
            return NULL;
        if (ctx->slab_size < SLAB_MOST)
            ctx->slab_size *= 2;
        s->next = ctx->slabs;
        s->size = want;
        ctx->slabs = s;
        ctx->bytes += want;
        ctx->fill = (char *)(s + 1);
        ctx->fill_end = (char *)s + want;
    }
    Chunk *c = (Chunk *)ctx->fill;
    ctx->fill += sizeof(Chunk) + size;
    c->ctx = ctx;
    c->size = size;
    ctx->live++;
    return c + 1;
}

static void *alloc(MemoryContext *ctx, size_t n, bool zero)
{
    if (unlikely(must_fail() || n > ALLOCATION_MAX))
        return NULL;
    if (n < small_end) {
        void *p = small_alloc(ctx, n);
        if (p && zero)
            memset(p, 0, n);
        return p;
    }
    return large_alloc(ctx, MAX(n, (size_t)1), zero);
}

NORETURN static void out_of_memory(const MemoryContext *ctx, size_t n)
{
    ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("out of memory"),
            errdetail("Failed on a request of %zu bytes in memory context \"%s\".", n, ctx->name));
    __builtin_unreachable();
}

void *mem_alloc(MemoryContext *ctx, size_t n)
{
    void *p = alloc(ctx, n, false);
    if (unlikely(p == NULL))
        out_of_memory(ctx, n);
    return p;
}

void *mem_zalloc(MemoryContext *ctx, size_t n)
{
    void *p = alloc(ctx, n, true);
    if (unlikely(p == NULL))
        out_of_memory(ctx, n);
    return p;
}

void *mem_alloc_or_null(MemoryContext *ctx, size_t n)
{
    return alloc(ctx, n, false);
}

void *mem_alloc_array(MemoryContext *ctx, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total))
        out_of_memory(ctx, SIZE_MAX);
    return mem_alloc(ctx, total);
}

static Chunk *chunk_of(const void *p)
{
    Chunk *c = (Chunk *)p - 1;
    Assert(c->ctx != NULL);
    return c;
}

static bool is_small(const Chunk *c)
{
    return c->size < small_end;
}

void mem_free(void *p)
{
    if (p == NULL)
        return;
    Chunk *c = chunk_of(p);
    MemoryContext *ctx = c->ctx;
    Assert(ctx->live > 0);
    ctx->live--;
    if (is_small(c)) {
#ifdef LODE_DEBUG
        memset(p, 0x7f, c->size);
#endif
        FreeChunk *f = (FreeChunk *)c;
        unsigned class = class_of(c->size);
        f->next = ctx->free[class];
        ctx->free[class] = f;
        return;
    }
    Large *l = (Large *)c - 1;
    ctx->bytes -= sizeof(Large) + sizeof(Chunk) + c->size;
    if (l->prev)
        l->prev->next = l->next;
    else
        ctx->large = l->next;
    if (l->next)
        l->next->prev = l->prev;
    free(l);
}

void *mem_realloc(MemoryContext *ctx, void *p, size_t n)
{
    if (p == NULL)
        return mem_alloc(ctx, n);
    Chunk *c = chunk_of(p);
    if (n <= c->size && (is_small(c) || n >= c->size / 2))
        return p;
    if (is_small(c) || n < small_end) {
        void *q = mem_alloc(c->ctx, n);
        memcpy(q, p, MIN(n, c->size));
        mem_free(p);
        return q;
    }
    if (must_fail() || n > ALLOCATION_MAX)
        out_of_memory(c->ctx, n);
    n = MAX(n, (size_t)1);
    Large *old = (Large *)c - 1;
    MemoryContext *owner = c->ctx;
    size_t old_size = c->size;
    Large *l = realloc(old, sizeof(Large) + sizeof(Chunk) + n);
    if (l == NULL)
        out_of_memory(owner, n);
    if (l->prev)
        l->prev->next = l;
    else
        owner->large = l;
    if (l->next)
        l->next->prev = l;
    owner->bytes += n - old_size;
    c = (Chunk *)(l + 1);
    c->size = n;
    return c + 1;
}

size_t mem_size(const void *p)
{
    return chunk_of(p)->size;
}

MemoryContext *mem_context_of(const void *p)
{
    return chunk_of(p)->ctx;
}

/* ---- conveniences ---- */

void *mem_dup(MemoryContext *ctx, const void *p, size_t n)
{
    void *q = mem_alloc(ctx, n);
    if (n > 0)
        memcpy(q, p, n);
    return q;
}

char *mem_strndup(MemoryContext *ctx, const char *s, size_t n)
{
    n = strnlen(s, n);
    char *q = mem_alloc(ctx, n + 1);
    memcpy(q, s, n);
    q[n] = 0;
    return q;
}

char *mem_strdup(MemoryContext *ctx, const char *s)
{
    return mem_dup(ctx, s, strlen(s) + 1);
}

char *mem_printf(MemoryContext *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *q = mem_alloc(ctx, (size_t)n + 1);
    va_start(args, format);
    vsnprintf(q, (size_t)n + 1, format, args);
    va_end(args);
    return q;
}

/* ---- contexts ---- */

MemoryContext *memctx_create(MemoryContext *parent, const char *name)
{
    if (parent == NULL)
        parent = &top_context;
    MemoryContext *ctx = must_fail() ? NULL : calloc(1, sizeof *ctx);
    if (ctx == NULL)
        out_of_memory(parent, sizeof *ctx);
    ctx->name = name;
    ctx->parent = parent;
    ctx->slab_size = SLAB_FIRST;
    ctx->next = parent->child;
    if (ctx->next)
        ctx->next->prev = ctx;
    parent->child = ctx;
    return ctx;
}

void memctx_on_reset(MemoryContext *ctx, void (*fn)(void *), void *arg)
{
    OnReset *r = mem_alloc(ctx, sizeof *r);
    *r = (OnReset){ctx->on_reset, fn, arg};
    ctx->on_reset = r;
}

void memctx_reset(MemoryContext *ctx)
{
    while (ctx->child)
        memctx_delete(ctx->child);
    while (ctx->on_reset) {
        OnReset *r = ctx->on_reset;
        ctx->on_reset = r->next;
        r->fn(r->arg);
    }
    while (ctx->slabs) {
        Slab *s = ctx->slabs;
        ctx->slabs = s->next;
        free(s);
    }
    while (ctx->large) {
        Large *l = ctx->large;
        ctx->large = l->next;
        free(l);
    }
    ctx->fill = ctx->fill_end = NULL;
    ctx->slab_size = SLAB_FIRST;
    ctx->bytes = 0;
    ctx->live = 0;
    memset(ctx->free, 0, sizeof ctx->free);
}

void memctx_delete(MemoryContext *ctx)
{
    if (ctx == NULL)
        return;
    Assert(ctx != &top_context);
    Assert(ctx != memctx_current());
    memctx_reset(ctx);
    if (ctx->prev)
        ctx->prev->next = ctx->next;
    else
        ctx->parent->child = ctx->next;
    if (ctx->next)
        ctx->next->prev = ctx->prev;
    free(ctx);
}

/* ---- accounting ---- */

size_t memctx_bytes(const MemoryContext *ctx)
{
    return ctx->bytes;
}

size_t memctx_live_blocks(const MemoryContext *ctx)
{
    return ctx->live;
}

size_t memctx_bytes_total(const MemoryContext *ctx)
{
    size_t sum = ctx->bytes;
    for (const MemoryContext *c = ctx->child; c; c = c->next)
        sum += memctx_bytes_total(c);
    return sum;
}

static void walk(const MemoryContext *ctx, int depth, void (*fn)(const MemoryContext *, int, void *), void *arg)
{
    fn(ctx, depth, arg);
    for (const MemoryContext *c = ctx->child; c; c = c->next)
        walk(c, depth + 1, fn, arg);
}

void memctx_walk(const MemoryContext *ctx, void (*fn)(const MemoryContext *, int, void *), void *arg)
{
    walk(ctx, 0, fn, arg);
}
