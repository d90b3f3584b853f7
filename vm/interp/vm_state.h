/*
 * vm_state.h: the interpreter's state and the inline helpers of its files (private to vm/interp and the control
 * classes of vm/core).
 *
 * One process is one session, so there is one Vm.  Frames and VM stack belong to the running fiber; `vm` caches their
 * bounds and a fiber switch swaps them.
 *
 *   X1  f->pc is the word of the instruction that f executes (not the next one) while anything may collect, raise or
 *       call.  Who returns into f goes on at pc + length of that instruction.
 *   X2  Every word of the VM stack below vm.fp->top was a live Value when it was written, or has been since the last
 *       collection: the collector clears all above top.  So windows need no clearing at entry.
 *   X3  A frame is complete before vm.fp points to it.
 *   X4  A frame with an Env has base == its Env's slots; who may have caused a reification reloads base.
 *   X5  Frame pointers in block and outer point down the same fiber's frame array: such a frame is alive.
 */
#ifndef INTERP_VM_STATE_H
#define INTERP_VM_STATE_H

#include "lib/error.h"
#include "lib/strbuf.h"
#include "vm/core.h"
#include "vm/frame.h"
#include "vm/options.h"
#include "vm/shape.h"
#include "vm/vm.h"

struct Fiber;

typedef struct Vm {
    Frame *fp;                  /* running frame */
    Frame *frames, *frames_end; /* the running fiber's frames; frames[0] is a sentinel */
    Value *stack, *stack_end;
    InlineCache *caches;        /* reserved range, never moves */
    uint32_t ncaches, caches_cap;
    PolyRow *poly;              /* POLY_ROWS of them */
    char *c_limit;              /* below this address the C stack is nearly used up */
    uint64_t serial;            /* last frame serial given */
    Value errinfo;              /* $! */
    Value result;               /* of the FINISH frame that just returned */
    Value unwind;               /* record of the unwinding under way (between error_unwind and its handler) */
    struct Fiber *fiber, *main_fiber;
    Value main_object;
    Value top_cref;             /* Object, public: for code without a lexical home */
    Value stack_error;          /* reserve for when there is no room to make one */
    bool overflow;              /* handling a stack overflow: the reserve may be used */
    uint32_t string_shape, array_shape, hash_shape;
    Frame *script_frame;        /* of the main script once it runs, with its serial */
    uint64_t script_serial;
    Value script_binding;       /* TOPLEVEL_BINDING until it has the script's locals (binding.c), then nil */
    Value at_exit;              /* Array of Procs */
    Value script_name;          /* $0 */
    Value script_file, script_path; /* the main script as its code names it, and its real path at the start; or nil */
    bool booted;
    bool verbose_nil, verbose, debug; /* $VERBOSE: nil / true */
    Value recursion;            /* recursion guard: Array of name, obj, other triples, of the running fiber */
    Value catch_tags;           /* Array of active tags of the running fiber */
} Vm;
extern Vm vm;

#define FRAME_RESERVE 64  /* frames and */
#define STACK_RESERVE 4096 /* words that only the handling of an overflow may use */

/* ---- operands ---- */
#define OPCODE(pc) ((pc)[0] & 0xffff)
#define ARG_A (pc[0] >> 16)
#define ARG_B (pc[1] & 0xffff)
#define ARG_C (pc[1] >> 16)
#define ARG_D (pc[2] & 0xffff)
#define ARG_E (pc[2] >> 16)

extern uint8_t insn_length[OP_COUNT]; /* words */
extern uint8_t insn_flags[OP_COUNT];

static inline Value operand_object(Code *code, const uint32_t *pc, unsigned at)
{
    return slot_read((Value)code, (Slot *)(uintptr_t)(pc + at));
}
static inline InlineCache *cache_at(const Code *code, uint32_t index)
{
    return &vm.caches[code->cache_base + index];
}

/* ---- guards ---- */
/* What an inline cache compares: the header's upper half, or a number per class of immediates. */
enum { GUARD_FIXNUM = 0xfffffff0u, GUARD_FLONUM, GUARD_SYMBOL, GUARD_NIL, GUARD_TRUE, GUARD_FALSE };
static inline uint32_t value_guard(Value v)
{
    if (is_heap(v))
        return obj_guard_word(v);
    if (is_fixnum(v))
        return GUARD_FIXNUM;
    if (is_flonum(v))
        return GUARD_FLONUM;
    if (is_symbol(v))
        return GUARD_SYMBOL;
    return v == V_NIL ? GUARD_NIL : v == V_TRUE ? GUARD_TRUE : GUARD_FALSE;
}

