/* collect.c -- when and how a collection runs
 *
 *   young    the nursery's bytes are used up: mark from the marks that stand, sweep the pages that were allocated in.  When that
 *            is much, the marking goes on in steps
 *   whole    heap_collect: no marks, all roots, one pause; then, if asked, objects move
 *   steps    the heap grew by three quarters since the last whole marking: marks are cleared, roots marked, and each run of
 *            cells handed out marks four times its bytes; when nothing is left, what a young collection does ends it
 *
 * One collection:
 *   1  pins     C stack and registers: conservatively, marked and pinned (those of other fibers in 2, as they are reached)
 *   2  marks    roots and visitors, old objects that may refer to young ones, then the mark stack until it is empty
 *   3  weak     weak slots of dead objects become V_UNDEF; weak passes drop the dead
 *   4  move     evacuate mode and compaction: copies, tables, update of all references
 *   5  sweep    lazily (sweep.c)
 * Nothing in 1..5 runs Ruby, faults or raises (an out-of-memory here is fatal).
 *
 * C2  TypeRow.free touches no other heap object: it may be dead already.
 */
#include "vm/heap/heap_private.h"

#include "lib/config.h"
#include "lib/error.h"
#include <malloc.h>
#include <time.h>

enum { MARK_PER_BYTE = 4 };              /* bytes marked for a byte handed out: the heap grows by a fourth meanwhile */
#define MARK_STEP_MAX ((uint64_t)2 << 20)
#define YOUNG_STEP ((uint64_t)4 << 20)   /* bytes visited before a young collection goes on in steps */
/* A round is the steps from one visit of the roots to the next.  Each finds what the program made during the one before, about a
 * fourth of it; what a small one may have missed is left to the last pause. */
#define ROUND_SMALL ((uint64_t)256 << 10)
enum { ROUNDS_MAX = 16 };
#define MAJOR_MIN ((uint64_t)32 << 20)
#define NURSERY_MIN ((uint64_t)2 << 20)
#define NURSERY_START ((uint64_t)8 << 20)
#define NURSERY_MAX ((uint64_t)64 << 20)
/* What survives makes the pause: the nursery shrinks when more bytes do, and grows when fewer do.  (Old objects that were written
 * make it too, but a smaller nursery would only visit them more often.) */
#define SURVIVORS_MANY ((uint64_t)4 << 20)
#define SURVIVORS_FEW ((uint64_t)3 << 19)

uint64_t heap_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

static uint64_t note_time(uint64_t from)
{
    uint64_t took = heap_now_ns() - from;
    if (heap_measure_time)
        heap.stats.time_ns += took;
    heap_profile_note(took);
    return took;
}

void heap_note_sweep(uint64_t from)
{
    uint64_t before = heap.stats.time_ns;
    heap_note_pause(from);
    heap.stats.sweep_ns += heap.stats.time_ns - before;
}

void heap_note_pause(uint64_t from)
{
    uint64_t took = note_time(from);
    if (!heap_measure_time)
        return;
    if (took > heap.stats.longest_ns)
        heap.stats.longest_ns = took;
    unsigned bucket = 0;
    while (bucket + 1 < HEAP_PAUSES && took >= (uint64_t)1000 << bucket)
        bucket++;
    heap.stats.pauses[bucket]++;
}

static uint64_t held_bytes(void)
{
    return heap.live_bytes + heap.malloc_bytes;
}

static uint64_t in_use(void)
{
    return (heap.page_count << PAGE_SHIFT) + heap.malloc_bytes;
}

/* Above half of the limit a whole collection forgets clean persistent objects; when that left much, the next one waits until
 * half of the rest is used up.  Near the limit collections are whole and come in good time. */
static bool whole_due(void)
{
    uint64_t limit = heap_limit_bytes();
    return in_use() + heap.nursery > limit / 16 * 15 || (heap_forget_hook && in_use() > MAX(limit / 2, heap.pressed_at));
}

static void set_goals(void)
{
    if (!heap.young_only) {
        heap.major_at = MAX(MAJOR_MIN, held_bytes() / 4 * 7);
        heap.held_then = held_bytes();
    }
    uint64_t limit = heap_limit_bytes() / 16 * 15, used = in_use();
    uint64_t most = MIN(MAX((uint64_t)1 << 20, limit > used ? limit - used : 0), limit / 4);
    heap.nursery = MIN(heap.nursery, MIN(NURSERY_MAX, MAX(NURSERY_START, held_bytes() / 4))); /* a small program stays small */
    heap.nursery = MIN(MAX(heap.nursery, NURSERY_MIN), most);
}

