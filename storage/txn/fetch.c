/*
 * fetch.c - reading the version of an object that the session's snapshot sees.
 *
 * F1: the object table's word leads to the newest version; the versions' links lead to older ones.  A reader takes the
 *     first whose sequence is not newer than its snapshot and never looks beyond it: older links may dangle.
 * F2: nothing is pinned or locked: each step copies and validates (cache.c K1).  A version that a snapshot can see stays
 *     where it is as long as the snapshot is held.
 */
#include "lib/error.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/txn.h"

void store_record_init(StoreRecord *record, MemoryContext *context)
{
    memset(record, 0, sizeof(*record));
    record->context = context;
}

/* F1.  The location, 0 when nothing is visible.  With `out`, the version's body is read along with its header as far as
 * *have says (record_start). */
static inline Location find_version(Oid oid, RecordHeader *header, Sequence *sequence, StoreRecord *out, size_t *have)
{
    SessionSlot *me = the_store != NULL ? the_store->me : NULL;
    uint64_t snapshot = me != NULL ? atomic_load_explicit(&me->snapshot, memory_order_relaxed) : 0;
    if (unlikely(snapshot == 0))
        view_missing();
    snapshot--;
    Location location = cache_table_location(OID_INDEX(oid)) & LOCATION_MASK;
    while (location != 0) {
        if (out != NULL)
            *have = record_start(location, oid, header, out);
        else
            record_header(location, oid, header);
        *sequence = record_sequence(location, header);
        if (*sequence <= snapshot || MUTATION(SNAPSHOT_VISIBILITY)) {
            if (likely(*sequence != 0) || MUTATION(BULK_SEQUENCE))
                return location;
            if (!space_is_bulk(LOCATION_PAGE(location)))
                ereport(ERROR, ERR_CORRUPT_RECORD,
                        errmsg("object %llu leads to a version that was never committed", (unsigned long long)oid),
                        errhint("Restore the store from a backup."));
            /* Of a bulk commit that had not decided when the snapshot was taken (bulk.c B3): the one before counts. */
        }
        me->walked++;
        location = RECORD_PREVIOUS(header);
    }
    return 0;
}

bool store_fetch(Oid oid, StoreRecord *out)
{
    RecordHeader header;
    Sequence sequence;
    if (unlikely(the_store != NULL && the_store->mode == STORE_SOLO))
        view_look_at_own();
    size_t have = 0;
    Location location = find_version(oid, &header, &sequence, out, &have);
    if (location == 0)
        return false;
    record_body(location, &header, have, out);
    if (unlikely(atomic_load(&the_store->me->snapshot) == 0) && !MUTATION(VIEW_CHECKED))
        view_missing(); /* it was ended meanwhile: what was copied may have been given up */
    out->sequence = sequence;
    atomic_store_explicit(&the_store->me->fetched,
                          atomic_load_explicit(&the_store->me->fetched, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    return true;
}

Sequence store_version(Oid oid)
{
    RecordHeader header;
    Sequence sequence;
    return find_version(oid, &header, &sequence, NULL, NULL) != 0 ? sequence : 0;
}
