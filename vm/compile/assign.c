/*
 * assign.c - everything that stores: simple, operator, conditional and multiple assignment.
 *
 * All assignments but the multiple ones have the same three forms over
 * different places: `p = v`, `p op= v`, `p &&= v` / `p ||= v`.  A Place knows
 * how to load and store itself; what it is about (receiver, index, module) is
 * evaluated once into temporaries beforehand.
 */
#include <string.h>

#include "vm/compile/compiler.h"
#include "vm/frame.h"

typedef enum PlaceKind {
    PLACE_LOCAL, PLACE_IVAR, PLACE_GLOBAL, PLACE_CVAR, PLACE_CONST, PLACE_CONST_IN, PLACE_ATTR, PLACE_INDEX,
} PlaceKind;

typedef struct Place {
    PlaceKind kind;
    const Name *name;       /* variable, constant; reader of an attribute */
    const Name *write_name; /* ATTR */
    uint32_t depth;         /* LOCAL */
    int base;               /* CONST_IN: module; ATTR, INDEX: receiver, INDEX arguments behind it */
    Args args;              /* INDEX */
    int call_flags;
    int nil_label;          /* ATTR by &. : where to go when the receiver is nil; -1 */
    uint32_t line_at;       /* source offset for the calls */
} Place;

/* Takes apart a node whose first fields differ by type but mean the same. */
static void place_prepare(Unit *u, Node *node, Place *p)
{
    memset(p, 0, sizeof(*p));
    p->nil_label = -1;
    p->line_at = node->location.start;
    switch (node->type) {
#define NAMED(UPPER, Camel, place)               \
    case NODE_##UPPER:                           \
        p->kind = place;                         \
        p->name = ((Camel##Node *)node)->name;   \
        break;
#define NAMED_ALL(UPPER, Camel, place)                                   \
    NAMED(UPPER##_WRITE, Camel##Write, place)                            \
    NAMED(UPPER##_OPERATOR_WRITE, Camel##OperatorWrite, place)           \
    NAMED(UPPER##_AND_WRITE, Camel##AndWrite, place)                     \
    NAMED(UPPER##_OR_WRITE, Camel##OrWrite, place)                       \
    NAMED(UPPER##_TARGET, Camel##Target, place)
        NAMED_ALL(INSTANCE_VARIABLE, InstanceVariable, PLACE_IVAR)
        NAMED_ALL(GLOBAL_VARIABLE, GlobalVariable, PLACE_GLOBAL)
        NAMED_ALL(CLASS_VARIABLE, ClassVariable, PLACE_CVAR)
        NAMED_ALL(CONSTANT, Constant, PLACE_CONST)
        NAMED(REQUIRED_PARAMETER, RequiredParameter, PLACE_LOCAL)
#undef NAMED
#undef NAMED_ALL
#define LOCAL(UPPER, Camel)                      \
    case NODE_LOCAL_VARIABLE_##UPPER: {          \
        LocalVariable##Camel##Node *n = (LocalVariable##Camel##Node *)node; \
        p->kind = PLACE_LOCAL;                   \
        p->name = n->name;                       \
        p->depth = n->depth;                     \
        break;                                   \
    }
        LOCAL(WRITE, Write)
        LOCAL(OPERATOR_WRITE, OperatorWrite)
        LOCAL(AND_WRITE, AndWrite)
        LOCAL(OR_WRITE, OrWrite)
        LOCAL(TARGET, Target)
#undef LOCAL
#define PATH(UPPER, Camel)                       \
    case NODE_CONSTANT_PATH_##UPPER: {           \
        ConstantPathNode *path = (ConstantPathNode *)((ConstantPath##Camel##Node *)node)->target; \
        p->kind = PLACE_CONST_IN;                \
        p->name = path->name;                    \
        p->base = temp(u);                       \
        if (path->parent == NULL)                \
            emit(u, OP_GETCONST_TOP, p->base, symbol_text(u->c, "Object"), cache_new(u)); \
        else                                     \
            expr(u, path->parent, p->base);      \
        break;                                   \
    }
        PATH(WRITE, Write)
        PATH(OPERATOR_WRITE, OperatorWrite)
        PATH(AND_WRITE, AndWrite)
        PATH(OR_WRITE, OrWrite)
#undef PATH
    case NODE_CONSTANT_PATH_TARGET: {
        ConstantPathTargetNode *path = (ConstantPathTargetNode *)node;

        p->kind = PLACE_CONST_IN;
        p->name = path->name;
        p->base = temp(u);
        if (path->parent == NULL)
            emit(u, OP_GETCONST_TOP, p->base, symbol_text(u->c, "Object"), cache_new(u));
        else
            expr(u, path->parent, p->base);
        break;
    }
#define ATTR(UPPER, Camel)                       \
    case NODE_CALL_##UPPER: {                    \
        Call##Camel##Node *n = (Call##Camel##Node *)node; \
        p->kind = PLACE_ATTR;                    \
        p->name = n->read_name;                  \
        p->write_name = n->write_name;           \
        if (location_present(n->message_loc))    \
            p->line_at = n->message_loc.start;   \
        p->base = temp(u);                       \
        expr_or_nil(u, n->receiver, p->base);    \
        break;                                   \
    }
        ATTR(OPERATOR_WRITE, OperatorWrite)
        ATTR(AND_WRITE, AndWrite)
        ATTR(OR_WRITE, OrWrite)
#undef ATTR
    case NODE_CALL_TARGET: {
        CallTargetNode *n = (CallTargetNode *)node;

        p->kind = PLACE_ATTR;
        p->name = p->write_name = n->name;
        p->base = temp(u);
        expr(u, n->receiver, p->base);
        break;
    }
#define INDEX(UPPER, Camel)                      \
    case NODE_INDEX_##UPPER: {                   \
        Index##Camel##Node *n = (Index##Camel##Node *)node; \
        NodeList none = {NULL, 0};               \
        p->kind = PLACE_INDEX;                   \
        p->base = temp(u);                       \
        expr_or_nil(u, n->receiver, p->base);    \
        call_args(u, n->arguments == NULL ? none : ((ArgumentsNode *)n->arguments)->arguments, n->block, p->base, \
                  &p->args);                     \
        if (p->args.flags & CALL_SPLAT) /* used twice: spread once */ \
            emit(u, OP_SPLAT, p->base + 1, p->base + 1); \
        break;                                   \
    }
        INDEX(OPERATOR_WRITE, OperatorWrite)
        INDEX(AND_WRITE, AndWrite)
        INDEX(OR_WRITE, OrWrite)
        INDEX(TARGET, Target)
#undef INDEX
    default:
        compile_fail(u, node, "%s can't be assigned to", node_type_name(node->type));
        break;
    }
    if (p->kind == PLACE_ATTR || p->kind == PLACE_INDEX) {
        if (node->flags & CALL_IGNORE_VISIBILITY)
            p->call_flags = CALL_SELF;
        if (node->flags & CALL_SAFE_NAVIGATION) {
            p->nil_label = label_new(u);
            emit(u, OP_JUMPNIL, p->base, p->nil_label);
        }
    }
}

static void place_load(Unit *u, Place *p, int dst)
{
    uint32_t symbol = p->name == NULL ? 0 : symbol_name(u->c, p->name);
    int mark = u->top, base;

    switch (p->kind) {
    case PLACE_LOCAL:
        local_get(u, p->name, p->depth, dst);
        break;
    case PLACE_IVAR:
        emit(u, OP_GETIVAR, dst, symbol, cache_new(u));
        break;
    case PLACE_GLOBAL:
        emit(u, OP_GETGLOBAL, dst, symbol);
        break;
    case PLACE_CVAR:
        emit(u, OP_GETCVAR, dst, symbol);
        break;
    case PLACE_CONST:
        emit(u, OP_GETCONST, dst, symbol, cache_new(u));
        break;
    case PLACE_CONST_IN:
        emit(u, OP_GETCONST_IN, dst, p->base, symbol);
        break;
    case PLACE_ATTR:
        base = temp(u);
        emit(u, OP_MOVE, base, p->base);
        set_line(u, p->line_at);
        emit(u, OP_CALL, base, 0, p->call_flags, symbol, cache_new(u));
        move(u, dst, base);
        break;
    case PLACE_INDEX:
        set_line(u, p->line_at);
        if (p->args.argc == 1 && p->args.flags == 0 && p->args.names < 0 && p->args.block < 0 && !p->call_flags) {
            emit(u, OP_AREF, dst, p->base, p->base + 1, cache_new(u));
            break;
        }
        base = temps(u, (unsigned)p->args.argc + 2);
        for (int i = 0; i <= p->args.argc + ((p->args.flags & CALL_BLOCKARG) != 0); i++)
            emit(u, OP_MOVE, base + i, p->base + i);
        emit_call(u, base, &p->args, symbol_text(u->c, "[]"), p->call_flags);
        move(u, dst, base);
        break;
    }
    u->top = mark;
}

/* Index with splat, keywords or block: the value joins the arguments. */
static void store_index_general(Unit *u, Place *p, int src)
{
    Args args = p->args;
    int n = args.argc, base, extra = (args.flags & CALL_BLOCKARG) != 0;

    base = temps(u, (unsigned)n + 3);
    if (args.flags & CALL_SPLAT) {
        emit(u, OP_MOVE, base, p->base);
        emit(u, OP_SPLAT, base + 1, p->base + 1);
        emit(u, OP_ARRAY_PUSH, base + 1, src);
        for (int i = 2; i <= n + extra; i++)
            emit(u, OP_MOVE, base + i, p->base + i);
    } else {
        int keywords = args.flags & CALL_KWHASH ? 1 : 0, plain = n - keywords;

        for (int i = 0; i <= plain; i++)
            emit(u, OP_MOVE, base + i, p->base + i);
        emit(u, OP_MOVE, base + plain + 1, src);
        for (int i = 0; i < keywords + extra; i++)
            emit(u, OP_MOVE, base + plain + 2 + i, p->base + plain + 1 + i);
        args.argc++;
    }
    emit_call(u, base, &args, symbol_text(u->c, "[]="), p->call_flags);
}

static void place_store(Unit *u, Place *p, int src)
{
    uint32_t symbol = p->name == NULL ? 0 : symbol_name(u->c, p->name);
    int mark = u->top, base;

    switch (p->kind) {
    case PLACE_LOCAL:
        local_set(u, p->name, p->depth, src);
        break;
    case PLACE_IVAR:
        emit(u, OP_SETIVAR, src, symbol, cache_new(u));
        break;
    case PLACE_GLOBAL:
        emit(u, OP_SETGLOBAL, src, symbol);
        break;
    case PLACE_CVAR:
        emit(u, OP_SETCVAR, src, symbol);
        break;
    case PLACE_CONST:
        base = temp(u);
        emit(u, OP_LOADCREF, base);
        emit(u, OP_SETCONST, src, base, symbol);
        break;
    case PLACE_CONST_IN:
        emit(u, OP_SETCONST, src, p->base, symbol);
        break;
    case PLACE_ATTR:
        base = temps(u, 2);
        emit(u, OP_MOVE, base, p->base);
        emit(u, OP_MOVE, base + 1, src);
        set_line(u, p->line_at);
        emit(u, OP_CALL, base, 1, p->call_flags, symbol_name(u->c, p->write_name), cache_new(u));
        break;
    case PLACE_INDEX:
        set_line(u, p->line_at);
        if (p->args.argc == 1 && p->args.flags == 0 && p->args.names < 0 && p->args.block < 0 && !p->call_flags)
            emit(u, OP_ASET, p->base, p->base + 1, src, cache_new(u));
        else
            store_index_general(u, p, src);
        break;
    }
    u->top = mark;
}

/* ---- p = v ---- */

static void local_write(Unit *u, LocalVariableWriteNode *node, int dst)
{
    int mark = u->top, reg = local_register(u, node->name, node->depth), value;

    if (reg >= 0 && writes_last(node->value)) {
        expr(u, node->value, reg);
        move(u, dst, reg);
        return;
    }
    value = dst != DISCARD && !is_local_reg(u, dst) ? dst : temp(u);
    expr(u, node->value, value);
    local_set(u, node->name, node->depth, value);
    move(u, dst, value);
    u->top = mark;
}

static void plain_write(Unit *u, Node *node, Node *value_node, int dst)
{
    int mark = u->top, value;
    Place place;

    place_prepare(u, node, &place);
    if (value_node->type == NODE_LOCAL_VARIABLE_READ) {
        value = operand(u, value_node);
    } else {
        value = temp(u);
        expr(u, value_node, value);
    }
    if (place.kind != PLACE_CONST && place.kind != PLACE_CONST_IN)
        set_line(u, node->location.start);
    place_store(u, &place, value);
    move(u, dst, value);
    u->top = mark;
}

/* ---- p op= v ---- */

static void operator_write(Unit *u, Node *node, const Name *operator, Node *value_node, int dst)
{
    int mark = u->top, current, value;
    Place place;

    place_prepare(u, node, &place);
    if (place.kind == PLACE_LOCAL && is_plain(value_node) &&
        (current = local_register(u, place.name, place.depth)) >= 0 && operator_opcode(operator) >= 0) {
        const NodeInteger *integer = value_node->type == NODE_INTEGER ? &((IntegerNode *)value_node)->value : NULL;

        if (integer != NULL && integer->count == 1 && integer->limbs[0] <= INT16_MAX && !integer->negative &&
            (name_is(operator, "+") || name_is(operator, "-"))) {
            emit(u, name_is(operator, "+") ? OP_ADDI : OP_SUBI, current, current, (int)integer->limbs[0],
                 cache_new(u));
        } else {
            value = operand(u, value_node);
            operator_call(u, operator, current, current, value);
        }
        move(u, dst, current);
        u->top = mark;
        return;
    }
    current = temp(u);
    place_load(u, &place, current);
    value = temp(u);
    expr(u, value_node, value);
    set_line(u, node->location.start);
    if (!operator_call(u, operator, current, current, value))
        emit(u, OP_CALL, current, 1, 0, symbol_name(u->c, operator), cache_new(u));
    place_store(u, &place, current);
    move(u, dst, current);
    if (place.nil_label >= 0) {
        int done = label_new(u);

        emit(u, OP_JUMP, done);
        label_here(u, place.nil_label);
        load_nil(u, dst);
        label_here(u, done);
    }
    u->top = mark;
}

/* ---- p &&= v, p ||= v ---- */

/* `||=` on what may be undefined: go on to the assignment instead of raising. */
static void jump_unless_defined(Unit *u, Place *p, int label)
{
    int kind, mark = u->top, reg;

    switch (p->kind) {
    case PLACE_GLOBAL:
        kind = DEFINED_GVAR;
        break;
    case PLACE_CVAR:
        kind = DEFINED_CVAR;
        break;
    case PLACE_CONST:
        kind = DEFINED_CONST;
        break;
    case PLACE_CONST_IN:
        kind = DEFINED_CONST_IN;
        break;
    default:
        return;
    }
    reg = temp(u);
    emit(u, OP_DEFINED, reg, p->kind == PLACE_CONST_IN ? p->base : reg, kind, symbol_name(u->c, p->name));
    emit(u, OP_JUMPNIL, reg, label);
    u->top = mark;
}

static void logical_write(Unit *u, Node *node, bool is_and, Node *value_node, int dst)
{
    int mark = u->top, value, done = label_new(u), assign_label = label_new(u);
    Place place;

    place_prepare(u, node, &place);
    value = temp(u);
    if (!is_and)
        jump_unless_defined(u, &place, assign_label);
    place_load(u, &place, value);
    emit(u, is_and ? OP_JUMPF : OP_JUMPT, value, done);
    label_here(u, assign_label);
    expr(u, value_node, value);
    set_line(u, node->location.start);
    place_store(u, &place, value);
    label_here(u, done);
    move(u, dst, value);
    if (place.nil_label >= 0) {
        int end = label_new(u);

        emit(u, OP_JUMP, end);
        label_here(u, place.nil_label);
        load_nil(u, dst);
        label_here(u, end);
    }
    u->top = mark;
}

void assign(Unit *u, Node *node, int dst)
{
    switch (node->type) {
    case NODE_LOCAL_VARIABLE_WRITE:
        local_write(u, (LocalVariableWriteNode *)node, dst);
        break;
#define FORMS(UPPER, Camel)                                                                  \
    case NODE_##UPPER##_OPERATOR_WRITE:                                                      \
        operator_write(u, node, ((Camel##OperatorWriteNode *)node)->binary_operator,         \
                       ((Camel##OperatorWriteNode *)node)->value, dst);                      \
        break;                                                                               \
    case NODE_##UPPER##_AND_WRITE:                                                           \
        logical_write(u, node, true, ((Camel##AndWriteNode *)node)->value, dst);             \
        break;                                                                               \
    case NODE_##UPPER##_OR_WRITE:                                                            \
        logical_write(u, node, false, ((Camel##OrWriteNode *)node)->value, dst);             \
        break;
#define PLAIN(UPPER, Camel)                                                                  \
    case NODE_##UPPER##_WRITE:                                                               \
        plain_write(u, node, ((Camel##WriteNode *)node)->value, dst);                        \
        break;
        FORMS(LOCAL_VARIABLE, LocalVariable)
        FORMS(INSTANCE_VARIABLE, InstanceVariable)
        FORMS(GLOBAL_VARIABLE, GlobalVariable)
        FORMS(CLASS_VARIABLE, ClassVariable)
        FORMS(CONSTANT, Constant)
        FORMS(CONSTANT_PATH, ConstantPath)
        FORMS(CALL, Call)
        FORMS(INDEX, Index)
        PLAIN(INSTANCE_VARIABLE, InstanceVariable)
        PLAIN(GLOBAL_VARIABLE, GlobalVariable)
        PLAIN(CLASS_VARIABLE, ClassVariable)
        PLAIN(CONSTANT, Constant)
        PLAIN(CONSTANT_PATH, ConstantPath)
#undef FORMS
#undef PLAIN
    default:
        compile_fail(u, node, "%s is no assignment", node_type_name(node->type));
        break;
    }
}

/* ---- targets ---- */

/* A nested target list is worked down when its value is there; the others are prepared beforehand. */
typedef struct Prepared {
    Place place;
    bool is_list;
    MultiTargetNode *list;
    struct Prepared *items; /* lefts, rest, rights */
    Node *rest;
} Prepared;

static Node *rest_target(Node *rest)
{
    if (rest == NULL || rest->type == NODE_IMPLICIT_REST)
        return NULL;
    return ((SplatNode *)rest)->expression;
}

static void prepare(Unit *u, Node *node, Prepared *p);

static Prepared *prepare_list(Unit *u, NodeList lefts, Node *rest, NodeList rights)
{
    uint32_t n = lefts.count + rights.count + 1, k = 0;
    Prepared *items = mem_zalloc(u->c->ctx, n * sizeof(Prepared));

    for (uint32_t i = 0; i < lefts.count; i++)
        prepare(u, lefts.items[i], &items[k++]);
    if (rest_target(rest) != NULL)
        prepare(u, rest_target(rest), &items[k]);
    k++;
    for (uint32_t i = 0; i < rights.count; i++)
        prepare(u, rights.items[i], &items[k++]);
    return items;
}

static void prepare(Unit *u, Node *node, Prepared *p)
{
    if (node->type == NODE_MULTI_TARGET) {
        p->is_list = true;
        p->list = (MultiTargetNode *)node;
        p->items = prepare_list(u, p->list->lefts, p->list->rest, p->list->rights);
    } else if (node->type == NODE_SPLAT) { /* for *a in ... */
        p->is_list = true;
        p->list = mem_zalloc(u->c->ctx, sizeof(MultiTargetNode));
        p->list->rest = node;
        p->items = prepare_list(u, p->list->lefts, p->list->rest, p->list->rights);
    } else {
        place_prepare(u, node, &p->place);
    }
}

static void store_list(Unit *u, Prepared *items, NodeList lefts, Node *rest, NodeList rights, int src);

static void store(Unit *u, Prepared *p, int src)
{
    if (p->is_list)
        store_list(u, p->items, p->list->lefts, p->list->rest, p->list->rights, src);
    else
        place_store(u, &p->place, src);
    if (!p->is_list && p->place.nil_label >= 0)
        label_here(u, p->place.nil_label);
}

static void store_list(Unit *u, Prepared *items, NodeList lefts, Node *rest, NodeList rights, int src)
{
    int mark = u->top;
    bool keep = rest_target(rest) != NULL, splat = rest != NULL && rest->type == NODE_SPLAT;
    uint32_t k = 0;
    int first = temps(u, lefts.count + rights.count + 1);

    /* e & 1: a rest is collected.  Trailing targets need it to know how many values are in the middle. */
    bool collect = keep || (splat && rights.count > 0);

    emit(u, OP_UNPACK, first, src, lefts.count, rights.count, collect);
    for (; k < lefts.count; k++)
        store(u, &items[k], first + (int)k);
    if (keep)
        store(u, &items[k], first + (int)k);
    for (uint32_t i = 0; i < rights.count; i++)
        store(u, &items[lefts.count + 1 + i], first + (int)(lefts.count + (collect ? 1 : 0) + i));
    u->top = mark;
}

void multi_target_assign(Unit *u, NodeList lefts, Node *rest, NodeList rights, int src)
{
    int mark = u->top;
    Prepared *items = prepare_list(u, lefts, rest, rights);

    store_list(u, items, lefts, rest, rights, src);
    u->top = mark;
}

void target_assign(Unit *u, Node *node, int src)
{
    int mark = u->top;
    Prepared p;

    memset(&p, 0, sizeof(p));
    prepare(u, node, &p);
    store(u, &p, src);
    u->top = mark;
}

/* a, b = x, y: no array when nobody looks at it. */
static bool parallel_write(Unit *u, MultiWriteNode *node, Prepared *items)
{
    ArrayNode *values = (ArrayNode *)node->value;
    int first;

    if (node->value->type != NODE_ARRAY || node->rest != NULL || values->elements.count != node->lefts.count ||
        location_present(values->opening_loc))
        return false;
    for (uint32_t i = 0; i < values->elements.count; i++) {
        if (values->elements.items[i]->type == NODE_SPLAT || values->elements.items[i]->type == NODE_KEYWORD_HASH)
            return false;
    }
    first = temps(u, values->elements.count);
    for (uint32_t i = 0; i < values->elements.count; i++) {
        int mark = u->top;

        expr(u, values->elements.items[i], first + (int)i);
        u->top = mark;
    }
    for (uint32_t i = 0; i < values->elements.count; i++)
        store(u, &items[i], first + (int)i);
    return true;
}

void multi_write(Unit *u, MultiWriteNode *node, int dst)
{
    int mark = u->top, value;
    Prepared *items = prepare_list(u, node->lefts, node->rest, node->rights);

    if (dst != DISCARD || !parallel_write(u, node, items)) {
        value = temp(u);
        expr(u, node->value, value);
        set_line(u, node->base.location.start);
        store_list(u, items, node->lefts, node->rest, node->rights, value);
        move(u, dst, value);
    }
    u->top = mark;
}

/* /(?<a>..)/ =~ s: the named groups become locals. */
void match_write(Unit *u, MatchWriteNode *node, int dst)
{
    int mark = u->top, value = temp(u), base, first;
    uint32_t n = node->targets.count;

    call_node(u, (CallNode *)node->call, value);
    base = temp(u);
    for (uint32_t i = 0; i < n; i++)
        load_symbol(u, temp(u), ((LocalVariableTargetNode *)node->targets.items[i])->name);
    emit(u, OP_PRIM, base, PRIM_match_locals, n);
    first = temps(u, n);
    emit(u, OP_UNPACK, first, base, n, 0, 0);
    for (uint32_t i = 0; i < n; i++)
        target_assign(u, node->targets.items[i], first + (int)i);
    move(u, dst, value);
    u->top = mark;
}
