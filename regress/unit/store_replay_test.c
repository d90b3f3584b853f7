/*
 * store_replay_test.c - power cuts on a whole store: sessions, checkpointer and WAL writer at work, a cache of 1 MB, a
 * checkpoint every 50 ms; then the record is cut anywhere and replayed with unsynced writes dropped, torn at 512
 * bytes and reordered.  After each recovery every acknowledged commit is there whole, no other is there in part, and all
 * pages and words agree (store_verify).
 *
 * The model.  Commit n of session `who` is a function of (who, n): it sets some of the session's own objects, adds one
 * to a counter that all share, and now and then makes a new object.  The session's first object holds n.  So what a
 * store must contain follows from the n found in it, and n must be the last one acknowledged or the one after.
 *
 * LODE_SEEDS: how many cuts (100 by itself).  Every tenth recovery is itself recorded and cut.
 */
#include "regress/unit/store_testlib.h"

#include "regress/unit/replay.h"

#define SESSIONS 3
#define COMMITS  120
#define OBJECTS  150 /* of each session; well-known oids */
#define SHARED   ((Oid)50)

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
    return hash_u64(hash_u64(hash_u64(a) + b) + c);
}

static Oid own_oid(unsigned who, unsigned i)
{
    return 1000 + who * 1000 + i;
}

/* Which objects commit n sets (besides the session's first), and how long each is. */
static unsigned objects_of(unsigned who, uint64_t n)
{
    return (unsigned)(mix(who, n, 1) % 12);
}

static unsigned object_of(unsigned who, uint64_t n, unsigned k)
{
    return 1 + (unsigned)(mix(who, n, 100 + k) % (OBJECTS - 1));
}

static uint32_t length_of(unsigned who, uint64_t n, unsigned k)
{
    uint64_t x = mix(who, n, 200 + k);

    return (uint32_t)(x % 50 == 0 ? 30000 + x / 50 % 40000 : x % 7 == 0 ? x / 7 % 6000 : x / 7 % 300);
}

static bool makes_new(uint64_t n)
{
    return n % 10 == 3;
}

static volatile bool stop_now;

static void on_term(int signal_number)
{
    (void)signal_number;
    stop_now = true;
    store_checkpointer_wake();
    store_wal_writer_wake();
}

/* The first object of a session: n, and the newest object it has made, with the n of that. */
static void put_first(unsigned who, uint64_t n, Oid newest, uint64_t newest_n)
{
    uint64_t slots[3] = {n, newest ? SLOT_FROM_OID(newest) : 0, newest_n};
    StorePut put = {.oid = own_oid(who, 0), .format = 1, .nslots = 3, .slots = slots};

    store_commit_put(&put);
}

static bool get_first(unsigned who, uint64_t *n, Oid *newest, uint64_t *newest_n)
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

static uint64_t shared_count(void)
{
    uint64_t value = test_value(SHARED);

    return value == UINT64_MAX ? 0 : value;
}

static void one_commit(unsigned who, uint64_t n, Oid *newest, uint64_t *newest_n)
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
    replay_mark(who, n);
}

