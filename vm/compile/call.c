/*
 * call.c - calls of every kind: arguments, operators, blocks, super, yield.
 *
 * Layout at a call (I1): R[base] receiver, R[base+1 ..] arguments, then &blk.
 * With a splat all positionals are one Array in R[base+1].  argc counts the
 * argument registers, the keyword Hash included, &blk not.
 */
#include <string.h>

#include "vm/compile/compiler.h"

/* More plain arguments than this go through an Array. */
#define MAX_PLAIN_ARGS 200

static bool list_has_splat(const NodeList *args)
{
    for (uint32_t i = 0; i < args->count; i++) {
        if (args->items[i]->type == NODE_SPLAT || args->items[i]->type == NODE_FORWARDING_ARGUMENTS)
            return true;
    }
    return args->count > MAX_PLAIN_ARGS;
}

static bool has_forwarding(const NodeList *args)
{
    return args->count > 0 && args->items[args->count - 1]->type == NODE_FORWARDING_ARGUMENTS;
}

/* f(a, *packed) in a block |*packed| of core. */
static bool ends_packed(const Unit *u, const NodeList *args)
{
    if (!(u->flags & CODE_PACKED) || args->count == 0 || args->items[args->count - 1]->type != NODE_SPLAT)
        return false;
    const Node *list = ((const SplatNode *)args->items[args->count - 1])->expression;
    const NodeList before = {args->items, args->count - 1};
    return list != NULL && list->type == NODE_LOCAL_VARIABLE_READ && ((const LocalVariableReadNode *)list)->depth == 0 &&
           unit_find_local(u, ((const LocalVariableReadNode *)list)->name) == u->params.required && !list_has_splat(&before);
}

/* All keys are symbols written down, none twice: their values can travel in registers. */
static bool keywords_by_name(Unit *u, const KeywordHashNode *hash, Lit **names)
{
    Lit *lit = lit_new(u->c, LIT_NAMES);

    lit->symbols = mem_alloc(u->c->ctx, hash->elements.count * sizeof(uint32_t) + 1);
    for (uint32_t i = 0; i < hash->elements.count; i++) {
        AssocNode *pair = (AssocNode *)hash->elements.items[i];
        SymbolNode *key;

        if (pair->base.type != NODE_ASSOC || pair->key->type != NODE_SYMBOL)
            return false;
        key = (SymbolNode *)pair->key;
        lit->symbols[i] = symbol_of(u->c, key->unescaped.bytes, key->unescaped.length, u->c->source_encoding);
        for (uint32_t k = 0; k < i; k++) {
            if (lit->symbols[k] == lit->symbols[i])
                return false;
        }
        lit->count++;
    }
    *names = lit;
    return lit->count > 0;
}

/* **opts alone needs no copy unless the callee could see it change: hand over a merged copy all the same. */
static void keyword_hash(Unit *u, KeywordHashNode *hash, Args *out)
{
    pairs_to_hash(u, hash->elements, temp(u));
    out->flags |= CALL_KWHASH | CALL_KWMUTABLE;
    out->argc++;
}

static bool block_is_plain(const Node *block)
{
    return block == NULL || block->type == NODE_BLOCK || is_plain(((const BlockArgumentNode *)block)->expression);
}

static void lone_splat(Unit *u, Node *node, int dst)
{
    if (node->type == NODE_FORWARDING_ARGUMENTS || ((SplatNode *)node)->expression == NULL)
        anonymous_get(u, '*', dst);
    else
        expr(u, ((SplatNode *)node)->expression, dst);
}

