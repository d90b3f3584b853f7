/*
 * expr.c - literals, variables, and the dispatch over all node types.
 */
#include <stdio.h>
#include <string.h>

#include "vm/compile/compiler.h"
#include "vm/core.h"

/* Elements loaded to registers at once before they are flushed into the array or hash. */
#define CHUNK 64

void load_nil(Unit *u, int dst)
{
    if (dst != DISCARD)
        emit(u, OP_LOADNIL, dst);
}

void load_text(Unit *u, int dst, const char *text)
{
    if (dst != DISCARD)
        emit(u, OP_LOADOBJ, dst, lit_text(u->c, text));
}

void load_symbol(Unit *u, int dst, const Name *name)
{
    if (dst != DISCARD)
        emit(u, OP_LOADSYM, dst, symbol_name(u->c, name));
}

static void load_lit(Unit *u, int dst, Lit *lit)
{
    if (dst != DISCARD)
        emit(u, OP_LOADOBJ, dst, lit_add(u->c, lit));
}

/* ---- what can be said of a node beforehand ---- */

bool is_plain(const Node *node)
{
    if (node == NULL)
        return true;
    switch (node->type) {
    case NODE_INTEGER:
    case NODE_FLOAT:
    case NODE_RATIONAL:
    case NODE_IMAGINARY:
    case NODE_STRING:
    case NODE_SYMBOL:
    case NODE_NIL:
    case NODE_TRUE:
    case NODE_FALSE:
    case NODE_SELF:
    case NODE_LOCAL_VARIABLE_READ:
    case NODE_IT_LOCAL_VARIABLE_READ:
    case NODE_INSTANCE_VARIABLE_READ:
    case NODE_GLOBAL_VARIABLE_READ:
    case NODE_CONSTANT_READ:
    case NODE_REGULAR_EXPRESSION:
    case NODE_SOURCE_LINE:
        return true;
    default:
        return false;
    }
}

bool writes_last(const Node *node)
{
    switch (node->type) {
    case NODE_CALL:
        return (node->flags & (CALL_SAFE_NAVIGATION | CALL_ATTRIBUTE_WRITE)) == 0;
    case NODE_INTEGER:
    case NODE_FLOAT:
    case NODE_RATIONAL:
    case NODE_IMAGINARY:
    case NODE_STRING:
    case NODE_SYMBOL:
    case NODE_NIL:
    case NODE_TRUE:
    case NODE_FALSE:
    case NODE_SELF:
    case NODE_LOCAL_VARIABLE_READ:
    case NODE_IT_LOCAL_VARIABLE_READ:
    case NODE_INSTANCE_VARIABLE_READ:
    case NODE_CLASS_VARIABLE_READ:
    case NODE_GLOBAL_VARIABLE_READ:
    case NODE_CONSTANT_READ:
    case NODE_REGULAR_EXPRESSION:
    case NODE_INTERPOLATED_STRING:
    case NODE_INTERPOLATED_SYMBOL:
    case NODE_LAMBDA:
    case NODE_SUPER:
    case NODE_FORWARDING_SUPER:
    case NODE_YIELD:
    case NODE_RANGE:
    case NODE_ARRAY:
    case NODE_HASH:
    case NODE_CONSTANT_PATH:
    case NODE_LOCAL_VARIABLE_WRITE:
    case NODE_INSTANCE_VARIABLE_WRITE:
        return true;
    case NODE_PARENTHESES: {
        const Node *body = ((const ParenthesesNode *)node)->body;

        if (node_is(body, NODE_STATEMENTS) && ((const StatementsNode *)body)->body.count == 1)
            return writes_last(((const StatementsNode *)body)->body.items[0]);
        return false;
    }
    default:
        return false;
    }
}

/* ---- static values ---- */

static int forced_encoding(Unit *u, uint16_t flags)
{
    if (flags & STRING_FORCED_UTF8)
        return ENC_UTF_8;
    if (flags & STRING_FORCED_BINARY)
        return ENC_BINARY;
    return u->c->source_encoding;
}

Lit *string_literal(Unit *u, NodeString bytes, uint16_t flags, uint32_t lit_flags)
{
    Lit *lit = lit_new(u->c, LIT_STRING);

    lit->bytes = bytes;
    lit->encoding = forced_encoding(u, flags);
    lit->flags = lit_flags;
    return lit;
}

static Lit *symbol_literal(Unit *u, const SymbolNode *node)
{
    Lit *lit = lit_new(u->c, LIT_SYMBOL);

    lit->bytes = node->unescaped;
    lit->encoding = node->base.flags & SYMBOL_FORCED_US_ASCII ? ENC_US_ASCII : forced_encoding(u, node->base.flags);
    return lit;
}

