/* vector_record.c -- vectors (include/vm/vector.h) in records: chunks, nodes, roots
 *
 *   root   part of the owner's record: as bytes the number of chunks, as slots references to the chunks or, when there
 *          are more than VECTOR_FLAT, to nodes
 *   node   references to VECTOR_FANOUT chunks
 *   chunk  what the type's chunk_put writes
 *
 * Chunks and nodes have no class; no object of the heap stands for them, and their oids are in no map.  An oid is given
 * when the chunk is first saved and stays, so a change of a chunk leaves node and root's references as they are.
 *
 * Chunks are read at the session's snapshot, at which the owner's root was read too: when another commit changes the owner
 * the owner becomes hollow at the boundary, with all its chunks (V3).
 */
#include "private.h"
#include "lib/error.h"
#include "vm/vector.h"

struct VectorStats vector_stats;

static bool is_flat(uint32_t chunks)
{
    return chunks <= VECTOR_FLAT;
}

static Vector *vector_at(Value owner, unsigned which)
{
    return (obj_head(owner) & OT_VECTOR) ? heap_type_row(obj_type(owner))->vector(obj_ptr(owner), which) : NULL;
}

/* ---- reading ---- */

static void fetch_part(Fault *f, Oid oid, uint8_t format)
{
    if (!fault_fetch(f, oid))
        ereport(ERROR, ERR_NO_OBJECT, errmsg("part %lu of a large object is not in the store at this session's snapshot",
                                             (unsigned long)oid),
                errhint("Run lodectl verify: a committed object must never refer to one that is missing."));
    if (f->record.format != format)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("object %lu should be a part of a large object but is not", (unsigned long)oid),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    vector_stats.chunks_read++;
}

/* Oids of chunks that have none yet, from the references of their node or root. */
static void take_oids(Vector *v, uint32_t first, const uint64_t *slots, size_t n)
{
    for (size_t i = 0; i < n && first + i < v->chunks; i++)
        if (!vector_present(v, first + (uint32_t)i) && SLOT_IS_REFERENCE(slots[i])) {
            v->oids[first + i] = SLOT_OID(slots[i]);
            v->state[first + i] |= CHUNK_STORED;
        }
}

/* No allocation on the heap from the test of the node to its end: the vector stays. */
static void know_node(Fault *f, Vector *v, uint32_t node)
{
    if (v->node_state[node] & NODE_KNOWN)
        return;
    fetch_part(f, v->node_oids[node], FORMAT_NODE);
    take_oids(v, node * VECTOR_FANOUT, f->record.slots, f->record.nslots);
    v->node_state[node] |= NODE_KNOWN;
}

static void load_chunk(Value owner, unsigned which, uint32_t chunk)
{
    Fault fault;
    fault_begin(&fault);
    Vector *v = vector_at(owner, which);
    know_node(&fault, v, chunk / VECTOR_FANOUT);
    Oid oid = v->oids[chunk];
    if (oid == OID_NONE)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("chunk %u of object %lu is missing", chunk, (unsigned long)oidmap_oid(owner)),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    fetch_part(&fault, oid, FORMAT_CHUNK);
    uint64_t *slots = (uint64_t *)fault.record.slots; /* a copy of ours */
    for (size_t i = 0; i < fault.record.nslots; i++)
        slots[i] = record_word(&fault.record, slots[i]).raw; /* may collect */
    v = (obj_head(owner) & OF_HOLLOW) ? NULL : vector_at(owner, which);
    if (v && chunk < v->chunks && !vector_present(v, chunk) && v->oids[chunk] == oid) {
        ChunkContent content = {slots, fault.record.nslots, fault.record.bytes, fault.record.nbytes};
        heap_type_row(obj_type(owner))->chunk_take(obj_ptr(owner), which, chunk, &content);
        v->state[chunk] |= CHUNK_PRESENT | CHUNK_STORED;
    }
    fault_end(&fault);
}

struct Vector *record_take_vector(RecordReader *r, uint64_t expected)
{
    uint64_t chunks = record_take_u64(r);
    if (chunks != expected || chunks > UINT32_MAX / 2)
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("the record of object %lu counts its chunks wrongly", (unsigned long)r->record->oid),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    size_t n = is_flat((uint32_t)chunks) ? chunks : (chunks + VECTOR_FANOUT - 1) / VECTOR_FANOUT;
    if (n > record_slots_left(r))
        ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("the record of object %lu ends too early", (unsigned long)r->record->oid),
                errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    Vector *v = vector_new_absent((uint32_t)chunks);
    const uint64_t *slots = r->record->slots + r->slot;
    r->slot += n;
    if (is_flat(v->chunks)) {
        take_oids(v, 0, slots, n);
        if (n)
            v->node_state[0] = NODE_KNOWN;
        return v;
    }
    for (size_t i = 0; i < n; i++) {
        v->node_oids[i] = SLOT_OID(slots[i]);
        v->node_state[i] = NODE_STORED;
    }
    return v;
}

/* ---- writing ---- */

