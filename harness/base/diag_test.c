/* diag_test.c - diagnostics come out in order, and the nearest word is the one meant. */
#include "harness/base/diag.h"
#include "harness/base/suite.h"

#include <stdlib.h>
#include <string.h>

START_TEST(prints_in_order_of_position)
{
    struct diag diag;
    char *text = NULL;
    size_t length;
    diag_init(&diag);
    diag_add(&diag, "b.yaml", 2, 1, "third");
    diag_add(&diag, "a.yaml", 10, 4, "second %d", 7);
    diag_add(&diag, "a.yaml", 9, 5, "first");
    diag_add(&diag, "a.yaml", 10, 4, "same place, later");
    diag_add(&diag, "c.yaml", 0, 0, "no position");
    FILE *out = open_memstream(&text, &length);
    diag_print(&diag, out);
    fclose(out);
    ck_assert_str_eq(text, "a.yaml:9:5: first\n"
                           "a.yaml:10:4: second 7\n"
                           "a.yaml:10:4: same place, later\n"
                           "b.yaml:2:1: third\n"
                           "c.yaml: no position\n");
    free(text);
    diag_fini(&diag);
}
END_TEST

START_TEST(colours_no_terminal)
{
    struct diag diag;
    char *text = NULL;
    size_t length;
    diag_init(&diag);
    diag_add(&diag, "a\033.yaml", 1, 2, "bad '%s'\n    and below \x7f", "\033[2J\r\xff \xc3\xa9");
    FILE *out = open_memstream(&text, &length);
    diag_print(&diag, out);
    fclose(out);
    ck_assert_str_eq(text, "a\\x1b.yaml:1:2: bad '\\x1b[2J\\x0d\\xff \xc3\xa9'\n"
                           "    and below \\x7f\n");
    free(text);
    diag_fini(&diag);
}
END_TEST

START_TEST(finds_the_word_that_was_meant)
{
    static const char *const words[] = {"entries", "bytes", "shards", "ttl", "lru", "direct"};
    static const struct {
        const char *text, *nearest;
    } rows[] = {
        {"entires", "entries"},
        {"ENTRIES", "entries"},
        {"byte", "bytes"},
        {"btyes", "bytes"},
        {"lur", "lru"},
        {"lr", "lru"},
        {"dierct", "direct"},
        {"elephant", NULL},
        {"x", NULL},
        {"", NULL},
        {"tt", "ttl"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *found = diag_nearest(rows[i].text, words, 6);
        ck_assert_msg((found == NULL) == (rows[i].nearest == NULL) &&
                          (!found || strcmp(found, rows[i].nearest) == 0),
                      "'%s' gave '%s'", rows[i].text, found ? found : "nothing");
    }
}
END_TEST

START_TEST(what_was_said_is_not_what_was_meant)
{
    static const char *const words[] = {"entries"};
    ck_assert_ptr_null(diag_nearest("entries", words, 1));
}
END_TEST

START_TEST(of_very_many_mistakes_the_first_hundred_are_shown)
{
    struct diag diag;
    char *text = NULL;
    size_t size = 0, lines = 0;
    FILE *out = open_memstream(&text, &size);
    diag_init(&diag);
    for (unsigned i = 1; i <= 5000; i++) {
        diag_add(&diag, "a.yaml", i, 1, "wrong");
    }
    diag_print(&diag, out);
    fclose(out);
    for (const char *at = text; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    ck_assert_uint_eq(lines, 101);
    ck_assert_ptr_nonnull(strstr(text, "a.yaml:100:1: wrong\n4900 more mistakes\n"));
    free(text);
    diag_fini(&diag);
}
END_TEST

START_TEST(a_very_long_word_has_no_neighbour)
{
    static const char *const words[] = {"entries"};
    char text[5000];
    memset(text, 'e', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ck_assert_ptr_null(diag_nearest(text, words, 1));
}
END_TEST

SUITE("diag", &prints_in_order_of_position, &colours_no_terminal, &finds_the_word_that_was_meant,
      &what_was_said_is_not_what_was_meant, &of_very_many_mistakes_the_first_hundred_are_shown,
      &a_very_long_word_has_no_neighbour)
