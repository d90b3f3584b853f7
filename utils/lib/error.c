/*
 * error.c: ereport, handlers, resource owners, critical sections.  The rules are in include/lib/error.h.
 *
 * An ErrorStack is a fiber's: a chain of handlers (those inside TRY), a chain of caught ones (those inside CATCH, each
 * owning its ErrorData), the list of reports being built, the resources.  Arriving at a handler by a jump:
 *   E1  resources and latches above the handler's marks are released, last first, while the old handler chain is
 *       already cut: a release function that raises would lose the first error, so that is a PANIC.
 *   E2  caught handlers and half-built reports deeper than the handler are dropped, for their C frames are gone.
 * ErrorData come from a free list backed by a few static ones, so that reporting works without memory.
 */
#include "lib/error.h"
#include "lib/latch.h"
#include "lib/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct Resource {
    ResourceFn fn;
    void *ptr;
} Resource;

struct ErrorStack {
    ErrorHandler *handlers;
    ErrorHandler *caught;
    ErrorData *building;
    Resource *resources;
    size_t resource_count;
    size_t resource_cap;
    MemoryContext *memory; /* NULL: the top context */
    bool releasing;
};

static _Thread_local ErrorStack first_stack;
static _Thread_local ErrorStack *current; /* NULL: first_stack */
static _Thread_local ErrorData reserve[4];
static _Thread_local bool reserve_given;
static _Thread_local ErrorData *free_errors;

static void (*on_fatal_hook)(const ErrorData *);
static void (*on_panic_hook)(const ErrorData *);

static _Thread_local _Atomic uint32_t private_crit_word;
_Thread_local _Atomic uint32_t *crit_word;
_Thread_local uint32_t crit_number;
_Thread_local unsigned crit_depth;

__attribute__((constructor)) static void crit_word_start(void)
{
    crit_word = &private_crit_word;
}

void crit_word_set(_Atomic uint32_t *word)
{
    if (word == NULL)
        word = &private_crit_word;
    if (word == crit_word)
        return;
    atomic_store(word, atomic_load(crit_word));
    atomic_store(crit_word, 0);
    crit_word = word;
}

static inline ErrorStack *stack_now(void)
{
    return likely(current != NULL) ? current : (current = &first_stack);
}

/* ---- names ---- */

static const struct {
    const char *name, *text;
} codes[] = {
#define ERROR_CODE(name, text) {#name, text},
#include "utils/lib/errcodes.def"
#undef ERROR_CODE
};

const char *error_code_name(ErrorCode code)
{
    return (unsigned)code < COUNT_OF(codes) ? codes[code].name : "?";
}

const char *error_code_text(ErrorCode code)
{
    return (unsigned)code < COUNT_OF(codes) ? codes[code].text : "?";
}

const char *error_level_name(ErrorLevel level)
{
    switch (level) {
    case DEBUG1:
        return "DEBUG";
    case INFO:
        return "INFO";
    case LOG:
        return "LOG";
    case WARNING:
        return "WARNING";
    case ERROR:
        return "ERROR";
    case FATAL:
        return "FATAL";
    case PANIC:
        return "PANIC";
    }
    return "?";
}

ErrorCode error_code_of_errno(int err)
{
    switch (err) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ERR_DISK_FULL;
    case ENOENT:
    case ENOTDIR:
        return ERR_NO_FILE;
    case EEXIST:
        return ERR_FILE_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_NO_PERMISSION;
    case ENOMEM:
        return ERR_OUT_OF_MEMORY;
    case EINTR:
        return ERR_INTERRUPTED;
    default:
        return ERR_IO;
    }
}

const char *errno_text(void)
{
    static _Thread_local char text[128];
    ErrorData *e = stack_now()->building;
    return strerror_r(e ? e->saved_errno : errno, text, sizeof text);
}

/* ---- error records ---- */

static ErrorData *data_get(void)
{
    if (!reserve_given) {
        reserve_given = true;
        for (size_t i = 0; i < COUNT_OF(reserve); i++) {
            reserve[i].next = free_errors;
            free_errors = &reserve[i];
        }
    }
    ErrorData *e = free_errors;
    if (e) {
        free_errors = e->next;
    } else if ((e = malloc(sizeof *e)) == NULL) {
        static const char text[] = "PANIC:  no memory to report an error\n";
        if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
        }
        abort();
    }
    e->next = NULL;
    e->payload = NULL;
    e->message[0] = e->detail[0] = e->hint[0] = 0;
    return e;
}

static void data_put(ErrorData *e)
{
    e->next = free_errors;
    free_errors = e;
}

