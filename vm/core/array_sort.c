/* array_sort.c -- Array: <=> of elements, sort, sort_by, min and max
 *
 * Integers, floats and strings are sorted by machine words without a call; all else by a merge sort on a hidden copy
 * that may call Ruby at each comparison.  Both are stable.
 */
#include "vm/core/core_private.h"
#include "array_private.h"
#include "lib/base.h"

_Noreturn void raise_comparison_failed(Value a, Value b)
{
    if (is_immediate(b) || is_float(b))
        raise_error(klass.ArgumentError, "comparison of %C with %V failed", a, b);
    raise_error(klass.ArgumentError, "comparison of %C with %C failed", a, b);
}

int compare_result(Value r, Value a, Value b)
{
    if (is_fixnum(r))
        return fix_int(r) < 0 ? -1 : fix_int(r) > 0;
    if (is_nil(r))
        raise_comparison_failed(a, b);
    if (truthy(vm_call1(r, SYM(op_gt), int_fix(0))))
        return 1;
    return truthy(vm_call1(r, SYM(op_lt), int_fix(0))) ? -1 : 0;
}

int ary_compare_values(Value a, Value b)
{
    if (both_fixnum(a, b))
        return (int64_t)a < (int64_t)b ? -1 : (int64_t)a > (int64_t)b;
    if (is_flonum(a) && is_flonum(b)) {
        double x = flonum_double(a), y = flonum_double(b);
        return x < y ? -1 : x > y;
    }
    if (is_string(a) && is_string(b) && class_of(a) == klass.String)
        return str_cmp(a, b);
    int result;
    if (is_array(a) && is_array(b)) {
        MethodEntry *me = method_find(class_of(a), SYM(op_cmp));
        if (me && me->kind == ME_BUILTIN && ary_cmp_leaves(a, b, &result))
            return result;
    }
    return compare_result(vm_call1(a, SYM(op_cmp), b), a, b);
}

/* ---- sorting: a merge sort, stable, on hidden arrays ---- */

typedef int (*Comparer)(Value a, Value b);

static int compare_by_block(Value a, Value b)
{
    return compare_result(vm_yield2(a, b), a, b);
}

/* work and spare are hidden and of equal length; a collection may still unresolve their slots, so all reads are slot_read. */
static void merge_sort(Value work, Value spare, size_t n, Comparer cmp)
{
    enum { RUN = 8 };
    for (size_t lo = 0; lo < n; lo += RUN) {
        size_t hi = lo + RUN < n ? lo + RUN : n;
        for (size_t i = lo + 1; i < hi; i++) {
            Value x = ary_at(work, i);
            size_t k = i;
            while (k > lo && cmp(ary_at(work, k - 1), x) > 0) {
                ary_touch(work, k, 1);
                Slot *items = ary_ptr(work)->ptr;
                items[k] = items[k - 1];
                k--;
            }
            ary_touch(work, k, 1);
            slot_write(work, &ary_ptr(work)->ptr[k], x);
        }
    }
    for (size_t width = RUN; width < n; width *= 2) {
        vm_check_interrupts();
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = lo + width < n ? lo + width : n, hi = lo + 2 * width < n ? lo + 2 * width : n;
            if (mid == hi || cmp(ary_at(work, mid - 1), ary_at(work, mid)) <= 0)
                continue;
            ary_touch(spare, lo, mid - lo);
            slot_copy_range(spare, ary_ptr(spare)->ptr + lo, ary_ptr(work)->ptr + lo, mid - lo);
            size_t i = lo, j = mid, to = lo;
            while (i < mid && j < hi) {
                bool left = cmp(ary_at(spare, i), ary_at(work, j)) <= 0;
                ary_touch(work, to, 1);
                Slot *items = ary_ptr(work)->ptr;
                items[to++] = left ? ary_ptr(spare)->ptr[i++] : items[j++];
            }
            ary_touch(work, to, mid - i);
            slot_copy_range(work, ary_ptr(work)->ptr + to, ary_ptr(spare)->ptr + i, mid - i);
        }
    }
}

/* ---- sorting by keys of one plain kind: integers, floats, strings ---- */

