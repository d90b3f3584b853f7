/*
 * program.c: the program that a command line asks for: its source, what the options mean for it, and running
 * it.
 *
 * The wrapping loops of -n and -p are the parser's work (PARSE_SWITCH_*); here their globals are set.  What
 * can't be run at all (no such file) is told in one line under the program's name and ends with status 1,
 * before any of it ran.
 */
#include "vm/core/core_private.h"
#include "vm/interp/vm_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vm/compile.h"
#include "vm/options.h"
#include "vm/persist.h"

extern int encoding_default_external, encoding_default_internal;

/* "lode: No such file or directory -- x (LoadError)" */
_Noreturn static void give_up(const VmOptions *o, const char *reason, const char *file)
{
    Value error;

    dprintf(2, "%s: %s%s%s (LoadError)\n", o->program, reason, file ? " -- " : "", file ? file : "");
    error = vm_call1(klass.SystemExit, SYM(new), int_fix(1));
    vm_raise(error);
}

/* ---------------------------------------------------------------- the source */

static Value read_standard_input(void)
{
    Value text = str_new("", 0);
    char bytes[16384];

    for (;;) {
        ssize_t n = read(0, bytes, sizeof bytes);
        if (n > 0) {
            str_append(text, bytes, (size_t)n);
        } else if (n == 0 || errno != EINTR) {
            return text;
        }
        vm_check_interrupts();
    }
}

/* -S: a name without slash is looked up in $PATH. */
static const char *find_script(const VmOptions *o)
{
    const char *path = getenv("PATH");
    char candidate[4096];

    if (!o->search_path || strchr(o->script, '/') || !path) {
        return o->script;
    }
    while (*path) {
        size_t n = strcspn(path, ":");
        snprintf(candidate, sizeof candidate, "%.*s/%s", (int)n, path, o->script);
        if (access(candidate, R_OK) == 0) {
            return sym_text(sym_intern(candidate)); /* a place that stays */
        }
        path += n + (path[n] == ':');
    }
    return o->script;
}

static Value read_script(const VmOptions *o, const char **file)
{
    int err = 0;
    Value text;

    if (o->exprs.count) {
        text = str_new("", 0);
        for (size_t i = 0; i < o->exprs.count; i++) {
            str_append_c(text, o->exprs.items[i]);
            str_append_c(text, "\n");
        }
        *file = "-e";
        return text;
    }
    if (!o->script || strcmp(o->script, "-") == 0) {
        *file = "-";
        return read_standard_input();
    }
    *file = find_script(o);
    text = load_read_file(*file, &err);
    if (is_nil(text)) {
        give_up(o, strerror(err), *file);
    }
    return text;
}

/* Offset of the line after `at`. */
static size_t next_line(StrView v, size_t at)
{
    const char *end = memchr(v.ptr + at, '\n', v.len - at);

    return end ? (size_t)(end - v.ptr) + 1 : v.len;
}

/*
 * -x, or a first line "#!..." for another program: skips to the line "#!...ruby".  Options on that line
 * count.
 */
static Value heed_first_line(VmOptions *o, Value text)
{
    StrView v = str_view(text);
    size_t at = 0;
    char line[1024];
    bool found = v.len > 2 && memcmp(v.ptr, "#!", 2) == 0 && !o->find_ruby_line;

    while (!found && o->find_ruby_line && at < v.len) {
        size_t end = next_line(v, at);
        if (end - at > 2 && memcmp(v.ptr + at, "#!", 2) == 0 && memmem(v.ptr + at, end - at, "ruby", 4)) {
            found = true;
        } else {
            at = end;
        }
    }
    if (!found) {
        if (o->find_ruby_line) {
            give_up(o, "no Ruby script found in input", NULL);
        }
        return text;
    }
    snprintf(line, sizeof line, "%.*s", (int)(next_line(v, at) - at), v.ptr + at);
    if (!options_parse_shebang(o, line)) {
        raise_error(klass.RuntimeError, "%s", o->error);
    }
    return at ? str_new(v.ptr + at, v.len - at) : text;
}

/* ---------------------------------------------------------------- options */

static void set_encoding(const char *name, int *place)
{
    int enc;

    if (!name) {
        return;
    }
    enc = encoding_find(name);
    if (enc < 0) {
        raise_error(klass.RuntimeError, "unknown encoding name - %s", name);
    }
    *place = enc;
}

