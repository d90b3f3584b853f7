/*
 * subprocess.c: Process: fork, spawn, exec, wait, kill, clocks, ids; Kernel#sleep.  Argument rules are in
 * process.rb.
 *
 * A subprocess is made by fork and exec; between the two only system calls are made, on arrays prepared
 * before.  What fails there is told through a pipe that exec closes, so that spawn raises the right Errno.
 * Descriptors are close-on-exec but for 0, 1, 2 and what is redirected.  Whatever waits here comes back at
 * least every WAIT_SLICE to look at interrupts: a signal may arrive just before the system call that would
 * wait.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"
#include "vm/core/io_private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/error.h"
#include "lib/memory.h"
#include "vm/host.h"
#include "vm/persist.h"
#include "vm/thread.h"

#define WAIT_SLICE_MS 100

extern char **environ;

/* ---------------------------------------------------------------- fork */

/* A slot for the child.  That there is none is said as the system says that there is no process to be had. */
static int reserve_slot(void)
{
    volatile int slot = -1;
    volatile bool full = false;

    TRY()
    {
        slot = persist_fork_prepare();
    }
    CATCH(err)
    {
        if (err->code != ERR_TOO_MANY_SESSIONS) {
            rethrow();
        }
        full = true;
    }
    END_TRY();
    if (full) {
        raise_errno(EAGAIN, "fork(2)");
    }
    return slot;
}

/* Process.__fork: nil in the child. */
static Value process_fork(Value self, int argc, const Value *argv)
{
    int slot;
    pid_t pid;

    (void)self, (void)argc, (void)argv;
    slot = reserve_slot();
    io_flush_all();
    pid = vm_host.fork();
    if (pid != 0) {
        int err = errno;
        persist_fork_parent(slot, pid > 0);
        if (pid < 0) {
            raise_errno(err, "fork(2)");
        }
        return int_fix(pid);
    }
    thread_after_fork();
    persist_fork_child(slot);
    return V_NIL;
}

static Value call_block(void *arg)
{
    return proc_call(*(Value *)arg, 0, NULL);
}

/* The child of fork { }: runs the block and ends the process as a program ends; frames around it are not
 * unwound. */
static Value process_run_child(Value self, int argc, const Value *argv)
{
    Value block = argv[0], result, record = V_NIL;

    (void)self, (void)argc;
    vm_protect(call_block, &block, &result, &record);
    vm_finish_process(record);
}

/* ---------------------------------------------------------------- spawn and exec */

typedef enum RedirectKind { REDIRECT_DUP, REDIRECT_OPEN, REDIRECT_CLOSE } RedirectKind;

typedef struct Redirect {
    RedirectKind kind;
    int target, source, flags, mode;
    const char *path;
} Redirect;

typedef struct Command {
    const char *file; /* looked up in PATH unless it has a slash */
    char **argv, **envp;
    Redirect *redirects;
    size_t redirect_count;
    const char *directory;
    int umask, pgroup; /* -1: leave */
    bool new_group;
} Command;

/* Memory of a command lives until the call is over or raises; freed by the cleanup of vm_ensure. */
typedef struct CommandMemory {
    MemoryContext *memory;
    Value spec;
    Command command;
    bool replace;
    Value result;
} CommandMemory;

static char *copy_text(MemoryContext *memory, Value text)
{
    return mem_strdup(memory, str_c(str_to_str(text)));
}

/* Elements of the Array that process.rb makes. */
enum {
    SPEC_FILE,
    SPEC_ARGS,
    SPEC_ENV,
    SPEC_CLEAR_ENV,
    SPEC_REDIRECTS,
    SPEC_DIRECTORY,
    SPEC_UMASK,
    SPEC_GROUP
};

