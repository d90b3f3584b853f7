/* refinement.c -- refinements: methods that a file or a module body sees in place of a class's own
 *
 * `refine C` in module M makes a module R of class Refinement (CLASS_REFINEMENT; attached = C, includer = M) in M's
 * list.  `using M` puts M's refinements into the cref where it stands, as pairs C, R; the newest is found first.
 * Inside a refine block R's cref itself activates M's refinements.  A call asks method_find_refined with its own
 * cref; until the first `refine` of the session nobody asks (refinements_used).  Call sites cache the answer as any
 * other: `using` and definitions bump method_serial.
 */
#include "vm/core.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"

bool refinements_used;

/* What a list of the store's has at this place may be anything. */
static Value refinement_at(Value list, size_t i)
{
    Value r = ary_get(list, (long)i);
    if (!is_module(r) || !class_flag(r, CLASS_REFINEMENT))
        raise_error(klass.TypeError, "%V is in a list of refinements but is none", r);
    return r;
}

Value refinement_target(Value r)
{
    return slot_read(r, &class_ext(r)->attached);
}

Value refinement_owner(Value r)
{
    return slot_read(r, &class_ext(r)->includer);
}

Value module_refinements(Value mod)
{
    Value list = slot_read(mod, &class_ext(mod)->refinements);
    return is_nil(list) ? ary_new(0) : list;
}

Value refinement_get(Value mod, Value target)
{
    Value list = slot_read(mod, &class_ext(mod)->refinements);
    if (is_nil(list)) {
        obj_modify(mod);
        list = ary_new(2);
        slot_write(mod, &class_ext(mod)->refinements, list);
    }
    for (size_t i = 0; i < ary_len(list); i++)
        if (refinement_target(refinement_at(list, i)) == target)
            return refinement_at(list, i);
    Value r = module_new_of(klass.Refinement);
    class_ptr(r)->flags |= CLASS_REFINEMENT;
    slot_write(r, &class_ext(r)->attached, target);
    slot_write(r, &class_ext(r)->includer, mod);
    ary_push(list, r);
    refinements_used = true;
    method_serial++;
    method_caches_clear();
    return r;
}

/* The refinement of `target` that is active at cref; V_UNDEF when there is none. */
static Value active_for(Value cref, Value target)
{
    for (Value c = cref; !is_nil(c); c = obj_field(c, CREF_OUTER)) {
        Value mod = obj_field(c, CREF_MODULE);
        if (is_module(mod) && class_flag(mod, CLASS_REFINEMENT)) {
            if (refinement_target(mod) == target)
                return mod;
            Value list = module_refinements(refinement_owner(mod));
            for (size_t i = 0; i < ary_len(list); i++)
                if (refinement_target(refinement_at(list, i)) == target)
                    return refinement_at(list, i);
        }
        Value pairs = obj_field(c, CREF_REFINEMENTS);
        if (is_nil(pairs))
            continue;
        for (long i = (long)ary_len(pairs) - 2; i >= 0; i -= 2)
            if (ary_get(pairs, i) == target)
                return refinement_at(pairs, (size_t)i + 1);
    }
    return V_UNDEF;
}

static bool any_active(Value cref)
{
    for (Value c = cref; !is_nil(c); c = obj_field(c, CREF_OUTER)) {
        Value mod = obj_field(c, CREF_MODULE);
        if (!is_nil(obj_field(c, CREF_REFINEMENTS)) || (is_module(mod) && class_flag(mod, CLASS_REFINEMENT)))
            return true;
    }
    return false;
}

MethodEntry *method_find_refined(Value cls, Value name, Value cref)
{
    if (is_nil(cref) || !any_active(cref))
        return method_find(cls, name);
    sym_set_looked_up(name);
    for (Value k = cls; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        Value place = obj_type(k) == T_ICLASS && class_flag(k, CLASS_ORIGIN) ? V_UNDEF : obj_type(k) == T_ICLASS ? owner : k;
        Value r = is_undef(place) ? V_UNDEF : active_for(cref, place);
        if (!is_undef(r)) {
            MethodEntry *me = method_find_here(r, name);
            if (me && me->kind == ME_UNDEF)
                return NULL;
            if (me)
                return me;
        }
        if (is_undef(owner))
            continue;
        MethodEntry *me = method_find_here(owner, name);
        if (!me)
            continue;
        if (me->kind == ME_UNDEF)
            return NULL;
        if (me->kind == ME_ZSUPER)
            return method_find(cls, name);
        return me;
    }
    return NULL;
}

static void use_one(Value cref, Value mod)
{
    Value list = module_refinements(mod);
    if (ary_len(list) == 0)
        return;
    Value pairs = obj_field(cref, CREF_REFINEMENTS);
    pairs = is_nil(pairs) ? ary_new(4) : ary_dup(pairs);
    for (size_t i = 0; i < ary_len(list); i++) {
        Value r = refinement_at(list, i);
        ary_push(pairs, refinement_target(r));
        ary_push(pairs, r);
    }
    obj_set_field(cref, CREF_REFINEMENTS, pairs);
}

void refinements_use(Value cref, Value mod)
{
    Value list = module_ancestors(mod);
    for (long i = (long)ary_len(list) - 1; i >= 0; i--) /* its own last: found first */
        use_one(cref, ary_get(list, i));
    method_serial++;
}

/* What Module.used_refinements lists: the newest first. */
Value refinements_active(Value cref)
{
    Value found = ary_new(4);
    for (Value c = cref; !is_nil(c); c = obj_field(c, CREF_OUTER)) {
        Value pairs = obj_field(c, CREF_REFINEMENTS);
        for (long i = is_nil(pairs) ? -1 : (long)ary_len(pairs) - 1; i >= 0; i -= 2)
            if (!ary_includes(found, ary_get(pairs, i)))
                ary_push(found, ary_get(pairs, i));
    }
    return found;
}
