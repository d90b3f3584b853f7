/*
 * futex.h: sleep on a 32-bit word, in private or shared memory, and the wait events that say what for.
 *
 * What a process waits for is one word (0: nothing), in shared memory once wait_event_word_set pointed it there, so
 * that `lodectl status` can show it.  Rows of wait_events.def.
 */
#ifndef LIB_FUTEX_H
#define LIB_FUTEX_H

#include "lib/base.h"

typedef enum {
    WAIT_NONE,
#define WAIT_EVENT(name, text) WAIT_##name,
#include "utils/lib/wait_events.def"
#undef WAIT_EVENT
    WAIT_COUNT
} WaitEvent;

extern _Thread_local _Atomic uint32_t *wait_event_word;
void wait_event_word_set(_Atomic uint32_t *word); /* NULL: private memory */
const char *wait_event_name(WaitEvent event);
const char *wait_event_text(WaitEvent event);

static inline void wait_event_start(WaitEvent event)
{
    atomic_store_explicit(wait_event_word, (uint32_t)event, memory_order_relaxed);
}
static inline void wait_event_end(void)
{
    atomic_store_explicit(wait_event_word, WAIT_NONE, memory_order_relaxed);
}

/*
 * Sleeps while *word == expected, at most timeout_ns (< 0: without limit).  Returns 0 when woken or the word differs,
 * ETIMEDOUT, or EINTR after a signal.  May return 0 for no reason: look at the word again.
 */
int futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
/* Wakes up to n sleepers (INT_MAX: all); returns how many. */
int futex_wake(_Atomic uint32_t *word, int n);

#endif
