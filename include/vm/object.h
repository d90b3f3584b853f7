/* object.h -- the header of every heap object, its shape, and the one check before a mutation
 *
 *   bit 63       ATTENTION  look before you touch: hollow, or unread in a serializable transaction
 *   bits 32..62  shape      determines class and the names of the slots (shape.h)
 *   bits 16..31  flags that belong to the type
 *   bits  8..15  OF_* below
 *   bit  7       LOG        the next change must be reported (clean persistent, boot, old)
 *   bit  6       FROZEN
 *   bits  0..5   type       a row of vm/heap/types.def
 *
 * Inline caches compare the upper 32 bits (shape and ATTENTION together): no
 * cache holds a value with ATTENTION set, so every guard fails by itself (O1).
 * Before any mutation of any kind stands obj_modify(v): one mask (O2).
 */
#ifndef VM_OBJECT_H
#define VM_OBJECT_H

#include "vm/value.h"

typedef struct Object {
    uint64_t head;
} Object;

typedef enum ObjectType {
#define TYPE(name, layout) T_##name,
#include "vm/types.def"
#undef TYPE
    T_COUNT
} ObjectType;

/* The types of layout SLOTS, a bit each. */
enum { LAYOUT_OWN, LAYOUT_SLOTS };
static const uint64_t slots_types = 0
#define TYPE(name, layout) | (uint64_t)LAYOUT_##layout << T_##name
#include "vm/types.def"
#undef TYPE
    ;
static inline bool type_has_slots(ObjectType t)
{
    return slots_types >> t & 1;
}

/* The types that Ruby never sees an object of. */
static const uint64_t hidden_types = 1ull << T_ICLASS | 1ull << T_ENV | 1ull << T_CODE | 1ull << T_CREF |
                                     1ull << T_METHOD_ENTRY | 1ull << T_SYMTABLE | 1ull << T_THROW;

#define OH_TYPE       0x3full
#define OH_FROZEN     (1ull << 6)
#define OH_LOG        (1ull << 7)
#define OF_OID        (1ull << 8)  /* the session's oid map knows this object */
#define OF_IVARS      (1ull << 9)  /* has instance variables in the side table (types without slots) */
#define OF_EMBED      (1ull << 10) /* the body lies in the cell itself */
#define OF_ID         (1ull << 11) /* object_id or identity hash was taken: side table */
#define OF_FINALIZER  (1ull << 12)
#define OF_PERSISTENT (1ull << 13) /* has a committed record in the store */
#define OF_DIRTY      (1ull << 14) /* on the transaction's list of modified objects */
#define OF_HOLLOW     (1ull << 15) /* body is gone, refill at first touch; ATTENTION is set too */
#define OT_FLAG(n)    (1ull << (16 + (n))) /* the type's own, n = 0..15 */
#define OH_SHAPE_AT   32
#define OH_ATTENTION  (1ull << 63)
#define OH_GUARDS     (OH_FROZEN | OH_LOG | OH_ATTENTION)

static inline Object *obj_ptr(Value v)
{
    return (Object *)v;
}
static inline uint64_t obj_head(Value v)
{
    return ((Object *)v)->head;
}
static inline ObjectType obj_type(Value v) /* v must be a heap pointer */
{
    return (ObjectType)(obj_head(v) & OH_TYPE);
}
static inline bool is_type(Value v, ObjectType t)
{
    return is_heap(v) && obj_type(v) == t;
}
static inline uint32_t obj_guard_word(Value v) /* what inline caches compare */
{
    return (uint32_t)(obj_head(v) >> OH_SHAPE_AT);
}
static inline uint32_t obj_shape(Value v)
{
    return obj_guard_word(v) & 0x7fffffffu;
}

/* Mutation (O2).  obj_modify(v) before every change of v: stores, length,
 * flags, class, default proc.  Raises FrozenError, refills a hollow object,
 * reports to collector and transaction.  May collect and raise: body pointers
 * taken before it are void. */
