/*
 * lib.h: everything of utils/lib in one include, and its start.
 */
#ifndef LIB_LIB_H
#define LIB_LIB_H

#include "lib/base.h"
#include "lib/config.h"
#include "lib/crc32c.h"
#include "lib/error.h"
#include "lib/futex.h"
#include "lib/hashtab.h"
#include "lib/io.h"
#include "lib/latch.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "lib/stop.h"
#include "lib/strbuf.h"

/*
 * Once, first thing in main: memory, configuration defaults, I/O faults and stop events of the environment.  A wrong
 * LODE_STOP or LODE_IO_FAULT ends the program.
 */
void lib_init(const char *process_name);
/* First thing in a forked child: its name in the log, fresh random numbers, private critical and wait words. */
void lib_after_fork(const char *process_name);

#define LODESTONE_VERSION "0.1.0"

#endif
