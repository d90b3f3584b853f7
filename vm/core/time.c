/* time.c -- Time: a count of nanoseconds since 1970 in UTC, and how to show it (UTC, local, or a fixed offset)
 *
 * Years, months and so on are worked out when asked for.  Of a local time only that it is local is kept (and saved):
 * each session shows it in its own zone.  Offsets are seconds east of Greenwich.
 */
#include "vm/core/core_private.h"
#include "time_private.h"
#include "text.h"
#include "vm/record.h"
#include "io_private.h"
#include <math.h>
#include <stdio.h>
#include <time.h>

Time *time_ptr(Value v)
{
    if (!is_type(v, T_TIME))
        raise_error(klass.TypeError, "wrong argument type %C (expected Time)", v);
    obj_attend(v);
    return (Time *)v;
}

static void time_visit(Object *o, Visitor *v)
{
    v->slot(v, &((Time *)o)->zone);
}

static void time_persist(Object *o, RecordBuilder *b)
{
    Time *t = (Time *)o;
    record_put_u64(b, (uint64_t)t->sec);
    record_put_u64(b, (uint64_t)(uint32_t)t->nsec | (uint64_t)(uint32_t)t->offset << 32);
    record_put_u64(b, t->mode);
    record_put_slot(b, t->zone);
}

static void time_restore(Object *o, RecordReader *r)
{
    Time *t = (Time *)o;
    t->sec = (int64_t)record_take_u64(r);
    uint64_t w = record_take_u64(r);
    t->nsec = (int32_t)(uint32_t)w;
    t->offset = (int32_t)(uint32_t)(w >> 32);
    t->mode = record_take_u64(r);
    t->zone = record_take_slot(r);
    if (t->nsec < 0 || t->nsec > 999999999 || t->mode > MODE_OFFSET || t->offset <= -86400 || t->offset >= 86400 ||
        t->sec > INT64_MAX / 4 || t->sec < INT64_MIN / 4)
        record_corrupt(r, "is no Time that there is");
}

static void time_hollow(Object *o)
{
    ((Time *)o)->zone.raw = V_NIL;
}

static const TypeRow time_row = {.name = "time", .logged = true, .visit = time_visit, .persist = time_persist, .restore = time_restore,
                                 .hollow = time_hollow, .size = sizeof(Time)};

static Value time_allocate(Value cls)
{
    Value v = heap_alloc(T_TIME, cls, sizeof(Time));
    ((Time *)v)->zone.raw = V_NIL;
    return v;
}

static Value time_make(Value cls, int64_t sec, int64_t nsec, uint64_t mode, int32_t offset, Value zone)
{
    sec += nsec / 1000000000;
    nsec %= 1000000000;
    if (nsec < 0) {
        nsec += 1000000000;
        sec--;
    }
    Value v = time_allocate(cls);
    Time *t = (Time *)v;
    t->sec = sec;
    t->nsec = (int32_t)nsec;
    t->mode = mode;
    t->offset = offset;
    slot_init(&t->zone, zone);
    return v;
}

Value time_new_at(int64_t sec, int32_t nsec)
{
    return time_make(klass.Time, sec, nsec, MODE_LOCAL, 0, V_NIL);
}

Value time_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return time_new_at(ts.tv_sec, (int32_t)ts.tv_nsec);
}

static Value like(Value self, int64_t sec, int64_t nsec)
{
    Time *t = time_ptr(self);
    return time_make(klass.Time, sec, nsec, t->mode, t->offset, slot_read(self, &t->zone));
}

/* ---- the calendar ---- */

static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil(int64_t sec, Parts *p)
{
    int64_t days = sec / 86400, rest = sec % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    p->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    p->mon = (int)(mp < 10 ? mp + 3 : mp - 9);
    p->year = yoe + era * 400 + (p->mon <= 2);
    p->hour = (int)(rest / 3600);
    p->min = (int)(rest / 60 % 60);
    p->sec = (int)(rest % 60);
    p->wday = (int)(((days + 4) % 7 + 7) % 7);
    p->yday = (int)(days - days_from_civil(p->year, 1, 1)) + 1;
}

static void parts_local(int64_t sec, Parts *p)
{
    struct tm tm;
    time_t t = sec;
    tzset();
    if (!localtime_r(&t, &tm)) {
        civil(sec, p);
        p->zone = "UTC";
        return;
    }
    *p = (Parts){tm.tm_year + 1900ll, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday, tm.tm_yday + 1,
                 (int32_t)tm.tm_gmtoff, tm.tm_isdst > 0, tm.tm_zone};
}

