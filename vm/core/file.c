/* file.c -- File, File::Stat, FileTest: what the file system says about files, and changes to them
 *
 * A File::Stat holds the bytes of a struct stat in a hidden field.  A name may be a path or an open IO wherever Ruby
 * allows both.
 */
#include "vm/core/core_private.h"
#include "io_private.h"
#include "path.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static Value stat_class = V_NIL;

#define UNUSED_ARGS (void)self, (void)argc, (void)argv

/* ---- stat ---- */

/* 0, or errno */
static int stat_value(Value v, struct stat *st, bool follow)
{
    Value io = is_io(v) ? v : !is_string(v) && is_heap(v) && vm_responds_to(v, SYM(to_io), false) ? io_to_io(v) : V_NIL;
    if (!is_nil(io))
        return fstat(io_get(io)->fd, st) < 0 ? errno : 0;
    return (follow ? stat(path_c(path_value(v)), st) : lstat(path_c(path_value(v)), st)) < 0 ? errno : 0;
}

static Value stat_wrap(Value cls, const struct stat *st)
{
    Value v = heap_alloc_slots(T_OBJECT, cls, 1);
    ivar_set(v, sym_intern("stat"), str_new_frozen((const char *)st, sizeof *st, ENC_BINARY));
    return v;
}

static void stat_get(Value self, struct stat *st)
{
    Value bytes = ivar_get(self, sym_intern("stat"));
    if (!is_string(bytes) || str_view(bytes).len != sizeof *st)
        raise_error(klass.TypeError, "uninitialized File::Stat");
    memcpy(st, str_view(bytes).ptr, sizeof *st);
}

static Value stat_initialize(Value self, int argc, const Value *argv)
{
    (void)argc;
    struct stat st;
    Value path = path_value(argv[0]);
    if (stat(path_c(path), &st) < 0)
        raise_errno(errno, "@ rb_file_s_stat - %T", path);
    ivar_set(self, sym_intern("stat"), str_new_frozen((const char *)&st, sizeof st, ENC_BINARY));
    return self;
}

static Value file_s_stat(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat st;
    int e = stat_value(argv[0], &st, true);
    if (e)
        raise_errno(e, "@ rb_file_s_stat - %T", path_value(argv[0]));
    return stat_wrap(stat_class, &st);
}

static Value file_s_lstat(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat st;
    int e = stat_value(argv[0], &st, false);
    if (e)
        raise_errno(e, "@ rb_file_s_lstat - %T", path_value(argv[0]));
    return stat_wrap(stat_class, &st);
}

static Value io_stat(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat st;
    if (fstat(io_get(self)->fd, &st) < 0)
        raise_errno(errno, NULL);
    return stat_wrap(stat_class, &st);
}

static Value file_lstat(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    io_get(self);
    Value path = slot_read(self, &((Io *)self)->path);
    return is_nil(path) ? io_stat(self, 0, NULL) : file_s_lstat(self, 1, &path);
}

static const char *type_name(mode_t m)
{
    return S_ISREG(m) ? "file" : S_ISDIR(m) ? "directory" : S_ISCHR(m) ? "characterSpecial" : S_ISBLK(m) ? "blockSpecial"
           : S_ISFIFO(m) ? "fifo" : S_ISLNK(m) ? "link" : S_ISSOCK(m) ? "socket" : "unknown";
}

static bool in_group(gid_t gid)
{
    gid_t list[256];
    int n = getgroups(256, list);
    for (int i = 0; i < n; i++)
        if (list[i] == gid)
            return true;
    return getegid() == gid;
}

static bool allowed(const struct stat *st, unsigned bit, bool real) /* bit: 4 2 1 */
{
    uid_t uid = real ? getuid() : geteuid();
    if (uid == 0)
        return bit != 1 || (st->st_mode & 0111) || S_ISDIR(st->st_mode);
    if (st->st_uid == uid)
        return st->st_mode & (bit << 6);
    if (real ? getgid() == st->st_gid : in_group(st->st_gid))
        return st->st_mode & (bit << 3);
    return st->st_mode & bit;
}

/* One row a predicate: of Stat, of File, of FileTest. */
typedef Value (*StatTest)(const struct stat *);
#define TEST(name, expr) \
    static Value test_##name(const struct stat *st) { return expr; }
