/*
 * stop.c: stop events.  All state is in one shared mapping, so any process (a test, too) can arm and release; see
 * include/lib/stop.h.  Everything is atomic with sequential consistency: this is never on a fast path.
 *
 * S1: `armed` counts slots whose action is not NOTHING, plus 1 while counting is on.
 */
#include "lib/stop.h"
#include "lib/error.h"
#include "lib/futex.h"
#include "lib/hashtab.h"
#include "lib/io.h"
#include "lib/log.h"
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define VERSION 1

static StopShared nowhere; /* before stop_init: private, unarmed */
StopShared *stop_shared = &nowhere;

static const struct {
    const char *name, *text;
} events[] = {
#define STOP_EVENT(name, text) {#name, text},
#include "utils/lib/stop_events.def"
#undef STOP_EVENT
};

const char *stop_name(StopEvent event)
{
    return (unsigned)event < STOP_COUNT ? events[event].name : "?";
}

const char *stop_text(StopEvent event)
{
    return (unsigned)event < STOP_COUNT ? events[event].text : "?";
}

bool stop_find(const char *name, StopEvent *event)
{
    for (unsigned i = 0; i < STOP_COUNT; i++)
        if (strcmp(events[i].name, name) == 0) {
            *event = (StopEvent)i;
            return true;
        }
    return false;
}

static uint64_t layout_hash(void)
{
    uint64_t h = VERSION;
    for (unsigned i = 0; i < STOP_COUNT; i++)
        h = hash_bytes(events[i].name, strlen(events[i].name), h);
    return h;
}

static StopShared *map(int fd)
{
    void *p = mmap(NULL, sizeof(StopShared), PROT_READ | PROT_WRITE, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    if (p == MAP_FAILED)
        ereport(FATAL, ERR_SYSTEM, errmsg("could not map the stop events: %s", errno_text()));
    return p;
}

StopShared *stop_map_file(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(StopShared)) != 0)
        ereport(FATAL, ERR_IO, errmsg("could not open stop file \"%s\": %s", path, errno_text()));
    StopShared *s = map(fd);
    close(fd);
    uint64_t want = layout_hash();
    if (s->layout == 0) {
        s->version = VERSION;
        s->layout = want;
    } else if (s->layout != want) {
        ereport(FATAL, ERR_STORE_VERSION, errmsg("stop file \"%s\" belongs to another build", path));
    }
    return s;
}

void stop_init(void)
{
    if (stop_shared != &nowhere)
        return;
    const char *path = getenv("LODE_STOP_FILE");
    stop_shared = path && *path ? stop_map_file(path) : map(-1);
    const char *text = getenv("LODE_STOP");
    char message[256];
    if (text && *text && !stop_parse(text, message, sizeof message))
        ereport(FATAL, ERR_CONFIG, errmsg("LODE_STOP: %s", message));
}

static void pause_here(StopSlot *s)
{
    uint32_t seen = atomic_load(&s->release);
    uint32_t waited_for = atomic_load(wait_event_word);
    atomic_store(&s->paused, seen + 1);
    wait_event_start(WAIT_STOP);
    while (atomic_load(&s->release) == seen)
        futex_wait(&s->release, seen, 100 * NSEC_PER_MSEC);
    wait_event_start((WaitEvent)waited_for);
}

void stop_pass(StopEvent event)
{
    StopSlot *s = &stop_shared->slot[event];
    uint64_t pass = atomic_fetch_add(&s->passes, 1) + 1;
    uint32_t action = atomic_load(&s->action);
    uint64_t nth = atomic_load(&s->nth);
    if (action == STOP_NOTHING || pass < nth || (pass > nth && !atomic_load(&s->sticky)))
        return;
    atomic_fetch_add(&s->struck, 1);
    switch ((StopAction)action) {
    case STOP_NOTHING:
        break;
    case STOP_PAUSE:
        pause_here(s);
        break;
    case STOP_KILL:
        kill(getpid(), SIGKILL);
        break;
    case STOP_ERROR:
        ereport(ERROR, ERR_INJECTED, errmsg("stop event %s", stop_name(event)));
        break;
    case STOP_SLEEP:
        io_system_table.sleep_ns((int64_t)s->sleep_ms * NSEC_PER_MSEC);
        break;
    }
}

