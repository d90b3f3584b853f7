/*
 * backend/postmaster.c: the first process of a server.  It opens the store, boots the VM, and then only
 * forks, waits and signals.
 *
 * Why so little: it is the one process whose death is everyone's.  So it never takes a latch once it serves,
 * never waits for a client, and looks at shared memory only through store_process_was_critical and its like,
 * which read one word.  A connection is forked off before its first byte is read; what a stranger may send is
 * parsed in the child.  Once the child says READY, the postmaster reads the client's socket itself, for
 * fixed-size SIGNAL messages only: it is the parent, so the process id that it signals can't be another's,
 * and a session that has run exec or hangs can still be reached.
 *
 * Invariants:
 *   P1  no child touches shared memory after the postmaster has decided on a restart: all are killed and
 *       waited for first;
 *   P2  a client gets EXITED only with what waitpid said of its session;
 *   P3  once waitpid has named a child, notes are read before its end is handled: what it said is in the pipe by
 *       then, so a READY is never later than its sender's death;
 *   P4  a process with the store's lock inherited is our child, or watched by pidfd.
 *
 * The state moves only downwards (PM_RUN, PM_SMART, PM_FAST, PM_LAST); a crash restart leaves this image by
 * exec, under the same process id, with the listening socket kept open, so waiting clients only wait.
 */
#include "backend/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend/protocol.h"
#include "lib/lib.h"

typedef enum PostmasterState {
    PM_RUN,
    PM_SMART, /* no new sessions; those that run may end on their own */
    PM_FAST,  /* sessions have been told to end */
    PM_LAST,  /* sessions are gone, auxiliary processes have been told to end */
} PostmasterState;

typedef struct Child {
    pid_t pid; /* 0: free */
    ProcessKind kind;
    int sock;  /* the client, -1 when there is none (any more) */
    int pidfd; /* PROCESS_CLONE */
    bool ready;
    bool client_gone;
    int64_t born;       /* ms of the monotonic clock */
    int64_t hung_up_at; /* when we began to end it, 0: we did not */
    int severity;       /* how far we have gone: 0 HUP or TERM, 1 TERM, 2 KILL */
    uint32_t critical;   /* its critical word when we last looked */
    int64_t critical_ms; /* for how long we have seen that word */
    MessageStream stream;
} Child;

static struct {
    PostmasterState state;
    const PostmasterOptions *options;
    Store *store;
    Child *children;
    size_t room;
    int listener;
    int signals;
    bool crashed;
    bool filed; /* lodestone.pid is ours */
    int64_t stopping_since;
    int64_t started_ms;
    int64_t looked_at; /* look_after_children */
} pm;

#define LOOK_MS 1000 /* the longest time between two looks at the children */
/* Who was told to end gets TERM (in a shutdown it had that first), then KILL, so long after. */
#define TERM_MS          2000
#define KILL_MS          7000
#define SHUTDOWN_KILL_MS 20000

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / NSEC_PER_MSEC;
}

/* ---------------------------------------------------------------- the table of children */

static Child *child_new(pid_t pid, ProcessKind kind, int sock)
{
    Child *child = NULL;

    for (size_t i = 0; i < pm.room && !child; i++) {
        if (pm.children[i].pid == 0) {
            child = &pm.children[i];
        }
    }
    if (!child) {
        size_t room = pm.room ? pm.room * 2 : 64;
        pm.children = mem_realloc(memctx_top(), pm.children, room * sizeof *pm.children);
        memset(pm.children + pm.room, 0, (room - pm.room) * sizeof *pm.children);
        child = &pm.children[pm.room];
        pm.room = room;
    }
    *child = (Child){.pid = pid, .kind = kind, .sock = sock, .pidfd = -1, .born = now_ms()};
    return child;
}

static Child *child_find(pid_t pid)
{
    for (size_t i = 0; i < pm.room; i++) {
        if (pm.children[i].pid == pid && pid != 0) {
            return &pm.children[i];
        }
    }
    return NULL;
}

