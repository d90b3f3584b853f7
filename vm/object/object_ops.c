/* object_ops.c -- what all objects can do: the one check before a change, classes, identity, copies, comparisons
 *
 * The hooks at the top are set by vm/persist; without a store they stay NULL and ATTENTION, LOG and unresolved
 * slots never occur.
 */
#include "vm/core.h"
#include "vm/object/class_private.h"
#include "vm/object/names.h"

#include "lib/error.h"
#include "lib/hashtab.h"
#include "vm/vector.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void (*obj_refill_hook)(Value v);
void (*obj_log_hook)(Value v);
Value (*slot_fault_hook)(Value owner, Slot *s);
uint64_t (*obj_oid_hook)(Value v);
uint64_t (*obj_take_id_hook)(Value v);
uint64_t hash_seed = 0x5bd1e9955bd1e995ull;

/* ---- before a change, before a read ---- */

void obj_attend_slow(Value v)
{
    if (!obj_refill_hook)
        ereport(PANIC, ERR_INTERNAL, errmsg("object with ATTENTION without a store"));
    obj_refill_hook(v);
}

/* LOG was set: the transaction and the collector hear of the first change.  The hook may raise: LOG stays set till it has
 * written v down, or the next change would go unnoticed. */
static void note_change(Value v)
{
    if (obj_log_hook)
        obj_log_hook(v);
    obj_ptr(v)->head &= ~OH_LOG;
    heap_note_change(v);
}

void obj_touch(Value v)
{
    if (obj_head(v) & OH_ATTENTION)
        obj_attend_slow(v);
    if (obj_head(v) & OH_LOG)
        note_change(v);
}

void obj_modify_slow(Value v)
{
    if (obj_head(v) & OH_ATTENTION)
        obj_attend_slow(v);
    if (obj_frozen_bit(v))
        raise_frozen(v);
    if (obj_head(v) & OH_LOG)
        note_change(v);
}

Value slot_fault(Value owner, Slot *s)
{
    if (s->raw == SLOT_ABSENT)
        return heap_type_row(obj_type(owner))->absent_slot(owner, s);
    if (!slot_fault_hook)
        ereport(PANIC, ERR_INTERNAL, errmsg("unresolved reference without a store"));
    return slot_fault_hook(owner, s);
}

bool slot_same(Slot a, Slot b)
{
    if (a.raw == b.raw)
        return true;
    if (slot_unresolved(a) == slot_unresolved(b))
        return false;
    Slot ref = slot_unresolved(a) ? a : b;
    Value v = slot_unresolved(a) ? b.raw : a.raw;
    return is_heap(v) && (obj_head(v) & OF_OID) && obj_oid_hook && obj_oid_hook(v) == ref.raw >> 8;
}

/* ---- classes ---- */

Value class_of(Value v)
{
    if (is_heap(v))
        return shape_table[obj_shape(v)].cls;
    if (is_fixnum(v))
        return klass.Integer;
    if (is_flonum(v))
        return klass.Float;
    if (is_symbol(v))
        return klass.Symbol;
    if (v == V_NIL)
        return klass.NilClass;
    if (v == V_TRUE)
        return klass.TrueClass;
    if (v == V_FALSE)
        return klass.FalseClass;
    return klass.Object; /* undef: never seen by a program */
}

Value class_real(Value v)
{
    Value cls = class_of(v);
    while (class_flag(cls, CLASS_SINGLETON) || obj_type(cls) == T_ICLASS)
        cls = class_next(cls);
    return cls;
}

bool obj_is_kind_of(Value v, Value cls)
{
    if (is_heap(v) && (obj_head(v) & OF_HOLLOW))
        obj_attend(v); /* its class is what its record says */
    return module_inherits(class_of(v), cls);
}

bool obj_is_instance_of(Value v, Value cls)
{
    return class_real(v) == cls;
}

/* ---- freezing ---- */

bool obj_frozen(Value v)
{
    return is_immediate(v) || obj_frozen_bit(v);
}

Value obj_freeze(Value v)
{
    if (is_immediate(v) || obj_frozen_bit(v))
        return v;
    obj_touch(v);
    obj_ptr(v)->head |= OH_FROZEN;
    if (obj_type(v) == T_OBJECT || obj_type(v) == T_CLASS || obj_type(v) == T_MODULE) {
        Value cls = class_of(v);
        if (class_is_singleton(cls) && class_attached_object(cls) == v && !obj_frozen_bit(cls)) {
            obj_touch(cls);
            obj_ptr(cls)->head |= OH_FROZEN;
        }
    }
    return v;
}

