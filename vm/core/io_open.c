/* io_open.c -- IO: making one: modes, files, pipes, reopening */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static uint32_t access_of(int flags)
{
    int access = flags & O_ACCMODE;
    return (access == O_RDONLY ? IOM_READ : access == O_WRONLY ? IOM_WRITE : IOM_READ | IOM_WRITE) |
           (flags & O_APPEND ? IOM_APPEND : 0);
}

static void parse_mode(IoModes *m, Value mode)
{
    StrView s = str_view(mode);
    switch (s.len ? s.ptr[0] : 0) {
    case 'r':
        m->flags = O_RDONLY;
        break;
    case 'w':
        m->flags = O_WRONLY | O_CREAT | O_TRUNC;
        break;
    case 'a':
        m->flags = O_WRONLY | O_CREAT | O_APPEND;
        break;
    default:
        raise_error(klass.ArgumentError, "invalid access mode %T", mode);
    }
    uint32_t kind = 0;
    for (size_t i = 1; i < s.len && s.ptr[i] != ':'; i++) {
        if (s.ptr[i] == '+')
            m->flags = (m->flags & ~O_ACCMODE) | O_RDWR;
        else if (s.ptr[i] == 'b')
            kind |= IOM_BINARY;
        else if (s.ptr[i] == 't')
            kind |= IOM_TEXT;
        else if (s.ptr[i] == 'x' && s.ptr[0] == 'w')
            m->flags |= O_EXCL;
        else
            raise_error(klass.ArgumentError, "invalid access mode %T", mode);
    }
    if (kind == (IOM_BINARY | IOM_TEXT))
        raise_error(klass.ArgumentError, "invalid access mode %T", mode);
    m->mode = access_of(m->flags) | kind;
}

static Value option(Value options, const char *name) /* nil when it is not there */
{
    Value v = is_nil(options) ? V_UNDEF : keyword_get(options, name);
    return is_undef(v) ? V_NIL : v;
}

/* textmode: and binmode: set the kind that the mode did not */
static void kind_options(IoModes *m, Value options)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } kinds[] = {{"textmode", IOM_TEXT}, {"binmode", IOM_BINARY}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        Value v = option(options, kinds[i].name);
        if (is_nil(v))
            continue;
        if (m->mode & kinds[i].bit)
            raise_error(klass.ArgumentError, "%s specified twice", kinds[i].name);
        if (m->mode & kinds[1 - i].bit)
            raise_error(klass.ArgumentError, "both textmode and binmode specified");
        if (truthy(v))
            m->mode |= kinds[i].bit;
    }
}

IoModes io_modes(Value mode, Value perm, Value options)
{
    IoModes m = {.flags = O_RDONLY, .mode = IOM_READ, .perm = is_undef(perm) ? V_NIL : perm};
    Value other = option(options, "mode");
    if (is_undef(mode))
        mode = V_NIL;
    if (!is_nil(mode) && !is_nil(other))
        raise_error(klass.ArgumentError, "mode specified twice");
    if (is_nil(mode))
        mode = other;
    m.given = !is_nil(mode);
    Value text = V_NIL;
    if (m.given) {
        bool numeric = is_fixnum(mode) || (!is_string(mode) && vm_responds_to(mode, SYM(to_int), true));
        if (!numeric) {
            text = str_to_str(mode);
            parse_mode(&m, text);
        } else {
            m.flags = (int)value_int(mode);
            m.mode = access_of(m.flags);
        }
    }
    Value extra = option(options, "flags");
    if (!is_nil(extra)) {
        m.flags |= (int)value_int(extra);
        m.mode = access_of(m.flags) | (m.mode & (IOM_BINARY | IOM_TEXT));
    }
    kind_options(&m, options);
    Value more = option(options, "perm");
    if (!is_nil(more)) {
        if (!is_nil(m.perm))
            raise_error(klass.ArgumentError, "perm specified twice");
        m.perm = more;
    }
    io_modes_encode(&m, text, options);
    m.flags |= O_CLOEXEC;
    return m;
}

