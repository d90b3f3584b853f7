/*
 * control.c - conditions, loops, case, begin/rescue/ensure, and the ways out of them.
 *
 * A jump out of protected code (break, next, redo, retry, return) runs the
 * ensure clauses it leaves as inlined copies.  While such a copy is emitted the
 * regions it has already left are closed, so that an exception in the copy is
 * not handled by them again: a region is a list of segments (compiler.h).
 *
 * C1: rows of the catch table are added when a construct is complete, so inner
 *     ones come before outer ones.
 * C2: a handler's register is allocated before the protected code and held to
 *     the handler's end.
 */
#include <string.h>

#include "vm/compile/compiler.h"

/* ---- regions ---- */

static void control_push(Unit *u, Control *ctl, ControlKind kind)
{
    memset(ctl, 0, sizeof(*ctl));
    ctl->kind = kind;
    ctl->outer = u->control;
    ctl->segment_start = here(u);
    u->control = ctl;
}

static void segment_close(Unit *u, Control *ctl)
{
    uint32_t end = here(u);

    if (ctl->segment_start == end)
        return;
    if (ctl->nsegments == ctl->capacity) {
        ctl->capacity = ctl->capacity ? ctl->capacity * 2 : 4;
        ctl->segments = mem_realloc(u->c->ctx, ctl->segments, ctl->capacity * sizeof(Segment));
    }
    ctl->segments[ctl->nsegments++] = (Segment){ctl->segment_start, end};
    ctl->segment_start = end;
}

static void control_rows(Unit *u, Control *ctl, uint32_t target, int reg)
{
    for (uint32_t i = 0; i < ctl->nsegments; i++)
        catch_row(u, ctl->kind == CONTROL_RESCUE ? CATCH_RESCUE : CATCH_ENSURE, ctl->segments[i], target, reg);
}

static bool leaves_ensure(const Unit *u, const Control *target)
{
    for (const Control *ctl = u->control; ctl != target; ctl = ctl->outer) {
        if (ctl->kind == CONTROL_ENSURE)
            return true;
    }
    return false;
}

/* Leaves all contexts inside `target` (NULL: all): closes regions, runs ensure copies, restores $!. */
static Control *leave_to(Unit *u, Control *target)
{
    Control *before = u->control;

    for (Control *ctl = before; ctl != target; ctl = ctl->outer) {
        switch (ctl->kind) {
        case CONTROL_RESCUE:
            segment_close(u, ctl);
            break;
        case CONTROL_ENSURE:
            segment_close(u, ctl);
            u->control = ctl->outer;
            statements(u, (StatementsNode *)ctl->ensure->statements, DISCARD);
            break;
        case CONTROL_RESCUE_BODY:
            segment_close(u, ctl);
            emit(u, OP_SETERR, ctl->saved);
            break;
        case CONTROL_LOOP:
            break;
        }
    }
    return before;
}

/* After the jump: the contexts are in force again for what follows. */
static void come_back(Unit *u, Control *before, Control *target)
{
    for (Control *ctl = before; ctl != target; ctl = ctl->outer)
        ctl->segment_start = here(u);
    u->control = before;
}

/* ---- conditions ---- */

static bool is_less_than(const Node *node)
{
    const CallNode *call = (const CallNode *)node;

    return node->type == NODE_CALL && name_is(call->name, "<") && call->receiver != NULL && call->block == NULL &&
           !(node->flags & CALL_SAFE_NAVIGATION) && call->arguments != NULL &&
           ((ArgumentsNode *)call->arguments)->arguments.count == 1 &&
           ((ArgumentsNode *)call->arguments)->arguments.items[0]->type != NODE_SPLAT &&
           ((ArgumentsNode *)call->arguments)->arguments.items[0]->type != NODE_KEYWORD_HASH &&
           ((ArgumentsNode *)call->arguments)->arguments.items[0]->type != NODE_FORWARDING_ARGUMENTS;
}

