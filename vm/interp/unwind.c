/*
 * unwind.c: everything that leaves frames other than by returning.
 *
 * One record describes it: an exception, or a T_THROW (break, return, throw, kill).  vm_unwind jumps to the nearest
 * handler of lib/error.h; a vm_exec on the way searches its own frames (unwind_run), C code that must clean up uses
 * vm_ensure or vm_protect.
 *
 *   U1  While the record is between vm_unwind and its handler it lives in vm.unwind.
 *   U2  A frame that is left by unwinding is left through frame_pop, so that its Env becomes inactive.
 *   U3  A frame in which running goes on has its own `top` again.
 */
#include "vm/interp/trace.h"

void vm_unwind(Value record)
{
    vm.unwind = record;
    error_unwind((void *)(uintptr_t)record);
}

void vm_resume_unwind(Value record)
{
    vm_unwind(record);
}

void vm_raise(Value exception)
{
    exception_prepare(exception);
    if (unlikely(trace_on))
        trace_raise(exception);
    vm_unwind(exception);
}

static void add_trace(Value exc)
{
    if (obj_field(exc, EXC_BACKTRACE) == V_NIL && obj_field(exc, EXC_TRACE) == V_NIL)
        obj_set_field(exc, EXC_TRACE, backtrace_capture(0));
}

void raise_prepared(Value exc)
{
    if (!obj_frozen_bit(exc))
        add_trace(exc);
    if (unlikely(trace_on))
        trace_raise(exc);
    vm_unwind(exc);
}

void exception_prepare_cause(Value exc)
{
    if (vm.errinfo == V_NIL || obj_frozen_bit(exc) || obj_field(exc, EXC_CAUSE) != V_NIL)
        return;
    for (Value c = vm.errinfo; is_type(c, T_EXCEPTION); c = obj_field(c, EXC_CAUSE))
        if (c == exc)
            return;
    obj_set_field(exc, EXC_CAUSE, vm.errinfo);
}

void exception_prepare(Value exc)
{
    if (!is_type(exc, T_EXCEPTION) || obj_frozen_bit(exc))
        return;
    exception_prepare_cause(exc);
    add_trace(exc);
}

Value unwind_take(const ErrorData *err)
{
    if (err->code == ERR_UNWIND) {
        Value record = vm.unwind;
        vm.unwind = V_NIL;
        return record;
    }
    Value exc = error_to_exception();
    exception_prepare(exc);
    return exc;
}

void unwind_frames_to(Frame *f)
{
    while (vm.fp > f)
        frame_pop();
}

/* The catch row for `word` in code, innermost first. */
static const CatchRow *find_catch(const Code *code, uint32_t word, bool exception)
{
    for (uint32_t i = 0; i < code->ncatches; i++) {
        const CatchRow *row = &code->catches[i];
        if (row->start <= word && word < row->end && (exception || row->kind == CATCH_ENSURE))
            return row;
    }
    return NULL;
}

bool unwind_ensured(const Frame *f)
{
    return find_catch(f->code, (uint32_t)(f->pc - f->code->words), false) != NULL;
}

