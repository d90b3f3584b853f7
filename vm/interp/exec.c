/*
 * exec.c: the loop.
 *
 * Each instruction is one inline function of (window, pc) in insn_*.h that gives the next pc; nothing of the loop is
 * known to it.  A body that may have moved the window (a call, a reification) reloads *bp.  The loop here threads
 * them by computed goto; DISPATCH=call makes a table of functions of the same bodies.  NULL as next pc: a frame with
 * FRAME_FINISH has returned, its value is in vm.result.
 */
#include "vm/interp/vm_state.h"

uint8_t insn_length[OP_COUNT];
uint8_t insn_flags[OP_COUNT];

#include "vm/interp/insn_data.h"
#include "vm/interp/insn_ops.h"
#include "vm/interp/insn_call.h"
#include "vm/interp/insn_control.h"

/* The operand letters give the length: half-words first, then words, then aligned pairs (instructions.def). */
static unsigned length_of(const char *operands)
{
    unsigned halves = 0, words = 0, objects = 0;
    for (; *operands; operands++) {
        halves += *operands == 'R' || *operands == 'N' || *operands == 'S';
        words += *operands == 'J' || *operands == 'Y' || *operands == 'C' || *operands == 'W';
        objects += *operands == 'O';
    }
    return 1 + halves / 2 + words + 2 * objects;
}

void exec_boot(void)
{
#define INSN(name, operands, flags) \
    insn_length[OP_##name] = (uint8_t)length_of(operands); \
    insn_flags[OP_##name] = (uint8_t)(flags);
#include "vm/instructions.def"
#undef INSN
}

#ifdef LODE_DISPATCH_CALL
#define INSN(name, operands, flags) \
    static const uint32_t *call_##name(Value **bp, const uint32_t *pc) \
    { \
        return op_##name(bp, pc); \
    }
#include "vm/instructions.def"
#undef INSN
static const uint32_t *(*const bodies[])(Value **, const uint32_t *) = {
#define INSN(name, operands, flags) call_##name,
#include "vm/instructions.def"
#undef INSN
};

static Value run_loop(void)
{
    Value *base = vm.fp->base;
    const uint32_t *pc = vm.fp->pc;
    do
        pc = bodies[OPCODE(pc)](&base, pc);
    while (pc);
    return vm.result;
}
#else
__attribute__((noinline, optimize("no-gcse", "no-crossjumping"))) static Value run_loop(void)
{
    static const void *const labels[] = {
#define INSN(name, operands, flags) &&L_##name,
#include "vm/instructions.def"
#undef INSN
    };
    Value *base = vm.fp->base, *window; /* window: what bodies see; base never has its address taken */
    const uint32_t *pc = vm.fp->pc;
    goto *labels[OPCODE(pc)];
#define INSN(name, operands, flags) \
    L_##name : window = base; \
    pc = op_##name(&window, pc); \
    base = window; \
    if ((OP_##name == OP_RETURN || OP_##name == OP_RETURN_FAR || OP_##name == OP_BREAK) && !pc) \
        return vm.result; \
    goto *labels[OPCODE(pc)];
#include "vm/instructions.def"
#undef INSN
}
#endif

Value vm_exec(void)
{
    Frame *entry = vm.fp;
    vm_check_stack();
    for (;;) {
        Value record;
        TRY()
        {
            return run_loop();
        }
        CATCH(err)
        {
            record = unwind_take(err);
        }
        END_TRY();
        bool finished;
        if (!unwind_run(entry, record, &finished))
            vm_unwind(record);
        if (finished)
            return vm.result;
    }
}
