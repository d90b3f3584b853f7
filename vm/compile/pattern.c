/*
 * pattern.c - case/in, `value => pattern`, `value in pattern`.
 *
 * match(value, pattern) is code that falls through when the pattern fits and
 * jumps to `no` otherwise.  Where a failure ends in NoMatchingPatternError and
 * there is a single pattern, CRuby's message says what did not fit: then the
 * failing test also leaves a message (and the missing key) in registers.
 */
#include <stdarg.h>
#include <string.h>

#include "vm/compile/compiler.h"

typedef struct Pattern {
    int no;      /* label */
    int message; /* register for the message, or -1: nobody asks */
    int key, key_hash; /* registers: missing key (else undef) and the hash it is missing from */
    int cache, cached; /* register with what `deconstruct' of the value in register `cached' gave: undef not asked,
                          nil no such method; -1: not kept */
} Pattern;

#define NO_PATTERN {.message = -1, .key = -1, .cache = -1, .cached = -1}

static void match(Unit *u, Pattern *p, Node *pattern, int value);

/* Message from text pieces and inspected registers: "%" stands for the next register. */
static void leave_message(Unit *u, Pattern *p, const char *format, ...)
{
    int mark = u->top, first = u->top, n = 0;
    const char *at = format;
    va_list ap;

    if (p->message < 0)
        return;
    va_start(ap, format);
    while (*at != '\0') {
        if (*at == '%') {
            int reg = temp(u);

            emit(u, OP_MOVE, reg, va_arg(ap, int));
            emit_send(u, reg, 0, "inspect", 0);
            at++;
        } else {
            const char *end = strchr(at, '%');
            size_t length = end == NULL ? strlen(at) : (size_t)(end - at);

            load_text(u, temp(u), mem_strndup(u->c->ctx, at, length));
            at += length;
        }
        n++;
    }
    va_end(ap);
    emit(u, OP_CONCAT, p->message, first, n);
    u->top = mark;
}

/* Goes on when reg is true; else leaves the message and jumps to no. */
#define require(u, p, reg, ...)                        \
    do {                                               \
        if ((p)->message < 0) {                        \
            emit(u, OP_JUMPF, reg, (p)->no);           \
        } else {                                       \
            int ok_label = label_new(u);               \
            emit(u, OP_JUMPT, reg, ok_label);          \
            leave_message(u, p, __VA_ARGS__);          \
            if ((p)->key >= 0)                         \
                emit(u, OP_LOADUNDEF, (p)->key);       \
            emit(u, OP_JUMP, (p)->no);                 \
            label_here(u, ok_label);                   \
        }                                              \
    } while (0)

/* expr === value */
static void match_value(Unit *u, Pattern *p, Node *node, int value)
{
    int mark = u->top, kept = temp(u), base = temp(u);

    if (node->type == NODE_STRING)
        string_part(u, node, kept);
    else
        expr(u, node, kept);
    emit(u, OP_EQQ, base, kept, value, cache_new(u));
    require(u, p, base, "% === % does not return true", kept, value);
    u->top = mark;
}

static void responds(Unit *u, Pattern *p, int value, const char *method, const char *message)
{
    int mark = u->top, base = temps(u, 2);

    emit(u, OP_MOVE, base, value);
    emit(u, OP_LOADSYM, base + 1, symbol_text(u->c, method));
    emit_send(u, base, 1, "respond_to?", CALL_SELF);
    require(u, p, base, message, value);
    u->top = mark;
}

/* dst = value.deconstruct */
static void deconstruct(Unit *u, Pattern *p, Node *constant, int value, int dst)
{
    int mark = u->top, base, have = label_new(u);
    bool keep = p->cache >= 0 && p->cached == value;

    if (constant != NULL)
        match_value(u, p, constant, value);
    if (keep) {
        int fresh = label_new(u);

        emit(u, OP_JUMPUNDEF, p->cache, fresh);
        emit(u, OP_JUMPNIL, p->cache, p->no);
        emit(u, OP_MOVE, dst, p->cache);
        emit(u, OP_JUMP, have);
        label_here(u, fresh);
        load_nil(u, p->cache);
    }
    responds(u, p, value, "deconstruct", "% does not respond to #deconstruct");
    base = temps(u, 2);
    emit(u, OP_MOVE, base + 1, value);
    emit_send(u, base + 1, 0, "deconstruct", CALL_SELF);
    emit(u, OP_PRIM, base, PRIM_check_deconstruct, 1);
    move(u, dst, base);
    if (keep)
        emit(u, OP_MOVE, p->cache, base);
    label_here(u, have);
    u->top = mark;
}

/* dst = array[index + offset register, if any] */
static void element(Unit *u, int array, int index, int from, int dst)
{
    int mark = u->top, at = temp(u);

    if (from < 0)
        emit(u, OP_LOADINT, at, index);
    else
        emit(u, OP_ADDI, at, from, index, cache_new(u));
    emit(u, OP_AREF, dst, array, at, cache_new(u));
    u->top = mark;
}

