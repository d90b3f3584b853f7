/*
 * compiler.h - what the files of vm/compile share: units, registers, labels, control.
 *
 * Pass 1 (expr.c, call.c, assign.c, control.c, define.c, pattern.c over
 * assemble.c) turns the tree into units, one for each Code to be; it runs on
 * the deep stack and touches no Ruby object: literals are descriptions.
 * Pass 2 (finish.c) makes the heap objects.
 *
 * Registers: the locals of a unit first, then temporaries, handed out like a
 * stack.  `dst` is where a value is wanted; DISCARD when only the effect is.
 *
 * I1: a call's receiver and arguments lie in consecutive temporaries with
 *     nothing live above them (the callee's window begins there).
 * I2: a local's register is the dst of an expression only if the expression
 *     writes dst as its last act (writes_last).
 * I3: u->top on leaving any function that compiles is what it was on entry.
 */
#ifndef VM_COMPILE_COMPILER_H
#define VM_COMPILE_COMPILER_H

#include "lib/error.h"
#include "lib/memory.h"
#include "vm/code.h"
#include "vm/compile.h"
#include "vm/compile/insn.h"
#include "vm/nodes.h"
#include "vm/parse.h"

#define DISCARD (-1)

/* Operand b of PRIM. */
enum {
#define PRIMITIVE(name) PRIM_##name,
#include "vm/primitives.def"
#undef PRIMITIVE
    PRIM_COUNT
};

typedef struct Unit Unit;
typedef struct Compiler Compiler;

/* ---- literals ---- */
typedef enum LitKind {
    LIT_NIL, LIT_TRUE, LIT_FALSE, LIT_INTEGER, LIT_FLOAT, LIT_RATIONAL, LIT_IMAGINARY, LIT_STRING, LIT_SYMBOL,
    LIT_REGEXP, LIT_ARRAY, LIT_HASH, LIT_RANGE, LIT_CODE, LIT_NAMES,
} LitKind;

typedef struct Lit Lit;
struct Lit {
    LitKind kind;
    uint32_t flags;     /* LIT_STRING: LITF_...; LIT_REGEXP: options; LIT_RANGE: 1 exclusive */
    int encoding;       /* strings, symbols, regexps */
    uint32_t line;      /* LIT_REGEXP: for the report when it is no good */
    NodeString bytes;
    NodeInteger integer, denominator;
    double number;
    Lit **items;        /* LIT_ARRAY elements; LIT_HASH keys and values in turn; LIT_RANGE begin, end (NULL: nil) */
    uint32_t count;
    Unit *unit;
    uint32_t *symbols;  /* LIT_NAMES: indexes into the compiler's symbols */
};
enum { LITF_INTERNED = 1 /* the one frozen String of these bytes */ };

/* ---- control contexts of a unit, innermost first ---- */
typedef enum ControlKind {
    CONTROL_LOOP,        /* while, until */
    CONTROL_RESCUE,      /* body protected by rescue clauses */
    CONTROL_ENSURE,      /* everything before the ensure clause */
    CONTROL_RESCUE_BODY, /* a rescue clause under way: $! is to be restored */
} ControlKind;

typedef struct Segment {
    uint32_t start, end;
} Segment;

typedef struct Control Control;
struct Control {
    ControlKind kind;
    Control *outer;
    /* LOOP */
    int break_label, next_label, redo_label;
    int dst;           /* of break's value */
    /* RESCUE, ENSURE, RESCUE_BODY: code covered so far */
    Segment *segments;
    uint32_t nsegments, capacity;
    uint32_t segment_start;
    const EnsureNode *ensure;
    /* RESCUE_BODY */
    int saved;         /* register with the $! of before */
    int retry_label;
};

typedef struct UnitLocal {
    const Name *name; /* NULL: nameless */
} UnitLocal;

struct Unit {
    Compiler *c;
    Unit *parent;     /* block: the unit around it; else NULL */
    Unit *lexical;    /* the unit whose code contains this one, for Code.outer; NULL at top */
    uint32_t index;   /* in compiler's list */
    CodeKind kind;
    uint32_t flags;   /* CODE_... */
    bool transparent; /* body of `for`: no scope of its own */
    CodeParams params;
    uint32_t name;    /* index into symbols */
    uint32_t first_line;

    UnitLocal *locals;
    uint32_t nlocals, locals_capacity;
    int anon_rest, anon_kwrest, anon_block, it_reg; /* registers, or -1 */
    int zsuper_rest, zsuper_kwrest, zsuper_block;   /* registers of *r, **k, &b whatever their name */

