/* reduced.c -- operations on reduced-conflict objects, noted so that a commit can replay them (merge.c)
 *
 * A reduced-conflict object (vm/core/reduced.rb) keeps its content in one plain object, its part.  Each change of a
 * part that is committed already is noted: owner, part, operation (an Array of its name, arguments and what it found).
 * When a commit clashes in the part, the part takes the newest state and the owner's __replay does each operation
 * again; it answers false when the operation would have found something else.
 *
 * In a serializable transaction looking things up is an operation, too (a part that only such operations looked at is not
 * in the read set, reads.c A4); in others it is not noted.
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

void reduced_each_part(void (*fn)(Value part, void *arg), void *arg)
{
    for (size_t i = 0; i < notes.count; i += ROW)
        fn(notes.items[i + 1], arg);
}

void reduced_undo(size_t mark)
{
    for (size_t i = mark; i < notes.count; i += ROW)
        reads_note_whole(oidmap_oid(notes.items[i + 1]));
    notes.count = mark;
}

void reduced_forget(void)
{
    notes.count = 0;
}

static bool is_committed(Value part)
{
    return is_heap(part) && (obj_head(part) & OF_PERSISTENT);
}

/* Maglev.__part(part): the part, for an operation that will be noted. */
static Value maglev_part(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_committed(argv[0]))
        reads_note_replayed(oidmap_oid(argv[0]));
    return argv[0];
}

/* Maglev.__whole(part): the part, to be read. */
static Value maglev_whole(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_committed(argv[0]))
        reads_note_whole(oidmap_oid(argv[0]));
    return argv[0];
}

/* Maglev.__note(owner, part, operation): a change. */
static Value maglev_note(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    if (is_committed(argv[1])) {
        list_reserve(&notes, ROW);
        for (int i = 0; i < ROW; i++)
            list_push(&notes, argv[i]);
    }
    return V_NIL;
}

/* Maglev.__note_look(owner, part, operation): something was looked up. */
static Value maglev_note_look(Value self, int argc, const Value *argv)
{
    return reads_active() ? maglev_note(self, argc, argv) : V_NIL;
}

static const Builtin methods[] = {
    {"__part", maglev_part, 1, 1, BI_HIDDEN},
    {"__whole", maglev_whole, 1, 1, BI_HIDDEN},
    {"__note", maglev_note, 3, 3, BI_HIDDEN},
    {"__note_look", maglev_note_look, 3, 3, BI_HIDDEN},
};

void reduced_boot(void)
{
    heap_add_visitor(notes_visit, "reduced-conflict operations");
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
