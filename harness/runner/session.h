/*
 * session.h - one variant being run: what its workers have said so far. Shared by the files of this
 * folder. Supervisor only.
 */
#ifndef RUNNER_SESSION_H
#define RUNNER_SESSION_H

#include "harness/base/histogram.h"
#include "harness/runner/runner.h"
#include "harness/runner/symbol.h"
#include "harness/runner/worker.h"

struct session_site {
    uint32_t number, kind;
    int64_t blocks, bytes;
    uint32_t frame_count;
    uint64_t frames[WIRE_FRAMES_MAX];
};

struct session_name {
    char *id;
    char *file;
    unsigned line;
};

struct session {
    const struct plan *plan;
    const struct plan_variant *variant;
    const struct runner_options *options;
    struct result *result;
    struct worker worker;
    struct symbols *symbols; /* of the worker that runs now */
    struct wire_hello hello;

    struct session_name *names; /* by index */
    size_t name_count, name_room;
    struct wire_sample sample; /* the last */
    struct wire_test test;
    bool has_test, has_sample;
    bool quiet; /* a second run for the sites: nothing of it is a result */

    /* Over the pass. */
    int64_t *live; /* above the start of its worker, after each test that ended */
    size_t live_count, live_room;
    int64_t live_start, live_end, live_peak, test_peak, retained_max;
    bool live_known;
    double allocs, frees, bytes, wall, peak_rss;
    size_t tests, failed;
    struct {
        char name[32];
        double value;
    } counters[64];
    size_t counter_count;
    uint64_t lookup_ns[HISTOGRAM_BUCKETS];
    char *stopped_by, *culprit;

    struct session_site *sites;
    size_t site_count, site_room;
    struct wire_held *held;
    size_t held_count, held_room;
};

void session_init(struct session *session, const struct plan *plan,
                  const struct plan_variant *variant, const struct runner_options *options,
                  struct result *result);
void session_fini(struct session *session);
/* The callback of its workers. */
void session_record(void *session, const struct wire_record *record);

/* Runs all tests. False: the program could not be started at all. */
bool session_run(struct session *session);

/* The metrics of a pass, NAN where not measured. */
void session_metrics(const struct session *session, double metric[METRIC_COUNT]);
/* Fills the variant of the result from the metrics of its passes and from the last session. */
void session_conclude(struct session *session, double (*passes)[METRIC_COUNT], size_t count,
                      struct result_variant *variant);

/* Runs the first tests again with every block traced, and adds the sites of what stays. */
void session_trace(struct session *session);

#endif
