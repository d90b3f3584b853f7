/*
 * kernel_io.c: puts, print, p and what else of Kernel writes: to $stdout, whatever object that is.
 *
 * Until IO is whole, standard output and error are buffered objects of class IO that know write, print, puts, <<,
 * flush and their like.
 */
#include "vm/core.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char buffer[65536];
static size_t buffered;
static Value out_stream, err_stream, stdout_value, stderr_value;

static void write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return;
        p += k;
        n -= (size_t)k;
    }
}

void io_flush_all(void)
{
    write_all(1, buffer, buffered);
    buffered = 0;
}

void io_write_stdout(const char *bytes, size_t len)
{
    if (buffered + len > sizeof buffer)
        io_flush_all();
    if (len > sizeof buffer) {
        write_all(1, bytes, len);
        return;
    }
    memcpy(buffer + buffered, bytes, len);
    buffered += len;
}

static Value write_to(Value io, Value s)
{
    if (io == out_stream) {
        StrView v = str_view(s);
        io_write_stdout(v.ptr, v.len);
        if (isatty(1))
            io_flush_all();
        return int_fix((int64_t)v.len);
    }
    if (io == err_stream) {
        io_flush_all();
        StrView v = str_view(s);
        write_all(2, v.ptr, v.len);
        return int_fix((int64_t)v.len);
    }
    return vm_call1(io, SYM(write), s);
}

static Value stream_write(Value self, int argc, const Value *argv)
{
    int64_t n = 0;
    for (int i = 0; i < argc; i++)
        n += fix_int(write_to(self, obj_to_s(argv[i])));
    return int_fix(n);
}

static void put_line(Value io, Value v);

struct put {
    Value io, list;
};
static Value put_list(void *arg)
{
    struct put *p = arg;
    for (size_t i = 0; i < ary_len(p->list); i++)
        put_line(p->io, ary_get(p->list, (long)i));
    return V_NIL;
}

static void put_line(Value io, Value v)
{
    Value list = is_string(v) ? V_NIL : ary_try(v);
    if (list != V_NIL) {
        struct put p = {io, list};
        if (vm_guard_recursion(SYM(puts), list, V_NIL, put_list, &p) == V_UNDEF)
            write_to(io, str_new_c("[...]\n"));
        return;
    }
    Value s = is_string(v) ? v : obj_to_s(v);
    StrView view = str_view(s);
    if (view.len == 0 || view.ptr[view.len - 1] != '\n') {
        s = str_dup(s);
        str_append_c(s, "\n");
    }
    write_to(io, s);
}

static Value put_values(Value io, int argc, const Value *argv)
{
    if (argc == 0)
        write_to(io, str_new_c("\n"));
    for (int i = 0; i < argc; i++)
        put_line(io, argv[i]);
    return V_NIL;
}

static Value stream_puts(Value self, int argc, const Value *argv)
{
    return put_values(self, argc, argv);
}
static Value stream_print(Value self, int argc, const Value *argv)
{
    for (int i = 0; i < argc; i++)
        write_to(self, obj_to_s(argv[i]));
    return V_NIL;
}
static Value stream_append(Value self, int argc, const Value *argv)
{
    (void)argc;
    write_to(self, obj_to_s(argv[0]));
    return self;
}
static Value stream_flush(Value self, int argc, const Value *argv)
{
    (void)argc;
    (void)argv;
    io_flush_all();
    return self;
}
static Value stream_true(Value self, int argc, const Value *argv)
{
    (void)self;
    (void)argc;
    (void)argv;
    return V_TRUE;
}
static Value stream_set(Value self, int argc, const Value *argv)
{
    (void)self;
    (void)argc;
    return argv[0];
}
static Value stream_fileno(Value self, int argc, const Value *argv)
{
    (void)argc;
    (void)argv;
    return int_fix(self == out_stream ? 1 : 2);
}
static Value stream_tty(Value self, int argc, const Value *argv)
{
    (void)argc;
    (void)argv;
    return bool_value(isatty(self == out_stream ? 1 : 2));
}
static Value stream_printf(Value self, int argc, const Value *argv)
{
    if (argc)
        write_to(self, format_values(argv[0], argc - 1, argv + 1));
    return V_NIL;
}

