/* transaction.c -- what a session changed: the list of dirty objects, reachability, commit, abort, new snapshots
 *
 * A boundary (commit, abort, begin) is the only place where the snapshot moves.  At each one the change ring
 * tells what others committed: objects held clean become hollow and are refilled at their first touch;
 * tables of classes are read anew at once, because look-ups do not test ATTENTION.
 *
 * T1  After an ereport or a conflict nothing of the commit happened: dirty objects are still dirty, objects that got an
 *     oid keep it (a later commit uses it) but are not OF_PERSISTENT.
 * T2  fresh objects are strong roots until they are persistent or the transaction is aborted.
 * T3  The change ring tells a change once, and an abort forgets what it undid.  Where either is broken off by an error, all
 *     that is in memory is in doubt (session.stale): nothing may be committed on it, and the next boundary reads it anew.
 */
#include "private.h"
#include "lib/config.h"
#include "lib/error.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"
#include "vm/vector.h"

#include <time.h>

PersistSession session = {.root = V_NIL, .boot_parts = V_NIL, .conflicts = V_NIL, .trap = V_NIL};

void list_reserve(ValueList *list, size_t more)
{
    size_t cap = list->cap ? list->cap : 64;
    if (list->count + more <= list->cap)
        return;
    while (cap < list->count + more)
        cap *= 2;
    list->items = heap_realloc(list->items, cap * sizeof(Value));
    list->cap = cap;
}

void list_push(ValueList *list, Value v)
{
    list_reserve(list, 1);
    list->items[list->count++] = v;
}

/* ---- the write set ---- */

static ValueList reached_from; /* beside session.fresh: who first reached it */
static ValueList anew;         /* while a boundary reads them anew: roots, that may allocate */

void txn_note_dirty(Value v)
{
    list_push(&session.dirty, v);
    obj_ptr(v)->head |= OF_DIRTY;
}

void txn_mark_clean(Value v)
{
    obj_ptr(v)->head = (obj_head(v) & ~OF_DIRTY) | OF_PERSISTENT | OH_LOG;
    if (unlikely(obj_head(v) & OT_VECTOR))
        vector_committed(v);
}

/* From the root to v, as far as this commit walked.  What stands in no Ruby variable (chunks, tables) may be among it. */
static Value chain_to(Value v)
{
    Value chain = ary_new(8);
    for (int depth = 0; depth < 64; depth++) {
        ary_push(chain, v);
        Value from = V_UNDEF;
        for (size_t i = 0; i < session.fresh.count; i++)
            if (session.fresh.items[i] == v) {
                from = reached_from.items[i];
                break;
            }
        if (is_undef(from))
            break;
        v = from;
    }
    return vm_call0(chain, sym_intern("reverse"));
}

void txn_refuse(RecordBuilder *b, Value v, const char *why)
{
    if (b->describing)
        ereport(ERROR, ERR_NOT_PERSISTABLE, errmsg("an object can't be saved: %s", why));
    Value path = refuse_path(chain_to(v));
    Value shown = is_module(v) ? str_new_c(class_name_c(v)) : obj_any_to_s(v);
    Value exc = exception_new(klass.TransactionError, "%T can't be saved: %s (reached by %T)", shown, why, path);
    ivar_set(exc, sym_intern("@object"), v);
    ivar_set(exc, sym_intern("@path"), path);
    vm_raise(exc);
}

/* Gives v (not yet in the store, not built-in) an oid and a place in the commit under way.  For a nested transaction
 * (describing) whatever is referred to gets an oid: whether it may be saved is asked at the commit. */
