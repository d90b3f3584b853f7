/*
 * insn_call.h: calls, super, yield, returns (bodies for exec.c).
 *
 * A CALL's cache holds the method entry and, in `extra`, how to run it:
 *   CACHE_PLAIN_CODE    Ruby code of required parameters only, and argc of them are given: the frame is pushed here
 *   CACHE_CHOICES_CODE  with optional and keyword parameters; extra2 is the plan of the keywords (keyword_plan)
 *   CACHE_BUILTIN       built-in that takes argc arguments
 *   CACHE_LEAF          likewise, without a frame
 *   CACHE_READER        attribute, extra2 is its slot, which the guard word implies; -1: there is none, it is nil
 *   CACHE_WRITER        likewise, of an existing slot
 *   CACHE_PROC_CALL     Proc#call and its names
 *   CACHE_METHOD        anything else: call_entry
 * (extra >> 8) is the number of argument registers it was checked for.  Private and protected methods are cached for
 * receiverless calls only, method_missing never.
 */

/* How the values behind the positional arguments become keyword parameters: four bits a parameter, 1 + the number of
 * its value or 0 when it was not passed; the top four bits count the values.  NO_PLAN: args_bind must see to it. */
#define NO_PLAN UINT64_MAX
enum { PLAN_MOST = 14, PLAN_COUNT_AT = 60 };
static uint64_t keyword_plan(const Code *code, Value names)
{
    const CodeParams *p = &code->params;
    size_t n = names == V_NIL ? 0 : ary_len(names), used = 0;
    uint64_t plan = (uint64_t)n << PLAN_COUNT_AT;
    if (p->keywords > PLAN_MOST || n > p->keywords)
        return NO_PLAN;
    for (unsigned i = 0; i < p->keywords; i++) {
        Value name = symbol_value(code->locals[p->required + p->optional + i]);
        for (size_t k = 0; k < n; k++) {
            if (ary_get(names, (long)k) == name) {
                plan |= (uint64_t)(k + 1) << 4 * i;
                used++;
                break;
            }
        }
        if (i < p->keywords_required && !(plan >> 4 * i & 15))
            return NO_PLAN;
    }
    return used == n ? plan : NO_PLAN;
}

