/* bignum.c -- exact arithmetic on Integers: fixnums by machine words, the rest by GMP
 *
 * GMP works on views of the limbs in the cell and allocates its results with malloc; results are copied into a cell.
 * Sizes are checked before GMP sees them, since it aborts when it runs out.  What takes more than linear time goes
 * through big_work: for long operands that runs interrupts and other threads, and may raise.
 */
#include "vm/core/big_work.h"
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include "vm/record.h"

/* Records: sign and 64-bit limbs, lowest first; the bits of the double. */
static void bignum_persist(Object *o, RecordBuilder *b)
{
    Bignum *n = (Bignum *)o;
    record_put_u64(b, (uint64_t)(int64_t)n->sign);
    record_put_bytes(b, n->limb, n->n * sizeof(mp_limb_t));
}
static size_t bignum_cell_size(size_t nslots, size_t nbytes)
{
    (void)nslots;
    return sizeof(Bignum) + (nbytes < 8 ? 0 : nbytes - 8);
}
static void bignum_restore(Object *o, RecordReader *r)
{
    Bignum *n = (Bignum *)o;
    n->sign = (int64_t)record_take_u64(r) < 0 ? -1 : 1;
    size_t bytes = record_bytes_left(r);
    n->n = (uint32_t)(bytes / sizeof(mp_limb_t));
    bytes = n->n * sizeof(mp_limb_t);
    memcpy(n->limb, record_take_bytes(r, bytes), bytes);
    if (n->n == 0 || n->limb[n->n - 1] == 0)
        record_corrupt(r, "is an Integer with leading zeros");
}
static void float_persist(Object *o, RecordBuilder *b)
{
    record_put_bytes(b, &((Float *)o)->value, sizeof(double));
}
static void float_restore(Object *o, RecordReader *r)
{
    memcpy(&((Float *)o)->value, record_take_bytes(r, sizeof(double)), sizeof(double));
}
static const TypeRow bignum_type = {.name = "Bignum", .logged = true, .persist = bignum_persist, .restore = bignum_restore,
                                    .cell_size = bignum_cell_size};
static const TypeRow float_type = {.name = "Float", .logged = true, .persist = float_persist, .restore = float_restore, .size = sizeof(Float)};

mpz_srcptr int_view(MpzView *view, Value v)
{
    if (is_fixnum(v)) {
        int64_t n = fix_int(v);
        view->one = n < 0 ? (mp_limb_t)0 - (mp_limb_t)n : (mp_limb_t)n;
        return mpz_roinit_n(view->z, &view->one, n == 0 ? 0 : n < 0 ? -1 : 1);
    }
    obj_attend(v);
    Bignum *b = (Bignum *)v;
    return mpz_roinit_n(view->z, b->limb, b->sign * (mp_size_t)b->n);
}

static Value big_new(const mp_limb_t *limbs, size_t n, int sign)
{
    Value v = heap_alloc(T_BIGNUM, klass.Integer, sizeof(Bignum) + n * sizeof(mp_limb_t));
    Bignum *b = (Bignum *)v;
    b->head |= OH_FROZEN;
    b->sign = sign;
    b->n = (uint32_t)n;
    memcpy(b->limb, limbs, n * sizeof(mp_limb_t));
    return v;
}

Value int_from_mpz(mpz_t z)
{
    Value v;
    size_t n = mpz_size(z);
    int sign = mpz_sgn(z);
    if (n == 0) {
        v = int_fix(0);
    } else if (n == 1 && (mpz_getlimbn(z, 0) <= (mp_limb_t)FIXNUM_MAX ||
                          (sign < 0 && mpz_getlimbn(z, 0) == (mp_limb_t)FIXNUM_MAX + 1))) {
        int64_t x = (int64_t)mpz_getlimbn(z, 0);
        v = int_fix(sign < 0 ? -x : x);
    } else {
        v = big_new(mpz_limbs_read(z), n, sign);
    }
    mpz_clear(z);
    return v;
}

