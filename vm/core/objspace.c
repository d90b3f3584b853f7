/* objspace.c -- what the library objspace tells of the heap: sizes, references, allocation sites, dumps
 *
 * The methods enter ObjectSpace when vm/lib/objspace.rb asks for them.  Walks must not allocate: they write into
 * memory of the session's, and Ruby objects are made of it afterwards, while the collector is held off.
 */
#include "vm/core/core_private.h"
#include "vm/code.h"
#include "vm/core.h"
#include "vm/core/text.h"
#include "vm/object/class_private.h"

#include "lib/hashtab.h"
#include "lib/strbuf.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[] = {
#define TYPE(name, layout) #name,
#include "vm/types.def"
#undef TYPE
};

/* ---- sizes ---- */

static size_t memory_of(Value v)
{
    size_t n = heap_cell_size(v);
    ObjectType t = obj_type(v);
    if (obj_head(v) & OF_HOLLOW)
        return n;
    if (type_has_slots(t))
        return obj_head(v) & OF_EMBED ? n : n + ((SlotObject *)v)->ext_cap * sizeof(Slot);
    const TypeRow *row = heap_type_row(t);
    return row && row->memsize ? n + row->memsize(obj_ptr(v)) : n;
}

static Value os_memsize_of(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return is_heap(argv[0]) ? uint_value(memory_of(argv[0])) : int_fix(0);
}

typedef struct Totals {
    Value of;
    uint64_t bytes[T_COUNT], count[T_COUNT];
} Totals;

static void add_object(Value v, void *arg)
{
    Totals *t = arg;
    if (!is_nil(t->of) && !obj_is_kind_of(v, t->of))
        return;
    t->bytes[obj_type(v)] += memory_of(v);
    t->count[obj_type(v)]++;
}

static Value os_memsize_of_all(Value self, int argc, const Value *argv)
{
    (void)self;
    Totals t = {.of = argc ? argv[0] : V_NIL};
    if (!is_nil(t.of) && !is_module(t.of))
        raise_error(klass.TypeError, "class or module required");
    heap_each_object(add_object, &t);
    uint64_t sum = 0;
    for (int i = 0; i < T_COUNT; i++)
        sum += t.bytes[i];
    return uint_value(sum);
}

static Value hash_argument(int argc, const Value *argv)
{
    if (argc && !is_nil(argv[0])) {
        if (!is_hash(argv[0]))
            raise_error(klass.TypeError, "non-hash given");
        return argv[0];
    }
    return hash_new();
}

static Value os_count_objects_size(Value self, int argc, const Value *argv)
{
    (void)self;
    Value hash = hash_argument(argc, argv);
    Totals t = {.of = V_NIL};
    heap_each_object(add_object, &t);
    uint64_t sum = 0;
    for (int i = 1; i < T_COUNT; i++)
        if (t.count[i]) {
            char name[40];
            snprintf(name, sizeof name, "T_%s", type_names[i]);
            hash_set(hash, sym_intern(name), uint_value(t.bytes[i]));
            sum += t.bytes[i];
        }
    hash_set(hash, sym_intern("TOTAL"), uint_value(sum));
    return hash;
}

static Value os_count_symbols(Value self, int argc, const Value *argv)
{
    (void)self;
    Value hash = hash_argument(argc, argv);
    /* Symbols are numbers of a table that only grows. */
    hash_set(hash, sym_intern("mortal_dynamic_symbol"), int_fix(0));
    hash_set(hash, sym_intern("immortal_dynamic_symbol"), int_fix(0));
    hash_set(hash, sym_intern("immortal_static_symbol"), uint_value(sym_count()));
    hash_set(hash, sym_intern("immortal_symbol"), uint_value(sym_count()));
    return hash;
}

/* ---- references ---- */

/* Collects what a walk meets: objects of Ruby's once each; internal ones are looked through. */
typedef struct Gatherer {
    Visitor visitor;
    HashTab *seen;
    Value *found, *queue;
    size_t n, cap, queued, queue_cap;
} Gatherer;

static Value *grow_values(Value *at, size_t n, size_t *cap)
{
    if (n < *cap)
        return at;
    size_t more = *cap ? *cap * 2 : 64;
    at = mem_realloc(memctx_top(), at, more * sizeof(Value));
    *cap = more;
    return at;
}

static void gather(Gatherer *g, Value v)
{
    bool known;
    if (!is_heap(v) || (hashtab_enter(g->seen, &v, &known), known))
        return;
    if (heap_is_internal(v)) {
        g->queue = grow_values(g->queue, g->queued, &g->queue_cap);
        g->queue[g->queued++] = v;
    } else {
        g->found = grow_values(g->found, g->n, &g->cap);
        g->found[g->n++] = v;
    }
}