void txn_reach(RecordBuilder *b, Value v, Value from)
{
    if (obj_head(v) & OF_OID)
        return;
    list_reserve(&session.fresh, 1); /* who has an oid is on the list: nothing may raise between the two */
    list_reserve(&reached_from, 1);
    list_reserve(&session.envs, 1);
    if (is_module(v) && !persist_class_persistable(v) && !b->describing) {
        list_push(&session.fresh, v);
        list_push(&reached_from, from);
        txn_refuse(b, v, "it was defined in transient mode; define it in Maglev.persistent { } or call maglev_persistable");
    }
    Side *side = (obj_head(v) & OF_ID) ? side_find(v) : NULL;
    Oid oid = side && side->number >= OID_FIRST_USER ? side->number : store_oid_alloc();
    oidmap_add(v, oid);
    list_push(&session.fresh, v);
    list_push(&reached_from, from);
    if (obj_type(v) == T_ENV)
        list_push(&session.envs, v);
    /* an object needs its class; modules have theirs among the slots of their record */
    uint32_t shape = obj_shape(v);
    Value cls = shape ? shape_class(shape) : V_NIL;
    if (!is_nil(cls) && !builtin_oid(cls))
        txn_reach(b, cls, v);
    if (!is_nil(cls) && !persist_instances_allowed(class_real(v)) && !b->describing)
        txn_refuse(b, v, "its class has maglev_instances_persistable = false");
    const char *senseless = is_nil(cls) || b->describing ? NULL : refuse_senseless(v);
    if (senseless)
        txn_refuse(b, v, senseless);
    if ((obj_head(v) & OF_FINALIZER) && !b->describing)
        txn_refuse(b, v, "it has a finalizer");
    if (v == session.trap && !b->describing)
        txn_refuse(b, v, "trap_add_to_closure_list is set on it");
}

static void transaction_visit(Visitor *v)
{
    ValueList *lists[] = {&session.dirty, &session.fresh, &session.envs, &reached_from, &anew};
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        for (size_t i = 0; i < lists[k]->count; i++)
            v->value(v, &lists[k]->items[i]);
    v->value(v, &session.root);
    v->value(v, &session.boot_parts);
    v->value(v, &session.conflicts);
    v->value(v, &session.trap);
}

/* ---- boundaries ---- */

static void read_anew(Value v, void (*take)(Value v, StoreRecord *record))
{
    Fault fault;
    fault_begin(&fault);
    if (fault_fetch(&fault, oidmap_oid(v)))
        take(v, &fault.record);
    fault_end(&fault);
}

void txn_refresh(Value v)
{
    uint64_t head = obj_head(v);
    if (!(head & OF_PERSISTENT) && v != session.root)
        return;
    if (head & (OF_DIRTY | OF_HOLLOW))
        return;
    ObjectType type = obj_type(v);
    if (type == T_SYMTABLE || type == T_CLASS || type == T_MODULE || type == T_ICLASS) {
        read_anew(v, module_reload);
    } else if (type == T_PROC) {
        read_anew(v, record_restore); /* it may be running: never without a body */
    } else if (record_can_hollow(v) || v == session.root) {
        record_empty(v);
    }
}

static void stale_each(Value v, Oid oid, void *arg)
{
    (void)oid;
    list_push(arg, v);
}

static void refresh_listed(void)
{
    for (size_t i = 0; i < anew.count; i++) {
        Value v = anew.items[i];
        if ((obj_head(v) & (OF_PERSISTENT | OF_DIRTY)) == OF_PERSISTENT)
            obj_ptr(v)->head |= OH_LOG;
        txn_refresh(v);
    }
    anew.count = 0;
}

/* Whatever is in memory may have been changed by others. */
static void refresh_all(void)
{
    anew.count = 0;
    oidmap_each(stale_each, &anew);
    refresh_listed();
}

/* The ring lists what this session committed, too: that is in memory as it was written, unless others came after. */
static bool is_own_version(Value v, Oid oid)
{
    return session.last_sequence && record_can_hollow(v) && store_version(oid) == session.last_sequence;
}

static void forget_changed(void)
{
    Oid oids[256];
    size_t n;
    ChangesStatus status = CHANGES_OVERRUN;
    bool parts = false;
    while (!session.stale && (status = store_changes_next(oids, 256, &n)) == CHANGES_SOME) {
        for (size_t i = 0; i < n; i++) {
            Value v = oidmap_object(oids[i]);
            if (!is_undef(v) && !is_own_version(v, oids[i]))
                txn_refresh(v);
            parts |= oids[i] < OID_FIRST_USER && oids[i] != OID_ROOT;
        }
    }
    if (session.stale || status == CHANGES_OVERRUN) {
        refresh_all();
        parts = true;
    }
    if (parts) {
        boot_parts_refresh();
        features_refresh();
    }
    versions_settle();
}

/* T3 */
static void in_doubt_unless(void (*done)(void))
{
    TRY()
    {
        done();
    }
    CATCH(err)
    {
        session.stale = session.commit_disallowed = true;
        rethrow();
    }
    END_TRY();
}

/* After the snapshot moved: what others changed is forgotten. */
static void catch_up(void)
{
    in_doubt_unless(forget_changed);
    session.stale = false;
}

