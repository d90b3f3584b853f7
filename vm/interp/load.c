/*
 * load.c: require, load, require_relative, and the Ruby part of core.
 *
 * A feature is found along $LOAD_PATH as name.rb, else among the libraries that come with the program.  Its absolute path goes
 * to $LOADED_FEATURES when it has run.  While it runs it stands in `loading` with its thread: the same thread that asks
 * again gets false (a circular require), another waits for the end and tries itself when that was a failure.
 *
 *   L1  `seen` holds what the index was made of: who changes $LOADED_FEATURES by hand makes the index void, and the next
 *       look makes it anew.
 *   L2  A file is loaded once, by whichever of its names: `real_paths` has the real path of each feature.
 */
#include "vm/interp/thread.h"
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

static Value load_path, loaded_features; /* $LOAD_PATH, $LOADED_FEATURES */
static Value seen;       /* Array: $LOADED_FEATURES when the index was made */
static Value index_of;   /* Hash: feature -> its real path */
static Value real_paths; /* Hash: real path -> true */
static Value loading;    /* Hash: path that is being loaded -> Thread */
static unsigned waiting; /* threads in load_wait */

/* What the core brings. */
static const char *const core_features[] = {"enumerator.so", "thread.rb", "fiber.so", "rational.so", "complex.so", "pathname.so",
                                            "ruby2_keywords.rb", "set.rb", "monitor.so", "maglev/rchash.rb",
                                            "maglev/rccounter.rb", "maglev/rcqueue.rb", "maglev/rcbag.rb",
                                            "maglev/repository.rb", "maglev/orderedcollection.rb", "maglev/objectlog.rb",
                                            "maglev/debugger.rb"};

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

