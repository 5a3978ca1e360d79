/*
 * stream.c - see stream.h. Reads the file in blocks of 128 KiB and hands them to libzstd, liblzma
 * or zlib. Concatenated members are read on; a file that ends in the middle of one is damaged.
 */
#include "harness/trace/stream.h"

#include "harness/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define STREAM_BLOCK (128u << 10)

enum stream_kind { STREAM_PLAIN, STREAM_ZSTD, STREAM_XZ, STREAM_GZIP };

struct stream {
    int fd;
    enum stream_kind kind;
    uint64_t done, total;
    size_t at, filled; /* of block */
    bool file_ended, ended;
    bool in_member; /* the end of the file now would be a damage */
    ZSTD_DStream *zstd;
    lzma_stream xz;
    z_stream gzip;
    unsigned char block[STREAM_BLOCK];
};

static bool stream_fill(struct stream *stream, char error[STREAM_ERROR_BYTES])
{
    while (stream->at == stream->filled && !stream->file_ended) {
        ssize_t got = read(stream->fd, stream->block, sizeof stream->block);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            snprintf(error, STREAM_ERROR_BYTES, "cannot be read: %s", strerror(errno));
            return false;
        }
        stream->file_ended = got == 0;
        stream->at = 0;
        stream->filled = (size_t)got;
        stream->done += (uint64_t)got;
    }
    return true;
}

