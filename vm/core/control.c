/*
 * control.c: Kernel's control flow: raise, catch and throw, blocks as objects, exit and at_exit, caller, send,
 * instance_eval and class_eval.  (loop is Ruby: kernel.rb.)
 */
#include "vm/core/core_private.h"
#include "storage/store.h"
#include "vm/interp/vm_state.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- raise ---- */
static Value exception_of(int argc, const Value *argv, Value kw)
{
    Value exc;
    if (argc == 1 && is_string(argv[0])) {
        if (kw != V_NIL)
            return vm_call_kw(klass.RuntimeError, SYM(new), 2, (Value[]){argv[0], kw});
        exc = heap_alloc_slots(T_EXCEPTION, klass.RuntimeError, 0);
        obj_init_field(exc, EXC_MESSAGE, argv[0]);
        return exc;
    }
    if (is_type(argv[0], T_EXCEPTION) && argc == 1 && kw == V_NIL)
        return argv[0];
    if (!vm_responds_to(argv[0], SYM(exception), true))
        raise_error(klass.TypeError, "exception class/object expected");
    if (kw != V_NIL) {
        Value args[2] = {argc > 1 ? argv[1] : kw, kw};
        exc = vm_call_kw(argv[0], SYM(exception), argc > 1 ? 2 : 1, args);
    } else {
        exc = vm_call(argv[0], SYM(exception), argc > 1 ? 1 : 0, argv + 1);
    }
    if (!is_type(exc, T_EXCEPTION))
        raise_error(klass.TypeError, "exception object expected");
    if (argc > 2)
        vm_call1(exc, SYM(set_backtrace), argv[2]);
    return exc;
}

static void set_cause(Value exc, Value cause)
{
    if (cause != V_NIL && !is_type(cause, T_EXCEPTION))
        raise_error(klass.TypeError, "exception object expected");
    if (cause == V_NIL || cause == exc)
        return;
    for (Value c = obj_field(cause, EXC_CAUSE); is_type(c, T_EXCEPTION); c = obj_field(c, EXC_CAUSE))
        if (c == exc)
            raise_error(klass.ArgumentError, "circular causes");
    obj_set_field(exc, EXC_CAUSE, cause);
}

Value control_make_exception(int argc, const Value *argv, bool again)
{
    Value kw = call_take_keywords(&argc, argv), cause = V_UNDEF;
    if (kw != V_NIL) {
        cause = keyword_get(kw, "cause");
        if (cause != V_UNDEF) {
            kw = hash_dup(kw);
            hash_delete(kw, SYM(cause));
            if (hash_len(kw) == 0)
                kw = V_NIL;
        }
    }
    if (argc == 0 && cause != V_UNDEF)
        raise_error(klass.ArgumentError, "only cause is given with no arguments");
    if (argc > 3)
        raise_arity(argc, 0, 3);
    if (argc == 0 && kw != V_NIL) {
        argv = &kw;
        argc = 1;
    }
    if (argc == 0 && again && vm.errinfo != V_NIL)
        return vm.errinfo;
    Value exc = argc ? exception_of(argc, argv, argv == &kw ? V_NIL : kw) : exception_new(klass.RuntimeError, "%s", "");
    if (cause != V_UNDEF)
        set_cause(exc, cause);
    else if (argc || again)
        exception_prepare_cause(exc);
    return exc;
}

static Value kernel_raise(UNUSED Value self, int argc, const Value *argv)
{
    Value exc = control_make_exception(argc, argv, true);
    /* raise itself does not show in the backtrace. */
    frame_pop();
    raise_prepared(exc);
}

/* ---- catch, throw ---- */
static Value catch_body(void *arg)
{
    return vm_yield1(*(Value *)arg);
}
static Value kernel_catch(UNUSED Value self, int argc, const Value *argv)
{
    Value tag = argc ? argv[0] : heap_alloc_slots(T_OBJECT, klass.Object, 0);
    if (!block_given())
        raise_error(klass.LocalJumpError, "no block given");
    return vm_catch(tag, catch_body, &tag);
}
static Value kernel_throw(UNUSED Value self, int argc, const Value *argv)
{
    vm_throw(argv[0], argc > 1 ? argv[1] : V_NIL);
}

/* ---- blocks ---- */
static Value kernel_lambda(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Frame *f = vm.fp;
    if (!f->block)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    if (ref_is_frame(f->block))
        return block_new_proc(ref_frame(f->block)->block_code, ref_frame(f->block), PROCF_LAMBDA);
    Value p = block_proc();
    if (!proc_is_lambda(p))
        raise_error(klass.ArgumentError, "the lambda method requires a literal block");
    return p;
}
static Value kernel_proc(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value p = block_proc();
    if (p == V_NIL)
        raise_error(klass.ArgumentError, "tried to create Proc object without a block");
    return p;
}
static Value kernel_block_given(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(frame_caller()->block != 0);
}

