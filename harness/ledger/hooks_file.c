/*
 * hooks_file.c - libc's functions that make and remove temporary files and folders. Runs in the
 * worker. A file that the program makes by opening it is seen in hooks_fd.c. What another process
 * removes is noticed at the next boundary.
 */
#include "harness/ledger/descriptor.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/unwind.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION
#define FRAME  __builtin_frame_address(0)

/* The template holds the name once they succeed. */
static int temporary_made(int fd, const char *path, const void *frame)
{
    if (fd >= 0) {
        resource_file_made(path, frame);
    }
    return descriptor_opened(fd, frame);
}

#define TEMPORARY(name, parameters, arguments)                                                     \
    EXPORT int name parameters                                                                     \
    {                                                                                              \
        return temporary_made(NEXT_FUNCTION(name) arguments, path, FRAME);                         \
    }

TEMPORARY(mkstemp, (char *path), (path))
TEMPORARY(mkstemp64, (char *path), (path))
TEMPORARY(mkostemp, (char *path, int flags), (path, flags))
TEMPORARY(mkostemp64, (char *path, int flags), (path, flags))
TEMPORARY(mkstemps, (char *path, int suffix), (path, suffix))
TEMPORARY(mkstemps64, (char *path, int suffix), (path, suffix))
TEMPORARY(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags))
TEMPORARY(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags))

EXPORT char *mkdtemp(char *path)
{
    char *made = NEXT_FUNCTION(mkdtemp)(path);
    if (made != NULL) {
        resource_file_made(made, FRAME);
    }
    return made;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    int answer = NEXT_FUNCTION(mkdir)(path, mode);
    if (answer == 0) {
        resource_file_made(path, FRAME);
    }
    return answer;
}

static int removed(int answer, const char *path)
{
    if (answer == 0) {
        resource_file_gone(path);
    }
    return answer;
}

EXPORT int unlink(const char *path)
{
    return removed(NEXT_FUNCTION(unlink)(path), path);
}

EXPORT int unlinkat(int directory, const char *path, int flags)
{
    int answer = NEXT_FUNCTION(unlinkat)(directory, path, flags);
    return directory == AT_FDCWD || path[0] == '/' ? removed(answer, path) : answer;
}

EXPORT int remove(const char *path)
{
    return removed(NEXT_FUNCTION(remove)(path), path);
}

EXPORT int rmdir(const char *path)
{
    return removed(NEXT_FUNCTION(rmdir)(path), path);
}

EXPORT int rename(const char *from, const char *to)
{
    bool fresh = descriptor_path_is_new(AT_FDCWD, to);
    int answer = NEXT_FUNCTION(rename)(from, to);
    if (answer == 0) {
        if (resource_file_known(from) &&
            fresh) { /* what stood there before was not the program's */
            resource_file_made(to, FRAME);
        }
        resource_file_gone(from);
    }
    return answer;
}
