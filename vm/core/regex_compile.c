/* regex_compile.c -- the matcher's tree to its program, and what helps to find where a match can begin
 *
 * Code of a repeat is written out as often as it must run (limits: MAX_CODE), so the state of a match is one instruction
 * and one position, which is what makes failures worth remembering (regex_match.c).
 *
 * A loop over one class takes all it can and gives back from the end.  When what follows can't begin with a byte of the
 * class, giving back is useless: the loop is made possessive.  A split likewise looks at the next byte first (RegexNext).
 */
#include "vm/core/regex.h"

enum { MAX_CODE = 20000, MAX_NEXTS = 64, MAX_VISITS = 400, MAX_POINTS = 60000 };

typedef struct Compiler {
    const RegexTree *tree;
    Regex *re;
    uint32_t cap, text_cap;
    uint64_t calls[16]; /* groups whose calls are being written out */
    int in_behind;
    bool failed;
} Compiler;

static void fail(Compiler *c)
{
    c->failed = true;
}
static uint32_t emit(Compiler *c, RegexOp op, uint32_t a, uint32_t b)
{
    Regex *re = c->re;
    if (re->ncode == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 32;
        RegexIns *code = cap > MAX_CODE * 2 ? NULL : realloc(re->code, cap * sizeof *code);
        if (!code) {
            fail(c);
            return 0;
        }
        re->code = code;
        c->cap = cap;
    }
    re->code[re->ncode] = (RegexIns){.op = (uint8_t)op, .a = a, .b = b};
    return re->ncode++;
}
static uint32_t here(const Compiler *c)
{
    return c->re->ncode;
}
static RegexIns *at(Compiler *c, uint32_t pc)
{
    return &c->re->code[pc];
}

/* ---- literals and classes ---- */

static void put_text(Compiler *c, const char *bytes, uint32_t n)
{
    Regex *re = c->re;
    uint32_t used = re->start_text_len; /* while compiling: bytes of text in use */
    if (used + n > c->text_cap) {
        uint32_t cap = (used + n) * 2 + 32;
        char *text = realloc(re->text, cap);
        if (!text) {
            fail(c);
            return;
        }
        re->text = text;
        c->text_cap = cap;
    }
    memcpy(re->text + used, bytes, n);
    re->start_text_len += n;
}
static uint32_t char_bytes(const Compiler *c, uint32_t code, char *out)
{
    if (c->re->utf8)
        return (uint32_t)utf8_put(code, out);
    out[0] = (char)code;
    return 1;
}
/* A run of characters, from n on: one instruction.  Returns the node behind it. */
static const RegexNode *emit_text(Compiler *c, const RegexNode *n)
{
    uint32_t start = c->re->start_text_len;
    for (; n && n->kind == RX_CHAR; n = n->next) {
        char bytes[4];
        put_text(c, bytes, char_bytes(c, n->value, bytes));
    }
    uint32_t len = c->re->start_text_len - start;
    if (c->failed)
        return NULL;
    if (len == 1)
        emit(c, RX_OP_CHAR, (uint8_t)c->re->text[start], 0);
    else
        emit(c, RX_OP_TEXT, start, len);
    return n;
}
static void class_fill(RegexClass *cls, const RangeSet *set, bool utf8)
{
    for (uint32_t i = 0; i < set->n; i++)
        for (uint32_t b = set->r[i][0]; b <= set->r[i][1] && b < (utf8 ? 0x80u : 0x100u); b++)
            cls->lead[b] = CLASS_BYTE;
    if (!utf8)
        return;
    for (uint32_t b = 0xc2; b <= 0xf4; b++) { /* characters that begin with b */
        uint32_t first = b < 0xe0 ? (b & 31) << 6 : b < 0xf0 ? (b & 15) << 12 : (b & 7) << 18;
        uint32_t last = first | (b < 0xe0 ? 0x3fu : b < 0xf0 ? 0xfffu : 0x3ffffu);
        if (b == 0xe0)
            first = 0x800;
        if (b == 0xf0)
            first = 0x10000;
        last = MIN(last, 0x10ffffu);
        for (uint32_t i = 0; i < set->n; i++)
            if (set->r[i][0] <= first && set->r[i][1] >= last)
                cls->lead[b] = CLASS_ALL;
            else if (set->r[i][0] <= last && set->r[i][1] >= first)
                cls->lead[b] = CLASS_LOOK;
    }
}
/* Class index of a set, or of one character. */
static uint32_t class_of_node(Compiler *c, const RegexNode *n)
{
    Regex *re = c->re;
    RangeSet one = {0}, *set = &one;
    if (n->kind == RX_SET)
        set = &c->tree->sets[n->value];
    else
        range_set_add(&one, n->value, n->value);
    RegexClass *classes = realloc(re->classes, (re->nclasses + 1) * sizeof *classes);
    if (!classes || set->failed) {
        fail(c);
        range_set_free(&one);
        re->classes = classes ? classes : re->classes;
        return 0;
    }
    re->classes = classes;
    RegexClass *cls = &classes[re->nclasses];
    *cls = (RegexClass){0};
    class_fill(cls, set, re->utf8);
    if (memchr(cls->lead, CLASS_LOOK, 256)) {
        cls->r = malloc(set->n * sizeof *cls->r);
        if (cls->r) {
            memcpy(cls->r, set->r, set->n * sizeof *cls->r);
            cls->n = set->n;
        } else {
            fail(c);
        }
    }
    range_set_free(&one);
    for (uint32_t i = 0; i < re->nclasses; i++) /* often met twice: \s*,\s* */
        if (!cls->n && !classes[i].n && !memcmp(classes[i].lead, cls->lead, 256))
            return i;
    return re->nclasses++;
}

