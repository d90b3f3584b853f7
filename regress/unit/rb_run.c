/*
 * rb_run.c: runs a Ruby program in this process, without a store: rb_run [options] file.rb [args] | -e src.
 */
#include "vm/options.h"
#include "vm/vm.h"
#include "lib/lib.h"
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>

static void on_signal(int signo)
{
    vm_interrupt(signo);
}

int main(int argc, char **argv)
{
    VmOptions opts;
    if (!options_parse(&opts, argc, (const char *const *)argv, getenv("RUBYOPT"), false)) {
        fprintf(stderr, "rb_run: %s\n", opts.error);
        return 1;
    }
    static const int to_vm[] = {SIGINT, SIGHUP, SIGTERM, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2}; /* as backend/session.c */
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT_OF(to_vm); i++)
        sigaction(to_vm[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* Errno::EPIPE */
    vm_boot(NULL);
    return vm_session_main(&opts);
}
