/* constant.c -- constants: look-up, definition, autoload, visibility
 *
 * Rows are in the class's constants tables; their flags say private, deprecated, autoload (the value is then the
 * path).  Constant caches rest on const_serial, which every change bumps.
 */
#include "vm/core.h"
#include "vm/frame.h"
#include "vm/object/class_private.h"

uint32_t const_serial = 1;

typedef struct Found {
    Value owner, table, value;
    uint32_t flags;
} Found;

static bool find_here(Value mod, Value name, Found *found)
{
    Value table;
    Slot *s = class_row_find(mod, class_ext(mod)->constants, symbol_id(name), &table);
    if (!s)
        return false;
    found->value = slot_read(table, s);
    found->flags = *symtable_flags(table, symbol_id(name));
    found->owner = mod;
    found->table = table;
    return true;
}

/* A row that is an autoload is loaded here; false when the file did not define the constant. */
static bool resolve(Found *found, Value name)
{
    if (found->flags & CONST_LAZY) {
        found->value = vm_call0(found->value, SYM(call));
        found->table = class_table_for_change(found->owner, class_ext(found->owner)->constants, TABLE_TRANSIENT);
        symtable_set(found->table, symbol_id(name), found->value);
        found->flags = *symtable_flags(found->table, symbol_id(name)) &= ~(uint32_t)CONST_LAZY;
        const_serial++;
    }
    while (found->flags & CONST_AUTOLOAD) {
        Value owner = found->owner, hidden;
        switch (autoload_state(owner, name, found->value, &hidden)) {
        case AUTOLOAD_SPENT:
            return false;
        case AUTOLOAD_SET:
            found->value = ary_get(hidden, AUTOLOAD_VALUE);
            found->flags = (uint32_t)fix_int(ary_get(hidden, AUTOLOAD_FLAGS));
            return true;
        case AUTOLOAD_OPEN:
            break;
        }
        autoload_run(found->value);
        if (!find_here(owner, name, found))
            return false;
        if (found->flags & CONST_AUTOLOAD && load_feature_state(found->value) != LOAD_ELSEWHERE) {
            /* The file did not define it: the row goes, unless it is everyone's. */
            warn_printf_verbose("Expected %T to define %s%s%s but it didn't", found->value,
                           owner == klass.Object ? "" : class_name_c(owner), owner == klass.Object ? "" : "::", sym_text(name));
            if (class_row_removable(owner, class_ext(owner)->constants, symbol_id(name)))
                class_row_remove(owner, class_ext(owner)->constants, symbol_id(name));
            const_serial++;
            return false;
        }
    }
    return true;
}

/* Is there a constant to be had for this row, as far as that can be said without loading a file? */
static bool stands(const Found *found, Value name)
{
    Value hidden;
    return !(found->flags & CONST_AUTOLOAD) || autoload_state(found->owner, name, found->value, &hidden) != AUTOLOAD_SPENT;
}

static void warn_deprecated(const Found *found, Value name)
{
    if ((found->flags & CONST_DEPRECATED) && warn_wanted("deprecated")) {
        if (found->owner == klass.Object)
            warn_printf("constant ::%s is deprecated", sym_text(name));
        else
            warn_printf("constant %s::%s is deprecated", class_name_c(found->owner), sym_text(name));
    }
}

typedef enum { LOOK_HERE, LOOK_ANCESTRY, LOOK_EXCLUDE_OBJECT, LOOK_OBJECT_TOO } Reach;

static bool find_in(Value mod, Value name, Reach reach, Found *found)
{
    if (reach == LOOK_HERE)
        return find_here(mod, name, found) && resolve(found, name);
    for (Value k = mod; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (is_undef(owner))
            continue;
        if (!find_here(owner, name, found) || !resolve(found, name))
            continue;
        return !(reach == LOOK_EXCLUDE_OBJECT && owner == klass.Object && mod != klass.Object);
    }
    if (reach == LOOK_OBJECT_TOO && obj_type(mod) == T_MODULE)
        return find_in(klass.Object, name, LOOK_ANCESTRY, found);
    return false;
}

static Value private_owner; /* whose the private constant is for which const_missing was called last; nil: for none */

void constant_boot(void)
{
    private_owner = V_NIL;
    heap_add_root(&private_owner);
}

static Value missing(Value mod, Value name)
{
    private_owner = V_NIL;
    return vm_call1(mod, SYM(const_missing), name);
}

