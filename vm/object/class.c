/* class.c -- classes and modules: creation, ancestry, names; the bootstrap of the class hierarchy
 *
 * Ancestry is the chain of `super`: classes, and ICLASSes that stand for modules (class_private.h has the
 * invariants K1..K5).  Each class is born with its metaclass, so class methods are inherited by plain look-up.
 * Names are Symbols of the whole path: cheap, frozen, and there before String exists.
 */
#include "vm/core.h"
#include "vm/object/class_private.h"
#include "vm/persist.h"
#include "vm/record.h"

#include <stdio.h>
#include <stdlib.h>

struct WellKnownClasses klass;
TableCopy (*class_definition_copy)(Value module);
void (*class_created_hook)(Value cls, Value outer, Value name);
bool vm_booting = true;

static ClassList all; /* every class and module, weak */

/* ---- lists ---- */

static void list_add(ClassList *l, Value v)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 4;
        l->at = heap_realloc(l->at, cap * sizeof(Value));
        l->cap = cap;
    }
    l->at[l->n++] = v;
}

static void list_follow(ClassList *l, bool (*alive)(Value), Value (*forward)(Value))
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->n; i++)
        if (alive(l->at[i]))
            l->at[n++] = forward(l->at[i]);
    l->n = n;
}

static void follow_classes(bool (*alive)(Value), Value (*forward)(Value))
{
    list_follow(&all, alive, forward);
    for (uint32_t i = 0; i < all.n; i++)
        list_follow(&class_ext(all.at[i])->subclasses, alive, forward);
}

/* ---- the heap's rows ---- */

static void visit(Object *o, Visitor *v)
{
    Class *c = (Class *)o;
    v->slot(v, &c->super);
    ClassExt *x = c->ext;
    if (!x)
        return;
    visit_slots(v, x->methods, TABLE_COPIES);
    visit_slots(v, x->constants, TABLE_COPIES);
    visit_slots(v, x->cvars, TABLE_COPIES);
    visit_slots(v, x->ivars, TABLE_COPIES);
    v->slot(v, &x->module);
    v->slot(v, &x->includer);
    v->slot(v, &x->mixins);
    v->slot(v, &x->attached);
    v->slot(v, &x->refinements);
    v->slot(v, &x->origin);
    v->slot(v, &x->name);
    v->slot(v, &x->locations);
}

static void release(Object *o)
{
    ClassExt *x = ((Class *)o)->ext;
    if (!x)
        return;
    heap_free(x->subclasses.at);
    heap_free(x->fields);
    heap_free(x);
    ((Class *)o)->ext = NULL;
}

static size_t memsize(Object *o)
{
    ClassExt *x = ((Class *)o)->ext;
    return x ? sizeof *x + x->subclasses.cap * sizeof(Value) : 0;
}

#define CLASS_ROW(type)                                                                                              \
    {                                                                                                                \
        .name = type, .visit = visit, .free = release, .memsize = memsize, .persist = class_persist,                 \
        .restore = class_restore, .size = sizeof(Class)                                                              \
    }
static const TypeRow class_row = CLASS_ROW("class");
static const TypeRow module_row = CLASS_ROW("module");
static const TypeRow iclass_row = CLASS_ROW("iclass");

/* ---- creation ---- */

Value class_alloc(ObjectType type, Value cls)
{
    ClassExt *x = heap_calloc(1, sizeof *x);
    Slot *const first = x->methods, *const last = &x->locations;
    for (Slot *s = first; s <= last; s++)
        slot_init(s, V_NIL);
    x->instance_type = T_OBJECT;
    uint64_t shape = cls ? class_root_shape(cls) : 0;
    Value v = heap_alloc_head(shape << OH_SHAPE_AT | type, sizeof(Class));
    class_ptr(v)->ext = x;
    slot_init(&class_ptr(v)->super, V_NIL);
    if (type != T_ICLASS) {
        list_add(&all, v);
        persist_class_made(v);
    }
    return v;
}

static void inherit_layout(Value cls, Value super)
{
    ClassExt *x = class_ext(cls), *s = class_ext(super);
    x->instance_type = s->instance_type;
    x->allocator = s->allocator;
    x->slot_hint = s->slot_hint;
    class_ptr(cls)->flags = (class_ptr(cls)->flags & ~(uint32_t)CLASS_NO_ALLOC) | (class_ptr(super)->flags & CLASS_NO_ALLOC);
    heap_free(x->fields);
    x->fields = NULL;
    x->nfields = s->nfields;
    if (s->nfields) {
        x->fields = heap_malloc(s->nfields * sizeof(uint32_t));
        memcpy(x->fields, s->fields, s->nfields * sizeof(uint32_t));
    }
}

