/* versions.c -- another class takes a class's place, objects swap what they are, variables that are the session's alone
 *
 * Migration is lazy: the record of a class that was superseded says so and names its successor; each instance that is read becomes
 * one of the newest version, with the instance variables it has, and is written as such when it is next changed.  Members of
 * structs go by name as well; those that the newest version does not have stay as hidden variables, so that an abort finds them.
 * An instance with a singleton class keeps that, and its layout: the class stands under the newest version from then on, but for
 * structs whose members are others now: those stay what they were.  The instances in memory follow at once: in this session when the class is superseded, in others at the boundary that brings
 * the class's new record; and back, when the transaction is aborted.  Both classes must have instances of one built-in layout.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"

static Value successor_name, predecessor_name; /* hidden instance variables of classes */
static ValueList pairs;                        /* old class, new class: whose instances in memory have followed */
static ValueList noted;                        /* classes read anew, whose instances may have to follow */

static void pairs_visit(Visitor *v)
{
    for (size_t i = 0; i < pairs.count; i++)
        v->value(v, &pairs.items[i]);
    for (size_t i = 0; i < noted.count; i++)
        v->value(v, &noted.items[i]);
}

bool version_superseded(Value cls)
{
    return is_class(cls) && (class_ext(cls)->persist_flags & SUPERSEDED);
}

static Value newest(Value cls)
{
    while (version_superseded(cls)) {
        Value next = ivar_get(cls, successor_name);
        if (!is_class(next))
            break;
        cls = next;
    }
    return cls;
}

/* v is of the class of `root` from now on, and has under each name what it had. */
static void rebase(Value v, uint32_t root)
{
    uint32_t from = obj_shape(v), to = root;
    if (has_slots(v)) {
        unsigned n = shape_table[from].count;
        for (unsigned i = 0; i < n; i++)
            if (shape_find(to, shape_name_at(from, i)) < 0)
                to = shape_add(to, shape_name_at(from, i));
        obj_make_slot_room(v, shape_table[to].count);
        Slot *held = mem_alloc(session.context, (n + 1) * sizeof(Slot));
        memcpy(held, obj_slots(v), n * sizeof(Slot));
        for (unsigned i = 0; i < obj_slot_room(v); i++)
            obj_slots(v)[i].raw = V_NIL;
        for (unsigned i = 0; i < n; i++)
            obj_slots(v)[shape_find(to, shape_name_at(from, i))] = held[i];
        mem_free(held);
    }
    obj_set_shape(v, to);
}

void version_adapt(Value v)
{
    Value cls = shape_class(obj_shape(v));
    if (version_superseded(cls))
        rebase(v, class_root_shape(newest(cls)));
}

static void move_singleton(Value single, Value to)
{
    const ClassExt *x = class_ext(single), *y = class_ext(to);
    if (x->nfields == y->nfields && (x->nfields == 0 || memcmp(x->fields, y->fields, x->nfields * sizeof(uint32_t)) == 0))
        class_move_under(single, to);
}

void version_adapt_singleton(Value single)
{
    Value super = class_superclass(single);
    if (version_superseded(super))
        move_singleton(single, newest(super));
}

/* ---- instances in memory ---- */

typedef struct Instances {
    Value of, list; /* of: the class, or the superclass of the singleton class */
    size_t n;
} Instances;

static bool is_instance(Value v, Value of)
{
    Value cls = obj_shape(v) ? shape_class(obj_shape(v)) : V_NIL;
    if (cls == of || !is_class(cls) || !class_is_singleton(cls) || class_attached_object(cls) != v)
        return cls == of;
    Slot super = class_ptr(cls)->super; /* no fault while the heap is walked: what is not in memory is adapted when it is read */
    while (!slot_unresolved(super) && is_heap(super.raw) && obj_type(super.raw) == T_ICLASS)
        super = class_ptr(super.raw)->super;
    return super.raw == of;
}

static void count_instance(Value v, void *arg)
{
    Instances *found = arg;
    found->n += is_instance(v, found->of);
}

static void take_instance(Value v, void *arg)
{
    Instances *found = arg;
    if (is_instance(v, found->of) && ary_len(found->list) < found->n)
        ary_push(found->list, v);
}

/* back: the change was never committed, so those that are stored are read anew. */
static void reclass(Value from, Value to, bool back)
{
    Instances found = {.of = from};
    heap_each_object(count_instance, &found);
    found.list = ary_new(found.n);
    heap_each_object(take_instance, &found);
    for (size_t i = 0; i < ary_len(found.list); i++) {
        Value v = ary_get(found.list, (long)i), cls = shape_class(obj_shape(v));
        if (cls == from)
            rebase(v, class_root_shape(to));
        else
            move_singleton(cls, to);
        if (back && record_can_hollow(v))
            record_empty(v);
    }
    method_serial++;
    method_caches_clear();
}

void version_note(Value cls)
{
    list_push(&noted, cls);
}

static void settle(Value cls)
{
    size_t at = 0;
    while (at < pairs.count && pairs.items[at] != cls)
        at += 2;
    bool followed = at < pairs.count;
    if (version_superseded(cls) && !followed) {
        Value to = newest(cls);
        list_reserve(&pairs, 2);
        list_push(&pairs, cls);
        list_push(&pairs, to);
        reclass(cls, to, false);
    }
    if (!version_superseded(cls) && followed) {
        reclass(pairs.items[at + 1], cls, true);
        pairs.items[at] = pairs.items[at + 1] = V_NIL;
    }
}

void versions_settle(void)
{
    while (noted.count)
        settle(noted.items[--noted.count]);
}

