/* numeric.c -- class Numeric, coercion between numbers, and Kernel's conversions: Integer() Float() String() ... */
#include "vm/core/core_private.h"
#include "vm/core/number.h"

/* ---- coercion ---- */

static void raise_coerce(Value a, Value b)
{
    bool special = is_immediate(b) && !is_flonum(b);
    raise_error(klass.TypeError, special ? "%V can't be coerced into %C" : "%C can't be coerced into %C", special ? b : class_real(b), class_real(a));
}
static bool coerce_pair(Value a, Value b, Value *x, Value *y, bool must)
{
    Value pair = vm_call_if_responds(b, SYM(coerce), 1, &a);
    if (is_undef(pair)) {
        if (must)
            raise_coerce(a, b);
        return false;
    }
    if (!must && is_nil(pair))
        return false;
    if (!is_array(pair) || ary_len(pair) != 2)
        raise_error(klass.TypeError, "coerce must return [x, y]");
    *x = ary_get(pair, 0);
    *y = ary_get(pair, 1);
    return true;
}
Value num_coerce_bin(Value a, Value b, Value op)
{
    Value x, y;
    coerce_pair(a, b, &x, &y, true);
    return vm_call1(x, op, y);
}
Value num_coerce_cmp(Value a, Value b, Value op)
{
    Value x, y;
    return coerce_pair(a, b, &x, &y, false) ? vm_call1(x, op, y) : V_NIL;
}
void raise_compare(Value a, Value b)
{
    bool special = is_immediate(b) || is_float(b);
    raise_error(klass.ArgumentError, special ? "comparison of %C with %V failed" : "comparison of %C with %C failed", class_real(a),
                special ? b : class_real(b));
}
Value num_coerce_rel(Value a, Value b, Value op)
{
    Value x, y, r;
    if (!coerce_pair(a, b, &x, &y, false) || is_nil(r = vm_call1(x, op, y)))
        raise_compare(a, b);
    return r;
}

Value num_op(Value a, Value op, Value b)
{
    if (op == SYM(op_plus))
        return num_add(a, b);
    if (op == SYM(op_minus))
        return num_sub(a, b);
    if (op == SYM(op_mul))
        return num_mul(a, b);
    if (op == SYM(op_div))
        return num_div(a, b);
    return vm_call1(a, op, b);
}
Value num_neg(Value a)
{
    if (is_integer(a))
        return int_neg(a);
    if (is_float(a))
        return float_value(-float_double(a));
    return vm_call0(a, SYM(op_uminus));
}
Value num_pow(Value a, Value b)
{
    return vm_call1(a, SYM(op_pow), b);
}
bool num_zero(Value a)
{
    if (is_integer(a))
        return a == int_fix(0);
    if (is_float(a))
        return float_double(a) == 0.0;
    if (is_rational(a))
        return rat_num(a) == int_fix(0);
    return truthy(vm_call1(a, SYM(op_eq), int_fix(0)));
}
bool num_negative(Value a)
{
    if (is_integer(a))
        return int_sign(a) < 0;
    if (is_float(a))
        return float_double(a) < 0;
    if (is_rational(a))
        return int_sign(rat_num(a)) < 0;
    return truthy(vm_call1(a, SYM(op_lt), int_fix(0)));
}

/* ---- to C numbers ---- */