_Noreturn static void raise_cannot_load(Value feature)
{
    Value exc = exception_new(klass.LoadError, "cannot load such file -- %T", feature);
    ivar_set(exc, sym_intern("path"), feature);
    vm_raise(exc);
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

static void run_file(const char *path, Value wrapper)
{
    int err;
    if (strncmp(path, "<internal:", 10) == 0) {
        char name[PATH_MAX];
        snprintf(name, sizeof name, "%.*s", (int)strlen(path) - 11, path + 10);
        run_library(find_library(name));
        return;
    }
    Value src = load_read_file(path, &err);
    if (src == V_NIL)
        raise_cannot_load(str_new_c(path));
    StrView v = str_view(src);
    CompileOptions options = {.file = path, .first_line = 1, .kind = CODE_TOP,
                              .name = symbol_id(sym_intern("<top (required)>"))};
    Code *code = (Code *)code_compile(v.ptr, v.len, &options, NULL);
    Value self = vm.main_object, cref;
    if (is_nil(wrapper)) {
        cref = cref_new(klass.Object, V_NIL, VIS_PRIVATE, V_FALSE);
    } else {
        self = obj_clone(self, V_NIL);
        vm_call1(self, sym_intern("extend"), wrapper);
        cref = cref_new(wrapper, vm.top_cref, VIS_PRIVATE, V_FALSE);
    }
    run_code(code, self, cref, FRAME_TOP, V_NIL, NULL, 0);
}

/* ---- what is loaded ---- */
static Value real_path(Value path)
{
    char real[PATH_MAX];
    return realpath(str_c(path), real) ? str_new_c(real) : path;
}

static void index_add(Value path, Value known)
{
    Value real = is_undef(known) ? real_path(path) : known;
    hash_set(index_of, path, real);
    hash_set(real_paths, real, V_TRUE);
}

static void index_refresh(void)
{
    size_t n = ary_len(loaded_features);
    bool same = n == ary_len(seen);
    for (size_t i = 0; same && i < n; i++)
        same = ary_get(loaded_features, (long)i) == ary_get(seen, (long)i);
    if (same)
        return;
    Value before = index_of;
    index_of = hash_new();
    real_paths = hash_new();
    for (size_t i = 0; i < ary_len(loaded_features); i++) {
        Value path = path_string(ary_get(loaded_features, (long)i));
        index_add(path, hash_get(before, path));
    }
    seen = ary_dup(loaded_features);
}

static bool is_loaded(Value path)
{
    return hash_get(index_of, path) != V_UNDEF;
}

void load_feature_add(Value path)
{
    index_refresh();
    if (is_loaded(path))
        return;
    Value key = obj_freeze(str_dup(path));
    ary_push(loaded_features, key);
    ary_push(seen, key);
    index_add(key, V_UNDEF);
}

void load_feature_remove(Value path)
{
    for (size_t i = 0; i < ary_len(loaded_features); i++)
        if (str_equal(ary_get(loaded_features, (long)i), path)) {
            vm_call1(loaded_features, sym_intern("delete_at"), int_fix((int64_t)i));
            return;
        }
}

Value load_absolute_path(Value file)
{
    char real[PATH_MAX];
    StrView v = str_view(file);
    if (!is_nil(vm.script_path) && str_equal(file, vm.script_file))
        return vm.script_path;
    if (v.len == 0 || v.ptr[0] == '(' || v.ptr[0] == '-' || v.ptr[0] == '<')
        return V_NIL;
    return realpath(str_c(file), real) ? str_new_c(real) : v.ptr[0] == '/' ? file : V_NIL;
}

Value load_current_dir(void)
{
    const char *name = vm_current_file();
    if (!name || strncmp(name, "(eval", 5) == 0)
        return V_NIL;
    Value file = str_new_c(name), path = load_absolute_path(file);
    return path_dirname(is_nil(path) ? file : path, 1);
}

/* ---- finding ---- */
typedef enum { KIND_PLAIN, KIND_RUBY, KIND_NATIVE } NameKind;
static NameKind name_kind(const char *name)
{
    size_t n = strlen(name);
    if (n > 3 && strcmp(name + n - 3, ".rb") == 0)
        return KIND_RUBY;
    return n > 3 && strcmp(name + n - 3, ".so") == 0 ? KIND_NATIVE : KIND_PLAIN;
}

/* A name that no load path is searched for. */
static bool is_located(const char *name)
{
    return name[0] == '/' || name[0] == '~' || strncmp(name, "./", 2) == 0 || strncmp(name, "../", 3) == 0;
}

static bool is_file(Value path)
{
    struct stat st;
    return stat(str_c(path), &st) == 0 && S_ISREG(st.st_mode);
}

static Value with_extension(Value name, const char *extension)
{
    Value s = str_dup(name);
    str_append_c(s, extension);
    return s;
}

/* Calls try with the absolute path of `name` below each directory of $LOAD_PATH until it says yes: that path, or nil. */
static Value along_load_path(Value name, bool (*try)(Value path))
{
    if (is_located(str_c(name))) {
        Value path = path_expand(name, V_NIL, true);
        return try(path) ? path : V_NIL;
    }
    for (size_t i = 0; i < ary_len(load_path); i++) {
        Value dir = real_path(path_expand(path_string(ary_get(load_path, (long)i)), V_NIL, true));
        Value path = path_expand(name, dir, false);
        if (try(path))
            return path;
    }
    return V_NIL;
}

/* The path of the feature, or nil.  *loaded: it has run already. */
static Value find_feature(Value feature, bool *loaded)
{
    index_refresh();
    NameKind kind = name_kind(str_c(feature));
    Value name = kind == KIND_RUBY ? feature : with_extension(feature, ".rb");
    Value native = kind == KIND_NATIVE ? feature : with_extension(feature, ".so");
    *loaded = true;
    if (is_loaded(name))
        return name;
    if (kind == KIND_NATIVE && is_loaded(native))
        return native;
    Value path = along_load_path(name, is_loaded);
    if (!is_nil(path))
        return path;
    path = along_load_path(name, is_file);
    if (!is_nil(path)) {
        *loaded = hash_get(real_paths, real_path(path)) != V_UNDEF;
        return path;
    }
    const PreludeFile *library = find_library(str_c(feature));
    if (library) {
        path = str_new_c(library->name);
        *loaded = is_loaded(path);
        return path;
    }
    *loaded = true;
    if (is_loaded(native))
        return native;
    return is_loaded(feature) ? feature : V_NIL;
}

/* ---- one thread loads a file, others wait ---- */
static Thread *loader_of(Value path)
{
    Value object = hash_get(loading, path);
    Thread *t = is_undef(object) ? NULL : ((ThreadObject *)object)->thread;
    return t && t->state != THREAD_DEAD ? t : NULL;
}

/* Waits while another thread loads path; false when none did. */
static bool load_wait(Value path)
{
    bool waited = false;
    for (Thread *t; (t = loader_of(path)) && t != thread_current; waited = true) {
        waiting++;
        thread_current->awaits_load = true;
        TRY()
        {
            thread_sleep_deadly(THREAD_FOREVER);
        }
        CATCH(err)
        {
            waiting--;
            thread_current->awaits_load = false;
            rethrow();
        }
        END_TRY();
        waiting--;
        thread_current->awaits_load = false;
    }
    return waited;
}

static void loading_over(Value path)
{
    hash_delete(loading, path);
    for (Thread *t = thread_main; waiting && t; t = t->next)
        if (t->awaits_load)
            thread_wake(t);
}

static Value run_required(void *arg)
{
    run_file(str_c(*(Value *)arg), V_NIL);
    return V_TRUE;
}

static Value require_path(Value path)
{
    for (;;) {
        Value found = real_path(path);
        index_refresh();
        if (is_loaded(path) || hash_get(real_paths, found) != V_UNDEF)
            return V_FALSE;
        if (loader_of(path) == thread_current) {
            warn_printf_verbose("loading in progress, circular require considered harmful - %T", path);
            return V_FALSE;
        }
        if (!load_wait(path))
            break;
    }
    path = obj_freeze(str_dup(path));
    hash_set(loading, path, thread_current->object);
    Value result, record, errinfo = vm.errinfo;
    bool ok = vm_protect(run_required, &path, &result, &record);
    loading_over(path);
    if (!ok)
        vm_resume_unwind(record);
    vm.errinfo = errinfo;
    load_feature_add(path);
    persist_note_feature(path);
    return V_TRUE;
}

LoadState load_feature_state(Value feature)
{
    bool loaded;
    Value path = find_feature(path_string(feature), &loaded);
    if (is_nil(path))
        return LOAD_NONE;
    if (loaded)
        return LOAD_DONE;
    Thread *t = loader_of(path);
    return !t ? LOAD_NONE : t == thread_current ? LOAD_MINE : LOAD_ELSEWHERE;
}

bool load_wait_for(Value feature)
{
    bool loaded;
    Value path = find_feature(path_string(feature), &loaded);
    return !is_nil(path) && load_wait(path);
}

Value vm_require(Value feature)
{
    bool loaded;
    feature = path_string(feature);
    Value path = find_feature(feature, &loaded);
    if (is_nil(path))
        raise_cannot_load(feature);
    return loaded ? V_FALSE : require_path(path);
}

/* wrapper: a module that top-level definitions go to, or nil */
static void load_file(Value name, Value wrapper)
{
    name = path_string(name);
    Value path = along_load_path(name, is_file);
    if (is_nil(path) && is_file(name))
        path = name;
    if (is_nil(path))
        raise_cannot_load(name);
    run_file(str_c(path), wrapper);
}

static Value kernel_require(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    return vm_require(argv[0]);
}

static Value kernel_require_relative(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value name = path_string(argv[0]);
    Value dir = load_current_dir();
    if (is_nil(dir))
        raise_error(klass.LoadError, "cannot infer basepath");
    return vm_require(path_expand(name, dir, false));
}

static Value kernel_load(UNUSED Value self, int argc, const Value *argv)
{
    Value wrap = argc > 1 ? argv[1] : V_FALSE;
    load_file(argv[0], is_module(wrap) ? wrap : truthy(wrap) ? module_new(NULL) : V_NIL);
    return V_TRUE;
}

/* $LOAD_PATH.resolve_feature_path */
static Value load_path_resolve(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    bool loaded;
    Value path = find_feature(path_string(argv[0]), &loaded);
    if (is_nil(path))
        return V_NIL;
    return ary_new_from(2, (Value[]){sym_intern(name_kind(str_c(path)) == KIND_NATIVE ? "so" : "rb"), path});
}

static const Builtin load_path_methods[] = {
    {"resolve_feature_path", load_path_resolve, 1, 1, 0},
};

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
    seen = ary_new(16);
    index_of = hash_new();
    real_paths = hash_new();
    loading = hash_new();
    Value *const roots[] = {&load_path, &loaded_features, &seen, &index_of, &real_paths, &loading};
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        heap_add_root(roots[i]);
    for (size_t i = 0; i < COUNT_OF(core_features); i++)
        load_feature_add(str_new_c(core_features[i]));
    ADD_SINGLETON_BUILTINS(load_path, load_path_methods);
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
