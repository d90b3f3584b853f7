/*
 * assemble.c - units under construction: words, registers, labels, tables.
 *
 * While a unit is built, J operands hold label numbers, Y operands positions
 * in the compiler's symbol list, O operands positions in its literal list
 * (first word of the pair).  unit_finish() resolves the first, finish.c the rest.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vm/compile/compiler.h"

#define MAX_REGISTERS 60000

/* Makes room for one more element of an array in the compiler's memory. */
#define GROW(c, array, count, capacity)                                                       \
    do {                                                                                      \
        if ((count) == (capacity)) {                                                          \
            (capacity) = (capacity) ? (capacity)*2 : 16;                                      \
            (array) = mem_realloc((c)->ctx, (array), (capacity) * sizeof(*(array)));          \
        }                                                                                     \
    } while (0)

Unit *unit_new(Compiler *c, CodeKind kind, Unit *parent, Unit *lexical)
{
    Unit *u = mem_zalloc(c->ctx, sizeof(*u));

    u->c = c;
    u->kind = kind;
    u->parent = parent;
    u->lexical = lexical;
    u->index = c->nunits;
    u->anon_rest = u->anon_kwrest = u->anon_block = u->it_reg = -1;
    u->zsuper_rest = u->zsuper_kwrest = u->zsuper_block = -1;
    u->redo_label = -1;
    u->flags = c->options->internal ? CODE_INTERNAL : 0;
    if (c->frozen_literals == 1)
        u->flags |= CODE_FROZEN_LITERALS;
    else if (c->frozen_literals == 0)
        u->flags |= CODE_CHILLED_LITERALS;
    GROW(c, c->units, c->nunits, c->units_capacity);
    c->units[c->nunits++] = u;
    return u;
}

int unit_add_local(Unit *u, const Name *name)
{
    GROW(u->c, u->locals, u->nlocals, u->locals_capacity);
    u->locals[u->nlocals].name = name;
    return (int)u->nlocals++;
}

int unit_find_local(const Unit *u, const Name *name)
{
    for (uint32_t i = 0; i < u->nlocals; i++) {
        if (u->locals[i].name == name)
            return (int)i;
    }
    return -1;
}

void unit_locals_done(Unit *u)
{
    u->top = u->max = (int)u->nlocals;
}

int temps(Unit *u, unsigned n)
{
    int first = u->top;

    u->top += (int)n;
    if (u->top > u->max)
        u->max = u->top;
    if (u->max > MAX_REGISTERS) {
        compile_fail(u, NULL, "expression is too large");
        u->top = (int)u->nlocals + 8;
        first = (int)u->nlocals;
    }
    return first;
}

int temp(Unit *u)
{
    return temps(u, 1);
}

static uint32_t *words_reserve(Unit *u, unsigned n)
{
    while (u->nwords + n > u->words_capacity) {
        u->words_capacity = u->words_capacity ? u->words_capacity * 2 : 64;
        u->words = mem_realloc(u->c->ctx, u->words, u->words_capacity * sizeof(uint32_t));
    }
    u->nwords += n;
    memset(u->words + u->nwords - n, 0, n * sizeof(uint32_t));
    return u->words + u->nwords - n;
}

static void note_line(Unit *u, uint32_t word)
{
    uint32_t flag = u->statement_line != 0 && u->statement_line == u->line ? LINE_STATEMENT : 0;
    LineRow *last = u->nlines > 0 ? &u->lines[u->nlines - 1] : NULL;

    u->statement_line = 0;
    if (u->line == 0 || (flag == 0 && last != NULL && (last->line & ~LINE_STATEMENT) == u->line))
        return;
    if (last != NULL && last->word == word) {
        last->line = u->line | flag;
        return;
    }
    GROW(u->c, u->lines, u->nlines, u->lines_capacity);
    u->lines[u->nlines].word = word;
    u->lines[u->nlines++].line = u->line | flag;
}

/* TracePoint's :line: once for the statements of a line. */
void begin_statement(Unit *u, const Node *node)
{
    uint32_t line;

    if (node->type == NODE_BEGIN || node->type == NODE_PARENTHESES) /* those inside tell */
        return;
    line = (uint32_t)parse_line(u->c->parse, node->location.start);
    if (line == u->begun_line)
        return;
    u->line = u->statement_line = u->begun_line = line;
    if (node->type == NODE_WHILE || node->type == NODE_UNTIL)
        emit(u, OP_NOP); /* the loop comes back to its condition, not to the statement */
}

uint32_t emit(Unit *u, Opcode op, ...)
{
    const Insn *insn = &insn_table()[op];
    uint32_t *pc;
    uint32_t at;
    va_list ap;

    if (insn->object_at != 0 && (u->nwords + insn->object_at) % 2 != 0)
        *words_reserve(u, 1) = OP_NOP;
    at = u->nwords;
    note_line(u, at);
    pc = words_reserve(u, insn->nwords);
    pc[0] = op;
    va_start(ap, op);
    for (unsigned i = 0; i < insn->noperands; i++) {
        int value = va_arg(ap, int);

        switch (insn->operands[i].kind) {
        case 'R':
            Assert(value >= 0 && value < MAX_REGISTERS + 64);
            /* FALLTHROUGH */
        case 'N':
        case 'S':
            insn_set_half(pc, insn->operands[i].offset, (uint32_t)value);
            break;
        default:
            pc[insn->operands[i].offset] = (uint32_t)value;
            break;
        }
    }
    va_end(ap);
    u->last_op = at;
    return at;
}

