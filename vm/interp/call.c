/*
 * call.c: from a receiver, a name and arguments to a running method.
 *
 * A Call describes a call on its way.  call_dispatch looks the method up and call_entry starts it: Ruby code gets a
 * frame and runs in the loop that is already running (or in a new vm_exec when C called, FRAME_FINISH); built-ins run
 * at once.  The few built-ins that only redirect a call (new, send, Proc#call, instance_exec ...) are rows of
 * special.def and leave no C frame behind.
 *
 *   K1  argv lies on the VM stack or in the running frame's window.  While nothing but C holds arguments at the top
 *       of the stack, the running frame's `top` covers them; who raised it lowers it again.
 *   K2  A callee's window may begin at argv only when that lies on the VM stack, not in an Env (call_settle).
 */
#include "vm/interp/trace.h"

Value *call_push_args(int argc, const Value *argv, int room)
{
    Frame *f = vm.fp;
    Value *to = f->top;
    if (unlikely(to + argc + room + 2 >= vm.stack_end - STACK_RESERVE) &&
        (!vm.overflow || to + argc + room + 2 >= vm.stack_end - 256))
        vm_stack_overflow();
    for (int i = 0; i < room; i++)
        to[i] = V_NIL;
    if (argc)
        memmove(to + room, argv, (size_t)argc * sizeof(Value));
    to[room + argc] = V_NIL;
    f->top = to + room + argc + 1;
    return to + room;
}

static bool on_vm_stack(const Value *p)
{
    return p >= vm.stack && p < vm.stack_end;
}

static int kw_count(const Call *c)
{
    return is_array(c->kw) ? (int)ary_len(c->kw) : 0;
}

void call_settle(Call *c)
{
    if (!on_vm_stack(c->argv))
        c->argv = call_push_args(c->argc + kw_count(c), c->argv, 0);
}

void call_kw_to_hash(Call *c)
{
    if (!is_array(c->kw))
        return;
    Value names = c->kw, h = hash_new();
    size_t n = ary_len(names);
    for (size_t i = 0; i < n; i++)
        hash_set(h, ary_get(names, (long)i), c->argv[c->argc + (int)i]);
    c->kw = n ? h : V_NIL;
    c->flags |= CALL_KWMUTABLE;
}

void call_splat(Call *c, Value list)
{
    size_t n = ary_len(list);
    Frame *f = vm.fp;
    if (f->top + n + 2 >= vm.stack_end - STACK_RESERVE)
        vm_stack_overflow();
    Value *to = f->top;
    for (size_t i = 0; i < n; i++)
        to[i] = V_NIL;
    f->top = to + n + 1;
    to[n] = V_NIL;
    for (size_t i = 0; i < n; i++)
        to[i] = ary_get(list, (long)i);
    c->argv = to;
    c->argc = (int)n;
    if (c->kw == V_NIL && n && is_hash(to[n - 1]) && (obj_head(to[n - 1]) & HASH_KEYWORDS)) {
        c->argc--;
        c->kw = hash_len(to[n - 1]) ? to[n - 1] : V_NIL;
    }
}

MethodEntry *call_lookup(Value recv, uint32_t name)
{
    if (is_heap(recv) && unlikely(obj_head(recv) & OF_HOLLOW))
        obj_attend(recv); /* others may have given it another class, or a singleton class */
    if (unlikely(refinements_used))
        return method_find_refined(class_of(recv), symbol_value(name), vm.fp->cref);
    return method_find(class_of(recv), symbol_value(name));
}

bool call_visible(const Call *c, const MethodEntry *me, int *why)
{
    *why = MISSING_NONE;
    if (likely(me->visibility == VIS_PUBLIC) || (c->flags & CALL_SELF))
        return true;
    if (me->visibility == VIS_PRIVATE) {
        *why = MISSING_PRIVATE;
        return false;
    }
    Value owner = slot_read((Value)me, (Slot *)&me->owner);
    if (is_type(owner, T_ICLASS))
        owner = class_owner_at(owner);
    if (obj_is_kind_of(frame_ruby(vm.fp)->self, owner))
        return true;
    *why = MISSING_PROTECTED;
    return false;
}

