/*
 * thread.c: class Thread.  The scheduler is vm/interp/thread.c; Mutex, Queue and their like are Ruby: thread.rb.
 */
#include "vm/core/core_private.h"
#include "vm/core/text.h"
#include "vm/interp/thread.h"
#include "vm/object/names.h"
#include <string.h>

static Thread *thread_get(Value self)
{
    Thread *t = ((ThreadObject *)self)->thread;
    if (!t)
        raise_error(klass.ThreadError, "uninitialized thread - check '%C#initialize'", class_real(self));
    return t;
}

static Value thread_allocate(Value cls)
{
    return heap_alloc(T_THREAD, cls, sizeof(ThreadObject));
}

static Value thread_initialize(Value self, int argc, const Value *argv)
{
    Value proc = block_proc();
    if (proc == V_NIL)
        raise_error(klass.ThreadError, "must be called with a block");
    if (((ThreadObject *)self)->thread)
        raise_error(klass.ThreadError, "already initialized thread");
    Value args = ary_new_from((size_t)argc, argv);
    thread_start(self, proc, args);
    return V_NIL;
}

static Value thread_s_start(Value self, int argc, const Value *argv)
{
    Value proc = block_proc();
    if (proc == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    Value t = thread_allocate(self);
    thread_start(t, proc, ary_new_from((size_t)argc, argv));
    return t;
}

static int64_t deadline_of(Value timeout)
{
    if (timeout == V_NIL || timeout == V_UNDEF)
        return THREAD_FOREVER;
    double s = value_double(timeout);
    if (s < 0)
        s = 0;
    return s > 9e9 ? THREAD_FOREVER : thread_now() + (int64_t)(s * 1e9);
}

static bool wait_end(Thread *t, int64_t deadline)
{
    if (t == thread_current)
        raise_error(klass.ThreadError, "Target thread must not be current thread");
    if (t == thread_main)
        raise_error(klass.ThreadError, "Target thread must not be main thread");
    Value scheduler = scheduler_current();
    if (!is_nil(scheduler) && t->state != THREAD_DEAD) {
        if (t->waiters == V_NIL)
            t->waiters = ary_new(1);
        Value limit = deadline == THREAD_FOREVER ? V_NIL : float_value((double)(deadline - thread_now()) / 1e9);
        if (!truthy(vm_call(klass.Thread, sym_intern("__wait_in"), 3, (Value[]){t->waiters, t->object, limit})) &&
            t->state != THREAD_DEAD)
            return false;
    }
    while (t->state != THREAD_DEAD) {
        thread_current->joining = t;
        bool woken = thread_sleep_deadly(deadline);
        thread_current->joining = NULL;
        if (!woken && t->state != THREAD_DEAD)
            return false;
    }
    if (t->failed)
        vm_raise(t->failure);
    return true;
}

static Value thread_join(Value self, int argc, const Value *argv)
{
    return wait_end(thread_get(self), deadline_of(argc ? argv[0] : V_NIL)) ? self : V_NIL;
}
static Value thread_value(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Thread *t = thread_get(self);
    wait_end(t, THREAD_FOREVER);
    return t->value;
}
static Value thread_alive(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_get(self)->state != THREAD_DEAD);
}
static Value thread_status(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Thread *t = thread_get(self);
    if (t->state == THREAD_DEAD)
        return t->failed ? V_NIL : V_FALSE;
    bool to_die = t->pending != V_NIL && ary_len(t->pending) && is_type(ary_get(t->pending, 0), T_THROW);
    return str_new_c(to_die ? "aborting" : t->state == THREAD_BLOCKED ? "sleep" : t->killed ? "aborting" : "run");
}
static Value thread_stop_p(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_get(self)->state != THREAD_RUNNABLE);
}
static Value thread_kill(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Thread *t = thread_get(self);
    if (t->state == THREAD_DEAD)
        return self;
    if (t == thread_main) {
        Value exc = exception_new(klass.SystemExit, "exit");
        ivar_set(exc, sym_intern("status"), int_fix(0));
        if (t == thread_current)
            vm_raise(exc);
        thread_interrupt(t, exc);
        return self;
    }
    Value record = throw_new(UNWIND_KILL, V_NIL, V_NIL);
    if (t == thread_current) {
        t->killed = true;
        vm_resume_unwind(record);
    }
    thread_interrupt(t, record);
    return self;
}
static Value thread_raise(Value self, int argc, const Value *argv)
{
    Thread *t = thread_get(self);
    Value exc = control_make_exception(argc, argv, t == thread_current);
    if (t->state == THREAD_DEAD)
        return V_NIL;
    if (t == thread_current)
        raise_prepared(exc);
    thread_interrupt(t, exc);
    return V_NIL;
}
static Value thread_wakeup(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Thread *t = thread_get(self);
    if (t->state == THREAD_DEAD)
        raise_error(klass.ThreadError, "killed thread");
    thread_wake(t);
    return self;
}
static Value thread_run(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    thread_wakeup(self, 0, NULL);
    thread_pass();
    return self;
}

