/* path.c -- names of files: joining, splitting, expanding, matching; no file is touched but by realpath
 *
 * Everything works on bytes; a path keeps the encoding of the String it came from (UTF-8 by default).
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "path.h"
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static Value path_text(Value v)
{
    if (!is_string(v)) {
        Value p = is_heap(v) ? vm_call_if_responds(v, SYM(to_path), 0, NULL) : V_UNDEF;
        v = str_to_str(is_undef(p) ? v : p);
    }
    return v;
}

Value path_value(Value v)
{
    v = path_text(v);
    StrView s = str_view(v);
    if (memchr(s.ptr, 0, s.len))
        raise_error(klass.ArgumentError, "path name contains null byte");
    return v;
}

const char *path_c(Value v)
{
    return str_c(v);
}

static Value home_of(const char *user, size_t len)
{
    if (len == 0) {
        const char *h = getenv("HOME");
        if (h) {
            if (h[0] != '/')
                raise_error(klass.ArgumentError, "non-absolute home");
            return str_new_c(h);
        }
        struct passwd *pw = getpwuid(getuid());
        if (!pw)
            raise_error(klass.ArgumentError, "couldn't find HOME environment -- expanding '~'");
        return str_new_c(pw->pw_dir);
    }
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)len, user);
    struct passwd *pw = getpwnam(name);
    if (!pw)
        raise_error(klass.ArgumentError, "user %s doesn't exist", name);
    return str_new_c(pw->pw_dir);
}

Value path_home(Value user)
{
    if (is_nil(user))
        return home_of("", 0);
    StrView s = str_view(str_to_str(user));
    return home_of(s.ptr, s.len);
}

Value path_cwd(void)
{
    char *p = getcwd(NULL, 0);
    if (!p)
        raise_errno(errno, NULL);
    Value v = str_new_c(p);
    free(p);
    return v;
}

/* Appends the steps of `p` to the absolute path in `out`, resolving "." and "..". */
static void walk(Value out, const char *p, size_t n)
{
    const char *end = p + n;
    while (p < end) {
        while (p < end && *p == '/')
            p++;
        const char *start = p;
        while (p < end && *p != '/')
            p++;
        size_t len = (size_t)(p - start);
        if (len == 0 || (len == 1 && start[0] == '.'))
            continue;
        StrView o = str_view(out);
        if (len == 2 && start[0] == '.' && start[1] == '.') {
            size_t at = o.len;
            while (at > 0 && o.ptr[at - 1] != '/')
                at--;
            at = at > 1 ? at - 1 : 1;
            Value cut = str_new(o.ptr, at < o.len ? at : o.len);
            vm_call1(out, sym_intern("replace"), cut);
            continue;
        }
        if (o.len > 1)
            str_append(out, "/", 1);
        str_append(out, start, len);
    }
}

Value path_expand(Value path, Value dir, bool tilde)
{
    path = path_value(path);
    StrView s = str_view(path);
    Value out = str_new("/", 1);
    if (tilde && s.len && s.ptr[0] == '~') {
        size_t n = 1;
        while (n < s.len && s.ptr[n] != '/')
            n++;
        Value home = home_of(s.ptr + 1, n - 1);
        StrView h = str_view(home);
        walk(out, h.ptr, h.len);
        s = str_view(path);
        walk(out, s.ptr + n, s.len - n);
        return out;
    }
    if (s.len == 0 || s.ptr[0] != '/') {
        Value base = is_nil(dir) ? path_cwd() : path_expand(dir, V_NIL, tilde);
        StrView b = str_view(base);
        walk(out, b.ptr, b.len);
        s = str_view(path);
    }
    walk(out, s.ptr, s.len);
    return out;
}

static Value file_s_expand_path(Value self, int argc, const Value *argv)
{
    (void)self;
    return path_expand(argv[0], argc > 1 ? argv[1] : V_NIL, true);
}

static Value file_s_absolute_path(Value self, int argc, const Value *argv)
{
    (void)self;
    return path_expand(argv[0], argc > 1 ? argv[1] : V_NIL, false);
}

static Value file_s_absolute_path_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    StrView s = str_view(path_value(argv[0]));
    return bool_value(s.len && s.ptr[0] == '/');
}

/* Last part of a path: [*start, *end); trailing slashes do not count. */
static void last_part(StrView s, size_t *start, size_t *end)
{
    size_t e = s.len;
    while (e > 1 && s.ptr[e - 1] == '/')
        e--;
    size_t b = e;
    while (b > 0 && s.ptr[b - 1] != '/')
        b--;
    if (b == e && e > 0) /* "/" */
        b = e - 1;
    *start = b;
    *end = e;
}

