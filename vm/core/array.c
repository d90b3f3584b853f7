/* array.c -- Array: the body, and element access
 *
 * Elements lie in the cell (OF_EMBED) or in a buffer of heap_malloc; `ptr` points at the first one
 * either way, `off` says how far that is into the room, so that shift is cheap.
 *
 * A1  off + len <= off + cap; [ptr, ptr + len) are initialised Slots; what lies beyond is not read.
 * A2  ptr == inl + off when OF_EMBED, else ptr - off was given by heap_malloc.
 * A3  Every change stands behind obj_modify; pointers into the body are taken after it.
 * A4  An array that the store has in chunks (OT_VECTOR, vm/vector.h) has its Vector in inl[0].  Chunk c is what lies at
 *     c * VECTOR_SLOTS and on of the room, counted from ptr - off: so shift changes no chunk.  Before elements change,
 *     ary_touch or ary_overwrite is told; before they are copied as Slots, ary_load.
 * A5  A room of CARDED_MIN slots or more has cards behind its last slot, one for CARD_SLOTS slots.  ary_touch and ary_overwrite
 *     mark them; what follows stores before anything that may collect.
 */
#include "vm/core/core_private.h"
#include "array_private.h"
#include "vm/record.h"
#include "vm/vector.h"
#include "lib/base.h"

enum { EMBED_MAX = 12, CARD_SLOTS = 64, CARDED_MIN = 4 * CARD_SLOTS };

/* A cell has room for one slot at least: an array that grows out of it may need the place for its Vector (A4). */
static size_t ary_cell_bytes(size_t capacity)
{
    return sizeof(Array) + (capacity > 0 && capacity <= EMBED_MAX ? capacity : 1) * sizeof(Slot);
}

static size_t ary_embed_cap(Value ary)
{
    return (heap_cell_size(ary) - offsetof(Array, inl)) / sizeof(Slot);
}

static Value ary_alloc_class(Value cls, size_t capacity)
{
    if (capacity > ARY_MAX)
        raise_no_memory();
    Value v = heap_alloc(T_ARRAY, cls, ary_cell_bytes(capacity));
    Array *a = ary_ptr(v);
    a->head |= OF_EMBED;
    a->ptr = a->inl;
    a->cap = (uint32_t)ary_embed_cap(v);
    if (capacity > a->cap)
        ary_reserve(v, capacity);
    return v;
}

Value ary_new(size_t capacity)
{
    return ary_alloc_class(klass.Array, capacity);
}

static Value ary_allocate(Value cls)
{
    return ary_alloc_class(cls, 3);
}

Value ary_new_from(size_t n, const Value *values)
{
    Value v = ary_new(n);
    Array *a = ary_ptr(v);
    for (size_t i = 0; i < n; i++)
        slot_init(&a->ptr[i], values[i]);
    a->len = (uint32_t)n;
    return v;
}

Value ary_new_filled(size_t len, Value x)
{
    Value v = ary_new(len);
    Array *a = ary_ptr(v);
    for (size_t i = 0; i < len; i++)
        slot_init(&a->ptr[i], x);
    a->len = (uint32_t)len;
    return v;
}

/* ---- cards (A5) ---- */

static size_t cards_for(size_t slots)
{
    return slots < CARDED_MIN ? 0 : (slots + CARD_SLOTS - 1) / CARD_SLOTS;
}

static uint8_t *ary_cards(const Array *a)
{
    return (uint8_t *)(a->ptr - a->off + a->carded);
}

static void mark_cards(Array *a, size_t start, size_t n)
{
    size_t first = (a->off + start) / CARD_SLOTS, last = (a->off + start + n - 1) / CARD_SLOTS;
    memset(ary_cards(a) + first, 1, last - first + 1);
}

static size_t room_bytes(size_t slots)
{
    return slots * sizeof(Slot) + cards_for(slots);
}

/* The body lies in room, of so many slots, from now on, `off` slots behind its beginning. */
static void ary_set_room(Array *a, Slot *room, size_t off, size_t slots)
{
    a->ptr = room + off;
    a->off = (uint32_t)off;
    a->cap = (uint32_t)(slots - off);
    a->carded = cards_for(slots) ? (uint32_t)slots : 0;
}

/* ---- chunks (A4) ---- */

static Vector *ary_vector(Array *a)
{
    return (a->head & OT_VECTOR) ? *(Vector **)a->inl : NULL;
}

static uint32_t chunk_of(const Array *a, size_t i)
{
    return (uint32_t)((a->off + i) / VECTOR_SLOTS);
}

static uint32_t chunks_for(const Array *a, size_t len)
{
    return (uint32_t)((a->off + len + VECTOR_SLOTS - 1) / VECTOR_SLOTS);
}