/* ---- where am I ---- */
/* Row 0 is caller itself, row 1 who called it: caller(0) begins at row 1, caller without arguments a row later. */
static Value slice_of_callers(Value rows, int argc, const Value *argv)
{
    Value one = int_fix(1);
    return backtrace_slice(ary_subseq(rows, 1, ary_len(rows) - 1), argc ? argc : 1, argc ? argv : &one);
}
static Value kernel_caller(UNUSED Value self, int argc, const Value *argv)
{
    return slice_of_callers(backtrace_strings(backtrace_capture(0)), argc, argv);
}
static Value kernel_caller_locations(UNUSED Value self, int argc, const Value *argv)
{
    return slice_of_callers(backtrace_locations_of(backtrace_capture(0)), argc, argv);
}
static Value thread_s_each_caller_location(UNUSED Value self, int argc, const Value *argv)
{
    if (!block_given())
        raise_error(klass.LocalJumpError, "no block given");
    if (call_keywords())
        raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected 0..2)", argc);
    Value list = kernel_caller_locations(V_NIL, argc, argv);
    for (size_t i = 0; list != V_NIL && i < ary_len(list); i++)
        vm_yield1(ary_get(list, (long)i));
    return V_NIL;
}
static Value kernel_method_name(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return frame_method_name();
}
static Value kernel_callee(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Frame *f = frame_caller();
    return f > vm.frames ? frame_callee(f) : V_NIL;
}
static Value kernel_dir(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return load_current_dir();
}
static Value kernel_global_variables(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return gvar_names();
}

/* ---- the end ---- */
void control_at_exit(Value proc)
{
    ary_push(vm.at_exit, proc);
}
/* Runs the newest first; one that raises leaves the others for the next call. */
void control_run_at_exit(void)
{
    while (ary_len(vm.at_exit))
        proc_call(ary_pop(vm.at_exit), 0, NULL);
}
static Value kernel_at_exit(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value p = block_proc();
    if (p == V_NIL)
        raise_error(klass.ArgumentError, "called without block");
    control_at_exit(p);
    return p;
}
static int exit_status(int argc, const Value *argv, int otherwise)
{
    if (argc == 0)
        return otherwise;
    return argv[0] == V_TRUE ? 0 : argv[0] == V_FALSE ? 1 : (int)value_int(argv[0]);
}
static _Noreturn void raise_exit(int status, Value message)
{
    Value exc = heap_alloc_slots(T_EXCEPTION, klass.SystemExit, 0);
    obj_init_field(exc, EXC_MESSAGE, message);
    ivar_set(exc, sym_intern("status"), int_fix(status));
    vm_raise(exc);
}
static Value kernel_exit(UNUSED Value self, int argc, const Value *argv)
{
    raise_exit(exit_status(argc, argv, 0), str_new_c("exit"));
}
static Value kernel_exit_now(UNUSED Value self, int argc, const Value *argv)
{
    int status = exit_status(argc, argv, 1);
    store_flush_left();
    _exit(status);
}
static Value kernel_abort(UNUSED Value self, int argc, const Value *argv)
{
    if (argc == 0) {
        if (vm.errinfo != V_NIL)
            exception_report(vm.errinfo);
        raise_exit(1, str_new_c("exit"));
    }
    Value text = str_to_str(argv[0]), line = str_dup(text);
    StrView v = str_view(line);
    if (!v.len || v.ptr[v.len - 1] != '\n')
        str_append_c(line, "\n");
    Value err = gvar_get(sym_intern("$stderr"));
    if (err != V_NIL)
        vm_call1(err, SYM(write), line);
    raise_exit(1, text);
}

/* ---- instance_eval, class_eval ---- */
static Value eval_text(Value self, Value module, Value singleton, int argc, const Value *argv)
{
    Frame *scope = frame_caller();
    char text[1200];
    const char *name;
    int line = argc > 2 ? (int)value_int(argv[2]) : 1;
    if (argc > 1 && argv[1] != V_NIL) {
        name = str_c(str_to_str(argv[1]));
    } else {
        snprintf(text, sizeof text, "(eval at %s:%d)", vm_current_file(), vm_current_line());
        name = text;
    }
    Value cref = cref_new(module, scope->cref, VIS_PUBLIC, singleton);
    return eval_in_env(argv[0], env_reify(scope), self, cref, name, line, V_NIL);
}
static Value eval_block(Value self, Value module, Value singleton, Value arg)
{
    BlockRef block = vm.fp->block;
    Value outer = ref_is_frame(block) ? ref_frame(block)->cref : obj_field(block, PROC_CREF);
    if (outer == V_NIL)
        outer = vm.top_cref;
    return vm_instance_exec(self, cref_new(module, outer, VIS_PUBLIC, singleton), block, 1, &arg);
}
static Value basic_instance_eval(Value self, int argc, const Value *argv)
{
    if (block_given()) {
        if (argc)
            raise_arity(argc, 0, 0);
        return eval_block(self, self, V_TRUE, self);
    }
    if (argc < 1)
        raise_error(klass.ArgumentError, "wrong number of arguments (given 0, expected 1..3)");
    return eval_text(self, self, V_TRUE, argc, argv);
}
static Value module_class_eval(Value self, int argc, const Value *argv)
{
    if (block_given()) {
        if (argc)
            raise_arity(argc, 0, 0);
        return eval_block(self, self, V_NIL, self);
    }
    if (argc < 1)
        raise_error(klass.ArgumentError, "wrong number of arguments (given 0, expected 1..3)");
    return eval_text(self, self, V_FALSE, argc, argv);
}

