/* big_work.h -- operations of GMP that may take long, so that interrupts and other threads have their turn meanwhile */
#ifndef VM_CORE_BIG_WORK_H
#define VM_CORE_BIG_WORK_H
#include <gmp.h>
#include "vm/value.h"

/* What is to be done, for `run` to do: in and text to out and text, nothing else is touched. */
typedef struct BigWork {
    void (*run)(struct BigWork *);
    mpz_srcptr in[3];   /* NULL: unused */
    uint64_t number;    /* exponent, base */
    char *text;         /* malloc'ed, by caller or run; who calls big_work frees it, unless big_work raises */
    mpz_t out[2];       /* big_work initialises them; what `run` did not set needs no mpz_clear */
} BigWork;

/*
 * Does the work.  `n` and `m`: limbs whose product says how long it takes.  Small work is done here and now: nothing runs, nothing is
 * raised.  Past that a helper thread does it, on copies, while this one waits: interrupts and other threads run, and what they raise
 * leaves the helper behind, which finishes for itself.
 */
void big_work(BigWork *work, uint64_t n, uint64_t m);
#endif
