/*
 * gvar.c: global variables: plain, in a C variable, or with C hooks.
 *
 * One row a name, found by symbol id through a table that grows with the symbols.  An alias shares the row.  Rows of
 * plain variables are roots of the collector; none is ever freed.
 */
#include "vm/interp/vm_state.h"
#include <stdlib.h>

typedef struct Gvar {
    Value own;
    Value *place;
    Value (*get)(Value name);
    void (*set)(Value name, Value v);
    bool defined, hooked;
    bool tracing; /* its traces run: what they assign is not traced */
    Value name;
    Value traces; /* trace_var's commands, the newest first: Array or nil */
    struct Gvar *next;
} Gvar;

static Gvar **rows;
static uint32_t rows_cap;
static Gvar *all;

static Gvar *row_find(Value name)
{
    uint32_t id = symbol_id(name);
    return id < rows_cap ? rows[id] : NULL;
}

static Gvar **row_place(Value name)
{
    uint32_t id = symbol_id(name);
    if (id >= rows_cap) {
        uint32_t cap = rows_cap ? rows_cap : 256;
        while (cap <= id)
            cap *= 2;
        rows = mem_realloc(memctx_top(), rows, cap * sizeof(Gvar *));
        memset(rows + rows_cap, 0, (cap - rows_cap) * sizeof(Gvar *));
        rows_cap = cap;
    }
    return &rows[id];
}

static Gvar *row_make(Value name)
{
    Gvar **p = row_place(name);
    if (!*p) {
        Gvar *g = mem_new(memctx_top(), Gvar);
        g->own = V_NIL;
        g->place = &g->own;
        g->traces = V_NIL;
        g->name = name;
        g->next = all;
        all = g;
        *p = g;
    }
    return *p;
}

Value gvar_get(Value name)
{
    Gvar *g = row_find(name);
    if (unlikely(!g || !g->defined)) {
        if (vm.verbose)
            warn_printf("global variable '%T' not initialized", name);
        return V_NIL;
    }
    return g->get ? g->get(g->name) : *g->place;
}

typedef struct TraceRun {
    Gvar *g;
    Value v;
} TraceRun;

static Value run_traces(void *arg)
{
    TraceRun *run = arg;
    Value commands = ary_dup(run->g->traces);
    for (size_t i = 0; i < ary_len(commands); i++) {
        Value command = ary_get(commands, (long)i);
        if (is_string(command))
            vm_call2(vm.main_object, sym_intern("eval"), command, vm_call0(vm.main_object, sym_intern("binding")));
        else
            vm_call1(command, SYM(call), run->v);
    }
    return V_NIL;
}
static void traces_done(void *arg)
{
    ((Gvar *)arg)->tracing = false;
}

void gvar_set(Value name, Value v)
{
    Gvar *g = row_make(name);
    if (g->hooked) {
        if (!g->set)
            raise_name_error(V_NIL, name, "%T is a read-only variable", name);
        g->set(g->name, v);
    } else {
        g->defined = true;
        *g->place = v;
    }
    if (unlikely(!is_nil(g->traces)) && !g->tracing) {
        TraceRun run = {g, v};
        g->tracing = true;
        vm_ensure(run_traces, &run, traces_done, g);
    }
}

/* ---- trace_var ---- */

static Value name_argument(Value v)
{
    if (is_symbol(v))
        return v;
    Value text = obj_try_convert(v, T_STRING, "String", SYM(to_str));
    if (is_nil(text))
        raise_error(klass.TypeError, "%T is not a symbol nor a string", obj_inspect(v));
    return sym_intern_str(text);
}

/* untrace_var(name, command = all of them): the commands that no longer run, nil when the given one did not */
static Value kernel_untrace_var(UNUSED Value self, int argc, const Value *argv)
{
    Value name = name_argument(argv[0]);
    Gvar *g = row_find(name);
    if (!g || !(g->defined || !is_nil(g->traces)))
        raise_name_error(V_NIL, name, "undefined global variable %T", name);
    Value traces = g->traces;
    if (argc == 1 || is_nil(argv[1])) {
        g->traces = V_NIL;
        return is_nil(traces) ? ary_new(0) : traces;
    }
    for (size_t i = 0; !is_nil(traces) && i < ary_len(traces); i++)
        if (ary_get(traces, (long)i) == argv[1]) {
            Value gone = ary_new_from(1, argv + 1);
            vm_call1(traces, sym_intern("delete_at"), int_fix((long)i));
            if (!ary_len(traces))
                g->traces = V_NIL;
            return gone;
        }
    return V_NIL;
}

/* trace_var(name, command) or with a block: runs with each value that the variable is given */
static Value kernel_trace_var(Value self, int argc, const Value *argv)
{
    Value command = argc > 1 ? argv[1] : block_proc();
    if (argc > 1 && is_nil(command))
        return kernel_untrace_var(self, 1, argv);
    if (is_nil(command))
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    Gvar *g = row_make(name_argument(argv[0]));
    if (is_nil(g->traces))
        g->traces = ary_new(1);
    vm_call1(g->traces, sym_intern("unshift"), command);
    return V_NIL;
}

