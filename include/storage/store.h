/*
 * store.h - the object store, as vm/persist and backend see it.
 *
 * The store knows nothing of Ruby.  An object is an oid, a class id, a shape id, a format byte, flags,
 * 64-bit slots and bytes.  Sessions read a snapshot and meet others only in a commit; the first committer
 * wins.  DESIGN-store.md is the architecture; storage/README has formats, invariants and lock order.
 *
 * One process is at most one session (one slot of shared memory) at a time; the handle of the open store is
 * inherited through fork.  Functions named store_session_*, store_begin, store_fetch, store_commit_* and
 * store_intern_* work for this process's session; unless said otherwise they may do I/O, may wait, and may
 * raise with ereport(ERROR, ...): ERR_IO, ERR_CORRUPT_PAGE, ERR_CORRUPT_RECORD, ERR_DISK_FULL, ERR_OUT_OF_MEMORY.
 * None may be called from a signal handler, except where the comment says so.
 *
 * Life:   store_create -> store_open -> [fork] -> store_session_attach
 *           -> { store_begin; store_fetch...; store_commit_begin; _put...; _finish; store_end }*
 *         -> store_session_detach -> store_close
 */
#ifndef LODE_STORAGE_STORE_H
#define LODE_STORAGE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/config.h"
#include "lib/memory.h"
#include "storage/wal.h"

/* ---- names and numbers --------------------------------------------------------------------------- */

/* An object's id: 40 bits of index, above them 16 of generation.  0 is no object. */
typedef uint64_t Oid;
#define OID_NONE ((Oid)0)
#define OID_INDEX_BITS 40
#define OID_BITS 56
#define OID_GENERATIONS (1u << (OID_BITS - OID_INDEX_BITS))
#define OID_GENERATION(oid) ((oid) >> OID_INDEX_BITS)
#define OID_INDEX(oid) ((oid) & ((UINT64_C(1) << OID_INDEX_BITS) - 1))
/* Oids below this are well known: the VM names them in a table of its own; they need no allocation. */
#define OID_FIRST_USER ((Oid)65536)

/* A slot of a record is a reference when its low byte is SLOT_REFERENCE_TAG; any other word is opaque. */
#define SLOT_REFERENCE_TAG 0x2c
#define SLOT_FROM_OID(oid) (((uint64_t)(oid) << 8) | SLOT_REFERENCE_TAG)
#define SLOT_IS_REFERENCE(word) (((word) & 0xff) == SLOT_REFERENCE_TAG)
#define SLOT_OID(word) ((Oid)((word) >> 8))

/* Order of commits, 1 upwards, published without gaps.  0: nothing was committed yet. */
typedef uint64_t Sequence;

/* A body is at most this many bytes (slots and bytes together). */
#define STORE_MAX_BODY (UINT32_C(1) << 30)
#define STORE_MAX_CLASS_ID ((1u << 24) - 1)
#define STORE_MAX_SHAPE_ID ((1u << 24) - 1)

typedef struct Store Store;

/* ---- create, open, close ------------------------------------------------------------------------- */

typedef struct StoreCreateOptions {
    uint32_t wal_segment_size; /* bytes, power of two; 0 = conf.wal_segment_size */
    bool no_sync;              /* tests only: do not wait for the disk while creating */
} StoreCreateOptions;

/*
 * Makes a new store in `dir` (made if absent, mode 0700; must be empty or hold only lodestone.conf and lock
 * files).  A crash in the middle leaves a directory that store_open() refuses and store_create() takes again.
 * `opts` may be NULL.  Raises ERR_FILE_EXISTS when a complete store is there.
 */
void store_create(const char *dir, const StoreCreateOptions *opts);

/* Is there a complete store in `dir`?  Raises nothing. */
bool store_exists(const char *dir);

typedef enum StoreMode {
    STORE_SOLO,       /* one process: recovery, then all roles inline */
    STORE_POSTMASTER, /* recovery, then children inherit the shared memory through fork */
} StoreMode;

/*
 * Opens the store: checks control file and version, makes shared memory, recovers.  Takes an exclusive lock
 * on the directory ("DIR/store.lock", held until the last process that inherited it is gone): a second open
 * raises ERR_STORE_IN_USE.  Errors leave nothing behind.  After a crash of a child inside a critical section:
 * stop all children, store_close(store, false), then store_open() anew.
 */
