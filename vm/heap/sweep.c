/* sweep.c -- dead cells become free runs, lazily
 *
 * After a marking the pages that may hold dead objects wait on lists, by class.  An allocation that finds no free run sweeps
 * pages of its class; what is handed out sweeps some more, so that all are done well before the next collection, which waits
 * for them (collect.c).  No turn sweeps more than SWEEP_AT_ONCE pages.  After a young collection only pages wait in which
 * cells were handed out.
 *
 * W1  Between a marking and the sweep of its page a dead object has neither mark nor a way to it: heap_object_at does not
 *     find it, weak passes have dropped it.
 */
#include "vm/heap/heap_private.h"

#include <malloc.h>

void page_build_runs(HeapPage *p)
{
    char *start = page_start(p);
    uint32_t live = 0, *link = &p->first_run;
    uint32_t size = p->cell_size;
    FreeRun *run = NULL;
    for (uint32_t i = 0; i < p->ncells; i++) {
        Object *o = (Object *)(start + (size_t)i * size);
        if (o->head != 0) {
            live++;
            run = NULL;
            continue;
        }
        if (!run) {
            run = (FreeRun *)o;
            *link = i * size + 1;
            link = &run->next;
        }
        run->end = (i + 1) * size;
    }
    *link = 0;
    p->live = live;
}

void page_list(HeapPage *p)
{
    if (p->listed || !p->first_run)
        return;
    p->listed = true;
    p->next = heap.avail[p->size_class];
    heap.avail[p->size_class] = p;
}

void heap_free_object(Object *o)
{
    uint64_t head = o->head;
    if (head & (OF_IVARS | OF_ID | OF_FINALIZER))
        heap_side.drop(o);
    if (head & OF_HOLLOW)
        return;
    ObjectType type = (ObjectType)(head & OH_TYPE);
    if (type_has_slots(type)) {
        if (!(head & OF_EMBED))
            heap_free(((SlotObject *)o)->ext);
    } else if (heap_rows[type] && heap_rows[type]->free) {
        heap_rows[type]->free(o);
    }
}

static void sweep_small(HeapPage *p)
{
    char *start = page_start(p);
    const uint64_t *marks = &heap.mark[(size_t)(p - heap.pages) * PAGE_WORDS];
    uint32_t size = p->cell_size, live = 0, *link = &p->first_run;
    FreeRun *run = NULL;
    p->unswept = p->fresh = false;
    for (uint32_t at = 0, end = p->ncells * size; at < end; at += size) {
        Object *o = (Object *)(start + at);
        if (bit_test(marks, at >> 4)) {
            live++;
            run = NULL;
            continue;
        }
        if (o->head != 0) {
            if ((o->head & OH_TYPE) != T_FREE) { /* else: moved on */
                heap_free_object(o);
                heap.freed[p->size_class]++;
            }
            if (heap_mode & HEAP_EVACUATE)
                memset(o, 0xdb, size);
            o->head = 0;
        }
        if (!run) {
            run = (FreeRun *)o;
            *link = at + 1;
            link = &run->next;
        }
        run->end = at + size;
    }
    *link = 0;
    p->live = live;
    if (live == 0)
        page_release(p);
    else
        page_list(p);
}

static void sweep_large(HeapPage *p)
{
    p->unswept = false;
    p->live = 1;
    if (heap_marked((Value)page_start(p)))
        return;
    Object *o = (Object *)page_start(p);
    heap_free_object(o);
    o->head = 0;
    heap.freed[CLASS_LARGE]++;
    page_release(p);
}

static void sweep_next(unsigned c)
{
    HeapPage *p = heap.unswept[c];
    heap.unswept[c] = p->next;
    heap.unswept_count--;
    if (c == CLASS_LARGE)
        sweep_large(p);
    else
        sweep_small(p);
    if (heap.unswept_count == 0)
        heap.cooling = true;
}

void sweep_begin(void)
{
    Assert(heap.unswept_count == 0);
    if (!heap.young_only)
        memset(heap.avail, 0, sizeof heap.avail);
    for (size_t n = heap.used >> PAGE_SHIFT; n-- > 0;) {
        HeapPage *p = &heap.pages[n];
        if ((p->kind != PAGE_SMALL && p->kind != PAGE_LARGE) || p->boot)
            continue;
        bool sweep = p->touched || p->fresh || !heap.young_only;
        p->touched = false;
        if (!heap.young_only)
            p->listed = false;
        if (!sweep)
            continue;
        Assert(!p->listed);
        p->unswept = true;
        p->next = heap.unswept[p->size_class];
        heap.unswept[p->size_class] = p;
        heap.unswept_count++;
    }
    heap.sweep_pace = 1 + heap.unswept_count * 2 * HEAP_PAGE_SIZE / heap.nursery;
    heap.swept_at = 0;
}

void sweep_some(unsigned c)
{
    unsigned n = 0;
    uint64_t from = 0;
    for (; n < SWEEP_AT_ONCE && heap.unswept[c] && !heap.avail[c]; n++) {
        if (n == 1)
            from = heap_now_ns();
        sweep_next(c);
    }
    if (n > 1)
        heap_note_sweep(from);
}

void sweep_pages(uint64_t n)
{
    static unsigned turn;
    for (; n > 0 && heap.unswept_count > 0; turn = (turn + 1) % (HEAP_CLASSES + 1))
        for (; n > 0 && heap.unswept[turn]; n--)
            sweep_next(turn);
}

void sweep_paced(void)
{
    uint64_t due = 1 + (heap.since - heap.swept_at) * heap.sweep_pace / HEAP_PAGE_SIZE;
    heap.swept_at = heap.since;
    if (due < SWEEP_AT_ONCE / 8) { /* too short to be worth a look at the clock */
        sweep_pages(due);
        return;
    }
    uint64_t from = heap_now_ns();
    sweep_pages(MIN(due, (uint64_t)SWEEP_AT_ONCE));
    heap_note_sweep(from);
}

void sweep_finish(void)
{
    for (unsigned c = 0; c <= HEAP_CLASSES; c++)
        while (heap.unswept[c])
            sweep_next(c);
}
