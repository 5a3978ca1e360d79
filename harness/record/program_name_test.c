/* program_name_test.c - names of programs in builds of several kinds, and joined selections. */
#include "harness/record/program_name.h"

#include "harness/base/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/tidemark-name-XXXXXX";

static void folder_make(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    ck_assert_msg(mkdir(path, 0777) == 0, "%s", path);
}

static void file_make(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
}

/* `@` is the folder of the test. */
static char *expand(const char *text)
{
    char *whole = malloc(1024);
    const char *at = strchr(text, '@');
    snprintf(whole, 1024, "%.*s%s%s", (int)(at ? at - text : 0), text, at ? root : "",
             at ? at + 1 : text);
    return whole;
}

static void setup(void)
{
    static const char *const folders[] = {"tree",  "tree/sub", "out",   "out/t",
                                          "other", "other/t",  "meson", "meson/meson-private"};
    strcpy(root, "/tmp/tidemark-name-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        folder_make(folders[i]);
    }
    char *home = expand("CMAKE_HOME_DIRECTORY:INTERNAL=@/src\n"),
         *cache = expand("@/out/CMakeCache.txt");
    FILE *file = fopen(cache, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "# made by hand\n%s", home);
    fclose(file);
    free(home);
    free(cache);
    file_make("other/CMakeCache.txt");
    file_make("tree/config.status");
    file_make("tree/sub/config.status");
}

static void teardown(void)
{
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(the_name_is_the_path_in_the_build_folder)
{
    static const struct {
        const char *path, *here, *name;
    } rows[] = {
        {"@/out/t/check_it", "@", "t/check_it"},
        {"@/other/t/check_it", "@/tree", "t/check_it"}, /* whatever the folder is called */
        {"@/meson/check_it", "@/meson", "check_it"},
        {"@/tree/sub/check_it", "@/tree/sub", "sub/check_it"}, /* the uppermost one */
        {"@/tree/sub/.libs/lt-check_it", "@", "sub/check_it"},
        {"@/tree/sub/.libs/check_it", "@", "sub/check_it"},
        {"@/plain/t/check_it", "@/plain", "t/check_it"},
        {"@/plain/t/lt-", "@/plain", "t/"},
        {"/elsewhere/check_it", "@", "check_it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = expand(rows[i].path), *here = expand(rows[i].here);
        char *name = program_name_of(path, here);
        ck_assert_str_eq(name, rows[i].name);
        free(name);
        free(path);
        free(here);
    }
}
END_TEST

START_TEST(arguments_follow_but_for_selections_and_folders)
{
    char *path = expand("@/out/t/check_it"), *here = expand("@/tree"),
         *data = expand("--data=@/tree/d/x"), *made = expand("@/out/made");
    char *source = expand("--src=@/src/x");
    char *argv[] = {path, data,           source, (char[]){"--gtest_also_run_disabled_tests"},
                    made, (char[]){"-v"}, NULL};
    char *name = program_name_with(program_name_of(path, here), argv, "GoogleTest", path, here);
    ck_assert_str_eq(name, "t/check_it[--data=d/x --src=x made -v]");
    free(name);
    argv[1] = NULL;
    name = program_name_with(program_name_of(path, here), argv, "GoogleTest", path, here);
    ck_assert_str_eq(name, "t/check_it");
    free(name);
    char longer[400] = "";
    memset(longer, 'x', sizeof longer - 1);
    argv[1] = longer;
    name = program_name_with(program_name_of(path, here), argv, NULL, path, here);
    longer[398] = 'y';
    char *other = program_name_with(program_name_of(path, here), argv, NULL, path, here);
    ck_assert_uint_lt(strlen(name), 160);
    ck_assert_str_ne(name, other);
    free(name);
    free(other);
    free(path);
    free(here);
    free(data);
    free(source);
    free(made);
}
END_TEST

START_TEST(selections_of_a_framework_are_joined)
{
    static const char *const two[] = {"A.b", "C.d"}, *const minus[] = {"A.b", "C.*-C.d"},
                             *const tags[] = {"one test", "[slow]"};
    const char *value;
    ck_assert(program_argument_selects("--gtest_filter=A.b", "GoogleTest", &value));
    ck_assert_str_eq(value, "A.b");
    ck_assert(program_argument_selects("one test", "Catch2", &value));
    ck_assert_str_eq(value, "one test");
    ck_assert(!program_argument_selects("--list", "Catch2", &value));
    ck_assert(!program_argument_selects("A.b", "libcheck", &value));
    ck_assert(!program_argument_selects("A.b", NULL, &value));
    ck_assert(program_argument_lists("--gtest_list_tests", "GoogleTest"));
    ck_assert(program_argument_lists("--list-test-names-only", "Catch2"));
    ck_assert(!program_argument_lists("--gtest_list_tests", "Catch2"));
    ck_assert(!program_argument_lists("--list", NULL));
    static const struct {
        const char *framework, *const *values, *joined;
    } rows[] = {
        {"GoogleTest", two, "--gtest_filter=A.b:C.d"},
        {"GoogleTest", minus, NULL},
        {"doctest", two, "--test-case=A.b,C.d"},
        {"Catch2", two, "A.b,C.d"},
        {"Catch2", tags, NULL},
        {"libcheck", two, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *joined = program_selections_join(rows[i].framework, rows[i].values, 2);
        ck_assert_pstr_eq(joined, rows[i].joined);
        free(joined);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("program_name");
    TCase *tcase = tcase_create("program_name");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_name_is_the_path_in_the_build_folder);
    tcase_add_test(tcase, arguments_follow_but_for_selections_and_folders);
    tcase_add_test(tcase, selections_of_a_framework_are_joined);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
