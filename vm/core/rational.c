/* rational.c -- class Rational: numerator and denominator, always in lowest terms with a positive denominator */
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include <float.h>

Value rat_raw(Value num, Value den)
{
    Value v = heap_alloc_slots(T_RATIONAL, klass.Rational, 0);
    obj_init_field(v, 0, num);
    obj_init_field(v, 1, den);
    obj_ptr(v)->head |= OH_FROZEN;
    return v;
}
Value rational_new(Value num, Value den)
{
    if (den == int_fix(0))
        raise_zero_div();
    if (int_sign(den) < 0) {
        num = int_neg(num);
        den = int_neg(den);
    }
    Value g = int_gcd(num, den);
    if (g != int_fix(1)) {
        num = int_div(num, g);
        den = int_div(den, g);
    }
    return rat_raw(num, den);
}
static Value num_part(Value v) { return is_integer(v) ? v : rat_num(v); }
static Value den_part(Value v) { return is_integer(v) ? int_fix(1) : rat_den(v); }

Value rat_add(Value a, Value b)
{
    Value an = num_part(a), ad = den_part(a), bn = num_part(b), bd = den_part(b);
    return rational_new(int_add(int_mul(an, bd), int_mul(bn, ad)), int_mul(ad, bd));
}
Value rat_sub(Value a, Value b)
{
    Value an = num_part(a), ad = den_part(a), bn = num_part(b), bd = den_part(b);
    return rational_new(int_sub(int_mul(an, bd), int_mul(bn, ad)), int_mul(ad, bd));
}
Value rat_mul(Value a, Value b)
{
    return rational_new(int_mul(num_part(a), num_part(b)), int_mul(den_part(a), den_part(b)));
}
Value rat_quo(Value a, Value b)
{
    return rational_new(int_mul(num_part(a), den_part(b)), int_mul(den_part(a), num_part(b)));
}
int rat_cmp(Value a, Value b)
{
    return int_cmp(int_mul(num_part(a), den_part(b)), int_mul(num_part(b), den_part(a)));
}
double rat_double(Value r)
{
    return int_fdiv(num_part(r), den_part(r));
}
Value rat_from_double(double d)
{
    if (!isfinite(d))
        return rat_raw(int_from_double(d), int_fix(1));
    int e;
    double f = frexp(d, &e);
    Value m = int_from_double(ldexp(f, DBL_MANT_DIG));
    e -= DBL_MANT_DIG;
    return e >= 0 ? rat_raw(int_shift(m, e), int_fix(1)) : rational_new(m, int_shift(int_fix(1), -e));
}
Value rat_of(Value v)
{
    if (is_rational(v))
        return v;
    if (is_integer(v))
        return rat_raw(v, int_fix(1));
    if (is_float(v))
        return rat_from_double(float_double(v));
    return obj_convert(v, T_RATIONAL, "Rational", SYM(to_r));
}

/* The fraction with the least denominator within [lo, hi]: walk the continued fraction while both agree. */
static Value simplest_positive(Value lo, Value hi)
{
    Value p0 = int_fix(0), p1 = int_fix(1), q0 = int_fix(1), q1 = int_fix(0), k;
    Value a = lo, b = hi;
    for (;;) {
        Value c = int_neg(int_div(int_neg(rat_num(a)), rat_den(a))); /* ceiling of a */
        if (rat_cmp(c, b) <= 0) { /* c < b, or equal */
            k = c;
            break;
        }
        k = int_sub(c, int_fix(1));
        Value p2 = int_add(int_mul(k, p1), p0), q2 = int_add(int_mul(k, q1), q0);
        Value t = rat_quo(rat_raw(int_fix(1), int_fix(1)), rat_sub(b, k));
        b = rat_quo(rat_raw(int_fix(1), int_fix(1)), rat_sub(a, k));
        a = t;
        p0 = p1, q0 = q1, p1 = p2, q1 = q2;
    }
    return rational_new(int_add(int_mul(k, p1), p0), int_add(int_mul(k, q1), q0));
}
Value rat_simplest(Value lo, Value hi)
{
    if (rat_cmp(lo, hi) > 0) {
        Value t = lo;
        lo = hi, hi = t;
    }
    if (rat_cmp(lo, hi) == 0)
        return lo;
    int sl = int_sign(rat_num(lo)), sh = int_sign(rat_num(hi));
    if (sl <= 0 && sh >= 0)
        return rat_raw(int_fix(0), int_fix(1));
    if (sh < 0) {
        Value r = simplest_positive(rat_raw(int_neg(rat_num(hi)), rat_den(hi)), rat_raw(int_neg(rat_num(lo)), rat_den(lo)));
        return rat_raw(int_neg(rat_num(r)), rat_den(r));
    }
    return simplest_positive(lo, hi);
}

