/* shape.c -- the tree of shapes
 *
 * Rows lie in a reserved range by number.  Children are found in one hash table of (parent, name); slot
 * indexes by walking to the root, behind a small direct-mapped cache.  Shapes are never given back: inline
 * caches may hold their numbers (H: a shape whose class died keeps cls = undef).
 */
#include "vm/shape.h"

#include "lib/error.h"
#include "lib/hashtab.h"
#include "vm/call.h"
#include "vm/object/object_private.h"
#include <sys/mman.h>

#define SHAPES_MAX ((size_t)1 << 24)

Shape *shape_table;
static uint32_t shape_count = 1; /* 0: internal objects */

typedef struct Child {
    struct {
        uint32_t parent, name;
    } key;
    uint32_t shape;
} Child;
static HashTab *children;

typedef struct FindRow {
    uint32_t shape, name;
    int32_t index;
} FindRow;
#define FIND_ROWS 4096
static FindRow find_cache[FIND_ROWS];

static uint32_t shape_take(void)
{
    if (shape_count >= SHAPES_MAX)
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("too many shapes"));
    return shape_count++;
}

uint32_t shape_new_root(Value cls, unsigned type, const uint32_t *names, unsigned n)
{
    uint32_t id = shape_take();
    shape_table[id] = (Shape){.cls = cls, .root = id, .type = type};
    for (unsigned i = 0; i < n; i++) { /* the fixed fields are a chain of their own, all with this class */
        uint32_t next = shape_take();
        shape_table[next] = (Shape){.cls = cls, .parent = id, .name = names[i], .count = i + 1, .type = type};
        id = next;
    }
    for (uint32_t at = id; at; at = shape_table[at].parent)
        shape_table[at].root = id;
    return id;
}

uint32_t shape_add(uint32_t shape, uint32_t symbol_id)
{
    Child key = {.key = {shape, symbol_id}};
    bool found;
    Child *c = hashtab_enter(children, &key.key, &found);
    if (!found) {
        uint32_t id = shape_take();
        Shape *s = &shape_table[shape];
        shape_table[id] = (Shape){
            .cls = s->cls, .parent = shape, .name = symbol_id, .count = s->count + 1, .root = s->root, .type = s->type};
        c->shape = id;
    }
    return c->shape;
}

int shape_find(uint32_t shape, uint32_t symbol_id)
{
    FindRow *row = &find_cache[(shape * 31 + symbol_id) & (FIND_ROWS - 1)];
    if (row->shape == shape && row->name == symbol_id)
        return row->index;
    int index = -1;
    for (uint32_t at = shape; shape_table[at].count; at = shape_table[at].parent)
        if (shape_table[at].name == symbol_id) {
            index = (int)shape_table[at].count - 1;
            break;
        }
    *row = (FindRow){shape, symbol_id, index};
    return index;
}

uint32_t shape_name_at(uint32_t shape, unsigned i)
{
    uint32_t at = shape;
    while (shape_table[at].count > i + 1)
        at = shape_table[at].parent;
    return shape_table[at].name;
}

uint32_t shape_rebase(uint32_t shape, uint32_t new_root)
{
    unsigned n = shape_table[shape].count, have = shape_table[new_root].count;
    for (unsigned i = have; i < n; i++)
        new_root = shape_add(new_root, shape_name_at(shape, i));
    return new_root;
}

static void follow_classes(bool (*alive)(Value), Value (*forward)(Value))
{
    for (uint32_t i = 1; i < shape_count; i++)
        shape_table[i].cls = alive(shape_table[i].cls) ? forward(shape_table[i].cls) : V_UNDEF;
}

void shape_boot(void)
{
    void *p = mmap(NULL, SHAPES_MAX * sizeof(Shape), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        ereport(FATAL, ERR_OUT_OF_MEMORY, errmsg("could not reserve the shape table"));
    shape_table = p;
    children = hashtab_create(memctx_create(NULL, "shapes"), sizeof(((Child *)0)->key), sizeof(Child), HASH_BLOB);
    heap_add_weak_pass(follow_classes);
}
