/* module.c -- Module: comparison, mixing in, constants, class variables, methods and their visibility
 *
 * Class itself is class.c; instance_method and module_eval are the interpreter's.
 */
#include "vm/core/core_private.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"
#include "vm/object/names.h"

/* ---- creation, names, comparison ---- */

static Value mod_initialize(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (block_given())
        vm_call_with_block(self, sym_intern("class_exec"), 1, &self, block_proc());
    return V_NIL;
}

static Value mod_eqq(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(module_inherits(class_of(argv[0]), self));
}

static Value mod_eq(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(self == argv[0]);
}

static void check_other(Value v)
{
    if (!is_module(v))
        raise_error(klass.TypeError, "compared with non class/module");
}

static Value mod_lt(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_other(argv[0]);
    if (self == argv[0])
        return V_FALSE;
    return module_inherits(self, argv[0]) ? V_TRUE : module_inherits(argv[0], self) ? V_FALSE : V_NIL;
}

static Value mod_le(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_other(argv[0]);
    return self == argv[0] ? V_TRUE : mod_lt(self, 1, argv);
}

static Value mod_gt(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_other(argv[0]);
    return mod_lt(argv[0], 1, &self);
}

static Value mod_ge(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_other(argv[0]);
    return self == argv[0] ? V_TRUE : mod_lt(argv[0], 1, &self);
}

static Value mod_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_module(argv[0]))
        return V_NIL;
    if (self == argv[0])
        return int_fix(0);
    Value below = mod_lt(self, 1, argv);
    return is_nil(below) ? V_NIL : int_fix(truthy(below) ? -1 : 1);
}

static Value mod_name(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return class_name(self);
}

static Value mod_to_s(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return str_dup(class_path(self));
}

static bool is_constant_path(const char *text)
{
    if (text[0] == ':' && text[1] == ':')
        text += 2;
    for (;;) {
        const char *end = strstr(text, "::");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        if (sym_kind(sym_intern_len(text, n, ENC_UTF_8)) != SYMKIND_CONST)
            return false;
        if (!end)
            return true;
        text = end + 2;
    }
}

static Value mod_set_temporary_name(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (class_flag(self, CLASS_NAMED))
        raise_error(klass.RuntimeError, "can't change permanent name");
    obj_modify(self);
    if (is_nil(argv[0])) {
        slot_write(self, &class_ext(self)->name, V_NIL);
        class_rename_inner(self);
        return self;
    }
    Value name = name_of(argv[0]);
    if (sym_len(name) == 0)
        raise_error(klass.ArgumentError, "empty class/module name");
    if (is_constant_path(sym_text(name)))
        raise_error(klass.ArgumentError, "the temporary name must not be a constant path to avoid confusion");
    slot_write(self, &class_ext(self)->name, name);
    class_rename_inner(self);
    return self;
}

static Value mod_freeze(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    class_path(self);
    return obj_freeze(self);
}

static Value mod_singleton_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(class_is_singleton(self));
}

/* ---- ancestry ---- */

static Value mod_ancestors(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return module_ancestors(self);
}

static Value mod_included_modules(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value list = ary_new(4);
    for (Value k = self; !is_nil(k); k = class_next(k))
        if (obj_type(k) == T_ICLASS && !class_flag(k, CLASS_ORIGIN))
            ary_push(list, class_owner_at(k));
    return list;
}

static void check_module(Value v)
{
    if (!is_type(v, T_MODULE))
        raise_error(klass.TypeError, "wrong argument type %C (expected Module)", class_real(v));
}

static Value mod_include_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    check_module(argv[0]);
    for (Value k = self; !is_nil(k); k = class_next(k))
        if (obj_type(k) == T_ICLASS && !class_flag(k, CLASS_ORIGIN) && class_owner_at(k) == argv[0])
            return V_TRUE;
    return V_FALSE;
}

static Value mix_in(Value self, int argc, const Value *argv, Value feature, Value hook)
{
    for (int i = 0; i < argc; i++) {
        check_module(argv[i]);
        if (class_flag(argv[i], CLASS_REFINEMENT))
            raise_error(klass.TypeError, "Cannot %s refinement", hook == SYM(included) ? "include" : "prepend");
    }
    for (int i = argc - 1; i >= 0; i--) {
        vm_call1(argv[i], feature, self);
        vm_call1(argv[i], hook, self);
    }
    return self;
}

static Value mod_include(Value self, int argc, const Value *argv)
{
    return mix_in(self, argc, argv, SYM(append_features), SYM(included));
}