TEST(file, bool_value(S_ISREG(st->st_mode)))
TEST(directory, bool_value(S_ISDIR(st->st_mode)))
TEST(pipe, bool_value(S_ISFIFO(st->st_mode)))
TEST(symlink, bool_value(S_ISLNK(st->st_mode)))
TEST(socket, bool_value(S_ISSOCK(st->st_mode)))
TEST(blockdev, bool_value(S_ISBLK(st->st_mode)))
TEST(chardev, bool_value(S_ISCHR(st->st_mode)))
TEST(zero, bool_value(st->st_size == 0))
TEST(size_p, st->st_size ? int_value(st->st_size) : V_NIL)
TEST(readable, bool_value(allowed(st, 4, false)))
TEST(writable, bool_value(allowed(st, 2, false)))
TEST(executable, bool_value(allowed(st, 1, false)))
TEST(readable_real, bool_value(allowed(st, 4, true)))
TEST(writable_real, bool_value(allowed(st, 2, true)))
TEST(executable_real, bool_value(allowed(st, 1, true)))
TEST(world_readable, st->st_mode & 4 ? int_fix(st->st_mode & 0777) : V_NIL)
TEST(world_writable, st->st_mode & 2 ? int_fix(st->st_mode & 0777) : V_NIL)
TEST(setuid, bool_value(st->st_mode & S_ISUID))
TEST(setgid, bool_value(st->st_mode & S_ISGID))
TEST(sticky, bool_value(st->st_mode & S_ISVTX))
TEST(owned, bool_value(st->st_uid == geteuid()))
TEST(grpowned, bool_value(in_group(st->st_gid)))

#define TESTS(X)                                                                                                      \
    X("file?", file, true) X("directory?", directory, true) X("pipe?", pipe, true) X("symlink?", symlink, false)      \
    X("socket?", socket, true) X("blockdev?", blockdev, true) X("chardev?", chardev, true) X("zero?", zero, true)     \
    X("size?", size_p, true) X("readable?", readable, true) X("writable?", writable, true)                            \
    X("executable?", executable, true) X("readable_real?", readable_real, true)                                       \
    X("writable_real?", writable_real, true) X("executable_real?", executable_real, true)                             \
    X("world_readable?", world_readable, true) X("world_writable?", world_writable, true) X("setuid?", setuid, true)  \
    X("setgid?", setgid, true) X("sticky?", sticky, true) X("owned?", owned, true) X("grpowned?", grpowned, true)

#define STAT_METHOD(text, name, follow)                                    \
    static Value stat_##name(Value self, int argc, const Value *argv)      \
    {                                                                      \
        UNUSED_ARGS;                                                       \
        struct stat st;                                                    \
        stat_get(self, &st);                                               \
        return test_##name(&st);                                           \
    }                                                                      \
    static Value file_is_##name(Value self, int argc, const Value *argv)   \
    {                                                                      \
        UNUSED_ARGS;                                                       \
        struct stat st;                                                    \
        Value no = test_##name == test_size_p || test_##name == test_world_readable || test_##name == test_world_writable \
                       ? V_NIL : V_FALSE;                                  \
        return stat_value(argv[0], &st, follow) ? no : test_##name(&st);   \
    }
TESTS(STAT_METHOD)
static Value file_s_exist(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat st;
    return bool_value(!stat_value(argv[0], &st, true));
}

