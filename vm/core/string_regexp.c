/* string_regexp.c -- class String: matching, substitution, scanning, splitting
 *
 * A pattern is a Regexp or a String (matched as it is).  One step of a search is a Hit: byte positions of the whole
 * match; the MatchData is made only when someone can see it ($~, blocks, groups in the replacement).
 */
#include "vm/core/number.h"
#include <ctype.h>

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

typedef struct Hit {
    int64_t begin, end;
    Value match; /* MatchData or nil when not wanted */
} Hit;

static bool search(Value pat, Value str, size_t from, bool want_match, Hit *hit)
{
    hit->match = V_NIL;
    if (is_string(pat)) {
        size_t n = str_view(pat).len;
        hit->begin = str_find(str, pat, from);
        hit->end = hit->begin + (int64_t)n;
        if (hit->begin >= 0 && want_match)
            hit->match = match_new_plain(pat, str, (size_t)hit->begin, n);
        return hit->begin >= 0;
    }
    static OnigRegion region;
    hit->begin = regexp_search_raw(pat, str, from, false, &region);
    if (hit->begin < 0)
        return false;
    hit->end = region.end[0];
    hit->begin = region.beg[0]; /* \K moves it */
    if (want_match)
        hit->match = match_new(pat, str, &region);
    return true;
}
static size_t char_len_at(Value str, size_t at)
{
    StrView s = str_view(str);
    return at < s.len ? (size_t)enc_char_len(s.enc, s.ptr + at, s.ptr + s.len) : 1;
}
static Value pattern_of(Value v) /* Regexp or String */
{
    if (is_regexp(v) || is_string(v))
        return v;
    return value_to_pattern(v, true);
}

/* ---- matching ---- */

METHOD(str_m_match_op)
{
    (void)argc;
    Value v = argv[0];
    if (is_string(v))
        raise_error(klass.TypeError, "type mismatch: String given");
    if (is_regexp(v)) {
        Value m = regexp_search(v, self, 0, false);
        return is_nil(m) ? V_NIL : int_fix((int64_t)str_byte_to_char(self, (size_t)((Match *)m)->pos[0]));
    }
    return vm_call1(v, SYM(op_match), self);
}
METHOD(str_m_match)
{
    Value re = value_to_pattern(argv[0], false);
    Value m = regexp_match(re, self, argc > 1 ? (long)value_int(argv[1]) : 0);
    if (!is_nil(m) && block_given())
        return vm_yield1(m);
    return m;
}
METHOD(str_m_match_p)
{
    Value re = value_to_pattern(argv[0], false);
    int64_t at = argc > 1 ? value_int(argv[1]) : 0, len = at ? (int64_t)str_char_count(self) : 0;
    if (at < 0)
        at += len;
    if (at < 0 || at > len)
        return V_FALSE;
    return bool_value(regexp_search_p(re, self, at ? str_char_to_byte(self, (size_t)at) : 0));
}

/* ---- substitution ---- */