Value int_value(int64_t n)
{
    if (fixable(n))
        return int_fix(n);
    mp_limb_t limb = n < 0 ? (mp_limb_t)0 - (mp_limb_t)n : (mp_limb_t)n;
    return big_new(&limb, 1, n < 0 ? -1 : 1);
}
Value uint_value(uint64_t n)
{
    if (n <= (uint64_t)FIXNUM_MAX)
        return int_fix((int64_t)n);
    return big_new(&n, 1, 1);
}
Value int_from_double(double d)
{
    if (isnan(d))
        raise_error(klass.FloatDomainError, "NaN");
    if (isinf(d))
        raise_error(klass.FloatDomainError, d < 0 ? "-Infinity" : "Infinity");
    if (fabs(d) < 4e18)
        return int_value((int64_t)d);
    mpz_t z;
    mpz_init_set_d(z, d);
    return int_from_mpz(z);
}
static void work_parse(BigWork *w)
{
    mpz_set_str(w->out[0], w->text, (int)w->number);
}
Value int_from_digits(char *digits, size_t n, int base, bool negative)
{
    BigWork w = {.run = work_parse, .text = digits, .number = (uint64_t)base};
    big_work(&w, n / 16, n / 16);
    free(digits);
    if (negative)
        mpz_neg(w.out[0], w.out[0]);
    return int_from_mpz(w.out[0]);
}
Value int_literal(const char *digits, bool negative)
{
    char *copy = strdup(digits);
    if (!copy)
        raise_no_memory();
    return int_from_digits(copy, strlen(copy), 10, negative);
}

void int_check_bits(uint64_t bits, const char *what)
{
    if (bits / 64 >= INT_MAX_LIMBS)
        raise_error(klass.ArgumentError, "%s", what);
}

Value int_add(Value a, Value b)
{
    if (both_fixnum(a, b))
        return int_value(fix_int(a) + fix_int(b));
    MpzView x, y;
    mpz_t z;
    mpz_init(z);
    mpz_add(z, int_view(&x, a), int_view(&y, b));
    KEEP(a);
    KEEP(b);
    return int_from_mpz(z);
}
Value int_sub(Value a, Value b)
{
    if (both_fixnum(a, b))
        return int_value(fix_int(a) - fix_int(b));
    MpzView x, y;
    mpz_t z;
    mpz_init(z);
    mpz_sub(z, int_view(&x, a), int_view(&y, b));
    KEEP(a);
    KEEP(b);
    return int_from_mpz(z);
}
static void work_mul(BigWork *w)
{
    mpz_mul(w->out[0], w->in[0], w->in[1]);
}
Value int_mul(Value a, Value b)
{
    int64_t r;
    if (both_fixnum(a, b) && !__builtin_mul_overflow(fix_int(a), fix_int(b), &r))
        return int_value(r);
    MpzView x, y;
    mpz_srcptr p = int_view(&x, a), q = int_view(&y, b);
    int_check_bits((mpz_size(p) + mpz_size(q)) * 64, "bignum too big");
    BigWork w = {.run = work_mul, .in = {p, q}};
    big_work(&w, mpz_size(p), mpz_size(q));
    KEEP(a);
    KEEP(b);
    return int_from_mpz(w.out[0]);
}
void raise_zero_div(void)
{
    raise_error(klass.ZeroDivisionError, "divided by 0");
}
static void work_divmod(BigWork *w)
{
    mpz_fdiv_qr(w->out[0], w->out[1], w->in[0], w->in[1]);
}
void int_divmod(Value a, Value b, Value *quot, Value *rem)
{
    if (b == int_fix(0))
        raise_zero_div();
    if (both_fixnum(a, b)) {
        int64_t x = fix_int(a), y = fix_int(b), q = x / y, r = x % y;
        if (r != 0 && (r ^ y) < 0)
            q--, r += y;
        if (quot)
            *quot = int_value(q);
        if (rem)
            *rem = int_fix(r);
        return;
    }
    MpzView x, y;
    BigWork w = {.run = work_divmod, .in = {int_view(&x, a), int_view(&y, b)}};
    big_work(&w, mpz_size(w.in[0]), mpz_size(w.in[1]));
    KEEP(a);
    KEEP(b);
    if (quot)
        *quot = int_from_mpz(w.out[0]);
    else
        mpz_clear(w.out[0]);
    if (rem)
        *rem = int_from_mpz(w.out[1]);
    else
        mpz_clear(w.out[1]);
}
Value int_div(Value a, Value b)
{
    Value q;
    int_divmod(a, b, &q, NULL);
    return q;
}
Value int_mod(Value a, Value b)
{
    Value r;
    int_divmod(a, b, NULL, &r);
    return r;
}
Value int_neg(Value a)
{
    return int_sub(int_fix(0), a);
}
int int_sign(Value a)
{
    if (is_fixnum(a))
        return fix_int(a) < 0 ? -1 : fix_int(a) > 0;
    obj_attend(a);
    return ((Bignum *)a)->sign;
}
Value int_abs(Value a)
{
    return int_sign(a) < 0 ? int_neg(a) : a;
}
bool int_odd(Value a)
{
    if (is_fixnum(a))
        return fix_int(a) & 1;
    obj_attend(a);
    return ((Bignum *)a)->limb[0] & 1;
}
static void work_gcd(BigWork *w)
{
    mpz_gcd(w->out[0], w->in[0], w->in[1]);
}
Value int_gcd(Value a, Value b)
{
    if (both_fixnum(a, b)) {
        uint64_t x = (uint64_t)llabs(fix_int(a)), y = (uint64_t)llabs(fix_int(b));
        while (y) {
            uint64_t t = x % y;
            x = y;
            y = t;
        }
        return uint_value(x);
    }
    MpzView x, y;
    BigWork w = {.run = work_gcd, .in = {int_view(&x, a), int_view(&y, b)}};
    big_work(&w, mpz_size(w.in[0]), mpz_size(w.in[1]));
    KEEP(a);
    KEEP(b);
    return int_from_mpz(w.out[0]);
}
int int_cmp(Value a, Value b)
{
    if (both_fixnum(a, b))
        return fix_int(a) < fix_int(b) ? -1 : fix_int(a) > fix_int(b);
    MpzView x, y;
    int c = mpz_cmp(int_view(&x, a), int_view(&y, b));
    KEEP(a);
    KEEP(b);
    return c < 0 ? -1 : c > 0;
}
int int_cmp_double(Value a, double d)
{
    if (isnan(d))
        return 2;
    if (isinf(d))
        return d > 0 ? -1 : 1;
    if (is_fixnum(a)) {
        if (d >= 9223372036854775808.0)
            return -1;
        if (d < -9223372036854775808.0)
            return 1;
        int64_t t = (int64_t)d;
        if (fix_int(a) != t)
            return fix_int(a) < t ? -1 : 1;
        double frac = d - (double)t;
        return frac > 0 ? -1 : frac < 0;
    }
    MpzView x;
    int c = mpz_cmp_d(int_view(&x, a), d);
    KEEP(a);
    return c < 0 ? -1 : c > 0;
}