uint32_t class_make_root_shape(Value cls)
{
    ClassExt *x = class_ext(cls);
    return class_ptr(cls)->root_shape = shape_new_root(cls, x->instance_type, x->fields, x->nfields);
}

/* K1.  The metaclass's super is the superclass's metaclass. */
void class_make_metaclass(Value cls)
{
    Value super = class_superclass(cls);
    Value meta = class_alloc(T_CLASS, klass.Class);
    class_ptr(meta)->flags = CLASS_SINGLETON | CLASS_INITIALIZED;
    slot_init(&class_ext(meta)->attached, cls);
    Value meta_super = is_nil(super) ? klass.Class : class_of(super);
    slot_init(&class_ptr(meta)->super, meta_super);
    class_ext(meta)->instance_type = T_CLASS;
    if (is_nil(super)) /* BasicObject's: during the bootstrap Class may be half made */
        list_add(&class_ext(klass.Class)->subclasses, meta);
    else
        list_add(&class_ext(meta_super)->subclasses, meta);
    obj_set_shape(cls, class_root_shape(meta));
}

void class_set_super(Value cls, Value super)
{
    slot_write(cls, &class_ptr(cls)->super, super);
    list_add(&class_ext(super)->subclasses, cls);
    inherit_layout(cls, super);
    class_ptr(cls)->flags |= CLASS_INITIALIZED;
    class_ptr(cls)->root_shape = 0;
}

void class_move_under(Value single, Value super)
{
    Value link = single, meta = class_of(single);
    while (obj_type(class_next(link)) == T_ICLASS)
        link = class_next(link);
    slot_write(link, &class_ptr(link)->super, super);
    list_add(&class_ext(super)->subclasses, link);
    if (class_attached_object(meta) == single)
        class_move_under(meta, class_of(super));
    else
        obj_set_shape(single, class_root_shape(class_of(super)));
    class_changed_ancestry(single, single);
}

/* K4, for a class or iclass that came from the store. */
void class_note_subclass(Value super, Value cls)
{
    list_add(&class_ext(super)->subclasses, cls);
}

void class_check_inheritable(Value super)
{
    if (!is_class(super))
        raise_error(klass.TypeError, "superclass must be an instance of Class (given an instance of %C)", class_real(super));
    if (class_is_singleton(super))
        raise_error(klass.TypeError, "can't make subclass of singleton class");
    if (super == klass.Class)
        raise_error(klass.TypeError, "can't make subclass of Class");
}

Value class_new_anonymous(Value super)
{
    Value cls = class_alloc(T_CLASS, klass.Class);
    class_set_super(cls, super);
    class_make_metaclass(cls);
    return cls;
}

Value class_new(Value super, const char *name)
{
    Value cls = class_new_anonymous(super);
    if (name) {
        slot_init(&class_ext(cls)->name, sym_intern(name));
        class_ptr(cls)->flags |= CLASS_NAMED;
    }
    return cls;
}

Value module_new_of(Value cls)
{
    Value m = class_alloc(T_MODULE, cls);
    class_ptr(m)->flags = CLASS_INITIALIZED;
    return m;
}

Value module_new(const char *name)
{
    Value m = module_new_of(klass.Module);
    if (name) {
        slot_init(&class_ext(m)->name, sym_intern(name));
        class_ptr(m)->flags |= CLASS_NAMED;
    }
    return m;
}

/* A class's or module's row under `outer`, or V_UNDEF. */
static Value existing(Value outer, Value name)
{
    Slot *s = class_row_find(outer, class_ext(outer)->constants, symbol_id(name), NULL);
    return s ? slot_read(outer, s) : V_UNDEF;
}

Value class_define_under(Value outer, const char *name, Value super)
{
    Value sym = sym_intern(name);
    Value cls = existing(outer, sym);
    if (!is_undef(cls))
        return cls;
    cls = class_new_anonymous(super);
    const_set(outer, sym, cls);
    return cls;
}

