/*
 * pair.h - runs two commands side by side, A B B A, and measures each run as a whole: wall time,
 * CPU time, peak RSS by wait4. The commands' output goes to /dev/null, their input comes from
 * there. Peak RSS cannot be less than the few hundred KB that a fork of tidemark has before exec.
 * Supervisor only.
 */
#ifndef CAMPAIGN_PAIR_H
#define CAMPAIGN_PAIR_H

#include <stdbool.h>
#include <stddef.h>

enum pair_measure { PAIR_WALL, PAIR_CPU, PAIR_RSS, PAIR_MEASURES }; /* ns, ns, bytes */

struct pair_run {
    double value[PAIR_MEASURES];
    int status; /* as wait4 gives it */
};

/* Is it enough after `count` pairs? */
typedef bool pair_enough(const struct pair_run *a, const struct pair_run *b, size_t count);

struct pair_limits {
    size_t least, most;  /* pairs */
    double most_ns;      /* no pair beyond the least is begun after this; 0: no limit */
    pair_enough *enough; /* asked from the least on, at every eighth pair */
};

/* Fills a[0..*count) and b[0..*count), which have room for `most`, after a warm-up of each. Every
 * run of a command must end as its first did, else false, as when it cannot be started: error[]
 * says which. */
bool pair_measure(char *const *command_a, char *const *command_b, struct pair_limits limits,
                  struct pair_run *a, struct pair_run *b, size_t *count, char *error,
                  size_t error_bytes);

#endif
