/* hash.c -- Hash: entries in insertion order, and an index of entry numbers
 *
 * `entries` holds (code, key, value) in order of insertion; a deleted entry stays as a tombstone
 * until the table is compacted.  Up to SMALL entries are searched one by one; beyond, `index` is an
 * open-addressed table of entry number + 1 (0: empty), twice as large as `cap` at least.  Codes come
 * from obj_hash, which is the same in every session of a store: so a stored table needs no rebuilding.
 *
 * B1  entries[0, used) are initialised; live <= used <= cap; codes have bit 0 clear unless TOMBSTONE.
 * B2  index_bits == 0: no index; else each entry in [0, used), tombstones too, is in the index once.
 * B3  While `iterating`, entries keep their numbers (no compaction) and no key is added.
 * B4  Comparing keys may run Ruby: after it the body is read anew.
 */
#include "hash_private.h"
#include "vm/record.h"

enum { SMALL = 8 };
#define TOMBSTONE 1ull

uint64_t hash_code(Value hash, Value key)
{
    if (obj_head(hash) & HASH_IDENTITY) {
        if (is_heap(key))
            return (uint64_t)obj_identity_hash(key) << 1;
        if (!is_symbol(key)) {
            uint64_t h = key * 0x9e3779b97f4a7c15ull;
            return (h ^ (h >> 29)) & ~TOMBSTONE;
        }
    }
    return obj_hash(key) << 1;
}

static void index_put(uint32_t *index, unsigned bits, uint64_t code, uint32_t entry)
{
    uint32_t mask = (1u << bits) - 1;
    uint32_t at = (uint32_t)((code * 0x9e3779b97f4a7c15ull) >> (64 - bits));
    while (index[at])
        at = (at + 1) & mask;
    index[at] = entry + 1;
}

static void hash_reindex(Value hash)
{
    Hash *h = hash_ptr(hash);
    unsigned bits = 0;
    if (h->cap > SMALL) {
        bits = 5;
        while ((1u << bits) < h->cap * 2)
            bits++;
    }
    uint32_t *index = bits ? heap_calloc(1u << bits, sizeof(uint32_t)) : NULL;
    h = hash_ptr(hash);
    if (h->index)
        heap_free(h->index);
    h->index = index;
    h->index_bits = bits;
    if (bits)
        for (uint32_t i = 0; i < h->used; i++)
            index_put(index, bits, h->entries[i].code, i);
}

/* Room for one more entry: drops tombstones when they pay, else grows. */
static void hash_make_room(Value hash)
{
    Hash *h = hash_ptr(hash);
    if (h->used < h->cap)
        return;
    if (h->iterating == 0 && h->used - h->live > h->used / 4) {
        uint32_t to = 0;
        for (uint32_t i = 0; i < h->used; i++)
            if (!(h->entries[i].code & TOMBSTONE))
                h->entries[to++] = h->entries[i];
        h->used = to;
        h->start = 0;
        hash_reindex(hash);
        return;
    }
    uint64_t cap = h->cap ? (uint64_t)h->cap * 2 : 4;
    if (cap > UINT32_MAX / 4)
        raise_error(klass.ArgumentError, "hash too big");
    HashEntry *entries = heap_malloc(cap * sizeof(HashEntry));
    h = hash_ptr(hash);
    if (h->used)
        memcpy(entries, h->entries, h->used * sizeof(HashEntry));
    heap_free(h->entries);
    h->entries = entries;
    h->cap = (uint32_t)cap;
    hash_reindex(hash);
}

/* Is the key of entry i the one looked for?  May run Ruby (B4). */
static bool keys_match(Value hash, uint32_t i, Value key)
{
    Value k = slot_read(hash, &hash_ptr(hash)->entries[i].key);
    if (k == key)
        return true;
    if (obj_head(hash) & HASH_IDENTITY)
        return is_heap(k) && is_heap(key) ? obj_same(k, key) : false;
    if (is_symbol(k) || is_fixnum(k))
        return false;
    if (is_string(k) && is_string(key))
        return str_equal(k, key);
    return obj_eql(k, key);
}
static bool entry_matches(Value hash, uint32_t i, uint64_t code, Value key)
{
    if (hash_ptr(hash)->entries[i].code != code)
        return false;
    bool same = keys_match(hash, i, key);
    obj_attend(hash); /* a key's fault or a comparison may have made it hollow */
    return same;
}

