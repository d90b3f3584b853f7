/*
 * signal.c: Signal: names and numbers, trap, what a signal does in the program.
 *
 * A handler that the program sets runs in the main thread, at its next interrupt test (vm_check_interrupts).  Signals
 * that Ruby gives a meaning of its own (ruby_default) raise SignalException there; the process installs them before it
 * runs the program (backend/session.c).  Signal 0 is "EXIT": its handler runs when the program ends, before the at_exit
 * blocks.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"
#include "vm/interp/thread.h"
#include <signal.h>
#include <string.h>

extern void (*vm_signal_handler)(int signo);

enum { SIGNALS = 65, LISTED = 32 };

/* What trap was given last: what responds to call, a String of Ruby, nil (ignore), true ("IGNORE"), V_UNDEF ("EXIT");
 * false: nothing of the program's. */
static Value traps[SIGNALS];

static bool ruby_default(int signo)
{
    return signo == SIGINT || signo == SIGHUP || signo == SIGTERM || signo == SIGQUIT || signo == SIGALRM ||
           signo == SIGUSR1 || signo == SIGUSR2;
}

static const char *signal_name(int signo)
{
    return signo > 0 && signo < LISTED && signo != SIGSTKFLT ? sigabbrev_np(signo) : NULL;
}

/* ---- names ---- */
int signal_number(Value v)
{
    if (is_fixnum(v))
        return (int)fix_int(v);
    const char *s = is_symbol(v) ? sym_text(v) : str_c(str_to_str(v));
    if (strncmp(s, "SIG", 3) == 0)
        s += 3;
    if (strcmp(s, "EXIT") == 0)
        return 0;
    if (strcmp(s, "CLD") == 0)
        return SIGCHLD;
    for (int i = 1; i < LISTED; i++)
        if (signal_name(i) && strcmp(signal_name(i), s) == 0)
            return i;
    return -1;
}

/* "SIGUSR1" for "USR1" and "SIGUSR1" */
Value signal_prefixed(Value name)
{
    Value s = is_symbol(name) ? sym_name_str(name) : str_to_str(name);
    StrView v = str_view(s);
    return v.len >= 3 && memcmp(v.ptr, "SIG", 3) == 0 ? s : str_format("SIG%T", s);
}

static Value signal_s_list(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value h = hash_new();
    hash_set(h, str_new_c("EXIT"), int_fix(0));
    for (int i = 1; i < LISTED; i++)
        if (signal_name(i))
            hash_set(h, str_new_c(signal_name(i)), int_fix(i));
    hash_set(h, str_new_c("CLD"), int_fix(SIGCHLD));
    return h;
}

static Value signal_s_signame(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    int n = (int)value_int(argv[0]);
    const char *s = n == 0 ? "EXIT" : signal_name(n);
    return s ? str_new_c(s) : V_NIL;
}

/* ---- trap ---- */
static int trap_signal(Value v)
{
    if (!is_fixnum(v) && !is_symbol(v) && !is_string(v)) {
        Value s = obj_try_convert(v, T_STRING, "String", SYM(to_str));
        if (s == V_NIL)
            raise_error(klass.ArgumentError, "bad signal type %C", class_real(v));
        v = s;
    }
    int signo = signal_number(v);
    if (signo < 0 || signo >= SIGNALS) {
        if (is_fixnum(v))
            raise_error(klass.ArgumentError, "invalid signal number (%d)", signo);
        if (is_string(v) && str_view(v).len && *str_view(v).ptr == '-')
            raise_error(klass.ArgumentError, "negative signal name: %T", v);
        raise_error(klass.ArgumentError, "unsupported signal '%T'", signal_prefixed(v));
    }
    if (signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE || signo == SIGVTALRM)
        raise_error(klass.ArgumentError, "can't trap reserved signal: SIG%s", sigabbrev_np(signo));
    if (signo == SIGKILL || signo == SIGSTOP)
        raise_error(klass.ArgumentError, "Invalid argument - SIG%s", sigabbrev_np(signo));
    return signo;
}

static void on_signal(int signo)
{
    vm_interrupt(signo);
}

static void (*default_action(int signo))(int)
{
    return ruby_default(signo) ? on_signal : signo == SIGPIPE ? SIG_IGN : SIG_DFL;
}