void jump_if(Unit *u, Node *node, bool when, int label)
{
    int mark = u->top, reg;

    if (node->flags & NODE_FLAG_NEWLINE)
        set_line(u, node->location.start);
    switch (node->type) {
    case NODE_PARENTHESES: {
        Node *body = ((ParenthesesNode *)node)->body;

        if (body != NULL && body->type == NODE_STATEMENTS && ((StatementsNode *)body)->body.count == 1) {
            jump_if(u, ((StatementsNode *)body)->body.items[0], when, label);
            return;
        }
        break;
    }
    case NODE_AND:
    case NODE_OR: {
        /* AndNode and OrNode have the same fields. */
        AndNode *both = (AndNode *)node;
        bool is_and = node->type == NODE_AND;

        if (is_and != when) { /* either side decides alone */
            jump_if(u, both->left, when, label);
            jump_if(u, both->right, when, label);
        } else {
            int skip = label_new(u);

            jump_if(u, both->left, !when, skip);
            jump_if(u, both->right, when, label);
            label_here(u, skip);
        }
        return;
    }
    case NODE_TRUE:
    case NODE_INTEGER:
        if (when)
            emit(u, OP_JUMP, label);
        return;
    case NODE_FALSE:
    case NODE_NIL:
        if (!when)
            emit(u, OP_JUMP, label);
        return;
    case NODE_CALL:
        if (is_less_than(node)) {
            CallNode *call = (CallNode *)node;
            Node *arg = ((ArgumentsNode *)call->arguments)->arguments.items[0];
            int left = operand_before(u, call->receiver, arg), right = operand(u, arg);

            set_line(u, location_present(call->message_loc) ? call->message_loc.start : node->location.start);
            emit(u, when ? OP_JUMP_LT : OP_JUMP_NLT, left, right, label, cache_new(u));
            u->top = mark;
            return;
        }
        break;
    default:
        break;
    }
    reg = operand(u, node);
    emit(u, when ? OP_JUMPT : OP_JUMPF, reg, label);
    u->top = mark;
}

void if_node(Unit *u, Node *predicate, Node *then, Node *otherwise, int dst, bool unless)
{
    int else_label = label_new(u), end;

    jump_if(u, predicate, unless, else_label);
    expr_or_nil(u, then, dst);
    if (otherwise == NULL && dst == DISCARD) {
        label_here(u, else_label);
        return;
    }
    end = label_new(u);
    if (reachable(u))
        emit(u, OP_JUMP, end);
    label_here(u, else_label);
    expr_or_nil(u, otherwise, dst);
    label_here(u, end);
}

void and_or(Unit *u, Node *left, Node *right, bool is_and, int dst)
{
    int mark = u->top, end = label_new(u);
    /* dst may be a local that `right` reads: I2 keeps such a dst away from us. */
    int value = dst == DISCARD ? temp(u) : dst;

    if (dst == DISCARD) {
        jump_if(u, left, !is_and, end);
        expr(u, right, DISCARD);
    } else {
        expr(u, left, value);
        emit(u, is_and ? OP_JUMPF : OP_JUMPT, value, end);
        expr(u, right, value);
    }
    label_here(u, end);
    u->top = mark;
}

/* ---- loops ---- */

void loop_node(Unit *u, Node *predicate, StatementsNode *body, bool until, bool body_first, int dst)
{
    Control ctl;
    int start = label_new(u), done = label_new(u), body_label = label_new(u);

    control_push(u, &ctl, CONTROL_LOOP);
    ctl.break_label = label_new(u);
    ctl.next_label = start;
    ctl.redo_label = body_label;
    ctl.dst = dst;
    if (body_first)
        emit(u, OP_JUMP, body_label);
    label_here(u, start);
    jump_if(u, predicate, until, done);
    label_here(u, body_label);
    statements(u, body, DISCARD);
    emit(u, OP_LOOP, start);
    u->control = ctl.outer;
    label_here(u, done);
    load_nil(u, dst);
    label_here(u, ctl.break_label);
}

