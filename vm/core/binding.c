/*
 * binding.c: Binding: a frame's Env as an object; local variables by name; irb and eval of it.
 */
#include "vm/core/core_private.h"
#include "vm/interp/fiber.h"
#include "vm/interp/vm_state.h"
#include "vm/object/names.h"
#include <stdio.h>
#include <string.h>

static Value kernel_binding(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return binding_new(frame_caller());
}

/* The innermost Env.  TOPLEVEL_BINDING gets the main script's when it is first asked while that runs: a script whose frame
 * nobody looks into is not slowed down by an Env. */
static Value binding_env(Value binding)
{
    Value env = obj_field(binding, BINDINGF_ENV);
    Frame *f = vm.script_frame, *top = vm.fiber == vm.main_fiber ? vm.fp : vm.main_fiber->fp;
    if (binding != vm.script_binding || !f || f > top || f->serial != vm.script_serial)
        return env;
    vm.script_binding = V_NIL;
    Value script = env_reify(f);
    slot_write(script, &env_ptr(script)->outer, env);
    obj_set_field(binding, BINDINGF_ENV, script);
    return script;
}

/* The slot of a local visible from env, or NULL; *owner its Env. */
static Slot *find_local(Value env, uint32_t name, Value *owner)
{
    for (Value e = env; e != V_NIL; e = slot_read(e, &env_ptr(e)->outer)) {
        Code *code = (Code *)slot_read(e, &env_ptr(e)->code);
        for (unsigned i = code->nlocals; i-- > 0;)
            if (code->locals[i] == name) {
                *owner = e;
                return &env_ptr(e)->slots[i];
            }
    }
    return NULL;
}

static Value env_local_names(Value env)
{
    Value list = ary_new(8);
    for (Value e = env; e != V_NIL; e = slot_read(e, &env_ptr(e)->outer)) {
        Code *code = (Code *)slot_read(e, &env_ptr(e)->code);
        for (unsigned i = 0; i < code->nlocals; i++) {
            Value name = symbol_value(code->locals[i]);
            if (code->locals[i] && sym_kind(name) == SYMKIND_LOCAL && !ary_includes(list, name))
                ary_push(list, name);
        }
    }
    return list;
}

static Value binding_local_variables(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return env_local_names(binding_env(self));
}

static Value local_name(Value self, Value v)
{
    Value name = name_of(v);
    if (sym_kind(name) != SYMKIND_LOCAL)
        raise_name_error(self, name, "wrong local variable name '%T' for %V", name, self);
    const char *s = sym_text(name);
    if (s[0] == '_' && s[1] >= '1' && s[1] <= '9' && !s[2])
        raise_name_error(self, name, "numbered parameter '%s' is not a local variable", s);
    return name;
}

static Value binding_local_variable_get(Value self, UNUSED int argc, const Value *argv)
{
    Value name = local_name(self, argv[0]), owner;
    Slot *s = find_local(binding_env(self), symbol_id(name), &owner);
    if (!s)
        raise_name_error(self, name, "local variable '%T' is not defined for %V", name, self);
    return slot_read(owner, s);
}

static Value binding_local_variable_defined(Value self, UNUSED int argc, const Value *argv)
{
    Value name = local_name(self, argv[0]), owner;
    return bool_value(find_local(binding_env(self), symbol_id(name), &owner) != NULL);
}

static Value binding_local_variable_set(Value self, UNUSED int argc, const Value *argv)
{
    Value name = local_name(self, argv[0]), owner;
    Slot *s = find_local(binding_env(self), symbol_id(name), &owner);
    if (!s) {
        /* A new local: an eval of an assignment makes the Env that holds it. */
        Value src = str_format("%T = nil", name);
        eval_in_env(src, binding_env(self), V_UNDEF, V_UNDEF, "(binding)", 1, self);
        s = find_local(binding_env(self), symbol_id(name), &owner);
    }
    obj_modify(owner);
    s = find_local(binding_env(self), symbol_id(name), &owner);
    slot_write(owner, s, argv[1]);
    return argv[1];
}

static Value binding_receiver(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value env = binding_env(self);
    return slot_read(env, &env_ptr(env)->self);
}

static Value binding_source_location(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return ary_new_from(2, (Value[]){obj_field(self, BINDINGF_PATH), obj_field(self, BINDINGF_LINE)});
}

/* eval(src [, binding [, file [, line]]]) and Binding#eval */
static Value eval_with(Value src, Value binding, Value file, Value line, Frame *scope)
{
    const char *name = NULL;
    char text[1200];
    int first = line == V_NIL ? 1 : (int)value_int(line);
    if (file != V_NIL) {
        name = str_c(str_to_str(file));
    } else {
        snprintf(text, sizeof text, "(eval at %s:%d)", vm_current_file(), vm_current_line());
        name = text;
    }
    if (binding == V_NIL)
        return eval_in_env(src, env_reify(scope), V_UNDEF, V_UNDEF, name, first, V_NIL);
    if (!is_type(binding, T_BINDING))
        raise_error(klass.TypeError, "wrong argument type %C (expected binding)", class_real(binding));
    return eval_in_env(src, binding_env(binding), V_UNDEF, V_UNDEF, name, first, binding);
}

