/*
 * unity.c - Unity programs (2.5 and later). RUN_TEST calls UnityDefaultTestRun, unless a generated
 * runner has a function of its own, run_test; unity_fixture's groups call UnityTestRunner. They are
 * replaced: they only note the tests, and UnityEnd, which is called after all of them, serves them.
 * So what main does between two tests is done before the first one. A repetition is a call of the
 * real function: setUp, body, tearDown. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"

#include <stdio.h>
#include <string.h>

typedef void unity_function(void);
typedef void unity_run(unity_function *test, const char *name, int line);
typedef void unity_fixture_run(unity_function *setup, unity_function *test,
                               unity_function *teardown, const char *title, const char *group,
                               const char *name, const char *file, unsigned line);

struct unity_test {
    int runner; /* RUN, GENERATED or FIXTURE */
    unity_function *test, *setup, *teardown;
    const char *title, *group, *name, *file;
    uint32_t line;
};

static struct {
    struct unity_test *tests;
    uint32_t count, room;
    bool served;
    uint32_t failed;
    uint32_t line; /* of the first failure of this repetition */
} unity;

static unity_run run_here, generated_here;
static unity_fixture_run fixture_here;
static int end_here(void);
static void fail_here(uint64_t line);

/* clang-format off */
enum { RUN, GENERATED, FIXTURE, END, STORAGE, FAIL, HOOKS };

static struct hook hooks[HOOKS] = {
    [RUN] = {"UnityDefaultTestRun", NULL, run_here, true},
    [GENERATED] = {"run_test", NULL, generated_here, true},
    [FIXTURE] = {"UnityTestRunner", NULL, fixture_here, true},
    [END] = {"UnityEnd", NULL, end_here},
    [STORAGE] = {"Unity"},
    [FAIL] = {"UnityTestResultsFailBegin", NULL, fail_here, true},
};
/* clang-format on */

static bool unity_take(void)
{
    return hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
}

const struct adapter adapter_unity = {
    .framework = "Unity", .symbol = "UnityBegin", .take_static = unity_take};

/* Unity's counters. -------------------------------------------------------------------------------
 * `struct UNITY_STORAGE_T Unity` is two names, two details that a program may leave out, the line
 * of the test, and counters: of tests, of failures, of ignored ones. Their width is the program's
 * choice. The right one of four ways to read it has the line of the test that ran.
 */

struct unity_counters {
    uint64_t line, tests, failures, ignores;
};

static struct unity_counters counters_read(size_t offset, size_t width)
{
    struct unity_counters counters = {0};
    const char *at = (const char *)hooks[STORAGE].there + offset;
    uint64_t *const fields[] = {&counters.line, &counters.tests, &counters.failures,
                                &counters.ignores};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        memcpy(fields[i], at + i * width, width); /* little-endian */
    }
    return counters;
}

static const struct counters_way {
    size_t offset, width;
} counters_ways[] = {{32, 8}, {32, 4}, {16, 8}, {16, 4}};
enum { COUNTERS_WAYS = sizeof counters_ways / sizeof counters_ways[0] };

/* The group. --------------------------------------------------------------------------------------
 */

static const char *base_name(const char *path)
{
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return path == NULL ? "-" : slash == NULL ? path : slash + 1;
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct unity_test *test = &unity.tests[index];
    (void)self;
    snprintf(id, sizeof id, "Unity/%s/%s",
             test->group != NULL ? test->group : base_name(test->file), test->name);
    serve_id_set(name, id);
    name->group = name->test;
    name->line = test->line;
    snprintf(name->file, sizeof name->file, "%s", test->file == NULL ? "" : test->file);
}