void for_node(Unit *u, ForNode *node, int dst)
{
    int mark = u->top, base = temp(u);
    Args args = {.names = -1, .block = -1};

    expr(u, node->collection, base);
    args.block = (int)unit_literal(compile_for_body(u, node));
    set_line(u, node->base.location.start);
    emit_call(u, base, &args, symbol_text(u->c, "each"), 0);
    move(u, dst, base);
    u->top = mark;
}

/* ---- case ---- */

static void when_condition(Unit *u, Node *condition, int value, int label)
{
    int mark = u->top, base;

    if (condition->type == NODE_SPLAT) {
        base = temps(u, 2);
        expr_or_nil(u, ((SplatNode *)condition)->expression, base);
        emit(u, OP_SPLAT, base, base);
        if (value < 0)
            emit_send(u, base, 0, "any?", 0);
        else
            emit(u, OP_MATCH_WHEN, base, base, value);
        emit(u, OP_JUMPT, base, label);
    } else if (value < 0) {
        jump_if(u, condition, true, label);
    } else {
        base = temp(u);
        if (condition->type == NODE_STRING)
            string_part(u, condition, base);
        else
            expr(u, condition, base);
        set_line(u, condition->location.start);
        emit(u, OP_EQQ, base, base, value, cache_new(u));
        emit(u, OP_JUMPT, base, label);
    }
    u->top = mark;
}

void case_node(Unit *u, CaseNode *node, int dst)
{
    int mark = u->top, value = -1, end = label_new(u);

    if (node->predicate != NULL) {
        value = temp(u);
        expr(u, node->predicate, value);
    }
    for (uint32_t i = 0; i < node->conditions.count; i++) {
        WhenNode *when = (WhenNode *)node->conditions.items[i];
        int body = label_new(u), next = label_new(u);

        set_line(u, when->base.location.start);
        for (uint32_t k = 0; k < when->conditions.count; k++)
            when_condition(u, when->conditions.items[k], value, body);
        emit(u, OP_JUMP, next);
        label_here(u, body);
        expr_or_nil(u, when->statements, dst);
        if (reachable(u))
            emit(u, OP_JUMP, end);
        label_here(u, next);
    }
    expr_or_nil(u, node->else_clause, dst);
    label_here(u, end);
    u->top = mark;
}

/* ---- begin, rescue, ensure ---- */

static void rescue_clause(Unit *u, RescueNode *clause, int exc, int saved, int dst, int end)
{
    int mark = u->top, body = label_new(u), next = label_new(u);
    int match = temps(u, 2);

    set_line(u, clause->base.location.start);
    if (clause->exceptions.count == 0) {
        emit(u, OP_GETCONST_TOP, match + 1, symbol_text(u->c, "StandardError"), cache_new(u));
        emit(u, OP_MATCH_RESCUE, match, match + 1, exc, 0);
        emit(u, OP_JUMPF, match, next);
    } else {
        for (uint32_t i = 0; i < clause->exceptions.count; i++) {
            Node *cls = clause->exceptions.items[i];
            bool splat = cls->type == NODE_SPLAT;

            if (splat) {
                expr_or_nil(u, ((SplatNode *)cls)->expression, match + 1);
                emit(u, OP_SPLAT, match + 1, match + 1);
            } else {
                expr(u, cls, match + 1);
            }
            emit(u, OP_MATCH_RESCUE, match, match + 1, exc, splat);
            emit(u, OP_JUMPT, match, body);
        }
        emit(u, OP_JUMP, next);
        label_here(u, body);
    }
    u->top = mark;
    if (clause->exceptions.count == 0)
        label_here(u, body);
    if (clause->reference != NULL)
        target_assign(u, clause->reference, exc);
    expr_or_nil(u, clause->statements, dst);
    if (reachable(u)) {
        emit(u, OP_SETERR, saved);
        emit(u, OP_JUMP, end);
    }
    label_here(u, next);
}

