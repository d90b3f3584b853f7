/* value.h -- the 64-bit Value, and the Slot that holds one inside a heap object
 *
 *   ...............................................1   fixnum, 63 bits signed
 *   ..............................................10   flonum (a double whose exponent is in the middle range)
 *   .............................................000   heap pointer (8-byte aligned), except 0 = false
 *   ........................................00000100   nil   (0x04)
 *   ........................................00010100   true  (0x14)
 *   ........................................00100100   undef (0x24): "no value", never visible to Ruby
 *   [symbol id, 32 bits]....................00001100   symbol (0x0c)
 *   [oid, 56 bits]..........................00101100   unresolved reference (0x2c): in Slots only
 *
 * A Slot is another C type on purpose: it may hold an unresolved reference to
 * an object of the store, a Value never does.  Only slot_read and its kin (object.h)
 * convert between the two, so neither the VM stack nor a C local ever sees an
 * oid (invariant V1).  Truth is one mask: (v & ~4) != 0.
 */
#ifndef VM_VALUE_H
#define VM_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t Value;
typedef struct Slot {
    uint64_t raw;
} Slot;

#define V_FALSE ((Value)0x00)
#define V_NIL   ((Value)0x04)
#define V_TRUE  ((Value)0x14)
#define V_UNDEF ((Value)0x24)

#define TAG_SYMBOL 0x0c
#define TAG_OID    0x2c

#define FIXNUM_MAX (INT64_MAX >> 1)
#define FIXNUM_MIN (INT64_MIN >> 1)

static inline bool truthy(Value v)
{
    return (v & ~V_NIL) != 0;
}
static inline Value bool_value(bool b)
{
    return b ? V_TRUE : V_FALSE;
}
static inline bool is_nil(Value v)
{
    return v == V_NIL;
}
static inline bool is_undef(Value v)
{
    return v == V_UNDEF;
}

static inline bool is_fixnum(Value v)
{
    return v & 1;
}
static inline bool both_fixnum(Value a, Value b)
{
    return a & b & 1;
}
static inline int64_t fix_int(Value v)
{
    return (int64_t)v >> 1;
}
static inline Value int_fix(int64_t n) /* n must lie within FIXNUM_MIN..FIXNUM_MAX; see int_value() otherwise */
{
    return ((Value)n << 1) | 1;
}
static inline bool fixable(int64_t n)
{
    return n >= FIXNUM_MIN && n <= FIXNUM_MAX;
}

static inline bool is_flonum(Value v)
{
    return (v & 3) == 2;
}
static inline bool is_symbol(Value v)
{
    return (v & 0xff) == TAG_SYMBOL;
}
static inline uint32_t symbol_id(Value v)
{
    return (uint32_t)(v >> 8);
}
static inline Value symbol_value(uint32_t id)
{
    return ((Value)id << 8) | TAG_SYMBOL;
}
static inline bool is_heap(Value v)
{
    return (v & 7) == 0 && v != V_FALSE;
}
static inline bool is_immediate(Value v)
{
    return !is_heap(v);
}

/* Flonum: the double's bits rotated left by three, with the exponent rebased
 * so that its two top bits fit the tag.  0.0 is a constant of its own; doubles
 * outside the range (|x| < 1e-77 or > 1e77, NaN, infinities, -0.0) go to the heap. */
#define FLONUM_ZERO ((Value)0x8000000000000002ull)
static inline double flonum_double(Value v)
{
    if (v == FLONUM_ZERO)
        return 0.0;
    uint64_t bits = (2 - (v >> 63)) | (v & ~(uint64_t)3);
    bits = (bits >> 3) | (bits << 61);
    double d;
    memcpy(&d, &bits, 8);
    return d;
}
static inline Value double_flonum(double d) /* V_UNDEF when it does not fit */
{
    uint64_t bits;
    memcpy(&bits, &d, 8);
    unsigned top = (unsigned)(bits >> 60) & 7;
    if (bits != 0x3000000000000000ull && (top == 3 || top == 4))
        return (((bits << 3) | (bits >> 61)) & ~(uint64_t)3) | 2;
    return bits == 0 ? FLONUM_ZERO : V_UNDEF;
}

#endif