static void set_record_separator(const VmOptions *o)
{
    char byte = (char)o->record_separator;

    if (o->record_separator == -2) {
        gvar_set(sym_intern("$/"), V_NIL);
    } else if (o->record_separator == -3) {
        gvar_set(sym_intern("$/"), str_new("", 0));
    } else if (o->record_separator >= 0) {
        gvar_set(sym_intern("$/"), str_new(&byte, 1));
    }
}

/* -s: $name, true or the value */
static void set_switches(const VmOptions *o)
{
    for (size_t i = 0; i < o->switches.count; i++) {
        const char *text = o->switches.items[i], *equals = strchr(text, '=');
        char name[256];
        snprintf(name, sizeof name, "$%.*s", equals ? (int)(equals - text) : (int)strlen(text), text);
        gvar_set(sym_intern(name), equals ? str_new_c(equals + 1) : V_TRUE);
    }
}

/* $VERBOSE and Warning[]; only what differs is written, the boot image is shared. */
static void set_warnings(const VmOptions *o)
{
    uint32_t on = options_warning_categories(o);
    Value warning = const_get_from(klass.Object, sym_intern("Warning"));

    vm.verbose_nil = o->warn_level == 0;
    vm.verbose = o->warn_level >= 2;
    for (uint32_t i = 0; i < OPTIONS_WARN_COUNT; i++) {
        Value name = sym_intern(options_warning_names[i]), wanted = bool_value(on >> i & 1);
        if (vm_call1(warning, sym_intern("[]"), name) != wanted) {
            vm_call2(warning, sym_intern("[]="), name, wanted);
        }
    }
}

static void warn_of_categories(const VmOptions *o)
{
    for (size_t i = 0; i < o->unknown_categories.count && o->warn_level > 0; i++) {
        dprintf(2, "%s: warning: unknown warning category: '%s'\n", o->program, o->unknown_categories.items[i]);
    }
}

static void set_globals(const VmOptions *o)
{
    Value argv = ary_new(o->args.count);

    for (size_t i = 0; i < o->args.count; i++) {
        ary_push(argv, str_new_c(o->args.items[i]));
    }
    const_set(klass.Object, sym_intern("ARGV"), argv);
    gvar_set(sym_intern("$*"), argv);
    set_warnings(o);
    warn_of_categories(o);
    vm.debug = o->debug;
    vm.script_name = str_new_c(o->exprs.count ? "-e" : o->script ? o->script : "-");
    gvar_define_constant("$-p", bool_value(o->print));
    gvar_define_constant("$-l", bool_value(o->chomp));
    gvar_define_constant("$-a", bool_value(o->split));
    set_encoding(o->external_encoding, &encoding_default_external);
    set_encoding(o->internal_encoding, &encoding_default_internal);
    set_record_separator(o);
    if (o->chomp) {
        gvar_set(sym_intern("$\\"), gvar_get(sym_intern("$/")));
    }
    if (o->field_separator) {
        gvar_set(sym_intern("$;"), regexp_new_str(str_new_c(o->field_separator), 0));
    }
    if (o->in_place && const_defined(klass.Object, sym_intern("ARGF"), false)) {
        vm_call1(const_get_from(klass.Object, sym_intern("ARGF")), sym_intern("inplace_mode="),
                 str_new_c(o->in_place_suffix));
    }
    for (size_t i = o->includes.count; i-- > 0;) {
        char real[4096];
        load_add_path(realpath(o->includes.items[i], real) ? real : o->includes.items[i], true);
    }
}

static uint8_t parse_switches(const VmOptions *o)
{
    return (uint8_t)((o->split ? PARSE_SWITCH_A : 0) | (o->exprs.count ? PARSE_SWITCH_E : 0) |
                     (o->chomp ? PARSE_SWITCH_L : 0) | (o->loop ? PARSE_SWITCH_N : 0) |
                     (o->print ? PARSE_SWITCH_P : 0) | (o->find_ruby_line ? PARSE_SWITCH_X : 0));
}

