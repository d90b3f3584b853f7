/*
 * separators.c: the global variables of reading and writing: $/ $-0 $; $-F $, $\ $. and the ineffective $=.
 *
 * A separator is nil or a frozen String (a copy, when what was assigned is not frozen); $; may be a Regexp.  Other
 * values than the default are deprecated, and warned of where Warning[:deprecated] says so.
 */
#include "vm/core/core_private.h"
#include "lib/base.h"
#include "vm/core/io_private.h"
#include "vm/core.h"
#include "vm/call.h"
#include <string.h>

Value io_separator = V_NIL, io_output_separator = V_NIL, io_field_separator = V_NIL, io_last_lineno = V_NIL;
static Value split_separator = V_NIL;

static void warn_separator(Value name, Value v)
{
    if (v != V_NIL && warn_wanted("deprecated"))
        warn_printf("non-nil '%T' is deprecated", name);
}

static Value checked_separator(Value name, Value v)
{
    if (v != V_NIL && !is_string(v))
        raise_error(klass.TypeError, "value of %T must be String", name);
    warn_separator(name, v);
    return v;
}

static Value get_separator(UNUSED Value name)
{
    return io_separator;
}
static void set_separator(Value name, Value v)
{
    v = checked_separator(name, v);
    if (v != V_NIL && !obj_frozen_bit(v)) {
        v = str_dup(v);
        obj_freeze(v);
    }
    io_separator = v;
}
static Value get_output_separator(UNUSED Value name)
{
    return io_output_separator;
}
static void set_output_separator(Value name, Value v)
{
    io_output_separator = checked_separator(name, v);
}
static Value get_field_separator(UNUSED Value name)
{
    return io_field_separator;
}
static void set_field_separator(Value name, Value v)
{
    io_field_separator = checked_separator(name, v);
}
static Value get_split_separator(UNUSED Value name)
{
    return split_separator;
}
static void set_split_separator(Value name, Value v)
{
    if (v != V_NIL && !is_string(v) && !is_type(v, T_REGEXP))
        raise_error(klass.TypeError, "value of %T must be String or Regexp", name);
    warn_separator(name, v);
    split_separator = v;
}
static Value get_lineno(UNUSED Value name)
{
    return io_last_lineno;
}
static void set_lineno(UNUSED Value name, Value v)
{
    io_last_lineno = int_value(value_int(v));
}
static Value get_ignorecase(Value name)
{
    warn_printf("variable %T is no longer effective", name);
    return V_FALSE;
}
static void set_ignorecase(Value name, UNUSED Value v)
{
    warn_printf("variable %T is no longer effective; ignored", name);
}

void separators_boot(void)
{
    heap_add_root(&io_separator);
    heap_add_root(&io_output_separator);
    heap_add_root(&io_field_separator);
    heap_add_root(&split_separator);
    heap_add_root(&io_last_lineno);
    io_separator = str_new_frozen("\n", 1, ENC_UTF_8);
    io_last_lineno = int_fix(0);
    gvar_define_hooked("$/", get_separator, set_separator);
    gvar_define_hooked("$-0", get_separator, set_separator);
    gvar_define_hooked("$\\", get_output_separator, set_output_separator);
    gvar_define_hooked("$,", get_field_separator, set_field_separator);
    gvar_define_hooked("$;", get_split_separator, set_split_separator);
    gvar_define_hooked("$-F", get_split_separator, set_split_separator);
    gvar_define_hooked("$.", get_lineno, set_lineno);
    gvar_define_hooked("$=", get_ignorecase, set_ignorecase);
}
