/* format.c -- sprintf: Kernel#format and String#%
 *
 *   %[flags][n$][width][.precision]conversion    %<name>...conversion    %{name}
 *   flags: space # + - 0 *    conversions: d i u  x X b B o  f e E g G a A  c s p  %
 *
 * Integers of any size are written from their digits; Rationals by %f exactly; other floats by libc.
 */
#include "vm/core/number.h"
#include <ctype.h>
#include <stdio.h>

enum { FL_SPACE = 1, FL_SHARP = 2, FL_PLUS = 4, FL_MINUS = 8, FL_ZERO = 16, FL_WIDTH = 32, FL_PREC = 64 };

typedef struct Format {
    Value format, out, hash;
    int argc;
    const Value *argv;
    int next;      /* next unnumbered argument; -1: numbered ones are in use; -2: named ones */
    size_t at, first; /* first: behind the % */
    int flags;
    int64_t width, prec;
} Format;

static _Noreturn void bad(const char *text)
{
    raise_error(klass.ArgumentError, "%s", text);
}
static Value next_argument(Format *f)
{
    if (f->next == -1)
        raise_error(klass.ArgumentError, "unnumbered(%d) mixed with numbered", 1);
    if (f->next == -2)
        raise_error(klass.ArgumentError, "unnumbered(%d) mixed with named", 1);
    if (f->next >= f->argc)
        bad("too few arguments");
    return f->argv[f->next++];
}
static Value numbered_argument(Format *f, int64_t n)
{
    if (f->next > 0)
        raise_error(klass.ArgumentError, "numbered(%d) after unnumbered(%d)", (int)n, f->next);
    if (f->next == -2)
        raise_error(klass.ArgumentError, "numbered(%d) after named", (int)n);
    if (n < 1)
        raise_error(klass.ArgumentError, "invalid index - %d$", (int)n);
    f->next = -1;
    if (n > f->argc)
        bad("too few arguments");
    return f->argv[n - 1];
}
static Value named_argument(Format *f, const char *name, size_t len, char open)
{
    int enc = str_encoding(f->format);
    if (f->next > 0)
        raise_error(klass.ArgumentError, "named%c%T%c after unnumbered(%d)", open, str_new_enc(name, len, enc), open == '<' ? '>' : '}', f->next);
    if (f->next == -1)
        raise_error(klass.ArgumentError, "named%c%T%c after numbered", open, str_new_enc(name, len, enc), open == '<' ? '>' : '}');
    f->next = -2;
    if (is_undef(f->hash)) {
        Value h = f->argc == 1 ? obj_try_convert(f->argv[0], T_HASH, "Hash", SYM(to_hash)) : V_NIL;
        if (is_nil(h))
            bad("one hash required");
        f->hash = h;
    }
    Value key = sym_intern_len(name, len, enc), v = hash_get(f->hash, key);
    if (is_undef(v)) {
        v = vm_call1(f->hash, SYM(default), key);
        if (is_nil(v))
            raise_key_error(f->hash, key, "key%c%T%c not found", open, sym_name_str(key), open == '<' ? '>' : '}');
    }
    return v;
}

