/* complex.c -- class Complex over any real numbers: parts are combined by the generic operators */
#include "vm/core/core_private.h"
#include "vm/core/number.h"

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv
/* Exact zeros and ones leave the other operand as it is (signs of zeros, infinities). */
static Value ADD(Value a, Value b)
{
    return b == int_fix(0) ? a : a == int_fix(0) ? b : num_add(a, b);
}
static Value SUB(Value a, Value b)
{
    return b == int_fix(0) ? a : num_sub(a, b);
}
static Value MUL(Value a, Value b)
{
    if ((a == int_fix(0) && is_integer(b)) || (b == int_fix(0) && is_integer(a)))
        return int_fix(0);
    return a == int_fix(1) ? b : b == int_fix(1) ? a : num_mul(a, b);
}

Value cpx_raw(Value re, Value im)
{
    Value v = heap_alloc_slots(T_COMPLEX, klass.Complex, 0);
    obj_init_field(v, 0, re);
    obj_init_field(v, 1, im);
    obj_ptr(v)->head |= OH_FROZEN;
    return v;
}
static Value need_real(Value v)
{
    if (is_real_number(v))
        return v;
    if (is_complex(v) || !obj_is_kind_of(v, klass.Numeric) || !truthy(vm_call0(v, sym_intern("real?"))))
        raise_error(klass.TypeError, "not a real");
    return v;
}
Value complex_new(Value re, Value im)
{
    return cpx_raw(re, im);
}
static bool is_exact_zero(Value v)
{
    return v == int_fix(0) || (is_rational(v) && rat_num(v) == int_fix(0));
}
static bool real_number_p(Value v)
{
    return is_real_number(v) || (obj_is_kind_of(v, klass.Numeric) && !is_complex(v) && truthy(vm_call0(v, sym_intern("real?"))));
}
static Value quo(Value a, Value b)
{
    if (is_integer(a) && is_integer(b)) {
        if (b == int_fix(0))
            raise_zero_div();
        return rational_new(a, b);
    }
    return vm_call1(a, sym_intern("quo"), b);
}
static Value simple(Value v) /* (3/1) -> 3 */
{
    return is_rational(v) && rat_den(v) == int_fix(1) ? rat_num(v) : v;
}
static double part_double(Value v) { return value_double(v); }
static double cpx_abs(Value c) { return hypot(part_double(cpx_re(c)), part_double(cpx_im(c))); }
static double cpx_arg(Value c) { return atan2(part_double(cpx_im(c)), part_double(cpx_re(c))); }
static Value polar(Value r, Value theta)
{
    Value zero = float_value(0.0);
    if (num_zero(r) || num_zero(theta))
        return cpx_raw(r, zero);
    double t = value_double(theta);
    if (t == M_PI)
        return cpx_raw(num_neg(r), zero);
    if (t == M_PI_2)
        return cpx_raw(zero, r);
    if (t == M_PI_4) {
        Value part = MUL(r, float_value(M_SQRT1_2));
        return cpx_raw(part, part);
    }
    return cpx_raw(MUL(r, float_value(cos(t))), MUL(r, float_value(sin(t))));
}

/* Exact where the angle is a multiple of a half: powers of negative numbers. */
Value cpx_polar_pi(double abs, double turns)
{
    double x = fmod(turns, 2.0);
    if (x < 0)
        x += 2.0;
    if (x == 0.0 || x == 1.0)
        return float_value(x == 0.0 ? abs : -abs);
    if (x == 0.5 || x == 1.5)
        return cpx_raw(float_value(0.0), float_value(x == 0.5 ? abs : -abs));
    double q = x > 1.0 ? 2.0 - x : x, c, s; /* 0..1: the upper half */
    bool left = q > 0.5;
    if (left)
        q = 1.0 - q;
    c = cos(M_PI * q);
    s = sin(M_PI * q);
    return cpx_raw(float_value(abs * (left ? -c : c)), float_value(abs * (x > 1.0 ? -s : s)));
}

