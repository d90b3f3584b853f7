/*
 * trace.c: where the events of TracePoint come from.
 *
 * Without an enabled TracePoint nothing is tested anywhere: the loop jumps by a table (exec.c), and enabling one puts
 * trace_instruction before every instruction of all loops under way.  It sees a frame's first instruction (call, b_call,
 * class), instructions that begin a statement (line: LINE_STATEMENT of the code's lines) and those that return.
 * Built-ins are seen by call_entry: while tracing is on no inline cache leads past it, which is why switching it
 * invalidates them.  Methods of the Ruby part of core count as built-ins.
 *
 *   TR1  While a thread runs a TracePoint's block, its own events do not count (TraceEvent.reentry excepted).
 *   TR2  FRAME_TRACED: the frame's beginning has been told, or was before tracing began.
 *
 * As in CRuby the operators of built-in numbers, `new`, `send` and calls of blocks tell nothing of themselves.
 */
#include "vm/interp/trace.h"
#include "vm/interp/thread.h"
#include <string.h>

bool trace_on;
static Value enabled; /* Array of TracePoints, oldest first */

static void set_tracing(void)
{
    bool on = ary_len(enabled) > 0;
    if (on == trace_on)
        return;
    trace_on = on;
    method_serial++;
    exec_set_tracing(on);
}

void trace_enable(Value tp)
{
    ary_push(enabled, tp);
    obj_set_field(tp, TP_ENABLED, V_TRUE);
    set_tracing();
}

void trace_disable(Value tp)
{
    Value left = ary_new(1);
    for (size_t i = 0; i < ary_len(enabled); i++)
        if (ary_get(enabled, (long)i) != tp)
            ary_push(left, ary_get(enabled, (long)i));
    enabled = left;
    obj_set_field(tp, TP_ENABLED, V_FALSE);
    set_tracing();
}

TraceEvent *trace_current(void)
{
    return thread_current->trace;
}

/* ---- telling ---- */
static bool quiet(void)
{
    return thread_current->trace && !thread_current->trace->reentry;
}

bool code_inside(Code *code, Value target)
{
    for (Value c = (Value)code; c != V_NIL; c = slot_read(c, &((Code *)c)->outer))
        if (c == target)
            return true;
    return false;
}

static bool wants(Value tp, const TraceEvent *e)
{
    if (obj_field(tp, TP_ENABLED) != V_TRUE || !(fix_int(obj_field(tp, TP_EVENTS)) & (1 << e->kind)))
        return false;
    Value thread = obj_field(tp, TP_THREAD), target = obj_field(tp, TP_TARGET), line = obj_field(tp, TP_LINE);
    if (thread != V_NIL && thread != thread_current->object)
        return false;
    if (target != V_NIL && (!e->frame->code || !code_inside(e->frame->code, target)))
        return false;
    Frame *f = e->frame;
    return line == V_NIL || e->kind != TRACE_LINE || line == int_fix(code_line_at(f->code, (uint32_t)(f->pc - f->code->words)));
}

static Value run_block(void *arg)
{
    TraceEvent *e = arg;
    return proc_call(obj_field(e->tracepoint, TP_PROC), 1, &e->tracepoint);
}

static void tell(TraceEvent *e)
{
    Value errinfo = vm.errinfo, result, record;
    vm.errinfo = V_NIL;
    e->outer = thread_current->trace;
    thread_current->trace = e;
    bool ok = vm_protect(run_block, e, &result, &record);
    thread_current->trace = e->outer;
    vm.errinfo = errinfo;
    if (!ok)
        vm_resume_unwind(record);
}

/* The newest first, those with a target after all others. */
void trace_fire(TraceKind kind, Frame *f, Value self, MethodEntry *me, Value value)
{
    if (quiet())
        return;
    Value list = enabled; /* never changed in place but by a push */
    size_t n = ary_len(list);
    for (int targeted = 0; targeted < 2; targeted++)
        for (size_t i = n; i-- > 0;) {
            TraceEvent e = {.kind = kind, .frame = f, .self = self, .me = me, .value = value,
                            .tracepoint = ary_get(list, (long)i)};
            if ((obj_field(e.tracepoint, TP_TARGET) != V_NIL) == targeted && wants(e.tracepoint, &e))
                tell(&e);
        }
}

