/*
 * cmocka_export.c - cmocka programs (shared libcmocka 1.1): _cmocka_run_group_tests is interposed.
 * Each repetition is one call of the real one with a group of one test, whose setup and teardown
 * are ours around the user's; group fixtures run once, in groups of their own. cmocka's words about
 * it are kept back, and its error text becomes the test's message. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/patch.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* As in <cmocka.h>, which need not be installed to build tidemark. */
struct cmocka_test {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
    void *initial_state;
};

int _cmocka_run_group_tests(const char *name, const struct cmocka_test *tests, size_t count,
                            int (*setup)(void **), int (*teardown)(void **));
static struct {
    bool on;    /* the program is a cmocka program */
    bool quiet; /* a repetition runs: cmocka's own words are kept back */
    bool skipped;
    const char *name;
    const struct cmocka_test *tests;
    const struct cmocka_test *test; /* running */
    int (*group_setup)(void **), (*group_teardown)(void **);
    void *state; /* of the group */
    int fixture_result;
    bool is_set_up, failed_setup;
    uint32_t failed, passed;
    char message[WIRE_TEXT_MAX];
    size_t message_bytes;
    char file[WIRE_ID_MAX];
    uint32_t line;
} cmocka;

/* cmocka's text says "file:line: error: Failure!" somewhere. */
static void message_locate(void)
{
    const char *error = strstr(cmocka.message, ": error: ");
    if (error == NULL) {
        return;
    }
    const char *start = error;
    while (start > cmocka.message && start[-1] != '\n' && start[-1] != ' ') {
        start--;
    }
    const char *colon = memrchr(start, ':', (size_t)(error - start));
    if (colon != NULL && (size_t)(colon - start) < sizeof cmocka.file) {
        memcpy(cmocka.file, start, (size_t)(colon - start));
        cmocka.file[colon - start] = '\0';
        cmocka.line = (uint32_t)strtoul(colon + 1, NULL, 10);
    }
}

typedef void print_function(const char *format, va_list arguments);

static print_function *next_message, *next_error; /* cmocka's own, to the terminal */

static void __attribute__((format(printf, 1, 2))) print_message_here(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!cmocka.quiet) {
        next_message(format, arguments);
    } else if (strstr(format, "SKIPPED") != NULL) {
        cmocka.skipped = true; /* there is no other sign of it */
    }
    va_end(arguments);
}

static void __attribute__((format(printf, 1, 2))) print_error_here(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!cmocka.quiet) {
        next_error(format, arguments);
    }
    va_end(arguments);
}

/* Pieces of an assertion's text. */
static void __attribute__((format(printf, 1, 2))) cm_print_error_here(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (cmocka.quiet) {
        size_t room = sizeof cmocka.message - cmocka.message_bytes;
        int bytes = vsnprintf(cmocka.message + cmocka.message_bytes, room, format, arguments);
        cmocka.message_bytes += bytes < 0 ? 0 : (size_t)bytes < room ? (size_t)bytes : room - 1;
    } else {
        next_error(format, arguments);
    }
    va_end(arguments);
}

/* These three names are too common to be exported: other libraries have theirs. In libcmocka's own
 * code they are made to jump here instead. */
static void cmocka_take(void)
{
    static const struct {
        const char *name;
        void *here;
    } functions[] = {{"print_message", (void *)(uintptr_t)print_message_here},
                     {"print_error", (void *)(uintptr_t)print_error_here},
                     {"cm_print_error", (void *)(uintptr_t)cm_print_error_here}};
    enum {
        ROOM = 16
    }; /* all of them take variable arguments: their first instructions are longer */
    Dl_info info;
    void *library = NULL;
    if (dladdr(dlsym(RTLD_NEXT, "_cmocka_run_group_tests"), &info) != 0) {
        library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    }
    if (library == NULL) {
        return;
    }
    next_message = (print_function *)(uintptr_t)dlsym(library, "vprint_message");
    next_error = (print_function *)(uintptr_t)dlsym(library, "vprint_error");
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        void *there = dlsym(library, functions[i].name);
        if (there != NULL && next_message != NULL && next_error != NULL) {
            patch_jump(there, ROOM, functions[i].here);
        }
    }
    dlclose(library);
    cmocka.on = true;
}