void gvar_define(const char *name, Value *place)
{
    Gvar *g = row_make(sym_intern(name));
    heap_add_root(place);
    g->place = place;
    g->defined = true;
}

void gvar_define_hooked(const char *name, Value (*get)(Value name), void (*set)(Value name, Value v))
{
    Gvar *g = row_make(sym_intern(name));
    g->get = get;
    g->set = set;
    g->hooked = true;
    g->defined = true;
}

void gvar_define_constant(const char *name, Value v)
{
    Gvar *g = row_make(sym_intern(name));
    g->own = v;
    g->hooked = g->defined = true;
}

void gvar_alias(Value new_name, Value old_name)
{
    Gvar *g = row_make(old_name);
    *row_place(new_name) = g;
}

bool gvar_defined(Value name)
{
    Gvar *g = row_find(name);
    if (!g || !g->defined)
        return false;
    /* $1, $& and their like are defined when they have a value. */
    return !g->hooked || strchr("&`'+", sym_text(name)[1]) == NULL || sym_len(name) != 2 || gvar_get(name) != V_NIL;
}

Value gvar_names(void)
{
    Value list = ary_new(32);
    for (uint32_t i = 0; i < rows_cap; i++)
        if (rows[i] && rows[i]->defined)
            ary_push(list, symbol_value(i));
    return list;
}

static void gvars_visit(Visitor *v)
{
    for (Gvar *g = all; g; g = g->next)
        v->value(v, &g->own), v->value(v, &g->traces);
}

/* ---- those that belong to the interpreter ---- */
static Value get_errinfo(UNUSED Value name)
{
    return vm.errinfo;
}
static Value get_backtrace(UNUSED Value name)
{
    return vm.errinfo == V_NIL ? V_NIL : vm_call0(vm.errinfo, SYM(backtrace));
}
static void set_backtrace(UNUSED Value name, Value v)
{
    if (vm.errinfo == V_NIL)
        raise_error(klass.ArgumentError, "$! not set");
    vm_call1(vm.errinfo, SYM(set_backtrace), v);
}
static Value get_last_match(UNUSED Value name)
{
    return frame_last_match();
}
static void set_last_match(UNUSED Value name, Value v)
{
    if (v != V_NIL && !is_type(v, T_MATCH))
        raise_error(klass.TypeError, "wrong argument type %C (expected MatchData)", class_real(v));
    frame_set_last_match(v);
}
static Value get_last_line(UNUSED Value name)
{
    return frame_last_line();
}
static void set_last_line(UNUSED Value name, Value v)
{
    frame_set_last_line(v);
}
static Value get_match_part(Value name)
{
    Value m = frame_last_match();
    if (m == V_NIL)
        return V_NIL;
    switch (sym_text(name)[1]) {
    case '&':
        return match_nth(m, 0);
    case '`':
        return match_pre(m);
    case '\'':
        return match_post(m);
    default:
        return match_last_group(m);
    }
}
static Value get_verbose(UNUSED Value name)
{
    return vm.verbose_nil ? V_NIL : bool_value(vm.verbose);
}
static void set_verbose(UNUSED Value name, Value v)
{
    vm.verbose_nil = v == V_NIL;
    vm.verbose = truthy(v);
}
static Value get_debug(UNUSED Value name)
{
    return bool_value(vm.debug);
}
static void set_debug(UNUSED Value name, Value v)
{
    vm.debug = truthy(v);
}
static void set_script_name(UNUSED Value name, Value v)
{
    vm.script_name = str_to_str(v);
}
static Value get_script_name(UNUSED Value name)
{
    return vm.script_name;
}

static const Builtin kernel_methods[] = {
    {"trace_var", kernel_trace_var, 1, 2, BI_MODULE_FUNCTION},
    {"untrace_var", kernel_untrace_var, 1, 2, BI_MODULE_FUNCTION},
};

void gvar_boot(void)
{
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    heap_add_visitor(gvars_visit, "global variables");
    gvar_define_hooked("$!", get_errinfo, NULL);
    gvar_define_hooked("$@", get_backtrace, set_backtrace);
    gvar_define_hooked("$~", get_last_match, set_last_match);
    gvar_define_hooked("$_", get_last_line, set_last_line);
    gvar_define_hooked("$&", get_match_part, NULL);
    gvar_define_hooked("$`", get_match_part, NULL);
    gvar_define_hooked("$'", get_match_part, NULL);
    gvar_define_hooked("$+", get_match_part, NULL);
    gvar_define_hooked("$VERBOSE", get_verbose, set_verbose);
    gvar_define_hooked("$DEBUG", get_debug, set_debug);
    gvar_alias(sym_intern("$-v"), sym_intern("$VERBOSE"));
    gvar_alias(sym_intern("$-w"), sym_intern("$VERBOSE"));
    gvar_alias(sym_intern("$-d"), sym_intern("$DEBUG"));
    gvar_define_hooked("$0", get_script_name, set_script_name);
    gvar_alias(sym_intern("$PROGRAM_NAME"), sym_intern("$0"));
}
