/* heap_test.c -- the heap keeps what is reachable, frees the rest, moves without losing track */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "lib/lib.h"
#include "vm/call.h"
#include "vm/core.h"
#include "vm/heap.h"
#include "vm/shape.h"

static Value root;

/* Runs fn so that what its frames leave behind lies where smash_stack() wipes, not at the very edge of our own frame. */
static __attribute__((noinline)) void deeper(void (*fn)(void))
{
    volatile char room[1024];
    room[0] = 0;
    fn();
    room[1] = room[0];
}

static __attribute__((noinline)) void smash_stack(void)
{
    volatile uint64_t junk[1024];
    for (size_t i = 0; i < COUNT_OF(junk); i++)
        junk[i] = 0;
}

static Value pair(Value a, Value b)
{
    Value v = heap_alloc_slots(T_OBJECT, klass.Object, 0);
    ivar_set(v, sym_intern("@a"), a);
    ivar_set(v, sym_intern("@b"), b);
    return v;
}

static __attribute__((noinline)) void build_list(int n)
{
    root = V_NIL;
    for (int i = 0; i < n; i++)
        root = pair(int_fix(i), root);
}

static void build_long_list(void)
{
    build_list(50000);
}

static int list_sum(void)
{
    int sum = 0;
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")))
        sum += (int)fix_int(ivar_get(v, sym_intern("@a")));
    return sum;
}

static void reachable_objects_survive(void **state)
{
    (void)state;
    build_list(1000);
    heap_collect();
    assert_int_equal(list_sum(), 499500);
    heap_collect();
    assert_int_equal(list_sum(), 499500);
}

static void dead_objects_are_freed(void **state)
{
    (void)state;
    GcStats before, after;
    deeper(build_long_list);
    smash_stack();
    heap_collect();
    heap_stats(&before);
    root = V_NIL;
    smash_stack();
    heap_collect();
    heap_stats(&after);
    assert_true(before.live - after.live >= 49000);
    assert_true(after.freed - before.freed >= 49000);
}

static __attribute__((noinline)) void hang_young_on_old(int n)
{
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")))
        ivar_set(v, sym_intern("@a"), pair(int_fix(n), V_NIL));
}

/* Young collections neither lose what hangs on an old object, nor keep what nothing reaches. */
static void old_objects_keep_the_young(void **state)
{
    (void)state;
    enum { N = 5000 };
    GcStats before, after;
    build_list(N);
    smash_stack();
    heap_collect();
    assert_true(obj_head(root) & OH_LOG);
    hang_young_on_old(7);
    assert_false(obj_head(root) & OH_LOG);
    heap_collect_young();
    hang_young_on_old(8);
    smash_stack();
    heap_stats(&before);
    heap_collect_young(); /* the sevens are old by now: only a whole collection frees them */
    heap_stats(&after);
    assert_true(after.freed - before.freed < N / 2);
    assert_int_equal(after.minor - before.minor, 1);
    heap_collect();
    heap_stats(&after);
    assert_true(after.freed - before.freed >= N - 100);
    int n = 0;
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")), n++)
        assert_int_equal(fix_int(ivar_get(ivar_get(v, sym_intern("@a")), sym_intern("@a"))), 8);
    assert_int_equal(n, N);
}

/* A marking in steps, with every list element replaced and every link rewritten while it runs. */
static void steps_of_marking_lose_nothing(void **state)
{
    (void)state;
    enum { N = 20000 };
    build_list(N);
    assert_true(heap_set_modes("barrier:50"));
    heap_modes_start();
    GcStats before, after;
    heap_stats(&before);
    for (int round = 0; round < 2; round++)
        for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b"))) {
            Value next = ivar_get(v, sym_intern("@b"));
            ivar_set(v, sym_intern("@a"), int_fix(0));
            if (!is_nil(next)) { /* a copy takes the next one's place */
                Value copy = pair(ivar_get(next, sym_intern("@a")), ivar_get(next, sym_intern("@b")));
                ivar_set(v, sym_intern("@b"), copy);
            }
        }
    heap_stats(&after);
    heap_set_modes("");
    heap_modes_start();
    assert_true(after.major - before.major >= 2);
    int n = 0;
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")))
        n++;
    assert_int_equal(n, N);
}

static __attribute__((noinline)) void build_fragments(int n)
{
    root = V_NIL;
    for (int i = 0; i < n; i++) {
        Value v = pair(int_fix(i), root);
        if (i % 10 == 3) /* the others die */
            root = v;
    }
}

static void compaction_empties_pages(void **state)
{
    (void)state;
    enum { N = 100000 };
    static const HeapCompaction hows[] = {HEAP_COMPACT_TWO_FINGER, HEAP_COMPACT_SLIDING};
    for (size_t k = 0; k < COUNT_OF(hows); k++) {
        GcStats before, after;
        build_fragments(N);
        Value keep = root;
        for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")))
            (void)obj_object_id(v);
        Value id = obj_object_id(keep);
        keep = V_NIL;
        smash_stack();
        heap_collect();
        heap_stats(&before);
        smash_stack();
        heap_compact(hows[k]);
        heap_stats(&after);
        assert_true(after.moved > before.moved);
        assert_true(after.pages * 3 < before.pages);
        assert_true(obj_object_id(root) == id);
        int n = 0, last = N;
        for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")), n++) {
            int i = (int)fix_int(ivar_get(v, sym_intern("@a")));
            assert_true(i % 10 == 3 && i < last);
            last = i;
        }
        assert_int_equal(n, N / 10);
        root = V_NIL;
        smash_stack();
        heap_collect();
    }
}

