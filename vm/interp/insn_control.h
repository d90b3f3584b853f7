/*
 * insn_control.h: jumps, rescue, definitions, blocks as objects (bodies for exec.c).
 */
BODY(JUMP)
{
    return JUMP_BY(1);
}
BODY(LOOP)
{
    if (unlikely(vm_interrupt_flag)) {
        SAVE();
        vm_check_interrupts_slow();
        RELOAD();
    }
    return JUMP_BY(1);
}
BODY(JUMPT)
{
    return truthy(R(ARG_A)) ? JUMP_BY(1) : pc + 2;
}
BODY(JUMPF)
{
    return truthy(R(ARG_A)) ? pc + 2 : JUMP_BY(1);
}
BODY(JUMPNIL)
{
    return R(ARG_A) == V_NIL ? JUMP_BY(1) : pc + 2;
}
BODY(JUMPNNIL)
{
    return R(ARG_A) == V_NIL ? pc + 2 : JUMP_BY(1);
}
BODY(JUMPUNDEF)
{
    return R(ARG_A) == V_UNDEF ? JUMP_BY(1) : pc + 2;
}
BODY(JUMPNUNDEF)
{
    return R(ARG_A) == V_UNDEF ? pc + 2 : JUMP_BY(1);
}
BODY(RETHROW)
{
    SAVE();
    Value record = R(ARG_A);
    if (!is_type(record, T_EXCEPTION) && !is_type(record, T_THROW))
        code_corrupt("goes on with what is no unwinding");
    vm_unwind(record);
}

static bool rescue_matches(Value cls, Value exc)
{
    if (!is_module(cls))
        raise_error(klass.TypeError, "class or module required for rescue clause");
    if (is_type(exc, T_THROW))
        return false;
    MethodEntry *me = method_find(class_of(cls), SYM(op_eqq));
    if (!me || me->kind == ME_BUILTIN)
        return obj_is_kind_of(exc, cls);
    return truthy(vm_call_method(cls, me, 1, &exc, V_NIL));
}
BODY(MATCH_RESCUE)
{
    SAVE();
    unsigned many = ARG_D & 1;
    Value list = R(ARG_B), exc = R(ARG_C);
    bool match = false;
    if (many) {
        list = ary_splat(list);
        for (size_t i = 0; i < ary_len(list) && !match; i++)
            match = rescue_matches(ary_get(list, (long)i), exc);
    } else {
        match = rescue_matches(list, exc);
    }
    if (unlikely(trace_on) && match)
        trace_fire(TRACE_RESCUE, vm.fp, vm.fp->self, vm.fp->me, exc);
    RELOAD();
    R(ARG_A) = bool_value(match);
    return pc + 3;
}
BODY(MATCH_WHEN)
{
    SAVE();
    Value list = ary_splat(R(ARG_B));
    RELOAD();
    Value v = R(ARG_C);
    bool match = false;
    for (size_t i = 0; i < ary_len(list) && !match; i++)
        match = truthy(vm_call1(ary_get(list, (long)i), SYM(op_eqq), v));
    RELOAD();
    R(ARG_A) = bool_value(match);
    return pc + 2;
}
BODY(ONCE)
{
    InlineCache *c = cache_at(vm.fp->code, pc[1]);
    if (c->extra == CACHE_ONCE) {
        R(ARG_A) = c->entry;
        return JUMP_BY(2);
    }
    return pc + 3;
}
BODY(ONCE_SET)
{
    InlineCache *c = cache_at(vm.fp->code, pc[1]);
    c->entry = R(ARG_A);
    c->extra = CACHE_ONCE;
    return pc + 2;
}

/* ---- definitions (define.c) ---- */

BODY(DEFMETHOD)
{
    SAVE();
    define_method(vm.fp, symbol_value(pc[1]), operand_object(vm.fp->code, pc, 2));
    RELOAD();
    return pc + 4;
}
BODY(DEFSMETHOD)
{
    SAVE();
    define_singleton_method(vm.fp, R(ARG_A), symbol_value(pc[1]), operand_object(vm.fp->code, pc, 2));
    RELOAD();
    return pc + 4;
}
BODY(DEFCLASS)
{
    SAVE();
    Frame *f = vm.fp;
    Value cls = define_class(R(ARG_B), R(ARG_C), symbol_value(pc[3]), ARG_D & 1, ARG_D & 2);
    enter_class_body(f, cls, (Code *)operand_object(f->code, pc, 4), ARG_A, false);
    *bp = vm.fp->base;
    return vm.fp->pc;
}
BODY(SCLASS)
{
    SAVE();
    Frame *f = vm.fp;
    Value cls = obj_singleton_class(R(ARG_B));
    enter_class_body(f, cls, (Code *)operand_object(f->code, pc, 2), ARG_A, true);
    *bp = vm.fp->base;
    return vm.fp->pc;
}
BODY(GETBLOCK)
{
    SAVE();
    Frame *f = vm.fp;
    Value v;
    if (f->flags & FRAME_BLOCK) {
        v = block_to_proc(f->passed);
        f->passed = v == V_NIL ? 0 : v;
    } else {
        v = frame_block_proc(f);
    }
    RELOAD();
    R(ARG_A) = v;
    return pc + 1;
}
BODY(LAMBDA)
{
    SAVE();
    Value v = block_new_proc((Code *)operand_object(vm.fp->code, pc, 1), vm.fp, PROCF_LAMBDA);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
BODY(BLOCK_GIVEN)
{
    R(ARG_A) = bool_value(vm.fp->block != 0);
    return pc + 1;
}
BODY(DEFINED)
{
    SAVE();
    Value v = defined_what(vm.fp, (int)ARG_C, R(ARG_B), pc[2] ? symbol_value(pc[2]) : V_NIL);
    RELOAD();
    R(ARG_A) = v;
    return pc + 3;
}