static Lit *regexp_literal(Unit *u, const Node *node, NodeString bytes)
{
    Lit *lit = lit_new(u->c, LIT_REGEXP);
    uint16_t flags = node->flags;

    lit->bytes = bytes;
    lit->line = (uint32_t)parse_line(u->c->parse, node->location.start);
    lit->encoding = u->c->source_encoding;
    if (flags & REGEXP_IGNORE_CASE)
        lit->flags |= 1;
    if (flags & REGEXP_EXTENDED)
        lit->flags |= 2;
    if (flags & REGEXP_MULTI_LINE)
        lit->flags |= 4;
    if (flags & (REGEXP_UTF_8 | REGEXP_FORCED_UTF8)) {
        lit->encoding = ENC_UTF_8;
        lit->flags |= 16;
    }
    if (flags & REGEXP_ASCII_8BIT) {
        lit->flags |= 32;
        lit->encoding = flags & REGEXP_FORCED_BINARY ? ENC_BINARY : ENC_US_ASCII;
    } else if (flags & REGEXP_FORCED_BINARY) {
        lit->encoding = ENC_BINARY;
    } else if (flags & REGEXP_FORCED_US_ASCII) {
        lit->encoding = ENC_US_ASCII;
    }
    if (flags & (REGEXP_EUC_JP | REGEXP_WINDOWS_31J)) {
        int enc = encoding_find(flags & REGEXP_EUC_JP ? "EUC-JP" : "Windows-31J");

        if (enc >= 0)
            lit->encoding = enc;
        lit->flags |= 16;
    }
    return lit;
}

static int regexp_options(uint16_t flags)
{
    int options = 0;

    if (flags & REGEXP_IGNORE_CASE)
        options |= 1;
    if (flags & REGEXP_EXTENDED)
        options |= 2;
    if (flags & REGEXP_MULTI_LINE)
        options |= 4;
    if (flags & (REGEXP_UTF_8 | REGEXP_EUC_JP | REGEXP_WINDOWS_31J))
        options |= 16 | (flags & REGEXP_EUC_JP ? 64 : 0) | (flags & REGEXP_WINDOWS_31J ? 128 : 0);
    if (flags & REGEXP_ASCII_8BIT)
        options |= 32;
    return options;
}

static Lit *static_pair(Unit *u, LitKind kind, const Node *first, const Node *second)
{
    Lit *lit = lit_new(u->c, kind);

    lit->items = mem_zalloc(u->c->ctx, 2 * sizeof(Lit *));
    lit->count = 2;
    if (first != NULL && (lit->items[0] = static_literal(u, first)) == NULL)
        return NULL;
    if (second != NULL && (lit->items[1] = static_literal(u, second)) == NULL)
        return NULL;
    return lit;
}

Lit *static_literal(Unit *u, const Node *node)
{
    Lit *lit;

    switch (node->type) {
    case NODE_NIL:
        return lit_new(u->c, LIT_NIL);
    case NODE_TRUE:
        return lit_new(u->c, LIT_TRUE);
    case NODE_FALSE:
        return lit_new(u->c, LIT_FALSE);
    case NODE_INTEGER:
        lit = lit_new(u->c, LIT_INTEGER);
        lit->integer = ((const IntegerNode *)node)->value;
        return lit;
    case NODE_FLOAT:
        lit = lit_new(u->c, LIT_FLOAT);
        lit->number = ((const FloatNode *)node)->value;
        return lit;
    case NODE_RATIONAL:
        lit = lit_new(u->c, LIT_RATIONAL);
        lit->integer = ((const RationalNode *)node)->numerator;
        lit->denominator = ((const RationalNode *)node)->denominator;
        return lit;
    case NODE_IMAGINARY:
        return static_pair(u, LIT_IMAGINARY, ((const ImaginaryNode *)node)->numeric, NULL);
    case NODE_SYMBOL:
        return symbol_literal(u, (const SymbolNode *)node);
    case NODE_STRING:
        if (node->flags & STRING_FROZEN)
            return string_literal(u, ((const StringNode *)node)->unescaped, node->flags, LITF_INTERNED);
        return NULL;
    case NODE_RANGE: {
        const RangeNode *range = (const RangeNode *)node;

        if ((range->left != NULL && range->left->type != NODE_INTEGER) ||
            (range->right != NULL && range->right->type != NODE_INTEGER))
            return NULL;
        lit = static_pair(u, LIT_RANGE, range->left, range->right);
        lit->flags = (node->flags & RANGE_EXCLUDE_END) != 0;
        return lit;
    }
    default:
        return NULL;
    }
}

static bool small_integer(const NodeInteger *integer, int32_t *value)
{
    if (integer->count != 1 || integer->limbs[0] > INT32_MAX)
        return false;
    *value = integer->negative ? -(int32_t)integer->limbs[0] : (int32_t)integer->limbs[0];
    return true;
}

static void integer_node(Unit *u, Node *node, int dst)
{
    int32_t value;

    if (small_integer(&((IntegerNode *)node)->value, &value))
        emit(u, OP_LOADINT, dst, value);
    else
        load_lit(u, dst, static_literal(u, node));
}

static void string_node(Unit *u, const StringNode *node, int dst)
{
    if (node->base.flags & STRING_FROZEN)
        load_lit(u, dst, string_literal(u, node->unescaped, node->base.flags, LITF_INTERNED));
    else
        emit(u, OP_LOADSTR, dst, lit_add(u->c, string_literal(u, node->unescaped, node->base.flags, 0)));
}

/* ---- interpolation ---- */