void ary_load(Value v, size_t start, size_t n)
{
    obj_attend(v);
    if (likely(!(obj_head(v) & OT_VECTOR)) || n == 0)
        return;
    for (size_t i = start; i < start + n && i < ary_ptr(v)->len;
         i += VECTOR_SLOTS - (ary_ptr(v)->off + i) % VECTOR_SLOTS)
        vector_load(v, 0, chunk_of(ary_ptr(v), i));
}

static void mark_chunks(Value v, size_t start, size_t n)
{
    Array *a = ary_ptr(v);
    Vector *vector = ary_vector(a);
    if (vector->chunks < chunks_for(a, start + n))
        vector_resize(vector, chunks_for(a, start + n));
    vector_mark(vector, chunk_of(a, start), chunk_of(a, start + n - 1));
}

void ary_touch_slow(Value v, size_t start, size_t n)
{
    if (obj_head(v) & OT_VECTOR) {
        ary_load(v, start, n);
        mark_chunks(v, start, n);
    }
    if (ary_ptr(v)->carded)
        mark_cards(ary_ptr(v), start, n);
}

void ary_touch_all(Value v)
{
    ary_touch(v, 0, ary_ptr(v)->len);
}

/* The same where all of start..start+n will be written, whatever stands there: only the chunks at both ends, which keep
 * some of their elements, are read. */
static void ary_overwrite_slow(Value v, size_t start, size_t n)
{
    if (obj_head(v) & OT_VECTOR) {
        Array *a = ary_ptr(v);
        if (start > 0 && chunk_of(a, start - 1) == chunk_of(a, start))
            ary_load(v, start - 1, 1);
        if (start + n < a->len && chunk_of(a, start + n - 1) == chunk_of(a, start + n))
            ary_load(v, start + n, 1);
        mark_chunks(v, start, n);
    }
    if (ary_ptr(v)->carded)
        mark_cards(ary_ptr(v), start, n);
}

static inline void ary_overwrite(Value v, size_t start, size_t n)
{
    if (unlikely(ary_in_pieces(v)) && n != 0)
        ary_overwrite_slow(v, start, n);
}

/* All elements got other places in the room; all were loaded before. */
static void ary_relocated(Value v)
{
    Array *a = ary_ptr(v);
    if (a->len == 0)
        return;
    if (unlikely(a->head & OT_VECTOR))
        mark_chunks(v, 0, a->len);
    if (a->carded)
        mark_cards(a, 0, a->len);
}

static void ary_drop_vector(Array *a)
{
    if (a->head & OT_VECTOR)
        vector_free(ary_vector(a));
    a->head &= ~OT_VECTOR;
}

static void ary_set_vector(Array *a, Vector *vector)
{
    *(Vector **)a->inl = vector;
    a->head |= OT_VECTOR;
}

/* ---- the body ---- */

void ary_reserve(Value v, size_t n)
{
    Array *a = ary_ptr(v);
    if (n <= a->cap)
        return;
    if (n > ARY_MAX_NAMED)
        raise_error(klass.IndexError, "index %zu too big", n - 1);
    if (n > ARY_MAX)
        raise_no_memory();
    if (n <= (size_t)a->cap + a->off && a->off >= a->len / 2) {
        ary_load(v, 0, a->len);
        a = ary_ptr(v);
        memmove(a->ptr - a->off, a->ptr, a->len * sizeof(Slot));
        a->ptr -= a->off;
        a->cap += a->off;
        a->off = 0;
        ary_relocated(v);
        return;
    }
    size_t cap = n + n / 2 + 4;
    if (cap > ARY_MAX)
        cap = ARY_MAX;
    if (a->head & OT_VECTOR) { /* elements keep their places */
        if (cap > ARY_MAX - a->off)
            raise_no_memory();
        ary_set_room(a, heap_realloc(a->ptr - a->off, room_bytes(a->off + cap)), a->off, a->off + cap);
    } else {
        Slot *buffer = heap_malloc(room_bytes(cap));
        a = ary_ptr(v);
        memcpy(buffer, a->ptr, a->len * sizeof(Slot));
        if (a->head & OF_EMBED)
            a->head &= ~OF_EMBED;
        else
            heap_free(a->ptr - a->off);
        ary_set_room(a, buffer, 0, cap);
    }
    if (a->carded) /* places have changed, or the cards were not copied: rare enough to mark all */
        memset(ary_cards(a), 1, cards_for(a->carded));
}

AryView ary_view(Value v)
{
    if (!is_array(v))
        raise_error(klass.TypeError, "wrong argument type %C (expected Array)", v);
    obj_attend(v);
    return (AryView){ary_ptr(v)->ptr, ary_ptr(v)->len};
}

