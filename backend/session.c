/*
 * backend/session.c: a process that serves one connection: handshake, then one program, then its end.
 *
 * The child is forked before the first byte is read, so a bad client can only hurt its own process.  It goes
 * through
 *
 *   handshake   HELLO, then START (or STATUS_ASK, answered here); under one deadline; no slot, no program yet
 *   attached    it holds a slot of shared memory: the postmaster cleans up after it if it dies
 *   ready       NOTE_READY: the postmaster speaks to the client from here on, this process has closed the
 *               socket
 *   running     the VM has control
 *
 * It is a process-group and session leader without a controlling terminal, so reading the client's terminal
 * never stops it, and what it starts is in its group, where the postmaster's signals reach it.  After READY
 * nothing here reads or writes the socket: signals come as signals, and the exit status goes by waitpid.
 *
 * A descriptor that the client passed is the user's: never made non-blocking, never closed but by the
 * program.
 */
#include "backend/process.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend/protocol.h"
#include "lib/lib.h"
#include "vm/host.h"
#include "vm/persist.h"
#include "vm/vm.h"

extern char **environ;

/* ---------------------------------------------------------------- answers */

NORETURN static void refuse_and_exit(int sock, ErrorCode code, const char *message, const char *detail,
                                     const char *hint)
{
    MessageBuilder b;

    refused_build(&b, error_code_name(code), message, detail, hint);
    message_send(&b, sock, NULL, 0);
    _exit(1);
}

static void status_line(StrBuf *out, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);

static void status_line(StrBuf *out, const char *name, const char *format, ...)
{
    va_list args;

    strbuf_printf(out, "%s=", name);
    va_start(args, format);
    strbuf_vprintf(out, format, args);
    va_end(args);
    strbuf_putc(out, '\n');
}

/* "wal.batches" is wal_batches */
static void figure_line(StrBuf *out, const char *field, uint64_t n)
{
    char name[64];

    snprintf(name, sizeof name, "%s", field);
    for (char *c = name; *c; c++) {
        if (*c == '.') {
            *c = '_';
        }
    }
    status_line(out, name, "%llu", (unsigned long long)n);
}

static void status_of_store(StrBuf *out)
{
    StoreStats s;
    SessionInfo sessions[256];
    size_t n;

    memset(&s, 0, sizeof s);
    store_stats(&s);
#define FIGURE(field) figure_line(out, #field, s.field);
#include "storage/statistics.def"
#undef FIGURE
    n = store_sessions(sessions, COUNT_OF(sessions));
    for (size_t i = 0; i < n; i++) {
        char name[32];
        /* words in pairs: lodectl status --sessions makes columns of them */
        snprintf(name, sizeof name, "session.%d", sessions[i].slot + 1);
        status_line(out, name, "pid %d snapshot %llu age_ms %llu pinned_bytes %llu locks %u commits %llu conflicts %llu state %s",
                    sessions[i].pid, (unsigned long long)sessions[i].snapshot,
                    (unsigned long long)sessions[i].view_age_us / 1000, (unsigned long long)sessions[i].pinned_bytes,
                    sessions[i].locks, (unsigned long long)sessions[i].commits,
                    (unsigned long long)sessions[i].conflicts,
                    sessions[i].critical ? "critical" : sessions[i].timed_out ? "timed_out" : "open");
    }
}

