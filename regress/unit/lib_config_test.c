/* lib_config_test.c: lodestone.conf is read whole or not at all; values, units and contexts are checked. */
#include "regress/unit/unit.h"

static char *directory, *path;

static void put_file(const char *text)
{
    io_write_file_atomic(path, text, strlen(text), 0600);
}

static const char *shown(const char *name)
{
    StrBuf sb;
    strbuf_init(&sb, memctx_top());
    config_show(name, &sb);
    return sb.data;
}

static int back_to_defaults(void **state)
{
    (void)state;
    config_init();
    return 0;
}

static void a_file_sets_values(void **state)
{
    (void)state;
    put_file("# a comment\n"
             "page_cache_size = 16MB   # another\n"
             "max_sessions 7\n"
             "socket_path = '/tmp/it''s # here'\n"
             "\n"
             "checkpoint_timeout=50ms\n"
             "durability = GROUP\n"
             "compactor = off");
    config_load(path);
    assert_int_equal(conf.page_cache_size, 16 * MB);
    assert_int_equal(conf.max_sessions, 7);
    assert_string_equal(conf.socket_path, "/tmp/it's # here");
    assert_int_equal(conf.checkpoint_timeout, 50);
    assert_int_equal(conf.durability, DURABILITY_GROUP);
    assert_false(conf.compactor);
    assert_string_equal(shown("page_cache_size"), "16MB");
    assert_string_equal(shown("durability"), "group");
    assert_string_equal(shown("compactor"), "off");
    assert_string_equal(shown("authentication_timeout"), "10s");
}

static void refuse(const char *text, const char *why)
{
    put_file(text);
    EXPECT_ERROR(ERR_CONFIG, config_load(path));
    if (strstr(unit_message, why) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", unit_message, why);
    assert_int_equal(conf.max_sessions, 64);
}

static void a_wrong_file_changes_nothing_and_says_where(void **state)
{
    (void)state;
    refuse("max_sessions = 5\nno_such = 1\n", "line 2: unknown variable \"no_such\"");
    refuse("max_sessions = 5\npage_cache_size = 16XB\n", "line 2: invalid value \"16XB\"");
    refuse("max_sessions = 5\npage_cache_size = 1kB\n", "1kB is outside the range");
    refuse("max_sessions = 5\npage_cache_size = 99999999999TB\n", "invalid value");
    refuse("max_sessions = 5\ndurability = maybe\n", "it is one of durable, group");
    refuse("max_sessions = 5\nsocket_path = 'open\n", "a quote is not closed");
    refuse("max_sessions = 5\ncompactor = on on\n", "invalid value");
    refuse("max_sessions = 5\n= 5\n", "expected name = value");
    refuse("max_sessions = 5\nsocket_path = 'a' b\n", "text after the value");
    refuse("max_sessions = 0\n", "outside the range");
    EXPECT_ERROR(ERR_NO_FILE, config_load("/nonexistent/lodestone.conf"));
}

static void reload_takes_over_what_may_change(void **state)
{
    (void)state;
    put_file("max_sessions = 5\ncheckpoint_timeout = 1s\n");
    config_load(path);
    put_file("max_sessions = 9\nlog_level = warning\n");
    int nowhere = open("/dev/null", O_WRONLY);
    log_set_fd(nowhere);
    config_reload();
    log_set_fd(2);
    close(nowhere);
    assert_int_equal(conf.max_sessions, 5);
    assert_int_equal(conf.checkpoint_timeout, 300000);
    assert_int_equal(conf.log_level, LOG_LEVEL_WARNING);
}

static void contexts_are_kept(void **state)
{
    (void)state;
    config_set("durability", "async", CONFIG_FROM_SESSION, true);
    assert_int_equal(conf.durability, DURABILITY_ASYNC);
    EXPECT_ERROR(ERR_CONFIG, config_set("checkpoint_timeout", "1s", CONFIG_FROM_SESSION, true));
    EXPECT_ERROR(ERR_CONFIG, config_set("max_sessions", "3", CONFIG_FROM_COMMAND_LINE, true));
    config_set("max_sessions", "3", CONFIG_FROM_COMMAND_LINE, false);
    put_file("max_sessions = 5\n");
    config_load(path);
    assert_int_equal(conf.max_sessions, 3); /* the command line wins */
    EXPECT_ERROR(ERR_CONFIG, config_set("nope", "3", CONFIG_FROM_COMMAND_LINE, false));
}

static void the_sample_is_a_valid_file_of_defaults(void **state)
{
    (void)state;
    StrBuf sb;
    strbuf_init(&sb, memctx_top());
    config_sample(&sb);
    put_file(sb.data);
    config_load(path);
    /* And with its lines made live, nothing changes. */
    char *live = mem_strdup(memctx_top(), sb.data);
    for (char *p = live; (p = strstr(p, "\n#"));)
        if (p[2] != ' ')
            p[1] = ' ';
        else
            p += 2;
    put_file(live);
    Config before = conf;
    config_load(path);
    assert_memory_equal(&before, &conf, sizeof conf);
}

int main(void)
{
    unit_start();
    directory = unit_directory();
    path = mem_printf(memctx_top(), "%s/lodestone.conf", directory);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_file_sets_values, back_to_defaults),
        cmocka_unit_test_setup(a_wrong_file_changes_nothing_and_says_where, back_to_defaults),
        cmocka_unit_test_setup(reload_takes_over_what_may_change, back_to_defaults),
        cmocka_unit_test_setup(contexts_are_kept, back_to_defaults),
        cmocka_unit_test_setup(the_sample_is_a_valid_file_of_defaults, back_to_defaults),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unit_remove(directory);
    return failed;
}
