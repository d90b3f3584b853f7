/* transcode.c -- String#encode, Encoding::Converter; by iconv
 *
 * iconv tells where it stopped and why (EILSEQ, EINVAL); what to do there (raise, replace, fallback, xml) is ours.
 * A piece between two known encodings goes through UTF-8 when iconv knows no direct way (it always has one).
 */
#include "vm/core/text.h"
#include "lib/error.h"
#include <errno.h>
#include <iconv.h>
#include <stdio.h>

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)

typedef struct Options {
    bool invalid_replace, undef_replace, xml_text, xml_attr, universal_nl, crlf_nl, cr_nl, lf_nl;
    Value replace;  /* String or nil */
    Value fallback; /* Hash, Proc, Method or nil */
} Options;

static bool opt_true(Value kw, const char *name)
{
    Value v = keyword_get(kw, name);
    return !is_undef(v) && truthy(v);
}
static bool opt_is(Value kw, const char *name, const char *what)
{
    Value v = keyword_get(kw, name);
    return !is_undef(v) && is_symbol(v) && !strcmp(sym_text(v), what);
}
uint32_t transcode_newlines(Value kw)
{
    static const struct {
        const char *keyword, *name;
        uint32_t bit;
    } kinds[] = {{"universal_newline", "universal", TR_UNIVERSAL}, {"crlf_newline", "crlf", TR_CRLF},
                 {"cr_newline", "cr", TR_CR}, {"lf_newline", "lf", TR_LF}};
    uint32_t found = 0;
    Value v = keyword_get(kw, "newline");
    if (!is_undef(v) && !is_nil(v)) {
        if (!is_symbol(v))
            raise_error(klass.ArgumentError, "unexpected value for newline option");
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (!strcmp(sym_text(v), kinds[i].name))
                found = kinds[i].bit;
        if (!found)
            raise_error(klass.ArgumentError, "unexpected value for newline option: %T", sym_name_str(v));
    }
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (opt_true(kw, kinds[i].keyword))
            found |= kinds[i].bit;
    return found;
}
static Options options_of(Value kw)
{
    Options o = {.replace = V_NIL, .fallback = V_NIL};
    if (is_nil(kw))
        return o;
    Value v = keyword_get(kw, "invalid");
    if (!is_undef(v) && !is_nil(v)) {
        if (!opt_is(kw, "invalid", "replace"))
            raise_error(klass.ArgumentError, "unknown value for invalid character option");
        o.invalid_replace = true;
    }
    v = keyword_get(kw, "undef");
    if (!is_undef(v) && !is_nil(v)) {
        if (!opt_is(kw, "undef", "replace"))
            raise_error(klass.ArgumentError, "unknown value for undefined character option");
        o.undef_replace = true;
    }
    v = keyword_get(kw, "replace");
    if (!is_undef(v) && !is_nil(v)) {
        o.replace = str_get(v);
    }
    v = keyword_get(kw, "fallback");
    if (!is_undef(v) && !is_nil(v))
        o.fallback = v;
    v = keyword_get(kw, "xml");
    if (!is_undef(v) && !is_nil(v)) {
        o.xml_text = opt_is(kw, "xml", "text");
        o.xml_attr = opt_is(kw, "xml", "attr");
        if (!o.xml_text && !o.xml_attr)
            raise_error(klass.ArgumentError, "unexpected value for xml option: %T", v);
    }
    uint32_t newlines = transcode_newlines(kw);
    o.universal_nl = newlines & TR_UNIVERSAL;
    o.crlf_nl = newlines & TR_CRLF;
    o.cr_nl = newlines & TR_CR;
    o.lf_nl = newlines & TR_LF;
    return o;
}
static bool decorates(const Options *o)
{
    return o->xml_text || o->xml_attr || o->universal_nl || o->crlf_nl || o->cr_nl || o->lf_nl;
}

