/*
 * define.c - units and their parameters: methods, blocks, classes; defined?, alias, undef.
 */
#include <stdio.h>
#include <string.h>

#include "vm/compile/compiler.h"
#include "vm/frame.h"

uint32_t unit_literal(Unit *child)
{
    Lit *lit = lit_new(child->c, LIT_CODE);

    lit->unit = child;
    return lit_add(child->c, lit);
}

void mark_eval(Unit *u)
{
    for (; u != NULL; u = u->parent)
        u->flags |= CODE_USES_EVAL;
}

/* ---- parameters ---- */

static const Name *parameter_name(const Node *node)
{
    switch (node->type) {
    case NODE_REQUIRED_PARAMETER:
        return node->flags & PARAMETER_REPEATED ? NULL : ((const RequiredParameterNode *)node)->name;
    case NODE_OPTIONAL_PARAMETER:
        return node->flags & PARAMETER_REPEATED ? NULL : ((const OptionalParameterNode *)node)->name;
    case NODE_REST_PARAMETER:
        return node->flags & PARAMETER_REPEATED ? NULL : ((const RestParameterNode *)node)->name;
    case NODE_KEYWORD_REST_PARAMETER:
        return node->flags & PARAMETER_REPEATED ? NULL : ((const KeywordRestParameterNode *)node)->name;
    case NODE_BLOCK_PARAMETER:
        return node->flags & PARAMETER_REPEATED ? NULL : ((const BlockParameterNode *)node)->name;
    case NODE_REQUIRED_KEYWORD_PARAMETER:
        return ((const RequiredKeywordParameterNode *)node)->name;
    case NODE_OPTIONAL_KEYWORD_PARAMETER:
        return ((const OptionalKeywordParameterNode *)node)->name;
    default:
        return NULL; /* a destructured one */
    }
}

static void add_keywords(Unit *u, const NodeList *keywords)
{
    for (uint32_t i = 0; i < keywords->count; i++) {
        if (keywords->items[i]->type == NODE_REQUIRED_KEYWORD_PARAMETER) {
            unit_add_local(u, parameter_name(keywords->items[i]));
            u->params.keywords_required++;
        }
    }
    for (uint32_t i = 0; i < keywords->count; i++) {
        if (keywords->items[i]->type != NODE_REQUIRED_KEYWORD_PARAMETER)
            unit_add_local(u, parameter_name(keywords->items[i]));
    }
    u->params.keywords = (uint16_t)keywords->count;
}

static void add_forwarding(Unit *u)
{
    u->anon_rest = u->zsuper_rest = unit_add_local(u, NULL);
    u->anon_kwrest = u->zsuper_kwrest = unit_add_local(u, NULL);
    u->anon_block = u->zsuper_block = unit_add_local(u, NULL);
    u->flags |= CODE_FORWARDS | CODE_REST | CODE_KWREST | CODE_BLOCK_PARAM | CODE_ANON_REST | CODE_ANON_KWREST |
                CODE_ANON_BLOCK;
}

/* |*packed| or |a, *packed|, in core's own Ruby (vm/core/README). */
static bool is_packed_list(const Unit *u, const ParametersNode *p)
{
    static const char packed[] = "packed";

    if (!(u->flags & CODE_INTERNAL) || !node_is(p->rest, NODE_REST_PARAMETER) || p->optionals.count ||
        p->posts.count || p->keywords.count || p->keyword_rest != NULL || p->block != NULL)
        return false;
    const Name *name = ((const RestParameterNode *)p->rest)->name;
    return name != NULL && name->length == sizeof packed - 1 && memcmp(name->bytes, packed, name->length) == 0;
}