static void child_close(Child *child)
{
    if (child->sock >= 0) {
        close(child->sock);
        child->sock = -1;
    }
}

static void child_free(Child *child)
{
    child_close(child);
    if (child->pidfd >= 0) {
        close(child->pidfd);
    }
    child->pid = 0;
}

static bool is_session(const Child *child)
{
    return child->pid && (child->kind == PROCESS_SESSION || child->kind == PROCESS_CLONE);
}

static size_t count_sessions(bool ready)
{
    size_t n = 0;

    for (size_t i = 0; i < pm.room; i++) {
        Child *c = &pm.children[i];
        n += is_session(c) && (c->kind == PROCESS_CLONE || c->ready == ready) &&
             (ready || c->kind == PROCESS_SESSION);
    }
    return n;
}

static size_t count_auxiliaries(void)
{
    size_t n = 0;

    for (size_t i = 0; i < pm.room; i++) {
        n += pm.children[i].pid != 0 && !is_session(&pm.children[i]);
    }
    return n;
}

static void child_kill(const Child *child, int signo)
{
    if (child->kind == PROCESS_CLONE) {
        if (child->pidfd >= 0) {
            syscall(SYS_pidfd_send_signal, child->pidfd, signo, NULL, 0);
        }
    } else {
        kill(child->pid, signo);
    }
}

/* The session and what it started in its own group: what a terminal's key or its end means. */
static void child_kill_group(const Child *child, int signo)
{
    if (child->kind != PROCESS_SESSION || kill(-child->pid, signo) != 0) {
        child_kill(child, signo);
    }
}

/* ---------------------------------------------------------------- talking to clients; never waits */

static void refuse(int sock, ErrorCode code, const char *message, const char *detail, const char *hint)
{
    MessageBuilder b;

    refused_build(&b, error_code_name(code), message, detail, hint);
    message_send_now(&b, sock);
}

static void notify(int sock, const char *line)
{
    MessageBuilder b;

    if (sock >= 0) {
        message_begin(&b, MSG_NOTICE);
        message_put_string(&b, line);
        message_send_now(&b, sock);
    }
}

