/*
 * bench.h - what the benchmarks of the store share: a folder of their own, and the auxiliary processes of a server.
 * Header only: each benchmark is one file.
 */
#ifndef LODE_BENCH_H
#define LODE_BENCH_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lib.h"
#include "storage/store.h"

static char bench_directory[256];
static volatile bool bench_stop_now;

/* In the folder that the command line names, else in TMPDIR. */
static void bench_begin(int argc, char **argv)
{
    const char *base = argc > 1 ? argv[1] : getenv("TMPDIR");

    snprintf(bench_directory, sizeof(bench_directory), "%s/lode-bench-XXXXXX", base ? base : "/tmp");
    if (mkdtemp(bench_directory) == NULL) {
        perror(bench_directory);
        exit(1);
    }
}

/* Returns main's exit status. */
static int bench_finish(void)
{
    char command[300];

    snprintf(command, sizeof(command), "rm -rf '%s'", bench_directory);
    return system(command) == 0 ? 0 : 1;
}

/* A new store there, open as a postmaster has it. */
static void bench_store_open(void)
{
    char store[300];

    snprintf(store, sizeof(store), "%s/store", bench_directory);
    store_create(store, NULL);
    store_open(store, STORE_POSTMASTER);
}

static void bench_on_term(int signal_number)
{
    (void)signal_number;
    bench_stop_now = true;
    store_checkpointer_wake();
    store_wal_writer_wake();
    store_compactor_wake();
}

/* Starts one of a server's auxiliary processes. */
static pid_t bench_start(void (*fn)(const volatile bool *stop))
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        lib_after_fork("auxiliary");
        signal(SIGTERM, bench_on_term);
        fn(&bench_stop_now);
        _exit(0);
    }
    return pid;
}

static void bench_end(pid_t pid)
{
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

#endif
