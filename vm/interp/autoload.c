/*
 * autoload.c: files that a constant's first use loads.
 *
 * While a thread autoloads a file, the constants that the file sets and that were to come from it are hidden from the
 * others: they are kept here, and their rows stay autoloads, so that another thread that uses one waits for the end (load.c)
 * instead of seeing a class with half of its methods.  A file that raises leaves nothing of them.
 *
 *   A1  `running` has one row per path: the Thread that loads it and what it has set (AUTOLOAD_FIELDS each).
 *   A2  A constant found here is never cached: who finds one bumps const_serial.
 */
#include "vm/interp/thread.h"
#include "vm/interp/vm_state.h"

enum { RUN_THREAD, RUN_CONSTANTS };
static Value running; /* Hash: path -> [Thread, [constant ...]] */

static Value run_of_mine(Value path)
{
    Value run = hash_get(running, path);
    return is_undef(run) || ary_get(run, RUN_THREAD) != thread_current->object ? V_UNDEF : run;
}

static Value find_constant(Value run, Value mod, Value name)
{
    Value constants = ary_get(run, RUN_CONSTANTS);
    for (size_t i = 0; i < ary_len(constants); i++) {
        Value c = ary_get(constants, (long)i);
        if (ary_get(c, AUTOLOAD_MODULE) == mod && ary_get(c, AUTOLOAD_NAME) == name)
            return c;
    }
    return V_NIL;
}

AutoloadState autoload_state(Value mod, Value name, Value path, Value *constant)
{
    Value run = run_of_mine(path);
    *constant = V_NIL;
    if (!is_undef(run)) {
        *constant = find_constant(run, mod, name);
        const_serial++;
        return is_nil(*constant) ? AUTOLOAD_SPENT : AUTOLOAD_SET;
    }
    LoadState state = load_feature_state(path);
    return state == LOAD_DONE || state == LOAD_MINE ? AUTOLOAD_SPENT : AUTOLOAD_OPEN;
}

bool autoload_set(Value mod, Value name, Value path, Value v)
{
    Value run = run_of_mine(path);
    if (is_undef(run))
        return false;
    Value where = ary_new_from(2, (Value[]){str_new_c(vm_current_file()), int_fix(vm_current_line())});
    Value old = find_constant(run, mod, name);
    if (!is_nil(old)) {
        ary_set(old, AUTOLOAD_VALUE, v);
        ary_set(old, AUTOLOAD_LOCATION, where);
        return true;
    }
    Value c = ary_new_from(AUTOLOAD_FIELDS, (Value[]){mod, name, v, where, int_fix(0)});
    ary_push(ary_get(run, RUN_CONSTANTS), c);
    return true;
}

static Value require_it(void *path)
{
    return vm_call1(vm.main_object, sym_intern("require"), *(Value *)path);
}

void autoload_run(Value path)
{
    if (load_wait_for(path))
        return; /* the caller looks again */
    Value key = obj_freeze(str_dup(path)), constants = ary_new(2);
    Value run = ary_new_from(2, (Value[]){thread_current->object, constants});
    hash_set(running, key, run);
    Value result, record;
    bool ok = vm_protect(require_it, &key, &result, &record);
    if (hash_get(running, key) == run)
        hash_delete(running, key);
    if (!ok)
        vm_resume_unwind(record);
    for (size_t i = 0; i < ary_len(constants); i++)
        const_reveal(ary_get(constants, (long)i));
}

void autoload_boot(void)
{
    running = hash_new();
    heap_add_root(&running);
}
