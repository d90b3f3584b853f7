/*
 * wal.h - the write-ahead log: what the rest of the store may ask of it.
 *
 * The log is one endless row of bytes.  A position in it (Lsn) is opaque
 * outside storage/wal/: compare, keep, hand back.  Zero is "no position".
 * The bytes pass through a ring in shared memory into preallocated segment
 * files; see storage/wal/README for formats, invariants and lock order.
 *
 * The life of a commit, seen from here:
 *
 *     wal_credit_take()        Secure: space in ring and segments, may wait, may raise
 *     wal_insert_position()    the lower bound that the session publishes
 *     wal_place_commit()       Decide: sequence and log space, together     \  critical section:
 *     wal_copy()...            Log: the payload, in pieces                   > none of these waits,
 *     wal_finish()             the checksum; the record is now whole        /  allocates or raises
 *     wal_flush(place.end)     Durable: may write, may sleep; failure is a PANIC
 *
 * A commit that must give up after its place calls wal_finish_void(); one
 * that gives up before it, wal_credit_return().
 *
 * A record is at most wal_max_payload() bytes (a quarter of the ring): what is
 * larger is logged ahead in several records.
 */
#ifndef LODE_STORAGE_WAL_H
#define LODE_STORAGE_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config.h"
#include "lib/memory.h"

typedef uint64_t Lsn;
#define LSN_NONE ((Lsn)0)

typedef struct Wal Wal; /* one a process; inherited through fork */

/* Record kinds: storage/wal/records.def. */
typedef enum WalKind {
#define WAL_RECORD(name, number, redo, text) WAL_##name = number,
#include "storage/wal/records.def"
#undef WAL_RECORD
} WalKind;

const char *wal_kind_name(unsigned kind);

/* WalSyncMethod (rows of utils/lib/config_enums.def), how a write of the log is made durable: open_datasync (O_DSYNC, the
 * default), fdatasync after the write, fsync, open_sync (O_SYNC). */

typedef struct WalConfig {
    const char *directory;     /* the store's "wal" folder; copied */
    uint32_t segment_size;     /* bytes, a power of two, 64 KiB to 1 GiB; fixed when the store is created */
    uint32_t ring_size;        /* bytes, a power of two, at least 256 KiB */
    WalSyncMethod sync_method;
    bool direct_io;            /* try O_DIRECT; refused by the file system = buffered, one warning */
    bool solo;                 /* there is no WAL writer process: flushers always write themselves */
    void (*left_lying)(void);  /* solo: called when wal_flush_soon() left the writing for later; NULL: no one to tell */
    uint64_t store_id;         /* random number of this store: part of every checksum */
    uint32_t segments_ahead;   /* empty segments kept ready beyond the insert position; at least 2 */
    uint32_t reserve;          /* bytes of prepared segment space only WAL_CREDIT_RESERVE may use: one
                                * checkpoint's worth; 0 = one quarter of a segment */
    /*
     * Makes {incarnation, start} durable in the control file before it returns; raises when it can't.
     * Called by wal_start_incarnation() before the first append.
     */
    void (*control_set_incarnation)(void *control, uint64_t incarnation, Lsn start);
    void *control;
} WalConfig;

/* ---- start and end ------------------------------------------------------------------------------- */

/* Where the first record of a new store will stand: goes into the control file as its redo point. */
Lsn wal_first_position(uint32_t segment_size);

/* Makes the folder and the first segments of a new store, durably.  Raises ERR_IO, ERR_DISK_FULL. */
void wal_create(const WalConfig *config);

/* Bytes of shared memory that wal_open() wants: zeroed, aligned to 4 KiB, writable for storage/. */
size_t wal_shared_size(const WalConfig *config);

/*
 * Opens the log.  `shared` is the reservation above.  Called once, before the first fork; children use
 * the inherited handle.  Next comes wal_recover(), then wal_start_incarnation(); only then may anyone append.
 */
Wal *wal_open(MemoryContext *context, const WalConfig *config, void *shared);

