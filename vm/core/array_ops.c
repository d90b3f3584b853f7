/* array_ops.c -- Array: comparison, set operations, order of elements, joining
 *
 * Whatever calls back into Ruby (==, <=>, hash, to_s, blocks) re-reads length and body after each
 * call: the receiver may have changed, or become hollow.
 */
#include "vm/core/core_private.h"
#include "array_private.h"

/* ---- comparing ---- */

typedef struct Pair {
    Value a, b;
} Pair;

static Value ary_equal_body(void *arg)
{
    Pair *p = arg;
    for (size_t i = 0; i < ary_len(p->a); i++) {
        if (i >= ary_len(p->b) || !obj_equal(ary_at(p->a, i), ary_at(p->b, i)))
            return V_FALSE;
    }
    return bool_value(ary_len(p->a) == ary_len(p->b));
}

static bool holds_leaves(Value ary)
{
    for (size_t i = 0; i < ary_len(ary); i++)
        if (!obj_is_leaf(ary_at(ary, i)))
            return false;
    return true;
}

static Value ary_equal(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value other = argv[0];
    if (self == other)
        return V_TRUE;
    if (!is_array(other)) {
        if (!vm_responds_to(other, SYM(to_ary), false))
            return V_FALSE;
        return bool_value(truthy(vm_call1(other, SYM(op_eq), self)));
    }
    if (ary_len(self) != ary_len(other))
        return V_FALSE;
    Pair p = {self, other};
    if (holds_leaves(self))
        return ary_equal_body(&p);
    Value r = vm_guard_recursion(SYM(op_eq), self, other, ary_equal_body, &p);
    return is_undef(r) ? V_TRUE : r;
}

static Value ary_eql_body(void *arg)
{
    Pair *p = arg;
    for (size_t i = 0; i < ary_len(p->a); i++) {
        if (i >= ary_len(p->b) || !obj_eql(ary_at(p->a, i), ary_at(p->b, i)))
            return V_FALSE;
    }
    return V_TRUE;
}

bool ary_eql_leaves(Value a, Value b, bool *same)
{
    if (!is_array(b) || ary_len(a) != ary_len(b)) {
        *same = false;
        return true;
    }
    if (!holds_leaves(a))
        return false;
    Pair p = {a, b};
    *same = ary_eql_body(&p) == V_TRUE;
    return true;
}

static Value ary_eql(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (self == argv[0])
        return V_TRUE;
    bool equal;
    if (ary_eql_leaves(self, argv[0], &equal))
        return bool_value(equal);
    Pair p = {self, argv[0]};
    Value r = vm_guard_recursion(SYM(eql_p), self, argv[0], ary_eql_body, &p);
    return is_undef(r) ? V_TRUE : r;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    h ^= x + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
    h *= 0xff51afd7ed558ccdull;
    return h ^ (h >> 32);
}

static Value ary_hash_body(void *arg)
{
    Value self = *(Value *)arg;
    uint64_t h = mix(0xa55a, ary_len(self));
    for (size_t i = 0; i < ary_len(self); i++)
        h = mix(h, obj_hash(ary_at(self, i)));
    return int_fix((int64_t)(h >> 2));
}

bool ary_hash_leaves(Value ary, uint64_t *code)
{
    if (!holds_leaves(ary))
        return false;
    *code = (uint64_t)fix_int(ary_hash_body(&ary));
    return true;
}

static Value ary_hash(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (holds_leaves(self))
        return ary_hash_body(&self);
    Value r = vm_guard_recursion(SYM(hash), self, V_NIL, ary_hash_body, &self);
    return is_undef(r) ? int_fix(0x5eed) : r;
}

static Value ary_cmp_body(void *arg)
{
    Pair *p = arg;
    for (size_t i = 0;; i++) {
        size_t la = ary_len(p->a), lb = ary_len(p->b);
        if (i >= la || i >= lb)
            return int_fix(la < lb ? -1 : la > lb);
        Value r = vm_call1(ary_at(p->a, i), SYM(op_cmp), ary_at(p->b, i));
        if (r != int_fix(0))
            return r;
    }
}