static void subarray(Unit *u, int array, int start, int length, int dst)
{
    int mark = u->top, base = temps(u, 3);

    emit(u, OP_MOVE, base, array);
    emit(u, OP_MOVE, base + 1, start);
    emit(u, OP_MOVE, base + 2, length);
    emit_send(u, base, 2, "[]", 0);
    move(u, dst, base);
    u->top = mark;
}

static void size_of(Unit *u, int object, const char *method, int dst)
{
    int mark = u->top, base = temp(u);

    emit(u, OP_MOVE, base, object);
    emit_send(u, base, 0, method, 0);
    move(u, dst, base);
    u->top = mark;
}

static Node *splat_target(Node *rest)
{
    return node_is(rest, NODE_SPLAT) ? ((SplatNode *)rest)->expression : NULL;
}

static void array_pattern(Unit *u, Pattern *p, ArrayPatternNode *node, int value)
{
    int mark = u->top, array = temp(u), length = temp(u), test = temp(u), wanted = temp(u), item = temp(u);
    int fixed = (int)(node->requireds.count + node->posts.count);

    deconstruct(u, p, node->constant, value, array);
    size_of(u, array, "length", length);
    emit(u, OP_LOADINT, wanted, fixed);
    if (node->rest == NULL) {
        emit(u, OP_EQ, test, length, wanted, cache_new(u));
        require(u, p, test, "% length mismatch (given %, expected %)", array, length, wanted);
    } else {
        emit(u, OP_GE, test, length, wanted, cache_new(u));
        require(u, p, test, "% length mismatch (given %, expected %+)", array, length, wanted);
    }
    for (uint32_t i = 0; i < node->requireds.count; i++) {
        element(u, array, (int)i, -1, item);
        match(u, p, node->requireds.items[i], item);
    }
    if (splat_target(node->rest) != NULL) {
        emit(u, OP_LOADINT, wanted, (int)node->requireds.count);
        emit(u, OP_SUBI, test, length, fixed, cache_new(u));
        subarray(u, array, wanted, test, item);
        match(u, p, splat_target(node->rest), item);
    }
    for (uint32_t i = 0; i < node->posts.count; i++) {
        emit(u, OP_SUBI, test, length, (int)node->posts.count, cache_new(u));
        element(u, array, (int)i, test, item);
        match(u, p, node->posts.items[i], item);
    }
    u->top = mark;
}

static void find_pattern(Unit *u, Pattern *p, FindPatternNode *node, int value)
{
    int mark = u->top, array = temp(u), length = temp(u), test = temp(u), item = temp(u), at = temp(u), last = temp(u);
    int n = (int)node->requireds.count;
    int loop = label_new(u), found = label_new(u);
    Pattern inner = NO_PATTERN;

    inner.no = label_new(u);

    deconstruct(u, p, node->constant, value, array);
    size_of(u, array, "length", length);
    emit(u, OP_SUBI, last, length, n, cache_new(u));
    emit(u, OP_LOADINT, at, 0);
    emit(u, OP_GE, test, last, at, cache_new(u));
    {
        int wanted = temp(u);

        emit(u, OP_LOADINT, wanted, n);
        require(u, p, test, "% length mismatch (given %, expected %+)", array, length, wanted);
    }
    label_here(u, loop);
    emit(u, OP_LE, test, at, last, cache_new(u));
    require(u, p, test, "% does not match to find pattern", array);
    for (int i = 0; i < n; i++) {
        element(u, array, i, at, item);
        match(u, &inner, node->requireds.items[i], item);
    }
    emit(u, OP_JUMP, found);
    label_here(u, inner.no);
    emit(u, OP_ADDI, at, at, 1, cache_new(u));
    emit(u, OP_LOOP, loop);
    label_here(u, found);
    if (splat_target(node->left) != NULL) {
        emit(u, OP_LOADINT, test, 0);
        subarray(u, array, test, at, item);
        match(u, p, splat_target(node->left), item);
    }
    if (splat_target(node->right) != NULL) {
        emit(u, OP_ADDI, at, at, n, cache_new(u));
        emit(u, OP_SUB, test, length, at, cache_new(u));
        subarray(u, array, at, test, item);
        match(u, p, splat_target(node->right), item);
    }
    u->top = mark;
}

static void key_missing(Unit *u, Pattern *p, int hash, int key, int found)
{
    int ok;

    if (p->message < 0) {
        emit(u, OP_JUMPF, found, p->no);
        return;
    }
    ok = label_new(u);
    emit(u, OP_JUMPT, found, ok);
    leave_message(u, p, "key not found: %", key);
    if (p->key >= 0) {
        emit(u, OP_MOVE, p->key, key);
        emit(u, OP_MOVE, p->key_hash, hash);
    }
    emit(u, OP_JUMP, p->no);
    label_here(u, ok);
}