static Value kernel_puts(Value self, int argc, const Value *argv)
{
    (void)self;
    if (stdout_value == out_stream)
        return put_values(out_stream, argc, argv);
    return vm_call(stdout_value, SYM(puts), argc, argv);
}
static Value kernel_print(Value self, int argc, const Value *argv)
{
    (void)self;
    Value line = frame_last_line();
    if (argc == 0) {
        argc = 1;
        argv = &line;
    }
    for (int i = 0; i < argc; i++)
        write_to(stdout_value, obj_to_s(argv[i]));
    return V_NIL;
}
static Value kernel_p(Value self, int argc, const Value *argv)
{
    (void)self;
    for (int i = 0; i < argc; i++) {
        Value s = str_dup(obj_inspect(argv[i]));
        str_append_c(s, "\n");
        write_to(stdout_value, s);
    }
    return argc == 0 ? V_NIL : argc == 1 ? argv[0] : ary_new_from((size_t)argc, argv);
}
static Value kernel_printf(Value self, int argc, const Value *argv)
{
    (void)self;
    if (argc == 0)
        return V_NIL;
    if (is_string(argv[0]))
        write_to(stdout_value, format_values(argv[0], argc - 1, argv + 1));
    else if (argc > 1)
        write_to(argv[0], format_values(argv[1], argc - 2, argv + 2));
    return V_NIL;
}
static Value kernel_sprintf(Value self, int argc, const Value *argv)
{
    (void)self;
    return format_values(argv[0], argc - 1, argv + 1);
}

static const Builtin stream_methods[] = {
    {"write", stream_write, 0, -1, 0},
    {"puts", stream_puts, 0, -1, 0},
    {"print", stream_print, 0, -1, 0},
    {"printf", stream_printf, 0, -1, 0},
    {"<<", stream_append, 1, 1, 0},
    {"flush", stream_flush, 0, 0, 0},
    {"fsync", stream_flush, 0, 0, 0},
    {"sync", stream_true, 0, 0, 0},
    {"sync=", stream_set, 1, 1, 0},
    {"fileno", stream_fileno, 0, 0, 0},
    {"tty?", stream_tty, 0, 0, 0},
    {"isatty", stream_tty, 0, 0, 0},
};
static const Builtin kernel_methods[] = {
    {"puts", kernel_puts, 0, -1, BI_MODULE_FUNCTION},
    {"print", kernel_print, 0, -1, BI_MODULE_FUNCTION},
    {"p", kernel_p, 0, -1, BI_MODULE_FUNCTION},
    {"printf", kernel_printf, 0, -1, BI_MODULE_FUNCTION},
    {"sprintf", kernel_sprintf, 1, -1, BI_MODULE_FUNCTION},
    {"format", kernel_sprintf, 1, -1, BI_MODULE_FUNCTION},
};

static void set_stdout(Value name, Value v)
{
    if (!vm_responds_to(v, SYM(write), true))
        raise_error(klass.TypeError, "%T must have write method, %C given", name, class_real(v));
    stdout_value = v;
}
static Value get_stdout(Value name)
{
    (void)name;
    return stdout_value;
}
static void set_stderr(Value name, Value v)
{
    if (!vm_responds_to(v, SYM(write), true))
        raise_error(klass.TypeError, "%T must have write method, %C given", name, class_real(v));
    stderr_value = v;
}
static Value get_stderr(Value name)
{
    (void)name;
    return stderr_value;
}

void kernel_io_boot(void)
{
    Value cls = class_new(klass.IO, NULL);
    class_set_instance_type(cls, T_OBJECT);
    out_stream = heap_alloc_slots(T_OBJECT, cls, 0);
    err_stream = heap_alloc_slots(T_OBJECT, cls, 0);
    stdout_value = out_stream;
    stderr_value = err_stream;
    heap_add_root(&out_stream);
    heap_add_root(&err_stream);
    heap_add_root(&stdout_value);
    heap_add_root(&stderr_value);
    ADD_BUILTINS(cls, stream_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    const_set(klass.Object, sym_intern("STDOUT"), out_stream);
    const_set(klass.Object, sym_intern("STDERR"), err_stream);
    gvar_define_hooked("$stdout", get_stdout, set_stdout);
    gvar_define_hooked("$stderr", get_stderr, set_stderr);
    gvar_alias(sym_intern("$>"), sym_intern("$stdout"));
}
