/*
 * wal_insert.c - appending: credit, place, copy, finish.
 *
 * Credit is taken before a critical section and makes everything within it infallible: whoever holds credit
 * for a record has room in the ring and in prepared segments, also for the filler that ends its batch.
 * The argument (W2): let U be WAL_BATCH_SLACK.  A credit charges each record's bytes plus U.  Placing a record
 * moves its bytes from credit to insert and gives up its U; the one constant U of the test stands for the batch
 * that the now unbatched records will form, and a batch always takes all that is placed.  So
 *     insert + credit + U <= limit
 * holds after every step once it held when the credit was given.
 *
 * Order of the two words: a placing first raises insert, then lowers credit; a taker reads credit (by the load
 * that its compare-and-swap confirms), then insert.  So space may be counted twice for a moment, never not at all.
 *
 * A crash in here: between place and finish is a critical section; shared memory is made anew then.
 */
#include "storage/wal/wal_private.h"

#include <sched.h>

#include "lib/futex.h"
#include "lib/stop.h"

static inline Lsn insert_position(const WalShared *shared)
{
    /* An aligned 8-byte load never tears, and the compare-and-swap confirms what it matters for. */
    return __atomic_load_n(&shared->place.insert, __ATOMIC_SEQ_CST);
}

Lsn wal_insert_position(const Wal *wal)
{
    return insert_position(wal->shared);
}

uint64_t wal_last_sequence(const Wal *wal)
{
    return __atomic_load_n(&wal->shared->place.sequence, __ATOMIC_ACQUIRE);
}

/* W1: the only place where the word changes.  Returns the word as it was before. */
static WalPlaceWord place_advance(WalShared *shared, uint64_t sequences, uint64_t bytes)
{
    for (;;) {
        WalPlaceWord old, new;

        if (MUTATION(WAL_SEQUENCE_ORDER)) {
            old.sequence = __atomic_fetch_add(&shared->place.sequence, sequences, __ATOMIC_SEQ_CST);
            sched_yield();
            old.insert = __atomic_fetch_add(&shared->place.insert, bytes, __ATOMIC_SEQ_CST);
            return old;
        }
        old.sequence = __atomic_load_n(&shared->place.sequence, __ATOMIC_RELAXED);
        old.insert = __atomic_load_n(&shared->place.insert, __ATOMIC_RELAXED);
        new.sequence = old.sequence + sequences;
        new.insert = old.insert + bytes;
        if (__sync_bool_compare_and_swap(&shared->place.both, old.both, new.both))
            return old;
    }
}

/*
 * The write owner's part: takes everything placed so far, and the gap to the end of a block with room for a
 * mark in it.  Returns the position where the records end; *end is the batch's end.
 */
Lsn wal_place_batch_end(Wal *wal, Lsn *end, uint64_t *last_sequence)
{
    WalShared *shared = wal->shared;

    for (;;) {
        WalPlaceWord old, new;

        old.sequence = __atomic_load_n(&shared->place.sequence, __ATOMIC_RELAXED);
        old.insert = __atomic_load_n(&shared->place.insert, __ATOMIC_RELAXED);
        new.sequence = old.sequence;
        new.insert = wal_round_up(old.insert + WAL_MARK_BYTES, WAL_BLOCK);
        if (__sync_bool_compare_and_swap(&shared->place.both, old.both, new.both)) {
            *end = new.insert;
            *last_sequence = old.sequence;
            return old.insert;
        }
    }
}

size_t wal_max_payload(const Wal *wal)
{
    return wal->shared->ring_size / 4;
}

static uint64_t charge_of(unsigned records, size_t bytes)
{
    /* Each record may need up to a header and WAL_ALIGN - 1 bytes of padding beyond its payload. */
    return bytes + (uint64_t)records * (sizeof(WalHeader) + WAL_ALIGN + WAL_BATCH_SLACK);
}

static void credit_lower(WalShared *shared, uint64_t bytes)
{
    /* One addition changes total and count of changes: + STEP - bytes. */
    atomic_fetch_add(&shared->credit, WAL_CREDIT_STEP - bytes);
}

typedef enum { CREDIT_GIVEN, CREDIT_NO_RING, CREDIT_NO_SEGMENT } CreditAnswer;

static CreditAnswer credit_try(Wal *wal, WalCredit *credit, uint64_t charge, unsigned flags, Lsn *need)
{
    WalShared *shared = wal->shared;
    uint64_t reserve = (flags & WAL_CREDIT_RESERVE) || MUTATION(WAL_RESERVE) ? 0 : wal->config.reserve;
    uint64_t old = atomic_load(&shared->credit);

    for (;;) {
        Lsn insert = insert_position(shared);
        Lsn top = insert + (old & WAL_CREDIT_MASK) + charge + WAL_BATCH_SLACK;
        uint64_t new;
        bool given;

        if (top > atomic_load(&shared->released) + shared->ring_size && !MUTATION(WAL_CREDIT))
            return CREDIT_NO_RING;
        if (top + reserve > atomic_load(&shared->prepared_end)) {
            *need = top + reserve;
            return CREDIT_NO_SEGMENT;
        }
        new = old + charge + WAL_CREDIT_STEP;
        START_CRIT(); /* the shared sum and the owner's note of it change together */
        given = atomic_compare_exchange_weak(&shared->credit, &old, new);
        if (given)
            credit->charge += charge;
        END_CRIT();
        if (given)
            return CREDIT_GIVEN;
    }
}

