/*
 * state.h - what the processes of one store share, and each one's handle on it.
 *
 * Which word is guarded by what:
 *   published, done[]        atomics; txn/publish.c
 *   oid_next, oid_limit      OIDS latch
 *   extents and their counts EXTENT latch (sequence of a bulk extent: atomic, the committer's)
 *   catalogue                written under INTERN latch, read without
 *   frames                   their own word; page/cache.c
 *   counters                 COUNTERS latch to change, read without
 *   object locks             LOCKS latch to change; txn/locks.c
 *   a slot                   its session's; state and pid: SLOTS latch to take, owner or reaper to free
 *   checkpoint numbers       CHECKPOINT latch
 */
#ifndef STORAGE_STATE_H
#define STORAGE_STATE_H

#include "lib/base.h"
#include "lib/latch.h"
#include "storage/control.h"
#include "storage/page/format.h"
#include "storage/store.h"

/* ---- session slots ------------------------------------------------------------------------------- */

#define AUXILIARY_SLOTS 5 /* opener, checkpointer, WAL writer, compactor, reaper */
#define MAX_SLOTS 4100    /* fits the 13 bits of a locker and the 14 of a frame's owner */

enum { SLOT_FREE, SLOT_TAKEN, SLOT_DEAD };

typedef struct SessionSlot {
    _Atomic uint32_t state;
    _Atomic int32_t pid;
    _Atomic uint32_t critical; /* 0 or the process can't die alone: lib/error.h counts here */
    _Atomic uint32_t wait_event;
    _Atomic uint64_t snapshot;       /* 0: none */
    _Atomic uint64_t lower_bound;    /* Lsn: what it logs from here on is not all installed yet; 0: nothing */
    WalCredit credit;                /* its own; the reaper gives back what a dead one had */
    uint64_t oid_next, oid_end;      /* its own: unused part of its run */
    _Atomic uint64_t bulk;           /* number of its bulk commit under way; 0 none */
    _Atomic uint64_t commits, conflicts, aborts, fetched, walked;
    _Atomic uint64_t change_bound;   /* its commit's changes stand at this position - 1 or later; 0: none unpublished */
    _Atomic uint64_t waits_for;      /* oid whose lock it waits for; locks.c */
    _Atomic uint32_t waits_mode;
    _Atomic uint32_t locks;          /* object locks it holds */
    _Atomic uint64_t view_since;     /* monotonic microseconds; limits.c */
    _Atomic uint64_t view_superseded; /* StoreShared.superseded when the view began */
    _Atomic uint32_t view_ended;     /* VIEW_* */
    _Atomic uint32_t view_warned;
    _Atomic uint32_t committing;     /* COMMIT_*: who has the say over its view now; limits.c */
    uint32_t spare32;
    _Atomic uint64_t view_epoch;     /* StoreShared.view_epoch when its view began, or before */
    _Atomic uint64_t voted;          /* collections up to this number need no vote of it any more; compact/collect.c */
    uint64_t spare[2];
} SessionSlot;
_Static_assert(sizeof(SessionSlot) == 192, "slots do not share cache lines");

/* ---- page cache ------------------------------------------------------------------------------------ */

typedef struct Frame {
    _Atomic uint64_t word;     /* state, flags, usage, pins, owner, version: cache.h */
    _Atomic uint64_t key;      /* what it holds: cache.h */
    _Atomic uint64_t lsn;      /* the log must be durable to here before it is written */
    _Atomic uint64_t open;     /* open pages: state and session; open.c */
    _Atomic uint64_t open_lsn; /* end of the record that opened it */
    uint64_t spare[3];
} Frame;
_Static_assert(sizeof(Frame) == 64, "one frame descriptor a cache line");

/* Where an object-table page is: on disk and in the cache. */
typedef struct TablePlace {
    _Atomic uint64_t place; /* page number of its newest written image; 0: never written */
    _Atomic uint32_t frame; /* frame + 1; 0: not cached */
    uint32_t spare;
} TablePlace;

/* ---- extents ------------------------------------------------------------------------------------------ */