NORETURN static void answer_status(int sock)
{
    StrBuf text;
    MessageBuilder b;

    strbuf_init(&text, memctx_current());
    status_line(&text, "state", "%s", server_info.state);
    status_line(&text, "pid", "%d", server_info.pid);
    status_line(&text, "version", "%s", LODESTONE_VERSION);
    status_line(&text, "data_directory", "%s", server_info.dir);
    status_line(&text, "socket", "%s", server_info.socket);
    status_line(&text, "started", "%lld", (long long)server_info.started);
    status_line(&text, "uptime_seconds", "%lld",
                (long long)(clock_realtime_ns() / NSEC_PER_SEC - server_info.started));
    status_line(&text, "restarts", "%u", server_info.restarts);
#define AUXILIARY(kind, name, main, wake)                                                                    \
    status_line(&text, name "_pid", "%d", server_info.auxiliary_pid[PROCESS_##kind]);
#include "backend/auxiliary.def"
#undef AUXILIARY
    status_line(&text, "sessions", "%u", server_info.sessions_running);
    status_line(&text, "sessions_max", "%lld", (long long)conf.max_sessions);
    status_line(&text, "connections_waiting", "%u", server_info.sessions_waiting);
    status_line(&text, "connections_total", "%llu", (unsigned long long)server_info.sessions_total);
    status_line(&text, "sessions_cleaned_up", "%llu", (unsigned long long)server_info.sessions_killed);
    TRY()
    {
        status_of_store(&text);
    }
    CATCH(err)
    {
        status_line(&text, "store_error", "%s", err->message);
    }
    END_TRY();
    message_begin(&b, MSG_STATUS);
    message_put_string(&b, text.data);
    message_send(&b, sock, NULL, 0);
    _exit(0);
}

/* ---------------------------------------------------------------- handshake */

static void receive_or_refuse(Message *m, int sock, int64_t deadline)
{
    char why[200];
    int got = message_receive(m, sock, FROM_CLIENT, deadline, why, sizeof why);

    if (got == 0) {
        _exit(0); /* connected and went: someone looked whether we are here */
    }
    if (got < 0) {
        log_message(LOG, "refused a connection: %s", why);
        refuse_and_exit(sock, ERR_PROTOCOL, why, "", "");
    }
}

static void check_hello(const Message *m, int sock)
{
    MessageReader r = message_reader(m);
    uint32_t version = message_get_u32(&r);
    const char *product = message_get_string(&r);
    char text[160];

    if (m->type != MSG_HELLO || !message_at_end(&r)) {
        refuse_and_exit(sock, ERR_PROTOCOL, "a connection begins with HELLO", "", "");
    }
    if (version != PROTOCOL_VERSION) {
        snprintf(text, sizeof text, "protocol version %u of client %.40s is not that of server %s, %u",
                 version, product, LODESTONE_VERSION, PROTOCOL_VERSION);
        refuse_and_exit(sock, ERR_PROTOCOL, text, "",
                        "Stop the server; a new one starts with the client's version.");
    }
}

/* ---------------------------------------------------------------- becoming the client's process */

/* The client's descriptors become 0, 1, 2; what it had closed stays closed. */
static void adopt_descriptors(const StartMessage *start, Message *m, int sock)
{
    int at = 0;

    for (int fd = 0; fd < 3; fd++) {
        if (start->fd_mask & (1u << fd)) {
            int from = m->fds[at++];
            if (dup2(from, fd) < 0) {
                refuse_and_exit(sock, ERR_SYSTEM, "could not take over the client's descriptors",
                                strerror(errno), "");
            }
        } else {
            close(fd);
        }
    }
    if (start->fd_mask & 8u) {
        if (fchdir(m->fds[at]) != 0) {
            refuse_and_exit(sock, ERR_NO_FILE, "could not enter the client's working directory",
                            strerror(errno), "");
        }
    }
    for (int i = 0; i < m->fd_count; i++) {
        close(m->fds[i]);
    }
    m->fd_count = 0;
}

static void adopt_environment(StartMessage *start)
{
    environ = start->envp; /* lives as long as the process */
    tzset();
    setlocale(LC_CTYPE, "");
    umask((mode_t)(start->umask & 0777));
    for (uint32_t i = 0; i < start->limit_count; i++) {
        setrlimit((int)i, &start->limits[i]); /* a limit that we may not raise stays ours */
    }
    if (start->nice < 40) {
        setpriority(PRIO_PROCESS, 0, 20 - (int)start->nice);
    }
}

static volatile sig_atomic_t stop_asked;

static void on_interrupt(int signo)
{
    int saved = errno;

    backend_vm.interrupt(signo);
    errno = saved;
}

/* TSTP: no signal for the program, only a wish that the next safepoint fulfils. */
static void on_stop(int signo)
{
    int saved = errno;

    (void)signo;
    stop_asked = 1;
    backend_vm.interrupt(0);
    errno = saved;
}

static void at_safepoint(void)
{
    if (stop_asked) {
        stop_asked = 0;
        vm_host.stop();
    }
}

/*
 * The signals whose meaning Ruby defines go to the VM; it installs others itself when the program traps them.
 * What the client ignored stays ignored, so that `nohup lode` is what it says.
 */
static void adopt_signals(uint64_t ignored, bool session)
{
    static const int to_vm[] = {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2};
    struct sigaction action = {.sa_handler = on_interrupt};

    sigfillset(&action.sa_mask);
    for (int s = 1; s < 32; s++) {
        if (s != SIGKILL && s != SIGSTOP && session) {
            signal(s, ignored & (UINT64_C(1) << (s - 1)) ? SIG_IGN : SIG_DFL);
        }
    }
    for (size_t i = 0; i < COUNT_OF(to_vm); i++) {
        if (!(ignored & (UINT64_C(1) << (to_vm[i] - 1)))) {
            sigaction(to_vm[i], &action, NULL);
        }
    }
    if (session && !(ignored & (UINT64_C(1) << (SIGTSTP - 1)))) {
        action.sa_handler = on_stop;
        sigaction(SIGTSTP, &action, NULL); /* its default would do nothing in an orphaned process group */
    }
    if (!(ignored & (UINT64_C(1) << (SIGPIPE - 1)))) {
        signal(SIGPIPE, SIG_IGN); /* Errno::EPIPE, as Ruby has it */
    }
}

static void block_signals(uint64_t blocked)
{
    sigset_t set;

    sigemptyset(&set);
    for (int s = 1; s < 32; s++) {
        if (blocked & (UINT64_C(1) << (s - 1))) {
            sigaddset(&set, s);
        }
    }
    sigprocmask(SIG_SETMASK, &set, NULL);
}

static void enter_directory(const VmOptions *opts)
{
    if (opts->directory && chdir(opts->directory) != 0) {
        ereport(ERROR, error_code_of_errno(errno), errmsg("Can't chdir to %s (fatal)", opts->directory));
    }
}

/* ---------------------------------------------------------------- what the VM asks of us */

static pid_t host_fork(void)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        lib_after_fork("session");
        note_send(NOTE_CLONE, getpid(), -1);
        process_die_with_postmaster();
    } else if (pid > 0) {
        note_send(NOTE_CLONE, pid, -1); /* both say so: either may be killed before it can */
    }
    return pid;
}

