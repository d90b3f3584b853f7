/* module_record.c -- classes, modules, method entries and symbol tables in records
 *
 * The record of a class or module holds its persistent parts: superclass (or the iclass that stands there), the persistent
 * copies of its four tables, name, what its instances look like.  The transient copies are
 * the session's own and never stored, and so are modules mixed in in transient mode (CLASS_OWN_MIXIN): their iclasses
 * stand directly behind the class or iclass they were put behind, and records look past them.  A boot class has
 * such a record only for what user code added in persistent mode: in place of the superclass it has the list of
 * modules mixed in (ClassExt.mixins), its layout is ignored (the binary knows better), and OID_BOOT_PARTS lists the
 * boot classes that have one.
 *
 * A method entry is immutable: a built-in goes by its owner and the name of its table row.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"

enum { STORED_SINGLETON = 1, STORED_ORIGIN = 2, STORED_PREPENDED = 4, STORED_NAMED = 8, STORED_NO_ALLOC = 16,
       STORED_PREPENDED_ICLASS = 32, STORED_INITIALIZED = 64, STORED_REFINEMENT = 128 };
static const struct {
    uint32_t flag, stored;
} class_flags[] = {
    {CLASS_SINGLETON, STORED_SINGLETON}, {CLASS_ORIGIN, STORED_ORIGIN},     {CLASS_PREPENDED, STORED_PREPENDED},
    {CLASS_NAMED, STORED_NAMED},         {CLASS_NO_ALLOC, STORED_NO_ALLOC}, {CLASS_PREPENDED_ICLASS, STORED_PREPENDED_ICLASS},
    {CLASS_INITIALIZED, STORED_INITIALIZED}, {CLASS_REFINEMENT, STORED_REFINEMENT},
};

/* Where the link to what the store knows as v's successor is: v, or the last of the session's own iclasses behind it. */
static Value stored_link(Value v)
{
    for (;;) {
        Slot next = class_ptr(v)->super;
        if (next.raw == V_NIL || slot_unresolved(next) || obj_type(next.raw) != T_ICLASS ||
            !class_flag(next.raw, CLASS_OWN_MIXIN))
            return v;
        v = next.raw;
    }
}

void class_persist(Object *o, RecordBuilder *b)
{
    Value v = (Value)o;
    ClassExt *x = class_ext(v);
    record_put_slot(b, x->persist[0] ? x->mixins : class_ptr(stored_link(v))->super);
    record_put_slot(b, x->methods[TABLE_PERSISTENT]);
    record_put_slot(b, x->constants[TABLE_PERSISTENT]);
    record_put_slot(b, x->cvars[TABLE_PERSISTENT]);
    record_put_slot(b, x->ivars[TABLE_PERSISTENT]);
    record_put_slot(b, x->module);
    record_put_slot(b, x->includer);
    record_put_slot(b, x->attached);
    record_put_slot(b, x->refinements);
    record_put_slot(b, x->origin);
    record_put_slot(b, x->name);
    for (uint32_t i = 0; i < x->nfields; i++)
        record_put_symbol_id(b, x->fields[i]);
    uint64_t flags = 0;
    for (size_t i = 0; i < sizeof(class_flags) / sizeof(class_flags[0]); i++)
        if (class_ptr(v)->flags & class_flags[i].flag)
            flags |= class_flags[i].stored;
    record_put_u64(b, flags | (uint64_t)x->persist_flags << 32);
    int format = format_of((ObjectType)x->instance_type);
    record_put_u64(b, (uint64_t)(format < 0 ? 1 : format));
}

/* The tables, into a boot module or any other. */
static void take_tables(ClassExt *x, RecordReader *r)
{
    x->methods[TABLE_PERSISTENT] = record_take_slot(r);
    x->constants[TABLE_PERSISTENT] = record_take_slot(r);
    x->cvars[TABLE_PERSISTENT] = record_take_slot(r);
    x->ivars[TABLE_PERSISTENT] = record_take_slot(r);
}

