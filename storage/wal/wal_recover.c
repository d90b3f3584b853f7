/*
 * wal_recover.c - reading the log after a crash: what is in it, and where it ends.
 *
 * The log is read batch by batch; a batch whose mark and every record check out is handed on, one that lacks
 * anything is not.  So the log ends at the end of its last whole batch, on a block boundary, and the next
 * incarnation begins there.  Nothing acknowledged is ever in a batch that is not whole.
 *
 * Unless it was damaged later.  Therefore, at the first bad record, the rest of the segments is searched for marks
 * (they stand at ends of blocks, so they are found without the chain of records): a mark that says "durable up
 * to D" with D beyond the end we found proves that the bad record once was good, and we stop with its name instead
 * of silently losing what follows.  Marks of earlier incarnations may be believed as well, since no incarnation
 * ever starts before a position that was durable.
 *
 * The incarnation of records may rise only at an INCARNATION record that starts a batch where the previous batch
 * ends.  What a dead incarnation left behind the end has a lower number than its successor and is not taken up.
 *
 * Whoever knows where the log ends spares that search: it reads all segments there are.
 *
 * Memory: one batch (at most one ring) at a time.  Nothing here depends on process-global state.
 */
#include "storage/wal/wal_private.h"

#include <stdio.h>

#include "lib/stop.h"

#define READ_CHUNK (256u << 10)

typedef struct WalReader {
    Wal *wal;
    MemoryContext *context;
    Lsn base;        /* position of buffer[0], a block boundary */
    uint64_t have;   /* bytes in the buffer */
    uint8_t *buffer;
    uint64_t capacity;
    Lsn segment;     /* the open segment's start, or LSN_NONE */
    int fd;
} WalReader;

static void close_segment(void *ptr)
{
    WalReader *reader = ptr;

    if (reader->segment != LSN_NONE)
        io.close(reader->fd);
    reader->segment = LSN_NONE;
}

/* Reads n bytes at a position, within one segment.  False: there is no such segment, or it is too short. */
static bool read_segment(WalReader *reader, Lsn at, void *out, uint64_t n)
{
    Lsn segment = wal_segment_start(reader->wal, at);
    char path[4096];

    if (reader->segment != segment) {
        close_segment(reader);
        reader->fd = wal_segment_open_read(reader->wal, segment);
        if (reader->fd < 0)
            return false;
        reader->segment = segment;
    }
    wal_segment_path(reader->wal, segment, path, sizeof(path));
    return io_read_at(reader->fd, path, out, n, (off_t)(at - segment)) == n;
}

/* Makes [base, upto) present in the buffer.  False at the end of the segments. */
static bool fill(WalReader *reader, Lsn upto)
{
    while (reader->base + reader->have < upto) {
        Lsn at = reader->base + reader->have;
        uint64_t n = MIN((uint64_t)READ_CHUNK,
                         wal_segment_start(reader->wal, at) + reader->wal->config.segment_size - at);

        if (reader->have + n > reader->capacity) {
            uint64_t capacity = MAX(reader->capacity * 2, reader->have + n);
            reader->buffer = mem_realloc(reader->context, reader->buffer, capacity);
            reader->capacity = capacity;
        }
        if (!read_segment(reader, at, reader->buffer + reader->have, n))
            return false;
        reader->have += n;
    }
    return true;
}

static void drop_before(WalReader *reader, Lsn lsn)
{
    uint64_t n = lsn - reader->base;

    memmove(reader->buffer, reader->buffer + n, reader->have - n);
    reader->have -= n;
    reader->base = lsn;
}

