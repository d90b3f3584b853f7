/*
 * store_model.h - a workload whose outcome is a function of a few numbers, for tests that end it by force.
 *
 * Commit n of session `who` sets some of the session's own objects, adds one to a counter that all share, and now and then
 * makes a new object; which and how long follows from (who, n).  The session's first object holds n.  So what a store must
 * contain follows from the n found in it, and n must be the last one acknowledged or the one after.
 */
#ifndef LODE_STORE_MODEL_H
#define LODE_STORE_MODEL_H

#include "regress/unit/store_testlib.h"

/* Called by a session when commit n has been acknowledged.  Defined by the test. */
static void acknowledged(unsigned who, uint64_t n);

#define SESSIONS 3

/* How many commits a session makes before it ends. */
static uint64_t session_commits = 120;
#define OBJECTS  150 /* of each session; well-known oids */
#define SHARED   ((Oid)50)

UNUSED static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
    return hash_u64(hash_u64(hash_u64(a) + b) + c);
}

UNUSED static Oid own_oid(unsigned who, unsigned i)
{
    return 1000 + who * 1000 + i;
}

/* Which objects commit n sets (besides the session's first), and how long each is. */
UNUSED static unsigned objects_of(unsigned who, uint64_t n)
{
    return (unsigned)(mix(who, n, 1) % 12);
}

UNUSED static unsigned object_of(unsigned who, uint64_t n, unsigned k)
{
    return 1 + (unsigned)(mix(who, n, 100 + k) % (OBJECTS - 1));
}

UNUSED static uint32_t length_of(unsigned who, uint64_t n, unsigned k)
{
    uint64_t x = mix(who, n, 200 + k);

    return (uint32_t)(x % 50 == 0 ? 30000 + x / 50 % 40000 : x % 7 == 0 ? x / 7 % 6000 : x / 7 % 300);
}

UNUSED static bool makes_new(uint64_t n)
{
    return n % 10 == 3;
}

static volatile bool stop_now;

UNUSED static void on_term(int signal_number)
{
    (void)signal_number;
    stop_now = true;
    store_checkpointer_wake();
    store_wal_writer_wake();
    store_compactor_wake();
}

/* The first object of a session: n, and the newest object it has made, with the n of that. */
UNUSED static void put_first(unsigned who, uint64_t n, Oid newest, uint64_t newest_n)
{
    uint64_t slots[3] = {n, newest ? SLOT_FROM_OID(newest) : 0, newest_n};
    StorePut put = {.oid = own_oid(who, 0), .format = 1, .nslots = 3, .slots = slots};

    store_commit_put(&put);
}

UNUSED static bool get_first(unsigned who, uint64_t *n, Oid *newest, uint64_t *newest_n)
{
    *n = *newest_n = 0;
    *newest = OID_NONE;
    if (!store_fetch(own_oid(who, 0), &test_record))
        return false;
    assert_int_equal(test_record.nslots, 3);
    *n = test_record.slots[0];
    *newest = test_record.slots[1] ? SLOT_OID(test_record.slots[1]) : OID_NONE;
    *newest_n = test_record.slots[2];
    return true;
}

UNUSED static uint64_t shared_count(void)
{
    uint64_t value = test_value(SHARED);

    return value == UINT64_MAX ? 0 : value;
}

UNUSED static void one_commit(unsigned who, uint64_t n, Oid *newest, uint64_t *newest_n)
{
    Oid made = makes_new(n) ? store_oid_alloc() : OID_NONE;

    for (;;) {
        bool set[OBJECTS] = {false};

        store_begin();
        store_commit_begin();
        put_first(who, n, made ? made : *newest, made ? n : *newest_n);
        test_put(SHARED, shared_count() + 1, 10, false);
        for (unsigned k = 0; k < objects_of(who, n); k++) {
            unsigned i = object_of(who, n, k);

            if (!set[i])
                test_put(own_oid(who, i), n, length_of(who, n, k), false);
            set[i] = true;
        }
        if (made)
            test_put(made, n, 100, true);
        if (store_commit_finish(n % 5 == 4 ? DURABILITY_GROUP : DURABILITY_DURABLE).status == COMMIT_OK)
            break;
    }
    if (made) {
        *newest = made;
        *newest_n = n;
    }
    acknowledged(who, n);
    if (n % 8 == 0)
        store_compactor_wake();
}