/* mpz_get_d truncates; Ruby rounds to nearest, ties to even: keep 64 bits with a sticky one and let the FPU round. */
static double mpz_nearest(mpz_srcptr z)
{
    size_t bits = mpz_sizeinbase(z, 2);
    if (bits <= 64) {
        double d = (double)(mpz_size(z) ? mpz_getlimbn(z, 0) : 0);
        return mpz_sgn(z) < 0 ? -d : d;
    }
    if (bits > 1100)
        return mpz_sgn(z) < 0 ? -INFINITY : INFINITY;
    mpz_t top;
    mpz_init(top);
    mpz_tdiv_q_2exp(top, z, bits - 64);
    uint64_t t = mpz_getlimbn(top, 0);
    if (mpz_scan1(z, 0) < bits - 64)
        t |= 1;
    mpz_clear(top);
    double d = ldexp((double)t, (int)(bits - 64));
    return mpz_sgn(z) < 0 ? -d : d;
}
double int_double(Value a)
{
    if (is_fixnum(a))
        return (double)fix_int(a);
    MpzView x;
    double d = mpz_nearest(int_view(&x, a));
    KEEP(a);
    return d;
}
/* a / b correctly rounded: scale so that the quotient has at least 66 bits, sticky remainder. */
double int_fdiv(Value a, Value b)
{
    if (b == int_fix(0))
        return int_double(a) / 0.0;
    if (a == int_fix(0))
        return 0.0 / int_double(b);
    if (is_fixnum(a) && is_fixnum(b) && llabs(fix_int(a)) < (1LL << 53) && llabs(fix_int(b)) < (1LL << 53))
        return (double)fix_int(a) / (double)fix_int(b);
    int64_t shift = 66 + (int64_t)int_bit_length(int_abs(b)) - (int64_t)int_bit_length(int_abs(a));
    Value quotient, rest;
    int_divmod(int_shift(int_abs(a), MAX(shift, 0)), int_shift(int_abs(b), MAX(-shift, 0)), &quotient, &rest);
    MpzView x;
    mpz_t n;
    mpz_init_set(n, int_view(&x, quotient));
    KEEP(quotient);
    if (rest != int_fix(0))
        mpz_setbit(n, 0);
    /* 66..67 bits: one rounding only, also into the denormals */
    int64_t bits = (int64_t)mpz_sizeinbase(n, 2), exp = bits - shift, keep = exp < -1021 ? exp + 1074 : 53;
    double result;
    if (keep < 0) {
        result = 0.0;
    } else {
        int64_t drop = bits - keep;
        bool half = drop > 0 && mpz_tstbit(n, (mp_bitcnt_t)drop - 1), sticky = drop > 1 && mpz_scan1(n, 0) < (mp_bitcnt_t)drop - 1;
        mpz_tdiv_q_2exp(n, n, (mp_bitcnt_t)drop);
        uint64_t m = mpz_size(n) ? mpz_getlimbn(n, 0) : 0;
        if (half && (sticky || (m & 1)))
            m++;
        int64_t e = drop - shift;
        result = e > 2000 ? INFINITY : e < -3000 ? 0.0 : ldexp((double)m, (int)e);
    }
    mpz_clear(n);
    return int_sign(a) * int_sign(b) < 0 ? -result : result;
}

