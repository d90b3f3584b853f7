/*
 * commit.c - a commit's steps 2 to 6: Secure, Decide, Log, Install, Durable (DESIGN-store.md section 3).
 *
 * The write set is private memory: encoded records, one block after another.  Secure does all that may fail or wait:
 * pins the object table's pages, gets log credit, places the records.  From Decide to Install is one critical section in
 * which nothing waits, allocates or fails; a death in it stops everyone and recovery decides by the log alone.
 *
 * M1: whoever changes a word of the object table has locked it: words are locked in oid order by try-lock only.  A bulk commit
 *     locks them by preparing them, at Secure (bulk.c B3), and gives all of them up before it waits for anyone.
 * M2: a word newer than the snapshot, or locked by another, is a conflict; then nothing at all happens.
 * M3: the lower bound is published before a place in the log is taken and cleared after all is installed, so that a
 *     checkpoint's redo point is never between a record and its installation.
 * M4: Install in this order: sequences into the records, fill marks, pages' LSN, location words, control words (which
 *     unlocks), change ring, publish.  A reader that finds a location finds a stamped record; a page written in between has
 *     an LSN that covers what is in it.
 *     A void place (validate.c V4) is published like any other.
 * M5: previous versions are linked at Secure: a word that passes Decide has not changed since the snapshot.
 */
#include <stdlib.h>

#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/hashtab.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/open.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/bulk.h"
#include "storage/txn/locks.h"
#include "storage/txn/txn.h"
#include "storage/txn/validate.h"
#include "storage/txn/words.h"

#define BLOCK_BYTES (256 * 1024)
#define FEW_PINS 8       /* of a bulk commit, which looks at one word after the other */
#define BUSY_ATTEMPTS 10 /* when the locks met belonged to commits that failed themselves */

typedef struct Put {
    Oid oid;
    uint32_t class_id;
    uint32_t place_class; /* 0: mixed pages */
    uint32_t bytes;
    bool is_new, locked;
    Location replaced;       /* what its word led to before */
    uint32_t replaced_bytes; /* of that version */
    bool prepared; /* in bulk: its word leads to the record, whose extent has no sequence yet */
    uint8_t *image;
    Location location;
    uint32_t frame; /* of its table page, not in bulk */
    TableEntry *entry;
} Put;

/* This session's write set. */
static struct {
    bool active;
    MemoryContext *context;
    Put *puts; /* in the order put: records are placed so */
    uint32_t count, room;
    uint8_t *block;
    size_t block_left;
    uint64_t bytes;
    uint64_t superseded; /* bytes of the versions that it replaces */
    uint32_t runs, run_pages, largest, own_classes;
    Put **sorted; /* by oid */
    uint32_t table_pages; /* that hold their words */
    uint32_t word_count;  /* words to be locked at Decide: all of sorted; in a bulk commit none */
    CommitEntry *entries;
    Oid *changed;
    uint32_t changed_count;
    Bulk bulk;
    Conflict *conflicts;
    uint32_t conflict_count;
} set;

/* Counting the classes of a commit that have pages of their own. */
static uint32_t class_mark[CLASS_SPACES];
static uint32_t class_generation;

/* ---- the write set --------------------------------------------------------------------------------------------- */

static void clear_set(void)
{
    MemoryContext *context = set.context;
    if (context != NULL)
        memctx_reset(context);
    memset(&set, 0, sizeof(set));
    set.context = context;
}

void store_commit_begin(void)
{
    view_look_at_own();
    if (the_store == NULL || the_store->me == NULL || atomic_load(&the_store->me->snapshot) == 0)
        view_missing();
    if (set.context == NULL)
        set.context = memctx_create(the_store->context, "write set");
    clear_set();
    validate_begin();
    class_generation++;
    set.active = true;
}

static void check_put(const StorePut *put)
{
    if (!set.active)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("no commit was begun"));
    if (put->oid == OID_NONE || put->oid >> OID_BITS != 0 ||
        TABLE_PAGE(OID_INDEX(put->oid)) >= the_store->shared->table_pages_max)
        ereport(ERROR, ERR_INVALID_ARGUMENT, errmsg("%llu can't be an object's id", (unsigned long long)put->oid));
    if (put->class_id > STORE_MAX_CLASS_ID || put->shape > STORE_MAX_SHAPE_ID)
        ereport(ERROR, ERR_INVALID_ARGUMENT, errmsg("class %u or shape %u is out of range", put->class_id, put->shape));
    if ((uint64_t)put->nslots * 8 + put->nbytes > STORE_MAX_BODY)
        ereport(ERROR, ERR_LIMIT_EXCEEDED,
                errmsg("object %llu is too large to be stored: %u slots and %u bytes", (unsigned long long)put->oid,
                       put->nslots, put->nbytes));
}