Value int_convert(Value v)
{
    if (is_integer(v))
        return v;
    if (is_float(v))
        return int_from_double(float_double(v));
    if (is_string(v) || is_immediate(v))
        raise_no_conversion(v, "Integer");
    Value r = vm_call_if_responds(v, SYM(to_int), 0, NULL);
    if (is_undef(r))
        raise_no_conversion(v, "Integer");
    if (!is_integer(r))
        raise_error(klass.TypeError, "can't convert %C to Integer (%C#to_int gives %C)", class_real(v), class_real(v), class_real(r));
    return r;
}
int64_t value_int(Value v)
{
    if (is_fixnum(v))
        return fix_int(v);
    if (is_float(v)) {
        double d = float_double(v);
        if (!(d < 9223372036854775808.0 && d >= -9223372036854775808.0)) {
            if (isnan(d) || isinf(d))
                raise_error(klass.FloatDomainError, isnan(d) ? "NaN" : d < 0 ? "-Infinity" : "Infinity");
            raise_error(klass.RangeError, "float %.10g out of range of integer", d);
        }
        return (int64_t)d;
    }
    if (is_nil(v))
        raise_error(klass.TypeError, "no implicit conversion from nil to integer");
    v = int_convert(v);
    if (is_fixnum(v))
        return fix_int(v);
    MpzView x;
    mpz_srcptr z = int_view(&x, v);
    if (!mpz_fits_slong_p(z))
        raise_error(klass.RangeError, "bignum too big to convert into 'long'");
    int64_t n = mpz_get_si(z);
    KEEP(v);
    return n;
}
int64_t value_int_range(Value v, int64_t lo, int64_t hi, const char *what)
{
    (void)what;
    int64_t n = value_int(v);
    if (n < lo || n > hi)
        raise_error(klass.RangeError, "integer %lld too %s to convert to 'int'", (long long)n, n < lo ? "small" : "big");
    return n;
}
double value_double(Value v)
{
    if (is_float(v))
        return float_double(v);
    if (is_integer(v))
        return int_double(v);
    if (is_rational(v))
        return rat_double(v);
    if (is_string(v))
        raise_error(klass.TypeError, "no implicit conversion to float from string");
    if (is_nil(v) || v == V_TRUE || v == V_FALSE)
        raise_error(klass.TypeError, "can't convert %V into Float", v);
    if (!obj_is_kind_of(v, klass.Numeric))
        raise_error(klass.TypeError, "can't convert %C into Float", class_real(v));
    Value f = vm_call_if_responds(v, SYM(to_f), 0, NULL);
    if (is_undef(f) || !is_float(f))
        raise_error(klass.TypeError, "can't convert %C into Float", class_real(v));
    return float_double(f);
}

/* ---- Kernel ---- */

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