static void session(unsigned who)
{
    Oid newest;
    uint64_t n, newest_n;

    store_session_attach();
    store_begin();
    get_first(who, &n, &newest, &newest_n);
    for (uint64_t last = n + COMMITS; n < last;) {
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

static pid_t start(void (*fn)(unsigned), unsigned arg)
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

static void checkpointer(unsigned arg)
{
    (void)arg;
    store_checkpointer_main(&stop_now);
}

static void wal_writer(unsigned arg)
{
    (void)arg;
    store_wal_writer_main(&stop_now);
}

static void finish(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void configure(void)
{
    test_configure();
    conf.checkpoint_timeout = 50;
    conf.direct_io = false;
    if (test_context == NULL)
        test_context = memctx_create(NULL, "test");
    store_record_init(&test_record, test_context);
}

static void record_workload(const char *dir)
{
    pid_t aux[2], sessions[SESSIONS];

    replay_start(dir);
    store_create(dir, NULL);
    store_open(dir, STORE_POSTMASTER);
    aux[0] = start(checkpointer, 0);
    aux[1] = start(wal_writer, 0);
    for (unsigned who = 0; who < SESSIONS; who++)
        sessions[who] = start(session, who);
    for (unsigned who = 0; who < SESSIONS; who++)
        finish(sessions[who]);
    for (int i = 0; i < 2; i++) {
        kill(aux[i], SIGTERM);
        finish(aux[i]);
    }
    store_close(store_current(), false);
    replay_stop();
}

/* ---- checking ---------------------------------------------------------------------------------------- */

static uint64_t marks[SESSIONS]; /* acknowledged before the cut */

static void check_session(unsigned who, uint64_t n, Oid newest, uint64_t newest_n)
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
static void recover_and_check(const char *dir, bool quick)
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

/* In a child: one cut's folder.  Once in a while the recovery is recorded, cut, and recovered again. */
static void check_cut(const char *dir, uint64_t seed)
{
    bool nested = seed % 10 == 7;
    char again[600];

    if (!store_exists(dir)) {
        for (unsigned who = 0; who < SESSIONS; who++)
            assert_int_equal(marks[who], 0);
        store_create(dir, NULL); /* an interrupted creation can be begun again */
        recover_and_check(dir, false);
        return;
    }
    if (nested) {
        uint32_t first, count;

        snprintf(again, sizeof(again), "%s.again", dir);
        replay_start(dir);
        store_open(dir, STORE_SOLO);
        store_close(store_current(), false);
        replay_stop();
        first = replay_first();
        count = replay_events() - first;
        for (uint64_t i = 0; i < 4; i++) {
            uint64_t kept[SESSIONS];

            memcpy(kept, marks, sizeof(marks));
            replay_cut(first + (uint32_t)(mix(seed, i, 5) % (count + 1)), again, seed * 10 + i);
            recover_and_check(again, false);
            memcpy(marks, kept, sizeof(marks));
        }
    } else {
        recover_and_check(dir, false);
    }
}

static void power_cuts(WalSyncMethod method)
{
    const char *seeds = getenv("LODE_SEEDS"), *one = getenv("LODE_SEED");
    uint64_t count = (seeds != NULL ? strtoull(seeds, NULL, 10) : 100) / 2;
    char *base = unit_directory(), dir[600], cut[600];

    configure();
    mutation_init();
    conf.wal_sync_method = method;
    snprintf(dir, sizeof(dir), "%s/store", base);
    snprintf(cut, sizeof(cut), "%s/cut", base);
    record_workload(dir);
    for (uint64_t seed = one != NULL ? strtoull(one, NULL, 10) : 0; seed < count; seed++) {
        uint32_t at = (uint32_t)(mix(seed, 1, 2) % (replay_events() + 1));
        int status;
        pid_t pid;

        if (seed % 10 == 9)
            at = replay_events() - (uint32_t)(seed / 10); /* also near the end, where all is at its largest */
        replay_cut(at, cut, seed);
        for (unsigned who = 0; who < SESSIONS; who++)
            marks[who] = replay_marks[who];
        fflush(NULL);
        pid = fork();
        if (pid == 0) {
            lib_after_fork("recovery");
            setenv("CMOCKA_TEST_ABORT", "1", 1); /* a failed check ends this child, not its test */
            check_cut(cut, seed);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0) {
            if (getenv("LODE_KEEP") != NULL)
                fail_msg("seed %llu (event %u): status %x; kept in %s", (unsigned long long)seed, at,
                         (unsigned)status, cut);
            unit_remove(base);
            fail_msg("seed %llu (event %u): status %x", (unsigned long long)seed, at, (unsigned)status);
        }
    }
    replay_free();
    unit_remove(base);
}

static void power_cuts_lose_nothing_with_o_dsync(void **state)
{
    (void)state;
    power_cuts(WAL_SYNC_OPEN_DATASYNC);
}

static void power_cuts_lose_nothing_with_fdatasync(void **state)
{
    (void)state;
    power_cuts(WAL_SYNC_FDATASYNC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_lose_nothing_with_o_dsync),
        cmocka_unit_test(power_cuts_lose_nothing_with_fdatasync),
    };

    unit_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
