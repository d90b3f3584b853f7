/*
 * fiber.h: fibers: a C stack, a VM stack and frames of their own; switched by hand.
 */
#ifndef INTERP_FIBER_H
#define INTERP_FIBER_H
#include "vm/interp/vm_state.h"

typedef enum { FIBER_NEW, FIBER_RUNNING, FIBER_RESUMING, FIBER_SUSPENDED, FIBER_DEAD } FiberState;

typedef struct Fiber {
    uint64_t epoch;      /* spare: heap_epoch when it died */
    struct Fiber *next, *prev;   /* all fibers that are not dead, and the main one */
    struct Fiber *resumer;       /* who gets the next value */
    FiberState state;
    Value object;                /* T_FIBER, or nil: the main fiber until somebody asks */
    Value proc;                  /* what a new one runs */
    Value passed;                /* value on its way through a switch */
    bool passed_unwind;          /* passed is an unwind record to go on with */
    bool transferred;
    bool killed;
    bool wiped;                  /* nothing above its stack's top since it stopped: the collector has cleared it */
    Value storage;               /* Hash or nil */
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
    uint64_t initialized;
} FiberObject;

Fiber *fiber_new(Value proc);
/* Switches to `to`, handing it a value; gives the value (or goes on unwinding) when somebody switches back. */
Value fiber_switch(Fiber *to, Value v, bool unwind);
Value fiber_resume(Fiber *to, Value v, bool unwind);
Value fiber_object(Fiber *f);
extern void (*fiber_returned_hook)(Fiber *f); /* a thread's fiber has ended: never returns there */
#endif
