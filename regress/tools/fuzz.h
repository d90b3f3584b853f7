/*
 * fuzz.h: what the fuzzers of this folder share: random numbers that a seed decides, a child's streams, what a crash is.
 */
#ifndef REGRESS_TOOLS_FUZZ_H
#define REGRESS_TOOLS_FUZZ_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t random_state;

/* Begins the numbers of one case. */
static inline void draw_begin(uint64_t seed, uint64_t number)
{
    random_state = seed * 0x2545f4914f6cdd1du + number * 0xd1342543de82ef95u;
}

/* splitmix64 */
static inline uint64_t draw(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline size_t pick(size_t n)
{
    return n == 0 ? 0 : (size_t)(draw() % n);
}

static inline void replace_stream(int fd, const char *path, int flags)
{
    int to = open(path, flags, 0644);

    if (to >= 0 && to != fd) {
        dup2(to, fd);
        close(to);
    }
}

/* Does the status of a child tell of a crash?  Sanitizers and assertions abort. */
static inline bool crashed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM && WTERMSIG(status) != SIGKILL && WTERMSIG(status) != SIGXCPU;
}

#endif