Value int_shift(Value a, int64_t left)
{
    if (is_fixnum(a)) {
        int64_t n = fix_int(a);
        if (n == 0)
            return a;
        if (left <= 0)
            return int_fix(left <= -63 ? (n < 0 ? -1 : 0) : n >> -left);
        if (left < 62) {
            int64_t r = (int64_t)((uint64_t)n << left);
            if (r >> left == n && fixable(r))
                return int_fix(r);
        }
    }
    MpzView x;
    mpz_srcptr p = int_view(&x, a);
    if (left > 0 && (left > (int64_t)INT_MAX_LIMBS * 64 || mpz_size(p) + (uint64_t)left / 64 >= INT_MAX_LIMBS))
        raise_error(klass.RangeError, "shift width too big");
    mpz_t z;
    mpz_init(z);
    if (left >= 0)
        mpz_mul_2exp(z, p, (mp_bitcnt_t)left);
    else
        mpz_fdiv_q_2exp(z, p, (mp_bitcnt_t)-left);
    KEEP(a);
    return int_from_mpz(z);
}
uint64_t int_bit_length(Value a)
{
    if (is_fixnum(a)) {
        int64_t n = fix_int(a);
        if (n < 0)
            n = ~n;
        return n ? 64 - (uint64_t)__builtin_clzll((uint64_t)n) : 0;
    }
    if (int_sign(a) < 0)
        return int_bit_length(int_sub(int_fix(-1), a));
    MpzView x;
    uint64_t bits = mpz_sizeinbase(int_view(&x, a), 2);
    KEEP(a);
    return bits;
}
static void work_pow(BigWork *w)
{
    mpz_pow_ui(w->out[0], w->in[0], w->number);
}
Value int_pow_ui(Value a, uint64_t e)
{
    if (e == 0 || a == int_fix(1))
        return int_fix(1);
    if (a == int_fix(0))
        return a;
    if (a == int_fix(-1))
        return int_fix(e & 1 ? -1 : 1);
    uint64_t bits = int_bit_length(a);
    if (bits > 1 && (e > (uint64_t)INT_MAX_LIMBS * 64 || bits * e > (uint64_t)INT_MAX_LIMBS * 64 / 4))
        raise_error(klass.ArgumentError, "exponent is too large");
    MpzView x;
    BigWork w = {.run = work_pow, .in = {int_view(&x, a)}, .number = e};
    big_work(&w, bits * e / 64, bits * e / 64);
    KEEP(a);
    return int_from_mpz(w.out[0]);
}
static void work_powmod(BigWork *w)
{
    mpz_powm(w->out[0], w->in[0], w->in[1], w->in[2]);
}
/* a ** b modulo m, with the sign of m; b is not negative, m not zero. */
Value int_powmod(Value a, Value b, Value m)
{
    MpzView x, y, z;
    BigWork w = {.run = work_powmod, .in = {int_view(&x, a), int_view(&y, b), int_view(&z, m)}};
    big_work(&w, mpz_size(w.in[2]) * mpz_size(w.in[2]), mpz_size(w.in[1]) * 64);
    if (mpz_sgn(int_view(&z, m)) < 0 && mpz_sgn(w.out[0]) > 0)
        mpz_add(w.out[0], w.out[0], int_view(&z, m));
    KEEP(a);
    KEEP(b);
    KEEP(m);
    return int_from_mpz(w.out[0]);
}
static void work_sqrt(BigWork *w)
{
    mpz_sqrt(w->out[0], w->in[0]);
}
Value int_isqrt(Value a)
{
    if (int_sign(a) < 0)
        raise_error(const_get_from(klass.Math, sym_intern("DomainError")),
                    "Numerical argument is out of domain - \"isqrt\"");
    MpzView x;
    BigWork w = {.run = work_sqrt, .in = {int_view(&x, a)}};
    big_work(&w, mpz_size(w.in[0]), mpz_size(w.in[0]));
    KEEP(a);
    return int_from_mpz(w.out[0]);
}