void obj_modify_slow(Value v);
static inline void obj_modify(Value v)
{
    if (__builtin_expect((obj_head(v) & OH_GUARDS) != 0, 0))
        obj_modify_slow(v);
}

/* Reading.  obj_attend(v) before C code reads a body: refills a hollow object,
 * records the read of a serializable transaction.  The views of each type
 * (ary_view, str_view, ...) call it; inline caches need not. */
void obj_attend_slow(Value v);
static inline void obj_attend(Value v)
{
    if (__builtin_expect((obj_head(v) & OH_ATTENTION) != 0, 0))
        obj_attend_slow(v);
}

/* A heap object's; part of its record, so a hollow one is refilled to know. */
static inline bool obj_frozen_bit(Value v)
{
    obj_attend(v);
    return obj_head(v) & OH_FROZEN;
}

/* Slots.  Only these convert (V1).  `owner` is the object that holds the slot. */
Value slot_fault(Value owner, Slot *s); /* faults the object in, overwrites the slot; may collect, wait, raise */
static inline bool slot_unresolved(Slot s)
{
    return (s.raw & 0xff) == TAG_OID;
}
static inline Value slot_read(Value owner, Slot *s)
{
    if (__builtin_expect(slot_unresolved(*s), 0))
        return slot_fault(owner, s);
    return s->raw;
}
/* A collection between obj_modify and the store may have made the owner old. */
void heap_note_change(Value owner);
static inline void slot_stored(Value owner)
{
    if (__builtin_expect((obj_head(owner) & OH_LOG) != 0, 0))
        heap_note_change(owner);
}
static inline void slot_write(Value owner, Slot *s, Value v) /* after obj_modify(owner) */
{
    slot_stored(owner);
    s->raw = v;
}
static inline void slot_init(Slot *s, Value v) /* of an object allocated just now, and held by C code since (H13) */
{
    s->raw = v;
}
/* Copies n slots between objects (may overlap); unresolved words stay unresolved. After obj_modify(owner). */
static inline void slot_copy_range(Value owner, Slot *to, const Slot *from, size_t n)
{
    slot_stored(owner);
    memmove(to, from, n * sizeof(Slot));
}
bool slot_same(Slot a, Slot b); /* same object?  compares oids without resolving */

/* Objects with slots: T_OBJECT and every type of layout SLOTS.  The shape says how many
 * and their names; names without '@' are hidden (fixed fields of built-in types, set up in
 * the class's root shape).  Beyond the cell's room the slots move to `ext`. */
typedef struct SlotObject {
    uint64_t head;
    union {
        Slot inl[1]; /* as many as the cell holds */
        struct {
            Slot *ext; /* when OF_EMBED is not set; malloc'ed, owned */
            uint64_t ext_cap;
        };
    };
} SlotObject;
static inline Slot *obj_slots(Value v) /* no ATTENTION test: callers have done obj_attend/obj_modify */
{
    SlotObject *o = (SlotObject *)v;
    return (o->head & OF_EMBED) ? o->inl : o->ext;
}
static inline Value obj_field(Value v, unsigned i) /* fixed field i of a built-in SLOTS type */
{
    obj_attend(v);
    return slot_read(v, &obj_slots(v)[i]);
}
static inline void obj_set_field(Value v, unsigned i, Value x)
{
    obj_modify(v);
    slot_write(v, &obj_slots(v)[i], x);
}
static inline void obj_init_field(Value v, unsigned i, Value x) /* while it is set up: it may be frozen, and shared with nobody */
{
    slot_stored(v);
    slot_init(&obj_slots(v)[i], x);
}

/* Room for slots in v as it is now; more of it; and the one way to add a slot: v gets new_shape (count one more) and x in its last
 * slot, moving to `ext` when the cell is full.  After obj_modify(v).  No collection. */
