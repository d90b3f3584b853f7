/*
 * hashtab.h: hash tables in a memory context.  Keys are blocks of fixed size or C strings; an entry is a struct of the
 * caller's that begins with its key, allocated once: its address stays the same until it is removed.
 *
 *     typedef struct { uint64_t oid; int pins; } PinEntry;
 *     HashTab *t = hashtab_create(ctx, sizeof(uint64_t), sizeof(PinEntry), HASH_BLOB);
 *     bool found;
 *     PinEntry *e = hashtab_enter(t, &oid, &found);       // new entries are zeroed behind the key
 *
 * Linear probing over (hash, entry) pairs, deletion by shifting back; at most 3/4 full.
 */
#ifndef LIB_HASHTAB_H
#define LIB_HASHTAB_H

#include "lib/memory.h"

typedef struct HashTab HashTab;

typedef enum {
    HASH_BLOB,   /* key_size bytes, compared with memcmp: no padding in them */
    HASH_STRING, /* the entry begins with a `const char *`; pass the string itself as key; it is copied */
} HashKind;

/* entry_size >= key_size; for HASH_STRING key_size is ignored. */
HashTab *hashtab_create(MemoryContext *ctx, size_t key_size, size_t entry_size, HashKind kind);
void hashtab_destroy(HashTab *t);
void *hashtab_find(const HashTab *t, const void *key);
/* Finds or makes; *found (may be NULL) tells which. */
void *hashtab_enter(HashTab *t, const void *key, bool *found);
/* True if it was there.  The entry's memory is freed. */
bool hashtab_remove(HashTab *t, const void *key);
void hashtab_clear(HashTab *t);
size_t hashtab_count(const HashTab *t);

/* Walks all entries in no useful order: HashIter it = {0}; while ((e = hashtab_next(t, &it))) ...  During a walk the
 * table may not gain entries; the entry just returned may be removed with hashtab_remove_current. */
typedef struct HashIter {
    size_t at;
    size_t start;
} HashIter;
void *hashtab_next(HashTab *t, HashIter *it);
void hashtab_remove_current(HashTab *t, HashIter *it);

/* 64-bit hashes for use elsewhere: not cryptographic, the same in every process and on every run. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);
static inline uint64_t hash_u64(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

#endif
