/*
 * backtrace.c: where execution stands, as raw rows, as Strings, as locations; and the report of an uncaught exception.
 *
 * A raw backtrace is a hidden Array of triples, innermost first: code (or nil for a built-in), word of the pc,
 * method entry (or nil).  Strings are made when somebody looks.  A frame of a built-in, and of the Ruby part of core,
 * shows the position of the nearest Ruby code below it; primitives and blocks of that part do not show at all.
 */
#include "vm/interp/vm_state.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool hidden(const Frame *f)
{
    if (f->code)
        return (f->code->flags & CODE_INTERNAL) && (f->code->kind == CODE_BLOCK || f->code->kind == CODE_LAMBDA ||
                                                    f->code->kind == CODE_TOP || !f->me || (f->me->flags & BI_HIDDEN) ||
                                                    strncmp(sym_text(symbol_value(f->me->name)), "__", 2) == 0);
    return !f->me || (f->me->flags & BI_HIDDEN) || f->me->name == SYMID_const_missing;
}

static Value capture(Frame *frames, Frame *top, int skip)
{
    Value raw = ary_new(24);
    for (Frame *f = top; f > frames; f--) {
        if (hidden(f))
            continue;
        if (skip-- > 0)
            continue;
        ary_push(raw, f->code ? (Value)f->code : V_NIL);
        ary_push(raw, int_fix(f->code ? f->pc - f->code->words : 0));
        ary_push(raw, f->me ? (Value)f->me : V_NIL);
    }
    return raw;
}

Value backtrace_capture(int skip)
{
    return capture(vm.frames, vm.fp, skip);
}

Value backtrace_capture_of(Frame *frames, Frame *top)
{
    return capture(frames, top, 0);
}

/* "Foo#bar", "Foo.bar", or "bar" when the owner has no name. */
static Value method_label(MethodEntry *me)
{
    Value name = symbol_value(me->original_name ? me->original_name : me->name);
    Value owner = slot_read((Value)me, &me->owner);
    if (is_type(owner, T_ICLASS))
        owner = class_owner_at(owner);
    if (is_class(owner) && class_is_singleton(owner)) {
        Value obj = class_attached_object(owner);
        if (is_module(obj) && class_name(obj) != V_NIL)
            return str_format("%T.%T", class_name(obj), name);
        return str_format("%T", name);
    }
    Value cname = is_module(owner) ? class_name(owner) : V_NIL;
    if (cname == V_NIL)
        return str_format("%T", name);
    return str_format("%T#%T", cname, name);
}

static Value label_of(Value code_v, Value me_v)
{
    if (code_v == V_NIL)
        return method_label((MethodEntry *)me_v);
    int depth = 0;
    Value c = code_v;
    for (;;) {
        Code *code = (Code *)c;
        Value outer = slot_read(c, &code->outer);
        if (code->kind == CODE_BLOCK || code->kind == CODE_LAMBDA)
            depth++;
        else if (code->kind != CODE_EVAL)
            break;
        if (outer == V_NIL)
            break;
        c = outer;
    }
    Code *home = (Code *)c;
    Value label;
    if (me_v != V_NIL && home->kind == CODE_METHOD)
        label = method_label((MethodEntry *)me_v);
    else
        label = home->name ? str_format("%T", symbol_value(home->name)) : str_new_c("<main>");
    if (depth == 1)
        return str_format("block in %T", label);
    if (depth > 1)
        return str_format("block (%d levels) in %T", depth, label);
    return label;
}

static bool shows_caller_position(Value code)
{
    return code == V_NIL || (((Code *)code)->flags & CODE_INTERNAL);
}

/* Path and line of row i: its own, or those of the nearest Ruby code below. */
static bool position_of(Value raw, size_t i, Value *path, int *line)
{
    size_t n = ary_len(raw);
    for (; i + 2 < n; i += 3) {
        Value code = ary_get(raw, (long)i);
        if (shows_caller_position(code))
            continue;
        *path = slot_read(code, &((Code *)code)->path);
        int64_t word = fix_int(ary_get(raw, (long)i + 1));
        *line = word < 0 ? (int)((Code *)code)->first_line : code_line_at((Code *)code, (uint32_t)word);
        return true;
    }
    *path = str_new_c("<internal>");
    *line = 0;
    return false;
}

