/*
 * workload.h - which key is asked for next. A workload is a long sequence of key numbers over a
 * copy of the registry's keys; a window holds a short piece of it as requests come in from outside:
 * bytes of their own, one behind the other. A request's bytes are never the registry's, or reading
 * them would fetch the record's cache line before the look-up does. Supervisor only.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"

enum workload_kind {
    WORKLOAD_ZIPF,     /* exponent 0.99 over all keys, ranks shuffled */
    WORKLOAD_UNIFORM,  /* every key alike */
    WORKLOAD_SCAN,     /* all keys in order, again and again */
    WORKLOAD_LOOP,     /* a loop a tenth longer than `entries`: the worst of LRU */
    WORKLOAD_RESIDENT, /* keys of which `entries` holds all: nothing but hits once warm */
    WORKLOAD_MISSES,   /* keys the registry does not have */
    WORKLOAD_TRACE,    /* the requests of a trace file */
    WORKLOAD_KINDS,
};

struct workload {
    enum workload_kind kind;
    uint32_t *picks; /* `count` key numbers */
    size_t count;
    struct registry_text *keys; /* copies, none of them the registry's own bytes */
    char *bytes;
    size_t longest;
};

#define WINDOW_REQUESTS 4096

struct window {
    const struct workload *workload;
    struct registry_text requests[WINDOW_REQUESTS];
    size_t count;
    char *bytes;
};

extern const char *const workload_names[WORKLOAD_KINDS + 1]; /* NULL-terminated */
extern const char *const workload_abouts[WORKLOAD_KINDS];

/* `keys` of the registry are asked for (at most registry_count()), `entries` is what the caches
 * hold. */
void workload_init(struct workload *workload, enum workload_kind kind, uint32_t keys,
                   uint64_t entries, size_t count, uint64_t seed);
/* The same over the keys of a trace, numbered 0..unique-1: WORKLOAD_TRACE is its `count` requests
 * as they come, which are copied; the other kinds are drawn over its keys. The keys stand for the
 * registry's where it has so many (at most registry_count()), else for those of source_trace. */
void workload_init_trace(struct workload *workload, enum workload_kind kind,
                         const uint32_t *requests, size_t count, uint32_t unique, uint64_t entries,
                         uint64_t seed);
void workload_fini(struct workload *workload);

struct window *window_new(const struct workload *workload);
void window_free(struct window **window);
/* Requests [from, from + count), wrapping around; at most WINDOW_REQUESTS. */
void window_fill(struct window *window, size_t from, size_t count);

/* splitmix64, for all that needs a cheap seeded source here. */
uint64_t workload_random(uint64_t *state);

#endif
