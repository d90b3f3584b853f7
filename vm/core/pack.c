/* pack.c -- Array#pack, String#unpack and unpack1
 *
 * A template is directives of a letter, modifiers (_ ! < >) and a count (number, *, none).  Integers of all sizes are
 * two rows of facts (size, signedness, byte order) found by int_row.
 */
#include "vm/core/number.h"
#include <ctype.h>
#include <stdio.h>

typedef struct Directive {
    char type;
    bool native, big, little, star, counted;
    int64_t count; /* 1 when not given */
} Directive;

/* Next directive; false at the end. */
static bool next_directive(Value template, size_t *at, Directive *d, const char *what)
{
    StrView s = str_view(template);
    const char *p = s.ptr;
    for (;;) {
        while (*at < s.len && isspace((unsigned char)p[*at]))
            ++*at;
        if (*at < s.len && p[*at] == '#') {
            while (*at < s.len && p[*at] != '\n')
                ++*at;
            continue;
        }
        break;
    }
    if (*at >= s.len)
        return false;
    *d = (Directive){.type = p[(*at)++], .count = 1};
    if (!d->type || !strchr("aAZBbHhcCsSiIlLqQjJnNvVUwmMuxX@PpdDfFeEgG^", d->type)) {
        char name[8];
        snprintf(name, sizeof name, d->type >= 32 && d->type < 127 ? "%c" : "\\x%02X", (uint8_t)d->type);
        Value shown = str_inspect(template);
        raise_error(klass.ArgumentError, "unknown %s directive '%s' in '%T'", what, name, str_new_share(shown, 1, str_view(shown).len - 2));
    }
    for (; *at < s.len; ++*at) {
        char c = p[*at];
        if (c == '_' || c == '!') {
            if (!strchr("sSiIlLqQjJ", d->type))
                raise_error(klass.ArgumentError, "'%c' allowed only after types sSiIlLqQjJ", c);
            d->native = true;
        } else if (c == '<' || c == '>') {
            if (!strchr("sSiIlLqQjJ", d->type))
                raise_error(klass.ArgumentError, "'%c' allowed only after types sSiIlLqQjJ", c);
            if (c == '<')
                d->little = true;
            else
                d->big = true;
            if (d->little && d->big)
                raise_error(klass.RangeError, "Can't use both '<' and '>'");
        } else {
            break;
        }
    }
    if (*at < s.len && p[*at] == '*') {
        ++*at;
        d->star = true;
        d->counted = true;
        d->count = 0;
    } else if (*at < s.len && isdigit((unsigned char)p[*at])) {
        d->counted = true;
        d->count = 0;
        while (*at < s.len && isdigit((unsigned char)p[*at])) {
            if (d->count > INT64_MAX / 20)
                raise_error(klass.RangeError, "pack length too big");
            d->count = d->count * 10 + (p[(*at)++] - '0');
        }
    }
    return true;
}
/* Size of an integer directive, 0 when it is none. */
static int int_row(const Directive *d, bool *is_signed, bool *big)
{
    *is_signed = d->type >= 'a' && !strchr("nNvV", d->type);
    *big = d->big || d->type == 'n' || d->type == 'N';
    switch (d->type) {
    case 'c': case 'C': return 1;
    case 's': case 'S': case 'n': case 'v': return 2;
    case 'i': case 'I': case 'N': case 'V': return 4;
    case 'l': case 'L': return d->native ? 8 : 4;
    case 'q': case 'Q': case 'j': case 'J': return 8;
    default: return 0;
    }
}
static int float_row(char type, bool *big)
{
    *big = type == 'g' || type == 'G';
    return strchr("fFeg", type) ? 4 : strchr("dDEG", type) ? 8 : 0;
}

/* ---- pack ---- */

