/*
 * args.c: lays the arguments of a call out as the parameters of a code.
 *
 * The callee's frame already runs, so that an ArgumentError shows it; f->base[0..argc) are the positional arguments
 * and, when kw is an Array of names, the keywords' values follow.  The fast path (only required parameters, as many
 * as given) touches nothing but the other locals.  The slow path first moves everything above the window.
 */
#include "vm/interp/vm_state.h"
#include <stdio.h>

static _Noreturn void raise_missing_keywords(Value names)
{
    size_t n = ary_len(names);
    Value text = str_new_c(n == 1 ? "missing keyword: " : "missing keywords: ");
    for (size_t i = 0; i < n; i++) {
        if (i)
            str_append_c(text, ", ");
        str_append_str(text, obj_inspect(ary_get(names, (long)i)));
    }
    raise_error(klass.ArgumentError, "%T", text);
}

/* Arity error of Ruby code, with the required keywords named. */
static _Noreturn void raise_code_arity(const Code *code, int given)
{
    int min = code->params.required + code->params.post;
    int max = code->flags & CODE_REST ? -1 : min + code->params.optional;
    if (!code->params.keywords_required)
        raise_arity(given, min, max);
    unsigned first = (unsigned)min + code->params.optional + (code->flags & CODE_REST ? 1 : 0);
    Value names = str_new_c("");
    for (unsigned i = 0; i < code->params.keywords_required; i++)
        str_append(names, i ? ", " : "", i ? 2 : 0),
            str_append_c(names, sym_text(symbol_value(code->locals[first + i])));
    char range[64];
    if (max < 0)
        snprintf(range, sizeof range, "%d+", min);
    else if (min == max)
        snprintf(range, sizeof range, "%d", min);
    else
        snprintf(range, sizeof range, "%d..%d", min, max);
    raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected %s; required keyword%s: %T)", given,
                range, code->params.keywords_required > 1 ? "s" : "", names);
}

struct kwrest {
    Code *code;
    unsigned first;
    Value rest, unknown;
};

static bool is_declared(const Code *code, unsigned first, Value key)
{
    if (!is_symbol(key))
        return false;
    for (unsigned i = 0; i < code->params.keywords; i++)
        if (code->locals[first + i] == symbol_id(key))
            return true;
    return false;
}

static void keep_other(struct kwrest *k, Value key, Value v)
{
    if (is_declared(k->code, k->first, key))
        return;
    if (k->rest != V_NIL)
        hash_set(k->rest, key, v);
    else {
        if (k->unknown == V_NIL)
            k->unknown = ary_new(1);
        ary_push(k->unknown, key);
    }
}

static bool keep_other_entry(Value key, Value v, void *arg)
{
    keep_other(arg, key, v);
    return true;
}

/* Fills the keyword registers (and **rest) from kw: a Hash, or names with the values at `values`. */
static void bind_keywords(Frame *f, Code *code, unsigned first, Value kw, const Value *values, bool kw_mutable)
{
    Value *base = f->base;
    unsigned n = code->params.keywords;
    Value missing = V_NIL;
    bool names = is_array(kw);
    size_t given = kw == V_NIL ? 0 : names ? ary_len(kw) : hash_len(kw), used = 0;
    for (unsigned i = 0; i < n; i++) {
        Value sym = symbol_value(code->locals[first + i]), v = V_UNDEF;
        if (names) {
            AryView view = ary_view(kw);
            for (size_t j = 0; j < view.len; j++)
                if (view.ptr[j].raw == sym)
                    v = values[j];
        } else if (kw != V_NIL) {
            v = hash_get(kw, sym);
        }
        if (v != V_UNDEF)
            used++;
        else if (i < code->params.keywords_required) {
            if (missing == V_NIL)
                missing = ary_new(1);
            ary_push(missing, sym);
            v = V_NIL;
        }
        base[first + i] = v;
    }
    if (missing != V_NIL)
        raise_missing_keywords(missing);
    if (used == given && !(code->flags & CODE_KWREST))
        return;
    struct kwrest k = {code, first, V_NIL, V_NIL};
    if (code->flags & CODE_KWREST) {
        if (kw != V_NIL && !names && used == 0 && kw_mutable) {
            base[first + n] = kw;
            return;
        }
        k.rest = hash_new();
        base[first + n] = k.rest;
    }
    if (names) {
        for (size_t j = 0; j < given; j++)
            keep_other(&k, ary_get(kw, (long)j), values[j]);
    } else if (kw != V_NIL) {
        hash_each(kw, keep_other_entry, &k);
    }
    if (k.unknown != V_NIL)
        raise_unknown_keywords(k.unknown);
}

