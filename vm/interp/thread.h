/*
 * thread.h: the scheduler's own view of green threads (private to vm/interp and vm/core/thread.c)
 */
#ifndef INTERP_THREAD_H
#define INTERP_THREAD_H
#include "vm/interp/fiber.h"
#include "vm/thread.h"

typedef enum { THREAD_RUNNABLE, THREAD_BLOCKED, THREAD_DEAD } ThreadState;

typedef struct Thread {
    struct Thread *next, *prev; /* live threads, main first */
    Value object;               /* T_THREAD */
    Fiber *fiber;               /* where it goes on: the fiber that ran last */
    ThreadState state;
    int64_t deadline;           /* BLOCKED: THREAD_FOREVER or a time */
    int fd;                     /* BLOCKED on a descriptor, or -1 */
    short events, revents;
    struct Thread *joining;     /* whose end it waits for */
    bool woken;
    bool deadly;                /* BLOCKED: only another thread can wake it: counts for deadlock */
    bool awaits_load;           /* in load.c, until another thread has loaded a file */
    bool sleeping;              /* in sleep, join, Thread.stop or a wait of thread.rb: thread_wake() ends it */
    Value pending;              /* unwind records to raise in it: Array or nil */
    Value value;                /* result */
    Value failure;              /* exception that ended it, or nil */
    Value locals, variables;    /* Hash or nil; locals: of a dead one (else Fiber.locals) */
    Value masks;                /* handle_interrupt: Array of Hashes of class and timing, innermost last; or nil */
    Value proc;                 /* nil: main */
    Value last_status;          /* $? */
    Value scheduler;            /* of its non-blocking fibers, or nil */
    Value waiters;              /* those of other threads' fibers that wait for its end: Array or nil */
    Value name, group;
    int priority;
    struct TraceEvent *trace;   /* whose TracePoint's block it runs, or NULL */
    bool report, abort, killed, failed;
    uint64_t turn;              /* when it ran last: the least goes first */
} Thread;

typedef struct ThreadObject { /* T_THREAD */
    uint64_t head;
    Thread *thread;
} ThreadObject;

extern Thread *thread_current, *thread_main;
Thread *thread_start(Value object, Value proc, Value args);
void thread_wake(Thread *t);
bool thread_sleep_deadly(int64_t deadline); /* as thread_sleep_until, for waits that only a thread can end */
void thread_interrupt(Thread *t, Value record);
/* What a signal raises is the main thread's, whoever runs now.  Returns only in another thread. */
void thread_raise_in_main(Value exc);
void thread_check_pending(bool blocking); /* raises what is pending; blocking: it is about to wait */
bool thread_pending(Thread *t, Value cls);
extern bool thread_ignore_deadlock, thread_abort_all; /* Thread.ignore_deadlock, Thread.abort_on_exception */
void thread_boot(void);
void thread_end_all(void);
#endif