static void tell_exited(Child *child, int status)
{
    MessageBuilder b;

    if (child->sock < 0 || !child->ready) {
        return;
    }
    message_begin(&b, MSG_EXITED);
    message_put_u32(&b, WIFSIGNALED(status));
    message_put_u32(&b, (uint32_t)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
    message_put_u32(&b, WIFSIGNALED(status) && WCOREDUMP(status));
    message_send_now(&b, child->sock);
}

/* The client is gone: what a terminal does when its line is cut, and then less politely. */
static void begin_hangup(Child *child)
{
    child_close(child);
    child->client_gone = true;
    if (!child->hung_up_at) {
        child->hung_up_at = now_ms();
        child_kill_group(child, SIGHUP);
        child_kill_group(child, SIGCONT);
    }
}

static void forward_signal(Child *child, int signo, bool from_terminal)
{
    if (!signal_is_forwarded(signo)) {
        return;
    }
    if (signo == SIGTSTP) {
        /* only the session: it stops its children's group itself, at a safepoint */
        child_kill(child, SIGTSTP);
        return;
    }
    if (from_terminal || signo == SIGCONT) {
        child_kill_group(child, signo);
    } else {
        child_kill(child, signo);
    }
}

static void read_client(Child *child)
{
    char why[200];
    Message m;
    int got;

    while (child->sock >= 0 &&
           (got = message_stream_next(&child->stream, child->sock, &m, why, sizeof why)) != 0) {
        if (got < 0) {
            if (why[0]) {
                log_message(WARNING, "session %d: %s", (int)child->pid, why);
                refuse(child->sock, ERR_PROTOCOL, why, "", "");
            }
            begin_hangup(child);
            return;
        }
        MessageReader r = message_reader(&m);
        uint32_t signo = message_get_u32(&r);
        uint32_t from_terminal = message_get_u32(&r);
        if (message_at_end(&r) && signo < 65) {
            forward_signal(child, (int)signo, from_terminal != 0);
        }
    }
}

/* ---------------------------------------------------------------- forking */

/* What a forked child does not need; its own descriptors come from the client.  Signals stay blocked until it is ready for
 * them: an auxiliary process that died of a reload or a stop in its first moments would take all along. */
static void child_forget_postmaster(int keep)
{
    for (size_t i = 0; i < pm.room; i++) {
        if (pm.children[i].pid && pm.children[i].sock >= 0 && pm.children[i].sock != keep) {
            close(pm.children[i].sock);
        }
        if (pm.children[i].pid && pm.children[i].pidfd >= 0) {
            close(pm.children[i].pidfd);
        }
    }
    if (pm.listener >= 0) {
        close(pm.listener);
    }
    close(pm.signals);
    close(server_pipes.death_write);
    close(server_pipes.note_read);
    for (int s = 1; s < 32; s++) {
        signal(s, SIG_DFL);
    }
}

static bool fork_auxiliary(ProcessKind kind)
{
    pid_t pid = fork();

    if (pid == 0) {
        child_forget_postmaster(-1);
        auxiliary_run(kind);
    }
    if (pid < 0) {
        log_message(WARNING, "could not fork %s: %s", process_kind_name(kind), errno_text());
        return false;
    }
    child_new(pid, kind, -1);
    server_info.auxiliary_pid[kind] = pid;
    return true;
}

static void accept_client(void)
{
    struct ucred peer;
    socklen_t length = sizeof peer;
    int sock = accept4(pm.listener, NULL, NULL, SOCK_CLOEXEC);
    pid_t pid;

    if (sock < 0) {
        return;
    }
    if (getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || peer.uid != geteuid()) {
        log_message(WARNING, "refused a connection of user %u", (unsigned)peer.uid);
        refuse(sock, ERR_AUTHENTICATION, "this server serves its own user only", "", "");
    } else if (pm.state != PM_RUN) {
        refuse(sock, ERR_SHUTDOWN, "the server is shutting down", "", "");
    } else if (count_sessions(false) >= (size_t)conf.max_unauthenticated) {
        refuse(sock, ERR_TOO_MANY_SESSIONS, "too many connections wait for their handshake", "",
               "Raise max_unauthenticated, or look for clients that connect and say nothing.");
    } else {
        server_info.sessions_running = (unsigned)count_sessions(true);
        server_info.sessions_waiting = (unsigned)count_sessions(false);
        server_info.sessions_total++;
        pid = fork();
        if (pid == 0) {
            child_forget_postmaster(sock);
            session_run(sock);
        }
        if (pid > 0) {
            child_new(pid, PROCESS_SESSION, sock);
            return;
        }
        log_message(WARNING, "could not fork a session: %s", errno_text());
        refuse(sock, ERR_SYSTEM, "the server could not start another process", "", "");
    }
    close(sock);
}

/* ---------------------------------------------------------------- what children say and how they end */

static void on_ready(Child *child, int slot)
{
    MessageBuilder b;

    child->ready = true;
    message_begin(&b, MSG_READY);
    message_put_u32(&b, (uint32_t)child->pid);
    message_put_u32(&b, (uint32_t)slot);
    if (!message_send_now(&b, child->sock)) {
        begin_hangup(child);
    }
}

static void on_clone(pid_t pid)
{
    int pidfd;
    Child *child;

    if (child_find(pid)) {
        return; /* both sides of the fork say so */
    }
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    child = child_new(pid, PROCESS_CLONE, -1);
    child->pidfd = pidfd; /* -1 with ESRCH: it is dead already; noticed by the next round */
    child->ready = true;
    if (pm.state >= PM_FAST) {
        child_kill(child, SIGTERM);
    }
}

static void read_notes(void)
{
    Note note;

    while (read(server_pipes.note_read, &note, sizeof note) == (ssize_t)sizeof note) {
        Child *child = child_find(note.pid);
        switch (note.kind) {
        case NOTE_READY:
            if (child && child->kind == PROCESS_SESSION && !child->ready) {
                on_ready(child, note.slot);
            }
            break;
        case NOTE_CLONE:
            on_clone(note.pid);
            break;
        default:
            break;
        }
    }
}

static void describe_end(const Child *child, int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        snprintf(text, size, "%s %d was ended by signal %d (%s)", process_kind_name(child->kind),
                 (int)child->pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(text, size, "%s %d exited with status %d", process_kind_name(child->kind), (int)child->pid,
                 WEXITSTATUS(status));
    }
}

static void session_ended(Child *child, int status)
{
    char text[200];
    int slot;

    describe_end(child, status, text, sizeof text);
    if (store_process_was_critical(child->pid)) {
        log_message(LOG, "%s inside a critical section: all processes restart, the log is replayed", text);
        pm.crashed = true;
    } else {
        slot = store_session_slot_of(child->pid);
        log_message(DEBUG1, "%s%s", text, slot >= 0 ? ", leaving its slot to be cleaned" : "");
        if (slot >= 0) {
            int32_t word = slot;
            server_info.sessions_killed++;
            if (write(server_pipes.reaper_write, &word, sizeof word) != (ssize_t)sizeof word) {
                log_message(LOG, "the reaper does not take slot %d: all processes restart", slot);
                pm.crashed = true;
            }
        }
    }
    /* also before a restart: the one that died is told how, the others that the server recovers */
    tell_exited(child, status);
    child_free(child);
}

static void child_ended(Child *child, int status)
{
    char text[200];

    if (is_session(child)) {
        session_ended(child, status);
        return;
    }
    describe_end(child, status, text, sizeof text);
    if (pm.state == PM_LAST && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        log_message(DEBUG1, "%s", text);
    } else {
        log_message(LOG, "%s: all processes restart, the log is replayed", text);
        pm.crashed = true;
    }
    child_free(child);
}

static void child_stopped(Child *child, int status)
{
    MessageBuilder b;

    if (child->kind != PROCESS_SESSION || child->sock < 0 || !child->ready) {
        return;
    }
    message_begin(&b, MSG_STOPPED);
    message_put_u32(&b, (uint32_t)WSTOPSIG(status));
    message_send_now(&b, child->sock);
}

static void reap_children(void)
{
    pid_t pid;
    int status;

    STOP_POINT(POSTMASTER_REAP);
    while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        read_notes(); /* P3 */
        Child *child = child_find(pid);
        if (!child) {
            continue;
        }
        if (WIFSTOPPED(status)) {
            child_stopped(child, status);
        } else {
            child_ended(child, status);
        }
    }
}

