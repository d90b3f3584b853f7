/*
 * insn_ops.h: operators: fast paths for built-in types, and the call of that name for all else (bodies for exec.c).
 */

/* Calls `recv.name(args)` for an instruction at pc; the result goes to register `ret`. */
static __attribute__((noinline)) const uint32_t *op_send(const uint32_t *pc, uint32_t name, unsigned ret,
                                                         InlineCache *cache, Value recv, int argc, Value a, Value b)
{
    Frame *f = vm.fp;
    f->pc = pc;
    Value *top = f->top, args[2] = {a, b}, result = V_NIL;
    Call c = {.recv = recv, .argc = argc, .name = name, .kw = V_NIL, .ret = (uint16_t)ret,
              .skip = insn_length[OPCODE(pc)],
              .flags = name == SYMID_op_eqq ? CALL_SELF : 0}; /* `when` calls a private === too */
    uint32_t guard = value_guard(recv);
    MethodEntry *me = NULL;
    cache = cache_for(cache, guard, method_serial);
    if (cache->guard == guard && cache->serial == method_serial && (cache->extra & 0xff) == CACHE_METHOD) {
        me = (MethodEntry *)cache->entry;
    } else {
        int why;
        me = call_lookup(recv, name);
        if (me && !call_visible(&c, me, &why))
            me = NULL;
        if (me && me->visibility == VIS_PUBLIC && !(guard >> 31 && is_heap(recv))) {
            cache->guard = value_guard(recv);
            cache->serial = method_serial;
            cache->entry = (uint64_t)me;
            cache->extra = CACHE_METHOD;
        }
    }
    c.argv = call_push_args(argc, args, 0);
    bool pushed = me ? call_entry(&c, me, &result) : call_dispatch(&c, &result);
    f->top = top;
    if (pushed)
        return vm.fp->pc;
    f->base[ret] = result;
    return pc + insn_length[OPCODE(pc)];
}

#define FAST(op) likely(!(redefined_ops & REDEFINED_##op))
#define SEND1(sym) SLOW(op_send(pc, SYMID_##sym, ARG_A, cache_at(vm.fp->code, pc[2]), a, 1, b, V_NIL))
#define RESULT(v) \
    do { \
        Value result_ = (v); \
        R(ARG_A) = result_; \
        return pc + 3; \
    } while (0)

static inline bool is_number(Value v)
{
    return is_fixnum(v) || is_flonum(v) || (is_heap(v) && (obj_type(v) == T_BIGNUM || obj_type(v) == T_FLOAT));
}
static inline bool plain(Value v, uint32_t shape)
{
    return is_heap(v) && obj_guard_word(v) == shape;
}
/* Slow but certain: any two numbers. */
#define NUMBERS(fn) \
    if (is_number(a) && is_number(b)) { \
        SAVE(); \
        RESULT(fn(a, b)); \
    }

