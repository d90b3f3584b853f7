/*
 * tracepoint.c: TracePoint.  Where events come from: vm/interp/trace.c.
 *
 * A TracePoint is its filter and its block (fields TP_*).  What an event was is asked of the same object while the block
 * runs: it lies on the C stack of whoever tells (TraceEvent).
 */
#include "vm/core/core_private.h"
#include "vm/interp/thread.h"
#include "vm/interp/trace.h"
#include <string.h>

static const char *const event_names[] = {
#define TRACE_EVENT(name, text) text,
#include "vm/interp/trace_events.def"
#undef TRACE_EVENT
};

#define BIT(kind) (1 << TRACE_##kind)
enum {
    EVERYTHING = (1 << TRACE_KINDS) - 1,
    HAVE_METHOD = BIT(CALL) | BIT(RETURN) | BIT(C_CALL) | BIT(C_RETURN),
};

static int event_bits(Value v)
{
    if (!is_symbol(v) && !is_string(v))
        v = vm_call_if_responds(v, SYM(to_sym), 0, NULL);
    if (!is_symbol(v) && !is_string(v))
        raise_error(klass.TypeError, "wrong argument type %C (expected symbol)", class_real(v));
    const char *s = is_symbol(v) ? sym_text(v) : str_c(v);
    if (strcmp(s, "a_call") == 0)
        return BIT(CALL) | BIT(B_CALL) | BIT(C_CALL);
    if (strcmp(s, "a_return") == 0)
        return BIT(RETURN) | BIT(B_RETURN) | BIT(C_RETURN);
    for (int i = 0; i < TRACE_KINDS; i++)
        if (strcmp(s, event_names[i]) == 0)
            return 1 << i;
    raise_error(klass.ArgumentError, "unknown event: %s", s);
}

static Value tp_s_new(Value self, int argc, const Value *argv)
{
    int bits = argc ? 0 : EVERYTHING & ~(BIT(FIBER_SWITCH) | BIT(SCRIPT_COMPILED) | BIT(RESCUE));
    for (int i = 0; i < argc; i++)
        bits |= event_bits(argv[i]);
    if (!block_given())
        raise_error(klass.ArgumentError, "must be called with a block");
    Value tp = obj_alloc(self);
    obj_set_field(tp, TP_EVENTS, int_fix(bits));
    obj_set_field(tp, TP_PROC, block_proc());
    obj_set_field(tp, TP_ENABLED, V_FALSE);
    return tp;
}

static Value tp_s_trace(Value self, int argc, const Value *argv)
{
    Value tp = tp_s_new(self, argc, argv);
    trace_enable(tp);
    return tp;
}

static Value yield_nothing(UNUSED void *arg)
{
    return vm_yield(0, NULL);
}
static void end_reentry(void *event)
{
    ((TraceEvent *)event)->reentry = false;
}
static Value tp_s_allow_reentry(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    if (!block_given())
        raise_error(klass.ArgumentError, "no block given");
    TraceEvent *e = trace_current();
    if (!e)
        raise_error(klass.RuntimeError, "No need to allow reentrance.");
    e->reentry = true;
    return vm_ensure(yield_nothing, NULL, end_reentry, e);
}

/* ---- enable, disable ---- */
static bool is_enabled(Value tp)
{
    return obj_field(tp, TP_ENABLED) == V_TRUE;
}

static Value target_code(Value target)
{
    Value code = V_NIL;
    if (is_proc(target)) {
        code = proc_code(target) ? (Value)proc_code(target) : V_NIL;
    } else if (is_type(target, T_METHOD) || is_type(target, T_UNBOUND_METHOD)) {
        Value entry = obj_field(target, METHODF_ENTRY);
        MethodEntry *me = entry == V_NIL ? NULL : method_resolve((MethodEntry *)entry);
        Value body = me && (me->kind == ME_CODE || me->kind == ME_PROC) ? slot_read((Value)me, &me->body) : V_NIL;
        code = is_proc(body) ? (proc_code(body) ? (Value)proc_code(body) : V_NIL) : body;
    }
    if (!is_type(code, T_CODE))
        raise_error(klass.ArgumentError, "specified target is not supported");
    return code;
}

struct reach {
    int bits;
    Value line; /* nil, or that of which :line is wanted */
};
static void add_reach(Code *code, struct reach *r);
static void reach_operand(Slot *s, void *arg)
{
    if (is_type(s->raw, T_CODE))
        add_reach((Code *)s->raw, arg);
}
/* The events that code, or a block in it, can tell of. */
static void add_reach(Code *code, struct reach *r)
{
    if (code->kind == CODE_METHOD)
        r->bits |= BIT(CALL) | BIT(RETURN) | BIT(C_CALL) | BIT(C_RETURN) | BIT(RAISE) | BIT(RESCUE);
    else if (code->kind == CODE_BLOCK || code->kind == CODE_LAMBDA)
        r->bits |= BIT(B_CALL) | BIT(B_RETURN) | BIT(C_CALL) | BIT(C_RETURN) | BIT(RAISE) | BIT(RESCUE);
    for (uint32_t i = 0; i < code->nlines; i++)
        if (code->lines[i].line & LINE_STATEMENT && (r->line == V_NIL || r->line == int_fix(code->lines[i].line & ~LINE_STATEMENT)))
            r->bits |= BIT(LINE);
    code_each_object(code, reach_operand, r);
}

