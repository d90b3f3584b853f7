/*
 * utils/bin/lode.c: the client: looks like `ruby`, and is gone as soon as it can be.
 *
 * It sends its arguments, environment, directory and descriptors to a session of the server and from then on
 * only passes signals one way and waits for the end.  All input and output is the session's own, on the very
 * same open files.  It then ends as the session did: the same status, or the same signal.
 *
 * Stopping: TSTP is blocked here and passed on; the session stops at a safepoint, the server says STOPPED,
 * and only then does this process stop itself, so that the shell has its terminal back when all stand still.
 *
 * `--solo` runs the program in this process.  Called as maglev-irb it is the REPL.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/protocol.h"
#include "lib/lib.h"

extern char **environ;

/* The terminal's state at the start, given back when a REPL's session died in the middle of a line. */
static struct termios terminal;
static bool terminal_known;

/* How often a client turns to the next server when one is gone before it read what to run. */
enum { CONNECT_TRIES = 5 };

static void save_terminal(void)
{
    terminal_known = tcgetattr(0, &terminal) == 0;
}

static void restore_terminal(void)
{
    if (terminal_known) {
        /* from the background this would stop us */
        signal(SIGTTOU, SIG_IGN);
        tcsetattr(0, TCSADRAIN, &terminal);
    }
}

static uint64_t signals_in(const sigset_t *set)
{
    uint64_t bits = 0;

    for (int s = 1; s < 32; s++) {
        if (sigismember(set, s) == 1) {
            bits |= UINT64_C(1) << (s - 1);
        }
    }
    return bits;
}

static uint64_t ignored_signals(void)
{
    uint64_t bits = 0;

    for (int s = 1; s < 32; s++) {
        struct sigaction action;
        if (sigaction(s, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            bits |= UINT64_C(1) << (s - 1);
        }
    }
    return bits;
}

/* Blocks what is passed on and returns the descriptor that reports it. */
static int watch_signals(uint64_t ignored)
{
    sigset_t set;

    sigemptyset(&set);
    for (int s = 1; s < 32; s++) {
        if (signal_is_forwarded(s) && !(ignored & (UINT64_C(1) << (s - 1)))) {
            sigaddset(&set, s);
        }
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static uint32_t count_words(char **words)
{
    uint32_t n = 0;

    while (words[n]) {
        n++;
    }
    return n;
}

/* Returns false when the server is gone; a refusal may be there to read all the same. */
static bool send_start(int sock, int argc, char **argv, uint64_t ignored, uint64_t blocked)
{
    StartMessage start;
    MessageBuilder b;
    int fds[PROTOCOL_MAX_FDS], count = 0;
    char cwd[4096];
    int here;

    memset(&start, 0, sizeof start);
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            start.fd_mask |= 1u << fd;
            fds[count++] = fd;
        }
    }
    here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0) {
        here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (here >= 0) {
        start.fd_mask |= 8;
        fds[count++] = here;
    }
    start.umask = (uint32_t)umask(0);
    umask((mode_t)start.umask);
    start.stdin_is_tty = isatty(0) != 0;
    errno = 0;
    int nice_value = getpriority(PRIO_PROCESS, 0);
    start.nice = errno ? 20 : (uint32_t)(20 - nice_value);
    start.ignored_signals = ignored;
    start.blocked_signals = blocked;
    start.limit_count = PROTOCOL_RLIMITS;
    for (uint32_t i = 0; i < PROTOCOL_RLIMITS; i++) {
        getrlimit((int)i, &start.limits[i]);
    }
    start.cwd = getcwd(cwd, sizeof cwd) ? cwd : "";
    start.argc = (uint32_t)argc;
    start.argv = argv;
    start.envc = count_words(environ);
    start.envp = environ;
    start_build(&b, &start);
    bool sent = message_send(&b, sock, fds, count);
    if (!sent && errno == ENOMEM) {
        ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("out of memory for what the session is to know"));
    }
    if (here >= 0) {
        close(here);
    }
    return sent;
}

static void forward(int sock, const struct signalfd_siginfo *info)
{
    MessageBuilder b;

    message_begin(&b, MSG_SIGNAL);
    message_put_u32(&b, info->ssi_signo);
    message_put_u32(&b, info->ssi_code == SI_KERNEL);
    message_send(&b, sock, NULL, 0);
}

NORETURN static void end_like(uint32_t by_signal, uint32_t value)
{
    fflush(NULL);
    if (by_signal) {
        struct rlimit none = {0, 0};
        sigset_t set;
        setrlimit(RLIMIT_CORE, &none); /* the core, if any, is the session's */
        signal((int)value, SIG_DFL);
        sigemptyset(&set);
        sigaddset(&set, (int)value);
        kill(getpid(), (int)value);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        _exit(128 + (int)value);
    }
    _exit((int)value);
}

static void show_refusal(const char *program, MessageReader *r)
{
    const char *code = message_get_string(r);
    const char *message = message_get_string(r);
    const char *detail = message_get_string(r);
    const char *hint = message_get_string(r);

    (void)code;
    fprintf(stderr, "%s: %s%s%s%s%s%s\n", program, message, *detail ? ": " : "", detail, *hint ? " (" : "",
            hint, *hint ? ")" : "");
}