static void pattern_key(Unit *u, const AssocNode *pair, int dst)
{
    expr(u, pair->key, dst);
}

static void hash_pattern(Unit *u, Pattern *p, HashPatternNode *node, int value)
{
    int mark = u->top, hash = temp(u), key = temp(u), item = temp(u), base;
    bool takes_rest = node_is(node->rest, NODE_ASSOC_SPLAT) && ((AssocSplatNode *)node->rest)->value != NULL;
    bool exact = node_is(node->rest, NODE_NO_KEYWORDS_PARAMETER);

    if (node->constant != NULL)
        match_value(u, p, node->constant, value);
    responds(u, p, value, "deconstruct_keys", "% does not respond to #deconstruct_keys");
    base = temps(u, 3);
    emit(u, OP_MOVE, base + 1, value);
    if (takes_rest) {
        load_nil(u, base + 2);
    } else {
        int first = u->top;

        for (uint32_t i = 0; i < node->elements.count; i++)
            pattern_key(u, (AssocNode *)node->elements.items[i], temp(u));
        emit(u, OP_ARRAY, base + 2, node->elements.count ? first : 0, node->elements.count);
        u->top = base + 3;
    }
    emit_send(u, base + 1, 1, "deconstruct_keys", CALL_SELF);
    emit(u, OP_PRIM, base, PRIM_check_deconstruct_keys, 1);
    emit(u, OP_MOVE, hash, base);
    u->top = base;

    for (uint32_t i = 0; i < node->elements.count; i++) {
        AssocNode *pair = (AssocNode *)node->elements.items[i];

        base = temps(u, 2);
        pattern_key(u, pair, key);
        emit(u, OP_MOVE, base, hash);
        emit(u, OP_MOVE, base + 1, key);
        emit_send(u, base, 1, "key?", 0);
        key_missing(u, p, hash, key, base);
        u->top = base;
        emit(u, OP_AREF, item, hash, key, cache_new(u));
        if (pair->value != NULL)
            match(u, p, pair->value, item);
    }
    if (takes_rest || exact) {
        base = temps(u, 2);
        emit(u, OP_MOVE, base + 1, hash);
        for (uint32_t i = 0; i < node->elements.count; i++)
            pattern_key(u, (AssocNode *)node->elements.items[i], temp(u));
        emit(u, OP_PRIM, base, PRIM_hash_without, node->elements.count + 1);
        emit(u, OP_MOVE, item, base);
        u->top = base;
        if (takes_rest) {
            match(u, p, ((AssocSplatNode *)node->rest)->value, item);
        } else {
            size_of(u, item, "empty?", key);
            require(u, p, key, "rest of % is not empty", item);
        }
    } else if (node->elements.count == 0 && node->rest == NULL) {
        size_of(u, hash, "empty?", key);
        require(u, p, key, "% is not empty", hash);
    }
    u->top = mark;
}

static void guard(Unit *u, Pattern *p, Node *predicate, bool unless)
{
    int mark = u->top, reg = temp(u);

    expr(u, predicate, reg);
    if (unless) {
        int ok = label_new(u);

        emit(u, OP_JUMPF, reg, ok);
        leave_message(u, p, "guard clause does not return true");
        emit(u, OP_JUMP, p->no);
        label_here(u, ok);
    } else {
        require(u, p, reg, "guard clause does not return true");
    }
    u->top = mark;
}

