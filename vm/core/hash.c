/* hash.c -- Hash: entries in insertion order, and an index of entry numbers
 *
 * `entries` holds (code, key, value) in order of insertion; a deleted entry stays as a tombstone
 * until the table is compacted.  Up to SMALL entries are searched one by one; beyond, `index` is an
 * open-addressed table of words: the lower index_bits are the entry's number + 1 (0: empty), the others a part of its code,
 * so that a search looks at few entries of other codes.  It is twice as large as `cap` at least.  Codes come
 * from obj_hash, which is the same in every session of a store: so a stored table needs no rebuilding.
 *
 * B1  entries[0, used) are initialised; live <= used <= cap; codes have bit 0 clear unless TOMBSTONE.
 * B2  index_bits == 0: no index; else each entry in [0, used), tombstones too, is in the index once.
 * B3  While `iterating`, entries keep their numbers (no compaction) and no key is added.
 * B4  Comparing keys may run Ruby: after it the body is read anew.
 * B5  A hash that the store has in chunks (vm/vector.h) has two vectors: entries, ENTRIES_PER_CHUNK a chunk, tombstones
 *     kept, and the index.  An absent chunk's memory is untouched; entry_at and index_at are the ways to read, and
 *     entry_for_write and index_add the ways to change one.
 * B6  Entries for CARDED_MIN or more have cards behind the last, one for CARD_ENTRIES.  Whoever stores into entries marks
 *     them, with nothing that may collect in between.
 */
#include "hash_private.h"
#include "vm/record.h"
#include "lib/error.h"
#include "vm/vector.h"
#include "lib/base.h"

enum { SMALL = 8 };
#define TOMBSTONE 1ull
enum { ENTRIES, INDEX, VECTORS };
enum { CARD_ENTRIES = 32, CARDED_MIN = 4 * CARD_ENTRIES };
enum { ENTRIES_PER_CHUNK = VECTOR_SLOTS / 3, INDEX_PER_CHUNK = VECTOR_BYTES / sizeof(uint32_t) };

typedef struct HashVectors {
    Vector *v[VECTORS];
} HashVectors;

static void drop_vectors(Hash *h)
{
    if (h->vectors) {
        vector_free(h->vectors->v[ENTRIES]);
        vector_free(h->vectors->v[INDEX]);
        heap_free(h->vectors);
    }
    h->vectors = NULL;
    h->head &= ~OT_VECTOR;
}

static uint32_t entry_chunks(uint32_t n)
{
    return (n + ENTRIES_PER_CHUNK - 1) / ENTRIES_PER_CHUNK;
}

static uint32_t index_chunks(unsigned bits)
{
    return bits == 0 ? 0 : ((1u << bits) + INDEX_PER_CHUNK - 1) / INDEX_PER_CHUNK;
}

/* Makes a chunk present.  Outside a transaction what is then there may be another version: numbers are tested again. */
static void load_chunk(Value hash, unsigned which, uint32_t chunk)
{
    Vector *v = hash_ptr(hash)->vectors->v[which];
    if (chunk >= v->chunks || !vector_present(v, chunk))
        vector_load(hash, which, chunk);
}

static HashEntry *entry_at(Value hash, size_t i)
{
    static HashEntry none = {TOMBSTONE, {V_NIL}, {V_NIL}};
    obj_attend(hash); /* reading the entry before may have made it hollow */
    if (unlikely(hash_ptr(hash)->vectors != NULL))
        load_chunk(hash, ENTRIES, (uint32_t)(i / ENTRIES_PER_CHUNK));
    return likely(i < hash_ptr(hash)->used) ? &hash_ptr(hash)->entries[i] : &none;
}

/* ---- cards (B6) ---- */

static size_t cards_for(size_t cap)
{
    return cap < CARDED_MIN ? 0 : (cap + CARD_ENTRIES - 1) / CARD_ENTRIES;
}

static uint8_t *cards_of(const Hash *h)
{
    return (uint8_t *)(h->entries + h->cap);
}

