/* regexp.c -- class Regexp over Oniguruma
 *
 * A Regexp compiles once for its own encoding (UTF-8 when it has only ASCII and is not fixed) and, when a String of
 * another encoding comes, once more for that (`alt`).  Programs are private to the process: after a restore from the
 * store they are made anew at the first match.  The groups of a match are gathered in one region of the session.
 */
#include "vm/core/core_private.h"
#include "vm/core/number.h"
#include "vm/core/regex.h"
#include "lib/hashtab.h"
#include "vm/record.h"
#include <limits.h>
#include <stdio.h>
#include <time.h>

static Value timeout_error;
static double default_timeout; /* seconds; 0: none */
static OnigSyntaxType ruby_syntax;

static void regexp_visit(Object *o, Visitor *v)
{
    v->slot(v, &((Regexp *)o)->source);
}
static void program_drop(RegexpProgram *p)
{
    if (p->onig)
        onig_free(p->onig);
    regex_free(p->linear);
    *p = (RegexpProgram){0};
}
static void regexp_drop(Regexp *re)
{
    program_drop(&re->own);
    program_drop(&re->alt);
}
static void regexp_free(Object *o)
{
    regexp_drop((Regexp *)o);
}
/* Record: source, the encoding as a symbol; options, timeout. */
static void regexp_persist(Object *o, RecordBuilder *b)
{
    Regexp *re = (Regexp *)o;
    uint64_t bits;
    memcpy(&bits, &re->timeout, 8);
    record_put_slot(b, re->source);
    record_put_encoding(b, re->enc);
    record_put_u64(b, (uint64_t)(uint32_t)re->options);
    record_put_u64(b, bits);
}
static void regexp_restore(Object *o, RecordReader *r)
{
    Regexp *re = (Regexp *)o;
    re->source = record_take_slot(r);
    int enc = record_take_encoding(r);
    re->enc = (int16_t)(enc < 0 ? ENC_BINARY : enc);
    re->options = (int32_t)record_take_u64(r);
    uint64_t bits = record_take_u64(r);
    memcpy(&re->timeout, &bits, 8);
    if (!(re->timeout >= 0) || re->options & ~63)
        record_corrupt(r, "has no options of a Regexp");
    re->own = re->alt = (RegexpProgram){0};
}
static void regexp_hollow(Object *o)
{
    regexp_drop((Regexp *)o);
    ((Regexp *)o)->source.raw = V_FALSE;
}
static const TypeRow regexp_type = {.name = "Regexp", .logged = true, .visit = regexp_visit, .free = regexp_free, .hollow = regexp_hollow,
                                    .persist = regexp_persist, .restore = regexp_restore, .size = sizeof(Regexp)};

Value regexp_source(Value re)
{
    obj_attend(re);
    return slot_read(re, &((Regexp *)re)->source);
}
static Regexp *regexp_ptr(Value v)
{
    obj_attend(v);
    Regexp *re = (Regexp *)v;
    if (slot_read(v, &re->source) == V_FALSE)
        raise_error(klass.TypeError, "uninitialized Regexp");
    return re;
}

static _Noreturn void raise_regexp(Value source, const char *error)
{
    raise_error(klass.RegexpError, "%s: /%T/", error, source);
}
static regex_t *compile(Value pattern, int options, int enc, Value source)
{
    OnigOptionType opts = 0;
    if (options & RE_IGNORECASE)
        opts |= ONIG_OPTION_IGNORECASE;
    if (options & RE_EXTENDED)
        opts |= ONIG_OPTION_EXTEND;
    if (options & RE_MULTILINE)
        opts |= ONIG_OPTION_MULTILINE;
    if (enc == ENC_US_ASCII)
        enc = ENC_UTF_8;
    regex_t *prog;
    OnigErrorInfo info;
    StrView s = str_view(pattern);
    int r = onig_new(&prog, (const OnigUChar *)s.ptr, (const OnigUChar *)s.ptr + s.len, opts, enc_onig(enc), &ruby_syntax, &info);
    KEEP(pattern);
    if (r != ONIG_NORMAL) {
        OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
        if (onig_is_error_code_needs_param(r))
            onig_error_code_to_str(text, r, &info);
        else
            onig_error_code_to_str(text, r);
        raise_regexp(source, (const char *)text);
    }
    return prog;
}
static regex_t *compile_source(Value source, int options, int enc)
{
    int own;
    bool fixed;
    const char *error;
    Value pattern = regexp_translate(source, options, &own, &fixed, &error);
    if (is_nil(pattern))
        raise_regexp(source, error);
    return compile(pattern, options, enc, source);
}