void time_parts(Value self, Parts *p)
{
    Time *t = time_ptr(self);
    if (t->mode == MODE_LOCAL) {
        parts_local(t->sec, p);
        return;
    }
    int32_t off = t->mode == MODE_UTC ? 0 : t->offset;
    civil(t->sec + off, p);
    p->offset = off;
    p->dst = false;
    p->zone = t->mode == MODE_UTC ? "UTC" : NULL;
}

static int64_t local_seconds(int64_t y, int mon, int d, int h, int mi, int s)
{
    struct tm tm = {.tm_year = (int)(y - 1900), .tm_mon = mon - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = s,
                    .tm_isdst = -1};
    if (y - 1900 > INT32_MAX || y - 1900 < INT32_MIN)
        return days_from_civil(y, mon, d) * 86400 + h * 3600 + mi * 60 + s;
    tzset();
    return mktime(&tm);
}

/* ---- arguments ---- */

static _Noreturn void out_of_range(void)
{
    raise_error(klass.ArgumentError, "argument out of range");
}

/* A number of seconds (as a difference when `what`): to seconds and nanoseconds, rounded down. */
static void split_number(Value v, int64_t *sec, int64_t *nsec)
{
    if (is_fixnum(v)) {
        *sec = fix_int(v);
        *nsec = 0;
        return;
    }
    if (is_float(v)) {
        double d = float_double(v);
        if (isnan(d) || isinf(d))
            raise_error(klass.FloatDomainError, "%T", float_to_str(v));
        double f = floor(d);
        if (fabs(f) > 9.2e18)
            raise_error(klass.RangeError, "bignum too big to convert into 'long'");
        *sec = (int64_t)f;
        *nsec = (int64_t)floorl(((long double)d - (long double)f) * 1e9L);
        return;
    }
    if (is_type(v, T_BIGNUM)) {
        *sec = value_int(v);
        *nsec = 0;
        return;
    }
    if (is_nil(v) || is_string(v) || !vm_responds_to(v, sym_intern("to_r"), false) || is_symbol(v))
        raise_error(klass.TypeError, "can't convert %C into an exact number", v);
    Value r = vm_call0(v, sym_intern("to_r"));
    Value whole = vm_call0(r, sym_intern("floor"));
    Value rest = vm_call1(vm_call1(r, sym_intern("-"), whole), sym_intern("*"), int_fix(1000000000));
    *sec = value_int(whole);
    *nsec = value_int(vm_call0(rest, sym_intern("floor")));
}

/* "+09:00", "UTC", "A", -18000 ... */
static bool parse_zone(Value v, uint64_t *mode, int32_t *offset, Value *zone)
{
    *zone = V_NIL;
    *offset = 0;
    if (is_string(v)) {
        StrView s = str_view(v);
        const char *p = s.ptr;
        if ((s.len == 3 && memcmp(p, "UTC", 3) == 0) || (s.len == 1 && p[0] == 'Z') || (s.len == 6 && memcmp(p, "-00:00", 6) == 0)) {
            *mode = MODE_UTC;
            return true;
        }
        if (s.len == 1 && p[0] >= 'A' && p[0] < 'Z' && p[0] != 'J') {
            int n = p[0] <= 'I' ? p[0] - 'A' + 1 : p[0] <= 'M' ? p[0] - 'A' : 'M' - p[0];
            *mode = MODE_OFFSET;
            *offset = n * 3600;
            return true;
        }
        if (s.len < 3 || (p[0] != '+' && p[0] != '-'))
            return false;
        int f[3] = {0, 0, 0}, n = 0;
        bool colons = s.len > 3 && p[3] == ':';
        size_t i = 1;
        while (i < s.len && n < 3) {
            if (n && colons) {
                if (p[i] != ':')
                    return false;
                i++;
            }
            if (i + 1 >= s.len || p[i] < '0' || p[i] > '9' || p[i + 1] < '0' || p[i + 1] > '9')
                return false;
            f[n++] = (p[i] - '0') * 10 + p[i + 1] - '0';
            i += 2;
        }
        if (i != s.len || f[1] > 59 || f[2] > 59)
            return false;
        if (f[0] > 23)
            raise_error(klass.ArgumentError, "utc_offset out of range");
        *mode = MODE_OFFSET;
        *offset = (p[0] == '-' ? -1 : 1) * (f[0] * 3600 + f[1] * 60 + f[2]);
        return true;
    }
    if (is_nil(v))
        return false;
    int64_t sec, nsec;
    split_number(v, &sec, &nsec);
    if (sec <= -86400 || sec >= 86400)
        raise_error(klass.ArgumentError, "utc_offset out of range");
    *mode = MODE_OFFSET;
    *offset = (int32_t)sec;
    return true;
}

