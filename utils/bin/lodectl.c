/*
 * utils/bin/lodectl.c: administration: init, start, stop, restart, reload, status, verify.  Also `maglev`, by
 * the name it is called.
 *
 * Commands stand in one table.  Exit status: 0 done, 1 it could not be done, 3 no server is running (status),
 * 64 wrong usage.  Every failure is one line on standard error.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "lib/lib.h"

typedef struct Arguments {
    const char *program;
    const char *dir;
    const char *mode;
    const char *log_path;
    bool json, quiet, sessions;
    int64_t timeout_ms;
    bool timeout_given; /* else stop waits for shutdown_timeout */
    char **settings;
    size_t setting_count;
} Arguments;

typedef struct Command {
    const char *name;
    int (*run)(Arguments *args);
    const char *help;
} Command;

static int say_error(const Arguments *args, const char *message, const char *hint)
{
    fprintf(stderr, "%s: %s%s%s%s\n", args->program, message, hint && *hint ? " (" : "", hint ? hint : "",
            hint && *hint ? ")" : "");
    return 1;
}

static void say(const Arguments *args, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(const Arguments *args, const char *format, ...)
{
    va_list ap;

    if (!args->quiet) {
        va_start(ap, format);
        vprintf(format, ap);
        va_end(ap);
        fflush(stdout);
    }
}

static bool find_server(const Arguments *args, ServerFile *file)
{
    return server_file_read(args->dir, file) && server_is_alive(file);
}

/* ---------------------------------------------------------------- commands */

static int run_init(Arguments *args)
{
    datadir_create(args->dir);
    say(args, "made a store in %s\n", args->dir);
    return 0;
}

static int run_start(Arguments *args)
{
    ServerFile file;
    LaunchOptions launch = {.dir = args->dir,
                            .log_path = args->log_path,
                            .settings = args->settings,
                            .timeout_ms = args->timeout_ms};

    datadir_check(args->dir);
    void *lock = launch_lock(args->dir); /* whoever starts one now has it before us */
    if (find_server(args, &file)) {
        char text[128];
        snprintf(text, sizeof text, "a server (process %d) is already running", file.pid);
        return say_error(args, text, NULL);
    }
    pid_t pid = server_launch(&launch);
    resource_release(lock);
    say(args, "server started: process %d\n", (int)pid);
    return 0;
}

static int run_stop(Arguments *args)
{
    static const struct {
        const char *name;
        int signo;
    } modes[] = {{"smart", SIGTERM}, {"fast", SIGINT}, {"immediate", SIGQUIT}};
    const char *mode = args->mode ? args->mode : "fast";
    ServerFile file;
    int signo = 0;
    int64_t deadline;

    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        if (strcmp(mode, modes[i].name) == 0) {
            signo = modes[i].signo;
        }
    }
    if (!signo) {
        say_error(args, "-m wants smart, fast or immediate", NULL);
        return 64;
    }
    datadir_check(args->dir);
    if (!find_server(args, &file)) {
        return say_error(args, "no server is running", NULL);
    }
    if (kill(file.pid, signo) != 0) {
        return say_error(args, "could not signal the server", errno_text());
    }
    if (!args->timeout_given) {
        datadir_load_config(args->dir);
        args->timeout_ms = conf.shutdown_timeout;
    }
    deadline = clock_monotonic_ns() + args->timeout_ms * NSEC_PER_MSEC;
    while (server_is_alive(&file)) {
        if (clock_monotonic_ns() > deadline) {
            return say_error(args, "the server has not stopped in time",
                             strcmp(mode, "smart") == 0
                                 ? "Smart waits for all sessions to end; -m fast ends them."
                                 : NULL);
        }
        io.sleep_ns(10 * NSEC_PER_MSEC);
    }
    say(args, "server stopped\n");
    return 0;
}

static int run_restart(Arguments *args)
{
    ServerFile file;

    if (find_server(args, &file)) {
        int status = run_stop(args);
        if (status != 0) {
            return status;
        }
    }
    return run_start(args);
}

static int run_reload(Arguments *args)
{
    ServerFile file;

    datadir_check(args->dir);
    if (!find_server(args, &file)) {
        return say_error(args, "no server is running", NULL);
    }
    if (kill(file.pid, SIGHUP) != 0) {
        return say_error(args, "could not signal the server", errno_text());
    }
    say(args, "server told to read lodestone.conf again\n");
    return 0;
}