/* Where the extension starts in a base name, or len. */
static size_t extension_at(const char *p, size_t len)
{
    size_t lead = 0;
    while (lead < len && p[lead] == '.')
        lead++;
    for (size_t i = len; i > lead; i--)
        if (p[i - 1] == '.')
            return i - 1 >= lead && i - 1 > 0 ? i - 1 : len;
    return len;
}

static Value file_s_basename(Value self, int argc, const Value *argv)
{
    (void)self;
    Value path = path_value(argv[0]);
    StrView s = str_view(path);
    if (s.len == 0)
        return str_new("", 0);
    size_t b, e;
    last_part(s, &b, &e);
    size_t n = e - b;
    if (argc > 1) {
        Value suffix = str_to_str(argv[1]);
        StrView x = str_view(suffix);
        s = str_view(path);
        if (x.len == 2 && memcmp(x.ptr, ".*", 2) == 0) {
            n = extension_at(s.ptr + b, n);
        } else if (x.len && x.len < n && memcmp(s.ptr + e - x.len, x.ptr, x.len) == 0) {
            n -= x.len;
        }
    }
    return str_new_enc(s.ptr + b, n, s.enc);
}

Value path_dirname(Value path, int64_t levels)
{
    StrView s = str_view(path);
    size_t end = s.len;
    if (levels == 0)
        return str_dup(path);
    while (levels-- > 0) {
        while (end > 1 && s.ptr[end - 1] == '/')
            end--;
        if (end == 1 && s.ptr[0] == '/')
            return str_new("/", 1);
        while (end > 0 && s.ptr[end - 1] != '/')
            end--;
        if (end == 0)
            return str_new(".", 1);
        while (end > 1 && s.ptr[end - 1] == '/')
            end--;
    }
    size_t start = 0;
    while (start + 1 < end && s.ptr[start] == '/' && s.ptr[start + 1] == '/')
        start++;
    return str_new_enc(s.ptr + start, end - start, s.enc);
}

static Value file_s_dirname(Value self, int argc, const Value *argv)
{
    (void)self;
    int64_t n = argc > 1 ? value_int(argv[1]) : 1;
    if (n < 0)
        raise_error(klass.ArgumentError, "negative level: %ld", (long)n);
    return path_dirname(path_value(argv[0]), n);
}

static Value file_s_extname(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value path = path_value(argv[0]);
    StrView s = str_view(path);
    size_t b, e;
    if (s.len == 0)
        return str_new("", 0);
    last_part(s, &b, &e);
    size_t at = extension_at(s.ptr + b, e - b);
    return str_new_enc(s.ptr + b + at, e - b - at, s.enc);
}

static Value file_s_split(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value path = path_value(argv[0]);
    Value base = file_s_basename(self, 1, &path);
    return ary_new_from(2, (Value[]){path_dirname(path, 1), base});
}

typedef struct Join {
    Value list;
    Value out;
    bool first;
} Join;

static void join_one(Join *j, Value v);

static Value join_list(void *arg)
{
    Join *j = arg;
    Value list = j->list;
    for (size_t i = 0; i < ary_len(list); i++)
        join_one(j, ary_get(list, (long)i));
    return V_NIL;
}

static void join_one(Join *j, Value v)
{
    if (is_array(v)) {
        Value outer = j->list;
        j->list = v;
        if (is_undef(vm_guard_recursion(sym_intern("join"), v, V_NIL, join_list, j)))
            raise_error(klass.ArgumentError, "recursive array");
        j->list = outer;
        return;
    }
    v = path_text(v);
    if (memchr(str_view(v).ptr, 0, str_view(v).len))
        raise_error(klass.ArgumentError, "string contains null byte");
    if (j->first) {
        str_append_str(j->out, v);
        j->first = false;
        return;
    }
    StrView o = str_view(j->out), s = str_view(v);
    size_t skip = 0;
    bool ends = o.len && o.ptr[o.len - 1] == '/', begins = s.len && s.ptr[0] == '/';
    if (ends && begins) {
        size_t n = o.len;
        while (n > 0 && o.ptr[n - 1] == '/')
            n--;
        vm_call1(j->out, sym_intern("replace"), str_new_enc(o.ptr, n, o.enc));
        s = str_view(v);
    } else if (!ends && !begins) {
        str_append(j->out, "/", 1);
        s = str_view(v);
    }
    (void)skip;
    str_append_str(j->out, v);
}

static Value file_s_join(Value self, int argc, const Value *argv)
{
    (void)self;
    Join j = {V_NIL, str_new("", 0), true};
    for (int i = 0; i < argc; i++)
        join_one(&j, argv[i]);
    return j.out;
}

static Value file_s_path(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return str_dup(path_value(argv[0]));
}

