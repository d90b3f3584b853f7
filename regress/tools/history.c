/*
 * history.c: judges histories of transactions: builds their dependency graph and looks for the cycles that an
 * isolation level forbids (Adya's phenomena; for snapshots as Cerone and Gotsman characterise them).
 *
 *     history LEVEL FILE...         LEVEL: snapshot or serializable; each file is one session's log, in order
 *
 * Lines of a file:
 *     t N OP ...      transaction N of this session has done these operations and is about to end
 *     ok N            its commit was acknowledged        fail N   it was refused or aborted
 *     final OP ...    read when all was over
 * A transaction without an end may have been committed or not: it counts when someone has seen what it wrote.
 *
 * Operations, k a name, v a number never written twice to one k:
 *     a:k:v           appended v to list k
 *     r:k:v,v,...     read list k
 *     w:k:v           wrote register k; what it read of k before in the same transaction is the version overwritten
 *     R:k:v           read register k (0: never written)
 *
 * The order of a list's versions is that of the longest list read; of a register's, the chain of what was
 * overwritten. Edges: ww (next version), wr (read it), rw (read the version before), so (next in the session).
 *
 *     G0 a cycle of ww; G1a read of an aborted write; G1b read of a version that was not the writer's last; G1c a
 *     cycle of ww, wr, so; G-single a cycle with one rw; G-nonadjacent with several, no two of them side by side
 *     (both are never seen by snapshots); G2 any other cycle (write skew: never seen by serializable transactions);
 *     lost-update two that overwrote the same version; lost-write an acknowledged write that is not there at the
 *     end; order lists that contradict each other; garbage a value that no one wrote; internal a transaction that
 *     does not see its own writes.
 *
 * Prints a line for each kind found, with an example; the status is 1 when the level forbids any of them.
 */
#include "lib/lib.h"

#include "lib/hashtab.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { OP_APPEND, OP_READ, OP_WRITE, OP_REGISTER } OpKind;
typedef struct Op {
    OpKind kind;
    uint32_t key;
    int64_t value; /* a, w, R */
    int64_t *list; /* r */
    uint32_t n;
} Op;

typedef enum { OPEN, COMMITTED, ABORTED, FINAL } Status;
typedef struct Txn {
    uint32_t session, line;
    Status status;
    Op *ops;
    uint32_t n;
    bool seen; /* of an open one: someone has read what it wrote */
} Txn;

typedef enum { WW, WR, RW, SO } EdgeKind;
typedef struct Edge {
    uint32_t from, to;
    EdgeKind kind;
    uint32_t key;
} Edge;

typedef enum {
    G0, G1A, G1B, G1C, G_SINGLE, G_NONADJACENT, G2, LOST_UPDATE, LOST_WRITE, ORDER, GARBAGE, INTERNAL, PHENOMENA
} Phenomenon;
static const struct {
    const char *name;
    bool snapshot_allows;
} phenomena[] = {
    [G0] = { "G0", false }, [G1A] = { "G1a", false }, [G1B] = { "G1b", false }, [G1C] = { "G1c", false },
    [G_SINGLE] = { "G-single", false }, [G_NONADJACENT] = { "G-nonadjacent", false }, [G2] = { "G2", true },
    [LOST_UPDATE] = { "lost-update", false }, [LOST_WRITE] = { "lost-write", false }, [ORDER] = { "order", false },
    [GARBAGE] = { "garbage", false }, [INTERNAL] = { "internal", false },
};

#define GROW(array, count, room) \
    do { \
        if ((count) == (room)) { \
            (room) = (room) ? (room) * 2 : 256; \
            (array) = realloc(array, (room) * sizeof(*(array))); \
            if ((array) == NULL) \
                abort(); \
        } \
    } while (0)

static Txn *txns;
static size_t txn_count, txn_room;
static Edge *edges;
static size_t edge_count, edge_room;
static char **keys;
static size_t key_count, key_room;
static char **files;
static uint64_t found[PHENOMENA];
static char example[PHENOMENA][1024];