/* begin .. rescue .. else .. end without its ensure. */
static void begin_rescue(Unit *u, BeginNode *node, int dst)
{
    ElseNode *otherwise = (ElseNode *)node->else_clause;
    int mark = u->top, saved, exc, start, end;
    Control ctl;
    uint32_t handler;

    if (node->rescue_clause == NULL) {
        if (otherwise != NULL) {
            expr_or_nil(u, node->statements, DISCARD);
            expr_or_nil(u, otherwise->statements, dst);
        } else {
            expr_or_nil(u, node->statements, dst);
        }
        return;
    }
    saved = temp(u);
    exc = temp(u);
    start = label_new(u);
    end = label_new(u);
    emit(u, OP_GETERR, saved);
    label_here(u, start);

    control_push(u, &ctl, CONTROL_RESCUE);
    expr_or_nil(u, node->statements, otherwise != NULL ? DISCARD : dst);
    segment_close(u, &ctl);
    u->control = ctl.outer;
    if (otherwise != NULL && reachable(u))
        expr_or_nil(u, otherwise->statements, dst);
    if (reachable(u))
        emit(u, OP_JUMP, end);

    handler = here(u);
    label_here(u, label_new(u));
    emit(u, OP_SETERR, exc);
    {
        Control body;

        control_push(u, &body, CONTROL_RESCUE_BODY);
        body.saved = saved;
        body.retry_label = start;
        for (RescueNode *clause = (RescueNode *)node->rescue_clause; clause != NULL;
             clause = (RescueNode *)clause->subsequent)
            rescue_clause(u, clause, exc, saved, dst, end);
        segment_close(u, &body);
        u->control = body.outer;
        emit(u, OP_RETHROW, exc);
        /* A throw, a far return or another exception leaves the clause: $! is what it was before (C4). */
        control_rows(u, &body, here(u), exc);
        label_here(u, label_new(u));
        emit(u, OP_SETERR, saved);
        emit(u, OP_RETHROW, exc);
    }
    control_rows(u, &ctl, handler, exc);
    label_here(u, end);
    u->top = mark;
}

void begin_node(Unit *u, BeginNode *node, int dst)
{
    EnsureNode *ensure = (EnsureNode *)node->ensure_clause;
    int mark = u->top, record, end;
    Control ctl;
    uint32_t handler;

    if (ensure == NULL) {
        begin_rescue(u, node, dst);
        return;
    }
    record = temp(u);
    end = label_new(u);
    control_push(u, &ctl, CONTROL_ENSURE);
    ctl.ensure = ensure;
    begin_rescue(u, node, dst);
    segment_close(u, &ctl);
    u->control = ctl.outer;
    if (reachable(u)) {
        statements(u, (StatementsNode *)ensure->statements, DISCARD);
        emit(u, OP_JUMP, end);
    }
    handler = here(u);
    label_here(u, label_new(u));
    emit(u, OP_SETERR, record); /* $! is the exception meanwhile; a throw's record leaves it alone */
    statements(u, (StatementsNode *)ensure->statements, DISCARD);
    if (reachable(u))
        emit(u, OP_RETHROW, record);
    control_rows(u, &ctl, handler, record);
    label_here(u, end);
    u->top = mark;
}

void rescue_modifier(Unit *u, RescueModifierNode *node, int dst)
{
    RescueNode clause;
    BeginNode begin;
    StatementsNode body;
    Node *items[1] = {node->expression};

    memset(&clause, 0, sizeof(clause));
    clause.base = node->base;
    clause.base.type = NODE_RESCUE;
    clause.statements = node->rescue_expression;
    memset(&body, 0, sizeof(body));
    body.base = node->base;
    body.base.type = NODE_STATEMENTS;
    body.base.flags = 0;
    body.body = (NodeList){items, 1};
    memset(&begin, 0, sizeof(begin));
    begin.base = node->base;
    begin.base.type = NODE_BEGIN;
    begin.statements = &body.base;
    begin.rescue_clause = &clause.base;
    begin_rescue(u, &begin, dst);
}

