/* lib_memory_test.c: contexts own what is in them, count it, and fail when told to. */
#include "regress/unit/unit.h"

static void blocks_are_aligned_and_keep_their_bytes(void **state)
{
    (void)state;
    MemoryContext *ctx = memctx_create(NULL, "test");
    unsigned char *p[600];
    size_t n[600];
    for (int i = 0; i < 600; i++) {
        n[i] = (size_t)(i * 37 % 20000);
        p[i] = mem_alloc(ctx, n[i]);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        assert_true(mem_size(p[i]) >= n[i]);
        assert_ptr_equal(mem_context_of(p[i]), ctx);
        memset(p[i], i & 255, n[i]);
    }
    for (int i = 0; i < 600; i += 3) {
        mem_free(p[i]);
        p[i] = mem_alloc(ctx, n[i]);
        memset(p[i], i & 255, n[i]);
    }
    for (int i = 0; i < 600; i++) {
        size_t more = n[i] * 3 / 2 + 7;
        p[i] = mem_realloc(ctx, p[i], more);
        for (size_t k = 0; k < n[i]; k++)
            assert_int_equal(p[i][k], i & 255);
        memset(p[i], i & 255, more);
        p[i] = mem_realloc(ctx, p[i], n[i] / 4);
        for (size_t k = 0; k < n[i] / 4; k++)
            assert_int_equal(p[i][k], i & 255);
    }
    assert_int_equal(memctx_live_blocks(ctx), 600);
    for (int i = 0; i < 600; i++)
        mem_free(p[i]);
    assert_int_equal(memctx_live_blocks(ctx), 0);
    memctx_delete(ctx);
}

static int calls;

static void note(void *arg)
{
    calls = calls * 10 + *(int *)arg;
}

static void reset_frees_children_and_calls_back(void **state)
{
    (void)state;
    static int one = 1, two = 2, three = 3;
    MemoryContext *ctx = memctx_create(NULL, "test");
    MemoryContext *child = memctx_create(ctx, "child");
    mem_alloc(child, 100000);
    memctx_on_reset(ctx, note, &one);
    memctx_on_reset(ctx, note, &two);
    memctx_on_reset(child, note, &three);
    assert_true(memctx_bytes_total(ctx) >= 100000);
    calls = 0;
    memctx_reset(ctx);
    assert_int_equal(calls, 321);
    assert_int_equal(memctx_bytes_total(ctx), 0);
    memctx_reset(ctx);
    assert_int_equal(calls, 321);
    mem_alloc(ctx, 10);
    memctx_delete(ctx);
}

