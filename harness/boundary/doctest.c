/*
 * doctest.c - doctest programs (2.4 and later). Context::run, which main calls, is replaced: it
 * asks the real one which tests the command line selects, and serves them. A repetition is a call
 * of the real one whose range of tests is a single one, with all of its subcases. The console
 * reporter's functions are replaced, too: they say where in that call the test itself begins and
 * ends. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/hook.h"

#include <stdio.h>
#include <string.h>

union doctest_string { /* doctest::String */
    char here[24];     /* the last byte's highest bit says that it is the other one */
    struct {
        const char *text;
        uint32_t bytes, room;
    } there;
};

struct doctest_case { /* doctest::TestCaseData, its beginning */
    union doctest_string file;
    unsigned line;
    const char *name, *suite;
};

struct doctest_query { /* doctest::QueryData */
    const void *statistics;
    const struct doctest_case **cases;
    unsigned count;
};

struct doctest_assert { /* doctest::AssertData, its beginning */
    const struct doctest_case *test;
    int kind;
    const char *file;
    int line;
    const char *expression;
    bool failed;
};

struct doctest_listed {
    const struct doctest_case *test;
    uint32_t position; /* from 1, among those that pass the filters */
};

static struct {
    void *context;
    struct doctest_listed *cases;
    uint32_t count, room;
    bool queried, unknown;
    bool ranged; /* the second query runs */
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    uint32_t line;
} doctest;

static int run_here(void *context);
static void query_here(void *reporter, const struct doctest_query *query);
static void case_start_here(void *reporter, const void *test);
static void case_end_here(void *reporter, const void *statistics);
static void assert_here(void *reporter, const struct doctest_assert *assert);
static void exception_here(void *reporter, const union doctest_string *text);

/* clang-format off */
#define REPORTER "_ZN7doctest12_GLOBAL__N_115ConsoleReporter"
enum { RUN, OPTION, PARSE, QUERY, XML_QUERY, JUNIT_QUERY, START, END, ASSERT, EXCEPTION, HOOKS };

static struct hook hooks[HOOKS] = {
    [RUN] = {"_ZN7doctest7Context3runEv", NULL, run_here},
    [OPTION] = {"_ZN7doctest7Context9setOptionEPKcS2_"},
    [PARSE] = {"_ZN7doctest7Context9parseArgsEiPKPKcb"},
    [QUERY] = {REPORTER "12report_queryERKNS_9QueryDataE", NULL, query_here},
    [XML_QUERY] = {"_ZN7doctest12_GLOBAL__N_111XmlReporter12report_queryERKNS_9QueryDataE", NULL,
                   query_here, true},
    [JUNIT_QUERY] = {"_ZN7doctest12_GLOBAL__N_113JUnitReporter12report_queryERKNS_9QueryDataE",
                     NULL, query_here, true},
    [START] = {REPORTER "15test_case_startERKNS_12TestCaseDataE", NULL, case_start_here},
    [END] = {REPORTER "13test_case_endERKNS_20CurrentTestCaseStatsE", NULL, case_end_here},
    [ASSERT] = {REPORTER "10log_assertERKNS_10AssertDataE", NULL, assert_here, true},
    [EXCEPTION] = {REPORTER "19test_case_exceptionERKNS_17TestCaseExceptionE", NULL,
                   exception_here, true},
};
/* clang-format on */

static bool doctest_take(void)
{
    return hooks_find(hooks, HOOKS) && hooks_set(hooks, HOOKS);
}

const struct adapter adapter_doctest = {
    .framework = "doctest", .symbol = "_ZN7doctest7Context3runEv", .take_static = doctest_take};

static const char *text_of(const union doctest_string *string)
{
    bool here = ((unsigned char)string->here[sizeof string->here - 1] & 128) == 0;
    return here ? string->here : string->there.text;
}

/* What the reporter hears. ------------------------------------------------------------------------
 */

static void case_start_here(void *reporter, const void *test)
{
    (void)reporter;
    (void)test;
    serve_test_begins();
}

static void case_end_here(void *reporter, const void *statistics)
{
    (void)reporter;
    (void)statistics;
    serve_test_ends();
}

static void assert_here(void *reporter, const struct doctest_assert *assert)
{
    (void)reporter;
    if (assert->failed && doctest.message[0] == '\0') {
        snprintf(doctest.message, sizeof doctest.message, "%s",
                 assert->expression == NULL ? "" : assert->expression);
        snprintf(doctest.file, sizeof doctest.file, "%s", assert->file);
        doctest.line = assert->line > 0 ? (uint32_t)assert->line : 0;
    }
}