/* ---------------------------------------------------------------- the clock's part */

/*
 * Commit, eviction with a latch held, opening a page, interning a name: whatever the section is, a session that stays
 * in it keeps others waiting.  Time in which nobody ran, we neither, is not held against it: a look counts LOOK_MS at most.
 */
static void watch_critical(Child *c, int64_t passed)
{
    int slot = store_session_slot_of(c->pid); /* none any more after an exec */
    uint32_t word = slot >= 0 ? store_session_critical_word(slot) : 0;

    if (!CRIT_SAME(word, c->critical)) {
        c->critical = word;
        c->critical_ms = 0;
    } else if ((c->critical_ms += passed) > conf.critical_timeout) {
        log_message(WARNING, "session %d has been in a critical section for %lld ms: killing it", (int)c->pid,
                    (long long)c->critical_ms);
        c->severity = 2;
        child_kill(c, SIGKILL);
    }
}

/* Sessions that were told to end and did not, handshakes that never end, sessions stuck in a critical
 * section. */
static void look_after_children(void)
{
    int64_t now = now_ms(), passed = MIN(now - pm.looked_at, LOOK_MS);

    pm.looked_at = now;
    for (size_t i = 0; i < pm.room; i++) {
        Child *c = &pm.children[i];
        if (!is_session(c)) {
            continue;
        }
        if (c->kind == PROCESS_SESSION && !c->ready && !c->hung_up_at &&
            now - c->born > conf.authentication_timeout + 2000) {
            c->hung_up_at = now;
            child_kill(c, SIGKILL); /* it has no slot yet, and no program */
        }
        if (c->hung_up_at && c->severity == 0 && now - c->hung_up_at > TERM_MS) {
            c->severity = 1;
            child_kill_group(c, SIGTERM);
            child_kill_group(c, SIGCONT);
        }
        if (c->hung_up_at && c->severity == 1 &&
            now - c->hung_up_at > (pm.state == PM_RUN ? KILL_MS : SHUTDOWN_KILL_MS)) {
            c->severity = 2;
            child_kill(c, SIGKILL); /* in a critical section that is a restart: it had the time to get out of it */
        }
        if (c->ready && c->severity < 2) {
            watch_critical(c, passed);
        }
    }
}

