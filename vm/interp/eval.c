/*
 * eval.c: running a code from C: scripts, required files, eval with a binding; Binding's workings.
 *
 * An eval'ed code is compiled against the codes of the Envs around it and runs as a block of the innermost one.  When
 * it is evaluated for a Binding and makes locals of its own, its Env becomes the Binding's: the next eval sees them.
 */
#include "vm/interp/trace.h"
#include "vm/compile.h"
#include "vm/parse.h"
#include <stdio.h>

/* Pushes a frame for code without arguments at the top of the stack; env: the Env around it or nil. */
static Frame *push_plain(Code *code, Value self, Value cref, uint32_t flags, Value env, MethodEntry *me, BlockRef block)
{
    Frame *g = vm.fp + 1;
    Value *base = vm.fp->top, *top = base + code->nregs;
    frame_check_room(g, top);
    for (Value *p = base; p < top; p++)
        *p = V_NIL;
    *g = (Frame){.pc = code->words, .base = base, .stack = base, .top = top, .self = self, .code = code, .cref = cref,
                 .env = V_NIL, .flags = flags, .specials = V_NIL, .serial = ++vm.serial, .me = me, .block = block,
                 .outer = env == V_NIL ? 0 : env};
    vm.fp = g;
    return g;
}

Value run_code(Code *code, Value self, Value cref, uint32_t flags, Value env, MethodEntry *me, BlockRef block)
{
    push_plain(code, self, cref, flags | FRAME_FINISH, env, me, block);
    return vm_exec();
}

/* eval's first line as CompileOptions have it: there, 0 is no word. */
static int line_option(int line)
{
    return line == 0 ? PARSE_LINE_ZERO : line;
}

Value vm_eval_source(const char *src, size_t len, const char *file, int line, Value self, Value cref)
{
    CompileOptions options = {.file = file, .first_line = line_option(line), .kind = CODE_TOP};
    Value code = code_compile(src, len, &options, NULL);
    return run_code((Code *)code, self, cref == V_NIL ? cref_new(klass.Object, V_NIL, VIS_PRIVATE, V_FALSE) : cref,
                    FRAME_TOP, V_NIL, NULL, 0);
}

/* Evaluates src inside env (an Env).  self, cref: V_UNDEF for the Env's own.  binding: nil, or the Binding whose Env
 * follows new locals. */
Value eval_in_env(Value src, Value env, Value self, Value cref, const char *file, int line, Value binding)
{
    enum { MAX = 64 };
    Value outer[MAX];
    uint32_t n = 0;
    for (Value e = env; e != V_NIL && n < MAX; e = slot_read(e, &env_ptr(e)->outer))
        outer[n++] = slot_read(e, &env_ptr(e)->code);
    src = str_to_str(src);
    Value text = str_dup(src);
    StrView v = str_view(text);
    CompileOptions options = {.file = file, .first_line = line_option(line), .kind = CODE_EVAL, .outer = outer, .outer_count = n,
                              .encoding = encoding_name(v.enc)};
    Code *code = (Code *)code_compile(v.ptr, v.len, &options, NULL);
    if (unlikely(trace_on))
        trace_fire(TRACE_SCRIPT_COMPILED, frame_ruby(vm.fp), vm.fp->self, NULL, text);
    if (self == V_UNDEF)
        self = slot_read(env, &env_ptr(env)->self);
    if (cref == V_UNDEF) /* a copy: `private` inside is no business of those around */
        cref = obj_dup_slots(slot_read(env, &env_ptr(env)->cref));
    Value me = slot_read(env, &env_ptr(env)->me), block = slot_read(env, &env_ptr(env)->block);
    Frame *f = push_plain(code, self, cref, FRAME_EVAL | FRAME_FINISH, env, me == V_NIL ? NULL : (MethodEntry *)me,
                          block == V_NIL ? 0 : block);
    if (binding != V_NIL && code->nlocals) {
        Value inner = env_reify(f);
        obj_set_field(binding, BINDINGF_ENV, inner);
    }
    return vm_exec();
}

Value eval_string(Value src, Value env, Value self, Value cref, const char *file, int line, Frame *scope)
{
    char name[1200];
    if (env == V_NIL)
        env = env_reify(scope);
    if (!file) {
        snprintf(name, sizeof name, "(eval at %s:%d)", vm_current_file(), vm_current_line());
        file = name;
        line = 1;
    }
    return eval_in_env(src, env, self, cref, file, line, V_NIL);
}

/* ---- Binding ---- */
Value binding_new(Frame *f)
{
    Value env = env_reify(f);
    Value b = heap_alloc_slots(T_BINDING, klass.Binding, 0);
    obj_init_field(b, BINDINGF_ENV, env);
    obj_init_field(b, BINDINGF_LINE, int_fix(vm_current_line()));
    obj_init_field(b, BINDINGF_PATH, slot_read((Value)f->code, &f->code->path));
    return b;
}
