/* io.c -- IO: descriptors with buffers; reading, writing, closing, waiting
 *
 * $stdout is buffered unless it is a terminal, and flushed at exit, before a child process starts and when $stdin
 * waits; $stderr is not buffered.  Reading a terminal or pipe takes what is there after a poll, so a descriptor
 * shared with the user's shell keeps its flags.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"
#include "vm/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_CHUNK = 16384, WRITE_CHUNK = 16384 };

static Value standard_in = V_NIL, standard_out = V_NIL, standard_err = V_NIL; /* the original ones */
static Value gv_stdin = V_NIL, gv_stdout = V_NIL, gv_stderr = V_NIL;

static Io *io_ptr(Value v)
{
    return (Io *)v;
}

Io *io_get(Value v)
{
    if (!is_io(v))
        raise_error(klass.TypeError, "wrong argument type %C (expected IO)", v);
    Io *io = io_ptr(v);
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
    Io *io = io_ptr(v);
    io->fd = -2;
    io->write_fd = -1;
    io->ext_enc = io->int_enc = -1;
    io->path.raw = V_NIL;
    return v;
}

Value io_wrap(Value cls, int fd, uint32_t mode, Value path)
{
    Value v = io_allocate(cls);
    Io *io = io_ptr(v);
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

/* ---- waiting ---- */

/* Asks the scheduler when the fiber has one: false when the time (seconds or nil) is over. */
static bool wait_scheduled(Value io, int fd, short events, Value timeout)
{
    struct pollfd p = {.fd = fd, .events = events};
    if (poll(&p, 1, 0) > 0)
        return true;
    return truthy(scheduler_call(scheduler_current(), "io_wait", 3, (Value[]){io, int_fix(events), timeout}));
}

void io_wait(Value io, int fd, short events)
{
    if (is_nil(scheduler_current()))
        thread_wait_fd(fd, events, THREAD_FOREVER);
    else
        wait_scheduled(io, fd, events, V_NIL);
}

/* Waits for at most so many seconds (nil: for ever). */
static bool wait_limited(Value io, int fd, short events, Value timeout)
{
    if (!is_nil(scheduler_current()))
        return wait_scheduled(io, fd, events, timeout);
    int64_t deadline = is_nil(timeout) ? THREAD_FOREVER : thread_now() + (int64_t)(value_double(timeout) * 1e9);
    return thread_wait_fd(fd, events, deadline) != 0;
}

/* ---- writing ---- */

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
            io_ptr(v)->wlen = 0;
            Value path = slot_read(v, &io->path);
            if (is_nil(path))
                raise_errno(err, NULL);
            raise_errno(err, "%T", path);
        }
        p += w;
        n -= (size_t)w;
    }
}

void io_flush(Value v)
{
    Io *io = io_get(v);
    uint32_t n = io->wlen;
    if (!n)
        return;
    /* keep the bytes until they are out; what an error leaves is dropped by write_all */
    char *buffer = io->wbuf;
    io->wbuf = NULL;
    io->wlen = io->wcap = 0;
    uint32_t done = 0;
    while (done < n) {
        int fd = io->write_fd >= 0 ? io->write_fd : io->fd;
        ssize_t w = write(fd, buffer + done, n - done);
        if (w > 0) {
            done += (uint32_t)w;
        } else if (errno == EINTR) {
            continue;
        } else if (errno == EAGAIN) {
            struct pollfd p = {fd, POLLOUT, 0};
            poll(&p, 1, 1000);
        } else {
            int err = errno;
            heap_free(buffer);
            Value path = slot_read(v, &io->path);
            if (is_nil(path))
                raise_errno(err, NULL);
            raise_errno(err, "%T", path);
        }
    }
    heap_free(buffer);
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
    io = io_ptr(v);
    if (!io->wbuf) {
        char *p = heap_malloc(WRITE_CHUNK);
        io = io_ptr(v);
        io->wbuf = p;
        io->wcap = WRITE_CHUNK;
    }
    memcpy(io->wbuf + io->wlen, bytes, n);
    io->wlen += (uint32_t)n;
}

void io_write_stdout(const char *bytes, size_t len)
{
    if (is_io(gv_stdout)) {
        io_write_bytes(gv_stdout, bytes, len);
        return;
    }
    vm_call1(gv_stdout, SYM(write), str_new(bytes, len));
}

static void flush_quietly(Value v)
{
    if (!is_io(v) || io_ptr(v)->fd < 0 || !io_ptr(v)->wlen)
        return;
    Io *io = io_ptr(v);
    uint32_t done = 0;
    while (done < io->wlen) {
        ssize_t w = write(io->write_fd >= 0 ? io->write_fd : io->fd, io->wbuf + done, io->wlen - done);
        if (w <= 0 && errno != EINTR)
            break;
        done += w > 0 ? (uint32_t)w : 0;
    }
    io->wlen = 0;
}

