/*
 * fiber.c: Fiber, over vm/interp/fiber.c.
 */
#include "vm/core/core_private.h"
#include "vm/interp/fiber.h"
#include "vm/object/names.h"

static Fiber *fiber_get(Value self)
{
    FiberObject *o = (FiberObject *)self;
    if (!o->fiber && o->proc.raw == V_NIL)
        raise_error(klass.FiberError, "uninitialized fiber");
    return o->fiber;
}

/* ---- storage: a Hash of Symbols, copied to each fiber that is made ---- */
static bool key_is_symbol(Value key, UNUSED Value v, UNUSED void *arg)
{
    if (!is_symbol(key))
        raise_error(klass.TypeError, "wrong argument type %C (expected Symbol)", class_real(key));
    return true;
}

static Value checked_storage(Value storage)
{
    if (storage == V_NIL)
        return V_NIL;
    if (!is_hash(storage))
        raise_error(klass.TypeError, "storage must be a hash");
    if (obj_frozen_bit(storage))
        raise_error(klass.FrozenError, "storage must not be frozen");
    hash_each(storage, key_is_symbol, NULL);
    return hash_dup(storage);
}

static Value fiber_s_aref(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value key = name_of(argv[0]);
    Value v = vm.fiber->storage == V_NIL ? V_UNDEF : hash_get(vm.fiber->storage, key);
    return v == V_UNDEF ? V_NIL : v;
}
static Value fiber_s_aset(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value key = name_of(argv[0]);
    if (vm.fiber->storage == V_NIL)
        vm.fiber->storage = hash_new();
    if (argv[1] == V_NIL)
        hash_delete(vm.fiber->storage, key);
    else
        hash_set(vm.fiber->storage, key, argv[1]);
    return argv[1];
}

static Fiber *own_storage(Value self)
{
    Fiber *f = fiber_get(self);
    if (f != vm.fiber)
        raise_error(klass.ArgumentError, "Fiber storage can only be accessed from the Fiber it belongs to");
    return f;
}
static Value fiber_storage(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = own_storage(self);
    return f->storage == V_NIL ? V_NIL : hash_dup(f->storage);
}
static Value fiber_set_storage(Value self, UNUSED int argc, const Value *argv)
{
    Fiber *f = own_storage(self);
    f->storage = checked_storage(argv[0]);
    return argv[0];
}

static Value fiber_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    static const char *const names[] = {"blocking", "storage", NULL};
    keywords_only(opts, names);
    Value proc = block_proc();
    if (proc == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    if (((FiberObject *)self)->proc.raw != V_NIL)
        raise_error(klass.FiberError, "cannot initialize fiber twice");
    Value storage = keyword_get(opts, "storage"), blocking = keyword_get(opts, "blocking");
    if (storage == V_UNDEF || storage == V_TRUE)
        storage = vm.fiber->storage == V_NIL ? V_NIL : hash_dup(vm.fiber->storage);
    else
        storage = checked_storage(storage);
    Fiber *f = fiber_new(proc);
    f->storage = storage;
    f->blocking = blocking != V_UNDEF && truthy(blocking);
    fiber_adopt(f, self);
    return V_NIL;
}

/* ---- switching ---- */
static Value passed_values(int argc, const Value *argv)
{
    return argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv);
}

/* What a suspended fiber's Fiber.yield (or a new one's block) receives. */
static Value pass_value(Fiber *f, int argc, const Value *argv)
{
    return f->state == FIBER_NEW ? ary_new_from((size_t)argc, argv) : passed_values(argc, argv);
}

static void check_thread(Fiber *f)
{
    if (f->root != vm.fiber->root)
        raise_error(klass.FiberError, "fiber called across threads");
}

static void check_resumable(Fiber *f)
{
    if (!f)
        raise_error(klass.FiberError, "attempt to resume a terminated fiber");
    if (f == vm.fiber)
        raise_error(klass.FiberError, "attempt to resume the current fiber");
    if (f->resumer)
        raise_error(klass.FiberError, "attempt to resume a resumed fiber (double resume)");
    if (f->resuming)
        raise_error(klass.FiberError, "attempt to resume a resuming fiber");
    if (f->state == FIBER_SUSPENDED && !f->yielding)
        raise_error(klass.FiberError, "attempt to resume a transferring fiber");
    check_thread(f);
}

