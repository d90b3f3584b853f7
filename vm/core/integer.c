/* integer.c -- class Integer; iteration (times, upto ...) is in integer.rb */
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include "lib/hashtab.h"

/* ---- generic arithmetic on Integers and Floats; everything else goes by coerce ---- */

#define ARITH(name, op, int_fn, float_expr)                        \
    Value name(Value a, Value b)                                   \
    {                                                              \
        if (is_integer(a)) {                                       \
            if (is_integer(b))                                     \
                return int_fn(a, b);                               \
            if (is_float(b)) {                                     \
                double x = int_double(a), y = float_double(b);     \
                return float_value(float_expr);                    \
            }                                                      \
            if (is_complex(b) && (op == SYM(op_plus) || op == SYM(op_mul))) \
                return vm_call1(b, op, a);                         \
            return num_coerce_bin(a, b, op);                       \
        }                                                          \
        if (is_float(a)) {                                         \
            double x = float_double(a), y;                         \
            if (is_integer(b))                                     \
                y = int_double(b);                                 \
            else if (is_float(b))                                  \
                y = float_double(b);                               \
            else                                                   \
                return num_coerce_bin(a, b, op);                   \
            return float_value(float_expr);                        \
        }                                                          \
        return vm_call1(a, op, b);                                 \
    }
static double float_mod(double x, double y)
{
    double m;
    if (y == 0.0)
        raise_zero_div();
    if (isinf(y) && !isinf(x))
        m = x;
    else
        m = fmod(x, y);
    if (m != 0.0 && y * m < 0)
        m += y;
    return m;
}
ARITH(num_add, SYM(op_plus), int_add, x + y)
ARITH(num_sub, SYM(op_minus), int_sub, x - y)
ARITH(num_mul, SYM(op_mul), int_mul, x *y)
ARITH(num_div, SYM(op_div), int_div, x / y)
ARITH(num_mod, SYM(op_mod), int_mod, float_mod(x, y))

Value num_cmp(Value a, Value b)
{
    int c = 0;
    if (is_integer(a) && is_integer(b)) {
        c = int_cmp(a, b);
    } else if (is_integer(a) && is_float(b)) {
        c = int_cmp_double(a, float_double(b));
    } else if (is_float(a) && is_integer(b)) {
        c = int_cmp_double(b, float_double(a));
        if (c != 2)
            c = -c;
    } else if (is_float(a) && is_float(b)) {
        double x = float_double(a), y = float_double(b);
        c = isnan(x) || isnan(y) ? 2 : x < y ? -1 : x > y;
    } else if (is_integer(a) || is_float(a)) {
        return num_coerce_cmp(a, b, SYM(op_cmp));
    } else {
        return vm_call1(a, SYM(op_cmp), b);
    }
    return c == 2 ? V_NIL : int_fix(c);
}
bool num_equal(Value a, Value b)
{
    if (is_integer(a) && is_integer(b))
        return int_cmp(a, b) == 0;
    if (is_integer(a) && is_float(b))
        return int_cmp_double(a, float_double(b)) == 0;
    if (is_float(a) && is_integer(b))
        return int_cmp_double(b, float_double(a)) == 0;
    if (is_float(a) && is_float(b))
        return float_double(a) == float_double(b);
    if (is_integer(a) || is_float(a))
        return truthy(vm_call1(b, SYM(op_eq), a));
    return truthy(vm_call1(a, SYM(op_eq), b));
}
static Value num_rel(Value a, Value b, Value op)
{
    int c;
    if (is_integer(b) || is_float(b)) {
        Value r = num_cmp(a, b);
        if (is_nil(r))
            return V_FALSE;
        c = (int)fix_int(r);
        if (op == SYM(op_lt))
            return bool_value(c < 0);
        if (op == SYM(op_le))
            return bool_value(c <= 0);
        if (op == SYM(op_gt))
            return bool_value(c > 0);
        return bool_value(c >= 0);
    }
    return num_coerce_rel(a, b, op);
}
uint64_t num_hash(Value v)
{
    uint64_t x;
    if (is_fixnum(v)) {
        x = (uint64_t)fix_int(v);
    } else if (is_float(v)) {
        double d = float_double(v);
        if (d == 0.0)
            d = 0.0;
        memcpy(&x, &d, 8);
        if (d == 0.0)
            x = 0;
        x ^= 0x5bd1e995a5a5a5a5ull;
    } else if (is_bignum(v)) {
        obj_attend(v);
        Bignum *b = (Bignum *)v;
        return hash_bytes((const char *)b->limb, b->n * sizeof(mp_limb_t), hash_seed ^ (uint64_t)(int64_t)b->sign);
    } else if (is_rational(v) || is_complex(v)) {
        uint64_t pair[2] = {num_hash(obj_field(v, 0)), num_hash(obj_field(v, 1))};
        return hash_bytes((const char *)pair, sizeof pair, hash_seed + (is_complex(v) ? 7 : 3));
    } else {
        return obj_hash(v);
    }
    /* an odd multiplier and folds: every bit of x reaches the low bits */
    x ^= hash_seed;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93ull;
    return x ^ x >> 32;
}