static Value row_string(Value raw, size_t i)
{
    Value path;
    int line;
    position_of(raw, i, &path, &line);
    Value code = ary_get(raw, (long)i), me = ary_get(raw, (long)i + 2);
    if (line == 0) /* eval may say so: no line at all */
        return str_format("%T:in '%T'", path, label_of(code, me));
    return str_format("%T:%d:in '%T'", path, line, label_of(code, me));
}

Value backtrace_strings(Value raw)
{
    size_t n = ary_len(raw);
    Value list = ary_new(n / 3);
    for (size_t i = 0; i + 2 < n; i += 3)
        ary_push(list, row_string(raw, i));
    return list;
}

Value backtrace_slice(Value list, int argc, const Value *argv)
{
    long n = (long)ary_len(list), start = 0, count = -1;
    if (argc && is_type(argv[0], T_RANGE)) {
        if (!range_start_len(argv[0], n, &start, &count))
            return V_NIL;
    } else if (argc) {
        start = (long)value_int(argv[0]);
        if (start < 0)
            raise_error(klass.ArgumentError, "negative level (%ld)", start);
        if (argc > 1 && argv[1] != V_NIL) {
            count = (long)value_int(argv[1]);
            if (count < 0)
                raise_error(klass.ArgumentError, "negative size (%ld)", count);
        }
    }
    if (start > n)
        return V_NIL;
    if (count < 0 || count > n - start)
        count = n - start;
    return ary_subseq(list, (size_t)start, (size_t)count);
}

Value vm_backtrace(int skip)
{
    Value raw = backtrace_capture(0), all = backtrace_strings(raw);
    if ((size_t)skip > ary_len(all))
        return V_NIL;
    return ary_subseq(all, (size_t)skip, ary_len(all) - (size_t)skip);
}

/* ---- Thread::Backtrace::Location: a frozen snapshot of one row ---- */
static Value location_class;

Value backtrace_locations_of(Value raw)
{
    size_t n = ary_len(raw);
    Value list = ary_new(n / 3);
    for (size_t i = 0; i + 2 < n; i += 3) {
        Value path;
        int line;
        position_of(raw, i, &path, &line);
        Value loc = obj_alloc(location_class);
        Value code = ary_get(raw, (long)i), me = ary_get(raw, (long)i + 2);
        ivar_set(loc, sym_intern("path"), path);
        ivar_set(loc, sym_intern("lineno"), int_fix(line));
        ivar_set(loc, sym_intern("label"), label_of(code, me));
        Value name = V_NIL;
        if (me != V_NIL)
            name = sym_name_str(symbol_value(((MethodEntry *)me)->name));
        else if (code != V_NIL && ((Code *)code)->name)
            name = sym_name_str(symbol_value(((Code *)code)->name));
        ivar_set(loc, sym_intern("base_label"), name);
        ary_push(list, loc);
    }
    return list;
}

bool is_backtrace_location(Value v)
{
    return is_heap(v) && class_real(v) == location_class;
}

static Value location_get(Value self, const char *name)
{
    Value v = ivar_get(self, sym_intern(name));
    return v == V_UNDEF ? V_NIL : v;
}
static Value location_path(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return location_get(self, "path");
}
static Value location_absolute_path(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return load_absolute_path(location_get(self, "path"));
}
static Value location_lineno(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return location_get(self, "lineno");
}
static Value location_label(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return location_get(self, "label");
}
static Value location_base_label(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return location_get(self, "base_label");
}
static Value location_to_s(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return str_format("%T:%T:in '%T'", location_get(self, "path"), location_get(self, "lineno"),
                      location_get(self, "label"));
}
static Value location_inspect(Value self, UNUSED int argc, UNUSED const Value *argv)
{
    return str_inspect(location_to_s(self, 0, NULL));
}

static const Builtin location_methods[] = {
    {"path", location_path, 0, 0, 0},
    {"absolute_path", location_absolute_path, 0, 0, 0},
    {"lineno", location_lineno, 0, 0, 0},
    {"label", location_label, 0, 0, 0},
    {"base_label", location_base_label, 0, 0, 0},
    {"to_s", location_to_s, 0, 0, 0},
    {"inspect", location_inspect, 0, 0, 0},
};

