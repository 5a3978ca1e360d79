/*
 * resource.h - what a program holds beside the heap: descriptors, threads, temporary files, and
 * mappings (mapping.h); each with the site and the birth that made it, at trace depth. At count
 * depth only mappings and files are kept, without a site; descriptors and threads are then counted
 * by the kernel (meter.h). Runs in the worker, on any thread. A spin lock that only these few lines
 * hold; a signal handler that comes in between finds the thread busy and is not recorded.
 */
#ifndef LEDGER_RESOURCE_H
#define LEDGER_RESOURCE_H

#include "harness/base/wire.h"

/* Descriptors by number, threads by pthread_t, children by pid. `frame`: the hook's frame address.
 * Nothing is kept at count depth. */
void resource_open(enum wire_site_kind kind, uint64_t id, const void *frame);
void resource_close(enum wire_site_kind kind, uint64_t id);
/* A detached thread is gone when the kernel has no thread `tid` any more; 0: not known. */
void resource_detach(uint64_t id, int32_t tid);

/* Temporary files by path (relative ones are completed). */
void resource_file_made(const char *path, const void *frame);
void resource_file_gone(const char *path);
bool resource_file_known(const char *path);

/* On the thread that runs the tests, at boundaries.
 * ------------------------------------------------ */

/* Drops what is gone without our seeing it: descriptors closed, threads ended, files removed. Tells
 * the meter how many files are left. Each thing costs a system call; without `all` nothing is done
 * if nothing was made or closed since the last time, and no detached thread is known. */
void resource_settle(bool all);

struct resource {
    uint64_t id;    /* descriptor, pthread_t, address; of a file its number */
    uint64_t bytes; /* of a mapping */
    uint32_t site, serial;
    uint32_t kind; /* enum wire_site_kind */
    int32_t tid;   /* of a detached thread; -1: detached and unknown */
};
typedef void resource_seen(void *context, const struct resource *resource);
void resource_each(resource_seen *each, void *context); /* mappings, too */

void resource_forget_sites(void); /* tracing ends */
void resource_after_fork(void);

#endif
