/*
 * error.h: the one way of errors: ereport, handlers, resource owners, critical sections.
 *
 *     ereport(ERROR, ERR_IO, errmsg("could not read file \"%s\": %s", path, errno_text()),
 *             errdetail("Offset %lld.", off), errhint("Check the disk."));
 *
 *     TRY()
 *     {
 *         ...
 *     }
 *     CATCH(err)
 *     {
 *         log_message(WARNING, "%s", err->message);     // or rethrow();
 *     }
 *     END_TRY();
 *
 * Levels below ERROR are logged and return.  ERROR jumps (siglongjmp, no signal mask) to the nearest TRY of this
 * fiber; with none, it is FATAL.  FATAL logs, releases all resources, and ends this process with status 1.  PANIC
 * logs and aborts; the postmaster then stops everyone and recovers.  In a critical section any ERROR is a PANIC.
 *
 * In TRY or CATCH `return`, `break` and `goto` out are allowed (the handler is unlinked by its scope).  A local that
 * is changed inside TRY and read in CATCH or after must be volatile.
 *
 * Each fiber has its own ErrorStack: handlers, resources, current memory context.  I1: a handler notes the depths of
 * resources and held latches, and its memory context; arriving there by a jump releases what is above, last first.
 * I2: a fiber switch with a latch held or inside a critical section is a bug (asserted).
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include "lib/base.h"
#include "lib/memory.h"
#include <errno.h>
#include <setjmp.h>

/* gcc's guess at "changed in TRY, read after" also names locals that are not; the rule above is ours to keep. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclobbered"
#endif

typedef enum { DEBUG1 = 10, INFO, LOG, WARNING, ERROR = 20, FATAL, PANIC } ErrorLevel;

typedef enum {
#define ERROR_CODE(name, text) ERR_##name,
#include "utils/lib/errcodes.def"
#undef ERROR_CODE
    ERR_COUNT
} ErrorCode;

/* The code's name ("IO") and what it means in a few words. */
const char *error_code_name(ErrorCode code);
const char *error_code_text(ErrorCode code);
const char *error_level_name(ErrorLevel level);

typedef struct ErrorData {
    ErrorLevel level;
    ErrorCode code;
    int saved_errno; /* errno when ereport was entered */
    int line;
    const char *file;
    const char *func;
    void *payload; /* ERR_UNWIND: the VM's unwinding record; else what errpayload set */
    char message[1024];
    char detail[1024];
    char hint[512];
    struct ErrorData *next; /* private to error.c */
} ErrorData;

/* errmsg & co. are only valid as arguments of ereport.  They format with printf rules and truncate when too long. */
#define ereport(level, code, ...) \
    do { \
        if (error_start((level), (code), __FILE__, __LINE__, __func__)) { \
            __VA_ARGS__; \
            error_finish(); \
        } \
        if (__builtin_constant_p(level) && (level) >= ERROR) \
            __builtin_unreachable(); \
    } while (0)

void errmsg(const char *format, ...) PRINTF_LIKE(1, 2);
void errdetail(const char *format, ...) PRINTF_LIKE(1, 2);
void errhint(const char *format, ...) PRINTF_LIKE(1, 2);
void errpayload(void *payload);

/* strerror of the errno at ereport's entry (inside its arguments), else of errno now.  Thread-local buffer. */
const char *errno_text(void);
/* ERR_DISK_FULL, ERR_NO_PERMISSION, ERR_NO_FILE, ... or ERR_IO for an errno. */
ErrorCode error_code_of_errno(int err);

bool error_start(ErrorLevel level, ErrorCode code, const char *file, int line, const char *func);
void error_finish(void);

/* ---- handlers ---- */

typedef struct ErrorHandler {
    struct ErrorHandler *previous;
    size_t resource_depth;
    unsigned latch_depth;
    bool linked;
    bool caught;
    MemoryContext *memory;
    ErrorData *error;                    /* what brought us into CATCH */
    ErrorData *building;                 /* ereports being built when we were pushed */
    struct ErrorHandler *caught_below;   /* handlers in their CATCH when we were pushed; then below us */
    struct ErrorStack *stack;
    sigjmp_buf jump;
} ErrorHandler;