static uint8_t *encode(const StorePut *put, uint32_t *bytes)
{
    size_t bound = record_encode_bound(put);
    if (bound > BLOCK_BYTES / 4) {
        uint8_t *image = mem_alloc(set.context, bound);
        *bytes = record_encode(put, image);
        return *bytes < bound - bound / 8 ? mem_realloc(set.context, image, *bytes) : image;
    }
    if (set.block_left < bound) {
        set.block = mem_alloc(set.context, BLOCK_BYTES);
        set.block_left = BLOCK_BYTES;
    }
    uint8_t *image = set.block;
    *bytes = record_encode(put, image);
    set.block += *bytes;
    set.block_left -= *bytes;
    return image;
}

void store_commit_put(const StorePut *put)
{
    check_put(put);
    if (set.count == set.room) {
        uint32_t room = set.room == 0 ? 64 : set.room * 2;
        set.puts = mem_realloc(set.context, set.puts, (size_t)room * sizeof(Put));
        set.room = room;
    }
    uint32_t bytes;
    uint8_t *image = encode(put, &bytes);
    uint32_t pages = RECORD_PAGES(bytes);
    Put *p = &set.puts[set.count++];
    *p = (Put){ .oid = put->oid, .class_id = put->class_id, .bytes = bytes, .is_new = put->is_new, .image = image };
    if (space_class_is_large(put->class_id)) {
        p->place_class = put->class_id;
        if (class_mark[put->class_id] != class_generation) {
            class_mark[put->class_id] = class_generation;
            set.own_classes++;
        }
    }
    if (pages > 1) {
        set.runs++;
        set.run_pages += pages;
        set.largest = MAX(set.largest, pages);
    }
    set.bytes += bytes;
}

size_t store_commit_count(void)
{
    return set.count;
}

void store_commit_abort(void)
{
    if (set.active && the_store != NULL && the_store->me != NULL)
        the_store->me->aborts++;
    clear_set();
}

void commit_forget(void)
{
    memset(&set, 0, sizeof(set));
}

/* ---- Secure ------------------------------------------------------------------------------------------------------------ */

static int compare_oids(const void *a, const void *b)
{
    uint64_t x = OID_INDEX((*(Put *const *)a)->oid), y = OID_INDEX((*(Put *const *)b)->oid);
    return x < y ? -1 : x > y;
}

static void sort_set(void)
{
    set.sorted = mem_alloc_array(set.context, set.count, sizeof(Put *));
    bool in_order = true;
    for (uint32_t i = 0; i < set.count; i++) {
        set.sorted[i] = &set.puts[i];
        in_order = in_order && (i == 0 || OID_INDEX(set.puts[i - 1].oid) < OID_INDEX(set.puts[i].oid));
    }
    if (!in_order)
        qsort(set.sorted, set.count, sizeof(Put *), compare_oids);
    set.table_pages = 1;
    for (uint32_t i = 1; i < set.count; i++) {
        uint64_t index = OID_INDEX(set.sorted[i]->oid), before = OID_INDEX(set.sorted[i - 1]->oid);
        if (index == before)
            ereport(ERROR, ERR_INVALID_ARGUMENT,
                    errmsg("object %llu was put twice into one commit", (unsigned long long)set.sorted[i]->oid));
        set.table_pages += TABLE_PAGE(index) != TABLE_PAGE(before);
    }
    set.entries = mem_alloc_array(set.context, set.count, sizeof(CommitEntry));
    set.changed = mem_alloc_array(set.context, set.count, sizeof(Oid));
    for (uint32_t i = 0; i < set.count; i++)
        if (!set.sorted[i]->is_new || set.sorted[i]->oid < OID_FIRST_USER)
            set.changed[set.changed_count++] = set.sorted[i]->oid;
}

static bool is_unknown(const Put *p)
{
    return p->is_new && p->oid >= OID_FIRST_USER;
}

