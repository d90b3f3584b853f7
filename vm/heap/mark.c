/* mark.c -- what is alive: roots, the mark stack, generations, the one write barrier
 *
 * Marks stick: an object that survived a collection keeps its mark and is old.  A young collection starts from the
 * marks that stand; it visits the roots and those old objects that may refer to young ones (G2), and so marks the young
 * that live.  A whole marking starts from none.  It runs in steps between the mutator's, and ends with the same
 * visits as a young collection, in one pause.
 *
 * The barrier is OH_LOG in the header: marking sets it, obj_modify's slow path clears it and remembers the object.
 *   G1  An object is old when it has a mark outside of a collection.  Those of boot are for good.
 *   G2  Old objects that may refer to young ones (during a marking: marked ones that may refer to unmarked ones) are
 *       remembered, or of a type that does not log its stores and not closed: then on the list `always`.
 *   G3  Each other old object of a logging type has OH_LOG.  The collector sets it on objects without an oid only; with one, LOG
 *       is the transaction's, and an object without it stays remembered.
 *   G4  What C code holds while a collection or a step runs is remembered, not logged: it may be between obj_modify and the
 *       store, or fill an object that it allocated just now.
 *   G5  A mark set by the marking under way means: visited, or on the mark stack; of a body with cards the pieces from a number
 *       on may be there.
 *   G6  Of a remembered object with cards the next collection visits the pieces whose cards are set, unless WHOLE is set too:
 *       references changed in a way that sets no cards (heap_remember).
 *   C3  An object keeps its class alive through its shape.
 */
#include "vm/heap/heap_private.h"

#include "lib/error.h"
#include "vm/call.h"
#include "vm/shape.h"
#include <stdlib.h>

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

static Values mark_stack, pinned, weak_owners;

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

void values_grow(Values *list)
{
    list->cap = list->cap ? list->cap * 2 : 4096;
    list->at = realloc(list->at, list->cap * sizeof *list->at);
    if (!list->at)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("out of memory while collecting"));
}

/* ---- the barrier ---- */

static void remember(Value v)
{
    size_t bit = bit_of(v);
    if (!bit_test(heap.mark, bit) || bit_test(heap.remembered, bit))
        return;
    bit_set(heap.remembered, bit);
    values_push(page_of((void *)v)->boot ? &heap.boot_remembered : &heap.remembered_list, v);
}

void heap_note_change(Value v)
{
    if (!barrier_off(BARRIER_OFF_WRITE, v))
        remember(v);
}

/* The flag of G6: the bit behind an object's own, which no other object has. */
static void set_whole(Value v)
{
    if (type_carded(obj_head(v)))
        bit_set(heap.remembered, bit_of(v) + 1);
}

/* Was it set?  It is no longer. */
static bool take_whole(Value v)
{
    if (!type_carded(obj_head(v)))
        return true;
    size_t bit = bit_of(v) + 1;
    bool was = bit_test(heap.remembered, bit);
    bit_clear(heap.remembered, bit);
    return was;
}

void heap_remember(Value v)
{
    if (!heap_marked(v) || barrier_off(BARRIER_OFF_REMEMBER, v))
        return;
    set_whole(v);
    remember(v);
}

static void forget_remembered(Value v)
{
    bit_clear(heap.remembered, bit_of(v));
    take_whole(v);
}

/* All bits go before any is set: a place may have been left by one and taken by another. */
void mark_follow_remembered(Value (*forward)(Value))
{
    for (size_t i = 0; i < heap.remembered_list.n; i++)
        for (size_t k = 0; k < 2; k++)
            bit_clear(heap.remembered, bit_of(heap.remembered_list.at[i]) + k);
    for (size_t i = 0; i < heap.remembered_list.n; i++) {
        Value v = heap.remembered_list.at[i] = forward(heap.remembered_list.at[i]);
        bit_set(heap.remembered, bit_of(v));
        set_whole(v);
    }
}

/* ---- marking ---- */

