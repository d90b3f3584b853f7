/* regex_match.c -- runs a program of regex_compile.c over a subject: backtracking that remembers failures
 *
 * The stack holds what is left to try and what to undo.  Once a search has taken more steps than a small multiple of the
 * subject's length, it begins to remember: a bit for each split or loop (`point`) and position says that nothing behind
 * that state matches.  As no instruction asks for more than the position (captures are only written), that is true
 * however the state is reached, so each state is tried once and the search is linear: points x length.
 *
 * Invariants
 *   M1  A mark on the stack becomes a bit only when backtracking reaches it: all above it was tried in vain.  What an
 *       atomic group or look-around cuts off sets no bits.
 *   M2  Bits of states within an atomic group or look-around say that the group can't be completed from there; bits
 *       outside, that the whole can't be.  The states are distinct, as code belongs to one of them only.
 *   M3  While it remembers, a loop without limit takes one character at a time, a state each (behind its least number);
 *       one with a limit is a state where it begins.
 *   M4  Nothing here raises or calls Ruby; the stack and the bits are kept for the next search unless large.
 */
#include "vm/core/regex.h"

typedef enum EntryKind { ENTRY_BRANCH, ENTRY_LOOP, ENTRY_LAZY, ENTRY_SLOT, ENTRY_EMPTY, ENTRY_MARK } EntryKind;
typedef struct Entry {
    uint32_t kind, at;   /* pc; slot; counter; point */
    const uint8_t *s;    /* position; old value of the slot or counter */
    uint64_t extra;      /* LOOP: the position that it can't go below; LAZY: characters it may still take */
} Entry;

typedef struct Matcher {
    const Regex *re;
    const uint8_t *str, *end, *search_start, *keep;
    const uint8_t **slots, **empty;
    Entry *stack;
    size_t sp, cap;
    uint64_t steps, patience, budget;
    uint64_t *bits;      /* NULL: does not remember yet */
    size_t row;          /* positions of a point */
    int inside;          /* atomic groups and look-arounds */
    int error;
} Matcher;

uint64_t regex_patience = 16;

enum { KEEP_ENTRIES = 1 << 16, KEEP_WORDS = 1 << 17 };
static struct {
    Entry *stack;
    size_t cap;
    uint64_t *bits;
    size_t nwords;
} spare; /* taken by the running search; no search runs inside another */

static bool stack_grow(Matcher *m)
{
    size_t cap = m->cap ? m->cap * 2 : 256;
    Entry *stack = cap > SIZE_MAX / sizeof *stack / 2 ? NULL : realloc(m->stack, cap * sizeof *stack);
    if (!stack) {
        m->error = REGEX_NO_MEMORY;
        return false;
    }
    m->stack = stack;
    m->cap = cap;
    return true;
}
static inline bool push(Matcher *m, EntryKind kind, uint32_t at, const uint8_t *s, uint64_t extra)
{
    if (__builtin_expect(m->sp == m->cap, 0) && !stack_grow(m))
        return false;
    m->stack[m->sp++] = (Entry){kind, at, s, extra};
    return true;
}
/* Begins to remember.  When there is no room for the bits, it goes on without. */
static void remember(Matcher *m)
{
    m->row = (size_t)(m->end - m->str) + 1;
    size_t words = (m->row * m->re->npoints + 63) / 64;
    m->patience = UINT64_MAX;
    if (words > ((size_t)1 << 27))
        return;
    if (spare.nwords < words) {
        free(spare.bits);
        spare.bits = calloc(words, 8);
        spare.nwords = spare.bits ? words : 0;
    } else {
        memset(spare.bits, 0, words * 8);
    }
    m->bits = spare.bits;
}
/* May the state be tried?  Pushes its mark. */
static inline bool enter(Matcher *m, uint32_t point, const uint8_t *s)
{
    size_t bit = point * m->row + (size_t)(s - m->str);
    if (m->bits[bit / 64] >> bit % 64 & 1)
        return false;
    return push(m, ENTRY_MARK, point, s, 0);
}

/* ---- characters ---- */

