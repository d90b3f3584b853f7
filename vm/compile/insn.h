/*
 * insn.h - where the operands of each instruction lie: derived from instructions.def.
 *
 * Half-word operands come first (the first in the upper half of word 0, then two
 * a word, lower half first), then 32-bit ones, then object slots.  `offset` of a
 * half-word is counted in half-words from the instruction's start, of the others
 * in words.
 */
#ifndef VM_COMPILE_INSN_H
#define VM_COMPILE_INSN_H

#include <stdint.h>

#include "vm/code.h"

#define INSN_MAX_OPERANDS 8

typedef struct InsnOperand {
    char kind; /* R N S half-words; J Y C W words; O object */
    uint8_t offset;
} InsnOperand;

typedef struct Insn {
    const char *name;
    uint32_t flags;   /* F_... of instructions.def */
    uint8_t noperands;
    uint8_t nwords;
    uint8_t object_at; /* word offset of the first O operand; 0: none */
    InsnOperand operands[INSN_MAX_OPERANDS];
} Insn;

/* Table of OP_COUNT rows; made at the first call. */
const Insn *insn_table(void);

static inline uint32_t insn_half(const uint32_t *pc, uint8_t offset)
{
    return (pc[offset >> 1] >> ((offset & 1) * 16)) & 0xffff;
}

static inline void insn_set_half(uint32_t *pc, uint8_t offset, uint32_t value)
{
    unsigned shift = (offset & 1) * 16;

    pc[offset >> 1] = (pc[offset >> 1] & ~(0xffffu << shift)) | ((value & 0xffff) << shift);
}

static inline uint32_t insn_operand(const uint32_t *pc, InsnOperand o)
{
    switch (o.kind) {
    case 'R':
    case 'N':
    case 'S':
        return insn_half(pc, o.offset);
    default:
        return pc[o.offset];
    }
}

static inline uint32_t insn_op(const uint32_t *pc)
{
    return *pc & 0xffff;
}

#endif
