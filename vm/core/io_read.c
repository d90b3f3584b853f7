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

bool io_peek(Value v, size_t n)
{
    while (io_buffered(io_body(v)) < n)
        if (!io_fill(v))
            return false;
    return true;
}

/* Up to n bytes (all when n < 0) appended to str; number of bytes got. */
static size_t read_into(Value v, Value str, int64_t n)
{
    size_t got = 0;
    while (n < 0 || (int64_t)got < n) {
        Io *io = io_get_readable(v);
        if (io_buffered(io) == 0) {
            /* past the buffer: what is not asked for stays where sysread and other processes find it */
            char chunk[65536];
            if (v == io_standard_in)
                io_flush_quietly(io_standard_out);
            io_wait(v, io->fd, POLLIN);
            io = io_get_readable(v);
            size_t want = n < 0 || n - (int64_t)got > (int64_t)sizeof chunk ? sizeof chunk : (size_t)(n - (int64_t)got);
            ssize_t r = read(io->fd, chunk, want);
            if (r == 0)
                break;
            if (r < 0) {
                if (errno == EINTR || errno == EAGAIN)
                    continue;
                if (errno == EIO && (io->mode & IOM_TTY))
                    break;
                read_failed(v, errno);
            }
            str_append(str, chunk, (size_t)r);
            got += (size_t)r;
            continue;
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

/* The buffer argument of read and its kin as a String that may be changed; nil when there is none. */
static Value buffer_argument(int argc, const Value *argv, int at)
{
    if (argc <= at || is_nil(argv[at]))
        return V_NIL;
    Value buffer = str_to_str(argv[at]);
    str_modify(buffer);
    return buffer;
}

/* The bytes are the buffer's, which keeps its encoding; without one they are the result. */
static Value into_buffer(Value buffer, Value bytes)
{
    if (is_nil(buffer))
        return bytes;
    int enc = str_encoding(buffer);
    str_modify(buffer);
    str_replace(buffer, bytes);
    str_set_encoding(buffer, enc);
    str_set_coderange(buffer, CR_UNKNOWN);
    return buffer;
}

static Value no_bytes(void)
{
    return str_new_enc("", 0, ENC_BINARY);
}

static char *bytes_of(Value s) /* of a String of ours that has room */
{
    return (char *)(uintptr_t)str_view(s).ptr;
}

static int64_t length_argument(Value v)
{
    int64_t n = value_int(v);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative length %ld given", (long)n);
    return n;
}

/* read(length = nil, buffer = nil) */
static Value io_read(Value self, int argc, const Value *argv)
{
    bool all = argc == 0 || is_nil(argv[0]);
    int64_t n = all ? -1 : length_argument(argv[0]);
    io_get_readable(self);
    Value buffer = buffer_argument(argc, argv, 1);
    if (all) {
        Value s = str_new_enc("", 0, io_read_encoding(io_body(self)));
        read_into(self, s, -1);
        s = io_to_internal(self, s);
        if (is_nil(buffer))
            return s;
        str_modify(buffer);
        str_replace(buffer, s);
        return buffer;
    }
    Value s = no_bytes();
    into_buffer(buffer, s);
    size_t got = n ? read_into(self, s, n) : 0;
    Value result = into_buffer(buffer, s);
    return n && !got ? V_NIL : result;
}

/* One read(2), past the buffer, which is empty. */
static Value read_once(Value self, int64_t n, Value buffer)
{
    Value s = no_bytes();
    str_modify_expand(s, (size_t)n);
    if (self == io_standard_in)
        io_flush_quietly(io_standard_out);
    ssize_t got;
    do {
        io_wait(self, io_get_readable(self)->fd, POLLIN);
        got = read(io_get_readable(self)->fd, bytes_of(s), (size_t)n);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            vm_check_interrupts();
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
    if (got < 0 && !(errno == EIO && io_body(self)->mode & IOM_TTY))
        read_failed(self, errno);
    if (got <= 0)
        raise_error(klass.EOFError, "end of file reached");
    str_set_len(s, (size_t)got);
    return into_buffer(buffer, s);
}

/* What is there: the buffer's, or one read. */
static Value io_readpartial(Value self, int argc, const Value *argv)
{
    int64_t n = length_argument(argv[0]);
    Value buffer = buffer_argument(argc, argv, 1);
    into_buffer(buffer, no_bytes());
    Io *io = io_get_readable(self);
    if (n == 0)
        return is_nil(buffer) ? no_bytes() : buffer;
    if (io_buffered(io) == 0)
        return read_once(self, n, buffer);
    size_t take = io_buffered(io) < (size_t)n ? io_buffered(io) : (size_t)n;
    Value s = str_new_enc(io->rbuf + io->rpos, take, ENC_BINARY);
    io_body(self)->rpos += (uint32_t)take;
    return into_buffer(buffer, s);
}

static Value io_sysread(Value self, int argc, const Value *argv)
{
    int64_t n = length_argument(argv[0]);
    Value buffer = buffer_argument(argc, argv, 1);
    into_buffer(buffer, no_bytes());
    if (io_buffered(io_get_readable(self)))
        raise_error(klass.IOError, "sysread for buffered IO");
    if (n == 0)
        return is_nil(buffer) ? no_bytes() : buffer;
    return read_once(self, n, buffer);
}

/* Does the text end inside of a character? */
static bool cut_short(Value text, int enc)
{
    StrView s = str_view(text);
    if (!s.len || enc_single_byte(enc))
        return false;
    const char *end = s.ptr + s.len, *last = enc_left(enc, s.ptr, end - 1, end);
    if (enc_is_utf8(enc)) {
        for (last = end - 1; last > s.ptr && end - last < 4 && ((uint8_t)*last & 0xc0) == 0x80;)
            last--;
        uint8_t c = (uint8_t)*last;
        return end - last < (c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1);
    }
    return !enc_precise_len(enc, last, end) && end - last < encoding_rows[enc].onig->max_enc_len;
}

/* The separator as the text outside has it. */
static Value outside_separator(Value sep, int enc)
{
    if (str_encoding(sep) == enc || (str_is_ascii(sep) && enc_ascii_compat(enc)))
        return sep;
    return str_transcode(sep, enc, V_NIL);
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
        int64_t got = (int64_t)read_into(self, line, limit);
        if (got == 0)
            return V_NIL;
        if (got != limit)
            io_body(self)->lineno++;
        return line;
    }
    bool paragraph = str_view(sep).len == 0;
    StrView s = str_view(sep = outside_separator(sep, enc));
    size_t unit = encoding_rows[enc].min_len;
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
    bool found = false, cut = false;
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
        if (nl && l.len >= want_len && memcmp(l.ptr + l.len - want_len, want, want_len) == 0 && l.len % unit == 0)
            found = true;
        if (limit >= 0 && l.len >= (size_t)limit) {
            /* a limit never cuts a character, within reason */
            for (int extra = 0; extra < 16 && cut_short(line, enc) && io_peek(self, 1); extra++) {
                io = io_body(self);
                str_append(line, io->rbuf + io->rpos, 1);
                io_body(self)->rpos++;
            }
            cut = !found;
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
    if (!cut) /* a line counts where it ends */
        io_body(self)->lineno++;
    if (chomp && found) {
        size_t drop = want_len;
        if (paragraph)
            while (drop < l.len && l.ptr[l.len - drop - 1] == '\n')
                drop++;
        else if (want_len == 1 && want[0] == '\n' && l.len > 1 && l.ptr[l.len - 2] == '\r')
            drop++;
        return str_new_enc(l.ptr, l.len - drop, enc);
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

/* Length of the character that comes next: a whole one, or else what starts like one, at least a byte; 0: the end. */
static size_t next_char_len(Value self, int enc)
{
    if (!io_peek(self, 1))
        return 0;
    size_t most = enc_is_utf8(enc) ? 4 : (size_t)encoding_rows[enc].onig->max_enc_len;
    for (size_t n = 1; n <= most; n++) {
        if (!io_peek(self, n))
            return n - 1;
        const char *p = io_body(self)->rbuf + io_body(self)->rpos;
        if (n > 1 && enc_is_utf8(enc) && ((uint8_t)p[n - 1] & 0xc0) != 0x80)
            return n - 1;
        if (n >= encoding_rows[enc].min_len && enc_precise_len(enc, p, p + n) == (int)n)
            return n;
        if (enc_is_utf8(enc) && ((uint8_t)p[0] < 0xc2 || (uint8_t)p[0] > 0xf4))
            return 1;
    }
    return encoding_rows[enc].min_len;
}

static Value io_getc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int enc = io_read_encoding(io_get_readable(self));
    size_t n = next_char_len(self, enc);
    if (!n)
        return V_NIL;
    Value c = str_new_enc(io_body(self)->rbuf + io_body(self)->rpos, n, enc);
    io_body(self)->rpos += (uint32_t)n;
    return io_to_internal(self, c);
}

/* __unread(bytes): back into the buffer */
static Value io_p_unread(Value self, int argc, const Value *argv)
{
    (void)argc;
    Io *io = io_get_readable(self);
    Value bytes = str_to_str(argv[0]);
    StrView s = str_view(bytes);
    size_t have = io_buffered(io);
    uint32_t cap = (uint32_t)(s.len + have > READ_CHUNK ? s.len + have : READ_CHUNK);
    char *p = heap_malloc(cap);
    io = io_body(self);
    s = str_view(bytes);
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

/* pread(length, offset, buffer = nil) */
static Value io_pread(Value self, int argc, const Value *argv)
{
    int64_t n = value_int(argv[0]), at = value_int(argv[1]);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative string size (or size too big)");
    Value buffer = buffer_argument(argc, argv, 2);
    if (n == 0)
        return is_nil(buffer) ? no_bytes() : buffer;
    Io *io = io_get_readable(self);
    Value s = no_bytes();
    str_modify_expand(s, (size_t)n);
    ssize_t got = pread(io->fd, bytes_of(s), (size_t)n, at);
    if (got < 0)
        io_raise_errno(self, errno);
    if (got == 0)
        raise_error(klass.EOFError, "end of file reached");
    str_set_len(s, (size_t)got);
    return into_buffer(buffer, s);
}

/* __read_nonblock(n, buffer): what the buffer has or one read(2) gives; nil at the end, false when it would wait */
static Value io_p_read_nonblock(Value self, int argc, const Value *argv)
{
    (void)argc;
    int64_t n = length_argument(argv[0]);
    Value buffer = buffer_argument(2, argv, 1);
    into_buffer(buffer, no_bytes());
    Io *io = io_get_readable(self);
    if (n == 0)
        return is_nil(buffer) ? no_bytes() : buffer;
    struct pollfd p = {io->fd, POLLIN, 0};
    if (io_buffered(io) == 0 && poll(&p, 1, 0) <= 0)
        return V_FALSE;
    if (io_buffered(io) == 0 && !io_fill(self))
        return V_NIL;
    return io_readpartial(self, 2, argv);
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
    {"pread", io_pread, 2, 3, 0},
    {"__read_nonblock", io_p_read_nonblock, 2, 2, BI_HIDDEN},
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