/* Newlines and XML characters, in an ASCII compatible encoding. */
static Value decorate(Value str, const Options *o)
{
    Value out = str_buf_new(str_view(str).len + 16, str_encoding(str));
    StrView s = str_view(str);
    if (o->xml_attr)
        str_buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (o->universal_nl && c == '\r') {
            str_buf_putc(out, '\n');
            if (i + 1 < s.len && s.ptr[i + 1] == '\n')
                i++;
        } else if (o->lf_nl && c == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n') {
            continue;
        } else if (o->crlf_nl && c == '\n') {
            str_buf_puts(out, "\r\n");
        } else if (o->cr_nl && c == '\n') {
            str_buf_putc(out, '\r');
        } else if ((o->xml_text || o->xml_attr) && c == '&') {
            str_buf_puts(out, "&amp;");
        } else if ((o->xml_text || o->xml_attr) && c == '<') {
            str_buf_puts(out, "&lt;");
        } else if ((o->xml_text || o->xml_attr) && c == '>') {
            str_buf_puts(out, "&gt;");
        } else if (o->xml_attr && c == '"') {
            str_buf_puts(out, "&quot;");
        } else {
            str_buf_putc(out, c);
        }
    }
    if (o->xml_attr)
        str_buf_putc(out, '"');
    KEEP(str);
    return out;
}

static const char *iconv_name(int enc)
{
    return enc == ENC_UTF_8 ? "UTF-8" : encoding_rows[enc].iconv;
}
static void iconv_release(void *p)
{
    iconv_close((iconv_t)p);
}
static _Noreturn void raise_no_converter(const char *from, const char *to)
{
    raise_error(enc_not_found_error, "code converter not found (%s to %s)", from, to);
}
static void set_error_fields(Value exc, int from, int to, Value bytes)
{
    ivar_set(exc, sym_intern("source_encoding_name"), str_new_c(encoding_name(from)));
    ivar_set(exc, sym_intern("destination_encoding_name"), str_new_c(encoding_name(to)));
    ivar_set(exc, sym_intern("error_bytes"), bytes);
    ivar_set(exc, sym_intern("error_char"), bytes);
    ivar_set(exc, sym_intern("source_encoding"), encoding_value(from));
    ivar_set(exc, sym_intern("destination_encoding"), encoding_value(to));
}
static Value hex_bytes(const char *p, size_t n)
{
    Value v = str_new("\"", 1);
    for (size_t i = 0; i < n; i++) {
        char text[8];
        snprintf(text, sizeof text, "\\x%02X", (uint8_t)p[i]);
        str_append_c(v, text);
    }
    str_append_c(v, "\"");
    return v;
}
static _Noreturn void raise_undefined(int from, int to, const char *p, size_t n)
{
    Value bytes = str_new_enc(p, n, from), exc;
    int len;
    if (enc_is_unicode(from)) {
        int64_t c = enc_codepoint(from, p, p + n, &len);
        if (from == ENC_UTF_8)
            exc = exception_new(enc_undefined_error, "U+%04X from UTF-8 to %s", (uint32_t)c, encoding_name(to));
        else
            exc = exception_new(enc_undefined_error, "U+%04X from UTF-8 to %s in conversion from %s to UTF-8 to %s", (uint32_t)c, encoding_name(to),
                                encoding_name(from), encoding_name(to));
    } else if (to == ENC_UTF_8) {
        exc = exception_new(enc_undefined_error, "%T from %s to UTF-8", hex_bytes(p, n), encoding_name(from));
    } else {
        exc = exception_new(enc_undefined_error, "%T to UTF-8 in conversion from %s to UTF-8 to %s", hex_bytes(p, n), encoding_name(from),
                            encoding_name(to));
    }
    set_error_fields(exc, from, to, bytes);
    vm_raise(exc);
}
static _Noreturn void raise_invalid(int from, int to, const char *p, size_t n, const char *next, size_t left, bool incomplete)
{
    Value bytes = str_new_enc(p, n, ENC_BINARY), exc;
    bool again = !incomplete && left && n > 0 && (uint8_t)p[0] >= 0xc2 && enc_is_utf8(from) && (uint8_t)p[0] < 0xf5;
    if (incomplete)
        exc = exception_new(enc_invalid_error, "incomplete %T on %s", hex_bytes(p, n), encoding_name(from));
    else if (again)
        exc = exception_new(enc_invalid_error, "%T followed by %T on %s", hex_bytes(p, n), str_inspect(str_new_enc(next, 1, ENC_BINARY)),
                            encoding_name(from));
    else
        exc = exception_new(enc_invalid_error, "%T on %s", hex_bytes(p, n), encoding_name(from));
    set_error_fields(exc, from, to, bytes);
    ivar_set(exc, sym_intern("readagain_bytes"), again ? str_new_enc(next, 1, ENC_BINARY) : V_NIL);
    ivar_set(exc, sym_intern("incomplete_input"), bool_value(incomplete));
    vm_raise(exc);
}
/* Length of the bad piece at p: the longest start of a UTF-8 character, else one unit. */
static size_t bad_length(int enc, const char *p, const char *end)
{
    size_t n = 1;
    if (enc_is_utf8(enc)) {
        uint8_t c = (uint8_t)*p;
        size_t want = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 1;
        while (n < want && p + n < end && ((uint8_t)p[n] & 0xc0) == 0x80 &&
               !(n == 1 && ((c == 0xe0 && (uint8_t)p[1] < 0xa0) || (c == 0xed && (uint8_t)p[1] > 0x9f) || (c == 0xf0 && (uint8_t)p[1] < 0x90) ||
                            (c == 0xf4 && (uint8_t)p[1] > 0x8f))))
            n++;
        return n;
    }
    n = encoding_rows[enc].min_len;
    return MIN(n, (size_t)(end - p));
}