static inline int char_len(const uint8_t *s) /* of valid UTF-8 */
{
    return *s < 0x80 ? 1 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;
}
static uint32_t char_code(const uint8_t *s)
{
    uint32_t c = *s;
    if (c < 0x80)
        return c;
    if (c < 0xe0)
        return (c & 31) << 6 | (s[1] & 63u);
    if (c < 0xf0)
        return (c & 15) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
    return (c & 7) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
}
static const uint8_t *char_left(const Regex *re, const uint8_t *start, const uint8_t *s)
{
    s--;
    if (re->utf8)
        while (s > start && (*s & 0xc0) == 0x80)
            s--;
    return s;
}
static bool class_look(const RegexClass *cls, uint32_t c)
{
    uint32_t low = 0, high = cls->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (c > cls->r[mid][1])
            low = mid + 1;
        else
            high = mid;
    }
    return low < cls->n && c >= cls->r[low][0];
}
/* Bytes of the character at s if it is of the class, else 0. */
static inline int class_match(const RegexClass *cls, const uint8_t *s)
{
    switch (cls->lead[*s]) {
    case CLASS_NO: return 0;
    case CLASS_BYTE: return 1;
    case CLASS_ALL: return char_len(s);
    default: return class_look(cls, char_code(s)) ? char_len(s) : 0;
    }
}
/* Takes at most max characters; *taken how many. */
static const uint8_t *class_run(const RegexClass *cls, const uint8_t *s, const uint8_t *end, uint32_t max, uint32_t *taken)
{
    uint32_t n = 0;
    int k;
    if (max == UINT32_MAX) {
        const uint8_t *from = s;
        for (;;) {
            while (s < end && cls->lead[*s] == CLASS_BYTE)
                s++;
            if (s >= end || !(k = class_match(cls, s)))
                break;
            s += k;
        }
        *taken = (uint32_t)MIN((size_t)(s - from), (size_t)UINT32_MAX - 1); /* at least as many characters, exact up to one */
        return s;
    }
    for (; n < max && s < end && (k = class_match(cls, s)); n++)
        s += k;
    *taken = n;
    return s;
}
static bool is_word(const Matcher *m, const uint8_t *s, bool ascii)
{
    uint32_t c = m->re->utf8 ? char_code(s) : *s;
    if (c < 0x80)
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    return !ascii && (enc_onig(m->re->enc)->is_code_ctype(c, ONIGENC_CTYPE_WORD) || (m->re->utf8 && (c == 0x200c || c == 0x200d)));
}
static bool anchor_holds(Matcher *m, const RegexIns *ins, const uint8_t *s)
{
    switch ((RegexAnchor)ins->how) {
    case AT_START: return s == m->str;
    case AT_END: return s == m->end;
    case AT_LINE_START: return s == m->str || (s[-1] == '\n' && s < m->end);
    case AT_LINE_END: return s == m->end || *s == '\n';
    case AT_LAST_LINE_END: return s == m->end || (*s == '\n' && s + 1 == m->end);
    case AT_SEARCH_START: return s == m->search_start;
    case AT_WORD: case AT_NOT_WORD: {
        bool before = s > m->str && is_word(m, char_left(m->re, m->str, s), ins->a);
        bool after = s < m->end && is_word(m, s, ins->a);
        return (before != after) == (ins->how == AT_WORD);
    }
    case KEEP_HERE: break;
    }
    return true;
}

/* ---- the machine ---- */

