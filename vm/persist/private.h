/* private.h -- what the files of vm/persist share
 *
 * P1  An object has OF_OID exactly when the oid map knows it; OF_PERSISTENT when a committed version exists.
 * P2  A persistent object is clean (OH_LOG set), dirty (OF_DIRTY, on session.dirty) or hollow (OH_ATTENTION and
 *     OF_HOLLOW; its body is empty and is read from the snapshot at the first touch).
 * P3  Clean objects are held weakly by the map, dirty ones strongly.
 * P4  Nothing here runs Ruby code while a record is built or restored.
 */
#ifndef PERSIST_PRIVATE_H
#define PERSIST_PRIVATE_H
#include "vm/core.h"
#include "vm/persist.h"
#include "vm/record.h"
#include "storage/store.h"

enum { PERSISTABLE = 1, INSTANCES_NOT = 2, NIL_REFERENCES = 4, SUPERSEDED = 8 }; /* ClassExt.persist_flags, stored */
enum { OID_ROOT = 2, OID_BOOT_PARTS = 3, OID_FEATURES = 4, OID_FIRST_BUILTIN = 1024 };

/* LOG is no longer asked for by the transaction; the collector has to be told instead. */
static inline void persist_unlog(Value v)
{
    obj_ptr(v)->head &= ~OH_LOG;
    heap_remember(v);
}

typedef struct ValueList { /* a C array of Values, visited as roots */
    Value *items;
    size_t count, cap;
} ValueList;
void list_push(ValueList *, Value);
void list_reserve(ValueList *, size_t more); /* so many pushes will not raise */

/* What begins after a commit or an abort: the next transaction; nothing, but the view stays; nothing at all. */
typedef enum BeginMode { BEGIN_AUTO, BEGIN_MANUAL, BEGIN_NEVER } BeginMode;

typedef struct PersistSession {
    Store *store;
    bool attached;
    bool commit_disallowed; /* after a failed commit, and in a forked child: abort first */
    bool merging;           /* a commit is being done again: Ruby code that this calls may not end the transaction */
    bool stale;             /* the change ring was not read to its end: objects held clean may be others' past */
    bool mode;              /* persistent mode of the running thread */
    bool has_view;          /* a snapshot is held; without one each fault takes its own */
    BeginMode begin_mode;
    int level;              /* transaction level: 0 outside, 1 inside, above: nested */
    Value conflicts;        /* Array: why the last commit failed; nil since the boundary after it */
    Lsn last_lsn;           /* the last commit's */
    Sequence last_sequence; /* ditto; 0 when it wrote nothing */
    Value trap;             /* not to be saved by mistake; nil */
    Value root;             /* Maglev::PERSISTENT_ROOT */
    Value boot_parts;       /* Array of boot modules with persistent parts */
    ValueList dirty;
    ValueList fresh;        /* given an oid by the commit under way (or a failed one) */
    ValueList envs;         /* persistent Envs whose frames may still run */
    MemoryContext *context; /* records under way */
} PersistSession;
extern PersistSession session;

/* oidmap.c */
void oidmap_init(void);
Value oidmap_object(Oid oid);              /* V_UNDEF when not in memory */
Oid oidmap_oid(Value v);                   /* 0 when it has none */
void oidmap_add(Value v, Oid oid);         /* sets OF_OID */
void oidmap_remove(Value v);
void oidmap_each(void (*fn)(Value v, Oid oid, void *arg), void *arg); /* fn must not allocate */
size_t oidmap_count(void);
Value oidmap_random(uint64_t n);           /* some entry, V_UNDEF when empty */

/* builtins.c */
void builtins_collect(void);
Oid builtin_oid(Value v);                  /* 0: not a built-in */
Value builtin_find(Oid oid);               /* V_UNDEF when there is none */
Value builtin_object(Oid oid);             /* ereport when this binary has no such object */
const char *builtin_name(Value v);

/* translate.c: numbers of this session and of the store */
uint64_t symbol_to_store(uint32_t symbol_id);
uint32_t symbol_from_store(uint64_t store_id);
uint32_t encoding_to_symbol(int enc);
int encoding_from_symbol(uint32_t symbol); /* -1: this version does not know it */
ShapeId shape_to_store(uint32_t shape);
uint32_t shape_from_store(ShapeId id);
ClassId class_to_store(Value cls);
Value class_from_store(ClassId id);
void translate_visit(Visitor *v);
int format_of(ObjectType type);            /* stable number of a type in records; -1: never stored */
ObjectType type_of_format(uint64_t format);

