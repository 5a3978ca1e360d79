/* header.c - does the program import tidemark_test_begin? See passive.h. Read from the executable's
 * dynamic symbols in memory: those it imports stand before those it exports. */
#include "harness/boundary/passive.h"

#include <elf.h>
#include <link.h>
#include <string.h>

struct imports {
    const ElfW(Sym) * symbols;
    const char *names;
    size_t count; /* at least all undefined ones */
};

static int imports_of_first(struct dl_phdr_info *info, size_t size, void *data)
{
    struct imports *imports = data;
    const ElfW(Dyn) *dynamic = NULL;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
            dynamic = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        }
    }
    for (; dynamic != NULL && dynamic->d_tag != DT_NULL; dynamic++) {
        /* glibc has relocated these pointers in place. */
        switch (dynamic->d_tag) {
        case DT_SYMTAB:
            imports->symbols = (const ElfW(Sym) *)dynamic->d_un.d_ptr;
            break;
        case DT_STRTAB:
            imports->names = (const char *)dynamic->d_un.d_ptr;
            break;
        case DT_GNU_HASH:
            imports->count = ((const uint32_t *)dynamic->d_un.d_ptr)[1]; /* first hashed symbol */
            break;
        case DT_HASH:
            imports->count = ((const uint32_t *)dynamic->d_un.d_ptr)[1]; /* all of them */
            break;
        default:
            break;
        }
    }
    return 1; /* the first is the executable */
}

bool header_wanted(void)
{
    struct imports imports = {0};
    dl_iterate_phdr(imports_of_first, &imports);
    for (size_t i = 1; imports.symbols != NULL && imports.names != NULL && i < imports.count; i++) {
        if (imports.symbols[i].st_shndx == SHN_UNDEF &&
            strcmp(imports.names + imports.symbols[i].st_name, "tidemark_test_begin") == 0) {
            return true;
        }
    }
    return false;
}