/* ---- powers ---- */

Value int_pow_any(Value a, Value b)
{
    if (is_integer(b)) {
        if (int_sign(b) < 0) {
            if (a == int_fix(0))
                raise_zero_div();
            return rational_new(int_fix(1), int_pow_any(a, int_neg(b))); /* sign is normalised */
        }
        if (a == int_fix(0) || a == int_fix(1))
            return b == int_fix(0) ? int_fix(1) : a;
        if (a == int_fix(-1))
            return int_fix(int_odd(b) ? -1 : 1);
        if (!is_fixnum(b))
            raise_error(klass.ArgumentError, "exponent is too large");
        return int_pow_ui(a, (uint64_t)fix_int(b));
    }
    if (is_float(b)) {
        double x = int_double(a), y = float_double(b);
        if (x < 0 && y != round(y))
            return cpx_polar_pi(pow(-x, y), y);
        return float_value(pow(x, y));
    }
    return num_coerce_bin(a, b, SYM(op_pow));
}
Value int_pow(Value a, Value b)
{
    return int_pow_any(a, b);
}
static Value int_pow_mod(Value a, Value b, Value m)
{
    if (!is_integer(b))
        raise_error(klass.TypeError, "Integer#pow() 2nd argument not allowed unless a 1st argument is integer");
    if (!is_integer(m))
        raise_error(klass.TypeError, "Integer#pow() 2nd argument not allowed unless all arguments are integers");
    if (int_sign(b) < 0)
        raise_error(klass.RangeError, "Integer#pow() 1st argument cannot be negative when 2nd argument specified");
    if (m == int_fix(0))
        raise_zero_div();
    return int_powmod(a, b, m);
}

/* ---- methods ---- */

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