static Value mod_prepend(Value self, int argc, const Value *argv)
{
    return mix_in(self, argc, argv, SYM(prepend_features), SYM(prepended));
}

static Value mod_append_features(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_module(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Class or Module)", class_real(argv[0]));
    module_include(argv[0], self);
    return self;
}

static Value mod_prepend_features(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_module(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Class or Module)", class_real(argv[0]));
    module_prepend(argv[0], self);
    return self;
}

static Value mod_extend_object(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (is_heap(argv[0]))
        obj_modify(argv[0]);
    module_include(obj_singleton_class(argv[0]), self);
    return argv[0];
}

static Value mod_nothing(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_NIL;
}

typedef struct CopyArg {
    Value from, to;
} CopyArg;

static void copy_method(uint32_t id, Slot *s, void *arg)
{
    CopyArg *a = arg;
    MethodEntry *me = (MethodEntry *)s->raw, *copy = method_entry_new((MethodKind)me->kind, (Visibility)me->visibility);
    uint64_t head = copy->head;
    *copy = *me;
    copy->head = head;
    slot_write((Value)copy, &copy->owner, a->to);
    if (slot_read((Value)me, &me->defined) == a->from)
        slot_write((Value)copy, &copy->defined, a->to);
    class_row_set(a->to, class_ext(a->to)->methods, id, (Value)copy);
}

static void copy_constant(uint32_t id, Slot *s, void *arg)
{
    CopyArg *a = arg;
    class_row_set(a->to, class_ext(a->to)->constants, id, slot_read(a->from, s));
    Value table, old;
    class_row_find(a->to, class_ext(a->to)->constants, id, &table);
    class_row_find(a->from, class_ext(a->from)->constants, id, &old);
    *symtable_flags(table, id) = *symtable_flags(old, id);
}

static void copy_cvar(uint32_t id, Slot *s, void *arg)
{
    CopyArg *a = arg;
    class_row_set(a->to, class_ext(a->to)->cvars, id, slot_read(a->from, s));
}

static Value mod_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value from = argv[0];
    if (self == from)
        return self;
    if (!is_module(from) || obj_type(from) != obj_type(self))
        raise_error(klass.TypeError, "initialize_copy should take same class object");
    if (obj_type(self) == T_CLASS) {
        if (class_flag(self, CLASS_INITIALIZED))
            raise_error(klass.TypeError, "already initialized class");
        if (class_is_singleton(from))
            raise_error(klass.TypeError, "can't copy singleton class");
        if (is_nil(class_superclass(from))) /* BasicObject */
            class_ptr(self)->flags |= CLASS_INITIALIZED;
        else
            class_set_super(self, class_superclass(from));
        class_make_metaclass(self);
        ClassExt *x = class_ext(self), *y = class_ext(from);
        x->allocator = y->allocator;
        x->instance_type = y->instance_type;
        if (class_root_shape(from) && y->nfields != x->nfields) {
            Value names[64];
            unsigned n = MIN(y->nfields, 64u);
            for (unsigned i = 0; i < n; i++)
                names[i] = symbol_value(y->fields[i]);
            class_set_fields(self, (ObjectType)y->instance_type, names, n);
        }
        obj_copy_singleton(self, from);
    }
    if (obj_type(self) == T_MODULE && !class_is_singleton(class_of(self)))
        obj_copy_singleton(self, from);
    CopyArg arg = {from, self};
    class_rows_each(from, class_ext(from)->methods, copy_method, &arg);
    class_rows_each(from, class_ext(from)->constants, copy_constant, &arg);
    class_rows_each(from, class_ext(from)->cvars, copy_cvar, &arg);
    Value included = ary_new(4), prepended = ary_new(4);
    for (Value k = class_next(from); !is_nil(k) && obj_type(k) == T_ICLASS; k = class_next(k))
        if (!class_flag(k, CLASS_ORIGIN))
            ary_push(class_flag(k, CLASS_PREPENDED_ICLASS) ? prepended : included, class_owner_at(k));
    for (long i = (long)ary_len(included) - 1; i >= 0; i--)
        module_include(self, ary_get(included, i));
    for (long i = (long)ary_len(prepended) - 1; i >= 0; i--)
        module_prepend(self, ary_get(prepended, i));
    method_serial++;
    return self;
}

/* ---- constants ---- */

static Value const_name_of(Value v, Value mod)
{
    Value name = name_of(v);
    if (sym_kind(name) != SYMKIND_CONST)
        raise_name_error(mod, name, "wrong constant name %s", sym_text(name));
    return name;
}

