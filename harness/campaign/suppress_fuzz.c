/*
 * suppress_fuzz.c - libFuzzer target of the reader of suppressions (make fuzz). Whatever the bytes:
 * no crash, no hang, a position in every diagnostic; and what is accepted is asked for matches.
 */
#include "harness/campaign/suppress.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static char function[] = "cache_put_entry", file[] = "src/cache/put.c", module[] = "libx.so.1",
                empty[] = "";
    struct result_frame frames[2] = {{.function = function, .file = file, .module = module},
                                     {.function = empty, .file = empty, .module = module}};
    struct suppress suppress;
    struct result result;
    struct diag diag;
    char path[32];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    diag_init(&diag);
    suppress_init(&suppress);
    result_init(&result);
    bool read = suppress_read(&suppress, path, 20261201, &diag);
    if (!read && diag.count == 0) {
        abort();
    }
    for (size_t i = 0; i < diag.count; i++) {
        if (diag.items[i].line == 0) {
            abort();
        }
    }
    bool matches = suppress_matches(&suppress, frames, 2);
    if (suppress_find(&suppress, frames, 2) != NULL && !matches) {
        abort();
    }
    suppress_notes(&suppress, &result);
    result_fini(&result);
    suppress_fini(&suppress);
    diag_fini(&diag);
    close(fd);
    return 0;
}
