/*
 * verify.c - the disassembler, and the check that a Code is well formed.
 *
 * What holds of every Code (asserted in debug builds of what the compiler made):
 *   V1 words divide into instructions exactly; object operands are 8-aligned.
 *   V2 registers are below nregs, cache operands below ncaches; a cache is of one kind of instruction.
 *   V3 jumps, catch targets and optional entry points are instruction starts.
 *   V4 control does not run off the end.
 *   V5 windows of calls and lists lie below nregs; the tables are consistent.
 *   V6 rows of the table of lines are in order, each at the start of an instruction.
 * Code that comes out of the store is checked as well, in every build: whatever
 * got past the checksums may not crash the session.
 */
#include <string.h>

#include "vm/compile/compiler.h"
#include "vm/core.h"

static const char *const primitive_names[] = {
#define PRIMITIVE(name) #name,
#include "vm/primitives.def"
#undef PRIMITIVE
};

static bool ends_flow(uint32_t op)
{
    return op == OP_JUMP || op == OP_LOOP || op == OP_RETURN || op == OP_RETURN_FAR || op == OP_BREAK ||
           op == OP_RETHROW || op == OP_PRIM; /* some primitives raise always */
}

/* Registers that an instruction reads or writes beyond those it names: first operand and count behind it. */
static uint32_t window_end(const uint32_t *pc, const Insn *insn)
{
    uint32_t a = insn->noperands > 0 ? insn_operand(pc, insn->operands[0]) : 0;
    uint32_t b = insn->noperands > 1 ? insn_operand(pc, insn->operands[1]) : 0;
    uint32_t c = insn->noperands > 2 ? insn_operand(pc, insn->operands[2]) : 0;

    switch (insn_op(pc)) {
    case OP_CALL:
    case OP_CALLX:
    case OP_SUPER:
    case OP_YIELD:
        return a + 1 + b + ((c & CALL_BLOCKARG) != 0);
    case OP_PRIM:
        return a + 1 + c;
    case OP_ARRAY:
    case OP_CONCAT:
    case OP_REGEXP:
        return b + c;
    case OP_HASH:
        return b + 2 * c;
    case OP_UNPACK:
        return a + c + insn_operand(pc, insn->operands[3]) + (insn_operand(pc, insn->operands[4]) & 1);
    default:
        return 0;
    }
}

static const char *check_operands(const Code *code, uint32_t at, const uint8_t *starts)
{
    const uint32_t *pc = code->words + at;
    const Insn *insn = &insn_table()[insn_op(pc)];

    for (unsigned i = 0; i < insn->noperands; i++) {
        uint32_t value = insn_operand(pc, insn->operands[i]);

        switch (insn->operands[i].kind) {
        case 'R':
            if (value >= code->nregs)
                return "register is out of range";
            break;
        case 'C':
            if (value >= code->ncaches)
                return "cache is out of range";
            break;
        case 'J':
            if (value + at >= code->nwords || !starts[value + at])
                return "jump to nowhere";
            break;
        default:
            break;
        }
    }
    if (window_end(pc, insn) > code->nregs)
        return "too many registers are used";
    if (insn_op(pc) == OP_PRIM && insn_operand(pc, insn->operands[1]) >= PRIM_COUNT)
        return "no such primitive";
    return NULL;
}

/* What an inline cache holds is for one kind of instruction (`owners`: opcode + 1 of each cache's). */
static bool check_cache(const uint32_t *pc, const Insn *insn, uint16_t *owners)
{
    uint32_t op = insn_op(pc) == OP_ONCE_SET ? OP_ONCE : insn_op(pc);

    for (unsigned i = 0; i < insn->noperands; i++) {
        if (insn->operands[i].kind != 'C')
            continue;
        uint16_t *owner = &owners[insn_operand(pc, insn->operands[i])];
        if (*owner != 0 && *owner != op + 1)
            return false;
        *owner = (uint16_t)(op + 1);
    }
    return true;
}

