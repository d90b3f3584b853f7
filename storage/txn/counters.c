/*
 * counters.c - shared counters: 64-bit numbers outside all transactions.
 *
 * Y1: a change is logged, with the value that it leaves, and made under the COUNTERS latch, so the log has the values in
 *     the order in which they were; redo takes each as it comes.
 * Y2: a checkpoint captures them, under the latch, with the directory's root: after its redo point and before the log is
 *     flushed for the last time.
 * Reading takes no latch.
 */
#include "lib/error.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/txn/txn.h"

static _Atomic uint64_t *counter(unsigned i)
{
    if (the_store == NULL || the_store->me == NULL)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("this process is no session of the store"));
    if (i >= STORE_COUNTERS)
        ereport(ERROR, ERR_INVALID_ARGUMENT, errmsg("there is no shared counter %u: they are 1 to %d", i + 1, STORE_COUNTERS));
    return &the_store->shared->counters[i];
}

int64_t store_counter(unsigned i)
{
    return (int64_t)atomic_load(counter(i));
}

static uint64_t change(unsigned i, uint64_t value, bool add, Lsn *lsn)
{
    _Atomic uint64_t *c = counter(i);
    StoreShared *s = the_store->shared;
    store_credit(1, sizeof(CounterRecord), 0);
    latch_acquire(&s->counters_latch, LATCH_EXCLUSIVE);
    CounterRecord record = { i, add ? atomic_load(c) + value : value };
    if (!MUTATION(COUNTER_LOGGED))
        *lsn = wal_append_credited(the_store->wal, &the_store->me->credit, WAL_COUNTER, 0, &record, sizeof(record));
    STOP_POINT(COUNTER_LOGGED);
    atomic_store(c, record.value);
    latch_release(&s->counters_latch);
    store_credit_return();
    return record.value;
}

static int64_t changed(unsigned i, int64_t value, bool add, Durability durability)
{
    Lsn lsn = wal_durable_position(the_store->wal);
    uint64_t now = change(i, (uint64_t)value, add, &lsn);
    if (durability == DURABILITY_DURABLE || durability == DURABILITY_GROUP)
        wal_flush(the_store->wal, lsn);
    else
        wal_flush_soon(the_store->wal, lsn);
    return (int64_t)now;
}

int64_t store_counter_add(unsigned i, int64_t by, Durability durability)
{
    return changed(i, by, true, durability);
}

int64_t store_counter_set(unsigned i, int64_t value, Durability durability)
{
    return changed(i, value, false, durability);
}

/* ---- recovery, checkpoint ---------------------------------------------------------------------------------------- */

void counter_redo(const CounterRecord *record)
{
    if (record->number < STORE_COUNTERS)
        atomic_store(&the_store->shared->counters[record->number], record->value);
}

void counters_save(uint64_t *out)
{
    StoreShared *s = the_store->shared;
    latch_acquire(&s->counters_latch, LATCH_SHARED);
    for (unsigned i = 0; i < STORE_COUNTERS; i++)
        out[i] = atomic_load(&s->counters[i]);
    latch_release(&s->counters_latch);
}

void counters_load(const uint64_t *in)
{
    for (unsigned i = 0; i < STORE_COUNTERS; i++)
        atomic_store(&the_store->shared->counters[i], in[i]);
}