/* What follows the tables in the record of a module that is not the boot's. */
static void take_rest(Value v, RecordReader *r)
{
    ClassExt *x = class_ext(v);
    x->module = record_take_slot(r);
    x->includer = record_take_slot(r);
    x->attached = record_take_slot(r);
    x->refinements = record_take_slot(r);
    x->origin = record_take_slot(r);
    x->name = record_take_slot(r);
    uint32_t n = (uint32_t)record_slots_left(r);
    heap_free(x->fields);
    x->fields = n ? heap_calloc(n, sizeof(uint32_t)) : NULL;
    x->nfields = n;
    for (uint32_t i = 0; i < n; i++)
        x->fields[i] = record_take_symbol_id(r);
    uint64_t flags = record_take_u64(r);
    for (size_t i = 0; i < sizeof(class_flags) / sizeof(class_flags[0]); i++) {
        class_ptr(v)->flags &= ~class_flags[i].flag;
        if (flags & class_flags[i].stored)
            class_ptr(v)->flags |= class_flags[i].flag;
    }
    refinements_used |= class_flag(v, CLASS_REFINEMENT) != 0;
    x->persist_flags = (uint32_t)(flags >> 32);
    x->instance_type = (uint16_t)type_of_format(record_take_u64(r));
}

/* The ancestry behind cls may not lead back to it.  What of it is not in memory yet looks for itself when it comes. */
static void check_circle(Value cls)
{
    for (Slot up = class_ptr(cls)->super; is_heap(up.raw); up = class_ptr(up.raw)->super)
        if (up.raw == cls) {
            class_ptr(cls)->super = (Slot){V_NIL};
            content_refuse(oidmap_oid(cls), "names the class itself among its ancestors");
        }
}

static void list_in_super(Value cls)
{
    Value super = slot_read(cls, &class_ptr(cls)->super);
    check_circle(cls);
    if (!is_nil(super))
        class_note_subclass(super, cls);
}

/* Instances have what those of the superclass have, and C code relies on where: what the class adds comes behind. */
static void take_layout(Value cls, Value super)
{
    ClassExt *x = class_ext(cls);
    if (is_nil(super))
        content_refuse(oidmap_oid(cls), "is that of a class without a superclass");
    ClassExt *s = class_ext(super);
    if (x->instance_type != s->instance_type || x->nfields < s->nfields ||
        (s->nfields && memcmp(x->fields, s->fields, s->nfields * sizeof(uint32_t)) != 0))
        content_refuse(oidmap_oid(cls), "has instances that are none of its superclass's");
    x->allocator = s->allocator;
    x->slot_hint = s->slot_hint;
}

void class_restore(Object *o, RecordReader *r)
{
    Value v = (Value)o;
    ClassExt *x = class_ext(v);
    class_ptr(v)->super = record_take_slot(r);
    take_tables(x, r);
    class_ptr(v)->flags = 0;
    take_rest(v, r);
    class_ptr(v)->root_shape = 0;
    content_check(v);
    list_in_super(v);
    if (obj_type(v) == T_CLASS) /* allocators are functions of this binary: inherited along the superclasses */
        take_layout(v, class_superclass(v));
    if (obj_type(v) == T_ICLASS && !class_flag(v, CLASS_ORIGIN) && x->module.raw != V_NIL)
        class_note_subclass(slot_read(v, &x->module), v);
    if (obj_type(v) != T_ICLASS)
        class_derive_mixins(v); /* this session's own: the modules may have gained others since v was saved */
    if (class_is_singleton(v))
        version_adapt_singleton(v);
}

void module_blank(Value v)
{
    ClassExt *x = class_ext(v);
    for (Slot *s = x->methods; s <= &x->locations; s++)
        *s = (Slot){V_NIL};
    class_ptr(v)->super = (Slot){V_NIL};
    class_ptr(v)->flags = CLASS_NO_ALLOC;
    class_ptr(v)->root_shape = 0;
    x->nfields = 0;
    x->instance_type = T_OBJECT;
}

