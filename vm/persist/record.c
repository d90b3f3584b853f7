/* record.c -- objects to records and back
 *
 * Layout of a record's slots:
 *   types with slots   the slots the shape names
 *   other types        with RECORD_IVARS: count, then name and value of each instance variable; then the type's own part
 * and with RECORD_HASH, before all else, the identity hash.  Words: fixnum, flonum, nil, true, false as they are;
 * symbols with the store's number; references as tagged oids.  Format numbers and flags never change meaning.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/interp/vm_state.h"
#include "vm/object/class_private.h"

enum { RECORD_IVARS = 1, RECORD_HASH = 2, RECORD_FROZEN = 4 };

/* ---- building ---- */

static void put_word(RecordBuilder *b, uint64_t word)
{
    if (b->nslots == b->slots_cap) {
        size_t cap = b->slots_cap ? b->slots_cap * 2 : 32;
        b->slots = heap_realloc(b->slots, cap * sizeof(uint64_t));
        b->slots_cap = cap;
    }
    b->slots[b->nslots++] = word;
}

void record_put_value(RecordBuilder *b, Value v)
{
    if (is_symbol(v)) {
        put_word(b, (symbol_to_store(symbol_id(v)) << 8) | TAG_SYMBOL);
    } else if (is_immediate(v)) {
        put_word(b, v);
    } else {
        Oid oid = builtin_oid(v);
        if (!oid && !(obj_head(v) & OF_OID) && persist_becomes_nil(v)) {
            put_word(b, V_NIL);
            return;
        }
        if (!oid && !b->checking)
            txn_reach(b, v, b->object);
        if (!oid)
            oid = oidmap_oid(v);
        b->differs |= !oid;
        put_word(b, SLOT_FROM_OID(oid));
    }
}

void record_put_slot(RecordBuilder *b, Slot s)
{
    if (slot_unresolved(s))
        put_word(b, s.raw);
    else
        record_put_value(b, s.raw);
}

void record_put_slots(RecordBuilder *b, const Slot *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        record_put_slot(b, s[i]);
}

void record_put_symbol_id(RecordBuilder *b, uint32_t id)
{
    put_word(b, id ? (symbol_to_store(id) << 8) | TAG_SYMBOL : V_NIL);
}

void record_put_encoding(RecordBuilder *b, int enc)
{
    record_put_symbol_id(b, encoding_to_symbol(enc));
}

void record_put_bytes(RecordBuilder *b, const void *bytes, size_t n)
{
    if (n > b->bytes_cap - b->nbytes) {
        size_t cap = b->bytes_cap ? b->bytes_cap * 2 : 256;
        while (cap < b->nbytes + n)
            cap *= 2;
        b->bytes = heap_realloc(b->bytes, cap);
        b->bytes_cap = cap;
    }
    if (n)
        memcpy(b->bytes + b->nbytes, bytes, n);
    b->nbytes += n;
}

void record_put_u64(RecordBuilder *b, uint64_t n)
{
    record_put_bytes(b, &n, 8);
}

void record_refuse(RecordBuilder *b, const char *why)
{
    txn_refuse(b, b->object, why);
}

void record_builder_free(void *p)
{
    RecordBuilder *b = p;
    if (b->chunk)
        record_builder_free(b->chunk);
    heap_free(b->chunk);
    heap_free(b->slots);
    heap_free(b->bytes);
    *b = (RecordBuilder){0};
}

/* The store's number of v's class; that is saved with v if v got it (a singleton class, say) since it was saved itself. */
static ClassId class_number(RecordBuilder *b, Value v)
{
    Value cls = obj_shape(v) ? shape_class(obj_shape(v)) : V_NIL;
    if (!is_nil(cls) && !builtin_oid(cls) && !(obj_head(cls) & OF_OID)) {
        b->differs = true;
        if (b->checking)
            return 0;
        txn_reach(b, cls, v);
    }
    return class_to_store(cls);
}

