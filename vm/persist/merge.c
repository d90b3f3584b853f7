/* merge.c -- a commit that clashed only in objects that can take both sides' changes is done again on the newest state
 *
 * Each kind of such objects knows what this session did to it, and does that again on what others committed:
 *
 *   tables of classes    the rows changed: only the same name conflicts
 *   boot classes, their list   parts that are new flow into those of others
 *   parts of reduced-conflict objects   the operations noted (reduced.c) are replayed
 *   classes with merge_conflict         their own block, given the object as it was and as this session left it
 *
 * G1  The snapshot moves for that, so everything else this session changed must be untouched by others up to the new one.
 * G2  What can't be done again is a conflict: the same row changed by both, an operation that would answer otherwise
 *     now.  The transaction can then only be aborted, for part of it may have been done again already.
 * G3  Ruby runs only in the last pass, when all tables of classes are merged and method look-up works.  It may not end the
 *     transaction, nor open one inside it.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"


typedef struct Row {
    uint32_t symbol, flags;
    Slot value;
} Row;
typedef struct Rows {
    Row *at;
    size_t n;
} Rows;

static void rows_free(void *p)
{
    heap_free(((Rows *)p)->at);
    ((Rows *)p)->at = NULL;
}

/* The rows of a table's record at the session's snapshot; references stay unresolved. */
static void rows_fetch(Rows *rows, Oid oid)
{
    Fault fault;
    fault_begin(&fault);
    rows->n = 0;
    rows->at = NULL;
    if (fault_fetch(&fault, oid)) {
        RecordReader r = {.record = &fault.record};
        rows->at = heap_calloc(fault.record.nslots / 3 + 1, sizeof(Row));
        while (record_slots_left(&r) >= 3) {
            Row *row = &rows->at[rows->n++];
            row->symbol = record_take_symbol_id(&r);
            row->flags = (uint32_t)fix_int(record_take_slot(&r).raw);
            row->value = record_take_slot(&r);
        }
    }
    fault_end(&fault);
}

static Row *rows_find(Rows *rows, uint32_t symbol)
{
    for (size_t i = 0; i < rows->n; i++)
        if (rows->at[i].symbol == symbol)
            return &rows->at[i];
    return NULL;
}

static bool row_same(const Row *a, const Row *b)
{
    if (!a || !b)
        return a == b;
    return a->flags == b->flags && slot_same(a->value, b->value);
}

static void put_row(Value table, const Row *row)
{
    symtable_set(table, row->symbol, V_NIL);
    *symtable_find(table, row->symbol) = row->value;
    *symtable_flags(table, row->symbol) = row->flags;
    if (is_own_attribute(row->symbol))
        ivar_transients_met();
}

static Rows rows_of(Value table)
{
    SymTable *t = (SymTable *)table;
    Rows rows = {heap_calloc(t->used + 1, sizeof(Row)), 0};
    for (uint32_t i = 0; i < t->used; i++)
        if (t->rows[i].symbol)
            rows.at[rows.n++] = (Row){t->rows[i].symbol, t->rows[i].flags, t->rows[i].value};
    return rows;
}

/* The table in memory is `mine`, changed since `base`; makes it theirs plus my changes.  False: G2. */
static bool table_merge(Value table, Rows *base, Rows *theirs)
{
    Rows mine = rows_of(table);
    resource_push(rows_free, &mine);
    bool good = true;
    for (size_t i = 0; i < theirs->n && good; i++) { /* what they changed or added */
        Row *t = &theirs->at[i], *b = rows_find(base, t->symbol), *m = rows_find(&mine, t->symbol);
        if (row_same(t, b))
            continue;
        if (!row_same(m, b) && !row_same(m, t))
            good = false;
        else
            put_row(table, t);
    }
    for (size_t i = 0; i < base->n && good; i++) { /* what they removed */
        Row *b = &base->at[i];
        if (rows_find(theirs, b->symbol))
            continue;
        Row *m = rows_find(&mine, b->symbol);
        if (m && !row_same(m, b))
            good = false;
        else if (m)
            symtable_remove(table, b->symbol);
    }
    resource_release(&mine);
    return good;
}