static void exception_here(void *reporter, const union doctest_string *text)
{
    (void)reporter;
    if (doctest.message[0] == '\0') {
        snprintf(doctest.message, sizeof doctest.message, "exception: %s", text_of(text));
    }
}

static void query_here(void *reporter, const struct doctest_query *query)
{
    (void)reporter;
    doctest.queried = true;
    for (unsigned i = 0; i < query->count; i++) {
        if (query->cases[i]->name == NULL) { /* before 2.4 a test looks different */
            doctest.unknown = true;
        } else if (!doctest.ranged) {
            doctest.cases =
                arena_grow(doctest.cases, doctest.count, &doctest.room, sizeof doctest.cases[0]);
            doctest.cases[doctest.count++].test = query->cases[i];
        } else {
            for (uint32_t k = 0; k < doctest.count; k++) {
                if (doctest.cases[k].test == query->cases[i]) {
                    doctest.cases[k].position = i + 1;
                }
            }
        }
    }
}

/* The group. --------------------------------------------------------------------------------------
 */

static void option_set(const char *option, const char *value)
{
    HOOK_THERE(hooks[OPTION], void(void *, const char *, const char *))
    (doctest.context, option, value);
}

static int context_run(void)
{
    return HOOK_THERE(hooks[RUN], int(void *))(doctest.context);
}

static void range_set(uint32_t first, uint32_t last)
{
    char text[16];
    snprintf(text, sizeof text, "%u", first);
    option_set("dt-first", text);
    snprintf(text, sizeof text, "%u", last);
    option_set("dt-last", text);
}

/* Asks for the list of tests. That is a flag of the options which can be set and not be taken back:
 * the bytes that it changes are put back. They lie in the beginning of ContextState, among others
 * that only the command line changes. */
static void cases_query(void)
{
    enum { OPTIONS = 160 };
    static const char *const flag[] = {"-dt-list-test-cases"};
    char before[OPTIONS], after[OPTIONS];
    char *options = *(char **)doctest.context;
    memcpy(before, options, sizeof before);
    HOOK_THERE(hooks[PARSE], void(void *, int, const char *const *, bool))
    (doctest.context, 1, flag, false);
    memcpy(after, options, sizeof after);
    context_run();
    for (int i = 0; i < OPTIONS; i++) {
        options[i] = before[i] != after[i] ? before[i] : options[i];
    }
}

/* A program may have been given a range of its own, as a shard: the tests' positions are asked for
 * without it. Returns false when the reporter, or the version, is unknown. */
static bool cases_find(void)
{
    cases_query();
    doctest.ranged = true;
    range_set(1, INT32_MAX); /* 0 would be taken for no number */
    cases_query();
    return doctest.queried && !doctest.unknown;
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct doctest_case *test = doctest.cases[index].test;
    (void)self;
    bool suite = test->suite != NULL && test->suite[0] != '\0';
    snprintf(id, sizeof id, "doctest/%s/%s", suite ? test->suite : adapter_program(), test->name);
    serve_id_set(name, id);
    name->group = name->test;
    name->line = test->line;
    snprintf(name->file, sizeof name->file, "%s", text_of(&test->file));
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    doctest.message[0] = doctest.file[0] = '\0';
    doctest.line = 0;
    range_set(doctest.cases[index].position, doctest.cases[index].position);
    if (context_run() != 0) {
        outcome->status = WIRE_FAIL;
        outcome->message = doctest.message;
        outcome->file = doctest.file;
        outcome->line = doctest.line;
    }
}

static int run_here(void *context)
{
    hook_lift(&hooks[RUN]);
    doctest.context = context;
    if (serve_has_greeted() || !boundary_is_worker() || !cases_find()) {
        hook_lift(&hooks[START]);
        hook_lift(&hooks[END]);
        return context_run();
    }
    struct test_group group = {.framework = "doctest",
                               .way = WIRE_WAY_SYMTAB,
                               .count = doctest.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    option_set("dt-no-exitcode", "false"); /* it says whether the test failed */
    uint32_t failed = serve_group(&group);
    adapter_print("doctest: %u tests under tidemark, %u failed\n", doctest.count, failed);
    return failed == 0 ? 0 : 1;
}