Store *store_open(const char *dir, StoreMode mode);

/*
 * Ends this process's use of the store: detaches its session, if any.  The process that opened it also writes
 * a last checkpoint when `clean` (no other process may be attached then), and gives up memory and lock.
 */
void store_close(Store *store, bool clean);

/*
 * A store that is open solo has no process that writes what asynchronous commits leave in the log's buffer.  It calls
 * store_left_lying (set it before store_open(); NULL: no one) whenever there is something left, and whoever set it sees
 * to it that store_flush_left() is called soon, outside of any commit.  store_flush_left() does nothing in a server.
 */
extern void (*store_left_lying)(void);
void store_flush_left(void);

/* In a forked child that is not to be a session and not an auxiliary process: forget the store. */
void store_forget(Store *store);

/* The store this process has open, or NULL. */
Store *store_current(void);
const char *store_directory(const Store *store);
uint64_t store_id(const Store *store);   /* random number of this store */
uint64_t store_hash_seed(const Store *store); /* the seed of all hash codes, for ever the same in this store */

/* ---- sessions ------------------------------------------------------------------------------------ */

/* Takes a slot for this process.  Returns its number (0 upwards).  Raises ERR_TOO_MANY_SESSIONS. */
int store_session_attach(void);

/* Gives the slot back: unused oids, pages, snapshot.  Harmless without a session. */
void store_session_detach(void);

/* This process's slot, or -1. */
int store_session_slot(void);

/*
 * Kernel#fork.  The parent calls _reserve_clone() (a second slot with its snapshot; raises
 * ERR_TOO_MANY_SESSIONS), forks, the child calls _adopt(slot): it drops the inherited oid run and open pages
 * and is from then on that session.  If fork fails the parent calls _release_clone(slot).
 */
int store_session_reserve_clone(void);
void store_session_adopt(int slot);
void store_session_release_clone(int slot);

/* The slot that process `pid` holds, or -1. */
int store_session_slot_of(int32_t pid);

/*
 * For the postmaster: 0 when the slot's process is outside critical sections and holds no latch; CRIT_SAME (error.h)
 * holds of two words of the same section.  Reads one word; never waits.
 */
uint32_t store_session_critical_word(int slot);
/* About a process that is dead: was it, in any slot (auxiliary ones too), inside a critical section?  Then shared
 * memory can't be trusted any more and all must restart. */
bool store_process_was_critical(int32_t pid);

/*
 * For the reaper: releases everything the dead session of `slot` held (frames it was reading into, pins, open
 * pages, uncommitted extents, oid run, log credit, snapshot) and frees the slot.
 */
void store_session_cleanup(int slot);

/* ---- auxiliary processes -------------------------------------------------------------------------- */

/* Runs checkpoints when they are due (conf.checkpoint_timeout, conf.checkpoint_wal_size, or on request) until
 * *stop; the last one is left to store_close().  Call in a process of its own, forked after store_open(). */
void store_checkpointer_main(const volatile bool *stop);
/* From its signal handler: look at *stop at once.  Async-signal-safe. */
void store_checkpointer_wake(void);

/* Runs the log's writer until *stop (wal_writer_main with the store's log). */
void store_wal_writer_main(const volatile bool *stop);
void store_wal_writer_wake(void); /* async-signal-safe */

/* Runs the compactor until *stop (conf.compactor, conf.compactor_threshold, conf.compactor_cost_limit).  Call in a process
 * of its own, forked after store_open(). */
void store_compactor_main(const volatile bool *stop);
void store_compactor_wake(void); /* async-signal-safe */

typedef enum CompactStatus {
    COMPACT_NOTHING, /* there is no garbage worth the work */
    COMPACT_WORKED,
    COMPACT_WAITS,   /* for sessions that may still read what is to be given up */
} CompactStatus;

/* A stretch of the compactor's work (conf.compactor_cost_limit units), by the caller.  For tests, and where no other process
 * is the compactor.  Never waits for sessions; what can't be done is logged. */
