/*
 * catch2.c - Catch2 programs (2.0 to 3.7; one header, or a library). Catch2 allows one session per
 * process, so main cannot be called twice. The function that runs a test case is replaced: it only
 * notes the tests that the command line selects. When Catch2 says that they have run (version 2),
 * or destroys the run's object, all of them are known and can still be run: they are served there.
 * A repetition is all sections and generators of a test case. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/cxx.h"
#include "harness/boundary/hook.h"

#include <stdio.h>
#include <string.h>

/* Catch::Totals: a return value whose size the caller knows. It is two Counts, of assertions and of
 * test cases: passed, failed, and failed where that is allowed. */
struct totals_20 { /* before 2.2, and 3.0 to 3.2 */
    uint64_t words[6];
};
struct totals_22 { /* since 2.2: an error stands before them */
    uint64_t words[7];
};
struct totals_33 { /* since 3.3: Counts have a fourth, skipped */
    uint64_t words[8];
};

struct catch_version { /* Catch::Version, its beginning */
    unsigned major, minor, patch;
};

struct catch_place { /* Catch::SourceLineInfo */
    const char *file;
    size_t line;
};

/* Catch::AssertionInfo, its beginning, since 2.11. */
struct catch_assertion {
    struct cxx_view macro;
    struct catch_place place;
    struct cxx_view expression;
};

struct catch_handle {              /* Catch::TestCaseHandle, since 3.0 */
    const struct cxx_string *info; /* its name is the first member */
    void *invoker;
};

static struct {
    const void **cases; /* TestCase (2) or struct catch_handle (3) */
    uint32_t count, room;
    void *context;    /* Catch::RunContext */
    unsigned version; /* 213 is 2.13 */
    bool served;
    bool inside; /* of a test's body */
    bool begun, failed_once;
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    uint32_t line;
} catch2;

static struct totals_20 run_here_20(void *context, const void *test);
static struct totals_22 run_here_22(void *context, const void *test);
static struct totals_33 run_here_33(void *context, const void *test);
static void group_ended_here(void *context, const void *name, const void *totals, size_t group,
                             size_t groups);
static void destroy_here(void *context);
static void signals_here(void *handler);
static void invoke_here(void *context);
static void assertion_here(void *context, const void *result);

/* clang-format off */
enum { RUN, VERSION, GROUP_ENDED, DESTROY, INVOKE, ASSERTION, IS_OK, PLACE, ENGAGE, DISENGAGE, HOOKS };

static struct hook hooks[HOOKS] = {
    [RUN] = {"_ZN5Catch10RunContext7runTestERKNS_8TestCaseE",
             "_ZN5Catch10RunContext7runTestERKNS_14TestCaseHandleE", run_here_22},
    [VERSION] = {"_ZN5Catch14libraryVersionEv"},
    [GROUP_ENDED] = {"_ZN5Catch10RunContext14testGroupEndedERKNSt7__cxx1112basic_stringIcSt11char_"
                     "traitsIcESaIcEEERKNS_6TotalsEmm", NULL, group_ended_here, true},
    [DESTROY] = {"_ZN5Catch10RunContextD1Ev", "_ZN5Catch10RunContextD2Ev", destroy_here},
    [INVOKE] = {"_ZN5Catch10RunContext20invokeActiveTestCaseEv", NULL, invoke_here, true},
    [ASSERTION] = {"_ZN5Catch10RunContext14assertionEndedERKNS_15AssertionResultE",
                   "_ZN5Catch10RunContext14assertionEndedEONS_15AssertionResultE", assertion_here,
                   true},
    [IS_OK] = {"_ZNK5Catch15AssertionResult4isOkEv", .optional = true},
    [PLACE] = {"_ZNK5Catch15AssertionResult13getSourceInfoEv", .optional = true},
    [ENGAGE] = {"_ZN5Catch21FatalConditionHandler15engage_platformEv", NULL, signals_here, true},
    [DISENGAGE] = {"_ZN5Catch21FatalConditionHandler18disengage_platformEv", NULL, signals_here,
                   true},
};
/* clang-format on */