/* The kernel's part of a trap command; *command becomes what is kept of it. */
static void (*action_for(int signo, Value *command))(int)
{
    if (*command == V_NIL)
        return SIG_IGN;
    Value text = is_symbol(*command) ? sym_name_str(*command) : is_string(*command) ? *command : V_NIL;
    if (text == V_NIL)
        return on_signal;
    const char *s = str_c(text);
    if (!*s || strcmp(s, "IGNORE") == 0 || strcmp(s, "SIG_IGN") == 0) {
        *command = V_TRUE;
        return SIG_IGN;
    }
    if (strcmp(s, "DEFAULT") == 0 || strcmp(s, "SIG_DFL") == 0) {
        *command = V_FALSE;
        return default_action(signo);
    }
    if (strcmp(s, "SYSTEM_DEFAULT") == 0) {
        *command = V_FALSE;
        return SIG_DFL;
    }
    *command = strcmp(s, "EXIT") == 0 ? V_UNDEF : text;
    return on_signal;
}

/* What trap returns for the command before, `was` being the kernel's part of it. */
static Value old_command(int signo, Value command, void (*was)(int))
{
    if (command == V_UNDEF)
        return str_new_c("EXIT");
    if (command != V_TRUE && command != V_FALSE)
        return command;
    if (signo == 0 || (signo == SIGPIPE && command == V_FALSE))
        return V_NIL;
    return str_new_c(was == SIG_IGN ? "IGNORE" : was == SIG_DFL ? "SYSTEM_DEFAULT" : "DEFAULT");
}

static Value kernel_trap(UNUSED Value self, int argc, const Value *argv)
{
    int signo = trap_signal(argv[0]);
    Value command = argc > 1 ? argv[1] : block_proc();
    if (argc < 2 && command == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    struct sigaction sa = {.sa_flags = 0}, was = {.sa_handler = SIG_DFL}; /* a call that waits comes back: the trap runs */
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = action_for(signo, &command);
    if (signo)
        sigaction(signo, &sa, &was);
    Value old = old_command(signo, traps[signo], was.sa_handler);
    traps[signo] = command;
    return old;
}

/* ---- what happens ---- */
static void run_command(int signo, Value command)
{
    Value n = int_fix(signo);
    if (is_proc(command)) {
        proc_call(command, 1, &n);
    } else if (is_string(command)) {
        StrView v = str_view(command);
        vm_eval_source(v.ptr, v.len, "(eval)", 1, vm.main_object, V_NIL);
    } else if (command == V_UNDEF) {
        vm_call1(vm.main_object, sym_intern("exit"), V_TRUE);
    } else {
        vm_call_public(command, SYM(call), 1, &n, V_NIL);
    }
}

static void run_trap(int signo)
{
    if (traps[signo] != V_FALSE && traps[signo] != V_TRUE && traps[signo] != V_NIL) {
        run_command(signo, traps[signo]);
    } else if (signo == SIGINT) {
        thread_raise_in_main(vm_call1(klass.Interrupt, SYM(new), str_new_c("")));
    } else {
        thread_raise_in_main(vm_call1(klass.SignalException, SYM(new), int_fix(signo)));
    }
}

void control_run_exit_trap(void)
{
    Value command = traps[0];
    traps[0] = V_FALSE;
    if (command != V_FALSE && command != V_TRUE && command != V_NIL)
        run_command(0, command);
}

static void traps_visit(Visitor *v)
{
    for (int i = 0; i < SIGNALS; i++)
        v->value(v, &traps[i]);
}

static const Builtin kernel_methods[] = {{"trap", kernel_trap, 1, 2, BI_MODULE_FUNCTION}};
static const Builtin signal_singleton[] = {
    {"trap", kernel_trap, 1, 2, 0},
    {"list", signal_s_list, 0, 0, 0},
    {"signame", signal_s_signame, 1, 1, 0},
};

void signal_boot(void)
{
    heap_add_visitor(traps_visit, "signal handlers");
    for (int i = 0; i < SIGNALS; i++)
        traps[i] = V_FALSE;
    vm_signal_handler = run_trap;
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_SINGLETON_BUILTINS(klass.Signal, signal_singleton);
}
