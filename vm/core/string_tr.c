/* string_tr.c -- class String: tr, delete, squeeze, count: sets of characters written as "a-z^..." */
#include "vm/core/text.h"

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)

/* A set text, opened up: ranges of code points in the order written.  ^ in front (of more than one character) negates. */
typedef struct CharRange {
    uint32_t from, to;
} CharRange;
typedef struct CharSet {
    CharRange *ranges;
    size_t n;
    bool negated;
    uint64_t total; /* characters in all ranges */
    uint32_t map[8]; /* bits of the first 256 code points, negation not applied */
} CharSet;

static void set_free(void *p)
{
    free(((CharSet *)p)->ranges);
}
static uint32_t code_at(StrView s, size_t *at, int *broken)
{
    int n;
    int64_t c = enc_codepoint(s.enc, s.ptr + *at, s.ptr + s.len, &n);
    if (c < 0) {
        *broken = 1;
        c = 0x80000000u | (uint8_t)s.ptr[*at];
    }
    *at += (size_t)n;
    return (uint32_t)c;
}

static void set_parse(CharSet *set, Value text, bool negation)
{
    StrView s = str_view(text);
    int broken = 0;
    memset(set, 0, sizeof *set);
    set->ranges = malloc((s.len + 1) * sizeof(CharRange));
    if (!set->ranges)
        raise_no_memory();
    size_t at = 0;
    if (negation && s.len > 1 && s.ptr[0] == '^' && str_char_count(text) > 1) {
        set->negated = true;
        at = 1;
    }
    while (at < s.len) {
        if (s.ptr[at] == '\\' && at + 1 < s.len) {
            at++;
        }
        uint32_t c = code_at(s, &at, &broken), to = c;
        if (at + 1 < s.len && s.ptr[at] == '-') {
            size_t next = at + 1;
            if (s.ptr[next] == '\\' && next + 1 < s.len)
                next++;
            to = code_at(s, &next, &broken);
            if (to < c) {
                free(set->ranges);
                set->ranges = NULL;
                char a[8] = {0}, b[8] = {0};
                enc_put(s.enc, c, a);
                enc_put(s.enc, to, b);
                raise_error(klass.ArgumentError, "invalid range \"%s-%s\" in string transliteration", a, b);
            }
            at = next;
        }
        set->ranges[set->n++] = (CharRange){c, to};
        set->total += (uint64_t)to - c + 1;
        for (uint32_t x = c; x <= to && x < 256; x++)
            set->map[x >> 5] |= 1u << (x & 31);
    }
}
static bool set_has_plain(const CharSet *set, uint32_t c)
{
    if (c < 256)
        return set->map[c >> 5] >> (c & 31) & 1;
    for (size_t i = 0; i < set->n; i++)
        if (c >= set->ranges[i].from && c <= set->ranges[i].to)
            return true;
    return false;
}
static bool set_has(const CharSet *set, uint32_t c)
{
    return set_has_plain(set, c) != set->negated;
}
/* Position of c in the order written (the last one when it stands more than once), or -1. */
static int64_t set_position(const CharSet *set, uint32_t c)
{
    int64_t at = 0, found = -1;
    for (size_t i = 0; i < set->n; i++) {
        if (c >= set->ranges[i].from && c <= set->ranges[i].to)
            found = at + (int64_t)(c - set->ranges[i].from);
        at += (int64_t)(set->ranges[i].to - set->ranges[i].from) + 1;
    }
    return found;
}
static uint32_t set_nth(const CharSet *set, uint64_t n)
{
    for (size_t i = 0; i < set->n; i++) {
        uint64_t k = (uint64_t)set->ranges[i].to - set->ranges[i].from + 1;
        if (n < k)
            return set->ranges[i].from + (uint32_t)n;
        n -= k;
    }
    return set->ranges[set->n - 1].to;
}