/* ---- locals: of the thread's running fiber; variables: of the thread ---- */
static Value *locals_of(Value self)
{
    Thread *t = thread_get(self);
    if (t->state == THREAD_DEAD)
        return &t->locals;
    return t == thread_current ? &vm.fiber->locals : &t->fiber->locals;
}
static Value table_get(Value *table, Value name)
{
    Value key = name_of(name), v = *table == V_NIL ? V_UNDEF : hash_get(*table, key);
    return v == V_UNDEF ? V_NIL : v;
}
static Value table_set(Value self, Value *table, Value name, Value v)
{
    Value key = name_of(name);
    if (obj_frozen_bit(self))
        raise_error(klass.FrozenError, "can't modify frozen thread locals");
    if (*table == V_NIL)
        *table = hash_new();
    if (v == V_NIL)
        hash_delete(*table, key);
    else
        hash_set(*table, key, v);
    return v;
}
static Value table_has(Value *table, Value name)
{
    Value key = name_of(name);
    return bool_value(*table != V_NIL && hash_get(*table, key) != V_UNDEF);
}
static Value table_keys(Value *table)
{
    return *table == V_NIL ? ary_new(0) : hash_keys(*table);
}
static Value thread_aref(Value self, UNUSED int argc, const Value *argv)
{
    return table_get(locals_of(self), argv[0]);
}
static Value thread_aset(Value self, UNUSED int argc, const Value *argv)
{
    return table_set(self, locals_of(self), argv[0], argv[1]);
}
static Value thread_key_p(Value self, UNUSED int argc, const Value *argv)
{
    return table_has(locals_of(self), argv[0]);
}
static Value thread_keys(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return table_keys(locals_of(self));
}
static Value thread_variable_get(Value self, UNUSED int argc, const Value *argv)
{
    return table_get(&thread_get(self)->variables, argv[0]);
}
static Value thread_variable_set(Value self, UNUSED int argc, const Value *argv)
{
    return table_set(self, &thread_get(self)->variables, argv[0], argv[1]);
}
static Value thread_variable_p(Value self, UNUSED int argc, const Value *argv)
{
    return table_has(&thread_get(self)->variables, argv[0]);
}
static Value thread_variables(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return table_keys(&thread_get(self)->variables);
}
static Value thread_name(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_get(self)->name;
}
static Value thread_set_name(Value self, UNUSED int argc, const Value *argv)
{
    Value name = argv[0];
    if (name != V_NIL) {
        name = str_dup(str_to_str(name));
        StrView v = str_view(name);
        if (memchr(v.ptr, 0, v.len))
            raise_error(klass.ArgumentError, "string contains null byte");
        if (!enc_ascii_compat(v.enc))
            raise_error(klass.ArgumentError, "ASCII-incompatible encoding (%s)", encoding_name(v.enc));
        obj_freeze(name);
    }
    thread_get(self)->name = name;
    return argv[0];
}
static bool report_default = true;
static Value thread_report(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_get(self)->report);
}
static Value thread_set_report(Value self, UNUSED int argc, const Value *argv)
{
    thread_get(self)->report = truthy(argv[0]);
    return argv[0];
}
static Value thread_abort(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_get(self)->abort);
}
static Value thread_set_abort(Value self, UNUSED int argc, const Value *argv)
{
    thread_get(self)->abort = truthy(argv[0]);
    return argv[0];
}
static Value thread_s_report(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(report_default);
}
static Value thread_s_set_report(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    report_default = truthy(argv[0]);
    thread_current->report = report_default;
    return argv[0];
}
static Value thread_s_abort(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_abort_all);
}
static Value thread_s_set_abort(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    thread_abort_all = truthy(argv[0]);
    return argv[0];
}
static Value thread_priority(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return int_fix(thread_get(self)->priority);
}
/* Kept for who asks; the scheduler takes turns. */
static Value thread_set_priority(Value self, UNUSED int argc, const Value *argv)
{
    int64_t n = value_int(argv[0]);
    thread_get(self)->priority = n < -3 ? -3 : n > 3 ? 3 : (int)n;
    return argv[0];
}
static Value thread_group(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_get(self)->group;
}
static Value thread_set_group(Value self, UNUSED int argc, const Value *argv)
{
    thread_get(self)->group = argv[0];
    return argv[0];
}
static Value raw_backtrace(Thread *t)
{
    if (t->state == THREAD_DEAD)
        return V_NIL;
    return t == thread_current ? backtrace_capture(0) : backtrace_capture_of(t->fiber->frames, t->fiber->fp);
}
static Value thread_backtrace(Value self, int argc, const Value *argv)
{
    Value raw = raw_backtrace(thread_get(self));
    return raw == V_NIL ? V_NIL : backtrace_slice(backtrace_strings(raw), argc, argv);
}
static Value thread_backtrace_locations(Value self, int argc, const Value *argv)
{
    Value raw = raw_backtrace(thread_get(self));
    return raw == V_NIL ? V_NIL : backtrace_slice(backtrace_locations_of(raw), argc, argv);
}
static Value thread_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Thread *t = ((ThreadObject *)self)->thread;
    Value s = obj_any_to_s(self);
    StrView v = str_view(s);
    Value out = str_new(v.ptr, v.len - 1);
    if (!t)
        return s;
    str_set_encoding(out, ENC_BINARY); /* name and path may be of any encoding */
    if (t->name != V_NIL) {
        str_append_c(out, "@");
        str_append(out, str_view(t->name).ptr, str_view(t->name).len);
    }
    Code *code = is_proc(t->proc) ? proc_code(t->proc) : NULL;
    if (code) {
        Value at = str_format(" %T:%d", slot_read((Value)code, &code->path), (int)code->first_line);
        str_append(out, str_view(at).ptr, str_view(at).len);
    }
    const char *what = t->state == THREAD_DEAD ? "dead" : str_c(thread_status(self, 0, NULL));
    if (strcmp(what, "sleep") == 0 && t->deadline == THREAD_FOREVER && t->fd < 0)
        what = "sleep_forever";
    str_append_c(out, " ");
    str_append_c(out, what);
    str_append_c(out, ">");
    return out;
}