static void undo_to(Matcher *m, size_t base) /* drops entries, taking back what they say */
{
    while (m->sp > base) {
        Entry *e = &m->stack[--m->sp];
        if (e->kind == ENTRY_SLOT)
            m->slots[e->at] = e->s;
        else if (e->kind == ENTRY_EMPTY)
            m->empty[e->at] = e->s;
    }
}
static void cut_to(Matcher *m, size_t base) /* drops what is left to try, keeps what to undo */
{
    size_t to = base;
    for (size_t i = base; i < m->sp; i++)
        if (m->stack[i].kind == ENTRY_SLOT || m->stack[i].kind == ENTRY_EMPTY)
            m->stack[to++] = m->stack[i];
    m->sp = to;
}
/* Runs from pc at s to MATCH or DONE; where it got, or NULL: nothing matches, or m->error. */
static const uint8_t *run(Matcher *m, uint32_t pc, const uint8_t *s)
{
    const Regex *re = m->re;
    const uint8_t *end = m->end;
    const size_t base = m->sp;
    const RegexIns *ins;
    for (;;) {
        ins = &re->code[pc];
        switch ((RegexOp)ins->op) {
        case RX_OP_CHAR:
            if (s >= end || *s != ins->a)
                goto back;
            s++;
            pc++;
            continue;
        case RX_OP_TEXT:
            if ((size_t)(end - s) < ins->b || memcmp(s, re->text + ins->a, ins->b))
                goto back;
            s += ins->b;
            pc++;
            continue;
        case RX_OP_CLASS: {
            int n = s < end ? class_match(&re->classes[ins->a], s) : 0;
            if (!n)
                goto back;
            s += n;
            pc++;
            continue;
        }
        case RX_OP_LOOP: {
            const RegexClass *cls = &re->classes[ins->a];
            uint32_t taken = 0;
            const uint8_t *from = s;
            if (m->bits && ins->c != UINT32_MAX && ins->c > ins->b && !enter(m, ins->point, s))
                goto back;
            if (ins->b) {
                s = class_run(cls, s, end, ins->b, &taken);
                if (taken < ins->b)
                    goto back;
            }
            if (m->bits && ins->c == UINT32_MAX)
                goto step; /* M3 */
            const uint8_t *low = s;
            uint32_t more = ins->c == UINT32_MAX ? UINT32_MAX : ins->c - ins->b;
            if (ins->how == REPEAT_LAZY) {
                if (more && !push(m, ENTRY_LAZY, pc, s, more))
                    goto stop;
            } else {
                s = class_run(cls, s, end, more, &taken);
                if (ins->how == REPEAT_GREEDY && s > low && !push(m, ENTRY_LOOP, pc, s, (uint64_t)(uintptr_t)low))
                    goto stop;
            }
            m->steps += (uint64_t)(s - from) >> 3;
            pc++;
            continue;
        }
        step: { /* a loop that remembers, one character on */
            const RegexClass *cls = &re->classes[ins->a];
            for (;;) {
                if (!enter(m, ins->point, s))
                    goto back;
                if (ins->how == REPEAT_LAZY) {
                    if (!push(m, ENTRY_LAZY, pc, s, UINT32_MAX))
                        goto stop;
                    break;
                }
                int n = s < end ? class_match(cls, s) : 0;
                if (!n)
                    break;
                if (ins->how == REPEAT_GREEDY && !push(m, ENTRY_BRANCH, pc + 1, s, 0))
                    goto stop;
                m->steps++;
                s += n;
            }
            pc++;
            continue;
        }
        case RX_OP_SPLIT: {
            uint32_t first = ins->a, second = ins->b;
            if (ins->c) {
                unsigned may = re->nexts[ins->c - 1].by[s < end ? *s : NEXT_AT_END];
                if (may != (NEXT_A | NEXT_B)) {
                    if (!may)
                        goto back;
                    pc = may == NEXT_A ? first : second;
                    continue;
                }
            }
            if (m->bits && !enter(m, ins->point, s))
                goto back;
            if (!push(m, ENTRY_BRANCH, second, s, 0))
                goto stop;
            pc = first;
            continue;
        }
        case RX_OP_JUMP:
            pc = ins->a;
            continue;
        case RX_OP_SAVE:
            if ((m->sp || m->inside) && !push(m, ENTRY_SLOT, ins->a, m->slots[ins->a], 0))
                goto stop;
            m->slots[ins->a] = s;
            pc++;
            continue;
        case RX_OP_EMPTY_FROM:
            if ((m->sp || m->inside) && !push(m, ENTRY_EMPTY, ins->a, m->empty[ins->a], 0))
                goto stop;
            m->empty[ins->a] = s;
            pc++;
            continue;
        case RX_OP_EMPTY_TO:
            pc = m->empty[ins->a] == s ? ins->b : pc + 1;
            continue;
        case RX_OP_LOOK:
        case RX_OP_ATOMIC: {
            size_t mark = m->sp;
            m->inside++;
            const uint8_t *to = run(m, pc + 1, s);
            m->inside--;
            if (m->error)
                goto stop;
            if (ins->op == RX_OP_LOOK && ins->how) {
                undo_to(m, mark);
                if (to)
                    goto back;
            } else {
                if (!to)
                    goto back;
                cut_to(m, mark);
                if (ins->op == RX_OP_ATOMIC)
                    s = to;
            }
            pc = ins->a;
            continue;
        }
        case RX_OP_BACK: {
            const uint8_t *t = s;
            uint32_t n = ins->a;
            for (; n && t > m->str; n--)
                t = char_left(re, m->str, t);
            if (n)
                goto back;
            s = t;
            pc++;
            continue;
        }
        case RX_OP_ANCHOR:
            if (ins->how == KEEP_HERE) {
                if (!push(m, ENTRY_SLOT, 0, m->slots[0], 0))
                    goto stop;
                m->slots[0] = s;
            } else if (!anchor_holds(m, ins, s)) {
                goto back;
            }
            pc++;
            continue;
        case RX_OP_FAIL:
            goto back;
        case RX_OP_DONE:
        case RX_OP_MATCH:
            return s;
        }
    back:
        for (;;) {
            if (++m->steps > m->patience && !m->bits)
                remember(m);
            if (m->budget && m->steps > m->budget)
                m->error = REGEX_AGAIN;
            if (m->sp == base || m->error)
                return NULL;
            Entry *e = &m->stack[m->sp - 1];
            switch ((EntryKind)e->kind) {
            case ENTRY_BRANCH:
                m->sp--;
                pc = e->at;
                s = e->s;
                goto resume;
            case ENTRY_LOOP: { /* give back a character */
                const uint8_t *low = (const uint8_t *)(uintptr_t)e->extra;
                const RegexIns *next = &re->code[e->at + 1];
                s = char_left(re, low, e->s);
                if (next->op == RX_OP_CHAR || next->op == RX_OP_TEXT) { /* as many as it takes to see what must follow */
                    uint8_t want = next->op == RX_OP_CHAR ? (uint8_t)next->a : (uint8_t)re->text[next->a];
                    const uint8_t *hit = memrchr(low, want, (size_t)(s - low) + 1 - (s >= end));
                    if (!hit) {
                        m->steps += (uint64_t)(s - low) >> 4;
                        m->sp--;
                        continue;
                    }
                    s = hit;
                }
                pc = e->at + 1;
                if (s <= low)
                    m->sp--;
                else
                    e->s = s;
                goto resume;
            }
            case ENTRY_LAZY: { /* take one more */
                const RegexIns *loop = &re->code[e->at];
                const RegexClass *cls = &re->classes[loop->a];
                const RegexIns *next = loop + 1;
                int n = e->s < end ? class_match(cls, e->s) : 0;
                if (!n) {
                    m->sp--;
                    continue;
                }
                if (m->bits && loop->c == UINT32_MAX) {
                    m->sp--;
                    s = e->s + n;
                    pc = e->at;
                    ins = loop;
                    goto step;
                }
                e->s += n;
                if (next->op == RX_OP_CHAR && e->extra == UINT32_MAX) { /* up to what must follow */
                    const uint8_t *t = e->s;
                    while (t < end && *t != (uint8_t)next->a && (n = class_match(cls, t)))
                        t += n;
                    m->steps += (uint64_t)(t - e->s) >> 3;
                    e->s = t;
                }
                s = e->s;
                pc = e->at + 1;
                if (e->extra != UINT32_MAX && --e->extra == 0)
                    m->sp--;
                goto resume;
            }
            case ENTRY_SLOT:
                m->slots[e->at] = e->s;
                m->sp--;
                continue;
            case ENTRY_EMPTY:
                m->empty[e->at] = e->s;
                m->sp--;
                continue;
            case ENTRY_MARK:
                m->sp--;
                if (m->bits) {
                    size_t bit = e->at * m->row + (size_t)(e->s - m->str);
                    m->bits[bit / 64] |= 1ull << bit % 64;
                }
                continue;
            }
        }
    resume:
        continue;
    }
stop:
    if (!m->error)
        m->error = REGEX_NO_MEMORY;
    return NULL;
}

