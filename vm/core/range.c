/* range.c -- Range: begin, end and exclusion as fixed fields; iteration is Ruby (range.rb) */
#include "vm/core/core_private.h"
#include "vm/core.h"

enum { RANGE_BEGIN, RANGE_END, RANGE_EXCL, RANGE_FIELDS };

static void range_check(Value b, Value e)
{
    if (both_fixnum(b, e) || is_nil(b) || is_nil(e))
        return;
    Value pair[2] = {b, e};
    Value r = vm_call_if_responds(pair[0], SYM(op_cmp), 1, &pair[1]);
    if (is_undef(r) || is_nil(r))
        raise_error(klass.ArgumentError, "bad value for range");
}

static void range_fill(Value v, Value b, Value e, bool excl)
{
    range_check(b, e);
    obj_init_field(v, RANGE_BEGIN, b);
    obj_init_field(v, RANGE_END, e);
    obj_init_field(v, RANGE_EXCL, bool_value(excl));
}

Value range_new(Value b, Value e, bool excl)
{
    Value v = heap_alloc_slots(T_RANGE, klass.Range, 0);
    range_fill(v, b, e, excl);
    return obj_freeze(v);
}

static Value range_allocate(Value cls)
{
    return heap_alloc_slots(T_RANGE, cls, 0);
}

bool range_values(Value v, Value *b, Value *e, bool *excl)
{
    if (!is_type(v, T_RANGE))
        return false;
    *b = obj_field(v, RANGE_BEGIN);
    *e = obj_field(v, RANGE_END);
    *excl = truthy(obj_field(v, RANGE_EXCL));
    return true;
}

bool range_start_len(Value range, long len, long *start, long *count)
{
    Value b, e;
    bool excl;
    if (!range_values(range, &b, &e, &excl))
        return false;
    long from = is_nil(b) ? 0 : value_int(b);
    long to = is_nil(e) ? -1 : value_int(e);
    if (is_nil(e))
        excl = false;
    if (from < 0 && (from += len) < 0)
        return false;
    if (from > len)
        return false;
    if (to < 0)
        to += len;
    if (!excl)
        to++;
    if (to > len)
        to = len;
    *start = from;
    *count = to > from ? to - from : 0;
    return true;
}

static Value range_initialize(Value self, int argc, const Value *argv)
{
    if (obj_frozen_bit(self))
        raise_name_error(self, SYM(initialize), "'initialize' called twice");
    range_fill(self, argv[0], argv[1], argc > 2 && truthy(argv[2]));
    if (class_of(self) == klass.Range)
        obj_freeze(self);
    return self;
}

static Value range_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Value b, e;
    bool excl;
    if (!range_values(argv[0], &b, &e, &excl))
        raise_no_conversion(argv[0], "Range");
    range_fill(self, b, e, excl);
    return self;
}

static Value range_begin(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_field(self, RANGE_BEGIN);
}

static Value range_end(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_field(self, RANGE_END);
}

static Value range_exclude_end_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(truthy(obj_field(self, RANGE_EXCL)));
}

static Value range_compare(Value self, Value other, bool (*same)(Value, Value))
{
    if (self == other)
        return V_TRUE;
    Value b, e, b2, e2;
    bool excl, excl2;
    if (!range_values(other, &b2, &e2, &excl2))
        return V_FALSE;
    range_values(self, &b, &e, &excl);
    return bool_value(excl == excl2 && same(b, b2) && same(e, e2));
}

static Value range_equal(Value self, int argc, const Value *argv)
{
    (void)argc;
    return range_compare(self, argv[0], obj_equal);
}

static Value range_eql(Value self, int argc, const Value *argv)
{
    (void)argc;
    return range_compare(self, argv[0], obj_eql);
}

static Value range_hash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    uint64_t h = obj_hash(obj_field(self, RANGE_BEGIN)) * 0x9e3779b97f4a7c15ull;
    h = (h ^ obj_hash(obj_field(self, RANGE_END))) * 0xff51afd7ed558ccdull;
    h += truthy(obj_field(self, RANGE_EXCL));
    return int_fix((int64_t)((h ^ (h >> 31)) >> 2));
}

static Value range_to_text(Value self, bool inspect)
{
    Value b, e;
    bool excl;
    range_values(self, &b, &e, &excl);
    Value s = str_new("", 0);
    if (!inspect || !is_nil(b) || is_nil(e))
        str_append_str(s, inspect ? obj_inspect(b) : obj_to_s(b));
    str_append(s, "...", excl ? 3 : 2);
    if (!inspect || !is_nil(e))
        str_append_str(s, inspect ? obj_inspect(e) : obj_to_s(e));
    return s;
}

static Value range_to_s(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return range_to_text(self, false);
}

static Value range_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return range_to_text(self, true);
}

/* cover?, with a short way for the `when 1..9` of whole numbers. */
static Value range_eqq(Value self, int argc, const Value *argv)
{
    Value b, e;
    bool excl;
    (void)argc;
    range_values(self, &b, &e, &excl);
    if (is_fixnum(argv[0]) && is_fixnum(b) && is_fixnum(e) &&
        !(redefined_ops & (REDEFINED_LT | REDEFINED_LE | REDEFINED_CMP))) {
        int64_t n = fix_int(argv[0]);
        return bool_value(n >= fix_int(b) && (excl ? n < fix_int(e) : n <= fix_int(e)));
    }
    return vm_call1(self, sym_intern("cover?"), argv[0]);
}

static const Builtin methods[] = {
    {"initialize", range_initialize, 2, 3, BI_PRIVATE},
    {"initialize_copy", range_initialize_copy, 1, 1, BI_PRIVATE},
    {"begin", range_begin, 0, 0, 0},
    {"end", range_end, 0, 0, 0},
    {"__begin", range_begin, 0, 0, BI_HIDDEN},
    {"__end", range_end, 0, 0, BI_HIDDEN},
    {"exclude_end?", range_exclude_end_p, 0, 0, 0},
    {"==", range_equal, 1, 1, 0},
    {"===", range_eqq, 1, 1, 0},
    {"eql?", range_eql, 1, 1, 0},
    {"hash", range_hash, 0, 0, 0},
    {"to_s", range_to_s, 0, 0, 0},
    {"inspect", range_inspect, 0, 0, 0},
};

void range_boot(void)
{
    const Value names[RANGE_FIELDS] = {SYM(begin), SYM(end), SYM(excl)};
    class_set_fields(klass.Range, T_RANGE, names, RANGE_FIELDS);
    class_set_allocator(klass.Range, range_allocate);
    module_include(klass.Range, klass.Enumerable);
    ADD_BUILTINS(klass.Range, methods);
}
