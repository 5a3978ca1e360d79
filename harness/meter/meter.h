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
    uint32_t
        children; /* that nobody has waited for: of the thread that runs the tests, and main's */
    int64_t mappings, mapped_bytes;
};

void meter_init(struct wire *wire);

/* `threads` counts the threads of the process; where a joined thread is still on its way out in the
 * kernel, it is waited for a little (2 ms at most). Asks the kernel. */
void meter_sample_get(struct meter_sample *sample);
/* The same without a system call where the hooks saw nothing that could have changed a count since
 * the last sample. Something may have come by the hooks (a raw system call): a meter_sample_get
 * that finds another count than the hooks explain ends that trust for the rest of the process, and
 * this then asks the kernel, too. */
void meter_sample_trusting(struct meter_sample *sample);
uint32_t meter_threads(void); /* at this instant, without waiting; asks the kernel */
/* No other thread runs, as far as the hooks and the last sample know. No system call. */
bool meter_alone(void);

/* A descriptor was or will be opened or closed; a thread was made; a child was made, or is made by
 * now. Any thread, any time. */
void meter_fd_touched(void);
void meter_thread_touched(void);
void meter_child_touched(void);

/* Net mappings and temporary files, told by the ledger's hooks; signed. Any thread. */
void meter_mapping_add(int64_t mappings, int64_t bytes);
void meter_file_add(int32_t files);
/* Called before each sample: drops files that are gone without the hooks' seeing it. `all` is false
 * for a trusting sample: then what the hooks saw no change of need not be looked at. */
extern void (*meter_settle)(bool all);

/* Memory of tidemark's own in this process: private mappings that no count above sees. NULL on
 * failure. */
void *meter_own_map(size_t bytes);
void meter_own_unmap(void *map, size_t bytes);
uint64_t meter_own_bytes(void);

/* Peak RSS: clear_refs 5, then VmHWM. Returns 0 where the kernel does not allow it. */
void meter_rss_reset(void);
uint64_t meter_rss_peak(void);
/* Resident at this instant and of no file, bytes; 0 when it cannot be read. */
uint64_t meter_rss(void);

/* COUNTER and HISTOGRAM records of all that the suite counted since the last call. */
void meter_counters_put(struct wire *wire);

uint64_t
meter_now_ns(void); /* CLOCK_MONOTONIC, straight from the kernel's vdso, never interposed */

/* How long the calling thread could have run so far and had no processor, ns; 0 where the kernel
 * does not tell. Three system calls. */
uint64_t meter_queued_ns(void);

#endif
