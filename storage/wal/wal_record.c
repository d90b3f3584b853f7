/*
 * wal_record.c - one record of the log: its checksum and its plausibility.
 *
 * Why bytes are believed: the checksum covers, besides the record, the store's number, the position, the
 * incarnation and the format's version.  So a recycled segment's old bytes, another store's log, and what a
 * dead incarnation left behind the end of the log all fail, without any header or clean-up on disk.
 * The zeros that pad a record are covered too: every flipped byte of the log is found.
 */
#include "storage/wal/wal_private.h"

#include "lib/crc32c.h"

static const char *const KIND_NAMES[] = {
#define WAL_RECORD(name, number, redo, text) [number] = #name,
#include "storage/wal/records.def"
#undef WAL_RECORD
};

const char *wal_kind_name(unsigned kind)
{
    if (kind >= COUNT_OF(KIND_NAMES) || KIND_NAMES[kind] == NULL)
        return "?";
    return KIND_NAMES[kind];
}

/*
 * The checksum of a record whose payload and padding lie in two pieces (the ring's end may split them).
 * The payload goes first, so that what is long could be summed before the place is known.
 */
uint32_t wal_record_checksum(uint64_t store_id, Lsn lsn, const WalHeader *header, uint32_t length,
                             const void *first, size_t first_bytes, const void *second, size_t second_bytes)
{
    struct {
        uint64_t store_id, lsn, sequence, incarnation;
        uint32_t length, version;
        uint16_t kind, flags;
        uint32_t place;
    } seed = {.store_id = store_id,
              .lsn = MUTATION(WAL_PLACE) ? 0 : lsn,
              .sequence = header->sequence,
              .incarnation = header->incarnation,
              .length = length,
              .version = WAL_FORMAT_VERSION,
              .kind = header->kind,
              .flags = header->flags,
              .place = header->place};
    _Static_assert(sizeof(seed) == 48, "no padding may enter the checksum");
    uint32_t sum = crc32c(0, first, first_bytes);

    if (second_bytes > 0)
        sum = crc32c(sum, second, second_bytes);
    return crc32c(sum, &seed, sizeof(seed));
}

/* Could this be a record that stands at `lsn`?  The checksum decides; this keeps it off wild lengths. */
bool wal_record_plausible(const WalHeader *header, Lsn lsn, uint64_t newest_incarnation, uint64_t max_length)
{
    uint32_t length = atomic_load_explicit(&header->length, memory_order_relaxed);

    return length >= sizeof(WalHeader) && length <= max_length && (header->place == (uint32_t)(lsn / WAL_ALIGN) || MUTATION(WAL_PLACE)) &&
           header->kind != 0 && header->incarnation != 0 && header->incarnation <= newest_incarnation;
}

/*
 * Completes the record whose payload is in the ring already: header and checksum, the length last.  The
 * release store pairs with the write owner's acquire load in wal_batch_form(): who sees the length sees all.
 */
void wal_seal_record(Wal *wal, Lsn start, uint64_t sequence, uint16_t kind, uint16_t flags, uint32_t length)
{
    WalHeader *header = (WalHeader *)wal_ring_at(wal, start);
    uint64_t body = wal_record_bytes(length) - sizeof(WalHeader);
    uint64_t run = wal_ring_run(wal, start) - sizeof(WalHeader);
    uint64_t first = body < run ? body : run;
    uint32_t whole = (uint32_t)sizeof(WalHeader) + length;

    Assert(atomic_load_explicit(&header->length, memory_order_relaxed) == 0); /* W5 */
    header->sequence = sequence;
    header->incarnation = wal->shared->incarnation;
    header->kind = kind;
    header->flags = flags;
    header->place = (uint32_t)(start / WAL_ALIGN);
    header->checksum = wal_record_checksum(wal->config.store_id, start, header, whole, header + 1, first,
                                           wal->ring, body - first);
    atomic_store_explicit(&header->length, whole, memory_order_release);
}

/* Copies bytes into the ring at `lsn`, around its end. */
void wal_ring_copy(Wal *wal, Lsn lsn, const void *bytes, size_t n)
{
    uint64_t run = wal_ring_run(wal, lsn);

    if (n <= run) {
        memcpy(wal_ring_at(wal, lsn), bytes, n);
    } else {
        memcpy(wal_ring_at(wal, lsn), bytes, run);
        memcpy(wal->ring, (const uint8_t *)bytes + run, n - run);
    }
}