/* Gives the parameters their registers, in the order that code.h fixes. */
static void add_parameters(Unit *u, const ParametersNode *p)
{
    bool is_block = u->kind == CODE_BLOCK || u->kind == CODE_LAMBDA, trailing_comma = false;
    uint32_t required;

    if (p == NULL)
        return;
    for (uint32_t i = 0; i < p->requireds.count; i++)
        unit_add_local(u, parameter_name(p->requireds.items[i]));
    for (uint32_t i = 0; i < p->optionals.count; i++)
        unit_add_local(u, parameter_name(p->optionals.items[i]));
    u->params.required = (uint16_t)p->requireds.count;
    u->params.optional = (uint16_t)p->optionals.count;
    if (node_is(p->rest, NODE_REST_PARAMETER)) {
        const RestParameterNode *rest = (const RestParameterNode *)p->rest;

        u->zsuper_rest = unit_add_local(u, parameter_name(p->rest));
        u->flags |= CODE_REST;
        if (rest->name == NULL) {
            u->anon_rest = u->zsuper_rest;
            u->flags |= CODE_ANON_REST;
        }
    } else if (node_is(p->rest, NODE_IMPLICIT_REST)) {
        trailing_comma = true;
    }
    for (uint32_t i = 0; i < p->posts.count; i++)
        unit_add_local(u, parameter_name(p->posts.items[i]));
    u->params.post = (uint16_t)p->posts.count;
    add_keywords(u, &p->keywords);
    if (node_is(p->keyword_rest, NODE_KEYWORD_REST_PARAMETER)) {
        u->zsuper_kwrest = unit_add_local(u, parameter_name(p->keyword_rest));
        u->flags |= CODE_KWREST;
        if (((const KeywordRestParameterNode *)p->keyword_rest)->name == NULL) {
            u->anon_kwrest = u->zsuper_kwrest;
            u->flags |= CODE_ANON_KWREST;
        }
    } else if (node_is(p->keyword_rest, NODE_NO_KEYWORDS_PARAMETER)) {
        u->flags |= CODE_NO_KEYWORDS;
    } else if (node_is(p->keyword_rest, NODE_FORWARDING_PARAMETER)) {
        add_forwarding(u);
    }
    if (p->block != NULL) {
        u->zsuper_block = unit_add_local(u, parameter_name(p->block));
        u->flags |= CODE_BLOCK_PARAM;
        if (p->block->type == NODE_BLOCK_PARAMETER && ((const BlockParameterNode *)p->block)->name == NULL) {
            u->anon_block = u->zsuper_block;
            u->flags |= CODE_ANON_BLOCK;
        }
    }
    required = p->requireds.count + p->posts.count;
    if (u->kind == CODE_BLOCK && is_packed_list(u, p))
        u->flags |= CODE_PACKED;
    if (is_block && (required > 1 || p->optionals.count > 1 ||
                     (required == 1 && (p->optionals.count > 0 || trailing_comma || (u->flags & CODE_REST)))))
        u->flags |= CODE_ARG0_SPLATS;
}

/* The remaining names of the scope. */
static void add_locals(Unit *u, NameList locals)
{
    for (uint32_t i = 0; i < locals.count; i++) {
        if (unit_find_local(u, locals.items[i]) < 0)
            unit_add_local(u, locals.items[i]);
    }
    unit_locals_done(u);
}

static void destructure(Unit *u, const NodeList *params, int first)
{
    for (uint32_t i = 0; i < params->count; i++) {
        if (params->items[i]->type == NODE_MULTI_TARGET) {
            MultiTargetNode *t = (MultiTargetNode *)params->items[i];

            multi_target_assign(u, t->lefts, t->rest, t->rights, first + (int)i);
        }
    }
}

