/*
 * finish.c - pass 2: units to Code objects, and code_compile() itself.
 *
 * Pass 1 has left symbols and literals as numbers in the words; here they
 * become ids and objects.  All Code objects are made first, empty, and kept in
 * an Array on the C stack (heap.h, H2), then filled, inner ones first.
 */
#include <stdio.h>
#include <string.h>

#include "vm/call.h"
#include "vm/class.h"
#include "vm/compile/compiler.h"
#include "vm/core.h"

/* ---- literals ---- */

static Value integer_value(Compiler *c, const NodeInteger *integer)
{
    uint32_t *limbs, count = integer->count, digits = 0;
    char *text;

    if (count == 1 || (count == 2 && integer->limbs[1] <= INT32_MAX)) {
        int64_t n = (int64_t)(integer->limbs[0] | (count == 2 ? (uint64_t)integer->limbs[1] << 32 : 0));

        return int_value(integer->negative ? -n : n);
    }
    /* To decimal, nine digits at a time, from the right. */
    limbs = mem_dup(c->ctx, integer->limbs, count * sizeof(uint32_t));
    text = mem_alloc(c->ctx, (size_t)count * 10 + 10);
    text += (size_t)count * 10 + 9;
    *text = '\0';
    while (count > 0) {
        uint64_t remainder = 0;

        for (uint32_t i = count; i-- > 0;) {
            uint64_t n = remainder << 32 | limbs[i];

            limbs[i] = (uint32_t)(n / 1000000000);
            remainder = n % 1000000000;
        }
        while (count > 0 && limbs[count - 1] == 0)
            count--;
        for (int i = 0; i < 9 && (count > 0 || remainder > 0 || digits == 0); i++, digits++) {
            *--text = (char)('0' + remainder % 10);
            remainder /= 10;
        }
    }
    return int_literal(text, integer->negative);
}

static _Noreturn void raise_syntax(const char *text, Value cls, const char *path)
{
    Value exc = exception_new(cls, "%s", text);

    if (cls == klass.SyntaxError)
        ivar_set(exc, sym_intern("path"), str_new_c(path));
    vm_raise(exc);
}

static Value make_regexp(void *arg)
{
    const Lit *lit = arg;

    return regexp_new(lit->bytes.bytes, lit->bytes.length, (int)lit->flags, lit->encoding);
}

/* The parser does not look into patterns: what is wrong with one shows only here. */
static Value regexp_value(Compiler *c, const Lit *lit)
{
    Value exc = V_NIL;
    StrView message;
    Value regexp = vm_rescue(make_regexp, (void *)lit, klass.RegexpError, &exc);

    if (!is_undef(regexp))
        return regexp;
    message = str_view(exception_message(exc));
    raise_syntax(mem_printf(c->ctx, "%s:%u: %.*s", c->parse->file, lit->line, (int)message.len, message.ptr),
                 klass.SyntaxError, c->parse->file);
}

static Value lit_value(Compiler *c, const Lit *lit, Value codes)
{
    Value v, w;

    switch (lit->kind) {
    case LIT_NIL:
        return V_NIL;
    case LIT_TRUE:
        return V_TRUE;
    case LIT_FALSE:
        return V_FALSE;
    case LIT_INTEGER:
        return integer_value(c, &lit->integer);
    case LIT_FLOAT:
        return float_value(lit->number);
    case LIT_RATIONAL:
        v = integer_value(c, &lit->integer);
        return rational_new(v, integer_value(c, &lit->denominator));
    case LIT_IMAGINARY:
        return complex_new(int_fix(0), lit_value(c, lit->items[0], codes));
    case LIT_STRING:
        v = str_new_frozen(lit->bytes.bytes, lit->bytes.length, lit->encoding);
        if (lit->flags & LITF_INTERNED)
            return str_intern_literal(v);
        return v;
    case LIT_SYMBOL:
        return sym_intern_len(lit->bytes.bytes, lit->bytes.length, lit->encoding);
    case LIT_REGEXP:
        return regexp_value(c, lit);
    case LIT_ARRAY:
        v = ary_new(lit->count);
        for (uint32_t i = 0; i < lit->count; i++)
            ary_push(v, lit_value(c, lit->items[i], codes));
        return obj_freeze(v);
    case LIT_HASH:
        v = hash_new();
        for (uint32_t i = 0; i + 1 < lit->count; i += 2) {
            w = lit_value(c, lit->items[i], codes);
            hash_set(v, w, lit_value(c, lit->items[i + 1], codes));
        }
        return obj_freeze(v);
    case LIT_RANGE:
        v = lit->items[0] == NULL ? V_NIL : lit_value(c, lit->items[0], codes);
        w = lit->items[1] == NULL ? V_NIL : lit_value(c, lit->items[1], codes);
        return range_new(v, w, lit->flags & 1);
    case LIT_CODE:
        return ary_get(codes, (long)lit->unit->index);
    case LIT_NAMES:
        v = ary_new(lit->count);
        for (uint32_t i = 0; i < lit->count; i++) {
            const SymbolRef *ref = &c->symbols[lit->symbols[i]];

            ary_push(v, sym_intern_len(ref->bytes, ref->length, ref->encoding));
        }
        return obj_freeze(v);
    }
    return V_NIL;
}