typedef struct ConvCall {
    Value str, options;
    int to;
} ConvCall;
static Value conv_run(void *arg)
{
    ConvCall *c = arg;
    return str_transcode(c->str, c->to, c->options);
}
static Value call_fallback(Value fallback, Value c)
{
    if (is_hash(fallback))
        return hash_aref(fallback, c);
    if (is_proc(fallback))
        return proc_call(fallback, 1, &c);
    if (obj_is_kind_of(fallback, klass.Method))
        return vm_call1(fallback, SYM(call), c);
    return vm_responds_to(fallback, SYM(op_aref), true) ? vm_call1(fallback, SYM(op_aref), c) : V_NIL;
}
/* What stands in for the bad or undefined piece. */
static void put_substitute(Value out, int from, int to, const char *p, size_t n, bool undefined, const Options *o)
{
    if (undefined && !is_nil(o->fallback) && !o->undef_replace) {
        Value c = str_new_enc(p, n, from), r = call_fallback(o->fallback, c);
        if (is_nil(r))
            raise_undefined(from, to, str_view(c).ptr, n);
        r = str_get(r);
        if (str_encoding(r) != to && str_coderange(r) != CR_7BIT) {
            ConvCall call = {r, V_NIL, to};
            Value exc;
            r = vm_rescue(conv_run, &call, klass.EncodingError, &exc);
            if (is_undef(r))
                raise_error(klass.ArgumentError, "too big fallback string");
        }
        str_buf_cat_str(out, r);
        return;
    }
    if (undefined && (o->xml_text || o->xml_attr)) {
        int len;
        int64_t c = enc_codepoint(from, p, p + n, &len);
        char text[24];
        str_buf_cat(out, text, (size_t)snprintf(text, sizeof text, "&#x%llX;", (long long)c));
        return;
    }
    if (!is_nil(o->replace)) {
        Value r = o->replace;
        if (str_encoding(r) != to && str_encoding(r) != ENC_BINARY && !(str_coderange(r) == CR_7BIT && enc_ascii_compat(to)))
            r = str_transcode(r, to, V_NIL);
        str_buf_cat_str(out, r);
        return;
    }
    char buf[8];
    int k = enc_put(to, enc_is_unicode(to) ? 0xfffd : '?', buf);
    if (!k) {
        buf[0] = '?';
        k = 1;
    }
    str_buf_cat(out, buf, (size_t)k);
}

