/*
 * prism_guard.h - what every function of the generated prism.c does on entry.
 *
 * Two stacks can run out: the native one (prism_host.c gives the parser one of
 * its own) and the module's, which lies in its linear memory and would grow
 * down into the module's heap.  Both tests are exact, so neither overflow can
 * happen, and running out is an ordinary trap.
 */
#ifndef VM_PARSE_PRISM_GUARD_H
#define VM_PARSE_PRISM_GUARD_H

extern char *prism_native_floor;
extern unsigned prism_module_floor;

#define FUNC_PROLOGUE                                                    \
    if (__builtin_expect((char *)__builtin_frame_address(0) < prism_native_floor || \
                         instance->w2c_g0 < prism_module_floor, 0))      \
        TRAP(EXHAUSTION);
#define FUNC_EPILOGUE

#endif
