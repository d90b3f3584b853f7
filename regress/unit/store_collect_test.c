/*
 * store_collect_test.c - collections: what nothing reaches goes, all of it or nothing; what anybody reaches, or holds, or could
 * come to hold stays, whoever does what meanwhile.  The steps are made in this process, so every interleaving is made on
 * purpose; the last test has many sessions at random.
 */
#include "store_testlib.h"

#include "lib/error.h"
#include "lib/stop.h"
#include "storage/compact/collect.h"
#include "store_others.h"

#define ROOT ((Oid)1000)
#define ROOTS 8
#define NODE_BYTES 200
#define MOST_REFERENCES 8

/* ---- objects: a value, references, a text -------------------------------------------------------------------------- */

typedef struct Node {
    uint64_t value;
    Oid to[MOST_REFERENCES];
} Node;

static void put_node(Oid oid, const Node *node, uint32_t class_id, bool is_new)
{
    static uint8_t text[NODE_BYTES];
    uint64_t slots[1 + MOST_REFERENCES] = { node->value << 8 };
    for (int i = 0; i < MOST_REFERENCES; i++)
        slots[1 + i] = SLOT_FROM_OID(node->to[i]);
    store_commit_put(&(StorePut){ .oid = oid, .class_id = class_id, .format = 7, .is_new = is_new, .slots = slots,
                                  .nslots = 1 + MOST_REFERENCES, .bytes = text, .nbytes = NODE_BYTES });
}

static bool get_node(Oid oid, Node *node)
{
    if (!store_fetch(oid, &test_record))
        return false;
    assert_int_equal(test_record.oid, oid);
    node->value = test_record.slots[0] >> 8;
    for (int i = 0; i < MOST_REFERENCES; i++)
        node->to[i] = SLOT_OID(test_record.slots[1 + i]);
    return true;
}

static CommitStatus commit_node(Oid oid, const Node *node, bool is_new)
{
    store_commit_begin();
    put_node(oid, node, 0, is_new);
    return store_commit_finish(DURABILITY_ASYNC).status;
}

static Oid new_node(uint64_t value, Oid to)
{
    Oid oid = store_oid_alloc();
    assert_int_equal(commit_node(oid, &(Node){ value, { to } }, true), COMMIT_OK);
    return oid;
}

/* root -> to, in a transaction of its own. */
static void link_root(int root, Oid to)
{
    Node node = { 0 };
    store_begin();
    bool there = get_node(ROOT + (Oid)root, &node);
    node.to[0] = to;
    assert_int_equal(commit_node(ROOT + (Oid)root, &node, !there), COMMIT_OK);
}

static Oid root_refers_to(int root)
{
    Node node = { 0 };
    assert_true(get_node(ROOT + (Oid)root, &node));
    return node.to[0];
}

static bool is_there(Oid oid)
{
    Node node;
    return store_version(oid) != 0 && get_node(oid, &node);
}

/* `n` objects in a ring, in one commit; returns the first. */
static Oid new_ring(int n)
{
    Oid first = store_oid_alloc(), oid = first;
    store_commit_begin();
    for (int i = 0; i < n; i++) {
        Oid next = i == n - 1 ? first : store_oid_alloc();
        put_node(oid, &(Node){ (uint64_t)i, { next } }, 0, true);
        oid = next;
    }
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    return first;
}

/* ---- collections ------------------------------------------------------------------------------------------------------ */

static void setup(void)
{
    test_create();
    test_open(STORE_POSTMASTER);
    for (int i = 0; i < 3; i++)
        store_intern_class(900 + (Oid)i);
    store_commit_begin();
    for (Oid i = 0; i < 3; i++)
        put_node(900 + i, &(Node){ 0 }, 0, true);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    for (int i = 0; i < ROOTS; i++)
        link_root(i, OID_NONE);
}

static void teardown(void)
{
    stop_disarm_all();
    store_begin();
    store_verify();
    test_close(true);
    test_remove();
}

/* A boundary: a fresh view, and the vote if it is asked for. */
static bool vote(Oid a, Oid b)
{
    store_begin();
    if (!store_vote_wanted())
        return false;
    uint64_t number = store_vote_begin();
    if (number == 0)
        return false;
    store_vote_hold(a);
    store_vote_hold(b);
    store_vote_end(number);
    return true;
}

static CollectResult result;

