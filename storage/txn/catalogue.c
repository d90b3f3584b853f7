/*
 * catalogue.c - store-wide names: symbols, shapes, classes, encodings get numbers, once and for ever.
 *
 * The catalogue is one row of entries in shared memory, append-only; its pages are written by checkpoints (only the last
 * one changes, and that goes to a fresh place each time).  Look-ups go through hash chains without a latch; giving a new
 * number is a small log record under the INTERN latch: a system commit that conflicts with nothing and never rolls back.
 *
 * W1: an entry is complete, and its record in the log, before a chain or the id array leads to it.  So whoever can
 *     mention an id finds it logged before his own commit.
 * W2: ids are dense from 1, and entries stand in the order of their records.
 */
#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/hashtab.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/txn/txn.h"

static inline NameEntry *entry_at(uint32_t offset8)
{
    return (NameEntry *)(the_store->catalogue + (size_t)(offset8 - 1) * 8);
}

/* The same in every process and run: it is on disk. */
static uint32_t name_hash(NameKind kind, const void *bytes, uint32_t length, uint32_t extra)
{
    return (uint32_t)hash_bytes(bytes, length, (uint64_t)kind << 32 | extra);
}

static uint32_t find(NameKind kind, const void *bytes, uint32_t length, uint32_t extra, uint32_t hash)
{
    uint32_t at = atomic_load_explicit(&the_store->name_heads[hash % NAME_HEADS], memory_order_acquire);
    while (at != 0) {
        const NameEntry *e = entry_at(at);
        if (e->hash == hash && e->kind == kind && e->length == length && e->extra == extra &&
            memcmp(e + 1, bytes, length) == 0)
            return e->id;
        at = e->next;
    }
    return 0;
}

static size_t entry_bytes(uint32_t length)
{
    return ALIGN_UP(sizeof(NameEntry) + (size_t)length + 1, 8);
}

/* W1: makes a complete entry findable. */
static void link_entry(NameEntry *e, uint32_t at)
{
    _Atomic uint32_t *head = &the_store->name_heads[e->hash % NAME_HEADS];
    e->next = atomic_load_explicit(head, memory_order_relaxed);
    atomic_store_explicit(&the_store->names[e->kind][e->id], at, memory_order_release);
    atomic_store_explicit(head, at, memory_order_release);
    atomic_store_explicit(&the_store->shared->name_count[e->kind], e->id, memory_order_release);
}

static void append_entry(const NameEntry *header, const void *bytes)
{
    StoreShared *s = the_store->shared;
    uint64_t offset = s->catalogue_bytes;
    NameEntry *e = (NameEntry *)(the_store->catalogue + offset);
    *e = *header;
    memcpy(e + 1, bytes, header->length);
    s->catalogue_bytes = offset + entry_bytes(header->length);
    link_entry(e, (uint32_t)(offset / 8) + 1);
}

static bool has_room(NameKind kind, uint32_t length)
{
    StoreShared *s = the_store->shared;
    return s->catalogue_bytes + entry_bytes(length) <= CATALOGUE_PAGES * PAGE_PAYLOAD &&
           s->name_count[kind] + 1 < NAME_IDS(kind);
}

static uint32_t intern(NameKind kind, const void *bytes, size_t length, uint32_t extra)
{
    StoreShared *s = the_store->shared;
    if (length > 65535 * 4)
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("a name of %zu bytes is too long", length));
    uint32_t hash = name_hash(kind, bytes, (uint32_t)length, extra);
    uint32_t id = find(kind, bytes, (uint32_t)length, extra, hash);
    if (id != 0)
        return id;
    if (the_store->me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    /* One buffer for the record: entry and bytes. */
    size_t n = sizeof(NameEntry) + length;
    if (n > wal_max_payload(the_store->wal))
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("a name of %zu bytes is too long", length));
    NameEntry *record = mem_zalloc(the_store->context, n + 8);
    memcpy(record + 1, bytes, length);
    TRY()
    {
        store_credit(1, n, 0);
    }
    CATCH(err)
    {
        mem_free(record);
        rethrow();
    }
    END_TRY();
    latch_acquire(&s->intern_latch, LATCH_EXCLUSIVE);
    id = find(kind, bytes, (uint32_t)length, extra, hash); /* another may have been faster */
    if (id == 0 && has_room(kind, (uint32_t)length)) {
        id = s->name_count[kind] + 1;
        *record = (NameEntry){ .hash = hash, .kind = kind, .id = id, .extra = extra, .length = (uint32_t)length };
        STOP_POINT(NAME_LOG);
        if (!MUTATION(INTERN_LOGGED))
            wal_append_credited(the_store->wal, &the_store->me->credit, WAL_NAME, 0, record, (uint32_t)n);
        append_entry(record, bytes);
        STOP_POINT(NAME_ADDED);
    }
    latch_release(&s->intern_latch);
    store_credit_return();
    mem_free(record);
    if (id == 0)
        ereport(ERROR, ERR_STORE_FULL, errmsg("the store can't hold more names"));
    return id;
}

/* ---- recovery ------------------------------------------------------------------------------------------------ */

