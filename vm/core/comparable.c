/* comparable.c -- Comparable: everything from <=> */
#include "vm/core/core_private.h"
#include "vm/core.h"

_Noreturn static void fail(Value a, Value b)
{
    if (is_immediate(b) || is_float(b))
        raise_error(klass.ArgumentError, "comparison of %C with %V failed", class_real(a), b);
    raise_error(klass.ArgumentError, "comparison of %C with %C failed", class_real(a), class_real(b));
}

static int sign(Value r, Value a, Value b)
{
    if (is_fixnum(r))
        return fix_int(r) < 0 ? -1 : fix_int(r) > 0;
    if (is_nil(r))
        fail(a, b);
    if (truthy(vm_call1(r, SYM(op_gt), int_fix(0))))
        return 1;
    return truthy(vm_call1(r, SYM(op_lt), int_fix(0))) ? -1 : 0;
}

/* The sign of a <=> b. */
static int compare(Value a, Value b)
{
    return sign(vm_call1(a, SYM(op_cmp), b), a, b);
}

typedef struct Pair {
    Value a, b;
} Pair;

static Value equal_body(void *arg)
{
    Pair *p = arg;
    Value r = vm_call1(p->a, SYM(op_cmp), p->b);
    return bool_value(!is_nil(r) && sign(r, p->a, p->b) == 0);
}

static Value cmp_eq(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (self == argv[0])
        return V_TRUE;
    Pair p = {self, argv[0]};
    Value r = vm_guard_recursion(SYM(op_eq), self, argv[0], equal_body, &p);
    return is_undef(r) ? V_FALSE : r;
}

static Value cmp_gt(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(compare(self, argv[0]) > 0);
}

static Value cmp_ge(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(compare(self, argv[0]) >= 0);
}

static Value cmp_lt(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(compare(self, argv[0]) < 0);
}

static Value cmp_le(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(compare(self, argv[0]) <= 0);
}

static Value cmp_between(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(compare(self, argv[0]) >= 0 && compare(self, argv[1]) <= 0);
}

static Value cmp_clamp(Value self, int argc, const Value *argv)
{
    Value least = argv[0], most = argc > 1 ? argv[1] : V_NIL;
    if (argc == 1) {
        bool exclusive;
        if (!range_values(argv[0], &least, &most, &exclusive))
            raise_error(klass.TypeError, "wrong argument type %C (expected Range)", class_real(argv[0]));
        if (exclusive && !is_nil(most))
            raise_error(klass.ArgumentError, "cannot clamp with an exclusive range");
    }
    if (!is_nil(least) && !is_nil(most) && compare(least, most) > 0)
        raise_error(klass.ArgumentError, "min argument must be less than or equal to max argument");
    if (!is_nil(least) && compare(self, least) < 0)
        return least;
    if (!is_nil(most) && compare(self, most) > 0)
        return most;
    return self;
}

static const Builtin methods[] = {
    {"==", cmp_eq, 1, 1, 0},
    {">", cmp_gt, 1, 1, 0},
    {">=", cmp_ge, 1, 1, 0},
    {"<", cmp_lt, 1, 1, 0},
    {"<=", cmp_le, 1, 1, 0},
    {"between?", cmp_between, 2, 2, 0},
    {"clamp", cmp_clamp, 1, 2, 0},
};

void comparable_boot(void)
{
    ADD_BUILTINS(klass.Comparable, methods);
}
