/* lib_error_test.c: handlers, resources, critical sections, and that the ends are what they should be. */
#include "regress/unit/unit.h"

static int released[8];
static int released_count;

static void note_release(void *ptr)
{
    released[released_count++] = *(int *)ptr;
}

static void raises(const char *text)
{
    ereport(ERROR, ERR_IO, errmsg("%s", text), errdetail("detail %d", 7), errhint("hint"));
}

static void error_reaches_the_nearest_handler(void **state)
{
    (void)state;
    volatile int seen = 0;
    TRY()
    {
        TRY()
        {
            raises("inner");
            seen += 100;
        }
        CATCH(err)
        {
            assert_string_equal(err->message, "inner");
            assert_string_equal(err->detail, "detail 7");
            assert_string_equal(err->hint, "hint");
            assert_int_equal(err->code, ERR_IO);
            seen += 1;
            rethrow();
        }
        END_TRY();
        seen += 100;
    }
    CATCH(err)
    {
        assert_string_equal(err->message, "inner");
        seen += 10;
    }
    END_TRY();
    assert_int_equal(seen, 11);
    assert_null(error_caught());
}

static void an_error_inside_catch_replaces_the_first(void **state)
{
    (void)state;
    volatile bool reached = false;
    TRY()
    {
        TRY()
        {
            raises("one");
        }
        CATCH(err)
        {
            raises("two");
        }
        END_TRY();
    }
    CATCH(err)
    {
        assert_string_equal(err->message, "two");
        reached = true;
    }
    END_TRY();
    assert_true(reached);
    assert_null(error_caught());
}

static int returns_from_try(void)
{
    TRY()
    {
        return 5;
    }
    CATCH(err)
    {
        return 6;
    }
    END_TRY();
    return 7;
}

static int returns_from_catch(void)
{
    TRY()
    {
        raises("x");
    }
    CATCH(err)
    {
        return 6;
    }
    END_TRY();
    return 7;
}

static void return_leaves_the_handlers_in_order(void **state)
{
    (void)state;
    volatile int caught = 0;
    TRY()
    {
        assert_int_equal(returns_from_try(), 5);
        assert_int_equal(returns_from_catch(), 6);
        assert_null(error_caught());
        raises("still ours");
    }
    CATCH(err)
    {
        assert_string_equal(err->message, "still ours");
        caught++;
    }
    END_TRY();
    assert_int_equal(caught, 1);
}

static void resources_are_released_last_first(void **state)
{
    (void)state;
    static int one = 1, two = 2, three = 3, four = 4;
    released_count = 0;
    resource_push(note_release, &one);
    TRY()
    {
        resource_push(note_release, &two);
        resource_push(note_release, &three);
        resource_push(note_release, &four);
        resource_pop(&three);
        raises("x");
    }
    CATCH(err)
    {
    }
    END_TRY();
    assert_int_equal(released_count, 2);
    assert_int_equal(released[0], 4);
    assert_int_equal(released[1], 2);
    resource_release(&one);
    assert_int_equal(released_count, 3);
    assert_int_equal(resource_depth(), 0);
}

static void latches_are_released_by_an_error(void **state)
{
    (void)state;
    Latch a, b;
    latch_init(&a, LATCH_TEST_OUTER);
    latch_init(&b, LATCH_TEST_INNER);
    latch_acquire(&a, LATCH_EXCLUSIVE);
    assert_int_equal(CRIT_COUNT(atomic_load(crit_word)), 1);
    TRY()
    {
        latch_acquire(&b, LATCH_SHARED);
        raises("x");
    }
    CATCH(err)
    {
        assert_true(latch_held(&a, LATCH_EXCLUSIVE));
        assert_false(latch_held(&b, LATCH_SHARED));
    }
    END_TRY();
    latch_release(&a);
    assert_true(latch_none_held());
    assert_int_equal(atomic_load(crit_word), 0);
}

