/* symtab.c - see symtab.h. */
#include "harness/boundary/symtab.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct image {
    const unsigned char *bytes;
    size_t size;
    const Elf64_Shdr *sections;
    size_t section_count;
    const Elf64_Sym *symbols;
    size_t symbol_count;
    const char *names;
    size_t names_size;
    uintptr_t bias;
};

static int bias_of_first(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uintptr_t *)bias = info->dlpi_addr;
    return 1; /* the first is the executable */
}

static bool inside(const struct image *image, uint64_t offset, uint64_t bytes)
{
    return offset <= image->size && bytes <= image->size - offset;
}

static bool image_open(struct image *image)
{
    memset(image, 0, sizeof *image);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    struct stat status;
    long map = -1;
    if (fstat(fd, &status) == 0 && status.st_size > (off_t)sizeof(Elf64_Ehdr)) {
        image->size = (size_t)status.st_size;
        map = syscall(SYS_mmap, NULL, image->size, PROT_READ, MAP_PRIVATE, fd,
                      0L); /* an int would leave half of the offset to chance */
    }
    syscall(SYS_close, fd);
    if (map == -1) {
        return false;
    }
    image->bytes = (const unsigned char *)map;
    dl_iterate_phdr(bias_of_first, &image->bias);
    return true;
}

static bool image_sections(struct image *image)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_ident[EI_CLASS] != ELFCLASS64 ||
        head->e_shentsize != sizeof(Elf64_Shdr) ||
        !inside(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof(Elf64_Shdr))) {
        return false;
    }
    image->sections = (const Elf64_Shdr *)(image->bytes + head->e_shoff);
    image->section_count = head->e_shnum;
    return true;
}

static bool image_symbols(struct image *image)
{
    if (!image_sections(image)) {
        return false;
    }
    for (size_t i = 0; i < image->section_count; i++) {
        const Elf64_Shdr *table = &image->sections[i];
        if (table->sh_type != SHT_SYMTAB || table->sh_link >= image->section_count ||
            !inside(image, table->sh_offset, table->sh_size)) {
            continue;
        }
        const Elf64_Shdr *names = &image->sections[table->sh_link];
        if (!inside(image, names->sh_offset, names->sh_size) || names->sh_size == 0 ||
            image->bytes[names->sh_offset + names->sh_size - 1] != '\0') {
            return false;
        }
        image->symbols = (const Elf64_Sym *)(image->bytes + table->sh_offset);
        image->symbol_count = table->sh_size / sizeof(Elf64_Sym);
        image->names = (const char *)image->bytes + names->sh_offset;
        image->names_size = names->sh_size;
        return true;
    }
    return false;
}

static void entry_match(const struct image *image, const Elf64_Sym *symbol, const char *name,
                        struct symtab_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].name[0] == name[0] && strcmp(entries[i].name, name) == 0) {
            void *address = (void *)(image->bias + symbol->st_value);
            bool twice = entries[i].room != 0 && entries[i].address != address;
            entries[i].address = twice ? NULL : address;
            entries[i].room = image->sections[symbol->st_shndx].sh_addr +
                              image->sections[symbol->st_shndx].sh_size - symbol->st_value;
        }
    }
}

static bool is_definition(const struct image *image, const Elf64_Sym *symbol)
{
    unsigned type = ELF64_ST_TYPE(symbol->st_info);
    return (type == STT_FUNC || type == STT_OBJECT) && symbol->st_shndx != SHN_UNDEF &&
           symbol->st_shndx < image->section_count && symbol->st_name < image->names_size;
}

static void room_limit(const struct image *image, struct symtab_entry *entries, size_t count)
{
    for (size_t s = 0; s < image->symbol_count; s++) {
        if (!is_definition(image, &image->symbols[s])) {
            continue;
        }
        uintptr_t start = image->bias + image->symbols[s].st_value;
        for (size_t i = 0; i < count; i++) {
            uintptr_t entry = (uintptr_t)entries[i].address;
            if (entry != 0 && start > entry && start - entry < entries[i].room) {
                entries[i].room = start - entry;
            }
        }
    }
}

bool symtab_find(struct symtab_entry *entries, size_t count)
{
    struct image image;
    for (size_t i = 0; i < count; i++) {
        entries[i].address = NULL;
        entries[i].room = 0;
    }
    if (!image_open(&image)) {
        return false;
    }
    bool found = image_symbols(&image);
    for (size_t s = 0; found && s < image.symbol_count; s++) {
        if (is_definition(&image, &image.symbols[s])) {
            entry_match(&image, &image.symbols[s], image.names + image.symbols[s].st_name, entries,
                        count);
        }
    }
    if (found) {
        room_limit(&image, entries, count);
    }
    syscall(SYS_munmap, image.bytes, image.size);
    return found;
}

static bool is_named(const struct image *image, const Elf64_Shdr *section, const char *name)
{
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)image->bytes;
    if (head->e_shstrndx >= image->section_count) {
        return false;
    }
    const Elf64_Shdr *names = &image->sections[head->e_shstrndx];
    size_t bytes = strlen(name) + 1;
    return inside(image, names->sh_offset, names->sh_size) && section->sh_name < names->sh_size &&
           bytes <= names->sh_size - section->sh_name &&
           memcmp(image->bytes + names->sh_offset + section->sh_name, name, bytes) == 0;
}

bool symtab_section(const char *name, uintptr_t *begin, size_t *bytes)
{
    struct image image;
    bool found = false;
    if (!image_open(&image)) {
        return false;
    }
    if (image_sections(&image)) {
        for (size_t i = 0; !found && i < image.section_count; i++) {
            found = is_named(&image, &image.sections[i], name);
            *begin = image.bias + image.sections[i].sh_addr;
            *bytes = image.sections[i].sh_size;
        }
    }
    syscall(SYS_munmap, image.bytes, image.size);
    return found;
}

void symtab_functions(void (*each)(uint64_t entry))
{
    struct image image;
    if (!image_open(&image)) {
        return;
    }
    bool found = image_symbols(&image);
    for (size_t s = 0; found && s < image.symbol_count; s++) {
        const Elf64_Sym *symbol = &image.symbols[s];
        if (is_definition(&image, symbol) && ELF64_ST_TYPE(symbol->st_info) == STT_FUNC &&
            symbol->st_size > 0 &&
            (image.sections[symbol->st_shndx].sh_flags & SHF_EXECINSTR) != 0) {
            each(image.bias + symbol->st_value);
        }
    }
    syscall(SYS_munmap, image.bytes, image.size);
}