void string_part(Unit *u, Node *node, int dst)
{
    if (node->type == NODE_STRING) {
        StringNode *s = (StringNode *)node;

        emit(u, OP_LOADOBJ, dst, lit_add(u->c, string_literal(u, s->unescaped, node->flags, LITF_INTERNED)));
        return;
    }
    if (node->type == NODE_EMBEDDED_STATEMENTS) {
        StatementsNode *body = (StatementsNode *)((EmbeddedStatementsNode *)node)->statements;

        if (body != NULL && body->body.count == 1 && body->body.items[0]->type == NODE_LOCAL_VARIABLE_READ) {
            int mark = u->top;

            emit(u, OP_TO_S, dst, operand(u, body->body.items[0]));
            u->top = mark;
            return;
        }
        statements(u, body, dst);
    } else if (node->type == NODE_EMBEDDED_VARIABLE)
        expr(u, ((EmbeddedVariableNode *)node)->variable, dst);
    else
        expr(u, node, dst);
    emit(u, OP_TO_S, dst, dst);
}

static uint32_t count_parts(const NodeList *parts)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->items[i]->type == NODE_INTERPOLATED_STRING)
            n += count_parts(&((InterpolatedStringNode *)parts->items[i])->parts);
        else
            n++;
    }
    return n;
}

/* Evaluates the parts to consecutive new temporaries; nested literals are flattened. */
static void parts_to_temps(Unit *u, const NodeList *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        if (parts->items[i]->type == NODE_INTERPOLATED_STRING)
            parts_to_temps(u, &((InterpolatedStringNode *)parts->items[i])->parts);
        else
            string_part(u, parts->items[i], temp(u));
    }
}

/* All parts are plain text: the joined bytes. */
static bool join_static(Unit *u, const NodeList *parts, StrBuf *out, uint16_t *flags)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        Node *part = parts->items[i];

        if (part->type == NODE_STRING) {
            NodeString s = ((StringNode *)part)->unescaped;

            strbuf_append(out, s.bytes, s.length);
            *flags |= part->flags & (STRING_FORCED_UTF8 | STRING_FORCED_BINARY);
        } else if (part->type == NODE_INTERPOLATED_STRING) {
            if (!join_static(u, &((InterpolatedStringNode *)part)->parts, out, flags))
                return false;
        } else {
            return false;
        }
    }
    return true;
}

static void join_parts(Unit *u, const NodeList *parts, int dst)
{
    int mark = u->top;
    uint32_t n = count_parts(parts);

    if (n <= CHUNK) {
        parts_to_temps(u, parts);
        if (dst != DISCARD)
            emit(u, OP_CONCAT, dst, mark, n);
    } else {
        int joined = temps(u, 2);
        bool first = true;

        for (uint32_t i = 0; i < parts->count; i++) {
            string_part(u, parts->items[i], first ? joined : joined + 1);
            if (!first)
                emit(u, OP_CONCAT, joined, joined, 2);
            first = false;
        }
        move(u, dst, joined);
    }
    u->top = mark;
}

static void interpolated_string(Unit *u, InterpolatedStringNode *node, int dst)
{
    StrBuf text;
    uint16_t flags = 0;

    strbuf_init(&text, u->c->ctx);
    if (join_static(u, &node->parts, &text, &flags)) {
        NodeString bytes = {text.data, (uint32_t)text.len};

        if (dst == DISCARD)
            return;
        if (node->base.flags & INTERPOLATED_STRING_FROZEN)
            load_lit(u, dst, string_literal(u, bytes, flags, LITF_INTERNED));
        else
            emit(u, OP_LOADSTR, dst, lit_add(u->c, string_literal(u, bytes, flags, 0)));
        return;
    }
    join_parts(u, &node->parts, dst);
}

static void interpolated_regexp(Unit *u, NodeList parts, uint16_t flags, int dst)
{
    int mark = u->top, value = temp(u), done = -1;
    uint32_t n = count_parts(&parts), cache = 0;
    int first;

    if (flags & REGEXP_ONCE) {
        cache = cache_new(u);
        done = label_new(u);
        emit(u, OP_ONCE, value, cache, done);
    }
    first = u->top;
    parts_to_temps(u, &parts);
    emit(u, OP_REGEXP, value, first, n, regexp_options(flags));
    if (flags & REGEXP_ONCE) {
        emit(u, OP_ONCE_SET, value, cache);
        label_here(u, done);
    }
    move(u, dst, value);
    u->top = mark;
}

static void backtick(Unit *u, Node *node, int dst)
{
    int mark = u->top, base = temps(u, 2);

    emit(u, OP_LOADSELF, base);
    if (node->type == NODE_X_STRING)
        emit(u, OP_LOADOBJ, base + 1,
             lit_add(u->c, string_literal(u, ((XStringNode *)node)->unescaped, node->flags, LITF_INTERNED)));
    else
        join_parts(u, &((InterpolatedXStringNode *)node)->parts, base + 1);
    emit_send(u, base, 1, "`", CALL_SELF);
    move(u, dst, base);
    u->top = mark;
}

/* ---- local variables ---- */

typedef struct Place {
    int reg;
    uint32_t distance; /* frames outwards; 0: this one */
} Place;

/* Leaves the units: the scopes that surround an eval.  `level` counts them from the innermost. */
static Place resolve_external(Unit *u, const Name *name, uint32_t level, uint32_t distance)
{
    Compiler *c = u->c;

    for (; level < c->nexternal; level++, distance++) {
        const ExternalScope *scope = &c->external[level];

        for (uint32_t i = 0; i < scope->count; i++) {
            if (scope->names[i].length == name->length && scope->names[i].bytes != NULL &&
                memcmp(scope->names[i].bytes, name->bytes, name->length) == 0)
                return (Place){(int)i, distance};
        }
    }
    compile_fail(u, NULL, "local variable %.*s is out of reach", (int)name->length, name->bytes);
    return (Place){0, 0};
}

