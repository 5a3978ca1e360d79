/*
 * glib.h - the GLib test that runs now; between glib_export.c, which runs it, and
 * glib_test_export.c, which answers what it asks of GLib. Runs in the worker.
 */
#ifndef BOUNDARY_GLIB_H
#define BOUNDARY_GLIB_H

#include "harness/base/wire.h"

#include <setjmp.h>

typedef void glib_fixture(void *fixture, const void *data);

struct glib_running {
    bool inside; /* of a test: an assertion may jump back */
    bool failed, skipped;
    bool nonfatal; /* g_test_set_nonfatal_assertions: a failing assertion returns */
    const char *path;
    char message[WIRE_TEXT_MAX], file[WIRE_ID_MAX];
    uint32_t line;
    uint64_t random;
    sigjmp_buf back;
};
extern struct glib_running glib_running;

void glib_running_reset(const char *path);
/* g_test_queue_destroy's functions, last first. */
void glib_queue_run(void);

/* GLib's functions that are interposed and called. */
void g_test_add_func(const char *path, glib_fixture *test);
void g_test_add_data_func(const char *path, const void *data, glib_fixture *test);
void g_test_add_data_func_full(const char *path, void *data, glib_fixture *test,
                               void (*destroy)(void *));
void g_test_add_vtable(const char *path, size_t bytes, const void *data, glib_fixture *setup,
                       glib_fixture *test, glib_fixture *teardown);

#endif
