/* guard.c -- Thread.__guard(name, obj, other = nil) { }: vm_guard_recursion for the Ruby part of core
 *
 * true instead of the block's value when (obj, other) is under way under that name.
 */
#include "vm/core/core_private.h"
#include "vm/core.h"

static Value call_block(void *arg)
{
    (void)arg;
    return vm_yield(0, NULL);
}

static Value thread_s_guard(Value self, int argc, const Value *argv)
{
    (void)self;
    Value r = vm_guard_recursion(argv[0], argv[1], argc > 2 ? argv[2] : V_NIL, call_block, NULL);
    return is_undef(r) ? V_TRUE : r;
}

static const Builtin singleton_methods[] = {
    {"__guard", thread_s_guard, 2, 3, BI_HIDDEN},
};

void guard_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Thread, singleton_methods);
}
