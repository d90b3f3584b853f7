/* regex_parse.c -- source of a regular expression to the matcher's tree
 *
 * Follows CRuby's dialect as regexp_translate.c lists it.  Sources come here after Oniguruma compiled them, so errors need
 * no words: whatever is odd, out of reach or wrong gives up (false), and Oniguruma's program is used.
 */
#include "vm/core/regex.h"
#include <ctype.h>

enum { MAX_DEPTH = 100, MAX_REPEAT = 100000, BLOCK_NODES = 64 };
typedef enum Words { WORDS_DEFAULT, WORDS_ASCII, WORDS_UNICODE } Words; /* (?d) (?a) (?u) */
typedef struct Mode {
    bool ignore_case, dot_all, extended;
    Words words;
} Mode;
typedef struct NodeBlock {
    struct NodeBlock *next;
    int used;
    RegexNode nodes[BLOCK_NODES];
} NodeBlock;
typedef struct Parser {
    RegexTree *tree;
    const char *p, *end;
    int source_enc, enc;
    int depth, behind;    /* nesting; of look-behinds */
    bool named;           /* plain parentheses don't capture */
    uint32_t last_folded; /* literal before, in lower case, while it ignores case; 0 */
    RangeSet *across;     /* of the outermost brackets: members other than \w, whose case may lead out of ASCII */
    struct {
        const char *name;
        size_t len;
        uint32_t group;
    } *names;
    int nnames;
    bool failed;
} Parser;

static RegexNode *fail(Parser *p)
{
    p->failed = true;
    return NULL;
}
static RegexNode *node_new(Parser *p, RegexKind kind)
{
    NodeBlock *b = p->tree->blocks;
    if (!b || b->used == BLOCK_NODES) {
        b = calloc(1, sizeof *b);
        if (!b)
            return fail(p);
        b->next = p->tree->blocks;
        p->tree->blocks = b;
    }
    RegexNode *n = &b->nodes[b->used++];
    n->kind = kind;
    return n;
}
static RegexNode *node_value(Parser *p, RegexKind kind, uint32_t value)
{
    RegexNode *n = node_new(p, kind);
    if (n)
        n->value = value;
    return n;
}
static RegexNode *node_set(Parser *p, RangeSet *set) /* takes the set */
{
    RegexTree *t = p->tree;
    if (set->failed || !(t->nsets & (t->nsets + 1))) { /* room doubles at 0, 1, 3, 7, ... */
        RangeSet *sets = set->failed ? NULL : realloc(t->sets, (2 * (size_t)t->nsets + 2) * sizeof *sets);
        if (!sets) {
            range_set_free(set);
            return fail(p);
        }
        t->sets = sets;
    }
    t->sets[t->nsets] = *set;
    return node_value(p, RX_SET, t->nsets++);
}
static uint32_t max_code(const Parser *p)
{
    return enc_is_utf8(p->enc) ? 0x10ffff : 0xff;
}

/* ---- characters ---- */