const struct adapter adapter_cmocka = {
    .framework = "cmocka", .import = "_cmocka_run_group_tests", .take = cmocka_take};

static int setup_here(void **state)
{
    serve_test_begins();
    return cmocka.test->setup == NULL ? 0 : cmocka.test->setup(state);
}

static int teardown_here(void **state)
{
    int result = cmocka.test->teardown == NULL ? 0 : cmocka.test->teardown(state);
    serve_test_ends();
    return result;
}

/* The number of failures of a group of one. */
static int group_of_one(const struct cmocka_test *test)
{
    cmocka.quiet = true;
    cmocka.skipped = false;
    cmocka.message_bytes = 0;
    cmocka.message[0] = cmocka.file[0] = '\0';
    cmocka.line = 0;
    int failures = ADAPTER_NEXT(_cmocka_run_group_tests)(cmocka.name, test, 1, NULL, NULL);
    cmocka.quiet = false;
    return failures;
}

static void fixture_setup_body(void **state)
{
    (void)state;
    cmocka.fixture_result = cmocka.group_setup(&cmocka.state);
}

static void fixture_teardown_body(void **state)
{
    (void)state;
    cmocka.fixture_result = cmocka.group_teardown(&cmocka.state);
}

static bool fixture_run(const char *name, void (*body)(void **))
{
    struct cmocka_test fixture = {.name = name, .test = body};
    cmocka.fixture_result = -1;
    return group_of_one(&fixture) == 0 && cmocka.fixture_result == 0;
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    (void)self;
    snprintf(id, sizeof id, "cmocka/%s/%s", cmocka.name, cmocka.tests[index].name);
    serve_id_set(name, id);
    name->group = cmocka.group_setup == NULL && cmocka.group_teardown == NULL ? name->test
                                                                              : name->test - index;
}

static bool prepare(void *self, uint32_t index, struct outcome *outcome)
{
    (void)self;
    (void)index;
    if (!cmocka.is_set_up) {
        cmocka.is_set_up = true;
        cmocka.failed_setup =
            cmocka.group_setup != NULL && !fixture_run("group setup", fixture_setup_body);
    }
    if (cmocka.failed_setup) {
        outcome->status = WIRE_FAIL;
        outcome->message = "the group's setup failed";
    }
    return !cmocka.failed_setup;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    cmocka.test = &cmocka.tests[index];
    struct cmocka_test one = *cmocka.test;
    one.setup = setup_here;
    one.teardown = teardown_here;
    one.initial_state = cmocka.state != NULL ? cmocka.state : one.initial_state;
    bool passed = group_of_one(&one) == 0;
    outcome->status = !passed ? WIRE_FAIL : cmocka.skipped ? WIRE_SKIP : WIRE_PASS;
    if (!passed) {
        message_locate();
        outcome->message = cmocka.message;
        outcome->file = cmocka.file;
        outcome->line = cmocka.line;
    }
}

static void finish(void *self)
{
    (void)self;
    if (cmocka.is_set_up && !cmocka.failed_setup && cmocka.group_teardown != NULL) {
        fixture_run("group teardown", fixture_teardown_body);
    }
}

EXPORT int _cmocka_run_group_tests(const char *name, const struct cmocka_test *tests, size_t count,
                                   int (*setup)(void **), int (*teardown)(void **))
{
    if (!cmocka.on || cmocka.quiet || !boundary_is_worker()) {
        return ADAPTER_NEXT(_cmocka_run_group_tests)(name, tests, count, setup, teardown);
    }
    cmocka.name = name;
    cmocka.tests = tests;
    cmocka.group_setup = setup;
    cmocka.group_teardown = teardown;
    cmocka.state = NULL;
    cmocka.is_set_up = false;
    struct test_group group = {.framework = "cmocka",
                               .way = WIRE_WAY_DYNAMIC,
                               .count = (uint32_t)count,
                               .describe = describe,
                               .prepare = prepare,
                               .run = run,
                               .finish = finish};
    uint32_t failed = serve_group(&group);
    adapter_print("[==========] %s: %zu test(s) under tidemark, %u failed.\n", name, count, failed);
    return (int)failed;
}
