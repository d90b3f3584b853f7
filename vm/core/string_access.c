/* string_access.c -- class String: elements and parts by position, range, text or pattern; searching; successors */
#include "vm/core/number.h"
#include <ctype.h>

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)
#define UNUSED_ARGS (void)argc, (void)argv

static _Noreturn void raise_index(int64_t i)
{
    raise_error(klass.IndexError, "index %lld out of string", (long long)i);
}
/* Group `which` of a match of re in self; nil when none. *m gets the MatchData. */
static int group_number(Value m, Value which)
{
    if (is_string(which) || is_symbol(which))
        return match_name_to_number(m, which);
    int64_t n = value_int(which), count = ((Match *)m)->n;
    if (n < 0 && (n += count) <= 0)
        return -1;
    return n >= count ? -1 : (int)n;
}
static Value regexp_part(Value self, Value re, Value which)
{
    Value m = regexp_search(re, self, 0, false);
    if (is_nil(m))
        return V_NIL;
    int g = group_number(m, which);
    return g < 0 ? V_NIL : match_nth(m, g);
}
/* Range over n units; raises RangeError-less: false when outside. */
static bool range_part(Value range, size_t total, int64_t *start, int64_t *len)
{
    long s, n;
    if (!range_start_len(range, (long)total, &s, &n))
        return false;
    *start = s;
    *len = n;
    return true;
}
static Value str_aref(Value self, int argc, const Value *argv)
{
    Value i = argv[0];
    if (argc == 2) {
        if (is_regexp(i))
            return regexp_part(self, i, argv[1]);
        return str_substr(self, value_int(i), value_int(argv[1]));
    }
    if (is_fixnum(i)) {
        size_t at, n;
        if (!str_subpos(self, fix_int(i), 1, &at, &n) || n == 0)
            return V_NIL;
        return str_new_share(self, at, n);
    }
    if (is_regexp(i))
        return regexp_part(self, i, int_fix(0));
    if (is_string(i)) {
        str_check_compatible(self, i);
        return str_find(self, i, 0) >= 0 ? str_dup(i) : V_NIL;
    }
    Value lo, hi;
    bool excl;
    if (range_values(i, &lo, &hi, &excl)) {
        int64_t start, len;
        if (!range_part(i, str_char_count(self), &start, &len))
            return V_NIL;
        return str_substr(self, start, len);
    }
    int64_t n = value_int(i);
    return str_aref(self, 1, (Value[]){int_value(n)});
}
METHOD(str_m_aref) { return str_aref(self, argc, argv); }

