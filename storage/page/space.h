/*
 * space.h - extents: which page of base/pages is whose.
 */
#ifndef STORAGE_PAGE_SPACE_H
#define STORAGE_PAGE_SPACE_H

#include "storage/state.h"

/* Payloads of the log's records on space; also what recovery reads. */
typedef struct ExtentTakeRecord {
    uint32_t extent, count, class_id, kind;
    uint64_t bulk;
} ExtentTakeRecord;
typedef struct ExtentFreeRecord {
    uint32_t extent, count;
    uint64_t bulk; /* whose it was, 0 if no bulk commit's */
} ExtentFreeRecord;
typedef struct PageOpenRecord {
    uint64_t page;
    uint32_t count, class_id;
    uint32_t extent_kind; /* the page's extent is taken with it, as this kind; 0: it was ours already */
    uint32_t extent_class;
} PageOpenRecord;

/* Opening a page or run takes log credit for one record of this size. */
#define SPACE_OPEN_BYTES sizeof(PageOpenRecord)

/* Makes sure that an extent can be taken for data with the reserve left over; may extend the file (no latch held).
 * Raises ERR_DISK_FULL, ERR_STORE_FULL. */
void space_reserve(uint32_t extents);

/*
 * Takes `count` (1 to 32) neighbouring pages for records of a class, logs their opening, and calls `mark` while the
 * EXTENT latch is still held, so that a checkpoint sees the pages open if their record lies before its redo point.
 * Credit for it is in the session's slot.  Returns false when no extent is left: space_reserve() and try again.
 */
bool space_open_pages(uint32_t class_id, uint32_t count, void (*mark)(PageNo, Lsn, void *), void *context);

/* Takes `count` neighbouring whole extents for a bulk commit.  Returns the first, 0 when there are none side by side. */
uint32_t space_take_bulk(uint32_t count, uint64_t bulk);
/* A page of the bulk commit's extents is being filled (and, in redo, was). */
void space_open_bulk(PageNo page, uint64_t bulk);
/* Extends the file by this many extents at its end (they are side by side).  Raises ERR_DISK_FULL, ERR_STORE_FULL. */
void space_extend(uint32_t count);
/*
 * For the compactor.  space_clean_choose(): chooses an extent of data that nobody fills any more: no new record comes to it,
 * scans still see it.  False when it is not such a one.  space_clean_end(): it stays as it is after all.
 * space_clean_leave(): all that lives in it lives elsewhere too, scans that begin from now on pass over it.
 * space_clean_free(): no one can come to look into it; logged, free after a checkpoint (E3).
 */
bool space_clean_choose(uint32_t extent);
void space_clean_end(uint32_t extent);
void space_clean_leave(uint32_t extent);
void space_clean_free(uint32_t extent);
/* Could it be chosen?  Then also how many bytes live in it (E5).  A look without the latch. */
bool space_cleanable(uint32_t extent, int32_t *live);
/* Something in it can't be moved or read: it is not cleanable again until more of it has died. */
void space_clean_hold(uint32_t extent);

/* A record of `bytes` at `location` came to be the one that its object's word leads to (sign 1), or is it no more (-1). */
void space_live_add(uint64_t location, uint32_t bytes, int sign);
/* What lives in the extent was counted. */
void space_live_set(uint32_t extent, int32_t live);

/* Gives up the extents of a bulk commit that does not happen. */
void space_drop_bulk(uint64_t bulk);
/* At Install: the extents of this bulk commit now have this sequence.  No latch, no wait. */
void space_commit_bulk(const uint32_t *extents, uint32_t count, Sequence sequence);

/* Does the class fill pages of its own?  Else its records go to mixed pages. */
bool space_class_is_large(uint32_t class_id);
void space_class_note(uint32_t class_id, size_t bytes);

/* A fresh place for a page that is written copy-on-write; 0 when the disk is full. */
PageNo space_take_meta(void);
/* The page `logical` of a stream now stands at `place`; its old place is given up. */
void space_set_place(Stream stream, uint64_t logical, PageNo place);
void space_give_up(PageNo place);

/* A checkpoint begins: places given up from here on wait for the next one.  Returns after all page openings that were
 * logged before are marked. */
uint32_t space_flip_epoch(void);
/* It is complete: what was given up before the flip is free, dead extents only if their record ends before `redo`, and those
 * of undone bulk commits only if nobody may read there any more (not `undone_read`).  Dead extents' pages leave the cache
 * before that; disk space beyond a reserve goes back. */
void space_epoch_done(uint32_t epoch, Lsn redo, bool undone_read);

/* The stored form of one page of the extent map (EXTENTS_PER_PAGE entries), taken under the latch. */
void space_store(uint64_t logical, StoredExtent *out);
/* At open. */
void space_load(uint64_t logical, const StoredExtent *in, uint32_t count);
/* At open, when the map and all places are known: counts, hints, free meta extents. */
void space_settle(void);
/* Redo. */
void space_redo_take(const ExtentTakeRecord *record);
void space_redo_free(const ExtentFreeRecord *record);
void space_redo_open(const PageOpenRecord *record);
/* Does the page belong to a bulk commit (that one, or with 0 any) that has not decided, or will never? */
bool space_bulk_undecided(PageNo page, uint64_t number);
/* Does it belong to any, decided or not? */
bool space_is_bulk(PageNo page);
/* The sequence of the bulk commit that the page belongs to; 0: none, or undecided. */
Sequence space_bulk_sequence(PageNo page);
bool space_any_undecided(void);
/* After redo: extents of bulk commits that never decided are dead. */
void space_drop_undecided(void);
/* After redo: a page that was opened and never got a committed record may be opened again. */
void space_unopen(PageNo page);
/* The file is at least this many extents long. */
void space_note_extents(uint32_t extents);

#endif
