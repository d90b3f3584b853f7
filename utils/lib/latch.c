/*
 * latch.c: shared/exclusive latches on one futex word.
 *
 * state: EXCLUSIVE | WAITERS | count of shared holders.  Who can't have it spins shortly, then sets WAITERS and sleeps
 * on the very value it saw.  Who frees it last with WAITERS set clears the word and wakes all.  A newcomer that wants
 * it shared queues behind WAITERS once, so that a stream of readers can't starve a writer.
 *
 * H1: held[] lists what this thread holds, in order of acquisition; the critical word counts them (latch.h).
 * Ordering: acquisition is acquire, release is release; `owner` and `waits` are for humans, relaxed.
 */
#include "lib/latch.h"
#include "lib/error.h"
#include "lib/futex.h"
#include <limits.h>
#include <unistd.h>

#define EXCLUSIVE (UINT32_C(1) << 31)
#define WAITERS   (UINT32_C(1) << 30)
#define COUNT     (WAITERS - 1)
#define SPINS     100
#define HELD_MAX  64

typedef struct Held {
    Latch *latch;
    LatchMode mode;
} Held;

static _Thread_local Held held[HELD_MAX];
static _Thread_local unsigned held_count;

static const struct {
    const char *name;
    int same;
} ranks[] = {
    {"none", 1},
#define LATCH_RANK(name, same, text) {#name, same},
#include "utils/lib/latch_ranks.def"
#undef LATCH_RANK
};

const char *latch_rank_name(LatchRank rank)
{
    return (unsigned)rank < COUNT_OF(ranks) ? ranks[rank].name : "?";
}

void latch_init(Latch *latch, LatchRank rank)
{
    memset(latch, 0, sizeof *latch);
    latch->rank = (uint16_t)rank;
}

/* L1: ranks only rise. */
static void check_order(const Latch *latch)
{
#ifdef LODE_DEBUG
    for (unsigned i = 0; i < held_count; i++) {
        const Latch *h = held[i].latch;
        if (h == latch)
            assert_failed("L1: latch is not taken twice", latch_rank_name(latch->rank), 0, __func__);
        if (h->rank > latch->rank || (h->rank == latch->rank && !ranks[latch->rank].same))
            assert_failed("L1: latches are taken in the order of latch_ranks.def", latch_rank_name(latch->rank),
                          (int)h->rank, latch_rank_name(h->rank));
    }
#else
    (void)latch;
#endif
}

static void note(Latch *latch, LatchMode mode)
{
    if (unlikely(held_count == HELD_MAX))
        assert_failed("H1: not too many latches held", __FILE__, __LINE__, __func__);
    held[held_count++] = (Held){latch, mode};
    if (mode == LATCH_EXCLUSIVE)
        atomic_store_explicit(&latch->owner, (uint32_t)getpid(), memory_order_relaxed);
}

static bool grab(Latch *latch, LatchMode mode, bool pass_waiters)
{
    uint32_t s = atomic_load_explicit(&latch->state, memory_order_relaxed);
    for (;;) {
        uint32_t to;
        if (mode == LATCH_EXCLUSIVE) {
            if (s & (EXCLUSIVE | COUNT))
                return false;
            to = s | EXCLUSIVE;
        } else {
            if ((s & EXCLUSIVE) || ((s & WAITERS) && !pass_waiters))
                return false;
            to = s + 1;
        }
        if (atomic_compare_exchange_weak_explicit(&latch->state, &s, to, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    }
}

static void sleep_on(Latch *latch, LatchMode mode, bool pass_waiters)
{
    uint32_t s = atomic_load_explicit(&latch->state, memory_order_relaxed);
    bool busy = mode == LATCH_EXCLUSIVE ? (s & (EXCLUSIVE | COUNT)) != 0
                                        : (s & EXCLUSIVE) != 0 || ((s & WAITERS) && !pass_waiters);
    if (!busy)
        return;
    if ((s & (EXCLUSIVE | COUNT)) == 0) {
        /* Free, but WAITERS stayed from before: nobody would wake us.  Clear it, so that we may enter. */
        atomic_compare_exchange_strong(&latch->state, &s, s & ~WAITERS);
        return;
    }
    if (!(s & WAITERS) && !atomic_compare_exchange_strong(&latch->state, &s, s | WAITERS))
        return;
    atomic_fetch_add_explicit(&latch->waits, 1, memory_order_relaxed);
    wait_event_start(WAIT_LATCH);
    futex_wait(&latch->state, s | WAITERS, -1);
    wait_event_end();
}

void latch_acquire(Latch *latch, LatchMode mode)
{
    check_order(latch);
    crit_word_enter(); /* before the latch is ours: a death between the two must count as critical */
    bool pass_waiters = false;
    for (int spin = 0; !grab(latch, mode, pass_waiters);) {
        if (spin++ < SPINS) {
            __builtin_ia32_pause();
            continue;
        }
        /* A death while asleep holds nothing: it must not bring the others down. */
        crit_word_leave();
        sleep_on(latch, mode, pass_waiters);
        crit_word_enter();
        pass_waiters = true;
        spin = 0;
    }
    note(latch, mode);
}

bool latch_try_acquire(Latch *latch, LatchMode mode)
{
    crit_word_enter();
    if (!grab(latch, mode, true)) {
        crit_word_leave();
        return false;
    }
    note(latch, mode);
    return true;
}

static void let_go(Latch *latch, LatchMode mode)
{
    if (mode == LATCH_EXCLUSIVE) {
        atomic_store_explicit(&latch->owner, 0, memory_order_relaxed);
        if (atomic_exchange_explicit(&latch->state, 0, memory_order_release) & WAITERS)
            futex_wake(&latch->state, INT_MAX);
    } else {
        uint32_t s = atomic_fetch_sub_explicit(&latch->state, 1, memory_order_release) - 1;
        if (s == WAITERS && atomic_compare_exchange_strong(&latch->state, &s, 0))
            futex_wake(&latch->state, INT_MAX);
    }
    crit_word_leave();
}

void latch_release(Latch *latch)
{
    for (unsigned i = held_count; i-- > 0;) {
        if (held[i].latch != latch)
            continue;
        LatchMode mode = held[i].mode;
        memmove(held + i, held + i + 1, (held_count - i - 1) * sizeof held[0]);
        held_count--;
        let_go(latch, mode);
        return;
    }
    assert_failed("latch is held", latch_rank_name(latch->rank), 0, __func__);
}

bool latch_held(const Latch *latch, LatchMode mode)
{
    for (unsigned i = 0; i < held_count; i++)
        if (held[i].latch == latch)
            return held[i].mode >= mode;
    return false;
}

bool latch_none_held(void)
{
    return held_count == 0;
}

unsigned latch_depth(void)
{
    return held_count;
}

void latch_release_to(unsigned depth)
{
    while (held_count > depth) {
        Held h = held[--held_count];
        let_go(h.latch, h.mode);
    }
}