/* As far as it goes without anyone's doing. */
static CollectStatus work(uint64_t number)
{
    for (int i = 0, waits = 0; i < 1000000 && waits < 4 && collect_wanted(); i++)
        waits += store_compact_step() != COMPACT_WORKED;
    return store_collect_status(number, &result);
}

/* A whole collection; this session holds one object. */
static void collect(Oid held)
{
    uint64_t number = store_collect_request();
    if (work(number) == COLLECT_UNDER_WAY) {
        assert_int_equal(result.waits_for, store_session_slot());
        vote(held, OID_NONE);
    }
    assert_int_equal(work(number), COLLECT_DONE);
    store_begin();
}

/* Unclean: as after a crash at a moment when all commits are durable. */
static void reopen(bool clean)
{
    static uint64_t times;
    store_begin();
    assert_int_equal(test_commit(990, ++times, 10, store_version(990) == 0, DURABILITY_DURABLE), COMMIT_OK);
    test_close(clean);
    test_open(STORE_POSTMASTER);
    store_verify();
}

/* ---- what goes, what stays ----------------------------------------------------------------------------------------------- */

static void what_nothing_reaches_goes_and_all_else_stays(void **state)
{
    (void)state;
    setup();
    Oid kept = new_ring(2000), gone = new_ring(2000), held = new_ring(500), both = new_node(7, kept);
    link_root(0, both);
    link_root(1, gone);
    link_root(1, OID_NONE);
    new_node(1, kept); /* refers to what is kept, and goes */
    collect(held);
    assert_int_equal(result.freed, 2001);
    assert_true(result.freed_bytes > 2001 * NODE_BYTES / 10);
    assert_true(is_there(kept) && is_there(held) && is_there(both) && !is_there(gone));
    for (Oid i = 0; i < 2000; i++)
        assert_true(is_there(kept + i) && !is_there(gone + i));
    StoreStats s;
    store_stats(&s);
    assert_int_equal(s.objects_freed, 2001);
    assert_int_equal(s.collections, 1);
    store_verify();
    for (int clean = 0; clean < 2; clean++) {
        reopen(clean);
        assert_true(is_there(kept + 1999) && is_there(held) && !is_there(gone + 7));
    }
    collect(OID_NONE);
    assert_int_equal(result.freed, 500); /* nobody holds it any more */
    teardown();
}

static void its_space_is_used_again(void **state)
{
    (void)state;
    setup();
    conf.compactor = true;
    for (int round = 0; round < 12; round++) {
        new_ring(4000); /* 1.2 MB */
        collect(OID_NONE);
        for (int i = 0, waits = 0; i < 100000 && waits < 4; i++) {
            store_begin();
            waits += store_compact_step() != COMPACT_WORKED;
        }
        store_checkpoint_now();
    }
    StoreStats s;
    store_stats(&s);
    if (s.store_bytes > 12 * (uint64_t)MB)
        fail_msg("15 MB of garbage were collected, the store has %llu bytes", (unsigned long long)s.store_bytes);
    teardown();
}

static void numbered_classes_stay(void **state)
{
    (void)state;
    setup();
    Oid class_object = new_node(1, OID_NONE), instance = store_oid_alloc();
    uint32_t id = store_intern_class(class_object);
    store_commit_begin();
    put_node(instance, &(Node){ .value = 1 }, id, true);
    assert_int_equal(store_commit_finish(DURABILITY_ASYNC).status, COMMIT_OK);
    collect(OID_NONE);
    assert_true(is_there(class_object) && !is_there(instance));
    teardown();
}

static Oid gone_oid;

static void write_gone(void)
{
    commit_node(gone_oid, &(Node){ .value = 1 }, false);
}

static void an_id_that_was_collected_is_not_written_under(void **state)
{
    (void)state;
    setup();
    gone_oid = new_node(1, OID_NONE);
    collect(OID_NONE);
    assert_false(is_there(gone_oid) || store_adopt(gone_oid));
    bool refused = false;
    TRY()
    {
        write_gone();
    }
    CATCH(err)
    {
        refused = err->code == ERR_NO_OBJECT;
    }
    END_TRY();
    assert_true(refused);
    store_begin();
    assert_false(is_there(gone_oid));
    teardown();
}

