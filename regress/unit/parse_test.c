/*
 * parse_test.c - Prism through wasm2c: trees, messages, options, hostile input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/lib.h"
#include "lib/memory.h"
#include "vm/parse.h"

static MemoryContext *ctx;

static ParseResult *parse(const char *source)
{
    ParseOptions options = {.file = "f"};

    return parse_source(source, strlen(source), &options, ctx);
}

static const char *dump(const char *source)
{
    StrBuf out;

    strbuf_init(&out, ctx);
    parse_dump(parse(source), &out);
    return out.data;
}

static const char *message(const char *source)
{
    StrBuf out;
    ParseResult *r = parse(source);

    assert_true(r->error_count > 0);
    strbuf_init(&out, ctx);
    parse_format_errors(r, &out);
    return out.data;
}

static void test_tree(void **state)
{
    (void)state;
    const char *text = dump("x = 1\nputs(x + 2, \"a\\tb\")\n");

    assert_non_null(strstr(text, "ProgramNode 1:0"));
    assert_non_null(strstr(text, "LocalVariableWriteNode 1:0"));
    assert_non_null(strstr(text, "CallNode 2:0"));
    assert_non_null(strstr(text, "unescaped: \"a\\x09b\""));
    assert_non_null(strstr(text, "value: 0x1\n"));
    assert_non_null(strstr(dump("0x123456789abcdef0123456789"), "0x123456789abcdef0123456789\n"));
    assert_non_null(strstr(dump("-1.5"), "-1.5"));
}

/*
 * Expected texts are CRuby 4.0's; where an `end` is missing its parser, a little older than
 * ours, points at the end of the file instead of at the opening keyword.
 */
static void test_messages(void **state)
{
    (void)state;
    assert_string_equal(message("x = 1\nfoo(\ny = = 2\n  def a\n"),
                        "f:3: syntax errors found\n"
                        "  1 | x = 1\n"
                        "  2 | foo(\n"
                        "> 3 | y = = 2\n"
                        "    |   ^ expected an expression after `=`\n"
                        "    |     ^ unexpected '='; target cannot be written\n"
                        "    |       ^ unexpected integer, expecting end-of-input\n"
                        "    |       ^ unexpected integer; expected a `)` to close the arguments\n"
                        "> 4 |   def a\n"
                        "    |   ^~~ expected an `end` to close the `def` statement\n"
                        "    |        ^ unexpected end-of-input, assuming it is closing the parent top level context\n"
                        "  5 | \n");
    assert_string_equal(message("x = 1; break"), "f:1: syntax error found\n"
                                                 "> 1 | x = 1; break\n"
                                                 "    |        ^~~~~ Invalid break\n");
    assert_string_equal(message("x\n  )"), "f:2: syntax error found\n"
                                           "  1 | x\n"
                                           "> 2 |   )\n"
                                           "    |   ^ unexpected ')', ignoring it\n");
    assert_string_equal(message("# encoding: foobar\n1"),
                        "f:1: unknown or invalid encoding in the magic comment\n"
                        "> 1 | # encoding: foobar\n"
                        "    |             ^~~~~~\n"
                        "  2 | 1\n");
    assert_string_equal(message("\xff + )\n"), "f:1: syntax errors found\n"
                                               "f:1: invalid multibyte character 0xFF\n"
                                               "f:1: unexpected ')', expected a receiver for unary `+`\n"
                                               "f:1: unexpected ')', expecting end-of-input\n"
                                               "f:1: unexpected ')', ignoring it");
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    assert_string_equal(
        message("a = 111111111111111111111111111111111111 + 2222222222222222222222222222222222222222222222 + ) + "
                "333333333333333333333333333333333333333333333333333333333333333333333333333333"),
        "f:1: syntax errors found\n"
        "> 1 | ... ) + 33333333333333333333333333333 ...\n"
        "    |     ^ unexpected ')', ignoring it\n"
        "    |     ^ unexpected ')', expecting end-of-input\n"
        "    |     ^ unexpected ')'; expected an expression after the operator\n"
        "    |       ^ unexpected '+', ignoring it\n");
}