void call_args(Unit *u, NodeList args, Node *block, int base, Args *out)
{
    KeywordHashNode *keywords = NULL;
    NodeList positional = args;
    Lit *names;

    *out = (Args){.names = -1, .block = -1};
    u->top = base + 1;
    if (base + 1 > u->max)
        u->max = base + 1;
    if (args.count > 0 && args.items[args.count - 1]->type == NODE_KEYWORD_HASH) {
        keywords = (KeywordHashNode *)args.items[args.count - 1];
        positional.count--;
    }
    if (keywords == NULL && block == NULL && ends_packed(u, &positional)) {
        for (uint32_t i = 0; i + 1 < positional.count; i++)
            expr(u, positional.items[i], temp(u));
        expr(u, ((SplatNode *)positional.items[positional.count - 1])->expression, temp(u));
        out->argc = (int)positional.count;
        out->flags |= CALL_PACKED;
    } else if (positional.count == 1 && list_has_splat(&positional) && keywords == NULL && block_is_plain(block)) {
        /* The call itself spreads what is there; nothing can change it in between. */
        lone_splat(u, positional.items[0], temp(u));
        out->argc = 1;
        out->flags |= CALL_SPLAT;
        if (has_forwarding(&args)) {
            anonymous_get(u, '%', temp(u));
            out->argc++;
            out->flags |= CALL_KWHASH;
        }
    } else if (list_has_splat(&positional)) {
        list_to_array(u, positional, temp(u));
        out->argc = 1;
        out->flags |= CALL_SPLAT;
        if (keywords != NULL)
            keyword_hash(u, keywords, out);
        else if (has_forwarding(&args)) {
            anonymous_get(u, '%', temp(u));
            out->argc++;
            out->flags |= CALL_KWHASH;
        }
    } else {
        for (uint32_t i = 0; i < positional.count; i++)
            expr(u, positional.items[i], temp(u));
        out->argc = (int)positional.count;
        if (keywords != NULL && keywords_by_name(u, keywords, &names)) {
            for (uint32_t i = 0; i < keywords->elements.count; i++)
                expr(u, ((AssocNode *)keywords->elements.items[i])->value, temp(u));
            out->argc += (int)names->count;
            out->names = (int)lit_add(u->c, names);
        } else if (keywords != NULL) {
            keyword_hash(u, keywords, out);
        }
    }
    if (block != NULL && block->type == NODE_BLOCK_ARGUMENT) {
        int reg = temp(u);

        if (((BlockArgumentNode *)block)->expression == NULL)
            anonymous_get(u, '&', reg);
        else
            expr(u, ((BlockArgumentNode *)block)->expression, reg);
        out->flags |= CALL_BLOCKARG;
    } else if (block != NULL) {
        out->block = (int)unit_literal(compile_block(u, block));
    } else if (has_forwarding(&args)) {
        anonymous_get(u, '&', temp(u));
        out->flags |= CALL_BLOCKARG;
    }
}

static uint32_t lit_nil(Unit *u)
{
    return lit_add(u->c, lit_new(u->c, LIT_NIL));
}

void emit_call(Unit *u, int base, const Args *args, uint32_t symbol, int flags)
{
    flags |= args->flags;
    if (args->block < 0 && args->names < 0) {
        emit(u, OP_CALL, base, args->argc, flags, symbol, cache_new(u));
        return;
    }
    emit(u, OP_CALLX, base, args->argc, flags, symbol, cache_new(u),
         args->block >= 0 ? (uint32_t)args->block : lit_nil(u), args->names >= 0 ? (uint32_t)args->names : lit_nil(u));
}

void emit_send(Unit *u, int base, int argc, const char *name, int flags)
{
    emit(u, OP_CALL, base, argc, flags, symbol_text(u->c, name), cache_new(u));
}

/* ---- operators ---- */

static const struct {
    const char *name;
    Opcode op;
} operators[] = {
    {"+", OP_ADD}, {"-", OP_SUB}, {"*", OP_MUL}, {"/", OP_DIV}, {"%", OP_MOD}, {"&", OP_AND}, {"|", OP_OR},
    {"^", OP_XOR}, {"<<", OP_SHL}, {">>", OP_SHR}, {"<", OP_LT}, {"<=", OP_LE}, {">", OP_GT}, {">=", OP_GE},
    {"==", OP_EQ}, {"!=", OP_NEQ}, {"[]", OP_AREF},
};

int operator_opcode(const Name *name)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (name_is(name, operators[i].name))
            return operators[i].op;
    }
    return -1;
}

bool operator_call(Unit *u, const Name *name, int dst, int left, int right)
{
    int op = operator_opcode(name);

    if (op < 0)
        return false;
    emit(u, (Opcode)op, dst, left, right, cache_new(u));
    return true;
}

static bool small_constant(const Node *node, int *value)
{
    const NodeInteger *integer;

    if (node->type != NODE_INTEGER)
        return false;
    integer = &((const IntegerNode *)node)->value;
    if (integer->count != 1 || integer->limbs[0] > INT16_MAX)
        return false;
    *value = integer->negative ? -(int)integer->limbs[0] : (int)integer->limbs[0];
    return true;
}

static NodeList call_arguments(const CallNode *node)
{
    static const NodeList none;

    return node->arguments == NULL ? none : ((ArgumentsNode *)node->arguments)->arguments;
}