static void gather_slot(Visitor *v, Slot *s)
{
    gather((Gatherer *)v, s->raw);
}

static void gather_value(Visitor *v, Value *value)
{
    gather((Gatherer *)v, *value);
}

static void gather_weak(Visitor *v, Slot *s)
{
    (void)v, (void)s;
}

static void gather_through(Gatherer *g)
{
    for (size_t i = 0; i < g->queued; i++)
        heap_visit_references(g->queue[i], &g->visitor);
    g->queued = 0;
}

static Gatherer gatherer(void)
{
    return (Gatherer){.visitor = {gather_slot, gather_value, gather_weak},
                      .seen = hashtab_create(memctx_top(), sizeof(Value), sizeof(Value), HASH_BLOB)};
}

/* The objects found, as an Array, which then keeps them alive: until it does, the collector is off.  Ends the gatherer. */
static Value gathered(Gatherer *g)
{
    bool was = heap_disabled;
    heap_disabled = true;
    Value list = ary_new(g->n);
    for (size_t i = 0; i < g->n; i++)
        ary_push(list, g->found[i]);
    heap_disabled = was;
    mem_free(g->found);
    mem_free(g->queue);
    hashtab_destroy(g->seen);
    return list;
}

static Value os_reachable(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = argv[0];
    if (!is_heap(v))
        return V_NIL;
    obj_attend(v);
    Gatherer g = gatherer();
    gather(&g, class_real(v));
    heap_visit_references(v, &g.visitor);
    gather_through(&g);
    return gathered(&g);
}

/* ---- who refers to an object ---- */

typedef struct Finder {
    Visitor visitor;
    HashTab *targets;   /* the object, and what is internal and refers to it, directly or through such */
    uint64_t oid;       /* of the object; 0: none */
    bool met;           /* the object that is visited refers to a target */
    Gatherer referrers;
} Finder;

static void find_value(Visitor *v, Value *value)
{
    Finder *f = (Finder *)v;
    f->met = f->met || (is_heap(*value) && hashtab_find(f->targets, value));
}

static void find_slot(Visitor *v, Slot *s)
{
    Finder *f = (Finder *)v;
    if (slot_unresolved(*s))
        f->met = f->met || (f->oid && s->raw >> 8 == f->oid);
    else
        find_value(v, &s->raw);
}

static void find_in(Value v, void *arg)
{
    Finder *f = arg;
    f->met = false;
    heap_visit_references(v, &f->visitor);
    if (f->met)
        gather(&f->referrers, v);
}

/* Each walk finds who refers to the targets; what of it is internal joins them, for the next one. */
static Value find_references(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (!is_heap(self))
        return ary_new(0);
    Finder f = {.visitor = {find_slot, find_value, gather_weak},
                .targets = hashtab_create(memctx_top(), sizeof(Value), sizeof(Value), HASH_BLOB),
                .oid = (obj_head(self) & OF_OID) && obj_oid_hook ? obj_oid_hook(self) : 0,
                .referrers = gatherer()};
    bool known;
    hashtab_enter(f.targets, &self, &known);
    size_t done;
    do {
        done = f.referrers.queued;
        heap_each_with_internal(find_in, &f);
        for (size_t i = done; i < f.referrers.queued; i++)
            hashtab_enter(f.targets, &f.referrers.queue[i], &known);
    } while (done < f.referrers.queued);
    hashtab_destroy(f.targets);
    return gathered(&f.referrers);
}

/* One list for all groups; bounds say where each begins. */
typedef struct RootGroups {
    Gatherer *g;
    const char *names[80];
    size_t starts[80], n;
} RootGroups;

static void gather_group(const char *name, void *arg)
{
    RootGroups *r = arg;
    gather_through(r->g);
    r->names[r->n] = name;
    r->starts[r->n++] = r->g->n;
}

static Value os_reachable_from_root(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Gatherer g = gatherer();
    RootGroups r = {.g = &g};
    heap_visit_roots(gather_group, &r, &g.visitor);
    gather_through(&g);
    size_t total = g.n;
    Value all = gathered(&g), hash = hash_new();
    for (size_t i = 0; i < r.n; i++) {
        size_t end = i + 1 < r.n ? r.starts[i + 1] : total;
        if (end > r.starts[i])
            hash_set(hash, str_new_c(r.names[i]), ary_subseq(all, r.starts[i], end - r.starts[i]));
    }
    return hash;
}

