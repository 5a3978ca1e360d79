/*
 * passive.h - tests that the program runs by itself: the ways HEADER and LIBC. They are measured as
 * they go by; the program's main can be run several times, so that each test is seen several times.
 * Runs in the worker, one test at a time, on any thread.
 */
#ifndef BOUNDARY_PASSIVE_H
#define BOUNDARY_PASSIVE_H

#include "harness/boundary/serve.h"
#include "harness/ledger/ledger.h"

struct passive_mark {
    struct ledger_totals totals;
    uint64_t ns;
};

/* HELLO and the READY of count 0: depth and number of passes are asked for. Once. */
void passive_greet(const char *framework);
/* Passes through main that the supervisor asked for, at least 1. */
uint32_t passive_passes(void);
/* A pass through main begins: the test that comes now is the one that came first before. */
void passive_pass_begin(void);

/* What is allocated from here on belongs to the next test, if one comes. */
void passive_expect(void);
/* A test begins whose name is known (`id`) or comes with its end (NULL). */
void passive_begin(const char *id);
/* No test came. */
void passive_cancel(void);
/* The test that runs, or is about to; WIRE_NO_TEST between tests. */
uint32_t passive_test(void);
void passive_mark_now(struct passive_mark *mark);
/* The test that began last has ended: its name, where it began and ended by the marks. */
void passive_end(const char *id, const struct passive_mark *begin, const struct passive_mark *end,
                 const struct outcome *outcome);

/* The last pass is over: READY of all tests, and commands. */
void passive_close(void);

/* libc.c: true when the program carries libcheck without symbols; sets libcheck's environment. */
bool libc_wanted(void);
void libc_prepare(void); /* libc_export.c */

#endif
