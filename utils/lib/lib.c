/*
 * lib.c: the start of a process, and of a forked child.
 */
#include "lib/lib.h"

void lib_init(const char *process_name)
{
    log_set_process(process_name);
    stop_init();
    io_init();
}

void lib_after_fork(const char *process_name)
{
    log_set_process(process_name);
    crit_word_set(NULL);
    wait_event_word_set(NULL);
}
