/*
 * vm.c: boot, and the life of a program: options, script, uncaught exception, at_exit, exit status.
 */
#include "storage/store.h"
#include "vm/core/core_private.h"
#include "vm/interp/thread.h"
#include "vm/interp/vm_state.h"
#include "vm/persist.h"
#include "vm/compile.h"
#include "vm/options.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

Vm vm;
volatile uint32_t vm_interrupt_flag;
void (*vm_safepoint_hook)(void);

Value vm_main_object(void)
{
    return vm.main_object;
}

static Value main_to_s(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return str_new_c("main");
}

static const Builtin main_methods[] = {
    {"inspect", main_to_s, 0, 0, 0},
    {"to_s", main_to_s, 0, 0, 0},
};

/* The sentinel frame: what C calls from outside any program hang on. */
static void main_stack_boot(void)
{
    vm_stack_alloc(&vm.stack, &vm.stack_end, &vm.frames, &vm.frames_end, 1u << 20, 1u << 15);
    Frame *f = vm.frames;
    *f = (Frame){.base = vm.stack, .stack = vm.stack, .top = vm.stack, .self = V_NIL, .cref = V_NIL, .env = V_NIL,
                 .specials = V_NIL, .flags = FRAME_BUILTIN};
    vm.fp = f;
}

/* The C stack's lower end, as far as calls may go. */
static void set_c_stack(void *base, size_t size)
{
    vm.c_limit = (char *)base - size + 192 * 1024;
}

static void c_stack_boot(void *here)
{
    struct rlimit r;
    size_t size = 8u << 20;
    if (getrlimit(RLIMIT_STACK, &r) == 0 && r.rlim_cur != RLIM_INFINITY && r.rlim_cur < (64u << 20))
        size = r.rlim_cur;
    heap_set_stack_base(here);
    fiber_set_main_base(here);
    set_c_stack(here, size);
}

__attribute__((noinline)) static void boot_all(struct Store *store)
{
    persist_early(store);
    symbol_boot();
    heap_boot();
    vm.errinfo = vm.result = vm.unwind = vm.main_object = vm.top_cref = vm.stack_error = vm.at_exit = V_NIL;
    vm.script_binding = vm.script_name = vm.script_file = vm.script_path = vm.recursion = vm.catch_tags = V_NIL;
    main_stack_boot();
    class_boot();
    exec_boot();
    env_boot();
    fiber_boot();
    code_boot();
    vm.top_cref = cref_new(klass.Object, V_NIL, VIS_PUBLIC, V_FALSE);
    gvar_boot();
    vm.main_object = heap_alloc_slots(T_OBJECT, klass.Object, 0);
    vm.frames[0].self = vm.main_object;
    vm.frames[0].cref = vm.top_cref;
#define BOOT(name) name##_boot();
#include "vm/core/boot.def"
#undef BOOT
    errno_boot();
    backtrace_boot();
    load_boot();
    autoload_boot();
    ADD_BUILTINS(obj_singleton_class(vm.main_object), main_methods);
    vm.string_shape = class_root_shape(klass.String);
    vm.array_shape = class_root_shape(klass.Array);
    vm.hash_shape = class_root_shape(klass.Hash);
    vm.at_exit = ary_new(0);
    load_prelude();
    persist_boot();
    vm.booted = true;
    vm_booting = false;
    heap_seal();
}

static Value boot_body(void *arg)
{
    boot_all(arg);
    return V_NIL;
}

void vm_boot(struct Store *store)
{
    c_stack_boot(__builtin_frame_address(0));
    Value result, record;
    bool ok = true;
    TRY()
    {
        result = boot_body(store);
    }
    CATCH(err)
    {
        if (err->code != ERR_UNWIND)
            rethrow();
        ok = false;
    }
    END_TRY();
    (void)result;
    if (!ok) {
        record = vm.unwind;
        vm.fp = vm.frames;
        vm.frames[0].top = vm.stack;
        if (is_type(record, T_EXCEPTION))
            exception_report(record);
        ereport(FATAL, ERR_INTERNAL, errmsg("the VM could not boot"));
    }
}

