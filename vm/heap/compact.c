/* compact.c -- moving objects: evacuation (a debug mode) and compaction in place
 *
 * All movers copy whole cells within a size class, leave a forwarding address, and then update every reference by the same
 * visitors that mark them; tables keyed by address follow in the weak passes.  What C code holds is pinned and stays.
 *
 *   evacuate   each unpinned object goes to a fresh page; the old cell is poisoned by the sweep.  The verifier of H3, H6, H8, H9.
 *   two-finger for each class: pages that cannot go away (pinned cells) come first, then the fullest; one finger looks for free
 *              cells from the left, one for objects from the right, until they meet.  Fewest moves.
 *   sliding    for each class, in order of addresses: every object moves down to the next free cell, so that neighbours stay
 *              neighbours.  Cells are filled again before references are updated, so the addresses lie beside the page.
 *
 *   C1  What is pinned never moves; nor does anything of boot, or a large object.
 *   C4  A forwarding address is 8 bits above T_FREE in the header of the old cell, or in HeapPage.forward while sliding.
 */
#include "vm/heap/heap_private.h"

#include "lib/error.h"
#include "vm/call.h"
#include <stdlib.h>
#include <sys/mman.h>

static bool sliding_now;
static uint64_t moved_count;

static inline bool forwarded(Value v)
{
    return (obj_head(v) & OH_TYPE) == T_FREE && obj_head(v) != 0;
}

static inline Value forward(Value v)
{
    if (!is_heap(v))
        return v;
    if (sliding_now) {
        HeapPage *p = page_of((void *)v);
        uint32_t to = p->forward ? p->forward[cell_index(p, (void *)v)] : 0;
        return to ? (Value)(uintptr_t)(heap.base + ((size_t)to << 4)) : v;
    }
    return forwarded(v) ? obj_head(v) >> 8 : v;
}

static Value forward_object(Value v)
{
    return forward(v);
}

static void move_object(Object *to, Object *from, size_t size)
{
    memcpy(to, from, size);
    bit_set(heap.mark, bit_of((Value)to));
    if (unlikely(heap.moved != NULL))
        bit_set(heap.moved, bit_of((Value)to));
    const TypeRow *row = heap_rows[to->head & OH_TYPE];
    if (row && row->moved)
        row->moved(to, from);
    if (to->head & (OF_IVARS | OF_ID | OF_FINALIZER))
        heap_side.moved(to, from);
    moved_count++;
    heap.moved_last[to->head & OH_TYPE]++;
}

/* ---- update ---- */

static void update_slot(UNUSED Visitor *v, Slot *s)
{
    s->raw = forward(s->raw);
}
static void update_range(UNUSED Visitor *v, Slot *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s[i].raw = forward(s[i].raw);
}
static void update_root(UNUSED Visitor *v, Value *value)
{
    *value = forward(*value);
}
static Visitor updater = {update_slot, update_root, update_slot, update_range};

static void each_marked(bool boot_too, void (*fn)(Object *))
{
    for (size_t n = 0; n < heap.used >> PAGE_SHIFT; n++) {
        HeapPage *p = &heap.pages[n];
        if ((p->kind != PAGE_SMALL && p->kind != PAGE_LARGE) || (p->boot && !boot_too))
            continue;
        uint64_t *marks = &heap.mark[n * PAGE_WORDS];
        for (size_t w = 0; w < PAGE_WORDS; w++)
            for (uint64_t word = marks[w]; word; word &= word - 1) {
                Object *o = (Object *)(page_start(p) + ((w << 6 | (size_t)__builtin_ctzll(word)) << 4));
                if ((o->head & OH_TYPE) != T_FREE) /* else: it moved on */
                    fn(o);
            }
    }
}

static void update_list(Values *list)
{
    for (size_t i = 0; i < list->n; i++) {
        list->at[i] = forward(list->at[i]);
    }
}

static void update_object(Object *o)
{
    heap_visit_object(o, &updater);
}

/* Boot objects refer to others only where they were written since: those are on boot's lists. */
static void update_all(void)
{
    update_list(&heap.always);
    mark_follow_remembered(forward_object);
    roots_visit(&updater);
    for (size_t i = 0; i < heap.boot_always.n; i++)
        heap_visit_object(obj_ptr(heap.boot_always.at[i]), &updater);
    for (size_t i = 0; i < heap.boot_remembered.n; i++)
        heap_visit_object(obj_ptr(heap.boot_remembered.at[i]), &updater);
    each_marked(false, update_object);
}

