/*
 * backend/auxiliary.c: the frame of every auxiliary process, and the reaper.
 *
 * An auxiliary process runs one function of storage until it is told to stop; on reload the function is left,
 * the configuration read again, the function entered again.  Errors are the function's to handle: one that
 * comes out here ends the process, and with it (see postmaster.c) everyone.
 *
 * The reaper cleans up after dead sessions: the postmaster must not touch shared memory (a latch left locked
 * would hang it), so it hands the slot of a dead child to this process, which may hang or die instead.
 */
#include "backend/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/lib.h"

typedef struct Auxiliary {
    const char *name;
    void (*main)(const volatile bool *stop);
    void (*wake)(void);
} Auxiliary;

static const Auxiliary AUXILIARIES[PROCESS_KIND_COUNT] = {
    [PROCESS_SESSION] = {"session", NULL, NULL},
    [PROCESS_CLONE] = {"forked session", NULL, NULL},
#define AUXILIARY(kind, text, main, wake) [PROCESS_##kind] = {text, main, wake},
#include "backend/auxiliary.def"
#undef AUXILIARY
};

ServerPipes server_pipes = {-1, -1, -1, -1, -1, -1};
ServerInfo server_info;

static volatile bool leave;               /* the function shall return */
static volatile sig_atomic_t end_process; /* and then the process */
static const Auxiliary *self;

const char *process_kind_name(ProcessKind kind)
{
    return AUXILIARIES[kind].name;
}

void note_send(NoteKind kind, int32_t pid, int32_t slot)
{
    Note note = {kind, pid, slot};

    while (write(server_pipes.note_write, &note, sizeof note) < 0 && errno == EINTR) {
    }
}

/*
 * Two ways at once.  PDEATHSIG is the kernel's word for a child of the postmaster.  A process that a session
 * forked is no child of it: the death pipe's end, through an open file description of our own, sends SIGKILL.
 */
void process_die_with_postmaster(void)
{
    char path[64];
    int fd;
    struct pollfd p;

    if (getppid() == server_info.pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", server_pipes.death_read);
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) {
        fcntl(fd, F_SETOWN, getpid());
        fcntl(fd, F_SETSIG, SIGKILL);
        fcntl(fd, F_SETFL, O_RDONLY | O_NONBLOCK | O_ASYNC);
        close(server_pipes.death_read);
        server_pipes.death_read = fd;
    }
    /* it may have gone before all this */
    p = (struct pollfd){server_pipes.death_read, POLLIN, 0};
    if (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP)) {
        _exit(1);
    }
}

static void on_signal(int signo)
{
    leave = true;
    if (signo != SIGHUP) {
        end_process = 1;
    }
    if (self && self->wake) {
        self->wake();
    }
}

void auxiliary_run(ProcessKind kind)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t none;

    self = &AUXILIARIES[kind];
    lib_after_fork(self->name);
    prctl(PR_SET_NAME, self->name);
    setsid(); /* a Ctrl-C at a postmaster in the foreground is the postmaster's business */
    process_die_with_postmaster();
    for (int s = 1; s < 32; s++) {
        signal(s, s == SIGINT || s == SIGPIPE ? SIG_IGN : SIG_DFL);
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    TRY()
    {
        while (!end_process) {
            self->main(&leave);
            if (!end_process) {
                leave = false;
                TRY()
                {
                    config_reload();
                }
                CATCH(err)
                {
                    log_error(err);
                }
                END_TRY();
            }
        }
    }
    CATCH(err)
    {
        log_error(err);
        _exit(1);
    }
    END_TRY();
    _exit(0);
}

/* ---------------------------------------------------------------- the reaper */

void reaper_wake(void)
{
    int32_t nothing = -1;
    ssize_t n = write(server_pipes.reaper_write, &nothing, sizeof nothing);

    (void)n; /* full: there is enough to wake up for */
}

void reaper_main(const volatile bool *stop)
{
    while (!*stop) {
        int32_t slot;
        ssize_t n = read(server_pipes.reaper_read, &slot, sizeof slot);
        if (n == (ssize_t)sizeof slot && slot >= 0) {
            STOP_POINT(REAPER_CLEANUP);
            store_session_cleanup(slot);
            note_send(NOTE_CLEANED, 0, slot);
        } else if (n == 0 || (n < 0 && errno != EINTR)) {
            return;
        }
    }
}