Value ary_get(Value v, long i)
{
    obj_attend(v);
    Array *a = ary_ptr(v);
    if (i < 0)
        i += a->len;
    if (i < 0 || i >= (long)a->len)
        return V_NIL;
    return slot_read(v, &a->ptr[i]);
}

void ary_set(Value v, long i, Value x)
{
    obj_modify(v);
    Array *a = ary_ptr(v);
    if (i < 0) {
        i += a->len;
        if (i < 0)
            raise_error(klass.IndexError, "index %ld too small for array; minimum: -%u", i - (long)a->len, a->len);
    }
    if (i >= (long)a->len) {
        size_t len = a->len;
        ary_reserve(v, (size_t)i + 1);
        ary_overwrite(v, len, (size_t)i + 1 - len);
        a = ary_ptr(v);
        for (size_t k = len; k < (size_t)i; k++)
            slot_init(&a->ptr[k], V_NIL);
        a->len = (uint32_t)i + 1;
    } else {
        ary_touch(v, (size_t)i, 1);
        a = ary_ptr(v);
    }
    slot_write(v, &a->ptr[i], x);
}

void ary_push(Value v, Value x)
{
    obj_modify(v);
    Array *a = ary_ptr(v);
    if (a->len == a->cap)
        ary_reserve(v, (size_t)a->len + 1);
    ary_overwrite(v, a->len, 1);
    slot_write(v, &a->ptr[a->len], x);
    a->len++;
}

Value ary_pop(Value v)
{
    obj_modify(v);
    Array *a = ary_ptr(v);
    if (a->len == 0)
        return V_NIL;
    Value x = slot_read(v, &a->ptr[a->len - 1]);
    a->len--;
    return x;
}

Value ary_shift(Value v)
{
    obj_modify(v);
    Array *a = ary_ptr(v);
    if (a->len == 0)
        return V_NIL;
    Value x = slot_read(v, &a->ptr[0]);
    a = ary_ptr(v);
    a->ptr++;
    a->off++;
    a->cap--;
    a->len--;
    return x;
}

void ary_unshift(Value v, Value x)
{
    obj_modify(v);
    Array *a = ary_ptr(v);
    if (a->off == 0) {
        /* make room in front: a quarter of the length, so that a series of unshifts is linear */
        size_t front = a->len / 4 + 2;
        ary_load(v, 0, a->len);
        ary_reserve(v, a->len + front);
        memmove(a->ptr + front, a->ptr, a->len * sizeof(Slot));
        a->ptr += front;
        a->off += (uint32_t)front;
        a->cap -= (uint32_t)front;
        ary_relocated(v);
    }
    a->ptr--;
    a->off--;
    a->cap++;
    a->ptr[0].raw = V_NIL;
    a->len++;
    ary_overwrite(v, 0, 1);
    slot_write(v, &ary_ptr(v)->ptr[0], x);
}

void ary_concat(Value v, Value other)
{
    obj_modify(v);
    size_t n = ary_len(other);
    ary_load(other, 0, n);
    ary_reserve(v, ary_len(v) + n);
    ary_overwrite(v, ary_len(v), n);
    Array *a = ary_ptr(v), *o = ary_ptr(other);
    slot_copy_range(v, a->ptr + a->len, o->ptr, n);
    a->len += (uint32_t)n;
}

void ary_clear(Value v)
{
    obj_modify(v);
    ary_ptr(v)->len = 0;
}

Value ary_subseq(Value v, size_t start, size_t len)
{
    start = MIN(start, ary_len(v));
    len = MIN(len, ary_len(v) - start);
    Value r = ary_new(len);
    ary_load(v, start, len);
    AryView w = ary_view(v);
    start = MIN(start, w.len);
    len = MIN(len, w.len - start);
    ary_overwrite(r, 0, len);
    slot_copy_range(r, ary_ptr(r)->ptr, w.ptr + start, len);
    ary_ptr(r)->len = (uint32_t)len;
    return r;
}

Value ary_dup(Value v)
{
    return ary_subseq(v, 0, ary_len(v));
}