typedef struct Extent {
    uint64_t used;             /* as StoredExtent */
    uint64_t pending[2];       /* given up, by checkpoint epoch: still set in `used` until a checkpoint */
    _Atomic uint64_t sequence; /* bulk */
    uint64_t bulk;
    uint32_t class_id;
    uint8_t kind;
    uint8_t holed;   /* HOLE_* */
    uint8_t cleaning; /* CLEAN_*: the compactor's; EXTENT latch */
    uint8_t spare;
    uint64_t dead_lsn; /* end of the record that gave it up */
    _Atomic int32_t live; /* data: bytes of records that words lead to, near the truth (space.c E5) */
    uint16_t held;     /* live / LIVE_UNIT + 1 when the compactor found that it has to stay; 0: it did not */
    uint16_t spare2;
} Extent;
_Static_assert(sizeof(Extent) == 64, "one extent a cache line");
enum { HOLE_NONE, HOLE_MADE /* no disk space: fallocate before use */, HOLE_MAKING /* being punched: not to be used */ };
enum { CLEAN_NOT, CLEAN_CHOSEN, CLEAN_LEFT /* all that lives is elsewhere: scans pass over it */ };

/* Of a class, since start: where it is clustered (advice), and how its extent changes. */
typedef struct ClassSpace {
    _Atomic uint64_t bytes; /* written since start */
    uint32_t extent;        /* being filled; EXTENT latch */
    uint32_t own;           /* has extents of its own */
    _Atomic uint64_t membership; /* sequence of the newest commit that added or removed instances: validate.c V5 */
    _Atomic uint32_t entered;    /* commits under way that do */
    uint32_t spare;
} ClassSpace;
#define CLASS_SPACES (1u << 20)

/* ---- change ring, publishing --------------------------------------------------------------------------- */

typedef struct Change {
    _Atomic uint64_t tag; /* position + 1 when written */
    _Atomic uint64_t oid; /* OID_NONE: a commit too large to list */
    _Atomic uint64_t sequence;
} Change;

#define DONE_SLOTS 8192 /* power of two, more than there can be sessions */
typedef struct Done {
    _Atomic uint64_t sequence; /* installed */
    _Atomic int32_t slot, pid; /* who, for conflict reports */
} Done;

/* ---- the shared root ------------------------------------------------------------------------------------- */

typedef struct StoreShared {
    /* fixed at start */
    uint32_t slots, sessions_max, frames, max_extents;
    uint64_t max_pages, table_pages_max, change_slots;
    uint32_t open_quota; /* open pages a session keeps between commits */
    uint32_t open_max;   /* over all sessions */
    uint64_t bulk_limit; /* bytes of images in one ordinary commit */
    uint32_t run_limit;  /* pages of one record in an ordinary commit */
    uint32_t bulk_opens; /* pages opened by one ordinary commit */

    _Alignas(64) _Atomic uint64_t published;
    _Alignas(64) _Atomic uint64_t change_head; /* next position of the change ring */
    _Alignas(64) _Atomic uint32_t clock_hand;
    _Atomic uint32_t open_frames;
    _Atomic uint64_t table_pages;      /* pages of the object table that may have entries */
    _Atomic uint64_t recovery_pending; /* reserved */

    _Alignas(64) Latch slots_latch;
    Latch oids_latch, intern_latch, extent_latch, checkpoint_latch;

    /* OIDS latch */
    uint64_t oid_next, oid_limit;
    uint64_t oid_free[64][2]; /* runs given back, runs of collected objects: from, to */
    uint32_t oid_free_count;

    /* EXTENT latch */
    uint32_t extents;       /* in the file */
    uint32_t free_extents;  /* free and not holed */
    uint32_t free_hint;     /* no free extent below */
    uint32_t meta_extent;   /* being filled */
    uint32_t mixed_extent;
    uint32_t meta_free;     /* free pages in meta extents (about) */
    uint32_t epoch;         /* of giving up places: flips at each checkpoint */
    uint64_t meta_pending;  /* places given up and not yet free */
    uint64_t kind_count[8];
    uint32_t live_unknown;  /* a crash has lost the counts of what lives: the compactor counts again */

    /* INTERN latch to write */
    _Atomic uint64_t catalogue_bytes;
    _Atomic uint32_t name_count[4];
    uint64_t catalogue_saved; /* CHECKPOINT latch: bytes that stand in durable pages */

    /* CHECKPOINT latch */
    Control control;
    uint64_t directory_pages[STREAM_COUNT];
    uint64_t root;
    _Atomic uint64_t redo;
    _Atomic uint64_t checkpoints, checkpoint_us;

    /* checkpointer's bell */
    _Atomic uint32_t bell;
    _Atomic uint32_t asked;
    _Atomic uint32_t checkpointer_uring; /* the checkpointer writes several pages at once */

    /* what sessions that have left did */
    _Atomic uint64_t gone_commits, gone_conflicts, gone_aborts, gone_fetched, gone_walked;

    _Atomic uint64_t counters[STORE_COUNTERS]; /* COUNTERS latch to change */
    Latch counters_latch;
    _Atomic uint64_t view_epoch; /* raised by the compactor and undone bulk commits: views of a lower one began before that */
    _Atomic uint64_t undone_epoch; /* views of a lower one may read in extents of undone bulk commits (bulk.c B5) */
    _Atomic uint32_t compactor_bell;
    _Atomic uint64_t stat_moved, stat_moved_bytes, stat_move_refused, stat_cleaned; /* compactor */
    /* compact/collect.c; `gate` is changed under the SLOTS latch */
    _Atomic uint32_t collect_gate;      /* GATE_* */
    _Atomic uint64_t collect_epoch;     /* number of the newest collection: sessions that came before it have to vote */
    _Atomic uint64_t collect_snapshot;  /* what it marks from */
    _Atomic uint64_t collect_indexes;   /* that its bits cover */
    _Atomic uint64_t collect_asked, collect_served; /* requests */
    _Atomic uint64_t collect_failed;    /* the newest request that was given up */
    _Atomic uint64_t collect_kept, collect_freed, collect_freed_bytes; /* of the newest */
    _Atomic int32_t collect_waits_for;  /* slot + 1 */
    _Atomic uint64_t stat_collections, stat_collect_given_up, stat_freed, stat_freed_bytes;
    _Atomic uint64_t superseded; /* bytes of versions that commits have replaced, since start */

    _Atomic uint64_t next_bulk;
    _Atomic uint64_t stat_page_reads, stat_page_writes, stat_evictions, stat_evictions_dirty, stat_bulk_commits;
    Done done[DONE_SLOTS];
} StoreShared;