int label_new(Unit *u)
{
    GROW(u->c, u->labels, u->nlabels, u->labels_capacity);
    u->labels[u->nlabels] = -1;
    return (int)u->nlabels++;
}

void label_here(Unit *u, int label)
{
    u->labels[label] = (int32_t)u->nwords;
    u->last_op = UINT32_MAX; /* what follows can be reached by a jump */
}

uint32_t here(Unit *u)
{
    return u->nwords;
}

bool reachable(Unit *u)
{
    if (u->nwords == 0 || u->last_op == UINT32_MAX)
        return true;
    switch (insn_op(u->words + u->last_op)) {
    case OP_JUMP:
    case OP_LOOP:
    case OP_RETURN:
    case OP_RETURN_FAR:
    case OP_BREAK:
    case OP_RETHROW:
        return false;
    default:
        return true;
    }
}

uint32_t cache_new(Unit *u)
{
    return u->ncaches++;
}

void catch_row(Unit *u, CatchKind kind, Segment segment, uint32_t target, int reg)
{
    CatchRow *row;

    if (segment.start == segment.end)
        return;
    GROW(u->c, u->catches, u->ncatches, u->catches_capacity);
    row = &u->catches[u->ncatches++];
    row->start = segment.start;
    row->end = segment.end;
    row->target = target;
    row->reg = (uint16_t)reg;
    row->kind = (uint16_t)kind;
}

void set_line(Unit *u, uint32_t offset)
{
    if (offset != NO_OFFSET)
        u->line = (uint32_t)parse_line(u->c->parse, offset);
}

void unit_finish(Unit *u)
{
    const Insn *table = insn_table();

    for (uint32_t at = 0; at < u->nwords;) {
        const Insn *insn = &table[insn_op(u->words + at)];

        for (unsigned i = 0; i < insn->noperands; i++) {
            if (insn->operands[i].kind == 'J') {
                uint32_t *word = &u->words[at + insn->operands[i].offset];

                Assert(u->labels[*word] >= 0);
                *word = (uint32_t)(u->labels[*word] - (int32_t)at);
            }
        }
        at += insn->nwords;
    }
}

/* ---- symbols and literals ---- */

static uint32_t hash_bytes(const char *bytes, size_t length)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < length; i++)
        h = (h ^ (uint8_t)bytes[i]) * 16777619u;
    return h;
}

static void symbol_rehash(Compiler *c)
{
    uint32_t size = c->symbol_index_size ? c->symbol_index_size * 2 : 64;

    mem_free(c->symbol_index);
    c->symbol_index = mem_zalloc(c->ctx, size * sizeof(uint32_t));
    c->symbol_index_size = size;
    for (uint32_t i = 0; i < c->nsymbols; i++) {
        uint32_t slot = hash_bytes(c->symbols[i].bytes, c->symbols[i].length) & (size - 1);

        while (c->symbol_index[slot] != 0)
            slot = (slot + 1) & (size - 1);
        c->symbol_index[slot] = i + 1;
    }
}

uint32_t symbol_of(Compiler *c, const char *bytes, size_t length, int encoding)
{
    uint32_t slot;
    SymbolRef *ref;

    if (c->nsymbols * 2 >= c->symbol_index_size)
        symbol_rehash(c);
    slot = hash_bytes(bytes, length) & (c->symbol_index_size - 1);
    while (c->symbol_index[slot] != 0) {
        ref = &c->symbols[c->symbol_index[slot] - 1];
        if (ref->length == length && ref->encoding == encoding && memcmp(ref->bytes, bytes, length) == 0)
            return c->symbol_index[slot] - 1;
        slot = (slot + 1) & (c->symbol_index_size - 1);
    }
    GROW(c, c->symbols, c->nsymbols, c->symbols_capacity);
    ref = &c->symbols[c->nsymbols];
    ref->bytes = bytes;
    ref->length = (uint32_t)length;
    ref->encoding = encoding;
    c->symbol_index[slot] = ++c->nsymbols;
    return c->nsymbols - 1;
}

uint32_t symbol_name(Compiler *c, const Name *name)
{
    return symbol_of(c, name->bytes, name->length, c->source_encoding);
}

uint32_t symbol_text(Compiler *c, const char *text)
{
    return symbol_of(c, text, strlen(text), c->source_encoding);
}

bool name_is(const Name *name, const char *text)
{
    return name->length == strlen(text) && memcmp(name->bytes, text, name->length) == 0;
}

Lit *lit_new(Compiler *c, LitKind kind)
{
    Lit *lit = mem_zalloc(c->ctx, sizeof(*lit));

    lit->kind = kind;
    return lit;
}

uint32_t lit_add(Compiler *c, Lit *lit)
{
    GROW(c, c->lits, c->nlits, c->lits_capacity);
    c->lits[c->nlits] = lit;
    return c->nlits++;
}

uint32_t lit_text(Compiler *c, const char *text)
{
    Lit *lit = lit_new(c, LIT_STRING);

    lit->bytes.bytes = text;
    lit->bytes.length = (uint32_t)strlen(text);
    lit->encoding = c->source_encoding;
    lit->flags = LITF_INTERNED;
    return lit_add(c, lit);
}

void compile_fail(Unit *u, const Node *node, const char *format, ...)
{
    Compiler *c = u->c;
    char text[256];
    va_list ap;

    if (c->failure != NULL)
        return;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    c->failure = mem_strdup(c->ctx, text);
    c->failure_line = node != NULL ? (uint32_t)parse_line(c->parse, node->location.start) : u->line;
}