Value module_define_under(Value outer, const char *name)
{
    Value sym = sym_intern(name);
    Value m = existing(outer, sym);
    if (!is_undef(m))
        return m;
    m = module_new(NULL);
    const_set(outer, sym, m);
    return m;
}

Value class_define(const char *name, Value super)
{
    return class_define_under(klass.Object, name, super);
}

Value module_define(const char *name)
{
    return module_define_under(klass.Object, name);
}

/* ---- layout of instances ---- */

static void layout_changed(Value cls)
{
    class_ptr(cls)->root_shape = 0;
    ClassList *l = &class_ext(cls)->subclasses;
    for (uint32_t i = 0; i < l->n; i++)
        if (!class_is_singleton(l->at[i])) {
            inherit_layout(l->at[i], cls);
            layout_changed(l->at[i]);
        }
}

void class_set_instance_type(Value cls, ObjectType type)
{
    class_ext(cls)->instance_type = type;
    class_ptr(cls)->flags &= ~(uint32_t)CLASS_NO_ALLOC;
    layout_changed(cls);
}

void class_set_allocator(Value cls, Value (*fn)(Value cls))
{
    class_ext(cls)->allocator = fn;
    if (fn)
        class_ptr(cls)->flags &= ~(uint32_t)CLASS_NO_ALLOC;
    else
        class_ptr(cls)->flags |= CLASS_NO_ALLOC;
    layout_changed(cls);
}

void class_set_fields(Value cls, ObjectType type, const Value *hidden_names, unsigned n)
{
    ClassExt *x = class_ext(cls);
    heap_free(x->fields);
    x->fields = n ? heap_malloc(n * sizeof(uint32_t)) : NULL;
    x->nfields = n;
    for (unsigned i = 0; i < n; i++)
        x->fields[i] = symbol_id(hidden_names[i]);
    class_set_instance_type(cls, type);
}

/* ---- ancestry ---- */

Value class_superclass(Value cls)
{
    Value k = class_next(cls);
    while (!is_nil(k) && obj_type(k) == T_ICLASS)
        k = class_next(k);
    return k;
}

Value class_owner_at(Value k)
{
    if (obj_type(k) == T_ICLASS)
        return slot_read(k, &class_ext(k)->module);
    return class_flag(k, CLASS_PREPENDED) ? V_UNDEF : k;
}

bool class_is_singleton(Value cls)
{
    return obj_type(cls) == T_CLASS && class_flag(cls, CLASS_SINGLETON);
}

Value class_attached_object(Value cls)
{
    return slot_read(cls, &class_ext(cls)->attached);
}

bool module_inherits(Value cls, Value ancestor)
{
    if (obj_type(ancestor) == T_CLASS) {
        for (Value k = cls; !is_nil(k); k = class_next(k))
            if (k == ancestor)
                return true;
        return false;
    }
    for (Value k = cls; !is_nil(k); k = class_next(k))
        if (k == ancestor || (obj_type(k) == T_ICLASS && slot_read(k, &class_ext(k)->module) == ancestor))
            return true;
    return false;
}

Value module_ancestors(Value cls)
{
    Value list = ary_new(8);
    for (Value k = cls; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (!is_undef(owner))
            ary_push(list, owner);
    }
    return list;
}

static Value iclass_new(Value module, Value includer, uint32_t flags)
{
    Value ic = class_alloc(T_ICLASS, 0);
    class_ptr(ic)->flags = flags;
    slot_init(&class_ext(ic)->module, module);
    slot_init(&class_ext(ic)->includer, includer);
    if (!(flags & CLASS_ORIGIN))
        list_add(&class_ext(module)->subclasses, ic);
    return ic;
}

static void link_after(Value place, Value ic)
{
    if (obj_type(place) == T_ICLASS && !class_flag(ic, CLASS_OWN_MIXIN))
        obj_modify(place); /* it has another successor to save */
    slot_write(ic, &class_ptr(ic)->super, class_next(place));
    slot_write(place, &class_ptr(place)->super, ic);
}

/* What was this session's alone becomes part of the class: every iclass before it has a new successor to save. */
static void adopt_mixin(Value cls, Value ic)
{
    class_ptr(ic)->flags &= ~(uint32_t)(CLASS_OWN_MIXIN | CLASS_DERIVED_MIXIN);
    for (Value k = class_next(cls); k != ic; k = class_next(k))
        obj_modify(k);
}