/* What a call site with these arguments may do from now on with the method it found. */
static void cache_classify(InlineCache *cache, MethodEntry *me, const Call *c)
{
    uint64_t kind = CACHE_METHOD, argc = (uint64_t)c->argc;
    if (me->kind == ME_CODE) {
        Code *code = (Code *)slot_read((Value)me, &me->body);
        slot_read((Value)me, &me->cref);
        if (code->entry == ENTRY_PLAIN && code->params.required == c->argc && c->kw == V_NIL)
            kind = CACHE_PLAIN_CODE;
        if (code->entry == ENTRY_CHOICES && c->argc >= code->params.required &&
            c->argc <= code->params.required + code->params.optional && (c->kw == V_NIL || is_array(c->kw))) {
            cache->extra2 = keyword_plan(code, c->kw);
            if (cache->extra2 != NO_PLAN) {
                kind = CACHE_CHOICES_CODE;
                argc += cache->extra2 >> PLAN_COUNT_AT;
            }
        }
    } else if (c->kw != V_NIL) {
        kind = CACHE_METHOD;
    } else if (me->kind == ME_BUILTIN && me->fn == special_proc_call) {
        kind = CACHE_PROC_CALL;
    } else if (me->kind == ME_BUILTIN && !(me->flags & BI_SPECIAL) && !trace_on && c->argc >= me->min &&
               (me->max < 0 || c->argc <= me->max)) {
        kind = me->flags & BI_LEAF ? CACHE_LEAF : CACHE_BUILTIN;
    } else if ((me->kind == ME_ATTR_READER || me->kind == ME_ATTR_WRITER) && is_heap(c->recv) &&
               type_has_slots(obj_type(c->recv)) && c->argc == (me->kind == ME_ATTR_WRITER)) {
        Value name = slot_read((Value)me, &me->body);
        int slot = shape_find(obj_shape(c->recv), symbol_id(name));
        cache->extra2 = (uint64_t)(int64_t)slot;
        if (me->kind == ME_ATTR_WRITER && slot >= 0)
            kind = CACHE_WRITER;
        if (me->kind == ME_ATTR_READER && (slot >= 0 || !ivar_is_transient(c->recv, name)))
            kind = CACHE_READER;
    }
    cache->extra = kind | argc << 8;
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
    InlineCache found = {.guard = guard, .serial = method_serial, .entry = (uint64_t)me};
    cache_classify(&found, me, c); /* may fault objects in, and raise: then the cache is as it was */
    *cache = found;
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

/* Was the block that runs given exactly one argument for |*packed|? */
static inline bool packed_is_one(const Frame *f)
{
    return f->argc == f->code->params.required + 1;
}

/* The arguments of CALL_PACKED, whose last one is an Array, or nil for none. */
static void unpack_arguments(Call *c)
{
    Value last = c->argv[c->argc - 1], list = ary_new_from((size_t)c->argc - 1, c->argv);
    if (last != V_NIL)
        ary_concat(list, last);
    call_splat(c, list);
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
            b = is_symbol(b) ? proc_from_symbol_at(b, f->cref) : value_to_proc(b);
        c->block = b == V_NIL ? 0 : b;
    }
    c->argv = f->base + a + 1;
    c->argc = (int)argc;
    if ((flags & CALL_PACKED) && !packed_is_one(f)) {
        unpack_arguments(c);
        return;
    }
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
    Call c = {.recv = f->base[a], .name = name, .kw = V_NIL, .ret = (uint16_t)a, .skip = insn_length[OPCODE(pc)],
              .argc = (int)argc, .argv = f->base + a + 1, .flags = (uint16_t)(flags & (CALL_SELF | CALL_VCALL))};
    if (flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG | CALL_PACKED) || names != V_NIL)
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

/* A frame for code whose arguments lie in place at argv; what it is called with decides the rest. */
static inline __attribute__((always_inline)) Frame *push_code(Frame *f, Code *code, Value self, Value *argv, unsigned argc,
                                                              unsigned ret, unsigned skip, BlockRef block, uint32_t flags)
{
    Frame *g = f + 1;
    Value *top = argv + code->nregs;
    frame_check_room(g, top);
    g->pc = code->words;
    g->base = g->stack = argv;
    g->top = top;
    g->self = self;
    g->code = code;
    g->block = block;
    g->passed = 0;
    g->env = V_NIL;
    g->block_code = NULL;
    g->flags = (uint16_t)flags;
    g->skip = (uint16_t)skip;
    g->ret = (uint16_t)ret;
    g->argc = (uint16_t)argc;
    g->specials = V_NIL;
    g->serial = ++vm.serial;
    return g;
}
static inline __attribute__((always_inline)) Frame *push_method(Frame *f, MethodEntry *me, Value recv, Value *argv,
                                                                unsigned argc, unsigned ret, unsigned skip, BlockRef block)
{
    Frame *g = push_code(f, (Code *)me->body.raw, recv, argv, argc, ret, skip, block, FRAME_METHOD);
    g->me = me;
    g->outer = 0;
    g->cref = me->cref.raw;
    return g;
}

/* Where the callee's window begins: at the arguments, or at their copy when the caller's window is an Env (K2). */
static inline Value *window_at(const Frame *f, Value *argv, unsigned argc)
{
    if (likely(f->env == V_NIL))
        return argv;
    for (unsigned i = 0; i < argc; i++)
        f->top[i] = argv[i];
    return f->top;
}

