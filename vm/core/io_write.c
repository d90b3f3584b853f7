/* io_write.c -- IO: writing, through a buffer or at once
 *
 * $stdout is buffered unless it is a terminal, and flushed at exit, before a child process starts and when $stdin
 * waits; $stderr is not buffered.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"
#include "vm/interp/vm_state.h"
#include "vm/thread.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WRITE_CHUNK = 16384 };

/* One write.  A descriptor blocks the whole process, so while others could run nothing is written that might have to wait:
 * into a pipe or a terminal PIPE_BUF bytes when it is ready, into a socket what it takes. */
static ssize_t write_some(Value v, int fd, const char *p, size_t n)
{
    struct stat st;
    if ((thread_has_peers() || !is_nil(scheduler_current())) && fstat(fd, &st) == 0) {
        if (S_ISSOCK(st.st_mode))
            return send(fd, p, n, MSG_DONTWAIT);
        if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
            io_wait(v, fd, POLLOUT);
            return write(fd, p, n < PIPE_BUF ? n : PIPE_BUF);
        }
    }
    return write(fd, p, n);
}

static void write_all(Value v, const char *p, size_t n)
{
    while (n) {
        Io *io = io_get(v);
        int fd = io->write_fd >= 0 ? io->write_fd : io->fd;
        ssize_t w = write_some(v, fd, p, n);
        if (w < 0) {
            if (errno == EINTR) {
                vm_check_interrupts();
                continue;
            }
            if (errno == EAGAIN) {
                io_wait(v, fd, POLLOUT);
                continue;
            }
            int err = errno;
            io_body(v)->wlen = 0;
            io_raise_errno(v, err);
        }
        p += w;
        n -= (size_t)w;
    }
}

int io_try_flush(Value v)
{
    Io *io = io_body(v);
    uint32_t n = io->wlen, done = 0;
    int fd = io->write_fd >= 0 ? io->write_fd : io->fd, err = 0;
    while (done < n && !err) {
        ssize_t w = write(fd, io->wbuf + done, n - done);
        if (w > 0) {
            done += (uint32_t)w;
        } else if (errno == EAGAIN) {
            struct pollfd p = {fd, POLLOUT, 0};
            poll(&p, 1, 1000);
        } else if (errno != EINTR) {
            err = errno;
        }
    }
    memmove(io->wbuf, io->wbuf + done, n - done);
    io->wlen = n - done;
    return err;
}

_Noreturn void io_raise_errno(Value v, int err)
{
    Value path = slot_read(v, &io_body(v)->path);
    if (is_nil(path))
        raise_errno(err, NULL);
    raise_errno(err, "%T", path);
}

void io_flush(Value v)
{
    int err = io_get(v)->wlen ? io_try_flush(v) : 0;
    if (err)
        io_raise_errno(v, err);
}

void io_write_bytes(Value v, const char *bytes, size_t n)
{
    Io *io = io_get_writable(v);
    if (io->mode & (IOM_SYNC | IOM_TTY) || n >= WRITE_CHUNK) {
        if (io->wlen)
            io_flush(v);
        write_all(v, bytes, n);
        return;
    }
    if (io->wlen + n > WRITE_CHUNK)
        io_flush(v);
    io = io_body(v);
    if (!io->wbuf) {
        char *p = heap_malloc(WRITE_CHUNK);
        io = io_body(v);
        io->wbuf = p;
        io->wcap = WRITE_CHUNK;
    }
    memcpy(io->wbuf + io->wlen, bytes, n);
    io->wlen += (uint32_t)n;
}

void io_write_stdout(const char *bytes, size_t len)
{
    if (is_io(kernel_stdout())) {
        io_write_bytes(kernel_stdout(), bytes, len);
        return;
    }
    vm_call1(kernel_stdout(), SYM(write), str_new(bytes, len));
}

void io_flush_quietly(Value v)
{
    if (!is_io(v) || io_body(v)->fd < 0 || !io_body(v)->wlen)
        return;
    io_try_flush(v);
    io_body(v)->wlen = 0;
}

static void flush_each(Value v, void *unused)
{
    (void)unused;
    if (is_heap(v) && obj_type(v) == T_IO)
        io_flush_quietly(v);
}

void io_flush_all(void)
{
    io_flush_quietly(io_standard_out);
    io_flush_quietly(io_standard_err);
    heap_each_object(flush_each, NULL);
}

static Value io_flush_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    io_get_writable(self);
    io_flush(self);
    return self;
}

