/*
 * collect.h - collecting objects that nothing reaches, a stretch at a time.
 */
#ifndef STORAGE_COMPACT_COLLECT_H
#define STORAGE_COMPACT_COLLECT_H

#include "storage/state.h"

/* Has someone asked for a collection, or is one under way? */
bool collect_wanted(void);

/* Works for about `cost` units.  Only while no round of cleaning is under way, by the same process (collect.c V1). */
CompactStatus collect_step(int64_t cost);

/* The store is closed, or the process is another: what is under way is forgotten, nothing has happened. */
void collect_forget(void);

/*
 * The gate: may a session that met a version of the object, with this sequence, without having read a reference to it, take it
 * up?  True: it is kept.  False: it is being taken out of the store.
 */
bool collect_may_take(Oid oid, Sequence sequence);

#endif