static Value file_s_realpath(Value self, int argc, const Value *argv)
{
    (void)self;
    Value path = path_expand(argv[0], argc > 1 ? argv[1] : V_NIL, false);
    Value given = path_value(argv[0]);
    if (argc > 1 || (str_view(given).len && str_view(given).ptr[0] == '/'))
        given = path;
    char *p = realpath(path_c(argc > 1 ? path : path_value(argv[0])), NULL);
    if (!p)
        raise_errno(errno, "@ rb_check_realpath_internal - %T", given);
    Value v = str_new_c(p);
    free(p);
    return v;
}

static Value file_s_realdirpath(Value self, int argc, const Value *argv)
{
    (void)self;
    Value path = path_expand(argv[0], argc > 1 ? argv[1] : V_NIL, false);
    char *p = realpath(path_c(path), NULL);
    if (p) {
        Value v = str_new_c(p);
        free(p);
        return v;
    }
    Value dir = path_dirname(path, 1);
    p = realpath(path_c(dir), NULL);
    if (!p)
        raise_errno(errno, "@ rb_check_realpath_internal - %T", path);
    Value v = str_new_c(p);
    free(p);
    if (str_view(v).len > 1)
        str_append(v, "/", 1);
    str_append_str(v, file_s_basename(self, 1, &path));
    return v;
}

/* ---- fnmatch ---- */

static size_t char_len(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return p + n > end ? 1 : n;
}

static int fold(int c, int flags)
{
    return (flags & PATH_CASEFOLD) && c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static unsigned code_at(const char *p, size_t n)
{
    unsigned c = (unsigned char)p[0];
    if (n > 1)
        c &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

/* [...] at p (after the bracket); gives the place after it, NULL when there is no end or no match (*hit tells) */
static const char *bracket(const char *p, const char *pend, const char *s, const char *send, int flags, bool *hit)
{
    bool negate = false, ok = false;
    size_t n = char_len(s, send);
    unsigned c = code_at(s, n);
    if (flags & PATH_CASEFOLD && c < 128)
        c = (unsigned)fold((int)c, flags);
    if (p < pend && (*p == '!' || *p == '^')) {
        negate = true;
        p++;
    }
    bool first = true;
    while (p < pend && (*p != ']' || first)) {
        first = false;
        if (*p == '\\' && !(flags & PATH_NOESCAPE) && p + 1 < pend)
            p++;
        size_t a = char_len(p, pend);
        unsigned lo = code_at(p, a), hi = lo;
        p += a;
        if (p + 1 < pend && *p == '-' && p[1] != ']') {
            p++;
            if (*p == '\\' && !(flags & PATH_NOESCAPE) && p + 1 < pend)
                p++;
            size_t b = char_len(p, pend);
            hi = code_at(p, b);
            p += b;
        }
        if ((c >= lo && c <= hi) ||
            ((flags & PATH_CASEFOLD) && c < 128 && ((unsigned)fold((int)lo, flags) <= c && c <= (unsigned)fold((int)hi, flags))))
            ok = true;
    }
    if (p >= pend)
        return NULL;
    *hit = ok != negate;
    return p + 1;
}

/* One segment or, without PATH_PATHNAME, all of it. */
static bool match_here(const char *p, const char *pend, const char *s, const char *send, int flags)
{
    const char *begin = s;
    const char *star_p = NULL, *star_s = NULL;
    bool pathname = flags & PATH_PATHNAME;
    if (s < send && *s == '.' && !(flags & PATH_DOTMATCH)) {
        const char *q = p;
        if (q < pend && *q == '\\' && !(flags & PATH_NOESCAPE))
            q++;
        if (q >= pend || *q != '.')
            return false;
    }
    for (;;) {
        if (p < pend && *p == '*') {
            while (p < pend && *p == '*')
                p++;
            star_p = p;
            star_s = s;
            continue;
        }
        if (s == send) {
            if (p == pend)
                return true;
            goto back;
        }
        if (p == pend)
            goto back;
        if (pathname && *s == '/') {
            if (*p == '/') {
                p++, s++;
                continue;
            }
            goto back;
        }
        if (*p == '?') {
            p++;
            s += char_len(s, send);
            continue;
        }
        if (*p == '[') {
            bool hit = false;
            const char *after = bracket(p + 1, pend, s, send, flags, &hit);
            if (after && hit) {
                p = after;
                s += char_len(s, send);
                continue;
            }
            goto back;
        }
        const char *q = p;
        if (*q == '\\' && !(flags & PATH_NOESCAPE) && q + 1 < pend)
            q++;
        if (fold((unsigned char)*q, flags) == fold((unsigned char)*s, flags)) {
            p = q + 1;
            s++;
            continue;
        }
    back:
        if (!star_p || star_s >= send || (pathname && *star_s == '/'))
            return false;
        (void)begin;
        star_s += char_len(star_s, send);
        p = star_p;
        s = star_s;
    }
}

static const char *segment_end(const char *p, const char *end)
{
    while (p < end && *p != '/')
        p++;
    return p;
}

static bool match_path(const char *p, const char *pend, const char *s, const char *send, int flags)
{
    for (;;) {
        if (pend - p >= 3 && memcmp(p, "**/", 3) == 0) {
            while (pend - p >= 3 && memcmp(p, "**/", 3) == 0)
                p += 3;
            for (;;) {
                if (match_path(p, pend, s, send, flags))
                    return true;
                if (s < send && *s == '.' && !(flags & PATH_DOTMATCH))
                    return false;
                s = segment_end(s, send);
                if (s == send)
                    return false;
                s++;
            }
        }
        const char *pe = segment_end(p, pend), *se = segment_end(s, send);
        if (!match_here(p, pe, s, se, flags))
            return false;
        if (pe == pend || se == send)
            return pe == pend && se == send;
        p = pe + 1;
        s = se + 1;
    }
}

bool path_match(const char *p, size_t pn, const char *s, size_t sn, int flags)
{
    if (flags & PATH_PATHNAME)
        return match_path(p, p + pn, s, s + sn, flags);
    return match_here(p, p + pn, s, s + sn, flags);
}

bool path_expand_braces(const char *p, size_t n, int flags, void (*fn)(const char *, size_t, void *), void *arg)
{
    size_t open = n, close = n;
    int depth = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\' && !(flags & PATH_NOESCAPE)) {
            i++;
            continue;
        }
        if (p[i] == '{' && depth++ == 0)
            open = i;
        if (p[i] == '}' && depth > 0 && --depth == 0) {
            close = i;
            break;
        }
    }
    if (open == n || close == n) {
        fn(p, n, arg);
        return true;
    }
    size_t at = open + 1;
    bool expanded = true;
    while (at <= close && expanded) {
        size_t e = at;
        depth = 0;
        while (e < close && !(p[e] == ',' && depth == 0)) {
            if (p[e] == '\\' && !(flags & PATH_NOESCAPE) && e + 1 < close)
                e++;
            else if (p[e] == '{')
                depth++;
            else if (p[e] == '}')
                depth--;
            e++;
        }
        size_t len = open + (e - at) + (n - close - 1);
        char *text = malloc(len + 1);
        if (!text)
            return false;
        memcpy(text, p, open);
        memcpy(text + open, p + at, e - at);
        memcpy(text + open + (e - at), p + close + 1, n - close - 1);
        expanded = path_expand_braces(text, len, flags, fn, arg);
        free(text);
        at = e + 1;
    }
    return expanded;
}

