/*
 * gtest.c - GoogleTest programs (1.8 to 1.17; static, as Debian has it, or shared). The function
 * that runs one suite is replaced: the first call of it enumerates all tests that the program's
 * filters select and serves them, the later ones do nothing. So environments, listeners, filters,
 * shards and parameters are GoogleTest's own. A repetition is a call of TestInfo::Run: constructor,
 * SetUp, body, TearDown, destructor. SetUpTestSuite runs once for all repetitions of a suite's
 * tests, and TearDownTestSuite when another suite's turn comes. Runs in the worker.
 *
 * The default printer's functions are replaced as well: it is the first listener to hear of a
 * test's begin and the last to hear of its end, so that what other listeners do belongs to the test
 * and what GoogleTest itself keeps does not.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/cxx.h"
#include "harness/boundary/hook.h"

#include <stdio.h>
#include <string.h>

/* testing::TestInfo, its beginning. */
struct gtest_info {
    struct cxx_string suite, name;
    void *type, *value;
    struct cxx_string file;
    int line;
    const void *fixture;
    bool should_run, is_disabled, matches, is_elsewhere;
    void *factory;
    char result[]; /* testing::TestResult */
};

/* testing::TestPartResult. */
struct gtest_part {
    int type; /* 0 success, 1 failure, 2 fatal failure, 3 skip */
    struct cxx_string file;
    int line;
    struct cxx_string summary, message;
};

struct gtest_listener { /* testing::TestEventListener, of a class without members */
    void **functions;
};

struct gtest_listeners { /* testing::TestEventListeners, its beginning */
    void *repeater, *default_printer;
};

struct gtest_case {
    void *suite; /* testing::TestSuite */
    struct gtest_info *info;
    uint32_t first; /* of its suite */
};

static struct {
    struct gtest_case *cases;
    uint32_t count, room;
    bool served;
    void **impl;    /* testing::internal::UnitTestImpl */
    void **entered; /* in it: the suite whose tests run */
    void *entering; /* while `entered` is looked for */
    void *current;  /* the suite that is set up */
    bool current_failed;
    struct gtest_listener printer; /* where the program has taken the default one away */
    bool printer_is_ours;
    struct outcome outcome;
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
} gtest;

static bool all_run_here(void *impl);
static void suite_run_here(void *suite);
static void entered_look(void *info);
static void nothing_here(void *suite);
static void test_start_here(void *listener, const void *info);
static void test_end_here(void *listener, const void *info);
static void part_here(void *listener, const struct gtest_part *part);

/* clang-format off */
enum {
    RUN_ALL, RUN_SUITE, RUN_TEST, SET_UP, TEAR_DOWN, INSTANCE, SUITES, SUITE_AT, TESTS, TEST_AT,
    CLEAR, START, END, PART, BRIEF_END, BRIEF_PART, LISTENERS, APPEND, RELEASE, PRINTER, HOOKS
};

static struct hook hooks[HOOKS] = {
    [RUN_ALL] = {"_ZN7testing8internal12UnitTestImpl11RunAllTestsEv", NULL, all_run_here},
    [RUN_SUITE] = {"_ZN7testing9TestSuite3RunEv", "_ZN7testing8TestCase3RunEv", suite_run_here},
    [RUN_TEST] = {"_ZN7testing8TestInfo3RunEv", NULL, entered_look},
    [SET_UP] = {"_ZN7testing9TestSuite17RunSetUpTestSuiteEv",
                "_ZN7testing8TestCase16RunSetUpTestCaseEv", nothing_here},
    [TEAR_DOWN] = {"_ZN7testing9TestSuite20RunTearDownTestSuiteEv",
                   "_ZN7testing8TestCase19RunTearDownTestCaseEv", nothing_here},
    [INSTANCE] = {"_ZN7testing8UnitTest11GetInstanceEv"},
    [SUITES] = {"_ZNK7testing8UnitTest22total_test_suite_countEv",
                "_ZNK7testing8UnitTest21total_test_case_countEv"},
    [SUITE_AT] = {"_ZNK7testing8UnitTest12GetTestSuiteEi", "_ZNK7testing8UnitTest11GetTestCaseEi"},
    [TESTS] = {"_ZNK7testing9TestSuite16total_test_countEv",
               "_ZNK7testing8TestCase16total_test_countEv"},
    [TEST_AT] = {"_ZNK7testing9TestSuite11GetTestInfoEi", "_ZNK7testing8TestCase11GetTestInfoEi"},
    [CLEAR] = {"_ZN7testing10TestResult5ClearEv"},
    [START] = {"_ZN7testing8internal27PrettyUnitTestResultPrinter11OnTestStartERKNS_8TestInfoE",
               NULL, test_start_here},
    [END] = {"_ZN7testing8internal27PrettyUnitTestResultPrinter9OnTestEndERKNS_8TestInfoE", NULL,
             test_end_here},
    [PART] = {"_ZN7testing8internal27PrettyUnitTestResultPrinter16OnTestPartResultERKNS_"
              "14TestPartResultE", NULL, part_here},
    [BRIEF_END] = {"_ZN7testing8internal26BriefUnitTestResultPrinter9OnTestEndERKNS_8TestInfoE",
                   NULL, test_end_here, true},
    [BRIEF_PART] = {"_ZN7testing8internal26BriefUnitTestResultPrinter16OnTestPartResultERKNS_"
                    "14TestPartResultE", NULL, part_here, true},
    [LISTENERS] = {"_ZN7testing8UnitTest9listenersEv"},
    [APPEND] = {"_ZN7testing18TestEventListeners6AppendEPNS_17TestEventListenerE"},
    [RELEASE] = {"_ZN7testing18TestEventListeners7ReleaseEPNS_17TestEventListenerE"},
    [PRINTER] = {"_ZTVN7testing8internal27PrettyUnitTestResultPrinterE"},
};
/* clang-format on */

