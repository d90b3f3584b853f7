/*
 * Protocol: what is built is read back; every wrong byte is an error with a reason, never a crash, never a
 * hang; lengths are compared with the table before they are used.  The postmaster's reader takes whole SIGNAL
 * messages and nothing else.
 */
#include "unit.h"

#include <string.h>
#include <sys/socket.h>

#include "backend/protocol.h"

static int64_t in_ms(int64_t ms)
{
    return clock_monotonic_ns() / NSEC_PER_MSEC + ms;
}

static void pair(int ends[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

static void sample_start(StartMessage *s, char **argv, char **envp)
{
    memset(s, 0, sizeof *s);
    s->fd_mask = 3;
    s->umask = 022;
    s->nice = 20;
    s->ignored_signals = 1;
    s->limit_count = 2;
    s->limits[0].rlim_cur = 5;
    s->limits[1].rlim_max = UINT64_MAX;
    s->cwd = "/somewhere";
    s->argv = argv;
    s->envp = envp;
    while (argv[s->argc]) {
        s->argc++;
    }
    while (envp[s->envc]) {
        s->envc++;
    }
}

static void start_comes_back_as_sent(void **state)
{
    char *argv[] = {"lode", "-e", "p 1", "", NULL}, *envp[] = {"A=b", "C=", NULL};
    StartMessage sent, got;
    MessageBuilder b;
    Message m;
    char why[200];
    int ends[2], fds[2];

    (void)state;
    pair(ends);
    assert_int_equal(pipe(fds), 0);
    sample_start(&sent, argv, envp);
    start_build(&b, &sent);
    assert_true(message_send(&b, ends[0], fds, 2));
    assert_int_equal(message_receive(&m, ends[1], FROM_CLIENT, in_ms(UNIT_PATIENCE_MS), why, sizeof why), 1);
    assert_int_equal(m.type, MSG_START);
    assert_int_equal(m.fd_count, 2);
    assert_true(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
    assert_true(start_parse(&got, &m, why, sizeof why));
    assert_int_equal(got.argc, 4);
    assert_string_equal(got.argv[2], "p 1");
    assert_string_equal(got.argv[3], "");
    assert_null(got.argv[4]);
    assert_string_equal(got.envp[1], "C=");
    assert_string_equal(got.cwd, "/somewhere");
    assert_int_equal(got.umask, 022);
    assert_true(got.limits[1].rlim_max == UINT64_MAX);
    start_free(&got);
    message_free(&m);
    close(ends[0]);
    close(ends[1]);
}

static void descriptors_announced_must_come(void **state)
{
    char *argv[] = {"lode", NULL}, *envp[] = {NULL};
    StartMessage sent, got;
    MessageBuilder b;
    Message m;
    char why[200];
    int ends[2];

    (void)state;
    pair(ends);
    sample_start(&sent, argv, envp);
    start_build(&b, &sent);
    assert_true(message_send(&b, ends[0], NULL, 0));
    assert_int_equal(message_receive(&m, ends[1], FROM_CLIENT, in_ms(UNIT_PATIENCE_MS), why, sizeof why), 1);
    assert_false(start_parse(&got, &m, why, sizeof why));
    assert_string_equal(why, "START announces 2 descriptors and brings 0");
    start_free(&got);
    message_free(&m);
    close(ends[0]);
    close(ends[1]);
}

/* Bytes on the wire, then the end: what does the receiver say? */
static int receive_raw(const void *bytes, size_t n, char *why, size_t why_size)
{
    int ends[2], got;
    Message m;

    pair(ends);
    assert_int_equal(write(ends[0], bytes, n), n);
    close(ends[0]);
    got = message_receive(&m, ends[1], FROM_CLIENT, in_ms(UNIT_PATIENCE_MS), why, why_size);
    if (got == 1) {
        if (m.type == MSG_START) {
            StartMessage s;
            start_parse(&s, &m, why, why_size);
            start_free(&s);
        }
        message_free(&m);
    }
    close(ends[1]);
    return got;
}

static void bad_headers_are_named(void **state)
{
    char why[200];

    (void)state;
    assert_int_equal(receive_raw("", 0, why, sizeof why), 0);
    assert_int_equal(receive_raw("GET / HTTP/1.0\r\n", 16, why, sizeof why), -1);
    assert_non_null(strstr(why, "not Lodestone's protocol"));
    assert_int_equal(receive_raw("LDz\0\0\0\0\0", 8, why, sizeof why), -1);
    assert_non_null(strstr(why, "unknown message type"));
    assert_int_equal(receive_raw("LDX\0\4\0\0\0....", 12, why, sizeof why), -1);
    assert_non_null(strstr(why, "may not send EXITED"));
    assert_int_equal(receive_raw("LDS\0\377\377\377\377", 8, why, sizeof why), -1);
    assert_non_null(strstr(why, "longer than its limit"));
    assert_int_equal(receive_raw("LDH\0\20\0\0\0abc", 11, why, sizeof why), -1);
    assert_non_null(strstr(why, "ended inside a message"));
    assert_int_equal(receive_raw("LDH", 3, why, sizeof why), -1);
}

static void silence_ends_at_the_deadline(void **state)
{
    char why[200];
    int ends[2];
    Message m;

    (void)state;
    pair(ends);
    assert_int_equal(write(ends[0], "LD", 2), 2);
    assert_int_equal(message_receive(&m, ends[1], FROM_CLIENT, in_ms(300), why, sizeof why), -1);
    assert_non_null(strstr(why, "in time"));
    close(ends[0]);
    close(ends[1]);
}

/* A good START with bytes changed, cut and lengthened at random. */
static void fuzzed_messages_never_crash(void **state)
{
    char *argv[] = {"lode", "-e", "puts 1", "x", NULL}, *envp[] = {"PATH=/bin", "HOME=/", NULL};
    StartMessage start;
    MessageBuilder b;
    uint8_t good[4096], bad[4096];
    char why[200];
    size_t n;
    int ends[2];
    unsigned seed = 20261122;

    (void)state;
    pair(ends);
    sample_start(&start, argv, envp);
    start.fd_mask = 0;
    start_build(&b, &start);
    n = b.length;
    assert_true(n < sizeof good);
    assert_true(message_send(&b, ends[0], NULL, 0));
    assert_int_equal(read(ends[1], good, n), n);
    assert_int_equal(receive_raw(good, n, why, sizeof why), 1);
    for (int round = 0; round < 20000; round++) {
        size_t length = n;
        memcpy(bad, good, n);
        for (int flips = rand_r(&seed) % 4 + 1; flips > 0; flips--) {
            size_t at = (size_t)rand_r(&seed) % n;
            bad[at] =
                rand_r(&seed) % 2 ? (uint8_t)rand_r(&seed) : (uint8_t)(bad[at] ^ (1u << (rand_r(&seed) % 8)));
        }
        if (rand_r(&seed) % 4 == 0) {
            length = (size_t)rand_r(&seed) % n;
        }
        receive_raw(bad, length, why, sizeof why);
    }
    close(ends[0]);
    close(ends[1]);
}

static void postmaster_reads_signals_only(void **state)
{
    MessageStream stream = {.filled = 0};
    MessageBuilder b;
    Message m;
    char why[200];
    int ends[2];
    uint8_t raw[16] = {'L', 'D', 'K', 0, 8, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0};

    (void)state;
    pair(ends);
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 0);
    /* byte by byte: nothing until the last */
    for (int i = 0; i < 15; i++) {
        assert_int_equal(write(ends[0], raw + i, 1), 1);
        assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 0);
    }
    assert_int_equal(write(ends[0], raw + 15, 1), 1);
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 1);
    MessageReader r = message_reader(&m);
    assert_int_equal(message_get_u32(&r), 2);
    assert_int_equal(message_get_u32(&r), 1);
    assert_true(message_at_end(&r));
    /* two at once */
    assert_int_equal(write(ends[0], raw, 16), 16);
    assert_int_equal(write(ends[0], raw, 16), 16);
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 1);
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 1);
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), 0);
    /* anything else */
    message_begin(&b, MSG_HELLO);
    message_put_u32(&b, 1);
    message_put_string(&b, "x");
    assert_true(message_send(&b, ends[0], NULL, 0));
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), -1);
    assert_non_null(strstr(why, "takes no HELLO"));
    close(ends[0]);
    stream.filled = 0;
    while (read(ends[1], raw, sizeof raw) > 0) {
    }
    assert_int_equal(message_stream_next(&stream, ends[1], &m, why, sizeof why), -1);
    assert_string_equal(why, "");
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_comes_back_as_sent),    cmocka_unit_test(descriptors_announced_must_come),
        cmocka_unit_test(bad_headers_are_named),       cmocka_unit_test(silence_ends_at_the_deadline),
        cmocka_unit_test(fuzzed_messages_never_crash), cmocka_unit_test(postmaster_reads_signals_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
