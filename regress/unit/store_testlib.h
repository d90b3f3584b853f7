/*
 * store_testlib.h - helpers for tests of the store: small stores, simple objects whose body tells what they are.
 */
#ifndef LODE_STORE_TESTLIB_H
#define LODE_STORE_TESTLIB_H

#include "unit.h"

#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/state.h"
#include "storage/store.h"

static char test_dir[512];
static MemoryContext *test_context;
static StoreRecord test_record;

/* A small configuration: 1 MB of cache, small log segments. */
UNUSED static void test_configure(void)
{
    conf.page_cache_size = 1 * MB;
    conf.max_store_size = 4 * GB;
    conf.wal_segment_size = 1 * MB;
    conf.wal_buffers = 512 * KB;
    conf.max_sessions = 16;
    conf.change_ring_size = 64 * KB;
    conf.checkpoint_wal_size = 4 * MB;
    conf.compactor = false; /* those who test it turn it on */
    conf.log_level = LOG_LEVEL_ERROR;
}

UNUSED static void test_create(void)
{
    char *dir = unit_directory();
    snprintf(test_dir, sizeof(test_dir), "%s", dir);
    test_configure();
    store_create(test_dir, NULL);
    if (test_context == NULL)
        test_context = memctx_create(NULL, "test");
    store_record_init(&test_record, test_context);
}

UNUSED static void test_open(StoreMode mode)
{
    store_open(test_dir, mode);
    store_session_attach();
    store_begin();
}

UNUSED static void test_close(bool clean)
{
    store_close(store_current(), clean);
}

UNUSED static void test_remove(void)
{
    unit_remove(test_dir);
}

/* ---- children ------------------------------------------------------------------------------------------ */

static void (*test_session_plain)(void);
static void (*test_session_numbered)(int);

/* Runs fn(arg) in a child process, with a deadline; an error is told, and is exit status 3. */
UNUSED static pid_t test_start_child(void (*fn)(int), int arg)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    lib_after_fork("child");
    unit_limit_time();
    TRY()
    {
        fn(arg);
    }
    CATCH(err)
    {
        dprintf(2, "child %d: %s\n", arg, err->message);
        _exit(3);
    }
    END_TRY();
    _exit(0);
}

static void test_session_main(int arg)
{
    store_session_attach();
    store_begin();
    unit_gate_open();
    if (test_session_numbered != NULL)
        test_session_numbered(arg);
    else
        test_session_plain();
    store_session_detach();
}

static pid_t test_start_session_main(int arg)
{
    unit_gate_make();
    pid_t pid = test_start_child(test_session_main, arg);
    unit_gate_wait();
    return pid;
}

/* The same in a child that is a session of the store, with a transaction begun: it sees what is published now. */
UNUSED static pid_t test_start_session(void (*fn)(void))
{
    test_session_numbered = NULL;
    test_session_plain = fn;
    return test_start_session_main(0);
}

UNUSED static pid_t test_start_session_number(void (*fn)(int), int i)
{
    test_session_numbered = fn;
    return test_start_session_main(i);
}

/* The child's exit status, or 128 and the signal that ended it. */
UNUSED static int test_wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* ---- objects --------------------------------------------------------------------------------------------- */

/* A body that depends on oid and value: `slots` references to neighbours, then a text. */
#define TEST_SLOTS 4
UNUSED static void test_put(Oid oid, uint64_t value, uint32_t nbytes, bool is_new)
{
    uint64_t slots[TEST_SLOTS];
    uint8_t *bytes = malloc(nbytes + 1);
    for (int i = 0; i < TEST_SLOTS; i++)
        slots[i] = i == 0 ? value : SLOT_FROM_OID((oid + (unsigned)i) % OID_FIRST_USER);
    uint64_t x = hash_u64(oid * 31 + value);
    for (uint32_t i = 0; i < nbytes; i++)
        bytes[i] = (uint8_t)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56);
    StorePut put = { .oid = oid, .class_id = 0, .format = 7, .flags = 5, .is_new = is_new, .nslots = TEST_SLOTS,
                     .nbytes = nbytes, .slots = slots, .bytes = bytes };
    store_commit_put(&put);
    free(bytes);
}

/* The value that the visible version of `oid` has, checking the whole body; UINT64_MAX when there is none. */
UNUSED static uint64_t test_value(Oid oid)
{
    if (!store_fetch(oid, &test_record))
        return UINT64_MAX;
    StoreRecord *r = &test_record;
    assert_int_equal(r->oid, oid);
    assert_int_equal(r->format, 7);
    assert_int_equal(r->flags, 5);
    assert_int_equal(r->nslots, TEST_SLOTS);
    uint64_t value = r->slots[0];
    for (int i = 1; i < TEST_SLOTS; i++)
        assert_int_equal(r->slots[i], SLOT_FROM_OID((oid + (unsigned)i) % OID_FIRST_USER));
    uint64_t x = hash_u64(oid * 31 + value);
    for (uint32_t i = 0; i < r->nbytes; i++)
        if (r->bytes[i] != (uint8_t)((x = x * 6364136223846793005u + 1442695040888963407u) >> 56))
            fail_msg("byte %u of object %llu is wrong", i, (unsigned long long)oid);
    return value;
}

/* One object, one commit. */
UNUSED static CommitStatus test_commit(Oid oid, uint64_t value, uint32_t nbytes, bool is_new, Durability durability)
{
    store_commit_begin();
    test_put(oid, value, nbytes, is_new);
    return store_commit_finish(durability).status;
}

#endif