static void test_call(const struct unity_test *test)
{
    if (test->runner == FIXTURE) {
        HOOK_THERE(hooks[FIXTURE], unity_fixture_run)
        (test->setup, test->test, test->teardown, test->title, test->group, test->name, test->file,
         test->line);
    } else {
        HOOK_THERE(hooks[test->runner], unity_run)(test->test, test->name, (int)test->line);
    }
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    const struct unity_test *test = &unity.tests[index];
    struct unity_counters before[COUNTERS_WAYS];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    for (int i = 0; i < COUNTERS_WAYS; i++) {
        before[i] = counters_read(counters_ways[i].offset, counters_ways[i].width);
    }
    unity.line = 0;
    test_call(test);
    outcome->status = WIRE_SKIP; /* filtered by unity_fixture's own options */
    for (int i = 0; i < COUNTERS_WAYS; i++) {
        struct unity_counters after =
            counters_read(counters_ways[i].offset, counters_ways[i].width);
        if (after.line == test->line && after.tests == before[i].tests + 1) {
            outcome->status = after.failures != before[i].failures ? WIRE_FAIL
                              : after.ignores != before[i].ignores ? WIRE_SKIP
                                                                   : WIRE_PASS;
            break;
        }
    }
    if (outcome->status == WIRE_FAIL) {
        outcome->message = "an assertion failed: the program's output has its words";
        outcome->file = test->file == NULL ? "" : test->file;
        outcome->line = unity.line != 0 ? unity.line : test->line;
    }
}

/* In place of the functions that run a test: note it. */
static void test_add(struct unity_test test)
{
    unity.tests = arena_grow(unity.tests, unity.count, &unity.room, sizeof unity.tests[0]);
    unity.tests[unity.count++] = test;
}

static bool notes(int runner)
{
    if (unity.served || !boundary_is_worker()) { /* a child of the program runs its own */
        hook_lift(&hooks[runner]);
        return false;
    }
    return true;
}

static void run_note(int runner, unity_function *test, const char *name, int line)
{
    struct unity_test noted = {.runner = runner,
                               .test = test,
                               .name = name,
                               .file = *HOOK_THERE(hooks[STORAGE], const char *),
                               .line = (uint32_t)line};
    if (notes(runner)) {
        test_add(noted);
    } else {
        test_call(&noted);
    }
}

static void run_here(unity_function *test, const char *name, int line)
{
    run_note(RUN, test, name, line);
}

static void generated_here(unity_function *test, const char *name, int line)
{
    run_note(GENERATED, test, name, line);
}

static void fixture_here(unity_function *setup, unity_function *test, unity_function *teardown,
                         const char *title, const char *group, const char *name, const char *file,
                         unsigned line)
{
    struct unity_test noted = {FIXTURE, test, setup, teardown, title, group, name, file, line};
    if (notes(FIXTURE)) {
        test_add(noted);
    } else {
        test_call(&noted);
    }
}

static void fail_here(uint64_t line)
{
    unity.line = unity.line == 0 ? (uint32_t)line : unity.line;
    hook_lift(&hooks[FAIL]);
    HOOK_THERE(hooks[FAIL], void(uint64_t))(line);
    hook_put(&hooks[FAIL]);
}

static void tests_serve(void)
{
    struct test_group group = {.framework = "Unity",
                               .way = WIRE_WAY_SYMTAB,
                               .count = unity.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    for (int i = RUN; i <= FIXTURE; i++) {
        hook_lift(&hooks[i]);
    }
    unity.served = true;
    unity.failed = serve_group(&group);
    for (int i = RUN; i <= FIXTURE; i++) {
        hook_put(&hooks[i]);
    }
    adapter_print("Unity: %u tests under tidemark, %u failed\n", unity.count, unity.failed);
    unity.count = 0;
    unity.served = false; /* main may have another UnityBegin */
}

/* In place of UnityEnd. */
static int end_here(void)
{
    if (unity.count > 0 && boundary_is_worker()) {
        tests_serve();
        return (int)unity.failed;
    }
    hook_lift(&hooks[END]);
    int failed = HOOK_THERE(hooks[END], int(void))();
    hook_put(&hooks[END]);
    return failed;
}
