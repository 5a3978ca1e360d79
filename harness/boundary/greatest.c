/*
 * greatest.c - greatest programs. The macros call a function before each test, which says whether
 * the test is to run, and one after it. Both are replaced. Main is called once while no test is to
 * run: so the tests are known. A repetition is a call of main in which only the test with this
 * number is to run. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/program.h"

#include <stdio.h>
#include <string.h>

enum greatest_result { GREATEST_FAIL = -1, GREATEST_PASS, GREATEST_SKIP };

static struct {
    const char **names;
    uint32_t count, room;
    bool noting;
    uint32_t selected, position; /* of the test that runs; of the last one in this call of main */
    bool ran;
    int result;
    char **argv;
} greatest = {.noting = true};

static int before_here(const char *name);
static void after_here(int result);

enum { BEFORE, AFTER, HOOKS };

static struct hook hooks[HOOKS] = {
    [BEFORE] = {"greatest_test_pre", NULL, before_here},
    [AFTER] = {"greatest_test_post", NULL, after_here},
};

static int greatest_serve(void);

static bool greatest_take(void)
{
    return hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
}

const struct adapter adapter_greatest = {.framework = "greatest",
                                         .symbol = "greatest_test_pre",
                                         .take_static = greatest_take,
                                         .serve_after_main = greatest_serve};

static int before_call(const char *name)
{
    hook_lift(&hooks[BEFORE]);
    int runs = HOOK_THERE(hooks[BEFORE], int(const char *))(name);
    hook_put(&hooks[BEFORE]);
    return runs;
}

static int before_here(const char *name)
{
    if (greatest.noting && boundary_is_worker()) {
        greatest.names =
            arena_grow(greatest.names, greatest.count, &greatest.room, sizeof greatest.names[0]);
        greatest.names[greatest.count++] = arena_dup(name);
        return 0;
    }
    if (!greatest.noting && greatest.position++ != greatest.selected) {
        return 0;
    }
    serve_test_begins();
    greatest.ran = before_call(name) == 1; /* not when the command line leaves it out */
    return greatest.ran;
}

static void after_here(int result)
{
    greatest.result = result;
    hook_lift(&hooks[AFTER]);
    HOOK_THERE(hooks[AFTER], void(int))(result);
    hook_put(&hooks[AFTER]);
    serve_test_ends();
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    (void)self;
    snprintf(id, sizeof id, "greatest/%s/%s", adapter_program(), greatest.names[index]);
    serve_id_set(name, id);
    name->group = name->test;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    greatest.selected = index;
    greatest.position = 0;
    greatest.ran = false;
    greatest.result = GREATEST_FAIL;
    program_main_again(program_argument_count(), greatest.argv);
    if (!greatest.ran || greatest.result >= GREATEST_SKIP) {
        outcome->status = WIRE_SKIP;
    } else if (greatest.result != GREATEST_PASS) {
        outcome->status = WIRE_FAIL;
        outcome->message = "an assertion failed: the program's output has its words";
    }
}

static int greatest_serve(void)
{
    int argc = program_argument_count();
    if (greatest.count == 0) {
        return -1;
    }
    greatest.noting = false;
    greatest.argv = arena_get(((size_t)argc + 1) * sizeof *greatest.argv);
    for (int i = 0; i < argc; i++) {
        greatest.argv[i] = (char *)(uintptr_t)program_argument(i);
    }
    struct test_group group = {.framework = "greatest",
                               .way = WIRE_WAY_SYMTAB,
                               .count = greatest.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("greatest: %u tests under tidemark, %u failed\n", greatest.count, failed);
    return failed == 0 ? 0 : 1;
}