typedef struct Keyed {
    int64_t key;   /* in the order of the values; of Strings the first eight bytes, and equal keys tell nothing */
    uint32_t from; /* number of the element */
} Keyed;
typedef enum { KEYS_MIXED, KEYS_FIXNUM, KEYS_FLONUM, KEYS_STRING } KeyKind;

static KeyKind key_kind(Value v)
{
    if (is_fixnum(v))
        return KEYS_FIXNUM;
    if (is_flonum(v))
        return KEYS_FLONUM;
    return is_string(v) && class_of(v) == klass.String ? KEYS_STRING : KEYS_MIXED;
}

static int64_t key_of(Value v, KeyKind kind)
{
    if (kind == KEYS_FIXNUM)
        return fix_int(v);
    if (kind == KEYS_FLONUM) { /* no NaN among them: the bits of negative ones in reverse order */
        double d = flonum_double(v);
        int64_t bits;
        memcpy(&bits, &d, sizeof bits);
        return bits < 0 ? bits ^ INT64_MAX : bits;
    }
    StrView s = str_view(v);
    unsigned char head[8] = {0};
    memcpy(head, s.ptr, MIN(s.len, sizeof head));
    uint64_t word;
    memcpy(&word, head, sizeof word);
    return (int64_t)(__builtin_bswap64(word) ^ (1ull << 63));
}

static inline bool keyed_in_order(Value keys, KeyKind kind, const Keyed *a, const Keyed *b)
{
    if (a->key != b->key || kind != KEYS_STRING)
        return a->key <= b->key;
    return str_cmp(ary_at(keys, a->from), ary_at(keys, b->from)) <= 0;
}

/* Merges runs until all is one; the result lies in the half that is returned.  NULL: an interrupt came in between. */
static Keyed *keyed_sort(Value keys, KeyKind kind, Keyed *work, Keyed *spare, size_t n)
{
    const size_t RUN = 8;
    for (size_t lo = 0; lo < n; lo += RUN) {
        for (size_t i = lo + 1; i < MIN(lo + RUN, n); i++) {
            Keyed x = work[i];
            size_t k = i;
            for (; k > lo && !keyed_in_order(keys, kind, &work[k - 1], &x); k--)
                work[k] = work[k - 1];
            work[k] = x;
        }
    }
    for (size_t width = RUN; width < n; width *= 2) {
        if (vm_interrupt_flag)
            return NULL;
        for (size_t lo = 0; lo < n; lo += 2 * width) {
            size_t mid = MIN(lo + width, n), hi = MIN(lo + 2 * width, n), i = lo, j = mid, to = lo;
            while (i < mid && j < hi)
                spare[to++] = keyed_in_order(keys, kind, &work[i], &work[j]) ? work[i++] : work[j++];
            memcpy(spare + to, work + i, (mid - i) * sizeof(Keyed));
            memcpy(spare + to + (mid - i), work + j, (hi - j) * sizeof(Keyed));
        }
        Keyed *swap = work;
        work = spare;
        spare = swap;
    }
    return work;
}

/* Puts values (its elements belong to those of keys; may be keys itself) in the order of the keys.  false: nothing was
 * done, because the keys are no plain ones, or an interrupt waits.  Neither allocates Ruby objects nor calls Ruby once
 * the keys are read, so no String is hollow by then. */
static bool sort_plain(Value keys, Value values)
{
    size_t n = ary_len(keys);
    if (n < 2)
        return true;
    KeyKind kind = key_kind(ary_at(keys, 0));
    for (size_t i = 0; i < n; i++) {
        Value k = ary_at(keys, i);
        if (kind == KEYS_MIXED || key_kind(k) != kind)
            return false;
        if (is_heap(k))
            obj_attend(k);
        ary_at(values, i);
    }
    Keyed *room = heap_malloc(2 * n * sizeof(Keyed));
    for (size_t i = 0; i < n; i++)
        room[i] = (Keyed){key_of(ary_at(keys, i), kind), (uint32_t)i};
    Keyed *sorted = keyed_sort(keys, kind, room, room + n, n);
    if (sorted) {
        Slot *words = (Slot *)(sorted == room ? room + n : room); /* the other half has done its work */
        for (size_t i = 0; i < n; i++)
            words[i] = ary_ptr(values)->ptr[sorted[i].from];
        obj_modify(values);
        ary_touch(values, 0, n);
        slot_copy_range(values, ary_ptr(values)->ptr, words, n);
    }
    heap_free(room);
    return sorted != NULL;
}

