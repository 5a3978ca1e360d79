/*
 * libtap.c - libtap programs: main makes one check after another, so all of it is one test. libtap
 * allows one plan per process: its variables are put back to what they were before each call of
 * main. Runs in the worker.
 */
#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/hook.h"
#include "harness/boundary/program.h"

#include <stdio.h>
#include <string.h>

enum { CURRENT, EXPECTED, FAILED, TODO, DIED, VARIABLES };
enum { VARIABLE_BYTES = 8 };

static struct hook hooks[VARIABLES] = {
    [CURRENT] = {"current_test"},
    [EXPECTED] = {"expected_tests"},
    [FAILED] = {"failed_tests"},
    [TODO] = {"todo_mesg", .optional = true},
    [DIED] = {"test_died", "test_died.0", .optional = true},
};

static struct {
    char first[VARIABLES][VARIABLE_BYTES];
    char **argv;
    uint32_t status;
} libtap;

static int libtap_serve(void);

static bool libtap_take(void)
{
    return hooks_find(hooks, VARIABLES);
}

const struct adapter adapter_libtap = {.framework = "libtap",
                                       .symbol = "tap_plan",
                                       .take_static = libtap_take,
                                       .serve_before_main = libtap_serve};

static size_t variable_bytes(int i)
{
    return i == TODO ? sizeof(char *) : sizeof(int);
}

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[WIRE_ID_MAX];
    (void)self;
    (void)index;
    snprintf(id, sizeof id, "libtap/main/%s", adapter_program());
    serve_id_set(name, id);
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    static char message[64];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    for (int i = 0; i < VARIABLES; i++) {
        if (hooks[i].there != NULL) {
            memcpy(hooks[i].there, libtap.first[i], variable_bytes(i));
        }
    }
    int status = program_main_again(program_argument_count(), libtap.argv);
    if (status != 0) {
        snprintf(message, sizeof message, "exit status %d", status);
        outcome->status = WIRE_FAIL;
        outcome->message = message;
    }
}

static int libtap_serve(void)
{
    int argc = program_argument_count();
    for (int i = 0; i < VARIABLES; i++) {
        if (hooks[i].there != NULL) {
            memcpy(libtap.first[i], hooks[i].there, variable_bytes(i));
        }
    }
    libtap.argv = arena_get(((size_t)argc + 1) * sizeof *libtap.argv);
    for (int i = 0; i < argc; i++) {
        libtap.argv[i] = (char *)(uintptr_t)program_argument(i);
    }
    struct test_group group = {.framework = "libtap",
                               .way = WIRE_WAY_SYMTAB,
                               .count = 1,
                               .describe = describe,
                               .prepare = adapter_prepare_nothing,
                               .run = run,
                               .finish = adapter_finish_nothing};
    serve_note("libtap's checks are not tests that can be run alone: all of main is one test");
    return serve_group(&group) == 0 ? 0 : 1;
}
