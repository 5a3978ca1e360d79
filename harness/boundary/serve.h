/*
 * serve.h - the worker's side of the wire: enumerates a group of tests, then runs any of them on
 * the supervisor's command and reports every boundary. Knows no framework: a framework's adapter
 * hands over a test_group. Runs in the worker, on the thread that the program runs its tests on.
 */
#ifndef BOUNDARY_SERVE_H
#define BOUNDARY_SERVE_H

#include "harness/base/wire.h"
#include "harness/ledger/ledger.h"

/* What one repetition came to. Strings live until the next repetition of the same test. */
struct outcome {
    enum wire_status status;
    int32_t signal;                /* of a forked test that died */
    int32_t exit_code;             /* of a forked test that ended otherwise */
    uint32_t line;                 /* 0 if unknown */
    const char *file, *message;    /* never NULL, may be "" */
    uint64_t allocs, frees, bytes; /* of a forked child; 0 otherwise */
    bool forked;                   /* it ran in a child: this process's counters say nothing */
};

struct test_group {
    const char *framework;
    enum wire_way way;
    uint32_t count;
    uint32_t first; /* set by serve_group */
    void *self;     /* the adapter's; handed to each of: */
    void (*describe)(void *self, uint32_t index, struct wire_test_name *name);
    /* Before the first repetition of a RUN, outside the test's boundaries: fixtures that several
     * tests share. False: the tests cannot run, the outcome says why. */
    bool (*prepare)(void *self, uint32_t index, struct outcome *outcome);
    /* One repetition, its own fixtures included. */
    void (*run)(void *self, uint32_t index, bool forked, struct outcome *outcome);
    /* The supervisor wants no more of this group. */
    void (*finish)(void *self);
};

/* Enumerates the group and serves commands until FINISH. The number of its tests that failed. */
uint32_t serve_group(struct test_group *group);

/* An adapter whose run() does more than the test may say where the test itself, its fixtures
 * included, begins and ends: only what is between is counted. */
void serve_test_begins(void);
void serve_test_ends(void);
/* After serve_test_ends the test comes again, in the same repetition: what was between is counted,
 * but nothing allocated there is the test's. */
void serve_test_goes_on(void);

/* Ids made unique: `id` is "suite/case/name"; a second one of the same name gets "#2". Cut and
 * hashed beyond WIRE_ID_MAX. Sets the name's id. */
void serve_id_set(struct wire_test_name *name, const char *id);

/* A SAMPLE of this boundary: what the ledger had, and what the process has in descriptors, threads
 * and mappings. Test, repetition, status and time are the caller's to fill. With `trusting` the
 * kernel is asked for what the hooks cannot know only (meter_sample_trusting). */
void serve_sample_start(struct wire_sample *sample, const struct ledger_totals *totals,
                        bool trusting);

/* The HELLO and MODULE records, once per process, before anything else. */
void serve_hello(const char *framework, enum wire_way way);
bool serve_has_greeted(void);
/* Counters, then BYE, once per process. Nothing when there was no HELLO. */
void serve_bye(void);
void serve_note(const char *text);

/* For passive ways: READY of `count` tests from `first`, then commands until FINISH; none can run.
 * *run is the last RUN asked for, if `run` is not NULL. */
void serve_passive_ready(uint32_t first, uint32_t count, struct wire_command *run);

#endif
