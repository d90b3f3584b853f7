/* heap.c -- pages, size classes and allocation; memory accounting
 *
 * Allocation bumps through runs of free cells (heap_alloc_head in heap.h).  When a run is used up
 * the slow path takes the next run of the page, the next page with runs, or a new page; and there
 * it decides about collecting.  So the fast path holds no counter and no test but the limit's; whoever
 * wants a collection or a debug mode sets limit = next in all classes.
 *
 * Objects of more than 32 KiB have pages of their own, found first-fit among unused ones.
 */
#include "vm/heap/heap_private.h"

#include "lib/config.h"
#include "lib/error.h"
#include "vm/call.h"
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

Heap heap;
HeapRun heap_runs[HEAP_CLASSES];
unsigned heap_mode, heap_mode_every = 1;
bool heap_disabled, heap_measure_time = true, heap_auto_compact, heap_allow_whole = true;
uint64_t heap_epoch;
void (*heap_hollow_hook)(void);
uint64_t (*heap_forget_hook)(Value v);

const uint16_t heap_class_size[HEAP_CLASSES] = {
    16,  32,  48,  64,  80,  96,  112,  128,  160,  192,  224,  256,  320,  384,   448,
    512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048, 3072, 4096, 8192, 16384, 32768,
};

#define C8(a) a, a, a, a, a, a, a, a
#define C16(a) C8(a), C8(a)
const uint8_t heap_class_of[HEAP_SMALL_MAX / 16 + 1] = {
    0,  0,  1,  2,  3,  4,  5,  6,  7,                              /* to 128 */
    8,  8,  9,  9,  10, 10, 11, 11,                                 /* to 256 */
    12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15, /* to 512 */
    C8(16), C8(17), C8(18), C8(19),                                 /* to 1024 */
    C16(20), C16(21), C16(22), C16(23),                             /* to 2048 */
};
#undef C8
#undef C16

#define LARGEST_CELL 32768
#define MAPPED_BODY (1 << 20) /* bytes outside the cells, from which on malloc maps them */
#define FIRST_NURSERY ((uint64_t)8 << 20)

const TypeRow *heap_rows[T_COUNT];
static const TypeRow slots_row = {.name = "slots", .logged = true};

void heap_register_type(ObjectType type, const TypeRow *row)
{
    heap_rows[type] = row;
    if (!row->logged)
        heap.logged_types &= ~((uint64_t)1 << type);
    if (row->cards)
        heap.carded_types |= (uint64_t)1 << type;
}

const TypeRow *heap_type_row(ObjectType type)
{
    return heap_rows[type];
}

/* ---- boot ---- */

void heap_boot(void)
{
    if (heap.base)
        return;
    /* Big bodies are mappings of their own: they grow without a copy, and what they leave goes back to the system.  (By default
     * malloc raises the threshold to whatever was freed, and a table that grew leaves holes.) */
    mallopt(M_MMAP_THRESHOLD, MAPPED_BODY);
    mallopt(M_TRIM_THRESHOLD, MAPPED_BODY);
    /* Range and side tables are only reserved: no memory until a page is used, none shared with children once written. */
    size_t want = (size_t)64 << 30, pages, bits;
    char *range;
    for (;;) {
        pages = ALIGN_UP((want >> PAGE_SHIFT) * sizeof(HeapPage), HEAP_PAGE_SIZE);
        bits = want / 16 / 8;
        range = mmap(NULL, HEAP_PAGE_SIZE + want + pages + 3 * bits, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range != MAP_FAILED || want <= ((size_t)64 << 20))
            break;
        want /= 2;
    }
    if (range == MAP_FAILED)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("could not reserve address space for the heap"));
    heap.base = (char *)ALIGN_UP((uintptr_t)range, HEAP_PAGE_SIZE);
    heap.reserved = want;
    heap.pages = (HeapPage *)(heap.base + want);
    heap.mark = (uint64_t *)(heap.base + want + pages);
    heap.pin = heap.mark + bits / 8;
    heap.remembered = heap.pin + bits / 8;
    heap.nursery = FIRST_NURSERY;
    heap.major_at = 4 * FIRST_NURSERY;
    heap.logged_types = ~(uint64_t)0;
    for (int t = 0; t < T_COUNT; t++) /* string's row was registered before */
        if (heap_rows[t] && !heap_rows[t]->logged)
            heap.logged_types &= ~((uint64_t)1 << t);
    for (int t = 0; t < T_COUNT; t++)
        if (type_has_slots((ObjectType)t))
            heap_rows[t] = &slots_row;
}