static bool host_exec_prepare(void)
{
    persist_session_end();
    return true;
}

static void host_exec_failed(void)
{
    persist_session_start();
}

/*
 * The whole group, we included: this is a safepoint outside critical sections, so others can wait for nothing
 * of ours.  The postmaster sees us stopped and tells the client, which then stops itself.
 */
static void host_stop(void)
{
    if (getpgrp() == getpid()) {
        kill(0, SIGSTOP);
    } else {
        kill(getpid(), SIGSTOP);
    }
}

static void host_subprocess_begin(void)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}

/* ---------------------------------------------------------------- the life of a session */

static const char *find_in_environment(char **env, const char *name)
{
    size_t n = strlen(name);

    for (; env && *env; env++) {
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') {
            return *env + n + 1;
        }
    }
    return NULL;
}

/* Everything up to READY; errors are the client's to read. */
static void prepare(int sock, VmOptions *opts)
{
    StartMessage start;
    Message m;
    char why[200];
    int64_t deadline = clock_monotonic_ns() / NSEC_PER_MSEC + conf.authentication_timeout;

    receive_or_refuse(&m, sock, deadline);
    check_hello(&m, sock);
    message_free(&m);
    receive_or_refuse(&m, sock, deadline);
    if (m.type == MSG_STATUS_ASK) {
        answer_status(sock);
    }
    if (m.type != MSG_START) {
        refuse_and_exit(sock, ERR_PROTOCOL, "START or STATUS_ASK is expected", message_name(m.type), "");
    }
    if (!start_parse(&start, &m, why, sizeof why)) {
        log_message(LOG, "refused a connection: %s", why);
        refuse_and_exit(sock, ERR_PROTOCOL, why, "", "");
    }
    if (!options_parse(opts, (int)start.argc, (const char *const *)start.argv,
                       find_in_environment(start.envp, "RUBYOPT"), start.stdin_is_tty != 0)) {
        refuse_and_exit(sock, ERR_USAGE, opts->error, "", "");
    }
    TRY()
    {
        store_session_attach();
    }
    CATCH(err)
    {
        refuse_and_exit(sock, err->code, err->message, err->detail, err->hint);
    }
    END_TRY();
    opts->is_session = true;
    adopt_descriptors(&start, &m, sock);
    adopt_environment(&start);
    adopt_signals(start.ignored_signals, true);
    TRY()
    {
        enter_directory(opts);
    }
    CATCH(err)
    {
        refuse_and_exit(sock, err->code, err->message, "", "");
    }
    END_TRY();
    block_signals(start.blocked_signals);
    /* `m` and `start` own the words and the environment: kept for good */
}

