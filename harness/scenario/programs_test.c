/* programs_test.c - what .tidemark.yaml says, and what is said of its mistakes. */
#include "harness/scenario/programs.h"

#include "harness/base/suite.h"

#include <string.h>

START_TEST(reads_programs_with_all_that_they_need)
{
    static const char text[] = "programs:\n"
                               "  - build/tests/check_*\n"
                               "  - path: build/bench\n"
                               "    name: bench\n"
                               "    args: [--fast, \"\"]\n"
                               "    env: {DB: 'sqlite:'}\n"
                               "    folder: data\n"
                               "    suppressions: [a.supp, b.supp]\n"
                               "    expect: {verdict: saturating, peak_rss: \"< 50 MB\"}\n"
                               "  - {path: net, skip: needs a network, suppressions: c.supp}\n";
    struct programs programs;
    struct diag diag;
    diag_init(&diag);
    ck_assert(programs_parse("p.yaml", text, strlen(text), &programs, &diag));
    ck_assert_uint_eq(programs.count, 3);
    ck_assert_uint_eq(programs.scenario.variant_count, 3);
    const struct scenario_variant *variants = programs.scenario.variants;
    ck_assert_str_eq(variants[0].program, "build/tests/check_*");
    ck_assert_str_eq(variants[0].name, "");
    ck_assert_uint_eq(variants[0].line, 2);
    ck_assert_str_eq(variants[1].name, "bench");
    ck_assert_uint_eq(variants[1].arg_count, 2);
    ck_assert_str_eq(variants[1].args[1], "");
    ck_assert_str_eq(variants[1].env[0].key, "DB");
    ck_assert_str_eq(programs.entries[1].folder, "data");
    ck_assert_uint_eq(programs.entries[1].suppression_count, 2);
    ck_assert_str_eq(programs.entries[1].suppressions[1], "b.supp");
    ck_assert_uint_eq(programs.scenario.expect_count, 2);
    ck_assert_uint_eq(programs.scenario.expects[0].variant, 1);
    ck_assert_str_eq(programs.scenario.expects[1].metric, "peak_rss_bytes");
    ck_assert_str_eq(programs.entries[2].skip, "needs a network");
    ck_assert_str_eq(programs.entries[2].suppressions[0], "c.supp");
    programs_fini(&programs);
    diag_fini(&diag);
}
END_TEST

START_TEST(says_where_each_mistake_is)
{
    static const struct {
        const char *text;
        unsigned line, column;
        const char *said;
    } rows[] = {
        {"programms: [a]\n", 1, 1, "unknown key 'programms'; did you mean 'programs'?"},
        {"programs: a\n", 1, 11, "programs must be a list, such as [build/tests/check_*]"},
        {"programs: []\n", 1, 11, "programs must be a list, such as [build/tests/check_*]"},
        {"programs:\n  - {name: a}\n", 2, 5, "a program needs 'path: PROGRAM'"},
        {"programs:\n  - {path: a, arg: [b]}\n", 2, 15, "unknown key 'arg'; did you mean 'args'?"},
        {"programs:\n  - {path: a, args: b}\n", 2, 21, "args must be a list, such as [one, two]"},
        {"programs:\n  - {path: a, name: x}\n  - {path: b, name: x}\n", 3, 21,
         "'x' is the name of another program, on line 2"},
        {"programs:\n  - {path: a, env: {1X: 2}}\n", 2, 21,
         "'1X' is not the name of an environment variable"},
        {"programs:\n  - {path: a, expect: {verdikt: clean}}\n", 2, 24,
         "unknown metric 'verdikt'; did you mean 'verdict'?"},
        {"programs:\n  - {path: a, expect: clean}\n", 2, 23,
         "expect must be a map, such as {verdict: clean}"},
        {"programs:\n  - [a]\n", 2, 5, "a program must be a map of 'key: value'"},
        {"{}\n", 1, 1, "the file needs 'programs: [PROGRAM, ...]'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct programs programs;
        struct diag diag;
        diag_init(&diag);
        ck_assert(!programs_parse("p.yaml", rows[i].text, strlen(rows[i].text), &programs, &diag));
        ck_assert_uint_eq(diag.count, 1);
        ck_assert_str_eq(diag.items[0].text, rows[i].said);
        ck_assert_msg(diag.items[0].line == rows[i].line && diag.items[0].column == rows[i].column,
                      "%s at %u:%u", rows[i].said, diag.items[0].line, diag.items[0].column);
        programs_fini(&programs);
        diag_fini(&diag);
    }
}
END_TEST

SUITE("programs", &reads_programs_with_all_that_they_need, &says_where_each_mistake_is)