static bool is_number(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return n > 0 && n < 19;
}

/* Lines name=value as one JSON object. */
static void print_json(const char *text)
{
    StrBuf out;
    bool first = true;

    strbuf_init(&out, memctx_current());
    strbuf_putc(&out, '{');
    while (*text) {
        size_t line = strcspn(text, "\n");
        size_t name = strcspn(text, "=\n");
        if (name < line) {
            const char *value = text + name + 1;
            size_t n = line - name - 1;
            strbuf_puts(&out, first ? "" : ", ");
            strbuf_json(&out, text, name);
            strbuf_puts(&out, ": ");
            if (is_number(value, n)) {
                strbuf_append(&out, value, n);
            } else {
                strbuf_json(&out, value, n);
            }
            first = false;
        }
        text += line;
        text += *text == '\n';
    }
    strbuf_puts(&out, "}\n");
    fputs(out.data, stdout);
    strbuf_free(&out);
}

/* The session.N lines as a table: the words of a line are names and values in turn. */
static void print_sessions(const char *text, bool json)
{
    StrBuf out;
    size_t rows = 0;

    strbuf_init(&out, memctx_current());
    strbuf_puts(&out, json ? "[" : "");
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char copy[512], *rest = NULL, *words[32];
        size_t n = 0;
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
        if (strncmp(copy, "session.", 8) != 0) {
            continue;
        }
        copy[7] = ' ';
        for (char *w = strtok_r(copy, " =", &rest); w && n < COUNT_OF(words); w = strtok_r(NULL, " =", &rest)) {
            words[n++] = w;
        }
        if (json) {
            strbuf_puts(&out, rows ? ", {" : "{");
            for (size_t i = 0; i + 1 < n; i += 2) {
                size_t length = strlen(words[i + 1]);
                strbuf_puts(&out, i ? ", " : "");
                strbuf_json(&out, words[i], strlen(words[i]));
                strbuf_puts(&out, ": ");
                if (is_number(words[i + 1], length)) {
                    strbuf_append(&out, words[i + 1], length);
                } else {
                    strbuf_json(&out, words[i + 1], length);
                }
            }
            strbuf_putc(&out, '}');
        } else {
            for (size_t pass = rows ? 1 : 0; pass < 2; pass++) {
                for (size_t i = 0; i + 1 < n; i += 2) {
                    strbuf_printf(&out, "%*s", i ? 13 : 7, words[i + pass]);
                }
                strbuf_putc(&out, '\n');
            }
        }
        rows++;
    }
    strbuf_puts(&out, json ? "]\n" : "");
    fputs(out.data ? out.data : "", stdout);
    strbuf_free(&out);
}

static int run_status(Arguments *args)
{
    ServerFile file;
    char *text;

    datadir_check(args->dir);
    if (!find_server(args, &file)) {
        if (args->json) {
            print_json("state=stopped\n");
        } else {
            printf("state=%s\n", store_exists(args->dir) ? "stopped" : "no store");
        }
        return 3;
    }
    if (strcmp(file.state, "ready") != 0) {
        text = mem_printf(memctx_top(), "state=%s\npid=%d\n", file.state, file.pid);
    } else {
        text = server_status(memctx_top(), args->dir);
    }
    if (args->sessions) {
        print_sessions(text, args->json);
    } else if (args->json) {
        print_json(text);
    } else {
        fputs(text, stdout);
    }
    return 0;
}

static int run_verify(Arguments *args)
{
    Store *store;
    uint64_t objects;

    datadir_check(args->dir);
    datadir_load_config(args->dir);
    store = store_open(args->dir, STORE_SOLO);
    objects = store_verify();
    store_close(store, true);
    say(args, "%llu objects, all well\n", (unsigned long long)objects);
    return 0;
}

