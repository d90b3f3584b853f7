/* heap_private.h -- pages and their side tables, shared by the files of vm/heap
 *
 * The heap is one reserved range of addresses, cut into pages of 64 KiB; the page of an address
 * is one subtraction and shift away.  All that the collector writes while marking (marks, pins,
 * counts) lies in the HeapPage, never in the objects: pages inherited from the boot process stay shared.
 *
 * Invariants:
 *   P1  A cell whose header has type T_FREE is free: header 0, or 8 + the new address after an evacuation.
 *   P2  Free cells of a page, outside of the current run, form runs; each begins with FreeRun.
 *   P3  Marks and pins are valid from the start of a collection to the start of the next.
 */
#ifndef VM_HEAP_PRIVATE_H
#define VM_HEAP_PRIVATE_H

#include "lib/base.h"
#include "vm/heap.h"

#define PAGE_SHIFT 16
#define HEAP_PAGE_SIZE ((size_t)1 << PAGE_SHIFT)
#define PAGE_WORDS (HEAP_PAGE_SIZE / 16 / 64)
#define CLASS_LARGE HEAP_CLASSES /* one object on pages of its own */

typedef enum { PAGE_UNUSED, PAGE_SMALL, PAGE_LARGE, PAGE_LARGE_TAIL } PageKind;

typedef struct HeapPage {
    uint32_t cell_size; /* LARGE: 0 */
    uint32_t ncells;
    uint32_t magic;     /* cell index = offset * magic >> 32 */
    uint8_t kind, size_class;
    bool fresh;         /* made by the evacuation under way: nothing in it moves again */
    bool boot;          /* sealed: nothing is allocated here any more */
    bool warm;          /* UNUSED: may still hold memory */
    bool listed;        /* on its class's list of pages with free runs */
    uint32_t npages;    /* LARGE: length; LARGE_TAIL: distance to the head */
    uint32_t live;      /* after the last sweep */
    uint32_t first_run; /* offset + 1 of the first free run, 0: none */
    struct HeapPage *next;
    uint64_t *oids;     /* by cell; NULL while no object of the page has an oid; valid where the header says OF_OID */
    uint64_t mark[PAGE_WORDS];
    uint64_t pin[PAGE_WORDS];
} HeapPage;

typedef struct FreeRun {
    uint64_t head; /* 0 */
    uint32_t end;  /* offset of the first byte behind the run */
    uint32_t next; /* offset + 1 of the next run of the page, 0: none */
} FreeRun;

typedef struct Heap {
    char *base;
    size_t reserved, used; /* bytes; used: high-water mark of pages ever handed out */
    HeapPage *pages;       /* side table, one row a page */
    HeapPage *avail[HEAP_CLASSES];
    HeapPage *current[HEAP_CLASSES]; /* page of heap_runs[c] */
    HeapPage *unused;
    uint64_t page_count;   /* in use */
    uint64_t since;        /* bytes handed out since the last collection, malloc included */
    uint64_t threshold;    /* collect when `since` reaches it */
    uint64_t malloc_bytes;
    bool collecting, wanted, modes_on;
    void (*watcher)(Value v); /* heap_watch_allocations; like a mode, it sends every allocation to the slow path */
    bool pressure;         /* this collection forgets clean persistent objects */
    uint64_t forgotten;
    GcStats stats;
} Heap;

extern Heap heap;
extern const TypeRow *heap_rows[T_COUNT];

static inline char *page_start(const HeapPage *p)
{
    return heap.base + ((size_t)(p - heap.pages) << PAGE_SHIFT);
}
static inline HeapPage *page_of(const void *address) /* the address must lie in the heap */
{
    return &heap.pages[(size_t)((const char *)address - heap.base) >> PAGE_SHIFT];
}
static inline uint32_t cell_index(const HeapPage *p, const void *address)
{
    return (uint32_t)(((uint64_t)((uintptr_t)address & (HEAP_PAGE_SIZE - 1)) * p->magic) >> 32);
}
static inline bool bit_test(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}
static inline void bit_set(uint64_t *bits, uint32_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}

/* The live object that a bit pattern points at or into: 0 when none. */
Value heap_object_at(uint64_t word);
/* A fresh, empty page for class c; NULL when the range is used up. */
HeapPage *page_new_small(unsigned c);
void page_release(HeapPage *p);
void pages_cool(void); /* gives memory of unused pages back, but for some */
uint64_t heap_limit_bytes(void);
/* Builds the free runs of a small page whose dead cells have header 0; sets live. */
void page_build_runs(HeapPage *p);
void page_list(HeapPage *p);
/* Gives the current runs back to their pages (before a collection). */
void heap_retire_runs(void);
/* Frees what the object owns outside its cell. */
void heap_free_object(Object *o);
void heap_visit_object(Object *o, Visitor *v);
/* The embedded-slots and side-table parts of moving and freeing live with their owner: */
typedef struct SideHooks {
    void (*visit)(Object *, Visitor *); /* OF_IVARS: references in the side table */
    void (*drop)(Object *);             /* OF_IVARS, OF_ID: the object died */
    void (*moved)(Object *to, Object *from);
} SideHooks;
extern SideHooks heap_side;
void heap_finalizer_dead(Object *o); /* OF_FINALIZER: queue its procs */

#endif
