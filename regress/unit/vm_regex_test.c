/*
 * vm_regex_test.c - the linear matcher: remembering failures changes no answer, its time is linear, its limits hold.
 *
 * What the answers are is compared with CRuby's by regress/ruby/regexp*.rb.
 */
#include "unit.h"
#include "vm/core/regex.h"
#include <time.h>

enum { GROUPS = 16 };
typedef struct Answer {
    int64_t at;
    int n, beg[GROUPS], end[GROUPS];
} Answer;

static Regex *compile(const char *source, int options)
{
    return regex_compile(source, strlen(source), ENC_UTF_8, ENC_UTF_8, options);
}
static Answer search(const Regex *re, const char *str, uint64_t patience)
{
    OnigRegion region = {0};
    Answer a = {0};
    regex_patience = patience;
    a.at = regex_search(re, str, strlen(str), 0, 0, false, 0, &region);
    regex_patience = 16;
    if (a.at >= 0) {
        a.n = MIN(region.num_regs, GROUPS);
        for (int i = 0; i < a.n; i++) {
            a.beg[i] = region.beg[i];
            a.end[i] = region.end[i];
        }
    }
    onig_region_free(&region, 0);
    return a;
}

static uint64_t seed;
static unsigned draw(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}
static void put(char *out, const char *text)
{
    if (strlen(out) + strlen(text) < 900)
        strcat(out, text);
}
static void random_pattern(char *out, int depth)
{
    static const char *const atoms[] = {"a", "b", "ab", ".", "\\w", "[ab]", "[^a]", "\\b", "^", "$", "\xc3\xa9", "()", "\\R"},
                      *const open[] = {"(", "(?:", "(?>", "(?=", "(?!", "(?i:"},
                      *const repeat[] = {"", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{2,}", "*+", "++"};
    for (unsigned branches = draw(4) ? 1 : 2; branches; branches--) {
        for (unsigned n = draw(3) + 1; n; n--) {
            if (depth && draw(3) == 0) {
                put(out, open[draw(COUNT_OF(open))]);
                random_pattern(out, depth - 1);
                put(out, ")");
            } else {
                put(out, atoms[draw(COUNT_OF(atoms))]);
            }
            put(out, repeat[draw(COUNT_OF(repeat))]);
        }
        if (branches > 1)
            put(out, "|");
    }
}

static void test_memory_changes_nothing(void **state)
{
    (void)state;
    const char *given = getenv("SEED");
    int compiled = 0;

    seed = given ? strtoull(given, NULL, 10) : 20250101;
    for (int i = 0; i < 20000; i++) {
        uint64_t from = seed;
        char pattern[1000] = "", subject[64] = "";
        static const char *const chars[] = {"a", "b", "a", "b", "A", "\xc3\xa9", "\n", "\r\n", " ", "x"};
        random_pattern(pattern, 2);
        for (unsigned n = draw(12); n; n--)
            put(subject, chars[draw(COUNT_OF(chars))]);
        Regex *re = compile(pattern, 0);
        if (!re)
            continue;
        compiled++;
        Answer without = search(re, subject, UINT64_MAX / 1000), with = search(re, subject, 0);
        if (memcmp(&without, &with, sizeof with)) {
            fprintf(stderr, "seed %llu: /%s/ on \"%s\": %lld without memory, %lld with\n", (unsigned long long)from, pattern, subject,
                    (long long)without.at, (long long)with.at);
            fail();
        }
        regex_free(re);
    }
    assert_true(compiled > 15000);
}

static void test_linear_time(void **state)
{
    static const char *const patterns[] = {
        "(a*)*b", "(a+)+b", "(a|a)*b", "(a|aa)+b", "(?:a?){30}a{30}b", "^(([a-z])+.)+[A-Z]([a-z])+$", "a*a*a*a*a*b", "x*y?a+b",
        "(?:.*a){12}b", "(a*?)*?b", "(?=(a+)+b)a", "(?>a*)*b", "(?:a|b|ab)*c", "(.*)(.*)(.*)(.*)b", "\\s*a*\\s*b", "a{2,}b|a{3,}c",
    };
    enum { LENGTH = 50000 };
    char *subject = malloc(LENGTH + 1);

    (void)state;
    memset(subject, 'a', LENGTH);
    subject[LENGTH] = 0;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        Regex *re = compile(patterns[i], 0);
        assert_non_null(re);
        /* steps, not seconds: a thousand a byte is linear, any more is not at this length */
        assert_int_equal(regex_search(re, subject, LENGTH, 0, 0, false, 1000ull * LENGTH, NULL), REGEX_MISMATCH);
        regex_free(re);
    }
    free(subject);
}

static void test_gives_up_at_its_budget(void **state)
{
    (void)state;
    char subject[3000];
    memset(subject, 'a', sizeof subject);
    Regex *re = compile("(?:a|a)*b", 0);
    assert_int_equal(regex_search(re, subject, sizeof subject, 0, 0, false, 1000, NULL), REGEX_AGAIN);
    assert_int_equal(regex_search(re, subject, sizeof subject, 0, 0, false, 0, NULL), REGEX_MISMATCH);
    regex_free(re);
}

static void test_leaves_the_rest_to_oniguruma(void **state)
{
    static const char *const patterns[] = {
        "(a)\\1", "(?<n>a)\\k<n>", "(a)?(?(1)b|c)", "(?~ab)", "\\X", "(?<n>a\\g<n>?)", "(?<=a*)b", "[z-a]", "(", "a)", "[a", "*", "\\",
        "(?<n", "(?i", "\\x", "[\\", "\\p{nothing}", "[[:nothing:]]", "(?:(?:(?:a{1000}){1000}){1000}){1000}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        assert_null(compile(patterns[i], 0));
    char deep[2001];
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    deep[2000] = 0;
    assert_null(compile(deep, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_changes_nothing),
        cmocka_unit_test(test_linear_time),
        cmocka_unit_test(test_gives_up_at_its_budget),
        cmocka_unit_test(test_leaves_the_rest_to_oniguruma),
    };

    unit_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