void rescue_all(Unit *u, void (*body)(Unit *, void *), void *arg, int dst)
{
    int mark = u->top, saved = temp(u), exc = temp(u), end = label_new(u);
    uint32_t handler;
    Control ctl;

    emit(u, OP_GETERR, saved);
    control_push(u, &ctl, CONTROL_RESCUE);
    body(u, arg);
    segment_close(u, &ctl);
    u->control = ctl.outer;
    emit(u, OP_JUMP, end);
    handler = here(u);
    label_here(u, label_new(u));
    emit(u, OP_SETERR, saved);
    load_nil(u, dst);
    control_rows(u, &ctl, handler, exc);
    label_here(u, end);
    u->top = mark;
}

/* ---- ways out ---- */

static Node *single_argument(Node *arguments, NodeList *list)
{
    *list = ((ArgumentsNode *)arguments)->arguments;
    if (list->count == 1 && list->items[0]->type != NODE_SPLAT && list->items[0]->type != NODE_KEYWORD_HASH)
        return list->items[0];
    return NULL;
}

/* The value of break, next, return: none, one, or an array of several. */
static void jump_value(Unit *u, Node *arguments, int dst)
{
    NodeList list;
    Node *one;

    if (arguments == NULL) {
        load_nil(u, dst);
        return;
    }
    one = single_argument(arguments, &list);
    if (one != NULL)
        expr(u, one, dst);
    else if (list.count == 1 && list.items[0]->type == NODE_KEYWORD_HASH)
        pairs_to_hash(u, ((KeywordHashNode *)list.items[0])->elements, dst);
    else
        list_to_array(u, list, dst);
}

static Control *find_loop(Unit *u)
{
    for (Control *ctl = u->control; ctl != NULL; ctl = ctl->outer) {
        if (ctl->kind == CONTROL_LOOP)
            return ctl;
    }
    return NULL;
}

static void loop_jump(Unit *u, Control *loop, Node *node)
{
    Control *before;
    int mark = u->top;

    switch (node->type) {
    case NODE_BREAK:
        /* An ensure may not see a half-finished result in a local, nor change it: dst is written at once. */
        if (loop->dst == DISCARD && ((BreakNode *)node)->arguments != NULL)
            jump_value(u, ((BreakNode *)node)->arguments, temp(u));
        else if (loop->dst != DISCARD)
            jump_value(u, ((BreakNode *)node)->arguments, loop->dst);
        break;
    case NODE_NEXT:
        if (((NextNode *)node)->arguments != NULL)
            jump_value(u, ((NextNode *)node)->arguments, temp(u));
        break;
    default:
        break;
    }
    before = leave_to(u, loop);
    if (node->type == NODE_BREAK)
        emit(u, OP_JUMP, loop->break_label);
    else
        emit(u, OP_LOOP, node->type == NODE_NEXT ? loop->next_label : loop->redo_label);
    come_back(u, before, loop);
    u->top = mark;
}

static Opcode return_opcode(const Unit *u, const Node *node)
{
    switch (node->type) {
    case NODE_NEXT:
        return OP_RETURN;
    case NODE_BREAK:
        return u->kind == CODE_LAMBDA ? OP_RETURN : OP_BREAK;
    default:
        return u->kind == CODE_BLOCK || u->kind == CODE_EVAL || u->kind == CODE_CLASS ? OP_RETURN_FAR : OP_RETURN;
    }
}

static void frame_jump(Unit *u, Node *node)
{
    Node *arguments = node->type == NODE_RETURN ? ((ReturnNode *)node)->arguments
                    : node->type == NODE_NEXT   ? ((NextNode *)node)->arguments
                                                : ((BreakNode *)node)->arguments;
    Opcode op = return_opcode(u, node);
    int mark = u->top, value;
    NodeList list;

    if (node->type == NODE_RETURN && u->kind == CODE_TOP && arguments != NULL && u->c->idle_return_line == 0)
        u->c->idle_return_line = (uint32_t)parse_line(u->c->parse, node->location.start);
    if (arguments != NULL && !leaves_ensure(u, NULL) && single_argument(arguments, &list) != NULL) {
        value = operand(u, list.items[0]);
    } else {
        value = temp(u);
        jump_value(u, arguments, value);
    }
    if (op == OP_RETURN) {
        Control *before = leave_to(u, NULL);
        emit(u, op, value);
        come_back(u, before, NULL);
    } else {
        emit(u, op, value); /* unwinds through the rows: the jump itself may be a LocalJumpError, to be rescued right here */
    }
    u->top = mark;
}