unsigned obj_slot_room(Value v);
void obj_make_slot_room(Value v, unsigned n); /* at least n: those it has stay, the others are nil */
void obj_add_slot(Value v, uint32_t new_shape, Value x);
static inline void obj_set_shape(Value v, uint32_t shape)
{
    Object *o = (Object *)v;
    o->head = (o->head & ~((uint64_t)0x7fffffff << OH_SHAPE_AT)) | (uint64_t)shape << OH_SHAPE_AT;
}

/* Hooks of vm/persist. All may be NULL (no store). */
extern void (*obj_refill_hook)(Value v);             /* ATTENTION was set: refill, record the read, clear ATTENTION */
extern void (*obj_log_hook)(Value v);                /* LOG was set: report the first change, clear LOG */
extern Value (*slot_fault_hook)(Value owner, Slot *s);
extern uint64_t (*obj_oid_hook)(Value v);            /* oid of a stored or built-in object, else 0 */
extern uint64_t (*obj_take_id_hook)(Value v);        /* obj_identity_number: an oid of the session's run */
extern uint64_t hash_seed;                           /* of the store; all content hashes are seeded with it */
/* A change that FrozenError does not concern (singleton class of a frozen object): attends and reports only. */
void obj_touch(Value v);

/* Instance variables of any object (by symbol Value; hidden names allowed). V_UNDEF when absent. */
Value ivar_get(Value obj, Value name);
void ivar_set(Value obj, Value name, Value v); /* obj_modify inside */
bool ivar_defined(Value obj, Value name);
Value ivar_remove(Value obj, Value name); /* V_UNDEF when absent */
/* Is it one that the store never holds, of an object whose body does not have it?  Inline caches leave it alone. */
bool ivar_is_transient(Value obj, Value name);
/* Calls fn for each visible ivar in order of definition, transient ones last; or without those. */
void ivar_each(Value obj, void (*fn)(Value name, Value v, void *arg), void *arg);
void ivar_each_stored(Value obj, void (*fn)(Value name, Value v, void *arg), void *arg);
void ivar_copy_all(Value to, Value from); /* for dup and clone */

/* Classes of values. class_of: real class incl. singleton; class_real: what Object#class says. */
Value class_of(Value v);
Value class_real(Value v);
bool obj_is_kind_of(Value v, Value cls);
bool obj_is_instance_of(Value v, Value cls);
bool obj_frozen(Value v);      /* immediates are */
Value obj_freeze(Value v);     /* returns v */
Value obj_dup(Value v);        /* calls initialize_copy through initialize_dup */
Value obj_clone(Value v, Value freeze); /* freeze: nil, true, false */
Value obj_dup_slots(Value v);  /* a plain copy of a SLOTS object: no hooks, no flags; for internal ones (CREF) */
Value obj_alloc(Value cls);    /* Class#allocate */
Value obj_singleton_class(Value v); /* makes it; TypeError for immediates */
bool obj_same(Value a, Value b); /* equal? */
int64_t obj_identity_hash(Value v);
/* What tells v, on the heap, from all other objects: its oid, to-be or as it is, where there is a store.  object_id is 8 times it. */
uint64_t obj_identity_number(Value v);
Value obj_object_id(Value v);
/* Conversions and comparisons with fast paths; call Ruby where needed. */
bool obj_equal(Value a, Value b);   /* == */
bool obj_eql(Value a, Value b);     /* eql? */
uint64_t obj_hash(Value v);         /* hash, seeded with the store's seed; equal in all sessions */
Value obj_inspect(Value v);         /* String */
Value obj_to_s(Value v);            /* String; any_to_s when to_s gives no String */
Value obj_any_to_s(Value v);        /* #<Foo> form with the id */
/* obj_convert: v if already of type t, else v.<method>, which must give a t; raises TypeError as CRuby does
 * ("no implicit conversion of Foo into String").  obj_try_convert: V_NIL when it does not respond. */
Value obj_convert(Value v, ObjectType t, const char *type_name, Value method);
Value obj_try_convert(Value v, ObjectType t, const char *type_name, Value method);

#endif
