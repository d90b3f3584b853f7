/* names.c -- names that reflection is given, and the lists of method names it gives back */
#include "vm/object/names.h"

#include "vm/code.h"
#include "vm/object/class_private.h"

static Value name_text(Value v)
{
    Value str = is_string(v) ? v : obj_try_convert(v, T_STRING, "String", SYM(to_str));
    if (str == V_NIL)
        raise_error(klass.TypeError, "%V is not a symbol nor a string", v);
    return str;
}

Value name_of(Value v)
{
    return is_symbol(v) ? v : sym_intern_str(name_text(v));
}

Value name_if_known(Value v)
{
    if (is_symbol(v))
        return v;
    StrView view = str_view(name_text(v));
    return sym_find_len(view.ptr, view.len, view.enc);
}

Value ivar_name_of(Value v, Value recv)
{
    Value name = name_of(v);
    if (sym_kind(name) != SYMKIND_IVAR)
        raise_name_error(recv, name, "'%s' is not allowed as an instance variable name", sym_text(name));
    return name;
}

Value cvar_name_of(Value v, Value recv)
{
    Value name = name_of(v);
    if (sym_kind(name) != SYMKIND_CVAR)
        raise_name_error(recv, name, "'%s' is not allowed as a class variable name", sym_text(name));
    return name;
}

bool method_is_shown(const MethodEntry *me)
{
    if (me->kind == ME_BUILTIN)
        return !(me->flags & BI_HIDDEN);
    if (is_own_attribute(me->name)) /* a declaration */
        return false;
    /* helpers of the Ruby part of core */
    return !(me->kind == ME_CODE && is_heap(me->body.raw) && (code_ptr(me->body.raw)->flags & CODE_INTERNAL) &&
             !strncmp(sym_text(symbol_value(me->name)), "__", 2));
}

MethodEntry *method_find_shown(Value cls, Value name)
{
    MethodEntry *me = method_find(cls, name);
    return me && method_is_shown(me) ? me : NULL;
}

typedef struct NamesArg {
    Value seen, list;
    unsigned which;
} NamesArg;

static void note(uint32_t id, Slot *s, void *arg)
{
    NamesArg *a = arg;
    Value name = symbol_value(id);
    if (!is_undef(hash_get(a->seen, name)))
        return;
    hash_set(a->seen, name, V_TRUE);
    MethodEntry *me = (MethodEntry *)s->raw;
    if (me->kind == ME_UNDEF) {
        if (a->which & METHODS_UNDEFINED)
            ary_push(a->list, name);
        return;
    }
    if (!method_is_shown(me))
        return;
    unsigned bit = me->visibility == VIS_PUBLIC ? METHODS_PUBLIC : me->visibility == VIS_PROTECTED ? METHODS_PROTECTED : METHODS_PRIVATE;
    if (a->which & bit)
        ary_push(a->list, name);
}

Value method_names(Value cls, bool inherit, unsigned which)
{
    NamesArg a = {hash_new(), ary_new(16), which};
    Value k = inherit ? cls : class_own_place(cls);
    for (; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        class_rows_each(owner, class_ext(owner)->methods, note, &a);
        if (!inherit && !((which & METHODS_OF_OBJECT) && class_is_singleton(owner)))
            break;
    }
    return a.list;
}