/* The cache for receivers with this guard word at a site: the site's own, when that word is the first or what it holds is
 * out of date (serial: the one it rests on), else a row of the table, emptied when it was another's. */
static inline InlineCache *cache_for(InlineCache *site, uint32_t guard, uint32_t serial)
{
    if (likely(site->guard == guard) || site->guard == 0 || site->serial != serial)
        return site;
    PolyRow *row = &vm.poly[(((uintptr_t)site >> 5) * 31 ^ guard * 0x9e3779b1u >> 16) & (POLY_ROWS - 1)];
    if (unlikely(row->site != site || row->cache.guard != guard)) {
        row->site = site;
        row->cache = (InlineCache){0};
    }
    return &row->cache;
}

/* InlineCache.extra of a cache, low byte: what `entry` is. */
enum { CACHE_NONE, CACHE_METHOD, CACHE_PLAIN_CODE, CACHE_CHOICES_CODE, CACHE_BUILTIN, CACHE_LEAF, CACHE_READER, CACHE_WRITER,
       CACHE_PROC_CALL, CACHE_IVAR, CACHE_CONST, CACHE_ONCE };

/* ---- frames ---- */
_Noreturn void vm_stack_overflow(void);

static inline void frame_check_room(const Frame *f, const Value *top)
{
    if (unlikely(f >= vm.frames_end - FRAME_RESERVE || top >= vm.stack_end - STACK_RESERVE) &&
        (!vm.overflow || f >= vm.frames_end - 4 || top >= vm.stack_end - 256))
        vm_stack_overflow();
}

static inline bool frame_is_ruby(const Frame *f)
{
    return f->code != NULL;
}

/* The definer of a block's frame, when it is a frame. */
static inline Frame *ref_frame(uint64_t ref)
{
    return (Frame *)(ref & ~(uint64_t)7);
}
static inline bool ref_is_frame(uint64_t ref)
{
    return (ref & 7) == 1;
}

void env_deactivate(Frame *f);
/* Leaves the running frame. */
static inline void frame_pop(void)
{
    Frame *f = vm.fp;
    if (unlikely(f->env != V_NIL))
        env_deactivate(f);
    vm.fp = f - 1;
}

/* A built-in's frame; `top` is above its arguments. */
static inline __attribute__((always_inline)) void frame_push_builtin(MethodEntry *me, Value self, int argc, Value *argv,
                                                                     Value *top, BlockRef block, uint32_t flags)
{
    Frame *f = vm.fp + 1;
    frame_check_room(f, top);
    f->pc = NULL;
    f->base = f->stack = argv;
    f->top = top;
    f->self = self;
    f->code = NULL;
    f->me = me;
    f->block = block;
    f->passed = 0;
    f->outer = 0;
    f->cref = V_NIL;
    f->env = V_NIL;
    f->block_code = NULL;
    f->flags = (uint16_t)(flags | FRAME_BUILTIN);
    f->argc = (uint16_t)argc;
    f->specials = V_NIL;
    f->serial = ++vm.serial;
    vm.fp = f;
}

/* ---- a call on its way (call.c) ---- */
typedef struct Call {
    Value recv;
    Value *argv;       /* on the VM stack or in the caller's window; kw values follow when kw is an Array of names */
    int argc;          /* positional */
    uint32_t name;     /* symbol id */
    Value kw;          /* nil, a Hash of keywords, or an Array of names */
    BlockRef block;
    uint16_t flags;    /* CALL_SELF, CALL_VCALL, CALL_ZSUPER, CALL_KWMUTABLE */
    uint16_t ret, skip; /* of the caller's frame: register for the result, words of its instruction */
    uint32_t frame_flags; /* FRAME_FINISH, FRAME_DISCARD */
    bool is_super;
} Call;

/* What block_invoke may override. */
typedef struct BlockEnv {
    Value self;  /* V_UNDEF: the block's own */
    Value cref;  /* V_UNDEF: likewise */
    MethodEntry *me; /* of define_method, else NULL */
    uint32_t frame_flags;
    BlockRef block; /* the block passed to a lambda by &; 0 none */
    bool lambda;  /* strict, return ends it */
} BlockEnv;