static Place resolve(Unit *u, const Name *name, uint32_t depth)
{
    uint32_t distance = 0;
    Unit *at = u;
    int reg;

    for (;;) {
        if (!at->transparent) {
            if (depth == 0)
                break;
            depth--;
        }
        distance++;
        if (at->parent == NULL)
            return resolve_external(u, name, depth, distance + depth); /* level n lies n frames further out */
        at = at->parent;
    }
    reg = unit_find_local(at, name);
    if (reg < 0) {
        compile_fail(u, NULL, "local variable %.*s has no place", (int)name->length, name->bytes);
        reg = 0;
    }
    return (Place){reg, distance};
}

int local_register(Unit *u, const Name *name, uint32_t depth)
{
    Place place = resolve(u, name, depth);

    return place.distance == 0 ? place.reg : -1;
}

void local_get(Unit *u, const Name *name, uint32_t depth, int dst)
{
    Place place = resolve(u, name, depth);

    if (dst == DISCARD)
        return;
    if (place.distance == 0)
        move(u, dst, place.reg);
    else
        emit(u, OP_GETUP, dst, place.reg, place.distance);
}

void local_set(Unit *u, const Name *name, uint32_t depth, int src)
{
    Place place = resolve(u, name, depth);

    if (place.distance == 0)
        move(u, place.reg, src);
    else
        emit(u, OP_SETUP, src, place.reg, place.distance);
}

void anonymous_get(Unit *u, char which, int dst)
{
    uint32_t distance = 0;

    for (Unit *at = u; at != NULL; at = at->parent, distance++) {
        int reg = which == '*' ? at->anon_rest : which == '%' ? at->anon_kwrest : at->anon_block;

        if (reg >= 0) {
            if (distance == 0)
                move(u, dst, reg);
            else
                emit(u, OP_GETUP, dst, reg, distance);
            return;
        }
    }
    for (uint32_t level = 0; level < u->c->nexternal; level++, distance++) {
        const ExternalScope *scope = &u->c->external[level];
        int reg = which == '*' ? scope->rest : which == '%' ? scope->kwrest : scope->block;

        if (reg >= 0) {
            emit(u, OP_GETUP, dst, reg, distance);
            return;
        }
    }
    compile_fail(u, NULL, "no anonymous %s parameter", which == '*' ? "rest" : which == '%' ? "keyword rest" : "block");
}

static void it_get(Unit *u, int dst)
{
    uint32_t distance = 0;

    for (Unit *at = u; at != NULL; at = at->parent, distance++) {
        if (at->it_reg >= 0) {
            if (distance == 0)
                move(u, dst, at->it_reg);
            else
                emit(u, OP_GETUP, dst, at->it_reg, distance);
            return;
        }
    }
    compile_fail(u, NULL, "no `it' here");
}

int operand_before(Unit *u, Node *node, Node *later)
{
    int reg;

    if (node->type == NODE_LOCAL_VARIABLE_READ && is_plain(later)) {
        LocalVariableReadNode *read = (LocalVariableReadNode *)node;

        reg = local_register(u, read->name, read->depth);
        if (reg >= 0)
            return reg;
    }
    reg = temp(u);
    expr(u, node, reg);
    return reg;
}

int operand(Unit *u, Node *node)
{
    return operand_before(u, node, NULL);
}

/* ---- collections ---- */

static bool has_splat(const NodeList *items)
{
    for (uint32_t i = 0; i < items->count; i++) {
        if (items->items[i]->type == NODE_SPLAT || items->items[i]->type == NODE_FORWARDING_ARGUMENTS)
            return true;
    }
    return false;
}

static void splat_value(Unit *u, Node *node, int dst)
{
    if (node->type == NODE_FORWARDING_ARGUMENTS || ((SplatNode *)node)->expression == NULL)
        anonymous_get(u, '*', dst);
    else
        expr(u, ((SplatNode *)node)->expression, dst);
}

void list_to_array(Unit *u, NodeList items, int dst)
{
    int mark = u->top, array, first;
    uint32_t i = 0, n = 0;

    if (items.count <= CHUNK && !has_splat(&items)) {
        for (; i < items.count; i++)
            expr(u, items.items[i], temp(u));
        if (dst != DISCARD)
            emit(u, OP_ARRAY, dst, items.count ? mark : 0, items.count);
        u->top = mark;
        return;
    }
    array = temp(u);
    if (items.items[0]->type == NODE_SPLAT || items.items[0]->type == NODE_FORWARDING_ARGUMENTS) {
        splat_value(u, items.items[0], array);
        emit(u, OP_SPLAT, array, array);
        i = 1;
    } else {
        first = u->top;
        for (; i < items.count && n < CHUNK && items.items[i]->type != NODE_SPLAT &&
               items.items[i]->type != NODE_FORWARDING_ARGUMENTS; i++, n++)
            expr(u, items.items[i], temp(u));
        emit(u, OP_ARRAY, array, first, n);
        u->top = first;
    }
    while (i < items.count) {
        Node *item = items.items[i];

        first = u->top;
        if (item->type == NODE_SPLAT || item->type == NODE_FORWARDING_ARGUMENTS) {
            splat_value(u, item, temp(u));
            emit(u, OP_ARRAY_CAT, array, first);
            i++;
        } else {
            expr(u, item, temp(u));
            emit(u, OP_ARRAY_PUSH, array, first);
            i++;
        }
        u->top = first;
    }
    move(u, dst, array);
    u->top = mark;
}