/* The sets of several arguments: a character must be in all. */
typedef struct CharSets {
    CharSet set[16];
    int n;
} CharSets;
static void sets_free(void *p)
{
    CharSets *sets = p;
    for (int i = 0; i < sets->n; i++)
        set_free(&sets->set[i]);
    free(sets);
}
static CharSets *sets_parse(Value self, int argc, const Value *argv)
{
    if (argc < 1)
        raise_arity(argc, 1, -1);
    if (argc > 16)
        raise_error(klass.ArgumentError, "too many character sets");
    Value texts[16];
    for (int i = 0; i < argc; i++) {
        texts[i] = str_get(argv[i]);
        str_check_compatible(self, texts[i]);
    }
    CharSets *sets = calloc(1, sizeof *sets);
    if (!sets)
        raise_no_memory();
    for (int i = 0; i < argc; i++) {
        set_parse(&sets->set[i], texts[i], true);
        sets->n = i + 1;
        KEEP(texts[i]);
    }
    return sets;
}
static bool sets_have(const CharSets *sets, uint32_t c)
{
    for (int i = 0; i < sets->n; i++)
        if (!set_has(&sets->set[i], c))
            return false;
    return true;
}

METHOD(str_m_count)
{
    CharSets *sets = sets_parse(self, argc, argv);
    StrView s = str_view(self);
    int64_t n = 0;
    int broken = 0;
    for (size_t at = 0; at < s.len;)
        n += sets_have(sets, code_at(s, &at, &broken));
    sets_free(sets);
    return int_fix(n);
}
void str_strip_sets(Value self, int argc, const Value *argv, bool left, bool right, size_t *at, size_t *end)
{
    CharSets *sets = sets_parse(self, argc, argv);
    StrView s = str_view(self);
    int broken = 0;
    *at = 0;
    *end = s.len;
    for (size_t p = 0; left && p < s.len; *at = p)
        if (!sets_have(sets, code_at(s, &p, &broken)))
            break;
    while (right && *end > *at) {
        size_t start = (size_t)(enc_left(s.enc, s.ptr, s.ptr + *end - 1, s.ptr + s.len) - s.ptr), p = start;
        if (!sets_have(sets, code_at(s, &p, &broken)))
            break;
        *end = start;
    }
    sets_free(sets);
    KEEP(self);
}
static Value delete_chars(Value self, int argc, const Value *argv) /* new String, or nil when nothing changed */
{
    CharSets *sets = sets_parse(self, argc, argv);
    Value out = str_buf_new(str_view(self).len, str_encoding(self));
    StrView s = str_view(self);
    bool changed = false;
    int broken = 0;
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        if (sets_have(sets, code_at(s, &at, &broken)))
            changed = true;
        else
            str_buf_cat(out, s.ptr + from, at - from);
    }
    sets_free(sets);
    KEEP(self);
    return changed ? out : V_NIL;
}
METHOD(str_m_delete)
{
    Value v = delete_chars(self, argc, argv);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_delete_bang)
{
    obj_modify(self);
    Value v = delete_chars(self, argc, argv);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}
static Value squeeze_chars(Value self, int argc, const Value *argv)
{
    CharSets *sets = argc ? sets_parse(self, argc, argv) : NULL;
    Value out = str_buf_new(str_view(self).len, str_encoding(self));
    StrView s = str_view(self);
    bool changed = false, have = false;
    uint32_t last = 0;
    int broken = 0;
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = code_at(s, &at, &broken);
        if (have && c == last && (!sets || sets_have(sets, c)))
            changed = true;
        else
            str_buf_cat(out, s.ptr + from, at - from);
        last = c;
        have = true;
    }
    if (sets)
        sets_free(sets);
    KEEP(self);
    return changed ? out : V_NIL;
}
METHOD(str_m_squeeze)
{
    Value v = squeeze_chars(self, argc, argv);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_squeeze_bang)
{
    obj_modify(self);
    Value v = squeeze_chars(self, argc, argv);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}

