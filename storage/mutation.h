/*
 * mutation.h - MUTATION(name): true when the rule of that name is switched off, to see a test fail (mutations.def).
 * In release builds it is the constant false.
 */
#ifndef STORAGE_MUTATION_H
#define STORAGE_MUTATION_H

#include "lib/base.h"

typedef enum Mutation {
    MUTATION_NONE,
#define MUTATION_ROW(name, text) MUTATION_##name,
#include "storage/mutations.def"
#undef MUTATION_ROW
    MUTATION_COUNT
} Mutation;

#ifdef LODE_DEBUG
extern Mutation mutation_active;
#define MUTATION(name) unlikely(mutation_active == MUTATION_##name)
#else
#define MUTATION(name) false
#endif

/* Reads LODE_MUTATION; an unknown name raises ERR_CONFIG.  Called by store_open(). */
void mutation_init(void);
/* The i-th row's name and rule; NULL beyond the last. */
const char *mutation_name(int i);
const char *mutation_rule(int i);

#endif
