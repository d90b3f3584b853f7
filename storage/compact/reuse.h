/*
 * reuse.h - the indexes of collected objects, offered to sessions again.
 */
#ifndef STORAGE_COMPACT_REUSE_H
#define STORAGE_COMPACT_REUSE_H

#include "storage/state.h"

/* A sweep whose last record ends at `swept` has left words to be used again. */
void reuse_begin(Lsn swept);
/* Offers some runs when few are left; by the process that collects.  False: there is nothing to be done. */
bool reuse_step(void);
void reuse_forget(void);

#endif