static void slots_beyond_the_cell_move_out(void **state)
{
    (void)state;
    Value v = heap_alloc_slots(T_OBJECT, klass.Object, 0);
    root = v;
    for (int i = 0; i < 200; i++) {
        char name[20];
        snprintf(name, sizeof name, "@v%d", i);
        ivar_set(v, sym_intern(name), int_fix(i));
    }
    heap_collect();
    for (int i = 0; i < 200; i++) {
        char name[20];
        snprintf(name, sizeof name, "@v%d", i);
        assert_int_equal(fix_int(ivar_get(root, sym_intern(name))), i);
    }
    assert_int_equal(fix_int(ivar_remove(root, sym_intern("@v7"))), 7);
    assert_false(ivar_defined(root, sym_intern("@v7")));
    assert_int_equal(fix_int(ivar_get(root, sym_intern("@v8"))), 8);
}

/* The cell of a String is header, a byte for the length, content and NUL, in steps of 16 bytes; beyond 128 the bytes are outside. */
static void strings_lie_in_cells_of_their_length(void **state)
{
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    for (size_t n = 0; n <= 200; n++) {
        Value v = str_new(text, n);
        root = v;
        size_t cell = n <= 22 ? 32 : n <= 118 ? (8 + 1 + n + 1 + 15) & ~(size_t)15 : 32;
        assert_int_equal(heap_cell_size(v), cell);
        for (size_t len = n; len + 7 < 230; len += 7) { /* grows out of the cell by and by */
            StrView s = str_view(v);
            assert_int_equal(s.len, len);
            assert_memory_equal(s.ptr, text, len);
            assert_int_equal(s.ptr[len], 0);
            str_append(v, text + len, 7);
        }
        if (n % 40 == 0)
            heap_compact(HEAP_COMPACT_TWO_FINGER);
        assert_memory_equal(str_view(root).ptr, text, str_view(root).len);
        assert_int_equal(heap_cell_size(root), cell);
    }
    root = V_NIL;
}

static void large_objects_have_own_pages(void **state)
{
    (void)state;
    size_t sizes[] = {2049, 5000, 32768, 40000, 200000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        Value v = heap_alloc_internal(T_FLOAT, sizes[i]);
        assert_true(heap_cell_size(v) >= sizes[i]);
        memset((char *)v + 8, 0xaa, sizes[i] - 8);
        assert_true(heap_is_object(v + sizes[i] - 8));
    }
    heap_collect();
}

static void every_size_class_is_exact(void **state)
{
    (void)state;
    for (size_t n = 16; n <= HEAP_SMALL_MAX; n++) {
        unsigned c = heap_class_of[(n + 15) >> 4];
        assert_true(heap_class_size[c] >= n);
        assert_true(c == 0 || heap_class_size[c - 1] < n);
    }
}

static void weak_slots_are_cleared(void **state);
static Slot weak_slot;
static void visit_weak(Visitor *v)
{
    v->weak(v, &weak_slot);
}
static __attribute__((noinline)) void point_weakly(void)
{
    weak_slot.raw = pair(V_NIL, V_NIL);
}
static void weak_slots_are_cleared(void **state)
{
    (void)state;
    heap_add_visitor(visit_weak, "test");
    root = V_NIL;
    deeper(point_weakly);
    smash_stack();
    heap_collect();
    assert_true(is_undef(weak_slot.raw));
    weak_slot.raw = root = pair(V_NIL, V_NIL);
    heap_collect();
    assert_true(weak_slot.raw == root);
}

static void ids_survive_moves(void **state)
{
    (void)state;
    enum { N = 100 };
    static uint64_t hidden[N], ids[N]; /* addresses inverted: whatever lies on the stack pins */
    static int64_t hashes[N];
    build_list(N);
    int i = 0;
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")), i++) {
        hidden[i] = ~v;
        ids[i] = obj_object_id(v);
        hashes[i] = obj_identity_hash(v);
    }
    assert_true(heap_set_modes("evacuate:1"));
    heap_modes_start();
    smash_stack();
    heap_collect();
    heap_collect();
    int moved = 0;
    i = 0;
    for (Value v = root; !is_nil(v); v = ivar_get(v, sym_intern("@b")), i++) {
        moved += ~hidden[i] != v;
        assert_true(obj_object_id(v) == ids[i]);
        assert_true(obj_identity_hash(v) == hashes[i]);
        assert_true(class_of(v) == klass.Object);
    }
    assert_true(i == N && moved > N / 2);
    build_list(N); /* a collection at every allocation */
    assert_int_equal(list_sum(), N * (N - 1) / 2);
    heap_set_modes("");
    heap_modes_start();
}

static void unknown_modes_are_refused(void **state)
{
    (void)state;
    assert_false(heap_set_modes("collect,evaporate"));
    assert_false(heap_set_modes("collect:0"));
    assert_true(heap_set_modes(""));
}

int main(void)
{
    lib_init("heap_test");
    heap_set_stack_base(__builtin_frame_address(0));
    class_boot();
    root = V_NIL;
    weak_slot.raw = V_UNDEF;
    heap_add_root(&root);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_class_is_exact),
        cmocka_unit_test(reachable_objects_survive),
        cmocka_unit_test(dead_objects_are_freed),
        cmocka_unit_test(old_objects_keep_the_young),
        cmocka_unit_test(steps_of_marking_lose_nothing),
        cmocka_unit_test(compaction_empties_pages),
        cmocka_unit_test(slots_beyond_the_cell_move_out),
        cmocka_unit_test(strings_lie_in_cells_of_their_length),
        cmocka_unit_test(large_objects_have_own_pages),
        cmocka_unit_test(weak_slots_are_cleared),
        cmocka_unit_test(ids_survive_moves),
        cmocka_unit_test(unknown_modes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