BODY(ADD)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(ADD)) {
        int64_t sum;
        if (likely(both_fixnum(a, b)) && likely(!__builtin_add_overflow((int64_t)a, (int64_t)(b - 1), &sum)))
            RESULT((Value)sum);
        if (is_flonum(a) && is_flonum(b)) {
            SAVE();
            RESULT(float_value(flonum_double(a) + flonum_double(b)));
        }
        NUMBERS(num_add)
        if (plain(a, vm.string_shape) && plain(b, vm.string_shape)) {
            SAVE();
            RESULT(str_plus(a, b));
        }
    }
    SEND1(op_plus);
}
BODY(SUB)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(SUB)) {
        int64_t d;
        if (likely(both_fixnum(a, b)) && likely(!__builtin_sub_overflow((int64_t)a, (int64_t)(b - 1), &d)))
            RESULT((Value)d);
        if (is_flonum(a) && is_flonum(b)) {
            SAVE();
            RESULT(float_value(flonum_double(a) - flonum_double(b)));
        }
        NUMBERS(num_sub)
    }
    SEND1(op_minus);
}
BODY(MUL)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(MUL)) {
        int64_t m;
        if (likely(both_fixnum(a, b)) && likely(!__builtin_mul_overflow(fix_int(a), fix_int(b), &m)) && likely(fixable(m)))
            RESULT(int_fix(m));
        if (is_flonum(a) && is_flonum(b)) {
            SAVE();
            RESULT(float_value(flonum_double(a) * flonum_double(b)));
        }
        NUMBERS(num_mul)
    }
    SEND1(op_mul);
}
BODY(DIV)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(DIV)) {
        if (likely(both_fixnum(a, b)) && fix_int(b) > 0) {
            int64_t x = fix_int(a), y = fix_int(b), q = x / y;
            RESULT(int_fix(x % y < 0 ? q - 1 : q));
        }
        if (is_flonum(a) && is_flonum(b)) {
            SAVE();
            RESULT(float_value(flonum_double(a) / flonum_double(b)));
        }
    }
    SEND1(op_div);
}
BODY(MOD)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(MOD) && likely(both_fixnum(a, b)) && fix_int(b) > 0) {
        int64_t m = fix_int(a) % fix_int(b);
        RESULT(int_fix(m < 0 ? m + fix_int(b) : m));
    }
    SEND1(op_mod);
}
BODY(AND)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(AND) && likely(both_fixnum(a, b)))
        RESULT(a & b);
    SEND1(op_and);
}
BODY(OR)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(OR) && likely(both_fixnum(a, b)))
        RESULT(a | b);
    SEND1(op_or);
}
BODY(XOR)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(XOR) && likely(both_fixnum(a, b)))
        RESULT((a ^ b) | 1);
    SEND1(op_xor);
}
BODY(SHL)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(SHL)) {
        if (plain(a, vm.array_shape)) {
            SAVE();
            ary_push(a, b);
            RESULT(a);
        }
        if (plain(a, vm.string_shape) && plain(b, vm.string_shape)) {
            SAVE();
            str_append_str(a, b);
            RESULT(a);
        }
        if (both_fixnum(a, b) && fix_int(b) >= 0 && fix_int(b) < 62) {
            int64_t x = fix_int(a), y = (int64_t)((uint64_t)x << fix_int(b));
            if (y >> fix_int(b) == x && fixable(y))
                RESULT(int_fix(y));
        }
    }
    SEND1(op_shl);
}
BODY(SHR)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(SHR) && likely(both_fixnum(a, b)) && fix_int(b) >= 0)
        RESULT(int_fix(fix_int(a) >> (fix_int(b) > 63 ? 63 : fix_int(b))));
    SEND1(op_shr);
}

#define COMPARISON(NAME, sym, op) \
    BODY(NAME) \
    { \
        Value a = R(ARG_B), b = R(ARG_C); \
        if (FAST(NAME)) { \
            if (likely(both_fixnum(a, b))) \
                RESULT(bool_value((int64_t)a op (int64_t)b)); \
            if (is_flonum(a) && is_flonum(b)) \
                RESULT(bool_value(flonum_double(a) op flonum_double(b))); \
        } \
        SEND1(sym); \
    }
COMPARISON(LT, op_lt, <)
COMPARISON(LE, op_le, <=)
COMPARISON(GT, op_gt, >)
COMPARISON(GE, op_ge, >=)