void ary_splice(Value v, size_t start, size_t count, Value with)
{
    obj_modify(v);
    if (with == v)
        with = ary_dup(v);
    size_t n = is_nil(with) ? 0 : ary_len(with);
    Array *a = ary_ptr(v);
    if (start > a->len) {
        size_t len = a->len;
        ary_reserve(v, start + n);
        ary_overwrite(v, len, start - len);
        a = ary_ptr(v);
        for (size_t i = len; i < start; i++)
            slot_init(&a->ptr[i], V_NIL);
        a->len = (uint32_t)start;
    }
    if (count > a->len - start)
        count = a->len - start;
    if (!is_nil(with))
        ary_load(with, 0, n);
    if (start == 0 && count == a->len) /* nothing stays */
        count = a->len = 0;
    if (n != count)
        ary_load(v, start, a->len - start);
    ary_reserve(v, a->len - count + n);
    ary_overwrite(v, start, n != count ? MAX(n, count) + a->len - start - count : n);
    a = ary_ptr(v);
    slot_copy_range(v, a->ptr + start + n, a->ptr + start + count, a->len - start - count);
    if (n)
        slot_copy_range(v, a->ptr + start, ary_ptr(with)->ptr, n);
    a->len = (uint32_t)(a->len - count + n);
}

Value ary_to_ary(Value v)
{
    return obj_convert(v, T_ARRAY, "Array", SYM(to_ary));
}

Value ary_try(Value v)
{
    return obj_try_convert(v, T_ARRAY, "Array", SYM(to_ary));
}

Value ary_splat(Value v)
{
    if (is_array(v))
        return ary_dup(v);
    if (is_nil(v))
        return ary_new(0);
    Value r = obj_try_convert(v, T_ARRAY, "Array", SYM(to_a));
    return is_nil(r) ? ary_new_from(1, &v) : ary_dup(r);
}

bool ary_includes(Value v, Value x)
{
    for (size_t i = 0; i < ary_len(v); i++)
        if (obj_equal(ary_at(v, i), x))
            return true;
    return false;
}

/* ---- construction ---- */

static Value ary_initialize(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    ary_ptr(self)->len = 0;
    if (argc == 0)
        return self;
    if (argc == 1 && !is_fixnum(argv[0])) {
        Value other = ary_try(argv[0]);
        if (!is_nil(other)) {
            ary_splice(self, 0, ary_len(self), other);
            return self;
        }
    }
    int64_t n = value_int(argv[0]);
    if (n < 0)
        raise_error(klass.ArgumentError, "negative array size");
    if (n > ARY_MAX_NAMED)
        raise_error(klass.ArgumentError, "array size too big");
    if (n > ARY_MAX)
        raise_no_memory();
    if (block_given()) {
        if (argc == 2)
            warn_printf("block supersedes default value argument");
        for (int64_t i = 0; i < n; i++) {
            Value x = vm_yield1(int_fix(i));
            ary_set(self, i, x);
        }
        return self;
    }
    ary_reserve(self, (size_t)n);
    ary_overwrite(self, 0, (size_t)n);
    Value x = argc == 2 ? argv[1] : V_NIL;
    for (int64_t i = 0; i < n; i++)
        slot_init(&ary_ptr(self)->ptr[i], x);
    ary_ptr(self)->len = (uint32_t)n;
    return self;
}

static Value ary_s_create(Value cls, int argc, const Value *argv)
{
    Value v = ary_alloc_class(cls, (size_t)argc);
    for (int i = 0; i < argc; i++)
        slot_init(&ary_ptr(v)->ptr[i], argv[i]);
    ary_ptr(v)->len = (uint32_t)argc;
    return v;
}

static Value ary_s_try_convert(Value cls, int argc, const Value *argv)
{
    (void)cls, (void)argc;
    return ary_try(argv[0]);
}

static Value ary_replace(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    Value other = ary_to_ary(argv[0]);
    if (other != self)
        ary_splice(self, 0, ary_len(self), other);
    return self;
}

/* ---- element access ---- */

static Value ary_aref1(Value self, Value index)
{
    if (is_fixnum(index))
        return ary_get(self, fix_int(index));
    if (is_type(index, T_RANGE)) {
        long start, count;
        if (!range_start_len(index, (long)ary_len(self), &start, &count))
            return V_NIL;
        return ary_subseq(self, (size_t)start, (size_t)count);
    }
    if (obj_is_kind_of(index, const_find(klass.Enumerator, sym_intern("ArithmeticSequence"), false)))
        return vm_call1(self, sym_intern("__aref_sequence"), index);
    return ary_get(self, value_int(index));
}

static Value ary_aref(Value self, int argc, const Value *argv)
{
    if (argc == 1)
        return ary_aref1(self, argv[0]);
    int64_t start = value_int(argv[0]), count = value_int(argv[1]);
    int64_t len = (int64_t)ary_len(self);
    if (start < 0)
        start += len;
    if (start < 0 || start > len || count < 0)
        return V_NIL;
    return ary_subseq(self, (size_t)start, (size_t)count);
}

