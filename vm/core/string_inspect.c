/* string_inspect.c -- Strings as source text: inspect, dump, undump */
#include "vm/core/text.h"
#include <ctype.h>
#include <stdio.h>

static const char *escape_of(uint32_t c)
{
    switch (c) {
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\f': return "\\f";
    case '\v': return "\\v";
    case '\b': return "\\b";
    case '\a': return "\\a";
    case 27: return "\\e";
    case '"': return "\\\"";
    case '\\': return "\\\\";
    default: return NULL;
    }
}
static bool printable(int enc, uint32_t c)
{
    if (c < 0x80)
        return c >= 32 && c < 127;
    if (c < 0xa0 && enc_is_unicode(enc))
        return false;
    return ONIGENC_IS_CODE_PRINT(enc_onig(enc), c) != 0;
}

Value str_inspect(Value str)
{
    StrView s = str_view(str);
    int enc = s.enc, result = encoding_default_internal >= 0 ? encoding_default_internal : encoding_default_external;
    if (!enc_ascii_compat(result))
        result = ENC_US_ASCII;
    Value out = str_buf_new(s.len + 16, result);
    str_buf_putc(out, '"');
    s = str_view(str);
    for (size_t at = 0; at < s.len;) {
        int n;
        char text[16];
        int64_t code = enc_codepoint(enc, s.ptr + at, s.ptr + s.len, &n);
        if (code < 0) {
            for (int i = 0; i < n; i++) {
                snprintf(text, sizeof text, "\\x%02X", (uint8_t)s.ptr[at + (size_t)i]);
                str_buf_puts(out, text);
            }
            at += (size_t)n;
            continue;
        }
        uint32_t c = (uint32_t)code;
        size_t next = at + (size_t)n;
        bool ascii = enc_ascii_compat(enc) || enc_is_unicode(enc);
        if (!ascii) {
            for (int i = 0; i < n; i++) {
                snprintf(text, sizeof text, "\\x%02X", (uint8_t)s.ptr[at + (size_t)i]);
                str_buf_puts(out, text);
            }
        } else if (c == '#' && next < s.len) {
            int m;
            int64_t d = enc_codepoint(enc, s.ptr + next, s.ptr + s.len, &m);
            str_buf_puts(out, d == '{' || d == '$' || d == '@' ? "\\#" : "#");
        } else if (escape_of(c)) {
            str_buf_puts(out, escape_of(c));
        } else if (c < 0x80 && printable(enc, c)) {
            str_buf_putc(out, (char)c);
        } else if (c >= 0x80 && (enc == result || (enc_is_utf8(enc) && enc_is_utf8(result))) && enc != ENC_BINARY && printable(enc, c)) {
            str_buf_cat(out, s.ptr + at, (size_t)n);
        } else if (enc_is_unicode(enc)) {
            snprintf(text, sizeof text, c > 0xffff ? "\\u{%X}" : "\\u%04X", c);
            str_buf_puts(out, text);
        } else if (n == 1) {
            snprintf(text, sizeof text, "\\x%02X", c);
            str_buf_puts(out, text);
        } else {
            snprintf(text, sizeof text, "\\x{%X}", c);
            str_buf_puts(out, text);
        }
        at = next;
    }
    KEEP(str);
    str_buf_putc(out, '"');
    return out;
}

Value str_dump(Value str)
{
    StrView s = str_view(str);
    bool wide = !enc_ascii_compat(s.enc);
    Value out = str_buf_new(s.len + 16, wide ? ENC_US_ASCII : s.enc);
    str_buf_putc(out, '"');
    s = str_view(str);
    for (size_t at = 0; at < s.len;) {
        uint8_t c = (uint8_t)s.ptr[at];
        char text[16];
        if (enc_is_utf8(s.enc) && c >= 0x80) {
            int n;
            int64_t code = enc_codepoint(s.enc, s.ptr + at, s.ptr + s.len, &n);
            if (code >= 0) {
                snprintf(text, sizeof text, code > 0xffff ? "\\u{%X}" : "\\u%04X", (uint32_t)code);
                str_buf_puts(out, text);
                at += (size_t)n;
                continue;
            }
        }
        at++;
        if (c == '#' && at < s.len && strchr("{$@", s.ptr[at]) && s.ptr[at])
            str_buf_puts(out, "\\#");
        else if (escape_of(c))
            str_buf_puts(out, escape_of(c));
        else if (c >= 32 && c < 127)
            str_buf_putc(out, (char)c);
        else {
            snprintf(text, sizeof text, "\\x%02X", c);
            str_buf_puts(out, text);
        }
    }
    KEEP(str);
    str_buf_putc(out, '"');
    if (wide) {
        str_buf_puts(out, ".dup.force_encoding(\"");
        str_buf_puts(out, encoding_name(s.enc));
        str_buf_puts(out, "\")");
    }
    str_set_coderange(out, CR_7BIT);
    return out;
}

