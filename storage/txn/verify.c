/*
 * verify.c - walks the whole store and checks it.  For tests, `lodectl verify`, and after each replayed crash.
 *
 * V1: every word of the object table leads to a record of its object with its sequence, in a page that its extent counts.
 * V2: every page that an extent counts is whole on disk, or in the cache.
 * V3: no word has a sequence beyond the published one, or a lock while nobody commits.
 * V4: a record refers only to objects that are there, and its class is there (those below OID_FIRST_USER are the program's).
 * V5: the extents' kinds add up; no free extent is counted as in use, none that data lies in as free.
 */
#include "lib/error.h"
#include "storage/page/cache.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/txn.h"

static NORETURN void wrong(Oid oid, const char *what)
{
    ereport(ERROR, ERR_CORRUPT_RECORD,
            errmsg("object with index %llu of \"%s\": %s", (unsigned long long)oid, the_store->dir, what),
            errhint("Restore the store from a backup."));
}

static void check_place(uint64_t index, Location location, uint32_t pages)
{
    PageNo page = LOCATION_PAGE(location);
    for (uint32_t i = 0; i < pages; i++, page++) {
        uint64_t e = page / EXTENT_PAGES;
        if (e >= the_store->shared->extents)
            wrong(index, "its record lies beyond the last extent");
        const Extent *x = &the_store->extents[e];
        if (x->kind != EXTENT_MIXED && x->kind != EXTENT_CLASS && x->kind != EXTENT_BULK)
            ereport(ERROR, ERR_CORRUPT_RECORD,
                    errmsg("object with index %llu of \"%s\": its record lies in page %llu, whose extent %llu is of kind %u",
                           (unsigned long long)index, the_store->dir, (unsigned long long)page, (unsigned long long)e,
                           x->kind),
                    errdetail("The extent's bulk commit is %llu, its sequence %llu, its pages %016llx.",
                              (unsigned long long)x->bulk, (unsigned long long)atomic_load(&the_store->extents[e].sequence),
                              (unsigned long long)x->used));
        if (!(x->used >> (page % EXTENT_PAGES) & 1))
            wrong(index, "its record lies in a page that was never opened");
    }
}

static bool is_there(Oid oid)
{
    if (oid < OID_FIRST_USER)
        return true;
    return TABLE_PAGE(OID_INDEX(oid)) < atomic_load(&the_store->shared->table_pages) &&
           (cache_table_location(OID_INDEX(oid)) & LOCATION_MASK) != 0;
}

/* V4 */
static void check_references(uint64_t index, const StoreRecord *record)
{
    if (record->class_id != 0 && !is_there(store_class_oid(record->class_id)))
        wrong(index, "its class is missing");
    for (uint32_t i = 0; i < record->nslots; i++)
        if (SLOT_IS_REFERENCE(record->slots[i]) && !is_there(SLOT_OID(record->slots[i])))
            ereport(ERROR, ERR_CORRUPT_RECORD,
                    errmsg("object with index %llu of \"%s\": slot %u refers to object %llu, which is missing",
                           (unsigned long long)index, the_store->dir, i, (unsigned long long)SLOT_OID(record->slots[i])),
                    errhint("Restore the store from a backup."));
}

