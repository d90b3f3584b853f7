/* merge.c -- tables of classes merge by key: only the same name conflicts
 *
 * When all that clashed in a commit are method, constant and class-variable tables (and the list of boot
 * classes that have such), the commit is tried again on the newest state: the rows that this session changed are
 * put on top of what others committed.  The snapshot moves for that, so everything else this session changed
 * must be untouched by others up to the new one (G1); a row that both changed is a conflict (G2).
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"

enum { MERGE_MAX = 256 }; /* clashing objects beyond which nobody means to merge */

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
    StoreRecord record = {0};
    store_record_init(&record, session.context);
    rows->n = 0;
    rows->at = NULL;
    if (!store_fetch(oid, &record))
        return;
    RecordReader r = {&record, 0, 0};
    rows->at = heap_calloc(record.nslots / 3 + 1, sizeof(Row));
    while (record_slots_left(&r) >= 3) {
        Row *row = &rows->at[rows->n++];
        row->symbol = record_take_symbol_id(&r);
        row->flags = (uint32_t)fix_int(record_take_slot(&r).raw);
        row->value = record_take_slot(&r);
    }
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

/* Their record of a boot class: my fresh tables flow into theirs. */
static bool boot_class_merge(Value module)
{
    StoreRecord record = {0};
    store_record_init(&record, session.context);
    if (!store_fetch(oidmap_oid(module), &record))
        return false;
    RecordReader r = {&record, 0, 0};
    ClassExt *x = class_ext(module);
    Slot mixins = record_take_slot(&r);
    if (x->mixins.raw == V_NIL)
        x->mixins = mixins;
    else if (mixins.raw != V_NIL && !slot_same(mixins, x->mixins))
        return false; /* both made the first list: the order of the ancestry is not ours to choose */
    Slot *places[] = {&x->methods[TABLE_PERSISTENT], &x->constants[TABLE_PERSISTENT], &x->cvars[TABLE_PERSISTENT]};
    for (int i = 0; i < 3; i++) {
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

static bool mergeable(Value v)
{
    if (is_undef(v))
        return false;
    return v == session.boot_parts || obj_type(v) == T_SYMTABLE || (is_module(v) && class_ext(v)->persist[0]);
}

/* Moves to the newest snapshot and merges; false: raise the conflict. */
bool persist_merge(const CommitResult *result)
{
    size_t n = result->nconflicts;
    if (n == 0 || n > MERGE_MAX)
        return false;
    Value objects[MERGE_MAX]; /* on the C stack: pinned */
    Rows *bases = heap_calloc(n, sizeof(Rows));
    bool good = true;
    for (size_t i = 0; i < n && good; i++) {
        Value v = oidmap_object(result->conflicts[i].oid);
        good = mergeable(v);
        objects[i] = good ? v : V_NIL;
        if (good && obj_type(v) == T_SYMTABLE)
            rows_fetch(&bases[i], oidmap_oid(v));
    }
    if (good)
        good = txn_move_snapshot(objects, n);
    for (size_t pass = 0; pass < 2; pass++) { /* tables before the classes that may point at others */
        for (size_t i = 0; i < n && good; i++) {
            Value v = objects[i];
            if (v == session.boot_parts) {
                if (pass == 1)
                    continue;
                Value mine = ary_dup(v);
                StoreRecord record = {0};
                store_record_init(&record, session.context);
                if (!store_fetch(OID_BOOT_PARTS, &record))
                    continue;
                ary_clear(v);
                for (uint32_t k = 0; k < record.nslots; k++)
                    ary_push(v, builtin_object(SLOT_OID(record.slots[k])));
                for (size_t k = 0; k < ary_len(mine); k++)
                    if (!ary_includes(v, ary_get(mine, (long)k)))
                        ary_push(v, ary_get(mine, (long)k));
            } else if (obj_type(v) == T_SYMTABLE && pass == 0) {
                Rows theirs;
                rows_fetch(&theirs, oidmap_oid(v));
                good = table_merge(v, &bases[i], &theirs);
                heap_free(theirs.at);
            } else if (is_module(v) && pass == 1) {
                good = boot_class_merge(v);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        heap_free(bases[i].at);
    heap_free(bases);
    method_serial++;
    const_serial++;
    method_caches_clear();
    return good;
}
