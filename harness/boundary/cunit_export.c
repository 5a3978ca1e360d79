/*
 * cunit_export.c - CUnit programs (shared libcunit 2.1-3): CU_run_all_tests, CU_run_suite and
 * CU_run_test are interposed, which the basic, automated and console interfaces call, too. Each
 * repetition is one call of the real CU_run_test with our setup and teardown around the user's; a
 * suite's own fixtures run once. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"

#include <dlfcn.h>
#include <stdio.h>

#define EXPORT __attribute__((visibility("default")))

/* As in <CUnit/TestDB.h> and <CUnit/TestRun.h>, which need not be installed to build tidemark. */
struct cunit_test {
    char *name;
    int active;
    void (*function)(void);
    void *jump;
    struct cunit_test *next, *previous;
};

struct cunit_suite {
    char *name;
    int active;
    struct cunit_test *tests;
    int (*initialize)(void), (*cleanup)(void);
    void (*setup)(void), (*teardown)(void);
    unsigned test_count;
    struct cunit_suite *next, *previous;
};

struct cunit_registry {
    unsigned suite_count, test_count;
    struct cunit_suite *suites;
};

struct cunit_failure {
    int type;
    unsigned line;
    char *file, *condition;
};

typedef void cunit_handler(void);
typedef cunit_handler *cunit_getter(void);
typedef void cunit_setter(cunit_handler *);

struct cunit_registry *CU_get_registry(void);
int CU_run_all_tests(void);
int CU_run_suite(struct cunit_suite *suite);
int CU_run_test(struct cunit_suite *suite, struct cunit_test *test);
struct cunit_failure *CU_get_failure_list(void);
unsigned CU_get_number_of_failures(void);
unsigned CU_get_number_of_failure_records(void);
unsigned CU_get_number_of_tests_run(void);
unsigned CU_get_number_of_tests_failed(void);

struct case_of {
    struct cunit_suite *suite;
    struct cunit_test *test;
};

static struct {
    bool on, running, served;
    struct case_of *cases;
    uint32_t count, room;
    struct cunit_suite *current; /* whose initialize has run */
    bool current_failed;
    void (*setup)(void), (*teardown)(void); /* the user's, of the running test */
    uint32_t tests_run, tests_failed;
} cunit;

static void cunit_take(void)
{
    cunit.on = true;
}

const struct adapter adapter_cunit = {
    .framework = "CUnit", .import = "CU_initialize_registry", .take = cunit_take};

static void case_add(struct cunit_suite *suite, struct cunit_test *test)
{
    cunit.cases = arena_grow(cunit.cases, cunit.count, &cunit.room, sizeof cunit.cases[0]);
    cunit.cases[cunit.count++] = (struct case_of){.suite = suite, .test = test};
}

static void suite_add(struct cunit_suite *suite)
{
    for (struct cunit_test *test = suite->tests; suite->active && test != NULL; test = test->next) {
        if (test->active) {
            case_add(suite, test);
        }
    }
}

static void setup_here(void)
{
    serve_test_begins();
    if (cunit.setup != NULL) {
        cunit.setup();
    }
}

static void teardown_here(void)
{
    if (cunit.teardown != NULL) {
        cunit.teardown();
    }
    serve_test_ends();
}

/* The interface's words about each test are kept back for the time of a repetition. */
static const char *const handler_names[] = {
    "suite_start",       "test_start",         "test_complete",        "suite_complete",
    "all_test_complete", "suite_init_failure", "suite_cleanup_failure"};
enum { HANDLERS = sizeof handler_names / sizeof handler_names[0] };

static void handlers_exchange(cunit_handler *handlers[HANDLERS], bool mute)
{
    for (int i = 0; i < HANDLERS; i++) {
        char name[64];
        snprintf(name, sizeof name, "CU_get_%s_handler", handler_names[i]);
        cunit_getter *get = (cunit_getter *)(uintptr_t)dlsym(RTLD_NEXT, name);
        snprintf(name, sizeof name, "CU_set_%s_handler", handler_names[i]);
        cunit_setter *set = (cunit_setter *)(uintptr_t)dlsym(RTLD_NEXT, name);
        if (get != NULL && set != NULL) {
            if (mute) {
                handlers[i] = get();
            }
            set(mute ? NULL : handlers[i]);
        }
    }
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const struct case_of *one = &cunit.cases[index];
    (void)self;
    snprintf(id, sizeof id, "CUnit/%s/%s", one->suite->name, one->test->name);
    serve_id_set(name, id);
    name->group = name->test;
    if (one->suite->initialize != NULL || one->suite->cleanup != NULL) {
        while (index > 0 && cunit.cases[index - 1].suite == one->suite) {
            index--;
            name->group--;
        }
    }
}