/* record.c */
struct RecordBuilder {
    Value object;
    uint64_t *slots;
    size_t nslots, slots_cap;
    uint8_t *bytes;
    size_t nbytes, bytes_cap;
    bool describing;        /* for a nested transaction: what can't be saved raises ERR_NOT_PERSISTABLE */
    bool checking, differs; /* compares an object with its record; it refers to something unsaved */
    struct RecordBuilder *chunk; /* of the chunk under way (vector_record.c) */
};
struct RecordReader {
    const StoreRecord *record;
    size_t slot, byte;
    Value object; /* that is restored, if any */
};
StorePut record_fill(RecordBuilder *, Value v); /* what v would be in the store now: slots and bytes are the builder's */
void record_builder_free(void *builder);      /* what it owns; for resource_push */
void record_build(RecordBuilder *, Value v);  /* fills it in; references are given oids */
void record_restore(Value v, StoreRecord *);  /* v: a cell of the right type, empty */
Value record_materialize(Oid oid, StoreRecord *); /* a new object */
void record_skip_hash(RecordReader *);        /* the identity hash at the head of a record, of an object that knows its own */
Value record_copy(StoreRecord *);             /* a copy that is no object of the store */
Slot record_word(const StoreRecord *, uint64_t word); /* as this session has it */
void record_empty(Value v);                   /* makes v hollow */
bool record_can_hollow(Value v);
bool record_type_hollows(Value v);            /* objects of its kind can be emptied and refilled */
bool record_would_be_written(Value v);        /* v is dirty: does a commit write it?  Not a module with changes of the session's own only */
void record_check_clean(Value v);             /* debug builds: PANIC when it is not what its record says */

/* Records that are no objects: parts of vectors (include/vm/vector.h). */
enum { FORMAT_CHUNK = 200, FORMAT_NODE = 201 };
/* vector_record.c: counts since the session began; a node of oids counts as a chunk */
extern struct VectorStats {
    uint64_t chunks_read, chunks_written;
} vector_stats;
void vector_install_hooks(void);

/* content.c: ERR_CORRUPT_RECORD with the object's oid when a record holds what the VM can't stand */
_Noreturn void content_refuse(Oid oid, const char *what); /* "the record of object N <what>" */
void content_check(Value v);                  /* just read: what its slots hold, but for references */
void content_check_slot(Value owner, Slot *place, Value v); /* v is what the reference there leads to */
void content_check_class(Oid oid, ObjectType type, Value cls); /* cls: nil or any module */
void content_check_shape(Oid oid, ObjectType type, Value cls, uint32_t shape);

/* long_record.c */
void long_commit_begin(void);                 /* records are about to be built */
void long_commit_done(void);                  /* they are committed */
void long_each_chunk(void (*fn)(Oid oid));    /* stored ones that a commit may leave as they are */

/* fault.c */
typedef struct Fault { /* a record being read for an object */
    StoreRecord record;
    bool own_snapshot; /* outside a transaction it holds one for as long as it takes */
} Fault;
void fault_begin(Fault *);          /* its resources go with the next unwinding, or by fault_end */
bool fault_fetch(Fault *, Oid oid); /* false: nothing is visible */
void fault_end(Fault *);
Value persist_resolve(Oid oid);
Value persist_resolve_or_new(Oid oid, Value (*make)(void)); /* well-known, perhaps never committed: then a new one */
void persist_refill(Value v);
void fault_install_hooks(void);

/* transaction.c */
void txn_reach(RecordBuilder *, Value v, Value from); /* a reference met in b->object: v gets an oid and is queued */
void txn_note_dirty(Value v);
void txn_mark_clean(Value v);
_Noreturn void txn_refuse(RecordBuilder *, Value v, const char *why); /* TransactionError with object and path */
/* refuse.c */
const char *refuse_senseless(Value v);        /* why its class has no instances in the store (unsavable.def); NULL: it may */
Value refuse_path(Value chain);               /* Array of objects, each reached from the one before: the words */
Value persist_commit(void);                   /* true; raises CommitFailedException, TransactionError */
void persist_abort(void);
void persist_begin(bool serializable);        /* aborts, and opens a transaction */
void persist_begin_nested(void);
bool persist_continue(void);
void persist_set_begin_mode(BeginMode mode);
bool persist_needs_commit(void);
void txn_refresh(Value v);                    /* a clean object: as the snapshot has it */
void txn_forget_fresh(size_t from);           /* those that got an oid and are not committed, from the from-th on */
bool txn_move_snapshot(bool (*merges)(Value)); /* merges: what need not be as it was at the snapshot of now */