bool heap_set_modes(const char *text)
{
    static const struct {
        const char *name;
        unsigned mode;
    } names[] = {
        {"collect", HEAP_COLLECT}, {"evacuate", HEAP_EVACUATE}, {"compact", HEAP_COMPACT},
        {"barrier", HEAP_BARRIER}, {"hollow", HEAP_HOLLOW},     {"stress", HEAP_STRESS},
    };
    unsigned mode = 0;
    while (*text) {
        size_t n = strcspn(text, ",");
        size_t word = strcspn(text, ",:");
        unsigned bit = 0;
        for (size_t i = 0; i < COUNT_OF(names); i++)
            if (strlen(names[i].name) == word && !memcmp(text, names[i].name, word))
                bit = names[i].mode;
        if (word && !bit)
            return false;
        mode |= bit;
        if (word < n) {
            long every = strtol(text + word + 1, NULL, 10);
            if (every <= 0)
                return false;
            heap_mode_every = (unsigned)every;
        }
        text += n;
        if (*text == ',')
            text++;
    }
    heap_mode = mode;
    return true;
}

void heap_close_runs(void)
{
    for (unsigned c = 0; c < HEAP_CLASSES; c++)
        heap_runs[c].limit = heap_runs[c].next;
}

/* The modes that look for dangling references want boot objects to be freed and moved like others. */
static void unseal(void)
{
    if (!heap.sealed)
        return;
    heap.sealed = false;
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++)
        heap.pages[i].boot = false;
    for (size_t i = 0; i < heap.boot_always.n; i++)
        values_push(&heap.always, heap.boot_always.at[i]);
    for (size_t i = 0; i < heap.boot_remembered.n; i++)
        values_push(&heap.remembered_list, heap.boot_remembered.at[i]);
    heap.boot_always.n = heap.boot_remembered.n = 0;
}

void heap_modes_start(void)
{
    const char *text = getenv("LODE_HEAP_MODE");
    if (text && !heap_mode && !heap_set_modes(text))
        ereport(FATAL, ERR_USAGE, errmsg("LODE_HEAP_MODE has an unknown word: \"%s\"", text));
    heap.modes_on = heap_mode != 0;
    heap_mutation_init();
    if (heap_mode & (HEAP_COLLECT | HEAP_EVACUATE | HEAP_COMPACT))
        unseal();
    if (heap.modes_on)
        heap_close_runs();
}

/* ---- pages ---- */

Value heap_object_at(uint64_t word)
{
    size_t offset = word - (uint64_t)(uintptr_t)heap.base;
    if (offset >= heap.used)
        return 0;
    HeapPage *p = &heap.pages[offset >> PAGE_SHIFT];
    if (p->kind == PAGE_LARGE_TAIL)
        p -= p->npages;
    Object *o;
    if (p->kind == PAGE_SMALL) {
        uint32_t i = cell_index(p, (void *)(uintptr_t)word);
        if (i >= p->ncells)
            return 0;
        o = (Object *)(page_start(p) + (size_t)i * p->cell_size);
    } else if (p->kind == PAGE_LARGE) {
        o = (Object *)page_start(p);
    } else {
        return 0;
    }
    if ((o->head & OH_TYPE) == T_FREE || (p->unswept && !heap_marked((Value)o))) /* W1 */
        return 0;
    return (Value)(uintptr_t)o;
}

bool heap_is_object(Value word)
{
    return heap_object_at(word) != 0;
}

size_t heap_cell_size(Value v)
{
    HeapPage *p = page_of((void *)v);
    return p->kind == PAGE_SMALL ? p->cell_size : (size_t)p->npages << PAGE_SHIFT;
}

static uint32_t oid_index(const HeapPage *p, Value v)
{
    return p->kind == PAGE_SMALL ? cell_index(p, (void *)v) : 0;
}

uint64_t heap_oid(Value v)
{
    const HeapPage *p = page_of((void *)v);
    return p->oids[oid_index(p, v)];
}

