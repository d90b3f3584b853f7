/* ivar.c -- instance variables of any object, and the side table
 *
 * Objects with slots keep them there, by shape.  Classes and modules have symbol tables of their own, in two copies as their
 * constants (class_private.h).  All other types use the side table, keyed by address: a row also holds object_id and identity hash.
 * Transient ones lie there, too (object_private.h): an object that has a variable of that name in its body keeps it.
 * S1: a side row exists exactly when OF_IVARS or OF_ID is set in the header (OF_FINALIZER has its own table).
 */
#include "vm/core.h"
#include "vm/frame.h"
#include "vm/heap/heap_private.h"
#include "vm/object/class_private.h"

#include "lib/hashtab.h"

static HashTab *sides;

Side *side_find(Value v)
{
    return hashtab_find(sides, &v);
}

Side *side_get(Value v)
{
    return hashtab_enter(sides, &v, NULL);
}

static void side_visit(Object *o, Visitor *v)
{
    /* While objects move, the row may already be under the new address: `moved` ran at the copy. */
    Side *s = side_find((Value)o);
    if (s)
        visit_slots(v, s->values, s->n);
}

static void side_drop(Object *o)
{
    Value v = (Value)o;
    if (o->head & (OF_IVARS | OF_ID)) {
        Side *s = side_find(v);
        if (s) {
            heap_free(s->names);
            heap_free(s->values);
            hashtab_remove(sides, &v);
        }
    }
}

static void side_moved(Object *to, Object *from)
{
    Value v = (Value)from, new_v = (Value)to;
    if (!(to->head & (OF_IVARS | OF_ID)))
        return;
    Side *s = side_find(v);
    if (!s)
        return;
    Side copy = *s;
    hashtab_remove(sides, &v);
    s = hashtab_enter(sides, &new_v, NULL);
    copy.object = new_v;
    *s = copy;
}

void side_boot(void)
{
    sides = hashtab_create(memctx_create(NULL, "object side table"), sizeof(Value), sizeof(Side), HASH_BLOB);
    heap_side = (SideHooks){side_visit, side_drop, side_moved};
}

/* ---- slots ---- */

unsigned obj_slot_room(Value v)
{
    SlotObject *o = (SlotObject *)v;
    if (o->head & OF_EMBED)
        return (unsigned)(heap_cell_size(v) / sizeof(Slot) - 1);
    return (unsigned)o->ext_cap;
}

void obj_make_slot_room(Value v, unsigned n)
{
    unsigned room = obj_slot_room(v);
    if (n <= room)
        return;
    SlotObject *o = (SlotObject *)v;
    Slot *ext = heap_malloc(n * sizeof(Slot));
    memcpy(ext, obj_slots(v), room * sizeof(Slot));
    for (unsigned i = room; i < n; i++)
        slot_init(&ext[i], V_NIL);
    if (o->head & OF_EMBED)
        o->head &= ~OF_EMBED;
    else
        heap_free(o->ext);
    o->ext = ext;
    o->ext_cap = n;
}

void obj_add_slot(Value v, uint32_t new_shape, Value x)
{
    unsigned i = shape_table[new_shape].count - 1, room = obj_slot_room(v);
    if (i >= room) {
        obj_make_slot_room(v, MAX(i + 1, room * 2));
        ClassExt *cls = class_ext(class_real(v)); /* the next instances get the room at once */
        if (cls->slot_hint < i + 1)
            cls->slot_hint = (uint16_t)MIN(i + 1, 60u);
    }
    slot_write(v, &obj_slots(v)[i], x);
    obj_set_shape(v, new_shape);
}

Value heap_alloc_slots(ObjectType type, Value cls, unsigned extra)
{
    uint32_t shape = class_root_shape(cls);
    unsigned n = shape_table[shape].count + extra;
    if (n < 3)
        n = 3; /* room for ext */
    Value v = heap_alloc_head((uint64_t)shape << OH_SHAPE_AT | OF_EMBED | type, (n + 1) * sizeof(Slot));
    size_t room = n <= 3 ? 3 : heap_cell_size(v) / sizeof(Slot) - 1;
    Slot *s = ((SlotObject *)v)->inl;
    for (size_t i = 0; i < room; i++)
        slot_init(&s[i], V_NIL);
    return v;
}

