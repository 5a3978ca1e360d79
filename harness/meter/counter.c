/*
 * counter.c - the suite's own counters and histograms (include/tidemark.h), kept until the boundary
 * code puts them on the wire. Runs in the worker, on any thread: names are claimed once by
 * compare-and-swap and never given back, values are added atomically.
 */
#include "harness/base/histogram.h"
#include "harness/meter/meter.h"

#include "include/tidemark.h"

#include <stdio.h>
#include <string.h>

#define COUNTERS_MOST   256
#define HISTOGRAMS_MOST 8
#define NAME_MAX_BYTES  32
#define EXPORT          __attribute__((visibility("default")))

enum name_state { NAME_FREE, NAME_CLAIMED, NAME_READY };

struct name {
    _Atomic uint32_t state; /* enum name_state */
    char text[NAME_MAX_BYTES];
};

struct counter {
    struct name name;
    _Atomic uint64_t value;
};

struct histogram {
    struct name name;
    _Atomic uint64_t total;
    _Atomic uint64_t *count; /* WIRE_BUCKETS of them, mapped when the name is claimed */
};

static struct counter counters[COUNTERS_MOST];
static struct histogram histograms[HISTOGRAMS_MOST];
static struct name refused; /* the first counter for which there was no room */

/* Compares as many bytes as are kept: a longer name is the same as its first 31 bytes. */
static bool name_is(const struct name *name, const char *text)
{
    return strncmp(name->text, text, NAME_MAX_BYTES - 1) == 0;
}

/* True when the slot carries `text`, now or already; *fresh when it was given it by this call and
 * the caller must set its state to ready. */
static bool name_take(struct name *name, const char *text, bool *fresh)
{
    *fresh = false;
    uint32_t state = atomic_load_explicit(&name->state, memory_order_acquire);
    if (state == NAME_FREE) {
        if (atomic_compare_exchange_strong(&name->state, &state, NAME_CLAIMED)) {
            size_t length = strnlen(text, NAME_MAX_BYTES - 1);
            memcpy(name->text, text, length);
            *fresh = true;
            return true;
        }
    }
    while (state == NAME_CLAIMED) { /* another thread is copying a few bytes */
        state = atomic_load_explicit(&name->state, memory_order_acquire);
    }
    return name_is(name, text);
}

EXPORT void tidemark_counter_add(const char *name, uint64_t amount)
{
    for (size_t i = 0; i < COUNTERS_MOST; i++) {
        bool fresh;
        if (name_take(&counters[i].name, name, &fresh)) {
            if (fresh) {
                atomic_store_explicit(&counters[i].name.state, NAME_READY, memory_order_release);
            }
            atomic_fetch_add_explicit(&counters[i].value, amount, memory_order_relaxed);
            return;
        }
    }
    bool first;
    name_take(&refused, name, &first);
    if (first) {
        atomic_store_explicit(&refused.state, NAME_READY, memory_order_release);
    }
}

EXPORT void tidemark_sample_add(const char *name, uint64_t ns, uint64_t count)
{
    for (size_t i = 0; i < HISTOGRAMS_MOST; i++) {
        struct histogram *histogram = &histograms[i];
        bool fresh;
        if (!name_take(&histogram->name, name, &fresh)) {
            continue;
        }
        if (fresh) {
            histogram->count = meter_own_map(WIRE_BUCKETS * sizeof *histogram->count);
            atomic_store_explicit(&histogram->name.state, NAME_READY, memory_order_release);
        }
        if (histogram->count != NULL) {
            atomic_fetch_add_explicit(&histogram->count[histogram_bucket(ns)], count,
                                      memory_order_relaxed);
            atomic_fetch_add_explicit(&histogram->total, count, memory_order_relaxed);
        }
        return;
    }
}

static void histogram_put(struct wire *wire, struct histogram *histogram)
{
    static struct wire_histogram record; /* 15 KiB: too much for a test thread's stack */
    WIRE_INIT(&record, WIRE_HISTOGRAM);
    memcpy(record.name, histogram->name.text, sizeof record.name);
    for (uint32_t i = 0; i < WIRE_BUCKETS; i++) {
        record.count[i] = atomic_exchange_explicit(&histogram->count[i], 0, memory_order_relaxed);
    }
    wire_put(wire, &record);
}

/* A figure that is left out is said, each time: the supervisor keeps what is the same once. */
static void refused_put(struct wire *wire)
{
    if (atomic_load_explicit(&refused.state, memory_order_acquire) != NAME_READY) {
        return;
    }
    struct wire_note record;
    WIRE_INIT(&record, WIRE_NOTE);
    snprintf(record.text, sizeof record.text,
             "the suite counts under more than %d names: what it counts as %s, and whatever came "
             "later, is left out",
             COUNTERS_MOST, refused.text);
    wire_put(wire, &record);
}

void meter_counters_put(struct wire *wire)
{
    refused_put(wire);
    for (size_t i = 0; i < COUNTERS_MOST; i++) {
        uint64_t value = atomic_exchange_explicit(&counters[i].value, 0, memory_order_relaxed);
        /* A counter that was named and stands at 0 is a figure, too. */
        if (value != 0 || atomic_load(&counters[i].name.state) == NAME_READY) {
            struct wire_counter record;
            WIRE_INIT(&record, WIRE_COUNTER);
            memcpy(record.name, counters[i].name.text, sizeof record.name);
            record.value = value;
            wire_put(wire, &record);
        }
    }
    for (size_t i = 0; i < HISTOGRAMS_MOST; i++) {
        if (atomic_exchange_explicit(&histograms[i].total, 0, memory_order_relaxed) != 0) {
            histogram_put(wire, &histograms[i]);
        }
    }
}