/* Closes this process's descriptors.  Flushes nothing. */
void wal_close(Wal *wal);

/* ---- recovery ------------------------------------------------------------------------------------ */

typedef struct WalRecord {
    Lsn lsn;              /* where it starts */
    Lsn end;              /* where the next one starts */
    uint64_t sequence;    /* commit sequence; 0 for system records */
    uint64_t incarnation;
    uint16_t kind;        /* WalKind */
    uint16_t flags;       /* the kind's own */
    uint32_t length;      /* bytes of payload */
    const void *payload;  /* 8-byte aligned; the callback's only while it runs */
} WalRecord;

typedef void (*WalRecordFn)(const WalRecord *record, void *context);

typedef struct WalRecovery {
    /* in */
    Lsn redo;             /* first record wanted; a position that was durable when it was written down */
    Lsn must_reach;       /* the log is known to reach here (incarnation start, checkpoint record, clean
                           * end, as the control file has them); a shorter log is damage */
    bool end_known;       /* the store was closed cleanly, or the log was read before: what ends at must_reach is whole, and
                           * nothing is looked for behind it */
    uint64_t incarnation; /* newest incarnation in the control file */
    /* out */
    Lsn end;              /* end of the log: always on a block boundary */
    uint64_t last_sequence; /* highest sequence met, 0 if none */
    uint64_t records;     /* how many were handed out */
} WalRecovery;

/*
 * Hands every record from `redo` to the end of the log to `fn`, in log order, the log's own kinds
 * (fillers, marks) left out, void records included (their sequence counts).  A record is handed out only
 * when its whole batch is good.  Damage before the end raises ERR_CORRUPT_WAL, naming file, block, and
 * what to do.  What was handed out is durable when it returns.  May be run any number of times.
 */
void wal_recover(Wal *wal, WalRecovery *recovery, WalRecordFn fn, void *context);

/*
 * Opens the log for appending at recovery.end under incarnation recovery.incarnation + 1, which it first
 * makes durable through control_set_incarnation.  The next commit takes sequence last_sequence + 1.
 */
void wal_start_incarnation(Wal *wal, const WalRecovery *recovery, uint64_t last_sequence);

/* ---- appending ----------------------------------------------------------------------------------- */

typedef struct WalCredit {
    uint64_t charge; /* bytes of log space still set aside for us */
} WalCredit;

enum {
    WAL_CREDIT_RESERVE = 1, /* the checkpointer: may use the segment space kept back from others */
};

typedef struct WalPlace {
    Lsn start;         /* the record's LSN: what pages are stamped with is `end` */
    Lsn end;           /* flush to here to make the record durable */
    uint64_t sequence; /* 0 when placed by wal_place() */
    uint32_t length;   /* bytes of payload */
} WalPlace;

/* The largest payload of one record, and the largest sum of a credit. */
size_t wal_max_payload(const Wal *wal);

/*
 * Sets aside space in the ring and in prepared segments for `records` records of together `bytes` bytes
 * of payload; adds to *credit (start with a zeroed one).  Waits for the ring if it must (writing the log
 * itself when no one does), prepares segments if it must.  Raises ERR_DISK_FULL or ERR_LIMIT_EXCEEDED with
 * nothing done.  Not within a critical section.
 */
void wal_credit_take(Wal *wal, WalCredit *credit, unsigned records, size_t bytes, unsigned flags);

/* Gives back what is left.  Never fails; harmless on an empty credit. */
void wal_credit_return(Wal *wal, WalCredit *credit);

/* Takes the next sequence and log space in one step: sequence order is log order.  Never fails. */
WalPlace wal_place_commit(Wal *wal, WalCredit *credit, uint32_t length);

/* Takes log space only: system records. */
WalPlace wal_place(Wal *wal, WalCredit *credit, uint32_t length);

/* Copies a piece of the payload to `offset` within it.  What is never copied reads as zeros. */
void wal_copy(Wal *wal, const WalPlace *place, uint32_t offset, const void *bytes, uint32_t n);