METHOD(int_m_add) { (void)argc; return num_add(self, argv[0]); }
METHOD(int_m_sub) { (void)argc; return num_sub(self, argv[0]); }
METHOD(int_m_mul) { (void)argc; return num_mul(self, argv[0]); }
METHOD(int_m_div) { (void)argc; return num_div(self, argv[0]); }
METHOD(int_m_mod) { (void)argc; return num_mod(self, argv[0]); }
METHOD(int_m_lt) { (void)argc; return num_rel(self, argv[0], SYM(op_lt)); }
METHOD(int_m_le) { (void)argc; return num_rel(self, argv[0], SYM(op_le)); }
METHOD(int_m_gt) { (void)argc; return num_rel(self, argv[0], SYM(op_gt)); }
METHOD(int_m_ge) { (void)argc; return num_rel(self, argv[0], SYM(op_ge)); }
METHOD(int_m_cmp) { (void)argc; return num_cmp(self, argv[0]); }
METHOD(int_m_eq) { (void)argc; return bool_value(num_equal(self, argv[0])); }
METHOD(int_m_pow)
{
    if (argc == 2)
        return int_pow_mod(self, argv[0], argv[1]);
    return int_pow_any(self, argv[0]);
}
METHOD(int_m_idiv) /* div */
{
    (void)argc;
    if (is_integer(argv[0]))
        return int_div(self, argv[0]);
    if (is_float(argv[0])) {
        if (float_double(argv[0]) == 0.0)
            raise_zero_div();
        return int_from_double(floor(int_double(self) / float_double(argv[0])));
    }
    return num_coerce_bin(self, argv[0], sym_intern("div"));
}
METHOD(int_m_divmod)
{
    (void)argc;
    if (is_integer(argv[0])) {
        Value qr[2];
        int_divmod(self, argv[0], &qr[0], &qr[1]);
        return ary_new_from(2, qr);
    }
    if (is_float(argv[0]))
        return vm_call1(float_value(int_double(self)), sym_intern("divmod"), argv[0]);
    return num_coerce_bin(self, argv[0], sym_intern("divmod"));
}
METHOD(int_m_remainder)
{
    (void)argc;
    Value b = argv[0];
    if (is_integer(b)) {
        Value r = int_mod(self, b);
        if (r != int_fix(0) && int_sign(self) * int_sign(b) < 0)
            r = int_sub(r, b);
        return r;
    }
    if (is_float(b)) {
        double y = float_double(b);
        Value m = num_mod(self, b);
        if (float_double(m) != 0.0 && (int_sign(self) < 0) != (y < 0))
            return isinf(y) ? (is_fixnum(self) ? self : float_value(int_double(self))) : float_value(float_double(m) - y);
        return m;
    }
    return num_coerce_bin(self, b, sym_intern("remainder"));
}
METHOD(int_m_fdiv)
{
    (void)argc;
    if (is_integer(argv[0]))
        return float_value(int_fdiv(self, argv[0]));
    if (is_float(argv[0]))
        return float_value(int_double(self) / float_double(argv[0]));
    return num_coerce_bin(self, argv[0], sym_intern("fdiv"));
}
METHOD(int_m_ceildiv)
{
    (void)argc;
    return num_neg(vm_call1(self, sym_intern("div"), num_op(int_fix(0), SYM(op_minus), argv[0])));
}
METHOD(int_m_neg) { UNUSED_ARGS; return int_neg(self); }
METHOD(int_m_self) { UNUSED_ARGS; return self; }
METHOD(int_m_abs) { UNUSED_ARGS; return int_abs(self); }
METHOD(int_m_succ) { UNUSED_ARGS; return int_add(self, int_fix(1)); }
METHOD(int_m_pred) { UNUSED_ARGS; return int_sub(self, int_fix(1)); }
METHOD(int_m_com) { UNUSED_ARGS; return int_sub(int_fix(-1), self); }
METHOD(int_m_odd) { UNUSED_ARGS; return bool_value(int_odd(self)); }
METHOD(int_m_even) { UNUSED_ARGS; return bool_value(!int_odd(self)); }
METHOD(int_m_zero) { UNUSED_ARGS; return bool_value(self == int_fix(0)); }
METHOD(int_m_true) { (void)self; UNUSED_ARGS; return V_TRUE; }
METHOD(int_m_to_f) { UNUSED_ARGS; return float_value(int_double(self)); }
METHOD(int_m_to_s) { return int_to_str(self, argc ? (int)value_int_range(argv[0], -1000, 1000, "radix") : 10); }
METHOD(int_m_bit_length) { UNUSED_ARGS; return uint_value(int_bit_length(self)); }
METHOD(int_m_size)
{
    UNUSED_ARGS;
    return is_fixnum(self) ? int_fix(8) : int_fix((int64_t)(int_bit_length(int_abs(self)) + 7) / 8);
}
METHOD(int_m_hash) { UNUSED_ARGS; return int_fix((int64_t)num_hash(self) >> 2); }

static Value need_integer(Value self, Value other, Value op)
{
    if (is_integer(other))
        return other;
    (void)self;
    (void)op;
    return V_UNDEF;
}
/* Bitwise operators have a coercion of their own: only Integers may come out of it. */
static Value int_bit_coerce(Value self, Value other, Value op)
{
    if (is_float(other) || !vm_responds_to(other, SYM(coerce), true))
        raise_error(klass.TypeError, is_heap(other) && !is_float(other) ? "%C can't be coerced into Integer" : "%V can't be coerced into Integer",
                    other);
    return num_coerce_bin(self, other, op);
}
#define BITOP(name, op, sym, gmp_fn)                           \
    METHOD(name)                                               \
    {                                                          \
        (void)argc;                                            \
        Value b = need_integer(self, argv[0], sym);            \
        if (is_undef(b))                                       \
            return int_bit_coerce(self, argv[0], sym);         \
        if (both_fixnum(self, b))                              \
            return int_fix(fix_int(self) op fix_int(b));       \
        MpzView x, y;                                          \
        mpz_t z;                                               \
        mpz_init(z);                                           \
        gmp_fn(z, int_view(&x, self), int_view(&y, b));        \
        KEEP(self);                                            \
        KEEP(b);                                               \
        return int_from_mpz(z);                                \
    }
BITOP(int_m_and, &, SYM(op_and), mpz_and)
BITOP(int_m_or, |, SYM(op_or), mpz_ior)
BITOP(int_m_xor, ^, SYM(op_xor), mpz_xor)

