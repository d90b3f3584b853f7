/* long_record.c -- long content of bytes (strings) in chunks
 *
 * Content of LONG_FROM bytes or more is cut into chunks of LONG_CHUNK, each a record with an oid of its own; the owner's
 * record (the root) has their oids as slots and the length as bytes.  In memory the content is one piece and is read whole,
 * chunk by chunk into its place.  A change of a few bytes writes their chunks and the root: beside the content the session
 * keeps a checksum of each chunk as the store has it, and a commit writes those that differ.
 *
 * L1  What is known of an owner's chunks is of the version that its root in memory was read or committed at: reading it
 *     anew replaces that, a commit changes it only when it has succeeded.
 * L2  The root is in every write set that has a chunk, so conflicts are found at the root.
 * L3  Two checksums, one of them seeded by the store, stand for the content: 96 bits.
 */
#include "private.h"
#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/hashtab.h"

enum { LONG_CHUNK = 32000 /* two pages */, LONG_FROM = 4 * LONG_CHUNK };

typedef struct Chunk {
    Oid oid;
    uint64_t hash;
    uint32_t crc;
} Chunk;

typedef struct Chunks {
    Chunk *at;
    size_t n;
} Chunks;

typedef struct Owner {
    Oid oid;
    Chunks stored, next; /* next: of the commit under way */
    bool written;        /* by it */
} Owner;

static HashTab *owners;

static size_t chunks_of(size_t bytes)
{
    return (bytes + LONG_CHUNK - 1) / LONG_CHUNK;
}

static void chunks_free(Chunks *c)
{
    mem_free(c->at);
    *c = (Chunks){0};
}

static Chunks chunks_new(size_t n)
{
    return (Chunks){mem_zalloc(session.context, n * sizeof(Chunk)), n};
}

static void forget(Owner *o)
{
    chunks_free(&o->stored);
    chunks_free(&o->next);
}

/* Those that the session no longer holds go when another comes. */
static Owner *owner_enter(Oid oid)
{
    if (!owners)
        owners = hashtab_create(session.context, sizeof(Oid), sizeof(Owner), HASH_BLOB);
    Owner *o = hashtab_find(owners, &oid);
    if (o)
        return o;
    HashIter it = {0};
    while ((o = hashtab_next(owners, &it)))
        if (is_undef(oidmap_object(o->oid))) {
            forget(o);
            hashtab_remove_current(owners, &it);
        }
    return hashtab_enter(owners, &oid, NULL);
}

static Owner *owner_find(Oid oid)
{
    return owners ? hashtab_find(owners, &oid) : NULL;
}

/* L3 */
static Chunk chunk_sum(Oid oid, const char *p, size_t n)
{
    return (Chunk){oid, hash_bytes(p, n, hash_seed), crc32c(0, p, n)};
}

static bool same_content(const Chunk *a, const Chunk *b)
{
    return a->hash == b->hash && a->crc == b->crc;
}

/* ---- writing ---- */

static void save_chunk(Oid oid, bool is_new, const char *p, size_t n)
{
    StorePut put = {.oid = oid, .format = FORMAT_CHUNK, .is_new = is_new, .nbytes = (uint32_t)n, .bytes = p};
    store_commit_put(&put);
    vector_stats.chunks_written++;
}

void record_put_content(RecordBuilder *b, const void *bytes, size_t n)
{
    Oid oid = oidmap_oid(b->object);
    Owner *o = owner_find(oid);
    if (n < LONG_FROM || b->describing) {
        if (o && !b->describing && !b->checking) {
            chunks_free(&o->next);
            o->written = true;
        }
        record_put_bytes(b, bytes, n);
        return;
    }
    if (!b->checking) {
        o = owner_enter(oid);
        chunks_free(&o->next);
        o->next = chunks_new(chunks_of(n));
        o->written = true;
    }
    record_put_u64(b, n);
    for (size_t i = 0; i < chunks_of(n); i++) {
        const char *p = (const char *)bytes + i * LONG_CHUNK;
        size_t size = MIN(n - i * LONG_CHUNK, (size_t)LONG_CHUNK);
        const Chunk *had = o && i < o->stored.n ? &o->stored.at[i] : NULL;
        Chunk now = chunk_sum(had ? had->oid : OID_NONE, p, size);
        bool same = had && same_content(had, &now);
        b->differs |= !same;
        if (!b->checking) {
            if (!had)
                now.oid = store_oid_alloc();
            if (!same)
                save_chunk(now.oid, !had, p, size);
            o->next.at[i] = now;
        }
        record_put_slot(b, (Slot){SLOT_FROM_OID(now.oid)});
    }
}

/* The commit under way is a new one, or has ended. */
void long_commit_begin(void)
{
    HashIter it = {0};
    Owner *o;
    while (owners && (o = hashtab_next(owners, &it))) {
        chunks_free(&o->next);
        o->written = false;
    }
}

void long_commit_done(void)
{
    HashIter it = {0};
    Owner *o;
    while (owners && (o = hashtab_next(owners, &it)))
        if (o->written) {
            chunks_free(&o->stored);
            o->stored = o->next;
            o->next = (Chunks){0};
            o->written = false;
        }
}

void long_each_chunk(void (*fn)(Oid oid))
{
    HashIter it = {0};
    Owner *o;
    while (owners && (o = hashtab_next(owners, &it)))
        for (size_t i = 0; i < o->stored.n; i++)
            fn(o->stored.at[i].oid);
}

/* ---- reading ---- */

_Noreturn static void damaged(RecordReader *r, const char *what)
{
    ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("the content of object %lu %s", (unsigned long)r->record->oid, what),
            errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    __builtin_unreachable();
}

size_t record_content_size(RecordReader *r)
{
    if (record_slots_left(r) == 0)
        return record_bytes_left(r);
    uint64_t n;
    if (record_bytes_left(r) != sizeof n)
        damaged(r, "has no length");
    memcpy(&n, r->record->bytes + r->byte, sizeof n);
    if (chunks_of(n) != record_slots_left(r))
        damaged(r, "counts its chunks wrongly");
    return n;
}

static void take_chunk(Fault *f, RecordReader *r, Oid oid, char *to, size_t n)
{
    if (!fault_fetch(f, oid))
        damaged(r, "lacks a chunk at this session's snapshot");
    if (f->record.format != FORMAT_CHUNK || f->record.nbytes != n)
        damaged(r, "has a chunk of another size");
    memcpy(to, f->record.bytes, n);
    vector_stats.chunks_read++;
}

void record_take_content(RecordReader *r, void *to)
{
    size_t n = record_content_size(r);
    if (record_slots_left(r) == 0) {
        memcpy(to, record_take_bytes(r, n), n);
        return;
    }
    record_take_u64(r);
    Fault fault;
    fault_begin(&fault);
    Owner *o = oidmap_object(r->record->oid) == r->object ? owner_enter(r->record->oid) : NULL;
    if (o) {
        forget(o);
        o->stored = chunks_new(chunks_of(n));
    }
    for (size_t i = 0; i < chunks_of(n); i++) {
        Slot s = record_take_slot(r);
        if (!slot_unresolved(s))
            damaged(r, "lacks a chunk");
        char *p = (char *)to + i * LONG_CHUNK;
        size_t size = MIN(n - i * LONG_CHUNK, (size_t)LONG_CHUNK);
        take_chunk(&fault, r, SLOT_OID(s.raw), p, size);
        if (o)
            o->stored.at[i] = chunk_sum(SLOT_OID(s.raw), p, size);
    }
    fault_end(&fault);
}
