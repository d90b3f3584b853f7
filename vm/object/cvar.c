/* cvar.c -- class variables: one variable for a class and all below it
 *
 * A look-up goes through the whole ancestry: the variable is the topmost of that name.  One found nearer as well
 * was overtaken by a later definition above, which is an error.
 */
#include "vm/core.h"
#include "vm/object/class_private.h"

/* The module that holds the variable, V_UNDEF when there is none. */
static Value holder(Value mod, Value name)
{
    Value front = V_UNDEF, target = V_UNDEF;
    uint32_t id = symbol_id(name);
    Value start = mod;
    if (class_is_singleton(mod) && is_module(class_attached_object(mod))) {
        if (class_row_find(mod, class_ext(mod)->cvars, id, NULL))
            front = target = mod;
        start = class_attached_object(mod);
    }
    for (Value k = start; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner) || !class_row_find(owner, class_ext(owner)->cvars, id, NULL))
            continue;
        if (is_undef(front))
            front = owner;
        target = owner;
    }
    if (front != target && obj_type(target) != T_MODULE)
        raise_error(klass.RuntimeError, "class variable %s of %s is overtaken by %s", sym_text(name), class_name_c(front),
                    class_name_c(target));
    return front != target ? front : target;
}

Value cvar_find(Value mod, Value name)
{
    Value at = holder(mod, name);
    if (is_undef(at))
        return V_UNDEF;
    Value table;
    Slot *s = class_row_find(at, class_ext(at)->cvars, symbol_id(name), &table);
    return slot_read(table, s);
}

Value cvar_get(Value mod, Value name)
{
    Value v = cvar_find(mod, name);
    if (is_undef(v))
        raise_name_error(mod, name, "uninitialized class variable %s in %s", sym_text(name), class_name_c(mod));
    return v;
}

void cvar_set(Value mod, Value name, Value v)
{
    Value at = holder(mod, name);
    if (is_undef(at))
        at = class_is_singleton(mod) && is_module(class_attached_object(mod)) ? class_attached_object(mod) : mod;
    class_row_set(at, class_ext(at)->cvars, symbol_id(name), v);
}
