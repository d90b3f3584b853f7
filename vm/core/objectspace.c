/* objectspace.c -- ObjectSpace: walking the heap, finalizers, WeakMap and WeakKeyMap
 *
 * Finalizers hang in a table by object.  When the collector finds such an object dead, its procs and its
 * object_id move to the queue `due`; they run at GC.start, at interrupt tests and at the end of the program.
 *
 * A weak map is rows in order and an index of row numbers by code, weak in the keys, for WeakMap in the values too.  The
 * collector clears dead words; such rows are squeezed out when the table next grows.
 */
#include "vm/core/core_private.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"
#include "vm/object/names.h"
#include "vm/core.h"
#include "vm/persist.h"

#include "lib/hashtab.h"
#include <stdio.h>

/* ---- finalizers ---- */

typedef struct FinalizerRow {
    Value object;
    Value procs; /* Array */
    Value id;
} FinalizerRow;

static struct {
    FinalizerRow *at;
    size_t n, cap;
} table, due;

static void rows_add(void *rows, FinalizerRow row)
{
    __typeof__(&table) t = rows;
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 8;
        t->at = heap_realloc(t->at, cap * sizeof *t->at);
        t->cap = cap;
    }
    t->at[t->n++] = row;
}

static void visit_finalizers(Visitor *v)
{
    for (size_t i = 0; i < table.n; i++) {
        v->value(v, &table.at[i].procs);
        v->value(v, &table.at[i].id);
    }
    for (size_t i = 0; i < due.n; i++) {
        v->value(v, &due.at[i].procs);
        v->value(v, &due.at[i].id);
    }
}

static void follow_finalizers(bool (*alive)(Value), Value (*forward)(Value))
{
    size_t n = 0;
    for (size_t i = 0; i < table.n; i++) {
        FinalizerRow row = table.at[i];
        if (alive(row.object)) {
            row.object = forward(row.object);
            table.at[n++] = row;
        } else {
            rows_add(&due, row);
            vm_interrupt_flag = 1; /* they run at the next test */
        }
    }
    table.n = n;
}

static Value run_one(void *arg)
{
    FinalizerRow *row = arg;
    for (size_t i = 0; i < ary_len(row->procs); i++)
        vm_call1(ary_get(row->procs, (long)i), SYM(call), row->id);
    return V_NIL;
}

size_t objectspace_finalizers_due(void)
{
    return due.n;
}

void objectspace_run_finalizers(void)
{
    while (due.n) {
        FinalizerRow row = due.at[--due.n];
        Value exc = V_NIL;
        if (is_undef(vm_rescue(run_one, &row, klass.Exception, &exc)))
            warn_printf("Exception in finalizer: %V", exc);
    }
}

/* At the end of the program: those of living objects too. */
void objectspace_finish(void)
{
    objectspace_run_finalizers();
    while (table.n) {
        rows_add(&due, table.at[--table.n]);
        objectspace_run_finalizers();
    }
}

void obj_copy_finalizers(Value to, Value from)
{
    for (size_t i = 0; i < table.n; i++)
        if (table.at[i].object == from) {
            FinalizerRow row = {to, ary_dup(table.at[i].procs), obj_object_id(to)};
            obj_ptr(to)->head |= OF_FINALIZER;
            rows_add(&table, row);
            return;
        }
}

/* Would the finalizer keep its object alive? */
static bool refers_to(Value proc, Value object)
{
    if (is_proc(proc))
        return obj_field(proc, PROC_SELF) == object;
    return is_type(proc, T_METHOD) && obj_field(proc, METHODF_RECEIVER) == object;
}