/* ---------------------------------------------------------------- ends */

static void stop_sessions(void)
{
    int64_t now = now_ms();

    for (size_t i = 0; i < pm.room; i++) {
        Child *c = &pm.children[i];
        if (is_session(c) && !c->hung_up_at) {
            c->hung_up_at = now;
            c->severity = 1; /* a second TERM would cut its ensure clauses short */
            if (c->ready) {
                notify(c->sock, "the server is shutting down");
            } else if (c->sock >= 0) {
                refuse(c->sock, ERR_SHUTDOWN, "the server is shutting down", "", "");
            }
            child_kill(c, SIGTERM);
            child_kill_group(c, SIGCONT);
        }
    }
}

static void kill_all(void)
{
    for (size_t i = 0; i < pm.room; i++) {
        if (pm.children[i].pid) {
            child_kill(&pm.children[i], SIGKILL);
        }
    }
    /* P1 */
    for (size_t i = 0; i < pm.room; i++) {
        Child *c = &pm.children[i];
        if (!c->pid) {
            continue;
        }
        if (c->kind == PROCESS_CLONE) {
            struct pollfd p = {c->pidfd, POLLIN, 0};
            if (c->pidfd >= 0) {
                poll(&p, 1, 10000);
            }
        } else {
            while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR) {
            }
        }
    }
}

static void release_server_files(void)
{
    if (server_info.socket[0]) {
        unlink(server_info.socket);
    }
    server_file_remove(pm.options->dir);
}

/* Immediate shutdown: nothing is written; the next start recovers. */
NORETURN static void end_at_once(void)
{
    log_message(LOG, "immediate shutdown");
    for (size_t i = 0; i < pm.room; i++) {
        if (is_session(&pm.children[i]) && pm.children[i].sock >= 0) {
            refuse(pm.children[i].sock, ERR_SHUTDOWN, "the server was stopped at once", "", "");
        }
    }
    kill_all();
    release_server_files();
    _exit(0);
}

/* Everyone ends; shared memory goes with this image; the store recovers in the next one. */
NORETURN static void restart_after_crash(void)
{
    char fd[16], count[16];
    char **argv = (char **)pm.options->argv;
    size_t n = 0, out = 0;
    char **again;
    bool quick = now_ms() - pm.started_ms < 5000;
    unsigned restarts = quick ? pm.options->restarts + 1 : 1;

    for (size_t i = 0; i < pm.room; i++) {
        Child *c = &pm.children[i];
        if (is_session(c) && c->sock >= 0) {
            refuse(c->sock, ERR_CRASH_RECOVERY,
                   "the server restarts because another process died inside a critical section",
                   "What was committed is safe; what was not is lost.", "Run the program again.");
        }
    }
    kill_all();
    if (pm.state != PM_RUN) {
        log_message(LOG, "a process crashed during shutdown; the next start recovers");
        release_server_files();
        _exit(1);
    }
    if (restarts > 1000) {
        log_message(WARNING, "gave up after %u restarts in close succession", restarts);
        release_server_files();
        _exit(1);
    }
    TRY()
    {
        server_file_write(pm.options->dir, server_info.socket, "starting", server_info.started);
    }
    CATCH(err)
    {
        log_error(err);
    }
    END_TRY();
    while (argv && argv[n]) {
        n++;
    }
    again = calloc(n + 8, sizeof *again);
    if (!again) {
        log_message(WARNING, "could not run the server again: out of memory");
        release_server_files();
        _exit(1);
    }
    for (size_t i = 0; i < n; i++) {
        /* leave out what the last restart added, and the pipe of the first start */
        if (strcmp(argv[i], "--listen-fd") == 0 || strcmp(argv[i], "--restarts") == 0 ||
            strcmp(argv[i], "--ready-fd") == 0) {
            i++;
            continue;
        }
        again[out++] = argv[i];
    }
    snprintf(fd, sizeof fd, "%d", pm.listener);
    snprintf(count, sizeof count, "%u", restarts);
    again[out++] = "--listen-fd";
    again[out++] = fd;
    again[out++] = "--restarts";
    again[out++] = count;
    fcntl(pm.listener, F_SETFD, 0);
    unsetenv("LODE_STOP"); /* events of a test strike once a start; the stop file goes on */
    unsetenv("LODE_IO_FAULT");
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv("/proc/self/exe", again);
    log_message(WARNING, "could not run the server again: %s", errno_text());
    release_server_files();
    _exit(1);
}