bool take_exception(int *argc, const Value *argv) /* exception: true */
{
    static const char *const names[] = {"exception", NULL};
    Value kw = call_take_keywords(argc, argv);
    if (is_nil(kw))
        return true;
    keywords_only(kw, names);
    Value v = keyword_get(kw, "exception");
    if (is_undef(v) || v == V_TRUE)
        return true;
    if (v != V_FALSE)
        raise_error(klass.ArgumentError, "expected true or false as exception: %V", v);
    return false;
}
static Value kernel_integer(Value v, int64_t base, bool have_base, bool raise)
{
    if (have_base) {
        Value s = is_string(v) ? v : obj_try_convert(v, T_STRING, "String", SYM(to_str));
        if (is_nil(s)) {
            if (!raise)
                return V_NIL;
            raise_error(klass.ArgumentError, "base specified for non string value");
        }
        v = s;
    }
    if (is_integer(v))
        return v;
    if (is_float(v)) {
        double d = float_double(v);
        if (!raise && !isfinite(d))
            return V_NIL;
        return int_from_double(d);
    }
    if (is_string(v)) {
        StrView s = str_view(v);
        Value r = str_to_integer(s.ptr, s.len, (int)base, true, raise);
        KEEP(v);
        return r;
    }
    if (is_nil(v)) {
        if (!raise)
            return V_NIL;
        raise_error(klass.TypeError, "can't convert nil into Integer");
    }
    if (is_heap(v)) {
        Value r = vm_call_if_responds(v, SYM(to_int), 0, NULL);
        if (!is_undef(r) && is_integer(r))
            return r;
        Value s = obj_try_convert(v, T_STRING, "String", SYM(to_str));
        if (is_string(s))
            return kernel_integer(s, base, have_base, raise);
        r = vm_call_if_responds(v, SYM(to_i), 0, NULL);
        if (!is_undef(r)) {
            if (is_integer(r))
                return r;
            if (!raise)
                return V_NIL;
            raise_error(klass.TypeError, "can't convert %C to Integer (%C#to_i gives %C)", class_real(v), class_real(v), class_real(r));
        }
    }
    if (!raise)
        return V_NIL;
    raise_error(klass.TypeError, is_immediate(v) && !is_symbol(v) ? "can't convert %V into Integer" : "can't convert %C into Integer",
                is_heap(v) ? class_real(v) : v);
}
METHOD(k_integer)
{
    (void)self;
    bool raise = take_exception(&argc, argv);
    if (argc < 1 || argc > 2)
        raise_arity(argc, 1, 2);
    bool have_base = argc == 2 && !is_nil(argv[1]);
    return kernel_integer(argv[0], have_base ? value_int(argv[1]) : 0, have_base, raise);
}
METHOD(k_float)
{
    (void)self;
    bool raise = take_exception(&argc, argv);
    if (argc != 1)
        raise_arity(argc, 1, 1);
    Value v = argv[0];
    if (is_float(v))
        return v;
    if (is_integer(v))
        return float_value(int_double(v));
    if (is_string(v)) {
        StrView s = str_view(v);
        Value r = str_to_float(s.ptr, s.len, true, raise);
        KEEP(v);
        return r;
    }
    if (!raise && !obj_is_kind_of(v, klass.Numeric)) {
        Value r = is_nil(v) ? V_UNDEF : vm_call_if_responds(v, SYM(to_f), 0, NULL);
        return is_undef(r) || !is_float(r) ? V_NIL : r;
    }
    if (is_heap(v) && !obj_is_kind_of(v, klass.Numeric)) {
        Value r = vm_call_if_responds(v, SYM(to_f), 0, NULL);
        if (!is_undef(r) && is_float(r))
            return r;
    }
    if (is_complex(v)) {
        if (!num_zero(cpx_im(v)) || !is_integer(cpx_im(v))) {
            if (!raise)
                return V_NIL;
            raise_error(klass.RangeError, "can't convert %T into Float", v);
        }
        v = cpx_re(v);
    }
    return float_value(value_double(v));
}
METHOD(k_string)
{
    (void)self, (void)argc;
    Value v = argv[0];
    if (is_string(v))
        return v;
    Value s = obj_try_convert(v, T_STRING, "String", SYM(to_str));
    return is_nil(s) ? obj_convert(v, T_STRING, "String", SYM(to_s)) : s;
}
/* ---- Numeric ---- */