/* Pins what Decide looks at: the words, in a bulk commit only those that were read. */
static void pin_table(void)
{
    cache_unpin_all();
    for (uint32_t i = 0; i < set.word_count; i++)
        set.sorted[i]->entry = word_pin(set.sorted[i]->oid, &set.sorted[i]->frame);
    validate_secure(set.context);
}

/* The word, pinned; in a bulk commit with a few before it. */
static TableEntry *word_of(Put *p)
{
    if (set.word_count != 0)
        return p->entry;
    if (cache_pinned() >= FEW_PINS)
        cache_unpin_all();
    return word_pin(p->oid, &p->frame);
}

/* The extents that the put changes: of the class that the object had, if any, and of the one that it has now. */
static void note_members(Put *p, Location previous)
{
    uint32_t before = 0;
    if (previous != 0) {
        RecordHeader h;
        record_header(previous, p->oid, &h);
        before = RECORD_CLASS(&h);
        p->replaced_bytes = RECORD_BYTES(h.length);
        set.superseded += p->replaced_bytes;
    }
    if (before != p->class_id) {
        validate_member(set.context, before);
        validate_member(set.context, p->class_id);
    }
}

static void link_to(Put *p, Location previous)
{
    uint64_t *link = &((RecordHeader *)p->image)->previous_etc;
    if (!MUTATION(PREVIOUS_LINK))
        *link = (*link & ~LOCATION_MASK) | previous;
}

/* The index of a collected object is another's: what still has the old id must not come back under it. */
static void check_generation(const Put *p, const TableEntry *entry)
{
    uint64_t word = atomic_load(&entry->location);
    if ((word & LOCATION_MASK) == 0 && WORD_GENERATION(word) != 0 && WORD_GENERATION(word) != OID_GENERATION(p->oid) &&
        !MUTATION(OID_GENERATION))
        ereport(ERROR, ERR_NO_OBJECT, errmsg("object %llu was collected, it can't be written", (unsigned long long)p->oid));
}

/* M2, without locks: fails early.  M5. */
static bool look_for_conflicts(Sequence snapshot)
{
    pin_table();
    if (!validate_early(snapshot))
        return true;
    for (uint32_t i = 0; i < set.count; i++) {
        Put *p = set.sorted[i];
        if (set.word_count == 0 && is_unknown(p)) { /* nobody else knows it */
            note_members(p, 0);
            continue;
        }
        TableEntry *entry = word_of(p);
        WordState word = word_look(entry);
        check_generation(p, entry);
        if ((word.sequence > snapshot && !MUTATION(SEQUENCE_CHECK)) || word.prepared)
            return true;
        note_members(p, word.location);
        link_to(p, word.location);
    }
    return false;
}

static uint64_t payload_bytes(void)
{
    return sizeof(CommitRecord) + set.count * sizeof(CommitEntry) + set.bytes;
}

/* How many pages and runs may have to be opened at most: two neighbours together are more than full. */
static uint64_t most_opens(void)
{
    return MIN((uint64_t)set.count, 2 * set.bytes / PAGE_PAYLOAD + set.runs + set.own_classes + 2);
}

static bool is_bulk(void)
{
    StoreShared *s = the_store->shared;
    return payload_bytes() > s->bulk_limit || set.largest > s->run_limit || most_opens() > s->bulk_opens ||
           set.table_pages > s->frames / 4;
}

static void place_all(void)
{
    uint64_t opens = most_opens();
    store_credit(1 + (unsigned)opens, payload_bytes() + opens * SPACE_OPEN_BYTES, 0);
    STOP_POINT(COMMIT_SECURE);
    for (uint32_t i = 0; i < set.count; i++) {
        Put *p = &set.puts[i];
        p->location = open_place(p->place_class, p->image, p->bytes);
    }
}

/* Entries beyond what the commit record can hold go ahead of it. */
static uint32_t log_bulk(uint32_t *crc)
{
    for (uint32_t i = 0; i < set.count; i++) {
        Put *p = set.sorted[i];
        set.entries[i] = (CommitEntry){ p->oid, p->location, 0, p->class_id };
    }
    size_t chunk = wal_max_payload(the_store->wal) / 4 / sizeof(CommitEntry);
    uint32_t ahead = 0;
    *crc = 0;
    if (set.count > chunk)
        while (ahead < set.count) {
            uint32_t n = (uint32_t)MIN(chunk, (size_t)(set.count - ahead));
            *crc = bulk_log_entries(&set.bulk, set.entries + ahead, n, *crc);
            ahead += n;
        }
    uint64_t payload = sizeof(CommitRecord) + (set.count - ahead) * sizeof(CommitEntry) +
                       set.bulk.extent_count * sizeof(uint32_t);
    store_credit(1, payload, 0);
    STOP_POINT(COMMIT_SECURE);
    return ahead;
}

