/* string_normalize.c -- String#unicode_normalize: the four forms of Unicode Standard Annex 15
 *
 * Decompose fully (tables give whole decompositions), order marks by combining class, then for the composed forms join
 * each mark with its starter where a pair is known and nothing of an equal or higher class lies between.
 */
#include "vm/core/text.h"
#include "lib/error.h"

static const uint32_t codes[] = {
#define N_CODE(c) c,
#include "vm/core/unicode_normal.def"
#undef N_CODE
};
static const struct Row {
    uint32_t code;
    uint8_t compat;
    uint16_t start;
    uint8_t n;
} rows[] = {
#define N_ROW(code, compat, start, n) {code, compat, start, n},
#include "vm/core/unicode_normal.def"
#undef N_ROW
};
static const struct Pair {
    uint32_t a, b, c;
} pairs[] = {
#define N_PAIR(a, b, c) {a, b, c},
#include "vm/core/unicode_normal.def"
#undef N_PAIR
};
static const struct ClassRange {
    uint32_t from, to;
    uint8_t cls;
} classes[] = {
#define N_CLASS(from, to, cls) {from, to, cls},
#include "vm/core/unicode_normal.def"
#undef N_CLASS
};
_Static_assert(COUNT_OF(codes) < 65536, "start has 16 bits");
enum { S_BASE = 0xac00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11a7, L_N = 19, V_N = 21, T_N = 28 };
enum { COMPOSE = 1, COMPAT = 2 };

static int combining_class(uint32_t c)
{
    size_t lo = 0, hi = COUNT_OF(classes);
    if (c < 0x300)
        return 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c > classes[mid].to)
            lo = mid + 1;
        else if (c < classes[mid].from)
            hi = mid;
        else
            return classes[mid].cls;
    }
    return 0;
}
static const struct Row *row_of(uint32_t c, bool compat)
{
    size_t lo = 0, hi = COUNT_OF(rows);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (rows[mid].code < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct Row *found = NULL; /* canonical row first, then the compatibility one */
    for (; lo < COUNT_OF(rows) && rows[lo].code == c; lo++)
        if (!rows[lo].compat || compat)
            found = &rows[lo];
    return found;
}
static uint32_t compose(uint32_t a, uint32_t b)
{
    if (a >= L_BASE && a < L_BASE + L_N && b >= V_BASE && b < V_BASE + V_N)
        return S_BASE + ((a - L_BASE) * V_N + (b - V_BASE)) * T_N;
    if (a >= S_BASE && a < S_BASE + L_N * V_N * T_N && (a - S_BASE) % T_N == 0 && b > T_BASE && b < T_BASE + T_N)
        return a + (b - T_BASE);
    size_t lo = 0, hi = COUNT_OF(pairs);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (pairs[mid].a == a && pairs[mid].b == b)
            return pairs[mid].c;
        if (pairs[mid].a < a || (pairs[mid].a == a && pairs[mid].b < b))
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

typedef struct Points {
    uint32_t *at;
    size_t n, cap;
} Points;
static void push(Points *p, uint32_t c)
{
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        uint32_t *more = realloc(p->at, p->cap * sizeof *more);
        if (!more) {
            free(p->at);
            raise_no_memory();
        }
        p->at = more;
    }
    p->at[p->n++] = c;
}
static void decompose(Points *p, uint32_t c, bool compat)
{
    if (c >= S_BASE && c < S_BASE + L_N * V_N * T_N) {
        uint32_t s = c - S_BASE;
        push(p, L_BASE + s / (V_N * T_N));
        push(p, V_BASE + s % (V_N * T_N) / T_N);
        if (s % T_N)
            push(p, T_BASE + s % T_N);
        return;
    }
    const struct Row *r = c < 0xa0 ? NULL : row_of(c, compat);
    if (!r)
        push(p, c);
    for (int i = 0; r && i < r->n; i++)
        push(p, codes[r->start + i]);
}
static void order_marks(Points *p)
{
    for (size_t i = 1; i < p->n; i++) {
        int cls = combining_class(p->at[i]);
        size_t k = i;
        while (cls && k > 0 && combining_class(p->at[k - 1]) > cls) {
            uint32_t t = p->at[k];
            p->at[k] = p->at[k - 1];
            p->at[k - 1] = t;
            k--;
        }
    }
}
static void compose_all(Points *p)
{
    size_t out = 0, starter = (size_t)-1;
    int last = -1; /* class of what was kept behind the starter; -1 nothing */
    for (size_t i = 0; i < p->n; i++) {
        uint32_t c = p->at[i], joined;
        int cls = combining_class(c);
        if (starter != (size_t)-1 && (last < cls || last == -1) && (joined = compose(p->at[starter], c))) {
            p->at[starter] = joined;
            continue;
        }
        if (cls == 0) {
            starter = out;
            last = -1;
        } else {
            last = cls;
        }
        p->at[out++] = c;
    }
    p->n = out;
}

static int form_of(int argc, const Value *argv)
{
    static const char *const names[] = {"nfd", "nfc", "nfkd", "nfkc"};
    if (!argc)
        return COMPOSE;
    for (int i = 0; i < 4 && is_symbol(argv[0]); i++)
        if (!strcmp(sym_text(argv[0]), names[i]))
            return (i & 1 ? COMPOSE : 0) | (i & 2 ? COMPAT : 0);
    raise_error(klass.ArgumentError, "Invalid normalization form %T.", argv[0]);
}
static Value normalize(Value self, int form)
{
    StrView s = str_view(self);
    if (!enc_is_unicode(s.enc) && s.enc != ENC_US_ASCII)
        raise_error(enc_compatibility_error, "Unicode Normalization not appropriate for %s", encoding_name(s.enc));
    if (str_coderange(self) == CR_7BIT && enc_ascii_compat(s.enc))
        return str_dup(self);
    if (str_is_broken(self))
        raise_error(klass.ArgumentError, "invalid byte sequence in %s", encoding_name(s.enc));
    Value out = str_buf_new(s.len + 16, s.enc);
    Points p = {0};
    s = str_view(self);
    for (size_t at = 0; at < s.len;) {
        int n;
        decompose(&p, (uint32_t)enc_codepoint(s.enc, s.ptr + at, s.ptr + s.len, &n), form & COMPAT);
        at += (size_t)n;
    }
    KEEP(self);
    order_marks(&p);
    if (form & COMPOSE)
        compose_all(&p);
    for (size_t i = 0; i < p.n; i++) {
        char buf[8];
        str_buf_cat(out, buf, (size_t)enc_put(s.enc, p.at[i], buf));
    }
    free(p.at);
    return out;
}

#define METHOD(name) static Value name(Value self, int argc, const Value *argv)

METHOD(str_m_normalize) { return normalize(self, form_of(argc, argv)); }
METHOD(str_m_normalize_bang)
{
    obj_modify(self);
    str_replace(self, normalize(self, form_of(argc, argv)));
    return self;
}
METHOD(str_m_normalized_p) { return bool_value(str_equal(self, normalize(self, form_of(argc, argv)))); }

static const Builtin methods[] = {
    {"unicode_normalize", str_m_normalize, 0, 1, 0},
    {"unicode_normalize!", str_m_normalize_bang, 0, 1, 0},
    {"unicode_normalized?", str_m_normalized_p, 0, 1, 0},
};
void string_normalize_boot(void)
{
    ADD_BUILTINS(klass.String, methods);
}