static void splice_checked(Value self, size_t at, size_t n, Value v)
{
    int enc = str_check_compatible(self, v);
    if (v == self)
        v = str_dup(v);
    StrView s = str_view(v);
    str_splice(self, at, n, s.ptr, s.len);
    KEEP(v);
    str_set_encoding(self, enc);
}
static void splice_chars(Value self, int64_t start, int64_t len, Value v)
{
    size_t at, n;
    if (len < 0)
        raise_error(klass.IndexError, "negative length %lld", (long long)len);
    if (!str_subpos(self, start, len, &at, &n))
        raise_index(start);
    splice_checked(self, at, n, v);
}
static void splice_regexp(Value self, Value re, Value which, Value v)
{
    Value m = regexp_search(re, self, 0, false);
    if (is_nil(m))
        raise_error(klass.IndexError, "regexp not matched");
    int64_t count = ((Match *)m)->n;
    int g;
    if (is_string(which) || is_symbol(which)) {
        g = match_name_to_number(m, which);
    } else {
        int64_t n = value_int(which);
        if (n >= count || n <= -count)
            raise_error(klass.IndexError, "index %lld out of regexp", (long long)n);
        g = (int)(n < 0 ? n + count : n);
    }
    int64_t b = ((Match *)m)->pos[2 * g], e = ((Match *)m)->pos[2 * g + 1];
    if (b < 0)
        raise_error(klass.IndexError, "regexp group %d not matched", g);
    v = str_get(v);
    splice_checked(self, (size_t)b, (size_t)(e - b), v);
}
METHOD(str_m_aset)
{
    obj_modify(self);
    Value i = argv[0], v = is_regexp(i) ? argv[argc - 1] : str_get(argv[argc - 1]), lo, hi;
    bool excl;
    if (argc == 3) {
        if (is_regexp(i))
            splice_regexp(self, i, argv[1], v);
        else
            splice_chars(self, value_int(i), value_int(argv[1]), v);
        return argv[2];
    }
    if (is_regexp(i)) {
        splice_regexp(self, i, int_fix(0), v);
    } else if (is_string(i)) {
        int64_t at = str_find(self, i, 0);
        if (at < 0)
            raise_error(klass.IndexError, "string not matched");
        splice_checked(self, (size_t)at, str_view(i).len, v);
    } else if (range_values(i, &lo, &hi, &excl)) {
        int64_t start, len;
        if (!range_part(i, str_char_count(self), &start, &len))
            raise_error(klass.RangeError, "%V out of range", i);
        splice_chars(self, start, len, v);
    } else {
        int64_t n = value_int(i), total = (int64_t)str_char_count(self);
        if (n > total || n < -total)
            raise_index(n);
        splice_chars(self, n, 1, v);
    }
    return argv[1];
}
METHOD(str_m_slice_bang)
{
    obj_modify(self);
    Value part = V_NIL, i = argv[0];
    if (is_regexp(i)) {
        Value m = regexp_search(i, self, 0, false);
        if (is_nil(m))
            return V_NIL;
        int g = argc == 2 ? group_number(m, argv[1]) : 0;
        if (g < 0 || ((Match *)m)->pos[2 * g] < 0)
            return V_NIL;
        part = match_nth(m, g);
        str_splice(self, (size_t)((Match *)m)->pos[2 * g], (size_t)(((Match *)m)->pos[2 * g + 1] - ((Match *)m)->pos[2 * g]), "", 0);
        return part;
    }
    if (is_string(i) && argc == 1) {
        int64_t at = str_find(self, i, 0);
        if (at < 0)
            return V_NIL;
        str_splice(self, (size_t)at, str_view(i).len, "", 0);
        return str_dup(i);
    }
    int64_t start, len;
    size_t at, n;
    Value lo, hi;
    bool excl;
    if (argc == 2) {
        start = value_int(i), len = value_int(argv[1]);
    } else if (range_values(i, &lo, &hi, &excl)) {
        if (!range_part(i, str_char_count(self), &start, &len))
            return V_NIL;
    } else {
        start = value_int(i), len = 1;
    }
    if (!str_subpos(self, start, len, &at, &n) || (argc == 1 && !n && !range_values(i, &lo, &hi, &excl)))
        return V_NIL;
    part = str_new_share(self, at, n);
    str_splice(self, at, n, "", 0);
    return part;
}
METHOD(str_m_insert)
{
    (void)argc;
    obj_modify(self);
    int64_t at = value_int(argv[0]);
    Value v = str_get(argv[1]);
    if (at == -1) {
        str_append_str(self, v);
        return self;
    }
    if (at < 0)
        at++;
    size_t b, n;
    if (!str_subpos(self, at, 0, &b, &n))
        raise_index(at);
    splice_checked(self, b, 0, v);
    return self;
}

/* ---- bytes ---- */

static bool byte_part(Value self, int argc, const Value *argv, size_t *at, size_t *n, bool strict)
{
    int64_t total = (int64_t)str_view(self).len, start, len;
    Value lo, hi;
    bool excl;
    if (argc == 2) {
        start = value_int(argv[0]), len = value_int(argv[1]);
    } else if (range_values(argv[0], &lo, &hi, &excl)) {
        if (!range_part(argv[0], (size_t)total, &start, &len))
            return false;
    } else {
        start = value_int(argv[0]), len = 1;
        if (start >= total)
            return false;
    }
    if (start < 0)
        start += total;
    if (len < 0 && strict)
        raise_error(klass.IndexError, "negative length %lld", (long long)len);
    if (len < 0 || start < 0 || start > total)
        return false;
    *at = (size_t)start;
    *n = (size_t)MIN(len, total - start);
    return true;
}
METHOD(str_m_byteslice)
{
    size_t at, n;
    return byte_part(self, argc, argv, &at, &n, false) ? str_new_share(self, at, n) : V_NIL;
}
static void need_boundary(Value str, size_t at)
{
    StrView s = str_view(str);
    if (at < s.len && enc_left(s.enc, s.ptr, s.ptr + at, s.ptr + s.len) != s.ptr + at)
        raise_error(klass.IndexError, "offset %zu does not land on character boundary", at);
}
static void byte_part_strict(Value str, int argc, const Value *argv, size_t *at, size_t *n)
{
    Value lo, hi;
    bool excl;
    if (argc == 1 && !range_values(argv[0], &lo, &hi, &excl))
        raise_error(klass.TypeError, "wrong argument type %C (expected Range)", argv[0]);
    if (!byte_part(str, argc, argv, at, n, true)) {
        if (argc == 1)
            raise_error(klass.RangeError, "%V out of range", argv[0]);
        raise_index(value_int(argv[0]));
    }
    need_boundary(str, *at);
    need_boundary(str, *at + *n);
}
METHOD(str_m_bytesplice)
{
    obj_modify(self);
    size_t at, n, vat = 0, vn;
    Value v;
    if (argc == 4)
        raise_error(klass.ArgumentError, "wrong number of arguments (given 4, expected 2, 3, or 5)");
    int k = argc >= 3 && (argc == 5 || is_string(argv[2])) ? 2 : 1; /* position arguments of self */
    byte_part_strict(self, k, argv, &at, &n);
    v = str_get(argv[k]);
    vn = str_view(v).len;
    if (argc > k + 1)
        byte_part_strict(v, argc - k - 1, argv + k + 1, &vat, &vn);
    splice_checked(self, at, n, str_new_share(v, vat, vn));
    return self;
}