/* ---- ends ---- */

void error_set_hooks(void (*on_fatal)(const ErrorData *), void (*on_panic)(const ErrorData *))
{
    on_fatal_hook = on_fatal;
    on_panic_hook = on_panic;
}

NORETURN static void die_panic(ErrorData *e)
{
    static _Thread_local bool dying;
    e->level = PANIC;
    if (!dying) {
        dying = true;
        log_error(e);
        if (on_panic_hook)
            on_panic_hook(e);
    }
    abort();
}

NORETURN static void die_fatal(ErrorData *e)
{
    e->level = FATAL;
    log_error(e);
    ErrorStack *s = stack_now();
    s->handlers = NULL;
    if (!s->releasing) {
        s->releasing = true;
        resource_release_to(0);
        latch_release_to(0);
    }
    if (on_fatal_hook)
        on_fatal_hook(e);
    exit(1);
}

void assert_failed(const char *condition, const char *file, int line, const char *func)
{
    ErrorData *e = data_get();
    e->code = ERR_INTERNAL;
    e->file = file;
    e->line = line;
    e->func = func;
    e->saved_errno = errno;
    snprintf(e->message, sizeof e->message, "assertion failed: %s", condition);
    snprintf(e->detail, sizeof e->detail, "%s:%d, in %s.", file, line, func);
    die_panic(e);
}

/* ---- jumping ---- */

static void caught_drop_to(ErrorStack *s, const ErrorHandler *keep)
{
    while (s->caught != keep) {
        ErrorHandler *h = s->caught;
        Assert(h != NULL);
        s->caught = h->caught_below;
        h->caught = false;
        if (h->error)
            data_put(h->error);
        h->error = NULL;
    }
}

NORETURN static void jump(ErrorData *e)
{
    ErrorStack *s = stack_now();
    if (crit_depth > 0 || s->releasing || e->level >= PANIC)
        die_panic(e);
    ErrorHandler *h = s->handlers;
    if (h == NULL || e->level >= FATAL)
        die_fatal(e);

    /* E2, but `e` itself may belong to the caught handler that rethrows: rethrow has taken it out already. */
    s->handlers = h->previous;
    h->linked = false;
    while (s->building != h->building) {
        ErrorData *b = s->building;
        s->building = b->next;
        data_put(b);
    }
    caught_drop_to(s, h->caught_below);

    /* E1 */
    s->releasing = true;
    resource_release_to(h->resource_depth);
    latch_release_to(h->latch_depth);
    s->releasing = false;

    s->memory = h->memory;
    h->error = e;
    h->caught = true;
    s->caught = h;
    siglongjmp(h->jump, 1);
}

bool error_start(ErrorLevel level, ErrorCode code, const char *file, int line, const char *func)
{
    if (level < ERROR && !log_wanted(level))
        return false;
    int err = errno;
    ErrorStack *s = stack_now();
    ErrorData *e = data_get();
    e->level = level;
    e->code = code;
    e->saved_errno = err;
    e->file = file;
    e->line = line;
    e->func = func;
    e->next = s->building;
    s->building = e;
    return true;
}

void error_finish(void)
{
    ErrorStack *s = stack_now();
    ErrorData *e = s->building;
    Assert(e != NULL);
    s->building = e->next;
    if (e->message[0] == 0)
        snprintf(e->message, sizeof e->message, "%s", error_code_text(e->code));
    if (e->level < ERROR) {
        log_error(e);
        errno = e->saved_errno;
        data_put(e);
        return;
    }
    jump(e);
}

static void format_into(char *to, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(to, size, format, args);
    if (n >= (int)size) /* cut before a UTF-8 continuation byte's lead, and show it */
        memcpy(to + size - 4, "...", 4);
}

#define DEFINE_PART(function, field) \
    void function(const char *format, ...) \
    { \
        ErrorData *e = stack_now()->building; \
        va_list args; \
        va_start(args, format); \
        errno = e->saved_errno; \
        format_into(e->field, sizeof e->field, format, args); \
        va_end(args); \
    }

DEFINE_PART(errmsg, message)
DEFINE_PART(errdetail, detail)
DEFINE_PART(errhint, hint)

void errpayload(void *payload)
{
    stack_now()->building->payload = payload;
}

void error_throw(const ErrorData *err)
{
    ErrorData *e = data_get();
    *e = *err;
    e->next = NULL;
    if (e->level < ERROR)
        e->level = ERROR;
    jump(e);
}

