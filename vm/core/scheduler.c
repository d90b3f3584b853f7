/*
 * scheduler.c: fiber schedulers: objects that a thread's non-blocking fibers ask to wait for them.
 *
 * Fiber.set_scheduler gives a thread its scheduler.  Where a fiber that is not blocking would wait, what waits calls a hook
 * (block, kernel_sleep, io_wait, process_wait, io_select, timeout_after) instead of stopping the thread; the scheduler runs its
 * other fibers meanwhile.  Who wakes a fiber calls unblock.  A scheduler is closed, and so runs to its end, when it is replaced
 * and when its thread ends.  The interface is CRuby's Fiber::Scheduler.
 */
#include "vm/core/core_private.h"
#include "vm/interp/thread.h"
#include "vm/interp/vm_state.h"

Value scheduler_current(void)
{
    return vm.fiber->blocking ? V_NIL : thread_current->scheduler;
}

Value scheduler_call(Value scheduler, const char *hook, int argc, const Value *argv)
{
    return vm_call(scheduler, sym_intern(hook), argc, argv);
}

bool scheduler_has(Value scheduler, const char *hook)
{
    return !is_nil(scheduler) && vm_responds_to(scheduler, sym_intern(hook), false);
}

static Value close_scheduler(void *arg)
{
    Value scheduler = *(Value *)arg;
    if (scheduler_has(scheduler, "scheduler_close"))
        return scheduler_call(scheduler, "scheduler_close", 0, NULL);
    return scheduler_has(scheduler, "close") ? scheduler_call(scheduler, "close", 0, NULL) : V_NIL;
}

static void forget_scheduler(void *thread)
{
    ((Thread *)thread)->scheduler = V_NIL;
}

/* The thread's scheduler runs to its end. */
void scheduler_close(void)
{
    Value scheduler = thread_current->scheduler;
    if (!is_nil(scheduler))
        vm_ensure(close_scheduler, &scheduler, forget_scheduler, thread_current);
}

static void check_interface(Value scheduler)
{
    static const char *const hooks[] = {"block", "unblock", "kernel_sleep", "io_wait"};
    for (size_t i = 0; i < COUNT_OF(hooks); i++)
        if (!scheduler_has(scheduler, hooks[i]))
            raise_error(klass.ArgumentError, "Scheduler must implement #%s", hooks[i]);
    if (!scheduler_has(scheduler, "fiber_interrupt"))
        warn_printf("Scheduler should implement #fiber_interrupt");
}

static Value fiber_s_set_scheduler(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    if (!is_nil(argv[0]))
        check_interface(argv[0]);
    scheduler_close();
    thread_current->scheduler = argv[0];
    return argv[0];
}

static Value fiber_s_scheduler(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_current->scheduler;
}

static Value fiber_s_current_scheduler(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return scheduler_current();
}

static Value fiber_s_schedule(UNUSED Value self, int argc, const Value *argv)
{
    Value scheduler = thread_current->scheduler;
    if (is_nil(scheduler))
        raise_error(klass.RuntimeError, "No scheduler is available!");
    return vm_call_with_block(scheduler, sym_intern("fiber"), argc, argv, block_proc());
}

static const Builtin singleton_methods[] = {
    {"set_scheduler", fiber_s_set_scheduler, 1, 1, 0},
    {"scheduler", fiber_s_scheduler, 0, 0, 0},
    {"current_scheduler", fiber_s_current_scheduler, 0, 0, 0},
    {"schedule", fiber_s_schedule, 0, -1, 0},
};

void scheduler_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Fiber, singleton_methods);
}
