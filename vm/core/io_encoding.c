/* io_encoding.c -- IO: which encodings text has outside and inside, and conversion between them
 *
 * Text read comes in the external encoding and is given out in the internal one, if there is one; text written goes out in
 * the external one.  io_choose has the rules of what an IO ends up with: binary text is never converted, an internal
 * encoding equal to the external one counts for nothing, and without any external one Encoding.default_external holds
 * as it is at each read, unless an internal one fixed it.
 *
 * Lines are found before conversion: read_line (io_read.c) looks for the separator in the external encoding.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "text.h"

enum { NOT_GIVEN = -1, NO_CONVERSION = -2 }; /* for an internal encoding: the default; "enc:-" */

static void io_choose(int ext, int inner, IoModes *m)
{
    bool by_default = ext < 0;
    if (by_default)
        ext = encoding_default_external;
    if (ext == ENC_BINARY)
        inner = NO_CONVERSION;
    else if (inner == NOT_GIVEN)
        inner = encoding_default_internal;
    if (inner < 0 || (inner == ext && !(m->mode & IOM_BOM))) {
        m->ext_enc = (int16_t)(by_default && inner != ext ? -1 : ext);
        m->int_enc = -1;
    } else {
        m->ext_enc = (int16_t)ext;
        m->int_enc = (int16_t)inner;
    }
}

static bool is_dash(Value text)
{
    StrView s = str_view(text);
    return s.len == 1 && s.ptr[0] == '-';
}

static int known_encoding(Value name)
{
    int enc = encoding_find(str_view(name).ptr);
    if (enc < 0)
        warn_printf("warning: Unsupported encoding %T ignored", name);
    return enc;
}

/* "ext", "ext:int", "ext:-", "BOM|ext..." */
static void choose_by_names(Value text, IoModes *m)
{
    StrView s = str_view(text);
    const char *colon = memrchr(s.ptr, ':', s.len);
    size_t at = 0, n = colon ? (size_t)(colon - s.ptr) : s.len;
    Value inside = colon ? str_new(colon + 1, s.len - n - 1) : V_NIL;
    if (n > 4 && strncasecmp(s.ptr, "bom|", 4) == 0) {
        at = 4;
        if (strncasecmp(s.ptr + at, "utf-", 4) == 0)
            m->mode |= IOM_BOM;
        else
            warn_printf("warning: BOM with non-UTF encoding %T is nonsense", str_new(s.ptr + at, n - at));
        s = str_view(text);
    }
    int ext = n > at ? known_encoding(str_new(s.ptr + at, n - at)) : NOT_GIVEN, inner = NOT_GIVEN;
    if (!is_nil(inside))
        inner = is_dash(inside) ? NO_CONVERSION : known_encoding(inside);
    if (inner >= 0 && inner == ext && !(m->mode & IOM_BOM))
        inner = NO_CONVERSION;
    io_choose(ext, inner, m);
}

static Value option(Value options, const char *name) /* V_UNDEF when it is not there */
{
    return is_nil(options) ? V_UNDEF : keyword_get(options, name);
}

/* external_encoding:, internal_encoding:, encoding:; whether one of them said something */
static bool choose_by_options(Value options, IoModes *m)
{
    Value ext = option(options, "external_encoding"), inner = option(options, "internal_encoding"), both = option(options, "encoding");
    if ((!is_undef(ext) || !is_undef(inner)) && !is_undef(both) && !is_nil(both)) {
        warn_printf("warning: Ignoring encoding parameter '%T': %s_encoding is used", obj_to_s(both),
                    is_undef(ext) ? "internal" : "external");
        both = V_NIL;
    }
    if (!is_undef(both) && !is_nil(both)) {
        Value text = is_string(both) ? both : obj_try_convert(both, T_STRING, "String", SYM(to_str));
        if (is_nil(text))
            io_choose(encoding_of(both), NOT_GIVEN, m);
        else
            choose_by_names(text, m);
        return true;
    }
    int outside = is_undef(ext) || is_nil(ext) ? NOT_GIVEN : encoding_of(ext), inside = NOT_GIVEN;
    if (!is_undef(inner)) {
        Value text = is_nil(inner) || is_string(inner) ? inner : obj_try_convert(inner, T_STRING, "String", SYM(to_str));
        inside = is_nil(inner) || (!is_nil(text) && is_dash(text)) ? NO_CONVERSION : encoding_of(inner);
        if (inside == outside)
            inside = NO_CONVERSION;
    }
    if (outside < 0 && is_undef(inner))
        return false;
    io_choose(outside, inside, m);
    return true;
}

