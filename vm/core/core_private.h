/* core_private.h -- what the files of vm/core offer each other and the life of a program (vm/interp) */
#ifndef VM_CORE_PRIVATE_H
#define VM_CORE_PRIVATE_H
#include "vm/core.h"

#define BOOT(name) void name##_boot(void);
#include "vm/core/boot.def"
#undef BOOT

/* ---- io.c ---- */
void io_session_start(void); /* the standard streams are those of this process now */
Value kernel_stdout(void);   /* $stdout, $stdin */
Value kernel_stdin(void);
Value io_puts(Value self, int argc, const Value *argv);
Value io_print(Value self, int argc, const Value *argv);

/* ---- signal.c ---- */
int signal_number(Value v);         /* "INT", "SIGINT", :INT or a number; -1 when unknown */
Value signal_prefixed(Value name);  /* "SIGINT" of any of them */
void control_run_exit_trap(void);   /* trap("EXIT") */

/* ---- objectspace.c ---- */
void objectspace_run_finalizers(void); /* those that are due */
size_t objectspace_finalizers_due(void);
void objectspace_finish(void);         /* at the end of a program: of living objects too */

/* ---- method.c ---- */
Value method_parameters_of(MethodEntry *me);

#endif
