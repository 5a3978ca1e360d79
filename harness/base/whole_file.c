/* whole_file.c - see whole_file.h. Supervisor only. */
#include "harness/base/whole_file.h"
#include "harness/base/memory.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel follows */

char *whole_file_target(const char *path)
{
    char *target = memory_copy(path);
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        char name[PATH_MAX];
        ssize_t length = readlink(target, name, sizeof name - 1);
        if (length < 0) {
            break;
        }
        name[length] = '\0';
        const char *slash = strrchr(target, '/');
        int folder = slash && name[0] != '/' ? (int)(slash - target) + 1 : 0;
        char *next = memory_format("%.*s%s", folder, target, name);
        free(target);
        target = next;
    }
    return target;
}

/* Beside the target, so that rename(2) stays on one file system. */
static char *part_name(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        return NULL;
    }
    return memory_format("%s.%ld.part", path, (long)getpid());
}

static void names_free(struct whole_file *file)
{
    int kept = errno;
    free(file->path);
    free(file->part);
    *file = (struct whole_file){0};
    errno = kept;
}

bool whole_file_open(struct whole_file *file, const char *path)
{
    *file = (struct whole_file){0};
    if (strcmp(path, "-") == 0) {
        file->out = stdout;
        return true;
    }
    file->path = whole_file_target(path);
    file->part = part_name(file->path);
    file->out = fopen(file->part ? file->part : path, "we");
    if (!file->out) {
        names_free(file);
        return false;
    }
    return true;
}

int whole_file_error(FILE *out)
{
    bool failed = ferror(out) != 0; /* earlier, and errno has been something else since */
    if (failed && fputc('\n', out) == EOF) {
        return errno;
    }
    return fflush(out) != 0 ? errno : failed ? EIO : 0;
}

bool whole_file_close(struct whole_file *file, bool keep)
{
    if (!file->out) {
        return true;
    }
    int error = whole_file_error(file->out);
    if (file->out != stdout && fclose(file->out) != 0 && error == 0) {
        error = errno;
    }
    bool whole = keep && error == 0;
    if (whole && file->part && rename(file->part, file->path) != 0) {
        error = errno;
        whole = false;
    }
    if (!whole && file->part) {
        unlink(file->part);
    }
    names_free(file);
    errno = error;
    return error == 0;
}
