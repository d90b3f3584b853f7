/*
 * insn_data.h: instructions that move, load, store variables and build (bodies for exec.c).
 */
#define BODY(name) static inline __attribute__((always_inline)) const uint32_t *op_##name(UNUSED Value **bp, const uint32_t *pc)
#define R(n) ((*bp)[n])
#define SAVE() (vm.fp->pc = pc)
#define RELOAD() (*bp = vm.fp->base)
/* Goes on where an out-of-line function says.  None is given bp: an address that escapes would keep the window's base in
 * memory, and each instruction would wait for it. */
#define SLOW(call) \
    do { \
        const uint32_t *next_ = (call); \
        RELOAD(); \
        return next_; \
    } while (0)
#define JUMP_BY(at) (pc + (int32_t)pc[at])

BODY(NOP)
{
    return pc + 1;
}
BODY(MOVE)
{
    R(ARG_A) = R(ARG_B);
    return pc + 2;
}
BODY(LOADNIL)
{
    R(ARG_A) = V_NIL;
    return pc + 1;
}
BODY(LOADTRUE)
{
    R(ARG_A) = V_TRUE;
    return pc + 1;
}
BODY(LOADFALSE)
{
    R(ARG_A) = V_FALSE;
    return pc + 1;
}
BODY(LOADUNDEF)
{
    R(ARG_A) = V_UNDEF;
    return pc + 1;
}
BODY(LOADSELF)
{
    R(ARG_A) = vm.fp->self;
    return pc + 1;
}
BODY(LOADINT)
{
    R(ARG_A) = int_fix((int32_t)pc[1]);
    return pc + 2;
}
BODY(LOADSYM)
{
    R(ARG_A) = symbol_value(pc[1]);
    return pc + 2;
}
BODY(LOADOBJ)
{
    SAVE();
    R(ARG_A) = operand_object(vm.fp->code, pc, 1);
    return pc + 3;
}
BODY(LOADSTR)
{
    SAVE();
    Value copy = str_dup(operand_object(vm.fp->code, pc, 1));
    if (vm.fp->code->flags & CODE_CHILLED_LITERALS)
        obj_ptr(copy)->head |= STR_CHILLED;
    R(ARG_A) = copy;
    return pc + 3;
}
BODY(GETUP)
{
    Frame *f = vm.fp;
    if (likely(ARG_C == 1 && ref_is_frame(f->outer) && ref_frame(f->outer)->env == V_NIL)) {
        R(ARG_A) = ref_frame(f->outer)->base[ARG_B];
        return pc + 2;
    }
    SAVE();
    Value env, *place = outer_local(vm.fp, ARG_C, ARG_B, &env);
    R(ARG_A) = env == V_NIL ? *place : slot_read(env, (Slot *)place);
    return pc + 2;
}
BODY(SETUP)
{
    Frame *f = vm.fp;
    if (likely(ARG_C == 1 && ref_is_frame(f->outer) && ref_frame(f->outer)->env == V_NIL)) {
        ref_frame(f->outer)->base[ARG_B] = R(ARG_A);
        return pc + 2;
    }
    SAVE();
    Value env, *place = outer_local(vm.fp, ARG_C, ARG_B, &env);
    if (env != V_NIL && unlikely(obj_head(env) & OH_GUARDS)) {
        obj_modify(env);
        place = outer_local(vm.fp, ARG_C, ARG_B, &env);
    }
    *place = R(ARG_A);
    return pc + 2;
}
BODY(LOADCREF)
{
    /* What instance_eval and its like put on top is no place for constants. */
    Value cref = vm.fp->cref;
    while (obj_field(cref, CREF_SINGLETON) != V_FALSE && obj_field(cref, CREF_OUTER) != V_NIL)
        cref = obj_field(cref, CREF_OUTER);
    R(ARG_A) = cref_module(cref);
    return pc + 1;
}

