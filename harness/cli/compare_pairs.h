/* compare_pairs.h - time and memory of two commands over pairs of runs, as a table. Supervisor
 * only.
 */
#ifndef CLI_COMPARE_PAIRS_H
#define CLI_COMPARE_PAIRS_H

#include "harness/campaign/pair.h"

/* The interval of one of the times is narrow: a difference of 3 % lies beyond it. Its width
 * decides, not where it lies, so that going on does not look for a difference until there is one.
 */
bool compare_pairs_narrow(const struct pair_run *a, const struct pair_run *b, size_t pairs);
/* Each measure is different, or is not: for a person who asked for that, and waits. */
bool compare_pairs_sure(const struct pair_run *a, const struct pair_run *b, size_t pairs);

struct compare_pairs { /* measures, and how the commands end where that differs */
    size_t same;       /* no difference, or better */
    size_t worse;      /* the head is slower or larger, or fails where the base does not */
    size_t unsure;
};

/* A row for each measure, and a line where the commands fail or end differently, on standard
 * output. */
struct compare_pairs compare_pairs_print(const struct pair_run *a, const struct pair_run *b,
                                         size_t pairs, unsigned columns, bool color);

#endif