static void set_target(Value tp, Value target, Value line)
{
    if (is_enabled(tp))
        raise_error(klass.ArgumentError, "can't nest-enable a targeting TracePoint");
    int bits = (int)fix_int(obj_field(tp, TP_EVENTS));
    if (line != V_NIL) {
        if (target == V_NIL)
            raise_error(klass.ArgumentError, "only target_line is specified");
        if (!(bits & BIT(LINE)))
            raise_error(klass.ArgumentError, "target_line is specified, but line event is not specified");
        line = int_fix(value_int(line));
    }
    Value code = target_code(target);
    struct reach r = {0, line};
    add_reach((Code *)code, &r);
    if (!(r.bits & bits))
        raise_error(klass.ArgumentError, "can not enable any hooks");
    obj_set_field(tp, TP_TARGET, code);
    obj_set_field(tp, TP_LINE, line);
}

static Value option(Value opts, const char *name)
{
    Value v = keyword_get(opts, name);
    return v == V_UNDEF ? V_NIL : v;
}

static void disable(Value tp)
{
    trace_disable(tp);
    obj_set_field(tp, TP_TARGET, V_NIL);
    obj_set_field(tp, TP_LINE, V_NIL);
    obj_set_field(tp, TP_THREAD, V_NIL);
}
static void back_to_disabled(void *tp)
{
    disable(*(Value *)tp);
}
static void back_to_enabled(void *tp)
{
    trace_enable(*(Value *)tp);
}

static Value tp_enable(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    static const char *const names[] = {"target", "target_line", "target_thread", NULL};
    keywords_only(opts, names);
    Value target = option(opts, "target"), line = option(opts, "target_line"), thread = keyword_get(opts, "target_thread");
    bool was = is_enabled(self);
    if (was && obj_field(self, TP_TARGET) != V_NIL)
        raise_error(klass.ArgumentError, "can't nest-enable a targeting TracePoint");
    if (target != V_NIL || line != V_NIL)
        set_target(self, target, line);
    if (!was) {
        if (thread == V_UNDEF)
            thread = block_given() && target == V_NIL ? thread_current->object : V_NIL;
        obj_set_field(self, TP_THREAD, thread);
        trace_enable(self);
    }
    if (!block_given())
        return bool_value(was);
    return was ? vm_yield(0, NULL) : vm_ensure(yield_nothing, NULL, back_to_disabled, &self);
}

static Value tp_disable(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    bool was = is_enabled(self);
    if (block_given()) {
        if (obj_field(self, TP_TARGET) != V_NIL)
            raise_error(klass.ArgumentError, "can't disable a targeting TracePoint in a block");
        if (!was)
            return vm_yield(0, NULL);
        trace_disable(self);
        return vm_ensure(yield_nothing, NULL, back_to_enabled, &self);
    }
    if (was)
        disable(self);
    return bool_value(was);
}

static Value tp_enabled(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(is_enabled(self));
}

/* ---- the event ---- */
static TraceEvent *event_of(Value tp)
{
    TraceEvent *e = trace_current();
    while (e && e->tracepoint != tp)
        e = e->outer;
    return e;
}
static TraceEvent *event(Value tp)
{
    TraceEvent *e = event_of(tp);
    if (!e)
        raise_error(klass.RuntimeError, "access from outside");
    return e;
}

/* The nearest frame of the program's own: what tells the place of an event in core. */
static Frame *place(TraceEvent *e)
{
    Frame *f = e->frame;
    while (f > vm.frames && (!f->code || (f->code->flags & CODE_INTERNAL)))
        f--;
    return f;
}
static Value path_of(TraceEvent *e)
{
    Frame *f = place(e);
    return f > vm.frames ? slot_read((Value)f->code, &f->code->path) : V_NIL;
}
static int line_of(TraceEvent *e)
{
    Frame *f = place(e);
    if (f <= vm.frames)
        return 0;
    if (f == e->frame && ((1 << e->kind) & (BIT(CALL) | BIT(B_CALL) | BIT(CLASS))))
        return (int)f->code->first_line;
    return code_line_at(f->code, (uint32_t)(f->pc - f->code->words));
}
static Value owner_of(MethodEntry *me)
{
    Value owner = slot_read((Value)me, &me->owner);
    return is_type(owner, T_ICLASS) ? class_owner_at(owner) : owner;
}
static Value method_id_of(MethodEntry *me)
{
    return me ? symbol_value(me->original_name ? me->original_name : me->name) : V_NIL;
}

