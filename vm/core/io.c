/* io.c -- IO: the object, its place in the file, its life, the standard streams
 *
 * How one is made is io_open.c's, reading and writing io_read.c's and io_write.c's, waiting io_wait.c's, encodings io_encoding.c's.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

Value io_standard_in = V_NIL, io_standard_out = V_NIL, io_standard_err = V_NIL;
static Value gv_stdin = V_NIL, gv_stdout = V_NIL, gv_stderr = V_NIL;

Io *io_get(Value v)
{
    if (!is_io(v))
        raise_error(klass.TypeError, "wrong argument type %C (expected IO)", v);
    Io *io = io_body(v);
    if (io->fd == -2)
        raise_error(klass.IOError, "uninitialized stream");
    if (io->fd < 0)
        raise_error(klass.IOError, "closed stream");
    return io;
}

Io *io_get_readable(Value v)
{
    Io *io = io_get(v);
    if (!(io->mode & IOM_READ))
        raise_error(klass.IOError, "not opened for reading");
    if (io->wlen)
        io_flush(v);
    return io;
}

Io *io_get_writable(Value v)
{
    Io *io = io_get(v);
    if (!(io->mode & IOM_WRITE))
        raise_error(klass.IOError, "not opened for writing");
    if (io->rpos < io->rlen && io->write_fd < 0) { /* a file read ahead of: back to where the reader stands */
        if (lseek(io->fd, (off_t)io->rpos - io->rlen, SEEK_CUR) >= 0)
            io->rpos = io->rlen = 0;
    }
    return io;
}

static void io_visit(Object *o, Visitor *v)
{
    v->slot(v, &((Io *)o)->path);
    v->slot(v, &((Io *)o)->reading);
    v->slot(v, &((Io *)o)->writing);
}

static void io_free(Object *o)
{
    Io *io = (Io *)o;
    if (io->fd >= 0 && !(io->mode & IOM_STANDARD)) {
        if (io->wlen)
            (void)!write(io->write_fd >= 0 ? io->write_fd : io->fd, io->wbuf, io->wlen);
        close(io->fd);
        if (io->write_fd >= 0)
            close(io->write_fd);
    }
    heap_free(io->rbuf);
    heap_free(io->wbuf);
}

static size_t io_memsize(Object *o)
{
    return ((Io *)o)->rcap + (size_t)((Io *)o)->wcap;
}

static const TypeRow io_row = {.name = "io", .visit = io_visit, .free = io_free, .memsize = io_memsize, .size = sizeof(Io)};

static Value io_allocate(Value cls)
{
    Value v = heap_alloc(T_IO, cls, sizeof(Io));
    Io *io = io_body(v);
    io->fd = -2;
    io->write_fd = -1;
    io->ext_enc = io->int_enc = -1;
    io->path.raw = io->reading.raw = io->writing.raw = V_NIL;
    return v;
}

Value io_wrap(Value cls, int fd, uint32_t mode, Value path)
{
    Value v = io_allocate(cls);
    Io *io = io_body(v);
    io->fd = fd;
    io->mode = mode;
    slot_init(&io->path, path);
    if (isatty(fd))
        io->mode |= IOM_TTY;
    return v;
}

Value io_to_io(Value v)
{
    return is_io(v) ? v : obj_convert(v, T_IO, "IO", SYM(to_io));
}

Value kernel_stdout(void)
{
    return gv_stdout;
}
Value kernel_stdin(void)
{
    return gv_stdin;
}

/* ---- position ---- */

static _Noreturn void io_raise_errno_in(Value v, int err, const char *function)
{
    Value path = slot_read(v, &io_body(v)->path);
    if (is_nil(path))
        raise_errno(err, NULL);
    raise_errno(err, "@ %s - %T", function, path);
}

static Value io_pos(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    io_flush(self);
    off_t at = lseek(io->fd, 0, SEEK_CUR);
    if (at < 0)
        io_raise_errno_in(self, errno, "rb_io_tell");
    return int_value(at - (int64_t)io_buffered(io));
}

static Value io_seek(Value self, int argc, const Value *argv)
{
    int64_t to = value_int(argv[0]);
    int whence = SEEK_SET;
    if (argc > 1) {
        if (is_symbol(argv[1])) {
            const char *w = sym_text(argv[1]);
            whence = strcmp(w, "SET") == 0 ? SEEK_SET : strcmp(w, "CUR") == 0 ? SEEK_CUR : strcmp(w, "END") == 0 ? SEEK_END : -1;
            if (whence < 0)
                raise_error(klass.ArgumentError, "unknown whence: %s", w);
        } else {
            whence = (int)value_int(argv[1]);
        }
    }
    Io *io = io_get(self);
    io_flush(self);
    if (whence == SEEK_CUR)
        to -= (int64_t)io_buffered(io);
    io->rpos = io->rlen = 0;
    if (lseek(io->fd, to, whence) < 0)
        io_raise_errno_in(self, errno, "rb_io_seek");
    return int_fix(0);
}