static void bind_slow(Frame *f, Code *code, int argc, Value kw, bool kw_mutable, bool lambda)
{
    const CodeParams *p = &code->params;
    int nkw = is_array(kw) ? (int)ary_len(kw) : 0;
    Value *in = f->base + code->nregs;
    if (in < f->base + argc + nkw)
        in = f->base + argc + nkw;
    if (in + argc + nkw + 2 >= vm.stack_end - STACK_RESERVE)
        vm_stack_overflow();
    f->pc = code->words - 1; /* errors of binding stand at the definition's line */
    memcpy(in, f->base, (size_t)(argc + nkw) * sizeof(Value));
    f->top = in + argc + nkw;
    for (int i = 0; i < code->nregs; i++)
        f->base[i] = V_NIL;

    Value *values = in + argc;
    bool takes_kw = p->keywords || (code->flags & CODE_KWREST);
    if (kw != V_NIL && !nkw && (is_array(kw) || hash_len(kw) == 0))
        kw = V_NIL;
    if (kw != V_NIL && !takes_kw) {
        if ((code->flags & CODE_NO_KEYWORDS) && lambda)
            raise_error(klass.ArgumentError, "no keywords accepted");
        Value h = kw;
        if (nkw) {
            h = hash_new();
            for (int i = 0; i < nkw; i++)
                hash_set(h, ary_get(kw, i), values[i]);
        } else if (!kw_mutable) {
            h = hash_dup(kw);
        }
        if (code->flags & CODE_RUBY2_KEYWORDS)
            obj_ptr(h)->head |= HASH_KEYWORDS;
        in[argc++] = h;
        f->top = in + argc;
        kw = V_NIL;
        nkw = 0;
    }
    int min = p->required + p->post;
    if (!lambda && argc == 1 && (code->flags & CODE_ARG0_SPLATS)) {
        Value list = ary_try(in[0]);
        if (list != V_NIL) {
            int n = (int)ary_len(list);
            if (in + n + nkw + 4 >= vm.stack_end - STACK_RESERVE)
                vm_stack_overflow();
            if (nkw)
                memmove(in + n, values, (size_t)nkw * sizeof(Value));
            for (int i = 0; i < n; i++)
                in[i] = V_NIL;
            values = in + n;
            f->top = in + n + nkw;
            argc = n;
            for (int i = 0; i < n; i++)
                in[i] = ary_get(list, i);
        }
    }
    if (lambda) {
        if (argc < min || (!(code->flags & CODE_REST) && argc > min + p->optional))
            raise_code_arity(code, argc);
    }
    Value *base = f->base;
    int given = argc;
    if (!(code->flags & CODE_REST) && argc > min + p->optional)
        argc = min + p->optional;
    int i = 0, r = 0;
    for (; r < p->required; r++)
        base[r] = i < argc ? in[i++] : V_NIL;
    int optional = argc - min;
    optional = optional < 0 ? 0 : optional > p->optional ? p->optional : optional;
    for (int k = 0; k < p->optional; k++)
        base[r++] = k < optional ? in[i++] : V_NIL;
    if (code->flags & CODE_REST) {
        int n = given - i - p->post;
        n = n < 0 ? 0 : n;
        base[r] = ary_new_from((size_t)n, in + i);
        base = f->base;
        r++;
        i += n;
    }
    for (int k = 0; k < p->post; k++)
        base[r++] = i < argc || (i < given && (code->flags & CODE_REST)) ? in[i++] : V_NIL;
    if (takes_kw)
        bind_keywords(f, code, (unsigned)r, kw, values, kw_mutable);
    f->pc = code->words + (p->optional ? code->opt_pc[optional] : 0);
    f->top = f->base + code->nregs;
}