static Value tp_event(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return sym_intern(event_names[event(self)->kind]);
}
static Value tp_lineno(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return int_fix(line_of(event(self)));
}
static Value tp_path(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return path_of(event(self));
}
static Value tp_method_id(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return method_id_of(event(self)->me);
}
static Value tp_callee_id(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    TraceEvent *e = event(self);
    return e->me == e->frame->me && e->me ? frame_callee(e->frame) : method_id_of(e->me);
}
static Value tp_defined_class(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    TraceEvent *e = event(self);
    return e->me ? owner_of(e->me) : V_NIL;
}
static Value tp_self(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return event(self)->self;
}
static Value tp_binding(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    TraceEvent *e = event(self);
    bool native = (1 << e->kind) & (BIT(C_CALL) | BIT(C_RETURN));
    return native || !e->frame->code ? V_NIL : binding_new(e->frame);
}
static Value tp_parameters(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    TraceEvent *e = event(self);
    int bit = 1 << e->kind;
    if (bit & (BIT(B_CALL) | BIT(B_RETURN)))
        return code_parameters(e->frame->code, e->frame->flags & FRAME_LAMBDA);
    if (bit & HAVE_METHOD && e->me)
        return method_parameters_of(e->me);
    raise_error(klass.RuntimeError, "not supported by this event");
}
static Value value_of(Value tp, int bits)
{
    TraceEvent *e = event(tp);
    if (!((1 << e->kind) & bits))
        raise_error(klass.RuntimeError, "not supported by this event");
    return e->value;
}
static Value tp_return_value(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return value_of(self, BIT(RETURN) | BIT(C_RETURN) | BIT(B_RETURN));
}
static Value tp_raised_exception(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return value_of(self, BIT(RAISE) | BIT(RESCUE));
}
static Value tp_eval_script(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return value_of(self, BIT(SCRIPT_COMPILED));
}
static Value tp_instruction_sequence(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    value_of(self, BIT(SCRIPT_COMPILED));
    raise_not_implemented("TracePoint#instruction_sequence");
}

static Value tp_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    TraceEvent *e = event_of(self);
    if (!e)
        return str_new_c(is_enabled(self) ? "#<TracePoint:enabled>" : "#<TracePoint:disabled>");
    int bit = 1 << e->kind;
    const char *name = event_names[e->kind];
    if (bit & HAVE_METHOD)
        return str_format("#<TracePoint:%s '%T' %T:%d>", name, method_id_of(e->me), path_of(e), line_of(e));
    if (bit & (BIT(THREAD_BEGIN) | BIT(THREAD_END)))
        return str_format("#<TracePoint:%s %V>", name, e->value);
    return str_format("#<TracePoint:%s %T:%d>", name, path_of(e), line_of(e));
}

static const Builtin methods[] = {
    {"enable", tp_enable, 0, 0, BI_KW},
    {"disable", tp_disable, 0, 0, 0},
    {"enabled?", tp_enabled, 0, 0, 0},
    {"inspect", tp_inspect, 0, 0, 0},
    {"event", tp_event, 0, 0, 0},
    {"lineno", tp_lineno, 0, 0, 0},
    {"path", tp_path, 0, 0, 0},
    {"parameters", tp_parameters, 0, 0, 0},
    {"method_id", tp_method_id, 0, 0, 0},
    {"callee_id", tp_callee_id, 0, 0, 0},
    {"defined_class", tp_defined_class, 0, 0, 0},
    {"binding", tp_binding, 0, 0, 0},
    {"self", tp_self, 0, 0, 0},
    {"return_value", tp_return_value, 0, 0, 0},
    {"raised_exception", tp_raised_exception, 0, 0, 0},
    {"eval_script", tp_eval_script, 0, 0, 0},
    {"instruction_sequence", tp_instruction_sequence, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"new", tp_s_new, 0, -1, 0},
    {"trace", tp_s_trace, 0, -1, 0},
    {"allow_reentry", tp_s_allow_reentry, 0, 0, 0},
};

void tracepoint_boot(void)
{
    static const char *const fields[TP_FIELDS] = {"events", "proc", "enabled", "target", "line", "thread"};
    Value names[TP_FIELDS];
    for (int i = 0; i < TP_FIELDS; i++)
        names[i] = sym_intern(fields[i]);
    class_set_fields(klass.TracePoint, T_OBJECT, names, TP_FIELDS);
    ADD_BUILTINS(klass.TracePoint, methods);
    ADD_SINGLETON_BUILTINS(klass.TracePoint, singleton_methods);
}
