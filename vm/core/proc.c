/*
 * proc.c: Proc.  Its workings are in vm/interp/block.c; composition and currying in proc.rb.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"

static Value copy_proc(Value proc, Value cls)
{
    Value p = heap_alloc_slots(T_PROC, cls, 0);
    for (int i = 0; i < PROC_FIELDS; i++)
        obj_init_field(p, (unsigned)i, proc_field(proc, i));
    return p;
}

static Value proc_s_new(Value self, int argc, const Value *argv)
{
    Value block = block_proc();
    if (block == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    if (self != klass.Proc && class_real(block) != self) {
        block = copy_proc(block, self);
        vm_call(block, SYM(initialize), argc, argv);
    }
    return block;
}

static Value proc_to_proc(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return self;
}

static Value proc_lambda_p(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(proc_is_lambda(self));
}

static Value proc_arity_value(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return int_fix(proc_arity(self));
}

/* NULL for what counts as native: written in C, made of a method or symbol, or a block of the Ruby part of core. */
static Code *user_code(Value proc)
{
    Code *code = proc_code(proc);
    return code && !(code->flags & CODE_INTERNAL) ? code : NULL;
}

static Value proc_parameters(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv), l = keyword_get(opts, "lambda");
    bool lambda = l == V_UNDEF || l == V_NIL ? proc_is_lambda(self) : truthy(l);
    Code *code = user_code(self);
    if (code)
        return code_parameters(code, lambda);
    if (proc_flag(self, PROCF_FROM_METHOD)) {
        Value entry = obj_field(proc_field(self, PROC_SELF), METHODF_ENTRY);
        if (entry != V_NIL)
            return method_parameters_of((MethodEntry *)entry);
    }
    Value list = ary_new(2);
    int n = proc_arity(self);
    for (int i = n < 0 ? -n - 1 : n; i > 0; i--)
        ary_push(list, ary_new_from(1, (Value[]){sym_intern("req")}));
    if (n < 0)
        ary_push(list, ary_new_from(1, (Value[]){sym_intern("rest")}));
    return list;
}

static Value proc_source_location(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Code *code = user_code(self);
    if (!code && proc_flag(self, PROCF_FROM_METHOD))
        return vm_call0(proc_field(self, PROC_SELF), sym_intern("source_location"));
    if (!code)
        return V_NIL;
    return ary_new_from(2, (Value[]){slot_read((Value)code, &code->path), int_fix(code->first_line)});
}

static Value proc_binding(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Code *code = user_code(self);
    if (!code)
        raise_error(klass.ArgumentError, "Can't create Binding from C level Proc");
    Value b = heap_alloc_slots(T_BINDING, klass.Binding, 0);
    obj_init_field(b, BINDINGF_ENV, proc_field(self, PROC_ENV));
    obj_init_field(b, BINDINGF_LINE, int_fix(code->first_line));
    obj_init_field(b, BINDINGF_PATH, slot_read((Value)code, &code->path));
    return b;
}

static Value proc_equal(Value self, UNUSED int argc, const Value *argv)
{
    Value o = argv[0];
    if (self == o)
        return V_TRUE;
    if (!is_proc(o))
        return V_FALSE;
    for (int i = 0; i < PROC_FIELDS; i++)
        if (proc_field(self, i) != proc_field(o, i))
            return V_FALSE;
    return V_TRUE;
}

static Value proc_hash(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value code = proc_field(self, PROC_CODE), env = proc_field(self, PROC_ENV);
    uint64_t h = (uint64_t)(is_heap(code) ? obj_identity_hash(code) : (int64_t)code);
    h = h * 31 + (uint64_t)(is_heap(env) ? obj_identity_hash(env) : (int64_t)env);
    return int_fix((int64_t)(h >> 2));
}

