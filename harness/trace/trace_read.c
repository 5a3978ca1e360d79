/*
 * trace_read.c - trace files of several formats into a struct trace. Every error names the file,
 * and the line or the byte; the first one ends the reading, since what follows it means nothing.
 */
#include "harness/trace/trace_line.h"

#include "harness/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define READ_BLOCK (256u << 10)

const char *const trace_format_names[] = {"auto",          "text",   "lis", "csv",   "access-log",
                                          "oracleGeneral", "u32",    "u64", "u32be", "u64be",
                                          "vscsi1",        "vscsi2", NULL};

/* Takes whole lines out of the block; *used says how much of it is done with. */
static bool lines_take(struct reader *reader, bool last, size_t *used,
                       bool (*take)(struct reader *, const char *, const char *))
{
    const char *at = (const char *)reader->block, *end = at + reader->filled;
    while (at < end && !reader_full(reader)) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline && !last) {
            break;
        }
        const char *stop = newline ? newline : end;
        const char *trimmed = stop > at && stop[-1] == '\r' ? stop - 1 : stop;
        reader->line++;
        if (memchr(at, 0, (size_t)(stop - at))) {
            diag_add(reader->diag, reader->path, reader->line, 0,
                     "holds a zero byte, so this is not text; --format names another format");
            return false;
        }
        if (!take(reader, at, trimmed)) {
            return false;
        }
        at = newline ? newline + 1 : end;
    }
    *used = (size_t)(at - (const char *)reader->block);
    if (*used == 0 && reader->filled >= READ_LINE_MAX && !last) {
        diag_add(reader->diag, reader->path, reader->line + 1, 0,
                 "is longer than %u bytes, so this is hardly text; --format names another format",
                 READ_LINE_MAX);
        return false;
    }
    return true;
}

static uint64_t bytes_to_number(const unsigned char *bytes, unsigned width, bool big)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < width; i++) {
        number = number << 8 | bytes[big ? i : width - 1 - i];
    }
    return number;
}

static bool records_take(struct reader *reader, bool last, size_t *used, enum trace_format format)
{
    static const struct {
        unsigned width, key_at, key_width;
        bool big;
        unsigned size_at; /* of 32 bits; 0: each request is 1 */
    } rows[] = {
        [TRACE_ORACLE] = {24, 4, 8, false, 12}, [TRACE_U32] = {4, 0, 4, false, 0},
        [TRACE_U64] = {8, 0, 8, false, 0},      [TRACE_U32BE] = {4, 0, 4, true, 0},
        [TRACE_U64BE] = {8, 0, 8, true, 0},     [TRACE_VSCSI1] = {32, 16, 8, false, 4},
        [TRACE_VSCSI2] = {40, 16, 8, false, 8},
    };
    unsigned width = rows[format].width;
    size_t at = 0;
    for (; at + width <= reader->filled && !reader_full(reader); at += width) {
        const unsigned char *record = reader->block + at;
        uint64_t key =
            bytes_to_number(record + rows[format].key_at, rows[format].key_width, rows[format].big);
        unsigned size_at = rows[format].size_at;
        uint64_t size = size_at > 0 ? bytes_to_number(record + size_at, 4, false) : 1;
        if (!reader_add(reader, key, size)) {
            return false;
        }
    }
    *used = at;
    if (last && at < reader->filled && !reader_full(reader)) {
        diag_add(reader->diag, reader->path, 0, 0,
                 "ends with %zu bytes of a record of %u; is it really %s?", reader->filled - at,
                 width, trace_format_names[format]);
        return false;
    }
    return true;
}

static bool name_ends(const char *name, size_t length, const char *end)
{
    size_t width = strlen(end);
    return length >= width && strncasecmp(name + length - width, end, width) == 0;
}

/* The version is the high byte of a number of 16 bits, which stands elsewhere in either; both the
 * first two records have it. */
static enum trace_format vscsi_guess(const unsigned char *bytes, size_t count)
{
    if (count >= 80 && bytes[3] == 2 && bytes[40 + 3] == 2) {
        return TRACE_VSCSI2;
    }
    return count >= 64 && bytes[15] == 1 && bytes[32 + 15] == 1 ? TRACE_VSCSI1 : TRACE_AUTO;
}

