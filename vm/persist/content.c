/* content.c -- what a record holds is what the VM relies on, or reading it raises an error
 *
 * A record with a right checksum may hold anything: the store was damaged in memory, written by a program with a bug, or
 * made by someone.  Counts and lengths are checked by each type's restore; here it is the kinds of things that slots
 * hold.  C code casts what it finds in the fields of a Proc, an Env or a class without a look.  content.def says what may stand
 * there.  Immediate words are checked when the record is read, references when they are resolved, which is before
 * anyone sees them: every one comes through fault_slot.
 *
 * D1  A word of a record is an immediate value of Ruby's or a reference; never V_UNDEF or what looks like a pointer.
 * D2  An object's class makes objects of its type, and its shape belongs to that class: so fixed fields are there.
 * D3  A slot named in content.def, and an object operand of code, holds what is allowed, or is unresolved.
 * D4  No other slot holds an object that Ruby never sees, as an Env or a method entry.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/core/text.h"
#include "vm/core/time_private.h"
#include "vm/interp/vm_state.h"
#include "vm/object/class_private.h"
#include <stdio.h>

#define A(type) (1ull << T_##type)
enum { KIND_NOTHING = 60, KIND_SMALL, KIND_SYMBOL, KIND_TRUTH };
_Static_assert((int)T_COUNT < (int)KIND_NOTHING, "kinds are bits of a word");
#define NOTHING (1ull << KIND_NOTHING)
#define SMALL (1ull << KIND_SMALL)
#define SYMBOL (1ull << KIND_SYMBOL)
#define TRUTH (1ull << KIND_TRUTH)
#define INTEGERS (SMALL | A(BIGNUM))
#define REALS (INTEGERS | A(FLOAT) | A(RATIONAL) | A(OBJECT))
#define MODULES (A(CLASS) | A(MODULE))
#define ANCESTRY (MODULES | A(ICLASS))

enum { PLACE_FIELD, PLACE_MEMBER, PLACE_PART };
typedef struct Rule {
    uint8_t type, place;
    uint16_t at; /* index of the field; offset */
    uint64_t allowed;
} Rule;
static const Rule rules[] = {
#define FIELD(type, index, allowed) {T_##type, PLACE_FIELD, index, allowed},
#define MEMBER(type, structure, member, allowed) {T_##type, PLACE_MEMBER, offsetof(structure, member), allowed},
#define PART(member, allowed) {T_CLASS, PLACE_PART, offsetof(ClassExt, member), allowed},
#include "content.def"
};
static const uint64_t ruled_types = A(SYMTABLE)
#undef FIELD
#undef MEMBER
#undef PART
#define FIELD(type, index, allowed) | A(type)
#define MEMBER(type, structure, member, allowed) | A(type)
#define PART(member, allowed) | ANCESTRY
#include "content.def"
    ;

static uint64_t kind_of(Value v)
{
    if (is_heap(v))
        return 1ull << obj_type(v);
    if (is_fixnum(v))
        return SMALL;
    if (is_flonum(v))
        return A(FLOAT);
    if (is_symbol(v))
        return SYMBOL;
    return v == V_NIL ? NOTHING : TRUTH;
}

static const char *kind_name(Value v)
{
    if (is_heap(v))
        return heap_type_row(obj_type(v)) && !has_slots(v) ? heap_type_row(obj_type(v))->name : class_name_c(class_real(v));
    return is_fixnum(v) ? "Integer" : is_flonum(v) ? "Float" : is_symbol(v) ? "Symbol" : v == V_NIL ? "nil" : "true or false";
}

void content_refuse(Oid oid, const char *what)
{
    ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("the record of object %lu %s", (unsigned long)oid, what),
            errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    __builtin_unreachable();
}

_Noreturn static void refuse_value(Value owner, Value v)
{
    char text[200];
    const char *has = kind_name(v);

    snprintf(text, sizeof text, "has a value of kind %.60s where a %.60s can't have it", has, kind_name(owner));
    content_refuse(oidmap_oid(owner), text);
}

static Slot *place_of(const Rule *rule, Value owner)
{
    switch (rule->place) {
    case PLACE_FIELD:
        return &obj_slots(owner)[rule->at];
    case PLACE_MEMBER:
        return (Slot *)((char *)owner + rule->at);
    default:
        return (Slot *)((char *)class_ext(owner) + rule->at);
    }
}

static bool rule_is_for(const Rule *rule, ObjectType type)
{
    return rule->type == type || (rule->place == PLACE_PART && (ANCESTRY >> type & 1));
}

