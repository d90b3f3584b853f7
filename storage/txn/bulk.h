/*
 * bulk.h - commits too large for the ring or the cache: their pages are logged ahead of the decision.
 */
#ifndef STORAGE_TXN_BULK_H
#define STORAGE_TXN_BULK_H

#include "storage/txn/txn.h"

typedef struct Bulk {
    uint64_t number; /* 0: none under way */
    uint32_t *extents;
    uint32_t extent_count, extent_room;
    PageNo next, end; /* pages left side by side */
    uint32_t frame;   /* being filled; NO_FRAME */
    PageNo page;
    uint32_t at;
    Lsn logged;         /* end of its newest record */
    uint32_t unflushed; /* pages logged since the log was last waited for */
    bool known_words;   /* words of objects were prepared that others know */
} Bulk;

/* Begins: takes a number, publishes the lower bound that stays until the commit has ended. */
void bulk_start(Bulk *bulk, MemoryContext *context);
Location bulk_place(Bulk *bulk, const void *image, uint32_t bytes);
/* Logs the last page. */
void bulk_finish_pages(Bulk *bulk);
/* Logs entries ahead of the commit record; returns the checksum continued. */
uint32_t bulk_log_entries(Bulk *bulk, const CommitEntry *entries, uint32_t n, uint32_t crc);
/* After Install: nothing is left to do but forget. */
void bulk_done(Bulk *bulk);
/* It does not happen: gives up its extents.  Without `words_clear` words still lead there: the extents stay, undecided,
 * until recovery clears both away. */
void bulk_abort(Bulk *bulk, bool words_clear);

/* Undoes bulk commit `number`, whose process is no more. */
void bulk_undo_of_dead(uint64_t number);
/* After redo: undoes all that have not decided. */
void bulk_undo_undecided(void);

#endif
