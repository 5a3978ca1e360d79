/* threshold.c - see threshold.h. */
#include "harness/judge/threshold.h"

#define THRESHOLD(NAME, value, decides) {#NAME, value, decides},
const struct threshold thresholds[THRESHOLD_COUNT] = {
#include "harness/judge/threshold.def"
};
#undef THRESHOLD