/* A table that a class has for its methods holds nothing else, now and whenever a row of it is resolved. */
#define METHODS_ONLY OT_FLAG(0)
static bool rows_are_methods(Value table)
{
    const SymTable *t = (SymTable *)table;

    obj_ptr(table)->head |= METHODS_ONLY;
    for (uint32_t i = 0; i < t->used; i++)
        if (t->rows[i].symbol && !slot_unresolved(t->rows[i].value) && !is_type(t->rows[i].value.raw, T_METHOD_ENTRY))
            return false;
    return true;
}

/* D4 */
static bool is_internal(Value v)
{
    return is_heap(v) && (hidden_types >> obj_type(v) & 1);
}

/* The backtrace that an exception keeps: an Array of code, word and method entry of each frame. */
#define TRACE OT_FLAG(0)
static bool fits_trace(const Array *trace, const Slot *place, Value v)
{
    switch ((size_t)(place - trace->ptr) % 3) {
    case 0:
        return v == V_NIL || is_type(v, T_CODE);
    case 1:
        return is_fixnum(v);
    default:
        return v == V_NIL || is_type(v, T_METHOD_ENTRY);
    }
}

static bool is_trace(Value list)
{
    Array *trace = (Array *)list;

    trace->head |= TRACE;
    for (size_t i = 0; i < trace->len; i++)
        if (!slot_unresolved(trace->ptr[i]) && !fits_trace(trace, &trace->ptr[i], trace->ptr[i].raw))
            return false;
    return trace->len % 3 == 0;
}

/* What one slot may hold hangs on others of the object. */
static bool fits_others(Value owner, const Slot *place, Value v)
{
    if (obj_type(owner) == T_PROC) {
        const Slot *fields = obj_slots(owner);
        int64_t flags = fix_int(fields[PROC_FLAGS].raw);

        if (place == &fields[PROC_CODE])
            return flags & PROCF_FROM_SYMBOL   ? is_symbol(v)
                   : flags & PROCF_FROM_METHOD ? v == V_NIL
                                               : is_type(v, T_CODE) && code_is_block(v);
        if (place == &fields[PROC_SELF] && (flags & PROCF_FROM_METHOD))
            return is_type(v, T_METHOD);
        if (place == &fields[PROC_FLAGS])
            return !(flags & ~(int64_t)(PROCF_LAMBDA | PROCF_FROM_METHOD | PROCF_FROM_SYMBOL | PROCF_RUBY2_KEYWORDS));
    }
    if (is_module(owner) && place == &class_ext(owner)->methods[TABLE_PERSISTENT])
        return v == V_NIL || rows_are_methods(v);
    if (is_module(owner) && place == &class_ext(owner)->attached && class_flag(owner, CLASS_REFINEMENT))
        return is_module(v);
    if (is_module(owner) && place == &class_ext(owner)->includer && class_flag(owner, CLASS_REFINEMENT))
        return is_module(v);
    if (obj_type(owner) == T_SYMTABLE)
        return obj_head(owner) & METHODS_ONLY ? is_type(v, T_METHOD_ENTRY) : !is_internal(v) || is_type(v, T_METHOD_ENTRY);
    if (obj_type(owner) == T_ENV && place == &((Env *)owner)->code)
        return code_ptr(v)->nlocals <= ((Env *)owner)->nslots;
    if (obj_type(owner) == T_METHOD_ENTRY && place == &((MethodEntry *)owner)->body)
        switch (((MethodEntry *)owner)->kind) {
        case ME_CODE:
            return is_type(v, T_CODE) && !code_is_block(v);
        case ME_ATTR_READER:
        case ME_ATTR_WRITER:
            return is_symbol(v);
        case ME_PROC:
            return is_type(v, T_PROC);
        case ME_ALIAS:
            return is_type(v, T_METHOD_ENTRY) && v != owner;
        default:
            return !is_internal(v);
        }
    if (obj_type(owner) == T_EXCEPTION && place == &obj_slots(owner)[EXC_TRACE])
        return v == V_NIL || is_trace(v);
    return true;
}

static bool fits(Value owner, Slot *place, Value v)
{
    ObjectType type = obj_type(owner);
    bool ruled = false;

    if (type == T_ARRAY && (obj_head(owner) & TRACE))
        return fits_trace((Array *)owner, place, v);
    for (size_t i = 0; (ruled_types >> type & 1) && i < COUNT_OF(rules) && !ruled; i++) {
        if (!rule_is_for(&rules[i], type) || place_of(&rules[i], owner) != place)
            continue;
        if (!(rules[i].allowed & kind_of(v)))
            return false;
        ruled = true;
    }
    if (type == T_CODE)
        return ruled || code_operand_fits(owner, place, v);
    if (!ruled && type != T_METHOD_ENTRY && type != T_SYMTABLE && is_internal(v))
        return false;
    return !(ruled_types >> type & 1) || fits_others(owner, place, v);
}

