/*
 * fiber.c: Fiber, over vm/interp/fiber.c.
 */
#include "vm/interp/fiber.h"

static Fiber *fiber_get(Value self)
{
    FiberObject *o = (FiberObject *)self;
    if (!o->initialized)
        raise_error(klass.FiberError, "uninitialized fiber");
    return o->fiber;
}

static Value fiber_allocate(Value cls)
{
    return heap_alloc(T_FIBER, cls, sizeof(FiberObject));
}

static Value fiber_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    static const char *const names[] = {"blocking", "storage", NULL};
    keywords_only(opts, names);
    Value proc = block_proc();
    if (proc == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    if (((FiberObject *)self)->initialized)
        raise_error(klass.FiberError, "cannot initialize fiber twice");
    Fiber *f = fiber_new(proc);
    f->object = self;
    ((FiberObject *)self)->fiber = f;
    ((FiberObject *)self)->initialized = 1;
    Value storage = keyword_get(opts, "storage");
    if (storage == V_UNDEF || storage == V_TRUE)
        f->storage = vm.fiber->storage == V_NIL ? V_NIL : hash_dup(vm.fiber->storage);
    else
        f->storage = storage == V_NIL ? V_NIL : hash_dup(hash_to_hash(storage));
    return V_NIL;
}

/* What a suspended fiber's Fiber.yield (or a new one's block) receives. */
static Value pass_value(Fiber *f, int argc, const Value *argv)
{
    if (f->state == FIBER_NEW)
        return ary_new_from((size_t)argc, argv);
    return argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv);
}

static Fiber *resumable(Value self)
{
    Fiber *f = fiber_get(self);
    if (!f)
        raise_error(klass.FiberError, "attempt to resume a terminated fiber");
    if (f == vm.fiber)
        raise_error(klass.FiberError, "attempt to resume the current fiber");
    if (f->state == FIBER_RESUMING)
        raise_error(klass.FiberError, "attempt to resume a resuming fiber");
    if (f->state == FIBER_SUSPENDED && f->transferred)
        raise_error(klass.FiberError, "attempt to resume a transferring fiber");
    if (f->resumer && f->state != FIBER_NEW)
        raise_error(klass.FiberError, "attempt to resume a resumed fiber (double resume)");
    return f;
}

static Value fiber_resume_method(Value self, int argc, const Value *argv)
{
    Fiber *f = resumable(self);
    return fiber_resume(f, pass_value(f, argc, argv), false);
}

static Value fiber_s_yield(UNUSED Value self, int argc, const Value *argv)
{
    Fiber *f = vm.fiber, *to = f->resumer;
    if (!to || f->thread != V_NIL)
        raise_error(klass.FiberError, "can't yield from root fiber");
    f->resumer = NULL;
    f->state = FIBER_SUSPENDED;
    return fiber_switch(to, argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv), false);
}

static Value fiber_transfer(Value self, int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    if (!f)
        raise_error(klass.FiberError, "attempt to transfer to a terminated fiber");
    if (f->state == FIBER_RESUMING)
        raise_error(klass.FiberError, "attempt to transfer to a resuming fiber");
    if (f->state == FIBER_SUSPENDED && !f->transferred && f != vm.main_fiber)
        raise_error(klass.FiberError, "attempt to transfer to a yielding fiber");
    Value v = pass_value(f, argc, argv);
    vm.fiber->state = FIBER_SUSPENDED;
    vm.fiber->transferred = true;
    f->transferred = true;
    return fiber_switch(f, v, false);
}

Value control_make_exception(int argc, const Value *argv, Value kw);