/* iconv writes no byte-order mark for the explicit UTF-16LE and the like; for UTF-16 and UTF-32 Ruby writes big-endian with one. */
static Value convert(Value str, int from, int to, const Options *o)
{
    const char *from_name = iconv_name(from), *to_name = iconv_name(to);
    bool mark = !strcmp(encoding_name(to), "UTF-16") || !strcmp(encoding_name(to), "UTF-32");
    if (mark)
        to_name = encoding_name(to)[4] == '1' ? "UTF-16BE" : "UTF-32BE";
    bool from_ascii = from == ENC_BINARY || to == ENC_BINARY;
    if (from_ascii && ((from != ENC_BINARY && !*from_name) || (to != ENC_BINARY && !*to_name)))
        raise_no_converter(encoding_name(from), encoding_name(to));
    Value out = str_buf_new(str_view(str).len * 2 + 16, to);
    iconv_t cd = (iconv_t)-1;
    if (!from_ascii) {
        if (!*from_name || !*to_name || (cd = iconv_open(to_name, from_name)) == (iconv_t)-1)
            raise_no_converter(encoding_name(from), encoding_name(to));
        resource_push(iconv_release, cd);
    }
    if (mark)
        str_buf_cat(out, encoding_name(to)[4] == '1' ? "\xfe\xff" : "\0\0\xfe\xff", encoding_name(to)[4] == '1' ? 2 : 4);
    size_t at = 0, len = str_view(str).len;
    while (at < len) {
        StrView s = str_view(str);
        size_t bad = 0;
        bool undefined = false;
        if (from_ascii) { /* only ASCII has a meaning in both */
            size_t n = at;
            while (n < len && !(s.ptr[n] & 0x80))
                n++;
            str_buf_cat(out, s.ptr + at, n - at);
            at = n;
            if (at >= len)
                break;
            int k = from == ENC_BINARY ? 1 : enc_precise_len(from, s.ptr + at, s.ptr + len);
            undefined = k > 0;
            bad = k > 0 ? (size_t)k : bad_length(from, s.ptr + at, s.ptr + len);
        } else {
            char buf[4096], *in = (char *)(uintptr_t)s.ptr + at, *q = buf;
            size_t in_left = len - at, out_left = sizeof buf;
            size_t r = iconv(cd, &in, &in_left, &q, &out_left);
            int err = errno;
            at = len - in_left;
            str_buf_cat(out, buf, sizeof buf - out_left);
            if (r != (size_t)-1 || err == E2BIG) {
                vm_check_interrupts();
                continue;
            }
            s = str_view(str);
            int k = enc_precise_len(from, s.ptr + at, s.ptr + len);
            undefined = err == EILSEQ && k > 0;
            bad = undefined ? (size_t)k : bad_length(from, s.ptr + at, s.ptr + len);
            if (err == EINVAL) {
                bad = len - at;
                undefined = false;
            }
        }
        s = str_view(str);
        bool ok = undefined ? o->undef_replace || !is_nil(o->fallback) || o->xml_text || o->xml_attr : o->invalid_replace;
        if (!ok) {
            if (undefined)
                raise_undefined(from, to, s.ptr + at, bad);
            raise_invalid(from, to, s.ptr + at, bad, s.ptr + at + bad, len - at - bad, at + bad == len && bad > 0 && enc_is_utf8(from) &&
                          (uint8_t)s.ptr[at] >= 0xc2 && (uint8_t)s.ptr[at] < 0xf5);
        }
        Value piece = str_new_enc(s.ptr + at, bad, from);
        put_substitute(out, from, to, str_view(piece).ptr, bad, undefined, o);
        KEEP(piece);
        at += bad;
    }
    if (cd != (iconv_t)-1) {
        char buf[64], *q = buf; /* back to the initial shift state */
        size_t out_left = sizeof buf;
        iconv(cd, NULL, NULL, &q, &out_left);
        str_buf_cat(out, buf, sizeof buf - out_left);
        resource_release(cd);
    }
    return out;
}

Value str_transcode(Value str, int to, Value kw)
{
    Options o = options_of(kw);
    int from = str_encoding(str);
    if (from == to || (str_coderange(str) == CR_7BIT && enc_ascii_compat(to) && enc_ascii_compat(from))) {
        Value v = decorates(&o) ? decorate(str, &o) : str_dup(str);
        str_set_encoding(v, to);
        str_set_coderange(v, CR_UNKNOWN);
        return v;
    }
    if (decorates(&o) && enc_ascii_compat(from)) {
        str = decorate(str, &o);
        return convert(str, from, to, &o);
    }
    return convert(str, from, to, &o);
}

