/* object_private.h -- what the files of vm/object share: side table of objects, ClassExt is in class_private.h */
#ifndef VM_OBJECT_PRIVATE_H
#define VM_OBJECT_PRIVATE_H

#include "lib/base.h"
#include "vm/heap.h"
#include "vm/shape.h"
#include "vm/symbol.h"

/* What an object has beside its cell: an id, an identity hash, instance variables of types without slots. */
typedef struct Side {
    Value object;
    uint64_t number, identity_hash; /* obj_identity_number; 0: none */
    uint32_t n, cap;
    uint32_t *names; /* symbol ids */
    Slot *values;
} Side;
Side *side_find(Value v);
Side *side_get(Value v); /* makes it; the caller sets OF_IVARS or OF_ID */
uint64_t identity_hash_of_oid(uint64_t oid); /* what a stored object without one of its own has */
void ivar_restore(Value obj, uint32_t symbol_id, Slot x);
void ivar_forget(Value obj);                 /* all of the side row's but those of the session */
/* Transient instance variables: those that are this session's alone.  They lie in the side table under their name behind
 * OWN_ATTRIBUTE; no record holds them, a body that is emptied leaves them.  A class whose instances have such a variable has a
 * method of that name, which reflection does not show: so the modes, inheritance and stored classes need nothing more. */
#define OWN_ATTRIBUTE '%'
static inline bool is_own_attribute(uint32_t id)
{
    const char *text = sym_text(symbol_value(id));
    return text[0] == OWN_ATTRIBUTE && text[1] == '@';
}
/* A table of methods with such a name came into the session, or the ancestry of a class changed. */
void ivar_transients_met(void);
extern bool ivar_transients; /* there has been one */
void ivar_declare_transient(Value cls, Value name); /* @name of the instances of cls */
void side_boot(void);
void shape_boot(void);
void symtable_boot(void);
void class_types_boot(void);
void method_boot(void);
void constant_boot(void);
void object_ops_boot(void);

static inline bool has_slots(Value v)
{
    return type_has_slots(obj_type(v));
}
static inline bool ivar_name_visible(uint32_t id)
{
    return sym_text(symbol_value(id))[0] == '@';
}
#endif