METHOD(cpx_m_real) { UNUSED_ARGS; return cpx_re(self); }
METHOD(cpx_m_imag) { UNUSED_ARGS; return cpx_im(self); }
METHOD(cpx_m_neg) { UNUSED_ARGS; return cpx_raw(num_neg(cpx_re(self)), num_neg(cpx_im(self))); }
METHOD(cpx_m_add)
{
    (void)argc;
    Value b = argv[0];
    if (is_complex(b))
        return cpx_raw(ADD(cpx_re(self), cpx_re(b)), ADD(cpx_im(self), cpx_im(b)));
    if (real_number_p(b))
        return cpx_raw(ADD(cpx_re(self), b), cpx_im(self));
    return num_coerce_bin(self, b, SYM(op_plus));
}
METHOD(cpx_m_sub)
{
    (void)argc;
    Value b = argv[0];
    if (is_complex(b))
        return cpx_raw(SUB(cpx_re(self), cpx_re(b)), SUB(cpx_im(self), cpx_im(b)));
    if (real_number_p(b))
        return cpx_raw(SUB(cpx_re(self), b), cpx_im(self));
    return num_coerce_bin(self, b, SYM(op_minus));
}
static Value cpx_mul(Value a, Value b)
{
    Value ar = cpx_re(a), ai = cpx_im(a), br = cpx_re(b), bi = cpx_im(b);
    return cpx_raw(SUB(MUL(ar, br), MUL(ai, bi)), ADD(MUL(ar, bi), MUL(ai, br)));
}
METHOD(cpx_m_mul)
{
    (void)argc;
    Value b = argv[0];
    if (is_complex(b))
        return cpx_mul(self, b);
    if (real_number_p(b))
        return cpx_raw(MUL(cpx_re(self), b), MUL(cpx_im(self), b));
    return num_coerce_bin(self, b, SYM(op_mul));
}
static Value cpx_quo(Value a, Value b)
{
    Value ar = cpx_re(a), ai = cpx_im(a), br = cpx_re(b), bi = cpx_im(b);
    if (is_float(ar) || is_float(ai) || is_float(br) || is_float(bi)) {
        Value abr = num_negative(br) ? num_neg(br) : br, abi = num_negative(bi) ? num_neg(bi) : bi;
        if (truthy(vm_call1(abr, SYM(op_gt), abi))) {
            Value r = quo(bi, br), n = MUL(br, ADD(MUL(r, r), int_fix(1)));
            return cpx_raw(quo(ADD(ar, MUL(ai, r)), n), quo(SUB(ai, MUL(ar, r)), n));
        }
        Value r = quo(br, bi), n = MUL(bi, ADD(MUL(r, r), int_fix(1)));
        return cpx_raw(quo(ADD(MUL(ar, r), ai), n), quo(SUB(MUL(ai, r), ar), n));
    }
    Value d = ADD(MUL(br, br), MUL(bi, bi));
    if (is_integer(ar) && is_integer(ai) && is_integer(br) && is_integer(bi))
        d = rat_raw(d, int_fix(1));
    if (num_zero(d))
        raise_zero_div();
    return cpx_raw(simple(quo(ADD(MUL(ar, br), MUL(ai, bi)), d)), simple(quo(SUB(MUL(ai, br), MUL(ar, bi)), d)));
}
METHOD(cpx_m_quo)
{
    (void)argc;
    Value b = argv[0];
    if (is_complex(b))
        return cpx_quo(self, b);
    if (real_number_p(b))
        return cpx_raw(simple(quo(cpx_re(self), b)), simple(quo(cpx_im(self), b)));
    return num_coerce_bin(self, b, SYM(op_div));
}
METHOD(cpx_m_fdiv) { (void)argc; return cpx_raw(vm_call1(cpx_re(self), sym_intern("fdiv"), argv[0]), vm_call1(cpx_im(self), sym_intern("fdiv"), argv[0])); }
METHOD(cpx_m_pow)
{
    (void)argc;
    Value b = argv[0];
    if (is_exact_zero(b))
        return cpx_raw(int_fix(1), int_fix(0));
    if (is_rational(b) && rat_den(b) == int_fix(1))
        b = rat_num(b);
    if (is_complex(b) && is_exact_zero(cpx_im(b)))
        b = cpx_re(b);
    if (b == int_fix(1))
        return cpx_raw(cpx_re(self), cpx_im(self));
    if (num_zero(cpx_re(self)) && num_zero(cpx_im(self))) {
        bool neg = num_negative(is_complex(b) ? cpx_re(b) : b);
        if (neg)
            raise_zero_div();
        return cpx_raw(int_fix(0), int_fix(0));
    }
    if (is_complex(b)) {
        double r = cpx_abs(self), t = cpx_arg(self), br = part_double(cpx_re(b)), bi = part_double(cpx_im(b));
        double nr = exp(br * log(r) - bi * t), nt = t * br + bi * log(r);
        return polar(float_value(nr), float_value(nt));
    }
    if (is_fixnum(b)) {
        int64_t e = fix_int(b);
        Value base = self, result = V_NIL;
        if (e < 0) {
            base = cpx_quo(cpx_raw(int_fix(1), int_fix(0)), self);
            e = -e;
        }
        for (; e; e >>= 1) {
            if (e & 1)
                result = is_nil(result) ? base : cpx_mul(result, base);
            if (e > 1)
                base = cpx_mul(base, base);
        }
        return result;
    }
    if (is_real_number(b)) {
        double r = cpx_abs(self), t = cpx_arg(self), e = value_double(b);
        return polar(float_value(pow(r, e)), float_value(t * e));
    }
    return num_coerce_bin(self, b, SYM(op_pow));
}
METHOD(cpx_m_eq)
{
    (void)argc;
    Value b = argv[0];
    if (is_complex(b))
        return bool_value(num_equal(cpx_re(self), cpx_re(b)) && num_equal(cpx_im(self), cpx_im(b)));
    if (real_number_p(b))
        return bool_value(num_equal(cpx_re(self), b) && num_zero(cpx_im(self)));
    return bool_value(obj_equal(b, self));
}
METHOD(cpx_m_cmp)
{
    (void)argc;
    if (!num_zero(cpx_im(self)))
        return V_NIL;
    if (is_complex(argv[0]))
        return num_zero(cpx_im(argv[0])) ? num_cmp(cpx_re(self), cpx_re(argv[0])) : V_NIL;
    return real_number_p(argv[0]) ? num_cmp(cpx_re(self), argv[0]) : V_NIL;
}
METHOD(cpx_m_coerce)
{
    (void)argc;
    if (is_complex(argv[0]))
        return ary_new_from(2, (Value[]){argv[0], self});
    if (real_number_p(argv[0]))
        return ary_new_from(2, (Value[]){cpx_raw(argv[0], int_fix(0)), self});
    raise_error(klass.TypeError, "%C can't be coerced into Complex", argv[0]);
}
METHOD(cpx_m_abs) { UNUSED_ARGS; return float_value(cpx_abs(self)); }
METHOD(cpx_m_abs2) { UNUSED_ARGS; return ADD(MUL(cpx_re(self), cpx_re(self)), MUL(cpx_im(self), cpx_im(self))); }
METHOD(cpx_m_arg) { UNUSED_ARGS; return float_value(cpx_arg(self)); }
METHOD(cpx_m_polar) { UNUSED_ARGS; return ary_new_from(2, (Value[]){float_value(cpx_abs(self)), float_value(cpx_arg(self))}); }
METHOD(cpx_m_rect) { UNUSED_ARGS; return ary_new_from(2, (Value[]){cpx_re(self), cpx_im(self)}); }
METHOD(cpx_m_conj) { UNUSED_ARGS; return cpx_raw(cpx_re(self), num_neg(cpx_im(self))); }
METHOD(cpx_m_false) { (void)self; UNUSED_ARGS; return V_FALSE; }
METHOD(cpx_m_self) { UNUSED_ARGS; return self; }
METHOD(cpx_m_finite)
{
    UNUSED_ARGS;
    return bool_value(isfinite(part_double(cpx_re(self))) && isfinite(part_double(cpx_im(self))));
}
METHOD(cpx_m_infinite)
{
    UNUSED_ARGS;
    return isinf(part_double(cpx_re(self))) || isinf(part_double(cpx_im(self))) ? int_fix(1) : V_NIL;
}
METHOD(cpx_m_hash) { UNUSED_ARGS; return int_fix((int64_t)num_hash(self) >> 2); }
METHOD(cpx_m_eql)
{
    (void)argc;
    Value b = argv[0];
    return bool_value(is_complex(b) && class_real(cpx_re(self)) == class_real(cpx_re(b)) &&
                      class_real(cpx_im(self)) == class_real(cpx_im(b)) && num_equal(cpx_re(self), cpx_re(b)) &&
                      num_equal(cpx_im(self), cpx_im(b)));
}
static void need_exact_real(Value self, const char *to)
{
    if (!is_exact_zero(cpx_im(self)))
        raise_error(klass.RangeError, "can't convert %T into %s", self, to);
}
METHOD(cpx_m_to_i) { UNUSED_ARGS; need_exact_real(self, "Integer"); return vm_call0(cpx_re(self), SYM(to_i)); }
METHOD(cpx_m_to_f) { UNUSED_ARGS; need_exact_real(self, "Float"); return vm_call0(cpx_re(self), SYM(to_f)); }
METHOD(cpx_m_to_r)
{
    UNUSED_ARGS;
    if (!(is_float(cpx_im(self)) && float_double(cpx_im(self)) == 0.0))
        need_exact_real(self, "Rational");
    return vm_call0(cpx_re(self), SYM(to_r));
}
METHOD(cpx_m_rationalize) { need_exact_real(self, "Rational"); return vm_call(cpx_re(self), sym_intern("rationalize"), argc, argv); }
static Value int_lcm2(Value a, Value b)
{
    return int_abs(int_mul(a, int_div(b, int_gcd(a, b))));
}
METHOD(cpx_m_denominator)
{
    UNUSED_ARGS;
    return int_lcm2(vm_call0(cpx_re(self), SYM(denominator)), vm_call0(cpx_im(self), SYM(denominator)));
}
METHOD(cpx_m_numerator)
{
    Value cd = cpx_m_denominator(self, argc, argv), re = cpx_re(self), im = cpx_im(self);
    Value n = int_mul(vm_call0(re, SYM(numerator)), int_div(cd, vm_call0(re, SYM(denominator))));
    Value m = int_mul(vm_call0(im, SYM(numerator)), int_div(cd, vm_call0(im, SYM(denominator))));
    return cpx_raw(n, m);
}
static Value cpx_text(Value self, bool inspect)
{
    Value re = cpx_re(self), im = cpx_im(self);
    bool neg = is_float(im) ? signbit(float_double(im)) && !isnan(float_double(im)) : num_negative(im);
    Value mag = vm_call0(im, sym_intern("abs"));
    Value out = str_buf_new(32, ENC_US_ASCII);
    str_buf_cat_str(out, inspect ? obj_inspect(re) : obj_to_s(re));
    str_buf_putc(out, neg ? '-' : '+');
    str_buf_cat_str(out, inspect ? obj_inspect(mag) : obj_to_s(mag));
    StrView s = str_view(out);
    if (!(s.ptr[s.len - 1] >= '0' && s.ptr[s.len - 1] <= '9'))
        str_buf_putc(out, '*');
    str_buf_putc(out, 'i');
    return out;
}
METHOD(cpx_m_to_s) { UNUSED_ARGS; return cpx_text(self, false); }
METHOD(cpx_m_inspect)
{
    UNUSED_ARGS;
    Value out = str_buf_new(40, ENC_US_ASCII);
    str_buf_putc(out, '(');
    str_buf_cat_str(out, cpx_text(self, true));
    str_buf_putc(out, ')');
    return out;
}

