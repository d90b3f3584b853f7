/* conflict.c -- why a commit was refused: CommitFailedException#transaction_conflicts, and a line in the server's log
 *
 * Each conflict is a Hash: kind: (storage/conflict_kinds.def), object:, oid:, class:, session: and pid: of who won,
 * commit: (its sequence).  A table of a class is shown as the class, with part: (:methods, :constants,
 * :class_variables, :instance_variables).  The list is the session's until its next boundary;
 * System.transaction_conflicts has it too.
 */
#include "private.h"
#include "lib/config.h"
#include "lib/log.h"
#include "vm/object/class_private.h"
#include <stdio.h>

enum { LISTED_MAX = 1000 }; /* the rest is only counted */

static const struct {
    const char *symbol, *gemstone, *text;
} kinds[] = {
#define CONFLICT_KIND(name, symbol, gemstone, text) {symbol, gemstone, text},
#include "storage/conflict_kinds.def"
#undef CONFLICT_KIND
};

/* ---- whose table is it? ---- */

typedef struct TableOwner {
    Value table, owner;
    const char *part;
} TableOwner;

static bool has_table(Slot *tables, Value table)
{
    return tables[TABLE_PERSISTENT].raw == table;
}

static void look_for_owner(Value v, TableOwner *found)
{
    if (!is_module(v))
        return;
    ClassExt *x = class_ext(v);
    const char *part = has_table(x->methods, found->table)     ? "methods"
                       : has_table(x->constants, found->table) ? "constants"
                       : has_table(x->cvars, found->table)     ? "class_variables"
                       : has_table(x->ivars, found->table)     ? "instance_variables"
                                                               : NULL;
    if (part) {
        found->owner = v;
        found->part = part;
    }
}

static void look_in_map(Value v, Oid oid, void *found)
{
    (void)oid;
    look_for_owner(v, found);
}

/* ---- the list ---- */

static Value shown_object(const Conflict *c, TableOwner *table)
{
    Value v = oidmap_object(c->oid);
    if (is_undef(v) && c->kind == CONFLICT_READ_WRITE && store_version(c->oid))
        v = persist_resolve(c->oid); /* read and forgotten since */
    if (is_undef(v))
        return V_NIL;
    if (obj_type(v) == T_SYMTABLE) {
        *table = (TableOwner){v, V_NIL, NULL};
        oidmap_each(look_in_map, table);
        return table->owner;
    }
    return obj_shape(v) ? v : V_NIL;
}

static Value row_of(const Conflict *c)
{
    TableOwner table = {0};
    Value object = shown_object(c, &table);
    Value h = hash_new();
    hash_set(h, sym_intern("kind"), sym_intern(kinds[c->kind].symbol));
    hash_set(h, sym_intern("object"), object);
    hash_set(h, sym_intern("oid"), uint_value(c->oid));
    hash_set(h, sym_intern("class"), is_nil(object) ? V_NIL : class_real(object));
    if (table.part)
        hash_set(h, sym_intern("part"), sym_intern(table.part));
    hash_set(h, sym_intern("session"), c->winner < 0 ? V_NIL : int_fix(c->winner + 1));
    hash_set(h, sym_intern("pid"), c->winner < 0 ? V_NIL : int_fix(c->winner_pid));
    hash_set(h, sym_intern("commit"), c->sequence ? uint_value(c->sequence) : V_NIL);
    return h;
}

/* "#<Account 70001>", "class Account (methods)": no Ruby of the program's runs. */
static Value description(Value row)
{
    Value object = hash_get(row, sym_intern("object")), part = hash_get(row, sym_intern("part"));
    unsigned long oid = (unsigned long)fix_int(hash_get(row, sym_intern("oid")));
    if (object == session.root)
        return str_new_c("the persistent root");
    if (is_nil(object))
        return str_format("object %lu", oid);
    if (!is_module(object))
        return str_format("#<%s %lu>", class_name_c(class_real(object)), oid);
    if (is_undef(part))
        return str_format("%s %s", obj_type(object) == T_CLASS ? "class" : "module", class_name_c(object));
    return str_format("%s %s (%s)", obj_type(object) == T_CLASS ? "class" : "module", class_name_c(object),
                      sym_text(part));
}

static void log_conflict(const Conflict *c, Value row)
{
    Value text = description(row);
    StrView v = str_view(text);
    char winner[80] = "another session";
    if (c->winner >= 0)
        snprintf(winner, sizeof winner, "session %d (process %d) in commit %lu", c->winner + 1, (int)c->winner_pid,
                 (unsigned long)c->sequence);
    log_message(LOG, "session %d: commit refused: %.*s %s; the winner is %s", store_session_slot() + 1, (int)v.len, v.ptr,
                kinds[c->kind].text, winner);
}

static bool listed_before(const Conflict *all, uint32_t i)
{
    for (uint32_t k = 0; all[i].kind == CONFLICT_READ_WRITE && k < i; k++)
        if (all[k].oid == all[i].oid)
            return true; /* read and written */
    return false;
}

Value conflict_exception(const Conflict *all, uint32_t n)
{
    Value list = ary_new(n < LISTED_MAX ? n : LISTED_MAX);
    for (uint32_t i = 0; i < n && i < LISTED_MAX; i++) {
        if (listed_before(all, i))
            continue;
        Value row = row_of(&all[i]);
        ary_push(list, row);
        if (conf.log_conflicts)
            log_conflict(&all[i], row);
    }
    char more[64] = "";
    if (n > 1)
        snprintf(more, sizeof more, ", and %u more", n - 1);
    Value text = description(ary_get(list, 0));
    Value exc = exception_new(const_find(klass.Maglev, sym_intern("CommitFailedException"), false), "commit failed: %T %s%s",
                              text, kinds[all[0].kind].text, ary_len(list) > 1 ? more : "");
    ivar_set(exc, sym_intern("@transaction_conflicts"), list);
    session.conflicts = list;
    return exc;
}

void conflict_refuse_again(void)
{
    Value exc = exception_new(const_find(klass.Maglev, sym_intern("CommitFailedException"), false),
                              "an earlier commit of this transaction failed: abort it before you commit again");
    ivar_set(exc, sym_intern("@transaction_conflicts"), is_nil(session.conflicts) ? ary_new(0) : session.conflicts);
    vm_raise(exc);
}

/* GemStone's name of a kind: Maglev.__gemstone_kind(:write_write) => "Write-Write" */
static Value gemstone_kind(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (argv[0] == sym_intern(kinds[i].symbol))
            return str_new_c(kinds[i].gemstone);
    return V_NIL;
}

static Value last_conflicts(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return session.conflicts;
}

static const Builtin methods[] = {
    {"__gemstone_kind", gemstone_kind, 1, 1, BI_HIDDEN},
    {"__conflicts", last_conflicts, 0, 0, BI_HIDDEN},
};

void conflict_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
