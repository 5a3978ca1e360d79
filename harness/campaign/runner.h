/*
 * runner.h - runs a plan: every variant in fresh processes, test by test, and writes down what was
 * seen.
 *
 * A worker that dies costs one test: the rest runs in a new one. A variant that is killed for
 * memory with most of it held since earlier tests has had its answer and is stopped. Supervisor
 * only.
 */
#ifndef CAMPAIGN_RUNNER_H
#define CAMPAIGN_RUNNER_H

#include "harness/plan/plan.h"
#include "harness/result/result.h"

#define RUNNER_JOBS_MOST 64u /* plan->jobs */

struct scenario;
struct result_writer;
struct suppress;

/* Where a run is, for a person who waits. */
struct runner_progress {
    char phase[80];             /* "repeating", "shuffled order 2 of 4"; "" at first */
    const char *variant, *test; /* borrowed; "": none yet */
    size_t done, count;         /* tests of this phase: before this one, and all */
    unsigned call, calls; /* which repetition runs, and how many it may be; 0: it runs once only */
    unsigned before;      /* repetitions of earlier commands */
    double budget_ns;     /* what the whole hunt may take; 0: it is not known */
};

struct runner_options {
    const char *preload;             /* path of libtidemark.so */
    struct result_writer *writer;    /* or NULL: each test is written before the next begins */
    struct runner_progress *at;      /* kept up to date; or NULL, and so are the next two */
    void (*progress)(void *context); /* whenever it may have changed: often */
    /* What is going to be done, in a sentence, before it is done; or NULL. */
    void (*announce)(void *context, const char *text);
    void *context;             /* of both callbacks */
    struct suppress *suppress; /* hunt: sites that are not accused; or NULL */
    bool verbose;              /* let the programs' own output through */
};

/* Parts the tests of each variant over plan->shards: they are listed, by starting the program once,
 * and plan->variants[].shard says whose they are. `balance`: an earlier result to go by, or NULL.
 * Fills the shard, the partition and the tests elsewhere of the result. */
void runner_shard(struct plan *plan, const struct runner_options *options,
                  const struct result *balance, struct result *result);

/* False: nothing could be run; the notes of the result say why. A shard to which no test belongs
 * has run, and found nothing. */
bool runner_run(const struct plan *plan, const struct runner_options *options,
                struct result *result);

/* Holds the expectations of a scenario against the result; sets passed, failed, skipped. A test
 * that failed is the scenario's business where it expects something of the variant's `failed` or
 * `stopped_by`. */
void runner_expect(const struct scenario *scenario, struct result *result);

#endif
