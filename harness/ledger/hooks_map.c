/*
 * hooks_map.c - mmap, munmap, mremap as the program calls them, made as system calls, so that
 * nothing need be looked up; shmat, shmdt, sbrk and brk. The allocator's own calls, which come by
 * here too, are not the program's. Runs in the worker, on any thread.
 */
#include "harness/ledger/allocator.h"
#include "harness/ledger/descriptor.h"
#include "harness/ledger/mapping.h"
#include "harness/ledger/unwind.h"
#include "harness/meter/kernel.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

/* libc's own: an allocator may ask for it before anything could be looked up. */
void *__sbrk(intptr_t more);

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
        mapping_made((uint64_t)answer, bytes, __builtin_frame_address(0));
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
        mapping_gone((uint64_t)(uintptr_t)address, bytes); /* before: another may get it after */
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
    if (allocator_calls(__builtin_return_address(0))) {
        return answer_map(kernel_call(SYS_mremap, (long)address, (long)old_bytes, (long)bytes,
                                      flags, (long)wanted, 0));
    }
    return answer_map(mapping_moved((uint64_t)(uintptr_t)address, old_bytes, bytes, flags,
                                    (uint64_t)(uintptr_t)wanted, __builtin_frame_address(0)));
}

EXPORT void *shmat(int id, const void *address, int flags)
{
    struct shmid_ds segment;
    void *map = NEXT_FUNCTION(shmat)(id, address, flags);
    int saved = errno;
    if (map != (void *)-1 && shmctl(id, IPC_STAT, &segment) == 0) {
        mapping_made((uint64_t)(uintptr_t)map, segment.shm_segsz, __builtin_frame_address(0));
    }
    errno = saved;
    return map;
}

EXPORT int shmdt(const void *address)
{
    uint64_t start = (uint64_t)(uintptr_t)address;
    mapping_gone(start, mapping_length(start));
    return NEXT_FUNCTION(shmdt)(address);
}

EXPORT void *sbrk(intptr_t more)
{
    char *before = __sbrk(more);
    if (more != 0 && before != (void *)-1 && !allocator_calls(__builtin_return_address(0))) {
        mapping_break((uint64_t)(uintptr_t)before, (uint64_t)(uintptr_t)before + (uint64_t)more,
                      __builtin_frame_address(0));
    }
    return before;
}

EXPORT int brk(void *end)
{
    char *before = __sbrk(0);
    int answer = __sbrk((char *)end - before) == (void *)-1 ? -1 : 0;
    if (answer == 0 && !allocator_calls(__builtin_return_address(0))) {
        mapping_break((uint64_t)(uintptr_t)before, (uint64_t)(uintptr_t)end,
                      __builtin_frame_address(0));
    }
    return answer;
}
