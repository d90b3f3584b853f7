/* oidmap.c -- which objects of the store are in memory: oid to object, and back
 *
 * An open-addressing table leads from oid to object; back, the heap keeps a number beside each object
 * (heap_oid).  The map does not keep clean objects alive: after each marking the weak pass drops the dead and
 * follows the moved (M1); whoever is dirty is a root elsewhere.
 */
#include "private.h"

typedef struct Pair {
    Oid oid; /* 0: empty; OID_DEAD: taken out */
    Value object;
} Pair;
#define OID_DEAD (~(Oid)0)

static struct {
    Pair *pairs;
    size_t cap, used, live; /* cap is a power of two; used counts the dead too */
} map;

/* Oids are handed out in runs, and what was made together is read together: eight neighbours share two cache lines. */
static size_t slot_of(Oid oid)
{
    return ((size_t)(((oid >> 3) * 0x9e3779b97f4a7c15ull) >> 20) << 3 | (oid & 7)) & (map.cap - 1);
}

static void put(Pair pair)
{
    size_t at = slot_of(pair.oid);
    while (map.pairs[at].oid)
        at = (at + 1) & (map.cap - 1);
    map.pairs[at] = pair;
    map.used++;
    map.live++;
}

static void grow(void)
{
    size_t cap = 1024;
    while (cap < map.live * 3)
        cap *= 2;
    Pair *fresh = heap_calloc(cap, sizeof(Pair)); /* may collect: what is live is read after it */
    Pair *old = map.pairs;
    size_t n = map.cap;
    map.pairs = fresh;
    map.cap = cap;
    map.used = map.live = 0;
    for (size_t i = 0; i < n; i++)
        if (old[i].oid && old[i].oid != OID_DEAD)
            put(old[i]);
    heap_free(old);
}

static Pair *find(Oid oid)
{
    if (map.cap == 0)
        return NULL;
    for (size_t at = slot_of(oid);; at = (at + 1) & (map.cap - 1)) {
        Pair *p = &map.pairs[at];
        if (p->oid == 0)
            return NULL;
        if (p->oid == oid)
            return p;
    }
}

Value oidmap_object(Oid oid)
{
    Pair *p = find(oid);
    return p ? p->object : V_UNDEF;
}

Oid oidmap_oid(Value v)
{
    return is_heap(v) && (obj_head(v) & OF_OID) ? heap_oid(v) : OID_NONE;
}

void oidmap_add(Value v, Oid oid)
{
    if ((map.used + 1) * 4 > map.cap * 3)
        grow();
    put((Pair){oid, v});
    heap_set_oid(v, oid);
    persist_unlog(v); /* if it is set, it was the collector's */
    obj_ptr(v)->head |= OF_OID;
}

void oidmap_remove(Value v)
{
    Pair *p = find(oidmap_oid(v));
    if (!p)
        return;
    p->oid = OID_DEAD;
    map.live--;
    obj_ptr(v)->head &= ~OF_OID;
}

void oidmap_each(void (*fn)(Value v, Oid oid, void *arg), void *arg)
{
    for (size_t i = 0; i < map.cap; i++)
        if (map.pairs[i].oid && map.pairs[i].oid != OID_DEAD)
            fn(map.pairs[i].object, map.pairs[i].oid, arg);
}

size_t oidmap_count(void)
{
    return map.live;
}

Value oidmap_random(uint64_t n)
{
    if (map.cap == 0 || map.live == 0)
        return V_UNDEF;
    for (size_t tries = 0; tries < 64; tries++) {
        Pair *p = &map.pairs[(n + tries) & (map.cap - 1)];
        if (p->oid && p->oid != OID_DEAD)
            return p->object;
    }
    return V_UNDEF;
}

/* M1.  Runs inside a collection: the table keeps its size, nothing is allocated from the heap. */
static void oidmap_weak_pass(bool (*alive)(Value), Value (*forward)(Value))
{
    for (size_t i = 0; i < map.cap; i++) {
        Pair *p = &map.pairs[i];
        if (!p->oid || p->oid == OID_DEAD)
            continue;
        if (!alive(p->object)) {
            p->oid = OID_DEAD;
            map.live--;
            continue;
        }
        Value now = forward(p->object);
        if (now != p->object)
            heap_set_oid(p->object = now, p->oid);
    }
}

void oidmap_init(void)
{
    grow();
    heap_add_weak_pass(oidmap_weak_pass);
}
