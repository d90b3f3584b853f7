/*
 * backend/repl.c: two primitives for the read-eval-print loop, which is Ruby (vm/core/repl.rb).
 *
 * Lines are edited by libedit on the session's own descriptors 0 and 1, the user's terminal.
 * Whether an input is complete is the parser's word: a source whose only fault is its end wants another line.
 */
#include "backend/repl.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>
#include <editline/readline.h>

#include "lib/lib.h"
#include "vm/call.h"
#include "vm/class.h"
#include "vm/core.h"
#include "vm/parse.h"

#define HISTORY_LENGTH 2000

static const char PROGRAM[] = "binding.irb";

static bool history_read;

static void history_path(char *path, size_t size)
{
    const char *home = getenv("HOME");

    snprintf(path, size, "%s/.lode_history", home && *home ? home : "/tmp");
}

static void keep_history(const char *line)
{
    char path[4096];

    if (!*line) {
        return;
    }
    add_history(line);
    history_path(path, sizeof path);
    write_history(path); /* at once: a session may be killed */
}

static bool interrupted, line_begins;

static bool input_is_there(void)
{
    struct pollfd p = {0, POLLIN, 0};

    return poll(&p, 1, 0) > 0;
}

/* False for an interrupt.  A signal between the test and the call would be missed: block them around, as ppoll is meant to
 * be used. */
static bool wait_for_input(void)
{
    struct pollfd p = {0, POLLIN, 0};
    sigset_t all, old;
    int got = -1;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    while (!vm_interrupt_flag && (got = ppoll(&p, 1, NULL, &old)) < 0 && errno == EINTR) {
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return got > 0;
}

/*
 * What libedit reads by: it must not be left by a jump while the terminal is raw, so an interrupt is an end of input.
 *
 * libedit shows the prompt before it makes the terminal raw.  A Ctrl-D typed in between, or earlier, ended a line for the
 * terminal, and is read as NUL.
 */
static int read_char(UNUSED FILE *input)
{
    const bool typed_ahead = line_begins && input_is_there();
    mbstate_t state = {0};
    wchar_t c;
    char byte;

    for (;;) {
        if (!wait_for_input()) {
            interrupted = true;
            return -1;
        }
        ssize_t n = read(0, &byte, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue; /* somebody else read it first */
        }
        if (n != 1) {
            return -1;
        }
        line_begins = false;
        if (byte == '\0' && typed_ahead) {
            return 'D' & 0x1f;
        }
        size_t got = mbrtowc(&c, &byte, 1, &state);
        if (got <= 1) {
            return (int)c;
        }
        if (got == (size_t)-1) { /* no character: passed over */
            state = (mbstate_t){0};
        }
    }
}

static char *read_edited(const char *prompt)
{
    char path[4096], *line;

    if (!history_read) {
        history_read = true;
        rl_getc_function = read_char;
        using_history();
        stifle_history(HISTORY_LENGTH);
        history_path(path, sizeof path);
        read_history(path);
    }
    for (;;) {
        interrupted = false;
        line_begins = true;
        line = readline(prompt);
        if (line || !interrupted) {
            break;
        }
        vm_check_interrupts(); /* Ctrl-C raises; after Ctrl-Z and fg the line is asked for again */
    }
    if (line) {
        keep_history(line);
    }
    return line;
}

/* A line without its newline, nil at the end.  Ctrl-C raises Interrupt at the interrupt test. */
static Value repl_read(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    char prompt[64], *line = NULL;
    size_t room = 0;
    ssize_t n;
    Value result;

    snprintf(prompt, sizeof prompt, "%s", str_c(argv[0]));
    vm_check_interrupts();
    if (isatty(0) && isatty(1)) {
        line = read_edited(prompt);
    } else {
        errno = 0;
        n = getline(&line, &room, stdin);
        if (n < 0) {
            free(line);
            line = NULL;
        } else if (n > 0 && line[n - 1] == '\n') {
            line[n - 1] = '\0';
        }
    }
    if (!line) {
        clearerr(stdin);
        vm_check_interrupts();
        return V_NIL;
    }
    result = str_new_c(line);
    free(line);
    return result;
}

/* Faults that more text could mend, in the parser's words. */
static bool wants_more(NodeString message)
{
    static const char *const signs[] = {"end-of-input", "unterminated", "to close", "expected a matching",
                                        "expected an `end`"};

    for (size_t i = 0; i < COUNT_OF(signs); i++) {
        if (memmem(message.bytes, message.length, signs[i], strlen(signs[i]))) {
            return true;
        }
    }
    return false;
}

static Value repl_incomplete(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    StrView source = str_view(argv[0]);
    ParseOptions options = {.partial_script = true};
    MemoryContext *memory = memctx_create(NULL, "repl");
    ParseResult *parsed;
    size_t last_line = source.len;
    bool more = false, broken = false;

    parsed = parse_source(source.ptr, source.len, &options, memory);
    while (last_line > 0 && isspace((unsigned char)source.ptr[last_line - 1])) {
        last_line--;
    }
    while (last_line > 0 && source.ptr[last_line - 1] != '\n') {
        last_line--;
    }
    for (uint32_t i = 0; i < parsed->error_count; i++) {
        const ParseDiagnostic *error = &parsed->errors[i];
        more = more || wants_more(error->message);
        broken = broken || (!wants_more(error->message) && error->location.start < last_line);
    }
    more = more && !broken; /* a fault before the last line is one that no further line mends */
    memctx_delete(memory);
    return more ? V_TRUE : V_FALSE;
}

static const Builtin methods[] = {
    {"__repl_read", repl_read, 1, 1, BI_HIDDEN},
    {"__repl_incomplete", repl_incomplete, 1, 1, BI_HIDDEN},
};

void repl_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Kernel, methods);
}

void repl_prepare(VmOptions *opts)
{
    static const char *program[] = {PROGRAM};

    opts->exprs = (VmWords){.items = program, .count = 1, .room = 1};
    opts->frozen_string_literal = 0;
}