static void check_object(uint64_t index, const TableEntry *entry, StoreRecord *record)
{
    uint64_t control = atomic_load(&entry->control);
    Location location = atomic_load(&entry->location) & LOCATION_MASK;
    RecordHeader header;

    if (control & CONTROL_LOCKED)
        wrong(index, "its word is locked");
    if (CONTROL_SEQUENCE(control) > atomic_load(&the_store->shared->published))
        wrong(index, "its word is newer than the newest commit");
    /* The record holds the full id; the table knows only the index. */
    PageNo page = LOCATION_PAGE(location);
    if (page >= the_store->shared->max_pages || LOCATION_OFFSET(location) < PAGE_HEADER ||
        LOCATION_OFFSET(location) + sizeof(header) > PAGE_BYTES)
        wrong(index, "its location can't be");
    cache_copy(page, LOCATION_OFFSET(location), &header, sizeof(header));
    if (OID_INDEX(RECORD_OID(&header)) != index)
        wrong(index, "its word leads to another object's record");
    record_header(location, RECORD_OID(&header), &header);
    Sequence sequence = record_sequence(location, &header);
    bool by_extent = RECORD_SEQUENCE(&header) == 0 && sequence > CONTROL_SEQUENCE(control); /* bulk.c B3 */
    if (sequence != CONTROL_SEQUENCE(control) && !by_extent)
        ereport(ERROR, ERR_CORRUPT_RECORD,
                errmsg("object with index %llu of \"%s\": its word says commit %llu, its record at byte %u of page %llu %llu",
                       (unsigned long long)index, the_store->dir, (unsigned long long)CONTROL_SEQUENCE(control),
                       LOCATION_OFFSET(location), (unsigned long long)page,
                       (unsigned long long)sequence),
                errhint("Restore the store from a backup."));
    check_place(index, location, RECORD_PAGES(RECORD_BYTES(header.length)) > 1 ?
                                     RECORD_PAGES(RECORD_BYTES(header.length)) : 1);
    record_body(location, &header, 0, record);
    if (record->class_id > store_class_count())
        wrong(index, "its class was never named");
    if (record->shape > store_shape_count())
        wrong(index, "its shape was never named");
    check_references(index, record);
}

/* V5 */
static void check_extents(void)
{
    StoreShared *s = the_store->shared;
    uint64_t counted[COUNT_OF(s->kind_count)] = { 0 };
    for (uint32_t e = 0; e < s->extents; e++) {
        const Extent *x = &the_store->extents[e];
        if (x->kind >= COUNT_OF(counted) || (x->kind == EXTENT_FREE && x->used != 0))
            ereport(ERROR, ERR_CORRUPT_RECORD,
                    errmsg("extent %u of \"%s\" is of kind %u and has pages %016llx in use", e, the_store->dir, x->kind,
                           (unsigned long long)x->used),
                    errhint("Restore the store from a backup."));
        counted[x->kind]++;
    }
    for (unsigned kind = 0; kind < COUNT_OF(counted); kind++)
        if (counted[kind] != s->kind_count[kind])
            ereport(ERROR, ERR_CORRUPT_RECORD,
                    errmsg("\"%s\" has %llu extents of kind %u and counts %llu", the_store->dir,
                           (unsigned long long)counted[kind], kind, (unsigned long long)s->kind_count[kind]),
                    errhint("Restore the store from a backup."));
}

static void check_pages(void)
{
    StoreShared *s = the_store->shared;
    uint8_t *page = page_scratch();
    for (uint32_t e = 1; e < s->extents; e++) {
        const Extent *x = &the_store->extents[e];
        /* A bulk commit's last pages may never have been taken; its objects' pages are checked through them. */
        if (x->kind != EXTENT_MIXED && x->kind != EXTENT_CLASS)
            continue;
        for (unsigned i = 0; i < EXTENT_PAGES; i++) {
            PageNo p = (PageNo)e * EXTENT_PAGES + i;
            if ((x->used >> i & 1) && atomic_load(&the_store->page_map[p]) == 0)
                page_read(p, page);
        }
    }
}

uint64_t store_verify(void)
{
    StoreShared *s = the_store->shared;
    MemoryContext *context = memctx_create(the_store->context, "verify");
    StoreRecord record;
    TableEntry *entries = mem_alloc(context, PAGE_PAYLOAD);
    uint64_t objects = 0;

    store_record_init(&record, context);
    TRY()
    {
        for (uint64_t logical = 0; logical < atomic_load(&s->table_pages); logical++) {
            cache_copy(TABLE_KEY | logical, PAGE_HEADER, entries, TABLE_ENTRIES * sizeof(TableEntry));
            for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
                if ((atomic_load(&entries[i].location) & LOCATION_MASK) == 0)
                    continue;
                check_object(logical * TABLE_ENTRIES + i, &entries[i], &record);
                objects++;
            }
        }
        check_extents();
        check_pages();
    }
    CATCH(err)
    {
        memctx_delete(context);
        rethrow();
    }
    END_TRY();
    memctx_delete(context);
    return objects;
}
