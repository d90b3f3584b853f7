/* io_read.c -- IO: reading from the buffer: bytes, lines, characters
 *
 * Reading a terminal or pipe takes what is there after a poll, so a descriptor shared with the user's shell keeps its flags.
 * Before $stdin waits, what $stdout holds back is written.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { READ_CHUNK = 16384 };

static _Noreturn void read_failed(Value v, int err)
{
    Value path = slot_read(v, &io_body(v)->path);
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
        io = io_body(v);
        memcpy(p, io->rbuf ? io->rbuf + io->rpos : p, io->rlen - io->rpos);
        heap_free(io->rbuf);
        io->rbuf = p;
        io->rlen -= io->rpos;
        io->rpos = 0;
        io->rcap = cap;
    }
    if (v == io_standard_in)
        io_flush_quietly(io_standard_out);
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

/* Up to n bytes (all when n < 0) appended to str; number of bytes got. */
static size_t read_into(Value v, Value str, int64_t n)
{
    size_t got = 0;
    while (n < 0 || (int64_t)got < n) {
        Io *io = io_get_readable(v);
        if (io_buffered(io) == 0) {
            if (n < 0 || n - (int64_t)got >= READ_CHUNK) { /* big reads go past the buffer */
                char chunk[65536];
                io_wait(v, io->fd, POLLIN);
                io = io_get_readable(v);
                size_t want = n < 0 || n - (int64_t)got > (int64_t)sizeof chunk ? sizeof chunk : (size_t)(n - (int64_t)got);
                if (v == io_standard_in)
                    io_flush_quietly(io_standard_out);
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
            io = io_body(v);
        }
        size_t take = io_buffered(io);
        if (n >= 0 && take > (size_t)n - got)
            take = (size_t)n - got;
        str_append(str, io->rbuf + io->rpos, take);
        io_body(v)->rpos += (uint32_t)take;
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
        Value s = is_nil(buffer) ? str_new_enc("", 0, io_read_encoding(io_body(self))) : buffer;
        read_into(self, s, -1);
        return is_nil(buffer) ? io_to_internal(self, s) : s;
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
    if (io_buffered(io) == 0 && !io_fill(self))
        raise_error(klass.EOFError, "end of file reached");
    io = io_body(self);
    size_t take = io_buffered(io) < (size_t)n ? io_buffered(io) : (size_t)n;
    Value s = str_new_enc(io->rbuf + io->rpos, take, ENC_BINARY);
    io_body(self)->rpos += (uint32_t)take;
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
    int enc = io_read_encoding(io);
    Value line = str_new_enc("", 0, enc);
    if (limit == 0)
        return line;
    if (is_nil(sep)) {
        size_t got = read_into(self, line, limit);
        if (got == 0)
            return V_NIL;
        io_body(self)->lineno++;
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
            io = io_body(self);
            if (io_buffered(io) == 0 && !io_fill(self))
                return V_NIL;
            io = io_body(self);
            if (io->rbuf[io->rpos] != '\n')
                break;
            io->rpos++;
        }
    }
    bool found = false;
    while (!found) {
        io = io_get_readable(self);
        if (io_buffered(io) == 0 && !io_fill(self))
            break;
        io = io_body(self);
        const char *from = io->rbuf + io->rpos;
        size_t have = io_buffered(io), take;
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
        io_body(self)->rpos += (uint32_t)take;
        StrView l = str_view(line);
        if (nl && l.len >= want_len && memcmp(l.ptr + l.len - want_len, want, want_len) == 0)
            found = true;
        if (limit >= 0 && l.len >= (size_t)limit) {
            /* a limit never cuts a character */
            while (enc == ENC_UTF_8 && str_is_broken(line) && str_view(line).len < (size_t)limit + 4) {
                io = io_body(self);
                if (io_buffered(io) == 0 && !io_fill(self))
                    break;
                io = io_body(self);
                str_append(line, io->rbuf + io->rpos, 1);
                io_body(self)->rpos++;
            }
            break;
        }
    }
    StrView l = str_view(line);
    if (l.len == 0)
        return V_NIL;
    if (paragraph && found) {
        for (;;) {
            io = io_body(self);
            if (io_buffered(io) == 0 && !io_fill(self))
                break;
            io = io_body(self);
            if (io->rbuf[io->rpos] != '\n')
                break;
            io->rpos++;
        }
    }
    io_body(self)->lineno++;
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
    return io_to_internal(self, read_line(self, argc, argv));
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
        io_last_lineno = int_value(io_body(self)->lineno);
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
    io_last_lineno = int_value(io_body(self)->lineno);
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
        io_last_lineno = int_value(io_body(self)->lineno);
    return line;
}

static Value io_getbyte(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get_readable(self);
    if (io_buffered(io) == 0 && !io_fill(self))
        return V_NIL;
    io = io_body(self);
    return int_fix((unsigned char)io->rbuf[io->rpos++]);
}

static Value io_getc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get_readable(self);
    int enc = io_read_encoding(io);
    Value c = str_new_enc("", 0, enc);
    for (int i = 0; i < 4; i++) {
        io = io_body(self);
        if (io_buffered(io) == 0 && !io_fill(self))
            break;
        io = io_body(self);
        if (i && enc == ENC_UTF_8 && (io->rbuf[io->rpos] & 0xc0) != 0x80)
            break;
        str_append(c, io->rbuf + io->rpos, 1);
        io_body(self)->rpos++;
        unsigned char first = (unsigned char)str_view(c).ptr[0];
        if (enc != ENC_UTF_8 || first < 0x80 || (!str_is_broken(c)))
            break;
    }
    return str_view(c).len ? io_to_internal(self, c) : V_NIL;
}