static Value translate(Value self, Value from_text, Value to_text, bool squeeze)
{
    int enc = str_check_compatible(self, from_text);
    if (str_view(to_text).len == 0)
        return delete_chars(self, 1, &from_text);
    enc = str_check_compatible(self, to_text);
    CharSet from, to;
    set_parse(&to, to_text, false);
    set_parse(&from, from_text, true); /* on an error the few bytes of `to` are lost; no promise is broken */
    Value out = str_buf_new(str_view(self).len, enc);
    StrView s = str_view(self);
    bool changed = false, have_last = false, ascii = enc_ascii_compat(s.enc) && enc_ascii_compat(enc) && !squeeze;
    uint32_t last = 0;
    int broken = 0;
    int16_t table[128]; /* what becomes of an ASCII character: itself, another one, or -1: the slow way */
    for (uint32_t c = 0; ascii && c < 128; c++) {
        bool in = from.negated ? !set_has_plain(&from, c) : set_position(&from, c) >= 0;
        uint32_t r = !in ? c : from.negated ? set_nth(&to, to.total - 1) : set_nth(&to, MIN((uint64_t)set_position(&from, c), to.total - 1));
        table[c] = r < 128 ? (int16_t)r : -1;
    }
    for (size_t at = 0; at < s.len;) {
        size_t start = at;
        if (ascii && !(s.ptr[at] & 0x80)) {
            char run[256];
            size_t n = 0;
            while (n < sizeof run && at < s.len && !(s.ptr[at] & 0x80) && table[(uint8_t)s.ptr[at]] >= 0) {
                run[n] = (char)table[(uint8_t)s.ptr[at]];
                changed |= run[n++] != s.ptr[at++];
            }
            if (n) {
                str_buf_cat(out, run, n);
                continue;
            }
        }
        uint32_t c = code_at(s, &at, &broken), r;
        if (from.negated ? set_has_plain(&from, c) : set_position(&from, c) < 0) {
            str_buf_cat(out, s.ptr + start, at - start);
            have_last = false;
            continue;
        }
        r = from.negated ? set_nth(&to, to.total - 1) : set_nth(&to, MIN((uint64_t)set_position(&from, c), to.total - 1));
        if (squeeze && have_last && last == r) {
            changed = true;
            continue;
        }
        char buf[8];
        int n = r & 0x80000000u ? (buf[0] = (char)r, 1) : enc_put(enc, r, buf);
        str_buf_cat(out, buf, (size_t)n);
        changed |= r != c;
        last = r;
        have_last = true;
    }
    set_free(&from);
    set_free(&to);
    KEEP(self);
    return changed ? out : V_NIL;
}
METHOD(str_m_tr)
{
    (void)argc;
    Value v = translate(self, str_get(argv[0]), str_get(argv[1]), false);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_tr_s)
{
    (void)argc;
    Value v = translate(self, str_get(argv[0]), str_get(argv[1]), true);
    return is_nil(v) ? str_dup(self) : v;
}
METHOD(str_m_tr_bang)
{
    (void)argc;
    obj_modify(self);
    Value v = translate(self, str_get(argv[0]), str_get(argv[1]), false);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}
METHOD(str_m_tr_s_bang)
{
    (void)argc;
    obj_modify(self);
    Value v = translate(self, str_get(argv[0]), str_get(argv[1]), true);
    if (is_nil(v))
        return V_NIL;
    str_replace(self, v);
    return self;
}

static const Builtin methods[] = {
    {"count", str_m_count, 0, -1, 0},
    {"delete", str_m_delete, 0, -1, 0},
    {"delete!", str_m_delete_bang, 0, -1, 0},
    {"squeeze", str_m_squeeze, 0, -1, 0},
    {"squeeze!", str_m_squeeze_bang, 0, -1, 0},
    {"tr", str_m_tr, 2, 2, 0},
    {"tr!", str_m_tr_bang, 2, 2, 0},
    {"tr_s", str_m_tr_s, 2, 2, 0},
    {"tr_s!", str_m_tr_s_bang, 2, 2, 0},
};
void string_tr_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
}
