/*
 * vm/host.c: the host table's defaults, those of --solo: one process, exclusive, no second slot to be had.
 */
#include "vm/host.h"
#include "storage/store.h"
#include "vm/persist.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static pid_t solo_fork(void)
{
    if (persist_active()) {
        errno = EAGAIN; /* the store is open in one process only; a server's session can fork */
        return -1;
    }
    return fork();
}

static bool solo_exec_prepare(void)
{
    store_flush_left(); /* the lock goes with the descriptors */
    return true;
}

static void solo_exec_failed(void)
{
}

static void solo_stop(void)
{
    kill(getpid(), SIGSTOP);
}

static void solo_subprocess_begin(void)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

VmHost vm_host = {
    .fork = solo_fork,
    .exec_prepare = solo_exec_prepare,
    .exec_failed = solo_exec_failed,
    .stop = solo_stop,
    .subprocess_begin = solo_subprocess_begin,
};
