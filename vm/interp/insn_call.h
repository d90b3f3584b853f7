/*
 * insn_call.h: calls, super, yield, returns (bodies for exec.c).
 *
 * A CALL's cache holds the method entry and, in `extra`, how to run it:
 *   CACHE_SIMPLE_CODE  Ruby code of required parameters only, and argc of them are given: the frame is pushed here
 *   CACHE_BUILTIN      built-in that takes argc arguments
 *   CACHE_METHOD       anything else: call_entry
 * (extra >> 8) is the argc it was checked for.  Private and protected methods are cached for receiverless calls only,
 * method_missing never.
 */

static inline bool code_is_simple(const Code *code)
{
    return !(code->flags & (CODE_REST | CODE_KWREST | CODE_ARG0_SPLATS)) && !code->params.optional &&
           !code->params.post && !code->params.keywords;
}

/* Looks up and fills the cache; NULL: method_missing. */
static __attribute__((noinline)) MethodEntry *call_fill(InlineCache *cache, Call *c, int *why)
{
    MethodEntry *me = call_lookup(c->recv, c->name);
    *why = MISSING_NONE;
    if (!me || !call_visible(c, me, why))
        return NULL;
    me = method_resolve(me);
    uint32_t guard = value_guard(c->recv);
    if ((me->visibility == VIS_PROTECTED && !(c->flags & CALL_SELF)) || (is_heap(c->recv) && guard >> 31))
        return me;
    cache->guard = guard;
    cache->serial = method_serial;
    cache->entry = (uint64_t)me;
    cache->extra = CACHE_METHOD;
    if (me->kind == ME_CODE) {
        Code *code = (Code *)slot_read((Value)me, &me->body);
        slot_read((Value)me, &me->cref);
        if (code_is_simple(code) && code->params.required == c->argc)
            cache->extra = CACHE_SIMPLE_CODE | (uint64_t)c->argc << 8;
    } else if (me->kind == ME_BUILTIN && !(me->flags & BI_SPECIAL) && c->argc >= me->min &&
               (me->max < 0 || c->argc <= me->max)) {
        cache->extra = CACHE_BUILTIN | (uint64_t)c->argc << 8;
    }
    return me;
}

/* The call is described, arguments lie where they are; starts it. */
static inline const uint32_t *call_go(const uint32_t *pc, Frame *f, Value *top, Call *c, MethodEntry *me, int why)
{
    Value result = V_NIL;
    bool pushed = me ? call_entry(c, me, &result) : call_method_missing(c, why, &result);
    f->top = top;
    if (pushed)
        return vm.fp->pc;
    f->base[c->ret] = result;
    return pc + insn_length[OPCODE(pc)];
}

/* Splat, keyword hash and block argument: brings them into *c.  May call Ruby. */
static __attribute__((noinline)) void call_unfold(Call *c, unsigned a, unsigned argc, unsigned flags, Value names)
{
    Frame *f = vm.fp;
    unsigned regs = argc;
    if (flags & CALL_SPLAT)
        regs = flags & CALL_KWHASH ? 2 : 1;
    if (flags & CALL_BLOCKARG) {
        Value b = f->base[a + 1 + regs];
        if (b != V_NIL && !is_proc(b))
            b = value_to_proc(b);
        c->block = b == V_NIL ? 0 : b;
    }
    c->argv = f->base + a + 1;
    c->argc = (int)argc;
    if (flags & CALL_KWHASH) {
        Value kw = f->base[a + regs];
        if (kw != V_NIL && !is_hash(kw))
            kw = hash_to_hash(kw);
        c->argv = f->base + a + 1;
        c->kw = kw == V_NIL || hash_len(kw) == 0 ? V_NIL : kw;
        c->argc = (int)regs - 1;
        c->flags |= flags & CALL_KWMUTABLE;
    } else if (names != V_NIL) {
        c->argc -= (int)ary_len(names);
        c->kw = names;
    }
    if (flags & CALL_SPLAT) {
        Value list = f->base[a + 1];
        if (!is_array(list))
            list = ary_splat(list);
        call_splat(c, list);
    }
}

static __attribute__((noinline)) const uint32_t *call_slow(const uint32_t *pc, unsigned a, unsigned argc, unsigned flags,
                                                           uint32_t name, InlineCache *cache,
                                                           Code *block, Value names)
{
    Frame *f = vm.fp;
    f->pc = pc;
    Value *top = f->top;
    Call c = {.recv = f->base[a], .name = name, .kw = V_NIL, .ret = (uint16_t)a, .argc = (int)argc,
              .argv = f->base + a + 1, .flags = (uint16_t)(flags & (CALL_SELF | CALL_VCALL))};
    if (flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG) || names != V_NIL)
        call_unfold(&c, a, argc, flags, names);
    if (block) {
        f->block_code = block;
        c.block = (uint64_t)f | 1;
    }
    int why = MISSING_NONE;
    MethodEntry *me;
    if (cache->serial == method_serial && cache->guard == value_guard(c.recv) && (cache->extra & 0xff) != CACHE_NONE)
        me = (MethodEntry *)cache->entry;
    else
        me = call_fill(cache, &c, &why);
    return call_go(pc, f, top, &c, me, why);
}

