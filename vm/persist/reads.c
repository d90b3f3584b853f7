/* reads.c -- what a serializable transaction has read: the read set, by ATTENTION
 *
 * At the start of a serializable transaction every clean object in memory carries ATTENTION, and so does each that is
 * faulted in later; the first look at its content finds that (no inline cache holds such a guard word), notes the
 * oid and clears the bit.  Later looks cost nothing.  A reference that is only passed on is no read.
 *
 * A1  In a serializable transaction a clean object without ATTENTION is in the set; a dirty one was attended before
 *     its change and is in it, too.  Exceptions: what never changes (numbers, procs, code), the structure of classes
 *     (method and constant tables: definitions are no data).  Envs can't carry the bit: one that is in memory counts
 *     as read. Tables of class variables and of a class's own instance variables are data, and do.
 * A2  In a snapshot transaction the bit may be left over; the first look clears it.
 * A3  Reading in debug checks and in commits of objects that carry the bit leaves it as it was.
 * A4  A part of a reduced-conflict object that only noted operations look at (reduced.c) is `replayed`, not read: the
 *     store validates it all the same, but when another has changed it, each operation is done again and must find what
 *     it found.  Whoever reads such a part otherwise says so (reads_note_whole), and it counts as read.
 *
 * Extents: classes whose instances were listed, and from which number on classes were not yet known then.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"
#include <stdlib.h>

typedef struct OidSet {
    Oid *at; /* open addressing; 0: empty */
    size_t cap, used;
} OidSet;

static struct {
    bool serializable;
    OidSet read, replayed; /* what is in both counts as read */
    Oid *sorted;           /* of the commit under way */
    uint32_t *classes;
    size_t class_count, class_room;
    uint32_t classes_from;
} reads;

bool reads_active(void)
{
    return reads.serializable;
}

/* ---- the set ---- */

static size_t place_of(const OidSet *set, Oid oid)
{
    size_t i = (size_t)((oid * 0x9e3779b97f4a7c15ull) >> 24) & (set->cap - 1);
    while (set->at[i] && set->at[i] != oid)
        i = (i + 1) & (set->cap - 1);
    return i;
}

static bool has(const OidSet *set, Oid oid)
{
    return set->used && set->at[place_of(set, oid)] == oid;
}

/* Not from the VM's heap: may be called where nothing may collect. */
static void put(OidSet *set, Oid oid)
{
    if ((set->used + 1) * 4 > set->cap * 3) {
        OidSet before = *set;
        set->cap = before.cap ? before.cap * 2 : 256;
        set->at = mem_zalloc(session.context, set->cap * sizeof(Oid));
        for (size_t i = 0; i < before.cap; i++)
            if (before.at[i])
                set->at[place_of(set, before.at[i])] = before.at[i];
        mem_free(before.at);
    }
    size_t i = place_of(set, oid);
    set->used += set->at[i] == 0;
    set->at[i] = oid;
}

void reads_note(Oid oid)
{
    if (!reads.serializable || (oid < OID_FIRST_BUILTIN && oid != OID_ROOT) || has(&reads.replayed, oid))
        return;
    put(&reads.read, oid);
}

void reads_note_replayed(Oid oid)
{
    if (reads.serializable && !has(&reads.read, oid))
        put(&reads.replayed, oid);
}

void reads_note_whole(Oid oid)
{
    if (has(&reads.replayed, oid))
        put(&reads.read, oid);
}

bool reads_replayed(Oid oid)
{
    return has(&reads.replayed, oid) && !has(&reads.read, oid);
}

void reads_note_extent(uint32_t class_id)
{
    if (!reads.serializable)
        return;
    for (size_t i = 0; i < reads.class_count; i++)
        if (reads.classes[i] == class_id)
            return;
    if (reads.class_count == reads.class_room) {
        size_t room = reads.class_room ? reads.class_room * 2 : 16;
        reads.classes = mem_realloc(session.context, reads.classes, room * sizeof(uint32_t));
        reads.class_room = room;
    }
    reads.classes[reads.class_count++] = class_id;
}

void reads_note_classes_from(uint32_t class_id)
{
    if (reads.serializable && (reads.classes_from == 0 || class_id < reads.classes_from))
        reads.classes_from = class_id;
}

/* ---- ATTENTION ---- */

static bool carries(Value v)
{
    uint64_t head = obj_head(v);
    if (v == session.boot_parts || (head & OF_DIRTY))
        return false;
    if (v == session.root)
        return true;
    return (head & OF_PERSISTENT) && record_type_hollows(v);
}

