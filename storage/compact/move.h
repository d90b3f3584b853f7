/*
 * move.h - moving versions: copies in other places, to which their objects' words lead from then on.
 */
#ifndef STORAGE_COMPACT_MOVE_H
#define STORAGE_COMPACT_MOVE_H

#include "storage/page/format.h"
#include "storage/state.h"

/* Room in the session's private memory for a batch; before the first move_add(). */
void move_start(void);
void move_stop(void);

/* The longest image that can be moved, in bytes. */
uint32_t move_longest(void);

/*
 * Adds the version at `from` (its whole record, `bytes` long, as it stands there) to the batch; its sequence is `sequence`.
 * False when the batch has no room for it: move_run() first.
 */
bool move_add(Location from, const void *image, uint32_t bytes, Sequence sequence);

/*
 * Moves the batch, which is empty then.  Returns how many were refused: their objects have changed since, or are being
 * changed right now.  Raises ERR_DISK_FULL and others with nothing done and the batch empty.
 */
uint32_t move_run(void);

#endif