/* ---- instance variables: cached by shape; other types and misses go through ivar_get ---- */
static __attribute__((noinline)) Value ivar_miss(Value self, uint32_t name, InlineCache *c)
{
    Value v = ivar_get(self, symbol_value(name));
    if (is_type(self, T_OBJECT) && !(obj_head(self) & OH_ATTENTION)) {
        int i = shape_find(obj_shape(self), name);
        if (i < 0 && ivar_is_transient(self, symbol_value(name)))
            return v == V_UNDEF ? V_NIL : v;
        c->guard = obj_guard_word(self);
        c->entry = (uint64_t)(int64_t)i;
        c->extra = CACHE_IVAR;
        c->extra2 = 0;
    }
    return v == V_UNDEF ? V_NIL : v;
}
BODY(GETIVAR)
{
    SAVE();
    Value self = vm.fp->self;
    InlineCache *c = cache_at(vm.fp->code, pc[2]);
    if (likely(is_heap(self)))
        c = cache_for(c, obj_guard_word(self), 0);
    if (likely(is_heap(self) && c->guard == obj_guard_word(self))) {
        R(ARG_A) = (int64_t)c->entry < 0 ? V_NIL : slot_read(self, &obj_slots(self)[c->entry]);
        return pc + 3;
    }
    Value v = ivar_miss(self, pc[1], c);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
static __attribute__((noinline)) void ivar_set_miss(Value self, uint32_t name, Value v, InlineCache *c)
{
    bool cacheable = is_type(self, T_OBJECT) && !(obj_head(self) & OH_ATTENTION);
    uint32_t before = cacheable ? obj_guard_word(self) : 0;
    ivar_set(self, symbol_value(name), v);
    int i = cacheable ? shape_find(obj_shape(self), name) : -1;
    if (i < 0 || (obj_head(self) & OH_ATTENTION))
        return;
    c->guard = before;
    c->entry = (uint64_t)i;
    c->extra = CACHE_IVAR;
    c->extra2 = obj_shape(self) == before ? 0 : obj_shape(self);
}
BODY(SETIVAR)
{
    SAVE();
    Value self = vm.fp->self, v = R(ARG_A);
    InlineCache *c = cache_at(vm.fp->code, pc[2]);
    if (likely(is_heap(self)))
        c = cache_for(c, obj_guard_word(self), 0);
    if (likely(is_heap(self) && c->guard == obj_guard_word(self) && !(obj_head(self) & OH_GUARDS))) {
        if (!c->extra2)
            slot_write(self, &obj_slots(self)[c->entry], v);
        else
            obj_add_slot(self, (uint32_t)c->extra2, v);
        return pc + 3;
    }
    ivar_set_miss(self, pc[1], v, c);
    RELOAD();
    return pc + 3;
}

/* ---- globals, class variables, constants ---- */
BODY(GETGLOBAL)
{
    SAVE();
    Value v = gvar_get(symbol_value(pc[1]));
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(SETGLOBAL)
{
    SAVE();
    gvar_set(symbol_value(pc[1]), R(ARG_A));
    RELOAD();
    return pc + 2;
}
/* Class variables belong to the innermost module of the text that is no singleton class. */
static Value cvar_base(void)
{
    Value cref = vm.fp->cref;
    for (;;) {
        Value module = cref_module(cref), outer = obj_field(cref, CREF_OUTER);
        if (outer == V_NIL) {
            if (module == klass.Object)
                raise_error(klass.RuntimeError, "class variable access from toplevel");
            return module;
        }
        bool skip = obj_field(cref, CREF_SINGLETON) != V_FALSE || (is_class(module) && class_is_singleton(module)) ||
                    !is_module(module);
        if (!skip)
            return module;
        cref = outer;
    }
}
BODY(GETCVAR)
{
    SAVE();
    Value v = cvar_get(cvar_base(), symbol_value(pc[1]));
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(SETCVAR)
{
    SAVE();
    cvar_set(cvar_base(), symbol_value(pc[1]), R(ARG_A));
    RELOAD();
    return pc + 2;
}

/* A value that const_missing made must be asked for again each time. */
static bool const_cacheable(Value cref, Value name, Value v)
{
    for (Value c = cref; c != V_NIL; c = obj_field(c, CREF_OUTER)) {
        Value m = cref_module(c);
        if (is_module(m) && const_find(m, name, true) == v)
            return true;
    }
    return const_find(klass.Object, name, true) == v;
}
static __attribute__((noinline)) Value const_miss(uint32_t name, InlineCache *c, bool top)
{
    Value cref = vm.fp->cref, sym = symbol_value(name);
    const uint32_t serial = const_serial; /* whoever finds what only this thread may see bumps it */
    Value v = top ? const_get_from(klass.Object, sym) : const_get_lexical(cref, sym);
    if (top ? const_find(klass.Object, sym, true) == v : const_cacheable(cref, sym, v)) {
        c->serial = serial;
        c->entry = v;
        c->extra = CACHE_CONST;
        c->extra2 = top ? 0 : vm.fp->cref;
    }
    return v;
}
BODY(GETCONST)
{
    SAVE();
    InlineCache *c = cache_at(vm.fp->code, pc[2]);
    if (likely(c->extra == CACHE_CONST && c->serial == const_serial && c->extra2 == vm.fp->cref)) {
        R(ARG_A) = c->entry;
        return pc + 3;
    }
    Value v = const_miss(pc[1], c, false);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
BODY(GETCONST_TOP)
{
    SAVE();
    InlineCache *c = cache_at(vm.fp->code, pc[2]);
    if (likely(c->extra == CACHE_CONST && c->serial == const_serial)) {
        R(ARG_A) = c->entry;
        return pc + 3;
    }
    Value v = const_miss(pc[1], c, true);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
BODY(GETCONST_IN)
{
    SAVE();
    Value mod = R(ARG_B);
    if (!is_module(mod))
        raise_error(klass.TypeError, "%V is not a class/module", mod);
    Value v = const_get_from(mod, symbol_value(pc[2]));
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
BODY(SETCONST)
{
    SAVE();
    Value mod = R(ARG_B);
    if (!is_module(mod))
        raise_error(klass.TypeError, "%V is not a class/module", mod);
    const_set(mod, symbol_value(pc[2]), R(ARG_A));
    RELOAD();
    return pc + 3;
}

/* ---- $1, $&, $! ---- */
BODY(GETNTH)
{
    SAVE();
    Value m = frame_last_match();
    Value v = m == V_NIL ? V_NIL : match_nth(m, (int)ARG_B);
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(GETBACKREF)
{
    SAVE();
    Value m = frame_last_match(), v = V_NIL;
    if (m != V_NIL)
        switch (ARG_B) {
        case '&':
            v = match_nth(m, 0);
            break;
        case '`':
            v = match_pre(m);
            break;
        case '\'':
            v = match_post(m);
            break;
        case '+':
            v = match_last_group(m);
            break;
        }
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(GETERR)
{
    R(ARG_A) = vm.errinfo;
    return pc + 1;
}
BODY(SETERR)
{
    Value v = R(ARG_A);
    vm.errinfo = v == V_NIL || is_type(v, T_EXCEPTION) ? v : vm.errinfo;
    return pc + 1;
}

/* ---- building.  What is built up stands in a register that bytecode out of a store may have filled with anything. ---- */
#define NEED(type, n) \
    do { \
        if (unlikely(!is_type(R(n), type))) \
            code_corrupt("builds in a register that holds another kind of object"); \
    } while (0)
static void need_strings(const Value *parts, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!is_string(parts[i]))
            code_corrupt("builds a String of something else");
}
BODY(ARRAY)
{
    SAVE();
    Value v = ary_new_from(ARG_C, &R(ARG_B));
    R(ARG_A) = v;
    return pc + 2;
}
BODY(ARRAY_DUP)
{
    SAVE();
    Value v = ary_dup(operand_object(vm.fp->code, pc, 1));
    R(ARG_A) = v;
    return pc + 3;
}
BODY(ARRAY_PUSH)
{
    SAVE();
    NEED(T_ARRAY, ARG_A);
    ary_push(R(ARG_A), R(ARG_B));
    return pc + 2;
}
BODY(ARRAY_CAT)
{
    SAVE();
    Value list = ary_splat(R(ARG_B));
    RELOAD();
    NEED(T_ARRAY, ARG_A);
    ary_concat(R(ARG_A), list);
    return pc + 2;
}
BODY(SPLAT)
{
    SAVE();
    Value from = R(ARG_B), list = ary_splat(from);
    if (list == from || obj_frozen_bit(list))
        list = ary_dup(list);
    RELOAD();
    R(ARG_A) = list;
    return pc + 2;
}
BODY(HASH)
{
    SAVE();
    unsigned from = ARG_B, n = ARG_C;
    Value h = hash_new();
    for (unsigned i = 0; i < n; i++) {
        hash_set(h, vm.fp->base[from + 2 * i], vm.fp->base[from + 2 * i + 1]);
    }
    RELOAD();
    R(ARG_A) = h;
    return pc + 2;
}
BODY(HASH_DUP)
{
    SAVE();
    Value v = hash_dup(operand_object(vm.fp->code, pc, 1));
    R(ARG_A) = v;
    return pc + 3;
}
BODY(HASH_SET)
{
    SAVE();
    NEED(T_HASH, ARG_A);
    hash_set(R(ARG_A), R(ARG_B), R(ARG_C));
    RELOAD();
    return pc + 2;
}
BODY(HASH_MERGE)
{
    SAVE();
    Value more = R(ARG_B);
    if (more != V_NIL) {
        more = hash_to_hash(more);
        RELOAD();
        NEED(T_HASH, ARG_A);
        hash_update(R(ARG_A), more);
        RELOAD();
    }
    return pc + 2;
}
BODY(RANGE)
{
    SAVE();
    Value v = range_new(R(ARG_B), R(ARG_C), ARG_D & 1);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
BODY(TO_S)
{
    Value v = R(ARG_B);
    if (!is_string(v)) {
        SAVE();
        v = obj_to_s(v);
        RELOAD();
    }
    R(ARG_A) = v;
    return pc + 2;
}
BODY(CONCAT)
{
    SAVE();
    need_strings(&R(ARG_B), ARG_C);
    Value v = str_concat_n((int)ARG_C, &R(ARG_B));
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(INTERN)
{
    SAVE();
    NEED(T_STRING, ARG_B);
    Value v = sym_intern_str(R(ARG_B));
    RELOAD();
    R(ARG_A) = v;
    return pc + 2;
}
BODY(REGEXP)
{
    SAVE();
    need_strings(&R(ARG_B), ARG_C);
    Value v = str_concat_n((int)ARG_C, &R(ARG_B));
    if (ARG_D & (64 | 128)) { /* /e and /s: the bytes are taken as of that encoding */
        StrView w = str_view(v);
        v = str_new_enc(w.ptr, w.len, encoding_find(ARG_D & 64 ? "EUC-JP" : "Windows-31J"));
    }
    v = regexp_new_str(v, (int)ARG_D & 63);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
static __attribute__((noinline)) void unpack(const uint32_t *pc)
{
    unsigned to = ARG_A, lead = ARG_C, tail = ARG_D;
    bool rest = ARG_E & 1;
    Value v = vm.fp->base[ARG_B], list = is_array(v) ? v : ary_try(v);
    if (list == V_NIL)
        list = ary_new_from(1, &v);
    size_t n = ary_len(list), at = 0;
    for (unsigned i = 0; i < lead; i++, at++)
        vm.fp->base[to + i] = at < n ? ary_get(list, (long)at) : V_NIL;
    if (rest) {
        size_t left = n > at ? n - at : 0, middle = left > tail ? left - tail : 0;
        Value mid = ary_subseq(list, at < n ? at : n, middle);
        vm.fp->base[to + lead] = mid;
        at += middle;
    }
    for (unsigned i = 0; i < tail; i++, at++)
        vm.fp->base[to + lead + rest + i] = at < n ? ary_get(list, (long)at) : V_NIL;
}
BODY(UNPACK)
{
    SAVE();
    unpack(pc);
    RELOAD();
    return pc + 3;
}
