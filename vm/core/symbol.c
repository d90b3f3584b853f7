/* symbol.c -- Symbol: mostly what its name, a String, answers */
#include "vm/core/core_private.h"
#include "vm/core.h"

static Value name_str(Value self)
{
    return sym_name_str(self);
}

static Value sym_s_all_symbols(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    uint32_t n = sym_count();
    Value list = ary_new(n);
    for (uint32_t i = 1; i < n; i++)
        ary_push(list, symbol_value(i));
    return list;
}

static Value sym_eq(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(self == argv[0]);
}

static Value sym_m_hash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix((int64_t)(obj_hash(self) >> 2));
}

static Value sym_to_s(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return str_new_enc(sym_text(self), sym_len(self), sym_encoding(self));
}

static Value sym_name(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return name_str(self);
}

static Value sym_to_sym(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return self;
}

static Value sym_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value text = str_new_enc(":", 1, sym_encoding(self));
    if (sym_kind(self) == SYMKIND_JUNK)
        str_append_str(text, str_inspect(name_str(self)));
    else
        str_append_str(text, name_str(self));
    return text;
}

static Value sym_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_symbol(argv[0]))
        return V_NIL;
    int c = str_cmp(name_str(self), name_str(argv[0]));
    return int_fix(c < 0 ? -1 : c > 0);
}

static Value sym_casecmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    return is_symbol(argv[0]) ? vm_call1(name_str(self), sym_intern("casecmp"), name_str(argv[0])) : V_NIL;
}

static Value sym_casecmp_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    return is_symbol(argv[0]) ? vm_call1(name_str(self), sym_intern("casecmp?"), name_str(argv[0])) : V_NIL;
}

static Value sym_encoding_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return encoding_value(sym_encoding(self));
}

static Value sym_length(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix((int64_t)str_char_count(name_str(self)));
}

static Value sym_empty(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(sym_len(self) == 0);
}

/* Those whose answer is the String's. */
#define AS_STRING(fn, name)                                         \
    static Value fn(Value self, int argc, const Value *argv)        \
    {                                                               \
        return vm_call(name_str(self), sym_intern(name), argc, argv); \
    }
AS_STRING(sym_aref, "[]")
AS_STRING(sym_match_op, "=~")
AS_STRING(sym_match_p, "match?")
AS_STRING(sym_start_with, "start_with?")
AS_STRING(sym_end_with, "end_with?")

static Value sym_match(Value self, int argc, const Value *argv)
{
    return vm_call_with_block(name_str(self), sym_intern("match"), argc, argv, block_proc());
}

/* Those that make another Symbol of the String's answer. */
#define TO_SYMBOL(fn, name)                                                        \
    static Value fn(Value self, int argc, const Value *argv)                       \
    {                                                                              \
        return sym_intern_str(vm_call(name_str(self), sym_intern(name), argc, argv)); \
    }
TO_SYMBOL(sym_succ, "succ")
TO_SYMBOL(sym_upcase, "upcase")
TO_SYMBOL(sym_downcase, "downcase")
TO_SYMBOL(sym_capitalize, "capitalize")
TO_SYMBOL(sym_swapcase, "swapcase")

static const Builtin methods[] = {
    {"==", sym_eq, 1, 1, BI_LEAF},
    {"===", sym_eq, 1, 1, BI_LEAF},
    {"hash", sym_m_hash, 0, 0, 0},
    {"to_s", sym_to_s, 0, 0, 0},
    {"id2name", sym_to_s, 0, 0, 0},
    {"name", sym_name, 0, 0, 0},
    {"to_sym", sym_to_sym, 0, 0, BI_LEAF},
    {"intern", sym_to_sym, 0, 0, BI_LEAF},
    {"inspect", sym_inspect, 0, 0, 0},
    {"<=>", sym_cmp, 1, 1, 0},
    {"casecmp", sym_casecmp, 1, 1, 0},
    {"casecmp?", sym_casecmp_p, 1, 1, 0},
    {"encoding", sym_encoding_m, 0, 0, 0},
    {"length", sym_length, 0, 0, 0},
    {"size", sym_length, 0, 0, 0},
    {"empty?", sym_empty, 0, 0, BI_LEAF},
    {"[]", sym_aref, 1, 2, 0},
    {"slice", sym_aref, 1, 2, 0},
    {"=~", sym_match_op, 1, 1, 0},
    {"match", sym_match, 1, 2, 0},
    {"match?", sym_match_p, 1, 2, 0},
    {"start_with?", sym_start_with, 0, -1, 0},
    {"end_with?", sym_end_with, 0, -1, 0},
    {"succ", sym_succ, 0, 0, 0},
    {"next", sym_succ, 0, 0, 0},
    {"upcase", sym_upcase, 0, -1, 0},
    {"downcase", sym_downcase, 0, -1, 0},
    {"capitalize", sym_capitalize, 0, -1, 0},
    {"swapcase", sym_swapcase, 0, -1, 0},
};

static const Builtin singleton_methods[] = {
    {"all_symbols", sym_s_all_symbols, 0, 0, 0},
};

void symbol_class_boot(void)
{
    module_include(klass.Symbol, klass.Comparable);
    ADD_BUILTINS(klass.Symbol, methods);
    ADD_SINGLETON_BUILTINS(klass.Symbol, singleton_methods);
}
