/*
 * fiber.h: fibers: a C stack, a VM stack and frames of their own; switched by hand.
 *
 * State        what it waits for                        left by
 *   NEW        its first resume or transfer
 *   RUNNING    nothing (or its thread's turn)           resume, yield, transfer, end
 *   RESUMING   the fiber that it resumed                that one's yield or end
 *   SUSPENDED  a resume (yielding) or a transfer
 */
#ifndef INTERP_FIBER_H
#define INTERP_FIBER_H
#include "vm/interp/vm_state.h"

typedef enum { FIBER_NEW, FIBER_RUNNING, FIBER_RESUMING, FIBER_SUSPENDED, FIBER_DEAD } FiberState;

typedef struct Fiber {
    uint64_t epoch;      /* spare: heap_epoch when it died */
    struct Fiber *next, *prev;   /* all fibers that are not dead, and the main one */
    struct Fiber *resumer;       /* who resumed it and gets its next yield, or NULL */
    struct Fiber *resuming;      /* RESUMING: whom it resumed */
    struct Fiber *root;          /* its thread's first fiber: where it ends when nobody resumed it */
    FiberState state;
    Value object;                /* T_FIBER, or nil: the main fiber until somebody asks */
    Value proc;                  /* what a new one runs */
    Value passed;                /* value on its way through a switch */
    bool passed_unwind;          /* passed is an unwind record to go on with */
    bool yielding;               /* SUSPENDED by Fiber.yield: only resume goes on */
    bool blocking;
    bool killed;
    bool wiped;                  /* nothing above its stack's top since it stopped: the collector has cleared it */
    Value storage;               /* Hash or nil */
    Value locals;                /* Thread#[]: Hash or nil */
    Value home;                  /* outermost Env around its proc, or nil: blocks of it that run here have */
    Value specials;              /* $~ and $_ of their own, as a frame's specials, so that threads don't share them */
    Value thread;                /* T_THREAD whose fiber this is, or nil */
    /* saved while it does not run */
    Frame *fp, *frames, *frames_end;
    Value *stack, *stack_end;
    char *c_limit;
    Value errinfo, recursion, catch_tags;
    ErrorStack *errors;
    void *sp;
    char *c_low, *c_high;        /* C stack; main: c_high is where scanning starts */
    size_t c_mapped;             /* bytes mapped from c_map; 0: main */
    char *c_map;
    void *fake_stack;            /* the address sanitizer's, while it does not run; NULL without it */
    size_t main_size;            /* of the main fiber's C stack at c_map, for the sanitizer */
} Fiber;

typedef struct FiberObject { /* T_FIBER */
    uint64_t head;
    Fiber *fiber; /* NULL: dead or not initialized */
    Slot proc;    /* what it ran, for inspect; nil: not initialized */
} FiberObject;

Fiber *fiber_new(Value proc);
void fiber_adopt(Fiber *f, Value object); /* the FiberObject of a new one */
void fiber_discard(Fiber *f);             /* a NEW one that shall never run */
/* Switches to `to`, handing it a value; gives the value (or goes on unwinding) when somebody switches back. */
Value fiber_switch(Fiber *to, Value v, bool unwind);
Value fiber_resume(Fiber *to, Value v, bool unwind);
_Noreturn void fiber_end_into(Fiber *f, Fiber *to); /* the running fiber f ends for good, `to` goes on */
void fiber_jump(Fiber *to);                         /* switches without handing anything over: between threads */
Value fiber_yield(Value v);
Value fiber_transfer(Fiber *to, Value v, bool unwind);
Value fiber_object(Fiber *f);
Value fiber_allocate(Value cls);
extern void (*fiber_returned_hook)(Fiber *f); /* a thread's fiber has ended: never returns there */
#endif
