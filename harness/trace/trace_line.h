/*
 * trace_line.h - the line formats of trace files, for trace_read.c: each takes one line, without
 * its end, and adds what it asks for. False: diag has the reason. Supervisor only.
 */
#ifndef TRACE_TRACE_LINE_H
#define TRACE_TRACE_LINE_H

#include "harness/trace/stream.h"
#include "harness/trace/trace.h"

#define READ_LINE_MAX (64u << 10)

struct reader {
    struct trace *trace;
    const struct trace_options *options;
    const char *path;
    struct diag *diag;
    struct stream *stream;
    unsigned char *block;
    size_t filled;
    unsigned line;
    uint64_t offset;                  /* bytes before the block */
    unsigned key_column, size_column; /* of columns, 0-based; size_column UINT_MAX: none */
    char delimiter;                   /* of columns; ' ': words */
    bool heading_read;
};

bool reader_full(const struct reader *reader);
bool reader_add(struct reader *reader, uint64_t key, uint64_t size);

bool trace_text_line(struct reader *reader, const char *line, const char *end);
bool trace_lis_line(struct reader *reader, const char *line, const char *end);
bool trace_column_line(struct reader *reader, const char *line, const char *end);
bool trace_access_line(struct reader *reader, const char *line, const char *end);

#endif
