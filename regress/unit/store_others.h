/*
 * store_others.h - other sessions in step with the test: each stops where it says so and goes on when it is let go.
 */
#ifndef LODE_STORE_OTHERS_H
#define LODE_STORE_OTHERS_H

#include "store_testlib.h"

typedef struct Other {
    pid_t pid;
    int go; /* a byte is written: go on */
    int done; /* a byte is read: it got there */
} Other;

static int my_go, my_done;

UNUSED static void tell(void)
{
    if (write(my_done, "x", 1) != 1)
        _exit(9);
}

UNUSED static void wait_to_go(void)
{
    char c;
    if (read(my_go, &c, 1) != 1)
        _exit(9);
}

/* It got here; on when it is let go. */
UNUSED static void stand(void)
{
    tell();
    wait_to_go();
}

UNUSED static Other start_other(void (*fn)(void))
{
    int go[2], done[2];
    assert_int_equal(pipe(go) | pipe(done), 0);
    my_go = go[0];
    my_done = done[1];
    pid_t pid = test_start_session(fn);
    close(go[0]);
    close(done[1]);
    return (Other){ pid, go[1], done[0] };
}

UNUSED static void await(const Other *other)
{
    char c;
    assert_int_equal(read(other->done, &c, 1), 1);
}

UNUSED static void let_go(const Other *other)
{
    assert_int_equal(write(other->go, "x", 1), 1);
}

/* On to where it stands next. */
UNUSED static void step(const Other *other)
{
    let_go(other);
    await(other);
}

UNUSED static int end_of(const Other *other)
{
    close(other->go);
    close(other->done);
    return test_wait_for(other->pid);
}

/* On to its end, which is to be a good one. */
UNUSED static void last_step(const Other *other)
{
    let_go(other);
    assert_int_equal(end_of(other), 0);
}

#endif