/* ---- reading ----------------------------------------------------------------------------------------------- */

static NORETURN void bad(const char *file, uint32_t line, const char *what)
{
    fprintf(stderr, "history: %s:%u: %s\n", file, line, what);
    exit(2);
}

/* Open addressing over what is never taken out: hash -> index + 1. */
typedef struct Index {
    uint64_t *hash;
    uint32_t *at;
    size_t cap, used;
} Index;

static void index_grow(Index *x)
{
    Index before = *x;
    x->cap = before.cap ? before.cap * 2 : 4096;
    x->hash = calloc(x->cap, sizeof(uint64_t));
    x->at = calloc(x->cap, sizeof(uint32_t));
    for (size_t i = 0; i < before.cap; i++) {
        if (before.at[i] == 0)
            continue;
        size_t p = before.hash[i] & (x->cap - 1);
        while (x->at[p])
            p = (p + 1) & (x->cap - 1);
        x->hash[p] = before.hash[i];
        x->at[p] = before.at[i];
    }
    free(before.hash);
    free(before.at);
}

/* The place of `hash` for which same(index) holds, or a free one. */
static uint32_t *index_find(Index *x, uint64_t hash, bool (*same)(uint32_t, const void *), const void *arg)
{
    if (x->used * 2 >= x->cap)
        index_grow(x);
    for (size_t p = hash & (x->cap - 1);; p = (p + 1) & (x->cap - 1)) {
        if (x->at[p] == 0) {
            x->hash[p] = hash;
            return &x->at[p];
        }
        if (x->hash[p] == hash && same(x->at[p] - 1, arg))
            return &x->at[p];
    }
}

static bool same_key(uint32_t i, const void *name)
{
    return strcmp(keys[i], name) == 0;
}

static uint32_t key_of(const char *name)
{
    static Index index;
    uint64_t hash = 14695981039346656037u;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
    uint32_t *at = index_find(&index, hash_u64(hash), same_key, name);
    if (*at == 0) {
        GROW(keys, key_count, key_room);
        keys[key_count++] = strdup(name);
        *at = (uint32_t)key_count;
        index.used++;
    }
    return *at - 1;
}

static Op read_op(char *text, const char *file, uint32_t line)
{
    char *key = strchr(text, ':'), *value = key ? strchr(key + 1, ':') : NULL;
    static const char letters[] = "arwR";
    const char *letter = strchr(letters, *text);
    if (value == NULL || letter == NULL || key != text + 1)
        bad(file, line, "not an operation");
    *value++ = 0;
    Op op = { .kind = (OpKind)(letter - letters), .key = key_of(key + 1) };
    if (op.kind != OP_READ) {
        op.value = strtoll(value, NULL, 10);
        return op;
    }
    size_t room = 1;
    for (const char *p = value; *p; p++)
        room += *p == ',';
    op.list = malloc(room * sizeof(int64_t));
    while (*value) {
        op.list[op.n++] = strtoll(value, &value, 10);
        if (*value == ',')
            value++;
        else if (*value)
            bad(file, line, "not a list of numbers");
    }
    return op;
}