/* At a boundary: another session committed a new version of a table or a module, or this one's changes are dropped. */
void module_reload(Value v, StoreRecord *record)
{
    RecordReader r = {.record = record};
    if (obj_type(v) == T_SYMTABLE) {
        heap_type_row(T_SYMTABLE)->free(obj_ptr(v));
        memset((char *)v + sizeof(Object), 0, sizeof(SymTable) - sizeof(Object));
        symtable_restore(obj_ptr(v), &r);
    } else if (class_ext(v)->persist[0]) {
        record_skip_hash(&r);
        class_ext(v)->mixins = record_take_slot(&r);
        take_tables(class_ext(v), &r);
    } else {
        record_skip_hash(&r);
        Slot super = record_take_slot(&r);
        Value link = stored_link(v);
        bool moved = !slot_same(super, class_ptr(link)->super);
        if (moved)
            class_ptr(link)->super = super;
        bool superseded = version_superseded(v);
        take_tables(class_ext(v), &r);
        take_rest(v, &r);
        content_check(v);
        if (superseded || version_superseded(v))
            version_note(v);
        if (moved) {
            list_in_super(link);
            class_changed_ancestry(v, v);
            class_derive_mixins(obj_type(v) == T_ICLASS ? slot_read(v, &class_ext(v)->includer) : v);
            if (class_is_singleton(v))
                version_adapt_singleton(v);
        }
    }
    heap_remember(v);
    method_serial++;
    const_serial++;
    method_caches_clear();
}

/* ---- boot classes with persistent parts ---- */

static unsigned parts_mask(Value module)
{
    ClassExt *x = class_ext(module);
    return (x->methods[TABLE_PERSISTENT].raw != V_NIL) | (x->constants[TABLE_PERSISTENT].raw != V_NIL) << 1 |
           (x->cvars[TABLE_PERSISTENT].raw != V_NIL) << 2 | (x->mixins.raw != V_NIL) << 3 |
           (x->ivars[TABLE_PERSISTENT].raw != V_NIL) << 4;
}

/* include, prepend or extend in persistent mode: a boot module keeps a list, others have iclasses that are saved. */
uint32_t persist_note_mixin(Value mod, Value module, bool prepended, bool stored)
{
    ClassExt *x = class_ext(mod);
    if (!stored || !x->persist[0] || !session.attached)
        return 0;
    Value list = slot_read(mod, &x->mixins);
    if (is_nil(list)) {
        list = ary_new(2);
        slot_write(mod, &x->mixins, list);
    }
    ary_push(list, bool_value(prepended));
    ary_push(list, module);
    return CLASS_STORED_MIXIN;
}

/* The ancestry of a boot module as its list says. */
static void apply_mixins(Value module)
{
    class_unmix(module, CLASS_STORED_MIXIN);
    class_derive_mixins(module);
    Value list = slot_read(module, &class_ext(module)->mixins);
    size_t n = is_nil(list) ? 0 : ary_len(list);
    for (size_t i = 0; i + 1 < n; i += 2)
        class_mix_in(module, ary_get(list, (long)i + 1), truthy(ary_get(list, (long)i)), CLASS_STORED_MIXIN);
}

static void apply_parts(Value module, Oid oid)
{
    Fault fault;
    fault_begin(&fault);
    if (fault_fetch(&fault, oid))
        module_reload(module, &fault.record);
    fault_end(&fault);
    apply_mixins(module);
}

void boot_parts_refresh(void)
{
    Fault fault;
    fault_begin(&fault);
    const StoreRecord *list = &fault.record;
    uint32_t n = fault_fetch(&fault, OID_BOOT_PARTS) ? list->nslots : 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!SLOT_IS_REFERENCE(list->slots[i]))
            continue;
        Oid oid = SLOT_OID(list->slots[i]);
        Value module = builtin_object(oid);
        if (is_undef(oidmap_object(oid)))
            oidmap_add(module, oid);
        if (!(obj_head(module) & OF_DIRTY)) {
            apply_parts(module, oid);
            class_ext(module)->persist[1] = parts_mask(module);
            txn_mark_clean(module);
        }
    }
    fault_end(&fault);
}

static ValueList touched; /* boot modules that got persistent definitions in this transaction, perhaps their first */

static void touched_visit(Visitor *v)
{
    for (size_t i = 0; i < touched.count; i++)
        v->value(v, &touched.items[i]);
}

void module_touched(Value module)
{
    for (size_t i = 0; i < touched.count; i++)
        if (touched.items[i] == module)
            return;
    if (!touched.cap)
        heap_add_visitor(touched_visit, "boot modules with persistent parts");
    list_push(&touched, module);
}

