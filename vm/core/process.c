/* process.c -- Process::Status and $?; waiting in naps */
#include "vm/core/core_private.h"
#include "io_private.h"
#include <errno.h>
#include "vm/interp/thread.h"
#include <signal.h>
#include <sys/wait.h>

static Value status_class = V_NIL;

Value process_status_new(pid_t pid, int status)
{
    Value v = heap_alloc_slots(T_OBJECT, status_class, 2);
    ivar_set(v, sym_intern("pid"), int_fix(pid));
    ivar_set(v, sym_intern("status"), int_fix(status));
    return v;
}

void process_set_last_status(Value status)
{
    thread_current->last_status = status;
}

void vm_nap(int milliseconds)
{
    vm_check_interrupts();
    thread_sleep_until(thread_now() + (int64_t)milliseconds * 1000000);
    vm_check_interrupts();
}

int wait_for_child(pid_t pid, int *status)
{
    int nap = 0;
    for (;;) {
        pid_t r = waitpid(pid, status, WNOHANG);
        if (r > 0 || (r < 0 && errno != EINTR))
            return r;
        vm_nap(nap);
        nap = nap < 10 ? nap + 1 : 10;
    }
}

static int raw_status(Value self)
{
    return (int)fix_int(ivar_get(self, sym_intern("status")));
}

static Value status_pid(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return ivar_get(self, sym_intern("pid"));
}

static Value status_exitstatus(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int s = raw_status(self);
    return WIFEXITED(s) ? int_fix(WEXITSTATUS(s)) : V_NIL;
}

static Value status_success_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int s = raw_status(self);
    return WIFEXITED(s) ? bool_value(WEXITSTATUS(s) == 0) : V_NIL;
}

#define STATUS_ROW(name, expression) \
    static Value status_##name(Value self, int argc, const Value *argv) \
    { \
        int s = raw_status(self); \
        (void)argc, (void)argv, (void)s; \
        return expression; \
    }
STATUS_ROW(to_i, int_fix(s))
STATUS_ROW(exited_p, bool_value(WIFEXITED(s)))
STATUS_ROW(signaled_p, bool_value(WIFSIGNALED(s)))
STATUS_ROW(termsig, WIFSIGNALED(s) ? int_fix(WTERMSIG(s)) : V_NIL)
STATUS_ROW(stopped_p, bool_value(WIFSTOPPED(s)))
STATUS_ROW(stopsig, WIFSTOPPED(s) ? int_fix(WSTOPSIG(s)) : V_NIL)
STATUS_ROW(coredump_p, bool_value(WIFSIGNALED(s) && WCOREDUMP(s)))

/* "pid 12 exit 1", "pid 12 SIGKILL (signal 9)" */
static Value status_to_s(Value self, int argc, const Value *argv)
{
    int s = raw_status(self);
    Value text = str_format("pid %ld", (long)fix_int(ivar_get(self, sym_intern("pid"))));
    int signo = WIFSIGNALED(s) ? WTERMSIG(s) : WIFSTOPPED(s) ? WSTOPSIG(s) : 0;

    (void)argc, (void)argv;
    if (signo) {
        const char *name = sigabbrev_np(signo);
        str_append_c(text, WIFSTOPPED(s) ? " stopped" : "");
        str_append_str(text, name ? str_format(" SIG%s (signal %d)", name, signo) : str_format(" signal %d", signo));
    }
    if (WIFEXITED(s)) {
        str_append_str(text, str_format(" exit %d", WEXITSTATUS(s)));
    }
    if (WIFSIGNALED(s) && WCOREDUMP(s)) {
        str_append_c(text, " (core dumped)");
    }
    return text;
}

static Value status_inspect(Value self, int argc, const Value *argv)
{
    return str_format("#<Process::Status: %T>", status_to_s(self, argc, argv));
}

static Value status_equal(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (obj_is_kind_of(argv[0], status_class)) {
        return bool_value(raw_status(self) == raw_status(argv[0]));
    }
    return bool_value(is_fixnum(argv[0]) && raw_status(self) == fix_int(argv[0]));
}

static const Builtin methods[] = {
    {"to_i", status_to_i, 0, 0, 0},
    {"exited?", status_exited_p, 0, 0, 0},
    {"signaled?", status_signaled_p, 0, 0, 0},
    {"termsig", status_termsig, 0, 0, 0},
    {"stopped?", status_stopped_p, 0, 0, 0},
    {"stopsig", status_stopsig, 0, 0, 0},
    {"coredump?", status_coredump_p, 0, 0, 0},
    {"to_s", status_to_s, 0, 0, 0},
    {"inspect", status_inspect, 0, 0, 0},
    {"==", status_equal, 1, 1, 0},
    {"pid", status_pid, 0, 0, 0},
    {"exitstatus", status_exitstatus, 0, 0, 0},
    {"success?", status_success_p, 0, 0, 0},
};

static Value get_last_status(Value name)
{
    (void)name;
    return thread_current->last_status;
}

void process_boot(void)
{
    status_class = class_define_under(klass.Process, "Status", klass.Object);
    heap_add_root(&status_class);
    ADD_BUILTINS(status_class, methods);
    gvar_define_hooked("$?", get_last_status, NULL);
}