/* The line of a call is that of its name: in a chain over several lines each link has its own. */
static void call_line(Unit *u, const CallNode *node)
{
    if (location_present(node->message_loc) && node->message_loc.length > 0)
        set_line(u, node->message_loc.start);
    else
        set_line(u, node->base.location.start);
}

static bool is_plain_arg(const Node *arg)
{
    return arg->type != NODE_SPLAT && arg->type != NODE_KEYWORD_HASH && arg->type != NODE_FORWARDING_ARGUMENTS;
}

/* a + b and its like; false: an ordinary call. */
static bool operator_node(Unit *u, CallNode *node, int dst)
{
    NodeList args = call_arguments(node);
    int mark = u->top, left, right, constant;

    if (node->receiver == NULL || node->block != NULL || (node->base.flags & CALL_SAFE_NAVIGATION))
        return false;
    if (args.count == 0) {
        if (name_is(node->name, "!") || name_is(node->name, "-@")) {
            left = operand(u, node->receiver);
            call_line(u, node);
            emit(u, name_is(node->name, "!") ? OP_NOT : OP_NEG, dst == DISCARD ? temp(u) : dst, left, cache_new(u));
            u->top = mark;
            return true;
        }
        return false;
    }
    if (args.count != 1 || !is_plain_arg(args.items[0]) || operator_opcode(node->name) < 0)
        return false;
    left = operand_before(u, node->receiver, args.items[0]);
    if (small_constant(args.items[0], &constant) && (name_is(node->name, "+") || name_is(node->name, "-"))) {
        call_line(u, node);
        emit(u, name_is(node->name, "+") ? OP_ADDI : OP_SUBI, dst == DISCARD ? temp(u) : dst, left, constant,
             cache_new(u));
        u->top = mark;
        return true;
    }
    if (node->name->length == 2 && name_is(node->name, "[]") && args.items[0]->type == NODE_STRING) {
        /* h["key"]: the key is only looked at. */
        StringNode *key = (StringNode *)args.items[0];

        right = temp(u);
        emit(u, OP_LOADOBJ, right,
             lit_add(u->c, string_literal(u, key->unescaped, key->base.flags, LITF_INTERNED)));
    } else {
        right = operand(u, args.items[0]);
    }
    call_line(u, node);
    operator_call(u, node->name, dst == DISCARD ? temp(u) : dst, left, right);
    u->top = mark;
    return true;
}

/* ---- obj.x = v, obj[i] = v ---- */

static void attribute_write(Unit *u, CallNode *node, int dst)
{
    NodeList args = call_arguments(node);
    int mark = u->top, base, done = -1, flags = node->base.flags & CALL_IGNORE_VISIBILITY ? CALL_SELF : 0;
    Args call;

    if (name_is(node->name, "[]=") && args.count == 2 && node->block == NULL && is_plain_arg(args.items[0]) &&
        is_plain_arg(args.items[1]) && !(node->base.flags & CALL_SAFE_NAVIGATION)) {
        int object = temp(u), index = temp(u), value = temp(u);

        expr_or_nil(u, node->receiver, object);
        expr(u, args.items[0], index);
        expr(u, args.items[1], value);
        call_line(u, node);
        emit(u, OP_ASET, object, index, value, cache_new(u));
        move(u, dst, value);
        u->top = mark;
        return;
    }
    base = temp(u);
    if (node->receiver == NULL)
        emit(u, OP_LOADSELF, base);
    else
        expr(u, node->receiver, base);
    if (node->base.flags & CALL_SAFE_NAVIGATION) {
        done = label_new(u);
        load_nil(u, dst);
        emit(u, OP_JUMPNIL, base, done);
    }
    call_args(u, args, node->block, base, &call);
    if (dst != DISCARD) {
        if (call.flags & CALL_SPLAT) { /* the value is the array's last element */
            int last = temps(u, 2);

            emit(u, OP_MOVE, last, base + 1);
            emit_send(u, last, 0, "last", 0);
            emit(u, OP_MOVE, dst, last);
        } else {
            emit(u, OP_MOVE, dst, base + call.argc);
        }
    }
    call_line(u, node);
    emit_call(u, base, &call, symbol_name(u->c, node->name), flags);
    if (done >= 0)
        label_here(u, done);
    u->top = mark;
}