static void read_file(const char *path, uint32_t session)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0, first = txn_count;
    uint32_t line = 0;
    if (f == NULL)
        bad(path, 0, strerror(errno));
    while (getline(&text, &room, f) > 0) {
        bool whole = strchr(text, '\n') != NULL;
        char *save = NULL, *kind = strtok_r(text, " \n", &save);
        line++;
        if (!whole)
            break; /* its writer died in it */
        if (kind == NULL || *kind == '#')
            continue;
        bool final = strcmp(kind, "final") == 0;
        char *number = final ? NULL : strtok_r(NULL, " \n", &save);
        if (strcmp(kind, "ok") == 0 || strcmp(kind, "fail") == 0) {
            if (txn_count == first)
                bad(path, line, "an end without a transaction");
            txns[txn_count - 1].status = *kind == 'o' ? COMMITTED : ABORTED;
            continue;
        }
        if (!final && (strcmp(kind, "t") != 0 || number == NULL))
            bad(path, line, "unknown line");
        Txn t = { .session = session, .line = line, .status = final ? FINAL : OPEN };
        size_t op_room = 0, n = 0;
        for (char *op; (op = strtok_r(NULL, " \n", &save)) != NULL; n++) {
            GROW(t.ops, n, op_room);
            t.ops[n] = read_op(op, path, line);
        }
        t.n = (uint32_t)n;
        GROW(txns, txn_count, txn_room);
        txns[txn_count++] = t;
    }
    free(text);
    fclose(f);
}

/* ---- findings ------------------------------------------------------------------------------------------------- */

static void describe(uint32_t t, char *out, size_t size)
{
    snprintf(out, size, "%s:%u", files[txns[t].session], txns[t].line);
}

static void report(Phenomenon what, uint32_t t, uint32_t key, const char *text)
{
    char where[256];
    describe(t, where, sizeof where);
    if (found[what]++ == 0)
        snprintf(example[what], sizeof example[what], "%s, %s: %s", where, keys[key], text);
}

static void edge(uint32_t from, uint32_t to, EdgeKind kind, uint32_t key)
{
    if (from == to)
        return;
    GROW(edges, edge_count, edge_room);
    edges[edge_count++] = (Edge){ from, to, kind, key };
}

/* ---- versions ------------------------------------------------------------------------------------------------- */

typedef struct Written {
    uint32_t key, txn;
    int64_t value;
    bool last;       /* the transaction's last write of the key */
    int64_t before;  /* registers: the version overwritten */
    bool has_before;
} Written;
static Written *writes;
static size_t write_count, write_room;
static Index write_index;

static bool same_write(uint32_t i, const void *w)
{
    const Written *x = w;
    return writes[i].key == x->key && writes[i].value == x->value;
}

static uint32_t *write_place(uint32_t key, int64_t value)
{
    Written w = { .key = key, .value = value };
    return index_find(&write_index, hash_u64((uint64_t)value * 1000003 + key), same_write, &w);
}

static const Written *writer_of(uint32_t key, int64_t value)
{
    uint32_t *at = write_place(key, value);
    return *at ? &writes[*at - 1] : NULL;
}

static void list_writes(void)
{
    for (uint32_t t = 0; t < txn_count; t++)
        for (uint32_t i = 0; i < txns[t].n; i++) {
            const Op *op = &txns[t].ops[i];
            if (op->kind != OP_APPEND && op->kind != OP_WRITE)
                continue;
            uint32_t *at = write_place(op->key, op->value);
            if (*at != 0)
                bad(files[txns[t].session], txns[t].line, "a value is written twice");
            Written w = { .key = op->key, .txn = t, .value = op->value, .last = true };
            for (uint32_t k = i + 1; k < txns[t].n; k++)
                if (txns[t].ops[k].kind == op->kind && txns[t].ops[k].key == op->key)
                    w.last = false;
            for (uint32_t k = 0; k < i; k++) {
                const Op *o = &txns[t].ops[k];
                if (o->key == op->key && (o->kind == OP_REGISTER || o->kind == OP_WRITE)) {
                    w.before = o->value;
                    w.has_before = true;
                }
            }
            GROW(writes, write_count, write_room);
            writes[write_count++] = w;
            *at = (uint32_t)write_count;
            write_index.used++;
        }
}

static bool counts(const Txn *t)
{
    return t->status == COMMITTED || t->status == FINAL || (t->status == OPEN && t->seen);
}

