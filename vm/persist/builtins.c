/* builtins.c -- objects that every process makes at boot, known to the store by name
 *
 * Their oids lie below 65,536: OID_FIRST_BUILTIN + the number that the store gave the name when it was first
 * needed.  So a binary that boots its classes in another order, or has more of them, reads the same store.  Names:
 *
 *   "String", "Process::Status"      modules, by path
 *   "singleton String"               their singleton classes
 *   "const Encoding::UTF_8"          other objects, by the constant that holds them
 *   "main"                           the top-level self
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"
#include <stdio.h>

typedef struct Builtins {
    ValueList objects;
    char **names; /* as the store sees them; parallel to objects */
    size_t names_cap;
} Builtins;
static Builtins boot;
static ValueList others; /* the objects that are no modules: few enough to search */

/* The number of builtins whose oid is known, by index + 1 in ClassExt.persist[0] for modules. */
static uint32_t *store_ids; /* by index; 0: not asked yet */

static void add(Value v, const char *prefix, const char *name)
{
    size_t i = boot.objects.count;
    if (i == boot.names_cap) {
        size_t cap = boot.names_cap ? boot.names_cap * 2 : 512;
        boot.names = heap_realloc(boot.names, cap * sizeof(char *));
        boot.names_cap = cap;
    }
    size_t len = strlen(prefix) + strlen(name) + sizeof "object ";
    boot.names[i] = heap_malloc(len);
    snprintf(boot.names[i], len, "object %s%s", prefix, name);
    list_push(&boot.objects, v);
    if (is_module(v))
        class_ext(v)->persist[0] = i + 1;
    else
        list_push(&others, v);
}

static void walk(Value module, const char *path);

typedef struct Walk {
    Value module;
    const char *path;
} Walk;

static void walk_constant(uint32_t id, Slot *s, void *arg)
{
    Walk *w = arg;
    Value v = s->raw;
    if (!is_heap(v))
        return;
    char path[512];
    snprintf(path, sizeof path, "%s%s%s", w->path, *w->path ? "::" : "", sym_text(symbol_value(id)));
    if (is_module(v)) {
        if (class_ext(v)->persist[0] || !str_equal(class_path(v), str_new_c(path)))
            return; /* another name of it: which comes first is the binary's own business */
        add(v, "", path);
        Value meta = shape_class(obj_shape(v));
        if (class_is_singleton(meta) && !class_ext(meta)->persist[0])
            add(meta, "singleton ", path);
        walk(v, path);
        return;
    }
    ObjectType type = obj_type(v);
    if (type == T_OBJECT || type == T_DATA)
        add(v, "const ", path);
}

static void walk(Value module, const char *path)
{
    Walk w = {module, path};
    class_rows_each(module, class_ext(module)->constants, walk_constant, &w);
}

static void builtins_visit(Visitor *v)
{
    for (size_t i = 0; i < boot.objects.count; i++)
        v->value(v, &boot.objects.items[i]);
    for (size_t i = 0; i < others.count; i++)
        v->value(v, &others.items[i]);
}

void builtins_collect(void)
{
    heap_add_visitor(builtins_visit, "builtins");
    add(klass.Object, "", "Object");
    add(shape_class(obj_shape(klass.Object)), "singleton ", "Object");
    walk(klass.Object, "");
    add(vm_main_object(), "", "main");
    /* the metaclasses of metaclasses, and whatever ancestry hangs on hidden classes, go by the class they belong to */
    store_ids = heap_calloc(boot.objects.count, sizeof(uint32_t));
}

static size_t index_of(Value v)
{
    if (is_module(v))
        return class_ext(v)->persist[0];
    if (obj_head(v) & OF_OID)
        return 0;
    ObjectType type = obj_type(v);
    if (type != T_OBJECT && type != T_DATA)
        return 0;
    for (size_t i = 0; i < others.count; i++)
        if (others.items[i] == v)
            for (size_t k = 0; k < boot.objects.count; k++)
                if (boot.objects.items[k] == v)
                    return k + 1;
    return 0;
}

Oid builtin_oid(Value v)
{
    size_t i = index_of(v);
    if (i == 0)
        return OID_NONE;
    i--;
    if (!store_ids[i]) {
        store_ids[i] = store_intern_encoding(boot.names[i]); /* the store's table of small names */
        if (store_ids[i] + OID_FIRST_BUILTIN >= OID_FIRST_USER)
            ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("the store has no number left for the built-in object %s", boot.names[i] + 7));
    }
    return OID_FIRST_BUILTIN + store_ids[i];
}

const char *builtin_name(Value v)
{
    size_t i = index_of(v);
    return i ? boot.names[i - 1] + 7 : NULL;
}

static const char *name_in_store(Oid oid, size_t *len)
{
    return oid > OID_FIRST_BUILTIN ? store_encoding((EncodingId)(oid - OID_FIRST_BUILTIN), len) : NULL;
}

Value builtin_find(Oid oid)
{
    size_t len = 0;
    const char *name = name_in_store(oid, &len);
    for (size_t i = 0; name && i < boot.objects.count; i++)
        if (strlen(boot.names[i]) == len && memcmp(boot.names[i], name, len) == 0)
            return boot.objects.items[i];
    return V_UNDEF;
}

Value builtin_object(Oid oid)
{
    Value found = builtin_find(oid);
    if (!is_undef(found))
        return found;
    size_t len = 0;
    const char *name = name_in_store(oid, &len);
    if (!name)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("built-in object %lu has no name in the store", (unsigned long)oid));
    ereport(ERROR, ERR_NO_OBJECT, errmsg("the store refers to the built-in %.*s, which this version does not have", (int)len - 7, name + 7),
            errhint("Open the store with the version that wrote it, or a newer one."));
    return V_UNDEF;
}