static void flush_each(Value v, void *unused)
{
    (void)unused;
    if (is_heap(v) && obj_type(v) == T_IO)
        flush_quietly(v);
}

void io_flush_all(void)
{
    flush_quietly(standard_out);
    flush_quietly(standard_err);
    heap_each_object(flush_each, NULL);
}

/* ---- reading ---- */

static _Noreturn void read_failed(Value v, int err)
{
    Value path = slot_read(v, &io_ptr(v)->path);
    if (is_nil(path))
        raise_errno(err, NULL);
    raise_errno(err, "@ io_fread - %T", path);
}

bool io_fill(Value v)
{
    Io *io = io_get_readable(v);
    if (io->rpos == io->rlen)
        io->rpos = io->rlen = 0;
    if (!io->rbuf || io->rlen == io->rcap) {
        uint32_t cap = io->rcap ? io->rcap : READ_CHUNK;
        if (io->rpos == 0 && io->rlen == io->rcap && io->rcap)
            cap = io->rcap * 2;
        char *p = heap_malloc(cap);
        io = io_ptr(v);
        memcpy(p, io->rbuf ? io->rbuf + io->rpos : p, io->rlen - io->rpos);
        heap_free(io->rbuf);
        io->rbuf = p;
        io->rlen -= io->rpos;
        io->rpos = 0;
        io->rcap = cap;
    }
    if (v == standard_in)
        flush_quietly(standard_out);
    for (;;) {
        io_wait(v, io_get(v)->fd, POLLIN);
        io = io_get(v);
        ssize_t n = read(io->fd, io->rbuf + io->rlen, io->rcap - io->rlen);
        if (n > 0) {
            io->rlen += (uint32_t)n;
            return true;
        }
        if (n == 0)
            return false;
        if (errno == EINTR || errno == EAGAIN) {
            vm_check_interrupts();
            continue;
        }
        if (errno == EIO && (io->mode & IOM_TTY))
            return false;
        read_failed(v, errno);
    }
}

static size_t buffered(Io *io)
{
    return io->rlen - io->rpos;
}

static int read_encoding(Io *io)
{
    if (io->ext_enc >= 0)
        return io->ext_enc;
    return io->mode & IOM_BINARY ? ENC_BINARY : ENC_UTF_8;
}

/* Text read: from the external to the internal encoding when there is one. */
static Value to_internal(Value v, Value text)
{
    Io *io = io_ptr(v);
    if (io->int_enc < 0 || io->int_enc == read_encoding(io) || !is_string(text) || io->mode & IOM_BINARY)
        return text;
    return str_transcode(text, io->int_enc, V_NIL);
}

/* Text to write: into the external encoding when one was asked for. */
static Value to_external(Value v, Value text)
{
    Io *io = io_ptr(v);
    if (io->ext_enc < 0 || io->ext_enc == ENC_BINARY || io->mode & IOM_BINARY || str_encoding(text) == io->ext_enc ||
        str_encoding(text) == ENC_BINARY || (str_is_ascii(text) && io->ext_enc == ENC_UTF_8))
        return text;
    return str_transcode(text, io->ext_enc, V_NIL);
}

/* Up to n bytes (all when n < 0) appended to str; number of bytes got. */
static size_t read_into(Value v, Value str, int64_t n)
{
    size_t got = 0;
    while (n < 0 || (int64_t)got < n) {
        Io *io = io_get_readable(v);
        if (buffered(io) == 0) {
            if (n < 0 || n - (int64_t)got >= READ_CHUNK) { /* big reads go past the buffer */
                struct stat st;
                char chunk[65536];
                (void)st;
                io_wait(v, io->fd, POLLIN);
                io = io_get_readable(v);
                size_t want = n < 0 || n - (int64_t)got > (int64_t)sizeof chunk ? sizeof chunk : (size_t)(n - (int64_t)got);
                if (v == standard_in)
                    flush_quietly(standard_out);
                ssize_t r = read(io->fd, chunk, want);
                if (r == 0)
                    break;
                if (r < 0) {
                    if (errno == EINTR || errno == EAGAIN)
                        continue;
                    read_failed(v, errno);
                }
                str_append(str, chunk, (size_t)r);
                got += (size_t)r;
                continue;
            }
            if (!io_fill(v))
                break;
            io = io_ptr(v);
        }
        size_t take = buffered(io);
        if (n >= 0 && take > (size_t)n - got)
            take = (size_t)n - got;
        str_append(str, io->rbuf + io->rpos, take);
        io_ptr(v)->rpos += (uint32_t)take;
        got += take;
    }
    return got;
}