CompactStatus store_compact_step(void);

/* ---- collecting: objects that nothing reaches ------------------------------------------------------
 * A collection is made by the compactor when it is asked for.  It takes out of the store what is not reached from the objects
 * below OID_FIRST_USER and the numbered classes, and is held by no session.  For that each session tells once what it
 * holds (the vote): every oid that it could come to read or to refer to without reading it first.
 */
typedef enum CollectStatus { COLLECT_UNDER_WAY, COLLECT_DONE, COLLECT_GIVEN_UP } CollectStatus;

typedef struct CollectResult {
    uint64_t kept, freed; /* objects that were there when it began; those of them that are not any more */
    uint64_t freed_bytes; /* of their newest versions */
    int waits_for;        /* slot of a session that has not voted, -1 */
    int32_t waits_for_pid;
} CollectResult;

/* Asks for one and returns its number; several that ask share one. */
uint64_t store_collect_request(void);
/* How it stands.  COLLECT_GIVEN_UP: a session did not vote within conf.collect_timeout, or the disk failed; nothing happened.
 * In a process that has the store alone this does the work, as far as it goes without the session's vote. */
CollectStatus store_collect_status(uint64_t number, CollectResult *out);

/* Is this session asked for its vote?  Cheap. */
bool store_vote_wanted(void);
/*
 * The vote, at a boundary: the session has no write set and its view, if it has one, has just been taken.  vote_begin() returns
 * 0 when the view is older than the collection: vote at the next boundary.  Then vote_hold() for each oid, vote_end().
 */
uint64_t store_vote_begin(void);
void store_vote_hold(Oid oid);
void store_vote_end(uint64_t vote);

/*
 * Is the object there at the snapshot, and may the session take it up?  To be asked by who comes to an oid in another way
 * than by a reference that it has read: from a scan, from a number that was kept.
 */
bool store_adopt(Oid oid);

/* A checkpoint here and now, by the caller; when it returns all earlier commits are in the pages, durably. */
void store_checkpoint_now(void);

/* Asks the checkpointer for one and returns. */
void store_checkpoint_request(void);

/* ---- snapshots ------------------------------------------------------------------------------------ */

/* Starts (or moves on to) a snapshot: the newest published sequence.  Cheap.  Returns it. */
Sequence store_begin(void);

/* The session's snapshot, 0 when it has none (then nothing is visible). */
Sequence store_snapshot_seq(void);
/* Has it one?  A limit may have taken it away. */
bool store_snapshot_held(void);

/* Returns when all commits that the snapshot includes are on disk (for who must not act on what a crash could take back). */
void store_wait_snapshot_durable(void);

/* Ends the snapshot.  store_fetch() then raises ERR_NO_TRANSACTION. */
void store_end(void);

/* The newest published sequence. */
Sequence store_published_seq(void);

/* ---- reads ---------------------------------------------------------------------------------------- */

enum { /* StoreRecord.flags, StorePut.flags: the low four bits are the user's, stored as they are */
    STORE_FLAG_USER_MASK = 0x0f,
};

typedef struct StoreRecord {
    Oid oid;
    Sequence sequence; /* of the commit that wrote this version */
    uint32_t class_id;
    uint32_t shape;
    uint8_t format; /* the user's */
    uint8_t flags;  /* STORE_FLAG_USER_MASK */
    uint32_t nslots;
    uint32_t nbytes;
    const uint64_t *slots; /* nslots words, then at once nbytes bytes */
    const uint8_t *bytes;
    /* private: a buffer in `context`, reused by the next fetch into this record */
    MemoryContext *context;
    void *buffer;
    size_t capacity;
} StoreRecord;

/* An empty record whose buffer will live in `context`.  Also reusable after memctx_reset(context). */
void store_record_init(StoreRecord *record, MemoryContext *context);

/*
 * The version of `oid` visible at the session's snapshot.  Returns false when there is none (never written,
 * or only after the snapshot).  slots and bytes are a copy, valid until the next fetch into `out` or the
 * context's reset.  Raises ERR_CORRUPT_PAGE naming file and block; ERR_NO_TRANSACTION.
 */
bool store_fetch(Oid oid, StoreRecord *out);