/* What has an id of generation 1 among so many new objects, in a ring. */
static int new_of_second_generation(int n, Oid *first)
{
    int found = 0;
    Oid oid = *first = store_oid_alloc();
    store_begin();
    store_commit_begin();
    for (int i = 0; i < n; i++) {
        Oid next = i == n - 1 ? *first : store_oid_alloc();
        assert_false(is_there(oid));
        put_node(oid, &(Node){ 5, { next } }, 0, true);
        found += OID_GENERATION(oid) == 1;
        oid = next;
    }
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    return found;
}

static int follow(Oid first)
{
    int n = 0;
    Node node;
    Oid oid = first;
    do {
        assert_true(get_node(oid, &node));
        oid = node.to[0];
        n++;
    } while (oid != first);
    return n;
}

static void offer_indexes(void)
{
    conf.compactor = true;
    store_checkpoint_now();
    for (int i = 0; i < 1000; i++)
        if (store_compact_step() == COMPACT_NOTHING)
            break;
}

/* Their words have no sequence of their own. */
static void what_bulk_commits_left_goes(void **state)
{
    (void)state;
    setup();
    Oid gone = new_ring(40000), kept = new_ring(40000);
    StoreStats s;
    store_stats(&s);
    assert_int_equal(s.bulk_commits, 2);
    link_root(3, kept);
    collect(OID_NONE);
    assert_int_equal(result.freed, 40000);
    assert_true(is_there(kept + 39999) && !is_there(gone + 39999));
    store_verify();
    reopen(false);
    assert_true(is_there(kept + 1) && !is_there(gone + 1));
    link_root(3, OID_NONE);
    collect(OID_NONE);
    offer_indexes();
    Oid again;
    assert_true(new_of_second_generation(40000, &again) > 5000);
    assert_int_equal(follow(again), 40000);
    reopen(false);
    assert_int_equal(follow(again), 40000);
    teardown();
}

static void indexes_are_used_again_under_other_ids(void **state)
{
    (void)state;
    Oid old = 0, first, more;
    setup();
    old = new_ring(4000);
    collect(OID_NONE);
    assert_int_equal(new_of_second_generation(300, &first), 0); /* no checkpoint has been yet */
    offer_indexes();
    store_begin();
    assert_true(new_of_second_generation(4000, &first) > 3000);
    link_root(0, first);
    assert_int_equal(follow(first), 4000);
    for (Oid i = 0; i < 4000; i++)
        assert_false(store_adopt(old + i)); /* another's by now */
    reopen(false);
    assert_int_equal(follow(first), 4000);
    assert_int_equal(new_of_second_generation(300, &more), 0); /* nobody has offered any */
    link_root(1, first);
    link_root(0, OID_NONE);
    collect(OID_NONE);
    assert_int_equal(result.freed, 600);
    assert_int_equal(follow(first), 4000);
    link_root(1, OID_NONE);
    collect(OID_NONE);
    assert_int_equal(result.freed, 4000);
    offer_indexes();
    store_begin();
    Oid third = OID_NONE;
    for (int i = 0; i < 5000 && OID_GENERATION(third) != 2; i++)
        third = store_oid_alloc();
    assert_int_equal(OID_GENERATION(third), 2);
    teardown();
}

/* ---- sessions ------------------------------------------------------------------------------------------------------------ */

static struct {
    Oid object;
    int answer;
    volatile bool enough;
} *shared;

/* Holds an object without a reference in the store, in step. */
static void hold_then_link(void)
{
    Oid held = shared->object;
    assert_true(is_there(held));
    stand();
    shared->answer = vote(held, OID_NONE);
    stand();
    link_root(4, held);
    stand();
}

static void what_a_session_holds_stays(void **state)
{
    (void)state;
    setup();
    shared->object = new_ring(10);
    Other other = start_other(hold_then_link);
    await(&other);
    uint64_t number = store_collect_request();
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    vote(OID_NONE, OID_NONE);
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    assert_int_equal(result.waits_for_pid, other.pid);
    step(&other);
    assert_int_equal(shared->answer, 1);
    assert_int_equal(work(number), COLLECT_DONE);
    assert_int_equal(result.freed, 0);
    step(&other);
    last_step(&other);
    store_begin();
    assert_true(is_there(root_refers_to(4)));
    teardown();
}