METHOD(cpx_s_rect)
{
    (void)self;
    return cpx_raw(need_real(argv[0]), argc > 1 ? need_real(argv[1]) : int_fix(0));
}
METHOD(cpx_s_polar)
{
    (void)self;
    need_real(argv[0]);
    return argc > 1 ? polar(argv[0], need_real(argv[1])) : cpx_raw(argv[0], int_fix(0));
}
static Value convert_part(Value v, bool raise)
{
    if (is_string(v)) {
        StrView s = str_view(v);
        str_need_ascii(v);
        if (memchr(s.ptr, 0, s.len) && !raise)
            return V_UNDEF;
        if (memchr(s.ptr, 0, s.len))
            raise_error(klass.ArgumentError, "string contains null byte");
        Value c = cpx_parse(s.ptr, s.len, true);
        if (is_nil(c)) {
            if (!raise)
                return V_UNDEF;
            raise_error(klass.ArgumentError, "invalid value for convert(): %V", v);
        }
        v = c;
    }
    if (is_complex(v) && is_exact_zero(cpx_im(v)))
        return cpx_re(v);
    return v;
}
METHOD(k_complex)
{
    (void)self;
    bool raise = take_exception(&argc, argv);
    if (argc < 1 || argc > 2)
        raise_arity(argc, 1, 2);
    for (int i = 0; i < argc; i++)
        if (is_nil(argv[i])) {
            if (!raise)
                return V_NIL;
            raise_error(klass.TypeError, "can't convert nil into Complex");
        }
    if (argc == 1 && is_complex(argv[0]))
        return argv[0];
    Value a = convert_part(argv[0], raise), b = argc > 1 ? convert_part(argv[1], raise) : V_UNDEF;
    if (is_undef(a) || (argc > 1 && is_undef(b)))
        return V_NIL;
    if (argc == 1) {
        if (is_complex(a))
            return a;
        if (is_string(argv[0]))
            return cpx_raw(a, int_fix(0));
        if (real_number_p(a))
            return cpx_raw(a, int_fix(0));
        if (obj_is_kind_of(a, klass.Numeric))
            return a;
        Value c = vm_call_if_responds(a, SYM(to_c), 0, NULL);
        if (!is_undef(c) && is_complex(c))
            return c;
    } else {
        if (real_number_p(a) && real_number_p(b))
            return cpx_raw(a, b);
        if (obj_is_kind_of(a, klass.Numeric) && obj_is_kind_of(b, klass.Numeric))
            return vm_call1(a, SYM(op_plus), vm_call1(b, SYM(op_mul), cpx_raw(int_fix(0), int_fix(1))));
        if (raise)
            raise_error(klass.TypeError, "not a real");
    }
    if (!raise)
        return V_NIL;
    raise_error(klass.TypeError, is_immediate(a) && !is_symbol(a) ? "can't convert %V into Complex" : "can't convert %C into Complex", a);
}
METHOD(nil_to_c) { (void)self; UNUSED_ARGS; return cpx_raw(int_fix(0), int_fix(0)); }
METHOD(str_to_c)
{
    UNUSED_ARGS;
    str_need_ascii(self);
    StrView s = str_view(self);
    Value c = cpx_parse(s.ptr, s.len, false);
    KEEP(self);
    return c;
}

