/* nil.c -- NilClass, TrueClass, FalseClass */
#include "vm/core/core_private.h"
#include "vm/core.h"

static Value text_nil, text_true, text_false; /* frozen: the same String each time */

static Value always_true(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_TRUE;
}

static Value always_false(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_FALSE;
}

static Value truth_of_argument(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return bool_value(truthy(argv[0]));
}

static Value untruth_of_argument(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return bool_value(!truthy(argv[0]));
}

static Value same(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(self == argv[0]);
}

static Value nil_to_s(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return text_nil;
}

static Value nil_inspect(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return str_new_enc("nil", 3, ENC_US_ASCII);
}

static Value nil_to_a(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return ary_new(0);
}

static Value nil_to_h(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return hash_new();
}

static Value nil_to_i(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return int_fix(0);
}

static Value nil_to_f(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return float_value(0.0);
}

static Value nil_to_r(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return rational_new(int_fix(0), int_fix(1));
}

static Value nil_to_c(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return complex_new(int_fix(0), int_fix(0));
}

static Value nil_match(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return V_NIL;
}

static Value true_to_s(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return text_true;
}

static Value false_to_s(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return text_false;
}

static const Builtin nil_methods[] = {
    {"&", always_false, 1, 1, BI_LEAF},
    {"|", truth_of_argument, 1, 1, BI_LEAF},
    {"^", truth_of_argument, 1, 1, BI_LEAF},
    {"===", same, 1, 1, BI_LEAF},
    {"=~", nil_match, 1, 1, BI_LEAF},
    {"nil?", always_true, 0, 0, BI_LEAF},
    {"to_s", nil_to_s, 0, 0, BI_LEAF},
    {"inspect", nil_inspect, 0, 0, 0},
    {"to_a", nil_to_a, 0, 0, 0},
    {"to_h", nil_to_h, 0, 0, 0},
    {"to_i", nil_to_i, 0, 0, BI_LEAF},
    {"to_f", nil_to_f, 0, 0, 0},
    {"to_r", nil_to_r, 0, 0, 0},
    {"to_c", nil_to_c, 0, 0, 0},
    {"rationalize", nil_to_r, 0, 1, 0},
};

static const Builtin true_methods[] = {
    {"&", truth_of_argument, 1, 1, BI_LEAF},
    {"|", always_true, 1, 1, BI_LEAF},
    {"^", untruth_of_argument, 1, 1, BI_LEAF},
    {"===", same, 1, 1, BI_LEAF},
    {"to_s", true_to_s, 0, 0, BI_LEAF},
    {"inspect", true_to_s, 0, 0, BI_LEAF},
};

static const Builtin false_methods[] = {
    {"&", always_false, 1, 1, BI_LEAF},
    {"|", truth_of_argument, 1, 1, BI_LEAF},
    {"^", truth_of_argument, 1, 1, BI_LEAF},
    {"===", same, 1, 1, BI_LEAF},
    {"to_s", false_to_s, 0, 0, BI_LEAF},
    {"inspect", false_to_s, 0, 0, BI_LEAF},
};

void nil_boot(void)
{
    heap_add_root(&text_nil);
    heap_add_root(&text_true);
    heap_add_root(&text_false);
    text_nil = str_new_frozen("", 0, ENC_US_ASCII);
    text_true = str_new_frozen("true", 4, ENC_US_ASCII);
    text_false = str_new_frozen("false", 5, ENC_US_ASCII);
    ADD_BUILTINS(klass.NilClass, nil_methods);
    ADD_BUILTINS(klass.TrueClass, true_methods);
    ADD_BUILTINS(klass.FalseClass, false_methods);
    const Value no_new[] = {klass.NilClass, klass.TrueClass, klass.FalseClass, klass.Symbol, klass.Integer, klass.Float,
                            klass.Method, klass.UnboundMethod, klass.Binding};
    for (size_t i = 0; i < sizeof no_new / sizeof no_new[0]; i++)
        method_add(obj_singleton_class(no_new[i]), SYM(new), method_entry_new(ME_UNDEF, VIS_PUBLIC));
}