static int encoding_argument(Value v, Value str, Value to, bool source)
{
    if (is_heap(v) && class_real(v) == klass.Encoding)
        return encoding_of(v);
    Value name = str_get(v);
    int enc = encoding_find(str_view(name).ptr);
    if (enc < 0) {
        if (source)
            raise_error(enc_not_found_error, "code converter not found (%T to %s)", name, is_nil(to) ? "UTF-8" : is_string(to) ? str_view(to).ptr : encoding_name(encoding_of(to)));
        raise_error(enc_not_found_error, "code converter not found (%s to %T)", encoding_name(str_encoding(str)), name);
    }
    return enc;
}
static Value encoded(Value self, int argc, const Value *argv)
{
    Value kw = call_take_keywords(&argc, argv);
    int to = argc ? encoding_argument(argv[0], self, V_NIL, false) : encoding_default_internal;
    Value str = self;
    if (argc > 1) {
        int from = encoding_argument(argv[1], self, argv[0], true);
        if (from != str_encoding(self)) {
            str = str_dup(self);
            str_set_encoding(str, from);
            str_set_coderange(str, CR_UNKNOWN);
        }
    }
    if (to < 0) {
        if (is_nil(kw))
            return str_dup(self);
        to = str_encoding(self);
    }
    if (to == str_encoding(str) && !is_nil(kw)) { /* same encoding: only broken bytes can be replaced */
        Options o = options_of(kw);
        if (o.invalid_replace && str_is_broken(str)) {
            Value args[1] = {o.replace};
            str = vm_call(str, sym_intern("scrub"), is_nil(o.replace) ? 0 : 1, args);
        }
        return decorates(&o) ? decorate(str, &o) : str_dup(str);
    }
    return str_transcode(str, to, kw);
}
METHOD(str_m_encode) { return encoded(self, argc, argv); }
METHOD(str_m_encode_bang)
{
    obj_modify(self);
    str_replace(self, encoded(self, argc, argv));
    return self;
}

/* ---- Encoding::Converter: whole strings; primitive_convert and its kind are not there yet ---- */

