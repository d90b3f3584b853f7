/*
 * raise.c: making exceptions from C: messages with Values in them, and the errors every class raises.
 */
#include "vm/interp/vm_state.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* printf plus %V (inspect), %T (to_s), %C (class name).  *ap is used up as far as the format goes. */
Value format_message(const char *format, va_list *ap)
{
    Value out = str_new("", 0);
    const char *p = format;
    while (*p) {
        const char *percent = strchr(p, '%');
        if (!percent) {
            str_append_c(out, p);
            break;
        }
        str_append(out, p, (size_t)(percent - p));
        p = percent + 1;
        if (*p == '%') {
            str_append(out, "%", 1);
            p++;
        } else if (*p == 'V') {
            str_append_str(out, obj_inspect(va_arg(*ap, Value)));
            p++;
        } else if (*p == 'T') {
            str_append_str(out, obj_to_s(va_arg(*ap, Value)));
            p++;
        } else if (*p == 'C') {
            Value v = va_arg(*ap, Value);
            str_append_c(out, class_name_c(is_module(v) ? v : class_real(v)));
            p++;
        } else {
            char spec[32], text[512];
            size_t n = 0;
            spec[n++] = '%';
            int longs = 0, star[2], stars = 0;
            while (*p && strchr("-+ #0123456789.*lhzjt", *p) && n < sizeof spec - 2) {
                if (*p == '*' && stars < 2)
                    star[stars++] = va_arg(*ap, int);
                longs += *p == 'l' || *p == 'z' || *p == 'j' || *p == 't';
                spec[n++] = *p++;
            }
            spec[n++] = *p;
            spec[n] = 0;
#define FORMAT_ARG(v) \
    (stars == 2 ? snprintf(text, sizeof text, spec, star[0], star[1], v) \
     : stars == 1 ? snprintf(text, sizeof text, spec, star[0], v) : snprintf(text, sizeof text, spec, v))
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            switch (*p) {
            case 's': {
                const char *s = va_arg(*ap, const char *);
                if (n == 2) {
                    str_append_c(out, s);
                    text[0] = 0;
                } else {
                    FORMAT_ARG(s);
                }
                break;
            }
            case 'c':
                FORMAT_ARG(va_arg(*ap, int));
                break;
            case 'f': case 'g': case 'e': case 'G': case 'E':
                FORMAT_ARG(va_arg(*ap, double));
                break;
            case 'p':
                FORMAT_ARG(va_arg(*ap, void *));
                break;
            default:
                if (longs)
                    FORMAT_ARG(va_arg(*ap, long));
                else
                    FORMAT_ARG(va_arg(*ap, int));
            }
#pragma GCC diagnostic pop
            str_append_c(out, text);
            if (*p)
                p++;
        }
    }
    return out;
}

static Value exception_with_message(Value cls, Value message)
{
    Value exc = heap_alloc_slots(T_EXCEPTION, cls, 0);
    obj_init_field(exc, EXC_MESSAGE, message);
    return exc;
}

Value exception_new(Value cls, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = format_message(format, &ap);
    va_end(ap);
    return exception_with_message(cls, message);
}

void raise_no_memory(void)
{
    raise_error(klass.NoMemoryError, "failed to allocate memory");
}

void raise_error(Value cls, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = format_message(format, &ap);
    va_end(ap);
    vm_raise(exception_with_message(cls, message));
}

void raise_frozen(Value obj)
{
    Value text = str_format("can't modify frozen %C: ", class_real(obj));
    str_append_str(text, obj_inspect(obj));
    Value exc = exception_with_message(klass.FrozenError, text);
    ivar_set(exc, SYM(receiver), obj);
    vm_raise(exc);
}

void raise_arity(int given, int min, int max)
{
    if (max < 0)
        raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected %d+)", given, min);
    if (min == max)
        raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected %d)", given, min);
    raise_error(klass.ArgumentError, "wrong number of arguments (given %d, expected %d..%d)", given, min, max);
}

/* nil, true and false are named by value, others by class. */
void raise_no_conversion(Value v, const char *to)
{
    if (v == V_NIL || v == V_TRUE || v == V_FALSE)
        raise_error(klass.TypeError, "no implicit conversion of %V into %s", v, to);
    raise_error(klass.TypeError, "no implicit conversion of %C into %s", class_real(v), to);
}

/* name, number and text of each errno: rows of errno.def. */
static const struct {
    const char *name;
    int number;
} errno_names[] = {
#define ERRNO(name) {#name, name},
#include "vm/interp/errno.def"
#undef ERRNO
};

Value errno_class(int err)
{
    for (size_t i = 0; i < COUNT_OF(errno_names); i++)
        if (errno_names[i].number == err) {
            Value cls = const_find(klass.Errno, sym_intern(errno_names[i].name), false);
            if (cls != V_UNDEF)
                return cls;
        }
    return klass.SystemCallError;
}

