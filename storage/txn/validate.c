/*
 * validate.c - serializable commits: is what was read still the newest, at the place in the order that the commit
 * got?
 *
 * A transaction reads at its snapshot and takes effect at its sequence.  It is serializable if nothing that it read
 * was changed by a commit in between, so that it would have read the same at its sequence.  Who writes locks the
 * words first and takes a sequence then; so every commit with a smaller sequence than ours has locked, or installed,
 * its words by the time that ours is taken.  Therefore:
 *
 * V4: validation comes after the own words are locked and the own sequence is taken.  A word newer than the
 *     snapshot, or locked by another, is a conflict (the lock may belong to a later commit, or to one that fails:
 *     then it is refused in vain, and commit.c tries again).  A commit that fails here fills its place in the log
 *     with a void record and publishes its sequence empty.
 * V5: a class whose extent was listed is validated by two numbers in shared memory: how many commits are under way
 *     that add or remove instances, and the sequence of the newest that did.  A committer enters before it takes its
 *     sequence and leaves when all is installed and not yet published, storing its sequence before it lowers the
 *     count; the validator reads the count first.
 *     After a restart both are zero and every snapshot is newer.  A class gets its number before its first instance
 *     is committed, so the count of classes read after the own sequence is taken covers those that came since.
 *
 * A transaction that writes nothing takes effect at its snapshot: it is never validated, never fails and never waits.
 * Classes of which this session itself has instances under way are told apart by its own entry.
 */
#include "storage/txn/validate.h"

#include "lib/error.h"
#include "lib/io.h"
#include "storage/mutation.h"
#include "storage/txn/words.h"

static struct {
    const Oid *oids; /* the caller's, until the commit has ended */
    size_t count;
    TableEntry **words;
    const uint32_t *classes; /* whose extents were listed; the caller's */
    size_t class_count;
    uint32_t classes_from; /* these count as listed, too; 0: none */
    uint32_t *members; /* classes that get or lose instances here */
    uint32_t member_count, member_room;
    bool entered;
} set;

void validate_begin(void)
{
    memset(&set, 0, sizeof(set));
}

void store_commit_reads(const Oid *oids, size_t count, const uint32_t *classes, size_t class_count,
                        uint32_t classes_from)
{
    set.oids = oids;
    set.count = count;
    set.classes = classes;
    set.class_count = class_count;
    set.classes_from = classes_from;
}

void validate_secure(MemoryContext *context)
{
    if (set.count == 0)
        return;
    if (set.words == NULL)
        set.words = mem_alloc_array(context, set.count, sizeof(*set.words));
    for (size_t i = 0; i < set.count; i++) {
        uint32_t frame;
        set.words[i] = word_pin(set.oids[i], &frame);
    }
}

/* ---- extents of classes (V5) ---------------------------------------------------------------------------------- */

void validate_member(MemoryContext *context, uint32_t class_id)
{
    if (class_id == 0 || class_id >= CLASS_SPACES)
        return;
    for (uint32_t i = 0; i < set.member_count; i++)
        if (set.members[i] == class_id)
            return;
    if (set.member_count == set.member_room) {
        uint32_t room = set.member_room == 0 ? 16 : set.member_room * 2;
        set.members = mem_realloc(context, set.members, room * sizeof(uint32_t));
        set.member_room = room;
    }
    set.members[set.member_count++] = class_id;
}

void validate_enter(void)
{
    if (MUTATION(EXTENT_ENTRY))
        return;
    for (uint32_t i = 0; i < set.member_count; i++)
        atomic_fetch_add(&the_store->classes[set.members[i]].entered, 1);
    set.entered = true;
}

void validate_leave(Sequence sequence)
{
    if (!set.entered)
        return;
    for (uint32_t i = 0; i < set.member_count; i++) {
        ClassSpace *c = &the_store->classes[set.members[i]];
        uint64_t newest = atomic_load(&c->membership);
        while (newest < sequence && !atomic_compare_exchange_weak(&c->membership, &newest, sequence))
            ;
        atomic_fetch_sub(&c->entered, 1);
    }
    set.entered = false;
}