bool ary_cmp_leaves(Value a, Value b, int *result)
{
    size_t la = ary_len(a), lb = ary_len(b);
    for (size_t i = 0; i < la && i < lb; i++) {
        Value x = ary_at(a, i), y = ary_at(b, i);
        bool known = both_fixnum(x, y) || (is_flonum(x) && is_flonum(y)) ||
                     (is_string(x) && is_string(y) && class_of(x) == klass.String);
        if (!known)
            return false;
        *result = ary_compare_values(x, y);
        if (*result)
            return true;
    }
    *result = la < lb ? -1 : la > lb;
    return true;
}

static Value ary_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value other = ary_try(argv[0]);
    if (is_nil(other))
        return V_NIL;
    int result;
    if (self == other)
        return int_fix(0);
    if (ary_cmp_leaves(self, other, &result))
        return int_fix(result);
    Pair p = {self, other};
    Value r = vm_guard_recursion(SYM(op_cmp), self, other, ary_cmp_body, &p);
    return is_undef(r) ? V_NIL : r;
}

/* ---- order ---- */

static Value ary_reverse_bang(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_modify(self);
    ary_touch_all(self);
    Array *a = ary_ptr(self);
    for (size_t i = 0; i < a->len / 2; i++) {
        Slot x = a->ptr[i];
        a->ptr[i] = a->ptr[a->len - 1 - i];
        a->ptr[a->len - 1 - i] = x;
    }
    return self;
}

static Value ary_reverse(Value self, int argc, const Value *argv)
{
    return ary_reverse_bang(ary_dup(self), argc, argv);
}

static Value ary_rotate(Value self, int argc, const Value *argv)
{
    int64_t by = argc ? value_int(argv[0]) : 1;
    int64_t n = (int64_t)ary_len(self);
    if (n == 0)
        return ary_new(0);
    by = ((by % n) + n) % n;
    Value r = ary_subseq(self, (size_t)by, (size_t)(n - by));
    ary_concat(r, ary_subseq(self, 0, (size_t)by));
    return r;
}

static Value ary_rotate_bang(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    Value r = ary_rotate(self, argc, argv);
    ary_splice(self, 0, ary_len(self), r);
    return self;
}

static Value ary_shuffle_bang(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    Value options = call_take_keywords(&argc, argv);
    Value random = is_nil(options) ? V_UNDEF : keyword_get(options, "random");
    for (size_t i = ary_len(self); i > 1; i--) {
        uint64_t k = random_limited(random, i - 1);
        if (ary_len(self) < i)
            raise_error(klass.RuntimeError, "modified during shuffle!");
        obj_modify(self);
        ary_load(self, i - 1, 1);
        ary_touch(self, k, 1);
        ary_touch(self, i - 1, 1);
        Array *a = ary_ptr(self);
        Slot x = a->ptr[i - 1];
        a->ptr[i - 1] = a->ptr[k];
        a->ptr[k] = x;
    }
    return self;
}

/* ---- arithmetic ---- */

static Value ary_plus(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value other = ary_to_ary(argv[0]);
    Value r = ary_new(ary_len(self) + ary_len(other));
    ary_concat(r, self);
    ary_concat(r, other);
    return r;
}

