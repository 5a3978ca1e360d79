/*
 * link.h - asking a worker: a command goes out, and what comes back is a value. Records that are
 * not part of the answer (names of tests, sites, retention paths, notes ...) go to the observer of
 * the link in the order in which they came. Supervisor only; one thread.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include "harness/worker/worker.h"

struct answer {
    enum worker_event event; /* WORKER_DONE: the command was answered; else the worker is gone */
    bool ran; /* `test` is what a RUN came to; also when the worker died thereafter */
    struct wire_test test;
    /* A boundary each, or several in a row that are alike (wire_sample.boundaries); borrowed until
     * the next ask. */
    const struct wire_sample *samples;
    size_t sample_count;
    size_t orphans; /* processes that its tests left behind are alive, if the kernel tells */
};

struct link {
    struct worker worker;
    struct answer answer; /* in the making; passive workers send tests without being asked */
    struct wire_sample *samples;
    size_t sample_count, sample_room;
    /* Every record but DONE, READY and BYE. */
    void (*observe)(void *context, const struct wire_record *record);
    void *context;
};

/* What the repetitions of a RUN took, ns, without the time in which others had the processor: a
 * busy machine does not make a cheap test dear. A test that sleeps takes what it sleeps. */
double answer_cost_ns(const struct answer *answer);

/* The caller owns the storage. */
void link_init(struct link *link, void (*observe)(void *context, const struct wire_record *record),
               void *context);
/* Ends the worker, too, if one runs. */
void link_fini(struct link *link);

/* Returns false and errno when the worker could not be started. */
bool link_start(struct link *link, const struct plan_variant *variant,
                const struct worker_options *options);
/* Waits for what the worker does unasked: WORKER_READY with a group of tests in worker.group, or
 * its end. `timeout_ns`: most time of one repetition; 0: none. */
enum worker_event link_wait(struct link *link, uint64_t timeout_ns);
struct answer link_ask(struct link *link, const struct wire_command *command, uint64_t timeout_ns);

#endif