Value rat_round(Value r, int64_t digits, bool have_digits, RoundMode mode)
{
    Value num = rat_num(r), den = rat_den(r), scale = int_fix(1);
    if (digits > 0) {
        scale = int_pow_ui(int_fix(10), (uint64_t)digits);
        num = int_mul(num, scale);
    } else if (digits < 0) {
        scale = int_pow_ui(int_fix(10), (uint64_t)-digits);
        den = int_mul(den, scale);
    }
    bool neg = int_sign(num) < 0;
    Value q, rem;
    int_divmod(int_abs(num), den, &q, &rem);
    if (rem != int_fix(0)) {
        int half = int_cmp(int_mul(rem, int_fix(2)), den);
        bool up = mode == ROUND_HALF_UP     ? half >= 0
                  : mode == ROUND_HALF_DOWN ? half > 0
                  : mode == ROUND_HALF_EVEN ? half > 0 || (half == 0 && int_odd(q))
                  : mode == ROUND_FLOOR     ? neg
                  : mode == ROUND_CEIL      ? !neg
                                            : false;
        if (up)
            q = int_add(q, int_fix(1));
    }
    if (neg)
        q = int_neg(q);
    if (digits > 0)
        return rational_new(q, scale);
    (void)have_digits;
    return digits < 0 ? int_mul(q, scale) : q;
}

/* ---- methods ---- */

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv
#define EXACT(v) (is_integer(v) || is_rational(v))

#define ARITH(name, sym, exact, op)                                                  \
    METHOD(name)                                                                     \
    {                                                                                \
        (void)argc;                                                                  \
        Value b = argv[0];                                                           \
        if (EXACT(b))                                                                \
            return exact(self, b);                                                   \
        if (is_float(b))                                                             \
            return float_value(rat_double(self) op float_double(b));                 \
        return num_coerce_bin(self, b, sym);                                         \
    }
ARITH(rat_m_add, SYM(op_plus), rat_add, +)
ARITH(rat_m_sub, SYM(op_minus), rat_sub, -)
ARITH(rat_m_mul, SYM(op_mul), rat_mul, *)
ARITH(rat_m_div, SYM(op_div), rat_quo, /)

