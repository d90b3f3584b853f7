/* mutation.c -- a test mode of debug builds: one kind of store goes untold, so that the barrier's verifier must end the process
 *
 * LODE_BARRIER_MUTATION=HOW:NAME, where NAME is a type (types.def) or, for `roots`, a visitor's:
 *   write:ARRAY      obj_modify of such an object (H4) is not told to the collector
 *   remember:STRING  nor is heap_remember (H13)
 *   card:HASH        the cards of a big body are taken for clean (G6)
 *   always:ENV       objects of a type that does not log its stores are not visited at each collection (G2)
 *   roots:NAME       what a visitor of roots names is not marked
 * regress/mutations runs the scripts of regress/barrier, one for each kind of store.
 */
#include "vm/heap/heap_private.h"

#ifdef LODE_DEBUG
#include "lib/error.h"
#include <stdlib.h>

BarrierOff heap_barrier_off;
int heap_barrier_off_type = -1;
const char *heap_barrier_off_roots;

void heap_mutation_init(void)
{
    static const char *const ways[] = {"none", "write", "remember", "card", "always", "roots"};
    static const char *const types[] = {
#define TYPE(name, layout) #name,
#include "vm/types.def"
#undef TYPE
    };
    const char *wanted = getenv("LODE_BARRIER_MUTATION");
    if (!wanted || !*wanted)
        return;
    size_t n = strcspn(wanted, ":");
    for (size_t i = 1; i < COUNT_OF(ways); i++)
        if (strlen(ways[i]) == n && !memcmp(ways[i], wanted, n))
            heap_barrier_off = (BarrierOff)i;
    const char *name = wanted[n] ? wanted + n + 1 : "";
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (!strcmp(types[i], name))
            heap_barrier_off_type = (int)i;
    if (heap_barrier_off == BARRIER_OFF_ROOTS)
        heap_barrier_off_roots = name;
    else if (heap_barrier_off == BARRIER_OFF_NONE || heap_barrier_off_type < 0)
        ereport(FATAL, ERR_CONFIG, errmsg("LODE_BARRIER_MUTATION: \"%s\" is no kind of store", wanted));
}
#else
void heap_mutation_init(void)
{
}
#endif
