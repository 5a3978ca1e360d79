/*
 * file_image.h - what stands in a cache file: one line of head, then the document as it is
 * (`tail -n +2` gives it). Nothing here touches a file.
 *
 *   tidemark-file 1 crc=16 hex bytes=N generation=N wall=N boot=N of=UUID etag="..."   padded, \n
 *
 * The head has a fixed length and one way to be written: decoding writes it anew and compares. The
 * checksum (CRC-64/XZ) covers the rest of the head and the document, so that no bit of the file can
 * change unseen.
 */
#ifndef FILE_IMAGE_H
#define FILE_IMAGE_H

#include "registry/file/file_stamp.h"

#include <stddef.h>

#define FILE_HEAD_BYTES 320
#define FILE_ETAG_BYTES 80 /* with NUL; longer ones are not kept, which costs a full answer */

struct file_head {
    uint64_t bytes;          /* of the document */
    uint64_t generation;     /* one more with each publication */
    struct file_stamp begun; /* when the fetch of it began: it is no newer than that */
    char etag[FILE_ETAG_BYTES];
};

uint64_t file_crc(uint64_t crc, const void *data, size_t bytes); /* crc: 0 to begin */

/* Writes FILE_HEAD_BYTES to `out`, without NUL. An etag that cannot stand there is left out. */
void file_head_write(char *out, const struct file_head *head, const void *document);
/* False: these bytes are not a whole head and its document. */
bool file_head_read(const void *file, size_t bytes, struct file_head *head);

#endif