typedef struct Packer {
    Value ary, out;
    size_t next;
} Packer;
static Value take(Packer *p)
{
    if (p->next >= ary_len(p->ary))
        raise_error(klass.ArgumentError, "too few arguments");
    return ary_get(p->ary, (long)p->next++);
}
static void put_int(Packer *p, Value v, int size, bool big)
{
    v = int_convert(v);
    uint64_t x;
    if (is_fixnum(v)) {
        x = (uint64_t)fix_int(v);
    } else {
        Value low = int_mod(v, int_shift(int_fix(1), 64));
        MpzView m;
        mpz_srcptr z = int_view(&m, low);
        x = mpz_size(z) ? mpz_getlimbn(z, 0) : 0;
        KEEP(low);
    }
    char b[8];
    for (int i = 0; i < size; i++)
        b[big ? size - 1 - i : i] = (char)(x >> (8 * i));
    str_buf_cat(p->out, b, (size_t)size);
}
static void put_real(Packer *p, Value v, int size, bool big)
{
    if (!is_integer(v) && !is_float(v) && !is_rational(v) && !obj_is_kind_of(v, klass.Numeric))
        raise_error(klass.TypeError, is_immediate(v) && !is_symbol(v) ? "can't convert %V into Float" : "can't convert %C into Float", v);
    double d = value_double(v);
    float f = (float)d;
    uint64_t x = 0;
    memcpy(&x, size == 4 ? (void *)&f : (void *)&d, (size_t)size);
    char b[8];
    for (int i = 0; i < size; i++)
        b[big ? size - 1 - i : i] = (char)(x >> (8 * i));
    str_buf_cat(p->out, b, (size_t)size);
}
static void put_text(Packer *p, const Directive *d) /* a A Z B b H h */
{
    Value v = take(p);
    Value str = is_nil(v) ? str_new("", 0) : str_get(v);
    StrView s = str_view(str);
    int64_t n = d->star ? (int64_t)s.len + (d->type == 'Z') : d->count;
    char pad = d->type == 'A' ? ' ' : 0;
    if (d->type == 'a' || d->type == 'A' || d->type == 'Z') {
        size_t k = MIN((size_t)n, s.len);
        str_buf_cat(p->out, s.ptr, k);
        for (int64_t i = (int64_t)k; i < n; i++)
            str_buf_putc(p->out, pad);
        KEEP(str);
        return;
    }
    int per = d->type == 'B' || d->type == 'b' ? 8 : 2;
    int64_t digits = d->star ? (int64_t)s.len : d->count, extra = 0;
    if (digits > (int64_t)s.len) {
        extra = (digits - (int64_t)s.len + 1) / 2;
        digits = (int64_t)s.len;
    }
    int byte = 0, k = 0;
    for (int64_t i = 0; i < digits; i++) {
        int bit = 0;
        if (i < (int64_t)s.len) {
            char c = s.ptr[i];
            bit = per == 8 ? c & 1 : (isalpha((unsigned char)c) ? (c & 7) + 9 : c) & 15;
        }
        if (per == 8)
            byte |= d->type == 'B' ? bit << (7 - k) : bit << k;
        else
            byte |= d->type == 'H' ? bit << (4 * (1 - k)) : bit << (4 * k);
        if (++k == per) {
            str_buf_putc(p->out, (char)byte);
            byte = k = 0;
        }
    }
    if (k)
        str_buf_putc(p->out, (char)byte);
    for (; extra > 0; extra--) /* half a byte for each missing digit, bits too: as CRuby pads */
        str_buf_putc(p->out, 0);
    KEEP(str);
}
static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(Value out, const char *p, size_t n, const char *table, char pad)
{
    for (size_t i = 0; i < n; i += 3) {
        uint32_t w = (uint32_t)(uint8_t)p[i] << 16 | (i + 1 < n ? (uint32_t)(uint8_t)p[i + 1] << 8 : 0) | (i + 2 < n ? (uint8_t)p[i + 2] : 0);
        char b[4] = {table[w >> 18], table[w >> 12 & 63], i + 1 < n ? table[w >> 6 & 63] : pad, i + 2 < n ? table[w & 63] : pad};
        str_buf_cat(out, b, 4);
    }
}
static void put_lines(Packer *p, const Directive *d) /* m u */
{
    static const char uu[] = "`!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_";
    Value str = str_get(take(p));
    StrView s = str_view(str);
    int64_t n = d->counted && !d->star ? d->count : 45;
    if (d->type == 'm' && d->counted && !d->star && d->count == 0) {
        put_base64(p->out, s.ptr, s.len, base64, '=');
        KEEP(str);
        return;
    }
    n = n <= 2 ? 45 : n > 63 && d->type == 'u' ? 63 : n / 3 * 3;
    for (size_t i = 0; i < s.len; i += (size_t)n) {
        size_t k = MIN((size_t)n, s.len - i);
        if (d->type == 'u')
            str_buf_putc(p->out, (char)(' ' + k));
        put_base64(p->out, s.ptr + i, k, d->type == 'u' ? uu : base64, d->type == 'u' ? '`' : '=');
        str_buf_putc(p->out, '\n');
    }
    KEEP(str);
}
static void put_quoted(Packer *p, const Directive *d) /* M */
{
    Value str = obj_to_s(take(p));
    StrView s = str_view(str);
    int64_t max = d->counted && d->count > 1 ? d->count : 72, col = 0;
    int prev = -1;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];
        if (c > 126 || (c < 32 && c != '\n' && c != '\t') || c == '=') {
            char t[8];
            snprintf(t, sizeof t, "=%02X", c);
            str_buf_puts(p->out, t);
            col += 3;
            prev = -1;
        } else if (c == '\n') {
            if (prev == ' ' || prev == '\t')
                str_buf_puts(p->out, "=\n");
            str_buf_putc(p->out, '\n');
            col = 0;
            prev = '\n';
        } else {
            str_buf_putc(p->out, (char)c);
            col++;
            prev = c;
        }
        if (col > max) {
            str_buf_puts(p->out, "=\n");
            col = 0;
            prev = '\n';
        }
    }
    if (col > 0)
        str_buf_puts(p->out, "=\n");
    KEEP(str);
}
static void put_ber(Packer *p)
{
    Value v = int_convert(take(p));
    if (int_sign(v) < 0)
        raise_error(klass.ArgumentError, "can't compress negative numbers");
    Value bytes = str_buf_new(16, ENC_BINARY), q = v, r;
    do {
        int_divmod(q, int_fix(128), &q, &r);
        str_buf_putc(bytes, (char)fix_int(r));
    } while (q != int_fix(0));
    StrView s = str_view(bytes);
    for (size_t i = s.len; i-- > 0;)
        str_buf_putc(p->out, (char)(s.ptr[i] | (i ? 0x80 : 0)));
    KEEP(bytes);
}

