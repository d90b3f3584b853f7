/* class.h -- classes and modules: tables, ancestry, method look-up
 *
 * A class is a session-private shell over parts that the store may own: method, constant and
 * class-variable tables (T_SYMTABLE), each in a transient and a persistent copy; look-up in a
 * module goes transient, then persistent.  Definitions go where the thread's mode and the
 * module's persistable flag say (vm/persist sets class_definition_mode).
 */
#ifndef VM_CLASS_H
#define VM_CLASS_H
#include "vm/object.h"

typedef enum { TABLE_TRANSIENT, TABLE_PERSISTENT, TABLE_COPIES } TableCopy;
typedef enum { VIS_PUBLIC, VIS_PROTECTED, VIS_PRIVATE } Visibility;

typedef struct ClassExt ClassExt; /* vm/object/class_private.h */
typedef struct Class {
    uint64_t head;
    Slot super;    /* next in the ancestry (class, iclass) or nil */
    ClassExt *ext; /* owned by this class; an ICLASS shares its module's tables */
    uint32_t root_shape; /* of its instances; 0: not made yet */
    uint32_t flags;      /* CLASS_* */
} Class;
enum {
    CLASS_SINGLETON = 1,
    CLASS_ORIGIN = 2,      /* ICLASS: the place of a module's own methods behind its prepended modules */
    CLASS_PREPENDED = 4,   /* own methods are looked up at the origin */
    CLASS_REFINEMENT = 8,
    CLASS_NAMED = 16,      /* the name is permanent */
    CLASS_NO_ALLOC = 32,
    CLASS_INITIALIZED = 64,
    CLASS_PREPENDED_ICLASS = 128, /* ICLASS: of a prepended module */
    CLASS_OWN_MIXIN = 256,        /* ICLASS: this session's alone, no record names it */
    CLASS_DERIVED_MIXIN = 1024,   /* ICLASS: there because a module mixed in has it; made anew when that one's ancestry changes */
    CLASS_STORED_MIXIN = 512,     /* ICLASS in a boot module's ancestry: put there by the store (ClassExt.mixins) */
};

/* Every class known by name to C is a field of `klass`, a row of vm/classes.def. */
struct WellKnownClasses {
#define CLASS(name, super) Value name;
#define MODULE(name) Value name;
#include "vm/classes.def"
#undef CLASS
#undef MODULE
};
extern struct WellKnownClasses klass;

void class_boot(void);     /* heap, symbols, shapes and the hierarchy of classes.def */
extern bool vm_booting;    /* true until vm_boot is done: no constant locations, no redefinition marks */
Value class_new(Value super, const char *name);                 /* no constant is set; name may be NULL */
Value module_new(const char *name);
Value class_define(const char *name, Value super);              /* under Object */
Value class_define_under(Value outer, const char *name, Value super);
Value module_define(const char *name);
Value module_define_under(Value outer, const char *name);
void class_set_instance_type(Value cls, ObjectType type);       /* what Class#allocate makes; inherited */
void class_set_allocator(Value cls, Value (*fn)(Value cls));    /* NULL: "allocator undefined for X"; inherited */
void class_set_fields(Value cls, ObjectType type, const Value *hidden_names, unsigned n); /* SLOTS types: root shape */
Value class_superclass(Value cls);                              /* as Ruby sees it; nil for BasicObject */
Value class_name(Value cls);                                    /* String or nil */
const char *class_name_c(Value cls);                            /* for messages; anonymous: "#<Class:0x...>" */
uint32_t class_make_root_shape(Value cls);
static inline uint32_t class_root_shape(Value cls)
{
    uint32_t s = ((Class *)cls)->root_shape;
    return s ? s : class_make_root_shape(cls);
}
static inline bool is_class(Value v) { return is_type(v, T_CLASS); }
static inline bool is_module(Value v) { return is_heap(v) && (obj_type(v) == T_CLASS || obj_type(v) == T_MODULE); }
bool class_is_singleton(Value cls);
Value class_attached_object(Value cls);                         /* of a singleton class */
void module_include(Value mod, Value included);
void module_prepend(Value mod, Value prepended);
bool module_inherits(Value cls, Value ancestor);                /* cls <= ancestor */
Value module_ancestors(Value cls);                              /* Array */
void class_inherited(Value super, Value cls);                   /* calls the `inherited` hook when somebody defined one */
/* The ancestry, as look-up walks it: k = cls; while (!is_nil(k)) { owner = class_owner_at(k); ...; k = class_next(k); }
 * class_owner_at gives the module whose method table stands at k, V_UNDEF for a head whose methods stand at its origin. */