static void prologue(Unit *u, const ParametersNode *p)
{
    int reg;

    u->opt_labels = mem_alloc(u->c->ctx, ((size_t)u->params.optional + 1) * sizeof(uint32_t));
    for (uint32_t i = 0; i < u->params.optional; i++) {
        u->opt_labels[i] = here(u);
        expr(u, ((OptionalParameterNode *)p->optionals.items[i])->value, u->params.required + (int)i);
    }
    u->opt_labels[u->params.optional] = here(u);
    label_here(u, label_new(u)); /* entered from outside */
    if (p == NULL)
        return;
    for (uint32_t i = 0; i < p->keywords.count; i++) {
        int skip;

        if (p->keywords.items[i]->type != NODE_OPTIONAL_KEYWORD_PARAMETER)
            continue;
        skip = label_new(u);
        reg = unit_find_local(u, parameter_name(p->keywords.items[i]));
        emit(u, OP_JUMPNUNDEF, reg, skip);
        expr(u, ((OptionalKeywordParameterNode *)p->keywords.items[i])->value, reg);
        label_here(u, skip);
    }
    if (u->flags & CODE_BLOCK_PARAM)
        emit(u, OP_GETBLOCK, u->zsuper_block);
    destructure(u, &p->requireds, 0);
    destructure(u, &p->posts, u->params.required + u->params.optional + ((u->flags & CODE_REST) != 0));
}

/* The body's value is the unit's; whole: the node that ends where the unit returns. */
static void body_and_return(Unit *u, Node *body, const Node *whole)
{
    int mark = u->top, value;

    if (body == NULL) {
        value = temp(u);
        load_nil(u, value);
    } else if (body->type == NODE_STATEMENTS) {
        StatementsNode *s = (StatementsNode *)body;

        for (uint32_t i = 0; i + 1 < s->body.count; i++) {
            begin_statement(u, s->body.items[i]);
            expr(u, s->body.items[i], DISCARD);
        }
        if (s->body.count == 0) {
            value = temp(u);
            load_nil(u, value);
        } else {
            Node *last = s->body.items[s->body.count - 1];

            begin_statement(u, last);
            value = operand(u, last);
        }
    } else {
        value = operand(u, body);
    }
    if (reachable(u)) {
        if (u->statement_line == 0) /* else: the last statement is a mere variable, and this its only instruction */
            set_line(u, whole->location.start + whole->location.length - 1);
        emit(u, OP_RETURN, value);
    }
    u->top = mark;
    unit_finish(u);
}

static uint32_t line_of(Unit *u, const Node *node)
{
    return (uint32_t)parse_line(u->c->parse, node->location.start);
}

/* ---- blocks ---- */

static const Name *numbered_name(NameList locals, unsigned number)
{
    for (uint32_t i = 0; i < locals.count; i++) {
        const Name *name = locals.items[i];

        if (name->length == 2 && name->bytes[0] == '_' && name->bytes[1] == (char)('0' + number))
            return name;
    }
    return NULL;
}

static void block_parameters(Unit *u, Node *params, NameList locals, const ParametersNode **out)
{
    *out = NULL;
    if (params == NULL)
        return;
    if (params->type == NODE_BLOCK_PARAMETERS) {
        *out = (const ParametersNode *)((BlockParametersNode *)params)->parameters;
        add_parameters(u, *out);
    } else if (params->type == NODE_NUMBERED_PARAMETERS) {
        unsigned n = ((NumberedParametersNode *)params)->maximum;

        for (unsigned i = 1; i <= n; i++)
            unit_add_local(u, numbered_name(locals, i));
        u->params.required = (uint16_t)n;
        u->flags |= CODE_NUMBERED | (n > 1 ? CODE_ARG0_SPLATS : 0);
    } else if (params->type == NODE_IT_PARAMETERS) {
        u->it_reg = unit_add_local(u, NULL);
        u->params.required = 1;
        u->flags |= CODE_NUMBERED | CODE_IT;
    }
}

static Unit *block_unit(Unit *u, const Node *node, CodeKind kind)
{
    Unit *child = unit_new(u->c, kind, u, u);

    child->name = u->name;
    child->first_line = line_of(u, node);
    child->line = child->first_line;
    return child;
}

static void start_body(Unit *u)
{
    u->redo_label = label_new(u);
    label_here(u, u->redo_label);
}