/* Someone committed has read this value: what does that say of its writer?  Its own writes are judged elsewhere. */
static void check_seen(uint32_t reader, uint32_t key, int64_t value, bool newest)
{
    const Written *w = writer_of(key, value);
    if (w == NULL) {
        report(GARBAGE, reader, key, "read a value that no one wrote");
        return;
    }
    Txn *t = &txns[w->txn];
    if (t->status == OPEN)
        t->seen = true;
    if (t->status == ABORTED)
        report(G1A, reader, key, "read what an aborted transaction wrote");
    if (newest && !w->last && w->txn != reader)
        report(G1B, reader, key, "read a version that was not its writer's last");
}

/* Own appends before the i-th operation stand at the list's end; returns the length of the rest. */
static uint32_t external_length(uint32_t t, uint32_t i)
{
    const Op *op = &txns[t].ops[i];
    uint32_t own = 0;
    for (uint32_t k = 0; k < i; k++)
        own += txns[t].ops[k].kind == OP_APPEND && txns[t].ops[k].key == op->key;
    if (own > op->n) {
        report(INTERNAL, t, op->key, "its own appends are not there");
        return op->n;
    }
    uint32_t at = op->n - own;
    for (uint32_t k = 0; k < i; k++)
        if (txns[t].ops[k].kind == OP_APPEND && txns[t].ops[k].key == op->key && op->list[at++] != txns[t].ops[k].value)
            report(INTERNAL, t, op->key, "its own appends are not at the end");
    return op->n - own;
}

/* ---- lists ---------------------------------------------------------------------------------------------------- */

static const Op **longest; /* by key */

static void find_longest(void)
{
    longest = calloc(key_count + 1, sizeof(*longest));
    for (uint32_t t = 0; t < txn_count; t++)
        for (uint32_t i = 0; i < txns[t].n && txns[t].status != ABORTED && txns[t].status != OPEN; i++) {
            const Op *op = &txns[t].ops[i];
            if (op->kind != OP_READ)
                continue;
            uint32_t n = external_length(t, i);
            for (uint32_t k = 0; k < n; k++)
                check_seen(t, op->key, op->list[k], k + 1 == n);
            if (longest[op->key] == NULL || op->n > longest[op->key]->n)
                longest[op->key] = op;
        }
}

static void list_edges(void)
{
    for (uint32_t key = 0; key < key_count; key++)
        for (uint32_t i = 0; longest[key] != NULL && i + 1 < longest[key]->n; i++) {
            const Written *a = writer_of(key, longest[key]->list[i]), *b = writer_of(key, longest[key]->list[i + 1]);
            if (a != NULL && b != NULL)
                edge(a->txn, b->txn, WW, key);
        }
    for (uint32_t t = 0; t < txn_count; t++)
        for (uint32_t i = 0; i < txns[t].n && counts(&txns[t]); i++) {
            const Op *op = &txns[t].ops[i];
            if (op->kind != OP_READ)
                continue;
            const Op *all = longest[op->key];
            if (all == NULL)
                continue; /* only an open transaction has read it */
            if (op->n > all->n || memcmp(op->list, all->list, op->n * sizeof(int64_t)) != 0)
                report(ORDER, t, op->key, "read a list that is no beginning of the longest one");
            uint32_t n = external_length(t, i);
            const Written *w = n > 0 ? writer_of(op->key, op->list[n - 1]) : NULL;
            if (w != NULL)
                edge(w->txn, t, WR, op->key);
            w = n < all->n ? writer_of(op->key, all->list[n]) : NULL;
            if (w != NULL)
                edge(t, w->txn, RW, op->key);
        }
}

/* ---- registers ---------------------------------------------------------------------------------- */

