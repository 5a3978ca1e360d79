/* renderer.c - the table of formats, and one of them written into a file. Supervisor only. */
#include "harness/report/renderer.h"
#include "harness/base/whole_file.h"

#include <errno.h>
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

/* Behind what is there. What could not be written whole is taken back. */
static bool append_write(const struct renderer *renderer, const struct result *result,
                         const char *path)
{
    struct stat before = {0};
    bool there = stat(path, &before) == 0;
    FILE *out = fopen(path, "ae");
    if (!out) {
        return false;
    }
    renderer->render(result, out);
    int error = whole_file_error(out);
    if (fclose(out) != 0 && error == 0) {
        error = errno;
    }
    if (error && !there) {
        unlink(path);
    } else if (error && S_ISREG(before.st_mode) && truncate(path, before.st_size) != 0) {
        error = errno;
    }
    errno = error;
    return error == 0;
}

bool renderer_write(const struct renderer *renderer, const struct result *result, const char *path,
                    char *error, size_t error_bytes)
{
    struct whole_file file;
    bool ok;
    if (strcmp(path, "-") == 0) {
        renderer->render(result, stdout);
        return true; /* main looks at stdout at the end */
    }
    if (renderer->append) {
        ok = append_write(renderer, result, path);
    } else if ((ok = whole_file_open(&file, path))) {
        renderer->render(result, file.out);
        ok = whole_file_close(&file, true);
    }
    if (!ok) {
        snprintf(error, error_bytes, "%s: cannot be written: %s", path, strerror(errno));
    }
    return ok;
}
