/*
 * thread.c: the scheduler of green threads.
 *
 * Each thread has fibers; a switch of threads is a switch to the fiber where the other one left off.  Switches happen
 * where a thread waits, and at interrupt tests when its time slice is over: a timer runs only while another
 * thread is runnable or will be by time or descriptor.  thread.rb is never preempted, so that Mutex and Queue may be written in Ruby.
 *
 *   T1  thread_current->fiber is stale while it runs; it is set at each switch away.
 *   T2  A dead thread is in no list; its Thread struct lives as long as its object.
 *   T3  When no thread is runnable the process sleeps in poll for the descriptors and the nearest deadline; with
 *       neither, that is a deadlock: fatal in the main thread.
 */
#include "vm/interp/thread.h"
#include "vm/interp/trace.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <time.h>

#define SLICE_NS 10000000

Thread *thread_current, *thread_main;
bool thread_ignore_deadlock, thread_abort_all;
static unsigned live = 1;
static uint64_t turns;
static timer_t timer;
static bool timer_made, timer_on;
static volatile sig_atomic_t slice_over;
extern void (*vm_time_slice)(void);
static Value fatal_class;

int64_t thread_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

bool thread_has_peers(void)
{
    return live > 1;
}

/* ---- time slices ---- */
static void on_timer(int signo)
{
    (void)signo;
    slice_over = 1;
    vm_interrupt_flag = 1;
}

static void timer_set(bool on)
{
    if (on == timer_on)
        return;
    if (!timer_made) {
        struct sigaction sa = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
        sigemptyset(&sa.sa_mask);
        sigaction(SIGVTALRM, &sa, NULL);
        struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
        if (timer_create(CLOCK_MONOTONIC, &ev, &timer) != 0)
            return;
        timer_made = true;
    }
    struct itimerspec spec = {0};
    if (on)
        spec.it_value.tv_nsec = spec.it_interval.tv_nsec = SLICE_NS;
    timer_settime(timer, 0, &spec, NULL);
    timer_on = on;
}

/* ---- choosing ---- */
static Thread *next_runnable(void)
{
    Thread *best = NULL;
    unsigned n = 0; /* runnable, or about to be */
    for (Thread *t = thread_main; t; t = t->next)
        if (t->state == THREAD_BLOCKED) {
            n += t->deadline != THREAD_FOREVER || t->fd >= 0;
        } else {
            n++;
            if (!best || t->turn < best->turn)
                best = t;
        }
    timer_set(n > 1);
    return best;
}

static Value deadlock_error(void)
{
    Value text = str_format("No live threads left. Deadlock?\n%u threads, %u sleeps\n", live, live);
    for (Thread *t = thread_main; t; t = t->next)
        str_append_str(text, str_format("* %V\n", t->object));
    return exception_new(fatal_class, "%T", text);
}

/* Sleeps until some thread is runnable. */
static bool wait_for_event(void)
{
    struct pollfd fds[256];
    Thread *who[256];
    nfds_t n = 0;
    int64_t first = THREAD_FOREVER;
    bool hope = false; /* a plain sleep may end by a signal */
    for (Thread *t = thread_main; t; t = t->next) {
        if (t->state != THREAD_BLOCKED)
            continue;
        hope |= !t->deadly;
        if (t->deadline < first)
            first = t->deadline;
        if (t->fd >= 0 && n < COUNT_OF(fds)) {
            fds[n] = (struct pollfd){.fd = t->fd, .events = t->events};
            who[n++] = t;
        }
    }
    if (n == 0 && first == THREAD_FOREVER && !hope && !thread_ignore_deadlock)
        return false;
    timer_set(false);
    heap_rest(first == THREAD_FOREVER ? -1 : MAX(first - thread_now(), (int64_t)0));
    int64_t left = first == THREAD_FOREVER ? THREAD_FOREVER : first - thread_now();
    struct timespec ts, *timeout = NULL;
    if (left != THREAD_FOREVER) {
        if (left < 0)
            left = 0;
        ts = (struct timespec){left / 1000000000, left % 1000000000};
        timeout = &ts;
    }
    /* A signal between the test and the call would be missed: block them around, as ppoll is meant to be used. */
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    int got = 0;
    if (!vm_interrupt_flag)
        got = ppoll(fds, n, timeout, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (got > 0)
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents) {
                who[i]->revents = fds[i].revents;
                who[i]->state = THREAD_RUNNABLE;
            }
    int64_t now = thread_now();
    for (Thread *t = thread_main; t; t = t->next)
        if (t->state == THREAD_BLOCKED && t->deadline <= now)
            t->state = THREAD_RUNNABLE;
    return true;
}

