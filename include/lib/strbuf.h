/*
 * strbuf.h: a growing byte string in a memory context; always followed by a NUL that len does not count.
 */
#ifndef LIB_STRBUF_H
#define LIB_STRBUF_H

#include "lib/memory.h"
#include <stdarg.h>

typedef struct StrBuf {
    char *data; /* never NULL after strbuf_init; data[len] == 0 */
    size_t len;
    size_t cap; /* bytes allocated, the NUL's included; 0: data is the shared empty string */
    MemoryContext *ctx;
} StrBuf;

void strbuf_init(StrBuf *sb, MemoryContext *ctx);
void strbuf_free(StrBuf *sb);                 /* back to empty, memory given back */
void strbuf_reset(StrBuf *sb);                /* empty, memory kept */
void strbuf_reserve(StrBuf *sb, size_t more); /* room for `more` bytes beyond len */
void strbuf_append(StrBuf *sb, const void *bytes, size_t n);
void strbuf_puts(StrBuf *sb, const char *s);
void strbuf_putc(StrBuf *sb, char c);
void strbuf_printf(StrBuf *sb, const char *format, ...) PRINTF_LIKE(2, 3);
void strbuf_vprintf(StrBuf *sb, const char *format, va_list args) PRINTF_LIKE(2, 0);
/* `n` uninitialised bytes at the end; returns their place. */
char *strbuf_extend(StrBuf *sb, size_t n);
void strbuf_truncate(StrBuf *sb, size_t len);
/* Appends s as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. */
void strbuf_json(StrBuf *sb, const char *s, size_t n);
/* Hands the bytes (and their ownership) to the caller; sb is empty again. */
char *strbuf_detach(StrBuf *sb);

#endif