Value class_owner_at(Value k);
static inline Value class_next(Value k) { return slot_read(k, &((Class *)k)->super); }
Value class_subclasses(Value cls);                              /* Array of direct, non-singleton subclasses */

/* Where a definition in `module` goes now; set by vm/persist. Default: transient. */
extern TableCopy (*class_definition_copy)(Value module);
/* A class or module got its permanent name: const_set in `outer` under `name` (a Symbol). */
extern void (*class_created_hook)(Value cls, Value outer, Value name);

/* Methods */
typedef enum { ME_CODE, ME_BUILTIN, ME_ATTR_READER, ME_ATTR_WRITER, ME_PROC, ME_ALIAS, ME_UNDEF, ME_ZSUPER, ME_REFINED, ME_MISSING } MethodKind;
typedef Value (*BuiltinFn)(Value self, int argc, const Value *argv);
typedef struct MethodEntry { /* T_METHOD_ENTRY, internal heap object, immutable once entered */
    uint64_t head;
    Slot owner;      /* the module whose table holds it */
    Slot defined;    /* the module where `super` goes on from (differs for aliases) */
    Slot body;       /* CODE: T_CODE; ATTR: the ivar's symbol; PROC: T_PROC; ALIAS: the original entry */
    Slot cref;       /* CODE: lexical nesting */
    uint32_t name;   /* symbol id under which it was entered */
    uint32_t original_name;
    uint8_t kind, visibility;
    int8_t min, max; /* BUILTIN: arguments; max -1 = any */
    uint32_t flags;  /* BI_* */
    BuiltinFn fn;    /* BUILTIN */
    const struct Builtin *row;
} MethodEntry;

MethodEntry *method_find(Value cls, Value name);                /* along the ancestry; NULL when none or undefined; cached */
extern bool refinements_used;                                   /* some module has refinements: calls ask the next */
MethodEntry *method_find_refined(Value cls, Value name, Value cref); /* as code at cref sees it; cref may be nil */
MethodEntry *method_find_super(Value defined_class_or_iclass, Value name);
MethodEntry *method_find_super_of(Value self_class, MethodEntry *me, Value name); /* what `super` in me calls */
MethodEntry *method_find_here(Value cls, Value name);           /* only in this module's own tables (UNDEF rows too) */
void method_add(Value cls, Value name, MethodEntry *me);        /* runs the hooks method_added ... */
void method_enter(Value cls, Value name, MethodEntry *me);      /* without them */
MethodEntry *method_entry_new(MethodKind kind, Visibility vis);
void method_define_code(Value cls, Value name, Value code, Value cref, Visibility vis);
void method_define_attr(Value cls, Value name, bool reader, bool writer, Visibility vis);
void method_alias(Value cls, Value new_name, Value old_name);   /* NameError as CRuby */
bool method_same_definition(const MethodEntry *a, const MethodEntry *b); /* aliases of one method */
void method_undef(Value cls, Value name);
void method_remove(Value cls, Value name);
void method_set_visibility(Value cls, Value name, Visibility vis);
/* Bumped whenever a change could make some cached look-up wrong: a definition of a name that was
 * ever looked up, an inclusion, a singleton class.  Inline caches rest on (guard word, method_serial). */
extern uint32_t method_serial;
/* Has one of Integer#+ ... been redefined?  One bit an operator (redefine.def); fast paths test it. */
extern uint32_t redefined_ops;
enum {
#define REDEFINE(name, symbol) REDEFINE_AT_##name,
#include "vm/redefine.def"
#undef REDEFINE
};
enum { /* REDEFINED_ADD, ... */
#define REDEFINE(name, symbol) REDEFINED_##name = 1 << REDEFINE_AT_##name,
#include "vm/redefine.def"
#undef REDEFINE
};