/* Does the first line have what every access log has, `] "` behind a `[`? */
static bool is_access_log(const unsigned char *bytes, size_t count)
{
    const char *line = (const char *)bytes;
    const char *end = memchr(line, '\n', count);
    size_t length = end ? (size_t)(end - line) : count;
    const char *open = memchr(line, '[', length);
    return open && memmem(open, length - (size_t)(open - line), "] \"", 3) != NULL;
}

enum trace_format trace_guess(const char *path, const unsigned char *bytes, size_t count)
{
    static const struct {
        const char *end;
        enum trace_format format;
    } rows[] = {
        {".oracleGeneral", TRACE_ORACLE},
        {".oracleGeneral.bin", TRACE_ORACLE},
        {".lis", TRACE_LIS},
        {".csv", TRACE_CSV},
        {".u32", TRACE_U32},
        {".u64", TRACE_U64},
        {".u32be", TRACE_U32BE},
        {".u64be", TRACE_U64BE},
        {".txt", TRACE_TEXT},
    };
    size_t length = strlen(path);
    static const char *const packed[] = {".zst", ".xz", ".gz"};
    for (size_t i = 0; i < 3; i++) {
        if (name_ends(path, length, packed[i])) {
            length -= strlen(packed[i]);
            break;
        }
    }
    if (name_ends(path, length, ".vscsi")) {
        return vscsi_guess(bytes, count);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (name_ends(path, length, rows[i].end)) {
            return rows[i].format;
        }
    }
    for (size_t i = 0; i < count && i < 512; i++) {
        if (bytes[i] < 9 || (bytes[i] > 13 && bytes[i] < 32)) {
            return name_ends(path, length, ".trace") ? TRACE_U32BE : TRACE_AUTO;
        }
    }
    return is_access_log(bytes, count) ? TRACE_ACCESS : TRACE_TEXT;
}

static bool reader_format(struct reader *reader, enum trace_format *format)
{
    *format = reader->options->format;
    if (*format == TRACE_AUTO) {
        *format = trace_guess(reader->path, reader->block, reader->filled);
    }
    if (*format == TRACE_AUTO) {
        diag_add(reader->diag, reader->path, 0, 0,
                 "is binary and its name does not say how; --format is one of oracleGeneral, u32, "
                 "u64, u32be, u64be, vscsi1, vscsi2");
        return false;
    }
    return true;
}

/* Block by block; what is left of a block stands before the next. */
static bool reader_run(struct reader *reader)
{
    static bool (*const takers[])(struct reader *, const char *,
                                  const char *) = {[TRACE_TEXT] = trace_text_line,
                                                   [TRACE_LIS] = trace_lis_line,
                                                   [TRACE_CSV] = trace_column_line,
                                                   [TRACE_ACCESS] = trace_access_line};
    enum trace_format format = TRACE_AUTO;
    char error[STREAM_ERROR_BYTES];
    for (bool last = false; !last && !reader_full(reader);) {
        size_t got, used = 0, room = READ_BLOCK - reader->filled;
        if (!stream_read(reader->stream, reader->block + reader->filled, room, &got, error)) {
            diag_add(reader->diag, reader->path, 0, 0, "%s", error);
            return false;
        }
        reader->filled += got;
        last = got < room;
        if (format == TRACE_AUTO && !reader_format(reader, &format)) {
            return false;
        }
        bool good = format <= TRACE_ACCESS ? lines_take(reader, last, &used, takers[format])
                                           : records_take(reader, last, &used, format);
        if (!good) {
            return false;
        }
        reader->filled -= used;
        memmove(reader->block, reader->block + used, reader->filled);
        if (reader->options->progress) {
            uint64_t done, total;
            stream_position(reader->stream, &done, &total);
            reader->options->progress(reader->options->context, done, total);
        }
    }
    return true;
}

bool trace_read(struct trace *trace, const char *path, const struct trace_options *options,
                struct diag *diag)
{
    char error[STREAM_ERROR_BYTES];
    struct reader reader = {.trace = trace,
                            .options = options,
                            .path = path,
                            .diag = diag,
                            .delimiter = ',',
                            .size_column = UINT32_MAX};
    reader.stream = stream_open(path, error);
    if (!reader.stream) {
        diag_add(diag, path, 0, 0, "%s", error);
        return false;
    }
    reader.block = memory_new(1, READ_BLOCK);
    bool good = reader_run(&reader);
    if (good && trace->requests == 0) {
        diag_add(diag, path, 0, 0, "holds no request");
        good = false;
    }
    trace_finish(trace);
    free(reader.block);
    stream_close(&reader.stream);
    return good;
}