static Value shift_by(Value self, Value by, bool left)
{
    if (!is_integer(by))
        by = int_convert(by);
    if (!is_fixnum(by)) {
        if ((int_sign(by) > 0) == left) {
            if (self == int_fix(0))
                return self;
            raise_error(klass.RangeError, "shift width too big");
        }
        return int_fix(int_sign(self) < 0 ? -1 : 0);
    }
    return int_shift(self, left ? fix_int(by) : -fix_int(by));
}
METHOD(int_m_shl) { (void)argc; return shift_by(self, argv[0], true); }
METHOD(int_m_shr) { (void)argc; return shift_by(self, argv[0], false); }
static Value int_bit(Value self, Value i)
{
    if (!is_fixnum(i)) {
        if (!is_integer(i))
            return int_bit(self, int_convert(i));
        return int_fix(int_sign(i) < 0 ? 0 : int_sign(self) < 0);
    }
    int64_t n = fix_int(i);
    if (n < 0)
        return int_fix(0);
    if (is_fixnum(self))
        return int_fix(n > 62 ? fix_int(self) < 0 : fix_int(self) >> n & 1);
    MpzView x;
    int bit = mpz_tstbit(int_view(&x, self), (mp_bitcnt_t)n);
    KEEP(self);
    return int_fix(bit);
}
static Value int_mask(Value self, Value len)
{
    Value mask = int_sub(shift_by(int_fix(1), len, true), int_fix(1));
    return vm_call1(self, SYM(op_and), mask);
}
METHOD(int_m_aref)
{
    if (argc == 2)
        return int_mask(shift_by(self, argv[0], false), argv[1]);
    Value lo, hi;
    bool excl;
    if (range_values(argv[0], &lo, &hi, &excl)) {
        if (is_nil(lo)) {
            if (!excl)
                hi = num_add(hi, int_fix(1));
            if (int_mask(self, hi) != int_fix(0))
                raise_error(klass.ArgumentError, "The beginless range for Integer#[] results in infinity");
            return int_fix(0);
        }
        Value shifted = shift_by(self, lo, false);
        if (is_nil(hi))
            return shifted;
        Value len = num_sub(hi, lo);
        if (num_negative(len))
            return shifted;
        if (!excl)
            len = num_add(len, int_fix(1));
        return int_mask(shifted, len);
    }
    return int_bit(self, argv[0]);
}
METHOD(int_m_allbits)
{
    (void)argc;
    Value m = int_convert(argv[0]);
    return bool_value(int_cmp(int_m_and(self, 1, &m), m) == 0);
}
METHOD(int_m_anybits)
{
    (void)argc;
    Value m = int_convert(argv[0]);
    return bool_value(int_m_and(self, 1, &m) != int_fix(0));
}
METHOD(int_m_nobits)
{
    (void)argc;
    Value m = int_convert(argv[0]);
    return bool_value(int_m_and(self, 1, &m) == int_fix(0));
}

