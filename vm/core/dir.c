/* dir.c -- Dir's primitives: lists of names, the current directory, globbing; what yields is in dir.rb
 *
 * A directory is read whole at once into an Array of names; a Dir walks that Array.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "path.h"
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Dir.__names(path): all names, "." and ".." too, in the system's order */
static Value dir_s_names(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value path = path_value(argv[0]);
    DIR *d = opendir(path_c(path));
    if (!d)
        raise_errno(errno, "@ dir_initialize - %T", path);
    Value list = ary_new(16);
    struct dirent *e;
    while ((e = readdir(d)))
        ary_push(list, str_new_c(e->d_name));
    closedir(d);
    return list;
}

static Value dir_s_chdir(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value path = path_value(argv[0]);
    if (chdir(path_c(path)) < 0)
        raise_errno(errno, "@ chdir_path - %T", path);
    return int_fix(0);
}

static Value dir_s_pwd(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return path_cwd();
}

static Value dir_s_mkdir(Value self, int argc, const Value *argv)
{
    (void)self;
    Value path = path_value(argv[0]);
    if (mkdir(path_c(path), argc > 1 && !is_nil(argv[1]) ? (mode_t)value_int(argv[1]) : 0777) < 0)
        raise_errno(errno, "@ dir_s_mkdir - %T", path);
    return int_fix(0);
}

static Value dir_s_rmdir(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value path = path_value(argv[0]);
    if (rmdir(path_c(path)) < 0)
        raise_errno(errno, "@ dir_s_rmdir - %T", path);
    return int_fix(0);
}

static Value dir_s_chroot(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value path = path_value(argv[0]);
    if (chroot(path_c(path)) < 0)
        raise_errno(errno, "@ dir_s_chroot - %T", path);
    return int_fix(0);
}

static Value dir_s_exist_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    struct stat st;
    if (is_io(argv[0]))
        return bool_value(fstat(io_get(argv[0])->fd, &st) == 0 && S_ISDIR(st.st_mode));
    return bool_value(stat(path_c(path_value(argv[0])), &st) == 0 && S_ISDIR(st.st_mode));
}

static Value dir_s_home(Value self, int argc, const Value *argv)
{
    (void)self;
    return path_home(argc ? argv[0] : V_NIL);
}

/* ---- glob: segment by segment; a segment without magic is only tested for existence ---- */

typedef struct Glob {
    int flags;
    bool sort;
    Value base;    /* String or nil */
    char **found;  /* malloc'ed paths: no Ruby object is made while walking */
    size_t count, room;
    bool no_memory; /* some path is missing */
    char path[8192];
} Glob;

/* Appends a copy of the text; false when there is no memory. */
static bool list_add(char ***list, size_t *count, size_t *room, const char *text, size_t len)
{
    if (*count == *room) {
        size_t more = *room ? *room * 2 : 32;
        char **grown = realloc(*list, more * sizeof(char *));
        if (!grown)
            return false;
        *list = grown;
        *room = more;
    }
    char *copy = strndup(text, len);
    if (copy)
        (*list)[(*count)++] = copy;
    return copy != NULL;
}

static void list_free(char **list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(list[i]);
    free(list);
}

static void glob_add(Glob *g, size_t len)
{
    if (!list_add(&g->found, &g->count, &g->room, g->path, len))
        g->no_memory = true;
}

static bool has_magic(const char *p, size_t n, int flags)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '*' || p[i] == '?' || p[i] == '[')
            return true;
        if (p[i] == '\\' && !(flags & PATH_NOESCAPE))
            i++;
    }
    return flags & PATH_CASEFOLD;
}

/* The file name for the system: under the base directory when there is one. */
static const char *real_name(Glob *g, size_t len, char *room, size_t size)
{
    g->path[len] = 0;
    if (is_nil(g->base) || g->path[0] == '/')
        return len ? g->path : ".";
    snprintf(room, size, len ? "%s/%s" : "%s", str_view(g->base).ptr, g->path);
    return room;
}

static int name_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct Names {
    char **names;
    size_t count;
} Names;

static Names read_names(Glob *g, size_t len)
{
    Names n = {NULL, 0};
    size_t room = 0;
    char buf[8192 + 256];
    DIR *d = opendir(real_name(g, len, buf, sizeof buf));
    if (!d)
        return n;
    struct dirent *e;
    while ((e = readdir(d)))
        if (!list_add(&n.names, &n.count, &room, e->d_name, strlen(e->d_name)))
            g->no_memory = true;
    closedir(d);
    if (g->sort && n.count)
        qsort(n.names, n.count, sizeof(char *), name_order);
    return n;
}

static size_t add_name(Glob *g, size_t len, const char *name, size_t n)
{
    if (len + n + 2 > sizeof g->path)
        return 0;
    memcpy(g->path + len, name, n);
    g->path[len + n] = 0;
    return len + n;
}

static bool is_dir(Glob *g, size_t len, bool follow)
{
    char buf[8192 + 256];
    struct stat st;
    const char *name = real_name(g, len, buf, sizeof buf);
    return (follow ? stat(name, &st) : lstat(name, &st)) == 0 && S_ISDIR(st.st_mode);
}

enum { GLOB_WAYS = 32 };

/* Where the segment at p ends. */
static const char *part_end(const char *p, const char *end)
{
    while (p < end && *p != '/')
        p++;
    return p;
}

static bool is_recursive(const char *p, const char *end)
{
    return end - p >= 3 && memcmp(p, "**/", 3) == 0;
}

