/*
 * log.h: where messages go.  One line a message ("2026-11-22 01:09:16.123 UTC [4711] checkpointer LOG:  ..."),
 * further lines for DETAIL and HINT, written with one write(2) each, so that processes can share a file.
 *
 * conf.log_level is the least level written.  The default destination is standard error.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/error.h"

/* Opens `path` for appending and logs there from now on; children inherit it.  Raises ERR_IO. */
void log_open(const char *path);
/* Logs to a descriptor that the caller keeps open. */
void log_set_fd(int fd);
int log_fd(void);
/* Reopens the file of log_open (after rotation); does nothing when logging to a descriptor. */
void log_reopen(void);
/* Shown in each line.  Kept by reference. */
void log_set_process(const char *name);

/* A message without code, detail or jump; `level` below ERROR. */
void log_message(ErrorLevel level, const char *format, ...) PRINTF_LIKE(2, 3);
/* Writes an error record, as ereport does for those below ERROR. */
void log_error(const ErrorData *err);
/* True when a message of this level would be written. */
bool log_wanted(ErrorLevel level);

#endif