static Value ary_aset(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    long start, count;
    if (argc == 3) {
        start = value_int(argv[0]);
        count = value_int(argv[1]);
        long len = (long)ary_len(self);
        if (count < 0)
            raise_error(klass.IndexError, "negative length (%ld)", count);
        if (start < 0) {
            start += len;
            if (start < 0)
                raise_error(klass.IndexError, "index %ld too small for array; minimum: -%ld", start - len, len);
        }
    } else if (is_type(argv[0], T_RANGE)) {
        Value b, e;
        bool excl;
        range_values(argv[0], &b, &e, &excl);
        long len = (long)ary_len(self);
        start = is_nil(b) ? 0 : value_int(b);
        long stop = is_nil(e) ? -1 : value_int(e);
        if (is_nil(e))
            excl = false;
        if (start < 0 && (start += len) < 0)
            raise_error(klass.RangeError, "%V out of range", argv[0]);
        if (stop < 0)
            stop += len;
        count = stop - start + !excl;
        if (count < 0)
            count = 0;
    } else {
        ary_set(self, value_int(argv[0]), argv[1]);
        return argv[1];
    }
    Value with = argv[argc - 1];
    Value as_array = ary_try(with);
    if (start >= ARY_MAX_NAMED)
        raise_error(klass.IndexError, "index %ld too big", start);
    if (start >= ARY_MAX)
        raise_no_memory();
    ary_splice(self, (size_t)start, (size_t)count, is_nil(as_array) ? ary_new_from(1, &with) : as_array);
    return with;
}

static Value ary_at_m(Value self, int argc, const Value *argv)
{
    (void)argc;
    return ary_get(self, value_int(argv[0]));
}

static size_t count_argument(Value v, const char *what)
{
    int64_t n = value_int(v);
    if (n < 0)
        raise_error(klass.ArgumentError, "%s", what);
    return (size_t)n;
}

static Value ary_first(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        return ary_get(self, 0);
    return ary_subseq(self, 0, count_argument(argv[0], "negative array size"));
}

static Value ary_last(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        return ary_get(self, -1);
    size_t n = count_argument(argv[0], "negative array size"), len = ary_len(self);
    return ary_subseq(self, n > len ? 0 : len - n, n);
}

static Value ary_push_m(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    for (int i = 0; i < argc; i++)
        ary_push(self, argv[i]);
    return self;
}

static Value ary_pop_m(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        return ary_pop(self);
    obj_modify(self);
    size_t n = count_argument(argv[0], "negative array size"), len = ary_len(self);
    if (n > len)
        n = len;
    Value r = ary_subseq(self, len - n, n);
    obj_modify(self);
    ary_ptr(self)->len -= (uint32_t)n;
    return r;
}

static Value ary_shift_m(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        return ary_shift(self);
    obj_modify(self);
    size_t n = count_argument(argv[0], "negative array size"), len = ary_len(self);
    if (n > len)
        n = len;
    Value r = ary_subseq(self, 0, n);
    Array *a = ary_ptr(self);
    a->ptr += n;
    a->off += (uint32_t)n;
    a->cap -= (uint32_t)n;
    a->len -= (uint32_t)n;
    return r;
}

static Value ary_unshift_m(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    if (argc == 1)
        ary_unshift(self, argv[0]);
    else if (argc)
        ary_splice(self, 0, 0, ary_new_from((size_t)argc, argv));
    return self;
}

static Value ary_insert(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    int64_t at = value_int(argv[0]);
    if (argc == 1)
        return self;
    int64_t len = (int64_t)ary_len(self);
    if (at < 0) {
        at += len + 1;
        if (at < 0)
            raise_error(klass.IndexError, "index %ld too small for array; minimum: -%ld", (long)(at - len - 1), (long)(len + 1));
    }
    ary_splice(self, (size_t)at, 0, ary_new_from((size_t)argc - 1, argv + 1));
    return self;
}

static Value ary_concat_m(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    Value all = ary_new(0);
    for (int i = 0; i < argc; i++)
        ary_concat(all, ary_to_ary(argv[i]));
    ary_concat(self, all);
    return self;
}

static Value ary_length(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return int_fix((int64_t)ary_len(self));
}

static Value ary_empty_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(ary_len(self) == 0);
}

static Value ary_values_at(Value self, int argc, const Value *argv)
{
    Value r = ary_new((size_t)argc);
    for (int i = 0; i < argc; i++) {
        if (is_type(argv[i], T_RANGE)) {
            Value b, e;
            bool excl;
            range_values(argv[i], &b, &e, &excl);
            long start, count, len = (long)ary_len(self);
            if (!range_start_len(argv[i], len, &start, &count)) {
                if (!is_nil(b) && value_int(b) < -len)
                    raise_error(klass.RangeError, "%V out of range", argv[i]);
                continue;
            }
            long stop = is_nil(e) ? len - 1 : value_int(e);
            if (stop < 0)
                stop += len;
            if (excl && !is_nil(e))
                stop--;
            for (long k = start; k <= stop; k++)
                ary_push(r, ary_get(self, k));
        } else {
            ary_push(r, ary_get(self, value_int(argv[i])));
        }
    }
    return r;
}