/* Arguments (length = nil, buffer = nil) */
static Value io_read(Value self, int argc, const Value *argv)
{
    io_get_readable(self);
    Value buffer = argc > 1 ? argv[1] : V_NIL;
    if (!is_nil(buffer)) {
        buffer = str_to_str(buffer);
        vm_call1(buffer, sym_intern("replace"), str_new_enc("", 0, ENC_BINARY));
    }
    if (argc == 0 || is_nil(argv[0])) {
        Value s = is_nil(buffer) ? str_new_enc("", 0, read_encoding(io_ptr(self))) : buffer;
        read_into(self, s, -1);
        return is_nil(buffer) ? to_internal(self, s) : s;
    }
    int64_t n = value_int(argv[0]);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative length %ld given", (long)n);
    Value s = is_nil(buffer) ? str_new_enc("", 0, ENC_BINARY) : buffer;
    if (n == 0)
        return s;
    return read_into(self, s, n) == 0 ? V_NIL : s;
}

/* What is there: one read at most (readpartial, read_nonblock). */
static Value io_readpartial(Value self, int argc, const Value *argv)
{
    Io *io = io_get_readable(self);
    int64_t n = value_int(argv[0]);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative length %ld given", (long)n);
    Value buffer = argc > 1 && !is_nil(argv[1]) ? str_to_str(argv[1]) : V_NIL;
    if (n == 0)
        return is_nil(buffer) ? str_new_enc("", 0, ENC_BINARY) : buffer;
    if (buffered(io) == 0 && !io_fill(self))
        raise_error(klass.EOFError, "end of file reached");
    io = io_ptr(self);
    size_t take = buffered(io) < (size_t)n ? buffered(io) : (size_t)n;
    Value s = str_new_enc(io->rbuf + io->rpos, take, ENC_BINARY);
    io_ptr(self)->rpos += (uint32_t)take;
    if (!is_nil(buffer)) {
        vm_call1(buffer, sym_intern("replace"), s);
        return buffer;
    }
    return s;
}

/* __gets(separator, limit, chomp): one line, or nil.  separator nil: all; "": paragraphs. */
static Value read_line(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value sep = argv[0];
    int64_t limit = is_nil(argv[1]) ? -1 : value_int(argv[1]);
    bool chomp = truthy(argv[2]);
    Io *io = io_get_readable(self);
    int enc = read_encoding(io);
    Value line = str_new_enc("", 0, enc);
    if (limit == 0)
        return line;
    if (is_nil(sep)) {
        size_t got = read_into(self, line, limit);
        if (got == 0)
            return V_NIL;
        io_ptr(self)->lineno++;
        return line;
    }
    StrView s = str_view(sep);
    bool paragraph = s.len == 0;
    char want[256];
    size_t want_len = paragraph ? 2 : s.len;
    if (want_len > sizeof want)
        raise_error(klass.ArgumentError, "line separator is too long");
    memcpy(want, paragraph ? "\n\n" : s.ptr, want_len);
    if (paragraph) { /* leading newlines do not count */
        for (;;) {
            io = io_ptr(self);
            if (buffered(io) == 0 && !io_fill(self))
                return V_NIL;
            io = io_ptr(self);
            if (io->rbuf[io->rpos] != '\n')
                break;
            io->rpos++;
        }
    }
    bool found = false;
    while (!found) {
        io = io_get_readable(self);
        if (buffered(io) == 0 && !io_fill(self))
            break;
        io = io_ptr(self);
        const char *from = io->rbuf + io->rpos;
        size_t have = buffered(io), take;
        const char *nl = memchr(from, want[want_len - 1], have);
        take = nl ? (size_t)(nl - from) + 1 : have;
        if (limit >= 0) {
            size_t so_far = str_view(line).len;
            if (so_far + take > (size_t)limit) {
                take = (size_t)limit - so_far;
                nl = NULL;
            }
        }
        str_append(line, from, take);
        io_ptr(self)->rpos += (uint32_t)take;
        StrView l = str_view(line);
        if (nl && l.len >= want_len && memcmp(l.ptr + l.len - want_len, want, want_len) == 0)
            found = true;
        if (limit >= 0 && l.len >= (size_t)limit) {
            /* a limit never cuts a character */
            while (enc == ENC_UTF_8 && str_is_broken(line) && str_view(line).len < (size_t)limit + 4) {
                io = io_ptr(self);
                if (buffered(io) == 0 && !io_fill(self))
                    break;
                io = io_ptr(self);
                str_append(line, io->rbuf + io->rpos, 1);
                io_ptr(self)->rpos++;
            }
            break;
        }
    }
    StrView l = str_view(line);
    if (l.len == 0)
        return V_NIL;
    if (paragraph && found) {
        for (;;) {
            io = io_ptr(self);
            if (buffered(io) == 0 && !io_fill(self))
                break;
            io = io_ptr(self);
            if (io->rbuf[io->rpos] != '\n')
                break;
            io->rpos++;
        }
    }
    io_ptr(self)->lineno++;
    if (chomp && found) {
        size_t cut = want_len;
        if (paragraph)
            while (cut < l.len && l.ptr[l.len - cut - 1] == '\n')
                cut++;
        else if (want_len == 1 && want[0] == '\n' && l.len > 1 && l.ptr[l.len - 2] == '\r')
            cut++;
        return str_new_enc(l.ptr, l.len - cut, enc);
    }
    return line;
}