UNUSED static void session(unsigned who)
{
    Oid newest;
    uint64_t n, newest_n;

    store_session_attach();
    store_begin();
    get_first(who, &n, &newest, &newest_n);
    if (n > 0)
        acknowledged(who, n); /* after a crash it may be one more than its owner was told */
    for (uint64_t last = n + session_commits; n < last;) {
        n++;
        one_commit(who, n, &newest, &newest_n);
        if (n % 17 == 0) { /* names are interned beside the commits */
            char name[40];

            snprintf(name, sizeof(name), "name_%u_%llu", who, (unsigned long long)n);
            store_intern_symbol(name, strlen(name), store_intern_encoding("UTF-8"));
        }
    }
    store_session_detach();
}

UNUSED static pid_t start(void (*fn)(unsigned), unsigned arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        lib_after_fork("child");
        signal(SIGTERM, on_term);
        fn(arg);
        _exit(0);
    }
    return pid;
}

UNUSED static void checkpointer(unsigned arg)
{
    (void)arg;
    store_checkpointer_main(&stop_now);
}

UNUSED static void wal_writer(unsigned arg)
{
    (void)arg;
    store_wal_writer_main(&stop_now);
}

UNUSED static void compactor(unsigned arg)
{
    (void)arg;
    store_compactor_main(&stop_now);
}

UNUSED static void finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

UNUSED static void configure(void)
{
    test_configure();
    conf.checkpoint_timeout = 50;
    conf.direct_io = false;
    conf.compactor = true;
    conf.compactor_cost_limit = 100000;
    conf.compactor_threshold = 5;
    if (test_context == NULL)
        test_context = memctx_create(NULL, "test");
    store_record_init(&test_record, test_context);
}

/* ---- checking ---------------------------------------------------------------------------------------- */

static uint64_t marks[SESSIONS]; /* acknowledged before the cut */

UNUSED static void check_session(unsigned who, uint64_t n, Oid newest, uint64_t newest_n)
{
    uint64_t expected[OBJECTS] = {0};

    for (uint64_t m = 1; m <= n; m++) {
        for (unsigned k = 0; k < objects_of(who, m); k++)
            expected[object_of(who, m, k)] = m;
        if (makes_new(m))
            expected[0] = m;
    }
    assert_int_equal(newest_n, expected[0]);
    if (newest != OID_NONE)
        assert_int_equal(test_value(newest), newest_n);
    for (unsigned i = 1; i < OBJECTS; i++) {
        uint64_t value = test_value(own_oid(who, i));

        if (value != (expected[i] ? expected[i] : UINT64_MAX))
            fail_msg("session %u at %llu: object %u is of commit %lld, not %llu", who, (unsigned long long)n, i,
                     (long long)value, (unsigned long long)expected[i]);
    }
}

/* Opens the store of a cut, checks it against model and marks, goes on with it, and checks again. */
UNUSED static void recover_and_check(const char *dir, bool quick)
{
    uint64_t n, newest_n, sum = 0;
    Oid newest;

    store_open(dir, STORE_SOLO);
    store_session_attach();
    store_begin();
    for (unsigned who = 0; who < SESSIONS; who++) {
        get_first(who, &n, &newest, &newest_n);
        if (n < marks[who] || n > marks[who] + 1)
            fail_msg("session %u: found commit %llu, acknowledged %llu", who, (unsigned long long)n,
                     (unsigned long long)marks[who]);
        check_session(who, n, newest, newest_n);
        sum += n;
    }
    assert_int_equal(shared_count(), sum); /* no half of a commit, no lost update */
    store_verify();
    if (quick) {
        store_close(store_current(), false);
        return;
    }
    for (unsigned who = 0; who < SESSIONS; who++) {
        get_first(who, &n, &newest, &newest_n);
        for (int i = 0; i < 12; i++)
            one_commit(who, ++n, &newest, &newest_n);
        marks[who] = n;
    }
    store_verify();
    store_close(store_current(), (sum & 1) != 0);
    recover_and_check(dir, true);
}

#endif
