/*
 * registry_huge.c - asks for huge pages under a large catalogue. Linux has them; where madvise does
 * not know the word, nothing is asked. Any process.
 */
#include "registry/image.h"
#include "registry/registry.h"

#include <errno.h>
#include <sys/mman.h>

bool registry_image_advise_huge_pages(const struct registry_image *image)
{
    bool asked = false;
#ifdef MADV_HUGEPAGE
    if (image->bytes >= REGISTRY_HUGE_FROM) {
        int before = errno;
        const char *from = (const char *)image;
        const char *to = from + image->bytes;
        from += -(uintptr_t)from % REGISTRY_HUGE_PAGE; /* of whole ones only */
        to -= (uintptr_t)to % REGISTRY_HUGE_PAGE;
        asked = madvise((void *)(uintptr_t)from, (size_t)(to - from), MADV_HUGEPAGE) == 0;
        errno = before;
    }
#else
    (void)image;
#endif
    return asked;
}

bool registry_advise_huge_pages(void)
{
    return registry_image_advise_huge_pages(&registry_tables);
}
