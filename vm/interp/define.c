/*
 * define.c: what def, class, module and defined? do.
 */
#include "vm/interp/vm_state.h"

static bool always_private(Value name)
{
    return name == SYM(initialize) || name == SYM(initialize_copy) || name == SYM(initialize_dup) ||
           name == SYM(initialize_clone) || name == SYM(respond_to_missing_p);
}

/* The visibility that `private` and its like set belongs to a class body, a script or an eval, never to a method. */
void define_method(Frame *f, Value name, Value code)
{
    Value cref = f->cref, definee = cref_definee(cref);
    int64_t setting = fix_int(obj_field(cref, CREF_VISIBILITY));
    if (f->me && f->me->kind == ME_CODE && cref == slot_read((Value)f->me, &f->me->cref))
        setting = VIS_PUBLIC;
    if (!is_module(definee))
        raise_error(klass.TypeError, "no class/module to add method");
    Visibility vis = always_private(name) ? VIS_PRIVATE : (Visibility)(setting & 7);
    if (setting & 8) {
        method_define_code(definee, name, code, cref, VIS_PRIVATE);
        method_define_code(obj_singleton_class(definee), name, code, cref, VIS_PUBLIC);
        return;
    }
    method_define_code(definee, name, code, cref, vis);
}

void define_singleton_method(Frame *f, Value obj, Value name, Value code)
{
    if (is_fixnum(obj) || is_flonum(obj) || is_symbol(obj) || is_type(obj, T_BIGNUM) || is_type(obj, T_FLOAT))
        raise_error(klass.TypeError, "can't define singleton");
    if (obj_frozen(obj) && is_heap(obj))
        raise_frozen(obj);
    method_define_code(obj_singleton_class(obj), name, code, f->cref, VIS_PUBLIC);
}

_Noreturn static void not_a(const char *kind, Value base, Value name)
{
    Value at = const_location(base, name);
    Value text = str_format("%T is not a %s", name, kind);
    if (is_array(at) && ary_len(at) == 2)
        str_append_str(text, str_format("\n%T:%T: previous definition of %T was here", ary_get(at, 0), ary_get(at, 1), name));
    raise_error(klass.TypeError, "%T", text);
}

Value define_class(Value super, Value base, Value name, bool module, bool scoped)
{
    if (!is_module(base))
        raise_error(klass.TypeError, "%V is not a class/module", base);
    if (super != V_UNDEF && !module && !is_class(super))
        raise_error(klass.TypeError, "superclass must be an instance of Class (given an instance of %C)", class_real(super));
    Value old = scoped ? const_find_public(base, name) : const_find(base, name, false);
    if (old != V_UNDEF) {
        if (module) {
            if (!is_type(old, T_MODULE))
                not_a("module", base, name);
            return old;
        }
        if (!is_class(old))
            not_a("class", base, name);
        if (super != V_UNDEF && class_superclass(old) != super)
            raise_error(klass.TypeError, "superclass mismatch for class %T", name);
        return old;
    }
    if (module) {
        Value m = module_new(NULL);
        const_set(base, name, m);
        return m;
    }
    if (super == V_UNDEF)
        super = klass.Object;
    if (class_is_singleton(super))
        raise_error(klass.TypeError, "can't make subclass of singleton class");
    if (super == klass.Class)
        raise_error(klass.TypeError, "can't make subclass of Class");
    Value cls = class_new(super, NULL);
    const_set(base, name, cls);
    class_inherited(super, cls);
    return cls;
}

void enter_class_body(Frame *f, Value cls, Code *code, unsigned ret, bool singleton)
{
    (void)singleton;
    Value cref = cref_new(cls, f->cref, VIS_PUBLIC, V_FALSE);
    Frame *g = f + 1;
    Value *base = f->top, *top = base + code->nregs;
    frame_check_room(g, top);
    for (Value *p = base; p < top; p++)
        *p = V_NIL;
    *g = (Frame){.pc = code->words, .base = base, .stack = base, .top = top, .self = cls, .code = code, .cref = cref,
                 .env = V_NIL, .flags = FRAME_CLASS, .skip = insn_length[OPCODE(f->pc)], .ret = (uint16_t)ret,
                 .specials = V_NIL, .serial = ++vm.serial};
    vm.fp = g;
}

/* ---- defined? ---- */
struct probe {
    Value v, name;
};
static Value probe_const(void *arg)
{
    struct probe *p = arg;
    return bool_value(is_module(p->v) && const_defined_from(p->v, p->name));
}

static Value text_of(const char *s)
{
    return str_new_frozen(s, strlen(s), ENC_US_ASCII);
}

Value defined_what(Frame *f, int kind, Value v, Value name)
{
    bool yes = false;
    const char *text = "expression";
    switch (kind) {
    case DEFINED_IVAR:
        yes = ivar_defined(f->self, name);
        text = "instance-variable";
        break;
    case DEFINED_GVAR:
        yes = gvar_defined(name);
        text = "global-variable";
        break;
    case DEFINED_CVAR: {
        Value cref = f->cref;
        while (obj_field(cref, CREF_OUTER) != V_NIL && (obj_field(cref, CREF_SINGLETON) != V_FALSE ||
               !is_module(cref_module(cref)) ||
               (is_class(cref_module(cref)) && class_is_singleton(cref_module(cref)))))
            cref = obj_field(cref, CREF_OUTER);
        yes = cvar_find(cref_module(cref), name) != V_UNDEF;
        text = "class variable";
        break;
    }
    case DEFINED_CONST:
        for (Value c = f->cref; c != V_NIL && !yes; c = obj_field(c, CREF_OUTER))
            yes = obj_field(c, CREF_SINGLETON) == V_FALSE && is_module(cref_module(c)) && const_defined(cref_module(c), name, true);
        yes = yes || const_defined(klass.Object, name, true);
        text = "constant";
        break;
    case DEFINED_CONST_IN: {
        struct probe p = {v, name};
        yes = truthy(vm_rescue(probe_const, &p, klass.Exception, NULL));
        text = "constant";
        break;
    }
    case DEFINED_METHOD: {
        MethodEntry *me = method_find(class_of(v), name);
        yes = me && (me->visibility == VIS_PUBLIC ||
                     (me->visibility == VIS_PROTECTED && obj_is_kind_of(f->self, slot_read((Value)me, &me->owner))));
        if (!yes && !me)
            yes = vm_responds_to(v, name, false);
        text = "method";
        break;
    }
    case DEFINED_FUNC:
        yes = method_find(class_of(f->self), name) || vm_responds_to(f->self, name, true);
        text = "method";
        break;
    case DEFINED_YIELD:
        yes = f->block != 0;
        text = "yield";
        break;
    case DEFINED_SUPER:
        if (f->me) {
            uint32_t n = f->me->original_name ? f->me->original_name : f->me->name;
            yes = method_find_super_of(class_of(f->self), f->me, symbol_value(n)) != NULL;
        }
        text = "super";
        break;
    case DEFINED_NTH: {
        Value m = frame_last_match();
        yes = m != V_NIL && match_nth(m, name == V_NIL ? 0 : (int)symbol_id(name)) != V_NIL;
        text = "global-variable";
        break;
    }
    case DEFINED_BACKREF: {
        Value m = frame_last_match();
        yes = m != V_NIL;
        text = "global-variable";
        break;
    }
    }
    return yes ? text_of(text) : V_NIL;
}