static bool boot_class_merge_with(Value module, StoreRecord *theirs_now)
{
    RecordReader r = {.record = theirs_now};
    ClassExt *x = class_ext(module);
    record_skip_hash(&r);
    Slot mixins = record_take_slot(&r);
    if (x->mixins.raw == V_NIL)
        x->mixins = mixins;
    else if (mixins.raw != V_NIL && !slot_same(mixins, x->mixins))
        return false; /* both made the first list: the order of the ancestry is not ours to choose */
    Slot *places[] = {&x->methods[TABLE_PERSISTENT], &x->constants[TABLE_PERSISTENT], &x->cvars[TABLE_PERSISTENT],
                      &x->ivars[TABLE_PERSISTENT]};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        Slot theirs = record_take_slot(&r), mine = *places[i];
        if (theirs.raw == V_NIL || slot_same(theirs, mine))
            continue;
        if (mine.raw == V_NIL) {
            *places[i] = theirs;
            continue;
        }
        if (slot_unresolved(mine) || (obj_head(mine.raw) & OF_PERSISTENT))
            return false; /* both replaced an existing table: can't be */
        Rows rows = rows_of(mine.raw);
        resource_push(rows_free, &rows);
        *places[i] = theirs;
        Value table = slot_read(module, places[i]);
        bool good = true;
        for (size_t k = 0; k < rows.n; k++) {
            Slot *there = symtable_find(table, rows.at[k].symbol);
            if (there && !slot_same(*there, rows.at[k].value))
                good = false;
            else
                put_row(table, &rows.at[k]);
        }
        resource_release(&rows);
        if (!good)
            return false;
    }
    return true;
}

/* Their record of a boot class: my fresh tables flow into theirs. */
static bool boot_class_merge(Value module)
{
    Fault fault;
    fault_begin(&fault);
    bool good = fault_fetch(&fault, oidmap_oid(module)) && boot_class_merge_with(module, &fault.record);
    fault_end(&fault);
    return good;
}

/* ---- objects that replay, or merge themselves ---- */

static Value own_merge; /* Symbol of the method that Module#merge_conflict defines */

static bool merges_itself(Value v)
{
    return obj_shape(v) && !is_module(v) && method_find(class_of(v), own_merge);
}

/* v as it was before this transaction: a detached copy. */
static Value copy_of_base(Value v)
{
    Fault fault;
    fault_begin(&fault);
    Value copy = fault_fetch(&fault, oidmap_oid(v)) ? obj_freeze(record_copy(&fault.record)) : V_NIL;
    fault_end(&fault);
    return copy;
}

/* v is what others committed: this session's changes are out of it. */
static void take_newest(Value v)
{
    if (obj_head(v) & OF_HOLLOW)
        return; /* it was only looked at */
    size_t to = 0;
    for (size_t i = 0; i < session.dirty.count; i++)
        if (session.dirty.items[i] != v)
            session.dirty.items[to++] = session.dirty.items[i];
    session.dirty.count = to;
    obj_ptr(v)->head &= ~OF_DIRTY;
    record_empty(v);
}

static void boot_list_merge(Value v)
{
    Value mine = ary_dup(v);
    Fault fault;
    fault_begin(&fault);
    if (fault_fetch(&fault, OID_BOOT_PARTS)) {
        ary_clear(v);
        for (uint32_t k = 0; k < fault.record.nslots; k++)
            ary_push(v, builtin_object(SLOT_OID(fault.record.slots[k])));
        for (size_t k = 0; k < ary_len(mine); k++)
            if (!ary_includes(v, ary_get(mine, (long)k)))
                ary_push(v, ary_get(mine, (long)k));
    }
    fault_end(&fault);
}

/* ---- the whole ---- */

typedef enum { KIND_NONE, KIND_TABLE, KIND_BOOT_LIST, KIND_BOOT_CLASS, KIND_REPLAY, KIND_OWN } Kind;

typedef struct Clash {
    Kind kind;
    Rows base; /* KIND_TABLE */
} Clash;

static Kind kind_of(Value v)
{
    if (is_undef(v))
        return KIND_NONE;
    if (v == session.boot_parts)
        return KIND_BOOT_LIST;
    if (obj_type(v) == T_SYMTABLE)
        return KIND_TABLE;
    if (is_module(v))
        return class_ext(v)->persist[0] ? KIND_BOOT_CLASS : KIND_NONE;
    if (reduced_noted(v))
        return KIND_REPLAY;
    return merges_itself(v) ? KIND_OWN : KIND_NONE;
}

static bool do_again(Value v, Clash *c, Value base, Value mine)
{
    switch (c->kind) {
    case KIND_TABLE: {
        Rows theirs;
        rows_fetch(&theirs, oidmap_oid(v));
        bool good = table_merge(v, &c->base, &theirs);
        heap_free(theirs.at);
        return good;
    }
    case KIND_BOOT_LIST:
        boot_list_merge(v);
        return true;
    case KIND_BOOT_CLASS:
        return boot_class_merge(v);
    case KIND_REPLAY:
        take_newest(v);
        return reduced_replay(v);
    case KIND_OWN:
        take_newest(v);
        return truthy(vm_call(v, own_merge, 2, (Value[]){base, mine}));
    case KIND_NONE:
        break;
    }
    return false;
}

