/*
 * pty.c: runs a command on a pseudo-terminal of its own, as the foreground job of an interactive session, and drives it
 * by a script on standard input; prints all that the terminal shows.  For tests of Ctrl-C, Ctrl-Z, line editing.
 *
 *     pty [-t SECONDS] command [args] <<'END'
 *     expect TEXT       wait until TEXT has been shown since the last expect (fails after the limit)
 *     send TEXT         type it; \n \r \t \e \\ and \xHH, ^C ^Z ^D ^\ as control keys
 *     winsize ROWS COLS
 *     close             hang up
 *     wait              until the command ends
 *     END
 *
 * Exit status: the command's, 128 + signal, or 125 when an expectation fails.  At the end of the script it waits.
 */
#include "lib/base.h"
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int master = -1;
static pid_t child;
static int limit_ms = 120000; /* who hangs is given up, who is slow is not */
static char shown[1 << 20];
static size_t shown_len, looked;
static bool at_end;

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Takes what the terminal shows, for at most ms; true if there was something. */
static bool take(int ms)
{
    struct pollfd p = {master, POLLIN, 0};
    if (at_end || master < 0 || poll(&p, 1, ms) <= 0)
        return false;
    char buf[4096];
    ssize_t n = read(master, buf, sizeof buf);
    if (n <= 0) {
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            return true;
        at_end = true; /* EIO: nobody has the terminal open any more */
        return false;
    }
    if (write(STDOUT_FILENO, buf, (size_t)n) < 0)
        exit(124);
    size_t room = sizeof shown - 1 - shown_len;
    memcpy(shown + shown_len, buf, MIN((size_t)n, room));
    shown_len += MIN((size_t)n, room);
    shown[shown_len] = 0;
    return true;
}

NORETURN static void give_up(const char *what, const char *text)
{
    fprintf(stderr, "\npty: %s \"%s\"; shown since: \"%s\"\n", what, text, shown + looked);
    if (child > 0)
        kill(-child, SIGKILL);
    exit(125);
}

static void expect(const char *text)
{
    int64_t end = now_ms() + limit_ms;
    for (;;) {
        char *at = strstr(shown + looked, text);
        if (at) {
            looked = (size_t)(at - shown) + strlen(text);
            return;
        }
        if (now_ms() >= end || at_end)
            give_up("did not see", text);
        take(50);
    }
}

static size_t unescape(const char *from, char *to)
{
    size_t n = 0;
    for (; *from; from++) {
        if (*from == '^' && from[1]) {
            from++;
            to[n++] = (char)(*from == '?' ? 0x7f : toupper((unsigned char)*from) ^ 0x40);
        } else if (*from == '\\' && from[1]) {
            from++;
            switch (*from) {
            case 'n':
                to[n++] = '\n';
                break;
            case 'r':
                to[n++] = '\r';
                break;
            case 't':
                to[n++] = '\t';
                break;
            case 'e':
                to[n++] = 0x1b;
                break;
            case 'x': {
                char hex[3] = {from[1], from[1] ? from[2] : 0, 0};
                to[n++] = (char)strtol(hex, NULL, 16);
                from += strlen(hex);
                break;
            }
            default:
                to[n++] = *from;
            }
        } else {
            to[n++] = *from;
        }
    }
    return n;
}

static int wait_child(void)
{
    int status;
    int64_t end = now_ms() + limit_ms;
    for (;;) {
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child)
            break;
        if (now_ms() >= end)
            give_up("no end of", "command");
        if (!take(20))
            usleep(5000);
    }
    while (take(0))
        ;
    child = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "-t") == 0) {
        limit_ms = atoi(argv[2]) * 1000;
        at = 3;
    }
    if (at >= argc) {
        fprintf(stderr, "usage: pty [-t SECONDS] command [args]\n");
        return 124;
    }
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    child = forkpty(&master, NULL, NULL, &size);
    if (child < 0) {
        perror("forkpty");
        return 124;
    }
    if (child == 0) {
        setenv("TERM", "dumb", 1);
        execvp(argv[at], argv + at);
        perror(argv[at]);
        _exit(127);
    }
    char line[4096], text[4096];
    int status = -1;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *arg = strchr(line, ' ');
        if (arg)
            *arg++ = 0;
        else
            arg = line + strlen(line);
        if (line[0] == 0 || line[0] == '#')
            continue;
        if (strcmp(line, "expect") == 0) {
            text[unescape(arg, text)] = 0;
            expect(text);
        } else if (strcmp(line, "send") == 0) {
            size_t n = unescape(arg, text);
            if (write(master, text, n) != (ssize_t)n)
                give_up("could not type", arg);
        } else if (strcmp(line, "winsize") == 0) {
            sscanf(arg, "%hu %hu", &size.ws_row, &size.ws_col);
            ioctl(master, TIOCSWINSZ, &size);
        } else if (strcmp(line, "close") == 0) {
            close(master);
            master = -1;
        } else if (strcmp(line, "wait") == 0) {
            status = wait_child();
        } else {
            give_up("unknown step", line);
        }
    }
    if (child > 0)
        status = wait_child();
    return status;
}