static Value file_s_identical(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat a, b;
    return bool_value(!stat_value(argv[0], &a, true) && !stat_value(argv[1], &b, true) && a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

#define STAT_NUMBER(name, expr)                                       \
    static Value stat_##name(Value self, int argc, const Value *argv) \
    {                                                                 \
        UNUSED_ARGS;                                                  \
        struct stat st;                                               \
        stat_get(self, &st);                                          \
        return expr;                                                  \
    }
STAT_NUMBER(size, int_value(st.st_size))
STAT_NUMBER(mode, int_value(st.st_mode))
STAT_NUMBER(uid, int_value(st.st_uid))
STAT_NUMBER(gid, int_value(st.st_gid))
STAT_NUMBER(ino, uint_value(st.st_ino))
STAT_NUMBER(dev, uint_value(st.st_dev))
STAT_NUMBER(rdev, uint_value(st.st_rdev))
STAT_NUMBER(dev_major, uint_value(major(st.st_dev)))
STAT_NUMBER(dev_minor, uint_value(minor(st.st_dev)))
STAT_NUMBER(rdev_major, uint_value(major(st.st_rdev)))
STAT_NUMBER(rdev_minor, uint_value(minor(st.st_rdev)))
STAT_NUMBER(nlink, int_value((int64_t)st.st_nlink))
STAT_NUMBER(blksize, int_value(st.st_blksize))
STAT_NUMBER(blocks, int_value(st.st_blocks))
STAT_NUMBER(atime, time_new_at(st.st_atim.tv_sec, (int32_t)st.st_atim.tv_nsec))
STAT_NUMBER(mtime, time_new_at(st.st_mtim.tv_sec, (int32_t)st.st_mtim.tv_nsec))
STAT_NUMBER(ctime, time_new_at(st.st_ctim.tv_sec, (int32_t)st.st_ctim.tv_nsec))
STAT_NUMBER(ftype, str_new_c(type_name(st.st_mode)))

static Value stat_cmp(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (!obj_is_kind_of(argv[0], stat_class))
        return V_NIL;
    struct stat a, b;
    stat_get(self, &a);
    stat_get(argv[0], &b);
    int64_t x = a.st_mtim.tv_sec, y = b.st_mtim.tv_sec;
    if (x == y)
        x = a.st_mtim.tv_nsec, y = b.st_mtim.tv_nsec;
    return int_fix(x < y ? -1 : x > y);
}

static Value time_text(Value t)
{
    return obj_inspect(t);
}

static Value stat_inspect(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    struct stat st;
    stat_get(self, &st);
    return str_format("#<File::Stat dev=0x%lx, ino=%lu, mode=0%o, nlink=%lu, uid=%u, gid=%u, rdev=0x%lx, size=%ld, blksize=%ld, "
                      "blocks=%ld, atime=%T, mtime=%T, ctime=%T>",
                      (long)st.st_dev, (unsigned long)st.st_ino, st.st_mode, (unsigned long)st.st_nlink, st.st_uid, st.st_gid,
                      (long)st.st_rdev, (long)st.st_size, (long)st.st_blksize, (long)st.st_blocks,
                      time_text(stat_atime(self, 0, NULL)), time_text(stat_mtime(self, 0, NULL)),
                      time_text(stat_ctime(self, 0, NULL)));
}

/* ---- questions with an answer of their own ---- */

static void stat_or_raise(Value v, struct stat *st, bool follow, const char *what)
{
    int e = stat_value(v, st, follow);
    if (!e)
        return;
    if (is_io(v))
        raise_errno(e, NULL);
    raise_errno(e, "@ rb_file_s_%s - %T", what, path_value(v));
}

#define FILE_QUESTION(name, follow, expr)                               \
    static Value file_s_##name(Value self, int argc, const Value *argv) \
    {                                                                   \
        UNUSED_ARGS;                                                    \
        struct stat st;                                                 \
        stat_or_raise(argv[0], &st, follow, #name);                     \
        return expr;                                                    \
    }
FILE_QUESTION(size, true, int_value(st.st_size))
FILE_QUESTION(atime, true, time_new_at(st.st_atim.tv_sec, (int32_t)st.st_atim.tv_nsec))
FILE_QUESTION(mtime, true, time_new_at(st.st_mtim.tv_sec, (int32_t)st.st_mtim.tv_nsec))
FILE_QUESTION(ctime, true, time_new_at(st.st_ctim.tv_sec, (int32_t)st.st_ctim.tv_nsec))
FILE_QUESTION(ftype, false, str_new_c(type_name(st.st_mode)))

static Value birthtime(int fd, const char *path, Value name)
{
    struct statx sx;
    if (statx(fd, path, fd == AT_FDCWD ? 0 : AT_EMPTY_PATH, STATX_BTIME, &sx) < 0)
        raise_errno(errno, "@ rb_file_s_birthtime - %T", name);
    if (!(sx.stx_mask & STATX_BTIME))
        raise_not_implemented("birthtime() function");
    return time_new_at(sx.stx_btime.tv_sec, (int32_t)sx.stx_btime.tv_nsec);
}

static Value file_s_birthtime(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    if (is_io(argv[0]))
        return birthtime(io_get(argv[0])->fd, "", argv[0]);
    Value path = path_value(argv[0]);
    return birthtime(AT_FDCWD, path_c(path), path);
}

#define FILE_OWN(name)                                                \
    static Value file_##name(Value self, int argc, const Value *argv) \
    {                                                                 \
        (void)argc, (void)argv;                                       \
        io_flush(self);                                               \
        return file_s_##name(self, 1, &self);                         \
    }
FILE_OWN(size)
FILE_OWN(atime)
FILE_OWN(mtime)
FILE_OWN(ctime)
FILE_OWN(birthtime)

/* ---- changes ---- */

static Value file_s_delete(Value self, int argc, const Value *argv)
{
    (void)self;
    for (int i = 0; i < argc; i++) {
        Value p = path_value(argv[i]);
        if (unlink(path_c(p)) < 0)
            raise_errno(errno, "@ apply2files - %T", p);
    }
    return int_fix(argc);
}

#define FILE_TWO(name, call)                                                       \
    static Value file_s_##name(Value self, int argc, const Value *argv)            \
    {                                                                              \
        UNUSED_ARGS;                                                               \
        Value a = path_value(argv[0]), b = path_value(argv[1]);                    \
        if (call(path_c(a), path_c(b)) < 0)                                        \
            raise_errno(errno, "@ rb_file_s_" #name " - (%T, %T)", a, b);          \
        return int_fix(0);                                                         \
    }
FILE_TWO(rename, rename)
FILE_TWO(symlink, symlink)
FILE_TWO(link, link)

static Value file_s_readlink(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    Value p = path_value(argv[0]);
    char text[4096];
    ssize_t n = readlink(path_c(p), text, sizeof text);
    if (n < 0)
        raise_errno(errno, "@ rb_readlink - %T", p);
    return str_new(text, (size_t)n);
}

static Value file_s_chmod(Value self, int argc, const Value *argv)
{
    (void)self;
    mode_t m = (mode_t)value_int(argv[0]);
    for (int i = 1; i < argc; i++) {
        Value p = path_value(argv[i]);
        if (chmod(path_c(p), m) < 0)
            raise_errno(errno, "@ apply2files - %T", p);
    }
    return int_fix(argc - 1);
}

static Value change_owner(int argc, const Value *argv, int (*call)(const char *, uid_t, gid_t))
{
    uid_t u = is_nil(argv[0]) ? (uid_t)-1 : (uid_t)value_int(argv[0]);
    gid_t g = is_nil(argv[1]) ? (gid_t)-1 : (gid_t)value_int(argv[1]);
    for (int i = 2; i < argc; i++) {
        Value p = path_value(argv[i]);
        if (call(path_c(p), u, g) < 0)
            raise_errno(errno, "@ apply2files - %T", p);
    }
    return int_fix(argc - 2);
}

static Value file_s_chown(Value self, int argc, const Value *argv)
{
    (void)self;
    return change_owner(argc, argv, chown);
}

static Value file_s_lchown(Value self, int argc, const Value *argv)
{
    (void)self;
    return change_owner(argc, argv, lchown);
}

static Value set_times(int argc, const Value *argv, int flags)
{
    struct timespec ts[2];
    for (int i = 0; i < 2; i++) {
        if (is_nil(argv[i])) {
            ts[i] = (struct timespec){0, UTIME_NOW};
            continue;
        }
        if (is_type(argv[i], T_TIME)) {
            ts[i].tv_sec = value_int(vm_call0(argv[i], sym_intern("to_i")));
            ts[i].tv_nsec = value_int(vm_call0(argv[i], sym_intern("nsec")));
        } else {
            double d = value_double(argv[i]);
            ts[i].tv_sec = (time_t)__builtin_floor(d);
            ts[i].tv_nsec = (long)((d - __builtin_floor(d)) * 1e9);
        }
    }
    for (int i = 2; i < argc; i++) {
        Value p = path_value(argv[i]);
        if (utimensat(AT_FDCWD, path_c(p), ts, flags) < 0)
            raise_errno(errno, "@ apply2files - %T", p);
    }
    return int_fix(argc - 2);
}

static Value file_s_utime(Value self, int argc, const Value *argv)
{
    (void)self;
    return set_times(argc, argv, 0);
}

static Value file_s_lutime(Value self, int argc, const Value *argv)
{
    (void)self;
    return set_times(argc, argv, AT_SYMLINK_NOFOLLOW);
}

static Value file_s_truncate(Value self, int argc, const Value *argv)
{
    UNUSED_ARGS;
    Value p = path_value(argv[0]);
    if (truncate(path_c(p), value_int(argv[1])) < 0)
        raise_errno(errno, "@ rb_file_s_truncate - %T", p);
    return int_fix(0);
}

static Value file_s_mkfifo(Value self, int argc, const Value *argv)
{
    (void)self;
    Value p = path_value(argv[0]);
    if (mkfifo(path_c(p), argc > 1 ? (mode_t)value_int(argv[1]) : 0666) < 0)
        raise_errno(errno, "@ rb_file_s_mkfifo - %T", p);
    return int_fix(0);
}

static Value file_s_umask(Value self, int argc, const Value *argv)
{
    (void)self;
    mode_t old;
    if (argc) {
        old = umask((mode_t)value_int(argv[0]));
    } else {
        old = umask(0);
        umask(old);
    }
    return int_fix(old);
}

static Value file_chmod(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (fchmod(io_get(self)->fd, (mode_t)value_int(argv[0])) < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

static Value file_chown(Value self, int argc, const Value *argv)
{
    (void)argc;
    if (fchown(io_get(self)->fd, is_nil(argv[0]) ? (uid_t)-1 : (uid_t)value_int(argv[0]),
               is_nil(argv[1]) ? (gid_t)-1 : (gid_t)value_int(argv[1])) < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

static Value file_truncate(Value self, int argc, const Value *argv)
{
    (void)argc;
    io_get_writable(self);
    io_flush(self);
    if (ftruncate(io_get(self)->fd, value_int(argv[0])) < 0)
        raise_errno(errno, NULL);
    return int_fix(0);
}

/* Locks by trying, so that signals and other threads get their turn. */
static Value file_flock(Value self, int argc, const Value *argv)
{
    (void)argc;
    int op = (int)value_int(argv[0]), nap = 1;
    io_flush(self);
    for (;;) {
        if (flock(io_get(self)->fd, op | LOCK_NB) == 0)
            return int_fix(0);
        if (errno != EWOULDBLOCK && errno != EINTR)
            raise_errno(errno, NULL);
        if (op & LOCK_NB)
            return V_FALSE;
        vm_nap(nap);
        nap = nap < 20 ? nap * 2 : 20;
    }
}

/* File.__data(path, offset): the script itself from its __END__ on */
static Value file_s_data(Value self, int argc, const Value *argv)
{
    (void)argc;
    Value f = vm_call1(self, SYM(new), argv[0]);
    vm_call1(f, sym_intern("seek"), argv[1]);
    return f;
}

#define STAT_ROW(text, name, follow) {text, stat_##name, 0, 0, 0},
static const Builtin stat_methods[] = {
    TESTS(STAT_ROW)
    {"initialize", stat_initialize, 1, 1, BI_PRIVATE},
    {"size", stat_size, 0, 0, 0},
    {"mode", stat_mode, 0, 0, 0},
    {"uid", stat_uid, 0, 0, 0},
    {"gid", stat_gid, 0, 0, 0},
    {"ino", stat_ino, 0, 0, 0},
    {"dev", stat_dev, 0, 0, 0},
    {"rdev", stat_rdev, 0, 0, 0},
    {"dev_major", stat_dev_major, 0, 0, 0},
    {"dev_minor", stat_dev_minor, 0, 0, 0},
    {"rdev_major", stat_rdev_major, 0, 0, 0},
    {"rdev_minor", stat_rdev_minor, 0, 0, 0},
    {"nlink", stat_nlink, 0, 0, 0},
    {"blksize", stat_blksize, 0, 0, 0},
    {"blocks", stat_blocks, 0, 0, 0},
    {"atime", stat_atime, 0, 0, 0},
    {"mtime", stat_mtime, 0, 0, 0},
    {"ctime", stat_ctime, 0, 0, 0},
    {"ftype", stat_ftype, 0, 0, 0},
    {"<=>", stat_cmp, 1, 1, 0},
    {"inspect", stat_inspect, 0, 0, 0},
};

#define FILE_ROW(text, name, follow) {text, file_is_##name, 1, 1, 0},
static const Builtin test_methods[] = {
    TESTS(FILE_ROW)
    {"empty?", file_is_zero, 1, 1, 0},
    {"exist?", file_s_exist, 1, 1, 0},
    {"identical?", file_s_identical, 2, 2, 0},
    {"size", file_s_size, 1, 1, 0},
};

static const Builtin singleton_methods[] = {
    {"stat", file_s_stat, 1, 1, 0},
    {"lstat", file_s_lstat, 1, 1, 0},
    {"atime", file_s_atime, 1, 1, 0},
    {"mtime", file_s_mtime, 1, 1, 0},
    {"ctime", file_s_ctime, 1, 1, 0},
    {"birthtime", file_s_birthtime, 1, 1, 0},
    {"ftype", file_s_ftype, 1, 1, 0},
    {"delete", file_s_delete, 0, -1, 0},
    {"unlink", file_s_delete, 0, -1, 0},
    {"rename", file_s_rename, 2, 2, 0},
    {"symlink", file_s_symlink, 2, 2, 0},
    {"link", file_s_link, 2, 2, 0},
    {"readlink", file_s_readlink, 1, 1, 0},
    {"chmod", file_s_chmod, 1, -1, 0},
    {"chown", file_s_chown, 2, -1, 0},
    {"lchown", file_s_lchown, 2, -1, 0},
    {"utime", file_s_utime, 2, -1, 0},
    {"lutime", file_s_lutime, 2, -1, 0},
    {"truncate", file_s_truncate, 2, 2, 0},
    {"mkfifo", file_s_mkfifo, 1, 2, 0},
    {"umask", file_s_umask, 0, 1, 0},
    {"__data", file_s_data, 2, 2, BI_HIDDEN},
};

static const Builtin methods[] = {
    {"size", file_size, 0, 0, 0},
    {"lstat", file_lstat, 0, 0, 0},
    {"atime", file_atime, 0, 0, 0},
    {"mtime", file_mtime, 0, 0, 0},
    {"ctime", file_ctime, 0, 0, 0},
    {"birthtime", file_birthtime, 0, 0, 0},
    {"chmod", file_chmod, 1, 1, 0},
    {"chown", file_chown, 2, 2, 0},
    {"truncate", file_truncate, 1, 1, 0},
    {"flock", file_flock, 1, 1, 0},
};
static const Builtin io_methods[] = {
    {"stat", io_stat, 0, 0, 0},
};

static const struct {
    const char *name;
    int value;
} constants[] = {
    {"RDONLY", O_RDONLY}, {"WRONLY", O_WRONLY}, {"RDWR", O_RDWR}, {"APPEND", O_APPEND}, {"CREAT", O_CREAT},
    {"EXCL", O_EXCL}, {"NONBLOCK", O_NONBLOCK}, {"TRUNC", O_TRUNC}, {"NOCTTY", O_NOCTTY}, {"BINARY", 0},
    {"SHARE_DELETE", 0}, {"SYNC", O_SYNC}, {"DSYNC", O_DSYNC}, {"RSYNC", O_RSYNC}, {"NOFOLLOW", O_NOFOLLOW},
    {"DIRECTORY", O_DIRECTORY}, {"TMPFILE", O_TMPFILE}, {"NOATIME", O_NOATIME}, {"DIRECT", O_DIRECT},
    {"LOCK_SH", LOCK_SH}, {"LOCK_EX", LOCK_EX}, {"LOCK_NB", LOCK_NB}, {"LOCK_UN", LOCK_UN},
    {"FNM_NOESCAPE", PATH_NOESCAPE}, {"FNM_PATHNAME", PATH_PATHNAME}, {"FNM_DOTMATCH", PATH_DOTMATCH},
    {"FNM_CASEFOLD", PATH_CASEFOLD}, {"FNM_EXTGLOB", PATH_EXTGLOB}, {"FNM_SYSCASE", 0}, {"FNM_SHORTNAME", 0},
};

void file_boot(void)
{
    Value c = module_define_under(klass.File, "Constants");
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++)
        const_set(c, sym_intern(constants[i].name), int_fix(constants[i].value));
    const_set(c, sym_intern("NULL"), str_new_frozen("/dev/null", 9, ENC_UTF_8));
    module_include(klass.IO, c);
    stat_class = class_define_under(klass.File, "Stat", klass.Object);
    heap_add_root(&stat_class);
    module_include(stat_class, klass.Comparable);
    ADD_BUILTINS(stat_class, stat_methods);
    ADD_SINGLETON_BUILTINS(klass.File, test_methods);
    ADD_SINGLETON_BUILTINS(klass.FileTest, test_methods);
    ADD_SINGLETON_BUILTINS(klass.File, singleton_methods);
    ADD_BUILTINS(klass.File, methods);
    ADD_BUILTINS(klass.IO, io_methods);
}