/* ---- nodes ---- */

static bool may_be_empty(const RegexTree *tree, const RegexNode *n, int depth)
{
    if (depth > 200)
        return true;
    switch (n->kind) {
    case RX_CHAR: case RX_SET:
        return false;
    case RX_CAT:
        for (const RegexNode *k = n->first; k; k = k->next)
            if (!may_be_empty(tree, k, depth + 1))
                return false;
        return true;
    case RX_ALT:
        for (const RegexNode *k = n->first; k; k = k->next)
            if (may_be_empty(tree, k, depth + 1))
                return true;
        return false;
    case RX_REPEAT:
        return n->min == 0 || may_be_empty(tree, n->first, depth + 1);
    case RX_GROUP: case RX_ATOMIC:
        return may_be_empty(tree, n->first, depth + 1);
    case RX_CALL:
        return may_be_empty(tree, tree->groups[n->value]->first, depth + 1);
    default:
        return true;
    }
}
/* Characters that n always matches, or -1 when it varies. */
static int64_t fixed_chars(const RegexTree *tree, const RegexNode *n, int depth)
{
    int64_t sum = 0, k;
    if (depth > 200)
        return -1;
    switch (n->kind) {
    case RX_CHAR: case RX_SET:
        return 1;
    case RX_CAT:
        for (const RegexNode *i = n->first; i; i = i->next) {
            if ((k = fixed_chars(tree, i, depth + 1)) < 0)
                return -1;
            sum += k;
        }
        return sum;
    case RX_ALT:
        sum = fixed_chars(tree, n->first, depth + 1);
        for (const RegexNode *i = n->first->next; i; i = i->next)
            if (fixed_chars(tree, i, depth + 1) != sum)
                return -1;
        return sum;
    case RX_REPEAT:
        k = fixed_chars(tree, n->first, depth + 1);
        return n->min == n->max && k >= 0 ? k * n->min : -1;
    case RX_GROUP: case RX_ATOMIC:
        return fixed_chars(tree, n->first, depth + 1);
    case RX_CALL:
        return fixed_chars(tree, tree->groups[n->value]->first, depth + 1);
    default:
        return 0;
    }
}
static void compile_node(Compiler *c, const RegexNode *n);

/* Alternatives leave by jumps that are chained through `a` until their end is known; UINT32_MAX ends the chain. */
static void end_jumps_here(Compiler *c, uint32_t jumps)
{
    while (!c->failed && jumps != UINT32_MAX) {
        uint32_t next = at(c, jumps)->a;
        at(c, jumps)->a = here(c);
        jumps = next;
    }
}

