/*
 * words.h - words of the object table as committers see them.  See words.c.
 */
#ifndef STORAGE_TXN_WORDS_H
#define STORAGE_TXN_WORDS_H

#include "storage/txn/txn.h"

typedef struct WordState {
    Location location; /* where it leads to */
    Sequence sequence; /* of the newest committed version */
    bool locked;       /* by another session: its lock bit, or a bulk commit under way */
    bool prepared;     /* the latter: the location is not committed */
} WordState;

/* Pins the page of the object table that holds the word of `oid`; raises when the cache is too small for so many. */
TableEntry *word_pin(Oid oid, uint32_t *frame);

WordState word_look(const TableEntry *word);
/* Waits until no one else has the word of `oid`, whose page it pins, locked.  May read pages; raises. */
WordState word_wait(Oid oid);

/* Sets and clears the lock bit: a critical section that word_lock() begins, napping while another has it. */
void word_lock(TableEntry *word);
void word_unlock(TableEntry *word);

/* Where the word of index `index` leads to, or will lead again if the bulk commit that prepared it is undone. */
Location word_settled_location(uint64_t index);
/* The word leads into an extent of a bulk commit that will not happen: now it leads to where it did before (bulk.c B5).
 * True: that is not nowhere. */
bool word_restore(TableEntry *word, uint32_t frame, uint64_t index);

#endif