Value const_get_lexical(Value cref, Value name)
{
    Found found;
    Value first = V_UNDEF;
    for (Value c = cref; !is_nil(c); c = obj_field(c, CREF_OUTER)) {
        if (obj_field(c, CREF_SINGLETON) != V_FALSE)
            continue;
        Value mod = obj_field(c, CREF_MODULE);
        if (is_undef(first))
            first = mod;
        if (is_nil(obj_field(c, CREF_OUTER)))
            break; /* top level: Object comes with the ancestry */
        if (is_module(mod) && find_here(mod, name, &found) && resolve(&found, name)) {
            warn_deprecated(&found, name);
            return found.value;
        }
    }
    if (is_undef(first) || !is_module(first))
        first = klass.Object;
    if (find_in(first, name, LOOK_OBJECT_TOO, &found)) {
        warn_deprecated(&found, name);
        return found.value;
    }
    /* A singleton class sees the constants of the class or module it belongs to. */
    if (class_is_singleton(first) && is_module(class_attached_object(first)) &&
        find_in(class_attached_object(first), name, LOOK_OBJECT_TOO, &found))
        return found.value;
    return missing(first, name);
}


/* const_missing may have the constant; if not, Module#const_missing says that it is private. */
static Value missing_private(Value mod, const Found *found, Value name)
{
    private_owner = found->owner;
    return vm_call1(mod, SYM(const_missing), name);
}

void const_raise_missing(Value mod, Value name)
{
    Value owner = private_owner;
    private_owner = V_NIL;
    if (!is_nil(owner))
        raise_name_error(owner, name, "private constant %s::%s referenced", class_name_c(owner), sym_text(name));
    if (mod == klass.Object)
        raise_name_error(mod, name, "uninitialized constant %s", sym_text(name));
    Value text = vm_call0(mod, SYM(name));
    if (is_nil(text))
        text = vm_call0(mod, SYM(inspect));
    raise_name_error(mod, name, "uninitialized constant %T::%s", text, sym_text(name));
}

Value const_find_public(Value mod, Value name)
{
    Found found;
    if (!find_in(mod, name, LOOK_HERE, &found))
        return V_UNDEF;
    return found.flags & CONST_PRIVATE ? missing_private(mod, &found, name) : found.value;
}

Value const_get_from(Value mod, Value name)
{
    if (!is_module(mod))
        raise_error(klass.TypeError, "%V is not a class/module", mod);
    Found found;
    if (!find_in(mod, name, LOOK_EXCLUDE_OBJECT, &found))
        return missing(mod, name);
    if (found.flags & CONST_PRIVATE)
        return missing_private(mod, &found, name);
    warn_deprecated(&found, name);
    return found.value;
}

Value const_find(Value mod, Value name, bool inherit)
{
    Found found;
    if (!find_in(mod, name, inherit ? LOOK_OBJECT_TOO : LOOK_HERE, &found))
        return V_UNDEF;
    warn_deprecated(&found, name);
    return found.value;
}

Value const_find_inside(Value mod, Value name)
{
    Found found;
    if (!find_in(mod, name, LOOK_EXCLUDE_OBJECT, &found))
        return V_UNDEF;
    warn_deprecated(&found, name);
    return found.value;
}

bool const_defined_from(Value mod, Value name)
{
    Found found;
    for (Value k = mod; !is_nil(k); k = class_next(k)) {
        Value owner = class_owner_at(k);
        if (!is_undef(owner) && find_here(owner, name, &found) && stands(&found, name))
            return !(found.flags & CONST_PRIVATE) && (owner != klass.Object || mod == klass.Object);
    }
    return false;
}

bool const_defined(Value mod, Value name, bool inherit)
{
    Found found;
    for (Value k = mod; !is_nil(k); k = inherit ? class_next(k) : V_NIL) {
        Value owner = inherit ? class_owner_at(k) : k;
        if (!is_undef(owner) && find_here(owner, name, &found) && stands(&found, name))
            return true;
    }
    return inherit && obj_type(mod) == T_MODULE && const_defined(klass.Object, name, true);
}

static void location_set(Value mod, Value name, Value where)
{
    ClassExt *x = class_ext(mod);
    Value table = slot_read(mod, &x->locations);
    if (is_nil(table)) {
        table = symtable_new();
        slot_write(mod, &x->locations, table);
    }
    symtable_set(table, symbol_id(name), where);
}

void const_location_note(Value mod, Value name)
{
    if (vm_booting)
        return;
    const char *file = vm_current_file();
    Value where = file ? ary_new_from(2, (Value[]){str_new_c(file), int_fix(vm_current_line())}) : ary_new(0);
    location_set(mod, name, where);
}

Value const_location(Value mod, Value name)
{
    Found found;
    Value hidden;
    if (find_here(mod, name, &found) && found.flags & CONST_AUTOLOAD &&
        autoload_state(mod, name, found.value, &hidden) == AUTOLOAD_SET)
        return ary_get(hidden, AUTOLOAD_LOCATION);
    Value table = slot_read(mod, &class_ext(mod)->locations);
    Slot *s = is_nil(table) ? NULL : symtable_find(table, symbol_id(name));
    return s ? slot_read(table, s) : V_NIL;
}