/* ---- units ---- */

static void *copy_table(const void *from, size_t count, size_t size)
{
    void *to;

    if (count == 0)
        return NULL;
    to = heap_malloc(count * size);
    memcpy(to, from, count * size);
    return to;
}

static void fill_code(Compiler *c, Unit *u, Value code_value, Value codes, Value path, const uint32_t *ids)
{
    const Insn *table = insn_table();
    Code *code = code_ptr(code_value);
    uint32_t *words = copy_table(u->words, u->nwords, sizeof(uint32_t));
    bool holds = false;

    heap_remember(code_value); /* it was made with the others: it may be old */
    /* Symbols; objects are nil until they are set below, so that a collection finds nothing wrong. */
    for (uint32_t at = 0; at < u->nwords; at += table[insn_op(words + at)].nwords) {
        const Insn *insn = &table[insn_op(words + at)];

        for (unsigned i = 0; i < insn->noperands; i++) {
            uint32_t *operand = words + at + insn->operands[i].offset;

            if (insn->operands[i].kind == 'Y') {
                *operand = ids[*operand];
            } else if (insn->operands[i].kind == 'O') {
                slot_init((Slot *)operand, V_NIL);
                holds = true;
            }
        }
    }
    code->kind = (uint8_t)u->kind;
    code->flags = u->flags | (holds ? CODE_HOLDS_OBJECTS : 0);
    code->params = u->params;
    code->nlocals = (uint16_t)u->nlocals;
    code->scratch = (uint16_t)u->max;
    code->nregs = (uint16_t)(u->max + 4);
    code->name = ids[u->name];
    code->first_line = u->first_line;
    code->ncaches = u->ncaches;
    code->locals = u->nlocals ? heap_calloc(u->nlocals, sizeof(uint32_t)) : NULL;
    for (uint32_t i = 0; i < u->nlocals; i++) {
        bool numbered = (u->flags & CODE_NUMBERED) && i < u->params.required; /* not for binding */

        if (u->locals[i].name != NULL && !numbered)
            code->locals[i] = ids[symbol_name(c, u->locals[i].name)];
    }
    code->opt_pc = copy_table(u->opt_labels, (size_t)u->params.optional + 1, sizeof(uint32_t));
    code->catches = copy_table(u->catches, u->ncatches, sizeof(CatchRow));
    code->ncatches = u->ncatches;
    code->lines = copy_table(u->lines, u->nlines, sizeof(LineRow));
    code->nlines = u->nlines;
    slot_init(&code->path, path);
    if (u->lexical != NULL)
        slot_init(&code->outer, ary_get(codes, (long)u->lexical->index));
    else if (c->options->outer_count > 0)
        slot_init(&code->outer, c->options->outer[0]);
    code->words = words;
    code->nwords = u->nwords;

    for (uint32_t at = 0; at < u->nwords; at += table[insn_op(words + at)].nwords) {
        const Insn *insn = &table[insn_op(words + at)];

        for (unsigned i = 0; i < insn->noperands; i++) {
            uint8_t offset = insn->operands[i].offset;

            if (insn->operands[i].kind == 'O')
                slot_init((Slot *)(words + at + offset), lit_value(c, c->lits[u->words[at + offset]], codes));
        }
    }
    code_load(code);
#ifdef LODE_DEBUG
    code_verify(code_value);
#endif
}

Value compile_finish(Compiler *c)
{
    Value codes = ary_new(c->nunits), path = str_new_frozen(c->parse->file, strlen(c->parse->file), ENC_UTF_8);
    uint32_t *ids;

    /* Names of locals that no instruction mentions. */
    for (uint32_t i = 0; i < c->nunits; i++) {
        for (uint32_t k = 0; k < c->units[i]->nlocals; k++) {
            if (c->units[i]->locals[k].name != NULL)
                symbol_name(c, c->units[i]->locals[k].name);
        }
    }
    ids = mem_alloc(c->ctx, c->nsymbols * sizeof(uint32_t) + 1);
    for (uint32_t i = 0; i < c->nsymbols; i++)
        ids[i] = symbol_id(sym_intern_len(c->symbols[i].bytes, c->symbols[i].length, c->symbols[i].encoding));
    for (uint32_t i = 0; i < c->nunits; i++)
        ary_push(codes, code_new());
    for (uint32_t i = c->nunits; i-- > 0;)
        fill_code(c, c->units[i], ary_get(codes, (long)i), codes, path, ids);
    return ary_get(codes, 0);
}

