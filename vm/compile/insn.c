/*
 * insn.c - the table of instruction layouts, computed once from instructions.def.
 */
#include <string.h>

#include "vm/compile/insn.h"

/* The flag names of instructions.def are defined in it; only the strings matter here. */
typedef struct InsnSource {
    const char *name;
    const char *operands;
    uint32_t flags;
} InsnSource;

static const InsnSource sources[OP_COUNT] = {
#define INSN(name, operands, flags) {#name, operands, flags},
#include "vm/instructions.def"
#undef INSN
};

static Insn table[OP_COUNT];
static bool table_ready;

static void layout(Insn *insn, const InsnSource *source)
{
    unsigned halves = 0, words, at;

    insn->name = source->name;
    insn->flags = source->flags;
    insn->noperands = (uint8_t)strlen(source->operands);
    for (unsigned i = 0; i < insn->noperands; i++) {
        char kind = source->operands[i];

        insn->operands[i].kind = kind;
        if (kind == 'R' || kind == 'N' || kind == 'S')
            insn->operands[i].offset = (uint8_t)++halves; /* half 0 is the opcode */
    }
    at = halves / 2 + 1;
    for (unsigned i = 0; i < insn->noperands; i++) {
        char kind = insn->operands[i].kind;

        if (kind == 'J' || kind == 'Y' || kind == 'C' || kind == 'W')
            insn->operands[i].offset = (uint8_t)at++;
    }
    words = at;
    for (unsigned i = 0; i < insn->noperands; i++) {
        if (insn->operands[i].kind == 'O') {
            if (insn->object_at == 0)
                insn->object_at = (uint8_t)words;
            insn->operands[i].offset = (uint8_t)words;
            words += 2;
        }
    }
    insn->nwords = (uint8_t)words;
}

const Insn *insn_table(void)
{
    if (!table_ready) {
        for (unsigned i = 0; i < OP_COUNT; i++)
            layout(&table[i], &sources[i]);
        table_ready = true;
    }
    return table;
}
