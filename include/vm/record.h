/* record.h -- how a type writes itself into a record of the store and reads itself back
 *
 * A record is the object's instance variables (named by its shape, written by vm/persist before
 * the type's own part; SLOTS types consist of nothing else), then the slots and bytes that the
 * type's persist function appends, in an order only its restore function need know.  Slots hold
 * Values: references become oids (objects reached without one are saved too), symbols become store-wide ids.  Bytes
 * must mean the same in every process and build: no pointers, no session ids, little-endian words.
 * restore runs on a cell that is zero-filled after the header (fresh or hollow) and must leave it whole; it must not call Ruby.
 * Slots it stores may stay unresolved.
 */
#ifndef VM_RECORD_H
#define VM_RECORD_H
#include "vm/object.h"

typedef struct RecordBuilder RecordBuilder;
typedef struct RecordReader RecordReader;
/* What a chunk's record holds, words as they stand in slots. */
typedef struct ChunkContent {
    const uint64_t *slots;
    size_t nslots;
    const void *bytes;
    size_t nbytes;
} ChunkContent;

void record_put_slot(RecordBuilder *, Slot s);                /* unresolved ones go as they are */
void record_put_slots(RecordBuilder *, const Slot *s, size_t n);
void record_put_value(RecordBuilder *, Value v);
void record_put_symbol_id(RecordBuilder *, uint32_t symbol_id); /* 0 stays 0; as a slot */
void record_put_encoding(RecordBuilder *, int enc);              /* as a symbol: its name */
void record_put_u64(RecordBuilder *, uint64_t n);             /* as 8 bytes */
void record_put_bytes(RecordBuilder *, const void *bytes, size_t n);
/* Content of bytes, the last of the record's slots and bytes: long content goes to chunks, of which the changed are written. */
void record_put_content(RecordBuilder *, const void *bytes, size_t n);
/* The record is to hold the whole body, vectors too: it is kept in memory, to undo changes. */
bool record_is_whole(const RecordBuilder *);
/* The root of the object's vector `which` (vm/vector.h), whose changed chunks are saved too. */
void record_put_vector(RecordBuilder *, unsigned which);
/* Raises TransactionError for the object being written, with the path from the root. */
_Noreturn void record_refuse(RecordBuilder *, const char *why);

/* Raises "the record of object N <what>": it can't be what a persist function wrote. */
_Noreturn void record_corrupt(RecordReader *, const char *what);
size_t record_slots_left(RecordReader *);
Slot record_take_slot(RecordReader *);                        /* ereport(data corrupted) when there is none */
void record_take_slots(RecordReader *, Slot *to, size_t n);
uint32_t record_take_symbol_id(RecordReader *);
int record_take_encoding(RecordReader *);                     /* -1: this version does not know it */
size_t record_bytes_left(RecordReader *);
uint64_t record_take_u64(RecordReader *);
struct Vector *record_take_vector(RecordReader *, uint64_t chunks); /* a root of so many chunks: none of them loaded */
const void *record_take_bytes(RecordReader *, size_t n);      /* valid until restore returns */

/* Content put by record_put_content: its size; itself, which may do I/O and raise: the object is to own `to` by then. */
size_t record_content_size(RecordReader *);
void record_take_content(RecordReader *, void *to);

/* The rows' functions of types whose records vm/persist writes (vm/persist/module_record.c, env_record.c). */
void class_persist(Object *, RecordBuilder *);
void class_restore(Object *, RecordReader *);
void symtable_persist(Object *, RecordBuilder *);
void symtable_restore(Object *, RecordReader *);
void method_entry_persist(Object *, RecordBuilder *);
void method_entry_restore(Object *, RecordReader *);
void env_persist(Object *, RecordBuilder *);
void env_restore(Object *, RecordReader *);
#endif
