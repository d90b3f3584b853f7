/*
 * verify.c - the disassembler, and the check that a Code is well formed.
 *
 * What holds of every Code (asserted in debug builds):
 *   V1 words divide into instructions exactly; object operands are 8-aligned.
 *   V2 registers are below nregs, cache operands below ncaches.
 *   V3 jumps, catch targets and optional entry points are instruction starts.
 *   V4 control does not run off the end.
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

static void fail(const char *what, uint32_t at)
{
    ereport(PANIC, ERR_INTERNAL, errmsg("compiled code is malformed at word %u: %s", at, what));
}

void code_verify(Value v)
{
    const Insn *table = insn_table();
    Code *code = code_ptr(v);
    uint8_t *starts = mem_zalloc(memctx_top(), (size_t)code->nwords + 1);
    uint32_t last = 0;

    for (uint32_t at = 0; at < code->nwords;) {
        uint32_t op = insn_op(code->words + at);
        const Insn *insn;

        if (op >= OP_COUNT)
            fail("no such instruction", at);
        insn = &table[op];
        if (insn->nwords > code->nwords - at)
            fail("instruction is cut", at);
        if (insn->object_at != 0 && (at + insn->object_at) % 2 != 0)
            fail("object operand is not aligned", at);
        starts[at] = 1;
        last = at;
        at += insn->nwords;
    }
    for (uint32_t at = 0; at < code->nwords; at += table[insn_op(code->words + at)].nwords) {
        const Insn *insn = &table[insn_op(code->words + at)];

        for (unsigned i = 0; i < insn->noperands; i++) {
            uint32_t value = insn_operand(code->words + at, insn->operands[i]);

            switch (insn->operands[i].kind) {
            case 'R':
                if (value >= code->nregs)
                    fail("register is out of range", at);
                break;
            case 'C':
                if (value >= code->ncaches)
                    fail("cache is out of range", at);
                break;
            case 'J':
                if (at + value >= code->nwords || !starts[at + value])
                    fail("jump to nowhere", at);
                break;
            default:
                break;
            }
        }
    }
    if (code->nwords == 0 || !ends_flow(insn_op(code->words + last)))
        fail("control runs off the end", last);
    for (uint32_t i = 0; i < code->ncatches; i++) {
        CatchRow *row = &code->catches[i];

        if (row->start >= row->end || row->end > code->nwords || row->target >= code->nwords ||
            !starts[row->target] || row->reg >= code->nregs)
            fail("wrong row of the catch table", row->start);
    }
    for (uint32_t i = 0; i <= code->params.optional; i++) {
        if (!starts[code->opt_pc[i]])
            fail("wrong entry point", code->opt_pc[i]);
    }
    mem_free(starts);
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
