/* regexp_translate.c -- Ruby's dialect of regular expressions to Oniguruma's
 *
 * Both grew from one tree; what differs is listed here and rewritten, all else is copied:
 *
 *   Ruby                             Oniguruma 6.9                      done
 *   \w \d \s mean ASCII              mean Unicode                       written out as sets; left alone under (?u)
 *   \W \D \S likewise                                                   negated sets
 *   (?a) (?u) (?d)                   (?P) etc.                          letters taken out, the mode is tracked here
 *   [[:alpha:]] under (?a) is ASCII  no such mode                       intersected with [\x00-\x7f]
 *   [[:punct:]] has $+<=>^`|~        has not                            added
 *   (?=a)* (?:(?=a)|b)*              an anchor can't be repeated         (?:(?=a)(?:)): a list can
 *   \y \Y                            text segment boundaries             y Y
 *   [[a]-x]                          unmatched range                     \-
 *   [\w-x] [a-\w]                    taken                               refused
 *   ^* \b? (?:^)*                    an anchor can't be repeated         (?:^(?:))
 *   \b under (?a) is ASCII           no such mode                        look-arounds
 *   (?<=a*) (?<=(?=a)) (?<!(a))      taken                               refused
 *   \u{1F600 1F601}, \uHHHH          one \uHHHH                         \x{H...}
 *   \xE3\x81\x82 in UTF-8            raw bytes                          checked, then written as the bytes
 *   (?#...) and, with x, # comments  same                               skipped, so nothing inside is rewritten
 *
 * The text is in the pattern's encoding; only ASCII bytes are looked at, whole characters are copied.
 */
#include "vm/core/text.h"
#include <ctype.h>
#include <stdio.h>

enum { MAX_DEPTH = 512 };
typedef struct Mode {
    bool extended, ascii, unicode;
    bool look;   /* the group is a look-around: two more brackets close it */
    bool solid;  /* it has more than anchors, so it can be repeated */
    bool behind; /* within a look-behind */
    bool absent_behind; /* within a negated one */
} Mode;
typedef struct Translator {
    StrView in;
    size_t at;
    Value out;
    int enc;     /* becomes UTF-8 by \u and the String's own by bytes beyond ASCII */
    bool fixed;
    Mode stack[MAX_DEPTH];
    int depth;
    const char *error;
} Translator;

static const char *const shorthand_set[][2] = {
    /* inside brackets, inside a negated set */
    {"a-zA-Z0-9_", "[a-zA-Z0-9_]"},
    {"0-9", "[0-9]"},
    {" \\t\\r\\n\\f\\v", "[ \\t\\r\\n\\f\\v]"},
};

