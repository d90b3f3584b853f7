/*
 * format.h - what stands on disk in base/pages: pages, records, object-table entries, extents, directory.
 *
 * All numbers are little-endian and naturally aligned.  FORMAT_VERSION goes up with any change here; a store of another
 * version is refused when it is opened (control.c).
 *
 * A page is PAGE_BYTES; page n of the store stands at offset n * PAGE_BYTES of base/pages.  Extent e is the pages
 * e * EXTENT_PAGES and on.  Extent 0 is never used, so that page 0 and location 0 can mean "none".
 */
#ifndef STORAGE_PAGE_FORMAT_H
#define STORAGE_PAGE_FORMAT_H

#include "lib/base.h"
#include "storage/store.h"

#define FORMAT_VERSION 4

#define PAGE_BYTES 16384
#define PAGE_HEADER 64
#define PAGE_PAYLOAD (PAGE_BYTES - PAGE_HEADER)
#define EXTENT_PAGES 64
#define EXTENT_BYTES ((uint64_t)PAGE_BYTES * EXTENT_PAGES)

typedef uint64_t PageNo;

typedef enum PageKind {
    PAGE_NONE,
    PAGE_DATA,      /* records, from PAGE_HEADER to fill */
    PAGE_RUN,       /* second and later pages of a record larger than a page */
    PAGE_TABLE,     /* object table: TABLE_ENTRIES entries; logical = which */
    PAGE_DIRECTORY, /* DIRECTORY_ENTRIES places; logical = stream << 32 | which */
    PAGE_ROOT,      /* the directory's root */
    PAGE_EXTENTS,   /* extent map; logical = which */
    PAGE_CATALOGUE, /* interned names; logical = which */
} PageKind;

typedef struct PageHeader {
    uint32_t crc;      /*  0: CRC-32C of the page's number, then of the page with this field 0 */
    uint16_t version;  /*  4: FORMAT_VERSION */
    uint16_t kind;     /*  6: PageKind */
    uint64_t page;     /*  8: its own number */
    uint64_t lsn;      /* 16: the log must be durable to here before the page is written */
    uint32_t class_id; /* 24: data pages: the class all records have, 0: mixed */
    uint32_t fill;     /* 28: bytes in use from the page's start */
    uint64_t logical;  /* 32: see PageKind */
    uint64_t store_id; /* 40: a page of another store is noticed */
    uint32_t run;      /* 48: pages in this run (first page: 1 for ordinary ones) */
    uint32_t run_index; /* 52 */
    uint64_t spare;    /* 56 */
} PageHeader;
_Static_assert(sizeof(PageHeader) == PAGE_HEADER, "page header is 64 bytes on disk");

/* ---- locations: where a record starts.  45 bits: page << 11 | offset / 8.  0: nowhere. ---- */

typedef uint64_t Location;
#define LOCATION_BITS 45
#define LOCATION_MASK ((UINT64_C(1) << LOCATION_BITS) - 1)
#define LOCATION_MAKE(page, offset) ((Location)(page) << 11 | (Location)((offset) >> 3))
#define LOCATION_PAGE(loc) ((PageNo)(((loc) & LOCATION_MASK) >> 11))
#define LOCATION_OFFSET(loc) ((uint32_t)((loc) & 0x7ff) << 3)
#define MAX_PAGES (UINT64_C(1) << 34)

/* ---- records ------------------------------------------------------------------------------------ */

/*
 * One version of one object, 8-byte aligned.  Behind the header: [number of slots, if it does not fit the header]
 * slots, [length of the bytes before compression], bytes; padded to 8.  A record larger than a page starts at
 * PAGE_HEADER of a run of pages and goes on at PAGE_HEADER of each following one.
 */
typedef struct RecordHeader {
    uint64_t oid_format;   /*  0: oid << 8 | format */
    uint64_t sequence_etc; /*  8: bits 0-49 commit sequence (0: not committed, or a bulk commit: then the
                            *     extent's), 50-53 the user's flags, 54 lz4, 55 spare, 56-63 class id's high byte */
    uint64_t previous_etc; /* 16: bits 0-44 location of the version before, 48-63 class id's low bytes */
    uint32_t shape_slots;  /* 24: bits 0-23 shape id, 24-31 number of slots, 255: the body's first word has it */
    uint32_t length;       /* 28: bytes behind the header, without padding */
} RecordHeader;
_Static_assert(sizeof(RecordHeader) == 32, "record header is 32 bytes on disk");

#define SEQUENCE_BITS 50
#define SEQUENCE_MASK ((UINT64_C(1) << SEQUENCE_BITS) - 1)
#define RECORD_FLAG_LZ4 (UINT64_C(1) << 54)
#define RECORD_MANY_SLOTS 255