static int peek(const Parser *p)
{
    return p->p < p->end ? (uint8_t)*p->p : -1;
}
static bool accept(Parser *p, char c)
{
    if (peek(p) != (uint8_t)c)
        return false;
    p->p++;
    return true;
}
static uint32_t next_char(Parser *p)
{
    int n;
    int64_t c = enc_codepoint(p->source_enc, p->p, p->end, &n);
    if (c < 0 || (c >= 0x80 && enc_onig(p->source_enc) != enc_onig(p->enc))) {
        fail(p);
        return 0;
    }
    p->p += n;
    return (uint32_t)c;
}
static int digits(Parser *p, int base, int max, uint32_t *code)
{
    int n = 0;
    *code = 0;
    for (; n < max && p->p < p->end; n++, p->p++) {
        int c = tolower((uint8_t)*p->p), d = isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (d >= base)
            break;
        *code = *code * (uint32_t)base + (uint32_t)d;
    }
    return n;
}
/* \xHH behind the x.  Bytes beyond ASCII make up one character of UTF-8. */
static bool hex_escape(Parser *p, uint32_t *code)
{
    if (!digits(p, 16, 2, code))
        return fail(p), false;
    if (*code < 0x80 || !enc_is_utf8(p->enc))
        return true;
    char bytes[4] = {(char)*code};
    int n = 1, len;
    while (n < 4 && !utf8_valid_len((uint8_t *)bytes, (uint8_t *)bytes + n)) {
        uint32_t b;
        if (p->end - p->p < 4 || p->p[0] != '\\' || p->p[1] != 'x')
            return fail(p), false;
        p->p += 2;
        if (digits(p, 16, 2, &b) != 2)
            return fail(p), false;
        bytes[n++] = (char)b;
    }
    int64_t c = enc_codepoint(ENC_UTF_8, bytes, bytes + n, &len);
    if (c < 0 || len != n)
        return fail(p), false;
    *code = (uint32_t)c;
    return true;
}
/* The character that an escape denotes, behind the backslash; false (and nothing read) when it denotes something else. */
static bool escaped_char(Parser *p, bool in_set, uint32_t *code)
{
    static const char from[] = "tnrfvae", to[] = "\t\n\r\f\v\a\033";
    int c = peek(p);
    const char *simple = c > 0 ? strchr(from, c) : NULL;
    if (simple) {
        p->p++;
        *code = (uint8_t)to[simple - from];
        return true;
    }
    switch (c) {
    case -1:
        return fail(p), false;
    case 'x':
        p->p++;
        return hex_escape(p, code);
    case 'u':
        if (p->end - p->p > 1 && p->p[1] == '{')
            return fail(p), false; /* a list: see unicode_list */
        p->p++;
        if (digits(p, 16, 4, code) != 4 || *code > max_code(p))
            return fail(p), false;
        return true;
    case '0':
        digits(p, 8, 3, code);
        return *code < 0x80 ? true : (fail(p), false);
    case 'c':
        if (p->end - p->p < 2 || (uint8_t)p->p[1] >= 0x80 || p->p[1] == '\\' || p->p[1] == '?')
            return fail(p), false;
        *code = p->p[1] & 0x1f;
        p->p += 2;
        return true;
    case 'b':
        if (!in_set)
            return false;
        p->p++;
        *code = '\b';
        return true;
    case 'w': case 'W': case 'd': case 'D': case 's': case 'S': case 'h': case 'H': case 'p': case 'P': case 'R': case 'X':
        return false;
    case 'C': case 'M':
    case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return fail(p), false;
    case 'A': case 'B': case 'z': case 'Z': case 'G': case 'K': case 'k': case 'g':
        if (!in_set)
            return false;
        break;
    default:
        break;
    }
    *code = next_char(p);
    return !p->failed;
}
/* \u{...} at its brace; up to 16 characters. */
static int unicode_list(Parser *p, uint32_t codes[16])
{
    int n = 0;
    p->p++;
    for (;;) {
        while (peek(p) >= 0 && isspace(peek(p)))
            p->p++;
        if (accept(p, '}'))
            return n;
        if (n == 16 || !digits(p, 16, 6, &codes[n]) || codes[n] > max_code(p))
            return fail(p), 0;
        n++;
    }
}

/* ---- sets ---- */

