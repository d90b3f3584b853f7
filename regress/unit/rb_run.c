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
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN); /* Errno::EPIPE */
    vm_boot(NULL);
    return vm_session_main(&opts);
}
