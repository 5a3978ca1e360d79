/* difference_birth_test.c - which line allocates more, when lines, callers and folders have
 * moved, and allocators have layers.
 */
#include "harness/base/suite.h"
#include "harness/report/difference_birth.h"

#include <stdio.h>
#include <string.h>

struct call {
    int64_t blocks;
    const char *function, *file;
    unsigned line;
    const char *caller; /* in the same file, at line 7; NULL: none */
};
#define CALLS 6

static const struct row {
    const char *about;
    struct call base[CALLS], head[CALLS]; /* up to one without blocks */
    const char *text;
} rows[] = {
    {"the same", {{3, "f", "a.c", 5, NULL}}, {{3, "f", "a.c", 5, NULL}}, ""},
    {"lines and folders moved",
     {{3, "f", "/one/a.c", 5, "g"}, {1, "f", "/one/a.c", 9, "g"}},
     {{3, "f", "two/a.c", 15, "g"}, {1, "f", "two/a.c", 19, "g"}},
     ""},
    {"more at one line",
     {{3, "f", "a.c", 5, "g"}},
     {{6, "f", "a.c", 5, "g"}},
     "+3 allocations in f (a.c:5), from g\n"},
    {"a new line among moved ones",
     {{1, "f", "a.c", 80, NULL}, {1, "f", "a.c", 85, NULL}},
     {{1, "f", "a.c", 81, NULL}, {1, "f", "a.c", 86, NULL}, {1, "f", "a.c", 89, NULL}},
     "+1 allocation in f (a.c:89)\n"},
    {"a new line before the others",
     {{2, "f", "a.c", 80, NULL}, {5, "f", "a.c", 85, NULL}},
     {{1, "f", "a.c", 79, NULL}, {2, "f", "a.c", 81, NULL}, {5, "f", "a.c", 86, NULL}},
     "+1 allocation in f (a.c:79)\n"},
    {"a line went",
     {{2, "f", "a.c", 80, NULL}, {5, "f", "a.c", 85, NULL}},
     {{5, "f", "a.c", 84, NULL}},
     "-2 allocations in f (a.c:80)\n"},
    {"a caller was renamed", {{2, "f", "a.c", 80, "old"}}, {{2, "f", "a.c", 80, "new"}}, ""},
    {"one more caller of a wrapper",
     {{2, "xmalloc", "x.c", 3, "g"}},
     {{2, "xmalloc", "x.c", 3, "g"}, {4, "xmalloc", "x.c", 3, "h"}},
     "+4 allocations in xmalloc (x.c:3), from h\n"},
    {"a wrapper, by many callers",
     {{2, "xmalloc", "x.c", 3, "g"}, {1, "xmalloc", "x.c", 3, "i"}, {1, "xmalloc", "x.c", 3, "k"}},
     {{2, "xmalloc", "x.c", 3, "g"}, {4, "xmalloc", "x.c", 3, "i"}, {1, "xmalloc", "x.c", 3, "k"}},
     "+3 allocations in i (x.c:7), through xmalloc\n"},
    {"from one function to another, the larger change first",
     {{2, "f", "a.c", 5, NULL}},
     {{7, "g", "a.c", 9, NULL}},
     "+7 allocations in g (a.c:9)\n-2 allocations in f (a.c:5)\n"},
    {"functions of the same name in two files",
     {{2, "init", "a.c", 5, NULL}},
     {{2, "init", "a.c", 5, NULL}, {2, "init", "b.c", 5, NULL}},
     "+2 allocations in init (b.c:5)\n"},
};

static void test_put(struct result *result, const struct call *calls)
{
    struct result_test *test = result_test_add(result);
    result_set(&test->id, "s/c/t");
    test->allocs = 0;
    for (; calls->blocks; calls++) {
        struct result_site *birth = result_birth_add(result);
        result_set(&birth->test, "s/c/t");
        birth->blocks = calls->blocks;
        birth->bytes = 8 * calls->blocks;
        birth->frame_count = calls->caller ? 2 : 1;
        birth->frames = result_frames_new(birth->frame_count);
        result_set(&birth->frames[0].function, calls->function);
        birth->frames[0].line = calls->line;
        for (size_t i = 0; i < birth->frame_count; i++) {
            result_set(&birth->frames[i].file, calls->file);
        }
        if (calls->caller) {
            result_set(&birth->frames[1].function, calls->caller);
            birth->frames[1].line = 7;
        }
        test->allocs += calls->blocks;
    }
    result_sites_sort(result);
}

