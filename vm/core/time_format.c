/* time_format.c -- Time as text: strftime and what is built on it
 *
 * Follows the directives, flags and widths of Ruby's Time#strftime, which are those of strftime(3) and more.
 */
#include "time_private.h"
#include "text.h"
#include <stdio.h>

static const char *const day_names[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const month_names[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September",
                                          "October", "November", "December"};

typedef struct Spec {
    int width;    /* -1 none */
    char pad;     /* 0 default, '-' none, '0', ' ' */
    bool up, swap;
    int colons;
} Spec;

static void put_number(Value out, int64_t n, int width, char pad, const Spec *s)
{
    char digits[32], p = s->pad ? s->pad : pad;
    if (s->width >= 0)
        width = s->width;
    if (s->pad == '-')
        width = 0;
    int len = snprintf(digits, sizeof digits, "%lld", (long long)(n < 0 ? -n : n));
    int fill = width - len - (n < 0);
    if (fill > 1024)
        raise_errno(34, NULL);
    if (n < 0 && p == '0')
        str_buf_putc(out, '-');
    while (fill-- > 0)
        str_buf_putc(out, p == '-' ? ' ' : p);
    if (n < 0 && p != '0')
        str_buf_putc(out, '-');
    str_buf_cat(out, digits, (size_t)len);
}

static void put_text(Value out, const char *text, size_t len, const Spec *s, bool default_up)
{
    int fill = s->width - (int)len;
    while (fill-- > 0 && s->pad != '-')
        str_buf_putc(out, s->pad == '0' ? '0' : ' ');
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if ((s->up || default_up) && c >= 'a' && c <= 'z')
            c -= 32;
        str_buf_putc(out, c);
    }
}

static void put_offset(Value out, const Parts *p, bool utc, const Spec *s)
{
    int32_t off = p->offset;
    bool minus = off < 0 || (utc && s->pad == '-' && false);
    if (off < 0)
        off = -off;
    int h = off / 3600, m = off / 60 % 60, sec = off % 60, digits = s->width;
    char rest[32], text[64];
    switch (s->colons) {
    case 0:
        snprintf(rest, sizeof rest, "%02d", m);
        break;
    case 1:
        snprintf(rest, sizeof rest, ":%02d", m);
        break;
    case 2:
        snprintf(rest, sizeof rest, ":%02d:%02d", m, sec);
        break;
    default:
        rest[0] = 0;
        if (sec)
            snprintf(rest, sizeof rest, ":%02d:%02d", m, sec);
        else if (m)
            snprintf(rest, sizeof rest, ":%02d", m);
    }
    int hour_width = digits - (int)strlen(rest) - 1;
    if (hour_width < 2)
        hour_width = 2;
    if (s->pad == ' ')
        snprintf(text, sizeof text, "%*s%c%d", hour_width - (h > 9 ? 2 : 1), "", minus ? '-' : '+', h);
    else
        snprintf(text, sizeof text, "%c%0*d", minus ? '-' : '+', hour_width > 40 ? 40 : hour_width, h);
    str_buf_puts(out, text);
    str_buf_puts(out, rest);
}

static int week_number(const Parts *p, int first) /* first: 0 Sunday, 1 Monday */
{
    return (p->yday - 1 + 7 - (p->wday - first + 7) % 7) / 7;
}

