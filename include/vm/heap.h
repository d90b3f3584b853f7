/* heap.h -- the session's heap: size classes with side tables; generational, incremental, compacting; debug modes
 *
 * Precise for heap objects, VM stacks, frames and registered roots; conservative for C stacks and
 * registers of every fiber: what is found there stays alive and unmoved (pinned) for that cycle.
 * So C code may hold Values in locals and arguments freely (H1), but not in malloc'ed memory
 * unless a registered visitor walks it (H2).  Body pointers (str/ary/hash views, obj_slots) are
 * void after anything that may collect, call Ruby, fault or raise (H3).
 */
#ifndef VM_HEAP_H
#define VM_HEAP_H
#include "vm/object.h"

/* Allocation takes the next cell of a run of free cells of its size class: `next` to `limit`.  A limit equal to
 * next sends every allocation to the slow path (debug modes, a wanted collection). */
enum { HEAP_SMALL_MAX = 2048, HEAP_CLASSES = 29 };
typedef struct HeapRun {
    char *next, *limit, *end; /* limit is end, or next while each allocation shall take the slow path */
} HeapRun;
extern HeapRun heap_runs[HEAP_CLASSES];
extern const uint8_t heap_class_of[HEAP_SMALL_MAX / 16 + 1]; /* size class by (size + 15) / 16 */
extern const uint16_t heap_class_size[HEAP_CLASSES];
Value heap_alloc_cell_slow(uint64_t head, size_t size);
/* A zero-filled cell with the given header; no shape is looked up.  For allocation paths that know the shape. */
static inline Value heap_alloc_head(uint64_t head, size_t size)
{
    if (__builtin_expect(size <= HEAP_SMALL_MAX, 1)) {
        unsigned c = heap_class_of[(size + 15) >> 4];
        HeapRun *run = &heap_runs[c];
        char *cell = run->next;
        size_t n = heap_class_size[c];
        if (__builtin_expect((size_t)(run->limit - cell) >= n, 1)) {
            run->next = cell + n;
            memset(cell, 0, n);
            ((Object *)cell)->head = head;
            return (Value)cell;
        }
    }
    return heap_alloc_cell_slow(head, size);
}
/* A new object of `size` bytes (header included) and class `cls`: header set (type, the root shape of cls, OF_EMBED
 * for SLOTS types), the rest zero (zero is `false` as a Slot!).  May collect; raises NoMemoryError. */
Value heap_alloc(ObjectType type, Value cls, size_t size);
/* A SLOTS object of a class with room for its shape's slots (and `extra` more), all nil. */
Value heap_alloc_slots(ObjectType type, Value cls, unsigned extra);
/* An internal object without Ruby class (ENV, CODE, CREF, SYMTABLE ...): shape 0. */
Value heap_alloc_internal(ObjectType type, size_t size);
size_t heap_cell_size(Value v); /* bytes of the cell that holds v */
/* The number that vm/persist keeps beside an object, its oid: in a side table of the page, so that neither the object nor
 * a boot page shared with other processes is written.  Valid from heap_set_oid on while the header has OF_OID, which the
 * caller keeps; after a move the caller sets it anew (in its weak pass).  Never collects. */
uint64_t heap_oid(Value v);
void heap_set_oid(Value v, uint64_t oid);

/* Memory outside the heap owned by objects: accounted against heap_limit; raise NoMemoryError. */
/* They collect only when the limit is near.  A NULL free is nothing. */
void *heap_malloc(size_t n);
void *heap_calloc(size_t n, size_t size);
void *heap_realloc(void *p, size_t n);
void heap_free(void *p);