/* ---- identity ---- */

bool obj_same(Value a, Value b)
{
    return a == b;
}

static uint64_t next_number = 1; /* 8 is the id of nil */

uint64_t obj_identity_number(Value v)
{
    Side *s = side_get(v);
    obj_ptr(v)->head |= OF_ID;
    if (!s->number) {
        uint64_t number = obj_take_id_hook ? obj_take_id_hook(v) : 0;
        s = side_get(v);
        s->number = number ? number : ++next_number;
    }
    return s->number;
}

Value obj_object_id(Value v)
{
    if (is_fixnum(v))
        return both_fixnum(v, v) && fixable(fix_int(v) * 2) && fix_int(v) < (INT64_MAX >> 3) && fix_int(v) > (INT64_MIN >> 3)
                   ? int_fix(fix_int(v) * 2 + 1)
                   : num_add(num_mul(v, int_fix(2)), int_fix(1));
    if (v == V_NIL)
        return int_fix(8);
    if (v == V_TRUE)
        return int_fix(20);
    if (v == V_FALSE)
        return int_fix(0);
    if (is_immediate(v))
        return uint_value(v);
    return uint_value(obj_identity_number(v) << 3); /* multiples of 8 are no number's, symbol's or float's */
}

uint64_t identity_hash_of_oid(uint64_t oid)
{
    return hash_u64(oid ^ 0x1dea) | 1;
}

int64_t obj_identity_hash(Value v)
{
    if (is_immediate(v))
        return (int64_t)(hash_u64(v ^ hash_seed) >> 2);
    Side *s = side_get(v);
    obj_ptr(v)->head |= OF_ID;
    uint64_t oid;
    if (!s->identity_hash && obj_oid_hook && (oid = obj_oid_hook(v)) != 0)
        s->identity_hash = identity_hash_of_oid(oid); /* every session finds the same without asking */
    if (!s->identity_hash) {
        static uint64_t state;
        if (!state && getrandom(&state, sizeof state, 0) != sizeof state)
            state = (uint64_t)(uintptr_t)s;
        state += 0x9e3779b97f4a7c15ull;
        s->identity_hash = hash_u64(state) | 1;
    }
    return (int64_t)(s->identity_hash >> 2);
}

/* ---- allocation and copies ---- */

Value obj_alloc(Value cls)
{
    ClassExt *x = class_ext(cls);
    if (class_flag(cls, CLASS_SINGLETON))
        raise_error(klass.TypeError, "can't create instance of singleton class");
    if (!class_flag(cls, CLASS_INITIALIZED))
        raise_error(klass.TypeError, "can't instantiate uninitialized class");
    if (class_flag(cls, CLASS_NO_ALLOC))
        raise_error(klass.TypeError, "allocator undefined for %s", class_name_c(cls));
    if (x->allocator)
        return x->allocator(cls);
    ObjectType t = (ObjectType)x->instance_type;
    if (type_has_slots(t)) {
        unsigned fixed = x->nfields;
        return heap_alloc_slots(t, cls, x->slot_hint > fixed ? x->slot_hint - fixed : 0);
    }
    if (t == T_CLASS)
        return class_alloc(T_CLASS, cls);
    if (t == T_MODULE)
        return module_new_of(cls);
    raise_error(klass.TypeError, "allocator undefined for %s", class_name_c(cls));
}

static Value copy_of(Value v)
{
    Value cls = class_real(v);
    if (!has_slots(v)) {
        Value copy = obj_alloc(cls);
        ivar_copy_all(copy, v);
        if (obj_head(v) & OF_FINALIZER)
            obj_copy_finalizers(copy, v);
        return copy;
    }
    obj_attend(v);
    unsigned n = shape_table[obj_shape(v)].count;
    Value copy = heap_alloc_slots(obj_type(v), cls, n);
    /* the type's own flags belong to the value */
    obj_ptr(copy)->head |= obj_head(v) & ((uint64_t)0xffff << 16);
    ivar_copy_all(copy, v);
    if (obj_head(v) & OF_FINALIZER)
        obj_copy_finalizers(copy, v);
    return copy;
}