/* The record at `at` if it is good; its whole is then in the buffer. */
static const WalHeader *good_record(WalReader *reader, Lsn at, uint64_t newest_incarnation)
{
    const WalHeader *header;
    uint32_t length;
    uint64_t whole;

    if (!fill(reader, at + sizeof(WalHeader)))
        return NULL;
    header = (const WalHeader *)(reader->buffer + (at - reader->base));
    if (!wal_record_plausible(header, at, newest_incarnation, WAL_MAX_SEGMENT))
        return NULL;
    length = header->length;
    whole = wal_round_up(length, WAL_ALIGN);
    if (!fill(reader, at + whole))
        return NULL;
    header = (const WalHeader *)(reader->buffer + (at - reader->base)); /* the buffer may have moved */
    if (wal_record_checksum(reader->wal->config.store_id, at, header, length, header + 1,
                            whole - sizeof(WalHeader), NULL, 0) != header->checksum &&
        !MUTATION(WAL_CHECKSUM))
        return NULL;
    return header;
}

static bool mark_is_sound(const WalHeader *header, Lsn at, const WalMark *mark)
{
    return header->kind == WAL_MARK && header->length == WAL_MARK_BYTES && (at + WAL_MARK_BYTES) % WAL_BLOCK == 0 &&
           mark->batch_start % WAL_BLOCK == 0 && mark->batch_start < at && mark->durable <= mark->batch_start;
}

/*
 * Is there, at a block's end somewhere at or after `from`, a mark that says that the log was durable beyond `end`?
 * Sets *where to the mark's block.  Looks through all segments there are: evidence is rarely far, but a wrong
 * "no" would lose commits in silence.
 */
static bool find_evidence(WalReader *reader, Lsn end, uint64_t newest_incarnation, Lsn *where)
{
    uint8_t *chunk = mem_alloc(reader->context, READ_CHUNK);
    uint32_t size = reader->wal->config.segment_size;
    Lsn at = end;

    for (;;) {
        uint64_t n = MIN((uint64_t)READ_CHUNK, wal_segment_start(reader->wal, at) + size - at);

        if (!read_segment(reader, at, chunk, n)) {
            /* A hole in the row of segments must not hide what lies behind it. */
            at = wal_segment_next(reader->wal, wal_segment_start(reader->wal, at) + size);
            if (at == LSN_NONE || at < end)
                return false;
            continue;
        }
        for (uint64_t block = 0; block < n; block += WAL_BLOCK) {
            const WalHeader *header = (const WalHeader *)(chunk + block + WAL_BLOCK - WAL_MARK_BYTES);
            const WalMark *mark = (const WalMark *)(header + 1);
            Lsn lsn = at + block + WAL_BLOCK - WAL_MARK_BYTES;

            if (wal_record_plausible(header, lsn, newest_incarnation, WAL_MARK_BYTES) &&
                mark_is_sound(header, lsn, mark) && mark->durable > end &&
                wal_record_checksum(reader->wal->config.store_id, lsn, header, WAL_MARK_BYTES, mark,
                                    sizeof(*mark), NULL, 0) == header->checksum) {
                *where = at + block;
                return true;
            }
        }
        at += n;
    }
}

static void report_damage(const Wal *wal, Lsn at, Lsn end, const char *why)
{
    char path[4096];
    Lsn segment = wal_segment_start(wal, at);

    wal_segment_path(wal, segment, path, sizeof(path));
    ereport(ERROR, ERR_CORRUPT_WAL,
            errmsg("the log is damaged: bad record in file \"%s\", block %" PRIu64 " (position %016" PRIX64 ")",
                   path, (at - segment) / WAL_BLOCK, at),
            errdetail("All before %016" PRIX64 " is good; %s.", end, why),
            errhint("Nothing was changed.  Repair or replace the disk and restore the store from a backup; the "
                    "commits after the damaged record can't be recovered from this log alone."));
}

