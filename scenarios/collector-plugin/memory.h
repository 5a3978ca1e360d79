/*
 * memory.h - the collector's allocations, counted, and made to fail at the Nth on request.
 * Thread-safe.
 */
#ifndef COLLECTOR_MEMORY_H
#define COLLECTOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct memory_count {
    uint64_t allocs, frees;
    int64_t live, peak; /* bytes */
};

void *memory_take(size_t bytes);
char *memory_text(const char *text, size_t length);
void memory_give(void *block); /* NULL is allowed */

void memory_reset(void);
struct memory_count memory_now(void);
void memory_fail_at(uint64_t nth); /* the nth from now on, once; 0: none */

#endif