static Value ary_delete_at(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    int64_t i = value_int(argv[0]), len = (int64_t)ary_len(self);
    if (i < 0)
        i += len;
    if (i < 0 || i >= len)
        return V_NIL;
    Value x = ary_get(self, i);
    ary_splice(self, (size_t)i, 1, V_NIL);
    return x;
}

static Value ary_delete(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value found = V_UNDEF;
    size_t to = 0;
    for (size_t i = 0; i < ary_len(self); i++) {
        Value x = ary_at(self, i);
        if (obj_equal(x, argv[0])) {
            found = x;
            continue;
        }
        if (i != to && to < ary_len(self)) {
            obj_modify(self);
            ary_touch(self, to, 1);
            slot_write(self, &ary_ptr(self)->ptr[to], x);
        }
        to++;
    }
    if (is_undef(found))
        return block_given() ? vm_yield1(argv[0]) : V_NIL;
    obj_modify(self);
    if (to < ary_len(self))
        ary_ptr(self)->len = (uint32_t)to;
    return found;
}

/* Keeps the elements whose flags in `keep` are true: the end of select!, reject! and their kin. */
static Value ary_truncate(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    int64_t n = fix_int(argv[0]);
    if (n >= 0 && n < (int64_t)ary_len(self))
        ary_ptr(self)->len = (uint32_t)n;
    return self;
}

static Value ary_slice_bang(Value self, int argc, const Value *argv)
{
    obj_modify(self);
    long start, count, len = (long)ary_len(self);
    if (argc == 2) {
        start = value_int(argv[0]);
        count = value_int(argv[1]);
        if (start < 0)
            start += len;
        if (start < 0 || start > len || count < 0)
            return V_NIL;
    } else if (is_type(argv[0], T_RANGE)) {
        if (!range_start_len(argv[0], len, &start, &count))
            return V_NIL;
    } else {
        return ary_delete_at(self, argc, argv);
    }
    Value r = ary_subseq(self, (size_t)start, (size_t)count);
    ary_splice(self, (size_t)start, (size_t)count, V_NIL);
    return r;
}

static Value ary_clear_m(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    ary_clear(self);
    return self;
}

static Value ary_to_a(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return class_real(self) == klass.Array ? self : ary_dup(self);
}

static Value ary_itself(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return self;
}

static Value ary_take(Value self, int argc, const Value *argv)
{
    (void)argc;
    return ary_subseq(self, 0, count_argument(argv[0], "attempt to take negative size"));
}

static Value ary_drop(Value self, int argc, const Value *argv)
{
    (void)argc;
    size_t n = count_argument(argv[0], "attempt to drop negative size"), len = ary_len(self);
    return n >= len ? ary_new(0) : ary_subseq(self, n, len - n);
}

static Value ary_include_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(ary_includes(self, argv[0]));
}

/* index of a value: __index(x), __rindex(x) */
static Value ary_index_of(Value self, int argc, const Value *argv)
{
    (void)argc;
    for (size_t i = 0; i < ary_len(self); i++)
        if (obj_equal(ary_at(self, i), argv[0]))
            return int_fix((int64_t)i);
    return V_NIL;
}

static Value ary_rindex_of(Value self, int argc, const Value *argv)
{
    (void)argc;
    for (size_t i = ary_len(self); i-- > 0;) {
        if (i < ary_len(self) && obj_equal(ary_at(self, i), argv[0]))
            return int_fix((int64_t)i);
    }
    return V_NIL;
}

static Value ary_freeze(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return obj_freeze(self);
}

/* ---- the type's row ---- */

static void ary_visit(Object *o, Visitor *v)
{
    Array *a = (Array *)o;
    Vector *vector = ary_vector(a);
    if (likely(!vector)) {
        visit_slots(v, a->ptr, a->len);
        return;
    }
    for (size_t i = 0, n; i < a->len; i += n) { /* absent chunks hold no references */
        n = VECTOR_SLOTS - (a->off + i) % VECTOR_SLOTS;
        if (n > a->len - i)
            n = a->len - i;
        if (chunk_of(a, i) >= vector->chunks || vector_present(vector, chunk_of(a, i)))
            visit_slots(v, a->ptr + i, n);
    }
}