static Value regexp_allocate(Value cls)
{
    return heap_alloc(T_REGEXP, cls, sizeof(Regexp)); /* source reads as false */
}
static void regexp_setup(Value re, Value source, int options, bool literal)
{
    int enc;
    bool fixed;
    const char *error;
    if (!enc_ascii_compat(str_encoding(source)))
        raise_error(klass.ArgumentError, "can't make regexp from a string of encoding %s", encoding_name(str_encoding(source)));
    if ((options & RE_NOENCODING) && str_coderange(source) != CR_7BIT && str_encoding(source) != ENC_BINARY) {
        source = str_dup(source);
        str_set_encoding(source, ENC_BINARY);
        str_set_coderange(source, CR_UNKNOWN);
    }
    Value text = source;
    if (options & RE_NOENCODING) { /* \xHH are bytes */
        text = str_dup(source);
        str_set_encoding(text, ENC_BINARY);
        str_set_coderange(text, CR_UNKNOWN);
    }
    Value pattern = regexp_translate(text, options, &enc, &fixed, &error);
    if (is_nil(pattern))
        raise_regexp(source, error);
    if (options & RE_FIXED) {
        if (enc == ENC_US_ASCII)
            enc = literal && str_encoding(source) == ENC_US_ASCII ? ENC_UTF_8 : str_encoding(source);
        fixed = true;
    }
    regex_t *prog = compile(pattern, options, enc, source);
    Value keep = str_frozen_copy(source);
    if (str_encoding(keep) != enc && str_coderange(keep) == CR_7BIT) {
        keep = str_dup(source);
        str_set_encoding(keep, enc);
        str_ptr(keep)->head |= OH_FROZEN;
    }
    Regexp *r = (Regexp *)re;
    regexp_drop(r);
    r->own.onig = prog;
    r->enc = (int16_t)enc;
    r->options = (options & (RE_IGNORECASE | RE_EXTENDED | RE_MULTILINE | RE_NOENCODING)) | (fixed ? RE_FIXED : 0);
    if (options & RE_NOENCODING && enc == ENC_US_ASCII)
        r->options &= ~RE_FIXED;
    slot_init(&r->source, keep);
}
Value regexp_new_str(Value str, int options)
{
    Value re = regexp_allocate(klass.Regexp);
    regexp_setup(re, str, options, true);
    obj_ptr(re)->head |= OH_FROZEN;
    return re;
}
Value regexp_new(const char *src, size_t len, int options, int enc)
{
    return regexp_new_str(str_new_enc(src, len, enc), options);
}
Value value_to_pattern(Value v, bool quote)
{
    if (is_regexp(v))
        return v;
    Value s = is_string(v) ? v : obj_try_convert(v, T_STRING, "String", SYM(to_str));
    if (is_nil(s))
        raise_error(klass.TypeError, is_nil(v) || v == V_TRUE || v == V_FALSE ? "wrong argument type %V (expected Regexp)" : "wrong argument type %C (expected Regexp)", v);
    return quote ? s : regexp_new_str(s, 0);
}

/* ---- matching ---- */

static int program_encoding(int enc) /* ASCII alone is matched as UTF-8 */
{
    return enc == ENC_US_ASCII ? ENC_UTF_8 : enc;
}
static regex_t *program_onig(Value v, RegexpProgram *p)
{
    if (!p->onig) {
        int16_t enc = p->enc;
        regex_t *prog = compile_source(regexp_source(v), ((Regexp *)v)->options, enc);
        program_drop(p); /* v may have been hollow in between */
        p->onig = prog;
        p->enc = enc;
    }
    return p->onig;
}
/* The program that fits str. */
static RegexpProgram *program_for(Value v, Value str)
{
    Regexp *re = regexp_ptr(v);
    int enc = str_encoding(str);
    if (enc_ascii_compat(enc) && str_is_broken(str))
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(enc));
    bool fixed = re->options & RE_FIXED;
    bool mismatch = fixed ? re->enc != enc && (str_coderange(str) != CR_7BIT || !enc_ascii_compat(enc)) : !enc_ascii_compat(enc);
    if (mismatch)
        raise_error(enc_compatibility_error, "incompatible encoding regexp match (%s regexp with %s string)", enc_display_name(re->enc),
                    enc_display_name(enc));
    if (fixed || enc == ENC_US_ASCII || str_coderange(str) == CR_7BIT)
        enc = re->enc;
    enc = program_encoding(enc);
    int own = program_encoding(re->enc);
    RegexpProgram *p = &re->own;
    if (enc_onig(enc) == enc_onig(own)) {
        p->enc = (int16_t)own;
    } else {
        p = &re->alt;
        if (p->enc != enc)
            program_drop(p);
        p->enc = (int16_t)enc;
    }
    if (!p->tried) {
        Value source = regexp_source(v);
        StrView s = str_view(source);
        p->linear = regex_compile(s.ptr, s.len, s.enc, p->enc, re->options);
        p->tried = true;
        KEEP(source);
    }
    return p;
}