static void register_edges(void)
{
    for (uint32_t t = 0; t < txn_count; t++)
        for (uint32_t i = 0; i < txns[t].n && txns[t].status != ABORTED && txns[t].status != OPEN; i++)
            if (txns[t].ops[i].kind == OP_REGISTER && txns[t].ops[i].value != 0)
                check_seen(t, txns[t].ops[i].key, txns[t].ops[i].value, true);
    /* next[] by the index of the write overwritten; by key for the version that was never written */
    uint32_t *next = calloc(write_count + 1, sizeof(uint32_t)), *first = calloc(key_count + 1, sizeof(uint32_t));
    for (uint32_t i = 0; i < write_count; i++) {
        Written *w = &writes[i];
        if (!w->has_before || !counts(&txns[w->txn]))
            continue;
        uint32_t *at = w->before == 0 ? NULL : write_place(w->key, w->before);
        if (at != NULL && *at == 0)
            continue; /* reported as garbage */
        uint32_t *place = at != NULL ? &next[*at - 1] : &first[w->key];
        if (*place != 0 && writes[*place - 1].txn != w->txn) {
            report(LOST_UPDATE, w->txn, w->key, "overwrote a version that another had overwritten already");
            continue;
        }
        *place = i + 1;
        if (at != NULL)
            edge(writes[*at - 1].txn, w->txn, WW, w->key);
    }
    for (uint32_t t = 0; t < txn_count; t++)
        for (uint32_t i = 0; i < txns[t].n && counts(&txns[t]); i++) {
            const Op *op = &txns[t].ops[i];
            if (op->kind != OP_REGISTER)
                continue;
            uint32_t *at = op->value == 0 ? NULL : write_place(op->key, op->value);
            if (at != NULL && *at == 0)
                continue;
            if (at != NULL)
                edge(writes[*at - 1].txn, t, WR, op->key);
            uint32_t after = at != NULL ? next[*at - 1] : first[op->key];
            if (after != 0)
                edge(t, writes[after - 1].txn, RW, op->key);
        }
    free(next);
    free(first);
}

/* What was acknowledged and is not there when all is over. */
static void check_final(void)
{
    bool *read = calloc(key_count + 1, sizeof(bool));
    uint32_t final = 0;
    for (uint32_t t = 0; t < txn_count; t++)
        if (txns[t].status == FINAL)
            for (uint32_t i = 0; i < txns[t].n; i++)
                if (txns[t].ops[i].kind == OP_READ) {
                    final = t + 1;
                    read[txns[t].ops[i].key] = true;
                }
    for (uint32_t key = 0; key < key_count && final != 0; key++) {
        if (!read[key])
            continue;
        bool *there = calloc(write_count + 1, sizeof(bool));
        const Op *last = NULL;
        for (uint32_t i = 0; i < txns[final - 1].n; i++)
            if (txns[final - 1].ops[i].key == key)
                last = &txns[final - 1].ops[i];
        for (uint32_t k = 0; last != NULL && k < last->n; k++) {
            uint32_t *at = write_place(key, last->list[k]);
            if (*at != 0)
                there[*at - 1] = true;
        }
        for (uint32_t i = 0; i < write_count; i++)
            if (writes[i].key == key && !there[i] && txns[writes[i].txn].status == COMMITTED)
                report(LOST_WRITE, writes[i].txn, key, "its append was acknowledged and is not there at the end");
        free(there);
    }
    free(read);
}

static void session_edges(void)
{
    uint32_t last = 0; /* + 1 */
    for (uint32_t t = 0; t < txn_count; t++) {
        if (txns[t].status != COMMITTED)
            continue;
        if (last != 0 && txns[last - 1].session == txns[t].session)
            edge(last - 1, t, SO, 0);
        last = t + 1;
    }
}

/* ---- cycles ------------------------------------------------------------------------------------- */

/*
 * The graph is searched as states (transaction, arrived by rw): 2 * t + arrived.  With `adjacent` false, two rw
 * edges may not follow each other.  `kinds` has a bit for each kind of edge.  A component of more than one state, or
 * none.
 */
typedef struct Graph {
    unsigned kinds;
    bool adjacent;
} Graph;