StorePut record_fill(RecordBuilder *b, Value v)
{
    b->object = v;
    b->nslots = b->nbytes = 0;
    ObjectType type = obj_type(v);
    int format = format_of(type);
    const TypeRow *row = heap_type_row(type);
    if (format < 0 || (!has_slots(v) && (!row || !row->persist)))
        txn_refuse(b, v, "objects of this kind can't be saved");
    StorePut put = {.oid = oidmap_oid(v), .format = (uint8_t)format, .is_new = !(obj_head(v) & OF_PERSISTENT)};
    if (obj_head(v) & OH_FROZEN)
        put.flags |= RECORD_FROZEN;
    if (obj_head(v) & OF_ID) {
        Side *side = side_find(v);
        if (side && side->identity_hash && side->identity_hash != identity_hash_of_oid(put.oid)) {
            put.flags |= RECORD_HASH;
            put_word(b, int_fix((int64_t)(side->identity_hash >> 2)));
        }
    }
    if (has_slots(v)) {
        uint32_t shape = obj_shape(v);
        record_put_slots(b, obj_slots(v), shape_table[shape].count);
        put.class_id = class_number(b, v);
        put.shape = put.class_id ? shape_to_store(shape) : 0;
    } else {
        put.class_id = class_number(b, v);
        Side *side = (obj_head(v) & OF_IVARS) ? side_find(v) : NULL;
        uint32_t own = 0;
        for (uint32_t i = 0; side && i < side->n; i++)
            own += is_own_attribute(side->names[i]);
        if (side && side->n > own) {
            put.flags |= RECORD_IVARS;
            put_word(b, int_fix(side->n - own));
            for (uint32_t i = 0; i < side->n; i++)
                if (!is_own_attribute(side->names[i])) {
                    record_put_symbol_id(b, side->names[i]);
                    record_put_slot(b, side->values[i]);
                }
        }
        row->persist(obj_ptr(v), b);
    }
    put.nslots = (uint32_t)b->nslots;
    put.nbytes = (uint32_t)b->nbytes;
    put.slots = b->slots;
    put.bytes = b->bytes;
    return put;
}

static bool put_differs(const StorePut *put, const StoreRecord *record)
{
    return put->class_id != record->class_id || put->shape != record->shape || put->flags != record->flags ||
           put->nslots != record->nslots || put->nbytes != record->nbytes ||
           (put->nslots && memcmp(put->slots, record->slots, put->nslots * 8) != 0) ||
           (put->nbytes && memcmp(put->bytes, record->bytes, put->nbytes) != 0);
}

/* A module counts as changed also by what is this session's alone: no new version, and no conflict, comes of that. */
static bool module_unchanged(const StorePut *put, Value v)
{
    if (put->is_new || !(is_module(v) || obj_type(v) == T_ICLASS))
        return false;
    Fault fault;
    fault_begin(&fault);
    bool same = fault_fetch(&fault, put->oid) && !put_differs(put, &fault.record);
    fault_end(&fault);
    return same;
}

/* Puts v's new version into the commit's write set. */
void record_build(RecordBuilder *b, Value v)
{
    StorePut put = record_fill(b, v);
    if (b->nslots * 8 + b->nbytes > STORE_MAX_BODY)
        txn_refuse(b, v, "it is larger than a record may be");
    if (put.oid < OID_FIRST_USER)
        put.is_new = false; /* others may create it at the same time */
    if (!module_unchanged(&put, v))
        store_commit_put(&put);
}

/* Is v what its record says?  Gives no oids. */
static bool is_as_recorded(Value v, const StoreRecord *record)
{
    RecordBuilder b = {.checking = true};
    uint64_t attention = obj_head(v) & OH_ATTENTION; /* A3 */
    obj_ptr(v)->head &= ~OH_ATTENTION;
    StorePut put = record_fill(&b, v);
    obj_ptr(v)->head |= attention;
    bool same = !b.differs && !put_differs(&put, record);
    record_builder_free(&b);
    return same;
}

bool record_would_be_written(Value v)
{
    if (!(obj_head(v) & OF_PERSISTENT) || !(is_module(v) || obj_type(v) == T_ICLASS))
        return true;
    Fault fault;
    fault_begin(&fault);
    bool same = fault_fetch(&fault, oidmap_oid(v)) && is_as_recorded(v, &fault.record);
    fault_end(&fault);
    return !same;
}

#ifdef LODE_DEBUG
/* A clean object must still be what its record says: otherwise some method changed it without obj_modify (O2). */
void record_check_clean(Value v)
{
    Fault fault;
    fault_begin(&fault);
    /* Of an older class: what it is now is not written yet. */
    if (fault_fetch(&fault, oidmap_oid(v)) && !version_superseded(class_from_store(fault.record.class_id)) &&
        !is_as_recorded(v, &fault.record))
        ereport(PANIC, ERR_INTERNAL, errmsg("object %lu, a %s, was changed without obj_modify", (unsigned long)fault.record.oid,
                                            class_name_c(class_real(v))));
    fault_end(&fault);
}
#endif

