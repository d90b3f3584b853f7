/*
 * regress/tools/latency.c: how long a session takes, seen from its client.
 *
 *   latency DIR N [CODE]      N times, one after the other: connects to the server of DIR, has it run `lode -e CODE`
 *                             (print 1), waits for the first byte of its output and for the word of its end
 *
 * Prints, in microseconds, "MEDIAN P95 MEDIAN-OF-END": from before connect(2) to that byte, and to the end.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/protocol.h"
#include "lib/lib.h"

extern char **environ;

static void send_start(int sock, const char *code, int out)
{
    char *words[] = {"lode", "-e", (char *)code, NULL};
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fds[4] = {0, out, 2, here};
    StartMessage start = {.fd_mask = 15, .umask = 022, .nice = 20, .argc = 3, .argv = words, .cwd = "", .envp = environ};
    MessageBuilder b;

    while (environ[start.envc]) {
        start.envc++;
    }
    start.limit_count = PROTOCOL_RLIMITS;
    for (uint32_t i = 0; i < PROTOCOL_RLIMITS; i++) {
        getrlimit((int)i, &start.limits[i]);
    }
    start_build(&b, &start);
    if (!message_send(&b, sock, fds, 4)) {
        perror("latency: send");
        exit(1);
    }
    close(here);
}

static void one(const char *dir, const char *code, int64_t *first, int64_t *end)
{
    int ends[2];
    char byte, why[200];
    Message m = {0};
    int64_t begun = clock_monotonic_ns();
    int sock = server_connect(dir, false);

    server_greet(sock);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        perror("latency: pipe");
        exit(1);
    }
    send_start(sock, code, ends[1]);
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1) {
        fprintf(stderr, "latency: no output\n");
        exit(1);
    }
    *first = clock_monotonic_ns() - begun;
    for (MessageType type = 0; type != MSG_EXITED; message_free(&m)) {
        if (message_receive(&m, sock, FROM_SERVER, 0, why, sizeof why) != 1) {
            fprintf(stderr, "latency: the server is gone\n");
            exit(1);
        }
        type = m.type;
    }
    *end = clock_monotonic_ns() - begun;
    close(ends[0]);
    close(sock);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: latency DIR N [CODE]\n");
        return 2;
    }
    lib_init("latency");
    size_t n = (size_t)atol(argv[2]);
    int64_t *first = calloc(n, sizeof *first), *end = calloc(n, sizeof *end);
    for (size_t i = 0; i < n; i++) {
        one(argv[1], argc > 3 ? argv[3] : "print 1", &first[i], &end[i]);
    }
    qsort(first, n, sizeof *first, by_size);
    qsort(end, n, sizeof *end, by_size);
    printf("%lld %lld %lld\n", (long long)first[n / 2] / 1000, (long long)first[n * 95 / 100] / 1000,
           (long long)end[n / 2] / 1000);
    return 0;
}