/* __supersede(old, new): instances of old are instances of new from now on. */
static Value maglev_supersede(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value from = argv[0], to = argv[1];
    for (int i = 0; i < 2; i++)
        if (!is_class(argv[i]) || class_is_singleton(argv[i]) || class_ext(argv[i])->instance_type == T_CLASS ||
            class_ext(argv[i])->instance_type == T_MODULE)
            raise_error(klass.ArgumentError, "instances of %V can't change their class", argv[i]);
    if (class_ext(from)->instance_type != class_ext(to)->instance_type)
        raise_error(klass.ArgumentError, "instances of %C and %C are laid out differently: they can't change their class", from, to);
    if (newest(to) == from || version_superseded(from) || !persist_class_persistable(from) || !persist_class_persistable(to))
        raise_error(klass.ArgumentError, "%C can't take the place of %C", to, from);
    ivar_set(to, predecessor_name, from);
    ivar_set(from, successor_name, to);
    class_ext(from)->persist_flags |= SUPERSEDED;
    settle(from);
    return to;
}

static Value maglev_predecessor(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = ivar_get(argv[0], predecessor_name);
    return is_undef(v) ? V_NIL : v;
}

static Value maglev_successor(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = version_superseded(argv[0]) ? ivar_get(argv[0], successor_name) : V_NIL;
    return is_undef(v) ? V_NIL : v;
}

/* __touch(object): it counts as changed, frozen or not; what is no object on the heap can't. */
static Value maglev_touch(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_heap(argv[0]))
        obj_touch(argv[0]);
    return argv[0];
}

/* ---- become ---- */

/* v's class was another's: its singleton class is v's now. */
static void own_singleton(Value v)
{
    Value cls = shape_class(obj_shape(v));
    if (class_is_singleton(cls)) {
        obj_modify(cls);
        slot_write(cls, &class_ext(cls)->attached, v);
    }
}

static void take_over(Value v, uint32_t shape, const Slot *slots)
{
    unsigned n = shape_table[shape].count;
    obj_make_slot_room(v, n);
    memcpy(obj_slots(v), slots, n * sizeof(Slot));
    for (unsigned i = n; i < obj_slot_room(v); i++)
        slot_init(&obj_slots(v)[i], V_NIL);
    obj_set_shape(v, shape);
    own_singleton(v);
}

/* __swap_classes(a, b): of Strings, Arrays, Hashes: classes and singleton classes; the content is not touched. */
static Value maglev_swap_classes(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value a = argv[0], b = argv[1];
    obj_modify(a);
    obj_modify(b);
    uint32_t shape_a = obj_shape(a);
    obj_set_shape(a, obj_shape(b));
    obj_set_shape(b, shape_a);
    own_singleton(a);
    own_singleton(b);
    return self;
}

/* __swap(a, b): class and instance variables of plain objects, structs, exceptions. */
static Value maglev_swap(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value a = argv[0], b = argv[1];
    for (int i = 0; i < 2; i++) {
        ObjectType type = is_heap(argv[i]) ? obj_type(argv[i]) : T_FREE;
        if ((type != T_OBJECT && type != T_STRUCT && type != T_EXCEPTION) || builtin_oid(argv[i]) || argv[i] == session.root)
            raise_error(klass.ArgumentError, "%V can't become another object", argv[i]);
    }
    if (obj_type(a) != obj_type(b))
        raise_error(klass.ArgumentError, "%C and %C are laid out differently: they can't become each other", class_real(a),
                    class_real(b));
    obj_modify(a);
    obj_modify(b);
    uint32_t shape_a = obj_shape(a), shape_b = obj_shape(b);
    unsigned na = shape_table[shape_a].count, nb = shape_table[shape_b].count;
    Value held = ary_new(na + nb); /* keeps what the copies below refer to while room is made */
    for (unsigned i = 0; i < na; i++)
        ary_push(held, slot_read(a, &obj_slots(a)[i]));
    for (unsigned i = 0; i < nb; i++)
        ary_push(held, slot_read(b, &obj_slots(b)[i]));
    obj_modify(a); /* a fault may have let others empty them */
    obj_modify(b);
    Slot *copy = heap_malloc((na + nb + 1) * sizeof(Slot));
    for (unsigned i = 0; i < na + nb; i++)
        slot_init(&copy[i], ary_get(held, (long)i));
    resource_push(heap_free, copy);
    take_over(a, shape_b, copy + na);
    take_over(b, shape_a, copy);
    resource_release(copy);
    return self;
}

/* ---- the session's own ---- */

/* __transient(class, :@name) */
static Value maglev_transient_ivar(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    ivar_declare_transient(argv[0], argv[1]);
    return V_NIL;
}

/* __const_lazy(module, name, proc) */
static Value maglev_const_lazy(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const_set_lazily(argv[0], argv[1], argv[2]);
    return V_NIL;
}

static const Builtin methods[] = {
    {"__supersede", maglev_supersede, 2, 2, BI_HIDDEN},
    {"__predecessor", maglev_predecessor, 1, 1, BI_HIDDEN},
    {"__successor", maglev_successor, 1, 1, BI_HIDDEN},
    {"__touch", maglev_touch, 1, 1, BI_HIDDEN},
    {"__swap_classes", maglev_swap_classes, 2, 2, BI_HIDDEN},
    {"__swap", maglev_swap, 2, 2, BI_HIDDEN},
    {"__transient", maglev_transient_ivar, 2, 2, BI_HIDDEN},
    {"__const_lazy", maglev_const_lazy, 3, 3, BI_HIDDEN},
};

void versions_boot(void)
{
    successor_name = sym_intern("successor");
    predecessor_name = sym_intern("predecessor");
    heap_add_visitor(pairs_visit, "superseded classes");
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