static bool names_eval(const Name *name)
{
    static const char *const names[] = {"binding", "eval", "instance_eval", "class_eval", "module_eval",
                                        "local_variables", "instance_exec", "class_exec"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (name_is(name, names[i]))
            return true;
    }
    return false;
}

/* "text".freeze, -"text": one object wherever it stands. */
static bool is_frozen_literal(const CallNode *node, NodeList arguments)
{
    return node->receiver->type == NODE_STRING && arguments.count == 0 && node->block == NULL &&
           (name_is(node->name, "freeze") || name_is(node->name, "-@"));
}

void call_node(Unit *u, CallNode *node, int dst)
{
    NodeList arguments = call_arguments(node);
    int mark = u->top, base, flags = 0, done = -1;
    Args args;

    if (node->base.flags & CALL_ATTRIBUTE_WRITE) {
        /* When the value is wanted in a local that the arguments may use, go through a temporary. */
        if (is_local_reg(u, dst)) {
            int value = temp(u);

            attribute_write(u, node, value);
            move(u, dst, value);
        } else {
            attribute_write(u, node, dst);
        }
        u->top = mark;
        return;
    }
    if (operator_node(u, node, dst))
        return;
    if (node->receiver == NULL && node->block == NULL && arguments.count == 0 && name_is(node->name, "block_given?")) {
        call_line(u, node);
        if (dst != DISCARD)
            emit(u, OP_BLOCK_GIVEN, dst);
        return;
    }
    if (names_eval(node->name))
        mark_eval(u);

    base = dst != DISCARD && dst == u->top - 1 && !is_local_reg(u, dst) ? dst : temp(u);
    if (node->receiver == NULL)
        emit(u, OP_LOADSELF, base);
    else if (is_frozen_literal(node, arguments))
        emit(u, OP_LOADOBJ, base, lit_add(u->c, string_literal(u, ((StringNode *)node->receiver)->unescaped,
                                                               node->receiver->flags, LITF_INTERNED)));
    else
        expr(u, node->receiver, base);
    if (node->receiver == NULL || (node->base.flags & CALL_IGNORE_VISIBILITY))
        flags |= CALL_SELF;
    if (node->base.flags & CALL_VARIABLE_CALL)
        flags |= CALL_VCALL;
    if (node->base.flags & CALL_SAFE_NAVIGATION) {
        done = label_new(u);
        emit(u, OP_JUMPNIL, base, done);
    }
    call_args(u, arguments, node->block, base, &args);
    call_line(u, node);
    emit_call(u, base, &args, symbol_name(u->c, node->name), flags);
    if (done >= 0)
        label_here(u, done); /* the nil receiver is the result */
    move(u, dst, base);
    u->top = mark;
}

/* ---- super ---- */

static void emit_super(Unit *u, int base, const Args *args, int flags)
{
    emit(u, OP_SUPER, base, args->argc, args->flags | flags, cache_new(u),
         args->block >= 0 ? (uint32_t)args->block : lit_nil(u), args->names >= 0 ? (uint32_t)args->names : lit_nil(u));
}

void super_node(Unit *u, SuperNode *node, int dst)
{
    static const NodeList none;
    int mark = u->top, base = temp(u);
    Args args;

    call_args(u, node->arguments == NULL ? none : ((ArgumentsNode *)node->arguments)->arguments, node->block, base,
              &args);
    set_line(u, node->base.location.start);
    emit_super(u, base, &args, 0);
    move(u, dst, base);
    u->top = mark;
}

/* Register of the home method's local, seen from u. */
static void home_get(Unit *u, uint32_t distance, int reg, int dst)
{
    if (distance == 0)
        move(u, dst, reg);
    else
        emit(u, OP_GETUP, dst, reg, distance);
}