/* ---- restoring ---- */

void record_corrupt(RecordReader *r, const char *what)
{
    content_refuse(r->record->oid, what);
}

_Noreturn static void damaged(RecordReader *r)
{
    content_refuse(r->record->oid, "ends too early");
}

size_t record_slots_left(RecordReader *r)
{
    return r->record->nslots - r->slot;
}

/* D1 */
Slot record_word(const StoreRecord *record, uint64_t word)
{
    if ((word & 3) != 0 || (word & 0xff) == TAG_OID) /* numbers, references */
        return (Slot){word};
    if ((word & 0xff) == TAG_SYMBOL && word >> 8 != 0)
        return (Slot){symbol_value(symbol_from_store(word >> 8))};
    if (word != V_NIL && word != V_TRUE && word != V_FALSE)
        content_refuse(record->oid, "has a word that is no value");
    return (Slot){word};
}

Slot record_take_slot(RecordReader *r)
{
    if (unlikely(r->slot >= r->record->nslots))
        damaged(r);
    return record_word(r->record, r->record->slots[r->slot++]);
}

void record_take_slots(RecordReader *r, Slot *to, size_t n)
{
    if (unlikely(n > record_slots_left(r)))
        damaged(r);
    const uint64_t *from = r->record->slots + r->slot;
    for (size_t i = 0; i < n; i++)
        to[i] = record_word(r->record, from[i]);
    r->slot += n;
}

uint32_t record_take_symbol_id(RecordReader *r)
{
    Slot s = record_take_slot(r);
    if (s.raw == V_NIL)
        return 0;
    if (!is_symbol(s.raw))
        record_corrupt(r, "has something else where a name belongs");
    return symbol_id(s.raw);
}

int record_take_encoding(RecordReader *r)
{
    uint32_t name = record_take_symbol_id(r);
    if (name == 0)
        record_corrupt(r, "names no encoding");
    return encoding_from_symbol(name);
}

size_t record_bytes_left(RecordReader *r)
{
    return r->record->nbytes - r->byte;
}

const void *record_take_bytes(RecordReader *r, size_t n)
{
    if (record_bytes_left(r) < n)
        damaged(r);
    const void *p = r->record->bytes + r->byte;
    r->byte += n;
    return p;
}

uint64_t record_take_u64(RecordReader *r)
{
    uint64_t n;
    memcpy(&n, record_take_bytes(r, 8), 8);
    return n;
}

static int64_t take_integer(RecordReader *r)
{
    Slot s = record_take_slot(r);
    if (!is_fixnum(s.raw))
        record_corrupt(r, "has something else where a number belongs");
    return fix_int(s.raw);
}

void record_skip_hash(RecordReader *r)
{
    if (r->record->flags & RECORD_HASH)
        take_integer(r);
}

static void restore_slots(Value v, RecordReader *r, Value cls, uint32_t shape)
{
    content_check_shape(r->record->oid, obj_type(v), cls, shape);
    size_t n = shape_table[shape].count;
    if (n > record_slots_left(r))
        damaged(r);
    obj_make_slot_room(v, (unsigned)n);
    record_take_slots(r, obj_slots(v), n);
    obj_set_shape(v, shape);
}

/* v: empty cell of the record's type; afterwards clean.  Whoever did not allocate it just now tells the collector (H13). */
static void restore(Value v, StoreRecord *record)
{
    RecordReader r = {.record = record, .object = v};
    const TypeRow *row = heap_type_row(obj_type(v));
    Value cls = class_from_store(record->class_id);
    content_check_class(record->oid, obj_type(v), cls);
    if (record->flags & RECORD_HASH) {
        int64_t hash = take_integer(&r);
        side_get(v)->identity_hash = (uint64_t)hash << 2 | 1;
        obj_ptr(v)->head |= OF_ID;
    }
    obj_ptr(v)->head &= ~(OH_ATTENTION | OF_HOLLOW | OH_FROZEN | OF_DIRTY);
    if (has_slots(v)) {
        uint32_t shape = record->shape            ? shape_from_store(record->shape)
                         : obj_type(v) == T_CREF ? obj_shape(v) /* its root is no class's */
                                                                         : class_root_shape(cls);
        restore_slots(v, &r, cls, shape);
    } else {
        if (record->class_id && obj_type(v) != T_CLASS && obj_type(v) != T_MODULE)
            obj_set_shape(v, class_root_shape(cls));
        if (record->flags & RECORD_IVARS) {
            int64_t count = take_integer(&r);
            obj_ptr(v)->head &= ~OH_LOG;
            for (int64_t i = 0; i < count; i++) {
                uint32_t name = record_take_symbol_id(&r);
                Slot x = record_take_slot(&r);
                ivar_restore(v, name, x);
            }
        }
        row->restore(obj_ptr(v), &r);
    }
    content_check(v);
    if (obj_shape(v) && obj_type(v) != T_CREF)
        version_adapt(v);
    if (record->flags & RECORD_FROZEN)
        obj_ptr(v)->head |= OH_FROZEN;
    obj_ptr(v)->head |= OF_PERSISTENT | OH_LOG;
}

