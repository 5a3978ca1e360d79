/*
 * munit.c - munit programs. munit_suite_main_custom, which main calls, is replaced. A repetition is
 * a call of the real one with a suite that has one test, without a fork, and with the same seed
 * each time: setup, body and teardown with all values of its parameters. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in <munit.h>. */
enum munit_result { MUNIT_OK, MUNIT_FAIL, MUNIT_SKIP, MUNIT_ERROR };
typedef int munit_body(const void *parameters, void *data);
typedef void *munit_setup(const void *parameters, void *data);
typedef void munit_teardown(void *data);

struct munit_test {
    const char *name;
    munit_body *test;
    munit_setup *setup;
    munit_teardown *teardown;
    int options;
    void *parameters;
};

struct munit_suite {
    const char *prefix;
    const struct munit_test *tests;
    const struct munit_suite *suites;
    unsigned iterations;
    int options;
};

typedef int munit_main(const struct munit_suite *suite, void *data, int argc, char *const *argv,
                       const void *arguments);

struct munit_case {
    const char *prefix; /* of its suite and of those that this is in */
    const struct munit_test *test;
};

enum { ARGUMENTS_MAX = 64 };

static struct {
    struct munit_case *cases;
    uint32_t count, room;
    unsigned iterations;
    void *data;
    const void *arguments;
    char *argv[ARGUMENTS_MAX];
    int argc;
    const char *wanted[ARGUMENTS_MAX]; /* names of tests, or beginnings of names */
    int wanted_count;
    const struct munit_test *test; /* that runs */
    bool begun, error_lifted;
    int result;
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    uint32_t line;
} munit;

static munit_main main_here;
static void error_here(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* clang-format off */
enum { MAIN, ERROR, HOOKS };

static struct hook hooks[HOOKS] = {
    [MAIN] = {"munit_suite_main_custom", NULL, main_here},
    [ERROR] = {"munit_errorf_ex", NULL, error_here, true},
};
/* clang-format on */

static bool munit_take(void)
{
    return hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
}

const struct adapter adapter_munit = {.framework = "munit",
                                      .symbol = "munit_suite_main_custom",
                                      .other_symbol = "munit_log_level_visible",
                                      .take_static = munit_take,
                                      .in_process = "--no-fork"};

/* A failing assertion; the real one leaves the test by a jump. */
static void error_here(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(munit.message, sizeof munit.message, format, arguments);
    va_end(arguments);
    snprintf(munit.file, sizeof munit.file, "%s", file);
    munit.line = line > 0 ? (uint32_t)line : 0;
    munit.error_lifted = true;
    hook_lift(&hooks[ERROR]);
    HOOK_THERE(hooks[ERROR], void(const char *, int, const char *, ...))
    (file, line, "%s", munit.message);
    abort(); /* it does not return */
}

/* A test may run several times in a repetition: iterations, and values of parameters. */
static void *setup_here(const void *parameters, void *data)
{
    if (munit.begun) {
        serve_test_goes_on();
    } else {
        serve_test_begins();
        munit.begun = true;
    }
    return munit.test->setup == NULL ? data : munit.test->setup(parameters, data);
}

static int test_here(const void *parameters, void *data)
{
    munit.result = MUNIT_FAIL;
    munit.result = munit.test->test(parameters, data);
    return munit.result;
}

static void teardown_here(void *data)
{
    if (munit.test->teardown != NULL) {
        munit.test->teardown(data);
    }
    serve_test_ends();
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct munit_case *one = &munit.cases[index];
    const char *prefix = one->prefix[0] == '/' ? one->prefix + 1 : one->prefix;
    (void)self;
    snprintf(id, sizeof id, "munit/%s/%s", prefix[0] == '\0' ? adapter_program() : prefix,
             one->test->name[0] == '/' ? one->test->name + 1 : one->test->name);
    serve_id_set(name, id);
    name->group = name->test;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    munit.test = munit.cases[index].test;
    struct munit_test tests[2] = {*munit.test};
    tests[0].setup = setup_here;
    tests[0].test = test_here;
    tests[0].teardown = teardown_here;
    const struct munit_suite suite = {
        .prefix = munit.cases[index].prefix, .tests = tests, .iterations = munit.iterations};
    munit.begun = false;
    munit.message[0] = munit.file[0] = '\0';
    munit.line = 0;
    munit.result = MUNIT_OK;
    int status = HOOK_THERE(hooks[MAIN], munit_main)(&suite, munit.data, munit.argc, munit.argv,
                                                     munit.arguments);
    if (munit.error_lifted) {
        hook_put(&hooks[ERROR]);
        munit.error_lifted = false;
    }
    outcome->status = status != 0                ? WIRE_FAIL
                      : munit.result != MUNIT_OK ? WIRE_SKIP /* by itself, or it is marked TODO */
                                                 : WIRE_PASS;
    if (status != 0) {
        outcome->message = munit.message;
        outcome->file = munit.file;
        outcome->line = munit.line;
    }
}

/* The command line: names of tests, and munit's own options, which go on to the real main. --------
 */

static int option_values(const char *option)
{
    static const struct {
        const char *name;
        int values;
    } options[] = {{"--seed", 1},  {"--iterations", 1},  {"--param", 2},
                   {"--color", 1}, {"--log-visible", 1}, {"--log-fatal", 1}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(option, options[i].name) == 0) {
            return options[i].values;
        }
    }
    return 0;
}