static uint32_t *starts; /* edges sorted by from: those of t are starts[t] .. starts[t + 1] */

static int compare_edges(const void *a, const void *b)
{
    const Edge *x = a, *y = b;
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : 0;
}

static void sort_edges(void)
{
    if (edge_count)
        qsort(edges, edge_count, sizeof(Edge), compare_edges);
    starts = calloc(txn_count + 2, sizeof(uint32_t));
    for (size_t i = 0; i < edge_count; i++)
        starts[edges[i].from + 1]++;
    for (size_t t = 0; t < txn_count; t++)
        starts[t + 1] += starts[t];
}

static bool allowed(const Graph *g, uint32_t state, const Edge *e)
{
    return (g->kinds >> e->kind & 1) && (g->adjacent || !(state & 1) || e->kind != RW);
}

static uint32_t state_after(const Graph *g, const Edge *e)
{
    return e->to * 2 + (!g->adjacent && e->kind == RW);
}

/* Tarjan's components without recursion.  A state on a cycle, or UINT32_MAX. */
static uint32_t find_cycle(const Graph *g)
{
    size_t n = txn_count * 2;
    uint32_t *order = calloc(n, sizeof(uint32_t)), *low = calloc(n, sizeof(uint32_t)), *at = calloc(n, sizeof(uint32_t));
    uint32_t *path = calloc(n + 1, sizeof(uint32_t)), *stack = calloc(n + 1, sizeof(uint32_t));
    bool *on = calloc(n, sizeof(bool));
    uint32_t number = 0, result = UINT32_MAX;
    size_t depth = 0, held = 0;
    for (uint32_t root = 0; root < n && result == UINT32_MAX; root++) {
        if (order[root] != 0 || (g->adjacent && (root & 1)))
            continue;
        path[depth++] = root;
        while (depth > 0 && result == UINT32_MAX) {
            uint32_t s = path[depth - 1], t = s / 2;
            if (order[s] == 0) {
                order[s] = low[s] = ++number;
                at[s] = starts[t];
                stack[held++] = s;
                on[s] = true;
            }
            bool deeper = false;
            while (at[s] < starts[t + 1] && !deeper) {
                const Edge *e = &edges[at[s]++];
                if (!allowed(g, s, e))
                    continue;
                uint32_t to = state_after(g, e);
                if (order[to] == 0) {
                    path[depth++] = to;
                    deeper = true;
                } else if (on[to]) {
                    low[s] = MIN(low[s], order[to]);
                }
            }
            if (deeper)
                continue;
            depth--;
            if (depth > 0)
                low[path[depth - 1]] = MIN(low[path[depth - 1]], low[s]);
            if (low[s] == order[s]) {
                if (stack[held - 1] != s)
                    result = s;
                do
                    on[stack[--held]] = false;
                while (stack[held] != s);
            }
        }
    }
    free(order), free(low), free(at), free(path), free(stack), free(on);
    return result;
}

/* The shortest way from one state to another, as edges; its length, 0 when there is none. */
static size_t find_way(const Graph *g, uint32_t from, uint32_t to, const Edge **way, size_t max)
{
    size_t n = txn_count * 2, head = 0, tail = 0, length = 0;
    const Edge **by = calloc(n, sizeof(*by));
    uint32_t *queue = calloc(n + 1, sizeof(uint32_t)), *before = calloc(n, sizeof(uint32_t));
    queue[tail++] = from;
    while (head < tail && by[to] == NULL) {
        uint32_t s = queue[head++];
        for (uint32_t i = starts[s / 2]; i < starts[s / 2 + 1]; i++) {
            uint32_t next = state_after(g, &edges[i]);
            if (!allowed(g, s, &edges[i]) || by[next] != NULL)
                continue;
            by[next] = &edges[i];
            before[next] = s;
            queue[tail++] = next;
        }
    }
    if (by[to] != NULL)
        for (uint32_t s = to; length < max;) {
            way[length++] = by[s];
            s = before[s];
            if (s == from)
                break;
        }
    for (size_t i = 0; i < length / 2; i++) {
        const Edge *e = way[i];
        way[i] = way[length - 1 - i];
        way[length - 1 - i] = e;
    }
    free(by), free(queue), free(before);
    return length;
}

