/*
 * hooks_map.c - mmap, munmap, mremap as the program calls them. Made as system calls, so that
 * nothing need be looked up. The allocator's own calls, which come by here too, are not the
 * program's. Runs in the worker, on any thread.
 */
#include "harness/ledger/allocator.h"
#include "harness/ledger/resource.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>

#define EXPORT __attribute__((visibility("default"))) UNWIND_HOOK_SECTION

static void *answer_map(long answer)
{
    if (kernel_failed(answer)) {
        errno = (int)-answer;
        return MAP_FAILED;
    }
    return (void *)answer;
}

EXPORT void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    long answer =
        kernel_call(SYS_mmap, (long)address, (long)bytes, protection, flags, fd, (long)offset);
    if (kernel_failed(answer)) {
        return answer_map(answer);
    }
    if (allocator_calls(__builtin_return_address(0))) {
        allocator_mapped((uint64_t)answer, bytes);
    } else {
        resource_map((uint64_t)answer, bytes, __builtin_frame_address(0));
    }
    return (void *)answer;
}

void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off64_t offset)
    __attribute__((visibility("default"), alias("mmap")));

EXPORT int munmap(void *address, size_t bytes)
{
    if (allocator_calls(__builtin_return_address(0))) {
        allocator_unmapped((uint64_t)(uintptr_t)address, bytes);
    } else {
        resource_unmap((uint64_t)(uintptr_t)address, bytes); /* before: another may get it after */
    }
    long answer = kernel_call(SYS_munmap, (long)address, (long)bytes, 0, 0, 0, 0);
    if (answer < 0) {
        errno = (int)-answer;
        return -1;
    }
    return 0;
}

EXPORT void *mremap(void *address, size_t old_bytes, size_t bytes, int flags, ...)
{
    void *wanted = NULL;
    if ((flags & MREMAP_FIXED) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        wanted = va_arg(arguments, void *);
        va_end(arguments);
    }
    long answer = kernel_call(SYS_mremap, (long)address, (long)old_bytes, (long)bytes, flags,
                              (long)wanted, 0);
    if (!kernel_failed(answer) && !allocator_calls(__builtin_return_address(0))) {
        if ((flags & MREMAP_DONTUNMAP) == 0) {
            resource_unmap((uint64_t)(uintptr_t)address, old_bytes);
        }
        resource_map((uint64_t)answer, bytes, __builtin_frame_address(0));
    }
    return answer_map(answer);
}
