/* kernel_io.c -- Kernel's output: puts, print, p and their kin go to $stdout, whatever object that is; ENV's primitives */
#include "vm/core/core_private.h"
#include "io_private.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static Value kernel_puts(Value self, int argc, const Value *argv)
{
    (void)self;
    Value out = kernel_stdout();
    return is_io(out) ? io_puts(out, argc, argv) : vm_call(out, SYM(puts), argc, argv);
}

static Value kernel_print(Value self, int argc, const Value *argv)
{
    (void)self;
    return io_print(kernel_stdout(), argc, argv);
}

static Value kernel_p(Value self, int argc, const Value *argv)
{
    (void)self;
    for (int i = 0; i < argc; i++) {
        Value line = str_dup(obj_inspect(argv[i]));
        str_append(line, "\n", 1);
        vm_call1(kernel_stdout(), SYM(write), line);
    }
    return argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv);
}

static Value kernel_printf(Value self, int argc, const Value *argv)
{
    (void)self;
    if (argc == 0)
        return V_NIL;
    if (is_string(argv[0]))
        vm_call1(kernel_stdout(), SYM(write), format_values(argv[0], argc - 1, argv + 1));
    else if (argc > 1)
        vm_call1(argv[0], SYM(write), format_values(argv[1], argc - 2, argv + 2));
    return V_NIL;
}

static Value kernel_sprintf(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        raise_error(klass.ArgumentError, "too few arguments");
    (void)self;
    return format_values(argv[0], argc - 1, argv + 1);
}

static Value kernel_syscall(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    raise_not_implemented("syscall() function");
}

/* ---- ENV ---- */

extern char **environ;

static Value env_text(const char *p, size_t n)
{
    return str_new_frozen(p, n, ENC_UTF_8);
}

/* __env_get(name) */
static Value env_get(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const char *v = getenv(str_c(str_to_str(argv[0])));
    return v ? env_text(v, strlen(v)) : V_NIL;
}

/* __env_set(name, value or nil) */
static Value env_set(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value name = str_to_str(argv[0]);
    const char *n = str_c(name);
    if (is_nil(argv[1])) {
        if (*n && !strchr(n, '='))
            unsetenv(n);
        return V_NIL;
    }
    const char *v = str_c(str_to_str(argv[1]));
    if (!*n || strchr(n, '=') || setenv(n, v, 1) < 0)
        raise_errno(!*n || strchr(n, '=') ? EINVAL : errno, "setenv(%s)", n);
    return argv[1];
}

/* __env_all: [[name, value], ...] */
static Value env_all(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value list = ary_new(64);
    for (char **e = environ; e && *e; e++) {
        const char *eq = strchr(*e, '=');
        if (eq)
            ary_push(list, ary_new_from(2, (Value[]){env_text(*e, (size_t)(eq - *e)), env_text(eq + 1, strlen(eq + 1))}));
    }
    return list;
}

static Value argf_get(Value name)
{
    (void)name;
    Value v = const_find(klass.Object, sym_intern("ARGF"), false);
    return is_undef(v) ? V_NIL : v;
}

static Value argf_filename(Value name)
{
    return vm_call0(argf_get(name), sym_intern("filename"));
}

static const Builtin methods[] = {
    {"puts", kernel_puts, 0, -1, BI_MODULE_FUNCTION},
    {"print", kernel_print, 0, -1, BI_MODULE_FUNCTION},
    {"p", kernel_p, 0, -1, BI_MODULE_FUNCTION},
    {"printf", kernel_printf, 0, -1, BI_MODULE_FUNCTION},
    {"sprintf", kernel_sprintf, 0, -1, BI_MODULE_FUNCTION},
    {"format", kernel_sprintf, 0, -1, BI_MODULE_FUNCTION},
    {"syscall", kernel_syscall, 0, -1, BI_MODULE_FUNCTION},
    {"__env_get", env_get, 1, 1, BI_HIDDEN | BI_PRIVATE},
    {"__env_set", env_set, 2, 2, BI_HIDDEN | BI_PRIVATE},
    {"__env_all", env_all, 0, 0, BI_HIDDEN | BI_PRIVATE},
};

void kernel_io_boot(void)
{
    ADD_BUILTINS(klass.Kernel, methods);
    gvar_define_hooked("$<", argf_get, NULL);
    gvar_define_hooked("$FILENAME", argf_filename, NULL);
}
