/*
 * glib_export.c - GLib test programs (shared GLib 2.38 and later): the tests are taken down as
 * g_test_add_* registers them, and g_test_run is our own engine: fixture, setup, test, destroy
 * queue, teardown, as GLib does it. A failing assertion comes back here instead of aborting.
 * g_error and fatal warnings still abort, as they do in GLib. Runs in the worker; tests made by
 * g_test_create_case are not seen. What GLib offers to a running test (its path, random numbers,
 * skip, fail) is in glib_test_export.c.
 */
#include "harness/boundary/glib.h"

#include "harness/boundary/adapter.h"
#include "harness/boundary/arena.h"
#include "harness/boundary/boundary.h"
#include "harness/boundary/program.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct glib_test {
    const char *path;
    size_t fixture_bytes;
    void *fixture; /* of that size, in the arena */
    const void *data;
    glib_fixture *setup, *test, *teardown;
};

static struct {
    bool on;
    struct glib_test *tests;
    uint32_t count, room;
} glib;

struct glib_running glib_running;

static void glib_take(void)
{
    glib.on = true;
}

const struct adapter adapter_glib = {
    .framework = "GLib", .import = "g_test_run", .take = glib_take};

static void test_add(const char *path, size_t bytes, const void *data, glib_fixture *setup,
                     glib_fixture *test, glib_fixture *teardown)
{
    if (!glib.on) {
        return;
    }
    glib.tests = arena_grow(glib.tests, glib.count, &glib.room, sizeof glib.tests[0]);
    glib.tests[glib.count++] = (struct glib_test){.path = arena_dup(path),
                                                  .fixture_bytes = bytes,
                                                  .fixture = bytes > 0 ? arena_get(bytes) : NULL,
                                                  .data = data,
                                                  .setup = setup,
                                                  .test = test,
                                                  .teardown = teardown};
}

/* GLib keeps its own list, too: g_test_trap_subprocess looks a path up in it. */
EXPORT void g_test_add_func(const char *path, glib_fixture *test)
{
    test_add(path, 0, NULL, NULL, test, NULL);
    ADAPTER_NEXT(g_test_add_func)(path, test);
}

/* The data is the test's only argument, where a fixture would stand. */
EXPORT void g_test_add_data_func(const char *path, const void *data, glib_fixture *test)
{
    test_add(path, 0, data, NULL, test, NULL);
    ADAPTER_NEXT(g_test_add_data_func)(path, data, test);
}

/* GLib would free the data after the test, which may run again here: it is freed never. */
EXPORT void g_test_add_data_func_full(const char *path, void *data, glib_fixture *test,
                                      void (*destroy)(void *))
{
    test_add(path, 0, data, NULL, test, NULL);
    ADAPTER_NEXT(g_test_add_data_func_full)(path, data, test, glib.on ? NULL : destroy);
}

EXPORT void g_test_add_vtable(const char *path, size_t bytes, const void *data, glib_fixture *setup,
                              glib_fixture *test, glib_fixture *teardown)
{
    test_add(path, bytes, data, setup, test, teardown);
    ADAPTER_NEXT(g_test_add_vtable)(path, bytes, data, setup, test, teardown);
}

/* Running. ---------------------------------------------------------------------------------------
 */

static void describe(void *self, uint32_t index, struct wire_test_name *name)
{
    char id[2 * WIRE_ID_MAX];
    const char *path = glib.tests[index].path;
    const char *file = program_name();
    const char *last = strrchr(path, '/');
    (void)self;
    /* "/a/b/c" is a test c of a case a/b; the program is the suite. */
    int middle = last == NULL ? 0 : (int)(last - path);
    const char *from = *path == '/' ? path + 1 : path;
    middle -= (int)(from - path);
    snprintf(id, sizeof id, "%s/%.*s/%s", file, middle > 0 ? middle : 1, middle > 0 ? from : "-",
             last == NULL ? path : last + 1);
    serve_id_set(name, id);
    name->group = name->test;
}

static bool prepare(void *self, uint32_t index, struct outcome *outcome)
{
    (void)self;
    (void)index;
    (void)outcome;
    return true;
}

static void body_run(const struct glib_test *test)
{
    void *fixture = test->fixture_bytes > 0 ? test->fixture : (void *)(uintptr_t)test->data;
    if (test->fixture_bytes > 0) {
        memset(fixture, 0, test->fixture_bytes);
    }
    if (sigsetjmp(glib_running.back, 0) == 0) {
        glib_running.inside = true;
        if (test->setup != NULL) {
            test->setup(fixture, test->data);
        }
        test->test(fixture, test->data);
    }
    glib_queue_run();
    if (sigsetjmp(glib_running.back, 0) == 0 && test->teardown != NULL) {
        test->teardown(fixture, test->data);
    }
    glib_running.inside = false;
}

static void run(void *self, uint32_t index, bool forked, struct outcome *outcome)
{
    const struct glib_test *test = &glib.tests[index];
    if (forked) {
        adapter_run_forked(run, self, index, outcome);
        return;
    }
    glib_running_reset(test->path);
    body_run(test);
    outcome->status = glib_running.failed    ? WIRE_FAIL
                      : glib_running.skipped ? WIRE_SKIP
                                             : WIRE_PASS;
    if (outcome->status != WIRE_PASS) {
        outcome->message = glib_running.message;
        outcome->file = glib_running.file;
        outcome->line = glib_running.line;
    }
}

static void finish(void *self)
{
    (void)self;
}

/* `-p PATH` keeps tests under PATH only, `-s PATH` leaves them out; GLib has taken them off argv,
 * so they are read from where main found them. A test with /subprocess in its path is there for
 * g_test_trap_subprocess to run: it is a test of its own only when it is asked for by its name. */
static bool selected(const char *path)
{
    bool any = false, keep = false;
    bool is_child = strstr(path, "/subprocess") != NULL;
    for (int i = 1; i + 1 < program_argument_count(); i++) {
        const char *option = program_argument(i), *prefix = program_argument(i + 1);
        size_t bytes = strlen(prefix);
        bool under =
            strncmp(path, prefix, bytes) == 0 && (path[bytes] == '\0' || path[bytes] == '/');
        if (strcmp(option, "-s") == 0 && under) {
            return false;
        }
        if (strcmp(option, "-p") == 0) {
            any = true;
            keep |= is_child ? strcmp(path, prefix) == 0 : under;
        }
    }
    return any ? keep : !is_child;
}

int g_test_run(void);
int g_test_subprocess(void);

EXPORT int g_test_run(void)
{
    if (!glib.on || !boundary_is_worker() || ADAPTER_NEXT(g_test_subprocess)()) {
        return ADAPTER_NEXT(g_test_run)();
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < glib.count; i++) {
        if (selected(glib.tests[i].path)) {
            glib.tests[kept++] = glib.tests[i];
        }
    }
    glib.count = kept;
    struct test_group group = {.framework = "GLib",
                               .way = WIRE_WAY_DYNAMIC,
                               .count = glib.count,
                               .describe = describe,
                               .prepare = prepare,
                               .run = run,
                               .finish = finish};
    uint32_t failed = serve_group(&group);
    adapter_print("# %u tests under tidemark, %u failed\n", glib.count, failed);
    return failed == 0 ? 0 : 1;
}
