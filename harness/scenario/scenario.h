/*
 * scenario.h - a scenario file (YAML) as plain structs. scenario_read reports every error at once
 * with file:line:column, the offending text and the nearest valid word. Supervisor only.
 *
 * Grammar: DESIGN section 9 and docs/scenario.md. Sizes take B, KB/KiB, MB/MiB, GB/GiB (KB = 1000);
 * times take ns us ms s min h. Comparisons are "< 500 MB", "<= 0", "== 3", ">= 0.8", "> 1", or a
 * bare value (equal), or a word (verdict, stopped_by).
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include "harness/base/diag.h"
#include "harness/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scenario_teardown {
    TEARDOWN_PER_TEST,
    TEARDOWN_PER_MODULE,
    TEARDOWN_AFTER_SUITE,
    TEARDOWN_NEVER
};

struct scenario_pair {
    char *key, *value;
}; /* a variant's parameter or environment entry */

struct scenario_variant {
    char *name;     /* label in tables */
    char *strategy; /* built-in suites: "direct", "lru" ..., or the path of a plug-in, relative to
                       the file; "" for user programs */
    char *program;  /* overrides the suite's, or "" */
    char **args;
    size_t arg_count;
    bool args_given;
    struct scenario_pair *params;
    size_t param_count; /* {entries: 1024, bytes: 4 MiB} in base units */
    struct scenario_pair *env;
    size_t env_count;
    struct scenario_pair *suite; /* parameters of the suite for this variant only */
    size_t suite_count;
    enum scenario_teardown teardown;
    bool teardown_given; /* otherwise the scenario's */
    unsigned line, column;
};

enum scenario_op { OP_EQ, OP_LT, OP_LE, OP_GT, OP_GE, OP_WORD };

struct scenario_expect {
    size_t variant; /* index */
    char *metric;   /* JSON key of metric.def, or verdict, stopped_by, culprit */
    enum scenario_op op;
    double value; /* in bytes, ns or 1 */
    char *text;   /* as written */
    bool warn;    /* a budget of the warn level: reported, never fails the run */
    unsigned line, column;
};

struct scenario {
    char *file, *name, *about;
    char *program; /* built-in suite ("registry" ...) or a path, relative to the file */
    bool builtin;
    unsigned program_line, program_column;
    char **args;
    size_t arg_count;
    struct scenario_pair *suite;
    size_t suite_count; /* other keys of suite: tests, lookups, keys ... */
    enum scenario_teardown teardown;
    bool teardown_given;
    struct scenario_variant *variants;
    size_t variant_count;
    uint64_t memory;     /* bytes; 0: none */
    uint64_t timeout_ns; /* per test repetition; 0: none */
    unsigned passes;     /* fresh processes per variant, interleaved; 0: the default */
    struct scenario_expect *expects;
    size_t expect_count;
};

/* Reads and checks `path`. False: diagnostics were added and *scenario is empty. */
bool scenario_read(const char *path, struct scenario *scenario, struct diag *diag);
/* The same from memory; `path` is for messages and for finding programs. */
bool scenario_parse(const char *path, const char *bytes, size_t length, struct scenario *scenario,
                    struct diag *diag);
void scenario_fini(struct scenario *scenario);

/* The scenario in its normal form: every value in base units, every default left out, one line a
 * variant. Reading it gives the same scenario, positions apart. */
void scenario_write(const struct scenario *scenario, struct text *out);

/* What a scenario may say of a suite or a strategy, for the manual; false behind the last. */
struct scenario_parameter {
    bool strategy; /* else of a suite */
    const char *name, *value, *help;
};
bool scenario_parameter(size_t index, struct scenario_parameter *out);
/* "peak_rss" for "peak_rss_bytes", or NULL. */
const char *scenario_metric_short(const char *json);

#endif