void stop_arm(StopEvent event, StopAction action, uint64_t nth, bool sticky, uint64_t sleep_ms)
{
    stop_disarm(event);
    StopSlot *s = &stop_shared->slot[event];
    s->sleep_ms = sleep_ms;
    atomic_store(&s->passes, 0);
    atomic_store(&s->struck, 0);
    atomic_store(&s->paused, 0); /* one that was killed while it paused never says that it left */
    atomic_store(&s->sticky, sticky);
    atomic_store(&s->nth, nth ? nth : 1);
    atomic_store(&s->action, (uint32_t)action);
    if (action != STOP_NOTHING)
        atomic_fetch_add(&stop_shared->armed, 1);
}

void stop_disarm(StopEvent event)
{
    StopSlot *s = &stop_shared->slot[event];
    if (atomic_exchange(&s->action, STOP_NOTHING) != STOP_NOTHING)
        atomic_fetch_sub(&stop_shared->armed, 1);
    atomic_fetch_add(&s->release, 1);
    futex_wake(&s->release, INT_MAX);
}

void stop_disarm_all(void)
{
    for (unsigned i = 0; i < STOP_COUNT; i++)
        stop_disarm((StopEvent)i);
}

void stop_release(StopEvent event)
{
    stop_disarm(event);
}

bool stop_wait_paused(StopEvent event, int64_t timeout_ms)
{
    StopSlot *s = &stop_shared->slot[event];
    for (int64_t waited = 0; atomic_load(&s->paused) != atomic_load(&s->release) + 1; waited++) {
        if (waited >= timeout_ms)
            return false;
        io_system_table.sleep_ns(NSEC_PER_MSEC);
    }
    return true;
}

void stop_count_all(bool on)
{
    static bool counting;
    if (on == counting)
        return;
    counting = on;
    if (on)
        for (unsigned i = 0; i < STOP_COUNT; i++)
            atomic_store(&stop_shared->slot[i].passes, 0);
    atomic_fetch_add(&stop_shared->armed, on ? 1 : (uint32_t)-1);
}

uint64_t stop_passes(StopEvent event)
{
    return atomic_load(&stop_shared->slot[event].passes);
}

/* NAME:n[+]:action with action pause, kill, error or sleep=ms; or "count" */
bool stop_parse(const char *text, char *message, size_t size)
{
    char item[128];
    while (*text) {
        size_t len = strcspn(text, ",");
        snprintf(item, sizeof item, "%.*s", (int)MIN(len, sizeof item - 1), text);
        text += len + (text[len] == ',');
        if (strcmp(item, "count") == 0) {
            stop_count_all(true);
            continue;
        }
        char *save, *end;
        const char *name = strtok_r(item, ":", &save);
        const char *nth_text = strtok_r(NULL, ":", &save);
        const char *action_text = strtok_r(NULL, ":", &save);
        StopEvent event;
        if (name == NULL || !stop_find(name, &event)) {
            snprintf(message, size, "unknown stop event \"%s\"", name ? name : "");
            return false;
        }
        uint64_t nth = nth_text ? strtoull(nth_text, &end, 10) : 0;
        bool sticky = nth_text && *end == '+';
        if (nth == 0 || end[sticky] != 0) {
            snprintf(message, size, "wrong count \"%s\": a number from 1, then perhaps +", nth_text ? nth_text : "");
            return false;
        }
        StopAction action;
        uint64_t ms = 0;
        if (action_text && strcmp(action_text, "pause") == 0) {
            action = STOP_PAUSE;
        } else if (action_text && strcmp(action_text, "kill") == 0) {
            action = STOP_KILL;
        } else if (action_text && strcmp(action_text, "error") == 0) {
            action = STOP_ERROR;
        } else if (action_text && strncmp(action_text, "sleep=", 6) == 0) {
            action = STOP_SLEEP;
            ms = strtoull(action_text + 6, NULL, 10);
        } else {
            snprintf(message, size, "unknown action \"%s\": pause, kill, error or sleep=ms",
                     action_text ? action_text : "");
            return false;
        }
        stop_arm(event, action, nth, sticky, ms);
    }
    return true;
}
