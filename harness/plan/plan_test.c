/* plan_test.c - what a scenario becomes: programs found, arguments and environment as plan.h says.
 */
#include "harness/base/suite.h"
#include "harness/plan/plan.h"
#include "harness/scenario/scenario.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void executable(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, text, strlen(text)), strlen(text));
    close(file);
}

static void folder_make(void)
{
    char path[128];
    strcpy(folder, "/tmp/tidemark-plan-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/suites", folder);
    ck_assert_int_eq(mkdir(path, 0755), 0);
    executable("suites/registry", "#!/bin/sh\n");
    executable("suites/provider", "#!/bin/sh\n");
    executable("check_mine", "#!/bin/sh\n");
    executable("check_mine.c", "int main(void) {}\n");
}

static void folder_remove(void)
{
    static const char *const names[] = {"suites/registry", "suites/provider", "check_mine",
                                        "check_mine.c",    "suites",          ""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        remove(path);
    }
}

static bool plans(const char *yaml, struct plan *plan, char error[512])
{
    char path[128], libexec[128];
    struct scenario scenario;
    struct diag diag;
    diag_init(&diag);
    folder_make();
    snprintf(path, sizeof path, "%s/x.yaml", folder);
    snprintf(libexec, sizeof libexec, "%s/suites", folder);
    bool read = scenario_parse(path, yaml, strlen(yaml), &scenario, &diag);
    ck_assert_msg(read, "%s", read ? "" : diag.items[0].text);
    error[0] = '\0';
    bool good = plan_from_scenario(plan, &scenario, libexec, error, 512);
    scenario_fini(&scenario);
    diag_fini(&diag);
    folder_remove();
    return good;
}

static void list_is(char *const *list, const char *const *expected)
{
    size_t i = 0;
    for (; expected[i]; i++) {
        ck_assert_msg(list[i] && strcmp(list[i], expected[i]) == 0, "%zu: '%s', expected '%s'", i,
                      list[i] ? list[i] : "(end)", expected[i]);
    }
    ck_assert_msg(!list[i], "'%s' is too many", list[i] ? list[i] : "");
}

START_TEST(a_built_in_suite_gets_its_parameters_as_environment)
{
    struct plan plan;
    char error[512];
    ck_assert_msg(plans("scenario: x\n"
                        "suite: {program: registry, tests: 450, keys: all}\n"
                        "teardown: never\n"
                        "variants: [{direct: {env: {A: b}}}, {small: {strategy: lru, bytes: 4 MiB, "
                        "keys: 5, teardown: per-module}}]\n"
                        "limits: {memory: 64 MiB, timeout: 2 s}\n"
                        "passes: 5\n",
                        &plan, error),
                  "%s", error);
    ck_assert_uint_eq(plan.variant_count, 2);
    ck_assert_uint_eq(plan.memory_cap, 64 << 20);
    ck_assert_uint_eq(plan.timeout_ns, 2000000000);
    ck_assert_uint_eq(plan.passes, 5);
    ck_assert(!plan.hunt);
    static const char *const direct[] = {"TIDEMARK_SUITE_TESTS=450",
                                         "TIDEMARK_SUITE_KEYS=all",
                                         "TIDEMARK_STRATEGY=direct",
                                         "TIDEMARK_TEARDOWN=never",
                                         "A=b",
                                         NULL};
    static const char *const small[] = {
        "TIDEMARK_SUITE_TESTS=450",        "TIDEMARK_SUITE_KEYS=5",        "TIDEMARK_STRATEGY=lru",
        "TIDEMARK_STRATEGY_BYTES=4194304", "TIDEMARK_TEARDOWN=per-module", NULL};
    list_is(plan.variants[0].env, direct);
    list_is(plan.variants[1].env, small);
    ck_assert_str_eq(plan.variants[1].name, "small");
    ck_assert_ptr_nonnull(strstr(plan.variants[0].program, "/suites/registry"));
    ck_assert_str_eq(plan.variants[0].argv[0], plan.variants[0].program);
    ck_assert_ptr_null(plan.variants[0].argv[1]);
    ck_assert_str_eq(plan.variants[0].skip, "");
    plan_fini(&plan);
}
END_TEST

START_TEST(a_user_program_is_found_beside_the_scenario_and_told_nothing)
{
    struct plan plan;
    char error[512], expected[128];
    ck_assert_msg(plans("scenario: x\n"
                        "suite: {program: ./check_mine, args: [--seed, 4]}\n"
                        "variants: [plain, {other: {args: []}}]\n",
                        &plan, error),
                  "%s", error);
    snprintf(expected, sizeof expected, "%s/./check_mine", folder);
    ck_assert_str_eq(plan.variants[0].program, expected);
    const char *const argv[] = {expected, "--seed", "4", NULL}, *const alone[] = {expected, NULL};
    const char *const nothing[] = {NULL};
    list_is(plan.variants[0].argv, argv);
    list_is(plan.variants[1].argv, alone);
    list_is(plan.variants[0].env, nothing);
    ck_assert_uint_eq(plan.passes, 1);
    plan_fini(&plan);
}
END_TEST

START_TEST(programs_that_cannot_run_are_named_with_their_place)
{
    static const struct {
        const char *yaml, *error;
    } rows[] = {
        {"scenario: x\nsuite: {tests: 4, program: registri}\n",
         "/x.yaml:2:28: unknown suite 'registri'; did you mean 'registry'?"},
        {"scenario: x\nsuite: elephant\n",
         "/x.yaml:2:8: unknown suite 'elephant' (a program of yours is "
         "written ./elephant); suites are in "},
        {"scenario: x\nsuite: ./absent\n",
         "/x.yaml:2:8: program './absent' cannot be run: No such file or directory ("},
        {"scenario: x\nsuite: ./suites\n",
         "/x.yaml:2:8: program './suites' cannot be run: Is a directory ("},
        {"scenario: x\nsuite: ./check_mine.c\n",
         "/x.yaml:2:8: program './check_mine.c' cannot be run: Exec format error ("},
        {"scenario: x\nsuite: ./check_mine\nvariants:\n  - a\n  - b: {program: ./absent}\n",
         "/x.yaml:5:5: program './absent' cannot be run: No such file or directory ("},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plan plan;
        char error[512];
        ck_assert(!plans(rows[i].yaml, &plan, error));
        ck_assert_msg(strstr(error, rows[i].error) != NULL, "row %zu: %s", i, error);
        ck_assert_ptr_null(plan.variants);
    }
}
END_TEST

START_TEST(variants_can_be_added_by_hand)
{
    struct plan plan;
    plan_init(&plan);
    char *argv[] = {(char *)"/bin/true", (char *)"-x", NULL}, *env[] = {(char *)"A=b", NULL};
    plan_variant_add(&plan, "", "/bin/true", NULL, NULL);
    plan_variant_add(&plan, "b", "/bin/true", argv, env);
    const char *const first[] = {"/bin/true", NULL}, *const second[] = {"/bin/true", "-x", NULL};
    const char *const added[] = {"A=b", NULL}, *const nothing[] = {NULL};
    list_is(plan.variants[0].argv, first);
    list_is(plan.variants[0].env, nothing);
    list_is(plan.variants[1].argv, second);
    list_is(plan.variants[1].env, added);
    plan_fini(&plan);
    plan_fini(&plan); /* harmless */
}
END_TEST

SUITE("plan", &a_built_in_suite_gets_its_parameters_as_environment,
      &a_user_program_is_found_beside_the_scenario_and_told_nothing,
      &programs_that_cannot_run_are_named_with_their_place, &variants_can_be_added_by_hand)