/* Do the counts of a call agree with its flags? */
static bool check_call(const Code *code, const uint32_t *pc, const Insn *insn)
{
    uint32_t op = insn_op(pc);

    if (op != OP_CALL && op != OP_CALLX && op != OP_SUPER && op != OP_YIELD)
        return true;
    uint32_t argc = insn_operand(pc, insn->operands[1]), flags = insn_operand(pc, insn->operands[2]);
    if ((flags & CALL_SPLAT) && argc != ((flags & CALL_KWHASH) ? 2 : 1))
        return false;
    if ((flags & (CALL_KWHASH | CALL_PACKED)) && argc == 0)
        return false;
    if ((flags & CALL_PACKED) && ((flags & (CALL_SPLAT | CALL_KWHASH)) || !(code->flags & CODE_PACKED)))
        return false;
    return !(flags & CALL_PAIR) || (op == OP_YIELD && argc == 2);
}

static const char *check_tables(const Code *code, const uint8_t *starts, uint32_t *where)
{
    uint32_t params = code->params.required + code->params.optional + code->params.post + code->params.keywords +
                      ((code->flags & CODE_REST) != 0) + ((code->flags & CODE_KWREST) != 0) +
                      ((code->flags & CODE_BLOCK_PARAM) != 0);

    *where = 0;
    if (code->nlocals + 4u > code->nregs || code->scratch + 4u > code->nregs || params > code->nlocals ||
        code->params.keywords_required > code->params.keywords)
        return "registers do not fit";
    for (uint32_t i = 0; i < code->ncatches; i++) {
        const CatchRow *row = &code->catches[i];

        *where = row->start;
        if (row->start >= row->end || row->end > code->nwords || row->target >= code->nwords ||
            !starts[row->target] || row->reg >= code->nregs || row->kind > CATCH_ENSURE)
            return "wrong row of the catch table";
    }
    for (uint32_t i = 0; i < code->nlines; i++) {
        *where = code->lines[i].word;
        if (*where >= code->nwords || !starts[*where] || (i > 0 && *where < code->lines[i - 1].word))
            return "wrong row of the table of lines";
    }
    *where = 0;
    if (code->kind > CODE_CLASS)
        return "no such kind of code";
    for (uint32_t i = 0; i <= code->params.optional; i++) {
        *where = i;
        if (code->opt_pc == NULL || code->opt_pc[i] >= code->nwords || !starts[code->opt_pc[i]])
            return "wrong entry point";
    }
    return NULL;
}

const char *code_check(const Code *code, uint32_t *where)
{
    const Insn *table = insn_table();

    *where = 0;
    if (code->ncaches > code->nwords)
        return "too many caches";
    uint8_t *starts = mem_zalloc(memctx_top(), (size_t)code->nwords + 1);
    const char *wrong = NULL;
    uint32_t at = 0, last = 0;

    while (wrong == NULL && at < code->nwords) {
        uint32_t op = insn_op(code->words + at);

        *where = at;
        if (op >= OP_COUNT)
            wrong = "no such instruction";
        else if (table[op].nwords > code->nwords - at)
            wrong = "instruction is cut";
        else if (table[op].object_at != 0 && (at + table[op].object_at) % 2 != 0)
            wrong = "object operand is not aligned";
        if (wrong != NULL)
            break;
        starts[at] = 1;
        last = at;
        at += table[op].nwords;
    }
    uint16_t *owners = mem_zalloc(memctx_top(), ((size_t)code->ncaches + 1) * sizeof *owners);
    for (at = 0; wrong == NULL && at < code->nwords; at += table[insn_op(code->words + at)].nwords) {
        const uint32_t *pc = code->words + at;

        *where = at;
        wrong = check_operands(code, at, starts);
        if (wrong == NULL && !check_cache(pc, &table[insn_op(pc)], owners))
            wrong = "instructions of two kinds share a cache";
        if (wrong == NULL && !check_call(code, pc, &table[insn_op(pc)]))
            wrong = "counts of a call are wrong";
    }
    mem_free(owners);
    if (wrong == NULL) {
        *where = last;
        if (code->nwords == 0 || !ends_flow(insn_op(code->words + last)))
            wrong = "control runs off the end";
    }
    if (wrong == NULL)
        wrong = check_tables(code, starts, where);
    mem_free(starts);
    return wrong;
}

void code_verify(Value v)
{
    uint32_t where;
    const char *wrong = code_check(code_ptr(v), &where);

    if (wrong != NULL)
        ereport(PANIC, ERR_INTERNAL, errmsg("compiled code is malformed at word %u: %s", where, wrong));
}