static void array_node(Unit *u, ArrayNode *node, int dst)
{
    Compiler *c = u->c;

    if (node->elements.count > 0 && dst != DISCARD) {
        Lit *lit = lit_new(c, LIT_ARRAY);
        bool all = true;

        lit->items = mem_alloc(c->ctx, node->elements.count * sizeof(Lit *));
        lit->count = node->elements.count;
        for (uint32_t i = 0; i < lit->count && all; i++)
            all = (lit->items[i] = static_literal(u, node->elements.items[i])) != NULL;
        if (all) {
            emit(u, OP_ARRAY_DUP, dst, lit_add(c, lit));
            return;
        }
    }
    /* The last element may be `key: value` pairs without braces. */
    list_to_array(u, node->elements, dst);
}

static bool pairs_static(Unit *u, NodeList elements, Lit **out)
{
    Lit *lit = lit_new(u->c, LIT_HASH);

    lit->count = elements.count * 2;
    lit->items = mem_alloc(u->c->ctx, lit->count * sizeof(Lit *) + 1);
    for (uint32_t i = 0; i < elements.count; i++) {
        AssocNode *pair = (AssocNode *)elements.items[i];

        if (pair->base.type != NODE_ASSOC || pair->value->type == NODE_STRING ||
            (lit->items[i * 2] = static_literal(u, pair->key)) == NULL ||
            (lit->items[i * 2 + 1] = static_literal(u, pair->value)) == NULL)
            return false;
    }
    *out = lit;
    return true;
}

static void hash_splat(Unit *u, AssocSplatNode *node, int dst)
{
    if (node->value == NULL)
        anonymous_get(u, '%', dst);
    else
        expr(u, node->value, dst);
}

void pairs_to_hash(Unit *u, NodeList elements, int dst)
{
    int mark = u->top, hash;
    uint32_t i = 0, n = 0;
    Lit *lit;

    if (elements.count > 0 && dst != DISCARD && pairs_static(u, elements, &lit)) {
        emit(u, OP_HASH_DUP, dst, lit_add(u->c, lit));
        return;
    }
    for (; i < elements.count && n < CHUNK && elements.items[i]->type == NODE_ASSOC; i++, n++) {
        AssocNode *pair = (AssocNode *)elements.items[i];

        /* A String key is copied by the Hash; no need for a fresh one. */
        if (pair->key->type == NODE_STRING)
            string_part(u, pair->key, temp(u));
        else
            expr(u, pair->key, temp(u));
        expr(u, pair->value, temp(u));
    }
    if (i == elements.count) {
        if (dst != DISCARD)
            emit(u, OP_HASH, dst, n ? mark : 0, n);
        u->top = mark;
        return;
    }
    if (n == 0)
        temp(u);
    hash = mark;
    emit(u, OP_HASH, hash, mark, n);
    u->top = mark + 1;
    for (; i < elements.count; i++) {
        int first = u->top;

        if (elements.items[i]->type == NODE_ASSOC_SPLAT) {
            hash_splat(u, (AssocSplatNode *)elements.items[i], temp(u));
            emit(u, OP_HASH_MERGE, hash, first);
        } else {
            AssocNode *pair = (AssocNode *)elements.items[i];

            expr(u, pair->key, temp(u));
            expr(u, pair->value, temp(u));
            emit(u, OP_HASH_SET, hash, first, first + 1);
        }
        u->top = first;
    }
    move(u, dst, hash);
    u->top = mark;
}

static void range_node(Unit *u, RangeNode *node, int dst)
{
    Lit *lit = static_literal(u, &node->base);
    int mark = u->top, left, right;

    if (lit != NULL) {
        load_lit(u, dst, lit);
        return;
    }
    left = temp(u);
    right = temp(u);
    expr_or_nil(u, node->left, left);
    expr_or_nil(u, node->right, right);
    emit(u, OP_RANGE, dst == DISCARD ? left : dst, left, right, (node->base.flags & RANGE_EXCLUDE_END) != 0);
    u->top = mark;
}

/* ---- constants ---- */

static void constant_path(Unit *u, ConstantPathNode *node, int dst)
{
    int mark = u->top, base;

    if (dst == DISCARD)
        dst = temp(u);
    if (node->name == NULL) {
        compile_fail(u, &node->base, "constant path without a name");
    } else if (node->parent == NULL) {
        emit(u, OP_GETCONST_TOP, dst, symbol_name(u->c, node->name), cache_new(u));
    } else {
        base = temp(u);
        expr(u, node->parent, base);
        set_line(u, node->base.location.start);
        emit(u, OP_GETCONST_IN, dst, base, symbol_name(u->c, node->name));
    }
    u->top = mark;
}