static Value os_define_finalizer(Value self, int argc, const Value *argv)
{
    (void)self;
    Value object = argv[0], proc = argc > 1 ? argv[1] : block_proc();
    if (is_immediate(object) || obj_type(object) == T_BIGNUM || obj_type(object) == T_FLOAT)
        raise_error(klass.ArgumentError, "cannot define finalizer for %C", class_real(object));
    if (obj_frozen(object))
        raise_frozen(object);
    if (!vm_responds_to(proc, SYM(call), false))
        raise_error(klass.ArgumentError, "wrong type argument %C (should be callable)", class_real(proc));
    if (refers_to(proc, object))
        warn_printf("finalizer references object to be finalized");
    for (size_t i = 0; i < table.n; i++)
        if (table.at[i].object == object) {
            Value procs = table.at[i].procs;
            for (size_t k = 0; k < ary_len(procs); k++)
                if (obj_equal(ary_get(procs, (long)k), proc))
                    return ary_new_from(2, (Value[]){int_fix(0), ary_get(procs, (long)k)});
            ary_push(procs, proc);
            return ary_new_from(2, (Value[]){int_fix(0), proc});
        }
    Value result = ary_new_from(2, (Value[]){int_fix(0), proc});
    FinalizerRow row = {object, ary_new_from(1, &proc), obj_object_id(object)};
    obj_ptr(object)->head |= OF_FINALIZER;
    rows_add(&table, row);
    return result;
}

static Value os_undefine_finalizer(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (obj_frozen(argv[0]))
        raise_frozen(argv[0]);
    for (size_t i = 0; i < table.n; i++)
        if (table.at[i].object == argv[0]) {
            table.at[i] = table.at[--table.n];
            obj_ptr(argv[0])->head &= ~OF_FINALIZER;
            break;
        }
    return argv[0];
}

/* ---- walking ---- */

typedef struct EachArg {
    Value list, of;
    size_t n, cap;
    Value *found;
} EachArg;

static bool is_wanted(Value v, Value of)
{
    ObjectType t = obj_type(v);
    if (t == T_DATA || t == T_ICLASS || is_undef(class_of(v)))
        return t == T_DATA && (is_nil(of) || obj_is_kind_of(v, of));
    if (t == T_CLASS && class_is_singleton(v))
        return !is_nil(of) && obj_is_kind_of(v, of) && class_is_singleton(of);
    return is_nil(of) || obj_is_kind_of(v, of);
}

static void count_wanted(Value v, void *arg)
{
    EachArg *a = arg;
    if (is_wanted(v, a->of))
        a->cap++;
}

static void take_wanted(Value v, void *arg)
{
    EachArg *a = arg;
    if (a->n < a->cap && is_wanted(v, a->of) && v != a->list)
        a->found[a->n++] = v;
}

static Value os_each_object(Value self, int argc, const Value *argv)
{
    if (!block_given())
        return enumerator_for(self, sym_intern("each_object"), argc, argv);
    EachArg a = {.of = argc ? argv[0] : V_NIL};
    if (!is_nil(a.of) && !is_module(a.of))
        raise_error(klass.TypeError, "class or module required");
    heap_collect(); /* so that only what is reachable shows up */
    heap_each_object(count_wanted, &a);
    Value list = ary_new(a.cap);
    bool was = heap_disabled; /* between the walk and the last push nothing may be freed */
    heap_disabled = true;
    a.found = heap_malloc((a.cap + 1) * sizeof(Value));
    a.list = list;
    heap_each_object(take_wanted, &a);
    for (size_t i = 0; i < a.n; i++)
        ary_push(list, a.found[i]);
    heap_free(a.found);
    heap_disabled = was;
    size_t n = ary_len(list);
    for (size_t i = 0; i < n; i++)
        vm_yield1(ary_get(list, (long)i));
    return uint_value(n);
}

static void count_type(Value v, void *arg)
{
    ((uint64_t *)arg)[obj_type(v)]++;
}

static Value os_count_objects(Value self, int argc, const Value *argv)
{
    (void)self;
    uint64_t counts[T_COUNT] = {0}, total = 0;
    heap_each_object(count_type, counts);
    Value hash = argc ? argv[0] : hash_new();
    if (!is_hash(hash))
        raise_error(klass.TypeError, "non-hash given");
    static const char *const names[] = {
#define TYPE(name, layout) "T_" #name,
#include "vm/types.def"
#undef TYPE
    };
    for (int i = 0; i < T_COUNT; i++)
        total += counts[i];
    hash_set(hash, sym_intern("TOTAL"), uint_value(total));
    hash_set(hash, sym_intern("FREE"), int_fix(0));
    for (int i = 1; i < T_COUNT; i++)
        if (counts[i])
            hash_set(hash, sym_intern(names[i]), uint_value(counts[i]));
    return hash;
}

