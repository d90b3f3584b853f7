/*
 * exception.c: Exception and the extra methods of its subclasses.
 *
 * The fields are those of vm_state.h (EXC_*).  What a subclass adds (name, receiver, status ...) are hidden instance
 * variables.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

static Value hidden(Value self, const char *name)
{
    Value v = ivar_get(self, sym_intern(name));
    return v == V_UNDEF ? V_NIL : v;
}
#define HIDDEN_READER(fn, name) \
    static Value fn(Value self, UNUSED int argc, UNUSED const Value *argv) \
    { \
        return hidden(self, name); \
    }

static Value exc_initialize(Value self, int argc, const Value *argv)
{
    if (argc)
        obj_set_field(self, EXC_MESSAGE, argv[0]);
    return V_NIL;
}

static Value exc_s_exception(Value self, int argc, const Value *argv)
{
    if (call_keywords())
        return vm_call_kw(self, SYM(new), argc, argv);
    return vm_call(self, SYM(new), argc, argv);
}

static Value exc_exception(Value self, int argc, const Value *argv)
{
    if (argc == 0 || argv[0] == self)
        return self;
    Value copy = obj_clone(self, V_NIL);
    obj_set_field(copy, EXC_MESSAGE, argv[0]);
    return copy;
}

static Value exc_to_s(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value m = obj_field(self, EXC_MESSAGE);
    if (m == V_NIL)
        return str_format("%C", class_real(self));
    return is_string(m) ? m : obj_to_s(m);
}

static Value exc_message(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return obj_to_s(self);
}

static bool wants_highlight(Value opts)
{
    Value h = keyword_get(opts, "highlight");
    if (h == V_UNDEF || h == V_NIL || h == V_FALSE)
        return false;
    if (h != V_TRUE)
        raise_error(klass.ArgumentError, "expected true or false as highlight: %V", h);
    return true;
}

static Value exc_detailed_message(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    bool highlight = wants_highlight(opts);
    Value m = vm_call0(self, SYM(message));
    return exception_detailed(self, is_string(m) ? m : str_new("", 0), highlight);
}

static Value exc_full_message(Value self, int argc, const Value *argv)
{
    extern int isatty(int);
    Value opts = call_take_keywords(&argc, argv), order = keyword_get(opts, "order");
    Value h = keyword_get(opts, "highlight");
    bool reverse = order != V_UNDEF && order == sym_intern("bottom");
    if (order != V_UNDEF && order != V_NIL && !reverse && order != sym_intern("top"))
        raise_error(klass.ArgumentError, "expected :top or :bottom as order: %V", order);
    bool bright = h == V_UNDEF || h == V_NIL ? isatty(2) : wants_highlight(opts);
    return exception_full_message(self, bright, reverse);
}

static Value exc_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value s = obj_to_s(self);
    if (str_view(s).len == 0)
        return str_format("%C", class_real(self));
    if (memchr(str_view(s).ptr, '\n', str_view(s).len))
        return str_format("#<%C:%V>", class_real(self), s);
    return str_format("#<%C: %T>", class_real(self), s);
}

static Value exc_backtrace(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value bt = obj_field(self, EXC_BACKTRACE), trace = obj_field(self, EXC_TRACE);
    if (bt != V_NIL || trace == V_NIL)
        return bt;
    bt = backtrace_strings(trace);
    if (!obj_frozen_bit(self))
        obj_set_field(self, EXC_BACKTRACE, bt);
    return bt;
}

static Value exc_backtrace_locations(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value list = obj_field(self, EXC_LOCATIONS), trace = obj_field(self, EXC_TRACE);
    if (list != V_NIL || trace == V_NIL)
        return list;
    list = backtrace_locations_of(trace);
    if (!obj_frozen_bit(self))
        obj_set_field(self, EXC_LOCATIONS, list);
    return list;
}

static Value exc_set_backtrace(Value self, UNUSED int argc, const Value *argv)
{
    Value bt = is_string(argv[0]) ? ary_new_from(1, argv) : argv[0];
    size_t n = is_array(bt) ? ary_len(bt) : 0, strings = 0, locations = 0;
    for (size_t i = 0; i < n; i++) {
        Value row = ary_get(bt, (long)i);
        strings += is_string(row);
        locations += is_backtrace_location(row);
    }
    if ((bt != V_NIL && !is_array(bt)) || (strings != n && locations != n))
        raise_error(klass.TypeError, "backtrace must be an Array of String or an Array of Thread::Backtrace::Location");
    if (n && locations == n) {
        Value texts = ary_new(n);
        for (size_t i = 0; i < n; i++)
            ary_push(texts, obj_to_s(ary_get(bt, (long)i)));
        obj_set_field(self, EXC_LOCATIONS, bt);
        obj_set_field(self, EXC_BACKTRACE, texts);
    } else {
        if (bt == V_NIL) { /* the next raise makes a new one */
            obj_set_field(self, EXC_TRACE, V_NIL);
            obj_set_field(self, EXC_LOCATIONS, V_NIL);
        }
        obj_set_field(self, EXC_BACKTRACE, bt);
    }
    return bt;
}