static void current_leave(void)
{
    if (cunit.current != NULL && !cunit.current_failed && cunit.current->cleanup != NULL) {
        cunit.current->cleanup();
    }
    cunit.current = NULL;
}

static bool prepare(void *self, uint32_t index, struct outcome *outcome)
{
    struct cunit_suite *suite = cunit.cases[index].suite;
    (void)self;
    if (cunit.current != suite) {
        current_leave();
        cunit.current = suite;
        cunit.current_failed = suite->initialize != NULL && suite->initialize() != 0;
    }
    if (cunit.current_failed) {
        outcome->status = WIRE_FAIL;
        outcome->message = "the suite's initialization failed";
    }
    return !cunit.current_failed;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    static char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    cunit_handler *handlers[HANDLERS] = {NULL};
    struct case_of one = cunit.cases[index];
    struct cunit_suite saved = *one.suite;
    cunit.setup = saved.setup;
    cunit.teardown = saved.teardown;
    one.suite->initialize = one.suite->cleanup = NULL;
    one.suite->setup = setup_here;
    one.suite->teardown = teardown_here;
    handlers_exchange(handlers, true);
    cunit.running = true;
    ADAPTER_NEXT(CU_run_test)(one.suite, one.test);
    cunit.running = false;
    handlers_exchange(handlers, false);
    one.suite->initialize = saved.initialize;
    one.suite->cleanup = saved.cleanup;
    one.suite->setup = saved.setup;
    one.suite->teardown = saved.teardown;
    const struct cunit_failure *failure = ADAPTER_NEXT(CU_get_failure_list)();
    if (failure != NULL) {
        snprintf(message, sizeof message, "%s",
                 failure->condition == NULL ? "" : failure->condition);
        snprintf(file, sizeof file, "%s", failure->file == NULL ? "" : failure->file);
        outcome->status = WIRE_FAIL;
        outcome->message = message;
        outcome->file = file;
        outcome->line = failure->line;
    }
}

static void finish(void *self)
{
    (void)self;
    current_leave();
}

static int cases_serve(void)
{
    struct test_group group = {.framework = "CUnit",
                               .way = WIRE_WAY_DYNAMIC,
                               .count = cunit.count,
                               .describe = describe,
                               .prepare = prepare,
                               .run = run,
                               .finish = finish};
    uint32_t failed = serve_group(&group);
    cunit.served = true;
    cunit.tests_run = cunit.count;
    cunit.tests_failed = failed;
    adapter_print("CUnit: %u tests under tidemark, %u failed\n", cunit.count, failed);
    cunit.count = 0;
    return 0;
}

static bool is_ours(void)
{
    return cunit.on && !cunit.running && boundary_is_worker();
}

EXPORT int CU_run_all_tests(void)
{
    if (!is_ours()) {
        return ADAPTER_NEXT(CU_run_all_tests)();
    }
    struct cunit_registry *registry = ADAPTER_NEXT(CU_get_registry)();
    for (struct cunit_suite *suite = registry == NULL ? NULL : registry->suites; suite != NULL;
         suite = suite->next) {
        suite_add(suite);
    }
    return cases_serve();
}

EXPORT int CU_run_suite(struct cunit_suite *suite)
{
    if (!is_ours() || suite == NULL) {
        return ADAPTER_NEXT(CU_run_suite)(suite);
    }
    suite_add(suite);
    return cases_serve();
}

EXPORT int CU_run_test(struct cunit_suite *suite, struct cunit_test *test)
{
    if (!is_ours() || suite == NULL || test == NULL) {
        return ADAPTER_NEXT(CU_run_test)(suite, test);
    }
    case_add(suite, test);
    return cases_serve();
}

/* What main returns is usually one of these. CUnit itself only knows of the last repetition. */
#define CUNIT_NUMBER(name, value)                                                                  \
    EXPORT unsigned name(void)                                                                     \
    {                                                                                              \
        return cunit.served && !cunit.running ? (value) : ADAPTER_NEXT(name)();                    \
    }
CUNIT_NUMBER(CU_get_number_of_failures, cunit.tests_failed)
CUNIT_NUMBER(CU_get_number_of_failure_records, cunit.tests_failed)
CUNIT_NUMBER(CU_get_number_of_tests_failed, cunit.tests_failed)
CUNIT_NUMBER(CU_get_number_of_tests_run, cunit.tests_run)