static void print_dump(const VmOptions *o, Value source, const CompileOptions *options)
{
    StrBuf text;
    StrView v = str_view(source);

    strbuf_init(&text, memctx_current());
    if (o->dump == VM_DUMP_NODES) {
        source_dump_tree(v.ptr, v.len, options, &text);
    } else {
        code_dump(code_compile(v.ptr, v.len, options, NULL), &text);
    }
    io_write_stdout(text.data, text.len);
    strbuf_free(&text);
}

Value program_run(void *arg)
{
    VmOptions o = *(const VmOptions *)arg;
    const char *file;
    Value source;
    StrView v;
    Code *code;
    int64_t data = -1;

    io_session_start();
    persist_session_start();
    set_globals(&o);
    if (o.show_version) {
        io_write_stdout(options_version_text(), strlen(options_version_text()));
        io_write_stdout("\n", 1);
    }
    set_switches(&o);
    for (size_t i = 0; i < o.requires.count; i++) {
        vm_require(str_new_c(o.requires.items[i]));
    }
    source = read_script(&o, &file);
    if (!o.exprs.count) {
        source = heed_first_line(&o, source);
        set_warnings(&o);
    }
    CompileOptions options = {.file = file,
                              .first_line = 1,
                              .kind = CODE_TOP,
                              .main_script = true,
                              .switches = parse_switches(&o),
                              .frozen_string_literal = (int8_t)(o.frozen_string_literal == 1   ? 1
                                                                : o.frozen_string_literal == 0 ? -1
                                                                                               : 0)};
    if (o.dump == VM_DUMP_INSNS || o.dump == VM_DUMP_NODES) {
        print_dump(&o, source, &options);
        return V_NIL;
    }
    if (!o.exprs.count && strcmp(file, "-") != 0) {
        char real[4096];
        vm.script_file = str_new_c(file);
        vm.script_path = realpath(file, real) ? str_new_c(real) : V_NIL;
    }
    v = str_view(source);
    code = (Code *)code_compile(v.ptr, v.len, &options, &data);
    if (o.check_syntax) {
        io_write_stdout("Syntax OK\n", 10);
        return V_NIL;
    }
    if (data >= 0 && !o.exprs.count && strcmp(file, "-") != 0 &&
        vm_responds_to(klass.File, sym_intern("__data"), true)) {
        const_set(klass.Object, sym_intern("DATA"),
                  vm_call2(klass.File, sym_intern("__data"), str_new_c(file), int_fix(data)));
    }
    if (o.heap_map) {
        vm_call1(klass.GC, sym_intern("__heap_map_at_exit"), str_new_c(o.heap_map));
    }
    if (o.persistent) {
        persist_set_mode(true);
    }
    vm.script_binding = const_get_from(klass.Object, sym_intern("TOPLEVEL_BINDING"));
    vm.script_frame = vm.fp + 1;
    vm.script_serial = vm.serial + 1;
    run_code(code, vm.main_object, cref_new(klass.Object, V_NIL, VIS_PRIVATE, V_FALSE), FRAME_TOP, V_NIL,
             NULL, 0);
    if (o.commit) {
        vm_call0(klass.Maglev, sym_intern("commit_transaction"));
    }
    return V_NIL;
}

static void program_constant(Value ruby, const char *name, Value v)
{
    const_set(klass.Object, sym_intern(name), v);
    const_set(ruby, sym_intern(name + strlen("RUBY_")), v);
}

/* What programs ask about the Ruby they run on. */
void program_boot(void)
{
    static const char *const constants[][2] = {
        {"RUBY_VERSION", "4.0.0"},
        {"RUBY_RELEASE_DATE", "2025-12-25"},
        {"RUBY_PLATFORM", "x86_64-linux"},
        {"RUBY_ENGINE", "lodestone"},
        {"RUBY_ENGINE_VERSION", "0.1.0"},
        {"RUBY_COPYRIGHT", "lodestone - Copyright (C) 2026 the Lodestone authors"},
        {"RUBY_REVISION", ""},
    };

    Value ruby = module_define("Ruby"); /* Ruby::VERSION is RUBY_VERSION, and so on */
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        program_constant(ruby, constants[i][0], str_new_frozen(constants[i][1], strlen(constants[i][1]), ENC_US_ASCII));
    program_constant(ruby, "RUBY_PATCHLEVEL", int_fix(0));
    program_constant(ruby, "RUBY_DESCRIPTION",
                     str_new_frozen(options_version_text(), strlen(options_version_text()), ENC_US_ASCII));
}
