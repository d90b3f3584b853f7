/*
 * backend/backend.h: processes, as the programs in utils/bin see them.
 *
 * Functions raise with ereport unless they say otherwise.  Call lib_init first.
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/memory.h"
#include "storage/store.h"
#include "vm/options.h"

/* ---- the store's directory ---- */

/* Files of the store's directory that are backend's. */
#define FILE_PID    "lodestone.pid"
#define FILE_SOCKET "lodestone.sock"
#define FILE_CONF   "lodestone.conf"
#define FILE_LOG    "log/lodestone.log"

/* The absolute path of the store to use: `given`, else $LODE_STORE, else ~/.lodestone.  In `ctx`. */
char *datadir_choose(MemoryContext *ctx, const char *given);

/* Raises unless `dir` is a directory of ours with access for nobody else (ERR_NO_FILE, ERR_NO_PERMISSION,
 * ...). */
void datadir_check(const char *dir);

/* Makes a store in `dir` (mode 0700) with a lodestone.conf; raises ERR_STORE_EXISTS when one is there. */
void datadir_create(const char *dir);

/* Reads DIR/lodestone.conf into conf, if there is one. */
void datadir_load_config(const char *dir);

/* ---- lodestone.pid ----
 * Six lines: process id, start (seconds since 1970), data directory, socket, state, version.  The first is
 * the promise; the rest may grow.
 */
typedef struct ServerFile {
    int32_t pid;
    int64_t started;
    char socket[256];
    char state[16]; /* "starting", "ready", "stopping" */
    char version[32];
} ServerFile;

/* False when there is none or it makes no sense. */
bool server_file_read(const char *dir, ServerFile *out);
void server_file_write(const char *dir, const char *socket_path, const char *state, int64_t started);
void server_file_remove(const char *dir);
/* The postmaster's name, as the kernel shows it. */
#define SERVER_NAME "lodestone"
/* Does the process that the file names exist, and is it a server (not a zombie, not another program of the
 * same number)? */
bool server_is_alive(const ServerFile *file);

/* ---- sockets ---- */

/* A listening socket at DIR/lodestone.sock or conf.socket_path, replacing one that no one serves. */
int socket_listen(const char *dir, char *path_out, size_t path_size);
/* Connects; -1 with errno (ENOENT, ECONNREFUSED: no server there). */
int socket_connect(const char *dir);

/* ---- starting and asking a server ---- */

typedef struct LaunchOptions {
    const char *dir;
    const char *log_path;  /* NULL: as configured */
    char *const *settings; /* "name=value", NULL at the end; or NULL */
    int64_t timeout_ms;
} LaunchOptions;

/*
 * Starts a server in the background and waits until it is ready.  Returns its pid; raises with what the
 * server said when it does not come up.
 */
pid_t server_launch(const LaunchOptions *options);
/*
 * The right to make a store or start a server in `dir`, an existing directory; waits for whoever has it.  Given back by
 * resource_release, or an error.
 */
void *launch_lock(const char *dir);

/*
 * A connection to the server of `dir`.  With `make`: a store that does not exist is made and a server that
 * does not run is started; two callers at once end up at the same one.  Raises ERR_CONNECTION.
 */
int server_connect(const char *dir, bool make);

/* Sends HELLO. */
void server_greet(int sock);

/* The server's STATUS text (lines name=value) in `ctx`; raises ERR_CONNECTION. */
char *server_status(MemoryContext *ctx, const char *dir);

/* ---- roles ---- */

typedef struct PostmasterOptions {
    const char *dir;
    bool background;       /* log to the file that the configuration names; else to standard error */
    int ready_fd;          /* -1, or where to write "ready\n" or the reason of failure */
    int listen_fd;         /* -1, or the listening socket kept over a restart after a crash */
    unsigned restarts;     /* restarts after crashes so far, in close succession */
    char *const *settings; /* "name=value" of the command line, NULL at the end; or NULL */
    char *const *argv;     /* to run ourselves again with */
} PostmasterOptions;

/* Serves until told to stop; returns the exit status. */
int postmaster_main(const PostmasterOptions *options);

/* Runs one program in this process on the store in `dir`, no server; returns the exit status. */
int solo_main(const char *dir, VmOptions *opts);

/*
 * The VM to run.  A table, so that tests of processes can put a double of a VM in place; the programs use
 * the real one.
 */
typedef struct BackendVm {
    void (*boot)(Store *store);
    int (*session_main)(const VmOptions *opts);
    void (*interrupt)(int signo);
} BackendVm;
extern BackendVm backend_vm;

/* Kept by lode and the session alike: which signals a client passes on. */
bool signal_is_forwarded(int signo);

#endif
