/* io_wait.c -- IO: waiting until a descriptor is ready
 *
 * Whoever waits lets signals, other threads and the fiber's scheduler have their turn.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "vm/thread.h"
#include <poll.h>

/* Asks the scheduler when the fiber has one: false when the time (seconds or nil) is over. */
static bool wait_scheduled(Value io, int fd, short events, Value timeout)
{
    struct pollfd p = {.fd = fd, .events = events};
    if (poll(&p, 1, 0) > 0)
        return true;
    return truthy(scheduler_call(scheduler_current(), "io_wait", 3, (Value[]){io, int_fix(events), timeout}));
}

void io_wait(Value io, int fd, short events)
{
    if (is_nil(scheduler_current()))
        thread_wait_fd(fd, events, THREAD_FOREVER);
    else
        wait_scheduled(io, fd, events, V_NIL);
    if (is_io(io) && io_body(io)->fd == -1)
        raise_error(klass.IOError, "stream closed in another thread");
}

/* Waits for at most so many seconds (nil: for ever). */
bool io_wait_limited(Value io, int fd, short events, Value timeout)
{
    if (!is_nil(scheduler_current()))
        return wait_scheduled(io, fd, events, timeout);
    int64_t deadline = is_nil(timeout) ? THREAD_FOREVER : thread_now() + (int64_t)(value_double(timeout) * 1e9);
    return thread_wait_fd(fd, events, deadline) != 0;
}

/* IO.select(read, write = nil, error = nil, timeout = nil) */
static Value io_s_select(Value cls, int argc, const Value *argv)
{
    (void)cls;
    Value scheduler = scheduler_current();
    if (scheduler_has(scheduler, "io_select")) {
        Value all[4] = {V_NIL, V_NIL, V_NIL, V_NIL};
        memcpy(all, argv, (size_t)argc * sizeof(Value));
        return scheduler_call(scheduler, "io_select", 4, all);
    }
    struct pollfd fds[1024];
    size_t n = 0;
    Value lists[3];
    bool ready_now = false;
    for (int k = 0; k < 3; k++) {
        lists[k] = k < argc && !is_nil(argv[k]) ? ary_to_ary(argv[k]) : ary_new(0);
        for (size_t i = 0; i < ary_len(lists[k]) && n < 1024; i++) {
            Io *io = io_get(io_to_io(ary_get(lists[k], (long)i)));
            ready_now |= k == 0 && io_buffered(io) > 0;
            fds[n++] = (struct pollfd){k == 1 && io->write_fd >= 0 ? io->write_fd : io->fd,
                                       k == 0 ? POLLIN : k == 1 ? POLLOUT : POLLPRI, 0};
        }
    }
    double timeout = argc > 3 && !is_nil(argv[3]) ? value_double(argv[3]) : -1;
    if (argc > 3 && !is_nil(argv[3]) && timeout < 0)
        raise_error(klass.ArgumentError, "time interval must not be negative");
    int64_t left = timeout < 0 ? -1 : (int64_t)(timeout * 1000);
    for (;;) {
        int slice = ready_now ? 0 : left < 0 || left > 100 ? 100 : (int)left;
        bool peers = thread_has_peers();
        int got = poll(fds, n, peers ? 0 : slice);
        vm_check_interrupts();
        if (got == 0 && peers && slice)
            thread_sleep_until(thread_now() + (slice = slice < 2 ? slice : 2) * 1000000ll);
        if (got > 0 || ready_now)
            break;
        if (left >= 0 && (left -= slice) <= 0)
            return V_NIL;
    }
    Value result = ary_new(3);
    size_t at = 0;
    for (int k = 0; k < 3; k++) {
        Value part = ary_new(0);
        for (size_t i = 0; i < ary_len(lists[k]) && at < n; i++, at++) {
            Value item = ary_get(lists[k], (long)i);
            if (fds[at].revents || (k == 0 && io_buffered(io_get(io_to_io(item))) > 0))
                ary_push(part, item);
        }
        ary_push(result, part);
    }
    return result;
}

static Value io_wait_readable(Value self, int argc, const Value *argv)
{
    Io *io = io_get_readable(self);
    if (io_buffered(io))
        return self;
    return io_wait_limited(self, io->fd, POLLIN, argc ? argv[0] : V_NIL) ? self : V_NIL;
}

/* __ready(events, milliseconds = 0): 1 to read, 4 to write */
static Value io_p_ready(Value self, int argc, const Value *argv)
{
    Io *io = io_get(self);
    int want = (int)fix_int(argv[0]);
    if (want & 1 && io_buffered(io))
        return V_TRUE;
    int fd = want & 4 && io->write_fd >= 0 ? io->write_fd : io->fd;
    short events = (short)((want & 1 ? POLLIN : 0) | (want & 4 ? POLLOUT : 0));
    struct pollfd p = {fd, events, 0};
    if (argc == 1)
        return bool_value(poll(&p, 1, 0) > 0);
    return bool_value(io_wait_limited(self, fd, events, argv[1]));
}

static const Builtin methods[] = {
    {"__ready", io_p_ready, 1, 2, BI_HIDDEN},
    {"wait_readable", io_wait_readable, 0, 1, 0},
};
static const Builtin singleton_methods[] = {
    {"select", io_s_select, 1, 4, 0},
};

void io_wait_boot(void)
{
    ADD_BUILTINS(klass.IO, methods);
    ADD_SINGLETON_BUILTINS(klass.IO, singleton_methods);
}