/* ---- searching within limits ----
 *
 * A search runs for a number of steps that takes some ten milliseconds, then interrupts and the deadline are tested and it
 * starts again with twice as many: a search is pure, so what it did is merely lost, half of all at most.
 */
enum { SEARCH_FORWARD, SEARCH_HERE };
enum { LINEAR_STEPS = 1 << 20, ONIG_STEPS = 1 << 18 }; /* for the first ten milliseconds */

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
static int onig_run(regex_t *prog, StrView s, size_t from, int how, uint64_t steps, OnigRegion *region)
{
    static OnigMatchParam *param;
    const OnigUChar *p = (const OnigUChar *)s.ptr, *end = p + s.len;
    if (!param)
        param = onig_new_match_param();
    if (!param)
        return ONIGERR_MEMORY;
    onig_initialize_match_param(param);
    onig_set_retry_limit_in_match_of_match_param(param, steps);
    onig_set_retry_limit_in_search_of_match_param(param, steps);
    return how == SEARCH_HERE ? onig_match_with_param(prog, p, end, p + from, region, ONIG_OPTION_NONE, param)
                              : onig_search_with_param(prog, p, end, p + from, end, region, ONIG_OPTION_NONE, param);
}
/* Position of the match that begins at `from` (SEARCH_HERE) or at or behind it; -1: none.  \G is `origin`. */
static int64_t search(Value v, Value str, size_t from, size_t origin, int how, OnigRegion *region)
{
    double seconds = 0, start = 0;
    for (unsigned doubled = 0;; doubled++) {
        RegexpProgram *p = program_for(v, str);
        bool linear = p->linear && (!p->linear->ascii_only || str_coderange(str) == CR_7BIT);
        regex_t *prog = linear ? NULL : program_onig(v, p);
        StrView s = str_view(str);
        int64_t r;
        if (from > s.len)
            return -1;
        if (!doubled) {
            seconds = ((Regexp *)v)->timeout > 0 ? ((Regexp *)v)->timeout : default_timeout;
            start = seconds > 0 ? clock_seconds() : 0;
        }
        uint64_t steps = (uint64_t)(linear ? LINEAR_STEPS : ONIG_STEPS) << MIN(doubled, 40u);
        if (seconds > 0) { /* no more than fit before the deadline, by the speed of this machine's slowest */
            double left = seconds - (clock_seconds() - start), most = left * (linear ? 1e8 : 2e7);
            if (doubled && left <= 0)
                raise_error(timeout_error, "regexp match timeout");
            steps = most < (double)steps ? (uint64_t)MAX(most, 1000) : steps;
        }
        if (linear)
            r = regex_search(p->linear, s.ptr, s.len, from, origin, how == SEARCH_HERE, steps, region);
        else
            r = onig_run(prog, s, from, how, steps, region);
        KEEP(str);
        KEEP(v);
        if (r >= 0)
            return how == SEARCH_HERE ? (int64_t)from : r;
        if (r == (linear ? REGEX_MISMATCH : ONIG_MISMATCH))
            return -1;
        if (linear ? r == REGEX_NO_MEMORY : r == ONIGERR_MEMORY)
            raise_no_memory();
        if (!linear && r != ONIGERR_RETRY_LIMIT_IN_MATCH_OVER && r != ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER) {
            OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
            onig_error_code_to_str(text, (int)r);
            raise_regexp(regexp_source(v), (const char *)text);
        }
        vm_check_interrupts();
    }
}
int64_t regexp_search_raw(Value v, Value str, size_t from, bool reverse, OnigRegion *region)
{
    if (!reverse)
        return search(v, str, from, from, SEARCH_FORWARD, region);
    for (size_t origin = from;;) { /* Oniguruma's own backward search begins too far to the left */
        if (search(v, str, from, origin, SEARCH_HERE, region) >= 0)
            return (int64_t)from;
        if (from == 0)
            return -1;
        StrView s = str_view(str);
        from = (size_t)(enc_left(s.enc, s.ptr, s.ptr + MIN(from, s.len) - 1, s.ptr + s.len) - s.ptr);
    }
}
bool regexp_match_start(Value re, Value str, OnigRegion *region)
{
    return search(re, str, 0, 0, SEARCH_HERE, region) >= 0;
}
Value regexp_search(Value re, Value str, size_t from, bool reverse)
{
    static OnigRegion region; /* no match runs inside another */
    int64_t at = regexp_search_raw(re, str, from, reverse, &region);
    Value m = at < 0 ? V_NIL : match_new(re, str, &region);
    frame_set_last_match(m);
    return m;
}
bool regexp_search_p(Value re, Value str, size_t from)
{
    return regexp_search_raw(re, str, from, false, NULL) >= 0;
}
static int64_t start_byte(Value str, int64_t start) /* -1: outside */
{
    if (start == 0)
        return 0;
    int64_t len = (int64_t)str_char_count(str);
    if (start < 0)
        start += len;
    return start < 0 || start > len ? -1 : (int64_t)str_char_to_byte(str, (size_t)start);
}
Value regexp_match(Value re, Value str, long start_char)
{
    int64_t from = start_byte(str, start_char);
    if (from < 0) {
        frame_set_last_match(V_NIL);
        return V_NIL;
    }
    return regexp_search(re, str, (size_t)from, false);
}

