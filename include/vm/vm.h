/* vm.h -- the VM as its processes see it */
#ifndef VM_VM_H
#define VM_VM_H
struct Store;
struct VmOptions;
/* Once, in the postmaster before it forks, or in a solo process: core classes, the Ruby part of core, the boot heap. store may be
 * NULL (plain Ruby without a repository, for unit tests). */
void vm_boot(struct Store *store);
/* After the fork (or in solo): attaches the session to the store, runs the program, at_exit blocks, finalizers;
 * returns the exit status; may end the process by a signal as CRuby would. */
int vm_session_main(const struct VmOptions *opts);
/* Async-signal-safe: SIGINT etc. for the program, delivered at the next interrupt test. */
void vm_interrupt(int signo);
/* Set by backend: called at a safepoint outside critical sections when vm_interrupt_flag asks for it (park on TSTP, client death). */
extern void (*vm_safepoint_hook)(void);
#endif