static Value ary_m_pack(Value self, int argc, const Value *argv)
{
    static const char *const names[] = {"buffer", NULL};
    Value kw = call_take_keywords(&argc, argv), buffer = V_NIL;
    if (!is_nil(kw)) {
        keywords_only(kw, names);
        buffer = keyword_get(kw, "buffer");
        if (is_undef(buffer))
            buffer = V_NIL;
        else if (!is_nil(buffer) && !is_string(buffer))
            raise_error(klass.TypeError, "buffer must be String, not %C", buffer);
    }
    Value template = str_steady(str_get(argv[0]));
    Packer p = {.ary = self, .out = str_buf_new(32, ENC_BINARY)};
    size_t at = 0;
    Directive d;
    int enc = ENC_US_ASCII; /* the result's: US-ASCII for m M u only, UTF-8 when U comes first, else binary */
    bool first = true;
    if (!is_nil(buffer)) {
        str_modify(buffer);
        str_buf_cat_str(p.out, buffer);
    }
    while (next_directive(template, &at, &d, "pack")) {
        bool is_signed, big;
        int size;
        if (first && d.type == 'U')
            enc = ENC_UTF_8;
        else if (!strchr("mMuU", d.type) && enc != ENC_UTF_8)
            enc = ENC_BINARY;
        else if (d.type == 'U' && enc == ENC_US_ASCII)
            enc = ENC_UTF_8;
        first = false;
        int64_t times = d.star ? (int64_t)(ary_len(self) - p.next) : d.count;
        if ((size = int_row(&d, &is_signed, &big))) {
            for (; times > 0; times--)
                put_int(&p, take(&p), size, big);
        } else if ((size = float_row(d.type, &big))) {
            for (; times > 0; times--)
                put_real(&p, take(&p), size, big);
        } else {
            switch (d.type) {
            case 'a': case 'A': case 'Z': case 'B': case 'b': case 'H': case 'h':
                put_text(&p, &d);
                break;
            case 'U':
                for (; times > 0; times--) {
                    int64_t c = value_int(take(&p));
                    if (c < 0 || c > 0x7fffffff)
                        raise_error(klass.RangeError, "pack(U): value out of range");
                    char b[8];
                    int n = c > 0x3ffffff ? 6 : c > 0x1fffff ? 5 : 0; /* beyond Unicode: the old long forms */
                    for (int i = n - 1; i > 0; i--)
                        b[i] = (char)(0x80 | (c >> (6 * (n - 1 - i)) & 63));
                    if (n)
                        b[0] = (char)((n == 6 ? 0xfc : 0xf8) | c >> (6 * (n - 1)));
                    else
                        n = utf8_put((uint32_t)c, b);
                    str_buf_cat(p.out, b, (size_t)n);
                }
                break;
            case 'w':
                for (; times > 0; times--)
                    put_ber(&p);
                break;
            case 'm': case 'u':
                put_lines(&p, &d);
                break;
            case 'M':
                put_quoted(&p, &d);
                break;
            case 'x':
                for (times = d.star ? 0 : d.count; times > 0; times--)
                    str_buf_putc(p.out, 0);
                break;
            case 'X': {
                size_t len = str_view(p.out).len, n = d.star ? 0 : (size_t)d.count;
                if (n > len)
                    raise_error(klass.ArgumentError, "X outside of string");
                str_buf_set_len(p.out, len - n);
                break;
            }
            case '@': {
                size_t len = str_view(p.out).len, n = d.star ? 0 : (size_t)d.count;
                if (n <= len)
                    str_buf_set_len(p.out, n);
                else
                    for (; len < n; len++)
                        str_buf_putc(p.out, 0);
                break;
            }
            default:
                raise_not_implemented("pack directive p, P or ^");
            }
        }
    }
    if (!is_nil(buffer)) {
        int keep = str_encoding(buffer);
        str_replace(buffer, p.out);
        str_set_encoding(buffer, keep);
        str_set_coderange(buffer, CR_UNKNOWN);
        return buffer;
    }
    str_set_encoding(p.out, enc);
    str_set_coderange(p.out, CR_UNKNOWN);
    return p.out;
}

