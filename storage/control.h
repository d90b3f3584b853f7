/*
 * control.h - the control file: where recovery starts.  Two slots, written in turn, each one sector with a checksum.
 */
#ifndef STORAGE_CONTROL_H
#define STORAGE_CONTROL_H

#include "lib/base.h"
#include "storage/store.h"

typedef struct Control {
    uint32_t crc;              /*   0: of the rest */
    uint32_t version;          /*   4: FORMAT_VERSION */
    char magic[8];             /*   8: "LODESTN1" */
    uint64_t generation;       /*  16: of the two slots the higher counts */
    uint64_t store_id;         /*  24 */
    uint64_t hash_seed;        /*  32 */
    uint32_t page_bytes;       /*  40 */
    uint32_t wal_segment_size; /*  44 */
    uint32_t clean;            /*  48: closed after a checkpoint, nothing appended since */
    uint32_t spare0;           /*  52 */
    uint64_t redo;             /*  56: Lsn recovery starts at */
    uint64_t must_reach;       /*  64: the log is known to reach here */
    uint64_t incarnation;      /*  72: newest */
    uint64_t sequence;         /*  80: every commit before redo has at most this one */
    uint64_t oid_limit;        /*  88: indexes below may have been handed out */
    uint64_t root;             /*  96: page of the directory's root */
    uint64_t checkpoints;      /* 104 */
    uint64_t created;          /* 112: seconds since the epoch */
    uint64_t bulk;             /* 120: numbers of bulk commits below may be in use */
    uint8_t spare[512 - 128];
} Control;
_Static_assert(sizeof(Control) == 512, "a control slot is one sector: a write of it can't tear");

#define CONTROL_SLOT_OFFSET 4096 /* slot n stands at n times this */

/* Makes the file with both slots, durably. */
void control_create(const char *dir, Control *control);
/* Reads and checks both slots.  Raises ERR_NOT_A_STORE, ERR_STORE_VERSION, ERR_CORRUPT_CONTROL. */
void control_read(const char *dir, Control *out);
/* Opens it for control_write(). */
int control_open(const char *dir);
/* Raises the generation and writes the slot whose turn it is, durably.  One writer at a time: the opener, or the holder
 * of the checkpoint latch. */
void control_write(int fd, const char *dir, Control *control);

#endif