/* It reads in its old view what nothing reaches any more, after it was asked. */
static void read_in_an_old_view(void)
{
    store_begin();
    stand();
    shared->answer = store_vote_wanted() && store_vote_begin() != 0;
    Oid found = root_refers_to(5);
    stand();
    vote(found, OID_NONE);
    link_root(6, found);
    stand();
}

static void an_old_view_is_waited_for(void **state)
{
    (void)state;
    setup();
    link_root(5, new_ring(10));
    Other other = start_other(read_in_an_old_view);
    await(&other);
    link_root(5, OID_NONE);
    uint64_t number = store_collect_request();
    work(number);
    vote(OID_NONE, OID_NONE);
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    step(&other);
    assert_int_equal(shared->answer, 0);
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    step(&other);
    assert_int_equal(work(number), COLLECT_DONE);
    assert_int_equal(result.freed, 0);
    store_begin();
    assert_true(is_there(root_refers_to(6)));
    last_step(&other);
    teardown();
}

/* Puts what it holds into the store before it is asked, and forgets it. */
static void link_then_vote(void)
{
    Oid held = shared->object;
    stand();
    link_root(4, held);
    stand();
    shared->answer = vote(OID_NONE, OID_NONE);
    stand();
}

static void what_was_committed_meanwhile_stays(void **state)
{
    (void)state;
    setup();
    shared->object = new_ring(10);
    Other other = start_other(link_then_vote);
    await(&other);
    uint64_t number = store_collect_request();
    work(number);
    vote(OID_NONE, OID_NONE);
    step(&other);
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    step(&other);
    assert_int_equal(work(number), COLLECT_DONE);
    store_begin();
    assert_int_equal(result.freed, 0);
    assert_true(is_there(root_refers_to(4)));
    last_step(&other);
    teardown();
}

/* The object is in the store for a moment only, in which a session that has voted reads it. */
static void link_and_unlink(void)
{
    Oid held = shared->object;
    stand();
    link_root(4, held);
    stand();
    link_root(4, OID_NONE);
    shared->answer = vote(OID_NONE, OID_NONE);
    stand();
}

static void what_was_in_the_store_for_a_moment_meanwhile_stays(void **state)
{
    (void)state;
    setup();
    shared->object = new_ring(10);
    Other other = start_other(link_and_unlink);
    await(&other);
    uint64_t number = store_collect_request();
    work(number);
    assert_true(vote(OID_NONE, OID_NONE));
    step(&other);
    store_begin();
    Oid seen = root_refers_to(4); /* held by us, who have voted */
    assert_int_equal(seen, shared->object);
    step(&other);
    assert_int_equal(work(number), COLLECT_DONE);
    link_root(7, seen);
    store_begin();
    assert_true(is_there(root_refers_to(7)));
    last_step(&other);
    teardown();
}

static void a_session_that_does_not_vote_ends_the_collection(void **state)
{
    (void)state;
    setup();
    shared->object = new_ring(10);
    Other other = start_other(hold_then_link);
    await(&other);
    int64_t timeout = conf.collect_timeout;
    conf.collect_timeout = 1;
    uint64_t number = store_collect_request();
    CollectStatus status = COLLECT_UNDER_WAY;
    for (int i = 0; i < 10000 && status == COLLECT_UNDER_WAY; i++) {
        status = work(number);
        usleep(1000);
    }
    assert_int_equal(status, COLLECT_GIVEN_UP);
    conf.collect_timeout = timeout;
    step(&other);
    step(&other);
    last_step(&other);
    collect(OID_NONE);
    assert_int_equal(result.freed, 0);
    assert_true(is_there(root_refers_to(4)));
    teardown();
}

static void hold_and_die(void)
{
    stand();
    link_root(4, shared->object);
    raise(SIGKILL);
}

static void what_a_dead_session_committed_stays_and_it_is_not_waited_for(void **state)
{
    (void)state;
    setup();
    shared->object = new_ring(10);
    Other other = start_other(hold_and_die);
    await(&other);
    uint64_t number = store_collect_request();
    work(number);
    vote(OID_NONE, OID_NONE);
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    int slot = result.waits_for;
    let_go(&other);
    assert_int_equal(end_of(&other), 128 + SIGKILL);
    store_session_cleanup(slot);
    assert_int_equal(work(number), COLLECT_DONE);
    store_begin();
    assert_true(is_there(root_refers_to(4)));
    teardown();
}