/* ---- text ---- */

Value regexp_quote(Value str)
{
    StrView s = str_view(str);
    Value out = str_buf_new(s.len * 2, str_coderange(str) == CR_7BIT ? ENC_US_ASCII : s.enc);
    s = str_view(str);
    for (size_t at = 0; at < s.len;) {
        int n = enc_char_len(s.enc, s.ptr + at, s.ptr + s.len);
        char c = s.ptr[at];
        const char *named = n == 1 ? strchr("\n\t\f\v\r", c) : NULL;
        if (n == 1 && c && named) {
            str_buf_putc(out, '\\');
            str_buf_putc(out, "ntfvr"[named - "\n\t\f\v\r"]);
        } else if (n == 1 && c && strchr("[]{}()|-*.\\?+^$# ", c)) {
            str_buf_putc(out, '\\');
            str_buf_putc(out, c);
        } else {
            str_buf_cat(out, s.ptr + at, (size_t)n);
        }
        at += (size_t)n;
    }
    KEEP(str);
    return out;
}
static void put_source(Value out, Value source) /* slashes escaped, unprintables as \xHH */
{
    StrView s = str_view(source);
    for (size_t at = 0; at < s.len;) {
        int n = enc_char_len(s.enc, s.ptr + at, s.ptr + s.len);
        char c = s.ptr[at];
        if (c == '\\' && at + (size_t)n < s.len) {
            int k = enc_char_len(s.enc, s.ptr + at + 1, s.ptr + s.len);
            str_buf_cat(out, s.ptr + at, (size_t)(n + k));
            at += (size_t)(n + k);
            continue;
        }
        if (c == '/') {
            str_buf_puts(out, "\\/");
        } else if (n == 1 && (uint8_t)c < 0x80 && (c < 32 || c == 127) && !(c >= 9 && c <= 13)) {
            char text[8];
            snprintf(text, sizeof text, "\\x%02X", (uint8_t)c);
            str_buf_puts(out, text);
        } else if (n == 1 && (uint8_t)c >= 0x80) {
            char text[8];
            snprintf(text, sizeof text, "\\x%02X", (uint8_t)c);
            str_buf_puts(out, text);
        } else {
            str_buf_cat(out, s.ptr + at, (size_t)n);
        }
        at += (size_t)n;
    }
    KEEP(source);
}
static void put_flags(Value out, int options)
{
    if (options & RE_MULTILINE)
        str_buf_putc(out, 'm');
    if (options & RE_IGNORECASE)
        str_buf_putc(out, 'i');
    if (options & RE_EXTENDED)
        str_buf_putc(out, 'x');
}
static Value regexp_inspect(Value re)
{
    Regexp *r = regexp_ptr(re);
    int options = r->options;
    Value out = str_buf_new(32, r->enc == ENC_US_ASCII ? ENC_UTF_8 : r->enc);
    str_buf_putc(out, '/');
    put_source(out, regexp_source(re));
    str_buf_putc(out, '/');
    put_flags(out, options);
    if (options & RE_NOENCODING)
        str_buf_putc(out, 'n');
    return out;
}
static Value try_compile(void *arg)
{
    Value *v = arg;
    regex_t *prog = compile_source(v[0], (int)fix_int(v[1]), ENC_UTF_8);
    onig_free(prog);
    return V_TRUE;
}
static Value regexp_to_s(Value re)
{
    Regexp *r = regexp_ptr(re);
    int options = r->options & (RE_IGNORECASE | RE_EXTENDED | RE_MULTILINE), enc = r->enc;
    Value source = regexp_source(re);
    StrView s = str_view(source);
    /* a source that is one group with options of its own gives its options */
    if (s.len >= 4 && s.ptr[0] == '(' && s.ptr[1] == '?') {
        size_t p = 2;
        int opts = options;
        bool off = false, ok = true;
        for (; p < s.len; p++) {
            char c = s.ptr[p];
            int bit = c == 'm' ? RE_MULTILINE : c == 'i' ? RE_IGNORECASE : c == 'x' ? RE_EXTENDED : 0;
            if (bit)
                opts = off ? opts & ~bit : opts | bit;
            else if (c == '-' && !off)
                off = true;
            else
                break;
        }
        ok = p < s.len && s.ptr[p] == ':' && s.ptr[s.len - 1] == ')';
        if (ok) {
            Value inner = str_new_enc(s.ptr + p + 1, s.len - p - 2, s.enc), exc;
            Value v[2] = {inner, int_fix(opts)};
            if (enc_ascii_compat(s.enc) && !is_undef(vm_rescue(try_compile, v, klass.RegexpError, &exc))) {
                source = inner;
                options = opts;
            }
        }
    }
    Value out = str_buf_new(32, enc);
    str_buf_puts(out, "(?");
    put_flags(out, options);
    if ((options & 7) != 7) {
        str_buf_putc(out, '-');
        put_flags(out, ~options);
    }
    str_buf_putc(out, ':');
    put_source(out, source);
    str_buf_putc(out, ')');
    return out;
}

