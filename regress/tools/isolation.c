/*
 * isolation.c: runs an isolation spec: live sessions of one server, driven step by step through given or all
 * interleavings.
 *
 *     isolation SPEC        the server's store is $LODE_STORE; prints what each step answered
 *
 * A spec has lines of these forms; code is one line of Ruby for regress/isolation/driver.rb:
 *
 *     conf NAME = VALUE             of the server, before it starts
 *     isolation LEVEL ...           all permutations under each (default: snapshot serializable)
 *     setup CODE                    before each permutation, by a session of its own
 *     session NAME                  its steps follow
 *     step NAME CODE
 *     final CODE                    after each permutation; its answer is printed
 *     permutation WORD ...          without one: every interleaving that keeps each session's order
 *
 * Words of a permutation:
 *     STEP            sends it and waits for the answer
 *     STEP@EVENT      the session is to pause at this stop event; goes on when it does
 *     STEP&           sends it; the answer is waited for by <SESSION
 *     !EVENT          lets those that pause there go on
 *     <SESSION        waits for the answer to what was sent before
 *     RECOVERY        waits until all sessions have ended: a death in a critical section takes all along
 *     SESSION.SIGNAL  KILL, STOP or CONT to the session's process; HANGUP kills its client
 *
 * A session that has ended is opened again at its next step.  Every wait has an end: a spec that hangs fails.
 */
#include "lib/lib.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SESSIONS = 8, MAX_STEPS = 64, MAX_WORDS = 32, MAX_PERMUTATIONS = 512, MAX_LINES = 32, WAIT_MS = 120000 };

typedef struct Session {
    const char *name;
    pid_t client;
    int32_t worker;
    FILE *in; /* to it */
    int out;  /* from it */
    bool ended;
    const char *pending; /* a step whose answer is still to come */
    char buffer[8192];
    size_t filled;
} Session;

typedef struct Step {
    const char *name, *code;
    int session;
} Step;

static Session sessions[MAX_SESSIONS + 1]; /* [0]: set-up and final */
static int session_count = 1;
static Step steps[MAX_STEPS];
static int step_count;
static const char *conf_lines[MAX_LINES], *setup_lines[MAX_LINES], *final_lines[MAX_LINES], *levels[4];
static int conf_count, setup_count, final_count, level_count;
static const char *permutations[MAX_PERMUTATIONS][MAX_WORDS + 1];
static int permutation_count;
static const char *store, *top, *build;
static char stop_file[512];
static pid_t server_started;

static void cleanup(void);

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    va_start(args, format);
    fprintf(stderr, "isolation: ");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
    cleanup();
    exit(1);
}

/* ---- the spec -------------------------------------------------------------------------------------------- */

static char *word(char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
    char *start = *at;
    while (**at && **at != ' ' && **at != '\t')
        (*at)++;
    if (**at)
        *(*at)++ = 0;
    while (**at == ' ' || **at == '\t')
        (*at)++;
    return start;
}

static void keep(const char **lines, int *count, const char *text)
{
    if (*count == MAX_LINES)
        fail("more than %d lines of one kind", MAX_LINES);
    lines[(*count)++] = strdup(text);
}

static void take_line(char *line)
{
    char *kind = word(&line);
    if (*kind == 0 || *kind == '#')
        return;
    if (strcmp(kind, "conf") == 0) {
        keep(conf_lines, &conf_count, line);
    } else if (strcmp(kind, "setup") == 0) {
        keep(setup_lines, &setup_count, line);
    } else if (strcmp(kind, "final") == 0) {
        keep(final_lines, &final_count, line);
    } else if (strcmp(kind, "isolation") == 0) {
        while (*line && level_count < 4)
            levels[level_count++] = strdup(word(&line));
    } else if (strcmp(kind, "session") == 0) {
        if (session_count > MAX_SESSIONS)
            fail("more than %d sessions", MAX_SESSIONS);
        sessions[session_count++].name = strdup(word(&line));
    } else if (strcmp(kind, "step") == 0) {
        if (session_count == 1 || step_count == MAX_STEPS)
            fail("a step before the first session, or too many");
        const char *name = strdup(word(&line));
        steps[step_count++] = (Step){ name, strdup(line), session_count - 1 };
    } else if (strcmp(kind, "permutation") == 0) {
        int n = 0;
        if (permutation_count == MAX_PERMUTATIONS)
            fail("too many permutations");
        while (*line && n < MAX_WORDS)
            permutations[permutation_count][n++] = strdup(word(&line));
        permutation_count++;
    } else {
        fail("unknown line \"%s ...\"", kind);
    }
}

static void read_spec(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    if (f == NULL)
        fail("no spec %s", path);
    while (fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = 0;
        take_line(line);
    }
    fclose(f);
    if (level_count == 0) {
        levels[level_count++] = "snapshot";
        levels[level_count++] = "serializable";
    }
}

