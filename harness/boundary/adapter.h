/*
 * adapter.h - a test framework behind one small interface. Adding one: a file with its interposed
 * functions and a `const struct adapter`, and a line in adapter.c.
 *
 * An adapter's exported functions stand before the framework's shared library. They pass through
 * until take() is called, once, before main, when the program imports the framework. From then on
 * the function that runs the tests makes a struct test_group of them and hands it to serve_group.
 *
 * An adapter of a framework that is linked statically, or that is only a header, has no import but
 * a symbol, and its take() puts functions of its own in place of the framework's (hook.h).
 */
#ifndef BOUNDARY_ADAPTER_H
#define BOUNDARY_ADAPTER_H

#include "harness/boundary/serve.h"

struct adapter {
    const char *framework;
    const char *import; /* a function that every program of this framework calls */
    /* A function that the program calls when a library of its own, which has the framework in it,
     * calls `import`. NULL: none. */
    const char *import_beside;
    void (*take)(void);
    /* Of a static copy, NULL: there is none. The function of the framework that runs a test, or all
     * of them, and its name in other versions, or NULL. take_static returns false when the program
     * does not have what the adapter needs: then it has changed nothing. */
    const char *symbol, *other_symbol;
    bool (*take_static)(void);
    /* The argument that lets it run its tests without a child for each, where all of main has to be
     * one test after all: what happens in children is not seen. NULL: none. */
    const char *in_process;
    /* Of a static copy whose tests are known when main begins, or when it has been called once;
     * NULL for those that are served in main. Serves them and returns the program's exit status, or
     * returns -1 when there are none. */
    int (*serve_before_main)(void);
    int (*serve_after_main)(void);
};

/* The framework that the executable imports, or NULL. */
const struct adapter *adapter_find(void);

/* The framework that the program has a static copy of, or NULL. */
const struct adapter *adapter_static_find(void);

/* True when the executable imports that function. */
bool imports_have(const char *name);

extern const struct adapter adapter_libcheck, adapter_cmocka, adapter_cunit, adapter_glib;
extern const struct adapter adapter_gtest, adapter_catch2, adapter_doctest, adapter_cpputest,
    adapter_unity, adapter_boost, adapter_munit, adapter_acutest, adapter_utest, adapter_greatest,
    adapter_criterion, adapter_libtap;

/* The next definition of an interposed function, after ours. */
#define ADAPTER_NEXT(name) ((__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name))

/* One repetition in a child: status by its end, no message. For any group's `run`. */
void adapter_run_forked(void (*run)(void *self, uint32_t index, bool forked, struct outcome *),
                        void *self, uint32_t index, struct outcome *outcome);

/* The name of the program's file, for the tests of frameworks that know no suites. */
const char *adapter_program(void);

/* For a group whose tests share no fixtures. */
bool adapter_prepare_nothing(void *self, uint32_t index, struct outcome *outcome);
void adapter_finish_nothing(void *self);

/* A line of the framework's closing words, to stdout, without stdio. */
void adapter_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