/* ---- Decide, Log, Install: in the critical section ------------------------------------------------------------------------ */

static void unlock(uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        Put *p = set.sorted[i];
        if (p->locked) {
            uint64_t c = atomic_load(&p->entry->control);
            atomic_store(&p->entry->control, CONTROL_SEQUENCE(c));
            p->locked = false;
        }
    }
}

/* M1, M2.  False: a conflict, nothing is locked. */
static bool lock_words(Sequence snapshot)
{
    for (uint32_t i = 0; i < set.word_count; i++) {
        Put *p = set.sorted[i];
        uint64_t c = atomic_load(&p->entry->control);
        bool newer = CONTROL_SEQUENCE(c) > snapshot && !MUTATION(SEQUENCE_CHECK);
        if (MUTATION(WORD_LOCK) && !newer)
            continue;
        if (!newer && !(c & CONTROL_LOCKED) &&
            atomic_compare_exchange_strong(&p->entry->control, &c, CONTROL_LOCK(c, the_store->slot))) {
            p->locked = true;
            WordState word = word_look(p->entry); /* words.c U1 */
            if (!word.prepared && (word.sequence <= snapshot || MUTATION(SEQUENCE_CHECK)))
                continue;
            unlock(i + 1);
            return false;
        }
        if (MUTATION(ALL_OR_NOTHING) && newer) {
            p->entry = NULL;
            continue;
        }
        unlock(i);
        return false;
    }
    return true;
}

/* Has another session an object lock on something written here?  Then no word is locked any more.  The words were locked
 * before (locks.c Q2): a bulk commit, which has prepared its own, looks for all of them outside the critical section. */
static bool against_locks(void)
{
    int holder;
    if (!locks_any() || MUTATION(LOCK_HONOURED))
        return false;
    for (uint32_t i = 0; i < set.count; i++)
        if (!set.sorted[i]->is_new && locks_against(set.sorted[i]->oid, &holder) != OBJECT_LOCK_NONE) {
            unlock(set.word_count);
            return true;
        }
    return false;
}

/* The sequence, and room for the record in the log. */
static WalPlace take_place(uint32_t ahead)
{
    size_t payload = sizeof(CommitRecord) + (set.count - ahead) * sizeof(CommitEntry) +
                     set.bulk.extent_count * sizeof(uint32_t) + (set.bulk.number != 0 ? 0 : set.bytes);
    return wal_place_commit(the_store->wal, &the_store->me->credit, (uint32_t)payload);
}

static void log_commit(const WalPlace *place, uint32_t ahead, uint32_t ahead_crc)
{
    Wal *wal = the_store->wal;
    CommitRecord record = { set.count - ahead, set.bulk.extent_count, set.bulk.number, ahead, ahead_crc, 0 };
    uint32_t entries = record.entries * (uint32_t)sizeof(CommitEntry);
    uint32_t extents = record.extents * (uint32_t)sizeof(uint32_t);

    wal_copy(wal, place, 0, &record, sizeof(record));
    wal_copy(wal, place, sizeof(record), set.entries + ahead, entries);
    uint32_t at = (uint32_t)sizeof(record) + entries;
    if (extents != 0)
        wal_copy(wal, place, at, set.bulk.extents, extents);
    at += extents;
    if (set.bulk.number == 0)
        for (uint32_t i = 0; i < set.count; i++) {
            wal_copy(wal, place, at, set.sorted[i]->image, set.sorted[i]->bytes);
            at += set.sorted[i]->bytes;
        }
    wal_finish(wal, place, WAL_COMMIT, 0);
}

