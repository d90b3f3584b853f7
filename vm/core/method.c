/*
 * method.c: Method, UnboundMethod, and what makes them: Object#method, Module#instance_method, define_method.
 *
 * Fields (frame.h): receiver, entry (nil: answered by respond_to_missing?), name, owner, class looked up in.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"
#include "vm/object/names.h"

static MethodEntry *entry_of(Value self)
{
    Value e = obj_field(self, METHODF_ENTRY);
    return e == V_NIL ? NULL : (MethodEntry *)e;
}

static Value owner_of(MethodEntry *me)
{
    Value owner = slot_read((Value)me, &me->owner);
    return is_type(owner, T_ICLASS) ? class_owner_at(owner) : owner;
}

static Value method_object(ObjectType type, Value receiver, MethodEntry *me, Value name, Value cls)
{
    while (me && (me->kind == ME_ZSUPER || me->kind == ME_REFINED)) {
        MethodEntry *up = method_find_super_of(cls, me, name);
        if (!up)
            break;
        me = up;
    }
    Value m = heap_alloc_slots(type, type == T_METHOD ? klass.Method : klass.UnboundMethod, 0);
    obj_init_field(m, METHODF_RECEIVER, receiver);
    obj_init_field(m, METHODF_ENTRY, me ? (Value)me : V_NIL);
    obj_init_field(m, METHODF_NAME, name);
    obj_init_field(m, METHODF_OWNER, me ? owner_of(me) : cls);
    obj_init_field(m, METHODF_CLASS, cls);
    return m;
}

static _Noreturn void no_method(Value mod, Value name)
{
    Value exc = exception_new(klass.NameError, is_type(mod, T_MODULE) ? "undefined method '%T' for module '%C'"
                                                                     : "undefined method '%T' for class '%C'",
                              name, mod);
    ivar_set(exc, SYM(name), name);
    ivar_set(exc, SYM(receiver), mod);
    vm_raise(exc);
}

static Value find_method(Value self, Value name, bool public_only)
{
    name = name_of(name);
    Value cls = class_of(self);
    MethodEntry *me = refinements_used ? method_find_refined(cls, name, frame_cref()) : method_find(cls, name);
    if (me && me->kind != ME_UNDEF && !(public_only && me->visibility != VIS_PUBLIC))
        return method_object(T_METHOD, self, me, name, cls);
    MethodEntry *rm = method_find(cls, SYM(respond_to_missing_p));
    if (!(me && public_only) && rm && rm->kind != ME_BUILTIN &&
        truthy(vm_call2(self, SYM(respond_to_missing_p), name, bool_value(!public_only))))
        return method_object(T_METHOD, self, NULL, name, cls);
    if (me && public_only && me->visibility != VIS_PUBLIC)
        raise_name_error(self, name, "method '%T' for class '%s' is %s", name, class_name_c(cls),
                         me->visibility == VIS_PRIVATE ? "private" : "protected");
    raise_name_error(self, name, "undefined method '%T' for class '%s'", name, class_name_c(cls));
}

static Value kernel_method(Value self, UNUSED int argc, const Value *argv)
{
    return find_method(self, argv[0], false);
}
static Value kernel_public_method(Value self, UNUSED int argc, const Value *argv)
{
    return find_method(self, argv[0], true);
}
static Value kernel_singleton_method(Value self, UNUSED int argc, const Value *argv)
{
    Value name = name_of(argv[0]), cls = class_of(self);
    for (Value k = cls; is_heap(self) && k != V_NIL && (obj_type(k) == T_ICLASS || k == cls); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (!class_is_singleton(cls))
            break;
        MethodEntry *me = owner == V_UNDEF ? NULL : method_find_here(owner, name);
        if (me && me->kind == ME_UNDEF)
            break;
        if (me)
            return method_object(T_METHOD, self, me, name, cls);
    }
    raise_name_error(self, name, "undefined singleton method '%T' for '%T'", name, self);
}

static Value module_instance_method_with(Value self, Value name, bool public_only)
{
    name = name_of(name);
    MethodEntry *me = is_type(self, T_MODULE) ? NULL
                      : refinements_used      ? method_find_refined(self, name, frame_cref())
                                              : method_find(self, name);
    if (is_type(self, T_MODULE))
        for (Value k = self; k != V_NIL && !me; k = class_next(k)) {
            Value owner = class_owner_at(k);
            if (owner != V_UNDEF)
                me = method_find_here(owner, name);
        }
    if (me && me->kind != ME_UNDEF && public_only && me->visibility != VIS_PUBLIC)
        raise_name_error(self, name, "method '%T' for %s '%s' is %s", name, is_class(self) ? "class" : "module", class_name_c(self),
                         me->visibility == VIS_PRIVATE ? "private" : "protected");
    if (!me || me->kind == ME_UNDEF)
        no_method(self, name);
    return method_object(T_UNBOUND_METHOD, V_NIL, me, name, self);
}
static Value module_instance_method(Value self, UNUSED int argc, const Value *argv)
{
    return module_instance_method_with(self, argv[0], false);
}
static Value module_public_instance_method(Value self, UNUSED int argc, const Value *argv)
{
    return module_instance_method_with(self, argv[0], true);
}

/* The body of define_method: a Proc, Method or UnboundMethod, else the block. */
static Value define_with(Value mod, Value name, Value body, Visibility vis)
{
    name = name_of(name);
    MethodEntry *me;
    if (is_proc(body)) {
        me = method_entry_new(ME_PROC, vis);
        slot_init(&me->body, body);
    } else if (is_type(body, T_METHOD) || is_type(body, T_UNBOUND_METHOD)) {
        Value owner = obj_field(body, METHODF_OWNER);
        MethodEntry *from = entry_of(body);
        if (is_class(owner) && !module_inherits(mod, owner)) {
            if (class_is_singleton(owner))
                raise_error(klass.TypeError, "can't bind singleton method to a different class");
            raise_error(klass.TypeError, "bind argument must be a subclass of %C", owner);
        }
        if (!from) {
            me = method_entry_new(ME_PROC, vis);
            slot_init(&me->body, proc_from_method(body));
        } else {
            from = method_resolve(from);
            me = method_entry_new((MethodKind)from->kind, vis);
            slot_init(&me->body, slot_read((Value)from, &from->body));
            slot_init(&me->cref, slot_read((Value)from, &from->cref));
            me->min = from->min;
            me->max = from->max;
            me->flags = from->flags;
            me->fn = from->fn;
            me->row = from->row;
            me->original_name = from->original_name ? from->original_name : from->name;
        }
    } else {
        raise_error(klass.TypeError, "wrong argument type %C (expected Proc/Method/UnboundMethod)", class_real(body));
    }
    method_add(mod, name, me);
    return name;
}

