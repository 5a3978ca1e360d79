/* descriptor.c - see descriptor.h. Runs in the worker. */
#include "harness/ledger/descriptor.h"

#include "harness/ledger/resource.h"
#include "harness/ledger/trace.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_bool standard_touched;

static inline void standard_note(int fd)
{
    if (fd >= 0 && fd <= STDERR_FILENO) {
        atomic_store_explicit(&standard_touched, true, memory_order_relaxed);
    }
}

bool descriptor_standard_touched(void)
{
    return atomic_load_explicit(&standard_touched, memory_order_relaxed) &&
           atomic_exchange(&standard_touched, false);
}

int descriptor_opened(int fd, const void *frame)
{
    standard_note(fd);
    if (fd >= 0) {
        meter_fd_touched();
    }
    if (fd >= 0 && trace_on) {
        resource_open(WIRE_SITE_FD, (uint64_t)fd, frame);
    }
    return fd;
}

UNWIND_HOOK_SECTION int descriptor_closing(int fd)
{
    meter_fd_touched();
    standard_note(fd);
    if (fd >= 0 && trace_on) {
        resource_close(WIRE_SITE_FD, (uint64_t)fd);
    }
    return fd;
}

bool descriptor_path_is_new(int directory, const char *path)
{
    return path != NULL &&
           kernel_call(SYS_faccessat, directory, (long)path, 0 /* F_OK */, 0, 0, 0) == -ENOENT;
}

void descriptor_file_made(int directory, const char *path, const void *frame)
{
    if (path[0] == '/' || directory == AT_FDCWD) { /* else its full name is not known */
        resource_file_made(path, frame);
    }
}

bool descriptor_stream_is_new(const char *path, const char *mode)
{
    return mode != NULL && (mode[0] == 'w' || mode[0] == 'a') &&
           descriptor_path_is_new(AT_FDCWD, path);
}

FILE *descriptor_stream_opened(FILE *file, const char *path, bool fresh, const void *frame)
{
    if (file != NULL) {
        descriptor_opened(fileno_unlocked(file), frame);
        if (fresh) {
            resource_file_made(path, frame);
        }
    }
    return file;
}

UNWIND_HOOK_SECTION FILE *descriptor_stream_closing(FILE *file)
{
    meter_fd_touched();
    if (file == stdin || file == stdout || file == stderr) {
        standard_note(STDIN_FILENO);
    }
    if (file != NULL && trace_on) {
        int saved = errno;
        descriptor_closing(fileno_unlocked(file));
        errno = saved;
    }
    return file;
}