/* Puts iclasses for `module` and its ancestry behind `place`.  Modules that stand between `from` and `stop` already are
 * skipped; when such a one belongs to the same class, the next goes behind it. */
static bool include_at(Value cls, Value from, Value place, Value stop, Value module, uint32_t flags)
{
    bool added = false;
    for (Value k = module; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        bool superclass_seen = false, there = false;
        for (Value p = class_next(from); !is_nil(p) && p != stop; p = class_next(p)) {
            if (obj_type(p) != T_ICLASS) {
                superclass_seen = true;
                continue;
            }
            if (class_flag(p, CLASS_ORIGIN) || slot_read(p, &class_ext(p)->module) != owner)
                continue;
            if (!superclass_seen) {
                place = p;
                if (class_flag(p, CLASS_OWN_MIXIN) && !(flags & CLASS_OWN_MIXIN))
                    adopt_mixin(cls, p);
            }
            there = true;
            break;
        }
        if (there)
            continue;
        Value ic = iclass_new(owner, cls, flags);
        link_after(place, ic);
        place = ic;
        added = true;
    }
    return added;
}

static void check_mixin(Value mod, Value module, const char *what)
{
    if (!is_type(module, T_MODULE))
        raise_error(klass.TypeError, "wrong argument type %C (expected Module)", class_real(module));
    if (module == mod || module_inherits(module, mod))
        raise_error(klass.ArgumentError, "cyclic %s detected", what);
}

void class_changed_ancestry(Value cls, Value added)
{
    method_serial++;
    const_serial++;
    method_caches_clear();
    method_note_mixin(cls, added);
    if (ivar_transients)
        ivar_transients_met();
}

static void ensure_origin(Value mod)
{
    if (class_flag(mod, CLASS_PREPENDED))
        return;
    Value origin = iclass_new(mod, mod, CLASS_ORIGIN);
    link_after(mod, origin);
    slot_write(mod, &class_ext(mod)->origin, origin);
    class_ptr(mod)->flags |= CLASS_PREPENDED;
}

/* Where `mod` itself was mixed in before, the new modules follow (Ruby 3.0). */
static void follow(Value mod)
{
    ClassList *l = &class_ext(mod)->subclasses;
    for (uint32_t i = 0; i < l->n; i++) {
        Value ic = l->at[i];
        if (!class_flag(ic, CLASS_DERIVED_MIXIN)) /* such a one stands by another, whose turn comes */
            class_derive_mixins(slot_read(ic, &class_ext(ic)->includer));
    }
}

void class_derive_mixins(Value mod)
{
    class_unmix(mod, CLASS_DERIVED_MIXIN);
    for (Value before = mod, ic; !is_nil(ic = class_next(before)) && obj_type(ic) == T_ICLASS; before = ic) {
        if (class_flag(ic, CLASS_ORIGIN) || class_flag(ic, CLASS_DERIVED_MIXIN))
            continue;
        bool prepended = class_flag(ic, CLASS_PREPENDED_ICLASS);
        Value from = prepended ? mod : class_own_place(mod);
        Value stop = prepended ? slot_read(mod, &class_ext(mod)->origin) : V_NIL;
        uint32_t flags = CLASS_OWN_MIXIN | CLASS_DERIVED_MIXIN | (prepended ? CLASS_PREPENDED_ICLASS : 0);
        if (include_at(mod, from, before, stop, class_owner_at(ic), flags))
            class_changed_ancestry(mod, class_owner_at(ic));
    }
    if (obj_type(mod) == T_MODULE)
        follow(mod);
}

void class_mix_in(Value mod, Value module, bool prepended, uint32_t flags)
{
    bool added;
    if (prepended) {
        ensure_origin(mod);
        Value origin = slot_read(mod, &class_ext(mod)->origin);
        added = include_at(mod, mod, mod, origin, module, flags | CLASS_PREPENDED_ICLASS);
    } else {
        Value place = class_own_place(mod);
        added = include_at(mod, place, place, V_NIL, module, flags);
    }
    if (added)
        class_changed_ancestry(mod, module);
    if (added && obj_type(mod) == T_MODULE)
        follow(mod);
}