/* lseek(2), which knows nothing of buffers */
static Value io_sysseek(Value self, int argc, const Value *argv)
{
    Io *io = io_get(self);
    if (io->mode & IOM_READ && io_buffered(io))
        raise_error(klass.IOError, "sysseek for buffered IO");
    if (io->wlen)
        warn_printf("warning: sysseek for buffered IO");
    io_seek(self, argc, argv);
    return io_pos(self, 0, NULL);
}

static Value io_rewind(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value zero = int_fix(0);
    io_seek(self, 1, &zero);
    io_body(self)->lineno = 0;
    return int_fix(0);
}

static Value io_set_pos(Value self, int argc, const Value *argv)
{
    (void)argc;
    io_seek(self, 1, argv);
    return argv[0];
}

/* ---- life ---- */

void io_close(Value v)
{
    Io *io = io_body(v);
    if (io->fd < 0)
        return;
    int err = io->wlen ? io_try_flush(v) : 0, fd = io->fd, write_fd = io->write_fd;
    pid_t pid = io->pid;
    io->fd = io->write_fd = -1;
    io->rpos = io->rlen = io->wlen = 0;
    io->pid = 0;
    if (fd > 2 && !(io->mode & IOM_STANDARD))
        close(fd);
    if (write_fd >= 0)
        close(write_fd);
    if (pid > 0) {
        int status = 0;
        wait_for_child(pid, &status);
        process_set_last_status(process_status_new(pid, status));
    }
    if (err)
        io_raise_errno(v, err);
}

static Value io_close_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    io_close(self);
    return V_NIL;
}

static Value io_closed_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(io_body(self)->fd == -1);
}

static Value io_close_read(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_body(self);
    if (io->fd < 0)
        return V_NIL;
    if (io->write_fd >= 0) {
        close(io->fd);
        io->fd = io->write_fd;
        io->write_fd = -1;
        io->mode &= ~(uint32_t)IOM_READ;
        return V_NIL;
    }
    if (io->mode & IOM_DUPLEX && !(io->mode & IOM_READ))
        return V_NIL;
    if (io->mode & IOM_WRITE)
        raise_error(klass.IOError, "closing non-duplex IO for reading");
    io_close(self);
    return V_NIL;
}

static Value io_close_write(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_body(self);
    if (io->fd < 0)
        return V_NIL;
    if (io->write_fd >= 0) {
        io_flush(self);
        close(io->write_fd);
        io->write_fd = -1;
        io->mode &= ~(uint32_t)IOM_WRITE;
        return V_NIL;
    }
    if (io->mode & IOM_DUPLEX && !(io->mode & IOM_WRITE))
        return V_NIL;
    if (io->mode & IOM_READ)
        raise_error(klass.IOError, "closing non-duplex IO for writing");
    io_close(self);
    return V_NIL;
}

static Value io_fileno(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix(io_get(self)->fd);
}

static Value io_sync(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(io_get(self)->mode & IOM_SYNC);
}

static Value io_set_sync(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get(self);
    if (truthy(argv[0])) {
        io_flush(self);
        io->mode |= IOM_SYNC;
    } else {
        io->mode &= ~(uint32_t)IOM_SYNC;
    }
    return argv[0];
}

static Value io_tty_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(isatty(io_get(self)->fd));
}

static Value io_pid(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    pid_t pid = io_get(self)->pid;
    return pid ? int_fix(pid) : V_NIL;
}

static Value io_lineno(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_value(io_get_readable(self)->lineno);
}

static Value io_set_lineno(Value self, int argc, const Value *argv)
{
    (void)argc;
    io_get_readable(self);
    int64_t n = value_int(argv[0]);
    if (n != (int)n)
        raise_error(klass.RangeError, "integer %ld too %s to convert to 'int'", (long)n, n < 0 ? "small" : "big");
    io_get_readable(self)->lineno = n;
    return argv[0];
}

static Value io_path(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return slot_read(self, &io_body(self)->path);
}

static Value io_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_body(self);
    Value path = slot_read(self, &io->path);
    if (io->fd == -2)
        return obj_any_to_s(self);
    if (is_nil(path))
        return io->fd < 0 ? str_format("#<%C:(closed)>", self) : str_format("#<%C:fd %d>", self, io->fd);
    return str_format(io->fd < 0 ? "#<%C:%T (closed)>" : "#<%C:%T>", self, path);
}