/* A String may be a path, "A::B"; each step is looked up in what the one before gave. */
typedef Value (*PathStep)(Value mod, Value name, bool inherit, bool first, bool last);
static Value walk_path(Value mod, Value given, bool inherit, PathStep step)
{
    if (!is_symbol(given))
        given = is_string(given) ? given : name_of(given);
    if (is_symbol(given))
        return step(mod, const_name_of(given, mod), inherit, true, true);
    Value path = str_new_enc(str_view(given).ptr, str_view(given).len, str_view(given).enc);
    StrView view = str_view(path);
    size_t at = 0;
    bool first = true;
    if (view.len >= 2 && !memcmp(view.ptr, "::", 2)) {
        mod = klass.Object;
        at = 2;
    }
    if (view.len == at)
        raise_name_error(mod, sym_intern_str(path), "wrong constant name %s", view.ptr);
    while (at <= view.len) {
        view = str_view(path);
        size_t end = at;
        while (end < view.len && view.ptr[end] != ':')
            end++;
        bool last = end == view.len;
        if (end == at || (!last && (end + 2 >= view.len || view.ptr[end + 1] != ':')))
            raise_name_error(mod, sym_intern_str(path), "wrong constant name %s", str_view(path).ptr);
        Value name = sym_intern_len(view.ptr + at, end - at, view.enc);
        if (sym_kind(name) != SYMKIND_CONST)
            raise_name_error(mod, name, "wrong constant name %s", last && at == 0 ? sym_text(name) : str_view(path).ptr);
        mod = step(mod, name, inherit, first, last);
        first = false;
        if (is_undef(mod) || last)
            return mod;
        if (!is_module(mod))
            raise_error(klass.TypeError, "%V does not refer to class/module", str_substr(path, 0, (long)end));
        at = end + 2;
    }
    return mod;
}

/* Object's constants are found from the first module of a path, not through later ones. */
static Value step_get(Value mod, Value name, bool inherit, bool first, bool last)
{
    (void)last;
    Value v = first || !inherit ? const_find(mod, name, inherit) : const_find_inside(mod, name);
    return is_undef(v) ? vm_call1(mod, SYM(const_missing), name) : v;
}

static Value step_defined(Value mod, Value name, bool inherit, bool first, bool last)
{
    if (!const_defined(mod, name, inherit))
        return V_UNDEF;
    if (!first && inherit && mod != klass.Object && const_defined(klass.Object, name, true)) {
        Value v = const_find_inside(mod, name);
        return last && !is_undef(v) ? V_TRUE : v;
    }
    return last ? V_TRUE : const_find(mod, name, inherit);
}

static Value mod_const_get(Value self, int argc, const Value *argv)
{
    return walk_path(self, argv[0], argc < 2 || truthy(argv[1]), step_get);
}

static Value mod_const_defined(Value self, int argc, const Value *argv)
{
    return bool_value(!is_undef(walk_path(self, argv[0], argc < 2 || truthy(argv[1]), step_defined)));
}

static Value mod_const_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value name = const_name_of(argv[0], self);
    const_set(self, name, argv[1]);
    return argv[1];
}

static Value mod_const_missing(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value name = name_of(argv[0]);
    const_raise_missing(self, name);
}

static Value mod_remove_const(Value self, int argc, const Value *argv)
{
    (void)argc;
    return const_remove(self, const_name_of(argv[0], self));
}

typedef struct ConstantsArg {
    Value owner, seen;
} ConstantsArg;

static void note_constant(uint32_t id, Slot *s, void *arg)
{
    (void)s;
    ConstantsArg *a = arg;
    Value table, name = symbol_value(id);
    class_row_find(a->owner, class_ext(a->owner)->constants, id, &table);
    if (!is_undef(hash_get(a->seen, name)))
        return;
    hash_set(a->seen, name, bool_value(!(*symtable_flags(table, id) & CONST_PRIVATE)));
}

static bool push_shown(Value key, Value v, void *arg)
{
    if (v == V_TRUE && sym_kind(key) == SYMKIND_CONST)
        ary_push(*(Value *)arg, key);
    return true;
}

static Value mod_constants(Value self, int argc, const Value *argv)
{
    bool inherit = !argc || truthy(argv[0]);
    Value seen = hash_new(), list = ary_new(8);
    for (Value k = inherit ? self : class_own_place(self); !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        if (owner == klass.Object && self != klass.Object)
            break;
        ConstantsArg arg = {owner, seen};
        class_rows_each(owner, class_ext(owner)->constants, note_constant, &arg);
        if (!inherit)
            break;
    }
    hash_each(seen, push_shown, &list);
    return list;
}

