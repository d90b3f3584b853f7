/*
 * hashtab.c: hash tables with stable entries.  T1: an empty bucket ends every probe, so the table is never full.
 * T2: no deleted marks: removal shifts later members of the run back.
 */
#include "lib/hashtab.h"
#include "lib/error.h"

typedef struct Bucket {
    uint64_t hash;
    void *entry; /* NULL: empty */
} Bucket;

struct HashTab {
    MemoryContext *ctx;
    size_t key_size;
    size_t entry_size;
    HashKind kind;
    size_t count;
    size_t mask;
    Bucket *buckets;
};

static inline uint64_t load64(const unsigned char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
    return x;
}

uint64_t hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
    const unsigned char *p = bytes;
    uint64_t h = seed ^ hash_u64(n + UINT64_C(0x9e3779b97f4a7c15));
    for (; n >= 8; n -= 8, p += 8)
        h = hash_u64(h ^ load64(p)) + UINT64_C(0x2545f4914f6cdd1d);
    uint64_t tail = 0;
    memcpy(&tail, p, n);
    return hash_u64(h ^ tail);
}

static uint64_t key_hash(const HashTab *t, const void *key)
{
    if (t->kind == HASH_STRING)
        return hash_bytes(key, strlen(key), 0);
    if (t->key_size == 8)
        return hash_u64(load64(key));
    return hash_bytes(key, t->key_size, 0);
}

static bool key_equal(const HashTab *t, const void *entry, const void *key)
{
    if (t->kind == HASH_STRING) {
        const char *s;
        memcpy(&s, entry, sizeof s);
        return strcmp(s, key) == 0;
    }
    return memcmp(entry, key, t->key_size) == 0;
}

HashTab *hashtab_create(MemoryContext *ctx, size_t key_size, size_t entry_size, HashKind kind)
{
    HashTab *t = mem_zalloc(ctx, sizeof *t);
    t->ctx = ctx;
    t->key_size = kind == HASH_STRING ? sizeof(char *) : key_size;
    t->entry_size = entry_size;
    t->kind = kind;
    Assert(entry_size >= t->key_size);
    t->mask = 15;
    t->buckets = mem_zalloc(ctx, (t->mask + 1) * sizeof(Bucket));
    return t;
}

static void entry_free(HashTab *t, void *entry)
{
    if (t->kind == HASH_STRING) {
        char *s;
        memcpy(&s, entry, sizeof s);
        mem_free(s);
    }
    mem_free(entry);
}

void hashtab_clear(HashTab *t)
{
    for (size_t i = 0; i <= t->mask; i++)
        if (t->buckets[i].entry)
            entry_free(t, t->buckets[i].entry);
    memset(t->buckets, 0, (t->mask + 1) * sizeof(Bucket));
    t->count = 0;
}

void hashtab_destroy(HashTab *t)
{
    if (t == NULL)
        return;
    hashtab_clear(t);
    mem_free(t->buckets);
    mem_free(t);
}

size_t hashtab_count(const HashTab *t)
{
    return t->count;
}

static Bucket *probe(const HashTab *t, uint64_t hash, const void *key)
{
    for (size_t i = hash & t->mask;; i = (i + 1) & t->mask) {
        Bucket *b = &t->buckets[i];
        if (b->entry == NULL || (b->hash == hash && key_equal(t, b->entry, key)))
            return b;
    }
}

void *hashtab_find(const HashTab *t, const void *key)
{
    return probe(t, key_hash(t, key), key)->entry;
}

static void grow(HashTab *t)
{
    size_t mask = t->mask * 2 + 1;
    Bucket *buckets = mem_zalloc(t->ctx, (mask + 1) * sizeof(Bucket));
    for (size_t i = 0; i <= t->mask; i++) {
        if (t->buckets[i].entry == NULL)
            continue;
        size_t at = t->buckets[i].hash & mask;
        while (buckets[at].entry)
            at = (at + 1) & mask;
        buckets[at] = t->buckets[i];
    }
    mem_free(t->buckets);
    t->buckets = buckets;
    t->mask = mask;
}

void *hashtab_enter(HashTab *t, const void *key, bool *found)
{
    uint64_t hash = key_hash(t, key);
    Bucket *b = probe(t, hash, key);
    if (found)
        *found = b->entry != NULL;
    if (b->entry)
        return b->entry;
    if ((t->count + 1) * 4 > (t->mask + 1) * 3) {
        grow(t);
        b = probe(t, hash, key);
    }
    char *copy = t->kind == HASH_STRING ? mem_strdup(t->ctx, key) : NULL;
    void *entry = mem_alloc_or_null(t->ctx, t->entry_size);
    if (entry == NULL) {
        mem_free(copy);
        ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("out of memory"), errdetail("Failed on a hash table entry."));
    }
    memset(entry, 0, t->entry_size);
    memcpy(entry, copy ? (const void *)&copy : key, t->key_size);
    b->hash = hash;
    b->entry = entry;
    t->count++;
    return entry;
}

static void remove_at(HashTab *t, size_t hole)
{
    entry_free(t, t->buckets[hole].entry);
    t->count--;
    for (size_t i = (hole + 1) & t->mask; t->buckets[i].entry; i = (i + 1) & t->mask) {
        size_t home = t->buckets[i].hash & t->mask;
        if (((i - home) & t->mask) >= ((i - hole) & t->mask)) { /* its home does not lie in (hole, i] */
            t->buckets[hole] = t->buckets[i];
            hole = i;
        }
    }
    t->buckets[hole].entry = NULL;
}

bool hashtab_remove(HashTab *t, const void *key)
{
    Bucket *b = probe(t, key_hash(t, key), key);
    if (b->entry == NULL)
        return false;
    remove_at(t, (size_t)(b - t->buckets));
    return true;
}

/*
 * The walk goes downwards and begins just below an empty bucket, so that removal at the cursor, which only moves
 * members of the same run down into the hole from above (already visited), never skips one.  it->at counts steps
 * from it->start, fixed at the first.
 */
static size_t walk_start(const HashTab *t)
{
    size_t i = t->mask;
    while (t->buckets[i].entry)
        i--;
    return i;
}

void *hashtab_next(HashTab *t, HashIter *it)
{
    if (it->at == 0)
        it->start = walk_start(t);
    while (it->at <= t->mask) {
        it->at++;
        void *entry = t->buckets[(it->start - it->at) & t->mask].entry;
        if (entry)
            return entry;
    }
    return NULL;
}

void hashtab_remove_current(HashTab *t, HashIter *it)
{
    Assert(it->at > 0);
    remove_at(t, (it->start - it->at) & t->mask);
}