/* One message of the server; ends the process when it says so. */
static void handle_message(const char *program, const Message *m)
{
    MessageReader r = message_reader(m);

    switch (m->type) {
    case MSG_STOPPED:
        kill(getpid(), SIGSTOP);
        break;
    case MSG_EXITED: {
        uint32_t by_signal = message_get_u32(&r);
        uint32_t value = message_get_u32(&r);
        if (by_signal) {
            restore_terminal();
        }
        end_like(by_signal, value);
    }
    case MSG_NOTICE:
        fprintf(stderr, "%s: %s\n", program, message_get_string(&r));
        break;
    case MSG_REFUSED:
        restore_terminal();
        show_refusal(program, &r);
        _exit(1);
    default:
        break;
    }
}

/*
 * Serve the connection until the server tells the end, which ends this process.  Returns when the connection
 * breaks before: true when the server never read all of START, so that the program surely has not begun.
 * `sent` is false when START could not be sent.  Linux resets a stream socket whose peer was closed with
 * bytes unread, also by a process that was killed; before READY, and while no SIGNAL was sent, the unread
 * bytes are START's.
 */
static bool attend(const char *program, int sock, int signals, bool sent)
{
    char why[200];
    bool heard = false, signalled = false;

    for (;;) {
        struct pollfd polls[2] = {{sock, POLLIN, 0}, {signals, POLLIN, 0}};
        struct signalfd_siginfo info;
        if (poll(polls, 2, -1) < 0 && errno != EINTR) {
            return false;
        }
        if (polls[1].revents) {
            while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
                forward(sock, &info);
                signalled = true;
            }
        }
        if (polls[0].revents) {
            Message m;
            errno = 0;
            int got = message_receive(&m, sock, FROM_SERVER, 0, why, sizeof why);
            if (got <= 0) {
                return !heard && (!sent || (got < 0 && errno == ECONNRESET && !signalled));
            }
            heard = true;
            handle_message(program, &m);
            message_free(&m);
        }
    }
}

/* A server that dies or stops between our connect and its accept has not begun the program: the next server
 * shall, as if we had come a moment later. */
NORETURN static void run_in_session(const VmOptions *opts, int argc, char **argv)
{
    sigset_t blocked;
    uint64_t ignored = ignored_signals();
    char *dir = datadir_choose(memctx_top(), opts->store);
    bool again = true;

    sigprocmask(SIG_SETMASK, NULL, &blocked);
    if (opts->run_repl) {
        save_terminal();
    }
    for (int tries = 0; again && tries < CONNECT_TRIES; tries++) {
        int sock = server_connect(dir, true);
        int signals = watch_signals(ignored);
        signal(SIGPIPE, SIG_IGN);
        server_greet(sock);
        bool sent = send_start(sock, argc, argv, ignored, signals_in(&blocked));
        again = attend(opts->program, sock, signals, sent);
        close(sock);
        close(signals);
        sigprocmask(SIG_SETMASK, &blocked, NULL);
    }
    restore_terminal();
    fprintf(stderr,
            "%s: the server ended the connection without a word: it was killed or stopped at once "
            "(what was committed is safe)\n",
            opts->program);
    _exit(1);
}

/* A program that is not there is told before a store is made or a server started for it. */
static bool script_can_be_read(const VmOptions *opts)
{
    struct stat st;
    int fd;

    if (!opts->script || strcmp(opts->script, "-") == 0 || opts->search_path || opts->directory) {
        return true;
    }
    fd = open(opts->script, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))) {
        fprintf(stderr, "%s: %s -- %s (LoadError)\n", opts->program, strerror(fd < 0 ? errno : EISDIR),
                opts->script);
        return false;
    }
    close(fd);
    return true;
}

/* maglev-irb is lode --repl; the session reads the words again, so they must say it. */
static char **add_repl(int *argc, char **argv)
{
    char **words = mem_zalloc(memctx_top(), ((size_t)*argc + 2) * sizeof *words);

    words[0] = argv[0];
    words[1] = "--repl";
    memcpy(words + 2, argv + 1, (size_t)*argc * sizeof *words);
    ++*argc;
    return words;
}

int main(int argc, char **argv)
{
    VmOptions opts;
    volatile int status = 1;
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    if (argc < 1) {
        return 1;
    }
    lib_init("lode");
    if (strcmp(slash ? slash + 1 : argv[0], "maglev-irb") == 0) {
        argv = add_repl(&argc, argv);
    }
    if (!options_parse(&opts, argc, (const char *const *)argv, getenv("RUBYOPT"), isatty(0) != 0)) {
        fprintf(stderr, "%s: %s\n", opts.program, opts.error);
        return 1;
    }
    if (opts.show_help) {
        fputs(options_help_text(opts.long_help), stdout);
        return 0;
    }
    if (opts.nothing_to_run) {
        if (opts.show_version) {
            puts(options_version_text());
        }
        return 0;
    }
    if (!script_can_be_read(&opts)) {
        return 1;
    }
    TRY()
    {
        if (opts.solo) {
            status = solo_main(datadir_choose(memctx_top(), opts.store), &opts);
        } else {
            run_in_session(&opts, argc, argv);
        }
    }
    CATCH(err)
    {
        restore_terminal();
        fprintf(stderr, "%s: %s%s%s%s\n", opts.program, err->message, err->hint[0] ? " (" : "", err->hint,
                err->hint[0] ? ")" : "");
        status = 1;
    }
    END_TRY();
    fflush(NULL);
    return status;
}
