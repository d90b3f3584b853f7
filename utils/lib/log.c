/*
 * log.c: the log.  Each message is formatted in one buffer and written with one write(2) on a descriptor opened for
 * appending, so messages of several processes never mix within a line.  Nothing here raises or allocates: it is called
 * at the end of the road.
 */
#include "lib/log.h"
#include "lib/config.h"
#include "lib/io.h"
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static int fd_now = STDERR_FILENO;
static bool own_fd;
static char path_now[PATH_MAX];
static const char *process = "lodestone";

void log_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        ereport(ERROR, error_code_of_errno(errno), errmsg("could not open log file \"%s\": %s", path, errno_text()));
    if (own_fd)
        close(fd_now);
    fd_now = fd;
    own_fd = true;
    if (path != path_now)
        snprintf(path_now, sizeof path_now, "%s", path);
}

void log_reopen(void)
{
    if (own_fd)
        log_open(path_now);
}

void log_set_fd(int fd)
{
    if (own_fd)
        close(fd_now);
    fd_now = fd;
    own_fd = false;
}

int log_fd(void)
{
    return fd_now;
}

void log_set_process(const char *name)
{
    process = name;
}

bool log_wanted(ErrorLevel level)
{
    return level >= ERROR || (int)level - (int)DEBUG1 >= conf.log_level;
}

static size_t add(char *buf, size_t at, size_t size, const char *label, const char *text)
{
    if (text[0] == 0 || at >= size)
        return at;
    int n = snprintf(buf + at, size - at, "%s%s\n", label, text);
    return MIN(at + (size_t)n, size - 1);
}

static void write_entry(ErrorLevel level, const char *message, const char *detail, const char *hint)
{
    char buf[4096];
    int err = errno;
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t at = strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm);
    at += (size_t)snprintf(buf + at, sizeof buf - at, ".%03ld UTC [%d] %s %s:  ", now.tv_nsec / 1000000, (int)getpid(),
                           process, error_level_name(level));
    at = add(buf, at, sizeof buf, "", message);
    at = add(buf, at, sizeof buf, "    DETAIL:  ", detail);
    at = add(buf, at, sizeof buf, "    HINT:  ", hint);
    if (buf[at - 1] != '\n')
        buf[at - 1] = '\n';
    for (size_t done = 0; done < at;) {
        ssize_t n = write(fd_now, buf + done, at - done);
        if (n <= 0 && errno != EINTR)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    errno = err;
}

void log_error(const ErrorData *e)
{
    if (log_wanted(e->level))
        write_entry(e->level, e->message, e->detail, e->hint);
}

void log_message(ErrorLevel level, const char *format, ...)
{
    if (!log_wanted(level))
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_entry(level, text, "", "");
}