static char **build_environment(MemoryContext *memory, Value pairs, bool clear)
{
    size_t given = is_nil(pairs) ? 0 : ary_len(pairs), old = 0, n = 0;
    char **envp;

    while (environ[old]) {
        old++;
    }
    envp = mem_alloc(memory, (old + given + 1) * sizeof *envp);
    for (size_t i = 0; i < old && !clear; i++) {
        envp[n++] = environ[i];
    }
    for (size_t i = 0; i < given; i++) {
        Value pair = ary_get(pairs, (long)i), value = ary_get(pair, 1);
        char *name = copy_text(memory, ary_get(pair, 0));
        size_t length = strlen(name);
        for (size_t k = 0; k < n; k++) {
            if (strncmp(envp[k], name, length) == 0 && envp[k][length] == '=') {
                envp[k] = envp[--n];
                break;
            }
        }
        if (!is_nil(value)) {
            envp[n++] = mem_printf(memory, "%s=%s", name, copy_text(memory, value));
        }
    }
    envp[n] = NULL;
    return envp;
}

static void build_command(CommandMemory *m)
{
    Command *c = &m->command;
    Value spec = m->spec, args = ary_get(spec, SPEC_ARGS), list = ary_get(spec, SPEC_REDIRECTS), v;

    c->file = copy_text(m->memory, ary_get(spec, SPEC_FILE));
    c->argv = mem_zalloc(m->memory, (ary_len(args) + 1) * sizeof *c->argv);
    for (size_t i = 0; i < ary_len(args); i++) {
        c->argv[i] = copy_text(m->memory, ary_get(args, (long)i));
    }
    c->envp = build_environment(m->memory, ary_get(spec, SPEC_ENV), truthy(ary_get(spec, SPEC_CLEAR_ENV)));
    c->redirect_count = ary_len(list);
    c->redirects = mem_zalloc(m->memory, (c->redirect_count + 1) * sizeof *c->redirects);
    for (size_t i = 0; i < c->redirect_count; i++) {
        Value row = ary_get(list, (long)i), source = ary_get(row, 1);
        Redirect *r = &c->redirects[i];
        r->target = (int)value_int(ary_get(row, 0));
        if (is_fixnum(source)) {
            r->kind = REDIRECT_DUP;
            r->source = (int)fix_int(source);
        } else if (is_symbol(source)) {
            r->kind = REDIRECT_CLOSE;
        } else {
            r->kind = REDIRECT_OPEN;
            r->path = copy_text(m->memory, source);
            r->flags = (int)value_int(ary_get(row, 2));
            r->mode = (int)value_int(ary_get(row, 3));
        }
    }
    v = ary_get(spec, SPEC_DIRECTORY);
    c->directory = is_nil(v) ? NULL : copy_text(m->memory, v);
    v = ary_get(spec, SPEC_UMASK);
    c->umask = is_nil(v) ? -1 : (int)value_int(v);
    v = ary_get(spec, SPEC_GROUP);
    c->pgroup = is_nil(v) ? -1 : v == V_TRUE ? 0 : (int)value_int(v);
}

/* The command's own PATH decides; errno as execvp leaves it. */
static void exec_in_path(const Command *c)
{
    const char *path = NULL;
    char candidate[PATH_MAX];
    bool denied = false;

    if (strchr(c->file, '/')) {
        execve(c->file, c->argv, c->envp);
        if (errno != ENOEXEC) {
            return;
        }
        snprintf(candidate, sizeof candidate, "%s", c->file);
        path = "";
    } else {
        for (char **e = c->envp; *e && !path; e++) {
            path = strncmp(*e, "PATH=", 5) == 0 ? *e + 5 : NULL;
        }
        path = path ? path : "/usr/local/bin:/usr/bin:/bin";
    }
    while (*path) {
        size_t n = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)n, path, n ? "/" : "./", c->file);
        execve(candidate, c->argv, c->envp);
        if (errno == EACCES) {
            denied = true;
        } else if (errno != ENOENT && errno != ENOTDIR) {
            break;
        }
        path += n + (path[n] == ':');
    }
    if (errno == ENOEXEC) {
        /* a script without #!: the shell's */
        char *shell[1024] = {"/bin/sh", candidate};
        for (size_t i = 1; i < COUNT_OF(shell) - 2 && c->argv[i]; i++) {
            shell[i + 1] = c->argv[i];
        }
        execve("/bin/sh", shell, c->envp);
    }
    if (denied && (errno == ENOENT || errno == ENOTDIR)) {
        errno = EACCES;
    }
}

/* Descriptors from here on are no target of a redirection. */
static int above_targets(const Command *c)
{
    int above = 10;

    for (size_t i = 0; i < c->redirect_count; i++) {
        above = MAX(above, c->redirects[i].target + 1);
    }
    return above;
}

