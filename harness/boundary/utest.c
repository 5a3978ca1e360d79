/*
 * utest.c - utest.h programs. The header registers the tests before main and runs them in main. A
 * repetition is a call of main while only this test is registered. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void utest_body(int *result, size_t index);

struct utest_test { /* struct utest_test_state_s */
    utest_body *run;
    size_t index;
    char *name; /* "SUITE.NAME" */
};

struct utest_state { /* struct utest_state_s, its beginning */
    struct utest_test *tests;
    size_t count;
};

enum utest_result { UTEST_PASS, UTEST_FAIL, UTEST_SKIP };

static struct {
    const struct utest_test *tests;
    uint32_t count;
    const struct utest_test *test; /* that runs */
    bool ran;
    int result;
    char **argv;
} utest;

enum { STATE, HOOKS };

static struct hook hooks[HOOKS] = {[STATE] = {"utest_state"}};

static int utest_serve(void);

static bool utest_take(void)
{
    return hooks_find(hooks, HOOKS);
}

const struct adapter adapter_utest = {.framework = "utest.h",
                                      .symbol = "utest_state",
                                      .take_static = utest_take,
                                      .serve_before_main = utest_serve};

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const char *text = utest.tests[index].name;
    const char *dot = strchr(text, '.');
    (void)self;
    snprintf(id, sizeof id, "utest.h/%.*s/%s", dot == NULL ? 1 : (int)(dot - text),
             dot == NULL ? "-" : text, dot == NULL ? text : dot + 1);
    serve_id_set(name, id);
    name->group = name->test;
}

static void test_here(int *result, size_t index)
{
    utest.ran = true;
    serve_test_begins();
    utest.test->run(result, index);
    serve_test_ends();
    utest.result = *result;
}

/* What main then does with the registered tests is to release them, names included: it gets copies
 * of the program's own malloc, outside of the test. Returns false when there is no memory. */
static bool registered_set(const struct utest_test *test)
{
    struct utest_state *state = HOOK_THERE(hooks[STATE], struct utest_state);
    struct utest_test *one = malloc(sizeof *one);
    char *name = strdup(test->name);
    if (one == NULL || name == NULL) {
        free(one);
        free(name);
        return false;
    }
    one->run = test_here;
    one->index = test->index;
    one->name = name; /* main frees it */
    state->tests = one;
    state->count = 1;
    return true;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    utest.test = &utest.tests[index];
    utest.ran = false;
    utest.result = UTEST_FAIL;
    if (!registered_set(utest.test)) {
        outcome->status = WIRE_OOM;
        return;
    }
    program_main_again(program_argument_count(), utest.argv);
    if (!utest.ran || utest.result == UTEST_SKIP) { /* left out by the program's own --filter */
        outcome->status = WIRE_SKIP;
    } else if (utest.result != UTEST_PASS) {
        outcome->status = WIRE_FAIL;
        outcome->message = "an assertion failed: the program's output has its words";
    }
}

static int utest_serve(void)
{
    const struct utest_state *state = HOOK_THERE(hooks[STATE], const struct utest_state);
    int argc = program_argument_count();
    if (state->count == 0) {
        return -1;
    }
    struct utest_test *tests = arena_get(state->count * sizeof *tests);
    for (size_t i = 0; i < state->count; i++) {
        tests[i] = state->tests[i];
    }
    utest.tests = tests;
    utest.count = (uint32_t)state->count;
    utest.argv = arena_get(((size_t)argc + 1) * sizeof *utest.argv);
    for (int i = 0; i < argc; i++) {
        utest.argv[i] = (char *)(uintptr_t)program_argument(i);
    }
    struct test_group group = {.framework = "utest.h",
                               .way = WIRE_WAY_SYMTAB,
                               .count = utest.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("utest.h: %u tests under tidemark, %u failed\n", utest.count, failed);
    return failed == 0 ? 0 : 1;
}