static Value os_garbage_collect(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    heap_collect();
    objectspace_run_finalizers();
    return V_NIL;
}

typedef struct IdArg {
    uint64_t number;
    Value found;
} IdArg;

static void match_id(Value v, void *arg)
{
    IdArg *a = arg;
    if (obj_head(v) & OF_ID) {
        Side *s = side_find(v);
        if (s && s->number == a->number)
            a->found = v;
    }
}

static Value os_id2ref(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (warn_wanted("deprecated"))
        warn_printf("ObjectSpace._id2ref is deprecated");
    int64_t id = value_int(argv[0]);
    if (id & 1)
        return int_fix((id - 1) / 2);
    if (id == 8)
        return V_NIL;
    if (id == 20)
        return V_TRUE;
    if (id == 0)
        return V_FALSE;
    if ((id & 0xff) == TAG_SYMBOL && (uint64_t)id >> 8 < sym_count())
        return (Value)id;
    IdArg a = {(uint64_t)id >> 3, V_UNDEF};
    if (id > 0 && (id & 7) == 0) {
        heap_each_object(match_id, &a);
        if (is_undef(a.found))
            a.found = persist_find(a.number);
        if (!is_undef(a.found) && obj_type(a.found) != T_DATA && is_undef(class_of(a.found)))
            a.found = V_UNDEF; /* the VM's own */
    }
    if (is_undef(a.found))
        raise_error(klass.RangeError, "%V is not an id value", argv[0]);
    return a.found;
}

/* ---- weak maps ---- */

typedef struct WeakRow {
    Slot key, value;
    uint64_t code;
} WeakRow;

typedef struct WeakMap { /* T_WEAKMAP */
    uint64_t head;
    WeakRow *rows;   /* key or value V_UNDEF: dead or removed */
    uint32_t *index; /* row numbers + 1, twice as many places as rows */
    uint32_t used, cap;
    bool by_value; /* WeakKeyMap: keys by eql?, values strong */
} WeakMap;

static Value weak_map_class, weak_key_map_class;

static void weakmap_visit(Object *o, Visitor *v)
{
    WeakMap *m = (WeakMap *)o;
    for (uint32_t i = 0; i < m->used; i++) {
        v->weak(v, &m->rows[i].key);
        if (m->by_value)
            v->slot(v, &m->rows[i].value);
        else
            v->weak(v, &m->rows[i].value);
    }
}

static void weakmap_free(Object *o)
{
    heap_free(((WeakMap *)o)->rows);
    heap_free(((WeakMap *)o)->index);
}

static size_t weakmap_memsize(Object *o)
{
    return ((WeakMap *)o)->cap * (sizeof(WeakRow) + 2 * sizeof(uint32_t));
}

static const TypeRow weakmap_row = {.name = "weakmap", .visit = weakmap_visit, .free = weakmap_free, .memsize = weakmap_memsize};

static Value weakmap_allocate(Value cls)
{
    Value v = heap_alloc(T_WEAKMAP, cls, sizeof(WeakMap));
    ((WeakMap *)v)->by_value = module_inherits(cls, weak_key_map_class);
    return v;
}

static bool row_live(const WeakRow *r)
{
    return !is_undef(r->key.raw) && !is_undef(r->value.raw);
}

static uint64_t key_code(WeakMap *m, Value key)
{
    return m->by_value ? obj_hash(key) : hash_u64(is_heap(key) ? (uint64_t)obj_identity_hash(key) : key);
}

static WeakRow *weak_find(Value self, Value key)
{
    WeakMap *m = (WeakMap *)self;
    if (!m->cap)
        return NULL;
    uint64_t code = key_code(m, key);
    uint32_t mask = m->cap * 2 - 1;
    for (uint32_t at = (uint32_t)code & mask; m->index[at]; at = (at + 1) & mask) {
        WeakRow *r = &m->rows[m->index[at] - 1];
        if (r->code != code || !row_live(r))
            continue;
        if (r->key.raw == key || (m->by_value && obj_eql(key, r->key.raw)))
            return &m->rows[m->index[at] - 1];
    }
    return NULL;
}

