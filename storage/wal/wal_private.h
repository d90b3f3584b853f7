/*
 * wal_private.h - the log's formats and its shared memory; see README for the whole picture.
 *
 * On disk (all little-endian, version 1; any change to these structures raises WAL_FORMAT_VERSION, which
 * is part of every checksum, so that another version's log is never read as ours):
 *
 *   segment file   named by the position of its first byte, no header: what makes bytes valid is that
 *                  their checksum contains their position, the store and the incarnation
 *   record         WalHeader, payload, zeros up to 32 bytes
 *   batch          records, FILLER, MARK; the mark is the last 64 bytes of the last 4 KiB block
 *
 * Invariants (asserts cite them by number; README explains):
 *   W1  place.sequence rises only together with place.insert, in one compare-and-swap
 *   W2  insert + outstanding credit + WAL_BATCH_SLACK <= released + ring_size, and <= prepared_end
 *   W3  taken <= insert; taken, durable and released are block boundaries
 *   W4  released <= durable <= taken; every write that ends at or before durable has completed
 *   W5  ring bytes in [insert, released + ring_size) are zero
 *   W6  only the holder of write_latch moves taken, durable and released
 *   W7  no block of the log is part of two writes of one incarnation
 */
#ifndef LODE_WAL_PRIVATE_H
#define LODE_WAL_PRIVATE_H

#include <stdatomic.h>

#include "lib/base.h"
#include "lib/error.h"
#include "lib/io.h"
#include "lib/latch.h"
#include "storage/mutation.h"
#include "storage/wal.h"

#define WAL_FORMAT_VERSION 1

#define WAL_BLOCK       4096u
#define WAL_ALIGN       32u   /* records start at multiples of this, so no header is split by the ring's end */
#define WAL_MARK_BYTES  64u   /* a MARK record, header and payload */
#define WAL_BATCH_SLACK 8192u /* more than the filler and mark of one batch can take */

#define WAL_SEQUENCE_BITS 50 /* what the object table has room for */

#define WAL_MAX_IN_FLIGHT 8
#define WAL_LAZY_FLUSH_MS 20 /* asynchronous commits are on their way after at most about this */

#define WAL_MIN_RING    (256u << 10)
#define WAL_MIN_SEGMENT (64u << 10)
#define WAL_MAX_SEGMENT (1u << 30)

typedef struct WalHeader {
    _Atomic uint32_t length; /* 0: bytes of header and payload, unpadded; stored last: 0 = not finished */
    uint32_t checksum;       /* 4: CRC-32C, see wal_record_checksum */
    uint64_t sequence;       /* 8 */
    uint64_t incarnation;    /* 16 */
    uint16_t kind;           /* 24 */
    uint16_t flags;          /* 26 */
    uint32_t place;          /* 28: low bits of position / 32: tells stale bytes at a glance */
} WalHeader;
_Static_assert(sizeof(WalHeader) == 32, "WalHeader is on disk");
_Static_assert(sizeof(WalHeader) == WAL_ALIGN, "a gap of WAL_ALIGN bytes must hold a filler");

typedef struct WalMark {
    uint64_t batch_start;   /* 0: where the batch begins */
    uint64_t durable;       /* 8: the log was durable up to here when the batch was formed */
    uint64_t last_sequence; /* 16: newest sequence in or before this batch */
    uint64_t unused;        /* 24: zero */
} WalMark;
_Static_assert(sizeof(WalHeader) + sizeof(WalMark) == WAL_MARK_BYTES, "WalMark is on disk");

typedef struct WalIncarnationStart {
    uint64_t previous; /* the incarnation that ended here */
    uint64_t start;    /* the position of this record */
} WalIncarnationStart;

/* Sequence and insert position, always changed together (W1). */
typedef union WalPlaceWord {
    struct {
        uint64_t sequence;
        uint64_t insert;
    };
    unsigned __int128 both;
} WalPlaceWord;

/*
 * The credit word: bytes set aside in the low 44 bits; the rest counts changes, so that a
 * compare-and-swap can't mistake a new total for the one that it checked.
 */
#define WAL_CREDIT_BITS 44
#define WAL_CREDIT_MASK ((UINT64_C(1) << WAL_CREDIT_BITS) - 1)
#define WAL_CREDIT_STEP (UINT64_C(1) << WAL_CREDIT_BITS)

typedef enum { WAL_WRITER_AWAKE, WAL_WRITER_SHORT_SLEEP, WAL_WRITER_LONG_SLEEP } WalWriterSleep;

