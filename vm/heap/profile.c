/* profile.c -- a row for each collection, for GC::Profiler
 *
 * Turns of the collector add up; the first one after which there is a collection more makes a row.  A lazy sweep that comes after it
 * counts for the next.  The rows lie in C memory and hold no Values.
 */
#include "vm/heap/heap_private.h"

#include <stdlib.h>

bool heap_profiling;
static HeapProfileRow *rows;
static size_t count, room;
static uint64_t collections, turns_ns, moved;

void heap_profile_note(uint64_t took_ns)
{
    if (likely(!heap_profiling)) {
        collections = heap.stats.count;
        moved = heap.stats.moved;
        return;
    }
    turns_ns += took_ns;
    if (heap.stats.count == collections)
        return;
    collections = heap.stats.count;
    if (count == room) {
        size_t more = room ? room * 2 : 64;
        HeapProfileRow *grown = realloc(rows, more * sizeof *rows);
        if (!grown)
            return; /* a row less: no reason to end the program */
        rows = grown;
        room = more;
    }
    HeapProfileRow *row = &rows[count++];
    *row = (HeapProfileRow){.what = heap.last, .at_ns = heap_now_ns(), .took_ns = turns_ns, .used = heap.live_bytes,
                            .total = heap.page_count << PAGE_SHIFT, .moved = heap.stats.moved - moved};
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++)
        if (heap.pages[i].kind == PAGE_SMALL || heap.pages[i].kind == PAGE_LARGE)
            row->cells += heap.pages[i].ncells;
    moved = heap.stats.moved;
    turns_ns = 0;
}

const HeapProfileRow *heap_profile(size_t *n)
{
    *n = count;
    return rows;
}

void heap_profile_clear(void)
{
    count = 0;
    turns_ns = 0;
}