void heap_set_oid(Value v, uint64_t oid)
{
    HeapPage *p = page_of((void *)v);
    if (unlikely(!p->oids)) {
        p->oids = calloc(p->ncells, sizeof *p->oids);
        if (!p->oids)
            ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("no memory for the oids of a heap page"));
        heap.malloc_bytes += p->ncells * sizeof *p->oids;
    }
    p->oids[oid_index(p, v)] = oid;
}

static void page_drop_oids(HeapPage *p)
{
    if (p->oids)
        heap.malloc_bytes -= p->ncells * sizeof *p->oids;
    free(p->oids);
    p->oids = NULL;
}

static HeapPage *pages_take(size_t n)
{
    if (n == 1 && heap.unused) {
        HeapPage *p = heap.unused;
        heap.unused = p->next;
        return p;
    }
    if (n > 1) { /* first fit among unused pages in a row; rare, so a plain walk */
        size_t total = heap.used >> PAGE_SHIFT, run = 0;
        for (size_t i = 0; i < total; i++) {
            run = heap.pages[i].kind == PAGE_UNUSED ? run + 1 : 0;
            if (run < n)
                continue;
            HeapPage *first = &heap.pages[i + 1 - n];
            for (HeapPage **link = &heap.unused; *link;)
                if (*link >= first && *link < first + n)
                    *link = (*link)->next;
                else
                    link = &(*link)->next;
            return first;
        }
    }
    if (heap.used + (n << PAGE_SHIFT) > heap.reserved)
        return NULL;
    HeapPage *p = &heap.pages[heap.used >> PAGE_SHIFT];
    heap.used += n << PAGE_SHIFT;
    return p;
}

HeapPage *page_new_small(unsigned c)
{
    HeapPage *p = pages_take(1);
    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->cell_size = heap_class_size[c];
    p->ncells = (uint32_t)(HEAP_PAGE_SIZE / p->cell_size);
    p->magic = (uint32_t)((((uint64_t)1 << 32) + p->cell_size - 1) / p->cell_size);
    p->kind = PAGE_SMALL;
    p->size_class = (uint8_t)c;
    char *start = page_start(p);
    FreeRun *run = (FreeRun *)start;
    *run = (FreeRun){0, p->ncells * p->cell_size, 0};
    /* A page that was used before may hold old bytes: P1 wants each header 0. */
    for (uint32_t i = 1; i < p->ncells; i++)
        ((Object *)(start + (size_t)i * p->cell_size))->head = 0;
    p->first_run = 1;
    heap.page_count++;
    heap.pages_taken[c]++;
    return p;
}

void page_release(HeapPage *p)
{
    size_t n = p->kind == PAGE_LARGE ? p->npages : 1;
    page_drop_oids(p);
    for (size_t i = 0; i < n; i++) {
        p[i].kind = PAGE_UNUSED;
        p[i].warm = true;
        p[i].next = heap.unused;
        heap.unused = &p[i];
    }
    heap.page_count -= n;
    heap.stats.pages_given += n;
}

void pages_cool(uint64_t most)
{
    uint64_t keep = 16 + heap.page_count / 4;
    heap.cooling = false;
    for (HeapPage *p = heap.unused; p; p = p->next) {
        if (!p->warm || (keep > 0 && keep-- > 0))
            continue;
        if (most-- == 0) {
            heap.cooling = true;
            return;
        }
        madvise(page_start(p), HEAP_PAGE_SIZE, MADV_DONTNEED);
        p->warm = false;
    }
}

void pages_release_all(void)
{
    for (HeapPage *p = heap.unused; p; p = p->next)
        if (p->warm) {
            madvise(page_start(p), HEAP_PAGE_SIZE, MADV_DONTNEED);
            p->warm = false;
        }
    heap.cooling = false;
}

void heap_seal(void)
{
    heap_collect();
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if (p->kind == PAGE_LARGE_TAIL)
            p->boot = true;
        if (p->kind != PAGE_SMALL && p->kind != PAGE_LARGE)
            continue;
        p->boot = true;
        p->listed = false;
        p->first_run = 0;
    }
    memset(heap.avail, 0, sizeof heap.avail);
    heap.boot_always = heap.always;
    heap.boot_remembered = heap.remembered_list;
    heap.always = heap.remembered_list = (Values){0};
    heap.live_bytes = 0;
    heap.sealed = true;
}

