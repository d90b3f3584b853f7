/*
 * primitives.c: rare operations of compiled code, rows of include/vm/primitives.def.
 *
 * f is the frame that runs the PRIM instruction; argv are registers of it and void after anything that calls Ruby.
 */
#include "vm/interp/vm_state.h"

/* What the compiler makes sure of, stored code may not have. */
static void need_symbols(int argc, const Value *argv, int least)
{
    if (argc < least)
        code_corrupt("gives a primitive too few arguments");
    for (int i = 0; i < argc; i++)
        if (!is_symbol(argv[i]))
            code_corrupt("gives a primitive something else than a name");
}

static void need_args(int argc, int least)
{
    if (argc < least)
        code_corrupt("gives a primitive too few arguments");
}

Value prim_undef(Frame *f, int argc, Value *argv)
{
    need_symbols(argc, argv, 1);
    Value names = ary_new_from((size_t)argc, argv), module = cref_definee(f->cref);
    for (int i = 0; i < argc; i++)
        method_undef(module, ary_get(names, i));
    return V_NIL;
}

Value prim_alias(Frame *f, int argc, Value *argv)
{
    need_symbols(argc, argv, 2);
    Value module = cref_definee(f->cref);
    method_alias(module, argv[0], argv[1]);
    return V_NIL;
}

Value prim_alias_global(UNUSED Frame *f, int argc, Value *argv)
{
    need_symbols(argc, argv, 2);
    gvar_alias(argv[0], argv[1]);
    return V_NIL;
}

Value prim_pattern_error(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    if (argc > 1 && argv[1] != V_NIL)
        raise_error(klass.NoMatchingPatternError, "%V: %T", argv[0], argv[1]);
    raise_error(klass.NoMatchingPatternError, "%V", argv[0]);
}

Value prim_pattern_key_error(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 4);
    Value exc = exception_new(klass.NoMatchingPatternKeyError, "%V: %T", argv[0], argv[2]);
    ivar_set(exc, sym_intern("matchee"), argv[3]);
    ivar_set(exc, SYM(key), argv[1]);
    vm_raise(exc);
}

Value prim_check_deconstruct(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    if (!is_array(argv[0]))
        raise_error(klass.TypeError, "deconstruct must return Array");
    return argv[0];
}

Value prim_check_deconstruct_keys(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    if (!is_hash(argv[0]))
        raise_error(klass.TypeError, "deconstruct_keys must return Hash");
    return argv[0];
}

Value prim_at_exit(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    if (!is_proc(argv[0]))
        code_corrupt("has an END without a block");
    control_at_exit(argv[0]);
    return V_NIL;
}

Value prim_xstr(Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    return vm_call1(f->self, SYM(op_backtick), argv[0]);
}

Value prim_match_locals(UNUSED Frame *f, int argc, Value *argv)
{
    need_symbols(argc, argv, 0);
    Value names = ary_new_from((size_t)argc, argv), m = frame_last_match(), list = ary_new((size_t)argc);
    for (int i = 0; i < argc; i++)
        ary_push(list, m == V_NIL ? V_NIL : match_named(m, ary_get(names, i)));
    return list;
}

Value prim_raise_syntax(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    raise_error(klass.SyntaxError, "%T", argv[0]);
}

Value prim_hash_without(UNUSED Frame *f, int argc, Value *argv)
{
    need_args(argc, 1);
    if (!is_hash(argv[0]))
        code_corrupt("takes keys out of what is no Hash");
    Value keys = ary_new_from((size_t)argc, argv), h = hash_dup(argv[0]);
    for (int i = 1; i < argc; i++)
        hash_delete(h, ary_get(keys, i));
    return h;
}

/* A flip-flop's key: unique in the session, also among codes that eval adds to a frame. */
static Value flip_flop_key(const Frame *f, int argc, const Value *argv)
{
    need_args(argc, 1);
    return int_fix((int64_t)f->code->cache_base + (int64_t)(uint32_t)fix_int(argv[0]));
}

Value prim_flip_flop(Frame *f, int argc, Value *argv)
{
    return bool_value(frame_flip_flop(f, flip_flop_key(f, argc, argv)));
}

Value prim_flip_flop_on(Frame *f, int argc, Value *argv)
{
    frame_set_flip_flop(f, flip_flop_key(f, argc, argv), true);
    return V_NIL;
}

Value prim_flip_flop_off(Frame *f, int argc, Value *argv)
{
    frame_set_flip_flop(f, flip_flop_key(f, argc, argv), false);
    return V_NIL;
}