static bool add_ascii(RangeSet *set, const char *ranges, bool negated, uint32_t max)
{
    RangeSet s = {0};
    for (; *ranges; ranges += 2)
        range_set_add(&s, (uint8_t)ranges[0], (uint8_t)ranges[1]);
    range_set_normalize(&s);
    if (negated)
        range_set_negate(&s, max);
    range_set_add_set(set, &s);
    range_set_free(&s);
    return !set->failed;
}
/* \w \d \s \h \p{} and their negations, behind the backslash; false: it's another escape. */
static bool class_escape(Parser *p, Mode mode, RangeSet *set)
{
    int c = peek(p);
    bool negated = c >= 'A' && c <= 'Z';
    bool unicode = mode.words == WORDS_UNICODE;
    switch (tolower(c)) {
    case 'w':
        p->p++;
        return unicode ? range_set_add_ctype(set, p->enc, ONIGENC_CTYPE_WORD, false, negated)
                       : add_ascii(set, "azAZ09__", negated, max_code(p));
    case 'd':
        p->p++;
        return unicode ? range_set_add_ctype(set, p->enc, ONIGENC_CTYPE_DIGIT, false, negated)
                       : add_ascii(set, "09", negated, max_code(p));
    case 's':
        p->p++;
        return unicode ? range_set_add_ctype(set, p->enc, ONIGENC_CTYPE_SPACE, false, negated)
                       : add_ascii(set, "  \t\r", negated, max_code(p));
    case 'h':
        p->p++;
        return add_ascii(set, "09afAF", negated, max_code(p));
    case 'p': {
        const char *close = p->end - p->p > 1 && p->p[1] == '{' ? memchr(p->p, '}', (size_t)(p->end - p->p)) : NULL;
        if (!close)
            return fail(p), false;
        const char *name = p->p + 2;
        if (name < close && *name == '^') {
            negated = !negated;
            name++;
        }
        OnigEncoding e = enc_onig(p->enc);
        int type = e->property_name_to_ctype(e, (OnigUChar *)name, (OnigUChar *)close);
        p->p = close + 1;
        if (type < 0 || !range_set_add_ctype(set, p->enc, type, false, negated))
            return fail(p), false;
        return true;
    }
    default:
        return false;
    }
}
/* [:name:] at its bracket; false: it's a set within the set. */
static bool posix_bracket(Parser *p, Mode mode, RangeSet *set)
{
    static const struct {
        const char *name;
        int ctype;
    } names[] = {
        {"alnum", ONIGENC_CTYPE_ALNUM}, {"alpha", ONIGENC_CTYPE_ALPHA}, {"blank", ONIGENC_CTYPE_BLANK},
        {"cntrl", ONIGENC_CTYPE_CNTRL}, {"digit", ONIGENC_CTYPE_DIGIT}, {"graph", ONIGENC_CTYPE_GRAPH},
        {"lower", ONIGENC_CTYPE_LOWER}, {"print", ONIGENC_CTYPE_PRINT}, {"punct", ONIGENC_CTYPE_PUNCT},
        {"space", ONIGENC_CTYPE_SPACE}, {"upper", ONIGENC_CTYPE_UPPER}, {"xdigit", ONIGENC_CTYPE_XDIGIT},
        {"ascii", ONIGENC_CTYPE_ASCII}, {"word", ONIGENC_CTYPE_WORD},
    };
    if (p->end - p->p < 2 || p->p[1] != ':')
        return false;
    const char *name = p->p + 2, *close = memmem(name, (size_t)(p->end - name), ":]", 2);
    if (!close)
        return false;
    bool negated = *name == '^';
    name += negated;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        size_t n = strlen(names[i].name);
        if ((size_t)(close - name) == n && !memcmp(name, names[i].name, n)) {
            p->p = close + 2;
            if (!range_set_add_ctype(set, p->enc, names[i].ctype, mode.words == WORDS_ASCII, negated))
                fail(p);
            if (names[i].ctype != ONIGENC_CTYPE_WORD && names[i].ctype != ONIGENC_CTYPE_ASCII && mode.words != WORDS_ASCII)
                range_set_add_set(p->across, set);
            return true;
        }
    }
    fail(p);
    return true;
}
static void parse_set(Parser *p, Mode mode, RangeSet *out, bool inner);
static void set_add(Parser *p, RangeSet *set, uint32_t first, uint32_t last)
{
    range_set_add(set, first, last);
    range_set_add(p->across, first, last);
}
/* What stands before the next && or the closing bracket, into *set. */
static void set_items(Parser *p, Mode mode, RangeSet *set)
{
    while (!p->failed) {
        int c = peek(p);
        uint32_t first = 0, last;
        bool simple = true;
        if (c < 0) {
            fail(p);
            return;
        }
        if (c == ']' || (c == '&' && p->end - p->p > 1 && p->p[1] == '&'))
            return;
        if (c == '[') {
            simple = false;
            if (!posix_bracket(p, mode, set))
                parse_set(p, mode, set, true);
        } else if (c == '\\') {
            p->p++;
            if (peek(p) == 'u' && p->end - p->p > 1 && p->p[1] == '{') {
                uint32_t codes[16];
                p->p++;
                int n = unicode_list(p, codes);
                for (int i = 0; i + 1 < n; i++)
                    set_add(p, set, codes[i], codes[i]);
                first = n ? codes[n - 1] : (fail(p), 0);
            } else if (class_escape(p, mode, set)) {
                simple = false;
                if (p->p[-1] != 'w' && p->p[-1] != 'W') /* \p{} and others */
                    range_set_add_set(p->across, set);
            } else if (p->failed || !escaped_char(p, true, &first)) {
                fail(p);
            }
        } else {
            first = next_char(p);
        }
        if (p->failed)
            return;
        bool range = peek(p) == '-' && p->end - p->p > 1 && p->p[1] != ']';
        if (!simple) {
            if (range) { /* behind a class it stands for itself */
                p->p++;
                set_add(p, set, '-', '-');
            }
            continue;
        }
        last = first;
        if (range) {
            p->p++;
            c = peek(p);
            if (c == '[' || c == '&') {
                fail(p);
                return;
            }
            if (c == '\\') {
                p->p++;
                if (!escaped_char(p, true, &last)) {
                    fail(p);
                    return;
                }
            } else {
                last = next_char(p);
            }
            if (peek(p) == '-' && p->end - p->p > 1 && p->p[1] != ']') { /* [a-z-9] */
                p->p++;
                set_add(p, set, '-', '-');
            }
        }
        if (last < first)
            fail(p);
        set_add(p, set, first, last);
    }
}
/* At the opening bracket; adds to *out. */
static void parse_set(Parser *p, Mode mode, RangeSet *out, bool inner)
{
    RangeSet all = {0};
    bool first = true;
    RangeSet across = {0};
    if (++p->depth > MAX_DEPTH) {
        fail(p);
        return;
    }
    if (!inner)
        p->across = &across;
    p->p++;
    bool negated = accept(p, '^');
    if (peek(p) == ']') { /* stands for itself when another one closes */
        p->p++;
        set_add(p, &all, ']', ']');
        if (peek(p) == '-')
            fail(p);
    }
    for (;;) {
        RangeSet part = {0};
        set_items(p, mode, &part);
        if (p->failed) {
            range_set_free(&part);
            break;
        }
        if (first) {
            range_set_add_set(&all, &part);
            range_set_normalize(&all);
        } else {
            range_set_normalize(&part);
            range_set_intersect(&all, &part);
        }
        range_set_free(&part);
        first = false;
        if (accept(p, ']'))
            break;
        p->p += 2; /* && */
    }
    if (!p->failed) {
        if (mode.ignore_case && !inner) {
            range_set_normalize(&across);
            if (!range_set_fold(&all, &across, p->enc, negated))
                fail(p);
        }
        if (negated)
            range_set_negate(&all, max_code(p));
        range_set_add_set(out, &all);
    }
    range_set_free(&all);
    range_set_free(&across);
    p->depth--;
}

