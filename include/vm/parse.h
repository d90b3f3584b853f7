/*
 * parse.h - Ruby source to syntax tree.
 *
 * The parser is Prism (see vm/parse/README).  One process parses one source at
 * a time; parse_source() never yields to another fiber.
 */
#ifndef VM_PARSE_H
#define VM_PARSE_H

#include "lib/memory.h"
#include "lib/strbuf.h"
#include "vm/nodes.h"

/* Local variables that surround the source of an eval, one scope each. */
typedef struct ParseScope {
    const NodeString *locals;
    uint32_t local_count;
    uint8_t forwarding; /* PARSE_FORWARD_... : anonymous parameters in reach */
} ParseScope;

enum {
    PARSE_FORWARD_REST = 1,
    PARSE_FORWARD_KEYWORDS = 2,
    PARSE_FORWARD_BLOCK = 4,
    PARSE_FORWARD_ALL = 8,
};

/* Switches of the command line that change what a program means. */
enum {
    PARSE_SWITCH_A = 1,
    PARSE_SWITCH_E = 2,
    PARSE_SWITCH_L = 4,
    PARSE_SWITCH_N = 8,
    PARSE_SWITCH_P = 16,
    PARSE_SWITCH_X = 32,
};

/* All zero is a good default but for first_line, which then counts as 1. */
typedef struct ParseOptions {
    const char *file;     /* name for messages and __FILE__; NULL: "" */
    int32_t first_line;   /* 0: 1.  PARSE_LINE_ZERO for a real 0 */
    const char *encoding; /* NULL: UTF-8, or what a magic comment says */
    bool encoding_locked; /* magic comments do not change it (eval) */
    int8_t frozen_string_literal; /* -1 off, 0 not given, 1 on */
    uint8_t switches;             /* PARSE_SWITCH_... */
    bool main_script;             /* the program itself: __END__, #! */
    bool partial_script;          /* a REPL's line: no complaint about void values */
    const ParseScope *scopes;     /* outermost first */
    uint32_t scope_count;
} ParseOptions;

#define PARSE_LINE_ZERO INT32_MIN

typedef enum ParseLevel {
    PARSE_ERROR_SYNTAX,
    PARSE_ERROR_ARGUMENT,
    PARSE_ERROR_LOAD,
    PARSE_WARNING_DEFAULT, /* shown unless -W0 */
    PARSE_WARNING_VERBOSE, /* shown with -w */
} ParseLevel;

typedef struct ParseDiagnostic {
    ParseLevel level;
    uint32_t code; /* number within the parser's own list of diagnostics */
    NodeString message;
    Location location;
} ParseDiagnostic;

typedef struct MagicComment {
    Location key;
    Location value;
} MagicComment;

/* All of it lives in the memory context given to parse_source. */
typedef struct ParseResult {
    const char *file;
    const char *source; /* a copy, NUL-terminated behind `length` bytes */
    uint32_t length;
    int32_t first_line;
    const uint32_t *line_starts; /* offset of each line's first byte, ascending */
    uint32_t line_count;
    NodeString encoding;  /* name of the source's encoding */
    struct ProgramNode *root; /* NULL when errors is not empty */
    const Name *names;
    uint32_t name_count;
    ParseDiagnostic *errors;
    uint32_t error_count;
    ParseDiagnostic *warnings;
    uint32_t warning_count;
    MagicComment *magic_comments;
    uint32_t magic_comment_count;
    Location data; /* text from __END__ on; absent start: none */
} ParseResult;

/*
 * Parse `length` bytes.  Always returns a result; whoever calls looks at
 * error_count first.  Nested too deeply is such an error, too.  Raises (C
 * errors) only when memory runs out.
 */
ParseResult *parse_source(const char *source, size_t length, const ParseOptions *options, MemoryContext *ctx);

/* Line of an offset, counted from first_line; column in bytes from 0. */
int32_t parse_line(const ParseResult *result, uint32_t offset);
uint32_t parse_column(const ParseResult *result, uint32_t offset);

/*
 * The message of the SyntaxError for result's errors, laid out as CRuby does:
 * "file:line: syntax errors found" and the marked-up lines.
 */
void parse_format_errors(const ParseResult *result, StrBuf *out);

/* The tree in a readable form, one node a line, indented (--dump=parsetree). */
void parse_dump(const ParseResult *result, StrBuf *out);

/* Calls visit(child, arg) for each direct child, in source order of the fields. */
void node_each_child(const Node *node, void (*visit)(Node *child, void *arg), void *arg);

/*
 * Run fn(arg) on the parser's large stack, so that recursion over a deep tree
 * does not depend on how much of the caller's is left.  Nested calls run where
 * they are.  C errors raised inside pass through to the caller.  fn must not
 * touch Ruby objects: the collector does not look at this stack.
 */
void deep_call(void (*fn)(void *arg), void *arg);

#endif
