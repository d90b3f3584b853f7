/*
 * mutation.c - which rule, if any, is switched off in this run.
 */
#include "storage/mutation.h"

#include <stdlib.h>

#include "lib/error.h"
#include "lib/log.h"

static const struct {
    const char *name, *rule;
} mutations[] = {
    { "NONE", "no rule is off" },
#define MUTATION_ROW(name, text) { #name, text },
#include "storage/mutations.def"
#undef MUTATION_ROW
};

#ifdef LODE_DEBUG
Mutation mutation_active;
#endif

void mutation_init(void)
{
#ifdef LODE_DEBUG
    const char *wanted = getenv("LODE_MUTATION");
    mutation_active = MUTATION_NONE;
    if (wanted == NULL || wanted[0] == '\0')
        return;
    for (size_t i = 1; i < COUNT_OF(mutations); i++)
        if (strcmp(mutations[i].name, wanted) == 0)
            mutation_active = (Mutation)i;
    if (mutation_active == MUTATION_NONE)
        ereport(ERROR, ERR_CONFIG, errmsg("LODE_MUTATION: no mutation is named \"%s\"", wanted));
#endif
}

const char *mutation_name(int i)
{
    return i >= 0 && i + 1 < (int)COUNT_OF(mutations) ? mutations[i + 1].name : NULL;
}

const char *mutation_rule(int i)
{
    return i >= 0 && i + 1 < (int)COUNT_OF(mutations) ? mutations[i + 1].rule : NULL;
}