/* ---- the top unit ---- */

static bool is_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void compile_program(void *arg)
{
    Compiler *c = arg;
    ProgramNode *program = c->parse->root;
    StatementsNode *body = (StatementsNode *)program->statements;
    Unit *u = unit_new(c, c->options->kind, NULL, NULL);
    int value;

    if (c->options->name != 0) {
        Value name = symbol_value(c->options->name);

        u->name = symbol_of(c, sym_text(name), sym_len(name), sym_encoding(name));
    } else {
        u->name = symbol_text(c, "<main>");
    }
    u->first_line = u->line = (uint32_t)c->parse->first_line;
    for (uint32_t i = 0; i < program->locals.count; i++)
        unit_add_local(u, program->locals.items[i]);
    unit_locals_done(u);
    u->opt_labels = mem_zalloc(c->ctx, sizeof(uint32_t));
    for (uint32_t i = 0; i < body->body.count; i++) {
        if (body->body.items[i]->type == NODE_PRE_EXECUTION)
            expr_or_nil(u, ((PreExecutionNode *)body->body.items[i])->statements, DISCARD);
    }
    value = temp(u);
    statements(u, body, value);
    emit(u, OP_RETURN, value);
    unit_finish(u);
}

/* ---- options, errors ---- */

static void warn_all(const ParseResult *r)
{
    Value verbose = gvar_get(sym_intern("$VERBOSE"));
    Value path = str_new_c(r->file), location;
    int level = is_nil(verbose) ? 0 : truthy(verbose) ? 2 : 1;

    for (uint32_t i = 0; i < r->warning_count; i++) {
        const ParseDiagnostic *d = &r->warnings[i];

        if (level < (d->level == PARSE_WARNING_DEFAULT ? 1 : 2))
            continue;
        location = ary_new_from(2, (Value[]){path, int_fix(parse_line(r, d->location.start))});
        warn_printf_at(location, "%s", d->message.bytes);
    }
}

static _Noreturn void raise_errors(const ParseResult *r, MemoryContext *ctx)
{
    Value cls = klass.SyntaxError;
    StrBuf text;

    for (uint32_t i = 0; i < r->error_count; i++) {
        if (r->errors[i].level == PARSE_ERROR_ARGUMENT)
            cls = klass.ArgumentError;
        else if (r->errors[i].level == PARSE_ERROR_LOAD)
            cls = klass.LoadError;
    }
    strbuf_init(&text, ctx);
    parse_format_errors(r, &text);
    raise_syntax(text.data, cls, r->file);
}

/* The scopes around an eval: for the parser by name, for us by register. */
static void external_scopes(Compiler *c, ParseOptions *parse)
{
    const CompileOptions *o = c->options;
    /* One more, innermost and empty: the scope of the eval itself, which Prism else takes the last given one for. */
    ParseScope *scopes = mem_zalloc(c->ctx, (o->outer_count + 1) * sizeof(ParseScope));

    c->nexternal = o->outer_count;
    c->external = mem_zalloc(c->ctx, o->outer_count * sizeof(ExternalScope) + 1);
    for (uint32_t i = 0; i < o->outer_count; i++) {
        const Code *code = code_ptr(o->outer[i]);
        ExternalScope *scope = &c->external[i];
        ParseScope *seen = &scopes[o->outer_count - 1 - i];
        NodeString *names = mem_zalloc(c->ctx, code->nlocals * sizeof(NodeString) + 1);
        int at;

        scope->names = mem_zalloc(c->ctx, code->nlocals * sizeof(NodeString) + 1);
        scope->count = code->nlocals;
        scope->rest = scope->kwrest = scope->block = -1;
        for (uint32_t k = 0; k < code->nlocals; k++) {
            Value name;

            if (code->locals[k] == 0)
                continue;
            name = symbol_value(code->locals[k]);
            scope->names[k] = (NodeString){sym_text(name), (uint32_t)sym_len(name)};
            names[seen->local_count++] = scope->names[k];
        }
        seen->locals = names;
        at = code->params.required + code->params.optional;
        if (code->flags & CODE_ANON_REST) {
            scope->rest = at;
            seen->forwarding |= PARSE_FORWARD_REST;
        }
        at += ((code->flags & CODE_REST) != 0) + code->params.post + code->params.keywords;
        if (code->flags & CODE_ANON_KWREST) {
            scope->kwrest = at;
            seen->forwarding |= PARSE_FORWARD_KEYWORDS;
        }
        at += (code->flags & CODE_KWREST) != 0;
        if (code->flags & CODE_ANON_BLOCK) {
            scope->block = at;
            seen->forwarding |= PARSE_FORWARD_BLOCK;
        }
        if (code->flags & CODE_FORWARDS)
            seen->forwarding |= PARSE_FORWARD_ALL;
    }
    parse->scopes = scopes;
    parse->scope_count = o->outer_count ? o->outer_count + 1 : 0;
}