bool unwind_run(Frame *entry, Value record, bool *finished)
{
    bool is_throw = is_type(record, T_THROW);
    int kind = is_throw ? (int)fix_int(obj_field(record, THROW_KIND)) : -1;
    Value target = is_throw ? obj_field(record, THROW_TARGET) : V_NIL;
    *finished = false;
    for (Frame *f = vm.fp; f >= entry; f = vm.fp) {
        if (f->code) {
            bool here = (kind == UNWIND_BREAK || kind == UNWIND_RETURN) && target == int_fix((int64_t)f->serial);
            if (here && kind == UNWIND_BREAK) {
                const uint32_t *pc = f->pc;
                f->top = f->stack + f->code->nregs;
                f->base[ARG_A] = obj_field(record, THROW_VALUE);
                f->pc = pc + insn_length[OPCODE(pc)];
                vm.overflow = false;
                return true;
            }
            const CatchRow *row = find_catch(f->code, (uint32_t)(f->pc - f->code->words), !is_throw);
            if (row) {
                f->top = f->stack + f->code->nregs;
                f->base[row->reg] = record;
                f->pc = f->code->words + row->target;
                vm.overflow = false;
                return true;
            }
            if (here) {
                Value v = obj_field(record, THROW_VALUE);
                uint32_t flags = f->flags;
                uint16_t ret = f->ret;
                if (flags & FRAME_DISCARD)
                    v = f->self;
                if (unlikely(trace_on))
                    trace_leave(f, v);
                frame_pop();
                vm.overflow = false;
                if (flags & FRAME_FINISH) {
                    vm.result = v;
                    *finished = true;
                    return true;
                }
                Frame *up = vm.fp;
                up->top = up->stack + up->code->nregs;
                up->base[ret] = v;
                up->pc += insn_length[OPCODE(up->pc)];
                return true;
            }
        }
        if (unlikely(trace_on))
            trace_leave(f, V_NIL);
        frame_pop();
    }
    return false;
}

/* ---- break and return ---- */
static Frame *frame_with_serial(uint64_t serial)
{
    for (Frame *f = vm.fp; f > vm.frames; f--)
        if (f->serial == serial)
            return f;
    return NULL;
}

/* Is the call under way in f one that passes `code` as its literal block? */
static bool passes_block(Frame *f, Code *code)
{
    const uint32_t *pc = f->pc;
    switch (OPCODE(pc)) {
    case OP_CALLX:
        return operand_object(f->code, pc, 4) == (Value)code;
    case OP_SUPER:
        return operand_object(f->code, pc, 3) == (Value)code;
    default:
        return false;
    }
}

static _Noreturn void raise_jump(const char *message, const char *reason, Value v)
{
    Value exc = exception_new(klass.LocalJumpError, "%s", message);
    ivar_set(exc, sym_intern("@reason"), sym_intern(reason));
    ivar_set(exc, sym_intern("@exit_value"), v);
    vm_raise(exc);
}

void unwind_break(Frame *f, Value v)
{
    Frame *definer = NULL;
    if (ref_is_frame(f->outer))
        definer = ref_frame(f->outer);
    else if (f->outer)
        definer = frame_with_serial(env_ptr(f->outer)->serial);
    if (!definer || !passes_block(definer, f->code))
        raise_jump("break from proc-closure", "break", v);
    vm_unwind(throw_new(UNWIND_BREAK, int_fix((int64_t)definer->serial), v));
}

/* `return` in a block: out of the nearest lambda around it, else out of the method. */
void unwind_return(Frame *f, Value v)
{
    Frame *g = f;
    bool in_class = f->flags & FRAME_CLASS; /* `class << self; return; end`: from the method around it */
    while (g->flags & FRAME_CLASS)
        g--;
    uint64_t ref = g->outer;
    for (;;) {
        if (g && (g->flags & FRAME_LAMBDA))
            break;
        if (!ref)
            break;
        if (ref_is_frame(ref)) {
            g = ref_frame(ref);
            ref = g->outer;
        } else {
            Env *e = env_ptr(ref);
            g = frame_with_serial(e->serial);
            Value up = slot_read(ref, &e->outer);
            ref = up == V_NIL ? 0 : up;
        }
    }
    if (!g || (!in_class && (g->flags & FRAME_CLASS)))
        raise_jump("unexpected return", "return", v);
    vm_unwind(throw_new(UNWIND_RETURN, int_fix((int64_t)g->serial), v));
}

/* ---- for C code ---- */
bool vm_protect(Value (*body)(void *), void *arg, Value *result, Value *record)
{
    Frame *f = vm.fp;
    Value *top = f->top;
    volatile bool ok = true;
    TRY()
    {
        *result = body(arg);
    }
    CATCH(err)
    {
        *record = unwind_take(err);
        ok = false;
    }
    END_TRY();
    if (!ok) {
        unwind_frames_to(f);
        f->top = top;
        if (f->code == NULL || vm.overflow)
            vm.overflow = false;
    }
    return ok;
}

