/*
 * load.c: require, load, require_relative, and the Ruby part of core.
 *
 * A feature is found along $LOAD_PATH as name.rb; its real path goes to $LOADED_FEATURES before it runs (so that a
 * circular require is false) and is taken out again when it raises.
 */
#include "vm/interp/vm_state.h"
#include "vm/compile.h"
#include "vm/persist.h"
#include "vm/prelude.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static Value load_path, loaded_features, loaded_index; /* Array, Array, Hash of real paths and builtin names */

/* What the core brings: such a name is never looked for as a file. */
static const char *const builtin_features[] = {"enumerator", "thread", "fiber", "rational", "complex", "set", "ruby2_keywords",
                                               "enumerator.so", "thread.rb", "fiber.so", "rational.so", "complex.so",
                                               "monitor", "monitor.so", "pathname.so",
                                               "maglev/rchash", "maglev/rccounter", "maglev/rcqueue", "maglev/rcbag",
                                               NULL};

Value load_read_file(const char *path, int *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *err = errno;
        return V_NIL;
    }
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        *err = EISDIR;
        return V_NIL;
    }
    Value s = str_new("", 0);
    char buf[16384];
    ssize_t n;
    while ((n = read(fd, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            str_append(s, buf, (size_t)n);
    *err = n < 0 ? errno : 0;
    close(fd);
    return *err ? V_NIL : s;
}

static Value path_string(Value v)
{
    if (!is_string(v)) {
        Value p = vm_call_if_responds(v, SYM(to_path), 0, NULL);
        if (p != V_UNDEF)
            v = p;
    }
    return str_to_str(v);
}

/* A library that comes with the program, by feature name ("stringio", "stringio.rb"). */
static const PreludeFile *find_library(const char *name)
{
    size_t n = strlen(name);
    if (n > 3 && (strcmp(name + n - 3, ".rb") == 0 || strcmp(name + n - 3, ".so") == 0))
        n -= 3;
    for (const PreludeFile *f = library_files; f->name; f++) {
        const char *feature = f->name + strlen("<internal:");
        if (strlen(feature) == n + 1 && strncmp(feature, name, n) == 0)
            return f;
    }
    return NULL;
}

static void run_library(const PreludeFile *f)
{
    CompileOptions options = {.file = f->name, .first_line = 1, .kind = CODE_TOP, .internal = true, .frozen_string_literal = 1};
    Code *code = (Code *)code_compile(f->text, f->len, &options, NULL);
    run_code(code, vm.main_object, cref_new(klass.Object, V_NIL, VIS_PUBLIC, V_FALSE), FRAME_TOP, V_NIL, NULL, 0);
}

static void run_file(const char *path, bool wrap)
{
    int err;
    if (strncmp(path, "<internal:", 10) == 0) {
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%.*s", (int)strlen(path) - 11, path + 10);
        run_library(find_library(name));
        return;
    }
    Value src = load_read_file(path, &err);
    if (src == V_NIL) {
        Value exc = exception_new(klass.LoadError, "cannot load such file -- %s", path);
        ivar_set(exc, sym_intern("path"), str_new_c(path));
        vm_raise(exc);
    }
    StrView v = str_view(src);
    CompileOptions options = {.file = path, .first_line = 1, .kind = CODE_TOP,
                              .name = symbol_id(sym_intern("<top (required)>"))};
    Code *code = (Code *)code_compile(v.ptr, v.len, &options, NULL);
    Value self = vm.main_object, module = klass.Object;
    if (wrap) {
        module = module_new(NULL);
        self = obj_clone(self, V_NIL);
    }
    Value cref = cref_new(module, wrap ? vm.top_cref : V_NIL, VIS_PRIVATE, V_FALSE);
    run_code(code, self, cref, FRAME_TOP, V_NIL, NULL, 0);
}

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The real path of `name` (with .rb added when absent) below `dir` (may be NULL). */
static bool try_file(const char *dir, const char *name, bool add_rb, char out[PATH_MAX])
{
    char path[PATH_MAX];
    size_t n = strlen(name);
    bool has = n > 3 && strcmp(name + n - 3, ".rb") == 0;
    if ((size_t)snprintf(path, sizeof path, "%s%s%s%s", dir ? dir : "", dir ? "/" : "", name, add_rb && !has ? ".rb" : "") >=
        sizeof path)
        return false;
    return is_file(path) && realpath(path, out);
}

static bool find_feature(const char *name, bool add_rb, char out[PATH_MAX])
{
    char expanded[PATH_MAX];
    if (name[0] == '~') {
        const char *home = getenv("HOME");
        snprintf(expanded, sizeof expanded, "%s%s", home ? home : "", name + 1);
        name = expanded;
    }
    if (name[0] == '/' || strncmp(name, "./", 2) == 0 || strncmp(name, "../", 3) == 0)
        return try_file(NULL, name, add_rb, out);
    for (size_t i = 0; i < ary_len(load_path); i++) {
        Value dir = path_string(ary_get(load_path, (long)i));
        if (try_file(str_c(dir), name, add_rb, out))
            return true;
    }
    return !add_rb && try_file(NULL, name, false, out);
}

struct require_run {
    const char *path;
};
static Value require_run(void *arg)
{
    struct require_run *r = arg;
    run_file(r->path, false);
    return V_TRUE;
}

void load_feature_add(Value path)
{
    Value key = obj_freeze(str_dup(path));
    if (hash_get(loaded_index, key) != V_UNDEF)
        return;
    hash_set(loaded_index, key, V_TRUE);
    ary_push(loaded_features, key);
}

void load_feature_remove(Value path)
{
    hash_delete(loaded_index, path);
    for (size_t i = 0; i < ary_len(loaded_features); i++)
        if (str_equal(ary_get(loaded_features, (long)i), path)) {
            vm_call1(loaded_features, sym_intern("delete_at"), int_fix((int64_t)i));
            return;
        }
}

static Value require_path(const char *path)
{
    Value key = str_new_c(path);
    obj_freeze(key);
    if (hash_get(loaded_index, key) != V_UNDEF || ary_includes(loaded_features, key))
        return V_FALSE;
    load_feature_add(key);
    struct require_run r = {path};
    Value result, record, errinfo = vm.errinfo;
    if (!vm_protect(require_run, &r, &result, &record)) {
        load_feature_remove(key);
        vm_resume_unwind(record);
    }
    vm.errinfo = errinfo;
    persist_note_feature(key);
    return V_TRUE;
}

Value vm_require(Value feature)
{
    feature = path_string(feature);
    const char *name = str_c(feature);
    char path[PATH_MAX];
    for (int i = 0; builtin_features[i]; i++)
        if (strcmp(builtin_features[i], name) == 0)
            return V_FALSE;
    if (find_feature(name, true, path))
        return require_path(path);
    const PreludeFile *library = find_library(name);
    if (library)
        return require_path(library->name);
    Value exc = exception_new(klass.LoadError, "cannot load such file -- %T", feature);
    ivar_set(exc, sym_intern("path"), feature);
    vm_raise(exc);
}

Value vm_load(Value path, bool wrap)
{
    path = path_string(path);
    char real[PATH_MAX];
    if (!find_feature(str_c(path), false, real)) {
        Value exc = exception_new(klass.LoadError, "cannot load such file -- %T", path);
        ivar_set(exc, sym_intern("path"), path);
        vm_raise(exc);
    }
    const char *name = str_c(path);
    run_file(name[0] == '/' || is_file(name) ? name : real, wrap);
    return V_TRUE;
}

static Value kernel_require(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    return vm_require(argv[0]);
}

static Value kernel_require_relative(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value name = path_string(argv[0]);
    char base[PATH_MAX], path[PATH_MAX];
    const char *file = vm_current_file();
    if (!realpath(file, base))
        snprintf(base, sizeof base, "%s", file);
    char *slash = strrchr(base, '/');
    if (slash)
        *slash = 0;
    else
        snprintf(base, sizeof base, ".");
    const char *rel = str_c(name);
    if (try_file(rel[0] == '/' ? NULL : base, rel, true, path))
        return require_path(path);
    char want[2 * PATH_MAX];
    snprintf(want, sizeof want, "%s/%s", base, rel);
    Value exc = exception_new(klass.LoadError, "cannot load such file -- %s", want);
    ivar_set(exc, sym_intern("path"), str_new_c(want));
    vm_raise(exc);
}

static Value kernel_load(UNUSED Value self, int argc, const Value *argv)
{
    return vm_load(argv[0], argc > 1 && truthy(argv[1]));
}

static const Builtin methods[] = {
    {"require", kernel_require, 1, 1, BI_MODULE_FUNCTION},
    {"require_relative", kernel_require_relative, 1, 1, BI_MODULE_FUNCTION},
    {"load", kernel_load, 1, 2, BI_MODULE_FUNCTION},
};

void load_add_path(const char *dir, bool front)
{
    Value s = str_new_c(dir);
    if (front)
        ary_unshift(load_path, s);
    else
        ary_push(load_path, s);
}

static Value get_load_path(UNUSED Value name)
{
    return load_path;
}
static Value get_loaded(UNUSED Value name)
{
    return loaded_features;
}

void load_boot(void)
{
    load_path = ary_new(8);
    loaded_features = ary_new(16);
    loaded_index = hash_new();
    heap_add_root(&load_path);
    heap_add_root(&loaded_features);
    heap_add_root(&loaded_index);
    gvar_define_hooked("$LOAD_PATH", get_load_path, NULL);
    gvar_alias(sym_intern("$:"), sym_intern("$LOAD_PATH"));
    gvar_alias(sym_intern("$-I"), sym_intern("$LOAD_PATH"));
    gvar_define_hooked("$LOADED_FEATURES", get_loaded, NULL);
    gvar_alias(sym_intern("$\""), sym_intern("$LOADED_FEATURES"));
    ADD_BUILTINS(klass.Kernel, methods);
}

void load_prelude(void)
{
    for (const PreludeFile *f = prelude_files; f->name; f++) {
        CompileOptions options = {.file = f->name, .first_line = 1, .kind = CODE_TOP, .internal = true,
                                  .frozen_string_literal = 1};
        Code *code = (Code *)code_compile(f->text, f->len, &options, NULL);
        run_code(code, vm.main_object, cref_new(klass.Object, V_NIL, VIS_PUBLIC, V_FALSE), FRAME_TOP, V_NIL, NULL, 0);
    }
}