/* What this transaction stands on and others have changed after `since`, up to the snapshot: objects that it changed
 * itself, but for those of which `merges` says yes, and what it has read. */
static uint32_t overtaken(Sequence since, bool (*merges)(Value), Conflict *out, uint32_t max)
{
    uint32_t n = 0;
    for (size_t i = 0; i < session.dirty.count && n < max; i++) {
        Value v = session.dirty.items[i];
        Oid oid = oidmap_oid(v);
        Sequence now = oid ? store_version(oid) : 0;
        if (now > since && !(merges && merges(v)))
            out[n++] = (Conflict){.oid = oid, .kind = CONFLICT_WRITE_WRITE, .winner = -1, .sequence = now};
    }
    return n + reads_changed(since, out + n, max - n);
}

/* For a merge: takes the newest snapshot; false when others changed something else that this transaction stands on. */
bool txn_move_snapshot(bool (*merges)(Value))
{
    Conflict first;
    Sequence since = store_snapshot_seq();
    store_begin();
    bool good = overtaken(since, merges, &first, 1) == 0;
    catch_up();
    return good;
}

static void forget_envs(void)
{
    size_t to = 0;
    for (size_t i = 0; i < session.envs.count; i++)
        if (((Env *)session.envs.items[i])->active)
            session.envs.items[to++] = session.envs.items[i];
    session.envs.count = to;
}

/* What only this transaction would have saved keeps its oid as identity, but is of the session alone again. */
void txn_forget_fresh(size_t from)
{
    while (session.fresh.count > from) { /* from the end: who has an oid stays on the list, wherever side_get may raise */
        Value v = session.fresh.items[session.fresh.count - 1];
        Oid oid = oidmap_oid(v);
        if (oid && !(obj_head(v) & OF_PERSISTENT) && !(is_module(v) && class_ext(v)->persist[0])) {
            side_get(v)->number = oid;
            oidmap_remove(v);
            obj_ptr(v)->head &= ~OF_DIRTY;
            persist_unlog(v);
            obj_ptr(v)->head |= OF_ID;
        }
        session.fresh.count--;
        reached_from.count = session.fresh.count;
    }
    size_t to = 0;
    for (size_t i = 0; i < session.dirty.count; i++) /* changed in a nested transaction: on both lists */
        if (obj_head(session.dirty.items[i]) & OF_DIRTY)
            session.dirty.items[to++] = session.dirty.items[i];
    session.dirty.count = to;
}

static void abort_put(void *unused)
{
    (void)unused;
    store_commit_abort();
}

#ifdef LODE_DEBUG
static void check_each(Value v, Oid oid, void *arg)
{
    uint64_t head = obj_head(v);
    (void)oid;
    if ((head & OF_PERSISTENT) && !(head & (OF_DIRTY | OF_HOLLOW)) && !is_module(v) && obj_type(v) != T_ICLASS &&
        obj_type(v) != T_ENV)
        list_push(arg, v);
}
#endif

/* P2, in debug builds: whatever counts as clean is. */
static void check_clean_objects(void)
{
#ifdef LODE_DEBUG
    static ValueList all;
    if (!session.has_view || !store_snapshot_held())
        return;
    all.count = 0;
    oidmap_each(check_each, &all);
    for (size_t i = 0; i < all.count; i++)
        record_check_clean(all.items[i]);
    all.count = 0;
#endif
}

/* Steps 1 and 2 of DESIGN-store.md section 3; the rest is the store's. */
static void commit_body(CommitResult *result)
{
    store_commit_begin();
    long_commit_begin();
    RecordBuilder builder = {0};
    resource_push(abort_put, &session);
    resource_push(record_builder_free, &builder);
    for (size_t i = 0; i < session.envs.count; i++) { /* running frames write to their Envs without a barrier */
        Value env = session.envs.items[i];
        if ((obj_head(env) & OF_PERSISTENT) && !(obj_head(env) & OF_DIRTY))
            txn_note_dirty(env);
    }
    for (size_t i = 0; i < session.dirty.count; i++)
        record_build(&builder, session.dirty.items[i]);
    for (size_t i = 0; i < session.fresh.count; i++)
        if (!(obj_head(session.fresh.items[i]) & OF_DIRTY))
            record_build(&builder, session.fresh.items[i]);
    resource_release(&builder);
    reads_submit();
    *result = store_commit_finish((Durability)conf.durability);
    resource_pop(&session);
}

