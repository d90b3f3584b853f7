/*
 * futex.c: the futex system call, and wait events.
 */
#include "lib/futex.h"
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Thread_local _Atomic uint32_t private_wait_word;
_Thread_local _Atomic uint32_t *wait_event_word;

__attribute__((constructor)) static void wait_event_word_start(void)
{
    wait_event_word = &private_wait_word;
}

void wait_event_word_set(_Atomic uint32_t *word)
{
    wait_event_word = word ? word : &private_wait_word;
}

static const struct {
    const char *name, *text;
} events[] = {
    {"NONE", "nothing"},
#define WAIT_EVENT(name, text) {#name, text},
#include "utils/lib/wait_events.def"
#undef WAIT_EVENT
};

const char *wait_event_name(WaitEvent event)
{
    return (unsigned)event < COUNT_OF(events) ? events[event].name : "?";
}

const char *wait_event_text(WaitEvent event)
{
    return (unsigned)event < COUNT_OF(events) ? events[event].text : "?";
}

int futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    struct timespec ts, *tp = NULL;
    if (timeout_ns >= 0) {
        ts = (struct timespec){timeout_ns / NSEC_PER_SEC, timeout_ns % NSEC_PER_SEC};
        tp = &ts;
    }
    if (syscall(SYS_futex, word, FUTEX_WAIT, expected, tp, NULL, 0) == 0 || errno == EAGAIN)
        return 0;
    return errno;
}

int futex_wake(_Atomic uint32_t *word, int n)
{
    long woken = syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
    return woken < 0 ? 0 : (int)woken;
}
