/*
 * stream.h - a file's bytes in order, decompressed on the way: zstd, xz or gzip by its first bytes,
 * anything else as it is. Supervisor only.
 */
#ifndef TRACE_STREAM_H
#define TRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream;

#define STREAM_ERROR_BYTES 160

/* NULL, and a message that does not name the file, when it cannot be opened. "-" is stdin. */
struct stream *stream_open(const char *path, char error[STREAM_ERROR_BYTES]);
void stream_close(struct stream **stream);

/* Up to `room` bytes; fewer only at the end. False: damaged or unreadable, message in `error`. */
bool stream_read(struct stream *stream, void *buffer, size_t room, size_t *got,
                 char error[STREAM_ERROR_BYTES]);

/* How far, for a progress bar: bytes of the file as stored. total is 0 where unknown. */
void stream_position(const struct stream *stream, uint64_t *done, uint64_t *total);

#endif