/* A child holds what its parent held: before the parent's vote it has to vote itself. */
static void a_forked_session_votes_itself(void **state)
{
    (void)state;
    setup();
    uint64_t number = store_collect_request();
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    int early = store_session_reserve_clone();
    assert_true(vote(OID_NONE, OID_NONE));
    int late = store_session_reserve_clone();
    assert_int_equal(work(number), COLLECT_UNDER_WAY);
    assert_int_equal(result.waits_for, early);
    store_session_release_clone(early);
    assert_int_equal(work(number), COLLECT_DONE);
    store_session_release_clone(late);
    teardown();
}

/* ---- who comes without a reference ------------------------------------------------------------------------------------------ */

static size_t list_instances(Oid *oids)
{
    StoreScan *scan = store_scan_begin((uint32_t[]){ 1 }, 1, test_context);
    size_t n = store_scan_next(scan, oids, 600);
    store_scan_end(scan);
    return n;
}

static Oid new_instance(void)
{
    Oid oid = store_oid_alloc();
    store_begin();
    store_commit_begin();
    put_node(oid, &(Node){ .value = 1 }, 1, true);
    assert_int_equal(store_commit_finish(DURABILITY_DURABLE).status, COMMIT_OK);
    return oid;
}

static void collect_in_step(void)
{
    uint64_t number = store_collect_request();
    work(number);
    stand();
    vote(OID_NONE, OID_NONE);
    if (work(number) != COLLECT_DONE)
        _exit(5);
}

/* A collection by a child that stops there. */
static Other start_collection(StopEvent event, uint64_t nth)
{
    stop_arm(event, STOP_PAUSE, nth, false, 0);
    Other collector = start_other(collect_in_step);
    if (event != STOP_COLLECT_BEGUN) { /* before it waits for anybody */
        await(&collector);
        assert_true(vote(OID_NONE, OID_NONE));
        let_go(&collector);
    }
    assert_true(stop_wait_paused(event, 60000));
    return collector;
}

static void who_lists_instances_keeps_them_or_finds_them_gone(void **state)
{
    (void)state;
    Oid oids[600];
    setup();
    Oid instance = new_instance();
    uint64_t number = store_collect_request();
    work(number);
    vote(OID_NONE, OID_NONE);
    assert_int_equal(list_instances(oids), 1);
    assert_int_equal(work(number), COLLECT_DONE);
    store_begin();
    assert_true(is_there(instance)); /* it was listed */
    Other collector = start_collection(STOP_COLLECT_DECIDED, 1);
    store_begin();
    assert_int_equal(list_instances(oids), 0);
    assert_false(store_adopt(instance));
    assert_true(store_adopt(ROOT));
    stop_release(STOP_COLLECT_DECIDED);
    assert_int_equal(end_of(&collector), 0);
    store_begin();
    assert_false(is_there(instance) || store_adopt(instance));
    teardown();
}

/* ---- deaths -------------------------------------------------------------------------------------------------------------------- */

#define RING 4000 /* over some pages of the table */

/* Kills the collector where it stops, and restarts.  `expected`: of the ring, or -1: all or none. */
static void die_at(StopEvent event, uint64_t nth, bool checkpoint_before, bool checkpoint, int expected)
{
    setup();
    Oid kept = new_ring(RING), gone = new_ring(RING);
    link_root(0, kept);
    Other collector;
    if (checkpoint_before) {
        stop_arm(event, STOP_PAUSE, nth, false, 0);
        collector = start_collection(STOP_COLLECT_LISTED, 1);
        store_checkpoint_now();
        stop_release(STOP_COLLECT_LISTED);
        assert_true(stop_wait_paused(event, 60000));
    } else {
        collector = start_collection(event, nth);
    }
    store_begin();
    assert_int_equal(test_commit(990, 1, 10, true, DURABILITY_DURABLE), COMMIT_OK); /* all of the log before is durable */
    if (checkpoint)
        store_checkpoint_now();
    assert_int_equal(kill(collector.pid, SIGKILL), 0);
    assert_int_equal(end_of(&collector), 128 + SIGKILL);
    stop_disarm_all();
    test_close(false);
    test_open(STORE_POSTMASTER);
    store_verify();
    int there = 0;
    for (Oid i = 0; i < RING; i++) {
        assert_true(is_there(kept + i));
        there += is_there(gone + i);
    }
    if (there != expected)
        fail_msg("killed at %s: %d of %d objects are there", stop_name(event), there, RING);
    collect(OID_NONE);
    assert_int_equal(result.freed, there);
    teardown();
}

