/* symtable.c -- T_SYMTABLE: insertion-ordered map from symbol to slot, with a word of flags a row
 *
 * Rows in order plus an index of row numbers + 1 once there are more than eight.  A removed row has symbol 0
 * and goes away when the rows are next packed.  Store: rows are translated by vm/persist.
 */
#include "vm/call.h"
#include "vm/object/class_private.h"
#include "vm/record.h"

static SymTable *table_of(Value v)
{
    obj_attend(v);
    return (SymTable *)v;
}

static inline uint32_t mix(uint32_t id)
{
    return (id * 0x9e3779b1u) >> 7;
}

static void index_build(SymTable *t, uint32_t size)
{
    if (size != t->index_size) {
        heap_free(t->index);
        t->index = NULL;
        t->index_size = 0;
        t->index = heap_malloc(size * sizeof *t->index);
        t->index_size = size;
    }
    memset(t->index, 0, size * sizeof *t->index);
    for (uint32_t i = 0; i < t->used; i++)
        if (t->rows[i].symbol) {
            uint32_t at = mix(t->rows[i].symbol) & (size - 1);
            while (t->index[at])
                at = (at + 1) & (size - 1);
            t->index[at] = i + 1;
        }
}

static SymRow *find(SymTable *t, uint32_t id)
{
    if (!t->index) {
        for (uint32_t i = 0; i < t->used; i++)
            if (t->rows[i].symbol == id)
                return &t->rows[i];
        return NULL;
    }
    for (uint32_t at = mix(id) & (t->index_size - 1); t->index[at]; at = (at + 1) & (t->index_size - 1))
        if (t->rows[t->index[at] - 1].symbol == id)
            return &t->rows[t->index[at] - 1];
    return NULL;
}

Value symtable_new(void)
{
    return heap_alloc_internal(T_SYMTABLE, sizeof(SymTable));
}

Slot *symtable_find(Value table, uint32_t symbol_id)
{
    SymRow *r = find(table_of(table), symbol_id);
    return r ? &r->value : NULL;
}

uint32_t *symtable_flags(Value table, uint32_t symbol_id)
{
    SymRow *r = find(table_of(table), symbol_id);
    return r ? &r->flags : NULL;
}

static void pack(SymTable *t)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->used; i++)
        if (t->rows[i].symbol)
            t->rows[n++] = t->rows[i];
    t->used = n;
}

void symtable_set(Value table, uint32_t symbol_id, Value v)
{
    obj_modify(table);
    SymTable *t = (SymTable *)table;
    SymRow *r = find(t, symbol_id);
    if (r) {
        slot_write(table, &r->value, v);
        return;
    }
    if (t->used == t->cap) {
        if (t->live < t->used) {
            pack(t);
        } else {
            uint32_t cap = t->cap ? t->cap * 2 : 4;
            SymRow *rows = heap_malloc(cap * sizeof *rows);
            if (t->used)
                memcpy(rows, t->rows, t->used * sizeof *rows);
            heap_free(t->rows);
            t->rows = rows;
            t->cap = cap;
        }
        if (t->cap > 8)
            index_build(t, t->cap * 2);
    }
    r = &t->rows[t->used++];
    r->symbol = symbol_id;
    r->flags = 0;
    r->value.raw = V_NIL;
    slot_write(table, &r->value, v);
    t->live++;
    if (t->index) {
        uint32_t at = mix(symbol_id) & (t->index_size - 1);
        while (t->index[at])
            at = (at + 1) & (t->index_size - 1);
        t->index[at] = t->used;
    }
}

bool symtable_remove(Value table, uint32_t symbol_id)
{
    obj_modify(table);
    SymTable *t = (SymTable *)table;
    SymRow *r = find(t, symbol_id);
    if (!r)
        return false;
    r->symbol = 0;
    r->flags = 0;
    r->value.raw = V_NIL;
    t->live--;
    if (t->index)
        index_build(t, t->index_size);
    return true;
}

size_t symtable_count(Value table)
{
    return table_of(table)->live;
}

void symtable_each(Value table, void (*fn)(uint32_t symbol_id, Slot *s, void *arg), void *arg)
{
    for (uint32_t i = 0; i < table_of(table)->used; i++) { /* the rows may be replaced by what fn does */
        SymRow *r = &table_of(table)->rows[i];
        if (!r->symbol)
            continue;
        if (slot_unresolved(r->value)) { /* the callers look at what stands there */
            slot_read(table, &r->value);
            r = &table_of(table)->rows[i];
        }
        fn(r->symbol, &r->value, arg);
    }
}

static void visit(Object *o, Visitor *v)
{
    SymTable *t = (SymTable *)o;
    for (uint32_t i = 0; i < t->used; i++)
        v->slot(v, &t->rows[i].value);
}

static void release(Object *o)
{
    SymTable *t = (SymTable *)o;
    heap_free(t->rows);
    heap_free(t->index);
    t->rows = NULL;
    t->index = NULL;
    t->used = t->live = t->cap = t->index_size = 0;
}

static size_t memsize(Object *o)
{
    SymTable *t = (SymTable *)o;
    return t->cap * sizeof(SymRow) + t->index_size * sizeof(uint32_t);
}

static const TypeRow row = {.name = "symtable", .logged = true, .visit = visit, .free = release, .memsize = memsize, .persist = symtable_persist, .restore = symtable_restore, .size = sizeof(SymTable)};

void symtable_boot(void)
{
    heap_register_type(T_SYMTABLE, &row);
}