bool call_dispatch(Call *c, Value *result)
{
    MethodEntry *me = call_lookup(c->recv, c->name);
    int why = MISSING_NONE;
    if (likely(me && call_visible(c, me, &why)))
        return call_entry(c, me, result);
    return call_method_missing(c, why, result);
}

/* What NoMethodError says of a receiver: "an instance of Foo", "nil", "class Foo", ... */
static Value receiver_description(Value v)
{
    if (v == vm.main_object)
        return str_new_c("main:Object");
    if (v == V_NIL)
        return str_new_c("nil");
    if (v == V_TRUE)
        return str_new_c("true");
    if (v == V_FALSE)
        return str_new_c("false");
    if (is_class(v))
        return str_format("class %C", v);
    if (is_type(v, T_MODULE))
        return str_format("module %C", v);
    if (is_heap(v) && class_is_singleton(class_of(v))) /* it may differ from its class's other instances */
        return obj_any_to_s(v);
    return str_format("an instance of %C", class_real(v));
}

/* The NoMethodError or NameError of a call that found nothing. */
static _Noreturn void raise_missing(Value recv, Value name, int why, int argc, const Value *argv)
{
    Value what = receiver_description(recv), exc;
    if (why != MISSING_VCALL && recv == vm.main_object)
        what = str_new_c("main:Object");
    switch (why) {
    case MISSING_PRIVATE:
        exc = exception_new(klass.NoMethodError, "private method '%T' called for %T", name, what);
        break;
    case MISSING_PROTECTED:
        exc = exception_new(klass.NoMethodError, "protected method '%T' called for %T", name, what);
        break;
    case MISSING_SUPER:
        exc = exception_new(klass.NoMethodError, "super: no superclass method '%T' for %T", name, what);
        break;
    case MISSING_VCALL:
        if (recv == vm.main_object)
            what = str_new_c("main");
        exc = exception_new(klass.NameError, "undefined local variable or method '%T' for %T", name, what);
        break;
    default:
        exc = exception_new(klass.NoMethodError, "undefined method '%T' for %T", name, what);
        break;
    }
    ivar_set(exc, SYM(name), name);
    ivar_set(exc, SYM(receiver), recv);
    if (why != MISSING_VCALL)
        ivar_set(exc, sym_intern("args"), ary_new_from((size_t)argc, argv));
    vm_raise(exc);
}

static int missing_reason; /* why the method_missing now being called was called, for the default one */

/* BasicObject#method_missing */
Value call_default_method_missing(Value self, int argc, const Value *argv)
{
    int why = missing_reason;
    missing_reason = MISSING_NONE;
    if (argc == 0 || !is_symbol(argv[0]))
        raise_error(klass.ArgumentError, "no method name given");
    /* The frame of method_missing itself does not show. */
    if (vm.fp->code == NULL)
        frame_pop();
    raise_missing(self, argv[0], why, argc - 1, argv + 1);
}

bool call_method_missing(Call *c, int why, Value *result)
{
    if (why == MISSING_NONE && (c->flags & CALL_VCALL))
        why = MISSING_VCALL;
    Value name = symbol_value(c->name);
    MethodEntry *mm = method_find(class_of(c->recv), SYM(method_missing));
    if (!mm || mm->fn == call_default_method_missing || c->name == SYMID_method_missing) {
        call_kw_to_hash(c);
        raise_missing(c->recv, name, why, c->argc, c->argv);
    }
    c->argv = call_push_args(c->argc + kw_count(c), c->argv, 1) - 1;
    c->argv[0] = name;
    c->argc++;
    c->name = SYMID_method_missing;
    missing_reason = why;
    return call_entry(c, mm, result);
}

/* ---- built-ins ---- */
static void push_builtin_frame(const Call *c, MethodEntry *me, uint32_t flags)
{
    Value *top = vm.fp->top;
    if (c->argv + c->argc >= top && on_vm_stack(c->argv))
        top = c->argv + c->argc + 1;
    frame_push_builtin(me, c->recv, c->argc, c->argv, top, c->block, flags);
}