static void put_group(Value out, Value str, Match *m, int64_t n)
{
    if (n < m->n && m->pos[2 * n] >= 0)
        str_buf_cat(out, str_view(str).ptr + m->pos[2 * n], (size_t)(m->pos[2 * n + 1] - m->pos[2 * n]));
}
/* Appends the replacement text, with \0..\9 \& \` \' \+ \\ and \k<name> filled in. */
static void put_replacement(Value out, Value repl, Value str, Hit *hit)
{
    StrView r = str_view(repl);
    if (!memchr(r.ptr, '\\', r.len)) {
        str_buf_cat(out, r.ptr, r.len);
        KEEP(repl);
        return;
    }
    Match *m = (Match *)hit->match;
    for (size_t at = 0; at < r.len;) {
        if (r.ptr[at] != '\\' || at + 1 >= r.len) {
            int n = enc_char_len(r.enc, r.ptr + at, r.ptr + r.len);
            str_buf_cat(out, r.ptr + at, (size_t)n);
            at += (size_t)n;
            continue;
        }
        char c = r.ptr[at + 1];
        size_t start = at;
        at += 2;
        if (isdigit((unsigned char)c)) {
            put_group(out, str, m, c - '0');
        } else if (c == '&') {
            put_group(out, str, m, 0);
        } else if (c == '`') {
            str_buf_cat(out, str_view(str).ptr, (size_t)m->pos[0]);
        } else if (c == '\'') {
            str_buf_cat(out, str_view(str).ptr + m->pos[1], str_view(str).len - (size_t)m->pos[1]);
        } else if (c == '+') {
            for (int64_t g = m->n - 1; g > 0; g--)
                if (m->pos[2 * g] >= 0) {
                    put_group(out, str, m, g);
                    break;
                }
        } else if (c == '\\') {
            str_buf_putc(out, '\\');
        } else if (c == 'k' && at < r.len && r.ptr[at] == '<' && memchr(r.ptr + at, '>', r.len - at)) {
            const char *close = memchr(r.ptr + at, '>', r.len - at);
            Value name = str_new_enc(r.ptr + at + 1, (size_t)(close - r.ptr) - at - 1, r.enc);
            StrView nv = str_view(name);
            bool digits = nv.len > 0;
            for (size_t i = 0; i < nv.len; i++)
                digits &= isdigit((unsigned char)nv.ptr[i]) != 0;
            int g = digits ? atoi(nv.ptr) : match_name_to_number(hit->match, name);
            put_group(out, str, m, g);
            at = (size_t)(close - r.ptr) + 1;
        } else {
            str_buf_cat(out, r.ptr + start, 2);
        }
    }
    KEEP(repl);
    KEEP(str);
}
typedef struct Replacement {
    Value text, hash; /* one of them, or both nil: the block */
    bool groups;      /* the text refers to groups, or a block or $~ needs the match */
} Replacement;
static Replacement replacement_of(int argc, const Value *argv)
{
    Replacement r = {V_NIL, V_NIL, true};
    if (argc == 2) {
        if (!is_string(argv[1]))
            r.hash = obj_try_convert(argv[1], T_HASH, "Hash", SYM(to_hash));
        if (is_nil(r.hash))
            r.text = str_steady(str_get(argv[1]));
    }
    return r;
}
static Value replaced(Replacement *r, Value str, Hit *hit) /* the value for hash and block */
{
    Value piece = str_new_share(str, (size_t)hit->begin, (size_t)(hit->end - hit->begin));
    return obj_to_s(is_nil(r->hash) ? vm_yield1(piece) : hash_aref(r->hash, piece));
}
static void adopt_encoding(Value out, Value piece)
{
    if (str_encoding(out) != str_encoding(piece)) {
        int enc = str_check_compatible(out, piece);
        str_set_encoding(out, enc);
        str_set_coderange(out, CR_UNKNOWN);
    }
}
/* New String, or nil when nothing matched. */
static Value substitute(Value self, int argc, const Value *argv, bool all, bool bang)
{
    Replacement r = replacement_of(argc, argv);
    Value pat = pattern_of(argv[0]), str = self;
    Hit hit;
    Value last = V_NIL;
    if (is_string(pat))
        str_check_compatible(self, pat);
    if (!search(pat, str, 0, true, &hit)) {
        frame_set_last_match(V_NIL);
        return V_NIL;
    }
    str = slot_read(hit.match, &((Match *)hit.match)->str); /* frozen: the block can't move it away */
    Value out = str_buf_new(str_view(str).len + 16, str_encoding(str));
    size_t at = 0, from = 0;
    bool text_groups = !is_nil(r.text) && memchr(str_view(r.text).ptr, '\\', str_view(r.text).len);
    int64_t last_begin = 0;
    do {
        if (!is_nil(hit.match))
            last = hit.match;
        last_begin = hit.begin;
        str_buf_cat(out, str_view(str).ptr + at, (size_t)hit.begin - at);
        if (!is_nil(r.text)) {
            adopt_encoding(out, r.text);
            put_replacement(out, r.text, str, &hit);
        } else {
            if (is_nil(r.hash))
                frame_set_last_match(hit.match);
            Value v = replaced(&r, str, &hit);
            if (bang && is_nil(r.hash) && !str_equal(self, str))
                raise_error(klass.RuntimeError, "string modified");
            str_check_compatible(str, v);
            adopt_encoding(out, v);
            str_buf_cat_str(out, v);
        }
        at = (size_t)hit.end;
        from = at;
        if (hit.begin == hit.end) { /* an empty match: one character further */
            size_t n = char_len_at(str, at);
            if (at >= str_view(str).len) {
                from = at + 1;
                break;
            }
            str_buf_cat(out, str_view(str).ptr + at, n);
            at += n;
            from = at;
        }
        vm_check_interrupts();
    } while (all && from <= str_view(str).len && search(pat, str, from, text_groups || is_nil(r.text), &hit));
    if (at < str_view(str).len)
        str_buf_cat(out, str_view(str).ptr + at, str_view(str).len - at);
    /* $~ is the last match, made now when no one wanted it before */
    if (all && !is_nil(r.text) && !text_groups) {
        Hit h;
        if (search(pat, str, (size_t)last_begin, true, &h))
            last = h.match;
    }
    frame_set_last_match(last);
    KEEP(str);
    return out;
}
static void need_two(int argc)
{
    int min = block_given() ? 1 : 2;
    if (argc < min || argc > 2)
        raise_arity(argc, min, 2);
}
METHOD(str_m_sub)
{
    need_two(argc);
    Value v = substitute(self, argc, argv, false, false);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_sub_bang)
{
    need_two(argc);
    obj_modify(self);
    Value v = substitute(self, argc, argv, false, true);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}