static Value io_close_on_exec_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(fcntl(io_get(self)->fd, F_GETFD) & FD_CLOEXEC);
}

static Value io_set_close_on_exec(Value self, int argc, const Value *argv)
{
    (void)argc;
    int fd = io_get(self)->fd, flags = fcntl(fd, F_GETFD);
    fcntl(fd, F_SETFD, truthy(argv[0]) ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC);
    return argv[0];
}

static Value io_fcntl(Value self, int argc, const Value *argv)
{
    int r = fcntl(io_get(self)->fd, (int)value_int(argv[0]), argc > 1 && !is_nil(argv[1]) ? value_int(argv[1]) : 0);
    if (r < 0)
        raise_errno(errno, NULL);
    return int_fix(r);
}

/* ioctl(request, argument = nil): an Integer, or a String whose bytes the request reads and writes */
static Value io_ioctl(Value self, int argc, const Value *argv)
{
    int fd = io_get(self)->fd, r;
    unsigned long request = (unsigned long)value_int(argv[0]);
    Value arg = argc > 1 ? argv[1] : V_NIL;
    Value text = is_string(arg) ? arg : is_heap(arg) ? obj_try_convert(arg, T_STRING, "String", SYM(to_str)) : V_NIL;
    if (is_nil(text)) {
        r = ioctl(fd, request, is_nil(arg) || arg == V_FALSE ? 0 : arg == V_TRUE ? 1 : value_int(arg));
    } else {
        size_t room = _IOC_SIZE(request) > 256 ? _IOC_SIZE(request) : 256; /* older requests do not tell their size */
        size_t len = str_view(text).len;
        str_modify_expand(text, len < room ? room - len : 0);
        char *bytes = (char *)(uintptr_t)str_view(text).ptr;
        if (len < room) {
            memset(bytes + len, 0, room - len);
            str_set_len(text, room);
        }
        r = ioctl(fd, request, bytes);
    }
    if (r < 0)
        io_raise_errno(self, errno);
    return int_fix(r);
}

/* __int(value): the Integer that it stands for */
static Value io_s_int(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return int_value(value_int(argv[0]));
}

static Value io_s_try_convert(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return is_io(argv[0]) ? argv[0] : obj_try_convert(argv[0], T_IO, "IO", SYM(to_io));
}

/* advise(advice, offset = 0, length = 0): a hint to the page cache */
static Value io_advise(Value self, int argc, const Value *argv)
{
    static const struct {
        const char *name;
        int advice;
    } kinds[] = {{"normal", POSIX_FADV_NORMAL}, {"sequential", POSIX_FADV_SEQUENTIAL}, {"random", POSIX_FADV_RANDOM},
                 {"willneed", POSIX_FADV_WILLNEED}, {"dontneed", POSIX_FADV_DONTNEED}, {"noreuse", POSIX_FADV_NOREUSE}};
    if (!is_symbol(argv[0]))
        raise_error(klass.TypeError, "advice must be a Symbol");
    int64_t from = argc > 1 && !is_nil(argv[1]) ? value_int(argv[1]) : 0, length = argc > 2 && !is_nil(argv[2]) ? value_int(argv[2]) : 0;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(sym_text(argv[0]), kinds[i].name) == 0) {
            int err = posix_fadvise(io_get(self)->fd, from, length, kinds[i].advice);
            if (err && err != EINVAL && err != ESPIPE)
                io_raise_errno(self, err);
            return V_NIL;
        }
    raise_error(klass.NotImplementedError, "Unsupported advice: %T", obj_inspect(argv[0]));
}

static Value io_autoclose_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(!(io_get(self)->mode & IOM_STANDARD));
}

static Value io_set_autoclose(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get(self);
    io->mode = truthy(argv[0]) ? io->mode & ~(uint32_t)IOM_STANDARD : io->mode | IOM_STANDARD;
    return argv[0];
}

static void set_stdout(Value name, Value v)
{
    if (!vm_responds_to(v, SYM(write), false))
        raise_error(klass.TypeError, "%s must have write method, %C given", sym_text(name), v);
    if (strcmp(sym_text(name), "$stderr") == 0)
        gv_stderr = v;
    else
        gv_stdout = v;
}

static Value get_stdout(Value name)
{
    return strcmp(sym_text(name), "$stderr") == 0 ? gv_stderr : gv_stdout;
}

/* __standard(n): 0, 1, 2 give $stdin, $stdout, $stderr as they are now */
static Value kernel_p_standard(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return fix_int(argv[0]) == 0 ? gv_stdin : fix_int(argv[0]) == 1 ? gv_stdout : gv_stderr;
}