Value call_builtin(Call *c, MethodEntry *me)
{
    uint32_t flags = 0;
    int given = c->argc;
    if (unlikely(c->kw != V_NIL)) {
        call_kw_to_hash(c);
        if (c->kw != V_NIL && hash_len(c->kw)) {
            if (!(c->flags & CALL_KWMUTABLE) || !on_vm_stack(c->argv))
                c->argv = call_push_args(c->argc, c->argv, 0);
            c->argv[c->argc++] = c->flags & CALL_KWMUTABLE ? c->kw : hash_dup(c->kw);
            flags = FRAME_KEYWORDS;
            if (!(me->flags & BI_KW))
                given++;
        }
    }
    if (unlikely(given < me->min || (me->max >= 0 && given > me->max))) {
        push_builtin_frame(c, me, 0);
        raise_arity(given, me->min, me->max);
    }
    if (me->flags & BI_LEAF)
        return me->fn(c->recv, c->argc, c->argv);
    push_builtin_frame(c, me, flags);
    Value v = me->fn(c->recv, c->argc, c->argv);
    vm.fp--;
    return v;
}

/* ---- entering ---- */
MethodEntry *method_resolve(MethodEntry *me)
{
    while (me && me->kind == ME_ALIAS)
        me = (MethodEntry *)slot_read((Value)me, &me->body);
    return me;
}

static bool special_call(Call *c, MethodEntry *me, Value *result);

static void enter_code(Call *c, MethodEntry *me)
{
    Code *code = (Code *)slot_read((Value)me, &me->body);
    call_settle(c);
    Frame *f = vm.fp + 1;
    int n = c->argc + kw_count(c);
    Value *top = c->argv + (n > code->nregs ? n : code->nregs);
    frame_check_room(f, top);
    f->pc = code->words;
    f->base = f->stack = c->argv;
    f->top = top;
    f->self = c->recv;
    f->code = code;
    f->me = me;
    f->block = c->block;
    f->passed = 0;
    f->outer = 0;
    f->cref = slot_read((Value)me, &me->cref);
    f->env = V_NIL;
    f->block_code = NULL;
    f->flags = (uint16_t)(FRAME_METHOD | c->frame_flags);
    f->skip = c->skip;
    f->ret = c->ret;
    f->argc = (uint16_t)c->argc;
    f->specials = V_NIL;
    f->serial = ++vm.serial;
    vm.fp = f;
    args_bind(f, code, c->argc, c->kw, c->flags & CALL_KWMUTABLE, true);
    vm_check_interrupts();
}

static void attr_arity(Call *c, MethodEntry *me, int want)
{
    call_kw_to_hash(c);
    int given = c->argc + (c->kw != V_NIL);
    if (given != want) {
        push_builtin_frame(c, me, 0);
        raise_arity(given, want, want);
    }
}

bool call_entry(Call *c, MethodEntry *me, Value *result)
{
    switch ((MethodKind)me->kind) {
    case ME_CODE:
        enter_code(c, me);
        return true;
    case ME_BUILTIN:
        if (me->flags & BI_SPECIAL)
            return special_call(c, me, result);
        *result = unlikely(trace_on) ? trace_builtin(c, me) : call_builtin(c, me);
        return false;
    case ME_ATTR_READER:
        attr_arity(c, me, 0);
        *result = ivar_get(c->recv, slot_read((Value)me, &me->body));
        if (*result == V_UNDEF)
            *result = V_NIL;
        return false;
    case ME_ATTR_WRITER:
        attr_arity(c, me, 1);
        ivar_set(c->recv, slot_read((Value)me, &me->body), c->argv[0]);
        *result = c->argv[0];
        return false;
    case ME_PROC: {
        BlockEnv over = {.self = c->recv, .cref = V_UNDEF, .me = me, .frame_flags = FRAME_BMETHOD,
                         .block = c->block, .lambda = true};
        return block_invoke(slot_read((Value)me, &me->body), c, &over, result);
    }
    case ME_ALIAS:
        return call_entry(c, method_resolve(me), result);
    case ME_ZSUPER:
    case ME_REFINED: {
        MethodEntry *up = method_find_super_of(class_of(c->recv), me, symbol_value(c->name));
        if (up)
            return call_entry(c, up, result);
        return call_method_missing(c, MISSING_NONE, result);
    }
    default:
        return call_method_missing(c, MISSING_NONE, result);
    }
}