static void mark_card(Hash *h, size_t i)
{
    if (h->cap >= CARDED_MIN)
        cards_of(h)[i / CARD_ENTRIES] = 1;
}

static void mark_all_cards(Hash *h)
{
    if (h->cap >= CARDED_MIN)
        memset(cards_of(h), 1, cards_for(h->cap));
}

/* Memory for so many entries and their cards; they are not filled. */
static HashEntry *entries_new(size_t cap)
{
    return heap_malloc(cap * sizeof(HashEntry) + cards_for(cap));
}

static HashEntry *entry_for_write(Value hash, size_t i)
{
    HashEntry *e = entry_at(hash, i);
    if (unlikely(hash_ptr(hash)->vectors != NULL))
        vector_mark(hash_ptr(hash)->vectors->v[ENTRIES], (uint32_t)(i / ENTRIES_PER_CHUNK), (uint32_t)(i / ENTRIES_PER_CHUNK));
    if (likely(i < hash_ptr(hash)->used))
        mark_card(hash_ptr(hash), i);
    return e;
}

static uint32_t index_at(Value hash, uint32_t at)
{
    if (unlikely(hash_ptr(hash)->vectors != NULL)) {
        load_chunk(hash, INDEX, at / INDEX_PER_CHUNK);
        if (hash_ptr(hash)->index_bits == 0 || at >> hash_ptr(hash)->index_bits != 0)
            return 0;
    }
    return hash_ptr(hash)->index[at];
}

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

/* Where the search for a code begins, and the word of its entry number 0 without the 1. */
static inline uint32_t index_start(uint64_t code, unsigned bits)
{
    return (uint32_t)((code * 0x9e3779b97f4a7c15ull) >> (64 - bits));
}

static inline uint32_t index_word(uint64_t code, unsigned bits)
{
    return (uint32_t)((code * 0x9e3779b97f4a7c15ull) >> 32) << bits;
}

static void index_put(uint32_t *index, unsigned bits, uint64_t code, uint32_t entry)
{
    uint32_t mask = (1u << bits) - 1;
    uint32_t at = index_start(code, bits);
    while (index[at])
        at = (at + 1) & mask;
    index[at] = index_word(code, bits) | (entry + 1);
}

/* Entry number h->used, about to be filled, goes into the index. */
static void index_add(Value hash, uint64_t code)
{
    Hash *h = hash_ptr(hash);
    if (likely(!h->vectors)) {
        if (h->index_bits)
            index_put(h->index, h->index_bits, code, h->used);
        return;
    }
    uint32_t mask = (1u << h->index_bits) - 1;
    uint32_t at = index_start(code, h->index_bits);
    for (uint32_t probe = 0; index_at(hash, at); probe++, at = (at + 1) & mask)
        if (probe > mask)
            ereport(ERROR, ERR_CORRUPT_RECORD, errmsg("the index of a stored Hash has no room"),
                    errhint("Run lodectl verify, then restore from a backup if it reports damage."));
    h->index[at] = index_word(code, h->index_bits) | (h->used + 1);
    vector_mark(h->vectors->v[INDEX], at / INDEX_PER_CHUNK, at / INDEX_PER_CHUNK);
}

/* Made anew; all entries are present. */
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
    if (h->vectors) {
        vector_resize(h->vectors->v[INDEX], index_chunks(bits));
        vector_mark(h->vectors->v[INDEX], 0, UINT32_MAX - 1);
    }
}

