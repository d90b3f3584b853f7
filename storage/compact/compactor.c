/*
 * compactor.c - when the compactor works, and how much: the process of a server, and what a session with a store of its own
 * does at its checkpoints.
 *
 * Budget: conf.compactor_cost_limit units, then a nap.  A store in which most is garbage is cleaned without naps: however
 * fast sessions make garbage, what they can outrun the compactor by is bounded by the store's own size.
 *
 * No locks.  Its death is everyone's (backend): it may have been in a critical section.
 */
#include <limits.h>

#include "lib/error.h"
#include "lib/futex.h"
#include "lib/io.h"
#include "storage/compact/clean.h"
#include "storage/compact/collect.h"
#include "storage/compact/compactor.h"
#include "storage/compact/reuse.h"
#include "storage/state.h"

#define NAP_NS (20 * NSEC_PER_MSEC)  /* between two stretches of work */
#define IDLE_NS (500 * NSEC_PER_MSEC) /* nothing to do */
#define URGENT_GARBAGE 60            /* percent, from which on there are no naps */

CompactStatus store_compact_step(void)
{
    clean_start();
    if (clean_is_idle() && collect_wanted())
        return collect_step(conf.compactor_cost_limit);
    if (reuse_step())
        return COMPACT_WORKED;
    return clean_step(conf.compactor_cost_limit);
}

void compactor_alone(bool after_checkpoint)
{
    if (!collect_wanted() && (!conf.compactor || (!after_checkpoint && clean_is_idle())))
        return;
    while (store_compact_step() == COMPACT_WORKED)
        ;
}

static void wait(uint32_t heard, int64_t ns)
{
    wait_event_start(WAIT_IDLE);
    futex_wait(&the_store->shared->compactor_bell, heard, ns);
    wait_event_end();
}

void store_compactor_main(const volatile bool *stop)
{
    StoreShared *s = the_store->shared;
    slot_is_mine();
    slot_attach_auxiliary();
    clean_forget(); /* what a parent began is the parent's */
    collect_forget();
    while (!*stop) {
        uint32_t heard = atomic_load(&s->compactor_bell);
        CompactStatus status = conf.compactor || collect_wanted() ? store_compact_step() : COMPACT_NOTHING;
        if (*stop)
            break;
        if (status == COMPACT_NOTHING && !collect_wanted())
            wait(heard, IDLE_NS);
        else if (status != COMPACT_WORKED || clean_garbage() < URGENT_GARBAGE)
            wait(heard, NAP_NS);
    }
    clean_stop();
    slot_detach();
}

void store_compactor_wake(void)
{
    if (the_store == NULL)
        return;
    atomic_fetch_add(&the_store->shared->compactor_bell, 1);
    futex_wake(&the_store->shared->compactor_bell, INT_MAX);
}