/* ---- interrupts ---- */
static volatile sig_atomic_t pending[65];

void vm_interrupt(int signo)
{
    if (signo > 0 && signo < 65)
        pending[signo] = 1;
    vm_interrupt_flag = 1;
}

void (*vm_signal_handler)(int signo); /* set by the Signal module: runs trap handlers */
void (*vm_time_slice)(void);          /* set by threads */

void vm_check_interrupts_slow(void)
{
    vm_interrupt_flag = 0;
    if (vm_safepoint_hook)
        vm_safepoint_hook();
    for (int s = 1; s < 65; s++) {
        if (!pending[s])
            continue;
        pending[s] = 0;
        vm_signal_handler(s);
    }
    objectspace_run_finalizers();
    if (vm_time_slice)
        vm_time_slice();
}

/* ---- running a program ---- */
struct program {
    int status;
    int signal;
};

/* What an exception that nobody rescued does to the process: status, or the signal to die by. */
static void settle_exit(struct program *p, Value record)
{
    if (is_type(record, T_THROW))
        return;
    if (obj_is_kind_of(record, klass.SystemExit)) {
        Value s = ivar_get(record, sym_intern("status"));
        p->status = s == V_UNDEF || !is_fixnum(s) ? 0 : (int)fix_int(s);
        p->signal = 0;
        return;
    }
    p->status = 1;
    if (obj_is_kind_of(record, klass.SignalException)) {
        Value s = ivar_get(record, sym_intern("signo"));
        p->signal = s != V_UNDEF && is_fixnum(s) ? (int)fix_int(s) : SIGINT;
        if (p->signal != SIGINT)
            return;
    }
    exception_report(record);
}

static Value at_exit_run(UNUSED void *arg)
{
    scheduler_close();
    control_run_exit_trap();
    control_run_at_exit();
    return V_NIL;
}

static Value finalizers_run(UNUSED void *arg)
{
    objectspace_finish();
    return V_NIL;
}

static Value end_run(UNUSED void *arg)
{
    thread_end_all();
    return V_NIL;
}

/* What is left of a program's life after its last line, `record` being what it ended by (nil: nothing); returns the exit
 * status, or ends the process by a signal. */
static int finish_program(Value pending_record)
{
    struct program p = {0, 0};
    Value result, record = V_NIL;
    vm.errinfo = is_type(pending_record, T_THROW) ? V_NIL : pending_record;
    /* at_exit blocks run with $! set; one that exits or raises decides anew. */
    bool done = false;
    while (!done) {
        Value r2;
        done = vm_protect(at_exit_run, NULL, &result, &r2);
        if (!done) {
            if (pending_record != V_NIL && !obj_is_kind_of(r2, klass.SystemExit) && !is_type(r2, T_THROW))
                exception_report(r2);
            else
                pending_record = r2;
            if (!is_type(r2, T_THROW))
                vm.errinfo = r2;
        }
    }
    Value ignored;
    if (!vm_protect(end_run, NULL, &result, &ignored) && is_type(ignored, T_EXCEPTION))
        pending_record = ignored;
    if (pending_record != V_NIL)
        settle_exit(&p, pending_record);
    if (!vm_protect(finalizers_run, NULL, &result, &record) && !is_type(record, T_THROW))
        exception_report(record);
    io_flush_all();
    persist_session_end();
    store_flush_left();
    if (p.signal) {
        signal(p.signal, SIG_DFL);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, p.signal);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        raise(p.signal);
    }
    return p.status;
}

__attribute__((noinline)) static int session_main(const VmOptions *opts)
{
    Value result, record = V_NIL;
    bool ok = vm_protect(program_run, (void *)opts, &result, &record);
    return finish_program(ok ? V_NIL : record);
}

/* A forked child whose block is done: ends the process as a program ends, without going back into the frames around it. */
_Noreturn void vm_finish_process(Value record)
{
    int status = finish_program(record);
    _exit(status);
}

int vm_session_main(const VmOptions *opts)
{
    c_stack_boot(__builtin_frame_address(0));
    heap_modes_start();
    heap_guard_start();
    return session_main(opts);
}