static void tell_added(Value mod, Value name)
{
    if (vm_booting)
        return;
    MethodEntry *me = method_find(class_of(mod), SYM(const_added));
    if (me && me->kind != ME_BUILTIN)
        vm_call1(mod, SYM(const_added), name);
}

static void row_set(Value mod, Value name, Value v)
{
    class_row_set(mod, class_ext(mod)->constants, symbol_id(name), v);
    Value table;
    class_row_find(mod, class_ext(mod)->constants, symbol_id(name), &table);
    *symtable_flags(table, symbol_id(name)) &= ~(uint32_t)(CONST_AUTOLOAD | CONST_LAZY);
    const_serial++;
}

void const_set(Value mod, Value name, Value v)
{
    obj_modify(mod);
    Found found;
    bool there = find_here(mod, name, &found), autoload = there && found.flags & CONST_AUTOLOAD;
    if (there && !autoload) {
        if (mod == klass.Object)
            warn_printf("already initialized constant %s", sym_text(name));
        else
            warn_printf("already initialized constant %s::%s", class_name_c(mod), sym_text(name));
        warn_printf_at(const_location(mod, name), "previous definition of %s was here", sym_text(name));
    }
    if (is_module(v))
        class_name_set(v, mod, name);
    if (!autoload || !autoload_set(mod, name, found.value, v)) {
        row_set(mod, name, v);
        const_location_note(mod, name);
    }
    tell_added(mod, name);
}

void const_reveal(Value constant)
{
    Value mod = ary_get(constant, AUTOLOAD_MODULE), name = ary_get(constant, AUTOLOAD_NAME);
    Found found;
    if (!find_here(mod, name, &found) || !(found.flags & CONST_AUTOLOAD))
        return; /* removed or set meanwhile */
    row_set(mod, name, ary_get(constant, AUTOLOAD_VALUE));
    unsigned flags = (unsigned)fix_int(ary_get(constant, AUTOLOAD_FLAGS));
    if (flags)
        const_set_flags(mod, name, flags, 0);
    location_set(mod, name, ary_get(constant, AUTOLOAD_LOCATION));
}

void const_set_lazily(Value mod, Value name, Value proc)
{
    const_set(mod, name, proc);
    Value table;
    class_row_find(mod, class_ext(mod)->constants, symbol_id(name), &table);
    *symtable_flags(table, symbol_id(name)) |= CONST_LAZY;
}

Value const_remove(Value mod, Value name)
{
    obj_modify(mod);
    Found found;
    if (!find_here(mod, name, &found))
        raise_name_error(mod, name, "constant %s%s%s not defined", mod == klass.Object ? "Object" : class_name_c(mod), "::",
                         sym_text(name));
    warn_deprecated(&found, name);
    class_row_remove(mod, class_ext(mod)->constants, symbol_id(name));
    const_serial++;
    return found.flags & CONST_AUTOLOAD ? V_NIL : found.value;
}

void const_set_flags(Value mod, Value name, unsigned set, unsigned clear)
{
    obj_modify(mod);
    Found found;
    if (!find_here(mod, name, &found))
        raise_name_error(mod, name, "constant %s::%s not defined", class_name_c(mod), sym_text(name));
    Value hidden;
    if (found.flags & CONST_AUTOLOAD && autoload_state(mod, name, found.value, &hidden) == AUTOLOAD_SET) {
        unsigned old = (unsigned)fix_int(ary_get(hidden, AUTOLOAD_FLAGS));
        ary_set(hidden, AUTOLOAD_FLAGS, int_fix((old | set) & ~clear));
        return;
    }
    obj_modify(found.table);
    uint32_t *flags = symtable_flags(found.table, symbol_id(name));
    *flags = (*flags | set) & ~clear;
    const_serial++;
}

void const_autoload(Value mod, Value name, Value path)
{
    Found found;
    if (find_here(mod, name, &found) && !(found.flags & CONST_AUTOLOAD))
        return;
    class_row_set(mod, class_ext(mod)->constants, symbol_id(name), path);
    Value table;
    class_row_find(mod, class_ext(mod)->constants, symbol_id(name), &table);
    *symtable_flags(table, symbol_id(name)) |= CONST_AUTOLOAD;
    const_serial++;
    const_location_note(mod, name);
    tell_added(mod, name);
}

Value const_autoload_path(Value mod, Value name, bool inherit)
{
    Found found;
    Value hidden;
    for (Value k = mod; !is_nil(k); k = inherit ? class_next(k) : V_NIL) {
        Value owner = inherit ? class_owner_at(k) : k;
        if (!is_undef(owner) && find_here(owner, name, &found))
            return found.flags & CONST_AUTOLOAD && autoload_state(owner, name, found.value, &hidden) == AUTOLOAD_OPEN
                       ? found.value : V_NIL;
    }
    return V_NIL;
}