/* Number of the entry with this key, or -1. */
static int64_t hash_lookup(Value hash, Value key, uint64_t code)
{
    obj_attend(hash);
    Hash *h = hash_ptr(hash);
    if (h->index_bits == 0) {
        for (uint32_t i = h->start; i < hash_ptr(hash)->used; i++)
            if (entry_matches(hash, i, code, key))
                return i;
        return -1;
    }
    for (uint32_t probe = 0;; probe++) {
        h = hash_ptr(hash);
        if (h->index_bits == 0)
            return hash_lookup(hash, key, code); /* a comparison shrank the table under us */
        uint32_t mask = (1u << h->index_bits) - 1;
        uint32_t at = (uint32_t)((code * 0x9e3779b97f4a7c15ull) >> (64 - h->index_bits));
        at = (at + probe) & mask;
        uint32_t entry = h->index[at];
        if (entry == 0 || probe > mask)
            return -1;
        if (entry <= h->used && entry_matches(hash, entry - 1, code, key))
            return entry - 1;
    }
}

Value hash_alloc(Value cls)
{
    Value v = heap_alloc(T_HASH, cls, sizeof(Hash));
    hash_ptr(v)->fallback.raw = V_NIL;
    return v;
}

Value hash_new(void)
{
    return hash_alloc(klass.Hash);
}

/* A small table is searched for a Symbol or an Integer without its code: only the same word is the same key. */
static bool identity_decides(const Hash *h, Value key)
{
    return h->index_bits == 0 && (is_symbol(key) || is_fixnum(key));
}
static int64_t find_same_word(const Hash *h, Value key)
{
    for (uint32_t i = h->start; i < h->used; i++)
        if (h->entries[i].key.raw == key && !(h->entries[i].code & TOMBSTONE))
            return i;
    return -1;
}

Value hash_get(Value hash, Value key)
{
    obj_attend(hash);
    Hash *h = hash_ptr(hash);
    if (h->live == 0)
        return V_UNDEF;
    if (identity_decides(h, key)) {
        int64_t same = find_same_word(h, key);
        return same < 0 ? V_UNDEF : slot_read(hash, &h->entries[same].value);
    }
    int64_t i = hash_lookup(hash, key, hash_code(hash, key));
    return i < 0 ? V_UNDEF : slot_read(hash, &hash_ptr(hash)->entries[i].value);
}

Value hash_aref(Value hash, Value key)
{
    Value v = hash_get(hash, key);
    if (!is_undef(v))
        return v;
    MethodEntry *me = method_find(class_of(hash), SYM(default));
    if (me && me->kind == ME_BUILTIN)
        return hash_fallback(hash, key);
    return vm_call1(hash, SYM(default), key);
}

Value hash_fallback(Value hash, Value key)
{
    obj_attend(hash);
    Value f = slot_read(hash, &hash_ptr(hash)->fallback);
    if (!(obj_head(hash) & HASH_DEFAULT_PROC))
        return f;
    if (is_undef(key))
        return V_NIL;
    Value args[2] = {hash, key};
    return vm_call(f, SYM(call), 2, args);
}

void hash_set(Value hash, Value key, Value v)
{
    obj_modify(hash);
    uint64_t code = hash_code(hash, key);
    int64_t i = identity_decides(hash_ptr(hash), key) ? find_same_word(hash_ptr(hash), key) : hash_lookup(hash, key, code);
    obj_modify(hash);
    if (i >= 0) {
        slot_write(hash, &hash_ptr(hash)->entries[i].value, v);
        return;
    }
    if (hash_ptr(hash)->iterating)
        raise_error(klass.RuntimeError, "can't add a new key into hash during iteration");
    if (is_string(key) && !(obj_head(hash) & HASH_IDENTITY) && !obj_frozen_bit(key)) {
        key = str_dup(key);
        obj_freeze(key);
    }
    hash_make_room(hash);
    Hash *h = hash_ptr(hash);
    HashEntry *e = &h->entries[h->used];
    e->code = code;
    slot_write(hash, &e->key, key);
    slot_write(hash, &e->value, v);
    if (h->index_bits)
        index_put(h->index, h->index_bits, code, h->used);
    h->used++;
    h->live++;
}

Value hash_delete(Value hash, Value key)
{
    obj_modify(hash);
    int64_t i = hash_lookup(hash, key, hash_code(hash, key));
    if (i < 0)
        return V_UNDEF;
    return hash_delete_entry(hash, (size_t)i);
}