static Value ary_times(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value sep = obj_try_convert(argv[0], T_STRING, "String", SYM(to_str));
    if (!is_nil(sep))
        return ary_join(self, sep);
    int64_t n = value_int(argv[0]);
    if (n < 0)
        raise_error(klass.ArgumentError, "argument must be non-negative");
    if (n && ary_len(self) > ARY_MAX_NAMED / (size_t)n)
        raise_error(klass.ArgumentError, "argument too big");
    Value r = ary_new(ary_len(self) * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        ary_concat(r, self);
    return r;
}

/* A Hash with the elements of ary as keys. */
static Value ary_to_set(Value ary)
{
    Value h = hash_new();
    for (size_t i = 0; i < ary_len(ary); i++) {
        Value x = ary_at(ary, i);
        if (is_undef(hash_get(h, x)))
            hash_set(h, x, x);
    }
    return h;
}

static Value ary_minus(Value self, int argc, const Value *argv)
{
    Value r = ary_dup(self);
    for (int k = 0; k < argc; k++) {
        Value gone = ary_to_set(ary_to_ary(argv[k]));
        Value kept = ary_new(0);
        for (size_t i = 0; i < ary_len(r); i++) {
            Value x = ary_at(r, i);
            if (is_undef(hash_get(gone, x)))
                ary_push(kept, x);
        }
        r = kept;
    }
    return r;
}

static Value ary_uniq_plain(Value ary)
{
    Value seen = hash_new(), r = ary_new(0);
    for (size_t i = 0; i < ary_len(ary); i++) {
        Value x = ary_at(ary, i);
        if (is_undef(hash_get(seen, x))) {
            hash_set(seen, x, V_TRUE);
            ary_push(r, x);
        }
    }
    return r;
}

static Value ary_uniq_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return ary_uniq_plain(self);
}

static Value ary_union(Value self, int argc, const Value *argv)
{
    Value all = ary_dup(self);
    for (int i = 0; i < argc; i++)
        ary_concat(all, ary_to_ary(argv[i]));
    return ary_uniq_plain(all);
}

static Value ary_intersection(Value self, int argc, const Value *argv)
{
    Value r = ary_uniq_plain(self);
    for (int k = 0; k < argc; k++) {
        Value other = ary_to_set(ary_to_ary(argv[k]));
        Value kept = ary_new(0);
        for (size_t i = 0; i < ary_len(r); i++) {
            Value x = ary_at(r, i);
            if (!is_undef(hash_get(other, x)))
                ary_push(kept, x);
        }
        r = kept;
    }
    return r;
}

static Value ary_intersect_p(Value self, int argc, const Value *argv)
{
    return bool_value(ary_len(ary_intersection(self, argc, argv)) > 0);
}

static Value ary_compact(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value r = ary_new(ary_len(self));
    for (size_t i = 0; i < ary_len(self); i++) {
        Value x = ary_at(self, i);
        if (!is_nil(x))
            ary_push(r, x);
    }
    return r;
}

static Value ary_compact_bang(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    Value r = ary_compact(self, argc, argv);
    if (ary_len(r) == ary_len(self))
        return V_NIL;
    ary_splice(self, 0, ary_len(self), r);
    return self;
}

static void flatten_into(Value to, Value ary, int64_t depth, Value under_way, bool *changed)
{
    vm_check_stack();
    vm_check_interrupts();
    if (ary_includes(under_way, vm_call0(ary, sym_intern("object_id"))))
        raise_error(klass.ArgumentError, "tried to flatten recursive array");
    ary_push(under_way, vm_call0(ary, sym_intern("object_id")));
    for (size_t i = 0; i < ary_len(ary); i++) {
        Value x = ary_at(ary, i);
        Value inner = depth != 0 ? ary_try(x) : V_NIL;
        if (is_nil(inner)) {
            ary_push(to, x);
        } else {
            *changed = true;
            flatten_into(to, inner, depth - 1, under_way, changed);
        }
    }
    ary_pop(under_way);
}

static Value ary_flatten_impl(Value self, int argc, const Value *argv, bool *changed)
{
    int64_t depth = argc && !is_nil(argv[0]) ? value_int(argv[0]) : -1;
    Value r = ary_new(ary_len(self));
    *changed = false;
    flatten_into(r, self, depth, ary_new(4), changed);
    return r;
}

static Value ary_flatten(Value self, int argc, const Value *argv)
{
    bool changed;
    return ary_flatten_impl(self, argc, argv, &changed);
}

static Value ary_flatten_bang(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    bool changed;
    Value r = ary_flatten_impl(self, argc, argv, &changed);
    if (!changed)
        return V_NIL;
    ary_splice(self, 0, ary_len(self), r);
    return self;
}

static Value ary_assoc(Value self, int argc, const Value *argv)
{
    (void)argc;
    for (size_t i = 0; i < ary_len(self); i++) {
        Value pair = ary_try(ary_at(self, i));
        if (!is_nil(pair) && ary_len(pair) > 0 && obj_equal(ary_at(pair, 0), argv[0]))
            return pair;
    }
    return V_NIL;
}