Value obj_dup_slots(Value v)
{
    unsigned n = shape_table[obj_shape(v)].count;
    Value copy = heap_alloc_head((obj_head(v) & ~((uint64_t)0xffffff << 8)) | OF_EMBED, (MAX(n, 3u) + 1) * sizeof(Slot));
    slot_copy_range(copy, obj_slots(copy), obj_slots(v), n);
    return copy;
}

static bool is_special(Value v)
{
    return is_immediate(v) || obj_type(v) == T_FLOAT || obj_type(v) == T_BIGNUM || obj_type(v) == T_RATIONAL ||
           obj_type(v) == T_COMPLEX;
}

Value obj_dup(Value v)
{
    if (is_special(v))
        return v;
    Value copy = copy_of(v);
    vm_call1(copy, SYM(initialize_dup), v);
    return copy;
}

typedef struct CopyArg {
    Value from, to;
} CopyArg;

static void copy_singleton_row(uint32_t id, Slot *s, void *arg)
{
    CopyArg *a = arg;
    MethodEntry *me = (MethodEntry *)s->raw;
    MethodEntry *copy = method_entry_new((MethodKind)me->kind, (Visibility)me->visibility);
    uint64_t head = copy->head;
    *copy = *me;
    copy->head = head;
    slot_write((Value)copy, &copy->owner, a->to);
    if (slot_read((Value)me, &me->defined) == a->from)
        slot_write((Value)copy, &copy->defined, a->to);
    class_row_set(a->to, class_ext(a->to)->methods, id, (Value)copy);
}

static void copy_singleton_constant(uint32_t id, Slot *s, void *arg)
{
    CopyArg *a = arg;
    class_row_set(a->to, class_ext(a->to)->constants, id, s->raw);
}

void obj_copy_singleton(Value to, Value from)
{
    Value cls = class_of(from);
    if (!class_is_singleton(cls) || class_attached_object(cls) != from)
        return;
    Value single = obj_singleton_class(to);
    CopyArg arg = {cls, single};
    class_rows_each(cls, class_ext(cls)->methods, copy_singleton_row, &arg);
    class_rows_each(cls, class_ext(cls)->constants, copy_singleton_constant, &arg);
    /* modules that the object was extended with, the last one first */
    Value list = ary_new(4);
    for (Value k = class_next(cls); !is_nil(k) && obj_type(k) == T_ICLASS; k = class_next(k))
        if (!class_flag(k, CLASS_ORIGIN))
            ary_push(list, class_owner_at(k));
    for (long i = (long)ary_len(list) - 1; i >= 0; i--)
        module_include(single, ary_get(list, i));
    method_serial++;
}

Value obj_clone(Value v, Value freeze)
{
    if (is_special(v)) {
        if (freeze == V_FALSE)
            raise_error(klass.ArgumentError, "can't unfreeze %C", class_real(v));
        return v;
    }
    Value copy = copy_of(v);
    obj_copy_singleton(copy, v);
    if (is_nil(freeze)) {
        vm_call1(copy, SYM(initialize_clone), v);
    } else {
        Value options = hash_new();
        hash_set(options, SYM(freeze), freeze);
        vm_call_kw(copy, SYM(initialize_clone), 2, (Value[]){v, options});
    }
    if (freeze == V_TRUE || (is_nil(freeze) && obj_frozen_bit(v)))
        obj_freeze(copy);
    return copy;
}

/* ---- comparisons ---- */

bool obj_equal(Value a, Value b)
{
    if (a == b)
        return true;
    if (!(redefined_ops & REDEFINED_EQ)) {
        if (is_immediate(a) && is_immediate(b) && !is_flonum(a) && !is_flonum(b))
            return false;
        if (is_symbol(a) || is_symbol(b))
            if (is_immediate(a) || obj_type(a) == T_STRING)
                return false;
        if (is_string(a) && is_string(b))
            return str_equal(a, b);
        if ((is_integer(a) || is_float(a)) && (is_integer(b) || is_float(b)))
            return num_equal(a, b);
    }
    return truthy(vm_call1(a, SYM(op_eq), b));
}

