/* file_image.c - see file_image.h. */
#include "registry/file_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CRC_AT   20 /* where the 16 digits stand: behind "tidemark-file 1 crc=" */
#define CRC_FROM (CRC_AT + 16)

/* CRC-64/XZ (ECMA-182, reflected), four bits at a time: 128 bytes of table instead of 2 KiB, and
 * still a few hundred MB/s. */
static const uint64_t nibbles[16] = {
    0x0000000000000000u, 0x7d9ba13851336649u, 0xfb374270a266cc92u, 0x86ace348f355aadbu,
    0x64b62bcaebc387a1u, 0x192d8af2baf0e1e8u, 0x9f8169ba49a54b33u, 0xe21ac88218962d7au,
    0xc96c5795d7870f42u, 0xb4f7f6ad86b4690bu, 0x325b15e575e1c3d0u, 0x4fc0b4dd24d2a599u,
    0xadda7c5f3c4488e3u, 0xd041dd676d77eeaau, 0x56ed3e2f9e224471u, 0x2b769f17cf112238u,
};

uint64_t file_crc(uint64_t crc, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    crc = ~crc;
    while (bytes-- > 0) {
        crc ^= *at++;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

static bool etag_fits(const char *etag)
{
    size_t length = strnlen(etag, FILE_ETAG_BYTES);
    for (size_t i = 0; i < length; i++) {
        if (etag[i] < '!' || etag[i] > '~') {
            return false;
        }
    }
    return length < FILE_ETAG_BYTES;
}

void file_head_write(char *out, const struct file_head *head, const void *document)
{
    char line[FILE_HEAD_BYTES + 1];
    int length = snprintf(line, sizeof line,
                          "tidemark-file 1 crc=0000000000000000 bytes=%" PRIu64
                          " generation=%" PRIu64 " wall=%" PRIu64 " boot=%" PRIu64 " of=%s etag=%s",
                          head->bytes, head->generation, head->begun.wall_ns, head->begun.boot_ns,
                          head->begun.boot, etag_fits(head->etag) ? head->etag : "");
    memset(line + length, ' ', FILE_HEAD_BYTES - (size_t)length);
    line[FILE_HEAD_BYTES - 1] = '\n';
    uint64_t crc = file_crc(0, line + CRC_FROM, FILE_HEAD_BYTES - CRC_FROM);
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, file_crc(crc, document, head->bytes));
    memcpy(line + CRC_AT, digits, 16);
    memcpy(out, line, FILE_HEAD_BYTES);
}

bool file_head_read(const void *file, size_t bytes, struct file_head *head)
{
    char line[FILE_HEAD_BYTES + 1], again[FILE_HEAD_BYTES];
    struct file_head read = {0};
    if (bytes < FILE_HEAD_BYTES) {
        return false;
    }
    memcpy(line, file, FILE_HEAD_BYTES);
    line[FILE_HEAD_BYTES] = 0;
    /* Numbers that overflow come out as others, and then the line written anew is not this one. */
    int fields = sscanf(line, /* NOLINT(cert-err34-c) */
                        "tidemark-file 1 crc=%*16[0-9a-f] bytes=%20" SCNu64 " generation=%20" SCNu64
                        " wall=%20" SCNu64 " boot=%20" SCNu64 " of=%36s etag=%79s",
                        &read.bytes, &read.generation, &read.begun.wall_ns, &read.begun.boot_ns,
                        read.begun.boot, read.etag);
    if (fields < 5 || read.bytes != bytes - FILE_HEAD_BYTES) {
        return false;
    }
    file_head_write(again, &read, (const char *)file + FILE_HEAD_BYTES);
    if (memcmp(again, file, FILE_HEAD_BYTES) != 0) {
        return false;
    }
    *head = read;
    return true;
}