/* ---- searching ---- */

METHOD(str_m_include)
{
    (void)argc;
    Value sub = str_get(argv[0]);
    str_check_compatible(self, sub);
    return bool_value(str_find(self, sub, 0) >= 0);
}
static bool start_char(Value self, int argc, const Value *argv, int64_t *pos)
{
    *pos = argc == 2 ? value_int(argv[1]) : 0;
    int64_t len = (int64_t)str_char_count(self);
    if (*pos < 0)
        *pos += len;
    return *pos >= 0 && *pos <= len;
}
METHOD(str_m_index)
{
    int64_t pos;
    if (!start_char(self, argc, argv, &pos)) {
        if (is_regexp(argv[0]))
            frame_set_last_match(V_NIL);
        return V_NIL;
    }
    size_t from = str_char_to_byte(self, (size_t)pos);
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, from, false);
        return is_nil(m) ? V_NIL : int_fix((int64_t)str_byte_to_char(self, (size_t)((Match *)m)->pos[0]));
    }
    Value sub = str_get(argv[0]);
    str_check_compatible(self, sub);
    int64_t at = str_find(self, sub, from);
    return at < 0 ? V_NIL : int_fix((int64_t)str_byte_to_char(self, (size_t)at));
}
METHOD(str_m_byteindex)
{
    int64_t pos = argc == 2 ? value_int(argv[1]) : 0, len = (int64_t)str_view(self).len;
    if (pos < 0)
        pos += len;
    if (pos < 0 || pos > len) {
        if (is_regexp(argv[0]))
            frame_set_last_match(V_NIL);
        return V_NIL;
    }
    need_boundary(self, (size_t)pos);
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, (size_t)pos, false);
        return is_nil(m) ? V_NIL : int_fix(((Match *)m)->pos[0]);
    }
    Value sub = str_get(argv[0]);
    str_check_compatible(self, sub);
    int64_t at = str_find(self, sub, (size_t)pos);
    return at < 0 ? V_NIL : int_fix(at);
}
METHOD(str_m_rindex)
{
    int64_t len = (int64_t)str_char_count(self), pos = argc == 2 ? value_int(argv[1]) : len;
    if (pos < 0)
        pos += len;
    if (pos < 0) {
        if (is_regexp(argv[0]))
            frame_set_last_match(V_NIL);
        return V_NIL;
    }
    size_t from = str_char_to_byte(self, (size_t)MIN(pos, len));
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, from, true);
        return is_nil(m) ? V_NIL : int_fix((int64_t)str_byte_to_char(self, (size_t)((Match *)m)->pos[0]));
    }
    Value sub = str_get(argv[0]);
    str_check_compatible(self, sub);
    int64_t at = str_rfind(self, sub, from);
    return at < 0 ? V_NIL : int_fix((int64_t)str_byte_to_char(self, (size_t)at));
}
METHOD(str_m_byterindex)
{
    int64_t len = (int64_t)str_view(self).len, pos = argc == 2 ? value_int(argv[1]) : len;
    if (pos < 0)
        pos += len;
    if (pos < 0) {
        if (is_regexp(argv[0]))
            frame_set_last_match(V_NIL);
        return V_NIL;
    }
    pos = MIN(pos, len);
    need_boundary(self, (size_t)pos);
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, (size_t)pos, true);
        return is_nil(m) ? V_NIL : int_fix(((Match *)m)->pos[0]);
    }
    Value sub = str_get(argv[0]);
    str_check_compatible(self, sub);
    int64_t at = str_rfind(self, sub, (size_t)pos);
    return at < 0 ? V_NIL : int_fix(at);
}
static Value three(Value self, size_t at, size_t end, Value middle)
{
    return ary_new_from(3, (Value[]){str_new_share(self, 0, at), is_nil(middle) ? str_new_share(self, at, end - at) : str_dup(middle),
                                     str_new_share(self, end, str_view(self).len - end)});
}
METHOD(str_m_partition)
{
    (void)argc;
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, 0, false);
        if (!is_nil(m))
            return three(self, (size_t)((Match *)m)->pos[0], (size_t)((Match *)m)->pos[1], V_NIL);
    } else {
        Value sub = str_get(argv[0]);
        str_check_compatible(self, sub);
        int64_t at = str_find(self, sub, 0);
        if (at >= 0)
            return three(self, (size_t)at, (size_t)at + str_view(sub).len, sub);
    }
    return ary_new_from(3, (Value[]){str_dup(self), str_new("", 0), str_new("", 0)});
}
METHOD(str_m_rpartition)
{
    (void)argc;
    size_t len = str_view(self).len;
    if (is_regexp(argv[0])) {
        Value m = regexp_search(argv[0], self, len, true);
        if (!is_nil(m))
            return three(self, (size_t)((Match *)m)->pos[0], (size_t)((Match *)m)->pos[1], V_NIL);
    } else {
        Value sub = str_get(argv[0]);
        str_check_compatible(self, sub);
        int64_t at = str_rfind(self, sub, len);
        if (at >= 0)
            return three(self, (size_t)at, (size_t)at + str_view(sub).len, sub);
    }
    return ary_new_from(3, (Value[]){str_new("", 0), str_new("", 0), str_dup(self)});
}