Value hash_delete_entry(Value hash, size_t i)
{
    obj_modify(hash);
    Value v = slot_read(hash, &hash_ptr(hash)->entries[i].value);
    Hash *h = hash_ptr(hash);
    HashEntry *e = &h->entries[i];
    if (e->code & TOMBSTONE)
        return V_UNDEF;
    e->code |= TOMBSTONE;
    e->key.raw = e->value.raw = V_NIL;
    h->live--;
    if (i == h->start)
        while (h->start < h->used && (h->entries[h->start].code & TOMBSTONE))
            h->start++;
    if (h->live == 0 && h->iterating == 0)
        hash_drop_entries(hash);
    return v;
}

void hash_drop_entries(Value hash)
{
    Hash *h = hash_ptr(hash);
    if (h->iterating) { /* the numbers must stay valid: bury them all */
        for (uint32_t i = 0; i < h->used; i++) {
            h->entries[i].code |= TOMBSTONE;
            h->entries[i].key.raw = h->entries[i].value.raw = V_NIL;
        }
        h->live = 0;
        return;
    }
    h->used = h->live = h->start = 0;
    if (h->index_bits)
        memset(h->index, 0, sizeof(uint32_t) << h->index_bits);
}

size_t hash_len(Value hash)
{
    obj_attend(hash);
    return hash_ptr(hash)->live;
}

size_t hash_entries_used(Value hash)
{
    obj_attend(hash);
    return hash_ptr(hash)->used;
}

bool hash_entry_at(Value hash, size_t i, Value *key, Value *v)
{
    obj_attend(hash);
    if (i >= hash_ptr(hash)->used || (hash_ptr(hash)->entries[i].code & TOMBSTONE))
        return false;
    Value k = slot_read(hash, &hash_ptr(hash)->entries[i].key);
    Value x = slot_read(hash, &hash_ptr(hash)->entries[i].value);
    *key = k;
    *v = x;
    return true;
}

/* Number of the first live entry from i on, or -1. */
int64_t hash_next(Value hash, size_t i)
{
    obj_attend(hash);
    Hash *h = hash_ptr(hash);
    if (i < h->start)
        i = h->start;
    for (; i < h->used; i++)
        if (!(h->entries[i].code & TOMBSTONE))
            return (int64_t)i;
    return -1;
}

Value hash_keys(Value hash)
{
    Value r = ary_new(hash_len(hash)), k, v;
    for (size_t i = 0; i < hash_entries_used(hash); i++)
        if (hash_entry_at(hash, i, &k, &v))
            ary_push(r, k);
    return r;
}

Value hash_values(Value hash)
{
    Value r = ary_new(hash_len(hash)), k, v;
    for (size_t i = 0; i < hash_entries_used(hash); i++)
        if (hash_entry_at(hash, i, &k, &v))
            ary_push(r, v);
    return r;
}

/* Makes `to` (fresh or modified) hold the entries of `from`, tombstones left out; default and flags are the caller's. */
void hash_copy_entries(Value to, Value from)
{
    obj_attend(from);
    uint32_t live = hash_ptr(from)->live;
    HashEntry *entries = live ? heap_malloc(live * sizeof(HashEntry)) : NULL;
    Hash *f = hash_ptr(from), *t = hash_ptr(to);
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->used && n < live; i++)
        if (!(f->entries[i].code & TOMBSTONE))
            entries[n++] = f->entries[i];
    heap_free(t->entries);
    t->entries = entries;
    t->used = t->live = n;
    t->cap = live;
    t->start = 0;
    hash_reindex(to);
}

Value hash_dup(Value hash)
{
    Value r = hash_new();
    hash_copy_entries(r, hash);
    hash_ptr(r)->head |= obj_head(hash) & HASH_IDENTITY;
    return r;
}

void hash_update(Value hash, Value other)
{
    Value k, v;
    for (size_t i = 0; i < hash_entries_used(other); i++)
        if (hash_entry_at(other, i, &k, &v))
            hash_set(hash, k, v);
}

Value hash_to_hash(Value v)
{
    return obj_convert(v, T_HASH, "Hash", SYM(to_hash));
}

typedef struct Each {
    Value hash;
    bool (*fn)(Value, Value, void *);
    void *arg;
} Each;

static Value each_body(void *arg)
{
    Each *e = arg;
    int64_t i = 0;
    Value k, v;
    while ((i = hash_next(e->hash, (size_t)i)) >= 0) {
        if (hash_entry_at(e->hash, (size_t)i, &k, &v) && !e->fn(k, v, e->arg))
            break;
        i++;
    }
    return V_NIL;
}

static void each_cleanup(void *arg)
{
    hash_iteration(((Each *)arg)->hash, -1);
}