static void copy_option(Value *into, Value options, const char *name)
{
    Value v = option(options, name);
    if (is_undef(v) || is_nil(v))
        return;
    if (is_nil(*into))
        *into = hash_new();
    hash_set(*into, sym_intern(name), v);
}

static void set_option(Value *into, const char *name)
{
    if (is_nil(*into))
        *into = hash_new();
    hash_set(*into, sym_intern(name), V_TRUE);
}

/* The options of the conversions, and what may not go together. */
static void check_conversion(IoModes *m, Value options)
{
    static const char *const both[] = {"invalid", "undef", "replace", "fallback"};
    uint32_t newlines = is_nil(options) ? 0 : transcode_newlines(options);
    m->reading = m->writing = V_NIL;
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        copy_option(&m->reading, options, both[i]);
        copy_option(&m->writing, options, both[i]);
    }
    copy_option(&m->writing, options, "xml");
    if (newlines & TR_UNIVERSAL || (m->mode & IOM_TEXT && m->mode & IOM_READ))
        set_option(&m->reading, "universal_newline");
    if (newlines & TR_CRLF)
        set_option(&m->writing, "crlf_newline");
    if (newlines & TR_CR)
        set_option(&m->writing, "cr_newline");
    if (newlines & TR_LF)
        set_option(&m->writing, "lf_newline");
    if (m->mode & IOM_READ && m->int_enc < 0 && !(m->mode & IOM_BINARY) &&
        !enc_ascii_compat(m->ext_enc < 0 ? encoding_default_external : m->ext_enc))
        raise_error(klass.ArgumentError, "ASCII incompatible encoding needs binmode");
    if (m->mode & IOM_BINARY && newlines)
        raise_error(klass.ArgumentError, "newline decorator with binary mode");
}

void io_modes_encode(IoModes *m, Value mode_text, Value options)
{
    bool named = false;
    io_choose(NOT_GIVEN, NOT_GIVEN, m);
    if (!is_nil(mode_text)) {
        StrView s = str_view(mode_text);
        const char *colon = memchr(s.ptr, ':', s.len);
        if (colon) {
            named = true;
            choose_by_names(str_new(colon + 1, s.len - (size_t)(colon + 1 - s.ptr)), m);
        }
    }
    if (!named && m->mode & IOM_BINARY)
        io_choose(ENC_BINARY, NOT_GIVEN, m);
    if (choose_by_options(options, m) && named)
        raise_error(klass.ArgumentError, "encoding specified twice");
    check_conversion(m, options);
}

/* The encoding that a byte-order mark at the start names, which is then behind the reader; -1: there is none. */
static int take_byte_order_mark(Value self)
{
    static const struct {
        const char *name;
        unsigned char bytes[4];
        uint32_t len;
    } marks[] = {{"UTF-8", {0xef, 0xbb, 0xbf}, 3}, {"UTF-32LE", {0xff, 0xfe, 0, 0}, 4}, {"UTF-16LE", {0xff, 0xfe}, 2},
                 {"UTF-16BE", {0xfe, 0xff}, 2}, {"UTF-32BE", {0, 0, 0xfe, 0xff}, 4}};
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        uint32_t n = 0;
        while (n < marks[i].len && io_peek(self, n + 1) &&
               (unsigned char)io_body(self)->rbuf[io_body(self)->rpos + n] == marks[i].bytes[n])
            n++;
        if (n == marks[i].len) {
            io_body(self)->rpos += n;
            return encoding_find(marks[i].name);
        }
    }
    return -1;
}

static int set_by_byte_order_mark(Value self)
{
    int enc = take_byte_order_mark(self);
    Io *io = io_body(self);
    if (enc < 0) {
        io->int_enc = -1;
    } else {
        io->ext_enc = (int16_t)enc;
        if (io->int_enc == enc)
            io->int_enc = -1;
    }
    return enc;
}

void io_apply_encodings(Value self, const IoModes *m)
{
    Io *io = io_body(self);
    io->ext_enc = m->ext_enc;
    io->int_enc = m->int_enc;
    slot_write(self, &io->reading, m->reading);
    slot_write(self, &io->writing, m->writing);
    if (m->mode & IOM_BOM && io->mode & IOM_READ)
        set_by_byte_order_mark(self);
}

