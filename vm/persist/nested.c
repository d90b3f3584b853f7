/* nested.c -- nested transactions: up to 16 levels; an inner commit hands its changes to the level around it, an inner abort
 * undoes only them
 *
 * A level begins like a commit to memory: what has changed since the level before began is written down in records
 * (images), and what is reached from there gets oids, so that from now on its changes are noticed as well.  Then LOG
 * is set on all of it: the first change in the new level is reported again.  Its cost is what changed in the level
 * before.  To undo a level, each object that changed in it goes back to its newest image; one without an image was
 * clean when the level began and is read anew from the store.  The view does not move.
 *
 * N1  Images are ordered by level; an image of level k is the object's state when level k began.  An object without
 *     OH_LOG has changed since its newest image, or has none.
 * N2  When a level ends its images go, and LOG is cleared where they were: the next level makes new ones.  Such an
 *     object has changed in the level around, too, and is on that one's list already (or was reached for the first
 *     time).
 * N3  Kinds of objects that are never saved, or hold something that has no stored form, have no image: they keep
 *     their state, as do Envs (locals), procs and code.  Whether a class is persistable does not matter here.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/object/class_private.h"
#include <stdlib.h>

enum { LEVELS_MAX = 16 };

typedef struct Image {
    Value object;
    int level;
    uint64_t flags;     /* OF_DIRTY, OF_PERSISTENT of that time */
    StoreRecord record; /* slots and bytes in one block, ours */
    bool left_alone;    /* N3 */
} Image;

typedef struct Level {
    ValueList changed; /* first changes in this level, in order */
    size_t fresh;      /* of session.fresh when it began */
    size_t operations; /* noted on reduced-conflict objects */
    BootParts *parts;
    size_t nparts;
} Level;

static Level levels[LEVELS_MAX + 1];
static struct {
    Image *at;
    size_t count, room;
} images;
static bool used; /* since the outermost transaction began */

static void nested_visit(Visitor *v)
{
    for (size_t i = 0; i < images.count; i++)
        v->value(v, &images.at[i].object);
    for (int k = 2; k <= session.level; k++) {
        for (size_t i = 0; i < levels[k].changed.count; i++)
            v->value(v, &levels[k].changed.items[i]);
        for (size_t i = 0; i < levels[k].nparts; i++) {
            v->value(v, &levels[k].parts[i].module);
            visit_slots(v, levels[k].parts[i].parts, BOOT_PARTS);
        }
    }
}

void nested_boot(void)
{
    heap_add_visitor(nested_visit, "nested transactions");
}

_Noreturn static void improper(const char *why)
{
    raise_error(const_find(klass.Maglev, sym_intern("ImproperOperation"), false), "%s", why);
}

/* ---- images ---- */

static bool has_image_form(Value v)
{
    if (is_module(v))
        return !class_ext(v)->persist[0];
    return obj_type(v) == T_SYMTABLE || record_type_hollows(v);
}

static void image_keep(Value v, const StorePut *put, int level)
{
    if (images.count == images.room) {
        size_t room = images.room ? images.room * 2 : 64;
        images.at = heap_realloc(images.at, room * sizeof(Image));
        images.room = room;
    }
    uint8_t *body = heap_malloc((size_t)put->nslots * 8 + put->nbytes + 8);
    if (put->nslots)
        memcpy(body, put->slots, (size_t)put->nslots * 8);
    if (put->nbytes)
        memcpy(body + (size_t)put->nslots * 8, put->bytes, put->nbytes);
    images.at[images.count++] = (Image){
        .object = v, .level = level, .flags = obj_head(v) & (OF_DIRTY | OF_PERSISTENT),
        .record = {.oid = put->oid, .class_id = put->class_id, .shape = put->shape, .format = put->format,
                   .flags = put->flags, .nslots = put->nslots, .nbytes = put->nbytes, .slots = (uint64_t *)body,
                   .bytes = body + (size_t)put->nslots * 8, .context = session.context},
    };
}

/* Writes v down for a level about to begin; what it refers to is reached.  N3 */
static void describe(RecordBuilder *builder, Value v, int level)
{
    if ((obj_head(v) & OH_LOG) || format_of(obj_type(v)) < 0)
        return;
    TRY()
    {
        StorePut put = record_fill(builder, v);
        if (has_image_form(v))
            image_keep(v, &put, level);
    }
    CATCH(err)
    {
        if (err->code != ERR_NOT_PERSISTABLE)
            rethrow();
        image_keep(v, &(StorePut){.oid = oidmap_oid(v)}, level);
        images.at[images.count - 1].left_alone = true;
    }
    END_TRY();
    obj_ptr(v)->head |= OH_LOG;
}

/* N2 */
static void images_drop(int level)
{
    while (images.count && images.at[images.count - 1].level >= level) {
        Image *image = &images.at[--images.count];
        persist_unlog(image->object);
        heap_free((void *)image->record.slots);
    }
}

/* What only slots of this transaction's objects refer to has no record: such references are put back at once. */
static void resolve_slot(Visitor *unused, Slot *s)
{
    (void)unused;
    if (!slot_unresolved(*s))
        return;
    Value v = oidmap_object(SLOT_OID(s->raw));
    if (!is_undef(v) && !(obj_head(v) & OF_PERSISTENT))
        s->raw = v;
}

