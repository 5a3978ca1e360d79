/* input.c - see input.h. Build time only. */
#include "registry/catalogue/generate/input.h"

#include "harness/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char xz_magic[6] = {0xfd, '7', 'z', 'X', 'Z', 0};

static const char *xz_problem(lzma_ret status)
{
    switch (status) {
    case LZMA_FORMAT_ERROR:
        return "not an xz file";
    case LZMA_OPTIONS_ERROR:
        return "xz options that this liblzma does not know";
    case LZMA_DATA_ERROR:
        return "damaged xz data";
    case LZMA_BUF_ERROR:
        return "xz data ends too early";
    case LZMA_MEMLIMIT_ERROR:
        return "xz data needs too much memory";
    default:
        return "xz data cannot be read";
    }
}

/* Decompresses the file from its start; the end of the file must be the end of the stream. */
static bool read_xz(FILE *stream, const char *file, char **text, size_t *length, struct diag *diag)
{
    lzma_stream xz = LZMA_STREAM_INIT;
    lzma_ret status = lzma_stream_decoder(&xz, UINT64_C(256) << 20, LZMA_CONCATENATED);
    unsigned char in[65536];
    size_t room = 0;
    bool ok = false;
    while (status == LZMA_OK) {
        if (xz.avail_in == 0 && !feof(stream)) {
            xz.next_in = in;
            xz.avail_in = fread(in, 1, sizeof in, stream);
        }
        memory_grow(text, &room, *length + sizeof in + 1, 1);
        xz.next_out = (unsigned char *)*text + *length;
        xz.avail_out = room - *length - 1;
        status = lzma_code(&xz, feof(stream) ? LZMA_FINISH : LZMA_RUN);
        *length = (size_t)(xz.next_out - (unsigned char *)*text);
        if (*length > INPUT_MOST) {
            diag_add(diag, file, 0, 0, "more than 1 GiB after decompression");
            goto out;
        }
    }
    if (status != LZMA_STREAM_END) {
        diag_add(diag, file, 0, 0, "%s", xz_problem(status));
        goto out;
    }
    ok = true;
out:
    lzma_end(&xz);
    return ok;
}

static bool read_plain(FILE *stream, const char *file, char **text, size_t *length,
                       struct diag *diag)
{
    size_t room = 0, got = 0;
    do {
        memory_grow(text, &room, *length + 65536 + 1, 1);
        got = fread(*text + *length, 1, room - *length - 1, stream);
        *length += got;
        if (*length > INPUT_MOST) {
            diag_add(diag, file, 0, 0, "more than 1 GiB");
            return false;
        }
    } while (got > 0);
    return true;
}

bool input_read(const char *file, char **text, size_t *length, struct diag *diag)
{
    bool ok = false;
    *text = NULL;
    *length = 0;
    FILE *stream = fopen(file, "rb");
    if (!stream) {
        diag_add(diag, file, 0, 0, "%s", strerror(errno));
        return false;
    }
    unsigned char head[sizeof xz_magic];
    size_t got = fread(head, 1, sizeof head, stream);
    rewind(stream);
    ok = got == sizeof head && memcmp(head, xz_magic, sizeof head) == 0
             ? read_xz(stream, file, text, length, diag)
             : read_plain(stream, file, text, length, diag);
    if (ok && ferror(stream)) {
        diag_add(diag, file, 0, 0, "cannot be read: %s", strerror(errno));
        ok = false;
    }
    (void)fclose(stream);
    if (!ok) {
        free(*text);
        *text = NULL;
        *length = 0;
    } else {
        assert(*text); /* both readers make room first */
        (*text)[*length] = '\0';
    }
    return ok;
}
