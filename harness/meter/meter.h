/*
 * meter.h - everything counted at a boundary that is not the heap: fds, threads, mappings,
 * temporary files, resident memory; and the suite's own counters and histograms (tidemark.h). Runs
 * in the worker; same rules as ledger.h.
 */
#ifndef METER_METER_H
#define METER_METER_H

#include "harness/base/wire.h"

struct meter_sample {
    uint32_t fds, threads, files;
    int64_t mappings, mapped_bytes;
};

void meter_init(struct wire *wire);

/* `threads` counts the threads of the process; where a joined thread is still on its way out in the
 * kernel, it is waited for a little (2 ms at most). */
void meter_sample_get(struct meter_sample *sample);
uint32_t meter_threads(void); /* at this instant, without waiting */

/* Net mappings and temporary files, told by the ledger's hooks; signed. Any thread. */
void meter_mapping_add(int64_t mappings, int64_t bytes);
void meter_file_add(int32_t files);
/* Called before each sample: drops files that are gone without the hooks' seeing it. */
extern void (*meter_settle)(void);

/* Memory of tidemark's own in this process: private mappings that no count above sees. NULL on
 * failure. */
void *meter_own_map(size_t bytes);
void meter_own_unmap(void *map, size_t bytes);
uint64_t meter_own_bytes(void);

/* Peak RSS: clear_refs 5, then VmHWM. Returns 0 where the kernel does not allow it. */
void meter_rss_reset(void);
uint64_t meter_rss_peak(void);
uint64_t meter_rss(void); /* resident at this instant, bytes; 0 when it cannot be read */

/* COUNTER and HISTOGRAM records of all that the suite counted since the last call. */
void meter_counters_put(struct wire *wire);

uint64_t
meter_now_ns(void); /* CLOCK_MONOTONIC, straight from the kernel's vdso, never interposed */

#endif
