/*
 * compactor.h - the compactor's work where there is no process for it.
 */
#ifndef STORAGE_COMPACT_COMPACTOR_H
#define STORAGE_COMPACT_COMPACTOR_H

#include "lib/base.h"

/* Store.chores of a store that one session has for itself: begins rounds after checkpoints, goes on with them after commits. */
void compactor_alone(bool after_checkpoint);

#endif
