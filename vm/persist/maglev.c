/* maglev.c -- the Ruby interface: module Maglev as MagLev defined it, and its other name Lodestone
 *
 * Modes: a thread is transient unless told otherwise; Maglev.persistent { } and .transient { } nest, and put the old mode
 * back whichever way their block is left.  While persistent, classes made are marked persistable, and
 * definitions in persistable modules (all of core is) go to the tables that the store holds.
 */
#include "private.h"
#include "vm/object/class_private.h"


static bool nil_references_used; /* some class of this session has it */

bool persist_class_persistable(Value module)
{
    if (class_is_singleton(module)) {
        Value attached = class_attached_object(module);
        return !is_module(attached) || persist_class_persistable(attached);
    }
    if (class_flag(module, CLASS_REFINEMENT))
        return persist_class_persistable(refinement_owner(module));
    return builtin_oid(module) || (class_ext(module)->persist_flags & PERSISTABLE);
}

void persist_class_made(Value module)
{
    if (session.mode)
        class_ext(module)->persist_flags |= PERSISTABLE;
}

/* Where a definition in module goes. */
static TableCopy definition_copy(Value module)
{
    if (!session.mode || !session.attached)
        return TABLE_TRANSIENT;
    if (!persist_class_persistable(module))
        return TABLE_TRANSIENT;
    if (class_ext(module)->persist[0])
        module_touched(module);
    return TABLE_PERSISTENT;
}

static void class_created(Value cls, Value outer, Value name)
{
    (void)outer, (void)name;
    persist_class_made(cls);
}

static Value yield_body(void *unused)
{
    (void)unused;
    return vm_yield(0, NULL);
}

static void restore_mode(void *old)
{
    session.mode = *(bool *)old;
}

static Value with_mode(bool mode)
{
    bool old = session.mode;
    session.mode = mode;
    return vm_ensure(yield_body, NULL, restore_mode, &old);
}

static Value maglev_persistent(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (block_given())
        return with_mode(true);
    session.mode = true;
    return V_TRUE;
}

static Value maglev_transient(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (block_given())
        return with_mode(false);
    session.mode = false;
    return V_TRUE;
}

static Value maglev_persistent_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(session.mode);
}

static Value maglev_transient_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(!session.mode);
}

static Value maglev_root(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (is_nil(session.root))
        raise_error(klass.RuntimeError, "this session has no store");
    return session.root;
}

static Value maglev_aref(Value self, int argc, const Value *argv)
{
    return hash_aref(maglev_root(self, 0, argv), argc ? argv[0] : V_NIL);
}

static Value maglev_aset(Value self, int argc, const Value *argv)
{
    (void)argc;
    hash_set(maglev_root(self, 0, argv), argv[0], argv[1]);
    return argv[1];
}

static Value maglev_trap(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return session.trap = argv[0];
}

static Value maglev_store_directory(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return session.store ? str_new_c(store_directory(session.store)) : V_NIL;
}

static Value maglev_clear_features(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    features_clear();
    return self;
}

static Value object_committed_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (is_immediate(self) || (is_module(self) && class_ext(self)->persist[0]))
        return V_TRUE;
    return bool_value(obj_head(self) & OF_PERSISTENT);
}

/* __persistable(methods): marks the module, and copies its transient definitions when asked */
typedef struct CopyRows {
    Value module;
    Slot *tables;
} CopyRows;

static void copy_row(uint32_t id, Slot *s, void *arg)
{
    CopyRows *c = arg;
    Value v = s->raw;
    Value from = class_table(c->module, c->tables, TABLE_TRANSIENT);
    Value to = class_table_for_change(c->module, c->tables, TABLE_PERSISTENT);
    symtable_set(to, id, v);
    *symtable_flags(to, id) = *symtable_flags(from, id);
}

static void copy_tables(Value module, Slot *tables)
{
    Value from = class_table(module, tables, TABLE_TRANSIENT);
    if (is_nil(from))
        return;
    CopyRows c = {module, tables};
    symtable_each(from, copy_row, &c);
    obj_modify(module);
    slot_write(module, &tables[TABLE_TRANSIENT], V_NIL);
}

/* What was mixed in in transient mode becomes part of the class; a block chooses. */
static void adopt_mixins(Value module)
{
    obj_modify(module);
    for (Value k = class_next(module); !is_nil(k) && obj_type(k) == T_ICLASS; k = class_next(k)) {
        obj_modify(k);
        Value mixed = class_owner_at(k);
        if (!class_flag(k, CLASS_OWN_MIXIN) || (block_given() && !truthy(vm_yield(1, &mixed))))
            continue;
        class_ptr(k)->flags &= ~(uint32_t)CLASS_OWN_MIXIN;
    }
}

static Value module_maglev_persistable(Value self, int argc, const Value *argv)
{
    bool methods = argc > 0 && truthy(argv[0]);
    ClassExt *x = class_ext(self);
    if (x->persist_flags & NIL_REFERENCES)
        raise_error(klass.ArgumentError, "%C is marked maglev_nil_references", self);
    if (!x->persist[0]) {
        obj_modify(self);
        x->persist_flags |= PERSISTABLE;
        Value name = class_name(self);
        if (!is_nil(name))
            module_publish(self);
    }
    if (methods) {
        copy_tables(self, class_ext(self)->methods);
        copy_tables(self, class_ext(self)->constants);
        copy_tables(self, class_ext(self)->cvars);
        adopt_mixins(self);
        Value meta = class_of(self);
        if (class_is_singleton(meta)) {
            copy_tables(meta, class_ext(meta)->methods);
            adopt_mixins(meta);
        }
    }
    return self;
}