/* Rounds to a multiple of 10 ** -digits. */
Value int_round(Value a, int64_t digits, RoundMode mode)
{
    if (digits >= 0)
        return a;
    if ((uint64_t)-digits > int_bit_length(a) / 3 + 2) { /* 10 ** -digits is far beyond a */
        if (mode == ROUND_FLOOR && int_sign(a) < 0)
            return int_neg(int_pow_ui(int_fix(10), (uint64_t)-digits));
        if (mode == ROUND_CEIL && int_sign(a) > 0)
            return int_pow_ui(int_fix(10), (uint64_t)-digits);
        return int_fix(0);
    }
    Value unit = int_pow_ui(int_fix(10), (uint64_t)-digits);
    bool neg = int_sign(a) < 0;
    Value mag = int_abs(a), q, r;
    int_divmod(mag, unit, &q, &r);
    if (r == int_fix(0))
        return a;
    int half = int_cmp(int_mul(r, int_fix(2)), unit);
    bool up = false;
    switch (mode) {
    case ROUND_HALF_UP: up = half >= 0; break;
    case ROUND_HALF_DOWN: up = half > 0; break;
    case ROUND_HALF_EVEN: up = half > 0 || (half == 0 && int_odd(q)); break;
    case ROUND_FLOOR: up = neg; break;
    case ROUND_CEIL: up = !neg; break;
    case ROUND_TRUNC: break;
    }
    if (up)
        q = int_add(q, int_fix(1));
    q = int_mul(q, unit);
    return neg ? int_neg(q) : q;
}

enum { LONG_TEXT = 1000 }; /* limbs; below, the text is written in place */
static void work_text(BigWork *w)
{
    w->text = mpz_get_str(NULL, (int)w->number, w->in[0]);
}
Value int_to_str(Value v, int base)
{
    if (base < 2 || base > 36)
        raise_error(klass.ArgumentError, "invalid radix %d", base);
    if (is_fixnum(v)) {
        char buf[72], *p = buf + sizeof buf;
        int64_t n = fix_int(v);
        uint64_t u = n < 0 ? (uint64_t)0 - (uint64_t)n : (uint64_t)n;
        do
            *--p = "0123456789abcdefghijklmnopqrstuvwxyz"[u % (unsigned)base];
        while (u /= (unsigned)base);
        if (n < 0)
            *--p = '-';
        return str_new_enc(p, (size_t)(buf + sizeof buf - p), ENC_US_ASCII);
    }
    MpzView x;
    mpz_srcptr z = int_view(&x, v);
    Value s = str_buf_new(mpz_sizeinbase(z, base) + 2, ENC_US_ASCII);
    BigWork w = {.run = work_text, .in = {z}, .number = (uint64_t)base};
    if (mpz_size(z) < LONG_TEXT) {
        mpz_get_str(str_bytes(s), base, z);
        KEEP(v);
    } else {
        big_work(&w, mpz_size(z), mpz_size(z));
        KEEP(v);
        strcpy(str_bytes(s), w.text);
        free(w.text);
    }
    str_buf_set_len(s, strlen(str_bytes(s)));
    return s;
}

/*
 * GMP would end the process.  It keeps its numbers whole while it asks, so it may be left by an error (what it had for the
 * time being is lost).  Not heap_malloc: a collection may move the numbers that it is at.
 */
static void *gmp_memory(void *p)
{
    if (!p)
        raise_no_memory();
    return p;
}

static void *gmp_alloc(size_t n)
{
    return gmp_memory(malloc(n));
}

static void *gmp_realloc(void *p, size_t was, size_t n)
{
    (void)was;
    return gmp_memory(realloc(p, n));
}

void bignum_boot(void)
{
    mp_set_memory_functions(gmp_alloc, gmp_realloc, NULL);
    heap_register_type(T_BIGNUM, &bignum_type);
    heap_register_type(T_FLOAT, &float_type);
}
