/* call.h -- calling Ruby from C, and raising: the whole interface of the interpreter to built-ins
 *
 * A built-in is `Value fn(Value self, int argc, const Value *argv)`: argc was checked against its
 * row.  argv lies on the VM stack (rooted).  Keywords arrive as a last Hash argument when the row says BI_KW
 * (call_keywords() tells a keyword hash from a positional one); for other rows they are a plain last Hash.
 * Errors unwind by vm_raise(); resources are freed by vm_ensure() or resource owners (lib/error.h).
 */
#ifndef VM_CALL_H
#define VM_CALL_H
#include "vm/class.h"
#include "vm/symbol.h"

/* Calls with any visibility (as `send`). */
Value vm_call(Value recv, Value name, int argc, const Value *argv);
Value vm_call_kw(Value recv, Value name, int argc, const Value *argv); /* last argument is a Hash of keywords */
Value vm_call_with_block(Value recv, Value name, int argc, const Value *argv, Value block); /* block: Proc or nil */
Value vm_call_public(Value recv, Value name, int argc, const Value *argv, Value block); /* visibility enforced (public_send) */
#define vm_call0(recv, name) vm_call((recv), (name), 0, NULL)
#define vm_call1(recv, name, a) vm_call((recv), (name), 1, (Value[]){(a)})
#define vm_call2(recv, name, a, b) vm_call((recv), (name), 2, (Value[]){(a), (b)})
/* V_UNDEF when recv does not respond (honours respond_to_missing?). */
Value vm_call_if_responds(Value recv, Value name, int argc, const Value *argv);
bool vm_responds_to(Value recv, Value name, bool include_private);
Value vm_call_method(Value recv, MethodEntry *me, int argc, const Value *argv, Value block);
Value vm_call_super(int argc, const Value *argv); /* from a built-in: the next method up */

/* The block of the running built-in. */
bool block_given(void);
Value block_proc(void);      /* Proc, made if need be; nil without a block */
Value vm_yield(int argc, const Value *argv); /* LocalJumpError without a block */
static inline Value vm_yield1(Value a)
{
    return vm_yield(1, &a);
}
Value vm_yield2(Value a, Value b); /* two arguments, as yield(a, b) */
Value proc_call(Value proc, int argc, const Value *argv);
Value proc_call_with_block(Value proc, int argc, const Value *argv, Value block);
bool call_keywords(void);    /* did the running built-in get its last argument as keywords? */
/* Takes the keyword hash off the end of the arguments (argc shrinks); V_NIL when none was passed. */
Value call_take_keywords(int *argc, const Value *argv);
/* One keyword out of that hash: V_UNDEF when absent. */
Value keyword_get(Value hash, const char *name);
/* ArgumentError for keys that are not listed ("unknown keyword: :x"); names end with NULL. */
void keywords_only(Value hash, const char *const *names);
Value enumerator_for(Value self, Value method, int argc, const Value *argv); /* to_enum, for built-ins without a block */
#define RETURN_ENUMERATOR(name) \
    do {                        \
        if (!block_given())     \
            return enumerator_for(self, SYM(name), argc, argv); \
    } while (0)

/* Raising. raise_error's format is printf's plus: %V inspect of a Value, %T its to_s, %C name of a class Value or, for
 * other Values, of its class; all Values as uint64_t. */
_Noreturn void vm_raise(Value exception);
_Noreturn void raise_error(Value cls, const char *format, ...);
_Noreturn void raise_no_memory(void); /* NoMemoryError: a size that nobody has, or malloc gave up */
_Noreturn void raise_frozen(Value obj);                       /* can't modify frozen String: "abc" */
_Noreturn void raise_arity(int given, int min, int max);      /* wrong number of arguments (given 1, expected 2) */
_Noreturn void raise_no_conversion(Value v, const char *to);  /* no implicit conversion of X into to */
_Noreturn void raise_errno(int err, const char *format, ...); /* Errno::ENOENT: No such file ... - text */
_Noreturn void raise_name_error(Value recv, Value name, const char *format, ...);
_Noreturn void raise_key_error(Value recv, Value key, const char *format, ...);
_Noreturn void raise_stop_iteration(Value result, const char *message);
_Noreturn void raise_not_implemented(const char *what);
Value exception_new(Value cls, const char *format, ...);
Value exception_message(Value exc); /* String, never raises */
Value error_to_exception(void); /* inside CATCH of an ereport: the Ruby exception for the storage or library error */

