/* libc.c - does the program carry libcheck, though no symbol says so? See libc_export.c. */
#include "harness/boundary/passive.h"

#include <elf.h>
#include <link.h>
#include <string.h>

/* Looks for a string that only libcheck has, in the executable's read-only data. */
static int libcheck_in_first(struct dl_phdr_info *info, size_t size, void *found)
{
    static const char mark[] = "CK_TAP_LOG_FILE_NAME";
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_R) && !(segment->p_flags & PF_W) &&
            memmem((const void *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz, mark,
                   sizeof mark) != NULL) {
            *(bool *)found = true;
        }
    }
    return 1; /* the first is the executable */
}

bool libc_wanted(void)
{
    bool found = false;
    dl_iterate_phdr(libcheck_in_first, &found);
    return found;
}
