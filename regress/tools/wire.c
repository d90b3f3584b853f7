/*
 * regress/tools/wire.c: a client that says what it should not.
 *
 *   wire SOCKET send 'bytes'     sends bytes (with \xHH), prints what the server answers: a line a message
 *   wire SOCKET idle N           opens N connections that say nothing; prints how many were refused because there are
 *                                others, and how many have ended, whenever that changes, until all have
 *   wire SOCKET fuzz N SEED      N damaged handshakes; fails if the server stops answering
 *   wire SOCKET start WORD...    a good handshake that runs `lode WORD...` with our descriptors, then rubbish
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "backend/protocol.h"

static const char *path;

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(sock, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("wire: connect");
        exit(1);
    }
    return sock;
}

enum { PATIENCE_MS = 120000 };

static int64_t in_ms(int64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
}

/* Prints messages until the server ends the connection. */
static void print_answers(int sock)
{
    Message m;
    char why[200];
    int got;

    while ((got = message_receive(&m, sock, FROM_SERVER, in_ms(PATIENCE_MS), why, sizeof why)) == 1) {
        MessageReader r = message_reader(&m);
        printf("%s", message_name(m.type));
        if (m.type == MSG_REFUSED) {
            const char *code = message_get_string(&r);
            printf(" %s: %s", code, message_get_string(&r));
        } else if (m.type == MSG_EXITED) {
            uint32_t by_signal = message_get_u32(&r);
            printf(" %s %u", by_signal ? "signal" : "status", message_get_u32(&r));
        }
        printf("\n");
        fflush(stdout);
        message_free(&m);
    }
    if (got < 0) {
        printf("end: %s\n", why);
    }
}

static size_t unescape(const char *text, uint8_t *out)
{
    size_t n = 0;

    while (*text) {
        if (text[0] == '\\' && text[1] == 'x') {
            char hex[3] = {text[2], text[2] ? text[3] : '\0', '\0'};
            out[n++] = (uint8_t)strtol(hex, NULL, 16);
            text += 2 + strlen(hex);
        } else {
            out[n++] = (uint8_t)*text++;
        }
    }
    return n;
}

static int do_send(const char *text)
{
    uint8_t bytes[65536];
    int sock = dial();
    size_t n = unescape(text, bytes);

    if (send(sock, bytes, n, MSG_NOSIGNAL) != (ssize_t)n) {
        printf("not all was taken\n");
    }
    print_answers(sock);
    return 0;
}

static int do_idle(int count)
{
    struct pollfd *polls = calloc((size_t)count, sizeof *polls);
    int refused = 0, ended = 0;

    for (int i = 0; i < count; i++) {
        polls[i] = (struct pollfd){dial(), POLLIN, 0};
    }
    while (ended < count) {
        if (poll(polls, (nfds_t)count, PATIENCE_MS) <= 0) {
            printf("%d never end\n", count - ended);
            return 1;
        }
        for (int i = 0; i < count; i++) {
            Message m;
            char why[200];
            if (!polls[i].revents) {
                continue;
            }
            if (message_receive(&m, polls[i].fd, FROM_SERVER, in_ms(PATIENCE_MS), why, sizeof why) == 1) {
                MessageReader r = message_reader(&m);
                const char *code = message_get_string(&r);
                refused += m.type == MSG_REFUSED && strcmp(code, "TOO_MANY_SESSIONS") == 0;
                message_free(&m);
            }
            close(polls[i].fd);
            polls[i].fd = -1; /* poll passes over it */
            ended++;
        }
        printf("refused %d, ended %d\n", refused, ended);
        fflush(stdout);
    }
    return 0;
}

static int greet(void)
{
    int sock = dial();
    MessageBuilder b;

    message_begin(&b, MSG_HELLO);
    message_put_u32(&b, PROTOCOL_VERSION);
    message_put_string(&b, "wire");
    message_send(&b, sock, NULL, 0);
    return sock;
}

static void build_start(MessageBuilder *b, char **argv, uint32_t fd_mask)
{
    static char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    StartMessage s;

    memset(&s, 0, sizeof s);
    s.fd_mask = fd_mask;
    s.umask = 022;
    s.nice = 20;
    s.cwd = "/";
    s.argv = argv;
    s.envp = envp;
    s.envc = 1;
    while (argv[s.argc]) {
        s.argc++;
    }
    start_build(b, &s);
}

static int do_start(char **words)
{
    int sock = greet(), fds[3] = {0, 1, 2};
    MessageBuilder b;

    build_start(&b, words, 7);
    message_send(&b, sock, fds, 3);
    usleep(500000);
    send(sock, "rubbish!rubbish!", 16, MSG_NOSIGNAL);
    print_answers(sock);
    return 0;
}

static int do_fuzz(int rounds, unsigned seed)
{
    char *words[] = {"lode", "-e", "exit 0", NULL};

    for (int round = 0; round < rounds; round++) {
        int sock = rand_r(&seed) % 4 ? greet() : dial();
        uint8_t bytes[1024];
        MessageBuilder b;
        int ends[2];
        size_t n;
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
            return 1;
        }
        build_start(&b, words, 0);
        message_send(&b, ends[0], NULL, 0);
        n = (size_t)read(ends[1], bytes, sizeof bytes);
        close(ends[0]);
        close(ends[1]);
        for (int flips = rand_r(&seed) % 6; flips >= 0; flips--) {
            bytes[(size_t)rand_r(&seed) % n] = (uint8_t)rand_r(&seed);
        }
        n = rand_r(&seed) % 2 ? n : (size_t)rand_r(&seed) % n;
        send(sock, bytes, n, MSG_NOSIGNAL);
        shutdown(sock, SHUT_WR);
        struct pollfd p = {sock, POLLIN, 0};
        if (poll(&p, 1, PATIENCE_MS) <= 0) {
            printf("no answer in round %d\n", round);
            return 1;
        }
        close(sock);
    }
    printf("fuzzed %d\n", rounds);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc < 4) {
        fprintf(stderr, "usage: wire SOCKET send|idle|fuzz|start ...\n");
        return 64;
    }
    path = argv[1];
    if (strcmp(argv[2], "send") == 0) {
        return do_send(argv[3]);
    }
    if (strcmp(argv[2], "start") == 0) {
        char *words[64] = {"lode"};
        for (int i = 3; i < argc && i < 60; i++) {
            words[i - 2] = argv[i];
        }
        return do_start(words);
    }
    if (strcmp(argv[2], "idle") == 0) {
        return do_idle(atoi(argv[3]));
    }
    if (argc > 4 && strcmp(argv[2], "fuzz") == 0) {
        return do_fuzz(atoi(argv[3]), (unsigned)atoi(argv[4]));
    }
    return 64;
}