/* ---- methods ---- */

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

static double timeout_of(Value v)
{
    if (is_nil(v))
        return 0;
    double t = value_double(v);
    if (!(t > 0))
        raise_error(klass.ArgumentError, "invalid timeout: %V", v);
    return t;
}
METHOD(re_initialize)
{
    static const char *const names[] = {"timeout", NULL};
    Value kw = call_take_keywords(&argc, argv);
    double timeout = 0;
    if (!is_nil(kw)) {
        keywords_only(kw, names);
        Value t = keyword_get(kw, "timeout");
        if (!is_undef(t))
            timeout = timeout_of(t);
    }
    if (argc < 1 || argc > 2)
        raise_arity(argc, 1, 2);
    if (obj_frozen_bit(self))
        raise_error(klass.FrozenError, "can't modify literal regexp");
    obj_attend(self);
    if (slot_read(self, &((Regexp *)self)->source) != V_FALSE)
        raise_error(klass.TypeError, "already initialized regexp");
    int options = 0;
    Value source;
    if (is_regexp(argv[0])) {
        Regexp *from = regexp_ptr(argv[0]);
        options = from->options;
        source = regexp_source(argv[0]);
        if (argc > 1)
            warn_printf("flags ignored");
    } else {
        source = str_get(argv[0]);
        if (argc > 1) {
            Value o = argv[1];
            if (is_integer(o)) {
                options = (int)value_int(o) & (RE_IGNORECASE | RE_EXTENDED | RE_MULTILINE | RE_FIXED | RE_NOENCODING);
            } else if (is_string(o)) {
                StrView s = str_view(o);
                for (size_t i = 0; i < s.len; i++) {
                    int bit = s.ptr[i] == 'i' ? RE_IGNORECASE : s.ptr[i] == 'm' ? RE_MULTILINE : s.ptr[i] == 'x' ? RE_EXTENDED : 0;
                    if (!bit)
                        raise_error(klass.ArgumentError, "unknown regexp option: %T", o);
                    options |= bit;
                }
            } else if (truthy(o)) {
                if (o != V_TRUE)
                    warn_printf("expected true or false as ignorecase: %V", o);
                options = RE_IGNORECASE;
            }
        }
    }
    regexp_setup(self, source, options, false);
    ((Regexp *)self)->timeout = timeout;
    return self;
}
METHOD(re_initialize_copy)
{
    (void)argc;
    if (self == argv[0])
        return self;
    obj_modify(self);
    Regexp *from = regexp_ptr(argv[0]);
    int options = from->options;
    double timeout = from->timeout;
    regexp_setup(self, regexp_source(argv[0]), options, false);
    ((Regexp *)self)->timeout = timeout;
    return self;
}
METHOD(re_s_escape)
{
    (void)self, (void)argc;
    return regexp_quote(is_symbol(argv[0]) ? sym_name_str(argv[0]) : str_get(argv[0]));
}
METHOD(re_s_try_convert) { (void)self, (void)argc; return obj_try_convert(argv[0], T_REGEXP, "Regexp", sym_intern("to_regexp")); }
METHOD(re_s_union)
{
    (void)self;
    Value list = argc == 1 ? ary_try(argv[0]) : V_NIL;
    if (is_nil(list))
        list = ary_new_from((size_t)argc, argv);
    size_t n = ary_len(list);
    if (n == 0)
        return regexp_new_str(str_new_c("(?!)"), 0);
    if (n == 1) {
        Value v = ary_get(list, 0), re = obj_try_convert(v, T_REGEXP, "Regexp", sym_intern("to_regexp"));
        if (!is_nil(re))
            return re;
        return regexp_new_str(regexp_quote(is_symbol(v) ? sym_name_str(v) : str_get(v)), 0);
    }
    Value out = str_buf_new(64, ENC_US_ASCII);
    for (size_t i = 0; i < n; i++) {
        Value v = ary_get(list, (long)i), re = is_regexp(v) ? v : obj_try_convert(v, T_REGEXP, "Regexp", sym_intern("to_regexp")), part;
        if (is_nil(re))
            part = regexp_quote(is_symbol(v) ? sym_name_str(v) : str_get(v));
        else
            part = regexp_to_s(re);
        if (str_encoding(part) != str_encoding(out) && (str_coderange(part) != CR_7BIT || (is_regexp(v) && (((Regexp *)v)->options & RE_FIXED)))) {
            if (str_coderange(out) != CR_7BIT)
                raise_error(klass.ArgumentError, "incompatible encodings: %s and %s", enc_display_name(str_encoding(out)),
                            enc_display_name(str_encoding(part)));
            str_set_encoding(out, str_encoding(part));
        }
        if (i)
            str_buf_putc(out, '|');
        str_buf_cat_str(out, part);
    }
    return regexp_new_str(out, 0);
}
METHOD(re_s_last_match)
{
    (void)self;
    Value m = frame_last_match();
    if (!argc || is_nil(m))
        return argc ? V_NIL : m;
    int g;
    if (is_string(argv[0]) || is_symbol(argv[0])) {
        g = match_name_to_number(m, argv[0]);
    } else {
        int64_t n = value_int(argv[0]);
        if (n < 0)
            n += ((Match *)m)->n;
        g = n < 0 || n >= ((Match *)m)->n ? -1 : (int)n;
    }
    return g < 0 ? V_NIL : match_nth(m, g);
}
/* What CRuby calls linear: no back-references, calls of groups, conditions, absence, and nothing that looks around or is
 * atomic within an atomic group, nor an atomic group within a look-around. */