static uint32_t entered_by_me(uint32_t class_id)
{
    for (uint32_t i = 0; set.entered && i < set.member_count; i++)
        if (set.members[i] == class_id)
            return 1;
    return 0;
}

bool store_extent_changed(uint32_t class_id, Sequence since)
{
    return atomic_load(&the_store->classes[class_id].membership) > since;
}

/* ---- the checks --------------------------------------------------------------------------------- */

bool validate_early(Sequence snapshot)
{
    for (size_t i = 0; i < set.count; i++)
        if (word_look(set.words[i]).sequence > snapshot && !MUTATION(READ_VALIDATION))
            return false;
    return true;
}

static bool extent_stands(uint32_t class_id, Sequence snapshot)
{
    return (atomic_load(&the_store->classes[class_id].entered) <= entered_by_me(class_id) &&
            !store_extent_changed(class_id, snapshot)) ||
           MUTATION(EXTENT_VALIDATION);
}

bool validate_reads(Sequence snapshot)
{
    for (size_t i = 0; i < set.count; i++) {
        WordState word = word_look(set.words[i]);
        if (word.sequence > snapshot && !MUTATION(READ_VALIDATION))
            return false;
        if (word.locked && !MUTATION(READ_LOCKED))
            return false;
    }
    for (size_t i = 0; i < set.class_count; i++)
        if (!extent_stands(set.classes[i], snapshot))
            return false;
    for (uint32_t id = set.classes_from, n = store_class_count(); id != 0 && id <= n; id++)
        if (!extent_stands(id, snapshot))
            return false;
    return true;
}

/* ---- after a failure ---------------------------------------------------------------------------- */

static void nap(unsigned spins)
{
    io.sleep_ns(spins < 10 ? 20 * NSEC_PER_USEC : NSEC_PER_MSEC);
}

static void wait_for_creators(uint32_t class_id, Sequence snapshot)
{
    const ClassSpace *c = &the_store->classes[class_id];
    for (unsigned spins = 0; atomic_load(&c->entered) > 0 && !store_extent_changed(class_id, snapshot); spins++)
        nap(spins);
}

void validate_wait(Sequence snapshot)
{
    for (size_t i = 0; i < set.count; i++)
        word_wait(set.oids[i]);
    for (size_t i = 0; i < set.class_count; i++)
        wait_for_creators(set.classes[i], snapshot);
    for (uint32_t id = set.classes_from, n = store_class_count(); id != 0 && id <= n; id++)
        wait_for_creators(id, snapshot);
}

uint32_t validate_count(void)
{
    return (uint32_t)(set.count + set.class_count + (set.classes_from != 0 ? store_class_count() : 0));
}

static uint32_t extent_conflict(uint32_t class_id, Sequence snapshot, Conflict *out)
{
    if (!store_extent_changed(class_id, snapshot))
        return 0;
    *out = (Conflict){ .oid = store_class_oid(class_id), .kind = CONFLICT_EXTENT, .winner = -1, .class_id = class_id,
                       .sequence = atomic_load(&the_store->classes[class_id].membership) };
    return 1;
}

uint32_t validate_conflicts(Sequence snapshot, Conflict *out, uint32_t room)
{
    uint32_t n = 0;
    for (size_t i = 0; i < set.count; i++) {
        Sequence newest = word_look(set.words[i]).sequence;
        if (newest > snapshot)
            out[n++] = (Conflict){ .oid = set.oids[i], .kind = CONFLICT_READ_WRITE, .winner = -1, .sequence = newest };
    }
    for (size_t i = 0; i < set.class_count; i++)
        n += extent_conflict(set.classes[i], snapshot, out + n);
    for (uint32_t id = set.classes_from, last = store_class_count(); id != 0 && id <= last && n < room; id++)
        n += extent_conflict(id, snapshot, out + n);
    return n;
}