    uint32_t *words;
    uint32_t nwords, words_capacity;
    int32_t *labels;  /* word index, or -1 */
    uint32_t nlabels, labels_capacity;
    uint32_t *opt_labels;
    uint32_t last_op; /* word index of the newest instruction */

    CatchRow *catches;
    uint32_t ncatches, catches_capacity;
    LineRow *lines;
    uint32_t nlines, lines_capacity;
    uint32_t line;    /* of what is being emitted */
    uint32_t statement_line, begun_line; /* a statement begins there with the next instruction, or 0; the last that did */
    uint32_t ncaches;

    int top, max;     /* next free register; high-water mark */
    Control *control;
    int redo_label;   /* block: start of the body */
};

typedef struct ExternalScope {
    NodeString *names; /* bytes NULL: nameless */
    uint32_t count;
    uint8_t forwarding;
    int rest, kwrest, block; /* registers of the anonymous parameters */
} ExternalScope;

typedef struct SymbolRef {
    const char *bytes;
    uint32_t length;
    int encoding;
} SymbolRef;

struct Compiler {
    MemoryContext *ctx;
    const ParseResult *parse;
    const CompileOptions *options;
    Unit **units;
    uint32_t nunits, units_capacity;
    Lit **lits;
    uint32_t nlits, lits_capacity;
    SymbolRef *symbols;
    uint32_t nsymbols, symbols_capacity;
    uint32_t *symbol_index; /* open addressing: index + 1 */
    uint32_t symbol_index_size;
    ExternalScope *external;
    uint32_t nexternal;
    int source_encoding;
    int8_t frozen_literals; /* -1, 0, 1 */
    /* What went wrong, if anything: a SyntaxError with this text. */
    char *failure;
    uint32_t failure_line;
    uint32_t idle_return_line; /* of a `return value` at top level, whose value nobody gets; 0: none */
};

/* ---- assemble.c ---- */
Unit *unit_new(Compiler *c, CodeKind kind, Unit *parent, Unit *lexical);
int unit_add_local(Unit *u, const Name *name);
int unit_find_local(const Unit *u, const Name *name);
void unit_locals_done(Unit *u); /* temporaries begin here */
void unit_finish(Unit *u);      /* resolves labels */
int temp(Unit *u);
int temps(Unit *u, unsigned n);
uint32_t emit(Unit *u, Opcode op, ...); /* operands as int, in the order of the table; J: a label */
int label_new(Unit *u);
void label_here(Unit *u, int label);
uint32_t here(Unit *u);
bool reachable(Unit *u);        /* can control fall through to here? */
uint32_t cache_new(Unit *u);
void catch_row(Unit *u, CatchKind kind, Segment segment, uint32_t target, int reg);
void set_line(Unit *u, uint32_t offset);
uint32_t symbol_of(Compiler *c, const char *bytes, size_t length, int encoding);
uint32_t symbol_name(Compiler *c, const Name *name);
uint32_t symbol_text(Compiler *c, const char *text);
bool name_is(const Name *name, const char *text);
Lit *lit_new(Compiler *c, LitKind kind);
uint32_t lit_add(Compiler *c, Lit *lit);
uint32_t lit_text(Compiler *c, const char *text); /* interned frozen String */
/* Records that the source can't be compiled; the first failure wins. */
void compile_fail(Unit *u, const Node *node, const char *format, ...) __attribute__((format(printf, 3, 4)));

static inline void move(Unit *u, int dst, int src)
{
    if (dst != DISCARD && dst != src)
        emit(u, OP_MOVE, dst, src);
}

static inline bool is_local_reg(const Unit *u, int reg)
{
    return reg >= 0 && reg < (int)u->nlocals;
}

/* ---- expr.c ---- */
void expr(Unit *u, Node *node, int dst);
void expr_or_nil(Unit *u, Node *node, int dst); /* node may be NULL */
int operand(Unit *u, Node *node);               /* a register that holds it: a new temporary, or a local's own */
int operand_before(Unit *u, Node *node, Node *later); /* the same, when `later` is evaluated before the use */
bool is_plain(const Node *node);                /* evaluates without effect and without being affected */
bool writes_last(const Node *node);
Lit *static_literal(Unit *u, const Node *node); /* NULL when it is none */
Lit *string_literal(Unit *u, NodeString bytes, uint16_t flags, uint32_t lit_flags);
void load_nil(Unit *u, int dst);
void load_text(Unit *u, int dst, const char *text);
void load_symbol(Unit *u, int dst, const Name *name);
/* Value of a node that must not be a chilled or duplicated literal: part of a join, argument of a primitive. */
void string_part(Unit *u, Node *node, int dst);
void begin_statement(Unit *u, const Node *node);
void statements(Unit *u, StatementsNode *node, int dst);