static Value gcd_argument(Value v)
{
    if (!is_integer(v))
        raise_error(klass.TypeError, "not an integer");
    return v;
}
static Value int_lcm(Value a, Value b)
{
    if (a == int_fix(0) || b == int_fix(0))
        return int_fix(0);
    return int_abs(int_mul(a, int_div(b, int_gcd(a, b))));
}
METHOD(int_m_gcd) { (void)argc; return int_gcd(self, gcd_argument(argv[0])); }
METHOD(int_m_lcm) { (void)argc; return int_lcm(self, gcd_argument(argv[0])); }
METHOD(int_m_gcdlcm)
{
    (void)argc;
    Value b = gcd_argument(argv[0]);
    return ary_new_from(2, (Value[]){int_gcd(self, b), int_lcm(self, b)});
}
METHOD(int_m_coerce)
{
    (void)argc;
    if (is_integer(argv[0]))
        return ary_new_from(2, (Value[]){argv[0], self});
    Value x = vm_call1(self, sym_intern("Float"), argv[0]);
    return ary_new_from(2, (Value[]){x, float_value(int_double(self))});
}
METHOD(int_m_chr)
{
    if (is_bignum(self))
        raise_error(klass.RangeError, "bignum out of char range");
    int64_t n = fix_int(self);
    if (n < 0 || n > 0xffffffffLL)
        raise_error(klass.RangeError, "%lld out of char range", (long long)n);
    int enc;
    if (argc == 0) {
        if (n < 256) {
            char c = (char)n;
            return str_new_enc(&c, 1, n < 128 ? ENC_US_ASCII : ENC_BINARY);
        }
        if (encoding_default_internal < 0)
            raise_error(klass.RangeError, "%lld out of char range", (long long)n);
        enc = encoding_default_internal;
    } else {
        enc = encoding_of(argv[0]);
    }
    char buf[8];
    int len = enc_put(enc, (uint32_t)n, buf);
    if (!len) {
        if (enc_is_unicode(enc) && n <= 0x10ffff)
            raise_error(klass.RangeError, "invalid codepoint 0x%llX in %s", (long long)n, encoding_name(enc));
        raise_error(klass.RangeError, "%lld out of char range", (long long)n);
    }
    return str_new_enc(buf, (size_t)len, enc);
}
METHOD(int_m_digits)
{
    Value base = argc ? argv[0] : int_fix(10);
    if (!is_integer(base))
        base = int_value(value_int(base));
    if (int_sign(base) < 0)
        raise_error(klass.ArgumentError, "negative radix");
    if (int_cmp(base, int_fix(2)) < 0)
        raise_error(klass.ArgumentError, "invalid radix %T", base);
    if (int_sign(self) < 0)
        raise_error(const_get_from(klass.Math, sym_intern("DomainError")), "out of domain");
    if (!is_fixnum(self) && is_fixnum(base) && fix_int(base) <= 36) { /* GMP's conversion takes less than quadratic time */
        Value text = int_to_str(self, (int)fix_int(base));
        size_t len = str_view(text).len;
        Value digits = ary_new(len);
        for (size_t i = len; i-- > 0;) {
            char c = str_view(text).ptr[i];
            ary_push(digits, int_fix(c <= '9' ? c - '0' : c - 'a' + 10));
        }
        return digits;
    }
    Value ary = ary_new(20), n = self;
    if (n == int_fix(0))
        ary_push(ary, n);
    while (n != int_fix(0)) {
        vm_check_interrupts();
        Value r;
        int_divmod(n, base, &n, &r);
        ary_push(ary, r);
    }
    return ary;
}

int64_t round_digits(Value v)
{
    int64_t n = value_int(v);
    if (n < INT32_MIN || n > INT32_MAX)
        raise_error(klass.RangeError, "integer %lld too %s to convert to 'int'", (long long)n, n < 0 ? "small" : "big");
    return n;
}
RoundMode round_mode_of(Value kw)
{
    static const char *const names[] = {"half", NULL};
    if (is_nil(kw))
        return ROUND_HALF_UP;
    keywords_only(kw, names);
    Value half = keyword_get(kw, "half");
    if (is_undef(half) || is_nil(half))
        return ROUND_HALF_UP;
    if (is_symbol(half))
        half = sym_name_str(half);
    Value text = is_string(half) ? half : obj_try_convert(half, T_STRING, "String", SYM(to_str));
    if (is_nil(text))
        raise_error(klass.ArgumentError, "invalid rounding mode: %V", half);
    StrView s = str_view(text);
    if (s.len == 2 && !memcmp(s.ptr, "up", 2))
        return ROUND_HALF_UP;
    if (s.len == 4 && !memcmp(s.ptr, "even", 4))
        return ROUND_HALF_EVEN;
    if (s.len == 4 && !memcmp(s.ptr, "down", 4))
        return ROUND_HALF_DOWN;
    raise_error(klass.ArgumentError, "invalid rounding mode: %T", text);
}
METHOD(int_m_round)
{
    Value kw = call_take_keywords(&argc, argv);
    RoundMode mode = round_mode_of(kw);
    return argc ? int_round(self, round_digits(argv[0]), mode) : self;
}
METHOD(int_m_floor) { return argc ? int_round(self, round_digits(argv[0]), ROUND_FLOOR) : self; }
METHOD(int_m_ceil) { return argc ? int_round(self, round_digits(argv[0]), ROUND_CEIL) : self; }
METHOD(int_m_truncate) { return argc ? int_round(self, round_digits(argv[0]), ROUND_TRUNC) : self; }
METHOD(int_m_one) { (void)self; UNUSED_ARGS; return int_fix(1); }
METHOD(int_m_to_r) { UNUSED_ARGS; return rat_raw(self, int_fix(1)); }
METHOD(int_m_ord) { UNUSED_ARGS; return self; }

METHOD(int_s_sqrt)
{
    (void)self, (void)argc;
    Value n = is_integer(argv[0]) ? argv[0] : int_value(value_int(argv[0]));
    return int_isqrt(n);
}
METHOD(int_s_try_convert)
{
    (void)self, (void)argc;
    if (is_integer(argv[0]))
        return argv[0];
    Value v = vm_call_if_responds(argv[0], SYM(to_int), 0, NULL);
    if (is_undef(v) || is_nil(v))
        return V_NIL;
    if (!is_integer(v))
        raise_error(klass.TypeError, "can't convert %C to Integer (%C#to_int gives %C)", class_real(argv[0]), class_real(argv[0]), class_real(v));
    return v;
}