/* The open descriptor becomes self's. */
static void adopt(Value self, int fd, const IoModes *m)
{
    Io *io = io_body(self);
    io->fd = fd;
    io->mode = m->mode | (isatty(fd) ? IOM_TTY : 0);
    io_apply_encodings(self, m);
}

/* IO.new(fd, mode = that of fd, autoclose: true, path: nil, **options) */
static Value io_initialize(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    int fd = (int)value_int(argv[0]);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        raise_errno(errno, NULL);
    IoModes m = io_modes(argc > 1 ? argv[1] : V_NIL, V_NIL, options);
    uint32_t access = access_of(flags);
    if (!m.given)
        m.mode = (m.mode & ~(uint32_t)(IOM_READ | IOM_WRITE)) | access;
    else if (m.mode & ~access & (IOM_READ | IOM_WRITE))
        raise_errno(EINVAL, NULL);
    Value close = is_nil(options) ? V_UNDEF : keyword_get(options, "autoclose"), path = option(options, "path");
    adopt(self, fd, &m);
    if (!is_undef(close) && !truthy(close))
        io_body(self)->mode |= IOM_STANDARD;
    if (!is_nil(path))
        slot_write(self, &io_body(self)->path, path_value(path));
    return self;
}

static int open_file(Value path, const IoModes *m)
{
    int fd, perm = is_nil(m->perm) ? 0666 : (int)value_int(m->perm);
    while ((fd = open(path_c(path), m->flags, perm)) < 0 && errno == EINTR)
        vm_check_interrupts();
    if (fd < 0)
        raise_errno(errno, "@ rb_sysopen - %T", path);
    return fd;
}

/* File.new(path, mode = "r", perm = 0666, **options) */
static Value file_initialize(Value self, int argc, const Value *argv)
{
    if (is_fixnum(argv[0]))
        return io_initialize(self, argc, argv);
    Value options = call_take_keywords(&argc, argv);
    Value path = path_value(argv[0]);
    IoModes m = io_modes(argc > 1 ? argv[1] : V_NIL, argc > 2 ? argv[2] : V_NIL, options);
    int fd = open_file(path, &m);
    if (io_body(self)->fd >= 0)
        io_close(self);
    slot_write(self, &io_body(self)->path, path);
    adopt(self, fd, &m);
    return self;
}

static Value io_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *from = io_get(io_to_io(argv[0]));
    io_flush(argv[0]);
    int fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        raise_errno(errno, NULL);
    Io *io = io_body(self);
    io->fd = fd;
    io->mode = from->mode & ~(uint32_t)IOM_STANDARD;
    io->ext_enc = from->ext_enc;
    io->int_enc = from->int_enc;
    slot_write(self, &io->path, slot_read(argv[0], &from->path));
    slot_write(self, &io->reading, slot_read(argv[0], &from->reading));
    slot_write(self, &io->writing, slot_read(argv[0], &from->writing));
    return self;
}

static void reopen_as(Value self, Value other)
{
    Io *io = io_get(self), *from = io_get(other);
    io_flush(self);
    io_flush(other);
    if (dup3(from->fd, io->fd, io->fd > 2 ? O_CLOEXEC : 0) < 0 && errno != EINVAL)
        raise_errno(errno, NULL);
    off_t at = lseek(from->fd, 0, SEEK_CUR);
    if (at >= 0) /* the one file position is where the other's reader stands */
        lseek(io->fd, at - (off_t)io_buffered(from), SEEK_SET), from->rpos = from->rlen = 0;
    io->mode = (from->mode & ~(uint32_t)IOM_STANDARD) | (io->mode & IOM_STANDARD);
    slot_write(self, &io->path, slot_read(other, &from->path));
}