METHOD(str_m_gsub)
{
    if (argc == 1 && !block_given())
        return enumerator_for(self, sym_intern("gsub"), argc, argv);
    Value v = substitute(self, argc, argv, true, false);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_gsub_bang)
{
    if (argc == 1 && !block_given())
        return enumerator_for(self, sym_intern("gsub!"), argc, argv);
    obj_modify(self);
    Value v = substitute(self, argc, argv, true, true);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}

/* ---- scanning ---- */

METHOD(str_m_scan)
{
    (void)argc;
    Value pat = pattern_of(argv[0]), str = str_frozen_copy(self), last = V_NIL;
    bool yield = block_given(), groups = is_regexp(pat) && regexp_group_count(pat) > 0;
    Value out = yield ? V_NIL : ary_new(8);
    if (is_string(pat))
        str_check_compatible(self, pat);
    size_t from = 0;
    int64_t last_begin = -1;
    Hit hit;
    while (from <= str_view(str).len && search(pat, str, from, yield || groups, &hit)) {
        Value item;
        if (groups) {
            int64_t n = ((Match *)hit.match)->n;
            item = ary_new((size_t)n);
            for (int g = 1; g < n; g++)
                ary_push(item, match_nth(hit.match, g));
        } else {
            item = str_new_share(str, (size_t)hit.begin, (size_t)(hit.end - hit.begin));
        }
        last_begin = hit.begin;
        if (!is_nil(hit.match))
            last = hit.match;
        from = (size_t)hit.end + (hit.begin == hit.end ? char_len_at(str, (size_t)hit.end) : 0);
        if (yield) {
            frame_set_last_match(hit.match);
            vm_yield1(item);
        } else {
            ary_push(out, item);
        }
        vm_check_interrupts();
    }
    if (is_nil(last) && last_begin >= 0 && search(pat, str, (size_t)last_begin, true, &hit))
        last = hit.match;
    frame_set_last_match(last);
    KEEP(str);
    return yield ? self : out;
}

/* ---- splitting ---- */