Unit *compile_block(Unit *u, Node *node)
{
    bool lambda = node->type == NODE_LAMBDA;
    BlockNode *block = (BlockNode *)node;
    LambdaNode *arrow = (LambdaNode *)node;
    NameList locals = lambda ? arrow->locals : block->locals;
    Unit *child = block_unit(u, node, lambda ? CODE_LAMBDA : CODE_BLOCK);
    const ParametersNode *params;

    block_parameters(child, lambda ? arrow->parameters : block->parameters, locals, &params);
    add_locals(child, locals);
    prologue(child, params);
    start_body(child);
    body_and_return(child, lambda ? arrow->body : block->body, node);
    return child;
}

Unit *compile_for_body(Unit *u, ForNode *node)
{
    Unit *child = block_unit(u, &node->base, CODE_BLOCK);
    NameList none = {NULL, 0};
    uint32_t k = 0;

    child->transparent = true;
    if (node->index->type == NODE_MULTI_TARGET) {
        MultiTargetNode *t = (MultiTargetNode *)node->index;
        bool rest = node_is(t->rest, NODE_SPLAT);

        for (k = 0; k < t->lefts.count + t->rights.count + rest; k++)
            unit_add_local(child, NULL);
        child->params.required = (uint16_t)t->lefts.count;
        child->params.post = (uint16_t)t->rights.count;
        child->flags |= CODE_ARG0_SPLATS | (rest ? CODE_REST : 0);
        add_locals(child, none);
        prologue(child, NULL);
        for (k = 0; k < t->lefts.count; k++)
            target_assign(child, t->lefts.items[k], (int)k);
        if (rest && ((SplatNode *)t->rest)->expression != NULL)
            target_assign(child, ((SplatNode *)t->rest)->expression, (int)k);
        for (uint32_t i = 0; i < t->rights.count; i++)
            target_assign(child, t->rights.items[i], (int)(k + rest + i));
    } else if (node->index->type == NODE_SPLAT) { /* for *a in ... */
        unit_add_local(child, NULL);
        child->flags |= CODE_REST;
        add_locals(child, none);
        prologue(child, NULL);
        if (((SplatNode *)node->index)->expression != NULL)
            target_assign(child, ((SplatNode *)node->index)->expression, 0);
    } else {
        unit_add_local(child, NULL);
        child->params.required = 1;
        add_locals(child, none);
        prologue(child, NULL);
        target_assign(child, node->index, 0);
    }
    start_body(child);
    body_and_return(child, node->statements, &node->base);
    return child;
}

Unit *compile_end_block(Unit *u, PostExecutionNode *node)
{
    Unit *child = block_unit(u, &node->base, CODE_LAMBDA);
    NameList none = {NULL, 0};

    child->transparent = true;
    add_locals(child, none);
    prologue(child, NULL);
    body_and_return(child, node->statements, &node->base);
    return child;
}

/* ---- methods ---- */

void def_node(Unit *u, DefNode *node, int dst)
{
    Compiler *c = u->c;
    Unit *child = unit_new(c, CODE_METHOD, NULL, u);
    int mark = u->top;
    uint32_t lit;

    child->name = symbol_name(c, node->name);
    child->first_line = line_of(u, &node->base);
    child->line = child->first_line;
    add_parameters(child, (const ParametersNode *)node->parameters);
    add_locals(child, node->locals);
    prologue(child, (const ParametersNode *)node->parameters);
    body_and_return(child, node->body, &node->base);

    set_line(u, node->base.location.start);
    if (node->receiver != NULL) {
        int receiver = temp(u);

        expr(u, node->receiver, receiver);
        lit = unit_literal(child);
        emit(u, OP_DEFSMETHOD, receiver, child->name, lit);
    } else {
        lit = unit_literal(child);
        emit(u, OP_DEFMETHOD, child->name, lit);
    }
    load_symbol(u, dst, node->name);
    u->top = mark;
}

/* ---- classes and modules ---- */

