/*
 * backend/protocol.c: messages to and from the wire.
 *
 * Why by hand: a session's whole conversation is nine kinds of message, and each byte that a stranger can
 * send is looked at here.  Invariants:
 *
 *   I1  no length from the wire is used before it was compared with the message's row in protocol.def;
 *   I2  a message that the other side may not send is an error, not ignored;
 *   I3  descriptors that came with a refused message are closed;
 *   I4  message_stream_next never waits and never holds more than one small message.
 */
#include "backend/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct MessageKind {
    MessageType type;
    const char *name;
    MessageSender from;
    uint32_t longest;
} MessageKind;

#define CLIENT FROM_CLIENT
#define SERVER FROM_SERVER
static const MessageKind KINDS[] = {
#define MESSAGE(name, code, from, longest, payload) {code, #name, from, longest},
#include "backend/protocol.def"
#undef MESSAGE
};
#undef CLIENT
#undef SERVER

static const MessageKind *find_kind(unsigned code)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if ((unsigned)KINDS[i].type == code) {
            return &KINDS[i];
        }
    }
    return NULL;
}

const char *message_name(MessageType type)
{
    const MessageKind *kind = find_kind(type);

    return kind ? kind->name : "?";
}

/* ---------------------------------------------------------------- building */

static void put_bytes(MessageBuilder *b, const void *what, size_t n)
{
    if (b->length + n > b->room) {
        size_t room = b->room;
        while (room < b->length + n) {
            room *= 2;
        }
        uint8_t *bytes = b->failed ? NULL : realloc(b->bytes == b->within ? NULL : b->bytes, room);
        if (!bytes) {
            b->failed = true;
            return;
        }
        if (b->bytes == b->within) {
            memcpy(bytes, b->within, b->length);
        }
        b->bytes = bytes;
        b->room = room;
    }
    memcpy(b->bytes + b->length, what, n);
    b->length += n;
}

void message_begin(MessageBuilder *b, MessageType type)
{
    uint8_t header[PROTOCOL_HEADER_SIZE] = {'L', 'D', (uint8_t)type};

    b->bytes = b->within;
    b->room = sizeof b->within;
    b->length = 0;
    b->failed = false;
    put_bytes(b, header, sizeof header);
}

void message_put_u32(MessageBuilder *b, uint32_t value)
{
    uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};

    put_bytes(b, le, sizeof le);
}

void message_put_u64(MessageBuilder *b, uint64_t value)
{
    message_put_u32(b, (uint32_t)value);
    message_put_u32(b, (uint32_t)(value >> 32));
}

void message_put_string(MessageBuilder *b, const char *text)
{
    size_t n = strlen(text);

    message_put_u32(b, (uint32_t)n);
    put_bytes(b, text, n + 1);
}

static void finish_header(MessageBuilder *b)
{
    uint32_t n = (uint32_t)(b->length - PROTOCOL_HEADER_SIZE);

    for (int i = 0; i < 4; i++) {
        b->bytes[4 + i] = (uint8_t)(n >> (8 * i));
    }
}

static ssize_t send_with_fds(int sock, const void *bytes, size_t n, const int *fds, int fd_count, int flags)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * PROTOCOL_MAX_FDS)];
    } control;
    struct iovec iov = {(void *)bytes, n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        msg.msg_control = control.room;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * (size_t)fd_count);
    }
    return sendmsg(sock, &msg, flags | MSG_NOSIGNAL);
}

static bool send_all(MessageBuilder *b, int sock, const int *fds, int fd_count, int flags)
{
    size_t sent = 0;
    int saved;

    finish_header(b);
    errno = ENOMEM;
    while (!b->failed && sent < b->length) {
        ssize_t n = send_with_fds(sock, b->bytes + sent, b->length - sent, fds, sent ? 0 : fd_count, flags);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            break;
        }
        sent += (size_t)n;
    }
    saved = errno;
    bool done = sent == b->length;
    if (b->bytes != b->within) {
        free(b->bytes);
    }
    b->bytes = NULL;
    errno = saved;
    return done;
}

bool message_send(MessageBuilder *b, int sock, const int *fds, int fd_count)
{
    return send_all(b, sock, fds, fd_count, 0);
}

bool message_send_now(MessageBuilder *b, int sock)
{
    return send_all(b, sock, NULL, 0, MSG_DONTWAIT);
}

/* ---------------------------------------------------------------- receiving */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_fds(Message *m)
{
    for (int i = 0; i < m->fd_count; i++) {
        close(m->fds[i]);
    }
    m->fd_count = 0;
}

static void take_fds(Message *m, struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (m->fd_count < PROTOCOL_MAX_FDS) {
                m->fds[m->fd_count++] = fd;
            } else {
                close(fd);
            }
        }
    }
}

