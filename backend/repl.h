/*
 * backend/repl.h: the read-eval-print loop; private to backend/.
 */
#ifndef BACKEND_REPL_H
#define BACKEND_REPL_H

#include "vm/options.h"

/* Once after vm_boot. */
void repl_boot(void);
/* Makes options that ask for a REPL run it. */
void repl_prepare(VmOptions *opts);

#endif