static void reopen_file(Value self, Value path, Value mode, Value options)
{
    Io *io = io_body(self);
    IoModes m = {.flags = O_RDONLY | O_CLOEXEC, .mode = io->mode, .perm = V_NIL};
    bool given = !is_nil(mode) || !is_nil(options);
    if (given)
        m = io_modes(mode, V_NIL, options);
    else if (io->mode & IOM_WRITE)
        m.flags = (io->mode & IOM_READ ? O_RDWR : O_WRONLY) | O_CREAT | O_CLOEXEC |
                  (io->mode & IOM_APPEND ? O_APPEND : io->mode & IOM_READ ? 0 : O_TRUNC);
    if (io->fd >= 0)
        io_flush(self);
    int fd = open_file(path, &m);
    if (io->fd < 0) {
        io->fd = fd;
    } else {
        dup3(fd, io->fd, io->fd > 2 ? O_CLOEXEC : 0);
        close(fd);
    }
    io->mode = (m.mode & ~(uint32_t)IOM_STANDARD) | (io->mode & IOM_STANDARD);
    slot_write(self, &io->path, path);
    if (given)
        io_apply_encodings(self, &m);
}

static Value io_reopen(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    Value other = is_string(argv[0]) || argc > 1 ? V_NIL : obj_try_convert(argv[0], T_IO, "IO", SYM(to_io));
    if (is_nil(other))
        reopen_file(self, path_value(argv[0]), argc > 1 ? argv[1] : V_NIL, options);
    else
        reopen_as(self, other);
    io_body(self)->rpos = io_body(self)->rlen = 0;
    return self;
}

static Value io_s_sysopen(Value cls, int argc, const Value *argv)
{
    (void)cls;
    Value path = path_value(argv[0]);
    IoModes m = io_modes(argc > 1 ? argv[1] : V_NIL, argc > 2 ? argv[2] : V_NIL, V_NIL);
    return int_fix(open_file(path, &m));
}

/* __pipe(): two fresh IOs */
static Value io_s_pipe(Value cls, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        raise_errno(errno, NULL);
    Value r = io_wrap(cls, fds[0], IOM_READ, V_NIL);
    Value w = io_wrap(cls, fds[1], IOM_WRITE | IOM_SYNC, V_NIL);
    return ary_new_from(2, (Value[]){r, w});
}

/* __set_popen(read fd, write fd, pid, mode, options): a fresh IO becomes the parent's end of a pipe to a child; nil where
 * there is no descriptor */
static Value io_p_set_popen(Value self, int argc, const Value *argv)
{
    (void)argc;
    IoModes m = io_modes(argv[3], V_NIL, argv[4]);
    Io *io = io_body(self);
    int r = is_nil(argv[0]) ? -1 : (int)fix_int(argv[0]), w = is_nil(argv[1]) ? -1 : (int)fix_int(argv[1]);
    io->fd = r >= 0 ? r : w;
    io->write_fd = r >= 0 ? w : -1;
    io->mode = (r >= 0 ? IOM_READ : 0) | (w >= 0 ? IOM_WRITE | IOM_SYNC : 0) | (r >= 0 && w >= 0 ? IOM_DUPLEX : 0) |
               (m.mode & (IOM_BINARY | IOM_TEXT | IOM_BOM));
    io->pid = (pid_t)fix_int(argv[2]);
    io_apply_encodings(self, &m);
    return self;
}

static const Builtin methods[] = {
    {"initialize", io_initialize, 1, 2, BI_PRIVATE | BI_KW},
    {"initialize_copy", io_initialize_copy, 1, 1, BI_PRIVATE},
    {"reopen", io_reopen, 1, 2, BI_KW},
    {"__set_popen", io_p_set_popen, 5, 5, BI_HIDDEN},
};
static const Builtin singleton_methods[] = {
    {"sysopen", io_s_sysopen, 1, 3, 0},
    {"__pipe", io_s_pipe, 0, 0, BI_HIDDEN},
};
static const Builtin file_methods[] = {
    {"initialize", file_initialize, 1, 3, BI_PRIVATE | BI_KW},
};

void io_open_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
    ADD_SINGLETON_BUILTINS(klass.IO, singleton_methods);
    ADD_BUILTINS(klass.File, file_methods);
}
