/* io_open.c -- IO: making one: modes, files, pipes, reopening */
#include "vm/core/core_private.h"
#include "io_private.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int io_parse_mode(Value mode, uint32_t *iom)
{
    if (is_nil(mode) || is_undef(mode)) {
        *iom = IOM_READ;
        return O_RDONLY | O_CLOEXEC;
    }
    if (!is_string(mode)) {
        Value text = obj_try_convert(mode, T_STRING, "String", SYM(to_str));
        if (is_nil(text)) {
            int flags = (int)value_int(mode);
            int access = flags & O_ACCMODE;
            *iom = access == O_RDONLY ? IOM_READ : access == O_WRONLY ? IOM_WRITE : IOM_READ | IOM_WRITE;
            if (flags & O_APPEND)
                *iom |= IOM_APPEND;
            return flags | O_CLOEXEC;
        }
        mode = text;
    }
    StrView s = str_view(mode);
    int flags;
    uint32_t m;
    switch (s.len ? s.ptr[0] : 0) {
    case 'r':
        flags = O_RDONLY;
        m = IOM_READ;
        break;
    case 'w':
        flags = O_WRONLY | O_CREAT | O_TRUNC;
        m = IOM_WRITE;
        break;
    case 'a':
        flags = O_WRONLY | O_CREAT | O_APPEND;
        m = IOM_WRITE | IOM_APPEND;
        break;
    default:
        raise_error(klass.ArgumentError, "invalid access mode %T", mode);
    }
    for (size_t i = 1; i < s.len && s.ptr[i] != ':'; i++) {
        switch (s.ptr[i]) {
        case '+':
            flags = (flags & ~O_ACCMODE) | O_RDWR;
            m |= IOM_READ | IOM_WRITE;
            break;
        case 'b':
            m |= IOM_BINARY;
            break;
        case 't':
            m |= IOM_TEXT;
            break;
        case 'x':
            if (s.ptr[0] != 'w')
                raise_error(klass.ArgumentError, "invalid access mode %T", mode);
            flags |= O_EXCL;
            break;
        default:
            raise_error(klass.ArgumentError, "invalid access mode %T", mode);
        }
    }
    if ((m & IOM_BINARY) && (m & IOM_TEXT))
        raise_error(klass.ArgumentError, "invalid access mode %T", mode);
    *iom = m;
    return flags | O_CLOEXEC;
}

static void apply_mode_encoding(Value self, Value mode)
{
    if (!is_string(mode))
        return;
    StrView s = str_view(mode);
    const char *colon = memchr(s.ptr, ':', s.len);
    if (!colon)
        return;
    Value enc = str_new(colon + 1, s.len - (size_t)(colon + 1 - s.ptr));
    io_set_encoding(self, 1, &enc);
}

static void apply_options(Value self, Value options)
{
    if (is_nil(options))
        return;
    Value enc = keyword_get(options, "external_encoding");
    if (is_undef(enc) || is_nil(enc))
        enc = keyword_get(options, "encoding");
    if (!is_undef(enc) && !is_nil(enc))
        io_set_encoding(self, 1, &enc);
    Value inner = keyword_get(options, "internal_encoding");
    if (!is_undef(inner) && !is_nil(inner))
        io_body(self)->int_enc = (int16_t)encoding_of(inner);
    Value binmode = keyword_get(options, "binmode");
    if (!is_undef(binmode) && truthy(binmode))
        io_binmode(self, 0, NULL);
}

/* IO.new(fd, mode = "r", **options) */
static Value io_initialize(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    int fd = (int)value_int(argv[0]);
    Value mode = argc > 1 ? argv[1] : is_nil(options) ? V_UNDEF : keyword_get(options, "mode");
    uint32_t m;
    int fl = fcntl(fd, F_GETFL);
    if (fl < 0)
        raise_errno(errno, NULL);
    if (is_undef(mode) || is_nil(mode)) {
        int access = fl & O_ACCMODE;
        m = access == O_RDONLY ? IOM_READ : access == O_WRONLY ? IOM_WRITE : IOM_READ | IOM_WRITE;
    } else {
        io_parse_mode(mode, &m);
    }
    Io *io = io_body(self);
    io->fd = fd;
    io->mode = m | (isatty(fd) ? IOM_TTY : 0);
    apply_mode_encoding(self, mode);
    apply_options(self, options);
    return self;
}