static bool fail(Translator *t, const char *error)
{
    t->error = error;
    return false;
}
static Mode *mode(Translator *t)
{
    return &t->stack[t->depth];
}
static void put(Translator *t, const char *bytes, size_t n)
{
    str_buf_cat(t->out, bytes, n);
}
static void put_code(Translator *t, uint32_t c)
{
    char text[16];
    int n = snprintf(text, sizeof text, "\\x{%X}", c);
    put(t, text, (size_t)n);
}
static bool set_encoding(Translator *t, int enc)
{
    if (t->fixed && t->enc != enc && t->enc != ENC_US_ASCII)
        return fail(t, enc == ENC_UTF_8 ? "UTF-8 character in non UTF-8 regexp" : "escaped non ASCII character in UTF-8 regexp");
    t->enc = enc;
    t->fixed = true;
    return true;
}
static int hex_digits(Translator *t, size_t at, int max, uint32_t *code)
{
    int n = 0;
    *code = 0;
    while (n < max && at + (size_t)n < t->in.len && isxdigit((unsigned char)t->in.ptr[at + (size_t)n])) {
        char h = t->in.ptr[at + (size_t)n++];
        *code = *code * 16 + (uint32_t)(isdigit((unsigned char)h) ? h - '0' : (h | 32) - 'a' + 10);
    }
    return n;
}
static bool code_ok(uint32_t c)
{
    return c <= 0x10ffff && !(c >= 0xd800 && c < 0xe000);
}
static bool unicode_escape(Translator *t) /* at \u */
{
    size_t at = t->at + 2;
    uint32_t c;
    if (at < t->in.len && t->in.ptr[at] == '{') {
        bool any = false;
        at++;
        for (;;) {
            while (at < t->in.len && isspace((unsigned char)t->in.ptr[at]))
                at++;
            if (at < t->in.len && t->in.ptr[at] == '}')
                break;
            int n = hex_digits(t, at, 7, &c);
            if (!n)
                return fail(t, "invalid Unicode list");
            if (!code_ok(c))
                return fail(t, "invalid Unicode range");
            if (c >= 0x80 && !set_encoding(t, ENC_UTF_8))
                return false;
            put_code(t, c);
            any = true;
            at += (size_t)n;
        }
        if (!any)
            return fail(t, "invalid Unicode list");
        t->at = at + 1;
    } else {
        if (hex_digits(t, at, 4, &c) != 4)
            return fail(t, at >= t->in.len ? "too short escape sequence" : "invalid Unicode escape");
        if (!code_ok(c))
            return fail(t, "invalid Unicode range");
        if (c >= 0x80 && !set_encoding(t, ENC_UTF_8))
            return false;
        put_code(t, c);
        t->at = at + 4;
    }
    if (!t->fixed && !set_encoding(t, ENC_UTF_8))
        return false;
    return true;
}
/* A byte written as \xHH or \NNN: its value and length in the text, or 0. */
static int byte_escape(Translator *t, size_t at, uint32_t *byte)
{
    if (at + 1 >= t->in.len || t->in.ptr[at] != '\\')
        return 0;
    char c = t->in.ptr[at + 1];
    if (c == 'x') {
        int n = hex_digits(t, at + 2, 2, byte);
        return n ? n + 2 : 0;
    }
    return 0;
}
/* A run of escaped bytes, the first beyond ASCII: must be whole characters of the encoding. */
static bool raw_bytes(Translator *t)
{
    char bytes[16];
    size_t n = 0, at = t->at;
    uint32_t b;
    int k = byte_escape(t, at, &b);
    int enc = t->enc == ENC_US_ASCII ? t->in.enc : t->enc;
    if (enc == ENC_US_ASCII)
        enc = ENC_BINARY;
    while (k && n < 8 && (n == 0 || b >= 0x80)) {
        bytes[n++] = (char)b;
        at += (size_t)k;
        if (enc_precise_len(enc, bytes, bytes + n) == (int)n) {
            if (!set_encoding(t, enc))
                return false;
            if (n == 1) {
                char text[8];
                put(t, text, (size_t)snprintf(text, sizeof text, "\\x%02X", (uint8_t)bytes[0]));
            } else {
                put(t, bytes, n);
            }
            t->at = at;
            return true;
        }
        k = byte_escape(t, at, &b);
    }
    return fail(t, "invalid multibyte escape");
}
static bool range_follows(Translator *t)
{
    return t->at + 1 < t->in.len && t->in.ptr[t->at] == '-' && t->in.ptr[t->at + 1] != ']';
}
/* \w \d \s and their negations; in: within brackets. */
static bool shorthand(Translator *t, char c, bool in)
{
    int row = c == 'w' || c == 'W' ? 0 : c == 'd' || c == 'D' ? 1 : 2;
    t->at += 2;
    if (mode(t)->unicode) {
        char text[3] = {'\\', c, 0};
        put(t, text, 2);
        return true;
    }
    const char *body = shorthand_set[row][0];
    bool negated = c < 'a';
    if (!in || negated) {
        put(t, negated ? "[^" : "[", negated ? 2 : 1);
        put(t, body, strlen(body));
        put(t, "]", 1);
    } else {
        put(t, shorthand_set[row][1], strlen(shorthand_set[row][1]));
    }
    if (in && range_follows(t))
        return fail(t, "unmatched range specifier in char-class");
    return true;
}
static bool escape(Translator *t, bool in)
{
    if (t->at + 1 >= t->in.len)
        return fail(t, "too short escape sequence");
    char c = t->in.ptr[t->at + 1];
    uint32_t b;
    switch (c) {
    case 'u':
        return unicode_escape(t);
    case 'y': case 'Y':
        put(t, &c, 1);
        t->at += 2;
        return true;
    case 'w': case 'W': case 'd': case 'D': case 's': case 'S':
        return shorthand(t, c, in);
    case 'x':
        if (t->at + 2 < t->in.len && t->in.ptr[t->at + 2] == '{')
            break;
        if (!byte_escape(t, t->at, &b))
            return fail(t, "invalid hex escape");
        if (b >= 0x80)
            return raw_bytes(t);
        {
            char text[8];
            put(t, text, (size_t)snprintf(text, sizeof text, "\\x%02X", b));
            t->at += (size_t)byte_escape(t, t->at, &b);
            return true;
        }
    case 'p': case 'P': {
        /* names are kept; the whole group is copied so that nothing in it is taken for more */
        const char *close = t->at + 2 < t->in.len && t->in.ptr[t->at + 2] == '{' ? memchr(t->in.ptr + t->at, '}', t->in.len - t->at) : NULL;
        if (close) { /* within brackets, so that (?i) applies */
            put(t, "[", in ? 0 : 1);
            put(t, t->in.ptr + t->at, (size_t)(close - t->in.ptr) + 1 - t->at);
            put(t, "]", in ? 0 : 1);
            t->at = (size_t)(close - t->in.ptr) + 1;
            return true;
        }
        break;
    }
    default:
        break;
    }
    /* \ and one whole character */
    int n = enc_char_len(t->in.enc, t->in.ptr + t->at + 1, t->in.ptr + t->in.len);
    put(t, t->in.ptr + t->at, 1 + (size_t)n);
    t->at += 1 + (size_t)n;
    return true;
}
static bool set(Translator *t, int depth) /* at [ */
{
    if (depth > 200)
        return fail(t, "too deep nest level");
    put(t, "[", 1);
    t->at++;
    if (t->at < t->in.len && t->in.ptr[t->at] == '^') {
        put(t, "^", 1);
        t->at++;
    }
    if (t->at < t->in.len && t->in.ptr[t->at] == ']') {
        /* ] first stands for itself when another one closes */
        if (!memchr(t->in.ptr + t->at + 1, ']', t->in.len - t->at - 1))
            return fail(t, "empty char-class");
        put(t, "\\]", 2);
        t->at++;
    }
    enum { NOTHING, CHAR, CHAR_AND_MINUS } before = NOTHING; /* what may begin a range */
    while (t->at < t->in.len) {
        char c = t->in.ptr[t->at];
        if (c == ']') {
            put(t, "]", 1);
            t->at++;
            return true;
        }
        if (c == '\\') {
            bool one = t->at + 1 < t->in.len && !strchr("wWdDsSpPhH", t->in.ptr[t->at + 1]);
            before = one && before != CHAR_AND_MINUS ? CHAR : NOTHING;
            if (!escape(t, true))
                return false;
            continue;
        }
        if (c == '-' && t->at + 2 < t->in.len && t->in.ptr[t->at + 1] == '\\' && before == CHAR &&
            strchr("wWdDsS", t->in.ptr[t->at + 2]))
            return fail(t, "char-class value at end of range");
        before = before == CHAR && c == '-' ? CHAR_AND_MINUS : before == CHAR_AND_MINUS || c == '[' ? NOTHING : CHAR;
        if (c == '[') {
            if (t->at + 1 < t->in.len && t->in.ptr[t->at + 1] == ':') {
                const char *end = memmem(t->in.ptr + t->at, t->in.len - t->at, ":]", 2);
                if (end) {
                    size_t n = (size_t)(end - t->in.ptr) + 2 - t->at;
                    bool negated = n > 3 && t->in.ptr[t->at + 2] == '^';
                    size_t name = t->at + 2 + negated;
                    if (t->in.len - name >= 7 && !memcmp(t->in.ptr + name, "punct:]", 7)) { /* symbols count, too */
                        static const char set_text[] = "[:punct:]$+<=>\\^`|~]";
                        put(t, negated ? "[^" : "[", negated ? 2 : 1);
                        put(t, set_text, sizeof set_text - 1);
                    } else if (mode(t)->ascii && !negated) {
                        put(t, "[", 1);
                        put(t, t->in.ptr + t->at, n);
                        put(t, "&&\\x00-\\x7f]", 12);
                    } else if (mode(t)->ascii) {
                        put(t, "[", 1);
                        put(t, t->in.ptr + t->at, n);
                        put(t, "[^\\x00-\\x7f]]", 14);
                    } else {
                        put(t, t->in.ptr + t->at, n);
                    }
                    t->at += n;
                    continue;
                }
            }
            if (!set(t, depth + 1))
                return false;
            if (range_follows(t)) { /* behind a set it stands for itself */
                put(t, "\\-", 2);
                t->at++;
            }
            continue;
        }
        int n = enc_char_len(t->in.enc, t->in.ptr + t->at, t->in.ptr + t->in.len);
        put(t, t->in.ptr + t->at, (size_t)n);
        t->at += (size_t)n;
    }
    return fail(t, "premature end of char-class");
}
static bool push(Translator *t)
{
    if (t->depth + 1 >= MAX_DEPTH)
        return fail(t, "too deep nest level");
    t->stack[t->depth + 1] = t->stack[t->depth];
    t->depth++;
    mode(t)->look = mode(t)->solid = false;
    return true;
}
/* At "(?" with option letters: (?imxadu-imx) or (?...:  */
static bool options(Translator *t, bool *done)
{
    size_t p = t->at + 2;
    bool off = false, close = false, colon = false;
    Mode m = *mode(t);
    m.look = m.solid = false;
    char kept[32];
    size_t k = 0;
    *done = false;
    for (; p < t->in.len; p++) {
        char c = t->in.ptr[p];
        if (c == ')' || c == ':') {
            close = c == ')';
            colon = c == ':';
            break;
        }
        if (c == '-') {
            off = true;
            kept[k++] = c;
        } else if (c == 'x' || c == 'i' || c == 'm') {
            if (c == 'x')
                m.extended = !off;
            kept[k++] = c;
        } else if (!off && (c == 'a' || c == 'u' || c == 'd')) {
            m.ascii = c == 'a';
            m.unicode = c == 'u';
        } else {
            return true; /* another construct, or an error that Oniguruma reports */
        }
        if (k >= sizeof kept - 4)
            return true;
    }
    if (!close && !colon)
        return true;
    *done = true;
    if (close) { /* lasts to the end of the enclosing group */
        if (k) {
            put(t, "(?", 2);
            put(t, kept, k);
            put(t, ")", 1);
        }
        m.look = mode(t)->look;
        m.solid = mode(t)->solid;
        *mode(t) = m;
        t->at = p + 1;
        return true;
    }
    put(t, "(?", 2);
    put(t, kept, k);
    put(t, ":", 1);
    t->at = p + 1;
    if (!push(t))
        return false;
    *mode(t) = m;
    return true;
}
static bool repeat_at(const Translator *t, size_t at)
{
    if (at >= t->in.len || !t->in.ptr[at])
        return false;
    return strchr("?*+", t->in.ptr[at]) ||
           (t->in.ptr[at] == '{' && at + 1 < t->in.len && (isdigit((unsigned char)t->in.ptr[at + 1]) || t->in.ptr[at + 1] == ','));
}
/* An anchor of n bytes; one that is repeated goes into a list. */
static void anchor(Translator *t, size_t n)
{
    static const char word[] = "(?:(?<=[a-zA-Z0-9_])(?![a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?=[a-zA-Z0-9_])|(?!))",
                      not_word[] = "(?:(?<=[a-zA-Z0-9_])(?=[a-zA-Z0-9_])|(?<![a-zA-Z0-9_])(?![a-zA-Z0-9_])|(?!))";
    char c = t->in.ptr[t->at + n - 1];
    bool repeated = repeat_at(t, t->at + n);
    if (repeated)
        put(t, "(?:", 3);
    if (mode(t)->ascii && n == 2 && (c == 'b' || c == 'B'))
        str_buf_puts(t->out, c == 'b' ? word : not_word);
    else
        put(t, t->in.ptr + t->at, n);
    if (repeated)
        put(t, "(?:))", 5);
    t->at += n;
}
static bool run(Translator *t)
{
    while (t->at < t->in.len) {
        char c = t->in.ptr[t->at];
        if (c == '^' || c == '$') {
            anchor(t, 1);
        } else if (c == '\\' && t->at + 1 < t->in.len && t->in.ptr[t->at + 1] && strchr("AbBzZG", t->in.ptr[t->at + 1])) {
            anchor(t, 2);
        } else if (c == '\\') {
            if (mode(t)->behind && t->at + 1 < t->in.len && t->in.ptr[t->at + 1] && strchr("RXk123456789", t->in.ptr[t->at + 1]))
                return fail(t, "invalid pattern in look-behind");
            mode(t)->solid = true;
            if (!escape(t, false))
                return false;
        } else if (c == '[') {
            mode(t)->solid = true;
            if (!set(t, 0))
                return false;
        } else if (mode(t)->behind && strchr("*+?", c) && c) {
            return fail(t, "invalid pattern in look-behind"); /* of a length that varies */
        } else if (c == '#' && mode(t)->extended) {
            while (t->at < t->in.len && t->in.ptr[t->at] != '\n')
                t->at++;
        } else if (c == '(') {
            if (t->at + 1 < t->in.len && t->in.ptr[t->at + 1] == '?') {
                if (t->at + 2 < t->in.len && t->in.ptr[t->at + 2] == '#') {
                    size_t p = t->at + 3;
                    while (p < t->in.len && t->in.ptr[p] != ')')
                        p += t->in.ptr[p] == '\\' ? 2 : 1;
                    if (p >= t->in.len)
                        return fail(t, "end pattern in group");
                    t->at = p + 1;
                    continue;
                }
                bool done;
                if (!options(t, &done))
                    return false;
                if (done)
                    continue;
                if (t->at + 2 < t->in.len && t->in.ptr[t->at + 2] == '(') { /* condition: its parentheses close themselves */
                    const char *close = memchr(t->in.ptr + t->at + 3, ')', t->in.len - t->at - 3);
                    if (close && t->in.ptr[t->at + 3] == '\'' && close[-1] == '\'') { /* (?('name')... */
                        put(t, "(?(<", 4);
                        put(t, t->in.ptr + t->at + 4, (size_t)(close - t->in.ptr) - 1 - (t->at + 4));
                        put(t, ">)", 2);
                        t->at = (size_t)(close - t->in.ptr) + 1;
                        if (!push(t))
                            return false;
                        continue;
                    }
                    if (close) {
                        put(t, t->in.ptr + t->at, (size_t)(close - t->in.ptr) + 1 - t->at);
                        t->at = (size_t)(close - t->in.ptr) + 1;
                        if (!push(t))
                            return false;
                        continue;
                    }
                }
            }
            const char *rest = t->in.ptr + t->at + 1;
            size_t left = t->in.len - t->at - 1;
            bool look = left >= 2 && rest[0] == '?' &&
                        (rest[1] == '=' || rest[1] == '!' || (left >= 3 && rest[1] == '<' && (rest[2] == '=' || rest[2] == '!')));
            bool behind = look && rest[1] == '<', absent = behind && rest[2] == '!';
            bool captures = left < 1 || rest[0] != '?' || (left >= 2 && (rest[1] == '<' || rest[1] == '\''));
            if (mode(t)->behind && ((look && !behind) || (left >= 2 && rest[0] == '?' && rest[1] == '>')))
                return fail(t, "invalid pattern in look-behind");
            if (mode(t)->absent_behind && captures && !look)
                return fail(t, "invalid pattern in look-behind");
            put(t, look ? "(?:(" : "(", look ? 4 : 1);
            t->at++;
            if (!push(t))
                return false;
            mode(t)->look = look;
            mode(t)->behind |= behind;
            mode(t)->absent_behind |= absent;
            if (left >= 2 && rest[0] == '?') { /* its mark, so that no ? is taken for a repeat */
                size_t mark = behind ? 3 : look || rest[1] == ':' || rest[1] == '>' || rest[1] == '<' || rest[1] == '\'' ? 2 : 1;
                put(t, rest, mark);
                t->at += mark;
            }
        } else if (c == '{') { /* {n,m} with n > m means something else to Oniguruma */
            unsigned lo, hi;
            int used = 0;
            char text[24];
            snprintf(text, sizeof text, "%.*s", (int)MIN((size_t)23, t->in.len - t->at), t->in.ptr + t->at);
            if (sscanf(text, "{%9u,%9u}%n", &lo, &hi, &used) == 2 && used && lo > hi)
                return fail(t, "upper is smaller than lower in repeat range");
            if (mode(t)->behind && used && lo != hi)
                return fail(t, "invalid pattern in look-behind");
            put(t, "{", 1);
            t->at++;
        } else if (c == ')') {
            bool look = mode(t)->look && t->depth > 0, solid = mode(t)->solid;
            if (t->depth > 0)
                t->depth--;
            mode(t)->solid |= solid || look;
            if (!solid && !look && repeat_at(t, t->at + 1))
                put(t, "(?:)", 4);
            put(t, look ? ")(?:))" : ")", look ? 6 : 1);
            t->at++;
        } else {
            int n = enc_char_len(t->in.enc, t->in.ptr + t->at, t->in.ptr + t->in.len);
            if (c == '|' && !mode(t)->solid)
                put(t, "(?:)", 4);
            mode(t)->solid = c != '|';
            put(t, t->in.ptr + t->at, (size_t)n);
            t->at += (size_t)n;
        }
    }
    return true;
}

Value regexp_translate(Value source, int opts, int *enc, bool *fixed, const char **err)
{
    Translator *t = calloc(1, sizeof *t);
    if (!t)
        raise_no_memory();
    Value out = str_buf_new(str_view(source).len + 32, str_encoding(source));
    t->in = str_view(source);
    t->out = out;
    t->enc = ENC_US_ASCII;
    t->stack[0].extended = opts & RE_EXTENDED;
    if (str_coderange(source) != CR_7BIT) {
        t->enc = t->in.enc;
        t->fixed = true;
    }
    *err = NULL;
    if (str_is_broken(source))
        t->error = "invalid multibyte character";
    else
        run(t);
    *enc = t->enc;
    *fixed = t->fixed;
    const char *error = t->error;
    free(t);
    KEEP(source);
    if (error) {
        *err = error;
        return V_NIL;
    }
    return out;
}