static Unit *class_unit(Unit *u, const Node *node, const char *kind, const Name *name, NameList locals, Node *body)
{
    Compiler *c = u->c;
    Unit *child = unit_new(c, CODE_CLASS, NULL, u);

    if (name == NULL)
        child->name = symbol_text(c, "singleton class");
    else
        child->name = symbol_text(c, mem_printf(c->ctx, "<%s:%.*s>", kind, (int)name->length, name->bytes));
    child->first_line = line_of(u, node);
    child->line = child->first_line;
    add_locals(child, locals);
    prologue(child, NULL);
    body_and_return(child, body, node);
    return child;
}

/* The module in which the constant is set. */
static void class_base(Unit *u, Node *path, int dst)
{
    if (path->type == NODE_CONSTANT_PATH) {
        ConstantPathNode *p = (ConstantPathNode *)path;

        if (p->parent == NULL)
            emit(u, OP_GETCONST_TOP, dst, symbol_text(u->c, "Object"), cache_new(u));
        else
            expr(u, p->parent, dst);
    } else {
        emit(u, OP_LOADCREF, dst);
    }
}

static int scoped_flag(const Node *constant_path)
{
    return constant_path->type == NODE_CONSTANT_PATH ? 2 : 0;
}

void class_node(Unit *u, ClassNode *node, int dst)
{
    int mark = u->top, cbase = temp(u), super = temp(u), result = temp(u);
    Unit *child;

    class_base(u, node->constant_path, cbase);
    if (node->superclass != NULL)
        expr(u, node->superclass, super);
    else
        emit(u, OP_LOADUNDEF, super);
    child = class_unit(u, &node->base, "class", node->name, node->locals, node->body);
    set_line(u, node->base.location.start);
    emit(u, OP_DEFCLASS, result, super, cbase, symbol_name(u->c, node->name), scoped_flag(node->constant_path), unit_literal(child));
    move(u, dst, result);
    u->top = mark;
}

void module_node(Unit *u, ModuleNode *node, int dst)
{
    int mark = u->top, cbase = temp(u), super = temp(u), result = temp(u);
    Unit *child;

    class_base(u, node->constant_path, cbase);
    emit(u, OP_LOADUNDEF, super);
    child = class_unit(u, &node->base, "module", node->name, node->locals, node->body);
    set_line(u, node->base.location.start);
    emit(u, OP_DEFCLASS, result, super, cbase, symbol_name(u->c, node->name), 1 | scoped_flag(node->constant_path),
         unit_literal(child));
    move(u, dst, result);
    u->top = mark;
}

void singleton_class_node(Unit *u, SingletonClassNode *node, int dst)
{
    int mark = u->top, object = temp(u), result = temp(u);
    Unit *child;

    expr(u, node->expression, object);
    child = class_unit(u, &node->base, "class", NULL, node->locals, node->body);
    emit(u, OP_SCLASS, result, object, unit_literal(child));
    move(u, dst, result);
    u->top = mark;
}

/* ---- alias, undef ---- */

static void name_value(Unit *u, Node *node, int dst)
{
    switch (node->type) {
    case NODE_GLOBAL_VARIABLE_READ:
        load_symbol(u, dst, ((GlobalVariableReadNode *)node)->name);
        break;
    case NODE_BACK_REFERENCE_READ:
        load_symbol(u, dst, ((BackReferenceReadNode *)node)->name);
        break;
    case NODE_NUMBERED_REFERENCE_READ:
        emit(u, OP_LOADSYM, dst,
             symbol_text(u->c, mem_printf(u->c->ctx, "$%u", ((NumberedReferenceReadNode *)node)->number)));
        break;
    default: /* a symbol, perhaps an interpolated one */
        expr(u, node, dst);
        break;
    }
}