static Value exc_cause(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return obj_field(self, EXC_CAUSE);
}

static Value exc_equal(Value self, UNUSED int argc, const Value *argv)
{
    if (self == argv[0])
        return V_TRUE;
    if (class_real(self) != class_real(argv[0]))
        return V_FALSE;
    return bool_value(obj_equal(vm_call0(self, SYM(message)), vm_call0(argv[0], SYM(message))) &&
                      obj_equal(exc_backtrace(self, 0, NULL), vm_call0(argv[0], SYM(backtrace))));
}

static Value exc_s_to_tty(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    extern int isatty(int);
    return bool_value(isatty(2));
}

static const Builtin exception_methods[] = {
    {"initialize", exc_initialize, 0, 1, BI_PRIVATE},
    {"exception", exc_exception, 0, 1, 0},
    {"to_s", exc_to_s, 0, 0, 0},
    {"message", exc_message, 0, 0, 0},
    {"detailed_message", exc_detailed_message, 0, 0, BI_KW},
    {"full_message", exc_full_message, 0, 0, BI_KW},
    {"inspect", exc_inspect, 0, 0, 0},
    {"backtrace", exc_backtrace, 0, 0, 0},
    {"backtrace_locations", exc_backtrace_locations, 0, 0, 0},
    {"set_backtrace", exc_set_backtrace, 1, 1, 0},
    {"cause", exc_cause, 0, 0, 0},
    {"==", exc_equal, 1, 1, 0},
};
static const Builtin exception_singleton[] = {
    {"exception", exc_s_exception, 0, -1, BI_KW},
    {"to_tty?", exc_s_to_tty, 0, 0, 0},
};

/* ---- NameError, NoMethodError, KeyError, FrozenError ---- */
static Value need(Value self, const char *name)
{
    Value v = ivar_get(self, sym_intern(name));
    if (v == V_UNDEF)
        raise_error(klass.ArgumentError, "no %s is available", name);
    return v;
}
static void take_hidden(Value self, Value opts, const char *name)
{
    Value v = keyword_get(opts, name);
    if (v != V_UNDEF)
        ivar_set(self, sym_intern(name), v);
}

static Value name_error_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    static const char *const names[] = {"receiver", NULL};
    keywords_only(opts, names);
    exc_initialize(self, argc, argv);
    ivar_set(self, sym_intern("name"), argc > 1 ? argv[1] : V_NIL);
    take_hidden(self, opts, "receiver");
    return V_NIL;
}
static Value no_method_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    exc_initialize(self, argc, argv);
    ivar_set(self, sym_intern("name"), argc > 1 ? argv[1] : V_NIL);
    ivar_set(self, sym_intern("args"), argc > 2 ? argv[2] : ary_new(0));
    ivar_set(self, sym_intern("private_call?"), bool_value(argc > 3 && truthy(argv[3])));
    take_hidden(self, opts, "receiver");
    return V_NIL;
}
static Value key_error_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    static const char *const names[] = {"receiver", "key", NULL};
    keywords_only(opts, names);
    exc_initialize(self, argc, argv);
    take_hidden(self, opts, "receiver");
    take_hidden(self, opts, "key");
    return V_NIL;
}
static Value pattern_key_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    exc_initialize(self, argc, argv);
    take_hidden(self, opts, "matchee");
    take_hidden(self, opts, "key");
    return V_NIL;
}
static Value frozen_error_initialize(Value self, int argc, const Value *argv)
{
    Value opts = call_take_keywords(&argc, argv);
    exc_initialize(self, argc, argv);
    take_hidden(self, opts, "receiver");
    return V_NIL;
}
static Value need_receiver(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return need(self, "receiver");
}
static Value need_key(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return need(self, "key");
}
static Value need_matchee(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return need(self, "matchee");
}
HIDDEN_READER(read_name, "name")
HIDDEN_READER(read_args, "args")
static Value read_private_call(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return bool_value(truthy(hidden(self, "private_call?")));
}
static Value name_error_local_variables(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return ary_new(0);
}
static const Builtin name_error_methods[] = {
    {"initialize", name_error_initialize, 0, 2, BI_KW | BI_PRIVATE},
    {"name", read_name, 0, 0, 0},
    {"receiver", need_receiver, 0, 0, 0},
    {"local_variables", name_error_local_variables, 0, 0, 0},
};
static const Builtin no_method_methods[] = {
    {"initialize", no_method_initialize, 0, 4, BI_KW | BI_PRIVATE},
    {"args", read_args, 0, 0, 0},
    {"private_call?", read_private_call, 0, 0, 0},
};
static const Builtin key_error_methods[] = {
    {"initialize", key_error_initialize, 0, 1, BI_KW | BI_PRIVATE},
    {"key", need_key, 0, 0, 0},
    {"receiver", need_receiver, 0, 0, 0},
};
static const Builtin pattern_key_methods[] = {
    {"initialize", pattern_key_initialize, 0, 1, BI_KW | BI_PRIVATE},
    {"key", need_key, 0, 0, 0},
    {"matchee", need_matchee, 0, 0, 0},
};
static const Builtin frozen_error_methods[] = {
    {"initialize", frozen_error_initialize, 0, 1, BI_KW | BI_PRIVATE},
    {"receiver", need_receiver, 0, 0, 0},
};