static Value mod_s_constants(Value self, int argc, const Value *argv)
{
    if (argc || self != klass.Module)
        return mod_constants(self, argc, argv);
    Value list = ary_new(8);
    for (Value c = frame_cref(); !is_nil(c); c = obj_field(c, CREF_OUTER)) {
        Value mod = obj_field(c, CREF_MODULE);
        Value names = is_module(mod) ? mod_constants(mod, 0, NULL) : ary_new(0);
        for (size_t i = 0; i < ary_len(names); i++)
            if (!ary_includes(list, ary_get(names, (long)i)))
                ary_push(list, ary_get(names, (long)i));
    }
    return list;
}

static Value location_of(Value mod, Value name, bool inherit)
{
    for (Value k = mod; !is_nil(k); k = inherit ? class_next(k) : V_NIL) {
        Value owner = inherit ? class_owner_at(k) : k;
        if (is_undef(owner) || !class_row_find(owner, class_ext(owner)->constants, symbol_id(name), NULL))
            continue;
        Value at = const_location(owner, name);
        return is_nil(at) ? ary_new(0) : ary_dup(at);
    }
    return inherit && obj_type(mod) == T_MODULE ? location_of(klass.Object, name, true) : V_NIL;
}

static Value step_location(Value mod, Value name, bool inherit, bool first, bool last)
{
    if (last)
        return location_of(mod, name, inherit);
    return const_defined(mod, name, inherit) ? step_get(mod, name, inherit, first, last) : V_UNDEF;
}

static Value mod_const_source_location(Value self, int argc, const Value *argv)
{
    Value at = walk_path(self, argv[0], argc < 2 || truthy(argv[1]), step_location);
    return is_undef(at) ? V_NIL : at;
}

static Value flag_constants(Value self, int argc, const Value *argv, unsigned set, unsigned clear)
{
    for (int i = 0; i < argc; i++)
        const_set_flags(self, const_name_of(argv[i], self), set, clear);
    return V_NIL;
}

static Value mod_private_constant(Value self, int argc, const Value *argv)
{
    return flag_constants(self, argc, argv, CONST_PRIVATE, 0);
}

static Value mod_public_constant(Value self, int argc, const Value *argv)
{
    return flag_constants(self, argc, argv, 0, CONST_PRIVATE);
}

static Value mod_deprecate_constant(Value self, int argc, const Value *argv)
{
    flag_constants(self, argc, argv, CONST_DEPRECATED, 0);
    return self;
}

static Value mod_autoload(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value name = name_of(argv[0]);
    if (sym_kind(name) != SYMKIND_CONST)
        raise_name_error(self, name, "autoload must be constant name: %s", sym_text(name));
    Value path = vm_call_if_responds(argv[1], SYM(to_path), 0, NULL);
    path = str_to_str(is_undef(path) ? argv[1] : path);
    if (str_view(path).len == 0)
        raise_error(klass.ArgumentError, "empty file name");
    const_autoload(self, name, path);
    return V_NIL;
}

static Value mod_autoload_p(Value self, int argc, const Value *argv)
{
    return const_autoload_path(self, name_of(argv[0]), argc < 2 || truthy(argv[1]));
}

static Value autoload_module(Value self)
{
    Value cref = frame_cref();
    Value mod = is_nil(cref) ? klass.Object : obj_field(cref, CREF_MODULE);
    (void)self;
    return is_module(mod) ? mod : klass.Object;
}

static Value kernel_autoload(Value self, int argc, const Value *argv)
{
    return mod_autoload(autoload_module(self), argc, argv);
}

static Value kernel_autoload_p(Value self, int argc, const Value *argv)
{
    return mod_autoload_p(autoload_module(self), argc, argv);
}

static Value mod_s_nesting(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value list = ary_new(4);
    for (Value c = frame_cref(); !is_nil(c) && !is_nil(obj_field(c, CREF_OUTER)); c = obj_field(c, CREF_OUTER))
        if (obj_field(c, CREF_SINGLETON) == V_FALSE && is_module(obj_field(c, CREF_MODULE)))
            ary_push(list, obj_field(c, CREF_MODULE));
    return list;
}

/* ---- class variables ---- */

static Value mod_cvar_get(Value self, int argc, const Value *argv)
{
    (void)argc;
    return cvar_get(self, cvar_name_of(argv[0], self));
}

static Value mod_cvar_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    cvar_set(self, cvar_name_of(argv[0], self), argv[1]);
    return argv[1];
}

static Value mod_cvar_defined(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(!is_undef(cvar_find(self, cvar_name_of(argv[0], self))));
}