static Value io_p_gets(Value self, int argc, const Value *argv)
{
    return to_internal(self, read_line(self, argc, argv));
}

/* What gets and its kin take: (sep = $/, limit = nil, chomp: false) */
static void line_arguments(int argc, const Value *argv, Value options, Value out[3])
{
    Value sep = io_separator, limit = V_NIL;
    if (argc == 1) {
        if (is_nil(argv[0])) {
            sep = V_NIL;
        } else {
            Value s = is_string(argv[0]) ? argv[0] : obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
            if (is_nil(s))
                limit = int_value(value_int(argv[0]));
            else
                sep = s;
        }
    } else if (argc == 2) {
        sep = is_nil(argv[0]) ? V_NIL : str_to_str(argv[0]);
        limit = is_nil(argv[1]) ? V_NIL : int_value(value_int(argv[1]));
    }
    static const char *const names[] = {"chomp", NULL};
    if (!is_nil(options))
        keywords_only(options, names);
    Value chomp = is_nil(options) ? V_UNDEF : keyword_get(options, "chomp");
    out[0] = sep;
    out[1] = limit;
    out[2] = is_undef(chomp) ? V_FALSE : chomp;
}

static Value get_line(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    Value args[3];
    line_arguments(argc, argv, options, args);
    Value line = io_p_gets(self, 3, args);
    if (!is_nil(line))
        io_last_lineno = int_value(io_ptr(self)->lineno);
    return line;
}

static Value io_gets(Value self, int argc, const Value *argv)
{
    Value line = get_line(self, argc, argv);
    frame_set_last_line(line);
    return line;
}

static Value io_readline(Value self, int argc, const Value *argv)
{
    Value line = get_line(self, argc, argv);
    frame_set_last_line(line);
    if (is_nil(line))
        raise_error(klass.EOFError, "end of file reached");
    return line;
}

static Value io_readlines(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    Value args[3], list = ary_new(0), line;
    line_arguments(argc, argv, options, args);
    if (args[1] == int_fix(0))
        raise_error(klass.ArgumentError, "invalid limit: 0 for readlines");
    while (!is_nil(line = io_p_gets(self, 3, args)))
        ary_push(list, line);
    io_last_lineno = int_value(io_ptr(self)->lineno);
    return list;
}

/* __line_arguments(args, chomp): [sep, limit, chomp] */
static Value io_p_line_arguments(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value list[2] = {ary_get(argv[0], 0), ary_get(argv[0], 1)}, out[3];
    size_t n = ary_len(argv[0]);
    if (n > 2)
        raise_arity((int)n, 0, 2);
    line_arguments((int)n, list, V_NIL, out);
    out[2] = argv[1];
    return ary_new_from(3, out);
}

/* __next_line(sep, limit, chomp): as __gets, and $. follows */
static Value io_p_next_line(Value self, int argc, const Value *argv)
{
    Value line = io_p_gets(self, argc, argv);
    if (!is_nil(line))
        io_last_lineno = int_value(io_ptr(self)->lineno);
    return line;
}

static Value io_getbyte(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get_readable(self);
    if (buffered(io) == 0 && !io_fill(self))
        return V_NIL;
    io = io_ptr(self);
    return int_fix((unsigned char)io->rbuf[io->rpos++]);
}

static Value io_getc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get_readable(self);
    int enc = read_encoding(io);
    Value c = str_new_enc("", 0, enc);
    for (int i = 0; i < 4; i++) {
        io = io_ptr(self);
        if (buffered(io) == 0 && !io_fill(self))
            break;
        io = io_ptr(self);
        if (i && enc == ENC_UTF_8 && (io->rbuf[io->rpos] & 0xc0) != 0x80)
            break;
        str_append(c, io->rbuf + io->rpos, 1);
        io_ptr(self)->rpos++;
        unsigned char first = (unsigned char)str_view(c).ptr[0];
        if (enc != ENC_UTF_8 || first < 0x80 || (!str_is_broken(c)))
            break;
    }
    return str_view(c).len ? to_internal(self, c) : V_NIL;
}

