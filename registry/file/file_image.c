/* file_image.c - see file_image.h. */
#include "registry/file/file_image.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define CRC_AT   20 /* where the 16 digits stand: behind "tidemark-file 1 crc=" */
#define CRC_FROM (CRC_AT + 16)

/* CRC-64/XZ (ECMA-182, reflected), eight bytes at a time ("slicing by 8"): a list of half a
 * megabyte is summed by every process that starts. The tables are made at the first use: 16 KiB
 * that are neither in the file nor touched by who has no file cache. tables[n][b]: what byte b adds
 * that stands n bytes before the end. */
static uint64_t tables[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void tables_make(void)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xc96c5795d7870f42u : 0);
        }
        tables[0][byte] = crc;
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        for (int n = 1; n < 8; n++) {
            uint64_t before = tables[n - 1][byte];
            tables[n][byte] = before >> 8 ^ tables[0][before & 255];
        }
    }
}

uint64_t file_crc(uint64_t crc, const void *data, size_t bytes)
{
    const unsigned char *at = data;
    pthread_once(&tables_once, tables_make);
    crc = ~crc;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        uint64_t next = tables[7][(crc ^ at[0]) & 255] ^ tables[6][(crc >> 8 ^ at[1]) & 255] ^
                        tables[5][(crc >> 16 ^ at[2]) & 255] ^ tables[4][(crc >> 24 ^ at[3]) & 255];
        crc = next ^ tables[3][(crc >> 32 ^ at[4]) & 255] ^ tables[2][(crc >> 40 ^ at[5]) & 255] ^
              tables[1][(crc >> 48 ^ at[6]) & 255] ^ tables[0][(crc >> 56 ^ at[7]) & 255];
    }
    for (; bytes > 0; bytes--, at++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *at) & 255];
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