/* Descriptors and deadlines that came true while others ran. */
static void poll_quickly(void)
{
    struct pollfd fds[256];
    Thread *who[256];
    nfds_t n = 0;
    bool timed = false;
    for (Thread *t = thread_main; t; t = t->next) {
        if (t->state != THREAD_BLOCKED)
            continue;
        timed |= t->deadline != THREAD_FOREVER;
        if (t->fd >= 0 && n < COUNT_OF(fds)) {
            fds[n] = (struct pollfd){.fd = t->fd, .events = t->events};
            who[n++] = t;
        }
    }
    if (n && poll(fds, n, 0) > 0)
        for (nfds_t i = 0; i < n; i++)
            if (fds[i].revents) {
                who[i]->revents = fds[i].revents;
                who[i]->state = THREAD_RUNNABLE;
            }
    if (timed) {
        int64_t now = thread_now();
        for (Thread *t = thread_main; t; t = t->next)
            if (t->state == THREAD_BLOCKED && t->deadline <= now)
                t->state = THREAD_RUNNABLE;
    }
}

static void enter(Thread *t)
{
    thread_current = t;
    t->turn = ++turns;
    slice_over = 0;
}

static void switch_to_thread(Thread *t)
{
    Thread *me = thread_current;
    if (t == me) {
        me->turn = ++turns;
        return;
    }
    me->fiber = vm.fiber;
    enter(t);
    fiber_jump(t->fiber);
    /* Back: whoever switched has set thread_current. */
}

/* ---- what other threads have for this one ---- */
/* :immediate, :on_blocking or :never: what the innermost handle_interrupt that names a class of the record says. */
static bool may_interrupt(Thread *t, Value record, bool blocking)
{
    if (t->masks == V_NIL)
        return true;
    Value cls = is_type(record, T_THROW) ? klass.Object : class_real(record);
    for (size_t i = ary_len(t->masks); i-- > 0;) {
        Value mask = ary_get(t->masks, (long)i), ancestors = module_ancestors(cls);
        for (size_t k = 0; k < ary_len(ancestors); k++) {
            Value timing = hash_get(mask, ary_get(ancestors, (long)k));
            if (timing != V_UNDEF)
                return timing == sym_intern("immediate") || (blocking && timing == sym_intern("on_blocking"));
        }
    }
    return true;
}

bool thread_pending(Thread *t, Value cls)
{
    for (size_t i = 0; t->pending != V_NIL && i < ary_len(t->pending); i++) {
        Value record = ary_get(t->pending, (long)i);
        if (cls == V_UNDEF || (is_type(record, T_EXCEPTION) && obj_is_kind_of(record, cls)))
            return true;
    }
    return false;
}

void thread_check_pending(bool blocking)
{
    Thread *t = thread_current;
    for (size_t i = 0; t->pending != V_NIL && i < ary_len(t->pending); i++) {
        Value record = ary_get(t->pending, (long)i);
        if (!may_interrupt(t, record, blocking))
            continue;
        for (size_t k = i + 1; k < ary_len(t->pending); k++)
            ary_set(t->pending, (long)k - 1, ary_get(t->pending, (long)k));
        ary_pop(t->pending);
        if (is_type(record, T_THROW)) {
            t->killed = true;
            vm_resume_unwind(record);
        }
        raise_prepared(record);
    }
}

/* The current thread's state says whether it may go on; runs others until it may. */
static void schedule(void)
{
    Thread *me = thread_current;
    for (;;) {
        if (live > 1)
            poll_quickly();
        Thread *t = next_runnable();
        if (t) {
            switch_to_thread(t);
            if (me->state == THREAD_RUNNABLE)
                return;
            continue;
        }
        if (!wait_for_event()) {
            if (me == thread_main) {
                me->state = THREAD_RUNNABLE;
                vm_raise(deadlock_error());
            }
            thread_interrupt(thread_main, deadlock_error());
            continue;
        }
        if (vm_interrupt_flag) {
            /* Signals are the main thread's business. */
            if (me == thread_main) {
                me->state = THREAD_RUNNABLE;
                return;
            }
            thread_main->state = THREAD_RUNNABLE;
        }
    }
}

void thread_pass(void)
{
    vm_check_interrupts();
    if (live > 1)
        schedule();
    thread_check_pending(false);
}

static void block(int64_t deadline, int fd, short events)
{
    Thread *me = thread_current;
    thread_check_pending(true);
    me->state = THREAD_BLOCKED;
    me->deadly &= fd < 0;
    me->deadline = deadline;
    me->fd = fd;
    me->events = events;
    me->revents = 0;
    schedule();
    me->fd = -1;
    if (me == thread_main)
        vm_check_interrupts();
    thread_check_pending(true);
}

