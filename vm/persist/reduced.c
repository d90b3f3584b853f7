/* reduced.c -- operations on reduced-conflict objects, noted so that a commit can replay them (merge.c)
 *
 * A reduced-conflict object (vm/core/reduced.rb) keeps its content in one plain object, its part.  Each change of a
 * part that is committed already is noted: owner, part, operation (an Array of its name, arguments and what it found).
 * When a commit clashes in the part, the part takes the newest state and the owner's __replay does each operation
 * again; it answers false when the operation would have found something else.
 */
#include "private.h"

enum { ROW = 3 }; /* owner, part, operation */
static ValueList notes;

static void notes_visit(Visitor *v)
{
    for (size_t i = 0; i < notes.count; i++)
        v->value(v, &notes.items[i]);
}

bool reduced_noted(Value part)
{
    for (size_t i = 0; i < notes.count; i += ROW)
        if (notes.items[i + 1] == part)
            return true;
    return false;
}

Value reduced_owner(Value part)
{
    for (size_t i = 0; i < notes.count; i += ROW)
        if (notes.items[i + 1] == part)
            return notes.items[i];
    return part;
}

bool reduced_replay(Value part)
{
    Value replay = sym_intern("__replay");
    for (size_t i = 0; i < notes.count; i += ROW)
        if (notes.items[i + 1] == part && !truthy(vm_call1(notes.items[i], replay, notes.items[i + 2])))
            return false;
    return true;
}

size_t reduced_mark(void)
{
    return notes.count;
}

void reduced_truncate(size_t mark)
{
    notes.count = mark;
}

/* Maglev.__note(owner, part, operation) */
static Value maglev_note(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_heap(argv[1]) && (obj_head(argv[1]) & OF_PERSISTENT))
        for (int i = 0; i < ROW; i++)
            list_push(&notes, argv[i]);
    return V_NIL;
}

static const Builtin methods[] = {
    {"__note", maglev_note, 3, 3, BI_HIDDEN},
};

void reduced_boot(void)
{
    heap_add_visitor(notes_visit, "reduced-conflict operations");
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