/* Read exactly n bytes; 1 done, 0 orderly end before the first, -1 else. */
static int receive_bytes(Message *m, int sock, uint8_t *to, size_t n, int64_t deadline, char *why,
                         size_t why_size)
{
    size_t got = 0;

    while (got < n) {
        union {
            struct cmsghdr align;
            char room[CMSG_SPACE(sizeof(int) * (PROTOCOL_MAX_FDS + 1))];
        } control;
        struct iovec iov = {to + got, n - got};
        struct msghdr msg = {
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
        ssize_t r;

        if (deadline) {
            struct pollfd p = {sock, POLLIN, 0};
            int64_t left = deadline - now_ms();
            if (left <= 0) {
                snprintf(why, why_size, "no complete message arrived in time");
                return -1;
            }
            int ready = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
            if (ready <= 0) {
                continue;
            }
        }
        r = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r < 0) {
            snprintf(why, why_size, "could not read from the connection: %s", strerror(errno));
            return -1;
        }
        take_fds(m, &msg);
        if (msg.msg_flags & MSG_CTRUNC) {
            snprintf(why, why_size, "too many descriptors came with a message");
            return -1;
        }
        if (r == 0) {
            if (got == 0) {
                return 0;
            }
            snprintf(why, why_size, "the connection ended inside a message");
            return -1;
        }
        got += (size_t)r;
    }
    return 1;
}

/* Checks a header; returns its kind, or NULL with the reason. */
static const MessageKind *check_header(const uint8_t *h, MessageSender from, uint32_t *length, char *why,
                                       size_t n)
{
    const MessageKind *kind;

    if (h[0] != 'L' || h[1] != 'D' || h[3] != 0) {
        snprintf(why, n, "what arrived is not Lodestone's protocol (first bytes %02x %02x %02x %02x)", h[0],
                 h[1], h[2], h[3]);
        return NULL;
    }
    kind = find_kind(h[2]);
    if (!kind) {
        snprintf(why, n, "unknown message type 0x%02x", h[2]);
        return NULL;
    }
    if (kind->from != from) {
        snprintf(why, n, "a %s may not send %s", from == FROM_CLIENT ? "client" : "server", kind->name);
        return NULL;
    }
    *length = (uint32_t)h[4] | (uint32_t)h[5] << 8 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 24;
    if (*length > kind->longest) {
        snprintf(why, n, "message %s of %u bytes is longer than its limit of %u", kind->name, *length,
                 kind->longest);
        return NULL;
    }
    return kind;
}

int message_receive(Message *m, int sock, MessageSender from, int64_t deadline, char *why, size_t why_size)
{
    uint8_t header[PROTOCOL_HEADER_SIZE];
    const MessageKind *kind;
    int r;

    *m = (Message){0};
    why[0] = '\0';
    r = receive_bytes(m, sock, header, sizeof header, deadline, why, why_size);
    if (r <= 0) {
        close_fds(m);
        return r;
    }
    kind = check_header(header, from, &m->length, why, why_size);
    if (!kind) {
        close_fds(m);
        return -1;
    }
    m->type = kind->type;
    m->payload = malloc(m->length + 1u);
    if (!m->payload) {
        snprintf(why, why_size, "no memory for a message of %u bytes", m->length);
        close_fds(m);
        return -1;
    }
    m->payload[m->length] = '\0';
    if (m->length > 0) {
        r = receive_bytes(m, sock, m->payload, m->length, deadline, why, why_size);
        if (r <= 0) {
            if (r == 0) {
                snprintf(why, why_size, "the connection ended inside a message");
            }
            message_free(m);
            return -1;
        }
    }
    return 1;
}

void message_free(Message *m)
{
    close_fds(m);
    free(m->payload);
    *m = (Message){0};
}

/* ---------------------------------------------------------------- reading a payload */

MessageReader message_reader(const Message *m)
{
    return (MessageReader){m->payload, m->payload + m->length, false};
}

