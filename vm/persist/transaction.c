/* transaction.c -- what a session changed: the list of dirty objects, reachability, commit, abort, new snapshots
 *
 * A boundary (commit, abort, begin) is the only place where the snapshot moves.  At each one the change ring
 * tells what others committed: objects held clean become hollow and are refilled at their first touch;
 * tables of classes are read anew at once, because look-ups do not test ATTENTION.
 *
 * T1  After an ereport or a conflict nothing of the commit happened: dirty objects are still dirty, objects that got an
 *     oid keep it (a later commit uses it) but are not OF_PERSISTENT.
 * T2  fresh objects are strong roots until they are persistent or the transaction is aborted.
 */
#include "private.h"
#include "lib/error.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"

PersistSession session = {.root = V_NIL, .boot_parts = V_NIL};

void list_push(ValueList *list, Value v)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->items = heap_realloc(list->items, list->cap * sizeof(Value));
    }
    list->items[list->count++] = v;
}

/* ---- the write set ---- */

static ValueList reached_from; /* beside session.fresh: who first reached it */

void txn_note_dirty(Value v)
{
    obj_ptr(v)->head |= OF_DIRTY;
    list_push(&session.dirty, v);
}

void txn_mark_clean(Value v)
{
    obj_ptr(v)->head = (obj_head(v) & ~OF_DIRTY) | OF_PERSISTENT | OH_LOG;
}

static const char *nameless(Value v)
{
    const char *builtin = builtin_name(v);
    return builtin ? builtin : class_name_c(class_real(v));
}

