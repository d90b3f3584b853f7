/* heap_private.h -- pages and their side tables, shared by the files of vm/heap
 *
 * The heap is one reserved range of addresses, cut into pages of 64 KiB; the page of an address
 * is one subtraction and shift away.  All that the collector writes while marking lies beside the heap, a bit for each
 * 16 bytes of it: pages inherited from the boot process stay shared.  The invariants are in the README.
 */
#ifndef VM_HEAP_PRIVATE_H
#define VM_HEAP_PRIVATE_H

#include "lib/base.h"
#include "vm/heap.h"

#define PAGE_SHIFT 16
#define HEAP_PAGE_SIZE ((size_t)1 << PAGE_SHIFT)
#define PAGE_WORDS (HEAP_PAGE_SIZE / 16 / 64) /* words of a bit table for one page */
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
    bool touched;       /* cells were handed out since the last collection: only such pages hold young objects */
    bool unswept;       /* what has no mark is dead but not yet freed */
    uint32_t npages;    /* LARGE: length; LARGE_TAIL: distance to the head */
    uint32_t live;      /* after the last sweep */
    uint32_t first_run; /* offset + 1 of the first free run, 0: none */
    struct HeapPage *next;
    uint64_t *oids;     /* by cell; NULL while no object of the page has an oid; valid where the header says OF_OID */
    uint32_t *forward;  /* by cell, while objects slide: new place / 16 in the range, 0: not moved */
} HeapPage;

typedef struct FreeRun {
    uint64_t head; /* 0 */
    uint32_t end;  /* offset of the first byte behind the run */
    uint32_t next; /* offset + 1 of the next run of the page, 0: none */
} FreeRun;

typedef struct Values { /* C memory of the collector's own */
    Value *at;
    size_t n, cap;
} Values;