void heap_retire_runs(void)
{
    for (unsigned c = 0; c < HEAP_CLASSES; c++) {
        HeapRun *run = &heap_runs[c];
        HeapPage *p = heap.current[c];
        if (run->next < run->end) { /* what is left of the run goes back to its page */
            FreeRun *rest = (FreeRun *)run->next;
            *rest = (FreeRun){0, (uint32_t)(run->end - page_start(p)), p->first_run};
            p->first_run = (uint32_t)(run->next - page_start(p)) + 1;
        }
        *run = (HeapRun){0};
        heap.current[c] = NULL;
    }
}

/* ---- allocation ---- */

uint64_t heap_limit_bytes(void)
{
    return (uint64_t)(conf.heap_limit ? conf.heap_limit : GB);
}

/* Beyond the limit there is an allowance, so that a NoMemoryError, its message and backtrace fit: each one raised may go
 * a little further than what is in use, up to a quarter above the limit.  It ends once the heap is below the limit. */
#define ALLOWANCE ((uint64_t)1 << 20)
static uint64_t allowed_until;

static uint64_t in_use(void)
{
    return (heap.page_count << PAGE_SHIFT) + heap.malloc_bytes;
}

static bool over_limit(size_t more)
{
    uint64_t used = in_use() + more;
    if (used <= heap_limit_bytes()) {
        if (used + 2 * ALLOWANCE <= heap_limit_bytes()) /* not on the brink: the error may still be in the making */
            allowed_until = 0;
        return false;
    }
    return used > allowed_until;
}

_Noreturn static void no_memory(void)
{
    if (vm_booting)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("the VM can't boot: out of memory, or heap_limit is too low"));
    if (in_use() > heap_limit_bytes() / 4 * 5 + 8 * ALLOWANCE)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("no memory is left to raise NoMemoryError"),
                errhint("Raise heap_limit in lodestone.conf."));
    allowed_until = MAX(in_use(), heap_limit_bytes()) + ALLOWANCE;
    raise_no_memory();
}

static void set_current(unsigned c, HeapPage *p)
{
    FreeRun *run = (FreeRun *)(page_start(p) + p->first_run - 1);
    heap.current[c] = p;
    heap_runs[c].next = (char *)run;
    heap_runs[c].end = page_start(p) + run->end;
    heap_runs[c].limit = heap.modes_on || heap.watcher ? heap_runs[c].next : heap_runs[c].end;
    p->first_run = run->next;
    p->touched = true;
    heap.since += (uint64_t)(heap_runs[c].end - heap_runs[c].next);
}

static bool refill(unsigned c)
{
    HeapPage *p = heap.current[c];
    if (p && p->first_run) {
        set_current(c, p);
        return true;
    }
    if (unlikely(heap.unswept_count)) {
        sweep_some(c);
        sweep_paced();
    } else if (unlikely(heap.cooling)) {
        pages_cool(SWEEP_AT_ONCE);
    }
    if (!heap.avail[c])
        return false;
    p = heap.avail[c];
    heap.avail[c] = p->next;
    p->listed = false;
    set_current(c, p);
    return true;
}

static void maybe_collect(size_t size)
{
    static unsigned countdown;
    if (heap.modes_on) {
        if ((heap_mode & HEAP_HOLLOW) && heap_hollow_hook)
            heap_hollow_hook();
        if ((heap_mode & ~HEAP_HOLLOW) && ++countdown >= heap_mode_every && !heap_disabled) {
            countdown = 0;
            heap_collect_by_mode();
        }
    }
    if ((heap.wanted || heap_step_due()) && !heap_disabled)
        heap_collect_step();
    if (over_limit(size)) {
        sweep_finish();
        if (over_limit(size))
            heap_collect();
    }
}

static Value take_cell(unsigned c, uint64_t head)
{
    HeapRun *run = &heap_runs[c];
    char *cell = run->next;
    size_t n = heap_class_size[c];
    run->next = cell + n;
    run->limit = heap.modes_on || heap.watcher ? run->next : run->end;
    memset(cell, 0, n);
    ((Object *)cell)->head = head;
    return (Value)(uintptr_t)cell;
}

