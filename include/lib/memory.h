/*
 * memory.h: memory contexts, the only way to ordinary C memory.
 *
 * A context owns all that is allocated in it; resetting or deleting it frees the lot, children included, so that an
 * error in the middle of something leaks nothing.  Allocation never returns NULL: it raises ERR_OUT_OF_MEMORY.
 * Every block is 16-byte aligned.  A context belongs to one process (and one OS thread at a time).
 *
 * After fork the child owns copies of all contexts.
 */
#ifndef LIB_MEMORY_H
#define LIB_MEMORY_H

#include "lib/base.h"

typedef struct MemoryContext MemoryContext;

/* The root of all contexts, made by lib_init (or on first use).  Never reset it. */
MemoryContext *memctx_top(void);

/* Makes a context below `parent` (NULL: below the root).  `name` is kept by reference: pass a literal. */
MemoryContext *memctx_create(MemoryContext *parent, const char *name);

/* Frees everything allocated in `ctx` and deletes its children.  The context itself stays usable. */
void memctx_reset(MemoryContext *ctx);

/* Frees the context, all its children and all that is in them.  NULL does nothing. */
void memctx_delete(MemoryContext *ctx);

/* Calls fn(arg) when `ctx` is next reset or deleted (once, last registered first, before its memory goes). */
void memctx_on_reset(MemoryContext *ctx, void (*fn)(void *arg), void *arg);

/* The fiber's current context: a default for callees that take none.  `switch` returns the previous one. */
MemoryContext *memctx_current(void);
MemoryContext *memctx_switch(MemoryContext *ctx);

const char *memctx_name(const MemoryContext *ctx);
MemoryContext *memctx_parent(const MemoryContext *ctx);

void *mem_alloc(MemoryContext *ctx, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));
void *mem_zalloc(MemoryContext *ctx, size_t n) __attribute__((malloc, alloc_size(2), returns_nonnull));
/* Like mem_alloc, but NULL instead of an error. */
void *mem_alloc_or_null(MemoryContext *ctx, size_t n) __attribute__((malloc, alloc_size(2)));
/* n * size with an overflow check. */
void *mem_alloc_array(MemoryContext *ctx, size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* `p` NULL: allocates in `ctx`.  Else `p` stays in the context that it came from and `ctx` is ignored. */
void *mem_realloc(MemoryContext *ctx, void *p, size_t n) __attribute__((returns_nonnull));
char *mem_strdup(MemoryContext *ctx, const char *s);
char *mem_strndup(MemoryContext *ctx, const char *s, size_t n);
void *mem_dup(MemoryContext *ctx, const void *p, size_t n);
char *mem_printf(MemoryContext *ctx, const char *format, ...) PRINTF_LIKE(2, 3);
/* Frees one block.  NULL does nothing. */
void mem_free(void *p);
/* Bytes usable at `p` (at least what was asked for), and the context it came from. */
size_t mem_size(const void *p);
MemoryContext *mem_context_of(const void *p);

#define mem_new(ctx, Type) ((Type *)mem_zalloc((ctx), sizeof(Type)))

/* Accounting: bytes taken from malloc by this context, by it and all below it; blocks handed out and not freed. */
size_t memctx_bytes(const MemoryContext *ctx);
size_t memctx_bytes_total(const MemoryContext *ctx);
size_t memctx_live_blocks(const MemoryContext *ctx);
/* Calls fn for ctx and everything below it, with its depth. */
void memctx_walk(const MemoryContext *ctx, void (*fn)(const MemoryContext *, int depth, void *arg), void *arg);

/*
 * Test hook: the n-th allocation from now (1 = the next) fails as if malloc had; 0 switches it off.  With `sticky`
 * all later ones fail too.  mem_alloc_count counts allocations since the process began: run once, take the count,
 * then fail the 1st, the 2nd, ... until a run passes.  Frees and internal error records are never counted.
 */
void mem_fail_at(uint64_t nth, bool sticky);
uint64_t mem_alloc_count(void);

#endif
