/* filter_test.c - which tests a hunt takes. */
#include "harness/base/suite.h"
#include "harness/plan/filter.h"

#include <stdlib.h>
#include <string.h>

static void words_fill(struct plan_words *words, const char *list, bool sorted)
{
    char *copy = strdup(list), *rest = copy, *word;
    while ((word = strsep(&rest, " "))) {
        if (word[0]) {
            (sorted ? plan_ids_add : plan_words_add)(words, word);
        }
    }
    free(copy);
}

START_TEST(patterns_add_up_and_exclusions_win)
{
    static const struct {
        const char *only, *exclude, *ids, *taken, *left;
    } rows[] = {
        {"", "", "", "s/t/a", ""},
        {"*/a", "", "", "s/t/a", "s/t/b"},
        {"*/a */b", "", "", "s/t/b", "s/t/c"},
        {"*/a */b", "*/b", "", "s/t/a", "s/t/b"},
        {"", "*/b", "", "s/t/a", "s/t/b"},
        {"", "", "s/t/a", "s/t/a", "s/t/b"},
        {"*/a", "", "s/t/a s/t/b", "s/t/a", "s/t/b"},
        {"", "", "s/t/z s/t/b s/t/k", "s/t/k", "s/t/a"},
        {"s/t/loop[3]", "", "", "s/t/loop[3]", "s/t/loop[4]"},
        {"", "s/t/loop[3]", "", "s/t/loop[4]", "s/t/loop[3]"},
        {"", "", "s/t/\xef\xbf\xbd\xef\xbf\xbdx", "s/t/\xff\xfex", "s/t/\xffx"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plan_filter filter = {0};
        words_fill(&filter.only, rows[i].only, false);
        words_fill(&filter.exclude, rows[i].exclude, false);
        words_fill(&filter.ids, rows[i].ids, true);
        ck_assert_msg(plan_filter_takes(&filter, rows[i].taken), "row %zu", i);
        ck_assert_msg(!rows[i].left[0] || !plan_filter_takes(&filter, rows[i].left), "row %zu", i);
        ck_assert_int_eq(plan_filter_given(&filter), i > 0);
        plan_filter_fini(&filter);
    }
}
END_TEST

START_TEST(an_empty_list_wants_nothing)
{
    struct plan_filter filter = {.ids = {.given = true}};
    ck_assert(!plan_filter_takes(&filter, "s/t/a"));
}
END_TEST

START_TEST(says_what_the_wanted_tests_are_like)
{
    struct plan_filter filter = {0};
    plan_words_add(&filter.only, "a");
    plan_words_add(&filter.only, "b");
    plan_words_add(&filter.exclude, "c");
    char *text = plan_filter_text(&filter);
    ck_assert_str_eq(text, "'a' or 'b', and not like 'c'");
    free(text);
    plan_filter_fini(&filter);
}
END_TEST

SUITE("filter", &patterns_add_up_and_exclusions_win, &an_empty_list_wants_nothing,
      &says_what_the_wanted_tests_are_like)