/* The ring is full of log not yet written, or of others' credit: help the first, wait for the second. */
static void wait_for_ring(Wal *wal)
{
    WalShared *shared = wal->shared;

    atomic_fetch_add_explicit(&shared->ring_waits, 1, memory_order_relaxed);
    if (atomic_load(&shared->released) < insert_position(shared)) {
        wal_flush(wal, insert_position(shared));
    } else {
        wait_event_start(WAIT_WAL_SPACE);
        io.sleep_ns(200 * NSEC_PER_USEC);
        wait_event_end();
    }
}

void wal_credit_take(Wal *wal, WalCredit *credit, unsigned records, size_t bytes, unsigned flags)
{
    uint64_t charge = charge_of(records, bytes);

    if (bytes > wal->shared->ring_size / 2 || charge + credit->charge > wal->shared->ring_size * 3ull / 4)
        ereport(ERROR, ERR_LIMIT_EXCEEDED,
                errmsg("%zu bytes of log at one time are too many for wal_buffers of %u bytes", bytes,
                       wal->shared->ring_size),
                errhint("Commit less at a time, or raise wal_buffers."));

    for (;;) {
        Lsn need = 0;

        switch (credit_try(wal, credit, charge, flags, &need)) {
        case CREDIT_GIVEN:
            STOP_POINT(WAL_CREDIT_TAKEN);
            return;
        case CREDIT_NO_SEGMENT:
            wal_segments_prepare(wal, need);
            break;
        case CREDIT_NO_RING:
            /* Nobody waits with credit in hand, so two takers can't wait for each other. */
            if (credit->charge > 0) {
                charge += credit->charge;
                wal_credit_return(wal, credit);
            }
            wait_for_ring(wal);
            break;
        }
    }
}

void wal_credit_return(Wal *wal, WalCredit *credit)
{
    START_CRIT();
    if (credit->charge > 0)
        credit_lower(wal->shared, credit->charge);
    credit->charge = 0;
    END_CRIT();
}

static WalPlace place_record(Wal *wal, WalCredit *credit, uint64_t sequences, uint32_t length)
{
    uint64_t bytes = wal_record_bytes(length);
    WalPlaceWord old;

    Assert(credit->charge >= bytes + WAL_BATCH_SLACK); /* W2 */
    old = place_advance(wal->shared, sequences, bytes);
    Assert(old.insert + bytes + WAL_BATCH_SLACK <=
           atomic_load(&wal->shared->released) + wal->shared->ring_size); /* W2 */
    credit->charge -= bytes + WAL_BATCH_SLACK;
    credit_lower(wal->shared, bytes + WAL_BATCH_SLACK);
    return (WalPlace){.start = old.insert,
                      .end = old.insert + bytes,
                      .sequence = sequences ? old.sequence + 1 : 0,
                      .length = length};
}

WalPlace wal_place_commit(Wal *wal, WalCredit *credit, uint32_t length)
{
    return place_record(wal, credit, 1, length);
}

WalPlace wal_place(Wal *wal, WalCredit *credit, uint32_t length)
{
    return place_record(wal, credit, 0, length);
}

void wal_copy(Wal *wal, const WalPlace *place, uint32_t offset, const void *bytes, uint32_t n)
{
    Assert((uint64_t)offset + n <= place->length);
    if (n > 0)
        wal_ring_copy(wal, place->start + sizeof(WalHeader) + offset, bytes, n);
}

void wal_finish(Wal *wal, const WalPlace *place, WalKind kind, uint16_t flags)
{
    wal_seal_record(wal, place->start, place->sequence, (uint16_t)kind, flags, place->length);
}

void wal_finish_void(Wal *wal, const WalPlace *place)
{
    wal_finish(wal, place, WAL_VOID, 0);
}

Lsn wal_append_credited(Wal *wal, WalCredit *credit, WalKind kind, uint16_t flags, const void *payload,
                        uint32_t length)
{
    WalPlace place;

    START_CRIT(); /* a place that is never finished would stop the log */
    place = wal_place(wal, credit, length);
    wal_copy(wal, &place, 0, payload, length);
    wal_finish(wal, &place, kind, flags);
    END_CRIT();
    return place.end;
}

Lsn wal_append(Wal *wal, WalKind kind, uint16_t flags, const void *payload, uint32_t length,
               unsigned credit_flags)
{
    WalCredit credit = {0};
    Lsn end;

    wal_credit_take(wal, &credit, 1, length, credit_flags);
    end = wal_append_credited(wal, &credit, kind, flags, payload, length);
    wal_credit_return(wal, &credit);
    return end;
}
