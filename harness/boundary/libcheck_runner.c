/* libcheck_runner.c - runners and their results, as the program asks for them; see libcheck.h. */
#include "harness/boundary/arena.h"
#include "harness/boundary/libcheck_engine.h"

#include <stdlib.h>
#include <string.h>

SRunner *engine_srunner_create(Suite *suite)
{
    SRunner *runner = arena_get(sizeof *runner);
    runner->fork_status = CK_FORK_GETENV;
    if (suite != NULL) {
        libcheck_list_add(&runner->suites, suite);
    }
    return runner;
}

void engine_srunner_add_suite(SRunner *runner, Suite *suite)
{
    if (suite != NULL) {
        libcheck_list_add(&runner->suites, suite);
    }
}

void engine_srunner_free(SRunner *runner)
{
    (void)runner; /* in the arena */
}

void engine_srunner_set_fork_status(SRunner *runner, enum fork_status status)
{
    runner->fork_status = status;
}

enum fork_status engine_srunner_fork_status(SRunner *runner)
{
    if (runner->fork_status != CK_FORK_GETENV) {
        return runner->fork_status;
    }
    const char *wish = getenv("CK_FORK");
    return wish != NULL && strcmp(wish, "no") == 0 ? CK_NOFORK : CK_FORK;
}

/* Results. ---------------------------------------------------------------------------------------
 */

void libcheck_results_each(const SRunner *runner, void (*each)(const struct TestResult *, void *),
                           void *data)
{
    LIBCHECK_EACH(run_link, &runner->runs)
    {
        const struct libcheck_run *run = run_link->item;
        LIBCHECK_EACH(link, &run->setup_results)
        {
            each(link->item, data);
        }
        for (uint32_t i = 0; i < run->count; i++) {
            if (run->tests[i].result.rtype != CK_TEST_RESULT_INVALID) {
                each(&run->tests[i].result, data);
            }
        }
    }
}

struct tally {
    struct libcheck_tally sum;
    TestResult **into;
    bool only_bad;
    int stored;
};

static void tally_add(const struct TestResult *result, void *data)
{
    struct tally *tally = data;
    tally->sum.checked++;
    tally->sum.failures += result->rtype == CK_FAILURE;
    tally->sum.errors += result->rtype == CK_ERROR;
    if (tally->into != NULL && (!tally->only_bad || result->rtype != CK_PASS)) {
        tally->into[tally->stored++] = (TestResult *)(uintptr_t)result;
    }
}

struct libcheck_tally libcheck_tally_of(const SRunner *runner)
{
    struct tally tally = {.into = NULL};
    libcheck_results_each(runner, tally_add, &tally);
    return tally.sum;
}

int engine_srunner_ntests_failed(SRunner *runner)
{
    struct libcheck_tally tally = libcheck_tally_of(runner);
    return tally.failures + tally.errors;
}

int engine_srunner_ntests_run(SRunner *runner)
{
    return libcheck_tally_of(runner).checked;
}

/* The caller frees the array: it is the program's own memory, as with libcheck. */
static TestResult **results_array(SRunner *runner, bool only_bad)
{
    struct tally tally = {.only_bad = only_bad};
    int count = only_bad ? engine_srunner_ntests_failed(runner) : engine_srunner_ntests_run(runner);
    tally.into = malloc(((size_t)count + 1) * sizeof(TestResult *));
    if (tally.into != NULL) {
        libcheck_results_each(runner, tally_add, &tally);
    }
    return tally.into;
}

TestResult **engine_srunner_failures(SRunner *runner)
{
    return results_array(runner, true);
}

TestResult **engine_srunner_results(SRunner *runner)
{
    return results_array(runner, false);
}

int engine_tr_rtype(TestResult *result)
{
    return result->rtype;
}

enum ck_result_ctx engine_tr_ctx(TestResult *result)
{
    return result->ctx;
}

const char *engine_tr_msg(TestResult *result)
{
    return result->msg;
}

int engine_tr_lno(TestResult *result)
{
    return result->line;
}

const char *engine_tr_lfile(TestResult *result)
{
    return result->file;
}

const char *engine_tr_tcname(TestResult *result)
{
    return result->tcname;
}

/* set, has and fname of the three files: the first name set stays, the environment comes second. */
#define REPORT_FILE(kind, variable)                                                                \
    void engine_srunner_set_##kind(SRunner *runner, const char *name)                              \
    {                                                                                              \
        runner->kind##_name = runner->kind##_name != NULL ? runner->kind##_name : name;            \
    }                                                                                              \
    const char *engine_srunner_##kind##_fname(SRunner *runner)                                     \
    {                                                                                              \
        return runner->kind##_name != NULL ? runner->kind##_name : getenv(variable);               \
    }                                                                                              \
    int engine_srunner_has_##kind(SRunner *runner)                                                 \
    {                                                                                              \
        return engine_srunner_##kind##_fname(runner) != NULL;                                      \
    }
REPORT_FILE(log, "CK_LOG_FILE_NAME")
REPORT_FILE(xml, "CK_XML_LOG_FILE_NAME")
REPORT_FILE(tap, "CK_TAP_LOG_FILE_NAME")