void alias_undef(Unit *u, Node *node, int dst)
{
    int mark = u->top, base = temp(u);

    if (node->type == NODE_UNDEF) {
        UndefNode *undef = (UndefNode *)node;

        for (uint32_t i = 0; i < undef->names.count; i++)
            expr(u, undef->names.items[i], temp(u));
        emit(u, OP_PRIM, base, PRIM_undef, undef->names.count);
    } else {
        /* AliasMethodNode and AliasGlobalVariableNode have the same fields. */
        AliasMethodNode *alias = (AliasMethodNode *)node;

        name_value(u, alias->new_name, temp(u));
        name_value(u, alias->old_name, temp(u));
        emit(u, OP_PRIM, base, node->type == NODE_ALIAS_METHOD ? PRIM_alias : PRIM_alias_global, 2);
    }
    load_nil(u, dst);
    u->top = mark;
}

/* ---- defined? ---- */

/* Leaves the description in dst, or jumps to `no`.  *evaluates: something was called that may raise. */
static void defined_value(Unit *u, Node *node, int dst, int no, bool *evaluates);

static void defined_list(Unit *u, NodeList list, int no, bool *evaluates)
{
    int mark = u->top, ignored = temp(u);

    for (uint32_t i = 0; i < list.count; i++)
        defined_value(u, list.items[i], ignored, no, evaluates);
    u->top = mark;
}

static void defined_kind(Unit *u, int dst, int object, int kind, const Name *name, int no)
{
    emit(u, OP_DEFINED, dst, object, kind, name == NULL ? symbol_text(u->c, "") : symbol_name(u->c, name));
    emit(u, OP_JUMPNIL, dst, no);
}

static void defined_call(Unit *u, CallNode *node, int dst, int no, bool *evaluates)
{
    int mark = u->top, object = temp(u);

    if (node->block != NULL && node->block->type == NODE_BLOCK) {
        load_text(u, dst, "expression");
        u->top = mark;
        return;
    }
    if (node->arguments != NULL)
        defined_list(u, ((ArgumentsNode *)node->arguments)->arguments, no, evaluates);
    if (node->receiver == NULL) {
        defined_kind(u, dst, object, DEFINED_FUNC, node->name, no);
    } else {
        defined_value(u, node->receiver, object, no, evaluates);
        *evaluates = true;
        expr(u, node->receiver, object);
        defined_kind(u, dst, object, node->base.flags & CALL_IGNORE_VISIBILITY ? DEFINED_FUNC : DEFINED_METHOD,
                     node->name, no);
    }
    u->top = mark;
}

