/*
 * record.h - records: from a put to an image, and back from the pages.
 */
#ifndef STORAGE_PAGE_RECORD_H
#define STORAGE_PAGE_RECORD_H

#include "storage/state.h"

/* Bytes that record_encode() needs at most. */
size_t record_encode_bound(const StorePut *put);
/* Writes the image with sequence 0 and no previous version to `to` (8-byte aligned); returns its length, padded. */
uint32_t record_encode(const StorePut *put, void *to);

/* Reads the header at `location` and checks that it can be one, of this oid. */
void record_header(Location location, Oid oid, RecordHeader *out);
/* The same of whatever object the index has. */
void record_header_of(Location location, uint64_t index, RecordHeader *out);
/* The same, and in the same look at the page as many bytes behind it as there are and as out's buffer takes: returns how
 * many, for record_body. */
size_t record_start(Location location, Oid oid, RecordHeader *header, StoreRecord *out);
/* The sequence of the version at `location`: its own, or for a bulk commit's record its extent's. */
Sequence record_sequence(Location location, const RecordHeader *header);
/* Completes `out`, which has `have` bytes from record_start of the same record; 0: none. */
void record_body(Location location, const RecordHeader *header, size_t have, StoreRecord *out);
/* Only oid, slots and their number. */
void record_slots(Location location, const RecordHeader *header, StoreRecord *out);

#endif
