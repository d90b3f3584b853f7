/*
 * backend/protocol.h: the words that client and server exchange over the Unix socket.
 *
 * Nothing here allocates for the other side before it has checked a length against the table in protocol.def,
 * and every reader says in one line what was wrong with the bytes.  The functions do not ereport: the client
 * uses them too, and the postmaster must never be unwound by what a client sends.
 */
#ifndef BACKEND_PROTOCOL_H
#define BACKEND_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define PROTOCOL_VERSION     1u
#define PROTOCOL_HEADER_SIZE 8u
#define PROTOCOL_MAX_FDS     4 /* standard input, output, error; working directory */
#define PROTOCOL_MAX_WORDS   65536u
#define PROTOCOL_RLIMITS     RLIM_NLIMITS

typedef enum MessageType {
#define MESSAGE(name, code, from, longest, payload) MSG_##name = code,
#include "backend/protocol.def"
#undef MESSAGE
} MessageType;

typedef enum MessageSender { FROM_CLIENT, FROM_SERVER } MessageSender;

/* One message as it arrives.  `payload` is malloced by message_receive, freed by message_free. */
typedef struct Message {
    MessageType type;
    uint32_t length;
    uint8_t *payload;
    int fds[PROTOCOL_MAX_FDS]; /* descriptors that came with it, close-on-exec */
    int fd_count;
} Message;

/* A message under construction, header included.  Short ones need no memory; one that got none is not sent. */
typedef struct MessageBuilder {
    uint8_t *bytes; /* `within`, or malloced */
    size_t length, room;
    bool failed;
    uint8_t within[256];
} MessageBuilder;

/* What START holds.  Strings point into the message's payload. */
typedef struct StartMessage {
    uint32_t fd_mask; /* bit n: descriptor n (0 to 2) is open at the client, bit 3: the directory is sent */
    uint32_t umask;
    uint32_t stdin_is_tty;
    uint32_t nice;            /* scheduling priority of the client, as 20 - nice */
    uint64_t ignored_signals; /* bit n - 1: signal n is ignored */
    uint64_t blocked_signals;
    uint32_t limit_count;
    struct rlimit limits[PROTOCOL_RLIMITS];
    const char *cwd; /* as $PWD would say; the descriptor decides */
    char **argv;     /* malloced vectors, NULL at the end */
    char **envp;
    uint32_t argc, envc;
} StartMessage;

/* A buffer for a peer that is read without waiting (the postmaster's view of a client). */
typedef struct MessageStream {
    uint8_t bytes[PROTOCOL_HEADER_SIZE + 64];
    uint32_t filled;
} MessageStream;

const char *message_name(MessageType type);

void message_begin(MessageBuilder *b, MessageType type);
void message_put_u32(MessageBuilder *b, uint32_t value);
void message_put_u64(MessageBuilder *b, uint64_t value);
void message_put_string(MessageBuilder *b, const char *text);
/* Sends and frees; with `fds` in the same packet as the first bytes.  False with errno when the peer is gone, or ENOMEM. */
bool message_send(MessageBuilder *b, int sock, const int *fds, int fd_count);
/* The same, but never waits: what does not fit the socket's buffer at once is an error (EAGAIN). */
bool message_send_now(MessageBuilder *b, int sock);

/*
 * Receive one whole message from `from`.  `deadline` is in milliseconds of CLOCK_MONOTONIC, 0 for none.
 * Returns 1, or 0 at an orderly end before any byte, or -1 with one line in `why` (at least 160 bytes).
 */
int message_receive(Message *m, int sock, MessageSender from, int64_t deadline, char *why, size_t why_size);
void message_free(Message *m);

/* Reading a payload: each returns false once the payload is too short; `message_at_end` tells that all was
 * read. */
typedef struct MessageReader {
    const uint8_t *at, *end;
    bool bad;
} MessageReader;

MessageReader message_reader(const Message *m);
uint32_t message_get_u32(MessageReader *r);
uint64_t message_get_u64(MessageReader *r);
const char *message_get_string(MessageReader *r); /* never NULL; "" once the payload is bad */
bool message_at_end(const MessageReader *r);      /* everything was well formed, and nothing is left */

/* START from and to the wire.  start_parse: false with one line in `why`; start_free in either case. */
void start_build(MessageBuilder *b, const StartMessage *start);
bool start_parse(StartMessage *start, const Message *m, char *why, size_t why_size);
void start_free(StartMessage *start);

void refused_build(MessageBuilder *b, const char *code, const char *message, const char *detail,
                   const char *hint);

/*
 * Take what has arrived at `sock`, without waiting, into `stream`, and hand out one SIGNAL message if there
 * is a whole one.  Returns 1: `m` holds it (payload points into the stream, valid until the next call); 0:
 * nothing more now; -1: the peer is gone (`why` empty) or sent rubbish (`why` says what).
 */
int message_stream_next(MessageStream *stream, int sock, Message *m, char *why, size_t why_size);

#endif
