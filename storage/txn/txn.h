/*
 * txn.h - transactions, inside storage/: publishing, the change ring, names, the log's payloads, checkpoints.
 */
#ifndef STORAGE_TXN_TXN_H
#define STORAGE_TXN_TXN_H

#include "storage/state.h"

/* ---- payloads of the log ------------------------------------------------------------------------------ */

typedef struct CommitEntry {
    uint64_t oid;
    uint64_t location; /* where the record stands */
    uint32_t length;   /* of its image, header and padding included; 0 in a bulk commit */
    uint32_t class_id;
} CommitEntry;
_Static_assert(sizeof(CommitEntry) == 24, "commit entry in the log");

/* WAL_COMMIT: this, the entries, the extents of a bulk commit, the images in the entries' order. */
typedef struct CommitRecord {
    uint32_t entries;  /* in this record */
    uint32_t extents;  /* bulk */
    uint64_t bulk;     /* number of the bulk commit; 0: an ordinary one */
    uint64_t ahead;    /* entries in BULK_ENTRIES records before */
    uint32_t ahead_crc; /* of those, in order */
    uint32_t spare;
} CommitRecord;

/* WAL_BULK_ENTRIES: this, then the entries. */
typedef struct BulkEntriesRecord {
    uint64_t bulk;
    uint32_t entries;
    uint32_t spare;
} BulkEntriesRecord;

/* WAL_BULK_PAGE: this, then the page's first `fill` bytes. */
typedef struct BulkPageRecord {
    uint64_t bulk;
    uint64_t page;
    uint32_t fill;
    uint32_t spare;
} BulkPageRecord;

/* WAL_MOVE: this, the entries, the images in the entries' order. */
typedef struct MoveEntry {
    uint64_t oid;
    uint64_t location; /* where the copy stands */
    uint64_t sequence; /* of the version; 0: its object changed meanwhile, no word leads to the copy */
    uint32_t length;   /* of its image, header and padding included */
    uint32_t spare;
} MoveEntry;
_Static_assert(sizeof(MoveEntry) == 32, "move entry in the log");

typedef struct MoveRecord {
    uint32_t entries;
    uint32_t spare;
} MoveRecord;

/* WAL_CONDEMNED: this, then the entries. */
typedef struct CondemnedEntry {
    uint64_t oid;
    uint64_t sequence; /* of its newest version */
} CondemnedEntry;

typedef struct CondemnedRecord {
    uint64_t number; /* of the sweep: a position of the log before its first record */
    uint32_t entries;
    uint32_t spare;
} CondemnedRecord;

/* WAL_SWEPT */
typedef struct SweptRecord {
    uint64_t number;
    uint64_t entries; /* in all */
} SweptRecord;

/* What the word of a collected object's index holds. */
uint64_t collected_word(Oid oid);

typedef struct CounterRecord {
    uint64_t number, value;
} CounterRecord;

typedef struct OidLimitRecord {
    uint64_t limit;
} OidLimitRecord;

/* ---- publish.c --------------------------------------------------------------------------------------------- */

/* This sequence is installed: publish it and those after it that are, in order.  Never waits. */
void publish_installed(Sequence sequence);
/* Returns when `sequence` is published. */
void publish_wait(Sequence sequence);
/* Who committed this sequence, if still known. */
bool publish_who(Sequence sequence, int *slot, int32_t *pid);
/* The oldest snapshot that any session holds; the published sequence when none does. */
Sequence publish_oldest_snapshot(void);

/* ---- changes.c --------------------------------------------------------------------------------------------------- */

/* In Install, before publishing: lists the oids.  More than a quarter of the ring: one mark that says "many". */
void changes_append(const Oid *oids, size_t n, Sequence sequence);
/* After publishing. */
void changes_published(void);
void changes_start(void); /* a new session */

/* ---- oids.c --------------------------------------------------------------------------------------------------------- */

void oids_give_back(SessionSlot *slot);
/* A run of oids that are nobody's; false when no more are taken. */
bool oids_offer(Oid first, Oid end);
/* How many runs are there to be taken. */
uint32_t oids_offered(void);

/* ---- counters.c ----------------------------------------------------------------------------------------------------- */

void counter_redo(const CounterRecord *record);
void counters_save(uint64_t *out); /* STORE_COUNTERS of them */
void counters_load(const uint64_t *in);

/* ---- limits.c ------------------------------------------------------------------------------------------------------- */

/* A view begins: its age and what it keeps from being reclaimed count from now. */
void view_started(SessionSlot *me);
/* A commit begins and ends: no limit ends its view meanwhile. */
void view_keep(SessionSlot *me);
void view_let_go(SessionSlot *me);
/* Has any session a view that began before StoreShared.view_epoch was raised to `epoch`? */
bool views_begun_before(uint64_t epoch);
/* There is no snapshot in the slot: raises ERR_TRANSACTION_TIMEOUT when a limit has ended it, else ERR_NO_TRANSACTION. */
NORETURN void view_missing(void);
/* Warns of and ends views beyond the configured limits.  The checkpointer calls it about every second. */
void views_watch(void);
void view_look_at_own(void); /* without a checkpointer: the same of this session */

/* ---- catalogue.c ------------------------------------------------------------------------------------------------------ */

typedef enum NameKind { NAME_SYMBOL, NAME_SHAPE, NAME_CLASS, NAME_ENCODING, NAME_KINDS } NameKind;

/* What stands in the catalogue, and in the log's WAL_NAME. */
typedef struct NameEntry {
    uint32_t next; /* in memory only: the chain of its hash */
    uint32_t hash;
    uint32_t kind;
    uint32_t id;
    uint32_t extra;  /* symbols: encoding */
    uint32_t length; /* bytes behind; then padded to 8, with at least one zero byte */
} NameEntry;
_Static_assert(sizeof(NameEntry) == 24, "catalogue entry on disk");

#define CATALOGUE_MAX ((size_t)1 << 30)
#define CATALOGUE_PAGES (CATALOGUE_MAX / PAGE_PAYLOAD)
#define NAME_HEADS (1u << 17)
#define NAME_IDS(kind) ((kind) == NAME_SYMBOL || (kind) == NAME_SHAPE ? (1u << 24) : (1u << 20))

/* Redo of WAL_NAME, and reading in what a checkpoint has saved. */
void catalogue_redo(const NameEntry *entry, uint32_t length);
/* At open: the first `bytes` of the catalogue stand in memory; build the look-up structures. */
void catalogue_settle(uint64_t bytes);

/* ---- commit.c ---------------------------------------------------------------------------------------------------------------- */

/* The write set's memory is gone, or about to go. */
void commit_forget(void);

/* ---- checkpoint.c ---------------------------------------------------------------------------------------------------------- */

/* One checkpoint.  `clean`: the last, nobody else is there. */
void checkpoint_run(bool clean);
/* After a commit in solo mode: one if it is due. */
void checkpoint_if_due(void);
/* At open: reads directory, extent map and catalogue as the last checkpoint left them. */
void checkpoint_load(const Control *control);

/* ---- recovery.c -------------------------------------------------------------------------------------------------------------- */

/* Redo from the last checkpoint, new incarnation, checkpoint. */
void recovery_run(void);

#endif
