/* vector.h -- bodies of big objects in chunks
 *
 * An object whose body is big stores it as a vector: chunks, each a record with an oid of its own, and the object's own
 * record (the root) with their oids, through nodes of VECTOR_FANOUT oids when there are many.  In memory the body is one
 * piece of address space as ever; the Vector beside it says for each chunk whether it is there and whether it changed.
 * So a session that looks at one element reads one chunk, and one that changes it writes that chunk and the root.
 *
 * A type with vectors has the functions `vector`, `chunk_put`, `chunk_take` and (when slots of an absent chunk can be
 * met by slot_read) `absent_slot` in its TypeRow, and sets OT_VECTOR in an object that has them.
 *
 * V1  A chunk is PRESENT (the body has its content) or has an oid to load it from.  DIRTY ones are PRESENT.
 * V2  Whoever changes elements calls vector_load for chunks that keep some of their content, then vector_mark.
 * V3  The root is written with every changed chunk (the owner went through obj_modify), so an object's conflicts are
 *     found at the root, and the content of a vector with its root's version is what the same snapshot sees.
 * V4  In an absent chunk of slots each slot holds SLOT_ABSENT: an unresolved reference to no object, which slot_read
 *     answers by loading the chunk.
 */
#ifndef VM_VECTOR_H
#define VM_VECTOR_H
#include "vm/object.h"

enum {
    VECTOR_SLOTS = 256,   /* slots a chunk; a body that fits one is no vector */
    VECTOR_BYTES = 4096,  /* bytes a chunk */
    VECTOR_FANOUT = 256,  /* oids a node */
    VECTOR_FLAT = 64,     /* more chunks than this have nodes */
};
#define OT_VECTOR   OT_FLAG(15)
#define SLOT_ABSENT ((uint64_t)TAG_OID)

enum { CHUNK_PRESENT = 1, CHUNK_DIRTY = 2, CHUNK_STORED = 4 }; /* STORED: a committed version exists */
enum { NODE_KNOWN = 1, NODE_DIRTY = 2, NODE_STORED = 4 };      /* KNOWN: its oids stand in `oids` */

typedef struct Vector {
    uint32_t chunks, room; /* in use; of the arrays */
    uint64_t *oids;        /* of chunks; 0: none yet, or in a node that is not known */
    uint8_t *state;
    uint32_t nodes, node_room; /* as many as `chunks` needs, whatever the stored form has */
    uint64_t *node_oids;
    uint8_t *node_state;
} Vector;

/* A vector of `chunks` chunks, all PRESENT and DIRTY: a body that was never stored as one.  Owned by the caller. */
Vector *vector_new(uint32_t chunks);
/* As a root has it: nothing is PRESENT, no oid is known. */
Vector *vector_new_absent(uint32_t chunks);
void vector_free(Vector *); /* NULL is nothing */
/* New chunks are PRESENT and DIRTY; those cut off are forgotten. */
void vector_resize(Vector *, uint32_t chunks);

static inline bool vector_present(const Vector *v, uint32_t chunk)
{
    return v->state[chunk] & CHUNK_PRESENT;
}
/* Makes chunk `chunk` of the owner's vector `which` PRESENT.  May do I/O, collect, raise: body pointers are void. */
void vector_load(Value owner, unsigned which, uint32_t chunk);
void vector_load_all(Value owner, unsigned which);
/* Chunks from..to (inclusive) will be written in full or were loaded: PRESENT and DIRTY. */
void vector_mark(Vector *, uint32_t from, uint32_t to);
/* A commit has saved the owner. */
void vector_committed(Value owner);

/* By vm/persist: reads the chunk; the owner is attended to and lacks it.  It may still lack it afterwards, when the owner
 * lost its body meanwhile. */
extern void (*vector_load_hook)(Value owner, unsigned which, uint32_t chunk);

#endif
