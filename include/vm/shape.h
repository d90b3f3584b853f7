/* shape.h -- shapes: class plus ordered names of slots; a tree per class, children by added name
 *
 * A shape is a number; the session's shape table maps it to class, parent, last name and
 * count.  A shape determines its class, so one compare of the header guards both.  Store-wide
 * shape ids are another numbering, mapped in vm/persist.  Root shape of a class: names of the
 * fixed fields of built-in layouts (hidden), inherited by subclasses.
 */
#ifndef VM_SHAPE_H
#define VM_SHAPE_H
#include "vm/value.h"

typedef struct Shape {
    Value cls;          /* class of every object of this shape */
    uint32_t parent;    /* 0 for a root */
    uint32_t name;      /* symbol id of the last slot; 0 for a root */
    uint32_t count;     /* slots of an object of this shape */
    uint32_t root;      /* the class's root shape */
    uint32_t store_id;  /* the store's number, 0 while unknown */
    uint32_t type;      /* ObjectType of the instances */
    void *children;     /* private to shape.c */
} Shape;

extern Shape *shape_table; /* indexed by shape id; reserved address range, never moves */
uint32_t shape_new_root(Value cls, unsigned type, const uint32_t *names, unsigned n);
uint32_t shape_add(uint32_t shape, uint32_t symbol_id); /* the child with one more slot */
int shape_find(uint32_t shape, uint32_t symbol_id);     /* slot index or -1 */
uint32_t shape_rebase(uint32_t shape, uint32_t new_root); /* same names under another class (singleton, class change) */
uint32_t shape_name_at(uint32_t shape, unsigned i);     /* symbol id of slot i */
static inline Value shape_class(uint32_t shape)
{
    return shape_table[shape].cls;
}
#endif