/* M4 */
static void install(const WalPlace *place)
{
    if (set.bulk.number != 0) {
        space_commit_bulk(set.bulk.extents, set.bulk.extent_count, place->sequence);
    } else {
        for (uint32_t i = 0; i < set.count; i++)
            open_stamp(set.puts[i].location, place->sequence);
        open_keep(place->end);
    }
    STOP_POINT(COMMIT_STAMPED);
    uint32_t last = NO_FRAME;
    for (uint32_t i = 0; i < set.word_count; i++) {
        Put *p = set.sorted[i];
        if (p->entry == NULL)
            continue;
        if (p->frame != last) {
            if (last != NO_FRAME)
                cache_dirty(last);
            last = p->frame;
            cache_raise_lsn(last, place->end);
        }
        p->replaced = atomic_load(&p->entry->location) & LOCATION_MASK; /* it may have moved since Secure */
        atomic_store(&p->entry->location, p->location);
        atomic_store(&p->entry->control, place->sequence);
        p->locked = false;
        if (i == 0)
            STOP_POINT(COMMIT_INSTALL);
    }
    if (last != NO_FRAME)
        cache_dirty(last);
    STOP_POINT(COMMIT_INSTALLED);
    validate_leave(place->sequence);
    if (!MUTATION(CHANGES_BEFORE_PUBLISH))
        changes_append(set.changed, set.changed_count, place->sequence);
    publish_installed(place->sequence);
    if (MUTATION(CHANGES_BEFORE_PUBLISH)) {
        io.sleep_ns(2 * NSEC_PER_MSEC);
        changes_append(set.changed, set.changed_count, place->sequence);
    }
}

/* V4: the place is taken and something that was read is not what it was. */
static void give_up_place(const WalPlace *place)
{
    wal_finish_void(the_store->wal, place);
    unlock(set.word_count);
    validate_leave(0);
    STOP_POINT(COMMIT_VOID);
    publish_installed(place->sequence);
}

/* Steps 3 to 5.  False: a conflict. */
static bool decide(Sequence snapshot, uint32_t ahead, uint32_t ahead_crc, WalPlace *place)
{
    SessionSlot *me = the_store->me;
    bool done = false;
    START_CRIT();
    if (set.bulk.number == 0 && !MUTATION(LOWER_BOUND))
        atomic_store(&me->lower_bound, wal_insert_position(the_store->wal)); /* M3 */
    STOP_POINT(COMMIT_DECIDE);
    if (lock_words(snapshot) && (set.bulk.number != 0 || !against_locks())) {
        STOP_POINT(COMMIT_LOCKED);
        validate_enter();
        *place = take_place(ahead);
        STOP_POINT(COMMIT_PLACED);
        done = validate_reads(snapshot);
        if (done) {
            log_commit(place, ahead, ahead_crc);
            STOP_POINT(COMMIT_LOGGED);
            install(place);
        } else {
            give_up_place(place);
        }
    }
    if (done || set.bulk.number == 0)
        atomic_store(&me->lower_bound, 0);
    if (done && set.bulk.number != 0)
        bulk_done(&set.bulk);
    END_CRIT();
    return done;
}

/* ---- conflicts ---------------------------------------------------------------------------------------------------------------- */

/* Until no one holds a lock that we met: then its holder has won, or has failed itself and is no conflict. */
static void wait_for_locks(Sequence snapshot)
{
    for (uint32_t i = 0; i < set.count; i++) {
        word_of(set.sorted[i]);
        word_wait(set.sorted[i]->oid);
    }
    pin_table();
    validate_wait(snapshot);
}

static void note_lock(const Put *p)
{
    int holder;
    LockMode mode = locks_against(p->oid, &holder);
    if (mode == OBJECT_LOCK_READ || mode == OBJECT_LOCK_WRITE)
        set.conflicts[set.conflict_count++] =
            (Conflict){ .oid = p->oid, .class_id = p->class_id, .winner = holder,
                        .winner_pid = atomic_load(&the_store->slots[holder].pid),
                        .kind = mode == OBJECT_LOCK_WRITE ? CONFLICT_WRITE_LOCK : CONFLICT_READ_LOCK };
}