/* Who comes to an object without a reference: takes it up, has it kept, finds it gone (collect.c). */
enum { GATE_OPEN, GATE_MARKING, GATE_DECIDED };

typedef struct LockTable LockTable; /* txn/locks.c */

/* ---- a process's handle -------------------------------------------------------------------------------------- */

struct Store {
    char dir[2048];
    StoreMode mode;
    int32_t opener; /* process that opened it */
    int pages_fd, control_fd, lock_fd;
    bool direct_io;
    bool recovering; /* redo: everything in the log is durable, nothing may be appended */
    bool has_wal;
    uint64_t id, hash_seed;
    Wal *wal;
    MemoryContext *context;

    StoreShared *shared;
    SessionSlot *slots;
    uint64_t *pin_bits; /* slots * pin_words: which frames each pins */
    size_t pin_words;
    Frame *frames;
    uint8_t *frame_bytes;
    _Atomic uint32_t *page_map; /* page -> frame + 1 */
    TablePlace *table;
    Extent *extents;
    uint8_t *extent_dirty;      /* a byte for each page of the extent map */
    ClassSpace *classes;
    Change *changes;
    LockTable *locks;
    uint64_t *place[STREAM_COUNT];     /* of each page; STREAM_TABLE's are in table[] */
    uint64_t *directory[STREAM_COUNT]; /* of each directory page */
    uint8_t *directory_dirty[STREAM_COUNT];
    _Atomic uint64_t *seen, *traced; /* a bit for each index of the object table: collect.c */
    uint8_t *catalogue;
    _Atomic uint32_t *names[4];  /* id -> offset in the catalogue / 8 */
    _Atomic uint32_t *name_heads; /* hash -> offset / 8 of the chain's newest */

    /* Alone, after a commit and perhaps a checkpoint: what other processes do in a server. */
    void (*chores)(bool after_checkpoint);

    int slot; /* -1: not attached */
    SessionSlot *me;
};

/* The store this process has open, or NULL. */
extern struct Store *the_store;

#define BASE_PAGES "base/pages"

/* ---- limits.c: raises ERR_TRANSACTION_TIMEOUT when a limit has ended this session's view: what it reads may be gone ---- */
void view_check(void);

/* ---- session.c ---- */
int slot_attach_auxiliary(void);
/* Has this process a slot?  (One inherited from a parent is forgotten.) */
bool slot_is_mine(void);
void slot_detach(void);

/* ---- log credit, noted in the slot, so that the reaper can give back what a dead session had ---- */
/* Takes credit into the slot; what was left is given back first.  Not in a critical section. */
void store_credit(unsigned records, size_t bytes, unsigned flags);
void store_credit_return(void);

#endif