/* ---- expressions ---- */

static RegexNode *parse_alternatives(Parser *p, Mode mode);

static RegexNode *literal(Parser *p, Mode mode, uint32_t c)
{
    if (!mode.ignore_case)
        return node_value(p, RX_CHAR, c);
    /* Two letters may be one: ss, ff, fi, fl, st. */
    uint32_t low = c < 0x80 ? (uint32_t)tolower((int)c) : c, before = p->last_folded;
    if ((before == 's' && (low == 's' || low == 't')) || (before == 'f' && (low == 'f' || low == 'i' || low == 'l')))
        p->tree->ascii_only = true;
    p->last_folded = low;
    if ((c >= 0x2b0 && c < 0x400) || (c >= 0x530 && c < 0x590)) /* so may be modifiers, Greek, Armenian */
        p->tree->ascii_only = true;
    RangeSet set = {0};
    range_set_add(&set, c, c);
    if (c >= 0x80 || !enc_is_utf8(p->enc)) {
        if (!range_set_fold(&set, &set, p->enc, false)) {
            range_set_free(&set);
            return fail(p);
        }
    } else if (isalpha((int)c)) {
        range_set_add(&set, c ^ 0x20, c ^ 0x20);
        if (low == 's' || low == 'k') /* long s, Kelvin */
            range_set_add(&set, low == 's' ? 0x17f : 0x212a, low == 's' ? 0x17f : 0x212a);
        range_set_normalize(&set);
    }
    if (set.n == 1 && set.r[0][0] == set.r[0][1]) {
        range_set_free(&set);
        return node_value(p, RX_CHAR, c);
    }
    return node_set(p, &set);
}
static RegexNode *anchor(Parser *p, RegexAnchor how, Mode mode)
{
    RegexNode *n = node_new(p, RX_ANCHOR);
    if (n) {
        n->how = (uint8_t)how;
        n->ascii = mode.words == WORDS_ASCII;
    }
    return n;
}
static RegexNode *dot(Parser *p, Mode mode)
{
    RangeSet set = {0};
    if (!mode.dot_all) {
        range_set_add(&set, 0, '\n' - 1);
        range_set_add(&set, '\n' + 1, max_code(p));
    } else {
        range_set_add(&set, 0, max_code(p));
    }
    return node_set(p, &set);
}
/* \R: an atomic group of CR LF or one character that ends a line. */
static RegexNode *line_break(Parser *p)
{
    RegexNode *atomic = node_new(p, RX_ATOMIC), *alt = node_new(p, RX_ALT), *both = node_new(p, RX_CAT);
    RangeSet set = {0};
    range_set_add(&set, '\n', '\r');
    if (enc_is_utf8(p->enc)) {
        range_set_add(&set, 0x85, 0x85);
        range_set_add(&set, 0x2028, 0x2029);
    }
    RegexNode *one = node_set(p, &set), *cr = node_value(p, RX_CHAR, '\r'), *lf = node_value(p, RX_CHAR, '\n');
    if (p->failed)
        return NULL;
    both->first = cr;
    cr->next = lf;
    alt->first = both;
    both->next = one;
    atomic->first = alt;
    return atomic;
}
static uint32_t name_group(Parser *p, const char *name, size_t len) /* 0: none, or several */
{
    uint32_t found = 0;
    for (int i = 0; i < p->nnames; i++)
        if (p->names[i].len == len && !memcmp(p->names[i].name, name, len)) {
            if (found)
                return 0;
            found = p->names[i].group;
        }
    return found;
}
static bool add_name(Parser *p, const char *name, size_t len, uint32_t group)
{
    void *names = realloc(p->names, (size_t)(p->nnames + 1) * sizeof *p->names);
    if (!names)
        return fail(p), false;
    p->names = names;
    p->names[p->nnames].name = name;
    p->names[p->nnames].len = len;
    p->names[p->nnames++].group = group;
    return true;
}
static RegexNode *escape(Parser *p, Mode mode) /* behind the backslash, not within a set */
{
    RangeSet set = {0};
    uint32_t c;
    int e = peek(p);
    if (e == 'u' && p->end - p->p > 1 && p->p[1] == '{') {
        uint32_t codes[16];
        p->p++;
        int n = unicode_list(p, codes);
        RegexNode *cat = node_new(p, RX_CAT), **to = cat ? &cat->first : NULL;
        if (n == 1)
            return literal(p, mode, codes[0]);
        for (int i = 0; i < n && !p->failed; i++) {
            *to = literal(p, mode, codes[i]);
            if (*to)
                to = &(*to)->next;
        }
        return n ? cat : fail(p); /* a quantifier would mean the last one: see parse_branch */
    }
    if (class_escape(p, mode, &set)) {
        range_set_normalize(&set);
        if (mode.ignore_case && (e == 'p' || e == 'P') && !range_set_fold(&set, &set, p->enc, false))
            fail(p);
        return node_set(p, &set);
    }
    range_set_free(&set);
    if (p->failed)
        return NULL;
    if (escaped_char(p, false, &c))
        return literal(p, mode, c);
    if (p->failed)
        return NULL;
    p->p++;
    switch (e) {
    case 'A': return anchor(p, AT_START, mode);
    case 'z': return anchor(p, AT_END, mode);
    case 'Z': return anchor(p, AT_LAST_LINE_END, mode);
    case 'G': return anchor(p, AT_SEARCH_START, mode);
    case 'b': return anchor(p, AT_WORD, mode);
    case 'B': return anchor(p, AT_NOT_WORD, mode);
    case 'K': return anchor(p, KEEP_HERE, mode);
    case 'R': return line_break(p);
    case 'g': {
        const char *name = p->p + 1, *close = peek(p) == '<' ? memchr(name, '>', (size_t)(p->end - name)) : NULL;
        if (!close || close == name)
            return fail(p);
        p->p = close + 1;
        uint32_t group = isdigit((uint8_t)*name) || *name == '-' || *name == '+' ? 0 : name_group(p, name, (size_t)(close - name));
        return group ? node_value(p, RX_CALL, group) : fail(p); /* a forward call isn't worth a second pass */
    }
    default:
        return fail(p);
    }
}
static RegexNode *wrap(Parser *p, RegexKind kind, RegexNode *inner)
{
    RegexNode *n = node_new(p, kind);
    if (n)
        n->first = inner;
    return n;
}
static RegexNode *group_body(Parser *p, Mode mode)
{
    RegexNode *n = parse_alternatives(p, mode);
    if (!p->failed && !accept(p, ')'))
        return fail(p);
    return n;
}
static RegexNode *capture(Parser *p, Mode mode)
{
    RegexTree *t = p->tree;
    uint32_t number = (uint32_t)t->ngroups++;
    RegexNode *n = node_value(p, RX_GROUP, number);
    RegexNode **groups = realloc(t->groups, (number + 1) * sizeof *groups);
    if (!groups || number > 1000)
        return fail(p);
    t->groups = groups;
    groups[number] = n;
    if (n)
        n->first = group_body(p, mode);
    return n;
}
static RegexNode *look(Parser *p, Mode mode, bool negated, bool behind)
{
    p->behind += behind;
    RegexNode *n = wrap(p, RX_LOOK, group_body(p, mode));
    p->behind -= behind;
    if (n) {
        n->negated = negated;
        n->behind = behind;
    }
    return n;
}
/* Behind "(?" with option letters. *rest: the options last to the end of the group. */
static RegexNode *options(Parser *p, Mode mode)
{
    bool off = false;
    for (;; p->p++) {
        switch (peek(p)) {
        case '-': off = true; break;
        case 'i': mode.ignore_case = !off; break;
        case 'm': mode.dot_all = !off; break;
        case 'x': mode.extended = !off; break;
        case 'a': mode.words = WORDS_ASCII; break;
        case 'u': mode.words = WORDS_UNICODE; break;
        case 'd': mode.words = WORDS_DEFAULT; break;
        case ':':
            p->p++;
            return group_body(p, mode);
        case ')': { /* the rest of the enclosing group is a group of its own */
            p->p++;
            return parse_alternatives(p, mode);
        }
        default:
            return fail(p);
        }
    }
}
static RegexNode *group(Parser *p, Mode mode) /* behind the parenthesis */
{
    p->last_folded = 0;
    if (!accept(p, '?'))
        return p->named ? group_body(p, mode) : capture(p, mode);
    int c = peek(p);
    switch (c) {
    case ':': p->p++; return group_body(p, mode);
    case '=': p->p++; return look(p, mode, false, false);
    case '!': p->p++; return look(p, mode, true, false);
    case '>': p->p++; return wrap(p, RX_ATOMIC, group_body(p, mode));
    case '~': case '(': return fail(p);
    case '<': case '\'': {
        p->p++;
        if (c == '<' && accept(p, '='))
            return look(p, mode, false, true);
        if (c == '<' && accept(p, '!'))
            return look(p, mode, true, true);
        const char *close = memchr(p->p, c == '<' ? '>' : '\'', (size_t)(p->end - p->p));
        if (!close || !add_name(p, p->p, (size_t)(close - p->p), (uint32_t)p->tree->ngroups))
            return fail(p);
        p->p = close + 1;
        return capture(p, mode);
    }
    default: return options(p, mode);
    }
}
/* {n} {n,} {,m} {n,m}; false and nothing read when it is none. */
static bool interval(Parser *p, int32_t *min, int32_t *max)
{
    const char *at = p->p;
    uint32_t low, high;
    p->p++;
    int a = digits(p, 10, 6, &low), b = a;
    high = low;
    if (accept(p, ',')) {
        b = digits(p, 10, 6, &high);
        if (!a && !b)
            goto none;
    } else if (!a) {
        goto none;
    }
    if (!accept(p, '}'))
        goto none;
    if (low > MAX_REPEAT || high > MAX_REPEAT || (b && high < low))
        fail(p);
    *min = a ? (int32_t)low : 0;
    *max = b ? (int32_t)high : REPEAT_INFINITE;
    return true;
none:
    p->p = at;
    return false;
}
static void skip_comments(Parser *p, Mode mode)
{
    for (;;) {
        if (p->end - p->p >= 3 && !memcmp(p->p, "(?#", 3)) {
            while (p->p < p->end && *p->p != ')')
                p->p += *p->p == '\\' ? 2 : 1;
            if (p->p >= p->end) {
                fail(p);
                return;
            }
            p->p++;
        } else if (mode.extended && peek(p) >= 0 && isspace(peek(p))) {
            p->p++;
        } else if (mode.extended && peek(p) == '#') {
            while (p->p < p->end && *p->p != '\n')
                p->p++;
        } else {
            return;
        }
    }
}
/* Repeats of what was read, one after the other: a*?, a{2}+, a?+ ... */
static RegexNode *quantifiers(Parser *p, Mode mode, RegexNode *item)
{
    bool quantified = false, lazy = false;
    while (!p->failed) {
        int32_t min, max;
        int how = REPEAT_GREEDY;
        skip_comments(p, mode);
        int c = peek(p);
        if (c == '?' || c == '*' || c == '+') {
            p->p++;
            min = c == '+';
            max = c == '?' ? 1 : REPEAT_INFINITE;
            if (accept(p, '?'))
                how = REPEAT_LAZY;
            else if (accept(p, '+'))
                how = REPEAT_POSSESSIVE;
        } else if (c == '{' && interval(p, &min, &max)) {
            if (peek(p) == '?' && min != max) { /* {n}? is an optional {n} */
                p->p++;
                how = REPEAT_LAZY;
            }
        } else {
            return item;
        }
        if (p->failed)
            return NULL;
        if (quantified && (lazy || how == REPEAT_LAZY)) /* Oniguruma folds these into one in ways of its own */
            return fail(p);
        quantified = true;
        lazy |= how == REPEAT_LAZY;
        p->last_folded = 0;
        RegexNode *n = wrap(p, RX_REPEAT, item);
        if (!n)
            return NULL;
        n->min = min;
        n->max = max;
        n->how = (uint8_t)how;
        item = n;
    }
    return NULL;
}
static RegexNode *parse_branch(Parser *p, Mode mode)
{
    RegexNode *cat = node_new(p, RX_CAT), **to = cat ? &cat->first : NULL;
    p->last_folded = 0;
    while (!p->failed) {
        skip_comments(p, mode);
        int c = peek(p);
        RegexNode *item;
        if (c < 0 || c == '|' || c == ')')
            break;
        if (c != '\\' && strchr("^$.[(", c))
            p->last_folded = 0;
        bool list = false;
        switch (c) {
        case '\\':
            p->p++;
            list = p->end - p->p > 1 && p->p[0] == 'u' && p->p[1] == '{';
            item = escape(p, mode);
            list = list && item && item->kind == RX_CAT;
            break;
        case '^': p->p++; item = anchor(p, AT_LINE_START, mode); break;
        case '$': p->p++; item = anchor(p, AT_LINE_END, mode); break;
        case '.': p->p++; item = dot(p, mode); break;
        case '[': {
            RangeSet set = {0};
            parse_set(p, mode, &set, false);
            range_set_normalize(&set);
            item = node_set(p, &set);
            break;
        }
        case '(':
            p->p++;
            item = group(p, mode);
            p->last_folded = 0;
            break;
        case '?': case '*': case '+':
            return fail(p);
        default:
            item = literal(p, mode, next_char(p));
            break;
        }
        if (p->failed || !item)
            return fail(p);
        if (list) { /* \u{...} is as many characters: a quantifier is for the last */
            skip_comments(p, mode);
            if (peek(p) >= 0 && strchr("?*+{", peek(p)))
                return fail(p);
        } else {
            item = quantifiers(p, mode, item);
            if (!item)
                return NULL;
        }
        *to = item;
        to = &item->next;
    }
    return p->failed ? NULL : cat;
}
static RegexNode *parse_alternatives(Parser *p, Mode mode)
{
    if (++p->depth > MAX_DEPTH)
        return fail(p);
    RegexNode *first = parse_branch(p, mode);
    if (first && peek(p) == '|') {
        RegexNode *alt = wrap(p, RX_ALT, first), *last = first;
        while (!p->failed && accept(p, '|')) {
            last->next = parse_branch(p, mode);
            last = last->next;
        }
        first = alt;
    }
    p->depth--;
    return p->failed ? NULL : first;
}
/* Is there a named group?  Then plain parentheses only group. */
static bool has_names(const char *s, const char *end)
{
    int set = 0;
    for (; s < end; s++) {
        if (*s == '\\')
            s++;
        else if (*s == '[')
            set++;
        else if (*s == ']' && set)
            set--;
        else if (!set && end - s > 3 && s[0] == '(' && s[1] == '?' && (s[2] == '\'' || (s[2] == '<' && s[3] != '=' && s[3] != '!')))
            return true;
    }
    return false;
}

bool regex_parse(RegexTree *tree, const char *source, size_t len, int source_enc, int enc, int options)
{
    *tree = (RegexTree){.ngroups = 1};
    if (!enc_is_utf8(enc) && !enc_single_byte(enc))
        return false;
    Parser p = {.tree = tree, .p = source, .end = source + len, .source_enc = source_enc, .enc = enc, .named = has_names(source, source + len)};
    Mode mode = {options & RE_IGNORECASE, options & RE_MULTILINE, options & RE_EXTENDED, WORDS_DEFAULT};
    tree->root = parse_alternatives(&p, mode);
    free(p.names);
    if (p.failed || p.p != p.end || !tree->root) {
        regex_tree_free(tree);
        return false;
    }
    return true;
}
void regex_tree_free(RegexTree *tree)
{
    while (tree->blocks) {
        NodeBlock *next = tree->blocks->next;
        free(tree->blocks);
        tree->blocks = next;
    }
    for (uint32_t i = 0; i < tree->nsets; i++)
        range_set_free(&tree->sets[i]);
    free(tree->sets);
    free(tree->groups);
    *tree = (RegexTree){0};
}