static const Kind passes[] = {KIND_TABLE, KIND_BOOT_CLASS, KIND_BOOT_LIST, KIND_REPLAY, KIND_OWN};

typedef struct Clashes {
    Clash *at;
    size_t n;
    Value objects, bases, mines; /* Arrays, an element a clash: the objects; KIND_OWN: copies of before and of now */
} Clashes;

static void clashes_free(void *p)
{
    Clashes *c = p;
    for (size_t i = 0; i < c->n; i++)
        heap_free(c->at[i].base.at);
    heap_free(c->at);
}

/* Is all that the commit met something that merges?  What it wrote without an object is a part of a vector: the object
 * whose it is is written too. */
static bool all_merge(const CommitResult *result)
{
    for (size_t i = 0; i < result->nconflicts; i++) {
        const Conflict *conflict = &result->conflicts[i];
        bool looked_at = conflict->kind == CONFLICT_READ_WRITE && reads_replayed(conflict->oid);
        if (conflict->kind != CONFLICT_WRITE_WRITE && conflict->kind != CONFLICT_BUSY && !looked_at)
            return false;
        Value v = oidmap_object(conflict->oid);
        if (!is_undef(v) && kind_of(v) == KIND_NONE)
            return false;
    }
    return result->nconflicts > 0;
}

static bool can_merge(Value v)
{
    return kind_of(v) != KIND_NONE;
}

static void gather_looked_at(Value part, void *arg)
{
    Clashes *c = arg;
    if (!(obj_head(part) & OF_DIRTY) && !ary_includes(c->objects, part))
        ary_push(c->objects, part);
}

/* Everything this session changed, or looked up, that merges: the commit's list may end at the first object in another's hands, and more
 * may be overtaken until the snapshot moves.  Their states of before are read while they can be. */
static void gather_clashes(Clashes *c)
{
    for (size_t i = 0; i < session.dirty.count; i++)
        if (can_merge(session.dirty.items[i]))
            ary_push(c->objects, session.dirty.items[i]);
    reduced_each_part(gather_looked_at, c);
    size_t n = ary_len(c->objects);
    c->at = heap_calloc(n + 1, sizeof *c->at);
    for (; c->n < n; c->n++) {
        Value v = ary_get(c->objects, (long)c->n);
        Clash *clash = &c->at[c->n];
        clash->kind = kind_of(v);
        if (clash->kind == KIND_TABLE)
            rows_fetch(&clash->base, oidmap_oid(v));
        if (clash->kind == KIND_OWN) {
            ary_set(c->bases, (long)c->n, copy_of_base(v));
            ary_set(c->mines, (long)c->n, obj_freeze(obj_dup(v)));
        }
    }
}

/* One that can't be done again names itself: :reduced_conflict in the exception's list. */
static void name_reduced(Value exc, Value v)
{
    Value list = ivar_get(exc, sym_intern("@transaction_conflicts"));
    for (size_t i = 0; !is_undef(list) && i < ary_len(list); i++) {
        Value row = ary_get(list, (long)i);
        if (hash_get(row, sym_intern("oid")) != uint_value(oidmap_oid(v)))
            continue;
        hash_set(row, sym_intern("kind"), sym_intern("reduced_conflict"));
        hash_set(row, sym_intern("object"), reduced_owner(v));
    }
}

static void merging_ends(void *unused)
{
    (void)unused;
    session.merging = false;
}

bool persist_merge(const CommitResult *result, Value exc)
{
    if (!all_merge(result))
        return false;
    session.merging = true;
    resource_push(merging_ends, &session);
    Clashes c = {.objects = ary_new(4), .bases = ary_new(0), .mines = ary_new(0)};
    resource_push(clashes_free, &c);
    gather_clashes(&c);
    Sequence since = store_snapshot_seq();
    bool good = txn_move_snapshot(can_merge);
    for (size_t pass = 0; pass < sizeof(passes) / sizeof(passes[0]); pass++) {
        for (size_t i = 0; i < c.n && good; i++) {
            Value v = ary_get(c.objects, (long)i);
            if (c.at[i].kind != passes[pass] || store_version(oidmap_oid(v)) <= since)
                continue;
            good = do_again(v, &c.at[i], ary_get(c.bases, (long)i), ary_get(c.mines, (long)i));
            if (!good && passes[pass] >= KIND_REPLAY)
                name_reduced(exc, v);
        }
        if (passes[pass] == KIND_BOOT_LIST) {
            method_serial++;
            const_serial++;
            method_caches_clear();
        }
    }
    resource_release(&c);
    resource_release(&session);
    return good;
}

void merge_boot(void)
{
    own_merge = sym_intern("__merge_conflict");
}