static void fill(Format *f, char c, int64_t n)
{
    for (; n > 0; n--)
        str_buf_putc(f->out, c);
}
/* sign and prefix, zeros, digits, within the width */
static void put_number(Format *f, const char *prefix, int64_t zeros, const char *digits, size_t n)
{
    int64_t len = (int64_t)strlen(prefix) + zeros + (int64_t)n, pad = (f->flags & FL_WIDTH) && f->width > len ? f->width - len : 0;
    if (!(f->flags & FL_MINUS))
        fill(f, ' ', pad);
    str_buf_puts(f->out, prefix);
    fill(f, '0', zeros);
    str_buf_cat(f->out, digits, n);
    if (f->flags & FL_MINUS)
        fill(f, ' ', pad);
}
static Value to_integer(Value v)
{
    if (is_integer(v))
        return v;
    if (is_float(v))
        return int_from_double(float_double(v));
    if (is_string(v)) {
        StrView s = str_view(v);
        Value n = str_to_integer(s.ptr, s.len, 0, true, true);
        KEEP(v);
        return n;
    }
    if (is_nil(v))
        raise_error(klass.TypeError, "can't convert nil into Integer");
    return vm_call1(vm_main_object(), sym_intern("Integer"), v);
}
static void put_integer(Format *f, char conv, Value v)
{
    int base = conv == 'x' || conv == 'X' ? 16 : conv == 'o' ? 8 : conv == 'b' || conv == 'B' ? 2 : 10;
    v = to_integer(v);
    bool neg = int_sign(v) < 0, two = neg && base != 10 && !(f->flags & (FL_SPACE | FL_PLUS));
    char prefix[8] = "";
    size_t p = 0;
    Value digits;
    if (two) { /* infinitely many sign digits: one is shown behind ".." */
        Value mag = int_to_str(int_neg(v), base);
        uint64_t k = str_view(mag).len + 1;
        digits = int_to_str(int_add(int_pow_ui(int_fix(base), k), v), base);
        char top = base == 16 ? 'f' : (char)('0' + base - 1);
        StrView d = str_view(digits);
        size_t skip = 0;
        while (skip < d.len && d.ptr[skip] == top)
            skip++;
        Value cut = str_buf_new(d.len + 1, ENC_US_ASCII);
        str_buf_putc(cut, top);
        str_buf_cat(cut, str_view(digits).ptr + skip, d.len - skip);
        digits = cut;
    } else {
        digits = int_to_str(neg ? int_neg(v) : v, base);
        if (neg)
            prefix[p++] = '-';
        else if (f->flags & FL_PLUS)
            prefix[p++] = '+';
        else if (f->flags & FL_SPACE)
            prefix[p++] = ' ';
    }
    StrView d = str_view(digits);
    if ((f->flags & FL_PREC) && f->prec == 0 && v == int_fix(0) && !((f->flags & FL_SHARP) && base == 8))
        d.len = 0;
    bool octal_zero = false;
    if ((f->flags & FL_SHARP) && base != 10) {
        if (base == 8)
            octal_zero = !two;
        else if (v != int_fix(0)) {
            prefix[p++] = '0';
            prefix[p++] = conv;
        }
    }
    if (octal_zero && v != int_fix(0))
        prefix[p++] = '0';
    prefix[p] = 0;
    if (conv == 'X')
        for (size_t i = 0; i < d.len; i++)
            str_bytes(digits)[i] = (char)toupper((unsigned char)d.ptr[i]);
    int64_t len = (int64_t)d.len + (int64_t)p, zeros = 0;
    char top = two ? d.ptr[0] : '0';
    if (f->flags & FL_PREC) {
        zeros = MAX(f->prec - (int64_t)d.len - (two ? 2 : 0), (int64_t)0); /* ".." counts */
    } else if ((f->flags & FL_ZERO) && !(f->flags & FL_MINUS) && (f->flags & FL_WIDTH)) {
        zeros = f->width - len - (two ? 2 : 0);
        if (zeros < 0)
            zeros = 0;
    }
    if (!two) {
        put_number(f, prefix, zeros, d.ptr, d.len);
        KEEP(digits);
        return;
    }
    Value body = str_buf_new(d.len + 16, ENC_US_ASCII);
    str_buf_puts(body, "..");
    for (int64_t i = 0; i < zeros; i++)
        str_buf_putc(body, top);
    str_buf_cat_str(body, digits);
    StrView b = str_view(body);
    put_number(f, prefix, 0, b.ptr, b.len);
    KEEP(body);
}
static void put_exact(Format *f, Value v) /* %f of an Integer or Rational */
{
    int64_t prec = f->flags & FL_PREC ? f->prec : 6;
    Value num = is_integer(v) ? v : rat_num(v), den = is_integer(v) ? int_fix(1) : rat_den(v);
    bool neg = int_sign(num) < 0;
    Value scaled = int_mul(int_abs(num), int_pow_ui(int_fix(10), (uint64_t)prec)), q, r;
    int_divmod(scaled, den, &q, &r);
    if (int_cmp(int_mul(r, int_fix(2)), den) >= 0)
        q = int_add(q, int_fix(1));
    Value digits = int_to_str(q, 10), body = str_buf_new(64, ENC_US_ASCII);
    StrView d = str_view(digits);
    int64_t whole = (int64_t)d.len - prec;
    if (whole <= 0) {
        str_buf_putc(body, '0');
    } else {
        str_buf_cat(body, d.ptr, (size_t)whole);
    }
    if (prec > 0 || (f->flags & FL_SHARP))
        str_buf_putc(body, '.');
    for (int64_t i = whole; i < 0; i++)
        str_buf_putc(body, '0');
    if (prec > 0)
        str_buf_cat(body, str_view(digits).ptr + (whole > 0 ? whole : 0), d.len - (size_t)(whole > 0 ? whole : 0));
    const char *sign = neg ? "-" : f->flags & FL_PLUS ? "+" : f->flags & FL_SPACE ? " " : "";
    StrView b = str_view(body);
    int64_t zeros = 0;
    if ((f->flags & FL_ZERO) && !(f->flags & FL_MINUS) && (f->flags & FL_WIDTH))
        zeros = MAX(f->width - (int64_t)b.len - (int64_t)strlen(sign), (int64_t)0);
    put_number(f, sign, zeros, b.ptr, b.len);
    KEEP(body);
    KEEP(digits);
}
static void put_float(Format *f, char conv, Value v)
{
    if (conv == 'f' && (is_integer(v) || is_rational(v))) {
        put_exact(f, v);
        return;
    }
    double d;
    if (is_string(v) || is_nil(v) || (is_heap(v) && !is_float(v)))
        d = float_double(vm_call1(vm_main_object(), sym_intern("Float"), v));
    else
        d = value_double(v);
    if (!isfinite(d)) {
        const char *sign = signbit(d) && !isnan(d) ? "-" : f->flags & FL_PLUS ? "+" : f->flags & FL_SPACE ? " " : "";
        put_number(f, sign, 0, isnan(d) ? "NaN" : "Inf", 3);
        return;
    }
    char spec[64], small[512];
    int k = snprintf(spec, sizeof spec, "%%%s%s%s%s%s", f->flags & FL_SHARP ? "#" : "", f->flags & FL_PLUS ? "+" : "",
                     f->flags & FL_MINUS ? "-" : "", f->flags & FL_ZERO ? "0" : "", f->flags & FL_SPACE ? " " : "");
    if (f->flags & FL_WIDTH)
        k += snprintf(spec + k, sizeof spec - (size_t)k, "%lld", (long long)f->width);
    if (f->flags & FL_PREC)
        k += snprintf(spec + k, sizeof spec - (size_t)k, ".%lld", (long long)f->prec);
    spec[k++] = conv;
    spec[k] = 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int n = snprintf(small, sizeof small, spec, d);
    if (n >= 0 && (size_t)n < sizeof small) {
        str_buf_cat(f->out, small, (size_t)n);
    } else if (n > 0) {
        char *big = malloc((size_t)n + 1);
        if (!big)
            raise_no_memory();
        snprintf(big, (size_t)n + 1, spec, d);
        str_buf_cat(f->out, big, (size_t)n);
        free(big);
    }
#pragma GCC diagnostic pop
}
static void put_string(Format *f, Value s, bool use_prec)
{
    if (str_encoding(s) != str_encoding(f->out) && (str_coderange(s) != CR_7BIT || !enc_ascii_compat(str_encoding(s)))) {
        int enc = str_check_compatible(f->out, s);
        str_set_encoding(f->out, enc);
    }
    if (use_prec && (f->flags & FL_PREC))
        s = str_substr(s, 0, f->prec);
    int64_t len = (int64_t)str_char_count(s), pad = (f->flags & FL_WIDTH) && f->width > len ? f->width - len : 0;
    if (!(f->flags & FL_MINUS))
        fill(f, ' ', pad);
    str_buf_cat_str(f->out, s);
    if (f->flags & FL_MINUS)
        fill(f, ' ', pad);
}
static void put_char(Format *f, Value v)
{
    Value s = is_string(v) ? v : is_integer(v) ? V_NIL : obj_try_convert(v, T_STRING, "String", SYM(to_str));
    if (is_nil(s)) {
        char buf[8];
        int64_t c = value_int(v);
        if (is_float(v) && (c > INT32_MAX || c < INT32_MIN))
            raise_error(klass.RangeError, "float %.10g out of range of integer", float_double(v));
        if (c < 0)
            bad("invalid character");
        int enc = str_encoding(f->out), n = c < 0 || c > 0x7fffffff ? 0 : enc_put(enc, (uint32_t)c, buf);
        if (!n && enc == ENC_US_ASCII && c >= 0 && c < 256) {
            buf[0] = (char)c;
            n = 1;
        }
        if (!n && !enc_is_unicode(enc))
            raise_error(klass.RangeError, "%lld out of char range", (long long)c);
        if (!n)
            raise_error(klass.RangeError, "invalid codepoint 0x%llX in %s", (long long)c, encoding_name(enc));
        s = str_new_enc(buf, (size_t)n, enc);
    } else {
        s = str_substr(s, 0, 1);
    }
    put_string(f, s, false);
}