/* super: `home` is the frame of the method (or of the define_method block). */
bool call_super_from(Call *c, Frame *home, Value *result)
{
    MethodEntry *me = home->me;
    if (!me)
        raise_error(klass.RuntimeError, "super called outside of method");
    c->name = me->original_name ? me->original_name : me->name;
    c->flags |= CALL_SELF;
    c->is_super = true;
    MethodEntry *up = method_find_super_of(class_of(c->recv), me, symbol_value(c->name));
    if (up)
        return call_entry(c, up, result);
    return call_method_missing(c, MISSING_SUPER, result);
}

/* ---- special built-ins ---- */
#define SPECIAL(fn) \
    Value fn(Value self, int argc, const Value *argv);
#include "vm/interp/special.def"
#undef SPECIAL
#define SPECIAL(fn) static bool enter_##fn(Call *c, MethodEntry *me, Value *result);
#include "vm/interp/special.def"
#undef SPECIAL

static bool special_call(Call *c, MethodEntry *me, Value *result)
{
#define SPECIAL(name) \
    if (me->fn == name) \
        return enter_##name(c, me, result);
#include "vm/interp/special.def"
#undef SPECIAL
    *result = call_builtin(c, me);
    return false;
}

/* As functions they are only reached when C calls me->fn by hand. */
#define SPECIAL(fn) \
    Value fn(Value self, int argc, const Value *argv) \
    { \
        MethodEntry *me = vm.fp->me; \
        Call c = {.recv = self, .argc = argc, .kw = V_NIL, .block = vm.fp->block, .frame_flags = FRAME_FINISH}; \
        c.argv = call_push_args(argc, argv, 0); \
        Value v = V_NIL; \
        return call_finish(enter_##fn(&c, me, &v), v); \
    }
#include "vm/interp/special.def"
#include "vm/object/names.h"
#undef SPECIAL

/* Class#new: allocate, then initialize in a frame whose result is dropped for self. */
static bool enter_special_new(Call *c, UNUSED MethodEntry *me, Value *result)
{
    Value obj = obj_alloc(c->recv);
    MethodEntry *init = method_find(class_of(obj), SYM(initialize));
    c->recv = obj;
    c->name = SYMID_initialize;
    c->flags |= CALL_SELF;
    init = method_resolve(init);
    if (likely(init && init->kind == ME_CODE)) {
        c->frame_flags |= FRAME_DISCARD;
        enter_code(c, init);
        return true;
    }
    uint32_t finish = c->frame_flags;
    c->frame_flags = FRAME_FINISH;
    Value ignored = V_NIL;
    bool pushed = init ? call_entry(c, init, &ignored) : call_method_missing(c, MISSING_NONE, &ignored);
    call_finish(pushed, ignored);
    c->frame_flags = finish;
    *result = obj;
    return false;
}

static bool enter_special_proc_call(Call *c, UNUSED MethodEntry *me, Value *result)
{
    BlockEnv over = {.self = V_UNDEF, .cref = V_UNDEF, .block = c->block};
    return block_invoke(c->recv, c, &over, result);
}

static bool enter_special_method_call(Call *c, UNUSED MethodEntry *me, Value *result)
{
    Value m = c->recv, entry = obj_field(m, METHODF_ENTRY);
    c->recv = obj_field(m, METHODF_RECEIVER);
    c->name = symbol_id(obj_field(m, METHODF_NAME));
    c->flags |= CALL_SELF;
    if (entry == V_NIL)
        return call_method_missing(c, MISSING_NONE, result);
    return call_entry(c, (MethodEntry *)entry, result);
}

static bool send_on(Call *c, MethodEntry *me, Value *result, bool any)
{
    if (c->argc == 0) {
        push_builtin_frame(c, me, 0);
        raise_error(klass.ArgumentError, "no method name given");
    }
    Value name = name_of(c->argv[0]);
    c->argv++;
    c->argc--;
    c->name = symbol_id(name);
    c->flags &= CALL_KWMUTABLE;
    if (any)
        c->flags |= CALL_SELF;
    return call_dispatch(c, result);
}
static bool enter_special_send(Call *c, MethodEntry *me, Value *result)
{
    return send_on(c, me, result, true);
}
static bool enter_special_public_send(Call *c, MethodEntry *me, Value *result)
{
    return send_on(c, me, result, false);
}

static bool exec_with(Call *c, MethodEntry *me, Value *result, Value self, Value module, Value singleton)
{
    if (!c->block) {
        push_builtin_frame(c, me, 0);
        raise_error(klass.LocalJumpError, "no block given (yield)");
    }
    Value outer = vm.top_cref;
    if (ref_is_frame(c->block))
        outer = ref_frame(c->block)->cref;
    else if (obj_field(c->block, PROC_CREF) != V_NIL)
        outer = obj_field(c->block, PROC_CREF);
    BlockRef block = c->block;
    BlockEnv over = {.self = self, .cref = cref_new(module, outer, VIS_PUBLIC, singleton)};
    c->block = 0;
    return block_invoke(block, c, &over, result);
}
static bool enter_special_instance_exec(Call *c, MethodEntry *me, Value *result)
{
    return exec_with(c, me, result, c->recv, c->recv, V_TRUE);
}
static bool enter_special_class_exec(Call *c, MethodEntry *me, Value *result)
{
    return exec_with(c, me, result, c->recv, c->recv, V_NIL);
}

/* ---- the interface for C (call.h) ---- */
static Value call_from_c(Value recv, Value name, int argc, const Value *argv, Value kw, BlockRef block, unsigned flags)
{
    vm_check_stack();
    Frame *f = vm.fp;
    Value *top = f->top, result = V_NIL;
    Call c = {.recv = recv, .argc = argc, .name = symbol_id(name), .kw = kw, .block = block,
              .flags = (uint16_t)flags, .frame_flags = FRAME_FINISH};
    c.argv = call_push_args(argc, argv, 0);
    bool pushed = call_dispatch(&c, &result);
    f->top = top;
    return call_finish(pushed, result);
}

Value vm_call(Value recv, Value name, int argc, const Value *argv)
{
    return call_from_c(recv, name, argc, argv, V_NIL, 0, CALL_SELF);
}

Value vm_call_kw(Value recv, Value name, int argc, const Value *argv)
{
    Value kw = argv[argc - 1];
    return call_from_c(recv, name, argc - 1, argv, hash_len(kw) ? kw : V_NIL, 0, CALL_SELF);
}

Value vm_call_with_block(Value recv, Value name, int argc, const Value *argv, Value block)
{
    return call_from_c(recv, name, argc, argv, V_NIL, block == V_NIL ? 0 : block, CALL_SELF);
}

Value vm_call_public(Value recv, Value name, int argc, const Value *argv, Value block)
{
    return call_from_c(recv, name, argc, argv, V_NIL, block == V_NIL ? 0 : block, 0);
}

Value vm_call_method(Value recv, MethodEntry *me, int argc, const Value *argv, Value block)
{
    Frame *f = vm.fp;
    Value *top = f->top, result = V_NIL;
    Call c = {.recv = recv, .argc = argc, .name = me->name, .kw = V_NIL, .block = block == V_NIL ? 0 : block,
              .flags = CALL_SELF, .frame_flags = FRAME_FINISH};
    c.argv = call_push_args(argc, argv, 0);
    bool pushed = call_entry(&c, me, &result);
    f->top = top;
    return call_finish(pushed, result);
}

Value vm_call_super(int argc, const Value *argv)
{
    Frame *f = vm.fp;
    Value *top = f->top, result = V_NIL;
    Call c = {.recv = f->self, .argc = argc, .kw = V_NIL, .block = f->block, .frame_flags = FRAME_FINISH};
    if ((f->flags & FRAME_KEYWORDS) && argc && is_hash(argv[argc - 1])) {
        c.kw = argv[argc - 1];
        c.argc--;
    }
    c.argv = call_push_args(c.argc, argv, 0);
    bool pushed = call_super_from(&c, f, &result);
    f->top = top;
    return call_finish(pushed, result);
}

bool vm_responds_to(Value recv, Value name, bool include_private)
{
    MethodEntry *me = method_find(class_of(recv), name);
    if (me && me->kind != ME_MISSING && (include_private || me->visibility == VIS_PUBLIC)) {
        MethodEntry *rt = method_find(class_of(recv), SYM(respond_to_p));
        if (!rt || rt->kind == ME_BUILTIN)
            return true;
    }
    MethodEntry *rt = method_find(class_of(recv), SYM(respond_to_p));
    if (rt && rt->kind != ME_BUILTIN)
        return truthy(vm_call_method(recv, rt, method_arity(rt) == 1 ? 1 : 2,
                                     (Value[]){name, bool_value(include_private)}, V_NIL));
    MethodEntry *rm = method_find(class_of(recv), SYM(respond_to_missing_p));
    if (!rm || rm->kind == ME_BUILTIN)
        return false;
    return truthy(vm_call_method(recv, rm, 2, (Value[]){name, bool_value(include_private)}, V_NIL));
}

Value vm_call_if_responds(Value recv, Value name, int argc, const Value *argv)
{
    MethodEntry *me = method_find(class_of(recv), name);
    if (me && me->kind != ME_MISSING && me->visibility == VIS_PUBLIC) {
        MethodEntry *rt = method_find(class_of(recv), SYM(respond_to_p));
        if (!rt || rt->kind == ME_BUILTIN)
            return vm_call_method(recv, me, argc, argv, V_NIL);
    }
    if (!vm_responds_to(recv, name, true))
        return V_UNDEF;
    return vm_call(recv, name, argc, argv);
}

bool call_keywords(void)
{
    return vm.fp->flags & FRAME_KEYWORDS;
}

Value call_take_keywords(int *argc, const Value *argv)
{
    if (*argc == 0 || !(vm.fp->flags & FRAME_KEYWORDS) || !is_hash(argv[*argc - 1]))
        return V_NIL;
    return argv[--*argc];
}

Value keyword_get(Value hash, const char *name)
{
    return hash == V_NIL ? V_UNDEF : hash_get(hash, sym_intern(name));
}

struct only {
    const char *const *names;
    Value bad;
};
static bool only_known(Value key, UNUSED Value v, void *arg)
{
    struct only *o = arg;
    for (const char *const *n = o->names; *n; n++)
        if (is_symbol(key) && strcmp(sym_text(key), *n) == 0)
            return true;
    ary_push(o->bad, key);
    return true;
}

void raise_unknown_keywords(Value bad)
{
    Value text = str_new_c(ary_len(bad) == 1 ? "unknown keyword: " : "unknown keywords: ");
    for (size_t i = 0; i < ary_len(bad); i++) {
        if (i)
            str_append_c(text, ", ");
        str_append_str(text, obj_inspect(ary_get(bad, (long)i)));
    }
    raise_error(klass.ArgumentError, "%T", text);
}

void keywords_only(Value hash, const char *const *names)
{
    if (hash == V_NIL)
        return;
    struct only o = {names, ary_new(0)};
    hash_each(hash, only_known, &o);
    if (ary_len(o.bad))
        raise_unknown_keywords(o.bad);
}

Value enumerator_for(Value self, Value method, int argc, const Value *argv)
{
    Frame *f = vm.fp;
    Value *top = f->top;
    Value *args = call_push_args(argc, argv, 1) - 1;
    args[0] = method;
    Value v = (f->flags & FRAME_KEYWORDS) && argc && is_hash(argv[argc - 1])
                  ? vm_call_kw(self, SYM(to_enum), argc + 1, args)
                  : vm_call(self, SYM(to_enum), argc + 1, args);
    f->top = top;
    return v;
}
