/*
 * latch.h: light shared/exclusive latches on futexes, for short sections over shared memory.
 *
 * Each has a rank (row of latch_ranks.def).  Rule L1: a process takes latches only in the order of the table (a row
 * that says SAME may be taken several times, in a caller-defined order); debug builds check it.  Rule L2: no waiting for
 * I/O, other processes or users with a latch held unless the row's comment allows it.  While a latch is held the
 * session's critical word is not zero, so a death with a latch held ends in a restart with recovery, never in a hang.
 * An error that unwinds past an acquisition releases the latch (see error.h, I1).  Latches are not signal-safe and not
 * recursive.
 */
#ifndef LIB_LATCH_H
#define LIB_LATCH_H

#include "lib/base.h"

typedef enum {
    LATCH_RANK_NONE,
#define LATCH_RANK(name, same, text) LATCH_##name,
#include "utils/lib/latch_ranks.def"
#undef LATCH_RANK
    LATCH_RANK_COUNT
} LatchRank;

typedef struct Latch {
    _Atomic uint32_t state;   /* 0: bit 31 exclusive, bit 30 someone sleeps, bits 0..29 shared holders */
    _Atomic uint32_t owner;   /* 4: process id of the exclusive holder, for debugging */
    _Atomic uint32_t waits;   /* 8: how often someone slept */
    uint16_t rank;            /* 12 */
    uint16_t spare;           /* 14 */
} Latch;
_Static_assert(sizeof(Latch) == 16, "Latch lies in shared structures");

typedef enum { LATCH_SHARED, LATCH_EXCLUSIVE } LatchMode;

void latch_init(Latch *latch, LatchRank rank);
void latch_acquire(Latch *latch, LatchMode mode);
/* False at once when it can't be had. */
bool latch_try_acquire(Latch *latch, LatchMode mode);
void latch_release(Latch *latch);
/* Held by this process, in any mode (mode >= asked). */
bool latch_held(const Latch *latch, LatchMode mode);
bool latch_none_held(void);
const char *latch_rank_name(LatchRank rank);

/* For error.c: releases what was taken beyond `depth`. */
unsigned latch_depth(void);
void latch_release_to(unsigned depth);

#endif