static bool leap(int64_t y)
{
    return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static void iso_week(const Parts *p, int64_t *year, int *week)
{
    int wday = (p->wday + 6) % 7; /* Monday 0 */
    int w = (p->yday - 1 - wday + 10) / 7;
    *year = p->year;
    if (w < 1) {
        (*year)--;
        int days = leap(*year) ? 366 : 365;
        w = (p->yday - 1 + days - wday + 10) / 7;
    } else if (w == 53) {
        int days = leap(p->year) ? 366 : 365;
        if (p->yday - 1 - wday + 3 >= days) {
            w = 1;
            (*year)++;
        }
    }
    *week = w;
}

static void format_into(Value self, Value out, const char *f, const char *end);

static void put_nested(Value self, Value out, const char *f, const Spec *s)
{
    Value part = str_buf_new(64, ENC_UTF_8);
    format_into(self, part, f, f + strlen(f));
    StrView v = str_view(part);
    put_text(out, v.ptr, v.len, s, false);
}

static void format_into(Value self, Value out, const char *f, const char *end)
{
    Parts p;
    time_parts(self, &p);
    Time *t = time_ptr(self);
    for (; f < end; f++) {
        if (*f != '%') {
            const char *q = memchr(f, '%', (size_t)(end - f));
            if (!q)
                q = end;
            str_buf_cat(out, f, (size_t)(q - f));
            f = q - 1;
            continue;
        }
        const char *start = f++;
        Spec s = {-1, 0, false, false, 0};
        for (; f < end; f++) {
            if (*f == '-' || *f == '0')
                s.pad = *f;
            else if (*f == '_')
                s.pad = ' ';
            else if (*f == '^')
                s.up = true;
            else if (*f == '#')
                s.swap = true;
            else if (*f == ':')
                s.colons++;
            else
                break;
        }
        if (f < end && *f >= '1' && *f <= '9') {
            s.width = 0;
            while (f < end && *f >= '0' && *f <= '9' && s.width < 100000)
                s.width = s.width * 10 + (*f++ - '0');
            if (s.width > 65535)
                raise_errno(34, NULL);
        }
        while (f < end && *f == ':') {
            s.colons++;
            f++;
        }
        if (f < end && (*f == 'E' || *f == 'O') && f + 1 < end && strchr(*f == 'E' ? "cCxXyY" : "deHkIlmMSuUVwWy", f[1]))
            f++;
        if (f >= end) {
            str_buf_cat(out, start, (size_t)(end - start));
            return;
        }
        if (s.colons && *f != 'z') {
            str_buf_cat(out, start, (size_t)(f - start + 1));
            continue;
        }
        int hour12 = p.hour % 12 ? p.hour % 12 : 12, week;
        int64_t year;
        switch (*f) {
        case 'Y':
            put_number(out, p.year, p.year < 0 ? 5 : 4, '0', &s);
            break;
        case 'C':
            put_number(out, p.year >= 0 ? p.year / 100 : -((99 - p.year) / 100), 2, '0', &s);
            break;
        case 'y':
            put_number(out, (p.year % 100 + 100) % 100, 2, '0', &s);
            break;
        case 'm':
            put_number(out, p.mon, 2, '0', &s);
            break;
        case 'B':
            put_text(out, month_names[p.mon - 1], strlen(month_names[p.mon - 1]), &s, s.swap);
            break;
        case 'b':
        case 'h':
            put_text(out, month_names[p.mon - 1], 3, &s, s.swap);
            break;
        case 'd':
            put_number(out, p.day, 2, '0', &s);
            break;
        case 'e':
            put_number(out, p.day, 2, ' ', &s);
            break;
        case 'j':
            put_number(out, p.yday, 3, '0', &s);
            break;
        case 'H':
            put_number(out, p.hour, 2, '0', &s);
            break;
        case 'k':
            put_number(out, p.hour, 2, ' ', &s);
            break;
        case 'I':
            put_number(out, hour12, 2, '0', &s);
            break;
        case 'l':
            put_number(out, hour12, 2, ' ', &s);
            break;
        case 'P':
            put_text(out, p.hour < 12 ? "am" : "pm", 2, &s, s.swap);
            break;
        case 'p':
            put_text(out, s.swap ? (p.hour < 12 ? "am" : "pm") : p.hour < 12 ? "AM" : "PM", 2, &s, false);
            break;
        case 'M':
            put_number(out, p.min, 2, '0', &s);
            break;
        case 'S':
            put_number(out, p.sec, 2, '0', &s);
            break;
        case 'L':
        case 'N': {
            char digits[16];
            snprintf(digits, sizeof digits, "%09d", t->nsec);
            int width = s.width > 0 ? s.width : *f == 'L' ? 3 : 9;
            for (int i = 0; i < width; i++)
                str_buf_putc(out, i < 9 ? digits[i] : '0');
            break;
        }
        case 'z':
            put_offset(out, &p, t->mode == MODE_UTC, &s);
            break;
        case 'Z': {
            Value z = time_zone_name(self, &p);
            if (is_string(z)) {
                StrView v = str_view(z);
                if (s.swap)
                    for (size_t i = 0; i < v.len; i++)
                        str_buf_putc(out, (char)(v.ptr[i] >= 'A' && v.ptr[i] <= 'Z' ? v.ptr[i] + 32 : v.ptr[i]));
                else
                    put_text(out, v.ptr, v.len, &s, false);
            }
            t = time_ptr(self);
            break;
        }
        case 'A':
            put_text(out, day_names[p.wday], strlen(day_names[p.wday]), &s, s.swap);
            break;
        case 'a':
            put_text(out, day_names[p.wday], 3, &s, s.swap);
            break;
        case 'u':
            put_number(out, p.wday ? p.wday : 7, 1, '0', &s);
            break;
        case 'w':
            put_number(out, p.wday, 1, '0', &s);
            break;
        case 'G':
            iso_week(&p, &year, &week);
            put_number(out, year, 4, '0', &s);
            break;
        case 'g':
            iso_week(&p, &year, &week);
            put_number(out, (year % 100 + 100) % 100, 2, '0', &s);
            break;
        case 'V':
            iso_week(&p, &year, &week);
            put_number(out, week, 2, '0', &s);
            break;
        case 'U':
            put_number(out, week_number(&p, 0), 2, '0', &s);
            break;
        case 'W':
            put_number(out, week_number(&p, 1), 2, '0', &s);
            break;
        case 's':
            put_number(out, t->sec, 1, '0', &s);
            break;
        case 'n':
            put_text(out, "\n", 1, &s, false);
            break;
        case 't':
            put_text(out, "\t", 1, &s, false);
            break;
        case '%':
            put_text(out, "%", 1, &s, false);
            break;
        case 'c':
            put_nested(self, out, "%a %b %e %H:%M:%S %Y", &s);
            break;
        case 'D':
        case 'x':
            put_nested(self, out, "%m/%d/%y", &s);
            break;
        case 'F':
            if (s.width > 0) {
                Spec ys = {s.width - 6 > 4 ? s.width - 6 : 4, s.pad, false, false, 0};
                put_number(out, p.year, 4, '0', &ys);
                put_nested(self, out, "-%m-%d", &(Spec){-1, 0, false, false, 0});
            } else {
                put_nested(self, out, "%Y-%m-%d", &s);
            }
            break;
        case 'v':
            put_nested(self, out, "%e-%^b-%Y", &s);
            break;
        case 'T':
        case 'X':
            put_nested(self, out, "%H:%M:%S", &s);
            break;
        case 'R':
            put_nested(self, out, "%H:%M", &s);
            break;
        case 'r':
            put_nested(self, out, "%I:%M:%S %p", &s);
            break;
        default:
            str_buf_cat(out, start, (size_t)(f - start + 1));
        }
    }
}

static void format_more(Value self, Value out, const char *f)
{
    format_into(self, out, f, f + strlen(f));
}

static Value format_time(Value self, const char *f)
{
    Value out = str_buf_new(64, ENC_US_ASCII);
    format_into(self, out, f, f + strlen(f));
    return out;
}

Value time_strftime(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value format = str_to_str(argv[0]);
    StrView s = str_view(format);
    Value out = str_buf_new(s.len * 2 + 16, s.enc);
    format_into(self, out, s.ptr, s.ptr + s.len);
    KEEP(format);
    return out;
}

Value time_to_s(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return format_time(self, time_ptr(self)->mode == MODE_UTC ? "%Y-%m-%d %H:%M:%S UTC" : "%Y-%m-%d %H:%M:%S %z");
}

Value time_inspect(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Value out = format_time(self, "%Y-%m-%d %H:%M:%S");
    int32_t n = time_ptr(self)->nsec;
    if (n) {
        char digits[16];
        int len = snprintf(digits, sizeof digits, ".%09d", n);
        while (digits[len - 1] == '0')
            len--;
        str_buf_cat(out, digits, (size_t)len);
    }
    if (time_ptr(self)->mode == MODE_UTC)
        str_buf_puts(out, " UTC");
    else
        format_more(self, out, " %z");
    return out;
}

Value time_ctime(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    return format_time(self, "%a %b %e %H:%M:%S %Y");
}

Value time_xmlschema(Value self, int argc, const Value *argv)
{
    int digits = argc ? (int)value_int(argv[0]) : 0;
    Value out = format_time(self, "%Y-%m-%dT%H:%M:%S");
    if (digits > 0) {
        char f[16];
        snprintf(f, sizeof f, ".%%%dN", digits);
        format_into(self, out, f, f + strlen(f));
    }
    if (time_ptr(self)->mode == MODE_UTC)
        str_buf_puts(out, "Z");
    else
        format_more(self, out, "%:z");
    return out;
}