void args_bind(Frame *f, Code *code, int argc, Value kw, bool kw_mutable, bool lambda)
{
    unsigned required = code->params.required, given = (unsigned)argc;
    bool in_place = kw == V_NIL && (code->entry == ENTRY_PLAIN || (code->entry == ENTRY_SPREADS && given != 1));
    if (likely(in_place && (given == required || !lambda))) {
        args_fill_locals(f->base, given < required ? given : required, code->nlocals);
        f->top = f->base + code->nregs;
        return;
    }
    if (kw == V_NIL && code->entry == ENTRY_CHOICES && !code->params.keywords && given >= required &&
        given <= required + code->params.optional) {
        args_fill_locals(f->base, given, code->nlocals);
        f->pc = code->words + code->opt_pc[given - required];
        f->top = f->base + code->nregs;
        return;
    }
    if (code->entry == ENTRY_PACKED && given == required + 1 && kw == V_NIL) {
        args_fill_locals(f->base, given, code->nlocals);
        f->top = f->base + code->nregs;
        return;
    }
    bind_slow(f, code, argc, kw, kw_mutable, lambda);
    if (code->entry == ENTRY_PACKED) {
        Value list = f->base[required];
        size_t n = ary_len(list);
        f->argc = (uint16_t)(required + n);
        f->base[required] = n > 1 ? list : n ? ary_get(list, 0) : V_NIL;
    }
}

/* The one thing of a loaded code that may change; it holds for all who share the code. */
bool code_set_ruby2_keywords(Code *code)
{
    if (!(code->flags & CODE_REST) || code->params.post || code->params.keywords || (code->flags & CODE_KWREST))
        return false;
    code->flags |= CODE_RUBY2_KEYWORDS;
    return true;
}

/* ---- arity and parameters ---- */
/* As CRuby counts: a required keyword is one more required argument, whatever comes by choice makes it negative. */
int code_arity(Code *code, bool lambda)
{
    const CodeParams *p = &code->params;
    int min = p->required + p->post + (p->keywords_required ? 1 : 0);
    bool some_keywords = p->keywords || (code->flags & CODE_KWREST);
    bool open = (code->flags & CODE_REST) || (lambda && (p->optional || (some_keywords && !p->keywords_required)));
    return open ? -min - 1 : min;
}

static void add_parameter(Value list, const char *kind, uint32_t name, const char *anonymous)
{
    Value row = ary_new(2);
    ary_push(row, sym_intern(kind));
    if (name)
        ary_push(row, symbol_value(name));
    else if (anonymous)
        ary_push(row, sym_intern(anonymous));
    ary_push(list, row);
}

/* _1, _2 ... are no local variables for a binding, but names here. */
static uint32_t required_name(const Code *code, unsigned i)
{
    char name[8];

    if ((code->flags & (CODE_NUMBERED | CODE_IT)) != CODE_NUMBERED)
        return code->locals[i];
    snprintf(name, sizeof name, "_%u", i + 1);
    return symbol_id(sym_intern(name));
}

Value code_parameters(Code *code, bool lambda)
{
    const CodeParams *p = &code->params;
    Value list = ary_new(4);
    unsigned r = 0;
    for (int i = 0; i < p->required; i++)
        add_parameter(list, lambda ? "req" : "opt", required_name(code, r), NULL), r++;
    for (int i = 0; i < p->optional; i++)
        add_parameter(list, "opt", code->locals[r++], NULL);
    if (code->flags & CODE_REST)
        add_parameter(list, "rest", code->flags & (CODE_ANON_REST | CODE_FORWARDS) ? 0 : code->locals[r],
                      code->flags & (CODE_ANON_REST | CODE_FORWARDS) ? "*" : NULL),
            r++;
    for (int i = 0; i < p->post; i++)
        add_parameter(list, lambda ? "req" : "opt", code->locals[r++], NULL);
    for (int i = 0; i < p->keywords; i++)
        add_parameter(list, i < p->keywords_required ? "keyreq" : "key", code->locals[r++], NULL);
    if (code->flags & CODE_KWREST)
        add_parameter(list, "keyrest", code->flags & (CODE_ANON_KWREST | CODE_FORWARDS) ? 0 : code->locals[r],
                      code->flags & (CODE_ANON_KWREST | CODE_FORWARDS) ? "**" : NULL),
            r++;
    if (code->flags & CODE_NO_KEYWORDS)
        add_parameter(list, "nokey", 0, NULL);
    if (code->flags & CODE_BLOCK_PARAM)
        add_parameter(list, "block", code->flags & (CODE_ANON_BLOCK | CODE_FORWARDS) ? 0 : code->locals[r],
                      code->flags & (CODE_ANON_BLOCK | CODE_FORWARDS) ? "&" : NULL);
    return list;
}