static bool linear(Value source)
{
    StrView s = str_view(source);
    enum { PLAIN, LOOK, ATOMIC, MAX_DEPTH = 512 };
    uint8_t around[MAX_DEPTH] = {PLAIN}; /* innermost LOOK or ATOMIC, by depth of parentheses */
    int depth = 0, set = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i], next = i + 1 < s.len ? s.ptr[i + 1] : 0, third = i + 2 < s.len ? s.ptr[i + 2] : 0,
             fourth = i + 3 < s.len ? s.ptr[i + 3] : 0;
        if (c == '\\') {
            if (!set && ((next >= '1' && next <= '9') || next == 'k' || next == 'g'))
                return false;
            i++;
        } else if (c == '[') {
            set++;
        } else if (c == ']') {
            set -= set > 0;
        } else if (!set && c == '(') {
            bool marked = next == '?', atomic = marked && third == '>';
            bool look = marked && (third == '=' || third == '!' || (third == '<' && (fourth == '=' || fourth == '!')));
            if (marked && (third == '~' || third == '('))
                return false;
            if ((atomic && around[depth] != PLAIN) || (look && around[depth] == ATOMIC))
                return false;
            if (depth + 1 == MAX_DEPTH)
                return false;
            around[depth + 1] = atomic ? ATOMIC : look ? LOOK : around[depth];
            depth++;
        } else if (!set && c == ')') {
            depth -= depth > 0;
        }
    }
    return true;
}
METHOD(re_s_linear)
{
    (void)self;
    static const char *const names[] = {"timeout", NULL};
    Value kw = call_take_keywords(&argc, argv);
    if (!is_nil(kw))
        keywords_only(kw, names);
    if (argc < 1 || argc > 2)
        raise_arity(argc, 1, 2);
    if (is_regexp(argv[0]) && argc > 1)
        warn_printf("flags ignored");
    Value re = is_regexp(argv[0]) ? argv[0] : regexp_new_str(str_get(argv[0]), argc > 1 && is_integer(argv[1]) ? (int)value_int(argv[1]) : 0);
    return bool_value(linear(regexp_source(re)));
}
METHOD(re_s_timeout) { (void)self; UNUSED_ARGS; return default_timeout > 0 ? float_value(default_timeout) : V_NIL; }
METHOD(re_s_set_timeout) { (void)self, (void)argc; default_timeout = timeout_of(argv[0]); return argv[0]; }
METHOD(re_timeout) { UNUSED_ARGS; obj_attend(self); return ((Regexp *)self)->timeout > 0 ? float_value(((Regexp *)self)->timeout) : V_NIL; }

