/* object.c -- BasicObject, and the part of Kernel that every object answers: class, copies, variables, methods */
#include "vm/core/core_private.h"
#include "vm/object/class_private.h"
#include "vm/object/names.h"

/* ---- BasicObject ---- */

static Value bobj_initialize(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_NIL;
}

static Value bobj_same(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(obj_same(self, argv[0]));
}

static Value bobj_not(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(!truthy(self));
}

static Value bobj_neq(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(!truthy(vm_call1(self, SYM(op_eq), argv[0])));
}

static Value obj_m_id(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_object_id(self);
}

static Value hook_nothing(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_NIL;
}

static const Builtin basic_methods[] = {
    {"initialize", bobj_initialize, 0, 0, BI_PRIVATE | BI_LEAF},
    {"==", bobj_same, 1, 1, BI_LEAF},
    {"equal?", bobj_same, 1, 1, BI_LEAF},
    {"!", bobj_not, 0, 0, BI_LEAF},
    {"!=", bobj_neq, 1, 1, 0},
    {"__id__", obj_m_id, 0, 0, 0},
    {"singleton_method_added", hook_nothing, 1, 1, BI_PRIVATE},
    {"singleton_method_removed", hook_nothing, 1, 1, BI_PRIVATE},
    {"singleton_method_undefined", hook_nothing, 1, 1, BI_PRIVATE},
};

/* ---- comparison, identity ---- */

static Value obj_m_class(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return class_real(self);
}

static Value obj_m_singleton_class(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_singleton_class(self);
}

static Value obj_eqq(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(self == argv[0] || obj_equal(self, argv[0]));
}

static Value obj_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    return self == argv[0] || obj_equal(self, argv[0]) ? int_fix(0) : V_NIL;
}

static Value obj_nmatch(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(!truthy(vm_call1(self, SYM(op_match), argv[0])));
}

static Value obj_m_hash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix(obj_identity_hash(self));
}

static Value obj_itself(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return self;
}

static Value obj_nil_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(is_nil(self));
}

static Value obj_instance_of(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_module(argv[0]))
        raise_error(klass.TypeError, "class or module required");
    return bool_value(class_real(self) == argv[0]);
}

static Value obj_kind_of(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_module(argv[0]))
        raise_error(klass.TypeError, "class or module required");
    return bool_value(obj_is_kind_of(self, argv[0]));
}

/* ---- copies and freezing ---- */

static Value obj_m_dup(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_dup(self);
}

static Value obj_m_clone(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    if (argc)
        raise_arity(argc, 0, 0);
    Value freeze = V_NIL;
    if (!is_nil(options)) {
        static const char *const known[] = {"freeze", NULL};
        keywords_only(options, known);
        Value given = keyword_get(options, "freeze");
        if (!is_undef(given)) {
            if (given != V_TRUE && given != V_FALSE && !is_nil(given))
                raise_error(klass.ArgumentError, "unexpected value for freeze: %C", class_real(given));
            freeze = given;
        }
    }
    return obj_clone(self, freeze);
}

static Value obj_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (self == argv[0])
        return self;
    if (obj_frozen(self))
        raise_frozen(self);
    obj_modify(self);
    if (class_real(self) != class_real(argv[0]))
        raise_error(klass.TypeError, "initialize_copy should take same class object");
    return self;
}

static Value obj_initialize_dup(Value self, int argc, const Value *argv)
{
    (void)argc;
    vm_call1(self, SYM(initialize_copy), argv[0]);
    return self;
}

static Value obj_initialize_clone(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    if (argc != 1)
        raise_arity(argc, 1, 1);
    if (!is_nil(options)) {
        static const char *const known[] = {"freeze", NULL};
        keywords_only(options, known);
    }
    vm_call1(self, SYM(initialize_copy), argv[0]);
    return self;
}

static Value obj_m_freeze(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_freeze(self);
}

static Value obj_m_frozen(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(obj_frozen(self));
}

/* ---- text ---- */

static Value obj_m_to_s(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_any_to_s(self);
}

typedef struct InspectArg {
    Value self, text, only; /* only: Array of names to show, or nil */
    bool first;
} InspectArg;

static void inspect_one(Value name, Value v, void *arg)
{
    InspectArg *a = arg;
    if (!is_nil(a->only) && !ary_includes(a->only, name))
        return;
    str_append_c(a->text, a->first ? " " : ", ");
    a->first = false;
    str_append(a->text, sym_text(name), sym_len(name));
    str_append_c(a->text, "=");
    str_append_str(a->text, obj_inspect(v));
}

static Value inspect_body(void *arg)
{
    InspectArg *a = arg;
    a->first = true;
    ivar_each(a->self, inspect_one, a);
    str_append_c(a->text, ">");
    return a->text;
}

static void note_any(Value name, Value v, void *arg)
{
    (void)name, (void)v;
    *(bool *)arg = true;
}

