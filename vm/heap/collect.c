/* collect.c -- the collector: mark, weak passes, evacuation, sweep
 *
 * One collection:
 *   1  pins     C stack and registers: conservatively, marked and pinned (those of other fibers in 2, as they are reached)
 *   2  marks    roots and visitors, then the mark stack until it is empty
 *   3  weak     weak slots of dead objects become V_UNDEF; dead objects with finalizers are queued
 *   4  move     (evacuate mode) each marked unpinned cell is copied to a fresh page, a forwarding address left behind
 *   5  tables   weak passes drop the dead and follow the moved; then all references are updated
 *   6  sweep    dead cells free what they own, runs are rebuilt, empty pages go back
 * Nothing in 1..6 runs Ruby, faults or raises (an out-of-memory here is fatal).
 *
 * Invariants: C1 what is pinned never moves.  C2 TypeRow.free touches no other heap object: it may be dead
 * already.  C3 an object keeps its class alive through its shape.
 */
#include "vm/heap/heap_private.h"

#include "lib/error.h"
#include "vm/call.h"
#include "vm/shape.h"
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

SideHooks heap_side;

#define ROOTS_MAX 1024
static Value *roots[ROOTS_MAX];
static unsigned root_count;
static struct {
    void (*fn)(Visitor *);
    const char *name;
} visitors[64];
static unsigned visitor_count;
static void (*weak_passes[32])(bool (*)(Value), Value (*)(Value));
static unsigned weak_pass_count;
static void *stack_base;

static struct {
    Value *at;
    size_t n, cap;
} mark_stack;
static struct {
    Slot **at;
    size_t n, cap;
} weak_slots;

void heap_set_stack_base(void *base)
{
    stack_base = base;
}

void heap_add_root(Value *root)
{
    if (root_count == ROOTS_MAX)
        ereport(FATAL, ERR_INTERNAL, errmsg("too many heap roots"));
    roots[root_count++] = root;
}

void heap_add_visitor(void (*fn)(Visitor *), const char *name)
{
    if (visitor_count == COUNT_OF(visitors))
        ereport(FATAL, ERR_INTERNAL, errmsg("too many heap visitors"));
    visitors[visitor_count].fn = fn;
    visitors[visitor_count++].name = name;
}

void heap_add_weak_pass(void (*fn)(bool (*alive)(Value), Value (*forward)(Value)))
{
    if (weak_pass_count == COUNT_OF(weak_passes))
        ereport(FATAL, ERR_INTERNAL, errmsg("too many weak passes"));
    weak_passes[weak_pass_count++] = fn;
}

/* ---- marking ---- */

static void *grown(void *p, size_t *cap, size_t size)
{
    *cap = *cap ? *cap * 2 : 4096;
    p = realloc(p, *cap * size);
    if (!p)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("out of memory while collecting"));
    return p;
}

static void mark(Value v)
{
    if (!is_heap(v))
        return;
    HeapPage *p = page_of((void *)v);
    Assert((size_t)((char *)v - heap.base) < heap.used && p->kind != PAGE_UNUSED && obj_type(v) != T_FREE);
    uint32_t i = p->kind == PAGE_SMALL ? cell_index(p, (void *)v) : 0;
    Assert(p->kind != PAGE_SMALL || (char *)v == page_start(p) + (size_t)i * p->cell_size); /* else: a stale address */
    if (bit_test(p->mark, i))
        return;
    bit_set(p->mark, i);
    if (mark_stack.n == mark_stack.cap)
        mark_stack.at = grown(mark_stack.at, &mark_stack.cap, sizeof(Value));
    mark_stack.at[mark_stack.n++] = v;
}

/* Types whose slots are read by slot_read only, and types that can be faulted in again as they were. */
#define BIT(t) ((uint64_t)1 << (t))
static const uint64_t forgetful_owners = BIT(T_OBJECT) | BIT(T_ARRAY) | BIT(T_HASH) | BIT(T_STRUCT);
static const uint64_t forgettable = BIT(T_OBJECT) | BIT(T_ARRAY) | BIT(T_HASH) | BIT(T_STRUCT) | BIT(T_STRING) | BIT(T_FLOAT) |
                                    BIT(T_BIGNUM) | BIT(T_RATIONAL) | BIT(T_COMPLEX) | BIT(T_RANGE) | BIT(T_TIME);