/* Optional and keyword parameters by plan.  The frame is complete and running on return. */
static __attribute__((noinline)) void enter_choices(Frame *f, MethodEntry *me, Value recv, Value *argv, unsigned argc,
                                                    unsigned ret, unsigned skip, BlockRef block, uint64_t plan)
{
    Code *code = (Code *)me->body.raw;
    unsigned values = (unsigned)(plan >> PLAN_COUNT_AT), n = code->params.keywords;
    unsigned given = argc - values, first = code->params.required + code->params.optional;
    Frame *g = push_method(f, me, recv, argv, given, ret, skip, block);
    Value list[PLAN_MOST];
    memcpy(list, argv + given, values * sizeof(Value));
    args_fill_locals(argv, given, code->nlocals);
    for (unsigned i = 0; i < n; i++) {
        unsigned from = plan >> 4 * i & 15;
        argv[first + i] = from ? list[from - 1] : V_UNDEF;
    }
    if (code->params.optional)
        g->pc += code->opt_pc[given - code->params.required];
    vm.fp = g;
}

/* Proc#call of plain code: its frame.  false: call_entry must see to it. */
static __attribute__((noinline)) bool enter_proc(Frame *f, Value proc, Value *argv, unsigned argc, unsigned ret,
                                                 unsigned skip, bool given_block)
{
    Slot *fields = obj_slots(proc); /* the guard word has said that it is no hollow one */
    for (unsigned i = 0; i < PROC_FIELDS; i++)
        if (slot_unresolved(fields[i]))
            return false;
    int64_t kind = fix_int(fields[PROC_FLAGS].raw);
    if ((kind & ~(int64_t)PROCF_LAMBDA) || given_block)
        return false;
    Code *code = (Code *)fields[PROC_CODE].raw;
    bool lambda = kind & PROCF_LAMBDA;
    unsigned required = code->params.required;
    if (!(code->entry == ENTRY_PLAIN && (argc == required || !lambda)) &&
        !(code->entry == ENTRY_SPREADS && argc == required && argc > 1) &&
        !(code->entry == ENTRY_PACKED && argc == required + 1))
        return false;
    Value env = fields[PROC_ENV].raw, me = fields[PROC_ME].raw;
    BlockRef home_block = 0;
    if (env != V_NIL) {
        if (obj_head(env) & OH_ATTENTION || slot_unresolved(env_ptr(env)->block))
            return false;
        home_block = env_ptr(env)->block.raw == V_NIL ? 0 : env_ptr(env)->block.raw;
    }
    Frame *g = push_code(f, code, fields[PROC_SELF].raw, argv, argc, ret, skip, home_block,
                         FRAME_BLOCK | (lambda ? FRAME_LAMBDA : 0));
    g->me = me == V_NIL ? NULL : (MethodEntry *)me;
    g->outer = env == V_NIL ? 0 : env;
    g->cref = fields[PROC_CREF].raw;
    required += code->entry == ENTRY_PACKED;
    args_fill_locals(argv, argc < required ? argc : required, code->nlocals);
    vm.fp = g;
    return true;
}

