/*
 * backend/vm_face.c: binds the processes to the VM.
 */
#include "backend/backend.h"

#include <signal.h>

#include "backend/repl.h"
#include "vm/vm.h"

static void boot(Store *store)
{
    vm_boot(store);
    repl_boot();
}

static int run_session(const VmOptions *given)
{
    VmOptions opts = *given;

    if (opts.run_repl) {
        repl_prepare(&opts);
    }
    return vm_session_main(&opts);
}

BackendVm backend_vm = {.boot = boot, .session_main = run_session, .interrupt = vm_interrupt};

/*
 * Everything a user can send on purpose.  Not those that report a fault of the process itself (a fault of the
 * client is no fault of the program), nor CHLD, nor what can't be caught, nor TTIN and TTOU (they concern the
 * process that touched the terminal).
 */
bool signal_is_forwarded(int signo)
{
    switch (signo) {
    case SIGKILL:
    case SIGSTOP:
    case SIGCHLD:
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
    case SIGABRT:
    case SIGSYS:
    case SIGPIPE:
    case SIGTTIN:
    case SIGTTOU:
        return false;
    default:
        return signo > 0 && signo < 32;
    }
}