static ParseOptions parse_options(const CompileOptions *o)
{
    return (ParseOptions){
        .file = o->file,
        .first_line = o->first_line,
        .encoding = o->encoding,
        .frozen_string_literal = o->frozen_string_literal,
        .switches = o->switches,
        .main_script = o->main_script,
        .partial_script = o->partial_script,
    };
}

static int8_t frozen_by_magic(const ParseResult *r, int8_t given)
{
    for (uint32_t i = 0; i < r->magic_comment_count; i++) {
        const MagicComment *m = &r->magic_comments[i];
        char key[32];
        uint32_t n = 0;

        if (m->key.length != 21)
            continue;
        for (; n < 21; n++) {
            char ch = r->source[m->key.start + n];

            key[n] = ch == '-' ? '_' : ch >= 'A' && ch <= 'Z' ? (char)(ch + 32) : ch;
        }
        key[n] = '\0';
        if (strcmp(key, "frozen_string_literal") != 0)
            continue;
        if (m->value.length == 4 && strncasecmp(r->source + m->value.start, "true", 4) == 0)
            return 1;
        if (m->value.length == 5 && strncasecmp(r->source + m->value.start, "false", 5) == 0)
            return -1;
    }
    return given;
}

static void context_release(void *ctx)
{
    memctx_delete(ctx);
}

Value code_compile(const char *src, size_t len, const CompileOptions *options, int64_t *data_offset)
{
    Compiler c;
    ParseOptions parse = parse_options(options);
    Value result;

    memset(&c, 0, sizeof(c));
    c.options = options;
    c.ctx = memctx_create(NULL, "compile");
    resource_push(context_release, c.ctx);
    external_scopes(&c, &parse);
    c.parse = parse_source(src, len, &parse, c.ctx);
    if (c.parse->error_count > 0)
        raise_errors(c.parse, c.ctx);
    if (!is_prefix(c.parse->file, "<internal:"))
        warn_all(c.parse);
    c.source_encoding = encoding_find(mem_strndup(c.ctx, c.parse->encoding.bytes, c.parse->encoding.length));
    if (c.source_encoding < 0)
        c.source_encoding = ENC_UTF_8;
    c.frozen_literals = frozen_by_magic(c.parse, options->frozen_string_literal);
    deep_call(compile_program, &c);
    if (c.failure != NULL)
        raise_syntax(mem_printf(c.ctx, "%s:%u: %s", c.parse->file, c.failure_line, c.failure), klass.SyntaxError,
                     c.parse->file);
    if (c.idle_return_line != 0 && !is_nil(gvar_get(sym_intern("$VERBOSE"))))
        warn_printf_at(ary_new_from(2, (Value[]){str_new_c(c.parse->file), int_fix(c.idle_return_line)}),
                       "argument of top-level return is ignored");
    if (data_offset != NULL) {
        *data_offset = -1;
        if (location_present(c.parse->data)) {
            /* The range begins with the line `__END__`. */
            const char *end = memchr(c.parse->source + c.parse->data.start, '\n', c.parse->data.length);

            *data_offset = end == NULL ? (int64_t)c.parse->length : end + 1 - c.parse->source;
        }
    }
    result = compile_finish(&c);
    resource_release(c.ctx);
    return result;
}

void source_dump_tree(const char *src, size_t len, const CompileOptions *options, StrBuf *out)
{
    MemoryContext *ctx = memctx_create(NULL, "dump");
    ParseOptions parse = parse_options(options);
    ParseResult *r;

    resource_push(context_release, ctx);
    r = parse_source(src, len, &parse, ctx);
    if (r->error_count > 0)
        parse_format_errors(r, out);
    else
        parse_dump(r, out);
    resource_release(ctx);
}

bool source_check(const char *src, size_t len, const CompileOptions *options, StrBuf *message)
{
    MemoryContext *ctx = memctx_create(NULL, "check");
    ParseOptions parse = parse_options(options);
    ParseResult *r;
    bool ok;

    resource_push(context_release, ctx);
    r = parse_source(src, len, &parse, ctx);
    ok = r->error_count == 0;
    if (!ok)
        parse_format_errors(r, message);
    resource_release(ctx);
    return ok;
}
