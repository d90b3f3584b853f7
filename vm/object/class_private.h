/* class_private.h -- ClassExt and T_SYMTABLE, for vm/object and vm/persist
 *
 * Invariants:
 *   K1  super of a class, through iclasses, ends at BasicObject's nil; each T_CLASS has a metaclass from birth.
 *   K2  An ICLASS has no tables: ext->module says whose tables stand at its place.
 *   K3  With CLASS_PREPENDED the class's own table is looked up at ext->origin (an ICLASS with CLASS_ORIGIN).
 *   K4  subclasses is weak: the classes whose superclass this class is, or, for a module, the iclasses that
 *       stand for it.  It is what changes are propagated along.
 *   K5  A module's own row for a name in the transient table hides that of the persistent one.
 */
#ifndef VM_CLASS_PRIVATE_H
#define VM_CLASS_PRIVATE_H

#include "vm/class.h"
#include "vm/object/object_private.h"

typedef struct SymRow {
    uint32_t symbol, flags;
    Slot value;
} SymRow;

typedef struct SymTable { /* T_SYMTABLE */
    uint64_t head;
    SymRow *rows;
    uint32_t *index; /* row numbers + 1; NULL for a small table */
    uint32_t used, live, cap, index_size;
} SymTable;

typedef struct ClassList {
    Value *at;
    uint32_t n, cap;
} ClassList;

struct ClassExt {
    Slot methods[TABLE_COPIES];   /* T_SYMTABLE or nil: rows are T_METHOD_ENTRY */
    Slot constants[TABLE_COPIES]; /* rows' flags: CONST_* */
    Slot cvars[TABLE_COPIES];
    Slot ivars[TABLE_COPIES];     /* those of the class itself: all in the persistent copy but for classes of the boot */
    Slot module;                  /* ICLASS: whose tables; else nil */
    Slot includer;                /* ICLASS: the class or module in whose ancestry it stands; refinement: the module it is in */
    Slot attached;                /* singleton class: its object; refinement: the class refined; else nil */
    Slot refinements;             /* Array of the refinements made in this module, or nil */
    Slot mixins;                  /* boot module: Array of what the store adds to its ancestry: prepended?, module, ...; or nil */
    Slot origin;                  /* CLASS_PREPENDED: the ICLASS with CLASS_ORIGIN; else nil */
    Slot name;                    /* Symbol of the whole path, or nil */
    Slot locations;               /* T_SYMTABLE or nil: constant -> [file, line] */
    ClassList subclasses;         /* weak (K4) */
    Value (*allocator)(Value);    /* NULL: by instance_type */
    uint32_t *fields;             /* hidden names of the root shape, own or inherited; malloc'ed */
    uint32_t nfields;
    uint16_t instance_type;
    uint16_t slot_hint;           /* slots that instances turned out to need */
    /* for vm/persist */
    uint32_t persist_flags;
    uint32_t method_generation;
    uint64_t oid;
    uint64_t persist[4];
};

static inline Class *class_ptr(Value v)
{
    return (Class *)v;
}
static inline ClassExt *class_ext(Value v)
{
    return ((Class *)v)->ext;
}
static inline bool class_flag(Value v, uint32_t flag)
{
    return ((Class *)v)->flags & flag;
}
/* The table of one kind at a module: nil or T_SYMTABLE. */
static inline Value class_table(Value mod, Slot *tables, TableCopy copy)
{
    return slot_read(mod, &tables[copy]);
}
Value class_table_for_change(Value mod, Slot *tables, TableCopy copy); /* makes it */
/* Finds a row in either copy, transient first; *table tells which table. */
Slot *class_row_find(Value mod, Slot *tables, uint32_t id, Value *table);
/* In transient mode only the session's own row goes; TypeError when there is none but a persistent one. */
bool class_row_remove(Value mod, Slot *tables, uint32_t id);
bool class_row_removable(Value mod, Slot *tables, uint32_t id); /* false: it would raise that */
void class_row_set(Value mod, Slot *tables, uint32_t id, Value v);
void class_rows_each(Value mod, Slot *tables, void (*fn)(uint32_t, Slot *, void *), void *arg);

Value class_alloc(ObjectType type, Value cls);
void class_set_super(Value cls, Value super);
/* A singleton class stands under another class from now on, behind the modules mixed into it.  Its object keeps its shape,
 * so the layout stays what it was. */
void class_move_under(Value single, Value super);
Value refinement_get(Value mod, Value target); /* finds or makes mod's refinement of target */
Value refinement_target(Value r);
Value refinement_owner(Value r);
Value module_refinements(Value mod);           /* Array: not to be changed */
void refinements_use(Value cref, Value mod);
Value refinements_active(Value cref);

/* Where the own methods of a class stand in its ancestry: itself, or its origin. */
static inline Value class_own_place(Value cls)
{
    return class_flag(cls, CLASS_PREPENDED) ? slot_read(cls, &class_ext(cls)->origin) : cls;
}
void class_make_metaclass(Value cls);
void class_note_subclass(Value super, Value cls);
/* The built-in row of that name in a module's table, whatever hides it now; NULL. */
MethodEntry *method_find_builtin(Value module, uint32_t symbol_id);
void class_changed_ancestry(Value cls, Value added); /* caches, redefined operators */
/* Puts a module into the ancestry: no checks, no report of a change. */
void class_mix_in(Value mod, Value module, bool prepended, uint32_t iclass_flags);
void class_unmix(Value mod, uint32_t iclass_flag); /* takes out the iclasses with that flag */
/* What the modules mixed into mod have gained since stands behind them; then the same for whoever has mixed in mod. */
void class_derive_mixins(Value mod);
void method_caches_clear(void);
void method_note_redefinition(Value cls, uint32_t id, MethodEntry *me);
void method_note_mixin(Value cls, Value module);
Value module_new_of(Value cls); /* Module.new of a subclass of Module */
Value class_new_anonymous(Value super);
void class_check_inheritable(Value super);
void class_rename_inner(Value cls);
void class_name_set(Value cls, Value outer, Value name);
Value class_path(Value cls); /* String, also for anonymous modules and singleton classes */
void const_location_note(Value mod, Value name);
const char *module_kind_name(Value mod); /* "class", "module" */

#endif