static void weak_index(WeakMap *m, uint32_t row)
{
    uint32_t mask = m->cap * 2 - 1, at = (uint32_t)m->rows[row].code & mask;
    while (m->index[at])
        at = (at + 1) & mask;
    m->index[at] = row + 1;
}

static void weak_grow(WeakMap *m)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->used; i++)
        if (row_live(&m->rows[i]))
            m->rows[n++] = m->rows[i];
    m->used = n;
    if (n * 2 >= m->cap) {
        uint32_t cap = m->cap ? m->cap * 2 : 8;
        m->rows = heap_realloc(m->rows, cap * sizeof *m->rows);
        m->index = heap_realloc(m->index, cap * 2 * sizeof *m->index);
        m->cap = cap;
    }
    memset(m->index, 0, m->cap * 2 * sizeof *m->index);
    for (uint32_t i = 0; i < m->used; i++)
        weak_index(m, i);
}

static void weak_set(Value self, Value key, Value v)
{
    WeakRow *r = weak_find(self, key);
    if (r) {
        slot_write(self, &r->value, v);
        return;
    }
    uint64_t code = key_code((WeakMap *)self, key);
    WeakMap *m = (WeakMap *)self;
    if (m->used == m->cap)
        weak_grow(m);
    m->rows[m->used] = (WeakRow){.key = {key}, .value = {v}, .code = code};
    weak_index(m, m->used++);
}

static Value weak_m_set(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    if (((WeakMap *)self)->by_value && (is_immediate(argv[0]) || obj_type(argv[0]) == T_FLOAT || obj_type(argv[0]) == T_BIGNUM))
        raise_error(klass.ArgumentError, "WeakKeyMap keys must be garbage collectable");
    weak_set(self, argv[0], argv[1]);
    return argv[1];
}

static Value weak_m_get(Value self, int argc, const Value *argv)
{
    (void)argc;
    WeakRow *r = weak_find(self, argv[0]);
    return r ? r->value.raw : V_NIL;
}

static Value weak_m_key_p(Value self, int argc, const Value *argv)
{
    (void)argc;
    return bool_value(weak_find(self, argv[0]) != NULL);
}

static Value weak_m_getkey(Value self, int argc, const Value *argv)
{
    (void)argc;
    WeakRow *r = weak_find(self, argv[0]);
    return r ? r->key.raw : V_NIL;
}

static Value weak_m_delete(Value self, int argc, const Value *argv)
{
    (void)argc;
    obj_modify(self);
    WeakRow *r = weak_find(self, argv[0]);
    if (!r)
        return block_given() ? vm_yield1(argv[0]) : V_NIL;
    Value v = r->value.raw;
    r->key.raw = V_UNDEF;
    r->value.raw = V_UNDEF;
    return v;
}

static Value weak_m_clear(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    obj_modify(self);
    WeakMap *m = (WeakMap *)self;
    m->used = 0;
    if (m->cap)
        memset(m->index, 0, m->cap * 2 * sizeof *m->index);
    return self;
}

static Value weak_m_size(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int64_t n = 0;
    WeakMap *m = (WeakMap *)self;
    for (uint32_t i = 0; i < m->used; i++)
        n += row_live(&m->rows[i]);
    return int_fix(n);
}

static Value weak_list(Value self, int what) /* 0 keys, 1 values, 2 pairs */
{
    Value list = ary_new(((WeakMap *)self)->used);
    for (uint32_t i = 0; i < ((WeakMap *)self)->used; i++) {
        WeakRow r = ((WeakMap *)self)->rows[i];
        if (row_live(&r))
            ary_push(list, what == 0 ? r.key.raw : what == 1 ? r.value.raw : ary_new_from(2, (Value[]){r.key.raw, r.value.raw}));
    }
    return list;
}

static Value weak_m_keys(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return weak_list(self, 0);
}

static Value weak_m_values(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return weak_list(self, 1);
}

static Value weak_m_each(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value list = weak_list(self, 2);
    for (size_t i = 0; i < ary_len(list); i++)
        vm_yield2(ary_get(ary_get(list, (long)i), 0), ary_get(ary_get(list, (long)i), 1));
    return self;
}

