/* methods.c -- method tables, look-up, the global method cache
 *
 * Look-up walks the ancestry and asks each place's tables.  Its result (also "none") goes into a direct-mapped
 * cache whose rows are good while method_serial stands.  The serial is bumped only by changes that can make a
 * remembered look-up wrong: a (re)definition of a name that was ever looked up, a changed ancestry.
 *
 * An alias is a copy of the entry it names: same body, `defined` unchanged, so super goes on from the original's
 * place.  A visibility change of an inherited method is a ZSUPER row; look-up goes on from there and hands out a
 * copy of what it finds with that visibility, so a later redefinition upstream is seen.
 */
#include "vm/code.h"
#include "vm/core.h"
#include "vm/object/class_private.h"
#include "vm/record.h"

uint32_t method_serial = 1, redefined_ops;

typedef struct CacheRow {
    Value cls;
    uint32_t name, serial;
    MethodEntry *me;
} CacheRow;
#define CACHE_ROWS 4096
static CacheRow cache[CACHE_ROWS];

static void visit(Object *o, Visitor *v)
{
    MethodEntry *me = (MethodEntry *)o;
    v->slot(v, &me->owner);
    v->slot(v, &me->defined);
    v->slot(v, &me->body);
    v->slot(v, &me->cref);
}

static const TypeRow entry_row = {.name = "method entry", .logged = true, .visit = visit, .persist = method_entry_persist,
                                  .restore = method_entry_restore, .size = sizeof(MethodEntry)};

void method_caches_clear(void)
{
    memset(cache, 0, sizeof cache);
}

/* Rows do not keep anything alive; one whose class moved would stand at the wrong place. */
static void cache_follow(bool (*alive)(Value), Value (*forward)(Value))
{
    for (CacheRow *row = cache; row < cache + CACHE_ROWS; row++) {
        if (!row->cls)
            continue;
        Value me = row->me ? (Value)row->me : V_NIL;
        if (!alive(row->cls) || forward(row->cls) != row->cls || !alive(me))
            *row = (CacheRow){0};
        else if (row->me)
            row->me = (MethodEntry *)forward(me);
    }
}

void method_boot(void)
{
    heap_register_type(T_METHOD_ENTRY, &entry_row);
    heap_add_weak_pass(cache_follow);
}

/* ---- redefinition of operators ---- */

static const struct {
    uint32_t symbol, bit;
} operators[] = {
#define REDEFINE(name, symbol) {SYMID_##symbol, REDEFINED_##name},
#include "vm/redefine.def"
#undef REDEFINE
};

static bool is_core(Value cls)
{
    const Value core[] = {klass.Integer, klass.Float,    klass.String,    klass.Array,      klass.Hash,   klass.Symbol,
                          klass.NilClass, klass.TrueClass, klass.FalseClass};
    for (size_t i = 0; i < COUNT_OF(core); i++)
        if (cls == core[i])
            return true;
    return false;
}

static bool is_core_ancestor(Value mod)
{
    return mod == klass.Object || mod == klass.Kernel || mod == klass.BasicObject || mod == klass.Comparable ||
           mod == klass.Numeric;
}

void method_note_redefinition(Value cls, uint32_t id, MethodEntry *me)
{
    if (vm_booting || me->kind == ME_BUILTIN || id >= SYMID_FIRST_DYNAMIC)
        return;
    /* The Ruby part of core defines methods too. */
    if (me->kind == ME_CODE && is_heap(me->body.raw) && (code_ptr(me->body.raw)->flags & CODE_INTERNAL))
        return;
    if (class_flag(cls, CLASS_REFINEMENT))
        cls = class_attached_object(cls);
    bool core = is_core(cls);
    if (!core && obj_type(cls) == T_MODULE) { /* mixed into a core class? */
        const ClassList *l = &class_ext(cls)->subclasses;
        for (uint32_t i = 0; i < l->n && !core; i++)
            core = is_core(slot_read(l->at[i], &class_ext(l->at[i])->includer));
    }
    if (!core && !is_core_ancestor(cls))
        return;
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        if (operators[i].symbol == id && (core || (operators[i].bit & (REDEFINED_NEQ | REDEFINED_NOT | REDEFINED_EQQ))))
            redefined_ops |= operators[i].bit;
}