static Value alloc_large(uint64_t head, size_t size)
{
    size_t n = (size + HEAP_PAGE_SIZE - 1) >> PAGE_SHIFT;
    maybe_collect(size);
    if (over_limit(size))
        no_memory();
    HeapPage *p = pages_take(n);
    if (!p)
        no_memory();
    memset(p, 0, n * sizeof *p);
    p->kind = PAGE_LARGE;
    p->size_class = CLASS_LARGE;
    p->ncells = 1;
    p->npages = (uint32_t)n;
    for (size_t i = 1; i < n; i++) {
        p[i].kind = PAGE_LARGE_TAIL;
        p[i].npages = (uint32_t)i;
    }
    heap.page_count += n;
    heap.pages_taken[CLASS_LARGE] += n;
    heap.since += n << PAGE_SHIFT;
    p->touched = true;
    p->live = 1;
    char *cell = page_start(p);
    memset(cell, 0, size);
    ((Object *)cell)->head = head;
    return (Value)(uintptr_t)cell;
}

static Value alloc_slow(uint64_t head, size_t size)
{
    if (size > LARGEST_CELL)
        return alloc_large(head, size);
    unsigned c;
    if (size <= HEAP_SMALL_MAX)
        c = heap_class_of[(size + 15) >> 4];
    else
        for (c = heap_class_of[HEAP_SMALL_MAX >> 4]; heap_class_size[c] < size;)
            c++;
    HeapRun *run = &heap_runs[c];
    if (heap.modes_on || heap.wanted || heap_step_due())
        maybe_collect(size);
    if (run->next < run->end || refill(c))
        return take_cell(c, head);
    if (!heap.modes_on) {
        maybe_collect(HEAP_PAGE_SIZE);
        if (run->next < run->end || refill(c))
            return take_cell(c, head);
    }
    if (over_limit(HEAP_PAGE_SIZE))
        no_memory();
    HeapPage *p = page_new_small(c);
    if (!p)
        no_memory();
    set_current(c, p);
    return take_cell(c, head);
}

Value heap_alloc_cell_slow(uint64_t head, size_t size)
{
    Value v = alloc_slow(head, size);
    if (unlikely(heap.watcher != NULL))
        heap.watcher(v);
    return v;
}

void heap_watch_allocations(void (*fn)(Value v))
{
    heap.watcher = fn;
    if (fn)
        heap_close_runs();
}

Value heap_alloc(ObjectType type, Value cls, size_t size)
{
    uint64_t head = (uint64_t)class_root_shape(cls) << OH_SHAPE_AT | type;
    if (type_has_slots(type)) {
        head |= OF_EMBED;
        if (size < 32)
            size = 32; /* room for ext */
    }
    return heap_alloc_head(head, size);
}

Value heap_alloc_internal(ObjectType type, size_t size)
{
    return heap_alloc_head(type, size);
}

/* ---- memory outside the cells ---- */

static void account(size_t n)
{
    heap.malloc_bytes += n;
    heap.since += n;
    if (!heap.wanted && !heap_disabled && heap_step_due()) {
        heap.wanted = true; /* not here: callers hold views */
        heap_close_runs();
    }
}

static void make_room(size_t n)
{
    if (__builtin_expect(over_limit(n), 0)) {
        sweep_finish();
        if (over_limit(n))
            heap_collect();
        if (over_limit(n))
            no_memory();
    }
}

void *heap_malloc(size_t n)
{
    make_room(n);
    void *p = malloc(n ? n : 1);
    if (!p)
        no_memory();
    account(malloc_usable_size(p));
    return p;
}

void *heap_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        no_memory();
    make_room(bytes);
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        no_memory();
    account(malloc_usable_size(p));
    return p;
}

void *heap_realloc(void *old, size_t n)
{
    size_t had = old ? malloc_usable_size(old) : 0;
    if (n > had)
        make_room(n - had);
    void *p = realloc(old, n ? n : 1);
    if (!p)
        no_memory();
    size_t has = malloc_usable_size(p);
    heap.malloc_bytes -= had;
    if (has > had) {
        heap.malloc_bytes += had;
        account(has - had);
    } else {
        heap.malloc_bytes += has;
    }
    return p;
}

void heap_free(void *p)
{
    if (!p)
        return;
    heap.malloc_bytes -= malloc_usable_size(p);
    free(p);
}

static uint32_t cells_in_use(const HeapPage *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->ncells; i++)
        n += ((Object *)(page_start(p) + (size_t)i * p->cell_size))->head != 0;
    return n;
}