static Value ary_rassoc(Value self, int argc, const Value *argv)
{
    (void)argc;
    for (size_t i = 0; i < ary_len(self); i++) {
        Value pair = ary_at(self, i);
        if (is_array(pair) && ary_len(pair) > 1 && obj_equal(ary_at(pair, 1), argv[0]))
            return pair;
    }
    return V_NIL;
}

static Value ary_transpose(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    size_t rows = ary_len(self);
    if (rows == 0)
        return ary_new(0);
    size_t columns = ary_len(ary_to_ary(ary_at(self, 0)));
    Value r = ary_new(columns);
    for (size_t k = 0; k < columns; k++)
        ary_push(r, ary_new(rows));
    for (size_t i = 0; i < rows; i++) {
        Value row = ary_to_ary(ary_at(self, i));
        if (ary_len(row) != columns)
            raise_error(klass.IndexError, "element size differs (%zu should be %zu)", ary_len(row), columns);
        for (size_t k = 0; k < columns; k++)
            ary_push(ary_at(r, k), ary_at(row, k));
    }
    return r;
}

static Value ary_dig(Value self, int argc, const Value *argv)
{
    Value x = vm_call1(self, SYM(op_aref), argv[0]);
    if (argc == 1 || is_nil(x))
        return x;
    Value dig = sym_intern("dig");
    if (!vm_responds_to(x, dig, false))
        raise_error(klass.TypeError, "%C does not have #dig method", x);
    return vm_call(x, dig, argc - 1, argv + 1);
}

/* ---- text ---- */

static Value ary_inspect_body(void *arg)
{
    Value self = *(Value *)arg;
    Value s = str_new("[", 1);
    for (size_t i = 0; i < ary_len(self); i++) {
        if (i)
            str_append(s, ", ", 2);
        str_append_str(s, obj_inspect(ary_at(self, i)));
    }
    str_append(s, "]", 1);
    return s;
}

static Value ary_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (ary_len(self) == 0)
        return str_new_enc("[]", 2, ENC_US_ASCII);
    Value r = vm_guard_recursion(SYM(inspect), self, V_NIL, ary_inspect_body, &self);
    return is_undef(r) ? str_new_enc("[...]", 5, ENC_US_ASCII) : r;
}

typedef struct Join {
    Value ary, sep, to;
    bool *first;
} Join;

static Value join_body(void *arg)
{
    Join *j = arg;
    for (size_t i = 0; i < ary_len(j->ary); i++) {
        Value x = ary_at(j->ary, i), inner;
        if (!is_string(x) && !is_array(x)) {
            Value s = is_heap(x) ? obj_try_convert(x, T_STRING, "String", SYM(to_str)) : V_NIL;
            if (is_nil(s) && is_heap(x) && !is_nil(inner = ary_try(x)))
                x = inner;
            else
                x = is_nil(s) ? obj_to_s(x) : s;
        }
        if (is_array(x)) {
            Join deeper = {x, j->sep, j->to, j->first};
            if (is_undef(vm_guard_recursion(sym_intern("join"), x, V_NIL, join_body, &deeper)))
                raise_error(klass.ArgumentError, "recursive array join");
            continue;
        }
        if (!*j->first && !is_nil(j->sep))
            str_append_str(j->to, j->sep);
        *j->first = false;
        str_append_str(j->to, x);
    }
    return V_NIL;
}

Value ary_join(Value ary, Value sep)
{
    if (ary_len(ary) == 0)
        return str_new_enc("", 0, ENC_US_ASCII);
    if (!is_nil(sep))
        sep = str_to_str(sep);
    Value first = ary_at(ary, 0);
    bool at_start = true;
    Join j = {ary, sep, str_new_enc("", 0, is_string(first) ? str_encoding(first) : ENC_UTF_8), &at_start};
    if (!is_string(first))
        j.to = str_new("", 0);
    if (is_undef(vm_guard_recursion(sym_intern("join"), ary, V_NIL, join_body, &j)))
        raise_error(klass.ArgumentError, "recursive array join");
    return j.to;
}

