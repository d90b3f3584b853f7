/* oidmap.c -- which objects of the store are in memory: oid to object and back
 *
 * Two open-addressing tables over the same pairs.  The map does not keep clean objects alive: after
 * each marking the weak pass drops the dead and moves the moved (M1); whoever is dirty is a root
 * elsewhere.  Nothing is ever found through an address that the collector may still change (M2):
 * the table by address is made anew in the same pass.
 */
#include "private.h"

typedef struct Pair {
    Oid oid; /* 0: empty; OID_DEAD: taken out */
    Value object;
} Pair;
#define OID_DEAD (~(Oid)0)

typedef struct Table {
    Pair *pairs;
    size_t cap, used, live; /* cap is a power of two */
} Table;

static Table by_oid, by_object;

static size_t slot_of(uint64_t key, size_t cap)
{
    return (size_t)((key * 0x9e3779b97f4a7c15ull) >> 20) & (cap - 1);
}

static void table_put(Table *t, uint64_t key, Pair pair)
{
    size_t at = slot_of(key, t->cap);
    while (t->pairs[at].oid)
        at = (at + 1) & (t->cap - 1);
    t->pairs[at] = pair;
    t->used++;
    t->live++;
}

static void table_grow(Table *t, bool keyed_by_oid)
{
    size_t cap = 1024;
    while (cap < t->live * 3)
        cap *= 2;
    Table fresh = {heap_calloc(cap, sizeof(Pair)), cap, 0, 0};
    for (size_t i = 0; i < t->cap; i++) {
        Pair p = t->pairs[i];
        if (p.oid && p.oid != OID_DEAD)
            table_put(&fresh, keyed_by_oid ? p.oid : p.object, p);
    }
    heap_free(t->pairs);
    *t = fresh;
}

static Pair *table_find_oid(Oid oid)
{
    if (by_oid.cap == 0)
        return NULL;
    for (size_t at = slot_of(oid, by_oid.cap);; at = (at + 1) & (by_oid.cap - 1)) {
        Pair *p = &by_oid.pairs[at];
        if (p->oid == 0)
            return NULL;
        if (p->oid == oid)
            return p;
    }
}

static Pair *table_find_object(Value v)
{
    if (by_object.cap == 0)
        return NULL;
    for (size_t at = slot_of(v, by_object.cap);; at = (at + 1) & (by_object.cap - 1)) {
        Pair *p = &by_object.pairs[at];
        if (p->oid == 0)
            return NULL;
        if (p->object == v && p->oid != OID_DEAD)
            return p;
    }
}

Value oidmap_object(Oid oid)
{
    Pair *p = table_find_oid(oid);
    return p ? p->object : V_UNDEF;
}

Oid oidmap_oid(Value v)
{
    if (!is_heap(v) || !(obj_head(v) & OF_OID))
        return OID_NONE;
    Pair *p = table_find_object(v);
    return p ? p->oid : OID_NONE;
}

void oidmap_add(Value v, Oid oid)
{
    if ((by_oid.used + 1) * 4 > by_oid.cap * 3)
        table_grow(&by_oid, true);
    if ((by_object.used + 1) * 4 > by_object.cap * 3)
        table_grow(&by_object, false);
    Pair p = {oid, v};
    table_put(&by_oid, oid, p);
    table_put(&by_object, v, p);
    obj_ptr(v)->head |= OF_OID;
}

void oidmap_remove(Value v)
{
    Pair *p = table_find_object(v);
    if (!p)
        return;
    Pair *q = table_find_oid(p->oid);
    p->oid = OID_DEAD;
    by_object.live--;
    if (q) {
        q->oid = OID_DEAD;
        by_oid.live--;
    }
    obj_ptr(v)->head &= ~OF_OID;
}

void oidmap_each(void (*fn)(Value v, Oid oid, void *arg), void *arg)
{
    for (size_t i = 0; i < by_oid.cap; i++)
        if (by_oid.pairs[i].oid && by_oid.pairs[i].oid != OID_DEAD)
            fn(by_oid.pairs[i].object, by_oid.pairs[i].oid, arg);
}

size_t oidmap_count(void)
{
    return by_oid.live;
}

Value oidmap_random(uint64_t n)
{
    if (by_oid.cap == 0 || by_oid.live == 0)
        return V_UNDEF;
    for (size_t tries = 0; tries < 64; tries++) {
        Pair *p = &by_oid.pairs[(n + tries) & (by_oid.cap - 1)];
        if (p->oid && p->oid != OID_DEAD)
            return p->object;
    }
    return V_UNDEF;
}

/* M1, M2.  Runs inside a collection: the tables keep their size, nothing is allocated. */
static void oidmap_weak_pass(bool (*alive)(Value), Value (*forward)(Value))
{
    memset(by_object.pairs, 0, by_object.cap * sizeof(Pair));
    by_object.used = by_object.live = 0;
    for (size_t i = 0; i < by_oid.cap; i++) {
        Pair *p = &by_oid.pairs[i];
        if (!p->oid || p->oid == OID_DEAD)
            continue;
        if (!alive(p->object)) {
            p->oid = OID_DEAD;
            by_oid.live--;
            continue;
        }
        p->object = forward(p->object);
        table_put(&by_object, p->object, *p);
    }
}

void oidmap_init(void)
{
    table_grow(&by_oid, true);
    table_grow(&by_object, false);
    heap_add_weak_pass(oidmap_weak_pass);
}
