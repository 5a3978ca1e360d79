/*
 * libcheck.h - tidemark's own engine behind libcheck's public API (0.13 to 0.15.2, and the older
 * _tcase_add_test). The program's copy is never executed: its public functions jump here. What
 * differs from libcheck: any test can be run any number of times, in this process, and nothing is
 * allocated with the program's malloc. Runs in the worker.
 *
 *   Suite -> TCase -> TF (function, loop range) -> struct libcheck_test (one loop index), the unit
 * that the supervisor commands.
 *
 * libcheck_suite.c builds, libcheck_run.c runs, libcheck_assert.c fails, libcheck_runner.c keeps
 * the results, libcheck_report.c prints them.
 */
#ifndef BOUNDARY_LIBCHECK_H
#define BOUNDARY_LIBCHECK_H

#include "harness/boundary/serve.h"

#include <check.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct libcheck_link {
    void *item;
    struct libcheck_link *next;
};

struct libcheck_list {
    struct libcheck_link *first, *last;
    uint32_t count;
};

typedef struct TF {
    const char *name, *file; /* file NULL and line 0 until it ran, for libcheck up to 0.12 */
    int line;
    TFun function;
    bool announces; /* up to 0.12: the test itself calls tcase_fn_start */
    int start, end, signal;
    signed char exit_value;
} TF;

struct Suite {
    const char *name;
    struct libcheck_list tcases; /* of TCase */
};

struct TCase {
    const char *name;
    struct libcheck_list tests; /* of TF */
    struct libcheck_list unchecked_setups, unchecked_teardowns, checked_setups, checked_teardowns;
    const char *tags; /* space-separated; NULL: none */
    uint64_t timeout_ns;
};

/* The first fields are where libcheck 0.13 to 0.15.2 has them: tr_rtype and its like may be too
 * short to be patched, and then the program's own ones read this. */
struct TestResult {
    enum test_result rtype;
    enum ck_result_ctx ctx;
    char *file;
    int line;
    int iter;
    int duration; /* us; -1: unknown */
    const char *tcname;
    const char *tname;
    char *msg;
};

struct libcheck_test {
    Suite *suite;
    TCase *tcase;
    TF *tf;
    int iteration;
    uint32_t suite_number;
    struct TestResult result; /* rtype INVALID: not run in this process */
};

/* What one srunner_run offers; stays with the runner for its results. */
struct libcheck_run {
    SRunner *runner;
    struct libcheck_test *tests;
    uint32_t count;
    struct libcheck_list suites; /* of Suite, those that were selected */
    TCase *current;              /* whose unchecked fixtures are set up */
    bool current_failed;
    struct TestResult setup_result;     /* of the current unchecked setup, when that failed */
    struct libcheck_list setup_results; /* of TestResult: all failed unchecked setups */
};

struct SRunner {
    struct libcheck_list suites; /* of Suite */
    struct libcheck_list runs;   /* of struct libcheck_run */
    const char *log_name, *xml_name, *tap_name;
    enum fork_status fork_status;
};

/* The repetition that runs now. Shared with children, so that a forked test can say how it failed.
 */
struct libcheck_state {
    bool failed;
    enum ck_result_ctx context, failed_context;
    const char *test_file, *fixture_file; /* pointers into the program: the same in the child */
    int test_line, fixture_line;
    char message[8192]; /* as long as libcheck's */
};

extern struct libcheck_state *libcheck_state;
extern const char *libcheck_current_name;

/* Where an assertion goes back to. */
struct libcheck_jump {
    bool active;
    bool forked; /* in the child of a forked test: _exit(1), as libcheck does */
    pid_t process, thread;
    sigjmp_buf buffer;
};
extern struct libcheck_jump libcheck_jump;

void libcheck_list_add(struct libcheck_list *list, void *item);
void libcheck_list_add_front(struct libcheck_list *list, void *item);
#define LIBCHECK_EACH(link, list)                                                                  \
    for (struct libcheck_link *link = (list)->first; link != NULL; link = link->next)

/* Version of the program's libcheck decides how _tcase_add_test is called: minor < 13 is the old
 * way. */
void libcheck_minor_set(int minor);

/* Selection by suite, case and tags; fills run->tests. */
void libcheck_select(struct libcheck_run *run, const char *suite, const char *tcase,
                     const char *include_tags, const char *exclude_tags);

/* libcheck_report.c */
enum print_output libcheck_print_mode(enum print_output mode);
void libcheck_report_start(const struct libcheck_run *run, enum print_output mode);
void libcheck_report_end(const struct libcheck_run *run, enum print_output mode);

/* Each result of the runner in the order of its tests, those not run left out. */
void libcheck_results_each(const SRunner *runner, void (*each)(const struct TestResult *, void *),
                           void *data);

struct libcheck_tally {
    int checked, failures, errors;
};
struct libcheck_tally libcheck_tally_of(const SRunner *runner);

/* The engine's functions, engine_NAME for each of libcheck_api.def. */
struct libcheck_function {
    const char *name;
    void *engine;
    void **slot; /* what the exported NAME jumps to: the engine, or the shared libcheck */
};
extern const struct libcheck_function libcheck_functions[];
extern const uint32_t libcheck_function_count;

#endif