static Object no_object;
static Object *marking = &no_object; /* whose references are visited; roots: none */

static bool forget(Slot *s)
{
    Value v = s->raw;
    /* Only persistent owners: C code may read the elements of its own hidden arrays raw. */
    if (!is_heap(v) || !(BIT(marking->head & OH_TYPE) & forgetful_owners) || !(marking->head & OF_PERSISTENT))
        return false;
    uint64_t head = obj_head(v);
    if ((head & (OF_PERSISTENT | OF_DIRTY | OF_IVARS | OF_ID | OF_FINALIZER)) != OF_PERSISTENT || !(BIT(head & OH_TYPE) & forgettable))
        return false;
    if (class_is_singleton(class_of(v)))
        return false;
    uint64_t oid = heap_forget_hook(v);
    if (!oid)
        return false;
    s->raw = oid << 8 | TAG_OID;
    heap.forgotten++;
    return true;
}

static void mark_slot(Visitor *v, Slot *s)
{
    (void)v;
    if (unlikely(heap.pressure) && forget(s))
        return;
    mark(s->raw); /* an unresolved word is no heap pointer by its tag */
}

static void mark_root(Visitor *v, Value *value)
{
    (void)v;
    mark(*value);
}

static void mark_weak(Visitor *v, Slot *s)
{
    (void)v;
    if (!is_heap(s->raw))
        return;
    if (weak_slots.n == weak_slots.cap)
        weak_slots.at = grown(weak_slots.at, &weak_slots.cap, sizeof(Slot *));
    weak_slots.at[weak_slots.n++] = s;
}

static Visitor marker = {mark_slot, mark_root, mark_weak};

bool heap_is_marking(const Visitor *v)
{
    return v == &marker;
}

void heap_visit_object(Object *o, Visitor *v)
{
    uint64_t head = o->head;
    if (head & OF_IVARS)
        heap_side.visit(o, v);
    if (head & OF_HOLLOW)
        return;
    ObjectType type = (ObjectType)(head & OH_TYPE);
    if (type_has_slots(type)) {
        unsigned n = shape_table[obj_shape((Value)o)].count;
        if (n)
            visit_slots(v, obj_slots((Value)o), n);
        return;
    }
    const TypeRow *row = heap_rows[type];
    if (row && row->visit) /* no row: a type whose folder is not linked in, without references */
        row->visit(o, v);
}

void heap_visit_references(Value v, Visitor *visitor)
{
    heap_visit_object(obj_ptr(v), visitor);
}

void heap_visit_roots(void (*group)(const char *name, void *arg), void *arg, Visitor *visitor)
{
    group("globals", arg);
    for (unsigned i = 0; i < root_count; i++)
        visitor->value(visitor, roots[i]);
    for (unsigned i = 0; i < visitor_count; i++) {
        group(visitors[i].name, arg);
        visitors[i].fn(visitor);
    }
}

static void mark_drain(void)
{
    while (mark_stack.n) {
        Value v = mark_stack.at[--mark_stack.n];
        uint32_t shape = obj_shape(v);
        if (shape)
            mark(shape_table[shape].cls); /* C3 */
        marking = obj_ptr(v);
        heap_visit_object(obj_ptr(v), &marker);
    }
}

__attribute__((no_sanitize_address)) void heap_scan_range(const void *low, const void *high)
{
    const uint64_t *at = (const uint64_t *)ALIGN_UP((uintptr_t)low, 8);
    for (; (const char *)(at + 1) <= (const char *)high; at++) {
        Value v = heap_object_at(*at);
        if (!v)
            continue;
        HeapPage *p = page_of((void *)v);
        bit_set(p->pin, p->kind == PAGE_SMALL ? cell_index(p, (void *)v) : 0);
        mark(v);
    }
}

__attribute__((noinline, no_sanitize_address)) static void scan_own_stack(void)
{
    void *here = __builtin_frame_address(0);
    if (stack_base && here < stack_base)
        heap_scan_range(here, stack_base);
}