Value vm_ensure(Value (*body)(void *), void *arg, void (*cleanup)(void *), void *cleanup_arg);
/* Runs body; when it raises an exception that is a `cls`, returns V_UNDEF and sets *exc. */
Value vm_rescue(Value (*body)(void *), void *arg, Value cls, Value *exc);
/* Everything that unwinds is caught: returns false and parks the unwind record in *record; vm_resume_unwind goes on. */
bool vm_protect(Value (*body)(void *), void *arg, Value *result, Value *record);
_Noreturn void vm_resume_unwind(Value record);
Value vm_catch(Value tag, Value (*body)(void *), void *arg);
_Noreturn void vm_throw(Value tag, Value v);

/* Recursion guard for inspect, ==, hash, ...: runs fn, or gives V_UNDEF when (obj, other) is under way under `name`. */
Value vm_guard_recursion(Value name, Value obj, Value other, Value (*fn)(void *), void *arg);

/* Long C loops call this: runs interrupts, time slices, safepoints (hollow mode). */
void vm_check_interrupts_slow(void);
extern volatile uint32_t vm_interrupt_flag;
static inline void vm_check_interrupts(void)
{
    if (__builtin_expect(vm_interrupt_flag != 0, 0))
        vm_check_interrupts_slow();
}
void vm_check_stack(void); /* raises SystemStackError when the C stack runs low */

/* Source to running code. */
Value vm_eval_source(const char *src, size_t len, const char *file, int line, Value self, Value cref); /* top-level style */
Value vm_require(Value feature); /* true, false; LoadError */
/* Has what require would load for feature run?  NONE: no, or there is no such file; MINE: this thread is at it. */
typedef enum { LOAD_NONE, LOAD_DONE, LOAD_MINE, LOAD_ELSEWHERE } LoadState;
LoadState load_feature_state(Value feature);
bool load_wait_for(Value feature);        /* until no other thread loads it; false when none did */
Value load_absolute_path(Value file);     /* of a code's path: "script.rb" as it was found at the start; nil for an eval's */

Value load_current_dir(void);             /* what __dir__ is in the nearest Ruby frame: nil in an eval without a file name */

/* Autoload (autoload.c): what a file that is being autoloaded has set so far is seen by its thread alone. */
typedef enum { AUTOLOAD_OPEN /* to be loaded */, AUTOLOAD_SET /* this thread loads it and has set the constant */,
               AUTOLOAD_SPENT /* loaded, or being loaded by this thread, and the constant is not set */ } AutoloadState;
enum { AUTOLOAD_MODULE, AUTOLOAD_NAME, AUTOLOAD_VALUE, AUTOLOAD_LOCATION, AUTOLOAD_FLAGS /* fixnum */, AUTOLOAD_FIELDS };
AutoloadState autoload_state(Value mod, Value name, Value path, Value *constant /* Array of AUTOLOAD_FIELDS, or nil */);
bool autoload_set(Value mod, Value name, Value path, Value v); /* false: this thread does not autoload path */
void autoload_run(Value path);            /* requires it; then everybody sees what it set */
Value vm_backtrace(int skip);    /* Array of Strings; nil when deeper than there is */
const char *vm_current_file(void); /* of the nearest Ruby frame */
int vm_current_line(void);
/* Where an object is being made: nearest Ruby code with the word of its pc, and the method (or nil) that runs, `new` passed
 * over.  False outside of any program.  Allocates nothing. */
bool vm_allocation_site(Value *code, uint32_t *word, Value *method);
/* Frame-local specials: $~ and $_ of the nearest Ruby frame below the built-in. */
Value frame_last_match(void);
void frame_set_last_match(Value match);
Value frame_last_line(void);
void frame_set_last_line(Value line);
Value frame_self(void);   /* self of the caller */
Value frame_cref(void);
Value frame_renew_cref(void); /* a cref of its own for the caller: methods and blocks made before keep the one they had */
Value frame_method_name(void); /* of the calling Ruby frame: symbol or nil */

/* Global variables: plain, or with C hooks. */
Value gvar_get(Value name);
void gvar_set(Value name, Value v);
void gvar_define(const char *name, Value *place);
void gvar_define_hooked(const char *name, Value (*get)(Value name), void (*set)(Value name, Value v)); /* set NULL: read-only */
void gvar_define_constant(const char *name, Value v); /* read-only */
void gvar_alias(Value new_name, Value old_name);
bool gvar_defined(Value name);
bool warn_wanted(const char *category); /* does Warning[:category] say so, and $VERBOSE not no? */
void warn_printf_at(Value location, const char *format, ...); /* location: [file, line], else nothing is printed */
void warn_printf_verbose(const char *format, ...); /* only with -w */
void warn_printf(const char *format, ...); /* Kernel#warn level: not with -W0; format as raise_error */

/* Process-wide VM. */
Value vm_main_object(void);
#endif
