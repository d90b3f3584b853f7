/*
 * move.c - moving versions: a small commit of its own kind, without a sequence.
 *
 * Like a commit it has Secure (all that may fail or wait: pins, log credit, copies in open pages) and a critical section in
 * which words are locked by try-lock, the log is written, and the words swing.  It takes no sequence: nobody's view changes.
 *
 * G1: a word swings only under its lock, and only if it still leads to where the copy was taken from; then nothing else about
 *     the object has changed.  Else the copy is garbage from the start and the log says so (sequence 0).
 * G2: the copy has the sequence of the version: for a bulk commit's record, that of its extent.  In redo a move follows its
 *     version's commit in the log and has an equal sequence; later commits have greater ones.
 * G3: the copy keeps its link to the version before.  That may dangle one day (clean.c).
 * G4: all of the batch is in the log's record, images of refused ones too: redo fills the page without gaps.
 * G5: the order of Install is commit.c's (M4), the lower bound's its M3.
 *
 * A death outside the critical section leaves copies that nobody leads to; the reaper cuts them off.
 */
#include "storage/compact/move.h"

#include "lib/error.h"
#include "lib/stop.h"
#include "storage/mutation.h"
#include "storage/page/cache.h"
#include "storage/page/open.h"
#include "storage/page/record.h"
#include "storage/page/space.h"
#include "storage/txn/txn.h"
#include "storage/txn/words.h"

#define BATCH_MOVES 64
#define BATCH_BYTES (64u * 1024)
#define BATCH_CLASSES 4 /* with pages of their own: each may open one */

typedef struct Move {
    Location from, to;
    uint32_t place_class;
    uint32_t frame; /* of its table page */
    uint8_t *image; /* sequence 0 */
    TableEntry *word;
} Move;

static struct {
    uint8_t *bytes;
    uint32_t room, used;
    uint32_t count, runs, tables;
    Move moves[BATCH_MOVES];
    MoveEntry entries[BATCH_MOVES];
    uint32_t classes[BATCH_CLASSES], class_count;
} batch;

static void clear(void)
{
    batch.used = batch.count = batch.runs = batch.tables = batch.class_count = 0;
}

/* What is legal for an ordinary commit is so for a move. */
uint32_t move_longest(void)
{
    const StoreShared *s = the_store->shared;
    return (uint32_t)MIN((uint64_t)s->run_limit * PAGE_PAYLOAD, s->bulk_limit - sizeof(MoveRecord) - sizeof(MoveEntry));
}

void move_start(void)
{
    batch.room = MAX(move_longest(), BATCH_BYTES);
    batch.bytes = mem_alloc(the_store->context, batch.room);
    clear();
}

void move_stop(void)
{
    mem_free(batch.bytes);
    batch.bytes = NULL;
}

static bool note_class(uint32_t class_id)
{
    for (uint32_t i = 0; i < batch.class_count; i++)
        if (batch.classes[i] == class_id)
            return true;
    if (batch.class_count == BATCH_CLASSES)
        return false;
    batch.classes[batch.class_count++] = class_id;
    return true;
}

/* Neighbours share a page of the table; the pins of a batch are few in any cache. */
static bool note_table_page(Oid oid)
{
    static uint64_t last;
    if (batch.count > 0 && TABLE_PAGE(OID_INDEX(oid)) == last)
        return true;
    if (batch.tables == MAX(1u, MIN(32u, the_store->shared->frames / 16)))
        return false;
    last = TABLE_PAGE(OID_INDEX(oid));
    batch.tables++;
    return true;
}

bool move_add(Location from, const void *image, uint32_t bytes, Sequence sequence)
{
    const RecordHeader *h = image;
    uint32_t class_id = space_class_is_large(RECORD_CLASS(h)) ? RECORD_CLASS(h) : 0;
    uint32_t most = (uint32_t)MIN(batch.room, the_store->shared->bulk_limit / 2);
    if (batch.count > 0 && (batch.count == BATCH_MOVES || batch.used + bytes > most))
        return false;
    if (!note_class(class_id) || !note_table_page(RECORD_OID(h)))
        return false;
    Move *m = &batch.moves[batch.count];
    *m = (Move){ .from = from, .place_class = class_id, .image = batch.bytes + batch.used };
    batch.entries[batch.count++] = (MoveEntry){ .oid = RECORD_OID(h), .sequence = sequence, .length = bytes };
    memcpy(m->image, image, bytes);
    ((RecordHeader *)m->image)->sequence_etc &= ~SEQUENCE_MASK;
    batch.used += bytes;
    batch.runs += RECORD_PAGES(bytes) > 1;
    return true;
}

/* ---- Secure ------------------------------------------------------------------------------------------------------- */