void class_unmix(Value mod, uint32_t flag)
{
    for (Value k = mod, next; !is_nil(k) && (k == mod || obj_type(k) == T_ICLASS); k = next) {
        next = class_next(k);
        while (!is_nil(next) && obj_type(next) == T_ICLASS && class_flag(next, flag)) {
            next = class_next(next);
            slot_write(k, &class_ptr(k)->super, next);
        }
    }
}

static uint32_t mixin_flags(Value mod)
{
    bool stored = class_definition_copy && class_definition_copy(mod) == TABLE_PERSISTENT;
    return stored || vm_booting ? 0 : CLASS_OWN_MIXIN;
}

void module_include(Value mod, Value included)
{
    check_mixin(mod, included, "include");
    obj_modify(mod);
    uint32_t flags = mixin_flags(mod);
    class_mix_in(mod, included, false, flags | persist_note_mixin(mod, included, false, flags == 0));
}

void module_prepend(Value mod, Value prepended)
{
    check_mixin(mod, prepended, "prepend");
    obj_modify(mod);
    uint32_t flags = mixin_flags(mod);
    class_mix_in(mod, prepended, true, flags | persist_note_mixin(mod, prepended, true, flags == 0));
}

Value class_subclasses(Value cls)
{
    ClassList *l = &class_ext(cls)->subclasses;
    Value list = ary_new(l->n);
    for (uint32_t i = l->n; i-- > 0;) /* newest first, as CRuby */
        if (obj_type(l->at[i]) == T_CLASS && !class_is_singleton(l->at[i]))
            ary_push(list, l->at[i]);
    return list;
}

void class_inherited(Value super, Value cls)
{
    MethodEntry *me = method_find(class_of(super), SYM(inherited));
    if (me && me->kind != ME_BUILTIN)
        vm_call1(super, SYM(inherited), cls);
}

/* ---- singleton classes ---- */

static Value singleton_of_class(Value cls)
{
    Value meta = class_of(cls);
    if (class_is_singleton(meta) && class_attached_object(meta) == cls)
        return meta;
    /* cls is itself a metaclass, or a module's or object's singleton class */
    Value super = class_superclass(cls);
    if (!is_nil(super))
        obj_singleton_class(super);
    class_make_metaclass(cls);
    return class_of(cls);
}

Value obj_singleton_class(Value v)
{
    if (is_nil(v))
        return klass.NilClass;
    if (v == V_TRUE)
        return klass.TrueClass;
    if (v == V_FALSE)
        return klass.FalseClass;
    if (is_immediate(v) || obj_type(v) == T_BIGNUM || obj_type(v) == T_FLOAT)
        raise_error(klass.TypeError, "can't define singleton");
    if (obj_type(v) == T_CLASS)
        return singleton_of_class(v);
    Value cls = class_of(v);
    if (class_is_singleton(cls) && class_attached_object(cls) == v)
        return cls;
    obj_touch(v);
    Value single = class_alloc(T_CLASS, klass.Class);
    class_ptr(single)->flags = CLASS_SINGLETON;
    slot_init(&class_ext(single)->attached, v);
    class_set_super(single, cls);
    /* Its own metaclass comes when asked for; until then class methods are those of cls. */
    obj_set_shape(single, class_root_shape(class_of(is_type(cls, T_CLASS) ? cls : class_real(v))));
    obj_set_shape(v, shape_rebase(obj_shape(v), class_root_shape(single)));
    if (obj_frozen_bit(v))
        obj_freeze(single);
    return single;
}

/* ---- names ---- */

Value class_name(Value cls)
{
    Value name = slot_read(cls, &class_ext(cls)->name);
    return is_nil(name) ? V_NIL : sym_name_str(name);
}

static Value address_text(Value v, const char *kind)
{
    char text[80];
    Value id = obj_object_id(v);
    snprintf(text, sizeof text, "#<%s:0x%016llx>", kind, (unsigned long long)(is_fixnum(id) ? fix_int(id) : 0));
    return str_new_c(text);
}

Value class_path(Value cls)
{
    Value name = class_name(cls);
    if (!is_nil(name))
        return name;
    if (!class_is_singleton(cls))
        return address_text(cls, class_name_c(class_real(cls)));
    Value text = str_new_c("#<Class:");
    Value attached = class_attached_object(cls);
    str_append_str(text, is_module(attached) ? class_path(attached) : obj_any_to_s(attached));
    str_append_c(text, ">");
    return text;
}

