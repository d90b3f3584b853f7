/* string_case.c -- upper, lower, title case and folding; the whole of Unicode by libc's C.UTF-8 tables plus the
 * characters that map to more than one (SpecialCasing.txt of the Unicode database), which are listed here.
 */
#include "vm/core/text.h"
#include <iconv.h>
#include <locale.h>
#include <wctype.h>

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)

typedef struct Special {
    uint16_t c, upper[3];
} Special;
/* Sorted by c. Title case: the first of `upper`, then the rest in lower case; but see title_case. */
static const Special specials[] = {
    {0x00df, {0x53, 0x53}},          {0x0149, {0x2bc, 0x4e}},         {0x01f0, {0x4a, 0x30c}},
    {0x0390, {0x399, 0x308, 0x301}}, {0x03b0, {0x3a5, 0x308, 0x301}}, {0x0587, {0x535, 0x552}},
    {0x1e96, {0x48, 0x331}},         {0x1e97, {0x54, 0x308}},         {0x1e98, {0x57, 0x30a}},
    {0x1e99, {0x59, 0x30a}},         {0x1e9a, {0x41, 0x2be}},         {0x1f50, {0x3a5, 0x313}},
    {0x1f52, {0x3a5, 0x313, 0x300}}, {0x1f54, {0x3a5, 0x313, 0x301}}, {0x1f56, {0x3a5, 0x313, 0x342}},
    {0x1fb2, {0x1fba, 0x399}},       {0x1fb3, {0x391, 0x399}},        {0x1fb4, {0x386, 0x399}},
    {0x1fb6, {0x391, 0x342}},        {0x1fb7, {0x391, 0x342, 0x399}}, {0x1fbc, {0x391, 0x399}},
    {0x1fc2, {0x1fca, 0x399}},       {0x1fc3, {0x397, 0x399}},        {0x1fc4, {0x389, 0x399}},
    {0x1fc6, {0x397, 0x342}},        {0x1fc7, {0x397, 0x342, 0x399}}, {0x1fcc, {0x397, 0x399}},
    {0x1fd2, {0x399, 0x308, 0x300}}, {0x1fd3, {0x399, 0x308, 0x301}}, {0x1fd6, {0x399, 0x342}},
    {0x1fd7, {0x399, 0x308, 0x342}}, {0x1fe2, {0x3a5, 0x308, 0x300}}, {0x1fe3, {0x3a5, 0x308, 0x301}},
    {0x1fe4, {0x3a1, 0x313}},        {0x1fe6, {0x3a5, 0x342}},        {0x1fe7, {0x3a5, 0x308, 0x342}},
    {0x1ff2, {0x1ffa, 0x399}},       {0x1ff3, {0x3a9, 0x399}},        {0x1ff4, {0x38f, 0x399}},
    {0x1ff6, {0x3a9, 0x342}},        {0x1ff7, {0x3a9, 0x342, 0x399}}, {0x1ffc, {0x3a9, 0x399}},
    {0xfb00, {0x46, 0x46}},          {0xfb01, {0x46, 0x49}},          {0xfb02, {0x46, 0x4c}},
    {0xfb03, {0x46, 0x46, 0x49}},    {0xfb04, {0x46, 0x46, 0x4c}},    {0xfb05, {0x53, 0x54}},
    {0xfb06, {0x53, 0x54}},          {0xfb13, {0x544, 0x546}},        {0xfb14, {0x544, 0x535}},
    {0xfb15, {0x544, 0x53b}},        {0xfb16, {0x54e, 0x546}},        {0xfb17, {0x544, 0x53d}},
};

