/*
 * meter.h - everything counted at a boundary that is not the heap: fds, threads, mappings, temporary
 * files, resident memory; and the suite's own counters and histograms (tidemark.h).
 * Runs in the worker; same rules as ledger.h.
 */
#ifndef METER_METER_H
#define METER_METER_H

#include "harness/base/wire.h"

struct meter_sample {
    uint32_t fds, threads, files;
    int64_t mappings, mapped_bytes;
};

void meter_init(struct wire *wire);
void meter_sample_get(struct meter_sample *sample);

/* Peak RSS: clear_refs 5, then VmHWM. Returns 0 where the kernel does not allow it. */
void meter_rss_reset(void);
uint64_t meter_rss_peak(void);

/* COUNTER and HISTOGRAM records of all that the suite counted since the last call. */
void meter_counters_put(struct wire *wire);

uint64_t meter_now_ns(void); /* CLOCK_MONOTONIC, straight from the kernel's vdso, never interposed */

#endif