static void need_zone(Value v, uint64_t *mode, int32_t *offset, Value *zone)
{
    if (!parse_zone(v, mode, offset, zone))
        raise_error(klass.ArgumentError, "\"+HH:MM\", \"-HH:MM\", \"UTC\" or \"A\"..\"I\",\"K\"..\"Z\" expected for utc_offset: %T", v);
}

static int64_t whole_number(Value v)
{
    if (is_string(v)) {
        StrView s = str_view(v);
        return value_int(str_to_integer(s.ptr, s.len, 10, true, true));
    }
    return value_int(v);
}

static int month_number(Value v)
{
    if (is_string(v)) {
        static const char *const names[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
        StrView s = str_view(v);
        if (s.len == 3)
            for (int i = 0; i < 12; i++)
                if (strncasecmp(s.ptr, names[i], 3) == 0)
                    return i + 1;
    }
    int64_t n = whole_number(v);
    if (n < 1 || n > 12)
        raise_error(klass.ArgumentError, "mon out of range");
    return (int)n;
}

static int ranged(Value v, int lo, int hi, const char *what)
{
    int64_t n = whole_number(v);
    if (n < lo || n > hi)
        raise_error(klass.ArgumentError, "%s out of range", n < 0 ? "argument" : what);
    return (int)n;
}

/* (year, month, day, hour, min, sec[, usec]) in the given mode */
static Value from_parts(Value cls, int argc, const Value *argv, uint64_t mode, int32_t offset, Value zone)
{
    Value a[7];
    for (int i = 0; i < 7; i++)
        a[i] = i < argc ? argv[i] : V_NIL;
    int64_t year = whole_number(a[0]);
    int mon = is_nil(a[1]) ? 1 : month_number(a[1]), day = is_nil(a[2]) ? 1 : ranged(a[2], 1, 31, "argument");
    int hour = is_nil(a[3]) ? 0 : ranged(a[3], 0, 24, "hour"), min = is_nil(a[4]) ? 0 : ranged(a[4], 0, 59, "min"), sec = 0;
    int64_t nsec = 0;
    if (!is_nil(a[5])) {
        if (is_string(a[5])) {
            StrView s = str_view(a[5]);
            const char *dot = memchr(s.ptr, '.', s.len);
            if (dot) {
                int64_t scale = 100000000;
                for (const char *p = dot + 1; p < s.ptr + s.len && scale; p++, scale /= 10)
                    nsec += (*p - '0') * scale;
                sec = ranged(str_new(s.ptr, (size_t)(dot - s.ptr)), 0, 60, "sec");
            } else {
                sec = ranged(a[5], 0, 60, "sec");
            }
        } else {
            int64_t whole;
            split_number(a[5], &whole, &nsec);
            if (whole < 0 || whole > 60)
                out_of_range();
            sec = (int)whole;
        }
    }
    if (!is_nil(a[6])) {
        int64_t us, frac;
        split_number(is_string(a[6]) ? int_value(whole_number(a[6])) : a[6], &us, &frac);
        nsec = us * 1000 + frac / 1000000;
    }
    if (hour == 24 && (min || sec))
        raise_error(klass.ArgumentError, "%s out of range", min ? "min" : "sec");
    int64_t t = mode == MODE_LOCAL ? local_seconds(year, mon, day, hour, min, sec)
                                   : days_from_civil(year, mon, day) * 86400 + hour * 3600 + min * 60 + sec - (mode == MODE_OFFSET ? offset : 0);
    return time_make(cls, t, nsec, mode, offset, zone);
}

static void copy_into(Value self, Value from)
{
    Time *f = time_ptr(from);
    obj_modify(self);
    Time *t = (Time *)self;
    t->sec = f->sec;
    t->nsec = f->nsec;
    t->mode = f->mode;
    t->offset = f->offset;
    slot_write(self, &t->zone, f->zone.raw);
}

static Value keyword_in(Value options)
{
    static const char *const names[] = {"in", "precision", NULL};
    if (is_nil(options))
        return V_NIL;
    keywords_only(options, names);
    Value v = keyword_get(options, "in");
    return is_undef(v) ? V_NIL : v;
}

static Value in_zone(Value t, Value zone)
{
    if (is_nil(zone))
        return t;
    uint64_t mode;
    int32_t offset;
    Value name;
    need_zone(zone, &mode, &offset, &name);
    Time *p = time_ptr(t);
    p->mode = mode;
    p->offset = offset;
    slot_write(t, &p->zone, name);
    return t;
}

/* Time.new("2000-12-31 23:59:59.5 +0900") */
static Value from_text(Value cls, Value text, Value zone_arg)
{
    StrView s = str_view(text);
    const char *p = s.ptr, *end = p + s.len;
    int64_t f[6] = {0, 1, 1, 0, 0, 0};
    const char *start = p;
    while (p < end && *p >= '0' && *p <= '9')
        f[0] = f[0] * 10 + (*p++ - '0');
    if (p == start)
        raise_error(klass.ArgumentError, "can't parse: %V", text);
    if (p - start < 4)
        raise_error(klass.ArgumentError, "year must be 4 or more digits: %T", str_new(start, (size_t)(p - start)));
    if (p == end)
        return from_parts(cls, 1, (Value[]){int_value(f[0])}, MODE_LOCAL, 0, V_NIL);
    static const char *const what[] = {"", "mon", "mday", "hour", "min", "sec"};
    int64_t nsec = 0;
    const char *clock = NULL;
    for (int i = 1; i < 6; i++) {
        if (p >= end) {
            if (i <= 3)
                raise_error(klass.ArgumentError, "no time information");
            raise_error(klass.ArgumentError, "missing %s part: %T", what[i], str_new(clock, (size_t)(end - clock)));
        }
        char want = i < 3 ? '-' : i == 3 ? ' ' : ':';
        if (*p != want && !(i == 3 && *p == 'T'))
            raise_error(klass.ArgumentError, "can't parse: %V", str_new(p, (size_t)(end - p)));
        p++;
        if (end - p < 2 || p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') {
            Value rest = str_new(p, (size_t)(end - p < 10 ? end - p : 10));
            if (i == 3)
                raise_error(klass.ArgumentError, "two digits hour is expected:  %T", rest);
            raise_error(klass.ArgumentError, "two digits %s is expected after '%c': %c%T", what[i], want, want,
                        str_new(p, (size_t)(end - p < 9 ? end - p : 9)));
        }
        if (i == 3)
            clock = p;
        f[i] = (p[0] - '0') * 10 + p[1] - '0';
        p += 2;
    }
    if (p < end && *p == '.') {
        int64_t scale = 100000000;
        for (p++; p < end && *p >= '0' && *p <= '9'; p++, scale /= 10)
            nsec += (*p - '0') * scale;
    }
    while (p < end && *p == ' ')
        p++;
    if (f[1] < 1 || f[1] > 12)
        raise_error(klass.ArgumentError, "mon out of range");
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (f[2] < 1 || f[2] > lengths[f[1] - 1])
        raise_error(klass.ArgumentError, "mday out of range");
    if (f[3] > 24)
        raise_error(klass.ArgumentError, "hour out of range");
    if (f[3] == 24 && (f[4] || f[5]))
        raise_error(klass.ArgumentError, "%s out of range", f[4] ? "min" : "sec");
    if (f[4] > 59)
        raise_error(klass.ArgumentError, "min out of range");
    if (f[5] > 60)
        raise_error(klass.ArgumentError, "sec out of range");
    uint64_t mode = MODE_LOCAL;
    int32_t offset = 0;
    Value zone = V_NIL;
    if (p < end)
        need_zone(str_new(p, (size_t)(end - p)), &mode, &offset, &zone);
    else if (!is_nil(zone_arg))
        need_zone(zone_arg, &mode, &offset, &zone);
    Value v[6];
    for (int i = 0; i < 6; i++)
        v[i] = int_value(f[i]);
    Value t = from_parts(cls, 6, v, mode, offset, zone);
    ((Time *)t)->nsec = (int32_t)nsec;
    return t;
}

static Value time_initialize(Value self, int argc, const Value *argv)
{
    Value zone_arg = keyword_in(call_take_keywords(&argc, argv));
    if (argc == 0) {
        copy_into(self, in_zone(time_now(), zone_arg));
        return self;
    }
    if (argc == 1 && is_string(argv[0])) {
        copy_into(self, from_text(klass.Time, argv[0], zone_arg));
        return self;
    }
    if (argc == 7 && !is_nil(argv[6])) {
        if (!is_nil(zone_arg))
            raise_error(klass.ArgumentError, "timezone argument given as positional and keyword arguments");
        zone_arg = argv[6];
    }
    uint64_t mode = MODE_LOCAL;
    int32_t offset = 0;
    Value zone = V_NIL;
    if (!is_nil(zone_arg))
        need_zone(zone_arg, &mode, &offset, &zone);
    copy_into(self, from_parts(klass.Time, argc > 6 ? 6 : argc, argv, mode, offset, zone));
    return self;
}

static Value time_s_now(Value cls, int argc, const Value *argv)
{
    Value zone_arg = keyword_in(call_take_keywords(&argc, argv));
    Value now = time_now();
    Time *t = (Time *)now;
    return in_zone(time_make(cls, t->sec, t->nsec, MODE_LOCAL, 0, V_NIL), zone_arg);
}

static Value time_s_at(Value cls, int argc, const Value *argv)
{
    Value zone_arg = keyword_in(call_take_keywords(&argc, argv));
    int64_t sec, nsec;
    if (is_type(argv[0], T_TIME)) {
        Time *t = time_ptr(argv[0]);
        if (argc == 1)
            return in_zone(time_make(cls, t->sec, t->nsec, t->mode, t->offset, slot_read(argv[0], &t->zone)), zone_arg);
        sec = t->sec, nsec = t->nsec;
    } else {
        split_number(argv[0], &sec, &nsec);
    }
    if (argc > 1) {
        int64_t scale = 1000;
        if (argc > 2) {
            const char *u = is_symbol(argv[2]) ? sym_text(argv[2]) : "";
            scale = strcmp(u, "millisecond") == 0                                  ? 1000000
                    : strcmp(u, "usec") == 0 || strcmp(u, "microsecond") == 0      ? 1000
                    : strcmp(u, "nsec") == 0 || strcmp(u, "nanosecond") == 0       ? 1
                                                                                   : 0;
            if (!scale)
                raise_error(klass.ArgumentError, "unexpected unit: %T", argv[2]);
        }
        int64_t whole, frac;
        split_number(argv[1], &whole, &frac);
        int64_t per = 1000000000 / scale; /* units a second */
        sec += whole / per;
        nsec += whole % per * scale + frac * scale / 1000000000;
    }
    return in_zone(time_make(cls, sec, nsec, MODE_LOCAL, 0, V_NIL), zone_arg);
}

static Value ten_arguments(Value cls, int argc, const Value *argv, uint64_t mode)
{
    if (argc == 10) { /* as to_a gives them */
        Value a[6] = {argv[5], argv[4], argv[3], argv[2], argv[1], argv[0]};
        return from_parts(cls, 6, a, mode, 0, V_NIL);
    }
    if (argc > 8)
        raise_arity(argc, 1, 8);
    return from_parts(cls, argc > 7 ? 7 : argc, argv, mode, 0, V_NIL);
}

static Value time_s_utc(Value cls, int argc, const Value *argv)
{
    return ten_arguments(cls, argc, argv, MODE_UTC);
}

static Value time_s_local(Value cls, int argc, const Value *argv)
{
    return ten_arguments(cls, argc, argv, MODE_LOCAL);
}

static Value time_initialize_copy(Value self, int argc, const Value *argv)
{
    (void)argc;
    copy_into(self, argv[0]);
    return self;
}

/* ---- questions ---- */

#define PART(name, expr)                                              \
    static Value time_##name(Value self, int argc, const Value *argv) \
    {                                                                 \
        (void)argc, (void)argv;                                       \
        Parts p;                                                      \
        time_parts(self, &p);                                           \
        return expr;                                                  \
    }
PART(year, int_value(p.year))
PART(mon, int_fix(p.mon))
PART(day, int_fix(p.day))
PART(hour, int_fix(p.hour))
PART(min, int_fix(p.min))
PART(sec, int_fix(p.sec))
PART(wday, int_fix(p.wday))
PART(yday, int_fix(p.yday))
PART(utc_offset, int_fix(p.offset))
PART(dst_p, bool_value(p.dst))
PART(sunday_p, bool_value(p.wday == 0))
PART(monday_p, bool_value(p.wday == 1))
PART(tuesday_p, bool_value(p.wday == 2))
PART(wednesday_p, bool_value(p.wday == 3))
PART(thursday_p, bool_value(p.wday == 4))
PART(friday_p, bool_value(p.wday == 5))
PART(saturday_p, bool_value(p.wday == 6))

Value time_zone_name(Value self, const Parts *p)
{
    if (p->zone)
        return str_new_enc(p->zone, strlen(p->zone), ENC_US_ASCII);
    return slot_read(self, &time_ptr(self)->zone);
}
PART(zone, time_zone_name(self, &p))
PART(to_a, ary_new_from(10, (Value[]){int_fix(p.sec), int_fix(p.min), int_fix(p.hour), int_fix(p.day), int_fix(p.mon),
                                      int_value(p.year), int_fix(p.wday), int_fix(p.yday), bool_value(p.dst),
                                      time_zone_name(self, &p)}))

#define FIELD(name, expr)                                             \
    static Value time_##name(Value self, int argc, const Value *argv) \
    {                                                                 \
        (void)argc, (void)argv;                                       \
        Time *t = time_ptr(self);                                     \
        return expr;                                                  \
    }
FIELD(usec, int_fix(t->nsec / 1000))
FIELD(nsec, int_fix(t->nsec))
FIELD(to_i, int_value(t->sec))
FIELD(to_f, float_value((double)((long double)t->sec + (long double)t->nsec / 1e9L)))
FIELD(utc_p, bool_value(t->mode == MODE_UTC))
FIELD(hash, int_value((int64_t)((((uint64_t)t->sec * 0x9e3779b97f4a7c15ull) ^ ((uint64_t)t->nsec * 0xff51afd7ed558ccdull) ^ hash_seed) >> 2)))

static Value time_subsec(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    int32_t n = time_ptr(self)->nsec;
    return n ? vm_call1(vm_call0(int_fix(n), sym_intern("to_r")), sym_intern("/"), int_fix(1000000000)) : int_fix(0);
}

static Value time_to_r(Value self, int argc, const Value *argv)
{
    int64_t sec = time_ptr(self)->sec;
    Value r = vm_call0(int_value(sec), sym_intern("to_r"));
    return vm_call1(r, sym_intern("+"), time_subsec(self, argc, argv));
}

/* ---- arithmetic ---- */

static Value time_plus(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (is_type(argv[0], T_TIME))
        raise_error(klass.TypeError, "time + time?");
    int64_t s, n;
    split_number(argv[0], &s, &n);
    Time *t = time_ptr(self);
    int64_t sec;
    if (__builtin_add_overflow(t->sec, s, &sec))
        raise_error(klass.RangeError, "time out of range");
    return like(self, sec, t->nsec + n);
}

static Value time_minus(Value self, int argc, const Value *argv)
{
    (void)argc;
    Time *t = time_ptr(self);
    if (is_type(argv[0], T_TIME)) {
        Time *u = time_ptr(argv[0]);
        return float_value((double)((long double)(t->sec - u->sec) + (long double)(t->nsec - u->nsec) / 1e9L));
    }
    int64_t s, n;
    if (is_float(argv[0])) {
        split_number(float_value(-float_double(argv[0])), &s, &n);
    } else {
        split_number(argv[0], &s, &n);
        s = -s;
        n = -n;
    }
    t = time_ptr(self);
    return like(self, t->sec + s, t->nsec + n);
}

static Value time_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!is_type(argv[0], T_TIME)) {
        if (!is_heap(argv[0]) || is_string(argv[0]))
            return V_NIL;
        Value r = vm_call_if_responds(argv[0], sym_intern("<=>"), 1, &self);
        if (!is_fixnum(r))
            return V_NIL;
        return int_fix(-fix_int(r));
    }
    Time *a = time_ptr(self), *b = time_ptr(argv[0]);
    if (a->sec != b->sec)
        return int_fix(a->sec < b->sec ? -1 : 1);
    return int_fix(a->nsec < b->nsec ? -1 : a->nsec > b->nsec);
}