METHOD(rat_m_pow)
{
    (void)argc;
    Value b = argv[0];
    if (is_rational(b) && rat_den(b) == int_fix(1))
        b = rat_num(b);
    if (is_integer(b)) {
        Value n = rat_num(self), d = rat_den(self);
        if (b == int_fix(0))
            return rat_raw(int_fix(1), int_fix(1));
        if (n == int_fix(0) || (d == int_fix(1) && (n == int_fix(1) || n == int_fix(-1)))) {
            if (n == int_fix(0) && int_sign(b) < 0)
                raise_zero_div();
            return rat_raw(n == int_fix(-1) && !int_odd(b) ? int_fix(1) : n, int_fix(1));
        }
        if (!is_fixnum(b))
            raise_error(klass.ArgumentError, "exponent is too large");
        int64_t e = fix_int(b);
        if (e > 0)
            return rat_raw(int_pow_ui(n, (uint64_t)e), int_pow_ui(d, (uint64_t)e));
        return rational_new(int_pow_ui(d, (uint64_t)-e), int_pow_ui(n, (uint64_t)-e));
    }
    if (rat_num(self) == int_fix(0) && !is_float(b)) {
        if (is_complex(b))
            raise_compare(b, int_fix(0));
        if (num_negative(b))
            raise_zero_div();
        return rat_raw(int_fix(0), int_fix(1));
    }
    if (is_float(b) || is_rational(b))
        return num_pow(float_value(rat_double(self)), is_rational(b) ? float_value(rat_double(b)) : b);
    return num_coerce_bin(self, b, SYM(op_pow));
}
METHOD(rat_m_cmp)
{
    (void)argc;
    if (EXACT(argv[0]))
        return int_fix(rat_cmp(self, argv[0]));
    if (is_float(argv[0])) {
        double d = float_double(argv[0]);
        if (isnan(d))
            return V_NIL;
        if (isinf(d))
            return int_fix(d > 0 ? -1 : 1);
        return int_fix(rat_cmp(self, rat_from_double(d)));
    }
    return num_coerce_cmp(self, argv[0], SYM(op_cmp));
}
METHOD(rat_m_eq)
{
    (void)argc;
    if (EXACT(argv[0]))
        return bool_value(rat_cmp(self, argv[0]) == 0);
    if (is_float(argv[0]))
        return bool_value(rat_double(self) == float_double(argv[0]));
    return bool_value(obj_equal(argv[0], self));
}
METHOD(rat_m_coerce)
{
    (void)argc;
    Value b = argv[0];
    if (is_integer(b))
        return ary_new_from(2, (Value[]){rat_raw(b, int_fix(1)), self});
    if (is_float(b))
        return ary_new_from(2, (Value[]){b, float_value(rat_double(self))});
    if (is_rational(b))
        return ary_new_from(2, (Value[]){b, self});
    if (is_complex(b)) {
        if (is_integer(cpx_im(b)) && num_zero(cpx_im(b)))
            return ary_new_from(2, (Value[]){rat_of(cpx_re(b)), self});
        return ary_new_from(2, (Value[]){b, cpx_raw(self, int_fix(0))});
    }
    raise_error(klass.TypeError, "%C can't be coerced into Rational", b);
}
METHOD(rat_m_neg) { UNUSED_ARGS; return rat_raw(int_neg(rat_num(self)), rat_den(self)); }
METHOD(rat_m_abs) { UNUSED_ARGS; return rat_raw(int_abs(rat_num(self)), rat_den(self)); }
METHOD(rat_m_num) { UNUSED_ARGS; return rat_num(self); }
METHOD(rat_m_den) { UNUSED_ARGS; return rat_den(self); }
METHOD(rat_m_positive) { UNUSED_ARGS; return bool_value(int_sign(rat_num(self)) > 0); }
METHOD(rat_m_negative) { UNUSED_ARGS; return bool_value(int_sign(rat_num(self)) < 0); }
METHOD(rat_m_to_f) { UNUSED_ARGS; return float_value(rat_double(self)); }
METHOD(rat_m_to_r) { UNUSED_ARGS; return self; }
METHOD(rat_m_fdiv)
{
    (void)argc;
    if (is_integer(argv[0]) && argv[0] == int_fix(0))
        return float_value(rat_double(self) / 0.0);
    return vm_call0(rat_m_div(self, argc, argv), SYM(to_f));
}
METHOD(rat_m_hash) { UNUSED_ARGS; return int_fix((int64_t)num_hash(self) >> 2); }
METHOD(rat_m_to_s) { UNUSED_ARGS; return str_format("%T/%T", rat_num(self), rat_den(self)); }
METHOD(rat_m_inspect) { UNUSED_ARGS; return str_format("(%T/%T)", rat_num(self), rat_den(self)); }
static int64_t digits_argument(int argc, const Value *argv)
{
    if (!argc)
        return 0;
    if (!is_integer(argv[0]))
        raise_error(klass.TypeError, "not an integer");
    return value_int(argv[0]);
}
METHOD(rat_m_round)
{
    Value kw = call_take_keywords(&argc, argv);
    RoundMode mode = round_mode_of(kw);
    return rat_round(self, digits_argument(argc, argv), argc > 0, mode);
}
METHOD(rat_m_floor) { return rat_round(self, digits_argument(argc, argv), argc > 0, ROUND_FLOOR); }
METHOD(rat_m_ceil) { return rat_round(self, digits_argument(argc, argv), argc > 0, ROUND_CEIL); }
METHOD(rat_m_truncate) { return rat_round(self, digits_argument(argc, argv), argc > 0, ROUND_TRUNC); }
METHOD(rat_m_rationalize)
{
    if (!argc)
        return self;
    Value eps = rat_of(vm_call0(argv[0], sym_intern("abs")));
    return rat_simplest(rat_sub(self, eps), rat_add(self, eps));
}