/* ---- frames ---- */
static void fire_in(TraceKind kind, Frame *f, Value value)
{
    trace_fire(kind, f, f->self, f->me, value);
}

static bool is_core_method(const Frame *f)
{
    return (f->flags & FRAME_METHOD) && f->me && strncmp(sym_text(symbol_value(f->me->name)), "__", 2) != 0;
}

static bool at_entry(const Frame *f, const uint32_t *pc)
{
    const Code *code = f->code;
    if (pc == code->words)
        return true;
    for (unsigned i = 0; code->opt_pc && i <= code->params.optional; i++)
        if (pc == code->words + code->opt_pc[i])
            return true;
    return false;
}

static void enter_frame(Frame *f)
{
    if (f->code->flags & CODE_INTERNAL) {
        if (is_core_method(f))
            fire_in(TRACE_C_CALL, f, V_NIL);
    } else if (f->flags & FRAME_CLASS) {
        if (!class_is_singleton(f->self)) /* `class << x` tells of its lines only */
            fire_in(TRACE_CLASS, f, V_NIL);
    } else if (f->flags & FRAME_METHOD) {
        fire_in(TRACE_CALL, f, V_NIL);
    } else if (f->flags & FRAME_BLOCK) {
        if (f->flags & FRAME_BMETHOD)
            fire_in(TRACE_CALL, f, V_NIL);
        fire_in(TRACE_B_CALL, f, V_NIL);
    }
}

void trace_leave(Frame *f, Value v)
{
    if (quiet() || !f->code)
        return;
    if (f->code->flags & CODE_INTERNAL) {
        if (is_core_method(f))
            fire_in(TRACE_C_RETURN, f, v);
    } else if (f->flags & FRAME_CLASS) {
        if (!class_is_singleton(f->self))
            fire_in(TRACE_END, f, V_NIL);
    } else if (f->flags & FRAME_METHOD) {
        fire_in(TRACE_RETURN, f, v);
    } else if (f->flags & FRAME_BLOCK) {
        fire_in(TRACE_B_RETURN, f, v);
        if (f->flags & FRAME_BMETHOD)
            fire_in(TRACE_RETURN, f, v);
    }
}

void trace_instruction(const uint32_t *pc)
{
    Frame *f = vm.fp;
    if (quiet())
        return;
    f->pc = pc;
    if (!(f->flags & FRAME_TRACED)) {
        f->flags |= FRAME_TRACED;
        if (at_entry(f, pc))
            enter_frame(f);
    }
    if (!(f->code->flags & CODE_INTERNAL) && code_statement_at(f->code, (uint32_t)(pc - f->code->words)))
        fire_in(TRACE_LINE, f, V_NIL);
    bool ends_here = f->flags & FRAME_LAMBDA || !(f->outer || f->flags & FRAME_CLASS);
    if (OPCODE(pc) == OP_RETURN || (OPCODE(pc) == OP_RETURN_FAR && ends_here) || (OPCODE(pc) == OP_BREAK && f->flags & FRAME_LAMBDA))
        trace_leave(f, f->base[ARG_A]);
}

/* ---- built-ins ---- */
struct builtin_call {
    Call *c;
    MethodEntry *me;
};
static Value builtin_run(void *arg)
{
    struct builtin_call *b = arg;
    return call_builtin(b->c, b->me);
}

Value trace_builtin(Call *c, MethodEntry *me)
{
    Frame *f = frame_ruby(vm.fp);
    if (quiet() || (me->flags & BI_HIDDEN) || (f->code && f->code->flags & CODE_INTERNAL))
        return call_builtin(c, me);
    struct builtin_call b = {c, me};
    Value result = V_NIL, record, self = c->recv;
    trace_fire(TRACE_C_CALL, f, self, me, V_NIL);
    bool ok = vm_protect(builtin_run, &b, &result, &record);
    if (trace_on)
        trace_fire(TRACE_C_RETURN, f, self, me, ok ? result : V_NIL);
    if (!ok)
        vm_resume_unwind(record);
    return result;
}

void trace_raise(Value exc)
{
    Frame *f = frame_ruby(vm.fp);
    fire_in(TRACE_RAISE, f, exc);
}

static void trace_visit(Visitor *v)
{
    v->value(v, &enabled);
}

void trace_boot(void)
{
    enabled = ary_new(0);
    heap_add_visitor(trace_visit, "trace points");
}