void content_check_slot(Value owner, Slot *place, Value v)
{
    if (unlikely(!fits(owner, place, v)))
        refuse_value(owner, v);
}

typedef struct Check {
    Value owner;
} Check;

static void check_operand(Slot *place, void *arg)
{
    Check *c = arg;

    if (!slot_unresolved(*place))
        content_check_slot(c->owner, place, place->raw);
}

void content_check(Value v)
{
    ObjectType type = obj_type(v);

    if (type == T_ARRAY && (obj_head(v) & TRACE) && !is_trace(v))
        refuse_value(v, V_NIL);
    if (!(ruled_types >> type & 1))
        return;
    if (type == T_PROC && !is_fixnum(obj_slots(v)[PROC_FLAGS].raw))
        refuse_value(v, V_NIL);
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        if (!rule_is_for(&rules[i], type))
            continue;
        Slot *place = place_of(&rules[i], v);
        if (!slot_unresolved(*place))
            content_check_slot(v, place, place->raw);
    }
    Check c = {v};
    if (type == T_CODE)
        code_each_object(code_ptr(v), check_operand, &c);
    if (type == T_SYMTABLE && (obj_head(v) & METHODS_ONLY) && !rows_are_methods(v))
        refuse_value(v, V_NIL);
    if (is_module(v) && !slot_unresolved(class_ext(v)->attached))
        content_check_slot(v, &class_ext(v)->attached, class_ext(v)->attached.raw);
    if (type == T_METHOD_ENTRY && !slot_unresolved(((MethodEntry *)v)->body))
        content_check_slot(v, &((MethodEntry *)v)->body, ((MethodEntry *)v)->body.raw);
    if (type == T_PROC && !slot_unresolved(obj_slots(v)[PROC_SELF]))
        content_check_slot(v, &obj_slots(v)[PROC_SELF], obj_slots(v)[PROC_SELF].raw);
}

/* ---- classes and shapes (D2) ---- */

/* The class that objects of a type are instances of; nil: it says itself what it makes, or has none. */
static Value type_base(ObjectType type)
{
    switch (type) {
    case T_FLOAT:
        return klass.Float;
    case T_BIGNUM:
        return klass.Integer;
    case T_STRING:
        return klass.String;
    case T_REGEXP:
        return klass.Regexp;
    case T_MATCH:
        return klass.MatchData;
    case T_ARRAY:
        return klass.Array;
    case T_HASH:
        return klass.Hash;
    case T_TIME:
        return klass.Time;
    case T_CLASS:
        return klass.Class;
    case T_MODULE:
        return klass.Module;
    default:
        return V_NIL;
    }
}

static bool makes(Value cls, ObjectType type)
{
    Value base = type_base(type);

    if (cls == base)
        return true;
    if (is_nil(cls)) /* those that Ruby does not see */
        return type == T_ENV || type == T_CODE || type == T_CREF || type == T_METHOD_ENTRY || type == T_SYMTABLE || type == T_ICLASS;
    if (!is_class(cls))
        return false;
    if (!is_nil(base))
        return module_inherits(cls, base);
    if (type == T_CREF)
        return cls == klass.Object;
    if (class_ext(cls)->instance_type != type)
        return false;
    return type != T_OBJECT || !class_ext(cls)->allocator;
}

/* So many fixed fields have objects of the type. */
static uint32_t fixed_fields(ObjectType type)
{
    switch (type) {
    case T_PROC:
        return PROC_FIELDS;
    case T_METHOD:
    case T_UNBOUND_METHOD:
        return METHODF_FIELDS;
    case T_BINDING:
        return BINDINGF_FIELDS;
    case T_CREF:
        return CREF_FIELDS;
    case T_RATIONAL:
    case T_COMPLEX:
        return 2;
    case T_RANGE:
        return 3;
    case T_EXCEPTION:
        return EXC_FIELDS;
    default:
        return 0;
    }
}

void content_check_class(Oid oid, ObjectType type, Value cls)
{
    if (unlikely(!makes(cls, type)))
        content_refuse(oid, "names a class that has no objects of its kind");
}

void content_check_shape(Oid oid, ObjectType type, Value cls, uint32_t shape)
{
    if (unlikely((type != T_CREF && shape_class(shape) != cls) || shape_table[shape].count < fixed_fields(type)))
        content_refuse(oid, "has a shape that is not of its class");
}
