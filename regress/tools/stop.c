/*
 * stop.c: steers the stop events of running processes through their LODE_STOP_FILE.
 *
 *     stop FILE arm COMMIT_DECIDE:3:kill[,...]     as LODE_STOP
 *     stop FILE wait NAME [MS]                     until a process pauses there
 *     stop FILE release NAME                       lets it go on
 *     stop FILE clear
 *     stop FILE passes [NAME]                      name and count, a line each
 *     stop list                                    every event of this build and where it is
 */
#include "lib/lib.h"
#include <stdio.h>
#include <stdlib.h>

static StopEvent event_named(const char *name)
{
    StopEvent event;
    if (name == NULL || !stop_find(name, &event)) {
        fprintf(stderr, "stop: unknown event \"%s\"\n", name ? name : "");
        exit(2);
    }
    return event;
}

int main(int argc, char **argv)
{
    lib_init("stop");
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (unsigned i = 0; i < STOP_COUNT; i++)
            printf("%s\t%s\n", stop_name((StopEvent)i), stop_text((StopEvent)i));
        return 0;
    }
    if (argc < 3) {
        fprintf(stderr, "usage: stop FILE arm|wait|release|clear|passes ... | stop list\n");
        return 2;
    }
    const char *verb = argv[2], *arg = argc > 3 ? argv[3] : NULL;
    char message[256];
    stop_shared = stop_map_file(argv[1]);
    if (strcmp(verb, "arm") == 0) {
        if (arg == NULL || !stop_parse(arg, message, sizeof message)) {
            fprintf(stderr, "stop: %s\n", arg ? message : "nothing to arm");
            return 2;
        }
    } else if (strcmp(verb, "wait") == 0) {
        if (!stop_wait_paused(event_named(arg), argc > 4 ? atoll(argv[4]) : 10000)) {
            fprintf(stderr, "stop: nobody pauses at %s\n", arg);
            return 1;
        }
    } else if (strcmp(verb, "release") == 0) {
        stop_release(event_named(arg));
    } else if (strcmp(verb, "clear") == 0) {
        stop_disarm_all();
    } else if (strcmp(verb, "passes") == 0) {
        for (unsigned i = 0; i < STOP_COUNT; i++)
            if (arg == NULL || event_named(arg) == i)
                printf("%s %llu\n", stop_name((StopEvent)i), (unsigned long long)stop_passes((StopEvent)i));
    } else {
        fprintf(stderr, "stop: unknown verb \"%s\"\n", verb);
        return 2;
    }
    return 0;
}
