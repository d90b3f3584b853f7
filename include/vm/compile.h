/*
 * compile.h - Ruby source to loaded bytecode.
 */
#ifndef VM_COMPILE_H
#define VM_COMPILE_H

#include "lib/strbuf.h"
#include "vm/code.h"
#include "vm/parse.h"

typedef struct CompileOptions {
    const char *file;  /* NULL: "" */
    int32_t first_line; /* 0: 1.  PARSE_LINE_ZERO (parse.h) for a real 0 */
    const char *encoding; /* of the source, unless a magic comment says otherwise; NULL: UTF-8 */
    CodeKind kind;     /* CODE_TOP (program, require, load) or CODE_EVAL */
    int8_t frozen_string_literal; /* -1 off, 0 not given, 1 on */
    uint8_t switches;  /* PARSE_SWITCH_...: -n -p -l -a wrap the program */
    bool main_script;  /* DATA and #! are honoured */
    bool partial_script;
    bool internal;     /* Ruby part of core: frames are shown as built-ins are */
    /* CODE_EVAL: the Code objects whose locals surround the source, innermost first (outer[0] is the
     * code of the binding's frame; scope depth d of a local is index d - 1).  The new code's `outer` is outer[0]. */
    const Value *outer;
    uint32_t outer_count;
    uint32_t name;     /* symbol id for the code's name; 0: "<main>" (CODE_TOP) */
} CompileOptions;

/*
 * Parses and compiles.  Returns a T_CODE.  A syntax error raises SyntaxError (ArgumentError, LoadError where
 * CRuby does); warnings go to warn_printf as $VERBOSE says.  `data_offset`, if not NULL, receives the offset of
 * the text behind __END__, or -1.
 */
Value code_compile(const char *src, size_t len, const CompileOptions *options, int64_t *data_offset);

/* Bytecode in readable form, codes inside it included (--dump=insns). */
void code_dump(Value code, StrBuf *out);

/* The tree of `src` (--dump=parsetree), or the text of its syntax errors. */
void source_dump_tree(const char *src, size_t len, const CompileOptions *options, StrBuf *out);

/* Only checks; true when the source is free of syntax errors, else the text is in *message (-c). */
bool source_check(const char *src, size_t len, const CompileOptions *options, StrBuf *message);

/* Registers the type T_CODE; before the first code_new(). */
void code_boot(void);

#endif
