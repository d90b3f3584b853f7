/*
 * backend/launch.c: the client's way to a server: sockets, starting one in the background, asking for its
 * status.
 *
 * Two programs that find no server at once must not start two: whoever makes a store or starts a server holds
 * flock on the directory itself (a directory can be locked before anything is in it) until the server is ready
 * or has failed, and looks again once it has the lock.  A server that nobody launched takes it for itself while
 * it starts, so whoever comes during a recovery waits for its end.  What keeps a second server out is the
 * store's own lock.
 *
 * Paths beyond sun_path's 107 bytes are reached through /proc/self/fd of their directory.
 */
#include "backend/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "backend/protocol.h"
#include "lib/lib.h"

/* Fills in an address for `path`; returns a descriptor to close after its use, -1 if none was needed, -2 with
 * errno. */
static int socket_address(const char *path, struct sockaddr_un *address)
{
    char dir[4096];
    const char *slash = strrchr(path, '/');
    int fd;

    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof address->sun_path) {
        strcpy(address->sun_path, path);
        return -1;
    }
    if (!slash || strlen(slash) > 64 || (size_t)(slash - path) >= sizeof dir) {
        errno = ENAMETOOLONG;
        return -2;
    }
    memcpy(dir, path, (size_t)(slash - path));
    dir[slash - path] = '\0';
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return -2;
    }
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d%.70s", fd, slash);
    return fd;
}

static int connect_path(const char *path)
{
    struct sockaddr_un address;
    int helper = socket_address(path, &address);
    int sock, saved;

    if (helper == -2) {
        return -1;
    }
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock >= 0 && connect(sock, (struct sockaddr *)&address, sizeof address) != 0) {
        saved = errno;
        close(sock);
        sock = -1;
        errno = saved;
    }
    saved = errno;
    if (helper >= 0) {
        close(helper);
    }
    errno = saved;
    return sock;
}

int socket_connect(const char *dir)
{
    ServerFile file;
    char path[4096];

    if (server_file_read(dir, &file) && file.socket[0]) {
        return connect_path(file.socket);
    }
    snprintf(path, sizeof path, "%s/" FILE_SOCKET, dir);
    return connect_path(path);
}

int socket_listen(const char *dir, char *path_out, size_t path_size)
{
    struct sockaddr_un address;
    char path[4096];
    int sock, helper, other;

    if (conf.socket_path[0]) {
        snprintf(path, sizeof path, "%s", conf.socket_path);
    } else {
        snprintf(path, sizeof path, "%s/" FILE_SOCKET, dir);
    }
    /* We hold the store's lock: a socket in our directory is ours to replace.  One elsewhere may be another
     * store's. */
    other = connect_path(path);
    if (other >= 0) {
        close(other);
        ereport(ERROR, ERR_STORE_IN_USE, errmsg("another server listens on \"%s\"", path),
                errhint("Set socket_path to another name, or stop that server."));
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not remove old socket \"%s\": %s", path, errno_text()));
    }
    helper = socket_address(path, &address);
    sock = helper == -2 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof address) != 0 || listen(sock, 128) != 0) {
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not listen on \"%s\": %s", path, errno_text()));
    }
    if (helper >= 0) {
        close(helper);
    }
    chmod(path, 0600);
    snprintf(path_out, path_size, "%s", path);
    return sock;
}

/* ---------------------------------------------------------------- starting one */

/* The server's program: beside ours, else on the path. */
static void find_program(char *path, size_t size)
{
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n > 0) {
        self[n] = '\0';
        snprintf(path, size, "%s/lodestone", dirname(self));
        if (access(path, X_OK) == 0) {
            return;
        }
    }
    snprintf(path, size, "lodestone");
}

/* In the grandchild: nothing of the starter's terminal, directory, signals or descriptors stays. */
NORETURN static void become_server(const LaunchOptions *options, int ready_fd)
{
    char program[4096], ready[16], log[4096];
    char **argv;
    size_t settings = 0, n = 0;
    sigset_t none;
    int fd;

    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int s = 1; s < NSIG; s++) {
        signal(s, SIG_DFL);
    }
    umask(077);
    if (chdir(options->dir) != 0) {
        _exit(1);
    }
    fd = open("/dev/null", O_RDWR);
    dup2(fd, 0);
    dup2(fd, 1);
    if (options->log_path) {
        snprintf(log, sizeof log, "%s", options->log_path);
    } else {
        mkdir("log", 0700);
        snprintf(log, sizeof log, FILE_LOG);
    }
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd >= 0 ? fd : 0, 2);
    dup2(ready_fd, 3);
    closefrom(4);
    while (options->settings && options->settings[settings]) {
        settings++;
    }
    argv = calloc(settings * 2 + 10, sizeof *argv);
    if (!argv) {
        dprintf(3, "out of memory\n");
        _exit(127);
    }
    find_program(program, sizeof program);
    snprintf(ready, sizeof ready, "3");
    argv[n++] = "lodestone";
    argv[n++] = "-D";
    argv[n++] = (char *)options->dir;
    argv[n++] = "--background";
    argv[n++] = "--ready-fd";
    argv[n++] = ready;
    for (size_t i = 0; i < settings; i++) {
        argv[n++] = "-c";
        argv[n++] = options->settings[i];
    }
    execvp(program, argv);
    dprintf(3, "could not run \"%s\": %s\n", program, strerror(errno));
    _exit(127);
}