bool obj_eql(Value a, Value b)
{
    if (a == b)
        return true;
    if (is_immediate(a))
        return false;
    switch (obj_type(a)) {
    case T_STRING:
        if (is_string(b) && class_of(a) == klass.String)
            return str_equal(a, b);
        break;
    case T_FLOAT:
        return is_type(b, T_FLOAT) && ((Float *)a)->value == ((Float *)b)->value;
    case T_BIGNUM:
        return is_type(b, T_BIGNUM) && num_equal(a, b);
    case T_ARRAY: {
        MethodEntry *me = method_find(class_of(a), SYM(eql_p));
        bool same;
        if (me && me->kind == ME_BUILTIN && ary_eql_leaves(a, b, &same))
            return same;
        break;
    }
    default:
        break;
    }
    return truthy(vm_call1(a, SYM(eql_p), b));
}

static uint64_t symbol_hash(Value sym)
{
    return hash_bytes(sym_text(sym), sym_len(sym), hash_seed ^ 0x73796d62);
}

uint64_t obj_hash(Value v)
{
    if (is_fixnum(v))
        return hash_u64(v ^ hash_seed);
    if (is_symbol(v))
        return symbol_hash(v);
    if (is_float(v))
        return num_hash(v);
    if (is_immediate(v))
        return hash_u64(v ^ hash_seed);
    if (obj_type(v) == T_STRING && class_of(v) == klass.String)
        return str_hash(v);
    if (obj_type(v) == T_BIGNUM)
        return num_hash(v);
    MethodEntry *me = method_find(class_of(v), SYM(hash));
    if (me && me->kind == ME_BUILTIN && slot_read((Value)me, &me->owner) == klass.Kernel)
        return (uint64_t)obj_identity_hash(v);
    uint64_t code;
    if (is_array(v) && me && me->kind == ME_BUILTIN && ary_hash_leaves(v, &code))
        return code;
    Value h = vm_call0(v, SYM(hash));
    if (is_fixnum(h))
        return (uint64_t)fix_int(h);
    if (is_type(h, T_BIGNUM))
        return num_hash(h);
    return (uint64_t)value_int(h);
}

/* ---- text ---- */

Value obj_any_to_s(Value v)
{
    char address[40];
    uint64_t n;
    if (is_immediate(v)) {
        n = v;
    } else {
        Value id = obj_object_id(v);
        n = is_fixnum(id) ? (uint64_t)fix_int(id) : 0;
    }
    snprintf(address, sizeof address, ":0x%016llx>", (unsigned long long)n);
    Value text = str_new_c("#<");
    str_append_str(text, class_path(class_real(v)));
    str_append_c(text, address);
    return text;
}

Value obj_inspect(Value v)
{
    if (is_string(v) && class_of(v) == klass.String)
        return str_inspect(v);
    Value s = vm_call0(v, SYM(inspect));
    return is_string(s) ? s : obj_to_s(s);
}

Value obj_to_s(Value v)
{
    if (is_string(v))
        return v;
    if (is_fixnum(v) && !(redefined_ops & REDEFINED_TO_S))
        return int_to_str(v, 10);
    if (is_symbol(v) && !(redefined_ops & REDEFINED_TO_S))
        return sym_name_str(v);
    Value s = vm_call0(v, SYM(to_s));
    return is_string(s) ? s : obj_any_to_s(v);
}

/* ---- conversions ---- */

static const char *name_for_conversion(Value v)
{
    if (is_nil(v))
        return "nil";
    if (v == V_TRUE)
        return "true";
    if (v == V_FALSE)
        return "false";
    return class_name_c(class_real(v));
}

static bool of_type(Value v, ObjectType t)
{
    return is_type(v, t) || (t == T_BIGNUM && is_fixnum(v));
}

static Value checked(Value v, Value got, ObjectType t, const char *type_name, Value method)
{
    if (!of_type(got, t))
        raise_error(klass.TypeError, "can't convert %s to %s (%s#%s gives %s)", name_for_conversion(v), type_name,
                    name_for_conversion(v), sym_text(method), class_name_c(class_real(got)));
    return got;
}

Value obj_convert(Value v, ObjectType t, const char *type_name, Value method)
{
    if (of_type(v, t))
        return v;
    Value got = vm_call_if_responds(v, method, 0, NULL);
    if (is_undef(got))
        raise_no_conversion(v, type_name);
    return checked(v, got, t, type_name, method);
}

Value obj_try_convert(Value v, ObjectType t, const char *type_name, Value method)
{
    if (of_type(v, t))
        return v;
    Value got = vm_call_if_responds(v, method, 0, NULL);
    if (is_undef(got) || is_nil(got))
        return V_NIL;
    return checked(v, got, t, type_name, method);
}
