/*
 * vm/host.h: what a VM asks of the process it runs in.
 *
 * Calls point only downwards, so the VM cannot call backend/.  Who runs a VM (a session of the server, or
 * --solo) sets this table once before vm_session_main; the VM calls through it.  An entry is never NULL after
 * host_set.
 */
#ifndef VM_HOST_H
#define VM_HOST_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct VmHost {
    /*
     * Kernel#fork's system call: forks and makes the new process known to the server.  Returns as fork(2)
     * does, in both processes; -1 with errno.  The slot is the caller's business: persist_fork_prepare
     * before, persist_fork_parent and persist_fork_child after (vm/persist.h).
     */
    pid_t (*fork)(void);

    /*
     * Before an exec that replaces the session, or a daemon: ends the session in the store (what is not
     * committed is lost).  Returns false with errno when that can't be now.  If the exec then fails, call
     * exec_failed: a new session.
     */
    bool (*exec_prepare)(void);
    void (*exec_failed)(void);

    /*
     * SIGTSTP with its default action, called at a safepoint outside critical sections: stops this process
     * and its children's group; returns when continued.
     */
    void (*stop)(void);

    /*
     * In a child made by vm's own fork for a subprocess (system, spawn, backtick), between fork and exec:
     * resets what a subprocess must not inherit (signal mask and the death notice).  Async-signal-safe.
     */
    void (*subprocess_begin)(void);
} VmHost;

extern VmHost
    vm_host; /* the default entries serve --solo: plain fork refused, stop = kill(getpid(), SIGSTOP) */

#endif
