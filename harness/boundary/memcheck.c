/* memcheck.c - see memcheck.h. */
#include "harness/boundary/memcheck.h"

#include "harness/base/wire.h"

#if defined(__has_include)
#if __has_include("valgrind/memcheck.h")
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#endif
#endif

#ifdef HAVE_MEMCHECK

static bool memcheck_on;
static bool memcheck_looked; /* for what was lost before the first test */
static unsigned memcheck_errors;

bool memcheck_here(void)
{
    return RUNNING_ON_VALGRIND != 0;
}

void memcheck_init(void)
{
    memcheck_on = memcheck_here();
    if (memcheck_on) {
        VALGRIND_PRINTF("tidemark begin %u\n", WIRE_NO_TEST); /* this is the worker */
    }
}

/* A pointer that a call left in a register would keep a block that nothing else points to. What
 * calls preserve has its old value again; below the stack pointer memcheck does not look. */
static void registers_clear(void)
{
#if defined(__x86_64__)
    __asm__ volatile("xor %%eax, %%eax\n\txor %%ecx, %%ecx\n\txor %%edx, %%edx\n\t"
                     "xor %%esi, %%esi\n\txor %%edi, %%edi\n\txor %%r8d, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\txor %%r10d, %%r10d\n\txor %%r11d, %%r11d"
                     :
                     :
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc");
#elif defined(__aarch64__)
    __asm__ volatile("mov x0, #0\n\tmov x1, #0\n\tmov x2, #0\n\tmov x3, #0\n\tmov x4, #0\n\t"
                     "mov x5, #0\n\tmov x6, #0\n\tmov x7, #0\n\tmov x8, #0\n\tmov x9, #0\n\t"
                     "mov x10, #0\n\tmov x11, #0\n\tmov x12, #0\n\tmov x13, #0\n\tmov x14, #0\n\t"
                     "mov x15, #0\n\tmov x16, #0\n\tmov x17, #0"
                     :
                     :
                     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11",
                       "x12", "x13", "x14", "x15", "x16", "x17");
#endif
}

/* Tells of each place that has lost more than when it was last looked. */
static void leaks_look(void)
{
    registers_clear();
    VALGRIND_DO_ADDED_LEAK_CHECK;
}

void memcheck_test_begins(uint32_t test)
{
    if (memcheck_on) {
        if (!memcheck_looked) {
            memcheck_looked = true;
            leaks_look();
        }
        VALGRIND_PRINTF("tidemark begin %u\n", test);
        memcheck_errors = VALGRIND_COUNT_ERRORS;
    }
}

void memcheck_test_ends(uint32_t test)
{
    if (memcheck_on) {
        unsigned errors = VALGRIND_COUNT_ERRORS - memcheck_errors;
        leaks_look();
        VALGRIND_PRINTF("tidemark end %u %u\n", test, errors);
    }
}

void memcheck_child_begins(uint32_t test)
{
    if (memcheck_on) {
        VALGRIND_PRINTF("tidemark child %u\n", test);
    }
}

void memcheck_process_ends(void)
{
    if (memcheck_on) {
        leaks_look();
        VALGRIND_PRINTF("tidemark end %u 0\n", WIRE_NO_TEST);
    }
}

#else

bool memcheck_here(void)
{
    return false;
}

void memcheck_init(void)
{
}

void memcheck_test_begins(uint32_t test)
{
    (void)test;
}

void memcheck_test_ends(uint32_t test)
{
    (void)test;
}

void memcheck_child_begins(uint32_t test)
{
    (void)test;
}

void memcheck_process_ends(void)
{
}

#endif