void hash_iteration(Value hash, int by)
{
    Hash *h = hash_ptr(hash);
    if (by > 0)
        h->iterating++;
    else if (h->iterating > 0) /* a refill in between has set it back to 0 */
        h->iterating--;
}

void hash_each(Value hash, bool (*fn)(Value, Value, void *), void *arg)
{
    obj_attend(hash);
    Each e = {hash, fn, arg};
    hash_iteration(hash, 1);
    vm_ensure(each_body, &e, each_cleanup, &e);
}

/* The codes of all keys anew: rehash, compare_by_identity. */
void hash_rebuild(Value hash)
{
    Value fresh = hash_alloc(klass.Hash), k, v;
    hash_ptr(fresh)->head |= obj_head(hash) & HASH_IDENTITY;
    for (size_t i = 0; i < hash_entries_used(hash); i++)
        if (hash_entry_at(hash, i, &k, &v))
            hash_set(fresh, k, v);
    obj_modify(hash);
    hash_copy_entries(hash, fresh);
}

/* ---- the type's row ---- */

static void hash_visit(Object *o, Visitor *v)
{
    Hash *h = (Hash *)o;
    for (uint32_t i = 0; i < h->used; i++) {
        v->slot(v, &h->entries[i].key);
        v->slot(v, &h->entries[i].value);
    }
    v->slot(v, &h->fallback);
}

static void hash_free(Object *o)
{
    Hash *h = (Hash *)o;
    heap_free(h->entries);
    heap_free(h->index);
}

static size_t hash_memsize(Object *o)
{
    Hash *h = (Hash *)o;
    return h->cap * sizeof(HashEntry) + (h->index_bits ? sizeof(uint32_t) << h->index_bits : 0);
}

static void hash_hollow(Object *o)
{
    Hash *h = (Hash *)o;
    hash_free(o);
    h->entries = NULL;
    h->index = NULL;
    h->used = h->cap = h->live = h->index_bits = h->start = h->iterating = 0;
    h->fallback.raw = V_NIL;
}

/* Record: fallback, then code, key, value of each live entry; a byte of flags. */
static void hash_persist(Object *o, RecordBuilder *b)
{
    Hash *h = (Hash *)o;
    record_put_slot(b, h->fallback);
    for (uint32_t i = 0; i < h->used; i++) {
        HashEntry *e = &h->entries[i];
        if (e->code & TOMBSTONE)
            continue;
        record_put_value(b, int_fix((int64_t)e->code >> 1));
        record_put_slot(b, e->key);
        record_put_slot(b, e->value);
    }
    record_put_u64(b, (h->head & HASH_IDENTITY ? 1 : 0) | (h->head & HASH_DEFAULT_PROC ? 2 : 0) |
                          (h->head & HASH_KEYWORDS ? 4 : 0));
}

static void hash_restore(Object *o, RecordReader *r)
{
    Hash *h = (Hash *)o;
    uint64_t flags = record_take_u64(r);
    h->head &= ~(HASH_IDENTITY | HASH_DEFAULT_PROC | HASH_KEYWORDS);
    h->head |= (flags & 1 ? HASH_IDENTITY : 0) | (flags & 2 ? HASH_DEFAULT_PROC : 0) | (flags & 4 ? HASH_KEYWORDS : 0);
    h->entries = NULL;
    h->index = NULL;
    h->used = h->cap = h->live = h->index_bits = h->start = h->iterating = 0;
    h->fallback = record_take_slot(r);
    uint32_t n = (uint32_t)(record_slots_left(r) / 3);
    if (n) {
        h->entries = heap_malloc(n * sizeof(HashEntry));
        h->cap = n;
    }
    for (uint32_t i = 0; i < n; i++) {
        h->entries[i].code = (uint64_t)fix_int(record_take_slot(r).raw) << 1;
        h->entries[i].key = record_take_slot(r);
        h->entries[i].value = record_take_slot(r);
    }
    h->used = h->live = n;
    hash_reindex((Value)o);
}

static const TypeRow hash_row = {
    .name = "hash",
    .visit = hash_visit,
    .free = hash_free,
    .memsize = hash_memsize,
    .hollow = hash_hollow,
    .persist = hash_persist,
    .restore = hash_restore,
    .size = sizeof(Hash),
};

void hash_type_boot(void)
{
    heap_register_type(T_HASH, &hash_row);
    class_set_instance_type(klass.Hash, T_HASH);
    class_set_allocator(klass.Hash, hash_alloc);
    module_include(klass.Hash, klass.Enumerable);
}
