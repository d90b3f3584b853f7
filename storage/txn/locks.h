/*
 * locks.h - object locks, inside storage/: see locks.c.
 */
#ifndef STORAGE_TXN_LOCKS_H
#define STORAGE_TXN_LOCKS_H

#include "storage/txn/txn.h"

/* Shared memory: the table's size for conf.max_locks; a new one. */
size_t locks_size(void);
void locks_init(void);
/* The session is at its end, or dead. */
void locks_drop(int slot);

/* May the session write `oid`?  OBJECT_LOCK_NONE: yes.  Else what another has; *holder is its slot.  Takes no latch: for the
 * critical section of a commit, after the words are locked (Q2). */
LockMode locks_against(Oid oid, int *holder);
/* Does anyone hold any lock?  False makes asking locks_against() needless. */
bool locks_any(void);

#endif