/* Room for one more entry: drops tombstones when they pay, else grows. */
static void hash_make_room(Value hash)
{
    Hash *h = hash_ptr(hash);
    if (h->used < h->cap)
        return;
    vector_load_all(hash, ENTRIES);
    h = hash_ptr(hash);
    if (h->iterating == 0 && h->used - h->live > h->used / 4) {
        uint32_t to = 0;
        for (uint32_t i = 0; i < h->used; i++)
            if (!(h->entries[i].code & TOMBSTONE))
                h->entries[to++] = h->entries[i];
        h->used = to;
        h->start = 0;
        mark_all_cards(h);
        if (h->vectors)
            vector_mark(h->vectors->v[ENTRIES], 0, UINT32_MAX - 1);
        hash_reindex(hash);
        return;
    }
    uint64_t cap = h->cap ? (uint64_t)h->cap * 2 : 4;
    if (cap > UINT32_MAX / 4)
        raise_error(klass.ArgumentError, "hash too big");
    HashEntry *entries = entries_new(cap);
    h = hash_ptr(hash);
    if (h->used)
        memcpy(entries, h->entries, h->used * sizeof(HashEntry));
    heap_free(h->entries);
    h->entries = entries;
    h->cap = (uint32_t)cap;
    mark_all_cards(h);
    hash_reindex(hash);
}

/* The chunk that entry number h->used belongs to is present and marked. */
static void entry_chunk_for_new(Value hash)
{
    Vector *v = hash_ptr(hash)->vectors->v[ENTRIES];
    uint32_t chunk = hash_ptr(hash)->used / ENTRIES_PER_CHUNK;
    if (chunk >= v->chunks)
        vector_resize(v, chunk + 1);
    load_chunk(hash, ENTRIES, chunk);
    vector_mark(v, chunk, chunk);
}

/* Is the key of entry i the one looked for?  May run Ruby (B4). */
static bool keys_match(Value hash, uint32_t i, Value key)
{
    Value k = slot_read(hash, &entry_at(hash, i)->key);
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
    if (entry_at(hash, i)->code != code)
        return false;
    bool same = keys_match(hash, i, key);
    obj_attend(hash); /* a key's fault or a comparison may have made it hollow */
    return same;
}

/* Number of the entry whose key is this very word, or -1: no other key is equal to a Symbol or a small Integer.  For
 * tables that are all there. */
static int64_t index_find_word(const Hash *h, Value key, uint64_t code)
{
    unsigned bits = h->index_bits;
    uint32_t mask = (1u << bits) - 1, at = index_start(code, bits), head = index_word(code, bits);
    for (uint32_t probe = 0; probe <= mask; probe++, at = (at + 1) & mask) {
        uint32_t word = h->index[at], entry = word & mask;
        if (word == 0)
            return -1;
        if ((word & ~mask) == head && entry - 1 < h->used && h->entries[entry - 1].key.raw == key &&
            !(h->entries[entry - 1].code & TOMBSTONE))
            return entry - 1;
    }
    return -1;
}