/* In the new process, or in this one for exec: async-signal-safe from here on.  Returns only on failure, with
 * errno. */
static void become(const Command *c)
{
    signal(SIGPIPE, SIG_DFL);
    if (c->pgroup >= 0 && setpgid(0, c->pgroup) != 0) {
        return;
    }
    if (c->umask >= 0) {
        umask((mode_t)c->umask);
    }
    /* sources first out of the way of targets: {1 => 2, 2 => 1} swaps */
    for (size_t i = 0; i < c->redirect_count; i++) {
        Redirect *r = &c->redirects[i];
        if (r->kind == REDIRECT_DUP) {
            int high = fcntl(r->source, F_DUPFD_CLOEXEC, above_targets(c));
            if (high < 0) {
                return;
            }
            r->source = high;
        }
    }
    for (size_t i = 0; i < c->redirect_count; i++) {
        const Redirect *r = &c->redirects[i];
        if (r->kind == REDIRECT_CLOSE) {
            close(r->target);
        } else if (r->kind == REDIRECT_DUP) {
            if (dup2(r->source, r->target) < 0) {
                return;
            }
        } else {
            int fd = open(r->path, r->flags, r->mode);
            if (fd < 0 || (fd != r->target && dup2(fd, r->target) < 0)) {
                return;
            }
            if (fd != r->target) {
                close(fd);
            }
        }
    }
    if (c->directory && chdir(c->directory) != 0) {
        return;
    }
    exec_in_path(c);
}

static Value spawn_command(CommandMemory *m)
{
    int ends[2], err = 0;
    pid_t pid;
    ssize_t n;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        raise_errno(errno, "%s", "");
    }
    io_flush_all();
    pid = fork();
    if (pid == 0) {
        int high = fcntl(ends[1], F_DUPFD_CLOEXEC, above_targets(&m->command));
        vm_host.subprocess_begin();
        become(&m->command);
        err = errno;
        n = write(high >= 0 ? high : ends[1], &err, sizeof err);
        _exit(127);
    }
    err = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        raise_errno(err, "fork(2)");
    }
    do {
        n = read(ends[0], &err, sizeof err);
    } while (n < 0 && errno == EINTR);
    close(ends[0]);
    if (n == (ssize_t)sizeof err) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        raise_errno(err, "%s", m->command.file);
    }
    return int_fix(pid);
}

static bool can_be_found(const Command *c)
{
    char candidate[PATH_MAX];
    const char *path = NULL;

    if (strchr(c->file, '/')) {
        return access(c->file, X_OK) == 0;
    }
    for (char **e = c->envp; *e && !path; e++) {
        path = strncmp(*e, "PATH=", 5) == 0 ? *e + 5 : NULL;
    }
    path = path ? path : "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t n = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s%s%s", (int)n, path, n ? "/" : "./", c->file);
        if (access(candidate, X_OK) == 0) {
            return true;
        }
        path += n + (path[n] == ':');
    }
    return false;
}

/* Uncommitted changes go with the program; a file that can't be run is found out before that. */
static Value exec_command(CommandMemory *m)
{
    sigset_t none, old;
    int err;

    if (!m->command.directory && !can_be_found(&m->command)) {
        raise_errno(errno == EACCES ? EACCES : ENOENT, "%s", m->command.file);
    }
    io_flush_all();
    if (!vm_host.exec_prepare()) {
        raise_errno(errno, "%s", m->command.file);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, &old);
    become(&m->command);
    err = errno;
    sigprocmask(SIG_SETMASK, &old, NULL);
    signal(SIGPIPE, SIG_IGN);
    vm_host.exec_failed();
    raise_errno(err, "%s", m->command.file);
}

static Value run_command(void *arg)
{
    CommandMemory *m = arg;

    build_command(m);
    return m->replace ? exec_command(m) : spawn_command(m);
}

static void free_command(void *arg)
{
    memctx_delete(((CommandMemory *)arg)->memory);
}

static Value with_command(Value spec, bool replace)
{
    CommandMemory m = {.memory = memctx_create(NULL, "command"), .spec = spec, .replace = replace};

    return vm_ensure(run_command, &m, free_command, &m);
}