/* ---- search ---- */

/* Where a match may begin, at s or behind; NULL: nowhere. */
static const uint8_t *next_start(const Matcher *m, const uint8_t *s)
{
    const Regex *re = m->re;
    size_t left = (size_t)(m->end - s);
    if (left < re->min_len)
        return NULL;
    switch (re->start) {
    case START_ANY:
        return s;
    case START_TEXT:
        return memmem(s, left, re->text + re->start_text, re->start_text_len);
    case START_BYTES:
        if (re->start_text_len == 1) /* one byte: start_text */
            return memchr(s, (int)re->start_text, left);
        while (s < m->end && !re->start_bytes[*s])
            s++;
        return s < m->end ? s : NULL;
    case START_BEGIN:
        return s == m->str ? s : NULL;
    case START_HERE:
        return s == m->search_start ? s : NULL;
    case START_LINE:
        if (s == m->str || s[-1] == '\n')
            return s;
        s = memchr(s, '\n', left);
        return s ? s + 1 : NULL;
    }
    return s;
}
static void region_fill(const Matcher *m, OnigRegion *region)
{
    int n = m->re->ngroups;
    for (int i = 0; i < n; i++) {
        bool set = m->slots[2 * i] && m->slots[2 * i + 1];
        region->beg[i] = set ? (int)(m->slots[2 * i] - m->str) : ONIG_REGION_NOTPOS;
        region->end[i] = set ? (int)(m->slots[2 * i + 1] - m->str) : ONIG_REGION_NOTPOS;
    }
}
int64_t regex_search(const Regex *re, const char *str, size_t len, size_t from, size_t origin, bool once, uint64_t budget,
                     OnigRegion *region)
{
    const uint8_t *local[40];
    size_t nslots = (size_t)re->ngroups * 2, nall = nslots + re->nempty;
    const uint8_t **slots = nall <= COUNT_OF(local) ? local : malloc(nall * sizeof *slots);
    Matcher m = {.re = re, .str = (const uint8_t *)str, .end = (const uint8_t *)str + len, .search_start = (const uint8_t *)str + origin,
                 .slots = slots, .empty = slots + nslots, .stack = spare.stack, .cap = spare.cap,
                 .patience = regex_patience * ((uint64_t)len + 256), .budget = budget};
    if (!slots || (region && onig_region_resize(region, re->ngroups) != 0)) {
        if (slots != local)
            free(slots);
        return REGEX_NO_MEMORY;
    }
    const uint8_t *s = m.str + from, *needed = NULL;
    int64_t result = REGEX_MISMATCH;
    for (;;) {
        if (!once && !(s = next_start(&m, s)))
            break;
        if (re->need_len && s >= needed) { /* needed: where the next one is; looked for again once it is passed */
            needed = memmem(s, (size_t)(m.end - s), re->text + re->need, re->need_len);
            if (!needed)
                break;
            needed++;
        }
        memset(slots, 0, nall * sizeof *slots);
        slots[0] = s;
        m.sp = 0;
        const uint8_t *to = run(&m, 0, s);
        if (m.error) {
            result = m.error;
            break;
        }
        if (to) {
            slots[1] = to;
            if (region)
                region_fill(&m, region);
            result = s - m.str;
            break;
        }
        if (once || s >= m.end || re->start == START_BEGIN || re->start == START_HERE)
            break;
        m.steps++;
        if (re->runs) { /* what begins later in the run would have matched from here */
            const RegexIns *loop = re->code;
            while (loop->op == RX_OP_SAVE)
                loop++;
            uint32_t taken;
            const uint8_t *t = class_run(&re->classes[loop->a], s, m.end, UINT32_MAX, &taken);
            if (t > s) {
                s = t;
                continue;
            }
        }
        s += re->utf8 ? char_len(s) : 1;
    }
    if (slots != local)
        free(slots);
    spare.stack = m.stack;
    spare.cap = m.cap;
    if (spare.cap > KEEP_ENTRIES) {
        free(spare.stack);
        spare.stack = NULL;
        spare.cap = 0;
    }
    if (spare.nwords > KEEP_WORDS) {
        free(spare.bits);
        spare.bits = NULL;
        spare.nwords = 0;
    }
    return result;
}
