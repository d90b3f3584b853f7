/*
 * compile_test.c - source to bytecode: what is emitted, that it is well formed, what becomes of wrong source.
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
#include "vm/call.h"
#include "vm/compile.h"
#include "vm/compile/compiler.h"
#include "vm/core.h"
#include "vm/vm.h"

static Value compile(const char *source, size_t length)
{
    CompileOptions options = {.file = "t", .kind = CODE_TOP};

    return code_compile(source, length, &options, NULL);
}

static const char *dump(const char *source)
{
    static StrBuf out;
    Value code = compile(source, strlen(source));

    code_verify(code);
    if (out.ctx == NULL)
        strbuf_init(&out, memctx_top());
    strbuf_reset(&out);
    code_dump(code, &out);
    return out.data;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("missing \"%s\" in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("unexpected \"%s\" in:\n%s", part, text);
}

static void test_operators_have_instructions(void **state)
{
    (void)state;
    const char *text = dump("x = 1\ny = x + 2\nz = y < x\nz[x] = y\n");

    assert_has(text, "ADDI         y, x, 2");
    assert_has(text, "LT           z, y, x");
    assert_has(text, "ASET");
    assert_has_not(text, "CALL");
}

static void test_conditions_are_fused(void **state)
{
    (void)state;
    assert_has(dump("i = 0\ni += 1 while i < 10"), "JUMP_NLT");
    assert_has(dump("a = b = nil\np 1 if a && !b"), "JUMPF        a");
}

/* A local that the right operand changes is copied first. */
static void test_operands_are_evaluated_in_order(void **state)
{
    (void)state;
    assert_has(dump("a = 1\nb = a + (a = 5)"), "MOVE");
    assert_has(dump("a = b = 1\nc = a * b"), "MUL          c, a, b");
}

static void test_ensure_is_inlined_and_caught(void **state)
{
    (void)state;
    const char *text = dump("def m\n  return 1\nensure\n  foo\nend");
    unsigned calls = 0;

    for (const char *at = text; (at = strstr(at, ":foo")) != NULL; at++)
        calls++;
    assert_int_equal(calls, 2); /* on the way of return, and in the handler */
    assert_has(text, "   ensure ");
    assert_has(text, "RETHROW");
}

static void test_parameters(void **state)
{
    (void)state;
    const char *text = dump("def m(a, b = 1, *c, d, e:, f: 2, **g, &h) = nil");

    assert_has(text, "method m");
    assert_has(text, "parameters 1/1/1 keywords 1/2");
    assert_has(text, "JUMPNUNDEF   f");
    assert_has(text, "GETBLOCK     h");
    /* |a, b| spreads a lone Array, |a| does not. */
    assert_has(dump("# frozen_string_literal: false\np { |a, b| a }"), "flags 0x8\n");
    assert_has(dump("# frozen_string_literal: false\np { |a| a }"), "parameters 1/0/0 keywords 0/0 flags 0\n");
}

static void test_keywords_travel_in_registers(void **state)
{
    (void)state;
    assert_has(dump("f(1, a: 2, b: 3)"), "CALLX        r0, 3, 1, :f, c0, nil, [:a, :b]");
    assert_has(dump("f(*1, a: 2)"), "CALL         r0, 2, 39, :f");
}

static void test_literals(void **state)
{
    (void)state;
    assert_has(dump("x = [1, :a, nil]"), "ARRAY_DUP");
    assert_has(dump("x = {a: 1}"), "HASH_DUP");
    assert_has(dump("x = 'a' 'b'"), "LOADSTR      x, \"ab\"");
    assert_has(dump("# frozen_string_literal: true\nx = 'a'"), "LOADOBJ      x, \"a\"");
    assert_has(dump("x = 1..2"), "LOADOBJ");
}

static Value compile_body(void *arg)
{
    const char *source = arg;

    return compile(source, strlen(source));
}

static void assert_syntax_error(const char *source, const char *message)
{
    Value result, record;

    assert_false(vm_protect(compile_body, (void *)source, &result, &record));
    assert_true(is_type(record, T_EXCEPTION));
    assert_true(obj_is_kind_of(record, klass.SyntaxError));
    result = vm_call0(record, SYM(message));
    assert_has(str_c(result), message);
}

static void test_wrong_source_raises(void **state)
{
    (void)state;
    assert_syntax_error("x = ", "t:1: syntax error");
    assert_syntax_error("class A; yield; end", "Invalid yield");
    assert_syntax_error("def m; A = 1; end", "dynamic constant assignment");
}