static Value io_fsync(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    io_flush(self);
    if (fsync(io_get(self)->fd) < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

static Value io_write(Value self, int argc, const Value *argv)
{
    int64_t total = 0;
    for (int i = 0; i < argc; i++) {
        Value s = io_to_external(self, is_string(argv[i]) ? argv[i] : obj_to_s(argv[i]));
        StrView v = str_view(s);
        if (!v.len)
            continue;
        io_write_bytes(self, v.ptr, v.len);
        total += (int64_t)v.len;
    }
    return int_fix(total);
}

static Value io_append(Value self, int argc, const Value *argv)
{
    (void)argc;
    vm_call1(self, SYM(write), argv[0]);
    return self;
}

/* One write(2), buffers passed by. */
static Value io_syswrite(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_writable(self);
    if (io->wlen)
        warn_printf("warning: syswrite for buffered IO");
    io_flush(self);
    Value s = obj_to_s(argv[0]);
    StrView v = str_view(s);
    ssize_t n;
    while ((n = write(io->write_fd >= 0 ? io->write_fd : io->fd, v.ptr, v.len)) < 0 && errno == EINTR)
        vm_check_interrupts();
    if (n < 0)
        raise_errno(errno, NULL);
    return int_fix(n);
}

static void write_line(Value out, Value text)
{
    StrView v = str_view(text);
    bool nl = v.len && v.ptr[v.len - 1] == '\n';
    MethodEntry *me = method_find(class_of(out), SYM(write));
    if (is_io(out) && me && me->kind == ME_BUILTIN && me->fn == io_write) {
        text = io_to_external(out, text);
        v = str_view(text);
        io_write_bytes(out, v.ptr, v.len);
        if (!nl) {
            text = io_to_external(out, str_new("\n", 1));
            v = str_view(text);
            io_write_bytes(out, v.ptr, v.len);
        }
        return;
    }
    if (!v.len) {
        vm_call1(out, SYM(write), str_new("\n", 1));
    } else if (!nl && me && method_arity(me) == 1) {
        vm_call1(out, SYM(write), text); /* a write that takes one argument only, as it once was */
        vm_call1(out, SYM(write), str_new("\n", 1));
    } else if (nl) {
        vm_call1(out, SYM(write), text);
    } else {
        vm_call2(out, SYM(write), text, str_new("\n", 1));
    }
}

typedef struct Puts {
    Value out, list;
} Puts;

static void puts_value(Value out, Value v);

static Value puts_list(void *arg)
{
    Puts *p = arg;
    for (size_t i = 0; i < ary_len(p->list); i++)
        puts_value(p->out, ary_get(p->list, (long)i));
    return V_NIL;
}

static void puts_value(Value out, Value v)
{
    if (is_string(v)) {
        write_line(out, v);
        return;
    }
    Value list = is_heap(v) ? ary_try(v) : V_NIL;
    if (!is_nil(list)) {
        Puts p = {out, list};
        if (is_undef(vm_guard_recursion(SYM(puts), list, V_NIL, puts_list, &p)))
            write_line(out, str_new_c("[...]"));
        return;
    }
    write_line(out, obj_to_s(v));
}

Value io_puts(Value self, int argc, const Value *argv)
{
    if (argc == 0) {
        vm_call1(self, SYM(write), str_new("\n", 1));
        return V_NIL;
    }
    for (int i = 0; i < argc; i++)
        puts_value(self, argv[i]);
    return V_NIL;
}

Value io_print(Value self, int argc, const Value *argv)
{
    Value line = argc ? V_NIL : frame_last_line();
    if (argc == 0)
        argc = 1, argv = &line;
    for (int i = 0; i < argc; i++) {
        if (i && !is_nil(io_field_separator))
            vm_call1(self, SYM(write), io_field_separator);
        vm_call1(self, SYM(write), argv[i]);
    }
    if (!is_nil(io_output_separator))
        vm_call1(self, SYM(write), io_output_separator);
    return V_NIL;
}

static Value io_printf(Value self, int argc, const Value *argv)
{
    if (argc)
        vm_call1(self, SYM(write), format_values(argv[0], argc - 1, argv + 1));
    return V_NIL;
}

static Value io_putc(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value s;
    if (is_string(argv[0])) {
        s = str_substr(argv[0], 0, 1);
    } else {
        char c = (char)value_int(argv[0]);
        s = str_new_enc(&c, 1, ENC_BINARY);
    }
    vm_call1(self, SYM(write), s);
    return argv[0];
}

static Value io_p_pwrite(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_writable(self);
    Value text = obj_to_s(argv[0]);
    StrView s = str_view(text);
    ssize_t n = pwrite(io->fd, s.ptr, s.len, value_int(argv[1]));
    if (n < 0)
        raise_errno(errno, NULL);
    return int_fix(n);
}

/* __write_some(string): one write that does not wait; bytes written, nil when it would wait */
static Value io_p_write_some(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_writable(self);
    io_flush(self);
    StrView s = str_view(argv[0]);
    int fd = io->write_fd >= 0 ? io->write_fd : io->fd;
    size_t n = s.len;
    struct stat st;
    if (n > 4096 && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        n = 4096; /* poll promises a pipe room for that much */
    ssize_t w = write(fd, s.ptr, n);
    if (w < 0 && errno == EAGAIN)
        return V_NIL;
    if (w < 0)
        raise_errno(errno, NULL);
    return int_fix(w);
}

static const Builtin methods[] = {
    {"__pwrite", io_p_pwrite, 2, 2, BI_HIDDEN},
    {"__write_some", io_p_write_some, 1, 1, BI_HIDDEN},
    {"flush", io_flush_m, 0, 0, 0},
    {"fsync", io_fsync, 0, 0, 0},
    {"fdatasync", io_fsync, 0, 0, 0},
    {"write", io_write, 0, -1, 0},
    {"<<", io_append, 1, 1, 0},
    {"syswrite", io_syswrite, 1, 1, 0},
    {"puts", io_puts, 0, -1, 0},
    {"print", io_print, 0, -1, 0},
    {"printf", io_printf, 0, -1, 0},
    {"putc", io_putc, 1, 1, 0},
};

void io_write_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
}