void record_restore(Value v, StoreRecord *record)
{
    restore(v, record);
    heap_remember(v);
}

/* The cell for a record: fitting its content where the type embeds it. */
static Value cell_for(StoreRecord *record)
{
    ObjectType type = type_of_format(record->format);
    Value cls = class_from_store(record->class_id);
    const TypeRow *row = heap_type_row(type);
    content_check_class(record->oid, type, cls);
    if (type == T_CREF)
        return cref_new(V_NIL, V_NIL, 0, V_FALSE);
    if (row == heap_type_row(T_OBJECT)) {
        unsigned n = record->nslots > UINT16_MAX ? 0 : record->nslots;
        return heap_alloc_slots(type, cls, n < 60 ? n : 0);
    }
    size_t size = row->cell_size ? row->cell_size(record->nslots, record->nbytes) : row->size;
    if (size < sizeof(Object) || !row->restore)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("records of type %s can't be read by this version", row->name));
    return is_nil(cls) ? heap_alloc_internal(type, size) : heap_alloc(type, cls, size);
}

Value record_materialize(Oid oid, StoreRecord *record)
{
    ObjectType type = type_of_format(record->format);
    Value v;
    if (type == T_CLASS || type == T_MODULE || type == T_ICLASS) {
        Value cls = class_from_store(record->class_id);
        content_check_class(oid, type, cls);
        v = class_alloc(type, is_nil(cls) ? 0 : cls);
    } else {
        v = cell_for(record);
    }
    Value there = oidmap_object(oid); /* finding the class may have led here already */
    if (!is_undef(there))
        return there;
    oidmap_add(v, oid);
    TRY()
    {
        restore(v, record);
    }
    CATCH(err)
    {
        oidmap_remove(v); /* who asks again starts anew */
        if (is_module(v) || obj_type(v) == T_ICLASS)
            module_blank(v);
        rethrow();
    }
    END_TRY();
    return v;
}

Value record_copy(StoreRecord *record)
{
    Value v = cell_for(record);
    restore(v, record);
    obj_ptr(v)->head &= ~OF_PERSISTENT;
    persist_unlog(v);
    return v;
}

/* ---- hollow ---- */

bool record_can_hollow(Value v)
{
    uint64_t head = obj_head(v);
    return (head & OF_PERSISTENT) && !(head & (OF_DIRTY | OF_HOLLOW)) && record_type_hollows(v);
}

bool record_type_hollows(Value v)
{
    if (has_slots(v))
        return obj_type(v) != T_CREF && obj_type(v) != T_PROC;
    const TypeRow *row = heap_type_row(obj_type(v));
    return row && row->hollow;
}

void record_empty(Value v)
{
    SlotObject *o = (SlotObject *)v;
    if (has_slots(v)) {
        if (!(o->head & OF_EMBED)) {
            heap_free(o->ext);
            o->head |= OF_EMBED;
        }
        size_t room = obj_slot_room(v);
        for (size_t i = 0; i < room; i++)
            o->inl[i].raw = V_NIL;
        obj_set_shape(v, shape_table[obj_shape(v)].root);
        for (size_t i = 0; i < shape_table[obj_shape(v)].count && i < room; i++)
            o->inl[i].raw = V_NIL;
    } else {
        heap_type_row(obj_type(v))->hollow(obj_ptr(v));
        ivar_forget(v);
    }
    o->head |= OH_ATTENTION | OF_HOLLOW;
    o->head &= ~(OF_DIRTY | OH_LOG | OH_FROZEN);
}
