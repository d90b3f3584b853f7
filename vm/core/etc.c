/* etc.c -- what the library etc asks of the system: users, groups, uname, sysconf
 *
 * The primitives enter module Etc when vm/lib/etc.rb asks for them.
 */
#include "vm/core/core_private.h"
#include "vm/core.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/utsname.h>
#include <unistd.h>

static Value user_row(const struct passwd *pw)
{
    if (!pw)
        return V_NIL;
    return ary_new_from(7, (Value[]){str_new_c(pw->pw_name), str_new_c(pw->pw_passwd), uint_value(pw->pw_uid),
                                     uint_value(pw->pw_gid), str_new_c(pw->pw_gecos), str_new_c(pw->pw_dir),
                                     str_new_c(pw->pw_shell)});
}

static Value group_row(const struct group *gr)
{
    if (!gr)
        return V_NIL;
    Value members = ary_new(4);
    for (char **m = gr->gr_mem; *m; m++)
        ary_push(members, str_new_c(*m));
    return ary_new_from(4, (Value[]){str_new_c(gr->gr_name), str_new_c(gr->gr_passwd), uint_value(gr->gr_gid), members});
}

static Value etc_user(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return user_row(is_string(argv[0]) ? getpwnam(str_c(argv[0])) : getpwuid((uid_t)value_int(argv[0])));
}

static Value etc_group(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    return group_row(is_string(argv[0]) ? getgrnam(str_c(argv[0])) : getgrgid((gid_t)value_int(argv[0])));
}

static Value etc_users(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value list = ary_new(16);
    setpwent();
    for (struct passwd *pw; (pw = getpwent());)
        ary_push(list, user_row(pw));
    endpwent();
    return list;
}

static Value etc_groups(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    Value list = ary_new(16);
    setgrent();
    for (struct group *gr; (gr = getgrent());)
        ary_push(list, group_row(gr));
    endgrent();
    return list;
}

static Value etc_uname(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    struct utsname u;
    if (uname(&u) < 0)
        raise_errno(errno, "uname");
    Value hash = hash_new();
    hash_set(hash, sym_intern("sysname"), str_new_c(u.sysname));
    hash_set(hash, sym_intern("nodename"), str_new_c(u.nodename));
    hash_set(hash, sym_intern("release"), str_new_c(u.release));
    hash_set(hash, sym_intern("version"), str_new_c(u.version));
    hash_set(hash, sym_intern("machine"), str_new_c(u.machine));
    return hash;
}

static Value etc_nprocessors(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return int_value(sysconf(_SC_NPROCESSORS_ONLN));
}

static Value etc_sysconf(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    errno = 0;
    long n = sysconf((int)value_int(argv[0]));
    if (n < 0 && errno)
        raise_errno(errno, "sysconf");
    return n < 0 ? V_NIL : int_value(n);
}

static const Builtin methods[] = {
    {"__user", etc_user, 1, 1, BI_HIDDEN},
    {"__group", etc_group, 1, 1, BI_HIDDEN},
    {"__users", etc_users, 0, 0, BI_HIDDEN},
    {"__groups", etc_groups, 0, 0, BI_HIDDEN},
    {"uname", etc_uname, 0, 0, 0},
    {"nprocessors", etc_nprocessors, 0, 0, 0},
    {"sysconf", etc_sysconf, 1, 1, 0},
};

static Value process_load_etc(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    static const struct {
        const char *name;
        int number;
    } rows[] = {
        {"SC_ARG_MAX", _SC_ARG_MAX},   {"SC_CHILD_MAX", _SC_CHILD_MAX},   {"SC_CLK_TCK", _SC_CLK_TCK},
        {"SC_OPEN_MAX", _SC_OPEN_MAX}, {"SC_PAGESIZE", _SC_PAGESIZE},     {"SC_NPROCESSORS_CONF", _SC_NPROCESSORS_CONF},
        {"SC_IOV_MAX", _SC_IOV_MAX},   {"SC_PHYS_PAGES", _SC_PHYS_PAGES}, {"SC_NPROCESSORS_ONLN", _SC_NPROCESSORS_ONLN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        const_set(argv[0], sym_intern(rows[i].name), int_fix(rows[i].number));
    ADD_SINGLETON_BUILTINS(argv[0], methods);
    return V_NIL;
}

static const Builtin loader[] = {{"__load_etc", process_load_etc, 1, 1, BI_HIDDEN}};

void etc_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Process, loader);
}