static HeapCards ary_cards_of(Object *o)
{
    Array *a = (Array *)o;
    return a->carded ? (HeapCards){ary_cards(a), cards_for(a->carded)} : (HeapCards){0};
}

static void ary_visit_fixed(UNUSED Object *o, UNUSED Visitor *v)
{
}

/* A chunk is whole cards, so that one card is either absent or all there. */
_Static_assert(VECTOR_SLOTS % CARD_SLOTS == 0, "a card lies in one chunk");
static void ary_visit_card(Object *o, Visitor *v, size_t card)
{
    Array *a = (Array *)o;
    size_t from = MAX(card * CARD_SLOTS, (size_t)a->off), to = MIN((card + 1) * CARD_SLOTS, (size_t)a->off + a->len);
    Vector *vector = ary_vector(a);
    uint32_t chunk = (uint32_t)(card * CARD_SLOTS / VECTOR_SLOTS);
    if (from < to && (!vector || chunk >= vector->chunks || vector_present(vector, chunk)))
        visit_slots(v, a->ptr + (from - a->off), to - from);
}

static void ary_free(Object *o)
{
    Array *a = (Array *)o;
    ary_drop_vector(a);
    if (!(a->head & OF_EMBED) && a->ptr)
        heap_free(a->ptr - a->off);
}

static size_t ary_memsize(Object *o)
{
    Array *a = (Array *)o;
    return (a->head & OF_EMBED) ? 0 : room_bytes((size_t)a->cap + a->off);
}

static void ary_moved(Object *o, Object *from)
{
    (void)from;
    Array *a = (Array *)o;
    if (a->head & OF_EMBED)
        a->ptr = a->inl + a->off;
}

static void ary_hollow(Object *o)
{
    Array *a = (Array *)o;
    ary_free(o);
    a->head |= OF_EMBED;
    a->ptr = a->inl;
    a->len = a->off = a->carded = 0;
    a->cap = (uint32_t)ary_embed_cap((Value)o);
}

/* Record: the elements; of a vector (VECTOR_SLOTS elements were exceeded once) its root, and as bytes off and len. */
static void ary_persist(Object *o, RecordBuilder *b)
{
    Array *a = (Array *)o;
    if (record_is_whole(b))
        ary_load((Value)o, 0, a->len);
    else if (!(a->head & (OT_VECTOR | OF_EMBED)) && a->len > VECTOR_SLOTS)
        ary_set_vector(a, vector_new(chunks_for(a, a->len)));
    Vector *vector = ary_vector(a);
    if (!vector || record_is_whole(b)) {
        record_put_slots(b, a->ptr, a->len);
        return;
    }
    vector_resize(vector, chunks_for(a, a->len));
    record_put_u64(b, a->off);
    record_put_u64(b, a->len);
    record_put_vector(b, 0);
}

static void ary_restore(Object *o, RecordReader *r)
{
    Array *a = (Array *)o;
    a->head |= OF_EMBED;
    a->ptr = a->inl;
    a->len = a->off = a->carded = 0;
    a->cap = (uint32_t)ary_embed_cap((Value)o);
    if (record_bytes_left(r) == 0) {
        size_t n = record_slots_left(r);
        ary_reserve((Value)o, n);
        record_take_slots(r, a->ptr, n);
        a->len = (uint32_t)n;
        return;
    }
    uint64_t off = record_take_u64(r), len = record_take_u64(r);
    if (off > UINT32_MAX / 2 || len > UINT32_MAX / 2)
        record_corrupt(r, "is an Array of a length that can't be");
    Vector *vector = record_take_vector(r, (off + len + VECTOR_SLOTS - 1) / VECTOR_SLOTS);
    Slot *room = heap_malloc(room_bytes(off + len + 1));
    a->head &= ~OF_EMBED;
    ary_set_room(a, room, off, off + len + 1);
    if (a->carded)
        memset(ary_cards(a), 0, cards_for(a->carded));
    a->len = (uint32_t)len;
    for (size_t i = 0; i < len; i++)
        a->ptr[i].raw = SLOT_ABSENT;
    ary_set_vector(a, vector);
}

static Vector *ary_vector_at(Object *o, unsigned which)
{
    return which == 0 ? ary_vector((Array *)o) : NULL;
}

/* The part of a chunk that does not lie behind the elements. */
static size_t chunk_range(const Array *a, uint32_t chunk, size_t *start)
{
    size_t from = (size_t)chunk * VECTOR_SLOTS, to = MIN(from + VECTOR_SLOTS, (size_t)a->off + a->len);
    *start = from;
    return to > from ? to - from : 0;
}