_Noreturn static void outside(void)
{
    raise_error(const_find(klass.Maglev, sym_intern("OutsideOfTransactionException"), false),
                "no transaction is open: call Maglev.begin_transaction");
}

/* The transaction is over, the view has moved: the next one begins, or none, as the mode says. */
static void begin_next(bool in_transaction, bool serializable)
{
    session.level = in_transaction;
    session.conflicts = V_NIL;
    session.commit_disallowed = false;
    reads_begin(in_transaction && serializable);
}

/* Without a transaction and a view, objects are read as they are at the moment. */
static void let_view_go(void)
{
    if (session.level > 0 || session.begin_mode != BEGIN_NEVER)
        return;
    store_end();
    session.has_view = false;
}

static void take_view(void)
{
    store_begin();
    session.has_view = true;
}

static bool serializable_by_default(void)
{
    return conf.isolation == ISOLATION_SERIALIZABLE;
}

enum { MERGE_ATTEMPTS = 200 };

/* Merging again and again at the pace of others would only meet them again: the pause grows, and is random. */
static void merge_back_off(int attempt)
{
    if (attempt == 0)
        return;
    long longest = attempt < 20 ? 20000L * attempt : 400000L; /* ns */
    struct timespec pause = {0, (long)(random_word() % (uint64_t)longest)};
    nanosleep(&pause, NULL);
}

static void commit_outermost(void)
{
    check_clean_objects();
    nested_end();
    CommitResult result = {0};
    for (int attempt = 0;; attempt++) {
        boot_parts_collect();
        TRY()
        {
            commit_body(&result);
        }
        CATCH(err)
        {
            txn_forget_fresh(0);
            rethrow();
        }
        END_TRY();
        if (result.status == COMMIT_OK)
            break;
        /* The list is the store's, until it begins anew. */
        Value exc = conflict_exception(result.conflicts, result.nconflicts);
        session.commit_disallowed = true;
        if (attempt == MERGE_ATTEMPTS || !persist_merge(&result, exc))
            vm_raise(exc);
        session.commit_disallowed = false;
        merge_back_off(attempt);
    }
    long_commit_done();
    for (size_t i = 0; i < session.dirty.count; i++)
        txn_mark_clean(session.dirty.items[i]);
    for (size_t i = 0; i < session.fresh.count; i++)
        txn_mark_clean(session.fresh.items[i]);
    begin_next(session.begin_mode == BEGIN_AUTO, serializable_by_default());
    for (size_t i = 0; i < session.fresh.count; i++) /* the others were read, and are hidden already */
        reads_hide(session.fresh.items[i]);
    session.dirty.count = session.fresh.count = reached_from.count = 0;
    forget_envs();
    session.last_lsn = result.lsn;
    session.last_sequence = result.sequence;
    features_committed();
    reduced_forget();
    if (result.sequence == 0) /* nothing was written: the view moves all the same */
        store_begin();
    catch_up();
    vote_if_asked();
    let_view_go();
}

/* true, or CommitFailedException; TransactionError leaves everything as it was. */
Value persist_commit(void)
{
    if (!session.attached)
        raise_error(klass.RuntimeError, "there is no store to commit to");
    if (session.level == 0)
        outside();
    if (session.commit_disallowed)
        conflict_refuse_again();
    if (session.level > 1)
        nested_commit();
    else
        commit_outermost();
    heap_rest(-1);
    return V_TRUE;
}

static void drop_changes(void)
{
    if (conf.durable_reads && session.has_view && session.dirty.count == 0)
        store_wait_snapshot_durable(); /* who aborts after reading may act on what was read */
    check_clean_objects();
    store_commit_abort();
    nested_end();
    anew.count = 0;
    bool parts = false;
    for (size_t i = 0; i < session.dirty.count; i++) {
        Value v = session.dirty.items[i];
        parts |= v != session.root && oidmap_oid(v) && oidmap_oid(v) < OID_FIRST_USER;
        obj_ptr(v)->head &= ~OF_DIRTY;
        if (v == session.root || record_can_hollow(v))
            record_empty(v);
        else if (obj_head(v) & OF_PERSISTENT)
            list_push(&anew, v);
    }
    txn_forget_fresh(0);
    parts |= boot_parts_forget();
    bool features = features_forget();
    reduced_forget();
    session.dirty.count = session.fresh.count = reached_from.count = 0;
    forget_envs();
    take_view();
    refresh_listed();
    catch_up();
    if (parts)
        boot_parts_refresh();
    if (features)
        features_refresh();
}