static void note_cvar(uint32_t id, Slot *s, void *arg)
{
    (void)s;
    if (!ary_includes(*(Value *)arg, symbol_value(id)))
        ary_push(*(Value *)arg, symbol_value(id));
}

static Value mod_cvars(Value self, int argc, const Value *argv)
{
    bool inherit = !argc || truthy(argv[0]);
    Value list = ary_new(4);
    for (Value k = inherit ? self : class_own_place(self); !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (!is_undef(owner))
            class_rows_each(owner, class_ext(owner)->cvars, note_cvar, &list);
        if (!inherit)
            break;
    }
    return list;
}

static Value mod_remove_cvar(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value name = cvar_name_of(argv[0], self), table;
    obj_modify(self);
    Slot *s = class_row_find(self, class_ext(self)->cvars, symbol_id(name), &table);
    if (!s) {
        if (!is_undef(cvar_find(self, name)))
            raise_name_error(self, name, "cannot remove %s for %s", sym_text(name), class_name_c(self));
        raise_name_error(self, name, "class variable %s not defined for %s", sym_text(name), class_name_c(self));
    }
    Value v = slot_read(table, s);
    class_row_remove(self, class_ext(self)->cvars, symbol_id(name));
    return v;
}

/* ---- listing methods ---- */

static Value mod_instance_methods(Value self, int argc, const Value *argv)
{
    return method_names(self, !argc || truthy(argv[0]), METHODS_PUBLIC | METHODS_PROTECTED);
}

static Value mod_public_instance_methods(Value self, int argc, const Value *argv)
{
    return method_names(self, !argc || truthy(argv[0]), METHODS_PUBLIC);
}

static Value mod_private_instance_methods(Value self, int argc, const Value *argv)
{
    return method_names(self, !argc || truthy(argv[0]), METHODS_PRIVATE);
}

static Value mod_protected_instance_methods(Value self, int argc, const Value *argv)
{
    return method_names(self, !argc || truthy(argv[0]), METHODS_PROTECTED);
}

static Value mod_undefined_instance_methods(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return method_names(self, false, METHODS_UNDEFINED);
}

static MethodEntry *find_defined(Value self, int argc, const Value *argv)
{
    Value name = name_if_known(argv[0]);
    if (is_nil(name))
        return NULL;
    MethodEntry *me = method_find_shown(self, name);
    if (me && argc > 1 && !truthy(argv[1])) {
        MethodEntry *own = method_find_here(self, name);
        return own && own->kind != ME_UNDEF ? me : NULL;
    }
    return me;
}

static Value mod_method_defined(Value self, int argc, const Value *argv)
{
    MethodEntry *me = find_defined(self, argc, argv);
    return bool_value(me && me->visibility != VIS_PRIVATE);
}

static Value mod_public_method_defined(Value self, int argc, const Value *argv)
{
    MethodEntry *me = find_defined(self, argc, argv);
    return bool_value(me && me->visibility == VIS_PUBLIC);
}

static Value mod_private_method_defined(Value self, int argc, const Value *argv)
{
    MethodEntry *me = find_defined(self, argc, argv);
    return bool_value(me && me->visibility == VIS_PRIVATE);
}

static Value mod_protected_method_defined(Value self, int argc, const Value *argv)
{
    MethodEntry *me = find_defined(self, argc, argv);
    return bool_value(me && me->visibility == VIS_PROTECTED);
}

/* ---- defining methods ---- */

enum { DEFAULT_MODULE_FUNCTION = 8 };

/* The default visibility for definitions in `self` where the caller stands. */
static int default_visibility(Value self)
{
    Value cref = frame_cref();
    if (is_nil(cref) || obj_field(cref, CREF_MODULE) != self || !is_fixnum(obj_field(cref, CREF_VISIBILITY)))
        return VIS_PUBLIC;
    return (int)fix_int(obj_field(cref, CREF_VISIBILITY));
}

static void copy_to_singleton(Value mod, Value name);

static Value attr_define(Value self, int argc, const Value *argv, bool reader, bool writer)
{
    Value made = ary_new((size_t)argc * 2);
    int vis = default_visibility(self);
    for (int i = 0; i < argc; i++) {
        Value name = name_of(argv[i]);
        SymbolKind kind = sym_kind(name);
        if (kind != SYMKIND_LOCAL && kind != SYMKIND_CONST)
            raise_name_error(self, name, "invalid attribute name '%s'", sym_text(name));
        method_define_attr(self, name, reader, writer, (Visibility)(vis & 3));
        if (reader) {
            if (vis & DEFAULT_MODULE_FUNCTION)
                copy_to_singleton(self, name);
            ary_push(made, name);
        }
        if (writer) {
            Value text = str_dup(sym_name_str(name));
            str_append_c(text, "=");
            Value setter = sym_intern_str(text);
            if (vis & DEFAULT_MODULE_FUNCTION)
                copy_to_singleton(self, setter);
            ary_push(made, setter);
        }
    }
    return made;
}