typedef struct WalShared {
    _Alignas(64) volatile WalPlaceWord place;

    _Alignas(64) _Atomic uint64_t credit;

    /* Moved by the holder of write_latch alone (W6), read by all. */
    _Alignas(64) _Atomic uint64_t taken;    /* end of the newest batch formed */
    _Atomic uint64_t durable;  /* all writes up to here have completed */
    _Atomic uint64_t released; /* ring space before it has been zeroed and may be used again */
    _Atomic uint64_t marked;   /* durable as the newest batch's mark says it */
    _Atomic uint32_t formed;   /* number of the newest batch formed */
    _Atomic uint32_t done;     /* number of the newest batch completed, with all before; flushers sleep on it */

    _Alignas(64) Latch write_latch; /* WAL_WRITE: who holds it may write the log; tried, never waited for */
    _Atomic uint32_t sleepers;      /* flushers asleep or about to be */
    _Atomic uint64_t wanted;        /* highest position anyone asked for */
    _Atomic uint32_t writer_asleep; /* WalWriterSleep: how the WAL writer waits for its bell */
    _Atomic uint32_t writer_pid;    /* 0 = none is running */

    _Alignas(64) _Atomic uint64_t prepared_end; /* segments exist and are zeroed up to here */
    _Atomic uint64_t oldest;       /* start of the oldest segment kept */
    Latch segment_latch;         /* WAL_SEGMENTS: making, renaming, removing segments */
    _Atomic uint32_t direct_refused;
    uint64_t incarnation;
    uint32_t ring_size;
    uint32_t segment_size;

    _Alignas(64) _Atomic uint64_t batches, bytes_written, filler_bytes, self_writes, writer_writes;
    _Atomic uint64_t flush_sleeps, ring_waits;
    _Atomic uint32_t segments_made, segments_recycled, segments_removed;
    _Atomic uint32_t uring;
} WalShared;

#define WAL_SHARED_BYTES 4096u
_Static_assert(sizeof(WalShared) <= WAL_SHARED_BYTES, "the ring starts one block after WalShared");

/* A segment this process has open.  Positions only grow, so an entry never means another file. */
typedef struct WalFile {
    Lsn start; /* LSN_NONE = unused */
    int fd;
} WalFile;

#define WAL_OPEN_FILES 4

struct Wal {
    WalConfig config;
    char *directory;
    WalShared *shared;
    uint8_t *ring;
    int bell; /* eventfd: wakes the WAL writer; made before the first fork */
    WalFile files[WAL_OPEN_FILES];
    unsigned next_file;
    int64_t last_own_flush; /* monotonic ns; for asynchronous commits without a WAL writer */
};

/* One batch on its way to disk: [start, end) of the log. */
typedef struct WalBatch {
    Lsn start, end;
    uint32_t number;
} WalBatch;

static inline uint64_t wal_round_up(uint64_t n, uint64_t unit)
{
    return (n + unit - 1) & ~(unit - 1);
}

static inline uint64_t wal_record_bytes(uint64_t payload)
{
    return wal_round_up(sizeof(WalHeader) + payload, WAL_ALIGN);
}

static inline uint8_t *wal_ring_at(const Wal *wal, Lsn lsn)
{
    return wal->ring + (lsn & (wal->shared->ring_size - 1));
}

/* Bytes from `lsn` to the ring's end. */
static inline uint64_t wal_ring_run(const Wal *wal, Lsn lsn)
{
    return wal->shared->ring_size - (lsn & (wal->shared->ring_size - 1));
}

static inline Lsn wal_segment_start(const Wal *wal, Lsn lsn)
{
    return lsn & ~((Lsn)wal->config.segment_size - 1);
}

/* wal_record.c */
uint32_t wal_record_checksum(uint64_t store_id, Lsn lsn, const WalHeader *header, uint32_t length,
                             const void *first, size_t first_bytes, const void *second, size_t second_bytes);
bool wal_record_plausible(const WalHeader *header, Lsn lsn, uint64_t newest_incarnation, uint64_t max_length);
void wal_seal_record(Wal *wal, Lsn start, uint64_t sequence, uint16_t kind, uint16_t flags, uint32_t length);
void wal_ring_copy(Wal *wal, Lsn lsn, const void *bytes, size_t n);

/* wal_insert.c */
Lsn wal_place_batch_end(Wal *wal, Lsn *end, uint64_t *last_sequence);

/* wal_segment.c */
void wal_segment_path(const Wal *wal, Lsn start, char *out, size_t size);
int wal_segment_open(Wal *wal, Lsn start);          /* for writing, as the sync method wants; cached */
int wal_segment_open_read(const Wal *wal, Lsn start); /* -1 when there is none */
void wal_segments_prepare(Wal *wal, Lsn upto);
void wal_segments_survey(Wal *wal, Lsn from);
void wal_segments_close(Wal *wal);
void wal_segments_sync(Wal *wal, Lsn from, Lsn to);
bool wal_segments_prepare_soon(Wal *wal);
Lsn wal_segment_next(const Wal *wal, Lsn lsn);

/* wal_write.c */
bool wal_write_try(Wal *wal);
void wal_write_release(Wal *wal);
bool wal_batch_form(Wal *wal, WalBatch *batch);
void wal_batch_write(Wal *wal, const WalBatch *batch);
void wal_batch_sync(Wal *wal, const WalBatch *batch);
void wal_batch_done(Wal *wal, const WalBatch *first, const WalBatch *last);
uint64_t wal_batch_piece(const Wal *wal, Lsn at, Lsn end);
__attribute__((noreturn)) void wal_write_failed(const Wal *wal, Lsn at, int error);
bool wal_sync_needed(const Wal *wal);
void wal_raise_wanted(Wal *wal, Lsn lsn);

/* wal_writer.c */
void wal_bell_ring(Wal *wal);

#endif