#define RECORD_OID(h) ((Oid)((h)->oid_format >> 8))
#define RECORD_FORMAT(h) ((uint8_t)(h)->oid_format)
#define RECORD_SEQUENCE(h) ((h)->sequence_etc & SEQUENCE_MASK)
#define RECORD_FLAGS(h) ((uint8_t)((h)->sequence_etc >> SEQUENCE_BITS & 0xf))
#define RECORD_CLASS(h) ((uint32_t)((h)->sequence_etc >> 56 << 16 | (h)->previous_etc >> 48))
#define RECORD_PREVIOUS(h) ((h)->previous_etc & LOCATION_MASK)
#define RECORD_SHAPE(h) ((h)->shape_slots & 0xffffff)
/* Header, body and padding. */
#define RECORD_BYTES(length) ((uint32_t)ALIGN_UP(sizeof(RecordHeader) + (size_t)(length), 8))
/* Pages that a record of `bytes` takes: 1 when it fits into one. */
#define RECORD_PAGES(bytes) (((bytes) + PAGE_PAYLOAD - 1) / PAGE_PAYLOAD)

/* ---- object table --------------------------------------------------------------------------------- */

typedef struct TableEntry {
    _Atomic uint64_t location; /* of the newest committed version; readers use only this */
    _Atomic uint64_t control;  /* bits 0-49 its sequence, 50-62 the locker's slot, 63 locked; committers only */
} TableEntry;
_Static_assert(sizeof(TableEntry) == 16, "table entry is 16 bytes on disk");

/*
 * Above the location stands, while there is none, the generation that the index waits for: its last object was collected
 * (compact/collect.c), the next one's oid has this generation.  0: no object of the index was ever collected.
 */
#define WORD_GENERATION_SHIFT 48
#define WORD_GENERATION(location) ((location) >> WORD_GENERATION_SHIFT)
#define WORD_WAITS_FOR(generation) ((uint64_t)(generation) << WORD_GENERATION_SHIFT)

#define TABLE_ENTRIES (PAGE_PAYLOAD / sizeof(TableEntry)) /* 1020 */
#define TABLE_PAGE(index) ((index) / TABLE_ENTRIES)
#define TABLE_SLOT(index) ((index) % TABLE_ENTRIES)
#define CONTROL_LOCKED (UINT64_C(1) << 63)
#define CONTROL_SEQUENCE(c) ((c) & SEQUENCE_MASK)
#define CONTROL_LOCKER(c) ((int)((c) >> SEQUENCE_BITS & 0x1fff))
#define CONTROL_LOCK(c, slot) (CONTROL_SEQUENCE(c) | (uint64_t)(slot) << SEQUENCE_BITS | CONTROL_LOCKED)

/* ---- extent map ------------------------------------------------------------------------------------ */

typedef enum ExtentKind {
    EXTENT_FREE,
    EXTENT_MIXED, /* data pages of any class, each page of one class or mixed */
    EXTENT_CLASS, /* data pages of one class */
    EXTENT_META,  /* object table, directory, extent map, catalogue; copy on write */
    EXTENT_BULK,  /* data pages of one bulk commit; sequence 0: not (yet) committed */
    EXTENT_DEAD,  /* given up; free after a checkpoint whose redo point lies after that */
    EXTENT_NEVER, /* extent 0 */
} ExtentKind;

typedef struct StoredExtent {
    uint64_t used;     /*  0: bit n: page n of the extent was opened (data) or is referred to (meta) */
    uint64_t sequence; /*  8: bulk: of the commit */
    uint64_t bulk;     /* 16: bulk: number of the commit that fills it */
    uint32_t class_id; /* 24 */
    uint8_t kind;      /* 28: ExtentKind */
    uint8_t spare;     /* 29 */
    uint16_t live;     /* 30: data: bytes of records that words lead to / LIVE_UNIT, rounded up; near the truth */
} StoredExtent;
_Static_assert(sizeof(StoredExtent) == 32, "extent entry is 32 bytes on disk");
#define EXTENTS_PER_PAGE (PAGE_PAYLOAD / sizeof(StoredExtent)) /* 510 */
#define LIVE_UNIT 64
#define EXTENT_PAYLOAD ((int32_t)(EXTENT_PAGES * PAGE_PAYLOAD))

/* ---- directory ----------------------------------------------------------------------------------------- */

/* Three streams of pages are found through the directory, each by its logical number. */
typedef enum Stream { STREAM_TABLE, STREAM_EXTENTS, STREAM_CATALOGUE, STREAM_COUNT } Stream;

#define DIRECTORY_ENTRIES (PAGE_PAYLOAD / sizeof(uint64_t)) /* 2040 places a directory page */

typedef struct DirectoryRoot {
    uint64_t pages[STREAM_COUNT];  /* pages in each stream */
    uint64_t catalogue_bytes;
    uint64_t extents;              /* extents in the map */
    uint64_t counters[STORE_COUNTERS];
    uint64_t places[];             /* directory pages: all of stream 0, then of stream 1, ... */
} DirectoryRoot;
#define ROOT_ENTRIES ((PAGE_PAYLOAD - sizeof(DirectoryRoot)) / sizeof(uint64_t))

/* ---- checksums: page.c ----------------------------------------------------------------------------------- */

/* Fills in version, number, store and checksum of a page about to be written to `place`. */
void page_finish(void *page, PageNo place, uint64_t store_id);
/* NULL when the page is what should stand at `place`, else what is wrong with it. */
const char *page_examine(const void *page, PageNo place, uint64_t store_id);

#endif