static Value mod_attr_reader(Value self, int argc, const Value *argv)
{
    return attr_define(self, argc, argv, true, false);
}

static Value mod_attr_writer(Value self, int argc, const Value *argv)
{
    return attr_define(self, argc, argv, false, true);
}

static Value mod_attr_accessor(Value self, int argc, const Value *argv)
{
    return attr_define(self, argc, argv, true, true);
}

static Value mod_attr(Value self, int argc, const Value *argv)
{
    if (argc == 2 && (argv[1] == V_TRUE || argv[1] == V_FALSE)) {
        warn_printf("optional boolean argument is obsoleted");
        return attr_define(self, 1, argv, true, argv[1] == V_TRUE);
    }
    return attr_define(self, argc, argv, true, false);
}

static Value mod_alias_method(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value new_name = name_of(argv[0]);
    method_alias(self, new_name, name_of(argv[1]));
    return new_name;
}

static Value mod_undef_method(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++)
        method_undef(self, name_of(argv[i]));
    return self;
}

static Value mod_remove_method(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++)
        method_remove(self, name_of(argv[i]));
    return self;
}

/* ---- visibility ---- */

static void set_default_visibility(Value self, int vis)
{
    Value cref = frame_cref();
    if (!is_nil(cref) && obj_field(cref, CREF_MODULE) == self)
        obj_set_field(cref, CREF_VISIBILITY, int_fix(vis));
}

typedef void (*EachName)(Value mod, Value name);
static void each_name(Value self, int argc, const Value *argv, EachName fn)
{
    if (argc == 1 && is_array(argv[0])) {
        Value list = ary_dup(argv[0]);
        for (size_t i = 0; i < ary_len(list); i++)
            fn(self, name_of(ary_get(list, (long)i)));
        return;
    }
    for (int i = 0; i < argc; i++)
        fn(self, name_of(argv[i]));
}

static Value visibility_result(int argc, const Value *argv)
{
    return argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv);
}

static void make_public(Value mod, Value name)
{
    method_set_visibility(mod, name, VIS_PUBLIC);
}
static void make_protected(Value mod, Value name)
{
    method_set_visibility(mod, name, VIS_PROTECTED);
}
static void make_private(Value mod, Value name)
{
    method_set_visibility(mod, name, VIS_PRIVATE);
}

static Value change_visibility(Value self, int argc, const Value *argv, Visibility vis)
{
    static const EachName change[] = {make_public, make_protected, make_private};
    if (argc == 0)
        set_default_visibility(self, vis);
    else
        each_name(self, argc, argv, change[vis]);
    return visibility_result(argc, argv);
}

static Value mod_public(Value self, int argc, const Value *argv)
{
    return change_visibility(self, argc, argv, VIS_PUBLIC);
}

static Value mod_protected(Value self, int argc, const Value *argv)
{
    return change_visibility(self, argc, argv, VIS_PROTECTED);
}

static Value mod_private(Value self, int argc, const Value *argv)
{
    return change_visibility(self, argc, argv, VIS_PRIVATE);
}

static void copy_to_singleton(Value mod, Value name)
{
    MethodEntry *me = method_find(mod, name);
    if (!me && obj_type(mod) == T_MODULE)
        me = method_find(klass.Object, name);
    if (!me)
        raise_name_error(mod, name, "undefined method '%s' for %s '%s'", sym_text(name), module_kind_name(mod), class_name_c(mod));
    MethodEntry *copy = method_entry_new((MethodKind)me->kind, VIS_PUBLIC);
    uint64_t head = copy->head;
    *copy = *me;
    copy->head = head;
    copy->visibility = VIS_PUBLIC;
    slot_init(&copy->defined, V_NIL);
    method_add(obj_singleton_class(mod), name, copy);
}

static void make_module_function(Value mod, Value name)
{
    copy_to_singleton(mod, name);
    method_set_visibility(mod, name, VIS_PRIVATE);
}