/* Lists them, and waits until the winners are published: a retry must start at a snapshot that includes them. */
static void collect_conflicts(Sequence snapshot)
{
    Sequence newest = 0;
    uint32_t room = validate_count();
    set.conflicts = mem_alloc_array(set.context, set.count + room + 1, sizeof(Conflict));
    set.conflict_count = 0;
    for (uint32_t i = 0; i < set.count; i++) {
        Put *p = set.sorted[i];
        Sequence sequence = word_look(word_of(p)).sequence;
        if (sequence > snapshot)
            set.conflicts[set.conflict_count++] = (Conflict){ .oid = p->oid, .class_id = p->class_id, .winner = -1,
                                                              .kind = CONFLICT_WRITE_WRITE, .sequence = sequence };
        else if (!p->is_new && locks_any())
            note_lock(p);
    }
    pin_table();
    set.conflict_count += validate_conflicts(snapshot, set.conflicts + set.conflict_count, room);
    for (uint32_t i = 0; i < set.conflict_count; i++) {
        Conflict *conflict = &set.conflicts[i];
        int winner;
        int32_t pid;
        if (conflict->sequence != 0 && publish_who(conflict->sequence, &winner, &pid)) {
            conflict->winner = winner;
            conflict->winner_pid = pid;
        }
        newest = MAX(newest, conflict->sequence);
    }
    publish_wait(newest);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------- */

/* Prepares one word (bulk.c B3).  False: a conflict. */
static bool prepare_word(Put *p, Sequence snapshot)
{
    for (;;) {
        TableEntry *entry = word_of(p);
        check_generation(p, entry);
        word_lock(entry);
        WordState word = word_look(entry);
        bool unlinked = word.location != RECORD_PREVIOUS((const RecordHeader *)p->image) && !MUTATION(PREPARED_LINK);
        bool conflict = (word.sequence > snapshot && !MUTATION(SEQUENCE_CHECK)) || word.prepared;
        if (!conflict && !unlinked) {
            cache_raise_lsn(p->frame, set.bulk.logged); /* B6 */
            atomic_store(&entry->location, p->location);
            cache_dirty(p->frame);
            p->replaced = word.location;
            p->prepared = true;
        }
        word_unlock(entry);
        if (conflict || !unlinked)
            return !conflict;
        if (is_unknown(p))
            ereport(ERROR, ERR_INVALID_ARGUMENT,
                    errmsg("object %llu was put as a new one and exists", (unsigned long long)p->oid));
        link_to(p, word.location); /* B5: the compactor has moved it meanwhile */
        p->location = bulk_place(&set.bulk, p->image, p->bytes);
        bulk_finish_pages(&set.bulk);
    }
}

/* Places the records of a bulk commit, and prepares the words.  False: a conflict. */
static bool prepare_bulk(Sequence snapshot)
{
    bulk_start(&set.bulk, set.context);
    for (uint32_t i = 0; i < set.count; i++)
        set.puts[i].location = bulk_place(&set.bulk, set.puts[i].image, set.puts[i].bytes);
    bulk_finish_pages(&set.bulk);
    for (uint32_t i = 0; i < set.count; i++) {
        Put *p = set.sorted[i];
        set.bulk.known_words = set.bulk.known_words || !is_unknown(p);
        if (!prepare_word(p, snapshot))
            return false;
        if (i == set.count / 2)
            STOP_POINT(BULK_PREPARED);
    }
    return !against_locks();
}

static void take_back(Put *p)
{
    TableEntry *entry = word_of(p);
    word_lock(entry);
    atomic_store(&entry->location, p->replaced);
    cache_dirty(p->frame);
    p->prepared = false;
    word_unlock(entry);
}

/* False: some words could not be reached, so their records must stay where they are until recovery clears both away. */
static bool take_back_words(void)
{
    volatile bool done = true;
    TRY()
    {
        for (uint32_t i = 0; i < set.count; i++)
            if (set.sorted[i]->prepared)
                take_back(set.sorted[i]);
        cache_unpin_all();
    }
    CATCH(err)
    {
        log_message(WARNING, "words of an undone bulk commit stay until the next start: %s", err->message);
        cache_unpin_all();
        done = false;
    }
    END_TRY();
    return done;
}

static void undo_secure(void *unused)
{
    (void)unused;
    open_abort();
    cache_unpin_all();
    if (set.bulk.number != 0)
        bulk_abort(&set.bulk, take_back_words());
    store_credit_return();
}

static void undo_commit(void *unused)
{
    undo_secure(unused);
    view_let_go(the_store->me);
}

/* Steps 2 to 5 once.  False: a conflict, perhaps with someone who then failed. */
static bool try_commit(Sequence snapshot, bool bulk, WalPlace *place)
{
    uint32_t ahead = 0, ahead_crc = 0;
    set.superseded = 0;
    if (look_for_conflicts(snapshot))
        return false;
    if (bulk) {
        if (!prepare_bulk(snapshot))
            return false;
        ahead = log_bulk(&ahead_crc);
        pin_table();
    } else {
        place_all();
        for (uint32_t i = 0; i < set.count; i++) {
            Put *p = set.sorted[i];
            set.entries[i] = (CommitEntry){ p->oid, p->location, p->bytes, p->class_id };
        }
    }
    STOP_POINT(COMMIT_SECURED);
    return decide(snapshot, ahead, ahead_crc, place);
}

static CommitResult run_commit(void)
{
    Sequence snapshot = store_snapshot_seq();
    StoreShared *s = the_store->shared;
    CommitResult result = { .status = COMMIT_OK };
    WalPlace place;

    sort_set();
    bool bulk = is_bulk();
    set.word_count = bulk ? 0 : set.count;
    for (int attempt = 1; !try_commit(snapshot, bulk, &place); attempt++) {
        if (bulk)
            undo_secure(NULL); /* M1 */
        wait_for_locks(snapshot);
        collect_conflicts(snapshot);
        if (set.conflict_count == 0 && attempt == BUSY_ATTEMPTS)
            set.conflicts[set.conflict_count++] = (Conflict){
                .oid = set.sorted[0]->oid, .kind = CONFLICT_BUSY, .winner = -1, .class_id = set.sorted[0]->class_id
            };
        undo_secure(NULL);
        if (set.conflict_count > 0) {
            the_store->me->conflicts++;
            result.status = COMMIT_CONFLICT;
            result.conflicts = set.conflicts;
            result.nconflicts = set.conflict_count;
            return result;
        }
        /* Two that meet each other's locks must not meet again in step. */
        uint64_t jitter = hash_u64((uint64_t)the_store->slot * 31 + (uint64_t)attempt) % 200;
        io.sleep_ns((int64_t)jitter * attempt * NSEC_PER_USEC);
    }
    open_done();
    cache_unpin_all();
    store_credit_return();
    result.sequence = place.sequence;
    result.lsn = place.end;
    if (bulk)
        atomic_fetch_add(&s->stat_bulk_commits, 1);
    return result;
}

CommitResult store_commit_finish(Durability durability)
{
    CommitResult result = { .status = COMMIT_OK };
    if (!set.active)
        ereport(ERROR, ERR_NO_TRANSACTION, errmsg("no commit was begun"));
    set.active = false;
    if (set.count == 0) {
        if (conf.durable_reads)
            store_wait_snapshot_durable();
        result.lsn = wal_durable_position(the_store->wal);
        store_begin();
        return result;
    }
    SessionSlot *me = the_store->me;
    view_keep(me);
    resource_push(undo_commit, &set);
    if (atomic_load(&me->snapshot) == 0)
        view_missing();
    result = run_commit();
    resource_pop(&set);
    view_let_go(me);
    atomic_fetch_add(&the_store->shared->superseded, result.status == COMMIT_OK ? set.superseded : 0);
    if (result.status == COMMIT_CONFLICT)
        return result; /* the list lives until the next commit begins */

    STOP_POINT(COMMIT_FLUSH);
    if (durability == DURABILITY_DURABLE && !MUTATION(DURABLE_WAIT))
        wal_flush(the_store->wal, result.lsn);
    else if (durability == DURABILITY_GROUP)
        wal_flush_group(the_store->wal, result.lsn, (unsigned)conf.group_delay * 1000);
    else
        wal_flush_soon(the_store->wal, result.lsn);
    STOP_POINT(COMMIT_DURABLE);
    publish_wait(result.sequence);
    changes_published(); /* not before: a gap in the sequence may have held it back after it was installed (H3) */
    store_begin();
    the_store->me->commits++;
    for (uint32_t i = 0; i < set.count; i++) {
        const Put *p = &set.puts[i];
        space_class_note(p->class_id, p->bytes);
        space_live_add(p->location, p->bytes, 1);
        if (p->replaced != 0)
            space_live_add(p->replaced, p->replaced_bytes, -1);
    }
    clear_set();
    checkpoint_if_due();
    return result;
}

void store_wait_durable(Lsn lsn)
{
    wal_flush(the_store->wal, lsn);
}

bool store_is_durable(Lsn lsn)
{
    return wal_is_durable(the_store->wal, lsn);
}
