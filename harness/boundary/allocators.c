/* allocators.c - see allocators.h. */
#include "harness/boundary/allocators.h"

#include "harness/boundary/adapter.h"
#include "harness/boundary/serve.h"
#include "harness/ledger/heap_error.h"

#include <stdbool.h>
#include <stdio.h>

static const struct interface {
    const char *import, *owner;
    bool below; /* its blocks are of the allocator below, and free takes them */
} interfaces[] = {
    {"mallocx", "jemalloc", true},         {"rallocx", "jemalloc", true},
    {"je_malloc", "jemalloc", true},       {"mi_malloc", "mimalloc", false},
    {"mi_heap_malloc", "mimalloc", false}, {"tc_malloc", "tcmalloc", false},
    {"__libc_malloc", "libc", false},      {"__libc_memalign", "libc", false},
};

void allocators_note(void)
{
    for (size_t i = 0; i < sizeof interfaces / sizeof interfaces[0]; i++) {
        char text[256];
        const struct interface *interface = &interfaces[i];
        if (!imports_have(interface->import)) {
            continue;
        }
        if (interface->below) {
            heap_error_native();
        }
        snprintf(text, sizeof text,
                 "the program calls %s of %s: what it allocates so is not seen, and not judged",
                 interface->import, interface->owner);
        serve_note(text);
    }
}