static uint64_t page_marks(const HeapPage *p)
{
    const uint64_t *marks = &heap.mark[(size_t)(p - heap.pages) * PAGE_WORDS];
    uint64_t n = 0;
    if (p->kind == PAGE_LARGE)
        return marks[0] & 1;
    for (size_t w = 0; w < PAGE_WORDS; w++)
        n += (uint64_t)__builtin_popcountll(marks[w]);
    return n;
}

bool page_has_pins(const HeapPage *p)
{
    const uint64_t *pins = &heap.pin[(size_t)(p - heap.pages) * PAGE_WORDS];
    for (size_t w = 0; w < PAGE_WORDS; w++)
        if (pins[w])
            return true;
    return false;
}

void heap_class_stats(unsigned c, HeapClassStats *out)
{
    sweep_finish();
    *out = (HeapClassStats){.cell_size = heap_class_size[c], .freed = heap.freed[c], .pages_taken = heap.pages_taken[c]};
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if (p->kind != PAGE_SMALL || p->size_class != c)
            continue;
        out->pages++;
        out->cells += p->ncells;
        out->live += p->touched ? cells_in_use(p) : p->live;
    }
}

void heap_stats(GcStats *out)
{
    sweep_finish();
    *out = heap.stats;
    out->allocated += heap.since;
    out->pages = heap.page_count;
    out->malloc_bytes = heap.malloc_bytes;
    out->remembered = heap.remembered_list.n + heap.boot_remembered.n;
    out->always = heap.always.n + heap.boot_always.n;
    out->since = heap.since;
    out->nursery = heap.nursery;
    uint64_t held = heap.live_bytes + heap.malloc_bytes;
    out->grown = held - MIN(held, heap.held_then);
    out->grown_limit = heap.major_at - MIN(heap.major_at, heap.held_then);
    out->unused_pages = (heap.used >> PAGE_SHIFT) - heap.page_count;
    out->freed = out->pages_taken = 0;
    for (unsigned c = 0; c <= HEAP_CLASSES; c++) {
        out->freed += heap.freed[c];
        out->pages_taken += heap.pages_taken[c];
    }
    out->live = out->free_bytes = out->boot_pages = out->cells = out->marked = 0;
    out->pinned_pages = out->pinned_free_bytes = 0;
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if (p->kind != PAGE_SMALL && p->kind != PAGE_LARGE)
            continue;
        uint32_t live = p->touched ? cells_in_use(p) : p->live;
        out->live += live;
        out->cells += p->ncells;
        out->marked += page_marks(p);
        out->boot_pages += p->boot ? MAX(p->npages, 1u) : 0;
        if (p->kind == PAGE_SMALL && !p->boot) {
            uint64_t unused = (uint64_t)(p->ncells - live) * p->cell_size;
            bool pinned = page_has_pins(p);
            out->free_bytes += unused;
            out->pinned_pages += pinned;
            out->pinned_free_bytes += pinned ? unused : 0;
        }
    }
}

static void each_object(bool internal, void (*fn)(Value, void *), void *arg)
{
    sweep_finish();
    for (size_t i = 0; i < heap.used >> PAGE_SHIFT; i++) {
        HeapPage *p = &heap.pages[i];
        if (p->kind != PAGE_SMALL && p->kind != PAGE_LARGE)
            continue;
        char *start = page_start(p);
        for (uint32_t c = 0; c < p->ncells; c++) {
            Value v = (Value)(uintptr_t)(start + (size_t)c * p->cell_size);
            if (obj_type(v) != T_FREE && (internal || !heap_is_internal(v)))
                fn(v, arg);
        }
    }
}

void heap_each_object(void (*fn)(Value, void *), void *arg)
{
    each_object(false, fn, arg);
}

void heap_each_with_internal(void (*fn)(Value, void *), void *arg)
{
    each_object(true, fn, arg);
}

uint64_t heap_collections(void)
{
    return heap.stats.count;
}

uint64_t heap_pause_ns(void)
{
    return heap.stats.time_ns;
}

HeapLast heap_last(void)
{
    return heap.last;
}

void heap_compaction_last(ObjectType type, uint64_t *considered, uint64_t *moved)
{
    *considered = heap.considered_last[type];
    *moved = heap.moved_last[type];
}