/* A frame for simple code whose arguments lie in place. */
static inline const uint32_t *enter_simple(Value **bp, Frame *f, MethodEntry *me, Value recv, Value *argv, unsigned argc,
                                           unsigned ret, BlockRef block)
{
    Code *code = (Code *)me->body.raw;
    Frame *g = f + 1;
    Value *top = argv + code->nregs;
    frame_check_room(g, top);
    g->pc = code->words;
    g->base = g->stack = argv;
    g->top = top;
    g->self = recv;
    g->code = code;
    g->me = me;
    g->block = block;
    g->passed = 0;
    g->outer = 0;
    g->cref = me->cref.raw;
    g->env = V_NIL;
    g->block_code = NULL;
    g->flags = FRAME_METHOD;
    g->ret = (uint16_t)ret;
    g->argc = (uint16_t)argc;
    g->specials = V_NIL;
    g->serial = ++vm.serial;
    args_fill_locals(argv, argc, code->nlocals);
    vm.fp = g;
    *bp = argv;
    vm_check_interrupts();
    return code->words;
}

static inline __attribute__((always_inline)) const uint32_t *call_fast(Value **bp, const uint32_t *pc, unsigned len,
                                                                       unsigned a, unsigned argc, unsigned flags,
                                                                       uint32_t name, InlineCache *cache, Code *block,
                                                                       Value names)
{
    Frame *f = vm.fp;
    Value recv = R(a);
    if (likely(cache->guard == value_guard(recv) && cache->serial == method_serial &&
               !(flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG)) && names == V_NIL && cache->extra >> 8 == argc)) {
        MethodEntry *me = (MethodEntry *)cache->entry;
        unsigned how = cache->extra & 0xff;
        if (how == CACHE_SIMPLE_CODE && likely(f->env == V_NIL)) {
            f->pc = pc;
            BlockRef ref = 0;
            if (block) {
                f->block_code = block;
                ref = (uint64_t)f | 1;
            }
            return enter_simple(bp, f, me, recv, &R(a + 1), argc, a, ref);
        }
        if (how == CACHE_BUILTIN) {
            f->pc = pc;
            Call c = {.recv = recv, .argc = (int)argc, .argv = &R(a + 1), .kw = V_NIL};
            if (block) {
                f->block_code = block;
                c.block = (uint64_t)f | 1;
            }
            Value v = call_builtin(&c, me);
            *bp = f->base;
            R(a) = v;
            return pc + len;
        }
    }
    SLOW(call_slow(pc, a, argc, flags, name, cache, block, names));
}

BODY(CALL)
{
    return call_fast(bp, pc, 4, ARG_A, ARG_B, ARG_C, pc[2], cache_at(vm.fp->code, pc[3]), NULL, V_NIL);
}
BODY(CALLX)
{
    SAVE();
    Code *code = vm.fp->code;
    Value block = operand_object(code, pc, 4), names = operand_object(code, pc, 6);
    return call_fast(bp, pc, 8, ARG_A, ARG_B, ARG_C, pc[2], cache_at(code, pc[3]), block == V_NIL ? NULL : (Code *)block,
                     names);
}

static __attribute__((noinline)) const uint32_t *super_slow(const uint32_t *pc)
{
    Frame *f = vm.fp;
    f->pc = pc;
    unsigned a = ARG_A, argc = ARG_B, flags = ARG_C;
    Value block = operand_object(f->code, pc, 3), names = operand_object(f->code, pc, 5);
    Value *top = f->top, result = V_NIL;
    f->base[a] = f->self;
    Call c = {.recv = f->self, .kw = V_NIL, .ret = (uint16_t)a, .argc = (int)argc, .argv = f->base + a + 1,
              .flags = CALL_SELF};
    c.block = f->flags & FRAME_BMETHOD ? f->passed : f->block;
    if (flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG) || names != V_NIL)
        call_unfold(&c, a, argc, flags, names);
    if (block != V_NIL) {
        f->block_code = (Code *)block;
        c.block = (uint64_t)f | 1;
    }
    /* `super` is looked up where the method was defined, for the object as it is. */
    InlineCache *cache = cache_at(f->code, pc[2]);
    MethodEntry *me = NULL, *from = f->me;
    if (!from)
        raise_error(klass.RuntimeError, "super called outside of method");
    c.name = from->original_name ? from->original_name : from->name;
    if (cache->serial == method_serial && cache->guard == value_guard(c.recv) && cache->extra2 == (uint64_t)from &&
        (cache->extra & 0xff) == CACHE_METHOD) {
        me = (MethodEntry *)cache->entry;
    } else {
        me = method_find_super_of(class_of(c.recv), from, symbol_value(c.name));
        uint32_t guard = value_guard(c.recv);
        if (me && !(is_heap(c.recv) && guard >> 31)) {
            cache->guard = guard;
            cache->serial = method_serial;
            cache->entry = (uint64_t)me;
            cache->extra = CACHE_METHOD;
            cache->extra2 = (uint64_t)from;
        }
    }
    bool pushed = me ? call_entry(&c, me, &result) : call_method_missing(&c, MISSING_SUPER, &result);
    f->top = top;
    if (pushed)
        return vm.fp->pc;
    f->base[a] = result;
    return pc + 7;
}
BODY(SUPER)
{
    SLOW(super_slow(pc));
}