static void all_goes_or_nothing_whenever_the_collector_dies(void **state)
{
    (void)state;
    die_at(STOP_COLLECT_BEGUN, 1, false, false, RING);
    die_at(STOP_COLLECT_VOTED, 1, false, false, RING);
    die_at(STOP_COLLECT_DECIDED, 1, false, false, RING);
    die_at(STOP_COLLECT_CONDEMNED, 2, false, false, RING);
    die_at(STOP_COLLECT_CONDEMNED, 2, false, true, RING);
    die_at(STOP_COLLECT_LISTED, 1, false, true, RING);
    die_at(STOP_COLLECT_LOGGED, 1, false, false, 0);
    die_at(STOP_COLLECT_LOGGED, 1, false, true, 0);
    die_at(STOP_COLLECT_SWEEP, 1500, false, false, 0);
    die_at(STOP_COLLECT_SWEEP, 1500, true, true, 0);
    die_at(STOP_COLLECT_SWEPT, 1, true, true, 0);
}

static void a_full_disk_leaves_all_as_it_was(void **state)
{
    (void)state;
    setup();
    Oid gone = new_ring(RING);
    stop_arm(STOP_COLLECT_CONDEMNED, STOP_ERROR, 2, false, 0);
    uint64_t number = store_collect_request();
    work(number);
    vote(OID_NONE, OID_NONE);
    assert_int_equal(work(number), COLLECT_GIVEN_UP);
    store_begin();
    for (Oid i = 0; i < RING; i++)
        assert_true(is_there(gone + i));
    reopen(false);
    assert_true(is_there(gone));
    collect(OID_NONE);
    assert_int_equal(result.freed, RING);
    teardown();
}

/* ---- at random ---------------------------------------------------------------------------------------------------------------- */

#define SESSIONS 4
#define HELD 6
#define LEAST_STEPS 500
#define LEAST_COLLECTIONS 5

static struct {
    Oid held[HELD];
    uint64_t random;
} mine;

static uint64_t below(uint64_t n)
{
    mine.random = mine.random * 6364136223846793005u + 1442695040888963407u;
    return (mine.random >> 33) % n;
}

/* What is read or held is there, whole. */
static void must_be_there(Oid oid, const char *how)
{
    Node node;
    if (oid != OID_NONE && !get_node(oid, &node)) {
        fprintf(stderr, "object %llu, %s, is not there\n", (unsigned long long)oid, how);
        _exit(7);
    }
}

static void vote_for_held(void)
{
    store_begin();
    uint64_t number = store_vote_wanted() ? store_vote_begin() : 0;
    if (number == 0)
        return;
    for (int i = 0; i < HELD; i++)
        store_vote_hold(mine.held[i]);
    store_vote_end(number);
}

/* From a root some references down: held now. */
static void pick_up(void)
{
    Node node;
    Oid oid = ROOT + below(ROOTS);
    for (uint64_t steps = 1 + below(4); steps > 0 && oid != OID_NONE && get_node(oid, &node); steps--) {
        oid = node.to[below(MOST_REFERENCES)];
        must_be_there(oid, "referred to");
    }
    if (oid >= OID_FIRST_USER)
        mine.held[below(HELD)] = oid;
}

/* What is held gets a new reference to what is held, or a root does, or a new object. */
static void change(void)
{
    uint64_t kind = below(4);
    Oid to = mine.held[below(HELD)];
    store_commit_begin();
    if (kind == 0) {
        Oid oid = store_oid_alloc();
        put_node(oid, &(Node){ below(100), { to, mine.held[below(HELD)] } }, 0, true);
        if (store_commit_finish(DURABILITY_ASYNC).status == COMMIT_OK)
            mine.held[below(HELD)] = oid;
        return;
    }
    Oid oid = kind == 1 ? mine.held[below(HELD)] : ROOT + below(ROOTS);
    Node node;
    if (oid != OID_NONE && get_node(oid, &node)) {
        node.to[below(MOST_REFERENCES)] = below(3) == 0 ? OID_NONE : to;
        put_node(oid, &node, 0, false);
    }
    store_commit_finish(DURABILITY_ASYNC);
}

