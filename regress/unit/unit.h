/*
 * unit.h: what every cmocka test begins with: the library, cmocka in the order that it wants, and helpers for tests
 * that need a child process, shared memory, a directory or an expected error.
 */
#ifndef REGRESS_UNIT_H
#define REGRESS_UNIT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/lib.h"

/* How long a wait for another process may take: it ends who hangs, not who is slow. */
#define UNIT_PATIENCE_MS 120000

/* No process runs for ever.  A rule switched off (regress/mutations, whose limit is 240 s) may leave it waiting for what never
 * comes. */
static inline void unit_limit_time(void)
{
    const char *rule = getenv("LODE_MUTATION");

    alarm(rule != NULL && *rule != 0 ? 200 : 800);
}

/* Opened by a child when it has come so far; its parent waits for that, or for its death.  Made just before the fork. */
static int unit_gate[2] UNUSED;

UNUSED static void unit_gate_make(void)
{
    assert_int_equal(pipe2(unit_gate, O_CLOEXEC), 0);
}

UNUSED static void unit_gate_open(void)
{
    close(unit_gate[0]);
    close(unit_gate[1]);
}

UNUSED static void unit_gate_wait(void)
{
    char nothing;
    close(unit_gate[1]);
    while (read(unit_gate[0], &nothing, 1) < 0 && errno == EINTR)
        ;
    close(unit_gate[0]);
}

static inline void unit_start(void)
{
    /* Deaths on purpose should leave no core files. */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    lib_init("unit");
    unit_limit_time();
}

/* Runs fn in a child whose log goes nowhere; returns its exit status, or 128 + the signal that ended it. */
UNUSED static int unit_child_status(void (*fn)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        log_set_fd(nowhere);
        lib_after_fork("child");
        fn();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

UNUSED static void *unit_shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    return p;
}

/* A fresh directory below $LODE_TEST_DIR (the runner's, which removes it) or /tmp. */
UNUSED static char *unit_directory(void)
{
    const char *base = getenv("LODE_TEST_DIR");
    char *path = mem_printf(memctx_top(), "%s/lode-unit-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return path;
}

UNUSED static void unit_remove(const char *path)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    if (system(command) != 0)
        fail_msg("could not remove %s", path);
}

/* Runs the statements and expects an error of the code; leaves its message in unit_message. */
static char unit_message[1024] UNUSED;
#define EXPECT_ERROR(error_code, ...) \
    do { \
        volatile int code_seen_ = -1; \
        TRY() \
        { \
            __VA_ARGS__; \
        } \
        CATCH(expected_) \
        { \
            code_seen_ = (int)expected_->code; \
            memcpy(unit_message, expected_->message, sizeof unit_message); \
        } \
        END_TRY(); \
        if (code_seen_ == -1) \
            fail_msg("no error raised by: %s", #__VA_ARGS__); \
        if (code_seen_ != (int)(error_code)) \
            fail_msg("%s raised %s (%s)", #__VA_ARGS__, error_code_name((ErrorCode)code_seen_), unit_message); \
    } while (0)

#endif