/* Both return true when a frame was pushed (the loop goes on in it), false when *result holds the result. */
bool call_dispatch(Call *c, Value *result);
bool call_entry(Call *c, MethodEntry *me, Value *result);
bool block_invoke(BlockRef block, Call *c, const BlockEnv *over, Value *result);
/* Runs what was pushed with FRAME_FINISH. */
Value vm_exec(void);
static inline Value call_finish(bool pushed, Value result)
{
    return pushed ? vm_exec() : result;
}
MethodEntry *call_lookup(Value recv, uint32_t name);
bool call_method_missing(Call *c, int why, Value *result);
enum { MISSING_NONE, MISSING_PRIVATE, MISSING_PROTECTED, MISSING_SUPER, MISSING_VCALL };
bool call_visible(const Call *c, const MethodEntry *me, int *why);
Value call_builtin(Call *c, MethodEntry *me);
/* Moves the arguments above the running frame's window when they lie in an Env. */
void call_settle(Call *c);
/* Array of names and values behind the arguments -> Hash. */
void call_kw_to_hash(Call *c);
void call_splat(Call *c, Value list); /* argv = elements of list, at the top of the stack */
Value *call_push_args(int argc, const Value *argv, int room); /* copies to the top; room: words before them */
bool call_super_from(Call *c, Frame *home, Value *result);
_Noreturn void raise_unknown_keywords(Value bad); /* Array of them */
Value call_default_method_missing(Value self, int argc, const Value *argv);
/* Built-ins that enter what they call without a frame of their own (BI_SPECIAL): call.c sees to them, nobody calls these. */
Value special_new(Value self, int argc, const Value *argv);
Value special_send(Value self, int argc, const Value *argv);
Value special_public_send(Value self, int argc, const Value *argv);
Value special_instance_exec(Value self, int argc, const Value *argv);
Value special_class_exec(Value self, int argc, const Value *argv);
Value special_proc_call(Value self, int argc, const Value *argv);
Value special_method_call(Value self, int argc, const Value *argv);

/* ---- args.c: lays arguments out as parameters of code.  The frame of the callee is running: errors show it. */
void args_bind(Frame *f, Code *code, int argc, Value kw, bool kw_mutable, bool lambda);
static inline void args_fill_locals(Value *base, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        base[i] = V_NIL;
}

/* ---- env.c ---- */
Value env_reify(Frame *f);         /* the frame's Env, made if need be */
Value env_outermost(Value env);    /* of env and those around it; nil: nil */
void env_boot(void);
Env *env_ptr(Value v);
Value *outer_local(Frame *f, unsigned depth, unsigned index, Value *env); /* address; *env the Env or nil */
Frame *frame_home(Frame *f);       /* method, top or class frame around a block's frame; NULL when it has returned */
Frame *frame_ruby(Frame *f);       /* nearest Ruby frame, f included */
Frame *frame_caller(void);         /* nearest Ruby frame below the running built-in */
Slot *frame_specials(Frame *f, Value *owner); /* where the home's specials lie */
void frames_visit(Visitor *v, Frame *frames, Frame *fp, Value *stack); /* of a fiber */
void stack_wipe(Value *top, Value *end);                               /* what lies above a stack's top means nothing */

bool frame_flip_flop(Frame *f, Value key); /* is it on in f's home frame? */
void frame_set_flip_flop(Frame *f, Value key, bool state);

/* ---- block.c ---- */
Value block_to_proc(BlockRef block);
Value block_new_proc(Code *code, Frame *definer, int flags);
Value frame_block_proc(Frame *f);  /* the block passed to f as Proc or nil; f->block follows */
Value proc_field(Value proc, int field);
bool proc_flag(Value proc, int flag);
Code *proc_code(Value proc);       /* NULL: not Ruby */
Value proc_with_self(Value proc, Value self);
Value proc_from_method(Value method);
Value proc_from_symbol(Value sym);
Value proc_from_symbol_at(Value sym, Value cref);
Value vm_yield_with(BlockRef block, int argc, const Value *argv, const BlockEnv *over);
Value vm_instance_exec(Value self, Value cref, BlockRef block, int argc, const Value *argv);
Value code_parameters(Code *code, bool lambda);
int code_arity(Code *code, bool lambda);
int method_arity(MethodEntry *me);
MethodEntry *method_resolve(MethodEntry *me); /* through aliases */

/* ---- unwind.c ---- */
Value throw_new(int kind, Value target, Value value);
_Noreturn void vm_unwind(Value record);
/* After a jump into vm_exec: finds the handler at or above `entry`; false when the frames are popped and it goes on. */
bool unwind_run(Frame *entry, Value record, bool *finished);
bool unwind_ensured(const Frame *f); /* does an ensure clause surround the instruction that f executes? */
Value unwind_take(const ErrorData *err); /* record of a caught error, whatever it was */
void unwind_frames_to(Frame *f);
_Noreturn void unwind_break(Frame *f, Value v);
_Noreturn void unwind_return(Frame *f, Value v);
void exception_prepare(Value exc);       /* what a raise adds: the cause where none is set, the backtrace once */
void exception_prepare_cause(Value exc);
_Noreturn void raise_prepared(Value exc); /* vm_raise for an exception whose cause is settled */

