/* process.c -- Process::Status and $?; paths as arguments of system calls */
#include "io_private.h"
#include <sys/wait.h>

static Value status_class = V_NIL, last_status = V_NIL;

Value process_status_new(pid_t pid, int status)
{
    Value v = heap_alloc_slots(T_OBJECT, status_class, 2);
    ivar_set(v, sym_intern("pid"), int_fix(pid));
    ivar_set(v, sym_intern("status"), int_fix(status));
    return v;
}

void process_set_last_status(Value status)
{
    last_status = status;
}

Value path_value(Value v)
{
    if (!is_string(v)) {
        Value p = vm_call_if_responds(v, SYM(to_path), 0, NULL);
        v = str_to_str(is_undef(p) ? v : p);
    }
    str_c(v);
    return v;
}

const char *path_c(Value v)
{
    return str_c(v);
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

static const Builtin methods[] = {
    {"pid", status_pid, 0, 0, 0},
    {"exitstatus", status_exitstatus, 0, 0, 0},
    {"success?", status_success_p, 0, 0, 0},
};

void process_boot(void)
{
    status_class = class_define_under(klass.Process, "Status", klass.Object);
    heap_add_root(&status_class);
    heap_add_root(&last_status);
    ADD_BUILTINS(status_class, methods);
    gvar_define("$?", &last_status);
}