/* ---- side rows ---- */

static int side_index(Side *s, uint32_t id)
{
    for (uint32_t i = 0; s && i < s->n; i++)
        if (s->names[i] == id)
            return (int)i;
    return -1;
}

static void side_set(Value v, uint32_t id, Value x)
{
    Side *s = side_get(v);
    obj_ptr(v)->head |= OF_IVARS;
    int i = side_index(s, id);
    if (i < 0) {
        if (s->n == s->cap) {
            uint32_t cap = s->cap ? s->cap * 2 : 2;
            s->names = heap_realloc(s->names, cap * sizeof *s->names);
            s->values = heap_realloc(s->values, cap * sizeof *s->values);
            s->cap = cap;
        }
        i = (int)s->n++;
        s->names[i] = id;
    }
    slot_write(v, &s->values[i], x);
}

/* ---- transient ones ---- */

bool ivar_transients;

void ivar_transients_met(void)
{
    ivar_transients = true;
    method_serial++; /* accessors are cached by shape, too */
    vm_ivar_caches_clear();
}

static Value own_name_of(Value name, bool make)
{
    size_t n = sym_len(name);
    char *text = heap_malloc(n + 1);
    text[0] = OWN_ATTRIBUTE;
    memcpy(text + 1, sym_text(name), n);
    Value own = make ? sym_intern_len(text, n + 1, sym_encoding(name)) : sym_find_len(text, n + 1, sym_encoding(name));
    heap_free(text);
    return own;
}

/* The symbol under which obj has the variable; 0 when it is not transient.  Only for variables that its body has not. */
static uint32_t transient_id(Value obj, Value name)
{
    if (likely(!ivar_transients) || !ivar_name_visible(symbol_id(name)))
        return 0;
    Value own = own_name_of(name, false);
    return is_symbol(own) && method_find(class_of(obj), own) ? symbol_id(own) : 0;
}

bool ivar_is_transient(Value obj, Value name)
{
    return transient_id(obj, name) != 0;
}

void ivar_declare_transient(Value cls, Value name)
{
    Value own = own_name_of(name, true);
    MethodEntry *me = method_entry_new(ME_ATTR_READER, VIS_PRIVATE);
    slot_init(&me->body, name);
    me->max = 0;
    method_enter(cls, own, me);
    ivar_transients_met();
}

static Value own_get(Value obj, uint32_t own)
{
    Side *s = own && (obj_head(obj) & OF_IVARS) ? side_find(obj) : NULL;
    int i = side_index(s, own);
    return i < 0 ? V_UNDEF : slot_read(obj, &s->values[i]);
}

static Value side_remove(Value obj, uint32_t id)
{
    Side *s = (obj_head(obj) & OF_IVARS) ? side_find(obj) : NULL;
    int i = side_index(s, id);
    if (i < 0)
        return V_UNDEF;
    Value gone = slot_read(obj, &s->values[i]);
    s->n--;
    memmove(&s->names[i], &s->names[i + 1], (s->n - (uint32_t)i) * sizeof *s->names);
    memmove(&s->values[i], &s->values[i + 1], (s->n - (uint32_t)i) * sizeof *s->values);
    return gone;
}

/* ---- the interface ---- */

static Value stored_get(Value obj, Value name)
{
    uint32_t id = symbol_id(name);
    if (has_slots(obj)) {
        int i = shape_find(obj_shape(obj), id);
        return i < 0 ? V_UNDEF : slot_read(obj, &obj_slots(obj)[i]);
    }
    if (is_module(obj)) {
        Value table;
        Slot *s = class_row_find(obj, class_ext(obj)->ivars, id, &table);
        return s ? slot_read(table, s) : V_UNDEF;
    }
    if (!(obj_head(obj) & OF_IVARS))
        return V_UNDEF;
    Side *s = side_find(obj);
    int i = side_index(s, id);
    return i < 0 ? V_UNDEF : slot_read(obj, &s->values[i]);
}