static void compile_alternatives(Compiler *c, const RegexNode *n)
{
    uint32_t jumps = UINT32_MAX;
    for (const RegexNode *k = n->first; k && !c->failed; k = k->next) {
        uint32_t split = k->next ? emit(c, RX_OP_SPLIT, here(c) + 1, 0) : 0;
        compile_node(c, k);
        if (k->next && !c->failed) {
            jumps = emit(c, RX_OP_JUMP, jumps, 0);
            at(c, split)->b = here(c);
        }
    }
    end_jumps_here(c, jumps);
}
/* A repeat of one character: one instruction. */
static bool compile_loop(Compiler *c, const RegexNode *n)
{
    const RegexNode *item = n->first;
    while (item->kind == RX_CAT && item->first && !item->first->next)
        item = item->first;
    if (item->kind != RX_CHAR && item->kind != RX_SET)
        return false;
    uint32_t pc = emit(c, RX_OP_LOOP, class_of_node(c, item), (uint32_t)n->min);
    if (!c->failed) {
        at(c, pc)->c = n->max < 0 ? UINT32_MAX : (uint32_t)n->max;
        at(c, pc)->how = n->how;
    }
    return true;
}
static void compile_repeat(Compiler *c, const RegexNode *n)
{
    if (n->max == 0)
        return;
    if (compile_loop(c, n))
        return;
    if (n->how == REPEAT_POSSESSIVE) {
        RegexNode greedy = *n;
        greedy.how = REPEAT_GREEDY;
        uint32_t atomic = emit(c, RX_OP_ATOMIC, 0, 0);
        compile_repeat(c, &greedy);
        emit(c, RX_OP_DONE, 0, 0);
        if (!c->failed)
            at(c, atomic)->a = here(c);
        return;
    }
    for (int32_t i = 0; i < n->min && !c->failed; i++)
        compile_node(c, n->first);
    bool greedy = n->how == REPEAT_GREEDY;
    if (n->max < 0) {
        bool empty = may_be_empty(c->tree, n->first, 0);
        uint32_t counter = empty ? c->re->nempty++ : 0;
        uint32_t split = emit(c, RX_OP_SPLIT, 0, 0);
        if (empty)
            emit(c, RX_OP_EMPTY_FROM, counter, 0);
        compile_node(c, n->first);
        uint32_t check = empty ? emit(c, RX_OP_EMPTY_TO, counter, 0) : 0;
        emit(c, RX_OP_JUMP, split, 0);
        if (c->failed)
            return;
        if (empty)
            at(c, check)->b = here(c);
        at(c, split)->a = greedy ? split + 1 : here(c);
        at(c, split)->b = greedy ? here(c) : split + 1;
        return;
    }
    uint32_t splits = UINT32_MAX; /* (x(x(x)?)?)?, all leave to the same end; chained through b */
    for (int32_t i = n->min; i < n->max && !c->failed; i++) {
        splits = emit(c, RX_OP_SPLIT, here(c) + 1, splits);
        compile_node(c, n->first);
    }
    while (!c->failed && splits != UINT32_MAX) {
        RegexIns *ins = at(c, splits);
        splits = ins->b;
        ins->b = here(c);
        if (!greedy) {
            ins->b = ins->a;
            ins->a = here(c);
        }
    }
}
static void compile_look(Compiler *c, const RegexNode *n)
{
    uint32_t look = emit(c, RX_OP_LOOK, 0, 0);
    if (n->behind) {
        /* only the alternatives at the top may differ in length */
        const RegexNode *top = n->first;
        while (top->kind == RX_CAT && top->first && !top->first->next)
            top = top->first;
        bool alternatives = top->kind == RX_ALT;
        uint32_t jumps = UINT32_MAX;
        for (const RegexNode *k = alternatives ? top->first : top; k && !c->failed; k = alternatives ? k->next : NULL) {
            int64_t chars = fixed_chars(c->tree, k, 0);
            bool more = alternatives && k->next;
            uint32_t split = more ? emit(c, RX_OP_SPLIT, here(c) + 1, 0) : 0;
            if (chars < 0 || chars > 10000) {
                fail(c);
                return;
            }
            if (chars)
                emit(c, RX_OP_BACK, (uint32_t)chars, 0);
            compile_node(c, k);
            if (more && !c->failed) {
                jumps = emit(c, RX_OP_JUMP, jumps, 0);
                at(c, split)->b = here(c);
            }
        }
        end_jumps_here(c, jumps);
    } else {
        compile_node(c, n->first);
    }
    emit(c, RX_OP_DONE, 0, 0);
    if (c->failed)
        return;
    at(c, look)->a = here(c);
    at(c, look)->how = n->negated;
}
static void compile_node(Compiler *c, const RegexNode *n)
{
    if (c->failed)
        return;
    switch (n->kind) {
    case RX_EMPTY:
        break;
    case RX_CHAR: {
        RegexNode one = *n;
        one.next = NULL;
        emit_text(c, &one);
        break;
    }
    case RX_SET:
        emit(c, RX_OP_CLASS, class_of_node(c, n), 0);
        break;
    case RX_CAT:
        for (const RegexNode *k = n->first; k && !c->failed;) {
            if (k->kind == RX_CHAR) {
                k = emit_text(c, k);
            } else {
                compile_node(c, k);
                k = k->next;
            }
        }
        break;
    case RX_ALT:
        compile_alternatives(c, n);
        break;
    case RX_REPEAT:
        compile_repeat(c, n);
        break;
    case RX_GROUP:
    case RX_CALL: {
        uint32_t g = n->value;
        if (g >= 1024 || (c->calls[g / 64] >> g % 64 & 1)) { /* recursion */
            fail(c);
            break;
        }
        c->calls[g / 64] |= 1ull << g % 64;
        emit(c, RX_OP_SAVE, 2 * g, 0);
        compile_node(c, c->tree->groups[g]->first);
        emit(c, RX_OP_SAVE, 2 * g + 1, 0);
        c->calls[g / 64] &= ~(1ull << g % 64);
        break;
    }
    case RX_ATOMIC: {
        const RegexNode *only = n->first;
        while (only->kind == RX_CAT && only->first && !only->first->next)
            only = only->first;
        if (only->kind == RX_REPEAT && only->how == REPEAT_GREEDY) {
            RegexNode possessive = *only;
            possessive.how = REPEAT_POSSESSIVE;
            if (compile_loop(c, &possessive))
                break;
        }
        uint32_t atomic = emit(c, RX_OP_ATOMIC, 0, 0);
        compile_node(c, n->first);
        emit(c, RX_OP_DONE, 0, 0);
        if (!c->failed)
            at(c, atomic)->a = here(c);
        break;
    }
    case RX_LOOK:
        compile_look(c, n);
        break;
    case RX_ANCHOR: {
        uint32_t pc = emit(c, RX_OP_ANCHOR, n->ascii, 0);
        if (!c->failed)
            at(c, pc)->how = n->how;
        break;
    }
    }
}