/* ---- object operands ---- */

/* The instruction that the word belongs to. */
static uint32_t insn_around(const Code *code, uint32_t word)
{
    const Insn *table = insn_table();
    uint32_t low = 0, high = code->nlines;

    while (high - low > 1) { /* each row of lines is at the start of an instruction (V6) */
        uint32_t mid = low + (high - low) / 2;

        if (code->lines[mid].word <= word)
            low = mid;
        else
            high = mid;
    }
    uint32_t at = code->nlines > 0 && code->lines[low].word <= word ? code->lines[low].word : 0;
    while (at + table[insn_op(code->words + at)].nwords <= word)
        at += table[insn_op(code->words + at)].nwords;
    return at;
}

/* A literal block sees the window of the code that passes it, so what it uses of that must be there. */
static bool block_fits(const Code *code, Value v)
{
    const Insn *table = insn_table();
    const Code *block;

    if (!is_type(v, T_CODE) || !code_is_block(v))
        return false;
    block = code_ptr(v);
    for (uint32_t at = 0; at < block->nwords; at += table[insn_op(block->words + at)].nwords) {
        const uint32_t *pc = block->words + at;
        const Insn *insn = &table[insn_op(pc)];

        if ((insn_op(pc) == OP_GETUP || insn_op(pc) == OP_SETUP) && insn_operand(pc, insn->operands[2]) == 1 &&
            insn_operand(pc, insn->operands[1]) >= code->nlocals)
            return false;
    }
    return true;
}

static bool names_fit(Value v, uint32_t argc)
{
    if (v == V_NIL)
        return true;
    if (!is_array(v) || !obj_frozen_bit(v) || ary_len(v) > argc)
        return false;
    for (size_t i = 0; i < ary_len(v); i++)
        if (!is_symbol(ary_get(v, (long)i)))
            return false;
    return true;
}

bool code_operand_fits(Value owner, const Slot *place, Value v)
{
    Code *code = code_ptr(owner);
    const uint32_t *word = (const uint32_t *)place;

    if (word < code->words || word >= code->words + code->nwords)
        return true;
    const uint32_t *pc = code->words + insn_around(code, (uint32_t)(word - code->words));
    bool first = (uint32_t)(word - pc) == insn_table()[insn_op(pc)].object_at;

    switch (insn_op(pc)) {
    case OP_LOADSTR:
        return is_string(v);
    case OP_ARRAY_DUP:
        return is_array(v);
    case OP_HASH_DUP:
        return is_hash(v);
    case OP_CALLX:
    case OP_SUPER:
        return first ? v == V_NIL || block_fits(code, v) : names_fit(v, insn_half(pc, insn_table()[insn_op(pc)].operands[1].offset));
    case OP_YIELD:
        return names_fit(v, insn_half(pc, insn_table()[OP_YIELD].operands[1].offset));
    case OP_LAMBDA:
        return block_fits(code, v);
    case OP_DEFMETHOD:
    case OP_DEFSMETHOD:
        return is_type(v, T_CODE) && code_ptr(v)->kind == CODE_METHOD;
    case OP_DEFCLASS:
    case OP_SCLASS:
        return is_type(v, T_CODE) && code_ptr(v)->kind == CODE_CLASS;
    default:
        return !is_heap(v) || !(hidden_types >> obj_type(v) & 1);
    }
}

/* ---- disassembler ---- */

static void dump_bytes(StrBuf *out, const char *bytes, size_t n)
{
    strbuf_putc(out, '"');
    for (size_t i = 0; i < n && i < 60; i++) {
        unsigned char ch = (unsigned char)bytes[i];

        if (ch == '"' || ch == '\\')
            strbuf_printf(out, "\\%c", ch);
        else if (ch < 32)
            strbuf_printf(out, "\\x%02x", ch);
        else
            strbuf_putc(out, (char)ch);
    }
    strbuf_puts(out, n > 60 ? "\"..." : "\"");
}