/* Number of the entry with this key, or -1. */
static int64_t hash_lookup(Value hash, Value key, uint64_t code)
{
    obj_attend(hash);
    Hash *h = hash_ptr(hash);
    if (h->index_bits && !h->vectors && (is_fixnum(key) || is_symbol(key)))
        return index_find_word(h, key, code);
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
        unsigned bits = h->index_bits;
        uint32_t word = index_at(hash, (index_start(code, bits) + probe) & mask);
        if (word == 0 || probe > mask)
            return -1;
        uint32_t entry = word & mask;
        if ((word & ~mask) == index_word(code, bits) && entry - 1 < hash_ptr(hash)->used && entry_matches(hash, entry - 1, code, key))
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
    return h->index_bits == 0 && !h->vectors && (is_symbol(key) || is_fixnum(key));
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
    return i < 0 ? V_UNDEF : slot_read(hash, &entry_at(hash, (size_t)i)->value);
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

bool hash_plain_default(Value hash, Value *v)
{
    obj_attend(hash);
    if (obj_head(hash) & HASH_DEFAULT_PROC)
        return false;
    MethodEntry *me = method_find(class_of(hash), SYM(default));
    if (!me || me->kind != ME_BUILTIN)
        return false;
    *v = slot_read(hash, &hash_ptr(hash)->fallback);
    return true;
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
        slot_write(hash, &entry_for_write(hash, (size_t)i)->value, v);
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
    if (unlikely(h->vectors != NULL))
        entry_chunk_for_new(hash);
    index_add(hash, code);
    HashEntry *e = &h->entries[h->used];
    e->code = code;
    mark_card(h, h->used);
    slot_write(hash, &e->key, key);
    slot_write(hash, &e->value, v);
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
    Value v = slot_read(hash, &entry_at(hash, i)->value);
    if (entry_at(hash, i)->code & TOMBSTONE)
        return V_UNDEF;
    Hash *h = hash_ptr(hash);
    HashEntry *e = entry_for_write(hash, i);
    e->code |= TOMBSTONE;
    e->key.raw = e->value.raw = V_NIL;
    h->live--;
    if (i == h->start)
        while (h->start < h->used && (entry_at(hash, h->start)->code & TOMBSTONE))
            h->start++;
    if (h->live == 0 && h->iterating == 0)
        hash_drop_entries(hash);
    return v;
}

void hash_set_value_at(Value hash, size_t i, Value v)
{
    slot_write(hash, &entry_for_write(hash, i)->value, v);
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
        if (h->vectors)
            vector_mark(h->vectors->v[ENTRIES], 0, UINT32_MAX - 1);
        return;
    }
    drop_vectors(h);
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
    if (i >= hash_ptr(hash)->used || (entry_at(hash, i)->code & TOMBSTONE))
        return false;
    Value k = slot_read(hash, &entry_at(hash, i)->key);
    Value x = slot_read(hash, &entry_at(hash, i)->value);
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
        if (!(entry_at(hash, i)->code & TOMBSTONE))
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
    vector_load_all(from, ENTRIES);
    uint32_t live = hash_ptr(from)->live;
    HashEntry *entries = live ? entries_new(live) : NULL;
    Hash *f = hash_ptr(from), *t = hash_ptr(to);
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->used && n < live; i++)
        if (!(f->entries[i].code & TOMBSTONE))
            entries[n++] = f->entries[i];
    drop_vectors(t);
    heap_free(t->entries);
    t->entries = entries;
    t->used = t->live = n;
    t->cap = live;
    t->start = 0;
    mark_all_cards(t);
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

static HeapCards hash_cards(Object *o)
{
    Hash *h = (Hash *)o;
    return h->cap >= CARDED_MIN ? (HeapCards){cards_of(h), cards_for(h->cap)} : (HeapCards){0};
}

static void hash_visit_fixed(Object *o, Visitor *v)
{
    v->slot(v, &((Hash *)o)->fallback);
}

static void visit_entries(Hash *h, Visitor *v, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (unlikely(h->vectors != NULL) && i / ENTRIES_PER_CHUNK < h->vectors->v[ENTRIES]->chunks &&
            !vector_present(h->vectors->v[ENTRIES], i / ENTRIES_PER_CHUNK)) {
            i += ENTRIES_PER_CHUNK - 1 - i % ENTRIES_PER_CHUNK;
            continue;
        }
        visit_slots(v, &h->entries[i].key, 2);
    }
}

static void hash_visit_card(Object *o, Visitor *v, size_t card)
{
    Hash *h = (Hash *)o;
    visit_entries(h, v, (uint32_t)(card * CARD_ENTRIES), (uint32_t)MIN((card + 1) * CARD_ENTRIES, (size_t)h->used));
}

static void hash_visit(Object *o, Visitor *v)
{
    hash_visit_fixed(o, v);
    visit_entries((Hash *)o, v, 0, ((Hash *)o)->used);
}

static void hash_free(Object *o)
{
    Hash *h = (Hash *)o;
    drop_vectors(h);
    heap_free(h->entries);
    heap_free(h->index);
}