static Value thread_s_current(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_current->object;
}
static Value thread_s_main(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_main->object;
}
static Value thread_s_list(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value list = ary_new(4);
    for (Thread *t = thread_main; t; t = t->next)
        ary_push(list, t->object);
    return list;
}
static Value thread_s_pass(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    thread_pass();
    return V_NIL;
}
static Value thread_s_stop(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    if (!thread_has_peers())
        raise_error(klass.ThreadError, "stopping only thread\n\tnote: use sleep to stop forever");
    thread_sleep_deadly(THREAD_FOREVER);
    return V_NIL;
}
/* For thread.rb: waits until woken; false when the time (seconds, nil: for ever) is over. */
static Value thread_s_block(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    return bool_value(thread_sleep_deadly(deadline_of(argv[0])));
}
static Value thread_s_now(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return float_value((double)thread_now() / 1e9);
}
static Value thread_s_exit(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return thread_kill(thread_current->object, 0, NULL);
}
static Value thread_s_kill(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    return vm_call0(argv[0], sym_intern("kill"));
}
/* ---- handle_interrupt ---- */
static bool check_mask(UNUSED Value cls, Value timing, UNUSED void *arg)
{
    if (timing != sym_intern("immediate") && timing != sym_intern("on_blocking") && timing != sym_intern("never"))
        raise_error(klass.ArgumentError, "unknown mask signature");
    return true;
}
static Value mask_body(UNUSED void *arg)
{
    thread_check_pending(false);
    return vm_yield(0, NULL);
}
static void mask_pop(UNUSED void *arg)
{
    ary_pop(thread_current->masks);
    if (thread_current->pending != V_NIL && ary_len(thread_current->pending))
        vm_interrupt_flag = 1;
}
static Value thread_s_handle_interrupt(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    if (!block_given())
        raise_error(klass.ArgumentError, "block is needed.");
    Value mask = hash_dup(hash_to_hash(argv[0]));
    hash_each(mask, check_mask, NULL);
    if (thread_current->masks == V_NIL)
        thread_current->masks = ary_new(1);
    ary_push(thread_current->masks, mask);
    Value v = vm_ensure(mask_body, NULL, mask_pop, NULL);
    thread_check_pending(false);
    return v;
}
static bool is_pending(Thread *t, int argc, const Value *argv)
{
    if (argc && !is_module(argv[0]))
        raise_error(klass.TypeError, "class or module required for rescue clause");
    return thread_pending(t, argc ? argv[0] : V_UNDEF);
}
static Value thread_pending_interrupt(Value self, int argc, const Value *argv)
{
    return bool_value(is_pending(thread_get(self), argc, argv));
}
static Value thread_s_pending_interrupt(UNUSED Value self, int argc, const Value *argv)
{
    return bool_value(is_pending(thread_current, argc, argv));
}
static Value thread_s_ignore_deadlock(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(thread_ignore_deadlock);
}
static Value thread_s_set_ignore_deadlock(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    thread_ignore_deadlock = truthy(argv[0]);
    return argv[0];
}
static Value thread_check(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    thread_get(self);
    return V_NIL;
}