static inline __attribute__((always_inline)) const uint32_t *call_fast(Value **bp, const uint32_t *pc, unsigned len,
                                                                       unsigned a, unsigned argc, unsigned flags,
                                                                       uint32_t name, InlineCache *cache, Code *block,
                                                                       Value names)
{
    Frame *f = vm.fp;
    Value recv = R(a);
    uint32_t guard = value_guard(recv);
    cache = cache_for(cache, guard, method_serial);
    if (likely(cache->guard == guard && cache->serial == method_serial &&
               (!(flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG | CALL_PACKED)) ||
                (flags == CALL_PACKED && packed_is_one(f))) &&
               cache->extra >> 8 == argc)) {
        MethodEntry *me = (MethodEntry *)cache->entry;
        unsigned how = cache->extra & 0xff;
        f->pc = pc;
        BlockRef ref = 0;
        if (block) {
            f->block_code = block;
            ref = (uint64_t)f | 1;
        }
        if (how == CACHE_PLAIN_CODE) {
            Value *argv = window_at(f, &R(a + 1), argc);
            Code *code = (Code *)me->body.raw;
            vm.fp = push_method(f, me, recv, argv, argc, a, len, ref);
            args_fill_locals(argv, argc, code->nlocals);
            *bp = argv;
            vm_check_interrupts();
            return code->words;
        }
        if (how == CACHE_LEAF) {
            Value v = me->fn(recv, (int)argc, &R(a + 1));
            R(a) = v;
            return pc + len;
        }
        if (how == CACHE_BUILTIN) {
            frame_push_builtin(me, recv, (int)argc, &R(a + 1), f->top, ref, 0);
            Value v = me->fn(recv, (int)argc, &R(a + 1));
            vm.fp--;
            RELOAD();
            R(a) = v;
            return pc + len;
        }
        if (how == CACHE_READER) {
            int64_t slot = (int64_t)cache->extra2;
            Value v = slot < 0 ? V_NIL : slot_read(recv, &obj_slots(recv)[slot]);
            R(a) = v;
            return pc + len;
        }
        if (how == CACHE_WRITER && likely(!(obj_head(recv) & OH_GUARDS))) {
            Value v = R(a + 1);
            slot_write(recv, &obj_slots(recv)[cache->extra2], v);
            R(a) = v;
            return pc + len;
        }
        if (how == CACHE_PROC_CALL && enter_proc(f, recv, window_at(f, &R(a + 1), argc), argc, a, len, block != NULL)) {
            *bp = vm.fp->base;
            const uint32_t *start = vm.fp->pc;
            vm_check_interrupts();
            return start;
        }
        if (how == CACHE_CHOICES_CODE) {
            enter_choices(f, me, recv, window_at(f, &R(a + 1), argc), argc, a, len, ref, cache->extra2);
            *bp = vm.fp->base;
            const uint32_t *start = vm.fp->pc;
            vm_check_interrupts();
            return start;
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
    Call c = {.recv = f->self, .kw = V_NIL, .ret = (uint16_t)a, .skip = insn_length[OP_SUPER], .argc = (int)argc,
              .argv = f->base + a + 1, .flags = CALL_SELF};
    c.block = f->flags & FRAME_BMETHOD ? f->passed : f->block;
    if (flags & (CALL_SPLAT | CALL_KWHASH | CALL_BLOCKARG | CALL_PACKED) || names != V_NIL)
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
        (cache->extra & 0xff) != CACHE_NONE) {
        me = (MethodEntry *)cache->entry;
    } else {
        me = method_find_super_of(class_of(c.recv), from, symbol_value(c.name));
        uint32_t guard = value_guard(c.recv);
        if (me && !(is_heap(c.recv) && guard >> 31)) {
            cache->guard = guard;
            cache->serial = method_serial;
            cache->entry = (uint64_t)me;
            cache_classify(cache, me, &c);
            if ((cache->extra & 0xff) != CACHE_PLAIN_CODE)
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
    Frame *f = vm.fp;
    InlineCache *cache = cache_at(f->code, pc[2]);
    if (likely(cache->guard == value_guard(f->self) && cache->serial == method_serial && cache->extra2 == (uint64_t)f->me &&
               cache->extra == (CACHE_PLAIN_CODE | (uint64_t)ARG_B << 8) &&
               !(ARG_C & ~(unsigned)(CALL_SELF | CALL_ZSUPER)) && *(const Value *)(pc + 3) == V_NIL &&
               *(const Value *)(pc + 5) == V_NIL)) {
        MethodEntry *me = (MethodEntry *)cache->entry;
        Value *argv = window_at(f, &R(ARG_A + 1), ARG_B);
        f->pc = pc;
        vm.fp = push_method(f, me, f->self, argv, ARG_B, ARG_A, 7, f->flags & FRAME_BMETHOD ? f->passed : f->block);
        args_fill_locals(argv, ARG_B, vm.fp->code->nlocals);
        *bp = argv;
        vm_check_interrupts();
        return vm.fp->code->words;
    }
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
    Call c = {.recv = V_NIL, .kw = V_NIL, .ret = (uint16_t)a, .skip = insn_length[OP_YIELD], .argc = (int)argc,
              .argv = f->base + a + 1};
    if (flags & CALL_PAIR) {
        f->base[a + 1] = ary_new_from(2, f->base + a + 1);
        c.argc = 1;
    }
    if (flags & (CALL_SPLAT | CALL_KWHASH | CALL_PACKED) || names != V_NIL)
        call_unfold(&c, a, argc, flags & ~CALL_BLOCKARG, names);
    bool pushed = block_invoke(block, &c, NULL, &result);
    f->top = top;
    if (pushed)
        return vm.fp->pc;
    f->base[a] = result;
    return pc + 5;
}
/* Spreads the Array in argv[0] over n registers from argv on; false when a slot must be resolved first. */
static inline bool spread_array(Value *argv, unsigned n)
{
    Array *list = (Array *)argv[0];
    unsigned len = list->len < n ? list->len : n;
    for (unsigned i = 0; i < len; i++)
        if (slot_unresolved(list->ptr[i]))
            return false;
    for (unsigned i = 0; i < len; i++)
        argv[i] = list->ptr[i].raw;
    args_fill_locals(argv, len, n);
    return true;
}

BODY(YIELD)
{
    Frame *f = vm.fp;
    BlockRef block = f->block;
    unsigned argc = ARG_B, flags = ARG_C;
    bool plain_arguments = flags == 0 || flags == CALL_PAIR || (flags == CALL_PACKED && packed_is_one(f));
    if (likely(ref_is_frame(block) && plain_arguments && *(const Value *)(pc + 3) == V_NIL)) {
        Frame *d = ref_frame(block);
        Code *code = d->block_code;
        CodeEntry entry = (CodeEntry)code->entry;
        Value *argv = window_at(f, &R(ARG_A + 1), argc);
        unsigned wanted = code->params.required + (entry == ENTRY_PACKED);
        f->pc = pc;
        if (flags == CALL_PAIR && (entry == ENTRY_PLAIN || (entry == ENTRY_PACKED && wanted == 1))) {
            argv[0] = ary_new_from(2, &R(ARG_A + 1));
            argc = 1;
        }
        bool direct = entry == ENTRY_PLAIN || (entry == ENTRY_SPREADS && argc != 1) || (entry == ENTRY_PACKED && argc == wanted);
        unsigned set = argc < wanted ? argc : wanted;
        if (!direct && entry == ENTRY_SPREADS && plain(argv[0], vm.array_shape) &&
            likely(argv + wanted < vm.stack_end - STACK_RESERVE) && spread_array(argv, wanted)) {
            direct = true;
            set = wanted;
        }
        if (likely(direct)) {
            Frame *g = push_code(f, code, d->self, argv, argc, ARG_A, 5, d->block, FRAME_BLOCK);
            g->me = d->me;
            g->outer = block;
            g->cref = d->cref;
            args_fill_locals(argv, set, code->nlocals);
            vm.fp = g;
            *bp = argv;
            return code->words;
        }
    }
    if (is_heap(block) && flags == 0 && *(const Value *)(pc + 3) == V_NIL && !(obj_head(block) & OH_ATTENTION)) {
        f->pc = pc;
        if (enter_proc(f, block, window_at(f, &R(ARG_A + 1), argc), argc, ARG_A, 5, false)) {
            *bp = vm.fp->base;
            return vm.fp->pc;
        }
    }
    SLOW(yield_slow(pc));
}

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
    return up->pc + f->skip;
}
BODY(RETURN)
{
    SAVE();
    return return_value(bp, R(ARG_A));
}
/* A jump that turns out to end its own frame: by way of the ensure clauses around it. */
static const uint32_t *leave_frame(Value **bp, Value v)
{
    if (unlikely(vm.fp->code->ncatches && unwind_ensured(vm.fp)))
        vm_unwind(throw_new(UNWIND_RETURN, int_fix((int64_t)vm.fp->serial), v));
    return return_value(bp, v);
}
BODY(RETURN_FAR)
{
    SAVE();
    if (vm.fp->flags & FRAME_LAMBDA || !(vm.fp->outer || vm.fp->flags & FRAME_CLASS))
        return leave_frame(bp, R(ARG_A));
    unwind_return(vm.fp, R(ARG_A));
}
BODY(BREAK)
{
    SAVE();
    if (vm.fp->flags & FRAME_LAMBDA)
        return leave_frame(bp, R(ARG_A));
    unwind_break(vm.fp, R(ARG_A));
}
