/*
 * thread.h: green threads: what built-ins that may wait call, so that other threads run meanwhile.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC (thread_now); THREAD_FOREVER waits without end.  All of these run signal
 * handlers and may raise (Thread#raise, kill, Interrupt).
 */
#ifndef VM_THREAD_H
#define VM_THREAD_H
#include "vm/value.h"

#define THREAD_FOREVER INT64_MAX

int64_t thread_now(void);
/* Until fd is ready for `events` (poll's), or the deadline; gives poll's revents, 0 at the deadline. */
int thread_wait_fd(int fd, short events, int64_t deadline);
/* Until the deadline, or somebody wakes this thread; true when woken. */
bool thread_sleep_until(int64_t deadline);
/* Lets the others run once. */
void thread_pass(void);
/* In a forked child: only the thread that forked lives on. */
void thread_after_fork(void);
/* Are there other threads that live? */
bool thread_has_peers(void);

/* Fiber schedulers (vm/core/scheduler.c): the one that waits for the running fiber, or nil. */
Value scheduler_current(void);
bool scheduler_has(Value scheduler, const char *hook); /* false for nil */
Value scheduler_call(Value scheduler, const char *hook, int argc, const Value *argv);
void scheduler_close(void);                            /* of the current thread, if it has one: runs it to its end */
#endif