static size_t hash_memsize(Object *o)
{
    Hash *h = (Hash *)o;
    return h->cap * sizeof(HashEntry) + cards_for(h->cap) + (h->index_bits ? sizeof(uint32_t) << h->index_bits : 0);
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

enum { FLAG_IDENTITY = 1, FLAG_DEFAULT_PROC = 2, FLAG_KEYWORDS = 4, FLAG_VECTORS = 8 };

/* A hash with more entries than one chunk is stored as vectors. */
static void make_vectors(Hash *h)
{
    HashVectors *vectors = heap_calloc(1, sizeof(HashVectors));
    vectors->v[ENTRIES] = vector_new(entry_chunks(h->used));
    vectors->v[INDEX] = vector_new(index_chunks(h->index_bits));
    h->vectors = vectors;
    h->head |= OT_VECTOR;
}

static void put_entry(RecordBuilder *b, const HashEntry *e)
{
    record_put_value(b, e->code & TOMBSTONE ? V_NIL : int_fix((int64_t)e->code >> 1));
    record_put_slot(b, e->key);
    record_put_slot(b, e->value);
}

/* Record: fallback, then code, key, value of each live entry; a byte of flags.  As vectors (B5): fallback, the roots of
 * both; flags and numbers. */
static void hash_persist(Object *o, RecordBuilder *b)
{
    Hash *h = (Hash *)o;
    if (record_is_whole(b))
        vector_load_all((Value)o, ENTRIES);
    else if (!h->vectors && h->used > ENTRIES_PER_CHUNK)
        make_vectors(h);
    bool in_chunks = h->vectors && !record_is_whole(b);
    record_put_slot(b, h->fallback);
    record_put_u64(b, (h->head & HASH_IDENTITY ? FLAG_IDENTITY : 0) | (h->head & HASH_DEFAULT_PROC ? FLAG_DEFAULT_PROC : 0) |
                          (h->head & HASH_KEYWORDS ? FLAG_KEYWORDS : 0) | (in_chunks ? FLAG_VECTORS : 0));
    if (!in_chunks) {
        for (uint32_t i = 0; i < h->used; i++)
            if (!(h->entries[i].code & TOMBSTONE))
                put_entry(b, &h->entries[i]);
        return;
    }
    record_put_u64(b, h->used);
    record_put_u64(b, h->live);
    record_put_u64(b, h->cap);
    record_put_u64(b, h->index_bits);
    record_put_u64(b, h->start);
    vector_resize(h->vectors->v[ENTRIES], entry_chunks(h->used)); /* after a compaction there may be fewer */
    record_put_vector(b, ENTRIES);
    record_put_vector(b, INDEX);
}

static void take_entry(HashEntry *e, Slot code, Slot key, Slot value)
{
    *e = code.raw == V_NIL ? (HashEntry){TOMBSTONE, {V_NIL}, {V_NIL}} : (HashEntry){(uint64_t)fix_int(code.raw) << 1, key, value};
}

static void restore_vectors(Hash *h, RecordReader *r)
{
    h->used = (uint32_t)record_take_u64(r);
    h->live = (uint32_t)record_take_u64(r);
    h->cap = (uint32_t)record_take_u64(r);
    h->index_bits = (uint32_t)record_take_u64(r);
    h->start = (uint32_t)record_take_u64(r);
    if (h->cap <= SMALL || h->cap > UINT32_MAX / 4 || h->used > h->cap || h->live > h->used || h->start > h->used ||
        h->index_bits > 31 || 1ull << h->index_bits < 2ull * h->cap) {
        h->used = h->cap = h->live = h->index_bits = h->start = 0;
        record_corrupt(r, "is a Hash of sizes that can't be");
    }
    h->entries = entries_new(h->cap); /* untouched: a large one takes no memory yet */
    memset(cards_of(h), 0, cards_for(h->cap));
    h->index = heap_malloc(sizeof(uint32_t) << h->index_bits);
    h->vectors = heap_calloc(1, sizeof(HashVectors));
    h->vectors->v[ENTRIES] = record_take_vector(r, entry_chunks(h->used));
    h->vectors->v[INDEX] = record_take_vector(r, index_chunks(h->index_bits));
    h->head |= OT_VECTOR;
}

static void hash_restore(Object *o, RecordReader *r)
{
    Hash *h = (Hash *)o;
    uint64_t flags = record_take_u64(r);
    h->head &= ~(HASH_IDENTITY | HASH_DEFAULT_PROC | HASH_KEYWORDS);
    h->head |= (flags & FLAG_IDENTITY ? HASH_IDENTITY : 0) | (flags & FLAG_DEFAULT_PROC ? HASH_DEFAULT_PROC : 0) |
               (flags & FLAG_KEYWORDS ? HASH_KEYWORDS : 0);
    h->entries = NULL;
    h->index = NULL;
    h->used = h->cap = h->live = h->index_bits = h->start = h->iterating = 0;
    h->fallback = record_take_slot(r);
    if (flags & FLAG_VECTORS) {
        restore_vectors(h, r);
        return;
    }
    uint32_t n = (uint32_t)(record_slots_left(r) / 3);
    if (n) {
        h->entries = entries_new(n);
        h->cap = n;
        mark_all_cards(h);
    }
    for (uint32_t i = 0; i < n; i++) {
        Slot code = record_take_slot(r), key = record_take_slot(r), value = record_take_slot(r);
        if (!is_fixnum(code.raw))
            record_corrupt(r, "has an entry without a hash code");
        take_entry(&h->entries[i], code, key, value);
    }
    h->used = h->live = n;
    hash_reindex((Value)o);
}

static Vector *hash_vector(Object *o, unsigned which)
{
    Hash *h = (Hash *)o;
    return h->vectors && which < VECTORS ? h->vectors->v[which] : NULL;
}

/* How many of a chunk's entries (index words) there are. */
static size_t chunk_count(const Hash *h, unsigned which, uint32_t chunk)
{
    size_t per = which == ENTRIES ? ENTRIES_PER_CHUNK : INDEX_PER_CHUNK;
    size_t all = which == ENTRIES ? h->used : (size_t)1 << h->index_bits;
    return chunk * per < all ? MIN(per, all - chunk * per) : 0;
}

static void hash_chunk_put(Object *o, unsigned which, uint32_t chunk, RecordBuilder *b)
{
    Hash *h = (Hash *)o;
    size_t n = chunk_count(h, which, chunk);
    if (which == INDEX) {
        record_put_bytes(b, h->index + (size_t)chunk * INDEX_PER_CHUNK, n * sizeof(uint32_t));
        return;
    }
    for (size_t i = 0; i < n; i++)
        put_entry(b, &h->entries[(size_t)chunk * ENTRIES_PER_CHUNK + i]);
}

static void hash_chunk_take(Object *o, unsigned which, uint32_t chunk, const ChunkContent *content)
{
    Hash *h = (Hash *)o;
    size_t n = chunk_count(h, which, chunk);
    if (which == INDEX) {
        uint32_t *to = h->index + (size_t)chunk * INDEX_PER_CHUNK;
        memset(to, 0, n * sizeof(uint32_t));
        memcpy(to, content->bytes, MIN(n * sizeof(uint32_t), content->nbytes));
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t *w = content->slots + i * 3;
        bool there = (i + 1) * 3 <= content->nslots;
        take_entry(&h->entries[(size_t)chunk * ENTRIES_PER_CHUNK + i], (Slot){there ? w[0] : V_NIL}, (Slot){there ? w[1] : V_NIL},
                   (Slot){there ? w[2] : V_NIL});
    }
}

static const TypeRow hash_row = {
    .name = "hash",
    .logged = true,
    .visit = hash_visit,
    .free = hash_free,
    .memsize = hash_memsize,
    .hollow = hash_hollow,
    .persist = hash_persist,
    .restore = hash_restore,
    .vector = hash_vector,
    .chunk_put = hash_chunk_put,
    .chunk_take = hash_chunk_take,
    .cards = hash_cards,
    .visit_fixed = hash_visit_fixed,
    .visit_card = hash_visit_card,
    .size = sizeof(Hash),
};

void hash_type_boot(void)
{
    heap_register_type(T_HASH, &hash_row);
    class_set_instance_type(klass.Hash, T_HASH);
    class_set_allocator(klass.Hash, hash_alloc);
    module_include(klass.Hash, klass.Enumerable);
}
