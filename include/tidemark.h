/*
 * tidemark.h - the public header for test programs that want to talk to tidemark.
 *
 * Everything here is optional. The functions are weak: in a program that runs without tidemark they
 * are absent, the inline wrappers below do nothing, and nothing needs to be linked. Under tidemark
 * the preloaded libtidemark.so provides them.
 *
 * Threads: every function may be called from any thread. None allocates, none changes errno.
 * Strings are copied before the call returns.
 */
#ifndef TIDEMARK_H
#define TIDEMARK_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A boundary of your own, for a framework that tidemark has no adapter for. Begin and end bracket
 * one test, its fixtures included. `id` is "suite/case/name". Nesting is an error and is ignored.
 */
void tidemark_test_begin(const char *id) __attribute__((weak));
void tidemark_test_end(const char *id, bool passed) __attribute__((weak));

/* Adds `amount` to the variant's counter `name` ("lookups", "hits", "misses", "evictions", "loads"
 * are shown in the comparison table; any other name is carried into the result file). At most 256
 * names; a note in the report names the first that is left out. */
void tidemark_counter_add(const char *name, uint64_t amount) __attribute__((weak));

/* Records `count` samples of `ns` nanoseconds each in the variant's histogram `name`
 * ("lookup_ns" gives lookup_ns_p50 and lookup_ns_p99). At most 8 names; log-linear buckets, 1 %
 * wide. */
void tidemark_sample_add(const char *name, uint64_t ns, uint64_t count) __attribute__((weak));

static inline void tidemark_begin(const char *id)
{
    if (tidemark_test_begin) {
        tidemark_test_begin(id);
    }
}

static inline void tidemark_end(const char *id, bool passed)
{
    if (tidemark_test_end) {
        tidemark_test_end(id, passed);
    }
}

static inline void tidemark_count(const char *name, uint64_t amount)
{
    if (tidemark_counter_add) {
        tidemark_counter_add(name, amount);
    }
}

static inline void tidemark_sample(const char *name, uint64_t ns, uint64_t count)
{
    if (tidemark_sample_add) {
        tidemark_sample_add(name, ns, count);
    }
}

#ifdef __cplusplus
}
#endif
#endif