typedef struct Splitter {
    Value str, out;
    bool yield;
} Splitter;
static void emit(Splitter *s, size_t at, size_t n)
{
    Value piece = str_new_share(s->str, at, n);
    ary_push(s->out, piece);
    vm_check_interrupts();
}
METHOD(str_m_split)
{
    int64_t limit = argc > 1 ? value_int_range(argv[1], INT32_MIN, INT32_MAX, "limit") : 0, count = 1;
    Value pat = argc && !is_nil(argv[0]) ? argv[0] : gvar_get(sym_intern("$;"));
    bool awk = is_nil(pat);
    Splitter s = {str_frozen_copy(self), ary_new(8), block_given()};
    if (!awk && !is_regexp(pat))
        pat = value_to_pattern(pat, true);
    if (is_string(pat)) {
        str_check_compatible(self, pat);
        StrView p = str_view(pat);
        awk = p.len == 1 && p.ptr[0] == ' ';
        if (str_is_broken(pat))
            raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(p.enc));
    }
    size_t len = str_view(s.str).len, at = 0;
    if (!is_regexp(pat) && str_is_broken(s.str))
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(str_encoding(s.str)));
    if (limit == 1) {
        if (len == 0)
            return s.yield ? self : s.out;
        emit(&s, 0, len);
        goto done;
    }
    if (awk) {
        for (;;) {
            StrView v = str_view(s.str);
            int n;
            while (at < len) {
                int64_t c = enc_codepoint(v.enc, v.ptr + at, v.ptr + len, &n);
                if (!(c == ' ' || (c >= 9 && c <= 13)))
                    break;
                at += (size_t)n;
            }
            if (at >= len)
                break;
            if (limit > 0 && count >= limit)
                break;
            size_t start = at;
            while (at < len) {
                int64_t c = enc_codepoint(v.enc, v.ptr + at, v.ptr + len, &n);
                if (c == ' ' || (c >= 9 && c <= 13))
                    break;
                at += (size_t)n;
            }
            emit(&s, start, at - start);
            count++;
            if (at >= len) {
                if (limit != 0)
                    at = len + 1; /* no separator followed: no empty rest */
                break;
            }
        }
        if (len > 0 && at <= len && (limit != 0 || at < len))
            emit(&s, at, len - at);
    } else if (is_string(pat) && str_view(pat).len > 0) {
        size_t n = str_view(pat).len;
        int64_t hit;
        while (!(limit > 0 && count >= limit) && (hit = str_find(s.str, pat, at)) >= 0) {
            emit(&s, at, (size_t)hit - at);
            at = (size_t)hit + n;
            count++;
        }
        if (len > 0 && (limit != 0 || at < len))
            emit(&s, at, len - at);
    } else if (is_string(pat)) { /* "": characters */
        while (at < len && !(limit > 0 && count >= limit)) {
            size_t n = char_len_at(s.str, at);
            emit(&s, at, n);
            at += n;
            count++;
        }
        if (len > 0 && (limit != 0 || at < len))
            emit(&s, at, len - at);
    } else {
        size_t from = 0;
        bool groups = regexp_group_count(pat) > 0;
        Hit hit;
        bool null_last = false; /* the last match was empty, at the start of the piece: look behind its first character */
        while (from <= len && !(limit > 0 && count >= limit) && search(pat, s.str, from, groups, &hit)) {
            if (hit.begin == hit.end && (size_t)hit.begin == from) {
                if (len == 0) {
                    emit(&s, 0, 0);
                    break;
                }
                if (!null_last) {
                    from += from == len ? 1 : char_len_at(s.str, from);
                    null_last = true;
                    continue;
                }
                emit(&s, at, char_len_at(s.str, at));
                at = from;
            } else {
                emit(&s, at, (size_t)hit.begin - at);
                at = from = (size_t)hit.end;
            }
            null_last = false;
            count++;
            if (!is_nil(hit.match)) {
                Match *m = (Match *)hit.match;
                for (int g = 1; g < m->n; g++)
                    if (m->pos[2 * g] >= 0)
                        emit(&s, (size_t)m->pos[2 * g], (size_t)(m->pos[2 * g + 1] - m->pos[2 * g]));
            }
        }
        if (len > 0 && (limit != 0 || at < len))
            emit(&s, at, len - at);
    }
done:
    if (limit == 0) /* empty pieces at the end are dropped */
        while (ary_len(s.out) > 0 && str_view(ary_get(s.out, -1)).len == 0)
            ary_pop(s.out);
    if (!s.yield)
        return s.out;
    for (size_t i = 0; i < ary_len(s.out); i++)
        vm_yield1(ary_get(s.out, (long)i));
    return self;
}

static const Builtin methods[] = {
    {"=~", str_m_match_op, 1, 1, 0},
    {"match", str_m_match, 1, 2, 0},
    {"match?", str_m_match_p, 1, 2, 0},
    {"sub", str_m_sub, 0, -1, 0},
    {"sub!", str_m_sub_bang, 0, -1, 0},
    {"gsub", str_m_gsub, 1, 2, 0},
    {"gsub!", str_m_gsub_bang, 1, 2, 0},
    {"scan", str_m_scan, 1, 1, 0},
    {"split", str_m_split, 0, 2, 0},
};
void string_regexp_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
}