/* ---- what can come next ---- */

typedef struct NextBytes {
    uint8_t by[257]; /* [256]: the end of the subject */
    bool all;
} NextBytes;

typedef struct Walk {
    const Regex *re;
    NextBytes *out;
    uint32_t visited[MAX_VISITS];
    int nvisited;
    bool ends_open; /* what follows MATCH or DONE does not matter: nobody comes back */
} Walk;

static void next_all(NextBytes *next)
{
    memset(next->by, 1, sizeof next->by);
    next->all = true;
}
static void walk(Walk *w, uint32_t pc)
{
    const Regex *re = w->re;
    while (!w->out->all) {
        for (int i = 0; i < w->nvisited; i++)
            if (w->visited[i] == pc)
                return;
        if (w->nvisited == MAX_VISITS) {
            next_all(w->out);
            return;
        }
        w->visited[w->nvisited++] = pc;
        const RegexIns *ins = &re->code[pc++];
        switch ((RegexOp)ins->op) {
        case RX_OP_CHAR:
            w->out->by[ins->a] = 1;
            return;
        case RX_OP_TEXT:
            w->out->by[(uint8_t)re->text[ins->a]] = 1;
            return;
        case RX_OP_CLASS:
        case RX_OP_LOOP:
            for (int b = 0; b < 256; b++)
                w->out->by[b] |= re->classes[ins->a].lead[b] != CLASS_NO;
            if (ins->op == RX_OP_CLASS || ins->b > 0)
                return;
            break;
        case RX_OP_SPLIT:
            walk(w, ins->a);
            pc = ins->b;
            break;
        case RX_OP_JUMP:
            pc = ins->a;
            break;
        case RX_OP_EMPTY_TO: /* back to the loop, or out of it */
            walk(w, ins->b);
            break;
        case RX_OP_SAVE: case RX_OP_EMPTY_FROM:
            break;
        case RX_OP_LOOK: /* only restricts */
            pc = ins->a;
            break;
        case RX_OP_ATOMIC: /* into it; DONE below goes on behind it */
            break;
        case RX_OP_ANCHOR:
            if (ins->how == AT_END) {
                w->out->by[256] = 1;
                return;
            }
            if (ins->how == AT_LINE_END || ins->how == AT_LAST_LINE_END) {
                w->out->by[256] = w->out->by['\n'] = 1;
                return;
            }
            break;
        case RX_OP_FAIL:
            return;
        case RX_OP_MATCH: case RX_OP_DONE: case RX_OP_BACK:
            next_all(w->out);
            return;
        }
    }
}
static NextBytes next_bytes(const Regex *re, uint32_t pc)
{
    NextBytes next = {0};
    Walk w = {.re = re, .out = &next};
    walk(&w, pc);
    return next;
}
static void tune_loop(Regex *re, uint32_t pc)
{
    RegexIns *ins = &re->code[pc];
    const RegexIns *after = &re->code[pc + 1];
    while (after->op == RX_OP_SAVE || after->op == RX_OP_JUMP)
        after = after->op == RX_OP_SAVE ? after + 1 : &re->code[after->a];
    if (after->op == RX_OP_MATCH || after->op == RX_OP_DONE) { /* no one will come back to it */
        if (ins->how == REPEAT_GREEDY)
            ins->how = REPEAT_POSSESSIVE;
        return;
    }
    NextBytes next = next_bytes(re, pc + 1);
    for (int b = 0; b < 256; b++)
        if (next.by[b] && re->classes[ins->a].lead[b] != CLASS_NO)
            return;
    ins->how = REPEAT_POSSESSIVE;
}
static void tune_split(Regex *re, uint32_t pc)
{
    RegexIns *ins = &re->code[pc];
    NextBytes a = next_bytes(re, ins->a), b = next_bytes(re, ins->b);
    if (a.all && b.all)
        return;
    if (re->nnexts >= MAX_NEXTS)
        return;
    RegexNext *nexts = realloc(re->nexts, (re->nnexts + 1) * sizeof *nexts);
    if (!nexts)
        return;
    re->nexts = nexts;
    for (int i = 0; i < 257; i++)
        nexts[re->nnexts].by[i] = (uint8_t)((a.by[i] ? NEXT_A : 0) | (b.by[i] ? NEXT_B : 0));
    ins->c = ++re->nnexts;
}

