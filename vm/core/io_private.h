/* io_private.h -- what the files of IO, File and Process share
 *
 * An IO is a descriptor, a read buffer and a write buffer (C memory, bytes only).  The session's descriptors are
 * never made non-blocking: whoever may wait polls first, so that signals and other threads get their turn.
 */
#ifndef IO_PRIVATE_H
#define IO_PRIVATE_H
#include "vm/core.h"
#include <sys/types.h>

enum { IOM_READ = 1, IOM_WRITE = 2, IOM_APPEND = 4, IOM_BINARY = 8, IOM_SYNC = 16, IOM_TTY = 32, IOM_STANDARD = 64,
       IOM_TEXT = 128, IOM_BOM = 256, IOM_DUPLEX = 512 /* has, or had, a descriptor for each way */ };

typedef struct Io { /* T_IO */
    uint64_t head;
    int fd;         /* -1: closed; -2: not initialised */
    int write_fd;   /* popen "r+" and sockets: another one for writing; -1 else */
    pid_t pid;      /* popen's child, 0 */
    uint32_t mode;  /* IOM_* */
    char *rbuf;     /* unread bytes are rbuf[rpos, rlen) */
    uint32_t rpos, rlen, rcap;
    char *wbuf;
    uint32_t wlen, wcap;
    int64_t lineno;
    int16_t ext_enc, int_enc; /* of text outside (-1: Encoding.default_external as it is then), inside (-1: as outside) */
    Slot path;      /* String or nil */
    Slot reading, writing; /* options of String#encode for what is read and written: Hash or nil */
} Io;

/* What a mode ("r+", "wb:utf-8", open(2)'s flags) and options (mode:, flags:, external_encoding:, newline: ...) ask for */
typedef struct IoModes {
    int flags;      /* open(2)'s */
    uint32_t mode;  /* IOM_* */
    bool given;     /* there was a mode */
    int16_t ext_enc, int_enc;
    Value perm;     /* nil: the default */
    Value reading, writing;
} IoModes;

static inline bool is_io(Value v)
{
    return is_type(v, T_IO);
}
static inline Io *io_body(Value v)
{
    return (Io *)v;
}
static inline size_t io_buffered(Io *io) /* unread bytes in the read buffer */
{
    return io->rlen - io->rpos;
}
extern Value io_standard_in, io_standard_out, io_standard_err; /* those of the start, whatever $stdout is now */
extern Value io_separator, io_output_separator, io_field_separator, io_last_lineno; /* $/ $\ $, $. (separators.c) */
Io *io_get(Value v);            /* TypeError; IOError "uninitialized stream", "closed stream" */
Io *io_get_readable(Value v);   /* also "not opened for reading" */
Io *io_get_writable(Value v);
Value io_wrap(Value cls, int fd, uint32_t mode, Value path);
Value io_to_io(Value v);        /* to_io conversion */
void io_flush(Value v);
int io_try_flush(Value v);      /* errno, 0: all is written; what is not stays in the buffer */
_Noreturn void io_raise_errno(Value v, int err); /* with the path */
void io_flush_quietly(Value v); /* any Value; what cannot be written is dropped */
void io_write_bytes(Value v, const char *bytes, size_t n);
bool io_peek(Value v, size_t n); /* are there n bytes in the buffer, or to come? */
bool io_fill(Value v);          /* more bytes into the read buffer; false at end of file */
void io_close(Value v);
void io_wait(Value io, int fd, short events); /* until ready; runs interrupts and other threads */
bool io_wait_limited(Value io, int fd, short events, Value timeout); /* false after so many seconds (nil: never) */
int io_read_encoding(Io *io);                 /* of the text that is read */
Value io_to_internal(Value v, Value text);    /* text read: in the internal encoding when there is one */
Value io_to_external(Value v, Value text);    /* text to write: in the external encoding when one was asked for */
/* Arguments (nil or V_UNDEF: not given) and keywords (Hash or nil) of IO.new, File.new and their like; ArgumentError, TypeError */
IoModes io_modes(Value mode, Value perm, Value options);
void io_modes_encode(IoModes *m, Value mode_text, Value options); /* its part for encodings; mode_text: String or nil */
void io_apply_encodings(Value io, const IoModes *m);
Value path_value(Value v);      /* String by to_path or to_str; ArgumentError with a NUL inside */
const char *path_c(Value v);    /* its bytes, NUL-terminated */
Value process_status_new(pid_t pid, int status);
void process_set_last_status(Value status);
Value time_new_at(int64_t sec, int32_t nsec); /* local time */
void vm_nap(int milliseconds);      /* waits at most so long; runs interrupts and other threads */
int wait_for_child(pid_t pid, int *status); /* runs interrupts while it waits */
#endif