static void the_memory_context_comes_back(void **state)
{
    (void)state;
    MemoryContext *before = memctx_current();
    MemoryContext *inner = memctx_create(NULL, "inner");
    TRY()
    {
        memctx_switch(inner);
        raises("x");
    }
    CATCH(err)
    {
        assert_ptr_equal(memctx_current(), before);
    }
    END_TRY();
    memctx_delete(inner);
}

static void unwinding_carries_its_record(void **state)
{
    (void)state;
    int record = 0;
    volatile bool reached = false;
    TRY()
    {
        error_unwind(&record);
    }
    CATCH(err)
    {
        assert_int_equal(err->code, ERR_UNWIND);
        assert_ptr_equal(err->payload, &record);
        reached = true;
    }
    END_TRY();
    assert_true(reached);
}

static void each_stack_has_its_own_handlers(void **state)
{
    (void)state;
    ErrorStack *other = error_stack_create();
    volatile bool inner = false, outer = false;
    TRY()
    {
        ErrorStack *mine = error_stack_switch(other);
        TRY()
        {
            raises("other");
        }
        CATCH(err)
        {
            inner = true;
        }
        END_TRY();
        assert_ptr_equal(error_stack_switch(mine), other);
        raises("mine");
    }
    CATCH(err)
    {
        assert_string_equal(err->message, "mine");
        outer = true;
    }
    END_TRY();
    error_stack_free(other);
    assert_true(inner && outer);
}

static void no_handler(void)
{
    raises("nobody listens");
}

static void in_critical_section(void)
{
    TRY()
    {
        START_CRIT();
        raises("half done");
        END_CRIT();
    }
    CATCH(err)
    {
        _exit(99);
    }
    END_TRY();
}

static void without_a_handler_an_error_is_fatal(void **state)
{
    (void)state;
    assert_int_equal(unit_child_status(no_handler), 1);
}

static void in_a_critical_section_an_error_is_a_panic(void **state)
{
    (void)state;
    assert_int_equal(unit_child_status(in_critical_section), 128 + SIGABRT);
}

static void die_in_critical_section(void)
{
    START_CRIT();
    START_CRIT();
    END_CRIT();
    raise(SIGKILL);
}

static _Atomic uint32_t *shared_word;

static void die_with_shared_word(void)
{
    crit_word_set(shared_word);
    die_in_critical_section();
}

static void a_death_in_a_critical_section_shows(void **state)
{
    (void)state;
    shared_word = unit_shared(4096);
    assert_int_equal(unit_child_status(die_with_shared_word), 128 + SIGKILL);
    assert_int_equal(CRIT_COUNT(atomic_load(shared_word)), 1);
}

static void errors_nest_deeper_than_the_reserve(void **state)
{
    (void)state;
    volatile int depth = 0;
    for (int i = 0; i < 1000; i++) {
        TRY()
        {
            TRY()
            {
                TRY()
                {
                    raises("a");
                }
                CATCH(err)
                {
                    raises("b");
                }
                END_TRY();
            }
            CATCH(err)
            {
                raises("c");
            }
            END_TRY();
        }
        CATCH(err)
        {
            depth++;
        }
        END_TRY();
    }
    assert_int_equal(depth, 1000);
}

int main(void)
{
    unit_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_reaches_the_nearest_handler),
        cmocka_unit_test(an_error_inside_catch_replaces_the_first),
        cmocka_unit_test(return_leaves_the_handlers_in_order),
        cmocka_unit_test(resources_are_released_last_first),
        cmocka_unit_test(latches_are_released_by_an_error),
        cmocka_unit_test(the_memory_context_comes_back),
        cmocka_unit_test(unwinding_carries_its_record),
        cmocka_unit_test(each_stack_has_its_own_handlers),
        cmocka_unit_test(without_a_handler_an_error_is_fatal),
        cmocka_unit_test(in_a_critical_section_an_error_is_a_panic),
        cmocka_unit_test(a_death_in_a_critical_section_shows),
        cmocka_unit_test(errors_nest_deeper_than_the_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
