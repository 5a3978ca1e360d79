/*
 * kernel.h - system calls made directly: no libc function that a test or a hook may replace, no
 * errno, no cancellation point, async-signal-safe. Runs in the worker. x86-64 and AArch64.
 */
#ifndef METER_KERNEL_H
#define METER_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
/* Returns the kernel's answer: -errno on failure. */
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    long answer;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return answer;
}
#elif defined(__aarch64__)
static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "tidemark supports x86-64 and AArch64"
#endif

static inline bool kernel_failed(long answer)
{
    return (unsigned long)answer > -4096UL;
}

/* Private anonymous memory, zeroed, between guard pages, or NULL. Not counted anywhere: see
 * meter_own_map. kernel_map_as: with MAP_SHARED, children of fork share it. */
void *kernel_map(size_t bytes);
void *kernel_map_as(size_t bytes, int share);
void kernel_unmap(void *map, size_t bytes);

int kernel_open(const char *path, int flags); /* descriptor, or -errno; always close-on-exec */
void kernel_close(int fd);
/* Reads up to `room` bytes from the start of a file; 0 on failure. */
size_t kernel_read_file(const char *path, char *buffer, size_t room);

int32_t kernel_tid(void);
int32_t kernel_pid(void);

/* Lists the entries of a directory by number ("/proc/self/fd", "/proc/self/task"): calls `each`
 * with every name that is a number, except that of the descriptor used for reading. Returns how
 * many. */
typedef void kernel_number_seen(void *context, int32_t number);
uint32_t kernel_numbers_list(const char *directory, kernel_number_seen *each, void *context);

#endif
