/*
 * trace.h - a cache trace in memory: the requests in order, each a key and a size. Keys are
 * renumbered 0, 1, 2 ... in the order of their first request, so that simulators index arrays and
 * hash nothing. Supervisor only; memory as base/memory.h.
 */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "harness/base/diag.h"

#include <stdbool.h>
#include <stdint.h>

struct trace {
    uint32_t *keys;  /* [requests] */
    uint32_t *sizes; /* [requests], at least 1; NULL while all are 1 */
    uint64_t requests;
    uint32_t unique;
    uint64_t bytes;        /* of all requests */
    uint64_t unique_bytes; /* of the keys, each at its first size */
    uint32_t size_max;
    uint64_t left_out; /* requests of an access log that no cache would answer: not GET, not HEAD */
    size_t keys_room, sizes_room;
    struct trace_index *index; /* while it is being filled */
};

void trace_init(struct trace *trace);
void trace_fini(struct trace *trace);
/* A size of 0 counts as 1: an entry takes room. False: over 2^31 distinct keys. */
bool trace_add(struct trace *trace, uint64_t key, uint32_t size);
/* Frees what only adding needs. */
void trace_finish(struct trace *trace);

/* The position of the next request of the same key, for each request; TRACE_NEVER at the last one.
 * The caller frees. */
#define TRACE_NEVER UINT64_MAX
uint64_t *trace_next(const struct trace *trace);

enum trace_format {
    TRACE_AUTO,   /* by the file's name: .oracleGeneral, .lis, .csv, .u32 .u64 .u32be .u64be, and
                     .vscsi by its versions; else text where the first bytes are text, an access log
                     where its first line is one, 32-bit big-endian for .trace */
    TRACE_TEXT,   /* a key a line, any bytes; a second word is its size; three need key_column */
    TRACE_LIS,    /* start count ignore number: the keys start .. start + count - 1 */
    TRACE_CSV,    /* a heading that names key (id, obj_id, lba ...) and perhaps size; , ; or tab; a
                     field may be in quotes, a heading behind '#', a line with '#' else is none */
    TRACE_ACCESS, /* an access log of a web server: the path is the key, the bytes the size */
    TRACE_ORACLE, /* libCacheSim's oracleGeneral: u32 time, u64 id, u32 size, i64 next */
    TRACE_U32,
    TRACE_U64,
    TRACE_U32BE,
    TRACE_U64BE,
    TRACE_VSCSI1, /* libCacheSim's vscsi, both versions: u64 block number, u32 length */
    TRACE_VSCSI2,
};
extern const char *const trace_format_names[]; /* in the enum's order, NULL-terminated */

struct trace_options {
    enum trace_format format;
    uint64_t most; /* requests to read at most; 0: all */
    /* Of text and CSV: a column's number from 1, or its name in the heading; NULL: by the names
     * that a heading has, or where there is no choice. Nothing else is guessed. */
    const char *key_column, *size_column;
    void (*progress)(void *context, uint64_t done, uint64_t total); /* or NULL */
    void *context;
};

/* Fills *trace (init it first) from a file. False: diag has the reasons. */
bool trace_read(struct trace *trace, const char *path, const struct trace_options *options,
                struct diag *diag);

/* What was read it as, for the report. */
enum trace_format trace_guess(const char *path, const unsigned char *bytes, size_t count);

#endif