/* ---- where a match can begin ---- */

/* Bytes that n matches at least. */
static uint64_t min_bytes(const Compiler *c, const RegexNode *n, int depth)
{
    uint64_t sum = 0;
    if (depth > 200)
        return 0;
    switch (n->kind) {
    case RX_CHAR: {
        char bytes[4];
        return char_bytes(c, n->value, bytes);
    }
    case RX_SET:
        return 1;
    case RX_CAT:
        for (const RegexNode *k = n->first; k; k = k->next)
            sum += min_bytes(c, k, depth + 1);
        break;
    case RX_ALT:
        sum = UINT64_MAX;
        for (const RegexNode *k = n->first; k; k = k->next)
            sum = MIN(sum, min_bytes(c, k, depth + 1));
        break;
    case RX_REPEAT:
        sum = n->min ? min_bytes(c, n->first, depth + 1) * (uint64_t)n->min : 0;
        break;
    case RX_GROUP: case RX_ATOMIC:
        sum = min_bytes(c, n->first, depth + 1);
        break;
    case RX_CALL:
        sum = min_bytes(c, c->tree->groups[n->value]->first, depth + 1);
        break;
    default:
        break;
    }
    return MIN(sum, 1000000u);
}
static void find_start(Regex *re)
{
    uint32_t pc = 0;
    while (re->code[pc].op == RX_OP_SAVE)
        pc++;
    const RegexIns *ins = &re->code[pc];
    re->runs = ins->op == RX_OP_LOOP && ins->c == UINT32_MAX;
    re->start = START_ANY;
    if (ins->op == RX_OP_ANCHOR) {
        re->start = ins->how == AT_START ? START_BEGIN : ins->how == AT_LINE_START ? START_LINE :
                    ins->how == AT_SEARCH_START ? START_HERE : START_ANY;
        if (re->start != START_ANY)
            return;
    }
    if (ins->op == RX_OP_TEXT) {
        re->start = START_TEXT;
        re->start_text = ins->a;
        re->start_text_len = ins->b;
        return;
    }
    NextBytes next = next_bytes(re, 0);
    if (next.by[256] || next.all)
        return;
    int n = 0;
    for (int b = 0; b < 256; b++)
        n += next.by[b] != 0;
    if (n > 200)
        return;
    re->start = START_BYTES;
    memcpy(re->start_bytes, next.by, 257);
    if (n == 1) {
        re->start_text = (uint32_t)((uint8_t *)memchr(re->start_bytes, 1, 256) - re->start_bytes);
        re->start_text_len = 1;
    }
}
/* The longest literal that every match holds; not within alternatives and what may be absent. */
static void find_need(Regex *re)
{
    for (uint32_t pc = 0; pc < re->ncode; pc++) {
        const RegexIns *ins = &re->code[pc];
        if (ins->op == RX_OP_SPLIT || ins->op == RX_OP_LOOK || ins->op == RX_OP_JUMP || ins->op == RX_OP_ATOMIC)
            return;
        if (ins->op == RX_OP_TEXT && ins->b > re->need_len && pc > 0) {
            re->need = ins->a;
            re->need_len = ins->b;
        }
    }
}