static const Builtin methods[] = {
    {"+", int_m_add, 1, 1, 0},
    {"-", int_m_sub, 1, 1, 0},
    {"*", int_m_mul, 1, 1, 0},
    {"/", int_m_div, 1, 1, 0},
    {"%", int_m_mod, 1, 1, 0},
    {"modulo", int_m_mod, 1, 1, 0},
    {"**", int_m_pow, 1, 1, 0},
    {"pow", int_m_pow, 1, 2, 0},
    {"<", int_m_lt, 1, 1, 0},
    {"<=", int_m_le, 1, 1, 0},
    {">", int_m_gt, 1, 1, 0},
    {">=", int_m_ge, 1, 1, 0},
    {"<=>", int_m_cmp, 1, 1, 0},
    {"==", int_m_eq, 1, 1, 0},
    {"===", int_m_eq, 1, 1, 0},
    {"div", int_m_idiv, 1, 1, 0},
    {"divmod", int_m_divmod, 1, 1, 0},
    {"remainder", int_m_remainder, 1, 1, 0},
    {"fdiv", int_m_fdiv, 1, 1, 0},
    {"ceildiv", int_m_ceildiv, 1, 1, 0},
    {"-@", int_m_neg, 0, 0, 0},
    {"~", int_m_com, 0, 0, 0},
    {"&", int_m_and, 1, 1, 0},
    {"|", int_m_or, 1, 1, 0},
    {"^", int_m_xor, 1, 1, 0},
    {"<<", int_m_shl, 1, 1, 0},
    {">>", int_m_shr, 1, 1, 0},
    {"[]", int_m_aref, 1, 2, 0},
    {"allbits?", int_m_allbits, 1, 1, 0},
    {"anybits?", int_m_anybits, 1, 1, 0},
    {"nobits?", int_m_nobits, 1, 1, 0},
    {"abs", int_m_abs, 0, 0, 0},
    {"magnitude", int_m_abs, 0, 0, 0},
    {"succ", int_m_succ, 0, 0, 0},
    {"next", int_m_succ, 0, 0, 0},
    {"pred", int_m_pred, 0, 0, 0},
    {"odd?", int_m_odd, 0, 0, 0},
    {"even?", int_m_even, 0, 0, 0},
    {"zero?", int_m_zero, 0, 0, 0},
    {"integer?", int_m_true, 0, 0, 0},
    {"to_i", int_m_self, 0, 0, 0},
    {"to_int", int_m_self, 0, 0, 0},
    {"to_f", int_m_to_f, 0, 0, 0},
    {"to_r", int_m_to_r, 0, 0, 0},
    {"rationalize", int_m_to_r, 0, 1, 0},
    {"numerator", int_m_self, 0, 0, 0},
    {"denominator", int_m_one, 0, 0, 0},
    {"to_s", int_m_to_s, 0, 1, 0},
    {"inspect", int_m_to_s, 0, 1, 0},
    {"bit_length", int_m_bit_length, 0, 0, 0},
    {"size", int_m_size, 0, 0, 0},
    {"hash", int_m_hash, 0, 0, 0},
    {"gcd", int_m_gcd, 1, 1, 0},
    {"lcm", int_m_lcm, 1, 1, 0},
    {"gcdlcm", int_m_gcdlcm, 1, 1, 0},
    {"coerce", int_m_coerce, 1, 1, 0},
    {"chr", int_m_chr, 0, 1, 0},
    {"ord", int_m_ord, 0, 0, 0},
    {"digits", int_m_digits, 0, 1, 0},
    {"round", int_m_round, 0, 1, BI_KW},
    {"floor", int_m_floor, 0, 1, 0},
    {"ceil", int_m_ceil, 0, 1, 0},
    {"truncate", int_m_truncate, 0, 1, 0},
};
static const Builtin singleton_methods[] = {
    {"sqrt", int_s_sqrt, 1, 1, 0},
    {"try_convert", int_s_try_convert, 1, 1, 0},
};

void integer_boot(void)
{
    class_set_allocator(klass.Integer, NULL);
    ADD_BUILTINS(klass.Integer, methods);
    ADD_SINGLETON_BUILTINS(klass.Integer, singleton_methods);
}
