/*
 * exec.c: the loop.
 *
 * Each instruction is one inline function of (window, pc) in insn_*.h that gives the next pc; nothing of the loop is
 * known to it.  A body that may have moved the window (a call, a reification) reloads *bp.  The loop here threads
 * them by computed goto; DISPATCH=call makes a table of functions of the same bodies.  NULL as next pc: a frame with
 * FRAME_FINISH has returned, its value is in vm.result.
 *
 * While a TracePoint is enabled the table of jumps leads to trace_instruction first (trace.c), in every loop under way.
 */
#include "vm/interp/trace.h"

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
    do {
        if (trace_on) {
            trace_instruction(pc);
            base = vm.fp->base;
        }
        pc = bodies[OPCODE(pc)](&base, pc);
    } while (pc);
    return vm.result;
}

void exec_set_tracing(UNUSED bool on)
{
}
#else
static const void *dispatch[OP_COUNT]; /* where an opcode jumps: its label, or that of tracing */

/* setting: run nothing but fill the table. */
__attribute__((noinline, optimize("no-gcse", "no-crossjumping"))) static Value run_loop_or_set(bool setting, bool tracing)
{
    static const void *const labels[] = {
#define INSN(name, operands, flags) &&L_##name,
#include "vm/instructions.def"
#undef INSN
    };
    if (unlikely(setting)) {
        for (unsigned i = 0; i < OP_COUNT; i++)
            dispatch[i] = tracing ? &&L_traced : labels[i];
        return V_NIL;
    }
    Value *base = vm.fp->base, *window; /* window: what bodies see; base never has its address taken */
    const uint32_t *pc = vm.fp->pc;
    goto *dispatch[OPCODE(pc)];
L_traced:
    trace_instruction(pc);
    base = vm.fp->base;
    goto *labels[OPCODE(pc)];
#define INSN(name, operands, flags) \
    L_##name : window = base; \
    pc = op_##name(&window, pc); \
    base = window; \
    if ((OP_##name == OP_RETURN || OP_##name == OP_RETURN_FAR || OP_##name == OP_BREAK) && !pc) \
        return vm.result; \
    goto *dispatch[OPCODE(pc)];
#include "vm/instructions.def"
#undef INSN
}

static Value run_loop(void)
{
    return run_loop_or_set(false, false);
}

void exec_set_tracing(bool on)
{
    run_loop_or_set(true, on);
}
#endif

void exec_boot(void)
{
#define INSN(name, operands, flags) \
    insn_length[OP_##name] = (uint8_t)length_of(operands); \
    insn_flags[OP_##name] = (uint8_t)(flags);
#include "vm/instructions.def"
#undef INSN
    exec_set_tracing(false);
}

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