void error_unwind(void *record)
{
    ErrorData *e = data_get();
    e->level = ERROR;
    e->code = ERR_UNWIND;
    e->saved_errno = 0;
    e->file = __FILE__;
    e->line = __LINE__;
    e->func = __func__;
    e->payload = record;
    jump(e);
}

void rethrow(void)
{
    ErrorStack *s = stack_now();
    ErrorHandler *h = s->caught;
    if (h == NULL || h->error == NULL)
        assert_failed("rethrow inside CATCH", __FILE__, __LINE__, __func__);
    ErrorData *e = h->error;
    h->error = NULL;
    jump(e);
}

const ErrorData *error_caught(void)
{
    ErrorHandler *h = stack_now()->caught;
    return h ? h->error : NULL;
}

/* ---- handlers ---- */

void error_handler_push(ErrorHandler *h)
{
    ErrorStack *s = stack_now();
    h->previous = s->handlers;
    h->resource_depth = s->resource_count;
    h->latch_depth = latch_depth();
    h->linked = true;
    h->caught = false;
    h->memory = s->memory;
    h->error = NULL;
    h->building = s->building;
    h->caught_below = s->caught;
    h->stack = s;
    s->handlers = h;
}

void error_handler_pop(void)
{
    ErrorStack *s = stack_now();
    Assert(s->handlers != NULL);
    s->handlers->linked = false;
    s->handlers = s->handlers->previous;
}

void error_handler_leave(ErrorHandler *h)
{
    ErrorStack *s = h->stack;
    if (h->linked) { /* return or break out of TRY */
        Assert(s == stack_now());
        while (s->handlers && s->handlers != h)
            s->handlers = s->handlers->previous;
        if (s->handlers)
            s->handlers = h->previous;
        h->linked = false;
    }
    if (h->caught)
        caught_drop_to(s, h->caught_below);
}

/* ---- resources ---- */

void resource_push(ResourceFn fn, void *ptr)
{
    ErrorStack *s = stack_now();
    if (s->resource_count == s->resource_cap) {
        size_t cap = s->resource_cap ? s->resource_cap * 2 : 32;
        Resource *r = realloc(s->resources, cap * sizeof *r);
        if (r == NULL)
            ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("out of memory"),
                    errdetail("Failed on %zu resource entries.", cap));
        s->resources = r;
        s->resource_cap = cap;
    }
    s->resources[s->resource_count++] = (Resource){fn, ptr};
}

static Resource resource_take(void *ptr)
{
    ErrorStack *s = stack_now();
    for (size_t i = s->resource_count; i-- > 0;) {
        if (likely(i + 1 == s->resource_count && s->resources[i].ptr == ptr))
            return s->resources[--s->resource_count];
        if (s->resources[i].ptr != ptr)
            continue;
        Resource r = s->resources[i];
        memmove(s->resources + i, s->resources + i + 1, (s->resource_count - i - 1) * sizeof r);
        s->resource_count--;
        return r;
    }
    assert_failed("resource is noted", __FILE__, __LINE__, __func__);
}

void resource_pop(void *ptr)
{
    resource_take(ptr);
}

void resource_release(void *ptr)
{
    Resource r = resource_take(ptr);
    r.fn(r.ptr);
}

size_t resource_depth(void)
{
    return stack_now()->resource_count;
}

void resource_release_to(size_t depth)
{
    ErrorStack *s = stack_now();
    while (s->resource_count > depth) {
        Resource r = s->resources[--s->resource_count];
        r.fn(r.ptr);
    }
}

/* ---- per-fiber stacks, current memory context ---- */

ErrorStack *error_stack_create(void)
{
    ErrorStack *s = calloc(1, sizeof *s);
    if (s == NULL)
        ereport(ERROR, ERR_OUT_OF_MEMORY, errmsg("out of memory"), errdetail("Failed on an error stack."));
    s->memory = memctx_current();
    return s;
}

void error_stack_free(ErrorStack *s)
{
    if (s == NULL || s == &first_stack)
        return;
    Assert(s != current);
    free(s->resources);
    free(s);
}

ErrorStack *error_stack_switch(ErrorStack *s)
{
    ErrorStack *old = stack_now();
    Assert(crit_depth == 0 && latch_none_held()); /* I2 */
    current = s ? s : &first_stack;
    return old;
}

ErrorStack *error_stack_current(void)
{
    return stack_now();
}

MemoryContext *memctx_current(void)
{
    MemoryContext *ctx = stack_now()->memory;
    return ctx ? ctx : memctx_top();
}

MemoryContext *memctx_switch(MemoryContext *ctx)
{
    MemoryContext *old = memctx_current();
    stack_now()->memory = ctx;
    return old;
}