/* File.new(path, mode = "r", perm = 0666, **options) */
static Value file_initialize(Value self, int argc, const Value *argv)
{
    if (is_fixnum(argv[0]))
        return io_initialize(self, argc, argv);
    Value options = call_take_keywords(&argc, argv);
    Value path = path_value(argv[0]);
    Value mode = argc > 1 && !is_nil(argv[1]) ? argv[1] : is_nil(options) ? V_UNDEF : keyword_get(options, "mode");
    Value extra = is_nil(options) ? V_UNDEF : keyword_get(options, "flags");
    uint32_t m;
    int flags = io_parse_mode(mode, &m);
    if (!is_undef(extra) && !is_nil(extra))
        flags |= (int)value_int(extra);
    int perm = argc > 2 && !is_nil(argv[2]) ? (int)value_int(argv[2]) : 0666;
    if (!is_nil(options)) {
        Value p = keyword_get(options, "perm");
        if (!is_undef(p) && !is_nil(p))
            perm = (int)value_int(p);
    }
    int fd;
    while ((fd = open(path_c(path), flags, perm)) < 0 && errno == EINTR)
        vm_check_interrupts();
    if (fd < 0)
        raise_errno(errno, "@ rb_sysopen - %T", path);
    Io *io = io_body(self);
    if (io->fd >= 0)
        io_close(self);
    io = io_body(self);
    io->fd = fd;
    io->mode = m | (isatty(fd) ? IOM_TTY : 0);
    slot_write(self, &io->path, path);
    apply_mode_encoding(self, mode);
    apply_options(self, options);
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
    io->path = from->path;
    return self;
}

static Value io_reopen(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    (void)options;
    Io *io = io_body(self);
    if (io->fd >= 0)
        io_flush(self);
    Value other = is_string(argv[0]) ? V_NIL : obj_try_convert(argv[0], T_IO, "IO", SYM(to_io));
    if (!is_nil(other)) {
        Io *from = io_get(other);
        io_flush(other);
        if (io->fd < 0) {
            io->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 3);
        } else if (dup3(from->fd, io->fd, io->fd > 2 ? O_CLOEXEC : 0) < 0 && errno != EINVAL) {
            raise_errno(errno, NULL);
        }
        io->mode = (from->mode & ~(uint32_t)IOM_STANDARD) | (io->mode & IOM_STANDARD);
        io->path = from->path;
    } else {
        Value path = path_value(argv[0]);
        uint32_t m = io->mode & (IOM_READ | IOM_WRITE | IOM_APPEND);
        int flags = m & IOM_WRITE ? (m & IOM_READ ? O_RDWR | O_CREAT : O_WRONLY | O_CREAT | (m & IOM_APPEND ? O_APPEND : O_TRUNC))
                                  : O_RDONLY;
        if (argc > 1)
            flags = io_parse_mode(argv[1], &m);
        int fd = open(path_c(path), flags | O_CLOEXEC, 0666);
        if (fd < 0)
            raise_errno(errno, "%T", path);
        if (io->fd < 0) {
            io->fd = fd;
        } else {
            dup3(fd, io->fd, io->fd > 2 ? O_CLOEXEC : 0);
            close(fd);
        }
        io->mode = m | (io->mode & IOM_STANDARD);
        slot_write(self, &io->path, path);
    }
    io->rpos = io->rlen = 0;
    return self;
}

static Value io_s_sysopen(Value cls, int argc, const Value *argv)
{
    (void)cls;
    uint32_t m;
    Value path = path_value(argv[0]);
    int fd = open(path_c(path), io_parse_mode(argc > 1 ? argv[1] : V_NIL, &m), argc > 2 && !is_nil(argv[2]) ? (int)value_int(argv[2]) : 0666);
    if (fd < 0)
        raise_errno(errno, "@ rb_sysopen - %T", path);
    return int_fix(fd);
}

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

/* __set_popen(read fd, write fd, pid): a fresh IO becomes the parent's end of a pipe to a child; nil where there is none */
static Value io_p_set_popen(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_body(self);
    int r = is_nil(argv[0]) ? -1 : (int)fix_int(argv[0]), w = is_nil(argv[1]) ? -1 : (int)fix_int(argv[1]);
    io->fd = r >= 0 ? r : w;
    io->write_fd = r >= 0 ? w : -1;
    io->mode = (r >= 0 ? IOM_READ : 0) | (w >= 0 ? IOM_WRITE | IOM_SYNC : 0);
    io->pid = (pid_t)fix_int(argv[2]);
    return self;
}

static const Builtin methods[] = {
    {"initialize", io_initialize, 1, 2, BI_PRIVATE | BI_KW},
    {"initialize_copy", io_initialize_copy, 1, 1, BI_PRIVATE},
    {"reopen", io_reopen, 1, 2, BI_KW},
    {"__set_popen", io_p_set_popen, 3, 3, BI_HIDDEN},
};
static const Builtin singleton_methods[] = {
    {"sysopen", io_s_sysopen, 1, 3, 0},
    {"pipe", io_s_pipe, 0, 2, 0},
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
