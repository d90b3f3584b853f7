/*
 * writer.h - pages on their way to the disk, inside storage/.  See writer.c.
 */
#ifndef STORAGE_PAGE_WRITER_H
#define STORAGE_PAGE_WRITER_H

#include "storage/state.h"

/* From now on this process writes several pages at once.  False, and a line in the log, when it can't: then it goes on
 * as before.  Stop it before the process ends in good order. */
bool page_writer_start(void);
void page_writer_stop(void);

/* A page-sized, aligned buffer for the next page_writer_send(); the caller's until then. */
uint8_t *page_writer_buffer(void);

/* What follows when the page of `tag` was, or was not, written to `place`.  May take latches, may not raise. */
typedef void (*PageWritten)(uint32_t tag, PageNo place, bool written);

/* Puts the checksum into `page` (of page_writer_buffer()) and writes it: now, or soon.  Raises only when it could not and
 * `done` will not be called. */
void page_writer_send(uint8_t *page, PageNo place, PageWritten done, uint32_t tag);

/* Waits for all that was sent; raises when any of it could not be written. */
void page_writer_settle(void);
/* Waits for all that was sent, and forgets how it ended: after another error. */
void page_writer_abandon(void);
bool page_writer_is_idle(void);

#endif