METHOD(conv_initialize)
{
    Value kw = call_take_keywords(&argc, argv);
    if (argc < 2)
        raise_error(klass.NotImplementedError, "Encoding::Converter.new(convpath)");
    Value names[2];
    for (int i = 0; i < 2; i++)
        names[i] = is_string(argv[i]) ? argv[i] : str_new_c(encoding_name(encoding_of(argv[i])));
    int from = encoding_find(str_view(names[0]).ptr), to = encoding_find(str_view(names[1]).ptr);
    if (from < 0 || to < 0 || !*iconv_name(from) || !*iconv_name(to))
        raise_error(enc_not_found_error, "code converter not found (%T to %T)", names[0], names[1]);
    ivar_set(self, sym_intern("__from"), int_fix(from));
    ivar_set(self, sym_intern("__to"), int_fix(to));
    ivar_set(self, sym_intern("__options"), kw);
    return self;
}
static int conv_field(Value self, const char *name)
{
    Value v = ivar_get(self, sym_intern(name));
    if (!is_fixnum(v))
        raise_error(klass.ArgumentError, "uninitialized encoding converter");
    return (int)fix_int(v);
}
METHOD(conv_convert)
{
    (void)argc;
    Value str = str_dup(str_get(argv[0])), exc;
    str_set_encoding(str, conv_field(self, "__from"));
    str_set_coderange(str, CR_UNKNOWN);
    ConvCall call = {str, ivar_get(self, sym_intern("__options")), conv_field(self, "__to")};
    Value r = vm_rescue(conv_run, &call, klass.EncodingError, &exc);
    ivar_set(self, sym_intern("__last_error"), is_undef(r) ? exc : V_NIL);
    if (is_undef(r))
        vm_raise(exc);
    return r;
}
METHOD(conv_last_error)
{
    (void)argc, (void)argv;
    Value e = ivar_get(self, sym_intern("__last_error"));
    return is_undef(e) ? V_NIL : e;
}
static Value path_of(int from, int to)
{
    Value path = ary_new(2);
    Value a = encoding_value(from), b = encoding_value(to), u = encoding_value(ENC_UTF_8);
    if (from == ENC_UTF_8 || to == ENC_UTF_8) {
        ary_push(path, ary_new_from(2, (Value[]){a, b}));
    } else {
        ary_push(path, ary_new_from(2, (Value[]){a, u}));
        ary_push(path, ary_new_from(2, (Value[]){u, b}));
    }
    return path;
}
static void path_decorators(Value path, Value kw)
{
    Options o = options_of(kw);
    if (o.xml_text)
        ary_push(path, str_new_c("xml_text_escape"));
    if (o.xml_attr) {
        ary_push(path, str_new_c("xml_attr_content_escape"));
        ary_push(path, str_new_c("xml_attr_quote"));
    }
    if (o.crlf_nl)
        ary_push(path, str_new_c("crlf_newline"));
    if (o.cr_nl)
        ary_push(path, str_new_c("cr_newline"));
    if (o.lf_nl)
        ary_push(path, str_new_c("lf_newline"));
    if (o.universal_nl)
        ary_push(path, str_new_c("universal_newline"));
}
METHOD(conv_convpath)
{
    (void)argc, (void)argv;
    Value path = path_of(conv_field(self, "__from"), conv_field(self, "__to"));
    path_decorators(path, ivar_get(self, sym_intern("__options")));
    return path;
}
METHOD(conv_s_search)
{
    (void)self;
    Value kw = call_take_keywords(&argc, argv);
    Value names[2];
    if (argc != 2)
        raise_arity(argc, 2, 3);
    for (int i = 0; i < 2; i++)
        names[i] = is_string(argv[i]) ? argv[i] : str_new_c(encoding_name(encoding_of(argv[i])));
    int from = encoding_find(str_view(names[0]).ptr), to = encoding_find(str_view(names[1]).ptr);
    if (from < 0 || to < 0 || !*iconv_name(from) || !*iconv_name(to))
        raise_error(enc_not_found_error, "code converter not found (%T to %T)", names[0], names[1]);
    Value path = path_of(from, to);
    path_decorators(path, kw);
    return path;
}
METHOD(conv_s_asciicompat)
{
    (void)self, (void)argc;
    int enc = is_string(argv[0]) ? encoding_find(str_view(argv[0]).ptr) : encoding_of(argv[0]);
    if (enc < 0 || enc_ascii_compat(enc))
        return V_NIL;
    if (!strncmp(encoding_name(enc), "ISO-2022-JP", 11) || !strncmp(encoding_name(enc), "CP5022", 6))
        return encoding_value(encoding_find(!strncmp(encoding_name(enc), "CP5022", 6) ? "CP51932" : "stateless-ISO-2022-JP"));
    return encoding_value(ENC_UTF_8);
}
METHOD(conv_set_replacement)
{
    (void)argc;
    Value kw = ivar_get(self, sym_intern("__options")), copy = is_hash(kw) ? hash_dup(kw) : hash_new();
    hash_set(copy, sym_intern("replace"), str_get(argv[0]));
    ivar_set(self, sym_intern("__options"), copy);
    return argv[0];
}
METHOD(conv_eq)
{
    (void)argc;
    if (class_real(argv[0]) != class_real(self))
        return V_FALSE;
    return bool_value(conv_field(self, "__from") == conv_field(argv[0], "__from") && conv_field(self, "__to") == conv_field(argv[0], "__to") &&
                      obj_equal(ivar_get(self, sym_intern("__options")), ivar_get(argv[0], sym_intern("__options"))));
}
METHOD(conv_finish)
{
    (void)argc, (void)argv;
    return str_new_enc("", 0, conv_field(self, "__to"));
}
METHOD(conv_source) { (void)argc, (void)argv; return encoding_value(conv_field(self, "__from")); }
METHOD(conv_destination) { (void)argc, (void)argv; return encoding_value(conv_field(self, "__to")); }
METHOD(conv_replacement)
{
    (void)argc, (void)argv;
    Value kw = ivar_get(self, sym_intern("__options")), v = is_nil(kw) ? V_UNDEF : keyword_get(kw, "replace");
    if (!is_undef(v))
        return v;
    return enc_is_unicode(conv_field(self, "__to")) ? str_new_c("\xef\xbf\xbd") : str_new_enc("?", 1, ENC_US_ASCII);
}
METHOD(conv_inspect)
{
    (void)argc, (void)argv;
    return str_format("#<Encoding::Converter: %s to %s>", encoding_name(conv_field(self, "__from")), encoding_name(conv_field(self, "__to")));
}
METHOD(conv_missing)
{
    (void)self, (void)argc, (void)argv;
    raise_not_implemented("Encoding::Converter#primitive_convert");
}
METHOD(err_field_source_name) { (void)argc, (void)argv; return ivar_get(self, sym_intern("source_encoding_name")); }
METHOD(err_field_dest_name) { (void)argc, (void)argv; return ivar_get(self, sym_intern("destination_encoding_name")); }
METHOD(err_field_source) { (void)argc, (void)argv; return ivar_get(self, sym_intern("source_encoding")); }
METHOD(err_field_dest) { (void)argc, (void)argv; return ivar_get(self, sym_intern("destination_encoding")); }
METHOD(err_field_char) { (void)argc, (void)argv; return ivar_get(self, sym_intern("error_char")); }
METHOD(err_field_bytes) { (void)argc, (void)argv; return ivar_get(self, sym_intern("error_bytes")); }
METHOD(err_field_incomplete) { (void)argc, (void)argv; return ivar_get(self, sym_intern("incomplete_input")); }
METHOD(err_field_again) { (void)argc, (void)argv; return ivar_get(self, sym_intern("readagain_bytes")); }