Value ivar_get(Value obj, Value name)
{
    if (is_immediate(obj))
        return V_UNDEF;
    obj_attend(obj);
    Value v = stored_get(obj, name);
    return is_undef(v) && unlikely(ivar_transients) ? own_get(obj, transient_id(obj, name)) : v;
}

static bool stored_defined(Value obj, Value name)
{
    return has_slots(obj) ? shape_find(obj_shape(obj), symbol_id(name)) >= 0 : !is_undef(stored_get(obj, name));
}

/* A class's own variables go with it, whatever the mode; but those of the boot's classes are mostly the session's. */
static bool all_persistent(Value module)
{
    return !vm_booting && !class_ext(module)->persist[0];
}

static void module_set(Value module, uint32_t id, Value v)
{
    if (all_persistent(module))
        symtable_set(class_table_for_change(module, class_ext(module)->ivars, TABLE_PERSISTENT), id, v);
    else
        class_row_set(module, class_ext(module)->ivars, id, v);
}

static void module_remove(Value module, uint32_t id)
{
    if (all_persistent(module))
        symtable_remove(class_table_for_change(module, class_ext(module)->ivars, TABLE_PERSISTENT), id);
    else
        class_row_remove(module, class_ext(module)->ivars, id);
}

/* The variable is a transient one: sets it, which is no change of the object. */
static bool own_set(Value obj, Value name, Value v)
{
    obj_attend(obj);
    uint32_t own = stored_defined(obj, name) ? 0 : transient_id(obj, name);
    if (!own)
        return false;
    if (obj_frozen_bit(obj))
        raise_frozen(obj);
    side_set(obj, own, v);
    return true;
}

void ivar_set(Value obj, Value name, Value v)
{
    if (is_immediate(obj))
        raise_frozen(obj);
    if (unlikely(ivar_transients) && own_set(obj, name, v))
        return;
    obj_modify(obj);
    uint32_t id = symbol_id(name);
    if (has_slots(obj)) {
        uint32_t shape = obj_shape(obj);
        int i = shape_find(shape, id);
        if (i >= 0)
            slot_write(obj, &obj_slots(obj)[i], v);
        else
            obj_add_slot(obj, shape_add(shape, id), v);
    } else if (is_module(obj)) {
        module_set(obj, id, v);
    } else {
        side_set(obj, id, v);
    }
}

/* For vm/persist: one instance variable of a type without slots, as its record has it; and all of them gone. */
void ivar_restore(Value obj, uint32_t id, Slot x)
{
    side_set(obj, id, x.raw);
}

void ivar_forget(Value obj)
{
    if (!(obj_head(obj) & OF_IVARS))
        return;
    Side *s = side_find(obj);
    uint32_t left = 0;
    for (uint32_t i = 0; s && i < s->n; i++)
        if (is_own_attribute(s->names[i])) {
            s->names[left] = s->names[i];
            s->values[left++] = s->values[i];
        }
    if (s)
        s->n = left;
}

bool ivar_defined(Value obj, Value name)
{
    if (is_immediate(obj))
        return false;
    obj_attend(obj);
    return stored_defined(obj, name) || !is_undef(own_get(obj, transient_id(obj, name)));
}

static Value slots_remove(Value obj, uint32_t id)
{
    uint32_t shape = obj_shape(obj);
    int at = shape_find(shape, id);
    if (at < 0)
        return V_UNDEF;
    unsigned n = shape_table[shape].count;
    uint32_t next = shape_table[shape].root;
    Value gone = slot_read(obj, &obj_slots(obj)[at]);
    for (unsigned i = shape_table[next].count; i < n; i++)
        if ((int)i != at)
            next = shape_add(next, shape_name_at(shape, i));
    Slot *s = obj_slots(obj);
    slot_copy_range(obj, &s[at], &s[at + 1], n - 1 - (unsigned)at);
    slot_write(obj, &s[n - 1], V_NIL);
    obj_set_shape(obj, next);
    return gone;
}