static Slot *part_at(Value module, int i)
{
    ClassExt *x = class_ext(module);
    Slot *parts[BOOT_PARTS] = {&x->methods[TABLE_PERSISTENT], &x->constants[TABLE_PERSISTENT], &x->cvars[TABLE_PERSISTENT],
                               &x->ivars[TABLE_PERSISTENT], &x->mixins};
    return parts[i];
}

bool boot_parts_forget(void)
{
    bool any = touched.count > 0;
    for (size_t i = 0; i < touched.count; i++) {
        if (class_ext(touched.items[i])->persist[1]) /* what is committed is read anew */
            continue;
        for (int k = 0; k < BOOT_PARTS; k++)
            part_at(touched.items[i], k)->raw = V_NIL;
        apply_mixins(touched.items[i]);
        method_serial++;
        const_serial++;
        method_caches_clear();
    }
    touched.count = 0;
    if (is_heap(session.boot_parts) && !(obj_head(session.boot_parts) & OF_PERSISTENT)) {
        oidmap_remove(session.boot_parts);
        session.boot_parts = V_NIL;
    }
    return any;
}

/* For a nested transaction: which tables the boot modules that were touched have now.  The contents are objects. */
BootParts *boot_parts_keep(size_t *n)
{
    BootParts *kept = heap_calloc(touched.count + 1, sizeof(BootParts));
    *n = touched.count;
    for (size_t i = 0; i < touched.count; i++) {
        kept[i].module = touched.items[i];
        for (int k = 0; k < BOOT_PARTS; k++)
            kept[i].parts[k] = *part_at(touched.items[i], k);
    }
    return kept;
}

/* Back to that. Modules touched since have what is committed. */
void boot_parts_undo(const BootParts *kept, size_t n)
{
    for (size_t i = 0; i < touched.count; i++) {
        Value module = touched.items[i];
        if (i >= n && class_ext(module)->persist[1])
            apply_parts(module, oidmap_oid(module));
        for (int k = 0; k < BOOT_PARTS && (i < n || !class_ext(module)->persist[1]); k++)
            part_at(module, k)->raw = i < n ? kept[i].parts[k].raw : V_NIL;
        apply_mixins(module);
    }
    if (touched.count > n)
        touched.count = n;
    method_serial++;
    const_serial++;
    method_caches_clear();
}

static Value list_new(void)
{
    return ary_new(4);
}

/* persist[1] of a boot module: the parts its committed record has. */
void boot_parts_collect(void)
{
    if (is_nil(session.boot_parts) && touched.count) {
        session.boot_parts = persist_resolve_or_new(OID_BOOT_PARTS, list_new);
    }
    for (size_t i = 0; i < touched.count; i++) {
        Value module = touched.items[i];
        unsigned mask = parts_mask(module);
        if (mask == class_ext(module)->persist[1] || (obj_head(module) & OF_DIRTY))
            continue;
        if (!(obj_head(module) & OF_OID))
            oidmap_add(module, builtin_oid(module));
        txn_note_dirty(module);
        if (!ary_includes(session.boot_parts, module))
            ary_push(session.boot_parts, module);
    }
}

/* ---- symbol tables: name, flags, value of each row ---- */

void symtable_persist(Object *o, RecordBuilder *b)
{
    SymTable *t = (SymTable *)o;
    for (uint32_t i = 0; i < t->used; i++) {
        if (!t->rows[i].symbol)
            continue;
        record_put_symbol_id(b, t->rows[i].symbol);
        record_put_value(b, int_fix(t->rows[i].flags));
        record_put_slot(b, t->rows[i].value);
    }
}

void symtable_restore(Object *o, RecordReader *r)
{
    Value v = (Value)o;
    uint64_t log = o->head & (OH_LOG | OF_OID | OH_ATTENTION);
    o->head &= ~(OH_LOG | OH_ATTENTION);
    while (record_slots_left(r) >= 3) {
        uint32_t name = record_take_symbol_id(r);
        Slot word = record_take_slot(r);
        Slot value = record_take_slot(r);
        if (!name || !is_fixnum(word.raw))
            content_refuse(oidmap_oid(v), "has a row without a name or flags");
        uint32_t flags = (uint32_t)fix_int(word.raw);
        symtable_set(v, name, V_NIL);
        *symtable_find(v, name) = value;
        *symtable_flags(v, name) = flags;
        if (is_own_attribute(name))
            ivar_transients_met();
    }
    o->head |= log;
}

