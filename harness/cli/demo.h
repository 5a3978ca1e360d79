/*
 * demo.h - what the incidents of `tidemark demo` share: scenarios that are run for real, by
 * `tidemark run` in a process of its own, and rows of "as the report has it | as seen here".
 * Supervisor only.
 */
#ifndef CLI_DEMO_H
#define CLI_DEMO_H

#include "harness/result/result.h"

#include <stdio.h>

struct demo {
    FILE *out;
    unsigned columns;
    bool color, quiet;
    bool failed;                  /* a run gave no result: ours, not the incident's */
    size_t rows, broken, skipped; /* rows that were measured; skipped: rows and incidents */
    char *broke;  /* the first test that broke off in the last run, and how; NULL: none */
    char *folder; /* for scenarios and results, removed at the end */
};

struct demo_incident {
    const char *name, *about;
    void (*show)(struct demo *demo);
    const char *needs[4]; /* strategies; skipped in a build without one of them */
};
extern const struct demo_incident demo_registry, demo_stats, demo_collector, demo_provider,
    demo_serverless;

/* Part of demo_registry: its rows 4.1 to 4.8. */
void demo_registry_growth(struct demo *demo);

/* One run of a scenario, given as text. */
struct demo_run {
    struct result result;
    double seconds;
    double cpu_seconds; /* of all processes of the run */
    double others;      /* the share of the machine's processors that others took meanwhile */
    double peak_rss;    /* most of any process of the run, as wait4 has it */
    double time_v_peak; /* the same as `/usr/bin/time -v` printed it; NAN: it was not asked */
};
/* Ends the incident (demo->failed) when there is no result; *run is empty then, and safe to ask. */
void demo_run(struct demo *demo, const char *scenario, struct demo_run *run);
/* The same under `/usr/bin/time -v`; without it NAN, and *why says so. */
void demo_run_time_v(struct demo *demo, const char *scenario, struct demo_run *run,
                     const char **why);
void demo_run_fini(struct demo_run *run);

/* NULL, NAN, "" where there is none. */
const struct result_variant *demo_variant(const struct demo_run *run, const char *variant);
double demo_metric(const struct demo_run *run, const char *variant, enum result_metric metric);
double demo_counter(const struct demo_run *run, const char *variant, const char *name);
const char *demo_stopped(const struct demo_run *run, const char *variant);
/* The n-th test of a variant, in the order in which they ran; NULL behind the last. */
const struct result_test *demo_test(const struct demo_run *run, const char *variant, size_t n);
/* Did the test with this name pass in this variant? */
bool demo_passed(const struct demo_run *run, const char *variant, const char *name);

void demo_paragraph(struct demo *demo, const char *heading, const char *text);
void demo_head(struct demo *demo);
/* A row: its number, what the report says, and what was seen; `ok` when that is as it should be. */
void demo_row(struct demo *demo, const char *row, const char *report, bool ok, const char *format,
              ...) __attribute__((format(printf, 5, 6)));
/* A row of which something could not be measured here: what was seen, and why the rest was not. It
 * counts as skipped, and as broken when what was measured is not as it should be. */
void demo_row_part(struct demo *demo, const char *row, const char *report, bool ok,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