static const Builtin methods[] = {
    {"close_on_exec?", io_close_on_exec_p, 0, 0, 0},
    {"close_on_exec=", io_set_close_on_exec, 1, 1, 0},
    {"fcntl", io_fcntl, 1, 2, 0},
    {"ioctl", io_ioctl, 1, 2, 0},
    {"advise", io_advise, 1, 3, 0},
    {"autoclose?", io_autoclose_p, 0, 0, 0},
    {"autoclose=", io_set_autoclose, 1, 1, 0},
    {"pos", io_pos, 0, 0, 0},
    {"tell", io_pos, 0, 0, 0},
    {"pos=", io_set_pos, 1, 1, 0},
    {"seek", io_seek, 1, 2, 0},
    {"sysseek", io_sysseek, 1, 2, 0},
    {"rewind", io_rewind, 0, 0, 0},
    {"close", io_close_m, 0, 0, 0},
    {"closed?", io_closed_p, 0, 0, 0},
    {"close_read", io_close_read, 0, 0, 0},
    {"close_write", io_close_write, 0, 0, 0},
    {"fileno", io_fileno, 0, 0, 0},
    {"to_i", io_fileno, 0, 0, 0},
    {"sync", io_sync, 0, 0, 0},
    {"sync=", io_set_sync, 1, 1, 0},
    {"tty?", io_tty_p, 0, 0, 0},
    {"isatty", io_tty_p, 0, 0, 0},
    {"pid", io_pid, 0, 0, 0},
    {"lineno", io_lineno, 0, 0, 0},
    {"lineno=", io_set_lineno, 1, 1, 0},
    {"path", io_path, 0, 0, 0},
    {"to_path", io_path, 0, 0, 0},
    {"inspect", io_inspect, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"__int", io_s_int, 1, 1, BI_HIDDEN},
    {"try_convert", io_s_try_convert, 1, 1, 0},
};
static const Builtin kernel_methods[] = {
    {"__standard", kernel_p_standard, 1, 1, BI_HIDDEN | BI_PRIVATE},
};

static Value standard(int fd, uint32_t mode, const char *name)
{
    Value v = io_wrap(klass.IO, fd, mode | IOM_STANDARD, str_new_c(name));
    heap_add_root(fd == 0 ? &io_standard_in : fd == 1 ? &io_standard_out : &io_standard_err);
    return v;
}

void io_boot(void)
{
    heap_register_type(T_IO, &io_row);
    class_set_instance_type(klass.IO, T_IO);
    class_set_allocator(klass.IO, io_allocate);
    class_set_instance_type(klass.File, T_IO);
    class_set_allocator(klass.File, io_allocate);
    module_include(klass.IO, klass.Enumerable);
    const_set(klass.IO, sym_intern("SEEK_SET"), int_fix(SEEK_SET));
    const_set(klass.IO, sym_intern("SEEK_CUR"), int_fix(SEEK_CUR));
    const_set(klass.IO, sym_intern("SEEK_END"), int_fix(SEEK_END));
    ADD_BUILTINS(klass.IO, methods);
    ADD_SINGLETON_BUILTINS(klass.IO, singleton_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    gv_stdin = io_standard_in = standard(0, IOM_READ, "<STDIN>");
    gv_stdout = io_standard_out = standard(1, IOM_WRITE, "<STDOUT>");
    gv_stderr = io_standard_err = standard(2, IOM_WRITE | IOM_SYNC, "<STDERR>");
    heap_add_root(&gv_stdout);
    heap_add_root(&gv_stderr);
    const_set(klass.Object, sym_intern("STDIN"), io_standard_in);
    const_set(klass.Object, sym_intern("STDOUT"), io_standard_out);
    const_set(klass.Object, sym_intern("STDERR"), io_standard_err);
    gvar_define("$stdin", &gv_stdin);
    gvar_define_hooked("$stdout", get_stdout, set_stdout);
    gvar_define_hooked("$stderr", get_stdout, set_stdout);
    gvar_alias(sym_intern("$>"), sym_intern("$stdout"));
}

/* In a session's process: descriptors 0 to 2 are the client's now. */
void io_session_start(void)
{
    Value all[] = {io_standard_in, io_standard_out, io_standard_err};
    for (int i = 0; i < 3; i++) {
        Io *io = io_body(all[i]);
        io->mode = (io->mode & ~(uint32_t)IOM_TTY) | (isatty(i) ? IOM_TTY : 0);
        io->rpos = io->rlen = io->wlen = 0;
    }
}