const char *class_name_c(Value cls)
{
    static char ring[8][512];
    static unsigned next;
    Value name = slot_read(cls, &class_ext(cls)->name);
    if (!is_nil(name))
        return sym_text(name);
    char *out = ring[next++ % COUNT_OF(ring)];
    StrView view = str_view(class_path(cls));
    size_t n = MIN(view.len, sizeof ring[0] - 1);
    memcpy(out, view.ptr, n);
    out[n] = 0;
    return out;
}

const char *module_kind_name(Value mod)
{
    return obj_type(mod) == T_CLASS ? "class" : "module";
}

typedef struct NameArg {
    Value outer;
} NameArg;

static void name_inner(uint32_t id, Slot *s, void *arg)
{
    Value outer = ((NameArg *)arg)->outer;
    if (slot_unresolved(*s))
        return;
    Value v = s->raw;
    if (is_module(v) && !class_flag(v, CLASS_NAMED))
        class_name_set(v, outer, symbol_value(id));
}

/* `cls` was assigned to the constant outer::name: it gets that name, for good when outer has a name for good. */
void class_name_set(Value cls, Value outer, Value name)
{
    if (class_flag(cls, CLASS_NAMED))
        return;
    bool lasting = outer == klass.Object || class_flag(outer, CLASS_NAMED);
    if (!lasting && !is_nil(slot_read(cls, &class_ext(cls)->name)))
        return;
    Value full = name;
    if (outer != klass.Object) {
        const char *path = class_name_c(outer);
        size_t n = strlen(path), m = sym_len(name);
        char *text = heap_malloc(n + m + 3);
        memcpy(text, path, n);
        memcpy(text + n, "::", 2);
        memcpy(text + n + 2, sym_text(name), m);
        full = sym_intern_len(text, n + 2 + m, ENC_UTF_8);
        heap_free(text);
    }
    slot_write(cls, &class_ext(cls)->name, full);
    if (!lasting)
        return;
    class_ptr(cls)->flags |= CLASS_NAMED;
    if (class_created_hook)
        class_created_hook(cls, outer, name);
    NameArg arg = {cls};
    class_rows_each(cls, class_ext(cls)->constants, name_inner, &arg);
}

static void forget_name(uint32_t id, Slot *s, void *arg)
{
    (void)id, (void)arg;
    if (!slot_unresolved(*s) && is_module(s->raw) && !class_flag(s->raw, CLASS_NAMED))
        slot_write(s->raw, &class_ext(s->raw)->name, V_NIL);
}

/* cls got another temporary name: what is named after it follows. */
void class_rename_inner(Value cls)
{
    NameArg arg = {cls};
    class_rows_each(cls, class_ext(cls)->constants, forget_name, NULL);
    if (!is_nil(slot_read(cls, &class_ext(cls)->name)))
        class_rows_each(cls, class_ext(cls)->constants, name_inner, &arg);
}

/* ---- tables in two copies (K5) ---- */

Value class_table_for_change(Value mod, Slot *tables, TableCopy copy)
{
    obj_modify(mod);
    Value t = class_table(mod, tables, copy);
    if (is_nil(t)) {
        t = symtable_new();
        slot_write(mod, &tables[copy], t);
    }
    return t;
}

Slot *class_row_find(Value mod, Slot *tables, uint32_t id, Value *table)
{
    for (int copy = 0; copy < TABLE_COPIES; copy++) {
        Value t = class_table(mod, tables, (TableCopy)copy);
        if (is_nil(t))
            continue;
        Slot *s = symtable_find(t, id);
        if (s) {
            if (table)
                *table = t;
            return s;
        }
    }
    return NULL;
}

static Slot *row_in(Value mod, Slot *tables, TableCopy copy, uint32_t id)
{
    Value t = class_table(mod, tables, copy);
    return is_nil(t) ? NULL : symtable_find(t, id);
}

static bool removes_for_all(Value mod)
{
    return class_definition_copy && class_definition_copy(mod) == TABLE_PERSISTENT;
}

bool class_row_removable(Value mod, Slot *tables, uint32_t id)
{
    return removes_for_all(mod) || row_in(mod, tables, TABLE_TRANSIENT, id) || !row_in(mod, tables, TABLE_PERSISTENT, id);
}

