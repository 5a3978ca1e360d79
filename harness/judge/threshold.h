/*
 * threshold.h - the thresholds of all verdicts, from threshold.def: threshold(NAME) is the value of
 * a row. Pure constants; any thread.
 */
#ifndef JUDGE_THRESHOLD_H
#define JUDGE_THRESHOLD_H

#define THRESHOLD(NAME, value, decides) THRESHOLD_ROW_##NAME,
enum threshold_row {
#include "harness/judge/threshold.def"
    THRESHOLD_COUNT
};
#undef THRESHOLD

struct threshold {
    const char *name;
    double value;
    const char *decides;
};
extern const struct threshold thresholds[THRESHOLD_COUNT];

#define threshold(NAME)       (thresholds[THRESHOLD_ROW_##NAME].value)
#define threshold_count(NAME) ((unsigned)thresholds[THRESHOLD_ROW_##NAME].value)

#endif