static void mark_all(void)
{
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if (p->kind == PAGE_SMALL || p->kind == PAGE_LARGE) {
            size_t words = (p->ncells + 63) / 64;
            memset(p->mark, 0, words * 8);
            memset(p->pin, 0, words * 8);
        }
    }
    __builtin_unwind_init(); /* callee-saved registers to this frame */
    scan_own_stack();
    for (unsigned i = 0; i < root_count; i++)
        mark(*roots[i]);
    for (unsigned i = 0; i < visitor_count; i++)
        visitors[i].fn(&marker);
    mark_drain();
    marking = &no_object;
}

static bool marked(Value v)
{
    if (!is_heap(v))
        return true;
    HeapPage *p = page_of((void *)v);
    return bit_test(p->mark, p->kind == PAGE_SMALL ? cell_index(p, (void *)v) : 0);
}

static void clear_weak_slots(void)
{
    for (size_t i = 0; i < weak_slots.n; i++)
        if (!marked(weak_slots.at[i]->raw))
            weak_slots.at[i]->raw = V_UNDEF;
    weak_slots.n = 0;
}

/* ---- moving ---- */

static HeapPage *fresh[HEAP_CLASSES];
static uint32_t fresh_used[HEAP_CLASSES];

static inline bool forwarded(Value v)
{
    return (obj_head(v) & OH_TYPE) == T_FREE && obj_head(v) != 0;
}

static Value forward(Value v)
{
    if (is_heap(v) && forwarded(v))
        return obj_head(v) >> 8;
    return v;
}

static Value alive_forward(Value v)
{
    return forward(v);
}

static Object *fresh_cell(unsigned c)
{
    HeapPage *p = fresh[c];
    if (!p || fresh_used[c] == p->ncells) {
        p = page_new_small(c);
        if (!p)
            return NULL; /* no room: the rest simply stays where it is */
        p->fresh = true;
        fresh[c] = p;
        fresh_used[c] = 0;
    }
    uint32_t i = fresh_used[c]++;
    bit_set(p->mark, i);
    return (Object *)(page_start(p) + (size_t)i * p->cell_size);
}

static void move_all(void)
{
    memset(fresh, 0, sizeof fresh);
    size_t total = heap.used >> PAGE_SHIFT;
    for (size_t n = 0; n < total; n++) {
        HeapPage *p = &heap.pages[n];
        if (p->kind != PAGE_SMALL || p->fresh)
            continue;
        for (uint32_t i = 0; i < p->ncells; i++) {
            if (!bit_test(p->mark, i) || bit_test(p->pin, i))
                continue;
            Object *from = (Object *)(page_start(p) + (size_t)i * p->cell_size);
            Object *to = fresh_cell(p->size_class);
            if (!to)
                return;
            memcpy(to, from, p->cell_size);
            const TypeRow *row = heap_rows[to->head & OH_TYPE];
            if (row && row->moved)
                row->moved(to, from);
            if (to->head & (OF_IVARS | OF_ID | OF_FINALIZER))
                heap_side.moved(to, from);
            from->head = (uint64_t)(uintptr_t)to << 8 | T_FREE;
        }
    }
}

static void update_slot(Visitor *v, Slot *s)
{
    (void)v;
    s->raw = forward(s->raw);
}
static void update_root(Visitor *v, Value *value)
{
    (void)v;
    *value = forward(*value);
}
static Visitor updater = {update_slot, update_root, update_slot};

static void update_all(void)
{
    for (unsigned i = 0; i < root_count; i++)
        *roots[i] = forward(*roots[i]);
    for (unsigned i = 0; i < visitor_count; i++)
        visitors[i].fn(&updater);
    for (size_t n = 0; n < heap.used >> PAGE_SHIFT; n++) {
        HeapPage *p = &heap.pages[n];
        if (p->kind != PAGE_SMALL && p->kind != PAGE_LARGE)
            continue;
        for (uint32_t i = 0; i < p->ncells; i++) {
            Object *o = (Object *)(page_start(p) + (size_t)i * p->cell_size);
            if (bit_test(p->mark, i) && (o->head & OH_TYPE) != T_FREE)
                heap_visit_object(o, &updater);
        }
    }
}