/* `super` alone: the current values of the method's parameters. */
void forwarding_super_node(Unit *u, ForwardingSuperNode *node, int dst)
{
    int mark = u->top, base = temp(u);
    uint32_t distance = 0;
    Unit *home = u;
    CodeParams *p;
    Args args = {.names = -1, .block = -1};
    uint32_t leading, keywords_at;

    while (home->parent != NULL && home->kind != CODE_METHOD) {
        home = home->parent;
        distance++;
    }
    if (home->kind == CODE_CLASS || home->kind == CODE_TOP) {
        /* Only define_method can have brought us here. */
        Args raise = {.argc = 2, .flags = CALL_SELF, .names = -1, .block = -1};

        temps(u, 2);
        set_line(u, node->base.location.start);
        emit(u, OP_LOADSELF, base);
        emit(u, OP_GETCONST_TOP, base + 1, symbol_text(u->c, "RuntimeError"), cache_new(u));
        load_text(u, base + 2, "implicit argument passing of super from method defined by define_method() is not "
                               "supported. Specify all arguments explicitly.");
        emit_call(u, base, &raise, symbol_text(u->c, "raise"), 0);
        load_nil(u, dst);
        u->top = mark;
        return;
    }
    p = &home->params;
    leading = (uint32_t)p->required + p->optional;
    keywords_at = leading + (home->zsuper_rest >= 0 ? 1 : 0) + p->post;
    if (home->zsuper_rest < 0) {
        for (uint32_t i = 0; i < leading + p->post; i++)
            home_get(u, distance, (int)i, temp(u));
        args.argc = (int)(leading + p->post);
    } else {
        int array = temp(u), first = u->top;

        for (uint32_t i = 0; i < leading; i++)
            home_get(u, distance, (int)i, temp(u));
        emit(u, OP_ARRAY, array, leading ? first : 0, leading);
        u->top = first;
        home_get(u, distance, home->zsuper_rest, temp(u));
        emit(u, OP_ARRAY_CAT, array, first);
        for (uint32_t i = 0; i < p->post; i++) {
            home_get(u, distance, (int)(leading + 1 + i), first);
            emit(u, OP_ARRAY_PUSH, array, first);
        }
        u->top = first;
        args.argc = 1;
        args.flags |= CALL_SPLAT;
    }
    if (p->keywords > 0 || home->zsuper_kwrest >= 0) {
        int hash = temp(u), first = u->top;

        for (uint32_t i = 0; i < p->keywords; i++) {
            const Name *name = home->locals[keywords_at + i].name;

            load_symbol(u, temp(u), name);
            home_get(u, distance, (int)(keywords_at + i), temp(u));
        }
        emit(u, OP_HASH, hash, p->keywords ? first : 0, p->keywords);
        u->top = first;
        if (home->zsuper_kwrest >= 0) {
            home_get(u, distance, home->zsuper_kwrest, temp(u));
            emit(u, OP_HASH_MERGE, hash, first);
            u->top = first;
        }
        args.argc++;
        args.flags |= CALL_KWHASH | CALL_KWMUTABLE;
    }
    if (node->block != NULL)
        args.block = (int)unit_literal(compile_block(u, node->block));
    set_line(u, node->base.location.start);
    emit_super(u, base, &args, CALL_ZSUPER);
    move(u, dst, base);
    u->top = mark;
}

/* Is there a method (or an eval that may be in one) around u? */
static bool inside_method(const Unit *u)
{
    while (u->parent != NULL)
        u = u->parent;
    if (u->kind == CODE_EVAL && u->c->options->outer_count > 0) {
        const Code *home = code_ptr(u->c->options->outer[u->c->options->outer_count - 1]);

        return home->kind != CODE_TOP && home->kind != CODE_CLASS;
    }
    return u->kind != CODE_TOP && u->kind != CODE_CLASS;
}

/* yield [x, y] */
static bool is_pair(const NodeList *args)
{
    if (args->count != 1 || args->items[0]->type != NODE_ARRAY)
        return false;
    const NodeList *elements = &((ArrayNode *)args->items[0])->elements;
    return elements->count == 2 && !list_has_splat(elements) && elements->items[1]->type != NODE_KEYWORD_HASH;
}

void yield_node(Unit *u, YieldNode *node, int dst)
{
    static const NodeList none;
    int mark = u->top;
    int base = dst != DISCARD && dst == u->top - 1 && !is_local_reg(u, dst) ? dst : temp(u);
    Args args;

    if (!inside_method(u))
        compile_fail(u, &node->base, "Invalid yield");
    NodeList list = node->arguments == NULL ? none : ((ArgumentsNode *)node->arguments)->arguments;
    if (is_pair(&list)) {
        call_args(u, ((ArrayNode *)list.items[0])->elements, NULL, base, &args);
        args.flags |= CALL_PAIR;
    } else {
        call_args(u, list, NULL, base, &args);
    }
    set_line(u, node->base.location.start);
    emit(u, OP_YIELD, base, args.argc, args.flags, cache_new(u),
         args.names >= 0 ? (uint32_t)args.names : lit_nil(u));
    move(u, dst, base);
    u->top = mark;
}