/* ---------------------------------------------------------------- signals: PostgreSQL's meanings */

static void on_signal(int signo)
{
    switch (signo) {
    case SIGHUP:
        log_message(LOG, "reloading the configuration");
        TRY()
        {
            config_reload();
            log_reopen();
        }
        CATCH(err)
        {
            log_error(err);
        }
        END_TRY();
        for (size_t i = 0; i < pm.room; i++) {
            if (pm.children[i].pid && !is_session(&pm.children[i])) {
                kill(pm.children[i].pid, SIGHUP);
            }
        }
        break;
    case SIGTERM:
        if (pm.state < PM_SMART) {
            log_message(LOG, "smart shutdown: waiting for %zu sessions", count_sessions(true));
            pm.state = PM_SMART;
        }
        break;
    case SIGINT:
        if (pm.state < PM_FAST) {
            log_message(LOG, "fast shutdown: ending %zu sessions", count_sessions(true));
            pm.state = PM_FAST;
            stop_sessions();
        }
        break;
    case SIGQUIT:
        end_at_once();
    default:
        break;
    }
    if (pm.state > PM_RUN && !pm.stopping_since) {
        pm.stopping_since = now_ms();
        server_info.state = "stopping";
        TRY()
        {
            server_file_write(pm.options->dir, server_info.socket, "stopping", server_info.started);
        }
        CATCH(err)
        {
            log_error(err);
        }
        END_TRY();
    }
}

static void read_signals(void)
{
    struct signalfd_siginfo info;

    while (read(pm.signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGCHLD) {
            on_signal((int)info.ssi_signo);
        }
    }
    reap_children();
}

/* ---------------------------------------------------------------- the loop */

/* True when all is over. */
static bool advance_shutdown(void)
{
    if ((pm.state == PM_SMART || pm.state == PM_FAST) && count_sessions(true) + count_sessions(false) == 0) {
        pm.state = PM_LAST;
        for (size_t i = 0; i < pm.room; i++) {
            if (pm.children[i].pid) {
                kill(pm.children[i].pid, SIGTERM);
            }
        }
    }
    return pm.state == PM_LAST && count_auxiliaries() == 0;
}