static uint32_t payload_bytes(void)
{
    return (uint32_t)(sizeof(MoveRecord) + batch.count * sizeof(MoveEntry)) + batch.used;
}

static void secure(void)
{
    for (uint32_t i = 0; i < batch.count; i++)
        batch.moves[i].word = word_pin(batch.entries[i].oid, &batch.moves[i].frame);
    uint32_t opens = MIN(batch.count, 2 * batch.used / PAGE_PAYLOAD + batch.runs + batch.class_count + 2);
    store_credit(1 + opens, payload_bytes() + opens * SPACE_OPEN_BYTES, 0);
    for (uint32_t i = 0; i < batch.count; i++) {
        batch.moves[i].to = open_place(batch.moves[i].place_class, batch.moves[i].image, batch.entries[i].length);
        batch.entries[i].location = batch.moves[i].to;
    }
}

static void undo(void *unused)
{
    (void)unused;
    open_abort();
    cache_unpin_all();
    store_credit_return();
    clear();
}

/* ---- the critical section ------------------------------------------------------------------------------------------- */

/* G1.  False: it has changed, or someone is changing it. */
static bool lock_word(const Move *m)
{
    uint64_t c = atomic_load(&m->word->control);
    if ((c & CONTROL_LOCKED) ||
        !atomic_compare_exchange_strong(&m->word->control, &c, CONTROL_LOCK(c, the_store->slot)))
        return false;
    if ((atomic_load(&m->word->location) & LOCATION_MASK) == m->from || MUTATION(MOVE_UNCHANGED))
        return true;
    atomic_store(&m->word->control, CONTROL_SEQUENCE(c));
    return false;
}

static WalPlace log_move(void)
{
    Wal *wal = the_store->wal;
    MoveRecord record = { .entries = batch.count };
    uint32_t entries = batch.count * (uint32_t)sizeof(MoveEntry);
    WalPlace place = wal_place(wal, &the_store->me->credit, payload_bytes());
    wal_copy(wal, &place, 0, &record, sizeof(record));
    wal_copy(wal, &place, sizeof(record), batch.entries, entries);
    wal_copy(wal, &place, (uint32_t)sizeof(record) + entries, batch.bytes, batch.used);
    wal_finish(wal, &place, WAL_MOVE, 0);
    return place;
}

/* G5 */
static void install(Lsn end)
{
    for (uint32_t i = 0; i < batch.count; i++)
        if (batch.entries[i].sequence != 0)
            open_stamp(batch.moves[i].to, batch.entries[i].sequence);
    open_keep(end);
    for (uint32_t i = 0; i < batch.count; i++) {
        Move *m = &batch.moves[i];
        if (batch.entries[i].sequence == 0)
            continue;
        cache_raise_lsn(m->frame, end);
        atomic_store(&m->word->location, m->to);
        atomic_store(&m->word->control, batch.entries[i].sequence);
        cache_dirty(m->frame);
        STOP_POINT(MOVE_INSTALL);
    }
}

/* Returns how many were moved. */
static uint32_t decide(Lsn *end)
{
    SessionSlot *me = the_store->me;
    uint32_t moved = 0;
    START_CRIT();
    atomic_store(&me->lower_bound, wal_insert_position(the_store->wal));
    for (uint32_t i = 0; i < batch.count; i++) {
        if (lock_word(&batch.moves[i]))
            moved++;
        else
            batch.entries[i].sequence = 0;
    }
    STOP_POINT(MOVE_LOCKED);
    if (moved > 0) {
        *end = log_move().end;
        STOP_POINT(MOVE_LOGGED);
        install(*end);
    }
    atomic_store(&me->lower_bound, 0);
    END_CRIT();
    return moved;
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

static void account(uint32_t moved)
{
    StoreShared *s = the_store->shared;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < batch.count; i++) {
        const MoveEntry *e = &batch.entries[i];
        if (e->sequence == 0)
            continue;
        space_live_add(batch.moves[i].from, e->length, -1);
        space_live_add(e->location, e->length, 1);
        bytes += e->length;
    }
    atomic_fetch_add(&s->stat_moved, moved);
    atomic_fetch_add(&s->stat_moved_bytes, bytes);
    atomic_fetch_add(&s->stat_move_refused, batch.count - moved);
}

uint32_t move_run(void)
{
    Lsn end = 0;
    if (batch.count == 0)
        return 0;
    resource_push(undo, &batch);
    secure();
    STOP_POINT(MOVE_SECURED);
    uint32_t moved = decide(&end);
    resource_pop(&batch);
    STOP_POINT(MOVE_INSTALLED);
    uint32_t refused = batch.count - moved;
    account(moved);
    if (moved > 0) {
        open_done();
        cache_unpin_all();
        store_credit_return();
        wal_flush_soon(the_store->wal, end);
        clear();
    } else {
        undo(NULL);
    }
    return refused;
}