void backtrace_boot(void)
{
    Value bt = class_define_under(klass.Thread, "Backtrace", klass.Object);
    location_class = class_define_under(bt, "Location", klass.Object);
    heap_add_root(&location_class);
    ADD_BUILTINS(location_class, location_methods);
}

/* ---- the place of the running code ---- */
static Frame *user_frame(void)
{
    Frame *f = frame_ruby(vm.fp);
    while (f > vm.frames && (f->code->flags & CODE_INTERNAL))
        f = frame_ruby(f - 1);
    return f;
}

const char *vm_current_file(void)
{
    Frame *f = user_frame();
    return f > vm.frames ? str_view(slot_read((Value)f->code, &f->code->path)).ptr : "(eval)";
}

int vm_current_line(void)
{
    Frame *f = user_frame();
    if (f <= vm.frames)
        return 0;
    return f->pc < f->code->words ? (int)f->code->first_line : code_line_at(f->code, (uint32_t)(f->pc - f->code->words));
}

bool vm_allocation_site(Value *code, uint32_t *word, Value *method)
{
    Frame *f = vm.fp;
    while (f > vm.frames && (hidden(f) || (f->me && f->me->name == SYMID_new)))
        f--;
    *method = f > vm.frames && f->me ? (Value)f->me : V_NIL;
    while (f > vm.frames && (!f->code || (f->code->flags & CODE_INTERNAL)))
        f--;
    if (f <= vm.frames)
        return false;
    *code = (Value)f->code;
    *word = f->pc < f->code->words ? 0 : (uint32_t)(f->pc - f->code->words);
    return true;
}

Value frame_label(Frame *f)
{
    return label_of(f->code ? (Value)f->code : V_NIL, f->me ? (Value)f->me : V_NIL);
}

/* ---- messages and reports ---- */
struct message_call {
    Value exc;
};
static Value message_run(void *arg)
{
    Value exc = ((struct message_call *)arg)->exc;
    return vm_call0(exc, SYM(message));
}
static Value detailed_run(void *arg)
{
    Value exc = ((struct message_call *)arg)->exc, opts = hash_new();
    hash_set(opts, sym_intern("highlight"), V_FALSE);
    return vm_call_kw(exc, SYM(detailed_message), 1, &opts);
}

Value exception_message(Value exc)
{
    struct message_call m = {exc};
    Value v = vm_rescue(message_run, &m, klass.Exception, NULL);
    return is_string(v) ? v : str_format("%C", class_real(exc));
}

/* "msg (Class)": the class goes behind the first line; an empty message is the class alone. */
Value exception_detailed(Value exc, Value message, bool highlight)
{
    StrView v = str_view(message);
    const char *cname = class_name_c(class_real(exc));
    if (v.len == 0 && class_real(exc) == klass.RuntimeError)
        cname = "unhandled exception";
    if (v.len == 0)
        return str_format(highlight ? "\033[1;4m%s\033[m" : "%s", cname);
    const char *newline = memchr(v.ptr, '\n', v.len);
    Value out = str_new("", 0);
    size_t first = newline ? (size_t)(newline - v.ptr) : v.len;
    if (highlight) {
        str_append_c(out, "\033[1m");
        str_append(out, str_view(message).ptr, first);
        str_append_str(out, str_format(" (\033[1;4m%s\033[m\033[1m)\033[m", cname));
    } else {
        str_append(out, str_view(message).ptr, first);
        str_append_str(out, str_format(" (%s)", cname));
    }
    v = str_view(message);
    if (newline && first + 1 < v.len) {
        if (!highlight) {
            str_append(out, v.ptr + first, v.len - first);
        } else {
            size_t at = first;
            while (at < v.len) {
                str_append(out, "\n", 1);
                at++;
                v = str_view(message);
                size_t end = at;
                while (end < v.len && v.ptr[end] != '\n')
                    end++;
                if (end > at) {
                    str_append_c(out, "\033[1m");
                    str_append(out, str_view(message).ptr + at, end - at);
                    str_append_c(out, "\033[m");
                }
                at = end;
                v = str_view(message);
            }
        }
    }
    return out;
}

static Value detailed_of(Value exc, bool highlight)
{
    if (!highlight) {
        struct message_call m = {exc};
        Value v = vm_rescue(detailed_run, &m, klass.Exception, NULL);
        if (is_string(v))
            return v;
    }
    return exception_detailed(exc, exception_message(exc), highlight);
}