static Value process_spawn(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return with_command(argv[0], false);
}

static Value process_exec(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return with_command(argv[0], true);
}

/* ---------------------------------------------------------------- wait */

/* Sleeps until the process of `fd` has ended, something is to be done, or a slice is over. */
static void wait_slice(int pidfd)
{
    int64_t deadline = thread_now() + WAIT_SLICE_MS * NSEC_PER_MSEC;

    if (pidfd >= 0)
        thread_wait_fd(pidfd, POLLIN, deadline);
    else
        thread_sleep_until(deadline);
}

/* Waits for a child: its pid, 0 with WNOHANG when none has ended, -1 with errno. */
static pid_t wait_pid(pid_t pid, int flags, int *status)
{
    pid_t got;
    int pidfd = -1, slice_us = 500;

    for (;;) {
        vm_check_interrupts();
        got = waitpid(pid, status, flags | WNOHANG);
        if (got != 0 || (flags & WNOHANG)) {
            break;
        }
        if (pid > 0 && pidfd < 0) {
            pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        }
        if (pidfd >= 0 && !(flags & (WUNTRACED | WCONTINUED))) {
            wait_slice(pidfd);
        } else {
            /* any child: look more and more seldom; SIGCHLD does not interrupt */
            thread_sleep_until(thread_now() + slice_us * INT64_C(1000));
            slice_us = slice_us < 20000 ? slice_us * 2 : 20000;
        }
    }
    int err = errno;
    if (pidfd >= 0) {
        close(pidfd);
    }
    errno = err;
    return got;
}

/* The Process::Status of a child that has ended: nil with WNOHANG when none has; its pid is -1 when there is none. */
static Value wait_status(int argc, const Value *argv)
{
    pid_t pid = argc > 0 ? (pid_t)value_int(argv[0]) : -1, got;
    int flags = argc > 1 && !is_nil(argv[1]) ? (int)value_int(argv[1]) : 0, status = 0;
    Value scheduler = scheduler_current();

    if (!(flags & WNOHANG) && scheduler_has(scheduler, "process_wait")) {
        return scheduler_call(scheduler, "process_wait", 2, (Value[]){int_fix(pid), int_fix(flags)});
    }
    got = wait_pid(pid, flags, &status);
    if (got < 0 && errno != ECHILD) {
        raise_errno(errno, NULL);
    }
    return got == 0 ? V_NIL : process_status_new(got, status);
}

static Value status_s_wait(Value self, int argc, const Value *argv)
{
    (void)self;
    return wait_status(argc, argv);
}

/* Process.__wait(pid, flags): sets $?, returns the pid; nil with WNOHANG when none has ended. */
static Value process_wait(Value self, int argc, const Value *argv)
{
    Value status = wait_status(argc, argv), pid;

    (void)self;
    process_set_last_status(V_NIL);
    if (is_nil(status)) {
        return V_NIL;
    }
    pid = vm_call0(status, sym_intern("pid"));
    if (pid == int_fix(-1)) {
        raise_errno(ECHILD, NULL);
    }
    process_set_last_status(status);
    return pid;
}

/* ---------------------------------------------------------------- kill */

static Value process_kill(Value self, int argc, const Value *argv)
{
    Value name = argv[0];
    bool group = false;
    int signo;

    (void)self;
    if (is_symbol(name)) {
        name = sym_name_str(name);
    }
    if (is_string(name) && str_view(name).len > 0 && str_view(name).ptr[0] == '-') {
        group = true;
        name = str_new_c(str_c(name) + 1);
    }
    signo = signal_number(name);
    if (is_fixnum(argv[0]) && fix_int(argv[0]) < 0) {
        group = true;
        signo = (int)-fix_int(argv[0]);
    } else if (signo < 0) {
        raise_error(klass.ArgumentError, "unsupported signal '%T'", signal_prefixed(name));
    }
    for (int i = 1; i < argc; i++) {
        pid_t pid = (pid_t)value_int(argv[i]);
        if (kill(group ? -pid : pid, signo) != 0) {
            raise_errno(errno, "%s", "");
        }
        if (pid == getpid() || pid == 0) {
            /* the handler has run by now: the program sees its own signal at once */
            vm_check_interrupts();
        }
    }
    return int_fix(argc - 1);
}