static enum stream_kind stream_kind_of(const unsigned char *bytes, size_t count)
{
    static const struct {
        enum stream_kind kind;
        size_t length;
        const char *magic;
    } rows[] = {
        {STREAM_ZSTD, 4, "\x28\xb5\x2f\xfd"},
        {STREAM_XZ, 6,
         "\xfd"
         "7zXZ\0"},
        {STREAM_GZIP, 2, "\x1f\x8b"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (count >= rows[i].length && memcmp(bytes, rows[i].magic, rows[i].length) == 0) {
            return rows[i].kind;
        }
    }
    return STREAM_PLAIN;
}

static bool stream_decoder_new(struct stream *stream, char error[STREAM_ERROR_BYTES])
{
    bool made = true;
    if (stream->kind == STREAM_ZSTD) {
        stream->zstd = ZSTD_createDStream();
        made = stream->zstd != NULL;
    } else if (stream->kind == STREAM_XZ) {
        made = lzma_stream_decoder(&stream->xz, UINT64_MAX, LZMA_CONCATENATED) == LZMA_OK;
    } else if (stream->kind == STREAM_GZIP) {
        made = inflateInit2(&stream->gzip, 15 + 16) == Z_OK;
    }
    if (!made) {
        snprintf(error, STREAM_ERROR_BYTES, "no memory to decompress it");
    }
    return made;
}

struct stream *stream_open(const char *path, char error[STREAM_ERROR_BYTES])
{
    struct stat facts;
    struct stream *stream = memory_new(1, sizeof *stream);
    stream->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (stream->fd < 0 || fstat(stream->fd, &facts) != 0) {
        snprintf(error, STREAM_ERROR_BYTES, "cannot be opened: %s", strerror(errno));
        stream_close(&stream);
        return NULL;
    }
    stream->total = S_ISREG(facts.st_mode) ? (uint64_t)facts.st_size : 0;
    if (!stream_fill(stream, error)) {
        stream_close(&stream);
        return NULL;
    }
    stream->kind = stream_kind_of(stream->block, stream->filled);
    stream->xz = (lzma_stream)LZMA_STREAM_INIT;
    if (!stream_decoder_new(stream, error)) {
        stream_close(&stream);
    }
    return stream;
}

void stream_close(struct stream **stream)
{
    if (!*stream) {
        return;
    }
    ZSTD_freeDStream((*stream)->zstd);
    if ((*stream)->kind == STREAM_XZ) {
        lzma_end(&(*stream)->xz);
    } else if ((*stream)->kind == STREAM_GZIP) {
        inflateEnd(&(*stream)->gzip);
    }
    if ((*stream)->fd >= 0) {
        close((*stream)->fd);
    }
    free(*stream);
    *stream = NULL;
}

/* Each takes from the block, writes to `out`, says how much it wrote. False: damaged. */
static bool plain_step(struct stream *stream, unsigned char *out, size_t room, size_t *wrote)
{
    size_t ready = stream->filled - stream->at;
    *wrote = ready < room ? ready : room;
    memcpy(out, stream->block + stream->at, *wrote);
    stream->at += *wrote;
    return true;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one of several steps */
static bool zstd_step(struct stream *stream, unsigned char *out, size_t room, size_t *wrote)
{
    ZSTD_inBuffer from = {.src = stream->block, .size = stream->filled, .pos = stream->at};
    ZSTD_outBuffer to = {.dst = out, .size = room};
    size_t left = ZSTD_decompressStream(stream->zstd, &to, &from);
    if (from.pos != stream->at || to.pos > 0) { /* else it only asks for a next frame */
        stream->in_member = left != 0;
    }
    stream->at = from.pos;
    *wrote = to.pos;
    return !ZSTD_isError(left);
}

static bool xz_step(struct stream *stream, unsigned char *out, size_t room, size_t *wrote)
{
    stream->xz.next_in = stream->block + stream->at;
    stream->xz.avail_in = stream->filled - stream->at;
    stream->xz.next_out = out;
    stream->xz.avail_out = room;
    lzma_ret status = lzma_code(&stream->xz, stream->file_ended ? LZMA_FINISH : LZMA_RUN);
    stream->at = stream->filled - stream->xz.avail_in;
    *wrote = room - stream->xz.avail_out;
    stream->in_member = status != LZMA_STREAM_END;
    return status == LZMA_OK || status == LZMA_STREAM_END ||
           (status == LZMA_BUF_ERROR && *wrote == 0 && !stream->file_ended);
}

static bool gzip_step(struct stream *stream, unsigned char *out, size_t room, size_t *wrote)
{
    stream->gzip.next_in = stream->block + stream->at;
    stream->gzip.avail_in = (unsigned)(stream->filled - stream->at);
    stream->gzip.next_out = out;
    stream->gzip.avail_out = (unsigned)(room < 1u << 30 ? room : 1u << 30);
    unsigned before = stream->gzip.avail_out;
    int status = inflate(&stream->gzip, Z_NO_FLUSH);
    size_t read = stream->filled - stream->gzip.avail_in - stream->at;
    stream->at += read;
    *wrote = before - stream->gzip.avail_out;
    if (read > 0 || *wrote > 0) { /* else it only asks for a next member */
        stream->in_member = status != Z_STREAM_END;
    }
    if (status == Z_STREAM_END) { /* perhaps another member follows */
        return inflateReset(&stream->gzip) == Z_OK;
    }
    return status == Z_OK || status == Z_BUF_ERROR;
}

bool stream_read(struct stream *stream, void *buffer, size_t room, size_t *got,
                 char error[STREAM_ERROR_BYTES])
{
    static bool (*const steps[])(struct stream *, unsigned char *, size_t, size_t *) = {
        [STREAM_PLAIN] = plain_step,
        [STREAM_ZSTD] = zstd_step,
        [STREAM_XZ] = xz_step,
        [STREAM_GZIP] = gzip_step,
    };
    static const char *const names[] = {"", "zstd", "xz", "gzip"};
    *got = 0;
    while (*got < room && !stream->ended) {
        size_t wrote = 0;
        if (!stream_fill(stream, error)) {
            return false;
        }
        size_t before = stream->at;
        if (!steps[stream->kind](stream, (unsigned char *)buffer + *got, room - *got, &wrote)) {
            snprintf(error, STREAM_ERROR_BYTES, "is damaged %s data", names[stream->kind]);
            return false;
        }
        *got += wrote;
        if (stream->file_ended && wrote == 0 && stream->at == before) {
            stream->ended = true;
        }
    }
    if (stream->ended && stream->in_member && stream->kind != STREAM_PLAIN) {
        snprintf(error, STREAM_ERROR_BYTES, "ends in the middle of its %s data",
                 names[stream->kind]);
        return false;
    }
    return true;
}

void stream_position(const struct stream *stream, uint64_t *done, uint64_t *total)
{
    *done = stream->done - (stream->filled - stream->at);
    *total = stream->total;
}