/* Root -> ... -> v, as far as this commit walked. */
static Value path_to(Value v)
{
    Value names = ary_new(8);
    for (int depth = 0; depth < 64; depth++) {
        Value text = v == session.root ? str_new_c("Maglev::PERSISTENT_ROOT")
                     : is_module(v)    ? str_new_c(class_name_c(v))
                     : shape_class(obj_shape(v)) ? str_format("#<%s>", nameless(v))
                                       : str_new_c("(internal)");
        ary_push(names, text);
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
    Value r = vm_call0(names, sym_intern("reverse"));
    return ary_join(r, str_new_c(" -> "));
}

void txn_refuse(Value v, const char *why)
{
    Value path = path_to(v);
    Value shown = is_module(v) ? str_new_c(class_name_c(v)) : obj_any_to_s(v);
    Value exc = exception_new(klass.TransactionError, "%T can't be saved: %s (reached by %T)", shown, why, path);
    ivar_set(exc, sym_intern("@object"), v);
    ivar_set(exc, sym_intern("@path"), path);
    vm_raise(exc);
}

/* Gives v (not yet in the store, not built-in) an oid and a place in the commit under way. */
void txn_reach(Value v, Value from)
{
    if (obj_head(v) & OF_OID)
        return;
    if (is_module(v) && !persist_class_persistable(v)) {
        list_push(&session.fresh, v);
        list_push(&reached_from, from);
        txn_refuse(v, "it was defined in transient mode; define it in Maglev.persistent { } or call maglev_persistable");
    }
    Side *side = (obj_head(v) & OF_ID) ? side_find(v) : NULL;
    Oid oid = side && side->object_id >= OID_FIRST_USER ? side->object_id : store_oid_alloc();
    oidmap_add(v, oid);
    list_push(&session.fresh, v);
    list_push(&reached_from, from);
    /* an object needs its class; modules have theirs among the slots of their record */
    uint32_t shape = obj_shape(v);
    Value cls = shape ? shape_class(shape) : V_NIL;
    if (!is_nil(cls) && !builtin_oid(cls))
        txn_reach(cls, v);
    if (!is_nil(cls) && !persist_instances_allowed(class_real(v)))
        txn_refuse(v, "its class has maglev_instances_persistable = false");
    if (obj_type(v) == T_ENV)
        list_push(&session.envs, v);
}

static void transaction_visit(Visitor *v)
{
    ValueList *lists[] = {&session.dirty, &session.fresh, &session.envs, &reached_from};
    for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        for (size_t i = 0; i < lists[k]->count; i++)
            v->value(v, &lists[k]->items[i]);
    v->value(v, &session.root);
    v->value(v, &session.boot_parts);
}

/* ---- boundaries ---- */

static void refresh_object(Value v)
{
    uint64_t head = obj_head(v);
    if (!(head & OF_PERSISTENT) && v != session.root)
        return;
    if (head & (OF_DIRTY | OF_HOLLOW))
        return;
    ObjectType type = obj_type(v);
    if (type == T_SYMTABLE || type == T_CLASS || type == T_MODULE || type == T_ICLASS) {
        StoreRecord record = {0};
        store_record_init(&record, session.context);
        if (store_fetch(oidmap_oid(v), &record))
            module_reload(v, &record);
    } else if (record_can_hollow(v) || v == session.root) {
        record_empty(v);
    }
}

static void stale_each(Value v, Oid oid, void *arg)
{
    (void)oid;
    list_push(arg, v);
}

/* After the snapshot moved: what others changed is forgotten. */
static void catch_up(void)
{
    Oid oids[256];
    size_t n;
    ChangesStatus status;
    bool parts = false;
    while ((status = store_changes_next(oids, 256, &n)) == CHANGES_SOME) {
        for (size_t i = 0; i < n; i++) {
            Value v = oidmap_object(oids[i]);
            if (!is_undef(v))
                refresh_object(v);
            parts |= oids[i] < OID_FIRST_USER && oids[i] != OID_ROOT;
        }
    }
    if (status == CHANGES_OVERRUN) {
        ValueList all = {0};
        oidmap_each(stale_each, &all);
        for (size_t i = 0; i < all.count; i++)
            refresh_object(all.items[i]);
        heap_free(all.items);
        parts = true;
    }
    if (parts) {
        boot_parts_refresh();
        features_refresh();
    }
}

/* For a merge: takes the newest snapshot; false when others changed something dirty that is not among `merged`
 * (then the transaction's own changes no longer stand on what it read). */
bool txn_move_snapshot(const Value *merged, size_t n)
{
    Sequence before = store_snapshot_seq();
    store_begin();
    catch_up();
    for (size_t i = 0; i < session.dirty.count; i++) {
        Value v = session.dirty.items[i];
        bool known = !(obj_head(v) & OF_PERSISTENT);
        for (size_t k = 0; k < n && !known; k++)
            known = merged[k] == v;
        if (!known && store_version(oidmap_oid(v)) > before)
            return false;
    }
    return true;
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
static void forget_fresh(void)
{
    for (size_t i = 0; i < session.fresh.count; i++) {
        Value v = session.fresh.items[i];
        Oid oid = oidmap_oid(v);
        if (!oid || (obj_head(v) & OF_PERSISTENT) || (is_module(v) && class_ext(v)->persist[0]))
            continue;
        oidmap_remove(v);
        obj_ptr(v)->head &= ~OF_DIRTY;
        side_get(v)->object_id = oid;
        obj_ptr(v)->head |= OF_ID;
    }
    session.fresh.count = reached_from.count = 0;
}

static const char *const kind_symbols[] = {
#define CONFLICT_KIND(name, symbol, gemstone, text) symbol,
#include "storage/conflict_kinds.def"
#undef CONFLICT_KIND
};

static Value conflict_exception(const CommitResult *result)
{
    Value exc = exception_new(const_find(klass.Maglev, sym_intern("CommitFailedException"), false),
                              "commit failed: %u object%s changed by another session since this transaction began",
                              result->nconflicts, result->nconflicts == 1 ? " was" : "s were");
    Value list = ary_new(result->nconflicts);
    for (uint32_t i = 0; i < result->nconflicts; i++) {
        const Conflict *c = &result->conflicts[i];
        Value h = hash_new();
        Value v = oidmap_object(c->oid);
        hash_set(h, sym_intern("kind"), sym_intern(kind_symbols[c->kind]));
        hash_set(h, sym_intern("oid"), uint_value(c->oid));
        hash_set(h, sym_intern("object"), is_undef(v) || obj_shape(v) == 0 ? V_NIL : v);
        hash_set(h, sym_intern("session"), int_fix(c->winner));
        hash_set(h, sym_intern("pid"), int_fix(c->winner_pid));
        hash_set(h, sym_intern("commit"), uint_value(c->sequence));
        ary_push(list, h);
    }
    ivar_set(exc, sym_intern("@transaction_conflicts"), list);
    return exc;
}

static void abort_put(void *unused)
{
    (void)unused;
    store_commit_abort();
}

static void builder_free(void *p)
{
    RecordBuilder *b = p;
    heap_free(b->slots);
    heap_free(b->bytes);
    b->slots = NULL;
    b->bytes = NULL;
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
    RecordBuilder builder = {0};
    resource_push(abort_put, &session);
    resource_push(builder_free, &builder);
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
    *result = store_commit_finish((Durability)session_durability());
    resource_pop(&session);
}

/* true, or CommitFailedException; TransactionError leaves everything as it was. */
Value persist_commit(void)
{
    if (!session.attached)
        raise_error(klass.RuntimeError, "there is no store to commit to");
    if (session.level == 0)
        raise_error(const_find(klass.Maglev, sym_intern("OutsideOfTransactionException"), false), "no transaction is open: call Maglev.begin_transaction");
    if (session.commit_disallowed)
        raise_error(const_find(klass.Maglev, sym_intern("CommitFailedException"), false),
                    "an earlier commit of this transaction failed: abort it before you commit again");
    check_clean_objects();
    CommitResult result = {0};
    for (int attempt = 0;; attempt++) {
        boot_parts_collect();
        TRY()
        {
            commit_body(&result);
        }
        CATCH(err)
        {
            forget_fresh();
            rethrow();
        }
        END_TRY();
        if (result.status == COMMIT_OK)
            break;
        Value exc = conflict_exception(&result); /* the list is the store's, until it begins anew */
        session.commit_disallowed = true;
        if (attempt == 100 || !persist_merge(&result, exc))
            vm_raise(exc);
        session.commit_disallowed = false;
    }
    for (size_t i = 0; i < session.dirty.count; i++)
        txn_mark_clean(session.dirty.items[i]);
    for (size_t i = 0; i < session.fresh.count; i++)
        txn_mark_clean(session.fresh.items[i]);
    session.dirty.count = session.fresh.count = reached_from.count = 0;
    forget_envs();
    features_committed();
    reduced_truncate(0);
    if (result.sequence == 0) /* nothing was written: the view moves all the same */
        store_begin();
    catch_up();
    return V_TRUE;
}

/* Drops changes to committed objects and takes the newest view. */
void persist_abort(void)
{
    if (!session.attached)
        return;
    check_clean_objects();
    store_commit_abort();
    session.commit_disallowed = false;
    ValueList modules = {0};
    for (size_t i = 0; i < session.dirty.count; i++) {
        Value v = session.dirty.items[i];
        obj_ptr(v)->head &= ~OF_DIRTY;
        if (v == session.root || record_can_hollow(v))
            record_empty(v);
        else if (obj_head(v) & OF_PERSISTENT)
            list_push(&modules, v);
    }
    forget_fresh();
    boot_parts_forget();
    features_forget();
    reduced_truncate(0);
    session.dirty.count = session.fresh.count = reached_from.count = 0;
    forget_envs();
    store_begin();
    session.level = 1;
    for (size_t i = 0; i < modules.count; i++) {
        obj_ptr(modules.items[i])->head |= OH_LOG;
        refresh_object(modules.items[i]);
    }
    heap_free(modules.items);
    catch_up();
    boot_parts_refresh();
    features_refresh();
}

bool persist_needs_commit(void)
{
    return session.dirty.count > 0;
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
    store_begin();
    store_changes_reset();
    session.level = 1;
    session.root = hash_new();
    oidmap_add(session.root, OID_ROOT);
    record_empty(session.root);
    maglev_bind_root(session.root);
    boot_parts_refresh();
    features_refresh();
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

void translate_visit(Visitor *v);

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
    features_boot();
    merge_boot();
    reduced_boot();
    fault_install_hooks();
}