/* Checksums the record and hands it to the log.  Every placed record must come here or to the next. */
void wal_finish(Wal *wal, const WalPlace *place, WalKind kind, uint16_t flags);

/* The same for a commit that fails after taking its place: the record says that nothing happened. */
void wal_finish_void(Wal *wal, const WalPlace *place);

/* One small system record: credit, place, copy, finish.  Returns its end.  Not in a critical section. */
Lsn wal_append(Wal *wal, WalKind kind, uint16_t flags, const void *payload, uint32_t length,
               unsigned credit_flags);

/* The same from a credit already taken, hence allowed in a critical section. */
Lsn wal_append_credited(Wal *wal, WalCredit *credit, WalKind kind, uint16_t flags, const void *payload,
                        uint32_t length);

/* ---- durability ---------------------------------------------------------------------------------- */

/* Returns when the log is durable up to `lsn`.  Writes it itself or sleeps; an I/O failure is a PANIC. */
void wal_flush(Wal *wal, Lsn lsn);

/* The same, but gives others up to `delay_us` microseconds to join the batch (or write it for us). */
void wal_flush_group(Wal *wal, Lsn lsn, unsigned delay_us);

/* Asks the WAL writer to have `lsn` durable soon and returns at once (asynchronous commit).  Alone: writes now and then,
 * and says so to left_lying() when it did not. */
void wal_flush_soon(Wal *wal, Lsn lsn);

bool wal_is_durable(const Wal *wal, Lsn lsn);
Lsn wal_durable_position(const Wal *wal);

/* The next record will start here or later. */
Lsn wal_insert_position(const Wal *wal);

/* The newest sequence handed out (published or not). */
uint64_t wal_last_sequence(const Wal *wal);

uint64_t wal_incarnation(const Wal *wal);

/* ---- segments ------------------------------------------------------------------------------------ */

/*
 * The log before `redo` will not be read again (the control file says so durably): its segments become
 * empty ones ahead, or go.  Returns how many were given up.  Called by the checkpointer.
 */
unsigned wal_recycle(Wal *wal, Lsn redo);

/* Bytes of log between two positions (for "is a checkpoint due"). */
uint64_t wal_distance(Lsn from, Lsn to);

/* ---- the WAL writer ------------------------------------------------------------------------------ */

/*
 * Main loop of the auxiliary process: returns when *stop becomes true (with all that was appended
 * durable).  Makes its own io_uring; without one it writes with pwrite and says so in the log.
 * wal_writer_wake() from a signal handler makes it look at *stop at once.
 */
void wal_writer_main(Wal *wal, const volatile bool *stop);
void wal_writer_wake(Wal *wal);

/*
 * The word that tells whether the process writing the log may die alone: zero = no one is within a
 * write.  Else it is the id of the process that is.
 */
uint32_t wal_write_owner(const Wal *wal);

/* ---- numbers for lodectl status and the benches ----------------------------------------------------- */

typedef struct WalStats {
    Lsn insert, durable, prepared_end; /* prepared_end: segments are ready up to here */
    uint64_t incarnation, last_sequence;
    uint64_t batches, bytes_written, filler_bytes; /* since start */
    uint64_t self_writes;   /* batches written by the committer itself */
    uint64_t writer_writes; /* batches written by the WAL writer */
    uint64_t flush_sleeps;  /* flushes that slept for another's write */
    uint64_t ring_waits;    /* credits that had to wait for the ring */
    uint32_t segments_made, segments_recycled, segments_removed;
    bool direct_io, uring;
    WalSyncMethod sync_method;
} WalStats;

void wal_stats(const Wal *wal, WalStats *out);

const char *wal_sync_method_name(WalSyncMethod method);
/* Returns false when the name is none of the methods. */
bool wal_sync_method_parse(const char *name, WalSyncMethod *out);

/*
 * Times each method with a few block overwrites in `directory` (well under a second) and returns the
 * fastest: what `lodectl init` writes down as wal_sync_method.
 */
WalSyncMethod wal_sync_method_measure(const char *directory, bool direct_io);

#endif
