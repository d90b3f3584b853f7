/*
 * utils/bin/lodestone.c: the postmaster in the foreground, for service managers, containers and debuggers.
 * `lodectl start` and `lode` run the same program in the background.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/backend.h"
#include "lib/lib.h"

static const char HELP[] =
    "Usage: lodestone -D DIR [-c name=value]...\n"
    "Serves the store in DIR until told to stop.\n"
    "  -D DIR          the store ($LODE_STORE, else ~/.lodestone)\n"
    "  -c name=value   sets a configuration variable, over lodestone.conf\n"
    "  --background    log to the file that log_destination names\n"
    "  --ready-fd N    write \"ready\" or what went wrong to descriptor N\n"
    "  --help, --version\n"
    "Signals: TERM smart shutdown, INT fast, QUIT immediate, HUP reads lodestone.conf again.\n";

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "lodestone: %s%s (see lodestone --help)\n", what, word);
    return 64;
}

static int number(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);

    return *text && !*end && n >= 0 && n < 1000000 ? (int)n : -1;
}

int main(int argc, char **argv)
{
    PostmasterOptions options = {.ready_fd = -1, .listen_fd = -1, .argv = argv};
    const char *dir = NULL;
    char **settings = calloc((size_t)argc + 1, sizeof *settings);
    size_t count = 0;
    volatile int status = 1;

    if (!settings) {
        fputs("lodestone: out of memory\n", stderr);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            fputs(HELP, stdout);
            return 0;
        }
        if (strcmp(word, "--version") == 0) {
            puts(options_version_text());
            return 0;
        }
        if (strcmp(word, "--background") == 0) {
            options.background = true;
            continue;
        }
        bool known = strcmp(word, "-D") == 0 || strcmp(word, "-c") == 0 || strcmp(word, "--ready-fd") == 0 ||
                     strcmp(word, "--listen-fd") == 0 || strcmp(word, "--restarts") == 0;
        if (!known) {
            return usage("unknown option or argument ", word);
        }
        if (++i >= argc) {
            return usage("missing value for ", word);
        }
        if (strcmp(word, "-D") == 0) {
            dir = argv[i];
        } else if (strcmp(word, "-c") == 0) {
            settings[count++] = argv[i];
        } else {
            int n = number(argv[i]);
            if (n < 0) {
                return usage("no number after ", word);
            }
            if (word[2] == 'l') {
                options.listen_fd = n;
            } else if (strcmp(word, "--restarts") == 0) {
                options.restarts = (unsigned)n;
            } else {
                options.ready_fd = n;
                fcntl(n, F_SETFD, FD_CLOEXEC);
            }
        }
    }
    /* 0, 1 and 2 must be something: sessions put the client's in their place */
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != fd) {
            return 1;
        }
    }
    lib_init("postmaster");
    TRY()
    {
        options.dir = datadir_choose(memctx_top(), dir);
        options.settings = settings;
        status = postmaster_main(&options);
    }
    CATCH(err)
    {
        log_error(err);
    }
    END_TRY();
    return status;
}