static __attribute__((noinline)) const uint32_t *yield_slow(const uint32_t *pc)
{
    Frame *f = vm.fp;
    f->pc = pc;
    unsigned a = ARG_A, argc = ARG_B, flags = ARG_C;
    Value names = operand_object(f->code, pc, 3);
    Value *top = f->top, result = V_NIL;
    BlockRef block = f->block;
    if (!block) {
        Value exc = exception_new(klass.LocalJumpError, "no block given (yield)");
        ivar_set(exc, sym_intern("@reason"), sym_intern("noreason"));
        vm_raise(exc);
    }
    Call c = {.recv = V_NIL, .kw = V_NIL, .ret = (uint16_t)a, .argc = (int)argc, .argv = f->base + a + 1};
    if (flags & (CALL_SPLAT | CALL_KWHASH) || names != V_NIL)
        call_unfold(&c, a, argc, flags & ~CALL_BLOCKARG, names);
    bool pushed = block_invoke(block, &c, NULL, &result);
    f->top = top;
    if (pushed)
        return vm.fp->pc;
    f->base[a] = result;
    return pc + 5;
}
BODY(YIELD)
{
    Frame *f = vm.fp;
    BlockRef block = f->block;
    unsigned argc = ARG_B;
    if (likely(ref_is_frame(block) && ARG_C == 0 && f->env == V_NIL)) {
        Frame *d = ref_frame(block);
        Code *code = d->block_code;
        /* One argument for |a, b| may be an Array to spread; names of keywords are only there with words 3, 4. */
        if (likely(code_is_simple(code) && *(const Value *)(pc + 3) == V_NIL) ||
            (argc != 1 && *(const Value *)(pc + 3) == V_NIL && (code->flags & CODE_ARG0_SPLATS) && !code->params.optional &&
             !code->params.post && !code->params.keywords && !(code->flags & (CODE_REST | CODE_KWREST)))) {
            f->pc = pc;
            Value *argv = &R(ARG_A + 1);
            Frame *g = f + 1;
            Value *top = argv + code->nregs;
            frame_check_room(g, top);
            g->pc = code->words;
            g->base = g->stack = argv;
            g->top = top;
            g->self = d->self;
            g->code = code;
            g->me = d->me;
            g->block = d->block;
            g->passed = 0;
            g->outer = block;
            g->cref = d->cref;
            g->env = V_NIL;
            g->block_code = NULL;
            g->flags = FRAME_BLOCK;
            g->ret = (uint16_t)ARG_A;
            g->argc = (uint16_t)argc;
            g->specials = V_NIL;
            g->serial = ++vm.serial;
            args_fill_locals(argv, argc < code->params.required ? argc : code->params.required, code->nlocals);
            vm.fp = g;
            *bp = argv;
            return code->words;
        }
    }
    SLOW(yield_slow(pc));
}

#define PRIMITIVE(name) Value prim_##name(Frame *f, int argc, Value *argv);
#include "vm/primitives.def"
#undef PRIMITIVE
static Value (*const primitives[])(Frame *, int, Value *) = {
#define PRIMITIVE(name) prim_##name,
#include "vm/primitives.def"
#undef PRIMITIVE
};
BODY(PRIM)
{
    SAVE();
    Value v = primitives[ARG_B](vm.fp, (int)ARG_C, &R(ARG_A + 1));
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}

/* ---- returns ---- */
static inline const uint32_t *return_value(Value **bp, Value v)
{
    Frame *f = vm.fp;
    if (unlikely(f->env != V_NIL))
        env_deactivate(f);
    uint32_t flags = f->flags;
    vm.fp = f - 1;
    if (unlikely(flags & (FRAME_DISCARD | FRAME_FINISH))) {
        if (flags & FRAME_DISCARD)
            v = f->self;
        if (flags & FRAME_FINISH) {
            vm.result = v;
            return NULL;
        }
    }
    Frame *up = f - 1;
    *bp = up->base;
    R(f->ret) = v;
    const uint32_t *pc = up->pc;
    return pc + insn_length[OPCODE(pc)];
}
BODY(RETURN)
{
    SAVE();
    return return_value(bp, R(ARG_A));
}
BODY(RETURN_FAR)
{
    SAVE();
    if (vm.fp->flags & FRAME_LAMBDA || !(vm.fp->outer || vm.fp->flags & FRAME_CLASS))
        return return_value(bp, R(ARG_A));
    unwind_return(vm.fp, R(ARG_A));
}
BODY(BREAK)
{
    SAVE();
    if (vm.fp->flags & FRAME_LAMBDA)
        return return_value(bp, R(ARG_A));
    unwind_break(vm.fp, R(ARG_A));
}