static Value time_eql(Value self, int argc, const Value *argv)
{
    return bool_value(is_type(argv[0], T_TIME) && time_cmp(self, argc, argv) == int_fix(0));
}

enum { ROUND_NEAR, ROUND_DOWN, ROUND_UP };

static Value round_to(Value self, int argc, const Value *argv, int how)
{
    int64_t digits = argc ? value_int(argv[0]) : 0;
    if (digits < 0)
        raise_error(klass.ArgumentError, "negative ndigits given");
    Time *t = time_ptr(self);
    int64_t unit = 1000000000;
    for (int64_t i = 0; i < digits && unit > 1; i++)
        unit /= 10;
    int64_t rest = t->nsec % unit, n = t->nsec - rest;
    if (rest && (how == ROUND_UP || (how == ROUND_NEAR && rest * 2 >= unit)))
        n += unit;
    return like(self, t->sec, n);
}

static Value time_round(Value self, int argc, const Value *argv)
{
    return round_to(self, argc, argv, ROUND_NEAR);
}
static Value time_floor(Value self, int argc, const Value *argv)
{
    return round_to(self, argc, argv, ROUND_DOWN);
}
static Value time_ceil(Value self, int argc, const Value *argv)
{
    return round_to(self, argc, argv, ROUND_UP);
}