static void serve(void)
{
    struct pollfd *polls = NULL;
    pid_t *owners = NULL;
    size_t room = 0;

    for (;;) {
        size_t n = 3;
        if (room < pm.room + 3) {
            room = pm.room + 3;
            polls = mem_realloc(memctx_top(), polls, room * sizeof *polls);
            owners = mem_realloc(memctx_top(), owners, room * sizeof *owners);
        }
        polls[0] = (struct pollfd){pm.signals, POLLIN, 0};
        polls[1] = (struct pollfd){server_pipes.note_read, POLLIN, 0};
        polls[2] = (struct pollfd){pm.listener, POLLIN, 0};
        for (size_t i = 0; i < pm.room; i++) {
            Child *c = &pm.children[i];
            if (c->pid && c->kind == PROCESS_CLONE) {
                polls[n] = (struct pollfd){c->pidfd, POLLIN, 0};
            } else if (c->pid && c->ready && c->sock >= 0) {
                polls[n] = (struct pollfd){c->sock, POLLIN, 0};
            } else {
                continue;
            }
            owners[n++] = c->pid;
        }
        poll(polls, n, LOOK_MS);
        if (polls[1].revents) {
            read_notes();
        }
        if (polls[0].revents) {
            read_signals();
        }
        for (size_t i = 3; i < n && !pm.crashed; i++) {
            Child *c = child_find(owners[i]);
            if (!c) {
                continue;
            }
            if (c->kind == PROCESS_CLONE && (polls[i].revents || c->pidfd < 0)) {
                session_ended(c, 0);
            } else if (c->kind == PROCESS_SESSION && polls[i].revents) {
                read_client(c);
            }
        }
        if (pm.crashed) {
            restart_after_crash();
        }
        if (polls[2].revents && !pm.crashed) {
            accept_client();
        }
        look_after_children();
        if (advance_shutdown()) {
            return;
        }
    }
}

/* ---------------------------------------------------------------- start */

static void make_pipes(void)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        goto failed;
    }
    server_pipes.note_read = ends[0];
    server_pipes.note_write = ends[1];
    fcntl(ends[1], F_SETFL, 0); /* the writers wait rather than lose a note */
    if (pipe2(ends, O_CLOEXEC) != 0) {
        goto failed;
    }
    server_pipes.death_read = ends[0];
    server_pipes.death_write = ends[1];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        goto failed;
    }
    server_pipes.reaper_read = ends[0];
    server_pipes.reaper_write = ends[1];
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* the postmaster never waits for the reaper */
    return;
failed:
    ereport(ERROR, ERR_SYSTEM, errmsg("could not make a pipe: %s", errno_text()));
}

static void watch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    pm.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (pm.signals < 0) {
        ereport(ERROR, ERR_SYSTEM, errmsg("could not make a signal descriptor: %s", errno_text()));
    }
}

/* A postmaster that was killed leaves children that die with it at once, but not before us: wait for the lock a moment. */
#define LOCK_WAIT_MS         5000
#define LOCK_WAIT_ORPHANS_MS 60000 /* lodestone.pid names a dead one: they may be in a slow disk's hands */

static Store *open_store(const char *dir, bool orphans)
{
    Store *volatile store = NULL;
    const int64_t until = now_ms() + (orphans ? LOCK_WAIT_ORPHANS_MS : LOCK_WAIT_MS);

    while (!store) {
        TRY()
        {
            store = store_open(dir, STORE_POSTMASTER);
        }
        CATCH(err)
        {
            if (err->code != ERR_STORE_IN_USE || now_ms() > until) {
                rethrow();
            }
        }
        END_TRY();
        if (!store) {
            io.sleep_ns(50 * NSEC_PER_MSEC);
        }
    }
    return store;
}

/* From here on lodectl and clients know that a server is on its way, though it may have a long recovery before it. */
static bool announce(const char *dir)
{
    ServerFile file;
    bool found = server_file_read(dir, &file) && file.pid != getpid();

    if (found && server_is_alive(&file)) {
        ereport(ERROR, ERR_STORE_IN_USE,
                errmsg("another server (process %d) is running on \"%s\"", file.pid, dir),
                errhint("Stop it with \"lodectl -D %s stop\".", dir));
    }
    server_file_write(dir, "", "starting", server_info.started);
    pm.filed = true;
    return found;
}

