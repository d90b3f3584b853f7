/*
 * open.h - open pages: where a session puts the versions that it is about to commit.
 */
#ifndef STORAGE_PAGE_OPEN_H
#define STORAGE_PAGE_OPEN_H

#include "storage/state.h"

/*
 * Copies a record's image (sequence 0; a multiple of 8 bytes) into an open page of that class (0: mixed), or into a run
 * of pages of its own when larger than a page.  Opens pages as needed; the log credit for it is in the slot.
 */
Location open_place(uint32_t class_id, const void *image, uint32_t bytes);

/* At Install, in the critical section: stamps the sequence into a record placed before. */
void open_stamp(Location location, Sequence sequence);
/* At Install: the fill marks move on, the pages' LSN is raised. */
void open_keep(Lsn lsn);
/* After Install: pages go back to idle, or are sealed when asked for, full, or too many. */
void open_done(void);
/* The commit does not happen: the fill marks move back. */
void open_abort(void);

/* Seals all that this session keeps open. */
void open_seal_mine(void);
/* In a child of fork: they are the parent's. */
void open_forget(void);

/* The checkpointer: seals every page whose opening record ends at `redo` or before; waits for owners in mid-commit. */
void open_seal_before(Lsn redo);
/* The reaper: seals what a dead session had open, its uncommitted part cut off. */
void open_cleanup(int slot);

#endif