static Value module_maglev_persistable_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(persist_class_persistable(self));
}

static Value module_instances_persistable_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!persist_class_persistable(self))
        raise_error(const_find(klass.Maglev, sym_intern("NotPersistableException"), false), "%C is not persistable", self);
    obj_modify(self);
    ClassExt *x = class_ext(self);
    x->persist_flags = truthy(argv[0]) ? x->persist_flags & ~(uint32_t)INSTANCES_NOT : x->persist_flags | INSTANCES_NOT;
    return argv[0];
}

static Value module_instances_persistable_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(persist_class_persistable(self) && !(class_ext(self)->persist_flags & INSTANCES_NOT));
}

static Value module_nil_references(Value self, int argc, const Value *argv)
{
    bool on = argc == 0 || truthy(argv[0]);
    if (on && persist_class_persistable(self))
        raise_error(klass.ArgumentError, "%C is persistable: its instances can't become nil", self);
    ClassExt *x = class_ext(self);
    x->persist_flags = on ? x->persist_flags | NIL_REFERENCES : x->persist_flags & ~(uint32_t)NIL_REFERENCES;
    nil_references_used |= on;
    return self;
}

static Value module_nil_references_p(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return bool_value(class_ext(self)->persist_flags & NIL_REFERENCES);
}

bool persist_becomes_nil(Value v)
{
    if (!nil_references_used || is_module(v) || obj_shape(v) == 0)
        return false;
    for (Value k = class_real(v); !is_nil(k); k = class_superclass(k))
        if (class_ext(k)->persist_flags & NIL_REFERENCES)
            return true;
    return false;
}

bool persist_instances_allowed(Value cls)
{
    return !(class_ext(cls)->persist_flags & INSTANCES_NOT);
}

void maglev_bind_root(Value root)
{
    const_set(klass.Maglev, sym_intern("PERSISTENT_ROOT"), root);
    const_set(klass.Maglev, sym_intern("MAGLEV_PERSISTENT_ROOT"), root);
}

/* Asks for a collection: its number. */
static Value maglev_collect(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (!session.attached)
        raise_error(klass.RuntimeError, "there is no store to collect in");
    return uint_value(store_collect_request());
}

/* __collected(number): what it has done; nil: it is under way; false: given up. */
static Value maglev_collected(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    CollectResult result;
    CollectStatus status = store_collect_status((uint64_t)fix_int(argv[0]), &result);
    if (status != COLLECT_DONE)
        return status == COLLECT_UNDER_WAY ? V_NIL : V_FALSE;
    Value found = hash_new();
    hash_set(found, sym_intern("freed"), uint_value(result.freed));
    hash_set(found, sym_intern("freed_bytes"), uint_value(result.freed_bytes));
    hash_set(found, sym_intern("kept"), uint_value(result.kept));
    return found;
}

static const Builtin maglev_methods[] = {
    {"persistent", maglev_persistent, 0, 1, 0},
    {"transient", maglev_transient, 0, 0, 0},
    {"persistent?", maglev_persistent_p, 0, 0, 0},
    {"transient?", maglev_transient_p, 0, 0, 0},
    {"root", maglev_root, 0, 0, 0},
    {"__collect", maglev_collect, 0, 0, BI_HIDDEN},
    {"__collected", maglev_collected, 1, 1, BI_HIDDEN},
    {"[]", maglev_aref, 1, 1, 0},
    {"[]=", maglev_aset, 2, 2, 0},
    {"__trap", maglev_trap, 1, 1, BI_HIDDEN},
    {"__store_directory", maglev_store_directory, 0, 0, BI_HIDDEN},
    {"clear_persistent_LOADED_FEATURES", maglev_clear_features, 0, 0, 0},
};
static const Builtin kernel_methods[] = {
    {"committed?", object_committed_p, 0, 0, 0},
};
static const Builtin module_methods[] = {
    {"maglev_persistable", module_maglev_persistable, 0, 1, 0},
    {"persistable", module_maglev_persistable, 0, 1, 0},
    {"maglev_persistable?", module_maglev_persistable_p, 0, 0, 0},
    {"maglev_nil_references", module_nil_references, 0, 1, 0},
    {"maglev_nil_references?", module_nil_references_p, 0, 0, 0},
    {"maglev_instances_persistable=", module_instances_persistable_set, 1, 1, 0},
    {"maglev_instances_persistable?", module_instances_persistable_p, 0, 0, 0},
};

void maglev_boot(void)
{
    Value base = class_define_under(klass.Maglev, "MaglevException", klass.StandardError);
    class_define_under(klass.Maglev, "NotPersistableException", base);
    class_define_under(klass.Maglev, "OutsideOfTransactionException", base);
    class_define_under(klass.Maglev, "CommitFailedException", base);
    class_define_under(klass.Maglev, "ImproperOperation", base);
    class_define_under(klass.Maglev, "TransactionTimeout", base);
    module_define_under(klass.Maglev, "System");
    const_set(klass.Object, sym_intern("Lodestone"), klass.Maglev);
    ADD_SINGLETON_BUILTINS(klass.Maglev, maglev_methods);
    boundary_boot();
    conflict_boot();
    extents_boot();
    statistics_boot();
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_BUILTINS(klass.Module, module_methods);
    class_definition_copy = definition_copy;
    class_created_hook = class_created;
}