/* V_UNDEF when only a call can tell. */
static inline Value fast_equal(Value a, Value b)
{
    if (both_fixnum(a, b))
        return bool_value(a == b);
    if (is_flonum(a) && is_flonum(b))
        return bool_value(flonum_double(a) == flonum_double(b));
    if (plain(a, vm.string_shape) && plain(b, vm.string_shape))
        return bool_value(str_equal(a, b));
    if (is_symbol(a) || a == V_NIL || a == V_TRUE || a == V_FALSE)
        return bool_value(a == b);
    return V_UNDEF;
}
BODY(EQ)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(EQ)) {
        Value v = fast_equal(a, b);
        if (likely(v != V_UNDEF))
            RESULT(v);
    }
    SEND1(op_eq);
}
BODY(NEQ)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (likely(!(redefined_ops & (REDEFINED_EQ | REDEFINED_NEQ)))) {
        Value v = fast_equal(a, b);
        if (likely(v != V_UNDEF))
            RESULT(bool_value(v == V_FALSE));
    }
    SEND1(op_neq);
}
BODY(EQQ)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (likely(!(redefined_ops & (REDEFINED_EQ | REDEFINED_EQQ)))) {
        Value v = fast_equal(a, b);
        if (likely(v != V_UNDEF))
            RESULT(v);
    }
    /* A class or module, most often: its === needs no frame. */
    InlineCache *cache = cache_at(vm.fp->code, pc[2]);
    if (is_heap(a) && cache->guard == obj_guard_word(a) && cache->serial == method_serial &&
        (cache->extra & 0xff) == CACHE_METHOD) {
        MethodEntry *me = (MethodEntry *)cache->entry;
        if (me->kind == ME_BUILTIN && (me->flags & BI_LEAF)) {
            SAVE();
            Value v = me->fn(a, 1, &b);
            RESULT(v);
        }
    }
    SEND1(op_eqq);
}
BODY(AREF)
{
    Value a = R(ARG_B), b = R(ARG_C);
    if (FAST(AREF)) {
        if (is_fixnum(b) && plain(a, vm.array_shape)) {
            SAVE();
            RESULT(ary_get(a, (long)fix_int(b)));
        }
        if (plain(a, vm.hash_shape)) {
            SAVE();
            Value v = hash_get(a, b);
            RELOAD();
            if (likely(v != V_UNDEF || hash_plain_default(a, &v)))
                RESULT(v);
        }
    }
    SEND1(op_aref);
}
BODY(ASET)
{
    Value a = R(ARG_A), b = R(ARG_B), v = R(ARG_C);
    if (FAST(ASET)) {
        if (is_fixnum(b) && plain(a, vm.array_shape)) {
            SAVE();
            ary_set(a, (long)fix_int(b), v);
            return pc + 3;
        }
        if (plain(a, vm.hash_shape)) {
            SAVE();
            hash_set(a, b, v);
            RELOAD();
            return pc + 3;
        }
    }
    SLOW(op_send(pc, SYMID_op_aset, vm.fp->code->scratch, cache_at(vm.fp->code, pc[2]), a, 2, b, v));
}
BODY(ADDI)
{
    Value a = R(ARG_B);
    Value b = int_fix((int16_t)ARG_C);
    if (FAST(ADD)) {
        int64_t sum;
        if (likely(is_fixnum(a)) && likely(!__builtin_add_overflow((int64_t)a, (int64_t)(b - 1), &sum)))
            RESULT((Value)sum);
        NUMBERS(num_add)
    }
    SEND1(op_plus);
}
BODY(SUBI)
{
    Value a = R(ARG_B);
    Value b = int_fix((int16_t)ARG_C);
    if (FAST(SUB)) {
        int64_t d;
        if (likely(is_fixnum(a)) && likely(!__builtin_sub_overflow((int64_t)a, (int64_t)(b - 1), &d)))
            RESULT((Value)d);
        NUMBERS(num_sub)
    }
    SEND1(op_minus);
}
BODY(NOT)
{
    Value a = R(ARG_B);
    if (FAST(NOT) && (is_immediate(a) || (obj_type(a) != T_OBJECT && obj_type(a) != T_STRUCT))) {
        R(ARG_A) = bool_value(!truthy(a));
        return pc + 3;
    }
    SLOW(op_send(pc, SYMID_op_not, ARG_A, cache_at(vm.fp->code, pc[2]), a, 0, V_NIL, V_NIL));
}
BODY(NEG)
{
    Value a = R(ARG_B);
    if (FAST(NEG)) {
        if (is_fixnum(a) && fix_int(a) != FIXNUM_MIN) {
            R(ARG_A) = int_fix(-fix_int(a));
            return pc + 3;
        }
        if (is_flonum(a)) {
            SAVE();
            RESULT(float_value(-flonum_double(a)));
        }
    }
    SLOW(op_send(pc, SYMID_op_uminus, ARG_A, cache_at(vm.fp->code, pc[2]), a, 0, V_NIL, V_NIL));
}
static __attribute__((noinline)) bool less_slow(Value a, Value b)
{
    return truthy(vm_call_public(a, SYM(op_lt), 1, &b, V_NIL));
}
static inline bool less(Value **bp, const uint32_t *pc)
{
    Value a = R(ARG_A), b = R(ARG_B);
    if (FAST(LT) && likely(both_fixnum(a, b)))
        return (int64_t)a < (int64_t)b;
    if (FAST(LT) && is_flonum(a) && is_flonum(b))
        return flonum_double(a) < flonum_double(b);
    SAVE();
    bool l = less_slow(a, b);
    RELOAD();
    return l;
}
BODY(JUMP_LT)
{
    return less(bp, pc) ? JUMP_BY(2) : pc + 4;
}
BODY(JUMP_NLT)
{
    return less(bp, pc) ? pc + 4 : JUMP_BY(2);
}