/* A module came into a core class's ancestry: what it defines may stand before the built-in. */
void method_note_mixin(Value cls, Value module)
{
    if (vm_booting || !is_core(cls))
        return;
    for (size_t i = 0; i < COUNT_OF(operators); i++)
        for (Value k = module; !is_nil(k); k = class_next(k)) {
            Value owner = class_owner_at(k);
            if (!is_undef(owner) && method_find_here(owner, symbol_value(operators[i].symbol)))
                redefined_ops |= operators[i].bit;
        }
}

/* ---- look-up ---- */

MethodEntry *method_find_here(Value cls, Value name)
{
    Value table;
    Slot *s = class_row_find(cls, class_ext(cls)->methods, symbol_id(name), &table);
    return s ? (MethodEntry *)slot_read(table, s) : NULL;
}

MethodEntry *method_entry_new(MethodKind kind, Visibility vis)
{
    MethodEntry *me = (MethodEntry *)heap_alloc_internal(T_METHOD_ENTRY, sizeof(MethodEntry));
    slot_init(&me->owner, V_NIL);
    slot_init(&me->defined, V_NIL);
    slot_init(&me->body, V_NIL);
    slot_init(&me->cref, V_NIL);
    me->kind = (uint8_t)kind;
    me->visibility = (uint8_t)vis;
    me->max = -1;
    return me;
}

/* Rows of the store's modules hide boot rows of the same name, so both copies are asked. */
MethodEntry *method_find_builtin(Value module, uint32_t id)
{
    for (int copy = 0; copy < TABLE_COPIES; copy++) {
        Value table = class_table(module, class_ext(module)->methods, (TableCopy)copy);
        Slot *s = is_nil(table) ? NULL : symtable_find(table, id);
        MethodEntry *me = s ? (MethodEntry *)slot_read(table, s) : NULL;
        if (me && me->kind == ME_BUILTIN && me->fn)
            return me;
    }
    return NULL;
}

static MethodEntry *entry_copy(MethodEntry *me)
{
    MethodEntry *copy = method_entry_new((MethodKind)me->kind, (Visibility)me->visibility);
    uint64_t head = copy->head;
    *copy = *me;
    copy->head = head;
    return copy;
}

static MethodEntry *search(Value from, Value name)
{
    for (Value k = from; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        MethodEntry *me = method_find_here(owner, name);
        if (!me)
            continue;
        if (me->kind == ME_UNDEF)
            return NULL;
        if (me->kind != ME_ZSUPER)
            return me;
        MethodEntry *real = search(class_next(k), name);
        if (!real) {
            /* A module may change the visibility of what only its includers inherit from Object. */
            if (obj_type(from) == T_MODULE)
                real = search(klass.Object, name);
            if (!real)
                return NULL;
        }
        MethodEntry *copy = entry_copy(real);
        copy->visibility = me->visibility;
        slot_write((Value)copy, &copy->owner, owner);
        return copy;
    }
    return NULL;
}

MethodEntry *method_find(Value cls, Value name)
{
    uint32_t id = symbol_id(name);
    CacheRow *row = &cache[((cls >> 4) ^ (id * 0x9e3779b1u >> 8)) & (CACHE_ROWS - 1)];
    if (row->cls == cls && row->name == id && row->serial == method_serial)
        return row->me;
    sym_set_looked_up(name);
    MethodEntry *me = search(cls, name);
    *row = (CacheRow){cls, id, method_serial, me};
    return me;
}

MethodEntry *method_find_super(Value defined_class_or_iclass, Value name)
{
    sym_set_looked_up(name);
    return search(class_next(class_own_place(defined_class_or_iclass)), name);
}