/* __unread(bytes): back into the buffer */
static Value io_p_unread(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_readable(self);
    StrView s = str_view(argv[0]);
    size_t have = io_buffered(io);
    uint32_t cap = (uint32_t)(s.len + have > READ_CHUNK ? s.len + have : READ_CHUNK);
    char *p = heap_malloc(cap);
    io = io_body(self);
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
    return bool_value(io_buffered(io) == 0 && !io_fill(self));
}

static Value io_sysread(Value self, int argc, const Value *argv)
{
    Io *io = io_get_readable(self);
    if (io_buffered(io))
        raise_error(klass.IOError, "sysread for buffered IO");
    return io_readpartial(self, argc, argv);
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

/* __read_available(n): what the buffer has or one read(2) gives; nil at the end; the caller knows it will not wait */
static Value io_p_read_available(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_readable(self);
    if (io_buffered(io) == 0 && !io_fill(self))
        return V_NIL;
    io = io_body(self);
    size_t n = (size_t)value_int(argv[0]);
    size_t take = io_buffered(io) < n ? io_buffered(io) : n;
    Value s = str_new_enc(io->rbuf + io->rpos, take, ENC_BINARY);
    io_body(self)->rpos += (uint32_t)take;
    return s;
}

static const Builtin methods[] = {
    {"read", io_read, 0, 2, 0},
    {"readpartial", io_readpartial, 1, 2, 0},
    {"sysread", io_sysread, 1, 2, 0},
    {"__gets", io_p_gets, 3, 3, BI_HIDDEN},
    {"__next_line", io_p_next_line, 3, 3, BI_HIDDEN},
    {"gets", io_gets, 0, 2, BI_KW},
    {"readline", io_readline, 0, 2, BI_KW},
    {"readlines", io_readlines, 0, 2, BI_KW},
    {"to_a", io_readlines, 0, 2, BI_KW},
    {"__pread", io_p_pread, 2, 2, BI_HIDDEN},
    {"__read_available", io_p_read_available, 1, 1, BI_HIDDEN},
    {"getbyte", io_getbyte, 0, 0, 0},
    {"getc", io_getc, 0, 0, 0},
    {"__unread", io_p_unread, 1, 1, BI_HIDDEN},
    {"eof?", io_eof_p, 0, 0, 0},
    {"eof", io_eof_p, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"__line_arguments", io_p_line_arguments, 2, 2, BI_HIDDEN},
};

void io_read_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
    ADD_SINGLETON_BUILTINS(klass.IO, singleton_methods);
}
