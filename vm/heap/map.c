/* map.c -- a snapshot of every cell of the session's own pages, for the picture that vm/core/heap_map.c draws
 *
 * Taken after a whole collection, when marks and pins are true and nothing waits to be swept.  Pages of boot are counted,
 * not listed: they never change.  Moves are noted, while somebody wants them, in a bit table beside the marks.
 */
#include "vm/heap/heap_private.h"

#include "lib/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

static HeapCell cell_state(const HeapPage *p, uint32_t i)
{
    char *cell = page_start(p) + (size_t)i * p->cell_size;
    Value v = (Value)(uintptr_t)cell;
    if (obj_type(v) == T_FREE)
        return HEAP_CELL_FREE;
    if (bit_test(heap.pin, bit_of(v)))
        return HEAP_CELL_PINNED;
    return heap.moved && bit_test(heap.moved, bit_of(v)) ? HEAP_CELL_MOVED : HEAP_CELL_LIVE;
}

static void take_page(HeapMap *map, const HeapPage *p)
{
    HeapMapPage *m = &map->pages[map->npages++];
    m->number = (size_t)(p - heap.pages);
    m->cell_size = p->kind == PAGE_LARGE ? (uint64_t)p->npages << PAGE_SHIFT : p->cell_size;
    m->large = p->kind == PAGE_LARGE;
    m->ncells = p->ncells;
    m->state = mem_alloc(memctx_top(), m->ncells);
    for (uint32_t i = 0; i < m->ncells; i++) {
        m->state[i] = (uint8_t)cell_state(p, i);
        map->cells[m->state[i]]++;
        if (m->state[i] != HEAP_CELL_FREE)
            map->live_bytes += m->cell_size;
    }
    map->bytes += (uint64_t)(p->kind == PAGE_LARGE ? p->npages : 1) << PAGE_SHIFT;
}

HeapMap *heap_map_take(void)
{
    HeapMap *map = mem_new(memctx_top(), HeapMap);
    size_t total = heap.used >> PAGE_SHIFT;
    map->pages = mem_alloc_array(memctx_top(), total + 1, sizeof *map->pages);
    for (size_t i = 0; i < total; i++) {
        const HeapPage *p = &heap.pages[i];
        if (p->kind != PAGE_SMALL && p->kind != PAGE_LARGE)
            continue;
        if (p->boot)
            map->boot_pages++;
        else
            take_page(map, p);
    }
    return map;
}

void heap_map_free(HeapMap *map)
{
    for (size_t i = 0; i < map->npages; i++)
        mem_free(map->pages[i].state);
    mem_free(map->pages);
    mem_free(map);
}

void heap_note_moves(bool wanted)
{
    size_t bytes = heap.reserved / 16 / 8;
    if (heap.moved)
        munmap(heap.moved, bytes);
    heap.moved = NULL;
    if (!wanted)
        return;
    void *bits = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    heap.moved = bits == MAP_FAILED ? NULL : bits; /* without it moved cells are drawn as live ones */
}
