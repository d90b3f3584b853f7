/*
 * fiber.c: making, switching and scanning fibers.
 *
 * A switch saves the callee-saved registers on the old C stack and takes the new one's; the Vm's cached bounds, $!,
 * and the error stack change with it.  A C stack is 512 KiB of reserved address space with a guard page below; only
 * touched pages cost.  Stacks of dead fibers are kept for the next ones.
 *
 *   F1  Exactly one fiber is RUNNING; vm.fiber points to it.
 *   F2  The collector scans the C stack (from the saved stack pointer) and the frames of each other fiber that can go
 *       on: those RUNNING or RESUMING and those without an object always, a NEW or SUSPENDED one when its object is
 *       reached.  One that nobody can reach any more is freed with its object; its ensure clauses do not run.
 *   F3  Nothing unwinds across a switch: an exception that leaves a fiber's proc is handed to the resumer as a value.
 */
#include "vm/interp/fiber.h"
#include "lib/config.h"
#include "vm/interp/trace.h"
#include <sys/mman.h>
#include <unistd.h>

#define FIBER_C_STACK   (512u << 10)
#define FIBER_VM_WORDS  (64u << 10)
#define FIBER_FRAMES    4096u
#define NEVER_WIPED     UINT64_MAX /* Fiber.epoch: its stack must be wiped before it is used again */

static Fiber main_fiber;
static Fiber *spare; /* dead ones whose stacks can be used again */
static int64_t stacks_made; /* never given back: the most fibers that lived at one time */
void (*fiber_returned_hook)(Fiber *f);

/* fiber_swap(&old->sp, new->sp): saves and takes rbx, rbp, r12..r15, control words. */
void fiber_swap(void **save, void *sp);
__asm__(".text\n"
        ".globl fiber_swap\n"
        ".type fiber_swap,@function\n"
        "fiber_swap:\n"
        "    pushq %rbp\n    pushq %rbx\n    pushq %r12\n    pushq %r13\n    pushq %r14\n    pushq %r15\n"
        "    subq $8, %rsp\n    stmxcsr (%rsp)\n    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n    fldcw 4(%rsp)\n    addq $8, %rsp\n"
        "    popq %r15\n    popq %r14\n    popq %r13\n    popq %r12\n    popq %rbx\n    popq %rbp\n"
        "    ret\n"
        ".size fiber_swap,.-fiber_swap\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");

/*
 * The address sanitizer must be told of each switch: where the next stack lies, and that the old one may come back.
 * The main stack's place is what it tells us when we first leave it.
 */
#ifdef LODE_SANITIZE
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom_old, size_t *size_old);
static Fiber *leaving;

static void sanitizer_leaves(Fiber *from, Fiber *to, bool for_good)
{
    leaving = from;
    __sanitizer_start_switch_fiber(for_good ? NULL : &from->fake_stack, to->c_mapped ? to->c_low : to->c_map,
                                   to->c_mapped ? (size_t)(to->c_high - to->c_low) : to->main_size);
}

static void sanitizer_arrives(void *fake_stack)
{
    const void *bottom;
    size_t size;

    __sanitizer_finish_switch_fiber(fake_stack, &bottom, &size);
    if (leaving && !leaving->c_mapped) {
        leaving->c_map = (char *)bottom;
        leaving->main_size = size;
    }
}
#else
#define sanitizer_leaves(from, to, for_good) ((void)0)
#define sanitizer_arrives(fake_stack) ((void)0)
#endif

static void link_in(Fiber *f)
{
    f->next = main_fiber.next;
    f->prev = &main_fiber;
    if (f->next)
        f->next->prev = f;
    main_fiber.next = f;
}

static void link_out(Fiber *f)
{
    f->prev->next = f->next;
    if (f->next)
        f->next->prev = f->prev;
}

static void save_state(Fiber *f)
{
    f->wiped = false;
    f->fp = vm.fp;
    f->frames = vm.frames;
    f->frames_end = vm.frames_end;
    f->stack = vm.stack;
    f->stack_end = vm.stack_end;
    f->c_limit = vm.c_limit;
    f->errinfo = vm.errinfo;
    f->recursion = vm.recursion;
    f->catch_tags = vm.catch_tags;
}