static void test_distant_errors(void **state)
{
    (void)state;
    const char *text = message("a\nb\n)\nd\ne\nf\ng\nh\ni\nj\n1 + * \nl\n");

    assert_non_null(strstr(text, "  4 | d\n   5 | e\n") == NULL ? strstr(text, "   4 | d\n") : text);
    assert_non_null(strstr(text, "  ~~~~~~\n"));
}

static void test_options(void **state)
{
    (void)state;
    NodeString locals[] = {{"abc", 3}};
    ParseScope scope = {.locals = locals, .local_count = 1};
    ParseOptions options = {.file = "e", .first_line = 10, .scopes = &scope, .scope_count = 1};
    ParseResult *r = parse_source("abc + zzz\n\n", 11, &options, ctx);
    StrBuf out;

    assert_int_equal(r->error_count, 0);
    assert_int_equal(r->first_line, 10);
    strbuf_init(&out, ctx);
    parse_dump(r, &out);
    assert_non_null(strstr(out.data, "LocalVariableReadNode 10:0"));
    assert_non_null(strstr(out.data, "CallNode 10:6"));

    options = (ParseOptions){.file = "m", .main_script = true};
    r = parse_source("p 1\n__END__\ndata\n", 17, &options, ctx);
    assert_int_equal(r->data.start, 4);
    /* Ruby 4.0 knows `it`. */
    assert_non_null(strstr(dump("proc { it }"), "ItLocalVariableRead"));
}

static void test_nesting(void **state)
{
    (void)state;
    for (int depth = 10; depth <= 1000000; depth *= 10) {
        StrBuf source;
        ParseResult *r;

        strbuf_init(&source, ctx);
        for (int i = 0; i < depth; i++)
            strbuf_puts(&source, i % 2 ? "[" : "(");
        r = parse_source(source.data, source.len, NULL, ctx);
        assert_true(r->error_count > 0);
        strbuf_reset(&source);
        for (int i = 0; i < depth; i++)
            strbuf_puts(&source, "[");
        for (int i = 0; i < depth; i++)
            strbuf_puts(&source, "]");
        r = parse_source(source.data, source.len, NULL, ctx);
        if (depth <= 1000)
            assert_int_equal(r->error_count, 0);
        if (r->error_count == 0) {
            StrBuf out;
            strbuf_init(&out, ctx);
            if (depth <= 1000)
                parse_dump(r, &out);
        }
        memctx_reset(ctx);
        /* The next parse is unharmed. */
        assert_int_equal(parse("1 + 1")->error_count, 0);
    }
}

static void count_child(Node *child, void *arg)
{
    int *count = arg;

    (*count)++;
    node_each_child(child, count_child, arg);
}

/* Every file of a Ruby that happens to be installed parses, and its tree can be walked. */
static int parse_tree_of(const char *dir, int left)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    if (d == NULL)
        return left;
    while (left > 0 && (e = readdir(d)) != NULL) {
        char path[1024];
        size_t n = strlen(e->d_name);

        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.')
            continue;
        if (e->d_type == DT_DIR) {
            left = parse_tree_of(path, left);
        } else if (n > 3 && strcmp(e->d_name + n - 3, ".rb") == 0) {
            static char buffer[1 << 20];
            FILE *f = fopen(path, "rb");
            size_t size = f == NULL ? 0 : fread(buffer, 1, sizeof(buffer), f);
            ParseOptions options = {.file = path};
            ParseResult *r = parse_source(buffer, size, &options, ctx);
            int count = 0;

            if (f != NULL)
                fclose(f);
            if (r->error_count > 0 && size < sizeof(buffer)) {
                StrBuf out;
                strbuf_init(&out, ctx);
                parse_format_errors(r, &out);
                printf("%s", out.data);
            } else if (r->root != NULL) {
                node_each_child(&r->root->base, count_child, &count);
                assert_true(count > 0);
            }
            memctx_reset(ctx);
            left--;
        }
    }
    closedir(d);
    return left;
}

static void test_installed_ruby(void **state)
{
    (void)state;
    parse_tree_of("/usr/lib/ruby", 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),          cmocka_unit_test(test_messages),
        cmocka_unit_test(test_long_lines_are_cut), cmocka_unit_test(test_distant_errors),
        cmocka_unit_test(test_options),       cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_installed_ruby),
    };

    ctx = memctx_create(NULL, "parse test");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
