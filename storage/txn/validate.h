/*
 * validate.h - what a commit checks beyond its write set: the read set of a serializable transaction, and the
 * extents of classes that it listed.  See validate.c.
 */
#ifndef STORAGE_TXN_VALIDATE_H
#define STORAGE_TXN_VALIDATE_H

#include "storage/txn/txn.h"

/* The write set begins anew: nothing was read, no class gets or loses instances. */
void validate_begin(void);

/* Secure: the read set's pages of the object table are pinned (again, if all pins were let go).  Raises
 * ERR_LIMIT_EXCEEDED. */
void validate_secure(MemoryContext *context);
/* Secure: an instance of `class_id` comes or goes (0 is no class). */
void validate_member(MemoryContext *context, uint32_t class_id);

/* Early, without locks: has anything that was read changed since the snapshot? */
bool validate_early(Sequence snapshot);
/* In the critical section, words locked: entered before the sequence is taken, */
void validate_enter(void);
/* checked after, */
bool validate_reads(Sequence snapshot);
/* and left when all is installed (sequence), or nothing was (0). */
void validate_leave(Sequence sequence);

/* Waits until nobody whom validate_reads() met holds a lock, or is entered, any more; or the extent has changed. */
void validate_wait(Sequence snapshot);
/* Lists what changed since the snapshot, at most `room`; returns how many.  validate_count(): how many it can be now. */
uint32_t validate_conflicts(Sequence snapshot, Conflict *out, uint32_t room);
uint32_t validate_count(void);

#endif
