/* number_parse.c -- text to numbers: String#to_i, to_f, to_r, to_c, Integer(), Float() */
#include "vm/core/number.h"
#include <ctype.h>

static _Noreturn void raise_invalid(const char *what, const char *s, size_t len)
{
    raise_error(klass.ArgumentError, "invalid value for %s: %V", what, str_new(s, len));
}
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}
static bool blank(char c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* base 0 or negative: the prefix decides (-8: octal without a prefix). */
Value str_to_integer(const char *s, size_t len, int base, bool strict, bool raise)
{
    const char *p = s, *end = s + len;
    bool neg = false;
    if (base == 1 || base > 36 || base < -36)
        raise_error(klass.ArgumentError, "invalid radix %d", base);
    while (p < end && blank(*p))
        p++;
    if (p < end && (*p == '+' || *p == '-'))
        neg = *p++ == '-';
    if (end - p >= 2 && p[0] == '0' && isalpha((unsigned char)p[1])) {
        int c = tolower((unsigned char)p[1]), b = c == 'x' ? 16 : c == 'b' ? 2 : c == 'o' ? 8 : c == 'd' ? 10 : 0;
        if (b && (base == b || base <= 0) && end - p >= 3 && digit_of(p[2]) < b) {
            base = b;
            p += 2;
        } else if (b && (base == b || base <= 0)) {
            if (strict)
                goto bad;
            return int_fix(0);
        }
    } else if (base <= 0 && end - p >= 2 && p[0] == '0' && (isdigit((unsigned char)p[1]) || p[1] == '_')) {
        base = 8;
    }
    if (base <= 0)
        base = base < 0 && base != -1 ? -base : 10;
    const char *start = p;
    uint64_t acc = 0;
    bool small = true, under = false;
    size_t ndigits = 0;
    for (; p < end; p++) {
        if (*p == '_') {
            if (under || ndigits == 0)
                break;
            under = true;
            continue;
        }
        int d = digit_of(*p);
        if (d >= base)
            break;
        under = false;
        ndigits++;
        if (small && (__builtin_mul_overflow(acc, (uint64_t)base, &acc) || __builtin_add_overflow(acc, (uint64_t)d, &acc)))
            small = false;
    }
    if (strict) {
        const char *q = p;
        while (q < end && blank(*q))
            q++;
        if (ndigits == 0 || under || q < end)
            goto bad;
    }
    if (small && acc <= (uint64_t)INT64_MAX)
        return int_value(neg ? -(int64_t)acc : (int64_t)acc);
    if (ndigits > (size_t)INT_MAX_LIMBS * 8)
        raise_error(klass.ArgumentError, "too many digits");
    char *text = malloc(ndigits + 1);
    if (!text)
        raise_no_memory();
    size_t k = 0;
    for (const char *q = start; k < ndigits; q++)
        if (*q != '_')
            text[k++] = *q;
    text[k] = 0;
    return int_from_digits(text, ndigits, base, neg);
bad:
    if (raise)
        raise_invalid("Integer()", s, len);
    return V_NIL;
}

/* The longest decimal (or with `hex`, also hexadecimal) number at p, underscores removed, into buf; its end in the text. */
static const char *scan_float(const char *p, const char *end, char *buf, size_t room, bool hex, bool *bad)
{
    size_t k = 0;
    const char *start = p;
#define PUT(c) (k + 1 < room ? (void)(buf[k++] = (c)) : (void)0)
    if (p < end && (*p == '+' || *p == '-'))
        PUT(*p), p++;
    if (hex && end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        if (!isxdigit((unsigned char)p[2]))
            *bad = true;
        PUT('0');
        PUT('x');
        p += 2;
        bool dot = false;
        for (; p < end; p++) {
            if (isxdigit((unsigned char)*p))
                PUT(*p);
            else if (*p == '.' && !dot && p + 1 < end && isxdigit((unsigned char)p[1]))
                dot = true, PUT('.');
            else if (*p == '_' && isxdigit((unsigned char)p[-1]) && p + 1 < end && isxdigit((unsigned char)p[1]))
                continue;
            else
                break;
        }
        if (p + 1 < end && (*p == 'p' || *p == 'P')) {
            const char *q = p + 1;
            if (*q == '+' || *q == '-')
                q++;
            if (q < end && isdigit((unsigned char)*q)) {
                while (p < q)
                    PUT(*p), p++;
                for (; p < end && (isdigit((unsigned char)*p) || (*p == '_' && p + 1 < end && isdigit((unsigned char)p[1]))); p++)
                    if (*p != '_')
                        PUT(*p);
            }
        }
        buf[k] = 0;
        return p;
    }
    bool digits = false, dot = false, exp = false;
    for (; p < end; p++) {
        char c = *p;
        if (isdigit((unsigned char)c)) {
            PUT(c);
            digits = true;
        } else if (c == '_') {
            if (!(p > start && isdigit((unsigned char)p[-1]) && p + 1 < end && isdigit((unsigned char)p[1])))
                break;
        } else if (c == '.' && !dot && !exp) {
            bool next = p + 1 < end && isdigit((unsigned char)p[1]);
            bool next_exp = p + 1 < end && (p[1] == 'e' || p[1] == 'E');
            if (!next && !(digits && (next_exp || true)))
                break;
            if (!next && !next_exp && p + 1 < end && !blank(p[1]) && p[1] != 0) {
                break; /* "1.foo" */
            }
            dot = true;
            PUT('.');
        } else if ((c == 'e' || c == 'E') && digits && !exp) {
            const char *q = p + 1;
            if (q < end && (*q == '+' || *q == '-'))
                q++;
            if (q >= end || !isdigit((unsigned char)*q))
                break;
            exp = true;
            while (p < q)
                PUT(*p), p++;
            p--;
        } else {
            break;
        }
    }
#undef PUT
    if (!digits) {
        *bad = true;
        p = start;
        k = 0;
    }
    buf[k] = 0;
    return p;
}
static double long_float(const char *p, const char *end, bool hex, const char **stop, bool *bad)
{
    char small[512];
    size_t room = (size_t)(end - p) + 4;
    char *buf = room <= sizeof small ? small : malloc(room);
    if (!buf)
        raise_no_memory();
    *stop = scan_float(p, end, buf, room, hex, bad);
    double d = *buf ? strtod(buf, NULL) : 0.0;
    if (buf != small)
        free(buf);
    return d;
}
Value str_to_float(const char *s, size_t len, bool strict, bool raise)
{
    const char *p = s, *end = s + len, *stop;
    bool bad = false;
    while (p < end && blank(*p))
        p++;
    double d = long_float(p, end, strict, &stop, &bad);
    if (strict) {
        while (stop < end && blank(*stop))
            stop++;
        if (memchr(s, 0, len)) {
            if (!raise)
                return V_NIL;
            raise_error(klass.ArgumentError, "string for Float contains null byte");
        }
        if (bad || stop < end) {
            if (!raise)
                return V_NIL;
            raise_invalid("Float()", s, len);
        }
    }
    return float_value(d);
}
double bytes_to_double(const char *s, size_t len)
{
    bool bad = false;
    const char *stop;
    return long_float(s, s + len, false, &stop, &bad);
}

/* ---- rationals: [sign] digits[.digits][e[sign]digits] [/ digits[.digits]...] ---- */

static bool rat_part(const char **pp, const char *end, bool sign, Value *out)
{
    const char *p = *pp;
    bool neg = false;
    if (sign && p < end && (*p == '+' || *p == '-'))
        neg = *p++ == '-';
    Value text = str_buf_new(32, ENC_US_ASCII);
    int64_t scale = 0;
    bool digits = false, dot = false;
    for (; p < end; p++) {
        if (isdigit((unsigned char)*p)) {
            str_buf_putc(text, *p);
            digits = true;
            scale += dot;
        } else if (*p == '_' && digits && isdigit((unsigned char)p[-1]) && p + 1 < end && isdigit((unsigned char)p[1])) {
            continue;
        } else if (*p == '.' && !dot && p + 1 < end && isdigit((unsigned char)p[1])) {
            dot = true;
        } else {
            break;
        }
    }
    if (!digits)
        return false;
    int64_t exp = 0;
    if (p + 1 < end && (*p == 'e' || *p == 'E')) {
        const char *q = p + 1;
        bool eneg = false;
        if (*q == '+' || *q == '-')
            eneg = *q++ == '-';
        if (q < end && isdigit((unsigned char)*q)) {
            for (; q < end && (isdigit((unsigned char)*q) || (*q == '_' && q + 1 < end && isdigit((unsigned char)q[1]))); q++)
                if (*q != '_' && exp < 1000000000)
                    exp = exp * 10 + (*q - '0');
            if (eneg)
                exp = -exp;
            p = q;
        }
    }
    Value n = str_to_integer(str_bytes(text), str_len(text), 10, false, false);
    KEEP(text);
    if (neg)
        n = int_neg(n);
    exp -= scale;
    if (exp >= 0)
        *out = rat_raw(int_mul(n, int_pow_ui(int_fix(10), (uint64_t)exp)), int_fix(1));
    else
        *out = rational_new(n, int_pow_ui(int_fix(10), (uint64_t)-exp));
    if (!is_rational(*out))
        *out = rat_raw(*out, int_fix(1));
    *pp = p;
    return true;
}
Value rat_parse(const char *s, size_t len, bool strict, size_t *used)
{
    const char *p = s, *end = s + len;
    Value r = V_NIL, den;
    while (p < end && blank(*p))
        p++;
    if (!rat_part(&p, end, true, &r)) {
        if (used)
            *used = 0;
        return strict ? V_NIL : rat_raw(int_fix(0), int_fix(1));
    }
    if (p < end && *p == '/') {
        const char *q = p + 1;
        if (rat_part(&q, end, false, &den)) {
            if (rat_num(den) == int_fix(0))
                raise_zero_div();
            r = rat_quo(r, den);
            p = q;
        }
    }
    if (used)
        *used = (size_t)(p - s);
    if (strict) {
        while (p < end && blank(*p))
            p++;
        if (p < end)
            return V_NIL;
    }
    return r;
}

/* One real part of a complex: keeps Integers, Floats (with . or e) and Rationals (with /). */
static bool cpx_part(const char **pp, const char *end, Value *out)
{
    const char *p = *pp, *q = p;
    bool slash = false, real = false;
    if (q < end && (*q == '+' || *q == '-'))
        q++;
    if (q >= end || !isdigit((unsigned char)*q))
        return false;
    for (; q < end; q++) {
        if (isdigit((unsigned char)*q) || (*q == '_' && q + 1 < end && isdigit((unsigned char)q[1])))
            continue;
        if (*q == '.' && !real && q + 1 < end && isdigit((unsigned char)q[1])) {
            real = true;
        } else if ((*q == 'e' || *q == 'E') && q + 1 < end &&
                   (isdigit((unsigned char)q[1]) || ((q[1] == '+' || q[1] == '-') && q + 2 < end && isdigit((unsigned char)q[2])))) {
            real = true;
            q++;
        } else if (*q == '/' && !slash && q + 1 < end && isdigit((unsigned char)q[1])) {
            slash = true;
        } else {
            break;
        }
    }
    size_t n = (size_t)(q - p);
    if (slash)
        *out = rat_parse(p, n, false, NULL);
    else if (real)
        *out = float_value(bytes_to_double(p, n));
    else
        *out = str_to_integer(p, n, 10, false, false);
    *pp = q;
    return true;
}
Value cpx_parse(const char *s, size_t len, bool strict)
{
    const char *p = s, *end = s + len;
    Value re = int_fix(0), im = int_fix(0), first;
    while (p < end && blank(*p))
        p++;
    const char *start = p;
#define IS_I(c) ((c) == 'i' || (c) == 'I' || (c) == 'j' || (c) == 'J')
    bool any = true;
    if (p + 1 < end && (*p == '+' || *p == '-') && IS_I(p[1])) {
        im = int_fix(*p == '-' ? -1 : 1);
        p += 2;
    } else if (p < end && IS_I(*p)) {
        im = int_fix(1);
        p++;
    } else if (cpx_part(&p, end, &first)) {
        if (p < end && IS_I(*p)) {
            im = first;
            p++;
        } else if (p < end && *p == '@') {
            const char *q = p + 1;
            Value arg;
            re = first;
            if (cpx_part(&q, end, &arg)) {
                p = q;
                Value c = vm_call2(klass.Complex, sym_intern("polar"), re, arg);
                if (strict) {
                    while (p < end && blank(*p))
                        p++;
                    if (p < end)
                        return V_NIL;
                }
                return c;
            }
        } else {
            re = first;
            if (p < end && (*p == '+' || *p == '-')) {
                const char *q = p;
                Value second;
                if (q + 1 < end && IS_I(q[1])) {
                    im = int_fix(*q == '-' ? -1 : 1);
                    p = q + 2;
                } else if (cpx_part(&q, end, &second) && q < end && IS_I(*q)) {
                    im = second;
                    p = q + 1;
                }
            }
        }
    } else {
        any = false;
        p = start;
    }
    if (strict) {
        while (p < end && blank(*p))
            p++;
        if (!any || p < end)
            return V_NIL;
    }
    return cpx_raw(re, im);
}
