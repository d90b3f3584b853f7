/*
 * The command line means what it means to `ruby`; wrong ones are named in CRuby's words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/lib.h"
#include "vm/options.h"

#define WORDS(...)                                                                                           \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        "/usr/bin/lode", __VA_ARGS__, NULL                                                                   \
    }

static VmOptions o;

static bool parse(const char *const *words, const char *rubyopt, bool tty)
{
    int n = 0;

    options_free(&o);
    while (words[n]) {
        n++;
    }
    return options_parse(&o, n, words, rubyopt, tty);
}

static void programs_and_arguments(void **state)
{
    (void)state;
    assert_true(parse(WORDS("-w", "a.rb", "-x", "--", "y"), NULL, true));
    assert_string_equal(o.program, "lode");
    assert_string_equal(o.script, "a.rb");
    assert_int_equal(o.args.count, 3);
    assert_string_equal(o.args.items[0], "-x");
    assert_int_equal(o.warn_level, 2);
    assert_true(parse(WORDS("-e", "1", "-e", "2", "a", "b"), NULL, true));
    assert_null(o.script);
    assert_int_equal(o.exprs.count, 2);
    assert_int_equal(o.args.count, 2);
    assert_true(parse(WORDS("--", "-e"), NULL, true));
    assert_string_equal(o.script, "-e");
    assert_true(parse(WORDS("-", "1"), NULL, true));
    assert_string_equal(o.script, "-");
    assert_string_equal(o.args.items[0], "1");
}

static void without_a_program(void **state)
{
    (void)state;
    assert_true(parse((const char *const[]){"lode", NULL}, NULL, true));
    assert_true(o.run_repl);
    assert_true(parse((const char *const[]){"lode", NULL}, NULL, false));
    assert_false(o.run_repl);
    assert_string_equal(o.script, "-");
    assert_true(parse(WORDS("-v"), NULL, true));
    assert_true(o.show_version && o.nothing_to_run);
    assert_true(parse(WORDS("-v", "-e", "1"), NULL, true));
    assert_true(o.show_version && !o.nothing_to_run && o.verbose);
    assert_true(parse(WORDS("--version", "-e", "1"), NULL, true));
    assert_true(o.nothing_to_run);
    assert_true(parse(WORDS("-h"), NULL, true));
    assert_true(o.show_help && o.nothing_to_run);
}

static void bundles_and_values(void **state)
{
    (void)state;
    assert_true(parse(WORDS("-lane", "puts 1", "-I", "lib", "-Iother", "-rset", "-r", "json"), NULL, true));
    assert_true(o.chomp && o.split && o.loop && !o.print);
    assert_string_equal(o.exprs.items[0], "puts 1");
    assert_int_equal(o.includes.count, 2);
    assert_string_equal(o.requires.items[1], "json");
    assert_true(parse(WORDS("-pi.bak", "-F:", "-e", "1"), NULL, true));
    assert_true(o.print && o.in_place);
    assert_string_equal(o.in_place_suffix, ".bak");
    assert_string_equal(o.field_separator, ":");
    assert_true(parse(WORDS("-0777", "-W0", "-e", "1"), NULL, true));
    assert_int_equal(o.record_separator, -2);
    assert_int_equal(o.warn_level, 0);
    assert_true(parse(WORDS("-00", "-W:no-deprecated", "-C", "/tmp", "-Cx", "-e", "1"), NULL, true));
    assert_int_equal(o.record_separator, -3);
    assert_int_equal(o.warn_off, OPTIONS_WARN_DEPRECATED);
    assert_string_equal(o.directory, "/tmp/x");
    assert_true(parse(WORDS("--enable=frozen-string-literal", "--disable-gems", "-Eutf-8:euc-jp", "-e", "1"),
                      NULL, true));
    assert_int_equal(o.frozen_string_literal, 1);
    assert_true(o.no_gems);
    assert_string_equal(o.external_encoding, "utf-8");
    assert_string_equal(o.internal_encoding, "euc-jp");
}

static void lodestones_own(void **state)
{
    (void)state;
    assert_true(parse(WORDS("--store=/x", "--solo", "-Mpersistent", "-Mcommit", "--dump=insns", "-e", "1"),
                      NULL, true));
    assert_string_equal(o.store, "/x");
    assert_true(o.solo && o.persistent && o.commit);
    assert_int_equal(o.dump, VM_DUMP_INSNS);
    assert_true(parse(WORDS("--store", "/y", "a"), NULL, true));
    assert_string_equal(o.store, "/y");
}

static void switches_become_globals(void **state)
{
    (void)state;
    assert_true(parse(WORDS("-s", "a.rb", "-x", "-long-name=5", "--", "-z", "w"), NULL, true));
    assert_int_equal(o.switches.count, 2);
    assert_string_equal(o.switches.items[1], "long_name=5");
    assert_int_equal(o.args.count, 2);
}

static void rubyopt(void **state)
{
    (void)state;
    assert_true(parse(WORDS("-Ia", "-e", "1"), "-w -Ib -rset", true));
    assert_int_equal(o.warn_level, 2);
    assert_string_equal(o.includes.items[0], "a");
    assert_string_equal(o.includes.items[1], "b");
    assert_string_equal(o.requires.items[0], "set");
    assert_true(parse(WORDS("-W0", "-e", "1"), "w", true));
    assert_int_equal(o.warn_level, 0);
    assert_false(parse(WORDS("-e", "1"), "-e2", true));
    assert_string_equal(o.error, "invalid switch in RUBYOPT: -e (RuntimeError)");
    assert_true(parse(WORDS("--disable=rubyopt", "-e", "1"), "-e2", true));
}

static void wrong_lines_are_named(void **state)
{
    (void)state;
    assert_false(parse(WORDS("-Z"), NULL, true));
    assert_string_equal(o.error, "invalid option -Z  (-h will show valid options) (RuntimeError)");
    assert_false(parse(WORDS("--nonsense"), NULL, true));
    assert_string_equal(o.error, "invalid option --nonsense  (-h will show valid options) (RuntimeError)");
    assert_false(parse(WORDS("-e"), NULL, true));
    assert_string_equal(o.error, "no code specified for -e (RuntimeError)");
    assert_false(parse(WORDS("--store"), NULL, true));
    assert_false(parse(WORDS("-Mwrong", "-e", "1"), NULL, true));
    assert_false(parse(WORDS("-C"), NULL, true));
    assert_false(parse(WORDS("--solo=1", "-e", "1"), NULL, true));
}

static void shebang_lines(void **state)
{
    (void)state;
    assert_true(parse(WORDS("a.rb"), NULL, true));
    assert_true(options_parse_shebang(&o, "#!/usr/bin/env ruby -w -s\n"));
    assert_int_equal(o.warn_level, 2);
    assert_true(o.script_switches);
    assert_true(options_parse_shebang(&o, "#!/bin/sh -x\n"));
    assert_false(options_parse_shebang(&o, "#!ruby -Z"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_arguments),  cmocka_unit_test(without_a_program),
        cmocka_unit_test(bundles_and_values),      cmocka_unit_test(lodestones_own),
        cmocka_unit_test(switches_become_globals), cmocka_unit_test(rubyopt),
        cmocka_unit_test(wrong_lines_are_named),   cmocka_unit_test(shebang_lines),
    };
    lib_init("vm_options_test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