static void ary_chunk_put(Object *o, unsigned which, uint32_t chunk, RecordBuilder *b)
{
    Array *a = (Array *)o;
    size_t start, n = chunk_range(a, chunk, &start);
    (void)which;
    for (size_t at = start; at < start + n; at++)
        record_put_slot(b, at < a->off ? (Slot){V_NIL} : a->ptr[at - a->off]);
}

static void ary_chunk_take(Object *o, unsigned which, uint32_t chunk, const ChunkContent *content)
{
    Array *a = (Array *)o;
    size_t start, n = chunk_range(a, chunk, &start);
    (void)which;
    for (size_t at = MAX(start, (size_t)a->off); at < start + n; at++)
        a->ptr[at - a->off].raw = at - start < content->nslots ? content->slots[at - start] : V_NIL;
}

static Value ary_absent_slot(Value v, Slot *s)
{
    size_t i = (size_t)(s - ary_ptr(v)->ptr);
    ary_load(v, i, 1);
    return i < ary_ptr(v)->len ? slot_read(v, &ary_ptr(v)->ptr[i]) : V_NIL;
}

static size_t ary_cell_size(size_t nslots, size_t nbytes)
{
    return ary_cell_bytes(nbytes == 0 ? nslots : 0);
}

static const TypeRow ary_row = {
    .name = "array",
    .logged = true,
    .visit = ary_visit,
    .free = ary_free,
    .memsize = ary_memsize,
    .moved = ary_moved,
    .hollow = ary_hollow,
    .persist = ary_persist,
    .restore = ary_restore,
    .cell_size = ary_cell_size,
    .vector = ary_vector_at,
    .chunk_put = ary_chunk_put,
    .chunk_take = ary_chunk_take,
    .cards = ary_cards_of,
    .visit_fixed = ary_visit_fixed,
    .visit_card = ary_visit_card,
    .absent_slot = ary_absent_slot,
};

static const Builtin methods[] = {
    {"initialize", ary_initialize, 0, 2, BI_PRIVATE},
    {"initialize_copy", ary_replace, 1, 1, BI_PRIVATE},
    {"replace", ary_replace, 1, 1, 0},
    {"[]", ary_aref, 1, 2, 0},
    {"slice", ary_aref, 1, 2, 0},
    {"[]=", ary_aset, 2, 3, 0},
    {"at", ary_at_m, 1, 1, 0},
    {"first", ary_first, 0, 1, 0},
    {"last", ary_last, 0, 1, 0},
    {"push", ary_push_m, 0, -1, 0},
    {"append", ary_push_m, 0, -1, 0},
    {"<<", ary_push_m, 1, 1, 0},
    {"pop", ary_pop_m, 0, 1, 0},
    {"shift", ary_shift_m, 0, 1, 0},
    {"unshift", ary_unshift_m, 0, -1, 0},
    {"prepend", ary_unshift_m, 0, -1, 0},
    {"insert", ary_insert, 1, -1, 0},
    {"concat", ary_concat_m, 0, -1, 0},
    {"length", ary_length, 0, 0, BI_LEAF},
    {"size", ary_length, 0, 0, BI_LEAF},
    {"empty?", ary_empty_p, 0, 0, BI_LEAF},
    {"values_at", ary_values_at, 0, -1, 0},
    {"delete_at", ary_delete_at, 1, 1, 0},
    {"delete", ary_delete, 1, 1, 0},
    {"slice!", ary_slice_bang, 1, 2, 0},
    {"clear", ary_clear_m, 0, 0, 0},
    {"to_a", ary_to_a, 0, 0, 0},
    {"entries", ary_to_a, 0, 0, 0},
    {"to_ary", ary_itself, 0, 0, 0},
    {"take", ary_take, 1, 1, 0},
    {"drop", ary_drop, 1, 1, 0},
    {"include?", ary_include_p, 1, 1, 0},
    {"freeze", ary_freeze, 0, 0, 0},
    {"__truncate", ary_truncate, 1, 1, BI_HIDDEN | BI_PRIVATE},
    {"__index", ary_index_of, 1, 1, BI_HIDDEN | BI_PRIVATE},
    {"__rindex", ary_rindex_of, 1, 1, BI_HIDDEN | BI_PRIVATE},
};

static const Builtin singleton_methods[] = {
    {"[]", ary_s_create, 0, -1, 0},
    {"try_convert", ary_s_try_convert, 1, 1, 0},
};

void array_boot(void)
{
    heap_register_type(T_ARRAY, &ary_row);
    class_set_instance_type(klass.Array, T_ARRAY);
    class_set_allocator(klass.Array, ary_allocate);
    module_include(klass.Array, klass.Enumerable);
    ADD_BUILTINS(klass.Array, methods);
    ADD_SINGLETON_BUILTINS(klass.Array, singleton_methods);
}
