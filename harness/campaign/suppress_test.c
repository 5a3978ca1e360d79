/* suppress_test.c - patterns, files, expiry and what is said of those that match nothing. */
#include "harness/campaign/suppress.h"

#include "harness/base/suite.h"

#include <string.h>
#include <unistd.h>

static char path[64];

static void file_write(const char *text)
{
    strcpy(path, "/tmp/suppress_test.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

START_TEST(a_pattern_is_a_part_with_stars_and_ends)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {{"open", "plugin_open_all", true},
                {"^open", "plugin_open", false},
                {"^plugin", "plugin_open", true},
                {"open$", "plugin_open", true},
                {"open$", "plugin_open_x", false},
                {"^plugin_open$", "plugin_open", true},
                {"pl*open", "plugin_open", true},
                {"^p*n$", "plugin_open", true},
                {"^p*x$", "plugin_open", false},
                {"a*b*c", "xxaxxbxxcxx", true},
                {"a*b*c", "xxaxxcxxbxx", false},
                {"Open", "open", false},
                {"open", "", false},
                {"/lib*/libz.so", "/usr/lib/x/libz.so.1", true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ck_assert_msg(suppress_pattern_matches(rows[i].pattern, rows[i].text) == rows[i].matches,
                      "%s on %s", rows[i].pattern, rows[i].text);
    }
}
END_TEST

START_TEST(any_frame_by_function_file_or_module)
{
    file_write("leak:inner\nleak:src/b.c\nleak:libz.so\nleak:nowhere\n");
    struct result_frame frames[] = {{.function = "inner", .file = "src/a.c", .module = "prog"},
                                    {.function = "outer", .file = "src/b.c", .module = "prog"}};
    struct result_frame other = {.function = "f", .file = "x.c", .module = "/usr/lib/libz.so.1"};
    struct result_frame none = {.function = "f", .file = "x.c", .module = "prog"};
    struct suppress suppress;
    struct diag diag;
    struct result result;
    diag_init(&diag);
    result_init(&result);
    suppress_init(&suppress);
    ck_assert(suppress_read(&suppress, path, 20261121, &diag));
    ck_assert(suppress_matches(&suppress, frames, 2));
    ck_assert(suppress_matches(&suppress, &other, 1));
    ck_assert(!suppress_matches(&suppress, &none, 1));
    suppress_notes(&suppress, &result);
    ck_assert_uint_eq(result.note_count, 1);
    ck_assert_ptr_nonnull(strstr(result.notes[0], ":4: suppression leak:nowhere matched nothing"));
    suppress_fini(&suppress);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(an_expired_one_suppresses_nothing_and_is_named)
{
    file_write("# no close in this API\n# expires: 2026-11-21\nleak:old\n\nleak:young\n\n"
               "# expires: 2026-11-22\nleak:last\n");
    struct result_frame frame = {.function = "old", .file = "", .module = ""};
    struct suppress suppress;
    struct diag diag;
    struct result result;
    diag_init(&diag);
    result_init(&result);
    suppress_init(&suppress);
    ck_assert(suppress_read(&suppress, path, 20261121, &diag));
    ck_assert_uint_eq(suppress.count, 3);
    ck_assert_str_eq(suppress.items[0].reason, "no close in this API");
    ck_assert(!suppress_matches(&suppress, &frame, 1));
    frame.function = "young";
    ck_assert(suppress_matches(&suppress, &frame, 1));
    frame.function = "last";
    ck_assert(suppress_matches(&suppress, &frame, 1));
    suppress_notes(&suppress, &result);
    ck_assert_uint_eq(result.note_count, 1);
    ck_assert_ptr_nonnull(strstr(result.notes[0], "leak:old (no close in this API) has expired"));
    suppress_fini(&suppress);
    result_fini(&result);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

START_TEST(all_mistakes_have_their_line_and_column)
{
    file_write("race:x\n# expires: soon\nleak:ok\n  leak:*\nleak:\n");
    static const struct {
        unsigned line, column;
    } rows[] = {{1, 1}, {2, 12}, {4, 8}, {5, 6}};
    struct suppress suppress;
    struct diag diag;
    diag_init(&diag);
    suppress_init(&suppress);
    ck_assert(!suppress_read(&suppress, path, 20261121, &diag));
    ck_assert_uint_eq(diag.count, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < diag.count; i++) {
        ck_assert_uint_eq(diag.items[i].line, rows[i].line);
        ck_assert_uint_eq(diag.items[i].column, rows[i].column);
    }
    ck_assert(!suppress_read(&suppress, "/nonexistent/file", 20261121, &diag));
    suppress_fini(&suppress);
    diag_fini(&diag);
    unlink(path);
}
END_TEST

SUITE("suppress", &a_pattern_is_a_part_with_stars_and_ends, &any_frame_by_function_file_or_module,
      &an_expired_one_suppresses_nothing_and_is_named, &all_mistakes_have_their_line_and_column)