typedef struct FnMatch {
    const char *s;
    size_t n;
    int flags;
    bool hit;
} FnMatch;

static void fnmatch_one(const char *p, size_t n, void *arg)
{
    FnMatch *m = arg;
    m->hit = m->hit || path_match(p, n, m->s, m->n, m->flags);
}

static Value file_s_fnmatch(Value self, int argc, const Value *argv)
{
    (void)self;
    Value pattern = str_to_str(argv[0]), path = path_value(argv[1]);
    int flags = argc > 2 ? (int)value_int(argv[2]) : 0;
    StrView p = str_view(pattern), s = str_view(path);
    FnMatch m = {s.ptr, s.len, flags, false};
    if (!(flags & PATH_EXTGLOB))
        fnmatch_one(p.ptr, p.len, &m);
    else if (!path_expand_braces(p.ptr, p.len, flags, fnmatch_one, &m))
        raise_no_memory();
    return bool_value(m.hit);
}

static const Builtin singleton_methods[] = {
    {"expand_path", file_s_expand_path, 1, 2, 0},
    {"absolute_path", file_s_absolute_path, 1, 2, 0},
    {"absolute_path?", file_s_absolute_path_p, 1, 1, 0},
    {"basename", file_s_basename, 1, 2, 0},
    {"dirname", file_s_dirname, 1, 2, 0},
    {"extname", file_s_extname, 1, 1, 0},
    {"split", file_s_split, 1, 1, 0},
    {"join", file_s_join, 0, -1, 0},
    {"path", file_s_path, 1, 1, 0},
    {"realpath", file_s_realpath, 1, 2, 0},
    {"realdirpath", file_s_realdirpath, 1, 2, 0},
    {"fnmatch", file_s_fnmatch, 2, 3, 0},
    {"fnmatch?", file_s_fnmatch, 2, 3, 0},
};

void path_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.File, singleton_methods);
    const_set(klass.File, sym_intern("SEPARATOR"), str_new_frozen("/", 1, ENC_UTF_8));
    const_set(klass.File, sym_intern("Separator"), str_new_frozen("/", 1, ENC_UTF_8));
    const_set(klass.File, sym_intern("PATH_SEPARATOR"), str_new_frozen(":", 1, ENC_UTF_8));
    const_set(klass.File, sym_intern("ALT_SEPARATOR"), V_NIL);
}