static bool has_error(void)
{
    return catch2.version >= 202 && catch2.version < 300;
}

static bool catch2_take(void)
{
    if (!hooks_find(hooks, HOOKS)) {
        return false;
    }
    const struct catch_version *version =
        HOOK_THERE(hooks[VERSION], const struct catch_version *(void))();
    catch2.version = version->major * 100 + version->minor;
    if (catch2.version < 200) {
        return false;
    }
    hooks[RUN].here = (const void *)(uintptr_t)(catch2.version >= 303 ? (void *)run_here_33
                                                : has_error()         ? (void *)run_here_22
                                                                      : (void *)run_here_20);
    if (hooks[IS_OK].there == NULL || hooks[PLACE].there == NULL) {
        hooks[ASSERTION].there = NULL; /* its message is not worth the test */
    }
    if (hooks[ENGAGE].there == NULL || hooks[DISENGAGE].there == NULL) {
        hooks[ENGAGE].there = hooks[DISENGAGE].there = NULL;
    }
    return hooks_set(hooks, HOOKS);
}

const struct adapter adapter_catch2 = {.framework = "Catch2",
                                       .symbol = "_ZN5Catch10RunContext7runTestERKNS_8TestCaseE",
                                       .other_symbol =
                                           "_ZN5Catch10RunContext7runTestERKNS_14TestCaseHandleE",
                                       .take_static = catch2_take};

/* What Catch2 says of the test that runs. ---------------------------------------------------------
 */

/* Its own allocations for sections and reporters are left out where the body is a call of its own.
 * An exception passes through here without a stop: body_end. */
static void invoke_here(void *context)
{
    hook_lift(&hooks[INVOKE]);
    if (!catch2.begun) {
        serve_test_begins();
        catch2.begun = true;
    } else {
        serve_test_goes_on();
    }
    catch2.inside = true;
    HOOK_THERE(hooks[INVOKE], void(void *))(context);
    catch2.inside = false;
    serve_test_ends();
    hook_put(&hooks[INVOKE]);
}

static void body_end(void)
{
    if (catch2.inside) {
        catch2.inside = false;
        serve_test_ends();
        hook_put(&hooks[INVOKE]);
    }
}

/* Catch2 would handle a crash first, and its stack would be lost. Where one of the two functions is
 * absent the other is left alone: they belong together. */
static void signals_here(void *handler)
{
    (void)handler;
}

/* The first failing assertion. Before 2.11 an assertion looks different, and is told by its place.
 */
static void failure_note(const void *result)
{
    const struct catch_assertion *assertion = result;
    struct catch_place place = HOOK_THERE(hooks[PLACE], struct catch_place(const void *))(result);
    bool known = assertion->place.file == place.file && assertion->place.line == place.line;
    if (known && assertion->macro.bytes < WIRE_ID_MAX && assertion->expression.bytes < INT32_MAX) {
        snprintf(catch2.message, sizeof catch2.message, "%.*s( %.*s )", (int)assertion->macro.bytes,
                 assertion->macro.text, (int)assertion->expression.bytes,
                 assertion->expression.text);
    }
    snprintf(catch2.file, sizeof catch2.file, "%s", place.file == NULL ? "" : place.file);
    catch2.line = (uint32_t)place.line;
    catch2.failed_once = true;
}

static void assertion_here(void *context, const void *result)
{
    if (!catch2.failed_once && !HOOK_THERE(hooks[IS_OK], bool(const void *))(result)) {
        failure_note(result);
    }
    hook_lift(&hooks[ASSERTION]);
    HOOK_THERE(hooks[ASSERTION], void(void *, const void *))(context, result);
    hook_put(&hooks[ASSERTION]);
}

/* The group. --------------------------------------------------------------------------------------
 */