static Value mod_module_function(Value self, int argc, const Value *argv)
{
    if (obj_type(self) != T_MODULE)
        raise_error(klass.TypeError, "module_function must be called for modules");
    if (argc == 0)
        set_default_visibility(self, VIS_PRIVATE | DEFAULT_MODULE_FUNCTION);
    else
        each_name(self, argc, argv, make_module_function);
    return visibility_result(argc, argv);
}

static Value mod_public_class_method(Value self, int argc, const Value *argv)
{
    each_name(obj_singleton_class(self), argc, argv, make_public);
    return V_NIL;
}

static Value mod_private_class_method(Value self, int argc, const Value *argv)
{
    each_name(obj_singleton_class(self), argc, argv, make_private);
    return V_NIL;
}

static Value mod_ruby2_keywords(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++) {
        Value name = name_of(argv[i]);
        MethodEntry *me = method_find_here(self, name);
        if (!me || me->kind == ME_UNDEF) {
            if (method_find(self, name))
                raise_name_error(self, name, "method '%s' not defined in %s", sym_text(name), class_name_c(self));
            raise_name_error(self, name, "undefined method '%s' for %s '%s'", sym_text(name), module_kind_name(self), class_name_c(self));
        }
        Value body = slot_read((Value)me, &me->body);
        if (me->kind == ME_PROC && is_proc(body))
            body = obj_field(body, PROC_CODE);
        else if (me->kind != ME_CODE)
            body = V_NIL;
        Code *code = is_type(body, T_CODE) ? code_ptr(body) : NULL;
        if (!code || !code_set_ruby2_keywords(code))
            warn_printf("Skipping set of ruby2_keywords flag for %s (method accepts keywords or post arguments or method does not accept argument splat)", sym_text(name));
    }
    return V_NIL;
}

/* ---- the main object ---- */

/* Object; for the copy of main that a wrapped load runs with, its wrapper. */
static Value main_module(Value self)
{
    Value cref = self == vm_main_object() ? V_NIL : frame_cref(), module = klass.Object;
    for (; !is_nil(cref) && !is_nil(obj_field(cref, CREF_OUTER)); cref = obj_field(cref, CREF_OUTER))
        module = obj_field(cref, CREF_MODULE);
    return module;
}

static Value main_include(Value self, int argc, const Value *argv)
{
    return mod_include(main_module(self), argc, argv);
}


static Value main_public(Value self, int argc, const Value *argv)
{
    return change_visibility(main_module(self), argc, argv, VIS_PUBLIC);
}

static Value main_private(Value self, int argc, const Value *argv)
{
    return change_visibility(main_module(self), argc, argv, VIS_PRIVATE);
}

static Value main_define_method(Value self, int argc, const Value *argv)
{
    Value module = main_module(self);
    Value name = vm_call_with_block(module, sym_intern("define_method"), argc, argv, block_proc());
    method_set_visibility(module, name, VIS_PUBLIC);
    return name;
}

static Value main_ruby2_keywords(Value self, int argc, const Value *argv)
{
    return mod_ruby2_keywords(main_module(self), argc, argv);
}

static Value main_to_s(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return str_new_c("main");
}

static const Builtin main_methods[] = {
    {"to_s", main_to_s, 0, 0, 0},
    {"inspect", main_to_s, 0, 0, 0},
    {"include", main_include, 1, -1, BI_PRIVATE},
    {"public", main_public, 0, -1, BI_PRIVATE},
    {"private", main_private, 0, -1, BI_PRIVATE},
    {"define_method", main_define_method, 1, 2, BI_PRIVATE},
    {"ruby2_keywords", main_ruby2_keywords, 1, -1, BI_PRIVATE},
};