START_TEST(names_the_line_that_changed)
{
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        struct result base, head;
        struct text text = {0};
        result_init(&base);
        result_init(&head);
        test_put(&base, rows[r].base);
        test_put(&head, rows[r].head);
        struct wrappers *wrappers = wrappers_new(&base, &head);
        ck_assert(difference_births(&text, wrappers, &base, base.tests, &head, head.tests, NULL,
                                    NULL, NULL));
        ck_assert_msg(strcmp(text_peek(&text), rows[r].text) == 0, "%s: %s", rows[r].about,
                      text_peek(&text));
        wrappers_free(&wrappers);
        text_fini(&text);
        result_fini(&base);
        result_fini(&head);
    }
}
END_TEST

START_TEST(tells_the_sites_that_vary_from_those_that_changed)
{
    static const struct call before[] = {
        {2, "steady", "a.c", 5, NULL}, {3, "noise", "a.c", 9, NULL}, {0}};
    static const struct call after[] = {
        {5, "steady", "a.c", 5, NULL}, {7, "noise", "a.c", 9, NULL}, {0}};
    static const struct call once_more[] = {
        {5, "steady", "a.c", 5, NULL}, {1, "noise", "a.c", 9, NULL}, {0}};
    struct result base, head, again;
    struct text text = {0};
    result_init(&base);
    result_init(&head);
    result_init(&again);
    test_put(&base, before);
    test_put(&head, after);
    test_put(&again, once_more);
    struct wrappers *wrappers = wrappers_new(&base, &head);
    ck_assert(difference_births(&text, wrappers, &base, base.tests, &head, head.tests, &again,
                                again.tests, NULL));
    ck_assert_str_eq(text_peek(&text), "+4 allocations in noise (a.c:9) [unstable]\n"
                                       "+3 allocations in steady (a.c:5)\n");
    text_reset(&text);
    ck_assert(difference_births(&text, wrappers, &head, head.tests, &base, base.tests, &again,
                                again.tests, NULL));
    ck_assert_str_eq(text_peek(&text), "-4 allocations in noise (a.c:9) [unstable]\n"
                                       "-3 allocations in steady (a.c:5) [unstable]\n");
    wrappers_free(&wrappers);
    text_fini(&text);
    result_fini(&base);
    result_fini(&head);
    result_fini(&again);
}
END_TEST

START_TEST(says_nothing_when_one_of_both_does_not_know)
{
    static const struct call none[] = {{0}}, some[] = {{1, "f", "a.c", 1, NULL}, {0}};
    struct result base, head;
    struct text text = {0};
    result_init(&base);
    result_init(&head);
    test_put(&base, none);
    test_put(&head, some);
    struct wrappers *wrappers = wrappers_new(&base, &head);
    ck_assert(difference_births(&text, wrappers, &base, base.tests, &head, head.tests, NULL, NULL,
                                NULL)); /* 0 is known */
    ck_assert_str_eq(text_peek(&text), "+1 allocation in f (a.c:1)\n");
    text_fini(&text);
    base.tests[0].allocs = 5;
    ck_assert(!difference_births(&text, wrappers, &base, base.tests, &head, head.tests, NULL, NULL,
                                 NULL));
    ck_assert_str_eq(text_peek(&text), "");
    wrappers_free(&wrappers);
    text_fini(&text);
    result_fini(&base);
    result_fini(&head);
}
END_TEST

START_TEST(tells_of_five_and_counts_the_rest)
{
    struct result base, head;
    struct text text = {0};
    struct call many[9] = {{0}};
    char names[8][4];
    for (int i = 0; i < 8; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        many[i] = (struct call){10 - i, names[i], "a.c", 1, NULL};
    }
    static const struct call none[] = {{0}};
    result_init(&base);
    result_init(&head);
    test_put(&base, none);
    test_put(&head, many);
    struct wrappers *wrappers = wrappers_new(&base, &head);
    difference_births(&text, wrappers, &base, base.tests, &head, head.tests, NULL, NULL, NULL);
    ck_assert_str_eq(text_peek(&text),
                     "+10 allocations in f0 (a.c:1)\n+9 allocations in f1 (a.c:1)\n"
                     "+8 allocations in f2 (a.c:1)\n+7 allocations in f3 (a.c:1)\n"
                     "+6 allocations in f4 (a.c:1)\nand 3 more call sites\n");
    wrappers_free(&wrappers);
    text_fini(&text);
    result_fini(&base);
    result_fini(&head);
}
END_TEST

SUITE("difference_birth", &tells_the_sites_that_vary_from_those_that_changed,
      &names_the_line_that_changed, &says_nothing_when_one_of_both_does_not_know,
      &tells_of_five_and_counts_the_rest)