static Value weak_each_one(Value self, int what)
{
    Value list = weak_list(self, what);
    for (size_t i = 0; i < ary_len(list); i++)
        vm_yield1(ary_get(list, (long)i));
    return self;
}

static Value weak_m_each_key(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return weak_each_one(self, 0);
}

static Value weak_m_each_value(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return weak_each_one(self, 1);
}

static Value weak_m_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value plain = obj_any_to_s(self);
    StrView view = str_view(plain);
    Value text = str_new(view.ptr, view.len - 1), list = weak_list(self, 2);
    if (((WeakMap *)self)->by_value) {
        char size[40];
        snprintf(size, sizeof size, " size=%zu>", ary_len(list));
        str_append_c(text, size);
        return text;
    }
    for (size_t i = 0; i < ary_len(list); i++) {
        str_append_c(text, i ? ", " : ": ");
        for (long k = 0; k < 2; k++) {
            Value v = ary_get(ary_get(list, (long)i), k);
            str_append_str(text, is_immediate(v) ? obj_inspect(v) : obj_any_to_s(v));
            if (k == 0)
                str_append_c(text, " => ");
        }
    }
    str_append_c(text, ">");
    return text;
}

static const Builtin weak_map_methods[] = {
    {"[]=", weak_m_set, 2, 2, 0},
    {"[]", weak_m_get, 1, 1, 0},
    {"key?", weak_m_key_p, 1, 1, 0},
    {"include?", weak_m_key_p, 1, 1, 0},
    {"member?", weak_m_key_p, 1, 1, 0},
    {"delete", weak_m_delete, 1, 1, 0},
    {"size", weak_m_size, 0, 0, 0},
    {"length", weak_m_size, 0, 0, 0},
    {"keys", weak_m_keys, 0, 0, 0},
    {"values", weak_m_values, 0, 0, 0},
    {"each", weak_m_each, 0, 0, 0},
    {"each_pair", weak_m_each, 0, 0, 0},
    {"each_key", weak_m_each_key, 0, 0, 0},
    {"each_value", weak_m_each_value, 0, 0, 0},
    {"inspect", weak_m_inspect, 0, 0, 0},
};

static const Builtin weak_key_map_methods[] = {
    {"[]=", weak_m_set, 2, 2, 0},
    {"[]", weak_m_get, 1, 1, 0},
    {"key?", weak_m_key_p, 1, 1, 0},
    {"getkey", weak_m_getkey, 1, 1, 0},
    {"delete", weak_m_delete, 1, 1, 0},
    {"clear", weak_m_clear, 0, 0, 0},
    {"inspect", weak_m_inspect, 0, 0, 0},
};

static const Builtin methods[] = {
    {"each_object", os_each_object, 0, 1, BI_MODULE_FUNCTION},
    {"count_objects", os_count_objects, 0, 1, BI_MODULE_FUNCTION},
    {"garbage_collect", os_garbage_collect, 0, -1, BI_MODULE_FUNCTION | BI_KW},
    {"define_finalizer", os_define_finalizer, 1, 2, BI_MODULE_FUNCTION},
    {"undefine_finalizer", os_undefine_finalizer, 1, 1, BI_MODULE_FUNCTION},
    {"_id2ref", os_id2ref, 1, 1, BI_MODULE_FUNCTION},
};

void objectspace_boot(void)
{
    heap_register_type(T_WEAKMAP, &weakmap_row);
    heap_add_visitor(visit_finalizers, "finalizers");
    heap_add_weak_pass(follow_finalizers);
    ADD_BUILTINS(klass.ObjectSpace, methods);
    weak_map_class = class_define_under(klass.ObjectSpace, "WeakMap", klass.Object);
    weak_key_map_class = class_define_under(klass.ObjectSpace, "WeakKeyMap", klass.Object);
    heap_add_root(&weak_map_class);
    heap_add_root(&weak_key_map_class);
    module_include(weak_map_class, klass.Enumerable);
    class_set_allocator(weak_map_class, weakmap_allocate);
    class_set_allocator(weak_key_map_class, weakmap_allocate);
    ADD_BUILTINS(weak_map_class, weak_map_methods);
    ADD_BUILTINS(weak_key_map_class, weak_key_map_methods);
}