int thread_wait_fd(int fd, short events, int64_t deadline)
{
    for (;;) {
        vm_check_interrupts();
        struct pollfd p = {.fd = fd, .events = events};
        if (poll(&p, 1, 0) > 0)
            return p.revents;
        int64_t now = thread_now();
        if (now >= deadline)
            return 0;
        block(deadline, fd, events);
        if (thread_current->revents)
            return thread_current->revents;
    }
}

/*
 * The caller has just seen that what it waits for has not come.  From then on a wake-up counts, also one that comes while
 * another thread has its turn or a signal is served, before we are blocked.  A signal's handler may sleep itself: a
 * wake-up ends its sleep and the one around it.
 */
static bool sleep_until(int64_t deadline, bool deadly)
{
    Thread *me = thread_current;
    const bool around = me->sleeping;
    if (!around)
        me->woken = false;
    me->sleeping = true;
    TRY()
    {
        while (!me->woken && thread_now() < deadline) {
            vm_check_interrupts();
            me->deadly = deadly;
            if (!me->woken)
                block(deadline, -1, 0);
        }
    }
    CATCH(err)
    {
        me->sleeping = around;
        rethrow();
    }
    END_TRY();
    me->sleeping = around;
    bool woken = me->woken;
    me->woken &= around;
    return woken;
}

bool thread_sleep_until(int64_t deadline)
{
    return sleep_until(deadline, false);
}

bool thread_sleep_deadly(int64_t deadline)
{
    return sleep_until(deadline, true);
}

void thread_wake(Thread *t)
{
    if (t->sleeping) {
        t->woken = true;
        if (t->state == THREAD_BLOCKED)
            t->state = THREAD_RUNNABLE;
    }
}

void thread_interrupt(Thread *t, Value record)
{
    if (t->pending == V_NIL)
        t->pending = ary_new(1);
    ary_push(t->pending, record);
    if (t->state == THREAD_BLOCKED && may_interrupt(t, record, true))
        t->state = THREAD_RUNNABLE;
}
void thread_raise_in_main(Value exc)
{
    if (!thread_current || thread_current == thread_main)
        vm_raise(exc);
    thread_interrupt(thread_main, exc);
    vm_interrupt_flag = 1; /* its turn comes at once */
}

/* Does thread.rb run?  It relies on not being preempted. */
static bool in_thread_rb(void)
{
    Frame *f = frame_ruby(vm.fp);
    if (f <= vm.frames || !(f->code->flags & CODE_INTERNAL))
        return false;
    StrView v = str_view(slot_read((Value)f->code, &f->code->path));
    return v.len == sizeof "<internal:thread>" - 1 && memcmp(v.ptr, "<internal:thread>", v.len) == 0;
}

static void time_slice(void)
{
    if (thread_current->pending != V_NIL && ary_len(thread_current->pending)) {
        if (!in_thread_rb())
            thread_check_pending(false);
        else
            vm_interrupt_flag = 1;
    }
    if (!slice_over || live < 2)
        return;
    if (in_thread_rb()) {
        vm_interrupt_flag = 1;
        return;
    }
    slice_over = 0;
    schedule();
    thread_check_pending(false);
}

/* ---- begin and end ---- */
static void link_thread(Thread *t)
{
    Thread *last = thread_main;
    while (last->next)
        last = last->next;
    last->next = t;
    t->prev = last;
    live++;
}

static void init_thread(Thread *t, Value object)
{
    t->object = object;
    t->deadline = THREAD_FOREVER;
    t->fd = -1;
    t->pending = t->value = t->failure = t->locals = t->variables = t->name = t->group = t->masks = t->proc = V_NIL;
    t->last_status = t->scheduler = t->waiters = V_NIL;
    t->report = true;
}

Thread *thread_start(Value object, Value proc, Value args)
{
    Thread *t = mem_new(memctx_top(), Thread);
    init_thread(t, object);
    t->report = thread_current->report || thread_current == thread_main;
    t->group = thread_current->group;
    t->priority = thread_current->priority;
    t->masks = thread_current->masks == V_NIL ? V_NIL : ary_dup(thread_current->masks);
    t->proc = proc;
    ((ThreadObject *)object)->thread = t;
    t->fiber = fiber_new(proc);
    t->fiber->thread = object;
    t->fiber->root = t->fiber;
    t->fiber->blocking = true;
    t->fiber->storage = vm.fiber->storage == V_NIL ? V_NIL : hash_dup(vm.fiber->storage);
    t->fiber->passed = args;
    t->turn = ++turns;
    link_thread(t);
    if (!timer_on)
        timer_set(true);
    return t;
}

