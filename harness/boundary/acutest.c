/*
 * acutest.c - Acutest programs. The header has main and a table of tests. A repetition is a call of
 * main with a table that has only this test, and with --no-exec, or Acutest would run it in a
 * child. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/program.h"

#include <stdio.h>
#include <string.h>

struct acutest_test { /* struct acutest_test_ */
    const char *name;
    void (*run)(void);
};

enum { ARGUMENTS_MAX = 64 };

static struct {
    struct acutest_test *tests; /* of the table, those that are selected */
    uint32_t count, room;
    const struct acutest_test *test;    /* that runs */
    const struct acutest_test **places; /* of the selected ones in the table */
    uint32_t place_room;
    int argc;
    char *argv[ARGUMENTS_MAX + 2]; /* with a place for the test's name */
} acutest;

enum { LIST, SKIPS, HOOKS };

static struct hook hooks[HOOKS] = {
    [LIST] = {"acutest_list_", "test_list_"},
    [SKIPS] = {"acutest_test_skip_count_", .optional = true},
};

static int acutest_serve(void);

static bool acutest_take(void)
{
    return hooks_find(hooks, HOOKS);
}

const struct adapter adapter_acutest = {.framework = "Acutest",
                                        .symbol = "acutest_list_",
                                        .other_symbol = "test_list_",
                                        .take_static = acutest_take,
                                        .in_process = "--no-exec",
                                        .serve_before_main = acutest_serve};

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    (void)self;
    snprintf(id, sizeof id, "Acutest/%s/%s", adapter_program(), acutest.tests[index].name);
    serve_id_set(name, id);
    name->group = name->test;
}

static void test_here(void)
{
    serve_test_begins();
    acutest.test->run();
    serve_test_ends();
}

/* The table is constant: it is written as code is. */
static void function_set(uint32_t index, void (*run)(void))
{
    patch_code((void *)(uintptr_t)&acutest.places[index]->run, (const uint8_t *)&run, sizeof run);
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    acutest.test = &acutest.tests[index];
    acutest.argv[acutest.argc] = (char *)(uintptr_t)acutest.test->name;
    function_set(index, test_here);
    int status = program_main_again(acutest.argc + 1, acutest.argv);
    function_set(index, acutest.test->run);
    bool skipped = hooks[SKIPS].there != NULL && *HOOK_THERE(hooks[SKIPS], int) > 0;
    outcome->status = status != 0 ? WIRE_FAIL : skipped ? WIRE_SKIP : WIRE_PASS;
    if (status != 0) {
        outcome->message = "a check failed: the program's output has its words";
    }
}

/* The command line: names of tests, or parts of them, and Acutest's options, which main gets. */
static bool selected(const char *name)
{
    bool any = false, named = false, excludes = false;
    for (int i = 1; i < program_argument_count(); i++) {
        const char *argument = program_argument(i);
        if (argument[0] != '-') {
            any = true;
            named |= strstr(name, argument) != NULL;
        } else {
            excludes |= strcmp(argument, "-X") == 0 || strcmp(argument, "-x") == 0 ||
                        strcmp(argument, "--exclude") == 0 || strcmp(argument, "--skip") == 0;
        }
    }
    return !any || named != excludes;
}

static void command_line_make(void)
{
    static char no_exec[] = "--no-exec";
    acutest.argv[acutest.argc++] = (char *)(uintptr_t)program_argument(0);
    acutest.argv[acutest.argc++] = no_exec;
    for (int i = 1; i < program_argument_count() && acutest.argc < ARGUMENTS_MAX; i++) {
        const char *argument = program_argument(i);
        bool goes_on = argument[0] == '-' && strcmp(argument, "-X") != 0 &&
                       strcmp(argument, "-x") != 0 && strcmp(argument, "--exclude") != 0 &&
                       strcmp(argument, "--skip") != 0;
        if (goes_on) {
            acutest.argv[acutest.argc++] = (char *)(uintptr_t)argument;
        }
    }
}

static int acutest_serve(void)
{
    const struct acutest_test *table = HOOK_THERE(hooks[LIST], const struct acutest_test);
    for (; table->run != NULL; table++) {
        if (selected(table->name)) {
            acutest.tests =
                arena_grow(acutest.tests, acutest.count, &acutest.room, sizeof acutest.tests[0]);
            acutest.places = arena_grow(acutest.places, acutest.count, &acutest.place_room,
                                        sizeof acutest.places[0]);
            acutest.places[acutest.count] = table;
            acutest.tests[acutest.count++] = *table;
        }
    }
    if (acutest.count == 0) {
        return -1;
    }
    command_line_make();
    struct test_group group = {.framework = "Acutest",
                               .way = WIRE_WAY_SYMTAB,
                               .count = acutest.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("Acutest: %u tests under tidemark, %u failed\n", acutest.count, failed);
    return failed == 0 ? 0 : 1;
}