static Value fiber_raise(Value self, int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    Value exc = control_make_exception(argc, argv, V_NIL);
    if (exc == V_NIL)
        exc = exception_new(klass.RuntimeError, "unhandled exception");
    if (!f)
        raise_error(klass.FiberError, "dead fiber called");
    if (f == vm.fiber)
        vm_raise(exc);
    if (f->state == FIBER_NEW)
        raise_error(klass.FiberError, "cannot raise exception on unborn fiber");
    if (f->transferred) {
        vm.fiber->state = FIBER_SUSPENDED;
        return fiber_switch(f, exc, true);
    }
    resumable(self);
    return fiber_resume(f, exc, true);
}

static Value fiber_kill(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    if (!f)
        return self;
    Value record = throw_new(UNWIND_KILL, V_NIL, V_NIL);
    f->killed = true;
    if (f == vm.fiber)
        vm_resume_unwind(record);
    fiber_resume(f, record, true);
    return self;
}

static Value fiber_alive(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(fiber_get(self) != NULL);
}
static Value fiber_s_current(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return fiber_object(vm.fiber);
}
static Value fiber_s_aref(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    if (!is_symbol(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Symbol)", class_real(argv[0]));
    Value v = vm.fiber->storage == V_NIL ? V_UNDEF : hash_get(vm.fiber->storage, argv[0]);
    return v == V_UNDEF ? V_NIL : v;
}
static Value fiber_s_aset(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    if (!is_symbol(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Symbol)", class_real(argv[0]));
    if (vm.fiber->storage == V_NIL)
        vm.fiber->storage = hash_new();
    if (argv[1] == V_NIL)
        hash_delete(vm.fiber->storage, argv[0]);
    else
        hash_set(vm.fiber->storage, argv[0], argv[1]);
    return argv[1];
}
static Value fiber_storage(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    if (f != vm.fiber)
        raise_error(klass.ArgumentError, "Fiber storage can only be accessed from the Fiber it belongs to");
    return f->storage == V_NIL ? hash_new() : hash_dup(f->storage);
}
static Value fiber_set_storage(Value self, UNUSED int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    if (f == vm.fiber)
        f->storage = argv[0] == V_NIL ? V_NIL : hash_dup(hash_to_hash(argv[0]));
    return argv[0];
}
static Value fiber_blocking(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return V_FALSE;
}

static Value fiber_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    Value s = obj_any_to_s(self);
    StrView v = str_view(s);
    Value out = str_new(v.ptr, v.len - 1);
    Code *code = f && is_proc(f->proc) ? proc_code(f->proc) : NULL;
    if (code)
        str_append_str(out, str_format(" %T:%d", slot_read((Value)code, &code->path), (int)code->first_line));
    str_append_c(out, !f                           ? " (terminated)>"
                      : f->state == FIBER_NEW       ? " (created)>"
                      : f->state == FIBER_SUSPENDED ? " (suspended)>"
                                                    : " (resumed)>");
    return out;
}

static const Builtin methods[] = {
    {"initialize", fiber_initialize, 0, 0, BI_KW | BI_PRIVATE},
    {"resume", fiber_resume_method, 0, -1, 0},
    {"transfer", fiber_transfer, 0, -1, 0},
    {"raise", fiber_raise, 0, 3, 0},
    {"kill", fiber_kill, 0, 0, 0},
    {"alive?", fiber_alive, 0, 0, 0},
    {"storage", fiber_storage, 0, 0, 0},
    {"storage=", fiber_set_storage, 1, 1, 0},
    {"blocking?", fiber_blocking, 0, 0, 0},
    {"inspect", fiber_inspect, 0, 0, 0},
    {"to_s", fiber_inspect, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"yield", fiber_s_yield, 0, -1, 0},
    {"current", fiber_s_current, 0, 0, 0},
    {"[]", fiber_s_aref, 1, 1, 0},
    {"[]=", fiber_s_aset, 2, 2, 0},
};

void fiber_class_boot(void)
{
    class_set_allocator(klass.Fiber, fiber_allocate);
    ADD_BUILTINS(klass.Fiber, methods);
    ADD_SINGLETON_BUILTINS(klass.Fiber, singleton_methods);
}