static Value subject_of(Value v, bool raise) /* String, or nil */
{
    if (is_string(v))
        return v;
    if (is_symbol(v))
        return sym_name_str(v);
    return raise ? str_get(v) : obj_try_convert(v, T_STRING, "String", SYM(to_str));
}
METHOD(re_match_op)
{
    (void)argc;
    if (is_nil(argv[0])) {
        frame_set_last_match(V_NIL);
        return V_NIL;
    }
    Value str = subject_of(argv[0], true), m = regexp_search(self, str, 0, false);
    return is_nil(m) ? V_NIL : int_fix((int64_t)str_byte_to_char(str, (size_t)((Match *)m)->pos[0]));
}
METHOD(re_eqq)
{
    (void)argc;
    Value str = is_nil(argv[0]) ? V_NIL : subject_of(argv[0], false);
    if (is_nil(str)) {
        frame_set_last_match(V_NIL);
        return V_FALSE;
    }
    return bool_value(!is_nil(regexp_search(self, str, 0, false)));
}
METHOD(re_match)
{
    if (is_nil(argv[0])) {
        frame_set_last_match(V_NIL);
        return V_NIL;
    }
    Value m = regexp_match(self, subject_of(argv[0], true), argc > 1 ? (long)value_int(argv[1]) : 0);
    if (!is_nil(m) && block_given())
        return vm_yield1(m);
    return m;
}
METHOD(re_match_p)
{
    if (is_nil(argv[0]))
        return V_FALSE;
    Value str = subject_of(argv[0], true);
    int64_t from = argc > 1 ? start_byte(str, value_int(argv[1])) : 0;
    return bool_value(from >= 0 && regexp_search_p(self, str, (size_t)from));
}
METHOD(re_tilde)
{
    UNUSED_ARGS;
    Value line = frame_last_line();
    if (!is_string(line)) {
        frame_set_last_match(V_NIL);
        return V_NIL;
    }
    return re_match_op(self, 1, &line);
}
METHOD(re_source)
{
    UNUSED_ARGS;
    regexp_ptr(self);
    return str_dup(regexp_source(self));
}
METHOD(re_options) { UNUSED_ARGS; return int_fix(regexp_ptr(self)->options); }
METHOD(re_casefold) { UNUSED_ARGS; return bool_value(regexp_ptr(self)->options & RE_IGNORECASE); }
METHOD(re_fixed) { UNUSED_ARGS; return bool_value(regexp_ptr(self)->options & RE_FIXED); }
METHOD(re_encoding) { UNUSED_ARGS; return encoding_value(regexp_ptr(self)->enc); }
METHOD(re_inspect)
{
    UNUSED_ARGS;
    obj_attend(self);
    if (slot_read(self, &((Regexp *)self)->source) == V_FALSE)
        return obj_any_to_s(self);
    return regexp_inspect(self);
}
METHOD(re_to_s) { UNUSED_ARGS; return regexp_to_s(self); }
METHOD(re_eq)
{
    (void)argc;
    if (!is_regexp(argv[0]))
        return V_FALSE;
    Regexp *a = regexp_ptr(self), *b = regexp_ptr(argv[0]);
    return bool_value(((a->options ^ b->options) & 7) == 0 && a->enc == b->enc && str_equal(regexp_source(self), regexp_source(argv[0])));
}
METHOD(re_hash)
{
    UNUSED_ARGS;
    uint64_t pair[2] = {str_hash(regexp_source(self)), (uint64_t)regexp_ptr(self)->options & 7};
    return int_fix((int64_t)hash_bytes(pair, sizeof pair, hash_seed) >> 2);
}

/* ---- names ---- */

typedef struct NameList {
    Value names;  /* Array of Strings, by first group */
    Value groups; /* Array of Arrays */
} NameList;
/* Gathered without an allocation of Ruby's, which might make the Regexp hollow and free its program. */
typedef struct NameRow {
    char *text; /* malloced, as are the groups behind it */
    size_t len;
    int *groups;
    int n;
} NameRow;
typedef struct NameRows {
    NameRow *rows;
    int n;
} NameRows;
static int add_name(const OnigUChar *name, const OnigUChar *end, int n, int *groups, regex_t *prog, void *arg)
{
    NameRows *list = arg;
    (void)prog;
    int i = list->n;
    NameRow row = {malloc((size_t)(end - name) + 1), (size_t)(end - name), malloc((size_t)n * sizeof(int)), n};
    if (!row.text || !row.groups) {
        free(row.text);
        free(row.groups);
        return 1;
    }
    memcpy(row.text, name, row.len);
    memcpy(row.groups, groups, (size_t)n * sizeof(int));
    for (; i > 0 && list->rows[i - 1].groups[0] > row.groups[0]; i--) /* by the first group's number */
        list->rows[i] = list->rows[i - 1];
    list->rows[i] = row;
    list->n++;
    return 0;
}
static regex_t *own_program(Value re)
{
    Regexp *r = regexp_ptr(re);
    r->own.enc = (int16_t)program_encoding(r->enc);
    return program_onig(re, &r->own);
}
static NameList names_of(Value re)
{
    NameList list = {ary_new(4), ary_new(4)};
    regex_t *prog = own_program(re);
    int count = onig_number_of_names(prog);
    if (count <= 0)
        return list;
    NameRows found = {calloc((size_t)count, sizeof(NameRow)), 0};
    if (!found.rows)
        raise_no_memory();
    onig_foreach_name(prog, add_name, &found);
    KEEP(re);
    for (int i = 0; i < found.n; i++) {
        NameRow *row = &found.rows[i];
        Value text = str_new_enc(row->text, row->len, ENC_UTF_8), numbers = ary_new((size_t)row->n);
        for (int k = 0; k < row->n; k++)
            ary_push(numbers, int_fix(row->groups[k]));
        ary_push(list.names, text);
        ary_push(list.groups, numbers);
        free(row->text);
        free(row->groups);
    }
    free(found.rows);
    return list;
}
Value regexp_names(Value re)
{
    return names_of(re).names;
}
Value regexp_name_groups(Value re, Value *names)
{
    NameList list = names_of(re);
    *names = list.names;
    return list.groups;
}
/* Group numbers of a name (at most max), 0 when there is none. */
int regexp_name_lookup(Value re, const char *name, size_t len, int *groups, int max)
{
    int *nums, n = onig_name_to_group_numbers(own_program(re), (const OnigUChar *)name, (const OnigUChar *)name + len, &nums);
    if (n < 0)
        return 0;
    for (int i = 0; i < n && i < max; i++)
        groups[i] = nums[i];
    return MIN(n, max);
}
int regexp_group_count(Value re)
{
    return onig_number_of_captures(own_program(re));
}
METHOD(re_names) { UNUSED_ARGS; return regexp_names(self); }
METHOD(re_named_captures)
{
    UNUSED_ARGS;
    NameList list = names_of(self);
    Value hash = hash_new();
    for (size_t i = 0; i < ary_len(list.names); i++)
        hash_set(hash, ary_get(list.names, (long)i), ary_get(list.groups, (long)i));
    return hash;
}