METHOD(num_m_coerce)
{
    (void)argc;
    if (class_real(self) == class_real(argv[0]))
        return ary_new_from(2, (Value[]){argv[0], self});
    Value x = is_string(argv[0]) ? vm_call1(self, sym_intern("Float"), argv[0]) : float_value(value_double(argv[0]));
    return ary_new_from(2, (Value[]){x, float_value(value_double(self))});
}
METHOD(num_m_self) { UNUSED_ARGS; return self; }
METHOD(num_m_neg)
{
    UNUSED_ARGS;
    Value x, y;
    coerce_pair(int_fix(0), self, &x, &y, true);
    return vm_call1(x, SYM(op_minus), y);
}
METHOD(num_m_cmp) { (void)argc; return self == argv[0] || obj_equal(self, argv[0]) ? int_fix(0) : V_NIL; }
METHOD(num_m_eql)
{
    (void)argc;
    if (class_real(self) != class_real(argv[0]))
        return V_FALSE;
    return bool_value(is_bignum(self) ? int_cmp(self, argv[0]) == 0 : obj_equal(self, argv[0]));
}
METHOD(num_m_div)
{
    (void)argc;
    if (num_zero(argv[0]))
        raise_zero_div();
    return vm_call0(num_op(self, SYM(op_div), argv[0]), sym_intern("floor"));
}
METHOD(num_m_mod)
{
    (void)argc;
    return vm_call1(self, SYM(op_minus), vm_call1(argv[0], SYM(op_mul), vm_call1(self, sym_intern("div"), argv[0])));
}
METHOD(num_m_divmod)
{
    (void)argc;
    return ary_new_from(2, (Value[]){vm_call1(self, sym_intern("div"), argv[0]), vm_call1(self, SYM(op_mod), argv[0])});
}
METHOD(num_m_remainder)
{
    (void)argc;
    Value b = argv[0], z = vm_call1(self, SYM(op_mod), b);
    if (!num_zero(z) && num_negative(self) != num_negative(b)) {
        if (is_float(b) && isinf(float_double(b)))
            return self;
        return num_op(z, SYM(op_minus), b);
    }
    return z;
}
METHOD(num_m_fdiv) { (void)argc; return num_op(vm_call1(self, sym_intern("Float"), self), SYM(op_div), argv[0]); }
METHOD(num_m_quo)
{
    (void)argc;
    if (is_float(argv[0]))
        return vm_call1(self, sym_intern("fdiv"), argv[0]);
    Value r = is_integer(self) ? rat_raw(self, int_fix(1)) : obj_convert(self, T_RATIONAL, "Rational", SYM(to_r));
    return vm_call1(r, SYM(op_div), argv[0]);
}
METHOD(num_m_abs) { UNUSED_ARGS; return num_negative(self) ? num_neg(self) : self; }
METHOD(num_m_to_int) { UNUSED_ARGS; return vm_call0(self, SYM(to_i)); }
METHOD(num_m_integer) { (void)self; UNUSED_ARGS; return V_FALSE; }
METHOD(num_m_true) { (void)self; UNUSED_ARGS; return V_TRUE; }
METHOD(num_m_nil) { (void)self; UNUSED_ARGS; return V_NIL; }
METHOD(num_m_zero_p) { UNUSED_ARGS; return bool_value(num_zero(self)); }
METHOD(num_m_nonzero) { UNUSED_ARGS; return truthy(vm_call0(self, sym_intern("zero?"))) ? V_NIL : self; }
METHOD(num_m_positive) { UNUSED_ARGS; return vm_call1(self, SYM(op_gt), int_fix(0)); }
METHOD(num_m_negative) { UNUSED_ARGS; return vm_call1(self, SYM(op_lt), int_fix(0)); }
METHOD(num_m_floor) { return vm_call(vm_call1(self, sym_intern("Float"), self), sym_intern("floor"), argc, argv); }
METHOD(num_m_ceil) { return vm_call(vm_call1(self, sym_intern("Float"), self), sym_intern("ceil"), argc, argv); }
METHOD(num_m_round) { return vm_call(vm_call1(self, sym_intern("Float"), self), sym_intern("round"), argc, argv); }
METHOD(num_m_truncate) { return vm_call(vm_call1(self, sym_intern("Float"), self), sym_intern("truncate"), argc, argv); }
METHOD(num_m_i) { UNUSED_ARGS; return cpx_raw(int_fix(0), self); }
METHOD(num_m_zero) { (void)self; UNUSED_ARGS; return int_fix(0); }
METHOD(num_m_abs2) { UNUSED_ARGS; return num_op(self, SYM(op_mul), self); }
METHOD(num_m_arg) { UNUSED_ARGS; return num_negative(self) ? float_value(M_PI) : int_fix(0); }
METHOD(num_m_rect) { UNUSED_ARGS; return ary_new_from(2, (Value[]){self, int_fix(0)}); }
METHOD(num_m_polar)
{
    UNUSED_ARGS;
    return ary_new_from(2, (Value[]){vm_call0(self, sym_intern("abs")), vm_call0(self, sym_intern("arg"))});
}
METHOD(num_m_to_c) { UNUSED_ARGS; return cpx_raw(self, int_fix(0)); }
METHOD(num_m_numerator) { UNUSED_ARGS; return vm_call0(vm_call0(self, SYM(to_r)), SYM(numerator)); }
METHOD(num_m_denominator) { UNUSED_ARGS; return vm_call0(vm_call0(self, SYM(to_r)), SYM(denominator)); }
METHOD(num_m_clone)
{
    Value kw = call_take_keywords(&argc, argv);
    if (!is_nil(kw)) {
        Value freeze = keyword_get(kw, "freeze");
        if (freeze == V_FALSE)
            raise_error(klass.ArgumentError, "can't unfreeze %C", class_real(self));
        if (!is_undef(freeze) && !is_nil(freeze) && freeze != V_TRUE)
            raise_error(klass.ArgumentError, "unexpected value for freeze: %C", class_real(freeze));
    }
    return self;
}
METHOD(num_m_singleton_added)
{
    (void)argc;
    method_remove(obj_singleton_class(self), argv[0]);
    raise_error(klass.TypeError, "can't define singleton method \"%T\" for %C", argv[0], class_real(self));
}