/* Visiting: one function a type serves marking, moving and checking alike. */
typedef struct Visitor Visitor;
struct Visitor {
    void (*slot)(Visitor *, Slot *);   /* a reference in a heap object; may be overwritten (moved) */
    void (*value)(Visitor *, Value *); /* a root held as Value; may be overwritten */
    void (*weak)(Visitor *, Slot *);   /* a reference that does not keep alive: set to V_UNDEF when dead */
    void (*range)(Visitor *, Slot *, size_t n); /* n references in a row, each as by `slot`; NULL: by `slot` */
};
static inline void visit_slots(Visitor *v, Slot *s, size_t n)
{
    if (v->range) {
        v->range(v, s, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        v->slot(v, &s[i]);
}

/* Cards: a byte for each piece of a big body, not 0 once somebody stored into the piece.  A young collection visits such
 * pieces of an old object only, and marking in steps visits a few pieces a step. */
typedef struct HeapCards {
    uint8_t *at; /* NULL: the body has none, it is small */
    size_t n;
} HeapCards;

struct RecordBuilder;
struct RecordReader;
struct Vector;
struct ChunkContent;
/* The row of an OWN type; SLOTS types need none. */
typedef struct TypeRow {
    const char *name;
    void (*visit)(Object *, Visitor *);
    void (*free)(Object *);                   /* body outside the cell; may be NULL */
    size_t (*memsize)(Object *);              /* bytes outside the cell; may be NULL */
    void (*moved)(Object *, Object *from);    /* fix pointers into the own cell after a move; may be NULL */
    void (*hollow)(Object *);                 /* drop the body (it can be refilled from the store); NULL: cannot be hollow */
    /* To and from the store (vm/persist/record.h): NULL means it cannot be saved. */
    void (*persist)(Object *, struct RecordBuilder *);
    void (*restore)(Object *, struct RecordReader *);
    /* Bodies in chunks (vm/vector.h); NULL for types without.  vector: the object's vector number `which`, NULL when it has
     * none.  chunk_put appends a chunk to a record; chunk_take fills in what a record had and must not collect or raise;
     * absent_slot: slot_read met SLOT_ABSENT. */
    struct Vector *(*vector)(Object *, unsigned which);
    void (*chunk_put)(Object *, unsigned which, uint32_t chunk, struct RecordBuilder *);
    void (*chunk_take)(Object *, unsigned which, uint32_t chunk, const struct ChunkContent *);
    Value (*absent_slot)(Value owner, Slot *s);
    /* Bytes of the fresh cell that restore is given for a record of so many slots and bytes; NULL: `size`. */
    size_t (*cell_size)(size_t nslots, size_t nbytes);
    size_t size; /* of the struct */
    /* A type with cards; all three or none.  visit_fixed: references that lie in no piece; visit_card: those of one piece. */
    HeapCards (*cards)(Object *);
    void (*visit_fixed)(Object *, Visitor *);
    void (*visit_card)(Object *, Visitor *, size_t card);
    /* Every store into an object of this type comes after obj_modify or is told by heap_remember (H4, H13).  When false, the old
     * ones are visited at each collection.  SLOTS types are logged. */
    bool logged;
    bool (*closed)(Object *); /* of a type that is not logged, may be NULL: this one is, from now on */
} TypeRow;
void heap_register_type(ObjectType type, const TypeRow *row);
const TypeRow *heap_type_row(ObjectType type);

void heap_boot(void);
void heap_data_boot(void); /* the row of T_DATA */
void heap_add_root(Value *root);                                /* a static Value */
void heap_add_visitor(void (*fn)(Visitor *), const char *name); /* roots kept in own structures */
/* After marking and before sweeping: tables keyed by object drop the dead ones. */
void heap_add_weak_pass(void (*fn)(bool (*alive)(Value), Value (*forward)(Value)));
/* Words that may be references (a suspended fiber's C stack): what they or interior pointers name is marked and pinned.
 * Only in a visit function or visitor, and only while heap_is_marking. */
bool heap_is_marking(const Visitor *v);
void heap_scan_range(const void *low, const void *high);
void heap_collect(void);       /* whole, in one pause: afterwards nothing unreachable is left but what C code holds */
void heap_collect_young(void); /* what was allocated since the last collection */
typedef enum HeapCompaction { HEAP_COMPACT_NOT, HEAP_COMPACT_TWO_FINGER, HEAP_COMPACT_SLIDING } HeapCompaction;
void heap_compact(HeapCompaction); /* a whole collection, then objects move together and empty pages go back */
/* Moves every object that is not pinned to a page of its own making (twice the memory meanwhile), compacts, and follows every
 * reference: one that leads to no object ends the process. */
void heap_verify_moves(void);
void heap_check_references(void); /* every reference and every row of a weak table leads to an object, or the process ends */
/* Automatic compaction: at rest, when it waits or a transaction ends, a session compacts if a marking of all since the last
 * compaction left more than half of its pages free cells, and it will take at most `ns` (negative: any time) and compact_pause. */
extern bool heap_auto_compact;
void heap_rest(int64_t ns);
/* What a program is about to start from: all are old, moved together, and unused memory is given back. */
void heap_warm_up(void);
extern bool heap_allow_whole; /* false: automatic collections mark all near the limit only */
/* A picture of the session's own pages (map.c), right after a whole collection or a compaction.  Owned by the caller. */
typedef enum HeapCell { HEAP_CELL_FREE, HEAP_CELL_LIVE, HEAP_CELL_PINNED, HEAP_CELL_MOVED, HEAP_CELL_STATES } HeapCell;
typedef struct HeapMapPage {
    size_t number;   /* in the heap's range */
    uint64_t cell_size;
    uint32_t ncells; /* 1 when large */
    bool large;      /* one object on pages of its own */
    uint8_t *state;  /* HeapCell, one a cell */
} HeapMapPage;
typedef struct HeapMap {
    HeapMapPage *pages;
    size_t npages, boot_pages;
    uint64_t bytes, live_bytes, cells[HEAP_CELL_STATES];
} HeapMap;
HeapMap *heap_map_take(void);
void heap_map_free(HeapMap *);
void heap_note_moves(bool wanted); /* from here on: only then are moved cells told from other live ones */
/* v is stored into without obj_modify (a reference was resolved, a body refilled): the next collection visits it whatever its
 * age.  Nothing when v is young.  Never collects. */
void heap_remember(Value v);
void heap_note_change(Value v); /* obj_modify's slow path: the same, but of a body with cards only marked pieces are visited */
bool heap_is_object(Value word); /* any bit pattern: does it point at (into) a live cell? */
extern uint64_t heap_epoch;      /* counts collections: what was written into unvisited memory before one is void */
extern bool heap_measure_time;   /* count time_ns */
extern bool heap_disabled;       /* GC.disable: collect only when the limit is reached */
enum { HEAP_PAUSES = 20 };
typedef struct GcStats {
    uint64_t count, minor, major; /* collections */
    uint64_t allocated;           /* bytes, cells and memory outside */
    uint64_t freed, live, moved;  /* objects */
    uint64_t compactions;
    uint64_t pages, boot_pages;   /* in use; of them boot's */
    uint64_t free_bytes;          /* of free cells in pages that are not boot's */
    uint64_t pinned_pages;        /* of cells, with one that the last collection pinned; not boot's */
    uint64_t pinned_free_bytes;   /* of free_bytes: in these */
    uint64_t malloc_bytes;
    uint64_t remembered;          /* old objects that the next young collection visits */
    uint64_t always;              /* and of types that do not log */
    uint64_t cells, marked;       /* in pages; objects that the last collection marked, or one before */
    uint64_t unused_pages, pages_taken, pages_given;
    uint64_t since, nursery;      /* bytes handed out since the last collection; the next young one comes at */
    uint64_t grown, grown_limit;  /* bytes held more than after the last marking of all; the next one comes at */
    uint64_t sweep_ns;            /* of time_ns */
    uint64_t compact_ns;          /* of the last compaction */
    uint64_t weak, weak_kept;     /* weak references that the last collection looked at, and those that it kept */
    uint64_t time_ns;             /* in collections, those asked for too: the processor's time */
    uint64_t longest_ns;          /* of the pauses that allocations made: a turn of marking or sweeping */
    uint64_t pauses[HEAP_PAUSES]; /* how many of them took less than 1 us, 2 us, 4 us, ...; the last: all longer */
} GcStats;
void heap_stats(GcStats *);      /* finishes a lazy sweep, so that the counts are exact */
uint64_t heap_collections(void);
uint64_t heap_pause_ns(void);    /* all together */
typedef struct HeapLast {        /* of the last collection */
    bool whole, asked;           /* marked all; by heap_collect or heap_compact, not by an allocation */
    bool grown;                  /* whole because the heap had grown; else: asked, limit or debug mode */
} HeapLast;
HeapLast heap_last(void);
typedef enum HeapState { HEAP_STATE_NONE, HEAP_STATE_MARKING, HEAP_STATE_SWEEPING } HeapState;
HeapState heap_state(void);
bool heap_whole_wanted(void); /* the heap has grown, but heap_allow_whole is false */
typedef struct HeapClassStats { /* of a size class; boot's pages too */
    uint64_t cell_size, pages, cells, live, freed, pages_taken;
} HeapClassStats;
void heap_class_stats(unsigned size_class, HeapClassStats *);
/* While heap_profiling, each collection leaves a row. */
typedef struct HeapProfileRow {
    HeapLast what;
    uint64_t at_ns, took_ns;             /* the processor's time: since the process began; in the collection, its steps and the sweep before */
    uint64_t used, total, cells, moved;  /* bytes of live cells and of pages; cells in all; objects that moved */
} HeapProfileRow;
extern bool heap_profiling;
const HeapProfileRow *heap_profile(size_t *n);
void heap_profile_clear(void);
/* By type: objects that the last compaction looked at and those that it moved. */
void heap_compaction_last(ObjectType type, uint64_t *considered, uint64_t *moved);
void heap_each_object(void (*fn)(Value, void *), void *arg); /* live, not internal; fn must not allocate */
void heap_each_with_internal(void (*fn)(Value, void *), void *arg); /* likewise, internal ones too */
static inline bool heap_is_internal(Value v) /* no object of Ruby's: code, tables, environments, places in an ancestry */
{
    return obj_shape(v) == 0 || obj_type(v) == T_ICLASS;
}
/* What v refers to, and what the roots do: group is called before each group of roots.  Nothing may be changed. */
void heap_visit_references(Value v, Visitor *visitor);
void heap_visit_roots(void (*group)(const char *name, void *arg), void *arg, Visitor *visitor);
/* Calls fn(v) for each new cell once its header is set (NULL: no more); fn must not allocate. */
void heap_watch_allocations(void (*fn)(Value v));
/* Debug modes, by lode --heap-mode=collect,evacuate,compact,hollow,barrier or LODE_HEAP_MODE; stress: GC.stress */
enum { HEAP_COLLECT = 1, HEAP_EVACUATE = 2, HEAP_HOLLOW = 4, HEAP_COMPACT = 8, HEAP_BARRIER = 16, HEAP_STRESS = 32 };
extern unsigned heap_mode;
extern unsigned heap_mode_every; /* at every n-th allocation ("collect:10") */
/* Parses "collect,hollow"; false when a word is unknown.  The modes begin with heap_modes_start() (boot is over);
 * it also reads LODE_HEAP_MODE. */
bool heap_set_modes(const char *text);
void heap_modes_start(void);
/* Near the limit a collection forgets clean persistent objects that only slots of other objects reach: those slots become
 * unresolved again.  The hook (vm/persist) gives the oid of such an object, 0 when it must stay. */
extern uint64_t (*heap_forget_hook)(Value v);
/* The end of boot, before sessions are forked: collects; from then on nothing is allocated, freed or moved in the pages of
 * boot, and its objects are visited only once they were written, so that children share them. */
void heap_seal(void);
/* Test mode, by LODE_BOOT_GUARD=1 or =log in the environment: from here on the first write to each 4 KiB page of the boot
 * heap is counted, under the type of the object written. */
void heap_guard_start(void);
bool heap_guard_each(void (*fn)(const char *type, uint64_t pages, void *arg), void *arg); /* false: the mode is off */
extern void (*heap_hollow_hook)(void); /* by vm/persist: hollow mode's step, before an allocation */
/* C stacks to scan: the current one from heap_set_stack_base's base; each suspended fiber registers. */
void heap_set_stack_base(void *base);

/* Data objects: C data in a T_DATA. */
typedef struct DataType {
    const char *name;
    void (*visit)(void *data, Visitor *);
    void (*free)(void *data);
    size_t (*memsize)(void *data);
} DataType;
Value data_new(Value cls, const DataType *type, void *data);
void *data_get(Value v, const DataType *type); /* TypeError when it is another; NULL data raises ArgumentError "uninitialized ..." */
void data_set(Value v, const DataType *type, void *data);
#endif