static int64_t number(Format *f, StrView s, const char *too_big)
{
    int64_t n = 0;
    while (f->at < s.len && isdigit((unsigned char)s.ptr[f->at])) {
        n = n * 10 + (s.ptr[f->at++] - '0');
        if (n > INT32_MAX)
            bad(too_big);
    }
    return n;
}
static void set_width(Format *f, int64_t w)
{
    if (f->flags & FL_WIDTH)
        bad("width given twice");
    if (f->flags & FL_PREC)
        bad("width after precision");
    f->flags |= FL_WIDTH;
    if (w < 0) {
        f->flags |= FL_MINUS;
        w = -w;
    }
    f->width = w;
}
static int64_t star(Format *f, StrView s) /* after '*': n$ or the next argument */
{
    size_t mark = f->at;
    int64_t n = number(f, s, "width too big");
    if (f->at > mark && f->at < s.len && s.ptr[f->at] == '$') {
        f->at++;
        return value_int_range(numbered_argument(f, n), INT32_MIN, INT32_MAX, "width");
    }
    f->at = mark;
    return value_int_range(next_argument(f), INT32_MIN, INT32_MAX, "width");
}
static void directive(Format *f) /* behind the % */
{
    Value arg = V_UNDEF;
    f->flags = 0;
    f->width = f->prec = 0;
    for (;;) {
        StrView s = str_view(f->format);
        if (f->at >= s.len) {
            if (f->at == f->first)
                bad("incomplete format specifier; use %% (double %) instead");
            size_t at = s.len; /* zeros that begin no number are flags */
            while (s.ptr[at - 1] == '0')
                at--;
            bad(strchr("123456789.*", s.ptr[at - 1]) ? "malformed format string - %*[0-9]" : "malformed format string");
        }
        char c = s.ptr[f->at++];
        switch (c) {
        case ' ': f->flags |= FL_SPACE; continue;
        case '#': f->flags |= FL_SHARP; continue;
        case '+': f->flags |= FL_PLUS; continue;
        case '-': f->flags |= FL_MINUS; continue;
        case '0': f->flags |= FL_ZERO; continue;
        case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9': {
            f->at--;
            int64_t n = number(f, s, "width too big");
            if (f->at < s.len && s.ptr[f->at] == '$') {
                if (!is_undef(arg))
                    raise_error(klass.ArgumentError, "value given twice - %d$", (int)n);
                f->at++;
                arg = numbered_argument(f, n);
            } else {
                set_width(f, n);
            }
            continue;
        }
        case '*':
            set_width(f, star(f, s));
            continue;
        case '.':
            if (f->flags & FL_PREC)
                bad("precision given twice");
            f->flags |= FL_PREC;
            f->prec = 0;
            if (f->at < s.len && s.ptr[f->at] == '*') {
                f->at++;
                f->prec = star(f, s);
                if (f->prec < 0)
                    f->flags &= ~FL_PREC;
            } else {
                f->prec = number(f, s, "precision too big");
            }
            continue;
        case '<': case '{': {
            const char *start = s.ptr + f->at, *close = memchr(start, c == '<' ? '>' : '}', s.len - f->at);
            if (!close)
                bad("malformed name - unmatched parenthesis");
            size_t len = (size_t)(close - start);
            if (!is_undef(arg))
                raise_error(klass.ArgumentError, "named%c%T%c after <%s>", c, str_new_enc(start, len, s.enc), c == '<' ? '>' : '}', "name");
            f->at += len + 1;
            arg = named_argument(f, start, len, c);
            if (c == '{') {
                put_string(f, obj_to_s(arg), true);
                return;
            }
            continue;
        }
        case '%':
            if (f->flags)
                bad("invalid format character - %");
            str_buf_putc(f->out, '%');
            return;
        case 'c': put_char(f, is_undef(arg) ? next_argument(f) : arg); return;
        case 's': put_string(f, obj_to_s(is_undef(arg) ? next_argument(f) : arg), true); return;
        case 'p': put_string(f, obj_inspect(is_undef(arg) ? next_argument(f) : arg), true); return;
        case 'd': case 'i': case 'u': case 'o': case 'x': case 'X': case 'b': case 'B':
            put_integer(f, c, is_undef(arg) ? next_argument(f) : arg);
            return;
        case 'f': case 'g': case 'G': case 'e': case 'E': case 'a': case 'A':
            put_float(f, c, is_undef(arg) ? next_argument(f) : arg);
            return;
        case '\n': case '\0':
            bad("malformed format string");
        default: {
            int n = enc_char_len(s.enc, s.ptr + f->at - 1, s.ptr + s.len);
            raise_error(klass.ArgumentError, "malformed format string - %%%T", str_new_enc(s.ptr + f->at - 1, (size_t)n, s.enc));
        }
        }
    }
}

Value format_values(Value format, int argc, const Value *argv)
{
    format = str_get(format);
    Format f = {.format = str_dup(format), .hash = V_UNDEF, .argc = argc, .argv = argv};
    if (!enc_ascii_compat(str_encoding(format)))
        raise_error(enc_compatibility_error, "ASCII incompatible encoding: %s", encoding_name(str_encoding(format)));
    f.out = str_buf_new(str_view(format).len + 32, str_encoding(format));
    for (;;) {
        StrView s = str_view(f.format);
        if (f.at >= s.len)
            break;
        const char *p = memchr(s.ptr + f.at, '%', s.len - f.at);
        size_t end = p ? (size_t)(p - s.ptr) : s.len;
        str_buf_cat(f.out, s.ptr + f.at, end - f.at);
        f.at = end;
        if (p) {
            f.first = ++f.at;
            directive(&f);
        }
    }
    if (f.next >= 0 && f.next < argc) {
        if (truthy(gvar_get(sym_intern("$DEBUG"))))
            raise_error(klass.ArgumentError, "too many arguments for format string");
        if (gvar_get(sym_intern("$VERBOSE")) == V_TRUE)
            warn_printf("too many arguments for format string");
    }
    return f.out;
}