/* The sequence of the version visible at the snapshot, 0 when there is none.  Cheaper than a fetch. */
Sequence store_version(Oid oid);

/*
 * The extents of classes: all objects whose version visible at the snapshot is of one of the classes, each once.
 *     StoreScan *scan = store_scan_begin(class_ids, n, context);
 *     while ((got = store_scan_next(scan, oids, max)) > 0) ...
 *     store_scan_end(scan);
 * Reads the pages of the classes' extents and of the mixed ones.  `max` at least 512.  The snapshot must be the same
 * throughout: moving it ends the scan with ERR_NO_TRANSACTION.
 */
typedef struct StoreScan StoreScan;
StoreScan *store_scan_begin(const uint32_t *class_ids, size_t count, MemoryContext *context);
size_t store_scan_next(StoreScan *scan, Oid *oids, size_t max);
void store_scan_end(StoreScan *scan);
/* Has the class got or lost instances by a commit after `since` that the snapshot includes? */
bool store_extent_changed(uint32_t class_id, Sequence since);

/* ---- commits -------------------------------------------------------------------------------------- */

/* Oids for new objects, from this session's run.  Never given twice; those of an aborted transaction may be
 * used later by the same session.  May log (once in 256). */
Oid store_oid_alloc(void);

/*
 * Durability (lib/config.h) is what store_commit_finish() waits for: DURABILITY_DURABLE returns when the commit is on
 * disk; _GROUP the same, but gives others conf.group_delay to join the write; _ASYNC and _TICKET return at once: it is
 * on disk soon, log order holds; with a ticket the caller may store_wait_durable(result.lsn) later.
 */

typedef enum CommitStatus {
    COMMIT_OK,
    COMMIT_CONFLICT, /* nothing happened */
} CommitStatus;

/* Rows of conflict_kinds.def: CONFLICT_WRITE_WRITE and so on. */
typedef enum ConflictKind {
#define CONFLICT_KIND(name, symbol, gemstone, text) CONFLICT_##name,
#include "storage/conflict_kinds.def"
#undef CONFLICT_KIND
} ConflictKind;

typedef struct Conflict {
    Oid oid;
    ConflictKind kind;
    uint32_t class_id; /* as the loser wanted to write it, or of the extent; 0: an object it read */
    int winner;        /* slot of the session that won, -1 when unknown */
    int32_t winner_pid; /* 0 when unknown */
    Sequence sequence; /* the winner's, 0 when busy */
} Conflict;

typedef struct CommitResult {
    CommitStatus status;
    Sequence sequence; /* of this commit; 0 when nothing was put */
    Lsn lsn;           /* pass to store_wait_durable() for a ticket */
    uint32_t nconflicts;       /* COMMIT_CONFLICT */
    const Conflict *conflicts; /* the session's until its next store_commit_begin() */
} CommitResult;

/* Starts a write set.  Needs a snapshot.  What an earlier unfinished one held is dropped. */
void store_commit_begin(void);

typedef struct StorePut {
    Oid oid;
    uint32_t class_id; /* store_intern_class */
    uint32_t shape;    /* store_intern_shape; 0 none */
    uint8_t format;    /* yours */
    uint8_t flags;     /* STORE_FLAG_USER_MASK */
    bool is_new;       /* never written before by anyone (a fresh oid): there can be no conflict */
    uint32_t nslots, nbytes;
    const uint64_t *slots; /* nslots words; may be NULL when nslots is 0 */
    const void *bytes;     /* nbytes bytes */
} StorePut;

/*
 * Adds one new version to the write set; copies the body.  An oid may be put once in a commit.  Reading it
 * back through store_fetch() gives the old version until the commit is done.
 */
void store_commit_put(const StorePut *put);

/*
 * Serializable: what the transaction has read at its snapshot (each oid once, ascending) and the classes whose instances
 * it has listed.  If any was changed by another since, the commit is COMMIT_CONFLICT (READ_WRITE, EXTENT), unless
 * nothing is put: a transaction that only reads always commits.  The arrays stay the caller's until
 * store_commit_finish() returns.  Classes numbered from `classes_from` on (0: none) count as listed: who listed the
 * classes below another could not know of them.  Among transactions that all say what they read, every history is
 * equal to one in the order of their sequences.
 */
