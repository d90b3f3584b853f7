/* array_private.h -- what the files of Array share */
#ifndef ARRAY_PRIVATE_H
#define ARRAY_PRIVATE_H
#include "lib/base.h"
#include "vm/core.h"
#include "vm/vector.h"

#define ARY_MAX UINT32_MAX
/* Sizes past this are named in an error, as CRuby does; between the two there is no memory for them. */
#define ARY_MAX_NAMED (INT64_MAX / 8)

static inline Array *ary_ptr(Value v)
{
    return (Array *)v;
}
/* Element i without a range test; the array was attended to. */
static inline Value ary_at(Value ary, size_t i)
{
    return slot_read(ary, &((Array *)ary)->ptr[i]);
}
/* Room for n elements in all; ary must have been through obj_modify, or be fresh. */
void ary_reserve(Value ary, size_t n);
/* Arrays in chunks (array.c A4).  ary_load: elements start..start+n are in memory, so that their Slots may be copied.
 * ary_touch: elements start..start+n will change, or appear beyond the end: after obj_modify, before pointers are taken; the
 * stores come before anything that may collect (A5).  ary_touch_all: all may change places. */
void ary_load(Value ary, size_t start, size_t n);
void ary_touch_slow(Value ary, size_t start, size_t n);
static inline bool ary_in_pieces(Value ary)
{
    return (obj_head(ary) & OT_VECTOR) || ary_ptr(ary)->carded;
}
static inline void ary_touch(Value ary, size_t start, size_t n)
{
    if (unlikely(ary_in_pieces(ary)) && n != 0)
        ary_touch_slow(ary, start, n);
}
void ary_touch_all(Value ary);
/* New Array of class Array with len elements, all nil. */
Value ary_new_filled(size_t len, Value v);
/* Replaces `count` elements at `start` by those of `with` (may be ary itself or nil for none). */
void ary_splice(Value ary, size_t start, size_t count, Value with);
int ary_compare_values(Value a, Value b); /* by <=>; ArgumentError when it gives nil */
_Noreturn void raise_comparison_failed(Value a, Value b);
int compare_result(Value r, Value a, Value b); /* sign of what <=> or a block gave */
bool ary_cmp_leaves(Value a, Value b, int *result); /* <=> of Arrays without a call; false: only the method can tell */
#endif