static void hide_table(Slot s)
{
    if (is_heap(s.raw) && (obj_head(s.raw) & OF_PERSISTENT) && !(obj_head(s.raw) & OF_DIRTY))
        obj_ptr(s.raw)->head |= OH_ATTENTION;
}

/* Does this slot of a module hold a table of data? */
bool reads_is_data_table(Value owner, const Slot *s)
{
    return reads.serializable && is_module(owner) &&
           (s == &class_ext(owner)->cvars[TABLE_PERSISTENT] || s == &class_ext(owner)->ivars[TABLE_PERSISTENT]);
}

void reads_hide(Value v)
{
    if (!reads.serializable)
        return;
    if (carries(v)) {
        obj_ptr(v)->head |= OH_ATTENTION;
    } else if (obj_type(v) == T_ENV) {
        if (obj_head(v) & OF_PERSISTENT)
            reads_note(oidmap_oid(v));
    } else if (is_module(v)) {
        hide_table(class_ext(v)->cvars[TABLE_PERSISTENT]);
        hide_table(class_ext(v)->ivars[TABLE_PERSISTENT]);
    }
}

void reads_hide_table(Value table)
{
    hide_table((Slot){table});
}

static void hide_each(Value v, Oid oid, void *unused)
{
    (void)oid, (void)unused;
    reads_hide(v);
}

/* ---- boundaries ---- */

static void hide_again(const OidSet *set)
{
    for (size_t i = 0; i < set->cap; i++) {
        Value v = set->at[i] ? oidmap_object(set->at[i]) : V_UNDEF;
        if (is_undef(v))
            continue;
        if (obj_type(v) == T_SYMTABLE)
            reads_hide_table(v);
        else
            reads_hide(v);
    }
}

/* A transaction begins.  What the one before has looked at carries the bit again. */
void reads_begin(bool serializable)
{
    bool again = serializable && reads.serializable;
    OidSet before[] = {reads.read, reads.replayed};
    reads.serializable = serializable;
    reads.read = reads.replayed = (OidSet){0};
    reads.class_count = 0;
    reads.classes_from = 0;
    for (size_t i = 0; i < 2; i++) {
        if (again)
            hide_again(&before[i]);
        mem_free(before[i].at);
    }
    if (serializable && !again)
        oidmap_each(hide_each, NULL);
}

static int compare_oids(const void *a, const void *b)
{
    Oid x = *(const Oid *)a, y = *(const Oid *)b;
    return x < y ? -1 : x > y;
}

/* The commit under way is told what was read. */
void reads_submit(void)
{
    if (!reads.serializable)
        return;
    reads.sorted = mem_realloc(session.context, reads.sorted, (reads.read.used + reads.replayed.used + 1) * sizeof(Oid));
    size_t n = 0;
    for (size_t i = 0; i < reads.read.cap; i++)
        if (reads.read.at[i])
            reads.sorted[n++] = reads.read.at[i];
    for (size_t i = 0; i < reads.replayed.cap; i++)
        if (reads.replayed.at[i] && !has(&reads.read, reads.replayed.at[i]))
            reads.sorted[n++] = reads.replayed.at[i];
    qsort(reads.sorted, n, sizeof(Oid), compare_oids);
    store_commit_reads(reads.sorted, n, reads.classes, reads.class_count, reads.classes_from);
}

/* The view has moved on from `since`: lists what was read and is not what it was, at most `max`; returns how many. */
uint32_t reads_changed(Sequence since, Conflict *out, uint32_t max)
{
    uint32_t n = 0;
    if (!reads.serializable)
        return 0;
    for (size_t i = 0; i < reads.read.cap && n < max; i++) {
        Oid oid = reads.read.at[i];
        Sequence now = oid ? store_version(oid) : 0;
        if (now > since)
            out[n++] = (Conflict){.oid = oid, .kind = CONFLICT_READ_WRITE, .winner = -1, .sequence = now};
    }
    uint32_t last = reads.classes_from ? store_class_count() : 0;
    for (size_t i = 0; i < reads.class_count + last && n < max; i++) {
        uint32_t id = i < reads.class_count ? reads.classes[i] : (uint32_t)(i - reads.class_count) + 1;
        if ((i < reads.class_count || id >= reads.classes_from) && store_extent_changed(id, since))
            out[n++] = (Conflict){.oid = store_class_oid(id), .kind = CONFLICT_EXTENT, .winner = -1, .class_id = id};
    }
    return n;
}
