/* oidmap.c -- which objects of the store are in memory: oid to object, and back
 *
 * Oids are handed out in runs, and what was made together is read together.  So the map's unit is a block of neighbours: an
 * open-addressing table leads from the block's number to an array of its objects, which lies beside that of the block met
 * before, and mostly the next oid asked for is of the same block.  Back, the heap keeps a number beside each object
 * (heap_oid).  The map does not keep clean objects alive: after each marking the weak pass drops the dead and follows the
 * moved; whoever is dirty is a root elsewhere.
 *
 * M1  A young collection frees and moves no old object, so its weak pass looks only at what was added since the last
 *     collection (`added`).
 * M2  A block that lost its last object is freed; its row keeps its place until the table is built anew.
 */
#include "private.h"

enum { BLOCK_BITS = 4, BLOCK = 1 << BLOCK_BITS };

typedef struct Row {
    uint64_t key;   /* the block's number + 1; 0: empty */
    Value *objects; /* BLOCK of them, 0: not in memory; NULL: none of them is */
} Row;

static struct {
    Row *rows;
    size_t cap, used; /* cap is a power of two; used counts rows with a key */
    size_t live;      /* objects */
    Row recent;       /* a row that has objects, asked for last; key 0: none */
    Oid *added;
    size_t added_count, added_cap;
} map;

static inline uint64_t key_of(Oid oid)
{
    return (oid >> BLOCK_BITS) + 1;
}

static inline Oid oid_at(const Row *row, size_t i)
{
    return (row->key - 1) << BLOCK_BITS | i;
}

/* The block's row, or the empty one where it belongs.  Rows of eight neighbouring blocks begin side by side. */
static Row *find_row(uint64_t key)
{
    size_t at = ((size_t)(((key >> 3) * 0x9e3779b97f4a7c15ull) >> 20) << 3 | (key & 7)) & (map.cap - 1);
    while (map.rows[at].key != key && map.rows[at].key != 0)
        at = (at + 1) & (map.cap - 1);
    return &map.rows[at];
}

/* Where the object of oid stands; NULL when its block has none. */
static inline Value *find(Oid oid)
{
    uint64_t key = key_of(oid);
    if (key != map.recent.key) {
        const Row *row = find_row(key);
        if (!row->objects)
            return NULL;
        map.recent = *row;
    }
    return &map.recent.objects[oid & (BLOCK - 1)];
}

static void grow(void)
{
    size_t cap = 256, blocks = 0;
    for (size_t i = 0; i < map.cap; i++)
        blocks += map.rows[i].objects != NULL;
    while (cap < blocks * 4)
        cap *= 2;
    Row *fresh = heap_calloc(cap, sizeof *fresh); /* may collect: blocks may become fewer */
    Row *old = map.rows;
    size_t n = map.cap;
    map.rows = fresh;
    map.cap = cap;
    map.used = 0;
    for (size_t i = 0; i < n; i++)
        if (old[i].objects) {
            *find_row(old[i].key) = old[i];
            map.used++;
        }
    heap_free(old);
}

static void grow_added(void)
{
    size_t cap = MAX(map.added_cap * 2, (size_t)1024);
    Oid *fresh = heap_malloc(cap * sizeof *fresh); /* may collect, which empties the list */
    if (map.added_count)
        memcpy(fresh, map.added, map.added_count * sizeof *fresh);
    heap_free(map.added);
    map.added = fresh;
    map.added_cap = cap;
}

/* Where the object of oid is to stand. */
static Value *make_place(Oid oid)
{
    if (map.used * 5 >= map.cap * 2)
        grow();
    Value *objects = heap_calloc(BLOCK, sizeof *objects); /* may collect: the row is found after it */
    Row *row = find_row(key_of(oid));
    map.used += row->key == 0;
    *row = map.recent = (Row){key_of(oid), objects};
    return &objects[oid & (BLOCK - 1)];
}

Value oidmap_object(Oid oid)
{
    const Value *there = find(oid);
    return there && *there ? *there : V_UNDEF;
}

Oid oidmap_oid(Value v)
{
    return is_heap(v) && (obj_head(v) & OF_OID) ? heap_oid(v) : OID_NONE;
}

void oidmap_add(Value v, Oid oid)
{
    if (unlikely(map.added_count == map.added_cap))
        grow_added();
    Value *there = find(oid);
    if (!there)
        there = make_place(oid);
    map.live += *there == 0;
    *there = v;
    map.added[map.added_count++] = oid;
    heap_set_oid(v, oid);
    if (obj_head(v) & OH_LOG) /* then it was the collector's */
        persist_unlog(v);
    obj_ptr(v)->head |= OF_OID;
}

static void drop(Row *row, Value *there)
{
    *there = 0;
    map.live--;
    for (size_t i = 0; i < BLOCK; i++)
        if (row->objects[i])
            return;
    heap_free(row->objects); /* M2 */
    row->objects = NULL;
    if (row->key == map.recent.key)
        map.recent.key = 0;
}

void oidmap_remove(Value v)
{
    Oid oid = oidmap_oid(v);
    Value *there = oid ? find(oid) : NULL;
    if (!there || *there != v)
        return;
    drop(find_row(key_of(oid)), there);
    obj_ptr(v)->head &= ~OF_OID;
}

void oidmap_each(void (*fn)(Value v, Oid oid, void *arg), void *arg)
{
    for (const Row *row = map.rows; row < map.rows + map.cap; row++)
        for (size_t i = 0; row->objects && i < BLOCK; i++)
            if (row->objects[i])
                fn(row->objects[i], oid_at(row, i), arg);
}

size_t oidmap_count(void)
{
    return map.live;
}

Value oidmap_random(uint64_t n)
{
    for (size_t tries = 0; tries < 64 && map.live; tries++) {
        const Row *row = &map.rows[(n / BLOCK + tries) & (map.cap - 1)];
        for (size_t i = 0; row->objects && i < BLOCK; i++)
            if (row->objects[(n + i) & (BLOCK - 1)])
                return row->objects[(n + i) & (BLOCK - 1)];
    }
    return V_UNDEF;
}

static void pass_row(Row *row, bool (*alive)(Value), Value (*forward)(Value))
{
    for (size_t i = 0; row->objects && i < BLOCK; i++) {
        Value v = row->objects[i];
        if (v && !alive(v)) {
            drop(row, &row->objects[i]);
        } else if (v && forward(v) != v) {
            row->objects[i] = forward(v);
            heap_set_oid(row->objects[i], oid_at(row, i));
        }
    }
}

/* Runs inside a collection: the table keeps its size, nothing is allocated. */
static void oidmap_weak_pass(bool (*alive)(Value), Value (*forward)(Value))
{
    if (heap_last().whole) {
        for (size_t i = 0; i < map.cap; i++)
            pass_row(&map.rows[i], alive, forward);
    } else { /* M1 */
        for (size_t i = 0; i < map.added_count; i++) {
            Value *there = find(map.added[i]);
            if (there && *there && !alive(*there))
                drop(find_row(key_of(map.added[i])), there);
        }
    }
    map.added_count = 0;
}

void oidmap_init(void)
{
    grow();
    heap_add_weak_pass(oidmap_weak_pass);
}