bool class_row_remove(Value mod, Slot *tables, uint32_t id)
{
    obj_modify(mod);
    if (!class_row_removable(mod, tables, id))
        raise_error(klass.TypeError, "%s of %C is persistent: remove it in Maglev.persistent { }",
                    sym_text(symbol_value(id)), mod);
    bool there = false;
    TableCopy last = removes_for_all(mod) ? TABLE_PERSISTENT : TABLE_TRANSIENT;
    for (TableCopy copy = TABLE_TRANSIENT; copy <= last; copy++)
        if (row_in(mod, tables, copy, id))
            there |= symtable_remove(class_table(mod, tables, copy), id);
    return there;
}

void class_row_set(Value mod, Slot *tables, uint32_t id, Value v)
{
    TableCopy copy = class_definition_copy ? class_definition_copy(mod) : TABLE_TRANSIENT;
    Value t = class_table_for_change(mod, tables, copy);
    symtable_set(t, id, v);
    if (copy == TABLE_PERSISTENT) { /* this session's transient row would hide it */
        Value hidden = class_table(mod, tables, TABLE_TRANSIENT);
        if (!is_nil(hidden) && symtable_find(hidden, id))
            symtable_remove(hidden, id);
    }
}

void class_rows_each(Value mod, Slot *tables, void (*fn)(uint32_t, Slot *, void *), void *arg)
{
    for (int copy = 0; copy < TABLE_COPIES; copy++) {
        Value t = class_table(mod, tables, (TableCopy)copy);
        if (!is_nil(t))
            symtable_each(t, fn, arg);
    }
}

/* ---- boot ---- */

static Value boot_class(Value super, ObjectType instance_type)
{
    Value c = class_alloc(T_CLASS, 0);
    class_ptr(c)->flags = CLASS_INITIALIZED;
    class_ext(c)->instance_type = (uint16_t)instance_type;
    if (super) {
        slot_init(&class_ptr(c)->super, super);
        list_add(&class_ext(super)->subclasses, c);
    }
    return c;
}

static void boot_name(Value cls, const char *name)
{
    const_set(klass.Object, sym_intern(name), cls);
}

static void visit_known(Visitor *v)
{
    Value *first = (Value *)&klass;
    for (size_t i = 0; i < sizeof klass / sizeof(Value); i++)
        if (first[i])
            v->value(v, &first[i]);
}

void class_boot(void)
{
    if (klass.Object)
        return;
    heap_boot();
    symbol_boot();
    shape_boot();
    heap_register_type(T_CLASS, &class_row);
    heap_register_type(T_MODULE, &module_row);
    heap_register_type(T_ICLASS, &iclass_row);
    symtable_boot();
    method_boot();
    constant_boot();
    side_boot();
    heap_data_boot();
    heap_add_visitor(visit_known, "well-known classes");
    heap_add_weak_pass(follow_classes);

    klass.BasicObject = boot_class(0, T_OBJECT);
    klass.Object = boot_class(klass.BasicObject, T_OBJECT);
    klass.Module = boot_class(klass.Object, T_MODULE);
    klass.Class = boot_class(klass.Module, T_CLASS);
    class_make_metaclass(klass.BasicObject);
    class_make_metaclass(klass.Object);
    class_make_metaclass(klass.Module);
    class_make_metaclass(klass.Class);
    boot_name(klass.BasicObject, "BasicObject");
    const_set(klass.BasicObject, sym_intern("BasicObject"), klass.BasicObject);
    boot_name(klass.Object, "Object");
    boot_name(klass.Module, "Module");
    boot_name(klass.Class, "Class");
#define MODULE(cname) klass.cname = module_define(#cname);
#define CLASS(cname, csuper)                                                 \
    if (!klass.cname) /* the four made by hand are there */                  \
        klass.cname = class_define(#cname, existing(klass.Object, sym_intern(#csuper)));
#include "vm/classes.def"
#undef CLASS
#undef MODULE
    module_include(klass.Object, klass.Kernel);
    static const Value *const unallocated[] = {&klass.NilClass, &klass.TrueClass, &klass.FalseClass, &klass.Integer, &klass.Float,
                                               &klass.Rational, &klass.Complex,   &klass.Symbol,     &klass.Encoding, &klass.Proc,
                                               &klass.Method,   &klass.UnboundMethod, &klass.Binding, &klass.MatchData,
                                               &klass.Refinement};
    for (size_t i = 0; i < COUNT_OF(unallocated); i++)
        class_set_allocator(*unallocated[i], NULL);
}