typedef int count_function(const void *);
typedef void *at_function(const void *, int);
typedef void method(void *);

static bool gtest_take(void)
{
    bool taken = hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
    hook_lift(&hooks[RUN_TEST]);
    hook_lift(&hooks[SET_UP]);
    hook_lift(&hooks[TEAR_DOWN]);
    return taken;
}

const struct adapter adapter_gtest = {.framework = "GoogleTest",
                                      .symbol = "_ZN7testing9TestSuite3RunEv",
                                      .other_symbol = "_ZN7testing8TestCase3RunEv",
                                      .take_static = gtest_take};

/* What the printer hears. -------------------------------------------------------------------------
 */

static void test_start_here(void *listener, const void *info)
{
    (void)listener;
    (void)info;
    serve_test_begins();
}

static void test_end_here(void *listener, const void *info)
{
    (void)listener;
    (void)info;
    serve_test_ends();
}

static void part_here(void *listener, const struct gtest_part *part)
{
    enum { FAILURE = 1, FATAL_FAILURE = 2, SKIP = 3 };
    (void)listener;
    bool failed = part->type == FAILURE || part->type == FATAL_FAILURE;
    bool skipped = part->type == SKIP;
    if ((failed && gtest.outcome.status != WIRE_FAIL) ||
        (skipped && gtest.outcome.status == WIRE_PASS)) {
        gtest.outcome.status = failed ? WIRE_FAIL : WIRE_SKIP;
        snprintf(gtest.message, sizeof gtest.message, "%.*s", (int)part->message.bytes,
                 part->message.text);
        snprintf(gtest.file, sizeof gtest.file, "%.*s", (int)part->file.bytes, part->file.text);
        gtest.outcome.line = part->line > 0 ? (uint32_t)part->line : 0;
    }
}

static void outcome_begin(void)
{
    gtest.outcome = (struct outcome){.status = WIRE_PASS};
    gtest.message[0] = gtest.file[0] = '\0';
}

static void outcome_take(struct outcome *outcome)
{
    if (gtest.outcome.status != WIRE_PASS) {
        outcome->status = gtest.outcome.status;
        outcome->line = gtest.outcome.line;
        outcome->message = gtest.message;
        outcome->file = gtest.file;
    }
}

/* A program may have taken the default printer away, to print in its own way. */
static void printer_ensure(void)
{
    enum { OFFSET_TO_TOP, TYPE_INFO, FUNCTIONS };
    struct gtest_listeners *listeners =
        HOOK_THERE(hooks[LISTENERS], at_function)(HOOK_THERE(hooks[INSTANCE], void *(void))(), 0);
    if (listeners->default_printer == NULL) {
        gtest.printer.functions = (void **)hooks[PRINTER].there + FUNCTIONS;
        HOOK_THERE(hooks[APPEND], void(void *, void *))(listeners, &gtest.printer);
        gtest.printer_is_ours = true;
    }
}

static void printer_release(void)
{
    if (gtest.printer_is_ours) { /* or GoogleTest would delete it */
        void *listeners = HOOK_THERE(hooks[LISTENERS],
                                     at_function)(HOOK_THERE(hooks[INSTANCE], void *(void))(), 0);
        HOOK_THERE(hooks[RELEASE], void *(void *, void *))(listeners, &gtest.printer);
    }
}

/* Which suite is entered is a field that no function sets. It is found by entering one, with all
 * that belongs to a test left out.
 * ---------------------------------------------------------------------
 */

static void nothing_here(void *suite)
{
    (void)suite;
}

