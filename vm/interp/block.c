/*
 * block.c: blocks and Procs: calling them, making them, passing them on.
 *
 * A block costs nothing until somebody wants it as an object: BlockRef names the frame that passes it (frame.h).
 * block_to_proc reifies the definer's window and makes the Proc.
 */
#include "vm/interp/vm_state.h"

Value proc_field(Value proc, int field)
{
    return obj_field(proc, (unsigned)field);
}

bool proc_flag(Value proc, int flag)
{
    return fix_int(obj_field(proc, PROC_FLAGS)) & flag;
}

bool proc_is_lambda(Value proc)
{
    return proc_flag(proc, PROCF_LAMBDA);
}

Code *proc_code(Value proc)
{
    Value code = obj_field(proc, PROC_CODE);
    return is_type(code, T_CODE) ? (Code *)code : NULL;
}

static Value proc_alloc(void)
{
    Value p = heap_alloc_slots(T_PROC, klass.Proc, 0);
    obj_init_field(p, PROC_FLAGS, int_fix(0));
    return p;
}

Value block_new_proc(Code *code, Frame *definer, int flags)
{
    Value env = env_reify(definer);
    Value p = proc_alloc();
    obj_init_field(p, PROC_CODE, (Value)code);
    obj_init_field(p, PROC_ENV, env);
    obj_init_field(p, PROC_SELF, definer->self);
    obj_init_field(p, PROC_CREF, definer->cref);
    obj_init_field(p, PROC_ME, definer->me ? (Value)definer->me : V_NIL);
    obj_init_field(p, PROC_FLAGS, int_fix(flags));
    return p;
}

Value block_to_proc(BlockRef block)
{
    if (!block)
        return V_NIL;
    if (ref_is_frame(block))
        return block_new_proc(ref_frame(block)->block_code, ref_frame(block), 0);
    return block;
}

Value frame_block_proc(Frame *f)
{
    if (!f->block)
        return V_NIL;
    if (is_heap(f->block))
        return f->block;
    BlockRef was = f->block;
    Value p = block_to_proc(was);
    f->block = p;
    /* All frames of one method show the same Proc. */
    for (Frame *g = f; ref_is_frame(g->outer);) {
        g = ref_frame(g->outer);
        if (g->block == was)
            g->block = p;
    }
    return p;
}

Value proc_with_self(Value proc, Value self)
{
    Value p = proc_alloc();
    for (int i = 0; i < PROC_FIELDS; i++)
        obj_init_field(p, (unsigned)i, proc_field(proc, i));
    obj_init_field(p, PROC_SELF, self);
    return p;
}

Value proc_from_method(Value method)
{
    Value p = proc_alloc();
    obj_init_field(p, PROC_SELF, method);
    obj_init_field(p, PROC_FLAGS, int_fix(PROCF_LAMBDA | PROCF_FROM_METHOD));
    return p;
}

Value proc_from_symbol(Value sym)
{
    Value p = proc_alloc();
    obj_init_field(p, PROC_CODE, sym);
    obj_init_field(p, PROC_FLAGS, int_fix(PROCF_LAMBDA | PROCF_FROM_SYMBOL));
    return p;
}

/* &:name where refinements may be active: the Proc calls as code at cref sees the method. */
Value proc_from_symbol_at(Value sym, Value cref)
{
    Value p = proc_from_symbol(sym);
    if (refinements_used)
        obj_set_field(p, PROC_CREF, cref);
    return p;
}

Value value_to_proc(Value v)
{
    if (v == V_NIL || is_proc(v))
        return v;
    if (is_symbol(v))
        return proc_from_symbol(v);
    Value p = vm_call_if_responds(v, SYM(to_proc), 0, NULL);
    if (p == V_UNDEF)
        raise_no_conversion(v, "Proc");
    if (!is_proc(p))
        raise_error(klass.TypeError, "can't convert %C to Proc (%C#to_proc gives %C)", class_real(v), class_real(v),
                    class_real(p));
    return p;
}

