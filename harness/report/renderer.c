/* renderer.c - the table of formats, and files that appear only when they are complete. Supervisor
 * only. */
#include "harness/report/renderer.h"
#include "harness/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RENDERER(name, option, help, append) void render_##name(const struct result *, FILE *);
#include "harness/report/renderer.def"
#undef RENDERER

const struct renderer renderers[] = {
#define RENDERER(name, option, help, append) {option, help, append, render_##name},
#include "harness/report/renderer.def"
#undef RENDERER
    {NULL, NULL, false, NULL},
};

/* Beside the target, so that rename(2) stays on one file system. Devices and pipes are written
 * directly: renaming over /dev/null would replace it. */
static char *temporary_name(const char *path)
{
    struct stat stat_;
    if (stat(path, &stat_) == 0 && !S_ISREG(stat_.st_mode)) {
        return NULL;
    }
    return memory_format("%s.%ld.part", path, (long)getpid());
}

bool renderer_write(const struct renderer *renderer, const struct result *result, const char *path,
                    char *error, size_t error_bytes)
{
    if (strcmp(path, "-") == 0) {
        renderer->render(result, stdout);
        return true; /* main looks at stdout at the end */
    }
    char *temporary = renderer->append ? NULL : temporary_name(path);
    FILE *out = fopen(temporary ? temporary : path, renderer->append ? "ae" : "we");
    bool ok = out != NULL;
    if (out) {
        renderer->render(result, out);
        ok = !ferror(out);
        ok = fclose(out) == 0 && ok;
    }
    if (ok && temporary) {
        ok = rename(temporary, path) == 0;
    }
    if (!ok) {
        snprintf(error, error_bytes, "%s: cannot be written: %s", path, strerror(errno));
        if (temporary && out) {
            unlink(temporary);
        }
    }
    free(temporary);
    return ok;
}
