/*
 * backend/datadir.c: the store's directory as processes see it: who may use it, its configuration file, the
 * pid file.
 *
 * The pid file is a notice, not a lock: the lock is the store's own (store.lock), which the kernel drops with
 * its last holder. So a stale pid file is simply overwritten by who holds the lock.
 */
#include "backend/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/lib.h"

char *datadir_choose(MemoryContext *ctx, const char *given)
{
    const char *dir = given;

    if (!dir || !*dir) {
        dir = getenv("LODE_STORE");
    }
    if (!dir || !*dir) {
        const char *home = getenv("HOME");
        if (!home || !*home) {
            struct passwd *pw = getpwuid(geteuid());
            home = pw ? pw->pw_dir : "/";
        }
        return mem_printf(ctx, "%s/.lodestone", home);
    }
    if (dir[0] == '/') {
        return mem_strdup(ctx, dir);
    }
    char cwd[4096];
    if (!getcwd(cwd, sizeof cwd)) {
        ereport(ERROR, ERR_SYSTEM, errmsg("could not find out the current directory: %s", errno_text()),
                errhint("Name the store by an absolute path."));
    }
    return mem_printf(ctx, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, dir);
}

void datadir_check(const char *dir)
{
    struct stat st;

    if (stat(dir, &st) != 0) {
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not access data directory \"%s\": %s", dir, errno_text()),
                errno == ENOENT ? errhint("Make a store there with \"lodectl -D %s init\".", dir) : (void)0);
    }
    if (!S_ISDIR(st.st_mode)) {
        ereport(ERROR, ERR_NOT_A_STORE, errmsg("\"%s\" is no directory", dir));
    }
    if (st.st_uid != geteuid()) {
        ereport(ERROR, ERR_NO_PERMISSION, errmsg("data directory \"%s\" belongs to another user", dir),
                errhint("The server must run as the user that owns the store (user id %u).",
                        (unsigned)st.st_uid));
    }
    if (st.st_mode & (S_IRWXG | S_IRWXO)) {
        ereport(ERROR, ERR_NO_PERMISSION,
                errmsg("data directory \"%s\" has permissions %04o", dir, (unsigned)(st.st_mode & 07777)),
                errdetail("Others than its owner could read or change the store."),
                errhint("Run \"chmod 700 %s\".", dir));
    }
    if (access(dir, R_OK | W_OK | X_OK) != 0) {
        ereport(ERROR, ERR_NO_PERMISSION,
                errmsg("no access to data directory \"%s\": %s", dir, errno_text()));
    }
}

void datadir_create(const char *dir)
{
    char path[4096];
    struct stat st;
    mode_t old = umask(077);

    TRY()
    {
        if (stat(dir, &st) == 0) {
            datadir_check(dir);
        }
        store_create(dir, NULL);
        snprintf(path, sizeof path, "%s/" FILE_CONF, dir);
        if (!io_file_exists(path)) {
            StrBuf sample;
            strbuf_init(&sample, memctx_current());
            config_sample(&sample);
            io_write_file_atomic(path, sample.data, sample.len, 0600);
            strbuf_free(&sample);
        }
    }
    CATCH(err)
    {
        umask(old);
        rethrow();
    }
    END_TRY();
    umask(old);
}

void datadir_load_config(const char *dir)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" FILE_CONF, dir);
    if (io_file_exists(path)) {
        config_load(path);
    }
}

/* ---------------------------------------------------------------- lodestone.pid */

static bool copy_line(char **at, char *to, size_t size)
{
    char *line = *at;
    size_t n;

    if (!line || !*line) {
        return false;
    }
    n = strcspn(line, "\n");
    snprintf(to, size, "%.*s", (int)n, line);
    *at = line[n] ? line + n + 1 : NULL;
    return true;
}

bool server_file_read(const char *dir, ServerFile *out)
{
    char path[4096], text[8192], line[4096];
    char *at = text;
    ssize_t n;
    int fd;

    memset(out, 0, sizeof *out);
    snprintf(path, sizeof path, "%s/" FILE_PID, dir);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    if (!copy_line(&at, line, sizeof line)) {
        return false;
    }
    out->pid = (int32_t)strtol(line, NULL, 10);
    if (out->pid <= 1) {
        return false; /* 0 and -1 would signal everyone */
    }
    if (copy_line(&at, line, sizeof line)) {
        out->started = strtoll(line, NULL, 10);
    }
    if (copy_line(&at, line, sizeof line) && copy_line(&at, out->socket, sizeof out->socket) &&
        copy_line(&at, out->state, sizeof out->state)) {
        copy_line(&at, out->version, sizeof out->version);
    }
    return true;
}

/* Not synced: the file means nothing after a power cut, and its rename is atomic for readers. */
void server_file_write(const char *dir, const char *socket_path, const char *state, int64_t started)
{
    char path[4096], beside[4096], text[8192];
    int n, fd;

    snprintf(path, sizeof path, "%s/" FILE_PID, dir);
    snprintf(beside, sizeof beside, "%s/" FILE_PID ".new", dir);
    n = snprintf(text, sizeof text, "%d\n%lld\n%s\n%s\n%s\n%s\n", (int)getpid(), (long long)started, dir,
                 socket_path, state, LODESTONE_VERSION);
    fd = io_open_file(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    io_write_at(fd, beside, text, (size_t)n, 0);
    io.close(fd);
    if (io.rename(beside, path) != 0) {
        ereport(ERROR, error_code_of_errno(errno), errmsg("could not write \"%s\": %s", path, errno_text()));
    }
}

void server_file_remove(const char *dir)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/" FILE_PID, dir);
    io.unlink(path);
}

bool server_is_alive(const ServerFile *file)
{
    char path[64], text[512];
    ssize_t n;
    int fd;

    if (kill(file->pid, 0) != 0 && errno == ESRCH) {
        return false;
    }
    snprintf(path, sizeof path, "/proc/%d/stat", file->pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno != ENOENT;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= 0) {
        return false;
    }
    text[n] = '\0';
    /* "pid (name) state ...": the name may hold anything, so look for its last parenthesis */
    char *name = strchr(text, '('), *paren = strrchr(text, ')');
    if (!name || !paren || paren[1] != ' ') {
        return true;
    }
    if (paren[2] == 'Z' || paren[2] == 'X') {
        return false;
    }
    /* the number may have gone to another program since: signals are not for that one */
    return (size_t)(paren - name - 1) == strlen(SERVER_NAME) &&
           memcmp(name + 1, SERVER_NAME, strlen(SERVER_NAME)) == 0;
}