/* Hands the records of one whole batch on. */
static void deliver(WalReader *reader, Lsn from, Lsn to, WalRecovery *recovery, WalRecordFn fn, void *context)
{
    for (Lsn at = from; at < to;) {
        const WalHeader *header = (const WalHeader *)(reader->buffer + (at - reader->base));
        Lsn end = at + wal_round_up(header->length, WAL_ALIGN);
        WalRecord record = {.lsn = at,
                            .end = end,
                            .sequence = header->sequence,
                            .incarnation = header->incarnation,
                            .kind = header->kind,
                            .flags = header->flags,
                            .length = header->length - (uint32_t)sizeof(WalHeader),
                            .payload = header + 1};

        if (record.sequence != 0) { /* sequence order is log order, without gaps (W10) */
            if (record.sequence >> WAL_SEQUENCE_BITS != 0 ||
                (recovery->last_sequence != 0 && record.sequence != recovery->last_sequence + 1))
                report_damage(reader->wal, at, at, "its commit sequence does not follow the one before");
            recovery->last_sequence = record.sequence;
        }
        if (record.kind != WAL_FILLER && record.kind != WAL_MARK && record.kind != WAL_INCARNATION) {
            recovery->records++;
            STOP_POINT(WAL_REDO);
            fn(&record, context);
        }
        at = end;
    }
}

/* Reads on from `redo` until the first record that is not good; *bad is its position. */
static void scan(WalReader *reader, WalRecovery *recovery, WalRecordFn fn, void *context, Lsn *bad)
{
    Lsn batch = recovery->redo, at = recovery->redo;
    uint64_t incarnation = 0; /* 0: not known yet */

    recovery->end = LSN_NONE;
    for (;;) {
        const WalHeader *header = good_record(reader, at, recovery->incarnation);

        *bad = at;
        if (header == NULL)
            return;
        if (header->incarnation != incarnation) {
            bool begins = header->kind == WAL_INCARNATION && at == batch && header->incarnation > incarnation;

            if (incarnation != 0 && !begins && !MUTATION(WAL_INCARNATION))
                return; /* left behind by another incarnation */
            incarnation = header->incarnation;
        }
        at += wal_round_up(header->length, WAL_ALIGN);
        if (header->kind == WAL_MARK) {
            const WalMark *mark = (const WalMark *)(header + 1);

            /* The first batch may have begun before the redo point. */
            if (!mark_is_sound(header, at - WAL_MARK_BYTES, mark) ||
                (!MUTATION(WAL_PLACE) &&
                 (batch == recovery->redo ? mark->batch_start > batch : mark->batch_start != batch)))
                return;
            deliver(reader, batch, at - WAL_MARK_BYTES, recovery, fn, context);
            drop_before(reader, at);
            batch = at;
            recovery->end = at;
        }
    }
}

void wal_recover(Wal *wal, WalRecovery *recovery, WalRecordFn fn, void *context)
{
    WalReader reader = {.wal = wal,
                        .context = memctx_create(memctx_current(), "log recovery"),
                        .base = recovery->redo & ~(Lsn)(WAL_BLOCK - 1)};
    Lsn bad, where;

    recovery->last_sequence = 0;
    recovery->records = 0;
    TRY()
    {
        scan(&reader, recovery, fn, context, &bad);
        if (recovery->end == LSN_NONE) {
            if (recovery->redo % WAL_BLOCK != 0)
                report_damage(wal, bad, recovery->redo, "it was durable when the redo point was set");
            recovery->end = recovery->redo;
        }
        if (recovery->end < recovery->must_reach && !MUTATION(WAL_MUST_REACH))
            report_damage(wal, bad, recovery->end, "the control file knows of more");
        bool known = recovery->end_known && recovery->end == recovery->must_reach;
        if (!known && !MUTATION(WAL_LOOK_AHEAD) &&
            find_evidence(&reader, recovery->end, recovery->incarnation, &where)) {
            char why[128];

            snprintf(why, sizeof(why), "the mark in the block at %016" PRIX64 " proves that more was durable", where);
            report_damage(wal, bad, recovery->end, why);
        }
        /* What was read may be in the kernel's cache only; from here on it counts as durable. */
        if (!MUTATION(WAL_RECOVERED_SYNC))
            wal_segments_sync(wal, recovery->redo, recovery->end);
    }
    CATCH(err)
    {
        close_segment(&reader);
        memctx_delete(reader.context);
        rethrow();
    }
    END_TRY();
    close_segment(&reader);
    memctx_delete(reader.context);
}