Value vm_ensure(Value (*body)(void *), void *arg, void (*cleanup)(void *), void *cleanup_arg)
{
    Value result = V_NIL, record;
    if (vm_protect(body, arg, &result, &record)) {
        cleanup(cleanup_arg);
        return result;
    }
    cleanup(cleanup_arg);
    vm_unwind(record);
}

Value vm_rescue(Value (*body)(void *), void *arg, Value cls, Value *exc)
{
    Value result = V_NIL, record, errinfo = vm.errinfo;
    if (vm_protect(body, arg, &result, &record))
        return result;
    if (is_type(record, T_THROW) || !obj_is_kind_of(record, cls))
        vm_unwind(record);
    vm.errinfo = errinfo;
    if (exc)
        *exc = record;
    return V_UNDEF;
}

/* ---- catch and throw ---- */
struct tag_pop {
    size_t depth;
};

Value vm_catch(Value tag, Value (*body)(void *), void *arg)
{
    if (vm.catch_tags == V_NIL)
        vm.catch_tags = ary_new(4);
    Value tags = vm.catch_tags;
    size_t depth = ary_len(tags);
    ary_push(tags, tag);
    Value result = V_NIL, record;
    bool ok = vm_protect(body, arg, &result, &record);
    while (ary_len(tags) > depth)
        ary_pop(tags);
    if (ok)
        return result;
    if (is_type(record, T_THROW) && obj_field(record, THROW_KIND) == int_fix(UNWIND_THROW) &&
        obj_field(record, THROW_TARGET) == tag)
        return obj_field(record, THROW_VALUE);
    vm_unwind(record);
}

void vm_throw(Value tag, Value v)
{
    if (vm.catch_tags != V_NIL)
        for (size_t i = 0; i < ary_len(vm.catch_tags); i++)
            if (ary_get(vm.catch_tags, (long)i) == tag)
                vm_unwind(throw_new(UNWIND_THROW, tag, v));
    Value exc = exception_new(klass.UncaughtThrowError, "uncaught throw %V", tag);
    ivar_set(exc, sym_intern("tag"), tag);
    ivar_set(exc, sym_intern("value"), v);
    vm_raise(exc);
}

/* ---- recursion guard ---- */
struct guard {
    Value (*fn)(void *);
    void *arg;
};
static Value guard_run(void *arg)
{
    struct guard *g = arg;
    return g->fn(g->arg);
}

Value vm_guard_recursion(Value name, Value obj, Value other, Value (*fn)(void *), void *arg)
{
    if (vm.recursion == V_NIL)
        vm.recursion = ary_new(12);
    Value list = vm.recursion;
    size_t n = ary_len(list);
    AryView view = ary_view(list);
    for (size_t i = 0; i + 2 < n; i += 3) /* a session's own list: its slots are never unresolved */
        if (view.ptr[i + 1].raw == obj && view.ptr[i].raw == name && view.ptr[i + 2].raw == other)
            return V_UNDEF;
    vm_check_stack();
    ary_push(list, name);
    ary_push(list, obj);
    ary_push(list, other);
    struct guard g = {fn, arg};
    Value result = V_NIL, record;
    bool ok = vm_protect(guard_run, &g, &result, &record);
    while (ary_len(list) > n)
        ary_pop(list);
    if (!ok)
        vm_unwind(record);
    return result;
}

/* ---- stack overflow ---- */
void vm_stack_overflow(void)
{
    if (vm.overflow)
        ereport(FATAL, ERR_INTERNAL, errmsg("stack overflow while handling a stack overflow"));
    vm.overflow = true;
    vm_raise(exception_new(klass.SystemStackError, "stack level too deep"));
}

void vm_check_stack(void)
{
    if (unlikely((char *)__builtin_frame_address(0) < vm.c_limit) && !vm.overflow)
        vm_stack_overflow();
}