/* The tree's depth costs nothing of the caller's stack. */
static void test_deep_nesting(void **state)
{
    (void)state;
    StrBuf source;

    strbuf_init(&source, memctx_top());
    for (int i = 0; i < 900; i++)
        strbuf_puts(&source, "[");
    for (int i = 0; i < 900; i++)
        strbuf_puts(&source, "]");
    code_verify(compile(source.data, source.len));
    strbuf_reset(&source);
    for (int i = 0; i < 20000; i++)
        strbuf_puts(&source, "1 + ");
    strbuf_puts(&source, "1");
    code_verify(compile(source.data, source.len));
    strbuf_reset(&source);
    for (int i = 0; i < 100000; i++)
        strbuf_puts(&source, "x = 1\n");
    code_verify(compile(source.data, source.len));
    strbuf_reset(&source);
    strbuf_puts(&source, "[x = 1");
    for (int i = 0; i < 3000; i++)
        strbuf_puts(&source, ", x");
    strbuf_puts(&source, "]");
    code_verify(compile(source.data, source.len));
    strbuf_free(&source);
}

/* Source with tokens lost, doubled and mixed is compiled or refused, never more. */
static void test_damaged_source(void **state)
{
    (void)state;
    static const char *const tokens[] = {
        " break ", " next ", " redo\n", " retry ", " return 1 ", " yield ", " super ", "begin;", "ensure;", "rescue;",
        "end;", " do |a,(b,*c),d=1,k: 2,**o| ", "{ ", "} ", " if x ", " while y do ", "case z\n in [a,*]\n", "*a", "**b",
        "&c", "...", " => e ", "def f(a,b=1,*c,d,e:,f: 2,**g,&h)\n", "class X\n", " &&= ", " ||= ", "->(x){", "defined?(",
        "_1", "it", "alias a b\n", " in {a: 1} ", "for i,j in k do ", " rescue 1 ", "\"#{", "x = ", "p(1)\n", ";", "\n"};
    static const char whole[] =
        "def m(a, b = 1, *c, k: 2, &d)\n  begin\n    c.each do |x, (y, *z)|\n      next if x\n      return y unless z\n"
        "    end\n  rescue A, B => e\n    retry if e\n  else\n    yield a, *c\n  ensure\n    while b; break 1; end\n"
        "  end\nend\ncase q\nin [Integer => i, *] if i then 1\nin {n:} then n\nin nil then 2\nend\nx, (y, *z), w.v, u[1] = 1, 2\n"
        "@a ||= \"t#{x}\"; h[1] += 2; f(*a, **b, &c); class << self; def q = super; end\n";
    unsigned seed = 20260101, compiled = 0;

    for (int round = 0; round < 3000; round++) {
        char source[4096];
        size_t length = sizeof(whole) - 1;
        Value result, record;

        memcpy(source, whole, sizeof(whole));
        for (unsigned k = (unsigned)rand_r(&seed) % 4; k > 0; k--) {
            size_t at = (size_t)rand_r(&seed) % length, n = (size_t)rand_r(&seed) % 20;
            const char *token = tokens[(size_t)rand_r(&seed) % (sizeof(tokens) / sizeof(tokens[0]))];

            if (rand_r(&seed) % 2) {
                n = n < length - at ? n : length - at;
                memmove(source + at, source + at + n, length - at - n);
                length -= n;
            } else {
                n = strlen(token);
                memmove(source + at + n, source + at, length - at);
                memcpy(source + at, token, n);
                length += n;
            }
        }
        source[length] = '\0';
        if (vm_protect(compile_body, source, &result, &record)) {
            code_verify(result);
            compiled++;
        } else {
            assert_true(is_type(record, T_EXCEPTION));
            assert_true(obj_is_kind_of(record, klass.SyntaxError));
        }
    }
    assert_true(compiled > 300);
}

static int verify_tree(const char *dir, int left)
{
    static char buffer[1 << 20];
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
            left = verify_tree(path, left);
        } else if (n > 3 && strcmp(e->d_name + n - 3, ".rb") == 0) {
            FILE *f = fopen(path, "rb");
            size_t size = f == NULL ? 0 : fread(buffer, 1, sizeof(buffer), f);
            StrBuf message;

            if (f != NULL)
                fclose(f);
            strbuf_init(&message, memctx_top());
            if (size < sizeof(buffer) &&
                source_check(buffer, size, &(CompileOptions){.file = path}, &message))
                code_verify(compile(buffer, size));
            strbuf_free(&message);
            left--;
        }
    }
    closedir(d);
    return left;
}

static void test_installed_ruby_is_well_formed(void **state)
{
    (void)state;
    verify_tree("/usr/lib/ruby", 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators_have_instructions),
        cmocka_unit_test(test_conditions_are_fused),
        cmocka_unit_test(test_operands_are_evaluated_in_order),
        cmocka_unit_test(test_ensure_is_inlined_and_caught),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_keywords_travel_in_registers),
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_wrong_source_raises),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_damaged_source),
        cmocka_unit_test(test_installed_ruby_is_well_formed),
    };

    lib_init("compile_test");
    vm_boot(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
