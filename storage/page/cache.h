/*
 * cache.h - the page cache, inside storage/.
 *
 * A frame holds a page under a key: a data page's number, or TABLE_KEY | logical number of an object-table page (which
 * has no fixed place on disk).  A flat array leads from key to frame; there is no hash table and no latch.
 */
#ifndef STORAGE_PAGE_CACHE_H
#define STORAGE_PAGE_CACHE_H

#include "storage/state.h"

typedef uint64_t PageKey;
#define TABLE_KEY (UINT64_C(1) << 62)
#define KEY_IS_TABLE(key) (((key) & TABLE_KEY) != 0)
#define KEY_LOGICAL(key) ((key) & ~TABLE_KEY)

/* Frame.word */
#define FRAME_STATE UINT64_C(0xf)
#define FRAME_FREE UINT64_C(0)
#define FRAME_LOADING UINT64_C(1) /* owner is reading into it, or has claimed it */
#define FRAME_VALID UINT64_C(2)
#define FRAME_DIRTY (UINT64_C(1) << 4)
#define FRAME_WRITING (UINT64_C(1) << 5) /* owner is writing it */
#define FRAME_OPEN (UINT64_C(1) << 6)    /* an open page: never written or evicted */
#define FRAME_USAGE_SHIFT 7              /* 2 bits */
#define FRAME_USAGE (UINT64_C(3) << FRAME_USAGE_SHIFT)
#define FRAME_PIN_SHIFT 13 /* 13 bits */
#define FRAME_PIN (UINT64_C(1) << FRAME_PIN_SHIFT)
#define FRAME_PINS (UINT64_C(0x1fff) << FRAME_PIN_SHIFT)
#define FRAME_OWNER_SHIFT 26 /* 14 bits: slot + 1 */
#define FRAME_OWNER (UINT64_C(0x3fff) << FRAME_OWNER_SHIFT)
#define FRAME_VERSION_SHIFT 40 /* 24 bits: changes whenever the frame gets other contents */
#define FRAME_VERSION (~UINT64_C(0) << FRAME_VERSION_SHIFT)

#define NO_FRAME UINT32_MAX

static inline uint8_t *frame_page(uint32_t frame)
{
    return the_store->frame_bytes + (size_t)frame * PAGE_BYTES;
}

/* Copies n bytes at `offset` of the page of `key`, reading it in if need be. */
void cache_copy(PageKey key, uint32_t offset, void *to, size_t n);

/* The same for the record at `offset`: its header and, to `body`, as much of what follows as lies in the page, belongs to
 * the record and fits into `room` bytes.  Returns how much.  Nothing of the header is checked yet. */
size_t cache_copy_record(PageNo page, uint32_t offset, RecordHeader *header, void *body, size_t room);

/* Both words of an object-table entry's location: only the first.  0 when nothing is there. */
uint64_t cache_table_location(uint64_t index);

/* Pins the page (reads it in if need be) and returns its frame; noted in the session's slot.  Pinning twice is once. */
uint32_t cache_pin(PageKey key);
/* Releases all of this session's pins. */
void cache_unpin_all(void);
uint32_t cache_pinned(void);
/* In a process that begins anew: the list was another's. */
void cache_forget_pins(void);

/* Claims a frame: nothing maps to it, only this session knows it.  Raises when all are in use too long. */
uint32_t cache_claim(void);
/* Gives a claimed frame back. */
void cache_unclaim(uint32_t frame);
/* Makes a claimed frame the page of `key`: valid, dirty and with these further flags.  Fails if `key` is mapped. */
bool cache_install(uint32_t frame, PageKey key, uint64_t flags);

/* After a change: it must be written one day; and the log before it. */
void cache_dirty(uint32_t frame);
void cache_raise_lsn(uint32_t frame, Lsn lsn);

/* Writes the page if it is dirty and neither open nor being written by another (then false).  False also when a table
 * page found no place for want of disk.  In the checkpointer it is on its way when this returns: page_writer_settle(). */
bool cache_write(uint32_t frame);
/* Writes every dirty page that is not open; returns when all that were dirty at the call are written. */
void cache_write_all(void);

/* Forgets cached pages whose extent is given up. */
void cache_drop(PageNo page);
/* Clears the OPEN flag (open.c). */
void cache_clear_open(uint32_t frame);

/* For the reaper: undoes what a dead session had under way in frames, and its pins. */
void cache_cleanup(int slot);

/* Direct reads of base/pages, with checks; `page` aligned to 4096. */
void page_read(PageNo place, void *page);
NORETURN void page_damaged(PageNo place, const char *what);
/* A page-sized, aligned, process-private buffer for the caller's moment. */
uint8_t *page_scratch(void);

#endif
