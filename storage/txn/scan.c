/*
 * scan.c - the extents of classes: every object whose visible version is of one of some classes.
 *
 * The records tell: data pages are walked from their header to their fill mark, and an object is listed when a record of the
 * version that its snapshot sees is met.  Extents of one other class are passed over.
 *
 * X1: a version that the snapshot sees was installed before the snapshot was taken, so it lies below its page's fill
 *     mark, in a page that its extent counted then.  An extent's entry is copied under the EXTENT latch, under which
 *     pages are opened: a page that it counts is in the cache or on disk, and damaged when it can't be read.
 * X2: the compactor may have moved a version, and its place of before is still there for older snapshots: an object is listed
 *     at the first of them, and remembered.  A move after the scan began leaves the version where it was to the scan's end; a
 *     place that is passed over (CLEAN_LEFT) was left before the scan began.
 * X3: objects that nothing refers to are listed, too, until they are collected.  The gate is asked before the version is looked
 *     at: either it keeps the object, or the object is gone (compact/collect.c V3).
 */
#include <string.h>

#include "lib/error.h"
#include "lib/hashtab.h"
#include "lib/io.h"
#include "storage/compact/collect.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/txn/txn.h"

struct StoreScan {
    MemoryContext *context;
    Sequence snapshot;
    uint8_t *wanted; /* a bit for each class id */
    uint32_t classes;
    uint32_t extent; /* the one being walked */
    Extent copy;     /* its entry */
    unsigned page;   /* next page of it */
    uint8_t *bytes;  /* one page */
    HashTab *listed; /* X2: Listed */
};

/* A page of the object table: which of its objects were listed. */
typedef struct Listed {
    uint64_t page; /* key */
    uint64_t bits[(TABLE_ENTRIES + 63) / 64];
} Listed;

static bool wanted(const StoreScan *scan, uint32_t class_id)
{
    return class_id <= scan->classes && (scan->wanted[class_id / 8] >> (class_id % 8) & 1);
}

StoreScan *store_scan_begin(const uint32_t *class_ids, size_t count, MemoryContext *context)
{
    if (the_store == NULL || the_store->me == NULL || atomic_load(&the_store->me->snapshot) == 0)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("a scan needs a snapshot"));
    MemoryContext *own = memctx_create(context, "scan of a class");
    StoreScan *scan = mem_new(own, StoreScan);
    scan->context = own;
    scan->snapshot = store_snapshot_seq();
    scan->classes = store_class_count();
    scan->wanted = mem_zalloc(own, scan->classes / 8 + 1);
    scan->bytes = mem_alloc(own, PAGE_BYTES);
    scan->listed = hashtab_create(own, sizeof(uint64_t), sizeof(Listed), HASH_BLOB);
    for (size_t i = 0; i < count; i++)
        if (class_ids[i] <= scan->classes)
            scan->wanted[class_ids[i] / 8] |= (uint8_t)(1u << (class_ids[i] % 8));
    return scan;
}

void store_scan_end(StoreScan *scan)
{
    memctx_delete(scan->context);
}

/* Turns to the next extent that can hold what is wanted; false at the end. */
static bool next_extent(StoreScan *scan)
{
    StoreShared *s = the_store->shared;
    bool found = false;
    latch_acquire(&s->extent_latch, LATCH_SHARED);
    while (!found && ++scan->extent < s->extents) {
        const Extent *x = &the_store->extents[scan->extent];
        Sequence bulk = atomic_load(&x->sequence);
        if (x->cleaning == CLEAN_LEFT)
            continue;
        found = x->kind == EXTENT_MIXED || (x->kind == EXTENT_CLASS && wanted(scan, x->class_id)) ||
                (x->kind == EXTENT_BULK && bulk != 0 && bulk <= scan->snapshot);
        if (found)
            memcpy(&scan->copy, x, sizeof(*x));
    }
    latch_release(&s->extent_latch);
    scan->page = found ? 0 : EXTENT_PAGES;
    return found;
}

/* A page of the extent into scan->bytes; false when there is nothing to walk in it. */
static bool read_page(StoreScan *scan, PageNo page)
{
    PageHeader *h = (PageHeader *)scan->bytes;
    if (scan->copy.kind == EXTENT_BULK && atomic_load(&the_store->page_map[page]) == 0) { /* many: past the cache */
        uint8_t *scratch = page_scratch();
        page_read(page, scratch);
        memcpy(scan->bytes, scratch, PAGE_BYTES);
    } else {
        cache_copy(page, 0, h, sizeof(*h)); /* first: what lies below its fill mark is whole */
        if (h->fill > sizeof(*h) && h->fill <= PAGE_BYTES)
            cache_copy(page, PAGE_HEADER, scan->bytes + PAGE_HEADER, h->fill - PAGE_HEADER);
    }
    return h->kind == PAGE_DATA && (h->class_id == 0 || wanted(scan, h->class_id));
}

/* X2.  The first time? */
static bool note_listed(StoreScan *scan, Oid oid)
{
    uint64_t page = TABLE_PAGE(OID_INDEX(oid)), at = TABLE_SLOT(OID_INDEX(oid));
    Listed *listed = hashtab_enter(scan->listed, &page, NULL);
    bool first = !(listed->bits[at / 64] >> (at % 64) & 1);
    listed->bits[at / 64] |= UINT64_C(1) << (at % 64);
    return first || MUTATION(SCAN_ONCE);
}

/* The objects that the page lists; `max` is more than it can hold. */
static size_t walk_page(StoreScan *scan, PageNo page, Oid *oids)
{
    const PageHeader *h = (const PageHeader *)scan->bytes;
    uint32_t end = MIN(h->fill, (uint32_t)PAGE_BYTES);
    size_t n = 0;
    for (uint32_t at = PAGE_HEADER; at + sizeof(RecordHeader) <= end;) {
        const RecordHeader *r = (const RecordHeader *)(scan->bytes + at);
        Location location = LOCATION_MAKE(page, at);
        Sequence sequence = wanted(scan, RECORD_CLASS(r)) ? record_sequence(location, r) : 0;
        if (sequence != 0 && collect_may_take(RECORD_OID(r), sequence) && /* X3 */
            store_version(RECORD_OID(r)) == sequence && note_listed(scan, RECORD_OID(r)))
            oids[n++] = RECORD_OID(r);
        at += RECORD_BYTES(r->length);
    }
    return n;
}

size_t store_scan_next(StoreScan *scan, Oid *oids, size_t max)
{
    size_t n = 0;
    if (store_snapshot_seq() != scan->snapshot)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("the snapshot has moved during a scan"));
    Assert(max >= PAGE_PAYLOAD / sizeof(RecordHeader));
    while (n + PAGE_PAYLOAD / sizeof(RecordHeader) <= max) {
        if ((scan->extent == 0 || scan->page == EXTENT_PAGES) && !next_extent(scan))
            break;
        PageNo page = (PageNo)scan->extent * EXTENT_PAGES + scan->page;
        if ((scan->copy.used >> scan->page++ & 1) && read_page(scan, page))
            n += walk_page(scan, page, oids + n);
    }
    return n;
}