int io_read_encoding(Io *io)
{
    return io->ext_enc >= 0 ? io->ext_enc : encoding_default_external;
}

Value io_to_internal(Value v, Value text)
{
    Io *io = io_body(v);
    Value options = slot_read(v, &io->reading);
    if (!is_string(text) || (io->int_enc < 0 && is_nil(options)))
        return text;
    return str_transcode(text, io->int_enc < 0 ? str_encoding(text) : io->int_enc, options);
}

Value io_to_external(Value v, Value text)
{
    Io *io = io_body(v);
    Value options = slot_read(v, &io->writing);
    int to = io->ext_enc < 0 || io->ext_enc == ENC_BINARY ? str_encoding(text) : io->ext_enc;
    if (is_nil(options) && (str_encoding(text) == to || (str_is_ascii(text) && enc_ascii_compat(to) && enc_ascii_compat(str_encoding(text)))))
        return text;
    return str_transcode(text, to, options);
}

static Value io_binmode(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    io->mode = (io->mode & ~(uint32_t)IOM_TEXT) | IOM_BINARY;
    io->ext_enc = ENC_BINARY;
    io->int_enc = -1;
    slot_write(self, &io->reading, V_NIL);
    slot_write(self, &io->writing, V_NIL);
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
    Io *io = io_body(self);
    if (io->ext_enc >= 0)
        return encoding_value(io->ext_enc);
    return io->mode & IOM_WRITE ? V_NIL : encoding_value(encoding_default_external);
}

static Value io_internal_encoding(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return encoding_value(io_body(self)->int_enc);
}

/* set_encoding(ext = nil, int = nil, **options), set_encoding("ext:int", **options) */
static Value io_set_encoding(Value self, int argc, const Value *argv)
{
    Value options = call_take_keywords(&argc, argv);
    IoModes m = {.mode = io_get(self)->mode & ~(uint32_t)IOM_BOM};
    Value ext = argv[0], inner = argc > 1 ? argv[1] : V_NIL;
    if (!is_nil(inner)) {
        int outside = encoding_of(ext);
        Value text = is_string(inner) ? inner : obj_try_convert(inner, T_STRING, "String", SYM(to_str));
        int inside = !is_nil(text) && is_dash(text) ? NO_CONVERSION : encoding_of(inner);
        m.ext_enc = (int16_t)outside;
        m.int_enc = (int16_t)(inside < 0 || inside == outside || outside == ENC_BINARY ? -1 : inside);
    } else if (is_nil(ext)) {
        io_choose(NOT_GIVEN, NOT_GIVEN, &m);
    } else {
        Value text = is_string(ext) ? ext : obj_try_convert(ext, T_STRING, "String", SYM(to_str));
        if (!is_nil(text) && enc_ascii_compat(str_encoding(text)))
            choose_by_names(text, &m);
        else
            io_choose(encoding_of(ext), NOT_GIVEN, &m);
    }
    check_conversion(&m, options);
    io_apply_encodings(self, &m);
    return self;
}

static Value io_set_encoding_by_bom(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Io *io = io_get(self);
    if (!(io->mode & IOM_BINARY))
        raise_error(klass.ArgumentError, "ASCII incompatible encoding needs binmode");
    if (!(io->mode & IOM_READ))
        return V_NIL;
    if (io->int_enc >= 0)
        raise_error(klass.ArgumentError, "encoding conversion is set");
    if (io->ext_enc >= 0 && io->ext_enc != ENC_BINARY)
        raise_error(klass.ArgumentError, "encoding is set to %s already", encoding_name(io->ext_enc));
    return encoding_value(set_by_byte_order_mark(self));
}

static const Builtin methods[] = {
    {"binmode", io_binmode, 0, 0, 0},
    {"binmode?", io_binmode_p, 0, 0, 0},
    {"external_encoding", io_external_encoding, 0, 0, 0},
    {"internal_encoding", io_internal_encoding, 0, 0, 0},
    {"set_encoding", io_set_encoding, 1, 2, BI_KW},
    {"set_encoding_by_bom", io_set_encoding_by_bom, 0, 0, 0},
};

void io_encoding_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
}