static Value backtrace_of(Value exc)
{
    if (obj_field(exc, EXC_BACKTRACE) == V_NIL && obj_field(exc, EXC_TRACE) == V_NIL)
        return V_NIL;
    return vm_call0(exc, SYM(backtrace));
}

/* One exception of a report, and its causes.  Without a backtrace the place of the caller stands for one. */
static void append_one(Value out, Value exc, bool highlight, bool reverse, Value shown, int depth)
{
    Value bt = backtrace_of(exc), text = detailed_of(exc, highlight);
    size_t n = is_array(bt) ? ary_len(bt) : 0;
    if (n && reverse) {
        str_append_c(out, highlight ? "\033[1mTraceback\033[m" : "Traceback");
        str_append_c(out, " (most recent call last):\n");
        int width = snprintf(NULL, 0, "%zu", n - 1);
        for (size_t i = n - 1; i > 0; i--) {
            char head[48];
            snprintf(head, sizeof head, "\t%*zu: from ", width, i);
            str_append_c(out, head);
            str_append_str(out, ary_get(bt, (long)i));
            str_append_c(out, "\n");
        }
    }
    if (n) {
        str_append_str(out, ary_get(bt, 0));
        str_append_c(out, ": ");
    } else if (depth == 0 && frame_ruby(vm.fp) > vm.frames) {
        str_append_str(out, str_format("%s:%d:in '", vm_current_file(), vm_current_line()));
        if (vm.fp->me && !vm.fp->code)
            str_append_c(out, sym_text(symbol_value(vm.fp->me->name)));
        else
            str_append_str(out, frame_label(frame_ruby(vm.fp)));
        str_append_c(out, "': ");
    } else if (depth == 0) {
        str_append_str(out, vm.script_name == V_NIL ? str_new_c("-e") : vm.script_name);
        str_append_c(out, ": ");
    }
    str_append_str(out, text);
    str_append_c(out, "\n");
    for (size_t i = 1; i < n && !reverse; i++) {
        str_append_c(out, "\tfrom ");
        str_append_str(out, ary_get(bt, (long)i));
        str_append_c(out, "\n");
    }
    Value cause = obj_field(exc, EXC_CAUSE);
    if (is_type(cause, T_EXCEPTION) && !ary_includes(shown, cause) && depth < 100) {
        ary_push(shown, cause);
        append_one(out, cause, highlight, reverse, shown, depth + 1);
    }
}

Value exception_full_message(Value exc, bool highlight, bool reverse)
{
    Value out = str_new("", 0), shown = ary_new(1);
    ary_push(shown, exc);
    append_one(out, exc, highlight, reverse, shown, 0);
    return out;
}

struct report {
    Value exc, text;
};
static Value report_run(void *arg)
{
    struct report *r = arg;
    r->text = exception_full_message(r->exc, isatty(2), false);
    return V_NIL;
}

static Value write_run(void *text)
{
    return vm_call1(gvar_get(sym_intern("$stderr")), SYM(write), *(Value *)text);
}

/* To $stderr when the program has put another object there, else straight to descriptor 2. */
static void write_error(Value text)
{
    Value err = gvar_get(sym_intern("$stderr")), ignored, record;
    if (err != V_NIL && err != const_find(klass.Object, sym_intern("STDERR"), false)) {
        vm_protect(write_run, &text, &ignored, &record);
        return;
    }
    StrView v = str_view(text);
    size_t at = 0;
    while (at < v.len) {
        ssize_t n = write(2, v.ptr + at, v.len - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
}

void exception_report_after(Value head, Value exc)
{
    struct report r = {exc, V_NIL};
    io_flush_all();
    Value ignored, record;
    if (!vm_protect(report_run, &r, &ignored, &record) || r.text == V_NIL)
        r.text = str_format("%C\n", class_real(exc));
    StrView v = str_view(r.text);
    if (v.len == 0 || v.ptr[v.len - 1] != '\n')
        str_append_c(r.text, "\n");
    if (head != V_NIL)
        write_error(head);
    write_error(r.text);
}

void exception_report(Value exc)
{
    exception_report_after(V_NIL, exc);
}
