/*
 * record.c - records: encoding (lz4 for long bytes when it pays), reading across pages, checks.
 *
 * R1: whatever stands in a header is checked before it is used as a length or an index: a damaged record raises.
 */
#include "storage/page/record.h"

#include <lz4.h>

#include "lib/error.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"

#define LZ4_LEAST 512 /* shorter bytes are not worth a look */
#define BODY_ROOM 1024 /* bytes that a reader's buffer begins with: most bodies are shorter, and come with their header */

size_t record_encode_bound(const StorePut *put)
{
    return sizeof(RecordHeader) + 24 + (size_t)put->nslots * 8 +
           MAX((size_t)put->nbytes, put->nbytes >= LZ4_LEAST ? (size_t)LZ4_compressBound((int)put->nbytes) : 0);
}

uint32_t record_encode(const StorePut *put, void *to)
{
    RecordHeader *h = to;
    uint8_t *at = (uint8_t *)(h + 1);
    bool many = put->nslots >= RECORD_MANY_SLOTS;

    h->oid_format = put->oid << 8 | put->format;
    h->sequence_etc = (uint64_t)(put->flags & STORE_FLAG_USER_MASK) << SEQUENCE_BITS |
                      (uint64_t)(put->class_id >> 16) << 56;
    h->previous_etc = (uint64_t)(put->class_id & 0xffff) << 48;
    h->shape_slots = put->shape | (many ? RECORD_MANY_SLOTS : put->nslots) << 24;
    if (many) {
        uint64_t n = put->nslots;
        memcpy(at, &n, 8);
        at += 8;
    }
    if (put->nslots != 0)
        memcpy(at, put->slots, (size_t)put->nslots * 8);
    at += (size_t)put->nslots * 8;
    int packed = 0;
    if (put->nbytes >= LZ4_LEAST)
        packed = LZ4_compress_default(put->bytes, (char *)at + 8, (int)put->nbytes,
                                      LZ4_compressBound((int)put->nbytes));
    if (packed > 0 && (uint32_t)packed + 8 <= put->nbytes - put->nbytes / 8) {
        uint64_t n = put->nbytes;
        memcpy(at, &n, 8);
        at += 8 + packed;
        h->sequence_etc |= RECORD_FLAG_LZ4;
    } else {
        if (put->nbytes != 0)
            memcpy(at, put->bytes, put->nbytes);
        at += put->nbytes;
    }
    h->length = (uint32_t)(at - (uint8_t *)(h + 1));
    uint32_t total = RECORD_BYTES(h->length);
    memset(at, 0, (size_t)((uint8_t *)to + total - at));
    return total;
}

static NORETURN void damaged(Location location, Oid oid, const char *what)
{
    view_check();
    ereport(ERROR, ERR_CORRUPT_RECORD,
            errmsg("the record of object %llu at byte %u of page %llu of \"%s/" BASE_PAGES "\" is damaged: %s",
                   (unsigned long long)oid, LOCATION_OFFSET(location), (unsigned long long)LOCATION_PAGE(location),
                   the_store->dir, what),
            errhint("Restore the store from a backup."));
}

/* Before the header can be read. */
static void check_place(Location location, Oid oid)
{
    uint32_t offset = LOCATION_OFFSET(location);
    if (LOCATION_PAGE(location) >= the_store->shared->max_pages || offset < PAGE_HEADER ||
        offset > PAGE_BYTES - sizeof(RecordHeader))
        damaged(location, oid, "its place can't be");
}

static void check_header(Location location, Oid oid, const RecordHeader *h)
{
    uint32_t offset = LOCATION_OFFSET(location);
    if (RECORD_OID(h) != oid)
        damaged(location, oid, "another object's record stands there");
    if (h->length > STORE_MAX_BODY + 64 ||
        (offset + RECORD_BYTES(h->length) > PAGE_BYTES && offset != PAGE_HEADER))
        damaged(location, oid, "its length can't be");
}

void record_header(Location location, Oid oid, RecordHeader *out)
{
    check_place(location, oid);
    cache_copy(LOCATION_PAGE(location), LOCATION_OFFSET(location), out, sizeof(*out));
    check_header(location, oid, out);
}

void record_header_of(Location location, uint64_t index, RecordHeader *out)
{
    check_place(location, index);
    cache_copy(LOCATION_PAGE(location), LOCATION_OFFSET(location), out, sizeof(*out));
    check_header(location, OID_INDEX(RECORD_OID(out)) == index ? RECORD_OID(out) : index, out);
}

Sequence record_sequence(Location location, const RecordHeader *header)
{
    Sequence sequence = RECORD_SEQUENCE(header);
    if (sequence == 0 && !MUTATION(BULK_SEQUENCE))
        sequence = atomic_load(&the_store->extents[LOCATION_PAGE(location) / EXTENT_PAGES].sequence);
    return sequence;
}

