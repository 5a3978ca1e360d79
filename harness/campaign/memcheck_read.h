/*
 * memcheck_read.h - what memcheck wrote of one process (valgrind's XML protocol 4), between the
 * marks of boundary/memcheck.h. Reads as far as the file goes: a process that was killed leaves one
 * without an end. Supervisor only.
 */
#ifndef CAMPAIGN_MEMCHECK_READ_H
#define CAMPAIGN_MEMCHECK_READ_H

#include "harness/result/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memcheck_mark { MEMCHECK_BEGIN, MEMCHECK_END, MEMCHECK_CHILD };

enum memcheck_leak { MEMCHECK_NO_LEAK, MEMCHECK_DEFINITE, MEMCHECK_INDIRECT, MEMCHECK_POSSIBLE };

struct memcheck_seen { /* borrowed for the call; `frames` may be taken: set it to NULL */
    const char *kind, *what, *detail;
    enum memcheck_leak leak;
    int64_t bytes, blocks; /* of a leak: directly lost, since the look before */
    struct result_frame *frames;
    size_t frame_count;
};

struct memcheck_events {
    void (*mark)(void *context, enum memcheck_mark mark, uint32_t test, uint32_t errors);
    void (*seen)(void *context, struct memcheck_seen *seen);
    void *context;
};

/* Frames of the object `own`, and valgrind's, are left out; sources below the working directory are
 * named from there. False: it cannot be read, or is not XML from some place on; what came before
 * was told. */
bool memcheck_read(const char *path, const char *own, const struct memcheck_events *events);

/* "64 (+32) (32 (+16) direct, 32 (+16) indirect) bytes in 2 (+1) blocks are definitely lost ...":
 * 16 and 1. Without "(+...)" all of it is new. False: no such text. */
bool memcheck_lost(const char *text, int64_t *bytes, int64_t *blocks);

#endif