/* ---- allocation sites ---- */

typedef struct Site {
    Value object, code, method;
    uint32_t word;
    uint64_t generation; /* collections before it */
} Site;

static struct {
    Site *at;
    size_t n, cap;
    bool sorted; /* by object, for look-up */
    int depth;   /* trace_object_allocations nests */
} sites;

static void note_allocation(Value v)
{
    Site s = {.object = v, .generation = heap_epoch};
    if (heap_is_internal(v) || !vm_allocation_site(&s.code, &s.word, &s.method))
        return;
    if (sites.n == sites.cap) {
        size_t cap = sites.cap ? sites.cap * 2 : 1024;
        sites.at = mem_realloc(memctx_top(), sites.at, cap * sizeof *sites.at);
        sites.cap = cap;
    }
    sites.at[sites.n++] = s;
    sites.sorted = false;
}

static void visit_sites(Visitor *v)
{
    for (size_t i = 0; i < sites.n; i++) {
        v->value(v, &sites.at[i].code);
        v->value(v, &sites.at[i].method);
    }
}

static void follow_sites(bool (*alive)(Value), Value (*forward)(Value))
{
    size_t n = 0;
    for (size_t i = 0; i < sites.n; i++)
        if (alive(sites.at[i].object)) {
            sites.at[n] = sites.at[i];
            sites.at[n].object = forward(sites.at[n].object);
            n++;
        }
    sites.n = n;
    sites.sorted = false;
}

static int compare_sites(const void *a, const void *b)
{
    Value x = ((const Site *)a)->object, y = ((const Site *)b)->object;
    return x < y ? -1 : x > y;
}

static const Site *site_of(Value v)
{
    if (!is_heap(v) || sites.n == 0)
        return NULL;
    if (!sites.sorted)
        qsort(sites.at, sites.n, sizeof *sites.at, compare_sites);
    sites.sorted = true;
    Site key = {.object = v};
    return bsearch(&key, sites.at, sites.n, sizeof key, compare_sites);
}

static int site_line(const Site *s)
{
    return code_line_at((Code *)s->code, s->word);
}

static Value os_trace_start(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (sites.depth++ == 0)
        heap_watch_allocations(note_allocation);
    return V_NIL;
}

static Value os_trace_stop(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    if (sites.depth > 0 && --sites.depth == 0)
        heap_watch_allocations(NULL);
    return V_NIL;
}

static Value os_trace_clear(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    mem_free(sites.at);
    sites.at = NULL;
    sites.n = sites.cap = 0;
    return V_NIL;
}

static Value os_sourcefile(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const Site *s = site_of(argv[0]);
    return s ? slot_read(s->code, &((Code *)s->code)->path) : V_NIL;
}

static Value os_sourceline(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const Site *s = site_of(argv[0]);
    return s ? int_fix(site_line(s)) : V_NIL;
}

static Value os_class_path(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const Site *s = site_of(argv[0]);
    if (!s || is_nil(s->method))
        return V_NIL;
    Value owner = slot_read(s->method, &((MethodEntry *)s->method)->owner);
    if (is_type(owner, T_ICLASS))
        owner = class_owner_at(owner);
    return is_module(owner) ? class_name(owner) : V_NIL;
}

static Value os_method_id(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const Site *s = site_of(argv[0]);
    return s && !is_nil(s->method) ? symbol_value(((MethodEntry *)s->method)->name) : V_NIL;
}

static Value os_generation(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    const Site *s = site_of(argv[0]);
    return s ? uint_value(s->generation) : V_NIL;
}

/* ---- dumps: one line of JSON an object ---- */

typedef struct Dumper {
    Visitor visitor;
    StrBuf out;
    bool any;        /* a reference was written */
    uint64_t stored; /* references that are still oids */
} Dumper;

static void dump_reference(Dumper *d, Value v)
{
    if (!is_heap(v))
        return;
    strbuf_printf(&d->out, "%s\"0x%lx\"", d->any ? ", " : ", \"references\":[", (unsigned long)v);
    d->any = true;
}

static void dump_slot(Visitor *v, Slot *s)
{
    if (slot_unresolved(*s))
        ((Dumper *)v)->stored++;
    else
        dump_reference((Dumper *)v, s->raw);
}

static void dump_value(Visitor *v, Value *value)
{
    dump_reference((Dumper *)v, *value);
}

static void dump_text(Dumper *d, const char *key, const char *text, size_t len)
{
    strbuf_printf(&d->out, ", \"%s\":", key);
    strbuf_json(&d->out, text, len);
}

