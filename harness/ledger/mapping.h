/*
 * mapping.h - what the program mapped: by mmap and mremap, shmat, sbrk and brk; at trace depth each
 * piece with the site and the birth that made it. A new mapping takes the place of what it covers,
 * an unmapping may cut one in two. Runs in the worker, on any thread, under a spin lock that only
 * these few lines hold; a signal handler that comes in between finds the thread busy and is not
 * recorded.
 */
#ifndef LEDGER_MAPPING_H
#define LEDGER_MAPPING_H

#include "harness/ledger/resource.h"

/* `frame`: the hook's frame address. Lengths of mappings are rounded up to whole pages. */
void mapping_made(uint64_t address, uint64_t bytes, const void *frame);
void mapping_gone(uint64_t address, uint64_t bytes);

/* mremap, with the system call made here, so that no other thread gets the old addresses before
 * they are known to be free. The piece keeps its birth and belongs to this site now, which becomes
 * one family with the former. Returns the kernel's answer. */
long mapping_moved(uint64_t address, uint64_t old_bytes, uint64_t bytes, int flags, uint64_t wanted,
                   const void *frame);

/* The end of the program's data segment moved; counted to the byte. */
void mapping_break(uint64_t before, uint64_t after, const void *frame);

/* The length of the mapping that begins here; 0 when there is none. */
uint64_t mapping_length(uint64_t address);

/* On the thread that runs the tests, at boundaries.
 * ------------------------------------------------ */

typedef void mapping_seen(void *context, uint64_t address, uint64_t bytes, uint32_t site);
uint32_t mapping_count(void);
void mapping_each(mapping_seen *each, void *context);
void mapping_resource_each(resource_seen *each, void *context);

void mapping_forget_sites(void); /* tracing ends */
void mapping_after_fork(void);

#endif