/* __unread(bytes): back into the buffer */
static Value io_p_unread(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_readable(self);
    StrView s = str_view(argv[0]);
    size_t have = buffered(io);
    uint32_t cap = (uint32_t)(s.len + have > READ_CHUNK ? s.len + have : READ_CHUNK);
    char *p = heap_malloc(cap);
    io = io_ptr(self);
    s = str_view(argv[0]);
    memcpy(p, s.ptr, s.len);
    if (have)
        memcpy(p + s.len, io->rbuf + io->rpos, have);
    heap_free(io->rbuf);
    io->rbuf = p;
    io->rpos = 0;
    io->rlen = (uint32_t)(s.len + have);
    io->rcap = cap;
    return V_NIL;
}

static Value io_eof_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get_readable(self);
    return bool_value(buffered(io) == 0 && !io_fill(self));
}

/* ---- position ---- */

static Value io_pos(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    io_flush(self);
    off_t at = lseek(io->fd, 0, SEEK_CUR);
    if (at < 0)
        raise_errno(errno, NULL);
    return int_value(at - (int64_t)buffered(io));
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
        to -= (int64_t)buffered(io);
    io->rpos = io->rlen = 0;
    if (lseek(io->fd, to, whence) < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

static Value io_rewind(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value zero = int_fix(0);
    io_seek(self, 1, &zero);
    io_ptr(self)->lineno = 0;
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
    Io *io = io_ptr(v);
    if (io->fd < 0)
        return;
    if (io->wlen)
        io_flush(v);
    int fd = io->fd, write_fd = io->write_fd;
    pid_t pid = io->pid;
    io->fd = io->write_fd = -1;
    io->rpos = io->rlen = 0;
    io->pid = 0;
    if (fd > 2)
        close(fd);
    if (write_fd >= 0)
        close(write_fd);
    if (pid > 0) {
        int status = 0;
        wait_for_child(pid, &status);
        process_set_last_status(process_status_new(pid, status));
    }
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
    return bool_value(io_ptr(self)->fd == -1);
}

static Value io_close_read(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_ptr(self);
    if (io->fd < 0)
        return V_NIL;
    if (io->write_fd >= 0) {
        close(io->fd);
        io->fd = io->write_fd;
        io->write_fd = -1;
        io->mode &= ~(uint32_t)IOM_READ;
        return V_NIL;
    }
    if (io->mode & IOM_WRITE)
        raise_error(klass.IOError, "closing non-duplex IO for reading");
    io_close(self);
    return V_NIL;
}

static Value io_close_write(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_ptr(self);
    if (io->fd < 0)
        return V_NIL;
    if (io->write_fd >= 0) {
        io_flush(self);
        close(io->write_fd);
        io->write_fd = -1;
        io->mode &= ~(uint32_t)IOM_WRITE;
        return V_NIL;
    }
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
    io_get_readable(self)->lineno = value_int(argv[0]);
    return argv[0];
}

static Value io_path(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return slot_read(self, &io_ptr(self)->path);
}

static Value io_binmode(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    io->mode |= IOM_BINARY;
    io->ext_enc = ENC_BINARY;
    return self;
}

static Value io_binmode_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(io_get(self)->mode & IOM_BINARY);
}

static Value io_external_encoding(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    if (io->ext_enc < 0 && !(io->mode & IOM_READ))
        return V_NIL;
    return encoding_value(read_encoding(io));
}

static Value io_internal_encoding(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    return io->int_enc < 0 ? V_NIL : encoding_value(io->int_enc);
}

static Value io_set_encoding(Value self, int argc, const Value *argv)
{
    Io *io = io_get(self);
    Value options = call_take_keywords(&argc, argv);
    (void)options;
    Value enc = argv[0];
    if (is_nil(enc)) {
        io->ext_enc = -1;
    } else if (is_string(enc)) {
        char name[64];
        StrView s = str_view(enc);
        size_t n = 0, skip = s.len > 4 && strncasecmp(s.ptr, "bom|", 4) == 0 ? 4 : 0;
        while (skip + n < s.len && s.ptr[skip + n] != ':' && n < sizeof name - 1) {
            name[n] = s.ptr[skip + n];
            n++;
        }
        name[n] = 0;
        size_t colon = skip + n;
        if (skip && io->mode & IOM_READ && buffered(io) == 0) { /* a byte order mark is no text */
            io_fill(self);
            io = io_ptr(self);
            if (buffered(io) >= 3 && memcmp(io->rbuf + io->rpos, "\xEF\xBB\xBF", 3) == 0) {
                io->rpos += 3;
                memcpy(name, "UTF-8", 6);
            }
        }
        io->ext_enc = (int16_t)encoding_of(str_new_c(name));
        s = str_view(enc);
        if (argc < 2 && colon + 1 < s.len && s.ptr[colon] == ':' && s.ptr[colon + 1] != '-') {
            int inner = encoding_of(str_new(s.ptr + colon + 1, s.len - colon - 1));
            io->int_enc = (int16_t)(inner == io->ext_enc ? -1 : inner);
        }
    } else {
        io->ext_enc = (int16_t)encoding_of(enc);
    }
    if (argc > 1 && !is_nil(argv[1]))
        io->int_enc = (int16_t)encoding_of(argv[1]);
    return self;
}

/* ---- writing, from Ruby ---- */

static Value io_write(Value self, int argc, const Value *argv)
{
    int64_t total = 0;
    io_get_writable(self);
    for (int i = 0; i < argc; i++) {
        Value s = to_external(self, is_string(argv[i]) ? argv[i] : obj_to_s(argv[i]));
        StrView v = str_view(s);
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

static Value io_sysread(Value self, int argc, const Value *argv)
{
    Io *io = io_get_readable(self);
    if (buffered(io))
        raise_error(klass.IOError, "sysread for buffered IO");
    return io_readpartial(self, argc, argv);
}

static void write_line(Value out, Value text)
{
    StrView v = str_view(text);
    bool nl = v.len && v.ptr[v.len - 1] == '\n';
    if (is_io(out)) {
        MethodEntry *me = method_find(class_of(out), SYM(write));
        if (me && me->kind == ME_BUILTIN && me->fn == io_write) {
            text = to_external(out, text);
            v = str_view(text);
            io_write_bytes(out, v.ptr, v.len);
            if (!nl)
                io_write_bytes(out, "\n", 1);
            return;
        }
    }
    if (nl)
        vm_call1(out, SYM(write), text);
    else
        vm_call2(out, SYM(write), text, str_new("\n", 1));
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
    if (argc == 0)
        vm_call1(self, SYM(write), frame_last_line());
    for (int i = 0; i < argc; i++) {
        if (i && !is_nil(io_field_separator))
            vm_call1(self, SYM(write), io_field_separator);
        vm_call1(self, SYM(write), argv[i]);
    }
    if (argc && !is_nil(io_output_separator))
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

static Value io_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_ptr(self);
    Value path = slot_read(self, &io->path);
    if (io->fd == -2)
        return obj_any_to_s(self);
    if (is_nil(path))
        return io->fd < 0 ? str_format("#<%C:(closed)>", self) : str_format("#<%C:fd %d>", self, io->fd);
    return str_format(io->fd < 0 ? "#<%C:%T (closed)>" : "#<%C:%T>", self, path);
}

/* ---- opening ---- */

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
        io_ptr(self)->int_enc = (int16_t)encoding_of(inner);
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
    Io *io = io_ptr(self);
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
    Io *io = io_ptr(self);
    if (io->fd >= 0)
        io_close(self);
    io = io_ptr(self);
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
    Io *io = io_ptr(self);
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
    Io *io = io_ptr(self);
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

/* IO.select(read, write = nil, error = nil, timeout = nil) */
static Value io_s_select(Value cls, int argc, const Value *argv)
{
    (void)cls;
    Value scheduler = scheduler_current();
    if (scheduler_has(scheduler, "io_select")) {
        Value all[4] = {V_NIL, V_NIL, V_NIL, V_NIL};
        memcpy(all, argv, (size_t)argc * sizeof(Value));
        return scheduler_call(scheduler, "io_select", 4, all);
    }
    struct pollfd fds[1024];
    size_t n = 0;
    Value lists[3];
    bool ready_now = false;
    for (int k = 0; k < 3; k++) {
        lists[k] = k < argc && !is_nil(argv[k]) ? ary_to_ary(argv[k]) : ary_new(0);
        for (size_t i = 0; i < ary_len(lists[k]) && n < 1024; i++) {
            Io *io = io_get(io_to_io(ary_get(lists[k], (long)i)));
            ready_now |= k == 0 && buffered(io) > 0;
            fds[n++] = (struct pollfd){k == 1 && io->write_fd >= 0 ? io->write_fd : io->fd,
                                       k == 0 ? POLLIN : k == 1 ? POLLOUT : POLLPRI, 0};
        }
    }
    double timeout = argc > 3 && !is_nil(argv[3]) ? value_double(argv[3]) : -1;
    if (argc > 3 && !is_nil(argv[3]) && timeout < 0)
        raise_error(klass.ArgumentError, "time interval must not be negative");
    int64_t left = timeout < 0 ? -1 : (int64_t)(timeout * 1000);
    for (;;) {
        int slice = ready_now ? 0 : left < 0 || left > 100 ? 100 : (int)left;
        bool peers = thread_has_peers();
        int got = poll(fds, n, peers ? 0 : slice);
        vm_check_interrupts();
        if (got == 0 && peers && slice)
            thread_sleep_until(thread_now() + (slice = slice < 2 ? slice : 2) * 1000000ll);
        if (got > 0 || ready_now)
            break;
        if (left >= 0 && (left -= slice) <= 0)
            return V_NIL;
    }
    Value result = ary_new(3);
    size_t at = 0;
    for (int k = 0; k < 3; k++) {
        Value part = ary_new(0);
        for (size_t i = 0; i < ary_len(lists[k]) && at < n; i++, at++) {
            Value item = ary_get(lists[k], (long)i);
            if (fds[at].revents || (k == 0 && buffered(io_get(io_to_io(item))) > 0))
                ary_push(part, item);
        }
        ary_push(result, part);
    }
    return result;
}

static Value io_wait_readable(Value self, int argc, const Value *argv)
{
    Io *io = io_get_readable(self);
    if (buffered(io))
        return self;
    return wait_limited(self, io->fd, POLLIN, argc ? argv[0] : V_NIL) ? self : V_NIL;
}

/* __set_popen(read fd, write fd, pid): a fresh IO becomes the parent's end of a pipe to a child; nil where there is none */
static Value io_p_set_popen(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_ptr(self);
    int r = is_nil(argv[0]) ? -1 : (int)fix_int(argv[0]), w = is_nil(argv[1]) ? -1 : (int)fix_int(argv[1]);
    io->fd = r >= 0 ? r : w;
    io->write_fd = r >= 0 ? w : -1;
    io->mode = (r >= 0 ? IOM_READ : 0) | (w >= 0 ? IOM_WRITE | IOM_SYNC : 0);
    io->pid = (pid_t)fix_int(argv[2]);
    return self;
}

static Value io_p_pread(Value self, int argc, const Value *argv)
{
    (void)argc;
    size_t n = (size_t)value_int(argv[0]);
    Io *io = io_get_readable(self);
    char *p = heap_malloc(n + 1);
    ssize_t got = pread(io->fd, p, n, value_int(argv[1]));
    int err = errno;
    Value s = got < 0 ? V_NIL : str_new_enc(p, (size_t)got, ENC_BINARY);
    heap_free(p);
    if (got < 0)
        raise_errno(err, NULL);
    if (got == 0 && n)
        raise_error(klass.EOFError, "end of file reached");
    return s;
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

/* __ready(events, milliseconds = 0): 1 to read, 4 to write */
static Value io_p_ready(Value self, int argc, const Value *argv)
{
    Io *io = io_get(self);
    int want = (int)fix_int(argv[0]);
    if (want & 1 && buffered(io))
        return V_TRUE;
    int fd = want & 4 && io->write_fd >= 0 ? io->write_fd : io->fd;
    short events = (short)((want & 1 ? POLLIN : 0) | (want & 4 ? POLLOUT : 0));
    struct pollfd p = {fd, events, 0};
    if (argc == 1)
        return bool_value(poll(&p, 1, 0) > 0);
    return bool_value(wait_limited(self, fd, events, argv[1]));
}

/* __read_available(n): what the buffer has or one read(2) gives; nil at the end; the caller knows it will not wait */
static Value io_p_read_available(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_readable(self);
    if (buffered(io) == 0 && !io_fill(self))
        return V_NIL;
    io = io_ptr(self);
    size_t n = (size_t)value_int(argv[0]);
    size_t take = buffered(io) < n ? buffered(io) : n;
    Value s = str_new_enc(io->rbuf + io->rpos, take, ENC_BINARY);
    io_ptr(self)->rpos += (uint32_t)take;
    return s;
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
    {"initialize", io_initialize, 1, 2, BI_PRIVATE | BI_KW},
    {"initialize_copy", io_initialize_copy, 1, 1, BI_PRIVATE},
    {"reopen", io_reopen, 1, 2, BI_KW},
    {"read", io_read, 0, 2, 0},
    {"readpartial", io_readpartial, 1, 2, 0},
    {"sysread", io_sysread, 1, 2, 0},
    {"__gets", io_p_gets, 3, 3, BI_HIDDEN},
    {"__next_line", io_p_next_line, 3, 3, BI_HIDDEN},
    {"gets", io_gets, 0, 2, BI_KW},
    {"readline", io_readline, 0, 2, BI_KW},
    {"readlines", io_readlines, 0, 2, BI_KW},
    {"to_a", io_readlines, 0, 2, BI_KW},
    {"__set_popen", io_p_set_popen, 3, 3, BI_HIDDEN},
    {"__pread", io_p_pread, 2, 2, BI_HIDDEN},
    {"__pwrite", io_p_pwrite, 2, 2, BI_HIDDEN},
    {"__ready", io_p_ready, 1, 2, BI_HIDDEN},
    {"__read_available", io_p_read_available, 1, 1, BI_HIDDEN},
    {"__write_some", io_p_write_some, 1, 1, BI_HIDDEN},
    {"close_on_exec?", io_close_on_exec_p, 0, 0, 0},
    {"close_on_exec=", io_set_close_on_exec, 1, 1, 0},
    {"fcntl", io_fcntl, 1, 2, 0},
    {"autoclose?", io_autoclose_p, 0, 0, 0},
    {"autoclose=", io_set_autoclose, 1, 1, 0},
    {"getbyte", io_getbyte, 0, 0, 0},
    {"getc", io_getc, 0, 0, 0},
    {"__unread", io_p_unread, 1, 1, BI_HIDDEN},
    {"eof?", io_eof_p, 0, 0, 0},
    {"eof", io_eof_p, 0, 0, 0},
    {"pos", io_pos, 0, 0, 0},
    {"tell", io_pos, 0, 0, 0},
    {"pos=", io_set_pos, 1, 1, 0},
    {"seek", io_seek, 1, 2, 0},
    {"sysseek", io_seek, 1, 2, 0},
    {"rewind", io_rewind, 0, 0, 0},
    {"close", io_close_m, 0, 0, 0},
    {"closed?", io_closed_p, 0, 0, 0},
    {"close_read", io_close_read, 0, 0, 0},
    {"close_write", io_close_write, 0, 0, 0},
    {"fileno", io_fileno, 0, 0, 0},
    {"to_i", io_fileno, 0, 0, 0},
    {"sync", io_sync, 0, 0, 0},
    {"sync=", io_set_sync, 1, 1, 0},
    {"flush", io_flush_m, 0, 0, 0},
    {"fsync", io_fsync, 0, 0, 0},
    {"fdatasync", io_fsync, 0, 0, 0},
    {"tty?", io_tty_p, 0, 0, 0},
    {"isatty", io_tty_p, 0, 0, 0},
    {"pid", io_pid, 0, 0, 0},
    {"lineno", io_lineno, 0, 0, 0},
    {"lineno=", io_set_lineno, 1, 1, 0},
    {"path", io_path, 0, 0, 0},
    {"to_path", io_path, 0, 0, 0},
    {"binmode", io_binmode, 0, 0, 0},
    {"binmode?", io_binmode_p, 0, 0, 0},
    {"external_encoding", io_external_encoding, 0, 0, 0},
    {"internal_encoding", io_internal_encoding, 0, 0, 0},
    {"set_encoding", io_set_encoding, 1, 2, BI_KW},
    {"write", io_write, 0, -1, 0},
    {"<<", io_append, 1, 1, 0},
    {"syswrite", io_syswrite, 1, 1, 0},
    {"puts", io_puts, 0, -1, 0},
    {"print", io_print, 0, -1, 0},
    {"printf", io_printf, 0, -1, 0},
    {"putc", io_putc, 1, 1, 0},
    {"inspect", io_inspect, 0, 0, 0},
    {"wait_readable", io_wait_readable, 0, 1, 0},
};
static const Builtin singleton_methods[] = {
    {"__line_arguments", io_p_line_arguments, 2, 2, BI_HIDDEN},
    {"sysopen", io_s_sysopen, 1, 3, 0},
    {"pipe", io_s_pipe, 0, 2, 0},
    {"select", io_s_select, 1, 4, 0},
};
static const Builtin file_methods[] = {
    {"initialize", file_initialize, 1, 3, BI_PRIVATE | BI_KW},
};
static const Builtin kernel_methods[] = {
    {"__standard", kernel_p_standard, 1, 1, BI_HIDDEN | BI_PRIVATE},
};

static Value standard(int fd, uint32_t mode, const char *name)
{
    Value v = io_wrap(klass.IO, fd, mode | IOM_STANDARD, str_new_c(name));
    heap_add_root(fd == 0 ? &standard_in : fd == 1 ? &standard_out : &standard_err);
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
    ADD_BUILTINS(klass.File, file_methods);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    gv_stdin = standard_in = standard(0, IOM_READ, "<STDIN>");
    gv_stdout = standard_out = standard(1, IOM_WRITE, "<STDOUT>");
    gv_stderr = standard_err = standard(2, IOM_WRITE | IOM_SYNC, "<STDERR>");
    heap_add_root(&gv_stdout);
    heap_add_root(&gv_stderr);
    const_set(klass.Object, sym_intern("STDIN"), standard_in);
    const_set(klass.Object, sym_intern("STDOUT"), standard_out);
    const_set(klass.Object, sym_intern("STDERR"), standard_err);
    gvar_define("$stdin", &gv_stdin);
    gvar_define_hooked("$stdout", get_stdout, set_stdout);
    gvar_define_hooked("$stderr", get_stdout, set_stdout);
    gvar_alias(sym_intern("$>"), sym_intern("$stdout"));
}

/* In a session's process: descriptors 0 to 2 are the client's now. */
void io_session_start(void)
{
    Value all[] = {standard_in, standard_out, standard_err};
    for (int i = 0; i < 3; i++) {
        Io *io = io_ptr(all[i]);
        io->mode = (io->mode & ~(uint32_t)IOM_TTY) | (isatty(i) ? IOM_TTY : 0);
        io->rpos = io->rlen = io->wlen = 0;
    }
}