static void dump_symbol(Dumper *d, const char *key, Value symbol)
{
    dump_text(d, key, sym_text(symbol), strlen(sym_text(symbol)));
}

static void dump_string(Dumper *d, Value v)
{
    static const char *const ranges[] = {"unknown", "7bit", "valid", "broken"};
    StrView view = {str_bytes(v), str_len(v), str_encoding(v)};
    int range = bytes_coderange(view.ptr, view.len, view.enc);
    strbuf_printf(&d->out, ", \"bytesize\":%zu", view.len);
    if (range == CR_7BIT || (range == CR_VALID && view.enc == ENC_UTF_8))
        dump_text(d, "value", view.ptr, view.len);
    if (view.enc != ENC_BINARY)
        strbuf_printf(&d->out, ", \"encoding\":\"%s\"", encoding_name(view.enc));
    strbuf_printf(&d->out, ", \"coderange\":\"%s\"", ranges[range]);
    if (range == CR_BROKEN)
        strbuf_puts(&d->out, ", \"broken\":true");
}

static void dump_module(Dumper *d, Value v)
{
    if (is_type(v, T_CLASS)) {
        Value super = ((Class *)v)->super.raw;
        if (is_heap(super))
            strbuf_printf(&d->out, ", \"superclass\":\"0x%lx\"", (unsigned long)super);
        if (class_is_singleton(v))
            strbuf_puts(&d->out, ", \"singleton\":true");
    }
    Value name = class_ext(v) ? class_ext(v)->name.raw : V_NIL;
    if (is_symbol(name))
        dump_symbol(d, "name", name);
}

static void dump_content(Dumper *d, Value v)
{
    ObjectType t = obj_type(v);
    if (obj_head(v) & OF_EMBED)
        strbuf_puts(&d->out, ", \"embedded\":true");
    if (obj_head(v) & OF_HOLLOW) {
        strbuf_puts(&d->out, ", \"hollow\":true");
        return;
    }
    if (t == T_STRING)
        dump_string(d, v);
    else if (t == T_ARRAY)
        strbuf_printf(&d->out, ", \"length\":%u", ((Array *)v)->len);
    else if (t == T_HASH)
        strbuf_printf(&d->out, ", \"size\":%u", ((Hash *)v)->live);
    else if (t == T_OBJECT)
        strbuf_printf(&d->out, ", \"ivars\":%u", (unsigned)shape_table[obj_shape(v)].count);
    else if (t == T_FLOAT)
        strbuf_printf(&d->out, ", \"value\":\"%g\"", ((Float *)v)->value);
    else if (t == T_CLASS || t == T_MODULE)
        dump_module(d, v);
}

static void dump_site(Dumper *d, Value v)
{
    const Site *s = site_of(v);
    if (!s)
        return;
    StrView path = str_view(slot_read(s->code, &((Code *)s->code)->path));
    dump_text(d, "file", path.ptr, path.len);
    strbuf_printf(&d->out, ", \"line\":%d", site_line(s));
    if (!is_nil(s->method))
        dump_symbol(d, "method", symbol_value(((MethodEntry *)s->method)->name));
    strbuf_printf(&d->out, ", \"generation\":%lu", (unsigned long)s->generation);
}

static void dump_object(Dumper *d, Value v)
{
    strbuf_printf(&d->out, "{\"address\":\"0x%lx\", \"type\":\"%s\"", (unsigned long)v, type_names[obj_type(v)]);
    uint32_t shape = obj_shape(v);
    strbuf_printf(&d->out, ", \"shape_id\":%u, \"slot_size\":%zu", shape, heap_cell_size(v));
    if (shape && is_heap(shape_table[shape].cls))
        strbuf_printf(&d->out, ", \"class\":\"0x%lx\"", (unsigned long)shape_table[shape].cls);
    if (obj_head(v) & OH_FROZEN) /* of a hollow object nobody knows, and a dump reads nothing */
        strbuf_puts(&d->out, ", \"frozen\":true");
    if ((obj_head(v) & OF_OID) && obj_oid_hook)
        strbuf_printf(&d->out, ", \"oid\":%lu", (unsigned long)obj_oid_hook(v));
    dump_content(d, v);
    d->any = false;
    d->stored = 0;
    heap_visit_references(v, &d->visitor);
    if (d->any)
        strbuf_putc(&d->out, ']');
    if (d->stored)
        strbuf_printf(&d->out, ", \"unresolved_references\":%lu", (unsigned long)d->stored);
    dump_site(d, v);
    strbuf_printf(&d->out, ", \"memsize\":%zu}", memory_of(v));
}