static void end_process(int status)
{
    fflush(NULL);
    TRY()
    {
        store_session_detach();
    }
    CATCH(err)
    {
        log_error(err);
    }
    END_TRY();
    _exit(status);
}

void session_run(int sock)
{
    VmOptions opts;
    volatile int status = 1;
    struct sigaction none = {.sa_handler = SIG_DFL};
    sigset_t nothing;

    lib_after_fork("session");
    sigemptyset(&nothing);
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    prctl(PR_SET_NAME, "lode-session");
    setsid();
    process_die_with_postmaster();
    sigaction(SIGPIPE, &none, NULL);
    close(server_pipes.reaper_read);
    close(server_pipes.reaper_write);
    vm_host = (VmHost){
        .fork = host_fork,
        .exec_prepare = host_exec_prepare,
        .exec_failed = host_exec_failed,
        .stop = host_stop,
        .subprocess_begin = host_subprocess_begin,
    };
    vm_safepoint_hook = at_safepoint;
    prepare(sock, &opts);
    note_send(NOTE_READY, getpid(), store_session_slot());
    close(sock);
    TRY()
    {
        status = backend_vm.session_main(&opts);
    }
    CATCH(err)
    {
        log_error(err);
        dprintf(2, "lode: %s\n", err->message);
        if (err->detail[0]) {
            dprintf(2, "DETAIL:  %s\n", err->detail);
        }
        if (err->hint[0]) {
            dprintf(2, "HINT:  %s\n", err->hint);
        }
    }
    END_TRY();
    end_process(status);
    _exit(status);
}

/* ---------------------------------------------------------------- --solo */

/*
 * No WAL writer here: what asynchronous commits leave unwritten is written at the first safepoint after FLUSH_NS.  A
 * program that waits (for input, for the clock) reaches one: the signal ends its poll.
 */
#define FLUSH_NS (20 * NSEC_PER_MSEC)

static timer_t flush_timer;
static volatile sig_atomic_t flush_awaited, flush_due;

static void on_flush_timer(int signo)
{
    (void)signo;
    flush_due = 1;
    backend_vm.interrupt(0);
}

static void start_flush_timer(void)
{
    struct itimerspec once = {.it_value.tv_nsec = FLUSH_NS};

    if (!flush_awaited) {
        flush_awaited = 1;
        timer_settime(flush_timer, 0, &once, NULL);
    }
}

static void flush_if_due(void)
{
    if (flush_due) {
        flush_due = flush_awaited = 0;
        store_flush_left();
    }
}

/* SIGRTMIN: Ruby programs know no real-time signals. */
static void make_flush_timer(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct sigaction action = {.sa_handler = on_flush_timer, .sa_flags = SA_RESTART};

    sigfillset(&action.sa_mask);
    sigaction(SIGRTMIN, &action, NULL);
    if (timer_create(CLOCK_MONOTONIC, &event, &flush_timer) != 0) {
        ereport(ERROR, ERR_SYSTEM, errmsg("could not make a timer: %s", errno_text()));
    }
    store_left_lying = start_flush_timer;
    vm_safepoint_hook = flush_if_due;
}

int solo_main(const char *dir, VmOptions *opts)
{
    volatile int status = 1;
    struct stat st;
    uint64_t ignored = 0;

    if (stat(dir, &st) == 0) {
        datadir_check(dir);
    }
    if (!store_exists(dir)) {
        datadir_create(dir);
    }
    datadir_load_config(dir);
    make_flush_timer();
    Store *store = store_open(dir, STORE_SOLO);
    store_session_attach();
    for (int s = 1; s < 32; s++) {
        struct sigaction was;
        if (sigaction(s, NULL, &was) == 0 && was.sa_handler == SIG_IGN) {
            ignored |= UINT64_C(1) << (s - 1);
        }
    }
    setlocale(LC_CTYPE, "");
    enter_directory(opts);
    backend_vm.boot(store);
    adopt_signals(ignored, false);
    TRY()
    {
        status = backend_vm.session_main(opts);
    }
    CATCH(err)
    {
        fflush(NULL);
        store_close(store, false);
        rethrow();
    }
    END_TRY();
    fflush(NULL);
    store_close(store, true);
    return status;
}