#define TRY() \
    do { \
        __attribute__((cleanup(error_handler_leave))) ErrorHandler CONCAT(handler_, __LINE__); \
        error_handler_push(&CONCAT(handler_, __LINE__)); \
        if (sigsetjmp(CONCAT(handler_, __LINE__).jump, 0) == 0) {

#define CATCH(err) \
    error_handler_pop(); \
    } \
    else \
    { \
        const ErrorData *err UNUSED = error_caught();

#define END_TRY() \
    } \
    } \
    while (0)

/* Inside CATCH: raises the caught error again, to the next handler out. */
NORETURN void rethrow(void);

/* The innermost error being handled (inside CATCH), or NULL. */
const ErrorData *error_caught(void);

/* Raises a copy of `err` (for instance one that came from another process). */
NORETURN void error_throw(const ErrorData *err);

/*
 * The VM's non-local exits (Ruby's raise, break, throw, ...) across C frames: jumps like an ERROR of code ERR_UNWIND,
 * with `record` as payload.  C code that catches it must rethrow it.  It formats no text and costs little.
 */
NORETURN void error_unwind(void *record);

void error_handler_push(ErrorHandler *handler);
void error_handler_pop(void);
void error_handler_leave(ErrorHandler *handler);

/* ---- resource owners ---- */

typedef void (*ResourceFn)(void *ptr);

/* fn(ptr) is called when an error unwinds past here.  May raise out-of-memory, before anything is noted. */
void resource_push(ResourceFn fn, void *ptr);
/* Forgets the newest entry of `ptr` without calling its function (the owner has released it, or handed it on). */
void resource_pop(void *ptr);
/* Pops the newest entry of `ptr` and calls its function. */
void resource_release(void *ptr);
size_t resource_depth(void);
/* Releases all above `depth`, last first. */
void resource_release_to(size_t depth);

/* ---- per-fiber stacks ---- */

typedef struct ErrorStack ErrorStack;

ErrorStack *error_stack_create(void); /* in malloced memory; its current memory context is that of the caller */
void error_stack_free(ErrorStack *stack);
/* Makes `stack` this thread's; returns the one before.  NULL: the process's first. */
ErrorStack *error_stack_switch(ErrorStack *stack);
ErrorStack *error_stack_current(void);

/* ---- critical sections ---- */

/*
 * Between START_CRIT and END_CRIT any error is a PANIC: shared memory may be half changed.  They nest.  The word that
 * the postmaster reads of a child (0 = it is in no critical section) is *crit_word; a held latch counts too.
 * It is private memory until crit_word_set points it into the session's slot.
 *
 * Low byte: sections and latches held.  The rest: the number of the outermost section, so that who sees the same word
 * twice knows that it is still the same one.
 */
extern _Thread_local _Atomic uint32_t *crit_word;
extern _Thread_local uint32_t crit_number;
extern _Thread_local unsigned crit_depth;

#define CRIT_COUNT(word)  ((word) & 0xff)
#define CRIT_NUMBER_SHIFT 8
#define CRIT_SAME(a, b)   ((a) != 0 && (b) != 0 && ((a) ^ (b)) >> CRIT_NUMBER_SHIFT == 0)

/* Moves the word's content into `word` (NULL: back to private memory). */
void crit_word_set(_Atomic uint32_t *word);

/* Plain stores suffice: only the owner writes it; the fences keep the compiler honest. */
static inline void crit_word_enter(void)
{
    uint32_t word = atomic_load_explicit(crit_word, memory_order_relaxed);
    word = word == 0 ? ++crit_number << CRIT_NUMBER_SHIFT | 1 : word + 1;
    atomic_store_explicit(crit_word, word, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void crit_word_leave(void)
{
    atomic_signal_fence(memory_order_seq_cst);
    uint32_t word = atomic_load_explicit(crit_word, memory_order_relaxed);
    atomic_store_explicit(crit_word, CRIT_COUNT(word) == 1 ? 0 : word - 1, memory_order_relaxed);
}

#define START_CRIT() (crit_depth++, crit_word_enter())
#define END_CRIT() \
    do { \
        Assert(crit_depth > 0); \
        crit_word_leave(); \
        crit_depth--; \
    } while (0)

/* ---- ends ---- */

/*
 * What to do at FATAL after resources are released (default: exit(1)), and before PANIC's abort (for instance to mark
 * the shared slot).  Either may be NULL.  on_fatal may not return.
 */
void error_set_hooks(void (*on_fatal)(const ErrorData *), void (*on_panic)(const ErrorData *));

#endif