#define DUMPER {.visitor = {dump_slot, dump_value, gather_weak}}

static Value dump_result(Dumper *d)
{
    Value text = str_new(d->out.data, d->out.len);
    strbuf_free(&d->out);
    return text;
}

static Value os_dump(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value v = argv[0];
    if (is_symbol(v)) {
        Dumper d = DUMPER;
        strbuf_init(&d.out, memctx_top());
        strbuf_puts(&d.out, "{\"type\":\"SYMBOL\"");
        dump_symbol(&d, "value", v);
        strbuf_putc(&d.out, '}');
        return dump_result(&d);
    }
    if (!is_heap(v))
        return is_nil(v) ? str_new_c("null") : obj_inspect(v);
    obj_attend(v);
    Dumper d = DUMPER;
    strbuf_init(&d.out, memctx_top());
    dump_object(&d, v);
    return dump_result(&d);
}

static void dump_root(const char *name, void *arg)
{
    Dumper *d = arg;
    strbuf_puts(&d->out, d->any ? "]}\n" : d->out.len ? "}\n" : "");
    strbuf_printf(&d->out, "{\"type\":\"ROOT\", \"root\":\"%s\"", name);
    d->any = false;
}

typedef struct DumpAll {
    Dumper d;
    uint64_t since; /* generation; 0: all */
} DumpAll;

static void dump_each(Value v, void *arg)
{
    DumpAll *a = arg;
    const Site *s = a->since ? site_of(v) : NULL;
    if (a->since && (!s || s->generation < a->since))
        return;
    dump_object(&a->d, v);
    strbuf_putc(&a->d.out, '\n');
}

static Value os_dump_all(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    DumpAll a = {.d = DUMPER, .since = is_nil(argv[0]) ? 0 : (uint64_t)value_int(argv[0])};
    strbuf_init(&a.d.out, memctx_top());
    heap_visit_roots(dump_root, &a.d, &a.d.visitor);
    strbuf_puts(&a.d.out, a.d.any ? "]}\n" : "}\n");
    heap_each_object(dump_each, &a);
    return dump_result(&a.d);
}

static const Builtin methods[] = {
    {"memsize_of", os_memsize_of, 1, 1, BI_MODULE_FUNCTION},
    {"memsize_of_all", os_memsize_of_all, 0, 1, BI_MODULE_FUNCTION},
    {"count_objects_size", os_count_objects_size, 0, 1, BI_MODULE_FUNCTION},
    {"count_symbols", os_count_symbols, 0, 1, BI_MODULE_FUNCTION},
    {"reachable_objects_from", os_reachable, 1, 1, BI_MODULE_FUNCTION},
    {"reachable_objects_from_root", os_reachable_from_root, 0, 0, BI_MODULE_FUNCTION},
    {"trace_object_allocations_start", os_trace_start, 0, 0, BI_MODULE_FUNCTION},
    {"trace_object_allocations_stop", os_trace_stop, 0, 0, BI_MODULE_FUNCTION},
    {"trace_object_allocations_clear", os_trace_clear, 0, 0, BI_MODULE_FUNCTION},
    {"allocation_sourcefile", os_sourcefile, 1, 1, BI_MODULE_FUNCTION},
    {"allocation_sourceline", os_sourceline, 1, 1, BI_MODULE_FUNCTION},
    {"allocation_class_path", os_class_path, 1, 1, BI_MODULE_FUNCTION},
    {"allocation_method_id", os_method_id, 1, 1, BI_MODULE_FUNCTION},
    {"allocation_generation", os_generation, 1, 1, BI_MODULE_FUNCTION},
    {"__dump", os_dump, 1, 1, BI_MODULE_FUNCTION | BI_HIDDEN},
    {"__dump_all", os_dump_all, 1, 1, BI_MODULE_FUNCTION | BI_HIDDEN},
};

static Value os_load(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    ADD_BUILTINS(klass.ObjectSpace, methods);
    return V_NIL;
}

static const Builtin kernel_methods[] = {{"find_references_in_memory", find_references, 0, 0, 0}};
static const Builtin loader[] = {{"__load_objspace", os_load, 0, 0, BI_MODULE_FUNCTION | BI_HIDDEN}};

void objspace_boot(void)
{
    heap_add_visitor(visit_sites, "allocation sites");
    heap_add_weak_pass(follow_sites);
    ADD_BUILTINS(klass.ObjectSpace, loader);
    ADD_BUILTINS(klass.Kernel, kernel_methods);
}
