/* frame.h -- frames, blocks, Envs: what lies on a fiber's VM stack (private to vm/interp, vm/heap, vm/persist)
 *
 *   VM stack of a fiber (never moves):   [window of frame 0][window of frame 1 ...
 *   A caller puts receiver in R[a], arguments in R[a+1..]: the callee's window starts at &R[a+1], so
 *   parameters are in place.  Result goes to the caller's register frame->ret.
 *   When a window's frame is reified (Proc, Binding), it moves into an Env and base follows: from then
 *   on callee windows are copied to the top of the stack.
 *
 *   block (BlockRef): 0 none | Value of a T_PROC | Frame* | 1 (the literal block that frame f passes: f->block_code)
 *   outer (of a block's frame): Frame* | 1 while its definer lives on the stack unreified, else the Env's Value
 */
#ifndef VM_FRAME_H
#define VM_FRAME_H
#include "vm/code.h"
#include "vm/class.h"

typedef uint64_t BlockRef;
enum { FRAME_METHOD = 1, FRAME_BLOCK = 2, FRAME_LAMBDA = 4, FRAME_TOP = 8, FRAME_CLASS = 16, FRAME_EVAL = 32,
       FRAME_BUILTIN = 64, FRAME_FINISH = 128 /* return leaves vm_exec */, FRAME_KEYWORDS = 256 /* built-in got keywords */,
       FRAME_BMETHOD = 512, FRAME_DISCARD = 1024 /* result is not stored: initialize of new, hooks */,
       FRAME_TRACED = 2048 /* its beginning has been told to TracePoints */ };

typedef struct Frame {
    const uint32_t *pc;
    Value *base;       /* window: VM stack or Env */
    Value *stack;      /* where the window began on the VM stack (base, unless reified) */
    Value *top;        /* first free word of the VM stack above this frame: where callees of a reified frame and of C go */
    Value self;
    Code *code;        /* NULL: built-in */
    MethodEntry *me;   /* NULL: top, eval at top, class body */
    BlockRef block;    /* block passed to this method (a block's frame: of its home method) */
    BlockRef passed;   /* a block's frame: the block passed to the block itself, for its &blk parameter */
    uint64_t outer;
    Value cref;
    Value env;         /* Env when reified, else nil */
    Code *block_code;  /* literal block of the call under way */
    uint16_t flags;
    uint16_t skip;     /* words of the caller's instruction: it goes on behind them */
    uint16_t ret, argc;
    Value specials;    /* nil or Array [$~, $_]; of the home frame */
    uint64_t serial;   /* unique: target of break and return */
} Frame;

typedef struct Env { /* T_ENV */
    uint64_t head;
    Slot outer;        /* Env of the definer or nil */
    Slot code, self, cref, me, block; /* of the frame, for binding and yield from procs; block: Proc or nil */
    Slot specials;
    uint64_t serial;   /* of its frame: a break or return to a frame that is gone is a LocalJumpError */
    uint32_t nslots, active; /* active: its frame has not returned: scanned as stack, pinned */
    Slot *slots; /* heap_malloc'ed, nslots of them: never moves, so that the base of the running frame may point here */
} Env;

enum { DEFINED_IVAR, DEFINED_GVAR, DEFINED_CVAR, DEFINED_CONST, DEFINED_CONST_IN, DEFINED_METHOD /* b.d */, DEFINED_FUNC /* d, on self */,
       DEFINED_YIELD, DEFINED_SUPER, DEFINED_NTH /* $d: number as symbol id */, DEFINED_BACKREF };

/* Fields of T_PROC, T_CREF, T_THROW, T_METHOD, T_BINDING (SLOTS types) */
enum { PROC_CODE, PROC_ENV, PROC_SELF, PROC_CREF, PROC_ME, PROC_FLAGS /* fixnum: PROCF_* */, PROC_FIELDS };
enum { PROCF_LAMBDA = 1, PROCF_FROM_METHOD = 2, PROCF_FROM_SYMBOL = 4, PROCF_RUBY2_KEYWORDS = 8 };
enum { CREF_MODULE, CREF_OUTER, CREF_VISIBILITY /* fixnum; + 8: module_function */, CREF_REFINEMENTS, CREF_SINGLETON /* true: instance_eval, def goes to the singleton class; nil: block of class_eval; constants and class variables skip both */, CREF_FIELDS };
enum { THROW_KIND /* fixnum */, THROW_TARGET /* fixnum serial, or tag of throw */, THROW_VALUE, THROW_FIELDS };
enum { METHODF_RECEIVER, METHODF_ENTRY, METHODF_NAME, METHODF_OWNER, METHODF_CLASS, METHODF_FIELDS };
enum { BINDINGF_ENV, BINDINGF_EXTRA /* Array of Envs for locals that eval made */, BINDINGF_LINE, BINDINGF_PATH, BINDINGF_FIELDS };
enum { UNWIND_BREAK, UNWIND_RETURN, UNWIND_THROW, UNWIND_KILL };

typedef struct InlineCache {
    uint32_t guard, serial;  /* obj_guard_word (immediates: see interp), method_serial */
    uint64_t entry;          /* MethodEntry*, slot index, constant ... */
    uint64_t extra;
    uint64_t extra2;
} InlineCache;

/* What further classes of receivers made of a call site whose own cache holds another class: a direct-mapped table of
 * the session.  A row belongs to (site, guard). */
enum { POLY_ROWS = 1024 };
typedef struct PolyRow {
    InlineCache cache;
    const InlineCache *site;
} PolyRow;

/* Gives n consecutive inline caches (zeroed) for a code being loaded; code_load stores the answer in cache_base. */
uint32_t vm_caches_reserve(uint32_t n);
void vm_ivar_caches_clear(void); /* those of instance variables: what a class's objects keep where has changed */
#endif