static Value obj_m_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    bool any = false;
    ivar_each(self, note_any, &any);
    Value plain = obj_any_to_s(self);
    if (!any)
        return plain;
    Value only = V_NIL;
    MethodEntry *me = method_find(class_of(self), SYM(instance_variables_to_inspect));
    if (me && me->kind != ME_BUILTIN) {
        only = vm_call0(self, SYM(instance_variables_to_inspect));
        if (!is_nil(only) && !is_array(only))
            raise_error(klass.TypeError, "Expected #instance_variables_to_inspect to return an Array or nil, but it returned %C", class_real(only));
    }
    StrView view = str_view(plain);
    InspectArg a = {self, str_new_enc(view.ptr, view.len - 1, view.enc), only, true};
    Value text = vm_guard_recursion(SYM(inspect), self, V_NIL, inspect_body, &a);
    if (is_undef(text)) {
        str_append_c(a.text, " ...>");
        return a.text;
    }
    return text;
}

/* ---- instance variables ---- */

static Value obj_ivar_get(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value v = ivar_get(self, ivar_name_of(argv[0], self));
    return is_undef(v) ? V_NIL : v;
}

static Value obj_ivar_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    ivar_set(self, ivar_name_of(argv[0], self), argv[1]);
    return argv[1];
}

static Value obj_ivar_defined(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(ivar_defined(self, ivar_name_of(argv[0], self)));
}

static Value obj_ivar_remove(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value name = ivar_name_of(argv[0], self);
    Value v = ivar_remove(self, name);
    if (is_undef(v))
        raise_name_error(self, name, "instance variable %s not defined for %T", sym_text(name), self);
    return v;
}

static void push_name(Value name, Value v, void *arg)
{
    (void)v;
    ary_push(*(Value *)arg, name);
}

static Value obj_ivars(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value list = ary_new(4);
    ivar_each(self, push_name, &list);
    return list;
}

/* ---- methods ---- */

static Value obj_respond_to(Value self, int argc, const Value *argv)
{
    Value name = name_of(argv[0]);
    bool private_too = argc > 1 && truthy(argv[1]);
    MethodEntry *me = refinements_used ? method_find_refined(class_of(self), name, frame_cref()) : method_find_shown(class_of(self), name);
    if (me && !method_is_shown(me))
        me = NULL;
    if (me && (private_too || me->visibility == VIS_PUBLIC))
        return V_TRUE;
    MethodEntry *missing = method_find(class_of(self), SYM(respond_to_missing_p));
    if (!missing || missing->kind == ME_BUILTIN)
        return V_FALSE;
    return bool_value(truthy(vm_call2(self, SYM(respond_to_missing_p), name, bool_value(private_too))));
}

static Value obj_respond_to_missing(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_FALSE;
}

static Value singleton_method_names(Value self, bool all);

static Value obj_methods(Value self, int argc, const Value *argv)
{
    if (argc && !truthy(argv[0]))
        return singleton_method_names(self, false);
    return method_names(class_of(self), true, METHODS_PUBLIC | METHODS_PROTECTED);
}

static Value obj_public_methods(Value self, int argc, const Value *argv)
{
    return method_names(class_of(self), !argc || truthy(argv[0]), METHODS_PUBLIC | METHODS_OF_OBJECT);
}

static Value obj_private_methods(Value self, int argc, const Value *argv)
{
    return method_names(class_of(self), !argc || truthy(argv[0]), METHODS_PRIVATE | METHODS_OF_OBJECT);
}

static Value obj_protected_methods(Value self, int argc, const Value *argv)
{
    return method_names(class_of(self), !argc || truthy(argv[0]), METHODS_PROTECTED | METHODS_OF_OBJECT);
}

static void note_name(uint32_t id, Slot *s, void *arg)
{
    Value *seen = arg;
    MethodEntry *me = (MethodEntry *)s->raw;
    if (!is_undef(hash_get(*seen, symbol_value(id))))
        return;
    hash_set(*seen, symbol_value(id), bool_value(me->kind != ME_UNDEF && me->visibility != VIS_PRIVATE && method_is_shown(me)));
}

static bool push_true(Value key, Value v, void *arg)
{
    if (v == V_TRUE)
        ary_push(*(Value *)arg, key);
    return true;
}

/* Those of the singleton class; with `all` also of the modules in it and of the singleton classes above (of classes). */
static Value singleton_method_names(Value self, bool all)
{
    Value list = ary_new(4), cls = class_of(self);
    if (!class_is_singleton(cls) || (!is_type(self, T_CLASS) && class_attached_object(cls) != self))
        return list;
    Value seen = hash_new();
    class_rows_each(cls, class_ext(cls)->methods, note_name, &seen);
    if (all)
        for (Value k = class_next(cls); !is_nil(k) && (class_is_singleton(k) || obj_type(k) == T_ICLASS); k = class_next(k)) {
            Value owner = class_owner_at(k);
            if (!is_undef(owner))
                class_rows_each(owner, class_ext(owner)->methods, note_name, &seen);
        }
    hash_each(seen, push_true, &list);
    return list;
}