/* Constants, class variables. */
Value const_get_lexical(Value cref, Value name);                /* lexical scopes, ancestry, autoload, const_missing */
Value const_get_from(Value mod, Value name);                    /* Mod::Name: ancestry (Object excluded with a module), autoload, const_missing */
Value const_find(Value mod, Value name, bool inherit);          /* V_UNDEF when there is none; resolves autoload */
Value const_find_public(Value mod, Value name);                 /* of mod itself, V_UNDEF; NameError for a private one */
Value const_find_inside(Value mod, Value name);                 /* V_UNDEF; ancestry without Object, as Mod::Name looks */
bool const_defined(Value mod, Value name, bool inherit);
bool const_defined_from(Value mod, Value name);                 /* would Mod::Name find one without const_missing? */
void const_set(Value mod, Value name, Value v);                 /* warns "already initialized constant"; names anonymous modules */
Value const_remove(Value mod, Value name);
Value const_location(Value mod, Value name);                    /* [file, line] of a constant of mod itself; nil when unknown */
enum { CONST_PRIVATE = 1, CONST_DEPRECATED = 2, CONST_AUTOLOAD = 4, CONST_LAZY = 16 }; /* flags of a constant's row */
void const_set_flags(Value mod, Value name, unsigned set, unsigned clear); /* NameError when it is not there */
/* What an autoload hid until its end (AUTOLOAD_FIELDS of call.h) becomes everyone's. */
void const_reveal(Value constant);
_Noreturn void const_raise_missing(Value mod, Value name);      /* what Module#const_missing does */
void const_autoload(Value mod, Value name, Value path);
void const_set_lazily(Value mod, Value name, Value proc);       /* each session calls proc at the first use, for its own value */
Value const_autoload_path(Value mod, Value name, bool inherit); /* nil when it is no autoload */
extern uint32_t const_serial;                                   /* constant caches rest on it */
Value cvar_get(Value mod, Value name);                          /* NameError when uninitialized */
Value cvar_find(Value mod, Value name);                         /* V_UNDEF */
void cvar_set(Value mod, Value name, Value v);

/* Symbol tables: insertion-ordered symbol -> slot, an internal heap object that the store can hold. */
Value symtable_new(void);
Slot *symtable_find(Value table, uint32_t symbol_id);           /* NULL when absent; void after a change */
void symtable_set(Value table, uint32_t symbol_id, Value v);    /* obj_modify inside */
uint32_t *symtable_flags(Value table, uint32_t symbol_id);      /* a word beside each slot; NULL when absent */
bool symtable_remove(Value table, uint32_t symbol_id);
size_t symtable_count(Value table);
void symtable_each(Value table, void (*fn)(uint32_t symbol_id, Slot *s, void *arg), void *arg);

/* Built-in methods: a row in a table of the class's file and one function. */
typedef struct Builtin {
    const char *name;
    BuiltinFn fn;
    int8_t min, max; /* counts of positional arguments; max -1: any */
    uint16_t flags;
} Builtin;
enum {
    BI_PRIVATE = 1,
    BI_PROTECTED = 2,
    BI_HIDDEN = 4,     /* primitive for the Ruby part of core: not shown by reflection */
    BI_GREEDY = 8,     /* runs on the library stack */
    BI_KW = 16,        /* takes keywords: last argument is the Hash, call_keywords() true (call.h) */
    BI_LEAF = 32,      /* never calls Ruby, never raises, needs no frame (may allocate) */
    BI_SPECIAL = 128,  /* the interpreter runs it without a C frame (vm/interp/special.def); fn serves as its name */
    BI_MODULE_FUNCTION = 64, /* private instance method and public singleton method */
};
void class_add_builtins(Value cls, const Builtin *rows, size_t n);
void class_add_singleton_builtins(Value cls, const Builtin *rows, size_t n);
#define ADD_BUILTINS(cls, rows) class_add_builtins(cls, rows, sizeof(rows) / sizeof(rows[0]))
#define ADD_SINGLETON_BUILTINS(cls, rows) class_add_singleton_builtins(cls, rows, sizeof(rows) / sizeof(rows[0]))
#endif