static Value close_and_wake(void *arg)
{
    Thread *t = arg;
    scheduler_close();
    for (size_t i = 0; t->waiters != V_NIL && i < ary_len(t->waiters); i++)
        vm_call0(ary_get(t->waiters, (long)i), sym_intern("__wake"));
    return V_NIL;
}

/* On the fiber of a thread whose proc has returned or raised. */
static void thread_returned(Fiber *f)
{
    Thread *t = ((ThreadObject *)f->thread)->thread;
    Value result, record;
    if ((t->scheduler != V_NIL || t->waiters != V_NIL) && !vm_protect(close_and_wake, t, &result, &record) &&
        !f->passed_unwind) {
        f->passed_unwind = true;
        f->passed = record;
    }
    if (!f->passed_unwind) {
        t->value = f->passed;
    } else if (is_type(f->passed, T_EXCEPTION)) {
        t->failure = f->passed;
        t->failed = true;
        if (obj_is_kind_of(t->failure, klass.SystemExit)) {
            thread_interrupt(thread_main, t->failure);
        } else {
            if (t->report) {
                Value text = str_format("%V terminated with exception (report_on_exception is true):\n", t->object);
                exception_report_after(text, t->failure);
            }
            if (t->abort || thread_abort_all)
                thread_interrupt(thread_main, t->failure);
        }
    }
    if (unlikely(trace_on))
        trace_fire(TRACE_THREAD_END, vm.fp, V_NIL, NULL, t->object);
    t->locals = f->locals;
    t->state = THREAD_DEAD;
    t->prev->next = t->next;
    if (t->next)
        t->next->prev = t->prev;
    live--;
    for (Thread *w = thread_main; w; w = w->next)
        if (w->joining == t)
            thread_wake(w);
    Thread *next;
    while (!(next = next_runnable()))
        if (!wait_for_event() || vm_interrupt_flag)
            thread_main->state = THREAD_RUNNABLE;
    enter(next);
    fiber_end_into(f, next->fiber);
}

void thread_after_fork(void)
{
    for (Thread *t = thread_main; t; t = t->next)
        if (t != thread_current)
            t->state = THREAD_DEAD;
    thread_main = thread_current;
    thread_main->next = thread_main->prev = NULL;
    live = 1;
    timer_made = timer_on = false; /* timers are not inherited */
}

/* The program is over: the others are killed, their ensure clauses run. */
void thread_end_all(void)
{
    for (int i = 0; i < 1000 && live > 1; i++) {
        for (Thread *t = thread_main->next; t; t = t->next)
            if (!t->killed) {
                t->killed = true;
                t->pending = V_NIL;
                thread_interrupt(t, throw_new(UNWIND_KILL, V_NIL, V_NIL));
            }
        schedule();
    }
}

static void threads_visit(Visitor *v)
{
    for (Thread *t = thread_main; t; t = t->next)
        v->value(v, &t->object);
    v->value(v, &fatal_class);
}

static void thread_visit(Object *o, Visitor *v)
{
    Thread *t = ((ThreadObject *)o)->thread;
    if (!t)
        return;
    v->value(v, &t->pending);
    v->value(v, &t->value);
    v->value(v, &t->failure);
    v->value(v, &t->locals);
    v->value(v, &t->variables);
    v->value(v, &t->name);
    v->value(v, &t->group);
    v->value(v, &t->masks);
    v->value(v, &t->proc);
    v->value(v, &t->last_status);
    v->value(v, &t->scheduler);
    v->value(v, &t->waiters);
    if (t->state != THREAD_DEAD)
        v->value(v, &t->object);
}
static void thread_free(Object *o)
{
    mem_free(((ThreadObject *)o)->thread);
}
static const TypeRow thread_row = {.name = "Thread", .visit = thread_visit, .free = thread_free};

void thread_boot(void)
{
    heap_register_type(T_THREAD, &thread_row);
    thread_main = thread_current = mem_new(memctx_top(), Thread);
    Value object = heap_alloc(T_THREAD, klass.Thread, sizeof(ThreadObject));
    init_thread(thread_main, object);
    ((ThreadObject *)object)->thread = thread_main;
    fatal_class = class_new(klass.Exception, "fatal");
    fiber_returned_hook = thread_returned;
    vm_time_slice = time_slice;
    heap_add_visitor(threads_visit, "threads");
}