/* Bytes `from` to `from + n` behind the header, wherever the run's pages have them. */
static void copy_body(Location location, uint64_t from, void *to, size_t n)
{
    PageNo page = LOCATION_PAGE(location);
    uint64_t at = LOCATION_OFFSET(location) - PAGE_HEADER + sizeof(RecordHeader) + from; /* in the run's payload */
    while (n > 0) {
        PageNo p = page + at / PAGE_PAYLOAD;
        uint32_t offset = (uint32_t)(at % PAGE_PAYLOAD);
        size_t part = MIN(n, (size_t)(PAGE_PAYLOAD - offset));
        cache_copy(p, PAGE_HEADER + offset, to, part);
        to = (uint8_t *)to + part;
        at += part;
        n -= part;
    }
}

static void *body_room(StoreRecord *out, size_t n)
{
    if (out->capacity < n) {
        size_t room = MAX(n, (size_t)BODY_ROOM);
        out->capacity = 0;
        mem_free(out->buffer);
        out->buffer = NULL;
        out->buffer = mem_alloc(out->context, room);
        out->capacity = room;
    }
    return out->buffer;
}

size_t record_start(Location location, Oid oid, RecordHeader *h, StoreRecord *out)
{
    check_place(location, oid);
    void *body = body_room(out, BODY_ROOM);
    size_t n = cache_copy_record(LOCATION_PAGE(location), LOCATION_OFFSET(location), h, body, out->capacity);
    check_header(location, oid, h);
    return n;
}

/* Long bytes that were packed: unpacked behind the slots, from a copy behind them. */
static void unpack(Location location, uint64_t at, uint64_t packed_bytes, StoreRecord *out)
{
    uint64_t slot_bytes = (uint64_t)out->nslots * 8, raw;
    if (packed_bytes < 8)
        damaged(location, out->oid, "it is too short");
    copy_body(location, at + slot_bytes, &raw, 8);
    packed_bytes -= 8;
    if (raw > STORE_MAX_BODY)
        damaged(location, out->oid, "its length can't be");
    uint8_t *body = body_room(out, slot_bytes + raw + packed_bytes + 8);
    uint8_t *packed = body + slot_bytes + raw;
    copy_body(location, at, body, slot_bytes);
    copy_body(location, at + slot_bytes + 8, packed, packed_bytes);
    if (LZ4_decompress_safe((const char *)packed, (char *)body + slot_bytes, (int)packed_bytes, (int)raw) != (int)raw)
        damaged(location, out->oid, "its bytes can't be unpacked");
    out->slots = (const uint64_t *)body;
    out->bytes = body + slot_bytes;
    out->nbytes = (uint32_t)raw;
}

/* The number of slots; *at: of their first byte, behind the header. */
static inline uint64_t count_slots(Location location, const RecordHeader *h, uint64_t *at)
{
    uint64_t nslots = h->shape_slots >> 24;
    *at = 0;
    if (unlikely(nslots == RECORD_MANY_SLOTS)) {
        if (h->length < 8)
            damaged(location, RECORD_OID(h), "it is too short");
        copy_body(location, 0, &nslots, 8);
        *at = 8;
    }
    if (nslots > (h->length - *at) / 8)
        damaged(location, RECORD_OID(h), "it has more slots than room");
    return nslots;
}

void record_slots(Location location, const RecordHeader *h, StoreRecord *out)
{
    uint64_t at, nslots = count_slots(location, h, &at);
    out->oid = RECORD_OID(h);
    out->slots = body_room(out, nslots * 8 + 8);
    out->nslots = (uint32_t)nslots;
    copy_body(location, at, out->buffer, nslots * 8);
}

void record_body(Location location, const RecordHeader *h, size_t have, StoreRecord *out)
{
    uint64_t at, nslots = count_slots(location, h, &at);

    out->oid = RECORD_OID(h);
    uint64_t nbytes = h->length - at - nslots * 8;
    out->class_id = RECORD_CLASS(h);
    out->shape = RECORD_SHAPE(h);
    out->format = RECORD_FORMAT(h);
    out->flags = RECORD_FLAGS(h);
    out->nslots = (uint32_t)nslots;
    if (unlikely((h->sequence_etc & RECORD_FLAG_LZ4) != 0)) {
        unpack(location, at, nbytes, out);
        return;
    }
    uint8_t *body = out->buffer;
    if (unlikely(at != 0 || have < h->length)) {
        body = body_room(out, nslots * 8 + nbytes + 8);
        copy_body(location, at, body, nslots * 8 + nbytes);
    }
    out->slots = (const uint64_t *)body;
    out->bytes = body + nslots * 8;
    out->nbytes = (uint32_t)nbytes;
}
