/*
 * criterion.c - Criterion programs (2.4, shared). Criterion runs each test in a process of its own,
 * in which it is not seen. Its main, which is in the library, is not called here: the tests are
 * taken from the program's own table, and the functions that a test calls in the library are
 * replaced. A repetition is what Criterion does in that process: the suite's and the test's init,
 * the body (with each of its parameters), fini. A test that is meant to die does it in a child.
 * Report hooks do not run, and the command line's filters are not applied. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/symtab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum criterion_kind { CRITERION_NORMAL, CRITERION_PARAMETERIZED };

struct criterion_parameters {
    size_t bytes; /* of one */
    void *values;
    size_t count;
    void (*cleanup)(struct criterion_parameters *);
};

/* As in <criterion/types.h>, its beginning. */
struct criterion_extra {
    int sentinel, compiler, language, kind;
    struct criterion_parameters (*parameters)(void);
    const char *identifier, *file;
    unsigned line;
    void (*init)(void), (*fini)(void);
    int signal, exit_code;
    bool disabled;
};

struct criterion_test {
    const char *name, *suite;
    void (*run)(void); /* calls setup, main and teardown below */
    const struct criterion_extra *extra;
};

struct criterion_suite {
    const char *name;
    const struct criterion_extra *extra;
};

struct criterion_assert { /* struct criterion_assert_stats, its beginning */
    const char *message;
    bool passed;
    unsigned line;
    const char *file;
};

static struct {
    const struct criterion_test **tests;
    uint32_t count, room;
    const struct criterion_test *test; /* that runs */
    void *parameter;
    sigjmp_buf back;
    struct outcome outcome;
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
} criterion;