uint32_t message_get_u32(MessageReader *r)
{
    const uint8_t *p = r->at;

    if (r->bad || r->end - r->at < 4) {
        r->bad = true;
        return 0;
    }
    r->at += 4;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint64_t message_get_u64(MessageReader *r)
{
    uint64_t low = message_get_u32(r);

    return low | (uint64_t)message_get_u32(r) << 32;
}

const char *message_get_string(MessageReader *r)
{
    uint32_t n = message_get_u32(r);
    const char *text = (const char *)r->at;

    if (r->bad || (size_t)(r->end - r->at) < (size_t)n + 1 || memchr(text, '\0', n) || text[n] != '\0') {
        r->bad = true;
        return "";
    }
    r->at += n + 1;
    return text;
}

bool message_at_end(const MessageReader *r)
{
    return !r->bad && r->at == r->end;
}

/* ---------------------------------------------------------------- START and REFUSED */

void start_build(MessageBuilder *b, const StartMessage *s)
{
    message_begin(b, MSG_START);
    message_put_u32(b, s->fd_mask);
    message_put_u32(b, s->umask);
    message_put_u32(b, s->stdin_is_tty);
    message_put_u32(b, s->nice);
    message_put_u64(b, s->ignored_signals);
    message_put_u64(b, s->blocked_signals);
    message_put_u32(b, s->limit_count);
    for (uint32_t i = 0; i < s->limit_count; i++) {
        message_put_u64(b, s->limits[i].rlim_cur);
        message_put_u64(b, s->limits[i].rlim_max);
    }
    message_put_string(b, s->cwd);
    message_put_u32(b, s->argc);
    for (uint32_t i = 0; i < s->argc; i++) {
        message_put_string(b, s->argv[i]);
    }
    message_put_u32(b, s->envc);
    for (uint32_t i = 0; i < s->envc; i++) {
        message_put_string(b, s->envp[i]);
    }
}

static char **get_words(MessageReader *r, uint32_t *count)
{
    char **words;

    *count = message_get_u32(r);
    if (r->bad || *count > PROTOCOL_MAX_WORDS || (size_t)*count * 5 > (size_t)(r->end - r->at)) {
        r->bad = true; /* each word takes 5 bytes at least: no room for that many */
        *count = 0;
        return NULL;
    }
    words = calloc((size_t)*count + 1, sizeof *words);
    if (!words) {
        r->bad = true;
        *count = 0;
        return NULL;
    }
    for (uint32_t i = 0; i < *count; i++) {
        words[i] = (char *)message_get_string(r);
    }
    return words;
}

bool start_parse(StartMessage *s, const Message *m, char *why, size_t why_size)
{
    MessageReader r = message_reader(m);

    memset(s, 0, sizeof *s);
    s->fd_mask = message_get_u32(&r);
    s->umask = message_get_u32(&r);
    s->stdin_is_tty = message_get_u32(&r);
    s->nice = message_get_u32(&r);
    s->ignored_signals = message_get_u64(&r);
    s->blocked_signals = message_get_u64(&r);
    s->limit_count = message_get_u32(&r);
    if (s->limit_count > PROTOCOL_RLIMITS) {
        snprintf(why, why_size, "START names %u resource limits, this system has %u", s->limit_count,
                 (unsigned)PROTOCOL_RLIMITS);
        s->limit_count = 0;
        return false;
    }
    for (uint32_t i = 0; i < s->limit_count; i++) {
        s->limits[i].rlim_cur = message_get_u64(&r);
        s->limits[i].rlim_max = message_get_u64(&r);
    }
    s->cwd = message_get_string(&r);
    s->argv = get_words(&r, &s->argc);
    s->envp = get_words(&r, &s->envc);
    if (!message_at_end(&r)) {
        snprintf(why, why_size, "START is malformed (%u bytes)", m->length);
        return false;
    }
    if (s->fd_mask > 0xf || __builtin_popcount(s->fd_mask) != m->fd_count) {
        snprintf(why, why_size, "START announces %d descriptors and brings %d",
                 __builtin_popcount(s->fd_mask), m->fd_count);
        return false;
    }
    if (s->argc == 0) {
        snprintf(why, why_size, "START has no program name");
        return false;
    }
    return true;
}

void start_free(StartMessage *s)
{
    free(s->argv);
    free(s->envp);
    s->argv = s->envp = NULL;
}

void refused_build(MessageBuilder *b, const char *code, const char *message, const char *detail,
                   const char *hint)
{
    message_begin(b, MSG_REFUSED);
    message_put_string(b, code);
    message_put_string(b, message);
    message_put_string(b, detail ? detail : "");
    message_put_string(b, hint ? hint : "");
}

/* ---------------------------------------------------------------- the postmaster's side */

int message_stream_next(MessageStream *stream, int sock, Message *m, char *why, size_t why_size)
{
    const MessageKind *kind;
    uint32_t length;

    why[0] = '\0';
    for (;;) {
        uint32_t want = PROTOCOL_HEADER_SIZE;
        if (stream->filled >= PROTOCOL_HEADER_SIZE) {
            kind = check_header(stream->bytes, FROM_CLIENT, &length, why, why_size);
            if (!kind) {
                return -1;
            }
            if (kind->type != MSG_SIGNAL || length != 8) {
                snprintf(why, why_size, "a running session takes no %s of %u bytes", kind->name, length);
                return -1;
            }
            want += length;
            if (stream->filled == want) {
                *m = (Message){
                    .type = kind->type, .length = length, .payload = stream->bytes + PROTOCOL_HEADER_SIZE};
                stream->filled = 0;
                return 1;
            }
        }
        ssize_t n = recv(sock, stream->bytes + stream->filled, want - stream->filled, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return 0;
        }
        if (n <= 0) {
            return -1;
        }
        stream->filled += (uint32_t)n;
    }
}