/* Variables by name and Prism's depth. */
void local_get(Unit *u, const Name *name, uint32_t depth, int dst);
void local_set(Unit *u, const Name *name, uint32_t depth, int src);
int local_register(Unit *u, const Name *name, uint32_t depth); /* own register, or -1: it lies further out */
/* Anonymous parameters: which is '*', '%' (**), or '&'. */
void anonymous_get(Unit *u, char which, int dst);

/* ---- call.c ---- */
typedef struct Args {
    int argc;
    int flags;
    int names; /* literal index of the names, or -1 */
    int block; /* literal index of the block's code, or -1 */
} Args;
void call_node(Unit *u, CallNode *node, int dst);
void super_node(Unit *u, SuperNode *node, int dst);
void forwarding_super_node(Unit *u, ForwardingSuperNode *node, int dst);
void yield_node(Unit *u, YieldNode *node, int dst);
/* Evaluates arguments to base + 1 ...; extra is appended as last positional (or -1). */
void call_args(Unit *u, NodeList args, Node *block, int base, Args *out);
void emit_call(Unit *u, int base, const Args *args, uint32_t symbol, int flags);
/* Plain call: receiver and argc arguments are in place. */
void emit_send(Unit *u, int base, int argc, const char *name, int flags);
void list_to_array(Unit *u, NodeList items, int dst); /* [a, *b, c] */
void pairs_to_hash(Unit *u, NodeList elements, int dst);
bool operator_call(Unit *u, const Name *name, int dst, int left, int right); /* false: no instruction of that name */
int operator_opcode(const Name *name);                                 /* or -1 */

/* ---- assign.c ---- */
typedef struct Target {
    Node *node;
    int base;       /* first temporary that holds its receiver and index */
    Args args;      /* INDEX targets */
} Target;
void assign(Unit *u, Node *node, int dst);       /* every ...Write node */
void multi_write(Unit *u, MultiWriteNode *node, int dst);
/* A target in two steps: evaluate what it is about, then store a register. */
void target_prepare(Unit *u, Node *node, Target *target);
void target_store(Unit *u, Target *target, int src);
void target_assign(Unit *u, Node *node, int src); /* both */
void multi_target_assign(Unit *u, NodeList lefts, Node *rest, NodeList rights, int src);
void match_write(Unit *u, MatchWriteNode *node, int dst);

/* ---- control.c ---- */
void if_node(Unit *u, Node *predicate, Node *then, Node *otherwise, int dst, bool unless);
void jump_if(Unit *u, Node *predicate, bool when, int label); /* falls through otherwise */
void and_or(Unit *u, Node *left, Node *right, bool is_and, int dst);
void loop_node(Unit *u, Node *predicate, StatementsNode *body, bool until, bool body_first, int dst);
void for_node(Unit *u, ForNode *node, int dst);
void case_node(Unit *u, CaseNode *node, int dst);
void begin_node(Unit *u, BeginNode *node, int dst);
void rescue_modifier(Unit *u, RescueModifierNode *node, int dst);
void jump_node(Unit *u, Node *node, int dst);    /* break, next, redo, retry, return */
void flip_flop(Unit *u, FlipFlopNode *node, int dst);
/* Runs emit_body with everything raised inside swallowed: then dst is nil. */
void rescue_all(Unit *u, void (*body)(Unit *, void *), void *arg, int dst);

/* ---- define.c ---- */
Unit *compile_block(Unit *u, Node *node);        /* BLOCK or LAMBDA node */
Unit *compile_for_body(Unit *u, ForNode *node);
Unit *compile_end_block(Unit *u, PostExecutionNode *node);
void def_node(Unit *u, DefNode *node, int dst);
void class_node(Unit *u, ClassNode *node, int dst);
void module_node(Unit *u, ModuleNode *node, int dst);
void singleton_class_node(Unit *u, SingletonClassNode *node, int dst);
void defined_node(Unit *u, Node *value, int dst);
void alias_undef(Unit *u, Node *node, int dst);
uint32_t unit_literal(Unit *child);              /* literal index of its code */
void mark_eval(Unit *u);                         /* locals of u and around it must stay findable */

/* ---- pattern.c ---- */
void case_match_node(Unit *u, CaseMatchNode *node, int dst);
void match_predicate(Unit *u, MatchPredicateNode *node, int dst);
void match_required(Unit *u, MatchRequiredNode *node, int dst);

/* ---- finish.c ---- */
Value compile_finish(Compiler *c);

/* ---- verify.c ---- */
/* NULL when the code is well formed, else what is wrong at word *where. */
const char *code_check(const Code *code, uint32_t *where);
void code_verify(Value code); /* asserts code_check */

#endif