/* A sorted copy.  An insertion that is cut off by an exception leaves only the hidden copy in disorder. */
static Value ary_sorted(Value self)
{
    size_t n = ary_len(self);
    Value work = ary_new(n);
    for (size_t i = 0; i < n && i < ary_len(self); i++)
        ary_push(work, ary_at(self, i));
    if (!block_given() && sort_plain(work, work))
        return work;
    n = ary_len(work);
    Value spare = ary_new_filled(n, V_NIL);
    merge_sort(work, spare, n, block_given() ? compare_by_block : ary_compare_values);
    return work;
}

void ary_sort_in_place(Value ary)
{
    obj_modify(ary);
    Value sorted = ary_sorted(ary);
    ary_splice(ary, 0, ary_len(ary), sorted);
}

static Value ary_sort(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return ary_sorted(self);
}

static Value ary_sort_bang(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    ary_sort_in_place(self);
    return self;
}

static int compare_pairs(Value a, Value b)
{
    return ary_compare_values(ary_get(a, 0), ary_get(b, 0));
}

/* Array.__sort_by(keys, values): values, sorted by the keys with the same numbers; both are the caller's own (sort_by) */
static Value ary_s_sort_by(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    Value keys = argv[0], values = argv[1];
    if (sort_plain(keys, values))
        return values;
    size_t n = ary_len(keys);
    Value pairs = ary_new(n), spare = ary_new_filled(n, V_NIL);
    for (size_t i = 0; i < n; i++)
        ary_push(pairs, ary_new_from(2, (Value[]){ary_at(keys, i), ary_at(values, i)}));
    merge_sort(pairs, spare, n, compare_pairs);
    for (size_t i = 0; i < n; i++)
        ary_set(values, (long)i, ary_get(ary_at(pairs, i), 1));
    return values;
}

static Value ary_extreme(Value self, int argc, const Value *argv, int sign)
{
    if (argc && !is_nil(argv[0])) {
        int64_t n = value_int(argv[0]);
        if (n < 0)
            raise_error(klass.ArgumentError, "negative size (%ld)", (long)n);
        Value sorted = ary_sorted(self);
        if (sign > 0)
            sorted = vm_call0(sorted, sym_intern("reverse"));
        return ary_subseq(sorted, 0, (size_t)n);
    }
    Comparer cmp = block_given() ? compare_by_block : ary_compare_values;
    Value best = V_UNDEF;
    for (size_t i = 0; i < ary_len(self); i++) {
        Value x = ary_at(self, i);
        if (is_undef(best) || cmp(x, best) * sign > 0)
            best = x;
    }
    return is_undef(best) ? V_NIL : best;
}

static Value ary_min(Value self, int argc, const Value *argv)
{
    return ary_extreme(self, argc, argv, -1);
}

static Value ary_max(Value self, int argc, const Value *argv)
{
    return ary_extreme(self, argc, argv, 1);
}

/* Array.__compare(a, b): -1, 0 or 1 by <=>; ArgumentError when they can't be compared */
static Value ary_s_compare(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return int_fix(ary_compare_values(argv[0], argv[1]));
}

static const Builtin singleton_methods[] = {
    {"__compare", ary_s_compare, 2, 2, BI_HIDDEN},
    {"__sort_by", ary_s_sort_by, 2, 2, BI_HIDDEN},
};

static const Builtin methods[] = {
    {"sort", ary_sort, 0, 0, 0},
    {"sort!", ary_sort_bang, 0, 0, 0},
    {"min", ary_min, 0, 1, 0},
    {"max", ary_max, 0, 1, 0},
};

void array_sort_boot(void)
{
    ADD_BUILTINS(klass.Array, methods);
    ADD_SINGLETON_BUILTINS(klass.Array, singleton_methods);
}