static RecordBuilder *chunk_builder(RecordBuilder *b)
{
    if (!b->chunk)
        b->chunk = heap_calloc(1, sizeof(RecordBuilder));
    b->chunk->object = b->object;
    b->chunk->checking = b->checking;
    b->chunk->differs = false;
    b->chunk->nslots = b->chunk->nbytes = 0;
    return b->chunk;
}

static void put_part(const RecordBuilder *part, Oid oid, uint8_t format, bool is_new)
{
    StorePut put = {.oid = oid, .format = format, .is_new = is_new, .nslots = (uint32_t)part->nslots,
                    .nbytes = (uint32_t)part->nbytes, .slots = part->slots, .bytes = part->bytes};
    store_commit_put(&put);
    vector_stats.chunks_written++;
}

static void save_chunk(RecordBuilder *b, Vector *v, unsigned which, uint32_t chunk)
{
    if (v->oids[chunk] == OID_NONE) {
        v->oids[chunk] = store_oid_alloc();
        v->node_state[chunk / VECTOR_FANOUT] |= NODE_DIRTY;
    }
    RecordBuilder *part = chunk_builder(b);
    heap_type_row(obj_type(b->object))->chunk_put(obj_ptr(b->object), which, chunk, part);
    put_part(part, v->oids[chunk], FORMAT_CHUNK, !(v->state[chunk] & CHUNK_STORED));
}

static void save_node(RecordBuilder *b, Vector *v, uint32_t node)
{
    if (v->node_oids[node] == OID_NONE)
        v->node_oids[node] = store_oid_alloc();
    RecordBuilder *part = chunk_builder(b);
    for (uint32_t c = node * VECTOR_FANOUT; c < v->chunks && c < (node + 1) * VECTOR_FANOUT; c++)
        record_put_slot(part, (Slot){v->oids[c] ? SLOT_FROM_OID(v->oids[c]) : V_NIL});
    put_part(part, v->node_oids[node], FORMAT_NODE, !(v->node_state[node] & NODE_STORED));
}

/* Saves what changed.  A node that is written must be known whole. */
static void save_parts(RecordBuilder *b, Vector *v, unsigned which)
{
    bool flat = is_flat(v->chunks);
    Fault fault;
    fault_begin(&fault);
    for (uint32_t n = 0; n < v->nodes; n++) {
        uint32_t end = MIN(v->chunks, (n + 1) * VECTOR_FANOUT);
        bool gains = flat || !(v->node_state[n] & NODE_STORED);
        for (uint32_t c = n * VECTOR_FANOUT; c < end; c++)
            gains |= (v->state[c] & CHUNK_DIRTY) && v->oids[c] == OID_NONE;
        if (gains)
            know_node(&fault, v, n);
        for (uint32_t c = n * VECTOR_FANOUT; c < end; c++)
            if (v->state[c] & CHUNK_DIRTY)
                save_chunk(b, v, which, c);
        if (flat) { /* the root does without; should nodes be needed again, this one is new */
            v->node_state[n] = NODE_KNOWN;
            v->node_oids[n] = OID_NONE;
            continue;
        }
        if (!(v->node_state[n] & NODE_STORED))
            v->node_state[n] |= NODE_DIRTY;
        if (v->node_state[n] & NODE_DIRTY)
            save_node(b, v, n);
    }
    fault_end(&fault);
}

/* Debug builds: what is there and not marked is what its record says. */
static void check_parts(RecordBuilder *b, Vector *v, unsigned which)
{
    Fault fault;
    fault_begin(&fault);
    for (uint32_t c = 0; c < v->chunks; c++) {
        if (!vector_present(v, c))
            continue;
        RecordBuilder *part = chunk_builder(b);
        heap_type_row(obj_type(b->object))->chunk_put(obj_ptr(b->object), which, c, part);
        b->differs |= part->differs || (v->state[c] & CHUNK_DIRTY) || !fault_fetch(&fault, v->oids[c]) ||
                      fault.record.nslots < part->nslots || fault.record.nbytes < part->nbytes ||
                      memcmp(part->slots ? (void *)part->slots : "", fault.record.slots, part->nslots * 8) != 0 ||
                      memcmp(part->bytes ? (void *)part->bytes : "", fault.record.bytes, part->nbytes) != 0;
    }
    fault_end(&fault);
}

bool record_is_whole(const RecordBuilder *b)
{
    return b->describing;
}

void record_put_vector(RecordBuilder *b, unsigned which)
{
    Vector *v = vector_at(b->object, which);
    if (b->checking)
        check_parts(b, v, which);
    else
        save_parts(b, v, which);
    record_put_u64(b, v->chunks);
    bool flat = is_flat(v->chunks);
    for (uint32_t i = 0; i < (flat ? v->chunks : v->nodes); i++) {
        Oid oid = flat ? v->oids[i] : v->node_oids[i];
        record_put_slot(b, (Slot){oid ? SLOT_FROM_OID(oid) : V_NIL});
    }
}

void vector_install_hooks(void)
{
    vector_load_hook = load_chunk;
}
