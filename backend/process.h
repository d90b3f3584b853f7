/*
 * backend/process.h: what postmaster, sessions and auxiliary processes share; private to backend/.
 */
#ifndef BACKEND_PROCESS_H
#define BACKEND_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "backend/backend.h"

typedef enum ProcessKind {
    PROCESS_SESSION, /* a child that serves one connection, from the first byte on */
    PROCESS_CLONE,   /* a session's Kernel#fork: no child of ours, watched by pidfd */
#define AUXILIARY(name, text, main, wake) PROCESS_##name,
#include "backend/auxiliary.def"
#undef AUXILIARY
    PROCESS_KIND_COUNT
} ProcessKind;

const char *process_kind_name(ProcessKind kind);

/* What children tell the postmaster, one packet each over the note pipe (smaller than PIPE_BUF: whole or not
 * at all). */
typedef enum NoteKind {
    NOTE_READY = 1, /* the handshake is over; from now on the postmaster reads the client's signals */
    NOTE_CLONE,     /* `pid` is a new process of this session, holding `slot` */
    NOTE_CLEANED,   /* the reaper has freed `slot` */
} NoteKind;

typedef struct Note {
    uint32_t kind;
    int32_t pid;
    int32_t slot;
} Note;

/* Descriptors every process of a server has; set by the postmaster before it forks. */
typedef struct ServerPipes {
    int note_write; /* to the postmaster */
    int note_read;
    int death_read;  /* at its end when the postmaster is gone */
    int death_write; /* the postmaster's only */
    int reaper_read; /* slots to clean up */
    int reaper_write;
} ServerPipes;
extern ServerPipes server_pipes;

/* What a status answer says about the server itself; copied into each child by the fork. */
typedef struct ServerInfo {
    const char *dir;
    char socket[256];
    int64_t started; /* seconds since 1970 */
    unsigned restarts;
    const char *state;
    int32_t pid;
    int32_t auxiliary_pid[PROCESS_KIND_COUNT];
    unsigned sessions_running, sessions_waiting;
    uint64_t sessions_total, sessions_killed;
} ServerInfo;
extern ServerInfo server_info;

void note_send(NoteKind kind, int32_t pid, int32_t slot);

/* This process dies with the postmaster, however that ends.  Also right for a process that is no child of it.
 */
void process_die_with_postmaster(void);

/* The body of an auxiliary process; does not return. */
void auxiliary_run(ProcessKind kind) __attribute__((noreturn));
void reaper_main(const volatile bool *stop);
void reaper_wake(void);

/* The body of a forked child that serves the connection `sock`; does not return. */
void session_run(int sock) __attribute__((noreturn));

#endif