/* ---- cref ---- */
Value cref_new(Value module, Value outer, int visibility, Value singleton); /* singleton: see CREF_SINGLETON */
static inline Value cref_module(Value cref)
{
    return obj_field(cref, CREF_MODULE);
}
Value cref_definee(Value cref); /* where def goes */

/* ---- backtrace.c ---- */
Value backtrace_capture(int skip);             /* raw: hidden Array */
Value backtrace_capture_of(Frame *frames, Frame *top); /* of a fiber that does not run */
Value backtrace_strings(Value raw);
Value backtrace_locations_of(Value raw);
bool is_backtrace_location(Value v);
Value backtrace_slice(Value list, int argc, const Value *argv); /* (level = 0, count) or (range), as caller takes them */
void backtrace_boot(void);
Value frame_label(Frame *f);
Value frame_callee(Frame *f); /* the name that f's method was called by, as far as the caller's instruction tells; or nil */
void exception_report(Value exc);              /* to standard error, as CRuby */
void exception_report_after(Value head, Value exc); /* behind the String head, or nil */
Value exception_full_message(Value exc, bool highlight, bool reverse);
Value exception_detailed(Value exc, Value message, bool highlight); /* message with the class, as detailed_message */

/* ---- eval.c, load.c, program.c, vm.c ---- */
Value eval_string(Value src, Value env, Value self, Value cref, const char *file, int line, Frame *scope);
/* With self and cref of the Env (V_UNDEF) or these; locals that appear belong to `binding`, unless that is nil. */
Value eval_in_env(Value src, Value env, Value self, Value cref, const char *file, int line, Value binding);
Value run_code(Code *code, Value self, Value cref, uint32_t flags, Value env, MethodEntry *me, BlockRef block);
Value binding_new(Frame *f);
void load_boot(void);
void autoload_boot(void);
void load_feature_add(Value path);    /* $LOADED_FEATURES gains the String */
void load_feature_remove(Value path);
void load_prelude(void);
void load_set_script(const char *path);
Value load_read_file(const char *path, int *err); /* String; V_UNDEF and errno in *err when it can't be read */
void load_add_path(const char *dir, bool front);  /* to $LOAD_PATH */
Value program_run(void *options);                 /* VmOptions; in vm_protect */
_Noreturn void vm_finish_process(Value record);   /* a forked child whose block is done: ends as a program ends */
/* What raise, Thread#raise and Fiber#raise make of the running built-in's arguments: an exception with its cause set.
 * again: without arguments it is $!. */
Value control_make_exception(int argc, const Value *argv, bool again);
void control_at_exit(Value proc);
void control_run_at_exit(void);

/* ---- define.c, primitives.c: for instructions ---- */
void define_method(Frame *f, Value name, Value code);
void define_singleton_method(Frame *f, Value obj, Value name, Value code);
Value define_class(Value super, Value base, Value name, bool module, bool scoped); /* scoped: as Base::Name */
void enter_class_body(Frame *f, Value cls, Code *code, unsigned ret, bool singleton);
Value defined_what(Frame *f, int kind, Value v, Value name);

#define PRIMITIVE(name) Value prim_##name(Frame *f, int argc, Value *argv);
#include "vm/primitives.def"
#undef PRIMITIVE

/* ---- raise.c ---- */
Value format_message(const char *format, va_list *ap);
Value errno_class(int err); /* Errno::ENOENT ...; SystemCallError for a number without one */
void errno_boot(void);

/* ---- Exceptions: fields ----
 * TRACE: raw rows (backtrace.c) of the first raise, or nil.  BACKTRACE, LOCATIONS: Arrays made of them when somebody
 * looked, or given by set_backtrace; else nil. */
enum { EXC_MESSAGE, EXC_BACKTRACE, EXC_CAUSE, EXC_LOCATIONS, EXC_TRACE, EXC_FIELDS };

/* ---- exec.c, gvar.c ---- */
void exec_boot(void);
void gvar_boot(void);
Value gvar_names(void);

/* ---- fiber.c ---- */
void fiber_boot(void);
void fiber_set_main_base(void *base); /* the main C stack's end for the collector */
void vm_stack_alloc(Value **stack, Value **stack_end, Frame **frames, Frame **frames_end, size_t words, size_t nframes);
void fiber_visit_roots(Visitor *v);

#endif
