/* extents.c -- the instances of a class that the store holds, as this session's view shows them
 *
 * Which classes count is found among all that the store has numbered: loading a class is cheap, and subclasses that
 * no one named in this session count too.  A serializable transaction notes the numbers, those of classes that its
 * view does not show yet (their instances would be phantoms), and from which number on there was no class.
 */
#include "private.h"
#include "lib/error.h"

enum { BATCH = 4096 };

/* The class with this number; nil when the view does not show it. */
static Value visible_class(ClassId id)
{
    Oid oid = store_class_oid(id);
    if (!oid || (oid >= OID_FIRST_USER && is_undef(oidmap_object(oid)) && !store_version(oid)))
        return V_NIL;
    return class_from_store(id);
}

/* The class that instances of `of` say they are of: singleton classes are left out. */
static Value shown_class(Value of)
{
    while (class_is_singleton(of))
        of = class_superclass(of);
    return of;
}

static bool counts(Value of, Value cls, bool subclasses)
{
    if (is_nil(of))
        return true; /* not visible: it has no visible instance, but may have one when we commit */
    if (!is_type(of, T_CLASS))
        return false;
    return subclasses ? module_inherits(of, cls) : shown_class(of) == cls;
}

static void scan_end(void *scan)
{
    store_scan_end(scan);
}

/* Maglev.__instances(cls, subclasses): Array of oids. */
static Value instances(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value cls = argv[0];
    if (!is_type(cls, T_CLASS))
        raise_error(klass.TypeError, "%V is not a class", cls);
    Value found = ary_new(16);
    if (!session.has_view)
        raise_error(const_find(klass.Maglev, sym_intern("OutsideOfTransactionException"), false),
                    "a session without a view can't list instances: call Maglev.begin_transaction");
    uint32_t last = store_class_count(), n = 0;
    uint32_t *ids = mem_alloc_array(session.context, last + 1, sizeof(uint32_t));
    resource_push(mem_free, ids);
    for (ClassId id = 1; id <= last; id++)
        if (counts(visible_class(id), cls, truthy(argv[1]))) {
            ids[n++] = id;
            reads_note_extent(id);
        }
    reads_note_classes_from(last + 1);
    StoreScan *scan = store_scan_begin(ids, n, session.context);
    resource_push(scan_end, scan);
    Oid *oids = mem_alloc_array(session.context, BATCH, sizeof(Oid));
    resource_push(mem_free, oids);
    size_t got;
    while ((got = store_scan_next(scan, oids, BATCH)) > 0)
        for (size_t i = 0; i < got; i++)
            ary_push(found, uint_value(oids[i]));
    resource_release(oids);
    resource_release(scan);
    resource_release(ids);
    return found;
}

/* Maglev.__instance(oid): nil when it was collected since it was listed. */
static Value instance(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Oid oid = (Oid)fix_int(argv[0]);
    return !is_undef(oidmap_object(oid)) || store_adopt(oid) ? persist_resolve(oid) : V_NIL;
}

/* Maglev.__find(object_id): nil when the view does not show it. */
static Value find(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = persist_find((uint64_t)fix_int(argv[0]) >> 3);
    return is_undef(v) ? V_NIL : v;
}

/* Maglev.__dirty: the committed objects that this transaction changed, but for modules. */
static Value dirty(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value list = ary_new(session.dirty.count);
    for (size_t i = 0; i < session.dirty.count; i++) {
        Value v = session.dirty.items[i];
        if (!heap_is_internal(v) && !is_module(v) && !is_undef(class_of(v)))
            ary_push(list, v);
    }
    return list;
}

static const Builtin methods[] = {
    {"__instances", instances, 2, 2, BI_HIDDEN},
    {"__instance", instance, 1, 1, BI_HIDDEN},
    {"__find", find, 1, 1, BI_HIDDEN},
    {"__dirty", dirty, 0, 0, BI_HIDDEN},
};

void extents_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