static const Builtin methods[] = {
    {"initialize", mod_initialize, 0, 0, BI_PRIVATE},
    {"initialize_copy", mod_initialize_copy, 1, 1, BI_PRIVATE},
    {"===", mod_eqq, 1, 1, BI_LEAF},
    {"==", mod_eq, 1, 1, BI_LEAF},
    {"<", mod_lt, 1, 1, 0},
    {"<=", mod_le, 1, 1, 0},
    {">", mod_gt, 1, 1, 0},
    {">=", mod_ge, 1, 1, 0},
    {"<=>", mod_cmp, 1, 1, 0},
    {"name", mod_name, 0, 0, 0},
    {"to_s", mod_to_s, 0, 0, 0},
    {"inspect", mod_to_s, 0, 0, 0},
    {"set_temporary_name", mod_set_temporary_name, 1, 1, 0},
    {"freeze", mod_freeze, 0, 0, 0},
    {"singleton_class?", mod_singleton_p, 0, 0, 0},
    {"ancestors", mod_ancestors, 0, 0, 0},
    {"included_modules", mod_included_modules, 0, 0, 0},
    {"include?", mod_include_p, 1, 1, 0},
    {"include", mod_include, 1, -1, 0},
    {"prepend", mod_prepend, 1, -1, 0},
    {"append_features", mod_append_features, 1, 1, BI_PRIVATE},
    {"prepend_features", mod_prepend_features, 1, 1, BI_PRIVATE},
    {"extend_object", mod_extend_object, 1, 1, BI_PRIVATE},
    {"included", mod_nothing, 1, 1, BI_PRIVATE},
    {"extended", mod_nothing, 1, 1, BI_PRIVATE},
    {"prepended", mod_nothing, 1, 1, BI_PRIVATE},
    {"const_added", mod_nothing, 1, 1, BI_PRIVATE},
    {"method_added", mod_nothing, 1, 1, BI_PRIVATE},
    {"method_removed", mod_nothing, 1, 1, BI_PRIVATE},
    {"method_undefined", mod_nothing, 1, 1, BI_PRIVATE},
    {"const_get", mod_const_get, 1, 2, 0},
    {"const_set", mod_const_set, 2, 2, 0},
    {"const_defined?", mod_const_defined, 1, 2, 0},
    {"const_missing", mod_const_missing, 1, 1, 0},
    {"const_source_location", mod_const_source_location, 1, 2, 0},
    {"constants", mod_constants, 0, 1, 0},
    {"remove_const", mod_remove_const, 1, 1, BI_PRIVATE},
    {"private_constant", mod_private_constant, 0, -1, 0},
    {"public_constant", mod_public_constant, 0, -1, 0},
    {"deprecate_constant", mod_deprecate_constant, 0, -1, 0},
    {"autoload", mod_autoload, 2, 2, 0},
    {"autoload?", mod_autoload_p, 1, 2, 0},
    {"class_variable_get", mod_cvar_get, 1, 1, 0},
    {"class_variable_set", mod_cvar_set, 2, 2, 0},
    {"class_variable_defined?", mod_cvar_defined, 1, 1, 0},
    {"class_variables", mod_cvars, 0, 1, 0},
    {"remove_class_variable", mod_remove_cvar, 1, 1, 0},
    {"instance_methods", mod_instance_methods, 0, 1, 0},
    {"public_instance_methods", mod_public_instance_methods, 0, 1, 0},
    {"private_instance_methods", mod_private_instance_methods, 0, 1, 0},
    {"protected_instance_methods", mod_protected_instance_methods, 0, 1, 0},
    {"undefined_instance_methods", mod_undefined_instance_methods, 0, 0, 0},
    {"method_defined?", mod_method_defined, 1, 2, 0},
    {"public_method_defined?", mod_public_method_defined, 1, 2, 0},
    {"private_method_defined?", mod_private_method_defined, 1, 2, 0},
    {"protected_method_defined?", mod_protected_method_defined, 1, 2, 0},
    {"attr", mod_attr, 0, -1, 0},
    {"attr_reader", mod_attr_reader, 0, -1, 0},
    {"attr_writer", mod_attr_writer, 0, -1, 0},
    {"attr_accessor", mod_attr_accessor, 0, -1, 0},
    {"alias_method", mod_alias_method, 2, 2, 0},
    {"undef_method", mod_undef_method, 0, -1, 0},
    {"remove_method", mod_remove_method, 0, -1, 0},
    {"public", mod_public, 0, -1, BI_PRIVATE},
    {"protected", mod_protected, 0, -1, BI_PRIVATE},
    {"private", mod_private, 0, -1, BI_PRIVATE},
    {"module_function", mod_module_function, 0, -1, BI_PRIVATE},
    {"public_class_method", mod_public_class_method, 0, -1, 0},
    {"private_class_method", mod_private_class_method, 0, -1, 0},
    {"ruby2_keywords", mod_ruby2_keywords, 1, -1, BI_PRIVATE},
};

static const Builtin singleton_methods[] = {
    {"nesting", mod_s_nesting, 0, 0, 0},
    {"constants", mod_s_constants, 0, 1, 0},
};

static const Builtin kernel_methods[] = {
    {"autoload", kernel_autoload, 2, 2, BI_MODULE_FUNCTION},
    {"autoload?", kernel_autoload_p, 1, 2, BI_MODULE_FUNCTION},
};

void module_boot(void)
{
    ADD_BUILTINS(klass.Module, methods);
    ADD_SINGLETON_BUILTINS(klass.Module, singleton_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_SINGLETON_BUILTINS(vm_main_object(), main_methods);
}