/* merge.c */
void merge_boot(void);
/* Moves to the newest snapshot and does this session's changes of the clashing objects again there.  False: exc, the conflict
 * (whose list of conflicts may have been made more exact), is to be raised. */
bool persist_merge(const CommitResult *, Value exc);

/* reduced.c */
void reduced_boot(void);
bool reduced_noted(Value part);               /* has this transaction noted operations on it? */
Value reduced_owner(Value part);              /* the object that a noted part belongs to; else part itself */
bool reduced_replay(Value part);
void reduced_each_part(void (*fn)(Value part, void *arg), void *arg); /* once for each operation */
size_t reduced_mark(void);                    /* for nested transactions */
void reduced_undo(size_t mark);               /* the operations since are undone; what they found was seen all the same */
void reduced_forget(void);                    /* the transaction is over */

/* vote.c */
void vote_if_asked(void);                     /* at a boundary, when the view has moved */

/* shared.c */
void shared_boot(void);

/* conflict.c */
void conflict_boot(void);
Value conflict_exception(const Conflict *all, uint32_t n); /* CommitFailedException; notes and logs the list */
_Noreturn void conflict_refuse_again(void);   /* a commit after a failed one */

/* nested.c */
void nested_boot(void);
void nested_begin(void);
void nested_commit(void);
void nested_abort(void);
void nested_end(void);                        /* the outermost transaction is about to end */
void nested_note_change(Value v);

/* reads.c */
bool reads_active(void);                      /* this transaction is serializable */
void reads_note(Oid oid);
void reads_note_replayed(Oid part);           /* noted operations look at it: not read for that */
void reads_note_whole(Oid part);              /* it is read, if it was replayed until now */
bool reads_replayed(Oid part);                /* nothing but noted operations has looked at it */
void reads_note_extent(uint32_t class_id);
void reads_note_classes_from(uint32_t class_id);
void reads_hide(Value v);                     /* a clean object that was not read in this transaction */
bool reads_is_data_table(Value owner, const Slot *s);
void reads_hide_table(Value table);
void reads_begin(bool serializable);
void reads_submit(void);
uint32_t reads_changed(Sequence since, Conflict *out, uint32_t max);

/* boundary.c, extents.c */
void boundary_boot(void);
void extents_boot(void);

/* statistics.c */
void statistics_boot(void);

/* maglev.c */
void maglev_bind_root(Value root);

/* versions.c */
void versions_boot(void);
bool version_superseded(Value cls);           /* another class has taken its place; cls may be nil */
void version_adapt(Value v);                  /* read as an instance of a superseded class: it is one of the newest version */
void version_adapt_singleton(Value single);   /* read with a superclass that was superseded: it stands under the newest */
void version_note(Value cls);                 /* cls was read anew, and is superseded now or was before */
void versions_settle(void);                   /* all that moved with the view is read: instances in memory follow */

/* features.c */
void features_boot(void);
void features_refresh(void);
void features_committed(void);
bool features_forget(void);                   /* at abort; were there any? */
void features_clear(void);

/* module_record.c */
void module_blank(Value module);               /* it could not be read: whoever lists all classes finds it all the same */
void module_reload(Value module, StoreRecord *); /* at a boundary: tables, ancestry, instance variables anew */
void boot_parts_refresh(void);
void module_touched(Value boot_module);       /* a persistent definition goes into a boot class */
void boot_parts_collect(void);                /* at commit: boot classes whose parts are new become dirty */
bool boot_parts_forget(void);                 /* at abort; were there any? */
enum { BOOT_PARTS = 5 };
typedef struct BootParts { /* the persistent tables of a boot module, and its list of mixins */
    Value module;
    Slot parts[BOOT_PARTS];
} BootParts;
BootParts *boot_parts_keep(size_t *n);        /* heap_malloc'ed; visit it */
void boot_parts_undo(const BootParts *kept, size_t n);
void module_publish(Value module);            /* its name goes to the persistent namespace of its parent */
bool persist_instances_allowed(Value cls);
bool persist_becomes_nil(Value v);            /* an instance of a class with maglev_nil_references */
#endif