static Value kernel_eval(UNUSED Value self, int argc, const Value *argv)
{
    return eval_with(argv[0], argc > 1 ? argv[1] : V_NIL, argc > 2 ? argv[2] : V_NIL, argc > 3 ? argv[3] : V_NIL,
                     frame_caller());
}

static Value binding_eval(Value self, int argc, const Value *argv)
{
    return eval_with(argv[0], self, argc > 1 ? argv[1] : V_NIL, argc > 2 ? argv[2] : V_NIL, NULL);
}

static Value kernel_local_variables(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return env_local_names(env_reify(frame_caller()));
}

/* ---- _1, _2 ... and it: of the innermost block only, and no local variables ---- */
static Value implicit_scope(Value binding)
{
    Value env = binding_env(binding);
    while (env != V_NIL && ((Code *)slot_read(env, &env_ptr(env)->code))->kind == CODE_EVAL)
        env = slot_read(env, &env_ptr(env)->outer);
    return env;
}

/* The register of an implicit parameter: -1 when the scope lacks it. */
static int implicit_index(Value binding, Value env, Value name)
{
    const char *s = sym_text(name);
    bool it = strcmp(s, "it") == 0, numbered = s[0] == '_' && s[1] >= '1' && s[1] <= '9' && !s[2];
    if (!it && !numbered)
        raise_name_error(binding, name, "'%T' is not an implicit parameter", name);
    if (env == V_NIL)
        return -1;
    Code *code = (Code *)slot_read(env, &env_ptr(env)->code);
    if (!(code->flags & CODE_NUMBERED) || it != !!(code->flags & CODE_IT))
        return -1;
    int i = it ? 0 : s[1] - '1';
    return i < code->params.required ? i : -1;
}

static Value binding_implicit_parameters(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value env = implicit_scope(self), list = ary_new(2);
    Code *code = env == V_NIL ? NULL : (Code *)slot_read(env, &env_ptr(env)->code);
    if (!code || !(code->flags & CODE_NUMBERED))
        return list;
    for (int i = 0; i < code->params.required; i++)
        ary_push(list, code->flags & CODE_IT ? sym_intern("it") : sym_intern_str(str_format("_%d", i + 1)));
    return list;
}

static Value binding_implicit_parameter_defined(Value self, UNUSED int argc, const Value *argv)
{
    return bool_value(implicit_index(self, implicit_scope(self), name_of(argv[0])) >= 0);
}

static Value binding_implicit_parameter_get(Value self, UNUSED int argc, const Value *argv)
{
    Value name = name_of(argv[0]), env = implicit_scope(self);
    int i = implicit_index(self, env, name);
    if (i < 0)
        raise_name_error(self, name, "implicit parameter '%T' is not defined for %V", name, self);
    return slot_read(env, &env_ptr(env)->slots[i]);
}

/* Kernel#pause: says where it is, and reads and runs lines there. */
static Value kernel_pause(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value binding = binding_new(frame_caller()), where = binding_source_location(binding, 0, NULL);
    Value text = str_new_c("paused at ");
    str_append_str(text, ary_get(where, 0));
    str_append_c(text, ":");
    str_append_str(text, obj_to_s(ary_get(where, 1)));
    vm_call1(gvar_get(sym_intern("$stderr")), sym_intern("puts"), text);
    return vm_call0(binding, sym_intern("irb"));
}

static const Builtin methods[] = {
    {"local_variables", binding_local_variables, 0, 0, 0},
    {"local_variable_get", binding_local_variable_get, 1, 1, 0},
    {"local_variable_set", binding_local_variable_set, 2, 2, 0},
    {"local_variable_defined?", binding_local_variable_defined, 1, 1, 0},
    {"receiver", binding_receiver, 0, 0, 0},
    {"source_location", binding_source_location, 0, 0, 0},
    {"eval", binding_eval, 1, 3, 0},
    {"implicit_parameters", binding_implicit_parameters, 0, 0, 0},
    {"implicit_parameter_defined?", binding_implicit_parameter_defined, 1, 1, 0},
    {"implicit_parameter_get", binding_implicit_parameter_get, 1, 1, 0},
};
static const Builtin kernel_methods[] = {
    {"binding", kernel_binding, 0, 0, BI_MODULE_FUNCTION},
    {"eval", kernel_eval, 1, 4, BI_MODULE_FUNCTION},
    {"local_variables", kernel_local_variables, 0, 0, BI_MODULE_FUNCTION},
    {"pause", kernel_pause, 0, 0, 0},
};

void binding_boot(void)
{
    Value names[BINDINGF_FIELDS] = {sym_intern("env"), sym_intern("extra"), sym_intern("line"), sym_intern("path")};
    class_set_fields(klass.Binding, T_BINDING, names, BINDINGF_FIELDS);
    ADD_BUILTINS(klass.Binding, methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
}
