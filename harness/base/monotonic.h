/* monotonic.h - the supervisor's clock: CLOCK_MONOTONIC, ns. What runs in the worker has meter.h's.
 * Any thread. */
#ifndef BASE_MONOTONIC_H
#define BASE_MONOTONIC_H

#include <stdint.h>

uint64_t monotonic_ns(void);

#endif