static const Builtin methods[] = {
    {"initialize", re_initialize, 1, 2, BI_PRIVATE | BI_KW},
    {"initialize_copy", re_initialize_copy, 1, 1, BI_PRIVATE},
    {"=~", re_match_op, 1, 1, 0},
    {"===", re_eqq, 1, 1, 0},
    {"~", re_tilde, 0, 0, 0},
    {"match", re_match, 1, 2, 0},
    {"match?", re_match_p, 1, 2, 0},
    {"source", re_source, 0, 0, 0},
    {"options", re_options, 0, 0, 0},
    {"casefold?", re_casefold, 0, 0, 0},
    {"fixed_encoding?", re_fixed, 0, 0, 0},
    {"encoding", re_encoding, 0, 0, 0},
    {"inspect", re_inspect, 0, 0, 0},
    {"to_s", re_to_s, 0, 0, 0},
    {"==", re_eq, 1, 1, 0},
    {"eql?", re_eq, 1, 1, 0},
    {"hash", re_hash, 0, 0, 0},
    {"names", re_names, 0, 0, 0},
    {"named_captures", re_named_captures, 0, 0, 0},
    {"timeout", re_timeout, 0, 0, 0},
};
static const Builtin singleton_methods[] = {
    {"escape", re_s_escape, 1, 1, 0},
    {"quote", re_s_escape, 1, 1, 0},
    {"union", re_s_union, 0, -1, 0},
    {"last_match", re_s_last_match, 0, 1, 0},
    {"try_convert", re_s_try_convert, 1, 1, 0},
    {"linear_time?", re_s_linear, 1, 2, BI_KW},
    {"timeout", re_s_timeout, 0, 0, 0},
    {"timeout=", re_s_set_timeout, 1, 1, 0},
};
METHOD(re_s_compile) { return vm_call(self, SYM(new), argc, argv); }
static const Builtin compile_row[] = {{"compile", re_s_compile, 0, -1, 0}};

void regexp_boot(void)
{
    heap_register_type(T_REGEXP, &regexp_type);
    onig_set_retry_limit_in_match(ULONG_MAX); /* 0 would be no try at all */
    onig_set_retry_limit_in_search(0);
    onig_set_parse_depth_limit(500);
    onig_set_warn_func(onig_null_warn);
    onig_set_verb_warn_func(onig_null_warn);
    onig_copy_syntax(&ruby_syntax, ONIG_SYNTAX_RUBY);
    onig_set_syntax_behavior(&ruby_syntax, onig_get_syntax_behavior(&ruby_syntax) & ~ONIG_SYN_VARIABLE_LEN_LOOK_BEHIND);
    class_set_allocator(klass.Regexp, regexp_allocate);
    timeout_error = class_define_under(klass.Regexp, "TimeoutError", klass.RegexpError);
    heap_add_root(&timeout_error);
    ADD_BUILTINS(klass.Regexp, methods);
    ADD_SINGLETON_BUILTINS(klass.Regexp, singleton_methods);
    ADD_SINGLETON_BUILTINS(klass.Regexp, compile_row);
    const_set(klass.Regexp, sym_intern("IGNORECASE"), int_fix(RE_IGNORECASE));
    const_set(klass.Regexp, sym_intern("EXTENDED"), int_fix(RE_EXTENDED));
    const_set(klass.Regexp, sym_intern("MULTILINE"), int_fix(RE_MULTILINE));
    const_set(klass.Regexp, sym_intern("FIXEDENCODING"), int_fix(RE_FIXED));
    const_set(klass.Regexp, sym_intern("NOENCODING"), int_fix(RE_NOENCODING));
}