Value str_unescape_dump(Value str)
{
    StrView s = str_view(str);
    Value out = str_buf_new(s.len, s.enc);
    if (str_coderange(str) != CR_7BIT)
        raise_error(klass.RuntimeError, "non-ASCII character detected at the undumped string");
    if (memchr(s.ptr, 0, s.len))
        raise_error(klass.RuntimeError, "string contains null byte");
    if (s.len < 2 || s.ptr[0] != '"')
        raise_error(klass.RuntimeError, "invalid dumped string; not wrapped with '\"' nor '\"...\".force_encoding(\"...\")' form");
    size_t at = 1;
    bool utf8 = false, binary = false;
    for (;; at++) {
        if (at >= s.len)
            raise_error(klass.RuntimeError, "unterminated dumped string");
        char c = s.ptr[at];
        if (c == '"')
            break;
        if (c != '\\') {
            str_buf_putc(out, c);
            continue;
        }
        if (++at >= s.len)
            raise_error(klass.RuntimeError, "invalid escape");
        c = s.ptr[at];
        const char *plain = strchr("nrtfvbae", c);
        if (plain && c) {
            str_buf_putc(out, "\n\r\t\f\v\b\a\033"[plain - "nrtfvbae"]);
        } else if (c == 'x') {
            if (at + 2 >= s.len || !isxdigit((unsigned char)s.ptr[at + 1]) || !isxdigit((unsigned char)s.ptr[at + 2]))
                raise_error(klass.RuntimeError, "invalid hex escape");
            char hex[3] = {s.ptr[at + 1], s.ptr[at + 2], 0};
            if (utf8)
                raise_error(klass.RuntimeError, "hex escape and Unicode escape are mixed");
            str_buf_putc(out, (char)strtol(hex, NULL, 16));
            binary |= strtol(hex, NULL, 16) >= 0x80;
            at += 2;
        } else if (c == 'u') {
            if (binary)
                raise_error(klass.RuntimeError, "hex escape and Unicode escape are mixed");
            utf8 = true;
            bool braces = at + 1 < s.len && s.ptr[at + 1] == '{';
            size_t p = at + 1 + braces, digits = 0;
            uint32_t code = 0;
            while (p < s.len && isxdigit((unsigned char)s.ptr[p]) && (braces || digits < 4) && digits < 8) {
                char h = s.ptr[p++];
                code = code * 16 + (uint32_t)(isdigit((unsigned char)h) ? h - '0' : (h | 32) - 'a' + 10);
                digits++;
            }
            if (!digits || (!braces && digits != 4) || (braces && (p >= s.len || s.ptr[p] != '}')))
                raise_error(klass.RuntimeError, braces ? "unterminated Unicode escape" : "invalid Unicode escape");
            char buf[8];
            int n = enc_put(ENC_UTF_8, code, buf);
            if (!n)
                raise_error(klass.RuntimeError, "invalid Unicode codepoint");
            str_buf_cat(out, buf, (size_t)n);
            at = braces ? p : p - 1;
        } else {
            str_buf_putc(out, c);
        }
        s = str_view(str);
    }
    at++;
    if (utf8 && !enc_is_utf8(s.enc))
        str_set_encoding(out, ENC_UTF_8);
    if (at < s.len) {
        const char *tail = s.ptr + at;
        size_t n = s.len - at;
        static const char *const forms[] = {".dup.force_encoding(\"", ".force_encoding(\""};
        for (int i = 0; i < 2; i++) {
            size_t k = strlen(forms[i]);
            if (n > k + 2 && !memcmp(tail, forms[i], k) && !memcmp(tail + n - 2, "\")", 2)) {
                char name[64];
                snprintf(name, sizeof name, "%.*s", (int)(n - k - 2), tail + k);
                int enc = encoding_find(name);
                if (enc < 0)
                    raise_error(klass.ArgumentError, "dumped string has unknown encoding name: %s", name);
                str_set_encoding(out, enc);
                KEEP(str);
                return out;
            }
        }
        raise_error(klass.RuntimeError, "invalid dumped string; not wrapped with '\"' nor '\"...\".force_encoding(\"...\")' form");
    }
    KEEP(str);
    return out;
}