/* All interleavings: next[s] is the next step of session s. */
static void interleave(int next[MAX_SESSIONS + 1], const char **words, int n)
{
    bool any = false;
    for (int s = 1; s < session_count; s++)
        for (int i = next[s]; i < step_count; i++) {
            if (steps[i].session != s)
                continue;
            int before = next[s];
            any = true;
            next[s] = i + 1;
            words[n] = steps[i].name;
            interleave(next, words, n + 1);
            next[s] = before;
            break;
        }
    if (any)
        return;
    if (permutation_count == MAX_PERMUTATIONS)
        fail("more than %d interleavings: name some", MAX_PERMUTATIONS);
    memcpy(permutations[permutation_count], words, (size_t)n * sizeof(*words));
    permutations[permutation_count++][n] = NULL;
}

/* ---- the server and its sessions ------------------------------------------------------------------------------ */

static int run(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

static void session_forget(Session *s)
{
    if (s->in != NULL)
        fclose(s->in);
    if (s->out > 0)
        close(s->out);
    if (s->client > 0)
        waitpid(s->client, NULL, 0);
    s->in = NULL;
    s->out = 0;
    s->client = 0;
    s->pending = NULL;
    s->filled = 0;
}

static void cleanup(void)
{
    if (stop_shared != NULL)
        stop_disarm_all();
    for (int i = 0; i < session_count; i++) {
        if (sessions[i].client > 0)
            kill(sessions[i].client, SIGKILL);
        session_forget(&sessions[i]);
    }
    if (server_started)
        run("'%s/lodectl' -D '%s' stop -m immediate >/dev/null 2>&1", build, store);
}

static int64_t now_ms(void)
{
    return clock_monotonic_ns() / NSEC_PER_MSEC;
}

/* One line of the session's; false when it has ended. */
static bool read_line(Session *s, char *line, size_t size)
{
    int64_t deadline = now_ms() + WAIT_MS;
    for (;;) {
        char *end = memchr(s->buffer, '\n', s->filled);
        if (end != NULL) {
            size_t n = (size_t)(end - s->buffer);
            snprintf(line, size, "%.*s", (int)n, s->buffer);
            s->filled -= n + 1;
            memmove(s->buffer, end + 1, s->filled);
            return true;
        }
        struct pollfd p = { .fd = s->out, .events = POLLIN };
        int64_t left = deadline - now_ms();
        if (left <= 0 || poll(&p, 1, (int)left) <= 0)
            fail("session %s does not answer \"%s\"", s->name, s->pending ? s->pending : "");
        ssize_t got = read(s->out, s->buffer + s->filled, sizeof(s->buffer) - s->filled);
        if (got <= 0)
            return false;
        s->filled += (size_t)got;
    }
}

static void session_open(Session *s)
{
    char path[600], program[600], line[256];
    snprintf(path, sizeof path, "%s/regress/isolation/driver.rb", top);
    snprintf(program, sizeof program, "%s/lode", build);
    for (int64_t deadline = now_ms() + WAIT_MS;;) {
        int to[2], from[2];
        if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
            fail("no pipe");
        s->client = fork();
        if (s->client == 0) {
            dup2(to[0], 0);
            dup2(from[1], 1);
            execl(program, "lode", path, (char *)NULL);
            _exit(127);
        }
        close(to[0]);
        close(from[1]);
        s->in = fdopen(to[1], "w");
        s->out = from[0];
        s->filled = 0;
        s->ended = false;
        fprintf(s->in, "Process.pid\n");
        fflush(s->in);
        if (read_line(s, line, sizeof line)) {
            s->worker = atoi(line);
            return;
        }
        session_forget(s); /* the server is recovering */
        if (now_ms() > deadline)
            fail("session %s can't be opened", s->name);
        usleep(50000);
    }
}

static void send_code(Session *s, const char *what, const char *code)
{
    if (s->client == 0 || s->ended) {
        session_forget(s);
        session_open(s);
    }
    s->pending = what;
    fprintf(s->in, "%s\n", code);
    fflush(s->in);
}

/* NULL when it has ended. */
static const char *answer(Session *s)
{
    static char line[8192];
    bool got = read_line(s, line, sizeof line);
    s->pending = NULL;
    s->ended = !got;
    return got ? line : NULL;
}

static const char *ask(Session *s, const char *code)
{
    send_code(s, code, code);
    return answer(s);
}

/* ---- running --------------------------------------------------------------------------------------------------- */

static StopEvent event_named(const char *name)
{
    StopEvent event;
    if (!stop_find(name, &event))
        fail("no stop event %s", name);
    return event;
}

static Session *session_named(const char *name, size_t n)
{
    for (int i = 1; i < session_count; i++)
        if (strlen(sessions[i].name) == n && strncmp(sessions[i].name, name, n) == 0)
            return &sessions[i];
    fail("no session %.*s", (int)n, name);
}

static void print_answer(Session *s, const char *step)
{
    const char *text = answer(s);
    printf("    %-10s %s\n", step, text ? text : "(the session has ended)");
}

static void signal_session(const char *text, const char *dot)
{
    static const struct {
        const char *name;
        int number;
    } signals[] = { { "KILL", SIGKILL }, { "STOP", SIGSTOP }, { "CONT", SIGCONT }, { "HANGUP", SIGKILL } };
    Session *s = session_named(text, (size_t)(dot - text));
    for (size_t i = 0; i < COUNT_OF(signals); i++)
        if (strcmp(dot + 1, signals[i].name) == 0) {
            kill(strcmp(dot + 1, "HANGUP") == 0 ? s->client : s->worker, signals[i].number);
            if (signals[i].number == SIGKILL)
                s->ended = true;
            printf("    %s\n", text);
            return;
        }
    fail("no signal %s", dot + 1);
}

/* The sessions end; the next one opened waits for the server. */
static void await_recovery(void)
{
    char line[256];
    for (int i = 0; i < session_count; i++)
        if (sessions[i].client > 0) {
            while (read_line(&sessions[i], line, sizeof line))
                ;
            sessions[i].ended = true;
        }
    printf("    RECOVERY\n");
}

static void run_step(const char *text)
{
    size_t n = strcspn(text, "@&");
    for (int i = 0; i < step_count; i++) {
        if (strlen(steps[i].name) != n || strncmp(steps[i].name, text, n) != 0)
            continue;
        Session *s = &sessions[steps[i].session];
        if (text[n] == '@')
            stop_arm(event_named(text + n + 1), STOP_PAUSE, 1, false, 0);
        send_code(s, steps[i].name, steps[i].code);
        if (text[n] == '@') {
            if (!stop_wait_paused(event_named(text + n + 1), WAIT_MS))
                fail("%s does not pause", text);
            printf("    %-10s pauses at %s\n", steps[i].name, text + n + 1);
        } else if (text[n] == '&') {
            usleep(30000); /* time to get where it waits; nothing depends on it */
            printf("    %-10s ...\n", steps[i].name);
        } else {
            print_answer(s, steps[i].name);
        }
        return;
    }
    fail("no step %s", text);
}

static void run_permutation(const char *level, const char **words)
{
    char code[128];
    printf("%s:", level);
    for (int i = 0; words[i]; i++)
        printf(" %s", words[i]);
    printf("\n");
    for (int i = 0; i < setup_count; i++) {
        const char *text = ask(&sessions[0], setup_lines[i]);
        if (text == NULL || strstr(text, "Error") != NULL)
            fail("set-up: %s", text ? text : "the session has ended");
    }
    snprintf(code, sizeof code, "Maglev.isolation = :%s; abort", level);
    for (int i = 1; i < session_count; i++)
        ask(&sessions[i], code);
    for (int i = 0; words[i]; i++) {
        const char *dot = strchr(words[i], '.');
        if (words[i][0] == '!') {
            stop_release(event_named(words[i] + 1));
            printf("    %s\n", words[i]);
        } else if (words[i][0] == '<') {
            Session *s = session_named(words[i] + 1, strlen(words[i] + 1));
            if (s->pending == NULL)
                fail("session %s has nothing to answer", s->name);
            print_answer(s, s->pending);
        } else if (strcmp(words[i], "RECOVERY") == 0) {
            await_recovery();
        } else if (dot != NULL) {
            signal_session(words[i], dot);
        } else {
            run_step(words[i]);
        }
    }
    stop_disarm_all();
    for (int i = 1; i < session_count; i++)
        if (sessions[i].pending != NULL && !sessions[i].ended)
            fail("session %s has still to answer %s", sessions[i].name, sessions[i].pending);
    ask(&sessions[0], "abort");
    for (int i = 0; i < final_count; i++) {
        const char *text = ask(&sessions[0], final_lines[i]);
        printf("    => %s\n", text ? text : "(the session has ended)");
    }
}

static void start_server(void)
{
    snprintf(stop_file, sizeof stop_file, "%s.stops", store);
    setenv("LODE_STOP_FILE", stop_file, 1);
    if (run("'%s/lodectl' -D '%s' init >/dev/null", build, store) != 0)
        fail("no store");
    char path[600];
    snprintf(path, sizeof path, "%s/lodestone.conf", store);
    FILE *f = fopen(path, "a");
    if (f == NULL)
        fail("no configuration");
    for (int i = 0; i < conf_count; i++)
        fprintf(f, "%s\n", conf_lines[i]);
    fclose(f);
    if (run("'%s/lodectl' -D '%s' start >/dev/null", build, store) != 0)
        fail("the server does not start");
    server_started = 1;
    stop_shared = stop_map_file(stop_file);
}

int main(int argc, char **argv)
{
    lib_init("isolation");
    store = getenv("LODE_STORE");
    top = getenv("LODE_TOP");
    build = getenv("LODE_BUILD");
    if (argc != 2 || store == NULL || top == NULL || build == NULL) {
        fprintf(stderr, "usage: LODE_STORE= LODE_TOP= LODE_BUILD= isolation SPEC\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    sessions[0].name = "set-up";
    read_spec(argv[1]);
    if (permutation_count == 0) {
        int next[MAX_SESSIONS + 1] = { 0 };
        const char *words[MAX_WORDS + 1];
        interleave(next, words, 0);
    }
    start_server();
    for (int l = 0; l < level_count; l++)
        for (int i = 0; i < permutation_count; i++)
            run_permutation(levels[l], permutations[i]);
    cleanup();
    unlink(stop_file);
    return 0;
}