void store_commit_reads(const Oid *oids, size_t count, const uint32_t *class_ids, size_t class_count,
                        uint32_t classes_from);

/* How many were put so far. */
size_t store_commit_count(void);

/*
 * Commits the write set.  COMMIT_OK: it is published (and durable, as asked for) and the session's snapshot has moved to one
 * that includes it.  COMMIT_CONFLICT, or an error raised: nothing happened, the snapshot stands; the write set
 * is dropped.  An empty write set is COMMIT_OK at once.  Signals that only set flags may arrive during it; the
 * call is not interruptible from the moment it decides until it has its answer.
 */
CommitResult store_commit_finish(Durability durability);

/* Drops the write set.  Harmless without one. */
void store_commit_abort(void);

/* Returns when the log is durable up to `lsn` (of an asynchronous commit). */
void store_wait_durable(Lsn lsn);
bool store_is_durable(Lsn lsn);

/* ---- object locks ----------------------------------------------------------------------------------
 * Held by the session, whatever becomes of its transactions, until it gives them back or ends.  A commit that writes an object
 * on which another session has a lock is a conflict (WRITE_LOCK, READ_LOCK).
 */
typedef enum LockMode { OBJECT_LOCK_NONE, OBJECT_LOCK_READ, OBJECT_LOCK_WRITE, OBJECT_LOCK_UNKNOWN } LockMode;

typedef struct LockAnswer {
    enum { LOCK_GRANTED, LOCK_DENIED, LOCK_DEADLOCK } status;
    bool changed;       /* granted, but a newer version than the snapshot's has been committed */
    int holder;         /* denied: slot of one who keeps us from it, else -1 */
    int32_t holder_pid;
    LockMode held;
} LockAnswer;

/*
 * Asks for a lock; a read lock of one's own becomes a write lock.  Never waits for another lock.  With `waiting` a denied
 * session counts as waiting for the object until it asks again or calls store_lock_wait_over(): it is told LOCK_DEADLOCK
 * when the holder waits for it.  Raises ERR_LIMIT_EXCEEDED when max_locks are held.
 */
LockAnswer store_lock(Oid oid, LockMode mode, bool waiting);
void store_lock_wait_over(void);
bool store_unlock(Oid oid); /* false: this session has no lock on it */
void store_unlock_all(void);

typedef struct LockInfo {
    Oid oid;
    LockMode mode;
    int slot;
    int32_t pid;
} LockInfo;

/* The locks on `oid` (OID_NONE: any) that `slot` (-1: any) holds, up to `max`; returns how many. */
size_t store_locks(Oid oid, int slot, LockInfo *out, size_t max);

/* ---- shared counters ----------------------------------------------------------------------------------
 * 64-bit numbers outside all transactions, 0 at first; a change wraps around, is seen by all at once, and survives a crash
 * when the log is durable to it, for which DURABLE and GROUP wait.  `i` from 0 to STORE_COUNTERS - 1, else ERR_INVALID_ARGUMENT.
 */
#define STORE_COUNTERS 128
int64_t store_counter(unsigned i);
int64_t store_counter_add(unsigned i, int64_t by, Durability durability); /* returns the new value */
int64_t store_counter_set(unsigned i, int64_t value, Durability durability);

/* ---- store-wide names ------------------------------------------------------------------------------
 * Interned by content in small system commits of their own: they never conflict, never roll back, and are
 * durable no later than any commit that can mention them.  Ids are dense from 1; 0 is none.  Looking up what is
 * known costs a hash look-up in shared memory and takes no lock.
 */
typedef uint32_t SymbolId, ShapeId, ClassId, EncodingId;

EncodingId store_intern_encoding(const char *name); /* "UTF-8", ... */
const char *store_encoding(EncodingId id, size_t *length); /* NULL when unknown; shared memory, stays */

SymbolId store_intern_symbol(const void *bytes, size_t length, EncodingId encoding);
SymbolId store_find_symbol(const void *bytes, size_t length, EncodingId encoding); /* 0: never interned */
const char *store_symbol(SymbolId id, size_t *length, EncodingId *encoding); /* NULL when unknown */