typedef struct Heap {
    char *base;
    size_t reserved, used;  /* bytes; used: high-water mark of pages ever handed out */
    HeapPage *pages;        /* side table, one row a page */
    uint64_t *mark, *pin, *remembered; /* side tables, one bit for 16 bytes */
    uint64_t *moved;        /* the same for what compaction moved, while heap_note_moves wants it; else NULL */
    HeapPage *avail[HEAP_CLASSES];
    HeapPage *unswept[HEAP_CLASSES + 1];
    HeapPage *current[HEAP_CLASSES]; /* page of heap_runs[c] */
    HeapPage *unused;
    uint64_t page_count;    /* in use */
    uint64_t unswept_count; /* pages */
    uint64_t sweep_pace;    /* pages to sweep for each 64 KiB handed out */
    uint64_t swept_at;      /* `since` at the last paced sweep */
    bool cooling;           /* unused pages may have memory to give back */
    uint64_t since;         /* bytes handed out since the last collection, malloc included */
    uint64_t stepped;       /* `since` at the last step of marking */
    uint64_t nursery;       /* collect the young when `since` reaches it */
    uint64_t live_bytes;    /* cells marked by the last collection */
    uint64_t major_at;      /* mark all anew when live_bytes and malloc_bytes reach it */
    uint64_t malloc_bytes;
    void (*watcher)(Value v); /* heap_watch_allocations; like a mode, it sends every allocation to the slow path */
    bool collecting, wanted, modes_on, sealed;
    bool marking;           /* a marking in steps is under way: of all, or, when young_only, of the young */
    bool young_only;        /* the collection under way, or the last one, left old objects alone */
    bool pressure;          /* this collection forgets clean persistent objects */
    uint64_t forgotten;
    uint64_t pressed_at;    /* bytes in use at which the next such collection is due */
    uint64_t logged_types;  /* a bit each: every store comes after obj_modify */
    uint64_t carded_types;  /* a bit each: big bodies have cards */
    Values remembered_list; /* old objects written since the last collection, or held by C code during it */
    Values always;          /* old objects of the other types */
    Values boot_remembered, boot_always; /* the same for boot objects: for good */
    unsigned marking_rounds; /* visits of roots and remembered objects when the steps had found no more */
    uint64_t visited;       /* bytes of objects, by all markings */
    uint64_t round_from;    /* `visited` at the beginning of a round */
    uint64_t freed[HEAP_CLASSES + 1], pages_taken[HEAP_CLASSES + 1]; /* by size class */
    bool marked_all;        /* since the last compaction */
    uint64_t compacted_bytes; /* live bytes at the last compaction: what stats.compact_ns was for */
    uint64_t held_then;     /* live_bytes and malloc_bytes after the last marking of all */
    uint64_t moved_last[T_COUNT], considered_last[T_COUNT]; /* by the last compaction, by type */
    HeapLast last;
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
/* The number of an object's bit in mark, pin and remembered. */
static inline size_t bit_of(Value v)
{
    return (size_t)((const char *)v - heap.base) >> 4;
}
static inline bool bit_test(const uint64_t *bits, size_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}
static inline void bit_set(uint64_t *bits, size_t i)
{
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}
static inline void bit_clear(uint64_t *bits, size_t i)
{
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}
static inline bool type_logged(uint64_t head)
{
    return heap.logged_types >> (head & OH_TYPE) & 1;
}
static inline bool type_carded(uint64_t head)
{
    return heap.carded_types >> (head & OH_TYPE) & 1;
}
static inline bool heap_marked(Value v)
{
    return bit_test(heap.mark, bit_of(v));
}
void values_grow(Values *);
static inline void values_push(Values *list, Value v)
{
    if (unlikely(list->n == list->cap))
        values_grow(list);
    list->at[list->n++] = v;
}

/* heap.c */
/* The live object that a bit pattern points at or into: 0 when none. */
Value heap_object_at(uint64_t word);
/* A fresh, empty page for class c; NULL when the range is used up. */
HeapPage *page_new_small(unsigned c);
void page_release(HeapPage *p);
/* Gives memory of at most so many unused pages back; a reserve keeps its memory. */
void pages_cool(uint64_t most);
void pages_release_all(void); /* of all unused pages */
uint64_t heap_limit_bytes(void);
bool page_has_pins(const HeapPage *p);
/* Gives the current runs back to their pages (before a collection). */
void heap_retire_runs(void);
/* Every allocation takes the slow path until runs are refilled: somebody wants a collection. */
void heap_close_runs(void);

/* mark.c */
void heap_visit_object(Object *o, Visitor *v);
void mark_start(void);             /* forgets all marks but boot's */
bool mark_step(uint64_t budget);   /* visits about so many bytes of objects; true when nothing is left to visit */
void mark_roots(void);             /* what C code holds (pinned), roots, visitors, boot objects that were written */
void mark_old(void);               /* remembered objects and those of types that do not log */
void mark_hold_stack(void);        /* pins what C code holds now, before a step */
/* Objects were moved: the list of remembered ones and their bits follow. */
void mark_follow_remembered(Value (*forward)(Value));
void mark_clear_weak(void);
/* Calls every visitor of roots with v; moving code updates by it. */
void roots_visit(Visitor *v);
void mark_run_weak_passes(bool (*alive)(Value), Value (*forward)(Value));
bool mark_alive(Value v);
void mark_verify_barrier(void);    /* after the marking of a young collection: aborts when it missed an object */

/* sweep.c */
void sweep_begin(void);            /* after marking: pages with dead objects wait to be swept */
enum { SWEEP_AT_ONCE = 64 };       /* pages, about a millisecond's work */
void sweep_some(unsigned c);       /* until class c has a free run or none of its pages waits; SWEEP_AT_ONCE at most */
void sweep_paced(void);            /* as many pages as what was handed out makes due */
void sweep_pages(uint64_t n);
void sweep_finish(void);
void heap_free_object(Object *o);  /* what the object owns outside its cell */
void page_build_runs(HeapPage *p); /* of a small page whose dead cells have header 0; sets live */
void page_list(HeapPage *p);

/* collect.c */
uint64_t heap_now_ns(void);          /* the processor's time: what other processes take in between is no pause of ours */
void heap_note_pause(uint64_t from); /* one that an allocation made ends now */
void heap_note_sweep(uint64_t from); /* the same, of a turn of sweeping */
bool heap_step_due(void);          /* at the slow path of an allocation: the collector wants to run */
void heap_collect_step(void);
void heap_collect_by_mode(void);   /* a debug mode's turn has come */

/* mutation.c */
typedef enum { BARRIER_OFF_NONE, BARRIER_OFF_WRITE, BARRIER_OFF_REMEMBER, BARRIER_OFF_CARD, BARRIER_OFF_ALWAYS, BARRIER_OFF_ROOTS } BarrierOff;
void heap_mutation_init(void); /* reads LODE_BARRIER_MUTATION */
#ifdef LODE_DEBUG
extern BarrierOff heap_barrier_off;
extern int heap_barrier_off_type;
extern const char *heap_barrier_off_roots;
static inline bool barrier_off(BarrierOff how, Value v)
{
    return unlikely(heap_barrier_off == how) && (int)obj_type(v) == heap_barrier_off_type;
}
#else
static inline bool barrier_off(UNUSED BarrierOff how, UNUSED Value v)
{
    return false;
}
#endif

/* profile.c */
void heap_profile_note(uint64_t took_ns); /* a turn of the collector has ended */

/* compact.c; both after a whole marking, with everything swept but for evacuate, which comes before the sweep */
void evacuate_all(void);
void compact_pages(bool sliding);

/* What vm/object keeps beside objects: */
typedef struct SideHooks {
    void (*visit)(Object *, Visitor *); /* OF_IVARS: references in the side table */
    void (*drop)(Object *);             /* OF_IVARS, OF_ID: the object died */
    void (*moved)(Object *to, Object *from);
} SideHooks;
extern SideHooks heap_side;

#endif