static inline void mark(Value v)
{
    if (!is_heap(v))
        return;
    size_t bit = bit_of(v);
    Assert(bit < heap.used >> 4 && page_of((void *)v)->kind != PAGE_UNUSED && obj_type(v) != T_FREE); /* else: a stale address */
    uint64_t *word = &heap.mark[bit >> 6], one = (uint64_t)1 << (bit & 63);
    if (*word & one)
        return;
    *word |= one;
    __builtin_prefetch((void *)v);
    values_push(&mark_stack, v);
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

static void mark_range(Visitor *v, Slot *s, size_t n)
{
    (void)v;
    heap.visited += n * sizeof(Slot);
    if (unlikely(heap.pressure)) {
        for (size_t i = 0; i < n; i++)
            if (!forget(&s[i]))
                mark(s[i].raw);
        return;
    }
    for (size_t i = 0; i < n; i++)
        mark(s[i].raw);
}

static void mark_root(Visitor *v, Value *value)
{
    (void)v;
    mark(*value);
}

/* The slots are looked at again when all is marked: bodies may be replaced between the steps. */
static void mark_weak(Visitor *v, Slot *s)
{
    (void)v, (void)s;
    if (!weak_owners.n || weak_owners.at[weak_owners.n - 1] != (Value)marking)
        values_push(&weak_owners, (Value)marking);
}

static Visitor marker = {mark_slot, mark_root, mark_weak, mark_range};

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

/* On the mark stack: the object of a body whose pieces are not all visited, or not all of those whose cards are set; the number
 * of the next one lies below. */
enum { REST = 1, CHANGED = 2, PIECES = REST | CHANGED };
enum { CARDS_AT_ONCE = 32 };

static void push_pieces(Value v, Value which, size_t card)
{
    values_push(&mark_stack, card);
    values_push(&mark_stack, v | which);
}

static void mark_class(Value v)
{
    uint32_t shape = obj_shape(v);
    if (shape)
        mark(shape_table[shape].cls); /* C3 */
}

static HeapCards cards_of(Object *o)
{
    return type_carded(o->head) ? heap_rows[o->head & OH_TYPE]->cards(o) : (HeapCards){0};
}

static void mark_card(Object *o, HeapCards cards, size_t card)
{
    cards.at[card] = 0;
    heap_rows[o->head & OH_TYPE]->visit_card(o, &marker, card);
}

static void mark_fixed(Object *o)
{
    if (o->head & OF_IVARS)
        heap_side.visit(o, &marker);
    heap_rows[o->head & OH_TYPE]->visit_fixed(o, &marker);
}

static void mark_references(Value v)
{
    mark_class(v);
    marking = obj_ptr(v);
    if (unlikely(cards_of(marking).n)) {
        mark_fixed(marking);
        push_pieces(v, REST, 0);
    } else {
        heap_visit_object(marking, &marker);
    }
    marking = &no_object;
}

static void mark_changed(Value v)
{
    mark_class(v);
    marking = obj_ptr(v);
    mark_fixed(marking);
    if (!barrier_off(BARRIER_OFF_CARD, v))
        push_pieces(v, CHANGED, 0);
    marking = &no_object;
}

static size_t next_changed(HeapCards cards, size_t from)
{
    uint8_t *at = from < cards.n ? memchr(cards.at + from, 1, cards.n - from) : NULL;
    return at ? (size_t)(at - cards.at) : cards.n;
}

/* Some pieces.  The body may be another one than at the last step: then its cards tell (G6). */
static void mark_pieces(Value tagged)
{
    Value v = tagged & ~(Value)PIECES, which = tagged & PIECES;
    size_t card = mark_stack.at[--mark_stack.n];
    HeapCards cards = cards_of(obj_ptr(v));
    if (card >= cards.n)
        return;
    marking = obj_ptr(v);
    push_pieces(v, which, 0); /* below what these pieces push, so that the stack stays small */
    size_t rest = mark_stack.n - 2;
    for (unsigned n = 0; n < CARDS_AT_ONCE; n++, card++) {
        if (which == CHANGED)
            card = next_changed(cards, card);
        if (card >= cards.n)
            break;
        mark_card(marking, cards, card);
    }
    mark_stack.at[rest] = card;
    marking = &no_object;
}

/* G4; and an object with an oid without LOG is for the transaction to log. */
static inline bool stays_remembered(Value v)
{
    return bit_test(heap.pin, bit_of(v)) || (obj_head(v) & (OF_OID | OH_LOG)) == OF_OID;
}

/* Does every store into it come after obj_modify, from now on? */
static inline bool logged(Object *o)
{
    const TypeRow *row = heap_rows[o->head & OH_TYPE];
    return type_logged(o->head) || (row->closed && row->closed(o));
}

/* v was marked just now: it is old from here on. */
static inline void grow_old(Value v)
{
    Object *o = obj_ptr(v);
    if (!logged(o)) {
        if (!barrier_off(BARRIER_OFF_ALWAYS, v))
            values_push(&heap.always, v);
    } else if (unlikely(stays_remembered(v))) {
        remember(v);
    } else if (!(o->head & OH_LOG)) {
        o->head |= OH_LOG;
    }
}

bool mark_step(uint64_t budget)
{
    /* A few objects wait between the stack and their visit, so that their headers have come from memory by then. */
    enum { AHEAD = 8 };
    Value queue[AHEAD];
    unsigned head = 0, waiting = 0;
    uint64_t from = heap.visited;
    while (heap.visited - from < budget) {
        while (waiting < AHEAD && mark_stack.n && heap.visited - from < budget) {
            Value v = mark_stack.at[--mark_stack.n];
            if (unlikely(v & PIECES)) {
                heap.visited += 32;
                mark_pieces(v);
                continue;
            }
            __builtin_prefetch((void *)v);
            queue[(head + waiting++) % AHEAD] = v;
        }
        if (!waiting)
            break;
        Value v = queue[head];
        head = (head + 1) % AHEAD;
        waiting--;
        grow_old(v);
        heap.live_bytes += heap_cell_size(v);
        heap.visited += 32;
        mark_references(v);
    }
    for (; waiting; waiting--, head = (head + 1) % AHEAD)
        values_push(&mark_stack, queue[head]);
    return mark_stack.n == 0;
}

/* ---- roots ---- */

static bool scanning_own; /* not another fiber's stack, which is reached in the course of marking */

__attribute__((no_sanitize_address)) void heap_scan_range(const void *low, const void *high)
{
    const uint64_t *at = (const uint64_t *)ALIGN_UP((uintptr_t)low, 8);
    for (; (const char *)(at + 1) <= (const char *)high; at++) {
        Value v = heap_object_at(*at);
        if (!v || bit_test(heap.pin, bit_of(v)))
            continue;
        bit_set(heap.pin, bit_of(v));
        values_push(&pinned, v);
        if (!scanning_own && !page_of((void *)v)->boot) /* v may have been logged before we came here (G4) */
            remember(v);
        mark(v);
    }
}

__attribute__((noinline, no_sanitize_address)) static void scan_own_stack(void)
{
    void *here = __builtin_frame_address(0);
    if (stack_base && here < stack_base)
        heap_scan_range(here, stack_base);
}

/* Not inline: what was pinned must not be found again in our own registers. */
__attribute__((noinline)) static void unpin_all(void)
{
    for (size_t i = 0; i < pinned.n; i++)
        bit_clear(heap.pin, bit_of(pinned.at[i]));
    pinned.n = 0;
}

void mark_hold_stack(void)
{
    unpin_all();
    __builtin_unwind_init(); /* callee-saved registers to this frame */
    scanning_own = true;
    scan_own_stack();
    scanning_own = false;
}

static bool roots_off(UNUSED const Visitor *v, UNUSED const char *name)
{
#ifdef LODE_DEBUG
    return unlikely(heap_barrier_off == BARRIER_OFF_ROOTS) && v == &marker && !strcmp(name, heap_barrier_off_roots);
#else
    return false;
#endif
}

void roots_visit(Visitor *v)
{
    for (unsigned i = 0; i < root_count; i++)
        v->value(v, roots[i]);
    for (unsigned i = 0; i < visitor_count; i++)
        if (!roots_off(v, visitors[i].name))
            visitors[i].fn(v);
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

void mark_roots(void)
{
    mark_hold_stack();
    roots_visit(&marker);
    for (size_t i = 0; i < heap.boot_always.n; i++)
        mark_references(heap.boot_always.at[i]);
    for (size_t i = 0; i < heap.boot_remembered.n; i++)
        mark_references(heap.boot_remembered.at[i]);
}

void mark_old(void)
{
    size_t kept = 0;
    for (size_t i = 0, n = heap.always.n; i < n; i++) {
        Value v = heap.always.at[i];
        if (logged(obj_ptr(v)))
            grow_old(v); /* what was stored before is visited now, for the last time */
        else
            heap.always.at[kept++] = v;
        mark_references(v);
    }
    heap.always.n = kept;
    kept = 0;
    for (size_t i = 0, n = heap.remembered_list.n; i < n; i++) {
        Value v = heap.remembered_list.at[i];
        bool whole = take_whole(v) || !cards_of(obj_ptr(v)).n;
        if (stays_remembered(v)) {
            heap.remembered_list.at[kept++] = v;
        } else {
            bit_clear(heap.remembered, bit_of(v));
            obj_ptr(v)->head |= OH_LOG;
        }
        if (whole)
            mark_references(v);
        else
            mark_changed(v);
    }
    heap.remembered_list.n = kept;
}

void mark_start(void)
{
    for (size_t i = 0; i < heap.remembered_list.n; i++)
        forget_remembered(heap.remembered_list.at[i]);
    heap.remembered_list.n = heap.always.n = mark_stack.n = weak_owners.n = 0;
    heap.live_bytes = 0;
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if ((p->kind == PAGE_SMALL || p->kind == PAGE_LARGE) && !p->boot)
            memset(&heap.mark[i * PAGE_WORDS], 0, p->kind == PAGE_SMALL ? PAGE_WORDS * 8 : 8);
    }
}

/* ---- weak references ---- */

bool mark_alive(Value v)
{
    return !is_heap(v) || heap_marked(v);
}

static void clear_weak(Visitor *v, Slot *s)
{
    (void)v;
    heap.stats.weak++;
    if (!mark_alive(s->raw))
        s->raw = V_UNDEF;
    else
        heap.stats.weak_kept++;
}
static void no_slot(UNUSED Visitor *v, UNUSED Slot *s)
{
}
static void no_range(UNUSED Visitor *v, UNUSED Slot *s, UNUSED size_t n)
{
}
static void no_value(UNUSED Visitor *v, UNUSED Value *value)
{
}
static Visitor weak_clearer = {no_slot, no_value, clear_weak, no_range};

void mark_clear_weak(void)
{
    bool roots_too = false;
    heap.stats.weak = heap.stats.weak_kept = 0;
    for (size_t i = 0; i < weak_owners.n; i++)
        if (weak_owners.at[i] == (Value)&no_object)
            roots_too = true;
        else
            heap_visit_object(obj_ptr(weak_owners.at[i]), &weak_clearer);
    if (roots_too)
        roots_visit(&weak_clearer);
    weak_owners.n = 0;
}

void mark_run_weak_passes(bool (*alive)(Value), Value (*forward)(Value))
{
    for (unsigned i = 0; i < weak_pass_count; i++)
        weak_passes[i](alive, forward);
}

/* ---- the barrier's verifier ---- */

/* Marks all anew, without a look at generations, into a table of its own; what it finds and the young collection did not
 * hangs on an old object that was changed without obj_modify. */
static uint64_t *seen;
static Values to_see;
static Value see_from; /* 0: a root */

static void see(Value v)
{
    if (!is_heap(v) || bit_test(seen, bit_of(v)))
        return;
    if (!heap_marked(v)) {
        uint32_t shape = see_from ? obj_shape(see_from) : 0;
        ereport(PANIC, ERR_INTERNAL,
                errmsg("a store was not logged: %s %#lx of type %d, class %s, refers to young %#lx of type %d",
                       see_from && page_of((void *)see_from)->boot ? "boot object" : "object", (unsigned long)see_from,
                       see_from ? (int)obj_type(see_from) : -1,
                       shape ? class_name_c(class_real(see_from)) : "(internal)", (unsigned long)v, (int)obj_type(v)),
                errhint("obj_modify stands before every change (H4); what else is written to needs heap_remember (H13)."));
    }
    bit_set(seen, bit_of(v));
    values_push(&to_see, v);
}
static void see_slot(UNUSED Visitor *v, Slot *s)
{
    see(s->raw);
}
static void see_range(UNUSED Visitor *v, Slot *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        see(s[i].raw);
}
static void see_value(UNUSED Visitor *v, Value *value)
{
    see(*value);
}
/* A dead object's weak reference is cleared if its owner was visited: weak_owners has it. */
static void see_weak(UNUSED Visitor *v, Slot *s)
{
    if (!is_heap(s->raw) || heap_marked(s->raw))
        return;
    Value owner = see_from ? see_from : (Value)&no_object;
    for (size_t i = 0; i < weak_owners.n; i++)
        if (weak_owners.at[i] == owner)
            return;
    see(s->raw);
}
static Visitor seer = {see_slot, see_value, see_weak, see_range};

void mark_verify_barrier(void)
{
    seen = calloc(heap.used >> 10, sizeof *seen);
    if (!seen)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("out of memory while collecting"));
    see_from = 0;
    roots_visit(&seer);
    for (size_t i = 0; i < pinned.n; i++)
        see(pinned.at[i]);
    while (to_see.n) {
        Value v = see_from = to_see.at[--to_see.n];
        if (obj_shape(v))
            see(shape_table[obj_shape(v)].cls);
        heap_visit_object(obj_ptr(v), &seer);
    }
    free(seen);
}
