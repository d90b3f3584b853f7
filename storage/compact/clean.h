/*
 * clean.h - cleaning extents, a stretch at a time.
 */
#ifndef STORAGE_COMPACT_CLEAN_H
#define STORAGE_COMPACT_CLEAN_H

#include "storage/state.h"

/* Before a step, and after the last, by the one process that is the compactor; it has a slot.  Starting again is harmless. */
void clean_start(void);
void clean_stop(void); /* harmless when nothing was started */
/* The store is closed: the memory is gone, the extents' marks too. */
void clean_forget(void);

/* No round is under way. */
bool clean_is_idle(void);

/* Works for about `cost` units; errors are logged and end the round. */
CompactStatus clean_step(int64_t cost);

/* How much of the data extents that nobody fills is garbage, in percent. */
uint32_t clean_garbage(void);

#endif