pid_t server_launch(const LaunchOptions *options)
{
    char said[2048];
    size_t got = 0;
    int ends[2], status;
    pid_t child;
    int64_t deadline = clock_monotonic_ns() + options->timeout_ms * NSEC_PER_MSEC;
    ServerFile file;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        ereport(ERROR, ERR_SYSTEM, errmsg("could not make a pipe: %s", errno_text()));
    }
    fflush(NULL);
    child = fork();
    if (child < 0) {
        ereport(ERROR, ERR_SYSTEM, errmsg("could not fork: %s", errno_text()));
    }
    if (child == 0) {
        /* twice: the server is no child of the program that started it, nobody has to wait for it */
        pid_t again = fork();
        if (again == 0) {
            become_server(options, ends[1]);
        }
        _exit(again < 0);
    }
    close(ends[1]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    while (got < sizeof said - 1) {
        struct pollfd p = {ends[0], POLLIN, 0};
        int64_t left = (deadline - clock_monotonic_ns()) / NSEC_PER_MSEC;
        if (left <= 0) {
            close(ends[0]);
            ereport(ERROR, ERR_TIMEOUT, errmsg("the server on \"%s\" was not ready in time", options->dir),
                    errhint("It may still be recovering: see \"%s/" FILE_LOG "\".", options->dir));
        }
        if (poll(&p, 1, (int)MIN(left, 1000)) <= 0) {
            continue;
        }
        ssize_t n = read(ends[0], said + got, sizeof said - 1 - got);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
        if (memchr(said, '\n', got)) {
            break;
        }
    }
    close(ends[0]);
    said[got] = '\0';
    said[strcspn(said, "\n")] = '\0';
    if (strcmp(said, "ready") != 0) {
        ereport(ERROR, ERR_CONNECTION,
                errmsg("could not start a server on \"%s\": %s", options->dir, got ? said : "it died"),
                errhint("See \"%s/" FILE_LOG "\".", options->dir));
    }
    return server_file_read(options->dir, &file) ? file.pid : 0;
}

static bool no_one_there(int err)
{
    return err == ENOENT || err == ECONNREFUSED || err == ENOTDIR;
}

/* Not by close alone: processes forked meanwhile have the descriptor, too. */
static void release_lock(void *fd)
{
    flock((int)(intptr_t)fd, LOCK_UN);
    close((int)(intptr_t)fd);
}

void *launch_lock(const char *dir)
{
    int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (lock < 0) {
        ereport(ERROR, error_code_of_errno(errno),
                errmsg("could not open data directory \"%s\": %s", dir, errno_text()));
    }
    resource_push(release_lock, (void *)(intptr_t)lock);
    while (flock(lock, LOCK_EX) != 0 && errno == EINTR) {
    }
    return (void *)(intptr_t)lock;
}

/* With the directory locked: make what is missing. */
static int connect_or_make(const char *dir)
{
    LaunchOptions launch = {.dir = dir, .timeout_ms = 60000};
    int sock = -1;
    void *lock;
    bool made = false;
    int64_t deadline;

    if (mkdir(dir, 0700) != 0 && errno == ENOENT) {
        io_make_directory(dir, 0700);
    }
    lock = launch_lock(dir);
    deadline = clock_monotonic_ns() + 60 * NSEC_PER_SEC;
    for (;;) {
        sock = socket_connect(dir);
        if (sock >= 0 || !no_one_there(errno)) {
            break;
        }
        ServerFile file;
        if (server_file_read(dir, &file) && server_is_alive(&file) && clock_monotonic_ns() < deadline &&
            strcmp(file.state, "ready") != 0) {
            /* someone's server is on its way up (its launcher was killed, or it runs itself anew) or down: see which */
            io.sleep_ns(20 * NSEC_PER_MSEC);
            continue;
        }
        if (made) {
            break;
        }
        datadir_check(dir);
        if (!store_exists(dir)) {
            datadir_create(dir);
        }
        server_launch(&launch);
        made = true;
    }
    int saved = errno;
    resource_release(lock);
    errno = saved;
    return sock;
}

int server_connect(const char *dir, bool make)
{
    int sock = socket_connect(dir);

    if (sock < 0 && make && no_one_there(errno)) {
        sock = connect_or_make(dir);
    }
    if (sock < 0) {
        ereport(ERROR, ERR_CONNECTION,
                errmsg("could not connect to the server of \"%s\": %s", dir,
                       no_one_there(errno) ? "no server is running" : errno_text()),
                errhint("Start it with \"lodectl -D %s start\".", dir));
    }
    return sock;
}

void server_greet(int sock)
{
    MessageBuilder b;

    message_begin(&b, MSG_HELLO);
    message_put_u32(&b, PROTOCOL_VERSION);
    message_put_string(&b, LODESTONE_VERSION);
    /* who refuses us may have closed already: what it said is still to be read */
    message_send(&b, sock, NULL, 0);
}

char *server_status(MemoryContext *ctx, const char *dir)
{
    char why[200];
    char *text = NULL;
    MessageBuilder b;
    Message m;
    int sock = server_connect(dir, false);
    int got;
    struct timespec now;

    server_greet(sock);
    message_begin(&b, MSG_STATUS_ASK);
    message_send(&b, sock, NULL, 0);
    clock_gettime(CLOCK_MONOTONIC, &now);
    got = message_receive(&m, sock, FROM_SERVER, (int64_t)now.tv_sec * 1000 + 10000, why, sizeof why);
    close(sock);
    if (got == 1) {
        MessageReader r = message_reader(&m);
        if (m.type == MSG_STATUS) {
            text = mem_strdup(ctx, message_get_string(&r));
        } else if (m.type == MSG_REFUSED) {
            message_get_string(&r);
            snprintf(why, sizeof why, "%.190s", message_get_string(&r));
        }
        message_free(&m);
    }
    if (!text) {
        ereport(ERROR, ERR_CONNECTION,
                errmsg("the server gave no status: %s", why[0] ? why : "the connection ended"));
    }
    return text;
}
