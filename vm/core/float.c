/* float.c -- class Float: text, rounding, neighbours
 *
 * Shortest text: the fewest digits that read back as the same double, the nearest of them.  libc's printf and strtod
 * are exact, so it is a search: 15 digits always survive a round trip when they were all there is.
 */
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include <float.h>
#include <stdio.h>

Value float_value(double d)
{
    Value v = double_flonum(d);
    if (!is_undef(v))
        return v;
    v = heap_alloc(T_FLOAT, klass.Float, sizeof(Float));
    ((Float *)v)->value = d;
    ((Float *)v)->head |= OH_FROZEN;
    return v;
}
double float_double(Value v)
{
    if (is_flonum(v))
        return flonum_double(v);
    obj_attend(v);
    return ((Float *)v)->value;
}

static int digits_at(double d, int n, char *digits, int *decpt)
{
    char text[40];
    snprintf(text, sizeof text, "%.*e", n - 1, d);
    char *e = strchr(text, 'e');
    *decpt = atoi(e + 1) + 1;
    int k = 0;
    for (char *p = text; p < e; p++)
        if (*p != '.')
            digits[k++] = *p;
    return k;
}
static bool reads_back(const char *digits, int n, int decpt, double d)
{
    char text[48];
    snprintf(text, sizeof text, "0.%.*se%d", n, digits, decpt);
    return strtod(text, NULL) == d;
}
int float_shortest(double d, char *digits, int *decpt)
{
    int n = 0;
    for (int want = d < DBL_MIN ? 1 : 15; want <= 17; want++) {
        n = digits_at(d, want, digits, decpt);
        if (reads_back(digits, n, *decpt, d))
            break;
        if (want == 16) { /* next to a power of two a neighbour of the nearest may do */
            char other[20];
            memcpy(other, digits, 16);
            int i = 15;
            while (i >= 0 && other[i] == '9')
                other[i--] = '0';
            if (i >= 0) {
                other[i]++;
                if (reads_back(other, 16, *decpt, d)) {
                    memcpy(digits, other, 16);
                    break;
                }
            }
        }
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    return n;
}

Value float_to_str(Value v)
{
    double d = float_double(v);
    if (isnan(d))
        return str_new_enc("NaN", 3, ENC_US_ASCII);
    if (isinf(d))
        return d < 0 ? str_new_enc("-Infinity", 9, ENC_US_ASCII) : str_new_enc("Infinity", 8, ENC_US_ASCII);
    if (d == 0.0)
        return signbit(d) ? str_new_enc("-0.0", 4, ENC_US_ASCII) : str_new_enc("0.0", 3, ENC_US_ASCII);
    char digits[24], out[48], *p = out;
    int decpt, n = float_shortest(fabs(d), digits, &decpt);
    if (d < 0)
        *p++ = '-';
    if (decpt > 0 && decpt <= (n > decpt ? DBL_DIG + 1 : DBL_DIG)) {
        for (int i = 0; i < decpt; i++)
            *p++ = i < n ? digits[i] : '0';
        *p++ = '.';
        if (n <= decpt)
            *p++ = '0';
        for (int i = decpt; i < n; i++)
            *p++ = digits[i];
    } else if (decpt <= 0 && decpt > -4) {
        *p++ = '0';
        *p++ = '.';
        for (int i = decpt; i < 0; i++)
            *p++ = '0';
        memcpy(p, digits, (size_t)n);
        p += n;
    } else {
        *p++ = digits[0];
        *p++ = '.';
        if (n == 1)
            *p++ = '0';
        memcpy(p, digits + 1, (size_t)n - 1);
        p += n - 1;
        p += sprintf(p, "e%+03d", decpt - 1);
    }
    return str_new_enc(out, (size_t)(p - out), ENC_US_ASCII);
}

/* ---- rounding ---- */

static bool round_keeps(int64_t digits, int binexp) /* nothing beyond so many digits */
{
    return digits >= (DBL_DIG + 2) - (binexp > 0 ? binexp / 4 : binexp / 3 - 1);
}
static bool round_kills(int64_t digits, int binexp) /* everything is below the first digit kept */
{
    return digits < -(binexp > 0 ? binexp / 3 + 1 : binexp / 4);
}
static double round_scaled(double x, double s, RoundMode mode)
{
    double xs = x * s, f = round(xs);
    switch (mode) {
    case ROUND_HALF_UP:
        if (s == 1.0)
            return f;
        if (x > 0)
            return (f + 0.5) / s <= x ? f + 1 : f;
        return (f - 0.5) / s >= x ? f - 1 : f;
    case ROUND_HALF_DOWN:
        if (x > 0)
            return (f - 0.5) / s >= x ? f - 1 : f;
        return (f + 0.5) / s <= x ? f + 1 : f;
    case ROUND_HALF_EVEN: {
        double whole, frac = modf(fabs(xs), &whole);
        double r = round(fabs(xs)), tie = (whole + 0.5) / s;
        if (frac == 0.5 && tie == fabs(x)) /* a tie of the number itself, not of the product's rounding */
            r = fmod(whole, 2.0) == 0.0 ? whole : whole + 1;
        return x < 0 ? -r : r;
    }
    case ROUND_FLOOR: {
        f = floor(xs);
        return (f + 1) / s <= x ? f + 1 : f;
    }
    case ROUND_CEIL: {
        return ceil(xs);
    }
    default:
        return x < 0 ? round_scaled(x, s, ROUND_CEIL) : round_scaled(x, s, ROUND_FLOOR);
    }
}
Value float_round(double x, int64_t digits, bool have_digits, RoundMode mode)
{
    int binexp;
    if (digits > 0) {
        if (x == 0.0 || !isfinite(x))
            return float_value(x);
        frexp(x, &binexp);
        if (round_keeps(digits, binexp))
            return float_value(x);
        if (mode != ROUND_FLOOR && mode != ROUND_CEIL && round_kills(digits, binexp))
            return float_value(0.0);
        if (digits > 14 && mode != ROUND_FLOOR && mode != ROUND_CEIL)
            return float_value(value_double(rat_round(rat_from_double(x), digits, true, mode)));
        double s = pow(10, (double)digits), r = round_scaled(x, s, mode);
        return float_value(r / s);
    }
    (void)have_digits;
    if (digits == 0) {
        if (!isfinite(x))
            return int_from_double(mode == ROUND_HALF_EVEN ? NAN : x);
        return int_from_double(round_scaled(x, 1.0, mode));
    }
    if (!isfinite(x))
        return int_from_double(x);
    double toward = mode == ROUND_FLOOR ? floor(x) : mode == ROUND_CEIL ? ceil(x) : trunc(x);
    return int_round(int_from_double(toward), digits, mode);
}

/* ---- methods ---- */

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv
#define SELF float_double(self)

METHOD(flo_add) { (void)argc; return num_add(self, argv[0]); }
METHOD(flo_sub) { (void)argc; return num_sub(self, argv[0]); }
METHOD(flo_mul) { (void)argc; return num_mul(self, argv[0]); }
METHOD(flo_div) { (void)argc; return num_div(self, argv[0]); }
METHOD(flo_mod) { (void)argc; return num_mod(self, argv[0]); }
METHOD(flo_pow)
{
    (void)argc;
    Value b = argv[0];
    double x = SELF, y;
    if (is_integer(b))
        y = int_double(b);
    else if (is_float(b))
        y = float_double(b);
    else
        return num_coerce_bin(self, b, SYM(op_pow));
    if (x < 0 && y != round(y))
        return cpx_polar_pi(pow(-x, y), y);
    return float_value(pow(x, y));
}
static Value flo_rel(Value self, Value other, Value op)
{
    if (!is_integer(other) && !is_float(other))
        return num_coerce_rel(self, other, op);
    Value r = num_cmp(self, other);
    if (is_nil(r))
        return V_FALSE;
    int64_t c = fix_int(r);
    return bool_value(op == SYM(op_lt) ? c < 0 : op == SYM(op_le) ? c <= 0 : op == SYM(op_gt) ? c > 0 : c >= 0);
}
METHOD(flo_lt) { (void)argc; return flo_rel(self, argv[0], SYM(op_lt)); }
METHOD(flo_le) { (void)argc; return flo_rel(self, argv[0], SYM(op_le)); }
METHOD(flo_gt) { (void)argc; return flo_rel(self, argv[0], SYM(op_gt)); }
METHOD(flo_ge) { (void)argc; return flo_rel(self, argv[0], SYM(op_ge)); }
METHOD(flo_cmp)
{
    (void)argc;
    if (isinf(SELF) && !is_real_number(argv[0])) { /* an object that knows infinity */
        Value r = vm_call_if_responds(argv[0], sym_intern("infinite?"), 0, NULL);
        if (!is_undef(r)) {
            int64_t o = truthy(r) ? value_int(r) : 0, s = SELF > 0 ? 1 : -1;
            return int_fix(o == s ? 0 : s > o ? 1 : -1);
        }
    }
    return num_cmp(self, argv[0]);
}
METHOD(flo_eq) { (void)argc; return bool_value(num_equal(self, argv[0])); }
METHOD(flo_eql) { (void)argc; return bool_value(is_float(argv[0]) && SELF == float_double(argv[0])); }
METHOD(flo_hash) { UNUSED_ARGS; return int_fix((int64_t)num_hash(self) >> 2); }
METHOD(flo_to_s) { UNUSED_ARGS; return float_to_str(self); }
METHOD(flo_to_i) { UNUSED_ARGS; return int_from_double(SELF); }
METHOD(flo_self) { UNUSED_ARGS; return self; }
METHOD(flo_neg) { UNUSED_ARGS; return float_value(-SELF); }
METHOD(flo_abs) { UNUSED_ARGS; return float_value(fabs(SELF)); }
METHOD(flo_nan) { UNUSED_ARGS; return bool_value(isnan(SELF)); }
METHOD(flo_finite) { UNUSED_ARGS; return bool_value(isfinite(SELF)); }
METHOD(flo_infinite) { UNUSED_ARGS; return isinf(SELF) ? int_fix(SELF < 0 ? -1 : 1) : V_NIL; }
METHOD(flo_zero) { UNUSED_ARGS; return bool_value(SELF == 0.0); }
METHOD(flo_positive) { UNUSED_ARGS; return bool_value(SELF > 0.0); }
METHOD(flo_negative) { UNUSED_ARGS; return bool_value(SELF < 0.0); }
METHOD(flo_next) { UNUSED_ARGS; return float_value(nextafter(SELF, INFINITY)); }
METHOD(flo_prev) { UNUSED_ARGS; return float_value(nextafter(SELF, -INFINITY)); }
METHOD(flo_coerce) { (void)argc; return ary_new_from(2, (Value[]){float_value(value_double(is_string(argv[0]) ? vm_call1(self, sym_intern("Float"), argv[0]) : argv[0])), self}); }
METHOD(flo_divmod)
{
    (void)argc;
    Value b = argv[0];
    if (!is_integer(b) && !is_float(b))
        return num_coerce_bin(self, b, sym_intern("divmod"));
    double x = SELF, y = is_integer(b) ? int_double(b) : float_double(b);
    if (y == 0.0)
        raise_zero_div();
    if (isnan(y))
        return int_from_double(NAN);
    double m = isinf(y) && !isinf(x) ? x : fmod(x, y);
    double q = isinf(x) && !isinf(y) ? x : (x - m) / y;
    if (y * m < 0) {
        m += y;
        q -= 1;
    }
    if (q != 0.0 && isfinite(q))
        q = round(q);
    return ary_new_from(2, (Value[]){int_from_double(q), float_value(m)});
}
METHOD(flo_quo) { (void)argc; return vm_call1(self, SYM(op_div), argv[0]); }
METHOD(flo_round)
{
    Value kw = call_take_keywords(&argc, argv);
    RoundMode mode = round_mode_of(kw);
    return float_round(SELF, argc ? round_digits(argv[0]) : 0, argc > 0, mode);
}
METHOD(flo_floor) { return float_round(SELF, argc ? round_digits(argv[0]) : 0, argc > 0, ROUND_FLOOR); }
METHOD(flo_ceil) { return float_round(SELF, argc ? round_digits(argv[0]) : 0, argc > 0, ROUND_CEIL); }
METHOD(flo_truncate)
{
    return float_round(SELF, argc ? round_digits(argv[0]) : 0, argc > 0, SELF < 0 ? ROUND_CEIL : ROUND_FLOOR);
}
METHOD(flo_to_r) { UNUSED_ARGS; return rat_from_double(SELF); }
METHOD(flo_rationalize)
{
    double d = SELF;
    if (isinf(d))
        return int_from_double(INFINITY);
    if (argc) {
        Value eps = vm_call0(argv[0], sym_intern("abs")), r = rat_from_double(d);
        return rat_simplest(rat_of(num_op(r, SYM(op_minus), eps)), rat_of(num_op(r, SYM(op_plus), eps)));
    }
    if (d == 0.0)
        return rat_raw(int_fix(0), int_fix(1));
    int e;
    double f = frexp(d, &e);
    Value m = int_from_double(ldexp(f, DBL_MANT_DIG));
    e -= DBL_MANT_DIG;
    if (e >= 0)
        return rat_raw(int_shift(m, e), int_fix(1));
    Value two_m = int_mul(m, int_fix(2)), den = int_shift(int_fix(1), 1 - e);
    Value lo = rational_new(int_sub(two_m, int_fix(1)), den), hi = rational_new(int_add(two_m, int_fix(1)), den);
    return rat_simplest(lo, hi);
}
METHOD(flo_numerator) { UNUSED_ARGS; return isfinite(SELF) ? rat_num(rat_from_double(SELF)) : self; }
METHOD(flo_denominator) { UNUSED_ARGS; return isfinite(SELF) ? rat_den(rat_from_double(SELF)) : int_fix(1); }
METHOD(flo_arg)
{
    UNUSED_ARGS;
    double d = SELF;
    if (isnan(d))
        return self;
    return d < 0 || (d == 0 && signbit(d)) ? float_value(M_PI) : int_fix(0);
}

static const Builtin methods[] = {
    {"+", flo_add, 1, 1, 0},
    {"-", flo_sub, 1, 1, 0},
    {"*", flo_mul, 1, 1, 0},
    {"/", flo_div, 1, 1, 0},
    {"%", flo_mod, 1, 1, 0},
    {"modulo", flo_mod, 1, 1, 0},
    {"**", flo_pow, 1, 1, 0},
    {"<", flo_lt, 1, 1, 0},
    {"<=", flo_le, 1, 1, 0},
    {">", flo_gt, 1, 1, 0},
    {">=", flo_ge, 1, 1, 0},
    {"<=>", flo_cmp, 1, 1, 0},
    {"==", flo_eq, 1, 1, 0},
    {"===", flo_eq, 1, 1, 0},
    {"eql?", flo_eql, 1, 1, 0},
    {"hash", flo_hash, 0, 0, 0},
    {"to_s", flo_to_s, 0, 0, 0},
    {"inspect", flo_to_s, 0, 0, 0},
    {"to_i", flo_to_i, 0, 0, 0},
    {"to_int", flo_to_i, 0, 0, 0},
    {"to_f", flo_self, 0, 0, 0},
    {"to_r", flo_to_r, 0, 0, 0},
    {"rationalize", flo_rationalize, 0, 1, 0},
    {"numerator", flo_numerator, 0, 0, 0},
    {"denominator", flo_denominator, 0, 0, 0},
    {"-@", flo_neg, 0, 0, 0},
    {"abs", flo_abs, 0, 0, 0},
    {"magnitude", flo_abs, 0, 0, 0},
    {"nan?", flo_nan, 0, 0, 0},
    {"finite?", flo_finite, 0, 0, 0},
    {"infinite?", flo_infinite, 0, 0, 0},
    {"zero?", flo_zero, 0, 0, 0},
    {"positive?", flo_positive, 0, 0, 0},
    {"negative?", flo_negative, 0, 0, 0},
    {"next_float", flo_next, 0, 0, 0},
    {"prev_float", flo_prev, 0, 0, 0},
    {"coerce", flo_coerce, 1, 1, 0},
    {"divmod", flo_divmod, 1, 1, 0},
    {"quo", flo_quo, 1, 1, 0},
    {"fdiv", flo_quo, 1, 1, 0},
    {"round", flo_round, 0, 1, BI_KW},
    {"floor", flo_floor, 0, 1, 0},
    {"ceil", flo_ceil, 0, 1, 0},
    {"truncate", flo_truncate, 0, 1, 0},
    {"arg", flo_arg, 0, 0, 0},
    {"angle", flo_arg, 0, 0, 0},
    {"phase", flo_arg, 0, 0, 0},
};

void float_boot(void)
{
    class_set_allocator(klass.Float, NULL);
    ADD_BUILTINS(klass.Float, methods);
    const struct {
        const char *name;
        Value v;
    } constants[] = {
        {"INFINITY", float_value(INFINITY)}, {"NAN", float_value(NAN)},         {"EPSILON", float_value(DBL_EPSILON)},
        {"MAX", float_value(DBL_MAX)},       {"MIN", float_value(DBL_MIN)},     {"DIG", int_fix(DBL_DIG)},
        {"MANT_DIG", int_fix(DBL_MANT_DIG)}, {"RADIX", int_fix(FLT_RADIX)},     {"MAX_EXP", int_fix(DBL_MAX_EXP)},
        {"MIN_EXP", int_fix(DBL_MIN_EXP)},   {"MAX_10_EXP", int_fix(DBL_MAX_10_EXP)}, {"MIN_10_EXP", int_fix(DBL_MIN_10_EXP)},
    };
    for (size_t i = 0; i < COUNT_OF(constants); i++)
        const_set(klass.Float, sym_intern(constants[i].name), constants[i].v);
}