static void report_cycle(Phenomenon what, const Edge **way, size_t n)
{
    static const char *const names[] = { "ww", "wr", "rw", "so" };
    char *out = example[what], where[256];
    size_t used = 0, size = sizeof example[what];
    if (found[what]++ > 0)
        return;
    for (size_t i = 0; i < n && used < size; i++) {
        describe(way[i]->from, where, sizeof where);
        used += (size_t)snprintf(out + used, size - used, "%s -%s%s%s-> ", where, names[way[i]->kind],
                                 way[i]->kind == SO ? "" : " ", way[i]->kind == SO ? "" : keys[way[i]->key]);
    }
    if (n > 0 && used < size) {
        describe(way[n - 1]->to, where, sizeof where);
        snprintf(out + used, size - used, "%s", where);
    }
}

#define BIT(kind) (1u << (kind))
#define DEPENDS (BIT(WW) | BIT(WR) | BIT(SO))

static bool look_for(Phenomenon what, unsigned kinds, bool adjacent)
{
    Graph g = { kinds, adjacent };
    const Edge *way[16];
    uint32_t s = find_cycle(&g);
    if (s == UINT32_MAX)
        return false;
    report_cycle(what, way, find_way(&g, s, s, way, COUNT_OF(way)));
    return true;
}

/* A cycle with exactly one rw: from its end back to its start by the other kinds. */
static bool look_for_single(void)
{
    Graph g = { DEPENDS, true };
    const Edge *way[16];
    for (size_t i = 0; i < edge_count; i++) {
        if (edges[i].kind != RW)
            continue;
        way[0] = &edges[i];
        size_t n = find_way(&g, edges[i].to * 2, edges[i].from * 2, way + 1, COUNT_OF(way) - 1);
        if (n == 0)
            continue;
        report_cycle(G_SINGLE, way, n + 1);
        return true;
    }
    return false;
}

static void look_for_cycles(void)
{
    if (look_for(G0, BIT(WW), true) || look_for(G1C, DEPENDS, true))
        return; /* all else would find it again */
    Graph snapshot = { DEPENDS | BIT(RW), false };
    if (find_cycle(&snapshot) != UINT32_MAX) {
        if (!look_for_single())
            look_for(G_NONADJACENT, DEPENDS | BIT(RW), false);
        return;
    }
    look_for(G2, DEPENDS | BIT(RW), true);
}

int main(int argc, char **argv)
{
    lib_init("history");
    bool serializable = argc > 1 && strcmp(argv[1], "serializable") == 0;
    if (argc < 3 || (!serializable && strcmp(argv[1], "snapshot") != 0)) {
        fprintf(stderr, "usage: history snapshot|serializable FILE...\n");
        return 2;
    }
    files = argv + 2;
    for (int i = 2; i < argc; i++)
        read_file(argv[i], (uint32_t)(i - 2));
    list_writes();
    find_longest();
    register_edges();
    list_edges();
    check_final();
    session_edges();
    sort_edges();
    look_for_cycles();

    int status = 0;
    size_t committed = 0;
    for (size_t t = 0; t < txn_count; t++)
        committed += counts(&txns[t]);
    printf("%zu transactions, %zu committed, %zu edges\n", txn_count, committed, edge_count);
    for (int p = 0; p < PHENOMENA; p++) {
        if (found[p] == 0)
            continue;
        bool fine = !serializable && phenomena[p].snapshot_allows;
        printf("%s%s: %s\n", phenomena[p].name, fine ? " (allowed)" : "", example[p]);
        status |= !fine;
    }
    return status;
}
