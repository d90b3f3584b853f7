/*
 * credentials.c: whose process this is: Process.uid= and its kin, Process::UID, Process::GID and Process::Sys.
 *
 * They change the session's own process: a session that gives up its user's rights keeps the store, which it has open.
 */
#include "lib/base.h"
#include "vm/core/core_private.h"
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

static const gid_t max_groups = 65536; /* NGROUPS_MAX */

static Value checked(int result)
{
    if (result < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

static uid_t user_id(Value v)
{
    if (!is_string(v))
        return (uid_t)value_int(v);
    struct passwd *p = getpwnam(str_c(v));
    if (!p)
        raise_error(klass.ArgumentError, "can't find user for %T", v);
    return p->pw_uid;
}

static gid_t group_id(Value v)
{
    if (!is_string(v))
        return (gid_t)value_int(v);
    struct group *g = getgrnam(str_c(v));
    if (!g)
        raise_error(klass.ArgumentError, "can't find group for %T", v);
    return g->gr_gid;
}

#define ROW(name, expression) \
    static Value name(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv) \
    { \
        return expression; \
    }

/* ---- Process ---- */
static Value same(Value v, Value done)
{
    (void)done;
    return v;
}
ROW(set_uid, same(argv[0], checked(setresuid(user_id(argv[0]), (uid_t)-1, (uid_t)-1))))
ROW(set_gid, same(argv[0], checked(setresgid(group_id(argv[0]), (gid_t)-1, (gid_t)-1))))
ROW(set_euid, same(argv[0], checked(seteuid(user_id(argv[0])))))
ROW(set_egid, same(argv[0], checked(setegid(group_id(argv[0])))))

static Value groups(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    int n = getgroups(0, NULL);
    gid_t *ids = heap_malloc((size_t)(n + 1) * sizeof *ids);
    n = getgroups(n, ids);
    int err = errno;
    Value list = ary_new(n > 0 ? (size_t)n : 0);
    for (int i = 0; i < n; i++)
        ary_push(list, int_fix(ids[i]));
    heap_free(ids);
    if (n < 0)
        raise_errno(err, NULL);
    return list;
}

static Value set_groups(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    Value list = ary_to_ary(argv[0]), ids = ary_new(ary_len(list));
    if (ary_len(list) > max_groups)
        raise_error(klass.ArgumentError, "too many groups, %d max", (int)max_groups);
    for (size_t i = 0; i < ary_len(list); i++)
        ary_push(ids, int_fix(group_id(ary_get(list, (long)i))));
    size_t n = ary_len(ids);
    gid_t *raw = heap_malloc((n + 1) * sizeof *raw);
    for (size_t i = 0; i < n; i++)
        raw[i] = (gid_t)fix_int(ary_get(ids, (long)i));
    int result = setgroups(n, raw), err = errno;
    heap_free(raw);
    if (result < 0)
        raise_errno(err, NULL);
    return groups(self, 0, NULL);
}

static Value process_initgroups(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    gid_t base = group_id(argv[1]);
    checked(initgroups(str_c(str_to_str(argv[0])), base));
    return groups(self, 0, NULL);
}

ROW(get_maxgroups, int_fix(max_groups))

static Value set_maxgroups(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    if (value_int(argv[0]) <= 0)
        raise_error(klass.ArgumentError, "maxgroups %d should be positive", (int)value_int(argv[0]));
    return argv[0]; /* a list of any length up to the system's is held */
}

/* ---- Process::Sys: the system calls ---- */
ROW(sys_getuid, int_fix(getuid()))
ROW(sys_geteuid, int_fix(geteuid()))
ROW(sys_getgid, int_fix(getgid()))
ROW(sys_getegid, int_fix(getegid()))
ROW(sys_setuid, same(V_NIL, checked(setuid(user_id(argv[0])))))
ROW(sys_setgid, same(V_NIL, checked(setgid(group_id(argv[0])))))
ROW(sys_seteuid, same(V_NIL, checked(seteuid(user_id(argv[0])))))
ROW(sys_setegid, same(V_NIL, checked(setegid(group_id(argv[0])))))
ROW(sys_setreuid, same(V_NIL, checked(setreuid(user_id(argv[0]), user_id(argv[1])))))
ROW(sys_setregid, same(V_NIL, checked(setregid(group_id(argv[0]), group_id(argv[1])))))
ROW(sys_setresuid, same(V_NIL, checked(setresuid(user_id(argv[0]), user_id(argv[1]), user_id(argv[2])))))
ROW(sys_setresgid, same(V_NIL, checked(setresgid(group_id(argv[0]), group_id(argv[1]), group_id(argv[2])))))

/* ---- Process::UID, Process::GID ---- */
ROW(uid_from_name, int_fix(user_id(str_to_str(argv[0]))))
ROW(gid_from_name, int_fix(group_id(str_to_str(argv[0]))))
ROW(yes, V_TRUE)

static Value uid_change_privilege(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    uid_t id = user_id(argv[0]);
    checked(setresuid(id, id, id));
    return int_fix(id);
}

static Value gid_change_privilege(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    gid_t id = group_id(argv[0]);
    checked(setresgid(id, id, id));
    return int_fix(id);
}

static Value uid_grant_privilege(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    uid_t id = user_id(argv[0]);
    checked(seteuid(id));
    return int_fix(id);
}

static Value gid_grant_privilege(UNUSED Value self, UNUSED int argc, const Value *argv)
{
    gid_t id = group_id(argv[0]);
    checked(setegid(id));
    return int_fix(id);
}

/* Real and effective change places; the saved one becomes the new effective one, as setreuid has it. */
static Value uid_re_exchange(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    uid_t real = getuid(), effective = geteuid();
    checked(setresuid(effective, real, real));
    return int_fix(real);
}

static Value gid_re_exchange(UNUSED Value self, UNUSED int argc, UNUSED const Value *argv)
{
    gid_t real = getgid(), effective = getegid();
    checked(setresgid(effective, real, real));
    return int_fix(real);
}

typedef struct Switch {
    bool group;
    uid_t effective;
} Switch;

static void switch_back(void *arg)
{
    const Switch *s = arg;
    checked(s->group ? setegid(s->effective) : seteuid(s->effective));
}

static Value yield_nothing(UNUSED void *arg)
{
    return vm_yield(0, NULL);
}

/* The effective id becomes the real one, for the block or until the next switch. */
static Value switch_ids(bool group)
{
    uid_t real = group ? getgid() : getuid();
    Switch s = {group, group ? getegid() : geteuid()};
    if (real == s.effective)
        raise_errno(EPERM, NULL);
    checked(group ? setegid(real) : seteuid(real));
    if (!block_given())
        return int_fix(s.effective);
    return vm_ensure(yield_nothing, NULL, switch_back, &s);
}

ROW(uid_switch, switch_ids(false))
ROW(gid_switch, switch_ids(true))

static const Builtin process_methods[] = {
    {"uid=", set_uid, 1, 1, 0},
    {"gid=", set_gid, 1, 1, 0},
    {"euid=", set_euid, 1, 1, 0},
    {"egid=", set_egid, 1, 1, 0},
    {"groups", groups, 0, 0, 0},
    {"groups=", set_groups, 1, 1, 0},
    {"initgroups", process_initgroups, 2, 2, 0},
    {"maxgroups", get_maxgroups, 0, 0, 0},
    {"maxgroups=", set_maxgroups, 1, 1, 0},
};
static const Builtin sys_methods[] = {
    {"getuid", sys_getuid, 0, 0, 0},
    {"geteuid", sys_geteuid, 0, 0, 0},
    {"getgid", sys_getgid, 0, 0, 0},
    {"getegid", sys_getegid, 0, 0, 0},
    {"setuid", sys_setuid, 1, 1, 0},
    {"setgid", sys_setgid, 1, 1, 0},
    {"seteuid", sys_seteuid, 1, 1, 0},
    {"setegid", sys_setegid, 1, 1, 0},
    {"setreuid", sys_setreuid, 2, 2, 0},
    {"setregid", sys_setregid, 2, 2, 0},
    {"setresuid", sys_setresuid, 3, 3, 0},
    {"setresgid", sys_setresgid, 3, 3, 0},
};
static const Builtin uid_methods[] = {
    {"rid", sys_getuid, 0, 0, 0},
    {"eid", sys_geteuid, 0, 0, 0},
    {"change_privilege", uid_change_privilege, 1, 1, 0},
    {"grant_privilege", uid_grant_privilege, 1, 1, 0},
    {"eid=", uid_grant_privilege, 1, 1, 0},
    {"re_exchange", uid_re_exchange, 0, 0, 0},
    {"re_exchangeable?", yes, 0, 0, 0},
    {"sid_available?", yes, 0, 0, 0},
    {"switch", uid_switch, 0, 0, 0},
    {"from_name", uid_from_name, 1, 1, 0},
};
static const Builtin gid_methods[] = {
    {"rid", sys_getgid, 0, 0, 0},
    {"eid", sys_getegid, 0, 0, 0},
    {"change_privilege", gid_change_privilege, 1, 1, 0},
    {"grant_privilege", gid_grant_privilege, 1, 1, 0},
    {"eid=", gid_grant_privilege, 1, 1, 0},
    {"re_exchange", gid_re_exchange, 0, 0, 0},
    {"re_exchangeable?", yes, 0, 0, 0},
    {"sid_available?", yes, 0, 0, 0},
    {"switch", gid_switch, 0, 0, 0},
    {"from_name", gid_from_name, 1, 1, 0},
};

static Value part(const char *name)
{
    Value m = module_new(NULL);
    const_set(klass.Process, sym_intern(name), m);
    return m;
}

void credentials_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Process, process_methods);
    ADD_SINGLETON_BUILTINS(part("Sys"), sys_methods);
    ADD_SINGLETON_BUILTINS(part("UID"), uid_methods);
    ADD_SINGLETON_BUILTINS(part("GID"), gid_methods);
}
