/* refuse.c -- what can't be saved, and how it is reached
 *
 * The path names each object from the root (or from the changed object where the commit began to walk) and how that leads to
 * the next: key, index, instance variable, member, constant, local variable.  What has no class (tables, Envs, code) is no step
 * of its own.  It is put together when a commit is refused, by looking for the reference: nothing is noted beforehand.
 */
#include "private.h"
#include "vm/code.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"
#include "vm/object/object_private.h"

enum { SHOWN_KEY = 40 }; /* characters */

const char *refuse_senseless(Value v)
{
    static const struct {
        const char *class_name, *why;
    } rows[] = {
#define UNSAVABLE(class_name, why) {class_name, why},
#include "vm/persist/unsavable.def"
#undef UNSAVABLE
    };
    Value cls = shape_class(obj_shape(v));
    while (is_class(cls) && !builtin_oid(cls))
        cls = class_superclass(cls);
    if (!is_class(cls) || cls == klass.Object)
        return NULL;
    const char *name = builtin_name(cls);
    for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].class_name, name) == 0)
            return rows[i].why;
    return NULL;
}

/* ---- one step ---- */

/* No method of a user's class is called for it. */
static Value shown_key(Value key)
{
    if (is_heap(key) && obj_type(key) != T_FLOAT && obj_type(key) != T_BIGNUM &&
        !(is_string(key) && shape_class(obj_shape(key)) == klass.String))
        return str_format("#<%s>", class_name_c(class_real(key)));
    Value text = vm_call0(key, sym_intern("inspect"));
    Value start = str_substr(text, 0, SHOWN_KEY);
    if (str_view(start).len < str_view(text).len)
        str_append_c(start, "...");
    return start;
}

static Value in_array(Value from, Value v)
{
    const Array *a = (const Array *)from;
    for (uint32_t i = 0; i < a->len; i++)
        if (a->ptr[i].raw == v)
            return str_format("[%u]", i);
    return V_NIL;
}

static Value in_hash(Value from, Value v)
{
    const Hash *h = (const Hash *)from;
    for (uint32_t i = 0; i < h->used; i++) {
        const HashEntry *e = &h->entries[i];
        if (e->code & 1)
            continue;
        if (e->value.raw == v)
            return slot_unresolved(e->key) ? str_new_c("[...]") : str_format("[%T]", shown_key(e->key.raw));
        if (e->key.raw == v)
            return str_new_c(".keys");
    }
    return h->fallback.raw == v ? str_new_c(obj_head(from) & HASH_DEFAULT_PROC ? ".default_proc" : ".default") : V_NIL;
}

/* An instance variable, or what stands under another name: a member, a field. */
static Value named(uint32_t symbol)
{
    return str_format(".%T", sym_name_str(symbol_value(symbol)));
}

static Value in_slots(Value from, Value v)
{
    uint32_t shape = obj_shape(from);
    for (unsigned i = 0; i < shape_table[shape].count; i++)
        if (obj_slots(from)[i].raw == v)
            return named(shape_name_at(shape, i));
    return V_NIL;
}

static Value in_side(Value from, Value v)
{
    const Side *side = obj_head(from) & OF_IVARS ? side_find(from) : NULL;
    for (uint32_t i = 0; side && i < side->n; i++)
        if (side->values[i].raw == v)
            return named(side->names[i]);
    return V_NIL;
}

/* A constant, a method, a class variable. */
static Value in_table(Value from, Value v)
{
    const SymTable *t = (const SymTable *)from;
    for (uint32_t i = 0; i < t->used; i++)
        if (t->rows[i].symbol && t->rows[i].value.raw == v) {
            Value name = sym_name_str(symbol_value(t->rows[i].symbol));
            char c = *str_view(name).ptr;
            return str_format(c == '@' ? ".%T" : c >= 'A' && c <= 'Z' ? "::%T" : "#%T", name);
        }
    return V_NIL;
}

static Value in_env(Value from, Value v)
{
    const Env *env = (const Env *)from;
    if (env->self.raw == v)
        return str_new_c(" self");
    const Code *code = is_heap(env->code.raw) && !slot_unresolved(env->code) ? (const Code *)env->code.raw : NULL;
    for (uint32_t i = 0; code && i < env->nslots && i < code->nlocals; i++)
        if (env->slots[i].raw == v && code->locals[i])
            return str_format(" local %T", sym_name_str(symbol_value(code->locals[i])));
    return V_NIL;
}

/* How `from` leads to v; nil when that can't be told. */
static Value step(Value from, Value v)
{
    Value found = in_side(from, v);
    if (!is_nil(found))
        return found;
    switch (obj_type(from)) {
    case T_ARRAY:
        return in_array(from, v);
    case T_HASH:
        return in_hash(from, v);
    case T_SYMTABLE:
        return in_table(from, v);
    case T_ENV:
        return in_env(from, v);
    default:
        return has_slots(from) && obj_shape(from) ? in_slots(from, v) : V_NIL;
    }
}

/* ---- the path ---- */

static bool is_step(Value v)
{
    return v == session.root || is_module(v) || (obj_shape(v) && obj_type(v) != T_ENV && obj_type(v) != T_SYMTABLE &&
                                                 is_class(shape_class(obj_shape(v))));
}

static Value name_of(Value v)
{
    if (v == session.root)
        return str_new_c("Maglev::PERSISTENT_ROOT");
    if (is_module(v))
        return str_new_c(class_name_c(v));
    if (!is_step(v))
        return str_new_c(obj_type(v) == T_ENV ? "(running frame)" : obj_type(v) == T_SYMTABLE ? "" : "(internal)");
    const char *builtin = builtin_name(v);
    return str_format("#<%s>", builtin ? builtin : class_name_c(class_real(v)));
}

Value refuse_path(Value chain)
{
    Value path = str_new_c("");
    for (size_t i = 0; i < ary_len(chain); i++) {
        Value v = ary_get(chain, (long)i);
        if (i == 0 || is_step(v)) {
            str_append_c(path, i ? " -> " : "");
            str_append_str(path, name_of(v));
        }
        Value next = ary_get(chain, (long)i + 1); /* nil at the end */
        Value how = is_heap(next) && obj_type(next) != T_ENV ? step(v, next) : V_NIL;
        if (!is_nil(how))
            str_append_str(path, how);
    }
    return path;
}