/* ---- calling ---- */
bool block_invoke(BlockRef block, Call *c, const BlockEnv *over, Value *result)
{
    Value self, cref, me;
    BlockRef home_block;
    uint64_t outer;
    Code *code;
    bool lambda = over && over->lambda;

    if (likely(ref_is_frame(block))) {
        Frame *d = ref_frame(block);
        code = d->block_code;
        self = d->self;
        cref = d->cref;
        me = d->me ? (Value)d->me : V_NIL;
        home_block = d->block;
        outer = block;
    } else {
        Value proc = block;
        int flags = (int)fix_int(proc_field(proc, PROC_FLAGS));
        if (flags & PROCF_FROM_SYMBOL) {
            if (c->argc == 0)
                raise_error(klass.ArgumentError, "no receiver given");
            c->name = symbol_id(proc_field(proc, PROC_CODE));
            c->recv = c->argv[0];
            c->argv++;
            c->argc--;
            c->block = over ? over->block : 0;
            c->flags &= CALL_KWMUTABLE;
            Value seen_from = proc_field(proc, PROC_CREF);
            if (unlikely(seen_from != V_NIL)) {
                MethodEntry *found = method_find_refined(class_of(c->recv), symbol_value(c->name), seen_from);
                int why = MISSING_NONE;
                if (found && call_visible(c, found, &why))
                    return call_entry(c, found, result);
                return call_method_missing(c, why, result);
            }
            return call_dispatch(c, result);
        }
        if (flags & PROCF_FROM_METHOD) {
            Value m = proc_field(proc, PROC_SELF);
            c->recv = obj_field(m, METHODF_RECEIVER);
            c->name = symbol_id(obj_field(m, METHODF_NAME));
            c->block = over ? over->block : 0;
            c->flags = (c->flags & CALL_KWMUTABLE) | CALL_SELF;
            Value entry = obj_field(m, METHODF_ENTRY);
            if (entry == V_NIL)
                return call_method_missing(c, MISSING_NONE, result);
            return call_entry(c, (MethodEntry *)entry, result);
        }
        code = (Code *)proc_field(proc, PROC_CODE);
        self = proc_field(proc, PROC_SELF);
        cref = proc_field(proc, PROC_CREF);
        me = proc_field(proc, PROC_ME);
        outer = proc_field(proc, PROC_ENV);
        if (outer == V_NIL) {
            outer = 0;
            home_block = 0;
        } else {
            Value hb = slot_read(outer, &env_ptr(outer)->block);
            home_block = hb == V_NIL ? 0 : hb;
        }
        lambda |= flags & PROCF_LAMBDA;
    }
    call_settle(c);
    Frame *f = vm.fp + 1;
    int n = c->argc + (is_array(c->kw) ? (int)ary_len(c->kw) : 0);
    Value *top = c->argv + (n > code->nregs ? n : code->nregs);
    frame_check_room(f, top);
    f->pc = code->words;
    f->base = f->stack = c->argv;
    f->top = top;
    f->self = self;
    f->code = code;
    f->me = me == V_NIL ? NULL : (MethodEntry *)me;
    f->block = home_block;
    f->passed = 0;
    f->outer = outer;
    f->cref = cref;
    f->env = V_NIL;
    f->block_code = NULL;
    f->flags = (uint16_t)(FRAME_BLOCK | c->frame_flags | (lambda ? FRAME_LAMBDA : 0));
    f->skip = c->skip;
    f->ret = c->ret;
    f->argc = (uint16_t)c->argc;
    f->specials = V_NIL;
    f->serial = ++vm.serial;
    if (over) {
        if (over->self != V_UNDEF)
            f->self = over->self;
        if (over->cref != V_UNDEF)
            f->cref = over->cref;
        if (over->me)
            f->me = over->me;
        f->passed = over->block;
        f->flags |= (uint16_t)over->frame_flags;
    }
    vm.fp = f;
    args_bind(f, code, c->argc, c->kw, c->flags & CALL_KWMUTABLE, lambda);
    vm_check_interrupts();
    return true;
}

Value vm_yield_with(BlockRef block, int argc, const Value *argv, const BlockEnv *over)
{
    if (!block)
        raise_error(klass.LocalJumpError, "no block given (yield)");
    Frame *f = vm.fp;
    Value *top = f->top, result = V_NIL;
    Call c = {.recv = V_NIL, .argc = argc, .kw = V_NIL, .frame_flags = FRAME_FINISH};
    c.argv = call_push_args(argc, argv, 0);
    bool pushed = block_invoke(block, &c, over, &result);
    f->top = top;
    return call_finish(pushed, result);
}

Value vm_yield(int argc, const Value *argv)
{
    return vm_yield_with(vm.fp->block, argc, argv, NULL);
}

Value vm_yield2(Value a, Value b)
{
    return vm_yield(2, (Value[]){a, b});
}

bool block_given(void)
{
    return vm.fp->block != 0;
}

Value block_proc(void)
{
    return frame_block_proc(vm.fp);
}

Value proc_call(Value proc, int argc, const Value *argv)
{
    return vm_yield_with(proc, argc, argv, NULL);
}

Value proc_call_with_block(Value proc, int argc, const Value *argv, Value block)
{
    BlockEnv over = {.self = V_UNDEF, .cref = V_UNDEF, .block = block == V_NIL ? 0 : block};
    return vm_yield_with(proc, argc, argv, &over);
}

Value vm_instance_exec(Value self, Value cref, BlockRef block, int argc, const Value *argv)
{
    BlockEnv over = {.self = self, .cref = cref};
    return vm_yield_with(block, argc, argv, &over);
}

/* ---- arity ---- */
int proc_arity(Value proc)
{
    int flags = (int)fix_int(proc_field(proc, PROC_FLAGS));
    if (flags & PROCF_FROM_SYMBOL)
        return -2;
    if (flags & PROCF_FROM_METHOD) {
        Value entry = obj_field(proc_field(proc, PROC_SELF), METHODF_ENTRY);
        return entry == V_NIL ? -1 : method_arity((MethodEntry *)entry);
    }
    return code_arity((Code *)proc_field(proc, PROC_CODE), flags & PROCF_LAMBDA);
}

int method_arity(MethodEntry *me)
{
    me = method_resolve(me);
    switch ((MethodKind)me->kind) {
    case ME_CODE:
        return code_arity((Code *)slot_read((Value)me, &me->body), true);
    case ME_BUILTIN:
        return me->min == me->max && !(me->flags & BI_KW) ? me->min : -1; /* as CRuby counts its C functions */
    case ME_ATTR_WRITER:
        return 1;
    case ME_PROC: {
        Value proc = slot_read((Value)me, &me->body);
        Code *code = proc_code(proc);
        return code ? code_arity(code, true) : proc_arity(proc);
    }
    case ME_ATTR_READER:
        return 0;
    default:
        return -1;
    }
}
