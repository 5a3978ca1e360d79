/*
 * cpputest.c - CppUTest programs (3.8 and later, static). The function that runs a test is
 * replaced: it only notes the tests that the command line selects, and when CppUTest says that all
 * of them have run they are served. A repetition is a call of the real function: plugins, setup,
 * body, teardown. CppUTest's own leak detector goes on: a test that it fails is a failed test here.
 * Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"

#include <stdio.h>

struct cpputest_shell { /* UtestShell, its beginning */
    void **functions;
    const char *group, *name, *file;
    size_t line;
};

struct cpputest_string { /* SimpleString: at most these two */
    char *text;
    size_t bytes;
};

static struct {
    struct cpputest_shell **tests;
    uint32_t count, room;
    void *plugin, *result;
    bool served;
    bool noted; /* the first failure of this repetition */
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    uint32_t line;
} cpputest;

static void run_here(struct cpputest_shell *test, void *plugin, void *result);
static void ended_here(void *result);
static void failure_here(void *result, const void *failure);

/* clang-format off */
enum { RUN, ENDED, FAILED, FAILURE, LINE, MESSAGE, FILE_NAME, TEXT, DESTROY, DETECTOR_OFF, HOOKS };

static struct hook hooks[HOOKS] = {
    [RUN] = {"_ZN10UtestShell10runOneTestEP10TestPluginR10TestResult", NULL, run_here},
    [ENDED] = {"_ZN10TestResult10testsEndedEv", NULL, ended_here},
    [FAILED] = {"_ZNK10UtestShell9hasFailedEv"},
    [FAILURE] = {"_ZN10TestResult10addFailureERK11TestFailure", NULL, failure_here, true},
    [LINE] = {"_ZNK11TestFailure20getFailureLineNumberEv", .optional = true},
    [MESSAGE] = {"_ZNK11TestFailure10getMessageEv", .optional = true},
    [FILE_NAME] = {"_ZNK11TestFailure11getFileNameEv", .optional = true},
    [TEXT] = {"_ZNK12SimpleString12asCharStringEv", .optional = true},
    [DESTROY] = {"_ZN12SimpleStringD1Ev", "_ZN12SimpleStringD2Ev", .optional = true},
    [DETECTOR_OFF] = {"_ZN23MemoryLeakWarningPlugin25turnOffNewDeleteOverloadsEv",
                      .optional = true},
};
/* clang-format on */

static bool cpputest_take(void)
{
    if (!hooks_find(hooks, HOOKS)) {
        return false;
    }
    for (int i = LINE; i <= DESTROY; i++) {
        if (hooks[i].there == NULL) {
            hooks[FAILURE].there = NULL; /* the message cannot be read */
        }
    }
    return hooks_set(hooks, HOOKS);
}

const struct adapter adapter_cpputest = {
    .framework = "CppUTest",
    .symbol = "_ZN10UtestShell10runOneTestEP10TestPluginR10TestResult",
    .take_static = cpputest_take};

/* A method that returns a string returns it where the caller says, as C++ classes with a destructor
 * are returned; a C function type does the same with a structure of more than 16 bytes. */
struct cpputest_returned {
    struct cpputest_string string;
    size_t more;
};

static void text_copy(char *to, size_t room, int method, const void *failure)
{
    struct cpputest_returned text =
        HOOK_THERE(hooks[method], struct cpputest_returned(const void *))(failure);
    snprintf(to, room, "%s", HOOK_THERE(hooks[TEXT], const char *(const void *))(&text.string));
    HOOK_THERE(hooks[DESTROY], void(void *))(&text.string);
}

static void failure_here(void *result, const void *failure)
{
    if (!cpputest.noted) {
        cpputest.noted = true;
        cpputest.line = (uint32_t)HOOK_THERE(hooks[LINE], size_t(const void *))(failure);
        text_copy(cpputest.message, sizeof cpputest.message, MESSAGE, failure);
        text_copy(cpputest.file, sizeof cpputest.file, FILE_NAME, failure);
    }
    hook_lift(&hooks[FAILURE]);
    HOOK_THERE(hooks[FAILURE], void(void *, const void *))(result, failure);
    hook_put(&hooks[FAILURE]);
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct cpputest_shell *test = cpputest.tests[index];
    (void)self;
    snprintf(id, sizeof id, "CppUTest/%s/%s", test->group, test->name);
    serve_id_set(name, id);
    name->group = name->test;
    name->line = (uint32_t)test->line;
    snprintf(name->file, sizeof name->file, "%s", test->file);
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    struct cpputest_shell *test = cpputest.tests[index];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    cpputest.noted = false;
    cpputest.message[0] = cpputest.file[0] = '\0';
    cpputest.line = 0;
    HOOK_THERE(hooks[RUN], void(void *, void *, void *))(test, cpputest.plugin, cpputest.result);
    if (HOOK_THERE(hooks[FAILED], bool(const void *))(test)) {
        outcome->status = WIRE_FAIL;
        outcome->message = cpputest.message;
        outcome->file = cpputest.file;
        outcome->line = cpputest.line;
    }
}

/* In place of UtestShell::runOneTest: notes the test. */
static void run_here(struct cpputest_shell *test, void *plugin, void *result)
{
    if (!boundary_is_worker()) { /* a child that the program forked runs its tests itself */
        hook_lift(&hooks[RUN]);
        HOOK_THERE(hooks[RUN], void(void *, void *, void *))(test, plugin, result);
        return;
    }
    cpputest.plugin = plugin;
    cpputest.result = result;
    cpputest.tests =
        arena_grow(cpputest.tests, cpputest.count, &cpputest.room, sizeof cpputest.tests[0]);
    cpputest.tests[cpputest.count++] = test;
}

/* In place of TestResult::testsEnded. */
static void ended_here(void *result)
{
    if (!cpputest.served && boundary_is_worker()) {
        struct test_group group = {.framework = "CppUTest",
                                   .way = WIRE_WAY_SYMTAB,
                                   .count = cpputest.count,
                                   .describe = describe,
                                   .prepare = adapter_prepare_nothing,
                                   .run = run,
                                   .finish = adapter_finish_nothing};
        cpputest.served = true;
        hook_lift(&hooks[RUN]);
        if (hooks[DETECTOR_OFF].there != NULL) {
            HOOK_THERE(hooks[DETECTOR_OFF], void(void))();
        }
        uint32_t failed = serve_group(&group);
        adapter_print("CppUTest: %u tests under tidemark, %u failed\n", cpputest.count, failed);
    }
    hook_lift(&hooks[ENDED]);
    HOOK_THERE(hooks[ENDED], void(void *))(result);
}