static void start(const PostmasterOptions *options)
{
    void *lock = NULL;
    sigset_t reload;
    bool orphans = false;

    /* A reload meanwhile is for later.  What ends a server ends it here at once, as a crash would. */
    sigemptyset(&reload);
    sigaddset(&reload, SIGHUP);
    sigprocmask(SIG_BLOCK, &reload, NULL);
    umask(077);
    prctl(PR_SET_NAME, SERVER_NAME); /* also after a restart by exec: server_is_alive looks at it */
    datadir_check(options->dir);
    if (chdir(options->dir) != 0) {
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not enter \"%s\": %s", options->dir, errno_text()));
    }
    datadir_load_config(options->dir);
    if (options->background && strcmp(conf.log_destination, "file") == 0) {
        mkdir("log", 0700);
        log_open(FILE_LOG);
    }
    for (char *const *s = options->settings; s && *s; s++) {
        char name[128];
        const char *equals = strchr(*s, '=');
        if (!equals || (size_t)(equals - *s) >= sizeof name) {
            ereport(ERROR, ERR_USAGE, errmsg("-c wants name=value, not \"%s\"", *s));
        }
        snprintf(name, sizeof name, "%.*s", (int)(equals - *s), *s);
        config_set(name, equals + 1, CONFIG_FROM_COMMAND_LINE, false);
    }
    server_info.dir = options->dir;
    server_info.pid = getpid();
    server_info.started = clock_realtime_ns() / NSEC_PER_SEC;
    server_info.restarts = options->restarts;
    server_info.state = "starting";
    if (options->listen_fd >= 0) {
        pm.filed = true; /* by ourselves, before the restart */
    } else {
        if (options->ready_fd < 0) {
            lock = launch_lock(options->dir);
        }
        orphans = announce(options->dir);
    }
    pm.store = open_store(options->dir, orphans);
    if (options->listen_fd >= 0) {
        pm.listener = options->listen_fd;
        fcntl(pm.listener, F_SETFD, FD_CLOEXEC);
        ServerFile file;
        if (server_file_read(options->dir, &file)) {
            snprintf(server_info.socket, sizeof server_info.socket, "%s", file.socket);
        }
    } else {
        pm.listener = socket_listen(options->dir, server_info.socket, sizeof server_info.socket);
    }
    server_file_write(options->dir, server_info.socket, "starting", server_info.started);
    make_pipes();
    watch_signals();
    backend_vm.boot(pm.store);
    fflush(NULL);
#define AUXILIARY(kind, text, main, wake)                                                                    \
    if (!fork_auxiliary(PROCESS_##kind)) {                                                                   \
        ereport(ERROR, ERR_SYSTEM, errmsg("could not start the %s", text));                                  \
    }
#include "backend/auxiliary.def"
#undef AUXILIARY
    server_info.state = "ready";
    server_file_write(options->dir, server_info.socket, "ready", server_info.started);
    if (lock) {
        resource_release(lock);
    }
    pm.started_ms = now_ms();
    log_message(LOG, "ready on \"%s\"", server_info.socket);
}

static void tell_starter(const PostmasterOptions *options, const char *text, const char *hint)
{
    if (options->ready_fd >= 0) {
        if (hint && *hint) {
            dprintf(options->ready_fd, "%s (%s)\n", text, hint);
        } else {
            dprintf(options->ready_fd, "%s\n", text);
        }
        close(options->ready_fd);
    }
}

int postmaster_main(const PostmasterOptions *options)
{
    volatile int status = 0;

    pm.options = options;
    pm.listener = pm.signals = -1;
    TRY()
    {
        start(options);
    }
    CATCH(err)
    {
        if (options->background) {
            log_error(err);
        } else {
            fprintf(stderr, "lodestone: %s%s%s%s\n", err->message, err->hint[0] ? " (" : "", err->hint,
                    err->hint[0] ? ")" : "");
        }
        tell_starter(options, err->message, err->hint);
        kill_all();
        if (pm.filed) {
            release_server_files();
        }
        return 1;
    }
    END_TRY();
    tell_starter(options, "ready", NULL);
    serve();
    close(pm.listener);
    TRY()
    {
        store_close(pm.store, true);
        log_message(LOG, "shut down");
    }
    CATCH(err)
    {
        log_error(err);
        status = 1;
    }
    END_TRY();
    release_server_files();
    return status;
}