/* ---------------------------------------------------------------- sleep and clocks */

static int64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static Value kernel_sleep(Value self, int argc, const Value *argv)
{
    int64_t start = monotonic_ns(), until = INT64_MAX;
    Value scheduler = scheduler_current();

    (void)self;
    if (!is_nil(scheduler)) {
        scheduler_call(scheduler, "kernel_sleep", argc, argv);
        return int_value((monotonic_ns() - start + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
    }
    if (argc > 0 && !is_nil(argv[0])) {
        double seconds;
        if (!is_integer(argv[0]) && !is_float(argv[0]) && !is_type(argv[0], T_RATIONAL) &&
            !vm_responds_to(argv[0], sym_intern("divmod"), false)) {
            raise_error(klass.TypeError, "can't convert %C into time interval", class_real(argv[0]));
        }
        seconds =
            value_double(is_type(argv[0], T_RATIONAL) ? vm_call0(argv[0], sym_intern("to_f")) : argv[0]);
        if (seconds < 0 || isnan(seconds)) {
            raise_error(klass.ArgumentError, "time interval must not be negative");
        }
        until = seconds > 1e9 ? INT64_MAX : start + (int64_t)(seconds * 1e9);
    }
    thread_sleep_until(until);
    return int_value((monotonic_ns() - start + NSEC_PER_SEC / 2) / NSEC_PER_SEC);
}

static Value in_unit(int64_t seconds, int64_t nanoseconds, Value unit)
{
    const char *name = is_nil(unit) ? "float_second" : is_symbol(unit) ? sym_text(unit) : "?";
    int64_t ns = seconds * NSEC_PER_SEC + nanoseconds;

    if (strcmp(name, "float_second") == 0) {
        return float_value((double)seconds + (double)nanoseconds / 1e9);
    }
    if (strcmp(name, "float_millisecond") == 0) {
        return float_value((double)ns / 1e6);
    }
    if (strcmp(name, "float_microsecond") == 0) {
        return float_value((double)ns / 1e3);
    }
    if (strcmp(name, "second") == 0) {
        return int_value(seconds);
    }
    if (strcmp(name, "millisecond") == 0) {
        return int_value(ns / NSEC_PER_MSEC);
    }
    if (strcmp(name, "microsecond") == 0) {
        return int_value(ns / NSEC_PER_USEC);
    }
    if (strcmp(name, "nanosecond") == 0) {
        return int_value(ns);
    }
    raise_error(klass.ArgumentError, "unexpected unit: %T", unit);
}

static Value process_clock_gettime(Value self, int argc, const Value *argv)
{
    struct timespec t;

    (void)self;
    if (clock_gettime((clockid_t)value_int(argv[0]), &t) != 0) {
        raise_errno(errno, "clock_gettime");
    }
    return in_unit(t.tv_sec, t.tv_nsec, argc > 1 ? argv[1] : V_NIL);
}

static Value process_clock_getres(Value self, int argc, const Value *argv)
{
    struct timespec t;

    (void)self;
    if (clock_getres((clockid_t)value_int(argv[0]), &t) != 0) {
        raise_errno(errno, "clock_getres");
    }
    return in_unit(t.tv_sec, t.tv_nsec, argc > 1 ? argv[1] : V_NIL);
}

/* [user, system, children's user, children's system] in seconds */
static Value process_times(Value self, int argc, const Value *argv)
{
    struct rusage own, children;
    Value v[4];

    (void)self, (void)argc, (void)argv;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    v[0] = float_value((double)own.ru_utime.tv_sec + (double)own.ru_utime.tv_usec / 1e6);
    v[1] = float_value((double)own.ru_stime.tv_sec + (double)own.ru_stime.tv_usec / 1e6);
    v[2] = float_value((double)children.ru_utime.tv_sec + (double)children.ru_utime.tv_usec / 1e6);
    v[3] = float_value((double)children.ru_stime.tv_sec + (double)children.ru_stime.tv_usec / 1e6);
    return ary_new_from(4, v);
}

/* ---------------------------------------------------------------- ids, limits, priorities */

#define SIMPLE_ID(name, call)                                                                                \
    static Value name(Value self, int argc, const Value *argv)                                               \
    {                                                                                                        \
        (void)self, (void)argc, (void)argv;                                                                  \
        return int_value(call);                                                                              \
    }
SIMPLE_ID(process_pid, getpid())
SIMPLE_ID(process_ppid, getppid())
SIMPLE_ID(process_uid, getuid())
SIMPLE_ID(process_euid, geteuid())
SIMPLE_ID(process_gid, getgid())
SIMPLE_ID(process_egid, getegid())
SIMPLE_ID(process_getpgrp, getpgrp())

static Value check_call(int64_t r)
{
    if (r < 0) {
        raise_errno(errno, "%s", "");
    }
    return int_value(r);
}

static Value process_getpgid(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return check_call(getpgid((pid_t)value_int(argv[0])));
}

static Value process_getsid(Value self, int argc, const Value *argv)
{
    (void)self;
    return check_call(getsid(argc > 0 ? (pid_t)value_int(argv[0]) : 0));
}

static Value process_setpgid(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return check_call(setpgid((pid_t)value_int(argv[0]), (pid_t)value_int(argv[1])));
}

static Value process_setsid(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return check_call(setsid());
}

static Value process_getpriority(Value self, int argc, const Value *argv)
{
    int r;

    (void)self, (void)argc;
    errno = 0;
    r = getpriority((__priority_which_t)value_int(argv[0]), (id_t)value_int(argv[1]));
    if (errno) {
        raise_errno(errno, "%s", "");
    }
    return int_fix(r);
}

static Value process_setpriority(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return check_call(setpriority((__priority_which_t)value_int(argv[0]), (id_t)value_int(argv[1]),
                                  (int)value_int(argv[2])));
}

static int limit_named(Value v)
{
    static const struct {
        const char *name;
        int number;
    } names[] = {{"AS", RLIMIT_AS},         {"CORE", RLIMIT_CORE},   {"CPU", RLIMIT_CPU},
                 {"DATA", RLIMIT_DATA},     {"FSIZE", RLIMIT_FSIZE}, {"MEMLOCK", RLIMIT_MEMLOCK},
                 {"NOFILE", RLIMIT_NOFILE}, {"NPROC", RLIMIT_NPROC}, {"RSS", RLIMIT_RSS},
                 {"STACK", RLIMIT_STACK},   {"NICE", RLIMIT_NICE}};

    if (is_symbol(v) || is_string(v)) {
        const char *name = is_symbol(v) ? sym_text(v) : str_c(v);
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if (strcmp(names[i].name, name) == 0) {
                return names[i].number;
            }
        }
        raise_error(klass.ArgumentError, "invalid resource name: %s", name);
    }
    return (int)value_int(v);
}

static Value process_getrlimit(Value self, int argc, const Value *argv)
{
    struct rlimit limit;
    Value pair[2];

    (void)self, (void)argc;
    if (getrlimit(limit_named(argv[0]), &limit) != 0) {
        raise_errno(errno, "getrlimit");
    }
    pair[0] = uint_value(limit.rlim_cur);
    pair[1] = uint_value(limit.rlim_max);
    return ary_new_from(2, pair);
}

static rlim_t limit_value(Value v)
{
    if (is_type(v, T_BIGNUM)) {
        return RLIM_INFINITY;
    }
    return is_symbol(v) ? RLIM_INFINITY : (rlim_t)value_int(v);
}

static Value process_setrlimit(Value self, int argc, const Value *argv)
{
    struct rlimit limit = {limit_value(argv[1]), limit_value(argc > 2 ? argv[2] : argv[1])};

    (void)self;
    if (setrlimit(limit_named(argv[0]), &limit) != 0) {
        raise_errno(errno, "setrlimit");
    }
    return V_NIL;
}

static Value process_setproctitle(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    prctl(PR_SET_NAME, str_c(str_to_str(argv[0])));
    return argv[0];
}

static const Builtin singleton_methods[] = {
    {"__fork", process_fork, 0, 0, BI_HIDDEN},
    {"__run_child", process_run_child, 1, 1, BI_HIDDEN},
    {"__spawn", process_spawn, 1, 1, BI_HIDDEN},
    {"__exec", process_exec, 1, 1, BI_HIDDEN},
    {"__wait", process_wait, 2, 2, BI_HIDDEN},
    {"__times", process_times, 0, 0, BI_HIDDEN},
    {"kill", process_kill, 2, -1, 0},
    {"clock_gettime", process_clock_gettime, 1, 2, 0},
    {"clock_getres", process_clock_getres, 1, 2, 0},
    {"pid", process_pid, 0, 0, 0},
    {"ppid", process_ppid, 0, 0, 0},
    {"uid", process_uid, 0, 0, 0},
    {"euid", process_euid, 0, 0, 0},
    {"gid", process_gid, 0, 0, 0},
    {"egid", process_egid, 0, 0, 0},
    {"getpgrp", process_getpgrp, 0, 0, 0},
    {"getpgid", process_getpgid, 1, 1, 0},
    {"getsid", process_getsid, 0, 1, 0},
    {"setpgid", process_setpgid, 2, 2, 0},
    {"setsid", process_setsid, 0, 0, 0},
    {"getpriority", process_getpriority, 2, 2, 0},
    {"setpriority", process_setpriority, 3, 3, 0},
    {"getrlimit", process_getrlimit, 1, 1, 0},
    {"setrlimit", process_setrlimit, 2, 3, 0},
    {"setproctitle", process_setproctitle, 1, 1, 0},
};

static const Builtin kernel_methods[] = {
    {"sleep", kernel_sleep, 0, 1, BI_MODULE_FUNCTION},
};

static Value get_pid(Value name)
{
    (void)name;
    return int_fix(getpid());
}

static const Builtin status_singleton_methods[] = {
    {"wait", status_s_wait, 0, 2, 0},
};

void subprocess_boot(void)
{
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        {"WNOHANG", WNOHANG},
        {"WUNTRACED", WUNTRACED},
        {"CLOCK_REALTIME", CLOCK_REALTIME},
        {"CLOCK_MONOTONIC", CLOCK_MONOTONIC},
        {"CLOCK_PROCESS_CPUTIME_ID", CLOCK_PROCESS_CPUTIME_ID},
        {"CLOCK_THREAD_CPUTIME_ID", CLOCK_THREAD_CPUTIME_ID},
        {"CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW},
        {"CLOCK_REALTIME_COARSE", CLOCK_REALTIME_COARSE},
        {"CLOCK_MONOTONIC_COARSE", CLOCK_MONOTONIC_COARSE},
        {"CLOCK_BOOTTIME", CLOCK_BOOTTIME},
        {"PRIO_PROCESS", PRIO_PROCESS},
        {"PRIO_PGRP", PRIO_PGRP},
        {"PRIO_USER", PRIO_USER},
        {"RLIMIT_AS", RLIMIT_AS},
        {"RLIMIT_RSS", RLIMIT_RSS},
        {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
        {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
        {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
        {"RLIMIT_NICE", RLIMIT_NICE},
        {"RLIMIT_CORE", RLIMIT_CORE},
        {"RLIMIT_CPU", RLIMIT_CPU},
        {"RLIMIT_DATA", RLIMIT_DATA},
        {"RLIMIT_FSIZE", RLIMIT_FSIZE},
        {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
        {"RLIMIT_NOFILE", RLIMIT_NOFILE},
        {"RLIMIT_NPROC", RLIMIT_NPROC},
        {"RLIMIT_STACK", RLIMIT_STACK},
    };

    ADD_SINGLETON_BUILTINS(klass.Process, singleton_methods);
    ADD_SINGLETON_BUILTINS(const_get_from(klass.Process, sym_intern("Status")), status_singleton_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    for (size_t i = 0; i < COUNT_OF(constants); i++) {
        const_set(klass.Process, sym_intern(constants[i].name), int_fix(constants[i].value));
    }
    static const char *const infinite[] = {"RLIM_INFINITY", "RLIM_SAVED_MAX", "RLIM_SAVED_CUR"};
    for (size_t i = 0; i < COUNT_OF(infinite); i++) {
        const_set(klass.Process, sym_intern(infinite[i]), uint_value(RLIM_INFINITY));
    }
    gvar_define_hooked("$$", get_pid, NULL);
}
