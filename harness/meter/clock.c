/*
 * clock.c - CLOCK_MONOTONIC from the kernel's vdso, found by its own ELF tables, because
 * clock_gettime itself may be replaced: by a test's fake clock, or by tidemark's boundary code.
 * Runs in the worker.
 */
#include "harness/meter/kernel.h"
#include "harness/meter/meter.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>

typedef int clock_read(clockid_t clock, struct timespec *now);

#if defined(__x86_64__)
#define CLOCK_SYMBOL "__vdso_clock_gettime"
#else
#define CLOCK_SYMBOL "__kernel_clock_gettime"
#endif

static _Atomic(clock_read *) clock_found;

static int clock_by_call(clockid_t clock, struct timespec *now)
{
    return (int)kernel_call(SYS_clock_gettime, clock, (long)now, 0, 0, 0, 0);
}

static clock_read *clock_find(void)
{
    int saved = errno;
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    errno = saved; /* ENOENT where there is no vdso: under valgrind, and in some sandboxes */
    if (base == NULL) {
        return clock_by_call;
    }
    const ElfW(Ehdr) *head = (const void *)base;
    const ElfW(Phdr) *segments = (const void *)(base + head->e_phoff);
    const ElfW(Dyn) *dynamic = NULL;
    const char *bias = base;
    for (int i = 0; i < head->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && segments[i].p_offset == 0) {
            bias = base - segments[i].p_vaddr;
        } else if (segments[i].p_type == PT_DYNAMIC) {
            dynamic = (const void *)(base + segments[i].p_offset);
        }
    }
    const ElfW(Sym) *symbols = NULL;
    const char *names = NULL;
    const uint32_t *hash = NULL;
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = bias + dynamic->d_un.d_ptr;
        symbols = dynamic->d_tag == DT_SYMTAB ? at : symbols;
        names = dynamic->d_tag == DT_STRTAB ? at : names;
        hash = dynamic->d_tag == DT_HASH ? at : hash;
    }
    if (symbols == NULL || names == NULL || hash == NULL) {
        return clock_by_call;
    }
    for (uint32_t i = 0; i < hash[1]; i++) { /* hash[1]: number of symbols */
        if (symbols[i].st_shndx != SHN_UNDEF &&
            strcmp(names + symbols[i].st_name, CLOCK_SYMBOL) == 0) {
            return (clock_read *)(uintptr_t)(bias + symbols[i].st_value);
        }
    }
    return clock_by_call;
}

uint64_t meter_now_ns(void)
{
    clock_read *read = atomic_load_explicit(&clock_found, memory_order_relaxed);
    if (read == NULL) {
        read = clock_find();
        atomic_store_explicit(&clock_found, read, memory_order_relaxed);
    }
    struct timespec now = {0};
    if (read(CLOCK_MONOTONIC, &now) != 0) {
        clock_by_call(CLOCK_MONOTONIC, &now);
    }
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