static void load_state(Fiber *f)
{
    vm.fp = f->fp;
    vm.frames = f->frames;
    vm.frames_end = f->frames_end;
    vm.stack = f->stack;
    vm.stack_end = f->stack_end;
    vm.c_limit = f->c_limit;
    vm.errinfo = f->errinfo;
    vm.recursion = f->recursion;
    vm.catch_tags = f->catch_tags;
    vm.fiber = f;
}

static void fiber_main(void);

static void prepare_stack(Fiber *f)
{
    void **sp = (void **)(f->c_high - 16);
    *--sp = NULL;                   /* return address of fiber_main: none; keeps rsp % 16 == 8 at its entry */
    *--sp = (void *)fiber_main;
    for (int i = 0; i < 6; i++)
        *--sp = NULL;
    *--sp = (void *)(uintptr_t)(0x1f80u | (uint64_t)0x037f << 32); /* mxcsr, x87 control word */
    f->sp = sp;
}

static int64_t most_stacks(void)
{
    return conf.max_fibers ? conf.max_fibers : 16384; /* no configuration was read: a program without a store */
}
Fiber *fiber_new(Value proc)
{
    if (!spare && stacks_made >= most_stacks()) /* what nobody can resume any more may be told by a collection */
        heap_collect();
    Fiber *f = spare;
    if (!f && stacks_made >= most_stacks())
        raise_error(klass.FiberError, "can't alloc machine stack to fiber: max_fibers is %lld", (long long)most_stacks());
    if (f) {
        spare = f->next;
        if (f->epoch != heap_epoch) /* X2: nobody visited it meanwhile */
            stack_wipe(f->stack, f->stack_end);
    } else {
        f = mem_new(memctx_top(), Fiber);
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        f->c_mapped = FIBER_C_STACK + page;
        f->c_map = mmap(NULL, f->c_mapped, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (f->c_map == MAP_FAILED) {
            mem_free(f);
            raise_error(klass.FiberError, "can't alloc machine stack to fiber: Cannot allocate memory");
        }
        mprotect(f->c_map, page, PROT_NONE);
        f->c_low = f->c_map + page;
        f->c_high = f->c_map + f->c_mapped;
        vm_stack_alloc(&f->stack, &f->stack_end, &f->frames, &f->frames_end, FIBER_VM_WORDS, FIBER_FRAMES);
        stacks_made++;
    }
    f->state = FIBER_NEW;
    f->resumer = f->resuming = NULL;
    f->root = vm.fiber->root;
    f->object = V_NIL;
    f->proc = proc;
    f->passed = V_NIL;
    f->passed_unwind = f->yielding = f->blocking = f->killed = f->wiped = false;
    f->storage = f->locals = V_NIL;
    f->thread = f->specials = V_NIL;
    f->home = is_proc(proc) ? env_outermost(obj_field(proc, PROC_ENV)) : V_NIL;
    f->errinfo = f->recursion = f->catch_tags = V_NIL;
    f->c_limit = f->c_low + 64 * 1024;
    f->frames[0] = (Frame){.base = f->stack, .stack = f->stack, .top = f->stack, .self = vm.main_object, .cref = vm.top_cref,
                           .env = V_NIL, .specials = V_NIL, .flags = FRAME_BUILTIN};
    f->fp = f->frames;
    f->errors = error_stack_create();
    prepare_stack(f);
    link_in(f);
    return f;
}

static ErrorStack *dead_errors; /* of the fiber that ended last: freed once we are off its stack */

static void after_switch(void)
{
    if (dead_errors) {
        error_stack_free(dead_errors);
        dead_errors = NULL;
    }
}

static void switch_to(Fiber *to)
{
    Fiber *from = vm.fiber;
    save_state(from);
    load_state(to);
    to->state = FIBER_RUNNING;
    from->errors = error_stack_switch(to->errors);
    heap_set_stack_base(to->c_high);
    sanitizer_leaves(from, to, false);
    fiber_swap(&from->sp, to->sp);
    sanitizer_arrives(from->fake_stack);
    after_switch();
}

void fiber_jump(Fiber *to)
{
    switch_to(to);
}

Value fiber_switch(Fiber *to, Value v, bool unwind)
{
    Fiber *me = vm.fiber;
    if (to != me) {
        to->passed = v;
        to->passed_unwind = unwind;
        switch_to(to);
    } else {
        me->passed = v;
        me->passed_unwind = unwind;
    }
    v = me->passed;
    me->passed = V_NIL;
    if (unlikely(trace_on))
        trace_fire(TRACE_FIBER_SWITCH, frame_ruby(vm.fp), V_NIL, NULL, V_NIL);
    if (me->passed_unwind) {
        me->passed_unwind = false;
        if (is_type(v, T_EXCEPTION))
            raise_prepared(v);
        vm_unwind(v);
    }
    if (me->killed)
        vm_unwind(throw_new(UNWIND_KILL, V_NIL, V_NIL));
    return v;
}

Value fiber_resume(Fiber *to, Value v, bool unwind)
{
    Fiber *me = vm.fiber;
    to->resumer = me;
    to->yielding = false;
    me->resuming = to;
    me->state = FIBER_RESUMING;
    return fiber_switch(to, v, unwind);
}

Value fiber_yield(Value v)
{
    Fiber *me = vm.fiber, *to = me->resumer;
    me->resumer = NULL;
    me->yielding = true;
    me->state = FIBER_SUSPENDED;
    to->resuming = NULL;
    return fiber_switch(to, v, false);
}

Value fiber_transfer(Fiber *to, Value v, bool unwind)
{
    if (to != vm.fiber)
        vm.fiber->state = FIBER_SUSPENDED;
    return fiber_switch(to, v, unwind);
}

/* Where a fiber's end leads: to who resumed it, else to the innermost fiber that its thread's first one waits for. */
static Fiber *successor(Fiber *f)
{
    Fiber *to = f->resumer;
    if (!to)
        for (to = f->root; to->resuming && to->resuming != f; to = to->resuming)
            ;
    to->resuming = NULL;
    return to;
}

struct entry {
    Fiber *f;
    Value args;
};
static Value entry_run(void *arg)
{
    struct entry *e = arg;
    if (unlikely(trace_on))
        trace_fire(e->f->thread == V_NIL ? TRACE_FIBER_SWITCH : TRACE_THREAD_BEGIN, vm.fp, V_NIL, NULL, e->f->thread);
    if (e->f->passed_unwind) {
        e->f->passed_unwind = false;
        vm_unwind(e->args);
    }
    int n = (int)ary_len(e->args);
    Value *argv = call_push_args(0, NULL, n) - n;
    for (int i = 0; i < n; i++)
        argv[i] = ary_get(e->args, i);
    return proc_call(e->f->proc, n, argv);
}

/* The first and only function on a fiber's stack. */
static void fiber_main(void)
{
    sanitizer_arrives(NULL);
    after_switch();
    Fiber *f = vm.fiber;
    struct entry e = {f, f->passed};
    f->passed = V_NIL;
    Value result = V_NIL, record = V_NIL;
    bool ok = vm_protect(entry_run, &e, &result, &record);
    if (f->thread != V_NIL && fiber_returned_hook) {
        f->passed = ok ? result : record;
        f->passed_unwind = !ok;
        fiber_returned_hook(f);
    }
    Fiber *to = successor(f);
    to->passed = ok ? result : record;
    to->passed_unwind = !ok;
    if (!ok && is_type(record, T_THROW) && f->killed) {
        to->passed = V_NIL;
        to->passed_unwind = false;
    }
    fiber_end_into(f, to);
}

/* A dead or abandoned fiber's stacks wait for the next one. */
static void make_spare(Fiber *f, uint64_t epoch)
{
    f->state = FIBER_DEAD;
    link_out(f);
    f->next = spare;
    f->epoch = epoch;
    spare = f;
}

void fiber_end_into(Fiber *f, Fiber *to)
{
    if (f->object != V_NIL)
        ((FiberObject *)f->object)->fiber = NULL;
    make_spare(f, heap_epoch);
    save_state(f);
    load_state(to);
    to->state = FIBER_RUNNING;
    dead_errors = error_stack_switch(to->errors);
    heap_set_stack_base(to->c_high);
    sanitizer_leaves(f, to, true);
    fiber_swap(&f->sp, to->sp);
    __builtin_unreachable();
}

void fiber_discard(Fiber *f)
{
    if (f->object != V_NIL)
        ((FiberObject *)f->object)->fiber = NULL;
    error_stack_free(f->errors);
    make_spare(f, NEVER_WIPED);
}

void fiber_adopt(Fiber *f, Value object)
{
    FiberObject *o = (FiberObject *)object;
    obj_modify(object);
    o->fiber = f;
    slot_write(object, &o->proc, f->proc);
    f->object = object;
}

Value fiber_allocate(Value cls)
{
    Value v = heap_alloc(T_FIBER, cls, sizeof(FiberObject));
    slot_init(&((FiberObject *)v)->proc, V_NIL);
    return v;
}

/* Only running ones and those of threads are asked for theirs, and they have no other object. */
Value fiber_object(Fiber *f)
{
    if (f->object == V_NIL) {
        Value v = fiber_allocate(klass.Fiber);
        ((FiberObject *)v)->fiber = f;
        f->object = v;
    }
    return f->object;
}

/* ---- the collector's view (F2) ---- */
static bool always_lives(const Fiber *f)
{
    return f->object == V_NIL || f->thread != V_NIL || f == &main_fiber || f->state == FIBER_RUNNING ||
           f->state == FIBER_RESUMING;
}

static void visit_fiber(Visitor *v, Fiber *f)
{
    v->value(v, &f->proc);
    v->value(v, &f->passed);
    v->value(v, &f->storage);
    v->value(v, &f->locals);
    v->value(v, &f->home);
    v->value(v, &f->specials);
    v->value(v, &f->thread);
    if (f == vm.fiber) {
        frames_visit(v, vm.frames, vm.fp, vm.stack);
        Value *top = vm.stack;
        for (Frame *g = vm.frames; g <= vm.fp; g++)
            if (g->top > top)
                top = g->top;
        stack_wipe(top, vm.stack_end);
        return;
    }
    if (heap_is_marking(v) && f->sp)
        heap_scan_range(f->sp, f->c_high);
    v->value(v, &f->errinfo);
    v->value(v, &f->recursion);
    v->value(v, &f->catch_tags);
    frames_visit(v, f->frames, f->fp, f->stack);
    if (f->wiped)
        return;
    Value *top = f->stack;
    for (Frame *g = f->frames; g <= f->fp; g++)
        if (g->top > top)
            top = g->top;
    stack_wipe(top, f->stack_end);
    f->wiped = true;
}

void fiber_visit_roots(Visitor *v)
{
    for (Fiber *f = &main_fiber; f; f = f->next)
        if (always_lives(f)) {
            Value object = f->object; /* kept alive here; fiber_object_moved follows it when it moves */
            v->value(v, &object);
            visit_fiber(v, f);
        }
}

static void fiber_object_visit(Object *o, Visitor *v)
{
    FiberObject *self = (FiberObject *)o;
    v->slot(v, &self->proc);
    if (self->fiber && !always_lives(self->fiber))
        visit_fiber(v, self->fiber);
}

static void fiber_object_moved(Object *to, UNUSED Object *from)
{
    if (((FiberObject *)to)->fiber)
        ((FiberObject *)to)->fiber->object = (Value)to;
}

static void fiber_object_free(Object *o)
{
    Fiber *f = ((FiberObject *)o)->fiber;
    if (f) {
        f->object = V_NIL;
        fiber_discard(f);
    }
}

static const TypeRow fiber_row = {.name = "Fiber", .visit = fiber_object_visit, .moved = fiber_object_moved,
                                  .free = fiber_object_free};

/* The main fiber's C stack begins at `base` (the program's outermost VM function). */
void fiber_set_main_base(void *base)
{
    main_fiber.c_high = base;
}

void fiber_boot(void)
{
    heap_register_type(T_FIBER, &fiber_row);
    main_fiber.state = FIBER_RUNNING;
    main_fiber.object = main_fiber.proc = main_fiber.passed = main_fiber.storage = main_fiber.locals = main_fiber.thread = V_NIL;
    main_fiber.home = main_fiber.specials = V_NIL;
    main_fiber.errinfo = main_fiber.recursion = main_fiber.catch_tags = V_NIL;
    main_fiber.errors = error_stack_current();
    vm.fiber = vm.main_fiber = main_fiber.root = &main_fiber;
    main_fiber.blocking = true;
}