static void defined_value(Unit *u, Node *node, int dst, int no, bool *evaluates)
{
    switch (node->type) {
    case NODE_NIL:
        load_text(u, dst, "nil");
        return;
    case NODE_TRUE:
        load_text(u, dst, "true");
        return;
    case NODE_FALSE:
        load_text(u, dst, "false");
        return;
    case NODE_SELF:
        load_text(u, dst, "self");
        return;
    case NODE_LOCAL_VARIABLE_READ:
    case NODE_IT_LOCAL_VARIABLE_READ:
        load_text(u, dst, "local-variable");
        return;
    case NODE_INSTANCE_VARIABLE_READ:
        defined_kind(u, dst, dst, DEFINED_IVAR, ((InstanceVariableReadNode *)node)->name, no);
        return;
    case NODE_GLOBAL_VARIABLE_READ:
        defined_kind(u, dst, dst, DEFINED_GVAR, ((GlobalVariableReadNode *)node)->name, no);
        return;
    case NODE_CLASS_VARIABLE_READ:
        defined_kind(u, dst, dst, DEFINED_CVAR, ((ClassVariableReadNode *)node)->name, no);
        return;
    case NODE_CONSTANT_READ:
        defined_kind(u, dst, dst, DEFINED_CONST, ((ConstantReadNode *)node)->name, no);
        return;
    case NODE_CONSTANT_PATH: {
        ConstantPathNode *path = (ConstantPathNode *)node;
        int mark = u->top, base = temp(u);

        if (path->parent == NULL) {
            emit(u, OP_GETCONST_TOP, base, symbol_text(u->c, "Object"), cache_new(u));
        } else {
            defined_value(u, path->parent, base, no, evaluates);
            *evaluates = true;
            expr(u, path->parent, base);
        }
        defined_kind(u, dst, base, DEFINED_CONST_IN, path->name, no);
        u->top = mark;
        return;
    }
    case NODE_NUMBERED_REFERENCE_READ:
        emit(u, OP_GETNTH, dst, ((NumberedReferenceReadNode *)node)->number);
        emit(u, OP_JUMPNIL, dst, no);
        load_text(u, dst, "global-variable");
        return;
    case NODE_BACK_REFERENCE_READ:
        emit(u, OP_GETBACKREF, dst, ((BackReferenceReadNode *)node)->name->bytes[1]);
        emit(u, OP_JUMPNIL, dst, no);
        load_text(u, dst, "global-variable");
        return;
    case NODE_CALL:
        defined_call(u, (CallNode *)node, dst, no, evaluates);
        return;
    case NODE_YIELD:
        defined_kind(u, dst, dst, DEFINED_YIELD, NULL, no);
        return;
    case NODE_SUPER:
    case NODE_FORWARDING_SUPER:
        defined_kind(u, dst, dst, DEFINED_SUPER, NULL, no);
        return;
    case NODE_ARRAY:
        defined_list(u, ((ArrayNode *)node)->elements, no, evaluates);
        break;
    case NODE_HASH:
        defined_list(u, ((HashNode *)node)->elements, no, evaluates);
        break;
    case NODE_KEYWORD_HASH:
        defined_list(u, ((KeywordHashNode *)node)->elements, no, evaluates);
        break;
    case NODE_ASSOC: {
        int mark = u->top, ignored = temp(u);

        defined_value(u, ((AssocNode *)node)->key, ignored, no, evaluates);
        defined_value(u, ((AssocNode *)node)->value, ignored, no, evaluates);
        u->top = mark;
        break;
    }
    case NODE_SPLAT:
        if (((SplatNode *)node)->expression != NULL) {
            defined_value(u, ((SplatNode *)node)->expression, dst, no, evaluates);
        }
        break;
    case NODE_IMPLICIT:
        defined_value(u, ((ImplicitNode *)node)->value, dst, no, evaluates);
        return;
    case NODE_PARENTHESES: {
        Node *body = ((ParenthesesNode *)node)->body;

        if (body == NULL) {
            load_text(u, dst, "nil");
            return;
        }
        if (body->type == NODE_STATEMENTS && ((StatementsNode *)body)->body.count == 1) {
            defined_value(u, ((StatementsNode *)body)->body.items[0], dst, no, evaluates);
            return;
        }
        break;
    }
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
    case NODE_MULTI_WRITE:
        load_text(u, dst, "assignment");
        return;
    default:
        break;
    }
    load_text(u, dst, "expression");
}

typedef struct DefinedJob {
    Node *node;
    int dst, no;
    bool evaluates;
} DefinedJob;

static void defined_body(Unit *u, void *arg)
{
    DefinedJob *job = arg;

    defined_value(u, job->node, job->dst, job->no, &job->evaluates);
}

/* Could looking at it raise?  Only receivers are evaluated. */
static bool looks_into(const Node *node)
{
    return node->type == NODE_CALL || node->type == NODE_CONSTANT_PATH || node->type == NODE_PARENTHESES ||
           node->type == NODE_ARRAY || node->type == NODE_HASH;
}

void defined_node(Unit *u, Node *value, int dst)
{
    int mark = u->top, result = temp(u), end = label_new(u);
    DefinedJob job = {.node = value, .dst = result, .no = label_new(u)};

    if (dst == DISCARD) { /* nobody asks */
        u->labels[job.no] = u->labels[end] = (int32_t)here(u);
        u->top = mark;
        return;
    }
    if (looks_into(value))
        rescue_all(u, defined_body, &job, result);
    else
        defined_body(u, &job);
    emit(u, OP_JUMP, end);
    label_here(u, job.no);
    load_nil(u, result);
    label_here(u, end);
    move(u, dst, result);
    u->top = mark;
}