/* ---- successors ----
 * The rightmost alphanumeric is raised, carrying to the alphanumerics left of it, as long as no other character lies
 * between (unless only non-alphanumerics separate the same kind); without alphanumerics the last character is raised. */

static bool alnum(char c) { return isalnum((unsigned char)c) && !(c & 0x80); }

static Value succ_codepoint(Value self) /* no ASCII letters or digits: the last character counts up, carrying leftward */
{
    StrView s = str_view(self);
    Value out = str_dup(self);
    s = str_view(self);
    size_t end = s.len;
    while (end) {
        const char *p = enc_left(s.enc, s.ptr, s.ptr + end - 1, s.ptr + s.len);
        size_t at = (size_t)(p - s.ptr), n = end - at;
        int len;
        int64_t c = enc_codepoint(s.enc, p, s.ptr + s.len, &len);
        char buf[8];
        for (int64_t next = c + 1; c >= 0 && next <= 0x10ffff; next++) {
            int k = enc_put(s.enc, (uint32_t)next, buf);
            if (!k && enc_single_byte(s.enc))
                break;
            if (!k)
                continue;
            str_splice(out, at, n, buf, (size_t)k);
            return out;
        }
        if (c < 0) {
            buf[0] = (char)((uint8_t)*p + 1);
            str_splice(out, at, 1, buf, 1);
            if (buf[0])
                return out;
        } else { /* wrapped: the least character, and go on to the left */
            buf[0] = enc_single_byte(s.enc) ? 0 : 1;
            str_splice(out, at, n, buf, 1);
        }
        end = at;
    }
    str_splice(out, 0, 0, "\1", 1);
    return out;
}
Value str_succ(Value self)
{
    StrView s = str_view(self);
    if (!s.len)
        return str_dup(self);
    if (!enc_ascii_compat(s.enc))
        return succ_codepoint(self);
    int64_t right = -1;
    for (int64_t i = (int64_t)s.len - 1; i >= 0; i--)
        if (alnum(s.ptr[i])) {
            right = i;
            break;
        }
    if (right >= 0 && !enc_single_byte(s.enc) && str_coderange(self) != CR_7BIT) {
        /* a letter beyond ASCII to the right of it counts as alphanumeric too */
        for (size_t i = s.len; i > (size_t)right + 1;) {
            const char *p = enc_left(s.enc, s.ptr, s.ptr + i - 1, s.ptr + s.len);
            int n;
            int64_t c = enc_codepoint(s.enc, p, s.ptr + s.len, &n);
            if (c >= 0x80 && ONIGENC_IS_CODE_CTYPE(enc_onig(s.enc), (OnigCodePoint)c, ONIGENC_CTYPE_ALNUM))
                return succ_codepoint(self);
            i = (size_t)(p - s.ptr);
        }
    }
    if (right < 0)
        return succ_codepoint(self);
    Value out = str_dup(self);
    str_modify(out);
    char *p = str_bytes(out);
    int64_t i = right, last = right;
    char carry = 0;
    for (;;) {
        last = i;
        char c = p[i];
        if (c == '9') {
            p[i] = '0', carry = '1';
        } else if (c == 'z') {
            p[i] = 'a', carry = 'a';
        } else if (c == 'Z') {
            p[i] = 'A', carry = 'A';
        } else {
            p[i]++;
            return out;
        }
        /* where the carry goes: the next alphanumeric to the left; a gap is crossed only between alphanumerics */
        int64_t j = i - 1;
        while (j >= 0 && !alnum(p[j]))
            j--;
        if (j < 0)
            break;
        if (j < i - 1) {
            bool letter_gap = isalpha((unsigned char)p[i]) && isdigit((unsigned char)p[j]);
            bool digit_gap = isdigit((unsigned char)p[i]) && isalpha((unsigned char)p[j]);
            if (letter_gap || digit_gap)
                break;
        }
        i = j;
    }
    str_splice(out, (size_t)last, 0, &carry, 1);
    return out;
}
METHOD(str_m_succ) { UNUSED_ARGS; return str_succ(self); }
METHOD(str_m_succ_bang)
{
    UNUSED_ARGS;
    obj_modify(self);
    str_replace(self, str_succ(self));
    return self;
}

