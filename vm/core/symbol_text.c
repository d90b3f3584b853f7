/* symbol_text.c -- what Symbols share with Strings: comparison, case, elements, matching */
#include "vm/core/text.h"

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

static Value text(Value sym) { return sym_name_str(sym); }

METHOD(sym_m_cmp) { (void)argc; return is_symbol(argv[0]) ? int_fix(str_cmp(text(self), text(argv[0]))) : V_NIL; }
METHOD(sym_m_casecmp) { (void)argc; return is_symbol(argv[0]) ? str_casecmp(text(self), text(argv[0])) : V_NIL; }
METHOD(sym_m_casecmp_p) { (void)argc; return is_symbol(argv[0]) ? str_casecmp_p(text(self), text(argv[0])) : V_NIL; }
METHOD(sym_m_length) { UNUSED_ARGS; return int_fix((int64_t)str_char_count(text(self))); }
METHOD(sym_m_empty) { UNUSED_ARGS; return bool_value(sym_len(self) == 0); }
METHOD(sym_m_encoding) { UNUSED_ARGS; return encoding_value(sym_encoding(self)); }
METHOD(sym_m_succ) { UNUSED_ARGS; return sym_intern_str(str_succ(text(self))); }
METHOD(sym_m_upcase) { return sym_intern_str(str_map_case(text(self), CASE_UP | case_flags(argc, argv, false))); }
METHOD(sym_m_downcase) { return sym_intern_str(str_map_case(text(self), CASE_DOWN | case_flags(argc, argv, true))); }
METHOD(sym_m_capitalize) { return sym_intern_str(str_map_case(text(self), CASE_TITLE | case_flags(argc, argv, false))); }
METHOD(sym_m_swapcase) { return sym_intern_str(str_map_case(text(self), CASE_UP | CASE_DOWN | case_flags(argc, argv, false))); }
METHOD(sym_m_aref) { return vm_call(text(self), SYM(op_aref), argc, argv); }
METHOD(sym_m_start_with) { return vm_call(text(self), sym_intern("start_with?"), argc, argv); }
METHOD(sym_m_end_with) { return vm_call(text(self), sym_intern("end_with?"), argc, argv); }
METHOD(sym_m_match_op) { (void)argc; return vm_call1(text(self), SYM(op_match), argv[0]); }

/* $~ belongs to the caller's frame: these built-ins run in place of the String's, not below them. */
METHOD(sym_m_match)
{
    Value re = value_to_pattern(argv[0], false);
    int64_t at = argc > 1 ? value_int(argv[1]) : 0;
    Value m = regexp_match(re, text(self), (long)at);
    if (!is_nil(m) && block_given())
        return vm_yield1(m);
    return m;
}
METHOD(sym_m_match_p) { return vm_call(text(self), sym_intern("match?"), argc, argv); }

static const Builtin methods[] = {
    {"<=>", sym_m_cmp, 1, 1, 0},
    {"casecmp", sym_m_casecmp, 1, 1, 0},
    {"casecmp?", sym_m_casecmp_p, 1, 1, 0},
    {"length", sym_m_length, 0, 0, 0},
    {"size", sym_m_length, 0, 0, 0},
    {"empty?", sym_m_empty, 0, 0, 0},
    {"encoding", sym_m_encoding, 0, 0, 0},
    {"succ", sym_m_succ, 0, 0, 0},
    {"next", sym_m_succ, 0, 0, 0},
    {"upcase", sym_m_upcase, 0, -1, 0},
    {"downcase", sym_m_downcase, 0, -1, 0},
    {"capitalize", sym_m_capitalize, 0, -1, 0},
    {"swapcase", sym_m_swapcase, 0, -1, 0},
    {"[]", sym_m_aref, 1, 2, 0},
    {"slice", sym_m_aref, 1, 2, 0},
    {"start_with?", sym_m_start_with, 0, -1, 0},
    {"end_with?", sym_m_end_with, 0, -1, 0},
    {"=~", sym_m_match_op, 1, 1, 0},
    {"match", sym_m_match, 1, 2, 0},
    {"match?", sym_m_match_p, 1, 2, 0},
};

void symbol_text_boot(void);
void symbol_text_boot(void)
{
    module_include(klass.Symbol, klass.Comparable);
    ADD_BUILTINS(klass.Symbol, methods);
}