static const struct cxx_string *name_of(const void *test)
{
    return catch2.version < 300 ? test : ((const struct catch_handle *)test)->info;
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    (void)self;
    snprintf(id, sizeof id, "Catch2/%s/%s", adapter_program(), name_of(catch2.cases[index])->text);
    serve_id_set(name, id);
    name->group = name->test;
}

#define RUN_THERE(type, test)                                                                      \
    HOOK_THERE(hooks[RUN], struct type(void *, const void *))(catch2.context, test)

/* Of the test case: failed, and skipped where the version has that. */
static void case_run(const void *test, bool *failed, bool *skipped)
{
    *skipped = false;
    if (catch2.version >= 303) {
        enum { FAILED = 5, SKIPPED = 7 };
        struct totals_33 totals = RUN_THERE(totals_33, test);
        *failed = totals.words[FAILED] != 0;
        *skipped = totals.words[SKIPPED] != 0;
    } else if (has_error()) {
        enum { FAILED = 5 };
        *failed = RUN_THERE(totals_22, test).words[FAILED] != 0;
    } else {
        enum { FAILED = 4 };
        *failed = RUN_THERE(totals_20, test).words[FAILED] != 0;
    }
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    bool failed, skipped;
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    catch2.begun = catch2.failed_once = false;
    catch2.message[0] = catch2.file[0] = '\0';
    catch2.line = 0;
    case_run(catch2.cases[index], &failed, &skipped);
    body_end();
    outcome->status = failed ? WIRE_FAIL : skipped ? WIRE_SKIP : WIRE_PASS;
    if (failed) {
        outcome->message = catch2.message;
        outcome->file = catch2.file;
        outcome->line = catch2.line;
    }
}

static void tests_serve(void)
{
    struct test_group group = {.framework = "Catch2",
                               .way = WIRE_WAY_SYMTAB,
                               .count = catch2.count,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    uint32_t failed = serve_group(&group);
    adapter_print("Catch2: %u tests under tidemark, %u failed\n", catch2.count, failed);
}

/* In place of RunContext::runTest: notes the test. A child that the program forked runs its own. */
static bool case_add(void *context, const void *test)
{
    if (!boundary_is_worker()) {
        return false;
    }
    catch2.context = context;
    catch2.cases = arena_grow(catch2.cases, catch2.count, &catch2.room, sizeof catch2.cases[0]);
    catch2.cases[catch2.count++] = test;
    return true;
}

#define RUN_HERE(name, type)                                                                       \
    static struct type name(void *context, const void *test)                                       \
    {                                                                                              \
        if (case_add(context, test)) {                                                             \
            return (struct type){{0}};                                                             \
        }                                                                                          \
        hook_lift(&hooks[RUN]);                                                                    \
        return HOOK_THERE(hooks[RUN], struct type(void *, const void *))(context, test);           \
    }
RUN_HERE(run_here_20, totals_20)
RUN_HERE(run_here_22, totals_22)
RUN_HERE(run_here_33, totals_33)

static void run_ends(const void *context)
{
    if (context == catch2.context && !catch2.served && boundary_is_worker()) {
        catch2.served = true;
        hook_lift(&hooks[RUN]);
        tests_serve();
    }
}

/* Catch2 2: its reporters take no more tests after this. */
static void group_ended_here(void *context, const void *name, const void *totals, size_t group,
                             size_t groups)
{
    run_ends(context);
    hook_lift(&hooks[GROUP_ENDED]);
    HOOK_THERE(hooks[GROUP_ENDED], void(void *, const void *, const void *, size_t, size_t))
    (context, name, totals, group, groups);
    hook_put(&hooks[GROUP_ENDED]);
}

static void destroy_here(void *context)
{
    run_ends(context);
    hook_lift(&hooks[DESTROY]);
    HOOK_THERE(hooks[DESTROY], void(void *))(context);
    hook_put(&hooks[DESTROY]);
}
