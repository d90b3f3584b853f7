/* features.c -- the persistent copy of $LOADED_FEATURES: files required in persistent mode are loaded for every session
 *
 * OID_FEATURES is a symbol table path -> true, so sessions that require different files do not conflict (merge.c).  A session
 * takes the paths over at its start and at boundaries after another changed the table.  What a transaction
 * required in persistent mode is forgotten when it is aborted: its definitions are gone, too.
 */
#include "private.h"
#include "vm/interp/vm_state.h"

static ValueList noted; /* paths of this transaction */

static void noted_visit(Visitor *v)
{
    for (size_t i = 0; i < noted.count; i++)
        v->value(v, &noted.items[i]);
}

void features_boot(void)
{
    heap_add_visitor(noted_visit, "persistent features");
}

void persist_note_feature(Value path)
{
    if (!session.mode || !session.attached)
        return;
    Value table = persist_resolve_or_new(OID_FEATURES, symtable_new);
    StrView text = str_view(path);
    symtable_set(table, symbol_id(sym_intern_len(text.ptr, text.len, text.enc)), V_TRUE);
    list_push(&noted, path);
}

static void take_over(uint32_t id, Slot *s, void *arg)
{
    (void)s, (void)arg;
    load_feature_add(sym_name_str(symbol_value(id)));
}

void features_refresh(void)
{
    if (store_version(OID_FEATURES))
        symtable_each(persist_resolve(OID_FEATURES), take_over, NULL);
}

void features_committed(void)
{
    noted.count = 0;
}

bool features_forget(void)
{
    bool any = noted.count > 0;
    for (size_t i = 0; i < noted.count; i++)
        load_feature_remove(noted.items[i]);
    noted.count = 0;
    Value table = oidmap_object(OID_FEATURES);
    if (!is_undef(table) && !(obj_head(table) & OF_PERSISTENT))
        oidmap_remove(table);
    return any;
}

static void list_row(uint32_t id, Slot *s, void *arg)
{
    (void)s;
    ary_push(*(Value *)arg, symbol_value(id));
}

/* Maglev.clear_persistent_LOADED_FEATURES: sessions to come load the files again. */
void features_clear(void)
{
    Value names = ary_new(8), table = persist_resolve_or_new(OID_FEATURES, symtable_new);
    symtable_each(table, list_row, &names);
    for (size_t i = 0; i < ary_len(names); i++)
        symtable_remove(table, symbol_id(ary_get(names, (long)i)));
}