/* ---- sweeping ---- */

void heap_free_object(Object *o)
{
    uint64_t head = o->head;
    if (head & (OF_IVARS | OF_ID | OF_FINALIZER))
        heap_side.drop(o);
    if (head & OF_HOLLOW)
        return;
    ObjectType type = (ObjectType)(head & OH_TYPE);
    if (type_has_slots(type)) {
        if (!(head & OF_EMBED))
            heap_free(((SlotObject *)o)->ext);
    } else if (heap_rows[type] && heap_rows[type]->free) {
        heap_rows[type]->free(o);
    }
}

static void sweep_small(HeapPage *p)
{
    char *start = page_start(p);
    uint32_t dead = 0;
    for (uint32_t i = 0; i < p->ncells; i++) {
        Object *o = (Object *)(start + (size_t)i * p->cell_size);
        if (o->head == 0)
            continue;
        if (bit_test(p->mark, i) && (o->head & OH_TYPE) != T_FREE)
            continue;
        if ((o->head & OH_TYPE) != T_FREE)
            heap_free_object(o), dead++;
        if (heap_mode & HEAP_EVACUATE)
            memset(o, 0xdb, p->cell_size);
        o->head = 0;
    }
    heap.stats.freed += dead;
    p->fresh = false;
    if (p->boot) { /* written only where something died; never allocated from */
        p->live -= MIN(p->live, dead);
        return;
    }
    page_build_runs(p);
    if (p->live == 0)
        page_release(p);
    else
        page_list(p);
}

static void sweep_all(void)
{
    memset(heap.avail, 0, sizeof heap.avail);
    uint64_t live_bytes = 0;
    for (size_t n = 0; n < heap.used >> PAGE_SHIFT; n++) {
        HeapPage *p = &heap.pages[n];
        p->listed = false;
        if (p->kind == PAGE_SMALL) {
            sweep_small(p);
            if (p->kind == PAGE_SMALL)
                live_bytes += (uint64_t)p->live * p->cell_size;
        } else if (p->kind == PAGE_LARGE) {
            Object *o = (Object *)page_start(p);
            p->live = 1;
            if (!bit_test(p->mark, 0)) {
                heap_free_object(o);
                o->head = 0;
                heap.stats.freed++;
                page_release(p);
            } else {
                live_bytes += (uint64_t)p->npages << PAGE_SHIFT;
            }
        }
    }
    pages_cool();
    uint64_t held = live_bytes + heap.malloc_bytes, limit = heap_limit_bytes();
    heap.threshold = MAX((uint64_t)16 << 20, held / 4 * 3);
    if (held + heap.threshold > limit / 16 * 15) /* so that the limit is met by a collection in good time */
        heap.threshold = MAX((uint64_t)1 << 20, limit / 16 * 15 > held ? limit / 16 * 15 - held : 0);
}

void heap_collect(void)
{
    if (heap.collecting || !heap.base)
        return;
    heap.collecting = true;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    heap.wanted = false;
    heap_epoch++;
    heap.stats.allocated += heap.since;
    heap.since = 0;
    heap_retire_runs();
    heap.pressure = heap_forget_hook && (heap.page_count << PAGE_SHIFT) + heap.malloc_bytes > heap_limit_bytes() / 2;
    mark_all();
    bool relieved = heap.pressure;
    heap.pressure = false;
    clear_weak_slots();
    bool moving = heap.modes_on && (heap_mode & HEAP_EVACUATE);
    if (moving)
        move_all();
    for (unsigned i = 0; i < weak_pass_count; i++)
        weak_passes[i](marked, alive_forward);
    if (moving)
        update_all();
    sweep_all();
    if (relieved)
        malloc_trim(1 << 20);
    clock_gettime(CLOCK_MONOTONIC, &to);
    heap.stats.count++;
    if (heap_measure_time)
        heap.stats.time_ns += (uint64_t)((to.tv_sec - from.tv_sec) * NSEC_PER_SEC + to.tv_nsec - from.tv_nsec);
    heap.collecting = false;
}