/* ---- zones ---- */

static Value time_localtime(Value self, int argc, const Value *argv)
{
    uint64_t mode = MODE_LOCAL;
    int32_t offset = 0;
    Value zone = V_NIL;
    if (argc && !is_nil(argv[0]))
        need_zone(argv[0], &mode, &offset, &zone);
    Time *t = time_ptr(self);
    if (t->mode == mode && t->offset == offset)
        return self;
    obj_modify(self);
    t = (Time *)self;
    t->mode = mode;
    t->offset = offset;
    slot_write(self, &t->zone, zone);
    return self;
}

static Value time_utc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    if (time_ptr(self)->mode == MODE_UTC)
        return self;
    obj_modify(self);
    ((Time *)self)->mode = MODE_UTC;
    return self;
}

static Value time_getlocal(Value self, int argc, const Value *argv)
{
    Time *t = time_ptr(self);
    Value copy = time_make(class_real(self), t->sec, t->nsec, t->mode, t->offset, slot_read(self, &t->zone));
    return time_localtime(copy, argc, argv);
}

static Value time_getutc(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Time *t = time_ptr(self);
    return time_make(class_real(self), t->sec, t->nsec, MODE_UTC, 0, V_NIL);
}

/* ---- parts, saving ---- */

static Value time_deconstruct_keys(Value self, int argc, const Value *argv)
{
    (void)argc;
    static const char *const names[] = {"year", "month", "day", "yday", "wday", "hour", "min", "sec", "subsec", "dst", "zone"};
    Value h = hash_new();
    if (!is_nil(argv[0]) && !is_array(argv[0]))
        raise_error(klass.TypeError, "wrong argument type %C (expected Array or nil)", argv[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Value key = sym_intern(names[i]);
        if (is_nil(argv[0]) || ary_includes(argv[0], key))
            hash_set(h, key, vm_call0(self, strcmp(names[i], "dst") == 0 ? sym_intern("dst?") : key));
    }
    return h;
}

/* For Marshal: the 8 bytes, and offset and zone as the caller's ivars. */
static Value time_p_dump(Value self, int argc, const Value *argv)
{
    (void)argc, (void)argv;
    Time *t = time_ptr(self);
    Parts p;
    civil(t->sec, &p);
    if (p.year < 1900 || p.year - 1900 > 0xffff)
        raise_error(klass.ArgumentError, "year too %s to marshal: %ld UTC", p.year < 1900 ? "small" : "big", (long)p.year);
    uint32_t a = 1u << 31 | (uint32_t)(t->mode == MODE_UTC) << 30 | (uint32_t)(p.year - 1900) << 14 | (uint32_t)(p.mon - 1) << 10 |
                 (uint32_t)p.day << 5 | (uint32_t)p.hour;
    uint32_t b = (uint32_t)p.min << 26 | (uint32_t)p.sec << 20 | (uint32_t)(t->nsec / 1000);
    char bytes[8];
    for (int i = 0; i < 4; i++) {
        bytes[i] = (char)(a >> 8 * i);
        bytes[4 + i] = (char)(b >> 8 * i);
    }
    return str_new_enc(bytes, 8, ENC_BINARY);
}

/* Time.__load(bytes, offset or nil, nanoseconds below the microsecond, zone) */
static Value time_s_load(Value cls, int argc, const Value *argv)
{
    (void)argc;
    StrView s = str_view(argv[0]);
    if (s.len < 8)
        raise_error(klass.TypeError, "marshaled time format differ");
    uint32_t a = 0, b = 0;
    for (int i = 0; i < 4; i++) {
        a |= (uint32_t)(uint8_t)s.ptr[i] << 8 * i;
        b |= (uint32_t)(uint8_t)s.ptr[4 + i] << 8 * i;
    }
    if (!(a >> 31))
        return time_make(cls, a, (int64_t)b * 1000, MODE_LOCAL, 0, V_NIL);
    int64_t sec = days_from_civil((a >> 14 & 0xffff) + 1900, (int)(a >> 10 & 15) + 1, (int)(a >> 5 & 31)) * 86400 +
                  (int64_t)(a & 31) * 3600 + (b >> 26) * 60 + (b >> 20 & 63);
    int64_t nsec = (int64_t)(b & 0xfffff) * 1000 + value_int(argv[2]);
    if (a >> 30 & 1)
        return time_make(cls, sec, nsec, MODE_UTC, 0, V_NIL);
    if (is_nil(argv[1]))
        return time_make(cls, sec, nsec, MODE_LOCAL, 0, V_NIL);
    Parts p;
    parts_local(sec, &p);
    int32_t off = (int32_t)value_int(argv[1]);
    if (is_string(argv[3]) && p.offset == off && p.zone && str_view(argv[3]).len == strlen(p.zone) &&
        memcmp(str_view(argv[3]).ptr, p.zone, strlen(p.zone)) == 0)
        return time_make(cls, sec, nsec, MODE_LOCAL, 0, V_NIL);
    return time_make(cls, sec, nsec, MODE_OFFSET, off, argv[3]);
}

static const Builtin methods[] = {
    {"initialize", time_initialize, 0, 7, BI_PRIVATE | BI_KW},
    {"initialize_copy", time_initialize_copy, 1, 1, BI_PRIVATE},
    {"year", time_year, 0, 0, 0},
    {"month", time_mon, 0, 0, 0},
    {"mon", time_mon, 0, 0, 0},
    {"day", time_day, 0, 0, 0},
    {"mday", time_day, 0, 0, 0},
    {"hour", time_hour, 0, 0, 0},
    {"min", time_min, 0, 0, 0},
    {"sec", time_sec, 0, 0, 0},
    {"usec", time_usec, 0, 0, 0},
    {"tv_usec", time_usec, 0, 0, 0},
    {"nsec", time_nsec, 0, 0, 0},
    {"tv_nsec", time_nsec, 0, 0, 0},
    {"subsec", time_subsec, 0, 0, 0},
    {"wday", time_wday, 0, 0, 0},
    {"yday", time_yday, 0, 0, 0},
    {"zone", time_zone, 0, 0, 0},
    {"utc_offset", time_utc_offset, 0, 0, 0},
    {"gmt_offset", time_utc_offset, 0, 0, 0},
    {"gmtoff", time_utc_offset, 0, 0, 0},
    {"utc?", time_utc_p, 0, 0, 0},
    {"gmt?", time_utc_p, 0, 0, 0},
    {"dst?", time_dst_p, 0, 0, 0},
    {"isdst", time_dst_p, 0, 0, 0},
    {"sunday?", time_sunday_p, 0, 0, 0},
    {"monday?", time_monday_p, 0, 0, 0},
    {"tuesday?", time_tuesday_p, 0, 0, 0},
    {"wednesday?", time_wednesday_p, 0, 0, 0},
    {"thursday?", time_thursday_p, 0, 0, 0},
    {"friday?", time_friday_p, 0, 0, 0},
    {"saturday?", time_saturday_p, 0, 0, 0},
    {"to_i", time_to_i, 0, 0, 0},
    {"tv_sec", time_to_i, 0, 0, 0},
    {"to_f", time_to_f, 0, 0, 0},
    {"to_r", time_to_r, 0, 0, 0},
    {"to_a", time_to_a, 0, 0, 0},
    {"+", time_plus, 1, 1, 0},
    {"-", time_minus, 1, 1, 0},
    {"<=>", time_cmp, 1, 1, 0},
    {"eql?", time_eql, 1, 1, 0},
    {"hash", time_hash, 0, 0, 0},
    {"round", time_round, 0, 1, 0},
    {"floor", time_floor, 0, 1, 0},
    {"ceil", time_ceil, 0, 1, 0},
    {"localtime", time_localtime, 0, 1, 0},
    {"getlocal", time_getlocal, 0, 1, 0},
    {"utc", time_utc, 0, 0, 0},
    {"gmtime", time_utc, 0, 0, 0},
    {"getutc", time_getutc, 0, 0, 0},
    {"getgm", time_getutc, 0, 0, 0},
    {"strftime", time_strftime, 1, 1, 0},
    {"to_s", time_to_s, 0, 0, 0},
    {"inspect", time_inspect, 0, 0, 0},
    {"ctime", time_ctime, 0, 0, 0},
    {"asctime", time_ctime, 0, 0, 0},
    {"xmlschema", time_xmlschema, 0, 1, 0},
    {"iso8601", time_xmlschema, 0, 1, 0},
    {"deconstruct_keys", time_deconstruct_keys, 1, 1, 0},
    {"__dump", time_p_dump, 0, 0, BI_HIDDEN},
};
static const Builtin singleton_methods[] = {
    {"now", time_s_now, 0, 0, BI_KW},
    {"at", time_s_at, 1, 3, BI_KW},
    {"utc", time_s_utc, 1, 10, 0},
    {"gm", time_s_utc, 1, 10, 0},
    {"local", time_s_local, 1, 10, 0},
    {"mktime", time_s_local, 1, 10, 0},
    {"__load", time_s_load, 4, 4, BI_HIDDEN},
};

void time_boot(void)
{
    heap_register_type(T_TIME, &time_row);
    class_set_instance_type(klass.Time, T_TIME);
    class_set_allocator(klass.Time, time_allocate);
    module_include(klass.Time, klass.Comparable);
    ADD_BUILTINS(klass.Time, methods);
    ADD_SINGLETON_BUILTINS(klass.Time, singleton_methods);
}