static locale_t utf8_locale(void)
{
    static locale_t loc;
    if (!loc)
        loc = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return loc;
}
static uint32_t upper1(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z' ? c - 32 : c;
    return utf8_locale() ? (uint32_t)towupper_l((wint_t)c, utf8_locale()) : c;
}
static uint32_t lower1(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return utf8_locale() ? (uint32_t)towlower_l((wint_t)c, utf8_locale()) : c;
}
static int special_of(uint32_t c, uint32_t out[3])
{
    if (c >= 0x1f80 && c <= 0x1faf) { /* iota subscripts: base capital, then a capital iota */
        uint32_t row = (c - 0x1f80) >> 4, base = row == 0 ? 0x1f08 : row == 1 ? 0x1f28 : 0x1f68;
        out[0] = base + (c & 7);
        out[1] = 0x399;
        return 2;
    }
    if (c < 0xdf || c > 0xfb17)
        return 0;
    size_t lo = 0, hi = COUNT_OF(specials);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (specials[mid].c == c) {
            int n = 0;
            while (n < 3 && specials[mid].upper[n])
                out[n] = specials[mid].upper[n], n++;
            return n;
        }
        if (specials[mid].c < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}
static uint32_t digraph(uint32_t c) /* the middle (title) form of DZ-like letters, or 0 */
{
    if (c >= 0x1c4 && c <= 0x1cc)
        return 0x1c5 + (c - 0x1c4) / 3 * 3;
    return c >= 0x1f1 && c <= 0x1f3 ? 0x1f2 : 0;
}
static int map_upper(uint32_t c, int flags, uint32_t out[3])
{
    if ((flags & CASE_TURKIC) && c == 'i') {
        out[0] = 0x130;
        return 1;
    }
    int n = special_of(c, out);
    if (n)
        return n;
    out[0] = upper1(c);
    return 1;
}
static int map_lower(uint32_t c, int flags, uint32_t out[3])
{
    if (flags & CASE_TURKIC) {
        if (c == 'I' || c == 0x130) {
            out[0] = c == 'I' ? 0x131 : 'i';
            return 1;
        }
    }
    if (flags & CASE_FOLD) {
        if (c == 0x1e9e) {
            out[0] = out[1] = 's';
            return 2;
        }
        int n = special_of(c, out);
        if (n) {
            for (int i = 0; i < n; i++)
                out[i] = lower1(out[i]);
            return n;
        }
        if (c == 0x131) {
            out[0] = c;
            return 1;
        }
        if (c != 0x130)
            c = upper1(c);
    }
    if (c == 0x130) {
        out[0] = 'i';
        out[1] = 0x307;
        return 2;
    }
    out[0] = lower1(c);
    return 1;
}
static int map_title(uint32_t c, int flags, uint32_t out[3])
{
    if (digraph(c)) {
        out[0] = digraph(c);
        return 1;
    }
    if ((c >= 0x10d0 && c <= 0x10ff) || (c >= 0x1f88 && c <= 0x1faf && (c & 8)) || c == 0x1fbc || c == 0x1fcc || c == 0x1ffc) {
        out[0] = c; /* Georgian has no title case; the Greek ones are title case */
        return 1;
    }
    if ((c >= 0x1f80 && c <= 0x1faf) || c == 0x1fb3 || c == 0x1fc3 || c == 0x1ff3) {
        out[0] = c + (c >= 0x1fb3 ? 9 : 8);
        return 1;
    }
    int n = map_upper(c, flags, out);
    for (int i = 1; i < n && c != 0x149; i++)
        out[i] = out[i] == 0x399 && out[0] >= 0x386 ? 0x345 : lower1(out[i]);
    return n;
}

/* Other case of the bytes beyond ASCII of a single-byte encoding, by way of Unicode; made at first use. */
typedef struct ByteCase {
    uint8_t upper[128], lower[128];
    bool ready;
} ByteCase;
static const ByteCase *byte_case(int enc)
{
    static ByteCase tables[256];
    ByteCase *t = &tables[enc];
    if (!t->ready) {
        uint32_t code[128] = {0};
        iconv_t cd = iconv_open("UTF-32LE", encoding_rows[enc].iconv);
        for (int i = 0; i < 128; i++) {
            char b = (char)(128 + i), *in = &b, *out = (char *)&code[i];
            size_t in_left = 1, out_left = 4;
            if (cd == (iconv_t)-1 || iconv(cd, &in, &in_left, &out, &out_left) == (size_t)-1)
                code[i] = 0;
            t->upper[i] = t->lower[i] = (uint8_t)(128 + i);
        }
        if (cd != (iconv_t)-1)
            iconv_close(cd);
        for (int i = 0; i < 128; i++)
            for (int k = 0; code[i] && k < 128; k++) {
                if (k != i && code[k] == upper1(code[i]))
                    t->upper[i] = (uint8_t)(128 + k);
                if (k != i && code[k] == lower1(code[i]))
                    t->lower[i] = (uint8_t)(128 + k);
            }
        t->ready = true;
    }
    return t;
}

Value str_map_case(Value str, int flags)
{
    StrView s = str_view(str);
    int enc = s.enc;
    const ByteCase *bytes = NULL;
    if (!(flags & CASE_ASCII) && enc_single_byte(enc) &&
        (!strncmp(encoding_name(enc), "ISO-8859", 8) || !strncmp(encoding_name(enc), "Windows-125", 11)))
        bytes = byte_case(enc);
    bool ascii = (flags & CASE_ASCII) || !enc_is_unicode(enc) || (str_coderange(str) == CR_7BIT && !(flags & CASE_TURKIC));
    Value out = str_buf_new(s.len + (ascii ? 0 : 8), enc);
    s = str_view(str);
    if (ascii && (enc_ascii_compat(enc))) {
        char *q = str_bytes(out);
        bool first = true;
        for (size_t i = 0; i < s.len; first = false) {
            char c = s.ptr[i];
            size_t n = c & 0x80 ? (size_t)enc_char_len(enc, s.ptr + i, s.ptr + s.len) : 1;
            if (n == 1) {
                bool up = (flags & CASE_TITLE) ? first : flags & CASE_UP, down = (flags & CASE_TITLE) ? !first : flags & CASE_DOWN;
                if (up && c >= 'a' && c <= 'z')
                    c = (char)(c - 32);
                else if (down && c >= 'A' && c <= 'Z')
                    c = (char)(c + 32);
                else if (bytes && (c & 0x80) && up && bytes->upper[(uint8_t)c - 128] != (uint8_t)c)
                    c = (char)bytes->upper[(uint8_t)c - 128];
                else if (bytes && (c & 0x80) && down)
                    c = (char)bytes->lower[(uint8_t)c - 128];
                q[i] = c;
            } else {
                memcpy(q + i, s.ptr + i, n);
            }
            i += n;
        }
        KEEP(str);
        str_buf_set_len(out, s.len);
        str_set_coderange(out, str_coderange(str));
        return out;
    }
    if (str_is_broken(str))
        raise_error(klass.ArgumentError, "input string invalid");
    bool first = true;
    for (size_t at = 0; at < s.len; first = false) {
        int n;
        int64_t c = enc_codepoint(enc, s.ptr + at, s.ptr + s.len, &n);
        uint32_t to[3] = {(uint32_t)c};
        int k;
        if (flags & CASE_TITLE)
            k = first ? map_title((uint32_t)c, flags, to) : map_lower((uint32_t)c, flags, to);
        else if ((flags & CASE_UP) && (flags & CASE_DOWN))
            k = lower1((uint32_t)c) != (uint32_t)c || c == 0x130 ? map_lower((uint32_t)c, flags, to) : map_upper((uint32_t)c, flags, to);
        else
            k = flags & CASE_UP ? map_upper((uint32_t)c, flags, to) : map_lower((uint32_t)c, flags, to);
        for (int i = 0; i < k; i++) {
            char buf[8];
            str_buf_cat(out, buf, (size_t)enc_put(enc, to[i], buf));
        }
        at += (size_t)n;
    }
    KEEP(str);
    return out;
}

int case_flags(int argc, const Value *argv, bool down)
{
    int flags = 0;
    if (argc > 2)
        raise_error(klass.ArgumentError, "too many options");
    for (int i = 0; i < argc; i++) {
        if (!is_symbol(argv[i]))
            raise_error(klass.ArgumentError, "invalid option");
        const char *t = sym_text(argv[i]);
        if (!strcmp(t, "ascii") && argc == 1)
            flags |= CASE_ASCII;
        else if (!strcmp(t, "ascii"))
            raise_error(klass.ArgumentError, i == 0 ? "too many options" : "invalid second argument: use only Lithuanian with Turkic");
        else if (!strcmp(t, "turkic"))
            flags |= CASE_TURKIC;
        else if (!strcmp(t, "lithuanian"))
            flags |= 0;
        else if (!strcmp(t, "fold") && down && argc == 1)
            flags |= CASE_FOLD;
        else if (!strcmp(t, "fold") && !down)
            raise_error(klass.ArgumentError, "option :fold only allowed for downcasing");
        else if (!strcmp(t, "fold"))
            raise_error(klass.ArgumentError, "too many options");
        else
            raise_error(klass.ArgumentError, "invalid option");
    }
    return flags;
}
#define CASE_METHODS(name, flags, down)                                                             \
    METHOD(str_m_##name)                                                                            \
    {                                                                                               \
        return str_map_case(self, (flags) | case_flags(argc, argv, down));                          \
    }                                                                                               \
    METHOD(str_m_##name##_bang)                                                                     \
    {                                                                                               \
        obj_modify(self);                                                                           \
        Value v = str_map_case(self, (flags) | case_flags(argc, argv, down));                       \
        if (str_equal(v, self))                                                                     \
            return V_NIL;                                                                           \
        str_replace(self, v);                                                                       \
        return self;                                                                                \
    }
CASE_METHODS(upcase, CASE_UP, false)
CASE_METHODS(downcase, CASE_DOWN, true)
CASE_METHODS(capitalize, CASE_TITLE, false)
CASE_METHODS(swapcase, CASE_UP | CASE_DOWN, false)

Value str_casecmp(Value a, Value b)
{
    if (str_compatible(a, b) < 0)
        return V_NIL;
    StrView s = str_view(a), t = str_view(b);
    size_t n = MIN(s.len, t.len);
    for (size_t i = 0; i < n; i++) {
        uint8_t x = (uint8_t)s.ptr[i], y = (uint8_t)t.ptr[i];
        x = (uint8_t)(x >= 'A' && x <= 'Z' ? x + 32 : x);
        y = (uint8_t)(y >= 'A' && y <= 'Z' ? y + 32 : y);
        if (x != y)
            return int_fix(x < y ? -1 : 1);
    }
    return int_fix(s.len == t.len ? 0 : s.len < t.len ? -1 : 1);
}
Value str_casecmp_p(Value a, Value b)
{
    if (str_compatible(a, b) < 0)
        return V_NIL;
    if (str_is_broken(a) || str_is_broken(b))
        return bool_value(str_casecmp(a, b) == int_fix(0));
    return bool_value(str_equal(str_map_case(a, CASE_DOWN | CASE_FOLD), str_map_case(b, CASE_DOWN | CASE_FOLD)));
}

static const Builtin methods[] = {
    {"upcase", str_m_upcase, 0, -1, 0},
    {"upcase!", str_m_upcase_bang, 0, -1, 0},
    {"downcase", str_m_downcase, 0, -1, 0},
    {"downcase!", str_m_downcase_bang, 0, -1, 0},
    {"capitalize", str_m_capitalize, 0, -1, 0},
    {"capitalize!", str_m_capitalize_bang, 0, -1, 0},
    {"swapcase", str_m_swapcase, 0, -1, 0},
    {"swapcase!", str_m_swapcase_bang, 0, -1, 0},
};
void string_case_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
}
