/*
 * stop.h: stop events, races and crashes made to happen on purpose.
 *
 * STOP_POINT(COMMIT_DECIDE) marks a place (a row of stop_events.def); it costs one load and a branch while nothing is
 * armed.  An armed event acts at its n-th pass: pauses until released, kills its process with SIGKILL, raises
 * ERR_INJECTED (a PANIC in a critical section), or sleeps.
 *
 * The state lies in shared memory made by stop_init before any fork, so passes are counted over all processes.  With
 * LODE_STOP_FILE=path that memory is the file, and a test in another process can arm, watch and release.
 * LODE_STOP="COMMIT_DECIDE:3:kill,CHECKPOINT_START:1:pause" arms at start; n+ means that pass and all later.
 */
#ifndef LIB_STOP_H
#define LIB_STOP_H

#include "lib/base.h"

typedef enum {
#define STOP_EVENT(name, text) STOP_##name,
#include "utils/lib/stop_events.def"
#undef STOP_EVENT
    STOP_COUNT
} StopEvent;

typedef enum { STOP_NOTHING, STOP_PAUSE, STOP_KILL, STOP_ERROR, STOP_SLEEP } StopAction;

typedef struct StopSlot {
    _Atomic uint32_t action;   /* StopAction */
    _Atomic uint32_t sticky;   /* acts at every pass from nth on */
    _Atomic uint64_t nth;      /* acts when passes reaches it */
    _Atomic uint64_t passes;   /* counted from arming, or from stop_count_all */
    _Atomic uint64_t struck;   /* times it acted */
    _Atomic uint32_t paused;   /* `release` + 1 as it was when someone last began to pause here: he may have died since */
    _Atomic uint32_t release;  /* futex: changed to let them go */
    uint64_t sleep_ms;
} StopSlot;

typedef struct StopShared {
    _Atomic uint32_t armed; /* number of armed events, + 1 while all passes are counted */
    uint32_t version;
    uint64_t layout; /* hash of the table's names: another build's file is refused */
    StopSlot slot[256];
} StopShared;
_Static_assert(STOP_COUNT <= 256, "StopShared has room for 256 events");

extern StopShared *stop_shared; /* never NULL */

#define STOP_POINT(name) \
    do { \
        if (unlikely(atomic_load_explicit(&stop_shared->armed, memory_order_relaxed) != 0)) \
            stop_pass(STOP_##name); \
    } while (0)

/* Maps the shared state and reads LODE_STOP.  Called by lib_init; before any fork. */
void stop_init(void);
/* Maps another process's stop file, for a test to steer it. */
StopShared *stop_map_file(const char *path);

void stop_pass(StopEvent event);
void stop_arm(StopEvent event, StopAction action, uint64_t nth, bool sticky, uint64_t sleep_ms);
void stop_disarm(StopEvent event);
void stop_disarm_all(void);
/* Lets those that pause go on, and disarms. */
void stop_release(StopEvent event);
/* Waits until someone pauses at the event; false after timeout_ms. */
bool stop_wait_paused(StopEvent event, int64_t timeout_ms);
/* Counts passes of every event even if not armed, to find out which a test reaches. */
void stop_count_all(bool on);
uint64_t stop_passes(StopEvent event);
const char *stop_name(StopEvent event);
const char *stop_text(StopEvent event);
bool stop_find(const char *name, StopEvent *event);
/* Parses LODE_STOP's notation; false and a message when it is wrong. */
bool stop_parse(const char *text, char *message, size_t message_size);

#endif
