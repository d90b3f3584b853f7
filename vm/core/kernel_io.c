/* kernel_io.c -- Kernel's output: puts, print, p and their kin go to $stdout, whatever object that is */
#include "io_private.h"

Value io_puts(Value self, int argc, const Value *argv);
Value io_print(Value self, int argc, const Value *argv);
Value kernel_stdout(void);

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

static const Builtin methods[] = {
    {"puts", kernel_puts, 0, -1, BI_MODULE_FUNCTION},
    {"print", kernel_print, 0, -1, BI_MODULE_FUNCTION},
    {"p", kernel_p, 0, -1, BI_MODULE_FUNCTION},
    {"printf", kernel_printf, 0, -1, BI_MODULE_FUNCTION},
    {"sprintf", kernel_sprintf, 0, -1, BI_MODULE_FUNCTION},
    {"format", kernel_sprintf, 0, -1, BI_MODULE_FUNCTION},
};

void kernel_io_boot(void)
{
    ADD_BUILTINS(klass.Kernel, methods);
}