Regex *regex_compile(const char *source, size_t len, int source_enc, int enc, int options)
{
    RegexTree tree;
    if (!regex_parse(&tree, source, len, source_enc, enc, options))
        return NULL;
    Regex *re = calloc(1, sizeof *re);
    if (!re) {
        regex_tree_free(&tree);
        return NULL;
    }
    Compiler c = {.tree = &tree, .re = re};
    re->enc = enc;
    re->utf8 = enc_is_utf8(enc);
    re->ngroups = tree.ngroups;
    re->ascii_only = tree.ascii_only;
    compile_node(&c, tree.root);
    emit(&c, RX_OP_MATCH, 0, 0);
    re->start_text_len = 0;
    for (uint32_t pc = 0; pc < re->ncode && !c.failed; pc++) {
        RegexIns *ins = &re->code[pc];
        if (ins->op == RX_OP_LOOP && ins->how != REPEAT_POSSESSIVE)
            tune_loop(re, pc);
        else if (ins->op == RX_OP_SPLIT)
            tune_split(re, pc);
        if (ins->op == RX_OP_LOOP || ins->op == RX_OP_SPLIT)
            ins->point = (uint16_t)re->npoints++;
    }
    if (c.failed || re->ncode > MAX_CODE || re->npoints > MAX_POINTS) {
        regex_tree_free(&tree);
        regex_free(re);
        return NULL;
    }
    re->min_len = (uint32_t)min_bytes(&c, tree.root, 0);
    find_start(re);
    find_need(re);
    regex_tree_free(&tree);
    return re;
}
void regex_free(Regex *re)
{
    if (!re)
        return;
    for (uint32_t i = 0; i < re->nclasses; i++)
        free(re->classes[i].r);
    free(re->classes);
    free(re->nexts);
    free(re->code);
    free(re->text);
    free(re);
}