void errno_boot(void)
{
    for (size_t i = 0; i < COUNT_OF(errno_names); i++) {
        Value name = sym_intern(errno_names[i].name);
        Value same = V_UNDEF;
        for (size_t j = 0; j < i && same == V_UNDEF; j++)
            if (errno_names[j].number == errno_names[i].number)
                same = const_find(klass.Errno, sym_intern(errno_names[j].name), false);
        if (same != V_UNDEF) {
            const_set(klass.Errno, name, same);
            continue;
        }
        Value cls = class_define_under(klass.Errno, errno_names[i].name, klass.SystemCallError);
        const_set(cls, sym_intern("Errno"), int_fix(errno_names[i].number));
    }
}

void raise_errno(int err, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value detail = format_message(format ? format : "", &ap);
    va_end(ap);
    Value text = str_new_c(strerror(err));
    StrView v = str_view(detail);
    if (v.len) {
        /* CRuby's "@ rb_sysopen - path" names its own functions; the caller's text decides. */
        str_append_c(text, v.ptr[0] == '@' ? " " : " - ");
        str_append_str(text, detail);
    }
    Value exc = exception_with_message(errno_class(err), text);
    ivar_set(exc, sym_intern("errno"), int_fix(err));
    vm_raise(exc);
}

void raise_name_error(Value recv, Value name, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = format_message(format, &ap);
    va_end(ap);
    Value exc = exception_with_message(klass.NameError, message);
    ivar_set(exc, SYM(name), name);
    ivar_set(exc, SYM(receiver), recv);
    vm_raise(exc);
}

void raise_key_error(Value recv, Value key, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    Value message = format_message(format, &ap);
    va_end(ap);
    Value exc = exception_with_message(klass.KeyError, message);
    ivar_set(exc, SYM(key), key);
    ivar_set(exc, SYM(receiver), recv);
    vm_raise(exc);
}

void raise_stop_iteration(Value result, const char *message)
{
    Value exc = exception_new(klass.StopIteration, "%s", message);
    ivar_set(exc, sym_intern("result"), result);
    vm_raise(exc);
}

void raise_not_implemented(const char *what)
{
    raise_error(klass.NotImplementedError, "%s is not implemented", what);
}

/* Which Ruby class an error of the C layers becomes. */
Value error_to_exception(void)
{
    const ErrorData *err = error_caught();
    Value cls = klass.RuntimeError;
    switch (err->code) {
    case ERR_OUT_OF_MEMORY:
        cls = klass.NoMemoryError;
        break;
    case ERR_IO:
    case ERR_NO_FILE:
    case ERR_NO_PERMISSION:
    case ERR_DISK_FULL:
        cls = err->saved_errno ? errno_class(err->saved_errno) : klass.IOError;
        break;
    case ERR_TRANSACTION_TIMEOUT:
        cls = const_find(klass.Maglev, sym_intern("TransactionTimeout"), false);
        break;
    default:
        break;
    }
    Value text = str_new_c(err->message);
    if (err->detail[0]) {
        str_append_c(text, " (");
        str_append_c(text, err->detail);
        str_append_c(text, ")");
    }
    return exception_with_message(cls, text);
}

static void warn_write(Value text, Value message)
{
    str_append_c(text, "warning: ");
    StrView v = str_view(message);
    str_append(text, v.ptr, v.len);
    v = str_view(text);
    if (!v.len || v.ptr[v.len - 1] != '\n')
        str_append_c(text, "\n");
    if (vm.booted)
        vm_call1(klass.Warning, sym_intern("warn"), text);
    else
        fwrite(str_view(text).ptr, 1, str_view(text).len, stderr);
}

bool warn_wanted(const char *category)
{
    return !vm.verbose_nil && vm.booted && truthy(vm_call1(klass.Warning, SYM(op_aref), sym_intern(category)));
}

static void warn_here(const char *format, va_list *ap)
{
    Value message = format_message(format, ap);
    Frame *f = frame_ruby(vm.fp);
    Value text = str_new_c("");
    if (f > vm.frames && vm.booted)
        text = str_format("%T:%d: ", slot_read((Value)f->code, &f->code->path), vm_current_line());
    warn_write(text, message);
}

void warn_printf(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!vm.verbose_nil)
        warn_here(format, &ap);
    va_end(ap);
}

void warn_printf_verbose(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (vm.verbose)
        warn_here(format, &ap);
    va_end(ap);
}

void warn_printf_at(Value location, const char *format, ...)
{
    if (vm.verbose_nil || !is_array(location) || ary_len(location) != 2)
        return;
    va_list ap;
    va_start(ap, format);
    Value message = format_message(format, &ap);
    va_end(ap);
    warn_write(str_format("%T:%T: ", ary_get(location, 0), ary_get(location, 1)), message);
}