static void source_encoding(Unit *u, int dst)
{
    char name[64];
    NodeString enc = u->c->parse->encoding;
    uint32_t n = 0;
    int mark = u->top, base = temp(u);
    char *copy;

    for (; n < enc.length && n < sizeof(name) - 1; n++) {
        char ch = enc.bytes[n];

        name[n] = ch == '-' ? '_' : ch >= 'a' && ch <= 'z' ? (char)(ch - 32) : ch;
    }
    name[n] = '\0';
    copy = mem_strdup(u->c->ctx, name);
    emit(u, OP_GETCONST_TOP, base, symbol_text(u->c, "Encoding"), cache_new(u));
    emit(u, OP_GETCONST_IN, dst == DISCARD ? base : dst, base, symbol_text(u->c, copy));
    u->top = mark;
}

static void last_line_match(Unit *u, Node *node, int dst)
{
    int mark = u->top, base = temps(u, 2);

    if (node->type == NODE_MATCH_LAST_LINE)
        emit(u, OP_LOADOBJ, base,
             lit_add(u->c, regexp_literal(u, node, ((MatchLastLineNode *)node)->unescaped)));
    else
        interpolated_regexp(u, ((InterpolatedMatchLastLineNode *)node)->parts, node->flags, base);
    emit(u, OP_GETGLOBAL, base + 1, symbol_text(u->c, "$_"));
    emit_send(u, base, 1, "=~", 0);
    move(u, dst, base);
    u->top = mark;
}

/* END { }: once, when reached. */
static void post_execution(Unit *u, PostExecutionNode *node, int dst)
{
    int mark = u->top, base = temps(u, 2), done = label_new(u);
    uint32_t cache = cache_new(u);
    Unit *body;

    emit(u, OP_ONCE, base, cache, done);
    body = compile_end_block(u, node);
    emit(u, OP_LAMBDA, base + 1, unit_literal(body));
    emit(u, OP_PRIM, base, PRIM_at_exit, 1);
    emit(u, OP_LOADNIL, base);
    emit(u, OP_ONCE_SET, base, cache);
    label_here(u, done);
    load_nil(u, dst);
    u->top = mark;
}

/* ---- dispatch ---- */

void statements(Unit *u, StatementsNode *node, int dst)
{
    if (node == NULL || node->body.count == 0) {
        load_nil(u, dst);
        return;
    }
    for (uint32_t i = 0; i < node->body.count; i++) {
        begin_statement(u, node->body.items[i]);
        expr(u, node->body.items[i], i + 1 < node->body.count ? DISCARD : dst);
    }
}

void expr_or_nil(Unit *u, Node *node, int dst)
{
    if (node == NULL)
        load_nil(u, dst);
    else
        expr(u, node, dst);
}

static void variable_read(Unit *u, Node *node, int dst)
{
    int mark = u->top;

    if (dst == DISCARD) {
        if (node->type != NODE_CONSTANT_READ && node->type != NODE_CLASS_VARIABLE_READ)
            return;
        dst = temp(u); /* these may raise */
    }
    switch (node->type) {
    case NODE_INSTANCE_VARIABLE_READ:
        emit(u, OP_GETIVAR, dst, symbol_name(u->c, ((InstanceVariableReadNode *)node)->name), cache_new(u));
        break;
    case NODE_GLOBAL_VARIABLE_READ:
        emit(u, OP_GETGLOBAL, dst, symbol_name(u->c, ((GlobalVariableReadNode *)node)->name));
        break;
    case NODE_CLASS_VARIABLE_READ:
        emit(u, OP_GETCVAR, dst, symbol_name(u->c, ((ClassVariableReadNode *)node)->name));
        break;
    case NODE_CONSTANT_READ:
        emit(u, OP_GETCONST, dst, symbol_name(u->c, ((ConstantReadNode *)node)->name), cache_new(u));
        break;
    case NODE_BACK_REFERENCE_READ:
        emit(u, OP_GETBACKREF, dst, ((BackReferenceReadNode *)node)->name->bytes[1]);
        break;
    default:
        emit(u, OP_GETNTH, dst, ((NumberedReferenceReadNode *)node)->number);
        break;
    }
    u->top = mark;
}

/* Values without effects: nothing to do when they are discarded. */
static bool value_node(Unit *u, Node *node, int dst)
{
    switch (node->type) {
    case NODE_NIL:
        load_nil(u, dst);
        return true;
    case NODE_TRUE:
        if (dst != DISCARD)
            emit(u, OP_LOADTRUE, dst);
        return true;
    case NODE_FALSE:
        if (dst != DISCARD)
            emit(u, OP_LOADFALSE, dst);
        return true;
    case NODE_SELF:
        if (dst != DISCARD)
            emit(u, OP_LOADSELF, dst);
        return true;
    case NODE_INTEGER:
        if (dst != DISCARD)
            integer_node(u, node, dst);
        return true;
    case NODE_FLOAT:
    case NODE_RATIONAL:
    case NODE_IMAGINARY:
        load_lit(u, dst, static_literal(u, node));
        return true;
    case NODE_SYMBOL: {
        SymbolNode *s = (SymbolNode *)node;
        Lit *lit = symbol_literal(u, s);

        if (dst != DISCARD)
            emit(u, OP_LOADSYM, dst, symbol_of(u->c, s->unescaped.bytes, s->unescaped.length, lit->encoding));
        return true;
    }
    case NODE_STRING:
        if (dst != DISCARD)
            string_node(u, (StringNode *)node, dst);
        return true;
    case NODE_REGULAR_EXPRESSION:
        load_lit(u, dst, regexp_literal(u, node, ((RegularExpressionNode *)node)->unescaped));
        return true;
    case NODE_SOURCE_FILE: {
        SourceFileNode *file = (SourceFileNode *)node;

        if (dst != DISCARD)
            emit(u, OP_LOADSTR, dst, lit_add(u->c, string_literal(u, file->filepath, 0, 0)));
        return true;
    }
    case NODE_SOURCE_LINE:
        if (dst != DISCARD)
            emit(u, OP_LOADINT, dst, parse_line(u->c->parse, node->location.start));
        return true;
    case NODE_LOCAL_VARIABLE_READ:
        local_get(u, ((LocalVariableReadNode *)node)->name, ((LocalVariableReadNode *)node)->depth, dst);
        return true;
    case NODE_IT_LOCAL_VARIABLE_READ:
        if (dst != DISCARD)
            it_get(u, dst);
        return true;
    default:
        return false;
    }
}