static const Builtin methods[] = {
    {"real", cpx_m_real, 0, 0, 0},
    {"imaginary", cpx_m_imag, 0, 0, 0},
    {"imag", cpx_m_imag, 0, 0, 0},
    {"-@", cpx_m_neg, 0, 0, 0},
    {"+", cpx_m_add, 1, 1, 0},
    {"-", cpx_m_sub, 1, 1, 0},
    {"*", cpx_m_mul, 1, 1, 0},
    {"/", cpx_m_quo, 1, 1, 0},
    {"quo", cpx_m_quo, 1, 1, 0},
    {"fdiv", cpx_m_fdiv, 1, 1, 0},
    {"**", cpx_m_pow, 1, 1, 0},
    {"==", cpx_m_eq, 1, 1, 0},
    {"<=>", cpx_m_cmp, 1, 1, 0},
    {"coerce", cpx_m_coerce, 1, 1, 0},
    {"abs", cpx_m_abs, 0, 0, 0},
    {"magnitude", cpx_m_abs, 0, 0, 0},
    {"abs2", cpx_m_abs2, 0, 0, 0},
    {"arg", cpx_m_arg, 0, 0, 0},
    {"angle", cpx_m_arg, 0, 0, 0},
    {"phase", cpx_m_arg, 0, 0, 0},
    {"polar", cpx_m_polar, 0, 0, 0},
    {"rectangular", cpx_m_rect, 0, 0, 0},
    {"rect", cpx_m_rect, 0, 0, 0},
    {"conjugate", cpx_m_conj, 0, 0, 0},
    {"conj", cpx_m_conj, 0, 0, 0},
    {"real?", cpx_m_false, 0, 0, 0},
    {"finite?", cpx_m_finite, 0, 0, 0},
    {"infinite?", cpx_m_infinite, 0, 0, 0},
    {"numerator", cpx_m_numerator, 0, 0, 0},
    {"denominator", cpx_m_denominator, 0, 0, 0},
    {"hash", cpx_m_hash, 0, 0, 0},
    {"eql?", cpx_m_eql, 1, 1, 0},
    {"to_s", cpx_m_to_s, 0, 0, 0},
    {"inspect", cpx_m_inspect, 0, 0, 0},
    {"to_i", cpx_m_to_i, 0, 0, 0},
    {"to_f", cpx_m_to_f, 0, 0, 0},
    {"to_r", cpx_m_to_r, 0, 0, 0},
    {"to_c", cpx_m_self, 0, 0, 0},
    {"rationalize", cpx_m_rationalize, 0, 1, 0},
};
static const Builtin singleton_methods[] = {
    {"rectangular", cpx_s_rect, 1, 2, 0},
    {"rect", cpx_s_rect, 1, 2, 0},
    {"polar", cpx_s_polar, 1, 2, 0},
};
static const Builtin kernel[] = {
    {"Complex", k_complex, 1, 2, BI_MODULE_FUNCTION | BI_KW},
};
static const Builtin of_nil[] = {
    {"to_c", nil_to_c, 0, 0, 0},
};
static const Builtin of_string[] = {
    {"to_c", str_to_c, 0, 0, 0},
};

void complex_boot(void)
{
    Value names[] = {SYM(real), SYM(imaginary)};
    class_set_fields(klass.Complex, T_COMPLEX, names, 2);
    class_set_allocator(klass.Complex, NULL);
    ADD_BUILTINS(klass.Complex, methods);
    ADD_SINGLETON_BUILTINS(klass.Complex, singleton_methods);
    ADD_BUILTINS(klass.Kernel, kernel);
    ADD_BUILTINS(klass.NilClass, of_nil);
    ADD_BUILTINS(klass.String, of_string);
    static const char *const gone[] = {"<", "<=", ">", ">=", "between?", "clamp", "%", "div", "divmod", "floor", "ceil", "modulo",
                                       "remainder", "round", "step", "truncate", "i", "positive?", "negative?"};
    for (size_t i = 0; i < COUNT_OF(gone); i++)
        if (method_find(klass.Complex, sym_intern(gone[i])))
            method_undef(klass.Complex, sym_intern(gone[i]));
    const_set(klass.Complex, sym_intern("I"), cpx_raw(int_fix(0), int_fix(1)));
}