static const Command COMMANDS[] = {
    {"init", run_init, "init: makes a store in DIR (created with mode 0700 when absent)"},
    {"start", run_start,
     "start [-l LOGFILE] [-c name=value]... [-t SECONDS]: starts a server and waits until it is ready"},
    {"stop", run_stop,
     "stop [-m smart|fast|immediate] [-t SECONDS]: smart waits for sessions to end, fast ends them "
     "(default), immediate "
     "ends all at once and leaves recovery to the next start"},
    {"restart", run_restart, "restart [-m MODE] [-c name=value]...: stop, then start"},
    {"reload", run_reload, "reload: the server reads lodestone.conf again"},
    {"status", run_status,
     "status [--sessions] [--json]: what the server does, or what each session holds: the age of its transaction, bytes of "
     "replaced versions that can't be reclaimed for it, locks; exit status 3 when none is running"},
    {"verify", run_verify, "verify: reads all of a store that no server has open and checks it"},
};

static void print_help(const Arguments *args, const Command *only)
{
    if (only) {
        printf("Usage: %s [-D DIR] %s\n", args->program, only->help);
        return;
    }
    printf("Usage: %s [-D DIR] COMMAND [options]\n", args->program);
    puts("Makes, starts and stops stores.  DIR is the store; without -D, $LODE_STORE, else ~/.lodestone.");
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        printf("  %s\n", COMMANDS[i].help);
    }
    puts("  -q, --quiet     says nothing but errors");
    puts("  --help          this, or a command's help; --version");
}

static int wrong(const Arguments *args, const char *what, const char *word)
{
    fprintf(stderr, "%s: %s%s (see %s --help)\n", args->program, what, word, args->program);
    return 64;
}

/* A value: the rest of the word after the letter, or the next word. */
static const char *value_of(int argc, char **argv, int *i, size_t skip)
{
    if (argv[*i][skip]) {
        return argv[*i] + skip + (argv[*i][skip] == '=');
    }
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static int run(int argc, char **argv, Arguments *args, const char **dir)
{
    const Command *command = NULL;
    bool help = false;

    args->settings = mem_zalloc(memctx_top(), ((size_t)argc + 1) * sizeof *args->settings);
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const char *value = NULL;
        if (word[0] != '-') {
            if (command) {
                return wrong(args, "one command at a time, not also ", word);
            }
            for (size_t c = 0; c < COUNT_OF(COMMANDS); c++) {
                if (strcmp(word, COMMANDS[c].name) == 0) {
                    command = &COMMANDS[c];
                }
            }
            if (!command) {
                return wrong(args, "unknown command ", word);
            }
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            help = true;
        } else if (strcmp(word, "--version") == 0) {
            puts(options_version_text());
            return 0;
        } else if (strcmp(word, "--json") == 0) {
            args->json = true;
        } else if (strcmp(word, "--sessions") == 0) {
            args->sessions = true;
        } else if (strcmp(word, "--quiet") == 0 || strcmp(word, "-q") == 0) {
            args->quiet = true;
        } else if (strchr("Dmlct", word[1]) && word[1]) {
            value = value_of(argc, argv, &i, 2);
            if (!value || !*value) {
                return wrong(args, "missing value for ", word);
            }
            if (word[1] == 'D') {
                *dir = value;
            } else if (word[1] == 'm') {
                args->mode = value;
            } else if (word[1] == 'l') {
                args->log_path = value;
            } else if (word[1] == 'c') {
                args->settings[args->setting_count++] = (char *)value;
            } else {
                args->timeout_ms = strtoll(value, NULL, 10) * 1000;
                args->timeout_given = true;
                if (args->timeout_ms <= 0) {
                    return wrong(args, "-t wants a number of seconds, not ", value);
                }
            }
        } else {
            return wrong(args, "unknown option ", word);
        }
    }
    if (help) {
        print_help(args, command);
        return 0;
    }
    if (!command) {
        return wrong(args, "a command is missing", "");
    }
    args->dir = datadir_choose(memctx_top(), *dir);
    if (strcmp(args->program, "maglev") == 0 && command->run == run_start && !store_exists(args->dir)) {
        datadir_create(args->dir); /* MagLev came with a store */
    }
    return command->run(args);
}

int main(int argc, char **argv)
{
    Arguments args = {.program = "lodectl", .timeout_ms = 60000};
    const char *dir = NULL;
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    volatile int status = 1;

    if (argc > 0 && strcmp(slash ? slash + 1 : argv[0], "maglev") == 0) {
        args.program = "maglev";
    }
    lib_init("lodectl");
    TRY()
    {
        status = run(argc, argv, &args, &dir);
    }
    CATCH(err)
    {
        status = say_error(&args, err->message, err->hint);
    }
    END_TRY();
    return status;
}