static Value fiber_resume_method(Value self, int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    check_resumable(f);
    return fiber_resume(f, pass_value(f, argc, argv), false);
}

static Value fiber_s_yield(UNUSED Value self, int argc, const Value *argv)
{
    if (!vm.fiber->resumer)
        raise_error(klass.FiberError, "attempt to yield on a not resumed fiber");
    return fiber_yield(passed_values(argc, argv));
}

static void check_transferable(Fiber *f)
{
    if (!f)
        raise_error(klass.FiberError, "dead fiber called");
    if (f->resuming)
        raise_error(klass.FiberError, "attempt to transfer to a resuming fiber");
    if (f->yielding)
        raise_error(klass.FiberError, "attempt to transfer to a yielding fiber");
    check_thread(f);
}

static Value fiber_transfer_method(Value self, int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    check_transferable(f);
    return fiber_transfer(f, pass_value(f, argc, argv), false);
}

/* Goes on unwinding in f, which is not the running fiber, however it was left. */
static Value unwind_in(Fiber *f, Value record)
{
    while (f->resuming)
        f = f->resuming;
    if (f == vm.fiber)
        vm_resume_unwind(record);
    if (f->state == FIBER_SUSPENDED && !f->yielding) {
        check_transferable(f);
        return fiber_transfer(f, record, true);
    }
    check_resumable(f);
    return fiber_resume(f, record, true);
}

static Value fiber_raise(Value self, int argc, const Value *argv)
{
    Fiber *f = fiber_get(self);
    Value exc = control_make_exception(argc, argv, f == vm.fiber);
    if (!f)
        raise_error(klass.FiberError, "attempt to resume a terminated fiber");
    if (f == vm.fiber)
        raise_prepared(exc);
    if (f->state == FIBER_NEW)
        raise_error(klass.FiberError, "cannot raise exception on unborn fiber");
    return unwind_in(f, exc);
}

static Value fiber_kill(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    if (!f || f->killed)
        return self;
    if (f->state == FIBER_NEW) {
        fiber_discard(f);
        return self;
    }
    Value record = throw_new(UNWIND_KILL, V_NIL, V_NIL);
    f->killed = true;
    if (f == vm.fiber)
        vm_resume_unwind(record);
    if (f->resuming) /* it ends when the fiber that it waits for hands over to it */
        return self;
    unwind_in(f, record);
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

/* ---- blocking fibers ---- */
static Value fiber_blocking(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    return bool_value(f && f->blocking);
}
static Value fiber_s_blocking_p(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return vm.fiber->blocking ? int_fix(1) : V_FALSE;
}
static void restore_blocking(void *was)
{
    vm.fiber->blocking = *(bool *)was;
}
static Value yield_current(UNUSED void *arg)
{
    return vm_yield1(fiber_object(vm.fiber));
}
static Value fiber_s_blocking(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    bool was = vm.fiber->blocking;
    vm.fiber->blocking = true;
    return vm_ensure(yield_current, NULL, restore_blocking, &was);
}
static Value fiber_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Fiber *f = fiber_get(self);
    Value s = obj_any_to_s(self), proc = slot_read(self, &((FiberObject *)self)->proc);
    StrView v = str_view(s);
    Value out = str_new(v.ptr, v.len - 1);
    Code *code = is_proc(proc) ? proc_code(proc) : NULL;
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
    {"transfer", fiber_transfer_method, 0, -1, 0},
    {"raise", fiber_raise, 0, -1, BI_KW},
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
    {"blocking?", fiber_s_blocking_p, 0, 0, 0},
    {"blocking", fiber_s_blocking, 0, 0, 0},
    {"[]", fiber_s_aref, 1, 1, 0},
    {"[]=", fiber_s_aset, 2, 2, 0},
};

void fiber_class_boot(void)
{
    class_set_allocator(klass.Fiber, fiber_allocate);
    ADD_BUILTINS(klass.Fiber, methods);
    ADD_SINGLETON_BUILTINS(klass.Fiber, singleton_methods);
}