MethodEntry *method_find_super_of(Value self_class, MethodEntry *me, Value name)
{
    Value defined = slot_read((Value)me, &me->defined);
    sym_set_looked_up(name);
    for (Value k = self_class; !is_nil(k); k = class_next(k))
        if (class_owner_at(k) == defined)
            return search(class_next(k), name);
    /* A module's method bound to an object without the module: super is what the object itself answers. */
    if (is_type(defined, T_MODULE))
        return search(self_class, name);
    return is_nil(defined) ? NULL : search(class_next(class_own_place(defined)), name);
}

/* ---- definition ---- */

static void bump_if_looked_up(Value name)
{
    if (sym_looked_up(name))
        method_serial++;
}

static bool always_private(Value name)
{
    return name == SYM(initialize) || name == SYM(initialize_copy) || name == SYM(initialize_clone) ||
           name == SYM(initialize_dup) || name == SYM(respond_to_missing_p);
}

void method_enter(Value cls, Value name, MethodEntry *me)
{
    if (obj_frozen_bit(cls) && class_is_singleton(cls))
        raise_frozen(class_attached_object(cls));
    if (always_private(name) && me->kind != ME_UNDEF && me->kind != ME_BUILTIN && !class_is_singleton(cls))
        me->visibility = VIS_PRIVATE;
    slot_write((Value)me, &me->owner, cls);
    if (is_nil(me->defined.raw))
        slot_write((Value)me, &me->defined, cls);
    me->name = symbol_id(name);
    if (!me->original_name)
        me->original_name = me->name;
    class_row_set(cls, class_ext(cls)->methods, me->name, (Value)me);
    bump_if_looked_up(name);
    method_note_redefinition(cls, me->name, me);
}

/* Calls a hook such as method_added when a program has defined one. */
static void run_hook(Value cls, Value name, Value hook, Value singleton_hook)
{
    Value recv = cls;
    if (class_is_singleton(cls)) {
        recv = class_attached_object(cls);
        hook = singleton_hook;
    }
    MethodEntry *me = method_find(class_of(recv), hook);
    if (me && me->kind != ME_BUILTIN)
        vm_call1(recv, hook, name);
}

void method_add(Value cls, Value name, MethodEntry *me)
{
    method_enter(cls, name, me);
    if (!vm_booting)
        run_hook(cls, name, SYM(method_added), SYM(singleton_method_added));
}

void method_define_code(Value cls, Value name, Value code, Value cref, Visibility vis)
{
    MethodEntry *me = method_entry_new(ME_CODE, vis);
    slot_init(&me->body, code);
    slot_init(&me->cref, cref);
    method_add(cls, name, me);
}

void method_define_attr(Value cls, Value name, bool reader, bool writer, Visibility vis)
{
    size_t n = sym_len(name);
    char *text = heap_malloc(n + 2);
    text[0] = '@';
    memcpy(text + 1, sym_text(name), n);
    Value ivar = sym_intern_len(text, n + 1, sym_encoding(name));
    memcpy(text, sym_text(name), n);
    text[n] = '=';
    Value setter = sym_intern_len(text, n + 1, sym_encoding(name));
    heap_free(text);
    if (reader) {
        MethodEntry *me = method_entry_new(ME_ATTR_READER, vis);
        slot_init(&me->body, ivar);
        me->max = 0;
        method_add(cls, name, me);
    }
    if (writer) {
        MethodEntry *me = method_entry_new(ME_ATTR_WRITER, vis);
        slot_init(&me->body, ivar);
        me->min = me->max = 1;
        method_add(cls, setter, me);
    }
}

