/* code.h -- loaded bytecode: the heap object Code, and what the compiler hands over
 *
 * Words are 32 bit; the operand kinds of each instruction stand in vm/instructions.def.  Never
 * written after loading (C1): inline caches lie in a session side array, at
 * vm.caches[code->cache_base + operand].  Object operands are Slots in aligned pairs of words,
 * read by slot_read, walked by the table; only where `flags & CODE_HOLDS_OBJECTS` (C2).
 */
#ifndef VM_CODE_H
#define VM_CODE_H
#include "vm/object.h"

typedef enum { CODE_TOP, CODE_EVAL, CODE_METHOD, CODE_BLOCK, CODE_LAMBDA, CODE_CLASS } CodeKind;
enum {
    CODE_HOLDS_OBJECTS = 1,
    CODE_INTERNAL = 2,       /* Ruby part of core: its frames show up in backtraces as built-ins do */
    CODE_USES_EVAL = 4,      /* may call binding/eval by name: locals must stay findable */
    CODE_ARG0_SPLATS = 8,    /* block with more than one parameter (or |a,|): a lone Array argument is spread */
    CODE_NUMBERED = 16,      /* _1/it parameters */
    CODE_FORWARDS = 32,      /* def f(...) */
    CODE_RUBY2_KEYWORDS = 64,
    CODE_NO_KEYWORDS = 128,  /* **nil */
    CODE_KWREST = 256, CODE_BLOCK_PARAM = 512, CODE_REST = 1024,
    CODE_ANON_REST = 2048, CODE_ANON_KWREST = 4096, CODE_ANON_BLOCK = 8192,
    CODE_IT = 16384,
    CODE_FROZEN_LITERALS = 32768,
    CODE_PACKED = 65536,     /* block |*packed| or |a, *packed| of core: packed holds a lone argument itself, nil without
                                one, of several the Array; frame->argc counts all */
    CODE_CHILLED_LITERALS = 131072, /* no magic comment says what String literals are */
};

/* Locals, in this order from register 0: required, optional, rest, post-required,
 * keywords (required first, then optional), keyword rest, block; then the other locals. */
typedef struct CodeParams {
    uint16_t required, optional, post, keywords, keywords_required;
} CodeParams;

/* How arguments become parameters; code_load derives it. */
typedef enum {
    ENTRY_ANY,     /* args_bind works it out */
    ENTRY_PLAIN,   /* required parameters only: what is passed lies in place */
    ENTRY_SPREADS, /* likewise, but a lone Array argument of a block is spread over them */
    ENTRY_CHOICES, /* required, optional and keyword parameters, none else */
    ENTRY_PACKED,  /* CODE_PACKED: one argument lies in place */
} CodeEntry;

typedef enum { CATCH_RESCUE, CATCH_ENSURE } CatchKind;
typedef struct CatchRow {
    uint32_t start, end, target; /* word indexes: start <= pc of the instruction < end */
    uint16_t reg;                /* receives the exception (RESCUE) or the unwind record (ENSURE: exception or T_THROW) */
    uint16_t kind;
} CatchRow;                      /* innermost first */
typedef struct LineRow {
    uint32_t word, line;         /* from this word on; LINE_STATEMENT: a statement begins at the word (TracePoint) */
} LineRow;
#define LINE_STATEMENT (1u << 31)

typedef struct Code {
    uint64_t head;
    uint32_t *words;             /* heap_malloc'ed, 8-aligned, as are the tables below */
    uint32_t nwords;
    uint16_t nregs;              /* locals, temporaries and scratch */
    uint16_t nlocals;            /* params included */
    uint16_t scratch;            /* first of 4 registers that instructions may use for a fall-back call */
    uint8_t kind, entry;         /* CodeKind, CodeEntry */
    uint32_t flags;
    CodeParams params;
    uint16_t pad2;
    uint32_t *opt_pc;            /* optional + 1 entry points: [k] is where to start when k optional arguments came */
    uint32_t *locals;            /* nlocals symbol ids; 0: nameless */
    CatchRow *catches;
    uint32_t ncatches;
    LineRow *lines;
    uint32_t nlines;
    uint32_t ncaches, cache_base; /* cache_base: given at load */
    uint32_t name;               /* symbol id: method name, "<main>", "<class:Foo>"; blocks: of the method */
    uint32_t first_line;
    Slot path;                   /* String: __FILE__ */
    Slot outer;                  /* Code of the lexical parent (blocks, eval) or nil */
    Slot script;                 /* hidden: source String for error messages, or nil */
} Code;

static inline Code *code_ptr(Value v) { return (Code *)v; }
int code_line_at(const Code *code, uint32_t word);
bool code_statement_at(const Code *code, uint32_t word); /* does a statement begin at the word? */
/* Walks object operands: fn(slot) for each, by the table. */
void code_each_object(Code *code, void (*fn)(Slot *, void *), void *arg);
bool code_set_ruby2_keywords(Code *code); /* false: its parameters do not allow it */
Value code_new(void);            /* empty T_CODE for the compiler to fill; type row in vm/compile/code.c */
void code_load(Code *code);      /* gives cache_base; after filling or restoring */

/* Stored code does what no compiler makes it do, whether it was seen when it was read or when it runs: ERR_CORRUPT_RECORD. */
_Noreturn void code_corrupt(const char *what);
/* May v stand at the place, which is an object operand, a block's among them?  Any other place of the code: true. */
bool code_operand_fits(Value code, const Slot *place, Value v);
static inline bool code_is_block(Value code) { return code_ptr(code)->kind == CODE_BLOCK || code_ptr(code)->kind == CODE_LAMBDA; }

/* Opcodes */
typedef enum Opcode {
#define INSN(name, operands, flags) OP_##name,
#include "vm/instructions.def"
#undef INSN
    OP_COUNT
} Opcode;

/* Call flags */
enum {
    CALL_SELF = 1,      /* receiver is implicit self: private methods allowed */
    CALL_SPLAT = 2,     /* a+1 holds one Array of all positional arguments */
    CALL_KWHASH = 4,    /* the last argument register holds a Hash to pass as keywords (**h, or keywords next to a splat) */
    CALL_BLOCKARG = 8,  /* the register after the last argument holds &blk */
    CALL_VCALL = 16,    /* foo without arguments or receiver: NameError says "local variable or method" */
    CALL_KWMUTABLE = 32, /* the Hash of CALL_KWHASH was built for this call */
    CALL_PAIR = 64,     /* yield [x, y]: two registers; the Array is only made for a block that does not spread it */
    CALL_ZSUPER = 128,
    CALL_PACKED = 256,  /* f(a, *packed) in a CODE_PACKED block: the last argument stands for what the block was given */
};

/* Calls fn for each use of a local around a block's code, in it or in the blocks inside: register and distance (1: of the
 * block's definer). */
void code_each_outer_use(Value code, void (*fn)(uint32_t reg, uint32_t distance, void *arg), void *arg);
#endif
