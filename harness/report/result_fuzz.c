/*
 * result_fuzz.c - libFuzzer target of result files (make fuzz): somebody else's file is read, and
 * shown in every format. Whatever the bytes: no crash, no hang, a position in every diagnostic.
 */
#include "harness/report/renderer.h"
#include "harness/result/result_read.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void all_formats(const struct result *result)
{
    for (const struct renderer *renderer = renderers; renderer->option; renderer++) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        if (!out) {
            abort();
        }
        renderer->render(result, out);
        (void)fclose(out);
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char path[32];
    struct result result;
    struct diag diag;
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, length) != (ssize_t)length) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    diag_init(&diag);
    result_init(&result);
    if (result_read(path, &result, &diag)) {
        all_formats(&result);
    } else if (diag.count == 0) {
        abort();
    }
    result_fini(&result);
    diag_fini(&diag);
    close(fd);
    return 0;
}