/* In a module, methods that every object has may be named too. */
static MethodEntry *find_for_change(Value cls, Value name)
{
    MethodEntry *me = method_find(cls, name);
    if (!me && class_flag(cls, CLASS_REFINEMENT))
        me = method_find(class_attached_object(cls), name);
    if (!me && obj_type(cls) == T_MODULE)
        me = method_find(klass.Object, name);
    if (!me)
        raise_name_error(cls, name, "undefined method '%s' for %s '%s'", sym_text(name), module_kind_name(cls), class_name_c(cls));
    return me;
}

void method_alias(Value cls, Value new_name, Value old_name)
{
    obj_modify(cls);
    MethodEntry *me = entry_copy(find_for_change(cls, old_name));
    method_add(cls, new_name, me);
}

void method_undef(Value cls, Value name)
{
    obj_modify(cls);
    if (!method_find(cls, name) && class_is_singleton(cls) && is_module(class_attached_object(cls)))
        raise_name_error(cls, name, "undefined method '%s' for %s '%s'", sym_text(name), module_kind_name(class_attached_object(cls)),
                         class_name_c(class_attached_object(cls)));
    find_for_change(cls, name);
    method_enter(cls, name, method_entry_new(ME_UNDEF, VIS_PUBLIC));
    run_hook(cls, name, SYM(method_undefined), SYM(singleton_method_undefined));
}

void method_remove(Value cls, Value name)
{
    obj_modify(cls);
    MethodEntry *me = method_find_here(cls, name);
    if (!me || me->kind == ME_UNDEF)
        raise_name_error(cls, name, "method '%s' not defined in %s", sym_text(name), class_name_c(cls));
    class_row_remove(cls, class_ext(cls)->methods, symbol_id(name));
    bump_if_looked_up(name);
    if (is_core(cls))
        for (size_t i = 0; i < COUNT_OF(operators); i++)
            if (operators[i].symbol == symbol_id(name))
                redefined_ops |= operators[i].bit;
    run_hook(cls, name, SYM(method_removed), SYM(singleton_method_removed));
}

void method_set_visibility(Value cls, Value name, Visibility vis)
{
    obj_modify(cls);
    MethodEntry *me = find_for_change(cls, name);
    if (me->visibility == vis)
        return;
    MethodEntry *own = method_find_here(cls, name);
    MethodEntry *row;
    if (own && own->kind != ME_ZSUPER) {
        row = entry_copy(own);
        row->visibility = (uint8_t)vis;
    } else {
        row = method_entry_new(ME_ZSUPER, vis);
        method_add(cls, name, row);
        return;
    }
    method_enter(cls, name, row);
}

bool method_same_definition(const MethodEntry *a, const MethodEntry *b)
{
    return a == b || (a->kind == b->kind && slot_same(a->defined, b->defined) &&
                      (a->kind == ME_BUILTIN ? a->fn == b->fn : slot_same(a->body, b->body)));
}

/* ---- built-ins ---- */

static void add_builtin(Value cls, const Builtin *b, Visibility vis)
{
    MethodEntry *me = method_entry_new(ME_BUILTIN, vis);
    me->fn = b->fn;
    me->min = b->min;
    me->max = b->max;
    me->flags = b->flags;
    me->row = b;
    method_enter(cls, sym_intern(b->name), me);
}

void class_add_builtins(Value cls, const Builtin *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const Builtin *b = &rows[i];
        Visibility vis = b->flags & (BI_PRIVATE | BI_MODULE_FUNCTION) ? VIS_PRIVATE
                         : b->flags & BI_PROTECTED                    ? VIS_PROTECTED
                                                                      : VIS_PUBLIC;
        add_builtin(cls, b, vis);
        if (b->flags & BI_MODULE_FUNCTION)
            add_builtin(obj_singleton_class(cls), b, VIS_PUBLIC);
    }
}

void class_add_singleton_builtins(Value cls, const Builtin *rows, size_t n)
{
    Value single = obj_singleton_class(cls);
    for (size_t i = 0; i < n; i++)
        add_builtin(single, &rows[i], rows[i].flags & BI_PRIVATE ? VIS_PRIVATE : VIS_PUBLIC);
}
