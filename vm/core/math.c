/* math.c -- module Math, and DomainError */
#include "vm/core/core_private.h"
#include "vm/core/number.h"

static Value domain_error;

static double arg(Value v)
{
    if (is_string(v))
        raise_error(klass.TypeError, "can't convert String into Float");
    return value_double(v);
}
static _Noreturn void domain(const char *name)
{
    raise_error(domain_error, "Numerical argument is out of domain - %s", name);
}

#define METHOD(name) static Value math_##name(Value self, int argc, const Value *argv)
#define PLAIN(name, expr)                   \
    METHOD(name)                            \
    {                                       \
        (void)self, (void)argc;             \
        double x = arg(argv[0]);            \
        return float_value(expr);           \
    }
#define LIMITED(name, bad, expr)            \
    METHOD(name)                            \
    {                                       \
        (void)self, (void)argc;             \
        double x = arg(argv[0]);            \
        if (bad)                            \
            domain(#name);                  \
        return float_value(expr);           \
    }
PLAIN(sin, sin(x))
PLAIN(cos, cos(x))
PLAIN(tan, tan(x))
PLAIN(atan, atan(x))
PLAIN(sinh, sinh(x))
PLAIN(cosh, cosh(x))
PLAIN(tanh, tanh(x))
PLAIN(asinh, asinh(x))
PLAIN(exp, exp(x))
PLAIN(expm1, expm1(x))
PLAIN(erf, erf(x))
PLAIN(erfc, erfc(x))
METHOD(cbrt)
{
    (void)self, (void)argc;
    double x = arg(argv[0]), r = cbrt(x);
    if (isfinite(r) && r != 0.0) /* one step of Newton's: glibc is an ulp off for cubes */
        r = (2.0 * r + x / r / r) / 3.0;
    return float_value(r);
}
LIMITED(log1p, x < -1.0, log1p(x))
LIMITED(asin, x < -1.0 || x > 1.0, asin(x))
LIMITED(acos, x < -1.0 || x > 1.0, acos(x))
LIMITED(acosh, x < 1.0, acosh(x))
LIMITED(atanh, x < -1.0 || x > 1.0, atanh(x))

METHOD(sqrt)
{
    (void)self, (void)argc;
    double x = arg(argv[0]);
    if (x < 0.0)
        domain("sqrt");
    return float_value(x == 0.0 ? 0.0 : sqrt(x));
}
METHOD(atan2)
{
    (void)self, (void)argc;
    return float_value(atan2(arg(argv[0]), arg(argv[1])));
}
METHOD(hypot)
{
    (void)self, (void)argc;
    return float_value(hypot(arg(argv[0]), arg(argv[1])));
}
/* log2 of a positive number, beyond a double's range too: mantissa and a count of bits */
static double mantissa(Value v, int64_t *bits, const char *name)
{
    *bits = 0;
    if (is_bignum(v) && int_sign(v) > 0) {
        int64_t n = (int64_t)int_bit_length(v);
        if (n > 1023) {
            *bits = n - 53;
            v = int_shift(v, -*bits);
        }
        return int_double(v);
    }
    double x = arg(v);
    if (x < 0.0)
        domain(name);
    return x;
}
METHOD(log)
{
    (void)self;
    int64_t bits;
    double x = mantissa(argv[0], &bits, "log"), r = log(x) + (double)bits * M_LN2;
    if (argc == 2) {
        int64_t base_bits;
        double b = mantissa(argv[1], &base_bits, "log");
        if (b == 2.0 && !base_bits)
            return float_value(log2(x) + (double)bits);
        if (b == 10.0 && !base_bits && !bits)
            return float_value(log10(x));
        r /= log(b) + (double)base_bits * M_LN2;
    }
    return float_value(r);
}
METHOD(log2)
{
    (void)self, (void)argc;
    int64_t bits;
    double x = mantissa(argv[0], &bits, "log2");
    return float_value(log2(x) + (double)bits);
}
METHOD(log10)
{
    (void)self, (void)argc;
    int64_t bits;
    double x = mantissa(argv[0], &bits, "log10");
    return float_value(log10(x) + (double)bits * 0.30102999566398119521);
}
METHOD(frexp)
{
    (void)self, (void)argc;
    int e;
    double f = frexp(arg(argv[0]), &e);
    return ary_new_from(2, (Value[]){float_value(f), int_fix(e)});
}
METHOD(ldexp)
{
    (void)self, (void)argc;
    int64_t e = value_int(argv[1]);
    return float_value(ldexp(arg(argv[0]), (int)MAX(MIN(e, (int64_t)100000), (int64_t)-100000)));
}
METHOD(gamma)
{
    (void)self, (void)argc;
    double x = arg(argv[0]);
    if (x == floor(x) && x >= 1.0 && x <= 23.0) { /* exact factorials */
        double r = 1.0;
        for (double i = 2.0; i < x; i += 1.0)
            r *= i;
        return float_value(r);
    }
    if (x == 0.0)
        return float_value(signbit(x) ? -INFINITY : INFINITY);
    if (x == -INFINITY || (x < 0 && x == floor(x)))
        domain("gamma");
    return float_value(tgamma(x));
}
METHOD(lgamma)
{
    (void)self, (void)argc;
    double x = arg(argv[0]);
    if (isinf(x)) {
        if (x < 0)
            domain("lgamma");
        return ary_new_from(2, (Value[]){float_value(INFINITY), int_fix(1)});
    }
    if (x == 0.0)
        return ary_new_from(2, (Value[]){float_value(INFINITY), int_fix(signbit(x) ? -1 : 1)});
    int sign = 1;
    double r = lgamma_r(x, &sign);
    return ary_new_from(2, (Value[]){float_value(r), int_fix(sign < 0 ? -1 : 1)});
}

#define ROW(name, n) {#name, math_##name, n, n, BI_MODULE_FUNCTION}
static const Builtin methods[] = {
    ROW(atan2, 2), ROW(cos, 1),   ROW(sin, 1),   ROW(tan, 1),   ROW(acos, 1),  ROW(asin, 1),  ROW(atan, 1),
    ROW(cosh, 1),  ROW(sinh, 1),  ROW(tanh, 1),  ROW(acosh, 1), ROW(asinh, 1), ROW(atanh, 1), ROW(exp, 1),
    ROW(expm1, 1), ROW(log1p, 1), ROW(log2, 1),  ROW(log10, 1), ROW(sqrt, 1),  ROW(cbrt, 1),  ROW(frexp, 1),
    ROW(ldexp, 2), ROW(hypot, 2), ROW(erf, 1),   ROW(erfc, 1),  ROW(gamma, 1), ROW(lgamma, 1),
    {"log", math_log, 1, 2, BI_MODULE_FUNCTION},
};

void math_boot(void)
{
    domain_error = class_define_under(klass.Math, "DomainError", klass.ArgumentError);
    heap_add_root(&domain_error);
    ADD_BUILTINS(klass.Math, methods);
    const_set(klass.Math, sym_intern("PI"), float_value(M_PI));
    const_set(klass.Math, sym_intern("E"), float_value(M_E));
}
