/* boundary.c -- the Ruby interface of transactions: primitives under the methods of vm/core/transaction.rb
 *
 * Those add hooks, retries and the lock between threads; here is what needs the session's state.  Names without
 * underscores are methods as the program calls them.
 */
#include "private.h"
#include "lib/config.h"

static Value commit(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return persist_commit();
}

static Value abort_(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    persist_abort();
    return V_NIL;
}

/* "snapshot" or "serializable", as Symbol or String; nil is the session's own. */
static bool is_serializable(Value isolation)
{
    if (is_nil(isolation))
        return conf.isolation == ISOLATION_SERIALIZABLE;
    Value text = obj_to_s(isolation);
    StrView v = str_view(text);
    if (v.len == 8 && memcmp(v.ptr, "snapshot", 8) == 0)
        return false;
    if (v.len == 12 && memcmp(v.ptr, "serializable", 12) == 0)
        return true;
    raise_error(klass.ArgumentError, "there is no isolation %V: it is :snapshot or :serializable", isolation);
}

static Value begin(Value self, int argc, const Value *argv)
{
    (void)self;
    persist_begin(is_serializable(argc ? argv[0] : V_NIL));
    return V_NIL;
}

static Value begin_nested(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    persist_begin_nested();
    return V_NIL;
}

static Value continue_(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(persist_continue());
}

static Value level(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return int_fix(session.level);
}

static Value needs_commit(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(persist_needs_commit());
}

static Value failed_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(session.commit_disallowed);
}

static Value serializable_p(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(reads_active());
}

static const char *const mode_names[] = {"auto_begin", "manual_begin", "transactionless"};

static Value mode(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return sym_intern(mode_names[session.begin_mode]);
}

static Value set_mode(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    for (int m = 0; m < 3; m++)
        if (argv[0] == sym_intern(mode_names[m])) {
            persist_set_begin_mode((BeginMode)m);
            return argv[0];
        }
    raise_error(klass.ArgumentError, "there is no transaction mode %V: it is :auto_begin, :manual_begin or :transactionless",
                argv[0]);
}

static Value isolation(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return sym_intern(conf.isolation == ISOLATION_SERIALIZABLE ? "serializable" : "snapshot");
}

static Value set_isolation(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    conf.isolation = is_serializable(argv[0]) ? ISOLATION_SERIALIZABLE : ISOLATION_SNAPSHOT;
    return argv[0];
}

static const char *const durabilities[] = {"durable", "group", "async", "ticket"}; /* as Durability */

static Value durability(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return sym_intern(durabilities[conf.durability]);
}

static Value set_durability(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    for (int d = 0; d < 4; d++)
        if (argv[0] == sym_intern(durabilities[d])) {
            conf.durability = d;
            return argv[0];
        }
    raise_error(klass.ArgumentError, "there is no durability %V: it is :durable, :group, :async or :ticket", argv[0]);
}

static Value durable_reads(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(conf.durable_reads);
}

static Value set_durable_reads(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    conf.durable_reads = truthy(argv[0]);
    return argv[0];
}

static Value log_conflicts(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc, (void)argv;
    return bool_value(conf.log_conflicts);
}

static Value set_log_conflicts(Value self, int argc, const Value *argv)
{
    (void)self, (void)argc;
    conf.log_conflicts = truthy(argv[0]);
    return argv[0];
}

static const Builtin methods[] = {
    {"__commit", commit, 0, 0, BI_HIDDEN},
    {"__abort", abort_, 0, 0, BI_HIDDEN},
    {"__begin", begin, 0, 1, BI_HIDDEN},
    {"__begin_nested", begin_nested, 0, 0, BI_HIDDEN},
    {"__continue", continue_, 0, 0, BI_HIDDEN},
    {"__failed?", failed_p, 0, 0, BI_HIDDEN},
    {"__serializable?", serializable_p, 0, 0, BI_HIDDEN},
    {"transaction_level", level, 0, 0, 0},
    {"needs_commit", needs_commit, 0, 0, 0},
    {"needs_commit?", needs_commit, 0, 0, 0},
    {"transaction_mode", mode, 0, 0, 0},
    {"transaction_mode=", set_mode, 1, 1, 0},
    {"isolation", isolation, 0, 0, 0},
    {"isolation=", set_isolation, 1, 1, 0},
    {"durability", durability, 0, 0, 0},
    {"durability=", set_durability, 1, 1, 0},
    {"durable_reads?", durable_reads, 0, 0, 0},
    {"durable_reads=", set_durable_reads, 1, 1, 0},
    {"log_conflicts?", log_conflicts, 0, 0, 0},
    {"log_conflicts=", set_log_conflicts, 1, 1, 0},
};

void boundary_boot(void)
{
    ADD_SINGLETON_BUILTINS(klass.Maglev, methods);
}
