/*
 * deep.c - the large stack for work that recurses as deep as the source nests.
 *
 * Fibers have 256 KiB of C stack; a tree may be thousands of levels deep.  So
 * parser, reader and the compiler's first pass run on one stack of 64 MiB of
 * address space (touched as needed, given back after use), one user at a time.
 *
 * I1: prism_native_floor is below the current stack pointer whenever prism.c
 *     runs, or NULL.
 * I2: a C error never crosses the switch: it is caught on the deep stack and
 *     raised again on the caller's.
 *
 * Process-local, no locks: nothing in here yields.
 */
#include <sys/mman.h>
#include <ucontext.h>

#include "lib/error.h"
#include "vm/parse.h"
#include "vm/parse/prism_host.h"

#define DEEP_STACK_SIZE ((size_t)64 << 20)
#define DEEP_GUARD ((size_t)64 << 10)
/* What stays resident between calls. */
#define DEEP_KEEP ((size_t)256 << 10)
/* Left below the parser's floor for reader, error handling and libc. */
#define DEEP_RESERVE ((size_t)1 << 20)

#ifdef LODE_SANITIZE
void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom_old, size_t *size_old);
#endif

static char *deep_base;
static bool deep_active;
static ucontext_t deep_caller;
static ucontext_t deep_context;
static void (*deep_fn)(void *);
static void *deep_arg;
static bool deep_failed;
static ErrorData deep_error; /* what to raise on the caller's stack, if deep_failed */

char *prism_native_floor;

static void deep_enter(void)
{
#ifdef LODE_SANITIZE
    const void *bottom_old;
    size_t size_old;
    __sanitizer_finish_switch_fiber(NULL, &bottom_old, &size_old);
#endif
    TRY()
    {
        deep_fn(deep_arg);
    }
    CATCH(err)
    {
        deep_error = *err;
        deep_failed = true;
    }
    END_TRY();
#ifdef LODE_SANITIZE
    __sanitizer_start_switch_fiber(NULL, bottom_old, size_old);
#endif
    /* Falls off its end into uc_link: the caller. */
}

void deep_call(void (*fn)(void *arg), void *arg)
{
    if (deep_active) {
        fn(arg);
        return;
    }
    if (deep_base == NULL) {
        char *base = mmap(NULL, DEEP_STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (base == MAP_FAILED)
            ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("no address space for the parser's stack"));
        mprotect(base, DEEP_GUARD, PROT_NONE);
        deep_base = base;
    }
    deep_fn = fn;
    deep_arg = arg;
    deep_failed = false;
    getcontext(&deep_context);
    deep_context.uc_stack.ss_sp = deep_base;
    deep_context.uc_stack.ss_size = DEEP_STACK_SIZE;
    deep_context.uc_link = &deep_caller;
    makecontext(&deep_context, deep_enter, 0);
    deep_active = true;
    prism_native_floor = deep_base + DEEP_GUARD + DEEP_RESERVE;
#ifdef LODE_SANITIZE
    void *fake_stack;
    __sanitizer_start_switch_fiber(&fake_stack, deep_base, DEEP_STACK_SIZE);
#endif
    swapcontext(&deep_caller, &deep_context);
#ifdef LODE_SANITIZE
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    prism_native_floor = NULL;
    deep_active = false;
    madvise(deep_base + DEEP_GUARD, DEEP_STACK_SIZE - DEEP_GUARD - DEEP_KEEP, MADV_DONTNEED);
    if (deep_failed)
        error_throw(&deep_error);
}