/* ---- evacuation ---- */

static HeapPage *fresh[HEAP_CLASSES];
static uint32_t fresh_used[HEAP_CLASSES];

static Object *fresh_cell(unsigned c)
{
    HeapPage *p = fresh[c];
    if (!p || fresh_used[c] == p->ncells) {
        p = page_new_small(c);
        if (!p)
            return NULL; /* no room: the rest simply stays where it is */
        p->fresh = true;
        fresh[c] = p;
        fresh_used[c] = 0;
    }
    return (Object *)(page_start(p) + (size_t)fresh_used[c]++ * p->cell_size);
}

static void evacuate_page(HeapPage *p)
{
    for (uint32_t at = 0, end = p->ncells * p->cell_size; at < end; at += p->cell_size) {
        Object *from = (Object *)(page_start(p) + at);
        size_t bit = bit_of((Value)from);
        if (!bit_test(heap.mark, bit) || bit_test(heap.pin, bit))
            continue;
        Object *to = fresh_cell(p->size_class);
        if (!to)
            return;
        move_object(to, from, p->cell_size);
        from->head = (uint64_t)(uintptr_t)to << 8 | T_FREE;
    }
}

/* The old cells keep mark and forwarding address until all is updated; then they count as dead. */
static void drop_evacuated_marks(void)
{
    for (size_t n = 0; n < heap.used >> PAGE_SHIFT; n++) {
        HeapPage *p = &heap.pages[n];
        if (p->kind != PAGE_SMALL || p->boot || p->fresh)
            continue;
        for (uint32_t at = 0, end = p->ncells * p->cell_size; at < end; at += p->cell_size) {
            Value v = (Value)(uintptr_t)(page_start(p) + at);
            if (heap_marked(v) && obj_type(v) == T_FREE)
                bit_clear(heap.mark, bit_of(v));
        }
    }
}

void evacuate_all(void)
{
    memset(fresh, 0, sizeof fresh);
    for (size_t n = 0, total = heap.used >> PAGE_SHIFT; n < total; n++)
        if (heap.pages[n].kind == PAGE_SMALL && !heap.pages[n].boot && !heap.pages[n].fresh)
            evacuate_page(&heap.pages[n]);
    mark_run_weak_passes(mark_alive, forward_object);
    update_all();
    drop_evacuated_marks();
}

/* ---- compaction in place ---- */

typedef struct PageList {
    HeapPage **at;
    size_t n;
} PageList;

/* The pages of class c, by address. */
static PageList class_pages(unsigned c)
{
    PageList list = {0};
    for (int pass = 0; pass < 2; pass++) {
        size_t n = 0;
        for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
            HeapPage *p = &heap.pages[i];
            if (p->kind != PAGE_SMALL || p->size_class != c || p->boot)
                continue;
            if (pass)
                list.at[n] = p;
            n++;
        }
        if (!pass && !(list.at = malloc((n ? n : 1) * sizeof *list.at)))
            ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("out of memory while compacting"));
        list.n = n;
    }
    return list;
}

static int fullest_first(const void *a, const void *b)
{
    const HeapPage *p = *(HeapPage *const *)a, *q = *(HeapPage *const *)b;
    bool pins_p = page_has_pins(p), pins_q = page_has_pins(q);
    if (pins_p != pins_q)
        return pins_p ? -1 : 1;
    if (p->live != q->live)
        return p->live > q->live ? -1 : 1;
    return p < q ? -1 : p > q;
}

static void two_fingers(PageList pages, uint32_t ncells, uint32_t size)
{
    qsort(pages.at, pages.n, sizeof *pages.at, fullest_first);
    size_t left = 0, right = pages.n * ncells;
    for (;;) {
        Object *to = NULL, *from = NULL;
        for (; left < right; left++) {
            to = (Object *)(page_start(pages.at[left / ncells]) + left % ncells * size);
            if (to->head == 0)
                break;
        }
        while (right > left + 1) {
            right--;
            from = (Object *)(page_start(pages.at[right / ncells]) + right % ncells * size);
            if (from->head != 0 && !bit_test(heap.pin, bit_of((Value)from)))
                break;
            from = NULL;
        }
        if (!from || left >= right)
            return;
        move_object(to, from, size);
        from->head = (uint64_t)(uintptr_t)to << 8 | T_FREE;
    }
}