static Value convert_one(Value v, bool raise) /* to something exact, or a Numeric as it is; V_UNDEF: fail quietly */
{
    if (EXACT(v))
        return v;
    if (is_float(v)) {
        if (!raise && !isfinite(float_double(v)))
            return V_UNDEF;
        return rat_from_double(float_double(v));
    }
    if (is_string(v)) {
        StrView s = str_view(v);
        Value r = rat_parse(s.ptr, s.len, true, NULL);
        if (is_nil(r)) {
            if (!raise)
                return V_UNDEF;
            raise_error(klass.ArgumentError, "invalid value for convert(): %V", v);
        }
        return r;
    }
    if (is_complex(v) && is_integer(cpx_im(v)) && num_zero(cpx_im(v)))
        return convert_one(cpx_re(v), raise);
    if (is_nil(v)) {
        if (!raise)
            return V_UNDEF;
        raise_error(klass.TypeError, "can't convert nil into Rational");
    }
    if (is_heap(v)) {
        Value r = vm_call_if_responds(v, SYM(to_r), 0, NULL);
        if (!is_undef(r) && is_rational(r) && !is_complex(v))
            return r;
        if (obj_is_kind_of(v, klass.Numeric) && !is_complex(v))
            return v;
        r = vm_call_if_responds(v, SYM(to_int), 0, NULL);
        if (!is_undef(r) && is_integer(r))
            return r;
    }
    if (!raise)
        return V_UNDEF;
    if (is_complex(v))
        raise_error(klass.RangeError, "can't convert %T into Rational", v);
    raise_error(klass.TypeError, is_immediate(v) && !is_symbol(v) ? "can't convert %V into Rational" : "can't convert %C into Rational", v);
}
typedef struct Conversion {
    int argc;
    const Value *argv;
    bool raise;
} Conversion;
static Value convert(void *arg)
{
    Conversion *c = arg;
    if (c->argc == 2 && is_nil(c->argv[1])) {
        if (!c->raise)
            return V_NIL;
        raise_error(klass.TypeError, "can't convert nil into Rational");
    }
    Value a = convert_one(c->argv[0], c->raise);
    if (is_undef(a))
        return V_NIL;
    if (c->argc == 1)
        return is_integer(a) ? rat_raw(a, int_fix(1)) : a;
    Value b = convert_one(c->argv[1], c->raise);
    if (is_undef(b))
        return V_NIL;
    return EXACT(a) && EXACT(b) ? rat_quo(a, b) : vm_call1(a, SYM(op_div), b);
}
METHOD(k_rational)
{
    (void)self;
    Conversion c = {.raise = take_exception(&argc, argv)};
    c.argc = argc;
    c.argv = argv;
    if (argc < 1 || argc > 2)
        raise_arity(argc, 1, 2);
    if (c.raise)
        return convert(&c);
    Value exc, r = vm_rescue(convert, &c, klass.StandardError, &exc);
    return is_undef(r) ? V_NIL : r;
}

METHOD(nil_to_r) { (void)self; UNUSED_ARGS; return rat_raw(int_fix(0), int_fix(1)); }
METHOD(str_to_r)
{
    UNUSED_ARGS;
    str_need_ascii(self);
    StrView s = str_view(self);
    Value r = rat_parse(s.ptr, s.len, false, NULL);
    KEEP(self);
    return r;
}

static const Builtin methods[] = {
    {"numerator", rat_m_num, 0, 0, 0},
    {"denominator", rat_m_den, 0, 0, 0},
    {"-@", rat_m_neg, 0, 0, 0},
    {"+", rat_m_add, 1, 1, 0},
    {"-", rat_m_sub, 1, 1, 0},
    {"*", rat_m_mul, 1, 1, 0},
    {"/", rat_m_div, 1, 1, 0},
    {"quo", rat_m_div, 1, 1, 0},
    {"fdiv", rat_m_fdiv, 1, 1, 0},
    {"**", rat_m_pow, 1, 1, 0},
    {"<=>", rat_m_cmp, 1, 1, 0},
    {"==", rat_m_eq, 1, 1, 0},
    {"coerce", rat_m_coerce, 1, 1, 0},
    {"positive?", rat_m_positive, 0, 0, 0},
    {"negative?", rat_m_negative, 0, 0, 0},
    {"abs", rat_m_abs, 0, 0, 0},
    {"magnitude", rat_m_abs, 0, 0, 0},
    {"floor", rat_m_floor, 0, 1, 0},
    {"ceil", rat_m_ceil, 0, 1, 0},
    {"truncate", rat_m_truncate, 0, 1, 0},
    {"to_i", rat_m_truncate, 0, 0, 0},
    {"round", rat_m_round, 0, 1, BI_KW},
    {"to_f", rat_m_to_f, 0, 0, 0},
    {"to_r", rat_m_to_r, 0, 0, 0},
    {"rationalize", rat_m_rationalize, 0, 1, 0},
    {"hash", rat_m_hash, 0, 0, 0},
    {"to_s", rat_m_to_s, 0, 0, 0},
    {"inspect", rat_m_inspect, 0, 0, 0},
};
static const Builtin kernel[] = {
    {"Rational", k_rational, 1, 2, BI_MODULE_FUNCTION | BI_KW},
};
static const Builtin of_nil[] = {
    {"to_r", nil_to_r, 0, 0, 0},
    {"rationalize", nil_to_r, 0, 1, 0},
};
static const Builtin of_string[] = {
    {"to_r", str_to_r, 0, 0, 0},
};

void rational_boot(void)
{
    Value names[] = {SYM(numerator), SYM(denominator)};
    class_set_fields(klass.Rational, T_RATIONAL, names, 2);
    class_set_allocator(klass.Rational, NULL);
    ADD_BUILTINS(klass.Rational, methods);
    ADD_BUILTINS(klass.Kernel, kernel);
    ADD_BUILTINS(klass.NilClass, of_nil);
    ADD_BUILTINS(klass.String, of_string);
}