static void dump_object(StrBuf *out, Value v)
{
    if (v == V_NIL) {
        strbuf_puts(out, "nil");
    } else if (is_string(v)) {
        StrView view = str_view(v);

        dump_bytes(out, view.ptr, view.len);
    } else if (is_fixnum(v)) {
        strbuf_printf(out, "%lld", (long long)fix_int(v));
    } else if (is_symbol(v)) {
        strbuf_printf(out, ":%s", sym_text(v));
    } else if (is_array(v)) {
        strbuf_putc(out, '[');
        for (size_t i = 0, n = ary_len(v); i < n; i++) {
            strbuf_puts(out, i ? ", " : "");
            dump_object(out, ary_get(v, (long)i));
        }
        strbuf_putc(out, ']');
    } else if (is_type(v, T_CODE)) {
        strbuf_printf(out, "code:%u", code_ptr(v)->first_line);
    } else if (is_flonum(v)) {
        strbuf_printf(out, "%.17g", flonum_double(v));
    } else {
        strbuf_printf(out, "<type %d>", is_heap(v) ? (int)obj_type(v) : -1);
    }
}

static void dump_insn(Code *code, uint32_t at, StrBuf *out)
{
    uint32_t *pc = code->words + at;
    const Insn *insn = &insn_table()[insn_op(pc)];

    strbuf_printf(out, "%5u %4d  %-12s", at, code_line_at(code, at), insn->name);
    for (unsigned i = 0; i < insn->noperands; i++) {
        uint32_t value = insn_operand(pc, insn->operands[i]);

        strbuf_puts(out, i ? ", " : " ");
        switch (insn->operands[i].kind) {
        case 'R':
            if (value < code->nlocals && code->locals[value] != 0)
                strbuf_printf(out, "%s", sym_text(symbol_value(code->locals[value])));
            else
                strbuf_printf(out, "r%u", value);
            break;
        case 'N':
            if (insn_op(pc) == OP_PRIM && i == 1 && value < PRIM_COUNT)
                strbuf_puts(out, primitive_names[value]);
            else
                strbuf_printf(out, "%u", value);
            break;
        case 'S':
            strbuf_printf(out, "%d", (int)(int16_t)value);
            break;
        case 'W':
            strbuf_printf(out, "%d", (int)value);
            break;
        case 'J':
            strbuf_printf(out, "->%u", at + value);
            break;
        case 'Y':
            strbuf_printf(out, ":%s", value == 0 ? "" : sym_text(symbol_value(value)));
            break;
        case 'C':
            strbuf_printf(out, "c%u", value);
            break;
        case 'O':
            dump_object(out, slot_read((Value)code, (Slot *)(pc + insn->operands[i].offset)));
            break;
        }
    }
    strbuf_putc(out, '\n');
}

static const char *const kinds[] = {"top", "eval", "method", "block", "lambda", "class"};

void code_dump(Value v, StrBuf *out)
{
    const Insn *table = insn_table();
    Code *code = code_ptr(v);

    strbuf_printf(out, "== %s %s, line %u: %u locals, %u registers, %u caches", kinds[code->kind],
                  code->name == 0 ? "" : sym_text(symbol_value(code->name)), code->first_line, code->nlocals,
                  code->nregs, code->ncaches);
    strbuf_printf(out, ", parameters %u/%u/%u keywords %u/%u flags %#x\n", code->params.required,
                  code->params.optional, code->params.post, code->params.keywords_required, code->params.keywords,
                  code->flags);
    for (uint32_t i = 0; i < code->ncatches; i++)
        strbuf_printf(out, "   %s %u-%u -> %u in r%u\n", code->catches[i].kind == CATCH_RESCUE ? "rescue" : "ensure",
                      code->catches[i].start, code->catches[i].end, code->catches[i].target, code->catches[i].reg);
    for (uint32_t at = 0; at < code->nwords; at += table[insn_op(code->words + at)].nwords)
        dump_insn(code, at, out);
    for (uint32_t at = 0; at < code->nwords; at += table[insn_op(code->words + at)].nwords) {
        const Insn *insn = &table[insn_op(code->words + at)];

        for (unsigned i = 0; i < insn->noperands; i++) {
            Value object;

            if (insn->operands[i].kind != 'O')
                continue;
            object = slot_read(v, (Slot *)(code->words + at + insn->operands[i].offset));
            if (is_type(object, T_CODE)) {
                strbuf_putc(out, '\n');
                code_dump(object, out);
            }
        }
    }
}