static void setup_here(void), teardown_here(void), nothing_here(void), abort_here(void);
static void main_here(void (*body)(void));
static void assert_here(const struct criterion_assert *assert);
static void skip_here(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void die_here(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* clang-format off */
enum { SETUP, MAIN, TEARDOWN, ASSERT, PASSED, ABORT, SKIP, DIE, CONTINUE, HOOKS };

static struct hook hooks[HOOKS] = {
    [SETUP] = {"criterion_internal_test_setup", NULL, setup_here},
    [MAIN] = {"criterion_internal_test_main", NULL, main_here},
    [TEARDOWN] = {"criterion_internal_test_teardown", NULL, teardown_here},
    [ASSERT] = {"criterion_send_assert", NULL, assert_here},
    [PASSED] = {"cri_asserts_passed_incr", NULL, nothing_here},
    [ABORT] = {"criterion_abort_test", NULL, abort_here},
    [SKIP] = {"criterion_skip_test", NULL, skip_here},
    [DIE] = {"criterion_test_die", NULL, die_here},
    [CONTINUE] = {"criterion_continue_test", NULL, nothing_here, true},
};
/* clang-format on */

static int criterion_serve(void);

static bool criterion_take(void)
{
    return hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
}

const struct adapter adapter_criterion = {.framework = "Criterion",
                                          .symbol = "criterion_internal_test_main",
                                          .take_static = criterion_take,
                                          .serve_before_main = criterion_serve};

/* What a test calls in the library. ---------------------------------------------------------------
 */

static const struct criterion_extra *suite_extra(const char *name)
{
    uintptr_t begin = 0;
    size_t bytes = 0;
    if (symtab_section("cr_sts", &begin, &bytes)) {
        const struct criterion_suite *const *suites = (const void *)begin;
        for (size_t i = 0; i < bytes / sizeof *suites; i++) {
            if (suites[i] != NULL && strcmp(suites[i]->name, name) == 0) {
                return suites[i]->extra;
            }
        }
    }
    return NULL;
}

static void nothing_here(void)
{
}

static void setup_here(void)
{
    const struct criterion_extra *suite = suite_extra(criterion.test->suite);
    if (suite != NULL && suite->init != NULL) {
        suite->init();
    }
    if (criterion.test->extra->init != NULL) {
        criterion.test->extra->init();
    }
}

static void teardown_here(void)
{
    const struct criterion_extra *suite = suite_extra(criterion.test->suite);
    if (criterion.test->extra->fini != NULL) {
        criterion.test->extra->fini();
    }
    if (suite != NULL && suite->fini != NULL) {
        suite->fini();
    }
}

static void main_here(void (*body)(void))
{
    if (sigsetjmp(criterion.back, 0) == 0) {
        if (criterion.test->extra->kind == CRITERION_PARAMETERIZED) {
            ((void (*)(void *))(uintptr_t)body)(criterion.parameter);
        } else {
            body();
        }
    }
}

static void abort_here(void)
{
    siglongjmp(criterion.back, 1);
}

static void assert_here(const struct criterion_assert *assert)
{
    if (!assert->passed && criterion.outcome.status != WIRE_FAIL) {
        criterion.outcome.status = WIRE_FAIL;
        criterion.outcome.line = assert->line;
        snprintf(criterion.message, sizeof criterion.message, "%s",
                 assert->message == NULL ? "" : assert->message);
        snprintf(criterion.file, sizeof criterion.file, "%s",
                 assert->file == NULL ? "" : assert->file);
    }
}

#define CRITERION_ENDS(name, code)                                                                 \
    static void name(const char *format, ...)                                                      \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        criterion.message[0] = '\0';                                                               \
        if (format != NULL) {                                                                      \
            vsnprintf(criterion.message, sizeof criterion.message, format, arguments);             \
        }                                                                                          \
        va_end(arguments);                                                                         \
        criterion.outcome.status = code;                                                           \
        siglongjmp(criterion.back, 1);                                                             \
    }
CRITERION_ENDS(skip_here, WIRE_SKIP)
CRITERION_ENDS(die_here, WIRE_FAIL)

/* The group. --------------------------------------------------------------------------------------
 */

static bool is_to_die(const struct criterion_test *test)
{
    return test->extra->signal != 0 || test->extra->exit_code != 0;
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct criterion_test *test = criterion.tests[index];
    (void)self;
    snprintf(id, sizeof id, "Criterion/%s/%s", test->suite, test->name);
    serve_id_set(name, id);
    name->group = name->test;
    name->line = test->extra->line;
    name->flags = is_to_die(test) ? WIRE_TEST_FORKED : 0;
    snprintf(name->file, sizeof name->file, "%s",
             test->extra->file == NULL ? "" : test->extra->file);
}

static void test_run(const struct criterion_test *test)
{
    if (test->extra->kind != CRITERION_PARAMETERIZED || test->extra->parameters == NULL) {
        test->run();
        return;
    }
    struct criterion_parameters all = test->extra->parameters();
    for (size_t i = 0; i < all.count; i++) {
        criterion.parameter = (char *)all.values + i * all.bytes;
        test->run();
    }
    if (all.cleanup != NULL) {
        all.cleanup(&all);
    }
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    const struct criterion_test *test = criterion.tests[index];
    criterion.test = test;
    criterion.outcome = (struct outcome){.status = WIRE_PASS};
    criterion.message[0] = criterion.file[0] = '\0';
    if (test->extra->disabled) {
        outcome->status = WIRE_SKIP;
        return;
    }
    if (forked || (is_to_die(test) && boundary_is_worker())) {
        adapter_run_forked(run, self, index, outcome);
        bool as_meant = test->extra->signal != 0 ? outcome->signal == test->extra->signal
                                                 : outcome->exit_code == test->extra->exit_code;
        if (is_to_die(test)) {
            outcome->status = as_meant ? WIRE_PASS : WIRE_FAIL;
            outcome->message = as_meant ? "" : "it did not die as it is meant to";
        }
        return;
    }
    test_run(test);
    outcome->status = criterion.outcome.status;
    if (outcome->status != WIRE_PASS) {
        outcome->message = criterion.message;
        outcome->file = criterion.file;
        outcome->line = criterion.outcome.line;
    }
}

static int criterion_serve(void)
{
    uintptr_t begin = 0;
    size_t bytes = 0;
    if (!symtab_section("cr_tst", &begin, &bytes)) {
        return -1;
    }
    const struct criterion_test *const *tests = (const void *)begin;
    for (size_t i = 0; i < bytes / sizeof *tests; i++) {
        if (tests[i] != NULL) {
            criterion.tests = arena_grow(criterion.tests, criterion.count, &criterion.room,
                                         sizeof criterion.tests[0]);
            criterion.tests[criterion.count++] = tests[i];
        }
    }
    struct test_group group = {.framework = "Criterion",
                               .way = WIRE_WAY_SYMTAB,
                               .count = criterion.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("Criterion: %u tests under tidemark, %u failed\n", criterion.count, failed);
    return failed == 0 ? 0 : 1;
}