static const Builtin methods[] = {
    {"coerce", num_m_coerce, 1, 1, 0},
    {"singleton_method_added", num_m_singleton_added, 1, 1, 0},
    {"clone", num_m_clone, 0, 0, BI_KW},
    {"dup", num_m_self, 0, 0, 0},
    {"+@", num_m_self, 0, 0, 0},
    {"-@", num_m_neg, 0, 0, 0},
    {"i", num_m_i, 0, 0, 0},
    {"<=>", num_m_cmp, 1, 1, 0},
    {"eql?", num_m_eql, 1, 1, 0},
    {"fdiv", num_m_fdiv, 1, 1, 0},
    {"quo", num_m_quo, 1, 1, 0},
    {"div", num_m_div, 1, 1, 0},
    {"divmod", num_m_divmod, 1, 1, 0},
    {"%", num_m_mod, 1, 1, 0},
    {"modulo", num_m_mod, 1, 1, 0},
    {"remainder", num_m_remainder, 1, 1, 0},
    {"abs", num_m_abs, 0, 0, 0},
    {"magnitude", num_m_abs, 0, 0, 0},
    {"to_int", num_m_to_int, 0, 0, 0},
    {"real?", num_m_true, 0, 0, 0},
    {"integer?", num_m_integer, 0, 0, 0},
    {"zero?", num_m_zero_p, 0, 0, 0},
    {"nonzero?", num_m_nonzero, 0, 0, 0},
    {"finite?", num_m_true, 0, 0, 0},
    {"infinite?", num_m_nil, 0, 0, 0},
    {"positive?", num_m_positive, 0, 0, 0},
    {"negative?", num_m_negative, 0, 0, 0},
    {"floor", num_m_floor, 0, 1, 0},
    {"ceil", num_m_ceil, 0, 1, 0},
    {"round", num_m_round, 0, 1, 0},
    {"truncate", num_m_truncate, 0, 1, 0},
    {"real", num_m_self, 0, 0, 0},
    {"imaginary", num_m_zero, 0, 0, 0},
    {"imag", num_m_zero, 0, 0, 0},
    {"abs2", num_m_abs2, 0, 0, 0},
    {"arg", num_m_arg, 0, 0, 0},
    {"angle", num_m_arg, 0, 0, 0},
    {"phase", num_m_arg, 0, 0, 0},
    {"rectangular", num_m_rect, 0, 0, 0},
    {"rect", num_m_rect, 0, 0, 0},
    {"polar", num_m_polar, 0, 0, 0},
    {"conjugate", num_m_self, 0, 0, 0},
    {"conj", num_m_self, 0, 0, 0},
    {"to_c", num_m_to_c, 0, 0, 0},
    {"numerator", num_m_numerator, 0, 0, 0},
    {"denominator", num_m_denominator, 0, 0, 0},
};
static const Builtin kernel[] = {
    {"Integer", k_integer, 1, 2, BI_MODULE_FUNCTION | BI_KW},
    {"Float", k_float, 1, 1, BI_MODULE_FUNCTION | BI_KW},
    {"String", k_string, 1, 1, BI_MODULE_FUNCTION},
};

void numeric_boot(void)
{
    module_include(klass.Numeric, klass.Comparable);
    ADD_BUILTINS(klass.Numeric, methods);
    ADD_BUILTINS(klass.Kernel, kernel);
}
