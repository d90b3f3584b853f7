/*
 * strbuf.c: growing byte strings.  B1: data[len] is always 0 and readable.  Growth doubles.
 */
#include "lib/strbuf.h"
#include "lib/error.h"
#include <stdio.h>

static char empty[1];

void strbuf_init(StrBuf *sb, MemoryContext *ctx)
{
    *sb = (StrBuf){empty, 0, 0, ctx};
}

void strbuf_free(StrBuf *sb)
{
    if (sb->cap)
        mem_free(sb->data);
    sb->data = empty;
    sb->len = sb->cap = 0;
}

void strbuf_reset(StrBuf *sb)
{
    strbuf_truncate(sb, 0);
}

void strbuf_truncate(StrBuf *sb, size_t len)
{
    Assert(len <= sb->len);
    sb->len = len;
    if (sb->cap)
        sb->data[len] = 0;
}

void strbuf_reserve(StrBuf *sb, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(sb->len, more, &need) || need > (SIZE_MAX >> 2))
        ereport(ERROR, ERR_LIMIT_EXCEEDED, errmsg("string buffer too long"));
    need++;
    if (need <= sb->cap)
        return;
    size_t cap = sb->cap ? sb->cap : 48;
    while (cap < need)
        cap *= 2;
    char *p = mem_realloc(sb->ctx, sb->cap ? sb->data : NULL, cap);
    p[sb->len] = 0;
    sb->data = p;
    sb->cap = cap;
}

char *strbuf_extend(StrBuf *sb, size_t n)
{
    strbuf_reserve(sb, n);
    char *p = sb->data + sb->len;
    sb->len += n;
    sb->data[sb->len] = 0;
    return p;
}

void strbuf_append(StrBuf *sb, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(strbuf_extend(sb, n), bytes, n);
}

void strbuf_puts(StrBuf *sb, const char *s)
{
    strbuf_append(sb, s, strlen(s));
}

void strbuf_putc(StrBuf *sb, char c)
{
    *strbuf_extend(sb, 1) = c;
}

void strbuf_vprintf(StrBuf *sb, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    strbuf_reserve(sb, 64);
    size_t room = sb->cap - sb->len;
    int n = vsnprintf(sb->data + sb->len, room, format, args);
    if (n >= 0 && (size_t)n >= room) {
        strbuf_reserve(sb, (size_t)n);
        n = vsnprintf(sb->data + sb->len, (size_t)n + 1, format, again);
    }
    va_end(again);
    if (n > 0)
        sb->len += (size_t)n;
    sb->data[sb->len] = 0;
}

void strbuf_printf(StrBuf *sb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    strbuf_vprintf(sb, format, args);
    va_end(args);
}

char *strbuf_detach(StrBuf *sb)
{
    if (sb->cap == 0)
        strbuf_reserve(sb, 0);
    char *p = sb->data;
    sb->data = empty;
    sb->len = sb->cap = 0;
    return p;
}

/* Length of the well-formed UTF-8 character at s, or 0. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : 0;
    if (len == 0 || len > n || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

void strbuf_json(StrBuf *sb, const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    strbuf_putc(sb, '"');
    while (n > 0) {
        size_t len = utf8_length(p, n);
        if (*p == '"' || *p == '\\')
            strbuf_printf(sb, "\\%c", *p);
        else if (*p == '\n')
            strbuf_puts(sb, "\\n");
        else if (*p < 0x20 || *p == 0x7f)
            strbuf_printf(sb, "\\u%04x", *p);
        else if (len == 0)
            strbuf_puts(sb, "\xef\xbf\xbd");
        else
            strbuf_append(sb, p, len);
        len = len ? len : 1;
        p += len;
        n -= len;
    }
    strbuf_putc(sb, '"');
}