static void match(Unit *u, Pattern *p, Node *pattern, int value)
{
    int mark = u->top;

    switch (pattern->type) {
    case NODE_ARRAY_PATTERN:
        array_pattern(u, p, (ArrayPatternNode *)pattern, value);
        break;
    case NODE_FIND_PATTERN:
        find_pattern(u, p, (FindPatternNode *)pattern, value);
        break;
    case NODE_HASH_PATTERN:
        hash_pattern(u, p, (HashPatternNode *)pattern, value);
        break;
    case NODE_ALTERNATION_PATTERN: {
        AlternationPatternNode *either = (AlternationPatternNode *)pattern;
        Pattern first = *p;
        int yes = label_new(u);

        first.no = label_new(u);
        match(u, &first, either->left, value);
        emit(u, OP_JUMP, yes);
        label_here(u, first.no);
        match(u, p, either->right, value);
        label_here(u, yes);
        break;
    }
    case NODE_CAPTURE_PATTERN:
        match(u, p, ((CapturePatternNode *)pattern)->value, value);
        target_assign(u, ((CapturePatternNode *)pattern)->target, value);
        break;
    case NODE_LOCAL_VARIABLE_TARGET:
        target_assign(u, pattern, value);
        break;
    case NODE_IMPLICIT:
        match(u, p, ((ImplicitNode *)pattern)->value, value);
        break;
    case NODE_PINNED_VARIABLE:
        match_value(u, p, ((PinnedVariableNode *)pattern)->variable, value);
        break;
    case NODE_PINNED_EXPRESSION:
        match_value(u, p, ((PinnedExpressionNode *)pattern)->expression, value);
        break;
    case NODE_PARENTHESES: {
        Node *body = ((ParenthesesNode *)pattern)->body;

        if (node_is(body, NODE_STATEMENTS) && ((StatementsNode *)body)->body.count == 1)
            body = ((StatementsNode *)body)->body.items[0];
        if (body != NULL)
            match(u, p, body, value);
        break;
    }
    case NODE_IF: {
        IfNode *node = (IfNode *)pattern;

        match(u, p, ((StatementsNode *)node->statements)->body.items[0], value);
        guard(u, p, node->predicate, false);
        break;
    }
    case NODE_UNLESS: {
        UnlessNode *node = (UnlessNode *)pattern;

        match(u, p, ((StatementsNode *)node->statements)->body.items[0], value);
        guard(u, p, node->predicate, true);
        break;
    }
    default:
        match_value(u, p, pattern, value);
        break;
    }
    u->top = mark;
}

/* Registers for the message of a single pattern. */
static Pattern explained(Unit *u)
{
    Pattern p = NO_PATTERN;

    p.no = label_new(u);
    p.message = temp(u);
    p.key = temp(u);
    p.key_hash = temp(u);
    emit(u, OP_LOADUNDEF, p.key);
    return p;
}

static void raise_explained(Unit *u, Pattern *p, int value)
{
    int mark = u->top, plain = label_new(u), base = temps(u, 5);

    emit(u, OP_MOVE, base + 1, value);
    emit(u, OP_JUMPUNDEF, p->key, plain);
    emit(u, OP_MOVE, base + 2, p->key);
    emit(u, OP_MOVE, base + 3, p->message);
    emit(u, OP_MOVE, base + 4, p->key_hash);
    emit(u, OP_PRIM, base, PRIM_pattern_key_error, 4);
    label_here(u, plain);
    emit(u, OP_MOVE, base + 2, p->message);
    emit(u, OP_PRIM, base, PRIM_pattern_error, 2);
    u->top = mark;
}

void case_match_node(Unit *u, CaseMatchNode *node, int dst)
{
    int mark = u->top, value = temp(u), end = label_new(u);
    bool single = node->conditions.count == 1 && node->else_clause == NULL;
    Pattern last = NO_PATTERN;
    int cache = temp(u);

    expr_or_nil(u, node->predicate, value);
    emit(u, OP_LOADUNDEF, cache);
    for (uint32_t i = 0; i < node->conditions.count; i++) {
        InNode *in = (InNode *)node->conditions.items[i];
        Pattern p = NO_PATTERN;

        p.no = label_new(u);
        p.cache = cache;
        p.cached = value;
        if (single)
            p = last = explained(u);
        set_line(u, in->base.location.start);
        match(u, &p, in->pattern, value);
        expr_or_nil(u, in->statements, dst);
        if (reachable(u))
            emit(u, OP_JUMP, end);
        label_here(u, p.no);
    }
    if (node->else_clause != NULL) {
        expr_or_nil(u, node->else_clause, dst);
    } else {
        set_line(u, node->base.location.start);
        if (single) {
            raise_explained(u, &last, value);
        } else {
            int base = temps(u, 2);

            emit(u, OP_MOVE, base + 1, value);
            emit(u, OP_PRIM, base, PRIM_pattern_error, 1);
        }
        load_nil(u, dst);
    }
    label_here(u, end);
    u->top = mark;
}

void match_predicate(Unit *u, MatchPredicateNode *node, int dst)
{
    int mark = u->top, value = temp(u), result = temp(u), end = label_new(u);
    Pattern p = NO_PATTERN;

    p.no = label_new(u);
    expr(u, node->value, value);
    match(u, &p, node->pattern, value);
    emit(u, OP_LOADTRUE, result);
    emit(u, OP_JUMP, end);
    label_here(u, p.no);
    emit(u, OP_LOADFALSE, result);
    label_here(u, end);
    move(u, dst, result);
    u->top = mark;
}

void match_required(Unit *u, MatchRequiredNode *node, int dst)
{
    int mark = u->top, value = temp(u), end = label_new(u);
    Pattern p;

    expr(u, node->value, value);
    p = explained(u);
    match(u, &p, node->pattern, value);
    emit(u, OP_JUMP, end);
    label_here(u, p.no);
    set_line(u, node->base.location.start);
    raise_explained(u, &p, value);
    label_here(u, end);
    load_nil(u, dst);
    u->top = mark;
}