static void entered_look(void *info)
{
    enum { WORDS = 96 }; /* the object has more */
    (void)info;
    for (int i = 0; gtest.entered == NULL && i < WORDS; i++) {
        if (gtest.impl[i] == gtest.entering) {
            gtest.entered = &gtest.impl[i];
        }
    }
}

static bool entered_find(void *suite)
{
    static const int lifted[] = {RUN_TEST, SET_UP, TEAR_DOWN};
    gtest.entering = suite;
    for (int i = 0; i < 3; i++) {
        hook_put(&hooks[lifted[i]]);
    }
    hook_lift(&hooks[RUN_SUITE]);
    HOOK_THERE(hooks[RUN_SUITE], method)(suite);
    hook_put(&hooks[RUN_SUITE]);
    for (int i = 0; i < 3; i++) {
        hook_lift(&hooks[lifted[i]]);
    }
    return gtest.entered != NULL;
}

/* The group. --------------------------------------------------------------------------------------
 */

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct gtest_case *one = &gtest.cases[index];
    (void)self;
    snprintf(id, sizeof id, "GoogleTest/%s/%s", one->info->suite.text, one->info->name.text);
    serve_id_set(name, id);
    name->group = name->test - (index - one->first); /* SetUpTestSuite may be shared */
    name->line = one->info->line > 0 ? (uint32_t)one->info->line : 0;
    snprintf(name->file, sizeof name->file, "%s", one->info->file.text);
}

static void current_leave(void)
{
    if (gtest.current != NULL) {
        HOOK_THERE(hooks[TEAR_DOWN], method)(gtest.current);
        *gtest.entered = gtest.current = NULL;
    }
}

static bool prepare(void *self, uint32_t index, struct outcome *outcome)
{
    void *suite = gtest.cases[index].suite;
    (void)self;
    if (gtest.current != suite) {
        current_leave();
        outcome_begin();
        *gtest.entered = gtest.current = suite;
        HOOK_THERE(hooks[SET_UP], method)(suite);
        gtest.current_failed = gtest.outcome.status != WIRE_PASS;
    }
    if (gtest.current_failed) {
        outcome_take(outcome);
    }
    return !gtest.current_failed;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    struct gtest_info *info = gtest.cases[index].info;
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    outcome_begin();
    HOOK_THERE(hooks[CLEAR], method)(info->result);
    HOOK_THERE(hooks[RUN_TEST], method)(info);
    outcome_take(outcome);
}

static void finish(void *self)
{
    (void)self;
    current_leave();
    printer_release();
}

static void suite_add(void *suite)
{
    uint32_t first = gtest.count;
    int tests = HOOK_THERE(hooks[TESTS], count_function)(suite);
    for (int i = 0; i < tests; i++) {
        struct gtest_info *info = HOOK_THERE(hooks[TEST_AT], at_function)(suite, i);
        if (info != NULL && info->should_run) {
            gtest.cases = arena_grow(gtest.cases, gtest.count, &gtest.room, sizeof gtest.cases[0]);
            gtest.cases[gtest.count++] =
                (struct gtest_case){.suite = suite, .info = info, .first = first};
        }
    }
}

static void tests_serve(void)
{
    struct test_group group = {.framework = "GoogleTest",
                               .way = WIRE_WAY_SYMTAB,
                               .count = gtest.count,
                               .describe = describe,
                               .prepare = prepare,
                               .run = run,
                               .finish = finish};
    printer_ensure();
    uint32_t failed = serve_group(&group);
    adapter_print("GoogleTest: %u tests under tidemark, %u failed\n", gtest.count, failed);
}

/* In place of UnitTestImpl::RunAllTests. */
static bool all_run_here(void *impl)
{
    gtest.impl = impl;
    hook_lift(&hooks[RUN_ALL]);
    return HOOK_THERE(hooks[RUN_ALL], bool(void *))(impl);
}

static void suite_run_natively(void *suite)
{
    hook_lift(&hooks[RUN_SUITE]);
    HOOK_THERE(hooks[RUN_SUITE], method)(suite);
}

/* In place of TestSuite::Run. */
static void suite_run_here(void *suite)
{
    if (gtest.served) {
        return;
    }
    if (!boundary_is_worker()) { /* a child that the program forked runs its tests itself */
        suite_run_natively(suite);
        return;
    }
    void *unit_test = HOOK_THERE(hooks[INSTANCE], void *(void))();
    int suites = HOOK_THERE(hooks[SUITES], count_function)(unit_test);
    for (int i = 0; i < suites; i++) {
        suite_add(HOOK_THERE(hooks[SUITE_AT], at_function)(unit_test, i));
    }
    if (gtest.count > 0 && !entered_find(gtest.cases[0].suite)) {
        suite_run_natively(suite); /* an unknown version: main will be one test */
        return;
    }
    gtest.served = true;
    tests_serve();
}