void expr(Unit *u, Node *node, int dst)
{
    int mark = u->top;

    if (node->flags & NODE_FLAG_NEWLINE)
        set_line(u, node->location.start);
    if (u->line == 0)
        set_line(u, node->location.start);
    if (value_node(u, node, dst))
        return;
    switch ((NodeType)node->type) {
    case NODE_SOURCE_ENCODING:
        source_encoding(u, dst);
        break;
    case NODE_INSTANCE_VARIABLE_READ:
    case NODE_GLOBAL_VARIABLE_READ:
    case NODE_CLASS_VARIABLE_READ:
    case NODE_CONSTANT_READ:
    case NODE_BACK_REFERENCE_READ:
    case NODE_NUMBERED_REFERENCE_READ:
        set_line(u, node->location.start);
        variable_read(u, node, dst);
        break;
    case NODE_CONSTANT_PATH:
        set_line(u, node->location.start);
        constant_path(u, (ConstantPathNode *)node, dst);
        break;
    case NODE_INTERPOLATED_STRING:
        interpolated_string(u, (InterpolatedStringNode *)node, dst);
        break;
    case NODE_INTERPOLATED_SYMBOL: {
        int joined = temp(u);

        join_parts(u, &((InterpolatedSymbolNode *)node)->parts, joined);
        emit(u, OP_INTERN, dst == DISCARD ? joined : dst, joined);
        break;
    }
    case NODE_INTERPOLATED_REGULAR_EXPRESSION:
        interpolated_regexp(u, ((InterpolatedRegularExpressionNode *)node)->parts, node->flags, dst);
        break;
    case NODE_X_STRING:
    case NODE_INTERPOLATED_X_STRING:
        backtick(u, node, dst);
        break;
    case NODE_MATCH_LAST_LINE:
    case NODE_INTERPOLATED_MATCH_LAST_LINE:
        last_line_match(u, node, dst);
        break;
    case NODE_ARRAY:
        array_node(u, (ArrayNode *)node, dst);
        break;
    case NODE_HASH:
        pairs_to_hash(u, ((HashNode *)node)->elements, dst);
        break;
    case NODE_KEYWORD_HASH: /* as an element of [ ] */
        pairs_to_hash(u, ((KeywordHashNode *)node)->elements, dst);
        break;
    case NODE_RANGE:
        range_node(u, (RangeNode *)node, dst);
        break;
    case NODE_SPLAT: { /* `a = *b` comes wrapped in an array; alone: return *a */
        int value = temp(u);

        splat_value(u, node, value);
        emit(u, OP_SPLAT, dst == DISCARD ? value : dst, value);
        break;
    }
    case NODE_IMPLICIT:
        expr(u, ((ImplicitNode *)node)->value, dst);
        break;
    case NODE_PARENTHESES:
        expr_or_nil(u, ((ParenthesesNode *)node)->body, dst);
        break;
    case NODE_STATEMENTS:
        statements(u, (StatementsNode *)node, dst);
        break;
    case NODE_EMBEDDED_STATEMENTS:
        expr_or_nil(u, (Node *)((EmbeddedStatementsNode *)node)->statements, dst);
        break;
    case NODE_EMBEDDED_VARIABLE:
        expr(u, ((EmbeddedVariableNode *)node)->variable, dst);
        break;
    case NODE_SHAREABLE_CONSTANT:
        expr(u, ((ShareableConstantNode *)node)->write, dst);
        break;

    case NODE_CALL:
        call_node(u, (CallNode *)node, dst);
        break;
    case NODE_SUPER:
        super_node(u, (SuperNode *)node, dst);
        break;
    case NODE_FORWARDING_SUPER:
        forwarding_super_node(u, (ForwardingSuperNode *)node, dst);
        break;
    case NODE_YIELD:
        yield_node(u, (YieldNode *)node, dst);
        break;
    case NODE_LAMBDA:
        if (dst == DISCARD)
            dst = temp(u);
        emit(u, OP_LAMBDA, dst, unit_literal(compile_block(u, node)));
        break;

    case NODE_AND:
        and_or(u, ((AndNode *)node)->left, ((AndNode *)node)->right, true, dst);
        break;
    case NODE_OR:
        and_or(u, ((OrNode *)node)->left, ((OrNode *)node)->right, false, dst);
        break;
    case NODE_IF:
        if_node(u, ((IfNode *)node)->predicate, ((IfNode *)node)->statements, ((IfNode *)node)->subsequent, dst, false);
        break;
    case NODE_UNLESS:
        if_node(u, ((UnlessNode *)node)->predicate, ((UnlessNode *)node)->statements,
                ((UnlessNode *)node)->else_clause, dst, true);
        break;
    case NODE_ELSE:
        expr_or_nil(u, ((ElseNode *)node)->statements, dst);
        break;
    case NODE_WHILE: {
        WhileNode *w = (WhileNode *)node;

        loop_node(u, w->predicate, (StatementsNode *)w->statements, false,
                  (node->flags & LOOP_BEGIN_MODIFIER) != 0, dst);
        break;
    }
    case NODE_UNTIL: {
        UntilNode *w = (UntilNode *)node;

        loop_node(u, w->predicate, (StatementsNode *)w->statements, true,
                  (node->flags & LOOP_BEGIN_MODIFIER) != 0, dst);
        break;
    }
    case NODE_FOR:
        for_node(u, (ForNode *)node, dst);
        break;
    case NODE_CASE:
        case_node(u, (CaseNode *)node, dst);
        break;
    case NODE_CASE_MATCH:
        case_match_node(u, (CaseMatchNode *)node, dst);
        break;
    case NODE_MATCH_PREDICATE:
        match_predicate(u, (MatchPredicateNode *)node, dst);
        break;
    case NODE_MATCH_REQUIRED:
        match_required(u, (MatchRequiredNode *)node, dst);
        break;
    case NODE_BEGIN:
        begin_node(u, (BeginNode *)node, dst);
        break;
    case NODE_RESCUE_MODIFIER:
        rescue_modifier(u, (RescueModifierNode *)node, dst);
        break;
    case NODE_BREAK:
    case NODE_NEXT:
    case NODE_REDO:
    case NODE_RETRY:
    case NODE_RETURN:
        jump_node(u, node, dst);
        break;
    case NODE_FLIP_FLOP:
        flip_flop(u, (FlipFlopNode *)node, dst);
        break;

    case NODE_DEF:
        def_node(u, (DefNode *)node, dst);
        break;
    case NODE_CLASS:
        class_node(u, (ClassNode *)node, dst);
        break;
    case NODE_MODULE:
        module_node(u, (ModuleNode *)node, dst);
        break;
    case NODE_SINGLETON_CLASS:
        singleton_class_node(u, (SingletonClassNode *)node, dst);
        break;
    case NODE_DEFINED:
        defined_node(u, ((DefinedNode *)node)->value, dst);
        break;
    case NODE_ALIAS_METHOD:
    case NODE_ALIAS_GLOBAL_VARIABLE:
    case NODE_UNDEF:
        alias_undef(u, node, dst);
        break;
    case NODE_PRE_EXECUTION: /* hoisted to the start of the program */
        load_nil(u, dst);
        break;
    case NODE_POST_EXECUTION:
        post_execution(u, (PostExecutionNode *)node, dst);
        break;

    case NODE_MULTI_WRITE:
        multi_write(u, (MultiWriteNode *)node, dst);
        break;
    case NODE_MATCH_WRITE:
        match_write(u, (MatchWriteNode *)node, dst);
        break;
    case NODE_LOCAL_VARIABLE_WRITE:
    case NODE_LOCAL_VARIABLE_OPERATOR_WRITE:
    case NODE_LOCAL_VARIABLE_AND_WRITE:
    case NODE_LOCAL_VARIABLE_OR_WRITE:
    case NODE_INSTANCE_VARIABLE_WRITE:
    case NODE_INSTANCE_VARIABLE_OPERATOR_WRITE:
    case NODE_INSTANCE_VARIABLE_AND_WRITE:
    case NODE_INSTANCE_VARIABLE_OR_WRITE:
    case NODE_GLOBAL_VARIABLE_WRITE:
    case NODE_GLOBAL_VARIABLE_OPERATOR_WRITE:
    case NODE_GLOBAL_VARIABLE_AND_WRITE:
    case NODE_GLOBAL_VARIABLE_OR_WRITE:
    case NODE_CLASS_VARIABLE_WRITE:
    case NODE_CLASS_VARIABLE_OPERATOR_WRITE:
    case NODE_CLASS_VARIABLE_AND_WRITE:
    case NODE_CLASS_VARIABLE_OR_WRITE:
    case NODE_CONSTANT_WRITE:
    case NODE_CONSTANT_OPERATOR_WRITE:
    case NODE_CONSTANT_AND_WRITE:
    case NODE_CONSTANT_OR_WRITE:
    case NODE_CONSTANT_PATH_WRITE:
    case NODE_CONSTANT_PATH_OPERATOR_WRITE:
    case NODE_CONSTANT_PATH_AND_WRITE:
    case NODE_CONSTANT_PATH_OR_WRITE:
    case NODE_CALL_OPERATOR_WRITE:
    case NODE_CALL_AND_WRITE:
    case NODE_CALL_OR_WRITE:
    case NODE_INDEX_OPERATOR_WRITE:
    case NODE_INDEX_AND_WRITE:
    case NODE_INDEX_OR_WRITE:
        assign(u, node, dst);
        break;

    default:
        compile_fail(u, node, "%s is not an expression that can stand here", node_type_name(node->type));
        load_nil(u, dst);
        break;
    }
    u->top = mark;
}