static const Builtin methods[] = {
    {"initialize", thread_initialize, 0, -1, BI_PRIVATE},
    {"join", thread_join, 0, 1, 0},
    {"value", thread_value, 0, 0, 0},
    {"alive?", thread_alive, 0, 0, 0},
    {"status", thread_status, 0, 0, 0},
    {"stop?", thread_stop_p, 0, 0, 0},
    {"kill", thread_kill, 0, 0, 0},
    {"exit", thread_kill, 0, 0, 0},
    {"terminate", thread_kill, 0, 0, 0},
    {"raise", thread_raise, 0, -1, BI_KW},
    {"wakeup", thread_wakeup, 0, 0, 0},
    {"run", thread_run, 0, 0, 0},
    {"[]", thread_aref, 1, 1, 0},
    {"[]=", thread_aset, 2, 2, 0},
    {"key?", thread_key_p, 1, 1, 0},
    {"keys", thread_keys, 0, 0, 0},
    {"thread_variable_get", thread_variable_get, 1, 1, 0},
    {"thread_variable_set", thread_variable_set, 2, 2, 0},
    {"thread_variable?", thread_variable_p, 1, 1, 0},
    {"thread_variables", thread_variables, 0, 0, 0},
    {"name", thread_name, 0, 0, 0},
    {"name=", thread_set_name, 1, 1, 0},
    {"report_on_exception", thread_report, 0, 0, 0},
    {"report_on_exception=", thread_set_report, 1, 1, 0},
    {"abort_on_exception", thread_abort, 0, 0, 0},
    {"abort_on_exception=", thread_set_abort, 1, 1, 0},
    {"priority", thread_priority, 0, 0, 0},
    {"priority=", thread_set_priority, 1, 1, 0},
    {"group", thread_group, 0, 0, 0},
    {"backtrace", thread_backtrace, 0, 2, 0},
    {"backtrace_locations", thread_backtrace_locations, 0, 2, 0},
    {"pending_interrupt?", thread_pending_interrupt, 0, 1, 0},
    {"inspect", thread_inspect, 0, 0, 0},
    {"to_s", thread_inspect, 0, 0, 0},
    {"__wake", thread_wakeup, 0, 0, BI_HIDDEN},
    {"__check", thread_check, 0, 0, BI_HIDDEN},
    {"__group=", thread_set_group, 1, 1, BI_HIDDEN},
};
static const Builtin singleton_methods[] = {
    {"start", thread_s_start, 0, -1, 0},
    {"fork", thread_s_start, 0, -1, 0},
    {"current", thread_s_current, 0, 0, 0},
    {"main", thread_s_main, 0, 0, 0},
    {"list", thread_s_list, 0, 0, 0},
    {"pass", thread_s_pass, 0, 0, 0},
    {"stop", thread_s_stop, 0, 0, 0},
    {"exit", thread_s_exit, 0, 0, 0},
    {"kill", thread_s_kill, 1, 1, 0},
    {"report_on_exception", thread_s_report, 0, 0, 0},
    {"report_on_exception=", thread_s_set_report, 1, 1, 0},
    {"abort_on_exception", thread_s_abort, 0, 0, 0},
    {"abort_on_exception=", thread_s_set_abort, 1, 1, 0},
    {"handle_interrupt", thread_s_handle_interrupt, 1, 1, 0},
    {"pending_interrupt?", thread_s_pending_interrupt, 0, 1, 0},
    {"ignore_deadlock", thread_s_ignore_deadlock, 0, 0, 0},
    {"ignore_deadlock=", thread_s_set_ignore_deadlock, 1, 1, 0},
    {"__now", thread_s_now, 0, 0, BI_HIDDEN},
    {"__block", thread_s_block, 1, 1, BI_HIDDEN},
};

/* The variables of classes written in Ruby (thread.rb) are fixed fields: they do not show. */
static Value class_with_fields(const char *name, Value super, const char *const *fields)
{
    Value cls = class_define_under(klass.Thread, name, super), names[16];
    unsigned n = 0;
    for (; fields[n]; n++)
        names[n] = sym_intern(fields[n]);
    class_set_fields(cls, T_OBJECT, names, n);
    return cls;
}

void thread_class_boot(void)
{
    class_with_fields("Mutex", klass.Object, (const char *const[]){"@owner", "@fiber", "@waiters", NULL});
    class_with_fields("ConditionVariable", klass.Object, (const char *const[]){"@waiters", NULL});
    Value queue = class_with_fields("Queue", klass.Object, (const char *const[]){"@items", "@waiters", "@closed", NULL});
    class_with_fields("SizedQueue", queue,
                      (const char *const[]){"@items", "@waiters", "@closed", "@max", "@pushers", NULL});
    thread_boot();
    class_set_allocator(klass.Thread, thread_allocate);
    ADD_BUILTINS(klass.Thread, methods);
    ADD_SINGLETON_BUILTINS(klass.Thread, singleton_methods);
}