void catalogue_redo(const NameEntry *entry, uint32_t length)
{
    StoreShared *s = the_store->shared;
    if (length < sizeof(*entry) || entry->length != length - sizeof(*entry) || entry->kind >= NAME_KINDS)
        ereport(ERROR, ERR_CORRUPT_WAL, errmsg("a record of an interned name is malformed"));
    if (entry->id <= s->name_count[entry->kind])
        return; /* W2: the checkpoint had it */
    if (entry->id != s->name_count[entry->kind] + 1)
        ereport(ERROR, ERR_CORRUPT_WAL, errmsg("the record of interned name %u of kind %u is out of order",
                                               entry->id, entry->kind));
    if (!has_room((NameKind)entry->kind, entry->length))
        ereport(ERROR, ERR_STORE_FULL, errmsg("the store can't hold more names"));
    append_entry(entry, entry + 1);
}

void catalogue_settle(uint64_t bytes)
{
    StoreShared *s = the_store->shared;
    uint64_t offset = 0;
    while (offset < bytes) {
        NameEntry *e = (NameEntry *)(the_store->catalogue + offset);
        if (bytes - offset < sizeof(*e) || e->kind >= NAME_KINDS || e->id != s->name_count[e->kind] + 1 ||
            e->id >= NAME_IDS(e->kind) || entry_bytes(e->length) > bytes - offset)
            ereport(ERROR, ERR_CORRUPT_PAGE,
                    errmsg("the catalogue of names of \"%s\" is damaged at its byte %llu", the_store->dir,
                           (unsigned long long)offset),
                    errhint("Restore the store from a backup."));
        link_entry(e, (uint32_t)(offset / 8) + 1);
        offset += entry_bytes(e->length);
    }
    s->catalogue_bytes = s->catalogue_saved = bytes;
}

/* ---- the face -------------------------------------------------------------------------------------------------- */

static const NameEntry *name_of(NameKind kind, uint32_t id)
{
    if (id == 0 || id > atomic_load_explicit(&the_store->shared->name_count[kind], memory_order_acquire))
        return NULL;
    return entry_at(atomic_load_explicit(&the_store->names[kind][id], memory_order_acquire));
}

EncodingId store_intern_encoding(const char *name)
{
    return intern(NAME_ENCODING, name, strlen(name), 0);
}

const char *store_encoding(EncodingId id, size_t *length)
{
    const NameEntry *e = name_of(NAME_ENCODING, id);
    if (e == NULL)
        return NULL;
    if (length != NULL)
        *length = e->length;
    return (const char *)(e + 1);
}

SymbolId store_intern_symbol(const void *bytes, size_t length, EncodingId encoding)
{
    return intern(NAME_SYMBOL, bytes, length, encoding);
}

SymbolId store_find_symbol(const void *bytes, size_t length, EncodingId encoding)
{
    if (length > UINT32_MAX)
        return 0;
    return find(NAME_SYMBOL, bytes, (uint32_t)length, encoding,
                name_hash(NAME_SYMBOL, bytes, (uint32_t)length, encoding));
}

const char *store_symbol(SymbolId id, size_t *length, EncodingId *encoding)
{
    const NameEntry *e = name_of(NAME_SYMBOL, id);
    if (e == NULL)
        return NULL;
    if (length != NULL)
        *length = e->length;
    if (encoding != NULL)
        *encoding = e->extra;
    return (const char *)(e + 1);
}

typedef struct ShapeName {
    uint32_t parent, class_id, symbol;
} ShapeName;

ShapeId store_intern_shape(ShapeId parent, ClassId class_id, SymbolId name)
{
    ShapeName shape = { parent, class_id, name };
    return intern(NAME_SHAPE, &shape, sizeof(shape), 0);
}

bool store_shape(ShapeId id, ShapeId *parent, ClassId *class_id, SymbolId *name)
{
    const NameEntry *e = name_of(NAME_SHAPE, id);
    if (e == NULL)
        return false;
    const ShapeName *shape = (const ShapeName *)(e + 1);
    if (parent != NULL)
        *parent = shape->parent;
    if (class_id != NULL)
        *class_id = shape->class_id;
    if (name != NULL)
        *name = shape->symbol;
    return true;
}

ClassId store_intern_class(Oid class_oid)
{
    return intern(NAME_CLASS, &class_oid, sizeof(class_oid), 0);
}

Oid store_class_oid(ClassId id)
{
    const NameEntry *e = name_of(NAME_CLASS, id);
    Oid oid = OID_NONE;
    if (e != NULL)
        memcpy(&oid, e + 1, sizeof(oid));
    return oid;
}

uint32_t store_symbol_count(void)
{
    return the_store->shared->name_count[NAME_SYMBOL];
}

uint32_t store_shape_count(void)
{
    return the_store->shared->name_count[NAME_SHAPE];
}

uint32_t store_class_count(void)
{
    return the_store->shared->name_count[NAME_CLASS];
}

uint32_t store_encoding_count(void)
{
    return the_store->shared->name_count[NAME_ENCODING];
}