static Value ary_join_m(Value self, int argc, const Value *argv)
{
    Value sep = argc ? argv[0] : V_NIL;
    if (is_nil(sep))
        sep = gvar_get(sym_intern("$,"));
    return ary_join(self, sep);
}

/* __fold(op, memo): inject by the name of a method, the first element being the memo when none is given */
static Value ary_fold(Value self, int argc, const Value *argv)
{
    Value op = argv[0], memo = argc > 1 ? argv[1] : V_UNDEF;
    bool adds = op == SYM(op_plus) && !(redefined_ops & REDEFINED_ADD);
    for (size_t i = 0; i < ary_len(self); i++) {
        Value x = ary_at(self, i);
        int64_t sum;
        if (is_undef(memo))
            memo = x;
        else if (adds && both_fixnum(memo, x) && !__builtin_add_overflow((int64_t)memo, (int64_t)(x - 1), &sum))
            memo = (Value)sum;
        else
            memo = vm_call1(memo, op, x);
        if ((i & 1023) == 0)
            vm_check_interrupts();
    }
    return is_undef(memo) ? V_NIL : memo;
}

/* __sum(init): of Integers; nil when there is anything else, or Integer#+ is not its own */
static Value ary_sum_integers(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value sum = argv[0];
    if (!is_integer(sum) || (redefined_ops & REDEFINED_ADD))
        return V_NIL;
    for (size_t i = 0; i < ary_len(self); i++) {
        Value x = ary_at(self, i);
        int64_t small;
        if (both_fixnum(sum, x) && !__builtin_add_overflow((int64_t)sum, (int64_t)(x - 1), &small))
            sum = (Value)small;
        else if (is_integer(x))
            sum = num_add(sum, x);
        else
            return V_NIL;
    }
    return sum;
}

static const Builtin methods[] = {
    {"==", ary_equal, 1, 1, 0},
    {"eql?", ary_eql, 1, 1, 0},
    {"hash", ary_hash, 0, 0, 0},
    {"<=>", ary_cmp, 1, 1, 0},
    {"reverse", ary_reverse, 0, 0, 0},
    {"reverse!", ary_reverse_bang, 0, 0, 0},
    {"rotate", ary_rotate, 0, 1, 0},
    {"rotate!", ary_rotate_bang, 0, 1, 0},
    {"shuffle!", ary_shuffle_bang, 0, 0, BI_KW},
    {"+", ary_plus, 1, 1, 0},
    {"*", ary_times, 1, 1, 0},
    {"-", ary_minus, 1, 1, 0},
    {"difference", ary_minus, 0, -1, 0},
    {"|", ary_union, 1, 1, 0},
    {"union", ary_union, 0, -1, 0},
    {"&", ary_intersection, 1, 1, 0},
    {"intersection", ary_intersection, 0, -1, 0},
    {"intersect?", ary_intersect_p, 1, 1, 0},
    {"__uniq", ary_uniq_m, 0, 0, BI_HIDDEN | BI_PRIVATE},
    {"compact", ary_compact, 0, 0, 0},
    {"compact!", ary_compact_bang, 0, 0, 0},
    {"flatten", ary_flatten, 0, 1, 0},
    {"flatten!", ary_flatten_bang, 0, 1, 0},
    {"assoc", ary_assoc, 1, 1, 0},
    {"rassoc", ary_rassoc, 1, 1, 0},
    {"transpose", ary_transpose, 0, 0, 0},
    {"dig", ary_dig, 1, -1, 0},
    {"inspect", ary_inspect, 0, 0, 0},
    {"to_s", ary_inspect, 0, 0, 0},
    {"join", ary_join_m, 0, 1, 0},
    {"__fold", ary_fold, 1, 2, BI_HIDDEN | BI_PRIVATE},
    {"__sum", ary_sum_integers, 1, 1, BI_HIDDEN | BI_PRIVATE},
};

void array_ops_boot(void)
{
    ADD_BUILTINS(klass.Array, methods);
}