static void command_line_read(int argc, char *const *argv)
{
    static char no_fork[] = "--no-fork", seed[] = "--seed", number[] = "1";
    munit.argv[munit.argc++] = argv[0];
    munit.argv[munit.argc++] = no_fork;
    munit.argv[munit.argc++] = seed; /* of the program, where it gives one: the last counts */
    munit.argv[munit.argc++] = number;
    for (int i = 1; i < argc && munit.argc + 3 < ARGUMENTS_MAX; i++) {
        if (argv[i][0] != '-') {
            munit.wanted[munit.wanted_count++] = argv[i];
            continue;
        }
        int values = option_values(argv[i]);
        munit.argv[munit.argc++] = argv[i];
        for (; values > 0 && i + 1 < argc; values--) {
            munit.argv[munit.argc++] = argv[++i];
        }
    }
}

static bool wanted(const char *prefix, const char *name)
{
    char full[WIRE_ID_MAX];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (int i = 0; i < munit.wanted_count; i++) {
        if (strncmp(full, munit.wanted[i], strlen(munit.wanted[i])) == 0) {
            return true;
        }
    }
    return munit.wanted_count == 0;
}

static void suite_add(const struct munit_suite *suite, const char *outer)
{
    char prefix[WIRE_ID_MAX];
    snprintf(prefix, sizeof prefix, "%s%s", outer, suite->prefix == NULL ? "" : suite->prefix);
    const char *kept = arena_dup(prefix);
    for (const struct munit_test *test = suite->tests; test != NULL && test->test != NULL; test++) {
        if (wanted(prefix, test->name)) {
            munit.cases = arena_grow(munit.cases, munit.count, &munit.room, sizeof munit.cases[0]);
            munit.cases[munit.count++] = (struct munit_case){.prefix = kept, .test = test};
        }
    }
    for (const struct munit_suite *inner = suite->suites; inner != NULL && inner->prefix != NULL;
         inner++) {
        suite_add(inner, prefix);
    }
}

static int main_here(const struct munit_suite *suite, void *data, int argc, char *const *argv,
                     const void *arguments)
{
    hook_lift(&hooks[MAIN]);
    if (serve_has_greeted() || !boundary_is_worker()) {
        return HOOK_THERE(hooks[MAIN], munit_main)(suite, data, argc, argv, arguments);
    }
    munit.iterations = suite->iterations;
    munit.data = data;
    munit.arguments = arguments;
    command_line_read(argc, argv);
    suite_add(suite, "");
    struct test_group group = {.framework = "munit",
                               .way = WIRE_WAY_SYMTAB,
                               .count = munit.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("munit: %u tests under tidemark, %u failed\n", munit.count, failed);
    return failed == 0 ? 0 : 1;
}