/* ---- method entries ---- */

static const struct {
    uint8_t kind, stored;
} kinds[] = {
    {ME_CODE, 1}, {ME_BUILTIN, 2}, {ME_ATTR_READER, 3}, {ME_ATTR_WRITER, 4}, {ME_PROC, 5}, {ME_ALIAS, 6},
    {ME_UNDEF, 7}, {ME_ZSUPER, 8}, {ME_REFINED, 9},
};

void method_entry_persist(Object *o, RecordBuilder *b)
{
    MethodEntry *me = (MethodEntry *)o;
    uint64_t stored = 0;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].kind == me->kind)
            stored = kinds[i].stored;
    if (!stored)
        record_refuse(b, "this kind of method has no stored form");
    record_put_slot(b, me->owner);
    record_put_slot(b, me->defined);
    record_put_slot(b, me->body);
    record_put_slot(b, me->cref);
    record_put_symbol_id(b, me->name);
    record_put_symbol_id(b, me->original_name);
    record_put_u64(b, stored | (uint64_t)me->visibility << 8);
    if (me->kind == ME_BUILTIN) { /* the row's name: found again in the table of the class that defined it */
        record_put_symbol_id(b, symbol_id(sym_intern(me->row->name)));
    }
}

void method_entry_restore(Object *o, RecordReader *r)
{
    MethodEntry *me = (MethodEntry *)o;
    me->owner = record_take_slot(r);
    me->defined = record_take_slot(r);
    me->body = record_take_slot(r);
    me->cref = record_take_slot(r);
    me->name = record_take_symbol_id(r);
    me->original_name = record_take_symbol_id(r);
    uint64_t word = record_take_u64(r);
    me->visibility = (uint8_t)(word >> 8);
    me->max = -1;
    me->kind = ME_MISSING;
    if (me->visibility > VIS_PRIVATE)
        content_refuse(oidmap_oid((Value)o), "has no visibility that there is");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].stored == (word & 0xff))
            me->kind = kinds[i].kind;
    if (me->kind == ME_MISSING)
        content_refuse(oidmap_oid((Value)o), "is a method of a kind that this version does not know");
    content_check((Value)o);
    if (me->kind != ME_BUILTIN)
        return;
    uint32_t row_name = record_take_symbol_id(r);
    Value defined = slot_read((Value)me, &me->defined);
    if (!is_module(defined))
        content_refuse(oidmap_oid((Value)o), "is a built-in method of no class");
    MethodEntry *boot = method_find_builtin(defined, row_name);
    if (!boot)
        ereport(ERROR, ERR_CORRUPT_RECORD,
                errmsg("the store refers to the built-in method %s#%s, which this version does not have", class_name_c(defined),
                       sym_text(symbol_value(row_name))),
                errhint("Open the store with the version that wrote it, or a newer one."));
    me->fn = boot->fn;
    me->row = boot->row;
    me->min = boot->min;
    me->max = boot->max;
    me->flags = boot->flags;
}

/* maglev_persistable of a module that was named in transient mode: the constant moves to the persistent table. */
void module_publish(Value module)
{
    Value name = class_name(module);
    StrView text = str_view(name);
    size_t cut = text.len;
    while (cut > 0 && text.ptr[cut - 1] != ':')
        cut--;
    Value outer = klass.Object, last = sym_intern_len(text.ptr + cut, text.len - cut, text.enc);
    if (cut >= 2) {
        Value path = str_new_enc(text.ptr, cut - 2, text.enc);
        outer = vm_call1(klass.Object, sym_intern("const_get"), path);
    }
    if (!persist_class_persistable(outer))
        raise_error(klass.ArgumentError, "%C is not persistable: make it so first", outer);
    if (const_find(outer, last, false) != module)
        return;
    if (class_ext(outer)->persist[0])
        module_touched(outer);
    symtable_set(class_table_for_change(outer, class_ext(outer)->constants, TABLE_PERSISTENT), symbol_id(last), module);
    Value hidden = class_table(outer, class_ext(outer)->constants, TABLE_TRANSIENT);
    if (!is_nil(hidden))
        symtable_remove(hidden, symbol_id(last));
    const_serial++;
}