static void begin(void)
{
    heap.collecting = true;
    heap.wanted = false;
    sweep_finish();
}

static Value where_it_is(Value v)
{
    return v;
}

/* What ends each kind of collection: all is marked. */
static void finish(void)
{
    heap_epoch++;
    heap.stats.count++;
    if (heap.young_only)
        heap.stats.minor++;
    else
        heap.stats.major++;
    heap.stats.allocated += heap.since;
    heap.since = heap.stepped = 0;
    heap_retire_runs();
    mark_clear_weak();
    mark_run_weak_passes(mark_alive, where_it_is);
    set_goals();
}

/* 1 and 2 of a young collection, and the last pause of a marking in steps. */
static void mark_rest(void)
{
    mark_roots();
    mark_old();
    mark_step(UINT64_MAX);
}

static void collect_whole(HeapCompaction compaction, bool evacuate)
{
    begin();
    heap.last = (HeapLast){.whole = true};
    heap.marking = heap.young_only = false;
    heap.pressure = heap_forget_hook && in_use() > heap_limit_bytes() / 2;
    mark_start();
    mark_roots();
    mark_step(UINT64_MAX);
    bool relieved = heap.pressure;
    heap.pressure = false;
    finish();
    if (evacuate)
        evacuate_all();
    uint64_t swept_from = heap_now_ns();
    sweep_begin();
    sweep_finish();
    pages_cool(UINT64_MAX);
    if (heap_measure_time)
        heap.stats.sweep_ns += heap_now_ns() - swept_from;
    heap.marked_all = true;
    if (compaction) {
        uint64_t moved_from = heap_now_ns();
        compact_pages(compaction == HEAP_COMPACT_SLIDING);
        heap.stats.compact_ns = heap_now_ns() - moved_from;
        heap.compacted_bytes = heap.live_bytes;
        heap.marked_all = false;
    }
    if (heap_mode & HEAP_COMPACT)
        heap_check_references();
    set_goals();
    if (relieved) {
        malloc_trim(1 << 20);
        heap.pressed_at = in_use() + (heap_limit_bytes() - MIN(heap_limit_bytes(), in_use())) / 2;
    }
    heap.collecting = false;
}

void heap_collect(void)
{
    heap_compact(HEAP_COMPACT_NOT);
}

static void collect_by_modes(HeapCompaction how)
{
    if (how == HEAP_COMPACT_NOT && heap.modes_on && (heap_mode & HEAP_COMPACT))
        how = heap.stats.count % 2 ? HEAP_COMPACT_SLIDING : HEAP_COMPACT_TWO_FINGER;
    collect_whole(how, heap.modes_on && (heap_mode & HEAP_EVACUATE));
}

void heap_compact(HeapCompaction how)
{
    if (heap.collecting || !heap.base)
        return;
    uint64_t from = heap_now_ns();
    collect_by_modes(how);
    heap.last.asked = true;
    note_time(from);
}

void heap_verify_moves(void)
{
    if (heap.collecting || !heap.base)
        return;
    collect_whole(HEAP_COMPACT_TWO_FINGER, true);
    heap_check_references();
    collect_whole(HEAP_COMPACT_SLIDING, false);
    heap_check_references();
    heap.last.asked = true;
}

static uint64_t live_before; /* bytes, when the young collection began */

static void size_nursery(void)
{
    uint64_t survived = heap.live_bytes - MIN(live_before, heap.live_bytes);
    if (survived > SURVIVORS_MANY)
        heap.nursery /= 2;
    else if (survived < SURVIVORS_FEW)
        heap.nursery *= 2;
    set_goals();
}

/* All that lives is marked, in this pause. */
static void conclude(void)
{
    heap.last = (HeapLast){.whole = !heap.young_only, .grown = !heap.young_only};
    heap.marking = false;
#ifndef LODE_DEBUG
    if (heap_mode & HEAP_BARRIER)
#endif
        mark_verify_barrier();
    finish();
    sweep_begin();
    heap.marked_all |= !heap.young_only;
    if (heap.young_only)
        size_nursery();
    heap.collecting = false;
}

static void marking_begin(bool young_only)
{
    begin();
    if (!young_only)
        mark_start();
    heap.young_only = young_only;
    live_before = heap.live_bytes;
    heap.marking = true;
    heap.marking_rounds = 0;
    heap.round_from = heap.visited;
    heap.stepped = heap.since;
    mark_roots();
    if (young_only)
        mark_old();
}