/* ---- StopIteration, LocalJumpError, UncaughtThrowError, LoadError, SyntaxError ---- */
HIDDEN_READER(read_result, "result")
HIDDEN_READER(read_reason, "@reason")
HIDDEN_READER(read_exit_value, "@exit_value")
HIDDEN_READER(read_tag, "tag")
HIDDEN_READER(read_value, "value")
HIDDEN_READER(read_path, "path")
static Value set_result(Value self, UNUSED int argc, const Value *argv)
{
    ivar_set(self, sym_intern("result"), argv[0]);
    return argv[0];
}
static const Builtin stop_iteration_methods[] = {
    {"result", read_result, 0, 0, 0},
    {"__result=", set_result, 1, 1, BI_HIDDEN},
};
static const Builtin local_jump_methods[] = {
    {"reason", read_reason, 0, 0, 0},
    {"exit_value", read_exit_value, 0, 0, 0},
};
static const Builtin uncaught_throw_methods[] = {
    {"tag", read_tag, 0, 0, 0},
    {"value", read_value, 0, 0, 0},
};
static const Builtin path_methods[] = {{"path", read_path, 0, 0, 0}};

/* ---- SystemExit ---- */
static Value system_exit_initialize(Value self, int argc, const Value *argv)
{
    Value status = int_fix(0);
    if (argc && (argv[0] == V_TRUE || argv[0] == V_FALSE || is_fixnum(argv[0]))) {
        status = argv[0] == V_TRUE ? int_fix(0) : argv[0] == V_FALSE ? int_fix(1) : argv[0];
        argc--;
        argv++;
    }
    ivar_set(self, sym_intern("status"), status);
    obj_set_field(self, EXC_MESSAGE, argc ? argv[0] : str_new_c("exit"));
    return V_NIL;
}
HIDDEN_READER(system_exit_status, "status")
static Value system_exit_success(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    Value s = hidden(self, "status");
    return bool_value(s == V_NIL || s == int_fix(0));
}
static const Builtin system_exit_methods[] = {
    {"initialize", system_exit_initialize, 0, 2, BI_PRIVATE},
    {"status", system_exit_status, 0, 0, 0},
    {"success?", system_exit_success, 0, 0, 0},
};

/* ---- SystemCallError: SystemCallError.new(msg, 2) gives an Errno::ENOENT ---- */
static Value system_call_error_s_new(Value self, int argc, const Value *argv)
{
    Value message = argc ? argv[0] : V_NIL, number = argc > 1 ? argv[1] : V_NIL, func = argc > 2 ? argv[2] : V_NIL;
    Value cls = self;
    if (self == klass.SystemCallError) {
        if (argc == 1 && is_fixnum(message)) {
            number = message;
            message = V_NIL;
        }
        if (argc == 0)
            raise_arity(0, 1, 3);
        if (number != V_NIL)
            cls = errno_class((int)value_int(number));
    } else {
        number = const_find(self, sym_intern("Errno"), true);
        if (number == V_UNDEF)
            number = V_NIL;
        func = argc > 1 ? argv[1] : V_NIL;
    }
    Value text = number == V_NIL ? str_new_c("unknown error") : str_new_c(strerror((int)fix_int(number)));
    if (func != V_NIL)
        text = str_format("%T @ %T", text, func);
    if (message != V_NIL)
        text = str_format("%T - %T", text, str_to_str(message));
    Value exc = obj_alloc(cls);
    obj_set_field(exc, EXC_MESSAGE, text);
    ivar_set(exc, sym_intern("errno"), number);
    MethodEntry *init = method_find(cls, SYM(initialize));
    if (init && init->kind != ME_BUILTIN) {
        vm_call(exc, SYM(initialize), argc, argv);
        if (obj_field(exc, EXC_MESSAGE) == V_NIL || is_string(obj_field(exc, EXC_MESSAGE)))
            return exc;
    }
    return exc;
}
static Value system_call_error_s_eqq(Value self, UNUSED int argc, const Value *argv)
{
    if (!obj_is_kind_of(argv[0], klass.SystemCallError))
        return V_FALSE;
    if (self == klass.SystemCallError || obj_is_kind_of(argv[0], self))
        return V_TRUE;
    Value a = const_find(self, sym_intern("Errno"), true), b = hidden(argv[0], "errno");
    return bool_value(a != V_UNDEF && a == b);
}
HIDDEN_READER(system_call_error_errno, "errno")
static const Builtin system_call_error_methods[] = {{"errno", system_call_error_errno, 0, 0, 0}};
static const Builtin system_call_error_singleton[] = {
    {"new", system_call_error_s_new, 0, 3, 0},
    {"===", system_call_error_s_eqq, 1, 1, 0},
};