static void retry_jump(Unit *u, Node *node)
{
    Control *ctl = u->control, *before;

    while (ctl != NULL && ctl->kind != CONTROL_RESCUE_BODY)
        ctl = ctl->outer;
    if (ctl == NULL) {
        compile_fail(u, node, "Invalid retry");
        return;
    }
    before = leave_to(u, ctl->outer);
    emit(u, OP_LOOP, ctl->retry_label);
    come_back(u, before, ctl->outer);
}

void jump_node(Unit *u, Node *node, int dst)
{
    Control *loop = find_loop(u);

    (void)dst; /* control never comes here */
    if (node->type == NODE_RETRY) {
        retry_jump(u, node);
    } else if (node->type == NODE_RETURN || (loop == NULL && node->type != NODE_REDO)) {
        if (node->type != NODE_RETURN && u->kind != CODE_BLOCK && u->kind != CODE_LAMBDA && u->kind != CODE_EVAL)
            compile_fail(u, node, "Can't escape from here with %s", node->type == NODE_BREAK ? "break" : "next");
        frame_jump(u, node);
    } else if (loop != NULL) {
        loop_jump(u, loop, node);
    } else {
        Control *before = leave_to(u, NULL);

        if (u->redo_label < 0)
            compile_fail(u, node, "Can't escape from here with redo");
        else
            emit(u, OP_LOOP, u->redo_label);
        come_back(u, before, NULL);
    }
}

/* A number in a flip-flop is compared with the line last read. */
static void flip_flop_test(Unit *u, Node *node, int label)
{
    int mark = u->top, base;

    if (node->type != NODE_INTEGER) {
        jump_if(u, node, false, label);
        return;
    }
    base = temps(u, 2);
    expr(u, node, base);
    emit(u, OP_GETGLOBAL, base + 1, symbol_text(u->c, "$."));
    emit(u, OP_EQ, base, base, base + 1, cache_new(u));
    emit(u, OP_JUMPF, base, label);
    u->top = mark;
}

/* ---- flip-flop: its state lies with $~ of the method's frame, under the number of an inline cache ---- */

static void flip_flop_do(Unit *u, int primitive, uint32_t number, int dst)
{
    emit(u, OP_LOADINT, dst + 1, number);
    emit(u, OP_PRIM, dst, primitive, 1);
}

void flip_flop(Unit *u, FlipFlopNode *node, int dst)
{
    int mark = u->top, state = temp(u), result;
    uint32_t number = cache_new(u);
    int off = label_new(u), test_end = label_new(u), end = label_new(u);
    bool three = (node->base.flags & RANGE_EXCLUDE_END) != 0;

    temp(u); /* the primitive's argument */
    result = temp(u);
    flip_flop_do(u, PRIM_flip_flop, number, state);
    emit(u, OP_LOADTRUE, result);
    emit(u, OP_JUMPT, state, test_end);
    /* off: does it begin here? */
    if (node->left == NULL)
        emit(u, OP_JUMP, off);
    else
        flip_flop_test(u, node->left, off);
    flip_flop_do(u, PRIM_flip_flop_on, number, state);
    if (three)
        emit(u, OP_JUMP, end);
    label_here(u, test_end);
    if (node->right != NULL) {
        flip_flop_test(u, node->right, end);
        flip_flop_do(u, PRIM_flip_flop_off, number, state);
    }
    emit(u, OP_JUMP, end);
    label_here(u, off);
    emit(u, OP_LOADFALSE, result);
    label_here(u, end);
    move(u, dst, result);
    u->top = mark;
}