/* ---- warn ---- */
static Value kernel_warn_text(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value err = gvar_get(sym_intern("$stderr"));
    if (err != V_NIL)
        vm_call1(err, SYM(write), argv[0]);
    return V_NIL;
}
static Value kernel_verbose_p(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return vm.verbose_nil ? V_NIL : bool_value(vm.verbose);
}

static Value basic_initialize(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return V_NIL;
}

static const Builtin kernel_methods[] = {
    {"raise", kernel_raise, 0, -1, BI_KW | BI_MODULE_FUNCTION},
    {"fail", kernel_raise, 0, -1, BI_KW | BI_MODULE_FUNCTION},
    {"catch", kernel_catch, 0, 1, BI_MODULE_FUNCTION},
    {"throw", kernel_throw, 1, 2, BI_MODULE_FUNCTION},
    {"lambda", kernel_lambda, 0, 0, BI_MODULE_FUNCTION},
    {"proc", kernel_proc, 0, 0, BI_MODULE_FUNCTION},
    {"block_given?", kernel_block_given, 0, 0, BI_MODULE_FUNCTION},
    {"caller", kernel_caller, 0, 2, BI_MODULE_FUNCTION},
    {"caller_locations", kernel_caller_locations, 0, 2, BI_MODULE_FUNCTION},
    {"__method__", kernel_method_name, 0, 0, BI_MODULE_FUNCTION},
    {"__callee__", kernel_callee, 0, 0, BI_MODULE_FUNCTION},
    {"__dir__", kernel_dir, 0, 0, BI_MODULE_FUNCTION},
    {"global_variables", kernel_global_variables, 0, 0, BI_MODULE_FUNCTION},
    {"at_exit", kernel_at_exit, 0, 0, BI_MODULE_FUNCTION},
    {"exit", kernel_exit, 0, 1, BI_MODULE_FUNCTION},
    {"exit!", kernel_exit_now, 0, 1, BI_MODULE_FUNCTION},
    {"abort", kernel_abort, 0, 1, BI_MODULE_FUNCTION},
    {"__warn_write", kernel_warn_text, 1, 1, BI_HIDDEN | BI_MODULE_FUNCTION},
    {"__verbose", kernel_verbose_p, 0, 0, BI_HIDDEN | BI_MODULE_FUNCTION},
};
static const Builtin object_methods[] = {
    {"send", special_send, 0, -1, BI_SPECIAL},
    {"public_send", special_public_send, 0, -1, BI_SPECIAL},
};
static const Builtin basic_methods[] = {
    {"initialize", basic_initialize, 0, 0, BI_PRIVATE},
    {"__send__", special_send, 0, -1, BI_SPECIAL},
    {"instance_exec", special_instance_exec, 0, -1, BI_SPECIAL},
    {"instance_eval", basic_instance_eval, 0, 3, 0},
    {"method_missing", call_default_method_missing, 0, -1, BI_PRIVATE},
};
static const Builtin module_methods[] = {
    {"class_exec", special_class_exec, 0, -1, BI_SPECIAL},
    {"module_exec", special_class_exec, 0, -1, BI_SPECIAL},
    {"class_eval", module_class_eval, 0, 3, 0},
    {"module_eval", module_class_eval, 0, 3, 0},
};
static const Builtin class_methods[] = {{"new", special_new, 0, -1, BI_SPECIAL}};
static const Builtin thread_singleton[] = {{"each_caller_location", thread_s_each_caller_location, 0, 2, BI_KW}};
static const Builtin process_singleton[] = {
    {"exit", kernel_exit, 0, 1, 0},
    {"exit!", kernel_exit_now, 0, 1, 0},
    {"abort", kernel_abort, 0, 1, 0},
};

void control_boot(void)
{
    ADD_BUILTINS(klass.Kernel, kernel_methods);
    ADD_BUILTINS(klass.Kernel, object_methods);
    ADD_BUILTINS(klass.BasicObject, basic_methods);
    ADD_BUILTINS(klass.Module, module_methods);
    ADD_BUILTINS(klass.Class, class_methods);
    ADD_SINGLETON_BUILTINS(klass.Thread, thread_singleton);
    ADD_SINGLETON_BUILTINS(klass.Process, process_singleton);
}
