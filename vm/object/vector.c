/* vector.c -- which chunks of a big body are in memory, which changed (vector.h has the rules)
 *
 * State is a byte a chunk and a byte a node.  An object's vectors are found through its TypeRow, by number: 0, 1, ...
 */
#include "vm/vector.h"
#include "vm/heap.h"
#include "lib/base.h"

void (*vector_load_hook)(Value owner, unsigned which, uint32_t chunk);

static uint32_t nodes_for(uint32_t chunks)
{
    return (chunks + VECTOR_FANOUT - 1) / VECTOR_FANOUT;
}

/* Room for so many chunks; new entries are zero. */
static void grow(Vector *v, uint32_t chunks)
{
    if (chunks > v->room) {
        uint32_t room = chunks + chunks / 2 + 4;
        v->oids = heap_realloc(v->oids, room * sizeof(uint64_t));
        v->state = heap_realloc(v->state, room);
        v->room = room;
    }
    uint32_t nodes = nodes_for(chunks);
    if (nodes > v->node_room) {
        uint32_t room = nodes + nodes / 2 + 1;
        v->node_oids = heap_realloc(v->node_oids, room * sizeof(uint64_t));
        v->node_state = heap_realloc(v->node_state, room);
        v->node_room = room;
    }
    if (chunks > v->chunks) {
        memset(v->oids + v->chunks, 0, (chunks - v->chunks) * sizeof(uint64_t));
        memset(v->state + v->chunks, 0, chunks - v->chunks);
    }
    if (nodes > v->nodes) {
        memset(v->node_oids + v->nodes, 0, (nodes - v->nodes) * sizeof(uint64_t));
        memset(v->node_state + v->nodes, 0, nodes - v->nodes);
    }
    v->chunks = chunks;
    v->nodes = nodes;
}

Vector *vector_new_absent(uint32_t chunks)
{
    Vector *v = heap_calloc(1, sizeof(Vector));
    grow(v, chunks);
    return v;
}

Vector *vector_new(uint32_t chunks)
{
    Vector *v = heap_calloc(1, sizeof(Vector));
    vector_resize(v, chunks);
    return v;
}

void vector_free(Vector *v)
{
    if (!v)
        return;
    heap_free(v->oids);
    heap_free(v->state);
    heap_free(v->node_oids);
    heap_free(v->node_state);
    heap_free(v);
}

void vector_resize(Vector *v, uint32_t chunks)
{
    uint32_t old = v->chunks, old_nodes = v->nodes;
    grow(v, chunks);
    if (chunks > old)
        memset(v->state + old, CHUNK_PRESENT | CHUNK_DIRTY, chunks - old);
    for (uint32_t n = old_nodes; n < v->nodes; n++)
        v->node_state[n] = NODE_KNOWN | NODE_DIRTY;
}

void vector_load(Value owner, unsigned which, uint32_t chunk)
{
    for (;;) {
        obj_attend(owner);
        const TypeRow *row = heap_type_row(obj_type(owner));
        Vector *v = (obj_head(owner) & OT_VECTOR) ? row->vector(obj_ptr(owner), which) : NULL;
        if (!v || chunk >= v->chunks || vector_present(v, chunk))
            return;
        vector_load_hook(owner, which, chunk);
    }
}

void vector_load_all(Value owner, unsigned which)
{
    obj_attend(owner);
    const TypeRow *row = heap_type_row(obj_type(owner));
    for (uint32_t c = 0; obj_head(owner) & OT_VECTOR; c++) {
        Vector *v = row->vector(obj_ptr(owner), which);
        if (!v || c >= v->chunks)
            return;
        if (!vector_present(v, c))
            vector_load(owner, which, c);
    }
}

void vector_mark(Vector *v, uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c <= to && c < v->chunks; c++)
        v->state[c] |= CHUNK_PRESENT | CHUNK_DIRTY;
}

void vector_committed(Value owner)
{
    const TypeRow *row = heap_type_row(obj_type(owner));
    Vector *v;
    for (unsigned which = 0; (v = row->vector(obj_ptr(owner), which)) != NULL; which++) {
        for (uint32_t c = 0; c < v->chunks; c++)
            if (v->state[c] & CHUNK_DIRTY)
                v->state[c] = CHUNK_PRESENT | CHUNK_STORED;
        for (uint32_t n = 0; n < v->nodes; n++)
            if (v->node_state[n] & NODE_DIRTY)
                v->node_state[n] = (v->node_state[n] & NODE_KNOWN) | NODE_STORED;
    }
}