static bool all_digits(Value v)
{
    StrView s = str_view(v);
    for (size_t i = 0; i < s.len; i++)
        if (!isdigit((unsigned char)s.ptr[i]))
            return false;
    return s.len > 0;
}
static Value upto_loop(Value from, Value to, bool excl)
{
    StrView a = str_view(from), b = str_view(to);
    if (a.len == 1 && b.len == 1 && !(a.ptr[0] & 0x80) && !(b.ptr[0] & 0x80)) {
        char c = a.ptr[0], last = b.ptr[0];
        if (c > last || (excl && c == last))
            return from;
        for (;; c++) {
            vm_yield1(str_new_enc(&c, 1, str_encoding(from)));
            if (c == last || (excl && c + 1 == last))
                return from;
        }
    }
    if (all_digits(from) && all_digits(to) && a.len <= 18 && b.len <= 18) {
        int64_t x = fix_int(str_to_integer(a.ptr, a.len, 10, false, false)), y = fix_int(str_to_integer(b.ptr, b.len, 10, false, false));
        int width = (int)a.len;
        for (; excl ? x < y : x <= y; x++) {
            vm_yield1(str_format("%0*lld", width, (long long)x));
            vm_check_interrupts();
        }
        return from;
    }
    int c = str_cmp(from, to);
    if (c > 0 || (excl && c == 0))
        return from;
    Value after = str_succ(to), current = str_dup(from);
    while (!str_equal(current, after)) {
        bool end = str_equal(current, to);
        if (excl && end)
            break;
        Value next = str_succ(current);
        vm_yield1(current);
        vm_check_interrupts();
        if (end)
            break;
        current = next;
        if (str_char_count(current) > str_char_count(to) || str_view(current).len == 0)
            break;
    }
    return from;
}
METHOD(str_m_upto)
{
    if (!block_given())
        return enumerator_for(self, sym_intern("upto"), argc, argv);
    Value last = str_get(argv[0]);
    str_check_compatible(self, last);
    return upto_loop(self, last, argc == 2 && truthy(argv[1]));
}

static const Builtin methods[] = {
    {"[]", str_m_aref, 1, 2, 0},
    {"slice", str_m_aref, 1, 2, 0},
    {"[]=", str_m_aset, 2, 3, 0},
    {"slice!", str_m_slice_bang, 1, 2, 0},
    {"insert", str_m_insert, 2, 2, 0},
    {"byteslice", str_m_byteslice, 1, 2, 0},
    {"bytesplice", str_m_bytesplice, 2, 5, 0},
    {"include?", str_m_include, 1, 1, 0},
    {"index", str_m_index, 1, 2, 0},
    {"byteindex", str_m_byteindex, 1, 2, 0},
    {"rindex", str_m_rindex, 1, 2, 0},
    {"byterindex", str_m_byterindex, 1, 2, 0},
    {"partition", str_m_partition, 1, 1, 0},
    {"rpartition", str_m_rpartition, 1, 1, 0},
    {"succ", str_m_succ, 0, 0, 0},
    {"next", str_m_succ, 0, 0, 0},
    {"succ!", str_m_succ_bang, 0, 0, 0},
    {"next!", str_m_succ_bang, 0, 0, 0},
    {"upto", str_m_upto, 1, 2, 0},
};
void string_access_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
}