/* ---- SignalException, Interrupt ---- */
static Value signal_initialize(Value self, int argc, const Value *argv)
{
    if (argc == 0)
        raise_arity(0, 1, 2);
    bool named = is_symbol(argv[0]) || is_string(argv[0]);
    if (named && argc > 1)
        raise_arity(argc, 1, 1);
    if (!named && !is_fixnum(argv[0]) && obj_try_convert(argv[0], T_STRING, "String", SYM(to_str)) == V_NIL)
        raise_error(klass.ArgumentError, "bad signal type %C", class_real(argv[0]));
    int n = signal_number(argv[0]);
    if (is_fixnum(argv[0]) && (n < 0 || n > 64))
        raise_error(klass.ArgumentError, "invalid signal number (%d)", n);
    if (n < 0)
        raise_error(klass.ArgumentError, "unsupported signal '%T'", signal_prefixed(argv[0]));
    ivar_set(self, sym_intern("signo"), int_fix(n));
    Value text;
    if (argc > 1)
        text = argv[1];
    else
        text = sigabbrev_np(n) ? str_format("SIG%s", sigabbrev_np(n)) : str_format("SIG%d", n);
    obj_set_field(self, EXC_MESSAGE, text);
    return V_NIL;
}
static Value interrupt_initialize(Value self, int argc, const Value *argv)
{
    ivar_set(self, sym_intern("signo"), int_fix(SIGINT));
    obj_set_field(self, EXC_MESSAGE, argc ? argv[0] : str_new_c("Interrupt"));
    return V_NIL;
}
HIDDEN_READER(signal_signo, "signo")
static const Builtin signal_methods[] = {
    {"initialize", signal_initialize, 0, 2, BI_PRIVATE},
    {"signo", signal_signo, 0, 0, 0},
    {"signm", exc_message, 0, 0, 0},
};
static const Builtin interrupt_methods[] = {{"initialize", interrupt_initialize, 0, 1, BI_PRIVATE}};

void exception_boot(void)
{
    Value names[EXC_FIELDS] = {SYM(message), SYM(backtrace), SYM(cause), SYM(backtrace_locations), sym_intern("trace")};
    class_set_fields(klass.Exception, T_EXCEPTION, names, EXC_FIELDS);
    ADD_BUILTINS(klass.Exception, exception_methods);
    ADD_SINGLETON_BUILTINS(klass.Exception, exception_singleton);
    ADD_BUILTINS(klass.NameError, name_error_methods);
    ADD_BUILTINS(klass.NoMethodError, no_method_methods);
    ADD_BUILTINS(klass.KeyError, key_error_methods);
    ADD_BUILTINS(klass.NoMatchingPatternKeyError, pattern_key_methods);
    ADD_BUILTINS(klass.FrozenError, frozen_error_methods);
    ADD_BUILTINS(klass.StopIteration, stop_iteration_methods);
    ADD_BUILTINS(klass.LocalJumpError, local_jump_methods);
    ADD_BUILTINS(klass.UncaughtThrowError, uncaught_throw_methods);
    ADD_BUILTINS(klass.LoadError, path_methods);
    ADD_BUILTINS(klass.SyntaxError, path_methods);
    ADD_BUILTINS(klass.SystemExit, system_exit_methods);
    ADD_BUILTINS(klass.SystemCallError, system_call_error_methods);
    ADD_SINGLETON_BUILTINS(klass.SystemCallError, system_call_error_singleton);
    ADD_BUILTINS(klass.SignalException, signal_methods);
    ADD_BUILTINS(klass.Interrupt, interrupt_methods);
}