static Value obj_singleton_methods(Value self, int argc, const Value *argv)
{
    return singleton_method_names(self, !argc || truthy(argv[0]));
}

static Value obj_define_singleton_method(Value self, int argc, const Value *argv)
{
    Value single = obj_singleton_class(self);
    return vm_call_with_block(single, sym_intern("define_method"), argc, argv, block_proc());
}

static Value obj_extend(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++)
        if (!is_type(argv[i], T_MODULE))
            raise_error(klass.TypeError, "wrong argument type %C (expected Module)", class_real(argv[i]));
    for (int i = 0; i < argc; i++)
        if (class_flag(argv[i], CLASS_REFINEMENT))
            raise_error(klass.TypeError, "Cannot extend object with refinement");
    for (int i = argc - 1; i >= 0; i--) {
        vm_call1(argv[i], SYM(extend_object), self);
        vm_call1(argv[i], SYM(extended), self);
    }
    return self;
}

/* ---- Array() and Hash() ---- */

static Value kernel_array(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = ary_try(argv[0]);
    if (!is_nil(v))
        return v;
    if (is_nil(argv[0]))
        return ary_new(0);
    v = obj_try_convert(argv[0], T_ARRAY, "Array", SYM(to_a));
    return is_nil(v) ? ary_new_from(1, argv) : v;
}

static Value kernel_hash(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_nil(argv[0]) || (is_array(argv[0]) && ary_len(argv[0]) == 0))
        return hash_new();
    Value v = obj_try_convert(argv[0], T_HASH, "Hash", SYM(to_hash));
    if (is_nil(v))
        raise_error(klass.TypeError, "can't convert %C into Hash", class_real(argv[0]));
    return v;
}

static const Builtin kernel_functions[] = {
    {"Array", kernel_array, 1, 1, BI_MODULE_FUNCTION},
    {"Hash", kernel_hash, 1, 1, BI_MODULE_FUNCTION},
};

static const Builtin kernel_methods[] = {
    {"class", obj_m_class, 0, 0, BI_LEAF},
    {"singleton_class", obj_m_singleton_class, 0, 0, 0},
    {"===", obj_eqq, 1, 1, 0},
    {"<=>", obj_cmp, 1, 1, 0},
    {"!~", obj_nmatch, 1, 1, 0},
    {"eql?", bobj_same, 1, 1, BI_LEAF},
    {"hash", obj_m_hash, 0, 0, 0},
    {"object_id", obj_m_id, 0, 0, 0},
    {"itself", obj_itself, 0, 0, BI_LEAF},
    {"nil?", obj_nil_p, 0, 0, BI_LEAF},
    {"instance_of?", obj_instance_of, 1, 1, 0},
    {"kind_of?", obj_kind_of, 1, 1, 0},
    {"is_a?", obj_kind_of, 1, 1, 0},
    {"dup", obj_m_dup, 0, 0, 0},
    {"clone", obj_m_clone, 0, -1, BI_KW},
    {"initialize_copy", obj_initialize_copy, 1, 1, BI_PRIVATE},
    {"initialize_dup", obj_initialize_dup, 1, 1, BI_PRIVATE},
    {"initialize_clone", obj_initialize_clone, 1, -1, BI_PRIVATE | BI_KW},
    {"freeze", obj_m_freeze, 0, 0, 0},
    {"frozen?", obj_m_frozen, 0, 0, BI_LEAF},
    {"to_s", obj_m_to_s, 0, 0, 0},
    {"inspect", obj_m_inspect, 0, 0, 0},
    {"instance_variables_to_inspect", hook_nothing, 0, 0, BI_PRIVATE},
    {"instance_variable_get", obj_ivar_get, 1, 1, 0},
    {"instance_variable_set", obj_ivar_set, 2, 2, 0},
    {"instance_variable_defined?", obj_ivar_defined, 1, 1, 0},
    {"remove_instance_variable", obj_ivar_remove, 1, 1, 0},
    {"instance_variables", obj_ivars, 0, 0, 0},
    {"respond_to?", obj_respond_to, 1, 2, 0},
    {"respond_to_missing?", obj_respond_to_missing, 2, 2, BI_PRIVATE},
    {"methods", obj_methods, 0, 1, 0},
    {"public_methods", obj_public_methods, 0, 1, 0},
    {"private_methods", obj_private_methods, 0, 1, 0},
    {"protected_methods", obj_protected_methods, 0, 1, 0},
    {"singleton_methods", obj_singleton_methods, 0, 1, 0},
    {"define_singleton_method", obj_define_singleton_method, 1, 2, 0},
    {"extend", obj_extend, 1, -1, 0},
};

void object_boot(void)
{
    ADD_BUILTINS(klass.BasicObject, basic_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_BUILTINS(klass.Kernel, kernel_functions);
}