static void pass_value(Visitor *unused, Value *v)
{
    (void)unused, (void)v;
}

static void image_restore(Image *image)
{
    Value v = image->object;
    if (image->left_alone)
        return;
    if (is_module(v) || obj_type(v) == T_SYMTABLE) {
        module_reload(v, &image->record);
    } else {
        record_empty(v);
        record_restore(v, &image->record);
    }
    obj_ptr(v)->head = (obj_head(v) & ~(OF_DIRTY | OF_PERSISTENT)) | image->flags | OH_LOG;
    Visitor resolver = {.slot = resolve_slot, .value = pass_value, .weak = resolve_slot};
    heap_visit_references(v, &resolver);
}

/* ---- levels ---- */

/* The first change of v since LOG was set. */
void nested_note_change(Value v)
{
    if (session.level > 1)
        list_push(&levels[session.level].changed, v);
}

void nested_begin(void)
{
    if (session.level >= LEVELS_MAX)
        improper("a transaction can be nested 16 levels deep, not deeper");
    int next = session.level + 1;
    boot_parts_collect();
    RecordBuilder builder = {.describing = true};
    resource_push(record_builder_free, &builder);
    for (size_t i = 0; i < session.dirty.count; i++)
        describe(&builder, session.dirty.items[i], next);
    for (size_t i = 0; i < session.fresh.count; i++)
        describe(&builder, session.fresh.items[i], next);
    resource_release(&builder);
    Level *level = &levels[next];
    level->changed.count = 0;
    level->fresh = session.fresh.count;
    level->operations = reduced_mark();
    level->parts = boot_parts_keep(&level->nparts);
    session.level = next;
    used = true;
}

static void level_end(void)
{
    images_drop(session.level);
    levels[session.level].changed.count = 0;
    heap_free(levels[session.level].parts);
    levels[session.level].parts = NULL;
    levels[session.level].nparts = 0;
    session.level--;
}

void nested_commit(void)
{
    Level *level = &levels[session.level];
    if (session.level > 2)
        for (size_t i = 0; i < level->changed.count; i++)
            list_push(&levels[session.level - 1].changed, level->changed.items[i]);
    level_end();
}

/* v was clean when the level began: it is what the store has. */
static void read_anew(Value v)
{
    if (v == session.root || record_type_hollows(v)) {
        if ((obj_head(v) & OF_PERSISTENT) || v == session.root)
            record_empty(v);
    } else if (obj_head(v) & OF_PERSISTENT) {
        obj_ptr(v)->head = (obj_head(v) & ~OF_DIRTY) | OH_LOG;
        txn_refresh(v);
    }
}

static int compare_oids(const void *a, const void *b)
{
    Oid x = *(const Oid *)a, y = *(const Oid *)b;
    return x < y ? -1 : x > y;
}

/* Objects may move while others are restored, so they are known by their oids here; a restored one's is OID_NONE then. */
typedef struct Undo {
    Oid *oids, *left;
    size_t n;
} Undo;

static void undo_free(void *p)
{
    heap_free(((Undo *)p)->oids);
}

static Undo undo_list(const ValueList *changed)
{
    Undo undo = {heap_calloc(changed->count * 2 + 1, sizeof(Oid)), NULL, 0};
    for (size_t i = 0; i < changed->count; i++)
        undo.oids[undo.n++] = oidmap_oid(changed->items[i]);
    qsort(undo.oids, undo.n, sizeof(Oid), compare_oids);
    size_t n = 0;
    for (size_t i = 0; i < undo.n; i++)
        if (i == 0 || undo.oids[i] != undo.oids[i - 1])
            undo.oids[n++] = undo.oids[i];
    undo.n = n;
    undo.left = undo.oids + undo.n;
    memcpy(undo.left, undo.oids, undo.n * sizeof(Oid));
    return undo;
}

/* True once for each oid on the list. */
static bool undo_take(Undo *undo, Oid oid)
{
    Oid *at = oid ? bsearch(&oid, undo->oids, undo->n, sizeof(Oid), compare_oids) : NULL;
    if (!at || !undo->left[at - undo->oids])
        return false;
    undo->left[at - undo->oids] = OID_NONE;
    return true;
}

void nested_abort(void)
{
    Level *level = &levels[session.level];
    Undo undo = undo_list(&level->changed);
    resource_push(undo_free, &undo);
    for (size_t i = images.count; i-- > 0;) /* the newest first */
        if (undo_take(&undo, images.at[i].record.oid))
            image_restore(&images.at[i]);
    for (size_t i = 0; i < undo.n; i++) {
        Value v = undo.left[i] ? oidmap_object(undo.left[i]) : V_UNDEF;
        if (!is_undef(v))
            read_anew(v);
    }
    resource_release(&undo);
    boot_parts_undo(level->parts, level->nparts);
    versions_settle();
    txn_forget_fresh(level->fresh);
    reduced_undo(level->operations);
    level_end();
}

/* The outermost transaction ends, or is about to be collected anew: what levels reached may not be reached any more. */
void nested_end(void)
{
    while (session.level > 1)
        level_end();
    images_drop(0);
    if (used)
        txn_forget_fresh(0);
    used = false;
}