/* Drops changes to committed objects and takes the newest view. */
static void abort_outermost(void)
{
    in_doubt_unless(drop_changes);
}

static void refuse_in_merge(void)
{
    if (session.merging)
        raise_error(const_find(klass.Maglev, sym_intern("ImproperOperation"), false),
                    "a commit is merging objects: the transaction can't be ended from there");
}

void persist_abort(void)
{
    if (!session.attached)
        return;
    refuse_in_merge();
    if (session.level > 1) {
        nested_abort();
        return;
    }
    abort_outermost();
    begin_next(session.begin_mode == BEGIN_AUTO, serializable_by_default());
    vote_if_asked();
    let_view_go();
    heap_rest(-1);
}

void persist_begin(bool serializable)
{
    if (!session.attached)
        return;
    refuse_in_merge();
    abort_outermost();
    begin_next(true, serializable);
    vote_if_asked();
}

void persist_begin_nested(void)
{
    refuse_in_merge();
    if (!session.attached || session.level == 0)
        persist_begin(serializable_by_default());
    else
        nested_begin();
}

/* Moves the view to the newest state and keeps the changes; false when they no longer stand on it. */
bool persist_continue(void)
{
    if (!session.attached || session.level == 0)
        outside();
    if (session.commit_disallowed)
        conflict_refuse_again();
    if (session.level > 1)
        raise_error(const_find(klass.Maglev, sym_intern("ImproperOperation"), false),
                    "the view can't move inside a nested transaction");
    check_clean_objects();
    Sequence since = store_snapshot_seq();
    size_t max = session.dirty.count + 16;
    Conflict *clashes = heap_calloc(max, sizeof(Conflict));
    resource_push(heap_free, clashes);
    store_begin();
    uint32_t n = overtaken(since, NULL, clashes, (uint32_t)max);
    catch_up();
    if (n) {
        conflict_exception(clashes, n);
        session.commit_disallowed = true;
    }
    resource_release(clashes);
    return n == 0;
}

void persist_set_begin_mode(BeginMode mode)
{
    refuse_in_merge();
    session.begin_mode = mode;
    if (mode == BEGIN_AUTO && session.level == 0) {
        persist_begin(serializable_by_default());
    } else if (mode == BEGIN_NEVER) {
        abort_outermost();
        begin_next(false, false);
        let_view_go();
    }
}

bool persist_needs_commit(void)
{
    for (size_t i = 0; i < session.dirty.count; i++)
        if (record_would_be_written(session.dirty.items[i]))
            return true;
    return false;
}

/* ---- session ---- */

void persist_session_start(void)
{
    if (!session.store)
        return;
    session.context = memctx_create(NULL, "persist");
    if (store_session_slot() < 0) /* a server's session took its slot in the handshake, where a refusal can be told */
        store_session_attach();
    session.attached = true;
    take_view();
    store_changes_reset();
    session.root = hash_new();
    oidmap_add(session.root, OID_ROOT);
    record_empty(session.root);
    maglev_bind_root(session.root);
    boot_parts_refresh();
    features_refresh();
    begin_next(true, serializable_by_default());
}

void persist_session_end(void)
{
    if (!session.attached)
        return;
    store_commit_abort();
    store_end();
    store_session_detach();
    session.attached = false;
}

bool persist_active(void)
{
    return session.attached;
}

int persist_fork_prepare(void)
{
    return session.attached ? store_session_reserve_clone() : -1;
}

void persist_fork_parent(int slot, bool forked)
{
    if (slot >= 0 && !forked)
        store_session_release_clone(slot);
}

void persist_fork_child(int slot)
{
    if (slot < 0)
        return;
    store_session_adopt(slot);
    session.commit_disallowed = true;
}

bool persist_mode(void)
{
    return session.mode;
}

void persist_set_mode(bool persistent)
{
    session.mode = persistent;
}

void persist_early(struct Store *store)
{
    session.store = store;
    if (store)
        hash_seed = store_hash_seed(store);
}

void persist_boot(void)
{
    oidmap_init();
    heap_add_visitor(transaction_visit, "transaction");
    heap_add_visitor(translate_visit, "translate");
    builtins_collect();
    nested_boot();
    features_boot();
    merge_boot();
    reduced_boot();
    shared_boot();
    versions_boot();
    fault_install_hooks();
}