static Value proc_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value s = obj_any_to_s(self), at = V_NIL;
    StrView v = str_view(s);
    Value out = str_new_enc(v.ptr, v.len - 1, ENC_BINARY); /* the path may be of any encoding */
    Code *code = user_code(self);
    if (code)
        at = str_format(" %T:%d", slot_read((Value)code, &code->path), (int)code->first_line);
    else if (proc_flag(self, PROCF_FROM_SYMBOL))
        at = str_format("(&%V)", proc_field(self, PROC_CODE));
    if (at != V_NIL)
        str_append(out, str_view(at).ptr, str_view(at).len);
    str_append_c(out, proc_is_lambda(self) ? " (lambda)>" : ">");
    return out;
}

static Value proc_ruby2_keywords(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Code *code = user_code(self);
    if (obj_frozen_bit(self))
        raise_frozen(self);
    if (!code || !code_set_ruby2_keywords(code))
        warn_printf("Skipping set of ruby2_keywords flag for proc (proc %s)",
                    code ? "accepts keywords or post arguments or proc does not accept argument splat" : "not defined in Ruby");
    return self;
}

typedef struct OuterUses {
    Value env, names;
} OuterUses;

static void note_outer_use(uint32_t reg, uint32_t distance, void *arg)
{
    OuterUses *uses = arg;
    Value env = uses->env;
    while (--distance > 0 && env != V_NIL)
        env = slot_read(env, &env_ptr(env)->outer);
    Code *code = env == V_NIL ? NULL : (Code *)slot_read(env, &env_ptr(env)->code);
    Value name = code && reg < code->nlocals && code->locals[reg] ? symbol_value(code->locals[reg]) : V_NIL;
    if (name != V_NIL && !ary_includes(uses->names, name))
        ary_push(uses->names, name);
}

/* Proc#__outer_locals: names of the locals around its block that it reads or sets. */
static Value proc_outer_locals(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    OuterUses uses = {proc_field(self, PROC_ENV), ary_new(1)};
    if (user_code(self))
        code_each_outer_use(proc_field(self, PROC_CODE), note_outer_use, &uses);
    return uses.names;
}

static Value symbol_to_proc(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return proc_from_symbol(self);
}

static const Builtin methods[] = {
    {"call", special_proc_call, 0, -1, BI_SPECIAL},
    {"()", special_proc_call, 0, -1, BI_SPECIAL},
    {"yield", special_proc_call, 0, -1, BI_SPECIAL},
    {"===", special_proc_call, 0, -1, BI_SPECIAL},
    {"[]", special_proc_call, 0, -1, BI_SPECIAL},
    {"to_proc", proc_to_proc, 0, 0, 0},
    {"lambda?", proc_lambda_p, 0, 0, 0},
    {"arity", proc_arity_value, 0, 0, 0},
    {"parameters", proc_parameters, 0, 0, BI_KW},
    {"source_location", proc_source_location, 0, 0, 0},
    {"binding", proc_binding, 0, 0, 0},
    {"==", proc_equal, 1, 1, 0},
    {"eql?", proc_equal, 1, 1, 0},
    {"hash", proc_hash, 0, 0, 0},
    {"inspect", proc_inspect, 0, 0, 0},
    {"to_s", proc_inspect, 0, 0, 0},
    {"ruby2_keywords", proc_ruby2_keywords, 0, 0, 0},
    {"__outer_locals", proc_outer_locals, 0, 0, BI_HIDDEN},
};
static const Builtin singleton_methods[] = {{"new", proc_s_new, 0, -1, 0}};
static const Builtin symbol_methods[] = {{"to_proc", symbol_to_proc, 0, 0, 0}};

void proc_boot(void)
{
    Value names[PROC_FIELDS];
    static const char *const fields[PROC_FIELDS] = {"code", "env", "self", "cref", "me", "flags"};
    for (int i = 0; i < PROC_FIELDS; i++)
        names[i] = sym_intern(fields[i]);
    class_set_fields(klass.Proc, T_PROC, names, PROC_FIELDS);
    ADD_BUILTINS(klass.Proc, methods);
    ADD_SINGLETON_BUILTINS(klass.Proc, singleton_methods);
    ADD_BUILTINS(klass.Symbol, symbol_methods);
}