static uint64_t seed(void)
{
    const char *text = getenv("LODE_SEED");
    return text != NULL ? strtoull(text, NULL, 10) : 1;
}

static void live(int number)
{
    mine.random = seed() * 31 + (uint64_t)number * 1000003;
    for (int step = 0; step < LEAST_STEPS || !shared->enough; step++) {
        if (step >= LEAST_STEPS)
            usleep(1000); /* what is written meanwhile is not cleaned */
        vote_for_held();
        for (int i = 0; i < HELD; i++)
            must_be_there(mine.held[i], "held");
        for (uint64_t n = 1 + below(3); n > 0; n--)
            pick_up();
        change();
        if (below(4) == 0)
            mine.held[below(HELD)] = OID_NONE;
        if (below(200) == 0) { /* ends, and another comes that holds nothing */
            store_session_detach();
            memset(mine.held, 0, sizeof(mine.held));
            store_session_attach();
        }
    }
}

static volatile bool stopping;

static void be_compactor(int unused)
{
    (void)unused;
    conf.compactor_cost_limit = 20000;
    store_compactor_main(&stopping);
}

static void be_checkpointer(int unused)
{
    (void)unused;
    store_checkpointer_main(&stopping);
}

static void many_sessions_at_random_never_miss_an_object(void **state)
{
    (void)state;
    pid_t session[SESSIONS];
    setup();
    shared->enough = false;
    conf.compactor = true;
    conf.compactor_threshold = 5;
    conf.checkpoint_timeout = 50;
    pid_t compactor = test_start_child(be_compactor, 0), checkpointer = test_start_child(be_checkpointer, 0);
    for (int i = 0; i < SESSIONS; i++)
        session[i] = test_start_session_number(live, i);
    uint64_t number = store_collect_request(), done = 0;
    for (int left = SESSIONS; left > 0;) {
        int status;
        vote(OID_NONE, OID_NONE);
        if (store_collect_status(number, &result) == COLLECT_DONE) {
            shared->enough = ++done >= LEAST_COLLECTIONS;
            number = store_collect_request();
        }
        for (int i = 0; i < SESSIONS; i++)
            if (session[i] != 0 && waitpid(session[i], &status, WNOHANG) == session[i]) {
                if (status != 0)
                    fail_msg("session %d ended with %d, seed %llu", i, status, (unsigned long long)seed());
                session[i] = 0;
                left--;
            }
        usleep(200);
    }
    assert_int_equal(kill(compactor, SIGKILL) | kill(checkpointer, SIGKILL), 0);
    test_wait_for(compactor);
    test_wait_for(checkpointer);
    StoreStats s;
    store_stats(&s);
    assert_true(done >= LEAST_COLLECTIONS);
    if (s.objects_freed == 0)
        fail_msg("%d collections freed nothing", (int)done);
    test_close(false);
    test_open(STORE_POSTMASTER);
    store_verify();
    collect(OID_NONE);
    teardown();
}

int main(void)
{
    unit_start();
    shared = unit_shared(sizeof(*shared));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nothing_reaches_goes_and_all_else_stays),
        cmocka_unit_test(its_space_is_used_again),
        cmocka_unit_test(numbered_classes_stay),
        cmocka_unit_test(what_bulk_commits_left_goes),
        cmocka_unit_test(an_id_that_was_collected_is_not_written_under),
        cmocka_unit_test(indexes_are_used_again_under_other_ids),
        cmocka_unit_test(what_a_session_holds_stays),
        cmocka_unit_test(an_old_view_is_waited_for),
        cmocka_unit_test(what_was_committed_meanwhile_stays),
        cmocka_unit_test(what_was_in_the_store_for_a_moment_meanwhile_stays),
        cmocka_unit_test(a_session_that_does_not_vote_ends_the_collection),
        cmocka_unit_test(what_a_dead_session_committed_stays_and_it_is_not_waited_for),
        cmocka_unit_test(a_forked_session_votes_itself),
        cmocka_unit_test(who_lists_instances_keeps_them_or_finds_them_gone),
        cmocka_unit_test(all_goes_or_nothing_whenever_the_collector_dies),
        cmocka_unit_test(a_full_disk_leaves_all_as_it_was),
        cmocka_unit_test(many_sessions_at_random_never_miss_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