void heap_collect_young(void)
{
    if (heap.collecting || !heap.base)
        return;
    uint64_t from = heap_now_ns();
    if (heap.marking) {
        begin();
        mark_rest();
    } else {
        marking_begin(true);
        mark_step(UINT64_MAX);
    }
    conclude();
    note_time(from);
}

static void young_begin(uint64_t budget)
{
    marking_begin(true);
    if (mark_step(budget))
        conclude();
    heap.collecting = false;
}

static void whole_begin(void)
{
    marking_begin(false);
    heap.collecting = false;
}

static void marking_step(uint64_t budget)
{
    heap.collecting = true;
    heap.wanted = false;
    heap.stepped = heap.since;
    mark_hold_stack(); /* G4 */
    bool done = mark_step(budget);
    if (done && heap.marking_rounds < ROUNDS_MAX &&
        (heap.marking_rounds == 0 || heap.visited - heap.round_from > ROUND_SMALL)) {
        heap.marking_rounds++;
        mark_roots();
        mark_old();
        heap.round_from = heap.visited;
        done = false;
    }
    if (done) {
        mark_rest();
        conclude();
    }
    heap.collecting = false;
}

/* ---- automatic compaction ---- */

/* More than half of the bytes in pages are free cells. */
static bool fragmented(void)
{
    return heap.live_bytes < heap.page_count << (PAGE_SHIFT - 1) && heap.page_count > 64;
}

/* As long for a byte as last time; twice, since the collection that comes before marks all. */
static int64_t compaction_estimate(void)
{
    uint64_t bytes = heap.live_bytes + 1;
    return (int64_t)(heap.compacted_bytes ? 2 * heap.stats.compact_ns * (bytes >> 10) / ((heap.compacted_bytes >> 10) + 1) : 2 * bytes);
}

void heap_rest(int64_t ns)
{
    if (likely(!heap_auto_compact || !heap.marked_all) || heap.collecting || heap.marking || heap_disabled)
        return;
    int64_t most = (int64_t)conf.compact_pause * 1000000, estimate = compaction_estimate();
    if (estimate > most || (ns >= 0 && estimate > ns))
        return;
    sweep_finish();
    heap.marked_all = false;
    if (!fragmented())
        return;
    heap_compact(HEAP_COMPACT_TWO_FINGER);
    heap.last = (HeapLast){.whole = true, .grown = true};
}

void heap_warm_up(void)
{
    heap_compact(HEAP_COMPACT_TWO_FINGER);
    pages_release_all();
    malloc_trim(0);
}

HeapState heap_state(void)
{
    return heap.marking ? HEAP_STATE_MARKING : heap.unswept_count ? HEAP_STATE_SWEEPING : HEAP_STATE_NONE;
}

bool heap_whole_wanted(void)
{
    return !heap_allow_whole && held_bytes() >= heap.major_at;
}

bool heap_step_due(void)
{
    return heap.marking ? heap.since - heap.stepped >= HEAP_PAGE_SIZE : heap.since >= heap.nursery;
}

void heap_collect_step(void)
{
    if (heap.collecting)
        return;
    uint64_t from = heap_now_ns();
    heap.wanted = false;
    if (heap.since >= heap.nursery && whole_due()) {
        collect_by_modes(HEAP_COMPACT_NOT);
    } else if (heap.unswept_count > SWEEP_AT_ONCE) { /* the last collection's sweep comes first, in turns of its own */
        sweep_pages(SWEEP_AT_ONCE);
        heap_note_sweep(from);
        return;
    } else if (heap.marking) {
        marking_step(MIN(MARK_STEP_MAX, (heap.since - heap.stepped + HEAP_PAGE_SIZE) * MARK_PER_BYTE));
    } else if (held_bytes() < heap.major_at || !heap_allow_whole) {
        young_begin(YOUNG_STEP);
    } else {
        whole_begin();
    }
    heap_note_pause(from);
}

void heap_collect_by_mode(void)
{
    if (heap.collecting)
        return;
    if (heap_mode & (HEAP_COLLECT | HEAP_EVACUATE | HEAP_COMPACT | HEAP_STRESS))
        heap_collect();
    else if (heap.marking)
        marking_step(1 << 17); /* a few steps for a marking: stores happen in between */
    else if (heap.stats.count % 4 == 2)
        whole_begin();
    else if (heap.stats.count % 4 == 3)
        young_begin(0); /* in steps, however little it is */
    else
        heap_collect_young();
}
