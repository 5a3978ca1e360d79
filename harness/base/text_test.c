/* text_test.c - growing strings, columns and UTF-8. */
#include "harness/base/suite.h"
#include "harness/base/text.h"

#include <stdlib.h>
#include <string.h>

START_TEST(grows_and_is_taken)
{
    struct text text = {0};
    ck_assert_str_eq(text_peek(&text), "");
    for (int i = 0; i < 1000; i++) {
        text_format(&text, "%d,", i % 10);
    }
    ck_assert_uint_eq(text.length, 2000);
    char *taken = text_take(&text);
    ck_assert_uint_eq(strlen(taken), 2000);
    ck_assert_ptr_null(text.data);
    free(taken);
    taken = text_take(&text);
    ck_assert_str_eq(taken, "");
    free(taken);
}
END_TEST

START_TEST(wraps_at_words)
{
    struct text text = {0};
    text_wrap(&text, "one two three four", 2, 11);
    ck_assert_str_eq(text_peek(&text), "  one two\n  three\n  four\n");
    text_reset(&text);
    text_wrap(&text, "holds 4 MiB (4.19 MB), 3 blocks", 0, 8);
    ck_assert_str_eq(text_peek(&text), "holds\n4 MiB\n(4.19 MB),\n3 blocks\n");
    text_reset(&text);
    text_wrap(&text, "unbreakableword x", 0, 5);
    ck_assert_str_eq(text_peek(&text), "unbreakableword\nx\n");
    text_fini(&text);
}
END_TEST

START_TEST(breaks_a_long_chain_before_its_arrows)
{
    static const struct {
        const char *string;
        unsigned indent, width;
        const char *lines;
    } rows[] = {
        {"g->aa->bb->cc", 0, 8, "g->aa\n->bb->cc\n"},
        {"by g->aa->bb->cc (x.c)", 2, 10, "  by g->aa\n  ->bb->cc\n  (x.c)\n"},
        {"g_long_name->aa->bb", 0, 8, "g_long_name\n->aa->bb\n"},
        {"g->aa->bb->cc", 0, 80, "g->aa->bb->cc\n"},
        {"a -> b", 0, 4, "a ->\nb\n"},
        {"->->->", 0, 3, "->\n->\n->\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        text_wrap(&text, rows[i].string, rows[i].indent, rows[i].width);
        ck_assert_str_eq(text_peek(&text), rows[i].lines);
        text_fini(&text);
    }
}
END_TEST

START_TEST(quotes_for_a_shell_what_needs_it)
{
    static const char *const rows[][2] = {
        {"--json=r.jsonl", "--json=r.jsonl"},
        {"*/parser/*", "'*/parser/*'"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"$x", "'$x'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        text_put_shell(&text, rows[i][0]);
        ck_assert_str_eq(text.data, rows[i][1]);
        text_fini(&text);
    }
}
END_TEST

START_TEST(measures_columns_not_bytes)
{
    static const struct {
        const char *text;
        unsigned width;
    } rows[] = {{"", 0},
                {"abc", 3},
                {"\xc3\xa9t\xc3\xa9", 3},
                {"e\xcc\x81", 1},
                {"\xe6\x97\xa5\xe6\x9c\xac", 4},
                {"\xf0\x9f\x98\x80", 2},
                {"\xff\xfe", 2},
                {"\xe2\x80\xa6", 1}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_uint_eq(text_width(rows[i].text), rows[i].width);
    }
    ck_assert_uint_eq(text_fit("\xe6\x97\xa5\xe6\x9c\xac", 3), 3);
    ck_assert_uint_eq(text_fit("abc", 2), 2);
}
END_TEST

START_TEST(knows_utf8_from_other_bytes)
{
    static const struct {
        const char *text;
        size_t length;
        bool good;
        size_t offset;
    } rows[] = {{"abc", 3, true, 0},
                {"a\xc3\xa9", 3, true, 0},
                {"a\xc3", 2, false, 1},
                {"\xc0\x80", 2, false, 0},
                {"x\xed\xa0\x80", 4, false, 1},
                {"\xf4\x90\x80\x80", 4, false, 0},
                {"ab\x80", 3, false, 2},
                {"\xf0\x9f\x98\x80", 4, true, 0},
                {"\xff", 1, false, 0},
                {"\xe0\x80\x80", 3, false, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t offset = 0;
        ck_assert_msg(text_utf8(rows[i].text, rows[i].length, &offset) == rows[i].good, "row %zu",
                      i);
        ck_assert_uint_eq(offset, rows[i].offset);
    }
}
END_TEST

START_TEST(what_a_terminal_would_obey_is_written_out)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *want;
    } rows[] = {
        {"plain \"text\"", 12, "plain \"text\""},
        {"\x1b[31m", 5, "\\x1b[31m"},
        {"a\0b", 3, "a\\x00b"},
        {"\xc3\xa9\xe2\x82\xac", 5, "\xc3\xa9\xe2\x82\xac"},
        {"\xe2\x82\xac", 2, "\\xe2\\x82"},
        {"\xc2\x9b", 2, "\\xc2\\x9b"},
        {"\xff\x7f", 2, "\\xff\\x7f"},
        {"", 0, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct text text = {0};
        text_put_printable(&text, rows[i].bytes, rows[i].length);
        ck_assert_str_eq(text_peek(&text), rows[i].want);
        text_fini(&text);
    }
}
END_TEST

SUITE("text", &what_a_terminal_would_obey_is_written_out, &grows_and_is_taken, &wraps_at_words,
      &breaks_a_long_chain_before_its_arrows, &quotes_for_a_shell_what_needs_it,
      &measures_columns_not_bytes, &knows_utf8_from_other_bytes)