/* ---- unpack ---- */

typedef struct Unpacker {
    Value str, out;
    size_t at;
    bool one, done;  /* unpack1: stop at the first value */
    Value result;
} Unpacker;
static void give(Unpacker *u, Value v)
{
    if (u->one) {
        u->result = v;
        u->done = true;
    } else if (is_nil(u->out)) {
        vm_yield1(v);
    } else {
        ary_push(u->out, v);
    }
}
static Value get_int(const char *p, int size, bool is_signed, bool big)
{
    uint64_t x = 0;
    for (int i = 0; i < size; i++)
        x |= (uint64_t)(uint8_t)p[big ? size - 1 - i : i] << (8 * i);
    if (is_signed) {
        int shift = 64 - 8 * size;
        return int_value((int64_t)(x << shift) >> shift);
    }
    return uint_value(x);
}
static Value get_real(const char *p, int size, bool big)
{
    uint64_t x = 0;
    for (int i = 0; i < size; i++)
        x |= (uint64_t)(uint8_t)p[big ? size - 1 - i : i] << (8 * i);
    if (size == 4) {
        float f;
        memcpy(&f, &x, 4);
        return float_value(f);
    }
    double d;
    memcpy(&d, &x, 8);
    return float_value(d);
}
static void get_text(Unpacker *u, const Directive *d)
{
    StrView s = str_view(u->str);
    size_t left = s.len - u->at, n = d->star || (uint64_t)d->count > left ? left : (size_t)d->count;
    const char *p = s.ptr + u->at;
    size_t len = n, used = n;
    if (d->type == 'A') {
        while (len && (p[len - 1] == ' ' || p[len - 1] == 0))
            len--;
    } else if (d->type == 'Z') {
        const char *nul = memchr(p, 0, n);
        if (nul) {
            len = (size_t)(nul - p);
            if (d->star)
                used = len + 1;
        }
    }
    u->at += used;
    give(u, str_new_enc(p, len, ENC_BINARY));
}
static void get_bits(Unpacker *u, const Directive *d)
{
    StrView s = str_view(u->str);
    int per = d->type == 'B' || d->type == 'b' ? 8 : 2;
    size_t left = (s.len - u->at) * (size_t)per, n = d->star || (uint64_t)d->count > left ? left : (size_t)d->count;
    Value out = str_buf_new(n, ENC_US_ASCII);
    s = str_view(u->str);
    for (size_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)s.ptr[u->at + i / (size_t)per];
        int k = (int)(i % (size_t)per);
        if (per == 8)
            str_buf_putc(out, "01"[(d->type == 'B' ? byte >> (7 - k) : byte >> k) & 1]);
        else
            str_buf_putc(out, "0123456789abcdef"[(d->type == 'H' ? byte >> (4 * (1 - k)) : byte >> (4 * k)) & 15]);
    }
    u->at += (n + (size_t)per - 1) / (size_t)per;
    give(u, out);
}
static void get_base64(Unpacker *u, const Directive *d)
{
    StrView s = str_view(u->str);
    Value out = str_buf_new((s.len - u->at) / 4 * 3 + 3, ENC_BINARY);
    bool strict = d->counted && !d->star && d->count == 0;
    s = str_view(u->str);
    uint32_t w = 0;
    int k = 0, pads = 0;
    size_t at = u->at;
    for (; at < s.len; at++) {
        char c = s.ptr[at];
        const char *hit = c ? strchr(base64, c) : NULL;
        if (c == '=') {
            pads++;
            if (!strict)
                break;
            continue;
        }
        if (!hit || pads) {
            if (strict)
                raise_error(klass.ArgumentError, "invalid base64");
            continue;
        }
        w = w << 6 | (uint32_t)(hit - base64);
        if (++k == 4) {
            char b[3] = {(char)(w >> 16), (char)(w >> 8), (char)w};
            str_buf_cat(out, b, 3);
            w = 0;
            k = 0;
        }
    }
    if (strict && ((k + pads) % 4 != 0 || k == 1 || pads > 2 || (k == 2 && (w & 15)) || (k == 3 && (w & 3))))
        raise_error(klass.ArgumentError, "invalid base64");
    if (k == 2) {
        str_buf_putc(out, (char)(w >> 4));
    } else if (k == 3) {
        str_buf_putc(out, (char)(w >> 10));
        str_buf_putc(out, (char)(w >> 2));
    }
    u->at = s.len;
    give(u, out);
}
static void get_uu(Unpacker *u)
{
    StrView s = str_view(u->str);
    Value out = str_buf_new(s.len - u->at, ENC_BINARY);
    s = str_view(u->str);
    while (u->at < s.len && (uint8_t)s.ptr[u->at] > ' ' && (uint8_t)s.ptr[u->at] < 'a') {
        int n = (s.ptr[u->at++] - ' ') & 63;
        while (n > 0 && u->at < s.len && s.ptr[u->at] != '\n') {
            uint32_t w = 0;
            for (int i = 0; i < 4; i++)
                w = w << 6 | (u->at < s.len && s.ptr[u->at] != '\n' ? (uint32_t)(s.ptr[u->at++] - ' ') & 63 : 0);
            for (int i = 0; i < 3 && n > 0; i++, n--)
                str_buf_putc(out, (char)(w >> (16 - 8 * i)));
        }
        if (u->at < s.len && s.ptr[u->at] == '\r')
            u->at++;
        if (u->at < s.len && s.ptr[u->at] == '\n')
            u->at++;
        else if (u->at + 1 < s.len && s.ptr[u->at + 1] == '\n')
            u->at += 2;
    }
    give(u, out);
}
static void get_quoted(Unpacker *u)
{
    StrView s = str_view(u->str);
    Value out = str_buf_new(s.len - u->at, ENC_BINARY);
    s = str_view(u->str);
    size_t at = u->at;
    while (at < s.len) {
        if (s.ptr[at] != '=') {
            str_buf_putc(out, s.ptr[at++]);
            continue;
        }
        if (at + 1 < s.len && s.ptr[at + 1] == '\n') {
            at += 2;
        } else if (at + 2 < s.len && s.ptr[at + 1] == '\r' && at + 2 < s.len && s.ptr[at + 2] == '\n') {
            at += 3;
        } else if (at + 2 < s.len && isxdigit((unsigned char)s.ptr[at + 1]) && isxdigit((unsigned char)s.ptr[at + 2])) {
            char hex[3] = {s.ptr[at + 1], s.ptr[at + 2], 0};
            str_buf_putc(out, (char)strtol(hex, NULL, 16));
            at += 3;
        } else {
            str_buf_cat(out, s.ptr + at, s.len - at);
            at = s.len;
        }
    }
    u->at = s.len;
    give(u, out);
}
static Value unpack(Value self, int argc, const Value *argv, bool one)
{
    static const char *const names[] = {"offset", NULL};
    Value kw = call_take_keywords(&argc, argv);
    self = str_steady(self);
    Unpacker u = {.str = self, .out = V_NIL, .one = one, .result = V_NIL};
    if (!is_nil(kw)) {
        keywords_only(kw, names);
        Value o = keyword_get(kw, "offset");
        if (!is_undef(o)) {
            int64_t n = value_int(o);
            if (n < 0)
                raise_error(klass.ArgumentError, "offset can't be negative");
            if (n > (int64_t)str_view(self).len)
                raise_error(klass.ArgumentError, "offset outside of string");
            u.at = (size_t)n;
        }
    }
    Value template = str_steady(str_get(argv[0]));
    if (!one && !block_given())
        u.out = ary_new(8);
    size_t at = 0, start = u.at;
    Directive d;
    while (!u.done && next_directive(template, &at, &d, "unpack")) {
        bool is_signed, big;
        int size, fsize = 0;
        if ((size = int_row(&d, &is_signed, &big)) || (fsize = float_row(d.type, &big))) {
            int unit = size ? size : fsize;
            for (int64_t n = d.star ? INT64_MAX : d.count; n > 0 && !u.done; n--) {
                StrView s = str_view(self);
                if (s.len - u.at < (size_t)unit) {
                    if (!d.star)
                        for (; n > 0 && !u.done; n--)
                            give(&u, V_NIL);
                    break;
                }
                Value v = size ? get_int(s.ptr + u.at, size, is_signed, big) : get_real(s.ptr + u.at, fsize, big);
                u.at += (size_t)unit;
                give(&u, v);
            }
            continue;
        }
        switch (d.type) {
        case 'a': case 'A': case 'Z':
            get_text(&u, &d);
            break;
        case 'B': case 'b': case 'H': case 'h':
            get_bits(&u, &d);
            break;
        case 'U':
            for (int64_t n = d.star ? INT64_MAX : d.count; n > 0 && !u.done && u.at < str_view(self).len; n--) {
                StrView s = str_view(self);
                int k;
                int64_t c = enc_codepoint(ENC_UTF_8, s.ptr + u.at, s.ptr + s.len, &k);
                if (c < 0)
                    raise_error(klass.ArgumentError, "malformed UTF-8 character");
                u.at += (size_t)k;
                give(&u, int_fix(c));
            }
            break;
        case 'w':
            for (int64_t n = d.star ? INT64_MAX : d.count; n > 0 && !u.done && u.at < str_view(self).len; n--) {
                Value v = int_fix(0);
                bool more = true;
                while (more && u.at < str_view(self).len) {
                    uint8_t b = (uint8_t)str_view(self).ptr[u.at++];
                    v = int_add(int_shift(v, 7), int_fix(b & 127));
                    more = b & 128;
                }
                give(&u, v);
            }
            break;
        case 'm':
            get_base64(&u, &d);
            break;
        case 'u':
            get_uu(&u);
            break;
        case 'M':
            get_quoted(&u);
            break;
        case 'x': {
            size_t left = str_view(self).len - u.at, n = d.star ? left : (size_t)d.count;
            if (n > left)
                raise_error(klass.ArgumentError, "x outside of string");
            u.at += n;
            break;
        }
        case 'X': {
            size_t n = d.star ? str_view(self).len - u.at : (size_t)d.count;
            if (n > u.at)
                raise_error(klass.ArgumentError, "X outside of string");
            u.at -= n;
            break;
        }
        case '@': {
            size_t n = d.star ? u.at : start + (d.counted ? (size_t)d.count : 0);
            if (n > str_view(self).len)
                raise_error(klass.ArgumentError, "@ outside of string");
            u.at = n;
            break;
        }
        case '^':
            give(&u, int_fix((int64_t)u.at));
            break;
        default:
            raise_not_implemented("unpack directive p or P");
        }
    }
    return one ? u.result : u.out;
}
static Value str_m_unpack(Value self, int argc, const Value *argv)
{
    return unpack(self, argc, argv, false);
}
static Value str_m_unpack1(Value self, int argc, const Value *argv)
{
    return unpack(self, argc, argv, true);
}

static const Builtin of_array[] = {{"pack", ary_m_pack, 1, 1, BI_KW}};
static const Builtin of_string[] = {
    {"unpack", str_m_unpack, 1, 1, BI_KW},
    {"unpack1", str_m_unpack1, 1, 1, BI_KW},
};
void pack_boot(void)
{
    ADD_BUILTINS(klass.Array, of_array);
    ADD_BUILTINS(klass.String, of_string);
}