static void add_way(const char **ways, int *n, const char *p)
{
    for (int i = 0; i < *n; i++)
        if (ways[i] == p)
            return;
    if (*n < GLOB_WAYS)
        ways[(*n)++] = p;
}

/*
 * Below the directory in path[0, len) (len 0, or it ends with '/') all the patterns [ways[i], end) at once: a "**" is
 * there as itself and as what follows it, so that a directory comes out right before what is in it.
 */
static void glob_dir(Glob *g, size_t len, const char *const *given, int ngiven, const char *end)
{
    const char *ways[GLOB_WAYS];
    int n = 0;
    bool magic = false, ended = false;
    for (int i = 0; i < ngiven; i++) {
        const char *p = given[i];
        if (is_recursive(p, end)) {
            add_way(ways, &n, p);
            magic = true;
            while (is_recursive(p, end))
                p += 3;
        }
        if (p == end)
            ended = true;
        else
            add_way(ways, &n, p);
        magic = magic || (p < end && has_magic(p, (size_t)(part_end(p, end) - p), g->flags));
    }
    if (ended && len)
        glob_add(g, len);
    if (!n)
        return;
    if (!magic) {
        for (int i = 0; i < n; i++) {
            const char *p = ways[i], *e = part_end(p, end);
            size_t to = len;
            for (; p < e; p++) {
                if (*p == '\\' && !(g->flags & PATH_NOESCAPE) && p + 1 < e)
                    p++;
                if (!(to = add_name(g, to, p, 1)))
                    return;
            }
            char buf[8192 + 256];
            struct stat st;
            if (e == end) {
                if (lstat(real_name(g, to, buf, sizeof buf), &st) == 0)
                    glob_add(g, to);
                continue;
            }
            if (to > len && !is_dir(g, to, true))
                continue;
            while (e < end && *e == '/' && to + 2 < sizeof g->path)
                g->path[to++] = *e++;
            glob_dir(g, to, &e, 1, end);
        }
        return;
    }
    Names names = read_names(g, len);
    for (size_t k = 0; k < names.count; k++) {
        const char *name = names.names[k], *next[GLOB_WAYS];
        size_t name_len = strlen(name);
        bool dot = strcmp(name, ".") == 0, dots = strcmp(name, "..") == 0, hit = false;
        int nnext = 0, type = -1; /* -1: not asked yet */
        if (dots)
            continue;
        size_t to = add_name(g, len, name, name_len);
        if (!to)
            continue;
        for (int i = 0; i < n; i++) {
            const char *p = ways[i], *e = part_end(p, end);
            if (is_recursive(p, end)) {
                if (dot || (name[0] == '.' && !(g->flags & PATH_DOTMATCH)))
                    continue;
                if (type < 0)
                    type = is_dir(g, to, false);
                if (type)
                    add_way(next, &nnext, p);
                continue;
            }
            if (dot && !(*p == '.' || (len == 0 && e == end && g->flags & PATH_DOTMATCH)))
                continue;
            if (!path_match(p, (size_t)(e - p), name, name_len, g->flags))
                continue;
            if (e == end) {
                hit = true;
            } else {
                while (e < end && *e == '/')
                    e++;
                add_way(next, &nnext, e);
            }
        }
        if (hit)
            glob_add(g, to);
        if (nnext && is_dir(g, to, true)) {
            g->path[to] = '/';
            glob_dir(g, to + 1, next, nnext, end);
        }
    }
    list_free(names.names, names.count);
}

static void glob_alternative(const char *p, size_t n, void *arg)
{
    Glob *g = arg;
    size_t len = 0;
    if (n == 0)
        return;
    const char *end = p + n;
    while (p < end && *p == '/' && len < 4)
        g->path[len++] = *p++;
    glob_dir(g, len, &p, 1, end);
}

/* Dir.__glob(pattern, flags, base, sort): Array of Strings */
static Value dir_s_glob(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    Value pattern = path_value(argv[0]);
    Glob *g = calloc(1, sizeof *g);
    if (!g)
        raise_no_memory();
    g->flags = (int)fix_int(argv[1]) | PATH_PATHNAME;
    g->base = argv[2];
    g->sort = truthy(argv[3]);
    StrView s = str_view(pattern);
    bool whole = path_expand_braces(s.ptr, s.len, g->flags, glob_alternative, g) && !g->no_memory;
    Glob found = *g;
    free(g);
    if (!whole) {
        list_free(found.found, found.count);
        raise_no_memory();
    }
    Value list = ary_new(found.count);
    for (size_t i = 0; i < found.count; i++)
        ary_push(list, str_new_c(found.found[i]));
    list_free(found.found, found.count);
    return list;
}

static const Builtin singleton_methods[] = {
    {"__names", dir_s_names, 1, 1, BI_HIDDEN},
    {"__chdir", dir_s_chdir, 1, 1, BI_HIDDEN},
    {"pwd", dir_s_pwd, 0, 0, 0},
    {"getwd", dir_s_pwd, 0, 0, 0},
    {"mkdir", dir_s_mkdir, 1, 2, 0},
    {"rmdir", dir_s_rmdir, 1, 1, 0},
    {"delete", dir_s_rmdir, 1, 1, 0},
    {"unlink", dir_s_rmdir, 1, 1, 0},
    {"chroot", dir_s_chroot, 1, 1, 0},
    {"exist?", dir_s_exist_p, 1, 1, 0},
    {"home", dir_s_home, 0, 1, 0},
    {"__glob", dir_s_glob, 4, 4, BI_HIDDEN},
};

void dir_boot(void)
{
    module_include(klass.Dir, klass.Enumerable);
    ADD_SINGLETON_BUILTINS(klass.Dir, singleton_methods);
}