static void zeroed_memory_is_zero_also_when_used_before(void **state)
{
    (void)state;
    MemoryContext *ctx = memctx_create(NULL, "test");
    for (size_t n = 1; n < 50000; n = n * 3 + 1) {
        void *p = mem_alloc(ctx, n);
        memset(p, 0xff, n);
        mem_free(p);
        unsigned char *q = mem_zalloc(ctx, n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(q[i], 0);
    }
    memctx_delete(ctx);
}

static void work(MemoryContext *parent)
{
    MemoryContext *ctx = memctx_create(parent, "work");
    resource_push((ResourceFn)memctx_delete, ctx);
    StrBuf sb;
    strbuf_init(&sb, ctx);
    for (int i = 0; i < 100; i++)
        strbuf_printf(&sb, "%d,", i);
    HashTab *t = hashtab_create(ctx, 0, 16, HASH_STRING);
    for (int i = 0; i < 50; i++)
        hashtab_enter(t, mem_printf(ctx, "key%d", i), NULL);
    resource_release(ctx);
}

static void each_failing_allocation_is_an_error_that_leaks_nothing(void **state)
{
    (void)state;
    MemoryContext *ctx = memctx_create(NULL, "test");
    volatile int failures = 0;
    volatile bool passed = false;
    for (volatile uint64_t n = 1; !passed; n++) {
        mem_fail_at(n, false);
        TRY()
        {
            work(ctx);
            passed = true;
        }
        CATCH(err)
        {
            assert_int_equal(err->code, ERR_OUT_OF_MEMORY);
            failures++;
        }
        END_TRY();
        mem_fail_at(0, false);
        assert_int_equal(memctx_bytes_total(ctx), 0);
    }
    assert_true(failures > 100);
    memctx_delete(ctx);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    EXPECT_ERROR(ERR_OUT_OF_MEMORY, mem_alloc(memctx_top(), SIZE_MAX / 2));
    EXPECT_ERROR(ERR_OUT_OF_MEMORY, mem_alloc_array(memctx_top(), SIZE_MAX / 4, 8));
}

static void string_buffers_grow(void **state)
{
    (void)state;
    StrBuf sb;
    strbuf_init(&sb, memctx_top());
    assert_string_equal(sb.data, "");
    for (int i = 0; i < 1000; i++)
        strbuf_printf(&sb, "%04d", i);
    assert_int_equal(sb.len, 4000);
    assert_memory_equal(sb.data + 3996, "0999", 5);
    strbuf_truncate(&sb, 8);
    strbuf_append(&sb, "a\0b", 3);
    strbuf_putc(&sb, '!');
    assert_memory_equal(sb.data, "00000001a\0b!", 13);
    strbuf_reset(&sb);
    strbuf_json(&sb, "a\"\\\n\x01 \xc3\xa4 \xff", 10);
    assert_string_equal(sb.data, "\"a\\\"\\\\\\n\\u0001 \xc3\xa4 \xef\xbf\xbd\"");
    char *p = strbuf_detach(&sb);
    assert_int_equal(sb.len, 0);
    mem_free(p);
}

typedef struct {
    uint64_t key;
    int value;
} Entry;

static void hash_tables_hold_what_a_model_holds(void **state)
{
    (void)state;
    enum { KEYS = 500 };
    HashTab *t = hashtab_create(memctx_top(), 8, sizeof(Entry), HASH_BLOB);
    int model[KEYS] = {0}; /* 0: absent */
    size_t count = 0;
    random_seed(42);
    for (int step = 1; step < 100000; step++) {
        uint64_t key = random_below(KEYS);
        if (random_below(3) == 0) {
            assert_int_equal(hashtab_remove(t, &key), model[key] != 0);
            count -= model[key] != 0;
            model[key] = 0;
        } else {
            bool found;
            Entry *e = hashtab_enter(t, &key, &found);
            assert_int_equal(found, model[key] != 0);
            assert_int_equal(e->value, model[key]);
            count += !found;
            e->value = model[key] = step;
        }
        assert_int_equal(hashtab_count(t), count);
    }
    /* Walk, removing the even values: each is met exactly once. */
    int met[KEYS] = {0};
    HashIter it = {0};
    for (Entry *e; (e = hashtab_next(t, &it));) {
        met[e->key]++;
        if (e->value % 2 == 0)
            hashtab_remove_current(t, &it);
    }
    for (uint64_t k = 0; k < KEYS; k++) {
        assert_int_equal(met[k], model[k] != 0);
        Entry *e = hashtab_find(t, &k);
        assert_int_equal(e != NULL, model[k] % 2 == 1);
    }
    hashtab_destroy(t);
}

static void hash_tables_copy_string_keys(void **state)
{
    (void)state;
    HashTab *t = hashtab_create(memctx_top(), 0, 16, HASH_STRING);
    char key[16] = "one";
    hashtab_enter(t, key, NULL);
    strcpy(key, "two");
    assert_non_null(hashtab_find(t, "one"));
    assert_null(hashtab_find(t, "two"));
    hashtab_clear(t);
    assert_null(hashtab_find(t, "one"));
    hashtab_destroy(t);
}

static void checksums_are_crc32c(void **state)
{
    (void)state;
    /* RFC 3720, appendix B.4 */
    unsigned char block[32] = {0};
    assert_int_equal(crc32c(0, block, 32), 0x8a9136aa);
    memset(block, 0xff, 32);
    assert_int_equal(crc32c(0, block, 32), 0x62a8ab43);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    static unsigned char big[20000];
    random_seed(1);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (unsigned char)random_u64();
    for (size_t n = 0; n < sizeof big; n += n < 100 ? 1 : 997)
        assert_int_equal(crc32c(7, big + n % 13, n - MIN(n, 13)), crc32c_slow(7, big + n % 13, n - MIN(n, 13)));
    for (size_t cut = 0; cut < sizeof big; cut += 1234)
        assert_int_equal(crc32c(crc32c(0, big, cut), big + cut, sizeof big - cut), crc32c(0, big, sizeof big));
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_keep_their_bytes),
        cmocka_unit_test(reset_frees_children_and_calls_back),
        cmocka_unit_test(zeroed_memory_is_zero_also_when_used_before),
        cmocka_unit_test(each_failing_allocation_is_an_error_that_leaks_nothing),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(string_buffers_grow),
        cmocka_unit_test(hash_tables_hold_what_a_model_holds),
        cmocka_unit_test(hash_tables_copy_string_keys),
        cmocka_unit_test(checksums_are_crc32c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