Value ivar_remove(Value obj, Value name)
{
    if (is_immediate(obj))
        raise_frozen(obj);
    if (unlikely(ivar_transients)) {
        obj_attend(obj);
        uint32_t own = stored_defined(obj, name) ? 0 : transient_id(obj, name);
        if (own)
            return side_remove(obj, own);
    }
    obj_modify(obj);
    uint32_t id = symbol_id(name);
    if (has_slots(obj))
        return slots_remove(obj, id);
    if (is_module(obj)) {
        Value gone = ivar_get(obj, name);
        if (!is_undef(gone))
            module_remove(obj, id);
        return gone;
    }
    return side_remove(obj, id);
}

typedef struct EachArg {
    Value obj;
    void (*fn)(Value, Value, void *);
    void *arg;
    bool hidden;
} EachArg;

static void each_row(uint32_t id, Slot *s, void *arg)
{
    EachArg *e = arg;
    bool shadowed = class_row_find(e->obj, class_ext(e->obj)->ivars, id, NULL) != s;
    if (!shadowed && (e->hidden || ivar_name_visible(id)))
        e->fn(symbol_value(id), stored_get(e->obj, symbol_value(id)), e->arg);
}

static void each(Value obj, bool hidden, void (*fn)(Value, Value, void *), void *arg)
{
    if (is_immediate(obj))
        return;
    obj_attend(obj);
    if (has_slots(obj)) {
        uint32_t shape = obj_shape(obj); /* fn may add variables: those are not visited */
        for (unsigned i = hidden ? 0 : shape_table[shape_table[shape].root].count; i < shape_table[shape].count; i++) {
            uint32_t id = shape_name_at(shape, i);
            if (!hidden && !ivar_name_visible(id))
                continue;
            Value v = ivar_get(obj, symbol_value(id));
            if (!is_undef(v))
                fn(symbol_value(id), v, arg);
        }
    } else if (is_module(obj)) {
        EachArg e = {obj, fn, arg, hidden};
        class_rows_each(obj, class_ext(obj)->ivars, each_row, &e);
    } else if (obj_head(obj) & OF_IVARS) {
        for (uint32_t i = 0; i < side_find(obj)->n; i++) {
            Side *s = side_find(obj);
            if (hidden || ivar_name_visible(s->names[i]))
                fn(symbol_value(s->names[i]), slot_read(obj, &s->values[i]), arg);
        }
    }
}

void ivar_each_stored(Value obj, void (*fn)(Value name, Value v, void *arg), void *arg)
{
    each(obj, false, fn, arg);
}

static void each_own(Value obj, void (*fn)(Value, Value, void *), void *arg)
{
    if (likely(!ivar_transients) || is_immediate(obj) || !(obj_head(obj) & OF_IVARS))
        return;
    for (uint32_t i = 0; i < side_find(obj)->n; i++) {
        Side *s = side_find(obj);
        Value name = symbol_value(s->names[i]);
        if (is_own_attribute(s->names[i]))
            fn(sym_intern_len(sym_text(name) + 1, sym_len(name) - 1, sym_encoding(name)), slot_read(obj, &s->values[i]), arg);
    }
}

void ivar_each(Value obj, void (*fn)(Value name, Value v, void *arg), void *arg)
{
    ivar_each_stored(obj, fn, arg);
    each_own(obj, fn, arg);
}

static void copy_one(Value name, Value v, void *arg)
{
    if (!is_own_attribute(symbol_id(name)))
        ivar_set(*(Value *)arg, name, v);
}

void ivar_copy_all(Value to, Value from)
{
    if (is_immediate(from) || is_immediate(to))
        return;
    obj_attend(from);
    each_own(from, copy_one, &to);
    if (!has_slots(from) || !has_slots(to)) {
        each(from, true, copy_one, &to);
        return;
    }
    /* Slot by slot, hidden fields included; unresolved words stay unresolved. */
    obj_modify(to);
    uint32_t shape = shape_rebase(obj_shape(from), shape_table[obj_shape(to)].root);
    unsigned n = shape_table[shape].count;
    obj_make_slot_room(to, n);
    slot_copy_range(to, obj_slots(to), obj_slots(from), shape_table[obj_shape(from)].count);
    obj_set_shape(to, shape);
}
