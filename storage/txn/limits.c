/*
 * limits.c - long and idle transactions: what each keeps from being reclaimed, warnings, and their end.
 *
 * A snapshot keeps all versions that commits replace after it was taken.  How many bytes that is, is the difference of one
 * shared count (StoreShared.superseded) between then and now.  The checkpointer looks at all sessions every second; a process
 * that has the store alone looks at itself when it reads or begins to commit.
 *
 * A view that is beyond a limit is ended by taking its snapshot out of the slot.  Nothing is done to the session: its next read
 * of the store, or its commit, finds no snapshot and raises ERR_TRANSACTION_TIMEOUT until it begins anew.
 *
 * Z1: a read looks at the slot again after it has copied: a snapshot that was there at the end was there all the time, for
 *     only the session itself puts one in.
 * Z2: a session in a commit is left alone: it and whoever ends views take `committing` by compare-and-swap, so a commit
 *     keeps the snapshot that it found to its end.
 * Z3: a view's epoch is read before its snapshot is put into the slot: views_begun_before() may name a view that is not
 *     older, but never misses one that is.  A fork's clone takes both over under the SLOTS latch, so none is missed either.
 */
#include "lib/error.h"
#include "lib/io.h"
#include "lib/log.h"
#include "storage/txn/txn.h"

enum { VIEW_STANDS, VIEW_TOO_OLD, VIEW_TOO_LARGE };
enum { COMMIT_NOT, COMMIT_UNDER_WAY, COMMIT_BARRED /* its view is being ended */ };

static uint64_t now_us(void)
{
    return (uint64_t)(clock_monotonic_ns() / NSEC_PER_USEC);
}

void view_started(SessionSlot *me)
{
    atomic_store_explicit(&me->view_since, now_us(), memory_order_relaxed);
    atomic_store_explicit(&me->view_superseded, atomic_load(&the_store->shared->superseded), memory_order_relaxed);
    atomic_store_explicit(&me->view_warned, 0, memory_order_relaxed);
    atomic_store_explicit(&me->view_ended, VIEW_STANDS, memory_order_relaxed);
    atomic_store(&me->view_epoch, atomic_load(&the_store->shared->view_epoch)); /* Z3 */
}

void view_keep(SessionSlot *me)
{
    for (uint32_t nobody = COMMIT_NOT; !atomic_compare_exchange_strong(&me->committing, &nobody, COMMIT_UNDER_WAY);
         nobody = COMMIT_NOT)
        io.sleep_ns(10 * NSEC_PER_USEC);
}

void view_let_go(SessionSlot *me)
{
    atomic_store(&me->committing, COMMIT_NOT);
}

bool views_begun_before(uint64_t epoch)
{
    StoreShared *s = the_store->shared;
    bool any = false;
    latch_acquire(&s->slots_latch, LATCH_SHARED);
    for (uint32_t i = 0; i < s->slots && !any; i++)
        any = atomic_load(&the_store->slots[i].snapshot) != 0 && atomic_load(&the_store->slots[i].view_epoch) < epoch;
    latch_release(&s->slots_latch);
    return any;
}

void view_missing(void)
{
    SessionSlot *me = the_store != NULL ? the_store->me : NULL;
    uint32_t why = me != NULL ? atomic_load(&me->view_ended) : VIEW_STANDS;
    if (why != VIEW_STANDS)
        ereport(ERROR, ERR_TRANSACTION_TIMEOUT,
                errmsg("the transaction was ended, abort it and begin anew: it %s", why == VIEW_TOO_OLD ?
                       "was open longer than transaction_timeout" : "kept more than transaction_max_size from being reclaimed"));
    ereport(ERROR, ERR_NO_TRANSACTION, errmsg("no transaction is open"));
    __builtin_unreachable();
}

void view_check(void)
{
    SessionSlot *me = the_store->me;
    if (me != NULL && atomic_load(&me->snapshot) == 0 && atomic_load(&me->view_ended) != VIEW_STANDS)
        view_missing();
}

static void look_at(int i, SessionSlot *slot, uint64_t now)
{
    uint64_t snapshot = atomic_load(&slot->snapshot), since = atomic_load(&slot->view_since);
    if (snapshot == 0 || now < since)
        return;
    int64_t age = (int64_t)(now - since) / 1000;
    int64_t kept = (int64_t)(atomic_load(&the_store->shared->superseded) - atomic_load(&slot->view_superseded));
    uint32_t why = conf.transaction_timeout != 0 && age > conf.transaction_timeout ? VIEW_TOO_OLD :
                   conf.transaction_max_size != 0 && kept > conf.transaction_max_size ? VIEW_TOO_LARGE : VIEW_STANDS;
    int32_t pid = atomic_load(&slot->pid);
    if (why != VIEW_STANDS) {
        uint32_t nobody = COMMIT_NOT;
        if (!atomic_compare_exchange_strong(&slot->committing, &nobody, COMMIT_BARRED)) /* Z2 */
            return;
        atomic_store(&slot->view_ended, why);
        if (atomic_compare_exchange_strong(&slot->snapshot, &snapshot, 0))
            log_message(WARNING, "ended the transaction of session %d (pid %d): open for %lld s, it kept %lld bytes of "
                        "replaced versions", i + 1, pid, (long long)age / 1000, (long long)kept);
        else
            atomic_store(&slot->view_ended, VIEW_STANDS);
        atomic_store(&slot->committing, COMMIT_NOT);
        return;
    }
    bool old = conf.transaction_warn_age != 0 && age > conf.transaction_warn_age && kept > 0;
    bool large = conf.transaction_warn_size != 0 && kept > conf.transaction_warn_size;
    if ((old || large) && atomic_exchange(&slot->view_warned, 1) == 0)
        log_message(WARNING, "session %d (pid %d) has its transaction open for %lld s: %lld bytes of replaced versions "
                    "can't be reclaimed", i + 1, pid, (long long)age / 1000, (long long)kept);
}

void views_watch(void)
{
    uint64_t now = now_us();
    for (uint32_t i = 0; i < the_store->shared->sessions_max; i++)
        if (atomic_load(&the_store->slots[i].state) != SLOT_FREE)
            look_at((int)i, &the_store->slots[i], now);
}

void view_look_at_own(void)
{
    SessionSlot *me = the_store != NULL ? the_store->me : NULL;
    if (me != NULL && the_store->mode == STORE_SOLO && (conf.transaction_timeout != 0 || conf.transaction_max_size != 0))
        look_at(store_session_slot(), me, now_us());
}