/* A shape is a path of names: the parent's (0 = the class's empty shape, named by class) and one symbol more. */
ShapeId store_intern_shape(ShapeId parent, ClassId class_id, SymbolId name);
bool store_shape(ShapeId id, ShapeId *parent, ClassId *class_id, SymbolId *name); /* false when unknown */

/* Records name their class by a number interned from the class's oid. */
ClassId store_intern_class(Oid class_oid);
Oid store_class_oid(ClassId id); /* OID_NONE when unknown */

/* How many ids of each kind were given: all of 1..n are known. */
uint32_t store_symbol_count(void), store_shape_count(void), store_class_count(void), store_encoding_count(void);

/* ---- what others changed --------------------------------------------------------------------------- */

typedef enum ChangesStatus {
    CHANGES_SOME,    /* *count oids were filled in; call again */
    CHANGES_END,     /* none left up to the snapshot */
    CHANGES_OVERRUN, /* the ring has lapped this session, or a commit was too large to list: consider every clean
                      * object stale.  The cursor is at the present again and the snapshot has moved on to it. */
} ChangesStatus;

/*
 * Call after store_begin() or a commit moved the snapshot: all oids written by others (and by this session's
 * own commits) with a sequence up to the snapshot and not listed before, each at least once.  Call until CHANGES_END or
 * CHANGES_OVERRUN.  New objects that no one can have looked at are not listed; those below OID_FIRST_USER always are.
 */
ChangesStatus store_changes_next(Oid *oids, size_t max, size_t *count);

/* Starts again at the present: nothing before now will be listed; the snapshot, if there is one, moves on to it.  A new
 * session begins so by itself. */
void store_changes_reset(void);

/* ---- numbers for lodectl status, benches and tests ---------------------------------------------------- */

typedef struct StoreStats {
    Sequence published;
    uint64_t commits, conflicts, aborts, bulk_commits; /* since start */
    uint64_t objects_fetched, versions_walked;
    uint32_t frames, frames_dirty, frames_open, page_size;
    uint64_t page_reads, page_writes, evictions, evictions_dirty; /* since start */
    uint64_t extents_total, extents_free, extents_data, extents_meta, extents_bulk;
    uint64_t extents_dead;    /* given up, free after a checkpoint */
    uint64_t extents_holed;   /* of the free ones, those without disk space */
    uint64_t live_bytes;      /* of records that objects' words lead to, near the truth */
    uint64_t objects_moved, bytes_moved, moves_refused, extents_cleaned; /* by the compactor, since start */
    uint64_t collections, collections_given_up, objects_freed, bytes_freed; /* since start */
    uint64_t store_bytes;     /* length of base/pages */
    uint64_t oids_handed_out; /* limit, exclusive */
    uint64_t ot_pages;
    uint32_t symbols, shapes, classes, encodings;
    uint64_t checkpoints;
    uint64_t last_checkpoint_us; /* how long it took */
    Lsn redo_point;
    uint32_t sessions, sessions_max;
    Sequence oldest_snapshot; /* the compactor's limit */
    bool direct_io;
    WalStats wal;
} StoreStats;

void store_stats(StoreStats *out);

typedef struct SessionInfo {
    int slot;
    int32_t pid; /* 0: free */
    Sequence snapshot;
    uint64_t commits, conflicts;
    bool critical;
    uint64_t view_age_us;  /* since the snapshot was taken; 0 without one */
    uint64_t pinned_bytes; /* of versions replaced by commits since, which can't be reclaimed for it */
    uint32_t locks;        /* object locks held */
    bool timed_out;        /* a limit ended its transaction; it has not begun another yet */
} SessionInfo;

/* Fills in up to `max` attached sessions; returns how many. */
size_t store_sessions(SessionInfo *out, size_t max);

/*
 * Walks everything and checks it: directory, every object-table word against its record, every page's
 * checksum, the extent map.  Raises ERR_CORRUPT_PAGE at the first thing wrong, naming it; returns the number
 * of objects seen.  For tests, `lodectl verify`, and after each replayed crash.  Solo, or with no commits under way.
 */
uint64_t store_verify(void);

#endif