static Value module_define_method(Value self, int argc, const Value *argv)
{
    Value body = argc > 1 ? argv[1] : block_proc();
    if (body == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    Visibility vis = VIS_PUBLIC;
    bool module_function = false;
    Frame *f = frame_caller();
    Value cref = f->cref;
    if (f > vm.frames && cref != V_NIL && cref_module(cref) == self && !(f->flags & FRAME_METHOD) &&
        !(f->me && f->me->kind == ME_CODE && cref == slot_read((Value)f->me, &f->me->cref))) {
        int64_t setting = fix_int(obj_field(cref, CREF_VISIBILITY));
        vis = (Visibility)(setting & 7);
        module_function = setting & 8;
    }
    Value made = define_with(self, argv[0], body, vis);
    if (module_function)
        vm_call1(self, sym_intern("module_function"), made);
    return made;
}
static Value kernel_define_singleton_method(Value self, int argc, const Value *argv)
{
    Value body = argc > 1 ? argv[1] : block_proc();
    if (body == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    return define_with(obj_singleton_class(self), argv[0], body, VIS_PUBLIC);
}

/* ---- Method ---- */
static Value method_to_proc(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return proc_from_method(self);
}
static Value method_unbind(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value name = obj_field(self, METHODF_NAME), cls = obj_field(self, METHODF_CLASS);
    return method_object(T_UNBOUND_METHOD, V_NIL, entry_of(self), name, cls);
}
static Value method_receiver(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return obj_field(self, METHODF_RECEIVER);
}
static Value method_name_of(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return obj_field(self, METHODF_NAME);
}
static Value method_owner(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return obj_field(self, METHODF_OWNER);
}
static Value method_original_name(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    if (!me)
        return obj_field(self, METHODF_NAME);
    me = method_resolve(me);
    return symbol_value(me->original_name ? me->original_name : me->name);
}
static Value method_arity_value(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    return int_fix(me ? method_arity(me) : -1);
}

Value method_parameters_of(MethodEntry *me)
{
    me = method_resolve(me);
    if (me->kind == ME_CODE)
        return code_parameters((Code *)slot_read((Value)me, &me->body), true);
    if (me->kind == ME_PROC) {
        Code *code = proc_code(slot_read((Value)me, &me->body));
        if (code)
            return code_parameters(code, true);
    }
    Value list = ary_new(1);
    if (me->kind == ME_ATTR_WRITER) {
        ary_push(list, ary_new_from(1, (Value[]){sym_intern("req")}));
    } else if (me->kind == ME_BUILTIN) {
        for (int i = 0; i < (me->min == me->max ? me->min : 0); i++)
            ary_push(list, ary_new_from(1, (Value[]){sym_intern("req")}));
        if (me->min != me->max)
            ary_push(list, ary_new_from(1, (Value[]){sym_intern("rest")}));
    }
    return list;
}
static Value method_parameters(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    if (!me)
        return ary_new_from(1, (Value[]){ary_new_from(1, (Value[]){sym_intern("rest")})});
    return method_parameters_of(me);
}
static Code *method_code(MethodEntry *me)
{
    me = me ? method_resolve(me) : NULL;
    if (!me)
        return NULL;
    if (me->kind == ME_CODE)
        return (Code *)slot_read((Value)me, &me->body);
    if (me->kind == ME_PROC)
        return proc_code(slot_read((Value)me, &me->body));
    return NULL;
}
static Value method_source_location(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Code *code = method_code(entry_of(self));
    if (!code || (code->flags & CODE_INTERNAL))
        return V_NIL;
    return ary_new_from(2, (Value[]){slot_read((Value)code, &code->path), int_fix(code->first_line)});
}
static Value method_super_method(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    if (!me)
        return V_NIL;
    Value name = obj_field(self, METHODF_NAME), cls = obj_field(self, METHODF_CLASS);
    MethodEntry *up = method_find_super_of(cls, me, name);
    if (!up)
        return V_NIL;
    return method_object(obj_type(self), obj_field(self, METHODF_RECEIVER), up, name, cls);
}
static Value method_equal(Value self, UNUSED int argc, const Value *argv)
{
    Value o = argv[0];
    if (self == o)
        return V_TRUE;
    if (!is_heap(o) || obj_type(o) != obj_type(self))
        return V_FALSE;
    MethodEntry *a = entry_of(self), *b = entry_of(o);
    if (a && b) {
        a = method_resolve(a);
        b = method_resolve(b);
    }
    return bool_value((a && b ? method_same_definition(a, b) : a == b) &&
                      obj_field(self, METHODF_RECEIVER) == obj_field(o, METHODF_RECEIVER));
}
static Value method_hash(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    Value r = obj_field(self, METHODF_RECEIVER);
    uint64_t definition = 7;
    if (me) { /* equal for aliases */
        me = method_resolve(me);
        Value body = slot_read((Value)me, &me->body);
        definition = me->kind == ME_BUILTIN ? (uint64_t)(uintptr_t)me->fn : is_heap(body) ? (uint64_t)obj_identity_hash(body) : body;
    }
    return int_fix((int64_t)(definition * 31 + (is_heap(r) ? (uint64_t)obj_identity_hash(r) : r)) >> 2);
}

static Value method_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    MethodEntry *me = entry_of(self);
    Value owner = obj_field(self, METHODF_OWNER), recv = obj_field(self, METHODF_RECEIVER);
    Value out = str_format("#<%C: ", class_real(self));
    if (is_class(owner) && class_is_singleton(owner)) {
        str_append_str(out, str_format("%V.", is_type(self, T_METHOD) ? recv : class_attached_object(owner)));
    } else if (is_type(self, T_METHOD)) {
        Value cls = class_real(recv);
        str_append_str(out, cls == owner ? str_format("%C#", cls) : str_format("%C(%C)#", cls, owner));
    } else {
        str_append_str(out, str_format("%C#", owner));
    }
    Value name = obj_field(self, METHODF_NAME), original = method_original_name(self, 0, NULL);
    str_append_c(out, sym_text(name));
    if (original != name)
        str_append_str(out, str_format("(%T)", original));
    str_append_c(out, "(");
    Value params = method_parameters(self, 0, NULL);
    for (size_t i = 0; i < ary_len(params); i++) {
        Value row = ary_get(params, (long)i), kind = ary_get(row, 0), pname = ary_get(row, 1);
        const char *k = sym_text(kind), *n = pname == V_NIL ? NULL : sym_text(pname);
        if (i)
            str_append_c(out, ", ");
        if (strcmp(k, "req") == 0)
            str_append_c(out, n ? n : "_");
        else if (strcmp(k, "opt") == 0)
            str_append_str(out, str_format("%s=...", n ? n : "_"));
        else if (strcmp(k, "rest") == 0)
            str_append_str(out, str_format("*%s", n && strcmp(n, "*") ? n : ""));
        else if (strcmp(k, "keyreq") == 0)
            str_append_str(out, str_format("%s:", n));
        else if (strcmp(k, "key") == 0)
            str_append_str(out, str_format("%s: ...", n));
        else if (strcmp(k, "keyrest") == 0)
            str_append_str(out, str_format("**%s", n && strcmp(n, "**") ? n : ""));
        else if (strcmp(k, "block") == 0)
            str_append_str(out, str_format("&%s", n && strcmp(n, "&") ? n : ""));
        else if (strcmp(k, "nokey") == 0)
            str_append_c(out, "**nil");
    }
    str_append_c(out, ")");
    Value where = method_source_location(self, 0, NULL);
    if (where != V_NIL)
        str_append_str(out, str_format(" %T:%T", ary_get(where, 0), ary_get(where, 1)));
    (void)me;
    str_append_c(out, ">");
    return out;
}

/* ---- UnboundMethod ---- */
static void check_bind(Value self, Value recv)
{
    Value owner = obj_field(self, METHODF_OWNER);
    if (is_class(owner) && !obj_is_kind_of(recv, owner)) {
        if (class_is_singleton(owner))
            raise_error(klass.TypeError, "singleton method called for a different object");
        raise_error(klass.TypeError, "bind argument must be an instance of %C", owner);
    }
}
static Value unbound_bind(Value self, UNUSED int argc, const Value *argv)
{
    check_bind(self, argv[0]);
    return method_object(T_METHOD, argv[0], entry_of(self), obj_field(self, METHODF_NAME), class_of(argv[0]));
}
static Value unbound_bind_call(Value self, int argc, const Value *argv)
{
    check_bind(self, argv[0]);
    Value m = method_object(T_METHOD, argv[0], entry_of(self), obj_field(self, METHODF_NAME), class_of(argv[0]));
    bool kw = call_keywords();
    Value proc = proc_from_method(m), block = block_proc();
    if (kw) {
        Frame *f = vm.fp;
        Value *top = f->top, result = V_NIL;
        Call c = {.recv = m, .argc = argc - 2, .kw = argv[argc - 1], .block = block == V_NIL ? 0 : block,
                  .frame_flags = FRAME_FINISH};
        c.argv = call_push_args(argc - 2, argv + 1, 0);
        BlockEnv over = {.self = V_UNDEF, .cref = V_UNDEF, .block = c.block};
        bool pushed = block_invoke(proc, &c, &over, &result);
        f->top = top;
        return call_finish(pushed, result);
    }
    return proc_call_with_block(proc, argc - 1, argv + 1, block);
}

static const Builtin method_methods[] = {
    {"call", special_method_call, 0, -1, BI_SPECIAL},
    {"()", special_method_call, 0, -1, BI_SPECIAL},
    {"===", special_method_call, 0, -1, BI_SPECIAL},
    {"[]", special_method_call, 0, -1, BI_SPECIAL},
    {"to_proc", method_to_proc, 0, 0, 0},
    {"unbind", method_unbind, 0, 0, 0},
    {"receiver", method_receiver, 0, 0, 0},
};
static const Builtin unbound_methods[] = {
    {"bind", unbound_bind, 1, 1, 0},
    {"bind_call", unbound_bind_call, 1, -1, BI_KW},
};
static const Builtin common_methods[] = {
    {"name", method_name_of, 0, 0, 0},
    {"owner", method_owner, 0, 0, 0},
    {"original_name", method_original_name, 0, 0, 0},
    {"arity", method_arity_value, 0, 0, 0},
    {"parameters", method_parameters, 0, 0, 0},
    {"source_location", method_source_location, 0, 0, 0},
    {"super_method", method_super_method, 0, 0, 0},
    {"==", method_equal, 1, 1, 0},
    {"eql?", method_equal, 1, 1, 0},
    {"hash", method_hash, 0, 0, 0},
    {"inspect", method_inspect, 0, 0, 0},
    {"to_s", method_inspect, 0, 0, 0},
};
static const Builtin kernel_methods[] = {
    {"method", kernel_method, 1, 1, 0},
    {"public_method", kernel_public_method, 1, 1, 0},
    {"singleton_method", kernel_singleton_method, 1, 1, 0},
    {"define_singleton_method", kernel_define_singleton_method, 1, 2, 0},
};
static const Builtin module_methods[] = {
    {"instance_method", module_instance_method, 1, 1, 0},
    {"public_instance_method", module_public_instance_method, 1, 1, 0},
    {"define_method", module_define_method, 1, 2, 0},
};

void method_class_boot(void)
{
    Value names[METHODF_FIELDS];
    static const char *const fields[METHODF_FIELDS] = {"receiver", "entry", "name", "owner", "class"};
    for (int i = 0; i < METHODF_FIELDS; i++)
        names[i] = sym_intern(fields[i]);
    class_set_fields(klass.Method, T_METHOD, names, METHODF_FIELDS);
    class_set_fields(klass.UnboundMethod, T_UNBOUND_METHOD, names, METHODF_FIELDS);
    ADD_BUILTINS(klass.Method, method_methods);
    ADD_BUILTINS(klass.Method, common_methods);
    ADD_BUILTINS(klass.UnboundMethod, unbound_methods);
    ADD_BUILTINS(klass.UnboundMethod, common_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_BUILTINS(klass.Module, module_methods);
}
