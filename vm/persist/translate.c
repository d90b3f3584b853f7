/* translate.c -- numbers of this session and numbers of the store: symbols, shapes, classes, types
 *
 * Session numbers depend on the order in which one process met the names; the store's are interned by content.
 * Both directions are cached in plain arrays indexed by number.  A format number of a type is fixed for ever
 * (rows of formats.def), whatever order types.def has.
 */
#include "private.h"
#include "vm/shape.h"
#include "lib/error.h"

typedef struct NumberMap {
    uint32_t *to;
    size_t cap;
} NumberMap;

static uint32_t map_get(const NumberMap *m, size_t i)
{
    return i < m->cap ? m->to[i] : 0;
}

static void map_set(NumberMap *m, size_t i, uint32_t n)
{
    if (i >= m->cap) {
        size_t cap = m->cap ? m->cap : 1024;
        while (cap <= i)
            cap *= 2;
        m->to = heap_realloc(m->to, cap * sizeof(uint32_t));
        memset(m->to + m->cap, 0, (cap - m->cap) * sizeof(uint32_t));
        m->cap = cap;
    }
    m->to[i] = n;
}

static NumberMap symbols_out, symbols_in, shapes_in, encodings_out;
static NumberMap encoding_names; /* the symbol that names an encoding of this session, as it stands in records */
static NumberMap encodings_named; /* the encoding + 1 that a symbol of this session names */

uint64_t symbol_to_store(uint32_t id)
{
    if (id == 0)
        return 0;
    uint32_t known = map_get(&symbols_out, id);
    if (known)
        return known;
    Value sym = symbol_value(id);
    int enc = sym_encoding(sym);
    EncodingId encoding = map_get(&encodings_out, (size_t)enc);
    if (!encoding) {
        encoding = store_intern_encoding(encoding_name(enc));
        map_set(&encodings_out, (size_t)enc, encoding);
    }
    SymbolId store_id = store_intern_symbol(sym_text(sym), sym_len(sym), encoding);
    map_set(&symbols_out, id, store_id);
    map_set(&symbols_in, store_id, id);
    return store_id;
}

uint32_t symbol_from_store(uint64_t store_id)
{
    if (store_id == 0)
        return 0;
    if (store_id > UINT32_MAX)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("symbol %lu is not in the store", (unsigned long)store_id),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    uint32_t known = map_get(&symbols_in, store_id);
    if (known)
        return known;
    size_t len, name_len;
    EncodingId encoding;
    const char *text = store_symbol((SymbolId)store_id, &len, &encoding);
    if (!text)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("symbol %lu is not in the store", (unsigned long)store_id),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    const char *name = store_encoding(encoding, &name_len);
    int enc = name ? encoding_find(name) : -1;
    if (enc < 0)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("encoding %u of symbol %lu is not known", encoding, (unsigned long)store_id));
    uint32_t id = symbol_id(sym_intern_len(text, len, enc));
    map_set(&symbols_in, store_id, id);
    map_set(&symbols_out, id, (uint32_t)store_id);
    return id;
}

/* ---- encodings: in records they go by name ---- */

uint32_t encoding_to_symbol(int enc)
{
    uint32_t known = map_get(&encoding_names, (size_t)enc);
    if (!known) {
        known = symbol_id(sym_intern(encoding_name(enc)));
        map_set(&encoding_names, (size_t)enc, known);
    }
    return known;
}

int encoding_from_symbol(uint32_t symbol)
{
    uint32_t known = map_get(&encodings_named, symbol);
    if (!known) {
        int enc = encoding_find(sym_text(symbol_value(symbol)));
        if (enc < 0)
            return -1;
        known = (uint32_t)enc + 1;
        map_set(&encodings_named, symbol, known);
    }
    return (int)known - 1;
}

/* ---- classes: the store's number of a class is interned from its oid ---- */

static ValueList classes_in; /* by ClassId; V_UNDEF: not met yet */

ClassId class_to_store(Value cls)
{
    if (is_nil(cls))
        return 0;
    Oid oid = builtin_oid(cls);
    if (!oid)
        oid = oidmap_oid(cls);
    if (!oid)
        ereport(PANIC, ERR_INTERNAL, errmsg("a class without an oid reached a record"));
    return store_intern_class(oid);
}

Value class_from_store(ClassId id)
{
    if (id == 0)
        return V_NIL;
    while (classes_in.count <= id)
        list_push(&classes_in, V_UNDEF);
    if (is_undef(classes_in.items[id])) {
        Oid oid = store_class_oid(id);
        if (!oid)
            ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("class number %u is not in the store", id));
        Value cls = persist_resolve(oid);
        if (!is_module(cls))
            ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("object %lu is used as a class but is none", (unsigned long)oid));
        classes_in.items[id] = cls;
    }
    return classes_in.items[id];
}

void translate_visit(Visitor *v)
{
    for (size_t i = 0; i < classes_in.count; i++)
        v->value(v, &classes_in.items[i]);
}

/* ---- shapes: 0 is the class's root; fixed fields of built-in layouts belong to the root ---- */

ShapeId shape_to_store(uint32_t shape)
{
    Shape *s = &shape_table[shape];
    if (s->store_id)
        return s->store_id;
    if (shape == s->root || s->parent == 0)
        return 0;
    ShapeId parent = shape_to_store(s->parent);
    uint32_t name = s->name;
    ShapeId id = store_intern_shape(parent, class_to_store(s->cls), (SymbolId)symbol_to_store(name));
    shape_table[shape].store_id = id;
    map_set(&shapes_in, id, shape);
    return id;
}

uint32_t shape_from_store(ShapeId id)
{
    uint32_t known = map_get(&shapes_in, id);
    if (known)
        return known;
    ShapeId parent;
    ClassId class_id;
    SymbolId name;
    if (!store_shape(id, &parent, &class_id, &name))
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("shape %u is not in the store", id));
    uint32_t base = parent ? shape_from_store(parent) : class_root_shape(class_from_store(class_id));
    uint32_t shape = shape_add(base, symbol_from_store(name));
    shape_table[shape].store_id = id;
    map_set(&shapes_in, id, shape);
    return shape;
}

/* ---- types ---- */

enum { FORMAT_NONE = 0 }; /* no row has it */
static const uint8_t format_by_type[T_COUNT] = {
#define FORMAT(type, number) [T_##type] = number,
#include "formats.def"
#undef FORMAT
};
static const uint8_t type_by_format[UINT8_MAX + 1] = { /* + 1; 0: not known */
#define FORMAT(type, number) [number] = T_##type + 1,
#include "formats.def"
#undef FORMAT
};

int format_of(ObjectType type)
{
    return format_by_type[type] == FORMAT_NONE ? -1 : format_by_type[type];
}

ObjectType type_of_format(uint64_t format)
{
    if (unlikely(format > UINT8_MAX || type_by_format[format] == 0))
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("record format %lu is not known to this version", (unsigned long)format),
                errhint("Open the store with the version that wrote it, or a newer one."));
    return (ObjectType)(type_by_format[format] - 1);
}