static void slide(PageList pages, uint32_t ncells, uint32_t size)
{
    size_t to_n = 0;
    for (size_t n = 0; n < pages.n * ncells; n++) {
        HeapPage *p = pages.at[n / ncells];
        Object *from = (Object *)(page_start(p) + n % ncells * size);
        if (from->head == 0 || bit_test(heap.pin, bit_of((Value)from)))
            continue;
        Object *to;
        for (;; to_n++) { /* cells before n that hold no pinned object are free by now */
            to = (Object *)(page_start(pages.at[to_n / ncells]) + to_n % ncells * size);
            if (!bit_test(heap.pin, bit_of((Value)to)))
                break;
        }
        if (to_n == n) {
            to_n++;
            continue;
        }
        if (!p->forward && !(p->forward = calloc(ncells, sizeof *p->forward)))
            ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("out of memory while compacting"));
        move_object(to, from, size);
        p->forward[n % ncells] = (uint32_t)bit_of((Value)to);
        from->head = 0;
        bit_clear(heap.mark, bit_of((Value)from));
        to_n++;
    }
}

/* After the update: forwarding addresses go, runs are made anew, empty pages return to the system. */
static void settle(PageList pages)
{
    for (size_t i = 0; i < pages.n; i++) {
        HeapPage *p = pages.at[i];
        free(p->forward);
        p->forward = NULL;
        for (uint32_t at = 0, end = p->ncells * p->cell_size; at < end; at += p->cell_size) {
            Object *o = (Object *)(page_start(p) + at);
            if ((o->head & OH_TYPE) == T_FREE && o->head) {
                o->head = 0;
                bit_clear(heap.mark, bit_of((Value)o));
            }
        }
        page_build_runs(p);
        if (p->live) {
            page_list(p);
            continue;
        }
        page_release(p);
        madvise(page_start(p), HEAP_PAGE_SIZE, MADV_DONTNEED);
        p->warm = false;
    }
    free(pages.at);
}

static bool alive_after_sweep(UNUSED Value v)
{
    return true;
}

static void count_one(Object *o)
{
    heap.considered_last[o->head & OH_TYPE]++;
}

static void count_considered(void)
{
    memset(heap.considered_last, 0, sizeof heap.considered_last);
    each_marked(false, count_one);
}

void compact_pages(bool sliding)
{
    static PageList lists[HEAP_CLASSES];
    moved_count = 0;
    memset(heap.moved_last, 0, sizeof heap.moved_last);
    count_considered();
    sliding_now = sliding;
    memset(heap.avail, 0, sizeof heap.avail);
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        lists[c] = class_pages(c);
        if (!lists[c].n)
            continue;
        for (size_t i = 0; i < lists[c].n; i++)
            lists[c].at[i]->listed = false;
        uint32_t size = heap_class_size[c], ncells = (uint32_t)(HEAP_PAGE_SIZE / size);
        if (sliding)
            slide(lists[c], ncells, size);
        else
            two_fingers(lists[c], ncells, size);
    }
    if (moved_count) {
        mark_run_weak_passes(alive_after_sweep, forward_object);
        update_all();
    }
    sliding_now = false;
    for (unsigned c = 0; c < HEAP_CLASSES; c++)
        settle(lists[c]);
    heap.stats.moved += moved_count;
    heap.stats.compactions++;
}

/* ---- the check of all references ---- */

static Value checked; /* the object visited; 0: a root */

static void check(Value v)
{
    if (!is_heap(v) || heap_object_at(v) == v)
        return;
    ereport(PANIC, ERR_INTERNAL, errmsg("%s %#lx of type %d refers to %#lx, where no object is",
                                        checked ? "object" : "a root or a weak table's row", (unsigned long)checked,
                                        checked ? (int)obj_type(checked) : -1, (unsigned long)v));
}
static void check_slot(UNUSED Visitor *v, Slot *s)
{
    check(s->raw);
}
static void check_value(UNUSED Visitor *v, Value *value)
{
    check(*value);
}
static Visitor checker = {.slot = check_slot, .value = check_value, .weak = check_slot};

static void check_object(Object *o)
{
    checked = (Value)o;
    heap_visit_object(o, &checker);
}

/* What a weak table is asked about by its own pass; it drops nothing. */
static bool check_row(Value v)
{
    check(v);
    return true;
}

static Value no_move(Value v)
{
    return v;
}

void heap_check_references(void)
{
    sweep_finish();
    checked = 0;
    roots_visit(&checker);
    each_marked(true, check_object);
    checked = 0;
    mark_run_weak_passes(check_row, no_move);
}