static const Builtin methods[] = {
    {"encode", str_m_encode, 0, 2, BI_KW},
    {"encode!", str_m_encode_bang, 0, 2, BI_KW},
};
static const Builtin converter[] = {
    {"initialize", conv_initialize, 1, 2, BI_PRIVATE | BI_KW},
    {"convert", conv_convert, 1, 1, 0},
    {"finish", conv_finish, 0, 0, 0},
    {"last_error", conv_last_error, 0, 0, 0},
    {"convpath", conv_convpath, 0, 0, 0},
    {"replacement=", conv_set_replacement, 1, 1, 0},
    {"==", conv_eq, 1, 1, 0},
    {"primitive_errinfo", conv_missing, 0, 0, 0},
    {"source_encoding", conv_source, 0, 0, 0},
    {"destination_encoding", conv_destination, 0, 0, 0},
    {"replacement", conv_replacement, 0, 0, 0},
    {"inspect", conv_inspect, 0, 0, 0},
    {"primitive_convert", conv_missing, 0, -1, 0},
    {"putback", conv_missing, 0, -1, 0},
    {"insert_output", conv_missing, 0, -1, 0},
};
static const Builtin of_errors[] = {
    {"source_encoding_name", err_field_source_name, 0, 0, 0},
    {"destination_encoding_name", err_field_dest_name, 0, 0, 0},
    {"source_encoding", err_field_source, 0, 0, 0},
    {"destination_encoding", err_field_dest, 0, 0, 0},
};
static const Builtin of_undefined[] = {{"error_char", err_field_char, 0, 0, 0}};
static const Builtin of_invalid[] = {
    {"error_bytes", err_field_bytes, 0, 0, 0},
    {"readagain_bytes", err_field_again, 0, 0, 0},
    {"incomplete_input?", err_field_incomplete, 0, 0, 0},
};
void transcode_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
    ADD_BUILTINS(enc_converter_class, converter);
    static const Builtin of_converter[] = {
        {"search_convpath", conv_s_search, 2, 3, BI_KW},
        {"asciicompat_encoding", conv_s_asciicompat, 1, 1, 0},
    };
    ADD_SINGLETON_BUILTINS(enc_converter_class, of_converter);
    static const struct {
        const char *name;
        int value;
    } constants[] = {
        {"AFTER_OUTPUT", 262144},        {"CRLF_NEWLINE_DECORATOR", 4096},      {"CR_NEWLINE_DECORATOR", 8192},
        {"INVALID_MASK", 15},            {"INVALID_REPLACE", 2},                {"LF_NEWLINE_DECORATOR", 16384},
        {"PARTIAL_INPUT", 131072},       {"UNDEF_HEX_CHARREF", 48},             {"UNDEF_MASK", 240},
        {"UNDEF_REPLACE", 32},           {"UNIVERSAL_NEWLINE_DECORATOR", 256},  {"XML_ATTR_CONTENT_DECORATOR", 65536},
        {"XML_ATTR_QUOTE_DECORATOR", 1048576}, {"XML_TEXT_DECORATOR", 32768},
    };
    for (size_t i = 0; i < COUNT_OF(constants); i++)
        const_set(enc_converter_class, sym_intern(constants[i].name), int_fix(constants[i].value));
    ADD_BUILTINS(enc_undefined_error, of_errors);
    ADD_BUILTINS(enc_undefined_error, of_undefined);
    ADD_BUILTINS(enc_invalid_error, of_errors);
    ADD_BUILTINS(enc_invalid_error, of_invalid);
}
