/*
 * study.h - a trace through policies and sizes: what `tidemark whatif TRACE` finds out
 * (whatif_trace.c) and shows (study_print.c). Supervisor only.
 */
#ifndef CLI_STUDY_H
#define CLI_STUDY_H

#include "harness/cli/whatif.h"
#include "harness/trace/curve.h"

#define STUDY_SIZES    64
#define STUDY_POLICIES 16

/* A bar on stderr, redrawn at most ten times a second; nothing unless that is a terminal. */
struct bar {
    const char *what;
    bool wanted, shown;
    double last;
};

struct study {
    const struct command_line *line;
    const char *path;
    struct trace trace;
    struct curve curve;
    struct bar bar;
    bool by_bytes;
    uint64_t sizes[STUDY_SIZES];
    size_t size_count;
    const struct simulator *policies[STUDY_POLICIES];
    size_t policy_count;
    struct curve_point points[STUDY_POLICIES][STUDY_SIZES];
    double reach; /* 0: not asked for */
    uint64_t smallest[STUDY_POLICIES];
};

struct advice {
    const struct simulator *policy;
    size_t size; /* index of the knee: the smallest with nine tenths of what can be had */
    double means[STUDY_POLICIES];
    double rate, lru_rate, optimal_rate; /* at the knee; -1: not simulated */
    bool lru_will_do;
};

/* On stdout, for a person. `advice` NULL: there is none to give. */
void study_print(const struct study *study, const struct advice *advice);
/* As lines of JSON; nothing where `json` is NULL. */
void study_json(const struct study *study, const struct advice *advice, FILE *json);

#endif
